//! Digit strings and bit strings inside identities.

use std::{fmt, str::FromStr};

use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
};

/// Up to twenty binary coded decimal digits; the digit value 11 is a space.
///
/// EN 300 175-5 7.7.30, annex D
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digits {
    count: u8,
    nibbles: u128,
}

impl Digits {
    /// The most digits an identity can have.
    pub const MAX: u8 = 20;

    /// Digits from `count` half octets, the last digit in the lowest four bits.
    ///
    /// EN 300 175-5 7.7.30
    pub fn from_nibbles(count: u8, nibbles: u128) -> Result<Self, Error> {
        if count > Self::MAX || nibbles.checked_shr(4 * u32::from(count)).is_some_and(|above| above != 0) {
            return Err(Error::Value(Rule::DigitCount));
        }
        let digits = Self { count, nibbles };
        let valid = (0..count).all(|index| matches!(digits.nibble(index), 0..=9 | 0xb));
        if valid { Ok(digits) } else { Err(Error::Value(Rule::Digit)) }
    }

    /// How many digits there are.
    ///
    /// EN 300 175-5 7.7.30
    pub const fn count(self) -> u8 {
        self.count
    }

    /// The digits as half octets, the last digit in the lowest four bits.
    ///
    /// EN 300 175-5 7.7.30
    pub const fn nibbles(self) -> u128 {
        self.nibbles
    }

    const fn nibble(self, index: u8) -> u8 {
        (self.nibbles >> (4 * (self.count - 1 - index))) as u8 & 0xf
    }
}

impl FromStr for Digits {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut nibbles = 0;
        let mut count = 0_u8;
        for character in text.chars() {
            let digit = match character {
                '0'..='9' => u128::from(character.to_digit(10).unwrap_or(0)),
                ' ' => 0xb,
                _ => return Err(Error::Value(Rule::Digit)),
            };
            if count == Self::MAX {
                return Err(Error::Value(Rule::DigitCount));
            }
            nibbles = nibbles << 4 | digit;
            count += 1;
        }
        Ok(Self { count, nibbles })
    }
}

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.count).try_for_each(|index| match self.nibble(index) {
            0xb => f.write_str(" "),
            digit => write!(f, "{digit}"),
        })
    }
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

serde_as_text!(Digits);

/// A number of up to 80 bits that keeps its length.
///
/// EN 300 175-5 7.7.30
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BitString {
    bits: u8,
    value: u128,
}

impl BitString {
    /// The most bits an identity can have here.
    pub const MAX: u8 = 80;

    /// The lowest `bits` bits of `value`.
    ///
    /// EN 300 175-5 7.7.30
    pub fn new(bits: u8, value: u128) -> Result<Self, Error> {
        if bits > Self::MAX || value.checked_shr(u32::from(bits)).is_some_and(|above| above != 0) {
            return Err(Error::Value(Rule::Range));
        }
        Ok(Self { bits, value })
    }

    /// The number of bits.
    ///
    /// EN 300 175-5 7.7.30
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// The number they form, most significant bit first.
    ///
    /// EN 300 175-5 7.7.30
    pub const fn value(self) -> u128 {
        self.value
    }
}

impl fmt::Display for BitString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}/{}", self.value, self.bits)
    }
}

impl fmt::Debug for BitString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for BitString {
    type Err = Error;

    /// Reads the form `hexadecimal/bits`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (value, bits) = text.split_once('/').ok_or(Error::Value(Rule::DigitCount))?;
        let value = u128::from_str_radix(value, 16).map_err(|_| Error::Value(Rule::Digit))?;
        Self::new(bits.parse().map_err(|_| Error::Value(Rule::Digit))?, value)
    }
}

serde_as_text!(BitString);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_keep_leading_zeros_and_spaces() {
        let digits: Digits = "00 42".parse().unwrap();
        assert_eq!((digits.count(), digits.nibbles()), (5, 0x00b42));
        assert_eq!(digits.to_string(), "00 42");
        assert_eq!(Digits::from_nibbles(5, 0x00b42), Ok(digits));
        assert_eq!(Digits::from_nibbles(2, 0x1f), Err(Error::Value(Rule::Digit)));
        assert_eq!(Digits::from_nibbles(2, 0x123), Err(Error::Value(Rule::DigitCount)));
        assert_eq!("123456789012345678901".parse::<Digits>(), Err(Error::Value(Rule::DigitCount)));
        assert_eq!("".parse::<Digits>().map(Digits::count), Ok(0));
    }

    #[test]
    fn bit_strings_keep_their_length() {
        assert_eq!(BitString::new(44, 1001).map(|b| b.to_string()), Ok("3e9/44".into()));
        assert_eq!("3e9/44".parse(), BitString::new(44, 1001));
        assert_eq!(BitString::new(8, 256), Err(Error::Value(Rule::Range)));
        assert_eq!(BitString::new(81, 0), Err(Error::Value(Rule::Range)));
    }
}
