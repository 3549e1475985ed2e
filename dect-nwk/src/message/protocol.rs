//! Protocol discriminator.

/// The entity a message is for.
///
/// EN 300 175-5 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "UPPERCASE"))]
pub enum ProtocolDiscriminator {
    /// Link control entity.
    Lce,
    /// Call control and call related supplementary services.
    Cc,
    /// Call independent supplementary services.
    Ciss,
    /// Mobility management.
    Mm,
    /// Connectionless message service.
    Clms,
    /// Connection oriented message service.
    Coms,
}

impl ProtocolDiscriminator {
    /// The protocol with this code of four bits.
    ///
    /// EN 300 175-5 7.2
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Lce),
            3 => Some(Self::Cc),
            4 => Some(Self::Ciss),
            5 => Some(Self::Mm),
            6 => Some(Self::Clms),
            7 => Some(Self::Coms),
            _ => None,
        }
    }

    /// Its code.
    ///
    /// EN 300 175-5 7.2
    pub const fn code(self) -> u8 {
        match self {
            Self::Lce => 0,
            Self::Cc => 3,
            Self::Ciss => 4,
            Self::Mm => 5,
            Self::Clms => 6,
            Self::Coms => 7,
        }
    }

    /// Its usual abbreviation.
    ///
    /// EN 300 175-5 3.2
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lce => "LCE",
            Self::Cc => "CC",
            Self::Ciss => "CISS",
            Self::Mm => "MM",
            Self::Clms => "CLMS",
            Self::Coms => "COMS",
        }
    }

    /// The protocol with this abbreviation.
    ///
    /// EN 300 175-5 3.2
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Lce, Self::Cc, Self::Ciss, Self::Mm, Self::Clms, Self::Coms]
            .into_iter()
            .find(|p| p.name() == name)
    }
}
