//! Calls: begun by either side, stepped by triggers, ended on both.

use std::collections::BTreeMap;
use std::time::Instant;

use dect_nwk::element::{ReleaseReason, Signal};
use dect_nwk::fixed_part::IncomingCall;
use dect_nwk::services::Slot;
use presence_pidf::{CallKey, Remote};
use sip_lync::{Invite, Rendering, SessionId, StatusCode, Uri};

use super::super::call::step::{Action, Phase, Trigger, step};
use super::super::call::way::Way;
use super::super::call::{Call, Direction, Peer, Refused, map};
use super::super::numbering::Numbering;
use super::super::subscriber::SubscriberId;
use super::super::vocabulary::{CallRecord, Level, StoreWrite};
use super::{Node, Waiting};
use crate::media::plan::MediaCommand;

/// The dial plan that the front end applies to numbers without `+`.
const DIAL_PLAN: &str = "user-default";
/// Characters of a handset's display.
const DISPLAY: usize = 24;

impl Node {
    /// A handset begins a call; none without a free channel.
    pub(super) fn outgoing_call(
        &mut self,
        now: Instant,
        id: SubscriberId,
        dect: dect_nwk::CallId,
    ) -> Option<u32> {
        let call = self.new_call(now, id, Direction::HandsetToLync, Phase::Overlap)?;
        self.calls.get_mut(&call)?.dect = Some(dect);
        self.by_dect.insert(dect, call);
        Some(call)
    }

    /// A call with a channel of its own; none without a free one.
    pub(super) fn new_call(
        &mut self,
        now: Instant,
        subscriber: SubscriberId,
        direction: Direction,
        phase: Phase,
    ) -> Option<u32> {
        let channel = self.channels.take()?;
        let id = self.next_call;
        self.next_call = self.next_call.wrapping_add(1).max(1);
        let call = Call {
            id,
            subscriber,
            direction,
            phase,
            since: now,
            dect: None,
            session: None,
            dialled: String::new(),
            peer: Peer::default(),
            channel,
            link: None,
            bearer: None,
            radio: None,
            radio_keys: None,
            network_ssrc: self.draw.number("ssrc"),
            radio_ssrc: self.draw.number("radio ssrc"),
            offered: None,
            agreed: None,
            answer_line: None,
            remote: None,
            early: BTreeMap::new(),
            way: Way::new(self.deadlines.insert(Waiting::Way(id))),
            version: 0,
            held_by_peer: false,
            started: self.wall_at(now),
            answered: None,
            outcome: "failed",
            cause: String::new(),
            release_octet: map::reason::NORMAL,
            refusal: None,
            slot: Some(Slot::First),
            returns_to: None,
            next: None,
            transferring: false,
            digits_end: None,
            waiter: self.deadlines.insert(Waiting::Call(id)),
        };
        self.calls.insert(id, call);
        if let Some(subscriber) = self.subscribers.get_mut(subscriber) {
            subscriber.calls.insert(id);
        }
        Some(id)
    }

    pub(super) fn call_timeout(&mut self, now: Instant, id: u32) {
        if let Some(call) = self.calls.get_mut(&id)
            && call.digits_end.take_if(|end| *end <= now).is_some()
        {
            self.second_number_complete(now, id);
            self.trigger(now, id, Trigger::DialComplete);
        }
    }

    /// Steps a call and does what follows.
    pub(super) fn trigger(&mut self, now: Instant, id: u32, trigger: Trigger) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let was_established = call.established();
        let before = call.phase;
        let (next, actions) = step(call.phase, trigger);
        if next != call.phase {
            call.phase = next;
            call.since = now;
        }
        let answered = before == Phase::Further && next == Phase::Active;
        if before == Phase::Overlap && next != Phase::Overlap {
            call.digits_end = None;
            self.deadlines.set(call.waiter, None);
        }
        self.searching.insert(id);
        let established = call.established();
        if established && !was_established {
            call.answered = Some(self.wall + now.saturating_duration_since(self.started));
            call.outcome = "answered";
        }
        let subscriber = call.subscriber;
        self.presence_follows(now, subscriber, id, was_established, established);
        for action in actions {
            if !self.act(now, id, *action) {
                // The action could not be done: the call ends, unless it has ended already.
                self.trigger(now, id, Trigger::LocalFailure);
                return;
            }
        }
        if answered {
            self.further_answered(now, id);
        }
    }

    fn presence_follows(&mut self, now: Instant, id: SubscriberId, call: u32, was: bool, is: bool) {
        if was == is {
            return;
        }
        let conference = self.calls.get(&call).is_some_and(|call| call.peer.conference);
        if let Some(subscriber) = self.subscribers.get_mut(id) {
            let key = CallKey(u64::from(call));
            if is {
                let remote = if conference { Remote::Conference } else { Remote::Party };
                subscriber.presence.answered(now, key, remote);
            } else {
                subscriber.presence.ended(now, key);
            }
            self.touched.insert(id);
        }
    }

    /// Does one action; false when it cannot be done.
    fn act(&mut self, now: Instant, id: u32, action: Action) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let (dect, session) = (call.dect, call.session);
        match action {
            Action::Invite => return self.send_invite(now, id),
            Action::Ring => {
                if let Some(session) = session {
                    self.endpoint.ring(now, session, None);
                }
            }
            Action::Accept => return self.accept(now, id),
            Action::HangUp => {
                if let Some(session) = call.session.take() {
                    let status = map::release_to_status(call.release_octet);
                    let unanswered = call.direction == Direction::LyncToHandset && call.answered.is_none();
                    self.by_session.remove(&session);
                    if unanswered {
                        let status = StatusCode::new(status).unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
                        self.endpoint.reject(now, session, status);
                    } else {
                        self.endpoint.hang_up(now, session);
                    }
                }
            }
            Action::Proceeding => {
                if let Some(dect) = dect {
                    let done = self.fixed_part.call_proceeding(now, dect);
                    self.note_dect(done);
                }
            }
            Action::Alert => {
                if let Some(dect) = dect {
                    let done = self.fixed_part.alerting(now, dect);
                    self.note_dect(done);
                }
            }
            Action::Connect => {
                if let Some(dect) = dect {
                    let done = self.fixed_part.connect(now, dect);
                    self.note_dect(done);
                    self.show_peer(now, id);
                }
                self.install_media(now, id);
            }
            Action::Release => {
                if self.return_handset(now, id) {
                    return true;
                }
                let Some(call) = self.calls.get_mut(&id) else { return false };
                if let Some(dect) = call.dect.take() {
                    let (octet, words) = match call.refusal {
                        Some(refused) => map::refusal_to_handset(refused),
                        None => (map::reason::NORMAL, ""),
                    };
                    self.by_dect.remove(&dect);
                    if !words.is_empty() {
                        self.show(now, dect, words);
                    }
                    let done = self.fixed_part.release(now, dect, ReleaseReason::from_code(octet));
                    self.note_dect(done);
                }
            }
            Action::OfferHold => return self.reoffer(now, id, Rendering::No),
            Action::OfferRetrieve => return self.reoffer(now, id, Rendering::Yes),
            Action::ShowHeld => {
                self.show_peer(now, id);
                self.install_media(now, id);
                self.go_on(now, id);
            }
            Action::ShowConnected => {
                self.show_peer(now, id);
                self.install_media(now, id);
                self.stay(now, id);
            }
            Action::Close => self.close_call(now, id),
        }
        true
    }

    pub(super) fn send_invite(&mut self, now: Instant, id: u32) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let Some(subscriber) = self.subscribers.get(call.subscriber) else { return false };
        let sip = subscriber.sip;
        let dialled = call.dialled.clone();
        let (text, target) = match self.target(call.subscriber, &dialled) {
            Ok(target) => target,
            Err(why) => {
                self.refuse_dialling(id, &why);
                return false;
            }
        };
        let body = self.first_offer(now, id);
        let mut invite = Invite::new(target, body.octets);
        invite.content_type = body.content_type;
        match self.endpoint.invite(now, sip, invite) {
            Ok(session) => {
                self.by_session.insert(session, id);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.session = Some(session);
                    call.peer = Peer { uri: text, number: dialled, ..Peer::default() };
                }
                true
            }
            Err(error) => {
                self.refuse_dialling(id, &error.to_string());
                false
            }
        }
    }

    /// The URI of a number that a handset dialled, as text too.
    pub(super) fn target(&self, subscriber: SubscriberId, number: &str) -> Result<(String, Uri), String> {
        let subscriber = self.subscribers.get(subscriber).ok_or("there is no such user")?;
        let numbering = Numbering {
            domain: subscriber.domain.clone(),
            dial_plan: DIAL_PLAN.to_owned(),
            sips: self.configuration.sip.use_sips_uri,
        };
        let text = numbering.target(number).map_err(|error| error.to_string())?;
        let uri = text.parse::<Uri>().map_err(|error| error.to_string())?;
        Ok((text, uri))
    }

    fn refuse_dialling(&mut self, id: u32, why: &str) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.refusal = Some(Refused::Status(484));
            why.clone_into(&mut call.cause);
        }
        self.log(Level::Warning, format!("call {id}: {why}"));
    }

    pub(super) fn reoffer(&mut self, now: Instant, id: u32, rendering: Rendering) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let Some(session) = call.session else { return false };
        if call.way.offering || !self.endpoint.may_reoffer(session) {
            // One offer at a time, the peer's too: ours follows.
            call.way.wanted = Some(rendering);
            self.waiting_offers.insert(id);
            return true;
        }
        let description = self.further_offer(id, rendering);
        match self.endpoint.reoffer(now, session, description, rendering) {
            Ok(()) => true,
            Err(error) => {
                self.log(Level::Warning, format!("call {id}: the hold could not be offered: {error}"));
                // The call goes on as it was.
                self.trigger(now, id, Trigger::ReofferRefused);
                true
            }
        }
    }

    /// Makes the offers that waited for another one to end; whether there were any.
    pub(super) fn drain_offers(&mut self, now: Instant) -> bool {
        let mut ready = Vec::new();
        self.waiting_offers.retain(|id| {
            let Some(call) = self.calls.get_mut(id) else { return false };
            let Some(session) = call.session.filter(|_| call.way.wanted.is_some()) else { return false };
            let free = !call.way.offering && self.endpoint.may_reoffer(session);
            if free {
                ready.extend(call.way.wanted.take().map(|rendering| (*id, rendering)));
            }
            !free
        });
        for (id, rendering) in &ready {
            self.reoffer(now, *id, *rendering);
        }
        !ready.is_empty()
    }

    /// An offer of ours came to nothing.
    pub(super) fn offer_refused(&mut self, now: Instant, session: SessionId) {
        let Some(id) = self.by_session.get(&session).copied() else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.offered = None;
        let (phase, dect) = (call.phase, call.dect);
        if self.last_offer_over(now, session) {
            return;
        }
        // The peer was first: what the handset wants is offered again when that is settled.
        let overtaken = !self.endpoint.may_reoffer(session);
        match phase {
            Phase::HoldPending if overtaken => _ = self.reoffer(now, id, Rendering::No),
            Phase::RetrievePending if overtaken => _ = self.reoffer(now, id, Rendering::Yes),
            _ => self.trigger(now, id, Trigger::ReofferRefused),
        }
        if let (Phase::HoldPending, false, Some(dect)) = (phase, overtaken, dect) {
            self.show(now, dect, "Hold refused");
        }
    }

    /// On the display: who holds the call, or else the peer's name or number.
    pub(super) fn show_peer(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let Some(dect) = call.dect else { return };
        let text = match (call.phase, call.held_by_peer) {
            (Phase::Held, _) => "On hold",
            (_, true) => "Held by peer",
            (_, false) if call.peer.name.is_empty() => &call.peer.number,
            (_, false) => &call.peer.name,
        };
        let text: String = text.chars().take(DISPLAY).collect();
        self.show(now, dect, &text);
    }

    /// Rings the handset for an incoming call; false when it cannot be reached.
    pub(super) fn present(&mut self, now: Instant, id: u32) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let Some(portable) = self.subscribers.get(call.subscriber).and_then(|subscriber| subscriber.portable)
        else {
            return false;
        };
        let incoming = IncomingCall {
            calling_number: (!call.peer.number.is_empty()).then(|| call.peer.number.clone()),
            calling_name: (!call.peer.name.is_empty())
                .then(|| call.peer.name.chars().take(DISPLAY).collect()),
            display: None,
            signal: Some(Signal::Alerting0),
            internal: false,
            wideband: false,
        };
        match self.fixed_part.setup(now, portable, incoming) {
            Ok(dect) => {
                self.by_dect.insert(dect, id);
                if let Some(call) = self.calls.get_mut(&id) {
                    call.dect = Some(dect);
                }
                true
            }
            Err(error) => {
                self.log(Level::Warning, format!("call {id}: the handset cannot be called: {error}"));
                false
            }
        }
    }

    fn close_call(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.remove(&id) else { return };
        if let Some(bearer) = call.bearer {
            self.by_bearer.remove(&bearer);
            self.radio.close_bearer(now, bearer);
        }
        self.effects.push_back(super::Effect::Media(MediaCommand::Remove { channel: call.channel.id }));
        self.channels.give_back(call.channel.id);
        self.deadlines.remove(call.waiter);
        self.deadlines.remove(call.way.waiter);
        self.searching.remove(&id);
        self.forget_return(id, call.returns_to);
        if let Some(session) = call.session {
            self.by_session.remove(&session);
        }
        if let Some(dect) = call.dect {
            self.by_dect.remove(&dect);
        }
        let Some(subscriber) = self.subscribers.get_mut(call.subscriber) else { return };
        subscriber.calls.remove(&id);
        if call.answered.is_none() && !call.dialled.is_empty() {
            subscriber.presence.used(now);
            self.touched.insert(call.subscriber);
        }
        let record = CallRecord {
            ipei: subscriber.user.ipei.text().to_owned(),
            direction: call.direction.name(),
            peer: call.peer.uri,
            peer_name: call.peer.name,
            started: call.started,
            answered: call.answered,
            ended: self.wall_at(now),
            outcome: call.outcome,
            cause: call.cause,
            srtp: call.agreed.as_ref().and_then(srtp_sdes::Agreed::suite_name).map(str::to_owned),
        };
        self.store(StoreWrite::Call(record));
    }
}
