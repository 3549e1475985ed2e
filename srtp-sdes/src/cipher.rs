//! AES in counter mode and in f8 mode, in place.

use core::hint::cold_path;

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use zeroize::Zeroize;

use crate::simd::Processor;

/// Octets of an AES block.
pub(crate) const BLOCK: usize = 16;
/// One packet has at most 2^16 blocks of key stream.
///
/// RFC 3711 4.1.1
pub(crate) const KEY_STREAM_LIMIT: usize = BLOCK << 16;
/// Round keys of AES-256, the first among them.
const SCHEDULE: usize = 15;
/// Blocks that are encrypted at once.
const BATCH: usize = 16;

/// A key of one round; the first octet is the lowest of the first word.
pub(crate) type RoundKey = [u32; 4];

/// The block a round key stands for.
#[inline]
pub(crate) fn block_of(key: RoundKey) -> u128 {
    let [a, b, c, d] = key.map(|word| u128::from(word.swap_bytes()));
    (a << 96) | (b << 64) | (c << 32) | d
}

/// An AES key with its schedule; wiped on drop.
#[derive(Clone)]
pub(crate) enum BlockKey {
    /// For the kernels.
    Rounds {
        processor: Processor,
        schedule: [RoundKey; SCHEDULE],
        rounds: usize,
    },
    /// For the portable code, which has its own ways with smaller processors.
    Aes128(Aes128Enc),
    Aes192(Aes192Enc),
    Aes256(Aes256Enc),
}

/// A block cipher ready for use: the schedule without its first round key, which its user has added to the input already.
///
/// No enumeration: its parts stay in registers.
#[derive(Clone, Copy)]
pub(crate) struct Rounds<'a> {
    pub(crate) processor: Processor,
    pub(crate) keys: &'a [RoundKey],
    /// Instead of a processor's kernel.
    pub(crate) portable: Option<&'a BlockKey>,
}

impl BlockKey {
    /// The schedule of a key of 16, 24 or 32 octets.
    pub(crate) fn new(processor: Processor, key: &[u8]) -> Self {
        let rounds = key.len() / 4 + 6;
        let mut schedule = [RoundKey::default(); SCHEDULE];
        let (used, _) = schedule.split_at_mut((rounds + 1).min(SCHEDULE));
        if processor.expand(key, used) {
            return Self::Rounds { processor, schedule, rounds };
        }
        if let Some((key, _)) = key.split_first_chunk::<32>() {
            Self::Aes256(Aes256Enc::new(&Array::from(*key)))
        } else if let Some((key, _)) = key.split_first_chunk::<24>() {
            Self::Aes192(Aes192Enc::new(&Array::from(*key)))
        } else {
            let mut octets = [0_u8; 16];
            for (to, from) in octets.iter_mut().zip(key) {
                *to = *from;
            }
            Self::Aes128(Aes128Enc::new(&Array::from(octets)))
        }
    }

    /// What is added to the input before the other rounds.
    pub(crate) fn whitening(&self) -> u128 {
        match self {
            Self::Rounds { schedule: [first, ..], .. } => block_of(*first),
            Self::Aes128(_) | Self::Aes192(_) | Self::Aes256(_) => 0,
        }
    }

    /// The other rounds.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a result that is passed through memory costs more than the function"
    )]
    pub(crate) fn rounds(&self) -> Rounds<'_> {
        match self {
            Self::Rounds { processor, schedule, rounds } => {
                let keys = schedule.get(1..=*rounds).unwrap_or_default();
                Rounds { processor: *processor, keys, portable: None }
            }
            Self::Aes128(_) | Self::Aes192(_) | Self::Aes256(_) => {
                Rounds { processor: Processor::Portable, keys: &[], portable: Some(self) }
            }
        }
    }

    fn encrypt_blocks(&self, blocks: &mut [[u8; BLOCK]]) {
        let blocks = Array::cast_slice_from_core_mut(blocks);
        match self {
            Self::Rounds { .. } => {}
            Self::Aes128(key) => key.encrypt_blocks(blocks),
            Self::Aes192(key) => key.encrypt_blocks(blocks),
            Self::Aes256(key) => key.encrypt_blocks(blocks),
        }
    }

    /// One block.
    pub(crate) fn encrypt_block(&self, block: u128) -> u128 {
        self.rounds().encrypt_block(block ^ self.whitening())
    }

    /// XORs `data` with the key stream from the block `first`.
    pub(crate) fn counter_mode(&self, counter: u128, first: u16, data: &mut [u8]) {
        self.rounds().counter_mode(counter ^ self.whitening(), first, data);
    }
}

impl Drop for BlockKey {
    fn drop(&mut self) {
        match self {
            Self::Rounds { schedule, .. } => schedule.zeroize(),
            // Those of the portable code do it themselves.
            Self::Aes128(_) | Self::Aes192(_) | Self::Aes256(_) => {}
        }
    }
}

impl Rounds<'_> {
    /// One block, whitened.
    #[inline]
    pub(crate) fn encrypt_block(&self, whitened: u128) -> u128 {
        match self.portable {
            None => self.processor.encrypt_block(self.keys, whitened),
            Some(key) => {
                let mut blocks = [whitened.to_be_bytes()];
                key.encrypt_blocks(&mut blocks);
                let [block] = blocks;
                u128::from_be_bytes(block)
            }
        }
    }

    /// XORs `data` with the key stream; the low 16 bits of the counter are zero, and `first` begins there.
    #[inline]
    pub(crate) fn counter_mode(&self, whitened: u128, first: u16, data: &mut [u8]) {
        let Some(key) = self.portable else {
            self.processor.counter_mode(self.keys, whitened, first, data);
            return;
        };
        cold_path();
        let mut number = u128::from(first);
        for chunk in data.chunks_mut(BATCH * BLOCK) {
            let mut stream = [[0_u8; BLOCK]; BATCH];
            let used = chunk.len().div_ceil(BLOCK);
            let (blocks, _) = stream.split_at_mut(used.min(BATCH));
            for block in blocks.iter_mut() {
                *block = (whitened ^ number).to_be_bytes();
                number += 1;
            }
            key.encrypt_blocks(blocks);
            for (octet, key) in chunk.iter_mut().zip(stream.as_flattened()) {
                *octet ^= key;
            }
        }
    }

    /// The stream of f8 mode: `masked` makes the first vector, and each block goes into the next.
    ///
    /// RFC 3711 4.1.2
    pub(crate) fn f8_mode(&self, whitening: u128, masked: &BlockKey, vector: [u8; BLOCK], data: &mut [u8]) {
        let vector = masked.encrypt_block(u128::from_be_bytes(vector));
        let mut stream = 0_u128;
        for (number, chunk) in data.chunks_mut(BLOCK).enumerate() {
            stream = self.encrypt_block(vector ^ number as u128 ^ stream ^ whitening);
            for (octet, key) in chunk.iter_mut().zip(stream.to_be_bytes()) {
                *octet ^= key;
            }
        }
    }
}

/// The key that makes the first vector of f8 mode: masked with the session salt, filled up with 0x55.
///
/// RFC 3711 4.1.2.1
pub(crate) fn f8_mask(processor: Processor, key: &[u8], salt: &[u8]) -> BlockKey {
    let mut masked = zeroize::Zeroizing::new([0_u8; BLOCK]);
    let mask = salt.iter().chain(core::iter::repeat(&0x55));
    for ((to, key), mask) in masked.iter_mut().zip(key).zip(mask) {
        *to = key ^ mask;
    }
    BlockKey::new(processor, masked.as_slice())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Where the processor has no kernel this compares the portable code with itself.
        #[test]
        fn the_kernels_make_the_stream_of_the_portable_code(
            key: [u8; 32],
            size in prop::sample::select(vec![16_usize, 24, 32]),
            counter: u128,
            first in 0_u16..300,
            length in 0_usize..1300,
        ) {
            let counter = counter & !0xffff;
            let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let portable = BlockKey::new(Processor::Portable, &key[..size]);
            let mut expected = text.clone();
            portable.counter_mode(counter, first, &mut expected);
            prop_assert!(length < 16 || expected != text);
            for processor in Processor::all() {
                let fast = BlockKey::new(processor, &key[..size]);
                let mut made = text.clone();
                fast.counter_mode(counter, first, &mut made);
                prop_assert_eq!(&made, &expected, "{:?}", processor);
                prop_assert_eq!(fast.encrypt_block(counter), portable.encrypt_block(counter), "{:?}", processor);
            }
        }
    }

    #[test]
    fn the_longest_stream_does_not_repeat_itself() {
        for processor in Processor::all() {
            let key = BlockKey::new(processor, &[7; 16]);
            let mut stream = vec![0; KEY_STREAM_LIMIT];
            key.counter_mode(1 << 64, 0, &mut stream);
            let mut last = [0; 16];
            BlockKey::new(Processor::Portable, &[7; 16]).counter_mode(1 << 64, 65535, &mut last);
            assert_eq!(stream[KEY_STREAM_LIMIT - 16..], last, "{processor:?}");
        }
    }
}
