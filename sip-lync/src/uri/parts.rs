//! Finds the parts of a SIP URI.

use core::ops::Range;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, HOST, URI_HEADER, URI_PARAMETER, USER};

/// Where the parts of a text are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Parts {
    pub(super) user: Span,
    pub(super) password: Span,
    pub(super) host: Span,
    pub(super) port: Option<u16>,
    pub(super) parameters: Span,
    pub(super) headers: Span,
}

/// A part of the text; empty and at zero when the part is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start as u32, end: range.end as u32 }
    }
}

/// Length of the host at the start of `text`.
pub(crate) fn host_length(text: &str) -> Result<usize, ParseError> {
    let error = |at| ParseError::new(at, Rule::Host);
    if !text.starts_with('[') {
        let length = grammar::span(text.as_bytes(), HOST);
        return if length == 0 { Err(error(0)) } else { Ok(length) };
    }
    let end = text.find(']').ok_or_else(|| error(text.len()))?;
    let address = text.get(1..end).unwrap_or_default();
    // Three colons come from an error in the grammar of RFC 3261 and are tolerated (RFC 5118 4.10).
    let repaired = address.replacen(":::", "::", 1);
    match repaired.parse::<core::net::Ipv6Addr>() {
        Ok(_) => Ok(end + 1),
        Err(_) => Err(error(1)),
    }
}

/// Reads `host [ ":" port ]` at the start of the text; returns the length of the host, the port and the whole length.
pub(crate) fn host_port(text: &str) -> Result<(usize, Option<u16>, usize), ParseError> {
    let host = host_length(text)?;
    let rest = text.get(host..).unwrap_or_default();
    let Some(digits) = rest.strip_prefix(':') else { return Ok((host, None, host)) };
    let length = digits.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
    let port = digits.get(..length).and_then(|port| port.parse().ok());
    match port {
        Some(port) => Ok((host, Some(port), host + 1 + length)),
        None => Err(ParseError::new(host + 1, Rule::Port)),
    }
}

impl Parts {
    pub(super) fn find(text: &str) -> Result<Self, ParseError> {
        let scheme = match text.as_bytes() {
            [b's' | b'S', b'i' | b'I', b'p' | b'P', b':', ..] => 4,
            [b's' | b'S', b'i' | b'I', b'p' | b'P', b's' | b'S', b':', ..] => 5,
            _ => return Err(ParseError::new(0, Rule::Scheme)),
        };
        if u32::try_from(text.len()).is_err() {
            return Err(ParseError::new(0, Rule::LineTooLong));
        }
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        let check = |range: Range<usize>, class: u8, rule: Rule| {
            let bytes = part(range.clone()).as_bytes();
            let good = grammar::span(bytes, class);
            if good < bytes.len() {
                return Err(ParseError::new(range.start + good, rule));
            }
            grammar::check_escapes(bytes, range.start)
        };
        let (mut user, mut password) = (Span::default(), Span::default());
        let mut at = scheme;
        if let Some(length) = grammar::find(part(scheme..text.len()), b'@') {
            let end = scheme + length;
            let user_end = grammar::find(part(scheme..end), b':').map_or(end, |colon| scheme + colon);
            check(scheme..user_end, USER, Rule::UserPart)?;
            if user_end == scheme {
                return Err(ParseError::new(scheme, Rule::UserPart));
            }
            user = (scheme..user_end).into();
            if user_end < end {
                // The colon alone is not of the class, but test messages put one into the password's place.
                let text = part(user_end + 1..end);
                let good = text.bytes().all(|b| grammar::is(b, USER) || b == b':');
                if !good {
                    return Err(ParseError::new(user_end + 1, Rule::UserPart));
                }
                grammar::check_escapes(text.as_bytes(), user_end + 1)?;
                password = (user_end + 1..end).into();
            }
            at = end + 1;
        }
        let (host, port, length) = host_port(part(at..text.len())).map_err(|error| error.shifted(at))?;
        let host = Span::from(at..at + host);
        at += length;
        let question = grammar::find(part(at..text.len()), b'?').map(|p| at + p);
        let parameters_end = question.unwrap_or(text.len());
        let mut parameters = Span::default();
        if at < parameters_end {
            if !part(at..parameters_end).starts_with(';') {
                return Err(ParseError::new(at, Rule::Host));
            }
            let mut start = at;
            while start < parameters_end {
                // Over the semicolon.
                start += 1;
                let rest = part(start..parameters_end).as_bytes();
                let length = grammar::span(rest, URI_PARAMETER);
                let stop = rest.get(length);
                let nameless = length == 0 || rest.first() == Some(&b'=');
                if nameless || stop.is_some_and(|&b| b != b';') {
                    let at = if nameless { start } else { start + length };
                    return Err(ParseError::new(at, Rule::UriParameter));
                }
                start += length;
            }
            grammar::check_escapes(part(at..parameters_end).as_bytes(), at)?;
            parameters = (at..parameters_end).into();
        }
        let mut headers = Span::default();
        if let Some(question) = question {
            check(question + 1..text.len(), URI_HEADER, Rule::UriHeader)?;
            headers = (question + 1..text.len()).into();
            if question + 1 == text.len() {
                return Err(ParseError::new(question + 1, Rule::UriHeader));
            }
        }
        Ok(Self { user, password, host, port, parameters, headers })
    }
}
