//! The shells: tokio tasks around the machines, each a few dozen lines about sockets.
//!
//! [`FrontEndServer`], [`LyncUserClient`] and [`BaseStationClient`] can be started inside another program; the
//! programs of `main.rs` are JSON Lines around the same handles.

mod applications;
mod audio;
mod base;
mod connection;
mod edge;
mod frontend;
mod mixing;
mod stream;
mod talking;
pub mod tls;
#[cfg(feature = "legacy-tls")]
mod tls_dsk;
mod user;

pub use audio::{AudioError, read_wav, write_wav};
pub use base::{BaseStationClient, BaseStationOptions, BaseStationReport};
pub use edge::{Edge, EdgeOptions};
pub use frontend::{FrontEndCommand, FrontEndOptions, FrontEndServer};
pub use stream::Security;
pub use talking::TalkReport;
#[cfg(feature = "legacy-tls")]
pub use tls_dsk::TlsDskOptions;
pub use user::{LyncUserClient, LyncUserOptions, LyncUserReport};

use crate::Seed;

/// A seed from the operating system.
///
/// RFC 4086 7.1
pub fn seed() -> std::io::Result<Seed> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(Seed(octets))
}
