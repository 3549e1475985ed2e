//! Received messages of mobility management, and what they mean for its procedures.

use std::time::Instant;

use super::event::{Event, PortableId};
use super::{Ciphering, FixedPart, compose};
use crate::element::{
    AuthType, CipherAlgorithm, CipherInfo, ElementIdentifier, PortableIdentity, Rand, RejectReason, ZapField,
};
use crate::error::{Error, Rule};
use crate::identity::Ipui;
use crate::key_exchange::Algorithm;
use crate::message::{MessageType, View};
use crate::mm_fixed::{FixedProcedure, Trigger};

impl FixedPart {
    pub(super) fn mobility_message(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        let Some(entry) = self.table.get(portable) else { return };
        let (running, subscribed, keyed) = (entry.mm.fixed, entry.subscribed, entry.uak.is_some());
        let trigger = match message.message_type {
            MessageType::AccessRightsRequest => {
                if !self.names(portable, message) {
                    let reason = wrong_identity(message);
                    self.send(now, portable, None, compose::access_reject(reason, self.config.refusal_wait));
                    return;
                }
                self.learn_capability(portable, message);
                Trigger::AccessRightsRequested
            }
            MessageType::LocateRequest => {
                if !subscribed || !self.names(portable, message) {
                    let reason = wrong_identity(message);
                    self.send(now, portable, None, compose::locate_reject(reason, self.config.refusal_wait));
                    return;
                }
                self.learn_capability(portable, message);
                if keyed && self.config.authenticate_at_location {
                    Trigger::LocationRequested
                } else {
                    Trigger::LocationRequestedOpenly
                }
            }
            MessageType::AuthenticationRequest => {
                self.authentication_requested(now, portable, message);
                return;
            }
            MessageType::AuthenticationReply if message.transaction.flag => {
                self.learn_zap(portable, message);
                let proof = Self::proof(message);
                self.procedure(portable, |it| it.reason = RejectReason::AuthenticationFailed);
                match (running, proof) {
                    (FixedProcedure::Authentication(_), Some((rand_p, res1)))
                        if self.reply_is_right(portable, rand_p, res1) =>
                    {
                        Trigger::ReplyRight
                    }
                    _ => Trigger::ReplyWrong,
                }
            }
            MessageType::AuthenticationReject if message.transaction.flag => {
                self.procedure(portable, |it| it.reason = RejectReason::AuthenticationFailed);
                Trigger::AuthenticationRejected
            }
            MessageType::TemporaryIdentityAssignAck => Trigger::IdentityAcknowledged,
            MessageType::TemporaryIdentityAssignRej => Trigger::IdentityRejected,
            MessageType::Detach if subscribed && self.names(portable, message) => Trigger::Detached,
            MessageType::IdentityReply if message.transaction.flag => {
                let ipei = match portable_identity(message) {
                    Ok(PortableIdentity::Ipei(ipei) | PortableIdentity::Ipui(Ipui::N(ipei))) => Some(ipei),
                    Ok(_) | Err(_) => None,
                };
                self.procedure(portable, |it| it.ipei = ipei);
                Trigger::IdentityReplied
            }
            MessageType::CipherSuggest if !message.transaction.flag => {
                match self.judge_cipher(portable, message) {
                    Ok(ciphering) => {
                        if running == FixedProcedure::None {
                            self.procedure(portable, |it| {
                                it.ciphering = ciphering;
                                it.cipher_opener = compose::Opener::Portable;
                            });
                        }
                        Trigger::CipherSuggested
                    }
                    Err(reason) => {
                        self.procedure(portable, |it| it.reason = reason);
                        Trigger::CipherNotPossible
                    }
                }
            }
            MessageType::CipherReject => Trigger::CipherRejected,
            MessageType::AccessRightsTerminateRequest => {
                if !subscribed || !self.names(portable, message) {
                    let reason = wrong_identity(message);
                    self.send(now, portable, None, compose::terminate_reject(reason));
                    return;
                }
                if keyed { Trigger::TerminateRequested } else { Trigger::TerminateRequestedWithoutKey }
            }
            MessageType::AccessRightsTerminateAccept if message.transaction.flag => {
                Trigger::TerminateAccepted
            }
            MessageType::AccessRightsTerminateReject if message.transaction.flag => {
                Trigger::TerminateRejected
            }
            MessageType::MmInfoRequest => {
                self.parameters_requested(now, portable, message);
                return;
            }
            // Messages only the fixed part sends, answers nobody asked for, and unknown ones.
            _ => return,
        };
        self.mobility_step(now, portable, trigger);
    }

    /// The portable part tells the content of its ZAP register.
    fn learn_zap(&mut self, portable: PortableId, message: &View<'_>) {
        let told = message.find::<ZapField>().map(|zap| zap.contents);
        if let Some(zap) = told
            && let Some(entry) = self.table.get_mut(portable)
            && entry.zap.replace(zap) != Some(zap)
        {
            self.events.push_back(Event::ZapChanged { portable, zap });
        }
    }

    /// AUTHENTICATION-REQUEST: the proof of a key allocation, or the portable part authenticates us.
    fn authentication_requested(&mut self, now: Instant, portable: PortableId, message: &View<'_>) {
        let Some(entry) = self.table.get(portable) else { return };
        let allocating = matches!(entry.mm.fixed, FixedProcedure::KeyAllocation(_));
        if allocating && message.transaction.flag {
            let proven = match Self::proof(message) {
                Some((rand_p, res1)) => {
                    self.procedure(portable, |it| it.rand_p = rand_p);
                    self.key_is_proven(portable, rand_p, res1)
                }
                None => false,
            };
            self.procedure(portable, |it| it.reason = RejectReason::AuthenticationFailed);
            let trigger = if proven { Trigger::KeyProven } else { Trigger::KeyDisproven };
            self.mobility_step(now, portable, trigger);
            return;
        }
        if message.transaction.flag {
            return;
        }
        let (Some(kind), Some(rand)) = (message.find::<AuthType>(), message.find::<Rand>()) else {
            let missing =
                !message.contains(ElementIdentifier::AuthType) || !message.contains(ElementIdentifier::Rand);
            let reason = if missing {
                RejectReason::InformationElementError
            } else {
                RejectReason::InvalidElementContents
            };
            let answer = compose::authentication_reject(compose::Opener::Portable, reason);
            self.send(now, portable, None, answer);
            return;
        };
        let asked = Algorithm::from_element(kind.algorithm);
        self.procedure(portable, |it| {
            it.asked = asked;
            it.asked_rand_p = rand.0;
        });
        self.mobility_step(now, portable, Trigger::AuthenticationRequested);
    }

    /// What CIPHER-SUGGEST wants, or why it cannot be had.
    fn judge_cipher(&self, portable: PortableId, message: &View<'_>) -> Result<Ciphering, RejectReason> {
        let Some(info) = message.find::<CipherInfo>() else {
            let missing = !message.contains(ElementIdentifier::CipherInfo);
            return Err(if missing {
                RejectReason::InformationElementError
            } else {
                RejectReason::InvalidElementContents
            });
        };
        let Some(entry) = self.table.get(portable) else { return Err(RejectReason::IpuiUnknown) };
        match (info.enable, info.algorithm) {
            // Whoever ciphers calls keeps them ciphered.
            (false, _) if self.config.cipher_calls => Err(RejectReason::IncompatibleService),
            (false, _) => Ok(Ciphering::Off),
            (true, CipherAlgorithm::Dsc) if entry.cipher_key.is_some() => Ok(Ciphering::On),
            (true, CipherAlgorithm::Dsc) => Err(RejectReason::CipherKeyNotSupported),
            (true, _) => Err(RejectReason::CipherAlgorithmNotSupported),
        }
    }

    /// Whether the identity in a message is that of the portable part whose link it is.
    fn names(&self, portable: PortableId, message: &View<'_>) -> bool {
        portable_identity(message).is_ok_and(|identity| match identity {
            PortableIdentity::Ipui(ipui) => self.table.by_ipui(&ipui) == Some(portable),
            PortableIdentity::Ipei(ipei) => self.table.by_ipui(&Ipui::N(ipei)) == Some(portable),
            PortableIdentity::Tpui(tpui) | PortableIdentity::TpuiWithNumber(tpui) => {
                self.table.by_tpui(tpui) == Some(portable)
            }
        })
    }
}

/// The identity of the portable part in a message.
pub(super) fn portable_identity(message: &View<'_>) -> Result<PortableIdentity, Error> {
    message.find::<PortableIdentity>().ok_or(Error::Value(Rule::IdentityLength))
}

fn wrong_identity(message: &View<'_>) -> RejectReason {
    match message.find::<PortableIdentity>() {
        Some(PortableIdentity::Tpui(_) | PortableIdentity::TpuiWithNumber(_)) => RejectReason::TpuiUnknown,
        Some(PortableIdentity::Ipui(_) | PortableIdentity::Ipei(_)) => RejectReason::IpuiUnknown,
        None if message.contains(ElementIdentifier::PortableIdentity) => RejectReason::InvalidElementContents,
        None => RejectReason::InformationElementError,
    }
}
