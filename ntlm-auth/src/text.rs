//! Names and passwords as NTLM writes and compares them.

use zeroize::Zeroizing;

use crate::error::{Error, Rule};
use crate::flags::NegotiateFlags;

/// UTF-16, little endian, without a mark; for passwords.
pub(crate) fn utf16(text: &str) -> Zeroizing<Vec<u8>> {
    // Growing would leave octets behind unwiped.
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len() * 2));
    push_utf16(&mut octets, text.chars());
    octets
}

/// Appends characters in UTF-16.
pub(crate) fn push_utf16(octets: &mut Vec<u8>, characters: impl Iterator<Item = char>) {
    for character in characters {
        if let Ok(octet) = u8::try_from(character) {
            octets.extend([octet, 0]);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            octets.extend(unit.to_le_bytes());
        }
    }
}

/// Reads UTF-16: whole units, no half pairs, at most `limit` units.
pub(crate) fn from_utf16(octets: &[u8], at: usize, limit: usize) -> Result<String, Error> {
    let broken = Error::Malformed { at, rule: Rule::Text };
    let (units, odd) = octets.as_chunks::<2>();
    if !odd.is_empty() || units.len() > limit {
        return Err(broken);
    }
    let mut text = String::with_capacity(units.len());
    for character in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        text.push(character.map_err(|_| broken)?);
    }
    Ok(text)
}

/// Appends a name as a message with these flags carries it.
pub(crate) fn push(octets: &mut Vec<u8>, text: &str, flags: NegotiateFlags) -> Result<(), Error> {
    if flags.contains(NegotiateFlags::UNICODE) {
        let is_short = text.len() <= NAME_MAX || text.encode_utf16().count() <= NAME_MAX;
        if !is_short {
            return Err(Error::TooLong);
        }
        push_utf16(octets, text.chars());
    } else if text.is_ascii() && text.len() <= NAME_MAX {
        octets.extend_from_slice(text.as_bytes());
    } else {
        return Err(Error::TooLong);
    }
    Ok(())
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
pub(crate) fn upper(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|character| {
        let mut mapped = character.to_uppercase();
        match (mapped.next(), mapped.next()) {
            (Some(one), None) if one.len_utf16() == character.len_utf16() => one,
            _ => character,
        }
    })
}

/// Most units of a name.
const NAME_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_raised_one_by_one() {
        for (text, raised) in [("user", "USER"), ("jürgen", "JÜRGEN"), ("straße", "STRAßE")] {
            assert_eq!(upper(text).collect::<String>(), raised);
        }
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
