//! The INVITE server transaction.
//!
//! ```text
//!               2xx
//!  Proceeding --------> Accepted --timer L--> Terminated
//!      |
//!      | 300-699                    ACK
//!      +--------> Completed ----------------> Confirmed --timer I--> Terminated
//!                     | timer G: sent again   timer H: Terminated
//! ```
//!
//! Over a reliable transport timer G never runs and timer I is over at once.
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
    /// The refusal was acknowledged; repeated ACKs are absorbed.
    ///
    /// RFC 3261 17.2.1
    Confirmed,
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
    /// Timer G fired.
    ///
    /// RFC 3261 17.2.1
    TimerG,
    /// Timer H fired.
    ///
    /// RFC 3261 17.2.1
    TimerH,
    /// Timer I fired.
    ///
    /// RFC 3261 17.2.1
    TimerI,
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
    /// Start this timer with twice its last value.
    ///
    /// RFC 3261 17.2.1
    StartDoubled(Timer),
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
pub const STATES: [State; 6] = [
    State::Incoming,
    State::Proceeding,
    State::Accepted,
    State::Completed,
    State::Confirmed,
    State::Terminated,
];

/// Every trigger.
///
/// RFC 3261 17.2.1
pub const TRIGGERS: [Trigger; 11] = [
    Trigger::Invite,
    Trigger::Ack,
    Trigger::Provisional,
    Trigger::Success,
    Trigger::Failure,
    Trigger::Trying,
    Trigger::TimerG,
    Trigger::TimerH,
    Trigger::TimerI,
    Trigger::TimerL,
    Trigger::TransportError,
];

/// One step of the INVITE server transaction; it starts in [`State::Incoming`] with
/// [`Timer::Trying`] running.
///
/// RFC 3261 figure 7, RFC 6026 figure 7
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    match state {
        State::Incoming => incoming(trigger),
        State::Proceeding => proceeding(trigger),
        State::Accepted => accepted(trigger),
        State::Completed => completed(trigger),
        State::Confirmed => confirmed(trigger),
        State::Terminated => terminated(trigger),
    }
}

type Step = (State, &'static [Effect]);

const fn incoming(trigger: Trigger) -> Step {
    use Effect::{Send, SendTrying, Start, Stop, TransportFailed};
    match trigger {
        Trigger::Provisional => (State::Proceeding, &[Stop(Timer::Trying), Send]),
        Trigger::Success => (State::Accepted, &[Stop(Timer::Trying), Start(Timer::L), Send]),
        Trigger::Failure => {
            (State::Completed, &[Stop(Timer::Trying), Start(Timer::G), Start(Timer::H), Send])
        }
        Trigger::Trying => (State::Proceeding, &[SendTrying]),
        Trigger::TransportError => (State::Terminated, &[Stop(Timer::Trying), TransportFailed]),
        // Nothing was sent yet that could be repeated.
        Trigger::Invite
        | Trigger::Ack
        | Trigger::TimerG
        | Trigger::TimerH
        | Trigger::TimerI
        | Trigger::TimerL => (State::Incoming, &[]),
    }
}

const fn proceeding(trigger: Trigger) -> Step {
    use Effect::{Repeat, Send, Start, TransportFailed};
    match trigger {
        Trigger::Invite => (State::Proceeding, &[Repeat]),
        Trigger::Provisional => (State::Proceeding, &[Send]),
        Trigger::Success => (State::Accepted, &[Start(Timer::L), Send]),
        Trigger::Failure => (State::Completed, &[Start(Timer::G), Start(Timer::H), Send]),
        Trigger::TransportError => (State::Terminated, &[TransportFailed]),
        Trigger::Ack
        | Trigger::Trying
        | Trigger::TimerG
        | Trigger::TimerH
        | Trigger::TimerI
        | Trigger::TimerL => (State::Proceeding, &[]),
    }
}

const fn accepted(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Success => (State::Accepted, &[Effect::Send]),
        Trigger::TimerL => (State::Terminated, &[]),
        // The session hears of the broken connection itself.
        Trigger::TransportError => (State::Terminated, &[Effect::Stop(Timer::L)]),
        Trigger::Invite
        | Trigger::Ack
        | Trigger::Provisional
        | Trigger::Failure
        | Trigger::Trying
        | Trigger::TimerG
        | Trigger::TimerH
        | Trigger::TimerI => (State::Accepted, &[]),
    }
}

const fn completed(trigger: Trigger) -> Step {
    use Effect::{Repeat, Start, StartDoubled, Stop, TimedOut, TransportFailed};
    match trigger {
        Trigger::Invite => (State::Completed, &[Repeat]),
        Trigger::Ack => (State::Confirmed, &[Stop(Timer::G), Stop(Timer::H), Start(Timer::I)]),
        Trigger::TimerG => (State::Completed, &[Repeat, StartDoubled(Timer::G)]),
        Trigger::TimerH => (State::Terminated, &[Stop(Timer::G), TimedOut]),
        Trigger::TransportError => (State::Terminated, &[Stop(Timer::G), Stop(Timer::H), TransportFailed]),
        Trigger::Provisional
        | Trigger::Success
        | Trigger::Failure
        | Trigger::Trying
        | Trigger::TimerI
        | Trigger::TimerL => (State::Completed, &[]),
    }
}

const fn confirmed(trigger: Trigger) -> Step {
    match trigger {
        Trigger::TimerI => (State::Terminated, &[]),
        Trigger::TransportError => (State::Terminated, &[Effect::Stop(Timer::I)]),
        Trigger::Invite
        | Trigger::Ack
        | Trigger::Provisional
        | Trigger::Success
        | Trigger::Failure
        | Trigger::Trying
        | Trigger::TimerG
        | Trigger::TimerH
        | Trigger::TimerL => (State::Confirmed, &[]),
    }
}

const fn terminated(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Invite
        | Trigger::Ack
        | Trigger::Provisional
        | Trigger::Success
        | Trigger::Failure
        | Trigger::Trying
        | Trigger::TimerG
        | Trigger::TimerH
        | Trigger::TimerI
        | Trigger::TimerL
        | Trigger::TransportError => (State::Terminated, &[]),
    }
}
