//! `a=x-ssrc-range`.

use core::fmt;

use crate::sdp::MediaDescription;

/// The synchronization sources the sender will use on a line.
///
/// MS-SDPEXT 3.1.5.31
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SsrcRange {
    /// The lowest.
    pub first: u32,
    /// The highest.
    pub last: u32,
}

impl SsrcRange {
    /// The highest value that may be used.
    ///
    /// MS-SDPEXT 3.1.5.31
    pub const MAXIMUM: u32 = 0xffff_ff00;

    /// A range of one; `None` for values that are not allowed.
    ///
    /// MS-SDPEXT 3.1.5.31
    pub const fn one(ssrc: u32) -> Option<Self> {
        if ssrc == 0 || ssrc > Self::MAXIMUM { None } else { Some(Self { first: ssrc, last: ssrc }) }
    }

    /// Reads the value.
    ///
    /// MS-SDPEXT 3.1.5.31
    pub fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.trim().split_once('-')?;
        let range = Self { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? };
        (range.first != 0 && range.first <= range.last && range.last <= Self::MAXIMUM).then_some(range)
    }

    /// Whether a source belongs to it.
    ///
    /// MS-SDPEXT 3.1.5.31
    pub const fn contains(self, ssrc: u32) -> bool {
        self.first <= ssrc && ssrc <= self.last
    }
}

impl fmt::Display for SsrcRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl MediaDescription {
    /// The value of `a=x-ssrc-range`, if it is a range that is allowed.
    ///
    /// MS-SDPEXT 3.1.5.31
    pub fn ssrc_range(&self) -> Option<SsrcRange> {
        self.value("x-ssrc-range").and_then(SsrcRange::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_ranges_are_read() {
        let range = SsrcRange::parse("401234567-401234666").unwrap();
        assert!(range.contains(401_234_600) && !range.contains(1));
        assert_eq!(range.to_string(), "401234567-401234666");
        assert_eq!(
            SsrcRange::one(0xffff_ff00).map(|r| r.to_string()).as_deref(),
            Some("4294967040-4294967040")
        );
        assert_eq!(SsrcRange::one(0xffff_ff01), None);
        for text in ["", "1", "0-1", "2-1", "1-4294967041", "a-b"] {
            assert_eq!(SsrcRange::parse(text), None, "{text}");
        }
    }
}
