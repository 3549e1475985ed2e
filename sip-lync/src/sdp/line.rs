//! The lines of a session description where they were received.

use super::connection;
use super::media::{self, MediaLine};
use super::origin;
use super::session::{self, MAXIMUM_LINES};
use crate::error::{ParseError, Rule};
use crate::grammar;

/// One line behind `v=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `o=` of the session.
    Origin([&'a str; 6]),
    /// `s=` of the session.
    Name(&'a str),
    /// `c=` of the session, or the first one of a medium.
    Connection([&'a str; 3]),
    /// `b=`
    Bandwidth(&'a str, u64),
    /// `t=`, `r=` and `z=` of the session.
    Time(char, &'a str),
    /// `a=`
    Attribute(&'a str),
    /// `m=`
    Media(MediaLine<'a>),
    /// Any other letter, or one that has no meaning where it stands.
    Other(char, &'a str),
}

/// Reads line after line and checks each; ends behind the first error.
///
/// RFC 8866 9
#[derive(Clone, Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    count: usize,
    version: bool,
    origin: bool,
    /// A medium has begun.
    medium: bool,
    /// It has a `c=` already.
    connected: bool,
    over: bool,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            count: 0,
            version: false,
            origin: false,
            medium: false,
            connected: false,
            over: false,
        }
    }

    /// The next line that is not empty, without its end, and where it starts.
    fn raw(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let start = self.at;
            let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
            let length = grammar::find(rest, b'\n').map_or(rest.len(), |end| end + 1);
            self.at += length;
            self.count += 1;
            let line = rest.get(..length).unwrap_or_default();
            let line = line.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == '\0');
            if !line.is_empty() {
                return Some((start, line));
            }
        }
    }

    fn line(&mut self, start: usize, line: &'a str) -> Result<Option<Line<'a>>, ParseError> {
        if self.count > MAXIMUM_LINES {
            return Err(ParseError::new(start, Rule::SdpTooLong));
        }
        let (letter, value) = split(line).ok_or_else(|| ParseError::new(start, Rule::SdpLine))?;
        if !self.version {
            if letter != 'v' || value.trim() != "0" {
                return Err(ParseError::new(start, Rule::SdpVersion));
            }
            self.version = true;
            return Ok(None);
        }
        if letter == 'v' && !self.medium {
            return Err(ParseError::new(start, Rule::SdpVersion));
        }
        let typed = self.typed(letter, value);
        typed.map(Some).map_err(|error| error.shifted(start + line.len() - value.len()))
    }

    fn typed(&mut self, letter: char, value: &'a str) -> Result<Line<'a>, ParseError> {
        Ok(match letter {
            'm' => {
                (self.medium, self.connected) = (true, false);
                Line::Media(media::words(value)?)
            }
            'b' => session::bandwidth(value).map(|(kind, value)| Line::Bandwidth(kind, value))?,
            'a' => Line::Attribute(value),
            'c' if !self.medium => Line::Connection(connection::words(value)?),
            'c' if !self.connected => {
                self.connected = true;
                Line::Connection(connection::words(value)?)
            }
            _ if self.medium => Line::Other(letter, value),
            'o' => {
                self.origin = true;
                Line::Origin(origin::words(value)?)
            }
            's' => Line::Name(value),
            't' => {
                let mut numbers = value.split_ascii_whitespace();
                let number = |word: Option<&str>| word.is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit()));
                if !number(numbers.next()) || !number(numbers.next()) || numbers.next().is_some() {
                    return Err(ParseError::new(0, Rule::SdpTime));
                }
                Line::Time(letter, value)
            }
            'r' | 'z' => Line::Time(letter, value),
            _ => Line::Other(letter, value),
        })
    }

    /// What is missing at the end.
    const fn end(&self) -> Option<ParseError> {
        if !self.version {
            Some(ParseError::new(0, Rule::SdpVersion))
        } else if !self.origin {
            Some(ParseError::new(self.text.len(), Rule::SdpMissing))
        } else {
            None
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let Some((start, line)) = self.raw() else {
                self.over = true;
                return self.end().map(Err);
            };
            match self.line(start, line) {
                Ok(None) => {}
                Ok(Some(line)) => return Some(Ok(line)),
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// The letter and the value of a line. `m =video` occurs in RFC 4475 itself: a blank behind the letter is taken.
fn split(line: &str) -> Option<(char, &str)> {
    let equals = grammar::find(line, b'=')?;
    let (letter, value) = (line.get(..equals)?, line.get(equals + 1..)?);
    let mut letters = letter.trim_end_matches(' ').chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii_alphabetic() => Some((letter, value)),
        _ => None,
    }
}
