//! Calls: one step of call control with all that follows from it, and the user's verbs.

use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::cc_portable::{Action, State, Trigger, step};
use crate::element::{CallClass, CodecChoice, ReleaseReason, TimerRestart};
use crate::error::Error;
use crate::link::CallId;
use crate::message::View;
use crate::refusal::Refusal;
use crate::segmentation::Assembly;
use crate::{hold, service_change, timers};

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Whether we opened the transaction.
    pub(super) ours: bool,
    /// The transaction value.
    pub(super) value: u8,
    pub(super) state: State,
    /// Digits for CC-SETUP, and digits typed before the fixed part asked for them.
    pub(super) number: String,
    /// Whether the number is complete.
    pub(super) complete: bool,
    /// The codec of ours that the fixed part offers first.
    pub(super) codec: Option<CodecChoice>,
    /// The kind of call.
    pub(super) class: CallClass,
    /// HOLD and RETRIEVE.
    pub(super) hold: hold::State,
    /// CC-SERVICE-CHANGE.
    pub(super) change: service_change::State,
    /// What came of a long element.
    pub(super) assembly: Option<Box<Assembly>>,
}

/// What a step of call control carries along.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    None,
    Message(&'a View<'a>),
    Keys { keys: &'a str, complete: bool },
}

/// The highest transaction value of call control; the next one is for connectionless services.
const LAST_VALUE: u8 = 5;

/// The longest text a keypad element may carry here.
const LONGEST: usize = 200;

impl PortablePart {
    /// Calls a number, all digits in CC-SETUP.
    ///
    /// EN 300 175-5 9.3.1.2
    pub fn dial(&mut self, now: Instant, number: &str) -> Result<CallId, Error> {
        self.call(now, number, true, CallClass::Normal)
    }

    /// Makes a call of another kind: an internal call, an emergency call, a service call.
    ///
    /// EN 300 175-5 7.6.4, 9.3.1.2
    pub fn dial_as(&mut self, now: Instant, number: &str, class: CallClass) -> Result<CallId, Error> {
        self.call(now, number, true, class)
    }

    /// Goes off hook: a call without digits, which the fixed part asks for.
    ///
    /// EN 300 175-5 9.3.1.3
    pub fn off_hook(&mut self, now: Instant) -> Result<CallId, Error> {
        self.call(now, "", false, CallClass::Normal)
    }

    /// Types digits of the called number; before the fixed part asks for them they are kept.
    ///
    /// EN 300 175-5 9.3.1.3
    pub fn digits(&mut self, now: Instant, call: CallId, digits: &str, complete: bool) -> Result<(), Error> {
        let entry = self.calls.get_mut(&call).ok_or(Error::Refused(Refusal::UnknownCall))?;
        if digits.len() + entry.number.len() > LONGEST {
            return Err(Error::Refused(Refusal::TooLong));
        }
        if entry.state == State::CallInitiated && !entry.complete {
            entry.number.push_str(digits);
            entry.complete |= complete;
            return Ok(());
        }
        self.command(
            now,
            call,
            Trigger::Inform,
            ReleaseReason::Normal,
            Payload::Keys { keys: digits, complete },
        )
    }

    /// Types keys during a call; the R key is `'\u{15}'`.
    ///
    /// EN 300 175-5 10.2
    pub fn keypad(&mut self, now: Instant, call: CallId, keys: &str) -> Result<(), Error> {
        self.digits(now, call, keys, false)
    }

    /// Answers a call.
    ///
    /// EN 300 175-5 9.3.2.6
    pub fn answer(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.command(now, call, Trigger::Answer, ReleaseReason::Normal, Payload::None)
    }

    /// Ends a call, or refuses one that comes in.
    ///
    /// EN 300 175-5 9.5
    pub fn release(&mut self, now: Instant, call: CallId, reason: ReleaseReason) -> Result<(), Error> {
        let state = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?.state;
        let trigger = match state {
            State::CallPresent | State::CallReceived => Trigger::Reject,
            State::Null
            | State::CallInitiated
            | State::OverlapSending
            | State::CallProceeding
            | State::CallDelivered
            | State::ConnectPending
            | State::Active
            | State::ReleasePending => Trigger::Release,
        };
        self.command(now, call, trigger, reason, Payload::None)
    }

    pub(super) fn call(
        &mut self,
        now: Instant,
        number: &str,
        complete: bool,
        class: CallClass,
    ) -> Result<CallId, Error> {
        if self.subscription.is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if number.len() > LONGEST {
            return Err(Error::Refused(Refusal::TooLong));
        }
        if self.deadlines.runs(Timer::Crossing) || self.calls.len() >= self.config.calls {
            return Err(Error::Refused(Refusal::Busy));
        }
        let value = (0..=LAST_VALUE).find(|value| self.find_call(true, *value).is_none());
        let value = value.ok_or(Error::Refused(Refusal::Busy))?;
        let call = self.add_call(true, value, number.to_owned(), complete);
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.class = class;
        }
        self.call_step(now, call, Trigger::Call, ReleaseReason::Normal, Payload::None);
        if let Some(entry) = self.calls.get_mut(&call) {
            // What is kept from now on are digits typed before the fixed part asks.
            entry.number.clear();
        }
        Ok(call)
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
        self.call_step(now, call, trigger, ReleaseReason::TimerExpiry, Payload::None);
    }

    pub(super) fn find_call(&self, ours: bool, value: u8) -> Option<CallId> {
        self.calls.iter().find(|(_, call)| call.ours == ours && call.value == value).map(|(id, _)| *id)
    }

    pub(super) fn add_call(&mut self, ours: bool, value: u8, number: String, complete: bool) -> CallId {
        self.last_call = self.last_call.wrapping_add(1);
        let call = CallId(self.last_call);
        self.calls.insert(
            call,
            Call {
                ours,
                value,
                state: State::Null,
                number,
                complete,
                codec: None,
                class: CallClass::Normal,
                hold: hold::State::default(),
                change: service_change::State::default(),
                assembly: None,
            },
        );
        call
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
        let (state, actions) = step(call.state, trigger);
        call.state = state;
        for action in actions {
            self.call_action(now, id, *action, reason, payload);
        }
        if state != State::Null {
            return;
        }
        self.calls.remove(&id);
        // A call that lost its link has nothing to free.
        if trigger != Trigger::LinkLost {
            self.free_link(now, crate::link::survives(reason));
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
        let mut start = |timer, time| self.deadlines.start(timer, now + time);
        match action {
            Action::SendSetup => {
                if let Some(subscription) = &self.subscription {
                    let message = compose::setup(call, subscription, &self.config);
                    self.send(now, message);
                }
            }
            Action::SendAlerting => self.send(now, compose::alerting(call)),
            Action::SendConnect => self.send(now, compose::connect(call)),
            Action::SendInformation => {
                if let Payload::Keys { keys, complete } = payload {
                    self.send(now, compose::information(call, keys, complete));
                }
            }
            Action::SendRelease => self.send(now, compose::release(call, reason)),
            Action::SendReleaseCom => self.send(now, compose::release_com(call, reason)),
            Action::StartRelease => start(Timer::CallRelease(id), timers::CC_02),
            Action::StartSetup => start(Timer::CallSetup(id), timers::CC_03),
            Action::StartCompletion => {
                if let Some(time) = self.config.call_completion {
                    start(Timer::CallCompletion(id), time);
                }
            }
            Action::StartConnect => start(Timer::CallConnect(id), timers::CC_05),
            Action::StartCrossing => start(Timer::Crossing, timers::CC_06),
            Action::StopTimers => self.stop_timers(id),
            Action::RestartTimers => self.restart_timers(now, id, payload),
            Action::IndicateRinging
            | Action::IndicateSetupAck
            | Action::IndicateProceeding
            | Action::IndicateAlerting
            | Action::IndicateConnected
            | Action::IndicateInformation
            | Action::IndicateSupplementary => {
                if let Payload::Message(message) = payload {
                    self.indicate_message(now, id, action, message);
                }
            }
            Action::IndicateReleased => self.events.push_back(Event::Released { call: id, reason }),
            // The link is freed when the call has left the table.
            Action::FreeLink => {}
        }
    }

    fn stop_timers(&mut self, call: CallId) {
        for timer in [
            Timer::CallRelease(call),
            Timer::CallSetup(call),
            Timer::CallCompletion(call),
            Timer::CallConnect(call),
            Timer::ServiceChange(call),
            Timer::Segments(call),
        ] {
            self.deadlines.stop(timer);
        }
    }

    /// CC-NOTIFY: the timer that runs gets its whole time again, or stops.
    fn restart_timers(&mut self, now: Instant, call: CallId, payload: Payload<'_>) {
        let Payload::Message(message) = payload else { return };
        let Some(restart) = message.find::<TimerRestart>() else { return };
        let running = [
            (Timer::CallSetup(call), Some(timers::CC_03)),
            (Timer::CallCompletion(call), self.config.call_completion),
            (Timer::CallConnect(call), Some(timers::CC_05)),
        ];
        for (timer, time) in running {
            if !self.deadlines.runs(timer) {
                continue;
            }
            match (restart, time) {
                (TimerRestart::Restart, Some(time)) => self.deadlines.start(timer, now + time),
                (TimerRestart::Restart, None) => {}
                (TimerRestart::Stop, _) => self.deadlines.stop(timer),
                (TimerRestart::Reserved(_), _) => {}
            }
        }
    }
}
