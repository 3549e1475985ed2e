//! Received messages of mobility management, and what they mean for its procedures.

use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::element::{
    self, AllocationType, AuthType, AuthenticationKeyType, CipherAlgorithm, CipherInfo, FixedIdentity,
    IdentityType, InfoType, LocationArea, Parameter, PortableIdentity, Rand, RejectReason, Res, Rs,
    ServiceClass, TimeLimit, ZapField,
};
use crate::fixed_part::HandoverParameters;
use crate::message::{Fault, MessageType, Side, View};
use crate::mm_portable::{Asked, Trigger};
use crate::timers;

impl PortablePart {
    pub(super) fn mobility_message(&mut self, now: Instant, message: &View<'_>) {
        let fault = match message.verify(Side::Fixed) {
            Ok(()) => None,
            Err(Fault::Missing(_)) => Some(RejectReason::InformationElementError),
            Err(Fault::Contents(_)) => Some(RejectReason::InvalidElementContents),
        };
        let opened = !message.transaction.flag;
        if opened && is_procedure(message.message_type) {
            // The fixed part runs one procedure at a time: it no longer waits for the user.
            self.procedure.user = None;
            self.deadlines.stop(Timer::User);
        }
        let trigger = match message.message_type {
            MessageType::KeyAllocate if opened && fault.is_none() => self.key_allocated(message),
            MessageType::AuthenticationRequest if opened => {
                self.procedure.reason = fault.unwrap_or(RejectReason::AuthenticationKeyNotSupported);
                self.authentication_requested(message, fault.is_none())
            }
            MessageType::AuthenticationReply if fault.is_none() => {
                self.procedure.reason = RejectReason::AuthenticationFailed;
                if self.reply_is_right(message) { Trigger::ReplyRight } else { Trigger::ReplyWrong }
            }
            MessageType::AuthenticationReject => {
                // ACCESS-RIGHTS-REJECT follows and says it better where we asked for access rights.
                if self.mm.asked == Asked::KeyAllocation {
                    return;
                }
                self.keep_reason(message);
                Trigger::AuthenticationRejected
            }
            MessageType::AccessRightsAccept if !opened && fault.is_none() => {
                self.procedure.new_access = access(message);
                self.procedure.new_class =
                    (message.find::<ZapField>().map(|zap| zap.contents), message.find::<ServiceClass>());
                Trigger::AccessAccepted
            }
            MessageType::AccessRightsReject if !opened => {
                self.keep_reason(message);
                self.keep_wait(now, message);
                Trigger::AccessRejected
            }
            MessageType::LocateAccept if !opened && fault.is_none() => {
                self.procedure.own_transaction = true;
                self.procedure.area_level = message.find::<LocationArea>().and_then(|area| area.level);
                match message.find::<PortableIdentity>() {
                    Some(PortableIdentity::Tpui(tpui) | PortableIdentity::TpuiWithNumber(tpui)) => {
                        self.procedure.new_tpui = Some(tpui);
                        Trigger::LocatedWithIdentity
                    }
                    Some(PortableIdentity::Ipui(_) | PortableIdentity::Ipei(_)) | None => Trigger::Located,
                }
            }
            MessageType::LocateReject if !opened => {
                self.keep_reason(message);
                self.keep_wait(now, message);
                Trigger::LocationRejected
            }
            MessageType::TemporaryIdentityAssign if opened => match message.find::<PortableIdentity>() {
                Some(PortableIdentity::Tpui(tpui) | PortableIdentity::TpuiWithNumber(tpui)) => {
                    self.procedure.new_tpui = Some(tpui);
                    self.procedure.own_transaction = false;
                    Trigger::IdentityAssigned
                }
                Some(PortableIdentity::Ipui(_) | PortableIdentity::Ipei(_)) | None => return,
            },
            MessageType::IdentityRequest if opened && fault.is_none() => {
                self.procedure.wanted = message.list::<IdentityType>().take(8).collect();
                Trigger::IdentityRequested
            }
            MessageType::CipherRequest => {
                self.procedure.own_transaction = message.transaction.flag;
                match fault {
                    None => self.cipher_requested(message),
                    Some(reason) => {
                        self.procedure.reason = reason;
                        Trigger::CipherNotPossible
                    }
                }
            }
            MessageType::CipherReject => Trigger::CipherRejected,
            MessageType::AccessRightsTerminateRequest if opened => {
                let ours = message.find::<PortableIdentity>().is_some_and(|it| self.is_ours(&it));
                if !ours {
                    let reason = fault.unwrap_or(RejectReason::IpuiUnknown);
                    self.send(now, compose::terminate_reject(reason));
                    return;
                }
                Trigger::TerminateRequested
            }
            MessageType::AccessRightsTerminateAccept if !opened => Trigger::TerminateAccepted,
            MessageType::AccessRightsTerminateReject if !opened => Trigger::TerminateRejected,
            MessageType::MmInfoAccept | MessageType::MmInfoSuggest if !opened => {
                self.procedure.parameters = Some(HandoverParameters::read(message));
                Trigger::ParametersAccepted
            }
            MessageType::MmInfoReject if !opened => {
                self.keep_reason(message);
                Trigger::ParametersRejected
            }
            MessageType::MmInfoSuggest if opened => {
                let parameters = message.find::<InfoType>().map(|info| info.parameters).unwrap_or_default();
                let locate = parameters.contains(&Parameter::LocateSuggest);
                if parameters.contains(&Parameter::AccessRightsModifySuggest) {
                    self.events.push_back(Event::SubscriptionSuggested);
                }
                if parameters.contains(&Parameter::ExternalHandoverParameters) {
                    let parameters = HandoverParameters::read(message);
                    self.events.push_back(Event::HandoverParameters(parameters));
                }
                if !locate || self.subscription.is_none() {
                    return;
                }
                Trigger::LocationSuggested
            }
            MessageType::MmNotify if opened => {
                self.restart_mobility_timer(now, message);
                return;
            }
            // Messages only the portable part sends, answers nobody asked for, and unknown ones.
            _ => return,
        };
        self.mobility_step(now, trigger);
    }

    fn keep_reason(&mut self, message: &View<'_>) {
        self.procedure.reason = message.find::<RejectReason>().unwrap_or(RejectReason::InvalidMessage);
    }

    /// How long to wait before the next request.
    fn keep_wait(&mut self, now: Instant, message: &View<'_>) {
        let Some(wait) = message.find::<element::Duration>() else { return };
        let time = match wait.limit {
            TimeLimit::Infinite => None,
            TimeLimit::Erase | TimeLimit::Limit1 | TimeLimit::Limit2 => wait.time(),
            TimeLimit::Standard | TimeLimit::Reserved(_) => Some(timers::MM_WAIT),
        };
        self.waiting = true;
        self.deadlines.stop(Timer::Wait);
        if let Some(time) = time {
            self.deadlines.start(Timer::Wait, now + time);
        }
    }

    fn key_allocated(&mut self, message: &View<'_>) -> Trigger {
        self.procedure.reason = RejectReason::AuthenticationKeyNotSupported;
        let (Some(kind), Some(rand), Some(rs)) =
            (message.find::<AllocationType>(), message.find::<Rand>(), message.find::<Rs>())
        else {
            return Trigger::KeyAllocatedWithoutCode;
        };
        let Some(algorithm) = self.supported(kind.algorithm) else {
            self.procedure.reason = RejectReason::AuthenticationAlgorithmNotSupported;
            return Trigger::KeyAllocatedWithoutCode;
        };
        self.procedure.algorithm = algorithm;
        self.procedure.rand_f = rand.0;
        self.procedure.rs = rs;
        let Some(code) = &self.code else { return Trigger::KeyAllocatedWithoutCode };
        // A session value of the other algorithm gives no proof.
        match algorithm.portable_proof(&code.b1(), rs, rand.0, [0; 8]) {
            Some(_) => Trigger::KeyAllocated,
            None => Trigger::KeyAllocatedWithoutCode,
        }
    }

    fn authentication_requested(&mut self, message: &View<'_>, whole: bool) -> Trigger {
        let (Some(kind), Some(rand), Some(rs)) =
            (message.find::<AuthType>(), message.find::<Rand>(), message.find::<Rs>())
        else {
            return Trigger::AuthenticationNotPossible;
        };
        let Some(algorithm) = self.supported(kind.algorithm).filter(|_| whole) else {
            self.procedure.reason = RejectReason::AuthenticationAlgorithmNotSupported;
            return Trigger::AuthenticationNotPossible;
        };
        if kind.key_type == AuthenticationKeyType::UserPersonalIdentity && self.uak().is_some() {
            self.procedure.user = Some((kind, rand.0, rs));
            return Trigger::PersonalIdentityWanted;
        }
        self.procedure.asked = Some(kind);
        self.procedure.rand_f = rand.0;
        self.procedure.rs = rs;
        let possible = self
            .asked_key(kind.key_type)
            .is_some_and(|key| algorithm.portable_proof(&key, rs, rand.0, [0; 8]).is_some());
        if possible { Trigger::AuthenticationRequested } else { Trigger::AuthenticationNotPossible }
    }

    fn reply_is_right(&mut self, message: &View<'_>) -> bool {
        let Some(res) = message.find::<Res>().map(|res| res.0) else { return false };
        let rs = message.find::<Rs>();
        let rand_f = message.find::<Rand>().map(|rand| rand.0);
        match self.mm.asked {
            Asked::KeyAllocation => self.key_reply_is_right(res, rs, rand_f),
            Asked::None => self.fixed_reply_is_right(res, rs, rand_f),
        }
    }

    fn cipher_requested(&mut self, message: &View<'_>) -> Trigger {
        let Some(info) = message.find::<CipherInfo>() else { return Trigger::CipherNotPossible };
        let reason = match (info.enable, info.algorithm) {
            (true, CipherAlgorithm::Dsc) if self.cipher_key.is_none() => RejectReason::CipherKeyNotSupported,
            (true, CipherAlgorithm::Dsc) | (false, _) => {
                self.procedure.cipher_on = info.enable;
                return Trigger::CipherRequested;
            }
            (true, _) => RejectReason::CipherAlgorithmNotSupported,
        };
        self.procedure.reason = reason;
        Trigger::CipherNotPossible
    }
}

/// Whether the fixed part begins a procedure of its own with this message.
const fn is_procedure(kind: MessageType) -> bool {
    matches!(
        kind,
        MessageType::KeyAllocate
            | MessageType::AuthenticationRequest
            | MessageType::IdentityRequest
            | MessageType::CipherRequest
            | MessageType::TemporaryIdentityAssign
            | MessageType::AccessRightsTerminateRequest
    )
}

fn access(message: &View<'_>) -> Option<(crate::identity::Ipui, crate::identity::Park)> {
    let Some(PortableIdentity::Ipui(ipui)) = message.find::<PortableIdentity>() else { return None };
    let park = message.find::<FixedIdentity>()?.key()?;
    Some((ipui, park))
}
