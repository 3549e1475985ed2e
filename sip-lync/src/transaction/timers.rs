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

/// Whether the transport below delivers everything once and in order.
///
/// RFC 3261 17
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reliability {
    /// TCP, TLS: nothing is sent twice.
    #[default]
    Reliable,
    /// UDP: the transaction repeats what may be lost.
    Unreliable,
}

/// A timer of the transaction layer.
///
/// RFC 3261 appendix A, RFC 6026 7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The INVITE is sent again.
    ///
    /// RFC 3261 17.1.1.2
    A,
    /// The INVITE was never answered.
    ///
    /// RFC 3261 17.1.1.2
    B,
    /// Repeated refusals of the INVITE are acknowledged for this long.
    ///
    /// RFC 3261 17.1.1.2
    D,
    /// The request is sent again.
    ///
    /// RFC 3261 17.1.2.2
    E,
    /// The request was never answered finally.
    ///
    /// RFC 3261 17.1.2.2
    F,
    /// The refusal of the INVITE is sent again.
    ///
    /// RFC 3261 17.2.1
    G,
    /// The ACK for a refusal never came.
    ///
    /// RFC 3261 17.2.1
    H,
    /// Repeated ACKs are absorbed for this long.
    ///
    /// RFC 3261 17.2.1
    I,
    /// Repeated requests are answered again for this long.
    ///
    /// RFC 3261 17.2.2
    J,
    /// Repeated responses are absorbed for this long.
    ///
    /// RFC 3261 17.1.2.2
    K,
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
    /// The first value of the timer; `None` when it does not run over this transport, nothing when it is over at once.
    ///
    /// RFC 3261 appendix A
    #[must_use]
    pub const fn duration(self, reliability: Reliability) -> Option<Duration> {
        match (self, reliability) {
            (Self::A | Self::E | Self::G, Reliability::Reliable) => None,
            (Self::D | Self::I | Self::J | Self::K, Reliability::Reliable) => Some(Duration::ZERO),
            (Self::A | Self::E | Self::G, Reliability::Unreliable) => Some(T1),
            (Self::I | Self::K, Reliability::Unreliable) => Some(T4),
            (Self::D | Self::J, Reliability::Unreliable)
            | (Self::B | Self::F | Self::H | Self::L | Self::M, _) => Some(T1.saturating_mul(64)),
            (Self::Trying, _) => Some(TRYING_AFTER),
        }
    }

    /// The value after this one: twice as much, for all but the INVITE up to T2.
    ///
    /// RFC 3261 17.1.1.2, RFC 3261 17.1.2.2, RFC 3261 17.2.1
    #[must_use]
    pub const fn doubled(self, interval: Duration) -> Duration {
        let twice = interval.saturating_mul(2);
        let limited = !matches!(self, Self::A) && twice.as_nanos() > T2.as_nanos();
        if limited { T2 } else { twice }
    }
}
