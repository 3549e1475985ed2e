//! The client's machine: one allocation over one transport.

mod config;
mod event;
mod relayed;
mod request;
mod response;

use core::net::{IpAddr, SocketAddr};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

pub use config::{ClientConfig, Service, Transport};
pub use event::{Event, Failure, Input, Transmit};
pub use relayed::{HEADROOM, TAILROOM};

use super::allocation::{Effect, State, Trigger, step};
use super::bandwidth::AdmissionRequest;
use super::pseudo_tls::{Hello, client_hello, read_hello};
use crate::error::{Breach, Error, Refusal};
use crate::seed::{Seed, Words};
use crate::stun::{FrameKind, Framing, IntegrityKey, StreamReader, TransactionId, frame};
use relayed::{Channel, Permission};
use request::{Purpose, Request};

/// A client with one allocation over one transport.
///
/// RFC 8656 5, MS-TURN 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    config: ClientConfig,
    words: Words,
    state: State,
    /// The server that is asked now.
    server: SocketAddr,
    redirects: u32,
    /// The material of the last challenge, as the server wrote it.
    realm: Vec<u8>,
    nonce: Vec<u8>,
    key: Option<IntegrityKey>,
    /// MS-TURN: the name of the allocation and the last number used.
    connection: Option<[u8; 20]>,
    number: u32,
    granted: Option<(SocketAddr, Option<SocketAddr>)>,
    lifetime: Duration,
    refresh_at: Option<Instant>,
    connect_until: Option<Instant>,
    failure: Failure,
    requests: BTreeMap<TransactionId, Request>,
    permissions: BTreeMap<IpAddr, Permission>,
    channels: BTreeMap<SocketAddr, Channel>,
    reader: StreamReader,
    hello: Vec<u8>,
    outgoing: VecDeque<Vec<u8>>,
    events: VecDeque<Event>,
}

impl Client {
    /// A client that has asked for nothing yet.
    ///
    /// RFC 8656 7
    #[must_use]
    pub const fn new(config: ClientConfig, seed: Seed) -> Self {
        let framing = match config.service {
            Service::Rfc8656 => Framing::Turn,
            Service::MsTurn => Framing::MsTurn,
        };
        Self {
            words: Words::new(seed),
            state: State::Idle,
            server: config.server,
            redirects: 0,
            realm: Vec::new(),
            nonce: Vec::new(),
            key: None,
            connection: None,
            number: 0,
            granted: None,
            lifetime: config.lifetime,
            refresh_at: None,
            connect_until: None,
            failure: Failure::TimedOut,
            requests: BTreeMap::new(),
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            reader: StreamReader::new(framing),
            hello: Vec::new(),
            outgoing: VecDeque::new(),
            events: VecDeque::new(),
            config,
        }
    }

    /// Takes what came from the server. An error is a breach of the server that was dealt with already.
    ///
    /// RFC 8656 7.3, 11, MS-TURN 3.1
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        match input {
            Input::Opened if self.state == State::Connecting => {
                self.connect_until = None;
                let hello = self.config.transport == Transport::PseudoTls;
                self.step(now, if hello { Trigger::OpenedForHello } else { Trigger::Opened });
                Ok(())
            }
            Input::Opened => Ok(()),
            Input::Datagram { from, octets } => {
                if let Some((peer, data)) = self.unwrap(from, octets) {
                    let data = Bytes::copy_from_slice(data);
                    self.events.push_back(Event::Data { peer, data });
                    Ok(())
                } else if from == self.server {
                    self.message(now, octets)
                } else {
                    Err(Error::Misbehaved(Breach::NotFromServer))
                }
            }
            Input::Bytes(octets) => self.stream(now, octets),
            Input::Closed => {
                self.fail(now, Failure::Closed, Trigger::Closed);
                Ok(())
            }
        }
    }

    /// Takes octets of a connection.
    fn stream(&mut self, now: Instant, octets: &[u8]) -> Result<(), Error> {
        let rest = if self.state == State::Greeting {
            self.hello.extend_from_slice(octets);
            match read_hello(Hello::Server, &self.hello) {
                Ok(None) => return Ok(()),
                Ok(Some(length)) => {
                    let rest = self.hello.split_off(length);
                    self.hello.clear();
                    self.step(now, Trigger::Greeted);
                    rest
                }
                Err(error) => {
                    self.fail(now, Failure::Malformed, Trigger::Refused);
                    return Err(error.into());
                }
            }
        } else {
            octets.to_vec()
        };
        let mut reader = core::mem::replace(&mut self.reader, StreamReader::new(Framing::Turn));
        reader.push(&rest);
        let outcome = loop {
            match reader.next_frame() {
                Ok(None) => break Ok(()),
                Ok(Some((kind, octets))) => {
                    if let Some((peer, data)) = self.unwrap_frame(kind, octets) {
                        let data = Bytes::copy_from_slice(data);
                        self.events.push_back(Event::Data { peer, data });
                    } else if kind == FrameKind::Message
                        && let Err(error) = self.message(now, octets)
                    {
                        break Err(error);
                    }
                }
                Err(error) => {
                    // A stream that lost its frames is of no use.
                    self.events.push_back(Event::Disconnect);
                    self.fail(now, Failure::Malformed, Trigger::Closed);
                    break Err(error.into());
                }
            }
        };
        self.reader = reader;
        outcome
    }

    /// Does what is due.
    ///
    /// RFC 8489 6.2.1, RFC 8656 8, 9, 12
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.connect_until.is_some_and(|until| until <= now) {
            self.connect_until = None;
            self.events.push_back(Event::Disconnect);
            self.fail(now, Failure::TimedOut, Trigger::TimedOut);
        }
        self.resend(now);
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            self.step(now, Trigger::RefreshDue);
        }
        self.refresh_peers(now);
    }

    /// Asks for an allocation.
    ///
    /// RFC 8656 7.1, MS-TURN 3.2
    pub fn allocate(&mut self, now: Instant) -> Result<(), Error> {
        if self.state != State::Idle {
            return Err(Error::Refused(Refusal::AllocationStands));
        }
        self.step(
            now,
            match self.config.transport {
                Transport::Udp => Trigger::AllocateByDatagrams,
                Transport::Tcp | Transport::Tls | Transport::PseudoTls => Trigger::AllocateByStream,
            },
        );
        Ok(())
    }

    /// Gives the allocation back.
    ///
    /// RFC 8656 8, MS-TURN 3.2
    pub fn release(&mut self, now: Instant) {
        self.step(now, Trigger::Release);
    }

    /// Asks the bandwidth policy of an A/V Edge, on this allocation.
    ///
    /// MS-TURNBWM 3.2.4
    pub fn admission(&mut self, now: Instant, asked: AdmissionRequest) -> Result<(), Error> {
        if !self.is_standing() || self.config.service != Service::MsTurn {
            return Err(Error::Refused(Refusal::NoAllocation));
        }
        self.request(now, Purpose::Admission(Box::new(asked)));
        Ok(())
    }

    /// The next octets for the server.
    ///
    /// RFC 8656 5
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        let octets = self.outgoing.pop_front()?;
        buffer.extend_from_slice(&octets);
        Some(Transmit { destination: self.server, transport: self.config.transport, len: octets.len() })
    }

    /// The next event.
    ///
    /// RFC 8656 5
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Client::handle_timeout`] is to be called.
    ///
    /// RFC 8489 6.2.1, RFC 8656 8, 9, 12
    pub fn poll_timeout(&self) -> Option<Instant> {
        let requests = self.requests.values().map(|request| request.due);
        let permissions = self.permissions.values().filter_map(|permission| permission.refresh_at);
        let channels = self.channels.values().filter_map(|channel| channel.refresh_at);
        let own = [self.refresh_at, self.connect_until].into_iter().flatten();
        own.chain(requests).chain(permissions).chain(channels).min()
    }

    /// Where the allocation is.
    ///
    /// RFC 8656 5
    pub const fn state(&self) -> State {
        self.state
    }

    /// The relayed address while there is one.
    ///
    /// RFC 8656 5
    pub fn relayed(&self) -> Option<SocketAddr> {
        self.granted.map(|(relayed, _)| relayed)
    }

    /// The server that is asked; it changes when another one was named.
    ///
    /// RFC 8489 10
    pub const fn server(&self) -> SocketAddr {
        self.server
    }

    fn is_standing(&self) -> bool {
        matches!(self.state, State::Standing | State::Refreshing)
    }

    /// Remembers why, then steps.
    fn fail(&mut self, now: Instant, failure: Failure, trigger: Trigger) {
        self.failure = failure;
        self.step(now, trigger);
    }

    fn step(&mut self, now: Instant, trigger: Trigger) {
        let (state, effects) = step(self.state, trigger);
        self.state = state;
        for effect in effects {
            match effect {
                Effect::Connect => {
                    self.connect_until = now.checked_add(self.config.patience);
                    self.events
                        .push_back(Event::Connect { server: self.server, transport: self.config.transport });
                }
                Effect::Disconnect => {
                    if self.config.transport != Transport::Udp {
                        self.events.push_back(Event::Disconnect);
                    }
                }
                Effect::Greet => {
                    let hello = client_hello(self.words.octets::<32>(b"hello"));
                    self.connect_until = now.checked_add(self.config.patience);
                    self.outgoing.push_back(hello.to_vec());
                }
                Effect::SendAllocate => {
                    self.connect_until = None;
                    self.request(now, Purpose::Allocate);
                }
                Effect::SendRefresh => self.request(now, Purpose::Refresh),
                Effect::SendRelease => self.request(now, Purpose::Release),
                Effect::StartRefresh => {
                    let margin = (self.lifetime / 4).min(Duration::from_mins(1));
                    self.refresh_at = now.checked_add(self.lifetime.saturating_sub(margin));
                }
                Effect::ReportAllocated => {
                    if let Some((relayed, reflexive)) = self.granted {
                        let lifetime = self.lifetime;
                        self.events.push_back(Event::Allocated { relayed, reflexive, lifetime });
                    }
                }
                Effect::ReportFailed => self.events.push_back(Event::Failed(self.failure)),
                Effect::ReportLost => self.events.push_back(Event::Lost(self.failure)),
                Effect::ReportReleased => self.events.push_back(Event::Released),
            }
        }
        match self.state {
            State::Ended => self.forget(),
            State::Releasing => {
                self.refresh_at = None;
                self.requests.retain(|_, request| matches!(request.purpose, Purpose::Release));
            }
            _ => {}
        }
    }

    /// Nothing is left of an allocation that is over.
    fn forget(&mut self) {
        self.requests.clear();
        self.permissions.clear();
        self.channels.clear();
        self.granted = None;
        self.refresh_at = None;
        self.connect_until = None;
    }

    /// Queues a message, framed as the transport wants it.
    fn enqueue(&mut self, octets: &[u8]) {
        if self.config.transport == Transport::Udp {
            self.outgoing.push_back(octets.to_vec());
            return;
        }
        let framing = match self.config.service {
            Service::Rfc8656 => Framing::Turn,
            Service::MsTurn => Framing::MsTurn,
        };
        if let Ok((head, _)) = frame(framing, FrameKind::Message, octets.len()) {
            self.outgoing.push_back([head.octets(), octets].concat());
        }
    }
}
