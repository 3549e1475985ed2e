//! Allocation type: which key is allocated from which code.

use bytes::{BufMut as _, BytesMut};

use super::{AuthenticationAlgorithm, Contents};
use crate::{coding::Reader, error::Error};

/// The key allocation the fixed part starts.
///
/// EN 300 175-5 7.7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AllocationType {
    /// The algorithm.
    pub algorithm: AuthenticationAlgorithm,
    /// The number of the new user authentication key (four bits).
    pub user_authentication_key: u8,
    /// The number of the authentication code (four bits).
    pub authentication_code: u8,
}

impl Contents for AllocationType {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let algorithm = AuthenticationAlgorithm::from_code(reader.octet()?);
        let numbers = reader.octet()?;
        Ok(Self { algorithm, user_authentication_key: numbers >> 4, authentication_code: numbers & 0xf })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.algorithm.code());
        contents.put_u8(self.user_authentication_key << 4 | self.authentication_code & 0xf);
    }
}
