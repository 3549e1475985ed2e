//! An offer in two dialects, and what is offered when it is refused.

use bytes::{Bytes, BytesMut};

use crate::body::multipart::{self, Part};
use crate::headers::{HeaderName, Headers};
use crate::sdp::SessionDescription;

/// A body of INVITE.
///
/// RFC 3261 20.15
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Body {
    /// The value of Content-Type.
    pub content_type: String,
    /// The octets.
    pub octets: Bytes,
}

impl Body {
    fn of(description: &SessionDescription) -> Self {
        Self {
            content_type: "application/sdp".to_owned(),
            octets: Bytes::from(description.to_string().into_bytes()),
        }
    }
}

/// An offer for peers of Lync and, if there is a second description, for those of OCS 2007.
///
/// MS-SIPRE 3.15, MS-ICE2 3.1.4
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Offer {
    newer: SessionDescription,
    older: Option<SessionDescription>,
    boundary: String,
    /// What was sent last: 0 both, 1 the older alone, 2 the newer alone.
    sent: Sent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sent {
    Nothing,
    First,
    Older,
    Newer,
    Second,
}

impl Offer {
    /// An offer with candidates of MS-ICE2 or RFC 8445, and one of draft 6 for peers that know nothing else. The boundary
    /// is a word that occurs in neither.
    ///
    /// MS-SIPRE 3.15
    pub fn new(newer: SessionDescription, older: Option<SessionDescription>, boundary: &str) -> Self {
        Self { newer, older, boundary: boundary.to_owned(), sent: Sent::Nothing }
    }

    /// The body of the first INVITE: `multipart/alternative` with the preferred description last, or the one there is.
    ///
    /// MS-SIPRE 3.15, RFC 2046 5.1.4
    pub fn first(&mut self) -> Body {
        self.sent = Sent::First;
        let Some(older) = &self.older else { return Body::of(&self.newer) };
        let part = |description: &SessionDescription, disposition: &str| {
            let mut headers = Headers::default();
            headers.push(HeaderName::ContentType, "application/sdp");
            headers.push(HeaderName::ContentTransferEncoding, "7bit");
            headers.push(HeaderName::ContentDisposition, disposition);
            Part { headers, body: Bytes::from(description.to_string().into_bytes()) }
        };
        let parts = [
            part(older, "session; handling=optional; ms-proxy-2007fallback"),
            part(&self.newer, "session; handling=optional"),
        ];
        let mut octets = BytesMut::new();
        multipart::emit(&parts, &self.boundary, &mut octets);
        Body {
            content_type: format!("multipart/alternative;boundary=\"{}\"", self.boundary),
            octets: octets.freeze(),
        }
    }

    /// The body of another INVITE after a refusal; `None` when there is nothing else to offer. 415: no multipart bodies,
    /// the older description alone. 488: the other version of ICE, once.
    ///
    /// MS-SIPRE 3.15.5.2, RFC 3261 21.4.13, 21.4.26
    pub fn after(&mut self, status: u16) -> Option<Body> {
        let older = self.older.as_ref()?;
        let (sent, body) = match (self.sent, status) {
            (Sent::First, 415) => (Sent::Older, Body::of(older)),
            (Sent::First, 488) => (Sent::Newer, Body::of(&self.newer)),
            (Sent::Older, 488) => (Sent::Second, Body::of(&self.newer)),
            (Sent::Newer, 488) => (Sent::Second, Body::of(older)),
            (Sent::Nothing | Sent::First | Sent::Older | Sent::Newer | Sent::Second, _) => return None,
        };
        self.sent = sent;
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::MediaType;
    use crate::sdp::{Connection, Origin};

    fn described(version: u64) -> SessionDescription {
        let here = Connection::new("192.0.2.1".parse().unwrap());
        SessionDescription::new(Origin::new(0, version, here.clone()), here)
    }

    #[test]
    fn the_preferred_description_is_last_and_found_again() {
        let body = Offer::new(described(1), Some(described(0)), "=_x").first();
        let kind = MediaType::parse(&body.content_type).unwrap();
        let parts = multipart::parse(&kind, &body.octets).unwrap();
        assert!(parts[0].is_fallback_of_2007() && !parts[1].is_fallback_of_2007());
        let chosen = multipart::session_description(&parts).unwrap();
        assert_eq!(SessionDescription::parse_bytes(&chosen.body), Ok(described(1)));
    }

    #[test]
    fn refusals_lead_to_the_other_forms_and_end() {
        let text = |body: Option<Body>| body.map(|body| String::from_utf8(body.octets.to_vec()).unwrap());
        let (newer, older) = (Some(described(1).to_string()), Some(described(0).to_string()));
        let mut offer = Offer::new(described(1), Some(described(0)), "=_x");
        assert_eq!(offer.after(415), None, "nothing was sent yet");
        offer.first();
        assert_eq!(text(offer.after(415)), older);
        assert_eq!(text(offer.after(488)), newer);
        assert_eq!(offer.after(488), None);
        offer.first();
        assert_eq!(text(offer.after(488)), newer);
        assert_eq!(text(offer.after(488)), older);
        assert_eq!(offer.after(488), None);
        offer.first();
        assert_eq!(offer.after(486), None);
        let mut single = Offer::new(described(1), None, "=_x");
        assert_eq!(single.first().content_type, "application/sdp");
        assert_eq!(single.after(415), None);
    }
}
