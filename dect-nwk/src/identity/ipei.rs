//! International portable equipment identity.

use std::{fmt, str::FromStr};

use crate::{
    coding::serde_as_text,
    error::{Error, Rule},
};

/// The identity burnt into a portable part: manufacturer code and serial number.
///
/// The text form is `EEEEE PPPPPPP C` with the check digit at the end, which may be left out in reading.
///
/// EN 300 175-6 10, annex C
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipei {
    emc: u16,
    psn: u32,
}

impl Ipei {
    /// An identity of the equipment manufacturer's code and the 20 bit portable equipment serial number.
    ///
    /// EN 300 175-6 10
    pub const fn new(emc: u16, psn: u32) -> Result<Self, Error> {
        if psn >> 20 == 0 { Ok(Self { emc, psn }) } else { Err(Error::Value(Rule::Range)) }
    }

    /// An identity from its 36 bits.
    ///
    /// EN 300 175-6 10
    pub const fn from_bits(bits: u64) -> Result<Self, Error> {
        if bits >> 36 == 0 {
            Ok(Self { emc: (bits >> 20) as u16, psn: bits as u32 & 0xf_ffff })
        } else {
            Err(Error::Value(Rule::Range))
        }
    }

    /// The 36 bits, manufacturer's code first.
    ///
    /// EN 300 175-6 10
    pub const fn bits(self) -> u64 {
        (self.emc as u64) << 20 | self.psn as u64
    }

    /// Equipment manufacturer's code.
    ///
    /// EN 300 175-6 10
    pub const fn emc(self) -> u16 {
        self.emc
    }

    /// Portable equipment serial number.
    ///
    /// EN 300 175-6 10
    pub const fn psn(self) -> u32 {
        self.psn
    }

    /// Digits of the printed form, the check digit aside.
    pub const DIGITS: usize = 12;

    /// The check digit of the printed form: a decimal digit or `*`.
    ///
    /// EN 300 175-6 annex C
    pub fn check_digit(self) -> char {
        let digits = format!("{:05}{:07}", self.emc, self.psn);
        let sum: u32 = digits.bytes().zip(1..).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        char::from_digit(sum % 11, 10).unwrap_or('*')
    }
}

impl fmt::Display for Ipei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:05} {:07} {}", self.emc, self.psn, self.check_digit())
    }
}

impl fmt::Debug for Ipei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ipei({self})")
    }
}

impl FromStr for Ipei {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut digits = text.chars().filter(|character| *character != ' ' && *character != '-');
        let mut number = |count: u32| {
            (0..count).try_fold(0_u32, |number, _| {
                let character = digits.next().ok_or(Error::Value(Rule::DigitCount))?;
                let digit = character.to_digit(10).ok_or(Error::Value(Rule::Digit))?;
                Ok::<_, Error>(number * 10 + digit)
            })
        };
        let emc = u16::try_from(number(5)?).map_err(|_| Error::Value(Rule::Range))?;
        let ipei = Self::new(emc, number(7)?)?;
        match (digits.next(), digits.next()) {
            (None, _) => Ok(ipei),
            (Some(_), Some(_)) => Err(Error::Value(Rule::DigitCount)),
            (Some(check), None) if check == ipei.check_digit() => Ok(ipei),
            (Some('0'..='9' | '*'), None) => Err(Error::Value(Rule::CheckDigit)),
            (Some(_), None) => Err(Error::Value(Rule::Digit)),
        }
    }
}

serde_as_text!(Ipei);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_form_ends_with_a_check_digit() {
        for (emc, psn, text) in [
            (5003, 70387, "05003 0070387 8"),
            (12, 137, "00012 0000137 9"),
            (65535, 1_048_575, "65535 1048575 2"),
            (5003, 7, "05003 0000007 *"),
        ] {
            let ipei = Ipei::new(emc, psn).unwrap();
            assert_eq!(ipei.to_string(), text);
            assert_eq!(text.parse(), Ok(ipei));
            assert_eq!(text[..13].parse(), Ok(ipei));
            assert_eq!(text.replace(' ', "").parse(), Ok(ipei));
            assert_eq!(Ipei::from_bits(ipei.bits()), Ok(ipei));
        }
    }

    #[test]
    fn wrong_texts_are_refused_by_rule() {
        for (text, rule) in [
            ("05003 0070387 7", Rule::CheckDigit),
            ("05003 0070387 *", Rule::CheckDigit),
            ("05003 007038", Rule::DigitCount),
            ("05003 0070387 81", Rule::DigitCount),
            ("0500x 0070387", Rule::Digit),
            ("05003 0070387 x", Rule::Digit),
            ("65536 0070387", Rule::Range),
            ("65535 1048576", Rule::Range),
        ] {
            assert_eq!(text.parse::<Ipei>(), Err(Error::Value(rule)), "{text}");
        }
    }

    #[test]
    fn the_bits_are_manufacturer_then_serial_number() {
        assert_eq!(Ipei::new(5003, 70387).unwrap().bits(), 0x1_38b1_12f3);
        assert!(Ipei::from_bits(1 << 36).is_err());
    }
}
