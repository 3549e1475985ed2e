//! Reason.

use core::fmt;
use std::borrow::Cow;

use super::parameters::Parameters;
use crate::error::ParseError;
use crate::grammar::{self, Cursor};

/// Why a request was sent.
///
/// RFC 3326 2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason {
    /// `SIP`, `Q.850` or another protocol.
    pub protocol: String,
    /// `cause`, `text`, `ms-acceptedby` and others.
    pub parameters: Parameters,
}

impl Reason {
    /// A reason in the words of a protocol.
    ///
    /// RFC 3326 2
    pub fn new(protocol: &str, cause: u16, text: &str) -> Self {
        let mut parameters = Parameters::new();
        parameters.push("cause", Some(&cause.to_string()));
        if !text.is_empty() {
            parameters.push_quoted("text", text);
        }
        Self { protocol: protocol.to_owned(), parameters }
    }

    /// Reads one value.
    ///
    /// RFC 3326 2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let protocol = cursor.token()?.to_owned();
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { protocol, parameters })
    }

    /// The cause.
    ///
    /// RFC 3326 2
    pub fn cause(&self) -> Option<u32> {
        self.parameters.get("cause").and_then(|text| grammar::number(text).ok())
    }

    /// The text.
    ///
    /// RFC 3326 2
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.parameters.unquoted("text")
    }

    /// The URI of the user who accepted the call elsewhere; observed with Lync 2013.
    ///
    /// RFC 3326 2
    pub fn accepted_by(&self) -> Option<Cow<'_, str>> {
        self.parameters.unquoted("ms-acceptedby")
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.protocol, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completed_elsewhere_is_read() {
        let text = "SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:alice@example.net\"";
        let reason = Reason::parse(text).unwrap();
        assert_eq!((reason.protocol.as_str(), reason.cause()), ("SIP", Some(200)));
        assert_eq!(reason.text().as_deref(), Some("Call completed elsewhere"));
        assert_eq!(reason.accepted_by().as_deref(), Some("sip:alice@example.net"));
        assert_eq!(reason.to_string(), text);
        assert_eq!(Reason::new("Q.850", 16, "Terminated").to_string(), "Q.850;cause=16;text=\"Terminated\"");
        assert!(Reason::parse(";cause=1").is_err());
    }
}
