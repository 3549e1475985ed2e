//! A forking proxy between user agents of this crate and scripted peers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::proxy::{Event, Group, Proxy, ProxyConfig, Target};
use sip_lync::{
    Config, EndReason, Endpoint, FlowId, FlowRole, Frame, HeaderName, Headers, Input, Invite, Limits,
    Message, Method, Request, Response, Seed, SessionId, SipUri, StatusCode, StreamDecoder, Uri, User,
    UserId,
};

const ANN: FlowId = FlowId(1);
const BOB: FlowId = FlowId(2);
const BOB_AT_HOME: FlowId = FlowId(3);
const SDP: &str =
    "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

struct Bench {
    now: Instant,
    proxy: Proxy,
    sent: VecDeque<(FlowId, Message)>,
}

impl Bench {
    fn new() -> Self {
        Self::with(ProxyConfig::new("fe1.example.net"))
    }

    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn with(config: ProxyConfig) -> Self {
        let mut bench =
            Self { now: Instant::now(), proxy: Proxy::new(config, Seed([3; 32])), sent: VecDeque::new() };
        for flow in [ANN, BOB, BOB_AT_HOME] {
            let (local, remote) = ("192.0.2.1:5061".parse().unwrap(), "192.0.2.9:4000".parse().unwrap());
            let role = FlowRole::Accepted;
            bench.proxy.handle_input(bench.now, Input::FlowOpened { flow, local, remote, role }).unwrap();
        }
        bench
    }

    fn send(&mut self, flow: FlowId, message: impl Into<Message>) {
        let bytes = message.into().to_bytes();
        self.proxy.handle_input(self.now, Input::Bytes { flow, bytes: &bytes }).unwrap();
        self.drain();
    }

    fn drain(&mut self) {
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.proxy.poll_transmit(&mut buffer) {
            let bytes = buffer.split_to(transmit.len).freeze();
            self.sent.push_back((transmit.flow, Message::parse(bytes).unwrap()));
        }
    }

    fn request(&mut self, flow: FlowId, method: &Method) -> Request {
        self.drain();
        match self.sent.pop_front() {
            Some((of, Message::Request(request))) if of == flow && request.method == *method => request,
            other => panic!("expected {method} on {flow:?}, got {other:?}"),
        }
    }

    fn response(&mut self, flow: FlowId, status: u16) -> Response {
        self.drain();
        match self.sent.pop_front() {
            Some((of, Message::Response(response))) if of == flow && response.status.code() == status => {
                response
            }
            other => panic!("expected {status} on {flow:?}, got {other:?}"),
        }
    }

    fn silence(&mut self) {
        self.drain();
        assert!(self.sent.is_empty(), "{:?}", self.sent);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.proxy.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.proxy.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// The request that asks for its target goes to these.
    fn fork(&mut self, targets: &[(FlowId, &str)]) {
        let Some(Event::Request { id, flow, .. }) = self.proxy.poll_event() else { panic!("nothing asks") };
        assert_eq!(flow, ANN);
        let targets = targets.iter().map(|(flow, uri)| Target::new(*flow, Uri::parse(uri).unwrap()));
        self.proxy.forward(self.now, id, targets.collect());
        self.drain();
    }

    fn answered(&mut self) -> u16 {
        match self.proxy.poll_event() {
            Some(Event::Answered { status, .. }) => status.code(),
            other => panic!("{other:?}"),
        }
    }
}

fn request(text: &str) -> Request {
    let text = format!("{}\r\nContent-Length: 0\r\n\r\n", text.trim().replace('\n', "\r\n"));
    match Message::parse(Bytes::from(text)).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!(),
    }
}

fn invite(branch: &str) -> Request {
    request(&format!(
        "INVITE sip:bob@example.net SIP/2.0
Via: SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bK{branch}
Max-Forwards: 70
From: <sip:ann@example.net>;tag=a1
To: <sip:bob@example.net>
Call-ID: call-{branch}
CSeq: 1 INVITE
Contact: <sip:ann@192.0.2.10:40001;transport=tls>"
    ))
}

fn reply(of: &Request, status: u16, tag: &str) -> Response {
    let mut response = of.response(StatusCode::new(status).unwrap());
    let to = of.headers.get(&HeaderName::To).unwrap().to_owned();
    if !to.contains("tag=") && status > 100 {
        response.headers.set(HeaderName::To, format!("{to};tag={tag}"));
    }
    response.headers.copy_from(&of.headers, &HeaderName::RecordRoute);
    response.headers.push(HeaderName::Contact, "<sip:bob@192.0.2.11:50001;transport=tls>");
    response
}

const BOTH: [(FlowId, &str); 2] = [(BOB, "sip:bob@192.0.2.11"), (BOB_AT_HOME, "sip:bob@192.0.2.12")];

#[test]
fn the_first_answer_wins_and_the_other_branch_hears_why_it_is_cancelled() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    bench.fork(&BOTH);
    let first = bench.request(BOB, &Method::Invite);
    let second = bench.request(BOB_AT_HOME, &Method::Invite);
    assert_eq!(first.uri.as_str(), "sip:bob@192.0.2.11");
    assert_eq!(first.headers.max_forwards().unwrap(), Some(69));
    assert!(first.headers.get(&HeaderName::RecordRoute).unwrap().starts_with("<sip:fe1.example.net:5061;"));
    bench.send(BOB, reply(&first, 180, "b1"));
    bench.send(BOB_AT_HOME, reply(&second, 180, "b2"));
    assert_eq!(bench.response(ANN, 180).headers.vias().unwrap().len(), 1, "our Via is gone");
    bench.response(ANN, 180);
    bench.send(BOB_AT_HOME, reply(&second, 200, "b2"));
    bench.response(ANN, 200);
    assert_eq!(bench.answered(), 200);
    let cancel = bench.request(BOB, &Method::Cancel);
    assert_eq!(
        cancel.headers.get(&HeaderName::Reason),
        Some("SIP;cause=200;text=\"Call completed elsewhere\"")
    );
    assert_eq!(cancel.headers.get(&HeaderName::Via), first.headers.get(&HeaderName::Via));
    bench.send(BOB, reply(&cancel, 200, "b1"));
    bench.send(BOB, reply(&first, 487, "b1"));
    bench.request(BOB, &Method::Ack);
    bench.silence();
    // The 2xx comes again while its ACK is missing, and goes up again.
    bench.send(BOB_AT_HOME, reply(&second, 200, "b2"));
    bench.response(ANN, 200);
    bench.pass(Duration::from_mins(2));
    let load = bench.proxy.state();
    assert_eq!((load.contexts, load.transactions, load.timers), (0, 0, 0));
}

/// Bob for ten seconds, then nobody who could be reached, then Bob at home.
fn in_turn(bench: &mut Bench) {
    let Some(Event::Request { id, .. }) = bench.proxy.poll_event() else { panic!("nothing asks") };
    let group = |flow, uri| Group::new(vec![Target::new(flow, Uri::parse(uri).unwrap())]);
    let mut first = group(BOB, "sip:bob@192.0.2.11");
    first.patience = Some(Duration::from_secs(10));
    let groups =
        vec![first, group(FlowId(99), "sip:bob@192.0.2.13"), group(BOB_AT_HOME, "sip:bob@192.0.2.12")];
    bench.proxy.forward_in_turn(bench.now, id, groups);
    bench.drain();
}

#[test]
fn the_next_group_is_asked_when_the_first_has_had_its_time() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    in_turn(&mut bench);
    let first = bench.request(BOB, &Method::Invite);
    bench.send(BOB, reply(&first, 180, "b1"));
    bench.response(ANN, 180);
    bench.pass(Duration::from_secs(9));
    bench.silence();
    bench.pass(Duration::from_secs(1));
    let cancel = bench.request(BOB, &Method::Cancel);
    assert_eq!(cancel.headers.get(&HeaderName::Reason), Some("SIP;cause=302;text=\"Call forwarded\""));
    let second = bench.request(BOB_AT_HOME, &Method::Invite);
    assert_eq!(second.uri.as_str(), "sip:bob@192.0.2.12");
    bench.send(BOB, reply(&cancel, 200, "b1"));
    bench.send(BOB, reply(&first, 487, "b1"));
    bench.request(BOB, &Method::Ack);
    bench.silence();
    bench.send(BOB_AT_HOME, reply(&second, 200, "b2"));
    bench.response(ANN, 200);
    assert_eq!(bench.answered(), 200);
    bench.pass(Duration::from_mins(2));
    let load = bench.proxy.state();
    assert_eq!((load.contexts, load.transactions, load.timers), (0, 0, 0));
}

#[test]
fn the_next_group_is_asked_when_the_first_refused_and_the_best_refusal_of_all_goes_back() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    in_turn(&mut bench);
    let first = bench.request(BOB, &Method::Invite);
    bench.send(BOB, reply(&first, 486, "b1"));
    bench.request(BOB, &Method::Ack);
    let second = bench.request(BOB_AT_HOME, &Method::Invite);
    bench.send(BOB_AT_HOME, reply(&second, 480, "b2"));
    bench.request(BOB_AT_HOME, &Method::Ack);
    bench.response(ANN, 486);
    assert_eq!(bench.answered(), 486);
    bench.pass(Duration::from_mins(2));
    let load = bench.proxy.state();
    assert_eq!((load.contexts, load.transactions, load.timers), (0, 0, 0));
    // Who declines for everybody ends the search.
    bench.send(ANN, invite("2"));
    in_turn(&mut bench);
    let first = bench.request(BOB, &Method::Invite);
    bench.send(BOB, reply(&first, 603, "b1"));
    bench.request(BOB, &Method::Ack);
    bench.response(ANN, 603);
    bench.silence();
}

#[test]
fn the_best_refusal_goes_back_once_and_challenges_are_collected() {
    for (one, other, best) in
        [(480, 486, 486), (404, 503, 404), (503, 503, 500), (302, 404, 302), (486, 603, 603), (401, 407, 401)]
    {
        let mut bench = Bench::new();
        bench.send(ANN, invite("1"));
        bench.fork(&BOTH);
        let first = bench.request(BOB, &Method::Invite);
        let second = bench.request(BOB_AT_HOME, &Method::Invite);
        let mut refusal = reply(&first, one, "b1");
        refusal.headers.push(HeaderName::WwwAuthenticate, "NTLM realm=\"a\"");
        bench.send(BOB, refusal);
        bench.request(BOB, &Method::Ack);
        bench.silence();
        let mut refusal = reply(&second, other, "b2");
        refusal.headers.push(HeaderName::ProxyAuthenticate, "NTLM realm=\"b\"");
        bench.send(BOB_AT_HOME, refusal);
        bench.request(BOB_AT_HOME, &Method::Ack);
        let answer = bench.response(ANN, best);
        assert_eq!(bench.answered(), best);
        if best == 401 {
            assert_eq!(answer.headers.challenges().unwrap().len(), 2);
        }
        bench.silence();
    }
}

#[test]
fn a_decline_ends_all_branches() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    bench.fork(&BOTH);
    let first = bench.request(BOB, &Method::Invite);
    let second = bench.request(BOB_AT_HOME, &Method::Invite);
    bench.send(BOB, reply(&first, 180, "b1"));
    bench.response(ANN, 180);
    bench.send(BOB_AT_HOME, reply(&second, 603, "b2"));
    bench.request(BOB_AT_HOME, &Method::Ack);
    let cancel = bench.request(BOB, &Method::Cancel);
    bench.send(BOB, reply(&cancel, 200, "b1"));
    bench.send(BOB, reply(&first, 487, "b1"));
    bench.request(BOB, &Method::Ack);
    bench.response(ANN, 603);
}

#[test]
fn the_caller_cancels_every_branch_with_its_reason_even_one_that_has_not_answered_yet() {
    let mut bench = Bench::new();
    let invite = invite("1");
    bench.send(ANN, invite.clone());
    bench.fork(&BOTH);
    let first = bench.request(BOB, &Method::Invite);
    let second = bench.request(BOB_AT_HOME, &Method::Invite);
    bench.send(BOB, reply(&first, 180, "b1"));
    bench.response(ANN, 180);
    let mut cancel = Request { method: Method::Cancel, ..invite };
    cancel.headers.set(HeaderName::CSeq, "1 CANCEL");
    cancel.headers.push(HeaderName::Reason, "SIP;cause=487;text=\"mind changed\"");
    bench.send(ANN, cancel);
    bench.response(ANN, 200);
    let of_first = bench.request(BOB, &Method::Cancel);
    assert_eq!(of_first.headers.get(&HeaderName::Reason), Some("SIP;cause=487;text=\"mind changed\""));
    bench.silence();
    // RFC 3261 9.1: the second one only now.
    bench.send(BOB_AT_HOME, reply(&second, 100, ""));
    let of_second = bench.request(BOB_AT_HOME, &Method::Cancel);
    for (flow, request, cancel) in [(BOB, &first, &of_first), (BOB_AT_HOME, &second, &of_second)] {
        bench.send(flow, reply(cancel, 200, "b"));
        bench.send(flow, reply(request, 487, "b"));
        bench.request(flow, &Method::Ack);
    }
    bench.response(ANN, 487);
    bench.silence();
}

#[test]
fn hops_are_counted_and_loops_seen_but_a_spiral_may_pass() {
    let mut bench = Bench::new();
    let mut last = invite("1");
    last.headers.set(HeaderName::MaxForwards, 0);
    bench.send(ANN, last);
    bench.response(ANN, 483);
    bench.send(ANN, invite("2"));
    bench.fork(&[(BOB, "sip:bob@example.net")]);
    let forwarded = bench.request(BOB, &Method::Invite);
    // It comes back as it left: a loop.
    let mut back = forwarded.clone();
    back.headers.insert_first(HeaderName::Via, "SIP/2.0/TLS 192.0.2.11;branch=z9hG4bKback");
    back.headers.set(HeaderName::CallId, "call-2");
    bench.send(BOB, back.clone());
    bench.response(BOB, 482);
    // Even where nothing is under way any more that it could be a copy of.
    let mut anew = Bench::new();
    anew.send(BOB, back.clone());
    anew.response(BOB, 482);
    // With another target it is a spiral. The copy that came first is still under way, hence another branch of the tag.
    let mut spiral = back;
    spiral.uri = Uri::parse("sip:carol@example.net").unwrap();
    spiral.headers.set(HeaderName::From, "<sip:ann@example.net>;tag=a2");
    spiral.headers.remove_first(&HeaderName::Via);
    spiral.headers.insert_first(HeaderName::Via, "SIP/2.0/TLS 192.0.2.11;branch=z9hG4bKspiral");
    bench.send(BOB, spiral);
    assert!(matches!(bench.proxy.poll_event(), Some(Event::Request { .. })));
}

#[test]
fn what_the_proxy_does_not_know_it_must_not_forward() {
    let mut bench = Bench::new();
    let mut asking = invite("1");
    asking.headers.push(HeaderName::ProxyRequire, "ms-benotify, of-tomorrow");
    bench.send(ANN, asking);
    assert_eq!(bench.response(ANN, 420).headers.get(&HeaderName::Unsupported), Some("of-tomorrow"));
    // One request by two ways.
    bench.send(ANN, invite("2"));
    let mut other = invite("2");
    other.headers.set(HeaderName::Via, "SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bKother");
    bench.send(ANN, other);
    bench.response(ANN, 482);
}

#[test]
fn requests_within_the_dialog_follow_the_recorded_route_and_nobody_else_can_write_it() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    bench.fork(&[(BOB, "sip:bob@192.0.2.11")]);
    let forwarded = bench.request(BOB, &Method::Invite);
    bench.send(BOB, reply(&forwarded, 200, "b1"));
    let ok = bench.response(ANN, 200);
    let route = ok.headers.get(&HeaderName::RecordRoute).unwrap().to_owned();
    let within = |method: &str, branch: &str, route: &str, cseq: u32| {
        let mut request = request(&format!(
            "{method} sip:bob@192.0.2.11:50001;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.10:40001;branch=z9hG4bK{branch}
From: <sip:ann@example.net>;tag=a1
To: <sip:bob@example.net>;tag=b1
Call-ID: call-1
CSeq: {cseq} {method}"
        ));
        request.headers.push(HeaderName::Route, route);
        request
    };
    bench.send(ANN, within("ACK", "ack", &route, 1));
    let ack = bench.request(BOB, &Method::Ack);
    assert!(!ack.headers.contains(&HeaderName::Route));
    assert_eq!(ack.headers.vias().unwrap().len(), 2);
    // The other way round.
    bench.send(BOB, within("INFO", "info", &route, 1));
    let info = bench.request(ANN, &Method::Info);
    bench.send(ANN, reply(&info, 200, "a1"));
    bench.response(BOB, 200);
    let forged = route.replace("state:1.2.", "state:1.3.");
    assert_ne!(forged, route);
    bench.send(ANN, within("INFO", "forged", &forged, 3));
    let lost = bench.response(ANN, 430);
    assert_eq!(lost.headers.get(&HeaderName::PDialogRecoveryAction), Some("dialog-route-set-update"));
    bench.proxy.handle_input(bench.now, Input::FlowClosed { flow: BOB }).unwrap();
    bench.send(ANN, within("BYE", "bye", &route, 4));
    bench.response(ANN, 430);
}

#[test]
fn who_rings_for_ever_is_cancelled_and_who_is_silent_is_given_up() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    bench.fork(&BOTH);
    let first = bench.request(BOB, &Method::Invite);
    bench.request(BOB_AT_HOME, &Method::Invite);
    bench.send(BOB, reply(&first, 180, "b1"));
    bench.response(ANN, 180);
    bench.pass(Duration::from_secs(201));
    let cancel = bench.request(BOB, &Method::Cancel);
    assert!(cancel.headers.get(&HeaderName::Reason).unwrap().contains("408"));
    bench.pass(Duration::from_secs(70));
    bench.response(ANN, 408);
    bench.pass(Duration::from_mins(2));
    assert_eq!(bench.proxy.state().contexts, 0);
    assert_eq!(bench.proxy.state().transactions, 0);
}

#[test]
fn without_a_target_or_with_a_dead_one_the_caller_hears_at_once() {
    let mut bench = Bench::new();
    bench.send(ANN, invite("1"));
    bench.fork(&[]);
    bench.response(ANN, 480);
    bench.send(ANN, invite("2"));
    let mut event = bench.proxy.poll_event();
    let Some(Event::Request { id, .. }) = event.take() else { panic!("{event:?}") };
    let mut headers = Headers::new();
    headers.push(HeaderName::MsDiagnostics, "1003;reason=\"User does not exist\"");
    bench.proxy.respond(bench.now, id, StatusCode::NOT_FOUND, &headers, Bytes::new());
    assert!(bench.response(ANN, 404).headers.contains(&HeaderName::MsDiagnostics));
    bench.send(ANN, invite("3"));
    bench.fork(&[(BOB, "sip:bob@192.0.2.11")]);
    bench.request(BOB, &Method::Invite);
    bench.proxy.handle_input(bench.now, Input::FlowClosed { flow: BOB }).unwrap();
    bench.response(ANN, 480);
}

/// A user agent of this crate behind the proxy.
struct Phone {
    endpoint: Endpoint,
    user: UserId,
    flow: FlowId,
    decoder: StreamDecoder,
    events: VecDeque<sip_lync::Event>,
}

impl Phone {
    fn new(now: Instant, flow: FlowId, name: &str, epid: &str) -> Self {
        let mut endpoint = Endpoint::new(Config::client("phone"), Seed([flow.0 as u8; 32]));
        let user =
            endpoint.add_user(User::new(SipUri::parse(&format!("sip:{name}@example.net")).unwrap(), epid));
        let (local, remote) = ("192.0.2.10:4000".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
        let role = FlowRole::Dialled;
        endpoint.handle_input(now, Input::FlowOpened { flow, local, remote, role }).unwrap();
        endpoint.route(user, flow);
        Self { endpoint, user, flow, decoder: StreamDecoder::new(Limits::DEFAULT), events: VecDeque::new() }
    }

    fn session(&mut self) -> SessionId {
        loop {
            if let sip_lync::Event::Incoming { session, .. } = self.events.pop_front().expect("a call") {
                return session;
            }
        }
    }
}

/// Carries bytes until nobody has any.
fn run(bench: &mut Bench, phones: &mut [Phone]) {
    let mut busy = true;
    while busy {
        busy = false;
        let mut buffer = BytesMut::new();
        for phone in phones.iter_mut() {
            while let Some(transmit) = phone.endpoint.poll_transmit(&mut buffer) {
                busy = true;
                let bytes = buffer.split_to(transmit.len);
                let input = Input::Bytes { flow: phone.flow, bytes: &bytes };
                bench.proxy.handle_input(bench.now, input).unwrap();
            }
            phone.events.extend(std::iter::from_fn(|| phone.endpoint.poll_event()));
        }
        while let Some(event) = bench.proxy.poll_event() {
            if let Event::Request { id, .. } = event {
                let targets = BOTH.iter().map(|(flow, uri)| Target::new(*flow, Uri::parse(uri).unwrap()));
                bench.proxy.forward(bench.now, id, targets.collect());
            }
        }
        while let Some(transmit) = bench.proxy.poll_transmit(&mut buffer) {
            busy = true;
            let bytes = buffer.split_to(transmit.len);
            let phone = phones.iter_mut().find(|phone| phone.flow == transmit.flow).unwrap();
            phone.decoder.push(&bytes);
            while let Some(frame) = phone.decoder.next() {
                if let Frame::Message(bytes) = frame.unwrap() {
                    let input = Input::Bytes { flow: phone.flow, bytes: &bytes };
                    phone.endpoint.handle_input(bench.now, input).unwrap();
                }
            }
        }
    }
}

#[test]
fn three_telephones_and_a_proxy_make_a_whole_call() {
    let mut bench = Bench::new();
    let now = bench.now;
    let mut phones = [
        Phone::new(now, ANN, "ann", "01"),
        Phone::new(now, BOB, "bob", "02"),
        Phone::new(now, BOB_AT_HOME, "bob", "03"),
    ];
    let user = phones[0].user;
    let bob = Uri::parse("sip:bob@example.net").unwrap();
    let call = phones[0].endpoint.invite(now, user, Invite::new(bob, SDP)).unwrap();
    run(&mut bench, &mut phones);
    let office = phones[1].session();
    let home = phones[2].session();
    phones[1].endpoint.ring(now, office, None);
    phones[2].endpoint.ring(now, home, Some(SDP.into()));
    run(&mut bench, &mut phones);
    phones[2].endpoint.answer(now, home, SDP);
    run(&mut bench, &mut phones);
    assert!(phones[2].events.iter().any(|event| matches!(event, sip_lync::Event::Confirmed { .. })));
    assert!(phones[1].events.iter().any(|event| matches!(
        event,
        sip_lync::Event::Ended { reason: EndReason::Cancelled { completed_elsewhere: true }, .. }
    )));
    assert!(phones[0].events.iter().any(|event| matches!(event, sip_lync::Event::Answered { .. })));
    phones[2].endpoint.hang_up(now, home);
    run(&mut bench, &mut phones);
    assert_eq!(phones[0].endpoint.session(call), sip_lync::invite::State::Terminated);
    bench.pass(Duration::from_mins(2));
    assert_eq!((bench.proxy.state().contexts, bench.proxy.state().transactions), (0, 0));
}
