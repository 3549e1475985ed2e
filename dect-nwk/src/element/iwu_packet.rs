//! IWU packet: a frame of user data.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// A packet between the interworking units.
///
/// EN 300 175-5 7.7.22
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct IwuPacket {
    /// Whether it is sent rather than rejected.
    pub sent: bool,
    /// The protocol of layer 2 (five bits).
    pub layer2: u8,
    /// The protocol of layer 3 (five bits), when given.
    pub layer3: Option<u8>,
    /// The data.
    pub data: Octets,
}

impl Contents for IwuPacket {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let layer3 = if first & 0x80 == 0 { Some(reader.octet()? & 0x1f) } else { None };
        let data = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { sent: first & 0x40 != 0, layer2: first & 0x1f, layer3, data })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let last = if self.layer3.is_some() { 0 } else { 0x80 };
        contents.put_u8(last | if self.sent { 0x40 } else { 0 } | self.layer2 & 0x1f);
        if let Some(layer3) = self.layer3 {
            contents.put_u8(0xe0 | layer3 & 0x1f);
        }
        contents.put_slice(&self.data);
    }
}
