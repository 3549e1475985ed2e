//! `a=encryption`.

use crate::sdp::MediaDescription;

/// What the sender thinks of SRTP.
///
/// MS-SDPEXT 3.1.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encryption {
    /// Not wanted.
    Rejected,
    /// Possible.
    Optional,
    /// Demanded.
    Required,
}

impl Encryption {
    /// The word.
    ///
    /// MS-SDPEXT 3.1.5
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

impl MediaDescription {
    /// The value of `a=encryption`.
    ///
    /// MS-SDPEXT 3.1.5
    pub fn encryption(&self) -> Option<Encryption> {
        let word = self.value("encryption")?;
        let all = [Encryption::Rejected, Encryption::Optional, Encryption::Required];
        all.into_iter().find(|encryption| encryption.as_str().eq_ignore_ascii_case(word))
    }
}
