//! Transfers and calls that replace others, against a scripted front end.

mod peer;

use std::time::Duration;

use peer::{ANSWER, Peer, SDP, uri};
use sip_lync::invite::State;
use sip_lync::{EndReason, Event, HeaderName, Invite, Method, Request, Response, SessionId, StatusCode};

const SECOND: Duration = Duration::from_secs(1);
const CONTACT: (&str, &str) = ("Contact", "<sip:bob@example.net;opaque=user:epid:bob;gruu>");

/// A call from Alice that was answered, and our 200.
fn with_alice(peer: &mut Peer) -> (SessionId, Response) {
    peer.send(Peer::invite(1, SDP));
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    (session, ok)
}

/// A call to Bob that was answered, and its INVITE.
fn with_bob(peer: &mut Peer) -> (SessionId, Request) {
    let session =
        peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request(&Method::Invite);
    peer.reply(&invite, 200, "b1", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    (session, invite)
}

fn get<'a>(request: &'a Request, name: &HeaderName) -> &'a str {
    request.headers.get(name).unwrap_or_else(|| panic!("no {name}"))
}

fn fragment(request: &Request) -> (&str, &str) {
    let state = get(request, &HeaderName::SubscriptionState);
    (std::str::from_utf8(&request.body).unwrap().trim_end(), state)
}

fn notification(ok: &Response, cseq: u32, status_line: &str, state: &str) -> Request {
    let mut notify = Peer::in_dialog(ok, "NOTIFY", cseq, "");
    notify.headers.push(HeaderName::Event, "refer");
    notify.headers.push(HeaderName::SubscriptionState, state);
    notify.headers.push(HeaderName::ContentType, "message/sipfrag;version=2.0");
    notify.body = bytes::Bytes::copy_from_slice(status_line.as_bytes());
    notify
}

fn refer(ok: &Response, cseq: u32, target: &str) -> Request {
    let mut refer = Peer::in_dialog(ok, "REFER", cseq, "");
    refer.headers.push(HeaderName::ReferTo, target);
    refer
        .headers
        .push(HeaderName::ReferredBy, "<sip:alice@example.net>;ms-referee-uri=\"sip:dect1@example.net\"");
    refer
}

#[test]
fn a_blind_transfer_refers_within_the_dialog_and_tells_how_it_goes() {
    let mut peer = Peer::registered();
    let (session, ok) = with_alice(&mut peer);
    peer.endpoint.transfer(peer.now, session, uri("sip:carol@example.net")).unwrap();
    assert!(peer.endpoint.transfer(peer.now, session, uri("sip:dave@example.net")).is_err(), "one at a time");
    let refer = peer.request(&Method::Refer);
    assert_eq!(get(&refer, &HeaderName::ReferTo), "<sip:carol@example.net>");
    assert_eq!(get(&refer, &HeaderName::ReferredBy), "<sip:dect1@example.net>");
    assert!(get(&refer, &HeaderName::Route).starts_with("<sip:pool.example.net:5061"));
    peer.reply(&refer, 202, "", &[], "");
    peer.no_event();
    peer.send(notification(&ok, 2, "SIP/2.0 100 Trying\r\n", "active;expires=60"));
    peer.response(200);
    peer.send(notification(&ok, 3, "SIP/2.0 180 Ringing\r\n", "active;expires=60"));
    peer.response(200);
    // One that comes too late ends nothing.
    let mut late = notification(&ok, 2, "SIP/2.0 603 Decline\r\n", "terminated;reason=noresource");
    late.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKlate");
    peer.send(late);
    assert_eq!(peer.statuses(), [500]);
    peer.send(notification(&ok, 4, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource"));
    peer.response(200);
    for expected in [StatusCode::TRYING, StatusCode::RINGING] {
        match peer.event() {
            Event::TransferProgress { status, .. } => assert_eq!(status, expected),
            other => panic!("{other:?}"),
        }
    }
    match peer.event() {
        Event::Transferred { status, session: of } => {
            assert_eq!((status, of), (Some(StatusCode::OK), session));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.endpoint.session(session), State::Established, "who transferred hangs up itself");
}

#[test]
fn an_attended_transfer_addresses_the_gruu_and_names_the_dialog_to_replace() {
    let mut peer = Peer::registered();
    let (alice, _) = with_alice(&mut peer);
    let (bob, invite) = with_bob(&mut peer);
    peer.endpoint.transfer_to_session(peer.now, alice, bob).unwrap();
    let refer = peer.request(&Method::Refer);
    let tag = invite.headers.from_().unwrap().unwrap().tag().unwrap().to_owned();
    assert_eq!(
        get(&refer, &HeaderName::ReferTo),
        format!(
            "<sip:bob@example.net;opaque=user:epid:bob;gruu?Replaces={}%3Bto-tag%3Db1%3Bfrom-tag%3D{tag}>",
            get(&invite, &HeaderName::CallId)
        )
    );
}

#[test]
fn a_refused_or_unanswered_refer_leaves_the_call() {
    let mut peer = Peer::registered();
    let (session, _) = with_alice(&mut peer);
    peer.endpoint.transfer(peer.now, session, uri("sip:carol@example.net")).unwrap();
    let refer = peer.request(&Method::Refer);
    peer.reply(&refer, 603, "", &[], "");
    match peer.event() {
        Event::TransferRefused { status, .. } => assert_eq!(status, Some(StatusCode::DECLINE)),
        other => panic!("{other:?}"),
    }
    peer.endpoint.transfer(peer.now, session, uri("sip:carol@example.net")).unwrap();
    peer.request(&Method::Refer);
    peer.pass(10 * SECOND);
    assert!(matches!(peer.event(), Event::TransferRefused { status: None, .. }));
    peer.pass(40 * SECOND);
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn a_transfer_we_are_asked_for_is_accepted_carried_out_and_notified() {
    let mut peer = Peer::registered();
    let (alice, ok) = with_alice(&mut peer);
    let target = "<sip:carol@example.net;opaque=user:epid:c;gruu?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2>";
    peer.send(refer(&ok, 2, target));
    peer.response(202);
    let trying = peer.request(&Method::Notify);
    assert_eq!(fragment(&trying), ("SIP/2.0 100 Trying", "active;expires=60"));
    assert_eq!(get(&trying, &HeaderName::Event), "refer;id=2");
    let Event::TransferRequested { session, target, headers } = peer.event() else { panic!() };
    assert_eq!(session, alice);
    assert_eq!(target.as_str(), "sip:carol@example.net;opaque=user:epid:c;gruu");
    // A second one meanwhile.
    peer.send(refer(&ok, 3, "<sip:dave@example.net>"));
    peer.response(491);
    let mut invite = Invite::new(target, SDP);
    invite.headers = headers;
    invite.transfer = Some(session);
    peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    assert_eq!(get(&invite, &HeaderName::Replaces), "x@y;to-tag=1;from-tag=2");
    assert_eq!(
        get(&invite, &HeaderName::ReferredBy),
        "<sip:alice@example.net>;ms-referee-uri=\"sip:dect1@example.net\""
    );
    peer.reply(&invite, 180, "c1", &[CONTACT], "");
    let ringing = peer.request(&Method::Notify);
    assert_eq!(fragment(&ringing), ("SIP/2.0 180 Ringing", "active;expires=60"));
    peer.reply(&invite, 200, "c1", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    let done = peer.request(&Method::Notify);
    assert_eq!(fragment(&done), ("SIP/2.0 200 OK", "terminated;reason=noresource"));
    assert!(get(&done, &HeaderName::To).contains("tag=aa"));
    // The transferor hangs up; the new call is not concerned.
    peer.send(Peer::in_dialog(&ok, "BYE", 4, ""));
    peer.response(200);
    peer.pass(60 * SECOND);
    assert_eq!(peer.endpoint.state().sessions, 1);
}

#[test]
fn a_transfer_that_fails_or_is_refused_is_notified_and_the_call_goes_on() {
    let mut peer = Peer::registered();
    let (alice, ok) = with_alice(&mut peer);
    peer.send(refer(&ok, 2, "<tel:+14255550100>"));
    peer.response(202);
    peer.request(&Method::Notify);
    let Event::TransferRequested { session, target, .. } = peer.event() else { panic!() };
    let mut invite = Invite::new(target, SDP);
    invite.transfer = Some(session);
    peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    assert_eq!(invite.uri.as_str(), "tel:+14255550100");
    peer.reply(&invite, 486, "c1", &[], "");
    peer.request(&Method::Ack);
    let busy = peer.request(&Method::Notify);
    assert_eq!(fragment(&busy), ("SIP/2.0 486 Busy Here", "terminated;reason=noresource"));
    assert!(matches!(peer.event(), Event::Failed { .. }));
    peer.send(refer(&ok, 3, "<sip:dave@example.net>"));
    peer.response(202);
    peer.request(&Method::Notify);
    peer.endpoint.refuse_transfer(peer.now, alice, StatusCode::DECLINE);
    assert_eq!(fragment(&peer.request(&Method::Notify)).0, "SIP/2.0 603 Decline");
    peer.send(refer(&ok, 4, "<sip:dave@example.net>"));
    peer.response(202);
    peer.request(&Method::Notify);
    peer.pass(10 * SECOND);
    assert_eq!(fragment(&peer.request(&Method::Notify)).0, "SIP/2.0 480 Temporarily Unavailable");
    assert_eq!(peer.endpoint.session(alice), State::Established);
    peer.send(Peer::in_dialog(&ok, "REFER", 5, ""));
    peer.response(400);
}

#[test]
fn a_safe_transfer_forbids_diversion_and_the_call_comes_back_when_it_fails() {
    const SAFE: &str = "<sip:carol@example.net?Ms-Sensitivity=private-no-diversion>";
    // As the attendant: what the target must not do goes with the REFER.
    let mut peer = Peer::registered();
    let (session, _) = with_alice(&mut peer);
    let target = uri("sip:carol@example.net?Ms-Sensitivity=private-no-diversion");
    peer.endpoint.transfer(peer.now, session, target).unwrap();
    let asked = peer.request(&Method::Refer);
    assert_eq!(get(&asked, &HeaderName::ReferTo), SAFE);
    // As the one who is transferred: it goes into the INVITE, and when nobody answers there the first call stands.
    let mut peer = Peer::registered();
    let (session, ok) = with_alice(&mut peer);
    peer.send(refer(&ok, 2, SAFE));
    peer.response(202);
    peer.request(&Method::Notify);
    let Event::TransferRequested { target, headers, .. } = peer.event() else { panic!() };
    assert_eq!(target.as_str(), "sip:carol@example.net");
    let mut invite = Invite::new(target, SDP);
    (invite.headers, invite.transfer) = (headers, Some(session));
    peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    assert_eq!(get(&invite, &HeaderName::MsSensitivity), "private-no-diversion");
    peer.reply(&invite, 480, "c1", &[], "");
    peer.request(&Method::Ack);
    let notify = peer.request(&Method::Notify);
    assert_eq!(fragment(&notify), ("SIP/2.0 480 Temporarily Unavailable", "terminated;reason=noresource"));
    assert!(matches!(peer.event(), Event::Failed { .. }));
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.endpoint.reoffer(peer.now, session, SDP, sip_lync::Rendering::Yes).unwrap();
    peer.request(&Method::Invite);
}

#[test]
fn a_bye_that_a_notification_overtook_is_sent_again() {
    let mut peer = Peer::registered();
    let (session, ok) = with_alice(&mut peer);
    peer.send(refer(&ok, 2, "<sip:carol@example.net>"));
    peer.response(202);
    peer.request(&Method::Notify);
    let mut invite = Invite::new(uri("sip:carol@example.net"), SDP);
    invite.transfer = Some(session);
    peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    peer.endpoint.hang_up(peer.now, session);
    let bye = peer.request(&Method::Bye);
    peer.reply(&invite, 486, "c1", &[], "");
    peer.request(&Method::Ack);
    let notify = peer.request(&Method::Notify);
    assert_eq!(fragment(&notify).0, "SIP/2.0 486 Busy Here");
    let number = |request: &Request| request.headers.cseq().unwrap().unwrap().number;
    assert!(number(&notify) > number(&bye));
    // RFC 3261 12.2.2: for whoever has the notification already, the BYE is out of order, and the call stands.
    peer.reply(&bye, 500, "", &[], "");
    let again = peer.request(&Method::Bye);
    assert!(number(&again) > number(&notify));
    // Refused without that reason it is not repeated: the session is over.
    peer.reply(&again, 500, "", &[], "");
    peer.silence();
    assert_eq!(peer.endpoint.session(session), State::Terminated);
}

#[test]
fn a_refer_out_of_the_blue_is_forbidden() {
    let mut peer = Peer::registered();
    let (_, ok) = with_alice(&mut peer);
    let mut stray = refer(&ok, 2, "<sip:carol@example.net>");
    stray.headers.set(HeaderName::To, "<sip:dect1@example.net>");
    peer.send(stray);
    peer.response(403);
    let mut unknown = refer(&ok, 3, "<sip:carol@example.net>");
    unknown.headers.set(HeaderName::To, "<sip:dect1@example.net>;tag=forged");
    peer.send(unknown);
    peer.response(481);
}

fn replacing(call: &Response, extra: &str) -> Request {
    let mut invite = Peer::invite(1, SDP);
    invite.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKcarol");
    invite.headers.set(HeaderName::From, "<sip:carol@example.net>;tag=cc");
    invite.headers.set(HeaderName::CallId, "call-2");
    let tag = call.headers.to().unwrap().unwrap().tag().unwrap().to_owned();
    invite.headers.push(HeaderName::Replaces, format!("call-1;to-tag={tag};from-tag=aa{extra}"));
    invite
}

#[test]
fn a_call_that_replaces_another_ends_it_once_it_is_answered() {
    let mut peer = Peer::registered();
    let (alice, ok) = with_alice(&mut peer);
    let mut invite = replacing(&ok, "");
    invite.headers.push(HeaderName::Require, "replaces");
    peer.send(invite);
    let Event::Incoming { session, replaces, .. } = peer.event() else { panic!() };
    assert_eq!(replaces, Some(alice));
    assert_eq!(peer.endpoint.session(alice), State::Established);
    peer.endpoint.answer(peer.now, session, ANSWER);
    peer.response(200);
    let bye = peer.request(&Method::Bye);
    assert_eq!(get(&bye, &HeaderName::CallId), "call-1");
    match peer.event() {
        Event::Ended { session: of, reason, .. } => assert_eq!((of, reason), (alice, EndReason::Replaced)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_replaces_nothing_of_this_user_is_refused() {
    let mut peer = Peer::registered();
    let (alice, ok) = with_alice(&mut peer);
    let mut forged = replacing(&ok, "");
    forged.headers.set(HeaderName::Replaces, "call-1;to-tag=guessed;from-tag=aa");
    peer.send(forged);
    peer.response(481);
    let mut early = replacing(&ok, ";early-only");
    early.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKearly");
    early.headers.set(HeaderName::CallId, "early");
    peer.send(early);
    peer.response(486);
    let mut broken = replacing(&ok, "");
    broken.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKbroken");
    broken.headers.set(HeaderName::CallId, "broken");
    broken.headers.set(HeaderName::Replaces, "call-1;to-tag=");
    peer.send(broken);
    peer.response(400);
    let other = peer
        .endpoint
        .add_user(sip_lync::User::new(sip_lync::SipUri::parse("sip:other@example.net").unwrap(), "0303"));
    let mut foreign = replacing(&ok, "");
    foreign.uri = uri("sip:other@example.net");
    foreign.headers.set(HeaderName::To, "<sip:other@example.net>");
    foreign.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKforeign");
    foreign.headers.set(HeaderName::CallId, "foreign");
    peer.send(foreign);
    peer.response(481);
    assert_ne!(other, peer.user);
    assert_eq!(peer.endpoint.session(alice), State::Established);
    peer.no_event();
}

#[test]
fn opaque_parts_of_refer_to_stay_byte_for_byte() {
    let address = "sip:%41nn;x@teams.example.com:5061;transport=TLS;x-m=8:orgid:7f%3A1;X-T=a%2fB;x-ti=;lr;gruu;opaque=app:q%20;w";
    let mut peer = Peer::registered();
    let (alice, ok) = with_alice(&mut peer);
    // Ours to the peer.
    peer.endpoint.transfer(peer.now, alice, uri(&format!("{address}?x-a=%31%2C2&Replaces=a%40b"))).unwrap();
    let ours = peer.request(&Method::Refer);
    assert_eq!(get(&ours, &HeaderName::ReferTo), format!("<{address}?x-a=%31%2C2&Replaces=a%40b>"));
    peer.reply(&ours, 603, "", &[], "");
    assert!(matches!(peer.event(), Event::TransferRefused { .. }));
    // The peer's to us.
    let asked = "?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2&x-a=%31%2C2&From=sip:evil@x&Via=z&Authorization=q&body=b";
    peer.send(refer(&ok, 2, &format!("<{address}{asked}>")));
    peer.response(202);
    peer.request(&Method::Notify);
    let Event::TransferRequested { target, headers, .. } = peer.event() else { panic!() };
    assert_eq!(target.as_str(), address);
    let named: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        named,
        [
            ("Replaces", "x@y;to-tag=1;from-tag=2"),
            ("x-a", "1,2"),
            ("Referred-By", "<sip:alice@example.net>;ms-referee-uri=\"sip:dect1@example.net\""),
        ]
    );
    let mut invite = Invite::new(target, SDP);
    invite.headers = headers;
    peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let invite = peer.request(&Method::Invite);
    assert_eq!(invite.uri.as_str(), address);
    assert_eq!(get(&invite, &HeaderName::To), format!("<{address}>"));
}

#[test]
fn a_refer_to_somebody_else_is_forbidden_and_told() {
    let mut peer = Peer::registered();
    let (alice, ok) = with_alice(&mut peer);
    for (cseq, ours) in [
        (2, "sip:dect1@dect.example.net:5061;transport=tls"),
        (3, "sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu"),
        (4, "sip:192.0.2.10:40001;transport=tls"),
    ] {
        let mut refer = refer(&ok, cseq, "<sip:carol@example.net>");
        refer.uri = uri(ours);
        peer.send(refer);
        peer.response(202);
        peer.request(&Method::Notify);
        assert!(matches!(peer.event(), Event::TransferRequested { .. }));
        peer.endpoint.refuse_transfer(peer.now, alice, StatusCode::DECLINE);
        peer.request(&Method::Notify);
    }
    let mut wrong = refer(&ok, 5, "<sip:carol@example.net>");
    wrong.uri = uri("sip:somebody@dect.example.net:5061");
    peer.send(wrong.clone());
    peer.response(403);
    match peer.event() {
        Event::TransferNotForUs { session, to } => assert_eq!((session, to), (alice, wrong.uri)),
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.endpoint.session(alice), State::Established);
}

#[test]
fn the_patience_of_transfers_is_configuration() {
    let mut config = sip_lync::Config::new("dect.example.net");
    assert_eq!(config.transfer.response, 10 * SECOND);
    assert_eq!(config.transfer.decision, 10 * SECOND);
    config.transfer.response = 3 * SECOND;
    config.transfer.decision = 4 * SECOND;
    config.transfer.notification = 5 * SECOND;
    config.transfer.only_to_us = false;
    let mut peer = Peer::with(config);
    peer.endpoint.route(peer.user, peer::FLOW);
    let (alice, ok) = with_alice(&mut peer);
    peer.endpoint.transfer(peer.now, alice, uri("sip:carol@example.net")).unwrap();
    peer.request(&Method::Refer);
    peer.pass(3 * SECOND);
    assert!(matches!(peer.event(), Event::TransferRefused { status: None, .. }));
    peer.endpoint.transfer(peer.now, alice, uri("sip:carol@example.net")).unwrap();
    let again = peer.request(&Method::Refer);
    peer.reply(&again, 202, "", &[], "");
    peer.pass(5 * SECOND);
    assert!(matches!(peer.event(), Event::TransferRefused { status: None, .. }));
    let mut elsewhere = refer(&ok, 2, "<sip:carol@example.net>");
    elsewhere.uri = uri("sip:somebody@dect.example.net:5061");
    peer.send(elsewhere);
    peer.response(202);
    peer.request(&Method::Notify);
    assert!(matches!(peer.event(), Event::TransferRequested { .. }));
    peer.pass(4 * SECOND);
    assert!(fragment(&peer.request(&Method::Notify)).1.starts_with("terminated"));
}
