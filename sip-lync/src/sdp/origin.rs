//! `o=` lines.

use core::fmt;

use super::Connection;
use crate::error::{ParseError, Rule};

/// Who made the description, and which version it is. Lync leaves identifier and version at zero.
///
/// RFC 8866 5.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The user name, often `-`.
    pub username: String,
    /// The identifier of the session, digits of any length.
    pub session_id: String,
    /// The version of the description, digits of any length.
    pub session_version: String,
    /// The address of the machine.
    pub connection: Connection,
}

impl Origin {
    /// An origin as Lync writes it.
    ///
    /// RFC 8866 5.2
    pub fn new(session_id: u64, session_version: u64, connection: Connection) -> Self {
        Self {
            username: "-".to_owned(),
            session_id: session_id.to_string(),
            session_version: session_version.to_string(),
            connection,
        }
    }

    /// Reads what stands behind `o=`.
    ///
    /// RFC 8866 5.2
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        words(text).map(Self::of)
    }

    pub(super) fn of(
        [username, session_id, session_version, network, address_type, address]: [&str; 6],
    ) -> Self {
        Self {
            username: username.to_owned(),
            session_id: session_id.to_owned(),
            session_version: session_version.to_owned(),
            connection: Connection::of([network, address_type, address]),
        }
    }
}

/// The six words behind `o=`.
pub(super) fn words(text: &str) -> Result<[&str; 6], ParseError> {
    let error = || ParseError::new(0, Rule::SdpOrigin);
    let (mut words, mut rest) = ([""; 6], text.split_ascii_whitespace());
    for word in &mut words {
        *word = rest.next().ok_or_else(error)?;
    }
    let [_, session_id, session_version, ..] = words;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if rest.next().is_some() || !digits(session_id) || !digits(session_version) {
        return Err(error());
    }
    Ok(words)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.username, self.session_id, self.session_version, self.connection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_fields_are_read() {
        let text = "mhandley 29739 7272939 IN IP4 192.0.2.3";
        assert_eq!(Origin::parse(text).map(|o| o.to_string()).as_deref(), Ok(text));
        for text in ["", "- 0 0 IN IP4", "- a 0 IN IP4 1.2.3.4", "- 0 0 IN IP4 1.2.3.4 5"] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
