//! Registrations against a scripted Lync registrar.

mod peer;

use std::time::Duration;

use peer::{FLOW, Peer};
use sip_lync::register::State;
use sip_lync::{
    Config, EndReason, Event, FlowId, FlowRole, HeaderName, Method, RegistrationFailure, Retry, StatusCode,
};

const SECOND: Duration = Duration::from_secs(1);

fn header<'a>(request: &'a sip_lync::Request, name: &HeaderName) -> &'a str {
    request.headers.get(name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn register_of_a_trusted_server_names_host_port_epid_and_instance() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    assert_eq!(register.uri.as_str(), "sip:example.net");
    let from = header(&register, &HeaderName::From);
    assert!(from.starts_with("<sip:dect1@example.net>;tag="), "{from}");
    assert!(from.ends_with(";epid=01010101"), "{from}");
    assert_eq!(header(&register, &HeaderName::To), "<sip:dect1@example.net>");
    assert_eq!(header(&register, &HeaderName::CSeq), "1 REGISTER");
    let contact = header(&register, &HeaderName::Contact);
    assert!(contact.starts_with("<sip:dect1@dect.example.net:5061;transport=tls;ms-opaque="), "{contact}");
    assert!(
        contact.contains("+sip.instance=\"<urn:uuid:4B1682A8-F968-5701-83FC-7C6741DC6697>\""),
        "{contact}"
    );
    assert!(contact.contains(";methods=\"INVITE, "), "{contact}");
    assert!(!contact.contains("proxy=replace"), "{contact}");
    let supported = register.headers.supported().unwrap();
    for option in [
        "gruu-10",
        "adhoclist",
        "msrtc-event-categories",
        "ms-cluster-failover",
        "ms-userservices-state-notification",
    ] {
        assert!(supported.contains(option), "{option}");
    }
    assert_eq!(header(&register, &HeaderName::Event), "registration");
    assert_eq!(header(&register, &HeaderName::AllowEvents), "presence");
    assert_eq!(header(&register, &HeaderName::MsKeepAlive), "UAC;hop-hop=yes");
    assert!(
        header(&register, &HeaderName::Via).starts_with("SIP/2.0/TLS dect.example.net:5061;branch=z9hG4bK")
    );
    for absent in [HeaderName::Expires, HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        assert!(!register.headers.contains(&absent), "{absent}");
    }
    assert_eq!(peer.endpoint.registration(peer.user), State::Registering);
}

#[test]
fn register_of_a_client_names_its_address_and_asks_the_proxy_to_replace_it() {
    let mut peer = Peer::with(Config::client("dect.example.net"));
    peer.endpoint.register(peer.now, peer.user, FLOW, Some(300 * SECOND)).unwrap();
    let register = peer.request(&Method::Register);
    let contact = header(&register, &HeaderName::Contact);
    assert!(contact.starts_with("<sip:192.0.2.10:40001;transport=tls;ms-opaque="), "{contact}");
    assert!(contact.contains(";proxy=replace"), "{contact}");
    assert_eq!(header(&register, &HeaderName::Expires), "300");
    assert!(header(&register, &HeaderName::Via).starts_with("SIP/2.0/TLS 192.0.2.10:40001;branch="));
}

#[test]
fn subnet_and_device_are_told_where_they_are_known() {
    let mut config = Config::new("dect.example.net");
    config.subnet = Some("192.0.2.0".to_owned());
    let mut peer = Peer::with(config);
    let mut user = sip_lync::User::new("sip:dect2@example.net".parse().unwrap(), "02020202");
    user.device = Some("MAC=00-13-D1-00-00-01, vendor=ACME, version=1.0".to_owned());
    let user = peer.endpoint.add_user(user);
    peer.endpoint.register(peer.now, user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    assert_eq!(header(&register, &HeaderName::MsSubnet), "192.0.2.0");
    assert_eq!(
        header(&register, &HeaderName::MsDeviceInfo),
        "MAC=00-13-D1-00-00-01, vendor=ACME, version=1.0"
    );
    let invite = sip_lync::Invite::new(peer::uri("sip:bob@example.net"), peer::SDP);
    peer.endpoint.invite(peer.now, user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    assert_eq!(header(&invite, &HeaderName::MsSubnet), "192.0.2.0");
    assert!(!invite.headers.contains(&HeaderName::MsDeviceInfo));
}

#[test]
fn without_gruu_the_event_categories_are_not_announced_either() {
    let mut config = Config::new("dect.example.net");
    config.gruu = false;
    config.use_sips_uri = true;
    let mut peer = Peer::with(config);
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    let supported = register.headers.supported().unwrap();
    assert!(!supported.contains("gruu-10") && !supported.contains("msrtc-event-categories"));
    assert_eq!(register.uri.as_str(), "sips:example.net");
    assert!(header(&register, &HeaderName::Contact).starts_with("<sips:dect1@"));
    peer.accept_registration(&register, "added", 600);
    assert!(matches!(peer.event(), Event::Registered { gruu: None, .. }));
}

#[test]
fn the_gruu_is_taken_from_the_contact_of_our_instance() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    peer.accept_registration(&register, "added", 7200);
    match peer.event() {
        Event::Registered { user, gruu, expires, refreshed, services, server } => {
            assert_eq!(user, peer.user);
            let gruu = gruu.unwrap();
            assert_eq!(gruu.as_str(), "sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu");
            assert_eq!(expires, 7200 * SECOND);
            assert!(!refreshed && services);
            assert_eq!(server.as_deref(), Some("RTC/5.0"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.endpoint.registration(peer.user), State::Registered);
}

#[test]
fn a_refresh_comes_before_the_expiry_with_the_same_call_id_and_the_next_cseq() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let first = peer.request(&Method::Register);
    peer.accept_registration(&first, "added", 600);
    peer.event();
    peer.pass(400 * SECOND);
    peer.silence();
    peer.pass_until_sent(171 * SECOND);
    let refresh = peer.request(&Method::Register);
    assert_eq!(header(&refresh, &HeaderName::CallId), header(&first, &HeaderName::CallId));
    assert_eq!(header(&refresh, &HeaderName::From), header(&first, &HeaderName::From));
    assert_eq!(header(&refresh, &HeaderName::CSeq), "2 REGISTER");
    peer.accept_registration(&refresh, "refreshed", 600);
    assert!(matches!(peer.event(), Event::Registered { refreshed: true, .. }));
}

#[test]
fn refreshes_of_many_users_are_spread() {
    let mut peer = Peer::new();
    for number in 0..50_u32 {
        let uri = sip_lync::SipUri::parse(&format!("sip:u{number}@example.net")).unwrap();
        let user = peer.endpoint.add_user(sip_lync::User::new(uri, format!("e{number}")));
        peer.endpoint.register(peer.now, user, FLOW, None).unwrap();
        peer.pass(Duration::from_millis(10));
        let register = peer.request(&Method::Register);
        peer.accept_registration(&register, "added", 600);
    }
    let mut seconds = std::collections::BTreeSet::new();
    for second in 0..600_u32 {
        peer.pass(SECOND);
        peer.drain();
        let before = peer.endpoint.state().client_transactions;
        if before > 0 {
            seconds.insert(second);
            while peer.endpoint.state().client_transactions > 0 {
                let refresh = peer.request(&Method::Register);
                peer.accept_registration(&refresh, "refreshed", 6000);
            }
        }
    }
    assert!(seconds.len() > 25, "{seconds:?}");
    assert!(seconds.iter().all(|second| (400..570).contains(second)), "{seconds:?}");
}

#[test]
fn a_refresh_answered_added_or_fixed_means_that_the_server_had_lost_us() {
    for action in ["added", "fixed"] {
        lost_by_the_server(action);
    }
}

fn lost_by_the_server(action: &str) {
    let mut peer = Peer::registered();
    // Late enough that the call still rings when the refresh is due.
    peer.pass(400 * SECOND);
    peer.send(Peer::invite(1, peer::SDP));
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.ring(peer.now, session, None);
    peer.response(180);
    peer.pass_until_sent(175 * SECOND);
    let refresh = peer.request(&Method::Register);
    peer.accept_registration(&refresh, action, 600);
    let again = peer.request(&Method::Register);
    assert_ne!(header(&again, &HeaderName::CallId), header(&refresh, &HeaderName::CallId));
    assert_eq!(header(&again, &HeaderName::CSeq), "1 REGISTER");
    match peer.event() {
        Event::Ended { session: of, reason, .. } => {
            assert_eq!((of, reason), (session, EndReason::RegistrationLost));
        }
        other => panic!("{other:?}"),
    }
    match peer.event() {
        Event::RegistrationFailed { failure, retry, .. } => {
            assert_eq!((failure, retry), (RegistrationFailure::LostByServer, Retry::After(Duration::ZERO)));
        }
        other => panic!("{other:?}"),
    }
    peer.accept_registration(&again, "refreshed", 600);
    assert!(matches!(peer.event(), Event::Registered { refreshed: false, .. }));
}

#[test]
fn survivable_mode_is_told() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    let state = "register-action=\"added\";is-connected-to-primary=\"no\";user-services-state=unavailable";
    peer.reply(&register, 200, "t", &[("presence-state", state), ("Expires", "600")], "");
    assert!(matches!(peer.event(), Event::Registered { services: false, gruu: None, .. }));
}

#[test]
fn deregistration_sends_expires_zero_and_forgets_the_gruu() {
    let mut peer = Peer::registered();
    peer.endpoint.deregister(peer.now, peer.user);
    let register = peer.request(&Method::Register);
    assert_eq!(header(&register, &HeaderName::Expires), "0");
    assert_eq!(header(&register, &HeaderName::CSeq), "2 REGISTER");
    peer.reply(&register, 200, "t", &[], "");
    assert!(matches!(peer.event(), Event::Deregistered { .. }));
    assert_eq!(peer.endpoint.gruu(peer.user), None);
    assert_eq!(peer.endpoint.registration(peer.user), State::Unregistered);
    peer.pass(3600 * SECOND);
    peer.silence();
}

#[test]
fn a_challenge_in_trusted_mode_is_a_configuration_error() {
    for status in [401, 407] {
        let mut peer = Peer::new();
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let register = peer.request(&Method::Register);
        let challenge =
            "NTLM realm=\"SIP Communications Service\", targetname=\"fe1.example.net\", version=4";
        let name = if status == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
        peer.reply(&register, status, "t", &[(name, challenge)], "");
        match peer.event() {
            Event::RegistrationFailed { failure, retry, status: told, .. } => {
                assert_eq!((failure, retry), (RegistrationFailure::NotTrusted, Retry::Never));
                assert_eq!(told, StatusCode::new(status));
                assert!(failure.text().contains("certificate"));
            }
            other => panic!("{other:?}"),
        }
        peer.pass(3600 * SECOND);
        peer.silence();
    }
}

#[test]
fn a_redirection_names_the_servers_best_first() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    let contacts = [
        ("Contact", "<sip:backup.example.net:5061;transport=TLS>;q=0.3"),
        ("Contact", "<sip:fe2.example.net:5061;transport=TLS>;q=0.7"),
        ("Contact", "<sip:sure.example.net:5061;transport=TLS>"),
    ];
    peer.reply(&register, 301, "t", &contacts, "");
    match peer.event() {
        Event::Redirected { contacts, .. } => {
            let hosts: Vec<&str> = contacts.iter().map(sip_lync::SipUri::host).collect();
            assert_eq!(hosts, ["sure.example.net", "fe2.example.net", "backup.example.net"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.endpoint.registration(peer.user), State::Unregistered);
}

#[test]
fn a_refusal_for_now_is_tried_again_after_the_time_the_server_asks_for() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    let diagnostics = "1;reason=\"Service Unavailable\";source=\"fe1.example.net\"";
    peer.reply(&register, 503, "t", &[("Retry-After", "120 (later)"), ("ms-diagnostics", diagnostics)], "");
    match peer.event() {
        Event::RegistrationFailed { failure, retry: Retry::After(pause), diagnostics, .. } => {
            assert_eq!(failure, RegistrationFailure::Refused);
            assert!((120 * SECOND..=132 * SECOND).contains(&pause), "{pause:?}");
            assert_eq!(diagnostics.unwrap().id, 1);
        }
        other => panic!("{other:?}"),
    }
    peer.pass(119 * SECOND);
    peer.silence();
    peer.pass(13 * SECOND);
    let again = peer.request(&Method::Register);
    assert_eq!(header(&again, &HeaderName::CSeq), "2 REGISTER");
}

#[test]
fn pauses_grow_and_silence_counts_as_a_failure() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        peer.request(&Method::Register);
        peer.pass(32 * SECOND);
        match peer.event() {
            Event::RegistrationFailed {
                failure: RegistrationFailure::TimedOut,
                retry: Retry::After(pause),
                ..
            } => {
                pauses.push(pause);
                peer.pass(pause);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(pauses.windows(2).all(|two| two[1] >= two[0] * 3 / 4), "{pauses:?}");
    assert!(pauses[0] <= 60 * SECOND && pauses[5] >= 450 * SECOND && pauses[5] <= 600 * SECOND, "{pauses:?}");
}

#[test]
fn a_refusal_for_good_is_not_repeated() {
    for status in [403, 404, 400, 421, 489, 600] {
        let mut peer = Peer::new();
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let register = peer.request(&Method::Register);
        peer.reply(
            &register,
            status,
            "t",
            &[("ms-diagnostics-public", "4005;reason=\"not SIP enabled\"")],
            "",
        );
        match peer.event() {
            Event::RegistrationFailed { failure, retry, diagnostics, .. } => {
                assert_eq!((failure, retry), (RegistrationFailure::Refused, Retry::Never));
                assert_eq!(diagnostics.unwrap().id, 4005);
            }
            other => panic!("{other:?}"),
        }
        peer.pass(7200 * SECOND);
        peer.silence();
    }
}

#[test]
fn too_brief_an_interval_is_lengthened_once_to_what_the_server_demands() {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, Some(30 * SECOND)).unwrap();
    let register = peer.request(&Method::Register);
    peer.reply(&register, 423, "t", &[("Min-Expires", "300")], "");
    let again = peer.request(&Method::Register);
    assert_eq!(header(&again, &HeaderName::Expires), "300");
    peer.reply(&again, 423, "t", &[("Min-Expires", "300")], "");
    assert!(matches!(
        peer.event(),
        Event::RegistrationFailed { failure: RegistrationFailure::Refused, retry: Retry::Never, .. }
    ));
    peer.silence();
}

#[test]
fn the_keep_alive_is_sent_at_two_thirds_of_the_timeout_unless_something_else_is() {
    let mut peer = Peer::new();
    peer.pass(61 * SECOND);
    assert_eq!(peer.keep_alives.len(), 1);
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    peer.accept_registration(&register, "added", 7200);
    peer.keep_alives.clear();
    peer.pass(199 * SECOND);
    assert_eq!(peer.keep_alives.len(), 0);
    peer.pass(2 * SECOND);
    assert_eq!(peer.keep_alives.len(), 1);
    peer.pass(150 * SECOND);
    peer.send(Peer::front_end(
        "OPTIONS sip:dect1@example.net SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKo
From: <sip:fe1.example.net>;tag=1
To: <sip:dect1@example.net>
Call-ID: o
CSeq: 1 OPTIONS",
        "",
    ));
    peer.response(200);
    peer.pass(199 * SECOND);
    assert_eq!(peer.keep_alives.len(), 1, "any data restarts the time");
    peer.pass(2 * SECOND);
    assert_eq!(peer.keep_alives.len(), 2);
}

#[test]
fn nobody_answers_a_keep_alive() {
    let mut peer = Peer::new();
    peer.open(FlowId(2), FlowRole::Accepted);
    peer.bytes(FlowId(2), b"\r\n\r\n\r\n\r\n");
    peer.silence();
    peer.pass(600 * SECOND);
    assert!(peer.keep_alives.iter().all(|flow| *flow == FLOW), "who accepted a flow keeps nothing alive");
}

fn notification(body: &str, headers: &str) -> sip_lync::Request {
    let mut request = Peer::front_end(
        &format!(
            "BENOTIFY sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKn
From: <sip:dect1@example.net>;tag=fe
To: <sip:dect1@example.net>;tag=x;epid=01010101
Call-ID: n
CSeq: 1 BENOTIFY
Event: registration-notify
Subscription-State: terminated
Content-Type: text/registration-event{headers}"
        ),
        "",
    );
    request.body = bytes::Bytes::copy_from_slice(body.as_bytes());
    request
}

#[test]
fn registration_notifications_have_their_actions_and_are_never_answered() {
    for (body, headers, expected, again) in [
        ("deregistered;event=unregistered", "", RegistrationFailure::Removed, false),
        ("deregistered;event=rejected", "", RegistrationFailure::Removed, false),
        ("deregistered;event=deactivated", "", RegistrationFailure::Deactivated, true),
        ("deregistered;event=userservices-unavailable", "", RegistrationFailure::Deactivated, true),
        (
            "deregistered;event=preferred-registrar-change",
            "\nP-Preferred-Registrar: fe9.example.net",
            RegistrationFailure::RegistrarChanged,
            false,
        ),
    ] {
        let mut peer = Peer::registered();
        peer.send(notification(body, headers));
        match peer.event() {
            Event::RegistrationFailed { failure, registrar, .. } => {
                assert_eq!(failure, expected, "{body}");
                assert_eq!(registrar.is_some(), expected == RegistrationFailure::RegistrarChanged);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(peer.event(), Event::Notified { .. }));
        // Whoever comes back comes after a random time: there are thousands of others.
        peer.pass(Duration::from_millis(999));
        peer.silence();
        peer.pass(10 * SECOND);
        if again {
            peer.request(&Method::Register);
        } else {
            peer.silence();
        }
    }
    let mut peer = Peer::registered();
    peer.send(notification("registered;event=userservices-unavailable", ""));
    assert!(matches!(peer.event(), Event::ServicesChanged { available: false, .. }));
    assert_eq!(peer.endpoint.registration(peer.user), State::Registered);
}

#[test]
fn a_lost_flow_ends_the_registration_and_another_flow_begins_it_anew() {
    let mut peer = Peer::registered();
    peer.close(FLOW);
    assert!(matches!(
        peer.event(),
        Event::RegistrationFailed { failure: RegistrationFailure::FlowLost, retry: Retry::Never, .. }
    ));
    assert!(peer.endpoint.register(peer.now, peer.user, FLOW, None).is_err());
    peer.open(FlowId(2), FlowRole::Dialled);
    peer.endpoint.register(peer.now, peer.user, FlowId(2), None).unwrap();
    peer.request_on(FlowId(2), &Method::Register);
}

#[test]
fn registering_over_another_flow_leaves_the_old_registrar_alone() {
    let mut peer = Peer::registered();
    peer.open(FlowId(2), FlowRole::Dialled);
    peer.endpoint.register(peer.now, peer.user, FlowId(2), None).unwrap();
    let register = peer.request_on(FlowId(2), &Method::Register);
    assert_eq!(header(&register, &HeaderName::CSeq), "1 REGISTER");
    peer.close(FLOW);
    peer.no_event();
    peer.silence();
}

#[test]
fn a_removed_user_says_goodbye_and_is_forgotten() {
    let mut peer = Peer::registered();
    peer.endpoint.remove_user(peer.now, peer.user);
    let register = peer.request(&Method::Register);
    assert_eq!(header(&register, &HeaderName::Expires), "0");
    peer.reply(&register, 200, "t", &[], "");
    assert!(matches!(peer.event(), Event::Deregistered { .. }));
    assert_eq!(peer.endpoint.state().users, 0);
    assert_eq!(peer.endpoint.poll_timeout().map(|_| ()), Some(()), "the keep-alive of the flow goes on");
}

#[test]
fn users_that_register_at_once_are_let_through_one_after_the_other() {
    let mut config = Config::new("dect.example.net");
    config.registrations_per_second = 10;
    config.registration_burst = 5;
    let mut peer = Peer::with(config);
    let mut users = Vec::new();
    for number in 0..40_u32 {
        let uri = sip_lync::SipUri::parse(&format!("sip:u{number}@example.net")).unwrap();
        users.push(peer.endpoint.add_user(sip_lync::User::new(uri, format!("e{number}"))));
    }
    for user in &users {
        peer.endpoint.register(peer.now, *user, FLOW, None).unwrap();
    }
    assert_eq!(peer.endpoint.state().client_transactions, 5);
    assert_eq!(peer.endpoint.registration(users[39]), State::Queued);
    // Who changes his mind leaves the queue.
    peer.endpoint.deregister(peer.now, users[39]);
    assert!(matches!(peer.event(), Event::Deregistered { .. }));
    peer.pass(SECOND);
    assert_eq!(peer.endpoint.state().client_transactions, 15);
    peer.pass(3 * SECOND);
    assert_eq!(peer.endpoint.state().client_transactions, 39);
    let mut registered = 0;
    while registered < 39 {
        let register = peer.request(&Method::Register);
        peer.accept_registration(&register, "added", 600);
        registered += 1;
    }
    peer.silence();
}
