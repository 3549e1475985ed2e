//! Offers within early dialogs: what the pure steps of [`crate::early_offer`] demand.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::event::{EndReason, Event};
use super::step::Context;
use super::vocabulary::{ForkId, Rendering, SessionId};
use super::{Deadline, Endpoint, Purpose, identity};
use crate::dialog::{Dialog, DialogId};
use crate::early_offer::{self, Effect, State, Trigger};
use crate::error::{Error, Refusal};
use crate::flow::FlowId;
use crate::headers::{HeaderName, Headers};
use crate::invite;
use crate::message::{Request, Response};
use crate::method::Method;
use crate::offer_answer::{self, Position};
use crate::status::StatusCode;
use crate::transaction::ServerId;

/// How long the user has to answer an offer within an early dialog.
const PATIENCE: Duration = Duration::from_secs(10);

/// The offer within one early dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EarlyOffer {
    pub(super) state: State,
    /// The UPDATE or PRACK that waits for our answer.
    server: Option<ServerId>,
    /// RAck of the PRACK that waits for our answer.
    rack: Option<Box<str>>,
    /// Our offer.
    offer: Option<Bytes>,
    /// The user answered the call while the peer's offer waits.
    held: Option<Bytes>,
    /// Descriptions were exchanged after those of the INVITE: its 200 repeats them no more.
    pub(super) changed: bool,
}

/// What comes with a trigger.
#[derive(Clone, Debug, Default)]
pub(super) struct Source<'a> {
    pub(super) request: Option<(&'a Request, ServerId)>,
    pub(super) description: Option<Bytes>,
    pub(super) status: Option<StatusCode>,
}

/// One early dialog, of several or the session's own.
struct Place<'a> {
    dialog: &'a mut Dialog,
    position: &'a mut Position,
    early: &'a mut EarlyOffer,
    flow: FlowId,
}

impl Endpoint {
    /// Answers an [`Event::EarlyOffer`].
    ///
    /// RFC 3262 5, RFC 3311 5.2
    pub fn answer_early(
        &mut self,
        now: Instant,
        session: SessionId,
        fork: ForkId,
        description: impl Into<Bytes>,
    ) {
        self.begin(now);
        let source = Source { description: Some(description.into()), ..Source::default() };
        self.early_step(now, session, fork, Trigger::Answer, &source);
    }

    /// Refuses an [`Event::EarlyOffer`]. One that came in a response cannot be refused: the call ends.
    ///
    /// RFC 3311 5.2, RFC 6337 2.2
    pub fn reject_early(&mut self, now: Instant, session: SessionId, fork: ForkId, status: StatusCode) {
        self.begin(now);
        let status = if status.code() < 300 { StatusCode::NOT_ACCEPTABLE_HERE } else { status };
        let source = Source { status: Some(status), ..Source::default() };
        self.early_step(now, session, fork, Trigger::Reject, &source);
    }

    /// Makes an offer before the call is answered, by UPDATE; of an own call [`ForkId`] names the early dialog, of the
    /// peer's it is the first.
    ///
    /// RFC 3311 5.1
    pub fn offer_early(
        &mut self,
        now: Instant,
        session: SessionId,
        fork: ForkId,
        description: impl Into<Bytes>,
    ) -> Result<(), Error> {
        self.begin(now);
        let entry = self.sessions.get(session).ok_or(Error::Refused(Refusal::UnknownSession))?;
        let early = entry.rings();
        let place = self.early_place(session, fork).ok_or(Error::Refused(Refusal::OfferNotAllowed))?;
        if !early || *place.position != Position::Agreed || place.early.state != State::Idle {
            return Err(Error::Refused(Refusal::OfferNotAllowed));
        }
        place.early.offer = Some(description.into());
        self.early_step(now, session, fork, Trigger::Offer, &Source::default());
        Ok(())
    }

    fn early_place(&mut self, id: SessionId, fork: ForkId) -> Option<Place<'_>> {
        let session = self.sessions.get_mut(id)?;
        let flow = session.flow;
        if let Some(of) = session.forks.iter_mut().find(|of| of.id == fork) {
            return Some(Place {
                dialog: &mut of.dialog,
                position: &mut of.position,
                early: &mut of.early,
                flow,
            });
        }
        let dialog = session.dialog.as_mut().filter(|_| session.fork == fork)?;
        Some(Place { dialog, position: &mut session.position, early: &mut session.early, flow })
    }

    pub(super) fn early_step(
        &mut self,
        now: Instant,
        id: SessionId,
        fork: ForkId,
        trigger: Trigger,
        source: &Source<'_>,
    ) {
        let Some(place) = self.early_place(id, fork) else { return };
        let (next, effects) = early_offer::step(place.early.state, trigger);
        place.early.state = next;
        for effect in effects {
            self.early_effect(now, id, fork, *effect, source);
        }
    }

    fn early_effect(
        &mut self,
        now: Instant,
        id: SessionId,
        fork: ForkId,
        effect: Effect,
        source: &Source<'_>,
    ) {
        match effect {
            Effect::ReportOffer => self.report_early_offer(id, fork, source),
            Effect::ReportAnswer => {
                self.move_early(id, fork, offer_answer::Trigger::Receive);
                self.keep_early(id, fork, source.description.as_ref());
                let description = source.description.clone();
                self.events.push_back(Event::EarlyAnswer { session: id, fork, description });
            }
            Effect::ReportRefused => {
                self.move_early(id, fork, offer_answer::Trigger::Refuse);
                let status = source.status;
                self.events.push_back(Event::EarlyOfferRefused { session: id, fork, status });
            }
            Effect::StartPatience => self.deadlines.start(Deadline::Early(id, fork), now + PATIENCE),
            Effect::StopPatience => self.deadlines.stop(&Deadline::Early(id, fork)),
            Effect::SendPrack => self.send_prack_answer(now, id, fork, source),
            Effect::AcceptPrack => self.answer_request(now, source, StatusCode::OK, None),
            Effect::SendAnswer => self.send_early_answer(now, id, fork, source),
            Effect::SendRefusal => {
                let status = source.status.unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE);
                self.refuse_early(now, id, fork, status, None);
            }
            Effect::SendRetryLater => {
                let pause = self.words.between(Duration::ZERO, Duration::from_secs(10)).as_secs();
                self.refuse_early(now, id, fork, StatusCode::SERVER_INTERNAL_ERROR, Some(pause));
            }
            Effect::RefusePending => self.answer_request(now, source, StatusCode::REQUEST_PENDING, None),
            Effect::RefuseRetryLater => {
                let pause = self.words.between(Duration::ZERO, Duration::from_secs(10)).as_secs();
                self.answer_request(now, source, StatusCode::SERVER_INTERNAL_ERROR, Some(pause));
            }
            Effect::SendUpdate => self.send_early_update(now, id, fork),
            Effect::EndCall => self.end_for_missing_answer(now, id),
        }
    }

    fn report_early_offer(&mut self, id: SessionId, fork: ForkId, source: &Source<'_>) {
        let Some(place) = self.early_place(id, fork) else { return };
        *place.position = offer_answer::step(*place.position, offer_answer::Trigger::Receive).0;
        place.early.server = source.request.map(|(_, server)| server);
        self.keep_early(id, fork, source.description.as_ref());
        if let Some(description) = source.description.clone() {
            self.events.push_back(Event::EarlyOffer { session: id, fork, description });
        }
    }

    /// The last description of the peer is what the 200 stands for if it has none.
    fn keep_early(&mut self, id: SessionId, fork: ForkId, description: Option<&Bytes>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        match session.forks.iter_mut().find(|of| of.id == fork) {
            Some(of) => {
                of.early.changed = true;
                of.description = description.cloned();
            }
            None => session.early.changed = true,
        }
    }

    fn move_early(&mut self, id: SessionId, fork: ForkId, trigger: offer_answer::Trigger) {
        if let Some(place) = self.early_place(id, fork) {
            *place.position = offer_answer::step(*place.position, trigger).0;
        }
    }

    /// The PRACK is kept back until the user has answered the offer it acknowledges.
    pub(super) fn keep_rack(&mut self, id: SessionId, fork: ForkId, rack: String) {
        if let Some(place) = self.early_place(id, fork) {
            place.early.rack = Some(rack.into());
        }
    }

    fn send_prack_answer(&mut self, now: Instant, id: SessionId, fork: ForkId, source: &Source<'_>) {
        let Some(place) = self.early_place(id, fork) else { return };
        *place.position = offer_answer::step(*place.position, offer_answer::Trigger::Send).0;
        let Some(rack) = place.early.rack.take() else { return };
        let flow = place.flow;
        let mut prack = place.dialog.request(&Method::Prack);
        prack.headers.push(HeaderName::RAck, rack);
        describe(&mut prack, source.description.as_ref());
        if let Some(session) = self.sessions.get_mut(id) {
            session.local_description.clone_from(&source.description);
        }
        if let Ok(client) = self.send_request(now, flow, prack) {
            self.purposes.insert(client, Purpose::Nothing);
        }
    }

    fn send_early_answer(&mut self, now: Instant, id: SessionId, fork: ForkId, source: &Source<'_>) {
        let Some(place) = self.early_place(id, fork) else { return };
        *place.position = offer_answer::step(*place.position, offer_answer::Trigger::Send).0;
        let held = place.early.held.take();
        let Some(server) = place.early.server.take() else { return };
        if let Some(mut response) = self.early_response(id, server, StatusCode::OK) {
            if let Some(description) = &source.description {
                response.headers.push_text(&HeaderName::ContentType, "application/sdp");
                response.body = description.clone();
            }
            self.layer.respond(now, server, &response);
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.local_description.clone_from(&source.description);
        }
        if let Some(held) = held {
            self.answer(now, id, held);
        }
    }

    fn refuse_early(
        &mut self,
        now: Instant,
        id: SessionId,
        fork: ForkId,
        status: StatusCode,
        retry_after: Option<u64>,
    ) {
        self.move_early(id, fork, offer_answer::Trigger::Refuse);
        let Some(place) = self.early_place(id, fork) else { return };
        let held = place.early.held.take();
        let Some(server) = place.early.server.take() else { return };
        if let Some(mut response) = self.early_response(id, server, status) {
            if let Some(seconds) = retry_after {
                response.headers.push(HeaderName::RetryAfter, seconds);
            }
            self.layer.respond(now, server, &response);
        }
        if let Some(held) = held {
            self.answer(now, id, held);
        }
    }

    fn early_response(&self, id: SessionId, server: ServerId, status: StatusCode) -> Option<Response> {
        let session = self.sessions.get(id)?;
        let request = self.layer.server_request(server)?;
        let mut response = request.response(status);
        if status.is_success() && request.method == Method::Update {
            self.push_contact(&mut response.headers, session.flow, session.user, session.rendering);
        }
        response.headers.push_text(&HeaderName::UserAgent, &self.config.user_agent);
        Some(response)
    }

    fn answer_request(
        &mut self,
        now: Instant,
        source: &Source<'_>,
        status: StatusCode,
        retry_after: Option<u64>,
    ) {
        let context = Context {
            source: super::step::Source { request: source.request, ..super::step::Source::default() },
            ..Context::default()
        };
        self.respond_simply(now, &context, status, retry_after);
    }

    fn send_early_update(&mut self, now: Instant, id: SessionId, fork: ForkId) {
        let user = self.sessions.get(id).map(|session| session.user);
        let Some(place) = self.early_place(id, fork) else { return };
        *place.position = offer_answer::step(*place.position, offer_answer::Trigger::Send).0;
        let flow = place.flow;
        let offer = place.early.offer.take();
        let mut update = place.dialog.request(&Method::Update);
        if let Some(user) = user {
            self.push_contact(&mut update.headers, flow, user, Rendering::Yes);
        }
        update.headers.push_text(&HeaderName::Allow, identity::ALLOW);
        self.push_supported(&mut update.headers);
        describe(&mut update, offer.as_ref());
        if let Some(session) = self.sessions.get_mut(id) {
            session.local_description = offer;
        }
        match self.send_request(now, flow, update) {
            Ok(client) => {
                self.purposes.insert(client, Purpose::EarlyUpdate(id, fork));
            }
            Err(_) => self.early_step(now, id, fork, Trigger::Refused, &Source::default()),
        }
    }

    /// A response to our UPDATE, or `None`: nobody answered.
    ///
    /// RFC 3311 5.1
    pub(super) fn on_early_update_response(
        &mut self,
        now: Instant,
        id: SessionId,
        fork: ForkId,
        response: Option<&Response>,
    ) {
        let status = response.map(|response| response.status);
        if status.is_some_and(StatusCode::is_provisional) {
            return;
        }
        let description = response.and_then(|response| {
            super::description::session_description(&response.headers, &response.body).ok().flatten()
        });
        let trigger =
            if status.is_some_and(StatusCode::is_success) { Trigger::Answered } else { Trigger::Refused };
        self.early_step(now, id, fork, trigger, &Source { description, status, ..Source::default() });
    }

    /// The peer's UPDATE with an offer, before the call is answered. `false`: it is not for here.
    ///
    /// RFC 3311 5.2
    pub(super) fn on_early_update(
        &mut self,
        now: Instant,
        id: SessionId,
        request: (&Request, ServerId),
        description: Bytes,
    ) -> bool {
        let Some(fork) = self.early_fork(id, &request.0.headers) else { return false };
        let Some(place) = self.early_place(id, fork) else { return false };
        let source = Source { request: Some(request), description: Some(description), ..Source::default() };
        // RFC 3311 5.2: what is open already, of either side, comes first.
        let idle = place.early.state == State::Idle;
        let status = match *place.position {
            Position::Offered | Position::Reoffered if idle => StatusCode::REQUEST_PENDING,
            Position::None | Position::OfferReceived | Position::ReofferReceived if idle => {
                StatusCode::SERVER_INTERNAL_ERROR
            }
            _ => {
                self.early_step(now, id, fork, Trigger::Update, &source);
                return true;
            }
        };
        let retry_after = (status == StatusCode::SERVER_INTERNAL_ERROR)
            .then(|| self.words.between(Duration::ZERO, Duration::from_secs(10)).as_secs());
        self.answer_request(now, &source, status, retry_after);
        true
    }

    /// The early dialog a request of the peer belongs to, of a session that rings.
    pub(super) fn early_fork(&self, id: SessionId, headers: &Headers) -> Option<ForkId> {
        let session = self.sessions.get(id)?;
        match session.state {
            invite::State::Proceeding => {
                let dialog = DialogId::of_request(headers)?;
                session.forks.iter().find(|fork| *fork.dialog.id() == dialog).map(|fork| fork.id)
            }
            invite::State::Incoming | invite::State::Ringing => Some(session.fork),
            invite::State::Calling
            | invite::State::CancelWaiting
            | invite::State::Cancelling
            | invite::State::AnswerDue
            | invite::State::Answered
            | invite::State::AnsweredEnding
            | invite::State::Established
            | invite::State::Reinviting
            | invite::State::ReinviteBackoff
            | invite::State::Reinvited
            | invite::State::Reanswered
            | invite::State::Updated
            | invite::State::Terminating
            | invite::State::Terminated => None,
        }
    }

    /// Keeps the user's answer to the call back while an offer of the peer waits; gives it back if there is none.
    pub(super) fn hold_behind_offer(&mut self, id: SessionId, description: Bytes) -> Option<Bytes> {
        let early = self.sessions.get_mut(id).map(|session| &mut session.early);
        match early.filter(|early| early.state == State::AnswerDue) {
            Some(early) => {
                early.held = Some(description);
                None
            }
            None => Some(description),
        }
    }

    pub(super) fn early_due(&mut self, now: Instant, id: SessionId, fork: ForkId) {
        self.early_step(now, id, fork, Trigger::PatienceOver, &Source::default());
    }

    /// The session is over, and with it what waits in its early dialogs.
    pub(super) fn early_over(&mut self, now: Instant, id: SessionId) {
        self.end_early_offers(now, id, None);
        let Some(fork) = self.sessions.get(id).map(|session| session.fork) else { return };
        // An answer of the user that was held back is of no use any more.
        if let Some(place) = self.early_place(id, fork) {
            place.early.held = None;
        }
        self.early_step(now, id, fork, Trigger::Over, &gone());
    }

    /// Early dialogs are over but for one.
    pub(super) fn end_early_offers(&mut self, now: Instant, id: SessionId, but: Option<&DialogId>) {
        let Some(session) = self.sessions.get(id) else { return };
        let others = session.forks.iter().filter(|fork| Some(fork.dialog.id()) != but);
        let open = others.filter(|fork| fork.early.state != State::Idle);
        let open: Vec<ForkId> = open.map(|fork| fork.id).collect();
        for fork in open {
            self.early_step(now, id, fork, Trigger::Over, &gone());
        }
    }

    fn end_for_missing_answer(&mut self, now: Instant, id: SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        session.end_reason = Some(EndReason::AnswerMissing);
        let rings = matches!(session.state, invite::State::Incoming | invite::State::Ringing);
        let status = Some(StatusCode::NOT_ACCEPTABLE_HERE);
        let trigger = if rings { invite::Trigger::Reject } else { invite::Trigger::HangUp };
        self.session_step(now, id, trigger, &Context { status, ..Context::default() });
    }
}

/// What the peer hears of an offer whose dialog is gone.
fn gone() -> Source<'static> {
    Source { status: Some(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST), ..Source::default() }
}

/// Puts a description into a request.
fn describe(request: &mut Request, description: Option<&Bytes>) {
    if let Some(description) = description {
        request.headers.push_text(&HeaderName::ContentType, "application/sdp");
        request.body = description.clone();
    }
}
