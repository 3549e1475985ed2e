//! Alphanumeric: characters of messages.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The width of the characters.
    ///
    /// EN 300 175-5 7.7.3
    AlphanumericCoding {
        /// User specific.
        UserSpecific = 0,
        /// Eight bits.
        EightBit = 1,
        /// Four bits.
        FourBit = 2,
    }
}

/// Characters for messaging services.
///
/// EN 300 175-5 7.7.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Alphanumeric {
    /// The width of the characters.
    pub coding: AlphanumericCoding,
    /// Whether the number of characters is odd.
    pub odd: bool,
    /// The character set (three bits).
    pub set: u8,
    /// The characters as octets.
    pub characters: Octets,
}

impl Contents for Alphanumeric {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let characters = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self {
            coding: AlphanumericCoding::from_code(first >> 4 & 7),
            odd: first & 8 != 0,
            set: first & 7,
            characters,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8((self.coding.code() & 7) << 4 | if self.odd { 8 } else { 0 } | self.set & 7);
        contents.put_slice(&self.characters);
    }
}
