//! Deadlines of everything that waits: a hierarchical timing wheel.
//!
//! Six levels of 256 slots, one millisecond to a slot of the first level. A slot is a chain of pages of short records: what is
//! set is appended to a page, and what a slot had is read from one end to the other when its time comes, a page of waiters at a
//! time, so that the machine fetches many of them together. A deadline that moves to a later time, the usual move, changes the
//! waiter alone; its record finds out when it is looked at. Records that nobody waits for any more are swept when they become
//! many, and pages are kept for the records to come. A deadline never fires early: times are rounded up to the next millisecond.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const BITS: u32 = 8;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 6;
const WORDS: usize = SLOTS / 64;
/// No time, or no place in the list of free waiters.
const NONE: u64 = u64::MAX;
/// Waits for nothing, and no record looks at it.
const RESTING: u32 = u32::MAX;
/// Waits for nothing; its record is still there.
const IDLE: u32 = u32::MAX - 1;
/// Was removed.
const FREE: u32 = u32::MAX - 2;
/// Waits for so long that its deadline stands elsewhere.
const FAR: u32 = u32::MAX - 3;
/// Records look after 25 days at the latest.
const REACH: u64 = 1 << 31;
/// Deadlines farther away than 34 years are as good as none.
const FARTHEST: u64 = 1 << 40;
/// Records of a page.
const PAGE: usize = 127;
/// No page.
const NOWHERE: u32 = u32::MAX;
/// So many records that nobody waits for are never worth a sweep.
const STALE_MIN: usize = 1024;

/// Names one waiting machine; given out by [`Deadlines::insert`], valid until [`Deadlines::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(u32);

/// When a waiter is due; eight octets, for each look at one is memory that was not asked for in a while.
#[derive(Clone, Copy, Debug)]
struct State {
    /// The lower bits of the millisecond at which a record looks at this waiter; of a removed one, the next that is free.
    record: u32,
    /// How much later its deadline is; or why there is none.
    delay: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    state: State,
    item: T,
}

/// Looks at a waiter at a time of which these are the lower bits.
#[derive(Clone, Copy, Debug)]
struct Record {
    index: u32,
    low: u32,
}

#[derive(Clone, Copy, Debug)]
struct Page {
    records: [Record; PAGE],
    /// The page that was begun before this one.
    before: u32,
}

/// The records of one slot: the page that is filled now, and how far it is.
#[derive(Clone, Copy, Debug)]
struct Slot {
    page: u32,
    used: u32,
}

const BLANK: Page = Page { records: [Record { index: 0, low: 0 }; PAGE], before: NOWHERE };
const EMPTY: Slot = Slot { page: NOWHERE, used: PAGE as u32 };

/// The wheel. `T` names the machine.
#[derive(Clone, Debug)]
pub struct Deadlines<T> {
    origin: Instant,
    /// Milliseconds since `origin` up to which everything has fired.
    elapsed: u64,
    /// The time that was asked for last, and its milliseconds.
    asked: (Instant, u64),
    /// The slot of this time is being handed over.
    firing: u64,
    entries: Vec<Entry<T>>,
    free: u32,
    /// Deadlines that are farther away than records and delays reach.
    far: BTreeMap<u32, u64>,
    pages: Vec<Page>,
    free_page: u32,
    slots: Vec<Slot>,
    occupied: [[u64; WORDS]; LEVELS],
    records: usize,
    stale: usize,
    waiting: usize,
}

impl<T: Copy + Default> Deadlines<T> {
    /// The same with room for so many waiters, each of whom is waited for once: memory that was asked for before it is needed.
    pub fn with_capacity(now: Instant, waiters: usize) -> Self {
        let mut wheel = Self::new(now);
        let state = State { record: 0, delay: FREE };
        wheel.entries.resize(waiters, Entry { state, item: T::default() });
        wheel.entries.clear();
        wheel.pages.resize(waiters / PAGE + SLOTS, BLANK);
        wheel.pages.clear();
        wheel
    }
}

impl<T: Copy> Deadlines<T> {
    /// Octets that one waiter takes, with its record.
    pub const OCTETS: usize = size_of::<Entry<T>>() + size_of::<Record>();

    /// An empty wheel that starts at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            elapsed: 0,
            asked: (now, 0),
            firing: NONE,
            entries: Vec::new(),
            free: NOWHERE,
            far: BTreeMap::new(),
            pages: Vec::new(),
            free_page: NOWHERE,
            slots: vec![EMPTY; LEVELS * SLOTS],
            occupied: [[0; WORDS]; LEVELS],
            records: 0,
            stale: 0,
            waiting: 0,
        }
    }

    /// Gives `item` a place; it waits for nothing yet.
    #[inline]
    pub fn insert(&mut self, item: T) -> Waiter {
        let state = State { record: 0, delay: RESTING };
        if self.free == NOWHERE {
            self.entries.push(Entry { state, item });
            Waiter(self.entries.len() as u32 - 1)
        } else {
            let index = self.free;
            self.free = self.entries[index as usize].state.record;
            self.entries[index as usize] = Entry { state, item };
            Waiter(index)
        }
    }

    /// Forgets a waiter.
    pub fn remove(&mut self, waiter: Waiter) {
        let state = &mut self.entries[waiter.0 as usize].state;
        let delay = state.delay;
        if delay == FREE {
            return;
        }
        self.waiting -= usize::from(delay <= FAR);
        self.stale += usize::from(delay != RESTING);
        *state = State { record: self.free, delay: FREE };
        self.free = waiter.0;
        self.forget_far(waiter.0, delay);
        self.sweep();
    }

    /// Sets, moves or (with none) cancels a deadline.
    #[inline]
    pub fn set(&mut self, waiter: Waiter, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return self.cancel(waiter) };
        let wait = self.milliseconds(deadline).saturating_sub(self.elapsed).clamp(1, FARTHEST);
        let state = &mut self.entries[waiter.0 as usize].state;
        let delay = state.delay;
        if wait >= REACH || delay == FAR {
            return self.set_far(waiter, wait);
        }
        if delay == FREE {
            return;
        }
        self.waiting += usize::from(delay > FAR);
        if delay != RESTING {
            // Does its record come early enough? Then nothing is moved.
            let record = u64::from(state.record.wrapping_sub(self.elapsed as u32));
            if record <= wait {
                state.delay = (wait - record) as u32;
                return;
            }
            self.stale += 1;
        }
        let at = self.elapsed + wait;
        *state = State { record: at as u32, delay: 0 };
        self.link(waiter.0, at);
        self.sweep();
    }

    /// A deadline beyond the reach of records, or one in place of such a one.
    #[cold]
    fn set_far(&mut self, waiter: Waiter, wait: u64) {
        self.cancel(waiter);
        let state = &mut self.entries[waiter.0 as usize].state;
        if state.delay == FREE {
            return;
        }
        if wait < REACH {
            return self.set(waiter, Some(self.origin + Duration::from_millis(self.elapsed + wait)));
        }
        self.far.insert(waiter.0, self.elapsed + wait);
        self.waiting += 1;
        // A record that is there already looks early enough.
        if state.delay == RESTING {
            let at = self.elapsed + REACH;
            state.record = at as u32;
            self.link(waiter.0, at);
        }
        self.entries[waiter.0 as usize].state.delay = FAR;
    }

    fn cancel(&mut self, waiter: Waiter) {
        let state = &mut self.entries[waiter.0 as usize].state;
        let delay = state.delay;
        if delay <= FAR {
            state.delay = IDLE;
            self.waiting -= 1;
            self.forget_far(waiter.0, delay);
        }
    }

    fn forget_far(&mut self, index: u32, delay: u32) {
        if delay == FAR {
            self.far.remove(&index);
        }
    }

    /// The next time at which [`Self::expire`] has something to do; it may be a little before the earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        if self.waiting == 0 {
            return None;
        }
        let (.., tick) = self.next_slot()?;
        Some(self.origin + Duration::from_millis(tick))
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
    #[inline]
    pub fn expire(&mut self, now: Instant) -> Option<T> {
        if self.asked.0 != now {
            self.asked = (now, now.saturating_duration_since(self.origin).as_millis() as u64);
        }
        loop {
            if self.firing != NONE {
                if let Some(item) = self.fire(self.firing) {
                    return Some(item);
                }
                self.firing = NONE;
            }
            if !self.advance(self.asked.1) {
                return None;
            }
        }
    }

    /// Goes to the next slot whose time has come by `now`.
    fn advance(&mut self, now: u64) -> bool {
        while let Some((level, slot, tick)) = self.next_slot().filter(|(.., tick)| *tick <= now) {
            if level == 0 {
                self.elapsed = self.elapsed.max(tick.saturating_sub(1));
                self.firing = tick;
                return true;
            }
            self.elapsed = self.elapsed.max(tick);
            self.lower(level, slot, tick);
        }
        self.elapsed = self.elapsed.max(now);
        false
    }

    /// Looks at the waiters of a slot of the first level until one of them is due.
    #[inline]
    fn fire(&mut self, tick: u64) -> Option<T> {
        let slot = tick as usize & (SLOTS - 1);
        while let Some(record) = self.pop(slot) {
            let state = &mut self.entries[record.index as usize].state;
            if state.delay == 0 && state.record == record.low {
                state.delay = RESTING;
                self.waiting -= 1;
                return Some(self.entries[record.index as usize].item);
            }
            let state = *state;
            self.look(record, state, tick);
        }
        None
    }

    /// What a record finds that does not fire (or has yet to be moved to a lower level).
    #[inline]
    fn look(&mut self, record: Record, state: State, time: u64) {
        if state.record != record.low || matches!(state.delay, FREE | RESTING) {
            self.stale = self.stale.saturating_sub(1);
            return;
        }
        let at = match state.delay {
            IDLE => {
                self.entries[record.index as usize].state.delay = RESTING;
                return;
            }
            FAR => return self.look_far(record.index),
            delay => time + u64::from(delay),
        };
        if state.delay != 0 {
            self.entries[record.index as usize].state = State { record: at as u32, delay: 0 };
        }
        self.link(record.index, at);
    }

    /// The record of a far deadline goes on to it, or as far as records go.
    #[cold]
    fn look_far(&mut self, index: u32) {
        let Some(deadline) = self.far.get(&index).copied() else { return };
        let at = deadline.min(self.elapsed + REACH);
        let delay = if at == deadline { 0 } else { FAR };
        self.forget_far(index, if delay == 0 { FAR } else { 0 });
        self.entries[index as usize].state = State { record: at as u32, delay };
        self.link(index, at);
    }

    /// The last record of a slot of the first level.
    #[inline]
    fn pop(&mut self, slot: usize) -> Option<Record> {
        let place = &mut self.slots[slot];
        let page = self.pages.get(place.page as usize)?;
        place.used -= 1;
        let record = page.records[place.used as usize];
        self.records -= 1;
        if place.used == 0 {
            let emptied = place.page;
            *place = Slot { page: page.before, used: PAGE as u32 };
            if place.page == NOWHERE {
                self.occupied[0][slot / 64] &= !(1 << (slot % 64));
            }
            self.give_back(emptied);
        }
        Some(record)
    }

    /// The time of a slot has come: its records move to lower levels, or to where their waiters have moved to, all of them, so
    /// that the lowest level stays the earliest.
    fn lower(&mut self, level: usize, slot: usize, tick: u64) {
        // Nobody looks farther than the lower bits reach: all of a slot have the same upper bits.
        let base = tick & !u64::from(u32::MAX);
        let mut chain = self.take(level * SLOTS + slot);
        while let Some(Page { records, before }) = self.pages.get(chain.page as usize) {
            let (emptied, used) = (chain.page, chain.used as usize);
            chain = Slot { page: *before, used: PAGE as u32 };
            // The waiters are spread over the memory: looking at all of a page before any decision lets the machine fetch them
            // at the same time.
            let mut states = [State { record: 0, delay: FREE }; PAGE];
            for (state, record) in states.iter_mut().zip(&records[..used]) {
                *state = self.entries[record.index as usize].state;
            }
            for (at, state) in states.iter().enumerate().take(used) {
                let record = self.pages[emptied as usize].records[at];
                self.look(record, *state, base | u64::from(record.low));
            }
            self.records -= used;
            self.give_back(emptied);
        }
    }

    /// Empties a slot; what it had.
    fn take(&mut self, place: usize) -> Slot {
        self.occupied[place / SLOTS][place % SLOTS / 64] &= !(1 << (place % 64));
        std::mem::replace(&mut self.slots[place], EMPTY)
    }

    /// The records of a page, the last one first; the page is free then.
    fn unchain(&mut self, chain: &mut Slot) -> Option<([Record; PAGE], usize)> {
        let page = self.pages.get(chain.page as usize)?;
        let (records, used) = (page.records, chain.used as usize);
        let emptied = chain.page;
        *chain = Slot { page: page.before, used: PAGE as u32 };
        self.records -= used;
        self.give_back(emptied);
        Some((records, used))
    }

    fn give_back(&mut self, page: u32) {
        self.pages[page as usize].before = self.free_page;
        self.free_page = page;
    }

    /// Begins a page.
    #[cold]
    fn turn(&mut self, place: usize) {
        let before = self.slots[place].page;
        let page = self.free_page;
        if page == NOWHERE {
            self.slots[place] = Slot { page: self.pages.len() as u32, used: 0 };
            self.pages.push(Page { before, ..BLANK });
        } else {
            self.slots[place] = Slot { page, used: 0 };
            let page = &mut self.pages[page as usize];
            self.free_page = page.before;
            page.before = before;
        }
        self.occupied[place / SLOTS][place % SLOTS / 64] |= 1 << (place % 64);
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
        self.append(level * SLOTS + slot, Record { index, low: at as u32 });
    }

    #[inline]
    fn append(&mut self, place: usize, record: Record) {
        if self.slots[place].used == PAGE as u32 {
            self.turn(place);
        }
        let slot = &mut self.slots[place];
        self.pages[slot.page as usize].records[slot.used as usize] = record;
        slot.used += 1;
        self.records += 1;
    }

    /// Lowest occupied level and its first slot: no record elsewhere is earlier.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        for (level, words) in self.occupied.iter().enumerate() {
            for (place, word) in words.iter().enumerate() {
                if *word != 0 {
                    let slot = place * 64 + word.trailing_zeros() as usize;
                    return Some((level, slot, self.tick(level, slot)));
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
            let mut chain = self.take(place);
            while let Some((records, used)) = self.unchain(&mut chain) {
                for record in &records[..used] {
                    let state = self.entries[record.index as usize].state;
                    if state.record == record.low && !matches!(state.delay, FREE | RESTING) {
                        self.append(place, *record);
                    }
                }
            }
        }
        self.stale = 0;
    }
}
