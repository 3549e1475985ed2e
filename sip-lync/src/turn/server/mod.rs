//! The server of MS-TURN, as an A/V Edge offers it: sans-IO, its owner has the sockets.
//!
//! A client that has not proved who it is costs no memory and gets fewer than three octets back for each it sent.

mod allocation;
mod config;
mod nonce;
mod policy;
mod relay;
mod request;

use core::net::SocketAddr;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::BytesMut;

pub use config::{Config, ConnectionNumber, Event, Input, Path, Transmit};

use super::credentials::Credentials;
use super::pseudo_tls::{Hello, read_hello, server_hello};
use crate::error::{Error, ParseError, Rule};
use crate::seed::{Seed, Words};
use crate::stun::{FrameKind, Framing, StreamReader, frame};
use allocation::Allocation;
use nonce::Nonces;

/// A relay of MS-TURN.
///
/// MS-TURN 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    config: Config,
    words: Words,
    nonces: Nonces,
    /// Who may allocate, and until when.
    users: BTreeMap<Vec<u8>, (Credentials, Option<Instant>)>,
    connections: BTreeMap<ConnectionNumber, Connection>,
    /// By relayed address.
    allocations: BTreeMap<SocketAddr, Allocation>,
    /// The relayed address of each client.
    clients: BTreeMap<Path, SocketAddr>,
    /// Requests whose relayed address is being opened.
    opening: BTreeMap<SocketAddr, request::Opening>,
    next_port: u16,
    reserved: u32,
    outgoing: VecDeque<(Path, Vec<u8>)>,
    events: VecDeque<Event>,
}

/// A client's connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Connection {
    from: SocketAddr,
    /// What came before the hello was whole; `None` behind it.
    hello: Option<Vec<u8>>,
    reader: StreamReader,
    until: Option<Instant>,
}

/// What a server is doing.
///
/// MS-TURN 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct State {
    /// Allocations that stand.
    pub allocations: usize,
    /// Connections of clients.
    pub connections: usize,
    /// Kilobits a second that are reserved.
    pub reserved: u32,
}

impl Server {
    /// A relay without users.
    ///
    /// MS-TURN 3.3
    #[must_use]
    pub fn new(config: Config, seed: Seed) -> Self {
        let mut words = Words::new(seed);
        let nonces = Nonces::new(Seed(words.octets::<32>(b"nonces")));
        Self {
            next_port: *config.ports.start(),
            words,
            nonces,
            users: BTreeMap::new(),
            connections: BTreeMap::new(),
            allocations: BTreeMap::new(),
            clients: BTreeMap::new(),
            opening: BTreeMap::new(),
            reserved: 0,
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            config,
        }
    }

    /// Takes what came. An error is a breach of a client that was dealt with already.
    ///
    /// MS-TURN 3.1, 3.3
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        match input {
            Input::Datagram { from, octets } => self.client_message(now, Path::Datagram(from), from, octets),
            Input::Connected { connection, from } => {
                if self.connections.len() >= self.config.connections_max {
                    self.events.push_back(Event::Disconnect { connection });
                    return Ok(());
                }
                let reader = StreamReader::new(Framing::MsTurn);
                let until = now.checked_add(self.config.patience);
                self.connections
                    .insert(connection, Connection { from, hello: Some(Vec::new()), reader, until });
                Ok(())
            }
            Input::Bytes { connection, octets } => {
                let outcome = self.stream(now, connection, octets);
                if outcome.is_err() {
                    // MS-TURN 3.1: what is not well-formed closes a connection.
                    self.events.push_back(Event::Disconnect { connection });
                    self.disconnected(connection);
                }
                outcome
            }
            Input::Disconnected { connection } => {
                self.disconnected(connection);
                Ok(())
            }
            Input::RelayOpened { relay } => {
                self.relay_opened(now, relay);
                Ok(())
            }
            Input::RelayFailed { relay } => {
                self.relay_failed(now, relay);
                Ok(())
            }
            Input::Relayed { relay, peer, octets } => {
                self.relayed(relay, peer, octets);
                Ok(())
            }
        }
    }

    fn stream(&mut self, now: Instant, number: ConnectionNumber, octets: &[u8]) -> Result<(), Error> {
        let Some(mut connection) = self.connections.remove(&number) else { return Ok(()) };
        let from = connection.from;
        let mut rest = octets.to_vec();
        if let Some(mut hello) = connection.hello.take() {
            hello.extend_from_slice(octets);
            // A client that does not begin with the hello speaks frames from the first octet on.
            match read_hello(Hello::Client, &hello) {
                Ok(None) => {
                    connection.hello = Some(hello);
                    self.connections.insert(number, connection);
                    return Ok(());
                }
                Ok(Some(length)) => {
                    rest = hello.split_off(length);
                    let random = self.words.octets::<32>(b"hello");
                    let session = self.words.octets::<32>(b"session");
                    self.outgoing
                        .push_back((Path::Connection(number), server_hello(random, session).to_vec()));
                }
                Err(error) if matches!(hello.first(), Some(2 | 3)) => {
                    let _ = error;
                    rest = hello;
                }
                Err(error) => return Err(error.into()),
            }
        }
        connection.reader.push(&rest);
        let mut outcome = Ok(());
        loop {
            let (kind, octets) = match connection.reader.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error.into());
                    break;
                }
            };
            let path = Path::Connection(number);
            match kind {
                FrameKind::Message => {
                    if !crate::stun::has_ms_turn_cookie(octets) {
                        outcome = Err(ParseError::new(20, Rule::StunMagicCookie).into());
                        break;
                    }
                    if let Err(error) = self.client_message(now, path, from, octets) {
                        outcome = Err(error);
                        break;
                    }
                }
                FrameKind::Data => self.unwrapped(path, octets),
            }
        }
        self.connections.insert(number, connection);
        outcome
    }

    fn disconnected(&mut self, number: ConnectionNumber) {
        self.connections.remove(&number);
        if let Some(relay) = self.clients.get(&Path::Connection(number)).copied() {
            self.free(relay);
        }
    }

    /// Ends what has run out.
    ///
    /// MS-TURN 3.3
    pub fn handle_timeout(&mut self, now: Instant) {
        let expired: Vec<SocketAddr> = self
            .allocations
            .iter()
            .filter(|(_, allocation)| allocation.expires <= now)
            .map(|(relay, _)| *relay)
            .collect();
        for relay in expired {
            self.free(relay);
        }
        self.users.retain(|_, (_, until)| until.is_none_or(|until| until > now));
        let idle: Vec<ConnectionNumber> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.until.is_some_and(|until| until <= now))
            .map(|(number, _)| *number)
            .collect();
        for connection in idle {
            if self.clients.contains_key(&Path::Connection(connection)) {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    connection.until = None;
                }
            } else {
                self.connections.remove(&connection);
                self.events.push_back(Event::Disconnect { connection });
            }
        }
    }

    /// Lets a user allocate, for ever or for a time.
    ///
    /// MS-AVEDGEA 3.1
    pub fn admit(&mut self, credentials: Credentials, until: Option<Instant>) {
        self.users.insert(credentials.username().to_vec(), (credentials, until));
    }

    /// The next octets for somebody.
    ///
    /// MS-TURN 3.3
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        let (path, octets) = self.outgoing.pop_front()?;
        buffer.extend_from_slice(&octets);
        Some(Transmit { path, len: octets.len() })
    }

    /// The next event.
    ///
    /// MS-TURN 3.3
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Server::handle_timeout`] is to be called.
    ///
    /// MS-TURN 3.3
    pub fn poll_timeout(&self) -> Option<Instant> {
        let allocations = self.allocations.values().map(|allocation| allocation.expires);
        let connections = self.connections.values().filter_map(|connection| connection.until);
        let users = self.users.values().filter_map(|(_, until)| *until);
        allocations.chain(connections).chain(users).min()
    }

    /// What it is doing.
    ///
    /// MS-TURN 3.3
    pub fn state(&self) -> State {
        State {
            allocations: self.allocations.len(),
            connections: self.connections.len(),
            reserved: self.reserved,
        }
    }

    /// Queues a message for a client.
    fn enqueue(&mut self, client: Path, kind: FrameKind, octets: &[u8]) {
        match client {
            Path::Datagram(_) | Path::Relay { .. } => self.outgoing.push_back((client, octets.to_vec())),
            Path::Connection(_) => {
                if let Ok((head, _)) = frame(Framing::MsTurn, kind, octets.len()) {
                    self.outgoing.push_back((client, [head.octets(), octets].concat()));
                }
            }
        }
    }
}
