//! What the transaction layer tells its user.

use super::{ClientId, ServerId};
use crate::message::Response;

/// Why a transaction ended without its last message.
///
/// RFC 3261 17.1.4, RFC 3261 17.2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// The time is over.
    TimedOut,
    /// The connection broke.
    FlowLost,
}

/// What the transaction layer tells its user.
///
/// RFC 3261 17
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerEvent {
    /// A response to a request of ours.
    Response(ClientId, Response),
    /// A request of ours has no final response.
    ClientFailed(ClientId, Failure),
    /// A refusal of ours was not acknowledged, or a request of a peer can no longer be answered.
    ServerFailed(ServerId, Failure),
    /// A request of ours is over; no event of it follows.
    ClientOver(ClientId),
}
