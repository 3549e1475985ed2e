//! Presence: documents to typed, checked values and back, beside XML of other hands; and a million users whose timers run.
//!
//! `floor` of reading looks at every octet for markup, `floor` of writing copies a ready document.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::turns::Turns;
use bytes::BytesMut;
use presence_pidf::category::{CategoryInstance, CategoryReport, StateCategory, parse_report};
use presence_pidf::pidf::{Presence, Reading};
use presence_pidf::{Activity, CallKey, HandsetPresence, PresenceConfig, Remote};

#[cfg(feature = "presence-peers")]
#[path = "../peers/presence.rs"]
mod peers;

#[cfg(not(feature = "presence-peers"))]
mod peers {
    use benches::turns::Turns;

    pub(crate) fn reading<'a>(turns: Turns<'a>, _: &'a str, _: bool) -> Turns<'a> {
        turns
    }

    pub(crate) fn writing<'a>(turns: Turns<'a>, _: &'a str, _: bool) -> Turns<'a> {
        turns
    }
}

const PIDF: &str = include_str!("../../presence-pidf/tests/vectors/pidf-rpid.xml");
const CATEGORIES: &str = include_str!("../../presence-pidf/tests/vectors/lync-categories.xml");

fn markup(body: &str) -> usize {
    body.bytes().filter(|octet| matches!(octet, b'<' | b'>' | b'"')).count()
}

fn pidf() {
    let turns = Turns::new("PIDF (1.9 kB) to a typed, checked value")
        .each("ours", || {
            drop(black_box(Presence::parse(black_box(PIDF).as_bytes(), Reading::Strict).expect("good")));
        })
        .each("floor: every octet", || {
            black_box(markup(black_box(PIDF)));
        });
    peers::reading(turns, PIDF, true).finish();
    let value = Presence::parse(PIDF.as_bytes(), Reading::Strict).expect("good");
    let mut out = BytesMut::with_capacity(8192);
    let mut copy = BytesMut::with_capacity(8192);
    let turns = Turns::new("typed value to PIDF")
        .each("ours", || {
            out.clear();
            value.emit(&mut out);
            black_box(&out);
        })
        .each("floor: copy", || {
            copy.clear();
            copy.extend_from_slice(black_box(PIDF).as_bytes());
            black_box(&copy);
        });
    peers::writing(turns, PIDF, true).finish();
}

fn categories() {
    let turns = Turns::new("categories (2.3 kB) to typed values")
        .each("ours", || drop(black_box(parse_report(black_box(CATEGORIES).as_bytes()).expect("good"))))
        .each("floor: every octet", || {
            black_box(markup(black_box(CATEGORIES)));
        });
    peers::reading(turns, CATEGORIES, false).finish();
    let value = parse_report(CATEGORIES.as_bytes()).expect("good");
    let mut out = BytesMut::with_capacity(8192);
    let turns = Turns::new("typed values to categories").each("ours", || {
        out.clear();
        value.emit(&mut out);
        black_box(&out);
    });
    peers::writing(turns, CATEGORIES, false).finish();
}

fn roaming_self() {
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
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    let body = text.as_str();
    let turns = Turns::new("a user's own data of 40 categories to typed values")
        .each("ours", || drop(black_box(parse_report(black_box(body).as_bytes()).expect("good"))))
        .each("floor: every octet", || {
            black_box(markup(black_box(body)));
        });
    let turns = turns;
    turns.finish();
}

/// What happens to one of many users.
type Act<'a> = &'a dyn Fn(u32, &mut HandsetPresence);

/// A million users: each has had a call, all become inactive within one second, then away within one second. The smallest
/// times of a few rounds, each of which begins with users who never had a call.
fn users() {
    const USERS: u32 = 1_000_000;
    const ROUNDS: usize = 5;
    let now = Instant::now();
    let all: Vec<HandsetPresence> =
        (0..USERS).map(|_| HandsetPresence::new(now, PresenceConfig::new())).collect();
    println!("{} octets for one user", size_of::<HandsetPresence>());
    let second = |at: u32| now + Duration::from_micros(u64::from(at));
    let per_user = |all: &mut Vec<HandsetPresence>, act: Act<'_>| {
        let start = Instant::now();
        for (at, user) in (0..).zip(all.iter_mut()) {
            act(at, user);
            while let Some(event) = user.poll_event() {
                let _ = black_box(event);
            }
        }
        start.elapsed() / USERS
    };
    let acts: [(&str, Act<'_>); 4] = [
        ("answered", &|at, user| user.answered(second(at), CallKey(1), Remote::Party)),
        ("ended", &|at, user| user.ended(second(at), CallKey(1))),
        ("inactive", &|at, user| user.handle_timeout(second(at) + Duration::from_mins(5))),
        ("away", &|at, user| user.handle_timeout(second(at) + Duration::from_mins(10))),
    ];
    let mut smallest = [Duration::MAX; 4];
    for _ in 0..ROUNDS {
        let mut users = all.clone();
        for (smallest, (_, act)) in smallest.iter_mut().zip(acts) {
            *smallest = per_user(&mut users, act).min(*smallest);
        }
    }
    print!("1,000,000 users, each:");
    for ((name, _), smallest) in acts.iter().zip(smallest) {
        print!(" {name} {smallest:?}");
    }
    println!();
}

fn main() {
    pidf();
    categories();
    roaming_self();
    users();
}
