//! Names and passwords as NTLM writes and compares them.

use zeroize::Zeroizing;

use crate::error::{Error, Rule};
use crate::flags::NegotiateFlags;

/// UTF-16, little endian, without a mark.
pub(crate) fn utf16(text: &str) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len() * 2));
    for unit in text.encode_utf16() {
        octets.extend_from_slice(&unit.to_le_bytes());
    }
    octets
}

/// Reads UTF-16: whole units, no half pairs, at most `limit` units.
pub(crate) fn from_utf16(octets: &[u8], at: usize, limit: usize) -> Result<String, Error> {
    let (units, odd) = octets.as_chunks::<2>();
    if !odd.is_empty() || units.len() > limit {
        return Err(Error::Malformed { at, rule: Rule::Text });
    }
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Malformed { at, rule: Rule::Text })
}

/// A name as a message with these flags carries it.
pub(crate) fn emit(text: &str, flags: NegotiateFlags) -> Result<Zeroizing<Vec<u8>>, Error> {
    if flags.contains(NegotiateFlags::UNICODE) {
        if text.encode_utf16().count() > NAME_MAX { Err(Error::TooLong) } else { Ok(utf16(text)) }
    } else if text.is_ascii() && text.len() <= NAME_MAX {
        Ok(Zeroizing::new(text.as_bytes().to_vec()))
    } else {
        Err(Error::TooLong)
    }
}

/// Reads a name of a message with these flags; of code pages only what they share.
pub(crate) fn parse(octets: &[u8], at: usize, flags: NegotiateFlags) -> Result<String, Error> {
    if flags.contains(NegotiateFlags::UNICODE) {
        return from_utf16(octets, at, NAME_MAX);
    }
    match core::str::from_utf8(octets) {
        Ok(text) if text.is_ascii() && text.len() <= NAME_MAX => Ok(text.to_owned()),
        _ => Err(Error::Malformed { at, rule: Rule::Text }),
    }
}

/// Upper case, character for character: a letter whose upper case has more than one character stays, as domain controllers
/// have it.
pub(crate) fn upper(text: &str) -> Zeroizing<String> {
    let upper = |character: char| {
        let mut mapped = character.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(one), None) if one.len_utf16() == character.len_utf16() => one,
            _ => character,
        }
    };
    Zeroizing::new(text.chars().map(upper).collect())
}

/// Most units of a name.
const NAME_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_raised_one_by_one() {
        assert_eq!(upper("user").as_str(), "USER");
        assert_eq!(upper("jürgen").as_str(), "JÜRGEN");
        assert_eq!(upper("straße").as_str(), "STRAßE");
    }

    #[test]
    fn text_that_is_no_utf16_is_refused() {
        assert_eq!(from_utf16(&utf16("aü😀"), 0, 9).as_deref(), Ok("aü😀"));
        for broken in [&[0x61][..], &[0x00, 0xd8], &[0x00, 0xdc, 0x61, 0]] {
            assert_eq!(from_utf16(broken, 7, 9), Err(Error::Malformed { at: 7, rule: Rule::Text }));
        }
        assert!(from_utf16(&utf16("abc"), 0, 2).is_err());
    }
}
