//! What a relay is told beforehand, what goes in and what comes out.

use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use core::time::Duration;

/// What a relay is told beforehand.
///
/// MS-TURN 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Config {
    /// Its own address as clients see it: named in each challenge.
    pub address: SocketAddr,
    /// Where relayed addresses are.
    pub relay: IpAddr,
    /// Their ports.
    pub ports: RangeInclusive<u16>,
    /// The realm, written in quotes.
    pub realm: String,
    /// Most time an allocation is granted at once.
    pub lifetime_max: Duration,
    /// How long a nonce is good.
    pub nonce_lifetime: Duration,
    /// Most allocations.
    pub allocations_max: usize,
    /// Most allocations of one user.
    pub allocations_per_user: usize,
    /// Most peers of one allocation.
    pub peers_max: usize,
    /// Most connections of clients.
    pub connections_max: usize,
    /// How long a connection may stand without an allocation.
    pub patience: Duration,
    /// Kilobits a second the link to other sites has, if bandwidth is managed. MS-TURNBWM 3.3
    pub bandwidth: Option<u32>,
    /// Whether calls that find no bandwidth go over the telephone network. MS-TURNBWM 2.2
    pub pstn_failover: bool,
}

impl Config {
    /// The values seen at A/V Edges.
    ///
    /// MS-TURN 3.3 (as seen)
    pub fn new(address: SocketAddr, relay: IpAddr) -> Self {
        Self {
            address,
            relay,
            ports: 50_000..=59_999,
            realm: "rtcmedia".to_owned(),
            lifetime_max: Duration::from_mins(10),
            nonce_lifetime: Duration::from_hours(1),
            allocations_max: 4096,
            allocations_per_user: 64,
            peers_max: 64,
            connections_max: 4096,
            patience: Duration::from_secs(30),
            bandwidth: None,
            pstn_failover: false,
        }
    }
}

/// A client's connection, numbered by the owner.
///
/// MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionNumber(pub u32);

/// What came from clients and peers.
///
/// MS-TURN 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A datagram of a client.
    Datagram {
        /// Who sent it.
        from: SocketAddr,
        /// All of it.
        octets: &'a [u8],
    },
    /// A client has opened a connection.
    Connected {
        /// Its number.
        connection: ConnectionNumber,
        /// Who opened it.
        from: SocketAddr,
    },
    /// Octets of a connection.
    Bytes {
        /// Its number.
        connection: ConnectionNumber,
        /// The octets.
        octets: &'a [u8],
    },
    /// A connection is gone.
    Disconnected {
        /// Its number.
        connection: ConnectionNumber,
    },
    /// The relayed address that was asked for stands.
    RelayOpened {
        /// The relayed address.
        relay: SocketAddr,
    },
    /// It could not be opened.
    RelayFailed {
        /// The relayed address.
        relay: SocketAddr,
    },
    /// A datagram of a peer at a relayed address.
    Relayed {
        /// The relayed address.
        relay: SocketAddr,
        /// The peer.
        peer: SocketAddr,
        /// All of it.
        octets: &'a [u8],
    },
}

/// Where octets go.
///
/// MS-TURN 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Path {
    /// To a client, as a datagram from the server's address.
    Datagram(SocketAddr),
    /// To a client, on its connection.
    Connection(ConnectionNumber),
    /// To a peer, as a datagram from a relayed address.
    Relay {
        /// The relayed address.
        relay: SocketAddr,
        /// The peer.
        peer: SocketAddr,
    },
}

/// Octets for somebody.
///
/// MS-TURN 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transmit {
    /// For whom.
    pub path: Path,
    /// How many octets of the buffer.
    pub len: usize,
}

/// What the owner is told.
///
/// MS-TURN 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Open a datagram socket there, and answer.
    OpenRelay {
        /// The relayed address.
        relay: SocketAddr,
    },
    /// Close it.
    CloseRelay {
        /// The relayed address.
        relay: SocketAddr,
    },
    /// Close a connection.
    Disconnect {
        /// Its number.
        connection: ConnectionNumber,
    },
    /// A client has an allocation.
    Allocated {
        /// How it is reached.
        client: Path,
        /// The relayed address.
        relay: SocketAddr,
    },
    /// A client has chosen its one peer.
    Activated {
        /// The relayed address.
        relay: SocketAddr,
        /// The peer.
        peer: SocketAddr,
    },
    /// An allocation is over.
    Freed {
        /// The relayed address.
        relay: SocketAddr,
    },
}
