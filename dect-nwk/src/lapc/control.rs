//! The control octet.

/// The control octet of a frame.
///
/// EN 300 175-4 7.5
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// I: numbered information.
    Information {
        /// N(S): its own number.
        send: u8,
        /// N(R): the number expected next from the peer.
        receive: u8,
        /// The poll bit.
        poll: bool,
    },
    /// RR: ready to receive.
    ReceiveReady {
        /// N(R): the number expected next from the peer.
        receive: u8,
        /// The poll or final bit.
        poll: bool,
    },
    /// RNR: not ready to receive.
    ReceiveNotReady {
        /// N(R): the number expected next from the peer.
        receive: u8,
        /// The poll or final bit.
        poll: bool,
    },
    /// REJ: reject.
    Reject {
        /// N(R): the number expected next from the peer.
        receive: u8,
        /// The poll or final bit.
        poll: bool,
    },
    /// SABM: set asynchronous balanced mode.
    SetBalanced {
        /// The poll bit.
        poll: bool,
    },
    /// DM: disconnected mode.
    Disconnected {
        /// The final bit.
        poll: bool,
    },
    /// UI: unnumbered information.
    Unnumbered {
        /// The poll bit.
        poll: bool,
    },
    /// DISC: disconnect.
    Disconnect {
        /// The poll bit.
        poll: bool,
    },
    /// UA: unnumbered acknowledge.
    Acknowledge {
        /// The final bit.
        poll: bool,
    },
}

const POLL: u8 = 0x10;

impl Control {
    /// Reads the octet; `None` for a frame type that does not exist.
    ///
    /// EN 300 175-4 7.5
    pub const fn from_octet(octet: u8) -> Option<Self> {
        let (receive, poll) = (octet >> 5, octet & POLL != 0);
        Some(match octet & 0xf {
            even if even & 1 == 0 => Self::Information { send: octet >> 1 & 7, receive, poll },
            0x1 => Self::ReceiveReady { receive, poll },
            0x5 => Self::ReceiveNotReady { receive, poll },
            0x9 => Self::Reject { receive, poll },
            _ => match octet & !POLL {
                0x2f => Self::SetBalanced { poll },
                0x0f => Self::Disconnected { poll },
                0x03 => Self::Unnumbered { poll },
                0x43 => Self::Disconnect { poll },
                0x63 => Self::Acknowledge { poll },
                _ => return None,
            },
        })
    }

    /// The octet.
    ///
    /// EN 300 175-4 7.5
    pub const fn octet(self) -> u8 {
        let octet = match self {
            Self::Information { send, receive, .. } => (receive & 7) << 5 | (send & 7) << 1,
            Self::ReceiveReady { receive, .. } => (receive & 7) << 5 | 0x1,
            Self::ReceiveNotReady { receive, .. } => (receive & 7) << 5 | 0x5,
            Self::Reject { receive, .. } => (receive & 7) << 5 | 0x9,
            Self::SetBalanced { .. } => 0x2f,
            Self::Disconnected { .. } => 0x0f,
            Self::Unnumbered { .. } => 0x03,
            Self::Disconnect { .. } => 0x43,
            Self::Acknowledge { .. } => 0x63,
        };
        if self.poll() { octet | POLL } else { octet }
    }

    /// The poll or final bit.
    ///
    /// EN 300 175-4 7.5
    pub const fn poll(self) -> bool {
        match self {
            Self::Information { poll, .. }
            | Self::ReceiveReady { poll, .. }
            | Self::ReceiveNotReady { poll, .. }
            | Self::Reject { poll, .. }
            | Self::SetBalanced { poll }
            | Self::Disconnected { poll }
            | Self::Unnumbered { poll }
            | Self::Disconnect { poll }
            | Self::Acknowledge { poll } => poll,
        }
    }

    /// Whether frames of this type carry parts of messages.
    ///
    /// EN 300 175-4 7.5
    pub const fn carries_information(self) -> bool {
        matches!(self, Self::Information { .. } | Self::Unnumbered { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_octets_lead_back_to_themselves() {
        let known = (0..=u8::MAX).filter(|octet| {
            let control = Control::from_octet(*octet);
            assert!(control.is_none_or(|control| control.octet() == *octet));
            control.is_some()
        });
        // All even ones, three times sixteen supervisory ones and five unnumbered ones with two polls.
        assert_eq!(known.count(), 128 + 48 + 10);
    }
}
