//! What can be wrong with octets, with a peer, or with a request of the owner.

use thiserror::Error;

use crate::role::Role;

/// Why octets, a message or a request was not accepted.
///
/// docs/radio-link.md 8
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer sent octets that nobody may send; `at` counts from the first octet of the frame's body.
    #[error("malformed at octet {at} of the frame: {rule}")]
    Malformed {
        /// Offset from the message type (0) of the frame.
        at: usize,
        /// The rule that was broken.
        rule: Rule,
    },
    /// The peer sent a well-formed message that is forbidden now or for its role.
    #[error("the {by} misbehaved: {rule}")]
    Misbehaved {
        /// Who broke the rule.
        by: Role,
        /// The rule that was broken.
        rule: Rule,
    },
    /// The owner asked for something that needs an open link.
    #[error("the link is not up")]
    NotUp,
    /// The owner wants to send a message that only the other side sends, or one the link sends itself.
    #[error("this side does not send that message")]
    NotOurs,
    /// The message does not fit its bounds.
    #[error("the message does not fit: {0}")]
    Unsendable(Rule),
    /// More octets wait to be sent than the link holds: the peer does not read.
    #[error("the peer does not read: more than {limit} octets are waiting")]
    Congested {
        /// The most octets that may wait.
        limit: usize,
    },
}

/// A rule of the radio link that can be broken.
///
/// docs/radio-link.md 8
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Rule {
    /// docs/radio-link.md 2
    #[error("a frame has 1 to 4096 octets behind its length")]
    FrameLength,
    /// docs/radio-link.md 2
    #[error("the frame ends inside a field")]
    FieldMissing,
    /// docs/radio-link.md 2
    #[error("octets follow the last field")]
    OctetsLeft,
    /// docs/radio-link.md 4
    #[error("unknown message type")]
    UnknownType,
    /// docs/radio-link.md 2.1
    #[error("a value that the field does not have")]
    UnknownValue,
    /// docs/radio-link.md 2.1
    #[error("text must be UTF-8 without control characters")]
    Text,
    /// docs/radio-link.md 2.1
    #[error("a field is longer than its bound")]
    FieldLength,
    /// docs/radio-link.md 3
    #[error("a hello begins with the letters RFPL")]
    Magic,
    /// docs/radio-link.md 3
    #[error("the lowest version is not above the highest and neither is zero")]
    VersionRange,
    /// docs/radio-link.md 3
    #[error("the hello comes first")]
    HelloFirst,
    /// docs/radio-link.md 3
    #[error("one hello for each connection")]
    SecondHello,
    /// docs/radio-link.md 4
    #[error("only the other side sends this message")]
    Direction,
}
