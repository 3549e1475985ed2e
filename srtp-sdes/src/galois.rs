//! GHASH and AES in Galois/counter mode, in place.

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::authentication::equal;
use crate::cipher::{BLOCK, Rounds};
use crate::simd::{Processor, Tag};

/// Blocks that are multiplied before one reduction: header, ten of payload and lengths of a packet of 20 ms.
pub(crate) const GROUP: usize = 12;

/// The powers of the hash key, the highest first, each multiplied by x so that a product is aligned; wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Powers(pub(crate) [u128; GROUP]);

/// What a packet is sealed with: the first counter block and the clear octets it covers, in two parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover<'a> {
    /// Nonce and 32 bits of zero, the first round key added.
    pub(crate) whitened: u128,
    pub(crate) head: &'a [u8],
    pub(crate) tail: &'a [u8],
}

impl Powers {
    /// The powers of a hash key: the cipher's block of zeros.
    ///
    /// NIST SP 800-38D 7.1
    pub(crate) fn new(processor: Processor, hash_key: u128) -> Self {
        let shifted = (hash_key << 1) ^ if hash_key >> 127 == 0 { 0 } else { (0xc2 << 120) | 1 };
        let mut powers = [shifted; GROUP];
        let mut power = shifted;
        for place in powers.iter_mut().rev().skip(1) {
            power = multiply(processor, &[power], &[shifted]);
            *place = power;
        }
        Self(powers)
    }
}

/// Encrypts, and returns the tag.
///
/// NIST SP 800-38D 7.1
#[inline]
pub(crate) fn seal(rounds: &Rounds<'_>, powers: &Powers, cover: Cover<'_>, data: &mut [u8]) -> Tag {
    #[cfg(target_arch = "x86_64")]
    if cover.tail.is_empty()
        && let Some(tag) = rounds.processor.seal(rounds.keys, powers, cover.whitened, cover.head, data)
    {
        return tag;
    }
    rounds.counter_mode(cover.whitened, 2, data);
    tag(rounds, powers, cover, data).to_be_bytes()
}

/// Checks a tag in constant time; decrypts if it is right, and else leaves the data as they are.
///
/// NIST SP 800-38D 7.2
#[inline]
pub(crate) fn open(
    rounds: &Rounds<'_>,
    powers: &Powers,
    cover: Cover<'_>,
    data: &mut [u8],
    received: &Tag,
) -> bool {
    #[cfg(target_arch = "x86_64")]
    if cover.tail.is_empty()
        && let Some(right) =
            rounds.processor.open(rounds.keys, powers, cover.whitened, cover.head, data, received)
    {
        return right;
    }
    let right = equal(tag(rounds, powers, cover, data), u128::from_be_bytes(*received));
    if right {
        rounds.counter_mode(cover.whitened, 2, data);
    }
    right
}

/// The tag over covered octets and ciphertext.
fn tag(rounds: &Rounds<'_>, powers: &Powers, cover: Cover<'_>, ciphertext: &[u8]) -> u128 {
    let mut hash = Hash { processor: rounds.processor, powers, state: 0, blocks: [0; GROUP], count: 0 };
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
    hash.state ^ rounds.encrypt_block(cover.whitened ^ 1)
}

/// GHASH in progress: blocks are gathered and multiplied together.
struct Hash<'a> {
    processor: Processor,
    powers: &'a Powers,
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
        let powers = self.powers.0.get(GROUP - self.count..).unwrap_or_default();
        self.state = multiply(self.processor, blocks, powers);
        self.count = 0;
    }
}

/// The sum of the products of blocks and powers in GF(2^128), bits reflected as GCM has them; no secret-dependent branch or
/// table.
fn multiply(processor: Processor, blocks: &[u128], powers: &[u128]) -> u128 {
    let [low, middle, high] =
        processor.sum_of_products(blocks, powers).unwrap_or_else(|| portable_sum(blocks, powers));
    // Twice 64 bits from the lower end are replaced by what they are modulo x^128 + x^127 + x^126 + x^121 + 1, reflected.
    let fold = |from: u128, to: u128| {
        let bits = u128::from(from as u64);
        to ^ from.rotate_left(64) ^ (bits << 63) ^ (bits << 62) ^ (bits << 57)
    };
    fold(fold(low, middle), high)
}

fn portable_sum(blocks: &[u128], powers: &[u128]) -> [u128; 3] {
    blocks.iter().zip(powers).fold([0; 3], |[low, middle, high], (block, power)| {
        let (x1, x0) = ((block >> 64) as u64, *block as u64);
        let (h1, h0) = ((power >> 64) as u64, *power as u64);
        [low ^ carryless(x0, h0), middle ^ carryless(x0, h1) ^ carryless(x1, h0), high ^ carryless(x1, h1)]
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cipher::BlockKey;

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

    /// NIST SP 800-38D 6.3: the product bit by bit.
    fn product(x: u128, h: u128) -> u128 {
        let (mut z, mut v) = (0, h);
        for bit in (0..128).rev() {
            if x >> bit & 1 == 1 {
                z ^= v;
            }
            v = (v >> 1) ^ if v & 1 == 0 { 0 } else { 0xe1 << 120 };
        }
        z
    }

    /// NIST SP 800-38D 6.4: one multiplication for each block, the sum so far added before it.
    #[test]
    fn groups_of_blocks_are_hashed_as_one_by_one() {
        let text: Vec<u8> = (0..1500_u32).map(|i| (i * 13) as u8).collect();
        let lengths = (0..60).map(|covered| (covered, covered * 7 % 200)).chain([
            (12, 160),
            (12, 161),
            (12, 144),
            (12, 176),
            (12, 192),
            (20, 500),
            (28, 667),
            (0, 0),
            (0, 64),
            (64, 0),
            (65, 0),
            (300, 0),
            (300, 1200),
            (12, 1200),
            (76, 33),
        ]);
        for (covered, length) in lengths {
            for processor in Processor::all() {
                let key = BlockKey::new(processor, &[9; 16]);
                let h = key.encrypt_block(0);
                let powers = Powers::new(processor, h);
                let nonce = u128::from_be_bytes([5; BLOCK]) << 32;
                let (head, plain) = (&text[..covered], &text[covered..covered + length]);

                let mut ciphertext = plain.to_vec();
                let whitened = nonce ^ key.whitening();
                let tag = seal(&key.rounds(), &powers, Cover { whitened, head, tail: &[] }, &mut ciphertext);

                let mut expected = plain.to_vec();
                BlockKey::new(Processor::Portable, &[9; 16]).counter_mode(nonce, 2, &mut expected);
                assert_eq!(ciphertext, expected, "{covered} {length} {processor:?}");
                let mut state = 0;
                for part in [head, &ciphertext] {
                    for chunk in part.chunks(BLOCK) {
                        let mut block = [0; BLOCK];
                        block[..chunk.len()].copy_from_slice(chunk);
                        state = product(state ^ u128::from_be_bytes(block), h);
                    }
                }
                state = product(state ^ (covered as u128) << 67 ^ (length as u128) << 3, h);
                assert_eq!(
                    tag,
                    (state ^ key.encrypt_block(nonce | 1)).to_be_bytes(),
                    "{covered} {length} {processor:?}"
                );

                // Covered octets in two parts, as those of RTCP.
                let (first, second) = head.split_at(covered.saturating_sub(4));
                let parts = Cover { whitened, head: first, tail: second };
                assert!(
                    open(&key.rounds(), &powers, parts, &mut ciphertext.clone(), &tag),
                    "{covered} {length}"
                );

                let cover = Cover { whitened, head, tail: &[] };
                let mut wrong = tag;
                wrong[length % 16] ^= 1 << (length % 8);
                assert!(!open(&key.rounds(), &powers, cover, &mut ciphertext, &wrong));
                assert_eq!(ciphertext, expected, "a failed check leaves the packet as it was");
                assert!(open(&key.rounds(), &powers, cover, &mut ciphertext, &tag));
                assert_eq!(ciphertext, plain);
            }
        }
    }
}
