//! The timers of the transaction layer with their values.

use std::time::Duration;

/// The round-trip time estimate from which all timers are derived.
///
/// RFC 3261 17.1.1.1
pub const T1: Duration = Duration::from_millis(500);

/// The longest interval between retransmissions.
///
/// RFC 3261 17.1.2.2
pub const T2: Duration = Duration::from_secs(4);

/// The longest time a message stays in the network.
///
/// RFC 3261 17.1.2.2
pub const T4: Duration = Duration::from_secs(5);

/// How long a server INVITE transaction waits for its user before it answers 100 by itself.
///
/// RFC 3261 17.2.1
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// A timer that runs over a reliable transport.
///
/// The timers A, E and G retransmit and are never started there; D, I, J and K are zero there and
/// collapse into the step that would start them.
///
/// RFC 3261 appendix A, RFC 6026 7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The INVITE was never answered.
    ///
    /// RFC 3261 17.1.1.2
    B,
    /// The request was never answered finally.
    ///
    /// RFC 3261 17.1.2.2
    F,
    /// The ACK for a refusal never came.
    ///
    /// RFC 3261 17.2.1
    H,
    /// Retransmitted INVITEs are absorbed for this long after a 2xx was sent.
    ///
    /// RFC 6026 7.1
    L,
    /// Further 2xx are passed up for this long after the first one.
    ///
    /// RFC 6026 7.2
    M,
    /// 100 Trying is due.
    ///
    /// RFC 3261 17.2.1
    Trying,
}

impl Timer {
    /// The value of the timer.
    ///
    /// RFC 3261 appendix A
    #[must_use]
    pub const fn duration(self) -> Duration {
        match self {
            Self::B | Self::F | Self::H | Self::L | Self::M => T1.saturating_mul(64),
            Self::Trying => TRYING_AFTER,
        }
    }
}
