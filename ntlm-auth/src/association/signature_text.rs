//! Signatures as they stand in the headers: hexadecimal, in either case when they come, in lower case when they go.

use core::fmt;
use core::ops::Deref;

use crate::error::Error;

/// A signature in hexadecimal (`response`, `rspauth`), kept in place.
///
/// MS-SIPAE 2.2.1, 2.2.2
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SignatureText {
    digits: [u8; 2 * OCTETS_MAX],
    length: usize,
}

impl SignatureText {
    /// The text of a signature of up to 64 octets.
    ///
    /// MS-SIPAE 2.2.1
    pub fn new(signature: &[u8]) -> Result<Self, Error> {
        if signature.len() > OCTETS_MAX {
            return Err(Error::TooLong);
        }
        let mut digits = [0; 2 * OCTETS_MAX];
        for ([high, low], octet) in digits.as_chunks_mut().0.iter_mut().zip(signature) {
            (*high, *low) = (digit(octet >> 4), digit(octet & 15));
        }
        Ok(Self { digits, length: 2 * signature.len() })
    }

    /// The text.
    ///
    /// MS-SIPAE 2.2.1
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.digits
            .get(..self.length)
            .and_then(|digits| core::str::from_utf8(digits).ok())
            .unwrap_or_default()
    }
}

/// The octets of a signature.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignatureOctets {
    octets: [u8; OCTETS_MAX],
    length: usize,
}

impl SignatureOctets {
    /// Reads digits in upper or lower case.
    pub(crate) fn of(digits: &str) -> Result<Self, Error> {
        let (pairs, odd) = digits.as_bytes().as_chunks::<2>();
        if !odd.is_empty() || pairs.len() > OCTETS_MAX {
            return Err(Error::BadSignature);
        }
        let value = |digit: u8| char::from(digit).to_digit(16).ok_or(Error::BadSignature);
        let mut octets = [0; OCTETS_MAX];
        for (octet, [high, low]) in octets.iter_mut().zip(pairs) {
            *octet = (value(*high)? << 4 | value(*low)?) as u8;
        }
        Ok(Self { octets, length: pairs.len() })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or_default()
    }
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

impl Deref for SignatureText {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for SignatureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for SignatureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// More than any mechanism's signature: SHA-384 has 48 octets.
const OCTETS_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_go_in_lower_case_and_come_in_either() {
        let text = SignatureText::new(&[0x01, 0x00, 0xab, 0xef]).expect("it is short");
        assert_eq!(text.as_str(), "0100abef");
        assert_eq!(
            SignatureOctets::of("0100ABef").map(|read| read.as_slice().to_vec()),
            Ok(vec![1, 0, 0xab, 0xef])
        );
        for broken in ["0", "0g", "+1", "ü0", &"00".repeat(65)] {
            assert!(SignatureOctets::of(broken).is_err(), "{broken}");
        }
        assert_eq!(SignatureText::new(&[0; 65]), Err(Error::TooLong));
    }
}
