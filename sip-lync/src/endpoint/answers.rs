//! What peers answer to the requests of our sessions.

use std::time::Instant;

use bytes::Bytes;

use super::description::session_description;
use super::requests::has_tag;
use super::session::Fork;
use super::step::{Context, Source};
use super::vocabulary::{ForkId, SessionId};
use super::{Endpoint, Purpose, early};
use crate::dialog::Dialog;
use crate::early_offer;
use crate::grammar;
use crate::headers::{HeaderName, Headers};
use crate::invite::{State, Trigger};
use crate::message::Response;
use crate::method::Method;
use crate::offer_answer::{self, Meaning, Position};
use crate::session_timer::SessionTimer;
use crate::status::StatusCode;
use crate::transaction::{ClientId, Failure};

impl Endpoint {
    /// A response to our INVITE.
    ///
    /// RFC 3261 13.2.2
    pub(super) fn on_invite_response(
        &mut self,
        now: Instant,
        id: SessionId,
        client: ClientId,
        response: &Response,
    ) {
        let source = Source { response: Some(response), client: Some(client), ..Source::default() };
        let context = Context { source, status: Some(response.status), ..Context::default() };
        if response.status.is_provisional() {
            self.on_provisional(now, id, context, response);
        } else if response.status.is_success() {
            self.on_success(now, id, context, response);
        } else if !self.retry_invite(now, id, response) {
            if matches!(response.status.code(), 401 | 407)
                && let Some((user, flow)) = self.sessions.get(id).map(|session| (session.user, session.flow))
            {
                self.association_lost(now, user, flow);
            }
            self.session_step(now, id, Trigger::Refused, &context);
        }
    }

    fn on_provisional(&mut self, now: Instant, id: SessionId, mut context: Context<'_>, response: &Response) {
        let tagged = has_tag(&response.headers);
        // 100 and 101 belong to routing and make no dialog.
        if response.status.code() > 101 && tagged {
            let Some(fork) = self.fork_of(id, response) else { return };
            match self.acknowledge_provisional(now, id, fork, response) {
                Acknowledged::No => return,
                Acknowledged::Yes => context.description = self.fork_description(id, fork, response),
                Acknowledged::WithAnswer(description) => {
                    context.fork = Some(fork);
                    self.session_step(now, id, Trigger::Provisional, &context);
                    let source = early::Source { description: Some(description), ..early::Source::default() };
                    self.early_step(now, id, fork, early_offer::Trigger::ProvisionalOffer, &source);
                    return;
                }
            }
            context.fork = Some(fork);
        }
        self.session_step(now, id, Trigger::Provisional, &context);
    }

    /// The early dialog a provisional response belongs to; a new one is made unless there are too many.
    ///
    /// RFC 3261 12.1
    fn fork_of(&mut self, id: SessionId, response: &Response) -> Option<ForkId> {
        let limit = self.config.limits.forks;
        let session = self.sessions.get_mut(id)?;
        let dialog = Dialog::of_caller(session.invite.as_deref()?, response)?;
        if let Some(fork) = session.forks.iter_mut().find(|fork| fork.dialog.id() == dialog.id()) {
            fork.dialog.refresh_target(&response.headers);
            return Some(fork.id);
        }
        if session.forks.len() >= limit {
            return None;
        }
        let fork = ForkId(session.next_fork);
        session.next_fork += 1;
        let dialog_id = dialog.id().clone();
        let position = session.position;
        session.forks.push(Fork {
            id: fork,
            dialog,
            position,
            description: None,
            rseq: None,
            early: early::EarlyOffer::default(),
        });
        self.sessions.add_dialog(dialog_id, id);
        Some(fork)
    }

    /// Sends PRACK for a reliable provisional response, unless it is a repetition or out of order, or makes an offer.
    ///
    /// RFC 3262 4, RFC 3262 5
    fn acknowledge_provisional(
        &mut self,
        now: Instant,
        id: SessionId,
        fork: ForkId,
        response: &Response,
    ) -> Acknowledged {
        let reliable = response.headers.require().is_ok_and(|require| require.contains("100rel"));
        let Some(rseq) = response.headers.rseq().ok().flatten().filter(|_| reliable) else {
            return Acknowledged::Yes;
        };
        let limit = self.config.limits.reliable_responses;
        let Some(session) = self.sessions.get_mut(id) else { return Acknowledged::No };
        let flow = session.flow;
        let rings = matches!(session.state, State::Calling | State::Proceeding);
        let Some(cseq) = response.headers.cseq().ok().flatten() else { return Acknowledged::No };
        let Some(of) = session.forks.iter_mut().find(|of| of.id == fork) else { return Acknowledged::No };
        if of.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) || session.reliable_responses >= limit {
            return Acknowledged::No;
        }
        session.reliable_responses += 1;
        of.rseq = Some(rseq);
        let rack = format!("{rseq} {} INVITE", cseq.number);
        // RFC 3262 5: the answer to an offer in the response goes into the PRACK.
        if of.position == Position::None
            && rings
            && let Ok(Some(offer)) = session_description(&response.headers, &response.body)
        {
            self.keep_rack(id, fork, rack);
            return Acknowledged::WithAnswer(offer);
        }
        let mut prack = of.dialog.request(&Method::Prack);
        prack.headers.push(HeaderName::RAck, rack);
        if let Ok(client) = self.send_request(now, flow, prack) {
            self.purposes.insert(client, Purpose::Nothing);
        }
        Acknowledged::Yes
    }

    /// The description of a response on an early dialog: its answer, kept for the 200 that leaves it out.
    fn fork_description(&mut self, id: SessionId, fork: ForkId, response: &Response) -> Option<Bytes> {
        let description = session_description(&response.headers, &response.body).ok().flatten();
        let fork = self.sessions.get_mut(id)?.forks.iter_mut().find(|of| of.id == fork)?;
        if let Some(description) = description {
            let (position, meaning) = offer_answer::repeat(fork.position);
            fork.position = position;
            // RFC 6337 3.1.1: later descriptions of the dialog repeat the first one.
            if matches!(meaning, Meaning::Answer | Meaning::Offer) {
                fork.description = Some(description);
                return fork.description.clone();
            }
        }
        None
    }

    fn on_success(&mut self, now: Instant, id: SessionId, mut context: Context<'_>, response: &Response) {
        let Some(session) = self.sessions.get_mut(id) else {
            // The session is over; whoever answers now is told so.
            self.end_fork(now, &context);
            return;
        };
        let waiting = match session.state {
            State::Calling | State::Proceeding | State::CancelWaiting | State::Cancelling => true,
            State::AnswerDue
            | State::Incoming
            | State::Ringing
            | State::Answered
            | State::AnsweredEnding
            | State::Established
            | State::Reinviting
            | State::ReinviteBackoff
            | State::Reinvited
            | State::Reanswered
            | State::Updated
            | State::Terminating
            | State::Terminated => false,
        };
        if !waiting {
            let tag = response.headers.to().ok().flatten().and_then(|to| to.tag().map(str::to_owned));
            let same = session
                .dialog
                .as_ref()
                .is_some_and(|dialog| *dialog.id().remote_tag == *tag.as_deref().unwrap_or_default());
            let trigger = if same { Trigger::SuccessAgain } else { Trigger::ForkAnswered };
            self.session_step(now, id, trigger, &context);
            return;
        }
        let Some(dialog) = session.invite.as_deref().and_then(|invite| Dialog::of_caller(invite, response))
        else {
            // A 2xx without To or with a foreign From: the call cannot go on.
            self.session_step(now, id, Trigger::Refused, &context);
            return;
        };
        let confirmed = dialog.id().clone();
        self.end_early_offers(now, id, Some(&confirmed));
        let Some(session) = self.sessions.get_mut(id) else { return };
        let forks = std::mem::take(&mut session.forks);
        let mut chosen = Fork {
            id: ForkId(session.next_fork),
            position: session.position,
            dialog,
            description: None,
            rseq: None,
            early: early::EarlyOffer::default(),
        };
        let mut others = Vec::new();
        for fork in forks {
            if fork.dialog.id() == chosen.dialog.id() {
                chosen = fork;
                chosen.dialog.confirm(response);
            } else {
                others.push(fork.dialog.id().clone());
            }
        }
        let offered = session.position == Position::Offered;
        let description = session_description(&response.headers, &response.body).ok().flatten();
        // RFC 6337 3.1.1: after a reliable answer and further offers the 200 has nothing new to say.
        let settled = chosen.early.changed && chosen.position != Position::OfferReceived;
        let answer = if settled { chosen.description } else { description.or(chosen.description) };
        session.position = match (&answer, offered) {
            (_, _) if settled => chosen.position,
            (Some(_), true) => Position::Agreed,
            (Some(_), false) => Position::OfferReceived,
            (None, _) => session.position,
        };
        let offered = offered || settled;
        let dialog_id = chosen.dialog.id().clone();
        session.dialog = Some(chosen.dialog);
        session.fork = chosen.id;
        session.early = chosen.early;
        let fork = chosen.id;
        session.invite = None;
        session.peer_updates = takes_update(&response.headers);
        for other in others {
            self.sessions.remove_dialog(&other, id);
        }
        self.sessions.add_dialog(dialog_id, id);
        self.start_timer(now, id, SessionTimer::of_response(&response.headers));
        context.fork = Some(fork);
        self.early_step(now, id, fork, early_offer::Trigger::Confirmed, &early::Source::default());
        let trigger = if answer.is_some() && !offered { Trigger::SuccessWithOffer } else { Trigger::Success };
        context.description = answer;
        self.session_step(now, id, trigger, &context);
    }

    /// A response to our re-INVITE.
    ///
    /// RFC 3261 14.1
    pub(super) fn on_reinvite_response(&mut self, now: Instant, id: SessionId, response: &Response) {
        if response.status.is_provisional() {
            return self.acknowledge_reinvite_progress(now, id, response);
        }
        let source = Source { response: Some(response), ..Source::default() };
        let mut context = Context { source, status: Some(response.status), ..Context::default() };
        let trigger = match response.status.code() {
            200..=299 => {
                let cseq = response.headers.cseq().ok().flatten().map_or(0, |cseq| cseq.number);
                let Some(session) = self.sessions.get_mut(id) else { return };
                session.glares = 0;
                if session.acks.iter().any(|(of, _)| *of == cseq) {
                    self.repeat_ack(id, &context);
                    return;
                }
                if let Some(dialog) = &mut session.dialog {
                    dialog.refresh_target(&response.headers);
                }
                self.take_route_of_response(id, response);
                self.start_timer(now, id, SessionTimer::of_response(&response.headers));
                self.reinvite_accepted(now, id, response, &mut context)
            }
            491 if self.glares_again(id) => Trigger::ReinvitePending,
            // The dialog is recovered while the re-INVITE waits to be sent again.
            430 if self.on_flow_failed(now, id, response) => {
                if let Some(dialog) = self.sessions.get_mut(id).and_then(|session| session.dialog.as_mut()) {
                    dialog.forget_route();
                }
                Trigger::ReinvitePending
            }
            430 => Trigger::ReinviteGone,
            408 | 481 => Trigger::ReinviteGone,
            _ => Trigger::ReinviteRefused,
        };
        self.session_step(now, id, trigger, &context);
    }

    /// Whether a re-INVITE that met one of the peer is worth another attempt: who is busy with one of its own is done some
    /// time, who says so for ever refuses.
    ///
    /// RFC 3261 14.1
    fn glares_again(&mut self, id: SessionId) -> bool {
        let Some(session) = self.sessions.get_mut(id) else { return false };
        session.glares = session.glares.saturating_add(1);
        if session.glares > GLARES {
            session.glares = 0;
            return false;
        }
        true
    }

    /// A reliable provisional response to our re-INVITE is acknowledged; an answer in it is kept for the 200.
    ///
    /// RFC 3262 4
    fn acknowledge_reinvite_progress(&mut self, now: Instant, id: SessionId, response: &Response) {
        let headers = &response.headers;
        let reliable = headers.require().is_ok_and(|require| require.contains("100rel"));
        let Some(rseq) = headers.rseq().ok().flatten().filter(|_| reliable) else { return };
        let limit = self.config.limits.reliable_responses;
        // RFC 3261 15: after our BYE nothing more is asked of the peer; an overtaking PRACK would make the BYE out of order.
        let Some(session) = self.sessions.get_mut(id).filter(|of| of.state != State::Terminating) else {
            return;
        };
        let flow = session.flow;
        let progress = &mut session.reinvite_progress;
        if progress.rseq.is_some_and(|last| rseq != last.wrapping_add(1)) || progress.count >= limit {
            return;
        }
        progress.count += 1;
        let Some(cseq) = headers.cseq().ok().flatten() else { return };
        progress.rseq = Some(rseq);
        let rack = format!("{rseq} {} INVITE", cseq.number);
        if progress.description.is_none()
            && let Ok(Some(description)) = session_description(headers, &response.body)
        {
            progress.description = Some(description.clone());
            progress.offered = session.position == Position::Agreed;
            if progress.offered {
                let fork = session.fork;
                self.keep_rack(id, fork, rack);
                let source = early::Source { description: Some(description), ..early::Source::default() };
                return self.early_step(now, id, fork, early_offer::Trigger::ProvisionalOffer, &source);
            }
        }
        let Some(dialog) = &mut session.dialog else { return };
        let mut prack = dialog.request(&Method::Prack);
        prack.headers.push(HeaderName::RAck, rack);
        if let Ok(client) = self.send_request(now, flow, prack) {
            self.purposes.insert(client, Purpose::Nothing);
        }
    }

    /// What the 2xx to our re-INVITE brings: an answer, one that came before it, or the offer we asked for.
    fn reinvite_accepted(
        &mut self,
        now: Instant,
        id: SessionId,
        response: &Response,
        context: &mut Context<'_>,
    ) -> Trigger {
        let description = session_description(&response.headers, &response.body).ok().flatten();
        let Some(session) = self.sessions.get_mut(id) else { return Trigger::ReinviteSuccess };
        let progress = std::mem::take(&mut session.reinvite_progress);
        let fork = session.fork;
        if progress.offered {
            let due = session.early.state == early_offer::State::PrackDue;
            self.early_step(now, id, fork, early_offer::Trigger::Confirmed, &early::Source::default());
            if due {
                context.description = progress.description;
                return Trigger::ReinviteSuccessWithOffer;
            }
            return Trigger::ReinviteSuccess;
        }
        context.description = description.or(progress.description);
        if session.position == Position::Agreed && context.description.is_some() {
            self.move_position(id, offer_answer::Trigger::Receive);
            return Trigger::ReinviteSuccessWithOffer;
        }
        Trigger::ReinviteSuccess
    }

    /// A request of a session has no final response.
    ///
    /// RFC 3261 8.1.3.1
    pub(super) fn on_session_failure(&mut self, now: Instant, purpose: Purpose, failure: Failure) {
        let (id, trigger) = match (purpose, failure) {
            (Purpose::Invite(id), _) => (id, Trigger::Refused),
            // RFC 3261 12.2.1.2: no response counts as 408.
            (Purpose::Reinvite(id), Failure::TimedOut) => (id, Trigger::ReinviteGone),
            (Purpose::Reinvite(id), Failure::FlowLost) => (id, Trigger::ReinviteRefused),
            (Purpose::Bye(id), _) => (id, Trigger::ByeFinal),
            (
                Purpose::Register(_)
                | Purpose::Request(_)
                | Purpose::Refresh(_)
                | Purpose::Refer(_)
                | Purpose::EarlyUpdate(..)
                | Purpose::Focus(_)
                | Purpose::Subscribe(_)
                | Purpose::Nothing,
                _,
            ) => {
                return;
            }
        };
        self.session_step(now, id, trigger, &Context::default());
    }

    /// After CANCEL no final response came: the INVITE is given up.
    ///
    /// RFC 3261 9.1
    pub(super) fn cancel_given_up(&mut self, now: Instant, id: SessionId) {
        if let Some(client) = self.sessions.get(id).and_then(|session| session.invite_client) {
            self.layer.give_up(client);
        }
        self.session_step(now, id, Trigger::CancelTimeout, &Context::default());
    }

    /// Why a BYE is refused is of no interest, the session is over either way; unless a later request of the dialog
    /// overtook it, a notification of a transfer: then the peer was right to refuse the BYE and has heard of no end.
    ///
    /// RFC 3261 12.2.2, RFC 3261 15.1.1, RFC 5057 4.1
    pub(super) fn on_bye_response(&mut self, now: Instant, id: SessionId, response: &Response) {
        if !response.status.is_final() {
            return;
        }
        let number = response.headers.cseq().ok().flatten().map(|cseq| cseq.number);
        let last = self.sessions.get(id).and_then(|session| session.dialog.as_ref()).map(Dialog::local_cseq);
        let overtaken = number.zip(last).is_some_and(|(number, last)| number < last);
        if overtaken && response.status == StatusCode::SERVER_INTERNAL_ERROR {
            return self.send_bye(now, id);
        }
        self.session_step(now, id, Trigger::ByeFinal, &Context::default());
    }
}

/// Attempts of one re-INVITE that meet those of the peer.
const GLARES: u8 = 10;

/// What became of a provisional response.
enum Acknowledged {
    /// It is a repetition or out of order: it counts for nothing.
    No,
    /// It needs no PRACK, or that was sent.
    Yes,
    /// It makes an offer: the PRACK waits for the answer.
    WithAnswer(Bytes),
}

/// Whether the sender names UPDATE among its methods.
///
/// RFC 3311 4
pub(super) fn takes_update(headers: &Headers) -> bool {
    let mut update = false;
    for method in headers.elements(&HeaderName::Allow) {
        update |= method.eq_ignore_ascii_case("UPDATE");
        if !grammar::is_token(method.as_bytes()) {
            return false;
        }
    }
    update
}
