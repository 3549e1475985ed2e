//! Timers of another hand.

use std::task::Poll;
use std::time::{Duration, Instant};

use tokio_util::time::DelayQueue;

use super::{Row, each};

/// The delay queue of tokio, on a clock that is moved by hand.
pub(crate) fn delay_queue(first: &[u64], second: &[u64]) -> Row {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let mut queue: DelayQueue<u32> = DelayQueue::with_capacity(first.len());
        let mut keys = Vec::with_capacity(first.len());
        let insert = each(|| {
            for (item, ms) in (0u32..).zip(first) {
                keys.push(queue.insert(item, Duration::from_millis(*ms)));
            }
        });
        let again = each(|| {
            for (key, ms) in keys.iter().zip(second) {
                queue.reset(key, Duration::from_millis(*ms));
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
