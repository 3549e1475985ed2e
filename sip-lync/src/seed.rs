//! Where branches, tags and Call-IDs come from: a keyed counter over one seed.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

/// The only randomness an endpoint gets; the same seed and inputs give the same bytes.
///
/// RFC 3261 19.3 demands tags with 32 random bits, RFC 4086 tells how to get a seed.
///
/// RFC 3261 19.3
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// A generator of the random words of SIP: HMAC-SHA-256 of a label and a counter under the seed. Words
/// are taken from one block one after the other, and no octet twice.
///
/// RFC 3261 19.3, RFC 2104
#[derive(Clone)]
pub struct Words {
    seed: Seed,
    counter: u64,
    /// HMAC that has read its key.
    keyed: Option<Hmac<Sha256>>,
    /// The block that words are taken from.
    block: [u8; BLOCK],
    /// How many of its octets are given out.
    used: usize,
}

/// Octets of one HMAC.
const BLOCK: usize = 32;

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        (self.seed, self.counter, self.used) == (other.seed, other.counter, other.used)
    }
}

impl Eq for Words {}

impl Hash for Words {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.seed, self.counter, self.used).hash(state);
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words")
            .field("seed", &self.seed)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

impl Words {
    /// A generator that starts at its first word.
    ///
    /// RFC 3261 19.3
    #[must_use]
    pub const fn new(seed: Seed) -> Self {
        Self { seed, counter: 0, keyed: None, block: [0; BLOCK], used: BLOCK }
    }

    /// The branch parameter of a new transaction.
    ///
    /// RFC 3261 8.1.1.7
    pub fn branch(&mut self) -> String {
        self.branch_word().to_string()
    }

    /// The same without an allocation.
    pub(crate) fn branch_word(&mut self) -> Word {
        Word::hex("z9hG4bK", &self.drawn::<10>())
    }

    /// A tag for From or To: ten digits as the clients of the dialect write them.
    ///
    /// RFC 3261 19.3
    pub fn tag(&mut self) -> String {
        self.tag_word().to_string()
    }

    /// The same without an allocation.
    pub(crate) fn tag_word(&mut self) -> Word {
        Word::hex("", &self.drawn::<5>())
    }

    /// A Call-ID without a host part.
    ///
    /// RFC 3261 8.1.1.4
    pub fn call_id(&mut self) -> String {
        Word::hex("", &self.drawn::<16>()).to_string()
    }

    /// The key that leads requests for a contact of ours back to its user.
    ///
    /// MS-SIPRE 2.2
    pub fn opaque(&mut self) -> String {
        Word::hex("", &self.drawn::<8>()).to_string()
    }

    /// The octets of a conversation identifier.
    ///
    /// MS-CONFBAS 2.2
    pub fn conversation(&mut self) -> [u8; 20] {
        self.drawn::<20>()
    }

    /// The number of a first reliable provisional response.
    ///
    /// RFC 3262 3
    pub fn sequence(&mut self) -> u32 {
        (u32::from_be_bytes(self.drawn::<4>()) >> 1).max(1)
    }

    /// The random number of a signature: eight digits.
    ///
    /// MS-SIPAE 2.2
    pub fn random(&mut self) -> String {
        Word::hex("", &self.drawn::<4>()).to_string()
    }

    /// A duration spread evenly over `lowest` to `highest`, in steps of 10 ms.
    ///
    /// RFC 3261 14.1
    pub fn between(&mut self, lowest: Duration, highest: Duration) -> Duration {
        let steps = highest.saturating_sub(lowest).as_millis() / 10 + 1;
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let step = u64::from_be_bytes(self.drawn::<8>()) % steps;
        lowest.saturating_add(Duration::from_millis(step.saturating_mul(10)))
    }

    /// The octets of new credentials of ICE.
    ///
    /// RFC 8445 5.3
    pub(crate) fn secret(&mut self) -> [u8; 48] {
        let mut octets = [0; 48];
        let [first, second] = [self.octets::<32>(b"ice name"), self.octets::<32>(b"ice password")];
        for (octet, random) in octets.iter_mut().zip(first.into_iter().chain(second)) {
            *octet = random;
        }
        octets
    }

    /// Octets for one purpose, told by its label.
    pub(crate) fn octets<const N: usize>(&mut self, label: &[u8]) -> [u8; N] {
        let mut octets = [0; N];
        for (octet, random) in octets.iter_mut().zip(self.next_block(label)) {
            *octet = random;
        }
        octets
    }

    /// Octets of the block that words are taken from.
    fn drawn<const N: usize>(&mut self) -> [u8; N] {
        const { assert!(N <= BLOCK, "a word is taken from one block") };
        let mut octets = [0; N];
        if self.used + N > BLOCK {
            self.block = self.next_block(b"words");
            self.used = 0;
        }
        for (octet, random) in octets.iter_mut().zip(self.block.iter().skip(self.used)) {
            *octet = *random;
        }
        self.used += N;
        octets
    }

    fn next_block(&mut self, label: &[u8]) -> [u8; BLOCK] {
        if self.keyed.is_none() {
            // A key of 32 octets is accepted by HMAC always.
            self.keyed = Hmac::new_from_slice(&self.seed.0).ok();
        }
        let mut block = [0; BLOCK];
        if let Some(mut mac) = self.keyed.clone() {
            mac.update(label);
            mac.update(&self.counter.to_be_bytes());
            block = mac.finalize().into_bytes().into();
        }
        self.counter = self.counter.wrapping_add(1);
        block
    }
}

/// One of the words, where it was drawn.
pub(crate) struct Word {
    octets: [u8; LONGEST],
    length: usize,
}

/// The longest word is a Call-ID.
const LONGEST: usize = BLOCK;

impl Word {
    /// Text and behind it the digits of octets.
    fn hex(text: &str, octets: &[u8]) -> Self {
        let mut word = [0; LONGEST];
        let digit = |digit: u8| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        let digits = octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 0x0f)]);
        for (to, from) in word.iter_mut().zip(text.bytes().chain(digits)) {
            *to = from;
        }
        Self { octets: word, length: text.len() + octets.len() * 2 }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.octets.get(..self.length).and_then(|word| str::from_utf8(word).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_words() {
        let mut left = Words::new(Seed([7; 32]));
        let mut right = Words::new(Seed([7; 32]));
        let mut other = Words::new(Seed([8; 32]));
        assert_eq!(left.branch(), right.branch());
        assert_eq!(left.tag(), right.tag());
        assert_ne!(left.call_id(), other.call_id());
    }

    #[test]
    fn words_never_repeat() {
        let mut words = Words::new(Seed([1; 32]));
        let first = words.branch();
        assert!(first.starts_with("z9hG4bK"));
        assert_eq!(first.len(), 27);
        assert_ne!(first, words.branch());
        assert_eq!(words.tag().len(), 10);
        assert_eq!(words.call_id().len(), 32);
    }

    #[test]
    fn spread_stays_within_its_bounds() {
        let mut words = Words::new(Seed([1; 32]));
        let (lowest, highest) = (Duration::from_millis(2100), Duration::from_secs(4));
        for _ in 0..500 {
            let spread = words.between(lowest, highest);
            assert!(spread >= lowest && spread <= highest);
        }
        assert_eq!(words.between(highest, lowest), highest);
    }
}
