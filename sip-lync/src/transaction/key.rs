//! How messages find their transaction.

use std::fmt::Write as _;

use crate::flow::FlowId;
use crate::headers::{CSeq, HeaderName, Headers, NameAddrView};
use crate::message::Request;
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
    pub branch: Box<str>,
    /// The method of CSeq: CANCEL has the branch of its INVITE.
    pub method: Method,
}

impl ClientKey {
    /// The key in the header fields of a request that is sent or of a response that came.
    ///
    /// RFC 3261 17.1.3
    #[must_use]
    pub fn new(flow: FlowId, headers: &Headers) -> Option<Self> {
        let branch = headers.top_via()?.branch()?.into();
        Some(Self { flow, branch, method: cseq(headers)?.method })
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
    pub branch: Box<str>,
    /// The method; that of an ACK or CANCEL is INVITE when its INVITE is looked for.
    pub method: Method,
}

impl ServerKey {
    /// The key in the header fields of a request.
    ///
    /// RFC 3261 17.2.3
    #[must_use]
    pub fn new(flow: FlowId, method: &Method, headers: &Headers) -> Option<Self> {
        let via = headers.top_via()?;
        let branch = match via.branch() {
            Some(branch) if branch.len() > MAGIC_COOKIE.len() && branch.starts_with(MAGIC_COOKIE) => {
                let mut key = String::with_capacity(branch.len() + via.host.len() + 7);
                key.push_str(branch);
                key.push(' ');
                key.extend(via.host.chars().map(|c| c.to_ascii_lowercase()));
                let _ = write!(key, ":{}", via.port.unwrap_or_default());
                key
            }
            _ => {
                let from = NameAddrView::check(headers.get(&HeaderName::From)?).ok()?;
                format!(
                    "{} {} {} {}",
                    headers.get(&HeaderName::CallId)?,
                    cseq(headers)?.number,
                    from.tag().unwrap_or_default(),
                    via.to_value(),
                )
            }
        };
        let method = if *method == Method::Ack { Method::Invite } else { method.clone() };
        Some(Self { flow, branch: branch.into(), method })
    }

    /// The key of the INVITE that this CANCEL wants to end.
    ///
    /// RFC 3261 9.2
    #[must_use]
    pub fn of_invite(&self) -> Self {
        Self { flow: self.flow, branch: self.branch.clone(), method: Method::Invite }
    }
}

/// What a request outside of dialogs must differ in from every other one: the same call by another way has it all the
/// same.
///
/// RFC 3261 8.2.2.2
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MergeKey(Box<str>);

impl MergeKey {
    /// The key of a request without a To tag. The Request-URI is part of it: a server that forks to two users of one
    /// endpoint sends them the same Call-ID, From and CSeq. So is the sender: two clients that draw the same Call-ID and
    /// tag are seen.
    pub(crate) fn new(request: &Request) -> Option<Self> {
        let headers = &request.headers;
        let to = NameAddrView::check(headers.get(&HeaderName::To)?).ok()?;
        if to.tag().is_some() || matches!(request.method, Method::Ack | Method::Cancel) {
            return None;
        }
        let from = NameAddrView::check(headers.get(&HeaderName::From)?).ok()?;
        let (call_id, cseq) = (headers.get(&HeaderName::CallId)?, headers.get(&HeaderName::CSeq)?);
        let tag = from.tag().unwrap_or_default();
        let mut key = String::with_capacity(
            call_id.len() + tag.len() + cseq.len() + from.uri.len() + request.uri.as_str().len() + 4,
        );
        for part in [call_id, " ", tag, " ", cseq, " ", from.uri, " ", request.uri.as_str()] {
            key.push_str(part);
        }
        Some(Self(key.into()))
    }
}

/// CSeq, if there is a readable one.
pub(crate) fn cseq(headers: &Headers) -> Option<CSeq> {
    headers.cseq().ok().flatten()
}
