//! What a client is told beforehand.

use core::net::SocketAddr;
use core::time::Duration;

use crate::stun::{Dialect, Family};
use crate::turn::Credentials;

/// Which relay protocol is spoken.
///
/// RFC 8656, MS-TURN
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// The standard's.
    Rfc8656,
    /// That of an A/V Edge.
    MsTurn,
}

impl Service {
    /// How its messages are written.
    ///
    /// RFC 8656 5, MS-TURN 2.2
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Rfc8656 => Dialect::Rfc8489,
            Self::MsTurn => Dialect::MsTurn,
        }
    }
}

/// How the server is reached.
///
/// RFC 8656 3.1, MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection.
    Tcp,
    /// A connection under TLS, which the owner makes.
    Tls,
    /// A connection that begins like TLS and is not; port 443 of an A/V Edge.
    PseudoTls,
}

/// What a client is told beforehand.
///
/// RFC 8656 7, RFC 8489 6.2, MS-TURN 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The server.
    pub server: SocketAddr,
    /// What it speaks.
    pub service: Service,
    /// How it is reached.
    pub transport: Transport,
    /// Who we are.
    pub credentials: Credentials,
    /// How long an allocation is to last.
    pub lifetime: Duration,
    /// The family of the relayed address, if it is not the server's choice.
    pub family: Option<Family>,
    /// The edition we tell a server of MS-TURN. MS-TURN 2.2.2
    pub ms_version: u32,
    /// How long to wait for an answer over datagrams before sending again; doubled each time. RFC 8489 6.2.1
    pub retransmission: Duration,
    /// How often a request is sent over datagrams. RFC 8489 6.2.1
    pub transmissions: u32,
    /// How long to wait for an answer over a connection, and for the connection. RFC 8489 6.2.2
    pub patience: Duration,
    /// Most peers of an allocation.
    pub peers_max: usize,
    /// How often another server may be named before we give up. RFC 8489 10
    pub redirects_max: u32,
}

impl ClientConfig {
    /// The values of the standards.
    ///
    /// RFC 8656 7, RFC 8489 6.2
    pub const fn new(
        server: SocketAddr,
        service: Service,
        transport: Transport,
        credentials: Credentials,
    ) -> Self {
        Self {
            server,
            service,
            transport,
            credentials,
            lifetime: Duration::from_mins(10),
            family: None,
            ms_version: 2,
            retransmission: Duration::from_millis(500),
            transmissions: 7,
            patience: Duration::from_millis(39_500),
            peers_max: 256,
            redirects_max: 3,
        }
    }
}
