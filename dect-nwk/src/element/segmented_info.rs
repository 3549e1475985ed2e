//! Segmented info: the next element is one part of a longer one.

use bytes::{BufMut as _, BytesMut};

use super::{Contents, ElementIdentifier};
use crate::{coding::Reader, error::Error};

/// How many segments of which element follow.
///
/// EN 300 175-5 7.7.37
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SegmentedInfo {
    /// Whether this is the first segment.
    pub first: bool,
    /// How many segments remain, the following one counted (seven bits).
    pub remaining: u8,
    /// The segmented element.
    pub element: ElementIdentifier,
}

impl Contents for SegmentedInfo {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let [first, element] = reader.array()?;
        let element = ElementIdentifier::from_octet(element);
        Ok(Self { first: first & 0x80 != 0, remaining: first & 0x7f, element })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(if self.first { 0x80 } else { 0 } | self.remaining & 0x7f);
        contents.put_u8(self.element.octet());
    }
}
