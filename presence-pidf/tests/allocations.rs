//! Budgets of memory: what reading, writing and changing takes, and that hostile XML gets none to speak of.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use presence_pidf::category::{RoamingData, parse_publish, parse_report};
use presence_pidf::pidf::{Presence, Reading};
use presence_pidf::{CallKey, HandsetPresence, PresenceConfig, Remote};

/// Counts what the thread that runs a test takes.
struct Counting;

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn note(octets: isize) {
    if octets > 0 {
        NUMBER.with(|number| number.set(number.get() + 1));
    }
    let now = NOW.with(|now| {
        now.set(now.get() + octets);
        now.get()
    });
    PEAK.with(|peak| peak.set(peak.get().max(now)));
}

#[expect(unsafe_code, reason = "an allocator that counts")]
// SAFETY: everything is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        note(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations, and how many octets at most at a time.
fn taken(act: impl FnOnce()) -> (usize, isize) {
    NUMBER.with(|number| number.set(0));
    let before = NOW.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    act();
    (NUMBER.with(Cell::get), PEAK.with(Cell::get) - before)
}

const PIDF: &[u8] = include_bytes!("vectors/pidf-rpid.xml");
const CATEGORIES: &[u8] = include_bytes!("vectors/lync-categories.xml");

#[test]
fn reading_takes_little_and_writing_into_room_nothing() {
    let (number, octets) = taken(|| drop(Presence::parse(PIDF, Reading::Strict).expect("good")));
    assert!(number <= 18 && octets <= 5_000, "PIDF: {number} allocations, {octets} octets");
    let (number, octets) = taken(|| drop(parse_report(CATEGORIES).expect("good")));
    assert!(number <= 40 && octets <= 8_000, "categories: {number} allocations, {octets} octets");
    let presence = Presence::parse(PIDF, Reading::Strict).expect("good");
    let report = parse_report(CATEGORIES).expect("good");
    let mut out = BytesMut::with_capacity(1 << 16);
    assert_eq!(taken(|| presence.emit(&mut out)).0, 0, "PIDF");
    out.clear();
    assert_eq!(taken(|| report.emit(&mut out)).0, 0, "categories");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
fn a_change_of_presence_takes_nothing() {
    let start = Instant::now();
    let mut presence = HandsetPresence::new(start, PresenceConfig::new());
    let (number, _) = taken(|| {
        for call in 0..100 {
            let now = start + Duration::from_secs(1000 * call);
            presence.answered(now, CallKey(call), Remote::Party);
            presence.ended(now + Duration::from_secs(10), CallKey(call));
            presence.handle_timeout(now + Duration::from_mins(15));
            while presence.poll_event().is_some() {}
        }
    });
    assert_eq!(number, 0);
}

/// Ten thousand of them, each with its number.
fn numbered(text: &str) -> String {
    (0..10_000).fold(String::new(), |all, at| all + &text.replace('#', &at.to_string()))
}

#[test]
fn a_body_that_is_refused_takes_less_than_eight_megabytes() {
    let root = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'";
    let bodies = [
        format!("<!DOCTYPE a [{}]><a>&a9;</a>", "<!ENTITY a9 \"&a8;&a8;&a8;\">".repeat(5_000)),
        format!("{root}>{}", "<a>".repeat(100_000)),
        format!("{root}{}>", numbered(" a#='1'")),
        format!("{root}{}>", numbered(" xmlns:a#='u:#'")),
        format!("{root}>{}</presence>", "<tuple id='t'><status/></tuple>".repeat(8_000)),
        format!("{root}><note>{}", "&amp;".repeat(50_000)),
        "x".repeat(10_000_000),
    ];
    for body in &bodies {
        let head = &body[..40];
        for read in [
            |body: &[u8]| Presence::parse(body, Reading::Lenient).is_err(),
            |body: &[u8]| RoamingData::parse(body).is_err(),
            |body: &[u8]| parse_publish(body).is_err(),
        ] {
            let mut refused = false;
            let (_, octets) = taken(|| refused = read(body.as_bytes()));
            assert!(refused, "{head}");
            assert!(octets < 8_000_000, "{head}: {octets} octets");
        }
    }
}
