//! Transfer: who asks for it, and who is asked.

pub mod transferee;
pub mod transferor;
