//! The side that asks the other one to call somebody else.
#![doc = include_str!("../../docs/states/transferor.md")]

/// Where a transfer we asked for stands.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No transfer is under way.
    #[default]
    Idle,
    /// REFER has no final response yet.
    Referring,
    /// REFER was accepted; notifications tell how the new call goes.
    Referred,
}

/// What moves a transfer we asked for.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The user wants the transfer.
    Refer,
    /// A 2xx to REFER.
    Accepted,
    /// A refusal of REFER, or no response.
    Refused,
    /// A notification with a provisional status.
    NotifiedProgress,
    /// A notification with a final status, or the end of the subscription.
    NotifiedFinal,
    /// Nothing was heard for too long.
    TimedOut,
}

/// What a transfer we asked for demands in a step.
///
/// RFC 3515 2.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send REFER and start the time until its response.
    SendRefer,
    /// Start the time until the last notification.
    StartPatience,
    /// Stop waiting.
    StopPatience,
    /// Tell the user how the new call goes.
    ReportProgress,
    /// Tell the user how the transfer ended.
    ReportFinal,
    /// Tell the user that there is no transfer.
    ReportRefused,
}

/// Every state.
///
/// RFC 3515 2.4
pub const STATES: [State; 3] = [State::Idle, State::Referring, State::Referred];

/// Every trigger.
///
/// RFC 3515 2.4
pub const TRIGGERS: [Trigger; 6] = [
    Trigger::Refer,
    Trigger::Accepted,
    Trigger::Refused,
    Trigger::NotifiedProgress,
    Trigger::NotifiedFinal,
    Trigger::TimedOut,
];

/// One step of a transfer we ask for; it starts in [`State::Idle`].
///
/// RFC 3515 2.4
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{ReportFinal, ReportProgress, ReportRefused, SendRefer, StartPatience, StopPatience};
    match (state, trigger) {
        (State::Idle, Trigger::Refer) => (State::Referring, &[SendRefer]),
        (
            State::Idle,
            Trigger::Accepted
            | Trigger::Refused
            | Trigger::NotifiedProgress
            | Trigger::NotifiedFinal
            | Trigger::TimedOut,
        ) => (State::Idle, &[]),
        (State::Referring | State::Referred, Trigger::Refer) => (state, &[]),
        (State::Referring, Trigger::Accepted) => (State::Referred, &[StartPatience]),
        (State::Referring, Trigger::Refused) => (State::Idle, &[StopPatience, ReportRefused]),
        // A notification may overtake the 202.
        (State::Referring | State::Referred, Trigger::NotifiedProgress) => (state, &[ReportProgress]),
        (State::Referring | State::Referred, Trigger::NotifiedFinal) => {
            (State::Idle, &[StopPatience, ReportFinal])
        }
        (State::Referring | State::Referred, Trigger::TimedOut) => (State::Idle, &[ReportRefused]),
        (State::Referred, Trigger::Accepted | Trigger::Refused) => (State::Referred, &[]),
    }
}
