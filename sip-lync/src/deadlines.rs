//! The deadlines of many machines in one ordered set.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Deadlines by name; the next one is found at once, each change costs the logarithm of their number.
///
/// RFC 3261 17 names the timers, the set has no rule of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Deadlines<K> {
    ordered: BTreeSet<(Instant, K)>,
    by_name: BTreeMap<K, Instant>,
}

impl<K: Ord + Clone> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self { ordered: BTreeSet::new(), by_name: BTreeMap::new() }
    }

    /// Starts a timer; one of the same name that runs is replaced.
    pub(crate) fn start(&mut self, name: K, at: Instant) {
        if let Some(before) = self.by_name.insert(name.clone(), at) {
            self.ordered.remove(&(before, name.clone()));
        }
        self.ordered.insert((at, name));
    }

    /// Stops a timer if it runs.
    pub(crate) fn stop(&mut self, name: &K) {
        if let Some(at) = self.by_name.remove(name) {
            self.ordered.remove(&(at, name.clone()));
        }
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.ordered.first().map(|(at, _)| *at)
    }

    /// How many timers run.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Takes one timer that is due.
    pub(crate) fn pop(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, name) = self.ordered.pop_first()?;
        self.by_name.remove(&name);
        Some(name)
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
