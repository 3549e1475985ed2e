//! The user agent as one machine: flows, users, registrations, sessions, requests.
//!
//! One [`Endpoint`] serves one telephone or ten thousand. Its owner opens and closes connections and hands their
//! bytes in; whatever the endpoint wants sent or told is drained after every call:
//!
//! 1. `handle_input`, `handle_timeout` or a verb,
//! 2. `poll_transmit` until `None`, writing the appended bytes to their flow,
//! 3. `poll_event` until `None`,
//! 4. `poll_timeout` for the next wake-up.
//!
//! # A telephone that registers and calls
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use sip_lync::{Config, Endpoint, Event, FlowId, FlowRole, Input, Invite, Message, Seed, SipUri, Uri, User};
//!
//! let now = Instant::now();
//! let mut endpoint = Endpoint::new(Config::new("dect.example.net"), Seed([7; 32]));
//! let jim = endpoint.add_user(User::new(SipUri::parse("sip:jim@example.net")?, "01010101"));
//!
//! // The owner has opened a TLS connection to the front end.
//! let flow = FlowId(1);
//! let (local, remote) = ("192.0.2.10:40001".parse()?, "192.0.2.1:5061".parse()?);
//! endpoint.handle_input(now, Input::FlowOpened { flow, local, remote, role: FlowRole::Dialled })?;
//! endpoint.register(now, jim, flow, None)?;
//!
//! let mut buffer = BytesMut::new();
//! let transmit = endpoint.poll_transmit(&mut buffer).expect("the REGISTER");
//! assert!(buffer.starts_with(b"REGISTER sip:example.net SIP/2.0\r\n"));
//!
//! // What a front end would answer.
//! let Message::Request(register) = Message::parse(buffer.split_to(transmit.len).freeze())? else { panic!() };
//! let mut ok = register.response(sip_lync::StatusCode::OK);
//! ok.headers.push(sip_lync::HeaderName::Expires, 600);
//! let bytes = Message::from(ok).to_bytes();
//! endpoint.handle_input(now, Input::Bytes { flow, bytes: &bytes })?;
//! assert!(matches!(endpoint.poll_event(), Some(Event::Registered { .. })));
//!
//! let call = endpoint.invite(now, jim, Invite::new(Uri::parse("sip:alice@example.net")?, "v=0..."))?;
//! endpoint.poll_transmit(&mut buffer).expect("the INVITE");
//! assert!(buffer.starts_with(b"INVITE sip:alice@example.net SIP/2.0\r\n"));
//! // Event::Progress, Answered or Failed follow; then `reoffer` to hold, `transfer`, `hang_up`.
//! endpoint.hang_up(now, call);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod answers;
mod calls;
mod conference;
mod config;
mod credentials;
mod description;
mod details;
mod early;
mod event;
mod failure;
mod identity;
mod incoming;
mod link;
mod notification;
mod recovery;
mod refresh;
mod registration;
mod registration_response;
mod reliable;
mod requests;
mod retry;
mod sending;
mod session;
mod signing;
mod step;
mod subscription;
mod transfer;
mod verification;
mod vocabulary;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::BytesMut;

pub use config::{Config, KeepAliveOptions, Limits, Mode, TransferOptions, Transport};
pub use credentials::{Leg, Scheme};
pub use details::{CallDetails, RetargetReason, Sensitivity};
pub use event::{CallFailure, EndReason, Event, Party, SubscriptionEnd};
pub use failure::{RegistrationFailure, Retry};
pub use signing::SignatureSlot;
pub use subscription::Subscription;
pub use verification::{Verdict, VerificationId};
pub use vocabulary::{
    ConferenceId, FlowRole, ForkId, Input, Invite, OutgoingRequest, Rendering, RequestId, SessionId,
    SubscriptionId, Transmit, User, UserId,
};

use crate::deadlines::Deadlines;
use crate::error::Error;
use crate::flow::FlowId;
use crate::message::Response;
use crate::register;
use crate::seed::{Seed, Words};
use crate::status::StatusCode;
use crate::transaction::timers::T1;
use crate::transaction::{ClientId, Failure, LayerEvent, ServerId, TransactionLayer};

use account::Accounts;
use conference::Conferences;
use link::Flows;
use session::Sessions;
use subscription::Subscriptions;

/// A time that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Deadline {
    /// CRLF CRLF is due.
    KeepAlive(FlowId),
    /// A refresh or another attempt is due.
    Registration(UserId),
    /// Our 2xx is sent again.
    Repeat(SessionId),
    /// The ACK for our 2xx is given up.
    Ack(SessionId),
    /// The final response after our CANCEL is given up.
    Cancel(SessionId),
    /// Our INVITE rings no longer.
    Ring(SessionId),
    /// Our re-INVITE is sent again after 491.
    Backoff(SessionId),
    /// The BYE could not even be sent.
    Bye(SessionId),
    /// A session is to be refreshed, or has expired.
    Timer(SessionId),
    /// Our reliable provisional response is sent again.
    Reliable(SessionId),
    /// A dialog without a route is refreshed.
    Recovery(SessionId),
    /// The peer is silent about our REFER.
    Transferor(SessionId),
    /// The user is silent about the peer's REFER.
    Transferee(SessionId),
    /// The focus of a conference has not decided about us.
    Lobby(ConferenceId),
    /// The user is silent about an offer within an early dialog.
    Early(SessionId, ForkId),
    /// The user left a request unanswered.
    Request(RequestId),
    /// A subscription is to be refreshed or made anew, or its notification is given up.
    Subscription(SubscriptionId),
    /// An INVITE that outlived its session is given up.
    Orphan(ClientId),
}

/// What a request of ours was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Register(UserId),
    Invite(SessionId),
    Reinvite(SessionId),
    Bye(SessionId),
    Request(RequestId),
    /// An UPDATE that refreshes a session.
    Refresh(SessionId),
    Refer(SessionId),
    /// An UPDATE with an offer within an early dialog.
    EarlyUpdate(SessionId, ForkId),
    Subscribe(SubscriptionId),
    /// An INFO to the focus of a conference.
    Focus(ConferenceId),
    /// CANCEL, PRACK, the BYE of a fork: nobody waits for the response.
    Nothing,
}

/// How much an endpoint holds.
///
/// RFC 3261 6
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Load {
    /// Flows that stand.
    pub flows: usize,
    /// Users.
    pub users: usize,
    /// Sessions that are not over.
    pub sessions: usize,
    /// Subscriptions that are not over.
    pub subscriptions: usize,
    /// Transactions of our requests.
    pub client_transactions: usize,
    /// Transactions of the peers' requests.
    pub server_transactions: usize,
    /// Timers that run, those of transactions left out.
    pub timers: usize,
    /// Requests of peers that wait for the user.
    pub waiting: usize,
}

/// The user agent of many users over many flows.
///
/// RFC 3261 6, MS-SIPRE 3
#[derive(Debug)]
pub struct Endpoint {
    config: Config,
    words: Words,
    now: Option<Instant>,
    layer: TransactionLayer,
    flows: Flows,
    accounts: Accounts,
    sessions: Sessions,
    subscriptions: Subscriptions,
    conferences: Conferences,
    purposes: BTreeMap<ClientId, Purpose>,
    /// Answers of further dialogs to an INVITE that were ended.
    ended_forks: BTreeMap<ClientId, usize>,
    /// Requests of peers that wait for the user.
    waiting: BTreeMap<RequestId, ServerId>,
    waiting_by_server: BTreeMap<ServerId, RequestId>,
    next_request: u32,
    deadlines: Deadlines<Deadline>,
    /// Where the message that was polled last is to be signed.
    signature: Option<SignatureSlot>,
    /// The flows on which messages wait for a verdict.
    verifications: BTreeMap<VerificationId, FlowId>,
    next_verification: u32,
    events: VecDeque<Event>,
}

impl Endpoint {
    /// An endpoint without flows and users. `seed` is all the randomness it ever gets.
    ///
    /// RFC 3261 6
    #[must_use]
    pub fn new(config: Config, seed: Seed) -> Self {
        Self {
            words: Words::new(seed),
            now: None,
            layer: TransactionLayer::new(config.limits.transactions_per_flow),
            flows: Flows::new(),
            accounts: Accounts::default(),
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            conferences: Conferences::default(),
            purposes: BTreeMap::new(),
            ended_forks: BTreeMap::new(),
            waiting: BTreeMap::new(),
            waiting_by_server: BTreeMap::new(),
            next_request: 1,
            deadlines: Deadlines::new(),
            signature: None,
            verifications: BTreeMap::new(),
            next_verification: 0,
            events: VecDeque::new(),
            config,
        }
    }

    /// Takes what comes from below. An error concerns one flow, which is forgotten and reported as
    /// [`Event::FlowFailed`]: close it.
    ///
    /// RFC 3261 18
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Error> {
        self.begin(now);
        match input {
            Input::FlowOpened { flow, local, remote: _, role } => self.flow_opened(now, flow, local, role),
            Input::Bytes { flow, bytes } => self.flow_bytes(now, flow, bytes),
            Input::FlowClosed { flow } => {
                self.flow_closed(now, flow);
                Ok(())
            }
        }
    }

    /// Does what is due.
    ///
    /// RFC 3261 17
    pub fn handle_timeout(&mut self, now: Instant) {
        self.begin(now);
        self.layer.handle_timeout(now);
        self.run_layer(now);
        while let Some(deadline) = self.deadlines.pop(now) {
            match deadline {
                Deadline::KeepAlive(flow) => self.keep_alive_due(now, flow),
                Deadline::Registration(user) => self.registration_due(now, user),
                Deadline::Repeat(session) => self.repeat_answer(now, session),
                Deadline::Ack(session) => self.plain_step(now, session, crate::invite::Trigger::AckTimeout),
                Deadline::Cancel(session) => self.cancel_given_up(now, session),
                Deadline::Ring(session) => self.ring_limit_reached(now, session),
                Deadline::Backoff(session) => {
                    self.plain_step(now, session, crate::invite::Trigger::BackoffOver);
                }
                Deadline::Bye(session) => self.plain_step(now, session, crate::invite::Trigger::ByeFinal),
                Deadline::Reliable(session) => self.reliable_due(now, session),
                Deadline::Recovery(session) => self.recover(now, session),
                Deadline::Transferor(session) => self.transferor_due(now, session),
                Deadline::Transferee(session) => self.transferee_due(now, session),
                Deadline::Lobby(conference) => self.lobby_due(now, conference),
                Deadline::Early(session, fork) => self.early_due(now, session, fork),
                Deadline::Timer(session) => self.timer_due(now, session),
                Deadline::Subscription(subscription) => self.subscription_due(now, subscription),
                Deadline::Orphan(client) => self.layer.give_up(client),
                Deadline::Request(request) => {
                    let nothing = crate::headers::Headers::new();
                    self.respond(now, request, StatusCode::SERVER_INTERNAL_ERROR, &nothing, BytesMut::new());
                }
            }
            self.run_layer(now);
        }
    }

    /// Adds a user. Characters that are no token are left out of its epid.
    ///
    /// RFC 3261 6, MS-SIPRE 2.2
    pub fn add_user(&mut self, mut user: User) -> UserId {
        user.epid.retain(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        let (opaque, call_id, tag) = (self.words.opaque(), self.words.call_id(), self.words.tag());
        self.accounts.add(user, opaque, call_id, tag)
    }

    /// Ends the sessions of a user, withdraws its registration and forgets it.
    ///
    /// RFC 3261 10.2.2
    pub fn remove_user(&mut self, now: Instant, user: UserId) {
        self.begin(now);
        let Some(account) = self.accounts.get_mut(user) else { return };
        account.removed = true;
        let sessions = account.sessions.clone();
        self.subscriptions_of_user_lost(now, user);
        for session in sessions {
            self.plain_step(now, session, crate::invite::Trigger::HangUp);
        }
        let unregistered = self.registration(user) == register::State::Unregistered;
        if !unregistered {
            self.deregister(now, user);
        } else if self.accounts.get(user).is_some_and(|account| account.sessions.is_empty()) {
            self.forget_user(user);
        }
    }

    /// Leads the requests of a user over a flow without registering it: a gateway, or a proxy that knows us.
    ///
    /// RFC 3261 8.1.2
    pub fn route(&mut self, user: UserId, flow: FlowId) {
        if self.flows.contains_key(&flow) {
            self.accounts.set_flow(user, Some(flow));
        }
    }

    /// The next event.
    ///
    /// RFC 3261 6
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When `handle_timeout` is to be called.
    ///
    /// RFC 3261 17
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match (self.layer.poll_timeout(), self.deadlines.next()) {
            (Some(layer), Some(own)) => Some(layer.min(own)),
            (layer, own) => layer.or(own),
        }
    }

    /// How much the endpoint holds.
    ///
    /// RFC 3261 6
    #[must_use]
    pub fn state(&self) -> Load {
        let (client_transactions, server_transactions) = self.layer.open();
        Load {
            flows: self.flows.len(),
            users: self.accounts.len(),
            sessions: self.sessions.len(),
            subscriptions: self.subscriptions.len(),
            client_transactions,
            server_transactions,
            timers: self.deadlines.len(),
            waiting: self.waiting.len(),
        }
    }

    fn begin(&mut self, now: Instant) {
        self.now = Some(now);
    }

    fn plain_step(&mut self, now: Instant, session: SessionId, trigger: crate::invite::Trigger) {
        self.session_step(now, session, trigger, &step::Context::default());
    }

    fn forget_user(&mut self, user: UserId) {
        self.deadlines.stop(&Deadline::Registration(user));
        self.accounts.remove(user);
    }

    /// Hands what the transaction layer tells to whoever waits for it.
    fn run_layer(&mut self, now: Instant) {
        while let Some(event) = self.layer.poll_event() {
            match event {
                LayerEvent::Response(client, response) => self.on_response(now, client, &response),
                LayerEvent::ClientFailed(client, failure) => self.on_failure(now, client, failure),
                LayerEvent::ServerFailed(server, _) => {
                    if let Some(request) = self.waiting_by_server.remove(&server) {
                        self.waiting.remove(&request);
                        self.deadlines.stop(&Deadline::Request(request));
                    }
                }
                LayerEvent::ClientOver(client) => {
                    self.purposes.remove(&client);
                    self.ended_forks.remove(&client);
                    self.deadlines.stop(&Deadline::Orphan(client));
                }
            }
        }
    }

    fn on_response(&mut self, now: Instant, client: ClientId, response: &Response) {
        let Some(purpose) = self.purposes.get(&client).copied() else { return };
        match purpose {
            Purpose::Register(user) => self.on_register_response(now, user, response),
            Purpose::Invite(session) => self.on_invite_response(now, session, client, response),
            Purpose::Reinvite(session) => self.on_reinvite_response(now, session, response),
            Purpose::Bye(session) => self.on_bye_response(now, session, response),
            Purpose::Refresh(session) => self.on_refresh_response(now, session, response),
            Purpose::Refer(session) => self.on_refer_response(now, session, response),
            Purpose::EarlyUpdate(session, fork) => {
                self.on_early_update_response(now, session, fork, Some(response));
            }
            Purpose::Subscribe(id) => self.on_subscribe_response(now, id, response),
            Purpose::Focus(id) => self.on_focus_response(now, id, response),
            Purpose::Request(id) => {
                self.events.push_back(Event::Response { id, response: response.clone() });
            }
            Purpose::Nothing => {}
        }
    }

    fn on_failure(&mut self, now: Instant, client: ClientId, failure: Failure) {
        let Some(purpose) = self.purposes.get(&client).copied() else { return };
        match purpose {
            Purpose::Register(user) => {
                if let Some(account) = self.accounts.get_mut(user) {
                    account.registration.client = None;
                }
                let trigger = match failure {
                    Failure::TimedOut => register::Trigger::TimedOut,
                    Failure::FlowLost => register::Trigger::FlowLost,
                };
                self.registration_step(now, user, trigger, &registration::Told::default());
            }
            Purpose::Request(id) => {
                let flow_lost = failure == Failure::FlowLost;
                self.events.push_back(Event::RequestFailed { id, flow_lost });
            }
            Purpose::Refer(session) => self.on_refer_failure(now, session),
            Purpose::EarlyUpdate(session, fork) => self.on_early_update_response(now, session, fork, None),
            Purpose::Subscribe(id) => self.on_subscribe_failure(now, id, failure == Failure::FlowLost),
            Purpose::Refresh(session) => {
                self.on_refresh_failure(now, session, failure == Failure::FlowLost);
            }
            Purpose::Invite(_)
            | Purpose::Reinvite(_)
            | Purpose::Bye(_)
            | Purpose::Focus(_)
            | Purpose::Nothing => {
                self.on_session_failure(now, purpose, failure);
            }
        }
    }
}

/// How long a user may leave a request unanswered: its sender gives up then.
///
/// RFC 3261 17.1.2.2
const REQUEST_PATIENCE: Duration = T1.saturating_mul(64);
