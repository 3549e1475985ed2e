//! HMAC-SHA1 with the instructions for SHA: the state stays in registers from the first block to the outer hash.
//!
//! Four words stand in a register, the first in its highest lane; the fifth word of a state stands alone in the highest.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_extract_epi32, _mm_loadu_si128, _mm_or_si128, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32, _mm_sha1rnds4_epu32,
    _mm_shuffle_epi8, _mm_xor_si128,
};

use super::LANE;

/// Whether the functions of this file may be called.
#[inline]
pub(super) fn has_sha() -> bool {
    is_x86_feature_detected!("sha") && is_x86_feature_detected!("ssse3") && is_x86_feature_detected!("sse4.1")
}

/// The state between two blocks.
#[derive(Clone, Copy)]
struct State {
    abcd: __m128i,
    e: __m128i,
}

impl State {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn of(words: &[u32; 5]) -> Self {
        let [first, second, third, fourth, fifth] = words.map(u32::cast_signed);
        Self { abcd: _mm_set_epi32(first, second, third, fourth), e: _mm_set_epi32(fifth, 0, 0, 0) }
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    fn words(self) -> [u32; 5] {
        let Self { abcd, e } = self;
        [
            _mm_extract_epi32::<3>(abcd) as u32,
            _mm_extract_epi32::<2>(abcd) as u32,
            _mm_extract_epi32::<1>(abcd) as u32,
            _mm_extract_epi32::<0>(abcd) as u32,
            _mm_extract_epi32::<3>(e) as u32,
        ]
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn load(lane: &[u8; LANE]) -> __m128i {
    // SAFETY: the load takes exactly the sixteen octets.
    unsafe { _mm_loadu_si128(lane.as_ptr().cast()) }
}

/// The sixteen words of a block.
#[inline]
#[target_feature(enable = "ssse3")]
fn words(block: &[[u8; LANE]; 4]) -> [__m128i; 4] {
    let order = _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f);
    let [first, second, third, fourth] = block;
    [
        _mm_shuffle_epi8(load(first), order),
        _mm_shuffle_epi8(load(second), order),
        _mm_shuffle_epi8(load(third), order),
        _mm_shuffle_epi8(load(fourth), order),
    ]
}

/// The next four words of the schedule; of those before, the last sixteen are kept. FIPS 180-4 6.1.2
#[inline]
#[target_feature(enable = "sha,sse2")]
fn next(words: &mut [__m128i; 4]) -> __m128i {
    let [first, second, third, fourth] = *words;
    let next = _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(first, second), third), fourth);
    *words = [second, third, fourth, next];
    next
}

/// Takes one block in. FIPS 180-4 6.1.2
#[inline]
#[target_feature(enable = "sha,sse2")]
fn compress(state: State, mut words: [__m128i; 4]) -> State {
    let State { abcd, e } = state;
    let mut before = abcd;
    let mut now = _mm_sha1rnds4_epu32::<0>(abcd, _mm_add_epi32(e, words[0]));
    macro_rules! four {
        ($function:literal, $words:expr) => {
            let words = $words;
            (before, now) = (now, _mm_sha1rnds4_epu32::<$function>(now, _mm_sha1nexte_epu32(before, words)));
        };
    }
    macro_rules! twenty {
        ($function:literal) => {
            four!($function, next(&mut words));
            four!($function, next(&mut words));
            four!($function, next(&mut words));
            four!($function, next(&mut words));
            four!($function, next(&mut words));
        };
    }
    four!(0, words[1]);
    four!(0, words[2]);
    four!(0, words[3]);
    four!(0, next(&mut words));
    twenty!(1);
    twenty!(2);
    twenty!(3);
    State { abcd: _mm_add_epi32(abcd, now), e: _mm_sha1nexte_epu32(before, e) }
}

/// Takes blocks in.
#[inline]
#[target_feature(enable = "sha,ssse3")]
fn absorb(state: State, blocks: &[[u8; 64]]) -> State {
    let mut state = state;
    for block in blocks {
        if let Some(block) = block.as_chunks::<LANE>().0.first_chunk() {
            state = compress(state, words(block));
        }
    }
    state
}

/// The twin of [`super::portable::hmac_sha1`].
///
/// # Safety
///
/// [`has_sha`] must be true.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
pub(super) unsafe fn hmac_sha1(
    inner: &[u32; 5],
    outer: &[u32; 5],
    start: &[[u8; 64]],
    middle: &[[u8; 64]],
    end: &[[u8; 64]],
) -> [u32; 5] {
    let mut state = State::of(inner);
    state = absorb(state, start);
    state = absorb(state, middle);
    state = absorb(state, end);
    // The hash is the start of the outer block as it stands in its registers; then the mark and the length.
    let second = _mm_or_si128(state.e, _mm_set_epi32(0, i32::MIN, 0, 0));
    let last = _mm_set_epi32(0, 0, 0, (64 + 20) * 8);
    compress(State::of(outer), [state.abcd, second, _mm_setzero_si128(), last]).words()
}
