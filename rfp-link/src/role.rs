//! The two ends of a radio link.

use core::fmt;

/// Which end of the radio link somebody is.
///
/// docs/radio-link.md 1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The server: it listens, and owns the network layer.
    Server,
    /// The base station: it connects, and owns the radio (physical, medium access and data link layer).
    BaseStation,
}

impl Role {
    /// The other end.
    ///
    /// docs/radio-link.md 1
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Server => Self::BaseStation,
            Self::BaseStation => Self::Server,
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Server => 0,
            Self::BaseStation => 1,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Server),
            1 => Some(Self::BaseStation),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::BaseStation => "base station",
        })
    }
}
