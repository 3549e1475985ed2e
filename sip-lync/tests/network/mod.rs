//! Two endpoints joined by flows with latency, in virtual time.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::{Config, Endpoint, Event, FlowId, FlowRole, Input, Seed, SessionId, SipUri, User, UserId};

pub(crate) const OFFER: &str =
    "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=offer\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub(crate) const ANSWER: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=answer\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n";

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Left,
    Right,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Left, Self::Right];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

pub(crate) struct Node {
    pub(crate) endpoint: Endpoint,
    pub(crate) user: UserId,
    pub(crate) events: VecDeque<Event>,
}

pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) left: Node,
    pub(crate) right: Node,
    pub(crate) latency: BTreeMap<Side, Duration>,
    pub(crate) flows: Vec<FlowId>,
    next_flow: u32,
    /// What is on its way: when it arrives, to whom, on which flow. In order for each flow and direction.
    wires: VecDeque<(Instant, Side, FlowId, Bytes)>,
    /// First lines of everything that was sent.
    pub(crate) ladder: Vec<String>,
}

fn node(config: Config, seed: u8, address: &str) -> Node {
    let mut endpoint = Endpoint::new(config, Seed([seed; 32]));
    let user = endpoint.add_user(User::new(SipUri::parse(address).unwrap(), format!("e{seed}")));
    Node { endpoint, user, events: VecDeque::new() }
}

impl Pair {
    /// Alice is a client on the left, Bob a trusted server on the right.
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    pub(crate) fn new(latency: Duration) -> Self {
        let mut pair = Self {
            now: Instant::now(),
            left: node(Config::client("alice.example.net"), 1, "sip:alice@example.net"),
            right: node(Config::new("dect.example.net"), 2, "sip:bob@example.net"),
            latency: BTreeMap::from([(Side::Left, latency), (Side::Right, latency)]),
            flows: Vec::new(),
            next_flow: 1,
            wires: VecDeque::new(),
            ladder: Vec::new(),
        };
        pair.open();
        pair
    }

    pub(crate) fn node(&mut self, side: Side) -> &mut Node {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    /// A new flow that both users route over from now on.
    pub(crate) fn open(&mut self) -> FlowId {
        let flow = FlowId(self.next_flow);
        self.next_flow += 1;
        let now = self.now;
        for side in Side::BOTH {
            let role = if side == Side::Left { FlowRole::Dialled } else { FlowRole::Accepted };
            let (local, remote) = ("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:5061".parse().unwrap());
            let node = self.node(side);
            node.endpoint.handle_input(now, Input::FlowOpened { flow, local, remote, role }).unwrap();
            node.endpoint.route(node.user, flow);
        }
        self.flows.push(flow);
        flow
    }

    /// The flow breaks: what is on its way is lost.
    pub(crate) fn cut(&mut self, flow: FlowId) {
        self.flows.retain(|of| *of != flow);
        self.wires.retain(|(_, _, of, _)| *of != flow);
        let now = self.now;
        for side in Side::BOTH {
            self.node(side).endpoint.handle_input(now, Input::FlowClosed { flow }).unwrap();
        }
        self.drain();
    }

    /// Takes what both endpoints want sent and told.
    pub(crate) fn drain(&mut self) {
        for side in Side::BOTH {
            let arrival = self.now + self.latency[&side];
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.node(side).endpoint.poll_transmit(&mut buffer) {
                let bytes = buffer.split_to(transmit.len).freeze();
                let line = String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned();
                self.ladder.push(format!("{side:?}: {line}"));
                if self.flows.contains(&transmit.flow) {
                    // Streams keep their order even when the latency shrinks.
                    let last = self
                        .wires
                        .iter()
                        .rev()
                        .find(|(_, to, of, _)| *to == side.other() && *of == transmit.flow);
                    let arrival = last.map_or(arrival, |(at, ..)| arrival.max(*at));
                    self.wires.push_back((arrival, side.other(), transmit.flow, bytes));
                }
            }
            let node = self.node(side);
            while let Some(event) = node.endpoint.poll_event() {
                node.events.push_back(event);
            }
        }
    }

    fn next(&self) -> Option<Instant> {
        let wire = self.wires.iter().map(|(at, ..)| *at).min();
        [wire, self.left.endpoint.poll_timeout(), self.right.endpoint.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        while let Some(at) = self.next().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let now = self.now;
            if let Some(first) = self.wires.iter().position(|(at, ..)| *at <= now) {
                let (_, to, flow, bytes) = self.wires.remove(first).unwrap();
                // A byte at a time would do as well; two pieces show that frames may be split.
                let (head, tail) = bytes.split_at(bytes.len() / 2);
                for bytes in [head, tail] {
                    self.node(to).endpoint.handle_input(now, Input::Bytes { flow, bytes }).unwrap();
                }
            } else {
                for side in Side::BOTH {
                    self.node(side).endpoint.handle_timeout(now);
                }
            }
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn event(&mut self, side: Side) -> Event {
        self.drain();
        let ladder = self.ladder.join("\n");
        self.node(side).events.pop_front().unwrap_or_else(|| panic!("no event on the {side:?}\n{ladder}"))
    }

    pub(crate) fn no_event(&mut self) {
        self.drain();
        for side in Side::BOTH {
            assert!(self.node(side).events.is_empty(), "{side:?}: {:?}", self.node(side).events);
        }
    }

    pub(crate) fn sessions(&self) -> (usize, usize) {
        (self.left.endpoint.state().sessions, self.right.endpoint.state().sessions)
    }

    pub(crate) fn hang_up(&mut self, side: Side, session: SessionId) {
        let now = self.now;
        self.node(side).endpoint.hang_up(now, session);
        self.drain();
    }
}
