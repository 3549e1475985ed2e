//! Connection identity: which U-plane links use which connections.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{coding::MAX_CONTENTS, error::Error};

/// A U-plane link and the connection it uses.
///
/// EN 300 175-5 7.7.12
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConnectionPair {
    /// The U-plane link (four bits).
    pub link: u8,
    /// The connection (four bits).
    pub connection: u8,
}

/// The list of U-plane links and their connections.
///
/// EN 300 175-5 7.7.12
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ConnectionIdentity {
    /// The pairs.
    pub pairs: Vec<ConnectionPair>,
}

impl Contents for ConnectionIdentity {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let pairs = contents
            .iter()
            .map(|octet| ConnectionPair { link: octet >> 4, connection: octet & 0xf })
            .collect();
        Ok(Self { pairs })
    }

    fn emit(&self, contents: &mut BytesMut) {
        for pair in self.pairs.iter().take(MAX_CONTENTS) {
            contents.put_u8(pair.link << 4 | pair.connection & 0xf);
        }
    }
}
