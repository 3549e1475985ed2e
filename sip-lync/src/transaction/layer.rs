//! The transaction layer of many flows: runs the four machines for all requests under way.

mod clients;
mod event;
mod kept;
mod outgoing;
mod running;
mod servers;
mod shares;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use super::key::{ClientKey, Parts, ServerKey, merge_key};
use super::timers::{Reliability, T1, TRYING_AFTER, Timer};
use super::{client, client_invite, server, server_invite};
use crate::deadlines::Queue;
use crate::error::{Error, Refusal};
use crate::flow::FlowId;
use crate::headers::HeaderName;
use crate::message::{Essentials, Request, Response};
use crate::method::Method;
use crate::slots::{Place, Slots};
use crate::status::StatusCode;

pub use event::{Failure, LayerEvent};

use clients::{ClientTrigger, of_same_transaction};
pub(crate) use kept::Kept;
pub(crate) use outgoing::{KEEP_ALIVE, Outgoing};
use running::Timers;
use servers::ServerTrigger;
use shares::Shares;
pub(crate) use shares::peer_key;

/// A request of ours under way.
///
/// RFC 3261 17.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(Place);

/// A request of a peer under way.
///
/// RFC 3261 17.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(Place);

/// What a request that came is to the transaction layer.
///
/// RFC 3261 17.2.3, RFC 3261 9.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Received {
    /// It opens a transaction.
    New(ServerId),
    /// It is an ACK that belongs to no refusal of ours: one for a 2xx.
    Acknowledgement,
    /// It is a CANCEL, a transaction by itself, for the INVITE if that is known.
    Cancel {
        /// The transaction of the CANCEL.
        cancel: ServerId,
        /// The transaction it wants to end.
        invite: Option<ServerId>,
    },
    /// It was sent again, or acknowledges a refusal: nothing to do.
    Absorbed,
    /// It came before by another way, and that one is still under way: to be answered 482.
    Merged(ServerId),
    /// There are too many transactions on this flow, or too many of this peer; it was answered 503.
    Overload,
    /// It has no usable Via or CSeq and cannot be answered.
    Unanswerable,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ClientMachine {
    Invite(client_invite::State),
    Other(client::State),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Client {
    key: ClientKey,
    machine: ClientMachine,
    /// The INVITE, for CANCEL and ACK; over an unreliable transport every request, with its body, to be sent again.
    request: Option<Box<Request>>,
    reliability: Reliability,
    /// The last value of timer A or E.
    interval: Duration,
    timers: Timers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ServerMachine {
    Invite(server_invite::State),
    Other(server::State),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Server {
    key: ServerKey,
    machine: ServerMachine,
    /// For 100 and for what is answered later; gone with the final response.
    kept: Kept,
    last: Option<Box<Response>>,
    reliability: Reliability,
    /// The last value of timer G.
    interval: Duration,
    merge: Option<[u64; 2]>,
    timers: Timers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Client(ClientId, Timer),
    Server(ServerId, Timer),
}

/// The transactions of many flows.
///
/// RFC 3261 17
#[derive(Clone, Debug)]
pub struct TransactionLayer {
    limit: usize,
    clients: Slots<Client>,
    client_keys: BTreeMap<ClientKey, ClientId>,
    servers: Slots<Server>,
    server_keys: BTreeMap<ServerKey, ServerId>,
    /// Requests outside of dialogs that are under way.
    merges: BTreeMap<[u64; 2], ServerId>,
    loads: BTreeMap<FlowId, Load>,
    /// Of flows that are more than half full.
    shares: BTreeMap<FlowId, Shares>,
    deadlines: Queue<Owner>,
    /// How many timers run.
    running: usize,
    transmits: VecDeque<(FlowId, Outgoing)>,
    events: VecDeque<LayerEvent>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Load {
    clients: usize,
    servers: usize,
    reliability: Reliability,
}

impl TransactionLayer {
    /// A layer that holds at most `limit` transactions each way on a flow; when half of those of the peers are under way,
    /// each of them may have a sixteenth.
    ///
    /// RFC 3261 17
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            clients: Slots::new(),
            client_keys: BTreeMap::new(),
            servers: Slots::new(),
            server_keys: BTreeMap::new(),
            merges: BTreeMap::new(),
            loads: BTreeMap::new(),
            shares: BTreeMap::new(),
            deadlines: Queue::new(),
            running: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Says what a flow is made of; one that nothing is said of is reliable.
    ///
    /// RFC 3261 17
    pub fn flow_opened(&mut self, flow: FlowId, reliability: Reliability) {
        self.loads.entry(flow).or_default().reliability = reliability;
    }

    /// A request came.
    ///
    /// RFC 3261 17.2.3
    pub fn handle_request(&mut self, now: Instant, flow: FlowId, request: &Request) -> Received {
        let essentials = Essentials::read(&request.headers);
        self.handle_read_request(now, flow, request, &essentials, || {
            Kept::Request(Box::new(request.without_body()))
        })
    }

    /// The same when its header fields were read before, and its user says what is to be kept of it.
    pub(crate) fn handle_read_request(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: &Request,
        essentials: &Essentials<'_>,
        keep: impl FnOnce() -> Kept,
    ) -> Received {
        let key_of = |method: &Method| ServerKey::read(flow, method, &request.headers, essentials);
        let Some(key) = key_of(&request.method) else { return Received::Unanswerable };
        if let Some(id) = self.server_keys.get(&key).copied() {
            return self.repeated(now, id, request);
        }
        if request.method == Method::Ack {
            return Received::Acknowledgement;
        }
        let invite = (request.method == Method::Cancel)
            .then(|| self.server_keys.get(&key_of(&Method::Invite)?).copied())
            .flatten();
        let Load { servers, reliability, .. } = *self.loads.entry(flow).or_default();
        let crowded = servers >= (self.limit / 2).max(1);
        if servers >= self.limit || (crowded && self.has_its_share(flow, request, invite)) {
            let mut response = request.response(StatusCode::SERVICE_UNAVAILABLE);
            response.headers.push(HeaderName::RetryAfter, 10);
            self.send(flow, response);
            return Received::Overload;
        }
        self.loads.entry(flow).or_default().servers += 1;
        if crowded {
            self.share_taken(flow, request);
        }
        let merge = merge_key(request, essentials);
        let merged = merge.is_some_and(|merge| self.merges.contains_key(&merge));
        let merge = merge.filter(|_| !merged);
        let machine = if request.method == Method::Invite {
            ServerMachine::Invite(server_invite::State::Incoming)
        } else {
            ServerMachine::Other(server::State::Trying)
        };
        let id = ServerId(self.servers.insert(Server {
            key,
            machine,
            kept: keep(),
            last: None,
            reliability,
            interval: T1,
            merge,
            timers: Timers::default(),
        }));
        self.server_keys.insert(key, id);
        if let Some(merge) = merge {
            self.merges.insert(merge, id);
        }
        if request.method == Method::Invite {
            self.start_timer(Owner::Server(id, Timer::Trying), now + TRYING_AFTER);
        }
        if request.method == Method::Cancel {
            return Received::Cancel { cancel: id, invite };
        }
        if merged {
            return Received::Merged(id);
        }
        Received::New(id)
    }

    /// A response came. One that belongs to no request of ours is dropped.
    ///
    /// RFC 3261 17.1.3, RFC 3261 18.1.2
    pub fn handle_response(&mut self, now: Instant, flow: FlowId, response: Response) {
        if let Some(client) = self.client_of(flow, &Essentials::read(&response.headers)) {
            self.handle_response_to(now, client, response);
        }
    }

    /// The transaction a response belongs to.
    pub(crate) fn client_of(&self, flow: FlowId, essentials: &Essentials<'_>) -> Option<ClientId> {
        let method = &essentials.cseq.as_ref()?.method;
        self.client_keys.get(&(flow, essentials.branch()?, method) as &dyn Parts).copied()
    }

    /// A response to a request of ours came.
    pub(crate) fn handle_response_to(&mut self, now: Instant, client: ClientId, response: Response) {
        self.client_step(now, client, ClientTrigger::Response(response));
    }

    /// The connection broke: every transaction on it ends.
    ///
    /// RFC 3261 17.1.4, RFC 3261 17.2.4
    pub fn handle_flow_closed(&mut self, now: Instant, flow: FlowId) {
        let first_client = ClientKey { flow, branch: "".into(), method: Method::Invite };
        let clients: Vec<ClientId> = self
            .client_keys
            .range(first_client..)
            .take_while(|(key, _)| key.flow == flow)
            .map(|(_, id)| *id)
            .collect();
        for id in clients {
            self.client_step(now, id, ClientTrigger::FlowLost);
        }
        let servers: Vec<ServerId> = self.servers_of(flow).collect();
        for id in servers {
            self.server_step(now, id, ServerTrigger::FlowLost, None);
        }
        self.loads.remove(&flow);
        self.shares.remove(&flow);
        self.transmits.retain(|(of, _)| *of != flow);
    }

    /// Fires the timers that are due.
    ///
    /// RFC 3261 17
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(owner) = self.due(now) {
            match owner {
                Owner::Client(id, timer) => self.client_step(now, id, ClientTrigger::Timer(timer)),
                Owner::Server(id, timer) => self.server_step(now, id, ServerTrigger::Timer(timer), None),
            }
        }
    }

    /// Sends a request in a new transaction. Its top Via has a branch of its own, or for CANCEL that of its INVITE.
    ///
    /// RFC 3261 17.1
    pub fn request(&mut self, now: Instant, flow: FlowId, request: &Request) -> Result<ClientId, Error> {
        self.request_owned(now, flow, request.clone())
    }

    /// The same with a request that nobody else needs.
    pub(crate) fn request_owned(
        &mut self,
        now: Instant,
        flow: FlowId,
        request: Request,
    ) -> Result<ClientId, Error> {
        let key = ClientKey::new(flow, &request.headers).ok_or(Error::Refused(Refusal::NoBranch))?;
        self.request_keyed(now, key, request)
    }

    /// The same when it is known by what its responses are found.
    pub(crate) fn request_keyed(
        &mut self,
        now: Instant,
        key: ClientKey,
        request: Request,
    ) -> Result<ClientId, Error> {
        let flow = key.flow;
        if self.client_keys.contains_key(&key) {
            return Err(Error::Refused(Refusal::BranchInUse));
        }
        let load = self.loads.entry(flow).or_default();
        if load.clients >= self.limit {
            return Err(Error::Refused(Refusal::TooManyTransactions));
        }
        load.clients += 1;
        let reliability = load.reliability;
        let invite = request.method == Method::Invite;
        let (machine, again, limit) = if invite {
            (ClientMachine::Invite(client_invite::State::Calling), Timer::A, Timer::B)
        } else {
            (ClientMachine::Other(client::State::Trying), Timer::E, Timer::F)
        };
        let kept = match reliability {
            Reliability::Unreliable => Some(Box::new(request.clone())),
            Reliability::Reliable if invite => Some(Box::new(request.without_body())),
            Reliability::Reliable => None,
        };
        let timers = Timers::default();
        let client = Client { key: key.clone(), machine, request: kept, reliability, interval: T1, timers };
        let id = ClientId(self.clients.insert(client));
        self.client_keys.insert(key, id);
        for timer in [again, limit] {
            if let Some(duration) = timer.duration(reliability) {
                self.start_timer(Owner::Client(id, timer), now + duration);
            }
        }
        self.send(flow, request);
        Ok(id)
    }

    /// Sends CANCEL for an INVITE under way.
    ///
    /// RFC 3261 9.1
    pub fn cancel(
        &mut self,
        now: Instant,
        invite: ClientId,
        reason: Option<&str>,
    ) -> Result<ClientId, Error> {
        let unknown = Error::Refused(Refusal::UnknownTransaction);
        let client = self.clients.get(invite.0).ok_or_else(|| unknown.clone())?;
        let request =
            client.request.as_deref().filter(|request| request.method == Method::Invite).ok_or(unknown)?;
        let mut cancel = of_same_transaction(request, &Method::Cancel);
        if let Some(reason) = reason {
            cancel.headers.push(HeaderName::Reason, reason);
        }
        let flow = client.key.flow;
        self.request(now, flow, &cancel)
    }

    /// Sends a response.
    ///
    /// RFC 3261 17.2
    pub fn respond(&mut self, now: Instant, server: ServerId, response: &Response) {
        self.respond_owned(now, server, response.clone());
    }

    /// The same with a response that nobody else needs.
    pub(crate) fn respond_owned(&mut self, now: Instant, server: ServerId, response: Response) {
        self.server_step(now, server, ServerTrigger::Respond(response.status), Some(response));
    }

    /// Forgets an INVITE whose CANCEL led to no final response.
    ///
    /// RFC 3261 9.1
    pub fn give_up(&mut self, client: ClientId) {
        self.forget_client(client);
    }

    /// The INVITE of a client transaction and its flow.
    ///
    /// RFC 3261 13.2.2.4
    #[must_use]
    pub fn client_invite(&self, client: ClientId) -> Option<(FlowId, &Request)> {
        let client = self.clients.get(client.0)?;
        Some((client.key.flow, client.request.as_deref().filter(|request| request.method == Method::Invite)?))
    }

    /// The request of a server transaction, without its body, until its final response is sent.
    ///
    /// RFC 3261 17.2
    #[must_use]
    pub fn server_request(&self, server: ServerId) -> Option<&Request> {
        self.servers.get(server.0)?.kept.request()
    }

    /// The flow a request of a peer came on.
    ///
    /// RFC 3261 18.2.2
    #[must_use]
    pub fn server_flow(&self, server: ServerId) -> Option<FlowId> {
        self.servers.get(server.0).map(|server| server.key.flow())
    }

    /// The next event.
    ///
    /// RFC 3261 17
    pub fn poll_event(&mut self) -> Option<LayerEvent> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called.
    ///
    /// RFC 3261 17
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// How many transactions are under way, of ours and of the peers.
    ///
    /// RFC 3261 17
    #[must_use]
    pub fn open(&self) -> (usize, usize) {
        (self.clients.len(), self.servers.len())
    }

    /// Starts a timer and tells whether it is over at once.
    fn start(&mut self, now: Instant, owner: Owner, duration: Option<Duration>) -> bool {
        match duration {
            Some(Duration::ZERO) => return true,
            Some(duration) => self.start_timer(owner, now + duration),
            None => {}
        }
        false
    }

    fn repeated(&mut self, now: Instant, id: ServerId, request: &Request) -> Received {
        let Some(server) = self.servers.get(id.0) else { return Received::Absorbed };
        let trigger = match (request.method == Method::Ack, server.machine) {
            // An ACK of the same branch as its 2xx, as RFC 2543 wrote it, is the dialog's.
            (true, ServerMachine::Invite(server_invite::State::Accepted)) => {
                return Received::Acknowledgement;
            }
            (true, _) => ServerTrigger::Ack,
            (false, _) => ServerTrigger::Request,
        };
        self.server_step(now, id, trigger, None);
        Received::Absorbed
    }
}
