//! Session-Expires and Min-SE.

use core::fmt;

use super::parameters::Parameters;
use crate::error::{ParseError, Rule};
use crate::grammar::Cursor;

/// Who refreshes a session.
///
/// RFC 4028 4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refresher {
    /// The user agent client of the request that set the timer.
    Uac,
    /// The user agent server.
    Uas,
}

impl Refresher {
    /// The word.
    ///
    /// RFC 4028 4
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// How long a session lasts without a refresh.
///
/// RFC 4028 4
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionExpires {
    /// Seconds.
    pub interval: u32,
    /// Who refreshes, if it was said.
    pub refresher: Option<Refresher>,
    /// Other parameters.
    pub parameters: Parameters,
}

impl SessionExpires {
    /// A value.
    ///
    /// RFC 4028 4
    pub const fn new(interval: u32, refresher: Option<Refresher>) -> Self {
        Self { interval, refresher, parameters: Parameters::new() }
    }

    /// Reads the value.
    ///
    /// RFC 4028 4
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let interval = cursor.number()?;
        let at = cursor.at();
        let mut parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        let refresher = match parameters.get("refresher") {
            None => None,
            Some(word) if word.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            Some(word) if word.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            Some(_) => return Err(ParseError::new(at, Rule::Keyword)),
        };
        parameters.remove("refresher");
        Ok(Self { interval, refresher, parameters })
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.interval)?;
        if let Some(refresher) = self.refresher {
            write!(f, ";refresher={}", refresher.as_str())?;
        }
        self.parameters.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interval_and_refresher_are_read() {
        let value = SessionExpires::parse("1800 ;refresher=UAS;x=1").unwrap();
        assert_eq!((value.interval, value.refresher), (1800, Some(Refresher::Uas)));
        assert_eq!(value.to_string(), "1800;refresher=uas;x=1");
        for text in ["", "x", "1800;refresher=me", "99999999999"] {
            assert!(SessionExpires::parse(text).is_err(), "{text}");
        }
    }
}
