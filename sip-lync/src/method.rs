//! Methods of requests.

use core::fmt;
use core::str::FromStr;

use crate::error::{ParseError, Rule};
use crate::grammar;

macro_rules! methods {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal,)+) => {
        /// The method of a request. Methods are compared with case.
        ///
        /// RFC 3261 7.1
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Method {
            $($(#[doc = $doc])+ $name,)+
            /// Any other token.
            Other(Box<str>),
        }

        impl Method {
            /// The methods this crate knows by name.
            ///
            /// RFC 3261 7.1
            pub const KNOWN: &'static [Self] = &[$(Self::$name,)+];

            /// The method as it stands on the wire.
            ///
            /// RFC 3261 7.1
            pub fn as_str(&self) -> &str {
                match self { $(Self::$name => $text,)+ Self::Other(text) => text }
            }

            /// Reads a method.
            ///
            /// RFC 3261 25.1
            pub fn parse(text: &str) -> Result<Self, ParseError> {
                match text {
                    $($text => Ok(Self::$name),)+
                    _ if grammar::is_token(text.as_bytes()) => Ok(Self::Other(text.into())),
                    _ => Err(ParseError::new(0, Rule::Method)),
                }
            }
        }
    };
}

methods! {
    /// RFC 3261 13
    Invite = "INVITE",
    /// RFC 3261 17.1.1.3
    Ack = "ACK",
    /// RFC 3261 11
    Options = "OPTIONS",
    /// RFC 3261 15
    Bye = "BYE",
    /// RFC 3261 9
    Cancel = "CANCEL",
    /// RFC 3261 10
    Register = "REGISTER",
    /// RFC 6086 3
    Info = "INFO",
    /// RFC 3311 3
    Update = "UPDATE",
    /// RFC 3262 6
    Prack = "PRACK",
    /// RFC 6665 3.1
    Subscribe = "SUBSCRIBE",
    /// RFC 6665 3.2
    Notify = "NOTIFY",
    /// A notification that is never answered. MS-SIP 2.2
    BeNotify = "BENOTIFY",
    /// A request to a service outside of any dialog. MS-SIP 2.2
    Service = "SERVICE",
    /// Asks for compression of the connection. MS-SIPCOMP 2.2
    Negotiate = "NEGOTIATE",
    /// RFC 3515 2
    Refer = "REFER",
    /// RFC 3428 4
    Message = "MESSAGE",
    /// RFC 3903 3
    Publish = "PUBLISH",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Method {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_read_with_case_and_written_again() {
        for method in Method::KNOWN {
            assert_eq!(Method::parse(method.as_str()).as_ref(), Ok(method));
        }
        assert_eq!(Method::parse("invite"), Ok(Method::Other("invite".into())));
        assert_eq!(Method::parse("RE%47IST%45R").map(|m| m.to_string()).as_deref(), Ok("RE%47IST%45R"));
        assert!(Method::parse("").is_err());
        assert!(Method::parse("IN VITE").is_err());
    }
}
