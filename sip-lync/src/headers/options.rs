//! Lists of tokens: Supported, Require, Allow, Allow-Events and others.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, List};

/// A list of tokens, several lines joined. Option tags are compared without case here, because Lync writes `Replaces`.
///
/// RFC 3261 20.37
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tokens(Vec<String>);

impl Tokens {
    /// An empty list.
    ///
    /// RFC 3261 20.37
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads one comma list.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut tokens = Self::new();
        tokens.join(text)?;
        Ok(tokens)
    }

    /// Adds the elements of another line.
    pub(crate) fn join(&mut self, text: &str) -> Result<(), ParseError> {
        for (at, element) in List::new(text) {
            if !grammar::is_token(element.as_bytes()) {
                return Err(ParseError::new(at, Rule::Token));
            }
            self.0.push(element.to_owned());
        }
        Ok(())
    }

    /// Whether the token is in the list.
    ///
    /// RFC 3261 20.37
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|t| t.eq_ignore_ascii_case(token))
    }

    /// Adds a token.
    ///
    /// RFC 3261 20.37
    pub fn push(&mut self, token: &str) {
        self.0.push(token.to_owned());
    }

    /// The tokens in order.
    ///
    /// RFC 3261 20.37
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the list is empty.
    ///
    /// RFC 3261 20.37
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> FromIterator<&'a str> for Tokens {
    fn from_iter<T: IntoIterator<Item = &'a str>>(tokens: T) -> Self {
        Self(tokens.into_iter().map(str::to_owned).collect())
    }
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, token) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(token)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_joined_and_compared_without_case() {
        let mut tokens = Tokens::parse("gruu-10, adhoclist,msrtc-event-categories").unwrap();
        tokens.join("Replaces").unwrap();
        assert!(tokens.contains("replaces") && !tokens.contains("timer"));
        assert_eq!(tokens.to_string(), "gruu-10, adhoclist, msrtc-event-categories, Replaces");
        assert!(Tokens::parse("a b").is_err());
        assert!(Tokens::parse("").unwrap().is_empty());
    }
}
