//! Header fields of Microsoft's dialect.

mod diagnostics;
mod keep_alive;
mod presence_state;
mod registration_event;
mod typed;

pub use diagnostics::Diagnostics;
pub use keep_alive::{KeepAlive, KeepAliveRole};
pub use presence_state::{ClusterType, PresenceState, RegisterAction};
pub use registration_event::{RegistrationAdvice, RegistrationEvent};
