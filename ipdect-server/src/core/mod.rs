//! The product without sockets and clocks: the only place where the protocol crates meet.

mod call;
mod channels;
pub mod deadlines;
mod failover;
mod media_plan;
pub mod node;
mod numbering;
mod radio;
pub mod status;
mod subscriber;
mod trace;
pub mod vocabulary;
