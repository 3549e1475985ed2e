//! Attributes of MS-TURN that tell what a stream is and where its ends are.

use super::value::{Around, Form};
use super::writer::Writer;

/// MS-Sequence-Number: which allocation, and which message for it.
///
/// MS-TURN 2.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SequenceNumber {
    /// The name of the allocation, from the server.
    pub connection: [u8; 20],
    /// Counts the client's messages.
    pub number: u32,
}

impl<'a> Form<'a> for SequenceNumber {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let (connection, number) = value.split_first_chunk::<20>()?;
        Some(Self { connection: *connection, number: u32::from_be_bytes(number.try_into().ok()?) })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&self.connection);
        to.put(&self.number.to_be_bytes());
    }
}

/// What a stream carries.
///
/// MS-TURN 2.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamKind {
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// A further video stream.
    SupplementalVideo,
    /// Data.
    Data,
    /// Any other, by its number.
    Other(u16),
}

/// MS-Service-Quality: what a stream carries and whether it must arrive.
///
/// MS-TURN 2.2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceQuality {
    /// What it carries.
    pub stream: StreamKind,
    /// Whether delivery is to be reliable.
    pub reliable: bool,
}

impl<'a> Form<'a> for ServiceQuality {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [a, b, c, d] = *value else { return None };
        let stream = match u16::from_be_bytes([a, b]) {
            1 => StreamKind::Audio,
            2 => StreamKind::Video,
            3 => StreamKind::SupplementalVideo,
            4 => StreamKind::Data,
            other => StreamKind::Other(other),
        };
        Some(Self { stream, reliable: u16::from_be_bytes([c, d]) != 0 })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        let stream = match self.stream {
            StreamKind::Audio => 1,
            StreamKind::Video => 2,
            StreamKind::SupplementalVideo => 3,
            StreamKind::Data => 4,
            StreamKind::Other(other) => other,
        };
        to.put(&stream.to_be_bytes());
        to.put(&u16::from(self.reliable).to_be_bytes());
    }
}

/// Where an end of a call is.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// Not known.
    Unknown,
    /// Outside of the enterprise.
    Internet,
    /// Inside.
    Intranet,
    /// Any other, by its number.
    Other(u8),
}

impl Location {
    const fn from_number(number: u8) -> Self {
        match number {
            0 => Self::Unknown,
            1 => Self::Internet,
            2 => Self::Intranet,
            other => Self::Other(other),
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Internet => 1,
            Self::Intranet => 2,
            Self::Other(other) => other,
        }
    }
}

/// Location-Profile: where both ends are.
///
/// MS-TURNBWM 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocationProfile {
    /// Where the peer is.
    pub peer: Location,
    /// Where we are.
    pub own: Location,
    /// 0 to 2: none, enterprise, public.
    pub federation: u8,
}

impl<'a> Form<'a> for LocationProfile {
    fn read(value: &'a [u8], _: Around) -> Option<Self> {
        let [peer, own, federation, _] = *value else { return None };
        Some(Self { peer: Location::from_number(peer), own: Location::from_number(own), federation })
    }

    fn write(&self, _: Around, to: &mut Writer<'_>) {
        to.put(&[self.peer.number(), self.own.number(), self.federation, 0]);
    }
}
