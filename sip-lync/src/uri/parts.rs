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
        match Self::find_plain(text, scheme) {
            Some(parts) => Ok(parts),
            None => Self::find_any(text, scheme),
        }
    }

    /// The parts of a URI as most are, in one pass: without password, escapes, header fields and IPv6. `None` for any other.
    fn find_plain(text: &str, scheme: usize) -> Option<Self> {
        let octets = text.as_bytes();
        let octet = |at: usize| octets.get(at).copied();
        let run = |from: usize, class: u8| {
            let rest = octets.get(from..).unwrap_or_default();
            let length = rest.iter().position(|&b| !grammar::is(b, class) || b == b'%');
            length.map_or(octets.len(), |length| from + length)
        };
        let (mut user, mut at) = (Span::default(), scheme);
        let end = run(scheme, USER);
        match octet(end) {
            Some(b'@') if end > scheme => {
                user = (scheme..end).into();
                at = end + 1;
            }
            // A host with a port, or the password of a user.
            Some(b':') if !octets.get(end..)?.contains(&b'@') => {}
            Some(_) => return None,
            None => {}
        }
        let end = run(at, HOST);
        if end == at {
            return None;
        }
        let host = Span::from(at..end);
        at = end;
        let mut port = None;
        if octet(at) == Some(b':') {
            let digits = octets.get(at + 1..)?;
            let length = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
            port = Some(text.get(at + 1..at + 1 + length)?.parse().ok()?);
            at += 1 + length;
        }
        let mut parameters = Span::default();
        if at < octets.len() {
            let mut before = b';';
            for &b in octets.get(at + 1..)? {
                let ends = b == b';' || b == b'=';
                let good = grammar::is(b, URI_PARAMETER) && b != b'%' || b == b';';
                if !good || (ends && before == b';') {
                    return None;
                }
                before = b;
            }
            if before == b';' || octet(at) != Some(b';') {
                return None;
            }
            parameters = (at..octets.len()).into();
        }
        Some(Self { user, password: Span::default(), host, port, parameters, headers: Span::default() })
    }

    fn find_any(text: &str, scheme: usize) -> Result<Self, ParseError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_in_one_pass_is_what_is_found_step_by_step() {
        let alphabet = "a1.@:;=?%[&-_#";
        let mut plain = 0;
        for length in 0..=5_u32 {
            for mut number in 0..alphabet.len().pow(length) {
                let mut text = String::from("sip:");
                for _ in 0..length {
                    text.extend(alphabet.chars().nth(number % alphabet.len()));
                    number /= alphabet.len();
                }
                if let Some(parts) = Parts::find_plain(&text, 4) {
                    assert_eq!(Ok(parts), Parts::find_any(&text, 4), "{text}");
                    plain += 1;
                }
            }
        }
        assert!(plain > 10_000, "{plain}");
        for text in
            ["sip:bob@host.example:5061;transport=tls;lr", "sip:host:65535", "sip:host;x=a@b", "sip:h"]
        {
            assert_eq!(Parts::find_plain(text, 4), Parts::find_any(text, 4).ok(), "{text}");
            assert!(Parts::find_plain(text, 4).is_some(), "{text}");
        }
        for text in
            ["sip:a:b@c", "sip:%41@b", "sip:a@[::1]", "sip:a@b?c=d", "sip:a@b:65536", "sip:a@b;", "sip:"]
        {
            assert_eq!(Parts::find_plain(text, 4), None, "{text}");
        }
    }
}
