//! History-Info.

use core::fmt;
use std::borrow::Cow;

use super::name_addr::NameAddr;
use crate::error::ParseError;

/// One address a request went to.
///
/// RFC 7044 5
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HistoryEntry(pub NameAddr);

impl HistoryEntry {
    /// Reads one value.
    ///
    /// RFC 7044 5
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        NameAddr::parse(text).map(Self)
    }

    /// The place in the history: numbers with points between them.
    ///
    /// RFC 7044 5
    pub fn index(&self) -> impl Iterator<Item = u32> {
        self.0.parameters.get("index").unwrap_or_default().split('.').filter_map(|part| part.parse().ok())
    }

    /// Whether the call was sent on: not the first entry.
    ///
    /// RFC 7044 5
    pub fn is_retargeted(&self) -> bool {
        !self.index().eq([1])
    }

    /// The telephone number of the target; observed with Lync 2013.
    ///
    /// RFC 7044 5
    pub fn target_phone(&self) -> Option<Cow<'_, str>> {
        self.0.parameters.unquoted("ms-target-phone")
    }

    /// Why the call was sent on, any token.
    ///
    /// MS-SIPRE 2.2
    pub fn retarget_reason(&self) -> Option<Cow<'_, str>> {
        self.0.parameters.unquoted("ms-retarget-reason")
    }
}

impl fmt::Display for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_tells_direct_calls_from_sent_on_ones() {
        let direct =
            HistoryEntry::parse("<sip:d@example.net>;index=1;ms-target-phone=\"tel:+14255550199\"").unwrap();
        assert!(!direct.is_retargeted());
        assert_eq!(direct.target_phone().as_deref(), Some("tel:+14255550199"));
        let sent_on =
            HistoryEntry::parse("<sip:d@example.net>;index=1.2;ms-retarget-reason=forwarding").unwrap();
        assert!(sent_on.is_retargeted());
        assert_eq!(sent_on.retarget_reason().as_deref(), Some("forwarding"));
    }
}
