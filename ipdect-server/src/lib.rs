//! The reference server: DECT handsets become Lync phones.
#![forbid(unsafe_code)]

pub mod check;
pub mod control;
pub mod config;
pub mod core;
pub mod init;
pub mod media;
pub mod net;
pub mod random;
pub mod store;
pub mod web;
