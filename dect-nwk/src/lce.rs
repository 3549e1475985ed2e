//! Link control: the states of the one link of a portable part, as each side sees it.
//!
#![doc = include_str!("../docs/states/lce.md")]

pub mod fixed;
pub mod portable;

/// The state of the link between a portable part and the fixed part.
///
/// EN 300 175-5 14.2.2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No link.
    #[default]
    Released,
    /// The fixed part pages, or the portable part waits for its establishment to be confirmed.
    EstablishPending,
    /// Messages flow.
    Established,
    /// A normal release was asked for and is not confirmed yet.
    ReleasePending,
    /// The suspension was asked for and is not confirmed yet.
    SuspendPending,
    /// The link of class B stays without a bearer.
    Suspended,
    /// The resumption was asked for and is not confirmed yet.
    ResumePending,
}

impl State {
    /// All states.
    ///
    /// EN 300 175-5 14.2.2
    pub const ALL: [Self; 7] = [
        Self::Released,
        Self::EstablishPending,
        Self::Established,
        Self::ReleasePending,
        Self::SuspendPending,
        Self::Suspended,
        Self::ResumePending,
    ];

    /// Whether there is a link that belongs to the portable part, with a bearer or without.
    ///
    /// EN 300 175-5 14.2.2
    pub const fn is_linked(self) -> bool {
        match self {
            Self::Established | Self::SuspendPending | Self::Suspended | Self::ResumePending => true,
            Self::Released | Self::EstablishPending | Self::ReleasePending => false,
        }
    }
}
