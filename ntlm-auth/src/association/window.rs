//! Which numbers of the peer were there.

/// The numbers that were there among the last 256.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReplayWindow {
    highest: u32,
    /// Bit n of the whole: the number n below the highest was there.
    seen: [u64; 4],
}

impl ReplayWindow {
    /// Whether the number is new; it is not any more then. Numbers begin at 1.
    pub(crate) fn take(&mut self, number: u32) -> bool {
        if number == 0 {
            return false;
        }
        if number > self.highest {
            self.shift(number - self.highest);
            self.highest = number;
        }
        let below = self.highest - number;
        let Some(word) = self.seen.get_mut((below / 64) as usize) else {
            return false;
        };
        let bit = 1 << (below % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    fn shift(&mut self, by: u32) {
        if by >= 256 {
            self.seen = [0; 4];
            return;
        }
        let (words, bits) = ((by / 64) as usize, by % 64);
        let old = self.seen;
        let at = |index: Option<usize>| index.and_then(|index| old.get(index)).copied().unwrap_or(0);
        for (index, word) in self.seen.iter_mut().enumerate() {
            let from = index.checked_sub(words);
            let carried = from.and_then(|from| from.checked_sub(1));
            *word = (at(from) << bits) | if bits == 0 { 0 } else { at(carried) >> (64 - bits) };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_window_agrees_with_a_list_of_all_numbers() {
        let mut window = ReplayWindow::default();
        let mut seen = BTreeSet::new();
        let mut highest = 0_u32;
        let mut number = 1_u32;
        for round in 0..20_000_u32 {
            // A walk with steps in both directions, some beyond the window.
            number = (number + round.wrapping_mul(2_654_435_761) % 97).saturating_sub(round % 61).max(1);
            if round % 501 == 0 {
                number += 300;
            }
            let new = highest.saturating_sub(number) < 256 && seen.insert(number);
            highest = highest.max(number);
            assert_eq!(window.take(number), new, "round {round}: {number} after {highest}");
        }
        assert!(!window.take(0));
    }
}
