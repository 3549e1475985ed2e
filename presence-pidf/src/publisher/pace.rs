//! When many endpoints begin to publish: not all at once.

use std::time::{Duration, Instant};

/// Gives every endpoint of a server its turn to begin: so many a second, each a little off the beat.
///
/// docs/states/publisher.md
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    interval: Duration,
    next: Option<Instant>,
    random: u64,
}

impl Pace {
    /// Twenty a second.
    ///
    /// docs/states/publisher.md
    pub const PER_SECOND: u32 = 20;

    /// A pace of so many a second (at least one).
    ///
    /// docs/states/publisher.md
    #[must_use]
    pub fn new(per_second: u32, seed: u64) -> Self {
        Self { interval: Duration::from_secs(1) / per_second.max(1), next: None, random: seed }
    }

    /// The turn of one more endpoint: now if nobody else was lately, otherwise behind the others.
    ///
    /// docs/states/publisher.md
    pub fn turn(&mut self, now: Instant) -> Instant {
        let beat = self.next.map_or(now, |next| next.max(now));
        self.next = Some(beat + self.interval);
        beat + self.jitter()
    }

    /// Less than an interval, so that no second has more turns than it may.
    fn jitter(&mut self) -> Duration {
        // SplitMix64: any even spread does.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let thousandth = u32::try_from(mixed % 1000).unwrap_or(0);
        self.interval * thousandth / 1000
    }
}
