//! Time as NTLM writes it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment in units of 100 ns since 1601-01-01 UTC.
///
/// MS-NLMP 2.2.2.1 (MsvAvTimestamp)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileTime(pub u64);

impl FileTime {
    /// How far two moments are apart.
    ///
    /// MS-NLMP 3.1.1.1
    #[must_use]
    pub fn distance(self, other: Self) -> Duration {
        let ticks = self.0.abs_diff(other.0);
        Duration::new(ticks / 10_000_000, (ticks % 10_000_000) as u32 * 100)
    }
}

impl From<SystemTime> for FileTime {
    fn from(wall: SystemTime) -> Self {
        let since = wall.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let ticks = since.as_secs().saturating_mul(10_000_000) + u64::from(since.subsec_nanos() / 100);
        Self(UNIX.saturating_add(ticks))
    }
}

/// 1970-01-01.
const UNIX: u64 = 116_444_736_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_apart_by_what_lies_between() {
        let start = FileTime::from(UNIX_EPOCH);
        let later = FileTime::from(UNIX_EPOCH + Duration::from_millis(1500));
        assert_eq!(start.0, UNIX);
        assert_eq!(start.distance(later), Duration::from_millis(1500));
        assert_eq!(later.distance(start), Duration::from_millis(1500));
    }
}
