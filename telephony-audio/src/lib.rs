//! Telephone audio at 8 kHz.
#![forbid(unsafe_code)]

pub mod concealment;
pub mod correlation;
mod error;
pub mod g711;
pub mod g726;
pub mod jitter;
pub mod rtp;
pub mod tones;

pub use error::Error;
