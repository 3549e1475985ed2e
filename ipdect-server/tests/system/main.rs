//! The whole product in virtual time: front end, users, base stations, handsets and the server, deterministically.

mod faults;
mod handsets;
mod ice;
mod proxies;
mod transfers;
mod world;

use std::time::Duration;

use ipdect_server::core::node::Load;
use ipdect_server::core::vocabulary::{Command, StoreWrite};
use ipdect_sim::frontend;
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::user::{self, LyncUser, Side};
use sip_lync::StatusCode;
use telephony_audio::correlation::audio_match;

use world::{ANN, JIM, Options, PIN, World, configuration};

const SECOND: Duration = Duration::from_secs(1);
const ALICE: usize = 0;

/// Something that resembles speech, different for each voice.
fn voice(number: u32, seconds: usize) -> Vec<i16> {
    let mut phase = 0.0f64;
    (0..seconds * 8000)
        .map(|place| {
            let time = place as f64 / 8000.0;
            let pitch = 180.0 + f64::from(number) * 57.0 + 90.0 * (time * (1.3 + f64::from(number))).sin();
            phase += std::f64::consts::TAU * pitch / 8000.0;
            let syllable = 0.5 + 0.5 * (time * 9.0 + f64::from(number)).sin();
            ((phase.sin() + 0.5 * (phase * 3.0).sin()) * syllable * 7000.0) as i16
        })
        .collect()
}

fn dial(number: &str) -> HandsetCommand {
    HandsetCommand::Dial(number.to_owned())
}

/// How well what was spoken is heard in a recording that began earlier.
fn heard(spoken: &[i16], recorded: &[i16]) -> f64 {
    let begin = recorded.iter().position(|sample| sample.unsigned_abs() > 300).unwrap_or(0);
    audio_match(spoken, &recorded[begin.saturating_sub(400)..])
}

/// Jim calls Alice and she answers.
fn jim_calls_alice(world: &mut World) {
    let incoming = |world: &World| {
        let events = world.users[ALICE].events.iter();
        events.filter(|event| matches!(event, user::Event::Incoming { .. })).count()
    };
    let before = incoming(world);
    world.handset(JIM, &dial("+14255550100"));
    assert!(
        world.run_until(10 * SECOND, |world| incoming(world) > before),
        "{:?}\n{:?}",
        world.logs,
        world.front_end_events
    );
    world.user(ALICE, |alice, now| alice.answer(now).expect("a call that rings"));
    world.run(SECOND);
    assert!(world.events_of(JIM).contains(&&HandsetEvent::Connected), "{:?}", world.events_of(JIM));
}

fn user_calls(world: &mut World, user: usize, target: &str) {
    world.user(user, |machine, now| {
        machine.call(now, target).expect("a call");
    });
}

/// Alice calls Jim and he answers.
fn alice_calls_jim(world: &mut World) {
    let rings = |world: &World| {
        world.events_of(JIM).iter().filter(|event| matches!(event, HandsetEvent::Ring { .. })).count()
    };
    let before = rings(world);
    user_calls(world, ALICE, "sip:jim@example.net");
    assert!(
        world.run_until(10 * SECOND, |world| rings(world) > before),
        "{:?}\n{:?}",
        world.logs,
        world.front_end_events
    );
    world.handset(JIM, &HandsetCommand::Answer);
    world.run(SECOND);
}

fn released(world: &World, user: usize) -> Option<(Option<u16>, String)> {
    world.users[user].events.iter().rev().find_map(|event| match event {
        user::Event::Released { status, reason, .. } => Some((*status, reason.clone())),
        _ => None,
    })
}

fn nothing_left(world: &World) {
    assert_eq!(world.load(), Load::default(), "{:?}", world.logs);
    assert!(world.status().calls.is_empty());
}

#[test]
fn handsets_subscribe_on_air_and_register() {
    let world = World::settled(&Options::new());
    assert_eq!(world.registered(), 2, "{:?}\n{:?}", world.logs, world.handset_events);
    for ipei in [JIM, ANN] {
        let events = world.events_of(ipei);
        assert!(events.iter().any(|event| matches!(event, HandsetEvent::Subscribed { .. })), "{events:?}");
        assert!(events.contains(&&HandsetEvent::Located), "{events:?}");
    }
    let status = world.status();
    let jim = &status.handsets[0];
    assert_eq!((jim.state.as_str(), jim.presence.as_str()), ("registered", "Away"));
    assert!(jim.gruu.as_deref().is_some_and(|gruu| gruu.contains("opaque=user:epid:")), "{:?}", jim.gruu);
    let kept = world.stored.iter().filter(|write| matches!(write, StoreWrite::Subscription(_))).count();
    assert_eq!(kept, 2, "subscriptions outlive a restart");
    nothing_left(&world);
}

#[test]
fn a_handset_calls_a_lync_user_and_both_hear_each_other() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    let (from_jim, from_alice) = (voice(1, 3), voice(2, 3));
    world.handset_speaks(JIM, &from_jim);
    world.user_speaks(ALICE, &from_alice);
    world.run(4 * SECOND);
    let status = world.status();
    let call = &status.calls[0];
    assert_eq!(
        (call.direction.as_str(), call.state.as_str(), call.codec.as_str(), call.srtp.as_deref()),
        ("handset-to-lync", "connected", "PCMA", Some("AES_CM_128_HMAC_SHA1_80"))
    );
    assert_eq!(status.channels.in_use, 1);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(2 * SECOND);
    let heard_by_alice = heard(&from_jim, &world.users[ALICE].recorded);
    let heard_by_jim = heard(&from_alice, world.recorded.values().next().expect("a recording"));
    assert!(heard_by_alice > 0.9 && heard_by_jim > 0.9, "{heard_by_alice} {heard_by_jim}");
    assert!(heard(&from_alice, &world.users[ALICE].recorded) < 0.5, "nobody hears himself");
    assert!(released(&world, ALICE).is_some());
    world.run(10 * SECOND);
    nothing_left(&world);
    let lengths: Vec<usize> = world.bearer_lengths.iter().copied().collect();
    assert_eq!(lengths, [12 + 80 + 10], "speech between base station and server is SRTP, all of it");
    let counters = world.counters[0];
    assert!(counters.network_refused == 0 && counters.network_received > 150, "{counters:?}");
    let record = world.stored.iter().find_map(|write| match write {
        StoreWrite::Call(record) => Some(record),
        _ => None,
    });
    let record = record.expect("a call record");
    assert_eq!((record.outcome, record.srtp.as_deref()), ("answered", Some("AES_CM_128_HMAC_SHA1_80")));
    assert!(record.peer.contains("+14255550100"), "{record:?}");
}

#[test]
fn a_lync_user_calls_a_handset_and_is_shown_with_name() {
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    let name = world.events_of(JIM).iter().find_map(|event| match event {
        HandsetEvent::Ring { name, .. } => name.clone(),
        _ => None,
    });
    assert_eq!(name.as_deref(), Some("User alice"));
    assert!(world.users[ALICE].events.iter().any(|event| matches!(event, user::Event::Ringing { .. })));
    let (from_jim, from_alice) = (voice(3, 3), voice(4, 3));
    world.handset_speaks(JIM, &from_jim);
    world.user_speaks(ALICE, &from_alice);
    world.run(4 * SECOND);
    world.user(ALICE, LyncUser::hang_up);
    world.run(12 * SECOND);
    assert!(heard(&from_jim, &world.users[ALICE].recorded) > 0.9);
    assert!(heard(&from_alice, world.recorded.values().next().expect("a recording")) > 0.9);
    nothing_left(&world);
}

#[test]
fn overlap_digits_end_after_a_pause() {
    let mut world = World::settled(&Options::new());
    world.handset(JIM, &HandsetCommand::OffHook);
    world.run(SECOND);
    for digit in ["+1425", "555", "0100"] {
        world.handset(JIM, &HandsetCommand::Keys(digit.to_owned()));
        world.run(2 * SECOND);
    }
    assert!(world.users[ALICE].events.iter().all(|event| !matches!(event, user::Event::Incoming { .. })));
    world.run(5 * SECOND);
    assert!(world.users[ALICE].events.iter().any(|event| matches!(event, user::Event::Incoming { .. })));
}

#[test]
fn hold_and_retrieve_by_the_handset() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::Hold);
    world.run(SECOND);
    let held = |world: &World, wanted: Side| {
        world.users[ALICE]
            .events
            .iter()
            .any(|event| matches!(event, user::Event::Held { by, .. } if *by == wanted))
    };
    assert!(held(&world, Side::Them), "{:?}", world.users[ALICE].events);
    assert_eq!(world.status().calls[0].state, "held");
    // Nothing is heard while the call is held.
    let unheard = voice(5, 2);
    world.user_speaks(ALICE, &unheard);
    world.run(3 * SECOND);
    world.handset(JIM, &HandsetCommand::Retrieve);
    world.run(SECOND);
    assert_eq!(world.status().calls[0].state, "connected");
    let after = voice(6, 3);
    world.handset_speaks(JIM, &after);
    world.run(4 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    let quality = heard(&after, tail(&world.users[ALICE].recorded, 5));
    assert!(quality > 0.9, "the same keys go on after the hold: {quality}");
    assert!(audio_match(&unheard, world.recorded.values().next().expect("a recording")) < 0.5);
    nothing_left(&world);
}

fn tail(samples: &[i16], seconds: usize) -> &[i16] {
    samples.get(samples.len().saturating_sub(seconds * 8000)..).unwrap_or(samples)
}

#[test]
fn the_hold_key_pressed_in_haste_counts_as_often_as_it_was_pressed() {
    for presses in 1..=6 {
        let mut world = World::settled(&Options::new());
        jim_calls_alice(&mut world);
        for _ in 0..presses {
            world.handset(JIM, &HandsetCommand::Recall);
            world.run(Duration::from_millis(4));
        }
        world.run(5 * SECOND);
        let expected = if presses % 2 == 1 { "held" } else { "connected" };
        assert_eq!(world.status().calls[0].state, expected, "{presses} presses");
    }
}

#[test]
fn a_hold_of_the_handset_that_meets_one_of_the_peer_is_done_all_the_same() {
    let display = |world: &World| {
        let shown = world.events_of(JIM).into_iter().rev().find_map(|event| match event {
            HandsetEvent::Display { text } => Some(text.clone()),
            _ => None,
        });
        shown.unwrap_or_default()
    };
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    // Both hold, then both go on, at every distance in time and in both orders. Who comes too late at Alice's is told so,
    // which is her own affair.
    let mut said_before = world.said.len();
    let mut met = [0; 2];
    for after in (0..40u64).step_by(3) {
        for state in ["held", "connected"] {
            let handset = |world: &mut World| world.handset(JIM, &HandsetCommand::Recall);
            let alice = |world: &mut World| {
                world.user(ALICE, |alice, now| {
                    let _late = if state == "held" { alice.hold(now) } else { alice.retrieve(now) };
                });
            };
            if after % 2 == 0 {
                alice(&mut world);
                world.run(Duration::from_millis(after / 2));
                handset(&mut world);
            } else {
                handset(&mut world);
                world.run(Duration::from_millis(after / 2));
                alice(&mut world);
            }
            world.run(6 * SECOND);
            alice(&mut world);
            world.run(SECOND);
            assert_eq!(world.status().calls[0].state, state, "{after}: {:?}", world.logs);
            let said = if state == "held" { "On hold" } else { "User alice" };
            assert_eq!(display(&world), said, "{after}");
        }
        let said = &world.said[said_before..];
        said_before = world.said.len();
        met[usize::from(said.iter().any(|message| message.starts_with("SIP/2.0 491")))] += 1;
    }
    assert!(met[0] > 1 && met[1] > 1, "some met and some did not: {met:?}");
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    nothing_left(&world);
}

#[test]
fn hold_and_retrieve_by_the_lync_user() {
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    world.user(ALICE, |alice, now| alice.hold(now).expect("a call"));
    world.run(SECOND);
    assert!(
        world
            .events_of(JIM)
            .iter()
            .any(|event| matches!(event, HandsetEvent::Display { text } if text.contains("Held")))
    );
    world.user(ALICE, |alice, now| alice.retrieve(now).expect("a held call"));
    world.run(SECOND);
    let spoken = voice(7, 3);
    world.user_speaks(ALICE, &spoken);
    world.run(4 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    assert!(heard(&spoken, tail(world.recorded.values().next().expect("a recording"), 5)) > 0.9);
    nothing_left(&world);
}

#[test]
fn presence_goes_from_in_a_call_over_available_and_inactive_to_away() {
    let mut world = World::settled(&Options::new());
    let phase = |world: &World| world.status().handsets[0].presence.clone();
    assert_eq!(phase(&world), "Away");
    jim_calls_alice(&mut world);
    assert_eq!(phase(&world), "InCall");
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(SECOND);
    assert_eq!(phase(&world), "Available");
    world.run(298 * SECOND);
    assert_eq!(phase(&world), "Available");
    world.run(2 * SECOND);
    assert_eq!(phase(&world), "Inactive");
    world.run(298 * SECOND);
    assert_eq!(phase(&world), "Inactive");
    world.run(3 * SECOND);
    assert_eq!(phase(&world), "Away");
    // What the front end holds of the machine, in the order it was published.
    let mut published: Vec<(u32, bool)> = Vec::new();
    for event in &world.front_end_events {
        if let frontend::Event::Presence {
            user, availability: Some(availability), removed, container: 2, ..
        } = event
            && user.contains("jim")
        {
            published.push((*availability, *removed));
        }
    }
    let values: Vec<u32> = published.iter().map(|(value, _)| *value).collect();
    assert_eq!(values, [15_500, 3_500, 6_500, 5_000, 15_500], "{:?}", world.front_end_events);
}

/// What Alice and somebody of another company see of Jim: the number, if anything.
fn seen_of_jim(world: &World) -> [Option<u32>; 2] {
    ["sip:alice@example.net", "sip:eve@elsewhere.example"].map(|watcher| {
        let seen =
            world.front_end.as_ref().and_then(|front_end| front_end.seen(watcher, "sip:jim@example.net"));
        seen.and_then(|seen| seen.state()?.availability)
    })
}

#[test]
fn users_who_never_logged_on_are_seen_all_the_same() {
    let mut options = Options::new();
    options.never_logged_on = true;
    let mut world = World::settled(&options);
    world.run(5 * SECOND);
    assert_eq!(seen_of_jim(&world), [Some(15_500); 2], "{:?}\n{:?}", world.logs, world.front_end_events);
    jim_calls_alice(&mut world);
    world.run(SECOND);
    assert_eq!(seen_of_jim(&world), [Some(6_500); 2]);
    // Once is enough: after the next registration nothing is sent but states.
    let sent = |world: &World| {
        let defaults = |event: &&frontend::Event| matches!(event, frontend::Event::Presence { category, .. } if category == "calendarData");
        world.front_end_events.iter().filter(defaults).count()
    };
    assert_eq!(sent(&world), 4, "two of each of the two users");
}

#[test]
fn a_first_log_on_that_fails_for_a_while_is_made_up_for_before_the_next_registration() {
    let mut options = Options::new();
    options.never_logged_on = true;
    let mut world = World::new(&options);
    world.faults(&["503=SERVICE"]);
    world.settle(&options);
    world.run(30 * SECOND);
    assert_eq!(world.registered(), 2, "{:?}", world.logs);
    assert_eq!(seen_of_jim(&world), [None; 2], "nobody may see him yet");
    let registrations = |world: &World| {
        let of = |event: &&frontend::Event| matches!(event, frontend::Event::Registered { .. });
        world.front_end_events.iter().filter(of).count()
    };
    let before = registrations(&world);
    world.faults(&[]);
    assert!(
        world.run_until(60 * SECOND, |world| seen_of_jim(world) == [Some(15_500); 2]),
        "{:?}\n{:?}",
        world.logs,
        world.front_end_events
    );
    assert_eq!(registrations(&world), before, "without a registration in between");
}

/// How many messages Jim's handset was told of, in order.
fn told_of_messages(world: &World) -> Vec<u32> {
    messages_shown(world, JIM)
}

fn messages_shown(world: &World, ipei: &str) -> Vec<u32> {
    let events = world.events_of(ipei).into_iter();
    let told = events.filter_map(|event| match event {
        HandsetEvent::Mwi { messages } => Some(*messages),
        _ => None,
    });
    told.collect()
}

#[test]
fn waiting_messages_light_the_lamp_of_the_handset_and_go_out() {
    let mut world = World::settled(&Options::new());
    assert_eq!(told_of_messages(&world), [0; 0], "nobody is told of nothing");
    for unread in [2, 2, 3, 0] {
        world.voice_messages("sip:jim@example.net", unread);
        world.run(5 * SECOND);
    }
    assert_eq!(told_of_messages(&world), [2, 3, 0], "{:?}", world.logs);
    // A handset that was away is told when it is back.
    world.handset(JIM, &HandsetCommand::WalkOut);
    world.run(SECOND);
    world.voice_messages("sip:jim@example.net", 1);
    world.run(60 * SECOND);
    assert_eq!(told_of_messages(&world), [2, 3, 0]);
    world.handset(JIM, &HandsetCommand::WalkIn);
    assert!(
        world.run_until(60 * SECOND, |world| told_of_messages(world) == [2, 3, 0, 1]),
        "{:?}",
        world.logs
    );
    let ann = world.events_of(ANN);
    assert!(!ann.iter().any(|event| matches!(event, HandsetEvent::Mwi { .. })), "{ann:?}");
    world.run(30 * SECOND);
    nothing_left(&world);
}

#[test]
fn without_making_up_for_it_users_who_never_logged_on_are_seen_by_nobody() {
    let mut options = Options::new();
    options.never_logged_on = true;
    options.configuration = configuration(PIN, &[(JIM, "jim", ""), (ANN, "ann", "")], "first_log_on = false");
    let mut world = World::settled(&options);
    world.run(5 * SECOND);
    assert_eq!(world.registered(), 2);
    assert_eq!(seen_of_jim(&world), [None; 2]);
    // Somebody whose client has logged on before needs nothing.
    let mut options = Options::new();
    options.configuration = configuration(PIN, &[(JIM, "jim", ""), (ANN, "ann", "")], "first_log_on = false");
    let mut world = World::settled(&options);
    world.run(5 * SECOND);
    assert_eq!(seen_of_jim(&world), [Some(15_500); 2]);
}

#[test]
fn busy_declined_unknown_and_unanswered_calls_say_why() {
    let mut world = World::settled(&Options::new());
    let shown = |world: &World, words: &str| {
        world
            .events_of(JIM)
            .iter()
            .any(|event| matches!(event, HandsetEvent::Display { text } if text.contains(words)))
    };
    world.handset(JIM, &dial("+14255550100"));
    world.run(5 * SECOND);
    world.user(ALICE, |alice, now| alice.reject(now, StatusCode::BUSY_HERE).expect("a call that rings"));
    world.run(12 * SECOND);
    assert!(shown(&world, "Busy"), "{:?}", world.events_of(JIM));
    nothing_left(&world);

    world.handset(JIM, &dial("+14255550100"));
    world.run(5 * SECOND);
    world.user(ALICE, |alice, now| alice.reject(now, StatusCode::DECLINE).expect("a call that rings"));
    world.run(12 * SECOND);
    assert!(shown(&world, "Declined"));
    nothing_left(&world);

    world.handset(JIM, &dial("+4999"));
    world.run(20 * SECOND);
    assert!(shown(&world, "Number unknown"), "{:?}", world.events_of(JIM));
    nothing_left(&world);

    world.handset(JIM, &dial("+14255550100"));
    world.run(5 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    assert!(released(&world, ALICE).is_some(), "the caller gave up: Alice stops ringing");
    nothing_left(&world);
}

#[test]
fn a_handset_declines_is_busy_or_out_of_range() {
    let mut world = World::settled(&Options::new());
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    assert_eq!(released(&world, ALICE).and_then(|(status, _)| status), Some(603));
    nothing_left(&world);

    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    world.handset(JIM, &HandsetCommand::Answer);
    world.run(SECOND);
    user_calls(&mut world, 1, "sip:jim@example.net");
    world.run(5 * SECOND);
    assert_eq!(released(&world, 1).and_then(|(status, _)| status), Some(486), "busy");
    world.user(ALICE, LyncUser::hang_up);
    world.run(12 * SECOND);
    nothing_left(&world);

    world.handset(JIM, &HandsetCommand::WalkOut);
    world.run(SECOND);
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(40 * SECOND);
    assert_eq!(released(&world, ALICE).and_then(|(status, _)| status), Some(480), "out of range");
    nothing_left(&world);
}

#[test]
fn a_call_completed_elsewhere_stops_the_ringing_and_is_not_missed() {
    let mut options = Options::new();
    // Jim has a Lync client beside his handset.
    options.users.push(("jim".into(), "+14255550200".into()));
    let mut world = World::settled(&options);
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    let released = |event: &&HandsetEvent| matches!(event, HandsetEvent::Released { .. });
    assert!(world.events_of(JIM).iter().any(|event| matches!(event, HandsetEvent::Ring { .. })));
    world.user(2, |jim, now| jim.answer(now).expect("it rings there too"));
    world.run(12 * SECOND);
    assert!(world.events_of(JIM).iter().any(released), "the handset stops ringing");
    let outcome = world.stored.iter().find_map(|write| match write {
        StoreWrite::Call(record) => Some(record.outcome),
        _ => None,
    });
    assert_eq!(outcome, Some("elsewhere"));
    assert_eq!(world.status().handsets[0].presence, "Away", "his Lync client publishes for itself");
    nothing_left(&world);
}

#[test]
fn a_call_given_up_by_its_caller_is_missed() {
    let mut world = World::settled(&Options::new());
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    world.user(ALICE, LyncUser::hang_up);
    world.run(12 * SECOND);
    let outcome = world.stored.iter().find_map(|write| match write {
        StoreWrite::Call(record) => Some((record.outcome, record.answered)),
        _ => None,
    });
    assert_eq!(outcome, Some(("missed", None)));
    nothing_left(&world);
}

#[test]
fn a_wrong_access_code_is_refused_and_said() {
    let mut options = Options::new();
    options.handsets[0].1 = "9999".into();
    let world = World::settled(&options);
    let events = world.events_of(JIM);
    assert!(
        events.iter().any(|event| matches!(event, HandsetEvent::SubscriptionFailed { .. })),
        "{events:?}"
    );
    assert_eq!(world.registered(), 1, "the other handset is not touched");
    assert!(world.logs.iter().any(|(_, line)| line.contains("access code")), "{:?}", world.logs);
    nothing_left(&world);
}

#[test]
fn an_unlisted_handset_is_refused_and_a_window_opens_and_closes() {
    let mut options = Options::new();
    options.configuration = configuration(PIN, &[(JIM, "jim", "")], "");
    let world = World::settled(&options);
    assert_eq!(world.registered(), 1);
    assert!(
        world.logs.iter().any(|(_, line)| line.contains(ANN) && line.contains("refused")),
        "{:?}",
        world.logs
    );

    let mut options = Options::new();
    options.configuration = options.configuration.replace("[radio]", "[radio]\nsubscription = \"window\"");
    let mut world = World::settled(&options);
    assert_eq!(world.registered(), 0, "the window is closed");
    world.command(Command::OpenSubscription { seconds: 60 });
    world.handset(JIM, &HandsetCommand::Subscribe(None));
    world.run(5 * SECOND);
    assert_eq!(world.registered(), 1);
    world.run(60 * SECOND);
    world.handset(ANN, &HandsetCommand::Subscribe(None));
    world.run(5 * SECOND);
    assert_eq!(world.registered(), 1, "the window has closed by itself");
}

#[test]
fn a_base_station_of_another_version_is_refused_in_clear_words() {
    let mut options = Options::new();
    let newer = rfp_link::VersionRange { lowest: 90, highest: 91 };
    options.base_versions = vec![None, Some(newer)];
    let mut world = World::new(&options);
    world.run(SECOND);
    let status = world.status();
    let refused = status.base_stations.iter().find(|base| base.state == "refused").expect("a refusal");
    assert!(refused.detail.contains("90"), "{refused:?}");
    assert!(world.bases[1].downs.iter().any(|words| words.contains("90")), "{:?}", world.bases[1].downs);
    assert!(status.base_stations.iter().any(|base| base.state == "connected"), "the other one works on");
}

#[test]
fn killing_the_front_end_in_a_call_ends_with_all_registered_and_nothing_left() {
    for after in [0u64, 1, 7, 40] {
        let mut world = World::settled(&Options::new());
        jim_calls_alice(&mut world);
        world.run(Duration::from_millis(100 * after));
        world.kill_front_end();
        world.run(20 * SECOND);
        nothing_left(&world);
        assert_eq!(world.registered(), 0);
        let released = |event: &&&HandsetEvent| matches!(event, HandsetEvent::Released { .. });
        assert_eq!(world.events_of(JIM).iter().filter(released).count(), 1, "the handset was told");
        assert!(world.status().proxies[0].state == "failed", "{:?}", world.status().proxies);
        world.start_front_end();
        assert!(world.run_until(60 * SECOND, |world| world.registered() == 2), "{:?}", world.logs);
        jim_calls_alice(&mut world);
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(12 * SECOND);
        nothing_left(&world);
    }
}

#[test]
fn killing_the_front_end_at_any_moment_of_a_call_leaves_nothing() {
    for moment in 0..40u64 {
        let mut world = World::settled(&Options::new());
        world.handset(JIM, &dial("+14255550100"));
        world.run(Duration::from_millis(moment * 5));
        world.kill_front_end();
        world.run(15 * SECOND);
        world.start_front_end();
        assert!(world.run_until(60 * SECOND, |world| world.registered() == 2), "{moment}: {:?}", world.logs);
        world.run(40 * SECOND);
        assert_eq!(world.load(), Load::default(), "killed {} ms after dialling", moment * 5);
    }
}

#[test]
fn losing_a_base_station_in_a_call_ends_it_on_both_sides() {
    let mut world = World::settled(&Options::new());
    alice_calls_jim(&mut world);
    world.cut_base(0);
    world.run(5 * SECOND);
    assert!(released(&world, ALICE).is_some(), "Alice is not left in silence");
    nothing_left(&world);
    assert_eq!(world.status().base_stations[0].state, "lost");
    world.connect_base(0);
    world.run(5 * SECOND);
    assert_eq!(world.registered(), 2, "the registration does not hang on the base station");
    alice_calls_jim(&mut world);
    world.user(ALICE, LyncUser::hang_up);
    world.run(12 * SECOND);
    nothing_left(&world);
}

#[test]
fn more_calls_than_channels_are_refused_and_nothing_leaks() {
    let mut options = Options::new();
    options.configuration = options.configuration.replace("voice_channels = 4", "voice_channels = 1");
    let mut world = World::settled(&options);
    jim_calls_alice(&mut world);
    user_calls(&mut world, 1, "sip:ann@example.net");
    world.run(5 * SECOND);
    assert_eq!(released(&world, 1).and_then(|(status, _)| status), Some(503));
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    nothing_left(&world);
}

#[test]
fn shutdown_ends_calls_and_registrations_and_says_so() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.shutdown();
    assert!(world.run_until(5 * SECOND, |world| world.stopped), "{:?}", world.logs);
    world.run(SECOND);
    assert!(released(&world, ALICE).is_some());
    let front_end = world.front_end.as_ref().expect("it runs");
    for name in ["jim", "ann"] {
        let uri = format!("sip:{name}@example.net").parse().expect("a URI");
        assert!(!front_end.is_registered(&uri), "{name}");
    }
    assert!(world.logs.iter().any(|(_, line)| line.contains("deregistered")));
}

/// What the front end was told of Jim's states, in order: the number; none of a state that was deleted.
fn told_of_jim(world: &World) -> Vec<Option<u32>> {
    let told = world.front_end_events.iter().filter_map(|event| match event {
        frontend::Event::Presence { user, removed: true, container: 2, .. } if user.contains("jim") => {
            Some(None)
        }
        frontend::Event::Presence { user, availability: Some(availability), container: 2, .. }
            if user.contains("jim") =>
        {
            Some(Some(*availability))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn calls_that_are_not_answered_change_nothing_that_is_published() {
    let mut world = World::settled(&Options::new());
    let before = told_of_jim(&world);
    assert_eq!(before, [Some(15_500)]);
    // Given up by its caller, declined by the handset, busy, unknown, given up by the handset.
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    world.user(ALICE, LyncUser::hang_up);
    world.run(12 * SECOND);
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    world.handset(JIM, &dial("+14255550100"));
    world.run(5 * SECOND);
    world.user(ALICE, |alice, now| alice.reject(now, StatusCode::BUSY_HERE).expect("a call that rings"));
    world.run(12 * SECOND);
    world.handset(JIM, &dial("+4999"));
    world.run(20 * SECOND);
    world.handset(JIM, &dial("+14255550100"));
    world.run(5 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    assert_eq!(told_of_jim(&world), before, "{:?}", world.front_end_events);
    assert_eq!(world.status().handsets[0].presence, "Away");
    // Hold and retrieve neither.
    jim_calls_alice(&mut world);
    world.run(SECOND);
    let in_call = told_of_jim(&world);
    world.handset(JIM, &HandsetCommand::Hold);
    world.run(3 * SECOND);
    world.handset(JIM, &HandsetCommand::Retrieve);
    world.run(3 * SECOND);
    assert_eq!(told_of_jim(&world), in_call);
    assert_eq!(world.status().handsets[0].presence, "InCall");
}

#[test]
fn after_a_fail_over_everything_is_published_anew_and_at_the_end_the_call_is_taken_back() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    world.run(SECOND);
    world.kill_front_end();
    world.run(20 * SECOND);
    assert_eq!(world.status().handsets[0].presence, "Available", "the call has ended");
    world.front_end_events.clear();
    world.start_front_end();
    assert!(world.run_until(60 * SECOND, |world| world.registered() == 2), "{:?}", world.logs);
    world.run(5 * SECOND);
    assert_eq!(told_of_jim(&world), [Some(3_500)], "from version 0: {:?}", world.front_end_events);
    jim_calls_alice(&mut world);
    world.run(SECOND);
    assert_eq!(told_of_jim(&world), [Some(3_500), Some(6_500)]);
    world.shutdown();
    assert!(world.run_until(5 * SECOND, |world| world.stopped), "{:?}", world.logs);
    assert_eq!(told_of_jim(&world), [Some(3_500), Some(6_500), Some(15_500), None], "never offline");
}

#[test]
fn a_subscription_survives_a_restart_of_the_server() {
    let world = World::settled(&Options::new());
    let mut options = Options::new();
    for write in world.stored {
        match write {
            StoreWrite::Subscription(subscription) => options.restored.subscriptions.push(subscription),
            StoreWrite::Location { ipei, tpui } => options.restored.locations.push((ipei, tpui)),
            _ => {}
        }
    }
    let mut world = World::new(&options);
    assert!(
        world.run_until(5 * SECOND, |world| world.registered() == 2),
        "registered without the handsets' doing"
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut world = World::settled(&Options::new());
        jim_calls_alice(&mut world);
        world.handset_speaks(JIM, &voice(1, 1));
        world.run(2 * SECOND);
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(5 * SECOND);
        world.transcript
    };
    let (first, second) = (run(), run());
    for (number, (first, second)) in first.iter().zip(&second).enumerate() {
        assert_eq!(first, second, "step {number}");
    }
    assert_eq!(first.len(), second.len());
}

/// Two handsets and two users press keys as a seed says; when all have hung up, nothing is left.
#[test]
fn whatever_keys_are_pressed_nothing_is_left() {
    for seed in 1..=12u64 {
        let mut options = Options::new();
        options.seed = seed;
        let mut world = World::settled(&options);
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut draw = |limit: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % limit
        };
        for _ in 0..40 {
            let handset = if draw(2) == 0 { JIM } else { ANN };
            let user = draw(2) as usize;
            match draw(12) {
                0 | 1 => {
                    world.handset(handset, &dial(if draw(2) == 0 { "+14255550100" } else { "+14255550101" }));
                }
                2 => world.handset(handset, &HandsetCommand::HangUp),
                3 => world.handset(handset, &HandsetCommand::Answer),
                4 => world.handset(handset, &HandsetCommand::Recall),
                5 | 6 => {
                    let target = if draw(2) == 0 { "sip:jim@example.net" } else { "sip:ann@example.net" };
                    world.user(user, |machine, now| drop(machine.call(now, target)));
                }
                7 => world.user(user, LyncUser::hang_up),
                8 | 9 => world.user(user, |machine, now| drop(machine.answer(now))),
                10 => world.user(user, |machine, now| drop(machine.hold(now))),
                _ => world.user(user, |machine, now| drop(machine.retrieve(now))),
            }
            world.run(Duration::from_millis(draw(3000)));
        }
        for handset in [JIM, ANN] {
            world.handset(handset, &HandsetCommand::HangUp);
        }
        for user in 0..2 {
            world.user(user, LyncUser::hang_up);
        }
        world.run(60 * SECOND);
        assert_eq!(world.load(), Load::default(), "seed {seed}: {:?}", world.status().calls);
        assert_eq!(world.registered(), 2, "seed {seed}: {:?}", world.logs);
    }
}
