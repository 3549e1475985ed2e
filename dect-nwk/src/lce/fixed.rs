//! Link control of the fixed part for one portable part.

use super::State;

/// What can happen to the link of one portable part at the fixed part.
///
/// EN 300 175-5 14.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A higher entity has a message for the portable part.
    MessageWaiting,
    /// The portable part answered the page.
    PageResponse,
    /// The portable part established a link on its own account.
    Establishment,
    /// LCE.03 ran out and the page may be repeated.
    PageTimeout,
    /// LCE.03 ran out after the last repetition.
    PagesExhausted,
    /// The last message in the queue was withdrawn.
    QueueEmptied,
    /// The last user left with a normal release.
    Unused,
    /// The last user left with a partial release.
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

/// What link control of the fixed part has to do after a step, in this order.
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
    /// Throw the queue away.
    DropQueue,
    /// Page again if messages came into the queue meanwhile.
    Resubmit,
    /// Broadcast LCE-REQUEST-PAGE.
    Page,
    /// Answer with LCE-PAGE-REJECT: the page was not for this portable part, or is answered already.
    RejectResponse,
    /// Adopt the new link.
    Adopt,
    /// Tell the other entities that the old link is gone, then adopt the new one.
    Replace,
    /// Start LCE.03.
    StartPage,
    /// Stop LCE.03.
    StopPage,
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
    /// Tell the other entities that the portable part does not answer.
    IndicateUnreachable,
    /// Tell the other entities that the link is gone.
    IndicateLost,
}

impl Trigger {
    /// All triggers.
    ///
    /// EN 300 175-5 14.2
    pub const ALL: [Self; 15] = [
        Self::MessageWaiting,
        Self::PageResponse,
        Self::Establishment,
        Self::PageTimeout,
        Self::PagesExhausted,
        Self::QueueEmptied,
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

/// One step of link control at the fixed part.
///
/// EN 300 175-5 14.2
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    use Action as A;
    use State as S;
    use Trigger as T;
    match trigger {
        T::MessageWaiting => match state {
            S::Released => (S::EstablishPending, &[A::Queue, A::Page, A::StartPage]),
            S::EstablishPending | S::ReleasePending | S::SuspendPending | S::ResumePending => {
                (state, &[A::Queue])
            }
            S::Suspended => (S::ResumePending, &[A::Queue, A::Resume, A::StartSuspend]),
            S::Established => (state, &[A::StopMaintain, A::Send]),
        },
        T::PageResponse => match state {
            S::EstablishPending => (S::Established, &[A::StopPage, A::Adopt, A::Flush]),
            S::Released
            | S::Established
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[A::RejectResponse]),
        },
        T::Establishment => match state {
            S::Released => (S::Established, &[A::Adopt]),
            // The first message of the portable part is handled before the queue is flushed.
            S::EstablishPending => (S::Established, &[A::StopPage, A::Adopt]),
            S::Established => (S::Established, &[A::StopTimers, A::Replace]),
            S::SuspendPending | S::Suspended | S::ResumePending => {
                (S::Established, &[A::StopTimers, A::DropQueue, A::Replace])
            }
            S::ReleasePending => (S::Established, &[A::StopTimers, A::Adopt]),
        },
        T::PageTimeout => match state {
            S::EstablishPending => (state, &[A::Page, A::StartPage]),
            S::Released
            | S::Established
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::PagesExhausted => match state {
            S::EstablishPending => (S::Released, &[A::DropQueue, A::IndicateUnreachable]),
            S::Released
            | S::Established
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::QueueEmptied => match state {
            S::EstablishPending => (S::Released, &[A::StopPage]),
            S::Released
            | S::Established
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
        },
        T::Unused => match state {
            S::Established => (S::ReleasePending, &[A::StopTimers, A::ReleaseNormal, A::StartRelease]),
            S::Released
            | S::EstablishPending
            | S::ReleasePending
            | S::SuspendPending
            | S::Suspended
            | S::ResumePending => (state, &[]),
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
            S::Suspended | S::ResumePending => (S::Established, &[A::StopTimers, A::Flush, A::StartMaintain]),
            S::Released | S::EstablishPending | S::Established | S::ReleasePending | S::SuspendPending => {
                (state, &[])
            }
        },
        T::SuspendTimeout => match state {
            S::SuspendPending | S::ResumePending => {
                (S::Released, &[A::ReleaseAbnormal, A::DropQueue, A::IndicateLost])
            }
            S::Released | S::EstablishPending | S::Established | S::ReleasePending | S::Suspended => {
                (state, &[])
            }
        },
        T::LinkReleased => match state {
            S::Established => (S::Released, &[A::StopTimers, A::IndicateLost]),
            S::ReleasePending => (S::Released, &[A::StopTimers, A::Resubmit]),
            S::SuspendPending | S::Suspended | S::ResumePending => {
                (S::Released, &[A::StopTimers, A::DropQueue, A::IndicateLost])
            }
            S::Released | S::EstablishPending => (state, &[]),
        },
    }
}
