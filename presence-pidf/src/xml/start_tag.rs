//! Start tags: names, attributes, and the namespaces that they declare.

use std::borrow::Cow;

use super::namespace::Namespace;
use super::reader::{Binding, Name, Open, Reader};
use super::scan;
use super::text::resolve;
use crate::error::Rule;

/// Where a name stands: the part behind its prefix begins at `local`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    from: usize,
    local: usize,
    to: usize,
}

/// An attribute of the element that was entered last: where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute {
    from: u32,
    local: u32,
    to: u32,
    value: u32,
    end: u32,
    pub(super) binding: u32,
    pub(super) namespace: Namespace,
    /// Its value has references or white space that reads as blanks.
    rough: bool,
}

/// What is kept of the attributes of one tag while it is read.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    /// How many namespaces were declared.
    declared: usize,
    /// A bit for the local name of each attribute: two names with different bits are different names.
    names: u64,
    /// An attribute has a prefix, or two of the names have the same bit.
    look: bool,
}

impl<'a> Reader<'a> {
    /// A name with a prefix or without: where the part behind its prefix begins, and where it ends.
    #[inline(never)]
    fn name(&mut self) -> Result<(usize, usize), Rule> {
        let from = self.at;
        let Some((local, length)) = scan::plain_name(self.rest()) else { return self.wide_name() };
        self.at = from + length;
        Ok((from + local, self.at))
    }

    /// The same with characters beyond ASCII, or none.
    #[cold]
    fn wide_name(&mut self) -> Result<(usize, usize), Rule> {
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
        Ok((local, self.at))
    }

    /// Enters the element whose tag begins here.
    pub(super) fn start(&mut self) -> Result<(), Rule> {
        self.enter(self.at)
    }

    #[inline(always)]
    pub(super) fn enter(&mut self, at: usize) -> Result<(), Rule> {
        self.at = at;
        self.elements += 1;
        if self.elements > self.limits.elements {
            return Err(Rule::Elements);
        }
        if self.open.len() >= self.limits.depth {
            return Err(Rule::Depth);
        }
        let bytes = self.bytes;
        let from = at + 1;
        let (local, to) = if let Some(found) = scan::short_name(bytes, from) {
            found
        } else {
            self.at = from;
            self.name()?
        };
        self.open.push(Open { from: from as u32, to: to as u32, bindings: self.bindings.len() as u32 });
        self.attributes.clear();
        match bytes.get(to..).and_then(<[u8]>::first_chunk) {
            Some([b'>', _]) => self.at = to + 1,
            Some(b"/>") => {
                self.at = to + 2;
                self.empty = true;
            }
            _ => {
                self.at = to;
                self.read_attributes()?;
            }
        }
        let (namespace, binding) =
            if local == from { self.default } else { self.resolve(from, local).ok_or(Rule::Prefix)? };
        self.entered = Name { namespace, local: self.slice(local, to), binding };
        Ok(())
    }

    /// To the end of the tag.
    #[inline(never)]
    fn read_attributes(&mut self) -> Result<(), Rule> {
        let bytes = self.bytes;
        let mut seen = Seen::default();
        loop {
            let at = self.at;
            // The usual: one blank, a short name, a value that needs no look.
            if bytes.get(at) == Some(&b' ')
                && let Some((local, to)) = scan::short_name(bytes, at + 1)
                && let Some([b'=', quote @ (b'"' | b'\'')]) = bytes.get(to..).and_then(<[u8]>::first_chunk)
            {
                let value = to + 2;
                let end = value + scan::value(bytes.get(value..).unwrap_or_default());
                if bytes.get(end) == Some(quote) {
                    self.at = end + 1;
                    self.keep(&mut seen, Place { from: at + 1, local, to }, value, end, false)?;
                    continue;
                }
            }
            match bytes.get(at..).unwrap_or_default() {
                [b'>', ..] => {
                    self.at = at + 1;
                    break;
                }
                [b'/', b'>', ..] => {
                    self.at = at + 2;
                    self.empty = true;
                    break;
                }
                [octet, ..] if scan::is_blank(*octet) => self.other_attribute(&mut seen)?,
                _ => return Err(self.strange().unwrap_or(Rule::WellFormed)),
            }
        }
        if seen.look { self.resolve_attributes() } else { Ok(()) }
    }

    #[inline]
    pub(super) fn skip_blanks(&mut self) {
        while self.bytes.get(self.at).is_some_and(|byte| scan::is_blank(*byte)) {
            self.at += 1;
        }
    }

    /// Any other attribute, or no more than the blanks before the end.
    #[inline(never)]
    fn other_attribute(&mut self, seen: &mut Seen) -> Result<(), Rule> {
        self.skip_blanks();
        if matches!(self.rest(), [b'>', ..] | [b'/', b'>', ..]) {
            return Ok(());
        }
        let from = self.at;
        let (local, to) = self.name()?;
        let quote = self.equals()?;
        let value = self.at;
        let rough = self.value(quote)?;
        let end = self.at;
        self.at += 1;
        self.keep(seen, Place { from, local, to }, value, end, rough)
    }

    /// Keeps an attribute, or declares its namespace.
    #[inline(always)]
    fn keep(
        &mut self,
        seen: &mut Seen,
        name: Place,
        value: usize,
        end: usize,
        rough: bool,
    ) -> Result<(), Rule> {
        let Place { from, local, to } = name;
        let declares = match local - from {
            0 => to - from == 5 && self.bytes.get(from..to) == Some(b"xmlns"),
            6 => self.bytes.get(from..local) == Some(b"xmlns:"),
            _ => false,
        };
        if declares {
            seen.declared += 1;
            self.declare(name, value, end, rough)?;
        } else {
            let octet = |at: usize| self.bytes.get(at).copied().map_or(0, u32::from);
            let bit = 1 << ((octet(local) ^ octet(to - 1) << 1 ^ (to - local) as u32) & 63);
            seen.look |= seen.names & bit != 0 || from != local;
            seen.names |= bit;
            self.attributes.push(Attribute {
                from: from as u32,
                local: local as u32,
                to: to as u32,
                value: value as u32,
                end: end as u32,
                binding: 0,
                namespace: Namespace::None,
                rough,
            });
        }
        if self.attributes.len() + seen.declared > self.limits.attributes {
            return Err(Rule::Attributes);
        }
        Ok(())
    }

    /// An equals sign with blanks around it, and the quotation mark.
    fn equals(&mut self) -> Result<u8, Rule> {
        self.skip_blanks();
        if self.bytes.get(self.at) != Some(&b'=') {
            return Err(Rule::WellFormed);
        }
        self.at += 1;
        self.skip_blanks();
        match self.bytes.get(self.at) {
            Some(quote @ (b'"' | b'\'')) => {
                self.at += 1;
                Ok(*quote)
            }
            _ => Err(Rule::WellFormed),
        }
    }

    /// Goes to the end of a value; whether something in it stands for something else.
    fn value(&mut self, quote: u8) -> Result<bool, Rule> {
        let mut rough = false;
        loop {
            self.at += scan::value(self.rest());
            match self.rest() {
                [found, ..] if *found == quote => return Ok(rough),
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
    }

    #[inline(never)]
    fn declare(&mut self, name: Place, value: usize, end: usize, rough: bool) -> Result<(), Rule> {
        let prefix = if name.from == name.local { "" } else { self.slice(name.local, name.to) };
        let uri = self.value_at(value, end, rough);
        let own = self.open.last().map_or(0, |open| open.bindings as usize);
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
        if prefix.is_empty() {
            self.default = (namespace, self.bindings.len() as u32);
        }
        self.recent = (u64::MAX, self.default);
        self.bindings.push(Binding { prefix, key: scan::key(prefix.as_bytes()), uri, namespace });
        Ok(())
    }

    /// The namespace of a name with a prefix, and its binding.
    #[inline(always)]
    fn resolve(&mut self, from: usize, local: usize) -> Option<(Namespace, u32)> {
        let length = local - from;
        // The prefix and its colon are the whole key.
        if let Some(eight) = self.bytes.get(from..).and_then(<[u8]>::first_chunk)
            && length <= 8
        {
            let key = u64::from_le_bytes(*eight) & (u64::MAX >> ((64 - 8 * length) & 63));
            if self.recent.0 != key {
                self.recent = (key, self.bound(|binding| binding.key == key)?);
            }
            return Some(self.recent.1);
        }
        let prefix = self.slice(from, local - 1);
        self.bound(|binding| binding.prefix == prefix)
    }

    /// The innermost binding of that kind.
    #[inline(never)]
    fn bound(&self, wanted: impl Fn(&Binding<'_>) -> bool) -> Option<(Namespace, u32)> {
        let found = self.bindings.iter().rposition(wanted)?;
        self.bindings.get(found).map(|binding| (binding.namespace, found as u32))
    }

    /// Resolves prefixes and sees that no attribute occurs twice.
    #[inline(never)]
    fn resolve_attributes(&mut self) -> Result<(), Rule> {
        for index in 0..self.attributes.len() {
            let Some(mut attribute) = self.attributes.get(index).copied() else { break };
            if attribute.from != attribute.local {
                let found = self.resolve(attribute.from as usize, attribute.local as usize);
                (attribute.namespace, attribute.binding) = found.ok_or(Rule::Prefix)?;
            }
            let twice = self.attributes.iter().take(index).any(|other| {
                other.length() == attribute.length()
                    && other.namespace == attribute.namespace
                    && self.local_of(other) == self.local_of(&attribute)
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

    /// Whether an attribute has that local name.
    #[inline(always)]
    pub(super) fn is_called(&self, attribute: &Attribute, local: &str) -> bool {
        let (from, to) = (attribute.local as usize, attribute.to as usize);
        to - from == local.len() && self.bytes.get(from..to) == Some(local.as_bytes())
    }

    #[inline]
    pub(crate) fn local_of(&self, attribute: &Attribute) -> &'a str {
        self.slice(attribute.local as usize, attribute.to as usize)
    }

    #[inline]
    pub(crate) fn value_of(&self, attribute: &Attribute) -> Cow<'a, str> {
        self.value_at(attribute.value as usize, attribute.end as usize, attribute.rough)
    }

    #[inline]
    fn value_at(&self, value: usize, end: usize, rough: bool) -> Cow<'a, str> {
        let raw = self.slice(value, end);
        if rough { Cow::Owned(normalized(raw)) } else { Cow::Borrowed(raw) }
    }
}

impl Attribute {
    fn length(&self) -> u32 {
        self.to - self.local
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
