//! The human and the devices of a presentity.

use std::borrow::Cow;

use crate::capabilities::DeviceCapabilities;
use crate::cipid::CallerInformation;
use crate::date_time::DateTime;
use crate::error::{Error, Rule};
use crate::pidf::read::{Pidf, trimmed};
use crate::pidf::{Note, owned};
use crate::rpid::{Activities, UserInput};
use crate::xml::{Namespace, Writer};

/// The human of a presentity.
///
/// RFC 4479 3.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Person<'a> {
    /// Its name within the document.
    pub id: Cow<'a, str>,
    /// What it does.
    pub activities: Vec<Activities<'a>>,
    /// Whether it uses anything.
    pub user_input: Option<UserInput<'a>>,
    /// Who it is.
    pub caller: Option<Box<CallerInformation<'a>>>,
    /// Remarks.
    pub notes: Vec<Note<'a>>,
    /// When this was found out.
    pub timestamp: Option<DateTime>,
}

/// A device of a presentity.
///
/// RFC 4479 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Device<'a> {
    /// Its name within the document.
    pub id: Cow<'a, str>,
    /// Whether it is used.
    pub user_input: Option<UserInput<'a>>,
    /// What it can do.
    pub capabilities: Option<Box<DeviceCapabilities<'a>>>,
    /// Its name in the world, as in `urn:uuid:…`.
    #[expect(clippy::struct_field_names, reason = "the standard's word")]
    pub device_id: Cow<'a, str>,
    /// Remarks.
    pub notes: Vec<Note<'a>>,
    /// When this was found out.
    pub timestamp: Option<DateTime>,
}

impl<'a> Pidf<'a> {
    /// `None` when something in it must be understood and is not.
    pub(crate) fn person(&mut self) -> Result<Option<Person<'a>>, Error> {
        let mut person = Person { id: self.part_identifier()?, ..Person::default() };
        let mut understood = true;
        let mut rank = 0;
        while let Some(child) = self.reader.child()? {
            match (child.namespace, child.local) {
                (Namespace::DataModel, "note") => {
                    self.ranked(&mut rank, 1)?;
                    self.note_to(&mut person.notes)?;
                }
                (Namespace::DataModel, "timestamp") => {
                    self.ranked(&mut rank, 2)?;
                    self.timestamp(&mut person.timestamp)?;
                }
                (Namespace::DataModel | Namespace::None, _) => self.stranger()?,
                (Namespace::Rpid, "activities") => {
                    self.ranked(&mut rank, 0)?;
                    if let Some(activities) = self.activities()? {
                        person.activities.push(activities);
                    }
                }
                (Namespace::Rpid, "user-input") => {
                    self.ranked(&mut rank, 0)?;
                    self.user_input(&mut person.user_input)?;
                }
                (Namespace::Cipid, _) => {
                    self.ranked(&mut rank, 0)?;
                    self.caller(&child, &mut person.caller)?;
                }
                _ => {
                    self.ranked(&mut rank, 0)?;
                    understood &= child.namespace != Namespace::Other || !self.must_be_understood();
                    self.extension(&child)?;
                }
            }
        }
        Ok(understood.then_some(person))
    }

    /// `None` when something in it must be understood and is not.
    pub(crate) fn device(&mut self) -> Result<Option<Device<'a>>, Error> {
        let mut device = Device { id: self.part_identifier()?, ..Device::default() };
        let mut understood = true;
        let mut named = false;
        let mut rank = 0;
        while let Some(child) = self.reader.child()? {
            match (child.namespace, child.local) {
                (Namespace::DataModel, "deviceID") => {
                    self.ranked(&mut rank, 1)?;
                    if named {
                        self.refuse(Rule::Order)?;
                    }
                    named = true;
                    device.device_id = trimmed(self.reader.text()?);
                }
                (Namespace::DataModel, "note") => {
                    self.ranked(&mut rank, 2)?;
                    self.note_to(&mut device.notes)?;
                }
                (Namespace::DataModel, "timestamp") => {
                    self.ranked(&mut rank, 3)?;
                    self.timestamp(&mut device.timestamp)?;
                }
                (Namespace::DataModel | Namespace::None, _) => self.stranger()?,
                (Namespace::Rpid, "user-input") => {
                    self.ranked(&mut rank, 0)?;
                    self.user_input(&mut device.user_input)?;
                }
                (Namespace::Capabilities, "devcaps") => {
                    self.ranked(&mut rank, 0)?;
                    if let Some(capabilities) = self.device_capabilities()? {
                        device.capabilities = Some(Box::new(capabilities));
                    }
                }
                _ => {
                    self.ranked(&mut rank, 0)?;
                    understood &= child.namespace != Namespace::Other || !self.must_be_understood();
                    self.extension(&child)?;
                }
            }
            if rank > 1 && !named {
                self.refuse(Rule::ElementMissing)?;
            }
        }
        if !named {
            self.refuse(Rule::ElementMissing)?;
        }
        Ok(understood.then_some(device))
    }

    fn part_identifier(&mut self) -> Result<Cow<'a, str>, Error> {
        let id = self.identifier()?;
        if id.is_none() {
            self.refuse(Rule::AttributeMissing)?;
        }
        Ok(id.unwrap_or_default())
    }
}

impl Person<'_> {
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.attribute("<dm:person id=\"", &self.id).raw(">");
        for activities in &self.activities {
            activities.write(out);
        }
        if let Some(user_input) = &self.user_input {
            user_input.write(out);
        }
        if let Some(caller) = &self.caller {
            caller.write(out);
        }
        write_end(&self.notes, self.timestamp, out);
        out.raw("</dm:person>");
    }

    pub(crate) fn into_owned(self) -> Person<'static> {
        Person {
            id: owned(self.id),
            activities: self.activities.into_iter().map(Activities::into_owned).collect(),
            user_input: self.user_input.map(UserInput::into_owned),
            caller: self.caller.map(|caller| Box::new(caller.into_owned())),
            notes: self.notes.into_iter().map(Note::into_owned).collect(),
            timestamp: self.timestamp,
        }
    }
}

impl Device<'_> {
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.attribute("<dm:device id=\"", &self.id).raw(">");
        if let Some(user_input) = &self.user_input {
            user_input.write(out);
        }
        if let Some(capabilities) = &self.capabilities {
            capabilities.write(out);
        }
        out.element("<dm:deviceID>", &self.device_id, "</dm:deviceID>");
        write_end(&self.notes, self.timestamp, out);
        out.raw("</dm:device>");
    }

    pub(crate) fn into_owned(self) -> Device<'static> {
        Device {
            id: owned(self.id),
            user_input: self.user_input.map(UserInput::into_owned),
            capabilities: self.capabilities.map(|capabilities| Box::new(capabilities.into_owned())),
            device_id: owned(self.device_id),
            notes: self.notes.into_iter().map(Note::into_owned).collect(),
            timestamp: self.timestamp,
        }
    }
}

fn write_end(notes: &[Note<'_>], timestamp: Option<DateTime>, out: &mut Writer<'_>) {
    for note in notes {
        out.raw("<dm:note").optional(" xml:lang=\"", note.language.as_deref());
        out.element(">", &note.text, "</dm:note>");
    }
    if let Some(timestamp) = timestamp {
        out.raw("<dm:timestamp>");
        timestamp.write(out);
        out.raw("</dm:timestamp>");
    }
}
