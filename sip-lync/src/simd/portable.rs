//! The kernel for any processor: eight octets at a time in one word.
#![cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "the twin of the kernels in tests"))]

use sha1::block_api::compress;

use super::{Block, LineEndings, WIDTH};

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// One bit for each octet of the word that is equal.
#[inline]
const fn equal(word: u64, octet: u8) -> u64 {
    let zeros = word ^ (ONES * octet as u64);
    // The top bit of each octet that is zero; no borrow goes from one octet to the next.
    let tops = !(((zeros & LOW) + LOW) | zeros | LOW);
    (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[inline]
fn block(octets: &[u8; WIDTH]) -> Block {
    let mut block = Block::default();
    let (words, _) = octets.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        block.returns |= equal(word, b'\r') << (8 * i);
        block.feeds |= equal(word, b'\n') << (8 * i);
    }
    block
}

/// The line ends of a text.
pub(super) fn fill(text: &[u8], ends: &mut LineEndings) {
    ends.each(text, block);
}

/// Offset of the first colon; thirty-two if there is none.
#[inline]
pub(super) fn colon(chunk: &[u8; 32]) -> usize {
    let mut colons = 0;
    let (words, _) = chunk.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        colons |= equal(u64::from_le_bytes(*word), b':') << (8 * i);
    }
    (colons | 1 << 32).trailing_zeros() as usize
}

/// HMAC-SHA1 from the states behind both pads of a key. RFC 2104 2
pub(super) fn hmac_sha1(
    inner: &[u32; 5],
    outer: &[u32; 5],
    start: &[[u8; 64]],
    middle: &[[u8; 64]],
    end: &[[u8; 64]],
) -> [u32; 5] {
    let mut state = *inner;
    for run in [start, middle, end] {
        compress(&mut state, run);
    }
    let mut block = [0; 64];
    // The outer pad is a block of the hashed text, too.
    let rest = [0x8000_0000, 0, 0, 0, 0, 0, 0, 0, 0, 0, (64 + 20) * 8];
    for (to, word) in block.as_chunks_mut::<4>().0.iter_mut().zip(state.into_iter().chain(rest)) {
        *to = word.to_be_bytes();
    }
    let mut state = *outer;
    compress(&mut state, &[block]);
    state
}

/// Sixteen octets.
#[derive(Clone, Copy)]
pub(crate) struct Lane([u8; 16]);

impl Lane {
    pub(crate) const fn of(octets: &[u8; 16]) -> Self {
        Self(*octets)
    }

    pub(crate) const fn of_fresh(octets: &[u8; 16]) -> Self {
        Self(*octets)
    }

    pub(crate) fn halves(low: u64, high: u64) -> Self {
        Self((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
    }

    pub(crate) fn with_second(mut self, number: u16) -> Self {
        self.0[2..4].copy_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self((u128::from_ne_bytes(self.0) | u128::from_ne_bytes(other.0)).to_ne_bytes())
    }

    pub(crate) const fn number(self) -> u128 {
        u128::from_le_bytes(self.0)
    }

    pub(crate) const fn store(self, to: &mut [u8; 16]) {
        *to = self.0;
    }
}
