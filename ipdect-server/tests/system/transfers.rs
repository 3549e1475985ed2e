//! Transfers in every direction, and a handset with two calls.

use ipdect_server::core::vocabulary::StoreWrite;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::user;

use super::world::{ANN, JIM, Options, World};
use super::{ALICE, SECOND, alice_calls_jim, heard, jim_calls_alice, nothing_left, tail, voice};

const BOB: usize = 1;
const BOBS_NUMBER: &str = "+14255550101";

fn rings(world: &World, user: usize) -> bool {
    world.users[user].events.iter().any(|event| matches!(event, user::Event::Incoming { .. }))
}

fn transfer_of(world: &World, user: usize) -> Option<u16> {
    world.users[user].events.iter().find_map(|event| match event {
        user::Event::Transferred { status, .. } => *status,
        _ => None,
    })
}

fn shows(world: &World, ipei: &str, words: &str) -> bool {
    let told =
        |event: &&HandsetEvent| matches!(event, HandsetEvent::Display { text } if text.contains(words));
    world.events_of(ipei).iter().any(told)
}

/// The handset and a user speak for three seconds; what they said is looked for when they have hung up.
fn talk(world: &mut World, ipei: &str, user: usize, number: u32) -> [Vec<i16>; 2] {
    let spoken = [voice(number, 3), voice(number + 1, 3)];
    world.handset_speaks(ipei, &spoken[0]);
    world.user_speaks(user, &spoken[1]);
    world.run(4 * SECOND);
    spoken
}

/// Both heard what the other one said last.
fn understood(world: &World, ipei: &str, user: usize, spoken: &[Vec<i16>; 2]) {
    let there = heard(&spoken[0], tail(&world.users[user].recorded, 4));
    let ipei = ipei.parse().expect("an IPEI");
    let here = heard(&spoken[1], tail(&world.recorded[&ipei], 4));
    assert!(there > 0.9 && here > 0.9, "the user hears {there}, the handset {here}");
}

#[test]
fn a_lync_user_sends_the_handset_on_to_somebody_else() {
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    world.user(ALICE, |alice, now| alice.transfer(now, "sip:bob@example.net").expect("a call"));
    assert!(world.run_until(10 * SECOND, |world| rings(world, BOB)), "{:?}", world.logs);
    assert!(shows(&world, JIM, "Transferring"));
    world.user(BOB, |bob, now| bob.answer(now).expect("a call that rings"));
    world.run(2 * SECOND);
    assert_eq!(transfer_of(&world, ALICE), Some(200), "{:?}", world.users[ALICE].events);
    assert!(!world.users[ALICE].machine.has_call());
    assert!(shows(&world, JIM, "bob"), "{:?}", world.events_of(JIM));
    let spoken = talk(&mut world, JIM, BOB, 1);
    assert_eq!(world.status().calls.len(), 1);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(40 * SECOND);
    let answered = world
        .stored
        .iter()
        .filter(|write| matches!(write, StoreWrite::Call(record) if record.outcome == "answered"));
    assert_eq!(answered.count(), 2, "one record for each party");
    understood(&world, JIM, BOB, &spoken);
    nothing_left(&world);
}

#[test]
fn when_the_other_one_is_busy_the_handset_is_back_with_who_sent_it() {
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    world.user(ALICE, |alice, now| alice.transfer(now, "sip:bob@example.net").expect("a call"));
    assert!(world.run_until(10 * SECOND, |world| rings(world, BOB)), "{:?}", world.logs);
    world.user(BOB, |bob, now| bob.reject(now, sip_lync::StatusCode::BUSY_HERE).expect("a call that rings"));
    world.run(2 * SECOND);
    assert_eq!(transfer_of(&world, ALICE), Some(486), "{:?}", world.users[ALICE].events);
    assert!(shows(&world, JIM, "Busy"));
    let spoken = talk(&mut world, JIM, ALICE, 3);
    world.user(ALICE, user::LyncUser::hang_up);
    world.run(40 * SECOND);
    understood(&world, JIM, ALICE, &spoken);
    nothing_left(&world);
}

#[test]
fn a_handset_that_hangs_up_while_it_is_sent_on_ends_everything() {
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    world.user(ALICE, |alice, now| alice.transfer(now, "sip:bob@example.net").expect("a call"));
    assert!(world.run_until(10 * SECOND, |world| rings(world, BOB)), "{:?}", world.logs);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(40 * SECOND);
    assert!(!world.users[ALICE].machine.has_call() && !world.users[BOB].machine.has_call());
    nothing_left(&world);
}

#[test]
fn a_handset_sends_its_peer_to_a_number() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::Transfer(Some(BOBS_NUMBER.to_owned())));
    assert!(
        world.run_until(10 * SECOND, |world| rings(world, BOB)),
        "{:?}\n{:?}",
        world.logs,
        world.events_of(JIM)
    );
    world.user(BOB, |bob, now| bob.answer(now).expect("a call that rings"));
    world.run(3 * SECOND);
    assert!(
        world.events_of(JIM).iter().any(|event| matches!(event, HandsetEvent::Released { .. })),
        "{:?}",
        world.events_of(JIM)
    );
    assert!(world.users[ALICE].machine.has_call() && world.users[BOB].machine.has_call());
    let spoken = voice(5, 3);
    world.user_speaks(ALICE, &spoken);
    world.run(4 * SECOND);
    world.user(BOB, user::LyncUser::hang_up);
    world.run(40 * SECOND);
    assert!(heard(&spoken, tail(&world.users[BOB].recorded, 4)) > 0.9);
    nothing_left(&world);
}

#[test]
fn a_handset_may_hang_up_at_once_and_the_transfer_goes_on() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::Transfer(Some(BOBS_NUMBER.to_owned())));
    world.handset(JIM, &HandsetCommand::HangUp);
    assert!(
        world.run_until(10 * SECOND, |world| rings(world, BOB)),
        "{:?}\n{:?}",
        world.logs,
        world.events_of(JIM)
    );
    world.user(BOB, |bob, now| bob.answer(now).expect("a call that rings"));
    world.run(3 * SECOND);
    assert!(world.users[ALICE].machine.has_call() && world.users[BOB].machine.has_call());
    world.run(40 * SECOND);
    nothing_left(&world);
}

/// Jim talks with Alice, holds her, calls Ann, who answers.
fn jim_consults_ann(world: &mut World) {
    jim_calls_alice(world);
    world.handset(JIM, &HandsetCommand::Keys("\u{1c}\u{15}+14255550201".to_owned()));
    let rings =
        |world: &World| world.events_of(ANN).iter().any(|event| matches!(event, HandsetEvent::Ring { .. }));
    assert!(world.run_until(10 * SECOND, rings), "{:?}\n{:?}", world.logs, world.events_of(JIM));
    world.handset(ANN, &HandsetCommand::Answer);
    world.run(2 * SECOND);
    assert_eq!(world.status().calls.len(), 3, "{:?}", world.status().calls);
}

#[test]
fn a_handset_asks_another_handset_first_and_then_joins_both_parties() {
    let mut world = World::settled(&Options::new());
    jim_consults_ann(&mut world);
    let spoken = voice(6, 3);
    world.handset_speaks(JIM, &spoken);
    world.run(4 * SECOND);
    world.handset(JIM, &HandsetCommand::Transfer(None));
    world.run(5 * SECOND);
    assert!(
        world.events_of(JIM).iter().any(|event| matches!(event, HandsetEvent::Released { .. })),
        "{:?}\n{:?}",
        world.events_of(JIM),
        world.logs
    );
    assert!(world.users[ALICE].machine.has_call());
    // Ann never rang again: the call with Alice took the place of the one with Jim.
    let rang = world.events_of(ANN).iter().filter(|event| matches!(event, HandsetEvent::Ring { .. })).count();
    assert_eq!(rang, 1);
    let spoken = talk(&mut world, ANN, ALICE, 7);
    world.handset(ANN, &HandsetCommand::HangUp);
    world.run(40 * SECOND);
    understood(&world, ANN, ALICE, &spoken);
    nothing_left(&world);
}

#[test]
fn a_handset_goes_from_one_call_to_the_other_and_back() {
    let mut world = World::settled(&Options::new());
    jim_consults_ann(&mut world);
    world.handset(JIM, &HandsetCommand::Keys("\u{1c}1".to_owned()));
    world.run(2 * SECOND);
    talk(&mut world, JIM, ALICE, 1);
    world.handset(JIM, &HandsetCommand::Keys("\u{1c}1".to_owned()));
    world.run(2 * SECOND);
    // Ann hangs up: Jim is back with Alice, who is held until he resumes.
    world.handset(ANN, &HandsetCommand::HangUp);
    world.run(2 * SECOND);
    assert_eq!(world.status().calls[0].state, "held");
    world.handset(JIM, &HandsetCommand::Keys("\u{1c}B".to_owned()));
    world.run(2 * SECOND);
    let spoken = talk(&mut world, JIM, ALICE, 3);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(40 * SECOND);
    understood(&world, JIM, ALICE, &spoken);
    assert!(!world.users[ALICE].machine.has_call());
    nothing_left(&world);
}

#[test]
fn a_second_call_that_is_refused_brings_the_handset_back() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::Keys("\u{1c}\u{15}+14255559999".to_owned()));
    world.run(3 * SECOND);
    assert!(shows(&world, JIM, "Number unknown"), "{:?}", world.events_of(JIM));
    assert_eq!(world.status().calls.len(), 1);
    world.handset(JIM, &HandsetCommand::Hold);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(40 * SECOND);
    nothing_left(&world);
}
