//! Provisional responses of ours that the caller acknowledges with PRACK.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::description::session_description;
use super::early::Source;
use super::event::EndReason;
use super::step::{Context, PATIENCE};
use super::vocabulary::SessionId;
use super::{Deadline, Endpoint};
use crate::early_offer::Trigger;
use crate::headers::HeaderName;
use crate::invite;
use crate::message::{Request, Response};
use crate::offer_answer::Position;
use crate::status::StatusCode;
use crate::transaction::ServerId;
use crate::transaction::timers::T1;

/// A reliable provisional response while it is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reliable {
    server: ServerId,
    response: Box<Response>,
    rseq: u32,
    /// CSeq of the INVITE.
    cseq: u32,
    interval: Duration,
    until: Instant,
    /// The user answered already: the 200 follows the PRACK.
    held: Option<Bytes>,
}

impl Endpoint {
    /// Whether a provisional response is to be sent reliably: it has an answer and the caller can, or the caller wants
    /// all of them so.
    ///
    /// RFC 3262 3, MS-SDPEXT 3.1.5
    pub(super) fn is_reliable(&self, id: SessionId, server: ServerId, has_description: bool) -> bool {
        let pending = self.sessions.get(id).is_some_and(|session| session.reliable.is_some());
        let Some(request) = self.layer.server_request(server) else { return false };
        let required = request.headers.require().is_ok_and(|options| options.contains("100rel"));
        let supported = request.headers.supported().is_ok_and(|options| options.contains("100rel"));
        self.config.reliable_provisional && !pending && (required || (supported && has_description))
    }

    /// Numbers a provisional response and repeats it until its PRACK comes.
    ///
    /// RFC 3262 3
    pub(super) fn make_reliable(
        &mut self,
        now: Instant,
        id: SessionId,
        server: ServerId,
        response: &mut Response,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let rseq = match session.last_rseq {
            0 => self.words.sequence(),
            last => last.wrapping_add(1),
        };
        session.last_rseq = rseq;
        response.headers.push_text(&HeaderName::Require, "100rel");
        response.headers.push(HeaderName::RSeq, rseq);
        session.reliable = Some(Reliable {
            server,
            response: Box::new(response.clone()),
            rseq,
            cseq: session.pending_cseq,
            interval: T1 * 2,
            until: now + PATIENCE,
            held: None,
        });
        self.deadlines.start(Deadline::Reliable(id), now + T1);
    }

    /// The PRACK is missing: the response is sent again, in the end the call is refused.
    ///
    /// RFC 3262 3
    pub(super) fn reliable_due(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some(reliable) = &mut session.reliable else { return };
        if now >= reliable.until {
            session.reliable = None;
            session.end_reason = Some(EndReason::AckMissing);
            let context = Context { status: Some(StatusCode::SERVER_TIMEOUT), ..Context::default() };
            return self.session_step(now, id, invite::Trigger::Reject, &context);
        }
        self.layer.respond(now, reliable.server, &reliable.response);
        let next = (now + reliable.interval).min(reliable.until);
        reliable.interval *= 2;
        self.deadlines.start(Deadline::Reliable(id), next);
    }

    /// Keeps the user's answer back until the early one is acknowledged; gives it back if there is none.
    ///
    /// RFC 3262 3
    pub(super) fn hold_answer(&mut self, id: SessionId, description: Bytes) -> Option<Bytes> {
        let description = self.hold_behind_offer(id, description)?;
        let reliable = self.sessions.get_mut(id).and_then(|session| session.reliable.as_mut());
        match reliable.filter(|reliable| !reliable.response.body.is_empty()) {
            Some(reliable) => {
                reliable.held = Some(description);
                None
            }
            None => Some(description),
        }
    }

    /// The peer's PRACK.
    ///
    /// RFC 3262 3
    pub(super) fn on_prack(&mut self, now: Instant, id: SessionId, server: ServerId, request: &Request) {
        let rack = request.headers.rack().ok().flatten();
        let Some(session) = self.sessions.get_mut(id) else { return };
        let matches = session.reliable.as_ref().is_some_and(|reliable| {
            rack.is_some_and(|rack| rack.response == reliable.rseq && rack.cseq.number == reliable.cseq)
        });
        let acknowledged = if matches { session.reliable.take() } else { None };
        let fork = session.fork;
        let Some(acknowledged) = acknowledged else {
            let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            let response = self.response_to(request, status);
            return self.layer.respond(now, server, &response);
        };
        self.deadlines.stop(&Deadline::Reliable(id));
        // The answer in the response has arrived: further offers may follow.
        if !acknowledged.response.body.is_empty() && session.position == Position::OfferReceived {
            session.position = Position::Agreed;
        }
        let source = Some((request, server));
        if let Ok(description) = session_description(&request.headers, &request.body) {
            let described = description.is_some();
            let trigger = if described { Trigger::PrackDescribed } else { Trigger::PrackBare };
            let source = Source { request: source, description, ..Source::default() };
            self.early_step(now, id, fork, trigger, &source);
        } else {
            let response = self.response_to(request, StatusCode::NOT_ACCEPTABLE_HERE);
            self.layer.respond(now, server, &response);
        }
        if let Some(description) = acknowledged.held {
            self.answer(now, id, description);
        }
    }
}
