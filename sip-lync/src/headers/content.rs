//! Content-Type, Accept and Content-Disposition.

use core::fmt;
use std::borrow::Cow;

use super::parameters::Parameters;
use crate::error::{ParseError, Rule};
use crate::grammar::Cursor;

/// A media type with parameters; also a range with `*`.
///
/// RFC 3261 20.15
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaType {
    /// The type, as it was sent.
    pub kind: String,
    /// The subtype, as it was sent.
    pub subtype: String,
    /// The parameters.
    pub parameters: Parameters,
}

impl MediaType {
    /// A type without parameters.
    ///
    /// RFC 3261 20.15
    pub fn new(kind: &str, subtype: &str) -> Self {
        Self { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters: Parameters::new() }
    }

    /// `application/sdp`
    ///
    /// RFC 8866 8.1
    pub fn sdp() -> Self {
        Self::new("application", "sdp")
    }

    /// Reads the value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let missing = |error: ParseError| ParseError::new(error.at, Rule::MediaType);
        let kind = cursor.token().map_err(missing)?.to_owned();
        cursor.expect(b'/', Rule::MediaType)?;
        let subtype = cursor.token().map_err(missing)?.to_owned();
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { kind, subtype, parameters })
    }

    /// Whether it is this type; parameters do not count.
    ///
    /// RFC 3261 20.15
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    /// Whether it is any multipart type.
    ///
    /// RFC 2046 5.1
    pub fn is_multipart(&self) -> bool {
        self.kind.eq_ignore_ascii_case("multipart")
    }

    /// Whether this range of an Accept covers a type.
    ///
    /// RFC 3261 20.1
    pub fn covers(&self, kind: &str, subtype: &str) -> bool {
        (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind))
            && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype))
    }

    /// The boundary of a multipart body.
    ///
    /// RFC 2046 5.1.1
    pub fn boundary(&self) -> Option<Cow<'_, str>> {
        self.parameters.unquoted("boundary")
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.parameters)
    }
}

/// What a body is for.
///
/// RFC 3261 20.11
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentDisposition {
    /// `session`, `render` or another word.
    pub kind: String,
    /// `handling`, `ms-proxy-2007fallback` and others.
    pub parameters: Parameters,
}

impl ContentDisposition {
    /// Reads the value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let kind = cursor.token()?.to_owned();
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { kind, parameters })
    }

    /// Whether who does not understand the body may ignore it.
    ///
    /// RFC 3261 20.11
    pub fn is_optional(&self) -> bool {
        self.parameters.get("handling").is_some_and(|value| value.eq_ignore_ascii_case("optional"))
    }

    /// Whether the part is only for endpoints of OCS 2007.
    ///
    /// MS-SIPRE 3.15
    pub fn is_fallback_of_2007(&self) -> bool {
        self.parameters.contains("ms-proxy-2007fallback")
    }
}

impl fmt::Display for ContentDisposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_boundaries_are_read() {
        let value = MediaType::parse("multipart/alternative;boundary=\"----=_NextPart_000_0001_X\"").unwrap();
        assert!(value.is_multipart() && value.is("Multipart", "ALTERNATIVE"));
        assert_eq!(value.boundary().as_deref(), Some("----=_NextPart_000_0001_X"));
        assert!(MediaType::parse("application/*").unwrap().covers("application", "sdp"));
        assert!(!MediaType::parse("text/plain").unwrap().covers("application", "sdp"));
        for text in ["", "application", "application/", "/sdp", "a/b c"] {
            assert!(MediaType::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_fallback_part_is_recognised() {
        let value = ContentDisposition::parse("session; handling=optional; ms-proxy-2007fallback").unwrap();
        assert!(value.is_optional() && value.is_fallback_of_2007());
        assert!(!ContentDisposition::parse("session").unwrap().is_optional());
    }
}
