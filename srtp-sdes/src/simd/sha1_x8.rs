//! HMAC-SHA1 of eight messages at once: one in each 32-bit lane of the 256-bit registers of AVX2.

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256, _mm256_blendv_epi8, _mm256_loadu_si256,
    _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set1_epi32, _mm256_setr_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_storeu_si256, _mm256_unpackhi_epi32,
    _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::Tag;
use crate::authentication::{TagJob, pad};

/// Messages in a register.
pub(super) const LANES: usize = 8;

#[target_feature(enable = "avx2")]
#[inline]
fn load(words: &[u32; LANES]) -> __m256i {
    // SAFETY: the reference covers 32 octets; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(words.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn load_half(octets: &[u8; 32]) -> __m256i {
    // SAFETY: the reference covers 32 octets; the load asks for no alignment.
    unsafe { _mm256_loadu_si256(octets.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store(words: &mut [u32; LANES], register: __m256i) {
    // SAFETY: the reference covers 32 octets and is the only one; the store asks for no alignment.
    unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), register) };
}

/// Half a block of each of eight messages, turned into eight words of all lanes.
#[target_feature(enable = "avx2")]
#[inline]
fn transposed(rows: [&[u8; 32]; LANES]) -> [__m256i; 8] {
    let zero = _mm256_setzero_si256();
    let mut r = [zero; LANES];
    for (register, row) in r.iter_mut().zip(rows) {
        *register = load_half(row);
    }
    let mut t = [zero; 8];
    for i in 0..4 {
        t[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    // u[4 g + c] has column c of the rows 4 g to 4 g + 3 in its lower half, column 4 + c in its upper one.
    let mut u = [zero; 8];
    for g in 0..2 {
        let at = 4 * g;
        u[at] = _mm256_unpacklo_epi64(t[at], t[at + 2]);
        u[at + 1] = _mm256_unpackhi_epi64(t[at], t[at + 2]);
        u[at + 2] = _mm256_unpacklo_epi64(t[at + 1], t[at + 3]);
        u[at + 3] = _mm256_unpackhi_epi64(t[at + 1], t[at + 3]);
    }
    // The words of SHA-1 have the most significant octet first.
    let swap = _mm256_setr_epi8(
        3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14,
        13, 12,
    );
    let mut w = [zero; 8];
    for c in 0..4 {
        w[c] = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x20>(u[c], u[4 + c]), swap);
        w[4 + c] = _mm256_shuffle_epi8(_mm256_permute2x128_si256::<0x31>(u[c], u[4 + c]), swap);
    }
    w
}

#[target_feature(enable = "avx2")]
#[inline]
fn rotated<const LEFT: i32, const RIGHT: i32>(word: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_slli_epi32::<LEFT>(word), _mm256_srli_epi32::<RIGHT>(word))
}

/// FIPS 180-4 6.1.2 in every lane.
#[target_feature(enable = "avx2")]
#[inline]
#[expect(clippy::many_single_char_names, reason = "the names of FIPS 180-4")]
fn compress(state: &[__m256i; 5], w: &mut [__m256i; 16]) -> [__m256i; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    macro_rules! round {
        ($a:ident, $b:ident, $c:ident, $d:ident, $e:ident, $t:expr, $logic:ident, $k:literal) => {
            if $t >= 16 {
                let sum = _mm256_xor_si256(
                    _mm256_xor_si256(w[($t + 13) & 15], w[($t + 8) & 15]),
                    _mm256_xor_si256(w[($t + 2) & 15], w[$t & 15]),
                );
                w[$t & 15] = rotated::<1, 31>(sum);
            }
            let f = $logic($b, $c, $d);
            let with_word = _mm256_add_epi32(_mm256_add_epi32($e, w[$t & 15]), _mm256_set1_epi32($k as i32));
            $e = _mm256_add_epi32(_mm256_add_epi32(with_word, f), rotated::<5, 27>($a));
            $b = rotated::<30, 2>($b);
        };
    }
    macro_rules! twenty {
        ($t:literal, $logic:ident, $k:literal) => {
            twenty!(@ $t, $logic, $k);
            twenty!(@ $t + 5, $logic, $k);
            twenty!(@ $t + 10, $logic, $k);
            twenty!(@ $t + 15, $logic, $k);
        };
        (@ $t:expr, $logic:ident, $k:literal) => {
            round!(a, b, c, d, e, $t, $logic, $k);
            round!(e, a, b, c, d, $t + 1, $logic, $k);
            round!(d, e, a, b, c, $t + 2, $logic, $k);
            round!(c, d, e, a, b, $t + 3, $logic, $k);
            round!(b, c, d, e, a, $t + 4, $logic, $k);
        };
    }
    twenty!(0, choose, 0x5a82_7999_u32);
    twenty!(20, parity, 0x6ed9_eba1_u32);
    twenty!(40, majority, 0x8f1b_bcdc_u32);
    twenty!(60, parity, 0xca62_c1d6_u32);
    let [a0, b0, c0, d0, e0] = *state;
    [
        _mm256_add_epi32(a, a0),
        _mm256_add_epi32(b, b0),
        _mm256_add_epi32(c, c0),
        _mm256_add_epi32(d, d0),
        _mm256_add_epi32(e, e0),
    ]
}

#[target_feature(enable = "avx2")]
#[inline]
fn choose(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(b, c), _mm256_andnot_si256(b, d))
}

#[target_feature(enable = "avx2")]
#[inline]
fn parity(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_xor_si256(_mm256_xor_si256(b, c), d)
}

#[target_feature(enable = "avx2")]
#[inline]
fn majority(b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    _mm256_or_si256(_mm256_and_si256(b, c), _mm256_and_si256(d, _mm256_or_si256(b, c)))
}

/// One state in each lane.
#[target_feature(enable = "avx2")]
#[inline]
fn states<'a>(of: impl Iterator<Item = &'a [u32; 5]>) -> [__m256i; 5] {
    let mut words = [[0_u32; LANES]; 5];
    for (lane, state) in of.take(LANES).enumerate() {
        for (word, value) in words.iter_mut().zip(state) {
            word[lane] = *value;
        }
    }
    let mut registers = [_mm256_setzero_si256(); 5];
    for (register, word) in registers.iter_mut().zip(&words) {
        *register = load(word);
    }
    registers
}

/// The tags of up to eight messages. Lanes whose message has ended keep their state while others go on.
#[target_feature(enable = "avx2")]
pub(super) fn tags(jobs: &[TagJob<'_>], tags: &mut [Tag]) {
    const NOTHING: [u8; 64] = [0; 64];
    let mut whole: [&[[u8; 64]]; LANES] = [&[]; LANES];
    let mut tails = [[[0_u8; 64]; 2]; LANES];
    let mut totals = [0_usize; LANES];
    for (lane, job) in jobs.iter().take(LANES).enumerate() {
        let (blocks, rest) = job.message.as_chunks::<64>();
        let tail = &mut tails[lane];
        tail[0][..rest.len()].copy_from_slice(rest);
        whole[lane] = blocks;
        totals[lane] = blocks.len() + pad(tail, job.suffix, job.message.len());
    }

    let mut state = states(jobs.iter().map(|job| &job.key.0[0]));
    let longest = totals.iter().copied().max().unwrap_or_default();
    for block in 0..longest {
        let mut rows = [&NOTHING; LANES];
        let mut active = [0_u32; LANES];
        for lane in 0..LANES {
            if block < totals[lane] {
                active[lane] = u32::MAX;
                let blocks = whole[lane];
                rows[lane] = match blocks.get(block) {
                    Some(block) => block,
                    None => tails[lane].get(block - blocks.len()).unwrap_or(&NOTHING),
                };
            }
        }
        let mut w = [_mm256_setzero_si256(); 16];
        for (half, words) in w.chunks_exact_mut(8).enumerate() {
            words.copy_from_slice(&transposed(rows.map(|row| &row.as_chunks::<32>().0[half])));
        }
        let next = compress(&state, &mut w);
        let active = load(&active);
        for (word, next) in state.iter_mut().zip(next) {
            *word = _mm256_blendv_epi8(*word, next, active);
        }
    }

    // The outer block: the inner hash, the bit behind it, its length.
    let mut w = [_mm256_setzero_si256(); 16];
    w[..5].copy_from_slice(&state);
    w[5] = _mm256_set1_epi32(i32::MIN);
    w[15] = _mm256_set1_epi32((64 + 20) * 8);
    let state = compress(&states(jobs.iter().map(|job| &job.key.0[1])), &mut w);

    let mut words = [[0_u32; LANES]; 4];
    for (word, register) in words.iter_mut().zip(state) {
        store(word, register);
    }
    for (lane, tag) in tags.iter_mut().take(jobs.len().min(LANES)).enumerate() {
        for (octets, word) in tag.chunks_exact_mut(4).zip(&words) {
            octets.copy_from_slice(&word[lane].to_be_bytes());
        }
    }
}
