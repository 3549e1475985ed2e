//! RAND: a random challenge.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// A random challenge, most significant octet first.
///
/// EN 300 175-5 7.7.32
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Octets<8>", into = "Octets<8>")
)]
pub struct Rand(pub [u8; 8]);

impl Contents for Rand {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).array().map(Self)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_slice(&self.0);
    }
}

impl From<Rand> for Octets<8> {
    fn from(value: Rand) -> Self {
        Self::cut(&value.0)
    }
}

impl TryFrom<Octets<8>> for Rand {
    type Error = Error;

    fn try_from(octets: Octets<8>) -> Result<Self, Error> {
        octets[..].try_into().map(Self).map_err(|_| Error::Value(Rule::DigitCount))
    }
}
