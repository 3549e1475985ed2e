//! Portable access rights key.

use std::{fmt, str::FromStr};

use super::Ari;
use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
};

/// The key by which a portable part recognises its fixed parts: the leading bits of an access rights identity.
///
/// The text form is hexadecimal: two digits for the park length indicator, then the key from the left, after a
/// leading zero bit (`1f11234567`). Reading also takes the decimal and octal form with or without its check digit
/// (`31 10443212634`); that form and its check digit follow printed examples and are inferred.
///
/// EN 300 175-6 6.1
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Park {
    pli: u8,
    bits: u64,
}

impl Park {
    /// The key made of the first `pli` bits of an access rights identity.
    ///
    /// EN 300 175-6 6.1
    pub const fn new(ari: Ari, pli: u8) -> Result<Self, Error> {
        if pli == 0 || pli > ari.bit_count() {
            return Err(Error::Value(Rule::Range));
        }
        Ok(Self { pli, bits: ari.bits() >> (ari.bit_count() - pli) })
    }

    /// The key that admits exactly this access rights identity.
    ///
    /// EN 300 175-6 6.1
    pub const fn of(ari: Ari) -> Self {
        Self { pli: ari.bit_count(), bits: ari.bits() }
    }

    /// A key of `pli` bits as found on the air.
    ///
    /// EN 300 175-6 6.1
    pub const fn from_bits(pli: u8, bits: u64) -> Result<Self, Error> {
        if pli == 0 || pli > 36 || bits >> pli != 0 {
            Err(Error::Value(Rule::Range))
        } else {
            Ok(Self { pli, bits })
        }
    }

    /// Park length indicator: how many bits count.
    ///
    /// EN 300 175-6 6.1
    pub const fn pli(self) -> u8 {
        self.pli
    }

    /// The bits that count.
    ///
    /// EN 300 175-6 6.1
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// Whether the key admits a fixed part with this access rights identity.
    ///
    /// EN 300 175-6 6.1
    pub const fn admits(self, ari: Ari) -> bool {
        self.pli <= ari.bit_count() && ari.bits() >> (ari.bit_count() - self.pli) == self.bits
    }

    /// The whole identity when all its bits are in the key.
    ///
    /// EN 300 175-6 6.1
    pub fn ari(self) -> Option<Ari> {
        Ari::from_bits(self.pli, self.bits).ok()
    }

    /// The decimal and octal form: two decimal digits of length, then octal digits padded on the right (inferred).
    ///
    /// EN 300 175-6 6.1
    pub fn octal(self) -> String {
        let digits = self.pli.div_ceil(3);
        format!(
            "{:02}{:0width$o}",
            self.pli,
            self.bits << (3 * digits - self.pli),
            width = usize::from(digits)
        )
    }

    /// The check digit of the decimal and octal form, formed as that of an equipment identity (inferred).
    ///
    /// EN 300 175-6 annex C
    pub fn check_digit(self) -> char {
        check_digit(&self.octal())
    }
}

fn check_digit(digits: &str) -> char {
    let sum: u32 = digits.bytes().zip(1..).map(|(digit, weight)| u32::from(digit & 0xf) * weight).sum();
    char::from_digit(sum % 11, 10).unwrap_or('*')
}

impl fmt::Display for Park {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = (self.pli + 1).div_ceil(4);
        write!(
            f,
            "{:02x}{:0width$x}",
            self.pli,
            self.bits << (4 * digits - 1 - self.pli),
            width = usize::from(digits)
        )
    }
}

impl fmt::Debug for Park {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Park({self})")
    }
}

/// Reads a key of `pli` bits from `digits` in `base` 2^`width`, behind `leading` zero bits.
fn read(pli: u8, digits: &str, width: u8, leading: u8) -> Result<Park, Error> {
    let bits = u64::from_str_radix(digits, 1 << width).map_err(|_| Error::Value(Rule::Digit))?;
    let surplus =
        (digits.len() as u8 * width).checked_sub(pli + leading).ok_or(Error::Value(Rule::DigitCount))?;
    if surplus >= width || bits & ((1 << surplus) - 1) != 0 {
        return Err(Error::Value(Rule::DigitCount));
    }
    Park::from_bits(pli, bits >> surplus)
}

impl FromStr for Park {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text: String = text.chars().filter(|character| *character != ' ' && *character != '-').collect();
        if text.len() > 16 || !text.is_ascii() {
            return Err(Error::Value(Rule::DigitCount));
        }
        let (Some(length), Some(digits)) = (text.get(..2), text.get(2..)) else {
            return Err(Error::Value(Rule::DigitCount));
        };
        let hexadecimal = u8::from_str_radix(length, 16).map_err(|_| Error::Value(Rule::Digit))?;
        if digits.len() == usize::from((hexadecimal.saturating_add(1)).div_ceil(4)) {
            return read(hexadecimal, digits, 4, 1);
        }
        let decimal: u8 = length.parse().map_err(|_| Error::Value(Rule::DigitCount))?;
        let count = usize::from(decimal.div_ceil(3));
        let (Some(octal), Some(check)) = (digits.get(..count), digits.get(count..)) else {
            return Err(Error::Value(Rule::DigitCount));
        };
        let park = read(decimal, octal, 3, 0)?;
        match check.len() {
            0 => Ok(park),
            1 if check.starts_with(park.check_digit()) => Ok(park),
            1 => Err(Error::Value(Rule::CheckDigit)),
            _ => Err(Error::Value(Rule::DigitCount)),
        }
    }
}

serde_as_text!(Park);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_forms_name_the_same_key() {
        let park = Park::of(Ari::class_b(0x1234, 0x567).unwrap());
        assert_eq!((park.pli(), park.to_string().as_str()), (31, "1f11234567"));
        assert_eq!((park.octal().as_str(), park.check_digit()), ("3110443212634", '8'));
        for text in ["1f11234567", "1F 11234567", "3110443212634", "31104432126348", "31-10443212634-8"] {
            assert_eq!(text.parse(), Ok(park), "{text}");
        }
        let a = Park::of(Ari::class_a(0x1234, 0x567).unwrap());
        assert_eq!((a.to_string().as_str(), a.octal().as_str()), ("240123402b38", "36004432002547"));
        for text in ["240123402b38", "36004432002547"] {
            assert_eq!(text.parse(), Ok(a), "{text}");
        }
    }

    #[test]
    fn a_key_admits_the_identities_that_share_its_bits() {
        let ari = Ari::class_b(0x1234, 0x567).unwrap();
        assert!(Park::of(ari).admits(ari));
        assert!(!Park::of(ari).admits(Ari::class_b(0x1234, 0x566).unwrap()));
        let wide = Park::new(ari, 27).unwrap();
        assert!(wide.admits(ari) && wide.admits(Ari::class_b(0x1234, 0x566).unwrap()));
        assert!(!wide.admits(Ari::class_b(0x1235, 0x567).unwrap()));
        assert_eq!(wide.to_string().parse(), Ok(wide));
        assert_eq!(wide.octal().parse(), Ok(wide));
        assert_eq!(Park::of(ari).ari(), Some(ari));
        assert!(!Park::of(Ari::class_a(0x1234, 0x567).unwrap()).admits(ari));
    }

    #[test]
    fn wrong_texts_are_refused() {
        for (text, rule) in [
            ("", Rule::DigitCount),
            ("1f1123456", Rule::DigitCount),
            ("1g11234567", Rule::Digit),
            ("31104432126347", Rule::CheckDigit),
            ("3180443212634", Rule::Digit),
            ("3110443212635", Rule::DigitCount),
            ("1f91234567", Rule::Range),
        ] {
            assert_eq!(text.parse::<Park>(), Err(Error::Value(rule)), "{text}");
        }
    }
}
