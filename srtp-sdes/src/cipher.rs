//! AES in counter mode and in f8 mode, in place.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};

/// Octets of an AES block.
pub(crate) const BLOCK: usize = 16;
/// One packet has at most 2^16 blocks of key stream.
///
/// RFC 3711 4.1.1
pub(crate) const KEY_STREAM_LIMIT: usize = BLOCK << 16;
/// Blocks that are encrypted at once.
const BATCH: usize = 16;

/// An AES key with its schedule; wiped on drop.
#[derive(Clone)]
pub(crate) enum BlockKey {
    #[cfg(target_arch = "x86_64")]
    Wide(crate::simd::RoundKeys),
    Aes128(Box<Aes128Enc>),
    Aes192(Box<Aes192Enc>),
    Aes256(Box<Aes256Enc>),
}

impl BlockKey {
    /// The schedule of a key of 16, 24 or 32 octets.
    pub(crate) fn new(key: &[u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(keys) = crate::simd::RoundKeys::new(key) {
            return Self::Wide(keys);
        }
        Self::portable(key)
    }

    /// The schedule for the portable code, which has its own ways with smaller processors.
    pub(crate) fn portable(key: &[u8]) -> Self {
        if let Some((key, _)) = key.split_first_chunk::<32>() {
            Self::Aes256(Box::new(Aes256Enc::new(&Array::from(*key))))
        } else if let Some((key, _)) = key.split_first_chunk::<24>() {
            Self::Aes192(Box::new(Aes192Enc::new(&Array::from(*key))))
        } else {
            let mut octets = [0_u8; 16];
            for (to, from) in octets.iter_mut().zip(key) {
                *to = *from;
            }
            Self::Aes128(Box::new(Aes128Enc::new(&Array::from(octets))))
        }
    }

    #[inline]
    fn encrypt_blocks(&self, blocks: &mut [[u8; BLOCK]]) {
        let blocks = Array::cast_slice_from_core_mut(blocks);
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Wide(keys) => {
                for block in blocks {
                    block.0 = keys.encrypt_block(block.0);
                }
            }
            Self::Aes128(key) => key.encrypt_blocks(blocks),
            Self::Aes192(key) => key.encrypt_blocks(blocks),
            Self::Aes256(key) => key.encrypt_blocks(blocks),
        }
    }

    #[inline]
    pub(crate) fn encrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut blocks = [block];
        self.encrypt_blocks(&mut blocks);
        let [block] = blocks;
        block
    }

    /// XORs `data` with the key stream; the low 16 bits of `counter` are zero, and `first` begins there.
    #[inline]
    pub(crate) fn counter_mode(&self, counter: u128, first: u16, data: &mut [u8]) {
        #[cfg(target_arch = "x86_64")]
        if let Self::Wide(keys) = self {
            keys.counter_mode(counter, first, data);
            return;
        }
        let mut number = u128::from(first);
        for chunk in data.chunks_mut(BATCH * BLOCK) {
            let mut stream = [[0_u8; BLOCK]; BATCH];
            let used = chunk.len().div_ceil(BLOCK);
            let (blocks, _) = stream.split_at_mut(used.min(BATCH));
            for block in blocks.iter_mut() {
                *block = counter.wrapping_add(number).to_be_bytes();
                number += 1;
            }
            self.encrypt_blocks(blocks);
            for (octet, key) in chunk.iter_mut().zip(stream.as_flattened()) {
                *octet ^= key;
            }
        }
    }
}

/// The two keys of f8 mode: the session key and the one that makes the first vector.
///
/// RFC 3711 4.1.2
#[derive(Clone)]
pub(crate) struct F8Key {
    key: BlockKey,
    masked: BlockKey,
}

impl F8Key {
    /// The mask is the session salt, filled up with 0x55.
    pub(crate) fn new(key: &[u8; 16], salt: &[u8]) -> Self {
        let mut masked = zeroize::Zeroizing::new(*key);
        for (octet, mask) in masked.iter_mut().zip(salt.iter().chain(core::iter::repeat(&0x55))) {
            *octet ^= mask;
        }
        Self { key: BlockKey::new(key), masked: BlockKey::new(masked.as_slice()) }
    }

    pub(crate) fn apply(&self, vector: [u8; BLOCK], data: &mut [u8]) {
        let vector = u128::from_be_bytes(self.masked.encrypt_block(vector));
        let mut stream = 0_u128;
        for (number, chunk) in data.chunks_mut(BLOCK).enumerate() {
            let input = vector ^ number as u128 ^ stream;
            let block = self.key.encrypt_block(input.to_be_bytes());
            stream = u128::from_be_bytes(block);
            for (octet, key) in chunk.iter_mut().zip(block) {
                *octet ^= key;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Where the processor has no kernel this compares the portable code with itself.
        #[test]
        fn the_kernel_makes_the_stream_of_the_portable_code(
            key: [u8; 32],
            size in prop::sample::select(vec![16_usize, 24, 32]),
            counter: u128,
            first in 0_u16..300,
            length in 0_usize..1300,
        ) {
            let counter = counter & !0xffff;
            let (fast, portable) = (BlockKey::new(&key[..size]), BlockKey::portable(&key[..size]));
            let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let (mut a, mut b) = (text.clone(), text.clone());
            fast.counter_mode(counter, first, &mut a);
            portable.counter_mode(counter, first, &mut b);
            prop_assert_eq!(&a, &b);
            prop_assert!(length < 16 || a != text);
            let block = counter.to_be_bytes();
            prop_assert_eq!(fast.encrypt_block(block), portable.encrypt_block(block));
        }
    }

    #[test]
    fn the_longest_stream_does_not_repeat_itself() {
        let key = BlockKey::new(&[7; 16]);
        let mut stream = vec![0; KEY_STREAM_LIMIT];
        key.counter_mode(1 << 64, 0, &mut stream);
        let mut last = [0; 16];
        BlockKey::portable(&[7; 16]).counter_mode(1 << 64, 65535, &mut last);
        assert_eq!(stream[KEY_STREAM_LIMIT - 16..], last);
    }
}
