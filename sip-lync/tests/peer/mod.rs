//! A scripted peer: one endpoint, one flow, every message by hand, no time passes unless the test says so.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Frame, HeaderName, Input, Limits, Message, Method, Request,
    Response, Seed, SipUri, StatusCode, StreamDecoder, Uri, User, UserId,
};

pub(crate) const FLOW: FlowId = FlowId(1);
pub(crate) const SDP: &str = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub(crate) const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=session\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n";

pub(crate) struct Peer {
    pub(crate) now: Instant,
    pub(crate) endpoint: Endpoint,
    pub(crate) user: UserId,
    received: VecDeque<(FlowId, Message)>,
    pub(crate) keep_alives: Vec<FlowId>,
    /// The texts of the messages that were signed.
    pub(crate) signed: Vec<String>,
    events: VecDeque<Event>,
}

#[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

pub(crate) fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

pub(crate) fn dect1() -> User {
    let mut user = User::new(SipUri::parse("sip:dect1@example.net").unwrap(), "01010101");
    user.display_name = Some("Ward 3".to_owned());
    user.tel = Some("tel:+14255550199".to_owned());
    user
}

/// A signature for tests: anybody could make it.
pub(crate) fn seal(text: &str) -> [u8; 16] {
    let mut seal = [0_u8; 16];
    for (at, octet) in text.bytes().enumerate() {
        seal[at % 16] = seal[at % 16].rotate_left(3) ^ octet;
    }
    seal
}

impl Peer {
    /// A trusted server with one user and one dialled flow.
    pub(crate) fn new() -> Self {
        Self::with(Config::new("dect.example.net"))
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut endpoint = Endpoint::new(config, Seed([5; 32]));
        let user = endpoint.add_user(dect1());
        let mut peer = Self {
            now: origin(),
            endpoint,
            user,
            received: VecDeque::new(),
            keep_alives: Vec::new(),
            signed: Vec::new(),
            events: VecDeque::new(),
        };
        peer.open(FLOW, FlowRole::Dialled);
        peer
    }

    /// A peer whose user may call without registering.
    pub(crate) fn routed() -> Self {
        let mut peer = Self::new();
        peer.endpoint.route(peer.user, FLOW);
        peer
    }

    /// A peer whose user is registered, with a GRUU.
    pub(crate) fn registered() -> Self {
        let mut peer = Self::new();
        peer.endpoint.register(peer.now, peer.user, FLOW, None).unwrap();
        let register = peer.request(&Method::Register);
        peer.accept_registration(&register, "added", 600);
        match peer.event() {
            Event::Registered { .. } => peer,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn open(&mut self, flow: FlowId, role: FlowRole) {
        let (local, remote) = ("192.0.2.10:40001".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
        self.endpoint.handle_input(self.now, Input::FlowOpened { flow, local, remote, role }).unwrap();
    }

    pub(crate) fn close(&mut self, flow: FlowId) {
        self.endpoint.handle_input(self.now, Input::FlowClosed { flow }).unwrap();
    }

    pub(crate) fn drain(&mut self) {
        let mut decoders: Vec<(FlowId, StreamDecoder)> = Vec::new();
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.endpoint.poll_transmit(&mut buffer) {
            let mut bytes = buffer.split_to(transmit.len);
            if let Some(slot) = self.endpoint.poll_signature() {
                assert!(slot.fill(&mut bytes, &seal(&slot.text)));
                self.signed.push(slot.text);
            }
            if &bytes[..] == b"\r\n\r\n" {
                self.keep_alives.push(transmit.flow);
                continue;
            }
            if !decoders.iter().any(|(flow, _)| *flow == transmit.flow) {
                decoders.push((transmit.flow, StreamDecoder::new(Limits::DEFAULT)));
            }
            let (_, decoder) = decoders.iter_mut().find(|(flow, _)| *flow == transmit.flow).unwrap();
            decoder.push(&bytes);
            while let Some(frame) = decoder.next() {
                if let Frame::Message(bytes) = frame.unwrap() {
                    self.received.push_back((transmit.flow, Message::parse(bytes).unwrap()));
                }
            }
        }
        while let Some(event) = self.endpoint.poll_event() {
            self.events.push_back(event);
        }
    }

    /// The next message, which has to be a request of this method.
    pub(crate) fn request(&mut self, method: &Method) -> Request {
        self.request_on(FLOW, method)
    }

    pub(crate) fn request_on(&mut self, flow: FlowId, method: &Method) -> Request {
        self.drain();
        match self.received.pop_front() {
            Some((of, Message::Request(request))) if request.method == *method && of == flow => request,
            other => panic!("expected {method}, got {other:?}"),
        }
    }

    /// The next message, which has to be a response of this status.
    pub(crate) fn response(&mut self, status: u16) -> Response {
        self.drain();
        match self.received.pop_front() {
            Some((_, Message::Response(response))) if response.status.code() == status => response,
            other => panic!("expected {status}, got {other:?}"),
        }
    }

    pub(crate) fn next_is_response(&self) -> bool {
        matches!(self.received.front(), Some((_, Message::Response(_))))
    }

    pub(crate) fn any_response(&mut self) -> Response {
        match self.received.pop_front() {
            Some((_, Message::Response(response))) => response,
            other => panic!("{other:?}"),
        }
    }

    /// Takes what was sent and told without looking at it.
    pub(crate) fn forget(&mut self) {
        self.drain();
        self.received.clear();
        self.events.clear();
    }

    pub(crate) fn next_method(&self) -> Option<Method> {
        match self.received.front() {
            Some((_, Message::Request(request))) => Some(request.method.clone()),
            _ => None,
        }
    }

    /// The responses that came, taken.
    pub(crate) fn statuses(&mut self) -> Vec<u16> {
        self.drain();
        let came = self.received.drain(..).filter_map(|(_, message)| match message {
            Message::Response(response) => Some(response.status.code()),
            Message::Request(_) => None,
        });
        came.collect()
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(crate) fn silence(&mut self) {
        self.drain();
        assert!(self.received.is_empty(), "unexpected: {:?}", self.received);
    }

    pub(crate) fn event(&mut self) -> Event {
        self.drain();
        self.events.pop_front().expect("no event")
    }

    pub(crate) fn no_event(&mut self) {
        self.drain();
        assert!(self.events.is_empty(), "unexpected: {:?}", self.events);
    }

    pub(crate) fn send(&mut self, message: impl Into<Message>) {
        self.send_on(FLOW, message);
    }

    pub(crate) fn send_on(&mut self, flow: FlowId, message: impl Into<Message>) {
        let bytes = message.into().to_bytes();
        self.bytes(flow, &bytes);
    }

    pub(crate) fn bytes(&mut self, flow: FlowId, bytes: &[u8]) {
        self.endpoint.handle_input(self.now, Input::Bytes { flow, bytes }).unwrap();
        self.drain();
    }

    /// Lets time pass, deadline by deadline.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Lets time pass until something is sent, but not longer than this.
    pub(crate) fn pass_until_sent(&mut self, longest: Duration) {
        let end = self.now + longest;
        self.drain();
        while self.received.is_empty() && self.now < end {
            self.pass(Duration::from_secs(1));
        }
    }

    /// Answers a request: status, tag of To, further header fields, body.
    pub(crate) fn reply(
        &mut self,
        request: &Request,
        status: u16,
        tag: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) {
        let mut response = request.response(StatusCode::new(status).unwrap());
        let to = response.headers.get(&HeaderName::To).unwrap().to_owned();
        if !tag.is_empty() && !to.contains("tag=") {
            response.headers.set(HeaderName::To, format!("{to};tag={tag}"));
        }
        for (name, value) in headers {
            response.headers.push(HeaderName::parse(name).unwrap(), value);
        }
        if !body.is_empty() {
            response.headers.push(HeaderName::ContentType, "application/sdp");
            response.body = Bytes::copy_from_slice(body.as_bytes());
        }
        self.send(response);
    }

    /// The 200 of a Lync registrar.
    pub(crate) fn accept_registration(&mut self, register: &Request, action: &str, expires: u32) {
        let contact = register.headers.get(&HeaderName::Contact).unwrap();
        let uri = &contact[..=contact.find('>').unwrap()];
        let contact = format!(
            "{uri};expires={expires};+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\";gruu=\"sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu\""
        );
        let state = format!("register-action=\"{action}\"");
        let expires = expires.to_string();
        self.reply(
            register,
            200,
            "0F9E8D7C",
            &[
                ("ms-keep-alive", "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300"),
                ("Contact", "<sip:192.0.2.77:1025;transport=tls>;expires=600;+sip.instance=\"<urn:uuid:00000000-0000-5000-8000-000000000000>\";gruu=\"sip:dect1@example.net;opaque=user:epid:other;gruu\""),
                ("Contact", &contact),
                ("Expires", &expires),
                ("presence-state", &state),
                ("Server", "RTC/5.0"),
            ],
            "",
        );
    }

    /// A request of the front end, from a text with `\n` line ends.
    pub(crate) fn front_end(text: &str, body: &str) -> Request {
        let mut head = text.trim().replace('\n', "\r\n");
        if !body.is_empty() {
            head.push_str("\r\nContent-Type: application/sdp");
        }
        head.push_str("\r\n\r\n");
        head.push_str(body);
        match Message::parse(Bytes::from(head)).unwrap() {
            Message::Request(request) => request,
            Message::Response(_) => panic!("a response"),
        }
    }

    /// An INVITE as a front end delivers it.
    pub(crate) fn invite(cseq: u32, body: &str) -> Request {
        Self::front_end(
            &format!(
                "INVITE sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Record-Route: <sip:pool.example.net:5061;transport=tls;ms-fe=fe1.example.net;opaque=state:F:Ci.R2ab00;lr;ms-route-sig=abc>;ms-rrsig=def;tag=0123
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{cseq}AB;branched=TRUE;ms-internal-info=\"x\"
Via: SIP/2.0/TLS 192.0.2.20:1590;ms-received-port=1590;ms-received-cid=C6B200
Max-Forwards: 68
From: \"Alice\"<sip:alice@example.net>;tag=aa;epid=bb
To: <sip:dect1@example.net>;epid=01010101
Call-ID: call-1
CSeq: {cseq} INVITE
Contact: <sip:alice@example.net;opaque=user:epid:alice;gruu>
P-Asserted-Identity: \"Alice Liddell\"<sip:alice@example.net>,<tel:+14255550123>
Ms-Conversation-ID: AQIDBAUGBwgJCgsMDQ4PEBESEw=="
            ),
            body,
        )
    }

    /// A request of Alice within the dialog that our response made.
    pub(crate) fn in_dialog(response: &Response, method: &str, cseq: u32, body: &str) -> Request {
        let to = response.headers.get(&HeaderName::To).unwrap();
        Self::front_end(
            &format!(
                "{method} sip:dect1@dect.example.net:5061;transport=tls SIP/2.0
Via: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK{method}{cseq}
From: \"Alice\"<sip:alice@example.net>;tag=aa;epid=bb
To: {to}
Call-ID: call-1
CSeq: {cseq} {method}
Contact: <sip:alice@example.net;opaque=user:epid:alice;gruu>"
            ),
            body,
        )
    }
}
