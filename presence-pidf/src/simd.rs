//! Sixteen octets at a time: a bit for each of them that is of a class, the first octet's the lowest.
//!
//! On x86-64 the masks come from SSE2, which every such processor has; elsewhere from arithmetic on two words. The tests hold
//! both against the classes octet by octet. The only module of the crate with `unsafe`: calls of functions that need SSE2,
//! compiled only where the whole program may use it. No pointers.
#![cfg_attr(target_feature = "sse2", expect(unsafe_code, reason = "calls of what needs SSE2"))]

#[cfg(target_feature = "sse2")]
pub(crate) use sse2::{escapes, name, same, texts, values};
#[cfg(not(target_feature = "sse2"))]
pub(crate) use words::{escapes, name, same, texts, values};

#[cfg(target_feature = "sse2")]
mod sse2 {
    use core::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_cmplt_epi8,
        _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(octets: &[u8; 16]) -> __m128i {
        let both = u128::from_le_bytes(*octets);
        _mm_set_epi64x((both >> 64) as i64, both as i64)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn is(octets: __m128i, octet: u8) -> __m128i {
        _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet as i8))
    }

    /// Those that are not greater.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn up_to(octets: __m128i, greatest: u8) -> __m128i {
        _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(greatest as i8)), octets)
    }

    /// Of a range of ASCII.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn within(octets: __m128i, least: u8, greatest: u8) -> __m128i {
        _mm_and_si128(
            _mm_cmpgt_epi8(octets, _mm_set1_epi8(least as i8 - 1)),
            _mm_cmplt_epi8(octets, _mm_set1_epi8(greatest as i8 + 1)),
        )
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn or(a: __m128i, b: __m128i) -> __m128i {
        _mm_or_si128(a, b)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn bits(octets: __m128i) -> u32 {
        _mm_movemask_epi8(octets) as u32
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn ends_text(octets: &[u8; 16]) -> u32 {
        let octets = load(octets);
        let lines = or(is(octets, b'\t'), is(octets, b'\n'));
        let control = _mm_andnot_si128(lines, up_to(octets, 0x1f));
        let markup = or(or(is(octets, b'<'), is(octets, b'&')), or(is(octets, b']'), is(octets, 0xef)));
        bits(or(control, markup))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn ends_value(octets: &[u8; 16]) -> u32 {
        let octets = load(octets);
        let quotes = or(is(octets, b'"'), is(octets, b'\''));
        let markup = or(or(is(octets, b'<'), is(octets, b'&')), or(quotes, is(octets, 0xef)));
        bits(or(up_to(octets, 0x1f), markup))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn needs_escape(octets: &[u8; 16]) -> u32 {
        let octets = load(octets);
        let quotes = or(is(octets, b'"'), is(octets, b'\''));
        let markup = or(or(is(octets, b'<'), is(octets, b'>')), or(is(octets, b'&'), is(octets, 0xef)));
        bits(or(or(up_to(octets, 0x1f), markup), quotes))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn ends_name(octets: &[u8; 16]) -> (u32, u32, u32) {
        let octets = load(octets);
        let letters = within(or(octets, _mm_set1_epi8(0x20)), b'a', b'z');
        // `-` to `:` are digits, the signs of names, and `/`.
        let others = _mm_andnot_si128(is(octets, b'/'), within(octets, b'-', b':'));
        let parts = bits(or(or(letters, others), is(octets, b'_')));
        (!parts & 0xffff, bits(others), bits(is(octets, b':')))
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn are_same(one: &[u8; 16], other: &[u8; 16]) -> u32 {
        bits(_mm_cmpeq_epi8(load(one), load(other)))
    }

    /// The functions with a name and without a condition.
    macro_rules! entries {
        ($($what:literal $name:ident($($octets:ident: $kind:ty),*) -> $bits:ty = $of:ident;)*) => {$(
            #[doc = $what]
            #[inline]
            pub(crate) fn $name($($octets: $kind),*) -> $bits {
                // SAFETY: this is compiled only where SSE2 is there for the whole program.
                unsafe { $of($($octets),*) }
            }
        )*};
    }

    entries! {
        "Ends of texts." texts(octets: &[u8; 16]) -> u32 = ends_text;
        "Ends of parts of attribute values." values(octets: &[u8; 16]) -> u32 = ends_value;
        "What must be escaped when it is written." escapes(octets: &[u8; 16]) -> u32 = needs_escape;
        "What is no part of a name (of ASCII, a colon is one); what is and begins none; the colons." name(octets: &[u8; 16]) -> (u32, u32, u32) = ends_name;
        "Where both have the same octet." same(one: &[u8; 16], other: &[u8; 16]) -> u32 = are_same;
    }
}

#[cfg(any(test, not(target_feature = "sse2")))]
mod words {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    const LOW: u64 = 0x7f * ONES;

    /// Eight octets: the lower seven bits of each, and the highest.
    #[derive(Clone, Copy)]
    struct Word {
        seven: u64,
        high: u64,
    }

    impl Word {
        /// The high bit of each that is the octet.
        fn is(self, octet: u8) -> u64 {
            let other = (self.seven ^ (u64::from(octet & 0x7f) * ONES)) + LOW;
            let same_high = if octet < 0x80 { !self.high } else { self.high };
            !other & same_high & HIGH
        }

        /// The high bit of each of ASCII that is `least` or greater.
        fn from(self, least: u8) -> u64 {
            (self.seven + u64::from(0x80 - least) * ONES) & !self.high & HIGH
        }

        /// The high bit of each of a range of ASCII.
        fn within(self, least: u8, greatest: u8) -> u64 {
            self.from(least) & !self.from(greatest + 1)
        }

        fn control(self) -> u64 {
            !self.from(0x20) & !self.high & HIGH
        }

        fn any<const N: usize>(self, octets: [u8; N]) -> u64 {
            octets.iter().fold(0, |found, octet| found | self.is(*octet))
        }
    }

    /// The high bits of two words, next to each other.
    fn both(octets: &[u8; 16], class: impl Fn(Word) -> u64) -> u32 {
        let both = u128::from_le_bytes(*octets);
        let bits = |eight: u64| {
            let found = class(Word { seven: eight & LOW, high: eight & HIGH });
            ((found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
        };
        bits(both as u64) | bits((both >> 64) as u64) << 8
    }

    pub(crate) fn texts(octets: &[u8; 16]) -> u32 {
        both(octets, |word| (word.control() & !word.any([b'\t', b'\n'])) | word.any([b'<', b'&', b']', 0xef]))
    }

    pub(crate) fn values(octets: &[u8; 16]) -> u32 {
        both(octets, |word| word.control() | word.any([b'<', b'&', b'"', b'\'', 0xef]))
    }

    pub(crate) fn escapes(octets: &[u8; 16]) -> u32 {
        both(octets, |word| word.control() | word.any([b'<', b'>', b'&', b'"', b'\'', 0xef]))
    }

    pub(crate) fn name(octets: &[u8; 16]) -> (u32, u32, u32) {
        let letters = both(octets, |word| word.within(b'a', b'z') | word.within(b'A', b'Z') | word.is(b'_'));
        let signs = both(octets, |word| word.within(b'-', b'.') | word.within(b'0', b':'));
        (!(letters | signs) & 0xffff, signs, both(octets, |word| word.is(b':')))
    }

    pub(crate) fn same(one: &[u8; 16], other: &[u8; 16]) -> u32 {
        let differing = u128::from_le_bytes(*one) ^ u128::from_le_bytes(*other);
        both(&differing.to_le_bytes(), |word| word.is(0))
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    /// Every octet at every place among others.
    fn each(mut look: impl FnMut(&[u8; 16])) {
        for octet in 0..=255u8 {
            for filler in
                [b'a', b' ', 0xc3, b'~', b'-', 0x7f, 0xff, 0x80, 0x00, b'<', octet ^ 0x80, octet ^ 1]
            {
                for place in 0..16 {
                    let mut octets = [filler; 16];
                    octets[place] = octet;
                    look(&octets);
                }
            }
        }
    }

    fn slow(octets: &[u8; 16], is: impl Fn(u8) -> bool) -> u32 {
        octets.iter().rev().fold(0, |bits, octet| bits << 1 | u32::from(is(*octet)))
    }

    #[test]
    fn both_kinds_of_masks_are_those_of_one_octet_at_a_time() {
        let value = |octet: u8| octet < 0x20 || matches!(octet, b'<' | b'&' | b'"' | b'\'' | 0xef);
        let text = |octet: u8| {
            octet < 0x20 && !matches!(octet, b'\t' | b'\n') || matches!(octet, b'<' | b'&' | b']' | 0xef)
        };
        let escape = |octet: u8| value(octet) || octet == b'>';
        let name = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'_' | b'-' | b'.' | b':');
        let sign = |octet: u8| octet.is_ascii_digit() || matches!(octet, b'-' | b'.' | b':');
        each(|octets| {
            for (found, wanted) in [
                ([super::texts(octets), words::texts(octets)], slow(octets, text)),
                ([super::values(octets), words::values(octets)], slow(octets, value)),
                ([super::escapes(octets), words::escapes(octets)], slow(octets, escape)),
                ([super::name(octets).0, words::name(octets).0], slow(octets, |octet| !name(octet))),
                ([super::name(octets).1, words::name(octets).1], slow(octets, sign)),
                ([super::name(octets).2, words::name(octets).2], slow(octets, |octet| octet == b':')),
            ] {
                assert_eq!(found, [wanted; 2], "{octets:x?}");
            }
        });
    }

    #[test]
    fn both_kinds_see_where_octets_are_the_same() {
        let one = *b"service-class>ab";
        each(|other| {
            let wanted = (0..16).fold(0, |bits, at| bits | u32::from(one[at] == other[at]) << at);
            assert_eq!([super::same(&one, other), words::same(&one, other)], [wanted; 2]);
        });
    }
}
