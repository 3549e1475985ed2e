//! How long the agent waits: for a pair that works, for the end of a phase, for a choice.

use std::time::Instant;

use super::{Agent, Failure};
use crate::ice::phase::{self, State};

impl Agent {
    /// Gives up when no component is without hope for too long.
    ///
    /// RFC 8863 4, MS-ICE 3.1.6.2
    pub(super) fn run_patience(&mut self, now: Instant) {
        if self.phase_end.is_some_and(|end| end <= now) {
            self.phase_end = None;
            for component in &mut self.components {
                component.settled_by = Some(now);
            }
        }
        if self.components.iter().any(|c| c.settled_by.is_some_and(|by| by <= now)) {
            self.decide(now);
        }
        if self.patience.is_some_and(|end| end <= now) {
            self.patience = None;
            self.take_apart(now);
            if self.state == State::Checking {
                self.advance(now, phase::Trigger::PatienceOver, Failure::NoPair);
            }
        }
    }

    pub(super) fn patience_due(&self) -> Option<Instant> {
        let settling =
            self.components.iter().filter(|c| c.selected.is_none()).filter_map(|c| c.settled_by).min();
        [self.patience, self.phase_end, settling].into_iter().flatten().min()
    }
}
