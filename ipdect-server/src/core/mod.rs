//! The product without sockets and clocks: the only place where the protocol crates meet.

mod call;
mod channels;
pub mod deadlines;
mod media_plan;
pub mod node;
mod numbering;
mod proxies;
mod radio;
pub mod status;
mod subscriber;
mod trace;
pub mod vocabulary;
