//! The radio link: the protocol between a DECT base station and its server, over one TCP or TLS connection.
//!
//! The base station ends the physical, medium access and data link layer; what remains for the server are network layer
//! messages, pages, cipher keys and the opening of bearers, which this crate carries in bounded frames. [`Link`] is one
//! end of one connection: it reads no clock and opens no socket. Bearer audio itself is RTP over UDP beside the link.
//!
//! # Standards
//!
//! - [x] `docs/radio-link.md`, version 1: hello, refusals, messages, heartbeats, bounds
//! - [x] EN 300 175-4 8.3: the primitives DL_ESTABLISH, DL_DATA, DL_UNIT_DATA, DL_RELEASE, DL_ENC_KEY, DL_ENCRYPT of one
//!   base station (class A and B links look the same here)
//! - [ ] DL_SUSPEND and DL_RESUME: a suspended link stays inside the base station
//! - [ ] handover between base stations that keeps the connection (external handover)
//!
//! # Run loop
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use rfp_link::{Config, Event, Hello, Input, Link, Message, Role, State};
//!
//! let now = Instant::now(); // the owner's clock
//! let mut base = Link::new(now, Config::new(Role::BaseStation, Hello::base_station("hall", "sim 1", 0, 8)));
//! let mut server = Link::new(now, Config::new(Role::Server, Hello::server("dect", "server 1", [0x10, 2, 3, 4, 0])));
//!
//! // Instead of a network: hand the octets over until both are quiet.
//! let mut buffer = BytesMut::new();
//! while base.poll_transmit(&mut buffer).is_some() {
//!     server.handle_input(now, Input::Bytes(&buffer.split()))?;
//!     if server.poll_transmit(&mut buffer).is_some() {
//!         base.handle_input(now, Input::Bytes(&buffer.split()))?;
//!     }
//! }
//! assert_eq!((base.state(), server.state()), (State::Up, State::Up));
//! assert!(matches!(server.poll_event(), Some(Event::Up(hello)) if hello.name == "hall"));
//!
//! base.send(now, Message::Capacity { channels: 8, free: 8 })?;
//! let transmit = base.poll_transmit(&mut buffer).expect("a message waits");
//! assert_eq!(transmit.len, 5);
//! # Ok::<(), rfp_link::Error>(())
//! ```
//!
//! # Deliberately absent
//!
//! Sockets, TLS and reconnecting (the owner's), LAPC frames (the base station's), RTP and SRTP of the bearers (the media
//! side's; their keys pass through here), and firmware or configuration of base stations.
#![forbid(unsafe_code)]

mod bearer;
mod codec;
mod error;
mod field;
mod framing;
mod hello;
mod key;
mod link;
pub mod machine;
mod message;
mod radio;
mod refusal;
mod role;
mod version;

pub use bearer::{BearerCodec, BearerId, BearerRefusal, ConnectionId, ReleaseMode};
pub use codec::{FRAME_MAX, Frame};
pub use error::{Error, Rule};
pub use field::Extensions;
pub use framing::FrameDecoder;
pub use hello::Hello;
pub use key::{BearerKey, BearerKeys, CipherKey};
pub use link::{Config, DownReason, Event, Input, Link, Transmit};
pub use machine::State;
pub use message::{Message, NEIGHBOURS_MAX, PMID_MAX, SDU_MAX};
pub use radio::{Neighbour, SyncState, capability};
pub use refusal::{Reason, Refusal};
pub use role::Role;
pub use version::{EDITION, SUPPORTED, VersionRange};
