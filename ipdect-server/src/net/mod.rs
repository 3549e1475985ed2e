//! The network side of the shell: TLS and one small task per connection. It knows bytes and addresses, no protocol.

pub mod arrival;
pub mod authorities;
mod connection;
pub mod dial;
pub mod identity;
pub mod listener;
pub mod names;
pub mod tls;
pub mod verifier;
pub mod words;

pub use connection::Stream;
