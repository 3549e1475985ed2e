//! A pull reader: one pass over the octets, everything borrowed, everything within limits.
//!
//! A reader stands inside an element whose start tag was read. [`Reader::child`] goes to its next child or behind its end,
//! [`Reader::text`] reads it as text, [`Reader::skip`] leaves it. Well-formedness and namespaces are checked on the way,
//! whatever the caller looks at.

use std::borrow::Cow;

use super::namespace::{Namespace, XML};
use super::scan;
use super::start_tag::Attribute;
use crate::error::{Error, Limits, Rule};

/// A name with its namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'a> {
    pub(crate) namespace: Namespace,
    pub(crate) local: &'a str,
    /// Which of the bindings in scope; see [`Reader::uri`].
    pub(super) binding: u32,
}

impl Name<'_> {
    pub(crate) fn is(&self, namespace: Namespace, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }
}

#[derive(Clone, Debug)]
pub(super) struct Binding<'a> {
    pub(super) prefix: &'a str,
    /// The prefix and its colon, if they are eight octets at most.
    pub(super) key: u64,
    pub(super) uri: Cow<'a, str>,
    pub(super) namespace: Namespace,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    /// Where its name stands.
    pub(super) from: u32,
    pub(super) to: u32,
    /// Bindings in scope outside of the element.
    pub(super) bindings: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// How far the first octet is from the beginning of the body (a byte order mark).
    pub(super) base: usize,
    pub(super) open: Vec<Open>,
    pub(super) bindings: Vec<Binding<'a>>,
    pub(super) attributes: Vec<Attribute>,
    /// The namespace of names without prefix, and its binding.
    pub(super) default: (Namespace, u32),
    /// The prefix that was resolved last, as in [`Binding::key`], and what came of it.
    pub(super) recent: (u64, (Namespace, u32)),
    /// The element entered last.
    pub(super) entered: Name<'a>,
    /// The text that was read last.
    pub(super) piece: Cow<'a, str>,
    /// The element entered last has an empty tag: its end comes next.
    pub(super) empty: bool,
    pub(super) elements: usize,
    pub(super) limits: Limits,
}

/// What stands next in content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A child was entered: [`Reader::entered`].
    Child,
    End,
    /// A piece of text: [`Reader::piece`].
    Text,
}

impl<'a> Reader<'a> {
    /// Stands before the document.
    #[inline(always)]
    pub(crate) fn new(body: &'a [u8], limits: Limits) -> Result<Self, Error> {
        if body.len() > limits.octets {
            return Err(Error::Malformed { at: limits.octets, rule: Rule::Length });
        }
        let text = core::str::from_utf8(body)
            .map_err(|error| Error::Malformed { at: error.valid_up_to(), rule: Rule::Utf8 })?;
        let (text, base) = text.strip_prefix('\u{feff}').map_or((text, 0), |text| (text, 3));
        let mut bindings = Vec::with_capacity(8);
        bindings.push(Binding {
            prefix: "",
            key: u64::MAX,
            uri: Cow::Borrowed(""),
            namespace: Namespace::None,
        });
        bindings.push(Binding {
            prefix: "xml",
            key: scan::key(b"xml"),
            uri: Cow::Borrowed(XML),
            namespace: Namespace::Xml,
        });
        Ok(Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            base,
            open: Vec::with_capacity(8),
            bindings,
            attributes: Vec::with_capacity(8),
            default: (Namespace::None, 0),
            recent: (u64::MAX, (Namespace::None, 0)),
            entered: Name { namespace: Namespace::None, local: "", binding: 0 },
            piece: Cow::Borrowed(""),
            empty: false,
            elements: 0,
            limits,
        })
    }

    /// Goes into the root element.
    pub(crate) fn root(&mut self) -> Result<Name<'a>, Error> {
        self.prolog().map_err(|rule| self.broken(rule))?;
        Ok(self.entered)
    }

    fn prolog(&mut self) -> Result<(), Rule> {
        if self.rest().starts_with(b"<?xml") && self.bytes.get(5).is_some_and(|byte| scan::is_blank(*byte)) {
            self.declaration()?;
        }
        loop {
            self.at += scan::blanks(self.rest());
            match self.rest() {
                [] => return Err(Rule::OneRoot),
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', b'!', ..] => self.comment()?,
                [b'<', ..] => return self.start(),
                _ => return Err(self.strange().unwrap_or(Rule::OneRoot)),
            }
        }
    }

    /// Goes into the next child, or leaves the element. Text between children is checked and not kept.
    #[inline(always)]
    pub(crate) fn child(&mut self) -> Result<Option<Name<'a>>, Error> {
        match self.advance() {
            Ok(true) => Ok(Some(self.entered)),
            Ok(false) => Ok(None),
            Err(rule) => Err(self.broken(rule)),
        }
    }

    /// Whether there was another child: then it was entered.
    #[inline(never)]
    fn advance(&mut self) -> Result<bool, Rule> {
        if self.empty {
            self.empty = false;
            self.close();
            return Ok(false);
        }
        if self.open.is_empty() {
            return Ok(false);
        }
        // The usual between two elements: tags, blanks, and text that needs no look.
        let bytes = self.bytes;
        let mut at = self.at;
        while let Some(next) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            match next {
                b"</" => {
                    self.end_at(at)?;
                    return Ok(false);
                }
                b"<!" | b"<?" => break,
                [b'<', _] => {
                    self.enter(at)?;
                    return Ok(true);
                }
                [b' ' | b'\n', _] => {
                    at += 1;
                    while bytes.get(at) == Some(&b' ') {
                        at += 1;
                    }
                }
                _ => {
                    let length = self.text_at(at);
                    if length == 0 {
                        break;
                    }
                    at += length;
                }
            }
        }
        self.at = at;
        self.any_child()
    }

    #[inline(never)]
    fn text_at(&self, at: usize) -> usize {
        scan::text(self.bytes.get(at..).unwrap_or_default())
    }

    #[cold]
    fn any_child(&mut self) -> Result<bool, Rule> {
        loop {
            match self.next()? {
                Next::Child => return Ok(true),
                Next::End => return Ok(false),
                Next::Text => {}
            }
        }
    }

    /// Goes to the next child or the end of the element; text before it is appended to `text`.
    pub(crate) fn mixed(&mut self, text: &mut String) -> Result<Option<Name<'a>>, Error> {
        loop {
            match self.next().map_err(|rule| self.broken(rule))? {
                Next::Child => return Ok(Some(self.entered)),
                Next::End => return Ok(None),
                Next::Text => text.push_str(&self.piece),
            }
        }
    }

    /// Leaves the element.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let outside = self.open.len().saturating_sub(1);
        while self.open.len() > outside {
            self.child()?;
        }
        Ok(())
    }

    /// Checks what follows the root element.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.epilog().map_err(|rule| self.broken(rule))
    }

    fn epilog(&mut self) -> Result<(), Rule> {
        loop {
            self.at += scan::blanks(self.rest());
            match self.rest() {
                [] => return Ok(()),
                [b'<', b'?', ..] => self.instruction()?,
                [b'<', b'!', ..] => self.comment()?,
                _ => return Err(self.strange().unwrap_or(Rule::OneRoot)),
            }
        }
    }

    /// An attribute without namespace of the element that was entered last.
    #[inline(always)]
    pub(crate) fn attribute(&self, local: &str) -> Option<Cow<'a, str>> {
        self.attribute_of(Namespace::None, local)
    }

    #[inline(always)]
    pub(crate) fn attribute_of(&self, namespace: Namespace, local: &str) -> Option<Cow<'a, str>> {
        let wanted =
            |attribute: &&Attribute| attribute.namespace == namespace && self.is_called(attribute, local);
        self.attributes.iter().find(wanted).map(|attribute| self.value_of(attribute))
    }

    #[inline(always)]
    pub(crate) fn required(&self, local: &str) -> Result<Cow<'a, str>, Error> {
        self.attribute(local).ok_or_else(|| self.broken(Rule::AttributeMissing))
    }

    pub(crate) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The namespace's own name.
    pub(crate) fn uri(&self, name: &Name<'_>) -> &str {
        self.bindings.get(name.binding as usize).map_or("", |binding| &binding.uri)
    }

    pub(crate) fn attribute_uri(&self, attribute: &Attribute) -> &str {
        match attribute.namespace {
            Namespace::None => "",
            _ => self.bindings.get(attribute.binding as usize).map_or("", |binding| &binding.uri),
        }
    }

    /// Prefixes in scope with their namespaces, the innermost last.
    pub(crate) fn scope(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bindings.iter().map(|binding| (binding.prefix, &*binding.uri))
    }

    #[cold]
    pub(crate) fn broken(&self, rule: Rule) -> Error {
        Error::Malformed { at: self.base + self.at, rule }
    }

    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    #[inline]
    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    #[cold]
    pub(super) fn next(&mut self) -> Result<Next, Rule> {
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
                [b'<', b'!', b'[', ..] => return self.character_data().map(|()| Next::Text),
                [b'<', b'!', ..] => self.comment()?,
                [b'<', ..] => return self.start().map(|()| Next::Child),
                [] => return Err(Rule::WellFormed),
                _ => return self.run().map(|()| Next::Text),
            }
        }
    }

    /// One character that needs a look.
    pub(super) fn allowed(&mut self) -> Result<char, Rule> {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(character) if scan::is_allowed(character) => {
                self.at += character.len_utf8();
                Ok(character)
            }
            _ => Err(Rule::Character),
        }
    }

    /// The rule that a character broke which stands where none may stand.
    pub(super) fn strange(&self) -> Option<Rule> {
        let character = self.text.get(self.at..).and_then(|rest| rest.chars().next())?;
        (!scan::is_allowed(character)).then_some(Rule::Character)
    }

    /// Stands at the first character that may not be there, if there is one.
    pub(super) fn only_allowed(&mut self, from: usize, inside: &str) -> Result<(), Rule> {
        match inside.char_indices().find(|(_, character)| !scan::is_allowed(*character)) {
            Some((at, _)) => {
                self.at = from + at;
                Err(Rule::Character)
            }
            None => Ok(()),
        }
    }

    /// Leaves the element whose end tag stands there.
    #[inline(always)]
    pub(super) fn end_at(&mut self, at: usize) -> Result<(), Rule> {
        if let Some(open) = self.open.last().copied() {
            let (from, length) = (open.from as usize, (open.to - open.from) as usize);
            let end = at + 2 + length;
            if self.bytes.get(end) == Some(&b'>') && scan::same_place(self.bytes, from, at + 2, length) {
                self.at = end + 1;
                self.open.pop();
                self.leave(open);
                return Ok(());
            }
        }
        self.at = at;
        self.end()
    }

    #[inline(never)]
    pub(super) fn end(&mut self) -> Result<(), Rule> {
        let Some(open) = self.open.last().copied() else { return Err(Rule::WellFormed) };
        let (from, to) = (open.from as usize, open.to as usize);
        self.at += 2;
        if !scan::same_place(self.bytes, from, self.at, to - from) {
            return Err(Rule::WellFormed);
        }
        self.at += to - from;
        if self.bytes.get(self.at) != Some(&b'>') {
            self.at += scan::blanks(self.rest());
            if self.bytes.get(self.at) != Some(&b'>') {
                return Err(Rule::WellFormed);
            }
        }
        self.at += 1;
        self.open.pop();
        self.leave(open);
        Ok(())
    }

    #[inline]
    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.leave(open);
        }
    }

    #[inline]
    fn leave(&mut self, open: Open) {
        self.attributes.clear();
        if self.bindings.len() > open.bindings as usize {
            self.leave_scope(open.bindings as usize);
        }
    }

    /// So many bindings stay.
    #[inline(never)]
    fn leave_scope(&mut self, bindings: usize) {
        self.bindings.truncate(bindings);
        self.recent.0 = u64::MAX;
        let unprefixed = self.bindings.iter().rposition(|binding| binding.prefix.is_empty());
        self.default = unprefixed
            .and_then(|at| self.bindings.get(at).map(|binding| (binding.namespace, at as u32)))
            .unwrap_or((Namespace::None, 0));
    }
}

/// Without the blanks around it.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => text.trim_matches(BLANKS),
    }
}

pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
