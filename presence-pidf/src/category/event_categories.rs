//! What a watcher is told of a contact.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::category::instance::number;
use crate::category::{Content, StateCategory, is_of};
use crate::date_time::DateTime;
use crate::error::{Error, Limits, Rule};
use crate::pidf::owned;
use crate::pidf::read::trimmed;
use crate::xml::{Namespace, Reader, Writer};

/// The categories of a contact that a watcher may see.
///
/// MS-PRES 2.2.2.5
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct EventCategories<'a> {
    /// The contact.
    pub uri: Cow<'a, str>,
    /// What is seen of it.
    pub categories: Vec<WatchedCategory<'a>>,
}

/// A category as watchers see it: without container and version.
///
/// MS-PRES 2.2.2.5
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchedCategory<'a> {
    /// The category, for example `state`.
    pub name: Cow<'a, str>,
    /// Which of several.
    pub instance: u32,
    /// When the server took it.
    pub publish_time: Option<DateTime>,
    /// What it says; nothing when it is gone.
    pub content: Content<'a>,
}

impl<'a> EventCategories<'a> {
    /// What the server made of all states of the contact, if that is told.
    ///
    /// MS-PRES 2.2.2.5
    #[must_use]
    pub fn state(&self) -> Option<&StateCategory<'a>> {
        self.categories.iter().find_map(|category| match &category.content {
            Content::State(state) => Some(state),
            _ => None,
        })
    }

    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.5
    #[must_use]
    pub fn into_owned(self) -> EventCategories<'static> {
        let category = |WatchedCategory { name, instance, publish_time, content }: WatchedCategory<'_>| {
            WatchedCategory { name: owned(name), instance, publish_time, content: content.into_owned() }
        };
        EventCategories {
            uri: owned(self.uri),
            categories: self.categories.into_iter().map(category).collect(),
        }
    }

    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.5
    pub fn emit(&self, out: &mut BytesMut) {
        let mut out = Writer::new(out, 128 + 400 * self.categories.len());
        out.raw("<categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\"");
        out.attribute(" uri=\"", &self.uri).raw(">");
        for category in &self.categories {
            out.attribute("<category name=\"", &category.name);
            out.raw(" instance=\"").number(category.instance).raw("\"");
            if let Some(time) = category.publish_time {
                out.raw(" publishTime=\"");
                time.write(&mut out);
                out.raw("\"");
            }
            if category.content == Content::Nothing {
                out.raw("/>");
                continue;
            }
            out.raw(">");
            category.content.write(&mut out);
            out.raw("</category>");
        }
        out.raw("</categories>");
    }

    /// Reads the body. Containers and versions, which only the user's own endpoints see, are passed over.
    ///
    /// MS-PRES 2.2.2.5
    pub fn parse(body: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(body, Limits::DOCUMENT)?;
        let root = reader.root()?;
        if !is_of(&root, Namespace::Categories, "categories") {
            return Err(reader.broken(Rule::Root));
        }
        let uri = trimmed(reader.required("uri")?);
        if uri.is_empty() {
            return Err(reader.broken(Rule::AttributeValue));
        }
        let mut categories = Vec::new();
        while let Some(child) = reader.child()? {
            if !is_of(&child, Namespace::Categories, "category") {
                reader.skip()?;
                continue;
            }
            categories.push(WatchedCategory {
                name: reader.required("name")?,
                instance: match reader.attribute("instance") {
                    None => 0,
                    Some(_) => number(&reader, "instance")?,
                },
                publish_time: reader.attribute("publishTime").and_then(|text| DateTime::parse(&text)),
                content: Content::read(&mut reader)?,
            });
        }
        reader.finish()?;
        Ok(Self { uri, categories })
    }
}

/// Content type of what a watcher is told.
///
/// MS-PRES 2.2.2.5
pub const EVENT_CONTENT_TYPE: &str = "application/msrtc-event-categories+xml";
