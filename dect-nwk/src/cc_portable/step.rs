//! The step function of call control at the portable part.

use super::{Action, State, Trigger};

/// One step of a call at the portable part: the next state and what to do. An empty list with the old state means
/// that the trigger is ignored there.
///
/// EN 300 175-5 B.1
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    use Action as A;
    use State as S;
    use Trigger as T;
    const RELEASE: &[Action] = &[A::StopTimers, A::SendRelease, A::StartRelease, A::IndicateReleased];
    const REFUSE: &[Action] = &[A::StopTimers, A::SendReleaseCom, A::IndicateReleased, A::FreeLink];
    const GIVE_UP: &[Action] = &[A::StopTimers, A::SendReleaseCom, A::FreeLink];
    const GONE: &[Action] = &[A::StopTimers, A::IndicateReleased, A::FreeLink];
    const QUIET: &[Action] = &[A::StopTimers, A::FreeLink];
    match trigger {
        T::SetupReceived => match state {
            S::Null => (S::CallPresent, &[A::IndicateRinging]),
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::SetupAckReceived => match state {
            S::CallInitiated => {
                (S::OverlapSending, &[A::StopTimers, A::StartCompletion, A::IndicateSetupAck])
            }
            S::Null
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::CallProceedingReceived => match state {
            S::CallInitiated | S::OverlapSending => {
                (S::CallProceeding, &[A::StopTimers, A::StartCompletion, A::IndicateProceeding])
            }
            S::Null
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::AlertingReceived => match state {
            S::CallInitiated | S::OverlapSending | S::CallProceeding => {
                (S::CallDelivered, &[A::StopTimers, A::StartCompletion, A::IndicateAlerting])
            }
            S::Null
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::ConnectReceived => match state {
            S::CallInitiated | S::OverlapSending | S::CallProceeding | S::CallDelivered => {
                (S::Active, &[A::StopTimers, A::IndicateConnected])
            }
            S::Null
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::ConnectAckReceived => match state {
            S::ConnectPending => (S::Active, &[A::StopTimers, A::IndicateConnected]),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::InformationReceived => match state {
            S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[A::IndicateInformation]),
            S::Null | S::CallInitiated | S::CallPresent => (state, &[]),
        },
        T::NotifyReceived => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::ConnectPending => (state, &[A::RestartTimers]),
            S::Null | S::CallPresent | S::CallReceived | S::Active | S::ReleasePending => (state, &[]),
        },
        T::ReleaseReceived => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (S::Null, REFUSE),
            S::ReleasePending => (S::Null, QUIET),
            S::Null => (state, &[]),
        },
        T::ReleaseComReceived => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (S::Null, GONE),
            S::ReleasePending => (S::Null, QUIET),
            S::Null => (state, &[]),
        },
        T::SupplementaryReceived => match state {
            S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (state, &[A::IndicateSupplementary]),
            S::Null | S::CallInitiated | S::CallPresent | S::ReleasePending => (state, &[]),
        },
        T::SetupCrossed => match state {
            S::CallInitiated => (state, &[A::StartCrossing]),
            S::Null
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::Call => match state {
            S::Null => (S::CallInitiated, &[A::SendSetup, A::StartSetup]),
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::AlertUser => match state {
            S::CallPresent => (S::CallReceived, &[A::SendAlerting]),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::Answer => match state {
            S::CallPresent | S::CallReceived => (S::ConnectPending, &[A::SendConnect, A::StartConnect]),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::Inform => match state {
            S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (state, &[A::SendInformation]),
            S::Null | S::CallInitiated | S::CallPresent | S::ReleasePending => (state, &[]),
        },
        T::Release => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (S::ReleasePending, RELEASE),
            S::CallPresent => (S::Null, REFUSE),
            S::Null | S::ReleasePending => (state, &[]),
        },
        T::Reject => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (S::Null, REFUSE),
            S::Null | S::ReleasePending => (state, &[]),
        },
        T::ReleaseTimeout => match state {
            S::ReleasePending => (S::Null, GIVE_UP),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (state, &[]),
        },
        T::SetupTimeout => match state {
            S::CallInitiated => (S::Null, REFUSE),
            S::Null
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::CompletionTimeout => match state {
            S::OverlapSending | S::CallProceeding | S::CallDelivered => (S::ReleasePending, RELEASE),
            S::Null
            | S::CallInitiated
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::ConnectTimeout => match state {
            S::ConnectPending => (S::ReleasePending, RELEASE),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::LinkLost => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::ConnectPending
            | S::Active => (S::Null, GONE),
            S::ReleasePending => (S::Null, QUIET),
            S::Null => (state, &[]),
        },
    }
}
