//! How flows are named.

/// A connection, numbered by its owner.
///
/// RFC 5626 2
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);
