//! Peers that send nonsense, lie, flood or answer for others: nothing panics, nothing grows, others are untouched.

mod peer;

use std::time::Duration;

use peer::{ANSWER, FLOW, Peer, SDP, uri};
use proptest::prelude::*;
use sip_lync::invite::State;
use sip_lync::{
    Config, Event, FlowId, FlowRole, HeaderName, Input, Invite, Message, Method, Request, SessionId,
    StatusCode,
};

const SECOND: Duration = Duration::from_secs(1);

/// An endpoint with a registered user, a call from Alice that stands, one that rings, and one to Bob under way.
fn busy() -> (Peer, SessionId, Vec<Request>) {
    let mut peer = Peer::registered();
    peer.send(Peer::invite(1, SDP));
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    peer.event();
    let mut ringing = Peer::invite(1, SDP);
    ringing.headers.set(HeaderName::CallId, "call-9");
    ringing.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKringing");
    peer.send(ringing);
    peer.event();
    peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request(&Method::Invite);
    let dialog = [
        "INVITE", "UPDATE", "BYE", "INFO", "PRACK", "REFER", "NOTIFY", "OPTIONS", "ACK", "CANCEL", "MESSAGE",
    ];
    let mut requests: Vec<Request> = dialog
        .iter()
        .enumerate()
        .map(|(n, method)| Peer::in_dialog(&ok, method, n as u32 + 2, SDP))
        .collect();
    requests.push(invite);
    requests.push(Peer::invite(3, SDP));
    (peer, session, requests)
}

fn lines(message: &[u8]) -> Vec<Vec<u8>> {
    message.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect()
}

/// One way to spoil a message.
#[derive(Clone, Debug)]
enum Harm {
    Flip(usize, u8),
    Cut(usize),
    DropLine(usize),
    DoubleLine(usize),
    SwapLines(usize, usize),
    Word(usize, &'static str),
}

fn harm() -> impl Strategy<Value = Harm> {
    let words = prop_oneof![
        Just("z9hG4bK"),
        Just(";tag="),
        Just("4294967295"),
        Just("99999999999999999999"),
        Just("\u{0}"),
        Just("%00%ff"),
        Just("<>"),
        Just("\""),
        Just("sip:"),
        Just("Content-Length: 4000000000\r\n"),
        Just("RSeq: 1\r\nRequire: 100rel\r\n"),
        Just("Replaces: call-1;to-tag=a;from-tag=b\r\n"),
        Just("Session-Expires: 90;refresher=uas\r\n"),
        Just("Record-Route: <sip:x;lr>\r\n"),
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, octet)| Harm::Flip(at, octet)),
        any::<usize>().prop_map(Harm::Cut),
        any::<usize>().prop_map(Harm::DropLine),
        any::<usize>().prop_map(Harm::DoubleLine),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Harm::SwapLines(a, b)),
        (any::<usize>(), words).prop_map(|(at, word)| Harm::Word(at, word)),
    ]
}

fn spoil(message: &[u8], harms: &[Harm]) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for harm in harms {
        if bytes.is_empty() {
            break;
        }
        let mut split = lines(&bytes);
        let count = split.len();
        match harm {
            Harm::Flip(at, octet) => {
                let at = at % bytes.len();
                bytes[at] = *octet;
                continue;
            }
            Harm::Cut(at) => {
                bytes.truncate(at % bytes.len());
                continue;
            }
            Harm::Word(at, word) => {
                let at = at % bytes.len();
                bytes.splice(at..at, word.bytes());
                continue;
            }
            Harm::DropLine(at) => drop(split.remove(at % count)),
            Harm::DoubleLine(at) => {
                let line = split[at % count].clone();
                split.insert(at % count, line);
            }
            Harm::SwapLines(a, b) => split.swap(a % count, b % count),
        }
        bytes = split.concat();
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn spoiled_messages_never_panic_and_leave_nothing_behind(
        stories in prop::collection::vec(
            (any::<usize>(), prop::collection::vec(harm(), 0..4), 0_u16..700, any::<bool>()),
            1..12,
        )
    ) {
        let (mut peer, session, requests) = busy();
        let mut flow = FLOW;
        for (which, harms, status, as_response) in stories {
            let request = &requests[which % requests.len()];
            let message: Message = match StatusCode::new(status).filter(|_| as_response) {
                Some(status) => {
                    let mut response = request.response(status);
                    response.headers.push(HeaderName::Contact, "<sip:bob@192.0.2.30>");
                    response.into()
                }
                None => request.clone().into(),
            };
            let bytes = spoil(&message.to_bytes(), &harms);
            if peer.endpoint.handle_input(peer.now, Input::Bytes { flow, bytes: &bytes }).is_err() {
                flow = FlowId(flow.0 + 1);
                peer.open(flow, FlowRole::Accepted);
            }
            peer.forget();
            peer.pass(Duration::from_millis(u64::from(status) * 20));
            peer.forget();
        }
        peer.endpoint.hang_up(peer.now, session);
        peer.endpoint.remove_user(peer.now, peer.user);
        peer.pass(600 * SECOND);
        peer.forget();
        let load = peer.endpoint.state();
        prop_assert_eq!((load.sessions, load.client_transactions, load.server_transactions, load.waiting), (0, 0, 0, 0));
        prop_assert!(load.timers <= load.flows, "{:?}", load);
    }
}

#[test]
fn a_flood_on_one_flow_is_answered_503_and_another_flow_goes_on() {
    let mut config = Config::new("dect.example.net");
    config.limits.transactions_per_flow = 50;
    let mut peer = Peer::with(config);
    peer.open(FlowId(2), FlowRole::Accepted);
    let message = |number: u32| {
        Peer::front_end(
            &format!(
                "MESSAGE sip:dect1@example.net SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKf{number}
From: <sip:mallory@example.net>;tag=1
To: <sip:dect1@example.net>
Call-ID: f{number}
CSeq: 1 MESSAGE"
            ),
            "",
        )
    };
    for number in 0..1000 {
        peer.send_on(FlowId(2), message(number));
    }
    // One sender has half of the room: the rest is for others on the same flow.
    assert_eq!(peer.endpoint.state().server_transactions, 25);
    assert_eq!(peer.endpoint.state().waiting, 25);
    for _ in 0..975 {
        assert!(peer.response(503).headers.contains(&HeaderName::RetryAfter));
    }
    peer.forget();
    peer.send(Peer::invite(1, SDP));
    assert!(matches!(peer.event(), Event::Incoming { .. }));
    peer.pass(33 * SECOND);
    assert_eq!(peer.endpoint.state().waiting, 0);
}

#[test]
fn nobody_ends_the_call_of_another_with_a_wrong_tag_or_call_id() {
    let (mut peer, session, requests) = busy();
    for (name, value) in [
        (HeaderName::From, "\"Alice\"<sip:alice@example.net>;tag=wrong"),
        (HeaderName::To, "<sip:dect1@example.net>;tag=wrong"),
        (HeaderName::CallId, "call-2"),
    ] {
        for method in [Method::Bye, Method::Invite, Method::Update] {
            let mut request = requests.iter().find(|request| request.method == method).unwrap().clone();
            request.headers.set(name.clone(), value);
            request.headers.set(HeaderName::Via, format!("SIP/2.0/TLS x;branch=z9hG4bK{name}{method}"));
            peer.send(request);
            peer.response(481);
        }
    }
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn ten_thousand_calls_leave_memory_flat() {
    let mut peer = Peer::registered();
    let idle = peer.endpoint.state();
    for number in 0..10_000_u32 {
        let mut invite = Peer::invite(1, SDP);
        invite.headers.set(HeaderName::CallId, format!("c{number}"));
        invite.headers.set(HeaderName::Via, format!("SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKs{number}"));
        peer.send(invite);
        let Some(Event::Incoming { session, .. }) = peer.next_event() else { continue };
        match number % 3 {
            0 => peer.endpoint.reject(peer.now, session, StatusCode::BUSY_HERE),
            1 => peer.endpoint.answer(peer.now, session, ANSWER),
            _ => {
                peer.endpoint.ring(peer.now, session, None);
                peer.endpoint.hang_up(peer.now, session);
            }
        }
        if number % 3 == 1 {
            peer.endpoint.hang_up(peer.now, session);
        }
        peer.forget();
        peer.pass(5 * SECOND);
        peer.forget();
    }
    peer.pass(120 * SECOND);
    peer.forget();
    let load = peer.endpoint.state();
    assert_eq!((load.sessions, load.server_transactions), (idle.sessions, idle.server_transactions));
    assert!(load.timers <= idle.timers && load.client_transactions <= 1, "{load:?}");
}

#[test]
fn thousands_of_users_register_refresh_and_lose_their_flow_together() {
    let mut config = Config::new("dect.example.net");
    config.registrations_per_second = 1000;
    let mut peer = Peer::with(config);
    let mut users = Vec::new();
    for number in 0..3000_u32 {
        let address = sip_lync::SipUri::parse(&format!("sip:u{number}@example.net")).unwrap();
        users.push(peer.endpoint.add_user(sip_lync::User::new(address, format!("e{number}"))));
    }
    for user in &users {
        peer.endpoint.register(peer.now, *user, FLOW, None).unwrap();
    }
    peer.pass(3 * SECOND);
    for _ in 0..users.len() {
        let register = peer.request(&Method::Register);
        peer.accept_registration(&register, "added", 600);
    }
    assert!(
        users.iter().all(|user| peer.endpoint.registration(*user) == sip_lync::register::State::Registered)
    );
    // One timer a user, one for the keep-alive.
    assert_eq!(peer.endpoint.state().timers, users.len() + 1);
    peer.close(FLOW);
    let mut lost = 0;
    while let Some(event) = peer.next_event() {
        lost += usize::from(matches!(event, Event::RegistrationFailed { .. }));
    }
    peer.drain();
    while let Some(event) = peer.next_event() {
        lost += usize::from(matches!(event, Event::RegistrationFailed { .. }));
    }
    assert_eq!(lost, users.len());
    assert_eq!(peer.endpoint.state().timers, 0);
}
