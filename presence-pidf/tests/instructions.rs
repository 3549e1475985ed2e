//! Budgets of instructions, counted by callgrind where it is installed (of a build without optimization: what is watched is
//! growth), and hostile XML of two sizes: twice the octets take twice the instructions, not four times.

use std::fmt::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use presence_pidf::category::{CategoryInstance, CategoryReport, RoamingData, StateCategory, parse_report};
use presence_pidf::pidf::{Presence, Reading};
use presence_pidf::{Activity, CallKey, HandsetPresence, PresenceConfig, Remote};

const TASK: &str = "PRESENCE_COUNTED_TASK";
const TIMES: &str = "PRESENCE_COUNTED_TIMES";
const PIDF: &[u8] = include_bytes!("vectors/pidf-rpid.xml");
const CATEGORIES: &[u8] = include_bytes!("vectors/lync-categories.xml");

/// Instructions of one time: some 10 % above what was counted.
const BUDGETS: [(&str, u64); 6] = [
    ("read PIDF", 355_000),
    ("write PIDF", 91_000),
    ("read categories", 577_000),
    ("write categories", 123_000),
    ("read own data", 4_090_000),
    ("call, end, inactive, away", 2_500),
];

fn own_data() -> BytesMut {
    let row = |at: u32| {
        let state = StateCategory::phone(6500, Activity::OnThePhone);
        CategoryInstance::state(at, (at % 4) as u16, state)
    };
    let report = CategoryReport {
        uri: "sip:alice@example.com".into(),
        categories: (0..40).map(row).collect(),
        gone: Vec::new(),
    };
    let mut body = BytesMut::new();
    report.emit(&mut body);
    body
}

#[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
fn perform(task: &str, times: usize) {
    let mut out = BytesMut::with_capacity(1 << 16);
    let value = Presence::parse(PIDF, Reading::Strict).expect("a good document");
    let report = parse_report(CATEGORIES).expect("a good report");
    let own = own_data();
    let start = Instant::now();
    let mut presence = HandsetPresence::new(start, PresenceConfig::new());
    if let Some((hostile, size)) = task.split_once(':') {
        let body = hostile_body(hostile, size.parse().expect("a number"));
        for _ in 0..times {
            let _refused_or_not = Presence::parse(body.as_bytes(), Reading::Lenient);
            let _refused_or_not = RoamingData::parse(body.as_bytes());
        }
        return;
    }
    for time in 0..times as u64 {
        match task {
            "read PIDF" => drop(Presence::parse(PIDF, Reading::Strict)),
            "read categories" => drop(parse_report(CATEGORIES)),
            "read own data" => drop(parse_report(&own)),
            "write PIDF" => {
                out.clear();
                value.emit(&mut out);
            }
            "write categories" => {
                out.clear();
                report.emit(&mut out);
            }
            _ => {
                let now = start + Duration::from_secs(time * 1000);
                presence.answered(now, CallKey(time), Remote::Party);
                presence.ended(now, CallKey(time));
                presence.handle_timeout(now + Duration::from_mins(5));
                presence.handle_timeout(now + Duration::from_mins(10));
                while presence.poll_event().is_some() {}
            }
        }
    }
}

/// Runs this program again under callgrind; what it counted.
fn instructions(task: &str, times: usize) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "counted", "--test-threads=1"])
        .env(TASK, task)
        .env(TIMES, times.to_string())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected : "))?.1;
    collected.trim().parse().ok()
}

/// What callgrind counts; nothing when this program runs by itself.
#[test]
fn counted() {
    if let (Ok(task), Ok(times)) = (std::env::var(TASK), std::env::var(TIMES)) {
        perform(&task, times.parse().expect("a number"));
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn documents_and_changes_of_presence_stay_within_their_budgets_of_instructions() {
    let Some(before) = instructions("call, end, inactive, away", 0) else {
        println!("not counted: valgrind is not installed");
        return;
    };
    let mut over = Vec::new();
    for (task, budget) in BUDGETS {
        // What takes little is done more often: a program's own beginning and end vary by a few thousand.
        let rounds = if budget < 10_000 { 1000 } else { 10 };
        let after = instructions(task, rounds).expect("callgrind counted before");
        let each = after.saturating_sub(before) / rounds as u64;
        println!("{task}: {each} of {budget}");
        if cfg!(debug_assertions) && each > budget {
            over.push((task, each, budget));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}

/// XML that wants to be slow, of about so many octets.
fn hostile_body(kind: &str, size: usize) -> String {
    let mut text = String::from("<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'");
    match kind {
        "children" => {
            text.push('>');
            let mut at = 0;
            while text.len() < size {
                let _ = write!(text, "<tuple id='t{at}'><status/></tuple>");
                at += 1;
            }
        }
        "references" => {
            text.push_str("><note>");
            while text.len() < size {
                text.push_str("&amp;&#65;");
            }
        }
        "pieces" => {
            text.push_str("><note>");
            while text.len() < size {
                text.push_str("a<!---->b<![CDATA[]]>");
            }
        }
        "brackets" => {
            text.push_str("><note>");
            text.push_str(&"]]".repeat(size / 2));
        }
        "unended comment" => {
            text.push('>');
            text.push_str(&"<!-- - ".repeat(size / 7));
        }
        "quotes" => {
            text.push_str(" b='");
            text.push_str(&"\"\t".repeat(size / 2));
        }
        other => panic!("{other}"),
    }
    text
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn hostile_xml_of_twice_the_size_takes_twice_the_instructions() {
    const SIZE: usize = 8_000;
    let Some(before) = instructions("call, end, inactive, away", 0) else {
        println!("not counted: valgrind is not installed");
        return;
    };
    // Attributes, namespaces and depth are refused by limits long before: see the budgets of memory.
    for kind in ["children", "references", "pieces", "brackets", "unended comment", "quotes"] {
        let of = |size: usize| {
            let read = instructions(&format!("{kind}:{size}"), 1).expect("callgrind counted before");
            read.saturating_sub(before)
        };
        let (once, twice) = (of(SIZE), of(2 * SIZE));
        println!("{kind}: {once}, then {twice}");
        // Reading the octets and checking that they are text is linear; what a limit refuses early is less.
        assert!(twice <= once * 5 / 2 + 20_000, "{kind}: {once}, then {twice}");
        assert!(twice < 2 * SIZE as u64 * 1200, "{kind}: {twice} instructions for {} octets", 2 * SIZE);
    }
}
