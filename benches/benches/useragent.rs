//! The user agent: registrations and calls between endpoints in memory, and what an idle user and a call hold.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use benches::turns::Turns;
use bytes::{Bytes, BytesMut};
use sip_lync::registrar::{Registrar, RegistrarConfig};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Input, Invite, Seed, SessionId, SipUri, Uri, User, UserId,
};

/// Counts the bytes that are held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator that counts is one")]
// SAFETY: every call is handed on to the allocator of the system unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

const FLOW: FlowId = FlowId(1);
const SDP: &str = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n";

/// A server and a client, joined by a flow in memory.
struct Site {
    now: Instant,
    server: Endpoint,
    registrar: Registrar,
    callee: UserId,
    client: Endpoint,
    users: Vec<UserId>,
    buffer: BytesMut,
    registered: usize,
    answered: Option<SessionId>,
    ended: usize,
}

fn endpoint(mut config: Config, seed: u8, role: FlowRole, now: Instant) -> Endpoint {
    config.registrations_per_second = u32::MAX;
    config.registration_burst = u32::MAX;
    config.limits.transactions_per_flow = 1_000_000;
    config.limits.sessions = 1_000_000;
    config.limits.sessions_per_user = 1_000_000;
    let mut endpoint = Endpoint::new(config, Seed([seed; 32]));
    let (local, remote) = ([192, 0, 2, 1], [192, 0, 2, 2]);
    let (local, remote) = ((local, 5061).into(), (remote, 40001).into());
    let opened = Input::FlowOpened { flow: FLOW, local, remote, role };
    endpoint.handle_input(now, opened).expect("a new flow");
    endpoint
}

impl Site {
    fn new(users: usize) -> Self {
        let now = Instant::now();
        let mut config = Config::new("fe1.example.net");
        config.server = true;
        let mut server = endpoint(config, 1, FlowRole::Accepted, now);
        let mut client = endpoint(Config::new("dect.example.net"), 2, FlowRole::Dialled, now);
        let callee = server.add_user(User::new(uri("callee"), "ca11ee"));
        server.route(callee, FLOW);
        let users =
            (0..users).map(|at| client.add_user(User::new(uri(&format!("user{at}")), format!("{at:010x}"))));
        let users = users.collect();
        Self {
            now,
            server,
            registrar: Registrar::new(RegistrarConfig::default()),
            callee,
            client,
            users,
            buffer: BytesMut::new(),
            registered: 0,
            answered: None,
            ended: 0,
        }
    }

    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(transmit) = self.client.poll_transmit(&mut self.buffer) {
                quiet = false;
                let bytes = self.buffer.split_to(transmit.len);
                let input = Input::Bytes { flow: FLOW, bytes: &bytes };
                self.server.handle_input(self.now, input).expect("good bytes");
            }
            while let Some(event) = self.server.poll_event() {
                quiet = false;
                match event {
                    Event::Request { id, flow, request, .. } => {
                        let (status, headers) = self.registrar.register(self.now, flow, &request);
                        self.server.respond(self.now, id, status, &headers, Bytes::new());
                    }
                    Event::Incoming { session, .. } => {
                        self.server.ring(self.now, session, None);
                        self.server.answer(self.now, session, Bytes::from_static(SDP.as_bytes()));
                    }
                    _ => {}
                }
            }
            while let Some(transmit) = self.server.poll_transmit(&mut self.buffer) {
                quiet = false;
                let bytes = self.buffer.split_to(transmit.len);
                let input = Input::Bytes { flow: FLOW, bytes: &bytes };
                self.client.handle_input(self.now, input).expect("good bytes");
            }
            while let Some(event) = self.client.poll_event() {
                quiet = false;
                match event {
                    Event::Registered { .. } => self.registered += 1,
                    Event::Answered { session, .. } => self.answered = Some(session),
                    Event::Ended { .. } => self.ended += 1,
                    _ => {}
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn register(&mut self, user: UserId) {
        self.client.register(self.now, user, FLOW, None).expect("a flow");
        self.settle();
    }

    /// INVITE, 180, 200, ACK.
    fn call(&mut self, user: UserId) -> SessionId {
        let target = Uri::parse("sip:callee@example.net").expect("a URI");
        let invite = Invite::new(target, Bytes::from_static(SDP.as_bytes()));
        self.client.invite(self.now, user, invite).expect("a flow");
        self.settle();
        self.answered.take().expect("the callee answers")
    }

    /// BYE, 200.
    fn hang_up(&mut self, session: SessionId) {
        self.client.hang_up(self.now, session);
        self.settle();
    }

    /// Lets the timers of what is over fire.
    fn rest(&mut self) {
        self.now += Duration::from_secs(40);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.settle();
    }
}

fn uri(name: &str) -> SipUri {
    SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI")
}

fn speed() {
    let mut site = Site::new(1000);
    let mut at = 0;
    Turns::new("REGISTER and its 200, both sides")
        .each("ours", || {
            at = (at + 1) % 1000;
            site.register(site.users[at]);
            if at == 0 {
                site.rest();
            }
        })
        .finish();
    let mut site = Site::new(100);
    for user in site.users.clone() {
        site.register(user);
    }
    let mut at = 0;
    Turns::new("INVITE 180 200 ACK BYE 200, both sides")
        .each("ours", || {
            at = (at + 1) % 100;
            let session = site.call(site.users[at]);
            site.hang_up(session);
            if at == 0 {
                site.rest();
            }
        })
        .finish();
}

fn memory() {
    const USERS: usize = 20_000;
    const CALLS: usize = 2_000;
    let before = held();
    let mut client = endpoint(Config::new("dect.example.net"), 2, FlowRole::Dialled, Instant::now());
    let users: Vec<UserId> = (0..USERS)
        .map(|at| client.add_user(User::new(uri(&format!("user{at}")), format!("{at:010x}"))))
        .collect();
    println!("bytes per user that is not registered: {}", (held() - before) / USERS);
    drop((client, users));

    let mut site = Site::new(USERS);
    let empty = held();
    for user in site.users.clone() {
        site.register(user);
    }
    site.rest();
    site.buffer = BytesMut::new();
    assert_eq!(site.registered, USERS);
    let both = held() - empty;
    let registrar = std::mem::replace(&mut site.registrar, Registrar::new(RegistrarConfig::default()));
    let with = held();
    drop(registrar);
    let stored = with - held();
    println!("bytes per stored registration: {}", stored / USERS);
    println!("bytes a registration adds to its idle user: {}", both.saturating_sub(stored) / USERS);
    let idle = held();
    let calls: Vec<SessionId> =
        site.users.clone().into_iter().take(CALLS).map(|user| site.call(user)).collect();
    site.rest();
    site.buffer = BytesMut::new();
    println!("bytes per call, both ends together: {}", (held() - idle) / CALLS);
    for call in calls {
        site.hang_up(call);
    }
    site.rest();
    println!("bytes per call after its end: {}", (held().saturating_sub(idle)) / CALLS);
}

/// Many calls, one after the other: what is held stays the same.
fn soak(calls: usize) {
    let mut site = Site::new(100);
    for user in site.users.clone() {
        site.register(user);
    }
    let start = Instant::now();
    let mut marks = Vec::new();
    for call in 0..calls {
        let session = site.call(site.users[call % 100]);
        site.hang_up(session);
        if call % 1000 == 999 {
            site.rest();
        }
        if call % (calls / 10).max(1) == 0 {
            site.rest();
            marks.push(held() / 1024);
        }
    }
    site.rest();
    println!("{calls} calls in {:.1} s; KiB held at each tenth: {marks:?}", start.elapsed().as_secs_f64());
    println!("left: {:?}", site.client.state());
    assert_eq!(site.ended, calls);
    // What grows with the number of calls would show between the middle and the end; maps and queues settle before.
    let (middle, last) = (marks[marks.len() / 2], marks[marks.len() - 1]);
    assert!(last <= middle + 16, "memory grows: {marks:?}");
    black_box(site.callee);
}

/// The same thing many times and nothing else, for a profiler: `COUNT=registrations:20000`.
fn again_and_again(what: &str, count: usize) {
    let mut site = Site::new(100);
    for user in site.users.clone() {
        site.register(user);
    }
    let start = Instant::now();
    for at in 0..count {
        let user = site.users[at % 100];
        if what == "calls" {
            let session = site.call(user);
            site.hang_up(session);
        } else {
            site.register(user);
        }
        if at % 1000 == 999 {
            site.rest();
        }
    }
    println!("{count} {what}: {:.0} ns each", start.elapsed().as_nanos() as f64 / count as f64);
}

fn main() {
    if let Ok(work) = std::env::var("COUNT") {
        let (what, count) = work.split_once(':').expect("WHAT:COUNT");
        again_and_again(what, count.parse().expect("a number"));
        return;
    }
    if let Some(calls) = std::env::var("SOAK").ok().and_then(|calls| calls.parse().ok()) {
        soak(calls);
    } else {
        speed();
        memory();
    }
}
