//! AUTH-TYPE: algorithm and keys of an authentication.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// An authentication algorithm.
    ///
    /// EN 300 175-5 7.7.4
    AuthenticationAlgorithm {
        /// DECT standard authentication algorithm.
        Dsaa = 0x01,
        /// DECT standard authentication algorithm 2.
        Dsaa2 = 0x02,
        /// That of UMTS.
        Umts = 0x20,
        /// That of GSM.
        Gsm = 0x40,
        /// A proprietary algorithm, named by one more octet.
        Proprietary = 0x7f,
    }
}

coded! {
    /// The kind of key an authentication starts from.
    ///
    /// EN 300 175-5 7.7.4
    AuthenticationKeyType {
        /// User authentication key.
        UserAuthenticationKey = 1,
        /// User personal identity (and user authentication key).
        UserPersonalIdentity = 3,
        /// Authentication code.
        AuthenticationCode = 4,
    }
}

/// A default cipher key named in an authentication type.
///
/// EN 300 175-5 7.7.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DefaultKey {
    /// Its index.
    pub index: u16,
    /// The cipher it is for: 0 DSC, 1 DSC2; absent when not sent.
    pub algorithm: Option<u8>,
}

/// Algorithm, key and what becomes of the derived cipher key.
///
/// EN 300 175-5 7.7.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AuthType {
    /// The algorithm.
    pub algorithm: AuthenticationAlgorithm,
    /// The name of a proprietary algorithm.
    pub proprietary: Option<u8>,
    /// The kind of key.
    pub key_type: AuthenticationKeyType,
    /// Its number (four bits): 8 and above belong to the pair of user identity and access rights key.
    pub key_number: u8,
    /// INC: the portable part shall increment its ZAP field.
    pub increment_zap: bool,
    /// TXC: the portable part shall send the derived cipher key.
    pub send_cipher_key: bool,
    /// UPC: the derived cipher key is stored under the cipher key number.
    pub store_cipher_key: bool,
    /// The number under which the derived cipher key is stored (four bits), else 0.
    pub cipher_key_number: u8,
    /// DEF: the default cipher key.
    pub default_key: Option<DefaultKey>,
}

impl AuthType {
    /// Authentication with this key and nothing stored.
    ///
    /// EN 300 175-5 7.7.4
    pub const fn new(
        algorithm: AuthenticationAlgorithm,
        key_type: AuthenticationKeyType,
        key_number: u8,
    ) -> Self {
        Self {
            algorithm,
            proprietary: None,
            key_type,
            key_number,
            increment_zap: false,
            send_cipher_key: false,
            store_cipher_key: false,
            cipher_key_number: 0,
            default_key: None,
        }
    }
}

const INC: u8 = 0x80;
const DEF: u8 = 0x40;
const TXC: u8 = 0x20;
const UPC: u8 = 0x10;

impl Contents for AuthType {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let algorithm = AuthenticationAlgorithm::from_code(reader.octet()?);
        let proprietary = match algorithm {
            AuthenticationAlgorithm::Proprietary => Some(reader.octet()?),
            _ => None,
        };
        let key = reader.octet()?;
        let flags = reader.octet()?;
        let default_key = if flags & DEF == 0 {
            None
        } else {
            let index = reader.u16()?;
            let algorithm = if reader.is_empty() { None } else { Some(reader.octet()? & 3) };
            Some(DefaultKey { index, algorithm })
        };
        Ok(Self {
            algorithm,
            proprietary,
            key_type: AuthenticationKeyType::from_code(key >> 4),
            key_number: key & 0xf,
            increment_zap: flags & INC != 0,
            send_cipher_key: flags & TXC != 0,
            store_cipher_key: flags & UPC != 0,
            cipher_key_number: flags & 0xf,
            default_key,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.algorithm.code());
        if let Some(name) = self.proprietary {
            contents.put_u8(name);
        }
        contents.put_u8(self.key_type.code() << 4 | self.key_number & 0xf);
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        contents.put_u8(
            flag(self.increment_zap, INC)
                | flag(self.default_key.is_some(), DEF)
                | flag(self.send_cipher_key, TXC)
                | flag(self.store_cipher_key, UPC)
                | self.cipher_key_number & 0xf,
        );
        if let Some(DefaultKey { index, algorithm }) = self.default_key {
            contents.put_u16(index);
            if let Some(algorithm) = algorithm {
                contents.put_u8(algorithm);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_forms() {
        let code = AuthType::new(AuthenticationAlgorithm::Dsaa, AuthenticationKeyType::AuthenticationCode, 8);
        let key = AuthType {
            store_cipher_key: true,
            cipher_key_number: 8,
            ..AuthType::new(AuthenticationAlgorithm::Dsaa, AuthenticationKeyType::UserAuthenticationKey, 8)
        };
        let default_key =
            AuthType { default_key: Some(DefaultKey { index: 0x102, algorithm: Some(1) }), ..key };
        for (octets, value) in [
            (&[0x01, 0x48, 0x00][..], code),
            (&[0x01, 0x18, 0x18], key),
            (&[0x01, 0x18, 0x58, 0x01, 0x02, 0x01], default_key),
        ] {
            assert_eq!(AuthType::parse(octets), Ok(value));
            let mut written = BytesMut::new();
            value.emit(&mut written);
            assert_eq!(written, octets);
        }
        assert!(AuthType::parse(&[0x7f, 0x01, 0x48]).is_err());
    }
}
