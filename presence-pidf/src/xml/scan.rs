//! The octets of XML by class, and the loops that run over them.

use crate::simd;

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

/// Octets from the beginning that are not of the class. `stops` marks those that are in sixteen octets.
#[inline]
fn run(bytes: &[u8], class: u8, stops: impl Fn(&[u8; 16]) -> u32) -> usize {
    let mut at = 0;
    while let Some(octets) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let stop = stops(octets);
        if stop != 0 {
            return at + stop.trailing_zeros() as usize;
        }
        at += 16;
    }
    while bytes.get(at).is_some_and(|byte| CLASS[usize::from(*byte)] & class == 0) {
        at += 1;
    }
    at
}

/// Text that needs no look: up to markup, a reference or something strange.
#[inline]
pub(super) fn text(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(first) if CLASS[usize::from(*first)] & TEXT == 0 => run(bytes, TEXT, simd::texts),
        _ => 0,
    }
}

/// A part of an attribute value that needs no look.
#[inline]
pub(super) fn value(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(first) if CLASS[usize::from(*first)] & VALUE == 0 => run(bytes, VALUE, simd::values),
        _ => 0,
    }
}

/// Text that is written as it stands.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    run(bytes, ESCAPE, simd::escapes)
}

/// The part of a name without a colon; characters beyond ASCII are still to be looked at.
pub(super) fn name(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| CLASS[usize::from(*byte)] & NAME == 0).unwrap_or(bytes.len())
}

#[inline]
pub(super) fn is_blank(byte: u8) -> bool {
    CLASS[usize::from(byte)] & BLANK != 0
}

/// Whether all of it is written as it stands.
#[inline]
pub(super) fn all_plain(bytes: &[u8]) -> bool {
    match bytes.last_chunk() {
        Some(last) => {
            let found = bytes.as_chunks().0.iter().fold(0, |found, next| found | simd::escapes(next));
            found | simd::escapes(last) == 0
        }
        None => bytes.iter().all(|byte| CLASS[usize::from(*byte)] & ESCAPE == 0),
    }
}

/// A name of at most fifteen octets that is one for sure, with a prefix or without: ASCII alone, and begun as names begin.
/// Where the part behind its prefix begins, and where it ends; `None` needs a look.
#[inline(always)]
pub(super) fn short_name(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let octets = bytes.get(from..)?.first_chunk()?;
    let (ends, signs, colons) = simd::name(octets);
    // Colons before the end.
    let colons = colons & (ends ^ ends.wrapping_sub(1));
    // Neither the name nor what stands behind its prefix begins with anything but a letter.
    let begins = colons << 1 | 1;
    let bad = begins & (ends | signs) | colons & colons.wrapping_sub(1);
    if ends == 0 || bad != 0 {
        return None;
    }
    let end = from + ends.trailing_zeros() as usize;
    let local = if colons == 0 { from } else { from + colons.trailing_zeros() as usize + 1 };
    bytes.get(end)?.is_ascii().then_some((local, end))
}

/// The same for names of any length, and at the end of a body; places count from the name's beginning.
pub(super) fn plain_name(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = plain_part(bytes)?;
    match bytes.get(first)? {
        b':' => {
            let local = first + 1;
            let end = local + plain_part(bytes.get(local..)?)?;
            bytes.get(end).filter(|byte| byte.is_ascii() && **byte != b':').map(|_| (local, end))
        }
        byte => byte.is_ascii().then_some((0, first)),
    }
}

const PLAIN_START: u8 = NAME_START | PLAIN_NAME;

/// The length of a part of a name that ends before the body does.
fn plain_part(bytes: &[u8]) -> Option<usize> {
    if CLASS[usize::from(*bytes.first()?)] & PLAIN_START != PLAIN_START {
        return None;
    }
    let mut at = 0;
    while let Some(octets) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let (ends, _, colons) = simd::name(octets);
        match ends | colons {
            0 => at += 16,
            ends => return Some(at + ends.trailing_zeros() as usize),
        }
    }
    while CLASS[usize::from(*bytes.get(at)?)] & PLAIN_NAME != 0 {
        at += 1;
    }
    Some(at)
}

/// A prefix and its colon as a number; of one that is longer than eight octets together, a number that none has.
pub(super) fn key(prefix: &[u8]) -> u64 {
    if !(1..8).contains(&prefix.len()) {
        return u64::MAX;
    }
    prefix.iter().rev().fold(u64::from(b':'), |key, byte| key << 8 | u64::from(*byte))
}

/// Whether the same octets stand at two places.
#[inline(always)]
pub(super) fn same_place(bytes: &[u8], one: usize, other: usize, length: usize) -> bool {
    let octets = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk::<16>);
    if let (0..=16, Some(a), Some(b)) = (length, octets(one), octets(other)) {
        return !simd::same(a, b) & ((1 << length) - 1) == 0;
    }
    if let (17..=32, Some(a), Some(b)) = (length, octets(one), octets(other))
        && let (Some(c), Some(d)) = (octets(one + length - 16), octets(other + length - 16))
    {
        return simd::same(a, b) & simd::same(c, d) == 0xffff;
    }
    same_slice(bytes, one, other, length)
}

/// The same for more, and at the end of a body.
#[inline(never)]
fn same_slice(bytes: &[u8], one: usize, other: usize, length: usize) -> bool {
    match (bytes.get(one..one + length), bytes.get(other..other + length)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// White space.
#[inline]
pub(super) fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len())
}

/// Whether a name without colon is one (Namespaces in XML 1.0, `NCName`).
pub(crate) fn is_name(name: &str) -> bool {
    let Some(first) = name.as_bytes().first() else { return false };
    let plain = CLASS[usize::from(*first)] & PLAIN_START == PLAIN_START
        && name.bytes().all(|byte| CLASS[usize::from(byte)] & PLAIN_NAME != 0);
    plain || is_wide_name(name)
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

    fn slow_name(bytes: &[u8]) -> Option<(usize, usize)> {
        let end =
            bytes.iter().position(|byte| CLASS[usize::from(*byte)] & PLAIN_NAME == 0 && *byte != b':')?;
        let name = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let (prefix, local) = name.split_once(':').unwrap_or(("x", name));
        (is_name(prefix) && is_name(local) && bytes[end].is_ascii()).then(|| (end - local.len(), end))
    }

    #[test]
    fn places_are_the_same_when_their_octets_are() {
        let text = b"tuple tuple tuplf a-longer-name a-longer-name a-longer-namf ab ac";
        for one in 0..text.len() {
            for other in 0..text.len() {
                for length in 0..20 {
                    let slow = text
                        .get(one..one + length)
                        .is_some_and(|a| text.get(other..other + length) == Some(a));
                    assert_eq!(same_place(text, one, other, length), slow, "{one} {other} {length}");
                }
            }
        }
        assert_eq!(key(b"rpid"), u64::from_le_bytes(*b"rpid:\0\0\0"));
        assert_eq!(key(b"abcdefg"), u64::from_le_bytes(*b"abcdefg:"));
        assert_eq!([key(b""), key(b"abcdefgh")], [u64::MAX; 2]);
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
                    assert_eq!(all_plain(&bytes), slow(&bytes, ESCAPE) == 20, "{octet:#x} at {place}");
                    assert_eq!(
                        all_plain(&bytes[..15]),
                        slow(&bytes[..15], ESCAPE) == 15,
                        "{octet:#x} at {place}"
                    );
                    bytes[0] = b'x';
                    assert_eq!(plain_name(&bytes), slow_name(&bytes), "{octet:#x} at {place}");
                    let short = slow_name(&bytes).filter(|(_, end)| *end < 16);
                    assert_eq!(short_name(&bytes, 0), short, "{octet:#x} at {place}");
                    bytes[4] = b':';
                    assert_eq!(
                        plain_name(&bytes),
                        slow_name(&bytes),
                        "{octet:#x} at {place} behind a prefix"
                    );
                    let short = slow_name(&bytes).filter(|(_, end)| *end < 16);
                    assert_eq!(short_name(&bytes, 0), short, "{octet:#x} at {place} behind a prefix");
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
