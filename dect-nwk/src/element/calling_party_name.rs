//! Calling party name.

use bytes::{BufMut as _, BytesMut};

use super::{Contents, Presentation, Screening};
use crate::{
    characters::Characters,
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The alphabet of a name.
    ///
    /// EN 300 175-5 7.7.45
    Alphabet {
        /// The DECT character set.
        Dect = 0,
        /// UTF-8.
        Utf8 = 1,
        /// Network specific.
        NetworkSpecific = 7,
    }
}

/// The name of the calling party.
///
/// EN 300 175-5 7.7.45
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallingPartyName {
    /// Whether it may be shown.
    pub presentation: Presentation,
    /// Its alphabet.
    pub alphabet: Alphabet,
    /// Who gave it; a name from the fixed part's contact list counts as verified.
    pub screening: Screening,
    /// Its octets.
    pub name: Octets,
}

impl CallingPartyName {
    /// A name from the fixed part's contacts in the DECT character set; what that lacks is replaced.
    ///
    /// EN 300 175-5 7.7.45
    pub fn contact(name: &str) -> Self {
        let characters: Characters = Characters::from_text(name);
        Self {
            presentation: Presentation::Allowed,
            alphabet: Alphabet::Dect,
            screening: Screening::Verified,
            name: Octets::cut(characters.octets()),
        }
    }

    /// The name as text.
    ///
    /// EN 300 175-5 7.7.45
    pub fn text(&self) -> String {
        match self.alphabet {
            Alphabet::Utf8 => String::from_utf8_lossy(&self.name).into_owned(),
            Alphabet::Dect | Alphabet::NetworkSpecific | Alphabet::Reserved(_) => {
                self.name.iter().map(|octet| char::from(*octet)).collect()
            }
        }
    }
}

impl Contents for CallingPartyName {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let name = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self {
            presentation: Presentation::from_code(first >> 5 & 3),
            alphabet: Alphabet::from_code(first >> 2 & 7),
            screening: Screening::from_code(first & 3),
            name,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(
            (self.presentation.code() & 3) << 5 | (self.alphabet.code() & 7) << 2 | self.screening.code() & 3,
        );
        contents.put_slice(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_decides_the_text() {
        let name = CallingPartyName::parse(b"\x01Alice").unwrap();
        assert_eq!(name, CallingPartyName::contact("Alice"));
        assert_eq!(CallingPartyName::parse(b"\x04J\xc3\xbcrgen").unwrap().text(), "Jürgen");
        assert_eq!(CallingPartyName::parse(b"\x00J\xfcrgen").unwrap().text(), "Jürgen");
    }
}
