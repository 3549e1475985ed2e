//! What is held for a user, a stored registration and a call, counted by the allocator of this program; and that a million
//! calls (here: some) leave nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use sip_lync::registrar::{Registrar, RegistrarConfig};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Input, Invite, Seed, SessionId, SipUri, Uri, User, UserId,
};

/// Counts what the thread of a test holds and how often it asks.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be counted only by being one")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.with(|held| held.set(held.get() + layout.size() as isize));
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|held| held.set(held.get() - layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> usize {
    HELD.with(Cell::get).max(0) as usize
}

fn allocations() -> usize {
    ALLOCATIONS.with(Cell::get)
}

const FLOW: FlowId = FlowId(1);
const SDP: &str = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n";

/// A server and a client, joined by a flow in memory.
struct Site {
    now: Instant,
    server: Endpoint,
    registrar: Registrar,
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
    config.limits.sessions_per_user = 100_000;
    let mut endpoint = Endpoint::new(config, Seed([seed; 32]));
    let (local, remote) = ("192.0.2.1:5061".parse().unwrap(), "192.0.2.2:40001".parse().unwrap());
    endpoint.handle_input(now, Input::FlowOpened { flow: FLOW, local, remote, role }).unwrap();
    endpoint
}

fn uri(name: &str) -> SipUri {
    SipUri::parse(&format!("sip:{name}@example.net")).unwrap()
}

impl Site {
    #[expect(clippy::disallowed_methods, reason = "the origin of the virtual clock")]
    fn new(users: usize) -> Self {
        let now = Instant::now();
        let mut config = Config::new("fe1.example.net");
        config.server = true;
        let mut server = endpoint(config, 1, FlowRole::Accepted, now);
        let mut client = endpoint(Config::new("dect.example.net"), 2, FlowRole::Dialled, now);
        let callee = server.add_user(User::new(uri("callee"), "ca11ee"));
        server.route(callee, FLOW);
        let users = (0..users)
            .map(|at| client.add_user(User::new(uri(&format!("user{at}")), format!("{at:010x}"))))
            .collect();
        Self {
            now,
            server,
            registrar: Registrar::new(RegistrarConfig::default()),
            client,
            users,
            buffer: BytesMut::new(),
            registered: 0,
            answered: None,
            ended: 0,
        }
    }

    fn settle(&mut self) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            while let Some(transmit) = self.client.poll_transmit(&mut self.buffer) {
                quiet = false;
                let bytes = self.buffer.split_to(transmit.len);
                self.server.handle_input(self.now, Input::Bytes { flow: FLOW, bytes: &bytes }).unwrap();
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
                self.client.handle_input(self.now, Input::Bytes { flow: FLOW, bytes: &bytes }).unwrap();
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
        }
    }

    fn register(&mut self, user: UserId) {
        self.client.register(self.now, user, FLOW, None).unwrap();
        self.settle();
    }

    fn register_all(&mut self) {
        for user in self.users.clone() {
            self.register(user);
        }
        self.rest();
        assert_eq!(self.registered, self.users.len());
    }

    fn call(&mut self, user: UserId) -> SessionId {
        let target = Uri::parse("sip:callee@example.net").unwrap();
        self.client.invite(self.now, user, Invite::new(target, Bytes::from_static(SDP.as_bytes()))).unwrap();
        self.settle();
        self.answered.take().expect("the callee answers")
    }

    fn hang_up(&mut self, session: SessionId) {
        self.client.hang_up(self.now, session);
        self.settle();
    }

    /// Lets the timers of what is over fire, and the buffers go.
    fn rest(&mut self) {
        self.now += Duration::from_secs(40);
        self.client.handle_timeout(self.now);
        self.server.handle_timeout(self.now);
        self.settle();
        self.buffer = BytesMut::new();
    }
}

#[test]
fn an_idle_registered_user_takes_less_than_2_kibibytes_and_its_stored_registration_less_than_450_octets() {
    const USERS: usize = 3_000;
    let before = held();
    let mut site = Site::new(USERS);
    site.register_all();
    let all = held() - before;
    let with = held();
    site.registrar = Registrar::new(RegistrarConfig::default());
    let stored = (with - held()) / USERS;
    let user = all / USERS - stored;
    println!("{user} octets for an idle registered user, {stored} for its stored registration");
    assert!(user <= 2048, "{user}");
    assert!(stored <= 450, "{stored}");
}

#[test]
fn a_call_takes_less_than_4_kibibytes_with_both_ends_together_and_nothing_when_it_is_over() {
    const CALLS: usize = 500;
    let mut site = Site::new(CALLS);
    site.register_all();
    let idle = held();
    let calls: Vec<SessionId> = site.users.clone().into_iter().map(|user| site.call(user)).collect();
    site.rest();
    let each = (held() - idle) / CALLS;
    println!("{each} octets for both ends of a call");
    assert!(each <= 4_096, "{each}");
    for call in calls {
        site.hang_up(call);
    }
    site.rest();
    assert_eq!(site.ended, CALLS);
    // What is left are nodes of maps and the capacity of queues.
    let left = held().saturating_sub(idle) / CALLS;
    assert!(left <= 512, "{left}");
}

#[test]
fn call_after_call_leaves_memory_flat() {
    let calls = std::env::var("SIP_CALLS").ok().and_then(|calls| calls.parse().ok()).unwrap_or(1_000_usize);
    let mut site = Site::new(20);
    site.register_all();
    let mut marks = Vec::new();
    for tenth in 0..10 {
        for call in 0..calls / 10 {
            let session = site.call(site.users[call % 20]);
            site.hang_up(session);
            if call % 50 == 49 {
                site.rest();
            }
        }
        site.rest();
        marks.push(held());
        assert_eq!(site.ended, calls / 10 * (tenth + 1));
    }
    println!("{calls} calls, octets held at each tenth: {marks:?}");
    // Maps and queues settle with the first calls.
    assert!(marks[9] <= marks[4] + 4096, "{marks:?}");
    let load = site.client.state();
    assert_eq!((load.sessions, load.client_transactions, load.server_transactions), (0, 0, 0), "{load:?}");
}

/// Allocations of a registration and of a call, both ends and the registrar together; what they are now and a little more.
const ALLOCATIONS_OF_A_REGISTRATION: usize = 18;
const ALLOCATIONS_OF_A_CALL: usize = 165;

#[test]
fn registrations_and_calls_stay_within_their_allocations() {
    let mut site = Site::new(20);
    site.register_all();
    let before = allocations();
    for user in site.users.clone() {
        site.register(user);
    }
    let register = (allocations() - before) / 20;
    site.rest();
    let before = allocations();
    for user in site.users.clone() {
        let session = site.call(user);
        site.hang_up(session);
    }
    let call = (allocations() - before) / 20;
    println!("{register} allocations for a registration, {call} for a call");
    assert!(register <= ALLOCATIONS_OF_A_REGISTRATION, "{register}");
    assert!(call <= ALLOCATIONS_OF_A_CALL, "{call}");
}
