//! Start tags: names, attributes, and the namespaces that they declare.

use std::borrow::Cow;

use super::namespace::Namespace;
use super::reader::{Binding, Name, Open, Reader, resolve};
use super::scan;
use crate::error::Rule;

/// An attribute of the element that was entered last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(super) prefix: &'a [u8],
    pub(super) local: &'a str,
    pub(super) raw: &'a str,
    pub(super) namespace: Namespace,
    pub(super) binding: u16,
    /// Its value has references or white space that reads as blanks.
    pub(super) rough: bool,
}

/// Where a name stands: the part behind its prefix begins at `local`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    from: usize,
    local: usize,
    to: usize,
}

impl<'a> Reader<'a> {
    /// A name, with a prefix or without.
    #[inline]
    pub(super) fn name(&mut self) -> Result<Place, Rule> {
        let from = self.at;
        let Some((local, end)) = scan::plain_name(self.rest()) else { return self.wide_name() };
        self.at = from + end;
        Ok(Place { from, local: from + local, to: self.at })
    }

    /// A name with characters beyond ASCII, or none.
    #[cold]
    fn wide_name(&mut self) -> Result<Place, Rule> {
        let from = self.at;
        let mut local = from;
        self.at += scan::name(self.rest());
        if self.bytes.get(self.at) == Some(&b':') {
            if !scan::is_name(self.slice(from, self.at)) {
                self.at += 1;
                self.at += scan::name(self.rest());
                return Err(Rule::WellFormed);
            }
            self.at += 1;
            local = self.at;
            self.at += scan::name(self.rest());
        }
        if !scan::is_name(self.slice(local, self.at)) {
            return Err(self.strange().unwrap_or(Rule::WellFormed));
        }
        Ok(Place { from, local, to: self.at })
    }

    /// The prefix of a name.
    #[inline]
    fn prefix(&self, place: Place) -> &'a [u8] {
        if place.local == place.from {
            return &[];
        }
        self.bytes.get(place.from..place.local - 1).unwrap_or_default()
    }

    /// Enters the element whose tag begins here.
    pub(super) fn start(&mut self) -> Result<(), Rule> {
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(Rule::Elements);
        }
        if self.open.len() >= self.limits.depth {
            return Err(Rule::Depth);
        }
        self.at += 1;
        let place = self.name()?;
        self.open.push(Open {
            from: place.from as u32,
            to: place.to as u32,
            bindings: self.bindings.len() as u16,
        });
        self.attributes.clear();
        if self.bytes.get(self.at) == Some(&b'>') {
            self.at += 1;
        } else {
            self.read_attributes()?;
        }
        let prefix = self.prefix(place);
        let key = scan::key_at(self.bytes, place.from, prefix.len());
        let (namespace, binding) = self.resolve(key, prefix).ok_or(Rule::Prefix)?;
        self.entered = Name { namespace, local: self.slice(place.local, place.to), binding };
        Ok(())
    }

    /// To the end of the tag.
    fn read_attributes(&mut self) -> Result<(), Rule> {
        let mut declared = 0;
        loop {
            let from = self.at;
            self.skip_blanks();
            let blanks = self.at - from;
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
                _ if blanks == 0 => return Err(self.strange().unwrap_or(Rule::WellFormed)),
                _ => declared += usize::from(self.read_attribute()?),
            }
            if self.attributes.len() + declared > self.limits.attributes {
                return Err(Rule::Attributes);
            }
        }
        if self.attributes.is_empty() { Ok(()) } else { self.resolve_attributes() }
    }

    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| scan::is_blank(*byte)) {
            self.at += 1;
        }
    }

    /// Whether it was a namespace declaration.
    pub(super) fn read_attribute(&mut self) -> Result<bool, Rule> {
        let place = self.name()?;
        self.skip_blanks();
        if self.bytes.get(self.at) != Some(&b'=') {
            return Err(Rule::WellFormed);
        }
        self.at += 1;
        self.skip_blanks();
        let quote = match self.bytes.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(Rule::WellFormed),
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
                [] | [b'<', ..] => return Err(Rule::WellFormed),
                _ => {
                    self.allowed()?;
                }
            }
        }
        let raw = self.slice(from, self.at);
        self.at += 1;
        let (prefix, local) = (self.prefix(place), self.slice(place.local, place.to));
        let attribute = Attribute { prefix, local, raw, namespace: Namespace::None, binding: 0, rough };
        if prefix == b"xmlns" || (prefix.is_empty() && local == "xmlns") {
            self.declare(&attribute)?;
            return Ok(true);
        }
        self.attributes.push(attribute);
        Ok(false)
    }

    pub(super) fn declare(&mut self, attribute: &Attribute<'a>) -> Result<(), Rule> {
        let prefix = if attribute.prefix.is_empty() { "" } else { attribute.local };
        let uri = attribute.value();
        let own = self.open.last().map_or(0, |open| usize::from(open.bindings));
        if self.bindings.iter().skip(own).any(|binding| binding.prefix == prefix) {
            return Err(Rule::DuplicateAttribute);
        }
        // Namespaces in XML 1.0 3: nobody may bind `xmlns`, nor `xml` to anything else, nor take a prefix away.
        let namespace = Namespace::of(&uri);
        let reserved = prefix == "xmlns"
            || (prefix == "xml") != (namespace == Namespace::Xml)
            || uri == "http://www.w3.org/2000/xmlns/"
            || (uri.is_empty() && !prefix.is_empty());
        if reserved {
            return Err(Rule::Prefix);
        }
        if self.bindings.len() >= self.limits.namespaces {
            return Err(Rule::Attributes);
        }
        self.bindings.push(Binding { prefix, key: scan::key(prefix.as_bytes()), uri, namespace });
        Ok(())
    }

    #[inline]
    pub(super) fn resolve(&self, key: u64, prefix: &[u8]) -> Option<(Namespace, u16)> {
        let found = self.bindings.iter().rposition(|binding| {
            // A key of less than eight octets is the whole prefix.
            binding.key == key && (prefix.len() < 8 || binding.prefix.as_bytes() == prefix)
        })?;
        self.bindings.get(found).map(|binding| (binding.namespace, found as u16))
    }

    pub(super) fn resolve_attributes(&mut self) -> Result<(), Rule> {
        for index in 0..self.attributes.len() {
            let Some(mut attribute) = self.attributes.get(index).copied() else { break };
            if !attribute.prefix.is_empty() {
                let resolved =
                    self.resolve(scan::key(attribute.prefix), attribute.prefix).ok_or(Rule::Prefix)?;
                (attribute.namespace, attribute.binding) = resolved;
            }
            let twice = self.attributes.iter().take(index).any(|other| {
                same(other.local.as_bytes(), attribute.local.as_bytes())
                    && other.namespace == attribute.namespace
                    && self.attribute_uri(other) == self.attribute_uri(&attribute)
            });
            if twice {
                return Err(Rule::DuplicateAttribute);
            }
            if let Some(place) = self.attributes.get_mut(index) {
                *place = attribute;
            }
        }
        Ok(())
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

/// Equality that looks at the length first and calls nobody: names are short.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b)
}
