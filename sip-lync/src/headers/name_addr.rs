//! A display name, a URI and parameters: From, To, Route, Record-Route, Refer-To and others.

use core::fmt;

use super::parameters::{Parameters, ParametersView};
use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};
use crate::simd::spans;
use crate::uri::{SipUri, SipUriView, Uri};

/// A `name-addr` or `addr-spec` with parameters. Parameters outside of the brackets are here, those inside are the
/// URI's. Written out it always has brackets.
///
/// RFC 3261 20.10
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameAddr {
    /// The display name without quotes, empty if there is none.
    pub display: String,
    /// The URI.
    pub uri: Uri,
    /// The parameters behind it.
    pub parameters: Parameters,
}

impl NameAddr {
    /// A URI without display name and parameters.
    ///
    /// RFC 3261 20.10
    pub fn new(uri: impl Into<Uri>) -> Self {
        Self { display: String::new(), uri: uri.into(), parameters: Parameters::new() }
    }

    /// The same with a display name.
    ///
    /// RFC 3261 20.10
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        display.clone_into(&mut self.display);
        self
    }

    /// The same with one more parameter.
    ///
    /// RFC 3261 20.10
    #[must_use]
    pub fn with_parameter(mut self, name: &str, value: Option<&str>) -> Self {
        self.parameters.push(name, value);
        self
    }

    /// Reads one value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let value = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(value)
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, ParseError> {
        let at = cursor.at();
        let view = NameAddrView::read(cursor)?;
        view.to_value().map_err(|error| error.shifted(at))
    }

    /// The SIP URI, if it is one.
    ///
    /// RFC 3261 19.1
    pub const fn sip_uri(&self) -> Option<&SipUri> {
        self.uri.sip()
    }

    /// The `tag` parameter of From and To.
    ///
    /// RFC 3261 19.3
    pub fn tag(&self) -> Option<&str> {
        self.parameters.get("tag").filter(|tag| !tag.is_empty())
    }

    /// Sets the `tag` parameter.
    ///
    /// RFC 3261 19.3
    pub fn set_tag(&mut self, tag: &str) {
        self.parameters.set("tag", Some(tag));
    }

    /// The `epid` parameter: which endpoint of the user this is.
    ///
    /// MS-SIPREGE 2.2.1
    pub fn epid(&self) -> Option<&str> {
        self.parameters.get("epid").filter(|epid| !epid.is_empty())
    }
}

/// A name and an address where they were received; the URI is not taken apart.
///
/// RFC 3261 20.10
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NameAddrView<'a> {
    /// The display name with its quotes and escapes, empty if there is none.
    pub display: &'a str,
    /// The text of the URI.
    pub uri: &'a str,
    /// Where the URI starts.
    uri_at: usize,
    /// The parameters behind it.
    pub parameters: ParametersView<'a>,
    tag: Option<&'a str>,
}

impl<'a> NameAddrView<'a> {
    /// Reads one value.
    ///
    /// RFC 3261 25.1
    pub fn parse(text: &'a str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let view = Self::read(&mut cursor)?;
        cursor.finish()?;
        Ok(view)
    }

    /// Reads one value and its URI, as the value that owns its parts does.
    pub(crate) fn check(text: &'a str) -> Result<Self, ParseError> {
        let mut cursor = Cursor::new(text);
        let view = Self::read(&mut cursor)?;
        Uri::check(view.uri).map_err(|error| error.shifted(view.uri_at))?;
        cursor.finish()?;
        Ok(view)
    }

    /// The `epid` parameter: which endpoint of the user this is.
    pub(crate) fn epid(self) -> Option<&'a str> {
        self.parameters.get("epid").filter(|epid| !epid.is_empty())
    }

    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self, ParseError> {
        let (mut view, tag) = Self::read_with(cursor, "tag")?;
        view.tag = tag.filter(|tag| !tag.is_empty());
        Ok(view)
    }

    /// Reads one value and its URI, not its tag but the value of another parameter.
    pub(crate) fn check_with(text: &'a str, wanted: &str) -> Result<Option<&'a str>, ParseError> {
        let mut cursor = Cursor::new(text);
        let (view, found) = Self::read_with(&mut cursor, wanted)?;
        Uri::check(view.uri).map_err(|error| error.shifted(view.uri_at))?;
        cursor.finish()?;
        Ok(found)
    }

    fn read_with(cursor: &mut Cursor<'a>, wanted: &str) -> Result<(Self, Option<&'a str>), ParseError> {
        let origin = cursor.at();
        cursor.skip_blanks();
        let mut display = "";
        if cursor.peek() == Some(b'<') {
            // No name.
        } else if cursor.peek() == Some(b'"') {
            display = cursor.quoted_string()?;
            // Lync writes no blank between the quoted name and the bracket.
            cursor.skip_blanks();
            if cursor.peek() != Some(b'<') {
                return Err(cursor.error(Rule::AngleBracket));
            }
        } else if let Some(words) = bracket_ahead(cursor.rest()) {
            let is_word = |word: &str| word.is_empty() || grammar::is_token(word.as_bytes());
            if !words.split(blank).all(is_word) {
                return Err(cursor.error(Rule::DisplayName));
            }
            display = words.trim_end_matches(blank);
            cursor.skip(words.len());
        }
        let (uri, uri_at) = if cursor.peek() == Some(b'<') {
            let rest = cursor.rest();
            let end = grammar::find(rest, b'>').ok_or_else(|| cursor.error(Rule::AngleBracket))?;
            let at = cursor.at() + 1;
            cursor.skip(end + 1);
            (rest.get(1..end).unwrap_or_default(), at)
        } else {
            let rest = cursor.rest();
            let end = spans::value_end(rest.as_bytes(), 0);
            let text = rest.get(..end).unwrap_or_default();
            if let Some(question) = grammar::find(text, b'?') {
                return Err(ParseError::new(cursor.at() + question, Rule::BareUri));
            }
            let at = cursor.at();
            cursor.skip(end);
            (text, at)
        };
        let (parameters, found) = ParametersView::read_with(cursor, wanted).map_err(|error| {
            // A URI that is none is the first thing that is wrong.
            Uri::parse(uri).err().map_or(error, |error| error.shifted(uri_at))
        })?;
        Ok((Self { display, uri, uri_at: uri_at - origin, parameters, tag: None }, found))
    }

    /// The URI taken apart, where it was received.
    ///
    /// RFC 3261 19.1.1
    pub fn sip_uri(self) -> Result<SipUriView<'a>, ParseError> {
        SipUriView::parse(self.uri).map_err(|error| error.shifted(self.uri_at))
    }

    /// The `tag` parameter of From and To.
    ///
    /// RFC 3261 19.3
    pub const fn tag(self) -> Option<&'a str> {
        self.tag
    }

    /// The address as a value.
    ///
    /// RFC 3261 20.10
    pub fn to_value(self) -> Result<NameAddr, ParseError> {
        let uri = Uri::parse(self.uri).map_err(|error| error.shifted(self.uri_at))?;
        Ok(NameAddr { display: self.name(), uri, parameters: self.parameters.to_value() })
    }

    /// The display name without quotes and escapes, one blank between words.
    pub(crate) fn name(self) -> String {
        if self.display.starts_with('"') {
            return grammar::unquote(self.display).into_owned();
        }
        let mut name = String::new();
        for word in self.display.split(blank).filter(|word| !word.is_empty()) {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
        }
        name
    }
}

const fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// The text before an opening angle bracket that comes before anything a bare URI could contain.
fn bracket_ahead(text: &str) -> Option<&str> {
    let at = text.bytes().position(|b| matches!(b, b'<' | b';' | b'"' | b','))?;
    let (words, rest) = text.split_at(at);
    if rest.starts_with('<') { Some(words) } else { None }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> Self {
        Self::new(uri)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.display.is_empty() {
            grammar::write_quoted(f, &self.display)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.parameters)
    }
}

impl core::str::FromStr for NameAddr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_come_in_four_forms() {
        let read = |text: &str| {
            NameAddr::parse(text).map(|n| (n.display, n.uri.to_string(), n.parameters.to_string()))
        };
        let expect = |d: &str, u: &str, p: &str| Ok((d.to_owned(), u.to_owned(), p.to_owned()));
        assert_eq!(read("sip:a@b;tag=1"), expect("", "sip:a@b", ";tag=1"));
        assert_eq!(read("<sip:a@b;lr>;tag=1"), expect("", "sip:a@b;lr", ";tag=1"));
        assert_eq!(read("\"Alice \\\"A\\\"\"<sip:a@b>"), expect("Alice \"A\"", "sip:a@b", ""));
        assert_eq!(read("caller<sip:a@b> ; tag = x"), expect("caller", "sip:a@b", ";tag=x"));
        assert_eq!(
            read("token1~` token2'+_ token3*%!.- <sip:m@e.com>"),
            expect("token1~` token2'+_ token3*%!.-", "sip:m@e.com", "")
        );
    }

    #[test]
    fn what_is_ambiguous_or_unbalanced_is_refused() {
        let rule = |text: &str| NameAddr::parse(text).map_err(|e| e.rule).unwrap_err();
        assert_eq!(rule("\"Mr. J. User <sip:j@e.com>"), Rule::QuotedString);
        assert_eq!(rule("sip:user@example.com?Route=%3Csip:x%3E"), Rule::BareUri);
        assert_eq!(rule("\"Watson\" < sip:t@e.org >"), Rule::Scheme);
        assert_eq!(rule("Bell, Alexander <sip:a@e.com>;tag=43"), Rule::Scheme);
        assert_eq!(rule("<sip:a@b"), Rule::AngleBracket);
        assert_eq!(rule("\"a\" sip:a@b"), Rule::AngleBracket);
        assert_eq!(rule("\"Joe\" <sip:joe@example.org>;;;;"), Rule::Parameter);
        assert_eq!(rule("<sip:a@b> x"), Rule::Trailing);
        assert_eq!(rule(""), Rule::Scheme);
    }

    #[test]
    fn it_is_written_with_brackets_and_quotes() {
        let value = NameAddr::new(SipUri::parse("sip:a@b").unwrap())
            .with_display("Žofie \"Z\"")
            .with_parameter("tag", Some("1"));
        assert_eq!(value.to_string(), "\"Žofie \\\"Z\\\"\" <sip:a@b>;tag=1");
        assert_eq!(NameAddr::parse(&value.to_string()), Ok(value));
    }
}
