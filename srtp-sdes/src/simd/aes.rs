//! AES by the processor's own instructions: key schedule, one block, counter mode with a block in each 128-bit register.

use core::arch::x86_64::{
    __m128i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_aeskeygenassist_si128, _mm_cvtsi128_si32,
    _mm_loadu_si128, _mm_set1_epi32, _mm_setzero_si128, _mm_storeu_si128, _mm_xor_si128,
};

use crate::cipher::{BLOCK, RoundKey};

/// Blocks under way at once.
const PARALLEL: usize = 8;

#[target_feature(enable = "aes,sse2")]
fn sub_word(word: u32) -> u32 {
    // The lowest lane of the result is the substituted second word.
    _mm_cvtsi128_si32(_mm_aeskeygenassist_si128::<0>(_mm_set1_epi32(word as i32))) as u32
}

/// FIPS 197 5.2; words with the first octet lowest. The schedule has a round key more than the key's words and six.
#[target_feature(enable = "aes,sse2")]
pub(super) fn expand(key: &[u8], schedule: &mut [RoundKey]) {
    let words = schedule.as_flattened_mut();
    let (given, _) = key.as_chunks::<4>();
    let length = given.len();
    for (word, given) in words.iter_mut().zip(given) {
        *word = u32::from_le_bytes(*given);
    }
    let mut constant = 1_u8;
    for at in length..words.len() {
        let mut word = words[at - 1];
        if at % length == 0 {
            word = sub_word(word.rotate_right(8)) ^ u32::from(constant);
            constant = constant << 1 ^ if constant & 0x80 == 0 { 0 } else { 0x1b };
        } else if length > 6 && at % length == 4 {
            word = sub_word(word);
        }
        words[at] = word ^ words[at - length];
    }
}

#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn load_key(key: &RoundKey) -> __m128i {
    // SAFETY: the reference covers 16 octets; the load asks for no alignment.
    unsafe { _mm_loadu_si128(key.as_ptr().cast()) }
}

#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn load(octets: &[u8; BLOCK]) -> __m128i {
    // SAFETY: the reference covers 16 octets; the load asks for no alignment.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

#[target_feature(enable = "sse2")]
#[inline]
fn store(octets: &mut [u8; BLOCK], register: __m128i) {
    // SAFETY: the reference covers 16 octets and is the only one; the store asks for no alignment.
    unsafe { _mm_storeu_si128(octets.as_mut_ptr().cast(), register) };
}

#[target_feature(enable = "aes,sse2")]
pub(super) fn encrypt_block(keys: &[RoundKey], whitened: u128) -> u128 {
    let mut state = load(&whitened.to_be_bytes());
    if let [between @ .., last] = keys {
        for key in between {
            state = _mm_aesenc_si128(state, load_key(key));
        }
        state = _mm_aesenclast_si128(state, load_key(last));
    }
    let mut block = [0; BLOCK];
    store(&mut block, state);
    u128::from_be_bytes(block)
}

/// The low 16 bits of the counter are zero but for what the first round key has added: numbers are added without carry.
#[target_feature(enable = "aes,sse2")]
pub(super) fn counter_mode(keys: &[RoundKey], whitened: u128, first: u16, data: &mut [u8]) {
    let mut number = u128::from(first);
    for chunk in data.chunks_mut(PARALLEL * BLOCK) {
        match chunk.len() {
            0..=16 => apply::<1>(keys, whitened, number, chunk),
            17..=32 => apply::<2>(keys, whitened, number, chunk),
            33..=64 => apply::<4>(keys, whitened, number, chunk),
            _ => apply::<PARALLEL>(keys, whitened, number, chunk),
        }
        number += PARALLEL as u128;
    }
}

/// Up to `N` blocks.
#[target_feature(enable = "aes,sse2")]
#[inline]
fn apply<const N: usize>(keys: &[RoundKey], whitened: u128, number: u128, data: &mut [u8]) {
    let [between @ .., last] = keys else { return };
    let mut states = [_mm_setzero_si128(); N];
    for (at, state) in states.iter_mut().enumerate() {
        *state = load(&(whitened ^ (number + at as u128)).to_be_bytes());
    }
    for key in between {
        let key = load_key(key);
        for state in &mut states {
            *state = _mm_aesenc_si128(*state, key);
        }
    }
    let last = load_key(last);
    let mut streams = states;
    for stream in &mut streams {
        *stream = _mm_aesenclast_si128(*stream, last);
    }
    let (whole, rest) = data.as_chunks_mut::<BLOCK>();
    for (block, stream) in whole.iter_mut().zip(&streams) {
        let text = _mm_xor_si128(load(block), *stream);
        store(block, text);
    }
    if let Some(last) = streams.get(whole.len()).filter(|_| !rest.is_empty()) {
        let mut stream = [0; BLOCK];
        store(&mut stream, *last);
        for (octet, key) in rest.iter_mut().zip(stream) {
            *octet ^= key;
        }
    }
}
