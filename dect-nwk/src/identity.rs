//! Identities of portable and fixed parts.

mod ari;
mod digits;
mod ipei;
mod ipui;
mod park;
mod rfpi;
mod tpui;

pub use ari::{Ari, AriClass};
pub use digits::{BitString, Digits};
pub use ipei::Ipei;
pub use ipui::{Ipui, PortableUserType};
pub use park::Park;
pub use rfpi::Rfpi;
pub use tpui::{Tpui, TpuiKind};
