//! Attributes: one row each in a table of numbers, names and forms.

mod address;
mod bandwidth;
mod error_code;
mod forms;
mod service;
mod single;
mod value;
mod writer;

use core::net::SocketAddr;

pub use address::Family;
pub use bandwidth::{AdmissionControl, PathResponse, ReservationAmount};
pub use error_code::{AddressErrorCode, ErrorCode, TypeList};
pub use service::{Location, LocationProfile, SequenceNumber, ServiceQuality, StreamKind};
pub use single::{ChangeRequest, EcnCheck, Icmp, PasswordAlgorithm, TransmitCounter};
pub(crate) use writer::Writer;

use super::dialect::Dialect;
use super::transaction_id::TransactionId;
use crate::error::Refusal;
use value::Around;

/// The number of an attribute.
///
/// RFC 8489 18.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// Whether one who does not know it must not go on.
    ///
    /// RFC 8489 14
    pub const fn is_required(self) -> bool {
        self.0 < 0x8000
    }
}

/// Which dialects a number belongs to.
const fn any(_: Dialect) -> bool {
    true
}

const fn std(dialect: Dialect) -> bool {
    !dialect.is_ms_turn()
}

const fn ms(dialect: Dialect) -> bool {
    dialect.is_ms_turn()
}

/// One row an attribute: variant, type, numbers with their dialects, name, and the form of the value.
macro_rules! attributes {
    ($($(#[doc = $doc:literal])+ $variant:ident($type:ty) [$($constant:ident = $number:literal $column:ident),+]
        $name:literal $form:ident;)+) => {
        impl AttributeType {
            $($(#[doc = $name] #[doc = "\n\nRFC 8489 18.3, MS-TURN 2.2.2"] pub const $constant: Self = Self($number);)+)+

            /// The name in lower case; an unknown one is `unknown`.
            ///
            /// RFC 8489 18.3, MS-TURN 2.2.2
            pub const fn name(self, dialect: Dialect) -> &'static str {
                match self.0 {
                    $($($number if $column(dialect) => $name,)+)+
                    0x000f if ms(dialect) => "magic-cookie",
                    0x0025 if std(dialect) => "use-candidate",
                    0x001a if std(dialect) => "dont-fragment",
                    _ => "unknown",
                }
            }

            /// Whether a dialect has it.
            ///
            /// RFC 8489 18.3, MS-TURN 2.2.2
            pub const fn is_known(self, dialect: Dialect) -> bool {
                match self.0 {
                    $($($number if $column(dialect) => true,)+)+
                    0x000f => ms(dialect),
                    0x0025 | 0x001a => std(dialect),
                    _ => false,
                }
            }
        }

        /// An attribute with its value.
        ///
        /// RFC 8489 14, RFC 8656 18, RFC 3489 11.2, RFC 5780 7, MS-TURN 2.2.2, MS-TURNBWM 2.2, MS-ICE2 2.2
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Attribute<'a> {
            $($(#[doc = $doc])+ $variant($type),)+
            /// The cookie that is first in MS-TURN. MS-TURN 2.2.2
            MagicCookie,
            /// The pair is nominated. RFC 8445 7.1.2
            UseCandidate,
            /// Packets to peers are not to be fragmented. RFC 8656 18.9
            DontFragment,
            /// One that is not in the registry of its dialect, or is written as it is.
            Unknown(AttributeType, &'a [u8]),
        }

        impl<'a> Attribute<'a> {
            /// Reads a value; `None` when it has not its form.
            ///
            /// RFC 8489 14
            #[inline]
            pub fn parse(
                dialect: Dialect,
                transaction: TransactionId,
                kind: AttributeType,
                value: &'a [u8],
            ) -> Option<Self> {
                let around = Around { dialect, transaction };
                match kind.0 {
                    $($($number if $column(dialect) => forms::$form::read(value, around).map(Self::$variant),)+)+
                    0x000f if dialect.is_ms_turn() => (value == MAGIC).then_some(Self::MagicCookie),
                    0x0025 if !dialect.is_ms_turn() => Some(Self::UseCandidate),
                    0x001a if !dialect.is_ms_turn() => Some(Self::DontFragment),
                    _ => Some(Self::Unknown(kind, value)),
                }
            }

            /// Its number in a dialect, if it has one.
            ///
            /// RFC 8489 18.3, MS-TURN 2.2.2
            #[inline]
            pub const fn kind(&self, dialect: Dialect) -> Option<AttributeType> {
                match self {
                    $(Self::$variant(_) => { $(if $column(dialect) { return Some(AttributeType($number)); })+ None },)+
                    Self::MagicCookie if dialect.is_ms_turn() => Some(AttributeType(0x000f)),
                    Self::UseCandidate if !dialect.is_ms_turn() => Some(AttributeType(0x0025)),
                    Self::DontFragment if !dialect.is_ms_turn() => Some(AttributeType(0x001a)),
                    Self::Unknown(kind, _) => Some(*kind),
                    Self::MagicCookie | Self::UseCandidate | Self::DontFragment => None,
                }
            }

            // Of a known attribute a few stores are left.
            #[inline(always)]
            pub(super) fn emit(&self, dialect: Dialect, transaction: TransactionId, to: &mut Writer<'_>) {
                let Some(kind) = self.kind(dialect) else {
                    to.refuse(Refusal::NotInDialect);
                    return;
                };
                let around = Around { dialect, transaction };
                let known = match self {
                    $(Self::$variant(value) => forms::$form::length(value),)+
                    Self::MagicCookie => Some(4),
                    Self::UseCandidate | Self::DontFragment => Some(0),
                    Self::Unknown(..) => None,
                };
                let from = to.start(kind, known.unwrap_or_default());
                match self {
                    $(Self::$variant(value) => forms::$form::write(value, around, to),)+
                    Self::MagicCookie => to.put(&MAGIC),
                    Self::UseCandidate | Self::DontFragment => {},
                    Self::Unknown(_, value) => to.put(value),
                }
                if known.is_none() {
                    to.end(from, dialect.is_aligned());
                }
            }
        }
    };
}

/// The cookie of MS-TURN. MS-TURN 2.2.2
const MAGIC: [u8; 4] = [0x72, 0xc6, 0x4b, 0xc6];

impl AttributeType {
    /// `magic-cookie`
    ///
    /// MS-TURN 2.2.2
    pub const MAGIC_COOKIE: Self = Self(0x000f);
    /// `use-candidate`
    ///
    /// RFC 8445 7.1.2
    pub const USE_CANDIDATE: Self = Self(0x0025);
    /// `dont-fragment`
    ///
    /// RFC 8656 18.9
    pub const DONT_FRAGMENT: Self = Self(0x001a);
}

attributes! {
    /// The reflexive address; in an Allocate success of MS-TURN the relayed one. RFC 8489 14.1, MS-TURN 2.2.2
    MappedAddress(SocketAddr) [MAPPED_ADDRESS = 0x0001 any] "mapped-address" plain;
    /// Where the answer is to go. RFC 3489 11.2.2
    ResponseAddress(SocketAddr) [RESPONSE_ADDRESS = 0x0002 std] "response-address" plain;
    /// From where the answer is to come. RFC 3489 11.2.4, RFC 5780 7.2
    ChangeRequest(ChangeRequest) [CHANGE_REQUEST = 0x0003 std] "change-request" plain;
    /// From where the answer came. RFC 3489 11.2.5
    SourceAddress(SocketAddr) [SOURCE_ADDRESS = 0x0004 std] "source-address" plain;
    /// From where it would come if changed. RFC 3489 11.2.3
    ChangedAddress(SocketAddr) [CHANGED_ADDRESS = 0x0005 std] "changed-address" plain;
    /// Who asks. RFC 8489 14.3, MS-TURN 2.2.2
    Username(&'a [u8]) [USERNAME = 0x0006 any] "username" filled;
    /// A password, in the clear. RFC 3489 11.2.7
    Password(&'a [u8]) [PASSWORD = 0x0007 std] "password" plain;
    /// HMAC-SHA1 of what stands before. RFC 8489 14.5
    MessageIntegrity([u8; 20]) [MESSAGE_INTEGRITY = 0x0008 any] "message-integrity" plain;
    /// Why it was refused. RFC 8489 14.8, MS-TURN 2.2.2
    ErrorCode(ErrorCode<'a>) [ERROR_CODE = 0x0009 any] "error-code" plain;
    /// Which attributes were not understood. RFC 8489 14.13
    UnknownAttributes(TypeList<'a>) [UNKNOWN_ATTRIBUTES = 0x000a any] "unknown-attributes" plain;
    /// Whose request was reflected. RFC 3489 11.2.11
    ReflectedFrom(SocketAddr) [REFLECTED_FROM = 0x000b std] "reflected-from" plain;
    /// The channel. RFC 8656 18.1
    ChannelNumber(u16) [CHANNEL_NUMBER = 0x000c std] "channel-number" upper;
    /// Seconds. RFC 8656 18.2, MS-TURN 2.2.2
    Lifetime(u32) [LIFETIME = 0x000d any] "lifetime" plain;
    /// Another server to ask. RFC 8489 14.15, MS-TURN 2.2.2
    AlternateServer(SocketAddr) [ALTERNATE_SERVER = 0x8023 std, MS_ALTERNATE_SERVER = 0x000e ms] "alternate-server" plain;
    /// Kilobits a second. MS-TURN 2.2.2
    Bandwidth(u32) [BANDWIDTH = 0x0010 any] "bandwidth" plain;
    /// Where octets are to go. MS-TURN 2.2.2
    DestinationAddress(SocketAddr) [DESTINATION_ADDRESS = 0x0011 ms] "destination-address" plain;
    /// Where octets came from. MS-TURN 2.2.2
    RemoteAddress(SocketAddr) [REMOTE_ADDRESS = 0x0012 ms] "remote-address" plain;
    /// A peer. RFC 8656 18.3
    XorPeerAddress(SocketAddr) [XOR_PEER_ADDRESS = 0x0012 std] "xor-peer-address" xored;
    /// Octets from or to a peer. RFC 8656 18.4, MS-TURN 2.2.2
    Data(&'a [u8]) [DATA = 0x0013 any] "data" plain;
    /// The realm of long-term credentials. RFC 8489 14.9, MS-TURN 2.2.2
    Realm(&'a [u8]) [REALM = 0x0014 std, MS_REALM = 0x0015 ms] "realm" plain;
    /// The nonce of long-term credentials. RFC 8489 14.10, MS-TURN 2.2.2
    Nonce(&'a [u8]) [NONCE = 0x0015 std, MS_NONCE = 0x0014 ms] "nonce" plain;
    /// The relayed address. RFC 8656 18.5
    XorRelayedAddress(SocketAddr) [XOR_RELAYED_ADDRESS = 0x0016 std] "xor-relayed-address" xored;
    /// The family wanted. RFC 8656 18.6, MS-TURN 2.2.2
    RequestedAddressFamily(Family) [REQUESTED_ADDRESS_FAMILY = 0x0017 any] "requested-address-family" plain;
    /// An even port is wanted, perhaps with the next one. RFC 8656 18.7
    EvenPort(bool) [EVEN_PORT = 0x0018 std] "even-port" highest_bit;
    /// The IP protocol wanted. RFC 8656 18.8
    RequestedTransport(u8) [REQUESTED_TRANSPORT = 0x0019 std] "requested-transport" highest;
    /// A token of third-party authorization. RFC 7635 6.2
    AccessToken(&'a [u8]) [ACCESS_TOKEN = 0x001b std] "access-token" plain;
    /// HMAC-SHA256 of what stands before. RFC 8489 14.6
    MessageIntegritySha256(&'a [u8]) [MESSAGE_INTEGRITY_SHA256 = 0x001c std] "message-integrity-sha256" plain;
    /// The password algorithm chosen. RFC 8489 14.12
    PasswordAlgorithm(PasswordAlgorithm<'a>) [PASSWORD_ALGORITHM = 0x001d std] "password-algorithm" plain;
    /// A hash in place of USERNAME. RFC 8489 14.4
    UserHash([u8; 32]) [USERHASH = 0x001e std] "userhash" plain;
    /// The reflexive address. RFC 8489 14.2, MS-TURN 2.2.2
    XorMappedAddress(SocketAddr) [XOR_MAPPED_ADDRESS = 0x0020 std, MS_XOR_MAPPED_ADDRESS = 0x8020 any] "xor-mapped-address" xored;
    /// A port that was set aside. RFC 8656 18.10
    ReservationToken([u8; 8]) [RESERVATION_TOKEN = 0x0022 std] "reservation-token" plain;
    /// The priority of a candidate. RFC 8445 7.1.1
    Priority(u32) [PRIORITY = 0x0024 std] "priority" plain;
    /// Octets that only make a message long. RFC 5780 7.6
    Padding(&'a [u8]) [PADDING = 0x0026 std] "padding" plain;
    /// The port an answer is to go to. RFC 5780 7.5
    ResponsePort(u16) [RESPONSE_PORT = 0x0027 std] "response-port" upper;
    /// A TCP connection to a peer. RFC 6062 6.2.1
    ConnectionId(u32) [CONNECTION_ID = 0x002a std] "connection-id" plain;
    /// A second family wanted. RFC 8656 18.11
    AdditionalAddressFamily(Family) [ADDITIONAL_ADDRESS_FAMILY = 0x8000 std] "additional-address-family" plain;
    /// Why one of two families was refused. RFC 8656 18.12
    AddressErrorCode(AddressErrorCode<'a>) [ADDRESS_ERROR_CODE = 0x8001 std] "address-error-code" plain;
    /// The password algorithms on offer. RFC 8489 14.11
    PasswordAlgorithms(&'a [u8]) [PASSWORD_ALGORITHMS = 0x8002 std] "password-algorithms" plain;
    /// The name of another server. RFC 8489 14.16
    AlternateDomain(&'a [u8]) [ALTERNATE_DOMAIN = 0x8003 std] "alternate-domain" plain;
    /// An ICMP message that a peer's path returned. RFC 8656 18.13
    Icmp(Icmp) [ICMP = 0x8004 std] "icmp" plain;
    /// Which edition of MS-TURN is spoken. MS-TURN 2.2.2
    MsVersion(u32) [MS_VERSION = 0x8008 any] "ms-version" plain;
    /// Name of a program. RFC 8489 14.14
    Software(&'a [u8]) [SOFTWARE = 0x8022 std] "software" plain;
    /// How often it was sent. RFC 7982 3.1
    TransmitCounter(TransmitCounter) [TRANSACTION_TRANSMIT_COUNTER = 0x8025 std] "transaction-transmit-counter" plain;
    /// How long a result may be kept. RFC 5780 7 (draft)
    CacheTimeout(u32) [CACHE_TIMEOUT = 0x8027 std] "cache-timeout" plain;
    /// CRC of what stands before. RFC 8489 14.7
    Fingerprint(u32) [FINGERPRINT = 0x8028 any] "fingerprint" plain;
    /// The writer is controlled. RFC 8445 7.1.3
    IceControlled(u64) [ICE_CONTROLLED = 0x8029 any] "ice-controlled" plain;
    /// The writer controls. RFC 8445 7.1.3
    IceControlling(u64) [ICE_CONTROLLING = 0x802a any] "ice-controlling" plain;
    /// From where the answer came. RFC 5780 7.3
    ResponseOrigin(SocketAddr) [RESPONSE_ORIGIN = 0x802b std] "response-origin" plain;
    /// From where it would come if changed. RFC 5780 7.4
    OtherAddress(SocketAddr) [OTHER_ADDRESS = 0x802c std] "other-address" plain;
    /// Whether ECN marks arrive. RFC 6679 7.2.2
    EcnCheck(EcnCheck) [ECN_CHECK = 0x802d std] "ecn-check-stun" plain;
    /// The name of a third party. RFC 7635 6.1
    ThirdPartyAuthorization(&'a [u8]) [THIRD_PARTY_AUTHORIZATION = 0x802e std] "third-party-authorization" plain;
    /// A ticket that moves an allocation. RFC 8016 3.4
    MobilityTicket(&'a [u8]) [MOBILITY_TICKET = 0x8030 std] "mobility-ticket" plain;
    /// The name of another server. MS-TURN 2.2.2
    MsAlternateHostName(&'a [u8]) [MS_ALTERNATE_HOST_NAME = 0x8032 any] "ms-alternate-host-name" plain;
    /// Which application asks. MS-TURN 2.2.2
    MsAppId(&'a [u8]) [MS_APP_ID = 0x8037 any] "ms-app-id" plain;
    /// A tag of the application. MS-TURN 2.2.2
    MsSecureTag(&'a [u8]) [MS_SECURE_TAG = 0x8039 any] "ms-secure-tag" plain;
    /// Which allocation, and which message for it. MS-TURN 2.2.2
    MsSequenceNumber(SequenceNumber) [MS_SEQUENCE_NUMBER = 0x8050 any] "ms-sequence-number" plain;
    /// The foundation of the writer's candidate. MS-ICE2 2.2
    CandidateIdentifier(&'a [u8]) [CANDIDATE_IDENTIFIER = 0x8054 any] "candidate-identifier" filled;
    /// What the stream is. MS-TURN 2.2.2
    MsServiceQuality(ServiceQuality) [MS_SERVICE_QUALITY = 0x8055 any] "ms-service-quality" plain;
    /// What is asked of the policy. MS-TURNBWM 2.2
    AdmissionControl(AdmissionControl) [ADMISSION_CONTROL = 0x8056 any] "bandwidth-admission-control-message" plain;
    /// The reservation. MS-TURNBWM 2.2
    ReservationIdentifier([u8; 16]) [RESERVATION_IDENTIFIER = 0x8057 any] "bandwidth-reservation-identifier" plain;
    /// How much is to be reserved. MS-TURNBWM 2.2
    ReservationAmount(ReservationAmount) [RESERVATION_AMOUNT = 0x8058 any] "bandwidth-reservation-amount" plain;
    /// The peer's host. MS-TURNBWM 2.2
    RemoteSiteAddress(SocketAddr) [REMOTE_SITE_ADDRESS = 0x8059 any] "remote-site-address" xored;
    /// The peer's relay. MS-TURNBWM 2.2
    RemoteRelaySiteAddress(SocketAddr) [REMOTE_RELAY_SITE_ADDRESS = 0x805a any] "remote-relay-site-address" xored;
    /// Our host. MS-TURNBWM 2.2
    LocalSiteAddress(SocketAddr) [LOCAL_SITE_ADDRESS = 0x805b any] "local-site-address" xored;
    /// Our relay. MS-TURNBWM 2.2
    LocalRelaySiteAddress(SocketAddr) [LOCAL_RELAY_SITE_ADDRESS = 0x805c any] "local-relay-site-address" xored;
    /// The policy for the peer's host. MS-TURNBWM 2.2
    RemoteSiteResponse(PathResponse) [REMOTE_SITE_RESPONSE = 0x805d any] "remote-site-address-response" plain;
    /// The policy for the peer's relay. MS-TURNBWM 2.2
    RemoteRelaySiteResponse(PathResponse) [REMOTE_RELAY_SITE_RESPONSE = 0x805e any] "remote-relay-site-address-response" plain;
    /// The policy for our host. MS-TURNBWM 2.2
    LocalSiteResponse(PathResponse) [LOCAL_SITE_RESPONSE = 0x805f any] "local-site-address-response" plain;
    /// The policy for our relay. MS-TURNBWM 2.2
    LocalRelaySiteResponse(PathResponse) [LOCAL_RELAY_SITE_RESPONSE = 0x8060 any] "local-relay-site-address-response" plain;
    /// The dialog the call belongs to. MS-TURNBWM 2.2
    SipDialogId(&'a [u8]) [SIP_DIALOG_ID = 0x8061 any] "sip-dialog-identifier" plain;
    /// The call. MS-TURNBWM 2.2
    SipCallId(&'a [u8]) [SIP_CALL_ID = 0x8062 any] "sip-call-identifier" plain;
    /// Where both ends are. MS-TURNBWM 2.2
    LocationProfile(LocationProfile) [LOCATION_PROFILE = 0x8068 any] "location-profile" plain;
    /// Which formats the writer reads. MS-ICE2 2.2
    ImplementationVersion(u32) [IMPLEMENTATION_VERSION = 0x8070 any] "implementation-version" plain;
    /// The relayed address of the second family. MS-TURN 2.2.2
    AlternateMappedAddress(SocketAddr) [ALTERNATE_MAPPED_ADDRESS = 0x8090 any] "alternate-mapped-address" plain;
    /// The session that shares a TURN connection. MS-TURN 2.2.2
    MultiplexedTurnSessionId([u8; 8]) [MULTIPLEXED_TURN_SESSION_ID = 0x8095 any] "multiplexed-turn-session-id" plain;
}
