//! What an endpoint is told once: its names, its mode, its options and its limits.

use std::time::Duration;

use crate::transaction::timers::Reliability;

/// How the endpoint stands towards the server.
///
/// MS-SIPAE 1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A trusted server: mutual TLS stands for all users, nothing is challenged or signed.
    TrustedServer,
    /// A client: each user proves itself.
    Client,
}

/// The transport of all flows.
///
/// RFC 3261 18
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TLS over TCP.
    Tls,
    /// TCP without protection, for laboratories.
    Tcp,
    /// UDP, for peers that know nothing else: a flow is a pair of addresses, what comes is one message.
    Udp,
}

impl Transport {
    /// The word of the Via header field.
    ///
    /// RFC 3261 20.42
    #[must_use]
    pub const fn via(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        }
    }

    /// The value of the `transport` parameter of a URI.
    ///
    /// RFC 3261 19.1.1
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl Transport {
    /// Whether transactions have to repeat what may be lost.
    ///
    /// RFC 3261 17
    #[must_use]
    pub const fn reliability(self) -> Reliability {
        match self {
            Self::Tls | Self::Tcp => Reliability::Reliable,
            Self::Udp => Reliability::Unreliable,
        }
    }
}

/// Who asks for the keep-alive and what holds before it is agreed.
///
/// MS-CONMGMT 2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct KeepAliveOptions {
    /// Ask for hop-by-hop keep-alive with the first request of a flow we dialled.
    pub negotiate: bool,
    /// The interval of CRLF CRLF before the server named a time-out; `None` sends nothing before. The default of
    /// 60 s is what a widespread client does.
    pub before_agreement: Option<Duration>,
}

impl Default for KeepAliveOptions {
    fn default() -> Self {
        Self { negotiate: true, before_agreement: Some(Duration::from_mins(1)) }
    }
}

/// What the endpoint holds at most; beyond it the newest is refused.
///
/// RFC 3261 26.3.2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// Transactions under way on one flow, each way. Many callers may share the flow: when half of this is under way, each
    /// of them may have a sixteenth, and is answered 503 beyond that.
    pub transactions_per_flow: usize,
    /// Sessions of all users.
    pub sessions: usize,
    /// Sessions of one user; one caller may have half of them.
    pub sessions_per_user: usize,
    /// Early dialogs of one INVITE, and answers of further dialogs that are ended with BYE.
    pub forks: usize,
    /// Reliable provisional responses to one INVITE that are acknowledged.
    pub reliable_responses: u16,
    /// Subscriptions of one user.
    pub subscriptions_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            transactions_per_flow: 50_000,
            sessions: 50_000,
            sessions_per_user: 16,
            forks: 16,
            reliable_responses: 64,
            subscriptions_per_user: 32,
        }
    }
}

/// How patient transfers are, and whose are taken. All values are observed with real servers and telephones; no standard
/// names them.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TransferOptions {
    /// How long a response to our REFER may take. Servers were seen that never send one and let the person wait for 30 s.
    pub response: Duration,
    /// How long the last notification about the new call may take after the response; the call goes on until then.
    pub notification: Duration,
    /// How long our user may take for the call a peer asks for. The REFER itself is answered at once.
    pub decision: Duration,
    /// Refuse a REFER within a session with 403 whose Request-URI is not ours, in place of carrying it out for another.
    pub only_to_us: bool,
}

impl Default for TransferOptions {
    fn default() -> Self {
        Self {
            response: Duration::from_secs(10),
            notification: Duration::from_mins(3),
            decision: Duration::from_secs(10),
            only_to_us: true,
        }
    }
}

/// What an endpoint is told once.
///
/// RFC 3261 8, MS-SIPRE 3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Config {
    /// The host name of our certificate: Contact and Via in [`Mode::TrustedServer`].
    pub node_name: String,
    /// The port on which we accept flows, named in Contact and Via in [`Mode::TrustedServer`].
    pub listen_port: u16,
    /// The transport of all flows.
    pub transport: Transport,
    /// How the endpoint stands towards the server.
    pub mode: Mode,
    /// The value of User-Agent.
    pub user_agent: String,
    /// Ask for a GRUU and use it as Contact.
    pub gruu: bool,
    /// Ask for a GRUU with the tag of RFC 5627, too: for registrars that are none of Lync's.
    pub public_gruu: bool,
    /// Write `sips:` instead of `sip:` in our own addresses.
    pub use_sips_uri: bool,
    /// Write `proxy=replace` into the Contact of REGISTER; `None` does so in [`Mode::Client`] only. That a trusted
    /// server leaves it out is inferred.
    pub proxy_replace: Option<bool>,
    /// Ask for enhanced presence with the option tag `msrtc-event-categories`; needs `gruu`.
    pub event_categories: bool,
    /// Announce 100rel and acknowledge reliable provisional responses.
    pub reliable_provisional: bool,
    /// Announce `ms-early-media`.
    pub early_media: bool,
    /// The session interval our INVITE asks for; `None` leaves that to the peer. What the peer asks for is agreed to
    /// always.
    pub session_expires: Option<Duration>,
    /// The value of `ms-subnet`, the network address of our subnet.
    pub subnet: Option<String>,
    /// The owner has credentials: it answers [`Event::Challenged`](super::Event::Challenged), signs and verifies.
    /// Without them a challenge fails the registration.
    pub credentials: bool,
    /// Hand REGISTER, SUBSCRIBE and PUBLISH out as [`Event::Request`](super::Event::Request): for registrars and notifiers.
    /// Without it they are refused.
    pub server: bool,
    /// The keep-alive of the flows.
    pub keep_alive: KeepAliveOptions,
    /// How long before the expiry a registration is refreshed at the latest.
    pub refresh_before: Duration,
    /// The part of the expiry, in percent, over which refreshes of many users are spread.
    pub refresh_spread: u8,
    /// How many users register anew on one flow in a second: what comes at once after a start or a failure is
    /// stretched, so that the server does not throttle us. Refreshes are spread anyway.
    pub registrations_per_second: u32,
    /// How many users may register anew at once before that counts.
    pub registration_burst: u32,
    /// The first pause after a REGISTER that failed for now; it doubles up to `retry_highest`.
    pub retry_lowest: Duration,
    /// The longest pause after a REGISTER that failed for now.
    pub retry_highest: Duration,
    /// How long it may ring before our INVITE is cancelled and the peer's answered 480.
    pub ring_limit: Duration,
    /// How patient transfers are, and whose are taken.
    pub transfer: TransferOptions,
    /// Hand out calls without sound, too: message sessions, shared screens. Without it they are refused with 488, which
    /// leaves them to the other endpoints of the user.
    pub all_media: bool,
    /// What the endpoint holds at most.
    pub limits: Limits,
}

impl Config {
    /// The configuration of a trusted server with this host name, all options as Lync wants them.
    ///
    /// MS-SIPRE 3
    #[must_use]
    pub fn new(node_name: impl Into<String>) -> Self {
        Self {
            node_name: node_name.into(),
            listen_port: 5061,
            transport: Transport::Tls,
            mode: Mode::TrustedServer,
            user_agent: concat!("UCCAPI/4.0 sip-lync/", env!("CARGO_PKG_VERSION")).to_owned(),
            gruu: true,
            public_gruu: false,
            use_sips_uri: false,
            proxy_replace: None,
            event_categories: true,
            reliable_provisional: true,
            early_media: true,
            session_expires: None,
            subnet: None,
            credentials: false,
            server: false,
            keep_alive: KeepAliveOptions::default(),
            refresh_before: Duration::from_secs(30),
            refresh_spread: 20,
            registrations_per_second: 100,
            registration_burst: 20,
            retry_lowest: Duration::from_mins(1),
            retry_highest: Duration::from_mins(10),
            ring_limit: Duration::from_mins(3),
            transfer: TransferOptions::default(),
            all_media: false,
            limits: Limits::default(),
        }
    }

    /// The configuration of a client.
    ///
    /// MS-SIPAE 1.3
    #[must_use]
    pub fn client(node_name: impl Into<String>) -> Self {
        Self { mode: Mode::Client, ..Self::new(node_name) }
    }

    pub(super) const fn scheme(&self) -> &'static str {
        if self.use_sips_uri { "sips" } else { "sip" }
    }

    pub(super) fn proxy_replace(&self) -> bool {
        self.proxy_replace.unwrap_or(matches!(self.mode, Mode::Client))
    }
}
