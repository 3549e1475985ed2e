//! What goes in and what comes out.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use bytes::Bytes;

use super::config::Transport;
use crate::turn::AdmissionAnswer;

/// What came from the server.
///
/// RFC 8656 5, MS-TURN 2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The connection that was asked for stands.
    Opened,
    /// A datagram.
    Datagram {
        /// Who sent it.
        from: SocketAddr,
        /// All of it.
        octets: &'a [u8],
    },
    /// Octets of the connection.
    Bytes(&'a [u8]),
    /// The connection is gone, or could not be opened.
    Closed,
}

/// Octets for the server.
///
/// RFC 8656 5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transmit {
    /// The server; it changes when another one was named.
    pub destination: SocketAddr,
    /// How it is reached.
    pub transport: Transport,
    /// How many octets of the buffer.
    pub len: usize,
}

/// Why there is no allocation.
///
/// RFC 8656 7.4, MS-TURN 3.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The server refused with this code.
    Refused(u16),
    /// The server does not take our credentials; new ones may help.
    Credentials(u16),
    /// The server did not answer.
    TimedOut,
    /// The connection is gone.
    Closed,
    /// The servers sent us around in circles.
    Redirected,
    /// The server sent what none may send.
    Malformed,
}

/// What the owner is told.
///
/// RFC 8656 7, 9, 12, MS-TURN 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// Open a connection and answer with [`Input::Opened`] or [`Input::Closed`].
    Connect {
        /// Where to.
        server: SocketAddr,
        /// Which kind.
        transport: Transport,
    },
    /// Close the connection.
    Disconnect,
    /// The allocation stands.
    Allocated {
        /// Where peers reach us.
        relayed: SocketAddr,
        /// Where the server sees us.
        reflexive: Option<SocketAddr>,
        /// How long it was granted for; it is prolonged unasked.
        lifetime: Duration,
    },
    /// There is no allocation. Nothing follows.
    Failed(Failure),
    /// Packets of this peer pass now.
    Permitted {
        /// The peer.
        peer: IpAddr,
    },
    /// They do not.
    PermissionRefused {
        /// The peer.
        peer: IpAddr,
        /// The server's code; 0 when it did not answer.
        code: u16,
    },
    /// This peer has the short path now.
    Bound {
        /// The peer.
        peer: SocketAddr,
    },
    /// It has not; the long path works as before.
    BindRefused {
        /// The peer.
        peer: SocketAddr,
        /// The server's code; 0 when it did not answer.
        code: u16,
    },
    /// A peer's packet.
    Data {
        /// The peer.
        peer: SocketAddr,
        /// The packet.
        data: Bytes,
    },
    /// What the bandwidth policy answered.
    Admission(AdmissionAnswer),
    /// It did not answer: there is none, or the server refused.
    AdmissionRefused {
        /// The server's code; 0 when it said nothing about bandwidth.
        code: u16,
    },
    /// The allocation is gone. Nothing follows.
    Lost(Failure),
    /// The allocation was given back. Nothing follows.
    Released,
}
