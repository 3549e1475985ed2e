//! Sixteen octets that are put together in a register and stored at once.
//!
//! A wide load behind narrow stores waits until those have reached the cache; a hash loads sixteen octets at a time.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{
    __m128i, _mm_cvtsi128_si64, _mm_insert_epi16, _mm_loadu_si128, _mm_or_si128, _mm_set_epi32,
    _mm_set_epi64x, _mm_storeu_si128, _mm_unpackhi_epi64,
};

/// Octets of a lane.
pub(crate) const LANE: usize = 16;

/// Sixteen octets in a register.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Lane(__m128i);

#[cfg(target_arch = "x86_64")]
impl Lane {
    #[inline]
    pub(crate) fn of(octets: &[u8; LANE]) -> Self {
        // SAFETY: every x86-64 processor has SSE2; the load takes exactly the sixteen octets.
        Self(unsafe { _mm_loadu_si128(octets.as_ptr().cast()) })
    }

    /// Of octets that were written lately, four at a time: each word is read by itself.
    #[inline]
    pub(crate) fn of_fresh(octets: &[u8; LANE]) -> Self {
        /// Four octets at any address.
        #[repr(C, packed)]
        #[derive(Clone, Copy)]
        struct Word(i32);

        let words = octets.as_chunks::<4>().0;
        // SAFETY: the four octets are there, a word of them may have any alignment and any value. That it is volatile
        // keeps the compiler from reading all four at once.
        let word =
            |at: usize| unsafe { core::ptr::read_volatile(words.as_ptr().add(at & 3).cast::<Word>()) }.0;
        // SAFETY: every x86-64 processor has SSE2.
        Self(unsafe { _mm_set_epi32(word(3), word(2), word(1), word(0)) })
    }

    /// The first octet is the lowest of `low`.
    #[inline]
    pub(crate) fn halves(low: u64, high: u64) -> Self {
        // SAFETY: every x86-64 processor has SSE2.
        Self(unsafe { _mm_set_epi64x(high as i64, low as i64) })
    }

    /// With a number in place of the third and the fourth octet.
    #[inline]
    pub(crate) fn with_second(self, number: u16) -> Self {
        // SAFETY: every x86-64 processor has SSE2.
        Self(unsafe { _mm_insert_epi16::<1>(self.0, i32::from(number.swap_bytes())) })
    }

    #[inline]
    pub(crate) fn or(self, other: Self) -> Self {
        // SAFETY: every x86-64 processor has SSE2.
        Self(unsafe { _mm_or_si128(self.0, other.0) })
    }

    /// The first octet is the lowest.
    #[inline]
    pub(crate) fn number(self) -> u128 {
        // SAFETY: every x86-64 processor has SSE2.
        let (low, high) =
            unsafe { (_mm_cvtsi128_si64(self.0), _mm_cvtsi128_si64(_mm_unpackhi_epi64(self.0, self.0))) };
        u128::from(high as u64) << 64 | u128::from(low as u64)
    }

    #[inline]
    pub(crate) fn store(self, to: &mut [u8; LANE]) {
        // SAFETY: every x86-64 processor has SSE2; the store fills exactly the sixteen octets.
        unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), self.0) }
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use super::portable::Lane;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::portable;
    use super::*;

    macro_rules! octets_of {
        ($lane:expr) => {{
            let mut octets = [0; LANE];
            $lane.store(&mut octets);
            octets
        }};
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn lanes_are_what_they_are_in_plain_rust(octets: [u8; LANE], low: u64, high: u64, number: u16) {
            let plain = portable::Lane::of(&octets);
            prop_assert_eq!(octets_of!(plain), octets);
            prop_assert_eq!(octets_of!(Lane::of(&octets)), octets);
            prop_assert_eq!((Lane::of(&octets).number(), plain.number()), (u128::from_le_bytes(octets), u128::from_le_bytes(octets)));
            prop_assert_eq!(octets_of!(Lane::of_fresh(&octets)), octets);
            prop_assert_eq!(octets_of!(Lane::halves(low, high)), octets_of!(portable::Lane::halves(low, high)));
            let (ours, theirs) = (Lane::of(&octets).with_second(number), plain.with_second(number));
            prop_assert_eq!(octets_of!(ours), octets_of!(theirs));
            let (ours, theirs) = (ours.or(Lane::halves(low, high)), theirs.or(portable::Lane::halves(low, high)));
            prop_assert_eq!(octets_of!(ours), octets_of!(theirs));
        }
    }
}
