//! A simulated Lync front end: registrar, forking proxy and store of presence publications for many users.
//!
//! Sans-IO: connections are named by [`FlowId`], octets come in and go out, time comes as `now`. All state is lost with
//! the machine: a new one with another seed is a restarted front end, whose peers find their registrations gone and
//! their routes no longer valid (ErrorId 1004).

mod address;
mod admission;
mod authentication;
mod challenge;
mod conference;
mod config;
mod directory;
mod envelope;
mod event;
mod fault;
mod flow;
mod focus;
mod forward;
mod handshake;
mod home;
mod messages;
mod presence;
mod provisioning;
mod receive;
mod register;
mod registrar;
mod registration_notice;
mod relay_authentication;
mod respond;
mod route;
mod routing;
mod settings;
mod subscription;
mod transaction;
mod upstream;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use presence_pidf::category::EventCategories;
use presence_pidf::notifier::Notifier;
use sip_lync::{Message, SipUri};

pub use config::{Dialling, FrontEndConfig, FrontEndUser, Password, UsersFileError};
pub use event::{Event, FlowId};
pub use fault::{Fault, UnknownFault};
pub use focus::{AudioMember, AudioStatus};
pub use handshake::{HandshakeTurn, ShakenHands};
pub use provisioning::{CallEncryption, Provisioning};
pub use registration_notice::Deregistration;
pub use settings::{
    CallSettings, Homes, Hunting, NetworkLink, NetworkSite, RelayAuthentication, ResponseGroup, Role,
    ServerAddress, StandingConference, Trunk,
};

use crate::seed::{Random, Seed};
use admission::Admissions;
use authentication::Associations;
use conference::Conferences;
use directory::Directory;
use flow::Flow;
use registrar::{Binding, EndpointKey, Registrar};
use subscription::Subscriptions;
use transaction::Transactions;

/// What comes from the connections.
///
/// RFC 3261 18
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A connection is up: accepted, or one that [`Event::Dial`] asked for.
    FlowOpened {
        /// Its name; for a dialled one that of the event.
        flow: FlowId,
        /// Our address.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
        /// The names of the peer's verified certificate; empty without one.
        peer_names: Vec<String>,
    },
    /// Octets of a connection, cut anywhere.
    Bytes {
        /// The connection.
        flow: FlowId,
        /// The octets.
        bytes: &'a [u8],
    },
    /// A connection is gone, or one that was to be dialled did not come up.
    FlowClosed {
        /// The connection.
        flow: FlowId,
    },
}

/// Octets were appended to the caller's buffer, to be sent on a connection.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// The connection.
    pub flow: FlowId,
    /// How many octets were appended.
    pub len: usize,
}

/// A front end.
///
/// MS-SIPREGE 3.2, MS-SIPRE 3
#[derive(Clone, Debug)]
pub struct FrontEnd {
    config: FrontEndConfig,
    random: Random,
    flows: BTreeMap<FlowId, Flow>,
    registrar: Registrar,
    /// The presence of all users, from the first input on.
    notifier: Option<Notifier>,
    transactions: Transactions,
    associations: Associations,
    subscriptions: Subscriptions,
    conferences: Conferences,
    /// New and old voice messages of a user.
    voice_messages: BTreeMap<String, (u32, u32)>,
    directory: Directory,
    admissions: Admissions,
    /// Whose turn it is in groups that go round.
    turns: BTreeMap<usize, usize>,
    faults: Vec<Fault>,
    /// Whether the fault `stale-nonce` has challenged last.
    challenged: bool,
    /// When time began: the wall clock of the configuration belongs to it.
    origin: Option<Instant>,
    /// What time it was last.
    clock: Option<Instant>,
    /// No connection is given up before this.
    idle: Option<Instant>,
    outbox: VecDeque<(Option<Instant>, FlowId, Bytes)>,
    events: VecDeque<Event>,
    dialled: u32,
    /// Connections of our own, by host and port.
    targets: BTreeMap<(String, u16), FlowId>,
}

impl FrontEnd {
    /// A front end that knows its users and nothing else.
    ///
    /// MS-SIPREGE 3.2
    pub fn new(config: FrontEndConfig, seed: Seed) -> Self {
        Self {
            directory: Directory::new(&config.users),
            conferences: Conferences::new(&config.conferences),
            voice_messages: BTreeMap::new(),
            admissions: Admissions::default(),
            turns: BTreeMap::new(),
            faults: config.faults.clone(),
            challenged: false,
            clock: None,
            idle: None,
            config,
            random: Random::new(seed),
            flows: BTreeMap::new(),
            registrar: Registrar::default(),
            notifier: None,
            transactions: Transactions::default(),
            associations: Associations::default(),
            subscriptions: Subscriptions::default(),
            origin: None,
            outbox: VecDeque::new(),
            events: VecDeque::new(),
            dialled: 0,
            targets: BTreeMap::new(),
        }
    }

    /// Takes what a connection brought.
    ///
    /// RFC 3261 18.2, RFC 3261 18.3
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.origin.get_or_insert(now);
        self.clock = Some(now);
        match input {
            Input::FlowOpened { flow, local: _, remote, peer_names } => {
                self.flow_opened(now, flow, remote, peer_names);
            }
            Input::Bytes { flow, bytes } => self.bytes(now, flow, bytes),
            Input::FlowClosed { flow } => self.flow_closed(now, flow),
        }
    }

    /// Lets time pass: registrations expire, calls ring out, idle connections close.
    ///
    /// RFC 3261 16.8, MS-CONMGMT 3.1.2
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clock = Some(now);
        self.deregister_by_fault(now);
        for (key, binding) in self.registrar.expired(now) {
            self.deregistered(now, &key, &binding, "expired");
        }
        self.associations.expire(now);
        self.subscriptions_timeout(now);
        self.transactions_timeout(now);
        self.idle_timeout(now);
    }

    /// Begins or ends to misbehave.
    ///
    /// README.md, section "Faults"
    pub fn set_faults(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
    }

    /// What is to be sent: appended to `buffer`.
    ///
    /// RFC 3261 18.1
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        if self.outbox.front()?.0.is_some_and(|due| self.clock.is_none_or(|now| now < due)) {
            return None;
        }
        let (_, flow, octets) = self.outbox.pop_front()?;
        buffer.extend_from_slice(&octets);
        Some(Transmit { flow, len: octets.len() })
    }

    /// What happened, and what the shell has to do.
    ///
    /// MS-SIPREGE 3.2
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    ///
    /// RFC 3261 16.8
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deregistration = self
            .deregistration_fault()
            .and_then(|after| self.registrar.all().map(|(_, binding)| binding.since + after).min());
        let late = self.outbox.front().and_then(|(due, ..)| *due);
        [
            self.registrar.deadline(),
            self.transactions.deadline(),
            self.associations.deadline(),
            self.subscriptions.deadline(),
            self.notifier.as_ref().and_then(Notifier::poll_timeout),
            self.idle,
            deregistration,
            late,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// How many endpoints are registered.
    ///
    /// MS-SIPREGE 3.2
    pub fn registered(&self) -> usize {
        self.registrar.len()
    }

    /// Whether an endpoint of this user is registered.
    ///
    /// MS-SIPREGE 3.2
    pub fn is_registered(&self, user: &SipUri) -> bool {
        self.registrar.of_user(&address::user_key(user)).next().is_some()
    }

    /// What a watcher may see of a user: nothing before anybody has spoken to the front end.
    ///
    /// MS-PRES 3.3 (aggregation)
    pub fn seen(&self, watcher: &str, user: &str) -> Option<EventCategories<'static>> {
        self.notifier.as_ref().map(|notifier| notifier.seen(watcher, user))
    }

    fn report(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn deregistered(&mut self, now: Instant, key: &EndpointKey, binding: &Binding, reason: &'static str) {
        let last = self.registrar.of_user(&key.user).next().is_none();
        self.notifier(now).endpoint_gone(now, &key.user, &key.instance, last);
        self.tell(now);
        let event = Event::Deregistered { user: key.user.clone(), epid: binding.epid.clone(), reason };
        self.report(event);
    }

    /// Sends a message, signed where the peer has logged in, or lets it wait for a connection that is being dialled.
    fn send(&mut self, flow: FlowId, message: &Message) {
        if self.is_half_open(flow) {
            return;
        }
        let octets = match self.sign(flow, message) {
            Some(signed) => signed.to_bytes(),
            None => message.to_bytes(),
        };
        let Some(open) = self.flows.get_mut(&flow) else { return };
        if let Some(octets) = open.send(octets) {
            let late = self.faults.iter().find_map(|fault| match fault {
                Fault::Late(time) => self.clock.map(|now| now + *time),
                _ => None,
            });
            self.outbox.push_back((late, flow, octets));
        }
    }
}
