//! AES in counter mode, four blocks in each 512-bit register.

use core::arch::x86_64::{
    __m128i, __m512i, _mm512_add_epi32, _mm512_aesenc_epi128, _mm512_aesenclast_epi128,
    _mm512_broadcast_i32x4, _mm512_loadu_si512, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_maskz_set1_epi32, _mm512_set_epi32, _mm512_set4_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_storeu_si512, _mm512_xor_si512,
};

use super::aes::{load, load_key};
use crate::cipher::RoundKey;

/// Octets of a register.
const REGISTER: usize = 64;
/// Registers under way at once.
const PARALLEL: usize = 4;

/// The low 16 bits of the counter are zero but for what the first round key has added: numbers are added without carry.
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
#[inline]
pub(super) fn counter_mode(keys: &[RoundKey], whitened: u128, first: u16, data: &mut [u8]) {
    let vector = _mm512_broadcast_i32x4(load(&whitened.to_be_bytes()));
    // Loops of known length stay in registers.
    if let Some((keys, [])) = keys.split_first_chunk::<10>() {
        each_chunk(keys, vector, first, data);
    } else if let Some((keys, [])) = keys.split_first_chunk::<14>() {
        each_chunk(keys, vector, first, data);
    } else if let Some((keys, [])) = keys.split_first_chunk::<12>() {
        each_chunk(keys, vector, first, data);
    }
}

/// AES-128 from the first block, with the vector in a register. A packet of speech finds its rounds in the caller's own code.
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
#[inline]
pub(super) fn counter_mode_128(keys: &[RoundKey; 10], vector: __m128i, data: &mut [u8]) {
    let vector = _mm512_broadcast_i32x4(vector);
    match data.len() {
        129..=192 => apply::<3, 10>(keys, vector, 0, data),
        _ => each_chunk(keys, vector, 0, data),
    }
}

#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
#[inline]
fn each_chunk<const R: usize>(keys: &[RoundKey; R], vector: __m512i, first: u16, data: &mut [u8]) {
    let mut number = i32::from(first);
    for chunk in data.chunks_mut(PARALLEL * REGISTER) {
        match chunk.len() {
            0..=64 => apply::<1, R>(keys, vector, number, chunk),
            65..=128 => apply::<2, R>(keys, vector, number, chunk),
            129..=192 => apply::<3, R>(keys, vector, number, chunk),
            _ => apply::<4, R>(keys, vector, number, chunk),
        }
        number += 16;
    }
}

/// More than 64 (`N` - 1) and at most 64 `N` octets.
#[target_feature(enable = "avx512f,avx512bw,vaes,aes,sse2")]
#[inline]
fn apply<const N: usize, const R: usize>(
    keys: &[RoundKey; R],
    vector: __m512i,
    number: i32,
    data: &mut [u8],
) {
    // The block's number stands in the last two octets, the most significant first.
    let order = _mm512_set4_epi32(0x0c0d_0e0f, 0x0b0a_0908, 0x0706_0504, 0x0302_0100);
    let mut numbers = _mm512_set_epi32(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    if number != 0 {
        numbers = _mm512_add_epi32(numbers, _mm512_maskz_set1_epi32(0x8888, number));
    }
    let four = _mm512_set_epi32(4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0);
    let mut state = [_mm512_setzero_si512(); N];
    for state in &mut state {
        *state = _mm512_xor_si512(vector, _mm512_shuffle_epi8(numbers, order));
        numbers = _mm512_add_epi32(numbers, four);
    }
    for key in &keys[..R - 1] {
        let key = _mm512_broadcast_i32x4(load_key(key));
        for state in &mut state {
            *state = _mm512_aesenc_epi128(*state, key);
        }
    }
    let last = _mm512_broadcast_i32x4(load_key(&keys[R - 1]));
    for state in &mut state {
        *state = _mm512_aesenclast_epi128(*state, last);
    }
    xor(data, state);
}

/// XORs `N` registers into more than 64 (`N` - 1) and at most 64 `N` octets. Nothing between the registers asks for the length:
/// the compiler would put the rounds of the later ones behind the question, one after the other.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn xor<const N: usize>(data: &mut [u8], streams: [__m512i; N]) {
    let rest = data.len().wrapping_sub(REGISTER * (N - 1));
    if rest.wrapping_sub(1) >= REGISTER {
        return;
    }
    let mask = u64::MAX >> (REGISTER - rest);
    let [before @ .., last] = &streams[..] else { return };
    let octets = data.as_mut_ptr();
    for (at, stream) in before.iter().enumerate() {
        // SAFETY: there are N - 1 whole registers, and no other reference to their octets.
        unsafe {
            let octets = octets.add(REGISTER * at);
            let text = _mm512_loadu_si512(octets.cast());
            _mm512_storeu_si512(octets.cast(), _mm512_xor_si512(text, *stream));
        }
    }
    // SAFETY: the mask has a bit for each octet behind them and none beyond.
    unsafe {
        let octets = octets.add(REGISTER * (N - 1));
        let text = _mm512_maskz_loadu_epi8(mask, octets.cast());
        _mm512_mask_storeu_epi8(octets.cast(), mask, _mm512_xor_si512(text, *last));
    }
}
