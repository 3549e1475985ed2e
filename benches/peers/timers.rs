//! Timers of another hand.

use std::task::Poll;
use std::time::{Duration, Instant};

use tokio_util::time::DelayQueue;

use super::{Row, each};

/// The delay queue of tokio, on a clock that is moved by hand.
pub(crate) fn delay_queue(first: &[u64], second: &[u64]) -> Row {
    run(first, second, false, false)
}

/// The same, where a million timers were before.
pub(crate) fn delay_queue_of_used_memory(first: &[u64], second: &[u64]) -> Row {
    run(first, second, true, false)
}

/// The same of instants, which do not ask the clock.
pub(crate) fn delay_queue_by_instants(first: &[u64], second: &[u64]) -> Row {
    run(first, second, true, true)
}

fn run(first: &[u64], second: &[u64], used: bool, by_instants: bool) -> Row {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let mut queue: DelayQueue<u32> = DelayQueue::with_capacity(first.len());
        let mut keys = Vec::with_capacity(first.len());
        if used {
            for (item, ms) in (0u32..).zip(first) {
                queue.insert(item, Duration::from_millis(*ms));
            }
            queue.clear();
        }
        let now = tokio::time::Instant::now();
        let instants = |waits: &[u64]| -> Vec<tokio::time::Instant> {
            waits.iter().map(|ms| now + Duration::from_millis(*ms)).collect()
        };
        let ready = if by_instants { (instants(first), instants(second)) } else { (Vec::new(), Vec::new()) };
        let insert = each(|| {
            if by_instants {
                keys.extend((0u32..).zip(&ready.0).map(|(item, at)| queue.insert_at(item, *at)));
            } else {
                keys.extend(
                    (0u32..).zip(first).map(|(item, ms)| queue.insert(item, Duration::from_millis(*ms))),
                );
            }
        });
        let again = each(|| {
            if by_instants {
                keys.iter().zip(&ready.1).for_each(|(key, at)| queue.reset_at(key, *at));
            } else {
                keys.iter().zip(second).for_each(|(key, ms)| queue.reset(key, Duration::from_millis(*ms)));
            }
        });
        tokio::time::advance(Duration::from_secs(700)).await;
        // Without the scheduler's ration of steps.
        let start = Instant::now();
        let all = std::future::poll_fn(|context| {
            while let Poll::Ready(Some(expired)) = queue.poll_expired(context) {
                std::hint::black_box(expired.into_inner());
            }
            Poll::Ready(())
        });
        tokio::task::unconstrained(all).await;
        let expire = start.elapsed().as_secs_f64() * 1e9 / first.len() as f64;
        assert!(queue.is_empty(), "{} are left", queue.len());
        Row { insert, again, expire, octets: 56 }
    })
}
