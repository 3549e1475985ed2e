//! Mobility management: one step with all that follows from it, and the user's verbs.

use bytes::Bytes;
use std::time::Instant;

use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::authentication::{AuthenticationCode, CipherKey, Key128};
use crate::element::{
    AuthType, AuthenticationAlgorithm, IdentityType, RejectReason, Rs, ServiceClass, TimerRestart,
};
use crate::error::Error;
use crate::fixed_part::{Ciphering, HandoverParameters};
use crate::identity::{Ipui, Park, Rfpi, Tpui};
use crate::key_exchange::Algorithm;
use crate::message::View;
use crate::mm_portable::{Action, Own, Trigger, step};
use crate::outbox::Outgoing;
use crate::refusal::Refusal;
use crate::timers;

/// What the procedures remember while they run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Procedure {
    pub(super) algorithm: Algorithm,
    /// The challenge of the fixed part.
    pub(super) rand_f: [u8; 8],
    pub(super) rs: Rs,
    /// Our challenge.
    pub(super) rand_p: [u8; 8],
    /// What AUTHENTICATION-REQUEST asked for.
    pub(super) asked: Option<AuthType>,
    pub(super) new_key: Option<Key128>,
    /// Whether the key allocation of this subscription has ended.
    pub(super) keyed: bool,
    pub(super) new_access: Option<(Ipui, Park)>,
    pub(super) new_tpui: Option<Tpui>,
    /// ZAP register and service class that come with the access rights.
    pub(super) new_class: (Option<u8>, Option<ServiceClass>),
    pub(super) wanted: Vec<IdentityType>,
    /// Whether the temporary identity or CIPHER-REQUEST came in our own transaction.
    pub(super) own_transaction: bool,
    pub(super) cipher_on: bool,
    pub(super) reason: RejectReason,
    /// The request as it was sent, for its repetition.
    pub(super) last: Bytes,
    /// The challenge that waits for the user's personal identity.
    pub(super) user: Option<(AuthType, [u8; 8], Rs)>,
    /// How many bits name the location area, from LOCATE-ACCEPT.
    pub(super) area_level: Option<u8>,
    /// What MM-INFO-ACCEPT brought.
    pub(super) parameters: Option<HandoverParameters>,
}

impl Default for Procedure {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Dsaa,
            rand_f: [0; 8],
            rs: Rs::Rs64([0; 8]),
            rand_p: [0; 8],
            asked: None,
            new_key: None,
            keyed: false,
            new_access: None,
            new_tpui: None,
            new_class: (None, None),
            wanted: Vec::new(),
            own_transaction: true,
            cipher_on: true,
            reason: RejectReason::TimerExpiry,
            last: Bytes::new(),
            user: None,
            area_level: None,
            parameters: None,
        }
    }
}

impl PortablePart {
    /// Asks for access rights with the code the user typed.
    ///
    /// EN 300 175-5 13.5.1
    pub fn subscribe(&mut self, now: Instant, code: AuthenticationCode) -> Result<(), Error> {
        self.begin(now, Trigger::Subscribe, |portable| portable.code = Some(code))
    }

    /// Registers the location.
    ///
    /// EN 300 175-5 13.4.1
    pub fn locate(&mut self, now: Instant) -> Result<(), Error> {
        self.subscribed()?;
        self.begin(now, Trigger::Locate, |_| {})
    }

    /// Tells the portable part in whose cell it is. Where the location area is another than that of the last registration
    /// it registers again; whether it does so is told.
    ///
    /// EN 300 175-5 13.4.1, 7.7.25 (location area level)
    pub fn enter_cell(&mut self, now: Instant, cell: Rfpi) -> Result<bool, Error> {
        self.cell = Some(cell);
        let same = self.registered.is_some_and(|(before, level)| before.is_in_area_of(cell, level));
        if self.subscription.is_none() || self.located && same {
            return Ok(false);
        }
        self.locate(now)?;
        Ok(true)
    }

    /// Tells the fixed part that this portable part goes out of service.
    ///
    /// EN 300 175-5 13.4.2
    pub fn detach(&mut self, now: Instant) -> Result<(), Error> {
        let subscription = self.subscription.as_ref().ok_or(Error::Refused(Refusal::NotSubscribed))?;
        let message = compose::detach(subscription);
        self.located = false;
        self.send(now, message);
        self.free_link(now, true);
        Ok(())
    }

    /// Gives the access rights back.
    ///
    /// EN 300 175-5 13.5.2
    pub fn terminate_access(&mut self, now: Instant) -> Result<(), Error> {
        self.subscribed()?;
        self.begin(now, Trigger::Terminate, |_| {})
    }

    /// Has the fixed part prove that it knows the key. The request carries no identity, so it needs a link over
    /// which the fixed part knows this portable part already.
    ///
    /// EN 300 175-5 13.3.3
    pub fn authenticate_fixed_part(&mut self, now: Instant) -> Result<(), Error> {
        if self.uak().is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if !self.is_linked() {
            return Err(Error::Refused(Refusal::NoLink));
        }
        self.begin(now, Trigger::AuthenticateFixed, |_| {})
    }

    /// Asks the fixed part to cipher the link with the key from the last authentication, or to make it clear.
    ///
    /// EN 300 175-5 13.8
    pub fn suggest_cipher(&mut self, now: Instant, ciphering: Ciphering) -> Result<(), Error> {
        let on = ciphering == Ciphering::On;
        if on && self.cipher_key.is_none() {
            return Err(Error::Refused(Refusal::NotSubscribed));
        }
        if !self.is_linked() {
            return Err(Error::Refused(Refusal::NoLink));
        }
        self.begin(now, Trigger::SuggestCipher, |portable| portable.procedure.cipher_on = on)
    }

    /// Asks the fixed part for what an external handover to another system needs. The request carries no identity, so it
    /// needs a link over which the fixed part knows this portable part already.
    ///
    /// EN 300 175-5 13.7
    pub fn retrieve_handover_parameters(&mut self, now: Instant) -> Result<(), Error> {
        self.subscribed()?;
        if !self.is_linked() {
            return Err(Error::Refused(Refusal::NoLink));
        }
        self.begin(now, Trigger::RetrieveParameters, |_| {})
    }

    fn subscribed(&self) -> Result<(), Error> {
        if self.subscription.is_some() { Ok(()) } else { Err(Error::Refused(Refusal::NotSubscribed)) }
    }

    fn begin(
        &mut self,
        now: Instant,
        trigger: Trigger,
        prepare: impl FnOnce(&mut Self),
    ) -> Result<(), Error> {
        if step(self.mm, trigger).1.is_empty() {
            return Err(Error::Refused(Refusal::Busy));
        }
        if self.waiting && matches!(trigger, Trigger::Subscribe | Trigger::Locate | Trigger::Terminate) {
            return Err(Error::Refused(Refusal::Waiting));
        }
        prepare(self);
        self.procedure.keyed = false;
        self.procedure.reason = RejectReason::TimerExpiry;
        self.mobility_step(now, trigger);
        Ok(())
    }

    /// A timer of mobility management ran out.
    pub(super) fn mobility_timeout(&mut self, now: Instant, trigger: Trigger) {
        self.procedure.reason = RejectReason::TimerExpiry;
        self.mobility_step(now, trigger);
    }

    /// One step of mobility management with all that follows from it.
    pub(super) fn mobility_step(&mut self, now: Instant, trigger: Trigger) {
        let (state, actions) = step(self.mm, trigger);
        self.mm = state;
        for action in actions {
            self.mobility_action(now, action);
        }
    }

    fn mobility_action(&mut self, now: Instant, action: Action) {
        match action {
            Action::SendAccessRequest => {
                let message = compose::access_request(&self.config);
                self.request(now, Some(message));
            }
            Action::SendLocateRequest => {
                let message = self
                    .subscription
                    .as_ref()
                    .map(|known| compose::locate_request(known, &self.config, self.left_area()));
                self.request(now, message);
            }
            Action::SendAuthenticationRequest => {
                let algorithm = self.algorithm();
                let rand_p = self.generator.octets();
                self.procedure.algorithm = algorithm;
                self.procedure.rand_p = rand_p;
                self.request(now, Some(compose::authentication_request(algorithm, rand_p)));
            }
            Action::SendTerminateRequest => {
                let message = self.subscription.as_ref().map(compose::terminate_request);
                self.request(now, message);
            }
            Action::SendCipherSuggest => {
                let message = compose::cipher_suggest(self.procedure.cipher_on);
                self.request(now, Some(message));
            }
            Action::SendInfoRequest => {
                let message = self.subscription.as_ref().map(compose::info_request);
                self.request(now, message);
            }
            Action::SendKeyProof => self.send_key_proof(now),
            Action::SendAuthenticationReply => self.send_authentication_reply(now),
            Action::AskForPersonalIdentity => {
                self.deadlines.start(Timer::User, now + timers::MM_AUTH_2);
                self.events.push_back(Event::PersonalIdentityWanted);
            }
            Action::SendAuthenticationReject => {
                let message = compose::authentication_reject(self.procedure.reason);
                self.send(now, message);
            }
            Action::SendIdentityAck => {
                // The acknowledgement of LOCATE-ACCEPT belongs to our transaction, that of
                // TEMPORARY-IDENTITY-ASSIGN to the fixed part's.
                let message = compose::identity_ack(self.procedure.own_transaction);
                self.send(now, message);
            }
            Action::SendIdentityReply => {
                let message = compose::identity_reply(
                    &self.procedure.wanted,
                    self.subscription.as_ref(),
                    self.config.ipei,
                );
                self.send(now, message);
            }
            Action::SendCipherReject => {
                let message = compose::cipher_reject(self.procedure.own_transaction, self.procedure.reason);
                self.send(now, message);
            }
            Action::SendTerminateAccept => self.send(now, compose::terminate_accept()),
            Action::SwitchCipher => self.switch_cipher(),
            Action::Repeat => {
                // A message that still waits for the link is not sent twice.
                if self.is_linked() {
                    let message = self.procedure.last.clone();
                    self.send(now, message);
                }
            }
            Action::StartTimer => self.start_mobility_timer(now),
            Action::StopTimer => self.deadlines.stop(Timer::Mobility),
            Action::StartKeyTimer => self.deadlines.start(Timer::Key, now + timers::MM_AUTH_1),
            Action::StopKeyTimer => self.deadlines.stop(Timer::Key),
            Action::StoreKey => self.procedure.keyed = self.procedure.new_key.is_some(),
            Action::StoreAccessRights => self.store_access_rights(),
            Action::StoreTemporaryIdentity => {
                if let Some(subscription) = &mut self.subscription {
                    subscription.tpui = self.procedure.new_tpui.or(subscription.tpui);
                }
            }
            Action::EraseSubscription => {
                self.subscription = None;
                self.default_key = None;
                self.cipher_key = None;
                self.located = false;
                self.registered = None;
            }
            Action::IndicateSubscribed => {
                if let Some(subscription) = &self.subscription {
                    self.events.push_back(Event::Subscribed(subscription.clone()));
                }
            }
            Action::IndicateSubscriptionFailed => {
                self.code = None;
                let reason = self.procedure.reason;
                self.events.push_back(Event::SubscriptionFailed { reason });
            }
            Action::IndicateLocated => {
                self.located = true;
                self.registered = self.cell.zip(self.procedure.area_level);
                let tpui = self.subscription.as_ref().and_then(|known| known.tpui);
                self.events.push_back(Event::Located { tpui });
            }
            Action::IndicateLocationFailed => {
                self.located = false;
                let reason = self.procedure.reason;
                self.events.push_back(Event::LocationFailed { reason });
            }
            Action::IndicateFixedAuthenticated => {
                self.genuine = true;
                self.events.push_back(Event::FixedPartAuthenticated { genuine: true });
            }
            Action::IndicateFixedNotAuthenticated => {
                self.events.push_back(Event::FixedPartAuthenticated { genuine: false });
            }
            Action::IndicateParameters => {
                if let Some(parameters) = self.procedure.parameters.take() {
                    self.events.push_back(Event::HandoverParameters(parameters));
                }
            }
            Action::IndicateNoParameters => {
                let reason = self.procedure.reason;
                self.events.push_back(Event::ParametersRefused { reason });
            }
            Action::IndicateTerminated => self.events.push_back(Event::Terminated),
            Action::IndicateTerminationFailed => self.events.push_back(Event::TerminationFailed),
            Action::FreeLink => self.free_link(now, true),
        }
    }

    /// The area that was left, where the registration is because of another one.
    fn left_area(&self) -> Option<(Rfpi, u8)> {
        let cell = self.cell?;
        self.registered.filter(|(before, level)| !before.is_in_area_of(cell, *level))
    }

    /// Sends a request of ours and keeps it for its repetition.
    fn request(&mut self, now: Instant, message: Option<Bytes>) {
        if let Some(message) = message {
            self.procedure.last = message.clone();
            self.send(now, message);
        }
    }

    fn start_mobility_timer(&mut self, now: Instant) {
        let time = match self.mm.own {
            Own::None => return,
            Own::AccessRights(_) => timers::MM_ACCESS_1,
            Own::LocationRegistration(_) => timers::MM_LOCATE_1,
            Own::AuthenticationOfFixed(_) => timers::MM_AUTH_1,
            Own::AccessRightsTerminate(_) => timers::MM_ACCESS_2_PORTABLE,
            Own::CipherSuggest(_) => timers::MM_CIPHER_2,
            Own::ParameterRetrieval(_) => timers::MM_INFO_1,
        };
        self.deadlines.start(Timer::Mobility, now + time);
    }

    /// MM-NOTIFY: the timer that runs gets its whole time again, or stops.
    pub(super) fn restart_mobility_timer(&mut self, now: Instant, message: &View<'_>) {
        if !self.deadlines.runs(Timer::Mobility) {
            return;
        }
        match message.find::<TimerRestart>() {
            Some(TimerRestart::Restart) => self.start_mobility_timer(now),
            Some(TimerRestart::Stop) => self.deadlines.stop(Timer::Mobility),
            Some(TimerRestart::Reserved(_)) | None => {}
        }
    }

    fn switch_cipher(&mut self) {
        let Some(link) = self.link else { return };
        let on = self.procedure.cipher_on;
        if on && let Some(key) = self.cipher_key.clone() {
            self.outbox.push(Outgoing::EncryptionKey(link, key));
        }
        self.outbox.push(Outgoing::Encrypt(link, on));
    }

    pub(super) fn uak(&self) -> Option<&Key128> {
        self.subscription.as_ref()?.uak.as_ref()
    }

    /// The key an authentication names, ready for use.
    pub(super) fn set_cipher_key(&mut self, key: CipherKey) {
        self.cipher_key = Some(key);
    }

    /// Whether this portable part computes the algorithm.
    pub(super) fn supported(&self, algorithm: AuthenticationAlgorithm) -> Option<Algorithm> {
        Algorithm::from_element(algorithm).filter(|it| match it {
            Algorithm::Dsaa => true,
            Algorithm::Dsaa2 => self.config.dsaa2,
        })
    }
}
