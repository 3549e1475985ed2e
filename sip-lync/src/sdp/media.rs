//! `m=` lines and what belongs to them.

use core::fmt;
use core::net::SocketAddr;

use super::session::{Bandwidth, SessionDescription, lines};
use super::{Attribute, Candidate, Connection, Direction, Format, IceDialect, RtpMap};
use crate::error::{ParseError, Rule};

/// One medium of a session.
///
/// RFC 8866 5.14
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaDescription {
    /// `audio`, `video`, `message` and others.
    pub media: String,
    /// The port; zero when the medium is rejected.
    pub port: u16,
    /// The number of ports, if it is given.
    pub port_count: Option<u16>,
    /// `RTP/AVP`, `RTP/SAVP` and others, as it was sent.
    pub protocol: String,
    /// The formats in order.
    pub formats: Vec<String>,
    /// `i=` and `k=` and lines of unknown letters.
    pub other: Vec<(char, String)>,
    /// `c=`
    pub connection: Option<Connection>,
    /// `b=`
    pub bandwidth: Vec<Bandwidth>,
    /// `a=`
    pub attributes: Vec<Attribute>,
}

/// An `m=` line where it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MediaLine<'a> {
    media: &'a str,
    port: u16,
    port_count: Option<u16>,
    protocol: &'a str,
    formats: &'a str,
}

/// What stands behind `m=`.
pub(super) fn words(text: &str) -> Result<MediaLine<'_>, ParseError> {
    let error = || ParseError::new(0, Rule::SdpMedia);
    let mut rest = text;
    let mut word = || {
        let start = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let end = start.bytes().position(|b| b.is_ascii_whitespace()).unwrap_or(start.len());
        let (word, behind) = start.split_at(end);
        rest = behind;
        if word.is_empty() { Err(error()) } else { Ok(word) }
    };
    let (media, port, protocol) = (word()?, word()?, word()?);
    let (port, port_count) = match port.split_once('/') {
        Some((port, count)) => (port, Some(count.parse().map_err(|_| error())?)),
        None => (port, None),
    };
    let port = port.parse().map_err(|_| error())?;
    let formats = rest.trim_ascii();
    // SIPE writes a rejected line without formats.
    if formats.is_empty() && port != 0 {
        return Err(error());
    }
    Ok(MediaLine { media, port, port_count, protocol, formats })
}

impl MediaDescription {
    /// A medium without attributes.
    ///
    /// RFC 8866 5.14
    pub fn new(media: &str, port: u16, protocol: &str, formats: Vec<String>) -> Self {
        Self {
            media: media.to_owned(),
            port,
            port_count: None,
            protocol: protocol.to_owned(),
            formats,
            other: Vec::new(),
            connection: None,
            bandwidth: Vec::new(),
            attributes: Vec::new(),
        }
    }

    pub(super) fn of(line: &MediaLine<'_>) -> Self {
        let formats = line.formats.split_ascii_whitespace().map(str::to_owned).collect();
        let description = Self::new(line.media, line.port, line.protocol, formats);
        Self { port_count: line.port_count, ..description }
    }

    /// Whether it is audio.
    ///
    /// RFC 8866 5.14
    pub fn is_audio(&self) -> bool {
        self.media.eq_ignore_ascii_case("audio")
    }

    /// Whether the profile is the secure one.
    ///
    /// RFC 3711 12
    pub fn is_savp(&self) -> bool {
        self.protocol.eq_ignore_ascii_case("RTP/SAVP")
    }

    /// The first attribute of that name.
    ///
    /// RFC 8866 5.13
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.is(name))
    }

    /// The value of the first attribute of that name.
    ///
    /// RFC 8866 5.13
    pub fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.value.as_deref()
    }

    /// The values of all attributes of that name.
    ///
    /// RFC 8866 5.13
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |attribute| attribute.is(name)).filter_map(|a| a.value.as_deref())
    }

    /// The direction, also from the session; both ways when nothing is said.
    ///
    /// RFC 8866 6.7
    pub fn direction(&self, session: &SessionDescription) -> Direction {
        let find = |attributes: &[Attribute]| attributes.iter().find_map(|a| Direction::parse(&a.name));
        find(&self.attributes).or_else(|| find(&session.attributes)).unwrap_or_default()
    }

    /// Sets the direction in its place, or at the end.
    ///
    /// RFC 8866 6.7
    pub fn set_direction(&mut self, direction: Direction) {
        let attribute = Attribute::property(direction.as_str());
        match self.attributes.iter().position(|a| Direction::parse(&a.name).is_some()) {
            None => self.attributes.push(attribute),
            Some(first) => {
                self.attributes.retain(|a| Direction::parse(&a.name).is_none());
                self.attributes.insert(first, attribute);
            }
        }
    }

    /// The formats with their encodings and parameters.
    ///
    /// RFC 8866 6.6
    pub fn formats(&self) -> Vec<Format> {
        let maps: Vec<_> = self.values("rtpmap").filter_map(|value| RtpMap::parse(value).ok()).collect();
        let parameters = |name: &str| {
            self.values("fmtp").find_map(|value| {
                let (format, parameters) = value.split_once([' ', '\t']).unwrap_or((value, ""));
                (format == name).then(|| parameters.trim().to_owned())
            })
        };
        let format = |name: &String| {
            let number = name.parse::<u8>().ok();
            let map = number.and_then(|number| {
                maps.iter().find(|m| m.payload_type == number).cloned().or_else(|| RtpMap::of_static(number))
            });
            Format { name: name.clone(), map, parameters: parameters(name) }
        };
        self.formats.iter().map(format).collect()
    }

    /// The values of `a=crypto:` lines, in order, not interpreted.
    ///
    /// RFC 4568 9.1
    pub fn crypto(&self) -> Vec<&str> {
        self.values("crypto").collect()
    }

    /// Where RTP goes.
    ///
    /// RFC 8866 5.7
    pub fn rtp(&self, session: &SessionDescription) -> Option<SocketAddr> {
        Some(SocketAddr::new(session.connection_of(self)?.ip()?, self.port))
    }

    /// Where RTCP goes: `a=rtcp:` with or without an address, else one port above RTP.
    ///
    /// RFC 3605 2.1
    pub fn rtcp(&self, session: &SessionDescription) -> Option<SocketAddr> {
        let rtp = self.rtp(session)?;
        let next = SocketAddr::new(rtp.ip(), rtp.port().checked_add(1).unwrap_or_else(|| rtp.port()));
        let Some(value) = self.value("rtcp") else { return Some(next) };
        let mut words = value.split_ascii_whitespace();
        let Some(Ok(port)) = words.next().map(str::parse) else { return Some(next) };
        let address = words.nth(2).and_then(|address| address.parse().ok());
        Some(SocketAddr::new(address.unwrap_or_else(|| rtp.ip()), port))
    }

    /// Whether RTCP goes to the port of RTP.
    ///
    /// RFC 5761 5.1.1
    pub fn rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    /// The packet time in milliseconds.
    ///
    /// RFC 8866 6.4
    pub fn ptime(&self) -> Option<u32> {
        self.value("ptime")?.trim().parse().ok()
    }

    /// The candidates that can be read, in order.
    ///
    /// MS-ICE2 2.2
    pub fn candidates(&self) -> Vec<Candidate> {
        self.values("candidate").filter_map(|value| Candidate::parse(value).ok()).collect()
    }

    /// Which form of ICE the line speaks.
    ///
    /// MS-ICE2 1.3
    pub fn ice_dialect(&self) -> IceDialect {
        match self.candidates().first() {
            Some(candidate) => candidate.dialect(),
            None if self.attribute("ice-ufrag").is_some() => IceDialect::Rfc8445,
            None => IceDialect::None,
        }
    }

    /// The chosen addresses of the other side: component, address, port.
    ///
    /// RFC 8839 5.2
    pub fn remote_candidates(&self) -> Vec<(u16, SocketAddr)> {
        let words: Vec<&str> =
            self.value("remote-candidates").unwrap_or_default().split_ascii_whitespace().collect();
        let triple = |words: &[&str]| {
            let &[component, address, port] = words else { return None };
            Some((component.parse().ok()?, SocketAddr::new(address.parse().ok()?, port.parse().ok()?)))
        };
        words.chunks(3).filter_map(triple).collect()
    }
}

impl fmt::Display for MediaDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={} {}", self.media, self.port)?;
        if let Some(count) = self.port_count {
            write!(f, "/{count}")?;
        }
        write!(f, " {}", self.protocol)?;
        for format in &self.formats {
            write!(f, " {format}")?;
        }
        f.write_str("\r\n")?;
        let (titles, others): (Vec<_>, Vec<_>) =
            self.other.iter().cloned().partition(|(letter, _)| *letter == 'i');
        lines(f, &titles)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        for bandwidth in &self.bandwidth {
            write!(f, "b={bandwidth}\r\n")?;
        }
        lines(f, &others)?;
        for attribute in &self.attributes {
            write!(f, "a={attribute}\r\n")?;
        }
        Ok(())
    }
}
