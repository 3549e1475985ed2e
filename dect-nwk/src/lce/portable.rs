//! Link control of the portable part.

use super::State;

/// What can happen to the link at the portable part.
///
/// EN 300 175-5 14.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A higher entity has a message for the fixed part.
    MessageWaiting,
    /// LCE-REQUEST-PAGE for this portable part came in.
    Paged,
    /// DL_ESTABLISH-cfm.
    Confirmed,
    /// The last user left with a normal release.
    Unused,
    /// The last user left with a partial release, or LCE-PAGE-REJECT came in.
    UnusedPartially,
    /// LCE.01 ran out.
    ReleaseTimeout,
    /// LCE.02 ran out.
    MaintainTimeout,
    /// DL_RELEASE-ind or DL_RELEASE-cfm.
    LinkReleased,
}

/// What link control of the portable part has to do after a step, in this order.
///
/// EN 300 175-5 14.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Send the message.
    Send,
    /// Put the message into the queue.
    Queue,
    /// Send what is in the queue.
    Flush,
    /// Establish a link if messages came into the queue meanwhile.
    Resubmit,
    /// DL_ESTABLISH-req with the message.
    Establish,
    /// DL_ESTABLISH-req with LCE-PAGE-RESPONSE.
    EstablishResponse,
    /// Start LCE.01.
    StartRelease,
    /// Start LCE.02.
    StartMaintain,
    /// Stop LCE.02.
    StopMaintain,
    /// Stop all timers of the link.
    StopTimers,
    /// DL_RELEASE-req(normal).
    ReleaseNormal,
    /// DL_RELEASE-req(abnormal).
    ReleaseAbnormal,
    /// Throw the queue away and tell the other entities that the link is gone.
    IndicateLost,
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 14.2
    pub const ALL: [Self; 8] = [
        Self::MessageWaiting,
        Self::Paged,
        Self::Confirmed,
        Self::Unused,
        Self::UnusedPartially,
        Self::ReleaseTimeout,
        Self::MaintainTimeout,
        Self::LinkReleased,
    ];
}

/// One step of link control at the portable part.
///
/// EN 300 175-5 14.2
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    use Action as A;
    use State as S;
    use Trigger as T;
    match trigger {
        T::MessageWaiting => match state {
            S::Released => (S::EstablishPending, &[A::Establish]),
            S::EstablishPending | S::ReleasePending => (state, &[A::Queue]),
            S::Established => (state, &[A::StopMaintain, A::Send]),
        },
        T::Paged => match state {
            S::Released => (S::EstablishPending, &[A::EstablishResponse]),
            // The fixed part finds the link that is being established, or pages again.
            S::EstablishPending | S::Established | S::ReleasePending => (state, &[]),
        },
        T::Confirmed => match state {
            S::EstablishPending => (S::Established, &[A::StartMaintain, A::Flush]),
            S::Released | S::Established | S::ReleasePending => (state, &[]),
        },
        T::Unused => match state {
            S::Established => (S::ReleasePending, &[A::StopTimers, A::ReleaseNormal, A::StartRelease]),
            S::EstablishPending => (S::Released, &[A::ReleaseAbnormal]),
            S::Released | S::ReleasePending => (state, &[]),
        },
        T::UnusedPartially => match state {
            S::Established => (state, &[A::StartMaintain]),
            S::Released | S::EstablishPending | S::ReleasePending => (state, &[]),
        },
        T::ReleaseTimeout => match state {
            S::ReleasePending => (S::Released, &[A::ReleaseAbnormal, A::Resubmit]),
            S::Released | S::EstablishPending | S::Established => (state, &[]),
        },
        T::MaintainTimeout => match state {
            S::Established => (S::Released, &[A::ReleaseAbnormal]),
            S::Released | S::EstablishPending | S::ReleasePending => (state, &[]),
        },
        T::LinkReleased => match state {
            S::EstablishPending | S::Established => (S::Released, &[A::StopTimers, A::IndicateLost]),
            S::ReleasePending => (S::Released, &[A::StopTimers, A::Resubmit]),
            S::Released => (state, &[]),
        },
    }
}
