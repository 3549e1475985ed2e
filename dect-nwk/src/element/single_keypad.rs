//! Single keypad: one character.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{coding::Reader, error::Error};

/// One character a portable part sends.
///
/// EN 300 175-5 7.6.12
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SingleKeypad {
    /// The character.
    pub character: u8,
}

impl Contents for SingleKeypad {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Ok(Self { character: Reader::new(contents).octet()? })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.character);
    }
}
