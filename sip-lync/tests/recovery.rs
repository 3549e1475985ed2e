//! Dialogs whose route through a front end died, against a scripted pool.

mod peer;

use std::time::Duration;

use peer::{ANSWER, Peer, SDP, uri};
use sip_lync::invite::State;
use sip_lync::{EndReason, Event, HeaderName, Invite, Method, Rendering, Request, SessionId};

const SECOND: Duration = Duration::from_secs(1);
const CONTACT: (&str, &str) = ("Contact", "<sip:bob@example.net;opaque=user:epid:bob;gruu>");
const OLD: (&str, &str) =
    ("Record-Route", "<sip:pool.example.net:5061;transport=tls;ms-fe=fe1.example.net;lr>");
const NEW: (&str, &str) =
    ("Record-Route", "<sip:pool.example.net:5061;transport=tls;ms-fe=fe2.example.net;lr>");
const SUPPORTED: (&str, &str) = ("Supported", "ms-dialog-route-set-update");
const DIALOG: (&str, &str) = ("P-Dialog-Recovery-Action", "dialog-route-set-update");
const REGISTRATION: (&str, &str) =
    ("P-Dialog-Recovery-Action", "registration-route-set-update, dialog-route-set-update");

fn call(peer: &mut Peer, allow: &str) -> SessionId {
    let session =
        peer.endpoint.invite(peer.now, peer.user, Invite::new(uri("sip:bob@example.net"), SDP)).unwrap();
    let invite = peer.request(&Method::Invite);
    assert!(invite.headers.supported().unwrap().contains("ms-dialog-route-set-update"));
    peer.reply(&invite, 200, "b1", &[CONTACT, OLD, ("Allow", allow), SUPPORTED], ANSWER);
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    session
}

fn route(request: &Request) -> Option<&str> {
    request.headers.get(&HeaderName::Route)
}

#[test]
fn after_430_the_dialog_is_refreshed_without_its_route_and_takes_the_new_one() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, "INVITE, UPDATE");
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    let hold = peer.request(&Method::Invite);
    assert_eq!(route(&hold), Some(OLD.1));
    peer.reply(&hold, 430, "", &[DIALOG], "");
    peer.request(&Method::Ack);
    peer.no_event();
    // The re-INVITE itself is the refresh.
    peer.pass(5 * SECOND);
    let again = peer.request(&Method::Invite);
    assert_eq!(route(&again), None);
    assert_eq!(again.uri.as_str(), "sip:bob@example.net;opaque=user:epid:bob;gruu");
    peer.reply(&again, 200, "", &[CONTACT, NEW, SUPPORTED], ANSWER);
    let ack = peer.request(&Method::Ack);
    assert_eq!(route(&ack), Some(NEW.1));
    assert!(matches!(peer.event(), Event::ReofferAnswered { .. }));
    peer.pass(10 * SECOND);
    peer.silence();
    peer.endpoint.hang_up(peer.now, session);
    assert_eq!(route(&peer.request(&Method::Bye)), Some(NEW.1));
}

#[test]
fn the_registration_is_refreshed_first_when_the_server_says_so() {
    let mut peer = Peer::registered();
    let held = call(&mut peer, "INVITE, UPDATE");
    let other = call(&mut peer, "INVITE, UPDATE");
    peer.endpoint.reoffer(peer.now, held, SDP, Rendering::No).unwrap();
    let hold = peer.request(&Method::Invite);
    peer.reply(&hold, 430, "", &[REGISTRATION], "");
    let mut register = None;
    for _ in 0..2 {
        peer.drain();
        match peer.next_method() {
            Some(Method::Ack) => drop(peer.request(&Method::Ack)),
            _ => register = Some(peer.request(&Method::Register)),
        }
    }
    peer.silence();
    peer.accept_registration(&register.unwrap(), "refreshed", 600);
    assert!(matches!(peer.event(), Event::Registered { refreshed: true, .. }));
    let update = peer.request(&Method::Update);
    assert_eq!(route(&update), None);
    peer.reply(&update, 200, "", &[CONTACT, NEW, SUPPORTED], "");
    peer.pass(5 * SECOND);
    let again = peer.request(&Method::Invite);
    assert_eq!(route(&again), None);
    peer.reply(&again, 200, "", &[CONTACT, NEW, SUPPORTED], ANSWER);
    peer.request(&Method::Ack);
    for session in [held, other] {
        assert_eq!(peer.endpoint.session(session), State::Established);
        peer.endpoint.hang_up(peer.now, session);
        assert_eq!(route(&peer.request(&Method::Bye)), Some(NEW.1));
    }
}

#[test]
fn a_dialog_that_cannot_be_recovered_ends() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, "INVITE");
    peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
    for _ in 0..3 {
        let reinvite = peer.request(&Method::Invite);
        peer.reply(&reinvite, 430, "", &[DIALOG], "");
        peer.request(&Method::Ack);
        peer.no_event();
        peer.pass(5 * SECOND);
    }
    let reinvite = peer.request(&Method::Invite);
    peer.reply(&reinvite, 430, "", &[DIALOG], "");
    peer.request(&Method::Ack);
    peer.request(&Method::Bye);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::DialogGone, .. }));
}

#[test]
fn a_dialog_that_was_recovered_may_be_recovered_again_and_again() {
    let mut peer = Peer::registered();
    let session = call(&mut peer, "INVITE");
    for _ in 0..5 {
        peer.endpoint.reoffer(peer.now, session, SDP, Rendering::No).unwrap();
        let reinvite = peer.request(&Method::Invite);
        peer.reply(&reinvite, 430, "", &[DIALOG], "");
        peer.request(&Method::Ack);
        peer.pass(5 * SECOND);
        let again = peer.request(&Method::Invite);
        peer.reply(&again, 200, "", &[CONTACT, NEW, SUPPORTED], ANSWER);
        peer.request(&Method::Ack);
        assert!(matches!(peer.event(), Event::ReofferAnswered { .. }));
    }
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn the_peers_refresh_replaces_our_route_only_if_it_announces_that() {
    for announces in [false, true] {
        let mut peer = Peer::registered();
        let invite = Peer::invite(1, SDP);
        let recorded = invite.headers.get(&HeaderName::RecordRoute).unwrap().to_owned();
        peer.send(invite);
        let Event::Incoming { session, .. } = peer.event() else { panic!() };
        peer.endpoint.answer(peer.now, session, ANSWER);
        let ok = peer.response(200);
        peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
        let mut update = Peer::in_dialog(&ok, "UPDATE", 2, "");
        update.headers.push(HeaderName::RecordRoute, NEW.1);
        if announces {
            update.headers.push(HeaderName::Supported, SUPPORTED.1);
        }
        peer.send(update);
        peer.response(200);
        peer.endpoint.hang_up(peer.now, session);
        let bye = peer.request(&Method::Bye);
        let ours = route(&bye).unwrap();
        assert_eq!(ours == NEW.1, announces, "{ours}");
        assert_eq!(recorded.starts_with(ours), !announces, "{ours}");
    }
}
