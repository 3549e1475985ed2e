//! Multi keypad: several characters.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{characters::Characters, error::Error};

/// Characters a portable part sends.
///
/// EN 300 175-5 7.7.27
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MultiKeypad {
    /// The characters.
    pub characters: Characters,
}

impl MultiKeypad {
    /// The element for a text; what IA5 lacks is replaced.
    ///
    /// EN 300 175-5 7.7.27, annex D
    pub fn new(text: &str) -> Self {
        Self { characters: Characters::from_text(text) }
    }
}

impl Contents for MultiKeypad {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Ok(Self { characters: Characters::from_octets(contents)? })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_slice(self.characters.octets());
    }
}
