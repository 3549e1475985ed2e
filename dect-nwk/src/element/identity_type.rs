//! Identity type: which identity the fixed part asks for.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// The group of a wanted identity.
    ///
    /// EN 300 175-5 7.7.19
    IdentityGroup {
        /// Portable identity.
        Portable = 0x0,
        /// Identity assigned by the network.
        NetworkAssigned = 0x1,
        /// Fixed identity.
        Fixed = 0x4,
        /// Identity of an application.
        Application = 0x8,
        /// Proprietary.
        Proprietary = 0xf,
    }
}

/// One wanted identity.
///
/// EN 300 175-5 7.7.19
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IdentityType {
    /// The group.
    pub group: IdentityGroup,
    /// The type within the group, coded as in the identity element of that group.
    pub kind: u8,
}

impl IdentityType {
    /// The portable user identity.
    pub const IPUI: Self = Self { group: IdentityGroup::Portable, kind: 0x00 };
    /// The portable equipment identity.
    pub const IPEI: Self = Self { group: IdentityGroup::Portable, kind: 0x10 };
    /// The temporary portable user identity.
    pub const TPUI: Self = Self { group: IdentityGroup::Portable, kind: 0x20 };
    /// The portable access rights key.
    pub const PARK: Self = Self { group: IdentityGroup::Fixed, kind: 0x20 };
}

impl Contents for IdentityType {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        Ok(Self { group: IdentityGroup::from_code(reader.octet()? & 0xf), kind: reader.octet()? & 0x7f })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_slice(&[0x80 | self.group.code() & 0xf, 0x80 | self.kind]);
    }
}
