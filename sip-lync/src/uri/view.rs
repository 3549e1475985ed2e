//! A SIP URI where it was received.

use super::parts::{Parts, Span};
use super::sip::SipUri;
use crate::error::ParseError;

/// A SIP URI where it was received.
///
/// RFC 3261 19.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SipUriView<'a> {
    text: &'a str,
    parts: Parts,
}

impl<'a> SipUriView<'a> {
    /// Reads a SIP URI without copying it.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        Ok(Self { text, parts: Parts::find(text)? })
    }

    fn optional(self, span: Span) -> Option<&'a str> {
        if span == Span::default() { None } else { self.text.get(span.start as usize..span.end as usize) }
    }

    /// The text as it was sent.
    ///
    /// RFC 3261 19.1.1
    pub const fn as_str(self) -> &'a str {
        self.text
    }

    /// The user part as it was sent, escapes in it.
    ///
    /// RFC 3261 19.1.1
    pub fn user(self) -> Option<&'a str> {
        self.optional(self.parts.user)
    }

    /// The host; an IPv6 address stands in brackets.
    ///
    /// RFC 3261 19.1.1
    pub fn host(self) -> &'a str {
        self.optional(self.parts.host).unwrap_or_default()
    }

    /// The port, if one was given.
    ///
    /// RFC 3261 19.1.1
    pub const fn port(self) -> Option<u16> {
        self.parts.port
    }

    /// The value of a parameter; empty when it has none.
    ///
    /// RFC 3261 19.1.1
    pub fn parameter(self, name: &str) -> Option<&'a str> {
        let parameters = self.optional(self.parts.parameters)?.split(';').skip(1);
        let mut pairs = parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")));
        pairs.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The URI as a value.
    ///
    /// RFC 3261 19.1.1
    pub fn to_value(self) -> SipUri {
        SipUri::from_parts(self.text.into(), self.parts)
    }
}
