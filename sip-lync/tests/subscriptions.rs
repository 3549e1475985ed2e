//! Subscriptions of a user against a scripted notifier.

mod peer;

use std::time::Duration;

use peer::{FLOW, Peer, uri};
use sip_lync::subscribe::State;
use sip_lync::{Event, HeaderName, Method, Request, Subscription, SubscriptionEnd, SubscriptionId};

const SELF: &str = "application/vnd-microsoft-roaming-self+xml";

fn roaming_self() -> Subscription {
    Subscription::with_body(
        "vnd-microsoft-roaming-self",
        uri("sip:dect1@example.net"),
        SELF,
        "<roamingList/>",
    )
}

fn subscribed(wanted: Subscription) -> (Peer, SubscriptionId, Request) {
    let mut peer = Peer::new();
    peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
    let register = peer.request(&Method::Register);
    peer.accept_registration(&register, "added", 7200);
    peer.forget();
    let id = peer.endpoint.subscribe(peer.now, peer.user, wanted).unwrap();
    let request = peer.request(&Method::Subscribe);
    (peer, id, request)
}

/// The notifier grants ten minutes and sends the first notification with its 200.
fn granted(peer: &mut Peer, request: &Request) {
    peer.reply(
        request,
        200,
        "N0",
        &[
            ("Contact", "<sip:pool.example.net:5061;transport=tls>"),
            ("Expires", "600"),
            ("Event", "vnd-microsoft-roaming-self"),
            ("subscription-state", "active;expires=600"),
            ("ms-piggyback-cseq", "1"),
        ],
        "first",
    );
}

fn active() -> (Peer, SubscriptionId, Request) {
    let (mut peer, id, request) = subscribed(roaming_self());
    granted(&mut peer, &request);
    assert!(matches!(peer.event(), Event::Subscribed { expires, .. } if expires.as_secs() == 600));
    assert!(matches!(peer.event(), Event::SubscriptionNotified { piggybacked: true, .. }));
    (peer, id, request)
}

/// A notification within the dialog of a SUBSCRIBE.
fn notification(of: &Request, method: &str, cseq: u32, state: &str, body: &str) -> Request {
    let from = of.headers.get(&HeaderName::From).unwrap();
    let call_id = of.headers.get(&HeaderName::CallId).unwrap();
    let mut request = Peer::front_end(
        &format!(
            "{method} sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{method}{cseq}
From: <sip:dect1@example.net>;tag=N0
To: {from}
Call-ID: {call_id}
CSeq: {cseq} {method}
Event: vnd-microsoft-roaming-self
subscription-state: {state}"
        ),
        "",
    );
    request.headers.push(HeaderName::ContentType, SELF);
    request.body = body.to_owned().into();
    request
}

fn body_of(event: Event) -> String {
    match event {
        Event::SubscriptionNotified { body, .. } => String::from_utf8(body.to_vec()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn end_of(event: Event) -> (SubscriptionEnd, Option<String>) {
    match event {
        Event::SubscriptionEnded { end, reason, .. } => (end, reason),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_subscription_is_asked_for_in_the_words_of_the_dialect() {
    let (_, _, request) = subscribed(roaming_self());
    let text = String::from_utf8(sip_lync::Message::from(request).to_bytes().to_vec()).unwrap();
    for line in [
        "SUBSCRIBE sip:dect1@example.net SIP/2.0\r\n",
        "Event: vnd-microsoft-roaming-self\r\n",
        "Accept: application/vnd-microsoft-roaming-self+xml\r\n",
        "Supported: com.microsoft.autoextend\r\n",
        "Supported: ms-benotify\r\n",
        "Proxy-Require: ms-benotify\r\n",
        "Supported: ms-piggyback-first-notify\r\n",
        "Content-Type: application/vnd-microsoft-roaming-self+xml\r\n",
        "P-Asserted-Identity: \"Ward 3\" <sip:dect1@example.net>",
        "\r\n\r\n<roamingList/>",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_fetch_whose_answer_is_piggybacked_is_over_at_once() {
    let mut wanted = Subscription::new(
        "vnd-microsoft-provisioning-v2",
        uri("sip:dect1@example.net"),
        "application/vnd-microsoft-roaming-provisioning-v2+xml",
    );
    wanted.expires = Some(Duration::ZERO);
    let (mut peer, id, request) = subscribed(wanted);
    assert_eq!(request.headers.get(&HeaderName::Expires), Some("0"));
    let headers =
        [("Expires", "0"), ("subscription-state", "terminated;expires=0"), ("ms-piggyback-cseq", "1")];
    peer.reply(&request, 200, "N0", &headers, "settings");
    assert_eq!(body_of(peer.event()), "settings");
    assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Over);
    assert_eq!(peer.endpoint.subscription(id), State::Terminated);
    assert_eq!(peer.endpoint.state().subscriptions, 0);
}

#[test]
fn a_fetch_without_an_answer_is_given_up_after_32_seconds() {
    let mut wanted = roaming_self();
    wanted.expires = Some(Duration::ZERO);
    let (mut peer, _, request) = subscribed(wanted);
    peer.reply(&request, 200, "N0", &[("Expires", "0")], "");
    peer.no_event();
    peer.pass(Duration::from_secs(33));
    assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Silent);
    assert_eq!(peer.endpoint.state().subscriptions, 0);
}

#[test]
fn benotify_is_never_answered_and_notify_always() {
    let (mut peer, _, request) = active();
    peer.send(notification(&request, "BENOTIFY", 2, "active;expires=600", "second"));
    peer.silence();
    assert_eq!(body_of(peer.event()), "second");
    peer.send(notification(&request, "NOTIFY", 3, "active;expires=600", "third"));
    peer.response(200);
    assert_eq!(body_of(peer.event()), "third");
    // What is out of order is not told: the piggybacked one counted, too.
    peer.send(notification(&request, "NOTIFY", 1, "active;expires=600", "old"));
    peer.response(500);
    peer.send(notification(&request, "BENOTIFY", 3, "active;expires=600", "old"));
    peer.silence();
    peer.no_event();
}

#[test]
fn a_notification_of_somebody_else_is_refused() {
    let (mut peer, id, request) = active();
    let mut foreign = notification(&request, "NOTIFY", 2, "active", "forged");
    foreign.headers.set(HeaderName::To, "<sip:dect1@example.net>;tag=guessed;epid=01010101");
    peer.send(foreign);
    peer.response(200);
    // It belongs to no subscription: handed on as an unsolicited one, which is the user's to judge.
    assert!(matches!(peer.event(), Event::Notified { .. }));
    // Nor does one of another package, whatever dialog it names.
    let mut other = notification(&request, "NOTIFY", 3, "terminated;reason=rejected", "forged");
    other.headers.set(HeaderName::Event, "presence");
    peer.send(other);
    peer.response(200);
    assert!(matches!(peer.event(), Event::Notified { .. }));
    assert_eq!(peer.endpoint.subscription(id), State::Active);
}

#[test]
fn it_is_refreshed_in_its_dialog_and_every_notification_prolongs() {
    let (mut peer, _, request) = active();
    peer.pass(Duration::from_mins(7));
    peer.send(notification(&request, "BENOTIFY", 2, "active;expires=600", "alive"));
    body_of(peer.event());
    peer.pass(Duration::from_mins(7));
    peer.silence();
    for _ in 0..61 {
        if peer.next_method().is_none() {
            peer.pass(Duration::from_secs(1));
        }
    }
    let refresh = peer.request(&Method::Subscribe);
    assert_eq!(refresh.headers.get(&HeaderName::CallId), request.headers.get(&HeaderName::CallId));
    assert_eq!(refresh.headers.get(&HeaderName::CSeq), Some("2 SUBSCRIBE"));
    assert!(refresh.headers.get(&HeaderName::To).unwrap().ends_with("tag=N0"));
    assert_eq!(refresh.uri.as_str(), "sip:pool.example.net:5061;transport=tls");
    assert_eq!(&refresh.body[..], b"<roamingList/>");
    peer.reply(&refresh, 200, "", &[("Expires", "600")], "");
    peer.no_event();
}

#[test]
fn a_subscription_that_ended_is_made_anew_when_its_reason_says_so() {
    for (state, lowest, highest) in [
        ("terminated;reason=deactivated", 0, 2),
        ("terminated;reason=timeout", 0, 2),
        ("terminated;reason=probation;retry-after=30", 29, 34),
    ] {
        let (mut peer, id, request) = active();
        peer.send(notification(&request, "NOTIFY", 2, state, "last"));
        peer.response(200);
        assert_eq!(body_of(peer.event()), "last");
        assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Interrupted, "{state}");
        peer.pass(Duration::from_secs(lowest));
        peer.silence();
        peer.pass(Duration::from_secs(highest - lowest));
        let again = peer.request(&Method::Subscribe);
        assert_ne!(again.headers.get(&HeaderName::CallId), request.headers.get(&HeaderName::CallId));
        granted(&mut peer, &again);
        assert!(matches!(peer.event(), Event::Subscribed { subscription, .. } if subscription == id));
    }
    for reason in ["rejected", "noresource"] {
        let (mut peer, id, request) = active();
        peer.send(notification(&request, "NOTIFY", 2, &format!("terminated;reason={reason}"), "last"));
        peer.response(200);
        body_of(peer.event());
        assert_eq!(end_of(peer.event()), (SubscriptionEnd::Refused, Some(reason.to_owned())));
        assert_eq!(peer.endpoint.subscription(id), State::Terminated);
    }
}

#[test]
fn refusals_end_it_wait_or_ask_for_more_time() {
    // 488 to a contact list that lies elsewhere: never again.
    let (mut peer, id, request) = subscribed(roaming_self());
    peer.reply(&request, 488, "N0", &[("ms-diagnostics", "2165;reason=\"elsewhere\"")], "");
    assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Refused);
    assert_eq!(peer.endpoint.subscription(id), State::Terminated);
    // 503 with its time.
    let (mut peer, id, request) = subscribed(roaming_self());
    peer.reply(&request, 503, "N0", &[("Retry-After", "100")], "");
    assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Interrupted);
    assert_eq!(peer.endpoint.subscription(id), State::Waiting);
    peer.pass(Duration::from_secs(99));
    peer.silence();
    peer.pass(Duration::from_secs(12));
    peer.request(&Method::Subscribe);
    // 423 names the least.
    let mut wanted = roaming_self();
    wanted.expires = Some(Duration::from_mins(1));
    let (mut peer, _, request) = subscribed(wanted);
    peer.reply(&request, 423, "N0", &[("Min-Expires", "300")], "");
    assert_eq!(peer.request(&Method::Subscribe).headers.get(&HeaderName::Expires), Some("300"));
}

#[test]
fn a_notifier_that_has_forgotten_us_is_asked_anew() {
    let (mut peer, id, request) = active();
    peer.pass(Duration::from_secs(481));
    let refresh = peer.request(&Method::Subscribe);
    peer.reply(&refresh, 481, "", &[], "");
    assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Interrupted);
    assert_eq!(peer.endpoint.subscription(id), State::Waiting);
    peer.pass(Duration::from_secs(61));
    let again = peer.request(&Method::Subscribe);
    assert_ne!(again.headers.get(&HeaderName::CallId), request.headers.get(&HeaderName::CallId));
    assert!(!again.headers.get(&HeaderName::To).unwrap().contains("tag="));
}

#[test]
fn it_ends_when_the_user_wants_no_more_and_when_the_flow_is_lost() {
    let (mut peer, id, _) = active();
    peer.endpoint.unsubscribe(peer.now, id);
    let last = peer.request(&Method::Subscribe);
    assert_eq!(last.headers.get(&HeaderName::Expires), Some("0"));
    assert!(last.body.is_empty());
    peer.reply(&last, 200, "", &[("Expires", "0")], "");
    assert_eq!(end_of(peer.event()).0, SubscriptionEnd::Over);
    let (mut peer, id, _) = active();
    peer.close(FLOW);
    let ends: Vec<_> = std::iter::from_fn(|| {
        peer.drain();
        peer.next_event()
    })
    .filter_map(|event| match event {
        Event::SubscriptionEnded { end, .. } => Some(end),
        _ => None,
    })
    .collect();
    assert_eq!(ends, [SubscriptionEnd::FlowLost]);
    assert_eq!(peer.endpoint.subscription(id), State::Terminated);
    assert_eq!(peer.endpoint.state().timers, 0);
}

#[test]
fn a_user_has_a_limited_number_of_them() {
    let mut peer = Peer::registered();
    let limit = sip_lync::endpoint::Limits::default().subscriptions_per_user;
    for _ in 0..limit {
        peer.endpoint.subscribe(peer.now, peer.user, roaming_self()).unwrap();
    }
    assert!(peer.endpoint.subscribe(peer.now, peer.user, roaming_self()).is_err());
}
