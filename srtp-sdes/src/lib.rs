//! SRTP keyed by SDP security descriptions.
#![forbid(unsafe_code)]

mod agreed;
mod answer;
mod authentication;
mod cipher;
mod crypto_attribute;
mod derivation;
mod error;
mod galois;
mod key;
mod lifetime;
mod master;
mod mki;
mod negotiation;
mod offer;
mod packet;
mod packet_index;
mod receiver;
mod replay;
mod rtp;
mod scrub;
mod sender;
mod session_parameter;
#[cfg(test)]
mod session_vectors;
mod suite;

pub use agreed::{Agreed, ReceiverKeys, SenderKeys};
pub use answer::{Answered, answer, answer_again};
pub use crypto_attribute::{CryptoAttribute, KeyParameter};
pub use error::{Breach, Error, ProtectError, Refusal, Rule, UnprotectError};
pub use key::{MasterKey, MasterSalt, Seed};
pub use lifetime::{KeyLife, Lifetime, SRTCP_LIMIT, SRTP_LIMIT};
pub use mki::{MKI_LENGTH_LIMIT, MasterKeyIdentifier};
pub use negotiation::{NegotiationConfig, Profile, SrtpPolicy};
pub use offer::Offered;
pub use receiver::{Receiver, ReceiverConfig};
pub use rtp::is_rtcp;
pub use sender::{Sender, SenderConfig};
pub use session_parameter::SessionParameter;
pub use suite::CryptoSuite;
