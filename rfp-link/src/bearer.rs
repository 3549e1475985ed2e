//! Bearers: the audio of one connection between base station and server.

/// A connection of the data link layer between a portable and a base station; numbered by the base station.
///
/// docs/radio-link.md 4.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

/// One bearer's audio; numbered by the server.
///
/// docs/radio-link.md 4.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BearerId(pub u32);

/// How a connection of the data link layer is released.
///
/// EN 300 175-4 8.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReleaseMode {
    /// Outstanding frames are delivered first.
    Normal,
    /// At once; what is outstanding is lost.
    Abnormal,
}

impl ReleaseMode {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Abnormal => 1,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Normal),
            1 => Some(Self::Abnormal),
            _ => None,
        }
    }
}

/// The speech coding of a bearer.
///
/// docs/radio-link.md 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BearerCodec {
    /// G.726 at 32 kbit/s: 80 octets each 20 ms.
    G726,
    /// G.722 at 64 kbit/s: 160 octets each 20 ms.
    G722,
}

impl BearerCodec {
    /// Octets of speech in one packet of 20 ms.
    ///
    /// docs/radio-link.md 5.1
    #[must_use]
    pub fn packet_octets(self) -> usize {
        match self {
            Self::G726 => 80,
            Self::G722 => 160,
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::G726 => 0,
            Self::G722 => 1,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::G726),
            1 => Some(Self::G722),
            _ => None,
        }
    }
}

/// Why a base station does not open a bearer.
///
/// docs/radio-link.md 4.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BearerRefusal {
    /// All channels are taken.
    NoChannel,
    /// There is no connection with that number (it may just have been released).
    UnknownConnection,
    /// The base station does not carry that codec.
    Codec,
    /// The base station does not protect bearer audio.
    Keys,
    /// A bearer of that number, or of that connection, is open already.
    InUse,
    /// The radio could not set the bearer up.
    Radio,
    /// A reason of a newer edition.
    Other(u8),
}

impl BearerRefusal {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::NoChannel => 1,
            Self::UnknownConnection => 2,
            Self::Codec => 3,
            Self::Keys => 4,
            Self::InUse => 5,
            Self::Radio => 6,
            Self::Other(code) => code,
        }
    }

    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::NoChannel,
            2 => Self::UnknownConnection,
            3 => Self::Codec,
            4 => Self::Keys,
            5 => Self::InUse,
            6 => Self::Radio,
            other => Self::Other(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_code_comes_back_as_itself() {
        for code in 0..=u8::MAX {
            assert_eq!(BearerRefusal::from_code(code).code(), code);
        }
    }

    #[test]
    fn a_packet_of_20_ms_has_the_octets_of_its_bit_rate() {
        assert_eq!(BearerCodec::G726.packet_octets(), 32_000 / 50 / 8);
        assert_eq!(BearerCodec::G722.packet_octets(), 64_000 / 50 / 8);
    }
}
