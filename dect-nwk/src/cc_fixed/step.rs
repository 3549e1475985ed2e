//! The step function of call control at the fixed part.

use super::{Action, State, Trigger};

/// One step of a call at the fixed part: the next state and what to do. An empty list with the old state means
/// that the trigger is ignored there.
///
/// EN 300 175-5 B.2
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
            S::Null => (S::CallInitiated, &[A::IndicateSetup]),
            // A CC-SETUP for a known transaction is ignored (17.3).
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::InformationReceived => match state {
            S::OverlapSending => (state, &[A::StartOverlap, A::IndicateInformation]),
            S::CallProceeding | S::CallDelivered | S::CallReceived | S::Active => {
                (state, &[A::IndicateInformation])
            }
            // The call is over for its owner: nothing is told any more.
            S::Null | S::CallInitiated | S::CallPresent | S::ReleasePending => (state, &[]),
        },
        T::AlertingReceived => match state {
            S::CallPresent => (S::CallReceived, &[A::StopTimers, A::StartCompletion, A::IndicateAlerting]),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::ConnectReceived => match state {
            S::CallPresent | S::CallReceived => {
                (S::Active, &[A::StopTimers, A::SendConnectAck, A::IndicateAnswered])
            }
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::ReleaseReceived => match state {
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active => (S::Null, REFUSE),
            // Release collision: no message (9.5.3).
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
            | S::Active => (S::Null, GONE),
            S::ReleasePending => (S::Null, QUIET),
            S::Null => (state, &[]),
        },
        T::SupplementaryReceived => match state {
            S::OverlapSending | S::CallProceeding | S::CallDelivered | S::CallReceived | S::Active => {
                (state, &[A::IndicateSupplementary])
            }
            S::Null | S::CallInitiated | S::CallPresent | S::ReleasePending => (state, &[]),
        },
        T::SetupCrossed => match state {
            // The owner of the call has put it under a new transaction value (9.5.1).
            S::CallPresent => (state, &[A::SendSetup, A::StartSetup]),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::CallPortable => match state {
            S::Null => (S::CallPresent, &[A::SendSetup, A::StartSetup]),
            S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::AskDigits => match state {
            S::CallInitiated => (S::OverlapSending, &[A::SendSetupAck, A::StartOverlap]),
            S::Null
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::Proceed => match state {
            S::CallInitiated | S::OverlapSending => {
                (S::CallProceeding, &[A::StopTimers, A::SendCallProceeding, A::StartCompletion])
            }
            S::Null
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::Alert => match state {
            S::CallInitiated | S::OverlapSending | S::CallProceeding => {
                (S::CallDelivered, &[A::StopTimers, A::SendAlerting, A::StartCompletion])
            }
            S::Null | S::CallDelivered | S::CallPresent | S::CallReceived | S::Active | S::ReleasePending => {
                (state, &[])
            }
        },
        T::Connect => match state {
            S::CallInitiated | S::OverlapSending | S::CallProceeding | S::CallDelivered => {
                (S::Active, &[A::StopTimers, A::SendConnect])
            }
            S::Null | S::CallPresent | S::CallReceived | S::Active | S::ReleasePending => (state, &[]),
        },
        T::Inform => match state {
            S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[A::SendInformation]),
            S::Null | S::CallInitiated | S::CallPresent => (state, &[]),
        },
        T::Release => match state {
            S::CallInitiated => (S::Null, REFUSE),
            S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active => (S::ReleasePending, RELEASE),
            S::Null | S::ReleasePending => (state, &[]),
        },
        T::Withdraw => match state {
            S::CallPresent => (S::Null, &[A::StopTimers, A::DiscardSetup, A::IndicateReleased, A::FreeLink]),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::OverlapTimeout => match state {
            S::OverlapSending => (S::ReleasePending, RELEASE),
            S::Null
            | S::CallInitiated
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
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
            | S::Active => (state, &[]),
        },
        T::SetupTimeout => match state {
            S::CallPresent => (S::Null, REFUSE),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallProceeding
            | S::CallDelivered
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
        T::CompletionTimeout => match state {
            S::CallProceeding | S::CallDelivered | S::CallReceived => (S::ReleasePending, RELEASE),
            S::Null
            | S::CallInitiated
            | S::OverlapSending
            | S::CallPresent
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
            | S::Active => (S::Null, GONE),
            S::ReleasePending => (S::Null, QUIET),
            S::Null => (state, &[]),
        },
        T::LinkReset => match state {
            S::OverlapSending => (S::ReleasePending, RELEASE),
            S::Null
            | S::CallInitiated
            | S::CallProceeding
            | S::CallDelivered
            | S::CallPresent
            | S::CallReceived
            | S::Active
            | S::ReleasePending => (state, &[]),
        },
    }
}
