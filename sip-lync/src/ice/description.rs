//! What a session description says about ICE.

use core::net::SocketAddr;
use core::time::Duration;

use super::candidate::{Kind, Remote, Transport, fraction, is_usable};
use super::credentials::Credentials;
use super::dialect::Dialect;
use crate::sdp::{Candidate, CandidateKind, CandidateTransport, MediaDescription, SessionDescription};

/// The most candidates that are taken from one description: Lync writes 40 at most.
///
/// MS-ICE2 3.1.4
pub(super) const MOST_CANDIDATES: usize = 64;

/// The ICE half of a peer's media description.
///
/// RFC 8839 5, MS-ICE2 2.2, MS-ICE 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Description {
    /// The dialect it is written in; `None` when the peer speaks no ICE.
    pub dialect: Option<Dialect>,
    /// One user name and password, in draft 6 one for each group of candidates.
    pub credentials: Vec<Credentials>,
    /// The candidates that can be used, in order; names of hosts are refused.
    pub candidates: Vec<Remote>,
    /// How many lines were left out: unknown kinds, names in place of addresses, too many.
    pub left_out: usize,
    /// The addresses of `m=`, `c=` and `a=rtcp`, by component.
    pub default: [Option<SocketAddr>; 2],
    /// The peer only answers checks. RFC 8445 2.5
    pub lite: bool,
    /// RTCP comes to the port of RTP. RFC 5761 5.1.3
    pub rtcp_mux: bool,
    /// The pacing the peer asks for. RFC 8839 5.9
    pub pacing: Option<Duration>,
    /// The pairs the peer has settled on: components and addresses of ours.
    pub remote_candidates: Vec<(u16, SocketAddr)>,
    /// The candidate of ours the peer has settled on, in draft 6: its user name.
    pub remote_name: Option<Box<str>>,
}

impl Description {
    /// Reads a media description in the dialect it is in; `ours` decides where it could be two, see [`Dialect::of`].
    ///
    /// RFC 8839 5, MS-ICE2 2.2, MS-ICE 2.2
    pub fn read(session: &SessionDescription, media: &MediaDescription, ours: Dialect) -> Self {
        let mut description = Self {
            dialect: Dialect::of(media, ours),
            credentials: Vec::new(),
            candidates: Vec::new(),
            left_out: 0,
            default: [media.rtp(session), media.rtcp(session)],
            lite: session.attributes.iter().chain(&media.attributes).any(|a| a.is("ice-lite")),
            rtcp_mux: media.rtcp_mux(),
            pacing: None,
            remote_candidates: media.remote_candidates(),
            remote_name: media.value("remote-candidate").map(Into::into),
        };
        let value = |name: &str| {
            let of_session =
                || session.attributes.iter().find(|a| a.is(name)).and_then(|a| a.value.as_deref());
            media.value(name).or_else(of_session)
        };
        description.pacing = value("ice-pacing")
            .and_then(|text| text.parse().ok())
            .map(|ms: u16| Duration::from_millis(ms.into()));
        match description.dialect {
            None => {}
            Some(Dialect::Draft06) => {}
            Some(dialect @ (Dialect::Rfc8445 | Dialect::MsIce2)) => {
                let pair = (value("ice-ufrag").unwrap_or_default(), value("ice-pwd").unwrap_or_default());
                if let Some(credentials) = Credentials::parse(dialect, pair.0, pair.1) {
                    description.credentials.push(credentials);
                } else {
                    description.dialect = None;
                    return description;
                }
            }
        }
        for text in media.values("candidate").chain(media.values("x-candidate-ipv6")) {
            description.take(text);
        }
        if description.credentials.is_empty() {
            description.dialect = None;
        }
        description
    }

    /// The same description for an agent whose dialect is known: what is told apart only by marks that the peer need
    /// not write, [`Dialect::Rfc8445`] and [`Dialect::MsIce2`], is taken as the one that is spoken.
    ///
    /// MS-ICE2 1.3
    #[must_use]
    pub fn in_dialect(mut self, dialect: Dialect) -> Self {
        if self.dialect.is_some_and(|read| read.is_draft06() == dialect.is_draft06()) {
            self.dialect = Some(dialect);
        }
        self
    }

    /// Whether the default addresses are among the candidates; a description changed on its way is answered without
    /// ICE.
    ///
    /// RFC 8839 4.2.5
    pub fn is_consistent(&self) -> bool {
        self.default.iter().zip(1..).all(|(address, component)| {
            let candidates = || self.candidates.iter().filter(move |c| c.component == component);
            address.is_none_or(|address| {
                address.ip().is_unspecified()
                    || address.port() == 0
                    || candidates().next().is_none()
                    || candidates().any(|c| c.address == address)
            })
        })
    }

    fn take(&mut self, text: &str) {
        if self.candidates.len() >= MOST_CANDIDATES || !self.take_candidate(text) {
            self.left_out += 1;
        }
    }

    fn take_candidate(&mut self, text: &str) -> bool {
        let Ok(candidate) = Candidate::parse(text) else { return false };
        let address = SocketAddr::new(candidate.address, candidate.port);
        let Some(transport) = transport(&candidate) else { return false };
        if !is_usable(&address) || !(1..=2).contains(&candidate.component) {
            return false;
        }
        let taken = match (&candidate.kind, self.dialect) {
            (
                CandidateKind::Rfc8445 { foundation, priority, kind, .. },
                Some(Dialect::Rfc8445 | Dialect::MsIce2),
            ) => {
                let Some(kind) = Kind::parse(kind) else { return false };
                if foundation.is_empty() || foundation.len() > 32 {
                    return false;
                }
                Remote {
                    component: candidate.component,
                    transport,
                    kind,
                    address,
                    priority: *priority,
                    foundation: foundation.as_str().into(),
                    credentials: 0,
                }
            }
            (CandidateKind::Draft06 { username, password, priority }, Some(Dialect::Draft06)) => {
                let (Some(priority), Some(credentials)) =
                    (fraction(priority), self.credentials_of(username, password))
                else {
                    return false;
                };
                // The kind is not written; the priorities of OCS 2007 tell it.
                let kind = match priority {
                    0..500_000_000 => Kind::Relayed,
                    500_000_000..700_000_000 => Kind::ServerReflexive,
                    _ => Kind::Host,
                };
                Remote {
                    component: candidate.component,
                    transport,
                    kind,
                    address,
                    priority,
                    foundation: credentials.to_string().into(),
                    credentials,
                }
            }
            _ => return false,
        };
        let known = |other: &Remote| {
            (other.component, other.transport, other.address)
                == (taken.component, taken.transport, taken.address)
        };
        if self.candidates.iter().any(known) {
            return false;
        }
        self.candidates.push(taken);
        true
    }

    /// The number of a draft-6 user name with its password.
    fn credentials_of(&mut self, username: &str, password: &str) -> Option<u16> {
        let known = |c: &Credentials| *c.username == *username && c.password() == password;
        if let Some(at) = self.credentials.iter().position(known) {
            return Some(at as u16);
        }
        self.credentials.push(Credentials::parse(Dialect::Draft06, username, password)?);
        Some((self.credentials.len() - 1) as u16)
    }
}

/// How the owner of a written candidate handles it; `None` for what cannot be paired with anything of ours.
fn transport(candidate: &Candidate) -> Option<Transport> {
    match &candidate.transport {
        CandidateTransport::Udp => Some(Transport::Udp),
        CandidateTransport::TcpActive => Some(Transport::TcpActive),
        CandidateTransport::TcpPassive => Some(Transport::TcpPassive),
        CandidateTransport::Tcp => match &candidate.kind {
            // Active and passive at once: this side connects.
            CandidateKind::Draft06 { .. } => Some(Transport::TcpPassive),
            CandidateKind::Rfc8445 { extensions, .. } => {
                let mut words = extensions.split_ascii_whitespace();
                words.find(|word| word.eq_ignore_ascii_case("tcptype"))?;
                match words.next()? {
                    word if word.eq_ignore_ascii_case("active") => Some(Transport::TcpActive),
                    word if word.eq_ignore_ascii_case("passive") => Some(Transport::TcpPassive),
                    _ => None,
                }
            }
        },
        CandidateTransport::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str, ours: Dialect) -> Description {
        let text = format!(
            "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=x\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n{lines}"
        );
        let session = SessionDescription::parse(&text).unwrap();
        Description::read(&session, &session.media[0], ours)
    }

    const HEAD: &str = "a=ice-ufrag: Ab3/\r\na=ice-pwd:0123456789abcdefghijklmn \r\n";

    #[test]
    fn a_description_of_lync_is_read() {
        let description = read(
            &format!(
                "{HEAD}a=candidate:1 1 UDP 2130706431 192.0.2.1 5000 typ host \r\n\
                 a=candidate:1 2 UDP 2130705918 192.0.2.1 5001 typ host \r\n\
                 a=candidate:3 1 TCP-PASS 174456319 203.0.113.9 50000 typ relay raddr 192.0.2.1 rport 5000\r\n\
                 a=x-candidate-ipv6:4 1 UDP 2130705919 2001:db8::1 5002 typ host\r\na=rtcp-mux\r\n\
                 a=remote-candidates:1 198.51.100.1 6000 2 198.51.100.1 6001 \r\na=x-ssrc-range:1-1\r\n"
            ),
            Dialect::Rfc8445,
        );
        assert_eq!(description.dialect, Some(Dialect::MsIce2));
        assert_eq!(&*description.credentials[0].username, "Ab3/");
        let kinds: Vec<_> =
            description.candidates.iter().map(|c| (c.component, c.transport, c.kind)).collect();
        assert_eq!(
            kinds,
            [
                (1, Transport::Udp, Kind::Host),
                (2, Transport::Udp, Kind::Host),
                (1, Transport::TcpPassive, Kind::Relayed),
                (1, Transport::Udp, Kind::Host)
            ]
        );
        assert!(description.rtcp_mux && description.is_consistent() && !description.lite);
        assert_eq!(description.remote_candidates.len(), 2);
    }

    #[test]
    fn names_of_hosts_and_foreign_kinds_are_left_out() {
        let description = read(
            &format!(
                "{HEAD}a=candidate:1 1 UDP 9 4b1f6d3c-9d3e.local 5000 typ host\r\n\
                 a=candidate:1 1 UDP 9 192.0.2.1 5000 typ wormhole\r\na=candidate:1 1 DCCP 9 192.0.2.1 5000 typ host\r\n\
                 a=candidate:1 3 UDP 9 192.0.2.1 5000 typ host\r\na=candidate:1 1 UDP 9 0.0.0.0 5000 typ host\r\n\
                 a=candidate:1 1 TCP 9 192.0.2.1 5000 typ host tcptype so\r\na=candidate:1 1 TCP 9 192.0.2.1 9 typ host tcptype active\r\n\
                 a=candidate:1 1 UDP 9 192.0.2.1 5000 typ host\r\na=candidate:2 1 UDP 8 192.0.2.1 5000 typ host\r\n"
            ),
            Dialect::Rfc8445,
        );
        assert_eq!((description.candidates.len(), description.left_out), (2, 7));
    }

    #[test]
    fn a_description_without_usable_credentials_is_one_without_ice() {
        assert_eq!(read("a=candidate:1 1 UDP 9 192.0.2.1 5000 typ host\r\n", Dialect::MsIce2).dialect, None);
        assert_eq!(read("", Dialect::MsIce2).default[0], "192.0.2.1:5000".parse().ok());
        assert_eq!(read("a=candidate:!! 1 !! UDP 0.8 192.0.2.1 5000\r\n", Dialect::Draft06).dialect, None);
    }

    #[test]
    fn a_draft_6_description_groups_candidates_by_their_names() {
        let (name, other) =
            ("THibxoGssB4wHQmT/EVZmd7ALtXBKDI7cIxMhBZ8HkE", "uNXO83rf43KagBxAChXdo4mUMjA3nN/ENpm4qEDyNHw");
        let password = "n3w+HVX/YpbRdkfVgkmGjg";
        let description = read(
            &format!(
                "a=candidate:{name} 1 {password} UDP 0.830 192.0.2.1 5000\r\na=candidate:{name} 2 {password} UDP 0.830 192.0.2.1 5001\r\n\
                 a=candidate:{other} 1 {password} TCP 0.250 203.0.113.1 443\r\na=remote-candidate:{other}\r\n"
            ),
            Dialect::MsIce2,
        );
        assert_eq!(description.dialect, Some(Dialect::Draft06));
        assert_eq!(description.credentials.len(), 2);
        assert_eq!(description.candidates.iter().map(|c| c.credentials).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(description.candidates[2].transport, Transport::TcpPassive);
        assert_eq!(description.remote_name.as_deref(), Some(other));
    }

    #[test]
    fn an_address_that_is_no_candidate_shows_a_changed_description() {
        let line = "a=candidate:1 1 UDP 9 198.51.100.7 5000 typ host\r\n";
        assert!(!read(&format!("{HEAD}{line}"), Dialect::Rfc8445).is_consistent());
    }

    #[test]
    fn ten_thousand_candidates_are_cut_to_what_is_kept() {
        let text =
            format!("v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=x\r\nt=0 0\r\nm=audio 5 RTP/AVP 8\r\n{HEAD}");
        let mut session = SessionDescription::parse(&text).unwrap();
        for port in 1..=10_000 {
            let line =
                crate::sdp::Attribute::new("candidate", format!("1 1 UDP 9 192.0.2.1 {port} typ host"));
            session.media[0].attributes.push(line);
        }
        let description = Description::read(&session, &session.media[0], Dialect::Rfc8445);
        assert_eq!(description.candidates.len(), MOST_CANDIDATES);
        assert_eq!(description.left_out, 10_000 - MOST_CANDIDATES);
    }
}
