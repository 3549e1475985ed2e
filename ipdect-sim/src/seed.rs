//! The one source of randomness of a machine.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The only randomness a machine of this crate gets.
///
/// The shells fill it from the operating system; a test writes a number into it and has the same run again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// A seed of a test or of a reproducible demonstration.
    pub fn from_number(number: u64) -> Self {
        let mut octets = [0; 32];
        for (octet, byte) in octets.iter_mut().zip(number.to_be_bytes()) {
            *octet = byte;
        }
        Self(octets)
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// HMAC-SHA-256 over a counter, keyed with the seed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Random {
    seed: Seed,
    counter: u64,
}

impl Random {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, counter: 0 }
    }

    /// The next 32 octets.
    pub(crate) fn octets(&mut self) -> [u8; 32] {
        self.counter = self.counter.wrapping_add(1);
        self.keyed(&self.counter.to_be_bytes())
    }

    pub(crate) fn number(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.octets();
        u32::from_be_bytes([a, b, c, d])
    }

    /// A token of `digits` (at most 64) hexadecimal digits.
    pub(crate) fn token(&mut self, digits: usize) -> String {
        let mut text = hexadecimal(&self.octets());
        text.truncate(digits);
        text
    }

    /// A seed for a machine that this one owns.
    pub(crate) fn seed(&mut self) -> Seed {
        Seed(self.octets())
    }

    /// The keyed digest of a text: what the front end signs its routes with.
    pub(crate) fn keyed(&self, text: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.seed.0).unwrap_or_else(|_| {
            // HMAC takes keys of every length (FIPS 198-1 4); this arm is never reached.
            Hmac::<Sha256>::new(&hmac::digest::Key::<Hmac<Sha256>>::default())
        });
        mac.update(text);
        mac.finalize().into_bytes().into()
    }
}

/// Lower-case hexadecimal digits without separators.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_run_and_another_seed_another() {
        let mut a = Random::new(Seed::from_number(1));
        let mut b = Random::new(Seed::from_number(1));
        let mut c = Random::new(Seed::from_number(2));
        let first = a.octets();
        assert_eq!(first, b.octets());
        assert_ne!(first, c.octets());
        assert_ne!(first, a.octets());
        assert_eq!(a.token(10).len(), 10);
    }

    #[test]
    fn a_seed_is_not_shown() {
        assert_eq!(format!("{:?}", Seed::from_number(7)), "Seed(..)");
    }
}
