//! The octets of XML by class, and the loops that run over them.

/// Ends a run of text: markup, a reference, `]`, a carriage return, and what needs a look (control characters, 0xEF).
const TEXT: u8 = 1;
/// Ends a run inside an attribute value, whatever the quotation mark.
const VALUE: u8 = 2;
/// May stand in a name (ASCII), or begins a character that may.
const NAME: u8 = 4;
/// May begin a name.
const NAME_START: u8 = 8;
/// White space.
const BLANK: u8 = 16;
/// Must be escaped when it is written.
const ESCAPE: u8 = 32;
/// May stand in a name, and is ASCII.
const PLAIN_NAME: u8 = 64;

const CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let byte = octet as u8;
        let mut bits = 0;
        if byte < 0x20 && byte != b'\t' && byte != b'\n' {
            bits |= TEXT;
        }
        if byte < 0x20 {
            bits |= VALUE | ESCAPE;
        }
        if matches!(byte, b'<' | b'&' | b']') || byte == 0xef {
            bits |= TEXT;
        }
        if matches!(byte, b'<' | b'&' | b'"' | b'\'') || byte == 0xef {
            bits |= VALUE;
        }
        if matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'') || byte == 0xef {
            bits |= ESCAPE;
        }
        if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 {
            bits |= NAME | NAME_START;
        }
        if byte.is_ascii_digit() || byte == b'-' || byte == b'.' {
            bits |= NAME;
        }
        if bits & NAME != 0 && byte < 0x80 {
            bits |= PLAIN_NAME;
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            bits |= BLANK;
        }
        class[octet] = bits;
        octet += 1;
    }
    class
};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * ONES;
const LOW: u64 = 0x7f * ONES;

/// The high bit of each octet that differs from `octet`; the octets of `seven` have seven bits.
#[inline]
const fn other_than(seven: u64, octet: u8) -> u64 {
    (seven ^ (octet as u64 * ONES)) + LOW
}

/// The high bit of each octet that is `least` or greater.
#[inline]
const fn from(seven: u64, least: u8) -> u64 {
    seven + (0x80 - least as u64) * ONES
}

/// Octets from the beginning that are not of the class. `stops` marks, in eight octets at a time, at least those that are.
#[inline]
fn run(bytes: &[u8], class: u8, stops: impl Fn(u64, u64) -> u64) -> usize {
    let mut at = 0;
    loop {
        while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let eight = u64::from_le_bytes(*eight);
            let stop = stops(eight & LOW, eight & HIGH);
            if stop != 0 {
                at += (stop.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
        }
        // The one that was marked, or one of the last seven.
        match bytes.get(at) {
            Some(byte) if CLASS[usize::from(*byte)] & class == 0 => at += 1,
            _ => return at,
        }
    }
}

/// Text that needs no look: up to markup, a reference or something strange.
#[inline]
pub(super) fn text(bytes: &[u8]) -> usize {
    run(bytes, TEXT, |seven, high| {
        let plain =
            other_than(seven, b'<') & other_than(seven, b'&') & other_than(seven, b']') & from(seven, 0x20);
        ((!plain & !high) | (!other_than(seven, 0x6f) & high)) & HIGH
    })
}

/// A part of an attribute value that needs no look.
#[inline]
pub(super) fn value(bytes: &[u8]) -> usize {
    run(bytes, VALUE, |seven, high| {
        let plain = other_than(seven, b'<')
            & other_than(seven, b'&')
            & other_than(seven, b'"')
            & other_than(seven, b'\'')
            & from(seven, 0x20);
        ((!plain & !high) | (!other_than(seven, 0x6f) & high)) & HIGH
    })
}

/// Text that is written as it stands.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    run(bytes, ESCAPE, |seven, high| {
        let plain = other_than(seven, b'<')
            & other_than(seven, b'>')
            & other_than(seven, b'&')
            & other_than(seven, b'"')
            & other_than(seven, b'\'')
            & from(seven, 0x20);
        ((!plain & !high) | (!other_than(seven, 0x6f) & high)) & HIGH
    })
}

/// The high bit of each octet that is no letter, digit, `-`, `.` or `_`.
#[inline]
const fn no_name(seven: u64, high: u64) -> u64 {
    let small = seven | (0x20 * ONES);
    let letter = from(small, b'a') & !from(small, b'z' + 1);
    let digit = from(seven, b'0') & !from(seven, b'9' + 1);
    let mark = from(seven, b'-') & !from(seven, b'.' + 1);
    let line = !other_than(seven, b'_');
    (!(letter | digit | mark | line) | high) & HIGH
}

/// The part of a name without a colon; characters beyond ASCII are still to be looked at.
pub(super) fn name(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| CLASS[usize::from(*byte)] & NAME == 0).unwrap_or(bytes.len())
}

#[inline]
pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[usize::from(byte)] & BLANK != 0
}

/// The part of a name without a colon that is a name for sure: ASCII alone, and begun as names begin. `None` needs a look.
#[inline]
pub(super) fn plain_name(bytes: &[u8]) -> Option<usize> {
    let first = bytes.first()?;
    if CLASS[usize::from(*first)] & NAME_START == 0 || !first.is_ascii() {
        return None;
    }
    let mut end = 0;
    while let Some(eight) = bytes.get(end..).and_then(<[u8]>::first_chunk::<8>) {
        let eight = u64::from_le_bytes(*eight);
        let stop = no_name(eight & LOW, eight & HIGH);
        if stop != 0 {
            end += (stop.trailing_zeros() / 8) as usize;
            return bytes.get(end).filter(|byte| byte.is_ascii()).map(|_| end);
        }
        end += 8;
    }
    let rest = bytes.get(end..)?.iter().position(|byte| CLASS[usize::from(*byte)] & PLAIN_NAME == 0)?;
    bytes.get(end + rest).filter(|byte| byte.is_ascii()).map(|_| end + rest)
}

/// White space.
#[inline]
pub(super) fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len())
}

/// Whether a name without colon is one (Namespaces in XML 1.0, `NCName`).
pub(crate) fn is_name(name: &str) -> bool {
    let Some(first) = name.as_bytes().first() else { return false };
    if CLASS[usize::from(*first)] & NAME_START == 0 {
        return false;
    }
    name.is_ascii() && self::name(name.as_bytes()) == name.len() || is_wide_name(name)
}

/// The same for names with characters beyond ASCII.
#[cold]
fn is_wide_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(begins_name)
        && characters.all(|character| {
            begins_name(character)
                || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
        })
}

fn begins_name(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '_' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}'
        | '\u{10000}'..='\u{effff}')
}

/// The characters of XML 1.0 2.2.
pub(crate) fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_grammar() {
        for good in ["a", "_", "a-1.b", "ä", "a\u{b7}", "\u{10000}"] {
            assert!(is_name(good), "{good:?}");
        }
        for bad in ["", "1a", "-a", ".a", "a b", "a:b", "\u{b7}a", "a\u{d7}", "a\u{3000}", "a/"] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    /// The same octet by octet.
    fn slow(bytes: &[u8], class: u8) -> usize {
        bytes.iter().position(|byte| CLASS[usize::from(*byte)] & class != 0).unwrap_or(bytes.len())
    }

    #[test]
    fn eight_octets_at_a_time_find_what_one_at_a_time_finds() {
        for octet in 0..=255u8 {
            for place in 0..20 {
                for filler in [b'a', b' ', 0xc3, b'~', b'-'] {
                    let mut bytes = [filler; 20];
                    bytes[place] = octet;
                    assert_eq!(text(&bytes), slow(&bytes, TEXT), "{octet:#x} at {place}");
                    assert_eq!(value(&bytes), slow(&bytes, VALUE), "{octet:#x} at {place}");
                    assert_eq!(plain(&bytes), slow(&bytes, ESCAPE), "{octet:#x} at {place}");
                    bytes[0] = b'x';
                    let end = bytes.iter().position(|byte| CLASS[usize::from(*byte)] & PLAIN_NAME == 0);
                    let end = end.filter(|end| bytes[*end].is_ascii());
                    assert_eq!(plain_name(&bytes), end, "{octet:#x} at {place}");
                }
            }
        }
    }

    #[test]
    fn runs_end_where_somebody_must_look() {
        assert_eq!(text(b"abc \n\t>\"'<"), 9);
        assert_eq!(text(b"ab\r"), 2);
        assert_eq!(text("ä\u{ffff}".as_bytes()), 2);
        assert_eq!(value(b"ab c\"d"), 4);
        assert_eq!(value(b"ab\tc"), 2);
        assert_eq!(plain(b"ab c;d&"), 6);
        assert_eq!(name(b"a-b.c:d"), 5);
        assert_eq!(blanks(b" \r\n\tx"), 4);
    }
}
