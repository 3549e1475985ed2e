//! What the tasks around the sockets tell the owner of the node.

use std::net::SocketAddr;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::core::vocabulary::{FlowId, LinkId};

/// How many arrivals may wait for the owner; then the sockets wait.
pub const ARRIVALS: usize = 4096;

/// Something arrived.
#[derive(Debug)]
pub enum Arrival {
    /// A connection for SIP stands.
    FlowOpened {
        /// The flow.
        flow: FlowId,
        /// Index of the proxy when we dialled.
        proxy: Option<usize>,
        /// Our address on it.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
        /// Verified names in the peer's certificate.
        peer_names: Vec<String>,
        /// The way to it, when we accepted.
        outgoing: Option<Outgoing>,
    },
    /// Bytes of a SIP connection.
    FlowBytes {
        /// The flow.
        flow: FlowId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A SIP connection ended.
    FlowClosed {
        /// The flow.
        flow: FlowId,
        /// Why, in words.
        reason: String,
    },
    /// A connection that was asked for did not come about.
    DialFailed {
        /// The flow.
        flow: FlowId,
        /// Why, in words.
        reason: String,
    },
    /// A base station connected.
    LinkOpened {
        /// The link.
        link: LinkId,
        /// Its address.
        remote: SocketAddr,
        /// The way to it.
        outgoing: Outgoing,
    },
    /// Bytes of a base station.
    LinkBytes {
        /// The link.
        link: LinkId,
        /// The bytes.
        bytes: Bytes,
    },
    /// A base station's connection ended.
    LinkClosed {
        /// The link.
        link: LinkId,
        /// Why, in words.
        reason: String,
    },
    /// Somebody connected and was turned away before any byte of his counted.
    TurnedAway {
        /// At which door: `SIP` or `radio link`.
        door: &'static str,
        /// His address.
        remote: SocketAddr,
        /// Why, in words.
        reason: String,
    },
}

/// The way to a connection: what is given to it is sent in order; when it is dropped the connection closes after that.
#[derive(Clone, Debug)]
pub struct Outgoing(mpsc::Sender<Bytes>);

/// The end of [`Outgoing`] that the connection's task holds.
pub type OutgoingEnd = mpsc::Receiver<Bytes>;

impl Outgoing {
    /// A new way.
    pub fn new() -> (Self, OutgoingEnd) {
        let (sender, end) = mpsc::channel(1024);
        (Self(sender), end)
    }

    /// Sends bytes. False if the peer takes them so slowly that too many wait, or is gone.
    pub fn send(&self, bytes: Bytes) -> bool {
        self.0.try_send(bytes).is_ok()
    }
}
