//! Everything that crosses the edge of the endpoint but its events.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::flow::FlowId;
use crate::headers::Headers;
use crate::method::Method;
use crate::uri::{SipUri, Uri};

macro_rules! number {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
    )+};
}

number! {
    /// A user of the endpoint.
    ///
    /// RFC 3261 6
    UserId;
    /// An INVITE session.
    ///
    /// RFC 3261 13
    SessionId;
    /// A request outside of sessions, sent or received.
    ///
    /// RFC 3261 8
    RequestId;
    /// A subscription of a user.
    ///
    /// RFC 6665 4.1
    SubscriptionId;
    /// A conference a user takes part in.
    ///
    /// MS-CONFBAS 3.1
    ConferenceId;
    /// One of the early dialogs of an INVITE, numbered from 0 in the order of their first responses.
    ///
    /// RFC 3261 12.1
    ForkId;
}

/// Who opened a flow.
///
/// MS-CONMGMT 2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FlowRole {
    /// We did.
    Dialled,
    /// The peer did.
    Accepted,
}

/// What comes from below.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A connection stands.
    FlowOpened {
        /// The connection.
        flow: FlowId,
        /// Our address on it.
        local: SocketAddr,
        /// The peer's address on it.
        remote: SocketAddr,
        /// Who opened it.
        role: FlowRole,
    },
    /// Bytes came.
    Bytes {
        /// The connection.
        flow: FlowId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A connection is gone.
    FlowClosed {
        /// The connection.
        flow: FlowId,
    },
}

/// Bytes that were appended to the buffer and belong on a flow.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The connection.
    pub flow: FlowId,
    /// How many bytes were appended.
    pub len: usize,
}

/// A user of the endpoint.
///
/// RFC 3261 6, MS-SIPRE 2.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The address of record.
    pub address_of_record: SipUri,
    /// The name for display.
    pub display_name: Option<String>,
    /// The endpoint identifier: at most 16 characters, never changed for a device.
    pub epid: String,
    /// The telephone number as a URI, `tel:+…`.
    pub tel: Option<String>,
    /// The value of `Ms-Device-Info` in REGISTER.
    pub device: Option<String>,
    /// The address of a service that is no person's telephone, `sip:…;gruu;opaque=app:…`: From and Contact.
    pub service: Option<SipUri>,
}

impl User {
    /// A user with address of record and endpoint identifier.
    ///
    /// RFC 3261 6, MS-SIPRE 2.2
    #[must_use]
    pub fn new(address_of_record: SipUri, epid: impl Into<String>) -> Self {
        Self {
            address_of_record,
            display_name: None,
            epid: epid.into(),
            tel: None,
            device: None,
            service: None,
        }
    }
}

/// A call to be made.
///
/// RFC 3261 13.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invite {
    /// Whom to call: Request-URI and To.
    pub target: Uri,
    /// The session description that is offered; without one the peer offers in its 200.
    pub description: Option<Bytes>,
    /// The media type of the description.
    pub content_type: String,
    /// `Ms-Conversation-ID`; a new one when there is none.
    pub conversation: Option<String>,
    /// Further header fields.
    pub headers: Vec<(String, String)>,
    /// The session whose peer asked for this call: it is told how the call goes.
    pub transfer: Option<SessionId>,
}

impl Invite {
    /// A call with an offer.
    ///
    /// RFC 3261 13.2
    #[must_use]
    pub fn new(target: Uri, description: impl Into<Bytes>) -> Self {
        Self { description: Some(description.into()), ..Self::without_offer(target) }
    }

    /// A call in which the peer makes the offer.
    ///
    /// RFC 3261 13.2.1
    #[must_use]
    pub fn without_offer(target: Uri) -> Self {
        Self {
            target,
            description: None,
            content_type: "application/sdp".to_owned(),
            conversation: None,
            headers: Vec::new(),
            transfer: None,
        }
    }
}

/// Whether the media of a session is rendered to a person: `+sip.rendering` of Contact.
///
/// RFC 4235 5.2, MS-SDPEXT 3.1.5.23
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rendering {
    /// The session is in use.
    #[default]
    Yes,
    /// The session is on hold.
    No,
}

/// A request of a user outside of sessions.
///
/// RFC 3261 8.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutgoingRequest {
    /// The method.
    pub method: Method,
    /// Request-URI and To.
    pub target: Uri,
    /// Further header fields, Content-Type among them.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl OutgoingRequest {
    /// A request without a body.
    ///
    /// RFC 3261 8.1
    #[must_use]
    pub fn new(method: Method, target: Uri) -> Self {
        Self { method, target, headers: Headers::new(), body: Bytes::new() }
    }
}
