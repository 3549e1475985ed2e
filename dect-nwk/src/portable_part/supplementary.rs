//! What happens beside a call's own states: hold, service change, features, a second call, list access.

use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::cc_portable::State;
use crate::element::{CallClass, CallInformation, FeatureActivate, FeatureIndicate};
use crate::error::Error;
use crate::fixed_part::ServiceChange;
use crate::link::CallId;
use crate::message::{MessageType, View};
use crate::refusal::Refusal;
use crate::services::{ControlCode, Slot, keys_of};
use crate::{hold, service_change, timers};

impl PortablePart {
    /// Asks the fixed part to hold a call.
    ///
    /// EN 300 175-5 10.4.1
    pub fn hold(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.hold_command(now, call, hold::Trigger::Hold)
    }

    /// Asks the fixed part to retrieve a call.
    ///
    /// EN 300 175-5 10.4.1
    pub fn retrieve(&mut self, now: Instant, call: CallId) -> Result<(), Error> {
        self.hold_command(now, call, hold::Trigger::Retrieve)
    }

    /// Answers HOLD or RETRIEVE of the fixed part.
    ///
    /// EN 300 175-5 10.4.1
    pub fn answer_hold(&mut self, now: Instant, call: CallId, accept: bool) -> Result<(), Error> {
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

    /// Asks the fixed part to change the service of a call.
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
        let (state, actions) = service_change::step(call.change, trigger);
        call.change = state;
        for action in actions {
            match action {
                A::SendChange => {
                    let ipui = self.subscription.as_ref().map(|known| known.ipui);
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

    /// Presses a feature key.
    ///
    /// EN 300 175-5 10.3
    pub fn activate_feature(
        &mut self,
        now: Instant,
        call: CallId,
        feature: FeatureActivate,
    ) -> Result<(), Error> {
        self.in_call(call)?;
        self.say(now, call, |call| compose::with_element(call, MessageType::CcInfo, feature));
        Ok(())
    }

    /// Sends a control code, with the number it takes and the call it is about where there are two.
    ///
    /// EN 300 175-5 10.2, 7.7.56
    pub fn control(
        &mut self,
        now: Instant,
        call: CallId,
        code: ControlCode,
        about: Option<Slot>,
        number: &str,
    ) -> Result<(), Error> {
        self.in_call(call)?;
        if number.len() > 200 {
            return Err(Error::Refused(Refusal::TooLong));
        }
        let keys = keys_of(code, number);
        self.say(now, call, |call| compose::control(call, &keys, about));
        Ok(())
    }

    /// Opens a call for list access.
    ///
    /// EN 300 175-5 7.6.4, 7.7.23 (list access)
    pub fn list_access(&mut self, now: Instant) -> Result<CallId, Error> {
        self.call(now, "", true, CallClass::ListAccess)
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

    /// What CC-INFO says of features and of the two calls of a transaction.
    pub(super) fn indicate_services(&mut self, call: CallId, message: &View<'_>) {
        if let Some(feature) = message.find::<FeatureIndicate>() {
            self.events.push_back(Event::FeatureIndicated { call, feature });
        }
        if let Some(information) = message.find::<CallInformation>() {
            self.events.push_back(Event::CallInformation { call, information });
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
        if let Some(message) = self.calls.get(&id).map(message) {
            self.send(now, message);
        }
    }
}
