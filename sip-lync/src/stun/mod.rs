//! STUN messages in five dialects: read without copying, written into the caller's buffer.
//!
//! Nothing here allocates. A [`Message`] is a view of received octets whose structure has been checked; [`Builder`]
//! writes into a buffer of the caller; [`IntegrityKey`] keeps both HMAC states, so that a key is hashed once and not
//! once a message. What differs between the dialects is decided in [`Dialect`] alone.
//!
//! No crate of others is underneath. Those there are (`stun-types`, `rtc-stun`, `is`) know one layout: attributes at multiples
//! of four octets, the cookie in the header, one rule for MESSAGE-INTEGRITY, one table for FINGERPRINT. Four of the five
//! dialects break at least two of these, and they would have to be undone below such a crate, not above it.
//!
//! ```
//! use sip_lync::stun::{Attribute, Builder, Class, Dialect, Integrity, IntegrityKey, Message, Method, Table, TransactionId};
//!
//! let key = IntegrityKey::short_term(b"pWd+/0123456789abcdefGHI");
//! let transaction = TransactionId::new(Dialect::MsIce2, [7; 16]);
//! let mut buffer = [0; 548];
//! let mut builder = Builder::new(&mut buffer, Dialect::MsIce2, Class::Request, Method::Binding, transaction);
//! builder.push(&Attribute::Priority(1_862_270_975)).push(&Attribute::Username(b"rEm1:LoC2"));
//! builder.push(&Attribute::ImplementationVersion(2));
//! let octets = builder.finish(Some(&key), Some(Table::Correct)).unwrap();
//!
//! let message = Message::parse(Dialect::MsIce2, octets).unwrap();
//! assert_eq!(message.transaction(), transaction);
//! assert_eq!(message.username(), Some(&b"rEm1:LoC2"[..]));
//! assert_eq!(message.integrity(&key), Integrity::Genuine);
//! ```
mod attribute;
mod builder;
mod demultiplex;
mod dialect;
mod fingerprint;
mod framing;
mod integrity;
mod integrity_sha256;
mod message;
mod message_type;
mod transaction_id;

pub use attribute::{
    AddressErrorCode, AdmissionControl, Attribute, AttributeType, ChangeRequest, EcnCheck, ErrorCode, Family,
    Icmp, Location, LocationProfile, PasswordAlgorithm, PathResponse, ReservationAmount, SequenceNumber,
    ServiceQuality, StreamKind, TransmitCounter, TypeList,
};
pub use builder::Builder;
pub use demultiplex::{PacketKind, demultiplex};
pub use dialect::Dialect;
pub use fingerprint::{Fingerprint, Table, with_legacy_fingerprint};
pub use framing::{FrameHead, FrameKind, Framing, StreamReader, frame};
pub use integrity::{Integrity, IntegrityKey};
pub use integrity_sha256::Sha256Key;
pub(crate) use message::has_ms_turn_cookie;
pub use message::{Message, RawAttribute};
pub use message_type::{Class, Method};
pub use transaction_id::{MAGIC_COOKIE, TransactionId};
