//! A subscription of ours: SUBSCRIBE, its refreshes, notifications, the end.
//!
//! ```text
//!              2xx, NOTIFY            RefreshDue
//!  Subscribing -----------> Active <=============> Refreshing
//!      |                      | terminated; deactivated, timeout, probation, giveup, 481
//!      | 503, 408             +---> Waiting ---RetryDue---> Subscribing (a new dialog)
//!      | rejected, noresource, refusals: Terminated
//! ```
//!
//! A fetch (`Expires: 0`) waits in [`State::Fetching`] for its one notification, unless the 2xx carried it.
#![doc = include_str!("../../docs/states/subscribe.md")]

mod step;

pub use step::step;

/// Where a subscription stands.
///
/// RFC 6665 4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The first SUBSCRIBE of a dialog has no final response yet.
    Subscribing,
    /// The notifier knows us.
    Active,
    /// A refresh has no final response yet.
    Refreshing,
    /// A fetch was accepted and waits for its notification.
    Fetching,
    /// The subscription ended and is made anew later.
    Waiting,
    /// The SUBSCRIBE that ends it has no final response yet.
    Unsubscribing,
    /// It is over and forgotten.
    Terminated,
}

/// What moves a subscription.
///
/// RFC 6665 4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A 2xx that grants time.
    Accepted,
    /// A 2xx that grants none and brought the notification with it.
    AcceptedOver,
    /// A 2xx that grants none; the notification follows.
    AcceptedFetch,
    /// 423 with a longer interval than was asked for.
    IntervalTooBrief,
    /// A refusal that will not change by itself.
    RefusedForGood,
    /// A refusal that may be over later, or no response.
    RefusedForNow,
    /// 481 to a refresh: the notifier has forgotten us.
    Gone,
    /// A notification, the subscription stands.
    Notified,
    /// The last notification: subscribe again at once or after the time it names.
    EndedAgain,
    /// The last notification: nothing more to come.
    EndedForGood,
    /// The subscription is to be refreshed.
    RefreshDue,
    /// The time before the next attempt is over.
    RetryDue,
    /// The notification of a fetch, or of our end, never came.
    PatienceOver,
    /// The user wants no more.
    Unsubscribe,
    /// The connection broke, or the registrar had lost us.
    FlowLost,
}

/// What a subscription demands in a step.
///
/// RFC 6665 4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send SUBSCRIBE, in the dialog if there is one.
    SendSubscribe,
    /// Send SUBSCRIBE with `Expires: 0`.
    SendUnsubscribe,
    /// Take a new Call-ID.
    NewDialog,
    /// Start the time until the refresh.
    StartRefresh,
    /// Start the time until the next attempt.
    StartRetry,
    /// Start the time until the notification that is due.
    StartPatience,
    /// Stop the time that runs.
    StopTimers,
    /// Tell the user.
    Report(Report),
}

/// What the user of a subscription is told.
///
/// RFC 6665 4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Report {
    /// The notifier accepted it.
    Subscribed,
    /// A notification came.
    Notified,
    /// It ended for now; another attempt follows.
    Interrupted,
    /// It is over as the user wished, or a fetch is done.
    Over,
    /// The notifier refuses, or ended it for good.
    Refused,
    /// A fetch was accepted and its notification never came.
    Silent,
    /// The connection broke, or the registrar had lost us.
    FlowLost,
}

/// Every state.
///
/// RFC 6665 4.1
pub const STATES: [State; 7] = [
    State::Subscribing,
    State::Active,
    State::Refreshing,
    State::Fetching,
    State::Waiting,
    State::Unsubscribing,
    State::Terminated,
];

/// Every trigger.
///
/// RFC 6665 4.1
pub const TRIGGERS: [Trigger; 15] = [
    Trigger::Accepted,
    Trigger::AcceptedOver,
    Trigger::AcceptedFetch,
    Trigger::IntervalTooBrief,
    Trigger::RefusedForGood,
    Trigger::RefusedForNow,
    Trigger::Gone,
    Trigger::Notified,
    Trigger::EndedAgain,
    Trigger::EndedForGood,
    Trigger::RefreshDue,
    Trigger::RetryDue,
    Trigger::PatienceOver,
    Trigger::Unsubscribe,
    Trigger::FlowLost,
];
