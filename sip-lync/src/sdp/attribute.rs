//! `a=` lines.

use core::fmt;

/// An attribute: a name, and a value behind a colon.
///
/// RFC 8866 5.13
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attribute {
    /// The name.
    pub name: String,
    /// The value without blanks around it; `None` for a property.
    pub value: Option<String>,
}

impl Attribute {
    /// A property: a name alone.
    ///
    /// RFC 8866 5.13
    pub fn property(name: &str) -> Self {
        Self { name: name.to_owned(), value: None }
    }

    /// A name with a value.
    ///
    /// RFC 8866 5.13
    pub fn new(name: &str, value: impl fmt::Display) -> Self {
        Self { name: name.to_owned(), value: Some(value.to_string()) }
    }

    /// Reads what stands behind `a=`.
    ///
    /// RFC 8866 5.13
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            // Blanks around names and values are seen in real descriptions.
            Some((name, value)) => {
                Self { name: name.trim().to_owned(), value: Some(value.trim_matches([' ', '\t']).to_owned()) }
            }
            None => Self::property(text.trim_matches([' ', '\t'])),
        }
    }

    /// Whether it has this name.
    ///
    /// RFC 8866 5.13
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(f, ":{value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_values_are_dropped() {
        assert_eq!(Attribute::parse("ice-ufrag: 6nxO "), Attribute::new("ice-ufrag", "6nxO"));
        assert_eq!(Attribute::parse("rtcp-mux "), Attribute::property("rtcp-mux"));
        assert_eq!(Attribute::parse("x-y:a:b").to_string(), "x-y:a:b");
        assert_eq!(Attribute::parse("x:").to_string(), "x:");
    }
}
