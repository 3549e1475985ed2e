//! What the server holds of a user: the answer to a publication and the notification to oneself.

use core::fmt::Write;

use bytes::{BufMut, BytesMut};

use crate::category::CategoryInstance;
use crate::category::instance::number;
use crate::error::{Error, Rule};
use crate::xml::{Element, escaped, parse};

const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/roaming-self";
const CATEGORIES: &str = "http://schemas.microsoft.com/2006/09/sip/categories";

/// The categories that a server holds of a user, with their versions.
///
/// MS-PRES 2.2.2.6
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategoryReport {
    /// The user.
    pub uri: String,
    /// What is held; the versions are the current ones.
    pub categories: Vec<CategoryInstance>,
    /// Categories of which nothing is held any more: all, those of a container, or one instance of it.
    pub gone: Vec<(String, Option<u16>)>,
}

impl CategoryReport {
    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.6
    pub fn emit(&self, out: &mut BytesMut) {
        let mut text = format!(
            "<roamingData xmlns=\"{NAMESPACE}\"><categories xmlns=\"{CATEGORIES}\" uri=\"{}\">",
            escaped(&self.uri)
        );
        for (name, container) in &self.gone {
            let _ = write!(text, "<category name=\"{}\"", escaped(name));
            if let Some(container) = container {
                let _ = write!(text, " container=\"{container}\"");
            }
            text.push_str("/>");
        }
        for category in &self.categories {
            text.push_str("<category");
            category.write_attributes("name", &mut text);
            text.push('>');
            category.write_content(&mut text);
            text.push_str("</category>");
        }
        text.push_str("</categories></roamingData>");
        out.put_slice(text.as_bytes());
    }
}

/// Reads the report of a user's own categories.
///
/// MS-PRES 2.2.2.6
pub fn parse_report(body: &[u8]) -> Result<CategoryReport, Error> {
    let root = parse(body)?;
    let list = if root.is(CATEGORIES, "categories") {
        Some(&root)
    } else if root.is(NAMESPACE, "roamingData") {
        root.child(CATEGORIES, "categories")
    } else {
        return Err(root.broken(Rule::Root));
    };
    let mut report = CategoryReport { uri: String::new(), categories: Vec::new(), gone: Vec::new() };
    let Some(list) = list else {
        return Ok(report);
    };
    list.required("uri")?.trim().clone_into(&mut report.uri);
    for element in list.children(CATEGORIES, "category") {
        match gone(element)? {
            Some(gone) => report.gone.push(gone),
            None => report.categories.push(CategoryInstance::read(element, "name")?),
        }
    }
    Ok(report)
}

/// A category without container, or with container but without instance, names what is no longer held.
fn gone(element: &Element) -> Result<Option<(String, Option<u16>)>, Error> {
    let name = element.required("name")?.to_owned();
    if element.attribute("container").is_none() {
        return Ok(Some((name, None)));
    }
    if element.attribute("instance").is_none() {
        return Ok(Some((name, Some(number(element, "container")?))));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::category::{Content, StateCategory, StateKind};

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let state =
            CategoryInstance { version: 4, ..CategoryInstance::state(5, 3, StateCategory::machine(5000)) };
        let report = CategoryReport {
            uri: "sip:a@b".to_owned(),
            categories: vec![state],
            gone: vec![("note".to_owned(), None), ("state".to_owned(), Some(2))],
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
        let body = format!("<roamingData xmlns=\"{NAMESPACE}\"><containers/></roamingData>");
        let report = parse_report(body.as_bytes()).expect("containers are somebody else's");
        assert!(report.categories.is_empty() && report.gone.is_empty());
    }
}
