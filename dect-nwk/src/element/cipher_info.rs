//! Cipher info: cipher algorithm and key.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// A cipher algorithm.
    ///
    /// EN 300 175-5 7.7.10
    CipherAlgorithm {
        /// DECT standard cipher.
        Dsc = 0x01,
        /// DECT standard cipher 2.
        Dsc2 = 0x02,
        /// GPRS: no cipher.
        GprsNone = 0x28,
        /// GPRS encryption algorithm 1.
        Gea1 = 0x29,
        /// GPRS encryption algorithm 2.
        Gea2 = 0x2a,
        /// A proprietary algorithm, named by one more octet.
        Proprietary = 0x7f,
    }
}

coded! {
    /// The kind of a cipher key.
    ///
    /// EN 300 175-5 7.7.10
    CipherKeyType {
        /// Derived by an authentication.
        Derived = 0x9,
        /// Static.
        Static = 0xa,
    }
}

/// Whether and how a connection is ciphered.
///
/// EN 300 175-5 7.7.10
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CipherInfo {
    /// Whether ciphering is wanted rather than clear transmission.
    pub enable: bool,
    /// The algorithm.
    pub algorithm: CipherAlgorithm,
    /// The name of a proprietary algorithm.
    pub proprietary: Option<u8>,
    /// The kind of key.
    pub key_type: CipherKeyType,
    /// Its number (four bits).
    pub key_number: u8,
}

impl CipherInfo {
    /// The standard cipher with the derived key of this number.
    ///
    /// EN 300 175-5 7.7.10
    pub const fn dsc(enable: bool, key_number: u8) -> Self {
        Self {
            enable,
            algorithm: CipherAlgorithm::Dsc,
            proprietary: None,
            key_type: CipherKeyType::Derived,
            key_number,
        }
    }
}

impl Contents for CipherInfo {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let algorithm = CipherAlgorithm::from_code(first & 0x7f);
        let proprietary = match algorithm {
            CipherAlgorithm::Proprietary => Some(reader.octet()?),
            _ => None,
        };
        let key = reader.octet()?;
        Ok(Self {
            enable: first & 0x80 != 0,
            algorithm,
            proprietary,
            key_type: CipherKeyType::from_code(key >> 4),
            key_number: key & 0xf,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(if self.enable { 0x80 } else { 0 } | self.algorithm.code() & 0x7f);
        if let Some(name) = self.proprietary {
            contents.put_u8(name);
        }
        contents.put_u8(self.key_type.code() << 4 | self.key_number & 0xf);
    }
}
