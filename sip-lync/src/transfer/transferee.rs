//! The side that is asked to call somebody else.
#![doc = include_str!("../../docs/states/transferee.md")]

/// Where a transfer we are asked for stands.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No transfer is under way.
    #[default]
    Idle,
    /// REFER was accepted; the user is to call.
    Requested,
    /// The new call is under way.
    Calling,
}

/// What moves a transfer we are asked for.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// REFER came.
    Refer,
    /// The user makes the new call.
    Call,
    /// The user does not want to.
    Refuse,
    /// The user did nothing for too long.
    TimedOut,
    /// The new call rings.
    Progress,
    /// The new call is answered.
    Answered,
    /// The new call failed.
    Failed,
}

/// What a transfer we are asked for demands in a step.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Answer REFER 202.
    Accept,
    /// Answer REFER 491: one transfer at a time.
    RefusePending,
    /// Tell the user who is to be called, and start the time it has for that.
    ReportRequested,
    /// Stop waiting for the user.
    StopPatience,
    /// Notify 100 Trying.
    NotifyTrying,
    /// Notify how the new call goes.
    NotifyProgress,
    /// Notify how it ended, and end the subscription.
    NotifyFinal,
}

/// Every state.
///
/// RFC 3515 2.4
pub const STATES: [State; 3] = [State::Idle, State::Requested, State::Calling];

/// Every trigger.
///
/// RFC 3515 2.4
pub const TRIGGERS: [Trigger; 7] = [
    Trigger::Refer,
    Trigger::Call,
    Trigger::Refuse,
    Trigger::TimedOut,
    Trigger::Progress,
    Trigger::Answered,
    Trigger::Failed,
];

/// One step of a transfer we are asked for; it starts in [`State::Idle`].
///
/// RFC 3515 2.4
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{
        Accept, NotifyFinal, NotifyProgress, NotifyTrying, RefusePending, ReportRequested, StopPatience,
    };
    match (state, trigger) {
        (State::Idle, Trigger::Refer) => (State::Requested, &[Accept, NotifyTrying, ReportRequested]),
        (
            State::Idle,
            Trigger::Call
            | Trigger::Refuse
            | Trigger::TimedOut
            | Trigger::Progress
            | Trigger::Answered
            | Trigger::Failed,
        ) => (State::Idle, &[]),
        (State::Requested | State::Calling, Trigger::Refer) => (state, &[RefusePending]),
        (State::Requested, Trigger::Call) => (State::Calling, &[StopPatience]),
        (State::Requested, Trigger::Refuse) => (State::Idle, &[StopPatience, NotifyFinal]),
        (State::Requested, Trigger::TimedOut) => (State::Idle, &[NotifyFinal]),
        (State::Requested, Trigger::Progress | Trigger::Answered | Trigger::Failed) => {
            (State::Requested, &[])
        }
        (State::Calling, Trigger::Progress) => (State::Calling, &[NotifyProgress]),
        (State::Calling, Trigger::Answered | Trigger::Failed) => (State::Idle, &[NotifyFinal]),
        (State::Calling, Trigger::Call | Trigger::Refuse | Trigger::TimedOut) => (State::Calling, &[]),
    }
}
