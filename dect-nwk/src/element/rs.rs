//! RS: the session value of authentication.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The value from which session keys are made, most significant octet first.
///
/// EN 300 175-5 7.7.36
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Octets<16>", into = "Octets<16>")
)]
pub enum Rs {
    /// 48 bits, for counter with CBC-MAC mode.
    Rs48([u8; 6]),
    /// 64 bits, for the DSAA.
    Rs64([u8; 8]),
    /// 128 bits, for the DSAA2.
    Rs128([u8; 16]),
}

impl Rs {
    /// Its octets.
    ///
    /// EN 300 175-5 7.7.36
    pub const fn octets(&self) -> &[u8] {
        match self {
            Self::Rs48(octets) => octets,
            Self::Rs64(octets) => octets,
            Self::Rs128(octets) => octets,
        }
    }
}

impl Contents for Rs {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        match contents.len() {
            16.. => reader.array().map(Self::Rs128),
            8.. => reader.array().map(Self::Rs64),
            _ => reader.array().map(Self::Rs48),
        }
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_slice(self.octets());
    }
}

impl From<Rs> for Octets<16> {
    fn from(value: Rs) -> Self {
        Self::cut(value.octets())
    }
}

impl TryFrom<Octets<16>> for Rs {
    type Error = Error;

    fn try_from(octets: Octets<16>) -> Result<Self, Error> {
        match octets.len() {
            6 | 8 | 16 => Self::parse(&octets),
            _ => Err(Error::Value(Rule::DigitCount)),
        }
    }
}
