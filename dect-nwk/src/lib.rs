//! The DECT network layer, sans-IO.
#![forbid(unsafe_code)]

mod coding;

pub mod authentication;
pub mod characters;
pub mod element;
pub mod identity;
pub mod message;
pub mod page;

mod error;

pub use characters::Characters;
pub use coding::Octets;
pub use element::{ElementIdentifier, InformationElement};
pub use error::{Error, Rule};
pub use message::{Message, MessageType, ProtocolDiscriminator, Transaction};
