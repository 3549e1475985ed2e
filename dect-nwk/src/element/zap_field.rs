//! ZAP field: a counter with which a subscription can be disabled.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{coding::Reader, error::Error};

/// The content of the portable part's ZAP register.
///
/// EN 300 175-5 7.7.44
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ZapField {
    /// Four bits.
    pub contents: u8,
}

impl Contents for ZapField {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Ok(Self { contents: Reader::new(contents).octet()? & 0xf })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.contents & 0xf);
    }
}
