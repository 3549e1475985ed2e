//! HMAC-SHA1 of sixteen messages at once: one in each 32-bit lane of the 512-bit registers.
//!
//! Loops and no closures: what is handed a closure is compiled for any processor, and registers would go through memory.

use core::arch::x86_64::{
    __m512i, __mmask16, _mm512_add_epi32, _mm512_loadu_si512, _mm512_mask_mov_epi32, _mm512_mask_set1_epi32,
    _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_epi32, _mm512_maskz_set1_epi32, _mm512_or_si512,
    _mm512_rol_epi32, _mm512_set1_epi32, _mm512_set4_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8,
    _mm512_shuffle_i32x4, _mm512_storeu_si512, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::{LANES, Tag};
use crate::authentication::{TagJob, pad};

#[target_feature(enable = "avx512f")]
#[inline]
fn load_block(block: &[u8; 64]) -> __m512i {
    // SAFETY: the reference covers 64 octets; the load asks for no alignment.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn store_tags(tags: &mut [Tag; 4], register: __m512i) {
    // SAFETY: the reference covers 64 octets and is the only one; the store asks for no alignment.
    unsafe { _mm512_storeu_si512(tags.as_mut_ptr().cast(), register) };
}

/// Fewer than 64 octets, zeros behind them.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn load_rest(rest: &[u8]) -> __m512i {
    let mask = (1_u64 << (rest.len() % 64)) - 1;
    // SAFETY: the mask has a bit for each octet of the slice and none beyond.
    unsafe { _mm512_maskz_loadu_epi8(mask, rest.as_ptr().cast()) }
}

/// Sixteen blocks, one a row, turned into sixteen words of all lanes.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn words_of(rows: &[__m512i; LANES]) -> [__m512i; 16] {
    // The words of SHA-1 have the most significant octet first.
    let mut words = transposed(rows);
    for word in &mut words {
        *word = swapped(*word);
    }
    words
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn swapped(words: __m512i) -> __m512i {
    let swap = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    _mm512_shuffle_epi8(words, swap)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn transposed(r: &[__m512i; LANES]) -> [__m512i; 16] {
    let zero = _mm512_setzero_si512();
    let mut t = [zero; 16];
    for i in 0..8 {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    // u[4 g + c] has, in its quarter k, column 4 k + c of the rows 4 g to 4 g + 3.
    let mut u = [zero; 16];
    for g in 0..4 {
        let at = 4 * g;
        u[at] = _mm512_unpacklo_epi64(t[at], t[at + 2]);
        u[at + 1] = _mm512_unpackhi_epi64(t[at], t[at + 2]);
        u[at + 2] = _mm512_unpacklo_epi64(t[at + 1], t[at + 3]);
        u[at + 3] = _mm512_unpackhi_epi64(t[at + 1], t[at + 3]);
    }
    let mut w = [zero; 16];
    for c in 0..4 {
        let even_a = _mm512_shuffle_i32x4(u[c], u[4 + c], 0x88);
        let even_b = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0x88);
        let odd_a = _mm512_shuffle_i32x4(u[c], u[4 + c], 0xdd);
        let odd_b = _mm512_shuffle_i32x4(u[8 + c], u[12 + c], 0xdd);
        w[c] = _mm512_shuffle_i32x4(even_a, even_b, 0x88);
        w[4 + c] = _mm512_shuffle_i32x4(odd_a, odd_b, 0x88);
        w[8 + c] = _mm512_shuffle_i32x4(even_a, even_b, 0xdd);
        w[12 + c] = _mm512_shuffle_i32x4(odd_a, odd_b, 0xdd);
    }
    w
}

/// FIPS 180-4 6.1.2 in every lane. Each kind of caller has a copy of its own, which the compiler puts into its place.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
#[expect(clippy::many_single_char_names, reason = "the names of FIPS 180-4")]
fn compress<const ALIKE: bool>(state: &[__m512i; 5], w: &mut [__m512i; 16]) -> [__m512i; 5] {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    macro_rules! round {
        ($a:ident, $b:ident, $c:ident, $d:ident, $e:ident, $t:expr, $logic:literal, $k:literal) => {
            if $t >= 16 {
                let sum =
                    _mm512_ternarylogic_epi32::<0x96>(w[($t + 13) & 15], w[($t + 8) & 15], w[($t + 2) & 15]);
                w[$t & 15] = _mm512_rol_epi32::<1>(_mm512_xor_si512(sum, w[$t & 15]));
            }
            let f = _mm512_ternarylogic_epi32::<$logic>($b, $c, $d);
            let with_word = _mm512_add_epi32(_mm512_add_epi32($e, w[$t & 15]), _mm512_set1_epi32($k as i32));
            $e = _mm512_add_epi32(_mm512_add_epi32(with_word, f), _mm512_rol_epi32::<5>($a));
            $b = _mm512_rol_epi32::<30>($b);
        };
    }
    macro_rules! twenty {
        ($t:literal, $logic:literal, $k:literal) => {
            twenty!(@ $t, $logic, $k);
            twenty!(@ $t + 5, $logic, $k);
            twenty!(@ $t + 10, $logic, $k);
            twenty!(@ $t + 15, $logic, $k);
        };
        (@ $t:expr, $logic:literal, $k:literal) => {
            round!(a, b, c, d, e, $t, $logic, $k);
            round!(e, a, b, c, d, $t + 1, $logic, $k);
            round!(d, e, a, b, c, $t + 2, $logic, $k);
            round!(c, d, e, a, b, $t + 3, $logic, $k);
            round!(b, c, d, e, a, $t + 4, $logic, $k);
        };
    }
    // Choose, parity, majority, parity.
    twenty!(0, 0xca, 0x5a82_7999_u32);
    twenty!(20, 0x96, 0x6ed9_eba1_u32);
    twenty!(40, 0xe8, 0x8f1b_bcdc_u32);
    twenty!(60, 0x96, 0xca62_c1d6_u32);
    let [a0, b0, c0, d0, e0] = *state;
    [
        _mm512_add_epi32(a, a0),
        _mm512_add_epi32(b, b0),
        _mm512_add_epi32(c, c0),
        _mm512_add_epi32(d, d0),
        _mm512_add_epi32(e, e0),
    ]
}

/// The states behind both pads, one in each lane.
#[target_feature(enable = "avx512f")]
#[inline]
fn states(jobs: &[&TagJob<'_>; LANES]) -> [[__m512i; 5]; 2] {
    let mut rows = [_mm512_setzero_si512(); LANES];
    for (row, job) in rows.iter_mut().zip(jobs) {
        // SAFETY: the key has ten words, and the mask has a bit for each of them.
        *row = unsafe { _mm512_maskz_loadu_epi32(0x3ff, job.key.0.as_ptr().cast()) };
    }
    let words = transposed(&rows);
    let (five, _) = words.as_chunks::<5>();
    [five[0], five[1]]
}

/// The tags of up to sixteen messages.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn tags(jobs: &[TagJob<'_>], tags: &mut [Tag; LANES]) {
    let Some(first) = jobs.first() else { return };
    let length = first.message.len();
    let mut alike = length % WORD == 0;
    // Lanes without a message repeat the first one.
    let mut all = [first; LANES];
    for (lane, job) in all.iter_mut().zip(jobs) {
        *lane = job;
        alike &= job.message.len() == length;
    }
    if alike { tags_of::<true>(&all, tags) } else { tags_of::<false>(&all, tags) }
}

/// One loop over all blocks, the outer one among them: the rounds stand in the program once, and words and states stay in
/// registers.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn tags_of<const ALIKE: bool>(jobs: &[&TagJob<'_>; LANES], tags: &mut [Tag; LANES]) {
    let [mut state, outer] = states(jobs);
    let tails = if ALIKE { Tails::nothing() } else { Tails::of(jobs) };
    let length = jobs[0].message.len();
    let blocks = if ALIKE { blocks_of(length) } else { tails.longest() };
    let mut block = 0;
    let digest = loop {
        let mut active: __mmask16 = !0;
        let mut w;
        if block == blocks {
            // The outer block: the inner hash, the bit behind it, its length.
            w = [_mm512_setzero_si512(); 16];
            w[..5].copy_from_slice(&state);
            w[5] = _mm512_set1_epi32(i32::MIN);
            w[15] = _mm512_set1_epi32((64 + 20) * 8);
            state = outer;
        } else if ALIKE {
            w = words_alike(jobs, block, length);
        } else {
            (w, active) = tails.words(jobs, block);
        }
        let next = compress::<ALIKE>(&state, &mut w);
        if block == blocks {
            break next;
        }
        for (word, next) in state.iter_mut().zip(next) {
            // Lanes whose message has ended keep their state while others go on.
            *word = if ALIKE { next } else { _mm512_mask_mov_epi32(*word, active, next) };
        }
        block += 1;
    };

    // Four words of each lane side by side: every fourth lane in one register.
    let low = [_mm512_unpacklo_epi32(digest[0], digest[1]), _mm512_unpacklo_epi32(digest[2], digest[3])];
    let high = [_mm512_unpackhi_epi32(digest[0], digest[1]), _mm512_unpackhi_epi32(digest[2], digest[3])];
    let fourths = [
        _mm512_unpacklo_epi64(low[0], low[1]),
        _mm512_unpackhi_epi64(low[0], low[1]),
        _mm512_unpacklo_epi64(high[0], high[1]),
        _mm512_unpackhi_epi64(high[0], high[1]),
    ];
    for (first, register) in fourths.into_iter().enumerate() {
        let mut four = [[0_u8; 16]; 4];
        store_tags(&mut four, swapped(register));
        for (at, tag) in four.into_iter().enumerate() {
            tags[4 * at + first] = tag;
        }
    }
}

/// Octets of a word.
const WORD: usize = 4;

/// Blocks of a message of so many octets with suffix and padding.
const fn blocks_of(length: usize) -> usize {
    (length + WORD + 9).div_ceil(64)
}

/// A block of messages of one length in whole words: what stands behind them has the same place in every lane.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn words_alike(jobs: &[&TagJob<'_>; LANES], block: usize, length: usize) -> [__m512i; 16] {
    let mut rows = [_mm512_setzero_si512(); LANES];
    if block < length / 64 {
        for (row, job) in rows.iter_mut().zip(jobs) {
            if let Some(block) = job.message.as_chunks::<64>().0.get(block) {
                *row = load_block(block);
            }
        }
        return words_of(&rows);
    }
    // Words of the message in its last block, where suffix, the bit behind it, and the length of all with the inner pad follow. They
    // are put into the rows: an index that is not known when this is compiled would send the words through memory.
    let behind = length % 64 / WORD;
    let mut w = rows;
    if block == length / 64 {
        let place: __mmask16 = 1 << behind;
        let bit = _mm512_maskz_set1_epi32(place << 1, 0x80);
        for (row, job) in rows.iter_mut().zip(jobs) {
            let rest = _mm512_or_si512(load_rest(job.message.as_chunks::<64>().1), bit);
            *row = _mm512_mask_set1_epi32(rest, place, i32::from_ne_bytes(job.suffix));
        }
        w = words_of(&rows);
    } else if behind + 1 == 16 {
        w[0] = _mm512_set1_epi32(i32::MIN);
    }
    if block + 1 == blocks_of(length) {
        w[15] = _mm512_set1_epi32(((64 + length + WORD) << 3) as i32);
    }
    w
}

/// The last blocks of messages of several lengths, with suffix and padding.
struct Tails {
    blocks: [[[u8; 64]; 2]; LANES],
    /// Blocks of each lane.
    totals: [usize; LANES],
}

impl Tails {
    const fn nothing() -> Self {
        Self { blocks: [[[0; 64]; 2]; LANES], totals: [0; LANES] }
    }

    fn of(jobs: &[&TagJob<'_>; LANES]) -> Self {
        let mut tails = Self::nothing();
        for ((job, tail), total) in jobs.iter().zip(&mut tails.blocks).zip(&mut tails.totals) {
            let (blocks, rest) = job.message.as_chunks::<64>();
            for (to, from) in tail[0].iter_mut().zip(rest) {
                *to = *from;
            }
            *total = blocks.len() + pad(tail, job.suffix, job.message.len());
        }
        tails
    }

    fn longest(&self) -> usize {
        self.totals.iter().copied().max().unwrap_or_default()
    }

    /// The words of a block, and the lanes that still have one.
    #[target_feature(enable = "avx512f,avx512bw")]
    #[inline]
    fn words(&self, jobs: &[&TagJob<'_>; LANES], block: usize) -> ([__m512i; 16], __mmask16) {
        const NOTHING: [u8; 64] = [0; 64];
        let mut rows = [_mm512_setzero_si512(); LANES];
        let mut active: __mmask16 = 0;
        for lane in 0..LANES {
            if block < self.totals[lane] {
                active |= 1 << lane;
                let (blocks, _) = jobs[lane].message.as_chunks::<64>();
                rows[lane] = load_block(match blocks.get(block) {
                    Some(block) => block,
                    None => self.blocks[lane].get(block - blocks.len()).unwrap_or(&NOTHING),
                });
            }
        }
        (words_of(&rows), active)
    }
}
