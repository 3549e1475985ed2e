//! Candidates: where they come from, how good they are, what they have in common.

use core::net::{IpAddr, SocketAddr};

use super::dialect::Dialect;

/// How media travels to or from a candidate.
///
/// RFC 8445 5.1.1, RFC 6544 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP; this side opens the connection.
    TcpActive,
    /// TCP; this side waits for connections.
    TcpPassive,
}

impl Transport {
    /// Whether packets are framed on a connection.
    ///
    /// RFC 4571 2
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::TcpActive | Self::TcpPassive)
    }

    /// Whether a candidate of this transport can be paired with one of the peer's.
    ///
    /// RFC 6544 6.2
    pub const fn pairs_with(self, remote: Self) -> bool {
        matches!(
            (self, remote),
            (Self::Udp, Self::Udp)
                | (Self::TcpActive, Self::TcpPassive)
                | (Self::TcpPassive, Self::TcpActive)
        )
    }

    /// The transport at the other end.
    ///
    /// RFC 6544 6.2
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Udp => Self::Udp,
            Self::TcpActive => Self::TcpPassive,
            Self::TcpPassive => Self::TcpActive,
        }
    }
}

/// How a candidate was found.
///
/// RFC 8445 5.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An own interface.
    Host,
    /// Learnt from a check.
    PeerReflexive,
    /// Learnt from a server.
    ServerReflexive,
    /// Lent by a relay.
    Relayed,
}

impl Kind {
    /// The token behind `typ`.
    ///
    /// RFC 8839 5.1
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::PeerReflexive => "prflx",
            Self::ServerReflexive => "srflx",
            Self::Relayed => "relay",
        }
    }

    /// Reads the token; `None` for kinds that are not known, whose candidates are ignored.
    ///
    /// RFC 8839 5.1
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Host, Self::PeerReflexive, Self::ServerReflexive, Self::Relayed]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// The priority of a candidate of ours. `counter` numbers the candidates of its component from 0, best first.
///
/// The form of Microsoft's dialect was observed with Lync 2013; the decimal fractions of draft 6 are those observed with
/// OCS 2007, in billionths. Peers compare numbers only.
///
/// RFC 8445 5.1.2.1, RFC 6544 4.2, MS-ICE 2.2 (as seen)
pub(super) const fn priority(
    dialect: Dialect,
    kind: Kind,
    transport: Transport,
    component: u16,
    counter: u16,
) -> u32 {
    let below = 256_u32.saturating_sub(component as u32) & 0xff;
    match dialect {
        Dialect::Rfc8445 => {
            let (preference, local) = match transport {
                Transport::Udp => (type_preference(kind), 0xffff - counter as u32),
                Transport::TcpActive => {
                    (type_preference(kind) / 2, (6 << 13) | (0x1fff - counter as u32 % 0x2000))
                }
                Transport::TcpPassive => {
                    (type_preference(kind) / 2, (4 << 13) | (0x1fff - counter as u32 % 0x2000))
                }
            };
            preference << 24 | local << 8 | below
        }
        Dialect::MsIce2 => {
            let preference = match kind {
                Kind::Relayed => 10,
                Kind::Host | Kind::PeerReflexive | Kind::ServerReflexive => type_preference(kind),
            };
            let (transport, direction) = match transport {
                Transport::Udp => (15, 7),
                Transport::TcpActive => (6, 5),
                Transport::TcpPassive => (6, 2),
            };
            let counter = 0x1ff_u32.saturating_sub(2 * (counter as u32 + component as u32 - 1));
            preference << 24 | transport << 20 | direction << 17 | counter << 8 | below
        }
        Dialect::Draft06 => {
            let kind = match kind {
                Kind::Host => 830,
                Kind::PeerReflexive => 600,
                Kind::ServerReflexive => 550,
                Kind::Relayed => 450,
            };
            // inferred: no digits of TCP candidates are known.
            let transport = if transport.is_tcp() { 250 } else { 0 };
            let counter = if counter > 99 { 99 } else { counter as u32 };
            (kind - transport - counter) * 1_000_000
        }
    }
}

/// RFC 8445 5.1.2.2; relayed candidates at 0 are the recommendation.
const fn type_preference(kind: Kind) -> u32 {
    match kind {
        Kind::Host => 126,
        Kind::PeerReflexive => 110,
        Kind::ServerReflexive => 100,
        Kind::Relayed => 0,
    }
}

/// The priority of a pair: the same number at both ends.
///
/// RFC 8445 6.1.2.3
pub(super) const fn pair_priority(controlling: u32, controlled: u32) -> u64 {
    let (least, most) =
        if controlling < controlled { (controlling, controlled) } else { (controlled, controlling) };
    ((least as u64) << 32) + 2 * most as u64 + (controlling > controlled) as u64
}

/// The digits of a draft-6 priority as billionths: `0.83` and `0.830` are the same.
///
/// MS-ICE 2.2 (as seen)
pub(super) fn fraction(text: &str) -> Option<u32> {
    let (whole, digits) = text.split_once('.')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let billionths =
        digits.bytes().chain([b'0'; 9]).take(9).fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    match whole {
        "0" => Some(billionths),
        "1" => Some(999_999_999),
        _ => None,
    }
}

/// A candidate of this agent.
///
/// RFC 8445 5.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Local {
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// How it is reached.
    pub transport: Transport,
    /// How it was found.
    pub kind: Kind,
    /// Where the peer sends to.
    pub address: SocketAddr,
    /// Where this agent sends from. RFC 8445 3
    pub base: SocketAddr,
    /// The related address that is written: the base, for relayed ones what the relay saw. RFC 8839 5.1
    pub related: Option<SocketAddr>,
    /// How good it is.
    pub priority: u32,
    /// The same for candidates of one kind, address, transport and server. RFC 8445 5.1.1.3
    pub foundation: u16,
}

/// A candidate of the peer.
///
/// RFC 8445 5.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Remote {
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// How the peer handles it.
    pub transport: Transport,
    /// How it was found.
    pub kind: Kind,
    /// Where this agent sends to.
    pub address: SocketAddr,
    /// How good it is.
    pub priority: u32,
    /// The same for candidates of one kind, as the peer says.
    pub foundation: Box<str>,
    /// Which of the peer's credentials it has: always 0 outside of draft 6.
    pub credentials: u16,
}

/// Whether two addresses can be paired: one family, and link-local only with link-local.
///
/// RFC 8445 6.1.2.2
pub(super) const fn families_match(local: &IpAddr, remote: &IpAddr) -> bool {
    match (local, remote) {
        (IpAddr::V4(_), IpAddr::V4(_)) => true,
        (IpAddr::V6(local), IpAddr::V6(remote)) => {
            local.is_unicast_link_local() == remote.is_unicast_link_local()
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// Whether an address can be the place of a candidate at all.
///
/// RFC 8445 5.1.1.1
pub(super) const fn is_usable(address: &SocketAddr) -> bool {
    let ip = match address {
        SocketAddr::V4(v4) => !v4.ip().is_unspecified() && !v4.ip().is_multicast() && !v4.ip().is_broadcast(),
        SocketAddr::V6(v6) => {
            !v6.ip().is_unspecified() && !v6.ip().is_multicast() && v6.ip().to_ipv4_mapped().is_none()
        }
    };
    ip && address.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn priorities_of_lync_are_those_seen() {
        let of = |kind, transport, component, counter| {
            priority(Dialect::MsIce2, kind, transport, component, counter)
        };
        assert_eq!(of(Kind::Host, Transport::Udp, 1, 0), 2_130_706_431);
        assert_eq!(of(Kind::Host, Transport::Udp, 2, 0), 2_130_705_918);
        assert_eq!(of(Kind::Relayed, Transport::Udp, 1, 2), 184_548_351);
        assert_eq!(of(Kind::Relayed, Transport::TcpPassive, 1, 1), 174_456_319);
    }

    #[test]
    fn every_dialect_prefers_udp_near_and_rtp() {
        for dialect in super::super::dialect::DIALECTS {
            let of =
                |kind, transport, component, counter| priority(dialect, kind, transport, component, counter);
            let kinds = [Kind::Host, Kind::PeerReflexive, Kind::ServerReflexive, Kind::Relayed];
            for pair in kinds.windows(2) {
                assert!(of(pair[0], Transport::Udp, 1, 9) > of(pair[1], Transport::Udp, 1, 0), "{dialect}");
            }
            for kind in kinds {
                assert!(of(kind, Transport::Udp, 1, 0) >= of(kind, Transport::TcpActive, 1, 0));
                assert!(of(kind, Transport::Udp, 1, 0) > of(kind, Transport::Udp, 1, 3));
                if dialect != Dialect::Draft06 {
                    assert!(of(kind, Transport::Udp, 1, 0) > of(kind, Transport::Udp, 2, 0));
                }
                assert!(of(kind, Transport::TcpPassive, 256, u16::MAX) < 1 << 31);
            }
        }
        assert_eq!(priority(Dialect::Rfc8445, Kind::Host, Transport::Udp, 1, 0), 2_130_706_431);
    }

    #[test]
    fn a_pair_has_one_priority_at_both_ends() {
        assert_eq!(pair_priority(2, 1), (1 << 32) + 4 + 1);
        assert_eq!(pair_priority(1, 2), (1 << 32) + 4);
        assert!(pair_priority(5, 5) > pair_priority(4, 1000));
    }

    #[test]
    fn fractions_compare_as_numbers() {
        assert_eq!(fraction("0.830"), Some(830_000_000));
        assert_eq!(fraction("0.83"), Some(830_000_000));
        assert_eq!(fraction("0.8301234567890"), Some(830_123_456));
        assert_eq!(fraction("1.0"), Some(999_999_999));
        for text in ["", "0", "0.", "2.5", "0.x", "-0.1"] {
            assert_eq!(fraction(text), None, "{text}");
        }
    }

    #[test]
    fn addresses_are_paired_within_their_kind() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(families_match(&ip("192.0.2.1"), &ip("198.51.100.1")));
        assert!(families_match(&ip("2001:db8::1"), &ip("2001:db8::2")));
        assert!(families_match(&ip("fe80::1"), &ip("fe80::2")));
        assert!(!families_match(&ip("fe80::1"), &ip("2001:db8::2")));
        assert!(!families_match(&ip("192.0.2.1"), &ip("2001:db8::2")));
        for text in [
            "0.0.0.0:5",
            "192.0.2.1:0",
            "224.0.0.1:5",
            "255.255.255.255:5",
            "[::]:5",
            "[ff02::1]:5",
            "[::ffff:192.0.2.1]:5",
        ] {
            assert!(!is_usable(&text.parse().unwrap()), "{text}");
        }
        assert!(is_usable(&"[2001:db8::1]:5".parse().unwrap()));
    }
}
