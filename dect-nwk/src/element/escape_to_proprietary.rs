//! Escape to proprietary: a manufacturer's own data.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// Whose the data is.
///
/// EN 300 175-5 7.7.14
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Owner {
    /// Nobody's in particular.
    Unspecified,
    /// That of the manufacturer with this code.
    Manufacturer(u16),
}

/// Data outside the standard.
///
/// EN 300 175-5 7.7.14
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EscapeToProprietary {
    /// Whose it is.
    pub owner: Owner,
    /// The data.
    pub data: Octets,
}

impl Contents for EscapeToProprietary {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let owner = match reader.octet()? & 0x7f {
            0 => Owner::Unspecified,
            1 => Owner::Manufacturer(reader.u16()?),
            _ => return Err(Error::Malformed { at: 0, rule: Rule::Reserved }),
        };
        let data = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { owner, data })
    }

    fn emit(&self, contents: &mut BytesMut) {
        match self.owner {
            Owner::Unspecified => contents.put_u8(0x80),
            Owner::Manufacturer(code) => {
                contents.put_u8(0x81);
                contents.put_u16(code);
            }
        }
        contents.put_slice(&self.data);
    }
}
