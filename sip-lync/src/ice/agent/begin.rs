//! The description of the peer: the beginning, the last word, the restart.

use core::net::SocketAddr;
use std::time::Instant;

use super::{Agent, Failure, Path, Protocol};
use crate::error::{Error, Refusal};
use crate::ice::admission::Admitted;
use crate::ice::candidate::{Kind, Local, Remote, Transport};
use crate::ice::checklist::{Checklist, Pair};
use crate::ice::credentials::Credentials;
use crate::ice::description::Description;
use crate::ice::pair::Trigger as PairTrigger;
use crate::ice::phase::{State, Trigger};
use crate::ice::role::Role;

/// What a description of the peer was.
///
/// RFC 8839 4.2, 4.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Begun {
    /// The first: checks run.
    Checking,
    /// The peer speaks no ICE.
    Plain,
    /// What was known already.
    Unchanged,
    /// It names the pairs, and they are used now.
    Settled,
    /// It names pairs that do not work here yet: they are checked.
    Settling,
    /// The peer has restarted: our new credentials have to be sent.
    Restarted,
}

impl Agent {
    /// Takes the description of the peer.
    ///
    /// RFC 8445 6.1, 9, RFC 8839 4.4, MS-ICE2 3.1.4
    pub fn begin(&mut self, now: Instant, description: &Description) -> Result<Begun, Error> {
        let running = matches!(self.state, State::Checking | State::Connected | State::Completed);
        let speaks =
            description.dialect.is_some() && (self.config.accept_mismatch || description.is_consistent());
        let fresh = self.state.is_before_checks();
        if !speaks {
            if fresh || self.state == State::Plain {
                self.begin_plain(now, &description.default);
                return Ok(Begun::Plain);
            }
            return Ok(Begun::Unchanged);
        }
        if description.dialect != Some(self.config.dialect) {
            return Err(Refusal::OtherDialect.into());
        }
        if running && self.knows(&description.credentials) {
            return Ok(self.settle(now, description));
        }
        if !fresh {
            self.restart(now);
        }
        self.theirs.clone_from(&description.credentials);
        self.remotes.clone_from(&description.candidates);
        self.remote_lite = description.lite;
        self.remote_mux = description.rtcp_mux;
        if description.lite {
            // RFC 8445 6.1.1: a full agent controls a lite one.
            self.role = Role::Controlling;
        }
        if let Some(pacing) = description.pacing {
            self.config.times.pacing = self.config.times.pacing.max(pacing);
        }
        let both = self.remotes.iter().any(|r| r.component == 2);
        if !both || (self.config.rtcp_mux && description.rtcp_mux) {
            self.components.truncate(1);
            self.remotes.retain(|r| r.component == 1);
        }
        self.advance(now, Trigger::Described, Failure::NoPair);
        Ok(if fresh { Begun::Checking } else { Begun::Restarted })
    }

    fn knows(&self, credentials: &[Credentials]) -> bool {
        // In the last description of draft 6 only the chosen candidates are left.
        credentials.iter().all(|c| self.theirs.contains(c))
    }

    fn begin_plain(&mut self, now: Instant, remote: &[Option<SocketAddr>; 2]) {
        let locals = &self.locals;
        for (component, remote) in self.components.iter_mut().zip(remote) {
            let usable = |l: &&Local| l.component == component.number && l.transport == Transport::Udp;
            let local = default(locals.iter().filter(usable));
            component.plain = local.zip(*remote).map(|(local, remote)| Path {
                component: component.number,
                protocol: Protocol::Udp,
                local: local.base,
                remote,
            });
        }
        self.advance(now, Trigger::DescribedPlain, Failure::NoPair);
    }

    /// Takes the pairs that the last offer, or the answer to ours, names.
    ///
    /// MS-ICE2 3.1.4.8, MS-ICE 3.1.6.2, RFC 8839 4.4.1.2.2
    fn settle(&mut self, now: Instant, description: &Description) -> Begun {
        let named = self.named_pairs(description);
        if named.is_empty() {
            return Begun::Unchanged;
        }
        let mut waiting = false;
        for at in named {
            let Some(pair) = self.list.pairs.get_mut(at) else { continue };
            if pair.is_valid() {
                pair.nominated = true;
                self.select(now, at);
                self.keep_pair(at);
            } else {
                waiting = true;
                pair.dropped = false;
                pair.named = true;
                pair.nominate_when_valid = true;
                self.list.step(at, PairTrigger::Requested, &self.locals, &self.remotes);
                self.wake_checks(now);
            }
        }
        if waiting || self.components.iter().any(|c| c.selected.is_none()) {
            return Begun::Settling;
        }
        self.advance(now, Trigger::Settled, Failure::NoPair);
        Begun::Settled
    }

    /// The pairs a description names: one for each component, or none.
    fn named_pairs(&self, description: &Description) -> Vec<usize> {
        let mut named = Vec::new();
        for component in self.components.iter().map(|c| c.number) {
            let ours = |l: &Local| {
                l.component == component
                    && (description.remote_candidates.contains(&(component, l.address))
                        || description
                            .remote_name
                            .as_ref()
                            .is_some_and(|name| self.ours_of(l).is_some_and(|c| c.username == *name)))
            };
            let theirs = |r: &Remote| {
                r.component == component
                    && description
                        .candidates
                        .iter()
                        .any(|c| c.component == component && c.address == r.address)
            };
            let to_theirs =
                |pair: &Pair| pair.component == component && self.remote(pair.remote).is_some_and(theirs);
            let from_ours = |pair: &Pair| {
                self.local(pair.local).is_some_and(|base| {
                    // A reflexive candidate is checked from its base.
                    self.locals.iter().any(|l| l.base == base.base && ours(l))
                        || pair.valid.is_some_and(|valid| {
                            description.remote_candidates.contains(&(component, valid.mapped))
                        })
                })
            };
            // The peer sees this agent at an address that no answer has told it yet: the pair of its nomination. In
            // draft 6 one name stands for all components, even when it names one of them only.
            let is_told = description.remote_candidates.iter().any(|(of, _)| *of == component);
            let by_name = description.remote_name.is_some();
            let unseen = |pair: &Pair| {
                let nominated = is_told && pair.nominate_when_valid || by_name && pair.requested;
                nominated && self.local(pair.local).is_some_and(|local| local.kind == Kind::Host)
            };
            let best = |wanted: &dyn Fn(&Pair) -> bool| {
                let pairs = self.list.pairs.iter().enumerate();
                let wanted = pairs.filter(|(_, pair)| to_theirs(pair) && wanted(pair));
                wanted.max_by_key(|(_, pair)| (pair.is_valid(), pair.priority)).map(|(at, _)| at)
            };
            named.extend(best(&from_ours).or_else(|| best(&unseen)));
        }
        named
    }

    /// Renews the credentials: the description is to be sent again, checks start anew with the peer's. Media stays on the
    /// pairs it has until [`super::Event::Selected`] comes again.
    ///
    /// RFC 8445 9
    pub fn restart(&mut self, now: Instant) {
        self.advance(now, Trigger::Restart, Failure::NoPair);
    }

    pub(super) fn renew_credentials(&mut self) {
        let dialect = self.config.dialect;
        self.retired = core::mem::take(&mut self.ours);
        let count = self.retired.len();
        for _ in 0..count {
            let credentials = Credentials::generate(dialect, &self.words.secret());
            self.ours.push(credentials);
        }
        self.tie_breaker = u64::from_be_bytes(self.words.octets(b"ice tie-breaker"));
        self.locals.retain(|l| l.kind != Kind::PeerReflexive);
        self.theirs.clear();
        self.remotes.clear();
        self.list = Checklist::default();
        self.early.clear();
        self.stop_checks();
        self.plain_checks_seen = false;
        for component in &mut self.components {
            let (number, complete) = (component.number, component.complete);
            *component = super::Component { complete, ..super::Component::new(number) };
        }
    }

    /// Leaves only the paths that the bandwidth policy admits; checks on others are not answered any more. A call that
    /// already uses another one has failed: it may restart.
    ///
    /// MS-TURNBWM 3.1, MS-ICE2 3.1.4
    pub fn admit(&mut self, now: Instant, admitted: Admitted) {
        self.admitted = admitted;
        for at in 0..self.list.pairs.len() {
            let Some(pair) = self.list.pairs.get(at) else { continue };
            let (Some(local), Some(remote)) = (self.local(pair.local), self.remote(pair.remote)) else {
                continue;
            };
            let dropped = self.refused_path(local, remote);
            if let Some(pair) = self.list.pairs.get_mut(at) {
                pair.dropped |= dropped;
            }
            if dropped {
                self.cancel(now, at);
            }
        }
        let nothing_left = self.admitted != Admitted::ALL && self.list.pairs.iter().all(|pair| pair.dropped);
        let in_use = self.components.iter().filter_map(|c| c.selected).any(|selected| {
            !self.admitted.admits(selected.local_kind == Kind::Relayed, selected.remote_kind == Kind::Relayed)
        });
        if nothing_left || in_use {
            self.advance(now, Trigger::NotAdmitted, Failure::NotAdmitted);
        }
        self.decide(now);
    }

    /// Whether the policy refuses the path between two candidates.
    pub(super) fn refused_path(&self, local: &Local, remote: &Remote) -> bool {
        !self.admitted.admits(local.kind == Kind::Relayed, remote.kind == Kind::Relayed)
    }
}

/// The candidate whose address stands in `m=` and `c=`: the one most likely to be reached.
///
/// RFC 8445 5.1.4
pub(super) fn default<'a>(candidates: impl Iterator<Item = &'a Local>) -> Option<&'a Local> {
    candidates.max_by_key(|local| {
        let kind = match local.kind {
            Kind::Relayed => 3,
            Kind::ServerReflexive => 2,
            Kind::Host => 1,
            Kind::PeerReflexive => 0,
        };
        (kind, local.base.is_ipv4(), local.priority)
    })
}
