//! Calls whose media finds its way by ICE, and those that find none.

use std::net::SocketAddr;
use std::time::Duration;

use ipdect_server::core::vocabulary::{CallRecord, StoreWrite};
use ipdect_sim::handset::HandsetEvent;
use ipdect_sim::json::HandsetCommand;
use ipdect_sim::user::{self, Side};
use sip_lync::StatusCode;
use sip_lync::ice::{DIALECTS, Dialect};

use crate::world::{ANN, JIM, Options, PIN, World, configuration};
use crate::{
    ALICE, SECOND, alice_calls_jim, dial, heard, jim_calls_alice, nothing_left, released, user_calls, voice,
};

fn configured(more: &str) -> Options {
    let mut options = Options::new();
    let text = configuration(PIN, &[(JIM, "jim", ""), (ANN, "ann", "")], "");
    options.configuration = text.replace("voice_channels = 4", &format!("voice_channels = 4\n{more}"));
    options
}

/// Both speak for a while, then Jim hangs up: how well each heard the other.
fn both_speak(world: &mut World) -> (f64, f64) {
    let (from_jim, from_alice) = (voice(1, 3), voice(2, 3));
    world.handset_speaks(JIM, &from_jim);
    world.user_speaks(ALICE, &from_alice);
    world.run(4 * SECOND);
    world.handset(JIM, &HandsetCommand::HangUp);
    world.run(2 * SECOND);
    let of_jim = world.recorded.values().next().expect("a recording");
    (heard(&from_jim, &world.users[ALICE].recorded), heard(&from_alice, of_jim))
}

fn ways(world: &World) -> Vec<&'static str> {
    let events = world.users[ALICE].events.iter();
    events
        .filter_map(|event| if let user::Event::Way { dialect, .. } = event { Some(*dialect) } else { None })
        .collect()
}

/// Re-INVITEs of the server that name chosen pairs.
fn last_offers(world: &World) -> usize {
    let names = |said: &&String| said.starts_with("INVITE") && said.contains("a=remote-candidate");
    world.said.iter().filter(names).count()
}

fn record(world: &World) -> &CallRecord {
    let calls = world.stored.iter().rev();
    let mut records =
        calls.filter_map(|write| if let StoreWrite::Call(record) = write { Some(record) } else { None });
    records.next().expect("a record")
}

/// Speech goes only to an address that has answered a check.
fn speech_follows_checks(world: &World) {
    let mut spoken = 0;
    for (at, (from, to, first, _)) in world.datagrams.iter().enumerate() {
        if *first >= 128 {
            let answered = |(source, target, first, arrived): &(SocketAddr, SocketAddr, u8, bool)| {
                (source, target, *first, *arrived) == (to, from, 1, true)
            };
            assert!(world.datagrams[..at].iter().any(answered), "{from} to {to}");
            spoken += 1;
        }
    }
    assert!(spoken > 100, "{spoken}");
}

#[test]
fn calls_of_both_directions_find_their_way_in_every_dialect() {
    for (word, dialect) in ["rfc8445", "ms-ice2", "draft06"].into_iter().zip(DIALECTS) {
        for outgoing in [true, false] {
            let mut options = configured(&format!("ice = \"{word}\""));
            options.user_ice = Some(dialect);
            let mut world = World::settled(&options);
            if outgoing {
                jim_calls_alice(&mut world);
            } else {
                alice_calls_jim(&mut world);
            }
            world.run(2 * SECOND);
            let (by_alice, by_jim) = both_speak(&mut world);
            assert!(
                by_alice > 0.9 && by_jim > 0.9,
                "{word} {outgoing}: {by_alice} {by_jim}\n{:?}",
                world.logs
            );
            assert_eq!(ways(&world), [dialect.as_str()], "{outgoing}");
            // The caller names the pairs, and only in Microsoft's dialects.
            let expected = usize::from(outgoing && dialect != Dialect::Rfc8445);
            assert_eq!(last_offers(&world), expected, "{word} {outgoing}");
            speech_follows_checks(&world);
            let reports = world
                .datagrams
                .iter()
                .any(|(from, to, first, _)| from.port() % 2 == 1 && to.port() % 2 == 1 && *first >= 128);
            assert!(reports, "RTCP goes its own way");
            assert_eq!(record(&world).outcome, "answered");
            world.run(10 * SECOND);
            nothing_left(&world);
        }
    }
}

#[test]
fn a_way_is_found_through_losses_too() {
    for loss in [10, 30] {
        for (seed, outgoing) in [(3, true), (4, false)] {
            let mut options = Options::new();
            (options.seed, options.loss) = (seed, loss);
            let mut world = World::settled(&options);
            if outgoing {
                jim_calls_alice(&mut world);
            } else {
                alice_calls_jim(&mut world);
            }
            let found = world.run_until(15 * SECOND, |world| !ways(world).is_empty());
            assert!(found, "{loss} % {seed}: {:?}", world.logs);
            world.run(SECOND);
            let (before, counted) = (world.counters.len(), world.datagrams.len());
            world.user_speaks(ALICE, &voice(2, 3));
            world.run(3 * SECOND);
            world.handset(JIM, &HandsetCommand::HangUp);
            world.run(2 * SECOND);
            let counters = world.counters[before];
            let sent =
                world.datagrams[counted..].iter().filter(|(.., first, _)| *first >= 128).count() as u64;
            assert!(counters.network_received * 100 > (100 - 2 * loss) * sent / 2, "{counters:?} of {sent}");
            assert!(counters.network_received > 50 && counters.network_sent > 100, "{counters:?}");
        }
    }
}

#[test]
fn a_call_without_ice_on_either_side_goes_to_the_addresses_given() {
    for (server, users) in [("ms-ice2", None), ("off", Some(Dialect::MsIce2))] {
        for outgoing in [true, false] {
            let mut options = configured(&format!("ice = \"{server}\""));
            options.user_ice = users;
            let mut world = World::settled(&options);
            if outgoing {
                jim_calls_alice(&mut world);
            } else {
                alice_calls_jim(&mut world);
            }
            let (by_alice, by_jim) = both_speak(&mut world);
            assert!(by_alice > 0.9 && by_jim > 0.9, "{server} {users:?} {outgoing}: {by_alice} {by_jim}");
            assert!(world.datagrams.iter().all(|(.., first, _)| *first >= 128), "no checks");
            assert_eq!((ways(&world).len(), last_offers(&world)), (0, 0));
            world.run(10 * SECOND);
            nothing_left(&world);
        }
    }
}

#[test]
fn a_call_without_a_way_ends_and_says_why() {
    for outgoing in [true, false] {
        let mut options = Options::new();
        options.loss = 100;
        let mut world = World::settled(&options);
        if outgoing {
            jim_calls_alice(&mut world);
        } else {
            alice_calls_jim(&mut world);
        }
        assert_eq!(world.status().calls.len(), 1);
        world.run(30 * SECOND);
        // Whoever was called has looked for a way the longest, and gives up first.
        let why = "no pair of candidates works";
        let of_alice = released(&world, ALICE).expect("the call is over").1;
        if outgoing {
            assert_eq!(record(&world).cause, "PeerBye, ICE had found no way");
            assert_eq!(of_alice, why);
        } else {
            assert_eq!(record(&world).cause, format!("ICE: {why}"));
            assert_eq!(of_alice, "the other side hung up");
            assert!(world.logs.iter().any(|(_, text)| text.ends_with(why)), "{:?}", world.logs);
        }
        let events = world.events_of(JIM);
        assert!(events.iter().any(|event| matches!(event, HandsetEvent::Released { .. })), "{events:?}");
        assert!(world.datagrams.iter().all(|(.., first, _)| *first < 4), "nothing but checks was sent");
        world.run(10 * SECOND);
        nothing_left(&world);
    }
}

#[test]
fn a_hold_keeps_the_way_and_waits_for_the_last_offer() {
    let mut world = World::settled(&Options::new());
    world.handset(JIM, &dial("+14255550100"));
    let rings = |world: &World| {
        world.users[ALICE].events.iter().any(|event| matches!(event, user::Event::Incoming { .. }))
    };
    assert!(world.run_until(10 * SECOND, rings));
    world.user(ALICE, |alice, now| alice.answer(now).expect("a call that rings"));
    // As soon as the last offer is out, the handset holds.
    assert!(world.run_until(10 * SECOND, |world| last_offers(world) == 1));
    world.handset(JIM, &HandsetCommand::Hold);
    world.run(2 * SECOND);
    assert_eq!(world.status().calls[0].state, "held", "{:?}", world.logs);
    let held = |world: &World, wanted: Side| {
        let events = world.users[ALICE].events.iter();
        events.filter(|event| matches!(event, user::Event::Held { by, .. } if *by == wanted)).count()
    };
    assert_eq!(held(&world, Side::Them), 1);
    // Half a minute on hold: the way is kept alive and nothing is said on it.
    let before = world.datagrams.len();
    world.run(30 * SECOND);
    assert!(world.datagrams[before..].iter().any(|(.., first, _)| *first < 4), "keep-alives");
    let speech = |(from, _, first, _): &(SocketAddr, _, u8, bool)| *first >= 128 && from.port() % 2 == 0;
    assert!(!world.datagrams[before..].iter().any(speech), "no speech on hold");
    world.handset(JIM, &HandsetCommand::Retrieve);
    world.run(2 * SECOND);
    // Now the other side holds and goes on.
    world.user(ALICE, |alice, now| alice.hold(now).expect("a call that stands"));
    world.run(2 * SECOND);
    assert_eq!(held(&world, Side::Us), 1);
    world.user(ALICE, |alice, now| alice.retrieve(now).expect("a held call"));
    world.run(2 * SECOND);
    let (by_alice, by_jim) = both_speak(&mut world);
    assert!(by_alice > 0.9 && by_jim > 0.9, "{by_alice} {by_jim}");
    assert_eq!(ways(&world), ["ms-ice2"], "the way was found once");
}

#[test]
fn early_media_of_two_forks_has_a_way_each_and_that_of_the_answer_is_kept() {
    let mut options = Options::new();
    options.early_media = true;
    options.users[1] = options.users[0].clone();
    let mut world = World::settled(&options);
    world.handset(JIM, &dial("+14255550100"));
    let early = |world: &World, user: usize| {
        world.users[user].events.iter().any(|event| matches!(event, user::Event::Way { .. }))
    };
    let both = world.run_until(10 * SECOND, |world| early(world, 0) && early(world, 1));
    assert!(both, "a way to each before anybody answers: {:?}\n{:?}", world.logs, world.users[0].events);
    assert_eq!(world.status().calls[0].state, "ringing");
    // The one that described itself last is heard; nobody hears the handset yet.
    let voices = [voice(2, 3), voice(5, 3)];
    for (user, voice) in voices.iter().enumerate() {
        world.user_speaks(user, voice);
    }
    world.run(4 * SECOND);
    let of_users: Vec<SocketAddr> =
        vec!["10.0.0.3:40000".parse().expect("one"), "10.0.0.3:40002".parse().expect("two")];
    let speech_to_users =
        world.datagrams.iter().filter(|(_, to, first, _)| *first >= 128 && of_users.contains(to)).count();
    assert_eq!(speech_to_users, 0, "nothing of the handset leaves before the answer");
    world.user(ALICE, |alice, now| alice.answer(now).expect("a call that rings"));
    world.run(SECOND);
    let (by_alice, _) = both_speak(&mut world);
    assert!(by_alice > 0.9, "{by_alice}");
    let recorded = world.recorded.values().next().expect("a recording");
    let before: Vec<f64> = voices.iter().map(|voice| heard(voice, recorded)).collect();
    assert!(
        before.iter().filter(|heard| **heard > 0.9).count() == 1,
        "one of them was heard early: {before:?}"
    );
    assert_eq!(record(&world).outcome, "answered");
    world.run(10 * SECOND);
    nothing_left(&world);
}

#[test]
fn an_offer_for_ocs_2007_has_two_parts_and_is_made_again_when_it_is_refused() {
    let mut world = World::settled(&configured("ice_2007 = true"));
    jim_calls_alice(&mut world);
    let invite = world.said.iter().find(|said| said.starts_with("INVITE")).expect("an INVITE");
    assert!(invite.contains("multipart/alternative") && invite.contains("ms-proxy-2007fallback"), "{invite}");
    let (by_alice, by_jim) = both_speak(&mut world);
    assert!(by_alice > 0.9 && by_jim > 0.9, "{by_alice} {by_jim}");
    assert_eq!(ways(&world), ["ms-ice2"], "the part that is preferred");

    let mut world = World::settled(&configured("ice_2007 = true"));
    world.handset(JIM, &dial("+14255550100"));
    let rings = |count| {
        move |world: &World| {
            let events = world.users[ALICE].events.iter();
            events.filter(|event| matches!(event, user::Event::Incoming { .. })).count() == count
        }
    };
    // The endpoint sends the preferred part alone after the first refusal, the other part after the second.
    let status = StatusCode::new(415).expect("a status");
    for time in 1..=2 {
        assert!(world.run_until(10 * SECOND, rings(time)), "{time}: {:?}", world.logs);
        world.user(ALICE, |alice, now| alice.reject(now, status).expect("a call that rings"));
    }
    assert!(world.run_until(10 * SECOND, rings(3)), "{:?}", world.logs);
    world.user(ALICE, |alice, now| alice.answer(now).expect("a call that rings"));
    world.run(SECOND);
    let (by_alice, by_jim) = both_speak(&mut world);
    assert!(by_alice > 0.9 && by_jim > 0.9, "{by_alice} {by_jim}");
    assert_eq!(ways(&world), ["draft06"]);
}

#[test]
fn our_offers_have_two_security_lines_and_our_answers_one() {
    let lines = |text: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("a=crypto:"));
        lines.map(|line| line.split_once('|').map_or("", |(_, end)| end).to_owned()).collect::<Vec<_>>()
    };
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    let invites: Vec<_> = world.said.iter().filter(|said| said.starts_with("INVITE")).collect();
    assert_eq!(lines(invites[0]), ["2^31|1:1", "2^31"], "{}", invites[0]);
    // Later ones repeat what was agreed.
    assert_eq!(invites.len(), 2);
    assert_eq!(lines(invites[1]).len(), 1, "{}", invites[1]);

    let mut world = World::settled(&Options::new());
    user_calls(&mut world, ALICE, "sip:jim@example.net");
    world.run(2 * SECOND);
    world.handset(JIM, &HandsetCommand::Answer);
    world.run(SECOND);
    let answers =
        world.said.iter().filter(|said| said.starts_with("SIP/2.0 200") && said.contains("m=audio"));
    for answer in answers.clone() {
        assert_eq!(lines(answer), ["2^31|1:1"], "{answer}");
    }
    assert_eq!(answers.count(), 2, "to INVITE and to the last offer");
}

#[test]
fn strangers_checks_change_nothing() {
    let mut world = World::settled(&Options::new());
    jim_calls_alice(&mut world);
    let stranger: SocketAddr = "10.0.0.99:9".parse().expect("an address");
    let to = world.datagrams.iter().find(|(.., first, _)| *first >= 128).map(|(from, ..)| *from);
    let to = to.into_iter().chain(["10.0.0.1:20000".parse().expect("an address")]);
    for to in to {
        for first in [0, 1, 3] {
            let mut octets = vec![0; 20];
            octets[0] = first;
            world.throw(stranger, to, octets);
        }
    }
    world.run(Duration::from_secs(1));
    let (by_alice, by_jim) = both_speak(&mut world);
    assert!(by_alice > 0.9 && by_jim > 0.9, "{by_alice} {by_jim}");
    assert!(world.datagrams.iter().all(|(_, to, ..)| *to != stranger), "no answer");
}
