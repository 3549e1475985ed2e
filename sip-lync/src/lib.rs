//! The Lync dialect of SIP and SDP, without input or output of its own.
//!
//! This crate reads and writes the messages that Lync, OCS and Skype for Business servers, clients and gateways
//! exchange, and holds the machines behind them: transactions, dialogs, registrations, calls. It opens no socket, reads
//! no clock and starts no thread: bytes and time come in as arguments, bytes and events are drained. What was received
//! is kept byte for byte, what is dangerous is refused with a named rule, and no input makes it panic.
//!
//! # Messages
//!
//! ```
//! use sip_lync::{Abilities, HeaderName, Message, StatusCode};
//!
//! let bytes = "OPTIONS sip:dect1@example.net SIP/2.0\r\n\
//!     Via: SIP/2.0/TLS fe1.example.net:5061;branch=z9hG4bK7\r\n\
//!     From: <sip:fe1.example.net>;tag=4\r\nTo: <sip:dect1@example.net>\r\n\
//!     Call-ID: 1@fe1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
//! let message = Message::parse(bytes.into()).unwrap();
//! assert!(message.problems(&Abilities::LYNC).is_empty());
//! let Message::Request(request) = message else { panic!() };
//! let mut response = request.response(StatusCode::OK);
//! response.headers.push(HeaderName::Allow, "INVITE, ACK, BYE, CANCEL, OPTIONS");
//! assert!(Message::from(response).to_bytes().starts_with(b"SIP/2.0 200 OK\r\nVia: "));
//! ```
//!
//! How an INVITE is built stands at [`Request`], how a route set is edited at [`MessageView::pass_on`]. The GRUU in a front
//! end's 200 to REGISTER, which lists the endpoints of all devices of the user:
//!
//! ```
//! use sip_lync::Message;
//! use sip_lync::gruu::InstanceId;
//!
//! let ok = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 192.0.2.10:40001;ms-received-cid=2AB00\r\n\
//!     From: <sip:dect1@example.net>;tag=9;epid=01010101\r\nTo: <sip:dect1@example.net>;tag=0F\r\nCall-ID: 7\r\nCSeq: 3 REGISTER\r\n\
//!     Contact: <sip:192.0.2.99>;+sip.instance=\"<urn:uuid:1>\"\r\nContact: <sip:192.0.2.10:40001;transport=tls>;expires=7200;\
//!     +sip.instance=\"<urn:uuid:4B1682A8-F968-5701-83FC-7C6741DC6697>\";gruu=\"sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu\"\r\n\
//!     Content-Length: 0\r\n\r\n";
//! let contacts = Message::parse(ok.into())?.headers().contacts()?;
//! let ours = InstanceId::from_epid("01010101");
//! let contact = contacts.iter().find(|contact| contact.instance_uuid() == Some(ours.to_string())).expect("we are there");
//! assert_eq!(contact.gruu().expect("a GRUU").opaque(), Some(&*ours.opaque()));
//! # Ok::<(), sip_lync::ParseError>(())
//! ```
//!
//! # The run loop
//!
//! The owner moves bytes between sockets and the [`Endpoint`]; this is all the glue there is:
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use sip_lync::{Endpoint, Event, FlowId, Input};
//!
//! /// What one wake-up does: `now` and `received` come from outside, `send` goes there.
//! fn turn(
//!     endpoint: &mut Endpoint,
//!     now: Instant,
//!     received: Option<(FlowId, &[u8])>,
//!     mut send: impl FnMut(FlowId, &[u8]),
//!     mut tell: impl FnMut(Event),
//! ) -> Option<Instant> {
//!     match received {
//!         // An error has also become an event; the flow is to be closed.
//!         Some((flow, bytes)) => drop(endpoint.handle_input(now, Input::Bytes { flow, bytes })),
//!         None => endpoint.handle_timeout(now),
//!     }
//!     let mut buffer = BytesMut::new();
//!     while let Some(transmit) = endpoint.poll_transmit(&mut buffer) {
//!         send(transmit.flow, &buffer.split_to(transmit.len));
//!     }
//!     while let Some(event) = endpoint.poll_event() {
//!         tell(event);
//!     }
//!     endpoint.poll_timeout()
//! }
//! ```
//!
//! # Standards
//!
//! - [x] RFC 3261 grammar (25), framing (18.3), header fields (20) typed where a user agent, proxy or registrar needs
//!   them, others kept; checks of requests and responses (8.1.3, 8.2); compact names, folds, comma lists
//! - [x] RFC 3261 transactions (17) over UDP, TCP and TLS with all timers, merged requests (8.2.2.2), dialogs (12), INVITE sessions (13, 14, 15), registration (10)
//! - [x] RFC 6026 transactions, RFC 3262 reliable provisional responses both ways, RFC 3311 UPDATE, RFC 3264 and 6337
//!   offer and answer, RFC 3515 and 3891 transfer and replacement, RFC 4028 session timers
//! - [x] MS-SIPREGE registration, notifications, survivable mode; MS-CONMGMT keep-alive; MS-SIPRE 3.7 recovery after 430
//! - [x] RFC 6665 subscriptions of ours with refreshes, reasons of the end and new attempts; BENOTIFY and piggybacked
//!   first notifications (MS-SIPRE 3.4); notifiers for simulators ([`notifier`])
//! - [x] RFC 4575 conferences with C3P (MS-CONFBAS, [`conference`]), RFC 4235 dialog events, settings of MS-SIPREGE 2.2.2
//!   ([`body::provisioning`]); other bodies are handed on unread
//! - [x] RFC 3261 16: a stateful forking proxy for simulators ([`proxy`])
//! - [x] RFC 4028 7.3: our INVITE sent again after 422; a single description after 415; 3xx answers, Reason of CANCEL and BYE
//! - [x] RFC 3263 4.3, RFC 2782: fail-over, fail-back and home servers of redirections; DNS answers are passed in
//! - [x] RFC 3261 registrar (10.3) with the rules of MS-SIPREGE 3.2, for simulators and test benches
//! - [x] RFC 3262 5, RFC 3311, RFC 6337 2.2: offers before the answer of a call ([`early_offer`])
//! - [x] RFC 3262, 3264, 3325, 3326, 3515, 3891, 4028, 6665, 7044: their header fields
//! - [x] RFC 4475 and RFC 5118: torture messages, verdicts in `docs/torture.md`
//! - [x] RFC 2046: multipart bodies; RFC 8866: session descriptions; RFC 4568 lines are kept raw
//! - [x] STUN: RFC 3489, RFC 8489 (also 5389) and the layouts of MS-ICE2, MS-ICE and MS-TURN, every attribute of the
//!   registry typed, MESSAGE-INTEGRITY (SHA-1 by all three rules, SHA-256), FINGERPRINT with both tables; RFC 4571
//! - [x] TURN: client of RFC 8656 over UDP, TCP and TLS (not RFC 6062) and of MS-TURN over UDP and pseudo-TLS, server of
//!   MS-TURN (relayed addresses for datagrams only), MS-AVEDGEA credentials, MS-TURNBWM as client and with a policy of one
//!   link; allocations kept warm
//! - [ ] MS-TURN: relayed addresses for connections (TCP candidates of relays), several sessions on one connection
//! - [ ] RFC 8489: USERHASH and password algorithms are read and written, not negotiated
//! - [x] MS-SIPRE, MS-SIPREGE, MS-CONMGMT, MS-OCER: header fields, GRUU, epid; MS-SDPEXT: offers and answers for audio
//! - [x] MS-SIPAE: header fields and the text that is signed, versions 2 to 4; legs, signatures and verdicts of a client
//!   as events and verbs; the cryptography itself is elsewhere
//! - [x] RFC 8445 and 5245, RFC 8863, RFC 7675, RFC 6544 and 4571: an agent for one stream ([`ice::Agent`]); trickle is off
//! - [x] MS-ICE2 and MS-ICE: the same agent in Microsoft's dialects, offers in both, the last offer ([`ice`])
//! - [x] MS-TURNBWM and MS-SDPEXT 3.1.5: outcomes of admission control and the decision of media bypass, as functions
//! - [ ] RFC 8838 trickle, RFC 8445 2.5 a lite agent of our own (lite peers are served)
//! - [x] RFC 3323, 3327, 3608, 3841, 3842, 3892, 3903, 4244, 4488, 4538, 5626, 5806, 5839: their header fields and bodies; the
//!   whole table, each row tried, is `docs/headers.md`
//! - [ ] RFC 3840 and 5627: features and GRUU are parameters of Contact, nothing is matched against them
//!
//! # Deliberately absent
//!
//! Sockets, TLS, DNS, clocks, logging, cryptography of SRTP and NTLM, XML of presence.
#![deny(unsafe_code)]

pub mod body;
pub mod conference;
mod deadlines;
pub mod dialect;
pub mod dialog;
pub mod early_offer;
pub mod endpoint;
mod error;
mod flow;
pub mod framing;
mod grammar;
pub mod gruu;
pub mod headers;
pub mod homes;
pub mod ice;
pub mod invite;
mod message;
mod method;
pub mod notifier;
pub mod offer_answer;
pub mod proxy;
pub mod register;
pub mod registrar;
mod scan;
pub mod sdp;
pub mod seed;
pub mod session_timer;
mod signature;
mod simd;
mod slots;
mod status;
pub mod stun;
pub mod subscribe;
pub mod transaction;
pub mod transfer;
pub mod turn;
mod uri;

pub use endpoint::{
    CallDetails, CallFailure, ConferenceId, Config, EndReason, Endpoint, Event, FlowRole, ForkId, Input,
    Invite, Leg, Mode, OutgoingRequest, Party, RegistrationFailure, Rendering, RequestId, RetargetReason,
    Retry, Scheme, Sensitivity, SessionId, SignatureSlot, Subscription, SubscriptionEnd, SubscriptionId,
    TransferOptions, Transmit, Transport, User, UserId, Verdict, VerificationId,
};
pub use error::{Breach, Error, ParseError, Refusal, Rule};
pub use flow::FlowId;
pub use framing::{Frame, FramingError, StreamDecoder};
pub use headers::{HeaderName, Headers};
pub use message::{
    Abilities, Edit, Fault, HeaderView, Limits, Message, MessageView, Problem, Rejection, RejectionRow,
    Request, Response, StartLine, Version,
};
pub use method::Method;
pub use scan::LineEnds;
pub use seed::Seed;
pub use signature::{SignatureFields, SignatureVersion, signature_text};
pub use status::StatusCode;
pub use uri::{SipScheme, SipUri, SipUriView, TelUri, Uri};
