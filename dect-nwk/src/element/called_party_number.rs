//! Called party number.

use bytes::{BufMut as _, BytesMut};

use super::{Contents, NumberType, NumberingPlan};
use crate::{
    characters::Characters,
    coding::Reader,
    error::{Error, Rule},
};

/// The number of the called party.
///
/// EN 300 175-5 7.7.7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CalledPartyNumber {
    /// The type of the number.
    pub kind: NumberType,
    /// The numbering plan.
    pub plan: NumberingPlan,
    /// The digits.
    pub digits: Characters,
}

impl CalledPartyNumber {
    /// A number of unknown type and plan, as dialled.
    ///
    /// EN 300 175-5 7.7.7
    pub fn dialled(digits: &str) -> Self {
        Self {
            kind: NumberType::Unknown,
            plan: NumberingPlan::Unknown,
            digits: Characters::from_text(digits),
        }
    }
}

impl Contents for CalledPartyNumber {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let digits = Characters::from_octets(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self {
            kind: NumberType::from_code(first >> 4 & 7),
            plan: NumberingPlan::from_code(first & 0xf),
            digits,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        contents.put_u8(0x80 | (self.kind.code() & 7) << 4 | self.plan.code() & 0xf);
        contents.put_slice(self.digits.octets());
    }
}
