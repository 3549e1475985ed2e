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

/// Octets from the beginning that are not of the class.
#[inline]
fn run(bytes: &[u8], class: u8) -> usize {
    bytes.iter().position(|byte| CLASS[usize::from(*byte)] & class != 0).unwrap_or(bytes.len())
}

/// Text that needs no look: up to markup, a reference or something strange.
pub(super) fn text(bytes: &[u8]) -> usize {
    run(bytes, TEXT)
}

/// A part of an attribute value that needs no look.
pub(super) fn value(bytes: &[u8]) -> usize {
    run(bytes, VALUE)
}

/// Text that is written as it stands.
pub(super) fn plain(bytes: &[u8]) -> usize {
    run(bytes, ESCAPE)
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
    let end = bytes.iter().position(|byte| CLASS[usize::from(*byte)] & PLAIN_NAME == 0)?;
    bytes.get(end).filter(|byte| byte.is_ascii()).map(|_| end)
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
