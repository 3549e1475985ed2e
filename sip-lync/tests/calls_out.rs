//! Calls that are made, against a scripted front end.

mod peer;

use std::time::Duration;

use peer::{ANSWER, FLOW, Peer, SDP, uri};
use sip_lync::invite::State;
use sip_lync::{
    Config, EndReason, Event, ForkId, HeaderName, Invite, Method, OutgoingRequest, Request, SessionId,
    StatusCode,
};

const SECOND: Duration = Duration::from_secs(1);
const CONTACT: (&str, &str) = ("Contact", "<sip:bob@192.0.2.30;transport=tls>");

fn call(peer: &mut Peer) -> (SessionId, Request) {
    let session =
        peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    (session, peer.request(&Method::Invite))
}

fn get<'a>(request: &'a Request, name: &HeaderName) -> &'a str {
    request.headers.get(name).unwrap_or_else(|| panic!("no {name}"))
}

fn progress(peer: &mut Peer) -> (u16, ForkId, Option<String>) {
    match peer.event() {
        Event::Progress { status, fork, description, .. } => {
            (status.code(), fork, description.map(|d| String::from_utf8(d.to_vec()).unwrap()))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_invite_of_a_trusted_server_asserts_the_identity_and_has_the_gruu() {
    let mut peer = Peer::registered();
    let target = "sip:+14255550100@example.net;user=phone";
    let mut invite = Invite::new(uri(target), SDP);
    invite.headers.push(("Priority".to_owned(), "urgent\r\nX-Evil: 1".to_owned()));
    peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    assert_eq!(invite.uri.as_str(), target);
    assert_eq!(get(&invite, &HeaderName::To), format!("<{target}>"));
    let from = get(&invite, &HeaderName::From);
    assert!(
        from.starts_with("\"Ward 3\" <sip:dect1@example.net>;tag=") && from.ends_with(";epid=01010101"),
        "{from}"
    );
    assert_eq!(
        get(&invite, &HeaderName::Contact),
        "<sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu>"
    );
    assert_eq!(
        get(&invite, &HeaderName::PAssertedIdentity),
        "\"Ward 3\" <sip:dect1@example.net>, <tel:+14255550199>"
    );
    assert!(!invite.headers.contains(&HeaderName::PPreferredIdentity));
    assert!(!invite.headers.contains(&HeaderName::Route));
    assert!(!invite.headers.contains(&HeaderName::RecordRoute));
    assert_eq!(get(&invite, &HeaderName::Priority), "urgent  X-Evil: 1");
    assert_eq!(get(&invite, &HeaderName::MsConversationId).len(), 28);
    let supported = invite.headers.supported().unwrap();
    assert!(supported.contains("100rel") && supported.contains("ms-early-media"));
    assert!(!supported.contains("ms-conf-invite"));
    assert!(!invite.headers.contains(&HeaderName::Require));
    assert_eq!(&invite.body[..], SDP.as_bytes());
}

#[test]
fn the_invite_of_a_client_prefers_its_identity_and_names_its_address() {
    let mut peer = Peer::with(Config::client("dect.example.net"));
    peer.endpoint.route(peer.user, FLOW);
    let (_, invite) = call(&mut peer);
    assert_eq!(get(&invite, &HeaderName::PPreferredIdentity), "<sip:dect1@example.net>, <tel:+14255550199>");
    assert!(!invite.headers.contains(&HeaderName::PAssertedIdentity));
    let contact = get(&invite, &HeaderName::Contact);
    assert!(contact.starts_with("<sip:192.0.2.10:40001;transport=tls;ms-opaque="), "{contact}");
    assert!(contact.contains(";proxy=replace;+sip.instance="), "{contact}");
}

#[test]
fn a_user_without_a_flow_cannot_call() {
    let mut peer = Peer::new();
    let invite = Invite::new(uri("sip:bob@example.net"), SDP);
    assert!(peer.endpoint.invite(peer.now, peer.user, invite).is_err());
    peer.silence();
}

#[test]
fn the_answer_is_acknowledged_over_the_recorded_route() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    peer.reply(&invite, 100, "", &[], "");
    peer.reply(&invite, 101, "x", &[("ms-diagnostics", "12006;reason=\"Trying next hop\"")], "");
    peer.no_event();
    peer.reply(&invite, 180, "b1", &[CONTACT], "");
    assert_eq!(progress(&mut peer), (180, ForkId(0), None));
    let routes = [
        ("Record-Route", "<sip:near.example.net;lr>"),
        ("Record-Route", "<sip:pool.example.net;lr;ms-route-sig=x%2f>;tag=1"),
    ];
    let identity = ("P-Asserted-Identity", "\"Bob\"<sip:bob@example.net>,<tel:+14255550111>");
    peer.reply(&invite, 200, "b1", &[CONTACT, routes[0], routes[1], identity], ANSWER);
    let ack = peer.request(&Method::Ack);
    assert_eq!(ack.uri.as_str(), "sip:bob@192.0.2.30;transport=tls");
    let route: Vec<&str> = ack.headers.get_all(&HeaderName::Route).collect();
    assert_eq!(route, ["<sip:pool.example.net;lr;ms-route-sig=x%2f>", "<sip:near.example.net;lr>"]);
    assert_eq!(get(&ack, &HeaderName::CSeq), "1 ACK");
    assert_ne!(ack.headers.via().unwrap(), invite.headers.via().unwrap());
    assert!(ack.body.is_empty());
    match peer.event() {
        Event::Answered { connected, conference, description, answer_due, fork, .. } => {
            assert_eq!(conference, None);
            assert_eq!(connected.unwrap().display.as_deref(), Some("Bob"));
            assert_eq!(description.as_deref(), Some(ANSWER.as_bytes()));
            assert!(!answer_due);
            assert_eq!(fork, ForkId(0));
        }
        other => panic!("{other:?}"),
    }
    // A repeated 200 gets the same ACK.
    peer.reply(&invite, 200, "b1", &[CONTACT, routes[0], routes[1], identity], ANSWER);
    assert_eq!(peer.request(&Method::Ack), ack);
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.pass(300 * SECOND);
    assert_eq!(peer.endpoint.state().client_transactions, 0);
}

#[test]
fn a_number_may_turn_out_to_be_the_line_of_a_conference() {
    let mut peer = Peer::registered();
    let (_, invite) = call(&mut peer);
    let mixer = ("Contact", "<sip:bob@example.net;gruu;opaque=app:conf:audio-video:id:5D3J>;isfocus");
    peer.reply(&invite, 200, "b1", &[mixer], ANSWER);
    peer.request(&Method::Ack);
    match peer.event() {
        Event::Answered { conference, .. } => assert_eq!(conference.unwrap().id(), "5D3J"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn forks_keep_their_own_answers_and_the_losers_are_dropped() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    peer.reply(&invite, 180, "b1", &[CONTACT], "");
    peer.reply(&invite, 183, "b2", &[CONTACT], "answer of b2");
    peer.reply(&invite, 183, "b3", &[CONTACT], "answer of b3");
    peer.reply(&invite, 180, "b2", &[CONTACT], "answer of b2");
    assert_eq!(progress(&mut peer), (180, ForkId(0), None));
    assert_eq!(progress(&mut peer), (183, ForkId(1), Some("answer of b2".to_owned())));
    assert_eq!(progress(&mut peer), (183, ForkId(2), Some("answer of b3".to_owned())));
    assert_eq!(progress(&mut peer), (180, ForkId(1), None), "a repeated description is no second answer");
    // The 200 leaves out the answer its 183 gave.
    peer.reply(&invite, 200, "b2", &[CONTACT], "");
    peer.request(&Method::Ack);
    match peer.event() {
        Event::Answered { fork, description, .. } => {
            assert_eq!(fork, ForkId(1));
            assert_eq!(description.as_deref(), Some(b"answer of b2".as_slice()));
        }
        other => panic!("{other:?}"),
    }
    // Another fork answers at the same time: it is acknowledged and ended.
    let other = ("Contact", "<sip:bob@192.0.2.31>");
    peer.reply(&invite, 200, "b3", &[other], "answer of b3");
    let ack = peer.request(&Method::Ack);
    let bye = peer.request(&Method::Bye);
    for request in [&ack, &bye] {
        assert_eq!(request.uri.as_str(), "sip:bob@192.0.2.31");
        assert!(get(request, &HeaderName::To).ends_with(";tag=b3"));
    }
    assert_eq!(get(&bye, &HeaderName::CSeq), "2 BYE");
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn more_forks_than_the_limit_are_ignored() {
    let mut config = Config::new("dect.example.net");
    config.limits.forks = 2;
    let mut peer = Peer::with(config);
    peer.endpoint.route(peer.user, FLOW);
    let (_, invite) = call(&mut peer);
    for tag in ["b1", "b2", "b3", "b1"] {
        peer.reply(&invite, 180, tag, &[CONTACT], "");
    }
    let forks: Vec<ForkId> = (0..3).map(|_| progress(&mut peer).1).collect();
    assert_eq!(forks, [ForkId(0), ForkId(1), ForkId(0)]);
    peer.no_event();
    // The answer of one that was ignored still counts.
    peer.reply(&invite, 200, "b3", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { fork: ForkId(2), .. }));
}

#[test]
fn reliable_provisional_responses_are_acknowledged_with_prack_in_order() {
    let mut peer = Peer::registered();
    let (_, invite) = call(&mut peer);
    let reliable = |rseq| {
        [CONTACT, ("Require", "100rel"), ("RSeq", rseq), ("Record-Route", "<sip:pool.example.net;lr>")]
    };
    peer.reply(&invite, 183, "b1", &reliable("71"), ANSWER);
    let prack = peer.request(&Method::Prack);
    assert_eq!(get(&prack, &HeaderName::RAck), "71 1 INVITE");
    assert_eq!(get(&prack, &HeaderName::CSeq), "2 PRACK");
    assert_eq!(get(&prack, &HeaderName::Route), "<sip:pool.example.net;lr>");
    assert!(prack.body.is_empty());
    assert_eq!(progress(&mut peer).0, 183);
    peer.reply(&prack, 200, "", &[], "");
    // A repetition is not acknowledged again, one that skips a number not at all.
    peer.reply(&invite, 183, "b1", &reliable("71"), ANSWER);
    peer.reply(&invite, 180, "b1", &reliable("73"), "");
    peer.silence();
    peer.no_event();
    peer.reply(&invite, 180, "b1", &reliable("72"), "");
    assert_eq!(get(&peer.request(&Method::Prack), &HeaderName::RAck), "72 1 INVITE");
    assert_eq!(progress(&mut peer).0, 180);
    peer.reply(&invite, 200, "b1", &[CONTACT], "");
    assert_eq!(get(&peer.request(&Method::Ack), &HeaderName::CSeq), "1 ACK");
    match peer.event() {
        Event::Answered { session, description, .. } => {
            assert_eq!(description.as_deref(), Some(ANSWER.as_bytes()));
            peer.endpoint.hang_up(peer.now, session);
            assert_eq!(get(&peer.request(&Method::Bye), &HeaderName::CSeq), "4 BYE");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn cancel_waits_for_a_provisional_response_and_has_the_branch_of_its_invite() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    peer.endpoint.hang_up(peer.now, session);
    peer.silence();
    peer.reply(&invite, 100, "", &[], "");
    let cancel = peer.request(&Method::Cancel);
    assert_eq!(get(&cancel, &HeaderName::Via), get(&invite, &HeaderName::Via));
    assert_eq!(get(&cancel, &HeaderName::CSeq), "1 CANCEL");
    assert_eq!(get(&cancel, &HeaderName::To), get(&invite, &HeaderName::To));
    assert_eq!(cancel.uri, invite.uri);
    peer.reply(&cancel, 200, "p", &[], "");
    peer.no_event();
    peer.reply(&invite, 487, "b1", &[], "");
    let ack = peer.request(&Method::Ack);
    assert_eq!(get(&ack, &HeaderName::Via), get(&invite, &HeaderName::Via));
    assert!(get(&ack, &HeaderName::To).ends_with(";tag=b1"));
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    assert_eq!(peer.endpoint.state().sessions, 0);
    assert_eq!(peer.endpoint.state().client_transactions, 0);
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_ended() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    peer.reply(&invite, 180, "b1", &[CONTACT], "");
    progress(&mut peer);
    peer.endpoint.hang_up(peer.now, session);
    let cancel = peer.request(&Method::Cancel);
    peer.reply(&invite, 200, "b1", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    let bye = peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    peer.reply(&cancel, 481, "", &[], "");
    // The same 200 once more.
    peer.reply(&invite, 200, "b1", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    peer.reply(&bye, 200, "", &[], "");
    peer.no_event();
    assert_eq!(peer.endpoint.state().sessions, 0);
    // Another fork answers although the session is over.
    peer.reply(&invite, 200, "b2", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    peer.request(&Method::Bye);
    peer.no_event();
}

#[test]
fn a_cancel_nobody_reacts_to_is_given_up() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    peer.reply(&invite, 180, "b1", &[CONTACT], "");
    progress(&mut peer);
    peer.endpoint.hang_up(peer.now, session);
    peer.request(&Method::Cancel);
    peer.pass(33 * SECOND);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    assert_eq!(peer.endpoint.state().sessions, 0);
    assert_eq!(peer.endpoint.state().client_transactions, 0);
}

#[test]
fn refusals_are_acknowledged_and_told_with_their_diagnostics() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    let diagnostics = ("ms-diagnostics", "12004;reason=\"No matching rule\";source=\"fe1.example.net\"");
    peer.reply(&invite, 403, "p", &[diagnostics], "");
    peer.request(&Method::Ack);
    match peer.event() {
        Event::Failed { session: of, failure } => {
            assert_eq!(of, session);
            assert_eq!(failure.status, Some(StatusCode::FORBIDDEN));
            assert_eq!(failure.reason, "Forbidden");
            assert_eq!(failure.diagnostics.unwrap().id, 12004);
        }
        other => panic!("{other:?}"),
    }
    let (_, invite) = call(&mut peer);
    peer.reply(&invite, 302, "p", &[("Contact", "<sip:carol@example.net>")], "");
    peer.request(&Method::Ack);
    match peer.event() {
        Event::Failed { failure, .. } => assert_eq!(failure.contacts, [uri("sip:carol@example.net")]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn silence_fails_the_call_and_endless_ringing_is_cancelled() {
    let mut peer = Peer::registered();
    call(&mut peer);
    peer.pass(32 * SECOND);
    match peer.event() {
        Event::Failed { failure, .. } => assert_eq!(failure.status, None),
        other => panic!("{other:?}"),
    }
    let (_, invite) = call(&mut peer);
    peer.reply(&invite, 180, "b1", &[CONTACT], "");
    progress(&mut peer);
    peer.pass(179 * SECOND);
    peer.silence();
    peer.pass(2 * SECOND);
    peer.request(&Method::Cancel);
    peer.reply(&invite, 487, "b1", &[], "");
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::RingLimit, .. }));
}

#[test]
fn without_an_offer_the_200_offers_and_our_ack_answers() {
    let mut peer = Peer::registered();
    let session =
        peer.endpoint.invite(peer.now, peer.user, Invite::without_offer(uri("sip:bob@example.net"))).unwrap();
    let invite = peer.request(&Method::Invite);
    assert!(invite.body.is_empty() && !invite.headers.contains(&HeaderName::ContentType));
    peer.reply(&invite, 200, "b1", &[CONTACT], SDP);
    peer.silence();
    match peer.event() {
        Event::Answered { answer_due: true, description, .. } => {
            assert_eq!(description.as_deref(), Some(SDP.as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    let ack = peer.request(&Method::Ack);
    assert_eq!(&ack.body[..], ANSWER.as_bytes());
    assert_eq!(get(&ack, &HeaderName::ContentType), "application/sdp");
    peer.reply(&invite, 200, "b1", &[CONTACT], SDP);
    assert_eq!(peer.request(&Method::Ack), ack);
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.endpoint.reoffer(peer.now, session, SDP, sip_lync::Rendering::No).unwrap();
    peer.request(&Method::Invite);
}

#[test]
fn a_callee_that_hangs_up_and_one_that_answers_our_hang_up_end_alike() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    peer.reply(&invite, 200, "b1", &[CONTACT], ANSWER);
    let ack = peer.request(&Method::Ack);
    peer.event();
    let tag = ack.headers.from_().unwrap().unwrap().tag().unwrap().to_owned();
    let call_id = get(&ack, &HeaderName::CallId).to_owned();
    let bye = Peer::front_end(
        &format!(
            "BYE sip:dect1@dect.example.net:5061 SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKbye
From: <sip:bob@example.net>;tag=b1
To: <sip:dect1@example.net>;tag={tag};epid=01010101
Call-ID: {call_id}
CSeq: 1 BYE"
        ),
        "",
    );
    // Both hang up at once.
    peer.endpoint.hang_up(peer.now, session);
    let ours = peer.request(&Method::Bye);
    peer.send(bye);
    peer.response(200);
    peer.reply(&ours, 481, "", &[], "");
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    peer.no_event();
    assert_eq!(peer.endpoint.state().sessions, 0);
}

#[test]
fn responses_that_belong_to_nothing_are_dropped() {
    let mut peer = Peer::registered();
    let (session, invite) = call(&mut peer);
    let mut foreign = invite.clone();
    foreign.headers.set(HeaderName::Via, "SIP/2.0/TLS dect.example.net:5061;branch=z9hG4bKforeign");
    peer.reply(&foreign, 200, "b1", &[CONTACT], ANSWER);
    peer.reply(&foreign, 404, "b1", &[], "");
    peer.silence();
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Calling);
    // The right branch on another flow is not our transaction either.
    peer.open(sip_lync::FlowId(2), sip_lync::FlowRole::Accepted);
    peer.send_on(sip_lync::FlowId(2), invite.response(StatusCode::NOT_FOUND));
    peer.no_event();
}

#[test]
fn plain_requests_and_their_responses_find_each_other() {
    let mut peer = Peer::registered();
    let mut service = OutgoingRequest::new(Method::Service, uri("sip:dect1@example.net"));
    service.headers.push(HeaderName::ContentType, "application/msrtc-category-publish+xml");
    service.headers.push(HeaderName::CallId, "not ours to choose");
    service.body = bytes::Bytes::from_static(b"<publish/>");
    let id = peer.endpoint.request(peer.now, peer.user, service.clone()).unwrap();
    let request = peer.request(&Method::Service);
    assert_eq!(request.headers.count(&HeaderName::CallId), 1);
    assert_eq!(&request.body[..], b"<publish/>");
    assert!(request.headers.contains(&HeaderName::PAssertedIdentity));
    peer.reply(&request, 200, "s", &[], "versions");
    match peer.event() {
        Event::Response { id: of, response } => {
            assert_eq!((of, response.status), (id, StatusCode::OK));
            assert_eq!(&response.body[..], b"versions");
        }
        other => panic!("{other:?}"),
    }
    let lost = peer.endpoint.request(peer.now, peer.user, service.clone()).unwrap();
    peer.request(&Method::Service);
    peer.pass(32 * SECOND);
    match peer.event() {
        Event::RequestFailed { id, flow_lost: false } => assert_eq!(id, lost),
        other => panic!("{other:?}"),
    }
    service.method = Method::Bye;
    assert!(peer.endpoint.request(peer.now, peer.user, service).is_err());
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    let run = || {
        let mut peer = Peer::registered();
        let (session, invite) = call(&mut peer);
        peer.reply(&invite, 180, "b1", &[CONTACT], "");
        peer.endpoint.hang_up(peer.now, session);
        let cancel = peer.request(&Method::Cancel);
        peer.pass(SECOND);
        let (_, second) = call(&mut peer);
        [invite, cancel, second]
    };
    assert_eq!(run(), run());
}
