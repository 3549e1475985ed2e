//! Attributes of Microsoft's dialect.

mod bypass;
mod encryption;
mod ssrc_range;

pub use bypass::same_bypass_id;
pub use encryption::Encryption;
pub use ssrc_range::SsrcRange;
