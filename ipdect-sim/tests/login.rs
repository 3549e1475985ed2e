//! Users who log in with NTLM at the front end: both ends sign everything, and what is not signed does nothing.

mod lab;

use ipdect_sim::frontend::{Event, Input, Password};
use ipdect_sim::login::Account;
use ipdect_sim::user::{LyncUser, UserConfig};
use lab::{Lab, front_end_config, uri};
use ntlm_auth::ProtocolVersion;

fn lab(version: ProtocolVersion) -> Lab {
    let mut config = front_end_config();
    for user in &mut config.users {
        "CONTOSO".clone_into(&mut user.domain);
        user.account = user.uri.user().unwrap_or_default().to_owned();
        user.password = Password(format!("{} secret", user.account));
    }
    config.authentication_version = version;
    Lab::with(config)
}

fn log_in(lab: &mut Lab, name: &str, account: &str, password: &str) -> usize {
    let mut config = UserConfig::new(uri(&format!("sip:{name}@example.net")));
    config.account = Account::new(account, password);
    lab.add_with(config, "")
}

#[test]
fn a_user_logs_in_and_from_then_on_both_sign_every_message() {
    for version in [ProtocolVersion::V4, ProtocolVersion::V3] {
        let mut lab = lab(version);
        let alice = log_in(&mut lab, "alice", "CONTOSO\\alice", "alice secret");
        let bob = lab.add("bob");
        assert_eq!(lab.saw(alice), ["registered"], "{version:?}");
        lab.act(alice, |user, now| user.call(now, "bob")).expect("a call");
        lab.act(bob, LyncUser::answer).expect("it rings");
        lab.act(alice, LyncUser::hold).expect("a call");
        lab.act(alice, LyncUser::retrieve).expect("a held call");
        lab.act(bob, LyncUser::hang_up);
        assert_eq!(
            lab.saw(alice),
            [
                "ringing 180",
                "media",
                "connected",
                "media",
                "held by us",
                "media",
                "retrieved by us",
                "released"
            ]
        );

        let flow = lab.users[alice].flow;
        let wire: Vec<_> = lab.wire.iter().filter(|(on, ..)| *on == flow).collect();
        let logged_in =
            wire.iter().position(|(.., text)| text.starts_with("SIP/2.0 200")).expect("registered");
        assert!(wire.len() > logged_in + 10, "{version:?}");
        for (_, way, text) in wire.get(logged_in..).unwrap_or_default() {
            let signed = match *way {
                "up" => text.contains("Authorization: NTLM") && text.contains("response=\""),
                _ => text.starts_with("SIP/2.0 100") || text.contains("Authentication-Info: NTLM"),
            };
            assert!(signed, "{way} {text}");
        }
        // What proves alice does not go on to bob.
        let called = lab.down(bob, "INVITE ").join("\n");
        assert!(!called.is_empty() && !called.contains("Authorization"), "{called}");
        assert!(
            !lab.events
                .iter()
                .any(|event| matches!(event, Event::Unsigned { .. } | Event::LoginFailed { .. }))
        );
    }
}

#[test]
fn a_user_who_logged_in_is_called_and_answers() {
    let mut lab = lab(ProtocolVersion::V4);
    let alice = lab.add("alice");
    let bob = log_in(&mut lab, "bob", "CONTOSO\\bob", "bob secret");
    for target in ["bob", "+14255550101"] {
        lab.act(alice, |user, now| user.call(now, target)).expect("a call");
        lab.act(bob, LyncUser::answer).expect("it rings");
        lab.act(bob, LyncUser::hold).expect("a call");
        lab.act(bob, LyncUser::hang_up);
        let saw = lab.saw(alice);
        assert!(
            saw.ends_with(&["connected".into(), "media".into(), "held by them".into(), "released".into()]),
            "{saw:?}"
        );
    }
    assert!(!lab.events.iter().any(|event| matches!(event, Event::Unsigned { .. })), "{:?}", lab.events);
}

#[test]
fn a_wrong_password_is_tried_once_and_the_reason_is_told_on_both_sides() {
    let mut lab = lab(ProtocolVersion::V4);
    let alice = log_in(&mut lab, "alice", "CONTOSO\\alice", "Alice secret");
    let saw = format!("{:?}", lab.users[alice].events);
    assert!(saw.contains("the server refuses the account or its password"), "{saw}");
    let answers = lab.wire.iter().filter(|(_, way, _)| *way == "up").count();
    assert_eq!(answers, 3, "REGISTER, NTLM without a token, one answer to the challenge");
    assert!(lab.events.iter().any(|event| matches!(event, Event::LoginFailed { .. })), "{:?}", lab.events);
    assert_eq!(lab.front_end.registered(), 0);
}

#[test]
fn an_account_registers_its_own_user_only() {
    let mut lab = lab(ProtocolVersion::V4);
    let bob = log_in(&mut lab, "bob", "CONTOSO\\alice", "alice secret");
    assert_eq!(lab.front_end.registered(), 0);
    let refused = lab.down(bob, "SIP/2.0 403").join("");
    assert!(refused.contains("4004"), "{refused}");
}

#[test]
fn a_message_that_was_changed_or_comes_again_is_refused() {
    let mut lab = lab(ProtocolVersion::V4);
    let alice = log_in(&mut lab, "alice", "CONTOSO\\alice", "alice secret");
    lab.act(alice, |user, now| user.call(now, "carol")).expect("a call");
    let flow = lab.users[alice].flow;
    let (.., invite) = lab.wire.iter().find(|(.., text)| text.starts_with("INVITE ")).cloned().expect("sent");
    let mut answer = |text: &str| {
        lab.front_end.handle_input(lab.now, Input::Bytes { flow, bytes: text.as_bytes() });
        let mut buffer = bytes::BytesMut::new();
        while lab.front_end.poll_transmit(&mut buffer).is_some() {}
        String::from_utf8_lossy(&buffer).into_owned()
    };
    let again = answer(&invite);
    assert!(again.contains("403") && again.contains("was there before"), "{again}");
    let changed = answer(&invite.replacen("To: <sip:carol@", "To: <sip:mallory@", 1));
    assert!(changed.contains("403") && changed.contains("the signature is wrong"), "{changed}");
    let unsigned: String = invite
        .lines()
        .filter(|line| !line.starts_with("Authorization"))
        .fold(String::new(), |text, line| text + line + "\r\n");
    assert!(answer(&unsigned).starts_with("SIP/2.0 407"));
}

#[test]
fn after_a_restart_of_the_front_end_the_user_logs_in_anew() {
    let mut lab = lab(ProtocolVersion::V4);
    let alice = log_in(&mut lab, "alice", "CONTOSO\\alice", "alice secret");
    assert_eq!(lab.saw(alice), ["registered"]);
    lab.disconnect(alice);
    assert_eq!(lab.front_end.registered(), 0);
    lab.connect(alice, "");
    assert!(lab.saw(alice).contains(&"registered".to_owned()));
    assert_eq!(lab.front_end.registered(), 1);
    let logins = lab.events.iter().filter(|event| matches!(event, Event::LoggedIn { .. })).count();
    assert_eq!(logins, 2);
}
