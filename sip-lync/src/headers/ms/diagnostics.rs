//! ms-diagnostics, ms-diagnostics-public and ms-client-diagnostics.

use core::fmt;
use std::borrow::Cow;

use crate::error::{ParseError, Rule};
use crate::grammar::Cursor;
use crate::headers::Parameters;

/// Why a request failed or was sent, with a number. The quoted values may hold any text.
///
/// MS-OCER 2.2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Diagnostics {
    /// The number of the error.
    pub id: u32,
    /// A second number, rarely used.
    pub sub_id: Option<u32>,
    /// `reason`, `source` and others.
    pub parameters: Parameters,
}

impl Diagnostics {
    /// A number and its reason.
    ///
    /// MS-OCER 2.2.1
    pub fn new(id: u32, reason: &str) -> Self {
        let mut parameters = Parameters::new();
        parameters.push_quoted("reason", reason);
        Self { id, sub_id: None, parameters }
    }

    /// What we say about a session description that cannot be accepted.
    ///
    /// MS-OCER 2.2.1
    pub fn unsupported_session_description() -> Self {
        Self::new(52063, "Unsupported session description")
    }

    /// What we say when one side demands encryption and the other forbids it.
    ///
    /// MS-OCER 2.2.1
    pub fn encryption_levels_do_not_match() -> Self {
        Self::new(52017, "Encryption levels dont match")
    }

    /// Reads the value.
    ///
    /// MS-OCER 2.2.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let id = cursor.number()?;
        let mut sub_id = None;
        if cursor.peek() == Some(b'.') {
            cursor.skip(1);
            sub_id = Some(cursor.number()?);
        }
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish().map_err(|error| ParseError::new(error.at, Rule::Parameter))?;
        Ok(Self { id, sub_id, parameters })
    }

    /// The reason in words.
    ///
    /// MS-OCER 2.2.1
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        self.parameters.unquoted("reason")
    }

    /// The server that says so.
    ///
    /// MS-OCER 2.2.1
    pub fn source(&self) -> Option<Cow<'_, str>> {
        self.parameters.unquoted("source")
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        if let Some(sub_id) = self.sub_id {
            write!(f, ".{sub_id}")?;
        }
        self.parameters.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_values_hold_any_text() {
        let text = "4005;reason=\"target not SIP enabled; check user, a=b\";source=\"fe1.example.net\";AppName=\"InboundRouting\"";
        let value = Diagnostics::parse(text).unwrap();
        assert_eq!(value.id, 4005);
        assert_eq!(value.reason().as_deref(), Some("target not SIP enabled; check user, a=b"));
        assert_eq!(value.source().as_deref(), Some("fe1.example.net"));
        assert_eq!(value.to_string(), text);
        assert_eq!(Diagnostics::parse("1.23;reason=\"x\"").unwrap().sub_id, Some(23));
        for text in ["", "x;reason=\"a\"", "1;reason", "1 reason=\"a\"", "1;reason=\"a", "99999999999;a=b"] {
            let valid = Diagnostics::parse(text).is_ok();
            assert_eq!(valid, text == "1;reason", "{text}");
        }
    }

    #[test]
    fn our_own_words_are_those_of_the_clients() {
        let value = Diagnostics::unsupported_session_description();
        assert_eq!(value.to_string(), "52063;reason=\"Unsupported session description\"");
        assert_eq!(Diagnostics::encryption_levels_do_not_match().id, 52017);
    }
}
