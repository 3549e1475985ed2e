//! Authentication: keys, authentication codes and the standard algorithms.

pub mod dsaa;
pub mod dsaa2;
mod key;

pub use key::{AuthenticationCode, CipherKey, Key128, UserPersonalIdentity, equal};
