//! The server transaction of every method but INVITE.
//!
//! ```text
//!             1xx                  200-699
//!  Trying ---------> Proceeding ------------> Completed --timer J--> Terminated
//!                        request: the last response again
//! ```
//!
//! Over a reliable transport timer J is over at once.
#![doc = include_str!("../../docs/states/server.md")]

use super::timers::Timer;

/// Where a server transaction stands.
///
/// RFC 3261 17.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The request came and has no response yet.
    ///
    /// RFC 3261 17.2.2
    Trying,
    /// A provisional response was sent.
    ///
    /// RFC 3261 17.2.2
    Proceeding,
    /// The final response was sent; a repeated request gets it again.
    ///
    /// RFC 3261 17.2.2
    Completed,
    /// The transaction is over and forgotten.
    ///
    /// RFC 3261 17.2.2
    Terminated,
}

/// What moves a server transaction.
///
/// RFC 3261 17.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The request came again.
    ///
    /// RFC 3261 17.2.2
    Request,
    /// The user responds 100 to 199.
    ///
    /// RFC 3261 17.2.2
    Provisional,
    /// The user responds 200 to 699.
    ///
    /// RFC 3261 17.2.2
    Final,
    /// Timer J fired.
    ///
    /// RFC 3261 17.2.2
    TimerJ,
    /// The connection broke.
    ///
    /// RFC 3261 17.2.4
    TransportError,
}

/// What a server transaction demands in a step.
///
/// RFC 3261 17.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send the user's response.
    ///
    /// RFC 3261 17.2.2
    Send,
    /// Send the last response again.
    ///
    /// RFC 3261 17.2.2
    Repeat,
    /// Start this timer.
    ///
    /// RFC 3261 17.2.2
    Start(Timer),
    /// Stop this timer.
    ///
    /// RFC 3261 17.2.2
    Stop(Timer),
    /// Tell the transaction user that the connection broke.
    ///
    /// RFC 3261 17.2.4
    TransportFailed,
}

/// Every state, in the order of the standard.
///
/// RFC 3261 17.2.2
pub const STATES: [State; 4] = [State::Trying, State::Proceeding, State::Completed, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.2.2
pub const TRIGGERS: [Trigger; 5] =
    [Trigger::Request, Trigger::Provisional, Trigger::Final, Trigger::TimerJ, Trigger::TransportError];

/// One step of the server transaction; it starts in [`State::Trying`].
///
/// RFC 3261 figure 8
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Repeat, Send, Start, Stop, TransportFailed};
    match (state, trigger) {
        (State::Trying, Trigger::Request | Trigger::TimerJ) => (State::Trying, &[]),
        (State::Trying | State::Proceeding, Trigger::Provisional) => (State::Proceeding, &[Send]),
        (State::Trying | State::Proceeding, Trigger::Final) => (State::Completed, &[Send, Start(Timer::J)]),
        (State::Trying | State::Proceeding, Trigger::TransportError) => {
            (State::Terminated, &[TransportFailed])
        }
        (State::Proceeding, Trigger::Request) => (State::Proceeding, &[Repeat]),
        (State::Proceeding, Trigger::TimerJ) => (State::Proceeding, &[]),
        (State::Completed, Trigger::Request) => (State::Completed, &[Repeat]),
        (State::Completed, Trigger::TimerJ) => (State::Terminated, &[]),
        (State::Completed, Trigger::TransportError) => {
            (State::Terminated, &[Stop(Timer::J), TransportFailed])
        }
        // RFC 3261 17.2.2: any other final response is discarded.
        (State::Completed, Trigger::Provisional | Trigger::Final) => (State::Completed, &[]),
        (
            State::Terminated,
            Trigger::Request
            | Trigger::Provisional
            | Trigger::Final
            | Trigger::TimerJ
            | Trigger::TransportError,
        ) => (State::Terminated, &[]),
    }
}
