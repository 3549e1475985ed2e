//! Retry-After.

use core::fmt;

use super::parameters::Parameters;
use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};

/// When to try again.
///
/// RFC 3261 20.33
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RetryAfter {
    /// Seconds; what exceeds 32 bits becomes the largest value.
    pub seconds: u32,
    /// `duration` and others.
    pub parameters: Parameters,
}

impl RetryAfter {
    /// Reads the value; a comment is read over.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = grammar::trim(text);
        let length = text.bytes().take_while(u8::is_ascii_digit).count();
        let seconds = grammar::saturating_number(text.get(..length).unwrap_or_default())?;
        let rest = grammar::trim(text.get(length..).unwrap_or_default());
        let (rest, at) = match rest.strip_prefix('(') {
            None => (rest, length),
            Some(comment) => {
                let end = comment_end(comment).ok_or_else(|| ParseError::new(length, Rule::Trailing))?;
                (comment.get(end..).unwrap_or_default(), length + end)
            }
        };
        let mut cursor = Cursor::new(rest);
        let parameters = Parameters::read(&mut cursor).map_err(|error| error.shifted(at))?;
        cursor.finish().map_err(|error| error.shifted(at))?;
        Ok(Self { seconds, parameters })
    }
}

/// Offset behind the parenthesis that closes a comment; comments nest.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.seconds, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_comment_and_parameters_are_read() {
        let value = RetryAfter::parse("18000 (in a (long) \\) meeting) ;duration=3600").unwrap();
        assert_eq!((value.seconds, value.parameters.get("duration")), (18000, Some("3600")));
        assert_eq!(value.to_string(), "18000;duration=3600");
        assert_eq!(RetryAfter::parse("949302838503028349304023988").map(|r| r.seconds), Ok(u32::MAX));
        for text in ["", "x", "1 (", "1 (a(b)", "1 x"] {
            assert!(RetryAfter::parse(text).is_err(), "{text}");
        }
    }
}
