//! Feature activate: the portable part presses a feature key.

use bytes::BytesMut;

use super::Contents;
use crate::{
    coding::{Reader, coded, put_group},
    error::{Error, Rule},
};

coded! {
    /// A feature.
    ///
    /// EN 300 175-5 7.7.16
    Feature {
        /// Register recall.
        RegisterRecall = 0x01,
        /// External handover switch.
        ExternalHandoverSwitch = 0x0f,
        /// Queue entry request.
        QueueEntry = 0x20,
        /// Indication of subscriber number.
        SubscriberNumber = 0x30,
        /// A numbered feature key.
        NumberedKey = 0x42,
        /// Specific line selection.
        LineSelection = 0x44,
        /// Specific trunk carrier selection.
        TrunkSelection = 0x47,
        /// Control of echo functions.
        EchoControl = 0x48,
        /// Cost information.
        Cost = 0x60,
    }
}

/// The wish of a portable part to use a feature.
///
/// EN 300 175-5 7.7.16
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FeatureActivate {
    /// The feature.
    pub feature: Feature,
    /// Its parameter, such as the number of the key (seven bits).
    pub parameter: Option<u8>,
}

impl FeatureActivate {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        match *reader.group()? {
            [feature] => Ok(Self { feature: Feature::from_code(feature & 0x7f), parameter: None }),
            [feature, parameter, ..] => {
                Ok(Self { feature: Feature::from_code(feature), parameter: Some(parameter & 0x7f) })
            }
            [] => Err(reader.broken(Rule::Truncated)),
        }
    }
}

impl Contents for FeatureActivate {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        Self::read(&mut Reader::new(contents))
    }

    fn emit(&self, contents: &mut BytesMut) {
        match self.parameter {
            Some(parameter) => put_group(contents, &[self.feature.code(), parameter]),
            None => put_group(contents, &[self.feature.code()]),
        }
    }
}
