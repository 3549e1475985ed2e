//! Thousands of users on one connection whose front end restarts, throttles or loses the connection, in virtual time.
//!
//! `SIP_LYNC_USERS=5000 cargo test --release -p sip-lync --test avalanche` plays it with more users.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::register::State;
use sip_lync::registrar::{Registrar, RegistrarConfig};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, HeaderName, Input, Message, Method, Request, Response, Retry,
    Seed, SipUri, StatusCode, User, UserId,
};

const SECOND: Duration = Duration::from_secs(1);
/// REGISTERs a second, and how many at once before that counts.
const RATE: u32 = 50;
const BURST: u32 = 10;
/// How long a message is under way.
const LATENCY: Duration = Duration::from_millis(20);

fn users() -> usize {
    std::env::var("SIP_LYNC_USERS").map_or(300, |text| text.parse().expect("a number"))
}

/// How long it takes until all have had their turn.
fn turns(users: usize) -> Duration {
    SECOND / RATE * users as u32
}

/// A node with its users, and a front end that knows them by their registrations alone.
struct Site {
    now: Instant,
    start: Instant,
    node: Endpoint,
    users: Vec<UserId>,
    flow: FlowId,
    registrar: Registrar,
    /// While it lasts every REGISTER is answered 503 with this Retry-After.
    throttle: Option<u64>,
    /// Answers on their way.
    answers: VecDeque<(Instant, FlowId, Bytes)>,
    /// When each REGISTER went out since the last look, and its Call-ID.
    wire: Vec<(Duration, String)>,
    /// When a user was told to wait, and for how long.
    told_to_wait: BTreeMap<String, Instant>,
    failures: Vec<(UserId, Retry)>,
}

impl Site {
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn new() -> Self {
        let now = Instant::now();
        let mut config = Config::new("dect.example.net");
        (config.registrations_per_second, config.registration_burst) = (RATE, BURST);
        let mut node = Endpoint::new(config, Seed([7; 32]));
        let users = (0..users())
            .map(|at| {
                let address = SipUri::parse(&format!("sip:u{at}@example.net")).unwrap();
                node.add_user(User::new(address, format!("{at:08x}")))
            })
            .collect();
        let mut site = Self {
            now,
            start: now,
            node,
            users,
            flow: FlowId(0),
            registrar: Registrar::new(RegistrarConfig::default()),
            throttle: None,
            answers: VecDeque::new(),
            wire: Vec::new(),
            told_to_wait: BTreeMap::new(),
            failures: Vec::new(),
        };
        site.connect();
        site
    }

    fn connect(&mut self) {
        self.flow = FlowId(self.flow.0 + 1);
        let (local, remote) = ("192.0.2.10:40001".parse().unwrap(), "192.0.2.1:5061".parse().unwrap());
        let opened = Input::FlowOpened { flow: self.flow, local, remote, role: FlowRole::Dialled };
        self.node.handle_input(self.now, opened).unwrap();
        for user in self.users.clone() {
            self.node.register(self.now, user, self.flow, Some(600 * SECOND)).unwrap();
        }
        self.drain();
    }

    fn cut(&mut self) {
        self.answers.clear();
        self.node.handle_input(self.now, Input::FlowClosed { flow: self.flow }).unwrap();
        self.drain();
    }

    /// The front end begins anew and knows nobody.
    fn lose_state(&mut self) {
        self.registrar = Registrar::new(RegistrarConfig::default());
    }

    fn answer(&mut self, request: &Request) -> Response {
        let call_id = request.headers.get(&HeaderName::CallId).unwrap().to_owned();
        if let Some(until) = self.told_to_wait.remove(&call_id) {
            assert!(self.now >= until, "Retry-After is kept");
        }
        if let Some(seconds) = self.throttle {
            let mut response = request.response(StatusCode::SERVICE_UNAVAILABLE);
            response.headers.push(HeaderName::RetryAfter, seconds);
            self.told_to_wait.insert(call_id, self.now + SECOND * seconds as u32);
            return response;
        }
        let (status, headers) = self.registrar.register(self.now, self.flow, request);
        let mut response = request.response(status);
        for header in headers.iter() {
            response.headers.push(header.name(), header.value().unwrap());
        }
        response
    }

    fn drain(&mut self) {
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.node.poll_transmit(&mut buffer) {
            let Ok(Message::Request(request)) = Message::parse(buffer.split_to(transmit.len).freeze()) else {
                continue;
            };
            assert_eq!(request.method, Method::Register);
            let call_id = request.headers.get(&HeaderName::CallId).unwrap().to_owned();
            self.wire.push((self.now - self.start, call_id));
            let response = self.answer(&request);
            self.answers.push_back((self.now + LATENCY, transmit.flow, Message::from(response).to_bytes()));
        }
        while let Some(event) = self.node.poll_event() {
            if let Event::RegistrationFailed { user, retry, .. } = event {
                self.failures.push((user, retry));
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let answer = self.answers.front().map(|(at, ..)| *at);
            let Some(at) =
                [answer, self.node.poll_timeout()].into_iter().flatten().min().filter(|at| *at <= end)
            else {
                break;
            };
            self.now = self.now.max(at);
            while let Some((_, flow, bytes)) = self.answers.pop_front_if(|(at, ..)| *at <= self.now) {
                self.node.handle_input(self.now, Input::Bytes { flow, bytes: &bytes }).unwrap();
            }
            self.node.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn registered(&self) -> usize {
        self.users.iter().filter(|user| self.node.registration(**user) == State::Registered).count()
    }

    /// The most REGISTERs that any second saw since the last look.
    fn peak(&mut self) -> usize {
        let wire = std::mem::take(&mut self.wire);
        let within =
            |from: usize| wire[from..].iter().take_while(|(at, _)| *at < wire[from].0 + SECOND).count();
        (0..wire.len()).map(within).max().unwrap_or_default()
    }
}

#[test]
fn a_start_a_restart_that_lost_everything_and_a_broken_connection_keep_to_the_rate() {
    let mut site = Site::new();
    let (users, most) = (site.users.len(), (RATE + BURST) as usize);
    // The start.
    assert_eq!(site.wire.len(), BURST as usize, "no more at once");
    site.pass(turns(users) + SECOND);
    assert_eq!(site.registered(), users);
    let peak = site.peak();
    assert!(peak <= most, "{peak} in a second");
    // The front end restarts: the connection breaks, its store is empty, and it is back a second later.
    site.cut();
    assert_eq!((site.registered(), site.failures.len()), (0, users));
    site.failures.clear();
    site.lose_state();
    site.pass(SECOND);
    site.connect();
    site.pass(turns(users) + SECOND);
    assert_eq!(site.registered(), users);
    let peak = site.peak();
    assert!(peak <= most, "{peak} in a second");
    // It restarts in the midst of that, several times: whoever waited is not lost and nobody is there twice.
    for _ in 0..5 {
        site.cut();
        site.lose_state();
        site.pass(SECOND);
        site.connect();
        site.pass(turns(users) / 2);
    }
    site.pass(turns(users));
    assert_eq!(site.registered(), users);
    let peak = site.peak();
    assert!(peak <= most, "{peak} in a second");
    assert_eq!(site.node.state().timers, users + 1, "a timer for each user and the keep-alive");
}

#[test]
fn refreshes_after_an_avalanche_are_spread() {
    let mut site = Site::new();
    let users = site.users.len();
    site.pass(turns(users) + SECOND);
    site.peak();
    // 600 s are granted: refreshes come in the last fifth before 30 s of the end, spread evenly over it.
    site.pass(570 * SECOND + turns(users));
    assert_eq!(site.registered(), users);
    assert!(site.wire.len() >= users, "{}", site.wire.len());
    let peak = site.peak();
    // A fifth of 570 s, and three times the mean is far above what chance does.
    let mean = users / 114 + 1;
    assert!(peak <= 3 * mean + 10, "{peak} refreshes in a second, {mean} in the mean");
}

#[test]
fn a_front_end_that_lost_us_behind_a_connection_that_stands_gets_us_back_at_the_rate() {
    let mut site = Site::new();
    let (users, most) = (site.users.len(), (RATE + BURST) as usize);
    site.pass(turns(users) + SECOND);
    let mut known: BTreeSet<String> = site.wire.drain(..).map(|(_, call_id)| call_id).collect();
    site.lose_state();
    // The refreshes are answered `added`, and each user registers anew with another Call-ID.
    site.pass(600 * SECOND + turns(users));
    assert_eq!(site.registered(), users);
    assert_eq!(
        site.failures.iter().filter(|(_, retry)| *retry == Retry::After(Duration::ZERO)).count(),
        users
    );
    // Each Call-ID that was not seen before is a user who comes anew; refreshes are spread by themselves.
    site.wire.retain(|(_, call_id)| known.insert(call_id.clone()));
    assert_eq!(site.wire.len(), users);
    let peak = site.peak();
    assert!(peak <= most, "{peak} in a second");
    assert_eq!(site.registrar.len(), users, "nobody is stored twice");
}

#[test]
fn retry_after_is_kept_by_everybody_and_nobody_comes_back_together() {
    let mut site = Site::new();
    let (users, most) = (site.users.len(), (RATE + BURST) as usize);
    site.pass(turns(users) + SECOND);
    // The front end comes back and throttles for a while.
    site.cut();
    site.lose_state();
    let wait = 60 + turns(users).as_secs() as u32;
    site.throttle = Some(wait.into());
    site.peak();
    site.connect();
    site.pass(turns(users) + SECOND);
    assert_eq!((site.registered(), site.wire.len()), (0, users), "one attempt each");
    site.pass(wait * SECOND);
    site.throttle = None;
    // Those who were told to wait after the throttling ended wait, too, and a tenth longer.
    site.pass(wait * SECOND * 11 / 10 + turns(users) + SECOND);
    assert_eq!(site.registered(), users);
    let peak = site.peak();
    assert!(peak <= most, "{peak} in a second");
    assert_eq!(site.registrar.len(), users);
}
