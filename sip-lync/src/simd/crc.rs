//! The CRC of ITU-T V.42 by multiplication without carries: every sixteen octets on their own, then summed up.
//!
//! Polynomials stand reflected, the highest power in the lowest bit. Sixteen octets that stand `n` blocks before the end
//! count `x^(128 n)` times; modulo the polynomial that is two multiplications with constants.

use core::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_clmulepi64_si128, _mm_cvtsi32_si128, _mm_extract_epi32, _mm_loadu_si128,
    _mm_set_epi32, _mm_set_epi64x, _mm_setzero_si128, _mm_shuffle_epi8, _mm_srli_si128, _mm_xor_si128,
};

/// Octets of a block.
const BLOCK: usize = 16;

/// Blocks that are summed up in one go.
const MOST: usize = 8;

/// The polynomial without its highest power.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// `x^power` modulo the polynomial, shifted by one as the products of reflected numbers are.
const fn power(power: u32) -> i64 {
    let mut value = 0x8000_0000_u32;
    let mut at = 0;
    while at < power {
        value = if value & 1 == 1 { (value >> 1) ^ POLYNOMIAL } else { value >> 1 };
        at += 1;
    }
    (value as i64) << 1
}

/// `FORWARD[n]` carries sixteen octets over `n + 1` blocks: for their first half, and for their second.
const FORWARD: [[i64; 2]; MOST] = {
    let mut all = [[0; 2]; MOST];
    let mut blocks = 0;
    while blocks < MOST {
        let bits = 128 * (blocks as u32 + 1);
        all[blocks] = [power(bits + 32), power(bits - 32)];
        blocks += 1;
    }
    all
};

/// The polynomial with its highest power, and `x^64` divided by it. RFC 8489 14.7
const DIVISOR: [i64; 2] = [0x1_db71_0641, 0x1_f701_1641];

/// From `SLIDE[n]` on: the order in which sixteen octets move up until `n` of them are left, zeros below.
const SLIDE: [u8; 2 * BLOCK] = {
    let mut all = [0x80; 2 * BLOCK];
    let mut at = 0;
    while at < BLOCK {
        all[BLOCK + at] = at as u8;
        at += 1;
    }
    all
};

/// Whether the functions of this file may be called.
#[inline]
pub(super) fn has_carryless() -> bool {
    is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

/// Whether a text of this length is one for [`sum`]: it starts with whole words.
pub(super) const fn suits(length: usize) -> bool {
    length >= BLOCK && !matches!(length % BLOCK, 1..=3)
}

#[inline]
#[target_feature(enable = "sse2")]
fn load(octets: &[u8; BLOCK]) -> __m128i {
    // SAFETY: the load takes exactly the sixteen octets.
    unsafe { _mm_loadu_si128(octets.as_ptr().cast()) }
}

/// A block carried over `blocks` others, at most [`MOST`].
#[inline]
#[target_feature(enable = "sse2,pclmulqdq")]
fn forward(block: __m128i, blocks: usize) -> __m128i {
    let [low, high] = FORWARD[(blocks - 1) % MOST];
    let by = _mm_set_epi64x(high, low);
    _mm_xor_si128(_mm_clmulepi64_si128::<0x00>(block, by), _mm_clmulepi64_si128::<0x11>(block, by))
}

/// Sixteen octets that have the remainder of a text.
pub(super) type Sum = __m128i;

/// What a text that [`suits`] is summed up to, all ones before it.
///
/// # Safety
///
/// [`has_carryless`] must be true.
#[target_feature(enable = "sse2,ssse3,sse4.1,pclmulqdq")]
pub(super) unsafe fn sum(text: &[u8]) -> Sum {
    let Some(first) = text.first_chunk() else { return _mm_setzero_si128() };
    // The register before the text is the first four octets inverted; octets that are missing in front of it are zeros.
    let mut head = _mm_xor_si128(load(first), _mm_cvtsi32_si128(!0));
    let odd = text.len() % BLOCK;
    let start = if odd == 0 { BLOCK } else { odd };
    if let Some(slide) = SLIDE.get(start..).and_then(|order| order.first_chunk()) {
        head = _mm_shuffle_epi8(head, load(slide));
    }
    let (blocks, _) = text.get(start..).unwrap_or_default().as_chunks::<BLOCK>();
    let mut sum = head;
    for some in blocks.chunks(MOST) {
        sum = forward(sum, some.len());
        let mut left = some.len();
        for block in some {
            left -= 1;
            let block = load(block);
            sum = _mm_xor_si128(sum, if left == 0 { block } else { forward(block, left) });
        }
    }
    sum
}

/// The sum of a text with twenty-four octets behind it.
///
/// # Safety
///
/// [`has_carryless`] must be true.
#[inline]
#[target_feature(enable = "sse2,pclmulqdq")]
pub(super) unsafe fn behind(sum: Sum, [first, second, third]: [u64; 3]) -> Sum {
    let by = _mm_set_epi64x(const { power(192 - 32) }, const { power(192 + 32) });
    let sum = _mm_xor_si128(_mm_clmulepi64_si128::<0x00>(sum, by), _mm_clmulepi64_si128::<0x11>(sum, by));
    let first = forward(_mm_set_epi64x(first as i64, 0), 1);
    _mm_xor_si128(_mm_xor_si128(sum, first), _mm_set_epi64x(third as i64, second as i64))
}

/// The remainder of a block: carried over 64 bits, over 32, and divided with the inverse kept (Barrett).
///
/// # Safety
///
/// [`has_carryless`] must be true.
#[inline]
#[target_feature(enable = "sse2,sse4.1,pclmulqdq")]
pub(super) unsafe fn register(block: Sum) -> u32 {
    let low = _mm_set_epi32(0, 0, 0, !0);
    let by = _mm_set_epi64x(const { power(96) }, const { power(64) });
    let sum = _mm_xor_si128(_mm_clmulepi64_si128::<0x10>(block, by), _mm_srli_si128::<8>(block));
    let over = _mm_clmulepi64_si128::<0x00>(_mm_and_si128(sum, low), by);
    let sum = _mm_xor_si128(over, _mm_srli_si128::<4>(sum));
    let [divisor, inverse] = DIVISOR;
    let by = _mm_set_epi64x(inverse, divisor);
    let times = _mm_clmulepi64_si128::<0x10>(_mm_and_si128(sum, low), by);
    let product = _mm_clmulepi64_si128::<0x00>(_mm_and_si128(times, low), by);
    _mm_extract_epi32::<1>(_mm_xor_si128(sum, product)) as u32
}
