//! The DECT network layer, sans-IO.
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

pub use characters::Characters;
pub use coding::Octets;
pub use element::{ElementIdentifier, InformationElement};
pub use error::{Error, Rule};
pub use message::{Message, MessageType, ProtocolDiscriminator, Transaction};

pub mod cc_fixed;
pub mod cc_portable;
mod deadlines;
pub mod fixed_part;
mod key_exchange;
pub mod lce;
mod link;
pub mod mm_fixed;
pub mod mm_portable;
mod outbox;
pub mod portable_part;
mod refusal;
mod seed;
pub mod timers;

pub use fixed_part::{FixedPart, FixedPartConfig};
pub use link::{CallId, Input, LinkId, ReleaseMode, Transmit};
pub use portable_part::{PortablePart, PortablePartConfig};
pub use refusal::Refusal;
pub use seed::Seed;
