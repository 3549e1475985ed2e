//! A pull reader: one pass over the octets, everything borrowed, everything within limits.
//!
//! A reader stands inside an element whose start tag was read. [`Reader::child`] goes to its next child or behind its end,
//! [`Reader::text`] reads it as text, [`Reader::skip`] leaves it. Well-formedness and namespaces are checked on the way,
//! whatever the caller looks at.

use std::borrow::Cow;

use super::namespace::{Namespace, XML};
use super::scan;
use crate::error::{Error, Limits, Rule};

/// A name with its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) namespace: Namespace,
    pub(crate) local: &'a str,
    /// Which of the bindings in scope; see [`Reader::uri`].
    binding: u16,
}

impl Name<'_> {
    pub(crate) fn is(&self, namespace: Namespace, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }
}

#[derive(Clone, Debug)]
struct Binding<'a> {
    prefix: &'a str,
    uri: Cow<'a, str>,
    namespace: Namespace,
}

#[derive(Clone, Copy, Debug)]
struct Open<'a> {
    qualified: &'a str,
    /// Bindings in scope outside of the element.
    bindings: u16,
}

/// An attribute of the element that was entered last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    prefix: &'a str,
    local: &'a str,
    raw: &'a str,
    namespace: Namespace,
    binding: u16,
    /// Its value has references or white space that reads as blanks.
    rough: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// How far the first octet is from the beginning of the body (a byte order mark).
    base: usize,
    open: Vec<Open<'a>>,
    bindings: Vec<Binding<'a>>,
    attributes: Vec<Attribute<'a>>,
    /// The element entered last has an empty tag: its end comes next.
    empty: bool,
    elements: usize,
    limits: Limits,
}

/// What stands next in content.
enum Next<'a> {
    Child(Name<'a>),
    End,
    Text(Cow<'a, str>),
}

impl<'a> Reader<'a> {
    /// Stands before the document.
    pub(crate) fn new(body: &'a [u8], limits: Limits) -> Result<Self, Error> {
        if body.len() > limits.octets {
            return Err(Error::Malformed { at: limits.octets, rule: Rule::Length });
        }
        let text = core::str::from_utf8(body)
            .map_err(|error| Error::Malformed { at: error.valid_up_to(), rule: Rule::Utf8 })?;
        let (text, base) = text.strip_prefix('\u{feff}').map_or((text, 0), |text| (text, 3));
        let mut bindings = Vec::with_capacity(8);
        bindings.push(Binding { prefix: "", uri: Cow::Borrowed(""), namespace: Namespace::None });
        bindings.push(Binding { prefix: "xml", uri: Cow::Borrowed(XML), namespace: Namespace::Xml });
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            base,
            open: Vec::with_capacity(8),
            bindings,
            attributes: Vec::with_capacity(8),
            empty: false,
            elements: 0,
            limits,
        })
    }

    /// Goes into the root element.
    pub(crate) fn root(&mut self) -> Result<Name<'a>, Error> {
        if self.rest().starts_with(b"<?xml") && self.bytes.get(5).is_some_and(|byte| scan::is_blank(*byte)) {
            self.declaration()?;
        }
        loop {
            self.at += scan::blanks(self.rest());
            match self.rest() {
                [] => return Err(self.broken(Rule::OneRoot)),
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', b'!', ..] => self.comment()?,
                [b'<', ..] => return self.start(),
                _ => return Err(self.broken(self.strange().unwrap_or(Rule::OneRoot))),
            }
        }
    }

    /// Goes into the next child, or leaves the element. Text between children is checked and not kept.
    pub(crate) fn child(&mut self) -> Result<Option<Name<'a>>, Error> {
        loop {
            match self.next()? {
                Next::Child(name) => return Ok(Some(name)),
                Next::End => return Ok(None),
                Next::Text(_) => {}
            }
        }
    }

    /// Leaves the element; gives its text without that of its children.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        let mut joined = Cow::Borrowed("");
        loop {
            match self.next()? {
                Next::Child(_) => self.skip()?,
                Next::End => return Ok(joined),
                Next::Text(piece) if joined.is_empty() => joined = piece,
                Next::Text(piece) => joined.to_mut().push_str(&piece),
            }
        }
    }

    /// Goes to the next child or the end of the element; text before it is appended to `text`.
    pub(crate) fn mixed(&mut self, text: &mut String) -> Result<Option<Name<'a>>, Error> {
        loop {
            match self.next()? {
                Next::Child(name) => return Ok(Some(name)),
                Next::End => return Ok(None),
                Next::Text(piece) => text.push_str(&piece),
            }
        }
    }

    /// Leaves the element.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let outside = self.open.len().saturating_sub(1);
        while self.open.len() > outside {
            self.next()?;
        }
        Ok(())
    }

    /// Checks what follows the root element.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        loop {
            self.at += scan::blanks(self.rest());
            match self.rest() {
                [] => return Ok(()),
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', b'!', ..] => self.comment()?,
                _ => return Err(self.broken(self.strange().unwrap_or(Rule::OneRoot))),
            }
        }
    }

    /// An attribute without namespace of the element that was entered last.
    pub(crate) fn attribute(&self, local: &str) -> Option<Cow<'a, str>> {
        self.attribute_of(Namespace::None, local)
    }

    pub(crate) fn attribute_of(&self, namespace: Namespace, local: &str) -> Option<Cow<'a, str>> {
        self.attributes
            .iter()
            .find(|attribute| attribute.local == local && attribute.namespace == namespace)
            .map(Attribute::value)
    }

    pub(crate) fn required(&self, local: &str) -> Result<Cow<'a, str>, Error> {
        self.attribute(local).ok_or_else(|| self.broken(Rule::AttributeMissing))
    }

    pub(crate) fn attributes(&self) -> &[Attribute<'a>] {
        &self.attributes
    }

    /// The namespace's own name.
    pub(crate) fn uri(&self, name: &Name<'_>) -> &str {
        self.bindings.get(usize::from(name.binding)).map_or("", |binding| &binding.uri)
    }

    pub(crate) fn attribute_uri(&self, attribute: &Attribute<'_>) -> &str {
        match attribute.namespace {
            Namespace::None => "",
            _ => self.bindings.get(usize::from(attribute.binding)).map_or("", |binding| &binding.uri),
        }
    }

    /// Prefixes in scope with their namespaces, the innermost last.
    pub(crate) fn scope(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bindings.iter().map(|binding| (binding.prefix, &*binding.uri))
    }

    pub(crate) fn broken(&self, rule: Rule) -> Error {
        Error::Malformed { at: self.base + self.at, rule }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn next(&mut self) -> Result<Next<'a>, Error> {
        if self.empty {
            self.empty = false;
            self.close();
            return Ok(Next::End);
        }
        if self.open.is_empty() {
            return Ok(Next::End);
        }
        loop {
            match self.rest() {
                [b'<', b'/', ..] => return self.end().map(|()| Next::End),
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', b'!', b'[', ..] => return self.character_data().map(Next::Text),
                [b'<', b'!', ..] => self.comment()?,
                [b'<', ..] => return self.start().map(Next::Child),
                [] => return Err(self.broken(Rule::WellFormed)),
                _ => return self.run().map(Next::Text),
            }
        }
    }

    /// Text up to the next tag, comment or section.
    fn run(&mut self) -> Result<Cow<'a, str>, Error> {
        let from = self.at;
        self.at += scan::text(self.rest());
        if matches!(self.rest(), [b'<', ..]) {
            return Ok(Cow::Borrowed(self.slice(from, self.at)));
        }
        self.rough_run(from)
    }

    #[cold]
    fn rough_run(&mut self, from: usize) -> Result<Cow<'a, str>, Error> {
        let mut text = String::from(self.slice(from, self.at));
        loop {
            match self.rest() {
                [] | [b'<', ..] => return Ok(Cow::Owned(text)),
                [b'&', ..] => text.push(self.reference()?),
                [b']', b']', b'>', ..] => return Err(self.broken(Rule::WellFormed)),
                [b']', ..] => {
                    text.push(']');
                    self.at += 1;
                }
                [b'\r', rest @ ..] => {
                    text.push('\n');
                    self.at += if rest.starts_with(b"\n") { 2 } else { 1 };
                }
                _ => text.push(self.allowed()?),
            }
            let from = self.at;
            self.at += scan::text(self.rest());
            text.push_str(self.slice(from, self.at));
        }
    }

    /// One character that needs a look.
    fn allowed(&mut self) -> Result<char, Error> {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(character) if scan::is_allowed(character) => {
                self.at += character.len_utf8();
                Ok(character)
            }
            _ => Err(self.broken(Rule::Character)),
        }
    }

    /// The rule that a character broke which stands where none may stand.
    fn strange(&self) -> Option<Rule> {
        let character = self.text.get(self.at..).and_then(|rest| rest.chars().next())?;
        (!scan::is_allowed(character)).then_some(Rule::Character)
    }

    fn reference(&mut self) -> Result<char, Error> {
        let rest = self.rest();
        let end = rest.iter().take(REFERENCE_MAX).position(|byte| *byte == b';');
        let end = end.ok_or_else(|| self.broken(Rule::Entity))?;
        let inside = self.slice(self.at + 1, self.at + end);
        let character = resolve(inside).map_err(|rule| self.broken(rule))?;
        self.at += end + 1;
        Ok(character)
    }

    /// `<![CDATA[`.
    fn character_data(&mut self) -> Result<Cow<'a, str>, Error> {
        const BEGIN: &[u8] = b"<![CDATA[";
        if !self.rest().starts_with(BEGIN) {
            return Err(self.broken(Rule::WellFormed));
        }
        let from = self.at + BEGIN.len();
        let length = self.text.get(from..).and_then(|rest| rest.find("]]>"));
        let to = from + length.ok_or_else(|| self.broken(Rule::WellFormed))?;
        let inside = self.slice(from, to);
        self.only_allowed(from, inside)?;
        self.at = to + 3;
        if inside.contains('\r') {
            return Ok(Cow::Owned(inside.replace("\r\n", "\n").replace('\r', "\n")));
        }
        Ok(Cow::Borrowed(inside))
    }

    fn only_allowed(&self, from: usize, inside: &str) -> Result<(), Error> {
        match inside.char_indices().find(|(_, character)| !scan::is_allowed(*character)) {
            Some((at, _)) => Err(Error::Malformed { at: self.base + from + at, rule: Rule::Character }),
            None => Ok(()),
        }
    }

    /// `<!--`, or what is refused in its place.
    fn comment(&mut self) -> Result<(), Error> {
        const DOCUMENT_TYPE: &[u8] = b"<!DOCTYPE";
        if self.rest().starts_with(DOCUMENT_TYPE) {
            return Err(self.broken(Rule::DocumentType));
        }
        if !self.rest().starts_with(b"<!--") {
            return Err(self.broken(Rule::WellFormed));
        }
        let from = self.at + 4;
        let length = self.text.get(from..).and_then(|rest| rest.find("--"));
        let to = from + length.ok_or_else(|| self.broken(Rule::WellFormed))?;
        self.only_allowed(from, self.slice(from, to))?;
        self.at = to + 2;
        if self.bytes.get(self.at) != Some(&b'>') {
            return Err(self.broken(Rule::WellFormed));
        }
        self.at += 1;
        Ok(())
    }

    /// `<?target … ?>`.
    fn instruction(&mut self) -> Result<(), Error> {
        let from = self.at + 2;
        let length = self.text.get(from..).and_then(|rest| rest.find("?>"));
        let to = from + length.ok_or_else(|| self.broken(Rule::WellFormed))?;
        let inside = self.slice(from, to);
        let target = inside.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        if !scan::is_name(target) || target.eq_ignore_ascii_case("xml") {
            return Err(self.broken(Rule::WellFormed));
        }
        self.only_allowed(from, inside)?;
        self.at = to + 2;
        Ok(())
    }

    /// `<?xml …?>` at the beginning. Whatever encoding it names, the octets are UTF-8.
    fn declaration(&mut self) -> Result<(), Error> {
        let length = self.text.find("?>").ok_or_else(|| self.broken(Rule::WellFormed))?;
        let mut inside = self.slice(5, length);
        let mut allowed = &["version", "encoding", "standalone"][..];
        let mut first = true;
        loop {
            let trimmed = inside.trim_start_matches(BLANKS);
            if trimmed.is_empty() && !first {
                break;
            }
            let good = pseudo_attribute(trimmed).filter(|_| trimmed.len() < inside.len());
            let (name, value, rest) = good.ok_or_else(|| self.broken(Rule::WellFormed))?;
            let place = allowed.iter().position(|known| *known == name);
            let place = place.filter(|place| !first || *place == 0);
            let place = place.ok_or_else(|| self.broken(Rule::WellFormed))?;
            allowed = allowed.get(place + 1..).unwrap_or_default();
            if !declared(name, value) {
                return Err(self.broken(Rule::WellFormed));
            }
            first = false;
            inside = rest;
        }
        self.at = length + 2;
        Ok(())
    }

    fn name(&mut self) -> Result<(&'a str, &'a str, &'a str), Error> {
        let from = self.at;
        let first = scan::name(self.rest());
        self.at += first;
        let mut prefix = "";
        let mut local = self.slice(from, self.at);
        if self.bytes.get(self.at) == Some(&b':') {
            prefix = local;
            self.at += 1;
            let from = self.at;
            self.at += scan::name(self.rest());
            local = self.slice(from, self.at);
            if !scan::is_name(prefix) {
                return Err(self.broken(Rule::WellFormed));
            }
        }
        if !scan::is_name(local) {
            return Err(self.broken(self.strange().unwrap_or(Rule::WellFormed)));
        }
        Ok((prefix, local, self.slice(from, self.at)))
    }

    fn start(&mut self) -> Result<Name<'a>, Error> {
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(self.broken(Rule::Elements));
        }
        if self.open.len() >= self.limits.depth {
            return Err(self.broken(Rule::Depth));
        }
        self.at += 1;
        let (prefix, local, qualified) = self.name()?;
        self.open.push(Open { qualified, bindings: self.bindings.len() as u16 });
        self.attributes.clear();
        let mut declared = 0;
        loop {
            let blanks = scan::blanks(self.rest());
            self.at += blanks;
            match self.rest() {
                [b'>', ..] => {
                    self.at += 1;
                    break;
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    self.empty = true;
                    break;
                }
                _ if blanks == 0 => return Err(self.broken(self.strange().unwrap_or(Rule::WellFormed))),
                _ => declared += usize::from(self.read_attribute()?),
            }
            if self.attributes.len() + declared > self.limits.attributes {
                return Err(self.broken(Rule::Attributes));
            }
        }
        if !self.attributes.is_empty() {
            self.resolve_attributes()?;
        }
        let (namespace, binding) = self.resolve(prefix).ok_or_else(|| self.broken(Rule::Prefix))?;
        Ok(Name { namespace, local, binding })
    }

    /// Whether it was a namespace declaration.
    fn read_attribute(&mut self) -> Result<bool, Error> {
        let (prefix, local, _) = self.name()?;
        self.at += scan::blanks(self.rest());
        if self.bytes.get(self.at) != Some(&b'=') {
            return Err(self.broken(Rule::WellFormed));
        }
        self.at += 1;
        self.at += scan::blanks(self.rest());
        let quote = match self.bytes.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(self.broken(Rule::WellFormed)),
        };
        self.at += 1;
        let from = self.at;
        let mut rough = false;
        loop {
            self.at += scan::value(self.rest());
            match self.rest() {
                [found, ..] if *found == quote => break,
                [b'"' | b'\'', ..] => self.at += 1,
                [b'&', ..] => {
                    self.reference()?;
                    rough = true;
                }
                [b'\t' | b'\n' | b'\r', ..] => {
                    self.at += 1;
                    rough = true;
                }
                [] | [b'<', ..] => return Err(self.broken(Rule::WellFormed)),
                _ => {
                    self.allowed()?;
                }
            }
        }
        let raw = self.slice(from, self.at);
        self.at += 1;
        let attribute = Attribute { prefix, local, raw, namespace: Namespace::None, binding: 0, rough };
        if prefix == "xmlns" || (prefix.is_empty() && local == "xmlns") {
            self.declare(&attribute)?;
            return Ok(true);
        }
        self.attributes.push(attribute);
        Ok(false)
    }

    fn declare(&mut self, attribute: &Attribute<'a>) -> Result<(), Error> {
        let prefix = if attribute.prefix.is_empty() { "" } else { attribute.local };
        let uri = attribute.value();
        let own = self.open.last().map_or(0, |open| usize::from(open.bindings));
        if self.bindings.iter().skip(own).any(|binding| binding.prefix == prefix) {
            return Err(self.broken(Rule::DuplicateAttribute));
        }
        // Namespaces in XML 1.0 3: nobody may bind `xmlns`, nor `xml` to anything else, nor take a prefix away.
        let namespace = Namespace::of(&uri);
        let reserved = prefix == "xmlns"
            || (prefix == "xml") != (namespace == Namespace::Xml)
            || uri == "http://www.w3.org/2000/xmlns/"
            || (uri.is_empty() && !prefix.is_empty());
        if reserved {
            return Err(self.broken(Rule::Prefix));
        }
        if self.bindings.len() >= self.limits.namespaces {
            return Err(self.broken(Rule::Attributes));
        }
        self.bindings.push(Binding { prefix, uri, namespace });
        Ok(())
    }

    fn resolve(&self, prefix: &str) -> Option<(Namespace, u16)> {
        let found = self.bindings.iter().rposition(|binding| same(binding.prefix, prefix))?;
        self.bindings.get(found).map(|binding| (binding.namespace, found as u16))
    }

    fn resolve_attributes(&mut self) -> Result<(), Error> {
        for index in 0..self.attributes.len() {
            let Some(mut attribute) = self.attributes.get(index).copied() else { break };
            if !attribute.prefix.is_empty() {
                let resolved = self.resolve(attribute.prefix).ok_or_else(|| self.broken(Rule::Prefix))?;
                (attribute.namespace, attribute.binding) = resolved;
            }
            let twice = self.attributes.iter().take(index).any(|other| {
                same(other.local, attribute.local)
                    && other.namespace == attribute.namespace
                    && self.attribute_uri(other) == self.attribute_uri(&attribute)
            });
            if twice {
                return Err(self.broken(Rule::DuplicateAttribute));
            }
            if let Some(place) = self.attributes.get_mut(index) {
                *place = attribute;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.at += 2;
        let qualified = self.open.last().map_or("", |open| open.qualified);
        let rest = self.rest();
        if !rest.starts_with(qualified.as_bytes()) {
            return Err(self.broken(Rule::WellFormed));
        }
        self.at += qualified.len();
        if self.bytes.get(self.at) != Some(&b'>') {
            self.at += scan::blanks(self.rest());
            if self.bytes.get(self.at) != Some(&b'>') {
                return Err(self.broken(Rule::WellFormed));
            }
        }
        self.at += 1;
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.bindings.truncate(usize::from(open.bindings));
        }
        self.attributes.clear();
    }
}

impl<'a> Attribute<'a> {
    pub(crate) fn value(&self) -> Cow<'a, str> {
        if self.rough { Cow::Owned(normalized(self.raw)) } else { Cow::Borrowed(self.raw) }
    }

    pub(crate) fn local(&self) -> &'a str {
        self.local
    }
}

/// The value of an attribute: references stand for characters, other white space is blank (XML 1.0 3.3.3).
#[cold]
fn normalized(raw: &str) -> String {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find(['&', '\t', '\n', '\r']) {
        let (before, from) = rest.split_at(at);
        value.push_str(before);
        if let Some((reference, after)) = from.strip_prefix('&').and_then(|from| from.split_once(';')) {
            // It was resolved once before.
            value.push(resolve(reference).unwrap_or(' '));
            rest = after;
        } else {
            value.push(' ');
            rest = from.strip_prefix("\r\n").or_else(|| from.get(1..)).unwrap_or_default();
        }
    }
    value.push_str(rest);
    value
}

/// What stands between `&` and `;`.
fn resolve(reference: &str) -> Result<char, Rule> {
    let number = match reference {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => reference.strip_prefix('#').ok_or(Rule::Entity)?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Rule::Character);
    }
    let character = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    character.filter(|character| scan::is_allowed(*character)).ok_or(Rule::Character)
}

fn pseudo_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start_matches(BLANKS);
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, rest) = rest.get(1..)?.split_once(quote)?;
    Some((name.trim_end_matches(BLANKS), value, rest))
}

/// Whether the declaration may say so.
fn declared(name: &str, value: &str) -> bool {
    match name {
        "version" => value
            .strip_prefix("1.")
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|digit| digit.is_ascii_digit())),
        "encoding" => {
            value.starts_with(|first: char| first.is_ascii_alphabetic())
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        }
        _ => matches!(value, "yes" | "no"),
    }
}

/// Equality that looks at the length first and calls nobody: names are short.
#[inline]
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| a == b)
}

pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
/// Longest reference: leading zeros are allowed, an endless row of them is not.
const REFERENCE_MAX: usize = 64;
