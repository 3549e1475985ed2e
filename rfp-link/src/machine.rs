//! The states of a link, as one total function without data: [`step`].
#![doc = include_str!("../docs/states/link.md")]

use crate::error::Rule;

/// Where a link is.
///
/// docs/radio-link.md 7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Our hello is on its way; the peer's is awaited.
    HelloSent,
    /// Both hellos agree; messages flow.
    Up,
    /// One end refused the other; the owner closes the connection.
    Refused,
    /// The link has ended; the owner closes the connection.
    Closed,
}

/// What can happen to a link.
///
/// docs/radio-link.md 7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// The peer's hello, and it suits us.
    HelloSuits,
    /// The peer's hello, and it does not suit us.
    HelloDoesNotSuit,
    /// The peer refuses us.
    PeerRefuses,
    /// The peer ends the link.
    PeerCloses,
    /// A message for the owner.
    Message,
    /// The peer asks whether we are there.
    Heartbeat,
    /// The peer is there.
    HeartbeatAnswer,
    /// A message type of a newer edition.
    Unknown,
    /// Octets or a message against the rules.
    Breach,
    /// Nothing was received for the heartbeat interval.
    Silence,
    /// Nothing was received for the time limit.
    TimeOut,
    /// The peer does not read: too much waits to be sent.
    Congestion,
    /// The connection below is gone.
    ConnectionLost,
    /// The owner refuses the peer.
    Refuse,
    /// The owner ends the link.
    Close,
}

/// What a link does when something happens to it.
///
/// docs/radio-link.md 7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Tell the owner that the link is up, with the peer's hello.
    ReportUp,
    /// Give the message to the owner.
    ReportMessage,
    /// Tell the owner who refused whom and why.
    ReportRefused,
    /// Tell the owner that the link has ended and why.
    ReportDown,
    /// Send a refusal.
    SendRefuse,
    /// Send the end of the link.
    SendClose,
    /// Send a heartbeat and wait for the next silence.
    SendHeartbeat,
    /// Answer a heartbeat.
    SendHeartbeatAnswer,
    /// The peer is alive: start both timers anew.
    Restart,
    /// The peer broke this rule: send the end of the link and tell the owner.
    Break(Rule),
}

/// The state that follows, and what is to be done, in order.
///
/// docs/radio-link.md 7
#[must_use]
pub fn step(state: State, trigger: Trigger) -> (State, &'static [Action]) {
    match state {
        State::HelloSent => hello_sent(trigger),
        State::Up => up(trigger),
        State::Refused => match trigger {
            Trigger::ConnectionLost | Trigger::Close => (State::Closed, &[]),
            Trigger::HelloSuits
            | Trigger::HelloDoesNotSuit
            | Trigger::PeerRefuses
            | Trigger::PeerCloses
            | Trigger::Message
            | Trigger::Heartbeat
            | Trigger::HeartbeatAnswer
            | Trigger::Unknown
            | Trigger::Breach
            | Trigger::Silence
            | Trigger::TimeOut
            | Trigger::Congestion
            | Trigger::Refuse => (State::Refused, &[]),
        },
        State::Closed => (State::Closed, &[]),
    }
}

fn hello_sent(trigger: Trigger) -> (State, &'static [Action]) {
    match trigger {
        Trigger::HelloSuits => (State::Up, &[Action::Restart, Action::ReportUp]),
        Trigger::HelloDoesNotSuit | Trigger::Refuse => {
            (State::Refused, &[Action::SendRefuse, Action::ReportRefused])
        }
        Trigger::PeerRefuses => (State::Refused, &[Action::ReportRefused]),
        Trigger::PeerCloses | Trigger::TimeOut | Trigger::Congestion | Trigger::ConnectionLost => {
            (State::Closed, &[Action::ReportDown])
        }
        Trigger::Message | Trigger::Heartbeat | Trigger::HeartbeatAnswer | Trigger::Unknown => {
            (State::Closed, &[Action::Break(Rule::HelloFirst)])
        }
        Trigger::Breach | Trigger::Close => (State::Closed, &[Action::SendClose, Action::ReportDown]),
        // The heartbeat begins with the peer's hello.
        Trigger::Silence => (State::HelloSent, &[]),
    }
}

fn up(trigger: Trigger) -> (State, &'static [Action]) {
    match trigger {
        Trigger::HelloSuits | Trigger::HelloDoesNotSuit => {
            (State::Closed, &[Action::Break(Rule::SecondHello)])
        }
        Trigger::PeerRefuses => (State::Refused, &[Action::ReportRefused]),
        Trigger::PeerCloses | Trigger::TimeOut | Trigger::Congestion | Trigger::ConnectionLost => {
            (State::Closed, &[Action::ReportDown])
        }
        Trigger::Message => (State::Up, &[Action::Restart, Action::ReportMessage]),
        Trigger::Heartbeat => (State::Up, &[Action::Restart, Action::SendHeartbeatAnswer]),
        Trigger::HeartbeatAnswer | Trigger::Unknown => (State::Up, &[Action::Restart]),
        Trigger::Breach | Trigger::Close => (State::Closed, &[Action::SendClose, Action::ReportDown]),
        Trigger::Silence => (State::Up, &[Action::SendHeartbeat]),
        Trigger::Refuse => (State::Refused, &[Action::SendRefuse, Action::ReportRefused]),
    }
}
