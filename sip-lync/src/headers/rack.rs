//! RAck.

use core::fmt;

use crate::error::ParseError;
use crate::grammar::Cursor;
use crate::headers::CSeq;

/// What a PRACK acknowledges.
///
/// RFC 3262 7.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RAck {
    /// RSeq of the provisional response.
    pub response: u32,
    /// Its CSeq.
    pub cseq: CSeq,
}

impl RAck {
    /// Reads the value.
    ///
    /// RFC 3262 7.2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let response = cursor.number()?;
        let at = cursor.at();
        let cseq = CSeq::parse(cursor.rest()).map_err(|error| error.shifted(at))?;
        Ok(Self { response, cseq })
    }
}

impl fmt::Display for RAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.response, self.cseq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_parts_are_read() {
        assert_eq!(RAck::parse("776656 1 INVITE").map(|r| r.to_string()).as_deref(), Ok("776656 1 INVITE"));
        for text in ["", "1", "1 2", "1 INVITE", "a 1 INVITE"] {
            assert!(RAck::parse(text).is_err(), "{text}");
        }
    }
}
