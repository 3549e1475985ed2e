//! Deadlines of everything that waits: a hierarchical timing wheel.
//!
//! Eleven levels of 64 slots, one millisecond to a slot of the first level. Setting, moving and cancelling a deadline touch one
//! slot each, whatever their number; the next deadline is found through one occupancy word per level. A deadline never
//! fires early: times are rounded up to the next millisecond.

use std::time::{Duration, Instant};

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;
const NONE: u32 = u32::MAX;

/// Names one waiting machine; given out by [`Deadlines::insert`], valid until [`Deadlines::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(u32);

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    at: u64,
    next: u32,
    previous: u32,
    /// `level * SLOTS + slot`, or `IDLE`, or `FREE`.
    place: u16,
    item: T,
}

const IDLE: u16 = u16::MAX;
const FREE: u16 = u16::MAX - 1;

/// The wheel. `T` names the machine.
#[derive(Clone, Debug)]
pub struct Deadlines<T> {
    origin: Instant,
    /// Milliseconds since `origin` up to which everything has fired.
    elapsed: u64,
    entries: Vec<Entry<T>>,
    free: u32,
    heads: Box<[u32; LEVELS * SLOTS]>,
    occupied: [u64; LEVELS],
    waiting: usize,
}

impl<T: Copy> Deadlines<T> {
    /// An empty wheel that starts at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            elapsed: 0,
            entries: Vec::new(),
            free: NONE,
            heads: Box::new([NONE; LEVELS * SLOTS]),
            occupied: [0; LEVELS],
            waiting: 0,
        }
    }

    /// Gives `item` a place; it waits for nothing yet.
    pub fn insert(&mut self, item: T) -> Waiter {
        let entry = Entry { at: 0, next: NONE, previous: NONE, place: IDLE, item };
        if self.free == NONE {
            self.entries.push(entry);
            Waiter(self.entries.len() as u32 - 1)
        } else {
            let index = self.free;
            self.free = self.entries[index as usize].next;
            self.entries[index as usize] = entry;
            Waiter(index)
        }
    }

    /// Forgets a waiter.
    pub fn remove(&mut self, waiter: Waiter) {
        if self.entries[waiter.0 as usize].place == FREE {
            return;
        }
        self.unlink(waiter.0);
        let free = self.free;
        let entry = &mut self.entries[waiter.0 as usize];
        entry.place = FREE;
        entry.next = free;
        self.free = waiter.0;
    }

    /// Sets, moves or (with none) cancels a deadline.
    pub fn set(&mut self, waiter: Waiter, deadline: Option<Instant>) {
        let at = deadline.map(|deadline| self.milliseconds(deadline).max(self.elapsed + 1));
        let entry = &self.entries[waiter.0 as usize];
        match at {
            Some(at) if entry.place < FREE && entry.at == at => {}
            Some(at) => {
                self.unlink(waiter.0);
                self.entries[waiter.0 as usize].at = at;
                self.link(waiter.0);
            }
            None => self.unlink(waiter.0),
        }
    }

    /// The next time at which [`Self::expire`] has something to do; it may be a little before the earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.next_tick().map(|at| self.origin + Duration::from_millis(at))
    }

    /// How many deadlines are set.
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Whether no deadline is set.
    pub fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// Hands over one waiter whose deadline has come, or none; call it until it gives none.
    pub fn expire(&mut self, now: Instant) -> Option<T> {
        let now = now.saturating_duration_since(self.origin).as_millis() as u64;
        loop {
            let at = self.next_tick().filter(|at| *at <= now);
            let Some(at) = at else {
                self.elapsed = self.elapsed.max(now);
                return None;
            };
            let (level, slot) = self.next_slot()?;
            let index = self.heads[level * SLOTS + slot];
            if level == 0 {
                self.elapsed = self.elapsed.max(at.saturating_sub(1));
                self.unlink(index);
                return Some(self.entries[index as usize].item);
            }
            // The slot's time has come: its waiters move to lower levels, all of them, so that the lowest level stays the earliest.
            self.elapsed = self.elapsed.max(at);
            let mut index = index;
            while index != NONE {
                let next = self.entries[index as usize].next;
                self.unlink(index);
                self.link(index);
                index = next;
            }
        }
    }

    fn milliseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        let whole = since.as_millis() as u64;
        whole + u64::from(!since.subsec_nanos().is_multiple_of(1_000_000))
    }

    /// Level at which `at` differs from `elapsed`.
    fn level(&self, at: u64) -> usize {
        let different = (self.elapsed ^ at) | (SLOTS as u64 - 1);
        (different.ilog2() / BITS) as usize
    }

    fn link(&mut self, index: u32) {
        let at = self.entries[index as usize].at;
        let level = self.level(at);
        let slot = (at >> (level as u32 * BITS)) as usize & (SLOTS - 1);
        let place = level * SLOTS + slot;
        let head = self.heads[place];
        let entry = &mut self.entries[index as usize];
        entry.place = place as u16;
        entry.next = head;
        entry.previous = NONE;
        if head != NONE {
            self.entries[head as usize].previous = index;
        }
        self.heads[place] = index;
        self.occupied[level] |= 1 << slot;
        self.waiting += 1;
    }

    fn unlink(&mut self, index: u32) {
        let Entry { next, previous, place, .. } = self.entries[index as usize];
        if place >= FREE {
            return;
        }
        if previous == NONE {
            self.heads[place as usize] = next;
            if next == NONE {
                self.occupied[place as usize / SLOTS] &= !(1 << (place as usize % SLOTS));
            }
        } else {
            self.entries[previous as usize].next = next;
        }
        if next != NONE {
            self.entries[next as usize].previous = previous;
        }
        self.entries[index as usize].place = IDLE;
        self.waiting -= 1;
    }

    /// Lowest occupied level and its next slot: no waiter elsewhere is earlier.
    fn next_slot(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|occupied| *occupied != 0)?;
        let current = (self.elapsed >> (level as u32 * BITS)) as u32 & (SLOTS as u32 - 1);
        let slot = self.occupied[level].rotate_right(current).trailing_zeros() + current;
        Some((level, slot as usize & (SLOTS - 1)))
    }

    /// First millisecond of the next occupied slot.
    fn next_tick(&self) -> Option<u64> {
        let (level, slot) = self.next_slot()?;
        let shift = level as u32 * BITS;
        let above = shift + BITS;
        let base = if above >= 64 { 0 } else { self.elapsed >> above << above };
        Some((base | ((slot as u64) << shift)).max(self.elapsed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn origin() -> Instant {
        Instant::now()
    }

    #[test]
    fn fires_in_order_and_never_early() {
        let now = origin();
        let mut wheel = Deadlines::new(now);
        for (item, ms) in [(1, 5u64), (2, 300_000), (3, 64), (4, 63), (5, 4096), (6, 1)] {
            let waiter = wheel.insert(item);
            wheel.set(waiter, Some(now + Duration::from_millis(ms)));
        }
        let mut fired = Vec::new();
        while let Some(at) = wheel.next() {
            while let Some(item) = wheel.expire(at) {
                fired.push((item, at.duration_since(now).as_millis()));
            }
        }
        assert_eq!(fired, [(6, 1), (1, 5), (4, 63), (3, 64), (5, 4096), (2, 300_000)]);
        assert!(wheel.is_empty());
    }

    #[test]
    fn a_late_look_fires_everything_that_is_due() {
        let now = origin();
        let mut wheel = Deadlines::new(now);
        for ms in [10u64, 700, 90_000, 3_600_000] {
            let waiter = wheel.insert(ms);
            wheel.set(waiter, Some(now + Duration::from_millis(ms)));
        }
        let mut fired = Vec::new();
        while let Some(item) = wheel.expire(now + Duration::from_secs(100)) {
            fired.push(item);
        }
        fired.sort_unstable();
        assert_eq!(fired, [10, 700, 90_000]);
        assert_eq!(wheel.len(), 1);
    }

    #[test]
    fn parts_of_a_millisecond_round_up() {
        let now = origin();
        let mut wheel = Deadlines::new(now);
        let waiter = wheel.insert(());
        wheel.set(waiter, Some(now + Duration::from_micros(1_500)));
        assert_eq!(wheel.expire(now + Duration::from_micros(1_600)), None);
        assert_eq!(wheel.expire(now + Duration::from_millis(2)), Some(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn behaves_as_an_ordered_set(steps in prop::collection::vec((0u8..4, 0usize..40, 0u64..400_000), 1..200)) {
            let start = origin();
            let mut now = 0u64;
            let mut wheel = Deadlines::new(start);
            let waiters: Vec<_> = (0..40usize).map(|item| wheel.insert(item)).collect();
            let mut model: BTreeMap<usize, u64> = BTreeMap::new();
            for (what, item, ms) in steps {
                match what {
                    0 | 1 => {
                        let at = now + ms + 1;
                        wheel.set(waiters[item], Some(start + Duration::from_millis(at)));
                        model.insert(item, at);
                    }
                    2 => {
                        wheel.set(waiters[item], None);
                        model.remove(&item);
                    }
                    _ => {
                        now += ms;
                        let mut fired = Vec::new();
                        while let Some(item) = wheel.expire(start + Duration::from_millis(now)) {
                            fired.push(item);
                        }
                        fired.sort_unstable();
                        let due: Vec<_> = model.iter().filter(|(_, at)| **at <= now).map(|(item, _)| *item).collect();
                        model.retain(|_, at| *at > now);
                        prop_assert_eq!(fired, due);
                    }
                }
                prop_assert_eq!(wheel.len(), model.len());
                let earliest = model.values().min().map(|at| start + Duration::from_millis(*at));
                if let Some(earliest) = earliest {
                    let next = wheel.next().expect("something waits");
                    prop_assert!(next <= earliest);
                }
            }
        }
    }
}
