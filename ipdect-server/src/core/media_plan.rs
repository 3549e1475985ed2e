//! Session descriptions: what we offer and answer, and what we read of the peer's.

use std::net::{IpAddr, SocketAddr};

use srtp_sdes::Profile;

use crate::media::plan::{Channel, Flowing, G711};

/// What matters of the peer's session description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteMedia {
    pub(crate) rtp: SocketAddr,
    pub(crate) rtcp: SocketAddr,
    pub(crate) payload_type: u8,
    pub(crate) codec: G711,
    pub(crate) telephone_event: Option<u8>,
    /// Which ways speech flows as we see it.
    pub(crate) flowing: Flowing,
}
