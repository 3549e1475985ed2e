//! The `routing` category: what a server does with calls to a user.

use std::borrow::Cow;

use crate::error::Error;
use crate::pidf::owned;
use crate::xml::{Reader, Writer};

/// What a server does with calls to a user, as far as a telephone wants to know: flags, waits and lists of targets.
///
/// MS-PRES 2.2.2.7 (routing); the script itself is not interpreted
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct RoutingCategory<'a> {
    /// The name of the script, usually `rtcdefault`.
    pub name: Option<Cow<'a, str>>,
    /// Its version.
    pub version: Option<Cow<'a, str>>,
    /// Named flags with their words, for example `clientflags` with `block`.
    pub flags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Named waits in seconds, for example `user`.
    pub waits: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// Named lists of targets, for example `forwardto`.
    pub lists: Vec<(Cow<'a, str>, Vec<Cow<'a, str>>)>,
}

impl<'a> RoutingCategory<'a> {
    /// The block that new users get: nobody is routed anywhere.
    ///
    /// MS-PRES 2.2.2.7 (routing)
    #[must_use]
    pub fn blocked() -> Self {
        Self {
            name: Some("rtcdefault".into()),
            version: Some("1".into()),
            flags: vec![("clientflags".into(), "block".into())],
            ..Self::default()
        }
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7 (routing)
    #[must_use]
    pub fn into_owned(self) -> RoutingCategory<'static> {
        let both = |(name, value)| (owned(name), owned(value));
        let list = |(name, targets): (_, Vec<_>)| (owned(name), targets.into_iter().map(owned).collect());
        RoutingCategory {
            name: self.name.map(owned),
            version: self.version.map(owned),
            flags: self.flags.into_iter().map(both).collect(),
            waits: self.waits.into_iter().map(both).collect(),
            lists: self.lists.into_iter().map(list).collect(),
        }
    }

    /// Whether a flag has that word.
    ///
    /// MS-PRES 2.2.2.7 (routing)
    #[must_use]
    pub fn has_flag(&self, name: &str, word: &str) -> bool {
        self.flags.iter().any(|(flag, words)| flag == name && words.split_whitespace().any(|it| it == word))
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<routing xmlns=\"http://schemas.microsoft.com/02/2006/sip/routing\"");
        out.optional(" name=\"", self.name.as_deref()).optional(" version=\"", self.version.as_deref());
        out.raw("><preamble>");
        for (name, words) in &self.flags {
            out.attribute("<flags name=\"", name).attribute(" value=\"", words).raw("/>");
        }
        for (name, seconds) in &self.waits {
            out.attribute("<wait name=\"", name).attribute(" seconds=\"", seconds).raw("/>");
        }
        for (name, targets) in &self.lists {
            out.attribute("<list name=\"", name).raw(">");
            for target in targets {
                out.attribute("<target uri=\"", target).raw("/>");
            }
            out.raw("</list>");
        }
        out.raw("</preamble></routing>");
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let text = |reader: &Reader<'a>, name| reader.attribute(name);
        let mut routing =
            Self { name: text(reader, "name"), version: text(reader, "version"), ..Self::default() };
        while let Some(child) = reader.child()? {
            if child.local != "preamble" {
                reader.skip()?;
                continue;
            }
            while let Some(child) = reader.child()? {
                let name = text(reader, "name").unwrap_or_default();
                match child.local {
                    "flags" => routing.flags.push((name, text(reader, "value").unwrap_or_default())),
                    "wait" => routing.waits.push((name, text(reader, "seconds").unwrap_or_default())),
                    "list" => {
                        let mut targets = Vec::new();
                        while let Some(child) = reader.child()? {
                            if child.local == "target" {
                                targets.extend(text(reader, "uri"));
                            }
                            reader.skip()?;
                        }
                        routing.lists.push((name, targets));
                        continue;
                    }
                    _ => {}
                }
                reader.skip()?;
            }
        }
        Ok(routing)
    }
}
