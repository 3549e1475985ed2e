//! The states of a publication agent as one total function without data.

use super::Operation;

/// Where an agent stands.
///
/// RFC 3903 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AgentState {
    /// The server holds nothing, and is not to.
    Unpublished,
    /// A request is to be sent at once.
    Due,
    /// The first publication waits for its answer.
    Initial,
    /// The server holds what it is to hold.
    Published,
    /// A longer life of it waits for its answer.
    Refreshing,
    /// Another document waits for its answer.
    Modifying,
    /// The end of it waits for its answer.
    Removing,
    /// A request failed; what is to be published then is sent later.
    Waiting,
    /// The server does not take what was sent; something else may be taken.
    Stopped,
}

impl AgentState {
    /// The request that waits for its answer.
    ///
    /// RFC 3903 4
    #[must_use]
    pub fn operation(self) -> Option<Operation> {
        match self {
            Self::Initial => Some(Operation::Initial),
            Self::Refreshing => Some(Operation::Refresh),
            Self::Modifying => Some(Operation::Modify),
            Self::Removing => Some(Operation::Remove),
            Self::Unpublished | Self::Due | Self::Published | Self::Waiting | Self::Stopped => None,
        }
    }
}

/// What changes that.
///
/// RFC 3903 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AgentTrigger {
    /// Another document is to be published.
    Wanted,
    /// What is published is to be removed.
    Unwanted,
    /// There is nothing that could be removed.
    NothingLeft,
    /// A request was sent.
    Sent(Operation),
    /// It was accepted.
    Accepted,
    /// The server does not know the tag (412).
    Stale,
    /// The server wants a longer life and says how long (423).
    TooBrief,
    /// The request is not taken.
    Refused,
    /// There was no answer, or one that says to try later.
    Failed,
    /// The time that was waited for has come.
    Deadline,
}

/// The state that follows.
///
/// RFC 3903 4
#[must_use]
pub fn step(state: AgentState, trigger: AgentTrigger) -> AgentState {
    use AgentState as S;
    use AgentTrigger as T;
    match trigger {
        T::Wanted => match state {
            S::Unpublished | S::Published | S::Stopped => S::Due,
            // The newest document is sent when the answer is there, or the wait is over.
            S::Due | S::Initial | S::Refreshing | S::Modifying | S::Removing | S::Waiting => state,
        },
        T::Unwanted => match state {
            S::Published | S::Stopped => S::Due,
            S::Unpublished
            | S::Due
            | S::Initial
            | S::Refreshing
            | S::Modifying
            | S::Removing
            | S::Waiting => state,
        },
        T::NothingLeft => match state {
            S::Due => S::Unpublished,
            S::Unpublished
            | S::Initial
            | S::Published
            | S::Refreshing
            | S::Modifying
            | S::Removing
            | S::Waiting
            | S::Stopped => state,
        },
        T::Sent(operation) => match state {
            S::Due => match operation {
                Operation::Initial => S::Initial,
                Operation::Refresh => S::Refreshing,
                Operation::Modify => S::Modifying,
                Operation::Remove => S::Removing,
            },
            S::Unpublished
            | S::Initial
            | S::Published
            | S::Refreshing
            | S::Modifying
            | S::Removing
            | S::Waiting
            | S::Stopped => state,
        },
        T::Deadline => match state {
            S::Published | S::Waiting => S::Due,
            S::Unpublished
            | S::Due
            | S::Initial
            | S::Refreshing
            | S::Modifying
            | S::Removing
            | S::Stopped => state,
        },
        T::Accepted => answered(state, S::Published, S::Unpublished),
        T::Stale => answered(state, S::Due, S::Unpublished),
        T::TooBrief => answered(state, S::Due, S::Waiting),
        T::Refused => answered(state, S::Stopped, S::Unpublished),
        T::Failed => answered(state, S::Waiting, S::Waiting),
    }
}

/// Only a request that was sent has answers; those to a removal lead elsewhere.
fn answered(state: AgentState, next: AgentState, removed: AgentState) -> AgentState {
    use AgentState as S;
    match state {
        S::Initial | S::Refreshing | S::Modifying => next,
        S::Removing => removed,
        S::Unpublished | S::Due | S::Published | S::Waiting | S::Stopped => state,
    }
}
