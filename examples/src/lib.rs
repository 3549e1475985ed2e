//! Short programs, one for each protocol crate: see `examples/` of this package. This library holds what
//! several of them share.
#![forbid(unsafe_code)]

pub mod base64;
pub mod connection;
pub mod login;
pub mod session_description;
