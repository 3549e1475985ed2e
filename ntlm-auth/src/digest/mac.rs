//! HMAC-MD5 with the two halves of its key kept as states, so that a message costs its own blocks and one more.

use md5::block_api::compress;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Secret16, md5};

/// A key that is ready.
///
/// RFC 2104 4
#[derive(Clone, Default, Zeroize, ZeroizeOnDrop)]
pub(crate) struct MacKey {
    inner: [u32; 4],
    outer: [u32; 4],
}

impl MacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut ready = Self::default();
        ready.prepare(key);
        ready
    }

    /// Makes another key ready in this place.
    pub(crate) fn prepare(&mut self, key: &[u8]) {
        let mut block = Zeroizing::new([0_u8; BLOCK]);
        if key.len() > BLOCK {
            block.iter_mut().zip(md5(&[key]).iter()).for_each(|(place, octet)| *place = *octet);
        } else {
            block.iter_mut().zip(key).for_each(|(place, octet)| *place = *octet);
        }
        (self.inner, self.outer) = (INITIAL, INITIAL);
        block.iter_mut().for_each(|octet| *octet ^= 0x36);
        compress(&mut self.inner, core::slice::from_ref(&*block));
        block.iter_mut().for_each(|octet| *octet ^= 0x36 ^ 0x5c);
        compress(&mut self.outer, core::slice::from_ref(&*block));
    }

    /// The code of the parts, one behind the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Secret16 {
        let mut code = Secret16::default();
        self.mac_into(parts, &mut code);
        code
    }

    /// The same, written where it stays.
    pub(crate) fn mac_into(&self, parts: &[&[u8]], code: &mut [u8; 16]) {
        let mut blocks = Blocks::from(self.inner);
        for part in parts {
            blocks.add(part);
        }
        blocks.finish();
        // The outer half has one block, whose length is always the same.
        let mut block = [0; BLOCK];
        let (words, _) = block.as_chunks_mut::<4>();
        words.iter_mut().zip(blocks.state).for_each(|(place, word)| *place = word.to_le_bytes());
        block[16] = 0x80;
        block[BLOCK - 8..].copy_from_slice(&OUTER_BITS.to_le_bytes());
        let mut state = self.outer;
        compress(&mut state, core::slice::from_ref(&block));
        let (words, _) = code.as_chunks_mut::<4>();
        words.iter_mut().zip(state).for_each(|(place, word)| *place = word.to_le_bytes());
        state.zeroize();
        if let Some(inner) = block.first_chunk_mut::<16>() {
            inner.zeroize();
        }
    }
}

/// One HMAC whose key is used once.
pub(crate) fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> Secret16 {
    MacKey::new(key).mac(parts)
}

/// MD5 from a state on. Its blocks are texts; only the state follows from a key.
struct Blocks {
    state: [u32; 4],
    block: [u8; BLOCK],
    filled: usize,
    total: u64,
}

impl Blocks {
    /// Behind one block.
    fn from(state: [u32; 4]) -> Self {
        Self { state, block: [0; BLOCK], filled: 0, total: BLOCK as u64 }
    }

    #[inline]
    fn add(&mut self, mut text: &[u8]) {
        self.total = self.total.wrapping_add(text.len() as u64);
        if self.filled > 0 {
            let count = text.len().min(BLOCK - self.filled);
            let (head, rest) = text.split_at(count);
            self.put(head);
            text = rest;
            if self.filled < BLOCK {
                return;
            }
            compress(&mut self.state, core::slice::from_ref(&self.block));
            self.filled = 0;
        }
        let (whole, rest) = text.as_chunks::<BLOCK>();
        compress(&mut self.state, whole);
        self.put(rest);
    }

    fn put(&mut self, text: &[u8]) {
        let end = self.filled + text.len();
        if let Some(place) = self.block.get_mut(self.filled..end) {
            place.copy_from_slice(text);
            self.filled = end;
        }
    }

    /// Pads; the state is the digest then.
    fn finish(&mut self) {
        let bits = self.total.wrapping_mul(8).to_le_bytes();
        self.put(&[0x80]);
        if self.filled > BLOCK - 8 {
            self.fill_with_zeros(BLOCK);
            compress(&mut self.state, core::slice::from_ref(&self.block));
            self.filled = 0;
        }
        self.fill_with_zeros(BLOCK - 8);
        self.put(&bits);
        compress(&mut self.state, core::slice::from_ref(&self.block));
    }

    fn fill_with_zeros(&mut self, end: usize) {
        if let Some(place) = self.block.get_mut(self.filled..end) {
            place.fill(0);
            self.filled = end;
        }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        self.state.zeroize();
    }
}

/// Length of what the outer half covers: a block of the key and the inner digest.
const OUTER_BITS: u64 = (BLOCK as u64 + 16) * 8;
const BLOCK: usize = 64;
/// RFC 1321 3.3
const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

#[cfg(test)]
mod tests {
    use hmac::{Hmac, KeyInit, Mac};
    use md5::Md5;

    use super::*;

    #[test]
    fn the_code_is_the_known_one() {
        assert_eq!(
            hmac_md5(&[0x0b; 16], &[b"Hi There"]).as_slice(),
            0x9294_727a_3638_bb1c_13f4_8ef8_158b_fc9d_u128.to_be_bytes()
        );
    }

    #[test]
    fn codes_of_all_lengths_in_all_parts_are_those_of_the_plain_construction() {
        let text: Vec<u8> = (0..260_u32).map(|at| (at * 7 % 251) as u8).collect();
        for key in [0, 1, 16, 63, 64, 65, 200] {
            let ready = MacKey::new(&text[..key]);
            for length in 0..text.len() {
                let mut plain = Hmac::<Md5>::new_from_slice(&text[..key]).expect("any length");
                plain.update(&text[..length]);
                let expected: [u8; 16] = plain.finalize().into_bytes().into();
                let (head, tail) = text[..length].split_at(length / 3);
                assert_eq!(*ready.mac(&[head, &[], tail]), expected, "{key} {length}");
            }
        }
    }
}
