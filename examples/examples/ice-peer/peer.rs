//! The loop around the agent.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::Seed;
use sip_lync::ice::agent::{Begun, Config, Event, Failure, Input, Path, Selected};
use sip_lync::ice::{Agent, Description, Dialect, Transport};
use sip_lync::sdp::{Attribute, Connection, MediaDescription, Origin, SessionDescription};
use sip_lync::stun::{PacketKind, demultiplex};
use tokio::sync::mpsc;

use crate::Arguments;
use crate::relay::Relays;
use crate::sockets::{Arrival, Queue, Sockets};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// How long packets are still printed after the end of the standard input.
const LINGER: Duration = Duration::from_secs(1);

struct Peer {
    arguments: Arguments,
    agent: Agent,
    sockets: Sockets,
    relays: Relays,
    queue: Queue,
    selected: BTreeMap<u16, Selected>,
    connected: bool,
    /// The peer's lines until the empty one, and whether that came.
    lines: Vec<String>,
    described: bool,
    /// Media before `connected` was printed.
    early: Vec<Vec<u8>>,
    /// Lines that came before there was a pair.
    unsent: Vec<String>,
}

pub(crate) async fn run(arguments: Arguments) -> Outcome<ExitCode> {
    let mut config = Config::new(arguments.dialect, arguments.role.into());
    config.components = arguments.components;
    config.nomination = arguments.nomination.into();
    config.rfc3489 = arguments.rfc3489;
    let (queue, mut arrivals) = mpsc::channel(1024);
    let agent = Agent::new(config, seed()?);
    let mut peer = Peer {
        agent,
        sockets: Sockets::default(),
        relays: Relays::default(),
        queue: queue.clone(),
        selected: BTreeMap::new(),
        connected: false,
        lines: Vec::new(),
        described: false,
        early: Vec::new(),
        unsent: Vec::new(),
        arguments,
    };
    peer.gather().await?;
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if queue.blocking_send(Arrival::Line(Some(line))).is_err() {
                return;
            }
        }
        let _nobody = queue.blocking_send(Arrival::Line(None));
    });
    let mut end = None;
    loop {
        if let Some(code) = peer.drain().await? {
            return Ok(code);
        }
        let due = [peer.agent.poll_timeout(), peer.relays.poll_timeout(), end].into_iter().flatten().min();
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
        tokio::select! {
            arrival = arrivals.recv() => match arrival {
                None => return Ok(ExitCode::FAILURE),
                Some(Arrival::Line(None)) => {
                    if !peer.described {
                        peer.begin()?;
                    }
                    if peer.connected {
                        end = Some(Instant::now() + LINGER);
                    } else {
                        peer.lines.clear();
                        end = None;
                        peer.unsent.push(String::new());
                    }
                }
                Some(arrival) => peer.take(arrival).await?,
            },
            () = tokio::time::sleep_until(due.into()) => {
                if end.is_some_and(|end| end <= Instant::now()) {
                    return Ok(ExitCode::SUCCESS);
                }
                let now = Instant::now();
                peer.relays.handle_timeout(now);
                peer.agent.handle_timeout(now);
            }
        }
        // The standard input ended before there was a pair: lines are sent and the program ends when there is one.
        if peer.connected && end.is_none() && peer.unsent.last().is_some_and(String::is_empty) {
            peer.unsent.pop();
            end = Some(Instant::now() + LINGER);
        }
    }
}

pub(crate) fn seed() -> Outcome<Seed> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)?;
    Ok(Seed(octets))
}

/// The address from which the internet is reached; no packet is sent to find it.
fn outward() -> IpAddr {
    let local = || -> std::io::Result<SocketAddr> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        socket.local_addr()
    };
    local().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip())
}

impl Peer {
    /// Opens the sockets, asks the servers.
    async fn gather(&mut self) -> Outcome<()> {
        let address = self.arguments.bind.unwrap_or_else(outward);
        let mut bases = Vec::new();
        for component in 1..=self.arguments.components {
            let base = self.sockets.bind(component, address, &self.queue).await?;
            bases.push((component, base));
            if !self.arguments.no_udp && !self.arguments.relay_only {
                self.agent.add_host(component, Transport::Udp, base)?;
            }
            if self.arguments.tcp {
                let listener = Sockets::listen(component, address, &self.queue).await?;
                self.agent.add_host(component, Transport::TcpPassive, listener)?;
                self.agent.add_host(component, Transport::TcpActive, SocketAddr::new(address, 9))?;
            }
        }
        let now = Instant::now();
        if let Some(server) = &self.arguments.stun {
            self.agent.ask(now, resolve(server).await?);
        }
        if let Some(text) = &self.arguments.turn {
            self.relays = Relays::start(text, self.arguments.dialect, &bases, &self.queue, now).await?;
        } else {
            self.agent.gather(now);
        }
        Ok(())
    }

    async fn take(&mut self, arrival: Arrival) -> Outcome<()> {
        let now = Instant::now();
        match arrival {
            Arrival::Packet { path, octets } => {
                if let Some(packets) = self.relays.handle_packet(now, path, &octets) {
                    for (path, octets) in packets {
                        self.packet(now, path, &octets);
                    }
                } else {
                    self.packet(now, path, &octets);
                }
            }
            Arrival::Relay(component, step) => {
                for (path, octets) in self.relays.handle_stream(now, component, step) {
                    self.packet(now, path, &octets);
                }
            }
            Arrival::Opened { path, writer } => {
                self.sockets.opened(path, writer).await;
                self.agent.handle_input(now, Input::Opened { path })?;
            }
            Arrival::Closed { path } => {
                self.sockets.closed(path);
                self.agent.handle_input(now, Input::Closed { path })?;
            }
            Arrival::Line(Some(line)) if self.described => self.say(line).await,
            Arrival::Line(Some(line)) => {
                if line.trim().is_empty() {
                    self.begin()?;
                } else {
                    self.lines.push(line);
                }
            }
            Arrival::Line(None) => {}
        }
        Ok(())
    }

    fn log(&self, error: Option<sip_lync::Error>) {
        if let Some(error) = error.filter(|_| self.arguments.trace) {
            eprintln!("ice-peer: {error}");
        }
    }

    /// A packet for the agent, or media from a known address.
    fn packet(&mut self, now: Instant, path: Path, octets: &[u8]) {
        if self.arguments.trace {
            eprintln!("< {path:?} {} octets", octets.len());
        }
        if demultiplex(octets) == PacketKind::Stun {
            let outcome = self.agent.handle_input(now, Input::Packet { path, data: octets });
            self.log(outcome.err());
        } else if self.agent.remote_candidates().iter().any(|remote| remote.address == path.remote) {
            if self.connected {
                print(octets);
            } else {
                self.early.push(octets.to_vec());
            }
        }
    }

    /// A line is a datagram of component 1.
    async fn say(&mut self, line: String) {
        match self.selected.get(&1).filter(|_| self.connected) {
            Some(selected) => {
                let path = selected.path;
                self.send(path, line.as_bytes()).await;
            }
            None => self.unsent.push(line),
        }
    }

    async fn send(&mut self, path: Path, octets: &[u8]) {
        if self.arguments.trace {
            eprintln!("> {path:?} {} octets", octets.len());
        }
        if !self.relays.send(Instant::now(), path, octets) {
            self.sockets.send(path, octets).await;
        }
    }

    /// The peer's lines are complete.
    fn begin(&mut self) -> Outcome<()> {
        self.described = true;
        let unspecified = Connection::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let session = SessionDescription::new(Origin::new(0, 0, unspecified.clone()), unspecified);
        let mut media = MediaDescription::new("audio", 9, "RTP/AVP", vec!["8".to_owned()]);
        for line in self.lines.drain(..) {
            if let Some(value) = line.trim().strip_prefix("a=") {
                media.attributes.push(Attribute::parse(value));
            }
        }
        let description = Description::read(&session, &media, self.arguments.dialect);
        let description = description.in_dialect(self.arguments.dialect);
        let why: Box<dyn std::error::Error> = match self.agent.begin(Instant::now(), &description) {
            Ok(Begun::Plain) => "the peer's lines hold no usable ICE".into(),
            Ok(_) => return Ok(()),
            Err(error) => error.into(),
        };
        println!("failed {why}");
        Err(why)
    }

    /// Sends what is to be sent, tells what is to be told; a code when the program is over.
    async fn drain(&mut self) -> Outcome<Option<ExitCode>> {
        if let Some(allocated) = self.relays.finished() {
            for (component, relayed, base, reflexive) in allocated {
                let reflexive = reflexive.filter(|_| !self.arguments.relay_only);
                // A reflexive address that is the host's own adds nothing.
                let outcome = self.agent.add_relayed(component, Transport::Udp, relayed, base, reflexive);
                self.log(outcome.err());
            }
            self.agent.gather(Instant::now());
        }
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.agent.poll_transmit(&mut buffer) {
            let octets = buffer.split_to(transmit.len);
            self.send(transmit.path, &octets).await;
        }
        while let Some(event) = self.agent.poll_event() {
            if self.arguments.trace {
                eprintln!("{event:?}");
            }
            match event {
                Event::Gathered => {
                    let mut out = String::new();
                    for attribute in self.agent.attributes() {
                        out += &format!("a={attribute}\n");
                    }
                    println!("{out}");
                }
                Event::Open { path } => Sockets::connect(path, &self.queue),
                Event::Selected(selected) => {
                    self.relays.selected(Instant::now(), selected.path);
                    self.selected.insert(selected.path.component, selected);
                }
                Event::Connected => {
                    self.connected = true;
                    for selected in self.selected.values() {
                        println!("connected {} {}", selected.local, selected.path.remote);
                    }
                    for octets in std::mem::take(&mut self.early) {
                        print(&octets);
                    }
                    let ended = self.unsent.last().is_some_and(String::is_empty);
                    for line in std::mem::take(&mut self.unsent) {
                        self.say(line).await;
                    }
                    if ended {
                        self.unsent.push(String::new());
                    }
                }
                Event::Failed(failure) => {
                    println!("failed {failure}");
                    let over = failure != Failure::ConsentLost || self.arguments.dialect == Dialect::Rfc8445;
                    if over {
                        return Ok(Some(ExitCode::FAILURE));
                    }
                }
                _ => {}
            }
        }
        for (path, octets) in self.relays.flush().await {
            self.sockets.send(path, &octets).await;
        }
        std::io::stdout().flush()?;
        Ok(None)
    }
}

fn print(octets: &[u8]) {
    println!("{}", String::from_utf8_lossy(octets));
}

pub(crate) async fn resolve(text: &str) -> Outcome<SocketAddr> {
    let mut found = tokio::net::lookup_host(text).await?;
    found.next().ok_or_else(|| format!("{text} has no address").into())
}
