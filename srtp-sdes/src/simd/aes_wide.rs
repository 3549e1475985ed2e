//! AES in counter mode, four blocks in each 512-bit register.

use core::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_aesenc_epi128, _mm512_aesenclast_epi128, _mm512_broadcast_i32x4,
    _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8, _mm512_maskz_set1_epi32, _mm512_set_epi32,
    _mm512_set4_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_xor_si512,
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

/// Up to `N` times 64 octets.
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
    let four = _mm512_set_epi32(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    let mut state = [_mm512_setzero_si512(); N];
    for (at, state) in state.iter_mut().enumerate() {
        let numbers = _mm512_add_epi32(four, _mm512_maskz_set1_epi32(0x8888, number + 4 * at as i32));
        *state = _mm512_xor_si512(vector, _mm512_shuffle_epi8(numbers, order));
    }
    for key in &keys[..R - 1] {
        let key = _mm512_broadcast_i32x4(load_key(key));
        for state in &mut state {
            *state = _mm512_aesenc_epi128(*state, key);
        }
    }
    let last = _mm512_broadcast_i32x4(load_key(&keys[R - 1]));
    for (octets, state) in data.chunks_mut(REGISTER).zip(state) {
        let stream = _mm512_aesenclast_epi128(state, last);
        let mask = u64::MAX >> (REGISTER - octets.len());
        // SAFETY: the mask has a bit for each octet of the slice and none beyond.
        unsafe {
            let text = _mm512_maskz_loadu_epi8(mask, octets.as_ptr().cast());
            _mm512_mask_storeu_epi8(octets.as_mut_ptr().cast(), mask, _mm512_xor_si512(text, stream));
        }
    }
}
