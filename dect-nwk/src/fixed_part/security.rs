//! Keys: allocation, authentication of both sides, ciphering, and what a registration assigns.

use std::time::Instant;

use super::event::{AccessRequestId, Event, PortableId};
use super::{Ciphering, FixedPart, compose};
use crate::authentication::{Key128, equal};
use crate::element::{RejectReason, Rs};
use crate::identity::Tpui;
use crate::key_exchange::Algorithm;
use crate::mm_fixed::Trigger;

/// The random numbers of one authentication or key allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) algorithm: Algorithm,
    pub(super) rand_f: [u8; 8],
    pub(super) rs: Rs,
}

/// How often a free temporary identity is looked for before the default one has to do.
const DRAWS: usize = 32;

impl FixedPart {
    /// The algorithm for a portable part.
    pub(super) fn algorithm(&self, portable: PortableId) -> Algorithm {
        match self.table.get(portable) {
            Some(entry) if entry.dsaa2 && self.config.dsaa2 => Algorithm::Dsaa2,
            Some(_) | None => Algorithm::Dsaa,
        }
    }

    /// New random numbers, which the procedure remembers.
    pub(super) fn challenge(&mut self, portable: PortableId) -> Challenge {
        let algorithm = self.algorithm(portable);
        let rand_f = self.generator.octets();
        let rs = algorithm.session_value(&mut self.generator);
        self.procedure(portable, |procedure| {
            procedure.algorithm = algorithm;
            procedure.rand_f = rand_f;
            procedure.rs = rs;
        });
        Challenge { algorithm, rand_f, rs }
    }

    /// Compares the proof of a portable part in a key allocation.
    pub(super) fn key_is_proven(&self, portable: PortableId, rand_p: [u8; 8], res1: [u8; 4]) -> bool {
        let Some(procedure) = self.table.get(portable).and_then(|entry| entry.procedure.as_ref()) else {
            return false;
        };
        let Some(code) = &procedure.code else { return false };
        procedure
            .algorithm
            .portable_proof(&code.b1(), procedure.rs, procedure.rand_f, rand_p)
            .is_some_and(|(expected, _)| equal(&expected, &res1))
    }

    /// Compares the proof of a portable part in an authentication and keeps the derived key at hand. A portable part
    /// that lost its link in the middle of a new key allocation still has the key before it, which is then valid
    /// again.
    pub(super) fn reply_is_right(&mut self, portable: PortableId, rand_p: [u8; 8], res1: [u8; 4]) -> bool {
        let Some(entry) = self.table.get_mut(portable) else { return false };
        let Some(procedure) = &mut entry.procedure else { return false };
        let proof = |key: &Key128| {
            procedure
                .algorithm
                .portable_proof(&key.b1(), procedure.rs, procedure.rand_f, rand_p)
                .filter(|(expected, _)| equal(expected, &res1))
                .map(|(_, derived)| derived)
        };
        if let Some(derived) = entry.uak.as_ref().and_then(proof) {
            entry.former_uak = None;
            procedure.new_cipher_key = Some(derived);
            return true;
        }
        let Some(derived) = entry.former_uak.as_ref().and_then(proof) else { return false };
        procedure.new_cipher_key = Some(derived);
        entry.uak = entry.former_uak.take();
        if let Some(uak) = entry.uak.clone() {
            let (ipui, dsaa2) = (entry.ipui, entry.dsaa2);
            self.events.push_back(Event::Subscribed { portable, ipui, uak, dsaa2 });
        }
        true
    }

    /// AUTHENTICATION-REPLY of the key allocation; the new key is kept at hand.
    pub(super) fn send_key_reply(&mut self, now: Instant, portable: PortableId) {
        let rand_f = self.generator.octets();
        let fresh = Rs::Rs128(self.generator.octets());
        let Some(procedure) = self.table.get_mut(portable).and_then(|entry| entry.procedure.as_mut()) else {
            return;
        };
        let Some(code) = &procedure.code else { return };
        // With DSAA the session value of KEY-ALLOCATE serves both directions; DSAA2 takes new random numbers.
        let (rs, extra) = match procedure.algorithm {
            Algorithm::Dsaa => (procedure.rs, None),
            Algorithm::Dsaa2 => (fresh, Some((fresh, rand_f))),
        };
        let proof = procedure.algorithm.fixed_proof(&code.b1(), rs, procedure.rand_p, rand_f);
        let Some((res2, key)) = proof else { return };
        procedure.new_key = Some(key);
        self.send(now, portable, None, compose::key_reply(res2, extra));
    }

    /// AUTHENTICATION-REPLY to a portable part that authenticates us.
    pub(super) fn send_authentication_reply(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get(portable) else { return };
        let asked =
            entry.procedure.as_ref().and_then(|it| it.asked.map(|algorithm| (algorithm, it.asked_rand_p)));
        let (Some((algorithm, rand_p)), Some(key)) = (asked, entry.uak.clone()) else {
            let reason = if asked.is_some() {
                RejectReason::AuthenticationKeyNotSupported
            } else {
                RejectReason::AuthenticationAlgorithmNotSupported
            };
            self.send(now, portable, None, compose::authentication_reject(compose::Opener::Portable, reason));
            return;
        };
        let rand_f = self.generator.octets();
        let rs = algorithm.session_value(&mut self.generator);
        if let Some((res2, _)) = algorithm.fixed_proof(&key.b1(), rs, rand_p, rand_f) {
            self.send(now, portable, None, compose::authentication_reply(algorithm, res2, rs, rand_f));
        }
    }

    /// Hands the key to the link and sends CIPHER-REQUEST.
    pub(super) fn send_cipher_request(&mut self, now: Instant, portable: PortableId) {
        let procedure = self.table.get(portable).and_then(|entry| entry.procedure.as_ref());
        let Some((ciphering, opener)) = procedure.map(|it| (it.ciphering, it.cipher_opener)) else { return };
        let ready = match ciphering {
            Ciphering::On => self.hand_over_key(portable),
            Ciphering::Off => true,
        };
        if ready {
            self.request(now, portable, Some(compose::cipher_request(opener, ciphering)));
        }
    }

    /// LOCATE-ACCEPT, with a temporary identity if one is to be had.
    pub(super) fn send_locate_accept(&mut self, now: Instant, portable: PortableId) {
        let tpui = self.offer(portable);
        let message = compose::locate_accept(tpui, &self.config);
        self.request(now, portable, Some(message));
        if tpui.is_none() {
            // Nothing is to be acknowledged.
            self.mobility_step(now, portable, Trigger::IdentityAcknowledged);
        }
    }

    fn offer(&mut self, portable: PortableId) -> Option<Tpui> {
        if !self.config.assign_tpui {
            return None;
        }
        if let Some(tpui) = self.table.get(portable)?.tpui {
            return Some(tpui);
        }
        let first = u32::from(self.config.tpui_first_digit.min(0xb));
        for _ in 0..DRAWS {
            let [high, low] = self.generator.octets();
            let second = u32::from(high >> 4) % 0xc;
            let value = first << 16 | second << 12 | u32::from(high & 0xf) << 8 | u32::from(low);
            if let Ok(tpui) = Tpui::new(value)
                && self.table.assign(portable, tpui)
            {
                self.procedure(portable, |procedure| procedure.offered = Some(tpui));
                return Some(tpui);
            }
        }
        None
    }

    /// Asks the owner about a request for access rights.
    pub(super) fn indicate_access_request(&mut self, portable: PortableId) {
        self.last_request = self.last_request.wrapping_add(1);
        let request = AccessRequestId(self.last_request);
        self.requests.insert(request, portable);
        self.procedure(portable, |procedure| procedure.request = Some(request));
        let Some(entry) = self.table.get(portable) else { return };
        self.events.push_back(Event::AccessRightsRequested {
            request,
            ipui: entry.ipui,
            ipei: entry.ipui.ipei(),
            portable: entry.subscribed.then_some(portable),
        });
    }

    /// Gives the access rights and the new key.
    pub(super) fn indicate_subscribed(&mut self, portable: PortableId) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        let Some(procedure) = entry.procedure.as_mut() else { return };
        if let Some(request) = procedure.request.take() {
            self.requests.remove(&request);
        }
        let Some(uak) = procedure.new_key.take() else { return };
        entry.former_uak = entry.uak.replace(uak.clone());
        entry.cipher_key = None;
        let (ipui, dsaa2) = (entry.ipui, entry.dsaa2);
        self.table.set_subscribed(portable, true);
        self.events.push_back(Event::Subscribed { portable, ipui, uak, dsaa2 });
    }
}
