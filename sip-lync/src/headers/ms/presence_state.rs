//! presence-state.

use core::fmt;

use crate::error::{ParseError, Rule};
use crate::grammar::Cursor;
use crate::headers::Parameters;

/// What a REGISTER did.
///
/// MS-SIPREGE 2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RegisterAction {
    /// The endpoint is new to the server.
    Added,
    /// The endpoint was known.
    Refreshed,
    /// The endpoint was half known and is whole again.
    Fixed,
}

impl RegisterAction {
    /// The word.
    ///
    /// MS-SIPREGE 2.2.1
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Refreshed => "refreshed",
            Self::Fixed => "fixed",
        }
    }
}

/// Where the user is homed.
///
/// MS-SIPREGE 2.2.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ClusterType {
    /// In a pool of the centre.
    Central,
    /// On an appliance of a branch.
    Remote,
}

impl ClusterType {
    /// The word.
    ///
    /// MS-SIPREGE 2.2.1
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Remote => "remote",
        }
    }
}

/// The state of an endpoint's registration.
///
/// MS-SIPREGE 2.2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PresenceState {
    /// What the REGISTER did.
    pub register_action: RegisterAction,
    /// The other parameters.
    pub parameters: Parameters,
}

impl PresenceState {
    /// A value without further parameters.
    ///
    /// MS-SIPREGE 2.2.1
    pub const fn new(register_action: RegisterAction) -> Self {
        Self { register_action, parameters: Parameters::new() }
    }

    /// Reads the value.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        if !cursor.token()?.eq_ignore_ascii_case("register-action") {
            return Err(ParseError::new(0, Rule::Keyword));
        }
        cursor.expect(b'=', Rule::Parameter)?;
        let at = cursor.at();
        let word = crate::grammar::unquote(cursor.parameter_value()?);
        let register_action = [RegisterAction::Added, RegisterAction::Refreshed, RegisterAction::Fixed]
            .into_iter()
            .find(|action| action.as_str().eq_ignore_ascii_case(&word))
            .ok_or_else(|| ParseError::new(at, Rule::Keyword))?;
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { register_action, parameters })
    }

    /// Where the user is homed, if the server says so.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn primary_cluster_type(&self) -> Option<ClusterType> {
        let word = self.parameters.unquoted("primary-cluster-type")?;
        [ClusterType::Central, ClusterType::Remote]
            .into_iter()
            .find(|t| t.as_str().eq_ignore_ascii_case(&word))
    }

    /// Whether this server is the user's primary one.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn is_connected_to_primary(&self) -> Option<bool> {
        self.parameters.unquoted("is-connected-to-primary").map(|word| word.eq_ignore_ascii_case("yes"))
    }

    /// Whether presence and conferences work.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn has_user_services(&self) -> bool {
        !self
            .parameters
            .unquoted("user-services-state")
            .is_some_and(|w| w.eq_ignore_ascii_case("unavailable"))
    }

    /// Voice works, presence and conferences do not.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn is_survivable_mode(&self) -> bool {
        self.is_connected_to_primary() == Some(false) || !self.has_user_services()
    }
}

impl fmt::Display for PresenceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "register-action=\"{}\"{}", self.register_action.as_str(), self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_and_survivable_mode_are_read() {
        let value = PresenceState::parse("register-action=\"added\"").unwrap();
        assert_eq!(value.register_action, RegisterAction::Added);
        assert!(!value.is_survivable_mode());
        let text = "register-action=\"fixed\";primary-cluster-type=\"remote\";is-connected-to-primary=\"no\";user-services-state=unavailable";
        let value = PresenceState::parse(text).unwrap();
        assert_eq!(value.primary_cluster_type(), Some(ClusterType::Remote));
        assert_eq!((value.is_connected_to_primary(), value.has_user_services()), (Some(false), false));
        assert!(value.is_survivable_mode());
        assert_eq!(value.to_string(), text);
        for text in ["", "register-action", "register-action=\"other\"", "x=\"added\""] {
            assert!(PresenceState::parse(text).is_err(), "{text}");
        }
    }
}
