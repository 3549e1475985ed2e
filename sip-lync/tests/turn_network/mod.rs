//! One client, one relay, and peers that only keep what they get.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use sip_lync::Seed;
use sip_lync::turn::server::{
    Config as ServerConfig, ConnectionNumber, Event as ServerEvent, Input as ServerInput, Path, Server,
};
use sip_lync::turn::{Client, ClientConfig, Credentials, Event, Input, Service, Transport};

const fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)), port)
}

pub(crate) const SERVER: SocketAddr = address(10, 3478);
pub(crate) const CLIENT: SocketAddr = address(1, 40_000);
pub(crate) const PEER: SocketAddr = address(77, 7000);
pub(crate) const OTHER: SocketAddr = address(99, 9000);
pub(crate) const CONNECTION: ConnectionNumber = ConnectionNumber(1);

/// Some moment; all others are counted from it.
pub(crate) fn start() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "the moment virtual time starts at")]
    Instant::now()
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new(b"user\x80\xff", b"pass\x00word")
}

pub(crate) struct Network {
    pub(crate) now: Instant,
    pub(crate) client: Client,
    pub(crate) client_address: SocketAddr,
    pub(crate) server: Server,
    pub(crate) relays: BTreeSet<SocketAddr>,
    /// Relayed address, peer, packet.
    pub(crate) at_peers: Vec<(SocketAddr, SocketAddr, Vec<u8>)>,
    /// Nothing arrives anywhere.
    pub(crate) cut: bool,
    /// Nothing arrives at the client.
    pub(crate) deaf: bool,
    /// How many packets are still lost.
    pub(crate) lose: u32,
    pub(crate) taken_ports: u32,
    pub(crate) sent_by_client: usize,
    pub(crate) octets_to_server: usize,
    /// Control messages that arrived at the server.
    pub(crate) requests: usize,
    pub(crate) last_from_client: Option<Vec<u8>>,
    last: Option<Event>,
    pending: std::collections::VecDeque<Event>,
}

impl Network {
    pub(crate) fn new(transport: Transport) -> Self {
        Self::with(transport, ServerConfig::new(SERVER, SERVER.ip()))
    }

    pub(crate) fn with(transport: Transport, config: ServerConfig) -> Self {
        let mut server = Server::new(config, Seed([1; 32]));
        server.admit(credentials(), None);
        Self {
            now: start(),
            client: Client::new(
                ClientConfig::new(SERVER, Service::MsTurn, transport, credentials()),
                Seed([2; 32]),
            ),
            client_address: CLIENT,
            server,
            relays: BTreeSet::new(),
            at_peers: Vec::new(),
            cut: false,
            deaf: false,
            lose: 0,
            taken_ports: 0,
            sent_by_client: 0,
            octets_to_server: 0,
            requests: 0,
            last_from_client: None,
            last: None,
            pending: std::collections::VecDeque::new(),
        }
    }

    /// The next event of the client.
    pub(crate) fn event(&mut self) -> Event {
        self.collect();
        self.pending.pop_front().expect("an event")
    }

    /// The last event of the client; those before are forgotten.
    pub(crate) fn last_event(&mut self) -> Option<Event> {
        self.collect();
        self.pending.clear();
        self.last.clone()
    }

    fn collect(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                Event::Connect { .. } => {
                    let from = self.client_address;
                    let connected = ServerInput::Connected { connection: CONNECTION, from };
                    self.server.handle_input(self.now, connected).unwrap();
                    self.client.handle_input(self.now, Input::Opened).unwrap();
                }
                Event::Disconnect => {}
                event => {
                    self.last = Some(event.clone());
                    self.pending.push_back(event);
                }
            }
        }
    }

    pub(crate) fn peer_sends(&mut self, relay: SocketAddr, peer: SocketAddr, octets: &[u8]) {
        self.server.handle_input(self.now, ServerInput::Relayed { relay, peer, octets }).unwrap();
    }

    /// Carries packets until none is on its way.
    pub(crate) fn run(&mut self) {
        loop {
            self.collect();
            let mut moved = false;
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.client.poll_transmit(&mut buffer) {
                moved = true;
                let octets = buffer.split_to(transmit.len);
                self.sent_by_client += 1;
                self.last_from_client = Some(octets.to_vec());
                if self.cut || self.lost() {
                    continue;
                }
                self.octets_to_server += octets.len();
                if octets.windows(4).any(|cookie| cookie == [0x72, 0xc6, 0x4b, 0xc6]) {
                    self.requests += 1;
                }
                let input = match transmit.transport {
                    Transport::Udp => ServerInput::Datagram { from: self.client_address, octets: &octets },
                    _ => ServerInput::Bytes { connection: CONNECTION, octets: &octets },
                };
                self.server.handle_input(self.now, input).unwrap();
            }
            while let Some(event) = self.server.poll_event() {
                moved = true;
                match event {
                    ServerEvent::OpenRelay { relay } if self.taken_ports > 0 => {
                        self.taken_ports -= 1;
                        self.server.handle_input(self.now, ServerInput::RelayFailed { relay }).unwrap();
                    }
                    ServerEvent::OpenRelay { relay } => {
                        assert!(self.relays.insert(relay));
                        self.server.handle_input(self.now, ServerInput::RelayOpened { relay }).unwrap();
                    }
                    ServerEvent::CloseRelay { relay } => assert!(self.relays.remove(&relay)),
                    _ => {}
                }
            }
            while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
                moved = true;
                let octets = buffer.split_to(transmit.len);
                if self.cut || self.deaf || self.lost() {
                    continue;
                }
                match transmit.path {
                    Path::Datagram(to) if to == self.client_address => {
                        let input = Input::Datagram { from: SERVER, octets: &octets };
                        self.client.handle_input(self.now, input).unwrap();
                    }
                    Path::Datagram(_) => {}
                    Path::Connection(_) => self.client.handle_input(self.now, Input::Bytes(&octets)).unwrap(),
                    Path::Relay { relay, peer } => self.at_peers.push((relay, peer, octets.to_vec())),
                }
            }
            if !moved {
                return;
            }
        }
    }

    fn lost(&mut self) -> bool {
        let lost = self.lose > 0;
        self.lose = self.lose.saturating_sub(1);
        lost
    }

    /// Lets time pass.
    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            self.run();
            let next = [self.client.poll_timeout(), self.server.poll_timeout()].into_iter().flatten().min();
            match next {
                Some(next) if next <= end => {
                    self.now = self.now.max(next);
                    self.client.handle_timeout(self.now);
                    self.server.handle_timeout(self.now);
                }
                _ => break,
            }
        }
        self.now = end;
    }
}
