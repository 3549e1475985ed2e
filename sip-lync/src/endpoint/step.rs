//! What the pure steps of [`crate::invite`] demand of the endpoint.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::conference::Fate;
use super::details::conference_in;
use super::event::{CallFailure, EndReason, Event};
use super::vocabulary::{ForkId, Rendering, SessionId};
use super::{Deadline, Endpoint};
use crate::headers::{HeaderName, Headers};
use crate::invite::{self, Effect, Report, State, Trigger};
use crate::message::{Request, Response};
use crate::offer_answer::{self, Position};
use crate::status::StatusCode;
use crate::transaction::timers::T1;
use crate::transaction::{ClientId, ServerId};
use crate::uri::Uri;

/// What comes with a trigger.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Source<'a> {
    pub(super) response: Option<&'a Response>,
    pub(super) request: Option<(&'a Request, ServerId)>,
    pub(super) client: Option<ClientId>,
}

/// What comes with a trigger, and what the user said.
#[derive(Clone, Debug, Default)]
pub(super) struct Context<'a> {
    pub(super) source: Source<'a>,
    pub(super) description: Option<Bytes>,
    pub(super) status: Option<StatusCode>,
    pub(super) fork: Option<ForkId>,
    pub(super) rendering: Rendering,
}

/// How long an ACK, and after CANCEL a final response, is waited for.
///
/// RFC 3261 13.3.1.4, RFC 3261 9.1
pub(super) const PATIENCE: Duration = T1.saturating_mul(64);

impl Endpoint {
    pub(super) fn session_step(
        &mut self,
        now: Instant,
        id: SessionId,
        trigger: Trigger,
        context: &Context<'_>,
    ) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let (next, effects) = invite::step(session.state, trigger);
        session.state = next;
        for effect in effects {
            self.session_effect(now, id, *effect, context);
        }
        if next == State::Terminated {
            self.forget_session(now, id);
        }
    }

    fn session_effect(&mut self, now: Instant, id: SessionId, effect: Effect, context: &Context<'_>) {
        match effect {
            Effect::SendCancel => self.send_cancel(now, id),
            Effect::SendAck | Effect::AckReinvite => self.send_ack(id, context),
            Effect::RepeatAck => self.repeat_ack(id, context),
            Effect::EndFork => self.end_fork(now, context),
            Effect::SendBye => self.send_bye(now, id),
            Effect::SendRinging => self.send_ringing(now, id, context),
            Effect::SendAnswer => self.send_answer(now, id, context),
            Effect::StopRepeating => {
                self.deadlines.stop(&Deadline::Repeat(id));
                self.deadlines.stop(&Deadline::Ack(id));
                if let Some(session) = self.sessions.get_mut(id) {
                    session.repeating = None;
                }
            }
            Effect::SendRefusal => {
                let status = context.status.unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
                self.refuse_pending(now, id, status);
            }
            Effect::SendRequestTerminated => self.refuse_pending(now, id, StatusCode::REQUEST_TERMINATED),
            Effect::AcceptBye => self.respond_simply(now, context, StatusCode::OK, None),
            Effect::RefuseBye => {
                self.respond_simply(now, context, StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST, None);
            }
            Effect::SendReinvite => self.send_reinvite(now, id),
            Effect::RefusePending => self.respond_simply(now, context, StatusCode::REQUEST_PENDING, None),
            Effect::RefuseRetryLater => {
                let pause = self.words.between(Duration::ZERO, Duration::from_secs(10)).as_secs();
                self.respond_simply(now, context, StatusCode::SERVER_INTERNAL_ERROR, Some(pause));
            }
            Effect::RefuseOffer => {
                let pending = self.sessions.get(id).is_some_and(|session| session.pending.is_some());
                if pending {
                    let status = context.status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
                    self.refuse_pending(now, id, status);
                    self.move_position(id, offer_answer::Trigger::Refuse);
                } else {
                    self.respond_simply(now, context, StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST, None);
                }
            }
            Effect::AnswerUpdate => self.answer_update(now, id, context),
            Effect::StartBackoff => {
                let caller = self.sessions.get(id).is_some_and(|session| session.caller);
                // RFC 3261 14.1: who made the Call-ID waits longer.
                let (lowest, highest) = if caller { (2100, 4000) } else { (0, 2000) };
                let pause = self.words.between(Duration::from_millis(lowest), Duration::from_millis(highest));
                self.deadlines.start(Deadline::Backoff(id), now + pause);
                self.move_position(id, offer_answer::Trigger::Refuse);
            }
            Effect::StopBackoff => self.deadlines.stop(&Deadline::Backoff(id)),
            Effect::Report(report) => self.report_session(now, id, report, context),
        }
    }

    fn report_session(&mut self, now: Instant, id: SessionId, report: Report, context: &Context<'_>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let reason = match report {
            Report::Progress => {
                let Some(response) = context.source.response else { return };
                // 100 and 101 are progress of routing; of a focus nothing rings.
                let status = response.status;
                let fork = context.fork.filter(|_| !self.is_focus(id));
                if let Some(fork) = fork {
                    self.tell_transferor(now, id, status);
                    self.events.push_back(Event::Progress {
                        session: id,
                        status,
                        fork,
                        description: context.description.clone(),
                    });
                }
                return;
            }
            Report::Answered => {
                let answer_due = session.state == State::AnswerDue;
                self.deadlines.stop(&Deadline::Ring(id));
                self.tell_transferor(now, id, StatusCode::OK);
                let body = context.source.response.map(|response| response.body.clone());
                if self.conference_told(now, id, Fate::Answered(body)) {
                    return;
                }
                let headers = context.source.response.map(|response| &response.headers);
                let connected = headers.and_then(asserted_party);
                let conference = headers.and_then(|headers| {
                    conference_in(headers, &[HeaderName::Contact, HeaderName::PAssertedIdentity])
                });
                self.events.push_back(Event::Answered {
                    session: id,
                    fork: context.fork.unwrap_or(ForkId(0)),
                    connected,
                    conference,
                    description: context.description.clone(),
                    answer_due,
                });
                return;
            }
            Report::Confirmed => {
                self.conference_told(now, id, Fate::Answered(None));
                self.events
                    .push_back(Event::Confirmed { session: id, description: context.description.clone() });
                return;
            }
            Report::Reoffered => {
                if let Some((request, server)) = context.source.request {
                    let cseq = request.headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
                    self.sessions.set_pending(id, server, cseq);
                }
                if context.description.is_some() && context.source.request.is_some() {
                    self.move_position(id, offer_answer::Trigger::Receive);
                }
                self.events.push_back(Event::Reoffered {
                    session: id,
                    description: context.description.clone(),
                    rendering: context.rendering,
                });
                return;
            }
            Report::ReofferWithdrawn => {
                self.move_position(id, offer_answer::Trigger::Refuse);
                self.events.push_back(Event::ReofferWithdrawn { session: id });
                return;
            }
            Report::ReofferAnswered => {
                if let Some((_, rendering)) = session.reoffer.take() {
                    session.rendering = rendering;
                }
                if self.sessions.get(id).is_some_and(|session| session.position == Position::Reoffered) {
                    self.move_position(id, offer_answer::Trigger::Receive);
                }
                self.events.push_back(Event::ReofferAnswered {
                    session: id,
                    description: context.description.clone(),
                });
                return;
            }
            Report::ReofferConfirmed => {
                if context.description.is_some() {
                    self.events.push_back(Event::ReofferAnswered {
                        session: id,
                        description: context.description.clone(),
                    });
                }
                return;
            }
            Report::ReofferRefused => {
                session.reoffer = None;
                self.move_position(id, offer_answer::Trigger::Refuse);
                self.events.push_back(Event::ReofferRefused { session: id, status: context.status });
                return;
            }
            Report::Failed => {
                self.tell_transferor(now, id, context.status.unwrap_or(StatusCode::REQUEST_TIMEOUT));
                let failure = call_failure(context);
                if !self.conference_told(now, id, Fate::Failed(failure.clone())) {
                    self.events.push_back(Event::Failed { session: id, failure });
                }
                return;
            }
            Report::EndedByPeer => EndReason::PeerBye,
            Report::EndedLocally => session.end_reason.unwrap_or(EndReason::Local),
            Report::Cancelled => EndReason::Cancelled {
                completed_elsewhere: context
                    .source
                    .request
                    .is_some_and(|(request, _)| completed_elsewhere(&request.headers)),
            },
            Report::AckMissing => EndReason::AckMissing,
            Report::DialogGone => EndReason::DialogGone,
            Report::FlowLost => session.end_reason.unwrap_or(EndReason::FlowLost),
        };
        self.deadlines.stop(&Deadline::Ring(id));
        self.tell_transferor(now, id, StatusCode::REQUEST_TERMINATED);
        let headers = context.source.request.map(|(request, _)| &request.headers);
        let diagnostics = headers.and_then(|headers| headers.diagnostics().ok().flatten());
        let cause = headers.and_then(|headers| headers.reasons().ok()?.into_iter().next());
        if !self.conference_told(now, id, Fate::Ended) {
            self.events.push_back(Event::Ended { session: id, reason, diagnostics, cause });
        }
    }

    fn forget_session(&mut self, now: Instant, id: SessionId) {
        self.early_over(now, id);
        for deadline in [
            Deadline::Repeat(id),
            Deadline::Ack(id),
            Deadline::Cancel(id),
            Deadline::Ring(id),
            Deadline::Backoff(id),
            Deadline::Bye(id),
            Deadline::Timer(id),
            Deadline::Reliable(id),
            Deadline::Recovery(id),
            Deadline::Transferor(id),
            Deadline::Transferee(id),
        ] {
            self.deadlines.stop(&deadline);
        }
        let Some(session) = self.sessions.remove(id) else { return };
        // The peer ended the session and owes our re-INVITE its final response: it may be lost.
        if let Some(client) = session.reinvite_client.filter(|client| self.purposes.contains_key(client)) {
            self.deadlines.start(Deadline::Orphan(client), now + PATIENCE);
        }
        let mut gone = false;
        if let Some(account) = self.accounts.get_mut(session.user) {
            account.sessions.remove(&id);
            gone = account.removed
                && account.sessions.is_empty()
                && account.registration.state == crate::register::State::Unregistered;
        }
        if gone {
            self.forget_user(session.user);
        }
    }

    pub(super) fn move_position(&mut self, id: SessionId, trigger: offer_answer::Trigger) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.position = offer_answer::step(session.position, trigger).0;
        }
    }
}

fn call_failure(context: &Context<'_>) -> CallFailure {
    let Some(response) = context.source.response else {
        return CallFailure { status: None, reason: String::new(), diagnostics: None, contacts: Vec::new() };
    };
    let contacts: Vec<Uri> = response
        .headers
        .contacts()
        .unwrap_or_default()
        .iter()
        .filter_map(|contact| contact.address().map(|address| address.uri.clone()))
        .collect();
    CallFailure {
        status: Some(response.status),
        reason: response.reason.clone(),
        diagnostics: response.headers.diagnostics().ok().flatten(),
        contacts: if response.status.is_redirection() { contacts } else { Vec::new() },
    }
}

/// Another endpoint of the user answered: cause 200, whatever the text says.
///
/// RFC 3326 2
fn completed_elsewhere(headers: &Headers) -> bool {
    headers
        .reasons()
        .unwrap_or_default()
        .iter()
        .any(|reason| reason.protocol.eq_ignore_ascii_case("SIP") && reason.cause() == Some(200))
}

/// The peer as the server asserts it.
///
/// RFC 3325 9.1
pub(super) fn asserted_party(headers: &Headers) -> Option<super::event::Party> {
    let identities = headers.asserted_identities().ok()?;
    let sip = identities.iter().find(|identity| identity.sip_uri().is_some());
    let tel = identities.iter().find(|identity| identity.uri.tel().is_some());
    let named = sip.or(tel)?;
    Some(super::event::Party {
        display: (!named.display.is_empty()).then(|| named.display.clone()),
        uri: named.uri.clone(),
        tel: tel.map(|tel| tel.uri.to_string()),
    })
}
