//! One step of a subscription, a function a state.

use super::Effect::{
    NewDialog, Report, SendSubscribe, SendUnsubscribe, StartPatience, StartRefresh, StartRetry, StopTimers,
};
use super::{Effect, Report as Told, State, Trigger};

type Step = (State, &'static [Effect]);

/// One step of a subscription; it starts in [`State::Subscribing`] with SUBSCRIBE sent.
///
/// RFC 6665 4.1
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    match state {
        State::Subscribing => subscribing(trigger),
        State::Active => active(trigger),
        State::Refreshing => refreshing(trigger),
        State::Fetching => fetching(trigger),
        State::Waiting => waiting(trigger),
        State::Unsubscribing => unsubscribing(trigger),
        State::Terminated => terminated(trigger),
    }
}

/// The first SUBSCRIBE waits for its response.
const fn subscribing(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Accepted => (State::Active, &[StartRefresh, Report(Told::Subscribed)]),
        Trigger::AcceptedOver => (State::Terminated, &[Report(Told::Over)]),
        Trigger::AcceptedFetch => (State::Fetching, &[StartPatience]),
        Trigger::IntervalTooBrief => (State::Subscribing, &[SendSubscribe]),
        Trigger::RefusedForGood => (State::Terminated, &[Report(Told::Refused)]),
        Trigger::RefusedForNow | Trigger::Gone => {
            (State::Waiting, &[NewDialog, StartRetry, Report(Told::Interrupted)])
        }
        // A notification may overtake the 2xx.
        Trigger::Notified => (State::Subscribing, &[Report(Told::Notified)]),
        // The response is waited for; it says what is granted.
        Trigger::EndedAgain | Trigger::EndedForGood => (State::Subscribing, &[Report(Told::Notified)]),
        Trigger::Unsubscribe => (State::Unsubscribing, &[]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::RefreshDue | Trigger::RetryDue | Trigger::PatienceOver => (State::Subscribing, &[]),
    }
}

/// The notifier knows us.
const fn active(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Notified => (State::Active, &[Report(Told::Notified)]),
        Trigger::EndedAgain => (
            State::Waiting,
            &[StopTimers, Report(Told::Notified), NewDialog, StartRetry, Report(Told::Interrupted)],
        ),
        Trigger::EndedForGood => {
            (State::Terminated, &[StopTimers, Report(Told::Notified), Report(Told::Refused)])
        }
        Trigger::RefreshDue => (State::Refreshing, &[SendSubscribe]),
        Trigger::Unsubscribe => (State::Unsubscribing, &[StopTimers, SendUnsubscribe]),
        Trigger::FlowLost => (State::Terminated, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Accepted
        | Trigger::AcceptedOver
        | Trigger::AcceptedFetch
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::Gone
        | Trigger::RetryDue
        | Trigger::PatienceOver => (State::Active, &[]),
    }
}

/// A refresh waits for its response.
const fn refreshing(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Accepted => (State::Active, &[StartRefresh]),
        Trigger::AcceptedOver | Trigger::AcceptedFetch => (State::Terminated, &[Report(Told::Over)]),
        Trigger::IntervalTooBrief => (State::Refreshing, &[SendSubscribe]),
        Trigger::RefusedForGood => (State::Terminated, &[Report(Told::Refused)]),
        // RFC 6665 4.1.2.2: 481 ends the subscription; it is made anew.
        Trigger::RefusedForNow | Trigger::Gone => {
            (State::Waiting, &[NewDialog, StartRetry, Report(Told::Interrupted)])
        }
        Trigger::Notified => (State::Refreshing, &[Report(Told::Notified)]),
        // The response to the refresh tells what follows: 481, or a new time.
        Trigger::EndedAgain | Trigger::EndedForGood => (State::Refreshing, &[Report(Told::Notified)]),
        Trigger::Unsubscribe => (State::Unsubscribing, &[]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::FlowLost)]),
        Trigger::RefreshDue | Trigger::RetryDue | Trigger::PatienceOver => (State::Refreshing, &[]),
    }
}

/// A fetch waits for its one notification.
const fn fetching(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Notified => (State::Fetching, &[Report(Told::Notified)]),
        Trigger::EndedAgain | Trigger::EndedForGood => {
            (State::Terminated, &[StopTimers, Report(Told::Notified), Report(Told::Over)])
        }
        Trigger::PatienceOver => (State::Terminated, &[Report(Told::Silent)]),
        Trigger::Unsubscribe => (State::Terminated, &[StopTimers, Report(Told::Over)]),
        Trigger::FlowLost => (State::Terminated, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Accepted
        | Trigger::AcceptedOver
        | Trigger::AcceptedFetch
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::Gone
        | Trigger::RefreshDue
        | Trigger::RetryDue => (State::Fetching, &[]),
    }
}

/// Another attempt follows.
const fn waiting(trigger: Trigger) -> Step {
    match trigger {
        Trigger::RetryDue => (State::Subscribing, &[SendSubscribe]),
        Trigger::Unsubscribe => (State::Terminated, &[StopTimers, Report(Told::Over)]),
        Trigger::FlowLost => (State::Terminated, &[StopTimers, Report(Told::FlowLost)]),
        Trigger::Accepted
        | Trigger::AcceptedOver
        | Trigger::AcceptedFetch
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::Gone
        | Trigger::Notified
        | Trigger::EndedAgain
        | Trigger::EndedForGood
        | Trigger::RefreshDue
        | Trigger::PatienceOver => (State::Waiting, &[]),
    }
}

/// The user wants no more; a response is waited for.
const fn unsubscribing(trigger: Trigger) -> Step {
    match trigger {
        // The SUBSCRIBE that was under way granted time after all.
        Trigger::Accepted => (State::Unsubscribing, &[SendUnsubscribe]),
        Trigger::AcceptedOver
        | Trigger::AcceptedFetch
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::Gone => (State::Terminated, &[Report(Told::Over)]),
        Trigger::FlowLost => (State::Terminated, &[Report(Told::Over)]),
        Trigger::Notified
        | Trigger::EndedAgain
        | Trigger::EndedForGood
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::PatienceOver
        | Trigger::Unsubscribe => (State::Unsubscribing, &[]),
    }
}

/// Nothing happens any more.
const fn terminated(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Accepted
        | Trigger::AcceptedOver
        | Trigger::AcceptedFetch
        | Trigger::IntervalTooBrief
        | Trigger::RefusedForGood
        | Trigger::RefusedForNow
        | Trigger::Gone
        | Trigger::Notified
        | Trigger::EndedAgain
        | Trigger::EndedForGood
        | Trigger::RefreshDue
        | Trigger::RetryDue
        | Trigger::PatienceOver
        | Trigger::Unsubscribe
        | Trigger::FlowLost => (State::Terminated, &[]),
    }
}
