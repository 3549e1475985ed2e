//! A handset that goes from one call to another: transfers, calls that replace others, and a handset's second call.
//!
//! At any time one call has the handset: its DECT call and its bearer. The others wait, parked, with their sessions and
//! their channels, in which nothing flows.

use std::time::Instant;

use dect_nwk::services::{Action, Leg, Slot};
use sip_lync::{Invite, SessionId, StatusCode, Uri};

use super::super::call::step::{Phase, Trigger};
use super::super::call::{Direction, Next, Peer, Refused};
use super::super::subscriber::SubscriberId;
use super::super::vocabulary::Level;
use super::Node;
use super::handsets::{DIGITS, INTER_DIGIT};

impl Node {
    /// The handset goes to a call that waits for it. Each call keeps its channel, so that its way through the network
    /// and the state of its keys live on; the bearer is opened again towards the other channel.
    fn move_handset(&mut self, now: Instant, from: u32, to: u32) {
        let Some(left) = self.calls.get_mut(&from) else { return };
        let (dect, link, slot) = (left.dect.take(), left.link.take(), left.slot);
        if let Some(bearer) = left.bearer.take() {
            self.by_bearer.remove(&bearer);
            self.radio.close_bearer(now, bearer);
        }
        let Some(taken) = self.calls.get_mut(&to) else { return };
        taken.dect = dect;
        let stands_in = taken.slot.is_none();
        if stands_in {
            taken.slot = slot;
        }
        if let Some(dect) = dect {
            self.by_dect.insert(dect, to);
        }
        if let Some(left) = self.calls.get_mut(&from).filter(|_| stands_in) {
            left.slot = None;
        }
        if let Some(link) = link {
            let ssrc = self.draw.number("radio ssrc");
            if let Some(call) = self.calls.get_mut(&to) {
                call.radio_ssrc = ssrc;
            }
            self.open_bearer(now, to, link);
        }
    }

    /// The handset leaves its call for another one, which gives it back when it ends.
    fn take_handset(&mut self, now: Instant, from: u32, to: u32) {
        self.move_handset(now, from, to);
        if let Some(call) = self.calls.get_mut(&to) {
            call.returns_to = Some(from);
        }
        self.trigger(now, from, Trigger::HandsetGone);
        self.install_media(now, from);
    }

    /// Gives the handset of a call that ends back to the call it came from; false when there is none.
    pub(super) fn return_handset(&mut self, now: Instant, id: u32) -> bool {
        let Some(call) = self.calls.get(&id) else { return false };
        let (Some(dect), Some(back), slot) = (call.dect, call.returns_to, call.slot) else { return false };
        if !self.calls.get(&back).is_some_and(super::Call::parked) {
            return false;
        }
        let words = match call.refusal {
            Some(refused) => super::super::call::map::refusal_to_handset(refused).1,
            None => "",
        };
        self.move_handset(now, id, back);
        self.trigger(now, back, Trigger::HandsetCame);
        if !words.is_empty() {
            self.show(now, dect, words);
        }
        // Of a call that only stood in for another one the handset knows nothing.
        let own = self.calls.get(&back).is_some_and(|call| call.slot != slot);
        if let Some(slot) = slot.filter(|_| own)
            && self.fixed_part.legs(dect).is_some_and(|legs| legs.leg(slot) != Leg::Idle)
        {
            let told = self.fixed_part.far_released(now, dect, slot);
            self.note_dect(told);
        }
        true
    }

    /// A call is gone: whoever would have gone back to it goes further back.
    pub(super) fn forget_return(&mut self, gone: u32, further: Option<u32>) {
        for call in self.calls.values_mut().filter(|call| call.returns_to == Some(gone)) {
            call.returns_to = further;
        }
    }

    /// The handset hung up: what waits for it ends too, unless it is being transferred.
    pub(super) fn handset_left(&mut self, now: Instant, subscriber: SubscriberId) {
        let waiting: Vec<u32> = self
            .calls
            .values()
            .filter(|call| call.subscriber == subscriber && call.parked())
            .map(|call| call.id)
            .collect();
        if waiting.iter().any(|id| self.calls.get(id).is_some_and(|call| call.transferring)) {
            return;
        }
        for id in waiting {
            self.trigger(now, id, Trigger::HandsetReleased);
        }
    }

    /// Whether the call the handset leaves is one end of a transfer that is not over yet.
    pub(super) fn is_being_transferred(&self, id: u32) -> bool {
        let transferring = |id: u32| {
            let call = self.calls.get(&id);
            call.is_some_and(|call| call.transferring || matches!(call.next, Some(Next::Transfer(_))))
        };
        transferring(id) || self.calls.get(&id).and_then(|call| call.returns_to).is_some_and(transferring)
    }

    // What the peer wants.

    /// The peer asks us to call somebody else.
    pub(super) fn transfer_requested(
        &mut self,
        now: Instant,
        session: SessionId,
        target: &Uri,
        headers: Vec<(String, String)>,
    ) {
        let from = self.by_session.get(&session).copied();
        let call = from.and_then(|id| self.calls.get(&id));
        let call = call.filter(|call| call.phase == Phase::Active && call.dect.is_some());
        let (Some(from), Some(call)) = (from, call) else {
            self.endpoint.refuse_transfer(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
            return;
        };
        let subscriber = call.subscriber;
        let sip = self.subscribers.get(subscriber).map(|subscriber| subscriber.sip);
        let to = self.new_call(now, subscriber, Direction::HandsetToLync, Phase::Further);
        let (Some(sip), Some(to)) = (sip, to) else {
            self.endpoint.refuse_transfer(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
            return;
        };
        if let Some(call) = self.calls.get_mut(&to) {
            let name = target.sip().and_then(|uri| uri.user()).unwrap_or_default();
            let name = name.split(';').next().unwrap_or_default().to_owned();
            let conference = super::sessions::is_conference(target);
            call.peer = Peer { uri: target.to_string(), name, conference, ..Peer::default() };
            call.slot = None;
        }
        self.take_handset(now, from, to);
        let body = self.first_offer(now, to);
        let mut invite = Invite::new(target.clone(), body.octets);
        invite.content_type = body.content_type;
        invite.headers = headers;
        invite.transfer = Some(session);
        match self.endpoint.invite(now, sip, invite) {
            Ok(new) => {
                self.by_session.insert(new, to);
                if let Some(call) = self.calls.get_mut(&to) {
                    call.session = Some(new);
                }
                if let Some(dect) = self.calls.get(&to).and_then(|call| call.dect) {
                    self.show(now, dect, "Transferring");
                }
            }
            Err(error) => {
                self.log(Level::Warning, format!("call {to}: the transfer cannot be made: {error}"));
                if let Some(call) = self.calls.get_mut(&to) {
                    call.refusal = Some(Refused::Status(480));
                }
                self.endpoint.refuse_transfer(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
                self.trigger(now, to, Trigger::PeerRefused);
            }
        }
    }

    /// A call comes in that takes the place of one the handset is in; false when it cannot.
    pub(super) fn replace_call(&mut self, now: Instant, replaced: SessionId, by: u32) -> bool {
        let from = self.by_session.get(&replaced).copied();
        let call = from.and_then(|id| self.calls.get(&id));
        let call =
            call.filter(|call| matches!(call.phase, Phase::Active | Phase::Held) && call.dect.is_some());
        let (Some(from), Some(_)) = (from, call) else { return false };
        if let Some(call) = self.calls.get_mut(&by) {
            call.slot = None;
        }
        self.take_handset(now, from, by);
        true
    }

    // What the handset wants.

    /// The handset does something with its two calls.
    pub(super) fn service(&mut self, now: Instant, dect: dect_nwk::CallId, action: Action, digits: &str) {
        let Some(current) = self.by_dect.get(&dect).copied() else { return };
        let Some(subscriber) = self.calls.get(&current).map(|call| call.subscriber) else { return };
        match action {
            Action::Hold(slot) => {
                if self.of_slot(subscriber, slot) == Some(current) {
                    self.trigger(now, current, Trigger::HandsetHold);
                }
            }
            Action::Begin(slot) => {
                let complete = !digits.is_empty();
                self.go(now, current, Next::New { number: digits.to_owned(), slot, complete });
            }
            Action::Retrieve(slot) => match self.of_slot(subscriber, slot) {
                Some(call) if call == current => self.trigger(now, current, Trigger::HandsetRetrieve),
                Some(other) => self.go(now, current, Next::Other(other)),
                None => {}
            },
            Action::End(slot) => {
                if let Some(call) = self.of_slot(subscriber, slot) {
                    self.trigger(now, call, Trigger::End);
                }
            }
            Action::Connect => self.connect(now, current),
            Action::Join => self.show(now, dect, "No conference here"),
            // Calls do not wait yet: a second caller hears busy.
            Action::Answer(_) | Action::Divert(_) => {}
            // The network layer's own.
            Action::Announce(_) | Action::Status(_) | Action::NotSupported | Action::Failed => {}
        }
    }

    /// Further digits of the second number.
    pub(super) fn second_digits(&mut self, now: Instant, dect: dect_nwk::CallId, digits: &str) {
        let Some(id) = self.by_dect.get(&dect).copied() else { return };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(Next::New { number, complete: false, .. }) = &mut call.next else { return };
        let room = DIGITS.saturating_sub(number.len());
        number.extend(digits.chars().filter(|key| !key.is_control()).take(room));
        call.digits_end = Some(now + INTER_DIGIT);
        self.deadlines.set(call.waiter, call.digits_end);
    }

    /// No further digit came.
    pub(super) fn second_number_complete(&mut self, now: Instant, id: u32) {
        if let Some(Next::New { complete, .. }) = self.calls.get_mut(&id).and_then(|call| call.next.as_mut())
        {
            *complete = true;
            self.go_on(now, id);
        }
    }

    fn of_slot(&self, subscriber: SubscriberId, slot: Slot) -> Option<u32> {
        let mut calls = self.calls.values();
        calls.find(|call| call.subscriber == subscriber && call.slot == Some(slot)).map(|call| call.id)
    }

    fn go(&mut self, now: Instant, from: u32, next: Next) {
        if let Some(call) = self.calls.get_mut(&from) {
            call.next = Some(next);
        }
        self.go_on(now, from);
    }

    /// A call is held now: the handset may go on to where it wants.
    pub(super) fn go_on(&mut self, now: Instant, from: u32) {
        let Some(call) = self.calls.get_mut(&from).filter(|call| call.phase == Phase::Held) else { return };
        if matches!(call.next, Some(Next::New { complete: false, .. })) {
            return;
        }
        let (subscriber, dect, session) = (call.subscriber, call.dect, call.session);
        match call.next.take() {
            None => {}
            Some(Next::New { number, slot, .. }) => {
                let Some(to) = self.new_call(now, subscriber, Direction::HandsetToLync, Phase::Further)
                else {
                    if let Some(dect) = dect {
                        self.show(now, dect, "All lines busy");
                        let told = self.fixed_part.far_released(now, dect, slot);
                        self.note_dect(told);
                    }
                    return;
                };
                if let Some(call) = self.calls.get_mut(&to) {
                    call.slot = Some(slot);
                    call.dialled = number;
                }
                self.take_handset(now, from, to);
                if !self.send_invite(now, to) {
                    self.trigger(now, to, Trigger::PeerRefused);
                }
            }
            Some(Next::Transfer(number)) => {
                let target = self.target(subscriber, &number).and_then(|(_, uri)| {
                    let session = session.ok_or("the call is over")?;
                    self.endpoint.transfer(now, session, uri).map_err(|error| error.to_string())
                });
                if let Some(call) = self.calls.get_mut(&from) {
                    call.transferring = target.is_ok();
                }
                if let Err(why) = target {
                    self.log(Level::Warning, format!("call {from}: cannot be transferred: {why}"));
                    self.transfer_failed(now, from);
                }
            }
            Some(Next::Other(to)) => {
                let waits = self.calls.get(&to).is_some_and(|call| call.phase == Phase::ParkedHeld);
                if waits {
                    self.take_handset(now, from, to);
                    let first = self.calls.get_mut(&from).map(|call| call.returns_to.take());
                    self.forget_return(from, first.flatten().filter(|id| *id != to));
                    if let Some(call) = self.calls.get_mut(&to) {
                        call.returns_to = Some(from);
                    }
                    self.trigger(now, to, Trigger::HandsetCame);
                    self.trigger(now, to, Trigger::HandsetRetrieve);
                }
            }
        }
    }

    /// The hold that should have come before was refused: the handset stays.
    pub(super) fn stay(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match (call.next.take(), call.dect) {
            (None | Some(Next::Other(_)), _) | (Some(Next::New { .. }), None) => {}
            (Some(Next::New { slot, .. }), Some(dect)) => {
                self.show(now, dect, "Not possible now");
                let told = self.fixed_part.far_released(now, dect, slot);
                self.note_dect(told);
            }
            (Some(Next::Transfer(_)), _) => self.transfer_failed(now, id),
        }
    }

    /// A transfer was not made: whoever is still there is told, a call without a handset ends.
    fn transfer_failed(&mut self, now: Instant, id: u32) {
        match self.calls.get(&id).map(|call| call.dect) {
            Some(Some(dect)) => self.show(now, dect, "Transfer failed"),
            Some(None) => self.trigger(now, id, Trigger::End),
            None => {}
        }
    }

    /// The far end of a second call answered.
    pub(super) fn further_answered(&mut self, now: Instant, id: u32) {
        let Some(call) = self.calls.get(&id) else { return };
        let (Some(dect), Some(slot)) = (call.dect, call.slot) else { return };
        if self.fixed_part.legs(dect).is_some_and(|legs| legs.leg(slot) == Leg::SetUp) {
            let told = self.fixed_part.second_answered(now, dect);
            self.note_dect(told);
        }
    }

    /// The handset joins the two far ends and leaves: its waiting call is sent to the other one.
    fn connect(&mut self, now: Instant, current: u32) {
        let Some(call) = self.calls.get_mut(&current) else { return };
        // The second number was not even called yet: the peer calls it.
        if let Some(Next::New { number, .. }) = &mut call.next {
            call.next = Some(Next::Transfer(std::mem::take(number)));
            self.go_on(now, current);
            return;
        }
        let (dect, phase, session) = (call.dect, call.phase, call.session);
        let target = call.peer.uri.parse::<Uri>();
        let waiting = call.returns_to.and_then(|id| Some((id, self.calls.get(&id)?.session?)));
        let (Some((first, peer)), Some(session), Some(dect)) = (waiting, session, dect) else { return };
        let asked = match (phase, target) {
            (Phase::Active, _) => self.endpoint.transfer_to_session(now, peer, session),
            // Nobody has answered: the peer makes that call itself.
            (Phase::Further, Ok(target)) => self.endpoint.transfer(now, peer, target),
            _ => return,
        };
        match asked {
            Ok(()) => {
                if let Some(call) = self.calls.get_mut(&first) {
                    call.transferring = true;
                }
                self.show(now, dect, "Transferring");
                if phase == Phase::Further {
                    self.trigger(now, current, Trigger::End);
                }
            }
            Err(error) => {
                self.log(Level::Warning, format!("call {first}: cannot be transferred: {error}"));
                self.show(now, dect, "Transfer failed");
            }
        }
    }

    /// What became of a transfer we asked for.
    pub(super) fn transferred(&mut self, now: Instant, session: SessionId, done: bool) {
        let Some(first) = self.by_session.get(&session).copied() else { return };
        let Some(call) = self.calls.get_mut(&first) else { return };
        if !std::mem::take(&mut call.transferring) {
            return;
        }
        let subscriber = call.subscriber;
        let of_handset = |call: &&super::Call| call.subscriber == subscriber && call.dect.is_some();
        let dect = self.calls.values().find(of_handset).and_then(|call| call.dect);
        if let Some(dect) = dect.filter(|_| !done) {
            // The handset is still there, with both calls.
            self.show(now, dect, "Transfer failed");
            return;
        }
        let both: Vec<u32> = self
            .calls
            .values()
            .filter(|call| call.id == first || call.returns_to == Some(first))
            .map(|call| call.id)
            .collect();
        for id in both {
            if let Some(call) = self.calls.get_mut(&id) {
                let cause = if done { "transferred" } else { "the transfer failed" };
                cause.clone_into(&mut call.cause);
            }
            self.trigger(now, id, Trigger::End);
        }
    }
}
