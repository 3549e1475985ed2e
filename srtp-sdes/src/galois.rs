//! GHASH and AES in Galois/counter mode, in place.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::cipher::{BLOCK, BlockKey};
use crate::simd::sum_of_products;

/// Blocks that are multiplied before one reduction: header, ten of payload and lengths of a packet of 20 ms.
const GROUP: usize = 12;

/// The powers of the hash key, the highest first; wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct HashKey {
    powers: Box<[u128; GROUP]>,
}

/// An AES key with its hash key.
///
/// RFC 7714 5
#[derive(Clone)]
pub(crate) struct GaloisKey {
    cipher: BlockKey,
    hash: HashKey,
}

/// What a packet is sealed with: nonce and the clear octets it covers, in two parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover<'a> {
    pub(crate) nonce: [u8; 12],
    pub(crate) head: &'a [u8],
    pub(crate) tail: &'a [u8],
}

impl GaloisKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        let cipher = BlockKey::new(key);
        let h = u128::from_be_bytes(cipher.encrypt_block([0; BLOCK]));
        let mut powers = Box::new([h; GROUP]);
        let mut power = h;
        for place in powers.iter_mut().rev().skip(1) {
            power = multiply(power, h);
            *place = power;
        }
        Self { cipher, hash: HashKey { powers } }
    }

    /// Encrypts or decrypts.
    #[inline]
    pub(crate) fn apply(&self, nonce: [u8; 12], data: &mut [u8]) {
        self.cipher.counter_mode(counter(nonce), 2, data);
    }

    /// The tag over covered octets and ciphertext.
    #[inline]
    pub(crate) fn tag(&self, cover: Cover<'_>, ciphertext: &[u8]) -> [u8; 16] {
        let mut hash = Hash { key: &self.hash, state: 0, blocks: [0; GROUP], count: 0 };
        // Head and tail are one string to GHASH.
        if cover.tail.is_empty() {
            hash.absorb(cover.head);
        } else {
            hash.absorb_pair(cover.head, cover.tail);
        }
        hash.absorb(ciphertext);
        let covered = cover.head.len() + cover.tail.len();
        hash.push(((covered as u128) << 67) | ((ciphertext.len() as u128) << 3));
        hash.flush();
        let mask = self.cipher.encrypt_block((counter(cover.nonce) | 1).to_be_bytes());
        (hash.state ^ u128::from_be_bytes(mask)).to_be_bytes()
    }
}

/// GHASH in progress: blocks are gathered and multiplied together.
struct Hash<'a> {
    key: &'a HashKey,
    state: u128,
    blocks: [u128; GROUP],
    count: usize,
}

impl Hash<'_> {
    /// Takes octets, filled up to whole blocks.
    #[inline]
    fn absorb(&mut self, octets: &[u8]) {
        let (blocks, rest) = octets.as_chunks::<BLOCK>();
        for block in blocks {
            self.push(u128::from_be_bytes(*block));
        }
        if !rest.is_empty() {
            let mut block = [0_u8; BLOCK];
            for (to, from) in block.iter_mut().zip(rest) {
                *to = *from;
            }
            self.push(u128::from_be_bytes(block));
        }
    }

    /// Takes two strings as one.
    fn absorb_pair(&mut self, head: &[u8], tail: &[u8]) {
        let (blocks, rest) = head.as_chunks::<BLOCK>();
        self.absorb(blocks.as_flattened());
        let mut end = [0_u8; 2 * BLOCK];
        let octets = rest.iter().chain(tail);
        for (to, from) in end.iter_mut().zip(octets) {
            *to = *from;
        }
        self.absorb(end.get(..rest.len() + tail.len()).unwrap_or(&end));
    }

    #[inline]
    fn push(&mut self, block: u128) {
        if let Some(place) = self.blocks.get_mut(self.count) {
            *place = block;
        }
        self.count += 1;
        if self.count == GROUP {
            self.flush();
        }
    }

    /// The sum of the gathered blocks times their powers; the state goes into the first.
    #[inline]
    fn flush(&mut self) {
        let (blocks, _) = self.blocks.split_at_mut(self.count);
        let Some(first) = blocks.first_mut() else { return };
        *first ^= self.state;
        let powers = self.key.powers.get(GROUP - self.count..).unwrap_or_default();
        let (upper, lower) = sum_of_products(blocks, powers).unwrap_or_else(|| portable_sum(blocks, powers));
        self.state = reduce(upper, lower);
        self.count = 0;
    }
}

fn portable_sum(blocks: &[u128], powers: &[u128]) -> (u128, u128) {
    blocks
        .iter()
        .zip(powers)
        .map(|(block, power)| product(*block, *power))
        .fold((0, 0), |(a, b), (c, d)| (a ^ c, b ^ d))
}

/// The carry-less product of two blocks: its upper and lower half.
fn product(x: u128, h: u128) -> (u128, u128) {
    let (x1, x0) = ((x >> 64) as u64, x as u64);
    let (h1, h0) = ((h >> 64) as u64, h as u64);
    let low = carryless(x0, h0);
    let high = carryless(x1, h1);
    let middle = carryless(x0 ^ x1, h0 ^ h1) ^ low ^ high;
    (high ^ (middle >> 64), low ^ (middle << 64))
}

/// Multiplication in GF(2^128), bits reflected as GCM has them; no secret-dependent branch or table.
fn multiply(x: u128, h: u128) -> u128 {
    let (upper, lower) = product(x, h);
    reduce(upper, lower)
}

/// The remainder of a product, or of a sum of products.
#[inline]
const fn reduce(upper: u128, lower: u128) -> u128 {
    // A product of reflected numbers has 255 bits: align them to the top.
    let (upper, lower) = ((upper << 1) | (lower >> 127), lower << 1);
    // The lower half has the powers from x^128; x^128 = x^7 + x^2 + x + 1, and times x is a shift to the right.
    let lower = lower ^ (lower << 127) ^ (lower << 126) ^ (lower << 121);
    upper ^ lower ^ (lower >> 1) ^ (lower >> 2) ^ (lower >> 7)
}

/// The carry-less product of two words.
const fn carryless(x: u64, y: u64) -> u128 {
    let low = carryless_low(x, y);
    let high = carryless_low(x.reverse_bits(), y.reverse_bits()).reverse_bits() >> 1;
    ((high as u128) << 64) | low as u128
}

/// The lower half of a carry-less product: bits four apart are multiplied as integers, their carries fall into the holes.
const fn carryless_low(x: u64, y: u64) -> u64 {
    const EVERY_FOURTH: u64 = 0x1111_1111_1111_1111;
    let mut product = 0;
    let mut residue = 0;
    while residue < 4 {
        let mut sum = 0_u64;
        let mut of_x = 0;
        while of_x < 4 {
            let of_y = (4 + residue - of_x) % 4;
            sum ^= (x & (EVERY_FOURTH << of_x)).wrapping_mul(y & (EVERY_FOURTH << of_y));
            of_x += 1;
        }
        product |= sum & (EVERY_FOURTH << residue);
        residue += 1;
    }
    product
}

/// The counter block of a nonce, its last 32 bits zero.
fn counter(nonce: [u8; 12]) -> u128 {
    let mut block = [0_u8; BLOCK];
    let (head, _) = block.split_at_mut(12);
    head.copy_from_slice(&nonce);
    u128::from_be_bytes(block)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carryless_products_agree_with_the_definition() {
        let mut x = 0x0123_4567_89ab_cdef_u64;
        let mut y = 0xfedc_ba98_7654_3210_u64;
        for _ in 0..200 {
            let plain =
                (0..64).filter(|bit| y >> bit & 1 == 1).fold(0, |sum, bit| sum ^ (u128::from(x) << bit));
            assert_eq!(carryless(x, y), plain);
            x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(13) ^ y;
            y = y.wrapping_mul(0xbf58_476d_1ce4_e5b9).rotate_left(29) ^ x;
        }
        assert_eq!(
            carryless(u64::MAX, u64::MAX),
            (0..64).fold(0, |sum, bit| sum ^ (u128::from(u64::MAX) << bit))
        );
    }

    /// NIST SP 800-38D 6.4: one multiplication for each block, the sum so far added before it.
    #[test]
    fn groups_of_blocks_are_hashed_as_one_by_one() {
        let key = GaloisKey::new(&[9; 16]);
        let h = u128::from_be_bytes(key.cipher.encrypt_block([0; BLOCK]));
        let text: Vec<u8> = (0..700_u32).map(|i| (i * 13) as u8).collect();
        for (covered, length) in [(12, 160), (12, 161), (20, 500), (28, 667), (0, 0)] {
            let (head, ciphertext) = (&text[..covered], &text[covered..covered + length]);
            let mut state = 0;
            for part in [head, ciphertext] {
                for chunk in part.chunks(BLOCK) {
                    let mut block = [0; BLOCK];
                    block[..chunk.len()].copy_from_slice(chunk);
                    state = multiply(state ^ u128::from_be_bytes(block), h);
                }
            }
            state = multiply(state ^ (covered as u128) << 67 ^ (length as u128) << 3, h);
            let mask = u128::from_be_bytes(key.cipher.encrypt_block((counter([5; 12]) | 1).to_be_bytes()));
            let tag = key.tag(Cover { nonce: [5; 12], head, tail: &[] }, ciphertext);
            assert_eq!(tag, (state ^ mask).to_be_bytes(), "{covered} {length}");
            let (first, second) = head.split_at(covered / 2);
            let parted = key.tag(Cover { nonce: [5; 12], head: first, tail: second }, ciphertext);
            assert!(second.len() > 16 || parted == tag, "{covered} {length}");
        }
    }
}
