//! The client transaction of every method but INVITE, over a reliable transport.
//!
//! ```text
//!             1xx
//!  Trying ---------> Proceeding
//!     |                  |
//!     | 200-699, timer F, transport error: Terminated
//! ```
//!
//! `Completed` is left in the step that enters it because timer K is zero over a reliable transport.
#![doc = include_str!("../../docs/states/client.md")]

use super::timers::Timer;

/// Where a client transaction stands.
///
/// RFC 3261 17.1.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The request was sent, nothing came back.
    ///
    /// RFC 3261 17.1.2.2
    Trying,
    /// A provisional response came.
    ///
    /// RFC 3261 17.1.2.2
    Proceeding,
    /// The transaction is over and forgotten.
    ///
    /// RFC 3261 17.1.2.2
    Terminated,
}

/// What moves a client transaction.
///
/// RFC 3261 17.1.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A response 100 to 199.
    ///
    /// RFC 3261 17.1.2.2
    Provisional,
    /// A response 200 to 699.
    ///
    /// RFC 3261 17.1.2.2
    Final,
    /// Timer F fired.
    ///
    /// RFC 3261 17.1.2.2
    TimerF,
    /// The connection broke.
    ///
    /// RFC 3261 17.1.4
    TransportError,
}

/// What a client transaction demands in a step.
///
/// RFC 3261 17.1.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Pass the response to the transaction user.
    ///
    /// RFC 3261 17.1.2.2
    PassUp,
    /// Stop this timer.
    ///
    /// RFC 3261 17.1.2.2
    Stop(Timer),
    /// Tell the transaction user that no final response came.
    ///
    /// RFC 3261 17.1.2.2
    TimedOut,
    /// Tell the transaction user that the connection broke.
    ///
    /// RFC 3261 17.1.4
    TransportFailed,
}

/// Every state, in the order of the standard.
///
/// RFC 3261 17.1.2.2
pub const STATES: [State; 3] = [State::Trying, State::Proceeding, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.1.2.2
pub const TRIGGERS: [Trigger; 4] =
    [Trigger::Provisional, Trigger::Final, Trigger::TimerF, Trigger::TransportError];

/// One step of the client transaction; it starts in [`State::Trying`] with timer F running.
///
/// RFC 3261 figure 6
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{PassUp, Stop, TimedOut, TransportFailed};
    match (state, trigger) {
        (State::Trying | State::Proceeding, Trigger::Provisional) => (State::Proceeding, &[PassUp]),
        (State::Trying | State::Proceeding, Trigger::Final) => (State::Terminated, &[Stop(Timer::F), PassUp]),
        (State::Trying | State::Proceeding, Trigger::TimerF) => (State::Terminated, &[TimedOut]),
        (State::Trying | State::Proceeding, Trigger::TransportError) => {
            (State::Terminated, &[Stop(Timer::F), TransportFailed])
        }
        (
            State::Terminated,
            Trigger::Provisional | Trigger::Final | Trigger::TimerF | Trigger::TransportError,
        ) => (State::Terminated, &[]),
    }
}
