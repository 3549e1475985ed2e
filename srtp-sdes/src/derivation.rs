//! Session keys from master key and salt.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::CryptoSuite;
use crate::authentication::AuthenticationKey;
use crate::cipher::{BlockKey, F8Key};
use crate::galois::GaloisKey;
use crate::scrub::scrubbed;
use crate::suite::Cipher;

/// Which packets the keys are for: the first of three labels.
///
/// RFC 3711 4.3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    Rtp = 0,
    Rtcp = 3,
}

/// A session salt, its octets at the left; wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct SessionSalt([u8; 16]);

impl SessionSalt {
    /// Shifted left by 16 bits, as counter mode wants it.
    #[inline]
    pub(crate) const fn shifted(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

/// The session keys of one master key for RTP or for RTCP.
#[derive(Clone)]
pub(crate) enum SessionKeys {
    CounterMode { cipher: BlockKey, salt: SessionSalt, authentication: AuthenticationKey },
    F8 { cipher: F8Key, authentication: AuthenticationKey },
    Galois { cipher: GaloisKey, salt: SessionSalt },
    Null { authentication: AuthenticationKey },
}

impl SessionKeys {
    /// RFC 3711 4.3.1 with `r`, the index divided by the key derivation rate, or 0.
    pub(crate) fn derive(suite: CryptoSuite, key: &[u8], salt: &[u8], labels: Labels, r: u64) -> Self {
        scrubbed(|| Self::derive_unscrubbed(suite, key, salt, labels, r))
    }

    fn derive_unscrubbed(suite: CryptoSuite, key: &[u8], salt: &[u8], labels: Labels, r: u64) -> Self {
        let prf = Prf::new(key, salt, r);
        let label = labels as u8;
        let mut cipher_key = Zeroizing::new([0_u8; 32]);
        let (cipher_key, _) = cipher_key.split_at_mut(suite.master_key_length());
        prf.fill(label, cipher_key);
        let authentication = || {
            let mut octets = Zeroizing::new([0_u8; 20]);
            prf.fill(label + 1, octets.as_mut_slice());
            AuthenticationKey::new(&octets)
        };
        let session_salt = || {
            let mut octets = SessionSalt([0; 16]);
            let (salt, _) = octets.0.split_at_mut(suite.master_salt_length());
            prf.fill(label + 2, salt);
            octets
        };
        match suite.cipher() {
            Cipher::CounterMode => Self::CounterMode {
                cipher: BlockKey::new(cipher_key),
                salt: session_salt(),
                authentication: authentication(),
            },
            Cipher::F8 => {
                let mut key = Zeroizing::new([0_u8; 16]);
                key.copy_from_slice(cipher_key);
                let salt = session_salt();
                let (salt, _) = salt.0.split_at(suite.master_salt_length());
                Self::F8 { cipher: F8Key::new(&key, salt), authentication: authentication() }
            }
            Cipher::Galois => Self::Galois { cipher: GaloisKey::new(cipher_key), salt: session_salt() },
            Cipher::Null => Self::Null { authentication: authentication() },
        }
    }

    /// The key of HMAC-SHA1, where that makes the tags.
    #[inline]
    pub(crate) const fn authentication(&self) -> Option<&AuthenticationKey> {
        match self {
            Self::CounterMode { authentication, .. }
            | Self::F8 { authentication, .. }
            | Self::Null { authentication } => Some(authentication),
            Self::Galois { .. } => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn galois_for_test(key: &[u8], salt: &[u8]) -> Self {
        let mut octets = SessionSalt([0; 16]);
        octets.0[..12].copy_from_slice(salt);
        Self::Galois { cipher: GaloisKey::new(key), salt: octets }
    }
}

/// The pseudo-random function: AES in counter mode under the master key.
///
/// RFC 3711 4.3.3, RFC 6188 3
pub(crate) struct Prf {
    key: BlockKey,
    /// Master salt and `r`, shifted left by 16 bits.
    salt: Zeroizing<u128>,
}

impl Prf {
    pub(crate) fn new(key: &[u8], salt: &[u8], r: u64) -> Self {
        let mut octets = Zeroizing::new([0_u8; 16]);
        // A salt of 12 octets stands at the left of 14; RFC 7714 11.
        for (to, from) in octets.iter_mut().zip(salt) {
            *to = *from;
        }
        Self {
            key: BlockKey::new(key),
            salt: Zeroizing::new(u128::from_be_bytes(*octets) ^ (u128::from(r) << 16)),
        }
    }

    pub(crate) fn fill(&self, label: u8, output: &mut [u8]) {
        output.fill(0);
        self.key.counter_mode(*self.salt ^ (u128::from(label) << 64), 0, output);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// RFC 3711 B.3
    #[test]
    fn the_example_of_the_rfc_is_derived() {
        let prf = Prf::new(&hex("e1f97a0d3e018be0d64fa32c06de4139"), &hex("0ec675ad498afeebb6960b3aabe6"), 0);
        let mut key = [0; 16];
        prf.fill(0, &mut key);
        assert_eq!(key[..], hex("c61e7a93744f39ee10734afe3ff7a087"));
        let mut authentication = [0; 94];
        prf.fill(1, &mut authentication);
        assert_eq!(authentication[..20], hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
        let mut salt = [0; 14];
        prf.fill(2, &mut salt);
        assert_eq!(salt[..], hex("30cbbc08863d8c85d49db34a9ae1"));
    }

    /// RFC 3711 4.3.1: key_id is the label and 48 bits of r, and x is its sum with the salt, all ending at the right.
    #[test]
    fn the_quotient_of_the_index_goes_into_the_derivation() {
        let key = hex("e1f97a0d3e018be0d64fa32c06de4139");
        let salt = hex("0ec675ad498afeebb6960b3aabe6");
        let key_id = hex("05123456789abc");
        let mut x = salt.clone();
        for (octet, id) in x.iter_mut().rev().zip(key_id.iter().rev()) {
            *octet ^= id;
        }
        x.extend([0, 0]);
        let expected = BlockKey::new(&key).encrypt_block(x.try_into().unwrap());
        let mut derived = [0; 16];
        Prf::new(&key, &salt, 0x1234_5678_9abc).fill(5, &mut derived);
        assert_eq!(derived, expected);
    }
}
