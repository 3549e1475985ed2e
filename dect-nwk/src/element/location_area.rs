//! Location area: in which area a portable part registers.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The location area of a portable part.
///
/// EN 300 175-5 7.7.25
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LocationArea {
    /// How many leading bits of the radio identity name the area, if given.
    pub level: Option<u8>,
    /// The area of a mobile network, if given.
    pub extended: Option<ExtendedLocation>,
}

/// The area of a mobile network.
///
/// EN 300 175-5 7.7.25
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExtendedLocation {
    /// ELI (four bits): 7 requested and not included, 15 included.
    pub indicator: u8,
    /// Country, network, area and cell, as sent.
    pub octets: Octets<16>,
}

impl LocationArea {
    /// An area named by the first `level` bits of the radio identity.
    ///
    /// EN 300 175-5 7.7.25
    pub const fn of_level(level: u8) -> Self {
        Self { level: Some(level), extended: None }
    }
}

impl Contents for LocationArea {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let level = (first & 0x40 != 0).then_some(first & 0x3f);
        let extended = if first & 0x80 == 0 {
            None
        } else {
            let indicator = reader.octet()? >> 4;
            let octets = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
            Some(ExtendedLocation { indicator, octets })
        };
        if level.is_none() && extended.is_none() {
            return Err(Error::Malformed { at: 0, rule: Rule::Reserved });
        }
        Ok(Self { level, extended })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let level = self.level.map_or(0, |level| 0x40 | level & 0x3f);
        contents.put_u8(level | if self.extended.is_some() { 0x80 } else { 0 });
        if let Some(extended) = &self.extended {
            contents.put_u8(extended.indicator << 4 | 0xf);
            contents.put_slice(&extended.octets);
        }
    }
}
