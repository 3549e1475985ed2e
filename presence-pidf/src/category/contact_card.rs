//! Categories for people: the `contactCard` and the `note`.

use std::borrow::Cow;

use crate::category::device::truth;
use crate::date_time::DateTime;
use crate::error::Error;
use crate::pidf::owned;
use crate::xml::{BLANKS, Namespace, Reader, Writer};

/// A business card. Empty ones are published as well: they hide what other containers show.
///
/// MS-PRES 2.2.2.7 (contactCard)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct ContactCard<'a> {
    /// The name to be shown.
    pub display_name: Option<Cow<'a, str>>,
    /// The address of mail.
    pub email: Option<Cow<'a, str>>,
    /// The job.
    pub title: Option<Cow<'a, str>>,
    /// The company.
    pub company: Option<Cow<'a, str>>,
    /// The room.
    pub office: Option<Cow<'a, str>>,
    /// Telephones.
    pub phones: Vec<Phone<'a>>,
    /// Whether a machine answers: its presence never changes, and nobody needs to watch it.
    pub automaton: Option<bool>,
}

/// A telephone on a card.
///
/// MS-PRES 2.2.2.7 (contactCard)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Phone<'a> {
    /// `work`, `mobile`, `home` or another.
    pub kind: Cow<'a, str>,
    /// Where it is reached, as in `tel:+492841`.
    pub uri: Option<Cow<'a, str>>,
    /// As people write it.
    pub display: Option<Cow<'a, str>>,
}

/// Remarks of a user.
///
/// MS-PRES 2.2.2.7 (note)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct NoteCategory<'a> {
    /// The remarks.
    pub bodies: Vec<NoteBody<'a>>,
}

/// A remark of a user.
///
/// MS-PRES 2.2.2.7 (note)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct NoteBody<'a> {
    /// `personal` or `OOF`.
    pub kind: Cow<'a, str>,
    /// Where it was taken from.
    pub uri: Option<Cow<'a, str>>,
    /// Since when.
    pub start_time: Option<DateTime>,
    /// Until when.
    pub end_time: Option<DateTime>,
    /// The remark.
    pub text: Cow<'a, str>,
}

impl<'a> ContactCard<'a> {
    pub(super) fn write(&self, out: &mut Writer<'_>) {
        let Self { display_name, email, title, company, office, phones, automaton } = self;
        out.raw("<contactCard xmlns=\"http://schemas.microsoft.com/2006/09/sip/contactcard\">");
        if display_name.is_some() || email.is_some() {
            out.raw("<identity>");
            if let Some(name) = display_name {
                out.element("<name><displayName>", name, "</displayName></name>");
            }
            if let Some(email) = email {
                out.element("<email>", email, "</email>");
            }
            out.raw("</identity>");
        }
        for (open, text, close) in [
            ("<title>", title, "</title>"),
            ("<company>", company, "</company>"),
            ("<office>", office, "</office>"),
        ] {
            if let Some(text) = text {
                out.element(open, text, close);
            }
        }
        for phone in phones {
            out.attribute("<phone type=\"", &phone.kind).raw(">");
            if let Some(uri) = &phone.uri {
                out.element("<uri>", uri, "</uri>");
            }
            if let Some(display) = &phone.display {
                out.element("<displayString>", display, "</displayString>");
            }
            out.raw("</phone>");
        }
        if let Some(automaton) = automaton {
            out.raw("<automaton>").boolean(*automaton).raw("</automaton>");
        }
        out.raw("</contactCard>");
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut card = Self::default();
        while let Some(child) = reader.child()? {
            match child.local {
                "identity" => card.read_identity(reader)?,
                "title" => card.title = Some(reader.text()?),
                "company" => card.company = Some(reader.text()?),
                "office" => card.office = Some(reader.text()?),
                "phone" => card.phones.push(Phone::read(reader)?),
                "automaton" => {
                    card.automaton = match reader.text()?.trim_matches(BLANKS) {
                        "true" | "1" => Some(true),
                        "false" | "0" => Some(false),
                        _ => None,
                    };
                }
                _ => reader.skip()?,
            }
        }
        Ok(card)
    }

    fn read_identity(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        while let Some(child) = reader.child()? {
            match child.local {
                "name" => {
                    while let Some(child) = reader.child()? {
                        match child.local {
                            "displayName" => self.display_name = Some(reader.text()?),
                            _ => reader.skip()?,
                        }
                    }
                }
                "email" => self.email = Some(reader.text()?),
                _ => reader.skip()?,
            }
        }
        Ok(())
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7 (contactCard)
    #[must_use]
    pub fn into_owned(self) -> ContactCard<'static> {
        ContactCard {
            display_name: self.display_name.map(owned),
            email: self.email.map(owned),
            title: self.title.map(owned),
            company: self.company.map(owned),
            office: self.office.map(owned),
            phones: self.phones.into_iter().map(Phone::into_owned).collect(),
            automaton: self.automaton,
        }
    }

    pub(super) const NAMESPACE: Namespace = Namespace::ContactCard;
}

impl<'a> Phone<'a> {
    fn into_owned(self) -> Phone<'static> {
        Phone { kind: owned(self.kind), uri: self.uri.map(owned), display: self.display.map(owned) }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let kind = reader.attribute("type").unwrap_or_default();
        let mut phone = Self { kind, ..Self::default() };
        while let Some(child) = reader.child()? {
            match child.local {
                "uri" => phone.uri = Some(reader.text()?),
                "displayString" => phone.display = Some(reader.text()?),
                _ => reader.skip()?,
            }
        }
        Ok(phone)
    }
}

impl<'a> NoteCategory<'a> {
    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.7 (note)
    #[must_use]
    pub fn into_owned(self) -> NoteCategory<'static> {
        let body = |NoteBody { kind, uri, start_time, end_time, text }: NoteBody<'_>| NoteBody {
            kind: owned(kind),
            uri: uri.map(owned),
            start_time,
            end_time,
            text: owned(text),
        };
        NoteCategory { bodies: self.bodies.into_iter().map(body).collect() }
    }

    pub(super) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<note xmlns=\"http://schemas.microsoft.com/2006/09/sip/note\">");
        for body in &self.bodies {
            out.attribute("<body type=\"", &body.kind).optional(" uri=\"", body.uri.as_deref());
            for (name, date) in [(" startTime=\"", &body.start_time), (" endTime=\"", &body.end_time)] {
                if let Some(date) = date {
                    out.raw(name);
                    date.write(out);
                    out.raw("\"");
                }
            }
            out.element(">", &body.text, "</body>");
        }
        out.raw("</note>");
    }

    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut note = Self::default();
        while let Some(child) = reader.child()? {
            if child.local != "body" {
                reader.skip()?;
                continue;
            }
            let date = |name| reader.attribute(name).and_then(|text| DateTime::parse(&text));
            note.bodies.push(NoteBody {
                kind: reader.attribute("type").unwrap_or_default(),
                uri: reader.attribute("uri"),
                start_time: date("startTime"),
                end_time: date("endTime"),
                text: reader.text()?,
            });
        }
        Ok(note)
    }
}

/// How many messages wait for the user.
///
/// MS-PRES 2.2.2.7 (mwi), observed with Exchange unified messaging
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct MessageWaiting {
    /// Whether the lamp is lit.
    pub waiting: bool,
    /// New voice messages.
    pub unread: u32,
    /// Old voice messages.
    pub read: u32,
}

impl MessageWaiting {
    /// How many new messages a handset shows: at least one while the lamp is lit.
    ///
    /// MS-PRES 2.2.2.7 (mwi)
    #[must_use]
    pub fn shown(self) -> u32 {
        if self.waiting { self.unread.max(1) } else { 0 }
    }

    pub(super) fn write(self, out: &mut Writer<'_>) {
        out.raw("<mwi xmlns=\"http://schemas.microsoft.com/2006/09/sip/mwi\" messageWaiting=\"");
        out.boolean(self.waiting).raw("\" unreadVoiceMailCount=\"").number(self.unread);
        out.raw("\" readVoiceMailCount=\"").number(self.read).raw("\"/>");
    }

    /// Counts that cannot be understood are none.
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let count = |name| {
            let text = reader.attribute(name);
            text.and_then(|text| super::state_category::unsigned(&text)).unwrap_or(0)
        };
        let waiting = Self {
            waiting: truth(reader, "messageWaiting"),
            unread: count("unreadVoiceMailCount"),
            read: count("readVoiceMailCount"),
        };
        reader.skip()?;
        Ok(waiting)
    }
}
