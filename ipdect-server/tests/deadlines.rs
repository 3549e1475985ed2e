//! The wheel of deadlines: never early, everything once, like an ordered set.

use ipdect_server::core::deadlines::Deadlines;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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

#[test]
fn a_record_that_was_left_behind_fires_nothing_early() {
    let now = origin();
    let mut wheel = Deadlines::new(now);
    let at = |ms: u64| now + Duration::from_millis(ms);
    let waiter = wheel.insert(1);
    wheel.set(waiter, Some(at(100)));
    wheel.set(waiter, Some(at(50)));
    assert_eq!(wheel.expire(at(50)), Some(1));
    wheel.set(waiter, Some(at(200)));
    assert_eq!(wheel.expire(at(199)), None, "the record of the hundredth millisecond is nobody's");
    assert_eq!(wheel.expire(at(200)), Some(1));
    // The same when the place belongs to somebody else by then.
    wheel.set(waiter, Some(at(230)));
    wheel.remove(waiter);
    let other = wheel.insert(2);
    wheel.set(other, Some(at(240)));
    assert_eq!(wheel.expire(at(239)), None);
    assert_eq!(wheel.expire(at(240)), Some(2));
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Crowds in one slot, guests whose places are taken over, and waits of milliseconds to years.
    #[test]
    fn crowds_that_move_come_and_go_fire_once_each_and_in_order(
        steps in prop::collection::vec((0u8..8, 0usize..700, 0u64..1 << 36, 0u32..37), 500..1500),
    ) {
        let start = origin();
        let mut now = 0u64;
        let mut wheel = Deadlines::new(start);
        let mut waiters: Vec<_> = (0..700usize).map(|item| wheel.insert(item)).collect();
        let mut model: BTreeMap<usize, u64> = BTreeMap::new();
        let at = |ms: u64| start + Duration::from_millis(ms);
        for (item, waiter) in waiters.iter().enumerate() {
            wheel.set(*waiter, Some(at(70_000 + item as u64 % 3)));
            model.insert(item, 70_000 + item as u64 % 3);
        }
        for (what, item, wait, bits) in steps {
            let wait = wait & ((1 << bits) - 1);
            match what {
                0..=3 => {
                    wheel.set(waiters[item], Some(at(now + wait + 1)));
                    model.insert(item, now + wait + 1);
                }
                4 => {
                    wheel.set(waiters[item], None);
                    model.remove(&item);
                }
                5 | 6 => {
                    wheel.remove(waiters[item]);
                    waiters[item] = wheel.insert(item);
                    model.remove(&item);
                }
                _ => {
                    now += wait;
                    let mut last = 0;
                    while let Some(item) = wheel.expire(at(now)) {
                        let due = model.remove(&item);
                        prop_assert!(due.is_some_and(|due| due <= now && due >= last), "{item}: {due:?} after {last}");
                        last = due.unwrap_or(last);
                    }
                    prop_assert!(model.values().all(|due| *due > now));
                }
            }
            prop_assert_eq!(wheel.len(), model.len());
            match model.values().min() {
                Some(earliest) => prop_assert!(wheel.next().is_some_and(|next| next <= at(*earliest))),
                None => prop_assert!(wheel.next().is_none()),
            }
        }
    }
}

#[test]
fn deadlines_that_move_and_waiters_that_come_and_go_leave_nothing_behind() {
    let now = origin();
    let mut wheel = Deadlines::new(now);
    let at = |ms: u64| Some(now + Duration::from_millis(ms));
    // Always earlier, always later, to and fro, cancelled, removed and replaced: a hundred thousand times.
    let waiters = [0u32, 1, 2, 3].map(|item| wheel.insert(item));
    for step in 0..100_000u64 {
        wheel.set(waiters[0], at(10_000_000 - step));
        wheel.set(waiters[1], at(1_000 + step));
        wheel.set(waiters[2], at(if step.is_multiple_of(2) { 50 } else { 5_000_000 }));
        wheel.set(waiters[3], at(3_000 + step % 7));
        wheel.set(waiters[3], None);
        let guest = wheel.insert(9);
        wheel.set(guest, at(7_000 + step % 100));
        wheel.remove(guest);
    }
    assert_eq!(wheel.len(), 3);
    let mut fired = Vec::new();
    let mut looks = 0;
    while let Some(next) = wheel.next() {
        looks += 1;
        while let Some(item) = wheel.expire(next) {
            fired.push((item, next.duration_since(now).as_millis()));
        }
    }
    assert_eq!(fired, [(1, 100_999), (2, 5_000_000), (0, 9_900_001)]);
    assert!(looks < 10_000, "{looks} looks for three deadlines");
    assert!(wheel.is_empty() && wheel.next().is_none());
}

#[test]
fn very_far_deadlines_wait_and_no_wait_is_too_long() {
    let now = origin();
    let mut wheel = Deadlines::new(now);
    let day = Duration::from_hours(24);
    for (item, wait) in [(1u32, day), (2, 60 * day), (3, 1_000 * day), (4, 9_000 * day)] {
        let waiter = wheel.insert(item);
        wheel.set(waiter, Some(now + wait));
    }
    for (item, wait) in [(1, day), (2, 60 * day), (3, 1_000 * day), (4, 9_000 * day)] {
        assert_eq!(wheel.expire(now + wait.saturating_sub(Duration::from_millis(1))), None);
        assert_eq!(wheel.expire(now + wait), Some(item));
    }
    let waiter = wheel.insert(5);
    wheel.set(waiter, Some(now + 1_000_000 * day));
    assert_eq!(wheel.expire(now + 10_000 * day), None);
    wheel.set(waiter, Some(now + 10_001 * day));
    assert_eq!(wheel.expire(now + 10_001 * day), Some(5));
}

#[test]
fn a_waiter_takes_no_more_than_32_octets() {
    const { assert!(Deadlines::<u32>::OCTETS <= 32) };
}

#[test]
fn deadlines_of_one_millisecond_fire_in_the_order_in_which_they_were_set() {
    let now = origin();
    let mut wheel = Deadlines::new(now);
    let at = |ms: u64| now + Duration::from_millis(ms);
    // Set from far away, from nearer and from next to it: through all levels.
    let mut item = 0u32;
    for start in [0u64, 9_000_000, 9_900_000, 9_999_700, 9_999_999] {
        assert_eq!(wheel.expire(at(start)), None);
        for _ in 0..300 {
            let waiter = wheel.insert(item);
            wheel.set(waiter, Some(at(10_000_000)));
            item += 1;
        }
    }
    let fired: Vec<u32> = std::iter::from_fn(|| wheel.expire(at(10_000_000))).collect();
    assert_eq!(fired, (0..1_500).collect::<Vec<u32>>());
    // One that is moved to a later time comes as if it were set when the time before is over.
    let [moved, first, second] = [1, 2, 3].map(|item| wheel.insert(item));
    wheel.set(moved, Some(at(10_000_500)));
    wheel.set(first, Some(at(10_001_000)));
    wheel.set(moved, Some(at(10_001_000)));
    assert_eq!(wheel.expire(at(10_000_600)), None);
    wheel.set(second, Some(at(10_001_000)));
    let fired: Vec<u32> = std::iter::from_fn(|| wheel.expire(at(10_001_000))).collect();
    assert_eq!(fired, [2, 1, 3]);
}

#[test]
fn whoever_is_due_may_move_cancel_and_replace_the_others_that_are_due() {
    let now = origin();
    let mut wheel = Deadlines::new(now);
    let at = |ms: u64| Some(now + Duration::from_millis(ms));
    let waiters = [0u32, 1, 2, 3, 4].map(|item| wheel.insert(item));
    for waiter in waiters {
        wheel.set(waiter, at(100));
    }
    let due = now + Duration::from_millis(100);
    assert_eq!(wheel.expire(due), Some(0));
    wheel.set(waiters[1], at(150));
    wheel.set(waiters[2], None);
    wheel.remove(waiters[3]);
    let guest = wheel.insert(9);
    wheel.set(guest, at(120));
    wheel.set(waiters[0], at(101));
    assert_eq!(wheel.next(), Some(due), "one of them is still to come");
    assert_eq!(wheel.expire(due), Some(4));
    assert_eq!(wheel.expire(due), None);
    let mut fired = Vec::new();
    while let Some(next) = wheel.next() {
        while let Some(item) = wheel.expire(next) {
            fired.push((item, next.duration_since(now).as_millis()));
        }
    }
    assert_eq!(fired, [(0, 101), (9, 120), (1, 150)]);
}

#[test]
fn a_wait_from_now_is_the_same_as_its_instant() {
    let now = origin();
    for (ask, wait) in
        [(0u64, 1u64), (1, 1_000_000), (999_999, 2), (1_500_000, 250_000), (7_000_000, 0), (3, 4_000_000_123)]
    {
        let asked = now + Duration::from_nanos(ask);
        let mut wheels = [Deadlines::new(now), Deadlines::new(now)];
        let [one, other] = &mut wheels;
        let (a, b) = (one.insert(()), other.insert(()));
        one.set(a, Some(asked + Duration::from_nanos(wait)));
        other.set_after(b, asked, Duration::from_nanos(wait));
        while one.next() != other.next() || one.len() == 1 {
            assert_eq!(one.next(), other.next(), "{ask} and {wait}");
            let next = one.next().expect("it waits");
            assert_eq!(one.expire(next), other.expire(next), "{ask} and {wait}");
        }
        assert!(other.is_empty());
    }
    let mut wheel = Deadlines::new(now);
    let waiter = wheel.insert(());
    wheel.set_after(waiter, now, Duration::MAX);
    assert_eq!(wheel.expire(now + Duration::from_hours(24 * 400)), None);
    assert_eq!(wheel.len(), 1);
}
