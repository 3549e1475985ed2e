//! Keys: allocation and authentication of both sides, and what the access rights bring.

use std::time::Instant;

use super::config::Subscription;
use super::event::Event;
use super::{PortablePart, Timer, compose};
use crate::authentication::{AuthenticationCode, CipherKey, Key128, UserPersonalIdentity, equal};
use crate::element::{AuthType, AuthenticationKeyType, RejectReason, Rs};
use crate::error::Error;
use crate::key_exchange::Algorithm;
use crate::refusal::Refusal;

impl PortablePart {
    /// The algorithm with which we authenticate the fixed part.
    pub(super) const fn algorithm(&self) -> Algorithm {
        if self.config.dsaa2 { Algorithm::Dsaa2 } else { Algorithm::Dsaa }
    }

    /// The answer to KEY-ALLOCATE: AUTHENTICATION-REQUEST with the proof that we know the code.
    pub(super) fn send_key_proof(&mut self, now: Instant) {
        let rand_p = self.generator.octets();
        self.procedure.rand_p = rand_p;
        let Some(code) = &self.code else { return };
        let (algorithm, rs, rand_f) = (self.procedure.algorithm, self.procedure.rs, self.procedure.rand_f);
        if let Some((res1, _)) = algorithm.portable_proof(&code.b1(), rs, rand_f, rand_p) {
            self.send(now, compose::key_proof(algorithm, rand_p, res1));
        }
    }

    /// Compares the proof of the fixed part in a key allocation and keeps the new key at hand.
    pub(super) fn key_reply_is_right(
        &mut self,
        res2: [u8; 4],
        rs: Option<Rs>,
        rand_f: Option<[u8; 8]>,
    ) -> bool {
        let Some(code) = &self.code else { return false };
        // With DSAA the session value of KEY-ALLOCATE serves both directions; DSAA2 takes new random numbers.
        let rs = match self.procedure.algorithm {
            Algorithm::Dsaa => self.procedure.rs,
            Algorithm::Dsaa2 => rs.unwrap_or(self.procedure.rs),
        };
        let rand_f = rand_f.unwrap_or(self.procedure.rand_f);
        match self.procedure.algorithm.fixed_proof(&code.b1(), rs, self.procedure.rand_p, rand_f) {
            Some((expected, key)) if equal(&expected, &res2) => {
                self.procedure.new_key = Some(key);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Compares the proof of the fixed part which we authenticate.
    pub(super) fn fixed_reply_is_right(
        &self,
        res2: [u8; 4],
        rs: Option<Rs>,
        rand_f: Option<[u8; 8]>,
    ) -> bool {
        let (Some(key), Some(rs)) = (self.uak(), rs) else { return false };
        self.procedure
            .algorithm
            .fixed_proof(&key.b1(), rs, self.procedure.rand_p, rand_f.unwrap_or([0; 8]))
            .is_some_and(|(expected, _)| equal(&expected, &res2))
    }

    /// The key AUTHENTICATION-REQUEST names.
    pub(super) fn asked_key(&self, kind: AuthenticationKeyType) -> Option<Key128> {
        match kind {
            AuthenticationKeyType::UserAuthenticationKey => self.uak().map(Key128::b1),
            AuthenticationKeyType::AuthenticationCode => self.code.as_ref().map(AuthenticationCode::b1),
            AuthenticationKeyType::UserPersonalIdentity | AuthenticationKeyType::Reserved(_) => None,
        }
    }

    /// AUTHENTICATION-REPLY.
    pub(super) fn send_authentication_reply(&mut self, now: Instant) {
        let Some(asked) = self.procedure.asked else { return };
        let rand_p = self.generator.octets();
        let (Some(key), Some(algorithm)) = (self.asked_key(asked.key_type), self.supported(asked.algorithm))
        else {
            return;
        };
        let proof = algorithm.portable_proof(&key, self.procedure.rs, self.procedure.rand_f, rand_p);
        let Some((res1, derived)) = proof else { return };
        self.answer_challenge(now, asked, algorithm, (res1, derived), rand_p);
        self.events.push_back(Event::Authenticated);
    }

    /// Keeps the access rights, with the key if one was allocated.
    pub(super) fn store_access_rights(&mut self) {
        self.code = None;
        let Some((ipui, park)) = self.procedure.new_access.take() else { return };
        let uak = if self.procedure.keyed { self.procedure.new_key.take() } else { None };
        let (zap, service_class) = self.procedure.new_class;
        self.subscription = Some(Subscription { ipui, park, uak, tpui: None, zap, service_class });
        self.default_key = None;
        self.located = false;
        self.cipher_key = None;
    }

    /// AUTHENTICATION-REPLY, with what the request wanted beside.
    fn answer_challenge(
        &mut self,
        now: Instant,
        asked: AuthType,
        algorithm: Algorithm,
        (res1, derived): ([u8; 4], CipherKey),
        rand_p: [u8; 8],
    ) {
        if let Some(key) = asked.default_key {
            self.default_key = Some((key.index, derived.clone()));
        }
        if asked.store_cipher_key {
            self.set_cipher_key(derived);
        }
        // Only a fixed part that has proven its key may count the register up (13.3.1).
        if asked.increment_zap
            && self.genuine
            && let Some(zap) = self.subscription.as_mut().and_then(|known| known.zap.as_mut())
        {
            *zap = (*zap + 1) & 0xf;
        }
        self.send(now, compose::authentication_reply(algorithm, res1, rand_p, self.subscription.as_ref()));
    }

    /// Enters the personal identity the fixed part wants.
    ///
    /// EN 300 175-5 13.3.2
    pub fn enter_personal_identity(
        &mut self,
        now: Instant,
        identity: &UserPersonalIdentity,
    ) -> Result<(), Error> {
        let Some((asked, rand_f, rs)) = self.procedure.user.take() else {
            return Err(Error::Refused(Refusal::WrongState));
        };
        self.deadlines.stop(Timer::User);
        let rand_p = self.generator.octets();
        let proof = self.uak().map(|uak| uak.b2(identity)).and_then(|key| {
            let algorithm = self.supported(asked.algorithm)?;
            Some((algorithm, algorithm.portable_proof(&key, rs, rand_f, rand_p)?))
        });
        match proof {
            Some((algorithm, proof)) => self.answer_challenge(now, asked, algorithm, proof, rand_p),
            None => {
                self.send(now, compose::authentication_reject(RejectReason::AuthenticationKeyNotSupported));
            }
        }
        self.free_link(now, true);
        Ok(())
    }

    /// The user has entered nothing.
    pub(super) fn user_timeout(&mut self, now: Instant) {
        if self.procedure.user.take().is_some() {
            self.send(now, compose::authentication_reject(RejectReason::UpiNotEntered));
            self.free_link(now, true);
        }
    }
}
