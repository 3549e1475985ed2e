//! The product without sockets and clocks: the only place where the protocol crates meet.

pub mod deadlines;
pub mod status;
// pub mod vocabulary;
