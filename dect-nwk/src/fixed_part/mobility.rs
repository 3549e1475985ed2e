//! Mobility management: one step with all that follows from it, and the owner's verbs.

use bytes::Bytes;
use std::time::Instant;

use super::event::{AccessRequestId, Event, PortableId};
use super::{Ciphering, FixedPart, Timer, compose};
use crate::authentication::{AuthenticationCode, CipherKey, Key128, UserPersonalIdentity};
use crate::cc_fixed;
use crate::element::{RejectReason, ReleaseReason, Rs};
use crate::error::Error;
use crate::identity::{Ipei, Ipui, Tpui};
use crate::key_exchange::Algorithm;
use crate::lce;
use crate::mm_fixed::{Action, FixedProcedure, Trigger, step};
use crate::outbox::Outgoing;
use crate::refusal::Refusal;
use crate::timers;

use super::call::Payload;

/// What the procedures with one portable part remember while they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Procedure {
    /// The algorithm of the running authentication or key allocation.
    pub(super) algorithm: Algorithm,
    pub(super) rand_f: [u8; 8],
    pub(super) rs: Rs,
    /// The challenge of the portable part.
    pub(super) rand_p: [u8; 8],
    /// The algorithm with which the portable part authenticates us.
    pub(super) asked: Option<Algorithm>,
    /// Its challenge in that case.
    pub(super) asked_rand_p: [u8; 8],
    pub(super) code: Option<AuthenticationCode>,
    pub(super) new_key: Option<Key128>,
    pub(super) new_cipher_key: Option<CipherKey>,
    pub(super) request: Option<AccessRequestId>,
    /// The temporary identity was assigned with this registration.
    pub(super) offered: Option<Tpui>,
    pub(super) ipei: Option<Ipei>,
    /// What CIPHER-REQUEST asks for.
    pub(super) ciphering: Ciphering,
    /// Whose transaction CIPHER-REQUEST belongs to: the answer to a suggestion is the portable part's.
    pub(super) cipher_opener: compose::Opener,
    pub(super) reason: RejectReason,
    /// The request as it was sent, for its repetition.
    pub(super) last: Bytes,
    /// The identity that goes with the access rights, where it is not the one shown.
    pub(super) assigned: Option<Ipui>,
    /// The user is to be authenticated.
    pub(super) user: Option<UserPersonalIdentity>,
    /// The portable part is to increment its ZAP register.
    pub(super) increment_zap: bool,
    /// The derived key shall cipher the next link from the beginning.
    pub(super) default_key: Option<u16>,
    /// The link is to be ciphered with the derived key although it is ciphered already.
    pub(super) rekey: bool,
}

impl Procedure {
    fn new() -> Self {
        Self {
            algorithm: Algorithm::Dsaa,
            rand_f: [0; 8],
            rs: Rs::Rs64([0; 8]),
            rand_p: [0; 8],
            asked: None,
            asked_rand_p: [0; 8],
            code: None,
            new_key: None,
            new_cipher_key: None,
            request: None,
            offered: None,
            ipei: None,
            ciphering: Ciphering::On,
            cipher_opener: compose::Opener::Fixed,
            reason: RejectReason::AuthenticationFailed,
            last: Bytes::new(),
            assigned: None,
            user: None,
            increment_zap: false,
            default_key: None,
            rekey: false,
        }
    }
}

impl FixedPart {
    /// Lets a portable part subscribe if it proves that it knows the code.
    ///
    /// EN 300 175-5 13.5.1, 13.6
    pub fn allow_access(
        &mut self,
        now: Instant,
        request: AccessRequestId,
        code: AuthenticationCode,
    ) -> Result<(), Error> {
        let portable = *self.requests.get(&request).ok_or(Error::Refused(Refusal::UnknownRequest))?;
        self.procedure(portable, |procedure| procedure.code = Some(code));
        self.mobility_command(now, portable, Trigger::AllowAccess)
    }

    /// Lets a portable part subscribe under another identity than the one it showed.
    ///
    /// EN 300 175-5 13.5.1, EN 300 175-6 6.2.2
    pub fn allow_access_as(
        &mut self,
        now: Instant,
        request: AccessRequestId,
        code: AuthenticationCode,
        ipui: Ipui,
    ) -> Result<(), Error> {
        let portable = *self.requests.get(&request).ok_or(Error::Refused(Refusal::UnknownRequest))?;
        if self.table.by_ipui(&ipui).is_some_and(|owner| owner != portable) {
            return Err(Error::Refused(Refusal::Busy));
        }
        self.procedure(portable, |procedure| procedure.assigned = Some(ipui));
        self.allow_access(now, request, code)
    }

    /// Refuses the subscription of a portable part.
    ///
    /// EN 300 175-5 13.5.1
    pub fn refuse_access(
        &mut self,
        now: Instant,
        request: AccessRequestId,
        reason: RejectReason,
    ) -> Result<(), Error> {
        let portable = *self.requests.get(&request).ok_or(Error::Refused(Refusal::UnknownRequest))?;
        self.procedure(portable, |procedure| procedure.reason = reason);
        self.mobility_command(now, portable, Trigger::RefuseAccess)
    }

    /// Takes the access rights of a portable part away, which is paged if it has no link.
    ///
    /// EN 300 175-5 13.5.2
    pub fn terminate_access(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.subscribed(portable)?;
        self.mobility_command(now, portable, Trigger::Terminate)
    }

    /// Authenticates a portable part.
    ///
    /// EN 300 175-5 13.3.1
    pub fn authenticate(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.subscribed(portable)?;
        if self.table.get(portable).is_none_or(|entry| entry.uak.is_none()) {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        self.mobility_command(now, portable, Trigger::Authenticate)
    }

    /// Asks a portable part for its equipment identity.
    ///
    /// EN 300 175-5 13.2.1
    pub fn identify(&mut self, now: Instant, portable: PortableId) -> Result<(), Error> {
        self.subscribed(portable)?;
        self.mobility_command(now, portable, Trigger::Identify)
    }

    /// Ciphers the link of a portable part with the key from its last authentication, or makes it clear.
    ///
    /// EN 300 175-5 13.8
    pub fn cipher(&mut self, now: Instant, portable: PortableId, ciphering: Ciphering) -> Result<(), Error> {
        self.subscribed(portable)?;
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if ciphering == Ciphering::On && entry.cipher_key.is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if entry.lce != lce::State::Established {
            return Err(Error::Refused(Refusal::NoLink));
        }
        if step(entry.mm, Trigger::Cipher).1.is_empty() {
            return Err(Error::Refused(Refusal::Busy));
        }
        self.procedure(portable, |it| {
            it.ciphering = ciphering;
            it.cipher_opener = compose::Opener::Fixed;
        });
        self.mobility_step(now, portable, Trigger::Cipher);
        Ok(())
    }

    pub(super) fn subscribed(&self, portable: PortableId) -> Result<(), Error> {
        match self.table.get(portable) {
            None => Err(Error::Refused(Refusal::UnknownPortable)),
            Some(entry) if !entry.subscribed => Err(Error::Refused(Refusal::NotSubscribed)),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn mobility_command(
        &mut self,
        now: Instant,
        portable: PortableId,
        trigger: Trigger,
    ) -> Result<(), Error> {
        let entry = self.table.get(portable).ok_or(Error::Refused(Refusal::UnknownPortable))?;
        if step(entry.mm, trigger).1.is_empty() {
            return Err(Error::Refused(Refusal::Busy));
        }
        self.mobility_step(now, portable, trigger);
        Ok(())
    }

    /// Changes what the procedures with a portable part remember.
    pub(super) fn procedure(&mut self, portable: PortableId, change: impl FnOnce(&mut Procedure)) {
        if let Some(entry) = self.table.get_mut(portable) {
            change(entry.procedure.get_or_insert_with(|| Box::new(Procedure::new())));
        }
    }

    /// DL_ENCRYPT-ind.
    pub(super) fn link_encrypted(&mut self, now: Instant, link: crate::link::LinkId, on: bool) {
        let Some(Some(portable)) = self.links.get(&link).copied() else { return };
        if let Some(entry) = self.table.get_mut(portable) {
            entry.ciphered = on;
        }
        self.start_rekey(now, portable, on);
        self.events.push_back(Event::Ciphered { portable, link, on });
        self.mobility_step(now, portable, Trigger::Encrypted);
    }

    /// The timer of the fixed part's procedure ran out.
    pub(super) fn mobility_timeout(&mut self, now: Instant, portable: PortableId) {
        self.procedure(portable, |procedure| procedure.reason = RejectReason::TimerExpiry);
        self.mobility_step(now, portable, Trigger::Timeout);
    }

    /// One step of mobility management with all that follows from it.
    pub(super) fn mobility_step(&mut self, now: Instant, portable: PortableId, trigger: Trigger) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        let (state, actions) = step(entry.mm, trigger);
        entry.mm = state;
        let (user, rekey) =
            entry.procedure.as_ref().map_or((false, false), |it| (it.user.is_some(), it.rekey));
        for action in actions {
            self.mobility_action(now, portable, action);
        }
        if trigger == Trigger::ReplyRight && user {
            self.events.push_back(Event::UserAuthenticated { portable });
        }
        if trigger == Trigger::ReplyRight && rekey {
            // Refused where another procedure has begun: the next time is soon enough.
            let _ = self.cipher(now, portable, Ciphering::On);
        } else if trigger == Trigger::ReplyRight {
            self.cipher_for_call(now, portable);
        }
        if let Some(entry) = self.table.get_mut(portable)
            && entry.mm == crate::mm_fixed::State::default()
        {
            entry.procedure = None;
        }
    }

    fn mobility_action(&mut self, now: Instant, portable: PortableId, action: Action) {
        match action {
            Action::SendKeyAllocate => {
                let challenge = self.challenge(portable);
                self.request(now, portable, Some(compose::key_allocate(&challenge)));
            }
            Action::SendAuthenticationRequest => {
                // From now on the portable part may have a new key, whether or not its answer gets here.
                if let Some(entry) = self.table.get_mut(portable) {
                    entry.cipher_key = None;
                }
                self.ask_for_default_key(portable);
                let challenge = self.challenge(portable);
                let extras = self.extras(portable);
                self.request(now, portable, Some(compose::authentication_request(&challenge, extras)));
            }
            Action::SendKeyReply => self.send_key_reply(now, portable),
            Action::SendAuthenticationReply => self.send_authentication_reply(now, portable),
            Action::SendAuthenticationReject => {
                let reason = RejectReason::AuthenticationFailed;
                self.send(
                    now,
                    portable,
                    None,
                    compose::authentication_reject(compose::Opener::Fixed, reason),
                );
            }
            Action::SendAccessAccept => {
                let Some(entry) = self.table.get(portable) else { return };
                let assigned = entry.procedure.as_ref().and_then(|it| it.assigned);
                let message = compose::access_accept(&assigned.unwrap_or(entry.ipui), &self.config);
                self.send(now, portable, None, message);
            }
            Action::SendAccessReject => {
                let message = compose::access_reject(self.reason(portable), self.config.refusal_wait);
                self.send(now, portable, None, message);
            }
            Action::SendLocateAccept => self.send_locate_accept(now, portable),
            Action::SendLocateReject => {
                let message = compose::locate_reject(self.reason(portable), self.config.refusal_wait);
                self.send(now, portable, None, message);
            }
            Action::SendCipherRequest => self.send_cipher_request(now, portable),
            Action::SendCipherReject => {
                let message = compose::cipher_reject(self.reason(portable));
                self.send(now, portable, None, message);
            }
            Action::SendIdentityAssign => self.send_identity_assign(now, portable),
            Action::SendIdentityRequest => {
                self.request(now, portable, Some(compose::identity_request()));
            }
            Action::SendTerminateRequest => {
                let message = self
                    .table
                    .get(portable)
                    .map(|entry| compose::terminate_request(&entry.ipui, &self.config));
                self.request(now, portable, message);
            }
            Action::SendTerminateAccept => self.send(now, portable, None, compose::terminate_accept()),
            Action::SendTerminateReject => {
                let message = compose::terminate_reject(self.reason(portable));
                self.send(now, portable, None, message);
            }
            Action::Repeat => self.repeat(now, portable),
            Action::StartTimer => self.start_mobility_timer(now, portable),
            Action::StopTimer => {
                self.deadlines.stop(Timer::Mobility(portable));
                self.discard_request(now, portable);
            }
            Action::StoreCipherKey => {
                if let Some(entry) = self.table.get_mut(portable) {
                    entry.cipher_key = entry.procedure.as_mut().and_then(|it| it.new_cipher_key.take());
                    let index = entry.procedure.as_ref().and_then(|it| it.default_key);
                    if let Some(default) = index.zip(entry.cipher_key.clone()) {
                        entry.default_key = Some(default);
                    }
                }
            }
            // The first was reserved when it was offered; the second is what the new state means.
            Action::StoreTemporaryIdentity | Action::AwaitProcedure => {}
            Action::DropTemporaryIdentity => {
                let offered = self.table.get(portable).and_then(|entry| entry.procedure.as_ref()?.offered);
                if offered.is_some() {
                    self.table.take_back(portable);
                }
            }
            Action::IndicateAccessRequest => self.indicate_access_request(portable),
            Action::IndicateSubscribed => self.indicate_subscribed(portable),
            Action::IndicateSubscriptionFailed => {
                let reason = self.reason(portable);
                let Some(entry) = self.table.get_mut(portable) else { return };
                let ipui = entry.ipui;
                if let Some(request) = entry.procedure.as_mut().and_then(|it| it.request.take()) {
                    self.requests.remove(&request);
                }
                self.events.push_back(Event::SubscriptionFailed { ipui, reason });
            }
            Action::IndicateLocated => {
                let Some(entry) = self.table.get(portable) else { return };
                if let Some(link) = entry.link {
                    self.events.push_back(Event::Located { portable, link, tpui: entry.tpui });
                }
            }
            Action::IndicateLocationRefused => {
                let reason = self.reason(portable);
                let Some(entry) = self.table.get(portable) else { return };
                self.events.push_back(Event::LocationRefused { ipui: entry.ipui, reason });
            }
            Action::IndicateAuthenticationFailed => {
                self.events.push_back(Event::AuthenticationFailed { portable });
                self.release_calls(now, portable, ReleaseReason::AuthenticationFailed);
            }
            Action::IndicateDetached => self.events.push_back(Event::Detached { portable }),
            Action::IndicateIdentified | Action::IndicateNotIdentified => {
                let ipei = self.table.get(portable).and_then(|entry| entry.procedure.as_ref()?.ipei);
                self.events.push_back(Event::Identified { portable, ipei });
            }
            Action::IndicateTerminated => self.end_subscription(now, portable),
            Action::IndicateTerminationFailed => {
                self.events.push_back(Event::TerminationFailed { portable });
            }
            Action::FreeLink => self.free_link(now, portable, true),
        }
    }

    pub(super) fn reason(&self, portable: PortableId) -> RejectReason {
        self.table
            .get(portable)
            .and_then(|entry| entry.procedure.as_ref())
            .map_or(RejectReason::TimerExpiry, |procedure| procedure.reason)
    }

    /// Sends a request of ours and keeps it for its repetition.
    pub(super) fn request(&mut self, now: Instant, portable: PortableId, message: Option<Bytes>) {
        let Some(message) = message else { return };
        self.procedure(portable, |procedure| procedure.last = message.clone());
        self.send(now, portable, None, message);
    }

    fn repeat(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get(portable) else { return };
        // A message that still waits for the answer to a page is not sent twice.
        if entry.lce == lce::State::Established
            && let Some(procedure) = &entry.procedure
        {
            let message = procedure.last.clone();
            // What could not be asked the first time cannot be asked again.
            if !message.is_empty() {
                self.send(now, portable, None, message);
            }
        }
    }

    /// The procedure is over: its request must not leave any more if it still waits for the answer to a page.
    fn discard_request(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get_mut(portable) else { return };
        let Some(procedure) = &entry.procedure else { return };
        let before = entry.queue.len();
        entry.queue.retain(|waiting| waiting.message != procedure.last);
        if entry.queue.is_empty() && before != 0 {
            self.link_step(now, portable, lce::fixed::Trigger::QueueEmptied, None);
        }
    }

    fn start_mobility_timer(&mut self, now: Instant, portable: PortableId) {
        let Some(entry) = self.table.get(portable) else { return };
        let time = match entry.mm.fixed {
            FixedProcedure::None => return,
            FixedProcedure::KeyAllocation(_) => timers::MM_KEY_1,
            FixedProcedure::Authentication(_)
                if entry.procedure.as_ref().is_some_and(|it| it.user.is_some()) =>
            {
                timers::MM_AUTH_2
            }
            FixedProcedure::Authentication(_) => timers::MM_AUTH_1,
            FixedProcedure::CipherSwitching(_) => timers::MM_CIPHER_1,
            FixedProcedure::Identification(_) => timers::MM_IDENT_2,
            FixedProcedure::TemporaryIdentity => timers::MM_IDENT_1,
            FixedProcedure::AccessRightsTerminate(_) => timers::MM_ACCESS_2_FIXED,
        };
        self.deadlines.start(Timer::Mobility(portable), now + time);
    }

    /// The access rights are gone: what is left of the entry lives as long as its link.
    fn end_subscription(&mut self, now: Instant, portable: PortableId) {
        self.release_calls(now, portable, ReleaseReason::UserUnknown);
        let Some(entry) = self.table.get_mut(portable) else { return };
        entry.uak = None;
        entry.former_uak = None;
        entry.cipher_key = None;
        let ipui = entry.ipui;
        self.table.set_subscribed(portable, false);
        self.events.push_back(Event::AccessTerminated { portable, ipui });
    }

    /// Removes every trace of a portable part.
    pub(super) fn forget(&mut self, now: Instant, portable: PortableId) {
        for call in self.calls_of(portable) {
            self.call_step(now, call, cc_fixed::Trigger::LinkLost, ReleaseReason::UserUnknown, Payload::None);
        }
        self.mobility_step(now, portable, Trigger::LinkLost);
        self.services_lose_link(now, portable, ReleaseReason::UserUnknown);
        self.inquiries.remove(&portable);
        for timer in [
            Timer::Page(portable),
            Timer::LinkRelease(portable),
            Timer::LinkMaintain(portable),
            Timer::LinkSuspend(portable),
            Timer::Rekey(portable),
        ] {
            self.deadlines.stop(timer);
        }
        if let Some(link) = self.table.remove(portable).and_then(|entry| entry.link) {
            self.links.remove(&link);
        }
    }

    pub(super) fn hand_over_key(&mut self, portable: PortableId) -> bool {
        let Some(entry) = self.table.get(portable) else { return false };
        let (Some(link), Some(key)) = (entry.link, entry.cipher_key.clone()) else { return false };
        if !entry.lce.is_linked() {
            return false;
        }
        self.outbox.push(Outgoing::EncryptionKey(link, key));
        true
    }
}
