//! The reference server: DECT handsets become Lync phones.
#![forbid(unsafe_code)]

pub mod check;
pub mod config;
pub mod control;
pub mod core;
pub mod init;
pub mod media;
pub mod net;
pub mod observe;
pub mod random;
pub mod run;
pub mod store;
pub mod web;
