//! Looking at the running server: its log and the message ladder.

pub mod ladder;
pub mod log;
