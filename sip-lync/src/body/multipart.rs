//! Multipart bodies: several session descriptions of one offer, or a description with a location.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{ParseError, Rule};
use crate::headers::{Headers, MediaType};
use crate::message::Limits;
use crate::scan::{Head, LineEnds};

/// The largest number of parts that is read.
const MAXIMUM_PARTS: usize = 64;

/// One part of a multipart body.
///
/// RFC 2046 5.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Part {
    /// The header fields of the part.
    pub headers: Headers,
    /// The body of the part.
    pub body: Bytes,
}

impl Part {
    /// The type of the part; without one it is `text/plain`.
    ///
    /// RFC 2046 5.1
    pub fn content_type(&self) -> Result<MediaType, ParseError> {
        Ok(self.headers.content_type()?.unwrap_or_else(|| MediaType::new("text", "plain")))
    }

    /// Whether the part is only for endpoints of OCS 2007.
    ///
    /// MS-SIPRE 3.15
    pub fn is_fallback_of_2007(&self) -> bool {
        matches!(self.headers.content_disposition(), Ok(Some(disposition)) if disposition.is_fallback_of_2007())
    }
}

/// Splits a multipart body at its boundary.
///
/// RFC 2046 5.1.1
pub fn parse(content_type: &MediaType, body: &Bytes) -> Result<Vec<Part>, ParseError> {
    let boundary = content_type.boundary().unwrap_or_default();
    if boundary.is_empty() || boundary.len() > 70 || boundary.ends_with(' ') {
        return Err(ParseError::new(0, Rule::Boundary));
    }
    let limits = Limits::DEFAULT;
    let mut parts = Vec::new();
    // Where the current part starts; the preamble is none.
    let mut part_start = None;
    for line in (Delimiters { body, boundary: boundary.as_bytes(), at: 0 }) {
        if let Some(start) = part_start {
            if parts.len() >= MAXIMUM_PARTS {
                return Err(ParseError::new(line.start, Rule::TooManyParts));
            }
            let part = body.slice(start..line.start.max(start));
            let (headers, body) = Headers::parse(part, &mut Head::new(0, LineEnds::Lenient), &limits)
                .map_err(|error| error.shifted(start))?;
            parts.push(Part { headers, body });
        }
        if line.is_last {
            return Ok(parts);
        }
        part_start = Some(line.end);
    }
    Err(ParseError::new(body.len(), Rule::MultipartEnd))
}

struct Delimiter {
    /// End of the part before: the line end in front of the boundary belongs to the boundary.
    start: usize,
    /// Behind the boundary's line.
    end: usize,
    is_last: bool,
}

struct Delimiters<'a> {
    body: &'a [u8],
    boundary: &'a [u8],
    at: usize,
}

impl Iterator for Delimiters<'_> {
    type Item = Delimiter;

    fn next(&mut self) -> Option<Delimiter> {
        while self.at < self.body.len() {
            let start = self.at;
            let rest = self.body.get(start..).unwrap_or_default();
            let length = rest.iter().position(|&b| b == b'\n').map_or(rest.len(), |p| p + 1);
            self.at = start + length;
            let line = rest.get(..length).unwrap_or_default();
            let Some(tail) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(self.boundary))
            else {
                continue;
            };
            let (tail, is_last) = match tail.strip_prefix(b"--") {
                Some(tail) => (tail, true),
                None => (tail, false),
            };
            if !tail.iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')) {
                continue;
            }
            let before = self.body.get(..start).unwrap_or_default();
            let before = before.strip_suffix(b"\n").map_or(before, |b| b.strip_suffix(b"\r").unwrap_or(b));
            return Some(Delimiter { start: before.len(), end: self.at, is_last });
        }
        None
    }
}

/// The part of an offer to be answered: the last session description that is not for OCS 2007 alone, else the last.
///
/// MS-SIPRE 3.15, RFC 2046 5.1.4
pub fn session_description(parts: &[Part]) -> Option<&Part> {
    let is_sdp = |part: &&Part| matches!(part.content_type(), Ok(kind) if kind.is("application", "sdp"));
    let mut descriptions = parts.iter().filter(is_sdp).rev();
    descriptions.clone().find(|part| !part.is_fallback_of_2007()).or_else(|| descriptions.next())
}

/// Appends a multipart body. The boundary must not occur in a part.
///
/// RFC 2046 5.1.1
pub fn emit(parts: &[Part], boundary: &str, out: &mut BytesMut) {
    for part in parts {
        out.put_slice(b"--");
        out.put_slice(boundary.as_bytes());
        out.put_slice(b"\r\n");
        part.headers.emit_part(out);
        out.put_slice(b"\r\n");
        out.put_slice(&part.body);
        out.put_slice(b"\r\n");
    }
    out.put_slice(b"--");
    out.put_slice(boundary.as_bytes());
    out.put_slice(b"--\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind() -> MediaType {
        MediaType::parse("multipart/alternative;boundary=\"----=_Next\"").unwrap()
    }

    const BODY: &str = concat!(
        "preamble\r\n------=_Next\r\nContent-Type: application/sdp\r\n",
        "Content-Disposition: session; handling=optional; ms-proxy-2007fallback\r\n\r\nold\r\n\r\n",
        "------=_Next\r\nContent-Type: application/sdp\r\nContent-Disposition: session; handling=optional\r\n\r\nnew\r\n",
        "------=_Next \r\nContent-Type: application/pidf+xml\r\n\r\n<x>------=_Next\r\n------=_NextNot\r\n",
        "------=_Next--\r\nepilogue",
    );

    #[test]
    fn parts_are_split_and_the_description_for_us_is_chosen() {
        let parts = parse(&kind(), &Bytes::from_static(BODY.as_bytes())).unwrap();
        let bodies: Vec<_> = parts.iter().map(|part| &part.body[..]).collect();
        assert_eq!(bodies, [&b"old\r\n"[..], b"new", b"<x>------=_Next\r\n------=_NextNot"]);
        assert_eq!(session_description(&parts).map(|part| &part.body[..]), Some(&b"new"[..]));
        assert_eq!(session_description(&parts[..1]).map(|part| &part.body[..]), Some(&b"old\r\n"[..]));
        assert_eq!(session_description(&parts[2..]), None);
        // The mark decides, not the order.
        let turned = [parts[1].clone(), parts[0].clone()];
        assert_eq!(session_description(&turned).map(|part| &part.body[..]), Some(&b"new"[..]));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let parts = parse(&kind(), &Bytes::from_static(BODY.as_bytes())).unwrap();
        let mut out = BytesMut::new();
        emit(&parts, "----=_Next", &mut out);
        assert_eq!(parse(&kind(), &out.freeze()), Ok(parts));
    }

    #[test]
    fn a_body_without_its_end_is_refused() {
        let rule =
            |body: &'static str| parse(&kind(), &Bytes::from_static(body.as_bytes())).map_err(|e| e.rule);
        assert_eq!(rule(""), Err(Rule::MultipartEnd));
        assert_eq!(rule("------=_Next\r\n\r\nabc\r\n"), Err(Rule::MultipartEnd));
        assert_eq!(rule("------=_Next\r\nno colon\r\n------=_Next--"), Err(Rule::Colon));
        assert_eq!(rule("------=_Next--"), Ok(vec![]));
        let no_boundary = MediaType::parse("multipart/mixed").unwrap();
        assert_eq!(parse(&no_boundary, &Bytes::new()).map_err(|e| e.rule), Err(Rule::Boundary));
    }
}
