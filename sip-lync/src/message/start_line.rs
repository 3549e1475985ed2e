//! The first line of a message.

use super::{Limits, Version};
use crate::error::{ParseError, Rule};
use crate::grammar;
use crate::scan::Head;
use crate::simd::spans;
use crate::status::StatusCode;

/// A start line.
///
/// RFC 3261 7.1, 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// Of a request.
    Request {
        /// The method.
        method: &'a str,
        /// The Request-URI, not taken apart.
        uri: &'a str,
        /// The version.
        version: Version,
    },
    /// Of a response.
    Response {
        /// The version.
        version: Version,
        /// The status code.
        status: StatusCode,
        /// The reason phrase.
        reason: &'a str,
    },
}

impl<'a> StartLine<'a> {
    /// Reads a start line.
    ///
    /// RFC 3261 7.1, 7.2
    pub fn parse(line: &'a str) -> Result<Self, ParseError> {
        let first = grammar::find(line, b' ').ok_or_else(|| ParseError::new(line.len(), Rule::StartLine))?;
        let (word, rest) = line.split_at(first);
        if word.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/")) {
            let version = Version::parse(word)?;
            let rest = rest.trim_start_matches(' ');
            let at = line.len() - rest.len();
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let status = StatusCode::parse(code).map_err(|error| error.shifted(at))?;
            return Ok(Self::Response { version, status, reason });
        }
        if !grammar::is_token(word.as_bytes()) {
            return Err(ParseError::new(0, Rule::Method));
        }
        // Blanks around the URI and behind the version are dropped, never sent on.
        let rest = rest.trim_matches(' ');
        let at = line.len() - line.get(first..).unwrap_or_default().trim_start_matches(' ').len();
        let last =
            rest.bytes().rposition(|b| b == b' ').ok_or_else(|| ParseError::new(at, Rule::StartLine))?;
        let (uri, version) = rest.split_at(last);
        let version =
            Version::parse(version.trim_start_matches(' ')).map_err(|error| error.shifted(at + last + 1))?;
        Ok(Self::Request { method: word, uri: uri.trim_end_matches(' '), version })
    }
}

/// The start line at the beginning of a message, behind line ends.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
pub(super) fn read<'a>(
    wire: &'a [u8],
    head: &mut Head,
    limits: &Limits,
) -> Result<StartLine<'a>, ParseError> {
    let at = head.skip_line_ends(wire);
    if at >= wire.len() {
        return Err(ParseError::new(0, Rule::Empty));
    }
    let line = head.start_line(wire)?;
    if line.len() > limits.line {
        return Err(ParseError::new(at, Rule::LineTooLong));
    }
    let line = spans::text(line).map_err(|error| ParseError::new(at + error.valid_up_to(), Rule::Utf8))?;
    StartLine::parse(line).map_err(|error| error.shifted(at))
}
