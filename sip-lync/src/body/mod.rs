//! Bodies of messages.

pub mod multipart;
pub mod mwi;
pub mod sipfrag;
