//! Frames of the C-plane data link layer which carry messages over the air.
//!
//! The network layer's own machines exchange whole messages with the layer below; this module is for test equipment
//! and for tools that look at frames.

mod address;
mod control;
mod frame;
mod reassembly;

pub use address::Address;
pub use control::Control;
pub use frame::{Channel, Frame, checksum};
pub use reassembly::{Reassembly, segments};
