//! HMAC-SHA1 with both pads compressed beforehand.

use sha1::block_api::compress;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::simd::{self, Tag};

/// The authentication key: the SHA-1 states behind the inner and the outer pad, in one piece.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct AuthenticationKey(pub(crate) [[u32; 5]; 2]);

/// The initial state of FIPS 180-4 5.3.1.
const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

impl AuthenticationKey {
    /// The place of a key that is not there yet.
    pub(crate) const fn nothing() -> Self {
        Self([[0; 5]; 2])
    }

    /// RFC 2104 2 and 4: keys here have 20 octets, less than a block.
    pub(crate) fn new(key: &[u8; 20]) -> Self {
        let state = |pad: u8| {
            let mut block = [pad; 64];
            for (octet, secret) in block.iter_mut().zip(key) {
                *octet ^= secret;
            }
            let mut state = INITIAL;
            compress(&mut state, &[block]);
            block.zeroize();
            state
        };
        Self([state(0x36), state(0x5c)])
    }

    /// The tag of `packet` followed by `suffix`, the roll-over counter or the index.
    #[inline]
    pub(crate) fn tag(&self, packet: &[u8], suffix: [u8; 4]) -> Tag {
        simd::tag(self, packet, suffix).unwrap_or_else(|| self.portable_tag(packet, suffix))
    }

    /// As above, by code for every processor.
    fn portable_tag(&self, packet: &[u8], suffix: [u8; 4]) -> Tag {
        let [mut state, _] = self.0;
        let (blocks, rest) = packet.as_chunks::<64>();
        let mut tail = [[0_u8; 64]; 2];
        for (to, from) in tail.as_flattened_mut().iter_mut().zip(rest) {
            *to = *from;
        }
        let used = pad(&mut tail, suffix, packet.len());
        compress(&mut state, blocks);
        compress(&mut state, tail.get(..used).unwrap_or(&tail));
        self.finish(state)
    }

    /// The outer hash over an inner one.
    #[inline]
    fn finish(&self, inner: [u32; 5]) -> Tag {
        let mut block = [0_u8; 64];
        for (to, word) in block.chunks_exact_mut(4).zip(inner) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        block[20] = 0x80;
        block[62..].copy_from_slice(&(((64 + 20) * 8) as u16).to_be_bytes());
        let [_, mut state] = self.0;
        compress(&mut state, &[block]);
        let mut tag = Tag::default();
        for (to, word) in tag.chunks_exact_mut(4).zip(state) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        tag
    }
}

/// Puts suffix and padding behind the rest of a message of `length` octets, which stands at the beginning of otherwise empty
/// blocks; returns how many of them count.
///
/// FIPS 180-4 5.1.1
#[inline]
pub(crate) fn pad(blocks: &mut [[u8; 64]; 2], suffix: [u8; 4], length: usize) -> usize {
    // The inner pad is a block of the message, too.
    let bits = ((64 + length + suffix.len()) as u64) << 3;
    let rest = length % 64;
    let used = if rest + suffix.len() + 9 <= 64 { 1 } else { 2 };
    let flat = blocks.as_flattened_mut();
    let [s0, s1, s2, s3] = suffix;
    if let Some(end) = flat.get_mut(rest..rest + 8) {
        end.copy_from_slice(&[s0, s1, s2, s3, 0x80, 0, 0, 0]);
    }
    if let Some(end) = flat.get_mut(64 * used - 8..64 * used) {
        end.copy_from_slice(&bits.to_be_bytes());
    }
    used
}

/// One of many tags that are computed together.
#[derive(Clone, Copy)]
pub(crate) struct TagJob<'a> {
    pub(crate) key: &'a AuthenticationKey,
    pub(crate) message: &'a [u8],
    pub(crate) suffix: [u8; 4],
}

impl TagJob<'_> {
    /// The place of a job that is not there.
    pub(crate) const NOTHING: Self = {
        static KEY: AuthenticationKey = AuthenticationKey::nothing();
        Self { key: &KEY, message: &[], suffix: [0; 4] }
    };
}

/// How much of a tag is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum TagLength {
    None = 0,
    Four = 4,
    Ten = 10,
    Sixteen = 16,
}

impl TagLength {
    /// Octets.
    #[inline]
    pub(crate) const fn octets(self) -> usize {
        self as usize
    }

    /// Writes the beginning of a tag; the room was checked.
    #[inline]
    pub(crate) fn write(self, tag: &Tag, to: &mut [u8]) {
        // Copies of known length are moves of registers.
        match self {
            Self::None => {}
            Self::Four => copy_beginning::<4>(tag, to),
            Self::Ten => copy_beginning::<10>(tag, to),
            Self::Sixteen => copy_beginning::<16>(tag, to),
        }
    }

    /// Compares what was received with the beginning of the right tag, in time that depends on the length alone.
    #[inline]
    pub(crate) fn agrees(self, received: &[u8], computed: &Tag) -> bool {
        if received.len() != self.octets() {
            return false;
        }
        let mut given = Tag::default();
        match self {
            Self::None => return true,
            Self::Four => copy_beginning::<4>(received, &mut given),
            Self::Ten => copy_beginning::<10>(received, &mut given),
            Self::Sixteen => copy_beginning::<16>(received, &mut given),
        }
        let mask = u128::MAX << (128 - 8 * self.octets());
        equal(u128::from_be_bytes(given), u128::from_be_bytes(*computed) & mask)
    }
}

#[inline]
fn copy_beginning<const N: usize>(from: &[u8], to: &mut [u8]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<N>(), to.first_chunk_mut::<N>()) {
        *to = *from;
    }
}

/// Whether two tags are equal, in constant time.
#[inline]
pub(crate) fn equal(one: u128, other: u128) -> bool {
    let difference = one ^ other;
    ((difference >> 64) as u64 | difference as u64).ct_eq(&0).into()
}

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    use super::*;

    #[test]
    fn every_length_agrees_with_the_plain_construction() {
        let key: [u8; 20] = core::array::from_fn(|i| i as u8 * 7);
        let fast = AuthenticationKey::new(&key);
        let packet: Vec<u8> = (0..300_u32).map(|i| (i * 31) as u8).collect();
        for length in 0..packet.len() {
            for suffix in [[0; 4], [1, 2, 3, 4]] {
                let mut plain = Hmac::<Sha1>::new_from_slice(&key).unwrap();
                plain.update(&packet[..length]);
                plain.update(&suffix);
                let plain = plain.finalize().into_bytes();
                assert_eq!(fast.tag(&packet[..length], suffix)[..], plain[..16], "{length}");
                assert_eq!(fast.portable_tag(&packet[..length], suffix)[..], plain[..16], "{length}");
            }
        }
    }

    #[test]
    fn a_tag_agrees_only_in_full() {
        let computed: Tag = core::array::from_fn(|i| i as u8 + 7);
        for length in [TagLength::Four, TagLength::Ten, TagLength::Sixteen] {
            let mut received = [0; 20];
            length.write(&computed, &mut received);
            let received = &mut received[..length.octets()];
            assert_eq!(received, &computed[..length.octets()]);
            assert!(length.agrees(received, &computed));
            for bit in 0..8 * received.len() {
                received[bit / 8] ^= 1 << (bit % 8);
                assert!(!length.agrees(received, &computed), "{length:?} {bit}");
                received[bit / 8] ^= 1 << (bit % 8);
            }
            assert!(!length.agrees(&received[1..], &computed));
        }
        assert!(TagLength::None.agrees(&[], &computed));
    }
}
