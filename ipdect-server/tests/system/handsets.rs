//! The presence of handsets: several of one user, conferences, out of range, switched off, after a restart.

use std::time::{Duration, SystemTime};

use ipdect_server::core::vocabulary::{CallRecord, Command, Restored, StoreWrite};
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::user::LyncUser;

use super::world::{ANN, JIM, Options, PIN, World, configuration};
use super::{
    ALICE, SECOND, alice_calls_jim, dial, jim_calls_alice, messages_shown, nothing_left, seen_of_jim,
    told_of_jim, user_calls,
};

/// Another handset of Jim.
const SECOND_OF_JIM: &str = ANN;
const BOB: usize = 1;

fn two_of_jim(more: &str) -> Options {
    let mut options = Options::new();
    options.configuration = configuration(PIN, &[(JIM, "jim", ""), (SECOND_OF_JIM, "jim", "")], more);
    options
}

fn only_jim(more: &str) -> Options {
    let mut options = Options::new();
    options.configuration = configuration(PIN, &[(JIM, "jim", "")], more);
    options.handsets.truncate(1);
    options
}

/// Presence of each handset, and of the user that all of them belong to.
fn phases(world: &World) -> (Vec<String>, String) {
    let handsets = world.status().handsets;
    let user = handsets[0].user_presence.clone();
    assert!(handsets.iter().all(|handset| handset.user_presence == user), "{handsets:?}");
    (handsets.into_iter().map(|handset| handset.presence).collect(), user)
}

fn assert_phases(world: &World, first: &str, second: &str, user: &str) {
    assert_eq!(
        phases(world),
        (vec![first.to_owned(), second.to_owned()], user.to_owned()),
        "{:?}",
        world.logs
    );
}

fn phase(world: &World) -> String {
    world.status().handsets[0].presence.clone()
}

fn rings(world: &World, ipei: &str) -> usize {
    world.events_of(ipei).iter().filter(|event| matches!(event, HandsetEvent::Ring { .. })).count()
}

fn releases(world: &World, ipei: &str) -> usize {
    world.events_of(ipei).iter().filter(|event| matches!(event, HandsetEvent::Released { .. })).count()
}

fn calls_kept(world: &World) -> Vec<(&str, &str)> {
    let kept = world.stored.iter().filter_map(|write| match write {
        StoreWrite::Call(CallRecord { ipei, outcome, .. }) => Some((ipei.as_str(), *outcome)),
        _ => None,
    });
    kept.collect()
}

#[test]
fn a_call_rings_all_handsets_of_a_user_and_the_others_stop_when_one_answers() {
    let mut world = World::settled(&two_of_jim(""));
    assert_eq!(world.registered(), 2, "{:?}", world.logs);
    let handsets = world.status().handsets;
    assert_ne!(handsets[0].gruu, handsets[1].gruu, "each is an endpoint of its own");
    assert_phases(&world, "Away", "Away", "Away");

    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(5 * SECOND);
    assert_eq!([JIM, SECOND_OF_JIM].map(|ipei| rings(&world, ipei)), [1, 1], "{:?}", world.logs);
    world.handset(SECOND_OF_JIM, &HandsetCommand::Answer);
    world.run(3 * SECOND);
    assert_eq!([JIM, SECOND_OF_JIM].map(|ipei| releases(&world, ipei)), [1, 0], "the first stops ringing");
    assert_eq!(calls_kept(&world), [(JIM, "elsewhere")]);
    assert_phases(&world, "Away", "InCall", "InCall");
    assert_eq!(seen_of_jim(&world)[0], Some(6_500));

    // Only the handset in the call is busy.
    user_calls(&mut world, BOB, "sip:jim@example.net");
    world.run(5 * SECOND);
    assert_eq!([JIM, SECOND_OF_JIM].map(|ipei| rings(&world, ipei)), [2, 1]);
    world.handset(JIM, &HandsetCommand::Answer);
    world.run(3 * SECOND);
    assert_phases(&world, "InCall", "InCall", "InCall");
    world.user(ALICE, LyncUser::hang_up);
    world.run(12 * SECOND);
    assert_phases(&world, "InCall", "Available", "InCall");
    assert_eq!(seen_of_jim(&world)[0], Some(6_500), "the other handset still talks");
    world.run(320 * SECOND);
    assert_phases(&world, "InCall", "Inactive", "InCall");
    world.user(BOB, LyncUser::hang_up);
    world.run(12 * SECOND);
    assert_phases(&world, "Available", "Inactive", "Available");
    assert_eq!(seen_of_jim(&world)[0], Some(3_500));
    world.run(300 * SECOND);
    assert_phases(&world, "Inactive", "Away", "Inactive");
    assert_eq!(seen_of_jim(&world)[0], Some(5_000));
    world.run(300 * SECOND);
    assert_phases(&world, "Away", "Away", "Away");
    assert_eq!(seen_of_jim(&world)[0], Some(15_500));
    nothing_left(&world);
}

#[test]
fn waiting_messages_light_the_lamps_of_all_handsets_of_a_user() {
    let mut world = World::settled(&two_of_jim(""));
    for unread in [2, 0] {
        world.voice_messages("sip:jim@example.net", unread);
        world.run(5 * SECOND);
    }
    assert_eq!([JIM, SECOND_OF_JIM].map(|ipei| messages_shown(&world, ipei)), [[2, 0], [2, 0]]);
    world.run(12 * SECOND);
    nothing_left(&world);
}

#[test]
fn a_first_log_on_is_made_up_for_once_however_many_handsets_a_user_has() {
    let mut options = two_of_jim("");
    // Both register at once when the server starts again.
    options.restored = restored(&World::settled(&options));
    options.never_logged_on = true;
    let mut world = World::new(&options);
    world.run(30 * SECOND);
    assert_eq!(world.registered(), 2, "{:?}", world.logs);
    assert_eq!(seen_of_jim(&world), [Some(15_500); 2], "{:?}", world.logs);
    let written = world.said.iter().filter(|message| message.contains("setContainerMembers")).count();
    assert_eq!(written, 1);
}

#[test]
fn a_handset_that_is_unsubscribed_takes_its_presence_along_and_leaves_that_of_the_other() {
    let mut world = World::settled(&two_of_jim(""));
    jim_calls_alice(&mut world);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(12 * SECOND);
    assert_phases(&world, "Available", "Away", "Available");
    assert_eq!(seen_of_jim(&world)[0], Some(3_500));
    world.command(Command::RemoveSubscription { ipei: JIM.to_owned() });
    world.run(10 * SECOND);
    assert_eq!(world.registered(), 1, "{:?}", world.logs);
    assert_phases(&world, "Removed", "Away", "Away");
    assert_eq!(told_of_jim(&world).last(), Some(&None), "deleted, not only forgotten");
    assert_eq!(seen_of_jim(&world)[0], Some(15_500));
    assert_eq!(
        world.stored.iter().rfind(|write| matches!(write, StoreWrite::PresenceEnd { .. })),
        Some(&StoreWrite::PresenceEnd { ipei: JIM.to_owned(), at: None })
    );
    assert!(world.stored.contains(&StoreWrite::Detached { ipei: JIM.to_owned() }));
    // Back again: away, without memory.
    world.handset(JIM, &HandsetCommand::Subscribe(None));
    world.run(3 * SECOND);
    world.handset(JIM, &HandsetCommand::SwitchOn);
    world.run(10 * SECOND);
    assert_eq!(world.registered(), 2, "{:?}", world.logs);
    assert_phases(&world, "Away", "Away", "Away");
}

#[test]
fn a_call_of_a_conference_is_a_call_unless_conferences_are_shown() {
    for (more, wanted, number) in [("", "InCall", 6_500), ("show_conference = true", "InConference", 7_000)] {
        let mut options = only_jim(more);
        options.conference = true;
        let mut world = World::settled(&options);
        alice_calls_jim(&mut world);
        world.run(SECOND);
        assert_eq!(phase(&world), wanted, "{:?}", world.logs);
        assert_eq!(told_of_jim(&world), [Some(15_500), Some(3_500), Some(number)]);
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(12 * SECOND);
        assert_eq!(phase(&world), "Available");
        nothing_left(&world);
    }
}

#[test]
fn a_handset_out_of_range_keeps_its_presence_or_is_away_at_once() {
    for (more, wanted) in [("", "Available"), ("out_of_range = \"away\"", "Away")] {
        let mut world = World::settled(&only_jim(more));
        jim_calls_alice(&mut world);
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(12 * SECOND);
        world.handset(JIM, &HandsetCommand::WalkOut);
        world.run(SECOND);
        assert_eq!(phase(&world), "Available", "nobody has noticed yet");
        user_calls(&mut world, ALICE, "sip:jim@example.net");
        world.run(60 * SECOND);
        assert_eq!(phase(&world), wanted, "{:?}", world.logs);
        assert_eq!(world.registered(), 1, "voice mail takes the calls");
        let end = world.stored.iter().rev().find_map(|write| match write {
            StoreWrite::PresenceEnd { at, .. } => Some(at.is_some()),
            _ => None,
        });
        assert_eq!(end, Some(wanted == "Available"), "a restart would change nothing");
        nothing_left(&world);
    }
}

#[test]
fn tried_and_declined_calls_count_when_any_use_does() {
    for (more, wanted) in [("", "Away"), ("activity = \"any-use\"", "Available")] {
        let mut world = World::settled(&only_jim(more));
        user_calls(&mut world, ALICE, "sip:jim@example.net");
        world.run(5 * SECOND);
        world.user(ALICE, LyncUser::hang_up);
        world.run(12 * SECOND);
        assert_eq!(phase(&world), "Away", "missed: nobody touched the handset");
        user_calls(&mut world, ALICE, "sip:jim@example.net");
        world.run(5 * SECOND);
        world.handset(JIM, &HandsetCommand::HangUp);
        world.run(12 * SECOND);
        assert_eq!(phase(&world), wanted, "declined");
        world.run(700 * SECOND);
        assert_eq!(phase(&world), "Away");
        world.handset(JIM, &dial("+4999"));
        world.run(20 * SECOND);
        assert_eq!(phase(&world), wanted, "tried");
        nothing_left(&world);
    }
}

/// What the store would give back.
fn restored(world: &World) -> Restored {
    let mut restored = Restored::default();
    for write in &world.stored {
        match write.clone() {
            StoreWrite::Subscription(subscription) => restored.subscriptions.push(subscription),
            StoreWrite::Location { ipei, tpui } => restored.locations.push((ipei, tpui)),
            StoreWrite::Detached { ipei } => restored.locations.retain(|(known, _)| *known != ipei),
            StoreWrite::PresenceEnd { ipei, at } => {
                restored.presence_ends.retain(|(known, _)| *known != ipei);
                restored.presence_ends.extend(at.map(|at| (ipei, at)));
            }
            _ => {}
        }
    }
    restored
}

#[test]
fn after_a_restart_presence_goes_on_from_the_stored_end_of_the_last_call() {
    let mut before = World::settled(&only_jim(""));
    jim_calls_alice(&mut before);
    before.run(30 * SECOND);
    before.handset(JIM, &HandsetCommand::HangUp);
    before.run(12 * SECOND);
    let kept = restored(&before);
    let ended = kept.presence_ends[0].1.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    for (later, phases) in [
        (0, ["Available", "Available", "Inactive", "Away"]),
        (150, ["Available", "Inactive", "Inactive", "Away"]),
        (310, ["Inactive", "Inactive", "Away", "Away"]),
        (600, ["Away", "Away", "Away", "Away"]),
        (90_000, ["Away", "Away", "Away", "Away"]),
        // The clock on the wall was set back.
        (-3_600, ["Away", "Away", "Away", "Away"]),
    ] {
        let mut options = only_jim("");
        options.restored = kept.clone();
        options.wall = Duration::from_secs(ended.as_secs().checked_add_signed(later).expect("after 1970"))
            + Duration::from_nanos(u64::from(ended.subsec_nanos()));
        let mut world = World::new(&options);
        world.run(SECOND);
        let mut seen = vec![phase(&world)];
        for _ in 0..3 {
            world.run(220 * SECOND);
            seen.push(phase(&world));
        }
        assert_eq!(seen, phases, "{later} s later");
        assert_eq!(world.registered(), 1, "{:?}", world.logs);
        assert_eq!(told_of_jim(&world).last(), Some(&Some(15_500)));
        let resumed = phases[0] != "Away";
        let kept: Vec<&StoreWrite> =
            world.stored.iter().filter(|write| matches!(write, StoreWrite::PresenceEnd { .. })).collect();
        let forgotten = StoreWrite::PresenceEnd { ipei: JIM.to_owned(), at: None };
        assert_eq!(kept, if resumed { vec![] } else { vec![&forgotten] }, "{later} s later");
    }
    let mut disabled = only_jim("");
    disabled.configuration.push_str("disabled = true\n");
    disabled.restored = kept;
    let mut world = World::new(&disabled);
    world.run(SECOND);
    assert_eq!(phase(&world), "Removed");
    assert_eq!(restored(&world), Restored::default(), "enabled again he begins without memory");
    assert_eq!(world.registered(), 0);
}

#[test]
fn a_handset_that_was_switched_off_is_not_there_after_a_restart_either() {
    let mut before = World::settled(&only_jim(""));
    before.command(Command::RemoveSubscription { ipei: JIM.to_owned() });
    before.run(10 * SECOND);
    let mut options = only_jim("");
    options.restored = restored(&before);
    let mut world = World::new(&options);
    world.run(5 * SECOND);
    assert_eq!(world.registered(), 0);
    assert_eq!(phase(&world), "Removed");
}
