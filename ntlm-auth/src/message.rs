//! The three messages.

mod authenticate;
mod av_pair;
mod challenge;
mod field;
mod negotiate;

pub use authenticate::Authenticate;
pub(crate) use authenticate::{Opening, Received};
pub(crate) use av_pair::AvList;
pub use av_pair::{AvId, AvPairs};
pub use challenge::Challenge;
pub(crate) use field::Writing;
pub use negotiate::Negotiate;

/// Version of the sender's software; only for people who look for faults.
///
/// MS-NLMP 2.2.2.10
pub type Version = [u8; 8];

/// A version that many clients send: 6.1.7601, revision 15.
///
/// MS-NLMP 2.2.2.10
pub const USUAL_VERSION: Version = [6, 1, 0xb1, 0x1d, 0, 0, 0, 0x0f];
