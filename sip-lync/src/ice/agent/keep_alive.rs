//! Components with their pairs, and what keeps the pairs alive.

use std::time::{Duration, Instant};

use super::checks::Check;
use super::{Agent, Failure, Path, Selected};
use crate::ice::consent::{self, Effect, Trigger};
use crate::ice::phase;

/// One component of the stream.
///
/// RFC 8445 3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Component {
    pub(super) number: u16,
    /// All its candidates are there.
    pub(super) complete: bool,
    pub(super) selected: Option<Selected>,
    /// The place of the selected pair.
    pub(super) pair: Option<u16>,
    /// When the best valid pair is taken, whatever else is under way.
    pub(super) settled_by: Option<Instant>,
    /// That time has come.
    pub(super) forced: bool,
    /// The pair is the one that the last offer names: it stays.
    pub(super) settled: bool,
    /// Media without ICE.
    pub(super) plain: Option<Path>,
    pub(super) consent: consent::State,
    pub(super) due: Option<Instant>,
    pub(super) expires: Option<Instant>,
}

impl Component {
    pub(super) const fn new(number: u16) -> Self {
        Self {
            number,
            complete: false,
            selected: None,
            pair: None,
            settled_by: None,
            forced: false,
            settled: false,
            plain: None,
            consent: consent::State::Fresh,
            due: None,
            expires: None,
        }
    }
}

impl Agent {
    /// The pair of a component is another one.
    pub(super) fn start_keep_alive(&mut self, now: Instant, number: u16) {
        self.consent_step(now, number, Trigger::Selected);
        let wait = self.keep_alive_wait();
        if let Some(component) = self.components.iter_mut().find(|c| c.number == number) {
            component.due = Some(now + wait);
        }
    }

    /// RFC 7675 5.1: 0.8 to 1.2 of the period, so that askers do not fall into step.
    fn keep_alive_wait(&mut self) -> Duration {
        let period = self.config.times.keep_alive;
        let random = u32::from(u16::from_be_bytes(self.words.octets(b"keep alive")));
        period.mul_f64(0.8 + 0.4 * f64::from(random) / f64::from(u16::MAX))
    }

    /// RFC 7675 5.1, RFC 8445 11
    pub(super) fn run_keep_alives(&mut self, now: Instant) {
        let numbers: Vec<u16> = self.components.iter().map(|c| c.number).collect();
        for number in numbers {
            let Some(component) = self.components.iter_mut().find(|c| c.number == number) else { continue };
            if component.expires.is_some_and(|expires| expires <= now) {
                component.expires = None;
                self.consent_step(now, number, Trigger::Expired);
                continue;
            }
            if component.due.is_some_and(|due| due <= now) {
                let wait = self.keep_alive_wait();
                if let Some(component) = self.components.iter_mut().find(|c| c.number == number) {
                    component.due = Some(now + wait);
                }
                self.consent_step(now, number, Trigger::Due);
            }
        }
    }

    pub(super) fn keep_alive_due(&self) -> Option<Instant> {
        self.components.iter().flat_map(|c| [c.due, c.expires]).flatten().min()
    }

    /// An authenticated answer came over the chosen pair.
    ///
    /// RFC 7675 5.1
    pub(super) fn consented(&mut self, now: Instant, check: &Check) {
        let number = self.components.iter().find(|c| c.pair == Some(check.pair)).map(|c| c.number);
        if let Some(number) = number {
            self.consent_step(now, number, Trigger::Answered);
        }
    }

    fn consent_step(&mut self, now: Instant, number: u16, trigger: Trigger) {
        let lasts = self.config.times.consent;
        let Some(component) = self.components.iter_mut().find(|c| c.number == number) else { return };
        let (next, effects) = consent::step(component.consent, trigger);
        component.consent = next;
        let pair = component.pair;
        for effect in effects {
            match effect {
                Effect::Ask => {
                    if let Some(pair) = pair {
                        self.send_consent(now, usize::from(pair));
                    }
                }
                Effect::Renew => {
                    if let Some(component) = self.components.iter_mut().find(|c| c.number == number) {
                        // Microsoft's dialects know no consent: silence does not end a call.
                        component.expires = lasts.map(|lasts| now + lasts);
                    }
                }
                Effect::Stop => self.advance(now, phase::Trigger::ConsentLost, Failure::ConsentLost),
            }
        }
    }
}
