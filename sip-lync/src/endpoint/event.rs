//! What an endpoint tells its user.

use std::time::Duration;

use bytes::Bytes;

use super::details::CallDetails;
use super::failure::{RegistrationFailure, Retry};
use super::verification::VerificationId;
use super::vocabulary::{ConferenceId, ForkId, Rendering, RequestId, SessionId, SubscriptionId, UserId};
use crate::body::c3p;
use crate::error::{Error, ParseError};
use crate::flow::FlowId;
use crate::gruu::ConferenceUri;
use crate::headers::ms::Diagnostics;
use crate::headers::{Challenge, Reason};
use crate::message::{Request, Response};
use crate::status::StatusCode;
use crate::uri::{SipUri, Uri};

/// The other side of a call, for display.
///
/// RFC 3325 9.1, RFC 3261 20.20
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Party {
    /// The name for display.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// The telephone number as a URI, `tel:+…`.
    pub tel: Option<String>,
}

/// How a call failed.
///
/// RFC 3261 13.2.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallFailure {
    /// The status of the refusal; `None` when nobody answered.
    pub status: Option<StatusCode>,
    /// The reason phrase of the refusal.
    pub reason: String,
    /// The diagnostics of the refusal.
    pub diagnostics: Option<Diagnostics>,
    /// Where to try instead, from a 3xx, best first.
    pub contacts: Vec<Uri>,
}

/// Why a session ended.
///
/// RFC 3261 15, RFC 3326 2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The peer sent BYE.
    PeerBye,
    /// The caller gave up before we answered.
    Cancelled {
        /// Another endpoint of the user answered: not a missed call.
        completed_elsewhere: bool,
    },
    /// We hung up, cancelled or refused.
    Local,
    /// It rang for too long.
    RingLimit,
    /// The peer never acknowledged our answer.
    AckMissing,
    /// The peer does not know the session any more.
    DialogGone,
    /// The connection broke.
    FlowLost,
    /// The registrar had lost us.
    RegistrationLost,
    /// The peer did not refresh the session in time.
    SessionExpired,
    /// Another call took its place.
    Replaced,
    /// An offer before the answer of the call was itself never answered.
    AnswerMissing,
}

/// Why a subscription ended.
///
/// RFC 6665 4.1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscriptionEnd {
    /// For now only: the endpoint subscribes again by itself.
    Interrupted,
    /// As the user wished, or a fetch is done.
    Over,
    /// The notifier refuses, or ended it for good.
    Refused,
    /// A fetch was accepted and its notification never came.
    Silent,
    /// The connection broke, or the registrar had lost the user: subscribe again once it is registered.
    FlowLost,
}

/// What an endpoint tells its user.
///
/// RFC 3261 6
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A registration stands.
    Registered {
        /// The user.
        user: UserId,
        /// The GRUU the server gave.
        gruu: Option<SipUri>,
        /// How long it lasts without a refresh.
        expires: Duration,
        /// It stood before.
        refreshed: bool,
        /// Presence and conference services are there; without them voice still works.
        services: bool,
        /// `Server` of the response.
        server: Option<String>,
    },
    /// A registration failed or ended.
    RegistrationFailed {
        /// The user.
        user: UserId,
        /// Why.
        failure: RegistrationFailure,
        /// The status of a refusal.
        status: Option<StatusCode>,
        /// Whether the endpoint tries again by itself.
        retry: Retry,
        /// The diagnostics of a refusal.
        diagnostics: Option<Diagnostics>,
        /// The registrar to use instead.
        registrar: Option<String>,
    },
    /// The server wants this user to prove itself: call `authenticate` with the next leg within 30 s, or
    /// `refuse_challenge`.
    Challenged {
        /// The user.
        user: UserId,
        /// The schemes the server offers.
        challenges: Vec<Challenge>,
    },
    /// A message came whose signature is to be judged with `verified`; what comes behind it on its flow waits.
    SignatureReceived {
        /// The number of the judgement.
        id: VerificationId,
        /// Whose key verifies.
        user: UserId,
        /// With whom the key was agreed.
        target_name: String,
        /// The text that was signed.
        text: String,
        /// The signature in hexadecimal digits.
        signature: String,
    },
    /// Another server is responsible for this user: open a flow to the first contact that can be reached and
    /// `register` there.
    Redirected {
        /// The user.
        user: UserId,
        /// The servers, best first.
        contacts: Vec<SipUri>,
    },
    /// Presence and conference services come or go while the registration stays.
    ServicesChanged {
        /// The user.
        user: UserId,
        /// They are there.
        available: bool,
    },
    /// A registration was withdrawn.
    Deregistered {
        /// The user.
        user: UserId,
    },
    /// The peer of a flow broke the protocol: close the flow. The endpoint has forgotten it.
    FlowFailed {
        /// The flow.
        flow: FlowId,
        /// What it did.
        error: Error,
    },
    /// A message was framed but is no SIP message; it was dropped and the flow goes on.
    MessageDropped {
        /// The flow.
        flow: FlowId,
        /// What is wrong with it.
        error: ParseError,
    },
    /// Somebody calls a user.
    Incoming {
        /// The new session.
        session: SessionId,
        /// Who is called.
        user: UserId,
        /// Who calls.
        from: Party,
        /// The offer; without one our answer makes the offer.
        description: Option<Bytes>,
        /// The session this call takes the place of: answer at once, the other one ends then.
        replaces: Option<SessionId>,
        /// How it came here, for whom, from which service.
        details: Box<CallDetails>,
        /// The INVITE, for its further header fields.
        request: Request,
    },
    /// A provisional response to our INVITE, 100 excluded.
    Progress {
        /// The session.
        session: SessionId,
        /// Its status.
        status: StatusCode,
        /// The early dialog.
        fork: ForkId,
        /// The answer of this early dialog.
        description: Option<Bytes>,
    },
    /// The peer offers before the call is answered: call `answer_early` or `reject_early` within 10 s.
    EarlyOffer {
        /// The session.
        session: SessionId,
        /// The early dialog; the first one if the peer called.
        fork: ForkId,
        /// The offer.
        description: Bytes,
    },
    /// Our offer before the answer of the call was answered.
    EarlyAnswer {
        /// The session.
        session: SessionId,
        /// The early dialog; the first one if the peer called.
        fork: ForkId,
        /// The answer.
        description: Option<Bytes>,
    },
    /// Our offer before the answer of the call was refused; what was agreed stays.
    EarlyOfferRefused {
        /// The session.
        session: SessionId,
        /// The early dialog; the first one if the peer called.
        fork: ForkId,
        /// The status of the refusal; `None` when nothing was heard.
        status: Option<StatusCode>,
    },
    /// The peer answered our call.
    Answered {
        /// The session.
        session: SessionId,
        /// The early dialog that is confirmed.
        fork: ForkId,
        /// The peer as the server asserts it.
        connected: Option<Party>,
        /// The conference that answered.
        conference: Option<ConferenceUri>,
        /// The answer, or with `answer_due` the offer.
        description: Option<Bytes>,
        /// The description is an offer: call `answer_reoffer` with our answer.
        answer_due: bool,
    },
    /// Our answer was acknowledged.
    Confirmed {
        /// The session.
        session: SessionId,
        /// The peer's answer when our 200 carried the offer.
        description: Option<Bytes>,
    },
    /// The peer makes a further offer: call `answer_reoffer` or `reject_reoffer`.
    Reoffered {
        /// The session.
        session: SessionId,
        /// The offer; without one our answer makes the offer.
        description: Option<Bytes>,
        /// Whether the peer renders the media.
        rendering: Rendering,
    },
    /// The peer withdrew its further offer.
    ReofferWithdrawn {
        /// The session.
        session: SessionId,
    },
    /// Our further offer was answered, or the peer answered the offer we made in answer to its re-INVITE.
    ReofferAnswered {
        /// The session.
        session: SessionId,
        /// The answer.
        description: Option<Bytes>,
    },
    /// Our further offer was refused; the session stays as it was.
    ReofferRefused {
        /// The session.
        session: SessionId,
        /// The status of the refusal; `None` when the peer's own offer came first.
        status: Option<StatusCode>,
    },
    /// The peer asks us to call somebody else. It was accepted already: make the call with `Invite::transfer` set, or
    /// call `refuse_transfer`; after 10 s the endpoint refuses.
    TransferRequested {
        /// The session.
        session: SessionId,
        /// Whom to call.
        target: Uri,
        /// Header fields that belong into the INVITE: Replaces, Referred-By.
        headers: Vec<(String, String)>,
    },
    /// The peer asks somebody else than us to make a call; it was refused with 403.
    TransferNotForUs {
        /// The session.
        session: SessionId,
        /// Whom it asks.
        to: Uri,
    },
    /// The call we asked the peer to make goes on.
    TransferProgress {
        /// The session.
        session: SessionId,
        /// The status of the new call.
        status: StatusCode,
    },
    /// The call we asked the peer to make is answered or has failed.
    Transferred {
        /// The session; hang it up when the status is a success.
        session: SessionId,
        /// The status of the new call; `None` when the peer does not tell.
        status: Option<StatusCode>,
    },
    /// The peer does not transfer.
    TransferRefused {
        /// The session, which goes on.
        session: SessionId,
        /// The status of the refusal; `None` when nothing was heard.
        status: Option<StatusCode>,
    },
    /// Our call failed: the last event of the session.
    Failed {
        /// The session.
        session: SessionId,
        /// How.
        failure: CallFailure,
    },
    /// The session ended: its last event.
    Ended {
        /// The session.
        session: SessionId,
        /// Why.
        reason: EndReason,
        /// The diagnostics of the peer's BYE or CANCEL.
        diagnostics: Option<Diagnostics>,
        /// The reason the peer's BYE or CANCEL names; who answered elsewhere is [`Reason::accepted_by`].
        cause: Option<Reason>,
    },
    /// A notifier accepted a subscription.
    Subscribed {
        /// The subscription.
        subscription: SubscriptionId,
        /// The user it is for.
        user: UserId,
        /// How long it lasts without a refresh.
        expires: Duration,
    },
    /// A notification of a subscription; NOTIFY was answered already.
    SubscriptionNotified {
        /// The subscription.
        subscription: SubscriptionId,
        /// The user it is for.
        user: UserId,
        /// The media type of the body.
        content_type: Option<String>,
        /// The body.
        body: Bytes,
        /// It came within the response to SUBSCRIBE.
        piggybacked: bool,
    },
    /// A subscription ended: its last event unless it is interrupted only.
    SubscriptionEnded {
        /// The subscription.
        subscription: SubscriptionId,
        /// The user it is for.
        user: UserId,
        /// Why.
        end: SubscriptionEnd,
        /// The reason the notifier gave.
        reason: Option<String>,
    },
    /// A user takes part in a conference: `join_audio` calls its mixer.
    ConferenceJoined {
        /// The conference.
        conference: ConferenceId,
        /// The user.
        user: UserId,
    },
    /// A conference could not be joined: its last event.
    ConferenceFailed {
        /// The conference.
        conference: ConferenceId,
        /// How the session with the focus failed; `None` when the focus answered and did not let us in.
        failure: Option<CallFailure>,
        /// Why, as the focus says it.
        reason: Option<String>,
    },
    /// A conference ended: its last event.
    ConferenceEnded {
        /// The conference.
        conference: ConferenceId,
        /// We left it.
        by_us: bool,
    },
    /// Who takes part in a conference has changed: `roster` tells.
    RosterChanged {
        /// The conference.
        conference: ConferenceId,
    },
    /// The answer of a focus to what was asked with `ask_focus`.
    ConferenceResponse {
        /// The conference.
        conference: ConferenceId,
        /// The answer.
        response: c3p::Response,
    },
    /// A NOTIFY of no subscription of ours, answered already, or such a BENOTIFY, never answered.
    Notified {
        /// The user it is for.
        user: UserId,
        /// The notification.
        request: Request,
    },
    /// A request that the user answers with `respond`.
    Request {
        /// Its number.
        id: RequestId,
        /// The flow it came on.
        flow: FlowId,
        /// The user it is for.
        user: Option<UserId>,
        /// The request.
        request: Request,
    },
    /// A response to a request of ours; the last one of a request is final.
    Response {
        /// The number of the request.
        id: RequestId,
        /// The response.
        response: Response,
    },
    /// A request of ours was not answered.
    RequestFailed {
        /// The number of the request.
        id: RequestId,
        /// The flow is lost; otherwise the time is over.
        flow_lost: bool,
    },
}
