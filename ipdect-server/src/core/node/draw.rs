//! Randomness of a node: all of it follows from one seed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The only randomness of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A keyed counter: every draw is independent of the others and of the order of nothing but draws.
#[derive(Debug)]
pub(super) struct Draw {
    key: Seed,
    count: u64,
}

impl Draw {
    pub(super) fn new(key: Seed) -> Self {
        Self { key, count: 0 }
    }

    pub(super) fn bytes(&mut self, label: &str) -> [u8; 32] {
        self.count += 1;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key.0).unwrap_or_else(|_| unreachable!("any key length"));
        mac.update(label.as_bytes());
        mac.update(&self.count.to_be_bytes());
        mac.finalize().into_bytes().into()
    }

    pub(super) fn number(&mut self, label: &str) -> u32 {
        let [a, b, c, d, ..] = self.bytes(label);
        u32::from_be_bytes([a, b, c, d])
    }
}
