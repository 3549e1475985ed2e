//! Received messages: pages, calls and what they bring for the user.

use std::time::Instant;

use super::call::Payload;
use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::cc_portable::{self, Action, Trigger};
use crate::element::{
    self, CallingPartyName, CallingPartyNumber, CodecChoice, CodecList, EventType, EventsNotification,
    MultiDisplay, PortableIdentity, Progress, ProgressIndicator, RejectReason, ReleaseReason, Signal,
    SingleDisplay, TimeDate, TimeInterpretation,
};
use crate::link::CallId;
use crate::message::{Fault, MessageType, ProtocolDiscriminator, Side, View};

impl PortablePart {
    /// Hands a message to its entity.
    pub(super) fn dispatch(&mut self, now: Instant, message: &View<'_>) {
        let protocol = message.protocol_discriminator();
        if !message.transaction.is_legal(protocol) {
            return;
        }
        match protocol {
            ProtocolDiscriminator::Cc => self.call_message(now, message),
            ProtocolDiscriminator::Mm => self.mobility_message(now, message),
            ProtocolDiscriminator::Lce => self.page_rejected(message),
            ProtocolDiscriminator::Ciss => self.ciss_message(now, message),
            // Connection oriented messages are not used.
            ProtocolDiscriminator::Clms => self.message_received(message),
            ProtocolDiscriminator::Coms => {}
        }
    }

    /// LCE-PAGE-REJECT: a temporary identity that is none any more is erased.
    fn page_rejected(&mut self, message: &View<'_>) {
        let invalid = message.find::<RejectReason>() == Some(RejectReason::InvalidTpui);
        if message.message_type == MessageType::LcePageReject
            && invalid
            && let Some(subscription) = &mut self.subscription
        {
            subscription.tpui = None;
        }
    }

    /// What a message tells of waiting messages, missed calls, lists and the time.
    pub(super) fn notified(&mut self, message: &View<'_>) {
        if let Some(time) = message.find::<TimeDate>()
            && time.interpretation == TimeInterpretation::Current
        {
            self.events.push_back(Event::TimeAndDate(time));
        }
        if let Some(list) = message.find::<EventsNotification>() {
            let count = |wanted: EventType| {
                list.events.iter().find_map(|event| match event {
                    element::Event::Standard { kind, multiplicity, .. } if *kind == wanted => {
                        Some(*multiplicity)
                    }
                    element::Event::Standard { .. } | element::Event::Proprietary { .. } => None,
                })
            };
            let (voice_messages, missed_calls) =
                (count(EventType::MessageWaiting), count(EventType::MissedCall));
            if voice_messages.is_some() || missed_calls.is_some() {
                self.events.push_back(Event::Notified { voice_messages, missed_calls });
            }
            for event in &list.events {
                if let element::Event::Standard {
                    kind: EventType::ListChange,
                    subtype: Some(list),
                    multiplicity,
                } = event
                {
                    self.events.push_back(Event::ListChanged { list: *list, entries: *multiplicity });
                }
            }
        }
    }

    fn call_message(&mut self, now: Instant, message: &View<'_>) {
        use Trigger as T;
        if message.transaction.extended {
            return;
        }
        let call = self.find_call(message.transaction.flag, message.transaction.value);
        let Some(call) = call else {
            self.message_of_no_call(now, message);
            return;
        };
        let reason = message.find::<ReleaseReason>().map_or(ReleaseReason::Normal, |reason| match reason {
            ReleaseReason::Reserved(_) => ReleaseReason::Normal,
            known => known,
        });
        let trigger = match message.message_type {
            MessageType::CcSetup => T::SetupReceived,
            MessageType::CcSetupAck => T::SetupAckReceived,
            MessageType::CcCallProc => T::CallProceedingReceived,
            MessageType::CcAlerting => T::AlertingReceived,
            MessageType::CcConnect => T::ConnectReceived,
            MessageType::CcConnectAck => T::ConnectAckReceived,
            MessageType::CcInfo => T::InformationReceived,
            MessageType::CcNotify => T::NotifyReceived,
            MessageType::CcRelease => T::ReleaseReceived,
            MessageType::CcReleaseCom => T::ReleaseComReceived,
            MessageType::CcServiceChange
            | MessageType::CcServiceAccept
            | MessageType::CcServiceReject
            | MessageType::Hold
            | MessageType::HoldAck
            | MessageType::HoldReject
            | MessageType::Retrieve
            | MessageType::RetrieveAck
            | MessageType::RetrieveReject
            | MessageType::CrssFacility
            | MessageType::IwuInfo => T::SupplementaryReceived,
            // Answers to what we do not ask, and unknown types.
            _ => return,
        };
        self.call_step(now, call, trigger, reason, Payload::Message(message));
    }

    fn message_of_no_call(&mut self, now: Instant, message: &View<'_>) {
        match message.message_type {
            MessageType::CcSetup if !message.transaction.flag => self.setup_received(now, message),
            MessageType::CcSetup
            | MessageType::CcRelease
            | MessageType::CcReleaseCom
            | MessageType::CcServiceChange => {}
            _ => {
                let reason = ReleaseReason::UnknownTransactionIdentifier;
                self.send(now, compose::refuse(message.transaction, reason));
            }
        }
    }

    /// CC-SETUP for a new call: shown and alerted at once, refused in a set-up collision or when it is not for us.
    fn setup_received(&mut self, now: Instant, message: &View<'_>) {
        if let Some(reason) = self.judge_setup(message) {
            self.send(now, compose::refuse(message.transaction, reason));
            return;
        }
        let ours = self
            .calls
            .iter()
            .find(|(_, call)| call.state == cc_portable::State::CallInitiated)
            .map(|(id, _)| *id);
        if let Some(ours) = ours
            && !self.deadlines.runs(Timer::Crossing)
        {
            let reason = ReleaseReason::InsufficientResources;
            self.send(now, compose::refuse(message.transaction, reason));
            self.call_step(now, ours, Trigger::SetupCrossed, reason, Payload::None);
            return;
        }
        self.deadlines.stop(Timer::Crossing);
        let call = self.add_call(false, message.transaction.value, String::new(), true);
        self.choose_codec(call, message);
        let payload = Payload::Message(message);
        self.call_step(now, call, Trigger::SetupReceived, ReleaseReason::Normal, payload);
        self.call_step(now, call, Trigger::AlertUser, ReleaseReason::Normal, Payload::None);
    }

    /// The first codec the fixed part offers that is ours too.
    fn choose_codec(&mut self, id: CallId, message: &View<'_>) {
        let (Some(ours), Some(offered)) = (&self.config.codecs, message.find::<CodecList>()) else { return };
        let known = |choice: &&CodecChoice| ours.codecs.iter().any(|known| known.codec == choice.codec);
        if let Some(choice) = offered.codecs.iter().find(known).copied()
            && let Some(call) = self.calls.get_mut(&id)
        {
            call.codec = Some(choice);
            self.events.push_back(Event::CodecChosen { call: id, codec: choice.codec });
        }
    }

    fn judge_setup(&self, message: &View<'_>) -> Option<ReleaseReason> {
        match message.verify(Side::Fixed) {
            Err(Fault::Missing(_)) => return Some(ReleaseReason::MandatoryElementMissing),
            Err(Fault::Contents(_)) => return Some(ReleaseReason::InvalidElementContents),
            Ok(()) => {}
        }
        let identity = message.find::<PortableIdentity>();
        if !identity.is_some_and(|identity| self.is_ours(&identity)) {
            return Some(ReleaseReason::InvalidIdentity);
        }
        if self.calls.len() >= self.config.calls {
            return Some(ReleaseReason::UserBusy);
        }
        None
    }

    /// Whether an identity names this portable part.
    pub(super) fn is_ours(&self, identity: &PortableIdentity) -> bool {
        let Some(subscription) = &self.subscription else { return false };
        match identity {
            PortableIdentity::Ipui(ipui) => subscription.ipui.matches(ipui),
            PortableIdentity::Ipei(ipei) => *ipei == self.config.ipei,
            PortableIdentity::Tpui(tpui) | PortableIdentity::TpuiWithNumber(tpui) => {
                subscription.tpui == Some(*tpui)
            }
        }
    }

    /// Tells the user what a message of a call says.
    pub(super) fn indicate_message(&mut self, now: Instant, id: CallId, action: Action, message: &View<'_>) {
        let event = match action {
            Action::IndicateRinging => Some(Event::Ring {
                call: id,
                calling_number: caller_number(message),
                calling_name: message.find::<CallingPartyName>().map(|name| name.text()),
                signal: message.find::<Signal>(),
            }),
            Action::IndicateSetupAck => Some(Event::SetupAcknowledged { call: id }),
            Action::IndicateProceeding => Some(Event::Proceeding { call: id }),
            Action::IndicateAlerting => Some(Event::RemoteAlerting { call: id }),
            Action::IndicateConnected => {
                self.choose_codec(id, message);
                Some(Event::Connected { call: id })
            }
            _ => None,
        };
        self.events.extend(event);
        if action == Action::IndicateSupplementary {
            self.supplementary_received(now, id, message);
        } else {
            self.indicate_services(id, message);
        }
        if let Some(text) = display(message) {
            self.events.push_back(Event::Display { call: id, text });
        }
        if let Some(signal) = message.find::<Signal>()
            && action != Action::IndicateRinging
        {
            self.events.push_back(Event::Signal { call: id, signal });
        }
        if action == Action::IndicateInformation {
            let calling_number = caller_number(message);
            let calling_name = message.find::<CallingPartyName>().map(|name| name.text());
            if calling_number.is_some() || calling_name.is_some() {
                self.events.push_back(Event::Caller { call: id, calling_number, calling_name });
            }
        }
        if message.find::<ProgressIndicator>().is_some_and(|it| it.progress == Progress::InBand) {
            self.events.push_back(Event::InBand { call: id });
        }
        if action == Action::IndicateSetupAck {
            self.send_kept_digits(now, id);
        }
    }

    /// Digits typed before the fixed part asked for them.
    fn send_kept_digits(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let digits = std::mem::take(&mut call.number);
        if digits.is_empty() && !call.complete {
            return;
        }
        let message = compose::information(call, &digits, call.complete);
        self.send(now, message);
    }
}

pub(super) fn display(message: &View<'_>) -> Option<String> {
    message
        .find::<MultiDisplay>()
        .map(|display| display.characters.to_string())
        .or_else(|| message.find::<SingleDisplay>().map(|display| char::from(display.character).to_string()))
}

fn caller_number(message: &View<'_>) -> Option<String> {
    message
        .find::<CallingPartyNumber>()
        .map(|number| number.digits.to_string())
        .filter(|digits| !digits.is_empty())
}
