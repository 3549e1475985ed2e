//! One step of a registration, a function a state.

use super::Effect::{
    Enqueue, NewRegistration, Report, SendDeregister, SendRegister, StartPatience, StartRefresh, StartRetry,
    StopTimers,
};
use super::{Effect, Report as Told, State, Trigger};

type Step = (State, &'static [Effect]);

/// One step of a registration; it starts in [`State::Unregistered`].
///
/// RFC 3261 10.2, MS-SIPREGE 3.1
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    match state {
        State::Unregistered => unregistered(trigger),
        State::Queued => queued(trigger),
        State::Registering => registering(trigger),
        State::Registered => registered(trigger),
        State::Refreshing => refreshing(trigger),
        State::Authenticating => authenticating(trigger),
        State::Waiting => waiting(trigger),
        State::Withdrawing => withdrawing(trigger),
        State::Deregistering => deregistering(trigger),
        State::Returning => returning(trigger),
    }
}

/// Nothing is known to the registrar.
const fn unregistered(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Register => (State::Queued, &[Enqueue]),
        Trigger::Deregister => (State::Unregistered, &[Report(Told::Deregistered)]),
        Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::Challenged
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::FlowLost
        | Trigger::TurnCame
        | Trigger::CredentialsWanted
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Unregistered, &[]),
    }
}

/// The first REGISTER waits for its turn among those of other users.
const fn queued(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Deregister => (State::Unregistered, &[StopTimers, Report(Told::Deregistered)]),
        Trigger::TurnCame => (State::Registering, &[SendRegister]),
        Trigger::FlowLost => (State::Unregistered, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Register
        | Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::Challenged
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::CredentialsWanted
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Queued, &[]),
    }
}

/// The first REGISTER waits for its response.
const fn registering(trigger: Trigger) -> Step {
    match trigger {
        // RFC 3261 10.2: no further REGISTER before the response.
        Trigger::Deregister => (State::Withdrawing, &[]),
        Trigger::Success | Trigger::SuccessAdded => {
            (State::Registered, &[StartRefresh, Report(Told::Registered)])
        }
        Trigger::IntervalTooBrief => (State::Registering, &[SendRegister]),
        Trigger::CredentialsWanted => {
            (State::Authenticating, &[StartPatience, Report(Told::CredentialsWanted)])
        }
        Trigger::Challenged => (State::Unregistered, &[Report(Told::Challenged)]),
        Trigger::Redirected => (State::Unregistered, &[Report(Told::Redirected)]),
        Trigger::RefusedForGood => (State::Unregistered, &[Report(Told::RefusedForGood)]),
        Trigger::RefusedForNow => (State::Waiting, &[StartRetry, Report(Told::RefusedForNow)]),
        Trigger::TimedOut => (State::Waiting, &[StartRetry, Report(Told::TimedOut)]),
        Trigger::FlowLost => (State::Unregistered, &[Report(Told::FlowLost)]),
        Trigger::Register
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::TurnCame
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Registering, &[]),
    }
}

/// The registrar knows this endpoint.
const fn registered(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Register | Trigger::RefreshDue => (State::Refreshing, &[StopTimers, SendRegister]),
        Trigger::Deregister => (State::Deregistering, &[StopTimers, SendDeregister]),
        Trigger::NotifiedStop => (State::Unregistered, &[StopTimers, Report(Told::Removed)]),
        Trigger::NotifiedAgain => {
            (State::Waiting, &[StopTimers, NewRegistration, StartRetry, Report(Told::Deactivated)])
        }
        Trigger::NotifiedMoved => (State::Unregistered, &[StopTimers, Report(Told::Moved)]),
        Trigger::NotifiedState => (State::Registered, &[Report(Told::ServicesChanged)]),
        Trigger::FlowLost => (State::Unregistered, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::Challenged
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut
        | Trigger::RetryDue
        | Trigger::TurnCame
        | Trigger::CredentialsWanted
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Registered, &[]),
    }
}

/// A refresh waits for its response.
const fn refreshing(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Deregister => (State::Withdrawing, &[]),
        Trigger::Success => (State::Registered, &[StartRefresh, Report(Told::Refreshed)]),
        // MS-SIPREGE: `added` or `fixed` in answer to a refresh says that the server had lost us.
        Trigger::SuccessAdded => (State::Queued, &[Report(Told::Lost), NewRegistration, Enqueue]),
        Trigger::IntervalTooBrief => (State::Refreshing, &[SendRegister]),
        Trigger::CredentialsWanted => {
            (State::Authenticating, &[StartPatience, Report(Told::CredentialsWanted)])
        }
        Trigger::Challenged => (State::Unregistered, &[Report(Told::Challenged)]),
        Trigger::Redirected => (State::Unregistered, &[Report(Told::Redirected)]),
        Trigger::RefusedForGood => (State::Unregistered, &[Report(Told::RefusedForGood)]),
        Trigger::RefusedForNow => (State::Waiting, &[StartRetry, Report(Told::RefusedForNow)]),
        Trigger::TimedOut => (State::Waiting, &[StartRetry, Report(Told::TimedOut)]),
        // The response under way is waited for.
        Trigger::NotifiedStop => (State::Withdrawing, &[Report(Told::Removed)]),
        // The refresh under way is the new registration.
        Trigger::NotifiedAgain => (State::Refreshing, &[Report(Told::Deactivated)]),
        Trigger::NotifiedMoved => (State::Withdrawing, &[Report(Told::Moved)]),
        Trigger::NotifiedState => (State::Refreshing, &[Report(Told::ServicesChanged)]),
        Trigger::FlowLost => (State::Unregistered, &[Report(Told::FlowLost)]),
        Trigger::Register
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::TurnCame
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Refreshing, &[]),
    }
}

/// A REGISTER was challenged and the user computes the next leg.
const fn authenticating(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Deregister => (State::Unregistered, &[StopTimers, Report(Told::Deregistered)]),
        Trigger::Credentials => (State::Registering, &[StopTimers, SendRegister]),
        Trigger::GiveUp => (State::Unregistered, &[StopTimers, Report(Told::Challenged)]),
        Trigger::FlowLost => (State::Unregistered, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Register
        | Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::Challenged
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::TurnCame
        | Trigger::CredentialsWanted => (State::Authenticating, &[]),
    }
}

/// An attempt failed; another one follows.
const fn waiting(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Register | Trigger::RetryDue => (State::Queued, &[StopTimers, Enqueue]),
        Trigger::Deregister => (State::Unregistered, &[StopTimers, Report(Told::Deregistered)]),
        Trigger::NotifiedStop => (State::Unregistered, &[StopTimers, Report(Told::Removed)]),
        Trigger::NotifiedMoved => (State::Unregistered, &[StopTimers, Report(Told::Moved)]),
        Trigger::FlowLost => (State::Unregistered, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::Challenged
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut
        | Trigger::RefreshDue
        | Trigger::NotifiedAgain
        | Trigger::NotifiedState
        | Trigger::TurnCame
        | Trigger::CredentialsWanted
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Waiting, &[]),
    }
}

/// The user gave up while a REGISTER was under way.
const fn withdrawing(trigger: Trigger) -> Step {
    match trigger {
        // Its response decides after all.
        Trigger::Register => (State::Registering, &[]),
        Trigger::Success | Trigger::SuccessAdded => (State::Deregistering, &[SendDeregister]),
        Trigger::Challenged
        | Trigger::CredentialsWanted
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut => (State::Unregistered, &[Report(Told::Deregistered)]),
        Trigger::FlowLost => (State::Unregistered, &[Report(Told::Deregistered)]),
        Trigger::Deregister
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::TurnCame
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Withdrawing, &[]),
    }
}

/// The REGISTER with Expires: 0 waits for its response.
const fn deregistering(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Register => (State::Returning, &[]),
        Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::Challenged
        | Trigger::CredentialsWanted
        | Trigger::Redirected
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut
        | Trigger::FlowLost => (State::Unregistered, &[Report(Told::Deregistered)]),
        Trigger::Deregister
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::TurnCame
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Deregistering, &[]),
    }
}

/// The user wants to register again before the deregistration was answered.
const fn returning(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Deregister => (State::Deregistering, &[]),
        Trigger::Success
        | Trigger::SuccessAdded
        | Trigger::CredentialsWanted
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::TimedOut => (State::Queued, &[Report(Told::Deregistered), NewRegistration, Enqueue]),
        Trigger::Challenged => (State::Unregistered, &[Report(Told::Challenged)]),
        Trigger::Redirected => (State::Unregistered, &[Report(Told::Redirected)]),
        Trigger::FlowLost => (State::Unregistered, &[Report(Told::FlowLost)]),
        Trigger::Register
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::NotifiedStop
        | Trigger::NotifiedAgain
        | Trigger::NotifiedMoved
        | Trigger::NotifiedState
        | Trigger::TurnCame
        | Trigger::Credentials
        | Trigger::GiveUp => (State::Returning, &[]),
    }
}
