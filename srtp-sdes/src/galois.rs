//! GHASH and AES in Galois/counter mode, in place.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::cipher::{BLOCK, BlockKey};

/// The hash key H in the halves that the multiplication wants; wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct HashKey {
    high: u64,
    low: u64,
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
        Self { cipher, hash: HashKey { high: (h >> 64) as u64, low: h as u64 } }
    }

    /// Encrypts or decrypts.
    #[inline]
    pub(crate) fn apply(&self, nonce: [u8; 12], data: &mut [u8]) {
        self.cipher.counter_mode(counter(nonce), 2, data);
    }

    /// The tag over covered octets and ciphertext.
    #[inline]
    pub(crate) fn tag(&self, cover: Cover<'_>, ciphertext: &[u8]) -> [u8; 16] {
        let mut state = 0_u128;
        // Head and tail are one string to GHASH.
        let covered = cover.head.len() + cover.tail.len();
        let mut block = [0_u8; BLOCK];
        let mut filled = 0;
        for octet in cover.head.iter().chain(cover.tail) {
            if let Some(place) = block.get_mut(filled) {
                *place = *octet;
            }
            filled += 1;
            if filled == BLOCK {
                state = self.multiply(state ^ u128::from_be_bytes(block));
                block = [0; BLOCK];
                filled = 0;
            }
        }
        if filled > 0 {
            state = self.multiply(state ^ u128::from_be_bytes(block));
        }
        let (blocks, rest) = ciphertext.as_chunks::<BLOCK>();
        for block in blocks {
            state = self.multiply(state ^ u128::from_be_bytes(*block));
        }
        if !rest.is_empty() {
            let mut block = [0_u8; BLOCK];
            for (to, from) in block.iter_mut().zip(rest) {
                *to = *from;
            }
            state = self.multiply(state ^ u128::from_be_bytes(block));
        }
        let lengths = ((covered as u128) << 67) | ((ciphertext.len() as u128) << 3);
        state = self.multiply(state ^ lengths);
        let mask = self.cipher.encrypt_block((counter(cover.nonce) | 1).to_be_bytes());
        (state ^ u128::from_be_bytes(mask)).to_be_bytes()
    }

    /// Multiplication by H in GF(2^128), bits reflected as GCM has them; no secret-dependent branch or table.
    fn multiply(&self, x: u128) -> u128 {
        let (x1, x0) = ((x >> 64) as u64, x as u64);
        let (h1, h0) = (self.hash.high, self.hash.low);
        let low = carryless(x0, h0);
        let high = carryless(x1, h1);
        let middle = carryless(x0 ^ x1, h0 ^ h1) ^ low ^ high;
        let (upper, lower) = (high ^ (middle >> 64), low ^ (middle << 64));
        // A product of reflected numbers has 255 bits: align them to the top.
        let (upper, lower) = ((upper << 1) | (lower >> 127), lower << 1);
        // The lower half has the powers from x^128; x^128 = x^7 + x^2 + x + 1, and times x is a shift to the right.
        let lower = lower ^ (lower << 127) ^ (lower << 126) ^ (lower << 121);
        upper ^ lower ^ (lower >> 1) ^ (lower >> 2) ^ (lower >> 7)
    }
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
}
