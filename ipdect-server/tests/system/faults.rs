//! A front end that misbehaves: what the server makes of each fault, and that it finds back by itself.

use std::time::Duration;

use ipdect_sim::frontend;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;

use super::{SECOND, jim_calls_alice, nothing_left};
use crate::world::{JIM, Options, World};

const MINUTE: Duration = Duration::from_mins(1);

/// Jim dials Alice, whatever comes of it.
fn jim_dials(world: &mut World) {
    world.handset(JIM, &HandsetCommand::Dial("+14255550100".to_owned()));
}

/// All handsets are registered again by themselves, and a call works.
fn finds_back(world: &mut World) {
    world.faults(&[]);
    assert!(
        world.run_until(15 * MINUTE, |world| world.registered() == 2),
        "{:?}\n{:?}",
        world.status().handsets,
        world.logs
    );
    world.run(10 * SECOND);
    jim_calls_alice(world);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(20 * SECOND);
    nothing_left(world);
}

fn ended(world: &World) -> bool {
    let events = world.events_of(JIM);
    let last = events.iter().rev().find(|event| {
        matches!(event, HandsetEvent::Released { .. } | HandsetEvent::Connected | HandsetEvent::Proceeding)
    });
    matches!(last, Some(HandsetEvent::Released { .. }))
}

#[test]
fn refused_registrations_are_tried_again_and_the_reason_is_shown() {
    for (fault, status) in [("503=REGISTER", "503"), ("504=REGISTER", "504")] {
        let mut world = World::new(&Options::new());
        world.run(SECOND);
        world.faults(&[fault]);
        for ipei in [JIM, crate::world::ANN] {
            world.handset(ipei, &HandsetCommand::Subscribe(None));
        }
        world.run(MINUTE);
        assert_eq!(world.registered(), 0, "{fault}");
        let said = world.logs.iter().any(|(_, text)| text.contains(status));
        assert!(said, "{fault}: {:?}", world.logs);
        let tries = world
            .front_end_events
            .iter()
            .filter(|event| matches!(event, frontend::Event::Refused { method, .. } if method == "REGISTER"))
            .count();
        assert!((2..200).contains(&tries), "{fault}: {tries} tries in a minute");
        finds_back(&mut world);
    }
}

#[test]
fn calls_that_are_refused_or_dropped_end_and_leave_nothing() {
    for fault in ["503=INVITE", "504=INVITE", "drop=INVITE"] {
        let mut world = World::settled(&Options::new());
        world.faults(&[fault]);
        jim_dials(&mut world);
        assert!(world.run_until(MINUTE, ended), "{fault}: {:?}", world.events_of(JIM));
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(20 * SECOND);
        finds_back(&mut world);
    }
}

#[test]
fn a_hold_that_is_refused_is_told_and_the_call_goes_on() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.run(SECOND);
    world.faults(&["503=INVITE"]);
    world.handset(JIM, &HandsetCommand::Recall);
    world.run(10 * SECOND);
    assert_eq!(world.status().calls[0].state, "connected");
    let shown =
        |event: &&HandsetEvent| matches!(event, HandsetEvent::Display { text } if text == "Hold refused");
    assert!(world.events_of(JIM).iter().any(shown), "{:?}", world.events_of(JIM));
    world.faults(&[]);
    world.handset(JIM, &HandsetCommand::Recall);
    world.run(5 * SECOND);
    assert_eq!(world.status().calls[0].state, "held", "it may be tried again");
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(20 * SECOND);
    nothing_left(&world);
}

#[test]
fn a_front_end_that_answers_late_still_carries_calls() {
    let mut world = World::settled(&Options::new());
    world.faults(&["late=3"]);
    jim_dials(&mut world);
    let rings = |world: &World| {
        world.users[0].events.iter().any(|event| matches!(event, ipdect_sim::user::Event::Incoming { .. }))
    };
    assert!(world.run_until(MINUTE, rings), "{:?}", world.logs);
    world.user(0, |alice, now| alice.answer(now).expect("it rings"));
    let connected = |world: &World| world.events_of(JIM).contains(&&HandsetEvent::Connected);
    assert!(world.run_until(MINUTE, connected), "{:?}", world.events_of(JIM));
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(MINUTE);
    finds_back(&mut world);
}

#[test]
fn a_lost_route_does_not_keep_a_call_from_ending() {
    for fault in ["430=INVITE", "430=BYE"] {
        let mut world = World::settled(&Options::new());
        jim_calls_alice(&mut world);
        world.faults(&[fault]);
        world.handset(JIM, &HandsetCommand::Hold);
        world.run(10 * SECOND);
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(MINUTE);
        assert!(world.status().calls.is_empty(), "{fault}: {:?}", world.status().calls);
        assert!(world.front_end_events.iter().any(|event| matches!(event, frontend::Event::Fault { .. })));
        // Alice's side ends when hers does: she was never told.
        world.user(0, ipdect_sim::user::LyncUser::hang_up);
        world.run(MINUTE);
        finds_back(&mut world);
    }
}

#[test]
fn endpoints_that_are_deregistered_register_again() {
    let mut world = World::settled(&Options::new());
    world.faults(&["deregister=30"]);
    let gone = |world: &World| {
        world
            .front_end_events
            .iter()
            .any(|event| matches!(event, frontend::Event::Deregistered { reason: "deactivated", .. }))
    };
    assert!(world.run_until(2 * MINUTE, gone));
    world.run(10 * SECOND);
    finds_back(&mut world);
}

#[test]
fn a_redirect_to_the_same_server_is_no_endless_loop() {
    let mut world = World::new(&Options::new());
    world.run(SECOND);
    world.faults(&["redirect-loop"]);
    world.handset(JIM, &HandsetCommand::Subscribe(None));
    world.run(2 * MINUTE);
    let redirected = world
        .front_end_events
        .iter()
        .filter(|event| matches!(event, frontend::Event::Redirected { .. }))
        .count();
    assert!((1..20).contains(&redirected), "{redirected} redirections in two minutes");
    assert!(
        world.logs.iter().any(|(_, text)| text.contains("names another home server")),
        "{:?}",
        world.logs
    );
}

#[test]
fn a_connection_on_which_nobody_answers_is_given_up() {
    let mut world = World::settled(&Options::new());
    // What is open now is deaf at once.
    world.run(MINUTE);
    world.faults(&["half-open=30"]);
    jim_dials(&mut world);
    assert!(world.run_until(3 * MINUTE, ended), "{:?}", world.events_of(JIM));
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(15 * MINUTE);
    let connected = world.front_end_events.iter();
    let connected = connected.filter(|event| matches!(event, frontend::Event::Connected { .. })).count();
    assert!(connected > 4, "it connects anew: {:?}", world.logs);
    world.faults(&[]);
    assert!(world.run_until(15 * MINUTE, |world| world.registered() == 2), "{:?}", world.logs);
    nothing_left(&world);
}

#[test]
fn an_endpoint_that_the_front_end_does_not_know_registers_again_and_publishes() {
    let mut world = World::settled(&Options::new());
    world.front_end_events.clear();
    world.faults(&["481=SERVICE"]);
    jim_calls_alice(&mut world);
    world.run(20 * SECOND);
    let refused = |world: &World| {
        let faults = world.front_end_events.iter();
        faults
            .filter(|event| matches!(event, frontend::Event::Fault { fault, .. } if fault == "481=SERVICE"))
            .count()
    };
    let asked = refused(&world);
    assert!((4..20).contains(&asked), "{asked} requests of two users in 20 seconds");
    world.faults(&[]);
    let busy = |world: &World| super::seen_of_jim(world).contains(&Some(6500));
    assert!(world.run_until(MINUTE, busy), "{:?}", super::seen_of_jim(&world));
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(10 * SECOND);
    assert!(!busy(&world), "{:?}", super::seen_of_jim(&world));
    nothing_left(&world);
}

#[test]
fn a_version_conflict_is_mended_and_the_last_state_is_what_others_see() {
    let mut world = World::settled(&Options::new());
    world.faults(&["conflict"]);
    jim_calls_alice(&mut world);
    world.run(5 * SECOND);
    let conflicts = world
        .front_end_events
        .iter()
        .filter(|event| matches!(event, frontend::Event::Fault { fault, .. } if fault == "conflict"))
        .count();
    assert!((1..50).contains(&conflicts), "{conflicts} conflicts in a few seconds");
    world.faults(&[]);
    let busy = |world: &World| super::seen_of_jim(world).contains(&Some(6500));
    assert!(world.run_until(10 * MINUTE, busy), "{:?}", super::seen_of_jim(&world));
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(MINUTE);
    assert!(!busy(&world), "{:?}", super::seen_of_jim(&world));
    nothing_left(&world);
}
