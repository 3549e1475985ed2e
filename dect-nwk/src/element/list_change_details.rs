//! List change details: which entries of a list changed.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The changed entries of a list.
///
/// EN 300 175-5 7.7.57
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ListChangeDetails {
    /// Who changed the list: 0 the fixed part (seven bits).
    pub originator: u8,
    /// The changes with their length, as sent.
    pub changes: Octets,
}

impl Contents for ListChangeDetails {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let originator = reader.octet()? & 0x7f;
        let changes = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { originator, changes })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | self.originator);
        contents.put_slice(&self.changes);
    }
}
