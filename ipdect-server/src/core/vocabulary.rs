//! Everything that crosses the edge of the core, in one file.

use std::net::SocketAddr;
use std::time::SystemTime;

use crate::media::plan::{MediaCommand, MediaEvent};

/// One connection that carries SIP; numbered by the core when it dials, by the shell (from 2^31 on) when it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);

impl FlowId {
    /// First number of flows that the shell accepted.
    pub const FIRST_ACCEPTED: u32 = 1 << 31;
}

/// One connection of a base station, numbered by the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// What the shell tells the core.
#[derive(Debug)]
pub enum Input<'a> {
    /// A connection for SIP stands.
    FlowOpened {
        /// The flow.
        flow: FlowId,
        /// Index of the proxy in the configuration when we dialled; none when we accepted.
        proxy: Option<usize>,
        /// Our address on it.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
        /// Verified names in the peer's certificate; empty without TLS.
        peer_names: Vec<String>,
    },
    /// Bytes arrived.
    FlowBytes {
        /// The flow.
        flow: FlowId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A connection ended.
    FlowClosed {
        /// The flow.
        flow: FlowId,
        /// Why, in words.
        reason: String,
    },
    /// A connection that `Effect::Dial` asked for did not come about.
    DialFailed {
        /// The flow.
        flow: FlowId,
        /// One clear line.
        reason: String,
    },
    /// A base station connected.
    LinkOpened {
        /// The link.
        link: LinkId,
        /// Its address.
        remote: SocketAddr,
    },
    /// Bytes of a base station.
    LinkBytes {
        /// The link.
        link: LinkId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A base station's connection ended.
    LinkClosed {
        /// The link.
        link: LinkId,
    },
    /// A report of the media workers.
    Media(MediaEvent),
    /// A command of the administrator.
    Command(Command),
    /// End calls and registrations; `Effect::Stopped` follows.
    Shutdown,
}

/// A command of the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Allow handsets to subscribe for a while, also unlisted ones if the configuration says `window`.
    OpenSubscription {
        /// For how long.
        seconds: u32,
    },
    /// Stop that.
    CloseSubscription,
    /// Take a handset's access rights away.
    RemoveSubscription {
        /// Its IPEI as configured.
        ipei: String,
    },
    /// End a call.
    EndCall {
        /// Its number in the status.
        id: u32,
    },
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody must act.
    Error,
    /// Somebody should look.
    Warning,
    /// A normal event worth keeping.
    Notice,
    /// For the curious.
    Debug,
}

/// What the core asks of the shell.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Open a connection to a proxy.
    Dial {
        /// Number it.
        flow: FlowId,
        /// Index of the proxy in the configuration.
        proxy: usize,
    },
    /// Send the `len` octets that were appended to the buffer.
    FlowBytes {
        /// The flow.
        flow: FlowId,
        /// How many.
        len: usize,
    },
    /// Close a connection after what was sent.
    CloseFlow {
        /// The flow.
        flow: FlowId,
    },
    /// Send the `len` octets that were appended to the buffer.
    LinkBytes {
        /// The base station's link.
        link: LinkId,
        /// How many.
        len: usize,
    },
    /// Close a base station's connection after what was sent.
    CloseLink {
        /// The link.
        link: LinkId,
    },
    /// Keep something over a restart.
    Store(StoreWrite),
    /// Command the media workers.
    Media(MediaCommand),
    /// Write a log line.
    Log {
        /// How loud.
        level: Level,
        /// The line.
        text: String,
    },
    /// One arrow of the message ladder.
    Trace(LadderStep),
    /// Shutdown is complete.
    Stopped,
}

/// Something to keep over a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreWrite {
    /// A handset subscribed, or its key changed.
    Subscription(Subscription),
    /// A handset's access rights ended.
    Unsubscribed {
        /// IPEI, digits and a blank as configured.
        ipei: String,
    },
    /// A handset is there.
    Location {
        /// IPEI as configured.
        ipei: String,
        /// Assigned TPUI, if it has one.
        tpui: Option<u32>,
    },
    /// A handset was switched off: nobody knows where it is.
    Detached {
        /// IPEI as configured.
        ipei: String,
    },
    /// A call ended.
    Call(CallRecord),
    /// The last call of a user ended at this time; presence goes on from there after a restart.
    PresenceEnd {
        /// IPEI as configured.
        ipei: String,
        /// Wall time; none: nothing goes on.
        at: Option<SystemTime>,
    },
}

/// A handset's subscription.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// IPEI as configured.
    pub ipei: String,
    /// IPUI given at subscription, in octets of the air interface.
    pub ipui: Vec<u8>,
    /// User authentication key.
    pub uak: [u8; 16],
    /// Whether the handset speaks DSAA2.
    pub dsaa2: bool,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("ipei", &self.ipei).finish_non_exhaustive()
    }
}

/// A call that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRecord {
    /// IPEI of the handset.
    pub ipei: String,
    /// `handset-to-lync` or `lync-to-handset`.
    pub direction: &'static str,
    /// URI of the other party, whole.
    pub peer: String,
    /// Its name, if known.
    pub peer_name: String,
    /// When it began.
    pub started: SystemTime,
    /// When it was answered.
    pub answered: Option<SystemTime>,
    /// When it ended.
    pub ended: SystemTime,
    /// `answered`, `missed`, `elsewhere`, `refused`, `cancelled` or `failed`.
    pub outcome: &'static str,
    /// Status or reason in words.
    pub cause: String,
    /// Suite of the media towards Lync.
    pub srtp: Option<String>,
}

/// What the store held at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// IPEI and assigned TPUI of handsets that were located.
    pub locations: Vec<(String, Option<u32>)>,
    /// IPEI and the end of the last call.
    pub presence_ends: Vec<(String, SystemTime)>,
}

/// A lane of the message ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// A handset, behind its base station.
    Handset,
    /// A base station.
    Base,
    /// This server.
    Server,
    /// The front end.
    Lync,
}

/// One arrow of the message ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LadderStep {
    /// Time since the node started.
    pub at_ms: u64,
    /// From where.
    pub from: Lane,
    /// To where.
    pub to: Lane,
    /// Which handset, if it is about one.
    pub handset: Option<String>,
    /// The message's name, such as `INVITE` or `CC-SETUP`.
    pub label: String,
    /// What matters in it.
    pub detail: String,
}
