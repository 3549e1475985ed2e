//! Partial presence: a whole document first, then what changes in it.

mod operation;
mod selector;
mod write;

use bytes::BytesMut;

use crate::error::{Error, Limits, Rule};
use crate::pidf::read::Pidf;
use crate::pidf::{Presence, Reading};
use crate::xml::{BLANKS, Element, Namespace, Reader, Writer};
use operation::Operation;

pub use write::PresenceDiff;

/// A whole document with its version.
///
/// RFC 5262 3.2
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct FullPresence<'a> {
    /// Counts the documents of a subscription.
    pub version: Option<u32>,
    /// What it says.
    pub presence: Presence<'a>,
}

impl<'a> FullPresence<'a> {
    /// Reads a `pidf-full`.
    ///
    /// RFC 5262 3.2
    pub fn parse(body: &'a [u8], reading: Reading) -> Result<Self, Error> {
        let mut pidf = Pidf::new(body, reading, Limits::DOCUMENT)?;
        if !pidf.reader.root()?.is(Namespace::PidfDiff, "pidf-full") {
            return Err(pidf.reader.broken(Rule::Root));
        }
        let version = version(&pidf.reader)?;
        let presence = pidf.presence()?;
        pidf.finish()?;
        Ok(Self { version, presence })
    }

    /// Appends a `pidf-full`.
    ///
    /// RFC 5262 3.2
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 1024);
        out.raw(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<p:pidf-full xmlns=\"urn:ietf:params:xml:ns:pidf\"",
        );
        out.raw(" xmlns:p=\"urn:ietf:params:xml:ns:pidf-diff\"");
        if let Some(version) = self.version {
            out.raw(" version=\"").number(version).raw("\"");
        }
        self.presence.write_content(&mut out);
        out.raw("</p:pidf-full>\n");
    }
}

/// The version of the root that the reader has entered.
fn version(reader: &Reader<'_>) -> Result<Option<u32>, Error> {
    let Some(text) = reader.attribute("version") else { return Ok(None) };
    let number = text.trim_matches(BLANKS).parse().map_err(|_| reader.broken(Rule::AttributeValue))?;
    Ok(Some(number))
}

/// A document that is kept current by what changes in it.
///
/// When [`PartialPresence::take`] fails, or says that something is missing, nothing of it is known any more: subscribe again.
///
/// RFC 5263 4.4
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct PartialPresence {
    document: Option<(u32, Element)>,
}

/// What a body did.
///
/// RFC 5263 4.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taken {
    /// It is part of the document now.
    Current,
    /// It was part of it before.
    Old,
    /// Something before it is missing: ask for the whole document again.
    Gap,
}

impl PartialPresence {
    /// Takes a `pidf-full` or a `pidf-diff`.
    ///
    /// RFC 5263 4.4
    pub fn take(&mut self, body: &[u8]) -> Result<Taken, Error> {
        let taken = self.try_take(body);
        if !matches!(taken, Ok(Taken::Current | Taken::Old)) {
            self.document = None;
        }
        taken
    }

    fn try_take(&mut self, body: &[u8]) -> Result<Taken, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        let root = reader.root()?;
        let version = version(&reader)?;
        if root.is(Namespace::PidfDiff, "pidf-full") {
            // Whatever came before: the whole document counts. It must be one that can be read.
            FullPresence::parse(body, Reading::Lenient)?;
            self.document = Some((version.unwrap_or(0), Element::parse(body, Limits::DOCUMENT)?));
            return Ok(Taken::Current);
        }
        if !root.is(Namespace::PidfDiff, "pidf-diff") {
            return Err(reader.broken(Rule::Root));
        }
        let version = version.ok_or_else(|| reader.broken(Rule::AttributeMissing))?;
        let operations = Operation::read_all(&mut reader)?;
        reader.finish()?;
        let Some((known, document)) = &self.document else { return Ok(Taken::Gap) };
        if version <= *known {
            return Ok(Taken::Old);
        }
        if known.checked_add(1) != Some(version) {
            return Ok(Taken::Gap);
        }
        let mut document = document.clone();
        for operation in &operations {
            operation.apply(&mut document)?;
        }
        // What came of it must still be a document within the limits.
        let text = document.to_text();
        FullPresence::parse(text.as_bytes(), Reading::Lenient)?;
        self.document = Some((version, document));
        Ok(Taken::Current)
    }

    /// The version of the document, if there is one.
    ///
    /// RFC 5263 4.4
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.document.as_ref().map(|(version, _)| *version)
    }

    /// What the document says now.
    ///
    /// RFC 5263 4.4
    #[must_use]
    pub fn presence(&self) -> Option<Presence<'static>> {
        let (_, document) = self.document.as_ref()?;
        let text = document.to_text();
        FullPresence::parse(text.as_bytes(), Reading::Lenient).ok().map(|full| full.presence.into_owned())
    }
}

/// What a `pidf-diff` would do, without a document to do it to.
///
/// RFC 5262 3.3
pub fn check_diff(body: &[u8]) -> Result<DiffSummary, Error> {
    let mut reader = Reader::new(body, Limits::DOCUMENT)?;
    if !reader.root()?.is(Namespace::PidfDiff, "pidf-diff") {
        return Err(reader.broken(Rule::Root));
    }
    let version = version(&reader)?;
    let entity = reader.attribute("entity").map(std::borrow::Cow::into_owned);
    let operations = Operation::read_all(&mut reader)?.len();
    reader.finish()?;
    Ok(DiffSummary { version, entity, operations })
}

/// What a `pidf-diff` is about.
///
/// RFC 5262 3.3
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DiffSummary {
    /// Counts the documents of a subscription.
    pub version: Option<u32>,
    /// The presentity, if it is named.
    pub entity: Option<String>,
    /// How many changes.
    pub operations: usize,
}

/// Content type of whole and partial documents.
///
/// RFC 5262 5.2
pub const CONTENT_TYPE: &str = "application/pidf-diff+xml";
