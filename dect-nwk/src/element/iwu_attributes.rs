//! IWU attributes: the service behind the fixed part.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Octets, Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The information transfer capability.
    ///
    /// EN 300 175-5 7.7.21
    TransferCapability {
        /// Speech.
        Speech = 0x00,
        /// Unrestricted digital information.
        Unrestricted = 0x08,
        /// Audio of 3,1 kHz.
        Audio3k1 = 0x10,
        /// Audio of 7 kHz.
        Audio7k = 0x11,
        /// Facsimile.
        Facsimile = 0x14,
    }
}

/// The attributes of the service behind the fixed part.
///
/// EN 300 175-5 7.7.21
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum IwuAttributes {
    /// Attributes in the coding of DECT.
    Standard {
        /// What is transferred.
        capability: TransferCapability,
        /// Negotiation (three bits).
        negotiation: u8,
        /// Connection type (four bits): 1 connection oriented.
        connection: u8,
        /// Transfer mode and rate, then user protocols, as octet groups.
        groups: Octets,
    },
    /// Attributes a profile defines.
    Profile {
        /// The profile (five bits).
        profile: u8,
        /// Negotiation (three bits).
        negotiation: u8,
        /// The profile's subtype (four bits).
        subtype: u8,
        /// What the profile says.
        attributes: Octets,
    },
}

impl IwuAttributes {
    /// Speech in circuit mode with 32 kbit/s G.726: what basic speech stands for (inferred from the table's text).
    ///
    /// EN 300 175-5 annex E
    pub fn basic_speech() -> Self {
        let groups = Octets::cut(&[0x8b, 0x84]);
        Self::Standard { capability: TransferCapability::Speech, negotiation: 0, connection: 1, groups }
    }
}

impl Contents for IwuAttributes {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let [first, second] = reader.array()?;
        let rest = Octets::new(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        let (code, negotiation, low) = (first & 0x1f, second >> 4 & 7, second & 0xf);
        match first >> 5 & 3 {
            0 => Ok(Self::Standard {
                capability: TransferCapability::from_code(code),
                negotiation,
                connection: low,
                groups: rest,
            }),
            1 => Ok(Self::Profile { profile: code, negotiation, subtype: low, attributes: rest }),
            _ => Err(Error::Malformed { at: 0, rule: Rule::Reserved }),
        }
    }

    fn emit(&self, contents: &mut BytesMut) {
        let (coding, code, negotiation, low, rest) = match self {
            Self::Standard { capability, negotiation, connection, groups } => {
                (0, capability.code(), negotiation, connection, groups)
            }
            Self::Profile { profile, negotiation, subtype, attributes } => {
                (1, *profile, negotiation, subtype, attributes)
            }
        };
        contents.put_u8(0x80 | coding << 5 | code & 0x1f);
        contents.put_u8(0x80 | (negotiation & 7) << 4 | low & 0xf);
        contents.put_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_speech_is_six_octets_with_identifier_and_length() {
        let mut written = BytesMut::new();
        IwuAttributes::basic_speech().emit(&mut written);
        assert_eq!(written, &[0x80, 0x81, 0x8b, 0x84][..]);
        assert_eq!(IwuAttributes::parse(&written), Ok(IwuAttributes::basic_speech()));
    }
}
