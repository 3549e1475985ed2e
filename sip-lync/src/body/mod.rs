//! Bodies of messages.

pub mod multipart;
