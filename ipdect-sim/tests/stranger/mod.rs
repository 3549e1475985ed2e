//! The front end and hand-written messages.

#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipdect_sim::Seed;
use ipdect_sim::frontend::{Event, FlowId, FrontEnd, FrontEndConfig, FrontEndUser, Input};
use sip_lync::SipUri;

/// One front end and its connections, with all that it sent.
pub struct Site {
    pub now: Instant,
    pub front_end: FrontEnd,
    pub events: Vec<Event>,
}

impl Site {
    pub fn new(change: impl FnOnce(&mut FrontEndConfig)) -> Self {
        let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
        for name in ["alice", "bob", "dect1"] {
            config
                .users
                .push(FrontEndUser::new(SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI")));
        }
        config.trusted.push("dect.example.net".to_owned());
        change(&mut config);
        Self {
            now: Instant::now(),
            front_end: FrontEnd::new(config, Seed::from_number(3)),
            events: Vec::new(),
        }
    }

    pub fn open(&mut self, flow: u32, name: &str) {
        self.open_from(flow, name, [192, 0, 2, 30]);
    }

    pub fn open_from(&mut self, flow: u32, name: &str, from: [u8; 4]) {
        let names = if name.is_empty() { Vec::new() } else { vec![name.to_owned()] };
        self.front_end.handle_input(
            self.now,
            Input::FlowOpened {
                flow: FlowId(flow),
                local: SocketAddr::from(([192, 0, 2, 1], 5061)),
                remote: SocketAddr::from((from, 40000)),
                peer_names: names,
            },
        );
    }

    /// Sends a message (written with LF) and returns what the front end then sends.
    pub fn send(&mut self, flow: u32, text: &str) -> Vec<(u32, String)> {
        let text = text.replace('\n', "\r\n");
        self.front_end.handle_input(self.now, Input::Bytes { flow: FlowId(flow), bytes: text.as_bytes() });
        self.sent()
    }

    pub fn sent(&mut self) -> Vec<(u32, String)> {
        let mut buffer = BytesMut::new();
        let mut sent = Vec::new();
        while let Some(transmit) = self.front_end.poll_transmit(&mut buffer) {
            let octets = buffer.split_to(transmit.len);
            sent.push((transmit.flow.0, String::from_utf8(octets.to_vec()).expect("text")));
        }
        while let Some(event) = self.front_end.poll_event() {
            self.events.push(event);
        }
        sent
    }

    pub fn one(&mut self, flow: u32, text: &str) -> String {
        let mut sent = self.send(flow, text);
        assert_eq!(sent.len(), 1, "{sent:?}");
        let (to, text) = sent.remove(0);
        assert_eq!(to, flow);
        text
    }

    pub fn pass(&mut self, time: Duration) -> Vec<(u32, String)> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(next) = self.front_end.poll_timeout().filter(|next| *next <= end) {
            self.now = next;
            self.front_end.handle_timeout(next);
            sent.append(&mut self.sent());
        }
        self.now = end;
        sent
    }
}

pub fn register(user: &str, epid: &str, contact: &str, more: &str) -> String {
    format!(
        "REGISTER sip:example.net SIP/2.0\nVia: SIP/2.0/TLS 192.0.2.30:40000;branch=z9hG4bK{epid}{user}\nMax-Forwards: 70\n\
         From: <sip:{user}@example.net>;tag=1;epid={epid}\nTo: <sip:{user}@example.net>\nCall-ID: reg-{user}-{epid}\n\
         CSeq: 1 REGISTER\nContact: {contact}\nSupported: gruu-10, adhoclist, msrtc-event-categories\n\
         Event: registration\n{more}Content-Length: 0\n\n"
    )
}

/// How a trusted server registers: the contact is its own listener.
pub const SERVER_CONTACT: &str = "<sip:dect.example.net:5061;transport=tls;ms-opaque=5c0ffee123>";
/// How a client registers.
pub const CLIENT_CONTACT: &str =
    "<sip:10.1.2.3:1234;transport=tls;ms-opaque=aa>;methods=\"INVITE, BYE\";proxy=replace";

pub fn invite(from: &str, to: &str, branch: &str) -> String {
    format!(
        "INVITE {to} SIP/2.0\nVia: SIP/2.0/tls 192.0.2.30:40000{branch}\nMax-Forwards: 70\n\
         From: <sip:{from}@example.net>;tag=77;epid=0101010101\nTo: <{to}>\nCall-ID: call-1\nCSeq: 1 INVITE\n\
         Contact: <sip:{from}@example.net;opaque=user:epid:AAAA;gruu>\nContent-Length: 0\n\n"
    )
}

/// A response to a forwarded request (with its Via lines), in a dialog with this tag.
pub fn response(request: &str, status: &str, tag: &str, body: &str) -> String {
    let lines = |name: &str| {
        let lines: Vec<&str> = request.lines().filter(|line| line.starts_with(name)).collect();
        lines.join("\n")
    };
    let to = lines("To:");
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\n" };
    format!(
        "SIP/2.0 {status}\n{}\n{}\n{to};tag={tag}\n{}\n{}\n{}\nContact: <sip:bob@192.0.2.30:40000;transport=tls>\n\
         {kind}Content-Length: {}\n\n{body}",
        lines("Via:"),
        lines("From:"),
        lines("Call-ID:"),
        lines("CSeq:"),
        lines("Record-Route:"),
        body.len()
    )
}
