//! What can be wrong, where, and by which rule.

use thiserror::Error as ThisError;

use crate::refusal::Refusal;

/// Why octets were not understood or a value could not be built.
///
/// EN 300 175-5 17
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The peer sent octets that break a coding rule; `at` is the offset of the first wrong octet.
    #[error("octet {at}: {rule}")]
    Malformed {
        /// Offset of the octet at which the rule was broken.
        at: usize,
        /// The broken rule.
        rule: Rule,
    },
    /// A text or number given by the user does not form the value.
    #[error("{0}")]
    Value(Rule),
    /// A machine refuses a command of its owner.
    #[error("{0}")]
    Refused(Refusal),
}

impl Error {
    /// The same error seen from a buffer in which the octets began `base` octets later.
    ///
    /// EN 300 175-5 17.1
    #[must_use]
    pub const fn behind(self, base: usize) -> Self {
        match self {
            Self::Malformed { at, rule } => Self::Malformed { at: at.saturating_add(base), rule },
            other => other,
        }
    }

    /// The offset of the wrong octet, when octets were read.
    ///
    /// EN 300 175-5 17.1
    pub const fn at(&self) -> Option<usize> {
        match self {
            Self::Malformed { at, .. } => Some(*at),
            Self::Value(_) | Self::Refused(_) => None,
        }
    }
}

/// The rules of the coding which a peer or a user can break.
///
/// EN 300 175-5 7, 8, 17; EN 300 175-4 7; EN 300 175-6 4, 5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ThisError)]
#[non_exhaustive]
pub enum Rule {
    /// A message has at least a protocol discriminator octet and a message type.
    #[error("message too short for a message type (EN 300 175-5 17.2)")]
    MessageTooShort,
    /// A message longer than any link layer of ours delivers.
    #[error("message longer than 4096 octets (EN 300 175-5 17.2)")]
    MessageTooLong,
    /// The protocol discriminator is reserved or unknown.
    #[error("unknown protocol discriminator (EN 300 175-5 17.1)")]
    ProtocolDiscriminator,
    /// The message type is not defined for the protocol.
    #[error("unknown message type (EN 300 175-5 17.4)")]
    MessageType,
    /// An element or a field ends beyond its container.
    #[error("cut off (EN 300 175-5 7.5)")]
    Truncated,
    /// More octets than the element or the value may have.
    #[error("too long (EN 300 175-5 17.5.2)")]
    TooLong,
    /// The value is reserved by the standard.
    #[error("reserved value (EN 300 175-5 17.5.3)")]
    Reserved,
    /// The number of valid bits does not fit the identity type.
    #[error("length of the identity does not fit its type (EN 300 175-5 7.7.18, 7.7.30)")]
    IdentityLength,
    /// A number does not fit into its field.
    #[error("number out of range (EN 300 175-6 4, 5)")]
    Range,
    /// A character that is no digit of the expected base.
    #[error("not a digit (EN 300 175-6 4, 5)")]
    Digit,
    /// The text of an identity has the wrong number of digits.
    #[error("wrong number of digits (EN 300 175-6 annex C)")]
    DigitCount,
    /// The check digit does not belong to the other digits.
    #[error("wrong check digit (EN 300 175-6 annex C)")]
    CheckDigit,
    /// A paging message has three or five octets.
    #[error("a paging message has 3 or 5 octets (EN 300 175-5 8.2)")]
    PageLength,
    /// A frame has address, control and length octets.
    #[error("frame too short (EN 300 175-4 7.2)")]
    FrameTooShort,
    /// The two checksum octets do not fit the frame and its link signature.
    #[error("wrong frame checksum (EN 300 175-4 7.10)")]
    FrameChecksum,
    /// The length indicator exceeds the frame or a reserved bit has the wrong value.
    #[error("wrong length field of the frame (EN 300 175-4 7.7)")]
    FrameLength,
    /// A control field no frame type has.
    #[error("unknown control field (EN 300 175-4 7.5)")]
    FrameControl,
    /// A segment of an element does not go on where the one before it ended.
    #[error("segment out of order (EN 300 175-5 7.7.37)")]
    Segment,
    /// The reassembled service data unit would exceed its limit.
    #[error("segmented message too long (EN 300 175-4 7.7)")]
    Reassembly,
}
