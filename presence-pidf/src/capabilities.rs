//! What services and devices can do.

use std::borrow::Cow;

use crate::error::{Error, Rule};
use crate::pidf::read::{Pidf, trimmed};
use crate::pidf::{Note, owned};
use crate::xml::{BLANKS, Name, Namespace, Writer, name_only};

/// What a service can do. What is not said is not known.
///
/// RFC 5196 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ServiceCapabilities<'a> {
    /// Media and other yes-or-no capabilities that are said, in the standard's order.
    pub flags: Vec<(Capability, bool)>,
    /// Sets of what is supported and what is not, in the standard's order.
    pub sets: Vec<CapabilitySet<'a>>,
    /// For people.
    pub descriptions: Vec<Note<'a>>,
    /// Media types.
    pub types: Vec<Cow<'a, str>>,
}

/// What a device can do.
///
/// RFC 5196 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct DeviceCapabilities<'a> {
    /// For people.
    pub descriptions: Vec<Note<'a>>,
    /// Whether it stays where it is: `fixed`, `mobile`.
    pub mobility: Option<CapabilitySet<'a>>,
}

/// What of a kind is supported, and what is not.
///
/// RFC 5196 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CapabilitySet<'a> {
    /// Of which kind.
    pub kind: Capability,
    /// Supported.
    pub supported: Vec<Cow<'a, str>>,
    /// Not supported.
    pub not_supported: Vec<Cow<'a, str>>,
}

macro_rules! capabilities {
    ($($variant:ident $token:literal $what:literal,)*) => {
        /// The capabilities, in the order of the schema.
        ///
        /// RFC 5196 5
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Capability {
            $(#[doc = $what] $variant,)*
        }

        impl Capability {
            /// The name of its element.
            ///
            /// RFC 5196 5
            #[must_use]
            pub fn token(self) -> &'static str {
                match self { $(Self::$variant => $token,)* }
            }

            fn of(token: &str) -> Option<Self> {
                match token { $($token => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

capabilities! {
    Actor "actor" "What kind of being answers.",
    Application "application" "Streams of applications.",
    Audio "audio" "Speech.",
    Automata "automata" "A machine answers.",
    Class "class" "For business, or personal.",
    Control "control" "Floor control and alike.",
    Data "data" "Data streams.",
    Description "description" "Words for people.",
    Duplex "duplex" "Both ways at once, or one.",
    EventPackages "event-packages" "Event packages of SIP.",
    Extensions "extensions" "Extensions of SIP.",
    IsFocus "isfocus" "The focus of a conference.",
    Message "message" "Messages.",
    Methods "methods" "Methods of SIP.",
    Languages "languages" "Languages.",
    Priority "priority" "Priorities of calls that are taken.",
    Schemes "schemes" "Schemes of addresses.",
    Text "text" "Streams of text.",
    Type "type" "Media types.",
    Video "video" "Pictures that move.",
    Mobility "mobility" "Whether the device stays where it is.",
}

impl Capability {
    fn is_flag(self) -> bool {
        matches!(
            self,
            Self::Application
                | Self::Audio
                | Self::Automata
                | Self::Control
                | Self::Data
                | Self::IsFocus
                | Self::Message
                | Self::Text
                | Self::Video
        )
    }

    /// Sets whose members are the text of elements of one name.
    fn member(self) -> Option<&'static str> {
        match self {
            Self::Schemes => Some("s"),
            Self::Languages => Some("l"),
            _ => None,
        }
    }
}

impl<'a> Pidf<'a> {
    /// `None` when something in them must be understood and is not.
    pub(crate) fn service_capabilities(&mut self) -> Result<Option<ServiceCapabilities<'a>>, Error> {
        let mut capabilities = ServiceCapabilities::default();
        let mut understood = true;
        let mut rank = 0;
        while let Some(child) = self.reader.child()? {
            let Some(capability) = self.capability(&child, &mut rank, &mut understood)? else { continue };
            match capability {
                Capability::Description => capabilities.descriptions.push(self.note()?),
                Capability::Type => capabilities.types.push(self.reader.text()?),
                Capability::Mobility => self.stranger()?,
                flag if flag.is_flag() => {
                    let value = match self.reader.text()?.trim_matches(BLANKS) {
                        "true" | "1" => Some(true),
                        "false" | "0" => Some(false),
                        _ => None,
                    };
                    match value {
                        Some(value) => capabilities.flags.push((flag, value)),
                        None => self.refuse(Rule::ElementValue)?,
                    }
                }
                set => capabilities.sets.push(self.capability_set(set)?),
            }
        }
        Ok(understood.then_some(capabilities))
    }

    /// `None` when something in them must be understood and is not.
    pub(crate) fn device_capabilities(&mut self) -> Result<Option<DeviceCapabilities<'a>>, Error> {
        let mut capabilities = DeviceCapabilities::default();
        let mut understood = true;
        let mut rank = 0;
        while let Some(child) = self.reader.child()? {
            match self.capability(&child, &mut rank, &mut understood)? {
                None => {}
                Some(Capability::Description) => capabilities.descriptions.push(self.note()?),
                Some(Capability::Mobility) => {
                    capabilities.mobility = Some(self.capability_set(Capability::Mobility)?);
                }
                Some(_) => self.stranger()?,
            }
        }
        Ok(understood.then_some(capabilities))
    }

    /// Which one it is, if it is in its place; otherwise it is left.
    fn capability(
        &mut self,
        child: &Name<'a>,
        rank: &mut u8,
        understood: &mut bool,
    ) -> Result<Option<Capability>, Error> {
        if child.namespace != Namespace::Capabilities {
            if child.namespace == Namespace::None {
                self.refuse(Rule::Order)?;
            }
            *understood &= !self.must_be_understood();
            *rank = u8::MAX;
            self.reader.skip()?;
            return Ok(None);
        }
        let Some(capability) = Capability::of(child.local) else {
            self.stranger()?;
            return Ok(None);
        };
        let place = 2 * capability as u8;
        self.ranked(rank, place)?;
        // What may stand once only leaves no room for another of it.
        if !matches!(capability, Capability::Description | Capability::Type) {
            *rank = (*rank).max(place + 1);
        }
        Ok(Some(capability))
    }

    fn capability_set(&mut self, kind: Capability) -> Result<CapabilitySet<'a>, Error> {
        let mut set = CapabilitySet { kind, supported: Vec::new(), not_supported: Vec::new() };
        let mut rank = 0;
        while let Some(child) = self.reader.child()? {
            let supported = match (child.namespace, child.local) {
                (Namespace::Capabilities, "supported") => true,
                (Namespace::Capabilities, "notsupported") => false,
                _ => {
                    self.stranger()?;
                    continue;
                }
            };
            self.ranked(&mut rank, u8::from(!supported))?;
            while let Some(member) = self.reader.child()? {
                let text = self.reader.text()?;
                let name = match kind.member() {
                    Some(expected) if member.is(Namespace::Capabilities, expected) => trimmed(text),
                    Some(_) => {
                        self.refuse(Rule::Order)?;
                        continue;
                    }
                    None if member.namespace == Namespace::Capabilities => Cow::Borrowed(member.local),
                    None => continue,
                };
                if supported { &mut set.supported } else { &mut set.not_supported }.push(name);
            }
        }
        Ok(set)
    }
}

impl ServiceCapabilities<'_> {
    /// Appends them in the order of the schema, whatever their order here.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<c:servcaps>");
        for capability in ORDER {
            match capability {
                Capability::Description => write_descriptions(&self.descriptions, out),
                Capability::Type => {
                    for media in &self.types {
                        out.element("<c:type>", media, "</c:type>");
                    }
                }
                _ => {
                    if let Some((flag, value)) = self.flags.iter().find(|(flag, _)| *flag == capability) {
                        out.raw("<c:").raw(flag.token()).raw(">").boolean(*value);
                        out.raw("</c:").raw(flag.token()).raw(">");
                    }
                    if let Some(set) = self.sets.iter().find(|set| set.kind == capability) {
                        set.write(out);
                    }
                }
            }
        }
        out.raw("</c:servcaps>");
    }

    pub(crate) fn into_owned(self) -> ServiceCapabilities<'static> {
        ServiceCapabilities {
            flags: self.flags,
            sets: self.sets.into_iter().map(CapabilitySet::into_owned).collect(),
            descriptions: self.descriptions.into_iter().map(Note::into_owned).collect(),
            types: self.types.into_iter().map(owned).collect(),
        }
    }
}

impl DeviceCapabilities<'_> {
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<c:devcaps>");
        write_descriptions(&self.descriptions, out);
        if let Some(mobility) = &self.mobility {
            mobility.write(out);
        }
        out.raw("</c:devcaps>");
    }

    pub(crate) fn into_owned(self) -> DeviceCapabilities<'static> {
        DeviceCapabilities {
            descriptions: self.descriptions.into_iter().map(Note::into_owned).collect(),
            mobility: self.mobility.map(CapabilitySet::into_owned),
        }
    }
}

impl CapabilitySet<'_> {
    fn write(&self, out: &mut Writer<'_>) {
        let name = self.kind.token();
        out.raw("<c:").raw(name).raw(">");
        for (tag, members) in [("supported", &self.supported), ("notsupported", &self.not_supported)] {
            if members.is_empty() {
                continue;
            }
            out.raw("<c:").raw(tag).raw(">");
            for member in members {
                match self.kind.member() {
                    Some(element) => {
                        out.raw("<c:").raw(element).raw(">").text(member);
                        out.raw("</c:").raw(element).raw(">");
                    }
                    None => {
                        out.raw("<c:").raw(&name_only(member)).raw("/>");
                    }
                }
            }
            out.raw("</c:").raw(tag).raw(">");
        }
        out.raw("</c:").raw(name).raw(">");
    }

    fn into_owned(self) -> CapabilitySet<'static> {
        CapabilitySet {
            kind: self.kind,
            supported: self.supported.into_iter().map(owned).collect(),
            not_supported: self.not_supported.into_iter().map(owned).collect(),
        }
    }
}

fn write_descriptions(descriptions: &[Note<'_>], out: &mut Writer<'_>) {
    for description in descriptions {
        out.raw("<c:description").optional(" xml:lang=\"", description.language.as_deref());
        out.element(">", &description.text, "</c:description>");
    }
}

/// The sequence of the schema.
const ORDER: [Capability; 20] = [
    Capability::Actor,
    Capability::Application,
    Capability::Audio,
    Capability::Automata,
    Capability::Class,
    Capability::Control,
    Capability::Data,
    Capability::Description,
    Capability::Duplex,
    Capability::EventPackages,
    Capability::Extensions,
    Capability::IsFocus,
    Capability::Message,
    Capability::Methods,
    Capability::Languages,
    Capability::Priority,
    Capability::Schemes,
    Capability::Text,
    Capability::Type,
    Capability::Video,
];
