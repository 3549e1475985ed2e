//! Refusing a peer, and ending a link: the reasons of both.

use core::fmt;

/// Why one end does not accept the other.
///
/// docs/radio-link.md 3.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The ranges of versions do not meet.
    NoCommonVersion,
    /// Both ends have the same role: a server was connected to a server, or two base stations to each other.
    SameRole,
    /// The server does not know this base station, or its certificate is not the pinned one.
    UnknownBaseStation,
    /// Another base station with this radio fixed part number is connected.
    RadioPartInUse,
    /// The server takes no further base stations.
    Full,
    /// A reason of a newer edition.
    Other(u8),
}

impl Refusal {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::NoCommonVersion => 1,
            Self::SameRole => 2,
            Self::UnknownBaseStation => 3,
            Self::RadioPartInUse => 4,
            Self::Full => 5,
            Self::Other(code) => code,
        }
    }

    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::NoCommonVersion,
            2 => Self::SameRole,
            3 => Self::UnknownBaseStation,
            4 => Self::RadioPartInUse,
            5 => Self::Full,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCommonVersion => f.write_str("no common version"),
            Self::SameRole => f.write_str("both ends have the same role"),
            Self::UnknownBaseStation => f.write_str("unknown base station"),
            Self::RadioPartInUse => f.write_str("radio fixed part number in use"),
            Self::Full => f.write_str("no further base stations"),
            Self::Other(code) => write!(f, "reason {code} of a newer edition"),
        }
    }
}

/// Why an accepted link is ended on purpose.
///
/// docs/radio-link.md 6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The sender stops.
    ShutDown,
    /// The sender starts again with another configuration; connecting again is welcome at once.
    Reconfigured,
    /// The receiver broke a rule of the radio link.
    Breach,
    /// A newer connection of the same base station takes the place of this one.
    Replaced,
    /// A reason of a newer edition.
    Other(u8),
}

impl Reason {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::ShutDown => 1,
            Self::Reconfigured => 2,
            Self::Breach => 3,
            Self::Replaced => 4,
            Self::Other(code) => code,
        }
    }

    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::ShutDown,
            2 => Self::Reconfigured,
            3 => Self::Breach,
            4 => Self::Replaced,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutDown => f.write_str("shut down"),
            Self::Reconfigured => f.write_str("reconfigured"),
            Self::Breach => f.write_str("a rule of the radio link was broken"),
            Self::Replaced => f.write_str("replaced by a newer connection"),
            Self::Other(code) => write!(f, "reason {code} of a newer edition"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_comes_back_as_itself() {
        for code in 0..=u8::MAX {
            assert_eq!(Refusal::from_code(code).code(), code);
            assert_eq!(Reason::from_code(code).code(), code);
        }
    }
}
