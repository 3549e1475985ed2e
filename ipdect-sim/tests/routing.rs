//! Who is asked: forwarding, delegates, groups, links with room for so many calls; in virtual time.

mod lab;

use std::time::Duration;

use ipdect_sim::frontend::{FrontEndConfig, Hunting, NetworkLink, NetworkSite, ResponseGroup};
use ipdect_sim::user::LyncUser;
use lab::{Lab, front_end_config, uri};
use sip_lync::{StatusCode, Uri};

fn to(text: &str) -> Uri {
    Uri::parse(text).expect(text)
}

/// Alice, Bob and Carol, registered, with what is set before.
fn site(set: impl FnOnce(&mut FrontEndConfig)) -> (Lab, usize, usize, usize) {
    let mut config = front_end_config();
    set(&mut config);
    let mut lab = Lab::with(config);
    let (alice, bob, carol) = (lab.add("alice"), lab.add("bob"), lab.add("carol"));
    for user in [alice, bob, carol] {
        assert_eq!(lab.saw(user), ["registered"]);
    }
    lab.reported();
    (lab, alice, bob, carol)
}

fn call(lab: &mut Lab, from: usize, target: &str) {
    lab.act(from, |user, now| user.call(now, target)).expect("a call");
}

#[test]
fn a_call_is_forwarded_at_once_and_says_whose_it_was() {
    let (mut lab, alice, bob, carol) =
        site(|config| config.users[1].calls.forward = Some(to("sip:carol@example.net")));
    call(&mut lab, alice, "sip:bob@example.net");
    assert_eq!((lab.saw(bob).len(), lab.saw(carol)), (0, vec!["incoming".to_owned()]));
    let invite = lab.down(carol, "INVITE ")[0];
    assert!(
        invite.contains(
            "<sip:bob@example.net>;index=1;ms-retarget-reason=forwarding;ms-target-phone=\"tel:+14255550101\", \
             <sip:carol@example.net>;index=1.1;ms-target-phone=\"tel:+14255550102\""
        ),
        "{invite}"
    );
}

#[test]
fn a_call_that_nobody_answers_goes_on_and_stops_ringing_where_it_was() {
    let (mut lab, alice, bob, carol) =
        site(|config| config.users[1].calls.unanswered = Some(to("tel:+14255550102")));
    call(&mut lab, alice, "sip:bob@example.net");
    lab.pass(Duration::from_secs(19));
    assert_eq!((lab.saw(bob), lab.saw(carol).len()), (vec!["incoming".to_owned()], 0));
    lab.pass(Duration::from_secs(2));
    assert_eq!((lab.saw(bob), lab.saw(carol)), (vec!["released".to_owned()], vec!["incoming".to_owned()]));
    assert!(lab.down(bob, "CANCEL ")[0].contains("Reason: SIP;cause=302"), "{:?}", lab.down(bob, "CANCEL "));
    lab.saw(alice);
    lab.act(carol, LyncUser::answer).expect("it rings");
    assert_eq!(lab.saw(alice), ["media", "connected"]);
    assert_eq!(lab.reported(), ["call", "forwarded", "answered by carol@example.net"]);
}

#[test]
fn a_busy_user_forwards_without_delay_but_not_one_who_declines_for_everybody() {
    for (status, goes_on) in [(StatusCode::BUSY_HERE, true), (StatusCode::DECLINE, false)] {
        let (mut lab, alice, bob, carol) =
            site(|config| config.users[1].calls.unanswered = Some(to("sip:carol@example.net")));
        call(&mut lab, alice, "sip:bob@example.net");
        lab.act(bob, |user, now| user.reject(now, status)).expect("it rings");
        assert_eq!(!lab.saw(carol).is_empty(), goes_on, "{status}");
        assert_eq!(lab.users[alice].user.has_call(), goes_on, "{status}");
    }
}

#[test]
fn calls_that_are_forwarded_in_a_circle_are_refused() {
    let (mut lab, alice, ..) = site(|config| {
        config.users[1].calls.forward = Some(to("sip:carol@example.net"));
        config.users[2].calls.forward = Some(to("sip:bob@example.net"));
    });
    call(&mut lab, alice, "sip:bob@example.net");
    assert_eq!(lab.saw(alice), ["released 482"]);
    assert!(lab.down(alice, "SIP/2.0 482")[0].contains("ms-diagnostics: 13000;"));
}

#[test]
fn delegates_and_simultaneous_ringing_ring_together_and_the_losers_learn_who_answered() {
    let (mut lab, alice, bob, carol) = site(|config| {
        let mut dave = config.users[0].clone();
        (dave.uri, dave.tel) = (uri("sip:dave@example.net"), None);
        config.users.push(dave);
        config.users[1].calls.delegates = vec![to("sip:carol@example.net")];
        config.users[1].calls.simultaneous = vec![to("sip:dave@example.net")];
    });
    let dave = lab.add("dave");
    lab.saw(dave);
    call(&mut lab, alice, "sip:bob@example.net");
    for user in [bob, carol, dave] {
        assert_eq!(lab.saw(user), ["incoming"]);
    }
    assert!(lab.down(carol, "INVITE ")[0].contains("ms-retarget-reason=delegation"));
    assert!(lab.down(dave, "INVITE ")[0].contains("ms-retarget-reason=simultaneous_ring"));
    lab.act(carol, LyncUser::answer).expect("it rings");
    for user in [bob, dave] {
        let cancel = lab.down(user, "CANCEL ")[0];
        assert!(
            cancel.contains(
                "cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:carol@example.net\""
            ),
            "{cancel}"
        );
    }
}

#[test]
fn a_safe_transfer_is_not_forwarded() {
    let (mut lab, alice, bob, carol) =
        site(|config| config.users[1].calls.forward = Some(to("sip:carol@example.net")));
    // The user has no word for it: the header is put into the message on its way.
    call(&mut lab, alice, "sip:alice@example.net");
    let text =
        lab.wire.iter().find(|(_, way, text)| *way == "up" && text.starts_with("INVITE ")).expect("a call");
    let text = text
        .2
        .replace("sip:alice@example.net SIP/2.0", "sip:bob@example.net SIP/2.0")
        .replace("CSeq:", "Ms-Sensitivity: private-no-diversion\r\nCSeq:")
        .replace("Call-ID: ", "Call-ID: safe")
        .replace("branch=z9hG4bK", "branch=z9hG4bKsafe");
    let flow = lab.users[alice].flow;
    lab.front_end.handle_input(lab.now, ipdect_sim::frontend::Input::Bytes { flow, bytes: text.as_bytes() });
    lab.settle();
    assert_eq!((lab.saw(bob), lab.saw(carol).len()), (vec!["incoming".to_owned()], 0));
}

fn group(hunting: Hunting) -> impl FnOnce(&mut FrontEndConfig) {
    move |config| {
        config.groups.push(ResponseGroup {
            uri: uri("sip:helpdesk@example.net"),
            tel: Some("+14255550199".to_owned()),
            agents: vec![uri("sip:bob@example.net"), uri("sip:carol@example.net")],
            hunting,
            patience: Duration::from_secs(10),
            overflow: Some(to("sip:alice@example.net")),
        });
    }
}

#[test]
fn a_group_asks_all_agents_or_one_after_the_other_and_then_the_overflow() {
    let (mut lab, alice, bob, carol) = site(group(Hunting::Parallel));
    call(&mut lab, alice, "tel:+14255550199");
    assert_eq!((lab.saw(bob), lab.saw(carol)), (vec!["incoming".to_owned()], vec!["incoming".to_owned()]));
    assert!(
        lab.down(bob, "INVITE ")[0]
            .contains("<sip:helpdesk@example.net>;index=1;ms-retarget-reason=response_group")
    );

    let (mut lab, alice, bob, carol) = site(group(Hunting::Serial));
    call(&mut lab, alice, "sip:helpdesk@example.net");
    assert_eq!((lab.saw(bob).len(), lab.saw(carol).len()), (1, 0));
    lab.pass(Duration::from_secs(11));
    assert_eq!((lab.saw(bob), lab.saw(carol)), (vec!["released".to_owned()], vec!["incoming".to_owned()]));
    // Nobody answers: it comes to Alice, who is in this call and busy.
    lab.pass(Duration::from_secs(11));
    assert_eq!(lab.saw(carol), ["released"]);
    assert!(!lab.users[alice].user.has_call());
    assert_eq!(lab.reported(), ["call", "forwarded", "forwarded", "failed 486"]);
}

#[test]
fn a_group_that_goes_round_begins_with_another_agent_each_time() {
    let (mut lab, alice, bob, carol) = site(group(Hunting::RoundRobin));
    for (first, second) in [(bob, carol), (carol, bob), (bob, carol)] {
        call(&mut lab, alice, "sip:helpdesk@example.net");
        assert_eq!((lab.saw(first), lab.saw(second).len()), (vec!["incoming".to_owned()], 0));
        lab.act(alice, LyncUser::hang_up);
        lab.saw(first);
    }
}

#[test]
fn a_link_between_two_sites_takes_so_many_calls_and_has_room_again_after_them() {
    let mut config = front_end_config();
    let site = |name: &str, address: &str| NetworkSite {
        name: name.to_owned(),
        networks: vec![(address.parse().expect("an address"), 24)],
    };
    config.sites = vec![site("north", "192.0.2.0"), site("south", "198.51.100.0")];
    config.links.push(NetworkLink { between: ("north".to_owned(), "south".to_owned()), audio: 150 });
    let mut dave = config.users[0].clone();
    dave.uri = uri("sip:dave@example.net");
    config.users.push(dave);
    let mut lab = Lab::with(config);
    let (alice, bob) = (lab.add("alice"), lab.add("bob"));
    lab.lan = [198, 51, 100, 20];
    let (carol, dave) = (lab.add("carol"), lab.add("dave"));
    for user in [alice, bob, carol, dave] {
        lab.saw(user);
    }
    call(&mut lab, alice, "sip:carol@example.net");
    lab.act(carol, LyncUser::answer).expect("it rings");
    call(&mut lab, bob, "sip:dave@example.net");
    assert_eq!((lab.saw(bob), lab.saw(dave).len()), (vec!["released 480".to_owned()], 0));
    assert!(lab.down(bob, "SIP/2.0 480")[0].contains("ms-diagnostics: 4;"));
    lab.act(alice, LyncUser::hang_up);
    call(&mut lab, bob, "sip:dave@example.net");
    assert_eq!(lab.saw(dave), ["incoming"]);
    // A call that is given up gives its room back too.
    lab.act(bob, LyncUser::hang_up);
    lab.saw(dave);
    call(&mut lab, alice, "sip:dave@example.net");
    assert_eq!(lab.saw(dave), ["incoming"]);
}
