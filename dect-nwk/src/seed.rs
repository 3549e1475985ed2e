//! The only randomness of the crate: a seed given at construction, expanded with a keyed counter.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

/// Thirty-two octets of real randomness from which a machine derives every random number it needs.
///
/// Each machine needs a seed of its own. The octets are wiped on drop and never printed.
///
/// EN 300 175-7 4.5.2 (random numbers of the authentication procedures)
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl core::fmt::Debug for Seed {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Seed(..)")
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// HMAC-SHA-256 over a counter, keyed with the seed: the stream of random numbers of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Generator {
    seed: Seed,
    counter: u64,
}

impl Generator {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next `N` octets, `N` at most 32.
    pub(crate) fn octets<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= 32, "one block is thirty-two octets") };
        let mut out = [0; N];
        self.counter = self.counter.wrapping_add(1);
        // HMAC takes keys of every length, so the error arm cannot be reached.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.seed.0) {
            mac.update(&self.counter.to_be_bytes());
            let block = mac.finalize().into_bytes();
            for (target, source) in out.iter_mut().zip(block.iter()) {
                *target = *source;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream_and_no_block_twice() {
        let mut left = Generator::new(Seed([7; 32]));
        let mut right = Generator::new(Seed([7; 32]));
        let first: [u8; 16] = left.octets();
        assert_eq!(first, right.octets());
        assert_ne!(first, left.octets());
        assert_ne!(first, Generator::new(Seed([8; 32])).octets());
    }

    #[test]
    fn a_seed_is_not_printed() {
        assert_eq!(format!("{:?}", Seed([0xAB; 32])), "Seed(..)");
    }
}
