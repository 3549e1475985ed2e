//! What the server holds of a user: the answer to a publication and the notification to oneself.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::category::instance::number;
use crate::category::{CategoryInstance, Content, MessageWaiting, RoamingData, is_of};
use crate::error::{Error, Limits, Rule};
use crate::pidf::owned;
use crate::pidf::read::trimmed;
use crate::xml::{Namespace, Reader, Writer};

/// A category of which nothing is held any more, everywhere or in that container.
///
/// MS-PRES 2.2.2.6
pub type Gone<'a> = (Cow<'a, str>, Option<u16>);

/// The categories that a server holds of a user, with their versions.
///
/// MS-PRES 2.2.2.6
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategoryReport<'a> {
    /// The user.
    pub uri: Cow<'a, str>,
    /// What is held; the versions are the current ones.
    pub categories: Vec<CategoryInstance<'a>>,
    /// Categories of which nothing is held any more: all, those of a container, or one instance of it.
    pub gone: Vec<Gone<'a>>,
}

impl<'a> CategoryReport<'a> {
    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.6
    #[must_use]
    pub fn into_owned(self) -> CategoryReport<'static> {
        CategoryReport {
            uri: owned(self.uri),
            categories: self.categories.into_iter().map(CategoryInstance::into_owned).collect(),
            gone: self.gone.into_iter().map(|(name, container)| (owned(name), container)).collect(),
        }
    }

    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.6
    pub fn emit(&self, out: &mut BytesMut) {
        let expected: usize = self.categories.iter().map(CategoryInstance::expected).sum();
        let mut out = Writer::new(out, 300 + expected + self.gone.len() * 60);
        out.raw("<roamingData xmlns=\"http://schemas.microsoft.com/2006/09/sip/roaming-self\">");
        // Without a user there is nothing to say, and an address may not be empty.
        if !self.uri.is_empty() {
            self.write(&mut out);
        }
        out.raw("</roamingData>");
    }

    /// What it says of messages that wait: nothing, or how many; none when the server holds nothing of them any more.
    ///
    /// MS-PRES 2.2.2.7 (mwi)
    #[must_use]
    pub fn messages(&self) -> Option<MessageWaiting> {
        let held = self.categories.iter().filter(|category| category.expires != Some(0));
        let mut messages = held.filter_map(|category| match category.content {
            Content::MessageWaiting(messages) => Some(messages),
            _ => None,
        });
        let gone = self.gone.iter().any(|(name, _)| name == MESSAGES)
            || self.categories.iter().any(|category| category.name == MESSAGES);
        messages.next_back().or_else(|| gone.then(MessageWaiting::default))
    }

    /// The `categories` alone.
    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.raw("<categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\"");
        out.attribute(" uri=\"", &self.uri).raw(">");
        for (name, container) in &self.gone {
            out.attribute("<category name=\"", name);
            if let Some(container) = container {
                out.raw(" container=\"").number(*container).raw("\"");
            }
            out.raw("/>");
        }
        for category in &self.categories {
            category.write_attributes("<category name=\"", out);
            if category.content == Content::Nothing {
                out.raw("/>");
            } else {
                out.raw(">");
                category.content.write(out);
                out.raw("</category>");
            }
        }
        out.raw("</categories>");
    }

    /// Reads the `categories` that the reader has entered.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let uri = trimmed(reader.required("uri")?);
        if uri.is_empty() {
            return Err(reader.broken(Rule::AttributeValue));
        }
        let mut report = Self { uri, categories: Vec::new(), gone: Vec::new() };
        while let Some(child) = reader.child()? {
            if !is_of(&child, Namespace::Categories, "category") {
                reader.skip()?;
                continue;
            }
            match gone(reader)? {
                Some(gone) => {
                    report.gone.push(gone);
                    reader.skip()?;
                }
                None => report.categories.push(CategoryInstance::read(reader, "name")?),
            }
        }
        Ok(report)
    }
}

/// Reads the report of a user's own categories: of `roamingData`, or `categories` alone.
///
/// MS-PRES 2.2.2.6
pub fn parse_report(body: &[u8]) -> Result<CategoryReport<'_>, Error> {
    let mut reader = Reader::new(body, Limits::ROAMING_SELF)?;
    let root = reader.root()?;
    if is_of(&root, Namespace::Categories, "categories") {
        let report = CategoryReport::read(&mut reader)?;
        reader.finish()?;
        return Ok(report);
    }
    let nothing = || CategoryReport { uri: Cow::Borrowed(""), categories: Vec::new(), gone: Vec::new() };
    RoamingData::parse(body).map(|data| data.categories.unwrap_or_else(nothing))
}

/// A category without container, or with container but without instance, names what is no longer held.
fn gone<'a>(reader: &Reader<'a>) -> Result<Option<Gone<'a>>, Error> {
    if reader.attribute("container").is_none() {
        return Ok(Some((reader.required("name")?, None)));
    }
    if reader.attribute("instance").is_none() {
        return Ok(Some((reader.required("name")?, Some(number(reader, "container")?))));
    }
    Ok(None)
}

/// The category of messages that wait.
const MESSAGES: &str = "mwi";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::category::{StateCategory, StateKind};

    #[test]
    fn a_report_about_nobody_is_written_as_one_and_read_as_one() {
        let nobody = CategoryReport { uri: Cow::Borrowed(""), categories: Vec::new(), gone: Vec::new() };
        let mut out = BytesMut::new();
        nobody.emit(&mut out);
        assert_eq!(parse_report(&out), Ok(nobody));
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let state =
            CategoryInstance { version: 4, ..CategoryInstance::state(5, 3, StateCategory::machine(5000)) };
        let report = CategoryReport {
            uri: "sip:a@b".into(),
            categories: vec![state],
            gone: vec![("note".into(), None), ("state".into(), Some(2))],
        };
        let mut out = BytesMut::new();
        report.emit(&mut out);
        assert_eq!(parse_report(&out), Ok(report));
    }

    #[test]
    fn a_report_of_a_server_is_read_with_what_we_do_not_know() {
        let body = include_bytes!("../../tests/vectors/lync-categories.xml");
        let report = parse_report(body).expect("a server's report");
        assert_eq!(report.uri, "sip:alice.archer@example.com");
        let found: Vec<_> = report
            .categories
            .iter()
            .map(|category| match &category.content {
                Content::State(state) => (category.container, state.kind.clone(), state.availability),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            found,
            [
                (2, StateKind::Aggregate, Some(3500)),
                (100, StateKind::User, Some(6500)),
                (200, StateKind::Machine, Some(9500)),
                (300, StateKind::Calendar, Some(15500)),
            ]
        );
    }

    #[test]
    fn a_report_without_categories_says_nothing() {
        let body = "<roamingData xmlns='http://schemas.microsoft.com/2006/09/sip/roaming-self'><containers/></roamingData>";
        let report = parse_report(body.as_bytes()).expect("containers are somebody else's");
        assert!(report.categories.is_empty() && report.gone.is_empty());
    }

    #[test]
    fn a_report_says_how_many_messages_wait_or_nothing_of_them() {
        let of = |inside: &str| {
            let body = format!(
                "<roamingData xmlns=\"http://schemas.microsoft.com/2006/09/sip/roaming-self\"><categories \
                 xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\" uri=\"sip:a@b\">{inside}</categories></roamingData>"
            );
            parse_report(body.as_bytes()).expect("a report").messages().map(MessageWaiting::shown)
        };
        let mwi = |lit: bool, unread: u32, expires: &str| {
            format!(
                "<category name=\"mwi\" instance=\"0\" container=\"1\" version=\"1\" expireType=\"static\"{expires}><mwi \
                 xmlns=\"http://schemas.microsoft.com/2006/09/sip/mwi\" messageWaiting=\"{lit}\" \
                 unreadVoiceMailCount=\"{unread}\"/></category>"
            )
        };
        assert_eq!(of(&mwi(true, 3, "")), Some(3));
        assert_eq!(of(&mwi(true, 0, "")), Some(1), "the lamp is lit");
        assert_eq!(of(&mwi(false, 3, "")), Some(0));
        assert_eq!(of(&mwi(true, 3, " expires=\"0\"")), Some(0), "deleted");
        assert_eq!(of("<category name=\"mwi\"/>"), Some(0), "all of them are gone");
        assert_eq!(of("<category name=\"note\"/>"), None);
        assert_eq!(of(""), None);
    }
}
