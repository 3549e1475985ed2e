//! What a proxy reads of every request.

use sip_lync::headers::{CSeq, HeaderName, NameAddr};
use sip_lync::{Method, Request};

/// The fields every request must have, and the top Via's branch.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) call_id: String,
    pub(super) cseq: u32,
    pub(super) from: NameAddr,
    pub(super) to: NameAddr,
    /// Only with the magic cookie; the clients of the dialect send Via without a branch.
    pub(super) branch: Option<String>,
}

/// A server transaction is recognised by this (RFC 3261 17.2.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct TransactionKey {
    branch: Option<String>,
    call_id: String,
    cseq: u32,
    /// User and tag: clients that started at the same moment draw the same tags.
    from: (String, String),
    method: String,
}

impl Envelope {
    /// Reads a request; the error is what a 400 says.
    pub(super) fn read(request: &Request) -> Result<Self, &'static str> {
        let headers = &request.headers;
        let call_id = headers.get(&HeaderName::CallId).ok_or("Call-ID is missing")?.to_owned();
        let cseq = headers.get(&HeaderName::CSeq).ok_or("CSeq is missing")?;
        let cseq = CSeq::parse(cseq).map_err(|_| "CSeq cannot be read")?;
        if cseq.method != request.method {
            return Err("CSeq names another method");
        }
        let from = headers.get(&HeaderName::From).ok_or("From is missing")?;
        let from = NameAddr::parse(from).map_err(|_| "From cannot be read")?;
        let to = headers.get(&HeaderName::To).ok_or("To is missing")?;
        let to = NameAddr::parse(to).map_err(|_| "To cannot be read")?;
        if from.tag().is_none() {
            return Err("From has no tag");
        }
        let via = headers.elements(&HeaderName::Via).next().ok_or("Via is missing")?;
        let branch = via_branch(via).filter(|branch| branch.starts_with(COOKIE)).map(str::to_owned);
        Ok(Self { call_id, cseq: cseq.number, from, to, branch })
    }

    /// The key of this request's transaction; for ACK and CANCEL that of the INVITE they belong to.
    pub(super) fn key(&self, method: &Method) -> TransactionKey {
        let method = match method {
            Method::Ack | Method::Cancel => Method::Invite.to_string(),
            method => method.to_string(),
        };
        TransactionKey {
            branch: self.branch.clone(),
            call_id: self.call_id.clone(),
            cseq: self.cseq,
            from: (self.caller(), self.from.tag().unwrap_or_default().to_owned()),
            method,
        }
    }

    /// `user@domain` of the caller.
    pub(super) fn caller(&self) -> String {
        self.from.sip_uri().map(super::address::user_key).unwrap_or_default()
    }
}

/// The branch parameter of a Via value.
pub(super) fn via_branch(via: &str) -> Option<&str> {
    via.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("branch").then(|| value.trim())
    })
}

/// RFC 3261 8.1.1.7
pub(super) const COOKIE: &str = "z9hG4bK";
