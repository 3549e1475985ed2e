//! A million timers: the server's wheel beside the usual delay queue, a heap, an ordered map, and what the memory alone takes.
//!
//! Delays are those of SIP: half a second to 32 seconds, one in four up to ten minutes.

use std::collections::{BTreeSet, BinaryHeap};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "../../ipdect-server/src/core/deadlines/mod.rs"]
#[expect(dead_code, unreachable_pub, reason = "a module of the server")]
mod deadlines;

#[cfg(feature = "timers-peers")]
#[path = "../peers/timers.rs"]
mod peers;

use deadlines::Deadlines;

const TIMERS: usize = 1_000_000;
const ROUNDS: usize = 5;

/// What one kind of timers takes, in nanoseconds each: set, moved, expired; and octets of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) insert: f64,
    pub(crate) again: f64,
    pub(crate) expire: f64,
    pub(crate) octets: usize,
}

impl Row {
    fn best(self, other: Self) -> Self {
        Self {
            insert: self.insert.min(other.insert),
            again: self.again.min(other.again),
            expire: self.expire.min(other.expire),
            octets: self.octets,
        }
    }
}

/// Milliseconds, the same in every run.
pub(crate) fn delays(seed: u64) -> Vec<u64> {
    let mut random = seed | 1;
    (0..TIMERS)
        .map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let longest = if random.is_multiple_of(4) { 600_000 } else { 32_000 };
            500 + (random >> 8) % (longest - 500)
        })
        .collect()
}

pub(crate) fn each(act: impl FnOnce()) -> f64 {
    let start = Instant::now();
    act();
    start.elapsed().as_secs_f64() * 1e9 / TIMERS as f64
}

/// Waits from now, and all handed over at one time, as the delay queue does it.
fn wheel(first: &[u64], second: &[u64]) -> Row {
    let now = Instant::now();
    by_waits(now, Deadlines::with_capacity(now, TIMERS), first, second)
}

fn wheel_of_new_memory(first: &[u64], second: &[u64]) -> Row {
    let now = Instant::now();
    by_waits(now, Deadlines::new(now), first, second)
}

fn by_waits(now: Instant, mut wheel: Deadlines<u32>, first: &[u64], second: &[u64]) -> Row {
    let mut waiters = Vec::with_capacity(TIMERS);
    let insert = each(|| {
        waiters.extend((0u32..).zip(first).map(|(item, ms)| {
            let waiter = wheel.insert(item);
            wheel.set_after(waiter, now, Duration::from_millis(*ms));
            waiter
        }));
    });
    let again = each(|| {
        for (waiter, ms) in waiters.iter().zip(second) {
            wheel.set_after(*waiter, now, Duration::from_millis(*ms));
        }
    });
    let end = now + Duration::from_secs(700);
    let mut expired = 0;
    let expire = each(|| {
        while let Some(item) = wheel.expire(end) {
            black_box(item);
            expired += 1;
        }
    });
    assert_eq!(expired, TIMERS);
    Row { insert, again, expire, octets: Deadlines::<u32>::OCTETS }
}

/// Deadlines as instants, and woken for each of them, as the server does it.
fn wheel_by_instants(first: &[u64], second: &[u64]) -> Row {
    let now = Instant::now();
    let mut wheel: Deadlines<u32> = Deadlines::with_capacity(now, TIMERS);
    let mut waiters = Vec::with_capacity(TIMERS);
    let (first, second) = (instants(now, first), instants(now, second));
    let insert = each(|| {
        waiters.extend((0u32..).zip(&first).map(|(item, at)| {
            let waiter = wheel.insert(item);
            wheel.set(waiter, Some(*at));
            waiter
        }));
    });
    let again = each(|| {
        for (waiter, at) in waiters.iter().zip(&second) {
            wheel.set(*waiter, Some(*at));
        }
    });
    let mut expired = 0;
    let expire = each(|| {
        while let Some(next) = wheel.next() {
            while let Some(item) = wheel.expire(next) {
                black_box(item);
                expired += 1;
            }
        }
    });
    assert_eq!(expired, TIMERS);
    Row { insert, again, expire, octets: Deadlines::<u32>::OCTETS }
}

pub(crate) fn instants(now: Instant, waits: &[u64]) -> Vec<Instant> {
    waits.iter().map(|ms| now + Duration::from_millis(*ms)).collect()
}

/// What memory takes when nothing is decided: a record and a state of eight octets are written one after the other; the states in
/// an order of which the machine knows nothing; and two states are read at random, for half of the moves leave a record behind or
/// are found out: about two looks at each.
fn floor(first: &[u64], second: &[u64]) -> Row {
    let mut states: Vec<[u32; 2]> = vec![[0; 2]; TIMERS];
    states.clear();
    let mut order: Vec<u32> = vec![0; TIMERS];
    let mut ends = vec![0usize; 4096];
    for ms in first {
        ends[(*ms >> 8) as usize] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum - *end;
    }
    let insert = each(|| {
        for (item, ms) in (0u32..).zip(first) {
            states.push([*ms as u32, item]);
            let end = &mut ends[(*ms >> 8) as usize];
            order[*end] = item;
            *end += 1;
        }
    });
    let again = each(|| {
        for (state, ms) in states.iter_mut().zip(second) {
            state[0] = *ms as u32;
        }
    });
    let expire = each(|| {
        let mut sum = 0;
        for some in order.chunks(8192) {
            for index in some {
                sum += states[*index as usize][0];
            }
        }
        for some in order.rchunks(8192) {
            for index in some {
                let state = &mut states[*index as usize];
                sum += state[1];
                state[0] = 0;
            }
        }
        black_box(sum);
    });
    Row { insert, again, expire, octets: 12 }
}

/// Cancelling leaves the old entry in the heap.
fn heap(first: &[u64], second: &[u64]) -> Row {
    let mut heap: BinaryHeap<(std::cmp::Reverse<u64>, u32, u8)> = BinaryHeap::with_capacity(TIMERS);
    let insert =
        each(|| heap.extend((0u32..).zip(first).map(|(item, ms)| (std::cmp::Reverse(*ms), item, 0))));
    let again = each(|| {
        for (item, ms) in (0u32..).zip(second) {
            heap.push((std::cmp::Reverse(*ms), item, 1));
        }
    });
    let expire = each(|| {
        while let Some(entry) = heap.pop() {
            black_box(entry);
        }
    });
    Row { insert, again, expire, octets: size_of::<(u64, u32, u8)>() + 1 }
}

fn ordered(first: &[u64], second: &[u64]) -> Row {
    let mut map: BTreeSet<(u64, u32)> = BTreeSet::new();
    let insert = each(|| {
        for (item, ms) in (0u32..).zip(first) {
            map.insert((*ms, item));
        }
    });
    let again = each(|| {
        for ((item, old), new) in (0u32..).zip(first).zip(second) {
            map.remove(&(*old, item));
            map.insert((*new, item));
        }
    });
    let expire = each(|| {
        while let Some(entry) = map.pop_first() {
            black_box(entry);
        }
    });
    Row { insert, again, expire, octets: 32 }
}

fn main() {
    let (first, second) = (delays(1), delays(2));
    type Kind = (&'static str, fn(&[u64], &[u64]) -> Row);
    let mut kinds: Vec<Kind> = vec![
        ("ours", wheel),
        ("ours, memory never used", wheel_of_new_memory),
        ("ours, as the server", wheel_by_instants),
    ];
    #[cfg(feature = "timers-peers")]
    kinds.extend([
        ("tokio-util DelayQueue", peers::delay_queue as fn(&[u64], &[u64]) -> Row),
        ("  memory used before", peers::delay_queue_of_used_memory),
        ("  by instants", peers::delay_queue_by_instants),
    ]);
    kinds.extend([
        ("std BinaryHeap (lazy)", heap as fn(&[u64], &[u64]) -> Row),
        ("std BTreeSet", ordered),
        ("floor memory", floor),
    ]);
    let mut rows: Vec<Option<Row>> = vec![None; kinds.len()];
    for round in 0..ROUNDS {
        for turn in 0..kinds.len() {
            let which = (round + turn) % kinds.len();
            let row = kinds[which].1(&first, &second);
            rows[which] = Some(rows[which].map_or(row, |best| best.best(row)));
        }
    }
    let ours = rows[0].expect("it was measured");
    println!("1,000,000 timers, ns each (and x ours): insert, move, expire, octets");
    for ((name, _), row) in kinds.iter().zip(&rows) {
        let row = row.expect("it was measured");
        println!(
            "  {name:<24} {:>7.1} ({:>5.1} x)  {:>7.1} ({:>5.1} x)  {:>7.1} ({:>5.1} x)  {:>3}",
            row.insert,
            row.insert / ours.insert,
            row.again,
            row.again / ours.again,
            row.expire,
            row.expire / ours.expire,
            row.octets
        );
    }
}
