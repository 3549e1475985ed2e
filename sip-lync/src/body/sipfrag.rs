//! `message/sipfrag`: a piece of a message, mostly the status line that tells how a transfer goes.

use bytes::Bytes;

use crate::error::{ParseError, Rule};
use crate::headers::Headers;
use crate::message::{Limits, Version};
use crate::scan::{self, Head, LineEnds};
use crate::status::StatusCode;

/// A piece of a message.
///
/// RFC 3420 2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fragment {
    /// The status line, if it starts with one: code and reason phrase.
    pub status: Option<(StatusCode, String)>,
    /// The header fields.
    pub headers: Headers,
    /// What stands behind the empty line.
    pub body: Bytes,
}

/// Reads a piece of a message. A request line is read over.
///
/// RFC 3420 2.1
pub fn parse(body: Bytes) -> Result<Fragment, ParseError> {
    let (line, next) = scan::start_line(&body, 0, LineEnds::Lenient)?;
    let line =
        core::str::from_utf8(line).map_err(|error| ParseError::new(error.valid_up_to(), Rule::Utf8))?;
    let mut status = None;
    let mut at = 0;
    if let Some((version, rest)) = line.split_once(' ') {
        if Version::parse(version).is_ok() {
            let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let code = StatusCode::parse(code).map_err(|error| error.shifted(version.len() + 1))?;
            status = Some((code, reason.to_owned()));
            at = next;
        } else if line.rsplit_once(' ').is_some_and(|(_, version)| Version::parse(version).is_ok()) {
            at = next;
        }
    }
    let (headers, body) = Headers::parse(body, &mut Head::new(at, LineEnds::Lenient), &Limits::DEFAULT)?;
    Ok(Fragment { status, headers, body })
}

/// The body of a notification about a transfer.
///
/// RFC 3515 2.4.5
pub fn status_line(status: StatusCode) -> String {
    format!("{} {status} {}\r\n", Version::SIP_2_0, status.reason())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::HeaderName;

    #[test]
    fn the_status_of_a_transfer_is_read() {
        for text in
            ["SIP/2.0 100 Trying", "SIP/2.0 100 Trying\r\n", "sip/2.0 100 Trying\r\nTo: <sip:a@b>\r\n\r\n"]
        {
            let fragment = parse(Bytes::from(text)).unwrap();
            assert_eq!(fragment.status, Some((StatusCode::TRYING, "Trying".to_owned())), "{text}");
        }
        assert_eq!(status_line(StatusCode::OK), "SIP/2.0 200 OK\r\n");
    }

    #[test]
    fn other_pieces_are_read_too() {
        let fragment =
            parse(Bytes::from_static(b"INVITE sip:a@b SIP/2.0\r\nSubject: x\r\n\r\nbody")).unwrap();
        assert_eq!((fragment.status, fragment.headers.get(&HeaderName::Subject)), (None, Some("x")));
        assert_eq!(&fragment.body[..], b"body");
        let fragment = parse(Bytes::from_static(b"Subject: x\r\nTo: <sip:a@b>\r\n")).unwrap();
        assert_eq!(fragment.headers.len(), 2);
        assert!(parse(Bytes::from_static(b"SIP/2.0 99 x\r\n")).is_err());
    }
}
