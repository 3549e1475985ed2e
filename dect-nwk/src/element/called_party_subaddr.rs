//! Called party subaddress.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The subaddress of the called party.
///
/// EN 300 175-5 7.7.8
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CalledPartySubaddr {
    /// The type: 0 network service access point, 2 user specific (three bits).
    pub kind: u8,
    /// Whether the number of address signals is odd.
    pub odd: bool,
    /// The address.
    pub address: Octets,
}

impl Contents for CalledPartySubaddr {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let address = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { kind: first >> 4 & 7, odd: first & 8 != 0, address })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | (self.kind & 7) << 4 | if self.odd { 8 } else { 0 });
        contents.put_slice(&self.address);
    }
}
