//! Answers to our checks.

use std::time::Instant;

use super::checks::{Check, Purpose};
use super::{Agent, Path};
use crate::error::{Breach, Error};
use crate::ice::candidate::Kind;
use crate::ice::checklist::{Valid, priority};
use crate::ice::pair::{Effect, Trigger};
use crate::ice::role::Role;
use crate::stun::{Class, Integrity, Message};

impl Agent {
    /// A Binding response; one that is not from the peer has no effect.
    ///
    /// RFC 8445 7.2.5, RFC 8489 9.1.4
    pub(super) fn handle_response(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let Some(check) = self.checks.get(&message.transaction()) else {
            return Err(Breach::UnexpectedAnswer.into());
        };
        let key = self
            .list
            .pairs
            .get(usize::from(check.pair))
            .and_then(|pair| self.remote(pair.remote))
            .and_then(|remote| self.theirs.get(usize::from(remote.credentials)))
            .map(|theirs| theirs.key().clone());
        // An error without integrity could be anybody's: the check then ends by itself.
        if key.is_none_or(|key| message.integrity(&key) != Integrity::Genuine) {
            return Err(Breach::UnauthenticatedCheck.into());
        }
        if !self.fingerprint_fits(message) {
            return Err(Breach::CheckFingerprint.into());
        }
        let Some(check) = self.checks.remove(&message.transaction()) else { return Ok(()) };
        self.version_seen |= message.implementation_version().is_some();
        match message.class() {
            Class::Success if path != check.path => {
                // RFC 8445 7.2.5.2.1: the ways there and back differ.
                self.unanswered(now, &check);
                Err(Breach::AnswerFromElsewhere.into())
            }
            Class::Success => {
                let Some(mapped) = message.reflexive_address() else {
                    self.unanswered(now, &check);
                    return Err(Breach::UnexpectedAnswer.into());
                };
                if check.purpose == Purpose::Consent {
                    self.consented(now, &check);
                } else {
                    self.succeeded(now, &check, mapped);
                }
                Ok(())
            }
            Class::Error => {
                if message.error_code().is_some_and(|error| error.code == 487) {
                    self.role_conflict(now, &check);
                } else {
                    self.unanswered(now, &check);
                }
                Ok(())
            }
            Class::Request | Class::Indication => Ok(()),
        }
    }

    /// RFC 8445 7.2.5.3
    fn succeeded(&mut self, now: Instant, check: &Check, mapped: core::net::SocketAddr) {
        let at = usize::from(check.pair);
        let effects = self.list.step(at, Trigger::Answered, &self.locals, &self.remotes);
        if effects.contains(&Effect::CancelCheck) {
            self.cancel(now, at);
        }
        if effects.contains(&Effect::BecomeValid) {
            self.become_valid(now, check, mapped);
        }
        let nominated = match self.role {
            Role::Controlling => check.use_candidate,
            Role::Controlled => self
                .list
                .pairs
                .get(at)
                .is_some_and(|pair| pair.named || (pair.nominate_when_valid && !pair.nominated)),
        };
        if nominated {
            self.nominated(now, at);
        }
        self.wake_checks(now);
        self.decide(now);
    }

    /// RFC 8445 7.2.5.3.1, 7.2.5.3.2
    fn become_valid(&mut self, now: Instant, check: &Check, mapped: core::net::SocketAddr) {
        let at = usize::from(check.pair);
        let Some(pair) = self.list.pairs.get(at) else { return };
        let (component, remote_at) = (pair.component, pair.remote);
        let (Some(local), Some(remote)) = (self.local(pair.local).cloned(), self.remote(remote_at)) else {
            return;
        };
        let theirs = remote.priority;
        let (kind, ours) = if mapped == local.base || local.transport.is_tcp() {
            (local.kind, local.priority)
        } else {
            let known = self
                .locals
                .iter()
                .find(|l| l.component == component && l.address == mapped && l.base == local.base);
            if let Some(known) = known {
                (known.kind, known.priority)
            } else {
                self.add_peer_reflexive(&local, mapped, check.priority);
                (Kind::PeerReflexive, check.priority)
            }
        };
        let priority = priority(ours, theirs, self.role);
        if let Some(pair) = self.list.pairs.get_mut(at) {
            pair.valid = Some(Valid { mapped, kind, priority });
        }
        if let Some(phase) = self.config.times.phase
            && self.phase_end.is_none()
            && self.patience.is_some()
        {
            self.phase_end = Some(now + phase);
        }
        let settling = now + self.config.times.settling;
        if let Some(component) = self.components.iter_mut().find(|c| c.number == component)
            && component.settled_by.is_none()
            && component.selected.is_none()
        {
            component.settled_by = Some(settling);
        }
    }

    /// 487: the check claimed a role that is the peer's.
    ///
    /// RFC 8445 7.2.5.1
    fn role_conflict(&mut self, now: Instant, check: &Check) {
        if check.role == self.role {
            self.switch_role();
        }
        let at = usize::from(check.pair);
        let effects = self.list.step(at, Trigger::RoleConflict, &self.locals, &self.remotes);
        if effects.contains(&Effect::CancelCheck) {
            self.cancel(now, at);
        }
        self.wake_checks(now);
    }
}
