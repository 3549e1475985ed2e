//! Two endpoints over links that lose, repeat, delay and reorder datagrams, in virtual time.
//!
//! A scenario is its seed. `SIP_LYNC_SCENARIOS=1000000 cargo test --release -p sip-lync --test lossy` plays more of
//! them, `SIP_LYNC_SEED=17` one.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::endpoint::Load;
use sip_lync::invite::State;
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, ForkId, HeaderName, Input, Invite, Method, OutgoingRequest,
    Rendering, Seed, SessionId, SipUri, StatusCode, Transport, Uri, User, UserId,
};

const DESCRIPTION: &str =
    "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";

/// A small generator: scenarios repeat exactly.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            dice.next();
        }
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn millis(&mut self, lowest: u64, highest: u64) -> Duration {
        Duration::from_millis(lowest + self.below(highest - lowest + 1))
    }
}

/// What a person does, and when.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Call,
    Ring(SessionId),
    Answer(SessionId),
    Reject(SessionId, u16),
    HangUp(SessionId),
    Hold(SessionId),
    AnswerOffer(SessionId),
    RejectOffer(SessionId),
    /// An offer before the answer of the call.
    OfferEarly(SessionId, ForkId),
    AnswerEarly(SessionId, ForkId),
    RejectEarly(SessionId, ForkId),
    Message,
}

struct Node {
    endpoint: Endpoint,
    user: UserId,
    target: &'static str,
    /// Sessions and whether their end was told.
    sessions: BTreeMap<SessionId, bool>,
    diary: VecDeque<(Instant, Deed)>,
    requests: i64,
}

/// How bad the link is, in percent and milliseconds.
struct Link {
    loss: u64,
    repetition: u64,
    latency: (u64, u64),
}

struct World {
    seed: u64,
    now: Instant,
    dice: Dice,
    nodes: [Node; 2],
    link: Link,
    /// Messages on their way, by arrival and number.
    wires: BTreeMap<(Instant, u64), (usize, Bytes)>,
    sent: u64,
    /// Losses in a row by direction: a link that loses everything is no link.
    lost: [u32; 2],
    start: Instant,
    told: bool,
}

/// The first line of a message and its CSeq.
fn heading(bytes: &Bytes) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    format!("{} | {} | {}", text.lines().next().unwrap_or_default(), line("CSeq"), line("Call-ID"))
}

const FLOW: FlowId = FlowId(1);

fn node(seed: u64, side: u8, address: &str, target: &'static str, transport: Transport) -> Node {
    let mut config = Config::client("node.example.net");
    config.transport = transport;
    config.keep_alive.before_agreement = None;
    config.reliable_provisional = seed.is_multiple_of(3);
    config.session_expires = seed.is_multiple_of(5).then_some(Duration::from_secs(90));
    let mut bytes = [side; 32];
    for (byte, of) in bytes.iter_mut().zip(seed.to_le_bytes()) {
        *byte ^= of;
    }
    let mut endpoint = Endpoint::new(config, Seed(bytes));
    let user = endpoint.add_user(User::new(SipUri::parse(address).unwrap(), "01"));
    Node { endpoint, user, target, sessions: BTreeMap::new(), diary: VecDeque::new(), requests: 0 }
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn new(seed: u64) -> Self {
        let told = std::env::var_os("SIP_LYNC_SEED").is_some();
        let mut dice = Dice::new(seed);
        let now = Instant::now();
        let mut nodes = [
            node(seed, 1, "sip:alice@example.net", "sip:bob@example.net", Transport::Udp),
            node(seed, 2, "sip:bob@example.net", "sip:alice@example.net", Transport::Udp),
        ];
        for (side, node) in nodes.iter_mut().enumerate() {
            let role = if side == 0 { FlowRole::Dialled } else { FlowRole::Accepted };
            let (local, remote) = ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
            node.endpoint.handle_input(now, Input::FlowOpened { flow: FLOW, local, remote, role }).unwrap();
            node.endpoint.route(node.user, FLOW);
        }
        let link = Link {
            loss: dice.below(45),
            repetition: dice.below(40),
            latency: (dice.below(60), 60 + dice.below(1500)),
        };
        let mut world = Self {
            seed,
            now,
            dice,
            nodes,
            link,
            wires: BTreeMap::new(),
            sent: 0,
            lost: [0; 2],
            start: now,
            told,
        };
        for side in 0..2 {
            for _ in 0..world.dice.below(3) {
                world.plan(side, (0, 9000), Deed::Call);
            }
            if world.dice.chance(40) {
                world.plan(side, (0, 9000), Deed::Message);
            }
        }
        world
    }

    fn plan(&mut self, side: usize, within: (u64, u64), deed: Deed) {
        let at = self.now + self.dice.millis(within.0, within.1);
        let diary = &mut self.nodes[side].diary;
        let place = diary.iter().position(|(of, _)| *of > at).unwrap_or(diary.len());
        diary.insert(place, (at, deed));
    }

    fn act(&mut self, side: usize, deed: Deed) {
        let now = self.now;
        let node = &mut self.nodes[side];
        let (user, target) = (node.user, Uri::parse(node.target).unwrap());
        match deed {
            Deed::Call => {
                let invite = if self.dice.chance(80) {
                    Invite::new(target, DESCRIPTION)
                } else {
                    Invite::without_offer(target)
                };
                let session = node.endpoint.invite(now, user, invite).unwrap();
                node.sessions.insert(session, false);
                if self.dice.chance(60) {
                    self.plan(side, (0, 40_000), Deed::HangUp(session));
                }
            }
            Deed::Message => {
                let mut request = OutgoingRequest::new(Method::Message, target);
                request.headers.push(HeaderName::ContentType, "text/plain");
                request.body = Bytes::from_static(b"hello");
                node.endpoint.request(now, user, request).unwrap();
                node.requests += 1;
            }
            Deed::Ring(session) => {
                let early = self.dice.chance(50).then(|| Bytes::from_static(DESCRIPTION.as_bytes()));
                node.endpoint.ring(now, session, early);
            }
            Deed::Answer(session) => node.endpoint.answer(now, session, DESCRIPTION),
            Deed::Reject(session, status) => {
                node.endpoint.reject(now, session, StatusCode::new(status).unwrap());
            }
            Deed::HangUp(session) => node.endpoint.hang_up(now, session),
            Deed::Hold(session) => {
                // Not allowed at every moment: then the person tries no more.
                let _ = node.endpoint.reoffer(now, session, DESCRIPTION, Rendering::No);
            }
            Deed::AnswerOffer(session) => node.endpoint.answer_reoffer(now, session, DESCRIPTION),
            Deed::OfferEarly(session, fork) => {
                let _ = node.endpoint.offer_early(now, session, fork, DESCRIPTION);
            }
            Deed::AnswerEarly(session, fork) => node.endpoint.answer_early(now, session, fork, DESCRIPTION),
            Deed::RejectEarly(session, fork) => {
                node.endpoint.reject_early(now, session, fork, StatusCode::NOT_ACCEPTABLE_HERE);
            }
            Deed::RejectOffer(session) => {
                node.endpoint.reject_reoffer(now, session, StatusCode::NOT_ACCEPTABLE_HERE);
            }
        }
    }

    fn hear(&mut self, side: usize, event: Event) {
        match event {
            Event::EarlyOffer { session, fork, .. } => match self.dice.below(10) {
                0 => {}
                1 => self.plan(side, (0, 3000), Deed::RejectEarly(session, fork)),
                _ => self.plan(side, (0, 3000), Deed::AnswerEarly(session, fork)),
            },
            Event::Progress { session, fork, .. } if self.dice.chance(30) => {
                self.plan(side, (0, 3000), Deed::OfferEarly(session, fork));
            }
            Event::Incoming { session, .. } => {
                self.nodes[side].sessions.insert(session, false);
                if self.dice.chance(70) {
                    self.plan(side, (0, 1500), Deed::Ring(session));
                }
                match self.dice.below(10) {
                    0 => self.plan(side, (0, 9000), Deed::Reject(session, 486)),
                    1 => self.plan(side, (0, 9000), Deed::Reject(session, 603)),
                    2 => {}
                    _ => self.plan(side, (0, 9000), Deed::Answer(session)),
                }
                if self.dice.chance(60) {
                    self.plan(side, (0, 40_000), Deed::HangUp(session));
                }
            }
            Event::Answered { session, answer_due, .. } => {
                if answer_due {
                    self.plan(side, (0, 800), Deed::AnswerOffer(session));
                } else {
                    self.maybe_hold(side, session);
                }
            }
            Event::Confirmed { session, .. } => self.maybe_hold(side, session),
            Event::Reoffered { session, .. } => {
                let deed = match self.dice.below(5) {
                    0 => Deed::RejectOffer(session),
                    _ => Deed::AnswerOffer(session),
                };
                self.plan(side, (0, 3000), deed);
            }
            Event::Failed { session, .. } | Event::Ended { session, .. } => {
                let told = self.nodes[side].sessions.insert(session, true);
                assert_eq!(told, Some(false), "the end of a session is told once: seed {}", self.seed);
            }
            Event::Request { id, .. } => {
                let headers = sip_lync::Headers::new();
                let now = self.now;
                self.nodes[side].endpoint.respond(now, id, StatusCode::OK, &headers, Bytes::new());
            }
            Event::Response { response, .. } if response.status.is_final() => {
                self.nodes[side].requests -= 1;
            }
            Event::RequestFailed { .. } => self.nodes[side].requests -= 1,
            _ => {}
        }
    }

    fn maybe_hold(&mut self, side: usize, session: SessionId) {
        for _ in 0..self.dice.below(3) {
            self.plan(side, (0, 15_000), Deed::Hold(session));
        }
    }

    fn drain(&mut self) {
        loop {
            let mut quiet = true;
            for side in 0..2 {
                let mut buffer = BytesMut::new();
                while let Some(transmit) = self.nodes[side].endpoint.poll_transmit(&mut buffer) {
                    let bytes = buffer.split_to(transmit.len).freeze();
                    self.send(side, &bytes);
                }
                while let Some(event) = self.nodes[side].endpoint.poll_event() {
                    quiet = false;
                    self.hear(side, event);
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn send(&mut self, from: usize, bytes: &Bytes) {
        if self.dice.chance(self.link.loss) && self.lost[from] < 3 {
            self.lost[from] += 1;
            self.trace(|| format!("{from} loses {}", heading(bytes)));
            return;
        }
        self.lost[from] = 0;
        self.trace(|| format!("{from} sends {}", heading(bytes)));
        let copies = 1 + u64::from(self.dice.chance(self.link.repetition));
        for _ in 0..copies {
            let arrival = self.now + self.dice.millis(self.link.latency.0, self.link.latency.1);
            self.sent += 1;
            self.wires.insert((arrival, self.sent), (1 - from, bytes.clone()));
        }
    }

    /// With one scenario the test tells its story.
    fn trace(&self, what: impl Fn() -> String) {
        if self.told {
            println!("{:7} ms: {}", (self.now - self.start).as_millis(), what());
        }
    }

    fn next(&self) -> Option<Instant> {
        let wire = self.wires.first_key_value().map(|((at, _), _)| *at);
        let nodes = self.nodes.iter().flat_map(|node| {
            [node.endpoint.poll_timeout(), node.diary.front().map(|(at, _)| *at)].into_iter().flatten()
        });
        nodes.chain(wire).min()
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.drain();
        let mut turns = 0_u32;
        while let Some(at) = self.next().filter(|at| *at <= end) {
            turns += 1;
            assert!(turns < 200_000, "never comes to rest: seed {}", self.seed);
            self.now = self.now.max(at);
            let now = self.now;
            while let Some(entry) = self.wires.first_entry().filter(|entry| entry.key().0 <= now) {
                let (to, bytes) = entry.remove();
                let input = Input::Bytes { flow: FLOW, bytes: &bytes };
                self.nodes[to].endpoint.handle_input(now, input).unwrap();
            }
            for side in 0..2 {
                self.nodes[side].endpoint.handle_timeout(now);
                while self.nodes[side].diary.front().is_some_and(|(at, _)| *at <= now) {
                    let (_, deed) = self.nodes[side].diary.pop_front().unwrap();
                    self.trace(|| format!("{side} does {deed:?}"));
                    self.act(side, deed);
                }
            }
            self.drain();
        }
        self.now = end;
    }

    /// Plays the scenario to its end and checks that both sides agree.
    fn play(mut self) {
        let seed = self.seed;
        self.pass(Duration::from_mins(2));
        // The link heals; whatever is under way comes to its end.
        self.link = Link { loss: 0, repetition: 0, latency: (5, 5) };
        self.pass(Duration::from_mins(6));
        let standing: Vec<usize> = self
            .nodes
            .iter()
            .map(|node| {
                node.sessions
                    .iter()
                    .filter(|(session, _)| node.endpoint.session(**session) == State::Established)
                    .count()
            })
            .collect();
        assert_eq!(standing[0], standing[1], "both sides agree on what stands: seed {seed}");
        let loads: Vec<Load> = self.nodes.iter().map(|node| node.endpoint.state()).collect();
        assert_eq!(loads[0].sessions, standing[0], "what is no call is over: seed {seed}");
        assert_eq!(loads[1].sessions, standing[1], "what is no call is over: seed {seed}");
        for session in self.nodes[0].sessions.keys().copied().collect::<Vec<_>>() {
            let now = self.now;
            self.nodes[0].endpoint.hang_up(now, session);
        }
        self.pass(Duration::from_mins(2));
        for node in &self.nodes {
            assert!(node.sessions.values().all(|told| *told), "every end is told: seed {seed}");
            assert_eq!(node.requests, 0, "every request has its end: seed {seed}");
            let load = node.endpoint.state();
            let held = load.sessions
                + load.client_transactions
                + load.server_transactions
                + load.timers
                + load.waiting;
            assert_eq!(held, 0, "nothing is left: seed {seed}: {load:?}");
        }
    }
}

#[test]
fn every_call_ends_in_the_same_state_on_both_sides_and_nothing_is_left() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let seeds = match (number("SIP_LYNC_SEED"), number("SIP_LYNC_SCENARIOS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 1..count.unwrap_or(1000) + 1,
    };
    println!("seeds {seeds:?}");
    for seed in seeds {
        World::new(seed).play();
    }
}
