//! The server transaction of every method but INVITE, over a reliable transport.
//!
//! ```text
//!             1xx
//!  Trying ---------> Proceeding
//!     |                  |
//!     | 200-699, transport error: Terminated
//! ```
//!
//! `Completed` is left in the step that enters it because timer J is zero over a reliable transport.
#![doc = include_str!("../../docs/states/server.md")]

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
    /// Tell the transaction user that the connection broke.
    ///
    /// RFC 3261 17.2.4
    TransportFailed,
}

/// Every state, in the order of the standard.
///
/// RFC 3261 17.2.2
pub const STATES: [State; 3] = [State::Trying, State::Proceeding, State::Terminated];

/// Every trigger.
///
/// RFC 3261 17.2.2
pub const TRIGGERS: [Trigger; 4] =
    [Trigger::Request, Trigger::Provisional, Trigger::Final, Trigger::TransportError];

/// One step of the server transaction; it starts in [`State::Trying`].
///
/// RFC 3261 figure 8
#[must_use]
pub const fn step(state: State, trigger: Trigger) -> (State, &'static [Effect]) {
    use Effect::{Repeat, Send, TransportFailed};
    match (state, trigger) {
        (State::Trying, Trigger::Request) => (State::Trying, &[]),
        (State::Trying | State::Proceeding, Trigger::Provisional) => (State::Proceeding, &[Send]),
        (State::Trying | State::Proceeding, Trigger::Final) => (State::Terminated, &[Send]),
        (State::Trying | State::Proceeding, Trigger::TransportError) => {
            (State::Terminated, &[TransportFailed])
        }
        (State::Proceeding, Trigger::Request) => (State::Proceeding, &[Repeat]),
        (
            State::Terminated,
            Trigger::Request | Trigger::Provisional | Trigger::Final | Trigger::TransportError,
        ) => (State::Terminated, &[]),
    }
}
