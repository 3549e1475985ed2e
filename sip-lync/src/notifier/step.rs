//! One step of a subscription as its notifier sees it.
#![doc = include_str!("../../docs/states/notifier.md")]

/// Where a subscription stands for its notifier.
///
/// RFC 6665 4.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The subscriber knows what there is to know.
    #[default]
    Told,
    /// A notification waits for its response.
    Telling,
    /// A notification waits for its response, and what it said is old.
    Stale,
    /// The last notification waits for its response.
    Ending,
    /// The subscription is over.
    Terminated,
}

/// What moves a subscription for its notifier.
///
/// RFC 6665 4.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A SUBSCRIBE, new or a refresh.
    Subscribe,
    /// A SUBSCRIBE whose response brings the notification.
    SubscribePiggybacked,
    /// There is something new.
    Change,
    /// A 2xx to the notification; of BENOTIFY at once.
    Accepted,
    /// The notification was refused, or nobody answered.
    Refused,
    /// The subscriber, the time or the user ends it.
    End,
    /// The connection broke.
    FlowLost,
}

/// What a subscription demands of its notifier in a step.
///
/// RFC 6665 4.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send a notification with what there is.
    Notify,
    /// Send the last notification.
    NotifyLast,
    /// Start the life of the subscription anew.
    StartExpiry,
    /// Stop it.
    StopExpiry,
    /// Tell the user that the subscription is over.
    ReportEnded,
}

/// Every state.
///
/// RFC 6665 4.2
pub const STATES: [State; 5] = [State::Told, State::Telling, State::Stale, State::Ending, State::Terminated];

/// Every trigger.
///
/// RFC 6665 4.2
pub const TRIGGERS: [Trigger; 7] = [
    Trigger::Subscribe,
    Trigger::SubscribePiggybacked,
    Trigger::Change,
    Trigger::Accepted,
    Trigger::Refused,
    Trigger::End,
    Trigger::FlowLost,
];

/// One step of a subscription for its notifier; it starts in [`State::Told`] with the first SUBSCRIBE.
///
/// RFC 6665 4.2.1, RFC 6665 4.2.2
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Notify, NotifyLast, ReportEnded, StartExpiry, StopExpiry};
    match (state, trigger) {
        (State::Told, Trigger::Subscribe) => (State::Telling, &[StartExpiry, Notify]),
        (State::Told | State::Telling | State::Stale, Trigger::SubscribePiggybacked) => {
            (state, &[StartExpiry])
        }
        (State::Told, Trigger::Change) => (State::Telling, &[Notify]),
        (State::Told, Trigger::Accepted | Trigger::Refused) => (State::Told, &[]),
        // One at a time: what changes meanwhile goes with the next one.
        (State::Telling | State::Stale, Trigger::Subscribe) => (State::Stale, &[StartExpiry]),
        (State::Telling | State::Stale, Trigger::Change) => (State::Stale, &[]),
        (State::Telling, Trigger::Accepted) => (State::Told, &[]),
        (State::Stale, Trigger::Accepted) => (State::Telling, &[Notify]),
        (State::Telling | State::Stale, Trigger::Refused) => (State::Terminated, &[StopExpiry, ReportEnded]),
        (State::Told | State::Telling | State::Stale, Trigger::End) => {
            (State::Ending, &[StopExpiry, NotifyLast, ReportEnded])
        }
        (State::Told | State::Telling | State::Stale, Trigger::FlowLost) => {
            (State::Terminated, &[StopExpiry, ReportEnded])
        }
        (State::Ending, Trigger::Accepted | Trigger::Refused | Trigger::FlowLost) => (State::Terminated, &[]),
        (
            State::Ending,
            Trigger::Subscribe | Trigger::SubscribePiggybacked | Trigger::Change | Trigger::End,
        ) => (State::Ending, &[]),
        (
            State::Terminated,
            Trigger::Subscribe
            | Trigger::SubscribePiggybacked
            | Trigger::Change
            | Trigger::Accepted
            | Trigger::Refused
            | Trigger::End
            | Trigger::FlowLost,
        ) => (State::Terminated, &[]),
    }
}
