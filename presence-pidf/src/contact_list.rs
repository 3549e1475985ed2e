//! A user's contact list, as clients of a Lync server share it.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::error::{Error, Limits, Rule};
use crate::xml::{BLANKS, Reader, Writer};

/// A contact list.
///
/// MS-SIP 2.2.2.5 (contactList)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ContactList {
    /// Counts its changes.
    pub number: u32,
    /// The groups: number and name. `~` is the one for those without a group.
    pub groups: Vec<(u32, String)>,
    /// The contacts.
    pub contacts: Vec<Contact>,
}

/// Somebody on the list.
///
/// MS-SIP 2.2.2.5 (contact)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Contact {
    /// The address, without `sip:`.
    pub address: String,
    /// A name, if the user gave one.
    pub name: String,
    /// The numbers of its groups.
    pub groups: Vec<u32>,
    /// Whether the user watches it.
    pub subscribed: bool,
}

impl ContactList {
    /// Appends the body.
    ///
    /// MS-SIP 2.2.2.5 (contactList)
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 128 + 128 * self.contacts.len());
        out.raw("<contactList deltaNum=\"").number(self.number).raw("\">");
        for (id, name) in &self.groups {
            out.raw("<group id=\"").number(*id).attribute("\" name=\"", name).raw(" externalURI=\"\"/>");
        }
        for contact in &self.contacts {
            out.attribute("<contact uri=\"", &contact.address).attribute(" name=\"", &contact.name);
            out.raw(" groups=\"");
            for (place, group) in contact.groups.iter().enumerate() {
                out.raw(if place == 0 { "" } else { " " }).number(*group);
            }
            out.raw("\" subscribed=\"").boolean(contact.subscribed).raw("\" externalURI=\"\"/>");
        }
        out.raw("</contactList>");
    }

    /// Reads the body; lists that cannot be understood have no members.
    ///
    /// MS-SIP 2.2.2.5 (contactList)
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::ROAMING_SELF)?;
        if reader.root()?.local != "contactList" {
            return Err(reader.broken(Rule::Root));
        }
        let number =
            |text: Option<Cow<'_, str>>| text.and_then(|text| text.trim_matches(BLANKS).parse().ok());
        let mut list = Self { number: number(reader.attribute("deltaNum")).unwrap_or(0), ..Self::default() };
        while let Some(child) = reader.child()? {
            let text = |name| reader.attribute(name).map(Cow::into_owned).unwrap_or_default();
            match child.local {
                "group" => list.groups.push((number(reader.attribute("id")).unwrap_or(0), text("name"))),
                "contact" => list.contacts.push(Contact {
                    address: reader.required("uri")?.trim_matches(BLANKS).to_owned(),
                    name: text("name"),
                    groups: text("groups")
                        .split_ascii_whitespace()
                        .filter_map(|id| id.parse().ok())
                        .collect(),
                    subscribed: crate::category::truth(&reader, "subscribed"),
                }),
                _ => {}
            }
            reader.skip()?;
        }
        reader.finish()?;
        Ok(list)
    }
}

/// Content type of a contact list.
///
/// MS-SIP 2.2.2.5 (contactList)
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-contacts+xml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let contact = |address: &str| Contact {
            address: address.to_owned(),
            name: "a <b> & \"c\"".to_owned(),
            groups: vec![1, 7],
            subscribed: true,
        };
        let list = ContactList {
            number: 3,
            groups: vec![(1, "~".to_owned()), (7, "R&D".to_owned())],
            contacts: vec![contact("ann@example.net"), contact("x'y@example.net")],
        };
        let mut out = BytesMut::new();
        list.emit(&mut out);
        assert_eq!(ContactList::parse(&out), Ok(list));
        assert!(ContactList::parse(b"<contacts/>").is_err());
        assert!(ContactList::parse(b"<contactList><contact/></contactList>").is_err());
    }
}
