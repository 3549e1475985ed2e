//! Feature indicate: the fixed part answers a feature key.

use bytes::{BufMut as _, BytesMut};

use super::{Contents, Feature, FeatureActivate};
use crate::{
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The status of a feature.
    ///
    /// EN 300 175-5 7.7.17
    FeatureStatus {
        /// Deactivated or rejected.
        Deactivated = 0x80,
        /// Activated.
        Activated = 0x81,
        /// Pending.
        Pending = 0x83,
        /// Busy.
        Busy = 0x84,
        /// Unobtainable.
        Unobtainable = 0x86,
    }
}

/// What became of a feature.
///
/// EN 300 175-5 7.7.17
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FeatureIndicate {
    /// The feature.
    pub feature: Feature,
    /// Its parameter (seven bits).
    pub parameter: Option<u8>,
    /// Its status.
    pub status: FeatureStatus,
    /// Components: a queue position, the characters of a subscriber number.
    pub components: Octets,
}

impl Contents for FeatureIndicate {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let FeatureActivate { feature, parameter } = FeatureActivate::read(&mut reader)?;
        let status = FeatureStatus::from_code(reader.octet()?);
        let components = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self { feature, parameter, status, components })
    }

    fn emit(&self, contents: &mut BytesMut) {
        FeatureActivate { feature: self.feature, parameter: self.parameter }.emit(contents);
        contents.put_u8(self.status.code());
        contents.put_slice(&self.components);
    }
}
