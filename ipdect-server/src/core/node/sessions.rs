//! What the front end and the peers behind it do.

use std::time::Instant;

use bytes::Bytes;
use sip_lync::gruu::ConferenceUri;
use sip_lync::{EndReason, Event, ForkId, Party, Rendering, SessionId, StatusCode, Uri};

use super::super::call::step::{Phase, Trigger};
use super::super::call::{Direction, Peer, Refused};
use super::super::media_plan::RemoteMedia;
use super::super::vocabulary::Level;
use super::Node;
use crate::media::plan::Flowing;

impl Node {
    pub(super) fn sip_event(&mut self, now: Instant, event: Event) {
        match event {
            Event::Registered { .. }
            | Event::RegistrationFailed { .. }
            | Event::Redirected { .. }
            | Event::ServicesChanged { .. }
            | Event::Deregistered { .. } => self.registration_event(now, event),
            Event::FlowFailed { flow, error } => self.flow_failed(now, super::FlowId(flow.0), &error),
            Event::Incoming { session, user, from, description, replaces, details, .. } => {
                let peer = Peer { conference: details.conference.is_some(), ..peer_of(&from) };
                self.incoming(now, session, user, peer, description.as_ref(), replaces);
            }
            Event::Progress { session, fork, description, .. } => {
                self.early_media(now, session, fork, description.as_ref());
                self.session_trigger(now, session, Trigger::PeerProgress);
            }
            Event::Answered { session, fork, connected, conference, description, answer_due, .. } => {
                if let Some(call) = self.call_of(session) {
                    call.peer.conference |= conference.is_some();
                    if let Some(party) = &connected {
                        call.peer.name = peer_of(party).name;
                    }
                }
                self.answered(now, session, fork, description.as_ref(), answer_due);
            }
            Event::Confirmed { session, description } => {
                // With the offer in our 200, the peer's answer comes with its ACK.
                if let Some(description) = description
                    && !self.take_answer(now, session, ForkId(0), &description)
                {
                    self.session_trigger(now, session, Trigger::LocalFailure);
                    return;
                }
                self.session_trigger(now, session, Trigger::PeerConfirmed);
            }
            Event::Reoffered { session, description, rendering } => {
                self.reoffered(now, session, description.as_ref(), rendering);
            }
            Event::ReofferAnswered { session, description } => {
                let good = description
                    .as_ref()
                    .is_none_or(|description| self.take_answer(now, session, ForkId(0), description));
                if !good {
                    self.session_trigger(now, session, Trigger::LocalFailure);
                } else if !self.last_offer_over(now, session) {
                    self.session_trigger(now, session, Trigger::ReofferAccepted);
                }
            }
            Event::ReofferRefused { session, .. } => self.offer_refused(now, session),
            Event::ReofferWithdrawn { session } => {
                if let Some(call) = self.call_of(session) {
                    call.way.answer_by = None;
                }
            }
            Event::Failed { session, failure } => {
                if let Some(status) = failure.status
                    && self.offer_other_form(now, session, status)
                {
                    return;
                }
                if let Some(call) = self.call_of(session) {
                    let status = failure.status.map(|status| Refused::Status(status.code()));
                    call.refusal = Some(status.unwrap_or(Refused::NoAnswer));
                    call.outcome = "failed";
                    call.cause = match (&failure.status, &failure.diagnostics) {
                        (Some(status), Some(diagnostics)) => {
                            format!("{} {} ({diagnostics})", status.code(), failure.reason)
                        }
                        (Some(status), None) => format!("{} {}", status.code(), failure.reason),
                        (None, _) => "no answer".to_owned(),
                    };
                }
                self.session_over(now, session, Trigger::PeerRefused);
            }
            Event::Ended { session, reason, .. } => {
                if let Some(call) = self.call_of(session) {
                    if call.answered.is_none() {
                        call.outcome = match reason {
                            EndReason::Cancelled { completed_elsewhere: true } => "elsewhere",
                            EndReason::Cancelled { completed_elsewhere: false } => "missed",
                            _ => "failed",
                        };
                    }
                    // Whoever gives up first hangs up: the other side's record says why, too.
                    let searched = call.way.stream.is_some() && call.way.remote[0].is_none();
                    let stage = if searched && call.established() { ", ICE had found no way" } else { "" };
                    call.cause = format!("{reason:?}{stage}");
                }
                self.session_over(now, session, Trigger::PeerEnded);
            }
            Event::Request { id, .. } => {
                // Nothing but calls is taken: a text conversation reaches the user's other devices.
                self.endpoint.respond(
                    now,
                    id,
                    StatusCode::NOT_IMPLEMENTED,
                    &sip_lync::Headers::new(),
                    Bytes::new(),
                );
            }
            Event::Response { id, response } => self.publish_answered(now, id, &response),
            Event::RequestFailed { id, .. } => self.publish_failed(now, id),
            Event::SubscriptionNotified { subscription, body, .. } => {
                self.own_presence_told(now, subscription, &body);
            }
            Event::SubscriptionEnded { subscription, end, .. } => {
                self.own_presence_over(now, subscription, end);
            }
            Event::TransferRequested { session, target, headers } => {
                self.transfer_requested(now, session, &target, headers);
            }
            Event::Transferred { session, status } => {
                self.transferred(now, session, status.is_some_and(StatusCode::is_success));
            }
            Event::TransferRefused { session, .. } => self.transferred(now, session, false),
            // Notifications of registrations are the endpoint's own; further ones belong to services not asked for.
            _ => {}
        }
    }

    fn call_of(&mut self, session: SessionId) -> Option<&mut super::Call> {
        let id = self.by_session.get(&session)?;
        self.calls.get_mut(id)
    }

    fn session_trigger(&mut self, now: Instant, session: SessionId, trigger: Trigger) {
        if let Some(id) = self.by_session.get(&session).copied() {
            self.trigger(now, id, trigger);
        }
    }

    /// The session is gone; only then is the call told.
    fn session_over(&mut self, now: Instant, session: SessionId, trigger: Trigger) {
        if let Some(id) = self.by_session.remove(&session) {
            if let Some(call) = self.calls.get_mut(&id) {
                call.session = None;
            }
            self.trigger(now, id, trigger);
        }
    }

    fn incoming(
        &mut self,
        now: Instant,
        session: SessionId,
        user: sip_lync::UserId,
        peer: Peer,
        description: Option<&Bytes>,
        replaces: Option<SessionId>,
    ) {
        let Some(id) = self.subscribers.of_sip(user) else {
            self.endpoint.reject(now, session, StatusCode::NOT_FOUND);
            return;
        };
        let Some(subscriber) = self.subscribers.get(id) else { return };
        let refusal = if !subscriber.reachable() {
            Some(StatusCode::TEMPORARILY_UNAVAILABLE)
        } else if !subscriber.calls.is_empty() && replaces.is_none() {
            Some(StatusCode::BUSY_HERE)
        } else if self.stopping.is_some() {
            Some(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            None
        };
        if let Some(status) = refusal {
            self.endpoint.reject(now, session, status);
            return;
        }
        let Some(call) = self.new_call(now, id, Direction::LyncToHandset, Phase::Presented) else {
            self.log(Level::Warning, "an incoming call found no free voice channel".to_owned());
            self.endpoint.reject(now, session, StatusCode::SERVICE_UNAVAILABLE);
            return;
        };
        if let Some(call) = self.calls.get_mut(&call) {
            call.session = Some(session);
            call.peer = peer;
        }
        self.by_session.insert(session, call);
        let described = description.is_none_or(|description| self.take_offer(call, description).is_some());
        if !described {
            if let Some(call) = self.calls.get_mut(&call) {
                call.release_octet = super::super::call::map::reason::INCOMPATIBLE_SERVICE;
            }
            self.trigger(now, call, Trigger::LocalFailure);
            return;
        }
        if let Some(replaced) = replaces {
            // The handset is in a call already: it goes over without ringing.
            let taken = self.replace_call(now, replaced, call);
            self.trigger(now, call, if taken { Trigger::HandsetAnswered } else { Trigger::LocalFailure });
            return;
        }
        if !self.present(now, call) {
            if let Some(call) = self.calls.get_mut(&call) {
                call.release_octet = super::super::call::map::reason::USER_NOT_IN_RANGE;
            }
            self.trigger(now, call, Trigger::LocalFailure);
        }
    }

    /// Media of an early dialog: played to the handset before the call is answered.
    fn early_media(&mut self, now: Instant, session: SessionId, fork: ForkId, description: Option<&Bytes>) {
        let Some(id) = self.by_session.get(&session).copied() else { return };
        if let Some(description) = description
            && self.take_early_answer(now, id, fork, description)
        {
            self.install_media(now, id);
        }
    }

    fn answered(
        &mut self,
        now: Instant,
        session: SessionId,
        fork: ForkId,
        description: Option<&Bytes>,
        answer_due: bool,
    ) {
        let Some(id) = self.by_session.get(&session).copied() else { return };
        let good = match description {
            Some(description) if !answer_due => self.take_answer(now, session, fork, description),
            // Every INVITE of ours carries an offer, so a 200 carries its answer or repeats an earlier one.
            Some(_) => false,
            None => self.fork_chosen(id, fork),
        };
        if good {
            self.session_trigger(now, session, Trigger::PeerAnswered);
        } else {
            if let Some(call) = self.call_of(session) {
                call.refusal = Some(Refused::Status(488));
                "the peer's answer cannot be used".clone_into(&mut call.cause);
            }
            self.session_trigger(now, session, Trigger::LocalFailure);
        }
    }

    /// The peer changes the session: holds it, goes on, moves its media, or asks for our offer.
    fn reoffered(
        &mut self,
        now: Instant,
        session: SessionId,
        description: Option<&Bytes>,
        rendering: Rendering,
    ) {
        let Some(id) = self.by_session.get(&session).copied() else { return };
        let Some(description) = description else {
            let ours = self.calls.get(&id).is_some_and(|call| call.phase == Phase::Held);
            let rendering = if ours { Rendering::No } else { Rendering::Yes };
            let offer = self.further_offer(id, rendering);
            self.endpoint.answer_reoffer(now, session, offer);
            return;
        };
        if self.take_offer(id, description).is_none() || !self.take_ice_offer(now, id) {
            self.endpoint.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
            return;
        }
        let settling = self.calls.get(&id).is_some_and(|call| call.way.answer_by.is_some());
        if !settling {
            self.answer_reoffer(now, id);
        }
        self.install_media(now, id);
        let Some(call) = self.calls.get_mut(&id) else { return };
        let held = rendering == Rendering::No
            || call.remote.as_ref().is_some_and(|remote: &RemoteMedia| remote.flowing == Flowing::NONE);
        let changed = call.held_by_peer != held;
        call.held_by_peer = held;
        if changed {
            self.show_peer(now, id);
        }
    }

    /// Answers the peer's further offer.
    pub(super) fn answer_reoffer(&mut self, now: Instant, id: u32) {
        let Some(session) = self.calls.get(&id).and_then(|call| call.session) else { return };
        match self.answer_description(id) {
            Some(answer) => self.endpoint.answer_reoffer(now, session, answer),
            None => self.endpoint.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE),
        }
    }

    /// Our 200 to an incoming call.
    pub(super) fn accept(&mut self, now: Instant, id: u32) -> bool {
        let Some(session) = self.calls.get(&id).and_then(|call| call.session) else { return false };
        let offered = self.calls.get(&id).is_some_and(|call| call.remote.is_some());
        let description = if !offered {
            Some(self.offer(now, id))
        } else if self.take_ice_offer(now, id) {
            self.answer_description(id)
        } else {
            None
        };
        let Some(description) = description else { return false };
        self.endpoint.answer(now, session, description);
        self.install_media(now, id);
        true
    }
}

/// The other party for display and log.
fn peer_of(party: &Party) -> Peer {
    let number = party
        .tel
        .as_deref()
        .and_then(|tel| tel.strip_prefix("tel:"))
        .map(|tel| tel.split(';').next().unwrap_or_default().to_owned());
    let user = match &party.uri {
        Uri::Sip(uri) => uri.user().map(|user| user.split(';').next().unwrap_or_default().to_owned()),
        _ => None,
    };
    // Letters are no number; the whole URI stays in the log for redial.
    let number = number.or_else(|| {
        user.clone().filter(|user| {
            !user.is_empty() && user.chars().all(|key| key.is_ascii_digit() || "+*#".contains(key))
        })
    });
    Peer {
        uri: party.uri.to_string(),
        name: party.display.clone().or(user).unwrap_or_default(),
        number: number.unwrap_or_default(),
        conference: is_conference(&party.uri),
    }
}

/// Whether the address is the one of a conference.
pub(super) fn is_conference(uri: &Uri) -> bool {
    uri.sip().and_then(ConferenceUri::of).is_some()
}
