//! `a=x-bypassid`.

use crate::sdp::MediaDescription;

impl MediaDescription {
    /// The identifier of the sender's place for media bypass, without braces.
    ///
    /// MS-SDPEXT 3.1.5
    pub fn bypass_id(&self) -> Option<&str> {
        self.value("x-bypassid").map(|id| id.trim_matches(['{', '}']))
    }
}

/// Whether two identifiers name the same place: letters and braces do not count.
///
/// MS-SDPEXT 3.1.5
pub fn same_bypass_id(a: &str, b: &str) -> bool {
    let plain = |id: &str| id.trim_matches(['{', '}']).to_ascii_lowercase();
    !plain(a).is_empty() && plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_braces_do_not_count() {
        assert!(same_bypass_id("{A0B1-c2}", "a0b1-C2"));
        assert!(!same_bypass_id("a", "b"));
        assert!(!same_bypass_id("", "{}"));
    }
}
