//! PIDF documents with the data model and its extensions: read, checked and written.
//!
//! Two readers in one: [`Reading::Strict`] holds a document against the schemas (for what is published to us, and for what we
//! write ourselves), [`Reading::Lenient`] takes what others send: order does not matter, a value that cannot be read counts
//! as missing, and what is not known is skipped. Well-formedness, the root and its entity, and the limits hold for both.

mod handset;
pub(crate) mod read;
mod tuple;
mod write;

use std::borrow::Cow;

use crate::data_model::{Device, Person};
use crate::date_time::DateTime;

pub use crate::cipid::CallerInformation;
pub use handset::HandsetDocument;
pub use tuple::{Basic, Contact, Priority, Status, Tuple};

/// How a document is read.
///
/// RFC 3863 4.4; docs/xml-limits.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Reading {
    /// As the schemas have it.
    #[default]
    Strict,
    /// As others write it.
    Lenient,
}

/// What a document says of a presentity.
///
/// RFC 3863 4.1.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Presence<'a> {
    /// The presentity, for example `sip:jim@example.net`.
    pub entity: Cow<'a, str>,
    /// Ways to reach it; without any nothing is known of it.
    pub tuples: Vec<Tuple<'a>>,
    /// Remarks on the presentity as a whole.
    pub notes: Vec<Note<'a>>,
    /// The human; there should be one at most.
    pub persons: Vec<Person<'a>>,
    /// Its devices.
    pub devices: Vec<Device<'a>>,
    /// Who it is.
    pub caller: Option<Box<CallerInformation<'a>>>,
}

/// A remark for people.
///
/// RFC 3863 4.1.6
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Note<'a> {
    /// Its language, as in `en`.
    pub language: Option<Cow<'a, str>>,
    /// The remark.
    pub text: Cow<'a, str>,
}

impl Presence<'_> {
    /// Whether anything is open; `None` when nothing is known.
    ///
    /// RFC 3863 4.1.4
    #[must_use]
    pub fn basic(&self) -> Option<Basic> {
        let known = self.tuples.iter().filter_map(|tuple| tuple.status.basic);
        known.min_by_key(|basic| *basic != Basic::Open)
    }

    /// The person that counts: of several the one with the newest timestamp.
    ///
    /// RFC 4479 3.1
    #[must_use]
    pub fn person(&self) -> Option<&Person<'_>> {
        let mut newest: Option<&Person<'_>> = None;
        for person in &self.persons {
            let later = match (newest.and_then(|newest| newest.timestamp), person.timestamp) {
                (Some(newest), Some(this)) => this.is_after(&newest),
                (None, Some(_)) => true,
                (_, None) => newest.is_none(),
            };
            if later {
                newest = Some(person);
            }
        }
        newest
    }

    /// When the newest tuple was made.
    ///
    /// RFC 3863 4.1.7
    #[must_use]
    pub fn timestamp(&self) -> Option<DateTime> {
        let stamps = self.tuples.iter().filter_map(|tuple| tuple.timestamp);
        stamps.reduce(|newest, stamp| if stamp.is_after(&newest) { stamp } else { newest })
    }

    /// The same, independent of the octets it was read from.
    ///
    /// RFC 3863 4.1.1
    #[must_use]
    pub fn into_owned(self) -> Presence<'static> {
        Presence {
            entity: owned(self.entity),
            tuples: self.tuples.into_iter().map(Tuple::into_owned).collect(),
            notes: self.notes.into_iter().map(Note::into_owned).collect(),
            persons: self.persons.into_iter().map(Person::into_owned).collect(),
            devices: self.devices.into_iter().map(Device::into_owned).collect(),
            caller: self.caller.map(|caller| Box::new(caller.into_owned())),
        }
    }
}

impl Note<'_> {
    pub(crate) fn into_owned(self) -> Note<'static> {
        Note { language: self.language.map(owned), text: owned(self.text) }
    }
}

pub(crate) fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

/// Content type of the document.
///
/// RFC 3863 7
pub const CONTENT_TYPE: &str = "application/pidf+xml";
