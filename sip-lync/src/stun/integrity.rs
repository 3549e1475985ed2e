//! MESSAGE-INTEGRITY: HMAC-SHA1 under three rules for what is hashed.

use core::fmt;
use core::hash::{Hash, Hasher};

use md5::{Digest, Md5};
use sha1::block_api::compress;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::dialect::Dialect;
use super::message::Message;
use crate::simd::{LANE, Lane, hmac_sha1};

/// What the MESSAGE-INTEGRITY of a message says under a key.
///
/// RFC 8489 14.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Integrity {
    /// There is none.
    Absent,
    /// The writer had the key.
    Genuine,
    /// The writer did not have the key, or the message was changed.
    Forged,
}

/// A key for MESSAGE-INTEGRITY: the SHA-1 states behind both pads, hashed once.
///
/// RFC 8489 14.5, RFC 2104 4
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct IntegrityKey {
    inner: [u32; 5],
    outer: [u32; 5],
}

/// The initial state of SHA-1. FIPS 180-4 5.3.1
const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// Octets of a block of SHA-1.
const BLOCK: usize = 64;

impl IntegrityKey {
    /// The key of short-term credentials: the password itself.
    ///
    /// RFC 8489 9.1.1
    pub fn short_term(password: &[u8]) -> Self {
        let mut key = Zeroizing::new([0_u8; BLOCK]);
        if password.len() > BLOCK {
            // RFC 2104 2: a key longer than a block is hashed.
            let digest = Zeroizing::new(<[u8; 20]>::from(sha1::Sha1::digest(password)));
            for (to, from) in key.iter_mut().zip(digest.iter()) {
                *to = *from;
            }
        } else {
            for (to, from) in key.iter_mut().zip(password) {
                *to = *from;
            }
        }
        let state = |pad: u8| {
            let mut block = Zeroizing::new(*key);
            for octet in block.iter_mut() {
                *octet ^= pad;
            }
            let mut state = INITIAL;
            compress(&mut state, &[*block]);
            state
        };
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    /// The key of long-term credentials: MD5 over `username:realm:password`.
    ///
    /// The three are raw octets; the realm is without the quotes that some servers put around it.
    ///
    /// RFC 8489 9.2.2, MS-TURN 3.1.9
    pub fn long_term(username: &[u8], realm: &[u8], password: &[u8]) -> Self {
        let mut hash = Md5::new();
        for part in [username, b":", realm, b":", password] {
            hash.update(part);
        }
        let digest = Zeroizing::new(<[u8; 16]>::from(hash.finalize()));
        Self::short_term(digest.as_slice())
    }

    /// The whole attribute behind `text`, whose header counts it already.
    pub(crate) fn attribute(&self, dialect: Dialect, text: &[u8]) -> [u8; 24] {
        let length = (text.len().saturating_sub(20) + 24) as u16;
        let mut attribute = [0; 24];
        attribute[1] = 0x08;
        attribute[3] = 20;
        attribute[4..].copy_from_slice(&octets_of(self.tag(
            text,
            length,
            dialect.pads_hashed_text(),
            Age::Old,
        )));
        attribute
    }

    /// The value of MESSAGE-INTEGRITY over `text`, with another length in its header. Whoever writes has a header at least.
    ///
    /// Blocks are put together sixteen octets at a time: the hash takes them so, and waits for anything narrower.
    #[inline]
    pub(super) fn tag(&self, text: &[u8], length: u16, zeros: bool, age: Age) -> [u32; 5] {
        let (lanes, _) = text.as_chunks::<LANE>();
        let ([_, ..], Some(last)) = (lanes, text.last_chunk::<LANE>()) else { return [0; 5] };
        let mut rest = lanes;
        let mut patch = Some(length);
        let mut start = [[0; BLOCK]];
        let (mut first_block, mut middle): (&[[u8; BLOCK]], &[[u8; BLOCK]]) = (&[], &[]);
        if let (Some(first), [_, others @ ..]) = (lanes.first_chunk::<4>(), text.as_chunks::<BLOCK>().0) {
            // Only the first whole block is copied, for its length.
            copy(start.as_flattened_mut(), first, patch.take(), age);
            (first_block, middle) = (&start, others);
            rest = lanes.get(lanes.len() & !3..).unwrap_or_default();
        }
        let mut tail = [[0; BLOCK]; 2];
        copy(tail.as_flattened_mut(), rest, patch, age);
        // What is left is less than a lane, and behind it the mark; in some dialects zeros come between.
        let odd = text.len() % LANE;
        let left = rest.len() * LANE + odd;
        let end = if zeros { left.next_multiple_of(BLOCK) } else { left };
        let used = if end + 9 <= BLOCK { 1 } else { 2 };
        let mut piece = if odd == 0 { 0 } else { age.lane(last).number() >> (8 * (LANE - odd)) };
        let to = tail.as_flattened_mut().as_chunks_mut::<LANE>().0;
        if end == left {
            piece |= 0x80 << (8 * odd);
        } else if let Some(mark) = to.get_mut(end / LANE) {
            Lane::halves(0x80, 0).store(mark);
        }
        if let Some(to) = to.get_mut(rest.len()) {
            Lane::halves(piece as u64, (piece >> 64) as u64).store(to);
        }
        // The inner pad is a block of the hashed text, too.
        let bits = ((BLOCK + text.len() - left + end) as u64) << 3;
        if let Some(count) = to.get_mut(used * 4 - 1) {
            Lane::of(count).or(Lane::halves(0, bits.swap_bytes())).store(count);
        }
        hmac_sha1(&self.inner, &self.outer, first_block, middle, tail.get(..used).unwrap_or(&tail))
    }
}

/// Copies lanes to the start of a block, with another length of the message if they start it.
#[inline]
fn copy(to: &mut [u8], lanes: &[[u8; LANE]], length: Option<u16>, age: Age) {
    let (to, _) = to.as_chunks_mut::<LANE>();
    for (at, (to, lane)) in to.iter_mut().zip(lanes).enumerate() {
        let lane = age.lane(lane);
        match length {
            Some(length) if at == 0 => lane.with_second(length),
            _ => lane,
        }
        .store(to);
    }
}

/// When a text was written.
#[derive(Clone, Copy)]
pub(super) enum Age {
    /// Just now, word by word.
    Fresh,
    /// Before.
    Old,
}

impl Age {
    #[inline]
    fn lane(self, octets: &[u8; LANE]) -> Lane {
        match self {
            Self::Fresh => Lane::of_fresh(octets),
            Self::Old => Lane::of(octets),
        }
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(..)")
    }
}

impl PartialEq for IntegrityKey {
    fn eq(&self, other: &Self) -> bool {
        let equal = self.inner.iter().zip(&other.inner).chain(self.outer.iter().zip(&other.outer));
        equal.fold(Choice::from(1), |all, (left, right)| all & left.ct_eq(right)).into()
    }
}

impl Eq for IntegrityKey {}

impl Hash for IntegrityKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
        self.outer.hash(state);
    }
}

/// A tag as it stands in a message.
#[inline]
pub(super) fn octets_of(tag: [u32; 5]) -> [u8; 20] {
    let mut octets = [0; 20];
    for (to, word) in octets.as_chunks_mut::<4>().0.iter_mut().zip(tag) {
        *to = word.to_be_bytes();
    }
    octets
}

/// Compares a tag with one in a message in constant time: all differences are gathered before one is looked for.
#[inline]
fn equal(tag: [u32; 5], found: &[u8; 20]) -> Choice {
    let words = tag.into_iter().zip(found.as_chunks::<4>().0);
    words.fold(0, |all, (word, found)| all | (word ^ u32::from_be_bytes(*found))).ct_eq(&0)
}

/// Versions from which the rule of RFC 8489 may be used in MS-ICE2. MS-ICE2 2.2
const VERSION_OF_RFC_5389: u32 = 3;

impl Message<'_> {
    /// What MESSAGE-INTEGRITY says under a key; compared in constant time.
    ///
    /// A peer of MS-ICE2 that tells version 3 or later may also have hashed by the rule of RFC 8489.
    ///
    /// RFC 8489 14.5, RFC 3489 11.2.8, MS-ICE2 2.2 (as seen)
    #[inline]
    pub fn integrity(&self, key: &IntegrityKey) -> Integrity {
        let Some((text, found)) = self.integrity_parts() else { return Integrity::Absent };
        let dialect = self.dialect();
        let to_integrity = (text.len() + 24 - 20) as u16;
        let length = if dialect.hashes_whole_length() { self.length() } else { to_integrity };
        let computed = key.tag(text, length, dialect.pads_hashed_text(), Age::Old);
        if bool::from(equal(computed, found)) {
            return Integrity::Genuine;
        }
        let newer = dialect == Dialect::MsIce2
            && self.implementation_version().is_some_and(|version| version >= VERSION_OF_RFC_5389);
        if newer && bool::from(equal(key.tag(text, to_integrity, false, Age::Old), found)) {
            return Integrity::Genuine;
        }
        Integrity::Forged
    }
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    use super::*;

    #[test]
    fn the_kept_states_give_the_hmac_of_the_standard_at_every_length() {
        for key_length in [0, 16, 20, 24, 63, 64, 65, 200] {
            let password: Vec<u8> = (0..key_length).map(|n| n as u8 ^ 0x5a).collect();
            let key = IntegrityKey::short_term(&password);
            for length in 20..300_usize {
                let text: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
                let mut hashed = text.clone();
                hashed[2..4].copy_from_slice(&[0x12, 0x34]);
                for (zeros, age) in
                    [(false, Age::Old), (true, Age::Old), (false, Age::Fresh), (true, Age::Fresh)]
                {
                    let mut expected = Hmac::<Sha1>::new_from_slice(&password).unwrap();
                    expected.update(&hashed);
                    if zeros {
                        expected.update(&vec![0; length.next_multiple_of(64) - length]);
                    }
                    assert_eq!(
                        octets_of(key.tag(&text, 0x1234, zeros, age))[..],
                        expected.finalize().into_bytes()[..],
                        "{length} octets under a key of {key_length}, zeros: {zeros}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", IntegrityKey::short_term(b"secret")), "IntegrityKey(..)");
        assert_ne!(IntegrityKey::short_term(b"secret"), IntegrityKey::short_term(b"Secret"));
        assert_eq!(IntegrityKey::short_term(b"secret"), IntegrityKey::short_term(b"secret"));
    }
}
