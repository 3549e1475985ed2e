//! `c=` lines.

use core::fmt;
use core::net::IpAddr;

use crate::error::{ParseError, Rule};

/// Where media goes.
///
/// RFC 8866 5.7
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Connection {
    /// `IN`
    pub network: String,
    /// `IP4` or `IP6`
    pub address_type: String,
    /// The address, perhaps with a time to live behind a slash.
    pub address: String,
}

impl Connection {
    /// An address of the Internet.
    ///
    /// RFC 8866 5.7
    pub fn new(address: IpAddr) -> Self {
        let address_type = if address.is_ipv4() { "IP4" } else { "IP6" };
        Self { network: "IN".to_owned(), address_type: address_type.to_owned(), address: address.to_string() }
    }

    /// Reads what stands behind `c=`.
    ///
    /// RFC 8866 5.7
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        words(text).map(Self::of)
    }

    pub(super) fn of([network, address_type, address]: [&str; 3]) -> Self {
        Self {
            network: network.to_owned(),
            address_type: address_type.to_owned(),
            address: address.to_owned(),
        }
    }

    /// The address without a time to live, if it is one and not a name.
    ///
    /// RFC 8866 5.7
    pub fn ip(&self) -> Option<IpAddr> {
        let address = self.address.split_once('/').map_or(&*self.address, |(address, _)| address);
        address.parse().ok()
    }

    /// Whether the address is all zeros: hold in the words of RFC 2543 and of old clients.
    ///
    /// RFC 3264 8.4
    pub fn is_unspecified(&self) -> bool {
        self.ip().is_some_and(|address| address.is_unspecified())
    }
}

/// The three words behind `c=`.
pub(super) fn words(text: &str) -> Result<[&str; 3], ParseError> {
    let mut words = text.split_ascii_whitespace();
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(network), Some(address_type), Some(address), None) => Ok([network, address_type, address]),
        _ => Err(ParseError::new(0, Rule::SdpConnection)),
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.network, self.address_type, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_fields_are_read() {
        let value = Connection::parse("IN IP4 224.2.1.1/127 ").unwrap();
        assert_eq!(value.ip(), "224.2.1.1".parse().ok());
        assert_eq!(value.to_string(), "IN IP4 224.2.1.1/127");
        assert!(Connection::parse("IN IP4 0.0.0.0").unwrap().is_unspecified());
        assert_eq!(Connection::new("2001:db8::1".parse().unwrap()).to_string(), "IN IP6 2001:db8::1");
        for text in ["", "IN", "IN IP4", "IN IP4 1 2"] {
            assert!(Connection::parse(text).is_err(), "{text}");
        }
    }
}
