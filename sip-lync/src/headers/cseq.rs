//! CSeq.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar::Cursor;
use crate::method::Method;

/// The number and the method of a request.
///
/// RFC 3261 20.16
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CSeq {
    /// The number.
    pub number: u32,
    /// The method.
    pub method: Method,
}

impl CSeq {
    /// A value.
    ///
    /// RFC 3261 20.16
    pub const fn new(number: u32, method: Method) -> Self {
        Self { number, method }
    }

    /// Reads the value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let number = cursor.number()?;
        let before = cursor.at();
        cursor.skip_blanks();
        if cursor.at() == before {
            return Err(cursor.error(Rule::Method));
        }
        let at = cursor.at();
        let method = Method::parse(cursor.token()?).map_err(|error| error.shifted(at))?;
        cursor.finish()?;
        Ok(Self { number, method })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_method_are_read() {
        assert_eq!(CSeq::parse("0009 INVITE").map(|c| c.to_string()).as_deref(), Ok("9 INVITE"));
        assert_eq!(CSeq::parse("4294967295\tBENOTIFY"), Ok(CSeq::new(u32::MAX, Method::BeNotify)));
        for text in ["", "INVITE", "1", "1INVITE", "1 ", "36893488147419103232 REGISTER", "-1 BYE", "1 BYE x"]
        {
            assert!(CSeq::parse(text).is_err(), "{text}");
        }
    }
}
