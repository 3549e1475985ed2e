//! Parameters behind a header value.

use core::fmt;
use std::borrow::Cow;

use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};

/// Parameters of a header value, order and duplicates kept, values as they were sent (quotes included).
///
/// RFC 3261 25.1
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Parameters {
    /// `;name` or `;name=value`, one after the other, without blanks.
    text: String,
}

impl Parameters {
    /// No parameters.
    ///
    /// RFC 3261 25.1
    pub const fn new() -> Self {
        Self { text: String::new() }
    }

    /// Reads `*( ";" parameter )`, with blanks where the grammar allows them.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let parameters = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(parameters)
    }

    /// Reads parameters up to what is none.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        ParametersView::read(cursor).map(ParametersView::to_value)
    }

    fn view(&self) -> ParametersView<'_> {
        ParametersView { text: &self.text }
    }

    /// Names and values in order, values as they were sent.
    ///
    /// RFC 3261 25.1
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.view().iter()
    }

    /// Whether there are none.
    ///
    /// RFC 3261 25.1
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The value of a parameter as it was sent; empty when it has none.
    ///
    /// RFC 3261 25.1
    pub fn get(&self, name: &str) -> Option<&str> {
        self.view().get(name)
    }

    /// The value of a parameter without its quotes.
    ///
    /// RFC 3261 25.1
    pub fn unquoted(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(grammar::unquote)
    }

    /// Whether there is a parameter of that name.
    ///
    /// RFC 3261 25.1
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a parameter; a value that is no token and no host is quoted.
    ///
    /// RFC 3261 25.1
    pub fn push(&mut self, name: &str, value: Option<&str>) {
        debug_assert!(grammar::is_token(name.as_bytes()), "parameter name {name:?}");
        self.text.push(';');
        self.text.push_str(name);
        if let Some(value) = value {
            self.text.push('=');
            let plain = |b: u8| grammar::is(b, grammar::TOKEN) || matches!(b, b'[' | b']' | b':');
            if !value.is_empty() && value.bytes().all(plain) {
                self.text.push_str(value);
            } else {
                self.text.push_str(&grammar::quoted(value));
            }
        }
    }

    /// Adds a parameter whose value is quoted in any case.
    ///
    /// RFC 3261 25.1
    pub fn push_quoted(&mut self, name: &str, value: &str) {
        self.push(name, None);
        self.text.push('=');
        self.text.push_str(&grammar::quoted(value));
    }

    /// Removes every parameter of that name.
    ///
    /// RFC 3261 25.1
    pub fn remove(&mut self, name: &str) {
        if !self.contains(name) {
            return;
        }
        let mut text = String::with_capacity(self.text.len());
        for (n, value) in self.iter().filter(|(n, _)| !n.eq_ignore_ascii_case(name)) {
            text.push(';');
            text.push_str(n);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
        self.text = text;
    }

    /// Replaces a parameter; the new one comes last.
    ///
    /// RFC 3261 25.1
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        self.remove(name);
        self.push(name, value);
    }
}

/// Parameters where they were received, with all their blanks.
///
/// RFC 3261 25.1
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParametersView<'a> {
    text: &'a str,
}

impl<'a> ParametersView<'a> {
    /// Reads parameters up to what is none.
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        Self::read_with(cursor, "").map(|(parameters, _)| parameters)
    }

    /// The same, and the value of the first one of a name; empty when it has none.
    pub(crate) fn read_with(
        cursor: &mut Cursor<'a>,
        wanted: &str,
    ) -> Result<(Self, Option<&'a str>), ParseError> {
        let start = cursor.clone();
        let mut found = None;
        while cursor.eat(b';') {
            let name = cursor.short_token();
            if name.is_empty() {
                return Err(cursor.error(Rule::Parameter));
            }
            let mut value = "";
            if cursor.eat(b'=') {
                value = cursor.parameter_value()?;
            }
            if found.is_none() && name.eq_ignore_ascii_case(wanted) {
                found = Some(value);
            }
        }
        let text = start.rest().get(..cursor.at() - start.at()).unwrap_or_default();
        Ok((Self { text }, found))
    }

    /// Names and values in order, values as they were sent.
    ///
    /// RFC 3261 25.1
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> {
        let mut cursor = Cursor::new(self.text);
        core::iter::from_fn(move || {
            if !cursor.eat(b';') {
                return None;
            }
            let name = cursor.short_token();
            if name.is_empty() {
                return None;
            }
            let value = if cursor.eat(b'=') { cursor.parameter_value().ok() } else { None };
            Some((name, value))
        })
    }

    /// The value of a parameter as it was sent; empty when it has none.
    ///
    /// RFC 3261 25.1
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.unwrap_or_default())
    }

    /// The parameters as a value, without blanks.
    ///
    /// RFC 3261 25.1
    pub fn to_value(self) -> Parameters {
        if self.text.bytes().fold(u8::MAX, Ord::min) > b' ' {
            return Parameters { text: self.text.to_owned() };
        }
        let mut text = String::with_capacity(self.text.len());
        for (name, value) in self.iter() {
            text.push(';');
            text.push_str(name);
            if let Some(value) = value {
                text.push('=');
                text.push_str(value);
            }
        }
        Parameters { text }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_are_dropped_and_order_is_kept() {
        let text = "; tcp=no; hop-hop = yes ;flag;q=\"a;b, c\";received=[2001:db8::1]";
        let parameters = Parameters::parse(text).unwrap();
        assert_eq!(parameters.to_string(), ";tcp=no;hop-hop=yes;flag;q=\"a;b, c\";received=[2001:db8::1]");
        assert_eq!(parameters.get("HOP-HOP"), Some("yes"));
        assert_eq!(parameters.get("flag"), Some(""));
        assert_eq!(parameters.unquoted("q").as_deref(), Some("a;b, c"));
        assert_eq!(parameters.iter().count(), 5);
    }

    #[test]
    fn empty_parameters_are_refused() {
        for text in [";;", ";", ";=a", ";a=", ";a=\"b", "a=b", ";a b", ";a=b,c"] {
            assert!(Parameters::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_replaced_and_removed() {
        let mut parameters = Parameters::parse(";a=1;b;A=2").unwrap();
        parameters.set("a", Some("two words"));
        assert_eq!(parameters.to_string(), ";b;a=\"two words\"");
        parameters.remove("B");
        assert_eq!(parameters.to_string(), ";a=\"two words\"");
    }
}
