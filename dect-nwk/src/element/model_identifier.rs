//! Model identifier: manufacturer and model of the equipment.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader},
    error::{Error, Rule},
};

/// Who made the equipment and which model it is.
///
/// EN 300 175-5 7.7.47
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum ModelIdentifier {
    /// Codes of manufacturer and model.
    Model {
        /// The manufacturer.
        manufacturer: u16,
        /// The model.
        model: u8,
    },
    /// Equipment identity and software version of a mobile phone.
    Imeisv(Octets<20>),
}

impl Contents for ModelIdentifier {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        if contents.len() > 3 {
            return Octets::new(contents).map(Self::Imeisv).map_err(|_| reader.broken(Rule::TooLong));
        }
        Ok(Self::Model { manufacturer: reader.u16()?, model: reader.octet()? })
    }

    fn emit(&self, contents: &mut BytesMut) {
        match self {
            Self::Model { manufacturer, model } => {
                contents.put_u16(*manufacturer);
                contents.put_u8(*model);
            }
            Self::Imeisv(octets) => contents.put_slice(octets),
        }
    }
}
