//! Subscription-State.

use core::fmt;

use super::parameters::Parameters;
use crate::error::ParseError;
use crate::grammar::{self, Cursor};

/// What has become of a subscription.
///
/// RFC 6665 4.1.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SubscriptionStatus {
    /// `active`
    Active,
    /// `pending`
    Pending,
    /// `terminated`
    Terminated,
    /// Any other token.
    Other(Box<str>),
}

impl SubscriptionStatus {
    /// The word.
    ///
    /// RFC 6665 8.4
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Terminated => "terminated",
            Self::Other(text) => text,
        }
    }
}

/// The state of a subscription with its parameters.
///
/// RFC 6665 8.2.3
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionState {
    /// The state.
    pub status: SubscriptionStatus,
    /// The parameters: `expires`, `reason`, `retry-after` and others.
    pub parameters: Parameters,
}

impl SubscriptionState {
    /// A state without parameters.
    ///
    /// RFC 6665 8.2.3
    pub const fn new(status: SubscriptionStatus) -> Self {
        Self { status, parameters: Parameters::new() }
    }

    /// Reads the value.
    ///
    /// RFC 6665 8.4
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let word = cursor.token()?;
        let known = [SubscriptionStatus::Active, SubscriptionStatus::Pending, SubscriptionStatus::Terminated];
        let status = known
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(word))
            .unwrap_or_else(|| SubscriptionStatus::Other(word.into()));
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { status, parameters })
    }

    /// Seconds the subscription still lasts.
    ///
    /// RFC 6665 8.2.3
    pub fn expires(&self) -> Option<u32> {
        self.parameters.get("expires").and_then(|text| grammar::saturating_number(text).ok())
    }

    /// Why it ended.
    ///
    /// RFC 6665 4.1.3
    pub fn reason(&self) -> Option<&str> {
        self.parameters.get("reason")
    }
}

impl fmt::Display for SubscriptionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.status.as_str(), self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_and_parameters_are_read() {
        let state = SubscriptionState::parse("terminated;expires=0;reason=timeout").unwrap();
        assert_eq!(state.status, SubscriptionStatus::Terminated);
        assert_eq!((state.expires(), state.reason()), (Some(0), Some("timeout")));
        assert_eq!(SubscriptionState::parse("ACTIVE ; expires=20").unwrap().to_string(), "active;expires=20");
        assert!(SubscriptionState::parse(";expires=1").is_err());
    }
}
