//! Setup capability: fast setup and fast paging.

use bytes::BytesMut;

use super::Contents;
use crate::{
    coding::{Reader, coded, put_group},
    error::Error,
};

coded! {
    /// Which setup procedures are known.
    ///
    /// EN 300 175-5 7.7.40
    SetupProcedure {
        /// Normal setup only.
        Normal = 1,
        /// Fast setup too.
        Fast = 2,
    }
}

coded! {
    /// Which paging procedures are known.
    ///
    /// EN 300 175-5 7.7.40
    PageCapability {
        /// Normal paging only.
        Normal = 1,
        /// Fast paging too.
        Fast = 2,
    }
}

/// The setup and paging procedures of a side.
///
/// EN 300 175-5 7.7.40
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SetupCapability {
    /// The protocol discriminator field (three bits).
    pub protocol: u8,
    /// Setup.
    pub setup: SetupProcedure,
    /// Paging.
    pub page: PageCapability,
    /// The second octet (seven bits), when sent.
    pub extension: Option<u8>,
}

impl Contents for SetupCapability {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let group = Reader::new(contents).group()?;
        let first = group.first().copied().unwrap_or(0);
        Ok(Self {
            protocol: first >> 4 & 7,
            setup: SetupProcedure::from_code(first >> 2 & 3),
            page: PageCapability::from_code(first & 3),
            extension: group.get(1).map(|octet| octet & 0x7f),
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let first = (self.protocol & 7) << 4 | (self.setup.code() & 3) << 2 | self.page.code() & 3;
        match self.extension {
            Some(extension) => put_group(contents, &[first, extension]),
            None => put_group(contents, &[first]),
        }
    }
}
