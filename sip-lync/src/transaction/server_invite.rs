//! The INVITE server transaction over a reliable transport.
//!
//! ```text
//!               2xx
//!  Proceeding --------> Accepted --timer L--> Terminated
//!      |
//!      | 300-699
//!      +--------> Completed --ACK, timer H--> Terminated
//! ```
//!
//! `Confirmed` is left in the step that enters it because timer I is zero over a reliable transport.
#![doc = include_str!("../../docs/states/server_invite.md")]

use super::timers::Timer;

/// Where an INVITE server transaction stands.
///
/// RFC 3261 17.2.1, RFC 6026 7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The INVITE came and has no response yet.
    ///
    /// RFC 3261 17.2.1
    Incoming,
    /// A provisional response was sent.
    ///
    /// RFC 3261 17.2.1
    Proceeding,
    /// A 2xx was sent; the user repeats it until the ACK comes.
    ///
    /// RFC 6026 7.1
    Accepted,
    /// A refusal was sent and waits for its ACK.
    ///
    /// RFC 3261 17.2.1
    Completed,
    /// The transaction is over and forgotten.
    ///
    /// RFC 3261 17.2.1
    Terminated,
}

/// What moves an INVITE server transaction.
///
/// RFC 3261 17.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trigger {
    /// The INVITE came again.
    ///
    /// RFC 3261 17.2.1
    Invite,
    /// The ACK of this transaction came.
    ///
    /// RFC 3261 17.2.1
    Ack,
    /// The user responds 101 to 199.
    ///
    /// RFC 3261 17.2.1
    Provisional,
    /// The user responds 200 to 299.
    ///
    /// RFC 3261 17.2.1
    Success,
    /// The user responds 300 to 699.
    ///
    /// RFC 3261 17.2.1
    Failure,
    /// The user was silent for 200 ms.
    ///
    /// RFC 3261 17.2.1
    Trying,
    /// Timer H fired.
    ///
    /// RFC 3261 17.2.1
    TimerH,
    /// Timer L fired.
    ///
    /// RFC 6026 7.1
    TimerL,
    /// The connection broke.
    ///
    /// RFC 3261 17.2.4
    TransportError,
}

/// What an INVITE server transaction demands in a step.
///
/// RFC 3261 17.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Send the user's response.
    ///
    /// RFC 3261 17.2.1
    Send,
    /// Send 100 Trying.
    ///
    /// RFC 3261 17.2.1
    SendTrying,
    /// Send the last response again.
    ///
    /// RFC 3261 17.2.1
    Repeat,
    /// Start this timer.
    ///
    /// RFC 3261 17.2.1
    Start(Timer),
    /// Stop this timer.
    ///
    /// RFC 3261 17.2.1
    Stop(Timer),
    /// Tell the transaction user that the ACK never came.
    ///
    /// RFC 3261 17.2.1
    TimedOut,
    /// Tell the transaction user that the connection broke.
    ///
    /// RFC 3261 17.2.4
    TransportFailed,
}

/// Every state, in the order of the standard.
///
/// RFC 3261 17.2.1
pub const STATES: [State; 5] =
    [State::Incoming, State::Proceeding, State::Accepted, State::Completed, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.2.1
pub const TRIGGERS: [Trigger; 9] = [
    Trigger::Invite,
    Trigger::Ack,
    Trigger::Provisional,
    Trigger::Success,
    Trigger::Failure,
    Trigger::Trying,
    Trigger::TimerH,
    Trigger::TimerL,
    Trigger::TransportError,
];

/// One step of the INVITE server transaction; it starts in [`State::Incoming`] with
/// [`Timer::Trying`] running.
///
/// RFC 3261 figure 7, RFC 6026 figure 7
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Repeat, Send, SendTrying, Start, Stop, TimedOut, TransportFailed};
    match (state, trigger) {
        (State::Incoming, Trigger::Provisional) => (State::Proceeding, &[Stop(Timer::Trying), Send]),
        (State::Incoming, Trigger::Success) => {
            (State::Accepted, &[Stop(Timer::Trying), Start(Timer::L), Send])
        }
        (State::Incoming, Trigger::Failure) => {
            (State::Completed, &[Stop(Timer::Trying), Start(Timer::H), Send])
        }
        (State::Incoming, Trigger::Trying) => (State::Proceeding, &[SendTrying]),
        // Nothing was sent yet that could be repeated.
        (State::Incoming, Trigger::Invite | Trigger::Ack | Trigger::TimerH | Trigger::TimerL) => {
            (State::Incoming, &[])
        }
        (State::Incoming, Trigger::TransportError) => {
            (State::Terminated, &[Stop(Timer::Trying), TransportFailed])
        }
        (State::Proceeding, Trigger::Invite) => (State::Proceeding, &[Repeat]),
        (State::Proceeding, Trigger::Provisional) => (State::Proceeding, &[Send]),
        (State::Proceeding, Trigger::Success) => (State::Accepted, &[Start(Timer::L), Send]),
        (State::Proceeding, Trigger::Failure) => (State::Completed, &[Start(Timer::H), Send]),
        (State::Proceeding, Trigger::Ack | Trigger::Trying | Trigger::TimerH | Trigger::TimerL) => {
            (State::Proceeding, &[])
        }
        (State::Proceeding, Trigger::TransportError) => (State::Terminated, &[TransportFailed]),
        (State::Accepted, Trigger::Success) => (State::Accepted, &[Send]),
        (
            State::Accepted,
            Trigger::Invite
            | Trigger::Ack
            | Trigger::Provisional
            | Trigger::Failure
            | Trigger::Trying
            | Trigger::TimerH,
        ) => (State::Accepted, &[]),
        (State::Accepted, Trigger::TimerL) => (State::Terminated, &[]),
        // The session hears of the broken connection itself.
        (State::Accepted, Trigger::TransportError) => (State::Terminated, &[Stop(Timer::L)]),
        (State::Completed, Trigger::Invite) => (State::Completed, &[Repeat]),
        (State::Completed, Trigger::Ack) => (State::Terminated, &[Stop(Timer::H)]),
        (State::Completed, Trigger::TimerH) => (State::Terminated, &[TimedOut]),
        (
            State::Completed,
            Trigger::Provisional | Trigger::Success | Trigger::Failure | Trigger::Trying | Trigger::TimerL,
        ) => (State::Completed, &[]),
        (State::Completed, Trigger::TransportError) => {
            (State::Terminated, &[Stop(Timer::H), TransportFailed])
        }
        (
            State::Terminated,
            Trigger::Invite
            | Trigger::Ack
            | Trigger::Provisional
            | Trigger::Success
            | Trigger::Failure
            | Trigger::Trying
            | Trigger::TimerH
            | Trigger::TimerL
            | Trigger::TransportError,
        ) => (State::Terminated, &[]),
    }
}
