//! Replaces, and Join, which has the same shape.

use core::fmt;

use super::parameters::Parameters;
use crate::error::{ParseError, Rule};
use crate::grammar::{self, CALL_ID, Cursor};

/// Names a dialog by Call-ID and tags.
///
/// RFC 3891 6.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: String,
    /// `to-tag`, `from-tag`, `early-only` and others.
    pub parameters: Parameters,
}

impl Replaces {
    /// Names a dialog; the tags are those of the receiver's view: `to_tag` its local tag.
    ///
    /// RFC 3891 3
    pub fn new(call_id: &str, to_tag: &str, from_tag: &str) -> Self {
        let mut parameters = Parameters::new();
        parameters.push("to-tag", Some(to_tag));
        parameters.push("from-tag", Some(from_tag));
        Self { call_id: call_id.to_owned(), parameters }
    }

    /// Reads the value; both tags must be there.
    ///
    /// RFC 3891 6.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let call_id = cursor.take(CALL_ID).to_owned();
        if call_id.is_empty() {
            return Err(cursor.error(Rule::Token));
        }
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        let value = Self { call_id, parameters };
        if value.to_tag().is_none() || value.from_tag().is_none() {
            return Err(ParseError::new(text.len(), Rule::Parameter));
        }
        Ok(value)
    }

    /// The local tag of who receives this.
    ///
    /// RFC 3891 3
    pub fn to_tag(&self) -> Option<&str> {
        self.parameters.get("to-tag")
    }

    /// The remote tag of who receives this.
    ///
    /// RFC 3891 3
    #[expect(clippy::wrong_self_convention, reason = "the name of the parameter")]
    pub fn from_tag(&self) -> Option<&str> {
        self.parameters.get("from-tag")
    }

    /// Whether only an early dialog may be replaced.
    ///
    /// RFC 3891 3
    pub fn is_early_only(&self) -> bool {
        self.parameters.contains("early-only")
    }
}

/// Whether the text is a Call-ID.
pub(crate) fn is_call_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| grammar::is(b, CALL_ID)) && text.matches('@').count() <= 1
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.call_id, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_id_and_both_tags_are_read() {
        let value =
            Replaces::parse("98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff;early-only").unwrap();
        assert_eq!(
            (value.to_tag(), value.from_tag(), value.is_early_only()),
            (Some("ff87ff"), Some("r33th4x0r"), true)
        );
        assert_eq!(Replaces::new("a@b", "1", "2").to_string(), "a@b;to-tag=1;from-tag=2");
        for text in ["", "a@b", "a@b;to-tag=1", "a b;to-tag=1;from-tag=2"] {
            assert!(Replaces::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_call_id_has_words_of_many_characters() {
        assert!(is_call_id("intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"));
        assert!(!is_call_id("") && !is_call_id("a b") && !is_call_id("a@b@c"));
    }
}
