//! Keys: allocation, authentication of both sides, ciphering, and what a registration assigns.

use std::time::Instant;

use super::event::{AccessRequestId, Event, PortableId};
use super::{Ciphering, FixedPart, Timer, compose};
use crate::authentication::{Key128, UserPersonalIdentity, equal};
use crate::element::{Parameter, RejectReason, Rs};
use crate::error::Error;
use crate::identity::Tpui;
use crate::key_exchange::Algorithm;
use crate::mm_fixed::{PortableProcedure, Trigger};
use crate::refusal::Refusal;

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
                .portable_proof(
                    &procedure.user.as_ref().map_or_else(|| key.b1(), |user| key.b2(user)),
                    procedure.rs,
                    procedure.rand_f,
                    rand_p,
                )
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
        let wideband = self.table.get(portable).is_some_and(|entry| entry.terminal.wideband);
        let message = compose::locate_accept(tpui, wideband, &self.config);
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
        self.draw(portable)
    }

    /// A temporary identity nobody has.
    fn draw(&mut self, portable: PortableId) -> Option<Tpui> {
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
        let assigned = procedure.assigned.take();
        entry.former_uak = entry.uak.replace(uak.clone());
        entry.cipher_key = None;
        entry.default_key = None;
        entry.zap = self.config.zap;
        let dsaa2 = entry.dsaa2;
        let ipui = assigned.unwrap_or(entry.ipui);
        self.table.rename(portable, ipui);
        self.table.set_subscribed(portable, true);
        self.events.push_back(Event::Subscribed { portable, ipui, uak, dsaa2 });
    }

    /// The authentication of a location registration gives the key for early encryption, where both sides can do it.
    pub(super) fn ask_for_default_key(&mut self, portable: PortableId) {
        let wanted = self.config.early_encryption
            && self.table.get(portable).is_some_and(|entry| {
                entry.terminal.early_encryption
                    && entry.mm.portable == PortableProcedure::LocationRegistration
            });
        if wanted {
            // Every key has an index of its own: an old one is never taken for a new one.
            self.last_default_key = self.last_default_key.wrapping_add(1);
            let index = self.last_default_key;
            self.procedure(portable, |procedure| procedure.default_key = Some(index));
        }
    }

    /// What the next authentication does beside.
    pub(super) fn extras(&self, portable: PortableId) -> compose::Extras {
        let Some(entry) = self.table.get(portable) else { return compose::Extras::default() };
        let Some(procedure) = &entry.procedure else { return compose::Extras::default() };
        compose::Extras {
            of_user: procedure.user.is_some(),
            increment_zap: procedure.increment_zap,
            default_key: procedure.default_key,
        }
    }

    /// TEMPORARY-IDENTITY-ASSIGN with a new identity; none to be had ends the procedure.
    pub(super) fn send_identity_assign(&mut self, now: Instant, portable: PortableId) {
        match self.draw(portable) {
            Some(tpui) => self.request(now, portable, Some(compose::identity_assign(tpui))),
            None => self.mobility_step(now, portable, Trigger::IdentityRejected),
        }
    }

    /// Authenticates the user of a portable part, who has to enter a personal identity.
    ///
    /// EN 300 175-5 13.3.2
    pub fn authenticate_user(
        &mut self,
        now: Instant,
        portable: PortableId,
        identity: UserPersonalIdentity,
    ) -> Result<(), Error> {
        self.can_authenticate(portable)?;
        self.procedure(portable, |procedure| procedure.user = Some(identity));
        self.mobility_command(now, portable, Trigger::Authenticate)
    }

    /// Has a portable part increment its ZAP register; it does when it has authenticated this fixed part over the
    /// same link. What the register holds then comes as [`Event::ZapChanged`].
    ///
    /// EN 300 175-5 13.3.1, 7.7.44
    pub fn increment_zap(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.can_authenticate(portable)?;
        self.procedure(portable, |procedure| procedure.increment_zap = true);
        self.mobility_command(now, portable, Trigger::Authenticate)
    }

    /// Gives a ciphered link a new key: an authentication, then CIPHER-REQUEST.
    ///
    /// EN 300 175-5 13.8 (re-keying)
    pub fn rekey(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.can_authenticate(portable)?;
        if !self.table.get(portable).is_some_and(|entry| entry.ciphered) {
            return Err(Error::Refused(Refusal::NoLink));
        }
        self.procedure(portable, |procedure| procedure.rekey = true);
        self.mobility_command(now, portable, Trigger::Authenticate)
    }

    /// Gives a portable part a new temporary identity.
    ///
    /// EN 300 175-5 13.2.2
    pub fn assign_temporary_identity(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.subscribed(portable)?;
        self.mobility_command(now, portable, Trigger::AssignIdentity)
    }

    /// Asks a portable part to register its location again.
    ///
    /// EN 300 175-5 13.4.3
    pub fn suggest_location(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.suggest(now, portable, Parameter::LocateSuggest)
    }

    /// Asks a portable part to obtain its access rights again, because they have changed.
    ///
    /// EN 300 175-5 13.5.3
    pub fn suggest_access_rights(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.suggest(now, portable, Parameter::AccessRightsModifySuggest)
    }

    fn suggest(&mut self, now: Instant, portable: PortableId, parameter: Parameter) -> Result<(), Error> {
        self.subscribed(portable)?;
        self.send(now, portable, None, compose::info_suggest(parameter));
        self.free_link(now, portable, true);
        Ok(())
    }

    fn can_authenticate(&self, portable: PortableId) -> Result<(), Error> {
        self.subscribed(portable)?;
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if entry.uak.is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        // What the procedure remembers must not be changed while another one runs.
        if crate::mm_fixed::step(entry.mm, Trigger::Authenticate).1.is_empty() {
            return Err(Error::Refused(Refusal::Busy));
        }
        Ok(())
    }

    /// The link was ciphered, or made clear.
    pub(super) fn start_rekey(&mut self, now: Instant, portable: PortableId, on: bool) {
        match self.config.rekey {
            Some(time) if on => self.deadlines.start(Timer::Rekey(portable), now + time),
            Some(_) | None => self.deadlines.stop(Timer::Rekey(portable)),
        }
    }

    /// The key has served long enough; without a call it does until the link goes.
    pub(super) fn rekey_timeout(&mut self, now: Instant, portable: PortableId) {
        let talks = self.table.get(portable).is_some_and(|entry| entry.ciphered && !entry.calls.is_empty());
        if talks && self.rekey(now, portable).is_err() {
            // Something else is under way.
            self.deadlines.start(Timer::Rekey(portable), now + crate::timers::MM_AUTH_1);
        }
    }
}
