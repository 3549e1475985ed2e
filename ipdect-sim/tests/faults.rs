//! Each fault does what it says, on the wire and to a user of ours; in virtual time.

mod lab;
mod stranger;

use std::time::Duration;

use ipdect_sim::frontend::{Event, Fault, Password};
use ipdect_sim::login::Account;
use ipdect_sim::user::{LyncUser, UserConfig};
use lab::{Lab, front_end_config, uri};
use stranger::{CLIENT_CONTACT, SERVER_CONTACT, Site, invite, register};

fn fault(text: &str) -> Fault {
    text.parse().expect(text)
}

fn site(faults: &[&str]) -> Site {
    let faults = faults.iter().map(|text| fault(text)).collect();
    let mut site = Site::new(|config| config.faults = faults);
    site.open(1, "dect.example.net");
    site
}

#[test]
fn drop_closes_the_connection_instead_of_answering() {
    let mut site = site(&["drop=INVITE"]);
    assert!(site.one(1, &register("alice", "01", CLIENT_CONTACT, "")).starts_with("SIP/2.0 200 "));
    assert!(site.send(1, &invite("alice", "sip:bob@example.net", ";branch=z9hG4bKd")).is_empty());
    assert!(site.events.iter().any(|event| matches!(event, Event::Close { .. })), "{:?}", site.events);
}

#[test]
fn late_sends_everything_later() {
    let mut site = site(&["late=4"]);
    assert!(site.send(1, &register("alice", "01", CLIENT_CONTACT, "")).is_empty());
    assert!(site.pass(Duration::from_millis(3999)).is_empty());
    let sent = site.pass(Duration::from_millis(1));
    assert!(sent.len() == 1 && sent[0].1.starts_with("SIP/2.0 200 "), "{sent:?}");
}

#[test]
fn statuses_refuse_the_requests_they_name_and_no_others() {
    for (name, status, error) in [("503", "503", "1"), ("504", "504", "1007")] {
        let mut site = site(&[&format!("{name}=REGISTER")]);
        let answer = site.one(1, &register("alice", "01", CLIENT_CONTACT, ""));
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} "))
                && answer.contains(&format!("ms-diagnostics: {error};")),
            "{answer}"
        );
        site.front_end.set_faults(Vec::new());
        let again = register("alice", "02", CLIENT_CONTACT, "");
        assert!(site.one(1, &again).starts_with("SIP/2.0 200 "));
    }
}

#[test]
fn flow_failed_comes_inside_dialogs_and_says_how_to_recover() {
    let mut site = site(&["430=INVITE"]);
    site.one(1, &register("dect1", "01", SERVER_CONTACT, ""));
    let begins = invite("alice", "sip:dect1@example.net", ";branch=z9hG4bKa");
    assert!(site.send(1, &begins)[0].1.starts_with("SIP/2.0 100 "), "a call that begins is none of it");
    let within = invite("alice", "sip:dect1@example.net", ";branch=z9hG4bKb")
        .replace("To: <sip:dect1@example.net>", "To: <sip:dect1@example.net>;tag=9");
    let answer = site.one(1, &within);
    assert!(
        answer.starts_with("SIP/2.0 430 ")
            && answer.contains("P-Dialog-Recovery-Action: dialog-route-set-update")
            && answer.contains("ms-diagnostics: 1004;"),
        "{answer}"
    );
}

#[test]
fn deregister_ends_registrations_after_their_time() {
    let mut site = site(&["deregister=7"]);
    site.one(1, &register("dect1", "01", SERVER_CONTACT, ""));
    assert!(site.pass(Duration::from_millis(6999)).is_empty());
    let sent = site.pass(Duration::from_millis(1));
    assert!(sent[0].1.ends_with("deregistered;event=deactivated"), "{sent:?}");
    assert_eq!(site.front_end.registered(), 0);
}

#[test]
fn redirect_loop_sends_everybody_to_where_they_are() {
    let mut site = site(&["redirect-loop"]);
    let answer = site.one(1, &register("dect1", "01", SERVER_CONTACT, ""));
    assert!(
        answer.starts_with("SIP/2.0 301 ")
            && answer.contains("Contact: <sip:fe1.example.net:5061;transport=TLS>;q=0.7"),
        "{answer}"
    );
}

#[test]
fn half_open_hears_and_says_nothing_any_more() {
    let mut site = site(&["half-open=10"]);
    site.one(1, &register("dect1", "01", SERVER_CONTACT, ""));
    site.pass(Duration::from_secs(10));
    assert!(site.send(1, &invite("dect1", "sip:bob@example.net", ";branch=z9hG4bKh")).is_empty());
    // A new connection works until its time has come.
    site.open(2, "dect.example.net");
    let answer = site.one(2, &register("alice", "02", SERVER_CONTACT, ""));
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
}

/// A site whose users log in with NTLM.
fn with_logins(faults: &[&str]) -> Lab {
    let mut config = front_end_config();
    for user in &mut config.users {
        "CONTOSO".clone_into(&mut user.domain);
        user.account = user.uri.user().unwrap_or_default().to_owned();
        user.password = Password("secret".to_owned());
    }
    config.faults = faults.iter().map(|text| fault(text)).collect();
    Lab::with(config)
}

fn log_in(lab: &mut Lab, name: &str) -> usize {
    let mut config = UserConfig::new(uri(&format!("sip:{name}@example.net")));
    config.account = Account::new(&format!("CONTOSO\\{name}"), "secret");
    lab.add_with(config, "")
}

#[test]
fn nobody_believes_a_wrong_signature() {
    let mut lab = with_logins(&["wrong-signature"]);
    let alice = log_in(&mut lab, "alice");
    assert!(!lab.users[alice].user.is_registered(), "{:?}", lab.users[alice].events);
    let mut lab = with_logins(&[]);
    let alice = log_in(&mut lab, "alice");
    assert!(lab.users[alice].user.is_registered());
}

#[test]
fn a_stale_nonce_is_challenged_and_the_next_try_goes_through() {
    let mut lab = with_logins(&[]);
    let (alice, bob) = (log_in(&mut lab, "alice"), lab.add("bob"));
    lab.front_end.set_faults(vec![fault("stale-nonce=INVITE")]);
    lab.saw(bob);
    lab.act(alice, |user, now| user.call(now, "sip:bob@example.net")).expect("a call");
    assert!(lab.events.iter().any(|event| matches!(event, Event::Fault { .. })), "{:?}", lab.events);
    assert!(!lab.down(alice, "SIP/2.0 407").is_empty(), "it was challenged");
    // Our user signs the call once more, and it goes through.
    assert_eq!(lab.saw(bob), ["incoming"]);
    lab.act(bob, LyncUser::answer).expect("it rings");
    assert!(lab.saw(alice).contains(&"connected".to_owned()));
}
