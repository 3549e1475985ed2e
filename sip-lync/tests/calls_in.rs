//! Calls that come, against a scripted front end.

mod peer;

use std::time::Duration;

use peer::{ANSWER, FLOW, Peer, SDP};
use sip_lync::invite::State;
use sip_lync::{
    EndReason, Event, FlowId, FlowRole, HeaderName, Method, Rendering, Request, Response, SessionId,
    StatusCode,
};

const SECOND: Duration = Duration::from_secs(1);

fn ringing(peer: &mut Peer) -> SessionId {
    peer.send(Peer::invite(1, SDP));
    match peer.event() {
        Event::Incoming { session, .. } => session,
        other => panic!("{other:?}"),
    }
}

fn established(peer: &mut Peer) -> (SessionId, Response) {
    let session = ringing(peer);
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { description: None, .. }));
    (session, ok)
}

fn with(mut request: Request, name: HeaderName, value: &str) -> Request {
    request.headers.set(name, value);
    request
}

#[test]
fn a_call_is_announced_with_the_asserted_caller_and_its_offer() {
    let mut peer = Peer::registered();
    peer.send(Peer::invite(1, SDP));
    match peer.event() {
        Event::Incoming { user, from, description, request, session, replaces, .. } => {
            assert_eq!(replaces, None);
            assert_eq!(user, peer.user);
            assert_eq!(from.display.as_deref(), Some("Alice Liddell"));
            assert_eq!(from.uri.as_str(), "sip:alice@example.net");
            assert_eq!(from.tel.as_deref(), Some("tel:+14255550123"));
            assert_eq!(description.as_deref(), Some(SDP.as_bytes()));
            assert_eq!(request.method, Method::Invite);
            assert_eq!(peer.endpoint.conversation(session), Some("AQIDBAUGBwgJCgsMDQ4PEBESEw=="));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn responses_repeat_via_and_record_route_and_keep_the_epid() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.ring(peer.now, session, None);
    let ringing = peer.response(180);
    let invite = Peer::invite(1, SDP);
    let vias = |headers: &sip_lync::Headers| -> Vec<String> {
        headers.get_all(&HeaderName::Via).map(str::to_owned).collect()
    };
    assert_eq!(vias(&ringing.headers), vias(&invite.headers));
    assert_eq!(ringing.headers.get(&HeaderName::RecordRoute), invite.headers.get(&HeaderName::RecordRoute));
    let to = ringing.headers.get(&HeaderName::To).unwrap();
    assert!(to.starts_with("<sip:dect1@example.net>;epid=01010101;tag="), "{to}");
    assert_eq!(
        ringing.headers.get(&HeaderName::Contact),
        Some("<sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu>")
    );
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    assert_eq!(ok.headers.get(&HeaderName::To), Some(to));
    assert_eq!(&ok.body[..], ANSWER.as_bytes());
}

#[test]
fn in_dialog_requests_take_the_signed_route_byte_for_byte_and_the_epid() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    peer.endpoint.hang_up(peer.now, session);
    let bye = peer.request(&Method::Bye);
    assert_eq!(
        bye.headers.get(&HeaderName::Route),
        Some(
            "<sip:pool.example.net:5061;transport=tls;ms-fe=fe1.example.net;opaque=state:F:Ci.R2ab00;lr;ms-route-sig=abc>"
        )
    );
    assert_eq!(bye.uri.as_str(), "sip:alice@example.net;opaque=user:epid:alice;gruu");
    assert_eq!(bye.headers.get(&HeaderName::From), ok.headers.get(&HeaderName::To));
    assert_eq!(bye.headers.get(&HeaderName::To), Some("\"Alice\"<sip:alice@example.net>;tag=aa;epid=bb"));
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    peer.reply(&bye, 200, "", &[], "");
    assert_eq!(peer.endpoint.state().sessions, 0);
}

#[test]
fn the_users_silence_is_covered_by_100_trying() {
    let mut peer = Peer::registered();
    ringing(&mut peer);
    peer.silence();
    peer.pass(Duration::from_millis(200));
    let trying = peer.response(100);
    assert!(!trying.headers.get(&HeaderName::To).unwrap().contains("tag="));
}

#[test]
fn a_call_nobody_answers_stops_ringing() {
    let mut peer = Peer::routed();
    let session = ringing(&mut peer);
    peer.endpoint.ring(peer.now, session, None);
    peer.response(180);
    peer.pass(179 * SECOND);
    peer.silence();
    peer.pass(SECOND);
    peer.response(480);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::RingLimit, .. }));
    // One that is answered goes on for as long as it likes.
    let mut peer = Peer::routed();
    let (session, _) = established(&mut peer);
    peer.pass(3600 * SECOND);
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn the_200_is_repeated_until_its_ack_comes() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.pass(Duration::from_millis(500));
    assert_eq!(peer.response(200), ok);
    peer.pass(SECOND);
    assert_eq!(peer.response(200), ok);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    peer.pass(60 * SECOND);
    peer.silence();
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn without_an_ack_the_session_ends_with_bye() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.answer(peer.now, session, ANSWER);
    peer.pass(32 * SECOND);
    peer.drain();
    let mut repetitions = 0;
    while peer.next_is_response() {
        peer.response(200);
        repetitions += 1;
    }
    assert_eq!(repetitions, 11, "RFC 3261 13.3.1.4: 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s");
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::AckMissing, .. }));
}

#[test]
fn a_cancelled_call_gets_200_and_487_and_is_told_whether_another_endpoint_answered() {
    for (reason, elsewhere) in [
        (
            Some("SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:alice@example.net\""),
            true,
        ),
        (Some("SIP;cause=487;text=\"gone\""), false),
        (None, false),
    ] {
        let mut peer = Peer::registered();
        let session = ringing(&mut peer);
        peer.endpoint.ring(peer.now, session, None);
        let ringing = peer.response(180);
        let mut cancel = Peer::invite(1, "");
        cancel.method = Method::Cancel;
        cancel.headers.set(HeaderName::CSeq, "1 CANCEL");
        if let Some(reason) = reason {
            cancel.headers.push(HeaderName::Reason, reason);
        }
        peer.send(cancel.clone());
        let ok = peer.response(200);
        assert_eq!(ok.headers.get(&HeaderName::To), ringing.headers.get(&HeaderName::To));
        let terminated = peer.response(487);
        assert_eq!(terminated.headers.get(&HeaderName::To), ringing.headers.get(&HeaderName::To));
        match peer.event() {
            Event::Ended { reason: EndReason::Cancelled { completed_elsewhere }, .. } => {
                assert_eq!(completed_elsewhere, elsewhere);
            }
            other => panic!("{other:?}"),
        }
        let mut ack = Peer::invite(1, "");
        ack.method = Method::Ack;
        ack.headers.set(HeaderName::CSeq, "1 ACK");
        peer.send(ack);
        peer.pass(60 * SECOND);
        peer.silence();
        assert_eq!(peer.endpoint.state().sessions, 0);
        assert_eq!(peer.endpoint.state().server_transactions, 0);
        // A CANCEL that comes too late finds nothing.
        peer.send(cancel);
        peer.response(481);
    }
}

#[test]
fn a_cancel_after_the_200_is_answered_and_changes_nothing() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    let mut cancel = Peer::invite(1, "");
    cancel.method = Method::Cancel;
    cancel.headers.set(HeaderName::CSeq, "1 CANCEL");
    peer.send(cancel);
    peer.response(200);
    peer.no_event();
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn refusals_carry_the_status_of_the_user() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.reject(peer.now, session, StatusCode::DECLINE);
    let refusal = peer.response(603);
    assert!(!refusal.headers.contains(&HeaderName::Contact));
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));

    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.hang_up(peer.now, session);
    peer.response(480);
}

#[test]
fn without_an_offer_our_200_offers_and_the_ack_answers() {
    let mut peer = Peer::registered();
    peer.send(Peer::invite(1, ""));
    let Event::Incoming { session, description, .. } = peer.event() else { panic!() };
    assert_eq!(description, None);
    peer.endpoint.ring(peer.now, session, Some(bytes::Bytes::from_static(b"early")));
    assert!(peer.response(180).body.is_empty(), "nobody offered: there is no early answer");
    peer.endpoint.answer(peer.now, session, SDP);
    let ok = peer.response(200);
    assert_eq!(&ok.body[..], SDP.as_bytes());
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ANSWER));
    match peer.event() {
        Event::Confirmed { description, .. } => assert_eq!(description.as_deref(), Some(ANSWER.as_bytes())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.endpoint.hang_up(peer.now, session);
    peer.silence();
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
}

#[test]
fn hold_of_the_peer_is_told_with_its_rendering_and_answered() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    let contact = "<sip:alice@example.net;opaque=user:epid:alice;gruu>;+sip.rendering=\"no\"";
    peer.send(with(Peer::in_dialog(&ok, "INVITE", 2, SDP), HeaderName::Contact, contact));
    match peer.event() {
        Event::Reoffered { rendering, description, .. } => {
            assert_eq!(rendering, Rendering::No);
            assert_eq!(description.as_deref(), Some(SDP.as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    assert!(peer.endpoint.reoffer(peer.now, session, SDP, Rendering::Yes).is_err(), "an offer is open");
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    let again = peer.response(200);
    assert_eq!(&again.body[..], ANSWER.as_bytes());
    peer.pass(Duration::from_millis(500));
    peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 2, ""));
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.pass(60 * SECOND);
    peer.silence();
}

#[test]
fn an_ack_of_an_earlier_invite_does_not_count_for_a_later_one() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    peer.send(Peer::in_dialog(&ok, "INVITE", 2, SDP));
    peer.event();
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    peer.pass(Duration::from_millis(500));
    peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 2, ""));
    peer.pass(60 * SECOND);
    peer.silence();
}

#[test]
fn a_refused_reoffer_leaves_the_session_as_it_was() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    peer.send(Peer::in_dialog(&ok, "INVITE", 2, SDP));
    assert!(matches!(peer.event(), Event::Reoffered { .. }));
    peer.endpoint.reject_reoffer(peer.now, session, StatusCode::NOT_ACCEPTABLE_HERE);
    let refusal = peer.response(488);
    assert!(refusal.headers.get(&HeaderName::MsClientDiagnostics).unwrap().starts_with("52063;"));
    peer.send(with(
        Peer::in_dialog(&ok, "ACK", 2, ""),
        HeaderName::Via,
        "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKINVITE2",
    ));
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::Yes).unwrap();
    peer.request(&Method::Invite);
}

#[test]
fn glare_is_answered_491_on_our_side_and_backed_off_after_theirs() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    let reinvite = peer.request(&Method::Invite);
    let contact = reinvite.headers.get(&HeaderName::Contact).unwrap();
    assert!(contact.ends_with(";+sip.rendering=\"no\""), "{contact}");
    peer.send(Peer::in_dialog(&ok, "INVITE", 2, SDP));
    peer.response(491);
    peer.reply(&reinvite, 491, "", &[], "");
    let ack = peer.request(&Method::Ack);
    assert_eq!(
        ack.headers.via().unwrap().unwrap().branch(),
        reinvite.headers.via().unwrap().unwrap().branch()
    );
    peer.silence();
    // The callee of the call waits at most 2 s.
    peer.pass(Duration::from_millis(2010));
    let again = peer.request(&Method::Invite);
    assert_eq!(again.body, reinvite.body);
    peer.reply(&again, 200, "", &[("Contact", "<sip:alice@192.0.2.99>")], ANSWER);
    let ack = peer.request(&Method::Ack);
    assert_eq!(ack.headers.get(&HeaderName::CSeq), Some("2 ACK"));
    assert_eq!(ack.uri.as_str(), "sip:alice@192.0.2.99", "the 200 refreshed the target");
    match peer.event() {
        Event::ReofferAnswered { description, .. } => {
            assert_eq!(description.as_deref(), Some(ANSWER.as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    // The 200 comes again: so does the ACK.
    peer.reply(&again, 200, "", &[("Contact", "<sip:alice@192.0.2.99>")], ANSWER);
    assert_eq!(peer.request(&Method::Ack), ack);
    peer.no_event();
}

#[test]
fn a_reinvite_answered_481_ends_the_session() {
    let mut peer = Peer::registered();
    let (session, _) = established(&mut peer);
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    let reinvite = peer.request(&Method::Invite);
    peer.reply(&reinvite, 481, "", &[], "");
    peer.request(&Method::Ack);
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::DialogGone, .. }));
}

#[test]
fn bye_and_its_diagnostics_end_the_session() {
    let mut peer = Peer::registered();
    let (_, ok) = established(&mut peer);
    let bye = with(
        Peer::in_dialog(&ok, "BYE", 2, ""),
        HeaderName::MsDiagnostics,
        "52;reason=\"terminated; on request\";source=\"fe1\"",
    );
    peer.send(bye);
    peer.response(200);
    match peer.event() {
        Event::Ended { reason: EndReason::PeerBye, diagnostics, .. } => {
            assert_eq!(diagnostics.unwrap().reason().as_deref(), Some("terminated; on request"));
        }
        other => panic!("{other:?}"),
    }
    peer.send(Peer::in_dialog(&ok, "INFO", 3, ""));
    peer.response(481);
}

#[test]
fn requests_out_of_order_are_answered_500() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    peer.send(Peer::in_dialog(&ok, "INFO", 9, ""));
    peer.response(200);
    peer.send(Peer::in_dialog(&ok, "BYE", 8, ""));
    peer.response(500);
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn update_without_offer_refreshes_and_with_one_asks_the_user() {
    let mut peer = Peer::registered();
    let (session, ok) = established(&mut peer);
    peer.send(Peer::in_dialog(&ok, "UPDATE", 2, ""));
    let response = peer.response(200);
    assert!(response.headers.contains(&HeaderName::Contact));
    peer.no_event();
    peer.send(Peer::in_dialog(&ok, "UPDATE", 3, SDP));
    assert!(matches!(peer.event(), Event::Reoffered { description: Some(_), .. }));
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    assert_eq!(&peer.response(200).body[..], ANSWER.as_bytes());
    peer.pass(60 * SECOND);
    peer.silence();
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn what_belongs_to_no_dialog_is_answered_481() {
    let mut peer = Peer::registered();
    let (_, mut ok) = established(&mut peer);
    ok.headers.set(HeaderName::To, "<sip:dect1@example.net>;tag=forged");
    for method in ["BYE", "INVITE", "UPDATE", "INFO", "PRACK"] {
        peer.send(Peer::in_dialog(&ok, method, 5, ""));
        peer.response(481);
    }
}

#[test]
fn options_and_unknown_methods_name_what_we_take() {
    let mut peer = Peer::registered();
    let text = |method: &str| {
        format!(
            "{method} sip:dect1@example.net SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{method}
From: <sip:fe1.example.net>;tag=1
To: <sip:dect1@example.net>
Call-ID: o
CSeq: 1 {method}"
        )
    };
    peer.send(Peer::front_end(&text("OPTIONS"), ""));
    let ok = peer.response(200);
    assert!(ok.headers.allow().unwrap().contains("INVITE"));
    assert!(ok.headers.supported().unwrap().contains("100rel"));
    for method in ["NEGOTIATE", "PUBLISH", "REGISTER"] {
        peer.send(Peer::front_end(&text(method), ""));
        let refusal = peer.response(405);
        assert!(refusal.headers.allow().unwrap().contains("BYE"), "{method}");
    }
    peer.send(Peer::front_end(&text("FROBNICATE"), ""));
    peer.response(501);
    peer.send(Peer::front_end(&text("SUBSCRIBE"), ""));
    peer.response(489);
    let mut require = Peer::front_end(&text("OPTIONS").replace("z9hG4bKOPTIONS", "z9hG4bKr"), "");
    require.headers.push(HeaderName::Require, "100rel, nothing-we-know, nor-this");
    peer.send(require);
    assert_eq!(peer.response(420).headers.get(&HeaderName::Unsupported), Some("nothing-we-know, nor-this"));
    peer.send(Peer::front_end(&text("BENOTIFY"), ""));
    peer.silence();
}

#[test]
fn service_and_message_are_answered_by_the_user_or_in_the_end_by_us() {
    let mut peer = Peer::registered();
    let message = Peer::front_end(
        "MESSAGE sip:dect1@dect.example.net:5061 SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKm
From: <sip:alice@example.net>;tag=1
To: <sip:dect1@example.net>;epid=01010101
Call-ID: m
CSeq: 1 MESSAGE",
        "",
    );
    peer.send(message.clone());
    let Event::Request { id, user, .. } = peer.event() else { panic!() };
    assert_eq!(user, Some(peer.user));
    peer.endpoint.respond(peer.now, id, StatusCode::ACCEPTED, &sip_lync::Headers::new(), "");
    peer.response(202);
    peer.endpoint.respond(peer.now, id, StatusCode::OK, &sip_lync::Headers::new(), "");
    peer.silence();
    peer.send(with(message, HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKm2"));
    peer.pass(32 * SECOND);
    peer.response(500);
    assert_eq!(peer.endpoint.state().server_transactions, 0);
}

#[test]
fn invitations_a_telephone_cannot_take_are_refused_for_this_endpoint_only() {
    let mut peer = Peer::registered();
    let mut invite = Peer::invite(1, "");
    invite.headers.push(HeaderName::ContentType, "application/ms-conf-invite+xml");
    invite.body = bytes::Bytes::from_static(b"<Conferencing version=\"2.0\"/>");
    peer.send(invite);
    let refusal = peer.response(488);
    assert!(refusal.headers.get(&HeaderName::MsClientDiagnostics).unwrap().starts_with("52063;"));
    peer.no_event();
}

#[test]
fn of_alternatives_the_one_that_is_no_fallback_is_told() {
    let mut peer = Peer::registered();
    let mut invite = Peer::invite(1, "");
    invite.headers.push(HeaderName::ContentType, "multipart/alternative;boundary=\"b1\"");
    let body = format!(
        "--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: session; handling=optional; ms-proxy-2007fallback\r\n\r\nv=0\r\nfallback\r\n--b1\r\nContent-Type: application/sdp\r\nContent-Disposition: session; handling=optional\r\n\r\n{SDP}\r\n--b1--\r\n"
    );
    invite.body = bytes::Bytes::from(body);
    peer.send(invite);
    match peer.event() {
        Event::Incoming { description, .. } => {
            assert_eq!(std::str::from_utf8(&description.unwrap()).unwrap().trim_end(), SDP.trim_end());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_call_by_another_way_is_a_loop() {
    let mut peer = Peer::registered();
    peer.open(FlowId(2), FlowRole::Accepted);
    let session = ringing(&mut peer);
    peer.send_on(FlowId(2), Peer::invite(1, SDP));
    peer.response(482);
    // The same branch on the same flow is a repetition.
    peer.endpoint.ring(peer.now, session, None);
    let ringing = peer.response(180);
    peer.send(Peer::invite(1, SDP));
    assert_eq!(peer.response(180), ringing);
}

#[test]
fn a_second_invite_of_a_call_that_is_not_answered_is_a_loop_whatever_its_number() {
    let mut peer = Peer::registered();
    let session = ringing(&mut peer);
    peer.send(Peer::invite(2, SDP));
    peer.response(482);
    peer.no_event();
    // Another caller with the same Call-ID has a call of its own.
    let other = "\"Carol\"<sip:carol@example.net>;tag=cc;epid=dd";
    peer.send(with(Peer::invite(3, SDP), HeaderName::From, other));
    assert!(matches!(peer.event(), Event::Incoming { session: second, .. } if second != session));
}

#[test]
fn users_are_found_by_contact_key_gruu_epid_and_address() {
    let mut peer = Peer::new();
    let mut twin = peer::dect1();
    twin.epid = "02020202".to_owned();
    let twin = peer.endpoint.add_user(twin);
    peer.endpoint.register(peer.now, twin, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    let contact = register.headers.contact().unwrap().unwrap();
    let contact = contact.address().unwrap().uri.to_string();
    let gruu = format!(
        "sip:DECT1@example.net;gruu;opaque={}",
        sip_lync::gruu::InstanceId::from_epid("02020202").opaque()
    );
    for (number, (uri, to, user)) in [
        (contact.as_str(), "<sip:x@example.net>", twin),
        (gruu.as_str(), "<sip:x@example.net>", twin),
        ("sip:192.0.2.10:40001", "<sip:dect1@example.net>;epid=02020202", twin),
        ("sip:192.0.2.10:40001", "<sip:Dect1@Example.net>;epid=01010101", peer.user),
        ("sip:dect1@example.net", "<sip:unknown@example.net>", peer.user),
    ]
    .into_iter()
    .enumerate()
    {
        let mut invite = Peer::invite(1, SDP);
        invite.uri = peer::uri(uri);
        invite.headers.set(HeaderName::To, to);
        invite.headers.set(HeaderName::CallId, format!("c{number}"));
        invite.headers.set(HeaderName::Via, format!("SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKu{number}"));
        peer.send(invite);
        match peer.event() {
            Event::Incoming { user: of, .. } => assert_eq!(of, user, "{uri} {to}"),
            other => panic!("{other:?}"),
        }
    }
    let mut invite = Peer::invite(1, SDP);
    invite.uri = peer::uri("sip:nobody@example.net");
    invite.headers.set(HeaderName::To, "<sip:nobody@example.net>");
    invite.headers.set(HeaderName::CallId, "none");
    invite.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKnone");
    peer.send(invite);
    peer.response(404);
}

#[test]
fn a_session_on_a_flow_the_server_opened_goes_on_over_ours_when_that_breaks() {
    let mut peer = Peer::registered();
    peer.open(FlowId(2), FlowRole::Accepted);
    peer.send_on(FlowId(2), Peer::invite(1, SDP));
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.send_on(FlowId(2), Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    peer.close(FlowId(2));
    peer.no_event();
    peer.send_on(FLOW, Peer::in_dialog(&ok, "INFO", 2, ""));
    peer.response(200);
    peer.endpoint.hang_up(peer.now, session);
    peer.request_on(FLOW, &Method::Bye);
}

#[test]
fn a_lost_flow_ends_its_sessions() {
    let mut peer = Peer::registered();
    let (session, _) = established(&mut peer);
    peer.close(FLOW);
    assert!(matches!(peer.event(), Event::RegistrationFailed { .. }));
    match peer.event() {
        Event::Ended { session: of, reason: EndReason::FlowLost, .. } => assert_eq!(of, session),
        other => panic!("{other:?}"),
    }
    peer.no_event();
    assert_eq!(peer.endpoint.state().sessions, 0);
    assert_eq!(peer.endpoint.poll_timeout(), None);
}

#[test]
fn bytes_that_are_no_message_are_dropped_and_lost_framing_fails_the_flow() {
    let mut peer = Peer::registered();
    peer.bytes(FLOW, b"NONSENSE\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(peer.event(), Event::MessageDropped { .. }));
    peer.send(Peer::invite(1, SDP));
    assert!(matches!(peer.event(), Event::Incoming { .. }));
    let input =
        sip_lync::Input::Bytes { flow: FLOW, bytes: b"INVITE sip:a@b SIP/2.0\r\nContent-Length: x\r\n\r\n" };
    assert!(peer.endpoint.handle_input(peer.now, input).is_err());
    let mut failed = false;
    peer.drain();
    while let Some(event) = peer.next_event() {
        failed |= matches!(event, Event::FlowFailed { flow: FLOW, .. });
    }
    assert!(failed);
    assert_eq!(peer.endpoint.state().flows, 0);
}

#[test]
fn more_sessions_than_the_limit_are_busy() {
    let mut config = sip_lync::Config::new("dect.example.net");
    config.limits.sessions_per_user = 2;
    let mut peer = Peer::with(config);
    for number in 0..3 {
        let mut invite = Peer::invite(1, SDP);
        invite.headers.set(HeaderName::CallId, format!("c{number}"));
        invite.headers.set(HeaderName::Via, format!("SIP/2.0/TLS 192.0.2.1;branch=z9hG4bKu{number}"));
        peer.send(invite);
    }
    peer.response(486);
}
