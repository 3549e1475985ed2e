//! Nonces that the server need not remember.

use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::config::Path;
use crate::seed::Seed;

/// Digits of a nonce: the minute it was made in, and a keyed hash of that and of whom it is for.
const DIGITS: usize = 16;

/// What a nonce turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nonce {
    Good,
    Stale,
}

/// Makes and checks nonces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Nonces {
    seed: Seed,
    start: Option<Instant>,
}

impl Nonces {
    pub(super) const fn new(seed: Seed) -> Self {
        Self { seed, start: None }
    }

    fn minute(&mut self, now: Instant) -> u32 {
        let start = *self.start.get_or_insert(now);
        (now.saturating_duration_since(start).as_secs() / 60) as u32
    }

    /// A nonce for a client, in quotes.
    pub(super) fn make(&mut self, now: Instant, client: Path) -> [u8; DIGITS + 2] {
        let minute = self.minute(now);
        self.at(minute, client)
    }

    /// Whether a nonce is ours, for this client, and young.
    pub(super) fn check(&mut self, now: Instant, client: Path, lifetime: Duration, nonce: &[u8]) -> Nonce {
        let digits = match nonce {
            [b'"', digits @ .., b'"'] => digits,
            digits => digits,
        };
        let made = digits
            .get(..8)
            .and_then(|digits| core::str::from_utf8(digits).ok())
            .and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(made) = made else { return Nonce::Stale };
        let expected = self.at(made, client);
        let ours = expected.get(1..=DIGITS).is_some_and(|expected| expected.ct_eq(digits).into());
        let age = u64::from(self.minute(now).saturating_sub(made)) * 60;
        if ours && age <= lifetime.as_secs() { Nonce::Good } else { Nonce::Stale }
    }

    fn at(&self, minute: u32, client: Path) -> [u8; DIGITS + 2] {
        let mut text = [b'"'; DIGITS + 2];
        // HMAC takes a key of any length.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.seed.0) {
            mac.update(b"nonce");
            mac.update(&minute.to_be_bytes());
            mac.update(format!("{client:?}").as_bytes());
            let hash = mac.finalize().into_bytes();
            let octets = minute.to_be_bytes().into_iter().chain(hash.into_iter().take(DIGITS / 2 - 4));
            let digits = octets.flat_map(|octet| [octet >> 4, octet & 0x0f]);
            for (to, digit) in text.iter_mut().skip(1).zip(digits) {
                *to = b"0123456789abcdef".get(usize::from(digit)).copied().unwrap_or(b'0');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_client_while_it_is_young() {
        #[expect(clippy::disallowed_methods, reason = "the moment virtual time starts at")]
        let now = Instant::now();
        let mut nonces = Nonces::new(Seed([3; 32]));
        let client = Path::Datagram("192.0.2.1:5000".parse().unwrap());
        let other = Path::Datagram("192.0.2.2:5000".parse().unwrap());
        let hour = Duration::from_hours(1);
        let nonce = nonces.make(now, client);
        assert_eq!(nonces.check(now, client, hour, &nonce), Nonce::Good);
        assert_eq!(nonces.check(now, client, hour, &nonce[1..17]), Nonce::Good);
        assert_eq!(nonces.check(now, other, hour, &nonce), Nonce::Stale);
        assert_eq!(nonces.check(now + hour, client, hour, &nonce), Nonce::Good);
        assert_eq!(nonces.check(now + hour + Duration::from_mins(1), client, hour, &nonce), Nonce::Stale);
        let mut changed = nonce;
        changed[12] ^= 1;
        assert_eq!(nonces.check(now, client, hour, &changed), Nonce::Stale);
        for broken in [&b""[..], b"\"", b"zz", b"0000000g00000000", b"00000000"] {
            assert_eq!(nonces.check(now, client, hour, broken), Nonce::Stale);
        }
    }
}
