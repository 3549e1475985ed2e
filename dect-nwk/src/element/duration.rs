//! Duration: how long an identity is valid or a refusal holds.

use bytes::{BufMut as _, BytesMut};

use super::Contents;
use crate::{
    coding::{Reader, coded},
    error::Error,
};

coded! {
    /// How long a temporary identity survives when the portable part loses its lock.
    ///
    /// EN 300 175-5 7.7.13
    LockLimit {
        /// The second temporary user limit.
        TemporaryUserLimit2 = 5,
        /// The temporary user limit.
        TemporaryUserLimit = 6,
        /// No limit.
        None = 7,
    }
}

coded! {
    /// The time limit and its unit.
    ///
    /// EN 300 175-5 7.7.13
    TimeLimit {
        /// Erase: the limit is zero.
        Erase = 0,
        /// So many times 256 multiframes of 160 ms.
        Limit1 = 1,
        /// So many times 65536 multiframes of 160 ms.
        Limit2 = 2,
        /// The standard time limit.
        Standard = 4,
        /// No end.
        Infinite = 0xf,
    }
}

/// Lock limit, time limit and the count of the limit's unit.
///
/// EN 300 175-5 7.7.13
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Duration {
    /// The lock limit.
    pub lock: LockLimit,
    /// The time limit.
    pub limit: TimeLimit,
    /// How many units, for the limits 1 and 2.
    pub units: Option<u8>,
}

impl Duration {
    /// How long it is; `None` when it is infinite or the standard time, which the receiver knows.
    ///
    /// EN 300 175-5 7.7.13
    pub fn time(self) -> Option<std::time::Duration> {
        const MULTIFRAME: std::time::Duration = std::time::Duration::from_millis(160);
        let units = u32::from(self.units.unwrap_or(1));
        match self.limit {
            TimeLimit::Erase => Some(std::time::Duration::ZERO),
            TimeLimit::Limit1 => Some(MULTIFRAME * 256 * units),
            TimeLimit::Limit2 => Some(MULTIFRAME * 65_536 * units),
            TimeLimit::Standard | TimeLimit::Infinite | TimeLimit::Reserved(_) => None,
        }
    }
}

impl Contents for Duration {
    fn parse(contents: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(contents);
        let first = reader.octet()?;
        let units = if first & 0x80 == 0 { Some(reader.octet()?) } else { None };
        Ok(Self {
            lock: LockLimit::from_code(first >> 4 & 7),
            limit: TimeLimit::from_code(first & 0xf),
            units,
        })
    }

    fn emit(&self, contents: &mut BytesMut) {
        let last = if self.units.is_some() { 0 } else { 0x80 };
        contents.put_u8(last | (self.lock.code() & 7) << 4 | self.limit.code() & 0xf);
        if let Some(units) = self.units {
            contents.put_u8(units);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_units() {
        let limit =
            |code, units| Duration { lock: LockLimit::None, limit: TimeLimit::from_code(code), units };
        assert_eq!(limit(1, Some(2)).time(), Some(std::time::Duration::from_millis(81_920)));
        assert_eq!(limit(0, None).time(), Some(std::time::Duration::ZERO));
        assert_eq!(limit(4, None).time(), None);
        assert_eq!(Duration::parse(&[0xf4]), Ok(limit(4, None)));
        assert_eq!(Duration::parse(&[0x71, 2]), Ok(limit(1, Some(2))));
        assert!(Duration::parse(&[0x71]).is_err());
    }
}
