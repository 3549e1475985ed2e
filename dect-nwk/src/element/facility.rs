//! Facility: components of functional supplementary services.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// Remote operations, carried as they are.
///
/// EN 300 175-5 7.7.15
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Facility {
    /// The protocol profile (five bits), 17 for remote operations.
    pub profile: u8,
    /// The components.
    pub components: Octets,
}

impl Facility {
    /// The profile of remote operations.
    pub const REMOTE_OPERATIONS: u8 = 17;
}

impl Contents for Facility {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let profile = reader.octet()? & 0x1f;
        let components = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { profile, components })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | self.profile & 0x1f);
        contents.put_slice(&self.components);
    }
}
