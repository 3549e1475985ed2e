//! The INVITE client transaction.
//!
//! ```text
//!              1xx                2xx
//!  Calling ---------> Proceeding -------> Accepted --timer M--> Terminated
//!     |                   | 300-699 (ACK)
//!     |                   +------------> Completed --timer D--> Terminated
//!     | timer A: sent again    timer B, transport error: Terminated
//! ```
//!
//! Over a reliable transport timer A never runs and timer D is over at once.
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
    /// A refusal came and was acknowledged; its repetitions are acknowledged, too.
    ///
    /// RFC 3261 17.1.1.2
    Completed,
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
    /// Timer A fired.
    ///
    /// RFC 3261 17.1.1.2
    TimerA,
    /// Timer B fired.
    ///
    /// RFC 3261 17.1.1.2
    TimerB,
    /// Timer D fired.
    ///
    /// RFC 3261 17.1.1.2
    TimerD,
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
    /// Send the INVITE again.
    ///
    /// RFC 3261 17.1.1.2
    Retransmit,
    /// Send the ACK for a refusal.
    ///
    /// RFC 3261 17.1.1.3
    Acknowledge,
    /// Start this timer.
    ///
    /// RFC 3261 17.1.1.2
    Start(Timer),
    /// Start this timer with twice its last value.
    ///
    /// RFC 3261 17.1.1.2
    StartDoubled(Timer),
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
pub const STATES: [State; 5] =
    [State::Calling, State::Proceeding, State::Accepted, State::Completed, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.1.1.2
pub const TRIGGERS: [Trigger; 8] = [
    Trigger::Provisional,
    Trigger::Success,
    Trigger::Failure,
    Trigger::TimerA,
    Trigger::TimerB,
    Trigger::TimerD,
    Trigger::TimerM,
    Trigger::TransportError,
];

/// One step of the INVITE client transaction; it starts in [`State::Calling`] with the timers A and B running.
///
/// RFC 3261 figure 5, RFC 6026 figure 5
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    match state {
        State::Calling => calling(trigger),
        State::Proceeding => proceeding(trigger),
        State::Accepted => accepted(trigger),
        State::Completed => completed(trigger),
        State::Terminated => terminated(trigger),
    }
}

type Step = (State, &'static [Effect]);

const fn calling(trigger: Trigger) -> Step {
    use Effect::{Acknowledge, PassUp, Retransmit, Start, StartDoubled, Stop, TimedOut, TransportFailed};
    match trigger {
        Trigger::Provisional => (State::Proceeding, &[Stop(Timer::A), Stop(Timer::B), PassUp]),
        Trigger::Success => (State::Accepted, &[Stop(Timer::A), Stop(Timer::B), Start(Timer::M), PassUp]),
        Trigger::Failure => {
            (State::Completed, &[Stop(Timer::A), Stop(Timer::B), Acknowledge, PassUp, Start(Timer::D)])
        }
        Trigger::TimerA => (State::Calling, &[Retransmit, StartDoubled(Timer::A)]),
        Trigger::TimerB => (State::Terminated, &[Stop(Timer::A), TimedOut]),
        Trigger::TimerD | Trigger::TimerM => (State::Calling, &[]),
        Trigger::TransportError => (State::Terminated, &[Stop(Timer::A), Stop(Timer::B), TransportFailed]),
    }
}

const fn proceeding(trigger: Trigger) -> Step {
    use Effect::{Acknowledge, PassUp, Start, TransportFailed};
    match trigger {
        Trigger::Provisional => (State::Proceeding, &[PassUp]),
        Trigger::Success => (State::Accepted, &[Start(Timer::M), PassUp]),
        Trigger::Failure => (State::Completed, &[Acknowledge, PassUp, Start(Timer::D)]),
        Trigger::TimerA | Trigger::TimerB | Trigger::TimerD | Trigger::TimerM => (State::Proceeding, &[]),
        Trigger::TransportError => (State::Terminated, &[TransportFailed]),
    }
}

const fn accepted(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Success => (State::Accepted, &[Effect::PassUp]),
        Trigger::TimerM => (State::Terminated, &[]),
        // The user has its 2xx already and hears of the broken connection itself.
        Trigger::TransportError => (State::Terminated, &[Effect::Stop(Timer::M)]),
        Trigger::Provisional | Trigger::Failure | Trigger::TimerA | Trigger::TimerB | Trigger::TimerD => {
            (State::Accepted, &[])
        }
    }
}

const fn completed(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Failure => (State::Completed, &[Effect::Acknowledge]),
        Trigger::TimerD => (State::Terminated, &[]),
        // The user has its refusal already.
        Trigger::TransportError => (State::Terminated, &[Effect::Stop(Timer::D)]),
        Trigger::Provisional | Trigger::Success | Trigger::TimerA | Trigger::TimerB | Trigger::TimerM => {
            (State::Completed, &[])
        }
    }
}

const fn terminated(trigger: Trigger) -> Step {
    match trigger {
        Trigger::Provisional
        | Trigger::Success
        | Trigger::Failure
        | Trigger::TimerA
        | Trigger::TimerB
        | Trigger::TimerD
        | Trigger::TimerM
        | Trigger::TransportError => (State::Terminated, &[]),
    }
}
