//! The deadlines of many machines in one queue.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Instant;

/// Deadlines in order. Most timers are stopped or moved long before they fire: what was stopped stays in the queue until it
/// comes to its front, or until half of the queue is stopped. Its owner knows which ones run.
///
/// RFC 3261 17 names the timers, the queue has no rule of its own.
#[derive(Clone, Debug)]
pub(crate) struct Queue<K> {
    /// Its first one runs.
    entries: BinaryHeap<Reverse<(Instant, K)>>,
}

/// So many may be stopped whatever runs.
const STOPPED: usize = 32;

impl<K: Ord> Queue<K> {
    pub(crate) const fn new() -> Self {
        Self { entries: BinaryHeap::new() }
    }

    /// Adds a deadline; `tidy` follows.
    pub(crate) fn push(&mut self, name: K, at: Instant) {
        self.entries.push(Reverse((at, name)));
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.entries.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one that is due; `tidy` follows once it no longer runs.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        self.entries.pop().map(|Reverse((_, name))| name)
    }

    /// Takes away what was stopped: at the front always, elsewhere when it is more than what runs.
    pub(crate) fn tidy(&mut self, running: usize, runs: impl Fn(&K, Instant) -> bool) {
        while let Some(Reverse((at, name))) = self.entries.peek()
            && !runs(name, *at)
        {
            self.entries.pop();
        }
        if self.entries.len() > 2 * running + STOPPED {
            self.entries.retain(|Reverse((at, name))| runs(name, *at));
            self.entries.shrink_to(2 * (running + STOPPED));
        }
    }
}

/// Deadlines by name; the next one is found at once.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines<K> {
    queue: Queue<K>,
    by_name: BTreeMap<K, Instant>,
}

impl<K: Ord + Clone> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self { queue: Queue::new(), by_name: BTreeMap::new() }
    }

    /// Starts a timer; one of the same name that runs is replaced.
    pub(crate) fn start(&mut self, name: K, at: Instant) {
        if self.by_name.insert(name.clone(), at) != Some(at) {
            self.queue.push(name, at);
            self.tidy();
        }
    }

    /// Stops a timer if it runs.
    pub(crate) fn stop(&mut self, name: &K) {
        if self.by_name.remove(name).is_some() {
            self.tidy();
        }
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.next()
    }

    /// How many timers run.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Takes one timer that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        let name = self.queue.pop(now)?;
        self.by_name.remove(&name);
        self.tidy();
        Some(name)
    }

    fn tidy(&mut self) {
        let by_name = &self.by_name;
        self.queue.tidy(by_name.len(), |name, at| by_name.get(name) == Some(&at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn timers_fire_in_order_and_a_restarted_one_only_once() {
        let origin = Instant::now();
        let at = |seconds| origin + Duration::from_secs(seconds);
        let mut deadlines = Deadlines::new();
        deadlines.start("late", at(9));
        deadlines.start("early", at(1));
        deadlines.start("moved", at(2));
        deadlines.start("moved", at(5));
        deadlines.start("stopped", at(3));
        deadlines.stop(&"stopped");
        assert_eq!(deadlines.next(), Some(at(1)));
        assert_eq!(deadlines.pop(at(0)), None);
        assert_eq!(deadlines.pop(at(4)), Some("early"));
        assert_eq!(deadlines.pop(at(4)), None);
        assert_eq!(deadlines.pop(at(9)), Some("moved"));
        assert_eq!(deadlines.pop(at(9)), Some("late"));
        assert_eq!(deadlines.next(), None);
    }
}
