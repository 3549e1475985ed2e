//! Checks of the peer: who may ask, what is answered, what is learnt.

use core::net::SocketAddr;
use std::time::{Duration, Instant};

use super::checks::{IMPLEMENTATION_VERSION, path};
use super::{Agent, Event, Path, Protocol};
use crate::error::{Breach, Error};
use crate::ice::candidate::{Kind, Remote, Transport, is_usable};
use crate::ice::checklist::{Pair, pairs};
use crate::ice::credentials::{self, names};
use crate::ice::dialect::Dialect;
use crate::ice::pair::{Effect, Trigger};
use crate::ice::phase::State;
use crate::ice::role::{Conflict, Role, resolve};
use crate::stun::{
    self, Attribute, AttributeType, Class, ErrorCode, Fingerprint, Integrity, IntegrityKey, Message, Method,
    TransactionId,
};

/// A check that came before the description of the peer, or one to be learnt from now.
///
/// RFC 8445 7.3, MS-ICE 3.1.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Early {
    path: Path,
    priority: u32,
    use_candidate: bool,
    /// The sender's name.
    sender: Box<[u8]>,
    /// CANDIDATE-IDENTIFIER: the foundation of the sender's candidate. MS-ICE2 2.2
    foundation: Option<Box<str>>,
}

/// How many early checks are remembered.
const MOST_EARLY: usize = 32;

/// How many candidates checks of the peer may add.
const MOST_REMOTES: usize = 128;

/// Answers to messages of strangers: never more than a few a second.
///
/// RFC 8489 16.1.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    since: Option<Instant>,
    spent: u8,
}

impl Budget {
    const EACH_SECOND: u8 = 20;

    fn spend(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= Duration::from_secs(1)) {
            *self = Self { since: Some(now), spent: 0 };
        }
        self.spent = self.spent.saturating_add(1);
        self.spent <= Self::EACH_SECOND
    }
}

impl Agent {
    /// A Binding request.
    ///
    /// RFC 8445 7.3, RFC 8489 9.1.3, MS-ICE2 3.1.5
    pub(super) fn handle_request(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let dialect = self.config.dialect;
        if !self.fingerprint_fits(message) {
            return Err(Breach::CheckFingerprint.into());
        }
        let has_integrity = message.value(AttributeType::MESSAGE_INTEGRITY).is_some();
        let Some(username) = message.username() else {
            if dialect == Dialect::Rfc8445 {
                self.refuse(now, path, message, 400, None);
            }
            return Err(Breach::UnauthenticatedCheck.into());
        };
        let ours = self.ours.iter().chain(&self.retired).map(credentials::Credentials::wire);
        let Some((receiver, sender)) = names(dialect, username, ours, path.component) else {
            if dialect == Dialect::Rfc8445 {
                self.refuse(now, path, message, 401, None);
            }
            return Err(Breach::ForeignCheck.into());
        };
        let ours = |c: &&credentials::Credentials| c.wire() == receiver;
        let current = self.ours.iter().find(ours);
        let retired = current.is_none();
        let Some(key) = current.or_else(|| self.retired.iter().find(ours)).map(|c| c.key().clone()) else {
            return Err(Breach::ForeignCheck.into());
        };
        if !has_integrity {
            self.refuse(now, path, message, if dialect == Dialect::Rfc8445 { 400 } else { 401 }, None);
            return Err(Breach::UnauthenticatedCheck.into());
        }
        if message.integrity(&key) != Integrity::Genuine {
            // Which code MS-ICE2 uses is not known: that of RFC 8489.
            self.refuse(now, path, message, if dialect.is_draft06() { 431 } else { 401 }, None);
            return Err(Breach::UnauthenticatedCheck.into());
        }
        // From here on the sender is the peer.
        self.version_seen |= message.implementation_version().is_some();
        if message.unknown_required().next().is_some() {
            self.refuse(now, path, message, 420, Some(&key));
            return Err(Breach::UnknownAttribute.into());
        }
        if !dialect.is_draft06() && !self.settle_roles(now, path, message, &key) {
            return Err(Breach::RoleConflict.into());
        }
        let check = Early {
            path,
            priority: message.priority().unwrap_or_default(),
            use_candidate: message.use_candidate(),
            sender: sender.into(),
            foundation: identifier(message),
        };
        // What cannot be remembered is not answered either: the peer would count on a pair that is none here.
        let running = matches!(self.state, State::Checking | State::Connected | State::Completed);
        let pair = if running && !retired { self.pair_of(&check)? } else { None };
        if self.state.is_before_checks() && !retired {
            self.keep(check.clone())?;
        }
        self.answer(path, message, username, &key);
        if let Some(at) = pair {
            self.requested(now, &check, at);
        }
        Ok(())
    }

    /// FINGERPRINT is demanded where the dialect has it; the legacy table is taken from peers without a version.
    ///
    /// RFC 8445 7.1, MS-ICE2 3.1.4.8.2
    pub(super) fn fingerprint_fits(&self, message: &Message<'_>) -> bool {
        match self.config.dialect {
            Dialect::Draft06 => true,
            Dialect::Rfc8445 => message.fingerprint() == Fingerprint::Correct,
            Dialect::MsIce2 => match message.fingerprint() {
                Fingerprint::Correct => true,
                Fingerprint::Legacy => message.value(AttributeType::IMPLEMENTATION_VERSION).is_none(),
                Fingerprint::Absent | Fingerprint::Wrong => false,
            },
        }
    }

    /// RFC 8445 7.3.1.1
    fn settle_roles(&mut self, now: Instant, path: Path, message: &Message<'_>, key: &IntegrityKey) -> bool {
        let claim = match (
            message.attribute(AttributeType::ICE_CONTROLLING),
            message.attribute(AttributeType::ICE_CONTROLLED),
        ) {
            (Some(Attribute::IceControlling(tie)), _) => (Role::Controlling, tie),
            (_, Some(Attribute::IceControlled(tie))) => (Role::Controlled, tie),
            // An agent of an older draft: no conflict can be seen.
            _ => return true,
        };
        match resolve(self.role, self.tie_breaker, claim.0, claim.1) {
            Conflict::None => true,
            Conflict::Refuse => {
                self.refuse(now, path, message, 487, Some(key));
                false
            }
            Conflict::Switch => {
                self.switch_role();
                true
            }
        }
    }

    /// RFC 8445 7.3.1.1, 7.2.5.1
    pub(super) fn switch_role(&mut self) {
        self.role = self.role.other();
        self.list.reorder(&self.locals, &self.remotes, self.role);
        for pair in &mut self.list.pairs {
            pair.nominating = false;
        }
        self.events.push_back(Event::RoleChanged(self.role));
    }

    /// The success response.
    ///
    /// RFC 8445 7.3.1.2, MS-ICE2 2.2 (as seen)
    fn answer(&mut self, path: Path, message: &Message<'_>, username: &[u8], key: &IntegrityKey) {
        let dialect = self.config.dialect;
        let mut buffer = [0; 640];
        let mut builder = stun::Builder::new(
            &mut buffer,
            self.stun_dialect(),
            Class::Success,
            Method::Binding,
            message.transaction(),
        );
        builder.push(&Attribute::XorMappedAddress(path.remote));
        if dialect != Dialect::Rfc8445 {
            builder.push(&Attribute::Username(username));
        }
        if dialect == Dialect::MsIce2 {
            builder.push(&Attribute::ImplementationVersion(IMPLEMENTATION_VERSION));
        }
        if let Ok(octets) = builder.finish(Some(key), self.fingerprint()) {
            let octets = octets.to_vec();
            self.send_twice(path, octets);
        }
    }

    /// An error response, without words: it is never longer than what it answers.
    ///
    /// RFC 8489 6.3.4, 9.1.3
    fn refuse(
        &mut self,
        now: Instant,
        path: Path,
        message: &Message<'_>,
        code: u16,
        key: Option<&IntegrityKey>,
    ) {
        if key.is_none() && !self.refusals.spend(now) {
            return;
        }
        let mut buffer = [0; 128];
        let mut builder = stun::Builder::new(
            &mut buffer,
            self.stun_dialect(),
            Class::Error,
            Method::Binding,
            message.transaction(),
        );
        builder.push(&Attribute::ErrorCode(ErrorCode { code, reason: b"" }));
        if code == 420 {
            let mut numbers = [0; 8];
            let mut length = 0;
            for (slot, kind) in numbers.chunks_exact_mut(2).zip(message.unknown_required()) {
                slot.copy_from_slice(&kind.0.to_be_bytes());
                length += 2;
            }
            if let Some(list) = numbers.get(..length) {
                builder.push(&Attribute::UnknownAttributes(stun::TypeList(list)));
            }
        }
        if self.config.dialect == Dialect::MsIce2 {
            builder.push(&Attribute::ImplementationVersion(IMPLEMENTATION_VERSION));
        }
        if let Ok(octets) = builder.finish(key, self.fingerprint()) {
            let octets = octets.to_vec();
            if key.is_some() || octets.len() <= message.octets().len() {
                self.send(path, octets);
            }
        }
    }

    fn keep(&mut self, early: Early) -> Result<(), Breach> {
        let same = |kept: &&mut Early| kept.path == early.path && kept.sender == early.sender;
        if let Some(kept) = self.early.iter_mut().find(same) {
            kept.use_candidate |= early.use_candidate;
        } else if self.early.len() < MOST_EARLY {
            self.early.push(early);
        } else {
            return Err(Breach::TooManyCandidates);
        }
        Ok(())
    }

    /// A check that came before the description of the peer.
    ///
    /// RFC 8445 7.3
    pub(super) fn learn_early(&mut self, now: Instant, check: &Early) {
        if let Ok(Some(at)) = self.pair_of(check) {
            self.requested(now, check, at);
        }
    }

    /// What an authenticated check of the peer tells: a candidate, a way that works, a nomination.
    ///
    /// RFC 8445 7.3.1.3 to 7.3.1.5
    fn requested(&mut self, now: Instant, check: &Early, at: usize) {
        let path = check.path;
        let Some(pair) = self.list.pairs.get_mut(at) else { return };
        pair.requested = true;
        if self.role == Role::Controlled && !self.config.dialect.is_draft06() {
            // A check that asks for consent does not nominate either.
            let consent = pair.nominated || pair.nominate_when_valid;
            self.plain_checks_seen |= !check.use_candidate && !consent;
        }
        self.revive(at, check.use_candidate);
        let effects = self.list.step(at, Trigger::Requested, &self.locals, &self.remotes);
        if effects.contains(&Effect::CancelCheck) {
            self.cancel(now, at);
        }
        if check.use_candidate && self.role == Role::Controlled {
            let valid = self.list.pairs.get(at).is_some_and(Pair::is_valid);
            if let Some(pair) = self.list.pairs.get_mut(at) {
                pair.nominate_when_valid = true;
            }
            if valid {
                self.nominated(now, at);
            }
        }
        if path.protocol == Protocol::Tcp {
            self.open.insert(path);
        }
        self.wake_checks(now);
    }

    /// A pair that was given up counts again when the peer nominates it, or may still prefer it.
    ///
    /// RFC 8445 7.3.1.5, RFC 5245 8.1.1.2
    fn revive(&mut self, at: usize, nominates: bool) {
        let wanted = match self.role {
            Role::Controlled => nominates,
            Role::Controlling => self.config.nomination == super::Nomination::Aggressive,
        };
        let Some(pair) = self.list.pairs.get(at) else { return };
        let refused = match (self.local(pair.local), self.remote(pair.remote)) {
            (Some(local), Some(remote)) => self.refused_path(local, remote),
            _ => true,
        };
        if let Some(pair) = self.list.pairs.get_mut(at)
            && pair.dropped
            && wanted
            && !refused
        {
            pair.dropped = false;
        }
    }

    /// The pair a check belongs to: known, or made from what it brings.
    ///
    /// RFC 8445 7.3.1.3, 7.3.1.4
    fn pair_of(&mut self, check: &Early) -> Result<Option<usize>, Breach> {
        let own_base = |kind: Kind| matches!(kind, Kind::Host | Kind::Relayed);
        let Some((local_at, local)) = self
            .locals
            .iter()
            .enumerate()
            .find(|(_, l)| own_base(l.kind) && path(l, check.path.remote) == check.path)
        else {
            return Ok(None);
        };
        let local = local.clone();
        let known = self.remotes.iter().position(|r| r.address == check.path.remote && pairs(&local, r));
        let Some(remote_at) =
            known.map_or_else(|| self.learn_remote(check, local.transport), |at| Ok(Some(at)))?
        else {
            return Ok(None);
        };
        let Some(remote) = self.remotes.get(remote_at) else { return Ok(None) };
        if self.refused_path(&local, remote) {
            return Err(Breach::RefusedPath);
        }
        if let Some(at) = self.list.find(local_at, remote_at) {
            return Ok(Some(at));
        }
        if !pairs(&local, remote) {
            return Ok(None);
        }
        let pair = Pair::new(local_at, &local, remote_at, remote, self.role);
        self.list.learn(pair).map(Some).ok_or(Breach::TooManyCandidates)
    }

    /// RFC 8445 7.3.1.3; a foundation of the peer's own ties it to one it described. MS-ICE2 2.2
    fn learn_remote(&mut self, check: &Early, local: Transport) -> Result<Option<usize>, Breach> {
        let sender = self.theirs.iter().position(|c| *c.wire() == *check.sender);
        let Some(credentials) = sender.filter(|_| is_usable(&check.path.remote)) else { return Ok(None) };
        if self.remotes.len() >= MOST_REMOTES {
            return Err(Breach::TooManyCandidates);
        }
        let foundation =
            check.foundation.clone().unwrap_or_else(|| format!("p{}", self.remotes.len()).into());
        // Draft 6 tells no priority: less than any that was described.
        let priority = if check.priority == 0 {
            self.remotes.iter().map(|r| r.priority).min().unwrap_or(1).saturating_sub(1)
        } else {
            check.priority
        };
        self.remotes.push(Remote {
            component: check.path.component,
            transport: local.opposite(),
            kind: Kind::PeerReflexive,
            address: check.path.remote,
            priority,
            foundation,
            credentials: credentials as u16,
        });
        Ok(Some(self.remotes.len() - 1))
    }

    /// A Binding request in the form of RFC 3489, where those are answered.
    ///
    /// RFC 3489 8.1
    pub(super) fn handle_legacy(&mut self, now: Instant, path: Path, data: &[u8]) -> Option<()> {
        if !self.config.rfc3489 || self.config.dialect.is_draft06() {
            return None;
        }
        let message = Message::parse(stun::Dialect::Rfc3489, data).ok()?;
        if (message.class(), message.method()) != (Class::Request, Method::Binding)
            || message.username().is_some()
            || !self.refusals.spend(now)
        {
            return None;
        }
        let octets = legacy_answer(message.transaction(), path.remote)?;
        self.send(path, octets);
        Some(())
    }
}

fn legacy_answer(transaction: TransactionId, mapped: SocketAddr) -> Option<Vec<u8>> {
    let mut buffer = [0; 64];
    let mut builder =
        stun::Builder::new(&mut buffer, stun::Dialect::Rfc3489, Class::Success, Method::Binding, transaction);
    builder.push(&Attribute::MappedAddress(mapped));
    builder.finish(None, None).ok().map(|octets| octets.to_vec())
}

/// The foundation a check of MS-ICE2 names.
fn identifier(message: &Message<'_>) -> Option<Box<str>> {
    match message.attribute(AttributeType::CANDIDATE_IDENTIFIER)? {
        Attribute::CandidateIdentifier(text) if text.len() <= 32 => {
            core::str::from_utf8(text).ok().map(Into::into)
        }
        _ => None,
    }
}
