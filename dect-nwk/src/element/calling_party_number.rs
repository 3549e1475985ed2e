//! Calling party number.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    characters::Characters,
    coding::{Reader, coded},
    error::{Error, Rule},
};

coded! {
    /// The type of a number.
    ///
    /// EN 300 175-5 7.7.7, 7.7.9
    NumberType {
        /// Unknown.
        Unknown = 0,
        /// International.
        International = 1,
        /// National.
        National = 2,
        /// Network specific.
        NetworkSpecific = 3,
        /// Subscriber.
        Subscriber = 4,
        /// Abbreviated.
        Abbreviated = 6,
    }
}

coded! {
    /// The numbering plan.
    ///
    /// EN 300 175-5 7.7.7, 7.7.9
    NumberingPlan {
        /// Unknown.
        Unknown = 0x0,
        /// ITU-T E.164.
        E164 = 0x1,
        /// ITU-T X.121.
        X121 = 0x3,
        /// TCP/IP address.
        Internet = 0x7,
        /// National.
        National = 0x8,
        /// Private.
        Private = 0x9,
        /// Address of the session initiation protocol.
        Sip = 0xa,
        /// Internet characters.
        InternetCharacters = 0xb,
        /// Address of a local area network.
        LocalAreaNetwork = 0xc,
        /// ITU-T X.400.
        X400 = 0xd,
        /// Profile specific.
        Profile = 0xe,
    }
}

coded! {
    /// Whether a number or name may be shown.
    ///
    /// EN 300 175-5 7.7.9
    Presentation {
        /// It may be shown.
        Allowed = 0,
        /// The caller does not want it shown.
        Restricted = 1,
        /// It is not available.
        NotAvailable = 2,
        /// In a name: a handset is looked for.
        HandsetLocator = 3,
    }
}

coded! {
    /// Who gave a number or name and who verified it.
    ///
    /// EN 300 175-5 7.7.9
    Screening {
        /// The user, not screened.
        User = 0,
        /// The user, verified and passed.
        Verified = 1,
        /// The user, verified and failed.
        Failed = 2,
        /// The network.
        Network = 3,
    }
}

/// Presentation and screening of a number.
///
/// EN 300 175-5 7.7.9
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NumberOrigin {
    /// Whether it may be shown.
    pub presentation: Presentation,
    /// Who gave it.
    pub screening: Screening,
}

/// The number of the calling party.
///
/// EN 300 175-5 7.7.9
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CallingPartyNumber {
    /// The type of the number.
    pub kind: NumberType,
    /// The numbering plan.
    pub plan: NumberingPlan,
    /// Presentation and screening, when sent.
    pub origin: Option<NumberOrigin>,
    /// The digits.
    pub digits: Characters,
}

impl CallingPartyNumber {
    /// A number of a private plan that may be shown.
    ///
    /// EN 300 175-5 7.7.9
    pub fn private(digits: &str) -> Self {
        let origin = NumberOrigin { presentation: Presentation::Allowed, screening: Screening::User };
        Self {
            kind: NumberType::Unknown,
            plan: NumberingPlan::Private,
            origin: Some(origin),
            digits: Characters::from_text(digits),
        }
    }

    /// A number that is not shown because the caller restricts it or nobody knows it.
    ///
    /// EN 300 175-5 7.7.9
    pub fn hidden(presentation: Presentation) -> Self {
        Self {
            kind: NumberType::Unknown,
            plan: NumberingPlan::Unknown,
            origin: Some(NumberOrigin { presentation, screening: Screening::User }),
            digits: Characters::default(),
        }
    }
}

impl Contents for CallingPartyNumber {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let origin = if first & 0x80 == 0 {
            let octet = reader.octet()?;
            Some(NumberOrigin {
                presentation: Presentation::from_code(octet >> 5 & 3),
                screening: Screening::from_code(octet & 3),
            })
        } else {
            None
        };
        let digits = Characters::from_octets(reader.remainder()).map_err(|_| reader.broken(Rule::TooLong))?;
        Ok(Self {
            kind: NumberType::from_code(first >> 4 & 7),
            plan: NumberingPlan::from_code(first & 0xf),
            origin,
            digits,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let last = if self.origin.is_some() { 0 } else { 0x80 };
        contents.put_u8(last | (self.kind.code() & 7) << 4 | self.plan.code() & 0xf);
        if let Some(origin) = self.origin {
            contents.put_u8(0x80 | (origin.presentation.code() & 3) << 5 | origin.screening.code() & 3);
        }
        contents.put_slice(self.digits.octets());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presentation_may_be_absent() {
        let number = CallingPartyNumber::private("2002");
        let mut written = BytesMut::new();
        number.emit(&mut written);
        assert_eq!(written, &[0x09, 0x80, 0x32, 0x30, 0x30, 0x32][..]);
        assert_eq!(CallingPartyNumber::parse(&written), Ok(number.clone()));
        let plain = CallingPartyNumber { origin: None, ..number };
        assert_eq!(CallingPartyNumber::parse(&[0x89, 0x32, 0x30, 0x30, 0x32]), Ok(plain));
        assert_eq!(
            CallingPartyNumber::parse(&[0x00, 0xa0]),
            Ok(CallingPartyNumber::hidden(Presentation::Restricted))
        );
        assert!(CallingPartyNumber::parse(&[0x00]).is_err());
    }
}
