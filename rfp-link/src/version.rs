//! Versions of the radio link, their ranges and how the two ends agree on one.

use core::fmt;

use crate::role::Role;

/// The versions this crate speaks.
///
/// docs/radio-link.md 3.1
pub const SUPPORTED: VersionRange = VersionRange { lowest: 1, highest: 1 };

/// The edition within the version: it rises when message types or trailing fields are added.
///
/// docs/radio-link.md 3.2
pub const EDITION: u16 = 0;

/// From the lowest to the highest version that somebody speaks.
///
/// docs/radio-link.md 3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// The lowest version, at least 1.
    pub lowest: u16,
    /// The highest version, not below the lowest.
    pub highest: u16,
}

impl VersionRange {
    /// The highest version that is in both ranges.
    ///
    /// docs/radio-link.md 3.1
    #[must_use]
    pub fn agree(self, other: Self) -> Option<u16> {
        let highest = self.highest.min(other.highest);
        (highest >= self.lowest.max(other.lowest)).then_some(highest)
    }

    pub(crate) fn is_valid(self) -> bool {
        self.lowest >= 1 && self.lowest <= self.highest
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lowest == self.highest {
            write!(f, "{}", self.lowest)
        } else {
            write!(f, "{} to {}", self.lowest, self.highest)
        }
    }
}

/// Why two ranges have no common version, and which end to update: the older one.
pub(crate) fn no_common_version(own: Role, ours: VersionRange, theirs: VersionRange) -> String {
    let (base_station, server) = match own {
        Role::BaseStation => (ours, theirs),
        Role::Server => (theirs, ours),
    };
    let older = if server.highest < base_station.highest { Role::Server } else { Role::BaseStation };
    format!(
        "this base station speaks version {base_station} of the radio link, the server {server}: update the {older}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_agreed() {
        let range = |lowest, highest| VersionRange { lowest, highest };
        for (left, right, agreed) in [
            (range(1, 1), range(1, 1), Some(1)),
            (range(1, 4), range(2, 3), Some(3)),
            (range(1, 2), range(2, 9), Some(2)),
            (range(1, 2), range(3, 4), None),
            (range(5, 6), range(3, 4), None),
        ] {
            assert_eq!(left.agree(right), agreed, "{left} and {right}");
            assert_eq!(right.agree(left), agreed, "{right} and {left}");
        }
    }

    #[test]
    fn a_refusal_says_both_ranges_and_what_to_update() {
        let newer = VersionRange { lowest: 3, highest: 4 };
        let older = VersionRange { lowest: 1, highest: 2 };
        let text =
            "this base station speaks version 3 to 4 of the radio link, the server 1 to 2: update the server";
        assert_eq!(no_common_version(Role::BaseStation, newer, older), text);
        assert_eq!(no_common_version(Role::Server, older, newer), text);
        let one = VersionRange { lowest: 1, highest: 1 };
        assert_eq!(
            no_common_version(Role::BaseStation, one, newer),
            "this base station speaks version 1 of the radio link, the server 3 to 4: update the base station"
        );
    }
}
