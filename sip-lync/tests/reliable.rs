//! Reliable provisional responses of ours, against a scripted caller.

mod peer;

use std::time::Duration;

use peer::{ANSWER, Peer, SDP};
use sip_lync::{Config, EndReason, Event, HeaderName, Request, Response, SessionId};

const SECOND: Duration = Duration::from_secs(1);

fn call(peer: &mut Peer, name: HeaderName, value: &str) -> SessionId {
    let mut invite = Peer::invite(1, SDP);
    invite.headers.push(name, value);
    peer.send(invite);
    match peer.event() {
        Event::Incoming { session, .. } => session,
        other => panic!("{other:?}"),
    }
}

fn prack(response: &Response, cseq: u32, offset: u32) -> Request {
    let mut prack = Peer::in_dialog(response, "PRACK", cseq, "");
    let rseq = response.headers.rseq().unwrap().unwrap() + offset;
    prack.headers.push(HeaderName::RAck, format!("{rseq} 1 INVITE"));
    prack
}

#[test]
fn an_early_answer_is_repeated_until_its_prack_and_the_200_waits_for_that() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, HeaderName::Supported, "100rel");
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    let early = peer.response(183);
    assert!(early.headers.require().unwrap().contains("100rel"));
    assert_eq!(&early.body[..], ANSWER.as_bytes());
    peer.pass(Duration::from_millis(500));
    assert_eq!(peer.response(183), early);
    peer.endpoint.answer(peer.now, session, ANSWER);
    peer.silence();
    peer.send(prack(&early, 2, 1));
    peer.response(481);
    // The right response of another INVITE.
    let mut of_another = prack(&early, 5, 0);
    let rseq = early.headers.rseq().unwrap().unwrap();
    of_another.headers.set(HeaderName::RAck, format!("{rseq} 2 INVITE"));
    peer.send(of_another);
    peer.response(481);
    peer.send(prack(&early, 6, 0));
    peer.response(200);
    let ok = peer.response(200);
    assert_eq!(&ok.body[..], ANSWER.as_bytes());
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    peer.pass(60 * SECOND);
    peer.silence();
    peer.send(prack(&early, 7, 0));
    peer.response(481);
}

#[test]
fn numbers_of_reliable_responses_follow_one_another() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, HeaderName::Require, "100rel");
    peer.endpoint.ring(peer.now, session, None);
    let first = peer.response(180);
    peer.send(prack(&first, 2, 0));
    peer.response(200);
    peer.endpoint.ring(peer.now, session, None);
    let second = peer.response(180);
    let rseq = |response: &Response| response.headers.rseq().unwrap().unwrap();
    assert_eq!(rseq(&second), rseq(&first) + 1);
}

#[test]
fn without_a_prack_the_call_is_refused() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, HeaderName::Supported, "100rel");
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    peer.pass(32 * SECOND);
    let mut repetitions = 0;
    peer.drain();
    while peer.next_is_response() {
        let response = peer.any_response();
        if response.status.code() == 504 {
            break;
        }
        assert_eq!(response.status.code(), 183);
        repetitions += 1;
    }
    assert_eq!(repetitions, 7, "RFC 3262 3: at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s");
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::AckMissing, .. }));
}

#[test]
fn callers_that_cannot_get_plain_responses() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, HeaderName::Supported, "timer");
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    let early = peer.response(183);
    assert!(!early.headers.contains(&HeaderName::RSeq) && !early.headers.contains(&HeaderName::Require));
    let mut config = Config::new("dect.example.net");
    config.reliable_provisional = false;
    let mut peer = Peer::with(config);
    let mut invite = Peer::invite(1, SDP);
    invite.headers.push(HeaderName::Require, "100rel");
    peer.send(invite);
    assert_eq!(peer.response(420).headers.get(&HeaderName::Unsupported), Some("100rel"));
}

#[test]
fn a_call_cancelled_before_the_prack_is_forgotten() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, HeaderName::Supported, "100rel");
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    let early = peer.response(183);
    peer.endpoint.answer(peer.now, session, ANSWER);
    peer.endpoint.hang_up(peer.now, session);
    peer.response(480);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    peer.send(prack(&early, 2, 0));
    peer.response(481);
}
