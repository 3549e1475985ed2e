//! Two endpoints back to back: races, glare, lost flows, and random stories from printed seeds.

mod network;

use std::collections::BTreeMap;
use std::time::Duration;

use network::{ANSWER, OFFER, Pair, Side};
use sip_lync::invite::State;
use sip_lync::{EndReason, Event, Invite, Rendering, SessionId, StatusCode, Uri};

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn target(of: Side) -> Uri {
    let name = if of == Side::Left { "alice" } else { "bob" };
    Uri::parse(&format!("sip:{name}@example.net")).unwrap()
}

fn call(pair: &mut Pair, from: Side) -> SessionId {
    let now = pair.now;
    let node = pair.node(from);
    let session = node.endpoint.invite(now, node.user, Invite::new(target(from.other()), OFFER)).unwrap();
    pair.drain();
    session
}

fn incoming(pair: &mut Pair, side: Side) -> SessionId {
    match pair.event(side) {
        Event::Incoming { session, .. } => session,
        other => panic!("{other:?}"),
    }
}

fn answer(pair: &mut Pair, side: Side, session: SessionId) {
    let now = pair.now;
    pair.node(side).endpoint.answer(now, session, ANSWER);
    pair.drain();
}

fn established(pair: &mut Pair) -> (SessionId, SessionId) {
    let left = call(pair, Side::Left);
    pair.pass(SECOND);
    let right = incoming(pair, Side::Right);
    answer(pair, Side::Right, right);
    pair.pass(SECOND);
    assert!(matches!(pair.event(Side::Left), Event::Answered { .. }));
    assert!(matches!(pair.event(Side::Right), Event::Confirmed { .. }));
    pair.no_event();
    (left, right)
}

fn ended(pair: &mut Pair, side: Side) -> EndReason {
    match pair.event(side) {
        Event::Ended { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_rings_is_answered_held_retrieved_and_ended() {
    let mut pair = Pair::new(20 * MS);
    let left = call(&mut pair, Side::Left);
    pair.pass(SECOND);
    let right = incoming(&mut pair, Side::Right);
    let now = pair.now;
    pair.right.endpoint.ring(now, right, None);
    pair.pass(SECOND);
    assert!(matches!(pair.event(Side::Left), Event::Progress { .. }));
    answer(&mut pair, Side::Right, right);
    pair.pass(SECOND);
    match pair.event(Side::Left) {
        Event::Answered { description, .. } => assert_eq!(description.as_deref(), Some(ANSWER.as_bytes())),
        other => panic!("{other:?}"),
    }
    assert!(matches!(pair.event(Side::Right), Event::Confirmed { .. }));
    for rendering in [Rendering::No, Rendering::Yes] {
        let now = pair.now;
        pair.right.endpoint.reoffer(now, right, OFFER, rendering).unwrap();
        pair.pass(SECOND);
        match pair.event(Side::Left) {
            Event::Reoffered { rendering: told, .. } => assert_eq!(told, rendering),
            other => panic!("{other:?}"),
        }
        let now = pair.now;
        pair.left.endpoint.answer_reoffer(now, left, ANSWER);
        pair.pass(SECOND);
        assert!(matches!(pair.event(Side::Right), Event::ReofferAnswered { .. }));
    }
    pair.hang_up(Side::Left, left);
    pair.pass(SECOND);
    assert_eq!(ended(&mut pair, Side::Left), EndReason::Local);
    assert_eq!(ended(&mut pair, Side::Right), EndReason::PeerBye);
    pair.no_event();
    assert_eq!(pair.sessions(), (0, 0));
}

#[test]
fn answer_and_cancel_may_cross_at_any_moment_and_both_sides_end() {
    for lead in 0..12_u32 {
        for latency in [5 * MS, 40 * MS, 300 * MS] {
            let mut pair = Pair::new(latency);
            let left = call(&mut pair, Side::Left);
            pair.pass(2 * SECOND);
            let right = incoming(&mut pair, Side::Right);
            let now = pair.now;
            pair.right.endpoint.ring(now, right, None);
            pair.pass(2 * SECOND);
            assert!(matches!(pair.event(Side::Left), Event::Progress { .. }));
            // The answer leaves while the CANCEL is on its way, or the other way round.
            if lead < 6 {
                answer(&mut pair, Side::Right, right);
                pair.pass(latency * lead / 4);
                pair.hang_up(Side::Left, left);
            } else {
                pair.hang_up(Side::Left, left);
                pair.pass(latency * (lead - 6) / 4);
                answer(&mut pair, Side::Right, right);
            }
            pair.pass(40 * SECOND);
            assert_eq!(pair.sessions(), (0, 0), "{lead} {latency:?}\n{}", pair.ladder.join("\n"));
            let last = |pair: &mut Pair, side| {
                let events = std::mem::take(&mut pair.node(side).events);
                let ends = events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
                assert_eq!(ends, 1, "{side:?} {lead} {latency:?}: {events:?}");
                assert!(matches!(events.back(), Some(Event::Ended { .. })));
            };
            last(&mut pair, Side::Left);
            last(&mut pair, Side::Right);
        }
    }
}

#[test]
fn both_offer_at_once_and_one_of_them_succeeds_at_last() {
    let mut pair = Pair::new(50 * MS);
    let (left, right) = established(&mut pair);
    let now = pair.now;
    pair.left.endpoint.reoffer(now, left, OFFER, Rendering::No).unwrap();
    pair.right.endpoint.reoffer(now, right, OFFER, Rendering::No).unwrap();
    pair.pass(200 * MS);
    assert_eq!(pair.left.endpoint.session(left), State::ReinviteBackoff, "{}", pair.ladder.join("\n"));
    assert_eq!(pair.ladder.iter().filter(|line| line.contains("491")).count(), 2);
    // Bob, who was called, waits less and comes first; Alice gives way and is told.
    let mut answered = 0;
    let mut refused = 0;
    for _ in 0..50 {
        pair.pass(100 * MS);
        for side in Side::BOTH {
            while let Some(event) = pair.node(side).events.pop_front() {
                let now = pair.now;
                let session = if side == Side::Left { left } else { right };
                match event {
                    Event::Reoffered { .. } => pair.node(side).endpoint.answer_reoffer(now, session, ANSWER),
                    Event::ReofferAnswered { .. } => answered += 1,
                    Event::ReofferRefused { status: None, .. } => refused += 1,
                    other => panic!("{other:?}"),
                }
                pair.drain();
            }
        }
    }
    assert!((answered, refused) == (1, 1) || (answered, refused) == (2, 0), "{answered} {refused}");
    assert_eq!(pair.left.endpoint.session(left), State::Established);
    assert_eq!(pair.right.endpoint.session(right), State::Established);
    pair.hang_up(Side::Right, right);
    pair.pass(SECOND);
    assert_eq!(pair.sessions(), (0, 0));
}

#[test]
fn both_hang_up_at_once() {
    let mut pair = Pair::new(50 * MS);
    let (left, right) = established(&mut pair);
    pair.hang_up(Side::Left, left);
    pair.hang_up(Side::Right, right);
    pair.pass(SECOND);
    assert_eq!(ended(&mut pair, Side::Left), EndReason::Local);
    assert_eq!(ended(&mut pair, Side::Right), EndReason::Local);
    assert_eq!(pair.sessions(), (0, 0));
}

#[test]
fn a_lost_flow_ends_the_call_on_both_sides_and_a_second_flow_saves_it() {
    let mut pair = Pair::new(20 * MS);
    established(&mut pair);
    let flow = pair.flows[0];
    pair.cut(flow);
    assert_eq!(ended(&mut pair, Side::Left), EndReason::FlowLost);
    assert_eq!(ended(&mut pair, Side::Right), EndReason::FlowLost);
    assert_eq!(pair.sessions(), (0, 0));

    pair.open();
    let (left, _) = established(&mut pair);
    let old = pair.flows[0];
    pair.open();
    pair.cut(old);
    pair.no_event();
    pair.hang_up(Side::Left, left);
    pair.pass(SECOND);
    assert_eq!(ended(&mut pair, Side::Left), EndReason::Local);
    assert_eq!(ended(&mut pair, Side::Right), EndReason::PeerBye);
}

#[test]
fn a_refused_call_fails_with_the_status_of_the_callee() {
    let mut pair = Pair::new(20 * MS);
    call(&mut pair, Side::Right);
    pair.pass(SECOND);
    let session = incoming(&mut pair, Side::Left);
    let now = pair.now;
    pair.left.endpoint.reject(now, session, StatusCode::BUSY_HERE);
    pair.pass(SECOND);
    assert!(matches!(pair.event(Side::Left), Event::Ended { reason: EndReason::Local, .. }));
    match pair.event(Side::Right) {
        Event::Failed { failure, .. } => assert_eq!(failure.status, Some(StatusCode::BUSY_HERE)),
        other => panic!("{other:?}"),
    }
    assert_eq!(pair.sessions(), (0, 0));
}

/// A sequence of numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// What the story knows of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Open,
    Over,
}

fn react(pair: &mut Pair, dice: &mut Dice, known: &mut BTreeMap<(Side, SessionId), Seen>, seed: u64) {
    for side in Side::BOTH {
        while let Some(event) = pair.node(side).events.pop_front() {
            let now = pair.now;
            let endpoint = &mut pair.node(side).endpoint;
            let (session, over) = match event {
                Event::Incoming { session, .. } => {
                    match dice.roll(5) {
                        0 => endpoint.answer(now, session, ANSWER),
                        1 => endpoint.reject(now, session, StatusCode::BUSY_HERE),
                        2 | 3 => endpoint.ring(now, session, Some(ANSWER.into())),
                        _ => {}
                    }
                    (session, false)
                }
                Event::Answered { session, answer_due, .. } => {
                    if answer_due {
                        endpoint.answer_reoffer(now, session, ANSWER);
                    }
                    (session, false)
                }
                Event::Reoffered { session, .. } => {
                    match dice.roll(4) {
                        0 => endpoint.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE),
                        1 => {}
                        _ => endpoint.answer_reoffer(now, session, ANSWER),
                    }
                    (session, false)
                }
                Event::EarlyOffer { session, fork, .. } => {
                    match dice.roll(4) {
                        0 => endpoint.reject_early(now, session, fork, StatusCode::NOT_ACCEPTABLE_HERE),
                        1 => {}
                        _ => endpoint.answer_early(now, session, fork, ANSWER),
                    }
                    (session, false)
                }
                Event::Progress { session, .. }
                | Event::EarlyAnswer { session, .. }
                | Event::EarlyOfferRefused { session, .. }
                | Event::Confirmed { session, .. }
                | Event::ReofferWithdrawn { session }
                | Event::ReofferAnswered { session, .. }
                | Event::ReofferRefused { session, .. } => (session, false),
                Event::Failed { session, .. } | Event::Ended { session, .. } => (session, true),
                other => panic!("seed {seed}: {other:?}"),
            };
            let seen = known.entry((side, session)).or_insert(Seen::Open);
            assert_eq!(*seen, Seen::Open, "seed {seed}: an event after the end of {side:?} {session:?}");
            if over {
                *seen = Seen::Over;
            }
            pair.drain();
        }
    }
}

/// One random story; at its end everybody hangs up and nothing may be left.
fn story(seed: u64) -> Vec<String> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut pair = Pair::new(dice.roll(300) as u32 * MS);
    let mut known: BTreeMap<(Side, SessionId), Seen> = BTreeMap::new();
    for _ in 0..40 {
        let side = Side::BOTH[dice.roll(2) as usize];
        let open: Vec<SessionId> = known
            .iter()
            .filter(|((of, _), seen)| *of == side && **seen == Seen::Open)
            .map(|((_, id), _)| *id)
            .collect();
        let chosen = (!open.is_empty()).then(|| open[dice.roll(open.len() as u64) as usize]);
        let now = pair.now;
        match (dice.roll(12), chosen) {
            (0..=2, _) => {
                let node = pair.node(side);
                let target = target(side.other());
                let invite = if dice.roll(4) == 0 {
                    Invite::without_offer(target)
                } else {
                    Invite::new(target, OFFER)
                };
                if let Ok(session) = node.endpoint.invite(now, node.user, invite) {
                    known.insert((side, session), Seen::Open);
                }
            }
            (3, Some(session)) => pair.node(side).endpoint.hang_up(now, session),
            (4 | 5, Some(session)) => pair.node(side).endpoint.answer(now, session, ANSWER),
            (6 | 7, Some(session)) => {
                let _ = pair.node(side).endpoint.reoffer(now, session, OFFER, Rendering::No);
            }
            (8, Some(session)) => pair.node(side).endpoint.answer_reoffer(now, session, ANSWER),
            (9, _) => {
                let latency = dice.roll(500) as u32 * MS;
                pair.latency.insert(side, latency);
            }
            (10, _) if dice.roll(3) == 0 => {
                let old = pair.flows[0];
                // Sometimes the new flow stands before the old one breaks.
                if dice.roll(2) == 0 {
                    pair.open();
                    pair.cut(old);
                } else {
                    pair.cut(old);
                    pair.open();
                }
            }
            _ => {}
        }
        pair.pass(dice.roll(800) as u32 * MS);
        react(&mut pair, &mut dice, &mut known, seed);
    }
    for ((side, session), seen) in known.clone() {
        if seen == Seen::Open {
            pair.hang_up(side, session);
        }
    }
    for _ in 0..60 {
        pair.pass(2 * SECOND);
        react(&mut pair, &mut dice, &mut known, seed);
        // A call that was on its way when everybody hung up.
        for ((side, session), seen) in known.clone() {
            if seen == Seen::Open {
                pair.hang_up(side, session);
            }
        }
    }
    let ladder = pair.ladder.join("\n");
    assert_eq!(pair.sessions(), (0, 0), "seed {seed}: sessions are left\n{ladder}");
    for (key, seen) in &known {
        assert_eq!(*seen, Seen::Over, "seed {seed}: {key:?} never ended\n{ladder}");
    }
    for side in Side::BOTH {
        let load = pair.node(side).endpoint.state();
        assert_eq!(
            (load.client_transactions, load.server_transactions),
            (0, 0),
            "seed {seed} {side:?}\n{ladder}"
        );
    }
    pair.ladder
}

#[test]
fn random_stories_leave_nothing_behind() {
    for seed in 1..=1000 {
        story(seed);
    }
}

#[test]
fn a_story_is_the_same_every_time() {
    assert_eq!(story(77), story(77));
    assert_ne!(story(77), story(78));
}
