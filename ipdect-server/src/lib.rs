//! The reference server: DECT handsets become Lync phones.
#![forbid(unsafe_code)]

pub mod config;
pub mod core;
pub mod net;
