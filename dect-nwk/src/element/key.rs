//! Key: a cipher key sent over a ciphered connection.

use std::fmt;

use bytes::{BufMut as _, BytesMut};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// What kind of key is sent.
    ///
    /// EN 300 175-5 7.7.24
    KeyType {
        /// Derived cipher key for the DSC.
        DerivedDsc = 0x90,
        /// Derived cipher key for the DSC2.
        DerivedDsc2 = 0x91,
        /// Key for counter with CBC-MAC mode.
        Ccm = 0x92,
        /// Default cipher key for the DSC; its index is in the last two octets.
        DefaultDsc = 0x94,
        /// Default cipher key for the DSC2; its index is in the last two octets.
        DefaultDsc2 = 0x95,
    }
}

/// A key, and for default keys its index behind it.
///
/// EN 300 175-5 7.7.24
#[derive(Clone, PartialEq, Eq, Hash, Zeroize, ZeroizeOnDrop)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Key {
    /// What kind of key it is.
    #[zeroize(skip)]
    pub kind: KeyType,
    /// Its octets, most significant first.
    #[cfg_attr(feature = "serde", serde(with = "octets"))]
    value: Vec<u8>,
}

impl Key {
    /// A key of at most 64 octets.
    ///
    /// EN 300 175-5 7.7.24
    pub fn new(kind: KeyType, octets: &[u8]) -> Result<Self, Error> {
        if octets.len() > 64 {
            Err(Error::Value(Rule::TooLong))
        } else {
            Ok(Self { kind, value: octets.to_vec() })
        }
    }

    /// Its octets, most significant first.
    ///
    /// EN 300 175-5 7.7.24
    pub fn octets(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Contents for Key {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let kind = KeyType::from_code(reader.octet()?);
        Self::new(kind, reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.kind.code());
        contents.put_slice(&self.value);
    }
}

#[cfg(feature = "serde")]
mod octets {
    use crate::coding::Octets;

    pub(super) fn serialize<S: serde::Serializer>(value: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Octets::<64>::cut(value))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        <Octets<64> as serde::Deserialize<'_>>::deserialize(deserializer).map(|octets| octets.to_vec())
    }
}
