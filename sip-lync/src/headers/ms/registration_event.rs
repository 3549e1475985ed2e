//! The body of a registration notification: `text/registration-event`.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};

/// What to do about a notification.
///
/// MS-SIPREGE 2.2.1.13
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RegistrationAdvice {
    /// Stay away: the server does not want this endpoint.
    Stop,
    /// Register again after a random delay.
    RegisterAgain,
    /// Nothing: the registration lasts.
    Stay,
}

impl RegistrationAdvice {
    /// The word.
    ///
    /// MS-SIPREGE 2.2.1.13
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::RegisterAgain => "register-again",
            Self::Stay => "stay",
        }
    }
}

/// What has become of a registration.
///
/// MS-SIPREGE 2.2.1.13
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationEvent {
    /// Whether the endpoint is still registered.
    pub registered: bool,
    /// Why.
    pub event: String,
}

impl RegistrationEvent {
    /// Reads the body.
    ///
    /// MS-SIPREGE 2.2.1.13
    pub fn parse(body: &str) -> Result<Self, ParseError> {
        let text = grammar::trim(body);
        let mut cursor = Cursor::new(text);
        let registered = match cursor.token()? {
            word if word.eq_ignore_ascii_case("registered") => true,
            word if word.eq_ignore_ascii_case("deregistered") => false,
            _ => return Err(ParseError::new(0, Rule::Keyword)),
        };
        cursor.expect(b';', Rule::Parameter)?;
        if !cursor.token()?.eq_ignore_ascii_case("event") {
            return Err(cursor.error(Rule::Keyword));
        }
        cursor.expect(b'=', Rule::Parameter)?;
        let event = cursor.token()?.to_owned();
        cursor.finish()?;
        Ok(Self { registered, event })
    }

    /// What to do. An event that is not known counts as `deactivated`.
    ///
    /// MS-SIPREGE 2.2.1.13
    pub fn advice(&self) -> RegistrationAdvice {
        let is = |word: &str| self.event.eq_ignore_ascii_case(word);
        if self.registered {
            RegistrationAdvice::Stay
        } else if is("unregistered") || is("rejected") {
            RegistrationAdvice::Stop
        } else {
            RegistrationAdvice::RegisterAgain
        }
    }
}

impl fmt::Display for RegistrationEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.registered { "registered" } else { "deregistered" };
        write!(f, "{state};event={}", self.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_has_its_advice() {
        for (body, advice) in [
            ("deregistered;event=unregistered\r\n", RegistrationAdvice::Stop),
            ("deregistered;event=rejected", RegistrationAdvice::Stop),
            (" deregistered;event=deactivated ", RegistrationAdvice::RegisterAgain),
            ("deregistered;event=userservices-unavailable", RegistrationAdvice::RegisterAgain),
            ("deregistered;event=preferred-registrar-change", RegistrationAdvice::RegisterAgain),
            ("deregistered;event=something-new", RegistrationAdvice::RegisterAgain),
            ("registered;event=userservices-unavailable", RegistrationAdvice::Stay),
            ("registered;event=userservices-available", RegistrationAdvice::Stay),
        ] {
            let event = RegistrationEvent::parse(body).unwrap();
            assert_eq!(event.advice(), advice, "{body}");
            assert_eq!(event.to_string(), grammar::trim(body));
        }
        for body in ["", "gone;event=x", "registered", "registered;event=", "registered;x=y"] {
            assert!(RegistrationEvent::parse(body).is_err(), "{body}");
        }
    }
}
