//! A small view of the RTP header for those who send and receive audio.

use core::ops::Range;

use crate::Error;

/// Octets of a header without CSRC list and extension.
///
/// RFC 3550 5.1
pub const HEADER_LENGTH: usize = 12;

/// The fields of an RTP header that audio needs.
///
/// RFC 3550 5.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the header is closed")]
pub struct RtpHeader {
    /// Beginning of a talk spurt.
    pub marker: bool,
    /// Payload type, seven bits.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence_number: u16,
    /// Time stamp of the first sample.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

impl RtpHeader {
    /// Reads the header; the range is the payload without CSRC list, extension and padding.
    ///
    /// RFC 3550 5.1, 5.3.1
    pub fn parse(packet: &[u8]) -> Result<(Self, Range<usize>), Error> {
        let truncated = Error::Truncated { at: packet.len() };
        let (fixed, _) = packet.split_first_chunk::<HEADER_LENGTH>().ok_or(truncated)?;
        let [first, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            return Err(Error::Version);
        }
        let mut start = HEADER_LENGTH + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            let Some(&[e0, e1]) = packet.get(start + 2..start + 4) else { return Err(truncated) };
            start += 4 + 4 * usize::from(u16::from_be_bytes([e0, e1]));
        }
        let payload = packet.get(start..).ok_or(truncated)?;
        let padding = match payload.last() {
            _ if first & 0x20 == 0 => 0,
            None | Some(0) => return Err(Error::Padding),
            Some(octets) => usize::from(*octets),
        };
        let end = start + payload.len().checked_sub(padding).ok_or(Error::Padding)?;
        let header = Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence_number: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        };
        Ok((header, start..end))
    }

    /// The header's octets.
    ///
    /// RFC 3550 5.1
    pub const fn emit(&self) -> [u8; HEADER_LENGTH] {
        let [s0, s1] = self.sequence_number.to_be_bytes();
        let [t0, t1, t2, t3] = self.timestamp.to_be_bytes();
        let [c0, c1, c2, c3] = self.ssrc.to_be_bytes();
        let second = (self.payload_type & 0x7f) | if self.marker { 0x80 } else { 0 };
        [0x80, second, s0, s1, t0, t1, t2, t3, c0, c1, c2, c3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: RtpHeader = RtpHeader {
        marker: true,
        payload_type: 8,
        sequence_number: 65535,
        timestamp: 160,
        ssrc: 0xdead_beef,
    };

    #[test]
    fn a_header_survives() {
        let mut packet = HEADER.emit().to_vec();
        packet.extend([1, 2, 3]);
        assert_eq!(RtpHeader::parse(&packet), Ok((HEADER, 12..15)));
    }

    #[test]
    fn sources_extension_and_padding_are_no_payload() {
        let mut packet = HEADER.emit().to_vec();
        packet[0] = 0xb1;
        packet.extend([0; 4]);
        packet.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        packet.extend([1, 2, 3, 0, 2]);
        assert_eq!(RtpHeader::parse(&packet), Ok((HEADER, 24..27)));
        *packet.last_mut().unwrap() = 6;
        assert_eq!(RtpHeader::parse(&packet), Err(Error::Padding));
        *packet.last_mut().unwrap() = 0;
        assert_eq!(RtpHeader::parse(&packet), Err(Error::Padding));
        packet[19] = 200;
        assert_eq!(RtpHeader::parse(&packet), Err(Error::Truncated { at: 29 }));
    }

    #[test]
    fn what_is_too_short_is_refused() {
        for length in 0..12 {
            assert_eq!(RtpHeader::parse(&HEADER.emit()[..length]), Err(Error::Truncated { at: length }));
        }
        assert_eq!(RtpHeader::parse(&[0; 12]), Err(Error::Version));
    }
}
