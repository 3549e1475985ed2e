//! Service change info: how an existing call changes.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// The kind of change.
    ///
    /// EN 300 175-5 7.7.38
    ServiceChangeMode {
        /// Reversal of the connection's direction.
        Reversal = 0x1,
        /// Change of bandwidth.
        Bandwidth = 0x2,
        /// Change of modulation.
        Modulation = 0x3,
        /// Other route of the U-plane links.
        Reroute = 0x4,
        /// Packet mode suspend.
        Suspend = 0x8,
        /// Packet mode resume.
        Resume = 0x9,
        /// Change of the IWU attributes.
        IwuAttributes = 0xc,
        /// Change of the audio codec.
        AudioCodec = 0xd,
        /// Change of profile or basic service.
        BasicService = 0xe,
    }
}

/// The wanted change.
///
/// EN 300 175-5 7.7.38
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ServiceChangeInfo {
    /// Whether the receiver rather than the initiator is the master of the change.
    pub receiver_is_master: bool,
    /// The kind of change.
    pub mode: ServiceChangeMode,
    /// The new service (four bits), in a change of the basic service.
    pub service: Option<u8>,
    /// A, R and B fields (seven bits), in suspend and resume.
    pub attributes: Option<u8>,
}

impl Contents for ServiceChangeInfo {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let service = if first & 0x80 == 0 { Some(reader.octet()? & 0xf) } else { None };
        let attributes = if reader.is_empty() { None } else { Some(reader.octet()? & 0x7f) };
        Ok(Self {
            receiver_is_master: first & 0x10 != 0,
            mode: ServiceChangeMode::from_code(first & 0xf),
            service,
            attributes,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let last = if self.service.is_some() { 0 } else { 0x80 };
        contents.put_u8(last | if self.receiver_is_master { 0x10 } else { 0 } | self.mode.code() & 0xf);
        if let Some(service) = self.service {
            contents.put_u8(0x80 | service & 0xf);
        }
        if let Some(attributes) = self.attributes {
            contents.put_u8(0x80 | attributes);
        }
    }
}
