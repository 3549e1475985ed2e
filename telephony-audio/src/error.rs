//! What can be wrong with octets from the network.

/// Why octets could not be read or written.
///
/// RFC 3550 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The packet ends inside a field.
    #[error("the packet ends at octet {at}, inside its header")]
    Truncated {
        /// Length of the packet.
        at: usize,
    },
    /// The version is not 2.
    #[error("the packet is not of RTP version 2")]
    Version,
    /// The padding is longer than the payload.
    #[error("the padding is longer than the payload")]
    Padding,
}
