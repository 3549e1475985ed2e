//! What changed between two documents.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::data_model::{Device, Person};
use crate::pidf::{Presence, Tuple};
use crate::xml::Writer;

/// What changed between two documents of one presentity: tuples, persons and devices as wholes.
///
/// RFC 5262 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PresenceDiff<'a> {
    version: u32,
    entity: Cow<'a, str>,
    removed: Vec<(&'static str, Cow<'a, str>)>,
    replaced: Vec<Part<'a>>,
    tuples: Vec<&'a Tuple<'a>>,
    parts: Vec<Part<'a>>,
}

/// A part with an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part<'a> {
    Tuple(&'a Tuple<'a>),
    Person(&'a Person<'a>),
    Device(&'a Device<'a>),
}

impl<'a> Part<'a> {
    fn all(presence: &'a Presence<'a>) -> impl Iterator<Item = Self> {
        let tuples = presence.tuples.iter().map(Part::Tuple);
        tuples
            .chain(presence.persons.iter().map(Part::Person))
            .chain(presence.devices.iter().map(Part::Device))
    }

    fn key(self) -> (&'static str, &'a str) {
        match self {
            Self::Tuple(tuple) => ("tuple", &tuple.id),
            Self::Person(person) => ("dm:person", &person.id),
            Self::Device(device) => ("dm:device", &device.id),
        }
    }

    fn write(self, out: &mut Writer<'_>) {
        match self {
            Self::Tuple(tuple) => tuple.write(out),
            Self::Person(person) => person.write(out),
            Self::Device(device) => device.write(out),
        }
    }
}

impl<'a> PresenceDiff<'a> {
    /// What leads from one document to the other. `None` when it must be told as a whole: another presentity, other remarks on
    /// it, or identifiers that cannot be selected.
    ///
    /// RFC 5262 3.3
    #[must_use]
    pub fn between(old: &'a Presence<'a>, new: &'a Presence<'a>, version: u32) -> Option<Self> {
        let selectable = |part: Part<'_>| crate::xml::is_name(part.key().1);
        if old.entity != new.entity
            || old.notes != new.notes
            || old.caller != new.caller
            || !Part::all(old).all(selectable)
            || !Part::all(new).all(selectable)
        {
            return None;
        }
        let find = |presence: &'a Presence<'a>, part: Part<'_>| {
            Part::all(presence).find(|other| other.key() == part.key())
        };
        let mut diff = Self {
            version,
            entity: Cow::Borrowed(&new.entity),
            removed: Vec::new(),
            replaced: Vec::new(),
            tuples: Vec::new(),
            parts: Vec::new(),
        };
        for part in Part::all(old) {
            if find(new, part).is_none() {
                let (name, id) = part.key();
                diff.removed.push((name, Cow::Borrowed(id)));
            }
        }
        for part in Part::all(new) {
            match (find(old, part), part) {
                (Some(same), part) if same == part => {}
                (Some(_), part) => diff.replaced.push(part),
                (None, Part::Tuple(tuple)) => diff.tuples.push(tuple),
                (None, part) => diff.parts.push(part),
            }
        }
        Some(diff)
    }

    /// Appends a `pidf-diff`. New tuples stand before the others: tuples are no sequence.
    ///
    /// RFC 5262 3.3
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 1024);
        out.raw(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<p:pidf-diff xmlns=\"urn:ietf:params:xml:ns:pidf\" \
             xmlns:p=\"urn:ietf:params:xml:ns:pidf-diff\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
             xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" xmlns:ci=\"urn:ietf:params:xml:ns:pidf:cipid\" \
             xmlns:c=\"urn:ietf:params:xml:ns:pidf:caps\"",
        );
        out.attribute(" entity=\"", &self.entity).raw(" version=\"").number(self.version).raw("\">");
        for (name, id) in &self.removed {
            out.raw("<p:remove sel=\"*/").raw(name).raw("[@id='").text(id).raw("']\"/>");
        }
        for part in &self.replaced {
            let (name, id) = part.key();
            out.raw("<p:replace sel=\"*/").raw(name).raw("[@id='").text(id).raw("']\">");
            part.write(&mut out);
            out.raw("</p:replace>");
        }
        for tuple in self.tuples.iter().rev() {
            out.raw("<p:add sel=\"*\" pos=\"prepend\">");
            tuple.write(&mut out);
            out.raw("</p:add>");
        }
        for part in &self.parts {
            out.raw("<p:add sel=\"*\">");
            part.write(&mut out);
            out.raw("</p:add>");
        }
        out.raw("</p:pidf-diff>\n");
    }
}
