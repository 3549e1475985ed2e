//! What differs between the five ways of writing STUN.

/// A way of writing STUN messages.
///
/// RFC 8489, RFC 3489, MS-ICE2, MS-ICE, MS-TURN
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// RFC 8489 and its predecessor RFC 5389: ICE of RFC 8445 and 5245, TURN of RFC 8656.
    Rfc8489,
    /// Connectivity checks of Lync and OCS 2007 R2: the cookie, but attributes without alignment.
    MsIce2,
    /// Connectivity checks of OCS 2007: 16 random octets in place of the cookie.
    Draft06,
    /// Relays of all three: the cookie is the first attribute.
    MsTurn,
    /// Servers and clients from before the cookie.
    Rfc3489,
}

impl Dialect {
    /// Whether the header has the cookie of RFC 8489.
    ///
    /// RFC 8489 5
    pub const fn has_cookie(self) -> bool {
        matches!(self, Self::Rfc8489 | Self::MsIce2)
    }

    /// Whether attributes start at multiples of four octets.
    ///
    /// RFC 8489 14, MS-ICE2 2.2 (as seen)
    pub const fn is_aligned(self) -> bool {
        matches!(self, Self::Rfc8489)
    }

    /// Whether texts are filled with zeros inside their counted length.
    ///
    /// MS-ICE2 2.2 (as seen)
    pub(crate) const fn pads_texts(self) -> bool {
        matches!(self, Self::MsIce2 | Self::Draft06)
    }

    /// Whether the hashed text is filled with zeros to a multiple of 64.
    ///
    /// RFC 3489 11.2.8
    pub(crate) const fn pads_hashed_text(self) -> bool {
        !matches!(self, Self::Rfc8489)
    }

    /// Whether the hashed header already counts a FINGERPRINT that follows.
    ///
    /// MS-ICE2 2.2 (as seen)
    pub(crate) const fn hashes_whole_length(self) -> bool {
        matches!(self, Self::MsIce2)
    }

    /// Whether the attributes have the numbers of MS-TURN.
    ///
    /// MS-TURN 2.2.2
    pub(crate) const fn is_ms_turn(self) -> bool {
        matches!(self, Self::MsTurn)
    }
}
