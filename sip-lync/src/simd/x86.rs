//! Kernels for x86-64: SSE2 is always there, AVX2 and AVX-512 where the processor says so.

#![expect(clippy::cast_ptr_alignment, reason = "the loads take octets of any alignment")]

use core::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8, _mm512_cmpeq_epi8_mask,
    _mm512_loadu_si512, _mm512_set1_epi8,
};

use super::{Block, LineEndings, WIDTH, Work};

/// Whether [`avx2`] may be called.
#[inline]
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

/// Whether [`avx512`] may be called.
#[inline]
pub(super) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && has_avx2()
}

/// The line ends of a text, sixteen octets at a time.
pub(super) fn sse2(text: &[u8], ends: &mut LineEndings) {
    ends.each(text, |octets| {
        let (quarters, _) = octets.as_chunks::<16>();
        let mut block = Block::default();
        for (i, quarter) in quarters.iter().enumerate() {
            // SAFETY: every x86-64 processor has SSE2; the load takes exactly the sixteen octets of `quarter`.
            unsafe {
                let value = _mm_loadu_si128(quarter.as_ptr().cast::<__m128i>());
                let mask = |octet: u8| {
                    let equal = _mm_cmpeq_epi8(value, _mm_set1_epi8(octet as i8));
                    u64::from(_mm_movemask_epi8(equal) as u32) << (16 * i)
                };
                block.returns |= mask(b'\r');
                block.feeds |= mask(b'\n');
            }
        }
        block
    });
}

/// The line ends of a text, thirty-two octets at a time.
///
/// # Safety
///
/// The processor must have AVX2 and the bit instructions that came with it.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) unsafe fn avx2(text: &[u8], ends: &mut LineEndings) {
    ends.each(text, |octets| {
        let (halves, _) = octets.as_chunks::<32>();
        let mut block = Block::default();
        for (i, half) in halves.iter().enumerate() {
            // SAFETY: the load takes exactly the thirty-two octets of `half`.
            let value = unsafe { _mm256_loadu_si256(half.as_ptr().cast::<__m256i>()) };
            let mask = |octet: u8| {
                let equal = _mm256_cmpeq_epi8(value, _mm256_set1_epi8(octet as i8));
                u64::from(_mm256_movemask_epi8(equal) as u32) << (32 * i)
            };
            block.returns |= mask(b'\r');
            block.feeds |= mask(b'\n');
        }
        block
    });
}

/// The line ends of a text, sixty-four octets at a time.
///
/// # Safety
///
/// The processor must have AVX-512BW and VL and the bit instructions that came with AVX2.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) unsafe fn avx512(text: &[u8], ends: &mut LineEndings) {
    ends.each(text, |octets: &[u8; WIDTH]| {
        // SAFETY: the load takes exactly the sixty-four octets.
        let value = unsafe { _mm512_loadu_si512(octets.as_ptr().cast::<__m512i>()) };
        let mask = |octet: u8| _mm512_cmpeq_epi8_mask(value, _mm512_set1_epi8(octet as i8));
        Block { returns: mask(b'\r'), feeds: mask(b'\n') }
    });
}

/// Offset of the first colon; thirty-two if there is none.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
pub(super) fn colon(chunk: &[u8; 32]) -> usize {
    let (halves, _) = chunk.as_chunks::<16>();
    let mut colons = 0;
    for (i, half) in halves.iter().enumerate() {
        // SAFETY: every x86-64 processor has SSE2; the load takes exactly the sixteen octets of `half`.
        let mask = unsafe {
            let value = _mm_loadu_si128(half.as_ptr().cast::<__m128i>());
            _mm_movemask_epi8(_mm_cmpeq_epi8(value, _mm_set1_epi8(b':' as i8)))
        };
        colons |= u64::from(mask as u32) << (16 * i);
    }
    (colons | 1 << 32).trailing_zeros() as usize
}

/// Does work that is compiled for AVX2.
///
/// # Safety
///
/// [`has_avx2`] must be true.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) unsafe fn compiled_for_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

/// Does work that is compiled for AVX-512.
///
/// # Safety
///
/// [`has_avx512`] must be true.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) unsafe fn compiled_for_avx512<W: Work>(work: W) -> W::Output {
    work.run()
}
