//! A simulated Lync user: an endpoint in client mode with one call at a time, SDP, SDES and hold.
//!
//! Sans-IO: octets of one connection to the front end; what the media sockets have to do comes as [`MediaPlan`].

mod call;
mod config;
mod description;
mod event;
mod ice;
mod transfer;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::BytesMut;
use sip_lync::{Endpoint, FlowId, FlowRole, RegistrationFailure, Retry, SessionId, StatusCode, Uri, UserId};

pub use config::UserConfig;
pub use event::{CallNumber, Event, MediaPlan, Side};

use crate::login::NtlmLogin;
use crate::seed::{Random, Seed};
use call::{Asked, Call};

/// What comes from the connection to the front end.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The connection is up; the user registers.
    FlowOpened {
        /// Our address.
        local: SocketAddr,
        /// The front end's address.
        remote: SocketAddr,
    },
    /// Octets, cut anywhere.
    Bytes(&'a [u8]),
    /// The connection is gone.
    FlowClosed,
    /// A STUN message came to a media socket.
    Check {
        /// The socket of RTP (1) or RTCP (2).
        component: u16,
        /// Where from.
        from: SocketAddr,
        /// The message.
        data: &'a [u8],
    },
}

/// A STUN message was appended to the caller's buffer, to be sent from a media socket.
///
/// RFC 8445 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// From the socket of RTP (1) or RTCP (2).
    pub component: u16,
    /// Where to.
    pub to: SocketAddr,
    /// How many octets were appended.
    pub len: usize,
}

/// Octets were appended to the caller's buffer, to be sent to the front end.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Transmit {
    /// How many octets were appended.
    pub len: usize,
}

/// Why a command was not carried out.
///
/// RFC 3261 13
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is a call already; the simulated user has one at a time.
    #[error("there is a call already")]
    Busy,
    /// There is no call.
    #[error("there is no call")]
    NoCall,
    /// The call does not stand where this can be done.
    #[error("the call is not in a state for this: {0}")]
    WrongState(&'static str),
    /// The target is no URI and no number.
    #[error("`{0}` is neither a SIP URI nor a number")]
    Target(String),
    /// The SIP endpoint refused.
    #[error("{0}")]
    Sip(#[from] sip_lync::Error),
}

/// A Lync user.
///
/// MS-SIPREGE 3.1, RFC 3261 13
#[derive(Debug)]
pub struct LyncUser {
    config: UserConfig,
    endpoint: Endpoint,
    user: UserId,
    login: Option<NtlmLogin>,
    random: Random,
    registered: bool,
    deregistering: bool,
    flow: Option<FlowId>,
    flows: u32,
    /// When to register again after a failure.
    retry: Option<Instant>,
    call: Option<Call>,
    /// A call whose peer sent us to another one.
    left: Option<SessionId>,
    calls: u32,
    events: VecDeque<Event>,
    media: VecDeque<MediaPlan>,
}

impl LyncUser {
    /// A user without a connection.
    ///
    /// MS-SIPREGE 3.1
    pub fn new(config: UserConfig, seed: Seed) -> Self {
        let mut random = Random::new(seed);
        let mut endpoint = match config.service {
            Some(_) => sip_lync::Config::new(config.uri.host()),
            None => sip_lync::Config::client(config.uri.host()),
        };
        endpoint.transport = if config.tls { sip_lync::Transport::Tls } else { sip_lync::Transport::Tcp };
        concat!("UCCAPI/15.0 ipdect-sim/", env!("CARGO_PKG_VERSION")).clone_into(&mut endpoint.user_agent);
        endpoint.credentials = config.account.is_some();
        let mut endpoint = Endpoint::new(endpoint, sip_lync::Seed(random.octets()));
        let mut user = sip_lync::User::new(config.uri.clone(), config.epid.clone());
        user.display_name.clone_from(&config.display_name);
        user.service.clone_from(&config.service);
        let user = endpoint.add_user(user);
        let login = config.account.clone().map(|account| NtlmLogin::new(account, random.seed()));
        Self {
            config,
            endpoint,
            user,
            login,
            random,
            registered: false,
            deregistering: false,
            flow: None,
            flows: 0,
            retry: None,
            call: None,
            left: None,
            calls: 0,
            events: VecDeque::new(),
            media: VecDeque::new(),
        }
    }

    /// Takes what the connection brought.
    ///
    /// RFC 3261 18.2, RFC 3261 18.3
    pub fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        match input {
            Input::FlowOpened { local, remote } => {
                self.flows += 1;
                let flow = FlowId(self.flows);
                self.flow = Some(flow);
                let opened = sip_lync::Input::FlowOpened { flow, local, remote, role: FlowRole::Dialled };
                let _ = self.endpoint.handle_input(now, opened);
                if self.config.service.is_some() {
                    self.endpoint.route(self.user, flow);
                } else {
                    self.register(now);
                }
            }
            Input::Bytes(bytes) => {
                if let Some(flow) = self.flow {
                    // A breach is also the event FlowFailed.
                    let _ = self.endpoint.handle_input(now, sip_lync::Input::Bytes { flow, bytes });
                }
            }
            Input::FlowClosed => {
                if let Some(flow) = self.flow.take() {
                    let _ = self.endpoint.handle_input(now, sip_lync::Input::FlowClosed { flow });
                }
                self.registered = false;
            }
            Input::Check { component, from, data } => self.check(now, component, from, data),
        }
        self.happened(now);
    }

    /// Lets time pass.
    ///
    /// RFC 3261 17.1
    pub fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        if self.retry.is_some_and(|retry| retry <= now) {
            self.retry = None;
            self.register(now);
        }
        self.ice_timeout(now);
        self.happened(now);
    }

    /// Ends the registration.
    ///
    /// MS-SIPREGE 3.1.4
    pub fn deregister(&mut self, now: Instant) {
        self.deregistering = true;
        self.retry = None;
        self.endpoint.deregister(now, self.user);
        self.happened(now);
    }

    /// Calls a SIP URI, a `tel:` URI, a number or the name of a user of the own domain.
    ///
    /// RFC 3261 13.2
    pub fn call(&mut self, now: Instant, target: &str) -> Result<CallNumber, Error> {
        if self.call.is_some() {
            return Err(Error::Busy);
        }
        let target = self.target(target)?;
        let call = self.begin_call(now, target, Asked::default())?;
        self.happened(now);
        Ok(call)
    }

    /// Answers the call that rings.
    ///
    /// RFC 3261 13.3
    pub fn answer(&mut self, now: Instant) -> Result<(), Error> {
        let result = self.answer_call(now);
        self.happened(now);
        result
    }

    /// Refuses the call that rings with this status.
    ///
    /// RFC 3261 13.3.1.3
    pub fn reject(&mut self, now: Instant, status: StatusCode) -> Result<(), Error> {
        let call = self.call.as_ref().ok_or(Error::NoCall)?;
        if !call.is_ringing_here() {
            return Err(Error::WrongState("it does not ring here"));
        }
        let session = call.session;
        self.endpoint.reject(now, session, status);
        self.happened(now);
        Ok(())
    }

    /// Ends the call, whatever its state.
    ///
    /// RFC 3261 15
    pub fn hang_up(&mut self, now: Instant) {
        if let Some(call) = &self.call {
            let session = call.session;
            self.endpoint.hang_up(now, session);
        }
        self.happened(now);
    }

    /// Holds the call: `a=inactive`, as Lync does.
    ///
    /// MS-SDPEXT 3.1.5.23
    pub fn hold(&mut self, now: Instant) -> Result<(), Error> {
        let result = self.change(now, true);
        self.happened(now);
        result
    }

    /// Retrieves the held call.
    ///
    /// MS-SDPEXT 3.1.5.23
    pub fn retrieve(&mut self, now: Instant) -> Result<(), Error> {
        let result = self.change(now, false);
        self.happened(now);
        result
    }

    /// Whether the front end knows the user.
    ///
    /// MS-SIPREGE 3.1
    pub fn is_registered(&self) -> bool {
        self.registered
    }

    /// Whether a registration was ended as asked.
    ///
    /// MS-SIPREGE 3.1.4
    pub fn is_deregistered(&self) -> bool {
        self.deregistering && !self.registered
    }

    /// Whether there is a call in any state.
    ///
    /// RFC 3261 12
    pub fn has_call(&self) -> bool {
        self.call.is_some()
    }

    /// What is to be sent: appended to `buffer`.
    ///
    /// RFC 3261 18.1
    pub fn poll_transmit(&mut self, buffer: &mut BytesMut) -> Option<Transmit> {
        let start = buffer.len();
        let transmit = self.endpoint.poll_transmit(buffer)?;
        if let (Some(slot), Some(login)) = (self.endpoint.poll_signature(), &self.login) {
            login.sign(&slot, buffer.get_mut(start..).unwrap_or_default());
        }
        Some(Transmit { len: transmit.len })
    }

    /// What is to be sent from a media socket: appended to `buffer`.
    ///
    /// RFC 8445 7.2
    pub fn poll_check(&mut self, buffer: &mut BytesMut) -> Option<Check> {
        self.next_check(buffer)
    }

    /// What happened.
    ///
    /// RFC 3261 13
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// What the media sockets have to do.
    ///
    /// RFC 3264 6
    pub fn poll_media(&mut self) -> Option<MediaPlan> {
        self.media.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    ///
    /// RFC 3261 17.1
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.endpoint.poll_timeout(), self.retry, self.ice_due()].into_iter().flatten().min()
    }

    fn register(&mut self, now: Instant) {
        let Some(flow) = self.flow else { return };
        if let Err(error) = self.endpoint.register(now, self.user, flow, self.config.expires) {
            self.events.push_back(Event::RegistrationFailed { status: None, reason: error.to_string() });
        }
    }

    /// Carries the endpoint's events on.
    fn happened(&mut self, now: Instant) {
        loop {
            while let Some(event) = self.endpoint.poll_event() {
                self.endpoint_event(now, event);
            }
            if !self.follow_ice(now) {
                break;
            }
        }
    }

    fn endpoint_event(&mut self, now: Instant, event: sip_lync::Event) {
        match event {
            sip_lync::Event::Registered { gruu, expires, refreshed, .. } => {
                self.registered = true;
                let gruu = gruu.map(|gruu| gruu.to_string());
                self.events.push_back(Event::Registered { gruu, expires: expires.as_secs(), refreshed });
            }
            sip_lync::Event::RegistrationFailed { failure, status, retry, .. } => {
                self.registration_failed(now, failure, status, retry);
            }
            sip_lync::Event::Deregistered { .. } => {
                self.registered = false;
                self.events.push_back(Event::Deregistered);
            }
            sip_lync::Event::FlowFailed { error, .. } => {
                self.events.push_back(Event::Close { reason: error.to_string() });
            }
            sip_lync::Event::Challenged { user, challenges } => {
                let Some(login) = &mut self.login else { return };
                match login.challenged(now, &challenges) {
                    Ok(leg) => self.endpoint.authenticate(now, user, leg),
                    Err(reason) => {
                        self.endpoint.refuse_challenge(now, user);
                        self.events.push_back(Event::RegistrationFailed { status: None, reason });
                    }
                }
            }
            sip_lync::Event::SignatureReceived { id, text, signature, .. } => {
                let verdict = match &mut self.login {
                    Some(login) => login.judge(&text, &signature),
                    None => sip_lync::Verdict::Forged,
                };
                self.endpoint.verified(now, id, verdict);
            }
            sip_lync::Event::Request { id, .. } => {
                let headers = sip_lync::Headers::new();
                self.endpoint.respond(now, id, StatusCode::NOT_IMPLEMENTED, &headers, bytes::Bytes::new());
            }
            event => self.call_event(now, event),
        }
    }

    fn registration_failed(
        &mut self,
        now: Instant,
        failure: RegistrationFailure,
        status: Option<StatusCode>,
        retry: Retry,
    ) {
        self.registered = false;
        self.retry = match retry {
            Retry::After(pause) if !self.deregistering => Some(now + pause),
            Retry::After(_) | Retry::Never => None,
        };
        let status = status.map(StatusCode::code);
        self.events.push_back(Event::RegistrationFailed { status, reason: failure.text().to_owned() });
    }

    fn target(&self, target: &str) -> Result<Uri, Error> {
        let target = target.trim();
        let wrong = || Error::Target(target.to_owned());
        if target.contains(':') {
            return Uri::parse(target).map_err(|_| wrong());
        }
        let domain = self.config.uri.host();
        let number = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#');
        let text = match target.strip_prefix('+') {
            Some(digits) if !digits.is_empty() && digits.chars().all(number) => {
                format!("sip:+{digits}@{domain};user=phone")
            }
            None if !target.is_empty() && target.chars().all(number) => {
                let number = target.replace('#', "%23");
                format!("sip:{number};phone-context=user-default@{domain};user=phone")
            }
            _ if target.contains('@') => format!("sip:{target}"),
            _ => format!("sip:{target}@{domain}"),
        };
        Uri::parse(&text).map_err(|_| wrong())
    }
}
