//! URIs: SIP and telephone numbers in parts, everything else as text.

mod parts;
mod sip;
mod tel;
mod view;

use core::fmt;
use core::str::FromStr;

pub(crate) use parts::host_length;
pub use sip::{SipScheme, SipUri};
pub use tel::TelUri;
pub use view::SipUriView;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, ABSOLUTE_URI};

/// A URI as it occurs in start lines and header fields. Its text is kept as it was sent.
///
/// RFC 3261 19.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Uri {
    /// `sip:` or `sips:`.
    Sip(SipUri),
    /// `tel:`.
    Tel(TelUri),
    /// Any other scheme.
    Other(Box<str>),
    /// A Request-URI that is none: kept so that the request can be refused.
    Malformed(Box<str>),
}

impl Uri {
    /// Reads a URI.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if Self::is_sip(text) {
            return SipUri::parse(text).map(Self::Sip);
        }
        let Some(colon) = text.find(':') else { return Err(ParseError::new(0, Rule::Scheme)) };
        let (scheme, _) = text.split_at(colon);
        if scheme.eq_ignore_ascii_case("tel") {
            return TelUri::parse(text).map(Self::Tel);
        }
        let valid = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !valid {
            return Err(ParseError::new(0, Rule::Scheme));
        }
        let rest = text.as_bytes().get(colon + 1..).unwrap_or_default();
        let good = grammar::span(rest, ABSOLUTE_URI);
        if rest.is_empty() || good < rest.len() {
            return Err(ParseError::new(colon + 1 + good, Rule::Scheme));
        }
        grammar::check_escapes(rest, colon + 1)?;
        Ok(Self::Other(text.into()))
    }

    /// Whether it is a URI; one of SIP is not copied for that.
    pub(crate) fn check(text: &str) -> Result<(), ParseError> {
        if Self::is_sip(text) {
            return SipUriView::parse(text).map(|_| ());
        }
        Self::parse(text).map(|_| ())
    }

    /// Whether a URI has one of the schemes of SIP.
    pub(crate) const fn is_sip(text: &str) -> bool {
        matches!(
            text.as_bytes(),
            [b's' | b'S', b'i' | b'I', b'p' | b'P', b':', ..]
                | [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S', b':', ..]
        )
    }

    /// The Request-URI of a received request, whatever it is.
    pub(crate) fn received(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self::Malformed(text.into()))
    }

    /// The text of the URI.
    ///
    /// RFC 3261 19.1
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sip(uri) => uri.as_str(),
            Self::Tel(uri) => uri.as_str(),
            Self::Other(text) | Self::Malformed(text) => text,
        }
    }

    /// The scheme.
    ///
    /// RFC 3261 19.1
    pub fn scheme(&self) -> &str {
        self.as_str().split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// The SIP URI, if it is one.
    ///
    /// RFC 3261 19.1
    pub const fn sip(&self) -> Option<&SipUri> {
        if let Self::Sip(uri) = self { Some(uri) } else { None }
    }

    /// The telephone number, if it is one.
    ///
    /// RFC 3966 3
    pub const fn tel(&self) -> Option<&TelUri> {
        if let Self::Tel(uri) = self { Some(uri) } else { None }
    }

    /// Whether the two name the same resource.
    ///
    /// RFC 3261 19.1.4
    pub fn equivalent(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sip(a), Self::Sip(b)) => a.equivalent(b),
            (Self::Tel(a), Self::Tel(b)) => a.equivalent(b),
            _ => self.as_str().eq_ignore_ascii_case(other.as_str()),
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Uri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl From<SipUri> for Uri {
    fn from(uri: SipUri) -> Self {
        Self::Sip(uri)
    }
}

impl From<TelUri> for Uri {
    fn from(uri: TelUri) -> Self {
        Self::Tel(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_select_the_kind() {
        assert!(matches!(Uri::parse("SIPS:a@b"), Ok(Uri::Sip(_))));
        assert!(matches!(Uri::parse("Tel:+1;ext=3"), Ok(Uri::Tel(_))));
        assert!(matches!(Uri::parse("urn:service:sos"), Ok(Uri::Other(_))));
        assert!(matches!(Uri::parse("soap.beep://192.0.2.103:3002"), Ok(Uri::Other(_))));
        for text in ["", "sip", ":", "1a:b", "<sip:a@b>", "http:", "x:a b", "x:%4"] {
            assert!(Uri::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_uri_is_kept_to_be_refused() {
        assert_eq!(Uri::received("sip:a@b; lr"), Uri::Malformed("sip:a@b; lr".into()));
    }
}
