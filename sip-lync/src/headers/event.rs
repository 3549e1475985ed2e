//! Event.

use core::fmt;

use super::parameters::Parameters;
use crate::error::ParseError;
use crate::grammar::Cursor;

/// An event package with parameters.
///
/// RFC 6665 8.2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Event {
    /// The package, perhaps with templates.
    pub package: String,
    /// The parameters.
    pub parameters: Parameters,
}

impl Event {
    /// A package without parameters.
    ///
    /// RFC 6665 8.2.1
    pub fn new(package: &str) -> Self {
        Self { package: package.to_owned(), parameters: Parameters::new() }
    }

    /// Reads the value.
    ///
    /// RFC 6665 8.4
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        cursor.skip_blanks();
        let package = cursor.token()?.to_owned();
        let parameters = Parameters::read(&mut cursor)?;
        cursor.finish()?;
        Ok(Self { package, parameters })
    }

    /// The `id` parameter, which tells subscriptions of one dialog apart.
    ///
    /// RFC 6665 8.2.1
    pub fn id(&self) -> Option<&str> {
        self.parameters.get("id")
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.package, self.parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_and_id_are_read() {
        let event = Event::parse("refer;id=93809824").unwrap();
        assert_eq!((event.package.as_str(), event.id()), ("refer", Some("93809824")));
        assert_eq!(Event::parse("presence.wpending").unwrap().to_string(), "presence.wpending");
        assert!(Event::parse("").is_err() && Event::parse("a b").is_err());
    }
}
