//! The timers of the transactions that run.

use std::time::Instant;

use super::{Client, Owner, Server, TransactionLayer};
use crate::slots::Slots;
use crate::transaction::timers::Timer;

/// The timers of one transaction that run: two at most, and a third while one takes over from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Timers([Option<(Timer, Instant)>; 3]);

impl Timers {
    fn runs(&self, timer: Timer, at: Instant) -> bool {
        self.0.contains(&Some((timer, at)))
    }

    /// Starts a timer; `false` if it ran already.
    fn start(&mut self, timer: Timer, at: Instant) -> bool {
        let stopped = self.stop(timer);
        let slot = self.0.iter_mut().find(|slot| slot.is_none());
        slot.map(|slot| *slot = Some((timer, at))).is_some() && !stopped
    }

    /// Stops a timer; `false` if it did not run.
    fn stop(&mut self, timer: Timer) -> bool {
        let slot = self.0.iter_mut().find(|slot| slot.is_some_and(|(of, _)| of == timer));
        slot.is_some_and(|slot| slot.take().is_some())
    }

    pub(super) fn running(&self) -> usize {
        self.0.iter().flatten().count()
    }
}

fn runs(clients: &Slots<Client>, servers: &Slots<Server>, owner: Owner, at: Instant) -> bool {
    match owner {
        Owner::Client(id, timer) => clients.get(id.0).is_some_and(|client| client.timers.runs(timer, at)),
        Owner::Server(id, timer) => servers.get(id.0).is_some_and(|server| server.timers.runs(timer, at)),
    }
}

impl TransactionLayer {
    fn timers(&mut self, owner: Owner) -> Option<(&mut Timers, Timer)> {
        match owner {
            Owner::Client(id, timer) => Some((&mut self.clients.get_mut(id.0)?.timers, timer)),
            Owner::Server(id, timer) => Some((&mut self.servers.get_mut(id.0)?.timers, timer)),
        }
    }

    /// Starts a timer of a transaction that is known.
    pub(super) fn start_timer(&mut self, owner: Owner, at: Instant) {
        let Some((timers, timer)) = self.timers(owner) else { return };
        let new = timers.start(timer, at);
        self.running += usize::from(new);
        self.deadlines.push(owner, at);
        self.tidy();
    }

    pub(super) fn stop_timer(&mut self, owner: Owner) {
        let Some((timers, timer)) = self.timers(owner) else { return };
        let stopped = timers.stop(timer);
        self.timers_gone(usize::from(stopped));
    }

    /// So many timers run no more.
    pub(super) fn timers_gone(&mut self, count: usize) {
        if count > 0 {
            self.running = self.running.saturating_sub(count);
            self.tidy();
        }
    }

    /// Takes a timer that is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<Owner> {
        let owner = self.deadlines.pop(now)?;
        self.stop_timer(owner);
        Some(owner)
    }

    fn tidy(&mut self) {
        let (clients, servers) = (&self.clients, &self.servers);
        self.deadlines.tidy(self.running, |owner, at| runs(clients, servers, *owner, at));
    }
}
