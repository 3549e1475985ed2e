//! What a parser says about bytes nobody may send: where, and which rule.

use core::fmt;

use crate::headers::HeaderName;

/// Bytes that break the grammar: the place, the rule and, where there is one, the header field.
///
/// `at` counts bytes from the start of what was parsed: the message when a message was parsed, the text when a single
/// value was.
///
/// RFC 3261 25.1
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParseError {
    /// Offset of the first byte that does not fit.
    pub at: usize,
    /// The rule of the grammar that was broken.
    pub rule: Rule,
    /// The header field in which it was broken.
    pub header: Option<HeaderName>,
}

impl ParseError {
    /// An error at an offset, outside of any header field.
    ///
    /// RFC 3261 25.1
    pub const fn new(at: usize, rule: Rule) -> Self {
        Self { at, rule, header: None }
    }

    /// The same error, seen from a text in which the parsed one starts at `offset`.
    ///
    /// RFC 3261 25.1
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.at = self.at.saturating_add(offset);
        self
    }

    /// The same error, with the header field it was found in.
    ///
    /// RFC 3261 25.1
    #[must_use]
    pub fn within(mut self, header: HeaderName) -> Self {
        self.header = Some(header);
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(header) = &self.header {
            write!(f, "{header} ")?;
        }
        write!(f, "at byte {}: {}", self.at, self.rule.text())
    }
}

impl std::error::Error for ParseError {}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The rules of the grammar that a message can break.
        ///
        /// RFC 3261 25.1
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule { $($(#[doc = $doc])+ $name,)+ }

        impl Rule {
            /// What was expected, in words.
            ///
            /// RFC 3261 25.1
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

rules! {
    /// The input holds no message at all. RFC 3261 7
    Empty = "no message",
    /// A start line is `Method SP Request-URI SP SIP-Version` or a status line. RFC 3261 7.1
    StartLine = "expected a request line or a status line",
    /// A method is a token. RFC 3261 25.1
    Method = "expected a method",
    /// The version is `SIP/` digits `.` digits. RFC 3261 7.1
    Version = "expected SIP/2.0",
    /// A status code has three digits, 100 to 699. RFC 3261 7.2
    StatusCode = "expected a status code of three digits",
    /// A line ends with CR LF; neither stands alone in a head. RFC 3261 7
    LineEnd = "a line ends with CR LF",
    /// A header field name is a token. RFC 3261 25.1
    HeaderName = "expected a header field name",
    /// A colon follows the header field name. RFC 3261 7.3.1
    Colon = "expected a colon after the header field name",
    /// Header fields are UTF-8. RFC 3261 25.1
    Utf8 = "not UTF-8",
    /// The head is longer than the limit. RFC 3261 21.5.7
    HeadTooLong = "the head of the message is too long",
    /// One line is longer than the limit. RFC 3261 21.5.7
    LineTooLong = "a line of the message is too long",
    /// There are more header fields than the limit allows. RFC 3261 21.5.7
    TooManyHeaders = "too many header fields",
    /// A token is missing. RFC 3261 25.1
    Token = "expected a token",
    /// A quoted string does not end, or does not begin. RFC 3261 25.1
    QuotedString = "expected a quoted string that ends",
    /// A number is missing. RFC 3261 25.1
    Number = "expected a number",
    /// A number is larger than its field allows. RFC 3261 25.1
    NumberTooLarge = "the number is too large",
    /// A parameter is `;` name, optionally `=` value. RFC 3261 25.1
    Parameter = "expected a parameter",
    /// A URI starts with a scheme and a colon. RFC 3261 19.1.1
    Scheme = "expected the scheme of a URI",
    /// The user part of a URI has characters outside its class. RFC 3261 19.1.2
    UserPart = "a character that must be escaped in the user part of a URI",
    /// A host is a name, an IPv4 address or an IPv6 reference. RFC 3261 25.1
    Host = "expected a host",
    /// A port is a number up to 65535. RFC 3261 25.1
    Port = "expected a port",
    /// A URI parameter has characters outside its class. RFC 3261 19.1.1
    UriParameter = "expected a parameter of a URI",
    /// A URI header has characters outside its class. RFC 3261 19.1.1
    UriHeader = "expected a header of a URI",
    /// A percent sign is followed by two hexadecimal digits. RFC 3261 19.1.2
    Escape = "expected two hexadecimal digits after the percent sign",
    /// A URI in angle brackets ends with one. RFC 3261 25.1
    AngleBracket = "expected a closing angle bracket",
    /// A display name is tokens or a quoted string. RFC 3261 25.1
    DisplayName = "expected a display name",
    /// A URI with a comma, question mark or semicolon stands in angle brackets. RFC 3261 20.10
    BareUri = "this URI needs angle brackets",
    /// A comma or the end of the value is expected. RFC 3261 25.1
    Comma = "expected a comma or the end",
    /// The value has text after its end. RFC 3261 25.1
    Trailing = "unexpected text after the value",
    /// `sent-protocol` of Via is name, version and transport. RFC 3261 20.42
    SentProtocol = "expected SIP/2.0/transport",
    /// A media type is type, slash and subtype. RFC 3261 25.1
    MediaType = "expected a media type",
    /// A date is written as RFC 1123 demands, in GMT. RFC 3261 20.17
    Date = "expected a date in GMT",
    /// A word of the grammar of this header field is missing. RFC 3261 25.1
    Keyword = "expected one of the words of this header field",
    /// A header field that occurs once occurs more often. RFC 3261 7.3.1
    Repeated = "this header field may occur once only",
    /// A quality value is 0 to 1 with at most three digits behind the point. RFC 3261 25.1
    Quality = "expected a quality value from 0 to 1",
    /// A multipart type has a boundary of 1 to 70 characters. RFC 2046 5.1.1
    Boundary = "expected a boundary parameter",
    /// A body part does not end with the boundary. RFC 2046 5.1.1
    MultipartEnd = "the closing boundary is missing",
    /// A multipart body has more parts than the limit allows. RFC 2046 5.1.1
    TooManyParts = "too many body parts",
    /// A line of a session description is a letter, `=` and a value. RFC 8866 5
    SdpLine = "expected a letter and an equals sign",
    /// A session description starts with `v=0`. RFC 8866 5.1
    SdpVersion = "expected v=0",
    /// `o=` has six fields. RFC 8866 5.2
    SdpOrigin = "expected the six fields of o=",
    /// `c=` has network type, address type and address. RFC 8866 5.7
    SdpConnection = "expected the three fields of c=",
    /// `b=` is type, colon and number. RFC 8866 5.8
    SdpBandwidth = "expected the type and the number of b=",
    /// `t=` has two numbers. RFC 8866 5.9
    SdpTime = "expected the two numbers of t=",
    /// `m=` has media, port, protocol and formats. RFC 8866 5.14
    SdpMedia = "expected media, port, protocol and formats of m=",
    /// An attribute's value does not have its form. RFC 8866 6
    SdpAttribute = "the value of this attribute does not have its form",
    /// A candidate line has neither of the two forms in use. MS-ICE2 2.2
    SdpCandidate = "expected a candidate",
    /// The session description has more lines than the limit allows. RFC 8866 5
    SdpTooLong = "the session description has too many lines",
    /// A mandatory line of the session description is missing. RFC 8866 5
    SdpMissing = "a mandatory line of the session description is missing",
    /// A STUN message starts with two zero bits and has a header of 20 octets. RFC 8489 5
    StunHeader = "expected a STUN header",
    /// The length of a STUN message is that of its attributes. RFC 8489 5
    StunLength = "the length in the STUN header does not fit",
    /// The cookie follows the length. RFC 8489 5
    StunCookie = "expected the magic cookie",
    /// An attribute lies within its message. RFC 8489 14
    StunAttributeLength = "a STUN attribute does not fit into its message",
    /// The value of an attribute has its form. RFC 8489 14
    StunAttributeValue = "the value of this STUN attribute does not have its form",
    /// FINGERPRINT is the last attribute. RFC 8489 14.7
    StunFingerprintLast = "an attribute stands behind FINGERPRINT",
    /// The cookie attribute is the first of MS-TURN. MS-TURN 2.2.2
    StunMagicCookie = "expected the magic cookie attribute first",
    /// A stream holds frames of its framing. RFC 4571 2, MS-TURN 2.1
    StunFrame = "the stream has lost its frames",
    /// The stream starts with the fixed hello. MS-TURN 2.1
    PseudoTls = "expected the fixed beginning of a TLS handshake",
    /// A message of the media relay authentication service has its form. MS-AVEDGEA 2.2
    MediaRelayAuthentication = "expected a message of the media relay authentication service",
    /// A body is a well-formed document of its type, without a document type, within bounds. RFC 4575 5
    Document = "expected a well-formed document of this type",
}

/// What went wrong, and whose fault it is.
///
/// RFC 3261 8, 18.3
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer sent bytes nobody may send.
    #[error("malformed: {0}")]
    Malformed(#[from] ParseError),
    /// The peer sent something well-formed that is forbidden now.
    #[error("forbidden now: {0}")]
    Misbehaved(Breach),
    /// We may not or will not do what was asked for.
    #[error("refused: {0}")]
    Refused(Refusal),
}

/// A rule of behaviour that a peer broke.
///
/// RFC 3261 18.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Breach {
    /// A stream cannot be framed any more. RFC 3261 18.3
    #[error("the stream has lost its framing")]
    Framing,
    /// A message is longer than any check. RFC 8489 6.1
    #[error("the message is too long for a check")]
    OversizedCheck,
    /// A STUN message is none that an ICE agent knows. RFC 8445 7
    #[error("the message is no connectivity check")]
    NoCheck,
    /// A check has no FINGERPRINT, or a wrong one. RFC 8445 7.1
    #[error("the FINGERPRINT of the check is missing or wrong")]
    CheckFingerprint,
    /// A check or its answer was not written by the peer. RFC 8489 9.1
    #[error("the check or its answer was not written by the peer")]
    UnauthenticatedCheck,
    /// A check is for somebody else. RFC 8445 7.3
    #[error("the check names another agent")]
    ForeignCheck,
    /// A check has an attribute that must be understood and is not known. RFC 8489 6.3.1
    #[error("the check has an unknown attribute")]
    UnknownAttribute,
    /// Both agents claim one role; the peer is to change. RFC 8445 7.3.1.1
    #[error("the peer claims our role")]
    RoleConflict,
    /// A check brought one candidate too many: it is not answered, so that the peer does not take that pair.
    /// RFC 8445 7.3.1.4
    #[error("the check brings one candidate too many")]
    TooManyCandidates,
    /// A check came on a path that the bandwidth policy refuses: it is not answered. MS-TURNBWM 3.1
    #[error("the check came on a path that the bandwidth policy refuses")]
    RefusedPath,
    /// An answer belongs to no check, or says nothing. RFC 8445 7.2.5
    #[error("the answer belongs to no check")]
    UnexpectedAnswer,
    /// An answer came another way than its check went. RFC 8445 7.2.5.2.1
    #[error("the answer came from another address than was asked")]
    AnswerFromElsewhere,
    /// A STUN server refused to answer. RFC 8489 6.3.4
    #[error("the server refused")]
    ServerRefused,
    /// A server sent a message that is none, or from elsewhere. RFC 8489 6.3
    #[error("not a message of the server")]
    NotFromServer,
}

/// Why something that was asked for is not done.
///
/// RFC 3261 8, 12, 14, 17
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A request has no branch. RFC 3261 8.1.1.7
    #[error("the request has no branch")]
    NoBranch,
    /// A branch belongs to another transaction. RFC 3261 8.1.1.7
    #[error("the branch belongs to another transaction")]
    BranchInUse,
    /// The limit of transactions of this flow is reached. RFC 3261 26.3.2.4
    #[error("too many transactions on this flow")]
    TooManyTransactions,
    /// There is no such transaction. RFC 3261 9.1
    #[error("there is no such transaction")]
    UnknownTransaction,
    /// There is no such flow. RFC 3261 18
    #[error("there is no such flow")]
    UnknownFlow,
    /// A flow of this number stands already. RFC 3261 18
    #[error("a flow of this number stands already")]
    FlowInUse,
    /// There is no such user. RFC 3261 6
    #[error("there is no such user")]
    UnknownUser,
    /// The user has no flow: neither registered nor routed. RFC 3261 8.1.2
    #[error("the user has no flow")]
    NoFlow,
    /// There is no such session. RFC 3261 13
    #[error("there is no such session")]
    UnknownSession,
    /// The limit of sessions is reached. RFC 3261 21.4.18
    #[error("too many sessions")]
    TooManySessions,
    /// The limit of subscriptions is reached. RFC 6665 4.4
    #[error("too many subscriptions")]
    TooManySubscriptions,
    /// The address is none of a conference, or the conference does not stand. MS-CONFBAS 3.1
    #[error("no conference")]
    NoConference,
    /// An offer is open, or the session does not stand yet. RFC 3264 4, RFC 3261 14.1
    #[error("no offer is allowed now")]
    OfferNotAllowed,
    /// A transfer is under way, or a session does not stand. RFC 3515 2.4
    #[error("no transfer is possible now")]
    TransferNotAllowed,
    /// The method has a verb of its own or belongs to a session. RFC 3261 8.1
    #[error("this method cannot be sent as a plain request")]
    MethodNotAllowed,
    /// The buffer has no room for the STUN message. RFC 8489 5
    #[error("the buffer is too small for this message")]
    BufferTooSmall,
    /// A STUN message or attribute would be longer than its length field counts. RFC 8489 5
    #[error("the message is too long")]
    StunTooLong,
    /// The dialect has no number for a STUN attribute. RFC 8489 14
    #[error("the dialect does not know this attribute")]
    NotInDialect,
    /// The message does not end with FINGERPRINT. MS-ICE2 3.1.4.8.2
    #[error("the message does not end with FINGERPRINT")]
    NoFingerprint,
    /// An address can be no candidate: unusable, known already, or one too many. RFC 8445 5.1.3
    #[error("the address can be no candidate")]
    NoCandidate,
    /// The description of the peer is in another dialect than the agent. MS-ICE2 1.3
    #[error("the peer's description is in another dialect")]
    OtherDialect,
    /// There is no allocation, or none yet. RFC 8656 5
    #[error("there is no allocation")]
    NoAllocation,
    /// The peer has no permission. RFC 8656 9
    #[error("the peer has no permission")]
    NoPermission,
    /// The limit of peers of an allocation is reached. RFC 8656 21.3
    #[error("too many peers")]
    TooManyPeers,
    /// An allocation is under way or stands already. RFC 8656 7
    #[error("there is an allocation already")]
    AllocationStands,
}

impl From<Breach> for Error {
    fn from(breach: Breach) -> Self {
        Self::Misbehaved(breach)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
