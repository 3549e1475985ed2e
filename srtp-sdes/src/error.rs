//! What can go wrong, and whose fault it is.

use core::fmt;

/// Why a key line, an offer or an answer could not be used.
///
/// RFC 4568 7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The line breaks the grammar: nobody may send it.
    #[error("{rule} (at byte {at})")]
    Malformed {
        /// Offset into the line as it was given.
        at: usize,
        /// The rule that was broken.
        rule: Rule,
    },
    /// The answer is well-formed and does not fit the offer.
    #[error("{0}")]
    Misbehaved(Breach),
    /// One side wants no cipher, the other nothing else.
    #[error("{0}")]
    Refused(#[from] Refusal),
}

/// The rule of the grammar that a line broke.
///
/// RFC 4568 9.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The line is no `a=crypto` line.
    Attribute,
    /// One to nine digits.
    Tag,
    /// A suite this crate knows.
    Suite,
    /// `inline:`.
    KeyMethod,
    /// Base64 of key and salt.
    Base64,
    /// Key and salt of exactly the suite's length.
    KeyLength,
    /// Decimal or `2^n`, from 1 to 2^48.
    Lifetime,
    /// One to 128 octets.
    MkiLength,
    /// A decimal number that fits its octets.
    MkiValue,
    /// At most lifetime and MKI behind a key.
    KeyField,
    /// Several keys of one line have distinct MKIs of equal length.
    MkiSet,
    /// A session parameter with an impossible value, or one given twice.
    SessionParameter,
    /// A mandatory session parameter that is not understood.
    UnknownParameter,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attribute => "not an a=crypto line",
            Self::Tag => "the tag is one to nine digits",
            Self::Suite => "the crypto-suite is not one of ours",
            Self::KeyMethod => "the key method is not inline",
            Self::Base64 => "key and salt are not base64",
            Self::KeyLength => "key and salt have not the length of the suite",
            Self::Lifetime => "the lifetime is not a number from 1 to 2^48",
            Self::MkiLength => "the MKI has 1 to 128 octets",
            Self::MkiValue => "the MKI value is not a number that fits its octets",
            Self::KeyField => "only a lifetime and an MKI may follow a key",
            Self::MkiSet => "several keys of one line need distinct MKIs of equal length",
            Self::SessionParameter => "a session parameter has no meaning",
            Self::UnknownParameter => "a mandatory session parameter is not understood",
        })
    }
}

/// The rule of offer and answer that an answer broke.
///
/// RFC 4568 5.1.3, 7.1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Breach {
    /// Exactly one crypto line answers.
    SeveralLines,
    /// A secured profile needs a crypto line.
    NoLine,
    /// A crypto line answers an offer that had none.
    NotOffered,
    /// The answered tag was not offered.
    UnknownTag,
    /// The answered suite is not the one offered under that tag.
    OtherSuite,
    /// Session parameters were added or left out that must be repeated.
    OtherParameters,
    /// The answer sends our own key back to us.
    RepeatedKey,
    /// The offer was clear, the answer is secured.
    OtherProfile,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SeveralLines => "the answer has more than one crypto line",
            Self::NoLine => "the answer says RTP/SAVP without a crypto line",
            Self::NotOffered => "the answer has a crypto line and the offer had none",
            Self::UnknownTag => "the answer's tag was not offered",
            Self::OtherSuite => "the answer's suite is not the one offered under its tag",
            Self::OtherParameters => "the answer adds or drops session parameters",
            Self::RepeatedKey => "the answer repeats the key of the offer",
            Self::OtherProfile => "the answer is secured and the offer was clear",
        })
    }
}

/// Why an offer is refused.
///
/// RFC 4568 7.1.2, MS-SDPEXT 3.1.5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The offer is secured, and none of its lines can be used.
    #[error("no-usable-crypto")]
    NoUsableCrypto,
    /// The offer is clear, and the policy demands security.
    #[error("crypto-required")]
    CryptoRequired,
    /// The offer is secured, and the policy forbids it.
    #[error("crypto-forbidden")]
    CryptoForbidden,
}

/// Why a packet was not protected.
///
/// RFC 3711 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectError {
    /// CSRC list or header extension overrun the packet, or it is no RTP version 2.
    #[error("malformed")]
    Malformed,
    /// Shorter than a header.
    #[error("too-short")]
    TooShort,
    /// No room behind the packet for index, MKI and tag.
    #[error("no-room")]
    NoRoom,
    /// The index was protected before with this key.
    #[error("replayed")]
    Replayed,
    /// The index is older than the list of those protected before.
    #[error("too-old")]
    TooOld,
    /// The lifetime of the master key or the index space is used up.
    #[error("key-expired")]
    KeyExpired,
    /// More synchronisation sources than the context keeps.
    #[error("too-many-sources")]
    TooManySources,
    /// The payload is longer than one key stream.
    #[error("too-long")]
    TooLong,
}

/// Why a packet was dropped. The packet and all state are as before.
///
/// RFC 3711 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UnprotectError {
    /// CSRC list or header extension overrun the packet, or it is no RTP version 2.
    #[error("malformed")]
    Malformed,
    /// Shorter than header, MKI and tag.
    #[error("too-short")]
    TooShort,
    /// No key has this MKI.
    #[error("unknown-mki")]
    UnknownMki,
    /// The index was received before.
    #[error("replayed")]
    Replayed,
    /// The index is older than the replay list.
    #[error("too-old")]
    TooOld,
    /// The tag is wrong, or the E bit is not what was agreed.
    #[error("authentication-failed")]
    AuthenticationFailed,
    /// The index space or the packets of the master key are used up.
    #[error("key-expired")]
    KeyExpired,
    /// More synchronisation sources than the context keeps.
    #[error("too-many-sources")]
    TooManySources,
    /// The payload is longer than one key stream.
    #[error("too-long")]
    TooLong,
}
