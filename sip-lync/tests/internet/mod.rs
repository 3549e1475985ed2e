//! Two agents on a simulated internet in virtual time: private networks, NATs of every RFC 4787 behaviour, a STUN
//! server, relays, loss and jitter.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod nat;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use nat::{Behaviour, Nat};
use sip_lync::Seed;
use sip_lync::ice::agent::{Begun, Config, Event, Failure, Input, Path, Protocol, Selected};
use sip_lync::ice::phase::State;
use sip_lync::ice::{Agent, Description, Role, Transport};
use sip_lync::sdp::{Attribute, SessionDescription};
use sip_lync::stun::{self, Class, Method};

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

    const fn number(self) -> u8 {
        match self {
            Self::Left => 1,
            Self::Right => 2,
        }
    }
}

/// A generator that needs nothing (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// Where one side lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Behind a NAT of this behaviour, or on the open internet.
    pub(crate) nat: Option<Behaviour>,
    /// Asks the STUN server.
    pub(crate) stun: bool,
    /// Has a relayed address.
    pub(crate) relay: bool,
    /// Has UDP addresses at all.
    pub(crate) udp: bool,
    /// Opens and takes TCP connections.
    pub(crate) tcp: bool,
    /// Has IPv6 addresses, too.
    pub(crate) ipv6: bool,
}

impl Place {
    pub(crate) const OPEN: Self =
        Self { nat: None, stun: false, relay: false, udp: true, tcp: false, ipv6: false };

    pub(crate) const fn behind(nat: Behaviour) -> Self {
        Self { nat: Some(nat), stun: true, ..Self::OPEN }
    }
}

/// The network between the two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Packets lost in a hundred.
    pub(crate) loss: u64,
    /// One way, at least.
    pub(crate) latency: Duration,
    /// One way, at most this much more.
    pub(crate) jitter: Duration,
}

impl Weather {
    pub(crate) const FAIR: Self =
        Self { loss: 0, latency: Duration::from_millis(25), jitter: Duration::ZERO };
}

#[derive(Clone, Debug)]
enum Arrival {
    Packet { from: SocketAddr, to: SocketAddr, protocol: Protocol, octets: Vec<u8> },
    Opened { side: Side, path: Path },
    Closed { side: Side, path: Path },
    Description { side: Side, text: String },
    Server { from: SocketAddr, octets: Vec<u8>, to: SocketAddr },
}

pub(crate) struct Node {
    pub(crate) agent: Agent,
    pub(crate) nat: Option<Nat>,
    relays: BTreeMap<SocketAddr, BTreeSet<IpAddr>>,
    pub(crate) connected: Option<Instant>,
    pub(crate) failed: Option<Instant>,
    pub(crate) why: Option<Failure>,
    pub(crate) begun: Option<Instant>,
    /// The pairs, as events told.
    pub(crate) selected: BTreeMap<u16, Selected>,
    pub(crate) plain: Vec<Path>,
    pub(crate) described: bool,
    pub(crate) finished: bool,
    /// Media that arrived.
    pub(crate) media: Vec<(Path, Vec<u8>)>,
    pub(crate) sent_octets: u64,
    next_port: u16,
    offered: Option<String>,
}

pub(crate) struct Internet {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) weather: Weather,
    pub(crate) random: Random,
    left: Node,
    right: Node,
    wires: BTreeMap<(Instant, u64), Arrival>,
    sent: u64,
    /// The end of the controlling side's connections: the last offer is made there.
    pub(crate) last_offers: bool,
    /// Both are in one private network.
    pub(crate) together: bool,
    /// Streams: how each end sees them.
    streams: BTreeMap<(Side, Path), (Side, Path)>,
    pub(crate) packets: u64,
    pub(crate) trace: bool,
    /// How long a session description travels.
    pub(crate) signalling: Duration,
    /// What does not get through.
    pub(crate) blocked: fn(Side, Path, &[u8]) -> bool,
    /// Attributes added to the description of a side.
    pub(crate) added: BTreeMap<Side, Vec<Attribute>>,
    /// Everything sent, for tests that count.
    pub(crate) ladder: Vec<(Instant, Side, Path, Vec<u8>)>,
}

pub(crate) const SERVER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100)), 3478);

fn address(octets: [u8; 4], port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from(octets)), port)
}

impl Internet {
    /// Two agents at two places; `left` makes the offer.
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    pub(crate) fn new(seed: u64, places: [Place; 2], configs: &[Config; 2], weather: Weather) -> Self {
        let start = Instant::now();
        let mut random = Random(seed);
        let mut node = |side: Side, place: Place, config: Config| {
            let mut octets = [0; 32];
            for part in octets.chunks_mut(8) {
                part.copy_from_slice(&random.next().to_be_bytes());
            }
            let mut agent = Agent::new(config, Seed(octets));
            let number = side.number();
            let host = if place.nat.is_some() { [10, 0, number, 2] } else { [198, 51, 100, number] };
            let mut relays = BTreeMap::new();
            for component in 1..=config.components {
                let port = 4000 + component;
                let base = address(host, port);
                if place.udp {
                    agent.add_host(component, Transport::Udp, base).unwrap();
                    if place.ipv6 {
                        let v6 = format!("[2001:db8:{number}::2]:{port}").parse().unwrap();
                        agent.add_host(component, Transport::Udp, v6).unwrap();
                    }
                }
                if place.relay {
                    let relayed = address([203, 0, 113, 100 + number], 50_000 + component);
                    relays.insert(relayed, BTreeSet::new());
                    agent.add_relayed(component, Transport::Udp, relayed, base, None).unwrap();
                }
                if place.tcp {
                    agent
                        .add_host(component, Transport::TcpPassive, address(host, 5000 + component))
                        .unwrap();
                    agent.add_host(component, Transport::TcpActive, address(host, 9)).ok();
                }
            }
            let public = Ipv4Addr::new(203, 0, 113, number);
            Node {
                agent,
                nat: place.nat.map(|behaviour| Nat::new(behaviour, public.into())),
                relays,
                connected: None,
                failed: None,
                why: None,
                begun: None,
                selected: BTreeMap::new(),
                plain: Vec::new(),
                described: false,
                finished: false,
                media: Vec::new(),
                sent_octets: 0,
                next_port: 20_000,
                offered: None,
            }
        };
        let mut internet = Self {
            start,
            now: start,
            weather,
            left: node(Side::Left, places[0], configs[0]),
            right: node(Side::Right, places[1], configs[1]),
            random,
            wires: BTreeMap::new(),
            sent: 0,
            last_offers: true,
            together: false,
            streams: BTreeMap::new(),
            packets: 0,
            trace: false,
            signalling: weather.latency,
            blocked: |_, _, _| false,
            added: BTreeMap::new(),
            ladder: Vec::new(),
        };
        for (side, place) in Side::BOTH.into_iter().zip(places) {
            let now = internet.now;
            if place.stun {
                internet.node_mut(side).agent.ask(now, SERVER);
            }
            internet.node_mut(side).agent.gather(now);
        }
        internet.drain();
        internet
    }

    pub(crate) fn node(&self, side: Side) -> &Node {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    pub(crate) fn node_mut(&mut self, side: Side) -> &mut Node {
        match side {
            Side::Left => &mut self.left,
            Side::Right => &mut self.right,
        }
    }

    /// Runs until both have decided and everything has come to rest, at most so long.
    pub(crate) fn run(&mut self, most: Duration) {
        let end = self.start + most;
        while self.step(end) {}
    }

    /// Runs until both have decided.
    pub(crate) fn run_until_decided(&mut self, most: Duration) {
        let end = self.start + most;
        let decided =
            |node: &Node| node.connected.is_some() || node.failed.is_some() || !node.plain.is_empty();
        while !(decided(&self.left) && decided(&self.right)) && self.step(end) {}
    }

    /// Goes to the next thing that happens; `false` when there is none before the end.
    pub(crate) fn step(&mut self, end: Instant) -> bool {
        let next = [
            self.left.agent.poll_timeout(),
            self.right.agent.poll_timeout(),
            self.wires.first_key_value().map(|((when, _), _)| *when),
        ]
        .into_iter()
        .flatten()
        .min();
        let Some(next) = next.filter(|next| *next <= end) else {
            self.now = end;
            return false;
        };
        self.now = self.now.max(next);
        let now = self.now;
        while let Some(entry) = self.wires.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let arrival = entry.remove();
            self.arrive(arrival);
            self.drain();
        }
        for side in Side::BOTH {
            if self.node(side).agent.poll_timeout().is_some_and(|due| due <= now) {
                self.node_mut(side).agent.handle_timeout(now);
                let due = self.node(side).agent.poll_timeout();
                assert!(
                    due.is_none_or(|due| due > now),
                    "{side:?} does not get on: {:?}",
                    self.node(side).agent
                );
                self.drain();
            }
        }
        true
    }

    pub(crate) fn delay(&mut self) -> Duration {
        let jitter = self.weather.jitter.as_micros() as u64;
        let more = if jitter == 0 { 0 } else { self.random.below(jitter) };
        self.weather.latency + Duration::from_micros(more)
    }

    fn post(&mut self, arrival: Arrival, when: Instant) {
        self.sent += 1;
        self.wires.insert((when, self.sent), arrival);
    }

    /// Sends what agents have to send, and acts on what they say.
    pub(crate) fn drain(&mut self) {
        for side in Side::BOTH {
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.node_mut(side).agent.poll_transmit(&mut buffer) {
                let octets = buffer.split_to(transmit.len).to_vec();
                self.node_mut(side).sent_octets += octets.len() as u64;
                self.send(side, transmit.path, octets);
            }
            while let Some(event) = self.node_mut(side).agent.poll_event() {
                self.event(side, event);
            }
        }
    }

    fn event(&mut self, side: Side, event: Event) {
        let now = self.now;
        if self.trace {
            println!("{:?} {side:?} {event:?}", now - self.start);
        }
        match event {
            Event::Gathered => self.describe(side),
            Event::Open { path } => self.open(side, path),
            Event::Selected(selected) => {
                self.node_mut(side).selected.insert(selected.path.component, selected);
            }
            Event::Connected => {
                self.node_mut(side).connected = Some(now);
                if self.last_offers && self.node(side).agent.role() == Role::Controlling {
                    self.describe_finally(side);
                }
            }
            Event::Settled => self.describe_finally(side),
            Event::Plain { path } => self.node_mut(side).plain.push(path),
            Event::Failed(failure) => {
                let node = self.node_mut(side);
                (node.failed, node.why) = (Some(now), Some(failure));
            }
            _ => {}
        }
    }

    /// The session description of a side.
    pub(crate) fn text(&self, side: Side, attributes: &[Attribute]) -> String {
        let agent = &self.node(side).agent;
        let place = agent.default_address(1).unwrap_or_else(|| address([198, 51, 100, side.number()], 9));
        let family = if place.is_ipv4() { "IP4" } else { "IP6" };
        let mut text = format!(
            "v=0\r\no=- 0 0 IN {family} {0}\r\ns=session\r\nc=IN {family} {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n",
            place.ip(),
            place.port()
        );
        if let Some(rtcp) = agent.default_address(2) {
            text += &format!("a=rtcp:{} IN IP4 {}\r\n", rtcp.port(), rtcp.ip());
        }
        for attribute in attributes.iter().chain(self.added.get(&side).into_iter().flatten()) {
            text += &format!("a={attribute}\r\n");
        }
        text
    }

    /// The left side offers when it has gathered, the right one answers when it has gathered and has the offer.
    fn describe(&mut self, side: Side) {
        if side == Side::Left {
            let text = self.text(side, &self.node(side).agent.attributes());
            self.node_mut(side).described = true;
            self.signal(side.other(), text);
        } else if let Some(offer) = self.node_mut(side).offered.take() {
            self.described(side, &offer);
        }
    }

    /// Signalling is reliable and takes as long as media.
    pub(crate) fn signal(&mut self, to: Side, text: String) {
        let when = self.now + self.signalling;
        self.post(Arrival::Description { side: to, text }, when);
    }

    fn answer(&mut self) {
        let right = &self.right;
        if right.begun.is_some() && !right.described && right.agent.state() != State::Gathering {
            let text = self.text(Side::Right, &self.right.agent.attributes());
            self.right.described = true;
            self.signal(Side::Left, text);
        }
    }

    fn describe_finally(&mut self, side: Side) {
        let attributes = self.node(side).agent.final_attributes();
        if !attributes.is_empty() && !self.node(side).finished {
            let text = self.text(side, &attributes);
            self.node_mut(side).finished = true;
            self.signal(side.other(), text);
        }
    }

    fn described(&mut self, side: Side, text: &str) {
        if self.node(side).agent.state() == State::Gathering {
            // The user agent waits until it can answer.
            self.node_mut(side).offered = Some(text.to_owned());
            return;
        }
        let now = self.now;
        let session = SessionDescription::parse(text).unwrap();
        let dialect = self.node(side).agent.dialect();
        let description = Description::read(&session, &session.media[0], dialect);
        let trace = self.trace;
        let node = self.node_mut(side);
        let begun = node.agent.begin(now, &description).unwrap();
        if trace {
            println!("{side:?} {begun:?} {text}");
        }
        if begun == Begun::Checking {
            node.begun = Some(now);
        }
        if begun == Begun::Restarted {
            (node.connected, node.failed, node.described, node.finished) = (None, None, false, false);
            node.selected.clear();
            if side == Side::Right {
                node.begun = Some(now);
            } else {
                panic!("the left side restarts by itself");
            }
        }
        if side == Side::Right {
            self.answer();
        }
        if begun == Begun::Settled && self.node(side).agent.role() == Role::Controlled {
            self.describe_finally(side);
        }
    }

    /// The left side restarts: both get new credentials.
    pub(crate) fn restart(&mut self) {
        let now = self.now;
        let left = &mut self.left;
        left.agent.restart(now);
        (left.connected, left.failed, left.begun, left.finished) = (None, None, None, false);
        left.selected.clear();
        self.describe(Side::Left);
        self.drain();
    }

    fn owner(&self, of: SocketAddr) -> Option<Side> {
        Side::BOTH.into_iter().find(|side| {
            self.node(*side)
                .agent
                .local_candidates()
                .iter()
                .any(|l| l.base == of || l.base.ip() == of.ip() && l.transport.is_tcp())
        })
    }

    /// A packet leaves an agent.
    pub(crate) fn send(&mut self, side: Side, path: Path, octets: Vec<u8>) {
        self.packets += 1;
        if self.trace {
            println!(
                "{:?} {side:?} {} -> {} ({}) {} octets {:02x?}",
                self.now - self.start,
                path.local,
                path.remote,
                path.component,
                octets.len(),
                octets.get(..2)
            );
        }
        self.ladder.push((self.now, side, path, octets.clone()));
        if (self.blocked)(side, path, &octets) {
            return;
        }
        let when = self.now + self.delay();
        if path.protocol == Protocol::Tcp {
            if let Some((other, theirs)) = self.streams.get(&(side, path)).copied() {
                assert_eq!(other, side.other());
                let arrival = Arrival::Packet {
                    from: theirs.remote,
                    to: theirs.local,
                    protocol: Protocol::Tcp,
                    octets,
                };
                // In order: streams have no jitter.
                let when = self.now + self.weather.latency;
                self.post(arrival, when);
            }
            return;
        }
        if self.random.below(100) < self.weather.loss {
            return;
        }
        let relayed = self.node(side).relays.contains_key(&path.local);
        let from = if relayed {
            // The relay lets in whom its client sends to.
            self.node_mut(side).relays.get_mut(&path.local).unwrap().insert(path.remote.ip());
            path.local
        } else if self.together && self.owner(path.remote) == Some(side.other()) {
            path.local
        } else {
            let to = path.remote;
            match &mut self.node_mut(side).nat {
                Some(nat) if path.local.is_ipv4() => nat.out(path.local, to),
                _ => path.local,
            }
        };
        if path.remote == SERVER {
            self.post(Arrival::Server { from, octets, to: path.local }, when);
        } else {
            self.post(Arrival::Packet { from, to: path.remote, protocol: Protocol::Udp, octets }, when);
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Packet { from, to, protocol, octets } => self.packet(from, to, protocol, &octets),
            Arrival::Server { from, octets, .. } => self.serve(from, &octets),
            Arrival::Opened { side, path } => {
                let now = self.now;
                self.node_mut(side).agent.handle_input(now, Input::Opened { path }).unwrap();
            }
            Arrival::Closed { side, path } => {
                let now = self.now;
                self.node_mut(side).agent.handle_input(now, Input::Closed { path }).unwrap();
            }
            Arrival::Description { side, text } => self.described(side, &text),
        }
    }

    /// Where a packet to an address ends up, as its path; `None` when it goes nowhere.
    fn target(&mut self, from: SocketAddr, to: SocketAddr, protocol: Protocol) -> Option<(Side, Path)> {
        for side in Side::BOTH {
            let together = self.together;
            let node = self.node_mut(side);
            let relayed = node.relays.get(&to).map(|permitted| permitted.contains(&from.ip()));
            let base = match (relayed, &mut node.nat) {
                (Some(false), _) => return None,
                (Some(true), _) => to,
                (None, Some(nat))
                    if to.is_ipv4() && !(together && to.ip().to_string().starts_with("10.")) =>
                {
                    match nat.inward(from, to) {
                        Some(base) => base,
                        None => continue,
                    }
                }
                _ => to,
            };
            let private = |address: SocketAddr| address.ip().to_string().starts_with("10.");
            if !together && private(to) {
                continue;
            }
            let found = node.agent.local_candidates().iter().find(|l| l.base == base);
            if let Some(local) = found {
                let path = Path { component: local.component, protocol, local: base, remote: from };
                return Some((side, path));
            }
        }
        None
    }

    fn packet(&mut self, from: SocketAddr, to: SocketAddr, protocol: Protocol, octets: &[u8]) {
        let now = self.now;
        let target = if protocol == Protocol::Tcp {
            self.streams.keys().find(|(_, path)| path.local == to && path.remote == from).copied()
        } else {
            self.target(from, to, protocol)
        };
        let Some((side, path)) = target else { return };
        let node = self.node_mut(side);
        if stun::demultiplex(octets) == stun::PacketKind::Stun {
            // Errors are for the log of the owner.
            let outcome = node.agent.handle_input(now, Input::Packet { path, data: octets });
            if self.trace {
                println!("{:?} {side:?} <- {from} {} octets: {outcome:?}", now - self.start, octets.len());
            }
        } else {
            node.media.push((path, octets.to_vec()));
        }
    }

    /// The STUN server.
    fn serve(&mut self, from: SocketAddr, octets: &[u8]) {
        let Ok(request) = stun::Message::parse(stun::Dialect::Rfc8489, octets) else { return };
        let mut buffer = [0; 128];
        let mut builder = stun::Builder::new(
            &mut buffer,
            stun::Dialect::Rfc8489,
            Class::Success,
            Method::Binding,
            request.transaction(),
        );
        builder.push(&stun::Attribute::XorMappedAddress(from));
        let answer = builder.finish(None, None).unwrap().to_vec();
        if self.random.below(100) < self.weather.loss {
            return;
        }
        let when = self.now + self.delay();
        self.post(Arrival::Packet { from: SERVER, to: from, protocol: Protocol::Udp, octets: answer }, when);
    }

    /// A connection is made, if the other end can be reached and listens.
    fn open(&mut self, side: Side, path: Path) {
        let half = self.now + self.weather.latency;
        let when = half + self.weather.latency;
        let port = self.node(side).next_port;
        self.node_mut(side).next_port += 1;
        let from = SocketAddr::new(path.local.ip(), port);
        let together = self.together;
        let from = match &mut self.node_mut(side).nat {
            Some(nat) if !together => nat.out(from, path.remote),
            _ => from,
        };
        match self.target(from, path.remote, Protocol::Tcp) {
            Some((other, theirs)) if other == side.other() => {
                self.streams.insert((side, path), (other, theirs));
                self.streams.insert((other, theirs), (side, path));
                self.post(Arrival::Opened { side: other, path: theirs }, half);
                self.post(Arrival::Opened { side, path }, when);
            }
            _ => self.post(Arrival::Closed { side, path }, when),
        }
    }

    /// Media of a component crosses both ways between the chosen pairs, and each end sees the other as it thinks.
    pub(crate) fn assert_agreed(&mut self, why: &str) {
        assert_eq!(self.left.selected.len(), self.right.selected.len(), "{why}");
        assert!(!self.left.selected.is_empty(), "{why}");
        let loss = std::mem::replace(&mut self.weather.loss, 0);
        for (component, left) in self.left.selected.clone() {
            let right = self.right.selected[&component];
            if left.path.protocol == Protocol::Udp {
                assert_eq!(
                    (left.local, left.path.remote),
                    (right.path.remote, right.local),
                    "{why}: component {component}"
                );
            }
            for (side, selected) in [(Side::Left, left), (Side::Right, right)] {
                let media = vec![0x80, 8, side.number(), component as u8, 0, 0, 0, 0, 0, 0, 0, 0];
                self.send(side, selected.path, media.clone());
                self.run_for(self.weather.latency + self.weather.jitter + Duration::from_millis(1));
                let other = if side == Side::Left { right } else { left };
                let arrived = self
                    .node(side.other())
                    .media
                    .iter()
                    .any(|(path, octets)| *path == other.path && *octets == media);
                assert!(arrived, "{why}: media of {side:?} does not arrive on the pair of the other side");
            }
        }
        self.weather.loss = loss;
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while self.step(end) {}
    }
}
