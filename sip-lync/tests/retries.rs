//! What we do about refusals, and what we refuse: longer intervals, single descriptions, redirections, reasons.

mod peer;

use peer::{FLOW, Peer, SDP, uri};
use sip_lync::headers::Reason;
use sip_lync::invite::State;
use sip_lync::{Config, EndReason, Event, HeaderName, Invite, Method, Request, SessionId, StatusCode};
use std::time::Duration;

fn called(config: Config, invite: Invite) -> (Peer, SessionId, Request) {
    let mut peer = Peer::with(config);
    peer.endpoint.route(peer.user, FLOW);
    let session = peer.endpoint.invite(peer.now, peer.user, invite).unwrap();
    let request = peer.request(&Method::Invite);
    (peer, session, request)
}

fn alice() -> Invite {
    Invite::new(uri("sip:alice@example.net"), SDP)
}

#[test]
fn an_interval_that_is_too_small_is_asked_for_again_as_the_refusal_says() {
    let mut config = Config::new("dect.example.net");
    config.session_expires = Some(Duration::from_secs(90));
    let (mut peer, session, first) = called(config, alice());
    peer.reply(&first, 180, "b", &[], "");
    assert!(matches!(peer.event(), Event::Progress { .. }));
    peer.reply(&first, 422, "b", &[("Min-SE", "600")], "");
    peer.request(&Method::Ack);
    let second = peer.request(&Method::Invite);
    assert_eq!(second.headers.get(&HeaderName::SessionExpires), Some("600"));
    assert_eq!(second.headers.get(&HeaderName::MinSe), Some("600"));
    assert_eq!(second.headers.get(&HeaderName::CSeq), Some("2 INVITE"));
    assert_eq!(second.headers.get(&HeaderName::CallId), first.headers.get(&HeaderName::CallId));
    assert_eq!(second.headers.get(&HeaderName::From), first.headers.get(&HeaderName::From));
    assert_ne!(second.headers.get(&HeaderName::Via), first.headers.get(&HeaderName::Via));
    assert_eq!(&second.body[..], SDP.as_bytes());
    peer.no_event();
    peer.reply(&second, 200, "c", &[("Contact", "<sip:alice@192.0.2.1>")], SDP);
    assert!(matches!(peer.event(), Event::Answered { .. }));
    let ack = peer.request(&Method::Ack);
    assert_eq!(ack.headers.get(&HeaderName::CSeq), Some("2 ACK"));
    assert_eq!(peer.endpoint.session(session), State::Established);
}

#[test]
fn a_server_that_is_never_satisfied_ends_the_call() {
    let (mut peer, session, first) = called(Config::new("dect.example.net"), alice());
    peer.reply(&first, 422, "b", &[("Min-SE", "600")], "");
    peer.request(&Method::Ack);
    let second = peer.request(&Method::Invite);
    peer.reply(&second, 422, "b", &[("Min-SE", "6000")], "");
    peer.request(&Method::Ack);
    assert!(matches!(peer.event(), Event::Failed { .. }));
    assert_eq!(peer.endpoint.session(session), State::Terminated);
    peer.silence();
    // Nonsense is no reason to try again.
    let (mut peer, _, first) = called(Config::new("dect.example.net"), alice());
    peer.reply(&first, 422, "b", &[("Min-SE", "4000000000")], "");
    assert!(matches!(peer.event(), Event::Failed { .. }));
}

#[test]
fn several_descriptions_become_one_when_the_archive_takes_no_more() {
    let parts = format!(
        "--x\r\nContent-Type: application/sdp\r\nContent-Disposition: session; handling=optional; ms-proxy-2007fallback\r\n\r\nv=broken\r\n--x\r\nContent-Type: application/sdp\r\nContent-Disposition: session; handling=optional\r\n\r\n{SDP}\r\n--x--\r\n"
    );
    for (status, headers) in
        [(415, vec![]), (488, vec![("ms-diagnostics", "7008;reason=\"Error parsing SDP\"")])]
    {
        let mut invite = Invite::new(uri("sip:alice@example.net"), parts.clone());
        invite.content_type = "multipart/alternative;boundary=x".to_owned();
        let (mut peer, _, first) = called(Config::new("dect.example.net"), invite);
        peer.reply(&first, status, "b", &headers, "");
        peer.request(&Method::Ack);
        let second = peer.request(&Method::Invite);
        assert_eq!(second.headers.get(&HeaderName::ContentType), Some("application/sdp"));
        assert_eq!(&second.body[..], SDP.as_bytes(), "{status}");
        peer.no_event();
    }
    let (mut peer, _, first) = called(Config::new("dect.example.net"), alice());
    peer.reply(&first, 415, "b", &[], "");
    assert!(matches!(peer.event(), Event::Failed { .. }), "there is nothing to leave out");
}

#[test]
fn a_caller_is_sent_elsewhere() {
    let mut peer = Peer::registered();
    peer.send(Peer::invite(1, SDP));
    let Event::Incoming { session, .. } = peer.event() else { panic!() };
    let to = vec![uri("sip:dect1@example.net;opaque=app:voicemail;gruu"), uri("tel:+14255550111")];
    peer.endpoint.redirect(peer.now, session, StatusCode::MOVED_TEMPORARILY, to);
    let response = peer.response(302);
    let contacts: Vec<&str> = response.headers.get_all(&HeaderName::Contact).collect();
    assert_eq!(contacts, ["<sip:dect1@example.net;opaque=app:voicemail;gruu>", "<tel:+14255550111>"]);
    assert!(matches!(peer.event(), Event::Ended { reason: EndReason::Local, .. }));
}

#[test]
fn the_reason_of_an_end_goes_with_cancel_and_bye() {
    let reason = Reason::parse("SIP;cause=200;text=\"Call completed elsewhere\"").unwrap();
    let (mut peer, session, invite) = called(Config::new("dect.example.net"), alice());
    peer.reply(&invite, 180, "b", &[], "");
    peer.endpoint.hang_up_because(peer.now, session, &reason);
    let cancel = peer.request(&Method::Cancel);
    assert_eq!(cancel.headers.get(&HeaderName::Reason), Some(reason.to_string().as_str()));
    let (mut peer, session, invite) = called(Config::new("dect.example.net"), alice());
    peer.reply(&invite, 200, "b", &[("Contact", "<sip:alice@192.0.2.1>")], SDP);
    peer.request(&Method::Ack);
    peer.endpoint.hang_up_because(peer.now, session, &reason);
    let bye = peer.request(&Method::Bye);
    assert_eq!(bye.headers.get(&HeaderName::Reason), Some(reason.to_string().as_str()));
}

#[test]
fn an_invite_that_wants_to_join_a_call_is_refused() {
    let mut peer = Peer::registered();
    let mut invite = Peer::invite(1, SDP);
    invite.headers.push(HeaderName::Join, "call-0;to-tag=a;from-tag=b");
    peer.send(invite);
    peer.response(488);
    peer.no_event();
}
