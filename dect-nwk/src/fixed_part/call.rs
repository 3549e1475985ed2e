//! Calls: one step of call control with all that follows from it, and the owner's verbs.

use std::time::Instant;

use super::event::{Event, PortableId};
use super::{Ciphering, FixedPart, IncomingCall, Information, Terminal, Timer, compose};
use crate::cc_fixed::{Action, State, Trigger, step};
use crate::element::{CallClass, CodecList, ReleaseReason};
use crate::error::Error;
use crate::link::CallId;
use crate::message::View;
use crate::refusal::Refusal;
use crate::segmentation::Assembly;
use crate::{hold, mm_fixed, service_change, services, timers};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) portable: PortableId,
    /// Who opened the transaction.
    pub(super) by_fixed: bool,
    /// The transaction value.
    pub(super) value: u8,
    pub(super) state: State,
    /// The page was repeated for this call because its link broke.
    pub(super) paged_again: bool,
    /// HOLD and RETRIEVE.
    pub(super) hold: hold::State,
    /// CC-SERVICE-CHANGE.
    pub(super) change: service_change::State,
    /// The call and the one beside it, as soon as there is one.
    pub(super) legs: services::State,
    /// The codecs offered, or the one that was chosen; nothing means basic speech.
    pub(super) codecs: Option<CodecList>,
    /// What came of a long element.
    pub(super) assembly: Option<Box<Assembly>>,
    /// What CC-SETUP says, kept until it is answered.
    pub(super) incoming: Option<Box<IncomingCall>>,
}

/// What a step of call control carries along.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    None,
    Message(&'a View<'a>),
    Information(&'a Information),
}

/// The highest transaction value of call control; the next one is for connectionless services.
const LAST_VALUE: u8 = 5;

impl FixedPart {
    /// Calls a portable part, which is paged if it has no link.
    ///
    /// EN 300 175-5 9.3.2
    pub fn setup(
        &mut self,
        now: Instant,
        portable: PortableId,
        incoming: IncomingCall,
    ) -> Result<CallId, Error> {
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if !entry.subscribed {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        let collides = entry
            .calls
            .iter()
            .filter_map(|call| self.calls.get(call))
            .any(|call| matches!(call.state, State::CallInitiated));
        if collides || entry.calls.len() >= self.config.calls_per_portable {
            return Err(Error::Refused(Refusal::Busy));
        }
        let value = self.free_value(portable, None).ok_or(Error::Refused(Refusal::Busy))?;
        let codecs = self.config.codecs.clone().filter(|_| incoming.wideband && entry.terminal.wideband);
        let call = self.add_call(portable, true, value, Some(Box::new(incoming)));
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.codecs = codecs;
        }
        self.call_step(now, call, Trigger::CallPortable, ReleaseReason::Normal, Payload::None);
        Ok(call)
    }

    /// Asks the portable part for digits (CC-SETUP-ACK), with dial tone.
    ///
    /// EN 300 175-5 9.3.1.3
    pub fn setup_acknowledge(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.command(now, call, Trigger::AskDigits, ReleaseReason::Normal, Payload::None)
    }

    /// Tells the portable part that its number is complete (CC-CALL-PROC).
    ///
    /// EN 300 175-5 9.3.1.5
    pub fn call_proceeding(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.command(now, call, Trigger::Proceed, ReleaseReason::Normal, Payload::None)
    }

    /// Tells the portable part that the far end rings (CC-ALERTING), with ring-back tone.
    ///
    /// EN 300 175-5 9.3.1.6
    pub fn alerting(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.command(now, call, Trigger::Alert, ReleaseReason::Normal, Payload::None)
    }

    /// Tells the portable part that the far end has answered (CC-CONNECT).
    ///
    /// EN 300 175-5 9.3.1.8
    pub fn connect(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.command(now, call, Trigger::Connect, ReleaseReason::Normal, Payload::None)
    }

    /// Sends display text, tones and numbers during a call (CC-INFO).
    ///
    /// EN 300 175-5 9.4.2
    pub fn information(
        &mut self,
        now: Instant,
        call: CallId,
        information: &Information,
    ) -> Result<(), Error> {
        self.command(now, call, Trigger::Inform, ReleaseReason::Normal, Payload::Information(information))
    }

    /// Ends a call.
    ///
    /// EN 300 175-5 9.5
    pub fn release(&mut self, now: Instant, call: CallId, reason: ReleaseReason) -> Result<(), Error> {
        let trigger = if self.waits_for_link(call) { Trigger::Withdraw } else { Trigger::Release };
        self.command(now, call, trigger, reason, Payload::None)
    }

    fn command(
        &mut self,
        now: Instant,
        call: CallId,
        trigger: Trigger,
        reason: ReleaseReason,
        payload: Payload<'_>,
    ) -> Result<(), Error> {
        let state = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?.state;
        if step(state, trigger).1.is_empty() {
            return Err(Error::Refused(Refusal::WrongState));
        }
        self.call_step(now, call, trigger, reason, payload);
        Ok(())
    }

    /// A timer of a call ran out.
    pub(super) fn call_timeout(&mut self, now: Instant, call: CallId, trigger: Trigger) {
        let trigger = if self.waits_for_link(call) { Trigger::Withdraw } else { trigger };
        self.call_step(now, call, trigger, ReleaseReason::TimerExpiry, Payload::None);
    }

    /// The CC-SETUP of a call has gone out.
    pub(super) fn setup_has_left(&mut self, now: Instant, portable: PortableId, call: CallId) {
        if self.calls.get(&call).is_some_and(|call| call.state == State::CallPresent) {
            self.deadlines.start(Timer::CallSetup(call), now + timers::CC_03);
        }
        self.secure_call(now, portable);
    }

    /// Authenticates the portable part and ciphers the link of a call, where that is configured and possible.
    pub(super) fn secure_call(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get(portable) else { return };
        let keyed = entry.uak.is_some();
        let without_key = self.config.cipher_calls && !entry.ciphered && entry.cipher_key.is_none();
        if keyed && (self.config.authenticate_calls || without_key) {
            self.mobility_step(now, portable, mm_fixed::Trigger::Authenticate);
        } else {
            self.cipher_for_call(now, portable);
        }
    }

    /// Ciphers the link of a call where that is configured and possible.
    pub(super) fn cipher_for_call(&mut self, now: Instant, portable: PortableId) {
        let wanted = self.config.cipher_calls
            && self.table.get(portable).is_some_and(|entry| {
                !entry.calls.is_empty() && !entry.ciphered && entry.cipher_key.is_some()
            });
        if wanted {
            self.procedure(portable, |it| {
                it.ciphering = Ciphering::On;
                it.cipher_opener = compose::Opener::Fixed;
            });
            self.mobility_step(now, portable, mm_fixed::Trigger::Cipher);
        }
    }

    /// The calls of a portable part that is not what it says.
    pub(super) fn release_calls(&mut self, now: Instant, portable: PortableId, reason: ReleaseReason) {
        for call in self.calls_of(portable) {
            self.call_step(now, call, Trigger::Release, reason, Payload::None);
        }
    }

    pub(super) fn calls_of(&self, portable: PortableId) -> Vec<CallId> {
        self.table.get(portable).map_or_else(Vec::new, |entry| entry.calls.clone())
    }

    pub(super) fn find_call(&self, portable: PortableId, by_fixed: bool, value: u8) -> Option<CallId> {
        let calls = &self.table.get(portable)?.calls;
        calls.iter().copied().find(|id| {
            self.calls.get(id).is_some_and(|call| call.by_fixed == by_fixed && call.value == value)
        })
    }

    /// The lowest transaction value that no call of ours has with this portable part.
    pub(super) fn free_value(&self, portable: PortableId, except: Option<u8>) -> Option<u8> {
        (0..=LAST_VALUE)
            .find(|value| Some(*value) != except && self.find_call(portable, true, *value).is_none())
    }

    pub(super) fn add_call(
        &mut self,
        portable: PortableId,
        by_fixed: bool,
        value: u8,
        incoming: Option<Box<IncomingCall>>,
    ) -> CallId {
        self.last_call = self.last_call.wrapping_add(1);
        let call = CallId(self.last_call);
        self.calls.insert(
            call,
            Call {
                portable,
                by_fixed,
                value,
                state: State::Null,
                paged_again: false,
                hold: hold::State::default(),
                change: service_change::State::default(),
                legs: services::State::default(),
                codecs: None,
                assembly: None,
                incoming,
            },
        );
        if let Some(entry) = self.table.get_mut(portable) {
            entry.calls.push(call);
        }
        call
    }

    fn waits_for_link(&self, call: CallId) -> bool {
        self.calls
            .get(&call)
            .and_then(|entry| self.table.get(entry.portable))
            .is_some_and(|entry| entry.queue.iter().any(|waiting| waiting.call == Some(call)))
    }

    /// One step of call control with all that follows from it.
    pub(super) fn call_step(
        &mut self,
        now: Instant,
        id: CallId,
        trigger: Trigger,
        reason: ReleaseReason,
        payload: Payload<'_>,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let portable = call.portable;
        let (state, actions) = step(call.state, trigger);
        call.state = state;
        for action in actions {
            self.call_action(now, id, *action, reason, payload);
        }
        if state != State::Null {
            return;
        }
        self.calls.remove(&id);
        if let Some(entry) = self.table.get_mut(portable) {
            entry.calls.retain(|call| *call != id);
        }
        // A call that lost its link has nothing to free.
        if trigger != Trigger::LinkLost {
            self.free_link(now, portable, crate::link::survives(reason));
        }
    }

    fn call_action(
        &mut self,
        now: Instant,
        id: CallId,
        action: Action,
        reason: ReleaseReason,
        payload: Payload<'_>,
    ) {
        let Some(call) = self.calls.get(&id) else { return };
        let portable = call.portable;
        let tones = self.config.tones;
        let terminal = self.table.get(portable).map_or_else(Terminal::default, |entry| entry.terminal);
        let mut start = |timer, time| self.deadlines.start(timer, now + time);
        match action {
            Action::SendSetup => {
                let Some(entry) = self.table.get(portable) else { return };
                let message = compose::setup(call, &entry.ipui, self.config.ari, entry.terminal);
                self.send(now, portable, Some(id), message);
            }
            Action::SendSetupAck => self.send(now, portable, None, compose::setup_ack(call, tones)),
            Action::SendCallProceeding => {
                self.send(now, portable, None, compose::call_proceeding(call, tones));
            }
            Action::SendAlerting => self.send(now, portable, None, compose::alerting(call, tones)),
            Action::SendConnect => self.send(now, portable, None, compose::connect(call)),
            Action::SendConnectAck => self.send(now, portable, None, compose::connect_ack(call)),
            Action::SendInformation => {
                if let Payload::Information(information) = payload {
                    self.send(now, portable, None, compose::information(call, information, terminal));
                }
            }
            Action::SendRelease => self.send(now, portable, None, compose::release(call, reason)),
            Action::SendReleaseCom => self.send(now, portable, None, compose::release_com(call, reason)),
            Action::DiscardSetup => self.discard(now, portable, id),
            Action::StartOverlap => start(Timer::Overlap(id), timers::CC_01),
            Action::StartRelease => start(Timer::CallRelease(id), timers::CC_02),
            Action::StartSetup => start(Timer::CallSetup(id), timers::CC_03),
            Action::StartCompletion => {
                if let Some(time) = self.config.call_completion {
                    start(Timer::CallCompletion(id), time);
                }
            }
            Action::StopTimers => {
                for timer in [
                    Timer::Overlap(id),
                    Timer::CallRelease(id),
                    Timer::CallSetup(id),
                    Timer::CallCompletion(id),
                    Timer::ServiceChange(id),
                    Timer::Segments(id),
                ] {
                    self.deadlines.stop(timer);
                }
            }
            Action::IndicateSetup | Action::IndicateInformation | Action::IndicateSupplementary => {
                if let Payload::Message(message) = payload {
                    self.indicate_message(now, id, action, message);
                }
            }
            Action::IndicateAlerting => {
                self.codec_answered(id, payload);
                self.events.push_back(Event::Alerting { call: id });
            }
            Action::IndicateAnswered => {
                self.codec_answered(id, payload);
                if let Some(link) = self.table.get(portable).and_then(|entry| entry.link) {
                    self.events.push_back(Event::Answered { call: id, link });
                }
            }
            Action::IndicateReleased => self.events.push_back(Event::Released { call: id, reason }),
            // The link is freed when the call has left the table.
            Action::FreeLink => {}
        }
    }

    /// The codec the portable part has chosen.
    fn codec_answered(&mut self, id: CallId, payload: Payload<'_>) {
        let Payload::Message(message) = payload else { return };
        let chosen = message.find::<CodecList>().and_then(|list| list.codecs.first().copied());
        let offered = self.calls.get(&id).and_then(|call| call.codecs.as_ref());
        if let Some(choice) = chosen
            && offered.is_some_and(|list| list.codecs.iter().any(|known| known.codec == choice.codec))
        {
            self.events.push_back(Event::CodecChosen { call: id, codec: choice.codec });
        }
    }

    /// The class of an incoming call.
    pub(super) const fn class(incoming: &IncomingCall) -> CallClass {
        if incoming.internal { CallClass::Internal } else { CallClass::Normal }
    }
}
