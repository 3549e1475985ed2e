//! The messages of an INVITE session.

use std::time::Instant;

use super::requests::has_tag;
use super::session::{ReinviteProgress, Repeating, next_repetition};
use super::step::{Context, PATIENCE};
use super::vocabulary::{Rendering, SessionId, UserId};
use super::{Deadline, Endpoint, Purpose, early, identity};
use crate::dialog::Dialog;
use crate::early_offer;
use crate::flow::FlowId;
use crate::headers::ms::Diagnostics;
use crate::headers::{HeaderName, Headers};
use crate::invite::State;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::offer_answer::{self, Position};
use crate::session_timer::SessionTimer;
use crate::status::StatusCode;
use crate::transaction::ServerId;
use crate::transaction::timers::T1;

impl Endpoint {
    pub(super) fn send_cancel(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        let Some(client) = session.invite_client else { return };
        if let Ok(cancel) = self.layer.cancel(now, client, session.cause.as_deref()) {
            self.purposes.insert(cancel, Purpose::Nothing);
        }
        self.deadlines.start(Deadline::Cancel(id), now + PATIENCE);
    }

    pub(super) fn send_ack(&mut self, id: SessionId, context: &Context<'_>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let number = context
            .source
            .response
            .and_then(|response| response.headers.cseq().ok().flatten())
            .map_or(session.ack_cseq, |cseq| cseq.number);
        let Some(dialog) = &session.dialog else { return };
        let mut ack = dialog.request_numbered(&Method::Ack, number);
        // An ACK has a body only when the 2xx brought an offer.
        if context.source.response.is_none()
            && let Some(description) = &context.description
        {
            ack.headers.push_text(&HeaderName::ContentType, "application/sdp");
            ack.body = description.clone();
            session.position = offer_answer::step(session.position, offer_answer::Trigger::Send).0;
            session.local_description = Some(description.clone());
        }
        let flow = session.flow;
        let ack = self.send_ack_of(flow, ack);
        if let Some(session) = self.sessions.get_mut(id) {
            session.acks.retain(|(of, _)| *of != number);
            if session.acks.len() > 1 {
                session.acks.remove(0);
            }
            session.acks.push((number, Box::new(ack)));
        }
    }

    fn send_ack_of(&mut self, flow: FlowId, mut ack: Request) -> Request {
        let branch = self.words.branch_word();
        if let Some(entry) = self.flows.get(&flow) {
            identity::push_via(&mut ack.headers, &self.config, &entry.sent_by, branch.as_str());
            ack.headers.push_text(&HeaderName::UserAgent, &self.config.user_agent);
            return self.layer.request_and_keep(flow, ack);
        }
        ack
    }

    pub(super) fn repeat_ack(&mut self, id: SessionId, context: &Context<'_>) {
        let cseq = context.source.response.and_then(|response| response.headers.cseq().ok().flatten());
        let Some(session) = self.sessions.get(id) else { return };
        let ack = session.acks.iter().find(|(of, _)| cseq.as_ref().is_some_and(|cseq| cseq.number == *of));
        if let Some((_, ack)) = ack {
            self.layer.request_without_transaction(session.flow, ack);
        }
    }

    /// Acknowledges a 2xx nobody waits for and ends its dialog.
    ///
    /// RFC 3261 13.2.2.4
    pub(super) fn end_fork(&mut self, now: Instant, context: &Context<'_>) {
        let (Some(response), Some(client)) = (context.source.response, context.source.client) else { return };
        let Some((flow, invite)) = self.layer.client_invite(client) else { return };
        // Whoever sends answers without end gets no BYE for each.
        let ended = self.ended_forks.entry(client).or_default();
        if *ended >= self.config.limits.forks {
            return;
        }
        *ended += 1;
        let Some(mut dialog) = Dialog::of_caller(invite, response) else { return };
        let ack = dialog.request(&Method::Ack);
        self.send_ack_of(flow, ack);
        let bye = dialog.request(&Method::Bye);
        if let Ok(client) = self.send_request(now, flow, bye) {
            self.purposes.insert(client, Purpose::Nothing);
        }
    }

    pub(super) fn send_bye(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let flow = session.flow;
        let Some(dialog) = &mut session.dialog else { return };
        let mut bye = dialog.request(&Method::Bye);
        if let Some(cause) = &session.cause {
            bye.headers.push(HeaderName::Reason, cause);
        }
        match self.send_request(now, flow, bye) {
            Ok(client) => {
                self.purposes.insert(client, Purpose::Bye(id));
            }
            Err(_) => self.deadlines.start(Deadline::Bye(id), now),
        }
    }

    pub(super) fn send_ringing(&mut self, now: Instant, id: SessionId, context: &Context<'_>) {
        let Some(session) = self.sessions.get(id) else { return };
        let Some(server) = session.pending else { return };
        // Without the peer's offer a reliable response may make ours; one that is not reliable has nothing to say then.
        let offers = session.position == Position::None;
        let reliable = self.is_reliable(id, server, context.description.is_some());
        let early = context.description.as_ref().filter(|_| !offers || reliable);
        let status = if early.is_some() { StatusCode::SESSION_PROGRESS } else { StatusCode::RINGING };
        let Some(mut response) = self.session_response(id, server, status) else { return };
        if let Some(description) = early {
            response.headers.push_text(&HeaderName::ContentType, "application/sdp");
            response.body = description.clone();
        }
        let fork = session.fork;
        let offered = offers && early.is_some();
        if reliable {
            self.make_reliable(now, id, server, &mut response);
        }
        if offered {
            self.move_position(id, offer_answer::Trigger::Send);
            if let Some(session) = self.sessions.get_mut(id) {
                session.local_description.clone_from(&context.description);
            }
            self.early_step(now, id, fork, early_offer::Trigger::OfferReliably, &early::Source::default());
        }
        self.layer.respond_owned(now, server, response);
    }

    pub(super) fn send_answer(&mut self, now: Instant, id: SessionId, context: &Context<'_>) {
        let Some((server, cseq)) = self.sessions.take_pending(id) else { return };
        let Some(mut response) = self.session_response(id, server, StatusCode::OK) else { return };
        response.headers.push_text(&HeaderName::Allow, identity::ALLOW);
        self.push_supported(&mut response.headers);
        let timer = self.timer_asked_for(server);
        self.agree_timer(now, id, timer, &mut response.headers);
        // RFC 6337 3.1.1: what PRACK or UPDATE settled is not repeated; what only the response said is.
        let settled = self.sessions.get(id).is_some_and(|session| {
            session.state == State::Answered
                && session.early.changed
                && session.position != Position::OfferReceived
        });
        if let Some(description) = context.description.as_ref().filter(|_| !settled) {
            response.headers.push_text(&HeaderName::ContentType, "application/sdp");
            response.body = description.clone();
            let agreed = self.sessions.get(id).is_some_and(|session| session.position == Position::Agreed);
            let again =
                agreed && self.sessions.get(id).is_some_and(|session| session.state == State::Answered);
            if !again {
                self.move_position(id, offer_answer::Trigger::Send);
            }
            if let Some(session) = self.sessions.get_mut(id) {
                session.local_description.clone_from(&context.description);
            }
        }
        self.layer.respond(now, server, &response);
        let (at, interval) = next_repetition(now, T1);
        self.deadlines.start(Deadline::Repeat(id), at);
        self.deadlines.start(Deadline::Ack(id), now + PATIENCE);
        self.deadlines.stop(&Deadline::Ring(id));
        if let Some(session) = self.sessions.get_mut(id) {
            session.repeating = Some(Repeating { server, response: Box::new(response), interval, cseq });
        }
    }

    /// Sends our 2xx again, because a hop behind the server may have lost it.
    ///
    /// RFC 3261 13.3.1.4
    pub(super) fn repeat_answer(&mut self, now: Instant, id: SessionId) {
        let Some(repeating) = self.sessions.get_mut(id).and_then(|session| session.repeating.as_mut()) else {
            return;
        };
        let (at, interval) = next_repetition(now, repeating.interval);
        repeating.interval = interval;
        self.layer.respond(now, repeating.server, &repeating.response);
        self.deadlines.start(Deadline::Repeat(id), at);
    }

    pub(super) fn answer_update(&mut self, now: Instant, id: SessionId, context: &Context<'_>) {
        let Some((server, _)) = self.sessions.take_pending(id) else { return };
        let Some(mut response) = self.session_response(id, server, StatusCode::OK) else { return };
        if let Some(description) = &context.description {
            response.headers.push_text(&HeaderName::ContentType, "application/sdp");
            response.body = description.clone();
        }
        let timer = self.timer_asked_for(server);
        self.agree_timer(now, id, timer, &mut response.headers);
        self.move_position(id, offer_answer::Trigger::Send);
        if let Some(session) = self.sessions.get_mut(id) {
            session.local_description.clone_from(&context.description);
        }
        self.layer.respond_owned(now, server, response);
    }

    pub(super) fn refuse_pending(&mut self, now: Instant, id: SessionId, status: StatusCode) {
        let Some((server, _)) = self.sessions.take_pending(id) else { return };
        let Some(mut response) = self.session_response(id, server, status) else { return };
        if status.is_redirection()
            && let Some(session) = self.sessions.get(id)
        {
            for uri in &session.elsewhere {
                response.headers.push(HeaderName::Contact, format_args!("<{uri}>"));
            }
        }
        if status == StatusCode::NOT_ACCEPTABLE_HERE {
            let diagnostics = Diagnostics::unsupported_session_description();
            response.headers.push(HeaderName::MsClientDiagnostics, diagnostics);
        }
        self.layer.respond_owned(now, server, response);
    }

    pub(super) fn send_reinvite(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let Some((description, rendering)) = session.reoffer.clone() else { return };
        session.reinvite_progress = ReinviteProgress::default();
        let (flow, user) = (session.flow, session.user);
        let Some(dialog) = &mut session.dialog else { return };
        let mut request = dialog.request(&Method::Invite);
        session.ack_cseq = dialog.local_cseq();
        if !description.is_empty() {
            session.position = offer_answer::step(session.position, offer_answer::Trigger::Send).0;
            session.local_description = Some(description.clone());
        }
        request.headers.push_text(&HeaderName::MsConversationId, &session.conversation);
        if let Some(timer) = session.timer {
            request.headers.push(HeaderName::SessionExpires, timer.in_request());
            request.headers.push(HeaderName::MinSe, crate::session_timer::LEAST);
        }
        self.push_contact(&mut request.headers, flow, user, rendering);
        request.headers.push_text(&HeaderName::Allow, identity::ALLOW);
        self.push_supported(&mut request.headers);
        if !description.is_empty() {
            request.headers.push_text(&HeaderName::ContentType, "application/sdp");
        }
        request.body = description;
        match self.send_request(now, flow, request) {
            Ok(client) => {
                self.purposes.insert(client, Purpose::Reinvite(id));
                if let Some(session) = self.sessions.get_mut(id) {
                    session.reinvite_client = Some(client);
                }
            }
            Err(_) => self.deadlines.start(Deadline::Backoff(id), now),
        }
    }

    fn timer_asked_for(&self, server: ServerId) -> Option<SessionTimer> {
        SessionTimer::of_request(&self.layer.server_request(server)?.headers).ok().flatten()
    }

    /// A response to a request of this session, with its tag, Contact and recorded routes.
    fn session_response(&self, id: SessionId, server: ServerId, status: StatusCode) -> Option<Response> {
        let session = self.sessions.get(id)?;
        let request = self.layer.server_request(server)?;
        let mut response = request.response(status);
        if !has_tag(&request.headers)
            && let Some(dialog) = &session.dialog
        {
            response.headers.set(HeaderName::To, dialog.local());
        }
        if status.code() < 300 {
            response.headers.copy_from(&request.headers, &HeaderName::RecordRoute);
            self.push_contact(&mut response.headers, session.flow, session.user, session.rendering);
        }
        response.headers.push_text(&HeaderName::UserAgent, &self.config.user_agent);
        Some(response)
    }

    pub(super) fn push_contact(
        &self,
        headers: &mut Headers,
        flow: FlowId,
        user: UserId,
        rendering: Rendering,
    ) {
        if let (Some(account), Some(entry)) = (self.accounts.get(user), self.flows.get(&flow)) {
            identity::push_contact(headers, &self.config, account, &entry.sent_by, rendering);
        }
    }

    pub(super) fn respond_simply(
        &mut self,
        now: Instant,
        context: &Context<'_>,
        status: StatusCode,
        retry_after: Option<u64>,
    ) {
        if let Some((request, server)) = context.source.request {
            let mut response = self.response_to(request, status);
            if let Some(seconds) = retry_after {
                response.headers.push(HeaderName::RetryAfter, seconds);
            }
            self.layer.respond_owned(now, server, response);
        }
    }
}
