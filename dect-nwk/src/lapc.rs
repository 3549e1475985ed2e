//! Frames of the C-plane data link layer which carry messages over the air.
//!
//! The network layer's own machines exchange whole messages with the layer below; this module is for test equipment
//! and for tools that look at frames.

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::error::{Error, Rule};

/// The address octet of a frame.
///
/// EN 300 175-4 7.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Whether the frame establishes a new link.
    pub new_link: bool,
    /// Logical link number (three bits): 0 class U, 1 class A, 2 to 6 class B, 7 unassigned.
    pub logical_link: u8,
    /// Service access point (two bits): 0 connection oriented, 3 connectionless.
    pub service_access_point: u8,
    /// The command/response bit: commands have 0 from the portable and 1 from the fixed part, responses the reverse.
    pub command_response: bool,
}

impl Address {
    /// Reads the octet.
    ///
    /// EN 300 175-4 7.3
    pub const fn from_octet(octet: u8) -> Self {
        Self {
            new_link: octet & 0x80 != 0,
            logical_link: octet >> 4 & 7,
            service_access_point: octet >> 2 & 3,
            command_response: octet & 2 != 0,
        }
    }

    /// The octet.
    ///
    /// EN 300 175-4 7.3
    pub const fn octet(self) -> u8 {
        let new_link = if self.new_link { 0x80 } else { 0 };
        let command_response = if self.command_response { 2 } else { 0 };
        new_link | (self.logical_link & 7) << 4 | (self.service_access_point & 3) << 2 | command_response | 1
    }
}

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

/// The logical channel, which decides the length of frames.
///
/// EN 300 175-4 7.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Slow: multiples of 5 octets.
    Slow,
    /// Fast: multiples of 8 octets.
    Fast,
}

/// A frame.
///
/// EN 300 175-4 7.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Frame {
    /// The address octet.
    pub address: Address,
    /// The control octet.
    pub control: Control,
    /// Whether more frames of the same message follow.
    pub more: bool,
    /// The information, at most 63 octets.
    information: Bytes,
}

const HEADER: usize = 3;
const CHECKSUM: usize = 2;
const FILL: u8 = 0xf0;

impl Frame {
    /// The most octets of information in one frame.
    pub const MAX_INFORMATION: usize = 63;

    /// A frame with this information.
    ///
    /// EN 300 175-4 7.2
    pub fn new(address: Address, control: Control, more: bool, information: &[u8]) -> Result<Self, Error> {
        if information.len() > Self::MAX_INFORMATION {
            return Err(Error::Value(Rule::TooLong));
        }
        Ok(Self { address, control, more, information: Bytes::copy_from_slice(information) })
    }

    /// The information.
    ///
    /// EN 300 175-4 7.8
    pub const fn information(&self) -> &Bytes {
        &self.information
    }

    /// Reads a frame with fill and checksum. The link signature is the lowest 16 bits of the portable part's address
    /// once that is known, before it is 0.
    ///
    /// EN 300 175-4 7.2, 7.10
    pub fn parse(frame: &[u8], signature: u16) -> Result<Self, Error> {
        let end = frame.len().checked_sub(CHECKSUM).filter(|end| *end >= HEADER);
        let Some((body, sent)) = end.and_then(|end| frame.split_at_checked(end)) else {
            return Err(Error::Malformed { at: frame.len(), rule: Rule::FrameTooShort });
        };
        let [high, low] = signature.to_be_bytes();
        let plain = sent.iter().zip([high, low]).map(|(octet, signature)| octet ^ signature);
        if sums(body.iter().copied().chain(plain)) != (0, 0) {
            return Err(Error::Malformed { at: body.len(), rule: Rule::FrameChecksum });
        }
        let (parsed, _fill) = Self::split(body)?;
        Ok(parsed)
    }

    /// Reads a frame without fill and checksum, as some interfaces between radio part and controller carry it.
    ///
    /// EN 300 175-4 7.2
    pub fn parse_bare(frame: &[u8]) -> Result<Self, Error> {
        match Self::split(frame)? {
            (parsed, []) => Ok(parsed),
            (_, rest) => Err(Error::Malformed { at: frame.len() - rest.len(), rule: Rule::FrameLength }),
        }
    }

    fn split(octets: &[u8]) -> Result<(Self, &[u8]), Error> {
        let &[address, control, length, ref rest @ ..] = octets else {
            return Err(Error::Malformed { at: octets.len(), rule: Rule::FrameTooShort });
        };
        let control =
            Control::from_octet(control).ok_or(Error::Malformed { at: 1, rule: Rule::FrameControl })?;
        let wrong_length = Error::Malformed { at: 2, rule: Rule::FrameLength };
        if length & 1 == 0 {
            return Err(wrong_length);
        }
        let (information, fill) = rest.split_at_checked(usize::from(length >> 2)).ok_or(wrong_length)?;
        let information = Bytes::copy_from_slice(information);
        Ok((
            Self { address: Address::from_octet(address), control, more: length & 2 != 0, information },
            fill,
        ))
    }

    /// Appends the frame without fill and checksum.
    ///
    /// EN 300 175-4 7.2
    pub fn emit_bare(&self, octets: &mut BytesMut) {
        let more = if self.more { 2 } else { 0 };
        let length = (self.information.len() as u8) << 2 | more | 1;
        octets.put_slice(&[self.address.octet(), self.control.octet(), length]);
        octets.put_slice(&self.information);
    }

    /// Appends the frame with fill and checksum.
    ///
    /// EN 300 175-4 7.2, 7.9, 7.10
    pub fn emit(&self, signature: u16, channel: Channel, octets: &mut BytesMut) {
        let start = octets.len();
        self.emit_bare(octets);
        let unit = match channel {
            Channel::Slow => 5,
            Channel::Fast => 8,
        };
        let length = (octets.len() - start + CHECKSUM).next_multiple_of(unit);
        octets.resize(start + length - CHECKSUM, FILL);
        let body = octets.get(start..).unwrap_or_default();
        octets.put_u16(checksum(body) ^ signature);
    }
}

/// Both running sums over a whole frame, modulo 255.
fn sums(octets: impl Iterator<Item = u8>) -> (u16, u16) {
    octets.fold((0, 0), |(first, second), octet| {
        let first = (first + u16::from(octet)) % 255;
        (first, (second + first) % 255)
    })
}

/// The checksum to be put behind these octets, before the link signature is applied.
///
/// EN 300 175-4 7.10, annex B
pub fn checksum(octets: &[u8]) -> u16 {
    let (first, second) = sums(octets.iter().copied().chain([0, 0]));
    let x = (first + 255 - second) % 255;
    let y = (second + 2 * (255 - first)) % 255;
    x << 8 | y
}

/// Cuts a message into the information of frames: the octets and whether more follow.
///
/// EN 300 175-4 9.2.4
pub fn segments(message: &[u8]) -> impl Iterator<Item = (&[u8], bool)> {
    let count = message.len().div_ceil(Frame::MAX_INFORMATION).max(1);
    (1..=count).map(move |number| {
        let start = (number - 1) * Frame::MAX_INFORMATION;
        let end = message.len().min(number * Frame::MAX_INFORMATION);
        (message.get(start..end).unwrap_or_default(), number < count)
    })
}

/// Puts the information of the frames of one link together again.
///
/// EN 300 175-4 9.2.4
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reassembly {
    collected: Vec<u8>,
    last: Option<Frame>,
}

impl Reassembly {
    /// The longest message that is put together.
    pub const MAX_LEN: usize = 4096;

    /// Nothing received yet.
    ///
    /// EN 300 175-4 9.2.4
    pub const fn new() -> Self {
        Self { collected: Vec::new(), last: None }
    }

    /// Takes a frame; the message is returned with its last frame. A repetition of the frame before, within a message,
    /// is ignored; a message that grows too long is dropped.
    ///
    /// EN 300 175-4 9.2.4
    pub fn push(&mut self, frame: &Frame) -> Result<Option<Bytes>, Error> {
        if !frame.control.carries_information() {
            return Ok(None);
        }
        if self.last.as_ref().is_some_and(|last| last == frame) {
            return Ok(None);
        }
        if self.collected.len() + frame.information.len() > Self::MAX_LEN {
            *self = Self::new();
            return Err(Error::Malformed { at: 0, rule: Rule::Reassembly });
        }
        self.collected.extend_from_slice(&frame.information);
        if frame.more {
            self.last = Some(frame.clone());
            return Ok(None);
        }
        self.last = None;
        Ok(Some(std::mem::take(&mut self.collected).into()))
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
        for octet in 0..=u8::MAX {
            assert_eq!(Address::from_octet(octet).octet(), octet | 1);
        }
    }

    #[test]
    fn the_examples_of_the_checksum() {
        assert_eq!(checksum(&[0xfe, 0x02]), 0xfe00);
        assert_eq!(checksum(&[0x91, 0x00, 0x01]), 0xb7b5);
    }

    #[test]
    fn wrong_frames_are_refused_by_rule() {
        let frame = [0x91, 0x21, 0x01, 0x54, 0xf7];
        assert!(Frame::parse(&frame, 0).is_ok());
        assert_eq!(Frame::parse(&frame, 1), Err(Error::Malformed { at: 3, rule: Rule::FrameChecksum }));
        assert_eq!(Frame::parse(&frame[..4], 0), Err(Error::Malformed { at: 4, rule: Rule::FrameTooShort }));
        for (bare, at, rule) in [
            (&[0x91, 0x21][..], 2, Rule::FrameTooShort),
            (&[0x91, 0x07, 0x01], 1, Rule::FrameControl),
            (&[0x91, 0x00, 0x00], 2, Rule::FrameLength),
            (&[0x91, 0x00, 0x05], 2, Rule::FrameLength),
            (&[0x91, 0x00, 0x01, 0xf0], 3, Rule::FrameLength),
        ] {
            assert_eq!(Frame::parse_bare(bare), Err(Error::Malformed { at, rule }));
        }
    }

    #[test]
    fn messages_are_cut_and_put_together() {
        for length in [0, 1, 63, 64, 126, 127, 300] {
            let message: Vec<u8> = (0..length).map(|number| number as u8).collect();
            let address = Address::from_octet(0x11);
            let mut reassembly = Reassembly::new();
            let mut whole = None;
            for (number, (octets, more)) in segments(&message).enumerate() {
                let control = Control::Information { send: number as u8 & 7, receive: 0, poll: false };
                let frame = Frame::new(address, control, more, octets).unwrap();
                assert_eq!(whole, None);
                whole = reassembly.push(&frame).unwrap();
                assert_eq!(reassembly.push(&frame.clone()).map(|again| again.is_some() && more), Ok(false));
                if !more {
                    reassembly = Reassembly::new();
                }
            }
            assert_eq!(whole.as_deref(), Some(&message[..]));
        }
    }

    #[test]
    fn a_message_without_end_is_dropped() {
        let mut reassembly = Reassembly::new();
        let refused = (0..100).find_map(|number: u8| {
            let control = Control::Information { send: number & 7, receive: 0, poll: false };
            let frame = Frame::new(Address::from_octet(0x11), control, true, &[number; 63]).unwrap();
            reassembly.push(&frame).err()
        });
        assert_eq!(refused, Some(Error::Malformed { at: 0, rule: Rule::Reassembly }));
        assert_eq!(reassembly, Reassembly::new());
    }
}
