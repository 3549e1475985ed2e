//! A stateful proxy for simulators and test benches: forks, collects answers, cancels, records its route, sees loops.
//!
//! Where a request goes is the owner's business: [`Event::Request`] asks, [`Proxy::forward`] or [`Proxy::respond`] answers.
//! Requests within dialogs that recorded this proxy need no asking.
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use sip_lync::proxy::{Event, Proxy, ProxyConfig, Target};
//! use sip_lync::{FlowId, FlowRole, Input, Seed, Uri};
//!
//! let now = Instant::now();
//! let mut proxy = Proxy::new(ProxyConfig::new("fe1.example.net"), Seed([7; 32]));
//! for flow in [FlowId(1), FlowId(2)] {
//!     let (local, remote) = ("192.0.2.1:5061".parse()?, "192.0.2.10:40001".parse()?);
//!     proxy.handle_input(now, Input::FlowOpened { flow, local, remote, role: FlowRole::Accepted })?;
//! }
//! let bytes = b"MESSAGE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\n\
//!     From: <sip:ann@example.net>;tag=1\r\nTo: <sip:bob@example.net>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
//! proxy.handle_input(now, Input::Bytes { flow: FlowId(1), bytes })?;
//! let Some(Event::Request { id, .. }) = proxy.poll_event() else { panic!() };
//! proxy.forward(now, id, vec![Target::new(FlowId(2), Uri::parse("sip:bob@192.0.2.11")?)]);
//! let mut buffer = BytesMut::new();
//! let transmit = proxy.poll_transmit(&mut buffer).expect("the MESSAGE");
//! assert_eq!(transmit.flow, FlowId(2));
//! assert!(buffer.starts_with(b"MESSAGE sip:bob@192.0.2.11 SIP/2.0\r\nVia: SIP/2.0/TLS fe1.example.net"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answers;
mod forward;
mod response_context;
mod route;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

pub use response_context::{Action, Because, Branch, ResponseContext, Trigger};

use crate::deadlines::Deadlines;
use crate::endpoint::{Input, Transmit, Transport};
use crate::error::{Breach, Error, Refusal};
use crate::flow::FlowId;
use crate::framing::{Frame, StreamDecoder};
use crate::headers::Headers;
use crate::message::{Limits, Message, Request, Response};
use crate::seed::{Seed, Words};
use crate::status::StatusCode;
use crate::transaction::timers::Reliability;
use crate::transaction::{ClientId, Failure, LayerEvent, ServerId, TransactionLayer};
use crate::uri::Uri;

/// A request that is forwarded, or waits for its target.
///
/// RFC 3261 16.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(u64);

/// What a proxy is told once.
///
/// RFC 3261 16
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProxyConfig {
    /// Its name in Via and Record-Route.
    pub host: String,
    /// Its port there.
    pub port: u16,
    /// The transport of all flows.
    pub transport: Transport,
    /// Whether it stays in the way of dialogs.
    pub record_route: bool,
    /// Timer C: how long a callee may ring. RFC 3261 16.6 demands more than three minutes.
    pub timer_c: Duration,
    /// The option tags that Proxy-Require may name.
    pub options: Vec<String>,
    /// Transactions under way on one flow, each way.
    pub transactions_per_flow: usize,
    /// Branches of one request at most; further targets are left out.
    pub branches: usize,
    /// Requests under way at most; beyond it 503.
    pub contexts: usize,
}

impl ProxyConfig {
    /// A proxy of this name, as a front end of Lync is.
    ///
    /// RFC 3261 16
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: 5061,
            transport: Transport::Tls,
            record_route: true,
            timer_c: Duration::from_secs(200),
            options: vec!["ms-benotify".to_owned()],
            transactions_per_flow: 50_000,
            branches: 32,
            contexts: 100_000,
        }
    }
}

/// Where a request goes.
///
/// RFC 3261 16.5
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// The connection.
    pub flow: FlowId,
    /// The Request-URI there.
    pub uri: Uri,
    /// Header fields that replace those of the request: To with an epid, History-Info.
    pub headers: Headers,
}

impl Target {
    /// A target.
    ///
    /// RFC 3261 16.5
    #[must_use]
    pub const fn new(flow: FlowId, uri: Uri) -> Self {
        Self { flow, uri, headers: Headers::new() }
    }
}

/// Those who are asked at the same time.
///
/// RFC 3261 16.5
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Who they are.
    pub targets: Vec<Target>,
    /// How long they may ring before the next group is asked; `None`: until all of them have refused.
    pub patience: Option<Duration>,
}

impl Group {
    /// A group that is asked until all of it have refused.
    ///
    /// RFC 3261 16.5
    #[must_use]
    pub const fn new(targets: Vec<Target>) -> Self {
        Self { targets, patience: None }
    }
}

/// What a proxy tells its owner.
///
/// RFC 3261 16
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request that no recorded route leads on: `forward` it or `respond`.
    Request {
        /// What names it.
        id: ContextId,
        /// The connection it came on.
        flow: FlowId,
        /// The request; Route fields that named this proxy are gone.
        request: Request,
    },
    /// The final answer of a forwarded request went back.
    Answered {
        /// What names it.
        id: ContextId,
        /// Its status.
        status: StatusCode,
    },
    /// The peer of a flow broke the protocol: close the flow.
    FlowFailed {
        /// The flow.
        flow: FlowId,
        /// What it did.
        error: Error,
    },
}

/// How much a proxy holds.
///
/// RFC 3261 16
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProxyLoad {
    /// Flows that stand.
    pub flows: usize,
    /// Requests that are forwarded or wait for their target.
    pub contexts: usize,
    /// Transactions of both kinds.
    pub transactions: usize,
    /// Timers that run, those of transactions left out.
    pub timers: usize,
}

/// One way a request went.
#[derive(Clone, Debug)]
struct Leg {
    client: Option<ClientId>,
    /// The final response, our Via removed.
    response: Option<Box<Response>>,
}

/// A request that is forwarded, or waits for its target.
#[derive(Clone, Debug)]
struct Context {
    server: ServerId,
    flow: FlowId,
    request: Box<Request>,
    answers: ResponseContext,
    legs: Vec<Leg>,
    /// Reason of the caller's CANCEL.
    cause: Option<Box<str>>,
    waiting: bool,
    /// Who is asked after those that are asked now.
    groups: VecDeque<Group>,
}

/// A time that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Deadline {
    /// Timer C of a branch, or the wait for its end after CANCEL.
    Branch(ContextId, usize),
    /// Those that are asked now have had their time.
    Patience(ContextId),
}

/// A stateful proxy.
///
/// RFC 3261 16
#[derive(Debug)]
pub struct Proxy {
    config: ProxyConfig,
    words: Words,
    secret: [u8; 48],
    layer: TransactionLayer,
    flows: BTreeMap<FlowId, StreamDecoder>,
    contexts: BTreeMap<ContextId, Context>,
    by_server: BTreeMap<ServerId, ContextId>,
    by_client: BTreeMap<ClientId, (ContextId, usize)>,
    deadlines: Deadlines<Deadline>,
    next: u64,
    events: VecDeque<Event>,
}

impl Proxy {
    /// A proxy without flows.
    ///
    /// RFC 3261 16
    #[must_use]
    pub fn new(config: ProxyConfig, seed: Seed) -> Self {
        let mut words = Words::new(seed);
        Self {
            secret: words.secret(),
            words,
            layer: TransactionLayer::new(config.transactions_per_flow),
            flows: BTreeMap::new(),
            contexts: BTreeMap::new(),
            by_server: BTreeMap::new(),
            by_client: BTreeMap::new(),
            deadlines: Deadlines::new(),
            next: 0,
            events: VecDeque::new(),
            config,
        }
    }

    /// Takes what comes from below. An error concerns one flow, which is forgotten: close it.
    ///
    /// RFC 3261 18
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        match input {
            Input::FlowOpened { flow, .. } => {
                if self.flows.contains_key(&flow) {
                    return Err(Error::Refused(Refusal::FlowInUse));
                }
                self.flows.insert(flow, StreamDecoder::new(Limits::DEFAULT));
                self.layer.flow_opened(flow, self.config.transport.reliability());
                Ok(())
            }
            Input::Bytes { flow, bytes } => self.bytes(now, flow, bytes),
            Input::FlowClosed { flow } => {
                self.flow_closed(now, flow);
                Ok(())
            }
        }
    }

    /// Does what is due.
    ///
    /// RFC 3261 16.8
    pub fn handle_timeout(&mut self, now: Instant) {
        self.layer.handle_timeout(now);
        self.run_layer(now);
        while let Some(deadline) = self.deadlines.pop(now) {
            match deadline {
                Deadline::Branch(id, at) => self.step(now, id, Trigger::Timeout(at)),
                Deadline::Patience(id) => self.step(now, id, Trigger::NoAnswer),
            }
            self.run_layer(now);
        }
    }

    /// Answers a request in place of forwarding it.
    ///
    /// RFC 3261 8.2.6
    pub fn respond(
        &mut self,
        now: Instant,
        id: ContextId,
        status: StatusCode,
        headers: &Headers,
        body: impl Into<Bytes>,
    ) {
        let Some(context) = self.contexts.get(&id).filter(|context| context.waiting) else { return };
        let (server, request) = (context.server, context.request.clone());
        let mut response = self.response_to(&request, status);
        for header in headers.iter() {
            if let Ok(value) = header.value() {
                response.headers.push(header.name(), value);
            }
        }
        response.body = body.into();
        self.layer.respond(now, server, &response);
        if status.is_final() {
            self.forget(id);
        }
        self.run_layer(now);
    }

    /// Appends the next bytes to the buffer.
    ///
    /// RFC 3261 18
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        loop {
            let start = buffer.len();
            let (flow, len) = self.layer.poll_transmit(buffer)?;
            if self.flows.contains_key(&flow) {
                return Some(Transmit { flow, len });
            }
            buffer.truncate(start);
        }
    }

    /// The next event.
    ///
    /// RFC 3261 16
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When `handle_timeout` is to be called.
    ///
    /// RFC 3261 16.8
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.layer.poll_timeout(), self.deadlines.next()].into_iter().flatten().min()
    }

    /// How much the proxy holds.
    ///
    /// RFC 3261 16
    #[must_use]
    pub fn state(&self) -> ProxyLoad {
        let (clients, servers) = self.layer.open();
        ProxyLoad {
            flows: self.flows.len(),
            contexts: self.contexts.len(),
            transactions: clients + servers,
            timers: self.deadlines.len(),
        }
    }

    fn bytes(&mut self, now: Instant, flow: FlowId, bytes: &[u8]) -> Result<(), Error> {
        let decoder = self.flows.get_mut(&flow).ok_or(Error::Refused(Refusal::UnknownFlow))?;
        if self.config.transport.reliability() == Reliability::Unreliable {
            if let Ok(message) = Message::parse(Bytes::copy_from_slice(bytes)) {
                self.message(now, flow, message);
            }
            return Ok(());
        }
        decoder.push(bytes);
        loop {
            let Some(decoder) = self.flows.get_mut(&flow) else { return Ok(()) };
            match decoder.next() {
                None => return Ok(()),
                Some(Ok(Frame::KeepAlive)) => {}
                Some(Ok(Frame::Message(bytes))) => {
                    if let Ok(message) = Message::parse(bytes) {
                        self.message(now, flow, message);
                    }
                }
                Some(Err(_)) => {
                    let error = Error::Misbehaved(Breach::Framing);
                    self.flow_closed(now, flow);
                    self.events.push_back(Event::FlowFailed { flow, error: error.clone() });
                    return Err(error);
                }
            }
        }
    }

    fn message(&mut self, now: Instant, flow: FlowId, message: Message) {
        match message {
            Message::Request(request) => self.request(now, flow, request),
            Message::Response(response) => self.layer.handle_response(now, flow, response),
        }
        self.run_layer(now);
    }

    fn flow_closed(&mut self, now: Instant, flow: FlowId) {
        if self.flows.remove(&flow).is_none() {
            return;
        }
        // Nobody waits for the answers of what came over it.
        let of_flow: Vec<ContextId> =
            self.contexts.iter().filter(|(_, context)| context.flow == flow).map(|(id, _)| *id).collect();
        for id in of_flow {
            self.step(now, id, Trigger::CallerCancels);
        }
        self.layer.handle_flow_closed(now, flow);
        self.run_layer(now);
    }

    fn run_layer(&mut self, now: Instant) {
        while let Some(event) = self.layer.poll_event() {
            match event {
                LayerEvent::Response(client, response) => self.response(now, client, response),
                LayerEvent::ClientFailed(client, failure) => {
                    let Some((id, at)) = self.by_client.get(&client).copied() else { continue };
                    let trigger = match failure {
                        Failure::TimedOut => Trigger::Timeout(at),
                        Failure::FlowLost => Trigger::FlowLost(at),
                    };
                    self.step(now, id, trigger);
                }
                LayerEvent::ServerFailed(..) => {}
                LayerEvent::ClientOver(client) => self.leg_over(client),
            }
        }
    }
}
