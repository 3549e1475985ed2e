//! Conferences: the focus, its roster and the mixer, against a scripted server.

mod peer;

use std::time::Duration;

use peer::{ANSWER, Peer, SDP};
use sip_lync::body::c3p::{self, Command, Outcome};
use sip_lync::conference::State;
use sip_lync::sdp::{AudioAnswer, AudioCodec, AudioOffer, SessionDescription, audio_answer};
use sip_lync::{ConferenceId, Event, HeaderName, Method, Request, SipUri};

const FOCUS: &str = "sip:ann@example.net;gruu;opaque=app:conf:focus:id:5D3JHFSS";
const MIXER: &str = "sip:ann@example.net;gruu;opaque=app:conf:audio-video:id:5D3JHFSS";
const CONTACT: (&str, &str) =
    ("Contact", "<sip:ann@example.net;gruu;opaque=app:conf:focus:id:5D3JHFSS>;isfocus");

fn joining(peer: &mut Peer) -> (ConferenceId, Request) {
    let focus = SipUri::parse(FOCUS).unwrap();
    let conference = peer.endpoint.join_conference(peer.now, peer.user, &focus).unwrap();
    (conference, peer.request(&Method::Invite))
}

/// The 200 of the focus with what it answers to `addUser`.
fn decides(peer: &mut Peer, invite: &Request, outcome: Outcome) {
    let asked = c3p::Request::parse(&invite.body).unwrap();
    let mut ok = invite.response(sip_lync::StatusCode::OK);
    let to = ok.headers.get(&HeaderName::To).unwrap().to_owned();
    ok.headers.set(HeaderName::To, format!("{to};tag=f1"));
    ok.headers.push(HeaderName::Contact, CONTACT.1);
    ok.headers.push(HeaderName::Allow, "INVITE, BYE, ACK, CANCEL, INFO, UPDATE");
    ok.headers.push(HeaderName::ContentType, c3p::MEDIA_TYPE);
    ok.body = c3p::Response::to(&asked, outcome).to_body().into();
    peer.send(ok);
    peer.request(&Method::Ack);
}

/// The SUBSCRIBE for the roster.
fn joined(peer: &mut Peer) -> (ConferenceId, Request, Request) {
    let (conference, invite) = joining(peer);
    decides(peer, &invite, Outcome::Success);
    let subscribe = peer.request(&Method::Subscribe);
    match peer.event() {
        Event::ConferenceJoined { conference: of, user } => assert_eq!((of, user), (conference, peer.user)),
        other => panic!("{other:?}"),
    }
    (conference, invite, subscribe)
}

/// A request of the focus in the session with it.
fn of_focus(invite: &Request, method: &str, cseq: u32) -> Request {
    let get = |name| invite.headers.get(&name).unwrap();
    Peer::front_end(
        &format!(
            "{method} sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKf{method}{cseq}
From: {};tag=f1
To: {}
Call-ID: {}
CSeq: {cseq} {method}",
            get(HeaderName::To),
            get(HeaderName::From),
            get(HeaderName::CallId),
        ),
        "",
    )
}

fn roster(subscribe: &Request, cseq: u32, extent: &str, version: u32, users: &str) -> Request {
    let get = |name| subscribe.headers.get(&name).unwrap();
    let mut notify = Peer::front_end(
        &format!(
            "BENOTIFY sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKn{cseq}
From: {};tag=n1
To: {}
Call-ID: {}
CSeq: {cseq} BENOTIFY
Event: conference
subscription-state: active;expires=3600",
            get(HeaderName::To),
            get(HeaderName::From),
            get(HeaderName::CallId),
        ),
        "",
    );
    notify.headers.push(HeaderName::ContentType, "application/conference-info+xml");
    notify.body = format!(
        "<conference-info xmlns=\"urn:ietf:params:xml:ns:conference-info\" entity=\"{FOCUS}\" state=\"{extent}\" \
         version=\"{version}\"><users state=\"{extent}\">{users}</users></conference-info>"
    )
    .into();
    notify
}

#[test]
fn a_conference_is_joined_its_roster_followed_its_sound_called_and_it_is_left() {
    let mut peer = Peer::registered();
    let (conference, invite) = joining(&mut peer);
    assert_eq!(invite.uri.as_str(), FOCUS);
    assert_eq!(invite.headers.get(&HeaderName::ContentType), Some("application/cccp+xml"));
    let asked = c3p::Request::parse(&invite.body).unwrap();
    assert_eq!((&*asked.to, &*asked.from), (FOCUS, "sip:dect1@example.net"));
    let Command::AddUser { user, endpoint } = asked.command else { panic!() };
    assert_eq!((&*user, &*endpoint), ("sip:dect1@example.net", "{4B1682A8-F968-5701-83FC-7C6741DC6697}"));
    peer.reply(&invite, 180, "f1", &[CONTACT], "");
    peer.no_event();
    decides(&mut peer, &invite, Outcome::Success);
    let subscribe = peer.request(&Method::Subscribe);
    assert_eq!(subscribe.uri.as_str(), FOCUS);
    assert_eq!(subscribe.headers.get(&HeaderName::Event), Some("conference"));
    assert_eq!(subscribe.headers.get(&HeaderName::Accept), Some("application/conference-info+xml"));
    assert!(matches!(peer.event(), Event::ConferenceJoined { .. }));
    peer.reply(&subscribe, 200, "n1", &[CONTACT, ("Expires", "3600")], "");
    peer.no_event();
    peer.send(roster(&subscribe, 1, "full", 1, "<user entity=\"sip:ann@example.net\"/>"));
    assert_eq!(peer.event(), Event::RosterChanged { conference });
    peer.send(roster(&subscribe, 2, "partial", 2, "<user entity=\"sip:bob@example.net\"/>"));
    assert_eq!(peer.event(), Event::RosterChanged { conference });
    assert_eq!(peer.endpoint.roster(conference).unwrap().users.len(), 2);
    // Sound.
    let session = peer.endpoint.join_audio(peer.now, conference, SDP).unwrap();
    let audio = peer.request(&Method::Invite);
    assert_eq!(audio.uri.as_str(), MIXER);
    assert_eq!(&audio.body[..], SDP.as_bytes());
    peer.reply(&audio, 200, "m1", &[CONTACT], ANSWER);
    peer.request(&Method::Ack);
    match peer.event() {
        Event::Answered { session: of, .. } => assert_eq!(of, session),
        other => panic!("{other:?}"),
    }
    assert_eq!(peer.endpoint.conference(conference), State::Talking);
    peer.endpoint.leave_conference(peer.now, conference);
    let unsubscribe = peer.request(&Method::Subscribe);
    assert_eq!(unsubscribe.headers.get(&HeaderName::Expires), Some("0"));
    let of_mixer = peer.request(&Method::Bye);
    let of_focus = peer.request(&Method::Bye);
    for (request, tag) in [(&unsubscribe, "n1"), (&of_mixer, "m1"), (&of_focus, "f1")] {
        peer.reply(request, 200, tag, &[("Expires", "0")], "");
    }
    let mut told = Vec::new();
    while let Some(event) = peer.next_event() {
        told.push(event);
    }
    assert!(matches!(told[0], Event::Ended { session: of, .. } if of == session), "{told:?}");
    assert_eq!(told[1..], [Event::ConferenceEnded { conference, by_us: true }]);
    peer.pass(Duration::from_mins(1));
    let load = peer.endpoint.state();
    assert_eq!((load.sessions, load.subscriptions), (0, 0));
}

#[test]
fn a_focus_that_refuses_says_why() {
    let mut peer = Peer::registered();
    let (conference, invite) = joining(&mut peer);
    decides(&mut peer, &invite, Outcome::Failure);
    let bye = peer.request(&Method::Bye);
    match peer.event() {
        Event::ConferenceFailed { conference: of, failure: None, .. } => assert_eq!(of, conference),
        other => panic!("{other:?}"),
    }
    peer.reply(&bye, 200, "f1", &[], "");
    peer.no_event();
    let (_, invite) = joining(&mut peer);
    peer.reply(&invite, 403, "f1", &[("ms-diagnostics", "3000;reason=\"not allowed\"")], "");
    peer.request(&Method::Ack);
    match peer.event() {
        Event::ConferenceFailed { failure: Some(failure), .. } => {
            assert_eq!(failure.status.unwrap().code(), 403);
            assert_eq!(failure.diagnostics.unwrap().id, 3000);
        }
        other => panic!("{other:?}"),
    }
    let plain = SipUri::parse("sip:ann@example.net").unwrap();
    assert!(peer.endpoint.join_conference(peer.now, peer.user, &plain).is_err());
    assert_eq!(peer.endpoint.conference(conference), State::Left);
}

#[test]
fn a_lobby_is_left_by_the_word_of_the_focus_or_not_at_all() {
    for admitted in [true, false] {
        let mut peer = Peer::registered();
        let (conference, invite) = joining(&mut peer);
        decides(&mut peer, &invite, Outcome::Pending);
        assert_eq!(peer.endpoint.conference(conference), State::Lobby);
        peer.no_event();
        if !admitted {
            peer.pass(Duration::from_secs(299));
            peer.forget();
            peer.pass(Duration::from_secs(2));
            while peer.next_method() != Some(Method::Bye) {
                peer.request(&Method::Register);
            }
            assert!(matches!(peer.next_event(), Some(Event::ConferenceFailed { .. })));
            continue;
        }
        let mut info = of_focus(&invite, "INFO", 1);
        let asked = c3p::Request::parse(&invite.body).unwrap();
        info.headers.push(HeaderName::ContentType, c3p::MEDIA_TYPE);
        info.body = c3p::Response::to(&asked, Outcome::Success).to_body().into();
        peer.send(info);
        peer.request(&Method::Subscribe);
        assert!(matches!(peer.event(), Event::ConferenceJoined { .. }));
        peer.response(200);
    }
}

#[test]
fn the_mixer_calls_and_the_conference_knows_its_call() {
    let mut peer = Peer::registered();
    let (conference, invite, _) = joined(&mut peer);
    let mut call = Peer::invite(1, SDP);
    call.headers.set(HeaderName::Contact, format!("<{MIXER}>;isfocus"));
    peer.send(call);
    let Event::Incoming { session, details, .. } = peer.event() else { panic!() };
    assert_eq!(details.conference.unwrap().id(), "5D3JHFSS");
    assert_eq!(peer.endpoint.conference(conference), State::Calling);
    peer.endpoint.answer(peer.now, session, ANSWER);
    let ok = peer.response(200);
    peer.send(Peer::in_dialog(&ok, "ACK", 1, ""));
    assert!(matches!(peer.event(), Event::Confirmed { .. }));
    assert_eq!(peer.endpoint.conference(conference), State::Talking);
    // The conference ends: so does its call.
    peer.send(of_focus(&invite, "BYE", 1));
    peer.response(200);
    peer.request(&Method::Bye);
    assert_eq!(peer.event(), Event::ConferenceEnded { conference, by_us: false });
    assert!(matches!(peer.event(), Event::Ended { session: of, .. } if of == session));
}

#[test]
fn the_mixer_of_another_conference_is_an_ordinary_caller() {
    let mut peer = Peer::registered();
    let (conference, ..) = joined(&mut peer);
    let mut call = Peer::invite(1, SDP);
    call.headers.set(HeaderName::Contact, format!("<{}>;isfocus", MIXER.replace("5D3JHFSS", "OTHER")));
    peer.send(call);
    assert!(matches!(peer.event(), Event::Incoming { .. }));
    assert_eq!(peer.endpoint.conference(conference), State::Joined);
}

#[test]
fn a_user_takes_part_in_a_limited_number_of_conferences() {
    let mut peer = Peer::registered();
    for number in 0..5 {
        let focus = SipUri::parse(&FOCUS.replace("5D3JHFSS", &format!("C{number}"))).unwrap();
        let joins = peer.endpoint.join_conference(peer.now, peer.user, &focus);
        assert_eq!(joins.is_ok(), number < 4, "{number}");
    }
}

#[test]
fn without_a_joined_focus_the_call_of_a_mixer_is_an_ordinary_one() {
    let mut peer = Peer::registered();
    let mut call = Peer::invite(1, SDP);
    call.headers.set(HeaderName::Contact, format!("<{MIXER}>;isfocus"));
    peer.send(call);
    let Event::Incoming { session, details, .. } = peer.event() else { panic!() };
    assert!(details.conference.is_some());
    peer.endpoint.answer(peer.now, session, ANSWER);
    peer.response(200);
}

#[test]
fn what_is_asked_of_the_focus_is_answered() {
    let mut peer = Peer::registered();
    let (conference, ..) = joined(&mut peer);
    let command = Command::ModifyEndpointMedia {
        user: "sip:dect1@example.net".to_owned(),
        endpoint: "{1}".to_owned(),
        media: "1".to_owned(),
        heard: false,
    };
    peer.endpoint.ask_focus(peer.now, conference, command.clone()).unwrap();
    let info = peer.request(&Method::Info);
    let asked = c3p::Request::parse(&info.body).unwrap();
    assert_eq!(asked.id, 2);
    peer.endpoint.ask_focus(peer.now, conference, command).unwrap();
    let next = c3p::Request::parse(&peer.request(&Method::Info).body).unwrap();
    assert_eq!(next.id, 3, "each question has its own number");
    let mut ok = info.response(sip_lync::StatusCode::OK);
    ok.headers.push(HeaderName::ContentType, c3p::MEDIA_TYPE);
    ok.body = c3p::Response::to(&asked, Outcome::Success).to_body().into();
    peer.send(ok);
    match peer.event() {
        Event::ConferenceResponse { response, .. } => {
            assert_eq!(
                (response.id, response.outcome, &*response.command),
                (2, Outcome::Success, "modifyEndpointMedia")
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_roster_with_a_gap_is_asked_for_anew() {
    let mut peer = Peer::registered();
    let (conference, _, subscribe) = joined(&mut peer);
    peer.reply(&subscribe, 200, "n1", &[CONTACT, ("Expires", "3600")], "");
    peer.send(roster(&subscribe, 1, "full", 1, "<user entity=\"sip:ann@example.net\"/>"));
    assert_eq!(peer.event(), Event::RosterChanged { conference });
    peer.send(roster(&subscribe, 2, "partial", 5, "<user entity=\"sip:bob@example.net\"/>"));
    let over = peer.request(&Method::Subscribe);
    assert_eq!(over.headers.get(&HeaderName::Expires), Some("0"));
    let anew = peer.request(&Method::Subscribe);
    assert_ne!(anew.headers.get(&HeaderName::CallId), over.headers.get(&HeaderName::CallId));
    peer.send(roster(&anew, 1, "full", 6, "<user entity=\"sip:bob@example.net\"/>"));
    assert_eq!(peer.event(), Event::RosterChanged { conference });
    // What is not readable changes nothing.
    let mut broken = roster(&anew, 2, "full", 7, "");
    broken.body = "<conference-info".into();
    peer.send(broken);
    peer.no_event();
    assert!(peer.endpoint.roster(conference).unwrap().users.contains_key("sip:bob@example.net"));
}

#[test]
fn the_pictures_of_a_conference_are_refused_and_its_sound_answered() {
    let offer = format!("{SDP}m=video 5000 RTP/AVP 34\r\nm=applicationsharing 5002 RTP/AVP 127\r\n");
    let offer = SessionDescription::parse(&offer).unwrap();
    let chosen = AudioAnswer::choose(&offer, &[AudioCodec::pcma()]).unwrap();
    let ours = AudioOffer::new("192.0.2.10".parse().unwrap(), 30_000, 30_001);
    let answer = audio_answer(&offer, &chosen, &ours);
    let lines: Vec<(&str, u16)> = answer.media.iter().map(|media| (&*media.media, media.port)).collect();
    assert_eq!(lines, [("audio", 30_000), ("video", 0), ("applicationsharing", 0)]);
}

#[test]
fn a_user_that_loses_its_connection_loses_its_conference() {
    let mut peer = Peer::registered();
    let (conference, ..) = joined(&mut peer);
    peer.close(peer::FLOW);
    let mut ended = 0;
    peer.drain();
    while let Some(event) = peer.next_event() {
        match event {
            Event::ConferenceEnded { conference: of, by_us: false } => {
                assert_eq!(of, conference);
                ended += 1;
            }
            Event::RegistrationFailed { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ended, 1);
    assert_eq!(peer.endpoint.state().sessions, 0);
}
