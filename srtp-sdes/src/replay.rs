//! The replay list.

/// Why an index is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplayError {
    Replayed,
    TooOld,
}

/// The indexes seen last: the highest and a bit for each of those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplayList {
    highest: Option<u64>,
    seen: Seen,
}

/// Bits of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// 128 packets; bit 0 is the highest index.
    Short(u128),
    /// More packets; a ring, the bit of an index is its remainder by the window.
    Long(Box<[u64]>),
}

const SHORT_WINDOW: u64 = 128;

impl ReplayList {
    /// A list of at least `window` packets, at least 128.
    pub(crate) fn new(window: usize) -> Self {
        let words = window.div_ceil(64);
        let seen =
            if words <= 2 { Seen::Short(0) } else { Seen::Long(vec![0; words.next_power_of_two()].into()) };
        Self { highest: None, seen }
    }

    #[inline]
    pub(crate) const fn highest(&self) -> Option<u64> {
        self.highest
    }

    #[inline]
    fn window(&self) -> u64 {
        match &self.seen {
            Seen::Short(_) => SHORT_WINDOW,
            Seen::Long(words) => words.len() as u64 * 64,
        }
    }

    /// A list that takes everything up to an index for seen: of a state that was saved.
    pub(crate) fn seen_up_to(window: usize, index: u64) -> Self {
        let mut list = Self::new(window);
        match &mut list.seen {
            Seen::Short(bits) => *bits = u128::MAX,
            Seen::Long(words) => words.fill(u64::MAX),
        }
        list.highest = Some(index);
        list
    }

    /// Whether the index is new; changes nothing.
    #[inline]
    pub(crate) fn check(&self, index: u64) -> Result<(), ReplayError> {
        let Some(highest) = self.highest else { return Ok(()) };
        if index > highest {
            return Ok(());
        }
        let age = highest - index;
        if age >= self.window() {
            return Err(ReplayError::TooOld);
        }
        let seen = match &self.seen {
            Seen::Short(bits) => bits >> age & 1 != 0,
            Seen::Long(words) => {
                let (word, bit) = place(words.len(), index);
                words.get(word).is_some_and(|bits| bits >> bit & 1 != 0)
            }
        };
        if seen { Err(ReplayError::Replayed) } else { Ok(()) }
    }

    /// Marks an authenticated index.
    #[inline]
    pub(crate) fn mark(&mut self, index: u64) {
        let window = self.window();
        let highest = self.highest.unwrap_or(index);
        let advance = index.saturating_sub(highest);
        match &mut self.seen {
            Seen::Short(bits) => {
                if advance >= window {
                    *bits = 0;
                } else {
                    *bits <<= advance;
                }
                let age = highest.max(index) - index;
                if age < window {
                    *bits |= 1 << age;
                }
            }
            Seen::Long(words) => {
                if advance >= window {
                    words.fill(0);
                } else {
                    for skipped in highest + 1..highest + 1 + advance {
                        let (word, bit) = place(words.len(), skipped);
                        if let Some(bits) = words.get_mut(word) {
                            *bits &= !(1 << bit);
                        }
                    }
                }
                let (word, bit) = place(words.len(), index);
                if let Some(bits) = words.get_mut(word) {
                    *bits |= 1 << bit;
                }
            }
        }
        self.highest = Some(highest.max(index));
    }
}

/// Word and bit of an index in the ring; the number of words is a power of two.
const fn place(words: usize, index: u64) -> (usize, u32) {
    ((index / 64) as usize & (words - 1), (index % 64) as u32)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_window_ends_127_below_the_highest() {
        let mut list = ReplayList::new(128);
        list.mark(1000);
        assert_eq!(list.check(1000 - 127), Ok(()));
        assert_eq!(list.check(1000 - 128), Err(ReplayError::TooOld));
        list.mark(1000 - 127);
        assert_eq!(list.check(1000 - 127), Err(ReplayError::Replayed));
    }

    #[test]
    fn a_jump_clears_the_window() {
        for window in [128, 1024, 32768] {
            let mut list = ReplayList::new(window);
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
        let mut list = ReplayList::new(128);
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
            let mut list = ReplayList::new(window);
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
