//! Keys that travel over the link: wiped when dropped, never printed, compared in constant time.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The cipher key of a connection (DCK), 64 bits.
///
/// EN 300 175-7 5.2
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct CipherKey(pub [u8; 8]);

/// The SRTP keys of one bearer's audio, one for each direction.
///
/// docs/radio-link.md 5.2
#[derive(Clone, PartialEq, Eq)]
pub struct BearerKeys {
    /// Key and salt of the packets that the server sends.
    pub server: BearerKey,
    /// Key and salt of the packets that the base station sends.
    pub base_station: BearerKey,
}

/// A master key (16 octets) and master salt (14 octets) of AES_CM_128_HMAC_SHA1_80.
///
/// RFC 4568 6.2.1
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct BearerKey(pub [u8; 30]);

impl fmt::Debug for CipherKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CipherKey(..)")
    }
}

impl fmt::Debug for BearerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerKey(..)")
    }
}

impl fmt::Debug for BearerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerKeys(..)")
    }
}

impl PartialEq for CipherKey {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for CipherKey {}

impl PartialEq for BearerKey {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for BearerKey {}

/// Looks at every octet whatever the first difference is.
fn equal<const N: usize>(left: &[u8; N], right: &[u8; N]) -> bool {
    let difference = left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b));
    core::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_ever_printed() {
        let cipher = CipherKey([0xab; 8]);
        let key = BearerKey([0xab; 30]);
        let keys = BearerKeys { server: key.clone(), base_station: key.clone() };
        for text in [format!("{cipher:?}"), format!("{key:?}"), format!("{keys:?}")] {
            assert!(text.ends_with("(..)"), "{text}");
        }
    }

    #[test]
    fn keys_differ_when_one_bit_differs() {
        for bit in 0..64 {
            let mut other = [0x55; 8];
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(CipherKey([0x55; 8]), CipherKey(other));
        }
        assert_eq!(CipherKey([0x55; 8]), CipherKey([0x55; 8]));
    }

    #[test]
    fn a_wiped_key_is_zero() {
        let mut key = CipherKey([0x55; 8]);
        key.zeroize();
        assert_eq!(key.0, [0; 8]);
    }
}
