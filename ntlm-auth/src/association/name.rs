//! What tells an association from others.

/// What tells an association from others, as it stands in the headers.
///
/// MS-SIPAE 3.1.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssociationName {
    /// The realm.
    pub realm: String,
    /// The server that owns the association.
    pub target_name: String,
    /// The server's number for it.
    pub opaque: String,
    /// Version of the protocol that both agreed on.
    pub version: ProtocolVersion,
}

/// Version of the authentication protocol.
///
/// MS-SIPAE 1.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProtocolVersion {
    /// 2: the To address and identities are not signed.
    V2,
    /// 3: as of OCS 2007.
    V3,
    /// 4: as of OCS 2007 R2 and Lync; the message that proves the password is signed already.
    V4,
}

impl ProtocolVersion {
    /// The version that follows from what a challenge says; none means 2, and newer ones are answered with 4.
    ///
    /// MS-SIPAE 1.7
    #[must_use]
    pub fn agree(offered: Option<u32>) -> Self {
        match offered {
            None | Some(0..=2) => Self::V2,
            Some(3) => Self::V3,
            Some(4..) => Self::V4,
        }
    }

    /// The number in the headers.
    ///
    /// MS-SIPAE 1.7
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }
}
