//! Deadlines of everything that waits: a hierarchical timing wheel.
//!
//! Six levels of 256 slots, one millisecond to a slot of the first level. A slot is a list of short records in one piece of memory:
//! moving them to lower levels reads memory from one end to the other and looks at no waiter. A deadline that moves to a later
//! time, the usual move, changes the waiter alone; its record finds out when it is looked at. Records that nobody waits for any
//! more are swept when they become many. A deadline never fires early: times are rounded up to the next millisecond.

use std::time::{Duration, Instant};

const BITS: u32 = 8;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 6;
const WORDS: usize = SLOTS / 64;
/// No record, or no place in the list of free waiters.
const NONE: u64 = u64::MAX;
/// Waits for nothing.
const IDLE: u32 = u32::MAX;
/// Was removed.
const FREE: u32 = u32::MAX - 1;
/// Deadlines farther away than 34 years are as good as none.
const FARTHEST: u64 = 1 << 40;
/// Empty slots keep no more room than this.
const ROOM: usize = 64;
/// So many records that nobody waits for are never worth a sweep.
const STALE_MIN: usize = 1024;

/// Names one waiting machine; given out by [`Deadlines::insert`], valid until [`Deadlines::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(u32);

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    /// The millisecond at which a record looks at this waiter; of a removed one, the next that is free.
    record: u64,
    /// How much later its deadline is; or `IDLE`, or `FREE`.
    delay: u32,
    item: T,
}

/// Looks at a waiter at a time of which these are the lower bits.
#[derive(Clone, Copy, Debug)]
struct Record {
    index: u32,
    low: u32,
}

/// The wheel. `T` names the machine.
#[derive(Clone, Debug)]
pub struct Deadlines<T> {
    origin: Instant,
    /// Milliseconds since `origin` up to which everything has fired.
    elapsed: u64,
    entries: Vec<Entry<T>>,
    free: u64,
    slots: Vec<Vec<Record>>,
    occupied: [[u64; WORDS]; LEVELS],
    /// When records look, while a slot is taken apart.
    times: Vec<u64>,
    records: usize,
    stale: usize,
    waiting: usize,
}

impl<T: Copy> Deadlines<T> {
    /// Octets that one waiter takes, with its record.
    pub const OCTETS: usize = size_of::<Entry<T>>() + size_of::<Record>();

    /// An empty wheel that starts at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            elapsed: 0,
            entries: Vec::new(),
            free: NONE,
            slots: vec![Vec::new(); LEVELS * SLOTS],
            occupied: [[0; WORDS]; LEVELS],
            times: Vec::new(),
            records: 0,
            stale: 0,
            waiting: 0,
        }
    }

    /// The same with room for so many waiters.
    pub fn with_capacity(now: Instant, waiters: usize) -> Self {
        Self { entries: Vec::with_capacity(waiters), ..Self::new(now) }
    }

    /// Gives `item` a place; it waits for nothing yet.
    pub fn insert(&mut self, item: T) -> Waiter {
        let entry = Entry { record: NONE, delay: IDLE, item };
        if self.free == NONE {
            self.entries.push(entry);
            Waiter(self.entries.len() as u32 - 1)
        } else {
            let index = self.free as usize;
            self.free = self.entries[index].record;
            self.entries[index] = entry;
            Waiter(index as u32)
        }
    }

    /// Forgets a waiter.
    pub fn remove(&mut self, waiter: Waiter) {
        let entry = &mut self.entries[waiter.0 as usize];
        if entry.delay == FREE {
            return;
        }
        self.waiting -= usize::from(entry.delay != IDLE);
        self.stale += usize::from(entry.record != NONE);
        entry.delay = FREE;
        entry.record = self.free;
        self.free = u64::from(waiter.0);
        self.sweep();
    }

    /// Sets, moves or (with none) cancels a deadline.
    #[inline]
    pub fn set(&mut self, waiter: Waiter, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return self.cancel(waiter) };
        let at = self.milliseconds(deadline).clamp(self.elapsed + 1, self.elapsed + FARTHEST);
        let entry = &mut self.entries[waiter.0 as usize];
        if entry.delay == FREE {
            return;
        }
        self.waiting += usize::from(entry.delay == IDLE);
        // Its record comes early enough: nothing is moved. (Without a record the difference is none.)
        let later = at.wrapping_sub(entry.record);
        if entry.record != NONE && later < u64::from(FREE) {
            entry.delay = later as u32;
            return;
        }
        self.stale += usize::from(entry.record != NONE);
        entry.record = at;
        entry.delay = 0;
        self.link(waiter.0, at);
        self.sweep();
    }

    fn cancel(&mut self, waiter: Waiter) {
        let entry = &mut self.entries[waiter.0 as usize];
        if entry.delay < FREE {
            entry.delay = IDLE;
            self.waiting -= 1;
        }
    }

    /// The next time at which [`Self::expire`] has something to do; it may be a little before the earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        if self.waiting == 0 {
            return None;
        }
        let (level, slot) = self.next_slot()?;
        Some(self.origin + Duration::from_millis(self.tick(level, slot)))
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
            let next = self.next_slot().map(|(level, slot)| (level, slot, self.tick(level, slot)));
            let Some((level, slot, tick)) = next.filter(|(.., tick)| *tick <= now) else {
                self.elapsed = self.elapsed.max(now);
                return None;
            };
            if level > 0 {
                self.elapsed = self.elapsed.max(tick);
                self.lower(level, slot, tick);
                continue;
            }
            self.elapsed = self.elapsed.max(tick.saturating_sub(1));
            if let Some(item) = self.look(slot, tick) {
                return Some(item);
            }
        }
    }

    /// Looks at the waiters of a slot of the first level until one of them is due.
    fn look(&mut self, slot: usize, tick: u64) -> Option<T> {
        while let Some(record) = self.slots[slot].pop() {
            self.records -= 1;
            let entry = &mut self.entries[record.index as usize];
            if entry.delay == FREE || entry.record != tick {
                self.stale = self.stale.saturating_sub(1);
                continue;
            }
            match entry.delay {
                IDLE => entry.record = NONE,
                0 => {
                    entry.record = NONE;
                    entry.delay = IDLE;
                    self.waiting -= 1;
                    return Some(entry.item);
                }
                delay => {
                    entry.record = tick + u64::from(delay);
                    entry.delay = 0;
                    let at = entry.record;
                    self.link(record.index, at);
                }
            }
        }
        self.empty(0, slot);
        None
    }

    /// The time of a slot has come: its records move to lower levels, all of them, so that the lowest level stays the earliest.
    fn lower(&mut self, level: usize, slot: usize, tick: u64) {
        let mut records = std::mem::take(&mut self.slots[level * SLOTS + slot]);
        self.empty(level, slot);
        self.records -= records.len();
        // The slot's own time has the upper bits, unless its records differ there.
        let base = tick & !u64::from(u32::MAX);
        if matches!(level, 2 | 3) {
            for record in &records {
                self.link(record.index, base | u64::from(record.low));
            }
        } else {
            // Into the lowest level, and from the highest ones, goes only what is still waited for. The waiters are spread over
            // the memory: fetching them all before any decision lets the machine fetch many at the same time.
            let entries = &self.entries;
            let mut times = std::mem::take(&mut self.times);
            times.extend(records.iter().map(|record| entries[record.index as usize].record));
            for (record, time) in records.iter().zip(&times) {
                let at = base | u64::from(record.low);
                let same = if level == 1 { *time == at } else { *time as u32 == record.low && *time >= tick };
                if same && *time != NONE && self.entries[record.index as usize].delay != FREE {
                    self.link(record.index, *time);
                } else {
                    self.stale = self.stale.saturating_sub(1);
                }
            }
            times.clear();
            self.times = times;
        }
        records.clear();
        if records.capacity() <= ROOM {
            self.slots[level * SLOTS + slot] = records;
        }
    }

    fn empty(&mut self, level: usize, slot: usize) {
        self.occupied[level][slot / 64] &= !(1 << (slot % 64));
        let slot = &mut self.slots[level * SLOTS + slot];
        if slot.capacity() > ROOM {
            *slot = Vec::new();
        }
    }

    fn milliseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        since.as_secs() * 1000 + u64::from(since.subsec_nanos().div_ceil(1_000_000))
    }

    #[inline]
    fn link(&mut self, index: u32, at: u64) {
        // The level at which the time differs from the present.
        let different = (self.elapsed ^ at) | (SLOTS as u64 - 1);
        let level = (different.ilog2() / BITS) as usize;
        let slot = (at >> (level as u32 * BITS)) as usize & (SLOTS - 1);
        self.slots[level * SLOTS + slot].push(Record { index, low: at as u32 });
        self.occupied[level][slot / 64] |= 1 << (slot % 64);
        self.records += 1;
    }

    /// Lowest occupied level and its first slot: no record elsewhere is earlier.
    fn next_slot(&self) -> Option<(usize, usize)> {
        for (level, words) in self.occupied.iter().enumerate() {
            for (place, word) in words.iter().enumerate() {
                if *word != 0 {
                    return Some((level, place * 64 + word.trailing_zeros() as usize));
                }
            }
        }
        None
    }

    /// First millisecond of a slot.
    fn tick(&self, level: usize, slot: usize) -> u64 {
        let shift = level as u32 * BITS;
        let above = shift + BITS;
        let base = self.elapsed >> above << above;
        (base | ((slot as u64) << shift)).max(self.elapsed)
    }

    /// Throws records away that nobody waits for, when they are more than the others.
    fn sweep(&mut self) {
        if self.stale < STALE_MIN || self.stale * 2 < self.records {
            return;
        }
        for place in 0..self.slots.len() {
            let entries = &self.entries;
            let before = self.slots[place].len();
            self.slots[place].retain(|record| {
                let entry = &entries[record.index as usize];
                entry.delay != FREE && entry.record != NONE && entry.record as u32 == record.low
            });
            self.records -= before - self.slots[place].len();
            if before > 0 && self.slots[place].is_empty() {
                self.empty(place / SLOTS, place % SLOTS);
            }
        }
        self.stale = 0;
    }
}
