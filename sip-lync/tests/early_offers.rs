//! Offers before a call is answered: RFC 6337 table 1, patterns 4 to 6, and the re-INVITE without an offer.

mod peer;

use std::time::Duration;

use peer::{ANSWER, Peer, SDP, uri};
use sip_lync::invite::State;
use sip_lync::{
    EndReason, Event, ForkId, HeaderName, Invite, Method, Rendering, Request, Response, SessionId, StatusCode,
};

const SECOND: Duration = Duration::from_secs(1);
const CONTACT: (&str, &str) = ("Contact", "<sip:bob@192.0.2.30;transport=tls>");
const RELIABLE: [(&str, &str); 3] = [CONTACT, ("Require", "100rel"), ("RSeq", "7")];

/// A description that tells itself from others.
fn sdp(name: &str) -> String {
    SDP.replace("s=session", &format!("s={name}"))
}

fn offerless(peer: &mut Peer) -> (SessionId, Request) {
    let invite = Invite::without_offer(uri("sip:bob@example.net"));
    let session = peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    (session, peer.request(&Method::Invite))
}

fn offered(peer: &mut Peer) -> (SessionId, Request) {
    let invite = Invite::new(uri("sip:bob@example.net"), SDP);
    let session = peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    (session, peer.request(&Method::Invite))
}

fn early_offer(peer: &mut Peer) -> (ForkId, String) {
    match peer.event() {
        Event::EarlyOffer { fork, description, .. } => {
            (fork, String::from_utf8(description.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

fn progress(peer: &mut Peer) -> u16 {
    match peer.event() {
        Event::Progress { status, .. } => status.code(),
        other => panic!("{other:?}"),
    }
}

/// A request of the callee within the early dialog of our INVITE.
fn of_callee(invite: &Request, tag: &str, method: &str, cseq: u32, body: &str) -> Request {
    let (from, to) = (invite.headers.get(&HeaderName::From), invite.headers.get(&HeaderName::To));
    let (from, to, call_id) = (from.unwrap(), to.unwrap(), invite.headers.get(&HeaderName::CallId).unwrap());
    Peer::front_end(
        &format!(
            "{method} sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{tag}{method}{cseq}
From: {to};tag={tag}
To: {from}
Call-ID: {call_id}
CSeq: {cseq} {method}
Contact: <sip:bob@192.0.2.30;transport=tls>"
        ),
        body,
    )
}

fn incoming(peer: &mut Peer, body: &str) -> SessionId {
    let mut invite = Peer::invite(1, body);
    invite.headers.push(HeaderName::Supported, "100rel");
    peer.send(invite);
    match peer.event() {
        Event::Incoming { session, .. } => session,
        other => panic!("{other:?}"),
    }
}

fn prack(response: &Response, cseq: u32, body: &str) -> Request {
    let mut prack = Peer::in_dialog(response, "PRACK", cseq, body);
    let rseq = response.headers.rseq().unwrap().unwrap();
    prack.headers.push(HeaderName::RAck, format!("{rseq} 1 INVITE"));
    prack
}

#[test]
fn an_offer_in_a_reliable_response_is_answered_in_its_prack() {
    let mut peer = Peer::registered();
    let (session, invite) = offerless(&mut peer);
    peer.reply(&invite, 183, "one", &RELIABLE, SDP);
    assert_eq!(progress(&mut peer), 183);
    let (fork, offer) = early_offer(&mut peer);
    assert_eq!(offer, SDP);
    peer.silence();
    // The response comes again until its PRACK does.
    peer.reply(&invite, 183, "one", &RELIABLE, SDP);
    peer.no_event();
    peer.endpoint.answer_early(peer.now, session, fork, ANSWER);
    let prack = peer.request(&Method::Prack);
    assert_eq!(prack.headers.get(&HeaderName::RAck), Some("7 1 INVITE"));
    assert_eq!(&prack.body[..], ANSWER.as_bytes());
    peer.reply(&prack, 200, "one", &[], "");
    // The 200 repeats the offer, as it may; nothing is due any more.
    peer.reply(&invite, 200, "one", &[CONTACT], SDP);
    let ack = peer.request(&Method::Ack);
    assert!(ack.body.is_empty());
    match peer.event() {
        Event::Answered { answer_due, .. } => assert!(!answer_due),
        other => panic!("{other:?}"),
    }
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    peer.request(&Method::Invite);
}

#[test]
fn every_fork_makes_its_own_offer_and_gets_its_own_answer() {
    let mut peer = Peer::registered();
    let (session, invite) = offerless(&mut peer);
    let mut forks = Vec::new();
    for tag in ["one", "two"] {
        peer.reply(&invite, 183, tag, &RELIABLE, SDP);
        assert_eq!(progress(&mut peer), 183);
        forks.push(early_offer(&mut peer).0);
    }
    assert_ne!(forks[0], forks[1]);
    peer.endpoint.answer_early(peer.now, session, forks[1], ANSWER);
    let prack = peer.request(&Method::Prack);
    assert!(prack.headers.get(&HeaderName::To).unwrap().ends_with("tag=two"));
    // The other one answers the call without waiting for its PRACK: its offer is answered in the ACK.
    peer.reply(&invite, 200, "one", &[CONTACT], "");
    match peer.event() {
        Event::Answered { answer_due, description, fork, .. } => {
            assert!(answer_due);
            assert_eq!((fork, description.as_deref()), (forks[0], Some(SDP.as_bytes())));
        }
        other => panic!("{other:?}"),
    }
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    assert_eq!(&peer.request(&Method::Ack).body[..], ANSWER.as_bytes());
    peer.pass(20 * SECOND);
    peer.silence();
    peer.no_event();
}

#[test]
fn an_offer_in_a_response_that_nobody_answers_ends_the_call() {
    let mut peer = Peer::registered();
    let (_, invite) = offerless(&mut peer);
    peer.reply(&invite, 183, "one", &RELIABLE, SDP);
    peer.pass(10 * SECOND);
    let cancel = peer.request(&Method::Cancel);
    peer.reply(&cancel, 200, "", &[], "");
    peer.reply(&invite, 487, "one", &[], "");
    peer.request(&Method::Ack);
    assert_eq!(progress(&mut peer), 183);
    early_offer(&mut peer);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::AnswerMissing, .. }));
}

#[test]
fn an_offer_of_ours_in_a_reliable_response_is_answered_by_the_prack() {
    let mut peer = Peer::registered();
    let session = incoming(&mut peer, "");
    peer.endpoint.ring(peer.now, session, Some(SDP.into()));
    let early = peer.response(183);
    assert_eq!(&early.body[..], SDP.as_bytes());
    assert!(early.headers.require().unwrap().contains("100rel"));
    peer.endpoint.answer(peer.now, session, "what is said here is settled already");
    peer.silence();
    peer.send(prack(&early, 2, ANSWER));
    peer.response(200);
    match peer.event() {
        Event::EarlyAnswer { description, fork, .. } => {
            assert_eq!((description.as_deref(), fork), (Some(ANSWER.as_bytes()), ForkId(0)));
        }
        other => panic!("{other:?}"),
    }
    let ok = peer.response(200);
    assert!(ok.body.is_empty() && !ok.headers.contains(&HeaderName::ContentType));
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { description: None, .. }));
    // The answer to a re-INVITE is an answer as always.
    peer.send(Peer::in_dialog(&ok, "INVITE", 3, SDP));
    assert!(matches!(peer.event(), Event::Reoffered { .. }));
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    assert_eq!(&peer.response(200).body[..], ANSWER.as_bytes());
}

#[test]
fn a_prack_without_the_answer_ends_the_call() {
    let mut peer = Peer::registered();
    let session = incoming(&mut peer, "");
    peer.endpoint.ring(peer.now, session, Some(SDP.into()));
    let early = peer.response(183);
    peer.send(prack(&early, 2, ""));
    peer.response(200);
    peer.response(488);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::AnswerMissing, .. }));
}

#[test]
fn a_caller_that_takes_no_reliable_responses_gets_no_early_offer() {
    let mut peer = Peer::registered();
    peer.send(Peer::invite(1, ""));
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    peer.endpoint.ring(peer.now, session, Some(SDP.into()));
    assert!(peer.response(180).body.is_empty());
    peer.endpoint.answer(peer.now, session, SDP);
    assert_eq!(&peer.response(200).body[..], SDP.as_bytes());
}

#[test]
fn an_offer_in_prack_is_answered_by_its_200_and_the_answer_of_the_call_waits_for_that() {
    let mut peer = Peer::registered();
    let session = incoming(&mut peer, SDP);
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    let early = peer.response(183);
    peer.send(prack(&early, 2, &sdp("second")));
    let (fork, offer) = early_offer(&mut peer);
    assert_eq!(offer, sdp("second"));
    peer.endpoint.answer(peer.now, session, "stale");
    peer.silence();
    peer.endpoint.answer_early(peer.now, session, fork, sdp("second answer"));
    let ok = peer.response(200);
    assert_eq!(ok.headers.cseq().unwrap().unwrap().method, Method::Prack);
    assert_eq!(&ok.body[..], sdp("second answer").as_bytes());
    let ok = peer.response(200);
    assert_eq!(ok.headers.cseq().unwrap().unwrap().method, Method::Invite);
    assert!(ok.body.is_empty());
}

#[test]
fn an_update_of_the_caller_before_the_answer_is_answered() {
    let mut peer = Peer::registered();
    let session = incoming(&mut peer, SDP);
    // Before our own answer is there, it is too early.
    peer.endpoint.ring(peer.now, session, None);
    let ringing = peer.response(180);
    peer.send(Peer::in_dialog(&ringing, "UPDATE", 2, SDP));
    assert!(peer.response(500).headers.contains(&HeaderName::RetryAfter));
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    let early = peer.response(183);
    peer.send(prack(&early, 3, ""));
    peer.response(200);
    peer.send(Peer::in_dialog(&early, "UPDATE", 4, &sdp("second")));
    let (fork, offer) = early_offer(&mut peer);
    assert_eq!(offer, sdp("second"));
    // One at a time.
    peer.send(Peer::in_dialog(&early, "UPDATE", 5, &sdp("third")));
    assert!(peer.response(500).headers.contains(&HeaderName::RetryAfter));
    peer.endpoint.reject_early(peer.now, session, fork, StatusCode::NOT_ACCEPTABLE_HERE);
    assert_eq!(peer.response(488).headers.cseq().unwrap().unwrap().number, 4);
    peer.send(Peer::in_dialog(&early, "UPDATE", 6, &sdp("fourth")));
    early_offer(&mut peer);
    peer.endpoint.answer_early(peer.now, session, fork, sdp("fourth answer"));
    let ok = peer.response(200);
    assert_eq!(&ok.body[..], sdp("fourth answer").as_bytes());
    assert!(ok.headers.contains(&HeaderName::Contact));
    peer.endpoint.answer(peer.now, session, ANSWER);
    assert!(peer.response(200).body.is_empty());
}

#[test]
fn an_update_nobody_answers_is_refused_and_one_that_outlives_its_call_too() {
    let mut peer = Peer::registered();
    let session = incoming(&mut peer, SDP);
    peer.endpoint.ring(peer.now, session, Some(ANSWER.into()));
    let early = peer.response(183);
    peer.send(prack(&early, 2, ""));
    peer.response(200);
    peer.send(Peer::in_dialog(&early, "UPDATE", 3, SDP));
    early_offer(&mut peer);
    peer.pass(10 * SECOND);
    peer.response(488);
    peer.send(Peer::in_dialog(&early, "UPDATE", 4, SDP));
    early_offer(&mut peer);
    peer.endpoint.hang_up(peer.now, session);
    peer.response(480);
    peer.response(481);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
    peer.pass(60 * SECOND);
    assert_eq!(peer.endpoint.state().timers, 2, "the refresh of the registration and the keep-alive");
    assert_eq!(peer.endpoint.state().server_transactions, 0);
}

#[test]
fn our_update_before_the_answer_and_that_of_the_peer_meet() {
    let mut peer = Peer::registered();
    let (session, invite) = offered(&mut peer);
    assert!(peer.endpoint.offer_early(peer.now, session, ForkId(0), SDP).is_err(), "no early dialog yet");
    peer.reply(&invite, 183, "one", &RELIABLE, ANSWER);
    let prack = peer.request(&Method::Prack);
    assert!(prack.body.is_empty());
    peer.reply(&prack, 200, "one", &[], "");
    assert_eq!(progress(&mut peer), 183);
    peer.endpoint.offer_early(peer.now, session, ForkId(0), sdp("second")).unwrap();
    let update = peer.request(&Method::Update);
    assert_eq!(&update.body[..], sdp("second").as_bytes());
    peer.send(of_callee(&invite, "one", "UPDATE", 1, SDP));
    peer.response(491);
    assert!(peer.endpoint.offer_early(peer.now, session, ForkId(0), SDP).is_err(), "one is open");
    peer.reply(&update, 200, "one", &[CONTACT], &sdp("second answer"));
    match peer.event() {
        Event::EarlyAnswer { description, .. } => {
            assert_eq!(description.as_deref(), Some(sdp("second answer").as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    peer.endpoint.offer_early(peer.now, session, ForkId(0), sdp("third")).unwrap();
    let update = peer.request(&Method::Update);
    peer.reply(&update, 488, "one", &[], "");
    assert!(
        matches!(peer.event(), Event::EarlyOfferRefused { status: Some(status), .. } if status.code() == 488)
    );
    peer.send(of_callee(&invite, "one", "UPDATE", 2, &sdp("of bob")));
    let (fork, _) = early_offer(&mut peer);
    peer.endpoint.answer_early(peer.now, session, fork, sdp("for bob"));
    assert_eq!(&peer.response(200).body[..], sdp("for bob").as_bytes());
    // What the 200 repeats is old; the last description of the peer counts.
    peer.reply(&invite, 200, "one", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    match peer.event() {
        Event::Answered { description, .. } => {
            assert_eq!(description.as_deref(), Some(sdp("of bob").as_bytes()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_update_that_crosses_the_answer_of_the_call_may_come_again() {
    let mut peer = Peer::registered();
    let (session, invite) = offered(&mut peer);
    peer.reply(&invite, 183, "one", &RELIABLE, ANSWER);
    peer.request(&Method::Prack);
    progress(&mut peer);
    peer.send(of_callee(&invite, "one", "UPDATE", 1, &sdp("of bob")));
    early_offer(&mut peer);
    peer.reply(&invite, 200, "one", &[CONTACT], "");
    assert!(peer.response(500).headers.contains(&HeaderName::RetryAfter));
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    peer.send(of_callee(&invite, "one", "UPDATE", 2, &sdp("of bob")));
    assert!(matches!(peer.event(), Event::Reoffered { .. }));
    assert_eq!(peer.endpoint.session(session), State::Updated);
}

#[test]
fn no_offer_follows_the_end_of_a_call() {
    let mut peer = Peer::registered();
    let (session, invite) = offered(&mut peer);
    peer.reply(&invite, 183, "one", &RELIABLE, ANSWER);
    peer.request(&Method::Prack);
    progress(&mut peer);
    peer.reply(&invite, 200, "one", &[CONTACT], "");
    peer.request(&Method::Ack);
    peer.event();
    peer.endpoint.hang_up(peer.now, session);
    let bye = peer.request(&Method::Bye);
    // It could overtake the BYE, which would then be out of order for the peer, and the call would stand there.
    assert!(peer.endpoint.offer_early(peer.now, session, ForkId(0), SDP).is_err(), "the call is over");
    assert!(peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).is_err());
    peer.silence();
    peer.reply(&bye, 200, "one", &[], "");
    // A call that was given up while it rang makes no offers either.
    let (session, invite) = offered(&mut peer);
    peer.reply(&invite, 183, "two", &RELIABLE, ANSWER);
    peer.request(&Method::Prack);
    peer.endpoint.hang_up(peer.now, session);
    peer.request(&Method::Cancel);
    assert!(peer.endpoint.offer_early(peer.now, session, ForkId(0), SDP).is_err());
}

#[test]
fn nothing_is_acknowledged_reliably_after_the_end_of_a_call() {
    let mut peer = Peer::registered();
    let (session, invite) = offered(&mut peer);
    peer.reply(&invite, 200, "one", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    let reinvite = peer.request(&Method::Invite);
    peer.endpoint.hang_up(peer.now, session);
    let bye = peer.request(&Method::Bye);
    peer.reply(&reinvite, 183, "one", &RELIABLE, ANSWER);
    peer.silence();
    peer.reply(&bye, 200, "one", &[], "");
}

#[test]
fn a_fork_that_loses_gets_a_response_to_its_update() {
    let mut peer = Peer::registered();
    let (_, invite) = offered(&mut peer);
    peer.reply(&invite, 183, "one", &RELIABLE, ANSWER);
    peer.request(&Method::Prack);
    progress(&mut peer);
    peer.send(of_callee(&invite, "one", "UPDATE", 1, &sdp("of bob")));
    early_offer(&mut peer);
    peer.reply(&invite, 200, "two", &[CONTACT], ANSWER);
    peer.response(481);
    peer.request(&Method::Ack);
}

#[test]
fn a_reinvite_without_an_offer_asks_the_peer_for_one() {
    let mut peer = Peer::registered();
    let (session, invite) = offered(&mut peer);
    peer.reply(&invite, 200, "one", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    peer.endpoint.ask_for_offer(peer.now, session).unwrap();
    let reinvite = peer.request(&Method::Invite);
    assert!(reinvite.body.is_empty() && !reinvite.headers.contains(&HeaderName::ContentType));
    peer.reply(&reinvite, 200, "one", &[CONTACT], &sdp("of bob"));
    match peer.event() {
        Event::Reoffered { description, .. } => {
            assert_eq!(description.as_deref(), Some(sdp("of bob").as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    // It comes again until its ACK does.
    peer.reply(&reinvite, 200, "one", &[CONTACT], &sdp("of bob"));
    peer.no_event();
    peer.endpoint.answer_reoffer(peer.now, session, ANSWER);
    assert_eq!(&peer.request(&Method::Ack).body[..], ANSWER.as_bytes());
    peer.reply(&reinvite, 200, "one", &[CONTACT], &sdp("of bob"));
    assert_eq!(&peer.request(&Method::Ack).body[..], ANSWER.as_bytes());
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    peer.request(&Method::Invite);
}

#[test]
fn reliable_responses_to_a_reinvite_are_acknowledged_and_their_answer_counts() {
    let mut peer = Peer::registered();
    let (session, invite) = offered(&mut peer);
    peer.reply(&invite, 200, "one", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    let reinvite = peer.request(&Method::Invite);
    peer.reply(&reinvite, 183, "one", &RELIABLE, &sdp("early"));
    let prack = peer.request(&Method::Prack);
    assert_eq!(prack.headers.get(&HeaderName::RAck), Some("7 2 INVITE"));
    peer.reply(&reinvite, 183, "one", &RELIABLE, &sdp("early"));
    peer.silence();
    peer.reply(&reinvite, 200, "one", &[CONTACT], "");
    peer.request(&Method::Ack);
    match peer.event() {
        Event::ReofferAnswered { description, .. } => {
            assert_eq!(description.as_deref(), Some(sdp("early").as_bytes()));
        }
        other => panic!("{other:?}"),
    }
    // Asked for an offer, the peer makes it in such a response: the answer goes into the PRACK.
    peer.endpoint.ask_for_offer(peer.now, session).unwrap();
    let reinvite = peer.request(&Method::Invite);
    peer.reply(&reinvite, 183, "one", &RELIABLE, &sdp("of bob"));
    let (fork, _) = early_offer(&mut peer);
    peer.endpoint.answer_early(peer.now, session, fork, ANSWER);
    let prack = peer.request(&Method::Prack);
    assert_eq!(&prack.body[..], ANSWER.as_bytes());
    peer.reply(&reinvite, 200, "one", &[CONTACT], &sdp("of bob"));
    assert!(peer.request(&Method::Ack).body.is_empty());
    assert!(matches!(peer.event(), Event::ReofferAnswered { description: None, .. }));
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::Yes).unwrap();
}
