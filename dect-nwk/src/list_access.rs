//! List access: call lists, contacts, names and settings of a fixed part, read and changed from a portable part.
//!
//! A session lives inside a call of the class [`CallClass::ListAccess`](crate::element::CallClass); its commands travel
//! in IWU-INFO with the protocol [`IwuProtocol::ListAccess`](crate::element::IwuProtocol). [`Command`] is what travels,
//! [`ListServer`] answers it from the lists its owner gives it. The order of the parameters follows descriptions of
//! existing stacks and is inferred where the standard's text was not at hand.

mod command;
mod entry;
mod server;

pub use command::{Command, Refusal, SearchMode, StartRefusal};
pub use entry::{Entry, Field, parse_entries};
pub use server::{Change, List, ListServer};

/// Lists of a fixed part.
///
/// EN 300 175-5 7.7.23 (list access; identifiers of NG-DECT part 3)
pub mod lists {
    /// Which lists there are.
    pub const SUPPORTED: u8 = 0x00;
    /// Calls that were not answered.
    pub const MISSED_CALLS: u8 = 0x01;
    /// Calls made.
    pub const OUTGOING_CALLS: u8 = 0x02;
    /// Calls answered.
    pub const ACCEPTED_CALLS: u8 = 0x03;
    /// All calls.
    pub const ALL_CALLS: u8 = 0x04;
    /// Contacts.
    pub const CONTACTS: u8 = 0x05;
    /// Names of the portable parts.
    pub const INTERNAL_NAMES: u8 = 0x06;
    /// Settings of the system.
    pub const SYSTEM_SETTINGS: u8 = 0x07;
    /// Settings of the lines.
    pub const LINE_SETTINGS: u8 = 0x08;
    /// All calls that came in.
    pub const ALL_INCOMING: u8 = 0x09;
}
