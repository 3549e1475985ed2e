//! Radio fixed part identity.

use std::{fmt, str::FromStr};

use super::Ari;
use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
};

/// What a radio fixed part broadcasts: the primary access rights identity and its own number.
///
/// EN 300 175-6 5.2
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rfpi {
    secondary: bool,
    ari: Ari,
    rpn: u8,
}

impl Rfpi {
    /// The identity of the radio part with this number; `secondary` tells that there are more access rights identities.
    ///
    /// EN 300 175-6 5.2
    pub const fn new(secondary: bool, ari: Ari, rpn: u8) -> Result<Self, Error> {
        if (rpn as u16) >> ari.rpn_bits() != 0 {
            Err(Error::Value(Rule::Range))
        } else {
            Ok(Self { secondary, ari, rpn })
        }
    }

    /// Reads the five octets of the air interface.
    ///
    /// EN 300 175-6 5.2
    pub fn from_octets(octets: [u8; 5]) -> Result<Self, Error> {
        let bits = octets.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
        let count = if (bits >> 36).trailing_zeros() >= 3 { 36 } else { 31 };
        let ari = Ari::from_bits(count, bits >> (39 - count) & ((1 << count) - 1))?;
        let rpn = bits as u8 & (0xff_u16 >> (8 - ari.rpn_bits())) as u8;
        Self::new(bits >> 39 == 1, ari, rpn)
    }

    /// The five octets of the air interface.
    ///
    /// EN 300 175-6 5.2
    pub fn octets(self) -> [u8; 5] {
        let bits =
            u64::from(self.secondary) << 39 | self.ari.bits() << self.ari.rpn_bits() | u64::from(self.rpn);
        let [_, _, _, octets @ ..] = bits.to_be_bytes();
        octets
    }

    /// Whether the fixed part has secondary access rights identities (the E bit).
    ///
    /// EN 300 175-6 5.2
    pub const fn has_secondary(self) -> bool {
        self.secondary
    }

    /// The primary access rights identity.
    ///
    /// EN 300 175-6 5.2
    pub const fn ari(self) -> Ari {
        self.ari
    }

    /// The radio part number.
    ///
    /// EN 300 175-6 5.2
    pub const fn rpn(self) -> u8 {
        self.rpn
    }

    /// Whether a radio part is in the same location area: the first `level` bits of PARI and RPN are equal.
    ///
    /// EN 300 175-5 7.7.25 (location area level), EN 300 175-6 5.2
    pub fn is_in_area_of(self, other: Self, level: u8) -> bool {
        let bits = |it: Self| it.ari.bits() << it.ari.rpn_bits() | it.rpn as u64;
        let below = 39_u8.saturating_sub(level);
        self.ari.bit_count() == other.ari.bit_count() && bits(self) >> below == bits(other) >> below
    }
}

impl fmt::Display for Rfpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.octets().iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl fmt::Debug for Rfpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rfpi({self})")
    }
}

impl FromStr for Rfpi {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.len() != 10 {
            return Err(Error::Value(Rule::DigitCount));
        }
        let bits = u64::from_str_radix(text, 16).map_err(|_| Error::Value(Rule::Digit))?;
        let [_, _, _, octets @ ..] = bits.to_be_bytes();
        Self::from_octets(octets)
    }
}

serde_as_text!(Rfpi);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radio_part_number_fills_the_rest() {
        let b = Rfpi::new(false, Ari::class_b(0x1234, 0x567).unwrap(), 5).unwrap();
        assert_eq!(b.to_string(), "1123456705");
        let a = Rfpi::new(true, Ari::class_a(0x1234, 0x567).unwrap(), 7).unwrap();
        assert_eq!(a.to_string(), "8123402b3f");
        for rfpi in [a, b] {
            assert_eq!(Rfpi::from_octets(rfpi.octets()), Ok(rfpi));
            assert_eq!(rfpi.to_string().parse(), Ok(rfpi));
        }
        assert!(Rfpi::new(true, a.ari(), 8).is_err());
        assert!(Rfpi::from_octets([0x70, 0, 0, 0, 0]).is_err());
    }
}
