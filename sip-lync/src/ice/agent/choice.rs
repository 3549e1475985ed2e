//! Which pair is used.

use std::time::Instant;

use super::checks::REST;
use super::{Agent, Event, Failure, Nomination, Path, Selected};
use crate::ice::checklist::Pair;
use crate::ice::dialect::Dialect;
use crate::ice::pair::{State as PairState, Trigger};
use crate::ice::phase::{self, State};
use crate::ice::role::Role;

/// How often a nomination is tried before another pair is taken.
const NOMINATIONS: u8 = 3;

impl Agent {
    /// Looks for each component whether a pair is to be chosen now.
    ///
    /// RFC 8445 8.1.1, MS-ICE 3.1.6.2
    pub(super) fn decide(&mut self, now: Instant) {
        if self.state != State::Checking {
            return;
        }
        for component in &mut self.components {
            if component.settled_by.is_some_and(|by| by <= now) {
                component.settled_by = None;
                component.forced = true;
            }
        }
        if self.list.pairs.iter().any(|pair| pair.named) {
            // The last offer has decided.
            return;
        }
        if self.config.dialect.is_draft06() {
            self.decide_together(now);
            return;
        }
        let numbers: Vec<(u16, bool)> =
            self.components.iter().filter(|c| c.selected.is_none()).map(|c| (c.number, c.forced)).collect();
        for (number, forced) in numbers {
            let Some(best) = self.best_valid(number) else { continue };
            if !forced && self.may_improve(number, best) {
                continue;
            }
            if self.role == Role::Controlling && !self.is_nominating(number) {
                let regular = self.config.nomination == Nomination::Regular || self.remote_lite;
                // A nomination that was refused rests.
                let rests = self.list.pairs.get(best).and_then(|p| p.failed_at).map(|at| at + REST);
                if let Some(until) = rests.filter(|until| *until > now) {
                    if let Some(component) = self.components.iter_mut().find(|c| c.number == number) {
                        component.settled_by = Some(until);
                    }
                    continue;
                }
                if let Some(pair) = self.list.pairs.get_mut(best)
                    && (regular || !pair.nominated)
                {
                    pair.nominating = true;
                    self.list.step(best, Trigger::Nominate, &self.locals, &self.remotes);
                    self.wake_checks(now);
                }
            }
        }
    }

    /// In draft 6 the components have one pair of candidates: the last offer names one user name. The caller says which;
    /// until then each side uses the best it knows.
    ///
    /// MS-ICE 3.1.6.2
    fn decide_together(&mut self, now: Instant) {
        let key = |pair: &Pair| {
            let foundation = self.local(pair.local).map(|local| local.foundation);
            (foundation, self.remote(pair.remote).map(|remote| remote.credentials))
        };
        let of = |component: u16, wanted: &Pair| {
            self.list
                .pairs
                .iter()
                .enumerate()
                .filter(|(_, pair)| {
                    pair.component == component && pair.is_valid() && key(pair) == key(wanted)
                })
                .max_by_key(|(_, pair)| pair.valid.map(|valid| valid.priority))
                .map(|(at, _)| at)
        };
        let together =
            |pair: &Pair| self.components.iter().map(|c| of(c.number, pair)).collect::<Option<Vec<_>>>();
        let valid = self.list.pairs.iter().filter(|pair| pair.is_valid());
        let best = valid
            .filter_map(|pair| Some((pair.valid?.priority, together(pair)?)))
            .max_by_key(|(priority, _)| *priority);
        let Some((_, chosen)) = best else { return };
        let forced = self.components.iter().any(|c| c.forced);
        let improves = chosen
            .iter()
            .any(|at| self.list.pairs.get(*at).is_some_and(|pair| self.may_improve(pair.component, *at)));
        if forced || !improves {
            for at in chosen {
                self.nominated(now, at);
            }
        }
    }

    /// Before a call of draft 6 fails: a server may have told the peer the address of one component only, and its
    /// candidates have different names. Each component then has the best pair of its own, if the caller says so.
    ///
    /// MS-ICE 3.1.6.2
    pub(super) fn take_apart(&mut self, now: Instant) {
        if !self.config.dialect.is_draft06()
            || self.role != Role::Controlling
            || self.state != State::Checking
        {
            return;
        }
        let each: Option<Vec<_>> = self.components.iter().map(|c| self.best_valid(c.number)).collect();
        for at in each.unwrap_or_default() {
            self.nominated(now, at);
        }
    }

    /// Where media of a component may go before a pair is chosen: the best one that a check has found to work.
    ///
    /// RFC 8445 12.1
    pub fn working(&self, component: u16) -> Option<Path> {
        let valid = |pair: &&Pair| pair.component == component && pair.is_valid() && !pair.dropped;
        let valid = self.list.pairs.iter().enumerate().filter(|(_, pair)| valid(pair));
        let best = valid.max_by_key(|(_, pair)| pair.valid.map(|valid| valid.priority));
        best.and_then(|(at, _)| self.path_of(at))
    }

    /// The best valid pair of a component whose nomination was not refused too often.
    fn best_valid(&self, component: u16) -> Option<usize> {
        let valid = |pair: &&Pair| pair.component == component && pair.is_valid();
        let tries =
            self.list.pairs.iter().filter(valid).map(|p| p.refused_nominations / NOMINATIONS).min()?;
        self.list
            .pairs
            .iter()
            .enumerate()
            .filter(|(_, pair)| valid(pair) && pair.refused_nominations / NOMINATIONS == tries)
            .max_by_key(|(_, pair)| pair.valid.map(|valid| valid.priority))
            .map(|(at, _)| at)
    }

    /// Whether a better pair is still being checked.
    fn may_improve(&self, component: u16, best: usize) -> bool {
        let Some(best) = self.list.pairs.get(best) else { return false };
        self.list
            .pairs
            .iter()
            .any(|pair| pair.component == component && pair.is_open() && pair.priority > best.priority)
    }

    fn is_nominating(&self, component: u16) -> bool {
        self.list.pairs.iter().any(|pair| pair.component == component && pair.is_valid() && pair.nominating)
    }

    /// A pair is nominated and valid.
    ///
    /// RFC 8445 8.1.1, 8.1.2, 8.3.1
    pub(super) fn nominated(&mut self, now: Instant, at: usize) {
        let Some(pair) = self.list.pairs.get_mut(at) else { return };
        if pair.valid.is_none() || pair.dropped {
            return;
        }
        if core::mem::take(&mut pair.named) {
            pair.nominated = true;
            self.select(now, at);
            self.keep_pair(at);
            if !self.list.pairs.iter().any(|pair| pair.named)
                && self.components.iter().all(|c| c.selected.is_some())
            {
                self.advance(now, phase::Trigger::Settled, Failure::NoPair);
                self.events.push_back(Event::Settled);
            }
            return;
        }
        let again = pair.nominated;
        pair.nominated = true;
        pair.nominating = false;
        pair.nominate_when_valid = false;
        let (number, priority) = (pair.component, pair.valid.map(|valid| valid.priority));
        // The last offer of Microsoft's dialects names the pairs of this moment: they stay.
        let offered = self.state == State::Connected
            && self.role == Role::Controlling
            && self.config.dialect != Dialect::Rfc8445;
        let settled = self.components.iter().any(|c| c.number == number && c.settled)
            || self.list.pairs.iter().any(|pair| pair.component == number && pair.named);
        if again || offered || settled || self.state == State::Completed {
            return;
        }
        // The peer's nomination is regular: its last word counts. Aggressive: the best pair. RFC 5245 8.1.1.2
        let latest = match self.role {
            Role::Controlled => self.plain_checks_seen,
            Role::Controlling => self.config.nomination == Nomination::Regular || self.remote_lite,
        };
        let Some(component) = self.components.iter().find(|c| c.number == number) else { return };
        let current =
            component.pair.and_then(|at| self.list.pairs.get(usize::from(at))).and_then(|p| p.valid);
        if latest
            || current.is_none_or(|current| priority > Some(current.priority))
            || component.selected.is_none()
        {
            self.select(now, at);
        }
    }

    /// The last offer names a pair: no nomination takes its place.
    ///
    /// MS-ICE2 3.1.4.8
    pub(super) fn keep_pair(&mut self, at: usize) {
        let number = self.list.pairs.get(at).map(|pair| pair.component);
        if let Some(component) = self.components.iter_mut().find(|c| Some(c.number) == number) {
            component.settled = true;
        }
    }

    /// Takes a pair for its component.
    pub(super) fn select(&mut self, now: Instant, at: usize) {
        let Some(path) = self.path_of(at) else { return };
        let Some(pair) = self.list.pairs.get(at) else { return };
        let (number, Some(valid)) = (pair.component, pair.valid) else { return };
        let Some(remote_kind) = self.remote(pair.remote).map(|remote| remote.kind) else { return };
        let selected = Selected { path, local: valid.mapped, local_kind: valid.kind, remote_kind };
        let Some(component) = self.components.iter_mut().find(|c| c.number == number) else { return };
        if component.selected == Some(selected) {
            return;
        }
        component.selected = Some(selected);
        component.pair = Some(at as u16);
        component.settled_by = None;
        self.events.push_back(Event::Selected(selected));
        self.rest(now, number, valid.priority);
        self.start_keep_alive(now, number);
        if self.components.iter().all(|c| c.selected.is_some()) {
            self.advance(now, phase::Trigger::Selected, Failure::NoPair);
        }
    }

    /// The component has its pair: worse ones are not checked any more, after a regular nomination none is.
    ///
    /// RFC 8445 8.1.2, RFC 5245 8.1.2
    fn rest(&mut self, now: Instant, component: u16, priority: u64) {
        let aggressive = match self.role {
            Role::Controlling => self.config.nomination == Nomination::Aggressive && !self.remote_lite,
            Role::Controlled => !self.plain_checks_seen,
        } && !self.config.dialect.is_draft06();
        let mut over = Vec::new();
        for (at, pair) in self.list.pairs.iter_mut().enumerate() {
            if pair.component != component || pair.state == PairState::Succeeded || pair.named {
                continue;
            }
            if !aggressive || pair.priority < priority {
                if pair.state == PairState::InProgress {
                    // Not in progress any more: other pairs of its foundation must not wait for it.
                    pair.dropped = true;
                    over.push(at);
                } else if pair.queued {
                    // A triggered check helps the peer: it is still made, once.
                } else {
                    pair.dropped = true;
                }
            }
        }
        for at in over {
            self.cancel(now, at);
        }
    }
}
