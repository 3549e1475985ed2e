//! `tel:` URIs.

use core::fmt;
use core::str::FromStr;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, URI_PARAMETER};

/// A telephone number; its text is kept as it was sent.
///
/// RFC 3966 3
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TelUri {
    text: Box<str>,
}

impl TelUri {
    /// Reads a telephone URI.
    ///
    /// RFC 3966 3
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if !text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:")) {
            return Err(ParseError::new(0, Rule::Scheme));
        }
        let rest = text.get(4..).unwrap_or_default();
        let mut at = 4;
        for (i, part) in rest.split(';').enumerate() {
            if i == 0 {
                let digits = part.strip_prefix('+').unwrap_or(part);
                let digit =
                    |b: u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#' | b'-' | b'.' | b'(' | b')');
                if digits.is_empty() || !digits.bytes().all(digit) {
                    return Err(ParseError::new(at, Rule::Number));
                }
            } else {
                let good = grammar::span(part.as_bytes(), URI_PARAMETER);
                if part.is_empty() || good < part.len() {
                    return Err(ParseError::new(at + good, Rule::UriParameter));
                }
                grammar::check_escapes(part.as_bytes(), at)?;
            }
            at += part.len() + 1;
        }
        Ok(Self { text: text.into() })
    }

    /// The text as it was sent.
    ///
    /// RFC 3966 3
    pub const fn as_str(&self) -> &str {
        &self.text
    }

    /// The number with its plus sign and visual separators, without parameters.
    ///
    /// RFC 3966 5.1
    pub fn number(&self) -> &str {
        let rest = self.text.get(4..).unwrap_or_default();
        rest.split_once(';').map_or(rest, |(number, _)| number)
    }

    /// Whether the number is global.
    ///
    /// RFC 3966 5.1.4
    pub fn is_global(&self) -> bool {
        self.number().starts_with('+')
    }

    /// The parameters in order.
    ///
    /// RFC 3966 5.4
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.text.split(';').skip(1).map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        })
    }

    /// The value of a parameter; empty when it has none.
    ///
    /// RFC 3966 5.4
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or_default())
    }

    /// Whether the two name the same number: visual separators do not count.
    ///
    /// RFC 3966 4
    pub fn equivalent(&self, other: &Self) -> bool {
        let digits = |uri: &Self| -> String {
            let kept = uri.number().chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')'));
            kept.map(|c| c.to_ascii_lowercase()).collect()
        };
        let covers = |a: &Self, b: &Self| {
            a.parameters().all(|(name, value)| {
                b.parameter(name).is_some_and(|v| v.eq_ignore_ascii_case(value.unwrap_or_default()))
            })
        };
        digits(self) == digits(other) && covers(self, other) && covers(other, self)
    }
}

impl fmt::Display for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for TelUri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_parameters_are_read() {
        let uri = TelUri::parse("tel:+420123456;ext=88463").unwrap();
        assert_eq!(
            (uri.number(), uri.parameter("EXT"), uri.is_global()),
            ("+420123456", Some("88463"), true)
        );
        let local = TelUri::parse("TEL:2160;phone-context=dialstring").unwrap();
        assert!(!local.is_global());
        for text in ["tel:", "tel:+", "tel:abcxyz", "tel:+1;", "tel:+1;a b", "sip:1"] {
            assert!(TelUri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn separators_do_not_count() {
        let a = TelUri::parse("tel:+1-(425)-555.0100").unwrap();
        assert!(a.equivalent(&TelUri::parse("tel:+14255550100").unwrap()));
        assert!(!a.equivalent(&TelUri::parse("tel:+14255550100;ext=1").unwrap()));
    }
}
