//! HMAC-SHA1 with both pads compressed beforehand.

use sha1::block_api::compress;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The authentication key: the SHA-1 states behind the inner and the outer pad.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct AuthenticationKey {
    pub(crate) inner: [u32; 5],
    pub(crate) outer: [u32; 5],
}

/// The initial state of FIPS 180-4 5.3.1.
const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

impl AuthenticationKey {
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
        Self { inner: state(0x36), outer: state(0x5c) }
    }

    /// The full tag of `packet` followed by `suffix`, the roll-over counter or the index.
    #[inline]
    pub(crate) fn tag(&self, packet: &[u8], suffix: [u8; 4]) -> [u8; 20] {
        let mut state = self.inner;
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
    fn finish(&self, inner: [u32; 5]) -> [u8; 20] {
        let mut block = [0_u8; 64];
        for (to, word) in block.chunks_exact_mut(4).zip(inner) {
            to.copy_from_slice(&word.to_be_bytes());
        }
        block[20] = 0x80;
        block[62..].copy_from_slice(&(((64 + 20) * 8) as u16).to_be_bytes());
        let mut state = self.outer;
        compress(&mut state, &[block]);
        let mut tag = [0_u8; 20];
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
        static KEY: AuthenticationKey = AuthenticationKey { inner: [0; 5], outer: [0; 5] };
        Self { key: &KEY, message: &[], suffix: [0; 4] }
    };
}

/// Compares a received tag with the beginning of the right one, in time that depends on the length alone.
#[inline]
pub(crate) fn tags_agree(received: &[u8], computed: &[u8]) -> bool {
    computed.get(..received.len()).is_some_and(|computed| received.ct_eq(computed).into())
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
                assert_eq!(fast.tag(&packet[..length], suffix)[..], plain[..], "{length}");
            }
        }
    }

    #[test]
    fn a_tag_agrees_only_in_full() {
        let computed = [7_u8; 20];
        assert!(tags_agree(&[7; 10], &computed));
        assert!(tags_agree(&[7; 4], &computed));
        for bit in 0..80 {
            let mut received = [7_u8; 10];
            received[bit / 8] ^= 1 << (bit % 8);
            assert!(!tags_agree(&received, &computed), "{bit}");
        }
        assert!(!tags_agree(&[7; 21], &computed));
    }
}
