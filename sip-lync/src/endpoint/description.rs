//! Which part of a body is the session description.

use bytes::Bytes;

use crate::body::multipart;
use crate::headers::{HeaderName, Headers};
use crate::simd::spans;

/// A body that is none a telephone can take: a conference invitation, a message session, a gateway's own format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusable;

/// The session description of a message, of several the one that is no fallback for older servers.
///
/// RFC 3261 13.2.1, MS-SDPEXT 3.1.5
pub(super) fn session_description(headers: &Headers, body: &Bytes) -> Result<Option<Bytes>, Unusable> {
    if body.is_empty() {
        return Ok(None);
    }
    if headers.is_sdp() {
        return Ok(Some(body.clone()));
    }
    let Ok(media_type) = headers.content_type() else { return Err(Unusable) };
    // RFC 3261 7.4.1: a body needs a type; only old gateways leave it out, with a description.
    let Some(media_type) = media_type else {
        return if body.starts_with(b"v=0") { Ok(Some(body.clone())) } else { Err(Unusable) };
    };
    if media_type.is("application", "sdp") {
        return Ok(Some(body.clone()));
    }
    if media_type.is_multipart() {
        let parts = multipart::parse(&media_type, body).map_err(|_| Unusable)?;
        return multipart::session_description(&parts).map(|part| Some(part.body.clone())).ok_or(Unusable);
    }
    Err(Unusable)
}

/// Whether a message carries a description.
pub(super) fn has_body(headers: &Headers, body: &Bytes) -> bool {
    !body.is_empty() && headers.contains(&HeaderName::ContentType)
}

/// Whether an offer has a line for sound that is not switched off. One that cannot be read is the user's matter.
///
/// RFC 3264 6, MS-CONFIM 1.3
pub(super) fn is_for_telephone(offer: &[u8]) -> bool {
    if core::str::from_utf8(offer).is_err() {
        return true;
    }
    let (mut rest, mut media) = (offer, false);
    while !rest.is_empty() {
        let end = spans::find(rest, 0, b'\n').unwrap_or(rest.len());
        if let Some(line) = rest.strip_prefix(b"m=") {
            media = true;
            if line.starts_with(b"audio ") && !line.starts_with(b"audio 0 ") {
                return true;
            }
        }
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    !media
}
