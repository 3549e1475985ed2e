//! What happens beside a call's own states: hold, service change, features, a second call, list access.

use std::time::Instant;

use super::event::Event;
use super::{FixedPart, IncomingCall, Terminal, Timer, compose};
use crate::cc_fixed::State;
use crate::element::{
    CallInformation, CallInformationItem, CallReason, CallStatus, CodecList, Feature, FeatureActivate,
    FeatureIndicate, MultiKeypad, ServiceChangeInfo, ServiceChangeMode, Signal,
};
use crate::error::Error;
use crate::link::CallId;
use crate::message::{MessageType, View};
use crate::refusal::Refusal;
use crate::services::{self, ControlCode, Leg, Slot};
use crate::{hold, service_change, timers};

/// A change of the service of a call: most often another codec.
///
/// EN 300 175-5 9.6
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChange {
    /// What shall change.
    pub information: ServiceChangeInfo,
    /// The codecs, most wanted first.
    pub codecs: Option<CodecList>,
}

impl ServiceChange {
    /// Another codec.
    ///
    /// EN 300 175-5 9.6
    pub const fn codec(codecs: CodecList) -> Self {
        let information = ServiceChangeInfo {
            receiver_is_master: false,
            mode: ServiceChangeMode::AudioCodec,
            service: None,
            attributes: None,
        };
        Self { information, codecs: Some(codecs) }
    }

    pub(crate) fn read(message: &View<'_>) -> Option<Self> {
        Some(Self { information: message.find()?, codecs: message.find() })
    }

    /// Whether it is about the service of a speech call; packet mode, bandwidth and routes are not offered.
    pub(crate) const fn is_offered(&self) -> bool {
        matches!(
            self.information.mode,
            ServiceChangeMode::AudioCodec
                | ServiceChangeMode::BasicService
                | ServiceChangeMode::IwuAttributes
        )
    }
}

impl FixedPart {
    /// Asks the portable part to hold a call.
    ///
    /// EN 300 175-5 10.4.1
    pub fn hold(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.hold_command(now, call, hold::Trigger::Hold)
    }

    /// Asks the portable part to retrieve a call.
    ///
    /// EN 300 175-5 10.4.1
    pub fn retrieve(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.hold_command(now, call, hold::Trigger::Retrieve)
    }

    /// Answers HOLD.
    ///
    /// EN 300 175-5 10.4.1
    pub fn answer_hold(&mut self, now: Instant, call: CallId, accept: bool) -> Result<(), Error> {
        self.hold_answer(now, call, hold::State::HoldAsked, accept)
    }

    /// Answers RETRIEVE.
    ///
    /// EN 300 175-5 10.4.1
    pub fn answer_retrieve(&mut self, now: Instant, call: CallId, accept: bool) -> Result<(), Error> {
        self.hold_answer(now, call, hold::State::RetrieveAsked, accept)
    }

    fn hold_answer(
        &mut self,
        now: Instant,
        call: CallId,
        asked: hold::State,
        accept: bool,
    ) -> Result<(), Error> {
        let entry = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?;
        if entry.hold != asked {
            return Err(Error::Refused(Refusal::WrongState));
        }
        self.hold_command(now, call, if accept { hold::Trigger::Accept } else { hold::Trigger::Refuse })
    }

    fn hold_command(&mut self, now: Instant, call: CallId, trigger: hold::Trigger) -> Result<(), Error> {
        let entry = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?;
        if entry.state != State::Active || hold::step(entry.hold, trigger).1.is_empty() {
            return Err(Error::Refused(Refusal::WrongState));
        }
        self.hold_step(now, call, trigger);
        Ok(())
    }

    fn hold_step(&mut self, now: Instant, id: CallId, trigger: hold::Trigger) {
        use hold::Action as A;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (state, actions) = hold::step(call.hold, trigger);
        call.hold = state;
        for action in actions {
            let kind = match action {
                A::SendHold => MessageType::Hold,
                A::SendHoldAck => MessageType::HoldAck,
                A::SendHoldReject => MessageType::HoldReject,
                A::SendRetrieve => MessageType::Retrieve,
                A::SendRetrieveAck => MessageType::RetrieveAck,
                A::SendRetrieveReject => MessageType::RetrieveReject,
                A::IndicateHold => {
                    self.events.push_back(Event::HoldRequested { call: id });
                    continue;
                }
                A::IndicateRetrieve => {
                    self.events.push_back(Event::RetrieveRequested { call: id });
                    continue;
                }
                A::IndicateHeld(accepted) => {
                    self.events.push_back(Event::Held { call: id, accepted: *accepted });
                    continue;
                }
                A::IndicateRetrieved(accepted) => {
                    self.events.push_back(Event::Retrieved { call: id, accepted: *accepted });
                    continue;
                }
            };
            self.say(now, id, |call| compose::plain(call, kind));
        }
    }

    /// Asks the portable part to change the service of a call.
    ///
    /// EN 300 175-5 9.6
    pub fn change_service(
        &mut self,
        now: Instant,
        call: CallId,
        change: &ServiceChange,
    ) -> Result<(), Error> {
        self.change_command(now, call, service_change::Trigger::Change, Some(change))
    }

    /// Answers CC-SERVICE-CHANGE.
    ///
    /// EN 300 175-5 9.6
    pub fn answer_service_change(&mut self, now: Instant, call: CallId, accept: bool) -> Result<(), Error> {
        let trigger = if accept { service_change::Trigger::Accept } else { service_change::Trigger::Refuse };
        self.change_command(now, call, trigger, None)
    }

    fn change_command(
        &mut self,
        now: Instant,
        call: CallId,
        trigger: service_change::Trigger,
        change: Option<&ServiceChange>,
    ) -> Result<(), Error> {
        let entry = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?;
        if entry.state != State::Active || service_change::step(entry.change, trigger).1.is_empty() {
            return Err(Error::Refused(Refusal::WrongState));
        }
        self.change_step(now, call, trigger, change);
        Ok(())
    }

    pub(super) fn change_step(
        &mut self,
        now: Instant,
        id: CallId,
        trigger: service_change::Trigger,
        change: Option<&ServiceChange>,
    ) {
        use service_change::Action as A;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let portable = call.portable;
        let (state, actions) = service_change::step(call.change, trigger);
        call.change = state;
        for action in actions {
            match action {
                A::SendChange => {
                    let ipui = self.table.get(portable).map(|entry| entry.ipui);
                    if let (Some(ipui), Some(change)) = (ipui, change) {
                        self.say(now, id, |call| compose::service_change(call, &ipui, change));
                    }
                }
                A::SendAccept => {
                    self.say(now, id, |call| compose::plain(call, MessageType::CcServiceAccept));
                }
                A::SendReject => self.say(now, id, compose::service_reject),
                A::StartTimer => {
                    self.deadlines.start(Timer::ServiceChange(id), now + timers::CC_SERVICE);
                }
                A::StopTimer => self.deadlines.stop(Timer::ServiceChange(id)),
                A::IndicateChange => {
                    if let Some(change) = change {
                        let change = change.clone();
                        self.events.push_back(Event::ServiceChangeRequested { call: id, change });
                    }
                }
                A::IndicateChanged(accepted) => {
                    self.events.push_back(Event::ServiceChanged { call: id, accepted: *accepted });
                }
            }
        }
    }

    /// Tells the portable part what became of a feature.
    ///
    /// EN 300 175-5 10.3
    pub fn indicate_feature(
        &mut self,
        now: Instant,
        call: CallId,
        feature: &FeatureIndicate,
    ) -> Result<(), Error> {
        self.in_call(call)?;
        self.say(now, call, |call| compose::with_element(call, MessageType::CcInfo, feature.clone()));
        Ok(())
    }

    /// Tells the user of a second call in the transaction of the first; the code with which it is taken or refused
    /// comes as [`Event::Service`].
    ///
    /// EN 300 175-5 10.2, 7.7.56
    pub fn call_waits(&mut self, now: Instant, call: CallId, incoming: &IncomingCall) -> Result<Slot, Error> {
        self.in_call(call)?;
        let legs = self.calls.get(&call).map_or_else(services::State::default, |call| call.legs);
        let slot =
            legs.find(Leg::Idle).filter(|_| !services::step(legs, services::Trigger::CallWaits).1.is_empty());
        let slot = slot.ok_or(Error::Refused(Refusal::Busy))?;
        if let Some(call) = self.calls.get_mut(&call) {
            call.legs = services::step(legs, services::Trigger::CallWaits).0;
        }
        let items =
            vec![CallInformationItem::call(slot.identity()), CallInformationItem::status(CallStatus::SetUp)];
        let terminal = self
            .calls
            .get(&call)
            .and_then(|call| self.table.get(call.portable))
            .map_or_else(Terminal::default, |entry| entry.terminal);
        self.say(now, call, |call| compose::call_waiting(call, items, incoming, terminal));
        Ok(slot)
    }

    /// The far end of the second call has answered.
    ///
    /// EN 300 175-5 10.2, 7.7.56
    pub fn second_answered(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.leg_command(now, call, services::Trigger::FarAnswered)
    }

    /// The far end of one of the two calls has gone.
    ///
    /// EN 300 175-5 10.2, 7.7.56
    pub fn far_released(&mut self, now: Instant, call: CallId, slot: Slot) -> Result<(), Error> {
        self.leg_command(now, call, services::Trigger::FarReleased(slot))
    }

    /// How the two calls of a transaction stand.
    ///
    /// EN 300 175-5 7.7.56
    pub fn legs(&self, call: CallId) -> Option<services::State> {
        self.calls.get(&call).map(|call| call.legs)
    }

    fn leg_command(&mut self, now: Instant, call: CallId, trigger: services::Trigger) -> Result<(), Error> {
        self.in_call(call)?;
        let legs = self.calls.get(&call).map_or_else(services::State::default, |call| call.legs);
        if services::step(legs, trigger).1.is_empty() {
            return Err(Error::Refused(Refusal::WrongState));
        }
        self.leg_step(now, call, trigger, "");
        Ok(())
    }

    fn leg_step(&mut self, now: Instant, id: CallId, trigger: services::Trigger, digits: &str) {
        use services::Action as A;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let (state, actions) = services::step(call.legs, trigger);
        call.legs = state;
        for action in actions {
            let failure = |reason| vec![CallInformationItem::reason(reason)];
            let no = Some(Signal::NegativeAcknowledge);
            match action {
                A::Hold(_)
                | A::Retrieve(_)
                | A::Begin(_)
                | A::Answer(_)
                | A::End(_)
                | A::Divert(_)
                | A::Join
                | A::Connect => {
                    let digits = match action {
                        A::Begin(_) | A::Divert(_) => digits.to_owned(),
                        _ => String::new(),
                    };
                    self.events.push_back(Event::Service { call: id, action, digits });
                }
                // Told with what is known of the caller, in `call_waits`.
                A::Announce(_) => {}
                A::Status(slot) => {
                    let status = match state.leg(slot) {
                        Leg::Idle => CallStatus::Idle,
                        Leg::SetUp | Leg::Waiting => CallStatus::SetUpAcknowledged,
                        Leg::Active => CallStatus::Connected,
                        Leg::Held => CallStatus::Hold,
                        Leg::Conference => CallStatus::Conference,
                    };
                    let items =
                        vec![CallInformationItem::call(slot.identity()), CallInformationItem::status(status)];
                    self.say(now, id, |call| compose::call_status(call, items, None));
                }
                A::NotSupported => {
                    self.say(now, id, |call| {
                        compose::call_status(call, failure(CallReason::CodeNotSupported), no)
                    });
                }
                A::Failed => {
                    self.say(now, id, |call| compose::call_status(call, failure(CallReason::CodeFailed), no));
                }
            }
        }
    }

    /// Keys that are a control code, or digits of the second call. Nothing else is taken.
    pub(super) fn service_requested(&mut self, now: Instant, id: CallId, message: &View<'_>) -> bool {
        use services::Trigger as T;
        let Some(call) = self.calls.get(&id).filter(|call| call.state == State::Active) else { return false };
        if !self.config.parallel_calls {
            return false;
        }
        let Some(keypad) = message.find::<MultiKeypad>() else { return false };
        let (code, rest) = services::read(keypad.characters.octets());
        let digits: String = rest.iter().map(|octet| char::from(*octet)).collect();
        let named = message.find::<CallInformation>().and_then(|it| it.call()).and_then(Slot::of);
        let Some(code) = code else {
            let Some(slot) = call.legs.find(Leg::SetUp) else { return false };
            self.events.push_back(Event::SecondDigits { call: id, slot, digits });
            return true;
        };
        let current =
            || call.legs.find(Leg::Active).or_else(|| call.legs.find(Leg::SetUp)).unwrap_or(Slot::First);
        let trigger = match code {
            // The R key and the key for internal calls alone mean what the owner wants.
            ControlCode::RegisterRecall | ControlCode::InternalCall => return false,
            ControlCode::SecondCall | ControlCode::SecondInternalCall => T::SecondCall,
            ControlCode::Toggle => T::Toggle,
            ControlCode::Conference => T::Conference,
            ControlCode::Release => T::Release(named.unwrap_or_else(current)),
            ControlCode::Transfer => T::Transfer,
            ControlCode::AcceptWaiting => T::AcceptWaiting,
            ControlCode::RejectWaiting => T::RejectWaiting,
            ControlCode::Deflect | ControlCode::DeflectInternally => T::Deflect,
            ControlCode::Intrude => T::Intrude,
            ControlCode::Hold => T::Hold,
            ControlCode::Resume => T::Resume,
            ControlCode::AcceptScreening | ControlCode::Intercept => T::Screen,
        };
        self.leg_step(now, id, trigger, &digits);
        true
    }

    pub(super) fn feature_activated(&mut self, call: CallId, message: &View<'_>) {
        if let Some(feature) = message.find::<FeatureActivate>()
            && feature.feature != Feature::RegisterRecall
        {
            self.events.push_back(Event::FeatureActivated { call, feature });
        }
    }

    /// HOLD, RETRIEVE, CC-SERVICE-CHANGE and their answers, FACILITY, IWU-INFO.
    pub(super) fn supplementary_received(&mut self, now: Instant, id: CallId, message: &View<'_>) {
        use hold::Trigger as H;
        use service_change::Trigger as C;
        let active = self.calls.get(&id).is_some_and(|call| call.state == State::Active);
        match message.message_type {
            MessageType::Hold if active => self.hold_step(now, id, H::HoldReceived),
            MessageType::HoldAck if active => self.hold_step(now, id, H::HoldAccepted),
            MessageType::HoldReject if active => self.hold_step(now, id, H::HoldRejected),
            MessageType::Retrieve if active => self.hold_step(now, id, H::RetrieveReceived),
            MessageType::RetrieveAck if active => self.hold_step(now, id, H::RetrieveAccepted),
            MessageType::RetrieveReject if active => self.hold_step(now, id, H::RetrieveRejected),
            MessageType::CcServiceChange if active => {
                let change = ServiceChange::read(message).filter(ServiceChange::is_offered);
                let trigger = if change.is_some() { C::ChangeReceived } else { C::ForeignChangeReceived };
                self.change_step(now, id, trigger, change.as_ref());
            }
            MessageType::CcServiceAccept if active => self.change_step(now, id, C::Accepted, None),
            MessageType::CcServiceReject if active => self.change_step(now, id, C::Rejected, None),
            MessageType::CrssFacility | MessageType::IwuInfo => self.long_received(now, id, message),
            _ => {}
        }
    }

    pub(super) fn in_call(&self, call: CallId) -> Result<(), Error> {
        let state = self.calls.get(&call).ok_or(Error::Refused(Refusal::UnknownCall))?.state;
        if state == State::Active { Ok(()) } else { Err(Error::Refused(Refusal::WrongState)) }
    }

    /// Sends a message of a call.
    pub(super) fn say(
        &mut self,
        now: Instant,
        id: CallId,
        message: impl FnOnce(&super::call::Call) -> bytes::Bytes,
    ) {
        if let Some((portable, message)) = self.calls.get(&id).map(|call| (call.portable, message(call))) {
            self.send(now, portable, None, message);
        }
    }
}
