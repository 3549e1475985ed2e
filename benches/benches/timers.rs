//! A million timers: the server's wheel beside the usual delay queue, a heap, an ordered map and an array that does nothing else.
//!
//! Delays are those of SIP: half a second to 32 seconds, one in four up to ten minutes.

use std::collections::{BTreeSet, BinaryHeap};
use std::hint::black_box;
use std::time::{Duration, Instant};

#[path = "../../ipdect-server/src/core/deadlines.rs"]
#[expect(dead_code, unreachable_pub, reason = "a module of the server")]
mod deadlines;

#[cfg(feature = "timers-peers")]
#[path = "../peers/timers.rs"]
mod peers;

use deadlines::Deadlines;

const TIMERS: usize = 1_000_000;
const ROUNDS: usize = 3;

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

fn wheel(first: &[u64], second: &[u64]) -> Row {
    let now = Instant::now();
    let mut wheel: Deadlines<u32> = Deadlines::with_capacity(now, TIMERS);
    let mut waiters = Vec::with_capacity(TIMERS);
    let instants =
        |of: &[u64]| -> Vec<Instant> { of.iter().map(|ms| now + Duration::from_millis(*ms)).collect() };
    let (first, second) = (instants(first), instants(second));
    let insert = each(|| {
        for (item, at) in (0u32..).zip(&first) {
            let waiter = wheel.insert(item);
            wheel.set(waiter, Some(*at));
            waiters.push(waiter);
        }
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
    #[cfg_attr(not(feature = "timers-peers"), expect(unused_mut, reason = "peers are pushed"))]
    let mut kinds: Vec<Kind> =
        vec![("ours", wheel), ("std BinaryHeap (lazy)", heap), ("std BTreeSet", ordered)];
    #[cfg(feature = "timers-peers")]
    kinds.push(("tokio-util DelayQueue", peers::delay_queue));
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
