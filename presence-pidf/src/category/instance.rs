//! One category instance: what a publication consists of.

use std::borrow::Cow;

use crate::category::contact_card::MessageWaiting;
use crate::category::state_category::natural;
use crate::category::{
    ContactCard, DeviceCategory, NoteCategory, RoutingCategory, ServicesCategory, StateCategory,
};
use crate::date_time::DateTime;
use crate::error::{Error, Rule};
use crate::pidf::owned;
use crate::xml::{Element, Name, Namespace, Reader, Writer, trim};

/// One publication: its key (name, instance, container), its version, how long it lives, and what it says.
///
/// MS-PRES 2.2.2.1 (publication)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategoryInstance<'a> {
    /// The category, for example `state`.
    pub name: Cow<'a, str>,
    /// Which of several publications of that category.
    pub instance: u32,
    /// Who may read it; at most 32767.
    pub container: u16,
    /// The version that the writer believes to replace; 0 for the first. In a report: the version that the server holds.
    pub version: u32,
    /// What ends the publication.
    pub expire_type: ExpireType,
    /// Seconds until it ends; 0 deletes it.
    pub expires: Option<u32>,
    /// When the server took it: in reports.
    pub publish_time: Option<DateTime>,
    /// What it says.
    pub content: Content<'a>,
}

/// What ends a publication.
///
/// MS-PRES 2.2.2.1 (expireType)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum ExpireType {
    /// The end of the endpoint's registration.
    #[default]
    Endpoint,
    /// The end of the user's last registration.
    User,
    /// Nothing.
    Static,
    /// Its time.
    Time,
}

/// What a publication says.
///
/// MS-PRES 2.2.2.7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Nothing: it is deleted, or its answer only names it.
    Nothing,
    /// A `state`.
    State(StateCategory<'a>),
    /// A `device`.
    Device(DeviceCategory<'a>),
    /// `services`.
    Services(ServicesCategory<'a>),
    /// A `contactCard`.
    ContactCard(ContactCard<'a>),
    /// A `note`.
    Note(NoteCategory<'a>),
    /// A `routing`.
    Routing(RoutingCategory<'a>),
    /// An `mwi`.
    MessageWaiting(MessageWaiting),
    /// Another category, kept as it came.
    Other(OpaqueContent),
}

/// The content of a category that we do not interpret.
///
/// MS-PRES 2.2.2.7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpaqueContent {
    element: Element,
}

impl OpaqueContent {
    /// Reads an element from its text.
    ///
    /// MS-PRES 2.2.2.7
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        Element::parse(body, crate::error::Limits::DOCUMENT).map(|element| Self { element })
    }

    /// The namespace of its root.
    ///
    /// MS-PRES 2.2.2.7
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.element.namespace
    }

    /// The name of its root.
    ///
    /// MS-PRES 2.2.2.7
    #[must_use]
    pub fn name(&self) -> &str {
        &self.element.name
    }

    /// The element as text that can stand alone.
    ///
    /// MS-PRES 2.2.2.7
    #[must_use]
    pub fn text(&self) -> String {
        self.element.to_text()
    }
}

impl ExpireType {
    /// The word for it on the wire.
    ///
    /// MS-PRES 2.2.2.1 (expireType)
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Endpoint => "endpoint",
            Self::User => "user",
            Self::Static => "static",
            Self::Time => "time",
        }
    }

    fn of(token: Option<&str>) -> Option<Self> {
        match token.map(trim) {
            None | Some("endpoint") => Some(Self::Endpoint),
            Some("user") => Some(Self::User),
            Some("static") => Some(Self::Static),
            Some("time") => Some(Self::Time),
            Some(_) => None,
        }
    }
}

impl<'a> CategoryInstance<'a> {
    /// A new `state` of an endpoint.
    ///
    /// MS-PRES 2.2.2.1 (publication)
    #[must_use]
    pub fn state(instance: u32, container: u16, state: StateCategory<'a>) -> Self {
        Self::new("state", instance, container, Content::State(state))
    }

    /// A new category of an endpoint.
    ///
    /// MS-PRES 2.2.2.1 (publication)
    #[must_use]
    pub fn new(name: impl Into<Cow<'a, str>>, instance: u32, container: u16, content: Content<'a>) -> Self {
        Self {
            name: name.into(),
            instance,
            container,
            version: 0,
            expire_type: ExpireType::Endpoint,
            expires: None,
            publish_time: None,
            content,
        }
    }

    /// The same publication, deleted.
    ///
    /// MS-PRES 2.2.2.1 (expires)
    #[must_use]
    pub fn deleted(self) -> Self {
        Self { expires: Some(0), content: Content::Nothing, ..self }
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.1 (publication)
    #[must_use]
    pub fn into_owned(self) -> CategoryInstance<'static> {
        CategoryInstance {
            name: owned(self.name),
            instance: self.instance,
            container: self.container,
            version: self.version,
            expire_type: self.expire_type,
            expires: self.expires,
            publish_time: self.publish_time,
            content: self.content.into_owned(),
        }
    }

    /// What tells it from others: name, instance and container.
    ///
    /// MS-PRES 2.2.2.1 (publication)
    #[must_use]
    pub fn key(&self) -> (&str, u32, u16) {
        (&self.name, self.instance, self.container)
    }

    pub(super) fn write_attributes(&self, name_attribute: &str, out: &mut Writer<'_>) {
        out.attribute(name_attribute, &self.name).raw(" instance=\"").number(self.instance);
        if let Some(time) = self.publish_time {
            out.raw("\" publishTime=\"");
            time.write(out);
        }
        out.raw("\" container=\"").number(self.container);
        out.raw("\" version=\"").number(self.version);
        out.raw(match self.expire_type {
            ExpireType::Endpoint => "\" expireType=\"endpoint\"",
            ExpireType::User => "\" expireType=\"user\"",
            ExpireType::Static => "\" expireType=\"static\"",
            ExpireType::Time => "\" expireType=\"time\"",
        });
        if let Some(expires) = self.expires {
            out.raw(" expires=\"").number(expires).raw("\"");
        }
    }

    /// About how many octets it takes.
    pub(super) fn expected(&self) -> usize {
        160 + match &self.content {
            Content::Nothing => 0,
            Content::State(_) => StateCategory::EXPECTED,
            _ => DeviceCategory::EXPECTED,
        }
    }

    /// Reads the publication or category that the reader has entered.
    pub(super) fn read(reader: &mut Reader<'a>, name_attribute: &str) -> Result<Self, Error> {
        let expire_type = ExpireType::of(reader.attribute("expireType").as_deref());
        let container: u16 = number(reader, "container")?;
        if container > CONTAINER_MAX {
            return Err(reader.broken(Rule::AttributeValue));
        }
        let expires = match reader.attribute("expires") {
            None => None,
            Some(_) => Some(number(reader, "expires")?),
        };
        let publish_time = reader.attribute("publishTime").and_then(|text| DateTime::parse(&text));
        Ok(Self {
            name: reader.required(name_attribute)?,
            instance: instance(reader)?,
            container,
            version: number(reader, "version")?,
            expire_type: expire_type.ok_or_else(|| reader.broken(Rule::AttributeValue))?,
            expires,
            publish_time,
            content: Content::read(reader)?,
        })
    }
}

impl<'a> Content<'a> {
    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7
    #[must_use]
    pub fn into_owned(self) -> Content<'static> {
        match self {
            Self::Nothing => Content::Nothing,
            Self::State(state) => Content::State(state.into_owned()),
            Self::Device(device) => Content::Device(device.into_owned()),
            Self::Services(services) => Content::Services(services.into_owned()),
            Self::ContactCard(card) => Content::ContactCard(card.into_owned()),
            Self::Note(note) => Content::Note(note.into_owned()),
            Self::Routing(routing) => Content::Routing(routing.into_owned()),
            Self::MessageWaiting(waiting) => Content::MessageWaiting(waiting),
            Self::Other(other) => Content::Other(other),
        }
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        match self {
            Self::Nothing => {}
            Self::State(state) => state.write(out),
            Self::Device(device) => device.write(out),
            Self::Services(services) => services.write(out),
            Self::ContactCard(card) => card.write(out),
            Self::Note(note) => note.write(out),
            Self::Routing(routing) => routing.write(out),
            Self::MessageWaiting(waiting) => waiting.write(out),
            Self::Other(other) => other.element.write(NO_NAMESPACE, out),
        }
    }

    /// Reads what stands in a publication or category, to its end. Further elements are not looked at.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let Some(name) = reader.child()? else {
            return Ok(Self::Nothing);
        };
        let content = Self::read_element(reader, &name)?;
        while reader.child()?.is_some() {
            reader.skip()?;
        }
        Ok(content)
    }

    fn read_element(reader: &mut Reader<'a>, name: &Name<'_>) -> Result<Self, Error> {
        Ok(match (name.namespace, name.local) {
            _ if StateCategory::is(name) => Self::State(StateCategory::read(reader)?),
            _ if DeviceCategory::is(name) => {
                let device = DeviceCategory::read(reader)?;
                device.check(reader)?;
                Self::Device(device)
            }
            _ if ServicesCategory::is(name) => Self::Services(ServicesCategory::read(reader)?),
            (ContactCard::NAMESPACE, "contactCard") => Self::ContactCard(ContactCard::read(reader)?),
            (Namespace::Note, "note") => Self::Note(NoteCategory::read(reader)?),
            (Namespace::Routing, "routing") => Self::Routing(RoutingCategory::read(reader)?),
            (Namespace::MessageWaiting, "mwi") => Self::MessageWaiting(MessageWaiting::parse(reader)?),
            _ => Self::Other(OpaqueContent { element: Element::read(reader, name)? }),
        })
    }
}

/// The number of an instance. Some write it with eight hexadecimal digits, as it stands in an epid.
pub(super) fn instance(reader: &Reader<'_>) -> Result<u32, Error> {
    let text = reader.required("instance")?;
    let is_epid = text.len() == 8
        && text.bytes().all(|digit| digit.is_ascii_hexdigit())
        && !text.bytes().all(|digit| digit.is_ascii_digit());
    if is_epid {
        return u32::from_str_radix(&text, 16).map_err(|_| reader.broken(Rule::AttributeValue));
    }
    number(reader, "instance")
}

/// An unsigned number in an attribute; blanks around it are allowed, signs are not.
#[inline]
pub(super) fn number<T: TryFrom<u64>>(reader: &Reader<'_>, name: &str) -> Result<T, Error> {
    let text = reader.required(name)?;
    let read = natural(&text).and_then(|number| T::try_from(number).ok());
    read.ok_or_else(|| reader.broken(Rule::AttributeValue))
}

/// Something that no namespace is called: every element declares its own.
const NO_NAMESPACE: &str = "\0";
/// The greatest container number.
const CONTAINER_MAX: u16 = 32767;
