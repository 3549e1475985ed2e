//! A notifier and the subscriptions of this crate, face to face; and a notifier against scripted subscribers.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::notifier::step::State;
use sip_lync::notifier::{Answer, Notification, Notifier, NotifierConfig, Reason};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, HeaderName, Input, Message, Method, Request, Seed, SipUri,
    StatusCode, Subscription, SubscriptionEnd, Uri, User, UserId,
};

const FLOW: FlowId = FlowId(1);
const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
fn origin() -> Instant {
    Instant::now()
}

fn notifier() -> Notifier {
    Notifier::new(NotifierConfig::new(["presence", "message-summary"]), Seed([4; 32]))
}

fn subscribe(cseq: u32, to: &str, more: &str) -> Request {
    let text = format!(
        "SUBSCRIBE sip:jim@example.net SIP/2.0
Via: SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bK{cseq}
From: <sip:ann@example.net>;tag=a1
To: {to}
Call-ID: c1
CSeq: {cseq} SUBSCRIBE
Contact: <sip:192.0.2.10:40001>
Event: presence
{more}Content-Length: 0

"
    );
    match Message::parse(Bytes::from(text.replace('\n', "\r\n"))).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!(),
    }
}

fn news(text: &str) -> Notification {
    Notification::new("text/plain", Bytes::copy_from_slice(text.as_bytes()))
}

fn to(answer: &Answer) -> String {
    answer.headers.get(&HeaderName::To).unwrap().to_owned()
}

fn told(notifier: &mut Notifier) -> (Request, String) {
    let (flow, request) = notifier.poll_transmit().expect("a notification");
    assert_eq!(flow, FLOW);
    let body = String::from_utf8(request.body.to_vec()).unwrap();
    (request, body)
}

#[test]
fn a_subscriber_is_told_at_once_at_each_change_and_at_the_end() {
    let (mut now, mut notifier) = (origin(), notifier());
    let answer = notifier.subscribe(
        now,
        FLOW,
        &subscribe(1, "<sip:jim@example.net>", "Expires: 120\n"),
        Some(news("one")),
    );
    assert_eq!((answer.status, answer.headers.get(&HeaderName::Expires)), (StatusCode::OK, Some("120")));
    let id = answer.subscription.unwrap();
    let (first, body) = told(&mut notifier);
    assert_eq!((first.method.clone(), &*body), (Method::Notify, "one"));
    assert_eq!(first.headers.get(&HeaderName::SubscriptionState), Some("active;expires=120"));
    assert_eq!(first.uri.as_str(), "sip:192.0.2.10:40001");
    assert_eq!(first.headers.get(&HeaderName::From), Some(&*to(&answer)));
    // One at a time: of several changes the last one is told.
    notifier.change(now, id, news("two"));
    notifier.change(now, id, news("three"));
    assert_eq!(notifier.poll_transmit(), None);
    notifier.responded(now, &first, Some(StatusCode::OK));
    let (second, body) = told(&mut notifier);
    assert_eq!(body, "three");
    notifier.responded(now, &second, Some(StatusCode::OK));
    assert_eq!(notifier.poll_transmit(), None);
    now += 100 * SECOND;
    let refreshed = notifier.subscribe(now, FLOW, &subscribe(2, &to(&answer), "Expires: 90\n"), None);
    assert_eq!(refreshed.subscription, Some(id));
    let (third, body) = told(&mut notifier);
    assert_eq!(
        (&*body, third.headers.get(&HeaderName::SubscriptionState)),
        ("three", Some("active;expires=90"))
    );
    notifier.responded(now, &third, Some(StatusCode::OK));
    let stale = notifier.subscribe(now, FLOW, &subscribe(2, &to(&answer), ""), None);
    assert_eq!(stale.status.code(), 500, "out of order");
    now += 89 * SECOND;
    notifier.handle_timeout(now);
    assert_eq!(notifier.state(id), State::Told);
    now += SECOND;
    notifier.handle_timeout(now);
    let (last, _) = told(&mut notifier);
    assert_eq!(last.headers.get(&HeaderName::SubscriptionState), Some("terminated;reason=timeout"));
    assert_eq!(notifier.poll_ended(), Some((id, Reason::Timeout)));
    notifier.responded(now, &last, Some(StatusCode::OK));
    assert!(notifier.is_empty());
    assert_eq!(notifier.subscribe(now, FLOW, &subscribe(3, &to(&answer), ""), None).status.code(), 481);
}

#[test]
fn a_benotify_is_never_answered_and_the_first_one_rides_on_the_response() {
    let (mut now, mut notifier) = (origin(), notifier());
    let dialect =
        "Supported: ms-benotify, ms-piggyback-first-notify, com.microsoft.autoextend\nExpires: 120\n";
    let answer =
        notifier.subscribe(now, FLOW, &subscribe(1, "<sip:jim@example.net>", dialect), Some(news("one")));
    assert_eq!(
        (&answer.body[..], answer.headers.get(&HeaderName::MsPiggybackCSeq)),
        (&b"one"[..], Some("1"))
    );
    assert_eq!(notifier.poll_transmit(), None);
    let id = answer.subscription.unwrap();
    for (text, number) in [("two", 2), ("three", 3)] {
        notifier.change(now, id, news(text));
        let (request, body) = told(&mut notifier);
        assert_eq!((request.method.clone(), &*body), (Method::BeNotify, text));
        assert_eq!(request.headers.cseq().unwrap().unwrap().number, number);
        now += 100 * SECOND;
        notifier.handle_timeout(now);
        assert_eq!(notifier.state(id), State::Told, "each notification makes it last again");
    }
    now += 20 * SECOND;
    notifier.handle_timeout(now);
    told(&mut notifier);
    assert_eq!(notifier.poll_ended(), Some((id, Reason::Timeout)));
    assert!(notifier.is_empty());
}

#[test]
fn what_a_notifier_does_not_grant_it_refuses() {
    let (now, mut notifier) = (origin(), notifier());
    let mut other = subscribe(1, "<sip:jim@example.net>", "");
    other.headers.set(HeaderName::Event, "of-tomorrow");
    let answer = notifier.subscribe(now, FLOW, &other, None);
    assert_eq!(answer.status, StatusCode::BAD_EVENT);
    assert_eq!(answer.headers.get(&HeaderName::AllowEvents), Some("presence, message-summary"));
    let brief = notifier.subscribe(now, FLOW, &subscribe(1, "<sip:jim@example.net>", "Expires: 5\n"), None);
    assert_eq!((brief.status.code(), brief.headers.get(&HeaderName::MinExpires)), (423, Some("60")));
    let mut config = NotifierConfig::new(["presence"]);
    config.subscriptions = 0;
    let mut full = Notifier::new(config, Seed([4; 32]));
    assert_eq!(
        full.subscribe(now, FLOW, &subscribe(1, "<sip:jim@example.net>", ""), None).status.code(),
        503
    );
    // A fetch tells once and is over.
    let fetch = notifier.subscribe(
        now,
        FLOW,
        &subscribe(1, "<sip:jim@example.net>", "Expires: 0\n"),
        Some(news("now")),
    );
    assert_eq!(fetch.status, StatusCode::OK);
    let (request, body) = told(&mut notifier);
    assert_eq!(body, "now");
    assert!(request.headers.get(&HeaderName::SubscriptionState).unwrap().starts_with("terminated"));
    notifier.responded(now, &request, Some(StatusCode::OK));
    assert!(notifier.is_empty());
    assert_eq!(notifier.poll_timeout(), None);
}

#[test]
fn who_does_not_take_notifications_is_forgotten() {
    for (status, stays) in
        [(Some(481), false), (Some(489), false), (None, false), (Some(500), true), (Some(202), true)]
    {
        let (now, mut notifier) = (origin(), notifier());
        let answer =
            notifier.subscribe(now, FLOW, &subscribe(1, "<sip:jim@example.net>", ""), Some(news("one")));
        let id = answer.subscription.unwrap();
        let (request, _) = told(&mut notifier);
        notifier.responded(now, &request, status.and_then(StatusCode::new));
        assert_eq!(notifier.state(id) != State::Terminated, stays, "{status:?}");
        assert_eq!(notifier.poll_ended().is_some(), !stays);
        notifier.flow_closed(now, FLOW);
        assert!(notifier.is_empty());
    }
}

#[test]
fn reasons_of_the_end_are_named() {
    for (reason, word) in [
        (Reason::Deactivated, "deactivated"),
        (Reason::Rejected, "rejected"),
        (Reason::NoResource, "noresource"),
    ] {
        let (now, mut notifier) = (origin(), notifier());
        let dialect = "Supported: ms-piggyback-first-notify\n";
        let answer = notifier.subscribe(now, FLOW, &subscribe(1, "<sip:jim@example.net>", dialect), None);
        notifier.end(now, answer.subscription.unwrap(), reason);
        let (last, _) = told(&mut notifier);
        assert_eq!(
            last.headers.get(&HeaderName::SubscriptionState),
            Some(&*format!("terminated;reason={word}"))
        );
    }
}

/// Carries bytes between two endpoints; what the server is asked is answered by the notifier.
fn run(now: Instant, client: &mut Endpoint, server: &mut Endpoint, notifier: &mut Notifier) -> Vec<Event> {
    let mut told = Vec::new();
    let mut busy = true;
    let mut open: Vec<(sip_lync::RequestId, Request)> = Vec::new();
    while busy {
        busy = false;
        let mut buffer = BytesMut::new();
        while let Some((flow, request)) = notifier.poll_transmit() {
            busy = true;
            if let Some(id) = server.notify(now, flow, request.clone()).unwrap() {
                open.push((id, request));
            }
        }
        while let Some(transmit) = client.poll_transmit(&mut buffer) {
            busy = true;
            let bytes = buffer.split_to(transmit.len);
            server.handle_input(now, Input::Bytes { flow: FLOW, bytes: &bytes }).unwrap();
        }
        while let Some(event) = server.poll_event() {
            match event {
                Event::Request { id, flow, request, .. } => {
                    let answer = notifier.subscribe(now, flow, &request, Some(news("one")));
                    server.respond(now, id, answer.status, &answer.headers, answer.body);
                }
                Event::Response { id, response } => {
                    let at = open.iter().position(|(of, _)| *of == id).unwrap();
                    notifier.responded(now, &open.remove(at).1, Some(response.status));
                }
                _ => {}
            }
        }
        while let Some(transmit) = server.poll_transmit(&mut buffer) {
            busy = true;
            let bytes = buffer.split_to(transmit.len);
            client.handle_input(now, Input::Bytes { flow: FLOW, bytes: &bytes }).unwrap();
        }
        told.extend(std::iter::from_fn(|| client.poll_event()));
    }
    told
}

fn pair(now: Instant) -> (Endpoint, UserId, Endpoint) {
    let mut client = Endpoint::new(Config::client("phone"), Seed([1; 32]));
    let user = client.add_user(User::new(SipUri::parse("sip:ann@example.net").unwrap(), "01"));
    let mut config = Config::new("fe1.example.net");
    config.server = true;
    let mut server = Endpoint::new(config, Seed([2; 32]));
    let (local, remote) = ("192.0.2.1:5061".parse().unwrap(), "192.0.2.2:5061".parse().unwrap());
    for (endpoint, role) in [(&mut client, FlowRole::Dialled), (&mut server, FlowRole::Accepted)] {
        endpoint.handle_input(now, Input::FlowOpened { flow: FLOW, local, remote, role }).unwrap();
    }
    client.route(user, FLOW);
    (client, user, server)
}

#[test]
fn subscriptions_of_this_crate_understand_the_notifier_of_this_crate() {
    for dialect in [true, false] {
        let now = origin();
        let (mut client, user, mut server) = pair(now);
        let mut notifier = notifier();
        let target = Uri::parse("sip:jim@example.net").unwrap();
        let mut wanted = Subscription::new("presence", target, "text/plain");
        wanted.dialect = dialect;
        let subscription = client.subscribe(now, user, wanted).unwrap();
        let bodies = |events: &[Event]| -> Vec<(String, bool)> {
            let bodies = events.iter().filter_map(|event| match event {
                Event::SubscriptionNotified { body, piggybacked, .. } => {
                    Some((String::from_utf8(body.to_vec()).unwrap(), *piggybacked))
                }
                _ => None,
            });
            bodies.collect()
        };
        let events = run(now, &mut client, &mut server, &mut notifier);
        assert!(events.iter().any(|event| matches!(event, Event::Subscribed { .. })), "{events:?}");
        assert_eq!(bodies(&events), [("one".to_owned(), dialect)]);
        assert_eq!(notifier.len(), 1);
        let id = {
            // The only one there is.
            let answer =
                notifier.subscribe(now, FLOW, &subscribe(9, "<sip:x@example.net>", "Expires: 60\n"), None);
            let other = answer.subscription.unwrap();
            while notifier.poll_transmit().is_some() {}
            notifier.flow_closed(now, FlowId(99));
            other
        };
        assert_eq!(notifier.state(id), State::Telling);
        client.unsubscribe(now, subscription);
        let events = run(now, &mut client, &mut server, &mut notifier);
        assert!(
            events
                .iter()
                .any(|event| matches!(event, Event::SubscriptionEnded { end: SubscriptionEnd::Over, .. })),
            "{events:?}"
        );
        assert_eq!(notifier.len(), 1, "the other one");
    }
}
