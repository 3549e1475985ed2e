//! What becomes of a request: it is accepted with a report, or refused with a status.

use bytes::BytesMut;

use crate::category::{CategoryInstance, CategoryReport, FAULT_CONTENT_TYPE, Fault};
use crate::error::Error;

/// A publication that was taken.
///
/// MS-PRES 3.3.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Accepted {
    /// What was published, with the versions that are held now; what is gone expires at 0 and has version 0.
    pub changed: Vec<CategoryInstance<'static>>,
    /// All that is held now of every name that was published: the body of the answer.
    pub report: CategoryReport<'static>,
}

/// Why a request is not taken.
///
/// MS-PRES 3.3.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The body cannot be read.
    Malformed(Error),
    /// It is about another user than the one who sent it.
    AnotherUser,
    /// The versions of publications are not the current ones.
    Conflict(Fault),
    /// The version of a container is not the current one.
    ContainerVersion,
    /// There is no such container.
    NoContainer,
    /// More is published than a user may.
    TooMuch,
    /// None of the formats that the watcher accepts can be written.
    Format,
}

impl Refusal {
    /// The status of the answer.
    ///
    /// MS-PRES 3.3.5; RFC 3261 21.4
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::NoContainer => 400,
            Self::AnotherUser => 403,
            Self::Conflict(_) | Self::ContainerVersion => 409,
            Self::TooMuch => 413,
            Self::Format => 406,
        }
    }

    /// Why, in words for people.
    ///
    /// MS-PRES 3.3.5
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "the body cannot be read",
            Self::AnotherUser => "the data of another user",
            Self::Conflict(_) => "the version of a publication is not the current one",
            Self::ContainerVersion => "the container has another version",
            Self::NoContainer => "there is no such container",
            Self::TooMuch => "too many publications",
            Self::Format => "presence is not to be had in an accepted format",
        }
    }

    /// Appends the body of the answer, if it has one, and gives its content type.
    ///
    /// MS-PRES 2.2.2.9
    pub fn emit(&self, out: &mut BytesMut) -> Option<&'static str> {
        match self {
            Self::Conflict(fault) => {
                fault.emit(out);
                Some(FAULT_CONTENT_TYPE)
            }
            Self::Malformed(_)
            | Self::AnotherUser
            | Self::ContainerVersion
            | Self::NoContainer
            | Self::TooMuch
            | Self::Format => None,
        }
    }
}
