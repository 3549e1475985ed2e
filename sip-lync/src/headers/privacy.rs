//! Privacy.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar;

/// What the sender wants hidden.
///
/// RFC 3323 4.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Privacy(Vec<String>);

impl Privacy {
    /// Hide the identity of the caller.
    ///
    /// RFC 3325 9.3
    pub fn id() -> Self {
        Self(vec!["id".to_owned()])
    }

    /// Reads the value: tokens with semicolons between them.
    ///
    /// RFC 3323 4.2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut values = Vec::new();
        let mut at = 0;
        for part in text.split([';', ',']) {
            let value = grammar::trim(part);
            if !grammar::is_token(value.as_bytes()) {
                return Err(ParseError::new(at, Rule::Token));
            }
            values.push(value.to_owned());
            at += part.len() + 1;
        }
        Ok(Self(values))
    }

    /// Whether the value is there.
    ///
    /// RFC 3323 4.2
    pub fn contains(&self, value: &str) -> bool {
        self.0.iter().any(|v| v.eq_ignore_ascii_case(value))
    }

    /// Whether name and number of the caller must not be shown.
    ///
    /// RFC 3325 9.3
    pub fn hides_identity(&self) -> bool {
        self.contains("id") || self.contains("user") || self.contains("header")
    }
}

impl fmt::Display for Privacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read() {
        let value = Privacy::parse("header ; ID").unwrap();
        assert!(value.hides_identity() && value.contains("id") && !value.contains("none"));
        assert_eq!(value.to_string(), "header;ID");
        assert!(!Privacy::parse("none").unwrap().hides_identity());
        assert!(Privacy::parse("").is_err() && Privacy::parse("id;").is_err());
    }
}
