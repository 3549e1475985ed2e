//! Master key, master salt and the one-shot source of both.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::CryptoSuite;

/// A master key; wiped on drop, opaque to `Debug`, compared in constant time.
///
/// RFC 3711 3.2.1
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey(Box<[u8]>);

/// A master salt; kept like the key.
///
/// RFC 3711 3.2.1
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterSalt(Box<[u8]>);

macro_rules! secret {
    ($name:ident) => {
        impl $name {
            /// Copies the octets of a suite's key or salt.
            ///
            /// RFC 3711 3.2.1
            pub fn new(octets: &[u8]) -> Self {
                Self(octets.into())
            }

            /// The octets themselves, for those who must write them down.
            ///
            /// RFC 3711 3.2.1
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({} octets)"), self.0.len())
            }
        }
    };
}

secret!(MasterKey);
secret!(MasterSalt);

/// The randomness of one offer or answer: 32 octets from a good generator, never used twice.
///
/// RFC 4568 7.1.1
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}

/// Draws master keys from a seed: HMAC-SHA-256 over a counter.
#[derive(ZeroizeOnDrop)]
pub(crate) struct KeySource {
    seed: Seed,
    #[zeroize(skip)]
    drawn: u64,
}

impl KeySource {
    pub(crate) const fn new(seed: Seed) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A master key and a master salt, as RFC 4568 7.1.1 demands: fresh for each line.
    pub(crate) fn draw(&mut self, suite: CryptoSuite) -> (MasterKey, MasterSalt) {
        let mut octets = Zeroizing::new([0_u8; 64]);
        for (half, block) in octets.chunks_exact_mut(32).enumerate() {
            // HMAC takes keys of any length, so that this cannot fail.
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.seed.0) else { continue };
            mac.update(b"srtp-sdes master key");
            mac.update(&self.drawn.to_be_bytes());
            mac.update(&[half as u8]);
            let mut drawn = mac.finalize().into_bytes();
            block.copy_from_slice(&drawn);
            drawn.as_mut_slice().zeroize();
        }
        self.drawn += 1;
        let (key, rest) = octets.split_at(suite.master_key_length());
        let (salt, _) = rest.split_at(suite.master_salt_length());
        (MasterKey::new(key), MasterSalt::new(salt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_drawn_twice() {
        let mut source = KeySource::new(Seed([7; 32]));
        let one = source.draw(CryptoSuite::AesCm128HmacSha1_80);
        let two = source.draw(CryptoSuite::AesCm128HmacSha1_80);
        assert_ne!(one, two);
        assert_eq!(one, KeySource::new(Seed([7; 32])).draw(CryptoSuite::AesCm128HmacSha1_80));
        assert_ne!(one, KeySource::new(Seed([8; 32])).draw(CryptoSuite::AesCm128HmacSha1_80));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let key = MasterKey::new(&[0xab; 16]);
        assert_eq!(format!("{key:?}"), "MasterKey(16 octets)");
        assert_eq!(format!("{:?}", Seed([0xab; 32])), "Seed");
    }
}
