//! The master key identifier.

use core::fmt;

/// Longest MKI on the wire.
///
/// RFC 4568 9.2
pub const MKI_LENGTH_LIMIT: usize = 128;

/// A master key identifier: an integer sent in a fixed number of octets, the most significant first.
///
/// RFC 3711 3.1, RFC 4568 6.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MasterKeyIdentifier(Box<[u8]>);

impl MasterKeyIdentifier {
    /// What Lync writes: value 1 in one octet.
    ///
    /// MS-SDPEXT 3.1.5.1
    pub fn lync() -> Self {
        Self([1].into())
    }

    /// The identifier with these octets, 1 to 128 of them.
    ///
    /// RFC 4568 6.1
    pub fn new(octets: &[u8]) -> Option<Self> {
        (1..=MKI_LENGTH_LIMIT).contains(&octets.len()).then(|| Self(octets.into()))
    }

    /// The identifier of a decimal value in `length` octets; nothing if it does not fit.
    ///
    /// RFC 4568 6.1
    pub fn from_decimal(value: &str, length: usize) -> Option<Self> {
        // 128 octets hold 309 digits; leading zeros beyond that serve nobody.
        if !(1..=MKI_LENGTH_LIMIT).contains(&length) || value.is_empty() || value.len() > 309 {
            return None;
        }
        let mut octets = vec![0_u8; length];
        for digit in value.bytes() {
            let mut carry = u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
            for octet in octets.iter_mut().rev() {
                carry += u16::from(*octet) * 10;
                *octet = (carry & 0xff) as u8;
                carry >>= 8;
            }
            if carry != 0 {
                return None;
            }
        }
        Some(Self(octets.into()))
    }

    /// The octets on the wire.
    ///
    /// RFC 3711 3.1
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value, if it is small enough.
    ///
    /// RFC 4568 6.1
    pub fn value(&self) -> Option<u64> {
        self.0
            .iter()
            .try_fold(0_u64, |value, octet| (value >> 56 == 0).then_some((value << 8) | u64::from(*octet)))
    }

    /// The value as decimal digits, whatever its size.
    ///
    /// RFC 4568 6.1
    pub fn to_decimal(&self) -> String {
        let mut octets = self.0.to_vec();
        let mut digits = Vec::new();
        loop {
            let mut rest = 0_u16;
            for octet in &mut octets {
                rest = (rest << 8) | u16::from(*octet);
                *octet = (rest / 10) as u8;
                rest %= 10;
            }
            digits.push(b'0' + rest as u8);
            if octets.iter().all(|octet| *octet == 0) {
                break;
            }
        }
        digits.iter().rev().map(|digit| char::from(*digit)).collect()
    }
}

impl fmt::Display for MasterKeyIdentifier {
    /// `value:length`, as in a key line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.to_decimal(), self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_fills_its_octets_from_the_right() {
        let mki = MasterKeyIdentifier::from_decimal("1", 4).unwrap();
        assert_eq!(mki.as_bytes(), [0, 0, 0, 1]);
        assert_eq!(mki.to_string(), "1:4");
        assert_eq!(mki.value(), Some(1));
        assert_eq!(MasterKeyIdentifier::from_decimal("0", 1).unwrap().to_string(), "0:1");
    }

    #[test]
    fn the_longest_identifier_survives() {
        let mki = MasterKeyIdentifier::new(&[0xff; 128]).unwrap();
        let decimal = mki.to_decimal();
        assert_eq!(decimal.len(), 309);
        assert_eq!(MasterKeyIdentifier::from_decimal(&decimal, 128), Some(mki.clone()));
        assert_eq!(mki.value(), None);
        assert_eq!(
            MasterKeyIdentifier::new(&[0, 0xff, 0, 0, 0, 0, 0, 0, 0]).unwrap().value(),
            Some(0xff << 56)
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (value, length) in [("1", 0), ("1", 129), ("256", 1), ("", 1), ("1a", 1), ("-1", 1), ("65536", 2)]
        {
            assert_eq!(MasterKeyIdentifier::from_decimal(value, length), None, "{value}:{length}");
        }
        assert_eq!(MasterKeyIdentifier::from_decimal("255", 1).unwrap().as_bytes(), [255]);
    }
}
