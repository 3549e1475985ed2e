//! The transaction layer over UDP: when things are sent again, and when they are given up.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::transaction::timers::{Reliability, T1, T2, T4, Timer};
use sip_lync::transaction::{Failure, LayerEvent, Received, TransactionLayer};
use sip_lync::{FlowId, HeaderName, Message, Method, Request, Response, StatusCode, Uri};

const FLOW: FlowId = FlowId(1);

struct Clock {
    origin: Instant,
    now: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn new() -> Self {
        let origin = Instant::now();
        Self { origin, now: origin }
    }
}

fn layer() -> TransactionLayer {
    let mut layer = TransactionLayer::new(100);
    layer.flow_opened(FLOW, Reliability::Unreliable);
    layer
}

fn request(method: &str, branch: &str) -> Request {
    let text = format!(
        "{method} sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:alice@example.net>;tag=a\r\nTo: <sip:bob@example.net>\r\n\
         Call-ID: c1\r\nCSeq: 1 {method}\r\nContent-Length: 2\r\n\r\nhi"
    );
    match Message::parse(Bytes::from(text)) {
        Ok(Message::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn response(request: &Request, status: u16) -> Response {
    let mut response = request.response(StatusCode::new(status).unwrap());
    response.headers.set(HeaderName::To, "<sip:bob@example.net>;tag=b");
    response
}

/// The first lines of what is sent now.
fn sent(layer: &mut TransactionLayer) -> Vec<String> {
    let mut buffer = BytesMut::new();
    let mut lines = Vec::new();
    while let Some((_, len)) = layer.poll_transmit(&mut buffer) {
        let message = buffer.split_to(len);
        lines.push(String::from_utf8_lossy(&message).lines().next().unwrap().to_owned());
    }
    lines
}

/// Lets time pass to `end` and says in milliseconds when something was sent again.
fn repetitions(layer: &mut TransactionLayer, clock: &mut Clock, end: Duration) -> Vec<u128> {
    let mut times = Vec::new();
    while let Some(at) = layer.poll_timeout().filter(|at| *at <= clock.origin + end) {
        clock.now = at;
        layer.handle_timeout(at);
        for _ in sent(layer) {
            times.push((at - clock.origin).as_millis());
        }
    }
    clock.now = clock.origin + end;
    times
}

fn events(layer: &mut TransactionLayer) -> Vec<LayerEvent> {
    std::iter::from_fn(|| layer.poll_event()).collect()
}

#[test]
fn the_timers_have_the_values_of_appendix_a() {
    use Reliability::{Reliable, Unreliable};
    let (long, zero) = (Some(T1 * 64), Some(Duration::ZERO));
    for (timer, unreliable, reliable) in [
        (Timer::A, Some(T1), None),
        (Timer::B, long, long),
        (Timer::D, long, zero),
        (Timer::E, Some(T1), None),
        (Timer::F, long, long),
        (Timer::G, Some(T1), None),
        (Timer::H, long, long),
        (Timer::I, Some(T4), zero),
        (Timer::J, long, zero),
        (Timer::K, Some(T4), zero),
        (Timer::L, long, long),
        (Timer::M, long, long),
    ] {
        assert_eq!(timer.duration(Unreliable), unreliable, "{timer:?}");
        assert_eq!(timer.duration(Reliable), reliable, "{timer:?}");
    }
    assert_eq!((T1.as_millis(), T2.as_millis(), T4.as_millis()), (500, 4000, 5000));
}

/// RFC 3261 17.1.1.2, figure 5.
#[test]
fn an_invite_is_sent_seven_times_and_given_up_after_32_seconds() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let id = layer.request(clock.now, FLOW, &request("INVITE", "1")).unwrap();
    assert_eq!(sent(&mut layer).len(), 1);
    let times = repetitions(&mut layer, &mut clock, Duration::from_mins(1));
    assert_eq!(times, [500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(
        events(&mut layer),
        [LayerEvent::ClientFailed(id, Failure::TimedOut), LayerEvent::ClientOver(id)]
    );
    assert_eq!(layer.open(), (0, 0));
}

/// RFC 3261 17.1.2.2, figure 6.
#[test]
fn another_request_is_sent_ever_more_slowly_up_to_four_seconds() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    layer.request(clock.now, FLOW, &request("OPTIONS", "1")).unwrap();
    sent(&mut layer);
    let times = repetitions(&mut layer, &mut clock, Duration::from_mins(1));
    assert_eq!(times, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(layer.open(), (0, 0));
}

#[test]
fn after_a_provisional_response_another_request_is_sent_every_four_seconds() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let options = request("OPTIONS", "1");
    layer.request(clock.now, FLOW, &options).unwrap();
    sent(&mut layer);
    layer.handle_response(clock.now, FLOW, response(&options, 100));
    let times = repetitions(&mut layer, &mut clock, Duration::from_mins(1));
    assert_eq!(times, [500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500]);
}

#[test]
fn an_invite_that_rings_is_not_sent_again() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let invite = request("INVITE", "1");
    layer.request(clock.now, FLOW, &invite).unwrap();
    sent(&mut layer);
    layer.handle_response(clock.now, FLOW, response(&invite, 180));
    assert_eq!(repetitions(&mut layer, &mut clock, Duration::from_mins(10)), [0_u128; 0]);
    assert_eq!(layer.open(), (1, 0));
}

#[test]
fn a_repeated_refusal_is_acknowledged_again_and_told_once() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let invite = request("INVITE", "1");
    layer.request(clock.now, FLOW, &invite).unwrap();
    sent(&mut layer);
    for _ in 0..3 {
        layer.handle_response(clock.now, FLOW, response(&invite, 486));
        assert_eq!(sent(&mut layer), ["ACK sip:bob@example.net SIP/2.0"]);
    }
    assert_eq!(events(&mut layer).len(), 1);
    assert_eq!(layer.open(), (1, 0));
    repetitions(&mut layer, &mut clock, Duration::from_secs(33));
    assert_eq!(layer.open(), (0, 0));
}

/// RFC 3261 17.2.1, figure 7.
#[test]
fn a_refusal_of_an_invite_is_sent_until_its_ack_comes() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let invite = request("INVITE", "1");
    let Received::New(id) = layer.handle_request(clock.now, FLOW, &invite) else { panic!() };
    layer.respond(clock.now, id, &response(&invite, 486));
    sent(&mut layer);
    assert_eq!(repetitions(&mut layer, &mut clock, Duration::from_secs(8)), [500, 1500, 3500, 7500]);
    let mut ack = request("ACK", "1");
    ack.method = Method::Ack;
    assert_eq!(layer.handle_request(clock.now, FLOW, &ack), Received::Absorbed);
    assert_eq!(layer.handle_request(clock.now, FLOW, &ack), Received::Absorbed);
    assert_eq!(repetitions(&mut layer, &mut clock, Duration::from_secs(12)), [0_u128; 0]);
    assert_eq!(layer.open(), (0, 1));
    repetitions(&mut layer, &mut clock, Duration::from_secs(14));
    assert_eq!(layer.open(), (0, 0));
}

#[test]
fn a_refusal_that_is_never_acknowledged_is_given_up_after_32_seconds() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let invite = request("INVITE", "1");
    let Received::New(id) = layer.handle_request(clock.now, FLOW, &invite) else { panic!() };
    layer.respond(clock.now, id, &response(&invite, 486));
    sent(&mut layer);
    let times = repetitions(&mut layer, &mut clock, Duration::from_mins(1));
    assert_eq!(times, [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(events(&mut layer), [LayerEvent::ServerFailed(id, Failure::TimedOut)]);
    assert_eq!(layer.open(), (0, 0));
}

/// RFC 3261 17.2.2, figure 8.
#[test]
fn a_repeated_request_gets_its_response_again_for_32_seconds() {
    let (mut layer, mut clock) = (layer(), Clock::new());
    let options = request("OPTIONS", "1");
    let Received::New(id) = layer.handle_request(clock.now, FLOW, &options) else { panic!() };
    assert_eq!(layer.handle_request(clock.now, FLOW, &options), Received::Absorbed);
    assert!(sent(&mut layer).is_empty(), "nothing was said yet");
    layer.respond(clock.now, id, &response(&options, 200));
    assert_eq!(sent(&mut layer), ["SIP/2.0 200 OK"]);
    assert_eq!(layer.handle_request(clock.now, FLOW, &options), Received::Absorbed);
    assert_eq!(sent(&mut layer), ["SIP/2.0 200 OK"]);
    repetitions(&mut layer, &mut clock, Duration::from_secs(33));
    assert!(matches!(layer.handle_request(clock.now, FLOW, &options), Received::New(_)));
}

#[test]
fn an_invite_that_comes_again_gets_the_last_provisional_response_again() {
    let (mut layer, clock) = (layer(), Clock::new());
    let invite = request("INVITE", "1");
    let Received::New(id) = layer.handle_request(clock.now, FLOW, &invite) else { panic!() };
    layer.handle_timeout(clock.now + Duration::from_millis(200));
    assert_eq!(sent(&mut layer), ["SIP/2.0 100 Trying"]);
    layer.respond(clock.now, id, &response(&invite, 180));
    assert_eq!(sent(&mut layer), ["SIP/2.0 180 Ringing"]);
    layer.handle_request(clock.now, FLOW, &invite);
    assert_eq!(sent(&mut layer), ["SIP/2.0 180 Ringing"]);
}

/// RFC 3261 8.2.2.2.
#[test]
fn the_same_request_by_another_way_is_merged_and_one_for_another_user_is_not() {
    let (mut layer, clock) = (layer(), Clock::new());
    let first = request("MESSAGE", "1");
    let second = request("MESSAGE", "2");
    let mut other = request("MESSAGE", "3");
    other.uri = Uri::parse("sip:carol@example.net").unwrap();
    assert!(matches!(layer.handle_request(clock.now, FLOW, &first), Received::New(_)));
    assert!(matches!(layer.handle_request(clock.now, FLOW, &second), Received::Merged(_)));
    assert!(matches!(layer.handle_request(clock.now, FLOW, &other), Received::New(_)));
}

#[test]
fn a_closed_flow_leaves_nothing() {
    let (mut layer, clock) = (layer(), Clock::new());
    let options = request("OPTIONS", "9");
    layer.request(clock.now, FLOW, &request("INVITE", "1")).unwrap();
    layer.request(clock.now, FLOW, &request("OPTIONS", "2")).unwrap();
    let Received::New(id) = layer.handle_request(clock.now, FLOW, &options) else { panic!() };
    layer.respond(clock.now, id, &response(&options, 200));
    layer.handle_flow_closed(clock.now, FLOW);
    assert_eq!(layer.open(), (0, 0));
    assert_eq!(layer.poll_timeout(), None);
}

#[test]
fn a_request_is_the_same_by_branch_sender_method_and_flow() {
    let clock = Clock::new();
    let mut layer = layer();
    layer.flow_opened(FlowId(2), Reliability::Unreliable);
    let with_via = |branch: &str, sender: &str| {
        let mut request = request("OPTIONS", branch);
        let sender = format!("SIP/2.0/UDP {sender};branch=z9hG4bK{branch}");
        request.headers.set(HeaderName::Via, sender);
        request.headers.set(HeaderName::CallId, format!("call of {}", branch.len()).replace(' ', "-"));
        request
    };
    let long = "0123456789abcdef".repeat(20);
    let mut received = |flow: FlowId, branch: &str, sender: &str| {
        !matches!(layer.handle_request(clock.now, flow, &with_via(branch, sender)), Received::Absorbed)
    };
    assert!(received(FLOW, "same", "Host.example.net:5060"));
    assert!(!received(FLOW, "same", "hOST.example.NET:5060"), "hosts have no case");
    assert!(received(FLOW, "same", "other.example.net:5060"));
    assert!(received(FLOW, "same", "host.example.net:5061"));
    assert!(received(FLOW, "same", "host.example.net"));
    assert!(received(FlowId(2), "same", "host.example.net:5060"));
    assert!(received(FLOW, "SAME", "host.example.net:5060"), "branches have");
    // However long they are, the last octet counts, and so does what stands before and behind.
    assert!(received(FLOW, &format!("{long}1"), "host.example.net"));
    assert!(received(FLOW, &format!("{long}2"), "host.example.net"));
    assert!(received(FLOW, &format!("{long}2"), "other.example.net"));
    assert!(!received(FLOW, &format!("{long}2"), "other.example.net"));
}

#[test]
fn long_requests_are_merged_by_everything_that_tells_them_apart() {
    let clock = Clock::new();
    let mut layer = layer();
    let tag = "t".repeat(300);
    let mut received = |branch: &str, call_id: &str| {
        let mut request = request("OPTIONS", branch);
        request.headers.set(HeaderName::CallId, call_id);
        request.headers.set(HeaderName::From, format!("<sip:alice@example.net>;tag={tag}"));
        layer.handle_request(clock.now, FLOW, &request)
    };
    assert!(matches!(received("a", "one"), Received::New(_)));
    assert!(matches!(received("b", "two"), Received::New(_)), "another call");
    assert!(matches!(received("c", "one"), Received::Merged(_)));
}

#[test]
fn with_a_flow_its_own_transactions_end_and_no_others() {
    let clock = Clock::new();
    let mut layer = layer();
    let flows = [FlowId(0), FLOW, FlowId(2)];
    for flow in flows {
        layer.flow_opened(flow, Reliability::Reliable);
        for number in 0..5 {
            let mut request = request("INVITE", &format!("b{number}"));
            request.headers.set(HeaderName::CallId, format!("{}-{number}", flow.0));
            assert!(matches!(layer.handle_request(clock.now, flow, &request), Received::New(_)));
        }
    }
    layer.handle_flow_closed(clock.now, FLOW);
    assert_eq!(layer.open(), (0, 10));
    layer.handle_flow_closed(clock.now, FlowId(0));
    layer.handle_flow_closed(clock.now, FlowId(2));
    assert_eq!(layer.open(), (0, 0));
}
