//! Warning.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};

/// One warning of a response.
///
/// RFC 3261 20.43
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Warning {
    /// Three digits.
    pub code: u16,
    /// Host or pseudonym of who warns.
    pub agent: String,
    /// The text.
    pub text: String,
}

impl Warning {
    /// Reads one value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let at = cursor.at();
        let number = cursor.number()?;
        let code = u16::try_from(number).ok().filter(|code| matches!(code, 100..=999));
        let code = code.ok_or_else(|| ParseError::new(at, Rule::NumberTooLarge))?;
        cursor.skip_blanks();
        let rest = cursor.rest();
        let length = rest.find([' ', '\t', '"']).unwrap_or(rest.len());
        let agent = rest.get(..length).unwrap_or_default().to_owned();
        if agent.is_empty() {
            return Err(cursor.error(Rule::Host));
        }
        cursor.skip(length);
        cursor.skip_blanks();
        let text = grammar::unquote(cursor.quoted_string()?).into_owned();
        cursor.finish()?;
        Ok(Self { code, agent, text })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.code, self.agent)?;
        grammar::write_quoted(f, &self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_agent_and_text_are_read() {
        let text = "308 lcs.microsoft.com \"Encryption Levels not compatible\"";
        let warning = Warning::parse(text).unwrap();
        assert_eq!((warning.code, warning.agent.as_str()), (308, "lcs.microsoft.com"));
        assert_eq!(warning.to_string(), text);
        for text in ["", "1812 overture \"In Progress\"", "99 a \"b\"", "399 \"x\"", "399 a b", "399 a"] {
            assert!(Warning::parse(text).is_err(), "{text}");
        }
    }
}
