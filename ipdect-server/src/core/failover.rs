//! Which proxy to talk to: in order of priority, shared by weight, the next one when one fails.

use std::time::{Duration, Instant};

use super::vocabulary::FlowId;

/// Shortest wait after every proxy failed.
pub(crate) const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest wait.
pub(crate) const LAST_RETRY: Duration = Duration::from_secs(30);

/// Priority and weight of one configured proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rank {
    /// Lower ones are tried first.
    pub(crate) priority: u16,
    /// Share among proxies of one priority.
    pub(crate) weight: u16,
}

/// Where the choice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Nothing was begun, or it was stopped.
    Idle,
    /// A connection to this proxy is being opened.
    Dialling {
        /// Index in the configuration.
        proxy: usize,
        /// The flow.
        flow: FlowId,
    },
    /// Connected.
    Up {
        /// Index in the configuration.
        proxy: usize,
        /// The flow.
        flow: FlowId,
    },
    /// Every proxy failed; the next round begins at the deadline.
    Waiting,
}

/// The choice of a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failover {
    ranks: Vec<Rank>,
    order: Vec<usize>,
    position: usize,
    round: u32,
    state: State,
    next_flow: u32,
    retry_at: Option<Instant>,
    random: u64,
}

impl Failover {
    /// Nothing is dialled before [`Self::start`]. `random` spreads load among equals and in time.
    pub(crate) fn new(ranks: Vec<Rank>, random: u64) -> Self {
        Self {
            ranks,
            order: Vec::new(),
            position: 0,
            round: 0,
            state: State::Idle,
            next_flow: 0,
            retry_at: None,
            random: random | 1,
        }
    }

    /// Begins with the best proxy; says what to dial.
    pub(crate) fn start(&mut self) -> Option<(FlowId, usize)> {
        self.retry_at = None;
        self.position = 0;
        self.order = self.shuffled();
        self.dial()
    }

    /// The connection stands; whether it is the one that was asked for.
    pub(crate) fn opened(&mut self, flow: FlowId) -> bool {
        match self.state {
            State::Dialling { proxy, flow: asked } if asked == flow => {
                self.state = State::Up { proxy, flow };
                self.round = 0;
                true
            }
            State::Dialling { .. } | State::Idle | State::Up { .. } | State::Waiting => false,
        }
    }

    /// A connection failed or was lost: the next proxy of the list, from the top after a loss, or a wait when all failed.
    pub(crate) fn lost(&mut self, now: Instant, flow: FlowId) -> Option<(FlowId, usize)> {
        match self.state {
            State::Dialling { flow: current, .. } if current == flow => {
                self.position += 1;
                self.dial_or_wait(now)
            }
            State::Up { flow: current, .. } if current == flow => {
                self.position = self.order.len();
                self.dial_or_wait(now)
            }
            State::Dialling { .. } | State::Up { .. } | State::Idle | State::Waiting => None,
        }
    }

    /// This proxy answers, but cannot serve: go to the next one.
    pub(crate) fn refused(&mut self, now: Instant, flow: FlowId) -> Option<(FlowId, usize)> {
        if let State::Up { flow: current, .. } = self.state
            && current == flow
        {
            self.position += 1;
            return self.dial_or_wait(now);
        }
        None
    }

    /// A round begins when its time has come.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<(FlowId, usize)> {
        if self.retry_at.is_some_and(|at| at <= now) { self.start() } else { None }
    }

    /// When the next round begins.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.retry_at
    }

    /// Stops for good.
    pub(crate) fn stop(&mut self) {
        self.state = State::Idle;
        self.retry_at = None;
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    fn dial(&mut self) -> Option<(FlowId, usize)> {
        let proxy = *self.order.get(self.position)?;
        let flow = FlowId(self.next_flow);
        self.next_flow = (self.next_flow + 1) % FlowId::FIRST_ACCEPTED;
        self.state = State::Dialling { proxy, flow };
        Some((flow, proxy))
    }

    fn dial_or_wait(&mut self, now: Instant) -> Option<(FlowId, usize)> {
        let next = self.dial();
        if next.is_none() {
            let longest = FIRST_RETRY.saturating_mul(1 << self.round.min(5)).min(LAST_RETRY);
            self.round += 1;
            // Half of the wait is random, so that many nodes do not return together.
            let half = longest / 2;
            let wait = half + half.mul_f64((self.random() % 1000) as f64 / 1000.0);
            self.retry_at = Some(now + wait);
            self.state = State::Waiting;
        }
        next
    }

    /// By priority; among equals by weight.
    fn shuffled(&mut self) -> Vec<usize> {
        let mut keyed: Vec<(u16, u64, usize)> = Vec::with_capacity(self.ranks.len());
        for index in 0..self.ranks.len() {
            let rank = self.ranks[index];
            // The least of (random / weight) is drawn with a chance in proportion to the weight.
            let uniform = (self.random() >> 11) as f64 / (1u64 << 53) as f64;
            let key = -(1.0 - uniform).ln() / f64::from(rank.weight.max(1)) * 1e9;
            keyed.push((rank.priority, key as u64, index));
        }
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, _, index)| index).collect()
    }

    fn random(&mut self) -> u64 {
        // xorshift: only spreads load, nothing secret hangs on it.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> Vec<Rank> {
        vec![Rank { priority: 2, weight: 100 }, Rank { priority: 1, weight: 100 }]
    }

    #[test]
    fn the_lowest_priority_is_dialled_first_and_the_next_when_it_fails() {
        let now = Instant::now();
        let mut failover = Failover::new(two(), 7);
        let (flow, proxy) = failover.start().expect("a proxy");
        assert_eq!(proxy, 1);
        let (second, proxy) = failover.lost(now, flow).expect("the other proxy");
        assert_eq!(proxy, 0);
        assert!(failover.opened(second));
        assert!(!failover.opened(flow), "an old flow is not taken");
        assert_eq!(failover.state(), State::Up { proxy: 0, flow: second });
    }

    #[test]
    fn when_all_fail_the_wait_grows_to_its_limit_and_starts_from_the_top() {
        let mut now = Instant::now();
        let mut failover = Failover::new(two(), 7);
        let (mut flow, _) = failover.start().expect("a proxy");
        let mut waits = Vec::new();
        for _ in 0..8 {
            let (second, _) = failover.lost(now, flow).expect("the other proxy");
            assert_eq!(failover.lost(now, second), None);
            let at = failover.poll_timeout().expect("a wait");
            waits.push(at - now);
            assert_eq!(failover.handle_timeout(now), None, "not before its time");
            now = at;
            let (next, proxy) = failover.handle_timeout(now).expect("a new round");
            assert_eq!(proxy, 1);
            flow = next;
        }
        assert!(waits[0] <= FIRST_RETRY && waits[7] > LAST_RETRY / 2 && waits[7] <= LAST_RETRY, "{waits:?}");
    }

    #[test]
    fn a_lost_connection_is_not_dialled_again_at_once() {
        let now = Instant::now();
        let mut failover = Failover::new(two(), 9);
        let (flow, _) = failover.start().expect("a proxy");
        assert!(failover.opened(flow));
        assert_eq!(failover.lost(now, flow), None);
        assert_eq!(failover.state(), State::Waiting);
        assert_eq!(failover.lost(now, flow), None, "a second report changes nothing");
    }

    #[test]
    fn weights_share_the_load() {
        let ranks = vec![Rank { priority: 1, weight: 300 }, Rank { priority: 1, weight: 100 }];
        let first = (1..4001u64)
            .filter(|seed| {
                let mut failover = Failover::new(ranks.clone(), seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                failover.start().map(|(_, proxy)| proxy) == Some(0)
            })
            .count();
        assert!((2800..3200).contains(&first), "{first} of 4000");
    }
}
