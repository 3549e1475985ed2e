//! Candidate pairs in their order: which are formed, which is checked next.

use core::net::SocketAddr;
use std::collections::VecDeque;
use std::time::Instant;

use super::candidate::{Kind, Local, Remote, Transport, families_match, pair_priority};
use super::pair::{Effect, State, Trigger, step};
use super::role::Role;

/// Most pairs of a check list.
///
/// RFC 8445 6.1.2.5
pub(super) const MOST_PAIRS: usize = 100;

/// Most pairs that checks of the peer may add to it, in all and for one local candidate: two NATs that map each
/// destination anew make a new candidate of every check.
///
/// RFC 8445 7.3.1.4
const MOST_LEARNT: (usize, usize) = (64, 16);

/// A local and a remote candidate.
///
/// RFC 8445 6.1.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    /// Its place among the local candidates: one that is its own base.
    pub(super) local: u16,
    /// Its place among the remote candidates.
    pub(super) remote: u16,
    pub(super) component: u16,
    pub(super) priority: u64,
    pub(super) state: State,
    /// A check of the peer brought it.
    pub(super) learnt: bool,
    /// It had a turn.
    pub(super) checked: bool,
    /// It waits in the triggered-check queue.
    pub(super) queued: bool,
    /// Taken out of the list: a refused path, or the component has its pair.
    pub(super) dropped: bool,
    /// The controlling side has chosen it, or asked for it.
    pub(super) nominated: bool,
    /// USE-CANDIDATE came; it is nominated as soon as it is valid. RFC 8445 7.3.1.5
    pub(super) nominate_when_valid: bool,
    /// The last offer names it: it is used as soon as it is valid.
    pub(super) named: bool,
    /// The peer has checked it: that way is open.
    pub(super) requested: bool,
    /// How often its checks failed after the choice of a pair.
    pub(super) rounds: u8,
    /// The next check carries USE-CANDIDATE.
    pub(super) nominating: bool,
    /// How often a nominating check was not answered.
    pub(super) refused_nominations: u8,
    pub(super) failed_at: Option<Instant>,
    pub(super) valid: Option<Valid>,
}

/// What makes a pair valid.
///
/// RFC 8445 7.2.5.3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Valid {
    /// How the peer sees this agent on this pair.
    pub(super) mapped: SocketAddr,
    pub(super) kind: Kind,
    /// The priority of the pair as both agents compute it.
    pub(super) priority: u64,
}

impl Pair {
    /// Whether it may still become valid by itself.
    pub(super) const fn is_open(&self) -> bool {
        !self.dropped && matches!(self.state, State::Frozen | State::Waiting | State::InProgress)
    }

    pub(super) fn is_valid(&self) -> bool {
        !self.dropped && self.state == State::Succeeded && self.valid.is_some()
    }
}

/// The check list of a stream with its triggered-check queue.
///
/// RFC 8445 6.1.2, 6.1.4.1
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Checklist {
    pub(super) pairs: Vec<Pair>,
    triggered: VecDeque<u16>,
    /// The last turn was a triggered one: an ordinary check must not starve.
    was_triggered: bool,
    /// An ordinary check went before a nomination.
    yielded: bool,
}

impl Checklist {
    /// Forms, orders, cuts and thaws the pairs.
    ///
    /// RFC 8445 6.1.2.2 to 6.1.2.6, RFC 6544 6.2
    pub(super) fn form(locals: &[Local], remotes: &[Remote], role: Role) -> Self {
        let mut list = Self::default();
        for (at, local) in locals.iter().enumerate() {
            // A reflexive candidate gives way to its base, which is in the list itself. RFC 8445 6.1.2.4
            // A passive one waits to be checked. RFC 6544 6.2
            if matches!(local.kind, Kind::ServerReflexive | Kind::PeerReflexive)
                || local.transport == Transport::TcpPassive
            {
                continue;
            }
            for (remote_at, remote) in remotes.iter().enumerate() {
                if pairs(local, remote) {
                    list.pairs.push(Pair::new(at, local, remote_at, remote, role));
                }
            }
        }
        list.pairs.sort_by_key(|pair| core::cmp::Reverse(pair.priority));
        list.pairs.truncate(MOST_PAIRS);
        list.thaw(locals, remotes);
        list
    }

    /// The lowest component of each foundation is checked first, the others when it has succeeded. RFC 8445 6.1.2.6
    fn thaw(&mut self, locals: &[Local], remotes: &[Remote]) {
        let mut order: Vec<usize> = (0..self.pairs.len()).collect();
        order.sort_by_key(|at| {
            self.pairs.get(*at).map(|pair| (pair.component, core::cmp::Reverse(pair.priority)))
        });
        let mut seen = Vec::new();
        for at in order {
            let Some(pair) = self.pairs.get_mut(at) else { continue };
            let foundation = foundation(pair, locals, remotes);
            if !seen.contains(&foundation) {
                seen.push(foundation);
                pair.state = step(pair.state, Trigger::Unfreeze).0;
            }
        }
    }

    /// Adds a pair that a check of the peer brought; `None` when there are too many.
    ///
    /// RFC 8445 7.3.1.4
    pub(super) fn learn(&mut self, mut pair: Pair) -> Option<usize> {
        let of_local = self.pairs.iter().filter(|known| known.learnt && known.local == pair.local).count();
        if self.pairs.len() >= MOST_PAIRS + MOST_LEARNT.0 || of_local >= MOST_LEARNT.1 {
            return None;
        }
        pair.learnt = true;
        self.pairs.push(pair);
        Some(self.pairs.len() - 1)
    }

    pub(super) fn find(&self, local: usize, remote: usize) -> Option<usize> {
        self.pairs.iter().position(|p| usize::from(p.local) == local && usize::from(p.remote) == remote)
    }

    /// Moves a pair; what only concerns the list is done, the rest is left to the caller.
    pub(super) fn step(
        &mut self,
        at: usize,
        trigger: Trigger,
        locals: &[Local],
        remotes: &[Remote],
    ) -> &'static [Effect] {
        let Some(pair) = self.pairs.get_mut(at) else { return &[] };
        if pair.dropped {
            return &[];
        }
        let (next, effects) = step(pair.state, trigger);
        pair.state = next;
        pair.checked |= trigger == Trigger::Check;
        for effect in effects {
            match effect {
                Effect::Enqueue => self.enqueue(at),
                Effect::UnfreezeFoundation => self.unfreeze(at, locals, remotes),
                Effect::SendCheck | Effect::CancelCheck | Effect::BecomeValid => {}
            }
        }
        effects
    }

    fn enqueue(&mut self, at: usize) {
        if let Some(pair) = self.pairs.get_mut(at)
            && !pair.queued
        {
            pair.queued = true;
            self.triggered.push_back(at as u16);
        }
    }

    /// RFC 8445 7.2.5.3.3
    fn unfreeze(&mut self, at: usize, locals: &[Local], remotes: &[Remote]) {
        let Some(freed) = self.pairs.get(at).map(|pair| foundation(pair, locals, remotes)) else { return };
        for pair in &mut self.pairs {
            if pair.state == State::Frozen && foundation(pair, locals, remotes) == freed {
                pair.state = step(pair.state, Trigger::Unfreeze).0;
            }
        }
    }

    /// Whose turn it is: the triggered-check queue, then the best waiting pair, then the best frozen one (of a foundation
    /// nobody checks, if there is one), then the best that failed and rested until `rested`.
    ///
    /// A frozen pair is not kept back for longer than that: a second component would lose a round trip.
    ///
    /// RFC 8445 6.1.4.2, RFC 5245 5.8
    pub(super) fn next(
        &mut self,
        rested: Option<Instant>,
        locals: &[Local],
        remotes: &[Remote],
    ) -> Option<usize> {
        let waiting = self.best(|pair| pair.state == State::Waiting && !pair.queued);
        let nominates = |at: &u16| self.pairs.get(usize::from(*at)).is_some_and(|pair| pair.nominating);
        if self.was_triggered && waiting.is_some() && !self.triggered.iter().any(nominates) {
            self.was_triggered = false;
            return waiting;
        }
        // A component without any valid pair is behind: its check first, then the nomination of another one.
        let behind = waiting
            .filter(|at| self.is_behind(*at))
            .filter(|_| self.triggered.front().is_some_and(nominates));
        if behind.is_some() && !self.yielded {
            self.yielded = true;
            return behind;
        }
        // So is one that was never checked: a check that is only made again waits for it.
        if !self.triggered.is_empty()
            && let Some(at) = self.best(|pair| {
                matches!(pair.state, State::Waiting | State::Frozen) && self.is_untouched(pair.component)
            })
        {
            self.triggered.retain(|queued| usize::from(*queued) != at);
            if let Some(pair) = self.pairs.get_mut(at) {
                (pair.queued, pair.checked) = (false, true);
                pair.state = step(pair.state, Trigger::Unfreeze).0;
            }
            return Some(at);
        }
        self.yielded = false;
        while let Some(at) = self.triggered.pop_front() {
            let at = usize::from(at);
            let Some(pair) = self.pairs.get_mut(at) else { continue };
            pair.queued = false;
            let wanted = match pair.state {
                State::Waiting | State::Frozen | State::Failed => true,
                State::Succeeded => pair.nominating,
                State::InProgress => false,
            };
            if wanted && !pair.dropped {
                self.was_triggered = true;
                return Some(at);
            }
        }
        self.was_triggered = false;
        if waiting.is_some() {
            return waiting;
        }
        let active: Vec<_> = self
            .pairs
            .iter()
            .filter(|pair| !pair.dropped && pair.state == State::InProgress)
            .map(|pair| foundation(pair, locals, remotes))
            .collect();
        let frozen = |pair: &Pair| pair.state == State::Frozen;
        let unchecked = |pair: &Pair| frozen(pair) && !active.contains(&foundation(pair, locals, remotes));
        if let Some(at) = self.best(unchecked).or_else(|| self.best(frozen)) {
            if let Some(pair) = self.pairs.get_mut(at) {
                pair.state = step(pair.state, Trigger::Unfreeze).0;
            }
            return Some(at);
        }
        let at = self.best(|pair| {
            pair.state == State::Failed
                && pair.failed_at.zip(rested).is_some_and(|(failed, rested)| failed <= rested)
        })?;
        if let Some(pair) = self.pairs.get_mut(at) {
            pair.state = step(pair.state, Trigger::Again).0;
        }
        Some(at)
    }

    /// Whether [`Checklist::next`] would give a pair at once.
    pub(super) fn has_next(&self) -> bool {
        let open = |pair: &Pair| !pair.dropped && matches!(pair.state, State::Waiting | State::Frozen);
        !self.triggered.is_empty() || self.pairs.iter().any(open)
    }

    /// The oldest failure of a pair that may be checked again.
    pub(super) fn oldest_failure(&self) -> Option<Instant> {
        self.pairs
            .iter()
            .filter(|pair| !pair.dropped && pair.state == State::Failed)
            .filter_map(|pair| pair.failed_at)
            .min()
    }

    fn is_untouched(&self, component: u16) -> bool {
        !self.pairs.iter().any(|pair| pair.component == component && pair.checked)
    }

    fn is_behind(&self, at: usize) -> bool {
        let Some(component) = self.pairs.get(at).map(|pair| pair.component) else { return false };
        !self.pairs.iter().any(|pair| pair.component == component && pair.is_valid())
    }

    fn best(&self, wanted: impl Fn(&Pair) -> bool) -> Option<usize> {
        self.pairs
            .iter()
            .enumerate()
            .filter(|(_, pair)| !pair.dropped && wanted(pair))
            .max_by_key(|(at, pair)| (pair.priority, core::cmp::Reverse(*at)))
            .map(|(at, _)| at)
    }

    /// Pairs that are waiting or being checked: they stretch the retransmission timer.
    ///
    /// RFC 8445 14.3
    pub(super) fn active(&self) -> u32 {
        self.pairs
            .iter()
            .filter(|p| !p.dropped && matches!(p.state, State::Waiting | State::InProgress))
            .count() as u32
    }

    /// After a change of roles the priorities are others.
    ///
    /// RFC 8445 7.2.5.1
    pub(super) fn reorder(&mut self, locals: &[Local], remotes: &[Remote], role: Role) {
        for pair in &mut self.pairs {
            if let (Some(local), Some(remote)) =
                (locals.get(usize::from(pair.local)), remotes.get(usize::from(pair.remote)))
            {
                pair.priority = priority(local.priority, remote.priority, role);
            }
        }
    }
}

impl Pair {
    pub(super) const fn new(at: usize, local: &Local, remote_at: usize, remote: &Remote, role: Role) -> Self {
        Self {
            local: at as u16,
            remote: remote_at as u16,
            component: local.component,
            priority: priority(local.priority, remote.priority, role),
            state: State::Frozen,
            learnt: false,
            checked: false,
            queued: false,
            dropped: false,
            nominated: false,
            nominate_when_valid: false,
            named: false,
            requested: false,
            rounds: 0,
            nominating: false,
            refused_nominations: 0,
            failed_at: None,
            valid: None,
        }
    }
}

/// Whether two candidates form a pair.
///
/// RFC 8445 6.1.2.2
pub(super) fn pairs(local: &Local, remote: &Remote) -> bool {
    local.component == remote.component
        && local.transport.pairs_with(remote.transport)
        && families_match(&local.base.ip(), &remote.address.ip())
}

/// The priority of a pair, by who controls.
///
/// RFC 8445 6.1.2.3
pub(super) const fn priority(local: u32, remote: u32, role: Role) -> u64 {
    match role {
        Role::Controlling => pair_priority(local, remote),
        Role::Controlled => pair_priority(remote, local),
    }
}

/// The foundation of a pair: both of its candidates'.
///
/// RFC 8445 6.1.2.6
fn foundation<'a>(pair: &Pair, locals: &[Local], remotes: &'a [Remote]) -> (Option<u16>, Option<&'a str>) {
    (
        locals.get(usize::from(pair.local)).map(|local| local.foundation),
        remotes.get(usize::from(pair.remote)).map(|remote| &*remote.foundation),
    )
}

#[cfg(test)]
mod tests;
