//! Runs of octets of one class in header values, sixteen octets at a time; the classes are those of the grammar.

use core::str::Utf8Error;

use crate::grammar::{self, TOKEN, VALUE_END};

/// Offset of an octet, from an offset on.
#[inline]
pub(crate) fn find(text: &[u8], from: usize, octet: u8) -> Option<usize> {
    let at = stop(text, from, Stop::Octet(octet));
    (at < text.len()).then_some(at)
}

/// Offset of the first octet from an offset on that is not of a token; the length of the text if there is none.
#[inline]
pub(crate) fn token_end(text: &[u8], from: usize) -> usize {
    stop(text, from, Stop::NoToken)
}

/// Offset of the first octet from an offset on that ends the value of a parameter.
#[inline]
pub(crate) fn value_end(text: &[u8], from: usize) -> usize {
    stop(text, from, Stop::ValueEnd)
}

/// Offset of the first CR or LF from an offset on; the length of the text if there is none.
#[inline]
pub(crate) fn line_end(text: &[u8], from: usize) -> usize {
    stop(text, from, Stop::LineEnd)
}

/// Offset of what ends an element of a comma list, or hides commas, from an offset on: a comma, quotation mark or bracket.
#[inline]
pub(crate) fn list_mark(text: &[u8], from: usize) -> usize {
    stop(text, from, Stop::ListMark)
}

/// The octets as text: the check of [`core::str::from_utf8`], quicker where all are ASCII.
#[inline]
pub(crate) fn text(octets: &[u8]) -> Result<&str, Utf8Error> {
    if stop(octets, 0, Stop::NoAscii) < octets.len() {
        return core::str::from_utf8(octets);
    }
    // SAFETY: every octet is ASCII.
    Ok(unsafe { core::str::from_utf8_unchecked(octets) })
}

/// What a run ends with.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Octet(u8),
    NoToken,
    ValueEnd,
    NoAscii,
    LineEnd,
    ListMark,
}

/// One octet after the other.
#[inline]
fn plain(text: &[u8], from: usize, stop: Stop) -> usize {
    let ends = |&b: &u8| match stop {
        Stop::Octet(octet) => b == octet,
        Stop::NoToken => !grammar::is(b, TOKEN),
        Stop::ValueEnd => grammar::is(b, VALUE_END),
        Stop::NoAscii => !b.is_ascii(),
        Stop::LineEnd => matches!(b, b'\r' | b'\n'),
        Stop::ListMark => matches!(b, b',' | b'"' | b'<'),
    };
    let rest = text.get(from..).unwrap_or_default();
    rest.iter().position(ends).map_or(text.len(), |length| from + length)
}

#[cfg(not(target_arch = "x86_64"))]
use plain as stop;

#[cfg(target_arch = "x86_64")]
#[inline]
#[expect(clippy::cast_ptr_alignment, reason = "the load takes octets of any alignment")]
fn stop(text: &[u8], from: usize, stop: Stop) -> usize {
    use core::arch::x86_64::{__m128i, _mm_loadu_si128};

    let Some(last) = text.len().checked_sub(16) else { return plain(text, from, stop) };
    let mut at = from;
    while at < text.len() {
        // The last sixteen octets are looked at once more rather than one by one.
        let start = at.min(last);
        let Some(octets) = text.get(start..).and_then(<[u8]>::first_chunk::<16>) else { break };
        // SAFETY: every x86-64 processor has SSE2; the load takes exactly the sixteen octets.
        let mask = unsafe { sse2::mask(_mm_loadu_si128(octets.as_ptr().cast::<__m128i>()), stop) };
        let mask = mask >> (at - start);
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at = start + 16;
    }
    text.len()
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_sub_epi8,
    };

    use super::Stop;

    /// One bit for each octet that ends the run.
    ///
    /// # Safety
    ///
    /// The processor must have SSE2.
    #[inline]
    #[target_feature(enable = "sse2")]
    pub(super) unsafe fn mask(octets: __m128i, stop: Stop) -> u32 {
        let is = |octet: u8| _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet as i8));
        // Unsigned: first <= octet <= last.
        let within = |first: u8, last: u8| {
            let distance = _mm_sub_epi8(octets, _mm_set1_epi8(first as i8));
            _mm_cmpeq_epi8(_mm_min_epu8(distance, _mm_set1_epi8((last - first) as i8)), distance)
        };
        let bits = |octets: __m128i| _mm_movemask_epi8(octets) as u32;
        match stop {
            Stop::Octet(octet) => bits(is(octet)),
            Stop::NoAscii => bits(octets),
            Stop::LineEnd => bits(_mm_or_si128(is(b'\r'), is(b'\n'))),
            Stop::ListMark => bits(_mm_or_si128(_mm_or_si128(is(b','), is(b'"')), is(b'<'))),
            Stop::ValueEnd => {
                let low = _mm_or_si128(within(0, b' '), is(0x7f));
                let marks = _mm_or_si128(_mm_or_si128(is(b';'), is(b',')), is(b'"'));
                let brackets = _mm_or_si128(is(b'<'), is(b'>'));
                bits(_mm_or_si128(low, _mm_or_si128(marks, brackets)))
            }
            Stop::NoToken => {
                // `_` and the grave accent stand before the small letters.
                let letters = _mm_or_si128(within(b'A', b'Z'), within(b'_', b'z'));
                let numbers = _mm_or_si128(within(b'0', b'9'), within(b'-', b'.'));
                let marks = _mm_or_si128(within(b'*', b'+'), is(b'!'));
                let others = _mm_or_si128(_mm_or_si128(is(b'%'), is(b'\'')), is(b'~'));
                let token = _mm_or_si128(_mm_or_si128(letters, numbers), _mm_or_si128(marks, others));
                !bits(token) & 0xffff
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STOPS: [Stop; 7] = [
        Stop::Octet(b'>'),
        Stop::Octet(0),
        Stop::NoToken,
        Stop::ValueEnd,
        Stop::NoAscii,
        Stop::LineEnd,
        Stop::ListMark,
    ];

    #[test]
    fn every_octet_ends_the_same_runs_with_and_without_vectors() {
        for octet in 0..=u8::MAX {
            for at in 0..40 {
                let mut octets = [b'a'; 40];
                octets[at] = octet;
                for end in STOPS {
                    for from in 0..=40 {
                        assert_eq!(stop(&octets, from, end), plain(&octets, from, end), "{octet} {end:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn runs_are_the_same_with_and_without_vectors(octets in prop::collection::vec(any::<u8>(), 0..100), from in 0usize..120) {
            for end in STOPS {
                prop_assert_eq!(stop(&octets, from.min(octets.len()), end), plain(&octets, from.min(octets.len()), end));
            }
            prop_assert_eq!(text(&octets), core::str::from_utf8(&octets));
        }
    }
}
