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
        let error = ParseError::new(0, Rule::SdpOrigin);
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[username, session_id, session_version, network, address_type, address] = &words[..] else {
            return Err(error);
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if !digits(session_id) || !digits(session_version) {
            return Err(error);
        }
        Ok(Self {
            username: username.to_owned(),
            session_id: session_id.to_owned(),
            session_version: session_version.to_owned(),
            connection: Connection {
                network: network.to_owned(),
                address_type: address_type.to_owned(),
                address: address.to_owned(),
            },
        })
    }
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
