//! The transaction layer over reliable and unreliable transports: four pure machines and the layer that runs them.
//!
//! | Machine | Standard |
//! |---|---|
//! | [`client_invite`] | RFC 3261 17.1.1, RFC 6026 7.2 |
//! | [`client`] | RFC 3261 17.1.2 |
//! | [`server_invite`] | RFC 3261 17.2.1, RFC 6026 7.1 |
//! | [`server`] | RFC 3261 17.2.2 |

pub mod client;
pub mod client_invite;
pub mod key;
mod layer;
pub mod server;
pub mod server_invite;
pub mod timers;

pub use layer::{ClientId, Failure, LayerEvent, Received, ServerId, TransactionLayer};
pub(crate) use layer::{KEEP_ALIVE, Kept, peer_key};
