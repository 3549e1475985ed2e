//! HMAC-MD5 with the two halves of its key kept as states, so that a message costs its own blocks and one more.

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::job::Job;
use super::md5::{BLOCK, Block, INITIAL, State, compress, write};

/// A key that is ready.
///
/// RFC 2104 4
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MacKey {
    inner: State,
    outer: State,
}

impl MacKey {
    /// Makes a key ready in this place.
    pub(crate) fn prepare(&mut self, key: &[u8; 16]) {
        let (mut inner, mut outer) = (Pad::new(key, 0x36), Pad::new(key, 0x5c));
        (self.inner, self.outer) = (INITIAL, INITIAL);
        compress([&mut self.inner, &mut self.outer], [&inner.0, &outer.0]);
        inner.wipe();
        outer.wipe();
    }

    /// The code of the parts, one behind the other, written where it stays.
    pub(crate) fn mac(&self, parts: &[&[u8]], code: &mut [u8; 16]) {
        let mut job = self.job(parts);
        job.run();
        self.finish(&job, code);
    }

    /// The longer half of a code's work, to be done beside others.
    pub(crate) fn job<'a>(&self, parts: &'a [&'a [u8]]) -> Job<'a> {
        Job::go_on(&self.inner, BLOCK as u64, parts)
    }

    /// The code, once its job has run.
    pub(crate) fn finish(&self, job: &Job<'_>, code: &mut [u8; 16]) {
        job.write(code);
        // The outer half has one block, whose length is always the same.
        let mut block = Pad([0; BLOCK]);
        let (text, padding) = block.0.split_at_mut(16);
        text.copy_from_slice(code);
        padding[0] = 0x80;
        padding[BLOCK - 16 - 8..].copy_from_slice(&OUTER_BITS.to_le_bytes());
        let mut state = Zeroizing::new(self.outer);
        compress([&mut *state], [&block.0]);
        write(&state, code);
        block.wipe();
    }
}

/// One code whose key is used once, written where it stays.
pub(crate) fn hmac_md5(key: &[u8; 16], parts: &[&[u8]], code: &mut [u8; 16]) {
    let mut ready = MacKey::default();
    ready.prepare(key);
    ready.mac(parts, code);
}

/// A block in whose first octets something secret stands.
struct Pad(Block);

impl Pad {
    fn new(key: &[u8; 16], filling: u8) -> Self {
        let mut block = [filling; BLOCK];
        block.iter_mut().zip(key).for_each(|(place, octet)| *place ^= octet);
        Self(block)
    }

    fn wipe(&mut self) {
        if let Some(head) = self.0.first_chunk_mut::<16>() {
            head.zeroize();
        }
    }
}

/// Length of what the outer half covers: a block of the key and the inner digest.
const OUTER_BITS: u64 = (BLOCK as u64 + 16) * 8;

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use md5::Md5;

    use super::*;

    #[test]
    fn the_code_is_the_known_one() {
        let mut code = [0; 16];
        hmac_md5(&[0x0b; 16], &[b"Hi There"], &mut code);
        assert_eq!(code, 0x9294_727a_3638_bb1c_13f4_8ef8_158b_fc9d_u128.to_be_bytes());
    }

    #[test]
    fn codes_of_all_lengths_in_all_parts_are_those_of_the_plain_construction() {
        let text: Vec<u8> = (0..260_u32).map(|at| (at * 7 % 251) as u8).collect();
        let mut code = [0; 16];
        for key in 0..8_u8 {
            let key: [u8; 16] = core::array::from_fn(|at| (at as u8).wrapping_mul(29) ^ key.wrapping_mul(73));
            for length in 0..text.len() {
                let mut plain = Hmac::<Md5>::new_from_slice(&key).expect("any length");
                plain.update(&text[..length]);
                let expected: [u8; 16] = plain.finalize().into_bytes().into();
                let (head, tail) = text[..length].split_at(length / 3);
                hmac_md5(&key, &[head, &[], tail], &mut code);
                assert_eq!(code, expected, "{key:?} {length}");
            }
        }
    }
}
