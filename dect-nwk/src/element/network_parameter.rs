//! Network parameter: references of handover and of applications.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// What a network parameter holds.
    ///
    /// EN 300 175-5 7.7.29
    NetworkParameterType {
        /// Data of an application.
        Application = 0x08,
        /// Name of a device.
        DeviceName = 0x10,
        /// Handover reference not required.
        HandoverReferenceNotRequired = 0x68,
        /// Handover reference in a private network.
        HandoverReferencePrivate = 0x69,
        /// Handover reference in GSM.
        HandoverReferenceGsm = 0x6a,
        /// Handover reference in a public network.
        HandoverReferencePublic = 0x6b,
        /// Proprietary.
        Proprietary = 0x7f,
    }
}

/// A network parameter.
///
/// EN 300 175-5 7.7.29
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetworkParameter {
    /// What it holds.
    pub kind: NetworkParameterType,
    /// The data.
    pub data: Octets,
}

impl Contents for NetworkParameter {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let kind = NetworkParameterType::from_code(reader.octet()?);
        let data = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { kind, data })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(self.kind.code());
        contents.put_slice(&self.data);
    }
}
