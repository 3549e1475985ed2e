//! Checks that are sent: whose turn it is, again until answered, never too fast.

use core::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Agent, Event, Path, Protocol};
use crate::ice::candidate::{Kind, Local, Remote, Transport, priority};
use crate::ice::checklist::{Checklist, Pair};
use crate::ice::credentials;
use crate::ice::dialect::Dialect;
use crate::ice::pair::{Effect, State as PairState, Trigger};
use crate::ice::phase::State;
use crate::ice::role::Role;
use crate::stun::{self, Attribute, Class, Method, Table, TransactionId};

/// What a check is for.
///
/// RFC 8445 7.2, RFC 7675 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Purpose {
    /// To see whether a pair works.
    Connectivity,
    /// To see whether the peer still wants to receive.
    Consent,
}

/// A check under way, or one that is not sent again and may still be answered.
///
/// RFC 8445 7.2.4
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Check {
    pub(super) pair: u16,
    pub(super) path: Path,
    pub(super) purpose: Purpose,
    pub(super) use_candidate: bool,
    /// The PRIORITY it carries.
    pub(super) priority: u32,
    /// The role it claims.
    pub(super) role: Role,
    /// Empty when it is not sent again.
    octets: Vec<u8>,
    pub(super) cancelled: bool,
    due: Instant,
    wait: Duration,
    left: u8,
}

/// The most transactions that are remembered.
const MOST_CHECKS: usize = 512;

/// How long an answer to a check that is not sent again counts.
const LATE: Duration = Duration::from_secs(10);

/// How often all checks of a pair may fail after the choice, when the peer may have chosen it.
const ROUNDS: u8 = 5;

/// How long a failed pair rests while patience lasts.
pub(super) const REST: Duration = Duration::from_millis(500);

/// The text of CANDIDATE-IDENTIFIER and the number of IMPLEMENTATION-VERSION. MS-ICE2 2.2
pub(super) const IMPLEMENTATION_VERSION: u32 = 2;

impl Agent {
    /// Makes the check list and plays what came before the description.
    ///
    /// RFC 8445 6.1.2, 7.3
    pub(super) fn start_checks(&mut self, now: Instant) {
        self.list = Checklist::form(&self.locals, &self.remotes, self.role);
        self.admit(now, self.admitted);
        if self.state == State::Failed {
            return;
        }
        self.patience = Some(now + self.config.times.patience);
        self.phase_end = None;
        self.next_check = Some(now);
        for early in core::mem::take(&mut self.early) {
            self.learn_early(now, &early);
        }
        self.run_checks(now);
    }

    pub(super) fn stop_checks(&mut self) {
        self.checks.clear();
        self.next_check = None;
        self.patience = None;
        self.phase_end = None;
    }

    pub(super) fn run_checks(&mut self, now: Instant) {
        self.retransmit(now);
        // Candidates are checked also after the choice, while a better pair may still come (aggressive nomination).
        self.insist(now);
        while self.next_check.is_some_and(|next| next <= now) {
            let rested = if self.state == State::Checking { now.checked_sub(REST) } else { None };
            let Some(at) = self.list.next(rested, &self.locals, &self.remotes) else {
                self.next_check = None;
                break;
            };
            self.send_check(now, at);
            self.next_check = Some(now + self.config.times.pacing);
        }
    }

    /// Something can be checked again: the next turn comes when Ta allows it.
    pub(super) fn wake_checks(&mut self, now: Instant) {
        if self.next_check.is_none() && matches!(self.state, State::Checking | State::Connected) {
            self.next_check = Some(now);
        }
    }

    pub(super) fn checks_due(&self) -> Option<Instant> {
        let retransmission = self.checks.values().map(|check| check.due).min();
        let ordinary = match self.next_check {
            Some(next) if self.list.has_next() => Some(next),
            _ => None,
        };
        let failed = match self.state {
            State::Checking => self.list.oldest_failure(),
            State::Connected => self
                .list
                .pairs
                .iter()
                .filter(|pair| self.is_insisted(pair))
                .filter_map(|pair| pair.failed_at)
                .min(),
            _ => None,
        };
        let again = failed.map(|failed| (failed + REST).max(self.next_check.unwrap_or(failed)));
        [retransmission, ordinary, again].into_iter().flatten().min()
    }

    /// After the choice a failed pair is checked again when the peer may have nominated it, or may prefer it: its checks
    /// came through, only answers were lost. Without that both sides could end on different pairs.
    ///
    /// RFC 5245 8.1.1.2, 8.1.2
    fn insist(&mut self, now: Instant) {
        if self.state != State::Connected {
            return;
        }
        for at in 0..self.list.pairs.len() {
            let due = self.list.pairs.get(at).is_some_and(|pair| {
                self.is_insisted(pair) && pair.failed_at.is_some_and(|failed| failed + REST <= now)
            });
            if due {
                self.list.step(at, Trigger::Again, &self.locals, &self.remotes);
                if let Some(pair) = self.list.pairs.get_mut(at) {
                    pair.rounds += 1;
                }
                self.wake_checks(now);
            }
        }
    }

    fn is_insisted(&self, pair: &Pair) -> bool {
        let current = self
            .components
            .iter()
            .find(|c| c.number == pair.component)
            .and_then(|c| c.pair)
            .and_then(|at| self.list.pairs.get(usize::from(at))?.valid);
        pair.state == PairState::Failed
            && !pair.dropped
            && pair.rounds < ROUNDS
            && (pair.named
                || pair.nominate_when_valid
                || pair.requested && current.is_none_or(|current| pair.priority > current.priority))
    }

    fn retransmit(&mut self, now: Instant) {
        if self.next_check.is_none()
            && self.state == State::Checking
            && self.list.oldest_failure().is_some_and(|failed| failed + REST <= now)
        {
            self.next_check = Some(now);
        }
        let mut again = Vec::new();
        let mut over = Vec::new();
        for (transaction, check) in &mut self.checks {
            if check.due > now {
                continue;
            }
            if check.left == 0 || check.cancelled {
                over.push(*transaction);
                continue;
            }
            check.left -= 1;
            if check.path.protocol == Protocol::Udp {
                again.push((check.path, check.octets.clone()));
            }
            check.due = now + check.wait;
            check.wait = (check.wait * 2).min(self.config.times.retransmission_cap);
        }
        for (path, octets) in again {
            self.send_twice(path, octets);
        }
        for transaction in over {
            if let Some(check) = self.checks.remove(&transaction)
                && !check.cancelled
            {
                self.unanswered(now, &check);
            }
        }
    }

    /// A check was not answered, or not in a way that counts.
    ///
    /// RFC 8445 7.2.5.2
    pub(super) fn unanswered(&mut self, now: Instant, check: &Check) {
        if check.purpose == Purpose::Consent {
            return;
        }
        let at = usize::from(check.pair);
        self.list.step(at, Trigger::Unanswered, &self.locals, &self.remotes);
        if let Some(pair) = self.list.pairs.get_mut(at) {
            pair.failed_at = Some(now);
            if check.use_candidate && pair.is_valid() && !pair.nominated {
                pair.nominating = false;
                pair.refused_nominations = pair.refused_nominations.saturating_add(1);
            }
        }
        self.decide(now);
    }

    /// Sends the check of a pair, or asks for the connection it needs.
    ///
    /// RFC 8445 7.2.4, RFC 6544 7.1
    fn send_check(&mut self, now: Instant, at: usize) {
        let Some(path) = self.path_of(at) else { return };
        let effects = self.list.step(at, Trigger::Check, &self.locals, &self.remotes);
        if !effects.contains(&Effect::SendCheck) {
            return;
        }
        let Some(use_candidate) =
            self.list.pairs.get(at).map(|pair| pair.nominating || self.nominates_always())
        else {
            return;
        };
        let transaction = self.transaction();
        let Some((octets, priority)) = self.encode_check(at, transaction, use_candidate) else { return };
        // RFC 8445 14.3: many checks at once are sent again later.
        let busy = self.config.times.pacing.saturating_mul(self.list.active());
        let wait = self.config.times.retransmission.max(busy);
        let (due, left) = match path.protocol {
            Protocol::Udp => (now + wait, self.config.times.transmissions.saturating_sub(1)),
            Protocol::Tcp => (now + self.total_wait(), 0),
        };
        let role = self.role;
        let check = Check {
            pair: at as u16,
            path,
            purpose: Purpose::Connectivity,
            use_candidate,
            priority,
            role,
            octets: octets.clone(),
            cancelled: false,
            due,
            wait: (wait * 2).min(self.config.times.retransmission_cap.max(wait)),
            left,
        };
        self.remember(transaction, check);
        if path.protocol == Protocol::Tcp && !self.open.contains(&path) {
            self.events.push_back(Event::Open { path });
            return;
        }
        self.send_twice(path, octets);
    }

    /// How long all transmissions of a check take: the whole wait on a connection. RFC 8489 6.2.2
    fn total_wait(&self) -> Duration {
        let mut wait = self.config.times.retransmission;
        let mut total = wait;
        for _ in 1..self.config.times.transmissions {
            wait = (wait * 2).min(self.config.times.retransmission_cap);
            total += wait;
        }
        total
    }

    fn remember(&mut self, transaction: TransactionId, check: Check) {
        if self.checks.len() >= MOST_CHECKS {
            let oldest =
                self.checks.iter().filter(|(_, c)| c.cancelled).min_by_key(|(_, c)| c.due).map(|(t, _)| *t);
            if let Some(oldest) = oldest.or_else(|| self.checks.keys().next().copied()) {
                self.checks.remove(&oldest);
            }
        }
        self.checks.insert(transaction, check);
    }

    /// The check of a pair is not sent again; an answer still counts.
    ///
    /// RFC 8445 7.3.1.4
    pub(super) fn cancel(&mut self, now: Instant, at: usize) {
        for check in self.checks.values_mut() {
            if usize::from(check.pair) == at && check.purpose == Purpose::Connectivity && !check.cancelled {
                check.cancelled = true;
                check.octets = Vec::new();
                check.due = now + LATE;
            }
        }
    }

    /// A single check of a chosen pair.
    ///
    /// RFC 7675 5.1
    pub(super) fn send_consent(&mut self, now: Instant, at: usize) {
        let Some(path) = self.path_of(at) else { return };
        let transaction = self.transaction();
        let Some((octets, priority)) = self.encode_check(at, transaction, false) else { return };
        let check = Check {
            pair: at as u16,
            path,
            purpose: Purpose::Consent,
            use_candidate: false,
            priority,
            role: self.role,
            octets: Vec::new(),
            cancelled: false,
            due: now + LATE,
            wait: LATE,
            left: 0,
        };
        self.remember(transaction, check);
        self.send_twice(path, octets);
    }

    /// Whether every check carries USE-CANDIDATE.
    fn nominates_always(&self) -> bool {
        self.role == Role::Controlling
            && self.config.nomination == super::Nomination::Aggressive
            && !self.config.dialect.is_draft06()
            && !self.remote_lite
    }

    pub(super) fn path_of(&self, at: usize) -> Option<Path> {
        let pair = self.list.pairs.get(at)?;
        let (local, remote) = (self.local(pair.local)?, self.remote(pair.remote)?);
        Some(path(local, remote.address))
    }

    pub(super) fn local(&self, at: u16) -> Option<&Local> {
        self.locals.get(usize::from(at))
    }

    pub(super) fn remote(&self, at: u16) -> Option<&Remote> {
        self.remotes.get(usize::from(at))
    }

    /// The octets of a check and the PRIORITY in it.
    ///
    /// RFC 8445 7.1, 7.2.2, MS-ICE2 3.1.4.8.2, MS-ICE 2.2 (as seen)
    fn encode_check(
        &self,
        at: usize,
        transaction: TransactionId,
        use_candidate: bool,
    ) -> Option<(Vec<u8>, u32)> {
        let pair = self.list.pairs.get(at)?;
        let (local, remote) = (self.local(pair.local)?, self.remote(pair.remote)?);
        let theirs = self.theirs.get(usize::from(remote.credentials))?;
        let ours = self.ours_of(local)?;
        let dialect = self.config.dialect;
        let mut username = Vec::with_capacity(80);
        credentials::username(dialect, theirs.wire(), ours.wire(), local.component, &mut username);
        // The priority a peer-reflexive candidate found by this check would have. RFC 8445 7.1.1
        let counter = self.locals.iter().filter(|l| l.component == local.component).position(|l| l == local);
        let priority = priority(
            dialect,
            Kind::PeerReflexive,
            local.transport,
            local.component,
            counter.unwrap_or_default() as u16,
        );
        let role = match self.role {
            Role::Controlling => Attribute::IceControlling(self.tie_breaker),
            Role::Controlled => Attribute::IceControlled(self.tie_breaker),
        };
        let mut buffer = [0; 640];
        let mut builder = stun::Builder::new(
            &mut buffer,
            self.stun_dialect(),
            Class::Request,
            Method::Binding,
            transaction,
        );
        if !dialect.is_draft06() {
            if use_candidate {
                builder.push(&Attribute::UseCandidate);
            }
            builder.push(&Attribute::Priority(priority)).push(&role);
        }
        builder.push(&Attribute::Username(&username));
        let foundation = local.foundation.to_string();
        if dialect == Dialect::MsIce2 {
            builder.push(&Attribute::CandidateIdentifier(foundation.as_bytes()));
            builder.push(&Attribute::ImplementationVersion(IMPLEMENTATION_VERSION));
        }
        let octets = builder.finish(Some(theirs.key()), self.fingerprint()).ok()?;
        Some((octets.to_vec(), priority))
    }

    /// Which FINGERPRINT messages of this dialect carry first.
    pub(super) const fn fingerprint(&self) -> Option<Table> {
        match self.config.dialect {
            Dialect::Rfc8445 | Dialect::MsIce2 => Some(Table::Correct),
            Dialect::Draft06 => None,
        }
    }

    pub(super) fn ours_of(&self, local: &Local) -> Option<&credentials::Credentials> {
        if self.config.dialect.is_draft06() {
            self.ours.get(usize::from(local.foundation).checked_sub(1)?)
        } else {
            self.ours.first()
        }
    }

    /// Sends a message; in MS-ICE2 a second copy with the legacy fingerprint until the peer has told its version.
    ///
    /// MS-ICE2 3.1.4.8.2
    pub(super) fn send_twice(&mut self, path: Path, octets: Vec<u8>) {
        if self.config.dialect == Dialect::MsIce2 && !self.version_seen {
            let mut legacy = octets.clone();
            self.send(path, octets);
            if stun::with_legacy_fingerprint(&mut legacy).is_ok() {
                self.send(path, legacy);
            }
        } else {
            self.send(path, octets);
        }
    }

    /// RFC 6544 7.1
    pub(super) fn handle_opened(&mut self, path: Path) {
        if self.open.len() >= MOST_CHECKS {
            return;
        }
        self.open.insert(path);
        let waiting: Vec<_> = self
            .checks
            .values()
            .filter(|check| check.path == path && !check.octets.is_empty())
            .map(|check| check.octets.clone())
            .collect();
        for octets in waiting {
            self.send_twice(path, octets);
        }
    }

    /// RFC 6544 7.1
    pub(super) fn handle_closed(&mut self, now: Instant, path: Path) {
        self.open.remove(&path);
        let over: Vec<_> = self.checks.iter().filter(|(_, c)| c.path == path).map(|(t, _)| *t).collect();
        for transaction in over {
            if let Some(check) = self.checks.remove(&transaction)
                && !check.cancelled
            {
                self.unanswered(now, &check);
            }
        }
        for component in &mut self.components {
            if component.selected.is_some_and(|selected| selected.path == path) {
                component.expires = Some(now);
            }
        }
    }
}

/// How a packet of a local candidate to an address travels.
pub(super) const fn path(local: &Local, remote: SocketAddr) -> Path {
    let protocol = match local.transport {
        Transport::Udp => Protocol::Udp,
        Transport::TcpActive | Transport::TcpPassive => Protocol::Tcp,
    };
    Path { component: local.component, protocol, local: local.base, remote }
}
