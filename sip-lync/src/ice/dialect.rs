//! The three dialects of ICE and how one is chosen.

use core::fmt;
use core::str::FromStr;
use core::time::Duration;

use crate::sdp::{IceDialect, MediaDescription};

/// A dialect of ICE: what checks look like and what is said about them in a session description.
///
/// RFC 8445 1, MS-ICE2 1.3, MS-ICE 1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// The standard.
    Rfc8445,
    /// OCS 2007 R2, Lync and Skype for Business; libnice calls it OC2007R2.
    MsIce2,
    /// OCS 2007: draft 6 of ICE.
    Draft06,
}

/// Every dialect.
///
/// RFC 8445 1, MS-ICE2 1.3, MS-ICE 1.3
pub const DIALECTS: [Dialect; 3] = [Dialect::Rfc8445, Dialect::MsIce2, Dialect::Draft06];

/// The times of a dialect.
///
/// RFC 8445 14, MS-ICE2 3.1.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Times {
    /// Between two checks (Ta). RFC 8445 14.2
    pub pacing: Duration,
    /// Until a check is sent again for the first time (RTO). RFC 8445 14.3
    pub retransmission: Duration,
    /// The wait doubles up to this; inferred, so that many transmissions fit into the patience. RFC 8489 6.2.1
    pub retransmission_cap: Duration,
    /// How often one check is sent; then it fails and, while patience lasts, is made again. RFC 8489 6.2.1
    pub transmissions: u8,
    /// How long the agent waits for connectivity before it gives up. RFC 8863 4
    pub patience: Duration,
    /// How long a valid pair waits for a better one that is still being checked; inferred. RFC 8445 8.1.1
    pub settling: Duration,
    /// From the first exchange to the choice of a pair. MS-ICE 3.1.6.2
    pub phase: Option<Duration>,
    /// Between two checks of a chosen pair. RFC 7675 5.1
    pub keep_alive: Duration,
    /// How long the peer's consent lasts without an answer; `None`: it is not needed. RFC 7675 5.1
    pub consent: Option<Duration>,
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

impl Dialect {
    /// The word for it in options and reports.
    ///
    /// MS-ICE2 1.3
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rfc8445 => "rfc8445",
            Self::MsIce2 => "ms-ice2",
            Self::Draft06 => "draft06",
        }
    }

    /// Its times, where nothing else is asked for. Those of Microsoft's dialects that no document gives are inferred.
    ///
    /// RFC 8445 14, RFC 8863 4, MS-ICE 3.1.6.2
    pub const fn times(self) -> Times {
        let rfc = Times {
            pacing: ms(20),
            retransmission: ms(500),
            retransmission_cap: ms(1600),
            transmissions: 7,
            patience: ms(39_500),
            settling: ms(200),
            phase: None,
            keep_alive: ms(5_000),
            consent: Some(ms(30_000)),
        };
        match self {
            Self::Rfc8445 => rfc,
            Self::MsIce2 | Self::Draft06 => Times {
                retransmission_cap: ms(1000),
                patience: ms(20_000),
                phase: Some(ms(3_000)),
                keep_alive: ms(15_000),
                consent: None,
                ..rfc
            },
        }
    }

    /// Whether candidates carry user names of their own and checks neither roles nor nominations.
    ///
    /// MS-ICE 2.2
    pub const fn is_draft06(self) -> bool {
        matches!(self, Self::Draft06)
    }

    /// The dialect in which a description is to be answered: draft 6 by the form of its candidates, else the one
    /// spoken here for the other form. `None` when the peer speaks no ICE.
    ///
    /// What tells MS-ICE2 from the standard is not in the candidates (only `TCP-ACT` and `TCP-PASS` are), so the
    /// dialect of the trunk decides unless the description itself gives it away.
    ///
    /// MS-ICE2 1.3, MS-SDPEXT 3.1.5
    pub fn of(media: &MediaDescription, ours: Self) -> Option<Self> {
        match media.ice_dialect() {
            IceDialect::None => None,
            IceDialect::Draft06 => Some(Self::Draft06),
            IceDialect::Rfc8445 => Some(if speaks_lync(media) {
                Self::MsIce2
            } else if speaks_rfc8445(media) || ours == Self::Rfc8445 {
                Self::Rfc8445
            } else {
                Self::MsIce2
            }),
        }
    }
}

/// Marks of Lync and Skype for Business: attributes and transports that nobody else writes.
fn speaks_lync(media: &MediaDescription) -> bool {
    ["x-ssrc-range", "x-candidate-ipv6", "x-candidate-info", "x-bypassid", "cryptoscale", "x-source"]
        .iter()
        .any(|name| media.attribute(name).is_some())
        || media.values("candidate").any(|value| {
            value.split_ascii_whitespace().nth(2).is_some_and(|word| {
                ["TCP-ACT", "TCP-PASS"].iter().any(|mark| word.eq_ignore_ascii_case(mark))
            })
        })
}

/// Marks of the standard that Lync does not know.
fn speaks_rfc8445(media: &MediaDescription) -> bool {
    ["ice-lite", "ice-options", "ice-pacing", "end-of-candidates"]
        .iter()
        .any(|name| media.attribute(name).is_some())
        || media.values("candidate").any(|value| value.contains(" tcptype "))
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, UnknownDialect> {
        DIALECTS.into_iter().find(|dialect| dialect.as_str() == text).ok_or(UnknownDialect)
    }
}

/// A word that names no dialect.
///
/// MS-ICE2 1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected rfc8445, ms-ice2 or draft06")]
pub struct UnknownDialect;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::SessionDescription;

    fn chosen(lines: &str, ours: Dialect) -> Option<Dialect> {
        let text =
            format!("v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=x\r\nt=0 0\r\nm=audio 5 RTP/AVP 8\r\n{lines}");
        Dialect::of(&SessionDescription::parse(&text).unwrap().media[0], ours)
    }

    #[test]
    fn the_description_of_the_peer_decides() {
        let host = "a=ice-ufrag:abcd\r\na=candidate:1 1 UDP 1 192.0.2.1 5 typ host\r\n";
        let old = "a=candidate:kFz3 1 w2Qp UDP 0.830 192.0.2.20 27684\r\n";
        for ours in DIALECTS {
            assert_eq!(chosen("", ours), None);
            assert_eq!(chosen(old, ours), Some(Dialect::Draft06));
            assert_eq!(chosen(&format!("{host}a=x-ssrc-range:1-1\r\n"), ours), Some(Dialect::MsIce2));
            assert_eq!(chosen(&format!("{host}a=ice-lite\r\n"), ours), Some(Dialect::Rfc8445));
            let relay = "a=candidate:3 1 TCP-ACT 1 192.0.2.1 5 typ relay raddr 192.0.2.1 rport 5\r\n";
            assert_eq!(chosen(&format!("{host}{relay}"), ours), Some(Dialect::MsIce2));
        }
        assert_eq!(chosen(host, Dialect::Rfc8445), Some(Dialect::Rfc8445));
        assert_eq!(chosen(host, Dialect::MsIce2), Some(Dialect::MsIce2));
        assert_eq!(chosen(host, Dialect::Draft06), Some(Dialect::MsIce2));
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for dialect in DIALECTS {
            assert_eq!(dialect.to_string().parse(), Ok(dialect));
        }
        assert_eq!("oc2007r2".parse::<Dialect>(), Err(UnknownDialect));
    }
}
