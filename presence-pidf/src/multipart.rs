//! Bodies of several parts, as lists of contacts come.

use bytes::BytesMut;

use crate::error::{Error, Rule};

/// A part of a body.
///
/// RFC 2046 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its media type with parameters; without one it is text.
    pub content_type: &'a str,
    /// Its name, without angle brackets.
    pub content_id: Option<&'a str>,
    /// What is in it.
    pub body: &'a [u8],
}

/// The boundary that a content type names.
///
/// RFC 2046 5.1.1
#[must_use]
pub fn boundary(content_type: &str) -> Option<&str> {
    parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty() && boundary.len() <= 70)
}

/// A parameter of a content type; quotes are taken off.
pub(crate) fn parameter<'a>(content_type: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = content_type.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = if let Some(quoted) = after.strip_prefix('"') {
            let (value, next) = quoted.split_once('"')?;
            (value, next.split_once(';').map_or("", |(_, next)| next))
        } else {
            let (value, next) = after.split_once(';').unwrap_or((after, ""));
            (value.trim_end(), next)
        };
        let name = name.rsplit(';').next().unwrap_or_default().trim();
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = next;
    }
}

/// The parts of a body. Bare line feeds and a missing last boundary are read; a body in which the boundary never occurs is
/// refused.
///
/// RFC 2046 5.1.1
pub fn parts<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, Error> {
    let mut parts = Vec::new();
    let mut begin: Option<usize> = None;
    let mut at = 0;
    let mut closed = false;
    while at < body.len() && !closed {
        let line_end =
            body.iter().skip(at).position(|byte| *byte == b'\n').map_or(body.len(), |end| at + end + 1);
        let line = body.get(at..line_end).unwrap_or_default();
        let delimiter = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes()));
        let rest = delimiter.map(<[u8]>::trim_ascii_end);
        if let Some(rest @ ([] | b"--")) = rest {
            if let Some(begin) = begin {
                let end = without_line_end(body, begin, at);
                parts.push(Part::read(body.get(begin..end).unwrap_or_default()));
            }
            if parts.len() > PARTS_MAX {
                return Err(Error::Malformed { at, rule: Rule::Multipart });
            }
            begin = Some(line_end);
            closed = !rest.is_empty();
        }
        at = line_end;
    }
    match begin {
        None => Err(Error::Malformed { at: 0, rule: Rule::Multipart }),
        Some(begin) if !closed && begin < body.len() => {
            parts.push(Part::read(body.get(begin..).unwrap_or_default()));
            Ok(parts)
        }
        Some(_) => Ok(parts),
    }
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(body: &[u8], begin: usize, end: usize) -> usize {
    let text = body.get(begin..end).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    begin + text.strip_suffix(b"\r").unwrap_or(text).len()
}

impl<'a> Part<'a> {
    fn read(part: &'a [u8]) -> Self {
        let mut read = Self { content_type: "text/plain", content_id: None, body: part };
        loop {
            let end = read.body.iter().position(|byte| *byte == b'\n');
            let (line, rest) = match end {
                Some(end) => read.body.split_at(end + 1),
                None => return Self { body: part, ..read },
            };
            read.body = rest;
            let line = line.trim_ascii();
            if line.is_empty() {
                return read;
            }
            let Some((name, value)) = core::str::from_utf8(line).ok().and_then(|line| line.split_once(':'))
            else {
                continue;
            };
            let value = value.trim();
            if name.trim().eq_ignore_ascii_case("content-type") {
                read.content_type = value;
            } else if name.trim().eq_ignore_ascii_case("content-id") {
                read.content_id = Some(without_brackets(value));
            }
        }
    }
}

/// A content identifier, with angle brackets or without.
pub(crate) fn without_brackets(id: &str) -> &str {
    let id = id.trim();
    id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id)
}

/// Appends a part after its boundary.
pub(crate) fn write_part(boundary: &str, content_type: &str, id: &str, body: &[u8], out: &mut BytesMut) {
    for text in
        ["--", boundary, "\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <", id, ">\r\nContent-Type: "]
    {
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(content_type.as_bytes());
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
    out.extend_from_slice(b"\r\n");
}

/// Appends the last boundary.
pub(crate) fn write_end(boundary: &str, out: &mut BytesMut) {
    for text in ["--", boundary, "--\r\n"] {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Most parts of a body.
const PARTS_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_found_in_any_spelling() {
        for (content_type, found) in [
            ("multipart/related; boundary=abc", Some("abc")),
            ("multipart/related;type=\"a;boundary=no\";Boundary=\"a b\"; start=<x>", Some("a b")),
            ("multipart/related; start=\"<x>\"; boundary = q ;x=y", Some("q")),
            ("multipart/related", None),
            ("multipart/related; boundary=\"\"", None),
            ("multipart/related; boundary=\"abc", None),
        ] {
            assert_eq!(boundary(content_type), found, "{content_type}");
        }
    }

    #[test]
    fn parts_are_read_with_bare_line_feeds_and_without_the_last_boundary() {
        for body in [
            "preamble\r\n--b\r\nContent-ID: <1>\r\nContent-Type: a/b\r\n\r\none\r\n--b \r\n\r\ntwo\r\n--b--\r\nepilogue",
            "--b\ncontent-id: 1\nContent-Type:a/b\n\none\n--b\n\ntwo",
        ] {
            let parts = parts(body.as_bytes(), "b").expect("parts");
            assert_eq!(parts.len(), 2, "{body:?}");
            assert_eq!(parts[0], Part { content_type: "a/b", content_id: Some("1"), body: b"one" });
            assert_eq!(parts[1], Part { content_type: "text/plain", content_id: None, body: b"two" });
        }
        assert_eq!(parts(b"no boundary", "b"), Err(Error::Malformed { at: 0, rule: Rule::Multipart }));
        assert_eq!(parts(b"--bb\r\n\r\none", "b"), Err(Error::Malformed { at: 0, rule: Rule::Multipart }));
        assert!(parts("--b\n\nx\n".repeat(2000).as_bytes(), "b").is_err(), "too many");
    }
}
