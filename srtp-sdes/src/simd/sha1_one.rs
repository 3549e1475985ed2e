//! HMAC-SHA1 of one message by the processor's SHA extensions. States stay in registers from the first block to the tag: what goes
//! through memory in pieces is waited for.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_loadu_si128, _mm_set_epi32, _mm_set_epi64x, _mm_sha1msg1_epu32,
    _mm_sha1msg2_epu32, _mm_sha1nexte_epu32, _mm_sha1rnds4_epu32, _mm_shuffle_epi8, _mm_storeu_si128,
    _mm_xor_si128,
};

use super::Tag;
use crate::authentication::{AuthenticationKey, pad};

/// The words a to d, the first one highest, and e in the highest place of a register of its own.
#[derive(Clone, Copy)]
struct State {
    abcd: __m128i,
    e: __m128i,
}

#[target_feature(enable = "sse2")]
#[inline]
#[expect(clippy::many_single_char_names, reason = "the names of FIPS 180-4")]
fn state([a, b, c, d, e]: &[u32; 5]) -> State {
    State {
        abcd: _mm_set_epi32(*a as i32, *b as i32, *c as i32, *d as i32),
        e: _mm_set_epi32(*e as i32, 0, 0, 0),
    }
}

/// Sixteen octets, the first one highest.
#[target_feature(enable = "ssse3")]
#[inline]
fn swapped(octets: __m128i) -> __m128i {
    _mm_shuffle_epi8(octets, _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f))
}

/// The words of a block, the first one highest.
#[target_feature(enable = "ssse3")]
#[inline]
fn words(block: &[u8; 64]) -> [__m128i; 4] {
    let (quarters, _) = block.as_chunks::<16>();
    let mut words = [_mm_set_epi64x(0, 0); 4];
    for (words, quarter) in words.iter_mut().zip(quarters) {
        // SAFETY: the reference covers 16 octets; the load asks for no alignment.
        *words = swapped(unsafe { _mm_loadu_si128(quarter.as_ptr().cast()) });
    }
    words
}

/// FIPS 180-4 6.1.2
#[target_feature(enable = "sha,ssse3")]
#[inline]
fn compress(before: State, mut w: [__m128i; 4]) -> State {
    let mut abcd = before.abcd;
    let mut rounds_ago = abcd;
    macro_rules! four {
        ($g:expr, $function:literal) => {
            let with_words = if $g == 0 {
                _mm_add_epi32(before.e, w[0])
            } else {
                _mm_sha1nexte_epu32(rounds_ago, w[$g % 4])
            };
            rounds_ago = abcd;
            abcd = _mm_sha1rnds4_epu32::<$function>(abcd, with_words);
        };
    }
    macro_rules! four_and_words {
        ($g:expr, $function:literal) => {
            four!($g, $function);
            let next = _mm_xor_si128(_mm_sha1msg1_epu32(w[$g % 4], w[($g + 1) % 4]), w[($g + 2) % 4]);
            w[$g % 4] = _mm_sha1msg2_epu32(next, w[($g + 3) % 4]);
        };
    }
    macro_rules! twenty {
        ($g:literal, $function:literal) => {
            four_and_words!($g, $function);
            four_and_words!($g + 1, $function);
            four_and_words!($g + 2, $function);
            four_and_words!($g + 3, $function);
            four_and_words!($g + 4, $function);
        };
    }
    twenty!(0, 0);
    twenty!(5, 1);
    twenty!(10, 2);
    four_and_words!(15, 3);
    four!(16, 3);
    four!(17, 3);
    four!(18, 3);
    four!(19, 3);
    State { abcd: _mm_add_epi32(abcd, before.abcd), e: _mm_sha1nexte_epu32(rounds_ago, before.e) }
}

/// The tag of a message followed by a suffix.
#[target_feature(enable = "sha,ssse3,sse2")]
pub(super) fn tag(key: &AuthenticationKey, message: &[u8], suffix: [u8; 4]) -> Tag {
    let [inner, outer] = &key.0;
    let (blocks, rest) = message.as_chunks::<64>();
    let mut tail = [[0_u8; 64]; 2];
    for (to, from) in tail.as_flattened_mut().iter_mut().zip(rest) {
        *to = *from;
    }
    let used = pad(&mut tail, suffix, message.len());
    let mut hash = state(inner);
    for block in blocks.iter().chain(tail.iter().take(used)) {
        hash = compress(hash, words(block));
    }
    // The outer block: the inner hash, the bit behind it, its length.
    let e = _mm_xor_si128(hash.e, _mm_set_epi32(0, i32::MIN, 0, 0));
    let block = [hash.abcd, e, _mm_set_epi64x(0, 0), _mm_set_epi32(0, 0, 0, (64 + 20) * 8)];
    let hash = compress(state(outer), block);
    let mut tag = Tag::default();
    // SAFETY: the tag has 16 octets; the store asks for no alignment.
    unsafe { _mm_storeu_si128(tag.as_mut_ptr().cast(), swapped(hash.abcd)) };
    tag
}
