//! x
pub mod password;
