//! Access rights identity of a fixed part.

use std::{fmt, str::FromStr};

use crate::{
    coding::{coded, serde_as_text},
    error::{Error, Rule},
};

coded! {
    /// The class of an access rights identity.
    ///
    /// EN 300 175-6 5.1
    AriClass {
        /// Residential and small private systems.
        A = 0,
        /// Private systems with many cells.
        B = 1,
        /// Public systems.
        C = 2,
        /// Public systems of a mobile network's operator.
        D = 3,
        /// Portable to portable.
        E = 4,
    }
}

/// The access rights identity: class, owner's code, fixed part number.
///
/// The text form is its bits in hexadecimal: class B to E have 31 bits and eight digits, class A has 36 bits and
/// nine digits.
///
/// EN 300 175-6 5
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ari {
    class: AriClass,
    bits: u64,
}

impl Ari {
    /// Class A: equipment manufacturer's code and 17 bit fixed part number.
    ///
    /// EN 300 175-6 5.1.1
    pub const fn class_a(emc: u16, fpn: u32) -> Result<Self, Error> {
        if fpn == 0 || fpn >> 17 != 0 {
            return Err(Error::Value(Rule::Range));
        }
        Ok(Self { class: AriClass::A, bits: (emc as u64) << 17 | fpn as u64 })
    }

    /// Class B: equipment installer's code and 12 bits of fixed part number and sub-number.
    ///
    /// EN 300 175-6 5.1.2
    pub const fn class_b(eic: u16, fpn: u16) -> Result<Self, Error> {
        Self::with_code(AriClass::B, eic, fpn)
    }

    /// Class C: public operator code and 12 bits of fixed part number and sub-number.
    ///
    /// EN 300 175-6 5.1.3
    pub const fn class_c(poc: u16, fpn: u16) -> Result<Self, Error> {
        Self::with_code(AriClass::C, poc, fpn)
    }

    const fn with_code(class: AriClass, code: u16, fpn: u16) -> Result<Self, Error> {
        if code == 0 || fpn == 0 || fpn >> 12 != 0 {
            return Err(Error::Value(Rule::Range));
        }
        Ok(Self { class, bits: (class.code() as u64) << 28 | (code as u64) << 12 | fpn as u64 })
    }

    /// An identity of `count` bits as found on the air; numbers the standard calls invalid are kept.
    ///
    /// EN 300 175-6 5
    pub const fn from_bits(count: u8, bits: u64) -> Result<Self, Error> {
        let class = match count {
            36 => bits >> 33,
            31 => bits >> 28,
            _ => return Err(Error::Value(Rule::IdentityLength)),
        };
        match (count, class) {
            (36, 0) | (31, 1..=4) => Ok(Self { class: AriClass::from_code(class as u8), bits }),
            (_, 0..=4) => Err(Error::Value(Rule::IdentityLength)),
            _ => Err(Error::Value(Rule::Reserved)),
        }
    }

    /// Its class.
    ///
    /// EN 300 175-6 5.1
    pub const fn class(self) -> AriClass {
        self.class
    }

    /// How many bits it has: 36 in class A, else 31.
    ///
    /// EN 300 175-6 5.1
    pub const fn bit_count(self) -> u8 {
        if matches!(self.class, AriClass::A) { 36 } else { 31 }
    }

    /// Its bits, class first.
    ///
    /// EN 300 175-6 5.1
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// How many bits of the radio identity are left for the radio part number.
    ///
    /// EN 300 175-6 5.1
    pub const fn rpn_bits(self) -> u8 {
        39 - self.bit_count()
    }
}

impl fmt::Display for Ari {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0width$x}", self.bits, width = usize::from(self.bit_count().div_ceil(4)))
    }
}

impl fmt::Debug for Ari {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ari({:?} {self})", self.class)
    }
}

impl FromStr for Ari {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bits = u64::from_str_radix(text, 16).map_err(|_| Error::Value(Rule::Digit))?;
        Self::from_bits(if text.len() == 9 { 36 } else { 31 }, bits)
    }
}

serde_as_text!(Ari);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_their_own_lengths() {
        let b = Ari::class_b(0x1234, 0x567).unwrap();
        assert_eq!(
            (b.to_string().as_str(), b.bit_count(), b.rpn_bits(), b.class()),
            ("11234567", 31, 8, AriClass::B)
        );
        let a = Ari::class_a(0x1234, 0x567).unwrap();
        assert_eq!(
            (a.to_string().as_str(), a.bit_count(), a.rpn_bits(), a.class()),
            ("024680567", 36, 3, AriClass::A)
        );
        for ari in [a, b, Ari::class_c(1, 1).unwrap(), Ari::from_bits(31, 0x3000_0001).unwrap()] {
            assert_eq!(ari.to_string().parse(), Ok(ari));
            assert_eq!(Ari::from_bits(ari.bit_count(), ari.bits()), Ok(ari));
        }
    }

    #[test]
    fn numbers_of_zero_are_invalid() {
        assert!(
            Ari::class_b(0, 1).is_err() && Ari::class_b(1, 0).is_err() && Ari::class_b(1, 0x1000).is_err()
        );
        assert!(
            Ari::class_c(0, 1).is_err() && Ari::class_a(1, 0).is_err() && Ari::class_a(1, 1 << 17).is_err()
        );
        assert_eq!(Ari::from_bits(31, 0x5000_0000), Err(Error::Value(Rule::Reserved)));
        assert_eq!(Ari::from_bits(31, 0x0000_0001), Err(Error::Value(Rule::IdentityLength)));
        assert_eq!(Ari::from_bits(30, 1), Err(Error::Value(Rule::IdentityLength)));
    }
}
