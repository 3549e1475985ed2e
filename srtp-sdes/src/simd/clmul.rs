//! Carry-less multiplication by the processor's own instruction.

use core::arch::x86_64::{
    __m128i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_setzero_si128, _mm_unpackhi_epi64,
    _mm_xor_si128,
};

#[target_feature(enable = "sse2")]
#[inline]
fn register(value: u128) -> __m128i {
    _mm_set_epi64x((value >> 64) as i64, value as i64)
}

#[target_feature(enable = "sse2")]
#[inline]
pub(super) fn value(register: __m128i) -> u128 {
    let low = _mm_cvtsi128_si64(register) as u64;
    let high = _mm_cvtsi128_si64(_mm_unpackhi_epi64(register, register)) as u64;
    u128::from(high) << 64 | u128::from(low)
}

/// The lower, middle and upper part of the sum of all products.
#[target_feature(enable = "pclmulqdq,sse2")]
pub(super) fn sum_of_products(blocks: &[u128], powers: &[u128]) -> [u128; 3] {
    let mut low = _mm_setzero_si128();
    let mut middle = _mm_setzero_si128();
    let mut high = _mm_setzero_si128();
    for (block, power) in blocks.iter().zip(powers) {
        let (x, h) = (register(*block), register(*power));
        low = _mm_xor_si128(low, _mm_clmulepi64_si128(x, h, 0x00));
        high = _mm_xor_si128(high, _mm_clmulepi64_si128(x, h, 0x11));
        let cross = _mm_xor_si128(_mm_clmulepi64_si128(x, h, 0x01), _mm_clmulepi64_si128(x, h, 0x10));
        middle = _mm_xor_si128(middle, cross);
    }
    [value(low), value(middle), value(high)]
}
