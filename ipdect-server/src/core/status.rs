//! What the node shows of itself: the web page, the API and the demo read this.

use serde::Serialize;

/// A snapshot of the whole node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Host name of the node, as its certificate says.
    pub node: String,
    /// Time since start.
    pub uptime_ms: u64,
    /// The configured proxies, in the order of the configuration.
    pub proxies: Vec<ProxyStatus>,
    /// Base stations, connected now or earlier.
    pub base_stations: Vec<BaseStationStatus>,
    /// The configured users with their handsets.
    pub handsets: Vec<HandsetStatus>,
    /// Calls that exist now.
    pub calls: Vec<CallStatus>,
    /// Voice channels.
    pub channels: ChannelStatus,
    /// On-air subscription: `listed`, `window` (with the time left) or `open`.
    pub subscription: String,
}

/// One proxy: a front end pool or a survivable branch appliance.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProxyStatus {
    /// `sip:host:port` as configured.
    pub uri: String,
    /// `idle`, `connecting`, `connected` or `failed`.
    pub state: String,
    /// Why it failed, or with whom we are connected.
    pub detail: String,
}

/// One base station.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BaseStationStatus {
    /// Its name from the hello.
    pub name: String,
    /// Radio fixed part number.
    pub rpn: u8,
    /// Its software version.
    pub software: String,
    /// `connected`, `refused` or `lost`.
    pub state: String,
    /// Refusal or loss in words.
    pub detail: String,
    /// Voice channels it has.
    pub channels: u8,
    /// Voice channels that are free.
    pub free: u8,
}

/// One handset and the user it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HandsetStatus {
    /// IPEI as configured.
    pub ipei: String,
    /// SIP user part.
    pub username: String,
    /// Name shown to others.
    pub display_name: String,
    /// Whether the handset has subscribed on air.
    pub subscribed: bool,
    /// Whether its location is known.
    pub located: bool,
    /// Whether it is registered at a front end.
    pub registered: bool,
    /// Its GRUU, once the registrar gave one.
    pub gruu: Option<String>,
    /// `disabled`, `not subscribed`, `out of range`, `registering`, `registered`, `in a call` or `failed`.
    pub state: String,
    /// Last failure in words.
    pub detail: String,
    /// Presence phase: `Available`, `Inactive`, `Away`, `InCall`, `InConference` or `Removed`.
    pub presence: String,
    /// The same of all handsets of the user together.
    pub user_presence: String,
    /// Name of the base station that heard it last.
    pub base: Option<String>,
    /// Time since it was heard last.
    pub last_seen_ms: Option<u64>,
}

/// One call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CallStatus {
    /// Number of the call on this node.
    pub id: u32,
    /// SIP user part of the handset.
    pub handset: String,
    /// The other party.
    pub peer: String,
    /// `handset-to-lync` or `lync-to-handset`.
    pub direction: String,
    /// `dialling`, `ringing`, `connected`, `held` or `releasing`.
    pub state: String,
    /// Time in this state.
    pub since_ms: u64,
    /// Codec towards Lync: `PCMA` or `PCMU`; empty before it is agreed.
    pub codec: String,
    /// Suite towards Lync, if encrypted.
    pub srtp: Option<String>,
    /// Dialect of ICE and the address it found, once it has.
    pub way: Option<String>,
}

/// Voice channels of the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ChannelStatus {
    /// All channels.
    pub total: usize,
    /// Channels in use.
    pub in_use: usize,
}
