//! ICE: how two agents find a way to each other.
mod admission;
pub mod agent;
mod bypass;
mod candidate;
mod checklist;
pub mod consent;
mod credentials;
mod description;
mod dialect;
mod forks;
mod offer;
pub mod pair;
pub mod phase;
pub mod reservation;
mod role;

pub use admission::{Admitted, Leg, Legs, Outcome, decide as admission};
pub use agent::Agent;
pub use bypass::{Decision, Setting, decide as bypass};
pub use candidate::{Kind, Local, Remote, Transport};
pub use credentials::Credentials;
pub use description::Description;
pub use dialect::{DIALECTS, Dialect, Times, UnknownDialect};
pub use forks::{Fork, Forks};
pub use offer::{Body, Offer};
pub use reservation::Reservation;
pub use role::{Conflict, Role, resolve};
