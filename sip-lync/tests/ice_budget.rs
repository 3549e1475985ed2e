//! What an agent costs: memory while it checks and when it is connected.

mod internet;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use internet::{Internet, Place, Side, Weather};
use sip_lync::ice::agent::Config;
use sip_lync::ice::{DIALECTS, Role};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "a counting allocator")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_connected_agent_fits_into_eight_kilobytes() {
    for dialect in DIALECTS {
        let configs = [Role::Controlling, Role::Controlled].map(|role| Config::new(dialect, role));
        let place = Place { relay: true, ..Place::OPEN };
        let mut internet = Internet::new(1, [place; 2], &configs, Weather::FAIR);
        internet.run_until_decided(Duration::from_secs(10));
        internet.run_for(Duration::from_mins(1));
        assert!(internet.node(Side::Left).connected.is_some());
        // A clone holds what the agent holds, without what its tables once had room for.
        let before = HELD.load(Ordering::Relaxed);
        let copy = internet.node(Side::Left).agent.clone();
        let heap = HELD.load(Ordering::Relaxed) - before;
        let whole = heap + size_of_val(&copy);
        println!("{dialect}: two components, host and relay: {whole} octets, {heap} of them on the heap");
        assert!(whole <= 8 * 1024, "{dialect}: {whole}");
    }
}
