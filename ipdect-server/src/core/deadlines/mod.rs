//! Deadlines of everything that waits: a hierarchical timing wheel.
//!
//! Six levels of 256 slots, one millisecond to a slot of the first level. What is set is appended to the slot of its time as four
//! octets, the place of the waiter; the waiter itself knows its deadline, in thirty bits. A deadline that moves to a later time,
//! the usual move, changes the waiter alone; its record finds out when it is looked at. Waiters are spread over the memory, so
//! the records of a slot are looked at many together: the machine fetches their waiters at the same time. Records that nobody
//! waits for any more are swept when they become many, and pages are kept for the records to come.
//!
//! A deadline never fires early: times are rounded up to the next millisecond. Deadlines fire in the order of their
//! milliseconds; those of one millisecond in the order in which they were set, but one that was moved to a later time as if that
//! had happened when the time before was over. The order depends on the calls alone: the same calls give the same order.

mod records;
mod state;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use records::{BITS, LEVELS, Records, SLOTS};
use state::{State, TIME};

/// No time.
const NONE: u64 = u64::MAX;
const REACH: u64 = 1 << 29;
/// Deadlines farther away than 34 years are as good as none.
const FARTHEST: u64 = 1 << 40;
/// Records that are looked at together.
const CROWD: usize = 2048;
/// Of a millisecond.
const NANOSECONDS: u32 = 1_000_000;
/// So many records that nobody waits for are never worth a sweep.
const STALE_MIN: usize = 1024;

/// Names one waiting machine; given out by [`Deadlines::insert`], valid until [`Deadlines::remove`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Waiter(u32);

#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    state: State,
    item: T,
}

/// A time, the milliseconds since the origin that are over at it, and the nanoseconds of the next one with those that round up.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Instant,
    milliseconds: u64,
    nanoseconds: u32,
}

/// The wheel. `T` names the machine.
#[derive(Clone, Debug)]
pub struct Deadlines<T> {
    origin: Instant,
    /// Milliseconds since `origin` up to which everything has fired.
    elapsed: u64,
    /// The time that was asked for last.
    asked: Asked,
    /// The slot of this time is being handed over.
    firing: u64,
    /// Who was due at that time, and how many of them have been handed over.
    due: Vec<u32>,
    /// Who is looked at together.
    crowd: Vec<(u32, State)>,
    handed: usize,
    entries: Vec<Entry<T>>,
    free: Vec<u32>,
    /// Deadlines that are farther away than records reach.
    far: BTreeMap<u32, u64>,
    records: Records,
    waiting: usize,
}

impl<T: Copy + Default> Deadlines<T> {
    /// The same with room for so many waiters, each of whom is waited for once: memory that was asked for before it is needed.
    pub fn with_capacity(now: Instant, waiters: usize) -> Self {
        let mut wheel = Self::new(now);
        wheel.entries.resize(waiters, Entry { state: State::FREE, item: T::default() });
        wheel.entries.clear();
        wheel.records.reserve(waiters);
        wheel
    }
}

impl<T: Copy> Deadlines<T> {
    /// Octets that one waiter takes, with its record.
    pub const OCTETS: usize = size_of::<Entry<T>>() + size_of::<u32>();

    /// An empty wheel that starts at `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            origin: now,
            elapsed: 0,
            asked: Asked { at: now, milliseconds: 0, nanoseconds: NANOSECONDS - 1 },
            firing: NONE,
            due: Vec::new(),
            crowd: Vec::new(),
            handed: 0,
            entries: Vec::new(),
            free: Vec::new(),
            far: BTreeMap::new(),
            records: Records::new(),
            waiting: 0,
        }
    }

    /// Gives `item` a place; it waits for nothing yet.
    #[inline]
    pub fn insert(&mut self, item: T) -> Waiter {
        match self.free.pop() {
            None => {
                self.entries.push(Entry { state: State::RESTING, item });
                Waiter(self.entries.len() as u32 - 1)
            }
            Some(index) => {
                let entry = &mut self.entries[index as usize];
                let state = if entry.state == State::FREE {
                    State::RESTING
                } else {
                    State(entry.state.0 & TIME | State::IDLE)
                };
                *entry = Entry { state, item };
                Waiter(index)
            }
        }
    }

    /// Forgets a waiter.
    pub fn remove(&mut self, waiter: Waiter) {
        self.cancel(waiter);
        let state = &mut self.entries[waiter.0 as usize].state;
        if state.is_free() {
            return;
        }
        *state = if state.is_idle() { State(state.0 | State::LEFT) } else { State::FREE };
        self.free.push(waiter.0);
    }

    /// Sets, moves or (with none) cancels a deadline.
    #[inline]
    pub fn set(&mut self, waiter: Waiter, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return self.cancel(waiter) };
        self.set_at(waiter, self.milliseconds(deadline));
    }

    #[expect(clippy::inline_always, reason = "measured: a call costs a fifth")]
    #[inline(always)]
    fn set_at(&mut self, waiter: Waiter, at: u64) {
        let wait = at.saturating_sub(self.elapsed).max(1);
        let state = self.entries[waiter.0 as usize].state;
        if wait >= REACH || state > State::RESTING {
            return self.set_far(waiter, wait);
        }
        let at = self.elapsed + wait;
        self.entries[waiter.0 as usize].state = State(at as u32 & TIME);
        self.waiting += usize::from(!state.waits());
        // Does its record come early enough? Then nothing is moved.
        let needed = state == State::RESTING || wait < state.ahead(self.elapsed);
        let place = self.place(at);
        if !self.records.append_here(place, waiter.0, needed) && needed {
            self.sweep();
            self.records.append(place, waiter.0);
        }
    }

    /// Sets a deadline that is so far from `now`.
    #[inline]
    pub fn set_after(&mut self, waiter: Waiter, now: Instant, wait: Duration) {
        self.ask(now);
        let seconds = wait.as_secs().min(FARTHEST / 1000) * 1000;
        let rest = (self.asked.nanoseconds + wait.subsec_nanos()) / NANOSECONDS;
        self.set_at(waiter, self.asked.milliseconds + seconds + u64::from(rest));
    }

    #[inline]
    fn ask(&mut self, now: Instant) {
        if self.asked.at != now {
            self.ask_anew(now);
        }
    }

    #[cold]
    #[inline(never)]
    fn ask_anew(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.origin);
        let rest = since.subsec_nanos();
        self.asked = Asked {
            at: now,
            milliseconds: since.as_secs() * 1000 + u64::from(rest / NANOSECONDS),
            nanoseconds: rest % NANOSECONDS + NANOSECONDS - 1,
        };
    }

    /// A deadline beyond the reach of records, or one in place of such a one.
    #[cold]
    fn set_far(&mut self, waiter: Waiter, wait: u64) {
        self.cancel(waiter);
        let state = self.entries[waiter.0 as usize].state;
        if state.is_free() {
            return;
        }
        let at = self.elapsed + wait.min(FARTHEST);
        self.waiting += 1;
        if wait < REACH {
            self.entries[waiter.0 as usize].state = State(at as u32 & TIME);
            return self.link(waiter.0, at);
        }
        self.far.insert(waiter.0, at);
        self.entries[waiter.0 as usize].state = State::FAR;
        // A record that is there already looks early enough.
        if state == State::RESTING {
            self.link(waiter.0, self.elapsed + REACH);
        }
    }

    fn cancel(&mut self, waiter: Waiter) {
        let state = &mut self.entries[waiter.0 as usize].state;
        if state.waits() {
            state.0 |= State::IDLE;
            self.waiting -= 1;
        } else if *state == State::FAR {
            // Its record looks at it by then, if not before.
            *state = State((self.elapsed + REACH) as u32 & TIME | State::IDLE);
            self.waiting -= 1;
            self.far.remove(&waiter.0);
        }
    }

    /// The next time at which [`Self::expire`] has something to do; it may be a little before the earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        if self.waiting == 0 {
            return None;
        }
        let tick = if self.firing == NONE { self.next_slot()?.2 } else { self.firing };
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
        self.ask(now);
        loop {
            while let Some(index) = self.due.get(self.handed) {
                self.handed += 1;
                let index = *index;
                let Entry { state, item } = &mut self.entries[index as usize];
                if state.0 == self.firing as u32 & TIME {
                    *state = State::RESTING;
                    self.waiting -= 1;
                    return Some(*item);
                }
                // Between two calls its deadline was moved or cancelled.
                let state = *state;
                self.look(index, state);
            }
            if !self.advance(self.asked.milliseconds) {
                return None;
            }
        }
    }

    /// Goes to the next slot whose time has come by `now`.
    fn advance(&mut self, now: u64) -> bool {
        self.firing = NONE;
        self.due.clear();
        self.handed = 0;
        while let Some((level, slot, tick)) = self.next_slot().filter(|(.., tick)| *tick <= now) {
            if level == 0 {
                self.elapsed = self.elapsed.max(tick.saturating_sub(1));
                self.call_up(slot, tick);
                if !self.due.is_empty() {
                    self.firing = tick;
                    return true;
                }
            } else {
                self.elapsed = self.elapsed.max(tick);
                self.lower(level, slot);
            }
        }
        self.elapsed = self.elapsed.max(now);
        false
    }

    /// Looks at the waiters of a slot of the first level: those who are due, in their order.
    fn call_up(&mut self, slot: usize, tick: u64) {
        let mut chain = self.records.take(slot);
        while let Some(page) = self.records.unchain(&mut chain) {
            for at in 0..page.used {
                let index = self.records.of(page)[at];
                let state = self.entries[index as usize].state;
                if state.0 == tick as u32 & TIME {
                    self.due.push(index);
                } else {
                    self.look(index, state);
                }
            }
            self.records.give_back(page);
        }
    }

    /// The time of a slot has come: its records move to lower levels, or to where their waiters have moved to, all of them, so
    /// that the lowest level stays the earliest.
    fn lower(&mut self, level: usize, slot: usize) {
        let mut chain = self.records.take(level * SLOTS + slot);
        let mut crowd = std::mem::take(&mut self.crowd);
        let mut more = true;
        while more {
            // The waiters are spread over the memory: looking at many before any decision lets the machine fetch them at the same
            // time.
            crowd.clear();
            while crowd.len() < CROWD {
                let Some(page) = self.records.unchain(&mut chain) else {
                    more = false;
                    break;
                };
                let entries = &self.entries;
                crowd.extend(
                    self.records.of(page).iter().map(|index| (*index, entries[*index as usize].state)),
                );
                self.records.give_back(page);
            }
            // Those who wait for nothing are passed over without a choice that the machine would have to foresee.
            let mut kept = 0;
            for at in 0..crowd.len() {
                crowd[kept] = crowd[at];
                kept += usize::from(crowd[at].1 != State::RESTING);
            }
            for (index, state) in &crowd[..kept] {
                self.look(*index, *state);
            }
        }
        self.crowd = crowd;
    }

    /// What a record finds that does not fire.
    #[inline]
    fn look(&mut self, index: u32, state: State) {
        if state.waits() {
            self.link(index, self.elapsed + state.ahead(self.elapsed));
        } else if state == State::FAR {
            self.look_far(index);
        } else if state.is_idle() {
            self.entries[index as usize].state = State::RESTING;
        } else if state.is_free() {
            self.entries[index as usize].state = State::FREE;
        }
    }

    /// The record of a far deadline goes on to it, or as far as records go.
    #[cold]
    fn look_far(&mut self, index: u32) {
        let Some(deadline) = self.far.get(&index).copied() else { return };
        let at = deadline.min(self.elapsed + REACH);
        if at == deadline {
            self.far.remove(&index);
            self.entries[index as usize].state = State(at as u32 & TIME);
        }
        self.link(index, at);
    }

    fn milliseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        since.as_secs() * 1000 + u64::from(since.subsec_nanos().div_ceil(NANOSECONDS))
    }

    #[inline]
    fn link(&mut self, index: u32, at: u64) {
        self.records.append(self.place(at), index);
    }

    /// The slot of a time: at the level at which it differs from the present.
    #[inline]
    fn place(&self, at: u64) -> usize {
        let different = (self.elapsed ^ at) | (SLOTS as u64 - 1);
        let level = different.ilog2() / BITS;
        level as usize * SLOTS + ((at >> (level * BITS)) as usize & (SLOTS - 1))
    }

    /// Throws records away that nobody waits for, when they are more than the others.
    #[cold]
    fn sweep(&mut self) {
        if self.records.in_full_pages() <= 2 * self.waiting + STALE_MIN {
            return;
        }
        let mut live = Vec::new();
        let mut seen = vec![false; self.entries.len()];
        for place in 0..LEVELS * SLOTS {
            let mut chain = self.records.take(place);
            while let Some(page) = self.records.unchain(&mut chain) {
                for index in self.records.of(page) {
                    if !std::mem::replace(&mut seen[*index as usize], true) {
                        live.push(*index);
                    }
                }
                self.records.give_back(page);
            }
        }
        for index in live {
            self.look(index, self.entries[index as usize].state);
        }
    }

    /// Lowest occupied level, its first slot and when that begins: no record elsewhere is earlier.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        let (level, slot) = self.records.first()?;
        Some((level, slot, self.tick(level, slot)))
    }

    /// First millisecond of a slot.
    fn tick(&self, level: usize, slot: usize) -> u64 {
        let shift = level as u32 * BITS;
        let above = shift + BITS;
        let base = self.elapsed >> above << above;
        (base | ((slot as u64) << shift)).max(self.elapsed)
    }
}
