//! Running timers as an ordered set, so that no operation walks over all portables.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Deadlines by key: at most one per key, the earliest one at the front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines<K: Ord + Copy> {
    by_key: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
}

impl<K: Ord + Copy> Deadlines<K> {
    pub(crate) const fn new() -> Self {
        Self { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Starts or restarts the timer `key`.
    pub(crate) fn start(&mut self, key: K, at: Instant) {
        self.stop(key);
        self.by_key.insert(key, at);
        self.by_time.insert((at, key));
    }

    /// Stops the timer `key` if it runs.
    pub(crate) fn stop(&mut self, key: K) {
        if let Some(at) = self.by_key.remove(&key) {
            self.by_time.remove(&(at, key));
        }
    }

    pub(crate) fn runs(&self, key: K) -> bool {
        self.by_key.contains_key(&key)
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer out if it is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.by_time.first()?;
        if at > now {
            return None;
        }
        self.stop(key);
        Some(key)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_restarted_timer_has_one_deadline_and_the_earliest_is_taken_first() {
        #[allow(clippy::disallowed_methods, reason = "the origin of the test's virtual time")]
        let origin = Instant::now();
        let second = Duration::from_secs(1);
        let mut deadlines = Deadlines::new();
        deadlines.start(1, origin + second * 3);
        deadlines.start(2, origin + second * 2);
        deadlines.start(1, origin + second);
        assert_eq!(deadlines.len(), 2);
        assert_eq!(deadlines.next(), Some(origin + second));
        assert_eq!(deadlines.take_due(origin), None);
        assert_eq!(deadlines.take_due(origin + second * 9), Some(1));
        assert_eq!(deadlines.take_due(origin + second * 9), Some(2));
        assert_eq!(deadlines.take_due(origin + second * 9), None);
        assert!(!deadlines.runs(1));
    }
}
