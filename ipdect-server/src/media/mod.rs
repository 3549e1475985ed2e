//! The data plane: sockets, SRTP contexts and codecs of the calls.

pub mod gate;
pub mod plan;
pub mod stream;
pub mod worker;
