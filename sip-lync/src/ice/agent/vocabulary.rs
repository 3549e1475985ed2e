//! What goes into an agent and what comes out of it.

use core::net::SocketAddr;

use crate::ice::candidate::Kind;
use crate::ice::role::Role;

/// What carries packets on a path.
///
/// RFC 8445 5.1.1, RFC 6544 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// Datagrams.
    Udp,
    /// A connection with a length in front of each packet. RFC 4571 2
    Tcp,
}

/// Where a packet comes from or goes to.
///
/// `local` is the base of a candidate: the address of a socket, of a listener, of a relayed address (its owner then
/// wraps packets for the relay), or address and port 9 of a candidate that opens connections.
///
/// RFC 8445 5.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path {
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// Datagrams or a connection.
    pub protocol: Protocol,
    /// The base at this end.
    pub local: SocketAddr,
    /// The address at the other end.
    pub remote: SocketAddr,
}

/// What comes from below.
///
/// RFC 8445 7
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A STUN message, without framing; other packets are told apart before, see [`crate::stun::demultiplex`].
    Packet {
        /// How it came.
        path: Path,
        /// The message.
        data: &'a [u8],
    },
    /// A connection stands: one that was asked for by [`Event::Open`], or one from the peer. RFC 6544 7
    Opened {
        /// Its path.
        path: Path,
    },
    /// A connection ended or could not be made. RFC 6544 7
    Closed {
        /// Its path.
        path: Path,
    },
}

/// A message to be sent.
///
/// RFC 8445 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Transmit {
    /// Its way.
    pub path: Path,
    /// How many octets of the buffer it has.
    pub len: usize,
}

/// The pair that media of a component uses.
///
/// RFC 8445 8.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selected {
    /// How packets travel.
    pub path: Path,
    /// The local candidate: how the peer sees this agent.
    pub local: SocketAddr,
    /// What kind of candidate that is.
    pub local_kind: Kind,
    /// The remote candidate's kind.
    pub remote_kind: Kind,
}

/// Why an agent gave up.
///
/// RFC 8445 8.3, RFC 7675 5.1, MS-TURNBWM 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No pair of some component works.
    #[error("no pair of candidates works")]
    NoPair,
    /// Admission control left no pair.
    #[error("the bandwidth policy leaves no path")]
    NotAdmitted,
    /// The peer does not answer any more.
    #[error("the peer's consent has run out")]
    ConsentLost,
}

/// What an agent tells its owner.
///
/// RFC 8445 5, 6, 8
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// The candidates are complete: the description can be written.
    Gathered,
    /// A connection is needed; the answer is [`Input::Opened`] or [`Input::Closed`].
    Open {
        /// From where to where.
        path: Path,
    },
    /// The pair of a component, the first time or a better one.
    Selected(Selected),
    /// Every component has its pair.
    Connected,
    /// The pairs that the last offer named work and are used: it can be answered. Comes after [`super::Begun::Settling`].
    Settled,
    /// The peer speaks no ICE: media of a component goes from the first own address to the one it gave.
    Plain {
        /// How packets travel.
        path: Path,
    },
    /// The roles were the same; this agent has the other one now.
    RoleChanged(Role),
    /// There is no way, or not any more.
    Failed(Failure),
}
