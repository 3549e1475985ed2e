//! Via.

use core::fmt;
use core::net::IpAddr;

use super::parameters::{Parameters, ParametersView};
use crate::error::{ParseError, Rule};
use crate::grammar::Cursor;
use crate::uri;

/// A transport protocol in Via and in the `transport` parameter; compared without case.
///
/// RFC 3261 20.42
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Transport {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// TLS over TCP
    Tls,
    /// SCTP
    Sctp,
    /// Any other token, as it was sent.
    Other(Box<str>),
}

impl Transport {
    /// Reads a transport token.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Self {
        [Self::Udp, Self::Tcp, Self::Tls, Self::Sctp]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text))
            .unwrap_or_else(|| Self::Other(text.into()))
    }

    /// The token in capitals.
    ///
    /// RFC 3261 25.1
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Sctp => "SCTP",
            Self::Other(text) => text,
        }
    }

    /// Whether the transport keeps order and loses nothing.
    ///
    /// RFC 3261 17
    pub const fn is_reliable(&self) -> bool {
        matches!(self, Self::Tcp | Self::Tls | Self::Sctp)
    }
}

/// One value of Via.
///
/// RFC 3261 20.42
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Via {
    /// The transport.
    pub transport: Transport,
    /// The host; an IPv6 address stands in brackets.
    pub host: String,
    /// The port, if one was given.
    pub port: Option<u16>,
    /// The parameters.
    pub parameters: Parameters,
}

impl Via {
    /// A Via without parameters.
    ///
    /// RFC 3261 18.1.1
    pub fn new(transport: Transport, host: &str, port: Option<u16>) -> Self {
        Self { transport, host: host.to_owned(), port, parameters: Parameters::new() }
    }

    /// The same with a branch.
    ///
    /// RFC 3261 8.1.1.7
    #[must_use]
    pub fn with_branch(mut self, branch: &str) -> Self {
        self.parameters.set("branch", Some(branch));
        self
    }

    /// Reads one value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        ViaView::parse(text).map(ViaView::to_value)
    }

    /// Host and port, the port as it was sent.
    ///
    /// RFC 3261 18.1.1
    pub fn sent_by(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The branch. Microsoft clients send none.
    ///
    /// RFC 3261 8.1.1.7
    pub fn branch(&self) -> Option<&str> {
        self.parameters.get("branch").filter(|branch| !branch.is_empty())
    }

    /// The address the request was seen to come from, with or without brackets.
    ///
    /// RFC 3261 18.2.1
    pub fn received(&self) -> Option<IpAddr> {
        self.parameters.get("received")?.trim_matches(['[', ']']).parse().ok()
    }

    /// The port the request was seen to come from; zero when it is only asked for.
    ///
    /// RFC 3581 3
    pub fn rport(&self) -> Option<u16> {
        let text = self.parameters.get("rport")?;
        if text.is_empty() { Some(0) } else { text.parse().ok() }
    }

    /// The port a Lync server saw the request come from.
    ///
    /// MS-SIPRE 2.2
    pub fn ms_received_port(&self) -> Option<u16> {
        self.parameters.get("ms-received-port")?.parse().ok()
    }

    /// The connection on which a Lync server received the request.
    ///
    /// MS-SIPRE 2.2
    pub fn ms_received_cid(&self) -> Option<&str> {
        self.parameters.get("ms-received-cid")
    }
}

/// One value of Via where it was received.
///
/// RFC 3261 20.42
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViaView<'a> {
    /// The transport as it was sent.
    pub transport: &'a str,
    /// The host; an IPv6 address stands in brackets.
    pub host: &'a str,
    /// The port, if one was given.
    pub port: Option<u16>,
    /// The parameters.
    pub parameters: ParametersView<'a>,
    branch: Option<&'a str>,
}

impl<'a> ViaView<'a> {
    /// Reads one value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let view = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(view)
    }

    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        cursor.skip_blanks();
        let at = cursor.at();
        // Mostly without blanks and in capitals; one behind it may be no transport.
        if cursor.rest().starts_with("SIP/2.0/") && cursor.rest().as_bytes().get(8).is_none_or(|&b| b > b' ')
        {
            cursor.skip("SIP/2.0/".len());
        } else {
            let name = protocol_word(cursor)?;
            cursor.expect(b'/', Rule::SentProtocol)?;
            let version = protocol_word(cursor)?;
            cursor.expect(b'/', Rule::SentProtocol)?;
            if !name.eq_ignore_ascii_case("SIP") || version != "2.0" {
                return Err(ParseError::new(at, Rule::SentProtocol));
            }
        }
        let transport = protocol_word(cursor)?;
        let before = cursor.at();
        cursor.skip_blanks();
        if cursor.at() == before {
            return Err(cursor.error(Rule::SentProtocol));
        }
        let rest = cursor.rest();
        let host = uri::host_length(rest).map_err(|error| error.shifted(cursor.at()))?;
        cursor.skip(host);
        let host = rest.get(..host).unwrap_or_default();
        let mut port = None;
        if cursor.eat(b':') {
            let at = cursor.at();
            let number = cursor.number().map_err(|_| ParseError::new(at, Rule::Port))?;
            port = Some(u16::try_from(number).map_err(|_| ParseError::new(at, Rule::Port))?);
        }
        let (parameters, branch) = ParametersView::read_with(cursor, "branch")?;
        let branch = branch.filter(|branch| !branch.is_empty());
        Ok(Self { transport, host, port, parameters, branch })
    }

    /// The branch. Microsoft clients send none.
    ///
    /// RFC 3261 8.1.1.7
    pub const fn branch(self) -> Option<&'a str> {
        self.branch
    }

    /// The Via as a value.
    ///
    /// RFC 3261 20.42
    pub fn to_value(self) -> Via {
        Via {
            transport: Transport::parse(self.transport),
            host: self.host.to_owned(),
            port: self.port,
            parameters: self.parameters.to_value(),
        }
    }
}

fn protocol_word<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, ParseError> {
    cursor.token().map_err(|error| ParseError::new(error.at, Rule::SentProtocol))
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport.as_str(), self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.parameters.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_may_stand_nearly_everywhere() {
        let via =
            Via::parse("SIP  / 2.0  / TCP     spindle.example.com   ;  branch  =   z9hG4bK9ikj8").unwrap();
        assert_eq!(via.to_string(), "SIP/2.0/TCP spindle.example.com;branch=z9hG4bK9ikj8");
        assert_eq!(Via::parse("SIP/2.0/tls 127.0.0.1:36846").unwrap().transport, Transport::Tls);
    }

    #[test]
    fn lync_sends_no_branch_and_adds_its_own_parameters() {
        let via =
            Via::parse("SIP/2.0/TLS 192.0.2.20:1590;ms-received-port=1590;ms-received-cid=C6B200").unwrap();
        assert_eq!(
            (via.branch(), via.ms_received_port(), via.ms_received_cid()),
            (None, Some(1590), Some("C6B200"))
        );
        let via =
            Via::parse("SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bKx;branched=TRUE;ms-internal-info=\"a;b,c\"")
                .unwrap();
        assert_eq!(via.parameters.unquoted("ms-internal-info").as_deref(), Some("a;b,c"));
    }

    #[test]
    fn addresses_of_version_six_are_read_in_both_forms() {
        let seen: Option<IpAddr> = "2001:db8::9:255".parse().ok();
        for received in ["[2001:db8::9:255]", "2001:db8::9:255"] {
            let via =
                Via::parse(&format!("SIP/2.0/UDP [2001:db8::9:1]:5060;received={received};rport")).unwrap();
            assert_eq!((via.received(), via.rport(), via.port), (seen, Some(0), Some(5060)));
        }
    }

    #[test]
    fn broken_values_are_refused() {
        for text in [
            "",
            "SIP/2.0",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/7.0/UDP a",
            "HTTP/2.0/UDP a",
            "SIP/2.0/UDP a:b",
            "SIP/2.0/UDP a:99999",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP 2001:db8::1",
        ] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
    }
}
