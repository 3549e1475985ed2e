//! A whole session description.

use core::fmt;

use super::{Attribute, Connection, MediaDescription, Origin};
use crate::error::{ParseError, Rule};

/// The largest number of lines that is read.
const MAXIMUM_LINES: usize = 2000;

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
        let error = ParseError::new(0, Rule::SdpBandwidth);
        let (kind, value) = text.trim().split_once(':').ok_or_else(|| error.clone())?;
        Ok(Self { kind: kind.to_owned(), value: value.trim().parse().map_err(|_| error)? })
    }
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
        let text =
            core::str::from_utf8(bytes).map_err(|error| ParseError::new(error.valid_up_to(), Rule::Utf8))?;
        Self::parse(text)
    }

    /// Reads a description.
    ///
    /// RFC 8866 9
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut version = false;
        let mut origin = None;
        let mut description = Self {
            origin: Origin::new(
                0,
                0,
                Connection { network: String::new(), address_type: String::new(), address: String::new() },
            ),
            session_name: String::new(),
            information: Vec::new(),
            connection: None,
            bandwidth: Vec::new(),
            times: Vec::new(),
            other: Vec::new(),
            attributes: Vec::new(),
            media: Vec::new(),
        };
        let mut at = 0;
        for (count, raw) in text.split_inclusive('\n').enumerate() {
            let start = at;
            at += raw.len();
            let line = raw.trim_end_matches(['\r', '\n', ' ', '\t', '\0']);
            if line.is_empty() {
                continue;
            }
            if count >= MAXIMUM_LINES {
                return Err(ParseError::new(start, Rule::SdpTooLong));
            }
            let mut characters = line.chars();
            let (Some(letter), Some('=')) = (characters.next(), characters.next()) else {
                return Err(ParseError::new(start, Rule::SdpLine));
            };
            if !letter.is_ascii_alphabetic() {
                return Err(ParseError::new(start, Rule::SdpLine));
            }
            let value = characters.as_str();
            let shift = |error: ParseError| error.shifted(start + 2);
            if !version {
                if letter != 'v' || value.trim() != "0" {
                    return Err(ParseError::new(start, Rule::SdpVersion));
                }
                version = true;
                continue;
            }
            if letter == 'm' {
                description.media.push(MediaDescription::parse_line(value).map_err(shift)?);
                continue;
            }
            if let Some(media) = description.media.last_mut() {
                media.take(letter, value).map_err(shift)?;
                continue;
            }
            match letter {
                'v' => return Err(ParseError::new(start, Rule::SdpVersion)),
                'o' => origin = Some(Origin::parse(value).map_err(shift)?),
                's' => value.clone_into(&mut description.session_name),
                'i' | 'u' | 'e' | 'p' => description.information.push((letter, value.to_owned())),
                'c' => description.connection = Some(Connection::parse(value).map_err(shift)?),
                'b' => description.bandwidth.push(Bandwidth::parse(value).map_err(shift)?),
                't' => {
                    let mut numbers = value.split_ascii_whitespace();
                    let number =
                        |word: Option<&str>| word.is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit()));
                    if !number(numbers.next()) || !number(numbers.next()) || numbers.next().is_some() {
                        return Err(ParseError::new(start + 2, Rule::SdpTime));
                    }
                    description.times.push((letter, value.to_owned()));
                }
                'r' | 'z' => description.times.push((letter, value.to_owned())),
                'a' => description.attributes.push(Attribute::parse(value)),
                _ => description.other.push((letter, value.to_owned())),
            }
        }
        if !version {
            return Err(ParseError::new(0, Rule::SdpVersion));
        }
        description.origin = origin.ok_or_else(|| ParseError::new(text.len(), Rule::SdpMissing))?;
        Ok(description)
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
