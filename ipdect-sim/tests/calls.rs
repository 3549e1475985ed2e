//! Lync users call each other through the front end, in virtual time.

mod lab;

use std::time::Duration;

use ipdect_sim::user::{Error, UserConfig};
use lab::{Lab, speech, uri};
use sip_lync::ice::Dialect;
use srtp_sdes::{NegotiationConfig, SrtpPolicy};
use telephony_audio::correlation::audio_match;

/// Two users, registered, their events looked away from.
fn alice_and_bob() -> (Lab, usize, usize) {
    let mut lab = Lab::new();
    let alice = lab.add("alice");
    let bob = lab.add("bob");
    assert_eq!(lab.saw(alice), ["registered"]);
    assert_eq!(lab.saw(bob), ["registered"]);
    lab.reported();
    (lab, alice, bob)
}

/// Alice calls Bob and Bob answers.
fn connected() -> (Lab, usize, usize) {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(alice, |user, now| user.call(now, "sip:bob@example.net")).expect("a call");
    assert_eq!(lab.saw(alice), ["ringing 180"]);
    assert_eq!(lab.saw(bob), ["incoming"]);
    lab.act(bob, ipdect_sim::user::LyncUser::answer).expect("it rings");
    assert_eq!(lab.saw(alice), ["media", "connected"]);
    assert_eq!(lab.saw(bob), ["media", "connected"]);
    assert_eq!(lab.reported(), ["call", "answered by bob@example.net"]);
    (lab, alice, bob)
}

#[test]
fn a_registration_yields_the_predicted_gruu() {
    let mut lab = Lab::new();
    let mut config = UserConfig::new(uri("sip:alice@example.net"));
    config.epid = "01010101".to_owned();
    let alice = lab.add_with(config, lab::CLIENT_NAME);
    let line = serde_json::to_value(&lab.users[alice].events[0]).expect("JSON");
    assert_eq!(line["gruu"], "sip:alice@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu");
    assert_eq!(line["expires"], 600);
    assert!(lab.front_end.is_registered(&uri("sip:Alice@example.net")));
}

#[test]
fn a_registration_is_refreshed_before_it_expires() {
    let (mut lab, _, _) = alice_and_bob();
    lab.pass(Duration::from_mins(20));
    let events = lab.reported();
    assert!(events.len() >= 4 && events.iter().all(|event| event == "registered"), "{events:?}");
    assert!(lab.events.is_empty());
    assert_eq!(lab.front_end.registered(), 2);
}

#[test]
fn a_peer_without_a_trusted_name_is_challenged() {
    for certificate in ["", "mallory.example.net"] {
        let mut lab = Lab::new();
        let alice = lab.add_with(UserConfig::new(uri("sip:alice@example.net")), certificate);
        assert_eq!(lab.saw(alice), ["registration-failed 401"], "{certificate}");
        assert!(lab.down(alice, "SIP/2.0 401")[0].contains("WWW-Authenticate: NTLM "));
        assert_eq!(lab.front_end.registered(), 0);
    }
}

#[test]
fn a_user_that_is_not_homed_here_is_not_found() {
    let mut lab = Lab::new();
    let dave = lab.add("dave");
    assert_eq!(lab.saw(dave), ["registration-failed 404"]);
}

#[test]
fn speech_is_heard_on_both_sides_and_the_call_ends_with_bye() {
    let (mut lab, alice, bob) = connected();
    let (one, two) = (speech(140.0, 3), speech(230.0, 3));
    lab.users[alice].play(&one);
    lab.users[bob].play(&two);
    lab.pass(Duration::from_secs(4));
    lab.act(alice, ipdect_sim::user::LyncUser::hang_up);
    assert_eq!(lab.saw(alice), ["released"]);
    assert_eq!(lab.saw(bob), ["released"]);
    assert_eq!(lab.reported(), ["ended by alice@example.net"]);
    assert!(audio_match(&one, &lab.users[bob].heard) > 0.9);
    assert!(audio_match(&two, &lab.users[alice].heard) > 0.9);
    assert!(audio_match(&one, &lab.users[alice].heard) < 0.5);
    assert!(!lab.users[alice].user.has_call() && !lab.users[bob].user.has_call());
}

#[test]
fn media_is_srtp_with_mki_as_lync_offers_it() {
    let (lab, alice, _) = connected();
    let answer = lab.down(alice, "SIP/2.0 200 OK").pop().expect("an answer");
    assert!(answer.contains("m=audio 30002 RTP/SAVP 8"), "{answer}");
    assert_eq!(answer.matches("a=crypto:").count(), 1);
    assert!(answer.contains("|2^31|1:1"), "{answer}");
}

#[test]
fn two_users_find_their_way_by_ice_and_speak_only_then() {
    let mut lab = Lab::new();
    let alice = lab.add_speaking("alice", Some(Dialect::MsIce2));
    let bob = lab.add_speaking("bob", Some(Dialect::Rfc8445));
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    lab.act(bob, ipdect_sim::user::LyncUser::answer).expect("it rings");
    assert!(lab.saw(bob).contains(&"connected".to_owned()));
    lab.pass(Duration::from_secs(1));
    // The dialect of the offer; the last offer of the caller changes nothing in the speech.
    for user in [alice, bob] {
        let way = lab.users[user]
            .events
            .iter()
            .any(|event| matches!(event, ipdect_sim::user::Event::Way { dialect: "ms-ice2", .. }));
        assert!(way, "{:?}", lab.users[user].events);
    }
    assert_eq!(lab.down(bob, "INVITE").len(), 2);
    assert!(lab.down(bob, "INVITE")[1].contains("a=remote-candidates:"));
    let one = speech(140.0, 3);
    lab.users[alice].play(&one);
    lab.pass(Duration::from_secs(4));
    lab.act(alice, ipdect_sim::user::LyncUser::hang_up);
    // Silence was heard before the way was looked at.
    let heard = &lab.users[bob].heard;
    let begin = heard.iter().position(|sample| sample.unsigned_abs() > 300).unwrap_or_default();
    assert!(audio_match(&one, &heard[begin.saturating_sub(400)..]) > 0.9);
}

#[test]
fn a_call_is_held_and_retrieved_from_either_side() {
    let (mut lab, alice, bob) = connected();
    for (one, other) in [(alice, bob), (bob, alice)] {
        lab.act(one, ipdect_sim::user::LyncUser::hold).expect("it can be held");
        assert_eq!(lab.saw(one), ["media", "held by us"]);
        assert_eq!(lab.saw(other), ["media", "held by them"]);
        assert_eq!(
            lab.act(one, ipdect_sim::user::LyncUser::hold),
            Err(Error::WrongState("it is held already"))
        );
        let sent = lab.users[one].talk.as_ref().map(|talk| talk.counters().packets_sent);
        lab.pass(Duration::from_secs(1));
        assert_eq!(lab.users[one].talk.as_ref().map(|talk| talk.counters().packets_sent), sent);
        lab.act(one, ipdect_sim::user::LyncUser::retrieve).expect("it can be retrieved");
        assert_eq!(lab.saw(one), ["media", "retrieved by us"]);
        assert_eq!(lab.saw(other), ["media", "retrieved by them"]);
        lab.pass(Duration::from_secs(1));
        let counters = lab.users[other].talk.as_ref().map(ipdect_sim::talk::Talk::counters).expect("media");
        assert!(counters.packets_received > 40 && counters.packets_unauthentic == 0, "{counters:?}");
    }
}

#[test]
fn a_caller_who_gives_up_ends_the_ringing() {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    lab.saw(alice);
    lab.act(alice, ipdect_sim::user::LyncUser::hang_up);
    assert_eq!(lab.saw(bob), ["incoming", "released"]);
    assert_eq!(lab.saw(alice).last().map(String::as_str), Some("released"));
    assert_eq!(lab.reported(), ["call", "failed 487"]);
}

#[test]
fn a_user_in_a_call_is_busy() {
    let (mut lab, _, _) = connected();
    let carol = lab.add("carol");
    lab.saw(carol);
    lab.reported();
    lab.act(carol, |user, now| user.call(now, "sip:alice@example.net")).expect("a call");
    assert_eq!(lab.saw(carol), ["released 486"]);
    assert_eq!(lab.reported(), ["call", "failed 486"]);
}

#[test]
fn a_declined_call_ends_with_603() {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    let decline = sip_lync::StatusCode::new(603).expect("a status");
    lab.act(bob, |user, now| user.reject(now, decline)).expect("it rings");
    assert_eq!(lab.saw(alice), ["ringing 180", "released 603"]);
    assert_eq!(lab.saw(bob), ["incoming", "released"]);
}

#[test]
fn all_endpoints_of_a_user_ring_and_the_losers_learn_who_answered() {
    let (mut lab, alice, bob) = alice_and_bob();
    let desk = lab.add("bob");
    lab.saw(desk);
    lab.reported();
    lab.act(alice, |user, now| user.call(now, "sip:bob@example.net")).expect("a call");
    assert_eq!(lab.saw(bob), ["incoming"]);
    assert_eq!(lab.saw(desk), ["incoming"]);
    lab.act(desk, ipdect_sim::user::LyncUser::answer).expect("it rings");
    assert_eq!(lab.saw(desk), ["media", "connected"]);
    assert_eq!(lab.saw(bob), ["released"]);
    let cancel = lab.down(bob, "CANCEL ").pop().expect("a CANCEL").to_owned();
    assert!(
        cancel.contains(
            "Reason: SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:bob@example.net\""
        ),
        "{cancel}"
    );
    assert_eq!(lab.saw(alice).last().map(String::as_str), Some("connected"));
    lab.act(desk, ipdect_sim::user::LyncUser::hang_up);
    assert_eq!(lab.saw(alice), ["released"]);
}

#[test]
fn a_gruu_reaches_one_endpoint_only() {
    let (mut lab, alice, bob) = alice_and_bob();
    let desk = lab.add("bob");
    let gruu = serde_json::to_value(&lab.users[desk].events[0]).expect("JSON")["gruu"]
        .as_str()
        .expect("a GRUU")
        .to_owned();
    lab.saw(desk);
    lab.act(alice, |user, now| user.call(now, &gruu)).expect("a call");
    assert_eq!(lab.saw(desk), ["incoming"]);
    assert!(lab.saw(bob).is_empty());
}

#[test]
fn a_line_is_called_by_its_number() {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(alice, |user, now| user.call(now, "+14255550101")).expect("a call");
    assert_eq!(lab.saw(bob), ["incoming"]);
    let invite = lab.down(bob, "INVITE ").pop().expect("an INVITE").to_owned();
    assert!(
        invite.contains("P-Asserted-Identity: \"Alice\"<sip:alice@example.net>,<tel:+14255550100>"),
        "{invite}"
    );
    assert!(
        invite.contains("History-Info: <sip:bob@example.net>;index=1;ms-target-phone=\"tel:+14255550101\""),
        "{invite}"
    );
    assert!(invite.contains("ms-fe=fe1.example.net") && invite.contains("ms-received-cid="), "{invite}");
    assert!(invite.contains("epid=0001010102"), "the front end writes the called endpoint's epid: {invite}");
    assert!(!invite.contains("proxy=replace"), "{invite}");
}

#[test]
fn who_is_not_registered_or_unknown_is_told_apart() {
    let mut lab = Lab::new();
    let alice = lab.add("alice");
    lab.saw(alice);
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    assert_eq!(lab.saw(alice), ["released 480"]);
    lab.act(alice, |user, now| user.call(now, "nobody")).expect("a call");
    assert_eq!(lab.saw(alice), ["released 404"]);
}

#[test]
fn nobody_answers_for_ever() {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    lab.pass(Duration::from_secs(400));
    assert!(!lab.users[alice].user.has_call());
    assert!(!lab.users[bob].user.has_call());
}

#[test]
fn an_endpoint_whose_connection_goes_while_it_rings_is_unavailable() {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    lab.disconnect(bob);
    assert_eq!(lab.saw(alice), ["ringing 180", "released 480"]);
    assert!(!lab.front_end.is_registered(&uri("sip:bob@example.net")));
}

#[test]
fn srtp_policies_that_do_not_fit_end_the_call_with_488() {
    let (mut lab, alice, _) = alice_and_bob();
    let mut config = UserConfig::new(uri("sip:carol@example.net"));
    config.srtp = NegotiationConfig::new(SrtpPolicy::Off);
    let carol = lab.add_with(config, lab::CLIENT_NAME);
    lab.act(alice, |user, now| user.call(now, "carol")).expect("a call");
    assert!(lab.act(carol, ipdect_sim::user::LyncUser::answer).is_err());
    assert_eq!(lab.saw(alice), ["ringing 180", "released 488"]);
}

#[test]
fn after_a_restart_registrations_and_routes_are_gone() {
    let (mut lab, alice, bob) = connected();
    let mut config = lab::front_end_config();
    config.port = 5061;
    lab.front_end = ipdect_sim::frontend::FrontEnd::new(config, ipdect_sim::Seed::from_number(2));
    for at in [alice, bob] {
        lab.users[at].open = false;
        lab.users[at].user.handle_input(lab.now, ipdect_sim::user::Input::FlowClosed);
    }
    lab.settle();
    assert_eq!(lab.front_end.registered(), 0);
    lab.saw(alice);
    lab.connect(alice, lab::CLIENT_NAME);
    assert!(lab.saw(alice).contains(&"registered".to_owned()));
}

#[test]
fn a_deregistered_user_cannot_be_called() {
    let (mut lab, alice, bob) = alice_and_bob();
    lab.act(bob, ipdect_sim::user::LyncUser::deregister);
    assert_eq!(lab.saw(bob), ["deregistered"]);
    assert_eq!(lab.reported(), ["deregistered"]);
    lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
    assert_eq!(lab.saw(alice), ["released 480"]);
}
