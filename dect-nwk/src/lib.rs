//! The DECT network layer for fixed and portable part: the codec of its messages and the machines that speak them.
//!
//! [`FixedPart`] serves many portable parts and [`PortablePart`] is one of them; both sit on a data link layer that is
//! somebody else's (a base station, or a test). The machines read no clock, open no socket and draw no randomness: time
//! comes in as `now`, randomness as a [`Seed`], octets through [`Input`] and [`Transmit`].
//!
//! # Standards
//!
//! - [x] EN 300 175-5 6, 7, 17: S-format messages of CC, CRSS, CISS, MM, CLMS, COMS and LCE with their information
//!   elements; [`View`] reads and [`Writer`] writes them in place, [`Message`] keeps them
//! - [x] EN 300 175-5 8: paging and CLMS-FIXED; EN 300 175-6: identities; EN 300 175-4 7: LAPC frames as octets
//! - [x] EN 300 175-5 14: link control with paging, direct and indirect establishment, normal and partial release,
//!   links of class B that sleep, links that go on under another number, collective ringing; a second link with the
//!   identity of a portable part that has one proves the key first
//! - [x] EN 300 175-5 9: call control of both sides ([`cc_fixed`], [`cc_portable`]), overlap and en-bloc, collisions,
//!   timers, service change ([`service_change`]), negotiation of codecs; packet mode is refused
//! - [x] EN 300 175-5 10: keypad and feature key protocol, HOLD and RETRIEVE from both sides ([`hold`]), FACILITY as it is;
//!   the control codes of NG-DECT and two calls in one transaction ([`services`])
//! - [x] EN 300 175-5 10.4.2: transactions outside of calls from both sides ([`ciss`]); messages, missed calls, changed
//!   lists, date and time told outside of calls
//! - [x] EN 300 175-5 7.7.23: list access ([`list_access`]); 7.7.37: long elements in segments ([`segmentation`])
//! - [x] EN 300 175-5 12: text messages (CLMS-VARIABLE) and broadcast messages (CLMS-FIXED)
//! - [x] EN 300 175-5 13: access rights with assigned identities, key allocation, location registration with temporary
//!   identities, authentication of both sides and of the user, identification, ciphering, re-keying and early encryption,
//!   ZAP, detach, waiting after a reject with DURATION, parameters of an external handover ([`mm_fixed`],
//!   [`mm_portable`])
//! - [x] EN 300 175-7: DSAA and DSAA2; the derived cipher key goes to the link layer
//! - [ ] EN 300 175-5 11: connection oriented messages (COMS) are read and written by the codec alone
//! - [ ] EN 300 175-5 9: a call that comes over from another system is refused by name
//! - [ ] EN 300 175-5 13: MM-IWU is read and written by the codec alone
//! - [ ] EN 300 175-5 7.7: elements of data connections, multimedia messages and ULE are carried unread
//!
//! `docs/coverage.md` names code and test for each clause.
//!
//! Inferred, and marked so where they stand: the order of the challenges within DSAA2, the time zone's digits, the printed
//! octal form of an access rights key, the parameters of list access, the header of CLMS-FIXED, what crossing service
//! changes do, that segments after the first go on with the contents alone, how long a service outside of calls may be
//! silent.
//!
//! # Features
//!
//! `serde` (on by default): the values of the codec as data, identities and characters as text, octets as hexadecimal.
//!
//! # Run loop
//!
//! The link layer here is one radio that carries everything at once.
//!
//! ```
//! use bytes::BytesMut;
//! use dect_nwk::authentication::AuthenticationCode;
//! use dect_nwk::fixed_part::Event;
//! use dect_nwk::identity::{Ari, Ipei};
//! use dect_nwk::{FixedPart, FixedPartConfig, Input, PortablePart, PortablePartConfig, Seed, Transmit};
//! use std::time::Instant;
//!
//! let now = Instant::now(); // the owner's clock
//! let ari = Ari::class_b(0x1001, 0x123)?;
//! let mut fixed = FixedPart::new(FixedPartConfig::new(ari), Seed([1; 32]));
//! let mut portable = PortablePart::new(PortablePartConfig::new(Ipei::new(0x138b, 1)?), Seed([2; 32]));
//!
//! portable.subscribe(now, AuthenticationCode::from_pin("1234")?)?;
//! let mut buffer = BytesMut::new();
//! loop {
//!     if let Some(transmit) = portable.poll_transmit(&mut buffer) {
//!         let sdu = buffer.split();
//!         match transmit {
//!             Transmit::Establish { link, .. } => {
//!                 fixed.handle_input(now, Input::Established { link, sdu: Some(&sdu) })?;
//!                 portable.handle_input(now, Input::Established { link, sdu: None })?;
//!             }
//!             Transmit::Data { link, .. } => fixed.handle_input(now, Input::Data { link, sdu: &sdu })?,
//!             _ => {} // releases and cipher keys
//!         }
//!     } else if let Some(transmit) = fixed.poll_transmit(&mut buffer) {
//!         let sdu = buffer.split();
//!         if let Transmit::Data { link, .. } = transmit {
//!             portable.handle_input(now, Input::Data { link, sdu: &sdu })?;
//!         }
//!     } else if let Some(event) = fixed.poll_event() {
//!         if let Event::AccessRightsRequested { request, .. } = event {
//!             fixed.allow_access(now, request, AuthenticationCode::from_pin("1234")?)?;
//!         }
//!     } else {
//!         break; // then sleep until the earlier poll_timeout() and call handle_timeout(now)
//!     }
//! }
//! assert!(portable.subscription().is_some_and(|known| known.uak.is_some()));
//! # Ok::<(), dect_nwk::Error>(())
//! ```
//!
//! # Deliberately absent
//!
//! Radio, medium access and the running of the data link layer, the standard ciphers DSC and DSC2, speech, and every choice
//! of the interworking unit: dial plans, digit time-outs, what the R key means.
#![forbid(unsafe_code)]

mod coding;

pub mod authentication;
pub mod characters;
pub mod element;
pub mod identity;
pub mod lapc;
pub mod message;
pub mod page;

mod error;
mod few;

pub use characters::Characters;
pub use coding::Octets;
pub use element::{ElementIdentifier, InformationElement};
pub use error::{Error, Rule};
pub use message::{Message, MessageType, ProtocolDiscriminator, Transaction, View, Writer};

pub mod cc_fixed;
pub mod cc_portable;
pub mod ciss;
pub mod clms_fixed;
mod deadlines;
pub mod fixed_part;
pub mod hold;
mod key_exchange;
pub mod lce;
mod link;
pub mod list_access;
pub mod mm_fixed;
pub mod mm_portable;
mod outbox;
pub mod portable_part;
mod refusal;
mod seed;
pub mod segmentation;
pub mod service_change;
pub mod services;
pub mod timers;

pub use fixed_part::{FixedPart, FixedPartConfig};
pub use link::{CallId, Input, LinkId, ReleaseMode, ServiceId, Transmit};
pub use portable_part::{PortablePart, PortablePartConfig};
pub use refusal::Refusal;
pub use seed::Seed;

#[doc = include_str!("../docs/guide.md")]
pub mod guide {}
