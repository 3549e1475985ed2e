//! Why a message, a login or a signature is not accepted.

use thiserror::Error;

/// What went wrong.
///
/// MS-NLMP 3.1.5, 3.2.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer sent octets that nobody may send; `at` counts from the start of the message.
    #[error("malformed at octet {at}: {rule}")]
    Malformed {
        /// Where it was noticed.
        at: usize,
        /// The rule that was broken.
        rule: Rule,
    },
    /// We do not go on with this peer.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A signature that does not belong to the text, the key or the sequence number.
    #[error("the signature is wrong")]
    BadSignature,
    /// A message of that number was there before.
    #[error("the message was there before")]
    Replayed,
    /// The security association has ended.
    #[error("the security association has ended")]
    Expired,
    /// A text or a name that the protocol cannot carry.
    #[error("does not fit into a message")]
    TooLong,
}

/// A rule of the messages.
///
/// MS-NLMP 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Rule {
    /// MS-NLMP 2.2.1
    #[error("the message does not begin with NTLMSSP")]
    Magic,
    /// MS-NLMP 2.2.1
    #[error("another type of message is expected")]
    Type,
    /// MS-NLMP 2.2.1
    #[error("the message is shorter than its fields")]
    Truncated,
    /// MS-NLMP 2.2.1
    #[error("a field lies outside the message")]
    FieldOutside,
    /// MS-NLMP 2.2.1
    #[error("a field begins inside the header")]
    FieldInHeader,
    /// MS-NLMP 2.2.1
    #[error("two fields overlap")]
    FieldsOverlap,
    /// MS-NLMP 2.2.1
    #[error("the message is too long")]
    TooLong,
    /// MS-NLMP 2.2.2.1
    #[error("the list of attributes is broken")]
    AvPairs,
    /// MS-NLMP 2.2.2.5
    #[error("text is not UTF-16")]
    Text,
    /// MS-NLMP 2.2.2.8
    #[error("the response is not one of NTLMv2")]
    Response,
}

/// Why we do not go on with a peer.
///
/// MS-NLMP 3.1.5.1.2, 3.2.5.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A flag that we demand is missing, so that the peer or somebody between would weaken the login.
    #[error("a required flag is missing")]
    Flags,
    /// Flags that were not offered.
    #[error("the answer has flags that were not offered")]
    FlagsNotOffered,
    /// The challenge names no computer or no domain.
    #[error("the challenge lacks the names of computer and domain")]
    NoNames,
    /// User or password is empty, or there is none.
    #[error("anonymous logins are not made and not taken")]
    Anonymous,
    /// The clocks are too far apart.
    #[error("the clocks are too far apart")]
    ClockSkew,
    /// NTLMv1 or LM.
    #[error("NTLMv1 and LM are not taken")]
    WeakResponse,
    /// Unknown user or wrong password; which of them is nobody's business.
    #[error("the login failed")]
    LoginFailed,
    /// The encrypted session key has not 16 octets.
    #[error("the session key is missing")]
    NoSessionKey,
    /// The message integrity code is wrong, or announced and not there.
    #[error("the message integrity code is wrong")]
    WrongMic,
    /// The message integrity code is missing although it is required.
    #[error("the message integrity code is missing")]
    NoMic,
    /// The login is bound to another channel, or to none although it must be.
    #[error("the login is bound to another channel")]
    ChannelBinding,
    /// The login is meant for another server.
    #[error("the login is meant for another server")]
    TargetName,
    /// The attributes in the response are not those of the challenge: somebody between changed them.
    #[error("the attributes of the challenge were changed")]
    TargetInfo,
    /// A TLS cipher suite of which it is not known how TLS-DSK signs with it.
    #[error("it is not known how TLS-DSK signs with this cipher suite")]
    CipherSuite,
    /// A token that nobody asked for, or one after the login was over.
    #[error("a token that nobody asked for")]
    Token,
}
