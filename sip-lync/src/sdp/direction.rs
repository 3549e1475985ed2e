//! `a=sendrecv` and its brothers.

/// Which way media flows.
///
/// RFC 8866 6.7
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// Both ways; also when nothing is said.
    #[default]
    SendRecv,
    /// The sender of the description sends only.
    SendOnly,
    /// The sender of the description receives only.
    RecvOnly,
    /// Neither way: hold in the Lync dialect.
    Inactive,
}

impl Direction {
    /// All four.
    ///
    /// RFC 8866 6.7
    pub const ALL: [Self; 4] = [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive];

    /// The name of the attribute.
    ///
    /// RFC 8866 6.7
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// The direction of that name.
    ///
    /// RFC 8866 6.7
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|direction| direction.as_str().eq_ignore_ascii_case(name))
    }

    /// Whether its sender sends.
    ///
    /// RFC 8866 6.7
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether its sender receives.
    ///
    /// RFC 8866 6.7
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The direction that sends and receives so.
    ///
    /// RFC 8866 6.7
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// The same flow seen from the other side.
    ///
    /// RFC 3264 6.1
    #[must_use]
    pub const fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// What may be answered to an offer of this direction by who wants `wanted`.
    ///
    /// RFC 3264 6.1
    #[must_use]
    pub const fn answered(self, wanted: Self) -> Self {
        Self::of(wanted.sends() && self.receives(), wanted.receives() && self.sends())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_never_exceeds_the_offer() {
        for offer in Direction::ALL {
            assert_eq!(Direction::parse(offer.as_str()), Some(offer));
            assert_eq!(offer.reversed().reversed(), offer);
            assert_eq!(offer.answered(Direction::SendRecv), offer.reversed());
            assert_eq!(offer.answered(Direction::Inactive), Direction::Inactive);
            for wanted in Direction::ALL {
                let answer = offer.answered(wanted);
                assert!(!answer.sends() || offer.receives());
                assert!(!answer.receives() || offer.sends());
            }
        }
        assert_eq!(Direction::SendOnly.answered(Direction::SendRecv), Direction::RecvOnly);
    }
}
