//! The reference server: DECT handsets become Lync phones.
pub mod core;
