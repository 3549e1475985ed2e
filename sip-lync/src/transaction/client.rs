//! The client transaction of every method but INVITE.
//!
//! ```text
//!             1xx                  200-699
//!  Trying ---------> Proceeding ------------> Completed --timer K--> Terminated
//!     |                  |
//!     | timer E: sent again    timer F, transport error: Terminated
//! ```
//!
//! Over a reliable transport timer E never runs and timer K is over at once.
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
    /// The final response came; its repetitions are absorbed.
    ///
    /// RFC 3261 17.1.2.2
    Completed,
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
    /// Timer E fired.
    ///
    /// RFC 3261 17.1.2.2
    TimerE,
    /// Timer F fired.
    ///
    /// RFC 3261 17.1.2.2
    TimerF,
    /// Timer K fired.
    ///
    /// RFC 3261 17.1.2.2
    TimerK,
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
    /// Send the request again.
    ///
    /// RFC 3261 17.1.2.2
    Retransmit,
    /// Start this timer.
    ///
    /// RFC 3261 17.1.2.2
    Start(Timer),
    /// Start this timer with twice its last value.
    ///
    /// RFC 3261 17.1.2.2
    StartDoubled(Timer),
    /// Start this timer with T2.
    ///
    /// RFC 3261 17.1.2.2
    StartSlow(Timer),
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
pub const STATES: [State; 4] = [State::Trying, State::Proceeding, State::Completed, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.1.2.2
pub const TRIGGERS: [Trigger; 6] = [
    Trigger::Provisional,
    Trigger::Final,
    Trigger::TimerE,
    Trigger::TimerF,
    Trigger::TimerK,
    Trigger::TransportError,
];

/// One step of the client transaction; it starts in [`State::Trying`] with the timers E and F running.
///
/// RFC 3261 figure 6
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{PassUp, Retransmit, Start, StartDoubled, StartSlow, Stop, TimedOut, TransportFailed};
    match (state, trigger) {
        (State::Trying | State::Proceeding, Trigger::Provisional) => (State::Proceeding, &[PassUp]),
        (State::Trying | State::Proceeding, Trigger::Final) => {
            (State::Completed, &[Stop(Timer::E), Stop(Timer::F), PassUp, Start(Timer::K)])
        }
        (State::Trying, Trigger::TimerE) => (State::Trying, &[Retransmit, StartDoubled(Timer::E)]),
        (State::Proceeding, Trigger::TimerE) => (State::Proceeding, &[Retransmit, StartSlow(Timer::E)]),
        (State::Trying | State::Proceeding, Trigger::TimerF) => {
            (State::Terminated, &[Stop(Timer::E), TimedOut])
        }
        (State::Trying | State::Proceeding, Trigger::TransportError) => {
            (State::Terminated, &[Stop(Timer::E), Stop(Timer::F), TransportFailed])
        }
        (State::Trying, Trigger::TimerK) => (State::Trying, &[]),
        (State::Proceeding, Trigger::TimerK) => (State::Proceeding, &[]),
        (State::Completed, Trigger::TimerK) => (State::Terminated, &[]),
        // The user has its response already.
        (State::Completed, Trigger::TransportError) => (State::Terminated, &[Stop(Timer::K)]),
        (State::Completed, Trigger::Provisional | Trigger::Final | Trigger::TimerE | Trigger::TimerF) => {
            (State::Completed, &[])
        }
        (
            State::Terminated,
            Trigger::Provisional
            | Trigger::Final
            | Trigger::TimerE
            | Trigger::TimerF
            | Trigger::TimerK
            | Trigger::TransportError,
        ) => (State::Terminated, &[]),
    }
}
