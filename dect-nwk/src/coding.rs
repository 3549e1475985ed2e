//! The coding rules of information elements: shapes, octet groups, extended numbers.

use bytes::{BufMut as _, BytesMut};

use crate::{
    error::{Error, Rule},
    few::Few,
};

/// One information element as its shape delimits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape<'a> {
    /// One octet in all: three bits of identifier and four of contents.
    Fixed(u8),
    /// Identifier octet and one octet of contents.
    Double { identifier: u8, contents: u8 },
    /// Identifier, length, contents.
    Variable { identifier: u8, contents: &'a [u8] },
}

/// Splits the first element off; `None` when it ends beyond the input.
#[inline]
pub(crate) const fn split(input: &[u8]) -> Option<(Shape<'_>, &[u8])> {
    match input {
        [identifier @ 0x00..=0x7f, length, rest @ ..] => match rest.split_at_checked(*length as usize) {
            Some((contents, rest)) => Some((Shape::Variable { identifier: *identifier, contents }, rest)),
            None => None,
        },
        [identifier @ 0xe0..=0xef, contents, rest @ ..] => {
            Some((Shape::Double { identifier: *identifier, contents: *contents }, rest))
        }
        [0x00..=0x7f | 0xe0..=0xef] | [] => None,
        [octet, rest @ ..] => Some((Shape::Fixed(*octet), rest)),
    }
}

/// Reads the contents of one element and knows where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(contents: &'a [u8]) -> Self {
        Self { rest: contents, at: 0 }
    }

    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn broken(&self, rule: Rule) -> Error {
        Error::Malformed { at: self.at, rule }
    }

    pub(crate) fn octets(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let Some((octets, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.broken(Rule::Truncated));
        };
        self.rest = rest;
        self.at += count;
        Ok(octets)
    }

    pub(crate) fn octet(&mut self) -> Result<u8, Error> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.octets(N)?);
        Ok(array)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_be_bytes)
    }

    /// Everything that is left.
    pub(crate) const fn remainder(&mut self) -> &'a [u8] {
        let rest = self.rest;
        self.at += rest.len();
        self.rest = &[];
        rest
    }

    /// An octet group: all octets up to the first one with bit 8 set; the last octet of the contents
    /// ends a group too.
    pub(crate) fn group(&mut self) -> Result<&'a [u8], Error> {
        if self.rest.is_empty() {
            return Err(self.broken(Rule::Truncated));
        }
        let count =
            self.rest.iter().position(|octet| octet & 0x80 != 0).map_or(self.rest.len(), |last| last + 1);
        self.octets(count)
    }

    /// An octet group, empty at the end of the contents.
    pub(crate) fn group_if_any(&mut self) -> &'a [u8] {
        self.group().unwrap_or_default()
    }

    /// A number in octets of seven bits, most significant first, the last one with bit 8 set.
    pub(crate) fn extended_number(&mut self) -> Result<u32, Error> {
        let start = self.at;
        let too_long = Error::Malformed { at: start, rule: Rule::TooLong };
        self.group()?.iter().try_fold(0_u32, |number, octet| {
            if number >> 25 == 0 { Ok(number << 7 | u32::from(octet & 0x7f)) } else { Err(too_long) }
        })
    }
}

/// Writes an octet group: bit 8 is cleared in all octets but the last.
pub(crate) fn put_group(contents: &mut BytesMut, octets: &[u8]) {
    let last = octets.len().saturating_sub(1);
    for (index, octet) in octets.iter().enumerate() {
        contents.put_u8(if index == last { octet | 0x80 } else { octet & 0x7f });
    }
}

/// Writes a number in octets of seven bits, the last one with bit 8 set.
pub(crate) fn put_extended_number(contents: &mut BytesMut, number: u32) {
    let significant = 32 - number.leading_zeros();
    let count = significant.div_ceil(7).max(1);
    for index in (0..count).rev() {
        let bits = (number >> (7 * index)) as u8 & 0x7f;
        contents.put_u8(if index == 0 { bits | 0x80 } else { bits });
    }
}

/// The longest contents one length octet can announce.
pub(crate) const MAX_CONTENTS: usize = 255;

/// Octets that fit into an information element.
///
/// EN 300 175-5 7.5.1
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Octets<const LIMIT: usize = 250>(Few);

impl<const LIMIT: usize> Octets<LIMIT> {
    /// The most octets it can have.
    pub const LIMIT: usize = LIMIT;

    /// Takes a copy of at most `LIMIT` octets.
    ///
    /// EN 300 175-5 7.5.1
    pub fn new(octets: &[u8]) -> Result<Self, Error> {
        if octets.len() > LIMIT { Err(Error::Value(Rule::TooLong)) } else { Ok(Self::cut(octets)) }
    }

    /// Takes a copy of the first `LIMIT` octets.
    ///
    /// EN 300 175-5 17.5.2
    pub fn cut(octets: &[u8]) -> Self {
        Self(Few::new(octets.get(..LIMIT).unwrap_or(octets)))
    }
}

impl<const LIMIT: usize> std::ops::Deref for Octets<LIMIT> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const LIMIT: usize> std::fmt::Display for Octets<LIMIT> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl<const LIMIT: usize> std::fmt::Debug for Octets<LIMIT> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl<const LIMIT: usize> std::str::FromStr for Octets<LIMIT> {
    type Err = Error;

    /// Reads hexadecimal digits, two for each octet.
    fn from_str(text: &str) -> Result<Self, Error> {
        if !text.len().is_multiple_of(2) {
            return Err(Error::Value(Rule::DigitCount));
        }
        let mut octets = Vec::with_capacity(text.len() / 2);
        for pair in text.as_bytes().chunks_exact(2) {
            let digits = std::str::from_utf8(pair).map_err(|_| Error::Value(Rule::Digit))?;
            if !pair.iter().all(u8::is_ascii_hexdigit) {
                return Err(Error::Value(Rule::Digit));
            }
            octets.push(u8::from_str_radix(digits, 16).map_err(|_| Error::Value(Rule::Digit))?);
        }
        Self::new(&octets)
    }
}

/// Defines an enumeration of code points; everything else is `Reserved`.
macro_rules! coded {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
        pub enum $name {
            $($(#[$variant_meta])* $variant,)*
            /// A value the standard reserves.
            Reserved(u8),
        }

        impl $name {
            /// The value with this code.
            ///
            /// EN 300 175-5 7.6, 7.7
            pub const fn from_code(code: u8) -> Self {
                match code {
                    $($code => Self::$variant,)*
                    other => Self::Reserved(other),
                }
            }

            /// The code of this value.
            ///
            /// EN 300 175-5 7.6, 7.7
            pub const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Reserved(other) => other,
                }
            }
        }
    };
}
pub(crate) use coded;

/// Serde for a value that has a text form (`Display`, `FromStr`).
macro_rules! serde_as_text {
    (limited $name:ty) => {
        serde_as_text!(@ [const LIMIT: usize] $name);
    };
    ($name:ty) => {
        serde_as_text!(@ [] $name);
    };
    (@ [$($generics:tt)*] $name:ty) => {
        #[cfg(feature = "serde")]
        impl<$($generics)*> serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de, $($generics)*> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize<'_>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

serde_as_text!(limited Octets<LIMIT>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octet_decides_the_shape() {
        assert_eq!(split(&[0xa1, 9]), Some((Shape::Fixed(0xa1), &[9][..])));
        assert_eq!(split(&[0xe2, 9]), Some((Shape::Double { identifier: 0xe2, contents: 9 }, &[][..])));
        assert_eq!(
            split(&[0x2c, 1, 0x32, 7]),
            Some((Shape::Variable { identifier: 0x2c, contents: &[0x32] }, &[7][..]))
        );
        for cut_off in [&[][..], &[0xe2], &[0x2c], &[0x2c, 2, 0]] {
            assert_eq!(split(cut_off), None);
        }
    }

    #[test]
    fn a_group_ends_with_bit_8_or_with_the_contents() {
        let mut reader = Reader::new(&[0x01, 0x82, 0x03]);
        assert_eq!(reader.group(), Ok(&[0x01, 0x82][..]));
        assert_eq!(reader.group(), Ok(&[0x03][..]));
        assert_eq!(reader.group(), Err(Error::Malformed { at: 3, rule: Rule::Truncated }));
    }

    #[test]
    fn extended_numbers_are_seven_bits_an_octet() {
        for (number, octets) in [
            (0, &[0x80][..]),
            (3, &[0x83]),
            (127, &[0xff]),
            (128, &[0x01, 0x80]),
            (u32::MAX, &[15, 127, 127, 127, 255]),
        ] {
            let mut written = BytesMut::new();
            put_extended_number(&mut written, number);
            assert_eq!(written, octets);
            assert_eq!(Reader::new(octets).extended_number(), Ok(number));
        }
        assert!(Reader::new(&[0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0xff]).extended_number().is_err());
        // One more than 32 bits hold.
        assert!(Reader::new(&[0x10, 0x00, 0x00, 0x00, 0x80]).extended_number().is_err());
    }

    #[test]
    fn octets_know_their_limit_and_their_text() {
        assert_eq!("0aFF".parse::<Octets>().map(|o| o.to_string()), Ok("0aff".into()));
        assert_eq!("0a0".parse::<Octets>(), Err(Error::Value(Rule::DigitCount)));
        assert_eq!("0ax0".parse::<Octets>(), Err(Error::Value(Rule::Digit)));
        assert_eq!(Octets::<2>::new(&[1, 2, 3]), Err(Error::Value(Rule::TooLong)));
        assert_eq!(&*Octets::<2>::cut(&[1, 2, 3]), &[1, 2]);
    }
}
