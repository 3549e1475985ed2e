//! How messages find their transaction.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use crate::flow::FlowId;
use crate::headers::{CSeq, HeaderName, Headers, NameAddrView};
use crate::message::{Essentials, Request};
use crate::method::Method;

/// The beginning of every branch that is unique in space and time.
///
/// RFC 3261 8.1.1.7
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// What a response must repeat to belong to a client transaction.
///
/// RFC 3261 17.1.3
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey {
    /// The flow the request was sent on.
    pub flow: FlowId,
    /// The branch of the top Via.
    pub branch: Arc<str>,
    /// The method of CSeq: CANCEL has the branch of its INVITE.
    pub method: Method,
}

impl ClientKey {
    /// The key in the header fields of a request that is sent or of a response that came.
    ///
    /// RFC 3261 17.1.3
    #[must_use]
    pub fn new(flow: FlowId, headers: &Headers) -> Option<Self> {
        Some(Self { flow, branch: headers.top_via()?.branch()?.into(), method: cseq(headers)?.method })
    }
}

/// What a request must repeat to belong to a server transaction, as a number.
///
/// RFC 3261 17.2.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey {
    /// The flow the request came on.
    flow: FlowId,
    /// Of the branch of the top Via and who sent it, without the magic cookie of what RFC 2543 matched by; and of the
    /// method, which for an ACK is INVITE.
    digest: [u64; 2],
}

impl ServerKey {
    /// The key in the header fields of a request. That of the INVITE a CANCEL wants to end is the one with its method.
    ///
    /// RFC 3261 17.2.3, RFC 3261 9.2
    #[must_use]
    pub fn new(flow: FlowId, method: &Method, headers: &Headers) -> Option<Self> {
        Self::read(flow, method, headers, &Essentials::read(headers))
    }

    /// The same when the header fields were read before.
    pub(crate) fn read(
        flow: FlowId,
        method: &Method,
        headers: &Headers,
        essentials: &Essentials<'_>,
    ) -> Option<Self> {
        // An ACK belongs to its INVITE.
        let method = if *method == Method::Ack { Method::Invite.as_str() } else { method.as_str() };
        let via = essentials.via?;
        let digest = match via.branch() {
            Some(branch) if branch.len() > MAGIC_COOKIE.len() && branch.starts_with(MAGIC_COOKIE) => {
                let port = via.port.unwrap_or_default().to_be_bytes();
                let host = lower_case(via.host);
                digest([branch.as_bytes(), host.as_bytes(), &port, method.as_bytes()])
            }
            _ => {
                let from = NameAddrView::check(headers.get(&HeaderName::From)?).ok()?;
                let (call_id, number) = (headers.get(&HeaderName::CallId)?, essentials.cseq.as_ref()?.number);
                let (tag, via) = (from.tag().unwrap_or_default(), via.to_value().to_string());
                digest([call_id, tag, &via, method, &number.to_string()].map(str::as_bytes))
            }
        };
        Some(Self { flow, digest })
    }

    /// The flow the request came on.
    ///
    /// RFC 3261 17.2.3
    #[must_use]
    pub const fn flow(&self) -> FlowId {
        self.flow
    }

    /// No key of this flow comes before it.
    pub(crate) const fn first(flow: FlowId) -> Self {
        Self { flow, digest: [0; 2] }
    }
}

fn lower_case(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

/// A number for parts, so long that no two are met that have the same.
fn digest<const N: usize>(parts: [&[u8]; N]) -> [u64; 2] {
    let mut hasher = DefaultHasher::new();
    // What is mostly short is hashed in one piece.
    let (mut joined, mut length) = ([0; 192], 0);
    for part in parts {
        // Behind each an octet that is in no text.
        let place = joined.get_mut(length..length + part.len() + 1);
        if let Some((end, place)) = place.and_then(<[u8]>::split_last_mut) {
            place.copy_from_slice(part);
            *end = 0xff;
            length += part.len() + 1;
        } else {
            hasher.write(joined.get(..length).unwrap_or_default());
            length = 0;
            hasher.write(part);
            hasher.write_u8(0xff);
        }
    }
    hasher.write(joined.get(..length).unwrap_or_default());
    let first = hasher.finish();
    hasher.write_u8(0);
    [first, hasher.finish()]
}

/// The three things a key is made of, to look for one without owning it.
pub(crate) trait Parts {
    fn parts(&self) -> (FlowId, &str, &Method);
}

impl Parts for ClientKey {
    fn parts(&self) -> (FlowId, &str, &Method) {
        (self.flow, &self.branch, &self.method)
    }
}

impl Parts for (FlowId, &str, &Method) {
    fn parts(&self) -> (FlowId, &str, &Method) {
        *self
    }
}

impl<'a> Borrow<dyn Parts + 'a> for ClientKey {
    fn borrow(&self) -> &(dyn Parts + 'a) {
        self
    }
}

impl PartialEq for dyn Parts + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn Parts + '_ {}

impl PartialOrd for dyn Parts + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for dyn Parts + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

/// What a request outside of dialogs must differ in from every other one, as a number: the same call by another way has it
/// all the same. `None` for a request with a To tag. The Request-URI is part of it: a server that forks to two users of
/// one endpoint sends them the same Call-ID, From and CSeq. So is the sender: two clients that draw the same Call-ID and
/// tag are seen.
///
/// RFC 3261 8.2.2.2
pub(crate) fn merge_key(request: &Request, essentials: &Essentials<'_>) -> Option<[u64; 2]> {
    if essentials.to?.tag().is_some() || matches!(request.method, Method::Ack | Method::Cancel) {
        return None;
    }
    let (headers, from) = (&request.headers, essentials.from?);
    let (call_id, cseq) = (headers.get(&HeaderName::CallId)?, headers.get(&HeaderName::CSeq)?);
    let tag = from.tag().unwrap_or_default();
    Some(digest([call_id, tag, cseq, from.uri, request.uri.as_str()].map(str::as_bytes)))
}

/// CSeq, if there is a readable one.
pub(crate) fn cseq(headers: &Headers) -> Option<CSeq> {
    headers.cseq().ok().flatten()
}
