//! Session timers against a scripted front end.

mod peer;

use std::time::Duration;

use peer::{ANSWER, Peer, SDP, uri};
use sip_lync::invite::State;
use sip_lync::{EndReason, Event, HeaderName, Invite, Method, Request, Response, SessionId};

const SECOND: Duration = Duration::from_secs(1);
const CONTACT: (&str, &str) = ("Contact", "<sip:bob@192.0.2.30;transport=tls>");

/// A call of ours that is answered with these header fields.
fn call(peer: &mut Peer, headers: &[(&str, &str)]) -> SessionId {
    let session =
        peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request(&Method::Invite);
    assert!(invite.headers.supported().unwrap().contains("timer"));
    let mut all = vec![CONTACT];
    all.extend_from_slice(headers);
    peer.reply(&invite, 200, "b1", &all, ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    session
}

/// A call that comes with these header fields, and our 200.
fn answered(peer: &mut Peer, headers: &[(HeaderName, &str)]) -> (SessionId, Response) {
    let mut invite = Peer::invite(1, SDP);
    for (name, value) in headers {
        invite.headers.push(name.clone(), value);
    }
    peer.send(invite);
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    (session, ok)
}

fn get<'a>(request: &'a Request, name: &HeaderName) -> Option<&'a str> {
    request.headers.get(name)
}

const UPDATE: (&str, &str) = ("Allow", "CANCEL,BYE,INVITE,REFER,NOTIFY,PRACK,UPDATE");

#[test]
fn we_refresh_with_update_at_half_of_the_interval_when_we_are_the_refresher() {
    let mut peer = Peer::routed();
    let session = call(&mut peer, &[("Session-Expires", "200;refresher=uac"), UPDATE]);
    for _ in 0..3 {
        peer.pass(99 * SECOND);
        peer.silence();
        peer.pass(SECOND);
        let update = peer.request(&Method::Update);
        assert_eq!(get(&update, &HeaderName::SessionExpires), Some("200;refresher=uac"));
        assert!(update.body.is_empty());
        peer.reply(&update, 200, "", &[CONTACT, ("Session-Expires", "200;refresher=uac")], "");
    }
    peer.no_event();
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.endpoint.hang_up(peer.now, session);
    let bye = peer.request(&Method::Bye);
    peer.reply(&bye, 200, "", &[], "");
    peer.pass(400 * SECOND);
    peer.drain();
    assert_eq!(peer.endpoint.state().sessions, 0);
}

#[test]
fn the_answer_to_a_refresh_says_where_the_peer_is_now() {
    for how in [&[UPDATE][..], &[]] {
        let mut peer = Peer::routed();
        let mut headers = vec![("Session-Expires", "200;refresher=uac")];
        headers.extend_from_slice(how);
        let session = call(&mut peer, &headers);
        peer.pass(100 * SECOND);
        let refresh = peer.request(if how.is_empty() { &Method::Invite } else { &Method::Update });
        assert_eq!(refresh.uri.as_str(), "sip:bob@192.0.2.30;transport=tls");
        let moved = ("Contact", "<sip:bob@192.0.2.31;transport=tls>");
        let body = if how.is_empty() { ANSWER } else { "" };
        peer.reply(&refresh, 200, "", &[moved, ("Session-Expires", "200;refresher=uac")], body);
        if how.is_empty() {
            assert_eq!(peer.request(&Method::Ack).uri.as_str(), "sip:bob@192.0.2.31;transport=tls");
        }
        peer.endpoint.hang_up(peer.now, session);
        assert_eq!(peer.request(&Method::Bye).uri.as_str(), "sip:bob@192.0.2.31;transport=tls");
    }
}

#[test]
fn a_peer_without_update_is_refreshed_by_reinvite_with_the_same_offer() {
    let mut peer = Peer::routed();
    call(&mut peer, &[("Session-Expires", "200;refresher=uac")]);
    peer.pass(100 * SECOND);
    let reinvite = peer.request(&Method::Invite);
    assert_eq!(&reinvite.body[..], SDP.as_bytes());
    assert_eq!(get(&reinvite, &HeaderName::SessionExpires), Some("200;refresher=uac"));
    peer.reply(&reinvite, 200, "", &[CONTACT, ("Session-Expires", "200;refresher=uac")], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::ReofferAnswered { .. }));
    peer.pass(100 * SECOND);
    peer.request(&Method::Invite);
}

#[test]
fn an_update_the_server_does_not_know_falls_back_to_reinvite() {
    let mut peer = Peer::routed();
    call(&mut peer, &[("Session-Expires", "200;refresher=uac"), UPDATE]);
    peer.pass(100 * SECOND);
    let update = peer.request(&Method::Update);
    peer.reply(&update, 501, "", &[], "");
    peer.request(&Method::Invite);
}

#[test]
fn a_refresh_whose_interval_is_too_small_is_repeated_with_a_longer_one() {
    let mut peer = Peer::routed();
    call(&mut peer, &[("Session-Expires", "200;refresher=uac"), UPDATE]);
    peer.pass(100 * SECOND);
    let update = peer.request(&Method::Update);
    peer.reply(&update, 422, "", &[("Min-SE", "600")], "");
    let again = peer.request(&Method::Update);
    assert_eq!(get(&again, &HeaderName::SessionExpires), Some("600;refresher=uac"));
    peer.reply(&again, 422, "", &[("Min-SE", "600")], "");
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::SessionExpired, .. }));
}

#[test]
fn a_refresh_answered_481_ends_the_session() {
    let mut peer = Peer::routed();
    call(&mut peer, &[("Session-Expires", "200;refresher=uac"), UPDATE]);
    peer.pass(100 * SECOND);
    let update = peer.request(&Method::Update);
    peer.reply(&update, 481, "", &[], "");
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::DialogGone, .. }));
}

#[test]
fn a_peer_that_does_not_refresh_loses_the_session() {
    let mut peer = Peer::routed();
    call(&mut peer, &[("Session-Expires", "1800;refresher=uas"), UPDATE]);
    peer.pass(1767 * SECOND);
    peer.silence();
    peer.pass(SECOND);
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::SessionExpired, .. }));
}

#[test]
fn the_refresh_of_the_peer_prolongs_the_session() {
    let mut peer = Peer::routed();
    let asked = [(HeaderName::SessionExpires, "1800;refresher=uac"), (HeaderName::Supported, "timer")];
    let (session, ok) = answered(&mut peer, &asked);
    assert_eq!(ok.headers.get(&HeaderName::SessionExpires), Some("1800;refresher=uac"));
    assert!(ok.headers.require().unwrap().contains("timer"));
    for refresh in 2..5 {
        peer.pass(1000 * SECOND);
        let mut update = Peer::in_dialog(&ok, "UPDATE", refresh, "");
        update.headers.push(HeaderName::SessionExpires, "1800;refresher=uac");
        update.headers.push(HeaderName::Supported, "timer");
        peer.send(update);
        let refreshed = peer.response(200);
        assert_eq!(refreshed.headers.get(&HeaderName::SessionExpires), Some("1800;refresher=uac"));
    }
    assert_eq!(peer.endpoint.session(session), State::Established);
    peer.no_event();
    peer.pass(1770 * SECOND);
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::SessionExpired, .. }));
}

#[test]
fn a_caller_without_the_timer_is_refreshed_by_us() {
    let mut peer = Peer::routed();
    let (_, ok) = answered(&mut peer, &[(HeaderName::SessionExpires, "300")]);
    assert_eq!(ok.headers.get(&HeaderName::SessionExpires), Some("300;refresher=uas"));
    assert!(!ok.headers.contains(&HeaderName::Require));
    peer.pass(150 * SECOND);
    peer.request(&Method::Invite);
}

#[test]
fn an_interval_below_90_seconds_is_refused() {
    let mut peer = Peer::routed();
    let mut invite = Peer::invite(1, SDP);
    invite.headers.push(HeaderName::SessionExpires, "60");
    peer.send(invite);
    let refusal = peer.response(422);
    assert_eq!(refusal.headers.get(&HeaderName::MinSe), Some("90"));
    peer.no_event();
    assert_eq!(peer.endpoint.state().sessions, 0);
}
