//! SRTP keyed by SDP security descriptions: the media security of telephony with Lync and most other SIP systems.
//! `a=crypto` lines are read and written, offered and answered; packets are protected and checked in the caller's buffer.
//! Nothing here reads a clock, opens a socket or draws randomness: a [`Seed`] comes in with each offer and answer.
//!
//! # Standards
//!
//! - [x] RFC 4568: SDP security descriptions; lifetime, MKI, several keys, session parameters (FEC refused)
//! - [x] MS-SDPEXT 3.1.5.1: optional SRTP with the change from RTP/AVP to RTP/SAVP; lines of Scale-SRTP passed over
//! - [ ] MS-SSRTP: Scale-SRTP
//! - [x] RFC 3711: SRTP and SRTCP, AES in counter and f8 mode, NULL cipher, HMAC-SHA1, key derivation with a rate, MKI, replay lists
//! - [ ] RFC 3711 `<From, To>`: cannot be expressed in SDP
//! - [x] RFC 6188: AES-192 and AES-256 in counter mode
//! - [x] RFC 7714: AEAD_AES_128_GCM and AEAD_AES_256_GCM
//! - [ ] RFC 6904: encrypted header extensions
//! - [x] RFC 5761: telling RTP from RTCP on one port
//!
//! # From offer to packets
//!
//! ```
//! use srtp_sdes::{Agreed, NegotiationConfig, Offered, Receiver, Seed, Sender, SrtpPolicy, answer};
//!
//! // The caller offers...
//! let config = NegotiationConfig::new(SrtpPolicy::Enabled);
//! let offered = Offered::new(&config, Seed([1; 32]));
//! let lines = offered.attributes();
//! let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
//! // ...the called side answers...
//! let answer = answer(&config, offered.profile(), &lines, Seed([2; 32])).expect("a usable line");
//! let line = answer.attribute.as_deref().expect("a crypto line");
//! // ...and both have contexts.
//! let Agreed::Protected { sender, .. } = offered.answer(answer.profile, &[line])? else { unreachable!() };
//! let Agreed::Protected { receiver, .. } = answer.agreed else { unreachable!() };
//! let (mut sender, mut receiver) = (Sender::new(sender), Receiver::new(receiver));
//!
//! // Packets, in place: 20 ms of A-law with room for tag and MKI behind it.
//! let mut buffer = [0x80_u8; 12 + 160 + 16];
//! let length = sender.protect(&mut buffer, 12 + 160).expect("room enough");
//! let plain = receiver.unprotect(&mut buffer[..length]).expect("authentic");
//! assert_eq!(buffer[..plain], [0x80; 12 + 160]);
//! # Ok::<(), srtp_sdes::Error>(())
//! ```
//!
//! # Speed
//!
//! A packet costs no allocation, and a direction of a stream is one flat record of 312 octets. AES-CTR, GHASH and HMAC-SHA1 use what the
//! processor has, chosen at run time: VAES and VPCLMULQDQ with AVX-512, else AES-NI and PCLMULQDQ; the SHA extensions; [`protect_batch`] and
//! [`unprotect_batch`] compute sixteen tags at once with AVX-512, eight with AVX2. The portable code gives the same results and is compared
//! with each kernel by a test.
//!
//! # Deliberately absent
//!
//! DTLS-SRTP, ZRTP and MIKEY; RTP itself beyond the header's length; timers: the owner drops old contexts when it likes.
#![deny(unsafe_code)]

mod agreed;
mod answer;
mod authentication;
mod batch;
mod cipher;
mod context;
mod crypto_attribute;
mod derivation;
mod error;
mod galois;
mod key;
mod lifetime;
mod mki;
mod negotiation;
mod offer;
mod packet;
mod packet_index;
mod received;
mod receiver;
mod rekey;
mod replay;
mod rtp;
mod saved;
mod scrub;
mod sender;
mod session;
mod session_parameter;
#[cfg(test)]
mod session_vectors;
mod simd;
mod suite;
mod usual;

pub use agreed::{Agreed, ReceiverKeys, SenderKeys};
pub use answer::{Answered, answer, answer_again};
pub use batch::{Incoming, Outgoing, protect_batch, unprotect_batch};
pub use crypto_attribute::{CryptoAttribute, KeyParameter};
pub use error::{Breach, Error, ProtectError, Refusal, Rule, UnprotectError};
pub use key::{MasterKey, MasterSalt, Seed};
pub use lifetime::{KeyLife, Lifetime, SRTCP_LIMIT, SRTP_LIMIT};
pub use mki::{MKI_LENGTH_LIMIT, MasterKeyIdentifier};
pub use negotiation::{NegotiationConfig, Profile, SrtpPolicy};
pub use offer::Offered;
pub use receiver::{Receiver, ReceiverConfig};
pub use rekey::RolloverAfterRekey;
pub use rtp::is_rtcp;
pub use saved::SourceState;
pub use sender::{Sender, SenderConfig};
pub use session_parameter::SessionParameter;
pub use suite::CryptoSuite;

/// The example of the read-me file is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
