//! From octets to a [`Presence`], in one pass.

use std::borrow::Cow;

use crate::cipid::CallerInformation;
use crate::date_time::DateTime;
use crate::error::{Error, Limits, Rule};
use crate::pidf::{Basic, Contact, Note, Presence, Priority, Reading, Status, Tuple};
use crate::xml::{BLANKS, Name, Namespace, Reader, is_name};

/// A document that is being read.
#[derive(Debug)]
pub(crate) struct Pidf<'a> {
    pub(crate) reader: Reader<'a>,
    reading: Reading,
    /// The identifiers so far; only the strict reader keeps them.
    identifiers: Vec<Cow<'a, str>>,
}

impl<'a> Presence<'a> {
    /// Reads a document.
    ///
    /// RFC 3863 4; RFC 4479 5; RFC 4480 5; RFC 4482 4; RFC 5196 5
    pub fn parse(body: &'a [u8], reading: Reading) -> Result<Self, Error> {
        Self::parse_within(body, reading, Limits::DOCUMENT)
    }

    /// Reads a document within other limits.
    ///
    /// RFC 3863 4; docs/xml-limits.md
    pub fn parse_within(body: &'a [u8], reading: Reading, limits: Limits) -> Result<Self, Error> {
        let mut pidf = Pidf::new(body, reading, limits)?;
        let root = pidf.reader.root()?;
        if !root.is(Namespace::Pidf, "presence") {
            return Err(pidf.reader.broken(Rule::Root));
        }
        let presence = pidf.presence()?;
        pidf.finish()?;
        Ok(presence)
    }
}

impl<'a> Pidf<'a> {
    #[inline]
    pub(crate) fn new(body: &'a [u8], reading: Reading, limits: Limits) -> Result<Self, Error> {
        Ok(Self { reader: Reader::new(body, limits)?, reading, identifiers: Vec::with_capacity(8) })
    }

    /// The content of a root, whatever its name.
    pub(crate) fn presence(&mut self) -> Result<Presence<'a>, Error> {
        let entity = trimmed(self.reader.required("entity")?);
        if entity.is_empty() {
            return Err(self.reader.broken(Rule::AttributeValue));
        }
        let mut presence = Presence { entity, ..Presence::default() };
        let mut rank = 0;
        while let Some(child) = self.reader.child()? {
            match child.namespace {
                Namespace::Pidf if child.local == "tuple" => {
                    self.ranked(&mut rank, 0)?;
                    if presence.tuples.is_empty() {
                        presence.tuples.reserve(4);
                    }
                    presence.tuples.push(Tuple::default());
                    if let Some(tuple) = presence.tuples.last_mut() {
                        self.tuple(tuple)?;
                    }
                }
                Namespace::Pidf if child.local == "note" => {
                    self.ranked(&mut rank, 1)?;
                    self.note_to(&mut presence.notes)?;
                }
                Namespace::Pidf | Namespace::None => self.stranger()?,
                Namespace::DataModel if child.local == "person" => {
                    self.ranked(&mut rank, 2)?;
                    if let Some(person) = self.person()? {
                        presence.persons.push(person);
                    }
                }
                Namespace::DataModel if child.local == "device" => {
                    self.ranked(&mut rank, 2)?;
                    if let Some(device) = self.device()? {
                        presence.devices.push(device);
                    }
                }
                Namespace::Cipid => {
                    self.ranked(&mut rank, 2)?;
                    self.caller(&child, &mut presence.caller)?;
                }
                _ => {
                    self.ranked(&mut rank, 2)?;
                    self.reader.skip()?;
                }
            }
        }
        Ok(presence)
    }

    fn tuple(&mut self, tuple: &mut Tuple<'a>) -> Result<(), Error> {
        tuple.id = self.identifier()?.ok_or_else(|| self.reader.broken(Rule::AttributeMissing))?;
        let mut rank = 0;
        let mut known = false;
        while let Some(child) = self.reader.child()? {
            match (child.namespace, child.local) {
                (Namespace::Pidf, "status") => {
                    self.ranked(&mut rank, 0)?;
                    if known {
                        self.refuse(Rule::Order)?;
                    }
                    known = true;
                    self.status(&mut tuple.status)?;
                }
                (Namespace::Pidf, "contact") => {
                    self.ranked(&mut rank, 2)?;
                    if tuple.contact.is_some() {
                        self.refuse(Rule::Order)?;
                    }
                    self.contact(&mut tuple.contact)?;
                }
                (Namespace::Pidf, "note") => {
                    self.ranked(&mut rank, 3)?;
                    self.note_to(&mut tuple.notes)?;
                }
                (Namespace::Pidf, "timestamp") => {
                    self.ranked(&mut rank, 4)?;
                    self.timestamp(&mut tuple.timestamp)?;
                }
                (Namespace::Pidf | Namespace::None, _) => self.stranger()?,
                (Namespace::DataModel, "deviceID") => {
                    self.ranked(&mut rank, 1)?;
                    tuple.device_id = Some(trimmed(self.reader.text()?));
                }
                (Namespace::Rpid, "user-input") => {
                    self.ranked(&mut rank, 1)?;
                    self.user_input(&mut tuple.user_input)?;
                }
                (Namespace::Capabilities, "servcaps") => {
                    self.ranked(&mut rank, 1)?;
                    if let Some(capabilities) = self.service_capabilities()? {
                        tuple.capabilities = Some(Box::new(capabilities));
                    }
                }
                (Namespace::Cipid, _) => {
                    self.ranked(&mut rank, 1)?;
                    self.caller(&child, &mut tuple.caller)?;
                }
                _ => {
                    self.ranked(&mut rank, 1)?;
                    self.extension(&child)?;
                }
            }
            if !known {
                self.refuse(Rule::Order)?;
            }
        }
        if !known {
            self.refuse(Rule::ElementMissing)?;
        }
        Ok(())
    }

    fn status(&mut self, status: &mut Status<'a>) -> Result<(), Error> {
        let mut rank = 0;
        let mut known = false;
        while let Some(child) = self.reader.child()? {
            match (child.namespace, child.local) {
                (Namespace::Pidf, "basic") => {
                    self.ranked(&mut rank, 0)?;
                    if known {
                        self.refuse(Rule::Order)?;
                    }
                    known = true;
                    let text = self.reader.text()?;
                    let word = match self.reading {
                        Reading::Strict => &*text,
                        Reading::Lenient => text.trim_matches(BLANKS),
                    };
                    status.basic = Basic::of(word);
                    if status.basic.is_none() {
                        self.refuse(Rule::ElementValue)?;
                    }
                }
                (Namespace::Pidf | Namespace::None, _) => self.stranger()?,
                (Namespace::OldRpid, "activities") => {
                    self.ranked(&mut rank, 1)?;
                    while let Some(child) = self.reader.child()? {
                        if child.is(Namespace::OldRpid, "activity") {
                            status.old_activities.push(trimmed(self.reader.text()?));
                        } else {
                            self.reader.skip()?;
                        }
                    }
                }
                _ => {
                    self.ranked(&mut rank, 1)?;
                    self.extension(&child)?;
                }
            }
        }
        Ok(())
    }

    fn contact(&mut self, contact: &mut Option<Contact<'a>>) -> Result<(), Error> {
        let priority = self.reader.attribute("priority");
        let read = priority.as_deref().and_then(|priority| match self.reading {
            Reading::Strict => Priority::parse(priority),
            Reading::Lenient => Priority::parse(priority.trim_matches(BLANKS)),
        });
        if priority.is_some() && read.is_none() {
            self.refuse(Rule::AttributeValue)?;
        }
        *contact = Some(Contact { uri: trimmed(self.reader.text()?), priority: read });
        Ok(())
    }

    pub(crate) fn note(&mut self) -> Result<Note<'a>, Error> {
        let language = self.reader.attribute_of(Namespace::Xml, "lang");
        Ok(Note { language, text: self.reader.text()? })
    }

    /// Reads a note to the others; mostly it is the only one.
    pub(crate) fn note_to(&mut self, notes: &mut Vec<Note<'a>>) -> Result<(), Error> {
        let language = self.reader.attribute_of(Namespace::Xml, "lang");
        let text = self.reader.text()?;
        if notes.capacity() == 0 {
            *notes = Vec::with_capacity(1);
        }
        notes.push(Note { language, text });
        Ok(())
    }

    /// At most one, and a date.
    pub(crate) fn timestamp(&mut self, timestamp: &mut Option<DateTime>) -> Result<(), Error> {
        if timestamp.is_some() {
            self.refuse(Rule::Order)?;
        }
        let read = DateTime::parse(&self.reader.text()?);
        if read.is_none() {
            self.refuse(Rule::ElementValue)?;
        }
        if read.is_some() {
            *timestamp = read;
        }
        Ok(())
    }

    pub(crate) fn caller(
        &mut self,
        child: &Name<'a>,
        caller: &mut Option<Box<CallerInformation<'a>>>,
    ) -> Result<(), Error> {
        if !CallerInformation::knows(child.local) {
            return self.stranger();
        }
        let text = self.reader.text()?;
        caller.get_or_insert_default().note(child.local, text);
        Ok(())
    }

    /// A known extension in a place where it says nothing to us, or an unknown one.
    pub(crate) fn extension(&mut self, child: &Name<'a>) -> Result<(), Error> {
        if child.namespace == Namespace::Rpid && !crate::rpid::is_element(child.local) {
            self.refuse(Rule::Order)?;
        }
        self.reader.skip()
    }

    /// An element that the schema does not have there.
    pub(crate) fn stranger(&mut self) -> Result<(), Error> {
        self.refuse(Rule::Order)?;
        self.reader.skip()
    }

    /// An error for the strict reader, nothing for the other.
    pub(crate) fn refuse(&self, rule: Rule) -> Result<(), Error> {
        match self.reading {
            Reading::Strict => Err(self.reader.broken(rule)),
            Reading::Lenient => Ok(()),
        }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.reading == Reading::Strict
    }

    /// The order of a sequence: ranks never fall.
    pub(crate) fn ranked(&self, highest: &mut u8, rank: u8) -> Result<(), Error> {
        if rank < *highest {
            return self.refuse(Rule::Order);
        }
        *highest = rank;
        Ok(())
    }

    /// Whether the element entered last may not be passed over.
    pub(crate) fn must_be_understood(&self) -> bool {
        let attribute = self.reader.attribute_of(Namespace::Pidf, "mustUnderstand");
        matches!(attribute.as_deref().map(|value| value.trim_matches(BLANKS)), Some("1" | "true"))
    }

    /// The `id` of the element entered last; the strict reader keeps it.
    #[inline]
    pub(crate) fn identifier(&mut self) -> Result<Option<Cow<'a, str>>, Error> {
        match self.reader.attribute("id") {
            None => Ok(None),
            Some(id) => {
                let id = trimmed(id);
                if self.reading == Reading::Strict {
                    self.keep_identifier(id.clone())?;
                }
                Ok(Some(id))
            }
        }
    }

    #[inline(never)]
    fn keep_identifier(&mut self, id: Cow<'a, str>) -> Result<(), Error> {
        if !is_name(&id) {
            return Err(self.reader.broken(Rule::Identifier));
        }
        self.identifiers.push(id);
        Ok(())
    }

    /// Checks what follows the root, and that identifiers are unique.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.identifiers.sort_unstable();
        if self.identifiers.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(self.reader.broken(Rule::Identifier));
        }
        self.reader.finish()
    }
}

/// Without the blanks around it.
#[inline]
pub(crate) fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    let blank = |end: Option<&u8>| end.is_some_and(|end| *end <= b' ');
    if blank(text.as_bytes().first()) || blank(text.as_bytes().last()) { trim(text) } else { text }
}

#[cold]
fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(BLANKS)),
        Cow::Owned(text) => {
            let inside = text.trim_matches(BLANKS);
            Cow::Owned(if inside.len() == text.len() { text } else { inside.to_owned() })
        }
    }
}
