//! Just enough RTP and RTCP to find the payload.

use core::hint::cold_path;

/// Octets of the fixed RTP header.
pub(crate) const FIXED_HEADER: usize = 12;
/// Octets of an RTCP packet that stay clear.
pub(crate) const RTCP_HEADER: usize = 8;

/// What SRTP needs of an RTP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Octets up to the payload, with CSRC list and extension.
    pub(crate) length: usize,
    pub(crate) sequence_number: u16,
    pub(crate) ssrc: u32,
}

/// Why there is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    TooShort,
    Malformed,
}

impl Header {
    /// RFC 3550 5.1 and 5.3.1: CSRC list and extension must lie within the packet.
    #[inline]
    pub(crate) fn parse(packet: &[u8]) -> Result<Self, HeaderError> {
        let (fixed, rest) = packet.split_first_chunk::<FIXED_HEADER>().ok_or(HeaderError::TooShort)?;
        let [first, _, s0, s1, _, _, _, _, c0, c1, c2, c3] = *fixed;
        if first >> 6 != 2 {
            cold_path();
            return Err(HeaderError::Malformed);
        }
        let mut length = FIXED_HEADER + 4 * usize::from(first & 0x0f);
        if first & 0x10 != 0 {
            cold_path();
            let at = length - FIXED_HEADER;
            let extension = rest.get(at + 2..at + 4).ok_or(HeaderError::Malformed)?;
            length += 4 + 4 * extension.iter().fold(0, |words, octet| (words << 8) | usize::from(*octet));
        }
        if length > packet.len() {
            cold_path();
            return Err(HeaderError::Malformed);
        }
        Ok(Self {
            length,
            sequence_number: u16::from_be_bytes([s0, s1]),
            ssrc: u32::from_be_bytes([c0, c1, c2, c3]),
        })
    }
}

/// The sender's SSRC of an RTCP packet; of a compound the first packet's.
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Result<u32, HeaderError> {
    let header = packet.first_chunk::<RTCP_HEADER>().ok_or(HeaderError::TooShort)?;
    let [first, _, _, _, c0, c1, c2, c3] = *header;
    if first >> 6 != 2 {
        return Err(HeaderError::Malformed);
    }
    Ok(u32::from_be_bytes([c0, c1, c2, c3]))
}

/// Whether a datagram of a multiplexed port is RTCP.
///
/// RFC 5761 4
pub fn is_rtcp(packet: &[u8]) -> bool {
    matches!(packet, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, length: usize) -> Vec<u8> {
        let mut packet = vec![0_u8; length];
        packet[0] = first;
        packet[3] = 7;
        packet[11] = 9;
        packet
    }

    #[test]
    fn csrc_list_and_extension_belong_to_the_header() {
        assert_eq!(Header::parse(&packet(0x80, 12)), Ok(Header { length: 12, sequence_number: 7, ssrc: 9 }));
        assert_eq!(Header::parse(&packet(0x83, 30)).unwrap().length, 24);
        let mut extended = packet(0x91, 40);
        extended[19] = 2;
        assert_eq!(Header::parse(&extended).unwrap().length, 12 + 4 + 4 + 8);
    }

    #[test]
    fn overruns_are_malformed() {
        assert_eq!(Header::parse(&packet(0x81, 15)), Err(HeaderError::Malformed));
        assert_eq!(Header::parse(&packet(0x90, 15)), Err(HeaderError::Malformed));
        let mut extended = packet(0x90, 20);
        extended[14] = 0xff;
        assert_eq!(Header::parse(&extended), Err(HeaderError::Malformed));
        assert_eq!(Header::parse(&packet(0x40, 20)), Err(HeaderError::Malformed));
        assert_eq!(Header::parse(&packet(0x80, 12)[..11]), Err(HeaderError::TooShort));
        assert_eq!(Header::parse(&[]), Err(HeaderError::TooShort));
    }

    #[test]
    fn a_multiplexed_port_tells_rtcp_by_its_type() {
        assert!(is_rtcp(&[0x80, 200, 0, 1]));
        assert!(!is_rtcp(&[0x80, 0x80, 0, 1]));
        assert!(!is_rtcp(&[0x00, 200]));
        assert!(!is_rtcp(&[0x80]));
    }
}
