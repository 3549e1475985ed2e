//! `a=candidate:` in both forms Lync speaks.

use core::fmt;
use core::net::IpAddr;

use crate::error::{ParseError, Rule};

/// Which form of ICE a description speaks.
///
/// MS-ICE2 1.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IceDialect {
    /// `a=ice-ufrag` and candidates with foundation and type: RFC 8445 and MS-ICE2.
    Rfc8445,
    /// Candidates with their own user name and password: OCS 2007.
    Draft06,
    /// No candidates.
    None,
}

/// The transport of a candidate.
///
/// MS-ICE2 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CandidateTransport {
    /// `UDP`
    Udp,
    /// `TCP-ACT`
    TcpActive,
    /// `TCP-PASS`
    TcpPassive,
    /// `TCP` of the older form: active and passive.
    Tcp,
    /// Any other token, as it was sent.
    Other(Box<str>),
}

impl CandidateTransport {
    /// The token.
    ///
    /// MS-ICE2 2.2
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::TcpActive => "TCP-ACT",
            Self::TcpPassive => "TCP-PASS",
            Self::Tcp => "TCP",
            Self::Other(text) => text,
        }
    }

    fn parse(text: &str) -> Self {
        [Self::Udp, Self::TcpActive, Self::TcpPassive, Self::Tcp]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text))
            .unwrap_or_else(|| Self::Other(text.into()))
    }
}

/// What differs between the two forms.
///
/// MS-ICE2 2.2, MS-ICE 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CandidateKind {
    /// The form of RFC 8445.
    Rfc8445 {
        /// Equal for candidates of one base and server.
        foundation: String,
        /// Larger is better.
        priority: u32,
        /// `host`, `srflx`, `prflx`, `relay` or another token.
        kind: String,
        /// The related address.
        related: Option<(IpAddr, u16)>,
        /// Name and value pairs behind it, as they were sent.
        extensions: String,
    },
    /// The form of OCS 2007.
    Draft06 {
        /// The user name of this candidate alone, base64.
        username: String,
        /// Its password, base64.
        password: String,
        /// A decimal fraction, as it was sent.
        priority: String,
    },
}

/// A place where media can be sent to.
///
/// MS-ICE2 2.2, MS-ICE 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Candidate {
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// The transport.
    pub transport: CandidateTransport,
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The rest, by form.
    pub kind: CandidateKind,
}

impl Candidate {
    /// Reads the value of `a=candidate:` or `a=x-candidate-ipv6:`; the seventh word tells the form.
    ///
    /// MS-ICE2 2.2, MS-ICE 2.2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let error = ParseError::new(0, Rule::SdpCandidate);
        let words: Vec<&str> = text.split_ascii_whitespace().take(64).collect();
        let &[first, component, third, fourth, fifth, sixth, ref rest @ ..] = &words[..] else {
            return Err(error);
        };
        let component = component.parse().map_err(|_| error.clone())?;
        if rest.first().is_some_and(|word| word.eq_ignore_ascii_case("typ")) {
            let kind = (*rest.get(1).ok_or_else(|| error.clone())?).to_owned();
            let mut extensions = rest.get(2..).unwrap_or_default();
            let mut related = None;
            if let &[raddr, address, rport, port, ref tail @ ..] = extensions
                && raddr.eq_ignore_ascii_case("raddr")
                && rport.eq_ignore_ascii_case("rport")
            {
                let address = address.parse().map_err(|_| error.clone())?;
                related = Some((address, port.parse().map_err(|_| error.clone())?));
                extensions = tail;
            }
            return Ok(Self {
                component,
                transport: CandidateTransport::parse(third),
                address: fifth.parse().map_err(|_| error.clone())?,
                port: sixth.parse().map_err(|_| error.clone())?,
                kind: CandidateKind::Rfc8445 {
                    foundation: first.to_owned(),
                    priority: fourth.parse().map_err(|_| error)?,
                    kind,
                    related,
                    extensions: extensions.join(" "),
                },
            });
        }
        let &[port] = rest else { return Err(error) };
        let priority =
            fifth.strip_prefix("0.").or_else(|| fifth.strip_prefix("1.")).ok_or_else(|| error.clone())?;
        if priority.is_empty() || !priority.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error);
        }
        Ok(Self {
            component,
            transport: CandidateTransport::parse(fourth),
            address: sixth.parse().map_err(|_| error.clone())?,
            port: port.parse().map_err(|_| error)?,
            kind: CandidateKind::Draft06 {
                username: first.to_owned(),
                password: third.to_owned(),
                priority: fifth.to_owned(),
            },
        })
    }

    /// A host candidate for UDP.
    ///
    /// MS-ICE2 2.2
    pub fn host(foundation: &str, component: u16, priority: u32, address: IpAddr, port: u16) -> Self {
        Self {
            component,
            transport: CandidateTransport::Udp,
            address,
            port,
            kind: CandidateKind::Rfc8445 {
                foundation: foundation.to_owned(),
                priority,
                kind: "host".to_owned(),
                related: None,
                extensions: String::new(),
            },
        }
    }

    /// The form.
    ///
    /// MS-ICE2 1.3
    pub const fn dialect(&self) -> IceDialect {
        match self.kind {
            CandidateKind::Rfc8445 { .. } => IceDialect::Rfc8445,
            CandidateKind::Draft06 { .. } => IceDialect::Draft06,
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { component, transport, address, port, kind } = self;
        let transport = transport.as_str();
        match kind {
            CandidateKind::Rfc8445 { foundation, priority, kind, related, extensions } => {
                write!(f, "{foundation} {component} {transport} {priority} {address} {port} typ {kind}")?;
                if let Some((address, port)) = related {
                    write!(f, " raddr {address} rport {port}")?;
                }
                if !extensions.is_empty() {
                    write!(f, " {extensions}")?;
                }
                Ok(())
            }
            CandidateKind::Draft06 { username, password, priority } => {
                write!(f, "{username} {component} {password} {transport} {priority} {address} {port}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_written() {
        for text in [
            "1 1 UDP 2130706431 192.0.2.20 27684 typ host",
            "3 1 TCP-ACT 2130704430 203.0.113.7 24001 typ relay raddr 198.51.100.20 rport 24001",
            "9 2 UDP 1 2001:db8::1 9 typ host generation 0",
            "kFz3 1 w2Qp UDP 0.830 192.0.2.20 27684",
            "kFz3 2 w2Qp TCP 0.410 192.0.2.20 27684",
        ] {
            assert_eq!(Candidate::parse(text).map(|c| c.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(
            Candidate::parse("a 1 b udp 0.83 192.0.2.1 5 ").map(|c| c.dialect()),
            Ok(IceDialect::Draft06)
        );
        assert_eq!(
            Candidate::parse("1 1 udp 1 192.0.2.1 5 TYP host ").map(|c| (c.dialect(), c.transport)),
            Ok((IceDialect::Rfc8445, CandidateTransport::Udp)),
        );
    }

    #[test]
    fn what_has_neither_form_is_refused() {
        for text in [
            "",
            "1 1 UDP 1 192.0.2.1 5",
            "1 1 UDP 1 192.0.2.1 5 typ",
            "1 1 UDP 1 host.local 5 typ host",
            "1 x UDP 1 192.0.2.1 5 typ host",
            "a 1 b UDP 2.5 192.0.2.1 5",
            "a 1 b UDP 0.x 192.0.2.1 5",
            "1 1 UDP 1 192.0.2.1 5 typ relay raddr x rport 1",
        ] {
            assert!(Candidate::parse(text).is_err(), "{text}");
        }
    }
}
