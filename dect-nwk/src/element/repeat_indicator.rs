//! Repeat indicator: the next elements of one kind are a list.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::Reader,
    error::{Error, Rule},
};

/// What the repetition of the next element means.
///
/// EN 300 175-5 7.6.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum RepeatIndicator {
    /// A list without order.
    NonPrioritised,
    /// A list, most wanted first.
    Prioritised,
}

impl Contents for RepeatIndicator {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        match reader.octet()? & 0xf {
            1 => Ok(Self::NonPrioritised),
            2 => Ok(Self::Prioritised),
            _ => Err(reader.broken(Rule::Reserved)),
        }
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(match self {
            Self::NonPrioritised => 1,
            Self::Prioritised => 2,
        });
    }
}
