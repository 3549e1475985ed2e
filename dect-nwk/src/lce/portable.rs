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
    /// The owner wants the link to sleep.
    Suspend,
    /// DL_SUSPEND-ind or DL_SUSPEND-cfm.
    Suspended,
    /// DL_RESUME-ind or DL_RESUME-cfm.
    Resumed,
    /// LCE.04 ran out.
    SuspendTimeout,
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
    /// DL_SUSPEND-req.
    Suspend,
    /// DL_RESUME-req.
    Resume,
    /// Resume the link if messages came into the queue meanwhile, or somebody needs it.
    ResumeIfUsed,
    /// Start LCE.04.
    StartSuspend,
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
    pub const ALL: [Self; 12] = [
        Self::MessageWaiting,
        Self::Paged,
        Self::Confirmed,
        Self::Unused,
        Self::UnusedPartially,
        Self::ReleaseTimeout,
        Self::MaintainTimeout,
        Self::Suspend,
        Self::Suspended,
        Self::Resumed,
        Self::SuspendTimeout,
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
            S::EstablishPending | S::ReleasePending | S::SuspendPending | S::ResumePending => {
                (state, &[A::Queue])
            }
            S::Suspended => (S::ResumePending, &[A::Queue, A::Resume, A::StartSuspend]),
            S::Established => (state, &[A::StopMaintain, A::Send]),
        },
        T::Paged => match state {
            S::Released => (S::EstablishPending, &[A::EstablishResponse]),
            // The fixed part may have lost the link: if it does not resume, the next page finds none.
            S::Suspended => (S::ResumePending, &[A::Resume, A::StartSuspend]),
            // The fixed part finds the link that is being established, or pages again.
            S::EstablishPending
            | S::Established
            | S::ReleasePending
            | S::SuspendPending
            | S::ResumePending => (state, &[]),
        },
        T::Confirmed => match state {
            S::EstablishPending => (S::Established, &[A::StartMaintain, A::Flush]),
            S::Released
            | S::Established
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::Unused => match state {
            S::Established => (S::ReleasePending, &[A::StopTimers, A::ReleaseNormal, A::StartRelease]),
            S::EstablishPending => (S::Released, &[A::ReleaseAbnormal]),
            S::Released | S::ReleasePending | S::SuspendPending | S::Suspended | S::ResumePending => {
                (state, &[])
            }
        },
        T::UnusedPartially => match state {
            S::Established => (state, &[A::StartMaintain]),
            S::Released
            | S::EstablishPending
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::ReleaseTimeout => match state {
            S::ReleasePending => (S::Released, &[A::ReleaseAbnormal, A::Resubmit]),
            S::Released
            | S::EstablishPending
            | S::Established
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::MaintainTimeout => match state {
            S::Established => (S::Released, &[A::ReleaseAbnormal]),
            S::Released
            | S::EstablishPending
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::Suspend => match state {
            S::Established => (S::SuspendPending, &[A::StopTimers, A::Suspend, A::StartSuspend]),
            S::Released
            | S::EstablishPending
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::Suspended => match state {
            S::Established | S::SuspendPending => (S::Suspended, &[A::StopTimers, A::ResumeIfUsed]),
            S::Released | S::EstablishPending | S::ReleasePending | S::Suspended | S::ResumePending => {
                (state, &[])
            }
        },
        T::Resumed => match state {
            S::Suspended | S::ResumePending => (S::Established, &[A::StopTimers, A::StartMaintain, A::Flush]),
            S::Released | S::EstablishPending | S::Established | S::ReleasePending | S::SuspendPending => {
                (state, &[])
            }
        },
        T::SuspendTimeout => match state {
            S::SuspendPending | S::ResumePending => (S::Released, &[A::ReleaseAbnormal, A::IndicateLost]),
            S::Released | S::EstablishPending | S::Established | S::ReleasePending | S::Suspended => {
                (state, &[])
            }
        },
        T::LinkReleased => match state {
            S::EstablishPending | S::Established | S::SuspendPending | S::Suspended | S::ResumePending => {
                (S::Released, &[A::StopTimers, A::IndicateLost])
            }
            S::ReleasePending => (S::Released, &[A::StopTimers, A::Resubmit]),
            S::Released => (state, &[]),
        },
    }
}
