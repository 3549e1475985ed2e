//! The network side of the shell: TLS and one small task per connection. It knows bytes and addresses, no protocol.

pub mod authorities;
pub mod identity;
pub mod names;
pub mod tls;
pub mod verifier;
pub mod words;
