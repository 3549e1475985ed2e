//! A whole session description.

use core::fmt;

use super::line::{Line, Lines};
use super::{Attribute, Connection, MediaDescription, Origin};
use crate::error::{ParseError, Rule};
use crate::simd::spans;

/// The largest number of lines that is read.
pub(super) const MAXIMUM_LINES: usize = 2000;

/// A `b=` line.
///
/// RFC 8866 5.8
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bandwidth {
    /// `CT`, `AS`, `TIAS` or another word.
    pub kind: String,
    /// The number.
    pub value: u64,
}

impl Bandwidth {
    /// Reads what stands behind `b=`.
    ///
    /// RFC 8866 5.8
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        bandwidth(text).map(Self::of)
    }

    fn of((kind, value): (&str, u64)) -> Self {
        Self { kind: kind.to_owned(), value }
    }
}

/// The word and the number behind `b=`.
pub(super) fn bandwidth(text: &str) -> Result<(&str, u64), ParseError> {
    let error = || ParseError::new(0, Rule::SdpBandwidth);
    let (kind, value) = text.trim().split_once(':').ok_or_else(error)?;
    Ok((kind, value.trim().parse().map_err(|_| error())?))
}

impl fmt::Display for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.value)
    }
}

/// A session description. Attributes keep their order; lines of letters that are not typed are kept, too.
///
/// Reading takes what real clients send: bare LF, blanks at line ends, lines out of order, no `t=` and no `s=`. Writing
/// follows the order of the standard.
///
/// RFC 8866 5
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionDescription {
    /// `o=`
    pub origin: Origin,
    /// `s=`
    pub session_name: String,
    /// `i=`, `u=`, `e=` and `p=` lines, letter and value.
    pub information: Vec<(char, String)>,
    /// `c=`
    pub connection: Option<Connection>,
    /// `b=`
    pub bandwidth: Vec<Bandwidth>,
    /// `t=`, `r=` and `z=` lines, letter and value.
    pub times: Vec<(char, String)>,
    /// `k=` and lines of unknown letters.
    pub other: Vec<(char, String)>,
    /// `a=` of the session.
    pub attributes: Vec<Attribute>,
    /// `m=` with what follows each.
    pub media: Vec<MediaDescription>,
}

impl SessionDescription {
    /// A description without media.
    ///
    /// RFC 8866 5
    pub fn new(origin: Origin, connection: Connection) -> Self {
        Self {
            origin,
            session_name: "session".to_owned(),
            information: Vec::new(),
            connection: Some(connection),
            bandwidth: Vec::new(),
            times: vec![('t', "0 0".to_owned())],
            other: Vec::new(),
            attributes: Vec::new(),
            media: Vec::new(),
        }
    }

    /// Reads a description from bytes.
    ///
    /// RFC 8866 9
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::parse(text_of(bytes)?)
    }

    /// Whether bytes can be read as a description; nothing of it is kept.
    pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), ParseError> {
        Lines::new(text_of(bytes)?).try_for_each(|line| line.map(|_| ()))
    }

    /// Reads a description.
    ///
    /// RFC 8866 9
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let nowhere = Connection::of([""; 3]);
        let mut description = Self::new(Origin::new(0, 0, nowhere.clone()), nowhere);
        description.session_name.clear();
        description.connection = None;
        description.times.clear();
        for line in Lines::new(text) {
            description.take(line?);
        }
        Ok(description)
    }

    fn take(&mut self, line: Line<'_>) {
        let medium = self.media.last_mut();
        match (line, medium) {
            (Line::Media(line), _) => self.media.push(MediaDescription::of(&line)),
            (Line::Connection(words), Some(medium)) => medium.connection = Some(Connection::of(words)),
            (Line::Connection(words), None) => self.connection = Some(Connection::of(words)),
            (Line::Bandwidth(kind, value), Some(medium)) => {
                medium.bandwidth.push(Bandwidth::of((kind, value)));
            }
            (Line::Bandwidth(kind, value), None) => self.bandwidth.push(Bandwidth::of((kind, value))),
            (Line::Attribute(text), Some(medium)) => medium.attributes.push(Attribute::parse(text)),
            (Line::Attribute(text), None) => self.attributes.push(Attribute::parse(text)),
            (Line::Other(letter, value), Some(medium)) => medium.other.push((letter, value.to_owned())),
            (Line::Other(letter @ ('i' | 'u' | 'e' | 'p'), value), None) => {
                self.information.push((letter, value.to_owned()));
            }
            (Line::Other(letter, value), None) => self.other.push((letter, value.to_owned())),
            (Line::Origin(words), _) => self.origin = Origin::of(words),
            (Line::Name(name), _) => name.clone_into(&mut self.session_name),
            (Line::Time(letter, value), _) => self.times.push((letter, value.to_owned())),
        }
    }

    /// The first attribute of the session with that name.
    ///
    /// RFC 8866 5.13
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.is(name))
    }

    /// Where the media of one line goes: its own `c=`, else the session's.
    ///
    /// RFC 8866 5.7
    pub fn connection_of<'a>(&'a self, media: &'a MediaDescription) -> Option<&'a Connection> {
        media.connection.as_ref().or(self.connection.as_ref())
    }

    /// The first audio line that is not rejected; its place and itself.
    ///
    /// RFC 8866 5.14
    pub fn audio(&self) -> Option<(usize, &MediaDescription)> {
        self.media.iter().enumerate().find(|(_, media)| media.is_audio() && media.port != 0)
    }
}

impl fmt::Display for SessionDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=0\r\no={}\r\n", self.origin)?;
        // An empty name is written as a blank, which every reader takes.
        let name = if self.session_name.is_empty() { " " } else { &self.session_name };
        write!(f, "s={name}\r\n")?;
        lines(f, &self.information)?;
        if let Some(connection) = &self.connection {
            write!(f, "c={connection}\r\n")?;
        }
        for bandwidth in &self.bandwidth {
            write!(f, "b={bandwidth}\r\n")?;
        }
        if self.times.is_empty() {
            f.write_str("t=0 0\r\n")?;
        }
        lines(f, &self.times)?;
        lines(f, &self.other)?;
        for attribute in &self.attributes {
            write!(f, "a={attribute}\r\n")?;
        }
        for media in &self.media {
            media.fmt(f)?;
        }
        Ok(())
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, ParseError> {
    spans::text(bytes).map_err(|error| ParseError::new(error.valid_up_to(), Rule::Utf8))
}

pub(super) fn lines(f: &mut fmt::Formatter<'_>, lines: &[(char, String)]) -> fmt::Result {
    for (letter, value) in lines {
        write!(f, "{letter}={value}\r\n")?;
    }
    Ok(())
}

impl core::str::FromStr for SessionDescription {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::{Direction, IceDialect};

    const LYNC: &str = concat!(
        "v=0\r\no=- 0 0 IN IP4 192.0.2.20\r\ns=session\r\nc=IN IP4 192.0.2.20\r\nb=CT:99980\r\nt=0 0\r\n",
        "a=x-devicecaps:audio:send,recv;video:send,recv\r\n",
        "m=audio 27684 RTP/AVP 117 0 8 101\r\na=x-ssrc-range:401234567-401234567\r\na=label:main-audio\r\n",
        "a=ice-ufrag:Ab3/\r\na=ice-pwd:0123456789abcdefghijklmn\r\n",
        "a=candidate:1 1 UDP 2130706431 192.0.2.20 27684 typ host\r\n",
        "a=cryptoscale:1 client AES_CM_128_HMAC_SHA1_80 inline:a|2^31|1:1\r\n",
        "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:b|2^31|1:1\r\na=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:b|2^31\r\n",
        "a=rtcp:50001 IN IP4 192.0.2.99\r\na=rtpmap:117 G722/8000/2\r\na=fmtp:101 0-16\r\na=inactive\r\n",
        "m=video 0 RTP/AVP 34\r\nc=IN IP4 0.0.0.0\r\n",
    );

    #[test]
    fn a_lync_offer_is_read_and_written_in_order() {
        let session = SessionDescription::parse(LYNC).unwrap();
        assert_eq!(session.to_string(), LYNC);
        let (_, audio) = session.audio().unwrap();
        assert_eq!(audio.rtp(&session), "192.0.2.20:27684".parse().ok());
        assert_eq!(audio.rtcp(&session), "192.0.2.99:50001".parse().ok());
        assert_eq!(audio.crypto().len(), 2);
        assert_eq!(
            (audio.direction(&session), audio.ice_dialect()),
            (Direction::Inactive, IceDialect::Rfc8445)
        );
        let formats = audio.formats();
        assert_eq!(formats[2].map.as_ref().map(|map| map.encoding.as_str()), Some("PCMA"));
        assert_eq!(formats[3].map, None, "101 is dynamic and has no rtpmap here");
        assert_eq!(formats[3].parameters.as_deref(), Some("0-16"));
        assert!(session.connection_of(&session.media[1]).unwrap().is_unspecified());
    }

    #[test]
    fn real_untidiness_is_read() {
        let text = "v=0\no=- 0 0 IN IP4 192.0.2.1 \ns=\nt=0 0\na=sendonly\nm =audio 5 RTP/AVP 8\nc=IN IP4 192.0.2.2\nk=base64:x\ny=?\n\n";
        let session = SessionDescription::parse(text).unwrap();
        let audio = &session.media[0];
        assert_eq!(audio.direction(&session), Direction::SendOnly);
        assert_eq!(audio.rtcp(&session), "192.0.2.2:6".parse().ok());
        assert_eq!(audio.other, [('k', "base64:x".to_owned()), ('y', "?".to_owned())]);
        assert_eq!(
            SessionDescription::parse(&session.to_string()).map(|s| s.to_string()),
            Ok(session.to_string())
        );
    }

    #[test]
    fn what_has_no_meaning_where_it_stands_is_kept_as_it_is() {
        let text = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=x\r\nt=0 0\r\n\
                    m=audio 5 RTP/AVP 8\r\nc=IN IP4 192.0.2.2\r\nc=not an address\r\nv=1\r\no=nobody\r\nt=never\r\n\
                    m=audio 7 RTP/AVP 8\r\nc=IN IP4 192.0.2.3\r\n";
        let session = SessionDescription::parse(text).unwrap();
        let other = |letter: char, value: &str| (letter, value.to_owned());
        let kept = [other('c', "not an address"), other('v', "1"), other('o', "nobody"), other('t', "never")];
        assert_eq!(session.media[0].other, kept);
        assert_eq!(session.media[1].rtp(&session), "192.0.2.3:7".parse().ok());
        assert!(SessionDescription::check_bytes(text.as_bytes()).is_ok());
    }

    #[test]
    fn broken_descriptions_are_refused_where_they_break() {
        let head = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=x\r\n";
        for (text, at, rule) in [
            (String::new(), 0, Rule::SdpVersion),
            ("o=- 0 0 IN IP4 1.2.3.4\r\n".to_owned(), 0, Rule::SdpVersion),
            ("v=1\r\n".to_owned(), 0, Rule::SdpVersion),
            ("v=0\r\ns=x\r\n".to_owned(), 10, Rule::SdpMissing),
            (format!("{head}v=0\r\n"), 36, Rule::SdpVersion),
            (format!("{head}rubbish\r\n"), 36, Rule::SdpLine),
            (format!("{head}7=x\r\n"), 36, Rule::SdpLine),
            (format!("{head}c=IN\r\n"), 38, Rule::SdpConnection),
            (format!("{head}t=a b\r\n"), 38, Rule::SdpTime),
            (format!("{head}b=CT\r\n"), 38, Rule::SdpBandwidth),
            (format!("{head}m=audio x RTP/AVP 8\r\n"), 38, Rule::SdpMedia),
            (format!("{head}m=audio 5 RTP/AVP\r\n"), 38, Rule::SdpMedia),
            (format!("{head}{}", "a=x\r\n".repeat(3000)), 36 + 5 * (MAXIMUM_LINES - 3), Rule::SdpTooLong),
        ] {
            assert_eq!(SessionDescription::parse(&text), Err(ParseError::new(at, rule)), "{text:.80}");
        }
        assert_eq!(SessionDescription::parse_bytes(b"v=0\r\n\xff").map_err(|e| e.rule), Err(Rule::Utf8));
    }
}
