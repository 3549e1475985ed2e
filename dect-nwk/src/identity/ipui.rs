//! International portable user identity.

use std::{fmt, str::FromStr};

use super::{BitString, Digits, Ipei, Tpui};
use crate::{
    coding::{coded, serde_as_text},
    error::{Error, Rule},
};

coded! {
    /// The type of a portable user identity: what its number is made of.
    ///
    /// EN 300 175-6 6.2
    PortableUserType {
        /// Residential: the equipment identity.
        N = 0,
        /// Private: a number of the fixed part's choice.
        O = 1,
        /// Public access service.
        P = 2,
        /// Public, general (bank account number).
        Q = 3,
        /// Public, subscriber identity of a mobile network.
        R = 4,
        /// Public telephone number.
        S = 5,
        /// Private extended: a number within an equipment installer's code.
        T = 6,
        /// Public, general (credit card account number).
        U = 7,
    }
}

/// The identity of a portable user: type and number.
///
/// The text form is the type's letter and the number, e.g. `N 05003 0070387 8`, `O 3e9/44`, `S 2002`, `T 1000 2345`.
///
/// EN 300 175-6 6.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ipui {
    /// Residential: the equipment identity.
    N(Ipei),
    /// Private: up to 60 bits.
    O(BitString),
    /// Public access service: operator code and account number of up to 80 bits.
    P(u16, BitString),
    /// Public, general: up to 20 digits.
    Q(Digits),
    /// Subscriber identity of a mobile network: up to 15 digits.
    R(Digits),
    /// Public telephone number: up to 15 digits.
    S(Digits),
    /// Equipment installer's code and up to 11 digits.
    T(u16, Digits),
    /// Public, general: up to 20 digits.
    U(Digits),
}

impl Ipui {
    /// A private identity of 44 bits, as fixed parts assign it at subscription.
    ///
    /// EN 300 175-6 6.2.2
    pub fn private(number: u64) -> Result<Self, Error> {
        BitString::new(44, u128::from(number)).map(Self::O)
    }

    /// Its type.
    ///
    /// EN 300 175-6 6.2
    pub const fn kind(&self) -> PortableUserType {
        match self {
            Self::N(_) => PortableUserType::N,
            Self::O(_) => PortableUserType::O,
            Self::P(..) => PortableUserType::P,
            Self::Q(_) => PortableUserType::Q,
            Self::R(_) => PortableUserType::R,
            Self::S(_) => PortableUserType::S,
            Self::T(..) => PortableUserType::T,
            Self::U(_) => PortableUserType::U,
        }
    }

    /// The equipment identity inside a residential identity.
    ///
    /// EN 300 175-6 6.2.1
    pub const fn ipei(&self) -> Option<Ipei> {
        if let Self::N(ipei) = self { Some(*ipei) } else { None }
    }

    /// The number of bits of the whole identity, type included.
    ///
    /// EN 300 175-5 7.7.30
    pub const fn bit_count(&self) -> u8 {
        match self {
            Self::N(_) => 40,
            Self::O(number) => 4 + number.bits(),
            Self::P(_, account) => 20 + account.bits(),
            Self::Q(digits) | Self::R(digits) | Self::S(digits) | Self::U(digits) => 4 + 4 * digits.count(),
            Self::T(_, digits) => 20 + 4 * digits.count(),
        }
    }

    /// The whole identity as a number of [`bit_count`](Self::bit_count) bits, type first.
    ///
    /// EN 300 175-5 7.7.30
    pub const fn bits(&self) -> u128 {
        let value = match self {
            Self::N(ipei) => ipei.bits() as u128,
            Self::O(number) => number.value(),
            Self::P(code, account) => (*code as u128) << account.bits() | account.value(),
            Self::Q(digits) | Self::R(digits) | Self::S(digits) | Self::U(digits) => digits.nibbles(),
            Self::T(code, digits) => (*code as u128) << (4 * digits.count()) | digits.nibbles(),
        };
        (self.kind().code() as u128) << (self.bit_count() - 4) | value
    }

    /// Reads an identity of `count` bits.
    ///
    /// EN 300 175-5 7.7.30
    pub fn from_bits(count: u8, bits: u128) -> Result<Self, Error> {
        let wrong = Error::Value(Rule::IdentityLength);
        let number_bits = count.checked_sub(4).ok_or(wrong)?;
        if count > 100 || bits >> count != 0 {
            return Err(wrong);
        }
        let number = bits & ((1 << number_bits) - 1);
        let digits = |limit: u8| {
            let count = number_bits / 4;
            if !number_bits.is_multiple_of(4) || count > limit {
                Err(wrong)
            } else {
                Digits::from_nibbles(count, number)
            }
        };
        let coded = |limit: u8| {
            let rest = number_bits.checked_sub(16).filter(|rest| *rest <= limit).ok_or(wrong)?;
            Ok::<_, Error>(((number >> rest) as u16, rest, number & ((1 << rest) - 1)))
        };
        match PortableUserType::from_code((bits >> number_bits) as u8) {
            PortableUserType::N if number_bits == 36 => Ipei::from_bits(number as u64).map(Self::N),
            PortableUserType::N => Err(wrong),
            PortableUserType::O if number_bits <= 60 => BitString::new(number_bits, number).map(Self::O),
            PortableUserType::O => Err(wrong),
            PortableUserType::P => {
                let (code, bits, account) = coded(80)?;
                Ok(Self::P(code, BitString::new(bits, account)?))
            }
            PortableUserType::Q => digits(20).map(Self::Q),
            PortableUserType::R => digits(15).map(Self::R),
            PortableUserType::S => digits(15).map(Self::S),
            PortableUserType::T => {
                let (code, bits, nibbles) = coded(44)?;
                if bits.is_multiple_of(4) {
                    Ok(Self::T(code, Digits::from_nibbles(bits / 4, nibbles)?))
                } else {
                    Err(wrong)
                }
            }
            PortableUserType::U => digits(20).map(Self::U),
            PortableUserType::Reserved(_) => Err(Error::Value(Rule::Reserved)),
        }
    }

    /// Whether both name the same user although one may have been sent with another number of leading zero bits.
    ///
    /// EN 300 175-6 6.2
    pub fn matches(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::O(ours), Self::O(theirs)) => ours.value() == theirs.value(),
            _ => self == other,
        }
    }

    /// The temporary identity a portable part has before one is assigned: `E` and the lowest 16 bits.
    ///
    /// EN 300 175-6 6.3
    pub const fn default_tpui(&self) -> Tpui {
        Tpui::default_individual(self.bits() as u16)
    }
}

impl fmt::Display for Ipui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::N(ipei) => write!(f, "N {ipei}"),
            Self::O(number) => write!(f, "O {number}"),
            Self::P(code, account) => write!(f, "P {code:04x} {account}"),
            Self::Q(digits) => write!(f, "Q {digits}"),
            Self::R(digits) => write!(f, "R {digits}"),
            Self::S(digits) => write!(f, "S {digits}"),
            Self::T(code, digits) => write!(f, "T {code:04x} {digits}"),
            Self::U(digits) => write!(f, "U {digits}"),
        }
    }
}

impl FromStr for Ipui {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = Error::Value(Rule::IdentityLength);
        let (letter, number) = text.split_once(' ').ok_or(wrong)?;
        let coded = || {
            let (code, rest) = number.split_once(' ').ok_or(wrong)?;
            Ok::<_, Error>((u16::from_str_radix(code, 16).map_err(|_| Error::Value(Rule::Digit))?, rest))
        };
        let ipui = match letter {
            "N" => Self::N(number.parse()?),
            "O" => Self::O(number.parse()?),
            "P" => {
                let (code, account) = coded()?;
                Self::P(code, account.parse()?)
            }
            "Q" => Self::Q(number.parse()?),
            "R" => Self::R(number.parse()?),
            "S" => Self::S(number.parse()?),
            "T" => {
                let (code, digits) = coded()?;
                Self::T(code, digits.parse()?)
            }
            "U" => Self::U(number.parse()?),
            _ => return Err(Error::Value(Rule::Reserved)),
        };
        // The limits of the types are those of the bits.
        Self::from_bits(ipui.bit_count(), ipui.bits())
    }
}

serde_as_text!(Ipui);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_bits_and_a_text() {
        for (count, bits, text) in [
            (40, 0x01_38b1_12f3, "N 05003 0070387 8"),
            (48, 0x1000_0000_03e9, "O 3e9/44"),
            (20, 0x11234, "O 1234/16"),
            (36, 0x2_1234_beef, "P 1234 beef/16"),
            (40, 0x31_2345_6789, "Q 123456789"),
            (64, 0x4262_0112_3456_7890, "R 262011234567890"),
            (48, 0x5493_0123_4567, "S 49301234567"),
            (20, 0x52002, "S 2002"),
            (48, 0x6100_0200_2345, "T 1000 2002345"),
            (68, 0x7_4111_1111_1111_1111, "U 4111111111111111"),
        ] {
            let ipui = Ipui::from_bits(count, bits).unwrap();
            assert_eq!(ipui.to_string(), text);
            assert_eq!(text.parse(), Ok(ipui));
            assert_eq!((ipui.bit_count(), ipui.bits()), (count, bits));
        }
    }

    #[test]
    fn lengths_belong_to_types() {
        for (count, bits) in [
            (3, 0),
            (36, 0),
            (41, 0),
            (68, 0x1 << 64),
            (16, 0x2000),
            (42, 0x3 << 38),
            (68, 0x4 << 64),
            (101, 0),
        ] {
            assert_eq!(
                Ipui::from_bits(count, bits),
                Err(Error::Value(Rule::IdentityLength)),
                "{count} {bits:x}"
            );
        }
        assert_eq!(Ipui::from_bits(8, 0x81), Err(Error::Value(Rule::Reserved)));
        assert_eq!(Ipui::from_bits(8, 0x5f), Err(Error::Value(Rule::Digit)));
        assert!("S 1234567890123456".parse::<Ipui>().is_err());
    }

    #[test]
    fn private_identities_match_without_regard_to_leading_zeros() {
        let long = Ipui::private(1001).unwrap();
        let short: Ipui = "O 3e9/16".parse().unwrap();
        assert!(long.matches(&short) && long != short);
        assert!(!long.matches(&Ipui::private(1002).unwrap()));
    }

    #[test]
    fn the_default_tpui_ends_with_the_identity() {
        let ipui: Ipui = "N 05003 0070387".parse().unwrap();
        assert_eq!(ipui.default_tpui().value(), 0xe_12f3);
    }
}
