//! A telephone of ours: one endpoint with some users over one connection of TCP or TLS, and a socket that sends every packet
//! of RTP back to where it came from.

#![allow(dead_code, reason = "each test uses its part")]

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use examples::connection::{Connection, Security};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Input, Invite, Rendering, Seed, SessionId, SipUri, Transport,
    Uri, User, UserId,
};

/// How long anything may take on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const FLOW: FlowId = FlowId(1);

pub(crate) struct Telephone {
    pub(crate) endpoint: Endpoint,
    connection: Connection,
    pub(crate) closed: bool,
    /// How far the clock of the endpoint runs ahead.
    ahead: Duration,
    /// What the endpoint told and nobody waited for yet.
    pub(crate) told: Vec<Event>,
    /// First lines of what was sent (`>`) and what came (`<`), with CSeq and Session-Expires.
    pub(crate) trace: Vec<String>,
    pub(crate) echo: Option<Echo>,
    /// It agrees with further offers by itself.
    pub(crate) agrees: bool,
    buffer: Vec<u8>,
    /// The version of our descriptions.
    version: u32,
}

/// The configuration of a telephone that talks to servers that are none of Lync's.
pub(crate) fn configuration(transport: Transport) -> Config {
    let mut config = Config::client("lab.test");
    config.transport = transport;
    config.event_categories = false;
    config
}

impl Telephone {
    /// Dials a server; without `security` over bare TCP.
    pub(crate) fn dial(
        server: &str,
        security: Option<&Security<'_>>,
        config: Config,
    ) -> Result<Self, String> {
        let connection = Connection::open(server, security)?;
        Self::over(connection, FlowRole::Dialled, config)
    }

    /// Takes the connection of somebody who dials.
    pub(crate) fn dialled_by(listener: &TcpListener, config: Config) -> Self {
        let (stream, _) = listener.accept().expect("somebody dials");
        Self::over(Connection::Tcp(stream), FlowRole::Accepted, config).expect("it stands")
    }

    fn over(connection: Connection, role: FlowRole, config: Config) -> Result<Self, String> {
        let (local, remote) = connection.addresses().map_err(|error| error.to_string())?;
        let mut endpoint = Endpoint::new(config, Seed([local.port() as u8; 32]));
        let opened = Input::FlowOpened { flow: FLOW, local, remote, role };
        endpoint.handle_input(Instant::now(), opened).expect("a new flow");
        Ok(Self {
            endpoint,
            connection,
            closed: false,
            ahead: Duration::ZERO,
            told: Vec::new(),
            trace: Vec::new(),
            echo: None,
            agrees: false,
            buffer: vec![0; 65_536],
            version: 0,
        })
    }

    /// A user that is not registered.
    pub(crate) fn user(&mut self, name: &str) -> UserId {
        let address = SipUri::parse(&format!("sip:{name}@lab.test")).expect("an address");
        let epid = name.bytes().fold(String::new(), |epid, byte| format!("{epid}{byte:02x}"));
        let user = self.endpoint.add_user(User::new(address, &epid[..epid.len().min(16)]));
        self.endpoint.route(user, FLOW);
        user
    }

    /// A user that is registered.
    pub(crate) fn registered(&mut self, name: &str) -> UserId {
        let wanted = self.user(name);
        self.endpoint.register(self.now(), wanted, FLOW, None).expect("a flow");
        self.wait("the registration", |event| {
            matches!(event, Event::Registered { user, .. } if *user == wanted).then_some(())
        });
        wanted
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::now() + self.ahead
    }

    /// Lets the endpoint believe that time has passed; the others do not.
    pub(crate) fn pass(&mut self, time: Duration) {
        // Deadlines come one after the other, as they would have.
        let end = self.now() + time;
        while let Some(next) = self.endpoint.poll_timeout().filter(|next| *next <= end) {
            self.ahead += next.saturating_duration_since(self.now());
            self.endpoint.handle_timeout(self.now().max(next));
            self.flush();
            // What is answered to it comes at once.
            self.turn(Duration::from_millis(20));
        }
        self.ahead += end.saturating_duration_since(self.now());
    }

    /// Waits for an event and takes it.
    pub(crate) fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.told.iter().enumerate().find_map(|(at, event)| Some((at, wanted(event)?)));
            if let Some((at, found)) = found {
                self.told.remove(at);
                return found;
            }
            if self.agrees {
                self.agree();
            }
            assert!(
                Instant::now() < end && !self.closed,
                "{what} did not happen; trace {:#?}, told {:#?}",
                self.trace,
                self.told
            );
            self.turn(Duration::from_millis(200));
        }
    }

    /// Goes on until something holds.
    pub(crate) fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(
                Instant::now() < end && !self.closed,
                "{what} did not happen; trace {:#?}, told {:#?}",
                self.trace,
                self.told
            );
            self.turn(Duration::from_millis(50));
        }
    }

    /// Goes on until the peer closes the connection.
    pub(crate) fn until_closed(&mut self) {
        let end = Instant::now() + PATIENCE;
        while !self.closed {
            assert!(Instant::now() < end, "the connection stands; trace {:#?}", self.trace);
            self.turn(Duration::from_millis(50));
        }
    }

    /// One turn: what is due is sent, what comes is taken.
    pub(crate) fn turn(&mut self, longest: Duration) {
        self.endpoint.handle_timeout(self.now());
        self.flush();
        let until = Instant::now() + longest;
        let read = self.connection.read(&mut self.buffer, until);
        match read {
            Ok(Some([])) | Err(_) => {
                self.closed = true;
                self.endpoint
                    .handle_input(Instant::now() + self.ahead, Input::FlowClosed { flow: FLOW })
                    .expect("a flow");
            }
            Ok(Some(bytes)) => {
                note(&mut self.trace, '<', bytes);
                let bytes = bytes.to_vec();
                let _told_as_event =
                    self.endpoint.handle_input(self.now(), Input::Bytes { flow: FLOW, bytes: &bytes });
            }
            Ok(None) => {}
        }
        self.flush();
        while let Some(event) = self.endpoint.poll_event() {
            self.told.push(event);
        }
    }

    fn flush(&mut self) {
        let mut out = BytesMut::new();
        while self.endpoint.poll_transmit(&mut out).is_some() {}
        if !out.is_empty() {
            note(&mut self.trace, '>', &out);
            if self.connection.write(&out).is_err() {
                self.closed = true;
            }
        }
    }

    /// Whether a line of the trace begins and goes on like this.
    pub(crate) fn traced(&self, begin: &str, contains: &str) -> usize {
        self.trace.iter().filter(|line| line.starts_with(begin) && line.contains(contains)).count()
    }

    /// A description with this direction.
    pub(crate) fn description(&mut self, direction: &str) -> String {
        let media = self.echo.get_or_insert_with(Echo::start).address;
        self.version += 1;
        let (version, address, port) = (self.version, media.ip(), media.port());
        format!(
            "v=0\r\no=- 7 {version} IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
             a=fmtp:101 0-16\r\na={direction}\r\n"
        )
    }

    /// Calls somebody.
    pub(crate) fn call(&mut self, user: UserId, whom: &str) -> SessionId {
        let offer = self.description("sendrecv");
        let invite = Invite::new(Uri::parse(whom).expect("a URI"), offer);
        self.endpoint.invite(self.now(), user, invite).expect("a flow")
    }

    /// Calls somebody, who answers.
    pub(crate) fn call_answered(&mut self, user: UserId, whom: &str) -> SessionId {
        let session = self.call(user, whom);
        self.answered(session);
        session
    }

    /// Waits for the answer of a call.
    pub(crate) fn answered(&mut self, wanted: SessionId) {
        self.wait("the answer", |event| match event {
            Event::Answered { session, description, .. } if *session == wanted => {
                assert!(description.is_some(), "an answer to our offer");
                Some(())
            }
            Event::Failed { session, failure } if *session == wanted => panic!("{failure:?}"),
            _ => None,
        });
    }

    /// Waits for a call and answers it.
    pub(crate) fn answers(&mut self, wanted: UserId) -> SessionId {
        let session = self.wait("a call", |event| match event {
            Event::Incoming { session, user, description: Some(_), .. } if *user == wanted => Some(*session),
            _ => None,
        });
        self.accept(session);
        session
    }

    /// Answers a call that came.
    pub(crate) fn accept(&mut self, wanted: SessionId) {
        let now = self.now();
        self.endpoint.ring(now, wanted, None);
        let answer = self.description("sendrecv");
        self.endpoint.answer(now, wanted, answer);
        self.wait("the acknowledgement", |event| {
            matches!(event, Event::Confirmed { session, .. } if *session == wanted).then_some(())
        });
    }

    /// Holds or takes back a call; the peer agrees with this direction.
    pub(crate) fn reoffer(&mut self, wanted: SessionId, direction: &str, answered: &str) {
        let offer = self.description(direction);
        let rendering = if direction == "sendrecv" { Rendering::Yes } else { Rendering::No };
        self.endpoint.reoffer(self.now(), wanted, offer, rendering).expect("a call");
        let answer = self.wait("the answer to the further offer", |event| match event {
            Event::ReofferAnswered { session, description } if *session == wanted => {
                Some(description.clone().expect("an answer"))
            }
            Event::ReofferRefused { session, status } if *session == wanted => panic!("{status:?}"),
            _ => None,
        });
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(has_direction(&answer, answered), "wanted {answered}: {answer}");
    }

    /// Agrees with every further offer that came.
    fn agree(&mut self) {
        while let Some(at) = self.told.iter().position(|event| matches!(event, Event::Reoffered { .. })) {
            if let Event::Reoffered { session, description, .. } = self.told.remove(at) {
                self.answer_offer(session, &description.expect("an offer"));
            }
        }
    }

    fn answer_offer(&mut self, session: SessionId, offer: &[u8]) {
        let offer = String::from_utf8_lossy(offer).into_owned();
        let answer = ["sendonly", "inactive"].into_iter().find(|direction| has_direction(&offer, direction));
        let answer = answer
            .map_or("sendrecv", |direction| if direction == "sendonly" { "recvonly" } else { direction });
        let answer = self.description(answer);
        self.endpoint.answer_reoffer(self.now(), session, answer);
    }

    /// Waits until the peer holds or takes back a call.
    pub(crate) fn is_reoffered(&mut self, wanted: SessionId, directions: &[&str]) {
        let offer = self.wait("a further offer", |event| match event {
            Event::Reoffered { session, description, .. } if *session == wanted => {
                Some(description.clone().expect("an offer"))
            }
            _ => None,
        });
        let text = String::from_utf8_lossy(&offer).into_owned();
        assert!(
            directions.iter().any(|direction| has_direction(&text, direction)),
            "wanted {directions:?}: {text}"
        );
        self.answer_offer(wanted, &offer);
    }

    /// Waits until packets of RTP come, more of them than before.
    pub(crate) fn hears(&mut self) {
        let echo = self.echo.as_ref().expect("there was a description").packets.clone();
        let before = echo.load(Ordering::Relaxed);
        self.until("RTP", |_| echo.load(Ordering::Relaxed) > before + 5);
    }

    pub(crate) fn hang_up(&mut self, wanted: SessionId) {
        self.endpoint.hang_up(self.now(), wanted);
        self.ended(wanted);
    }

    /// Waits until a call is over.
    pub(crate) fn ended(&mut self, wanted: SessionId) {
        self.wait("the end of the call", |event| {
            matches!(event, Event::Ended { session, .. } if *session == wanted).then_some(())
        });
    }

    /// Waits until somebody is registered: until OPTIONS get through.
    pub(crate) fn reaches(&mut self, user: UserId, whom: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let target = Uri::parse(whom).expect("a URI");
            let options = sip_lync::OutgoingRequest::new(sip_lync::Method::Options, target);
            let asked = self.endpoint.request(self.now(), user, options).expect("a flow");
            let status = self.wait("an answer to OPTIONS", |event| match event {
                Event::Response { id, response } if *id == asked && response.status.is_final() => {
                    Some(response.status)
                }
                Event::RequestFailed { id, .. } if *id == asked => panic!("no answer"),
                _ => None,
            });
            if status.is_success() {
                return;
            }
            assert!(Instant::now() < end, "{whom} does not register: {status:?}");
            self.turn(Duration::from_millis(100));
        }
    }

    /// Nothing is left when the timers of what is over have fired.
    pub(crate) fn nothing_is_left(&mut self) {
        self.ahead += Duration::from_secs(40);
        self.turn(Duration::from_millis(1));
        let load = self.endpoint.state();
        assert_eq!(
            (load.sessions, load.client_transactions, load.server_transactions),
            (0, 0, 0),
            "{load:?}"
        );
    }
}

fn has_direction(description: &str, direction: &str) -> bool {
    let said = description.lines().any(|line| line.trim() == format!("a={direction}"));
    // Both ways is what is meant when nothing is said.
    let silent = !["sendonly", "recvonly", "inactive", "sendrecv"]
        .iter()
        .any(|word| description.lines().any(|line| line.trim() == format!("a={word}")));
    said || (direction == "sendrecv" && silent)
}

fn note(trace: &mut Vec<String>, mark: char, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        if line.ends_with("SIP/2.0") || line.starts_with("SIP/2.0 ") {
            trace.push(format!("{mark} {line}"));
        } else if ["cseq:", "session-expires:"].iter().any(|name| line.to_ascii_lowercase().starts_with(name))
            && let Some(last) = trace.last_mut()
        {
            last.push_str(" | ");
            last.push_str(line);
        }
    }
}

/// Sends every packet back.
pub(crate) struct Echo {
    pub(crate) address: SocketAddr,
    pub(crate) packets: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Echo {
    fn start() -> Self {
        let socket = UdpSocket::bind("192.0.2.10:0").or_else(|_| UdpSocket::bind("127.0.0.1:0"));
        let socket = socket.expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time");
        let address = socket.local_addr().expect("an address");
        let (packets, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, end) = (packets.clone(), over.clone());
        let thread = std::thread::spawn(move || {
            let mut packet = [0; 2048];
            while !end.load(Ordering::Relaxed) {
                let Ok((len, from)) = socket.recv_from(&mut packet) else { continue };
                // Version 2 of RTP, not RTCP.
                if packet[0] >> 6 == 2 && packet[1] & 0x7f < 64 {
                    count.fetch_add(1, Ordering::Relaxed);
                    let _perhaps_gone = socket.send_to(&packet[..len], from);
                }
            }
        });
        Self { address, packets, over, thread: Some(thread) }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}
