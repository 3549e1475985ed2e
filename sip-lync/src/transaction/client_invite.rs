//! The INVITE client transaction over a reliable transport.
//!
//! ```text
//!              1xx                2xx
//!  Calling ---------> Proceeding -------> Accepted --timer M--> Terminated
//!     |                   |
//!     | 300-699 (ACK), timer B, transport error: Terminated
//! ```
//!
//! `Completed` is left in the step that enters it because timer D is zero over a reliable transport.
#![doc = include_str!("../../docs/states/client_invite.md")]

use super::timers::Timer;

/// Where an INVITE client transaction stands.
///
/// RFC 3261 17.1.1.2, RFC 6026 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The INVITE was sent, nothing came back.
    ///
    /// RFC 3261 17.1.1.2
    Calling,
    /// A provisional response came.
    ///
    /// RFC 3261 17.1.1.2
    Proceeding,
    /// A 2xx came; further ones are passed to the user, who acknowledges each.
    ///
    /// RFC 6026 7.2
    Accepted,
    /// The transaction is over and forgotten.
    ///
    /// RFC 3261 17.1.1.2
    Terminated,
}

/// What moves an INVITE client transaction.
///
/// RFC 3261 17.1.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// A response 100 to 199.
    ///
    /// RFC 3261 17.1.1.2
    Provisional,
    /// A response 200 to 299.
    ///
    /// RFC 3261 17.1.1.2
    Success,
    /// A response 300 to 699.
    ///
    /// RFC 3261 17.1.1.2
    Failure,
    /// Timer B fired.
    ///
    /// RFC 3261 17.1.1.2
    TimerB,
    /// Timer M fired.
    ///
    /// RFC 6026 7.2
    TimerM,
    /// The connection broke.
    ///
    /// RFC 3261 17.1.4
    TransportError,
}

/// What an INVITE client transaction demands in a step.
///
/// RFC 3261 17.1.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Pass the response to the transaction user.
    ///
    /// RFC 3261 17.1.1.2
    PassUp,
    /// Send the ACK for a refusal.
    ///
    /// RFC 3261 17.1.1.3
    Acknowledge,
    /// Start this timer.
    ///
    /// RFC 3261 17.1.1.2
    Start(Timer),
    /// Stop this timer.
    ///
    /// RFC 3261 17.1.1.2
    Stop(Timer),
    /// Tell the transaction user that nothing came back.
    ///
    /// RFC 3261 17.1.1.2
    TimedOut,
    /// Tell the transaction user that the connection broke.
    ///
    /// RFC 3261 17.1.4
    TransportFailed,
}

/// Every state, in the order of the standard.
///
/// RFC 3261 17.1.1.2
pub const STATES: [State; 4] = [State::Calling, State::Proceeding, State::Accepted, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.1.1.2
pub const TRIGGERS: [Trigger; 6] = [
    Trigger::Provisional,
    Trigger::Success,
    Trigger::Failure,
    Trigger::TimerB,
    Trigger::TimerM,
    Trigger::TransportError,
];

/// One step of the INVITE client transaction; it starts in [`State::Calling`] with timer B running.
///
/// RFC 3261 figure 5, RFC 6026 figure 5
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Acknowledge, PassUp, Start, Stop, TimedOut, TransportFailed};
    match (state, trigger) {
        (State::Calling, Trigger::Provisional) => (State::Proceeding, &[Stop(Timer::B), PassUp]),
        (State::Calling, Trigger::Success) => (State::Accepted, &[Stop(Timer::B), Start(Timer::M), PassUp]),
        (State::Calling, Trigger::Failure) => (State::Terminated, &[Stop(Timer::B), Acknowledge, PassUp]),
        (State::Calling, Trigger::TimerB) => (State::Terminated, &[TimedOut]),
        (State::Calling, Trigger::TimerM) => (State::Calling, &[]),
        (State::Calling, Trigger::TransportError) => (State::Terminated, &[Stop(Timer::B), TransportFailed]),
        (State::Proceeding, Trigger::Provisional) => (State::Proceeding, &[PassUp]),
        (State::Proceeding, Trigger::Success) => (State::Accepted, &[Start(Timer::M), PassUp]),
        (State::Proceeding, Trigger::Failure) => (State::Terminated, &[Acknowledge, PassUp]),
        (State::Proceeding, Trigger::TimerB | Trigger::TimerM) => (State::Proceeding, &[]),
        (State::Proceeding, Trigger::TransportError) => (State::Terminated, &[TransportFailed]),
        (State::Accepted, Trigger::Success) => (State::Accepted, &[PassUp]),
        (State::Accepted, Trigger::Provisional | Trigger::Failure | Trigger::TimerB) => {
            (State::Accepted, &[])
        }
        (State::Accepted, Trigger::TimerM) => (State::Terminated, &[]),
        // The user has its 2xx already and hears of the broken connection itself.
        (State::Accepted, Trigger::TransportError) => (State::Terminated, &[Stop(Timer::M)]),
        (
            State::Terminated,
            Trigger::Provisional
            | Trigger::Success
            | Trigger::Failure
            | Trigger::TimerB
            | Trigger::TimerM
            | Trigger::TransportError,
        ) => (State::Terminated, &[]),
    }
}
