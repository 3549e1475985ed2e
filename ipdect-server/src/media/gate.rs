//! How many STUN messages of one channel reach the core: strangers cannot keep it busy.

use std::time::{Duration, Instant};

use sip_lync::ice::agent::LARGEST_MESSAGE;

/// Messages in one interval: an agent sends one every 20 ms, twice, and answers as many, on two components.
const MESSAGES: u16 = 100;
const INTERVAL: Duration = Duration::from_millis(200);

/// Counts the messages of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    left: u16,
    since: Instant,
}

impl Gate {
    /// An open gate.
    pub fn new(now: Instant) -> Self {
        Self { left: MESSAGES, since: now }
    }

    /// Whether a message of this length is handed on.
    pub fn admits(&mut self, now: Instant, length: usize) -> bool {
        if now.saturating_duration_since(self.since) >= INTERVAL {
            *self = Self::new(now);
        }
        if self.left == 0 || length > LARGEST_MESSAGE {
            return false;
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_checks_pass() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        let passed =
            (0..10_000).filter(|at| gate.admits(start + Duration::from_micros(at * 10), 100)).count();
        assert_eq!(passed, usize::from(MESSAGES), "in a tenth of a second");
        assert!(gate.admits(start + Duration::from_millis(300), 100));
        assert!(!gate.admits(start + Duration::from_millis(300), LARGEST_MESSAGE + 1));
    }
}
