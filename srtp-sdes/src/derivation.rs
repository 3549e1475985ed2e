//! Session keys from master key and salt.

use zeroize::Zeroizing;

use crate::CryptoSuite;
use crate::authentication::AuthenticationKey;
use crate::cipher::{BlockKey, f8_mask};
use crate::galois::Powers;
use crate::session::Session;
use crate::simd::Processor;
use crate::suite::Cipher;

/// Which packets the keys are for: the first of three labels.
///
/// RFC 3711 4.3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    Rtp = 0,
    Rtcp = 3,
}

/// What a suite needs beside a cipher and an authentication key.
#[derive(Clone)]
pub(crate) enum Second {
    Nothing,
    /// The powers of the hash key, of Galois/counter mode.
    Powers(Powers),
    /// The key that makes the first vector, of f8 mode.
    Mask(BlockKey),
}

/// All session keys of one master key for RTP or for RTCP, spread out; large, and short-lived.
pub(crate) struct Derived {
    pub(crate) suite: CryptoSuite,
    pub(crate) cipher: BlockKey,
    /// Session salt and first round key; of f8 mode the first round key alone.
    pub(crate) vector: Zeroizing<u128>,
    pub(crate) authentication: AuthenticationKey,
    pub(crate) second: Second,
}

impl Derived {
    /// RFC 3711 4.3.1 with `r`, the index divided by the key derivation rate, or 0.
    pub(crate) fn new(
        (suite, processor): (CryptoSuite, Processor),
        (key, salt): (&[u8], &[u8]),
        labels: Labels,
        r: u64,
    ) -> Self {
        let prf = Prf::new(processor, key, salt, r);
        let label = labels as u8;
        let mut cipher_key = Zeroizing::new([0_u8; 32]);
        let (cipher_key, _) = cipher_key.split_at_mut(suite.master_key_length());
        prf.fill(label, cipher_key);
        let cipher = BlockKey::new(processor, cipher_key);
        let mut authentication_key = Zeroizing::new([0_u8; 20]);
        if suite.cipher() != Cipher::Galois {
            prf.fill(label + 1, authentication_key.as_mut_slice());
        }
        let mut octets = Zeroizing::new([0_u8; 16]);
        let (salt, _) = octets.split_at_mut(suite.master_salt_length());
        prf.fill(label + 2, salt);
        let second = match suite.cipher() {
            Cipher::CounterMode | Cipher::Null => Second::Nothing,
            Cipher::F8 => Second::Mask(f8_mask(processor, cipher_key, salt)),
            Cipher::Galois => Second::Powers(Powers::new(processor, cipher.encrypt_block(0))),
        };
        // In f8 mode the salt is in the mask.
        let salt = if suite.cipher() == Cipher::F8 { 0 } else { u128::from_be_bytes(*octets) };
        Self {
            suite,
            vector: Zeroizing::new(salt ^ cipher.whitening()),
            authentication: AuthenticationKey::new(&authentication_key),
            cipher,
            second,
        }
    }

    /// The keys as the packets use them.
    pub(crate) fn session(&self) -> Session<'_> {
        Session {
            cipher: self.suite.cipher(),
            rounds: self.cipher.rounds(),
            vector: *self.vector,
            authentication: &self.authentication,
            second: &self.second,
        }
    }

    #[cfg(test)]
    pub(crate) fn galois_for_test(processor: Processor, key: &[u8], salt: &[u8]) -> Self {
        let mut octets = [0; 16];
        octets[..12].copy_from_slice(salt);
        let cipher = BlockKey::new(processor, key);
        Self {
            suite: if key.len() == 16 { CryptoSuite::AeadAes128Gcm } else { CryptoSuite::AeadAes256Gcm },
            vector: Zeroizing::new(u128::from_be_bytes(octets) ^ cipher.whitening()),
            authentication: AuthenticationKey::new(&[0; 20]),
            second: Second::Powers(Powers::new(processor, cipher.encrypt_block(0))),
            cipher,
        }
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
    pub(crate) fn new(processor: Processor, key: &[u8], salt: &[u8], r: u64) -> Self {
        let mut octets = Zeroizing::new([0_u8; 16]);
        // A salt of 12 octets stands at the left of 14; RFC 7714 11.
        for (to, from) in octets.iter_mut().zip(salt) {
            *to = *from;
        }
        Self {
            key: BlockKey::new(processor, key),
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
        let prf = Prf::new(
            Processor::detect(),
            &hex("e1f97a0d3e018be0d64fa32c06de4139"),
            &hex("0ec675ad498afeebb6960b3aabe6"),
            0,
        );
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
        let key_used = BlockKey::new(Processor::Portable, &key);
        let expected = key_used.encrypt_block(u128::from_be_bytes(x.try_into().unwrap())).to_be_bytes();
        let mut derived = [0; 16];
        Prf::new(Processor::detect(), &key, &salt, 0x1234_5678_9abc).fill(5, &mut derived);
        assert_eq!(derived, expected);
    }
}
