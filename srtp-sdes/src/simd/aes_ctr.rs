//! AES in counter mode, four blocks in each 512-bit register.

use core::arch::x86_64::{
    __m128i, __m512i, _mm_aesenc_si128, _mm_aesenclast_si128, _mm_aeskeygenassist_si128, _mm_cvtsi128_si32,
    _mm_loadu_si128, _mm_set1_epi32, _mm_storeu_si128, _mm_xor_si128, _mm512_add_epi32, _mm512_aesenc_epi128,
    _mm512_aesenclast_epi128, _mm512_broadcast_i32x4, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_maskz_set1_epi32, _mm512_set_epi32, _mm512_set4_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_xor_si512,
};

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Whether this processor has what the functions here ask for.
pub(crate) fn available() -> bool {
    is_x86_feature_detected!("aes")
        && is_x86_feature_detected!("vaes")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
}

/// A key schedule; wiped on drop. There is one only where [`available`] said so.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct RoundKeys {
    keys: Box<[[u8; 16]]>,
    #[zeroize(skip)]
    rounds: usize,
}

impl RoundKeys {
    /// The schedule of a key of 16, 24 or 32 octets, if the processor can use it.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        if !available() {
            return None;
        }
        let rounds = key.len() / 4 + 6;
        let mut schedule = Self { keys: vec![[0; 16]; rounds + 1].into(), rounds };
        // SAFETY: the processor has what the function asks for.
        unsafe { expand(key, &mut schedule) };
        Some(schedule)
    }

    pub(crate) fn encrypt_block(&self, block: [u8; 16]) -> [u8; 16] {
        // SAFETY: there is a schedule only where the processor has what the function asks for.
        unsafe { encrypt_block(self, block) }
    }

    /// XORs `data` with the key stream; the low 16 bits of `counter` are zero, `first` begins there.
    #[inline]
    pub(crate) fn counter_mode(&self, counter: u128, first: u16, data: &mut [u8]) {
        // SAFETY: there is a schedule only where the processor has what the function asks for.
        unsafe { counter_mode(self, counter, first, data) };
    }
}

#[target_feature(enable = "aes,sse2")]
fn sub_word(word: u32) -> u32 {
    // The lowest lane of the result is the substituted second word.
    _mm_cvtsi128_si32(_mm_aeskeygenassist_si128::<0>(_mm_set1_epi32(word as i32))) as u32
}

/// FIPS 197 5.2; words with the first octet lowest.
#[target_feature(enable = "aes,sse2")]
fn expand(key: &[u8], schedule: &mut RoundKeys) {
    let (words, _) = schedule.keys.as_flattened_mut().as_chunks_mut::<4>();
    let (given, _) = key.as_chunks::<4>();
    let length = given.len();
    for (word, given) in words.iter_mut().zip(given) {
        *word = *given;
    }
    let mut constant = 1_u8;
    for at in length..4 * (schedule.rounds + 1) {
        let mut word = u32::from_le_bytes(words[at - 1]);
        if at % length == 0 {
            word = sub_word(word.rotate_right(8)) ^ u32::from(constant);
            constant = constant << 1 ^ if constant & 0x80 == 0 { 0 } else { 0x1b };
        } else if length > 6 && at % length == 4 {
            word = sub_word(word);
        }
        words[at] = (word ^ u32::from_le_bytes(words[at - length])).to_le_bytes();
    }
}

#[target_feature(enable = "sse2")]
#[inline]
fn load(octets: &[u8; 16]) -> __m128i {
    // SAFETY: the reference covers 16 octets; the load asks for no alignment.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

#[target_feature(enable = "aes,sse2")]
fn encrypt_block(schedule: &RoundKeys, mut block: [u8; 16]) -> [u8; 16] {
    let keys = &schedule.keys[..=schedule.rounds];
    let mut state = _mm_xor_si128(load(&block), load(&keys[0]));
    for key in &keys[1..schedule.rounds] {
        state = _mm_aesenc_si128(state, load(key));
    }
    state = _mm_aesenclast_si128(state, load(&keys[schedule.rounds]));
    // SAFETY: the reference covers 16 octets; the store asks for no alignment.
    unsafe { _mm_storeu_si128(block.as_mut_ptr().cast(), state) };
    block
}

#[target_feature(enable = "avx512f,avx512bw,vaes")]
fn counter_mode(schedule: &RoundKeys, counter: u128, first: u16, data: &mut [u8]) {
    let vector = _mm512_broadcast_i32x4(load(&counter.to_be_bytes()));
    let mut number = i32::from(first);
    for chunk in data.chunks_mut(256) {
        match chunk.len() {
            0..=64 => apply::<1>(schedule, vector, number, chunk),
            65..=128 => apply::<2>(schedule, vector, number, chunk),
            129..=192 => apply::<3>(schedule, vector, number, chunk),
            _ => apply::<4>(schedule, vector, number, chunk),
        }
        number += 16;
    }
}

/// Up to `N` times 64 octets.
#[target_feature(enable = "avx512f,avx512bw,vaes")]
#[inline]
fn apply<const N: usize>(schedule: &RoundKeys, vector: __m512i, number: i32, data: &mut [u8]) {
    // The block's number stands in the last two octets, the most significant first.
    let order = _mm512_set4_epi32(0x0c0d_0e0f, 0x0b0a_0908, 0x0706_0504, 0x0302_0100);
    let four = _mm512_set_epi32(3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
    let keys = &schedule.keys[..=schedule.rounds];
    let whitening = _mm512_broadcast_i32x4(load(&keys[0]));
    let mut state = [_mm512_setzero_si512(); N];
    for (at, state) in state.iter_mut().enumerate() {
        let numbers = _mm512_add_epi32(four, _mm512_maskz_set1_epi32(0x8888, number + 4 * at as i32));
        let block = _mm512_xor_si512(vector, _mm512_shuffle_epi8(numbers, order));
        *state = _mm512_xor_si512(block, whitening);
    }
    for key in &keys[1..schedule.rounds] {
        let key = _mm512_broadcast_i32x4(load(key));
        for state in &mut state {
            *state = _mm512_aesenc_epi128(*state, key);
        }
    }
    let last = _mm512_broadcast_i32x4(load(&keys[schedule.rounds]));
    for (octets, state) in data.chunks_mut(64).zip(state) {
        let stream = _mm512_aesenclast_epi128(state, last);
        let mask = u64::MAX >> (64 - octets.len());
        // SAFETY: the mask has a bit for each octet of the slice and none beyond.
        unsafe {
            let text = _mm512_maskz_loadu_epi8(mask, octets.as_ptr().cast());
            _mm512_mask_storeu_epi8(octets.as_mut_ptr().cast(), mask, _mm512_xor_si512(text, stream));
        }
    }
}
