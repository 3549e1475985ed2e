//! The replay list: which of the indexes up to the highest were seen.

use core::hint::cold_path;

/// Why an index is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplayError {
    Replayed,
    TooOld,
}

/// The list of 128 packets: the last bit is the highest index. The highest index stands beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window([u64; 2]);

/// A longer list: a ring, the bit of an index is its remainder by the length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ring(Box<[u64]>);

/// Packets of the short list.
pub(crate) const WINDOW: usize = 128;

impl Window {
    #[inline]
    const fn bits(self) -> u128 {
        let [low, high] = self.0;
        (high as u128) << 64 | low as u128
    }

    /// A list that takes every index for seen.
    pub(crate) const fn full() -> Self {
        Self([u64::MAX; 2])
    }

    /// Whether the index is new; changes nothing.
    #[inline]
    pub(crate) const fn check(self, highest: Option<u64>, index: u64) -> Result<(), ReplayError> {
        let Some(highest) = highest else { return Ok(()) };
        let Some(age) = highest.checked_sub(index) else { return Ok(()) };
        if age >= WINDOW as u64 {
            return Err(ReplayError::TooOld);
        }
        if self.bits() >> age & 1 != 0 { Err(ReplayError::Replayed) } else { Ok(()) }
    }

    /// Marks an authentic index; the highest is the one before.
    #[inline]
    pub(crate) const fn mark(&mut self, highest: Option<u64>, index: u64) {
        let Some(highest) = highest else {
            cold_path();
            self.0 = [1, 0];
            return;
        };
        let [low, high] = self.0;
        if index == highest.wrapping_add(1) {
            // The usual case: the next packet.
            self.0 = [low << 1 | 1, high << 1 | low >> 63];
            return;
        }
        cold_path();
        let bits = if index > highest {
            let advance = index - highest;
            if advance >= WINDOW as u64 { 1 } else { self.bits() << advance | 1 }
        } else {
            let age = highest - index;
            if age >= WINDOW as u64 { self.bits() } else { self.bits() | 1 << age }
        };
        self.0 = [bits as u64, (bits >> 64) as u64];
    }
}

impl Ring {
    /// A list of at least `window` packets.
    pub(crate) fn new(window: usize) -> Self {
        Self(vec![0; window.div_ceil(64).next_power_of_two()].into())
    }

    /// Takes every index for seen.
    pub(crate) fn fill(&mut self) {
        self.0.fill(u64::MAX);
    }

    const fn window(&self) -> u64 {
        self.0.len() as u64 * 64
    }

    /// Word and bit of an index; the number of words is a power of two.
    const fn place(&self, index: u64) -> (usize, u32) {
        ((index / 64) as usize & (self.0.len() - 1), (index % 64) as u32)
    }

    /// Whether the index is new; changes nothing.
    pub(crate) fn check(&self, highest: Option<u64>, index: u64) -> Result<(), ReplayError> {
        let Some(age) = highest.and_then(|highest| highest.checked_sub(index)) else { return Ok(()) };
        if age >= self.window() {
            return Err(ReplayError::TooOld);
        }
        let (word, bit) = self.place(index);
        let seen = self.0.get(word).is_some_and(|bits| bits >> bit & 1 != 0);
        if seen { Err(ReplayError::Replayed) } else { Ok(()) }
    }

    /// Marks an authentic index; the highest is the one before.
    pub(crate) fn mark(&mut self, highest: Option<u64>, index: u64) {
        let highest = highest.unwrap_or(index);
        let advance = index.saturating_sub(highest);
        if advance >= self.window() {
            self.0.fill(0);
        } else {
            for skipped in highest + 1..highest + 1 + advance {
                let (word, bit) = self.place(skipped);
                if let Some(bits) = self.0.get_mut(word) {
                    *bits &= !(1 << bit);
                }
            }
        }
        let (word, bit) = self.place(index);
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << bit;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// A list of either kind with its highest index.
    enum List {
        Short(Option<u64>, Window),
        Long(Option<u64>, Ring),
    }

    impl List {
        fn new(window: usize) -> Self {
            if window <= WINDOW {
                Self::Short(None, Window::default())
            } else {
                Self::Long(None, Ring::new(window))
            }
        }

        fn check(&self, index: u64) -> Result<(), ReplayError> {
            match self {
                Self::Short(highest, window) => window.check(*highest, index),
                Self::Long(highest, ring) => ring.check(*highest, index),
            }
        }

        fn mark(&mut self, index: u64) {
            let highest = match self {
                Self::Short(highest, window) => {
                    window.mark(*highest, index);
                    highest
                }
                Self::Long(highest, ring) => {
                    ring.mark(*highest, index);
                    highest
                }
            };
            *highest = (*highest).max(Some(index));
        }
    }
    #[test]
    fn the_window_ends_127_below_the_highest() {
        let mut list = List::new(128);
        list.mark(1000);
        assert_eq!(list.check(1000 - 127), Ok(()));
        assert_eq!(list.check(1000 - 128), Err(ReplayError::TooOld));
        list.mark(1000 - 127);
        assert_eq!(list.check(1000 - 127), Err(ReplayError::Replayed));
    }

    #[test]
    fn a_jump_clears_the_window() {
        for window in [128, 1024, 32768] {
            let mut list = List::new(window);
            for index in 0..300 {
                list.mark(index);
            }
            list.mark(100_000);
            assert_eq!(list.check(99_999), Ok(()), "{window}");
            assert_eq!(list.check(100_000), Err(ReplayError::Replayed), "{window}");
        }
    }

    #[test]
    fn wrap_of_the_sequence_number_is_nothing_special() {
        let mut list = List::new(128);
        list.mark(65535);
        list.mark(65537);
        assert_eq!(list.check(65536), Ok(()));
        assert_eq!(list.check(65535), Err(ReplayError::Replayed));
    }

    proptest! {
        /// The definition: an index is new while it lies in the window and was not marked.
        #[test]
        fn the_list_remembers_what_was_marked(
            window in prop::sample::select(vec![128_usize, 256, 1024]),
            steps in prop::collection::vec(0_u64..4000, 1..200),
        ) {
            let mut list = List::new(window);
            let mut marked = BTreeSet::new();
            for step in steps {
                let expected = match marked.last() {
                    Some(highest) if step + window as u64 <= *highest => Err(ReplayError::TooOld),
                    _ if marked.contains(&step) => Err(ReplayError::Replayed),
                    _ => Ok(()),
                };
                prop_assert_eq!(list.check(step), expected);
                if expected.is_ok() {
                    list.mark(step);
                    marked.insert(step);
                }
            }
        }
    }
}
