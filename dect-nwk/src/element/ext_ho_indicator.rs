//! External handover indicator.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{coding::Reader, error::Error};

/// Which other systems a portable part can be handed over to.
///
/// EN 300 175-5 7.7.51
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExtHoIndicator {
    /// OID: other identities are given.
    pub other_identities: bool,
    /// SYNC (two bits).
    pub synchronisation: u8,
    /// The length of the identity (five bits).
    pub length: u8,
}

impl Contents for ExtHoIndicator {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let octet = Reader::new(contents).octet()?;
        Ok(Self {
            other_identities: octet & 0x80 != 0,
            synchronisation: octet >> 5 & 3,
            length: octet & 0x1f,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let other = if self.other_identities { 0x80 } else { 0 };
        contents.put_u8(other | (self.synchronisation & 3) << 5 | self.length & 0x1f);
    }
}
