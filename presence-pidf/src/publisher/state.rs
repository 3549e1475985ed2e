//! The states of a publisher as one total function without data.

/// Where a publisher stands.
///
/// docs/states/publisher.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PublisherState {
    /// Nothing can be published.
    Unregistered,
    /// Registered; its turn has not come, or the user's own data are awaited.
    Starting,
    /// What differs is sent at once.
    Ready,
    /// A request waits for its answer.
    InFlight,
    /// A request failed; it is repeated later, with what is to be published then.
    Waiting,
    /// The server's versions are not known; its next report tells them.
    Blocked,
    /// The server does not take what was sent; something else may be taken.
    Stopped,
}

/// What changes that.
///
/// docs/states/publisher.md
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PublisherTrigger {
    /// The endpoint is registered anew.
    Registered,
    /// The registration is gone, or the server does not know the endpoint.
    RegistrationLost,
    /// Something else is to be published.
    Changed,
    /// A report of what the server holds has arrived.
    Learned,
    /// The time that was waited for has come.
    Deadline,
    /// A request was sent.
    Sent,
    /// It was accepted.
    Accepted,
    /// It was based on other versions than the server's, which are known now.
    Conflict,
    /// The same once too often.
    ConflictsExhausted,
    /// It is not taken.
    Refused,
    /// There was no answer, or one that says to try later.
    Failed,
}

/// The state that follows.
///
/// docs/states/publisher.md
#[must_use]
pub fn step(state: PublisherState, trigger: PublisherTrigger) -> PublisherState {
    use PublisherState as S;
    use PublisherTrigger as T;
    match trigger {
        T::Registered => S::Starting,
        T::RegistrationLost => S::Unregistered,
        T::Changed => match state {
            // Newer states wait as long as older ones: a server that is down is not asked more often.
            S::Unregistered | S::Starting | S::Ready | S::InFlight | S::Waiting | S::Blocked => state,
            S::Stopped => S::Ready,
        },
        T::Learned => match state {
            S::Starting | S::Blocked => S::Ready,
            S::Unregistered | S::Ready | S::InFlight | S::Waiting | S::Stopped => state,
        },
        T::Deadline => match state {
            S::Starting | S::Waiting => S::Ready,
            S::Unregistered | S::Ready | S::InFlight | S::Blocked | S::Stopped => state,
        },
        T::Sent => match state {
            S::Ready => S::InFlight,
            S::Unregistered | S::Starting | S::InFlight | S::Waiting | S::Blocked | S::Stopped => state,
        },
        T::Accepted | T::Conflict => answered(state, S::Ready),
        T::ConflictsExhausted => answered(state, S::Blocked),
        T::Refused => answered(state, S::Stopped),
        T::Failed => answered(state, S::Waiting),
    }
}

/// Only a request in flight has answers.
fn answered(state: PublisherState, next: PublisherState) -> PublisherState {
    use PublisherState as S;
    match state {
        S::InFlight => next,
        S::Unregistered | S::Starting | S::Ready | S::Waiting | S::Blocked | S::Stopped => state,
    }
}
