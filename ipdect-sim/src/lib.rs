//! Simulators.

pub mod base;
pub mod frontend;
pub mod handset;
pub mod json;
pub mod net;
mod seed;
pub mod talk;
pub mod user;

pub use seed::Seed;
