//! Reading XML within limits, and writing it: a small tree, because presence documents are small.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

use crate::error::{Error, Rule};

/// Most octets of a body.
pub(crate) const BODY_MAX: usize = 256 * 1024;
const DEPTH_MAX: usize = 32;
const ELEMENTS_MAX: usize = 5000;
const ATTRIBUTES_MAX: usize = 64;
const NAMESPACES_MAX: usize = 64;

/// An element with its namespace resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Where its start tag ends in the body.
    pub(crate) at: usize,
    attributes: Vec<Attribute>,
    pub(crate) children: Vec<Self>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    namespace: String,
    name: String,
    value: String,
}

impl Element {
    /// Whether the element has that name; an element without namespace is taken for `namespace`.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && (self.namespace == namespace || self.namespace.is_empty())
    }

    pub(crate) fn children<'a>(
        &'a self,
        namespace: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(namespace, name))
    }

    pub(crate) fn child<'a>(&'a self, namespace: &'a str, name: &'a str) -> Option<&'a Self> {
        self.children(namespace, name).next()
    }

    /// An attribute without namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attribute_of("", name)
    }

    pub(crate) fn attribute_of(&self, namespace: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name && attribute.namespace == namespace)
            .map(|attribute| attribute.value.as_str())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, Error> {
        self.attribute(name).ok_or_else(|| self.broken(Rule::AttributeMissing))
    }

    /// The text without the blanks around it; that of children is not part of it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim_matches(BLANKS)
    }

    pub(crate) fn broken(&self, rule: Rule) -> Error {
        Error::Malformed { at: self.at, rule }
    }
}

/// Reads a whole document. No document type declaration, no entities but the predefined ones, all within limits.
pub(crate) fn parse(body: &[u8]) -> Result<Element, Error> {
    if body.len() > BODY_MAX {
        return Err(Error::Malformed { at: BODY_MAX, rule: Rule::Length });
    }
    let text = core::str::from_utf8(body)
        .map_err(|error| Error::Malformed { at: error.valid_up_to(), rule: Rule::Utf8 })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find(|character| !is_allowed(character)) {
        return Err(Error::Malformed { at, rule: Rule::Character });
    }
    Reading::new(text).run()
}

struct Reading<'a> {
    reader: NsReader<&'a [u8]>,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str) -> Self {
        let mut reader = NsReader::from_str(text);
        reader.resolver_mut().set_max_namespace_bindings(NAMESPACES_MAX);
        Self { reader, open: Vec::new(), root: None, elements: 0 }
    }

    fn at(&self) -> usize {
        self.reader.buffer_position() as usize
    }

    fn broken(&self, rule: Rule) -> Error {
        Error::Malformed { at: self.at(), rule }
    }

    fn run(mut self) -> Result<Element, Error> {
        loop {
            let event = match self.reader.read_event() {
                Ok(event) => event,
                Err(quick_xml::Error::Namespace(quick_xml::name::NamespaceError::UnknownPrefix(_))) => {
                    return Err(self.broken(Rule::Prefix));
                }
                Err(_) => return Err(self.broken(Rule::WellFormed)),
            };
            match event {
                Event::Start(start) => self.start(&start)?,
                Event::Empty(start) => {
                    self.start(&start)?;
                    self.end();
                }
                Event::End(_) => self.end(),
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let character = self.reference(&reference)?;
                    self.text(character.encode_utf8(&mut [0; 4]))?;
                }
                Event::DocType(_) => return Err(self.broken(Rule::DocumentType)),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Eof => break,
            }
        }
        if !self.open.is_empty() {
            return Err(self.broken(Rule::WellFormed));
        }
        let at = self.at();
        self.root.ok_or(Error::Malformed { at, rule: Rule::OneRoot })
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Error> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(self.broken(Rule::Elements));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(self.broken(Rule::Depth));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(self.broken(Rule::OneRoot));
        }
        let (namespace, name) = self.reader.resolver().resolve_element(start.name());
        let namespace = self.namespace(&namespace)?;
        let name = name.as_ref().to_owned();
        let at = self.at();
        let mut element = Element { namespace, name, at, ..Element::default() };
        for (count, attribute) in start.attributes().enumerate() {
            if count >= ATTRIBUTES_MAX {
                return Err(self.broken(Rule::Attributes));
            }
            let attribute = attribute.map_err(|error| {
                self.broken(match error {
                    quick_xml::events::attributes::AttrError::Duplicated(..) => Rule::DuplicateAttribute,
                    _ => Rule::WellFormed,
                })
            })?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| self.broken(Rule::Entity))?
                .into_owned();
            if !value.chars().all(is_allowed) {
                return Err(self.broken(Rule::Character));
            }
            let (namespace, name) = self.reader.resolver().resolve_attribute(attribute.key);
            let namespace = self.namespace(&namespace)?;
            let name = name.as_ref().to_owned();
            if element.attribute_of(&namespace, &name).is_some() {
                return Err(self.broken(Rule::DuplicateAttribute));
            }
            element.attributes.push(Attribute { namespace, name, value });
        }
        self.open.push(element);
        Ok(())
    }

    fn namespace(&self, resolved: &ResolveResult<'_>) -> Result<String, Error> {
        match resolved {
            ResolveResult::Unbound => Ok(String::new()),
            ResolveResult::Bound(namespace) => {
                // The value of an attribute like any other: white space is a blank, references stand for characters.
                let spaced = namespace.as_ref().replace(['\t', '\n', '\r'], " ");
                let name = quick_xml::escape::unescape(&spaced).map_err(|_| self.broken(Rule::Entity))?;
                if !name.chars().all(is_allowed) {
                    return Err(self.broken(Rule::Character));
                }
                Ok(name.into_owned())
            }
            ResolveResult::Unknown(_) => Err(self.broken(Rule::Prefix)),
        }
    }

    /// The reader has already checked that the tags match.
    fn end(&mut self) {
        if let Some(element) = self.open.pop() {
            match self.open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => self.root = Some(element),
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Error> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim_matches(BLANKS).is_empty() => {}
            None => return Err(self.broken(Rule::OneRoot)),
        }
        Ok(())
    }

    fn reference(&self, reference: &BytesRef<'_>) -> Result<char, Error> {
        if let Some(character) = reference.resolve_char_ref().map_err(|_| self.broken(Rule::Character))? {
            return if is_allowed(character) { Ok(character) } else { Err(self.broken(Rule::Character)) };
        }
        match reference.xml10_content().as_ref() {
            "amp" => Ok('&'),
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(self.broken(Rule::Entity)),
        }
    }
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The characters of XML 1.0 2.2.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Text as it stands in an attribute or between tags. Characters that XML cannot carry become blanks.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            other if is_allowed(other) => escaped.push(other),
            _ => escaped.push(' '),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(body: &str) -> Rule {
        match parse(body.as_bytes()) {
            Ok(element) => panic!("{body:?} was accepted: {element:?}"),
            Err(Error::Malformed { at, rule }) => {
                assert!(at <= body.len(), "{at} lies outside");
                rule
            }
        }
    }

    /// So many attributes.
    fn numbered(count: usize, name: &str, value: &str) -> String {
        (0..count).fold(String::new(), |text, number| format!("{text} {name}{number}='{value}'"))
    }

    #[test]
    fn a_namespace_is_read_as_the_value_of_an_attribute() {
        for (written, read) in [("u:1&#9;", "u:1\t"), ("u:1\t", "u:1 "), ("u:&amp;1", "u:&1")] {
            let body = format!("<a xmlns='{written}'/>");
            assert_eq!(parse(body.as_bytes()).expect("a good document").namespace, read, "{written:?}");
        }
        assert_eq!(rule("<a xmlns='u:&b;'/>"), Rule::Entity);
        assert_eq!(rule("<a xmlns='u:&#1;'/>"), Rule::Character);
    }

    #[test]
    fn names_are_resolved_and_texts_joined() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<!-- c --><p:a xmlns:p='u:1' xmlns='u:2' x='1 &amp; 2' p:x='3'>\
                    op<!-- x -->e<![CDATA[n]]>&#x21;<b/></p:a>\n";
        let root = parse(body.as_bytes()).expect("a good document");
        assert!(root.is("u:1", "a"));
        assert_eq!((root.attribute("x"), root.attribute_of("u:1", "x")), (Some("1 & 2"), Some("3")));
        assert_eq!(root.text(), "open!");
        assert!(root.child("u:2", "b").is_some());
    }

    #[test]
    fn broken_documents_are_refused_by_the_rule_they_break() {
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        let many = format!("<a>{}</a>", "<b/>".repeat(6000));
        let wide = format!("<a {}/>", numbered(70, "a", ""));
        let spaces = format!("<a {}/>", numbered(90, "xmlns:a", "u"));
        for (body, expected) in [
            ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", Rule::DocumentType),
            ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", Rule::DocumentType),
            ("<a>&b;</a>", Rule::Entity),
            ("<a b='&c;'/>", Rule::Entity),
            ("<a>&#0;</a>", Rule::Character),
            ("<a>&#xd800;</a>", Rule::Character),
            ("<a b='&#1;'/>", Rule::Character),
            ("<a>\u{1}</a>", Rule::Character),
            ("<a/><b/>", Rule::OneRoot),
            ("<a/>text", Rule::OneRoot),
            ("", Rule::OneRoot),
            ("<a><b></a></b>", Rule::WellFormed),
            ("<a>", Rule::WellFormed),
            ("<a b=1/>", Rule::WellFormed),
            ("<a b='1' b='2'/>", Rule::DuplicateAttribute),
            ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", Rule::DuplicateAttribute),
            ("<p:a/>", Rule::Prefix),
            ("<a p:b=''/>", Rule::Prefix),
            (&deep, Rule::Depth),
            (&many, Rule::Elements),
            (&wide, Rule::Attributes),
        ] {
            assert_eq!(rule(body), expected, "{}", &body[..body.len().min(60)]);
        }
        assert!(matches!(rule(&spaces), Rule::Attributes | Rule::WellFormed));
        assert!(matches!(parse(&vec![b' '; BODY_MAX + 1]), Err(Error::Malformed { rule: Rule::Length, .. })));
        assert!(matches!(parse(b"<a>\xff</a>"), Err(Error::Malformed { at: 3, rule: Rule::Utf8 })));
    }

    #[test]
    fn what_was_escaped_is_read_as_it_was() {
        let text = "a<b>&\"c'\u{e4}\t\n";
        let body = format!("<a b=\"{0}\">{0}</a>", escaped(text));
        let root = parse(body.as_bytes()).expect("escaped text is good");
        assert_eq!(root.attribute("b"), Some(text));
        assert_eq!(root.text, text);
        assert_eq!(escaped("\u{0}\u{fffe}"), "  ");
    }
}
