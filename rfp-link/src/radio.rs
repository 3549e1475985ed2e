//! What a base station tells about its radio: capabilities and synchronisation.

/// Capability bits of a hello.
///
/// docs/radio-link.md 3.4
pub mod capability {
    /// The base station carries G.726 at 32 kbit/s: every base station does.
    pub const G726: u32 = 1;
    /// The base station carries G.722 (wideband).
    pub const G722: u32 = 1 << 1;
    /// The base station protects bearer audio with SRTP.
    pub const SRTP: u32 = 1 << 2;
    /// The base station ciphers the radio with the DECT standard cipher.
    pub const CIPHER: u32 = 1 << 3;
    /// The base station reports its neighbours.
    pub const NEIGHBOURS: u32 = 1 << 4;
}

/// How well a base station follows the radio timing of the system.
///
/// docs/radio-link.md 4.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncState {
    /// It follows nobody and is no reference: handover to it is not seamless.
    Unsynchronised,
    /// It looks for a neighbour to follow.
    Searching,
    /// It follows a neighbour, or is the reference itself.
    Synchronised,
}

impl SyncState {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Unsynchronised => 0,
            Self::Searching => 1,
            Self::Synchronised => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Unsynchronised),
            1 => Some(Self::Searching),
            2 => Some(Self::Synchronised),
            _ => None,
        }
    }
}

/// Another base station of the system that a base station hears.
///
/// docs/radio-link.md 4.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Neighbour {
    /// Its radio fixed part number.
    pub rpn: u8,
    /// Received field strength in dBm.
    pub strength: i8,
    /// How many bits its frames begin after ours (negative: before).
    pub offset: i16,
}
