//! The states of a candidate pair.
#![doc = include_str!("../../docs/states/ice_pair.md")]

/// Where the checks of a pair stand.
///
/// RFC 8445 6.1.2.6
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for another pair of its foundation.
    #[default]
    Frozen,
    /// Can be checked.
    Waiting,
    /// A check is under way.
    InProgress,
    /// A check was answered: the pair is valid.
    Succeeded,
    /// No check was answered.
    Failed,
}

/// What moves a pair.
///
/// RFC 8445 6.1.2.6, 7.2.5, 7.3.1.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The foundation of the pair is free.
    Unfreeze,
    /// Its turn has come.
    Check,
    /// The peer checked it.
    Requested,
    /// The answer came the way the check went.
    Answered,
    /// 487: roles have changed.
    RoleConflict,
    /// No answer, or one from elsewhere, or a refusal.
    Unanswered,
    /// Patience lasts: it is given another chance.
    Again,
    /// It is to be nominated by a check.
    Nominate,
}

/// What a step of a pair demands.
///
/// RFC 8445 6.1.4, 7.2.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send a check.
    SendCheck,
    /// Do not send the check under way again; an answer to it still counts.
    CancelCheck,
    /// Put it into the triggered-check queue.
    Enqueue,
    /// Pairs with its foundation may be checked.
    UnfreezeFoundation,
    /// It is valid.
    BecomeValid,
}

/// Every state.
///
/// RFC 8445 6.1.2.6
pub const STATES: [State; 5] =
    [State::Frozen, State::Waiting, State::InProgress, State::Succeeded, State::Failed];

/// Every trigger.
///
/// RFC 8445 6.1.2.6
pub const TRIGGERS: [Trigger; 8] = [
    Trigger::Unfreeze,
    Trigger::Check,
    Trigger::Requested,
    Trigger::Answered,
    Trigger::RoleConflict,
    Trigger::Unanswered,
    Trigger::Again,
    Trigger::Nominate,
];

/// One step of a pair; it starts in [`State::Frozen`].
///
/// RFC 8445 6.1.2.6, 7.2.5, 7.3.1.4
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{BecomeValid, CancelCheck, Enqueue, SendCheck, UnfreezeFoundation};
    match (state, trigger) {
        (State::Frozen, Trigger::Unfreeze) => (State::Waiting, &[]),
        (State::Frozen | State::Waiting | State::Failed, Trigger::Requested) => (State::Waiting, &[Enqueue]),
        // A check that got lost before the peer's opened a way is not waited for.
        (State::InProgress, Trigger::Requested) => (State::Waiting, &[CancelCheck, Enqueue]),
        (State::Succeeded, Trigger::Requested) => (State::Succeeded, &[]),
        (State::Frozen | State::Waiting | State::Failed, Trigger::Check) => (State::InProgress, &[SendCheck]),
        (State::InProgress, Trigger::Check) => (State::InProgress, &[]),
        // A nominating check of a valid pair.
        (State::Succeeded, Trigger::Check) => (State::Succeeded, &[SendCheck]),
        // An answer to a cancelled check counts in every state.
        (State::Frozen | State::Waiting | State::Failed, Trigger::Answered) => {
            (State::Succeeded, &[BecomeValid, UnfreezeFoundation])
        }
        (State::InProgress, Trigger::Answered) => {
            (State::Succeeded, &[CancelCheck, BecomeValid, UnfreezeFoundation])
        }
        (State::Succeeded, Trigger::Answered) => (State::Succeeded, &[]),
        (State::InProgress, Trigger::RoleConflict) => (State::Waiting, &[CancelCheck, Enqueue]),
        (State::Frozen | State::Waiting | State::Failed, Trigger::RoleConflict) => {
            (State::Waiting, &[Enqueue])
        }
        // A nominating check met the conflict: the pair stays valid.
        (State::Succeeded, Trigger::RoleConflict) => (State::Succeeded, &[]),
        (State::InProgress, Trigger::Unanswered) => (State::Failed, &[CancelCheck]),
        // It belongs to a check that was cancelled.
        (State::Frozen | State::Waiting | State::Succeeded | State::Failed, Trigger::Unanswered) => {
            (state, &[])
        }
        (State::Failed, Trigger::Again) => (State::Waiting, &[]),
        (State::Frozen | State::Waiting | State::InProgress | State::Succeeded, Trigger::Again) => {
            (state, &[])
        }
        (State::Succeeded, Trigger::Nominate) => (State::Succeeded, &[Enqueue]),
        // Only valid pairs are nominated by a check of their own.
        (State::Frozen | State::Waiting | State::InProgress | State::Failed, Trigger::Nominate) => {
            (state, &[])
        }
        (State::Waiting | State::InProgress | State::Succeeded | State::Failed, Trigger::Unfreeze) => {
            (state, &[])
        }
    }
}
