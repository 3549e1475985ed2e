//! Received messages: whose they are and what they mean for the machines.

use bytes::Bytes;
use std::time::Instant;

use super::call::Payload;
use super::config::KnownPortable;
use super::event::{Event, PortableId};
use super::{FixedPart, Terminal, compose};
use crate::cc_fixed::{self, Action};
use crate::element::{
    BasicService, CallClass, CalledPartyNumber, Codec, CodecChoice, CodecList, Element as _,
    ElementIdentifier, Feature, FeatureActivate, MultiKeypad, PortableIdentity, Rand, RejectReason,
    ReleaseReason, Res, Service, SingleKeypad, TerminalCapability,
};
use crate::lce::fixed::Trigger as LinkTrigger;
use crate::link::{CallId, LinkId};
use crate::message::{Fault, MessageType, ProtocolDiscriminator, Side, View};
use crate::outbox::Outgoing;

use super::mobility_receive::portable_identity;

/// The most characters of digits and keys one message may bring.
const LONGEST: usize = 128;

impl FixedPart {
    /// Finds out whose link it is from its first message. Nothing means that the message is answered already, or
    /// that it is none with which a link may begin.
    pub(super) fn whose_link(
        &mut self,
        now: Instant,
        link: LinkId,
        sdu: &[u8],
        message: &View<'_>,
    ) -> Option<PortableId> {
        if message.transaction.flag || !message.transaction.is_legal(message.protocol_discriminator()) {
            return None;
        }
        let begins = matches!(
            message.message_type,
            MessageType::LcePageResponse
                | MessageType::CcSetup
                | MessageType::CissRegister
                | MessageType::CissFacility
                | MessageType::ClmsVariable
                | MessageType::AccessRightsRequest
                | MessageType::AccessRightsTerminateRequest
                | MessageType::LocateRequest
                | MessageType::Detach
        );
        if !begins {
            return None;
        }
        let identity = portable_identity(message);
        let known = match identity {
            Ok(identity) => self.look_up(&identity),
            Err(_) => None,
        };
        let subscribed = known.filter(|id| self.table.get(*id).is_some_and(|entry| entry.subscribed));
        let trigger = if message.message_type == MessageType::LcePageResponse {
            LinkTrigger::PageResponse
        } else {
            LinkTrigger::Establishment
        };
        if let Some(answer) = subscribed.filter(|_| trigger == LinkTrigger::PageResponse)
            && self.ring_answered(now, answer, link)
        {
            return None;
        }
        let portable = match (message.message_type, identity) {
            (MessageType::AccessRightsRequest, Ok(PortableIdentity::Ipui(ipui))) => match known {
                Some(portable) => portable,
                None if self.visitors_are_welcome() => self.table.add(KnownPortable::new(ipui), false),
                None => {
                    self.answer(
                        link,
                        compose::access_reject(RejectReason::Overload, self.config.refusal_wait),
                    );
                    return None;
                }
            },
            (_, Ok(identity)) => {
                let Some(portable) = subscribed else {
                    self.refuse_unknown(link, message, Some(identity));
                    return None;
                };
                portable
            }
            (_, Err(_)) => {
                self.refuse_unknown(link, message, None);
                return None;
            }
        };
        if trigger == LinkTrigger::Establishment && self.is_taken(portable, link) {
            if message.message_type == MessageType::AccessRightsRequest {
                self.refuse_second_subscription(link);
            } else {
                self.contest(now, portable, link, sdu);
            }
            return None;
        }
        self.adopt(now, portable, link, trigger);
        let adopted = self.links.get(&link).copied().flatten();
        if adopted.is_none() {
            self.forget_visitor(portable);
        }
        adopted
    }

    pub(super) fn look_up(&self, identity: &PortableIdentity) -> Option<PortableId> {
        match identity {
            PortableIdentity::Ipui(ipui) => self.table.by_ipui(ipui),
            PortableIdentity::Ipei(ipei) => self.table.by_ipui(&crate::identity::Ipui::N(*ipei)),
            PortableIdentity::Tpui(tpui) | PortableIdentity::TpuiWithNumber(tpui) => {
                self.table.by_tpui(*tpui)
            }
        }
    }

    /// Entries without access rights are bounded like the links on which they came.
    fn visitors_are_welcome(&self) -> bool {
        self.table.visitors() < self.config.unidentified_links
    }

    /// Answers the first message of a portable part that has no access rights.
    fn refuse_unknown(&mut self, link: LinkId, message: &View<'_>, identity: Option<PortableIdentity>) {
        let missing = !message.contains(PortableIdentity::IDENTIFIER);
        let by_tpui =
            matches!(identity, Some(PortableIdentity::Tpui(_) | PortableIdentity::TpuiWithNumber(_)));
        let reject = match identity {
            Some(_) if by_tpui => RejectReason::TpuiUnknown,
            Some(_) => RejectReason::IpuiUnknown,
            None if missing => RejectReason::InformationElementError,
            None => RejectReason::InvalidElementContents,
        };
        let answer = match message.message_type {
            MessageType::LcePageResponse => {
                let reason = if by_tpui { RejectReason::InvalidTpui } else { RejectReason::FalseLceReply };
                identity.map(|identity| compose::page_reject(identity, reason))
            }
            MessageType::CcSetup => {
                let reason = match identity {
                    Some(_) => ReleaseReason::UnknownIdentity,
                    None if missing => ReleaseReason::MandatoryElementMissing,
                    None => ReleaseReason::InvalidElementContents,
                };
                Some(compose::refuse(message.transaction, reason))
            }
            MessageType::LocateRequest => Some(compose::locate_reject(reject, self.config.refusal_wait)),
            MessageType::AccessRightsRequest => {
                Some(compose::access_reject(reject, self.config.refusal_wait))
            }
            MessageType::AccessRightsTerminateRequest => Some(compose::terminate_reject(reject)),
            _ => None,
        };
        if let Some(answer) = answer {
            self.answer(link, answer);
        }
    }

    /// Sends a message over a link that belongs to nobody yet.
    fn answer(&mut self, link: LinkId, message: Bytes) {
        self.outbox.push(Outgoing::Data(link, message));
    }

    /// Hands a message of a known portable part to its entity.
    pub(super) fn dispatch(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        let protocol = message.protocol_discriminator();
        if !message.transaction.is_legal(protocol) {
            return;
        }
        match protocol {
            ProtocolDiscriminator::Cc => self.call_message(now, portable, message),
            ProtocolDiscriminator::Mm => self.mobility_message(now, portable, message),
            ProtocolDiscriminator::Ciss => self.ciss_message(now, portable, message),
            // LCE-PAGE-RESPONSE was taken care of with its link; connection oriented messages are not offered.
            ProtocolDiscriminator::Clms => self.message_received(portable, message),
            ProtocolDiscriminator::Lce | ProtocolDiscriminator::Coms => {}
        }
    }

    fn call_message(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        use cc_fixed::Trigger as T;
        if message.transaction.extended {
            return;
        }
        let call = self.find_call(portable, message.transaction.flag, message.transaction.value);
        let Some(call) = call else {
            self.message_of_no_call(now, portable, message);
            return;
        };
        let reason = message.find::<ReleaseReason>().map_or(ReleaseReason::Normal, |reason| match reason {
            ReleaseReason::Reserved(_) => ReleaseReason::Normal,
            known => known,
        });
        let trigger = match message.message_type {
            MessageType::CcSetup => T::SetupReceived,
            MessageType::CcInfo => T::InformationReceived,
            MessageType::CcAlerting => T::AlertingReceived,
            MessageType::CcConnect => T::ConnectReceived,
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
            // Messages only the fixed part sends, and unknown ones.
            _ => return,
        };
        self.call_step(now, call, trigger, reason, Payload::Message(message));
    }

    fn message_of_no_call(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        match message.message_type {
            MessageType::CcSetup if !message.transaction.flag => self.setup_received(now, portable, message),
            MessageType::CcSetup
            | MessageType::CcRelease
            | MessageType::CcReleaseCom
            | MessageType::CcServiceChange => {}
            _ => {
                let reason = ReleaseReason::UnknownTransactionIdentifier;
                self.send(now, portable, None, compose::refuse(message.transaction, reason));
            }
        }
    }

    /// CC-SETUP for a new call.
    fn setup_received(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        let refusal = self.judge_setup(portable, message);
        if let Some(reason) = refusal {
            self.send(now, portable, None, compose::refuse(message.transaction, reason));
            return;
        }
        let ours = self
            .calls_of(portable)
            .into_iter()
            .find(|id| self.calls.get(id).is_some_and(|call| call.state == cc_fixed::State::CallPresent));
        if let Some(ours) = ours {
            let reason = ReleaseReason::InsufficientResources;
            self.send(now, portable, None, compose::refuse(message.transaction, reason));
            self.call_again(now, portable, ours);
            return;
        }
        let call = self.add_call(portable, false, message.transaction.value, None);
        self.call_step(
            now,
            call,
            cc_fixed::Trigger::SetupReceived,
            ReleaseReason::Normal,
            Payload::Message(message),
        );
        self.secure_call(now, portable);
    }

    fn judge_setup(&self, portable: PortableId, message: &View<'_>) -> Option<ReleaseReason> {
        let entry = self.table.get(portable)?;
        match message.verify(Side::Portable) {
            Err(Fault::Missing(_)) => return Some(ReleaseReason::MandatoryElementMissing),
            Err(Fault::Contents(_)) => return Some(ReleaseReason::InvalidElementContents),
            Ok(()) => {}
        }
        let Ok(identity) = portable_identity(message) else {
            return Some(ReleaseReason::InvalidElementContents);
        };
        if self.look_up(&identity) != Some(portable) {
            return Some(ReleaseReason::InvalidIdentity);
        }
        if !entry.subscribed {
            return Some(ReleaseReason::UnknownIdentity);
        }
        if entry.calls.len() >= self.config.calls_per_portable {
            return Some(ReleaseReason::InsufficientResources);
        }
        self.judge_service(message.find()?)
    }

    /// Packet mode, messages, ultra low energy and the like are other services than a telephone's.
    const fn judge_service(&self, service: BasicService) -> Option<ReleaseReason> {
        match (service.class, service.service) {
            (CallClass::ExternalHandover, _) => Some(ReleaseReason::ExternalHandoverNotSupported),
            (CallClass::ListAccess, _) if self.config.list_access => None,
            (
                CallClass::Normal | CallClass::Internal | CallClass::Emergency | CallClass::Service,
                Service::BasicSpeech | Service::WidebandSpeech | Service::Other,
            ) => None,
            _ => Some(ReleaseReason::ServiceNotImplemented),
        }
    }

    /// Set-up collision: our CC-SETUP goes out again under another transaction value, for the portable part refuses
    /// the first one. A CC-SETUP that still waits for the link needs no repetition.
    fn call_again(&mut self, now: Instant, portable: PortableId, call: CallId) {
        let waits = self
            .table
            .get(portable)
            .is_some_and(|entry| entry.queue.iter().any(|waiting| waiting.call == Some(call)));
        if waits {
            return;
        }
        let Some(old) = self.calls.get(&call).map(|call| call.value) else { return };
        let Some(value) = self.free_value(portable, Some(old)) else { return };
        if let Some(entry) = self.calls.get_mut(&call) {
            entry.value = value;
        }
        let reason = ReleaseReason::InsufficientResources;
        self.call_step(now, call, cc_fixed::Trigger::SetupCrossed, reason, Payload::None);
    }

    /// Tells the owner what CC-SETUP, CC-INFO or a supplementary message carried.
    pub(super) fn indicate_message(&mut self, now: Instant, id: CallId, action: Action, message: &View<'_>) {
        let Some(call) = self.calls.get(&id) else { return };
        let portable = call.portable;
        if action == Action::IndicateSetup {
            let Some(link) = self.table.get(portable).and_then(|entry| entry.link) else { return };
            let class = message.find::<BasicService>().unwrap_or(BasicService::NORMAL_SPEECH).class;
            self.events.push_back(Event::Setup {
                call: id,
                portable,
                link,
                called: keys(message),
                complete: message.contains(ElementIdentifier::SendingComplete),
                class,
            });
            self.choose_codec(id, message);
            return;
        }
        match message.message_type {
            MessageType::CcInfo => {
                let keys = keys(message);
                let complete = message.contains(ElementIdentifier::SendingComplete);
                let before = matches!(
                    call.state,
                    cc_fixed::State::OverlapSending
                        | cc_fixed::State::CallProceeding
                        | cc_fixed::State::CallDelivered
                );
                if before && (complete || !keys.is_empty()) {
                    self.events.push_back(Event::Digits { call: id, digits: keys, complete });
                } else if !keys.is_empty() && !self.service_requested(now, id, message) {
                    self.events.push_back(Event::Keypad { call: id, keys });
                }
                self.feature_activated(id, message);
            }
            _ => self.supplementary_received(now, id, message),
        }
    }

    /// What the terminal capability says about the algorithms.
    pub(super) fn learn_capability(&mut self, portable: PortableId, message: &View<'_>) {
        if let Some(capability) = message.find::<TerminalCapability>()
            && let Some(entry) = self.table.get_mut(portable)
        {
            entry.dsaa2 = capability.supports_dsaa2();
            entry.terminal = Terminal {
                lines: capability.lines.unwrap_or(0),
                columns: capability.columns.unwrap_or(0),
                character_sets: capability.control.and_then(|control| control.character_sets).unwrap_or(0),
                wideband: message
                    .find::<CodecList>()
                    .is_some_and(|list| list.codecs.iter().any(|choice| choice.codec == Codec::G722)),
                early_encryption: capability.supports_early_encryption(),
            };
        }
    }

    /// The first codec of the portable part's list that the system has too.
    fn choose_codec(&mut self, id: CallId, message: &View<'_>) {
        let Some(ours) = &self.config.codecs else { return };
        let Some(list) = message.find::<CodecList>() else { return };
        let known = |choice: &&CodecChoice| ours.codecs.iter().any(|known| known.codec == choice.codec);
        if let Some(choice) = list.codecs.iter().find(known).copied()
            && let Some(call) = self.calls.get_mut(&id)
        {
            call.codecs = Some(CodecList { negotiation: list.negotiation, codecs: vec![choice] });
            self.events.push_back(Event::CodecChosen { call: id, codec: choice.codec });
        }
    }

    /// The challenge and the proof of the portable part.
    pub(super) fn proof(message: &View<'_>) -> Option<([u8; 8], [u8; 4])> {
        let rand = message.find::<Rand>().map_or([0; 8], |rand| rand.0);
        message.find::<Res>().map(|res| (rand, res.0))
    }
}

/// The digits and keys of a message: CALLED-PARTY-NUMBER, keypad, and the R key in either form.
pub(super) fn keys(message: &View<'_>) -> String {
    let mut keys = String::new();
    if let Some(number) = message.find::<CalledPartyNumber>() {
        keys.push_str(&number.digits.to_string());
    }
    if let Some(keypad) = message.find::<MultiKeypad>() {
        keys.push_str(&keypad.characters.to_string());
    } else if let Some(keypad) = message.find::<SingleKeypad>() {
        keys.push(char::from(keypad.character));
    }
    if message.find::<FeatureActivate>().is_some_and(|it| it.feature == Feature::RegisterRecall) {
        keys.push('\u{15}');
    }
    keys.chars().take(LONGEST).collect()
}
