//! RES: the response to a challenge.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// The response to a challenge, most significant octet first.
///
/// EN 300 175-5 7.7.35
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "Octets<4>", into = "Octets<4>")
)]
pub struct Res(pub [u8; 4]);

impl Contents for Res {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Reader::new(contents).array().map(Self)
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_slice(&self.0);
    }
}

impl From<Res> for Octets<4> {
    fn from(value: Res) -> Self {
        Self::cut(&value.0)
    }
}

impl TryFrom<Octets<4>> for Res {
    type Error = Error;

    fn try_from(octets: Octets<4>) -> Result<Self, Error> {
        octets[..].try_into().map(Self).map_err(|_| Error::Value(Rule::DigitCount))
    }
}
