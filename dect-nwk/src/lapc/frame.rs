//! Frames with their fill and checksum.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Address, Control};
use crate::error::{Error, Rule};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
