//! Shift: another codeset for the elements that follow.

use super::ElementIdentifier;

/// A locking or non-locking shift.
///
/// EN 300 175-5 7.6.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Shift {
    /// Whether it holds to the end of the message rather than for the next element.
    pub locking: bool,
    /// The codeset, 0 to 7; 0 is the standard's own.
    pub codeset: u8,
}

impl Shift {
    /// The shift coded in one octet 90 to 9F.
    ///
    /// EN 300 175-5 7.6.2
    pub const fn from_octet(octet: u8) -> Self {
        Self { locking: octet & 8 == 0, codeset: octet & 7 }
    }

    /// Its one octet.
    ///
    /// EN 300 175-5 7.6.2
    pub const fn octet(self) -> u8 {
        self.identifier().octet() | self.codeset & 7
    }

    /// Its identifier.
    ///
    /// EN 300 175-5 7.6.1
    pub const fn identifier(self) -> ElementIdentifier {
        if self.locking { ElementIdentifier::LockingShift } else { ElementIdentifier::NonLockingShift }
    }
}
