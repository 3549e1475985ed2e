//! Whose packet it is: one look at the first octets.

/// What travels in a datagram of a media port.
///
/// RFC 7983 7, RFC 5761 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PacketKind {
    /// A STUN message of any dialect.
    Stun,
    /// A TURN channel.
    Channel,
    /// DTLS.
    Dtls,
    /// RTP.
    Rtp,
    /// RTCP.
    Rtcp,
    /// None of these.
    Unknown,
}

/// By first octet: RFC 7983 7, figure 3. RTP and RTCP part at the second.
const BY_FIRST: [PacketKind; 256] = {
    let mut table = [PacketKind::Unknown; 256];
    let mut first = 0;
    while first < 256 {
        table[first] = match first {
            0..=3 => PacketKind::Stun,
            20..=63 => PacketKind::Dtls,
            64..=79 => PacketKind::Channel,
            128..=191 => PacketKind::Rtp,
            _ => PacketKind::Unknown,
        };
        first += 1;
    }
    table
};

/// The kind of a packet, by its first two octets and its least length.
///
/// RFC 7983 7, RFC 5761 4
#[inline]
pub const fn demultiplex(packet: &[u8]) -> PacketKind {
    match packet {
        [first, second, _, _, rest @ ..] => match BY_FIRST[*first as usize] {
            PacketKind::Rtp if *second >= 192 && *second <= 223 => {
                if rest.len() >= 4 {
                    PacketKind::Rtcp
                } else {
                    PacketKind::Unknown
                }
            }
            PacketKind::Rtp if rest.len() < 8 => PacketKind::Unknown,
            PacketKind::Stun if rest.len() < 16 => PacketKind::Unknown,
            kind => kind,
        },
        _ => PacketKind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_range_of_the_first_octet_is_whose_it_should_be() {
        let mut packet = [0_u8; 20];
        for first in 0..=255_u8 {
            packet[0] = first;
            for second in 0..=255_u8 {
                packet[1] = second;
                let expected = match (first, second) {
                    (0..=3, _) => PacketKind::Stun,
                    (20..=63, _) => PacketKind::Dtls,
                    (64..=79, _) => PacketKind::Channel,
                    (128..=191, 192..=223) => PacketKind::Rtcp,
                    (128..=191, _) => PacketKind::Rtp,
                    _ => PacketKind::Unknown,
                };
                assert_eq!(demultiplex(&packet), expected, "{first} {second}");
            }
        }
    }

    #[test]
    fn what_is_too_short_is_nobodys() {
        assert_eq!(demultiplex(&[]), PacketKind::Unknown);
        assert_eq!(demultiplex(&[0x80]), PacketKind::Unknown);
        assert_eq!(demultiplex(&[0; 19]), PacketKind::Unknown);
        assert_eq!(demultiplex(&[0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]), PacketKind::Unknown);
        assert_eq!(demultiplex(&[0x80, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), PacketKind::Rtp);
        assert_eq!(demultiplex(&[0x80, 201, 0, 1, 0, 0, 0]), PacketKind::Unknown);
        assert_eq!(demultiplex(&[0x80, 201, 0, 1, 0, 0, 0, 0]), PacketKind::Rtcp);
    }
}
