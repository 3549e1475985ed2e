//! Network assigned identity.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The type of an identity assigned by a network.
    ///
    /// EN 300 175-5 7.7.28
    NetworkIdentityType {
        /// Temporary mobile subscriber identity.
        Tmsi = 0x74,
        /// Proprietary.
        Proprietary = 0x7f,
    }
}

/// An identity the network behind the fixed part assigned.
///
/// EN 300 175-5 7.7.28
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NwkAssignedIdentity {
    /// Its type.
    pub kind: NetworkIdentityType,
    /// How many bits of the octets are valid.
    pub bits: u8,
    /// The octets.
    pub value: Octets<16>,
}

impl Contents for NwkAssignedIdentity {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let kind = NetworkIdentityType::from_code(reader.octet()? & 0x7f);
        let bits = reader.octet()? & 0x7f;
        let value = reader.octets(usize::from(bits.div_ceil(8)))?;
        Ok(Self { kind, bits, value: Octets::new(value).map_err(|_| reader.broken(Rule::TooLong))? })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_slice(&[0x80 | self.kind.code(), 0x80 | self.bits]);
        contents.put_slice(&self.value);
    }
}
