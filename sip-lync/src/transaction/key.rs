//! How messages find their transaction.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::Write as _;
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

/// What a request must repeat to belong to a server transaction.
///
/// RFC 3261 17.2.3
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey {
    /// The flow the request came on.
    pub flow: FlowId,
    /// The branch of the top Via and who sent it; without the magic cookie what RFC 2543 matched by.
    pub branch: Arc<str>,
    /// The method; that of an ACK or CANCEL is INVITE when its INVITE is looked for.
    pub method: Method,
}

impl ServerKey {
    /// The key in the header fields of a request.
    ///
    /// RFC 3261 17.2.3
    #[must_use]
    pub fn new(flow: FlowId, method: &Method, headers: &Headers) -> Option<Self> {
        let mut branch = String::new();
        Self::write_branch(headers, &Essentials::read(headers), &mut branch)?;
        let method = Self::method(method).clone();
        Some(Self { flow, branch: branch.into(), method })
    }

    /// The method that is looked for: an ACK belongs to its INVITE.
    pub(crate) const fn method(method: &Method) -> &Method {
        if let Method::Ack = method { &Method::Invite } else { method }
    }

    /// Writes what the key is but for flow and method.
    pub(crate) fn write_branch(
        headers: &Headers,
        essentials: &Essentials<'_>,
        key: &mut String,
    ) -> Option<()> {
        key.clear();
        let via = essentials.via?;
        match via.branch() {
            Some(branch) if branch.len() > MAGIC_COOKIE.len() && branch.starts_with(MAGIC_COOKIE) => {
                key.extend([branch, " ", via.host]);
                if let Some(host) = key.get_mut(branch.len() + 1..) {
                    host.make_ascii_lowercase();
                }
                let _ = write!(key, ":{}", via.port.unwrap_or_default());
            }
            _ => {
                let from = NameAddrView::check(headers.get(&HeaderName::From)?).ok()?;
                let (call_id, number) = (headers.get(&HeaderName::CallId)?, essentials.cseq.as_ref()?.number);
                let _ =
                    write!(key, "{call_id} {number} {} {}", from.tag().unwrap_or_default(), via.to_value());
            }
        }
        Some(())
    }

    /// The key of the INVITE that this CANCEL wants to end.
    ///
    /// RFC 3261 9.2
    #[must_use]
    pub fn of_invite(&self) -> Self {
        Self { flow: self.flow, branch: self.branch.clone(), method: Method::Invite }
    }
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

impl Parts for ServerKey {
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

impl<'a> Borrow<dyn Parts + 'a> for ServerKey {
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
pub(crate) fn merge_key(request: &Request, essentials: &Essentials<'_>) -> Option<u128> {
    if essentials.to?.tag().is_some() || matches!(request.method, Method::Ack | Method::Cancel) {
        return None;
    }
    let (headers, from) = (&request.headers, essentials.from?);
    let (call_id, cseq) = (headers.get(&HeaderName::CallId)?, headers.get(&HeaderName::CSeq)?);
    let tag = from.tag().unwrap_or_default();
    let parts = [call_id, tag, cseq, from.uri, request.uri.as_str()];
    let half = |first: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(first);
        for part in parts {
            hasher.write(part.as_bytes());
            // An octet that is in no text.
            hasher.write_u8(0xff);
        }
        hasher.finish()
    };
    Some(u128::from(half(0)) << 64 | u128::from(half(1)))
}

/// CSeq, if there is a readable one.
pub(crate) fn cseq(headers: &Headers) -> Option<CSeq> {
    headers.cseq().ok().flatten()
}
