//! The body of a SERVICE request that publishes categories.

use core::fmt::Write;
use std::collections::BTreeSet;

use bytes::{BufMut, BytesMut};

use crate::category::CategoryInstance;
use crate::error::{Error, Rule};
use crate::xml::{escaped, parse};

const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/rich-presence";

/// Publications of one user in one request. The server takes all of them or none.
///
/// MS-PRES 2.2.2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategoryPublish {
    /// The user, for example `sip:jim@example.net`.
    pub uri: String,
    /// The publications; their keys differ.
    pub publications: Vec<CategoryInstance>,
}

impl CategoryPublish {
    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.1
    pub fn emit(&self, out: &mut BytesMut) {
        let mut text =
            format!("<publish xmlns=\"{NAMESPACE}\"><publications uri=\"{}\">", escaped(&self.uri));
        for publication in &self.publications {
            text.push_str("<publication");
            publication.write_attributes("categoryName", &mut text);
            if publication.content == crate::category::Content::Nothing {
                text.push_str("/>");
            } else {
                text.push('>');
                publication.write_content(&mut text);
                let _ = write!(text, "</publication>");
            }
        }
        text.push_str("</publications></publish>");
        out.put_slice(text.as_bytes());
    }
}

/// Reads the body of a request that publishes categories.
///
/// MS-PRES 2.2.2.1
pub fn parse_publish(body: &[u8]) -> Result<CategoryPublish, Error> {
    let root = parse(body)?;
    if !root.is(NAMESPACE, "publish") {
        return Err(root.broken(Rule::Root));
    }
    let list = root.child(NAMESPACE, "publications").ok_or_else(|| root.broken(Rule::Root))?;
    let uri = list.required("uri")?.trim().to_owned();
    let mut publications = Vec::new();
    let mut keys = BTreeSet::new();
    for element in list.children(NAMESPACE, "publication") {
        let publication = CategoryInstance::read(element, "categoryName")?;
        let (name, instance, container) = publication.key();
        if !keys.insert((name.to_owned(), instance, container)) {
            return Err(element.broken(Rule::DuplicatePublication));
        }
        publications.push(publication);
    }
    Ok(CategoryPublish { uri, publications })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::category::{Content, ExpireType, StateCategory};
    use crate::publication::Activity;

    fn body(publish: &CategoryPublish) -> String {
        let mut out = BytesMut::new();
        publish.emit(&mut out);
        String::from_utf8(out.to_vec()).expect("UTF-8")
    }

    #[test]
    fn a_call_is_published_as_clients_publish_it() {
        let phone = CategoryInstance::state(0x8010_2030, 2, StateCategory::phone(6500, Activity::OnThePhone));
        let publish = CategoryPublish { uri: "sip:jim@example.net".to_owned(), publications: vec![phone] };
        assert_eq!(
            body(&publish),
            "<publish xmlns=\"http://schemas.microsoft.com/2006/09/sip/rich-presence\">\
             <publications uri=\"sip:jim@example.net\">\
             <publication categoryName=\"state\" instance=\"2148540464\" container=\"2\" version=\"0\" expireType=\"endpoint\">\
             <state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"phoneState\" manual=\"false\">\
             <availability>6500</availability>\
             <activity token=\"on-the-phone\" minAvailability=\"6500\" maxAvailability=\"8999\"/></state>\
             </publication></publications></publish>"
        );
        assert_eq!(parse_publish(body(&publish).as_bytes()), Ok(publish));
    }

    #[test]
    fn a_deletion_has_no_content_and_keeps_its_version() {
        let state =
            CategoryInstance { version: 7, ..CategoryInstance::state(5, 3, StateCategory::machine(3500)) };
        let publish = CategoryPublish { uri: "sip:a@b".to_owned(), publications: vec![state.deleted()] };
        assert!(body(&publish).contains("version=\"7\" expireType=\"endpoint\" expires=\"0\"/>"));
        assert_eq!(parse_publish(body(&publish).as_bytes()), Ok(publish));
    }

    #[test]
    fn publications_against_the_rules_are_refused() {
        let good = "categoryName=\"state\" instance=\"1\" container=\"2\" version=\"0\"";
        for (attributes, rule) in [
            ("instance=\"1\" container=\"2\" version=\"0\"", Rule::AttributeMissing),
            ("categoryName=\"state\" container=\"2\" version=\"0\"", Rule::AttributeMissing),
            ("categoryName=\"state\" instance=\"-1\" container=\"2\" version=\"0\"", Rule::AttributeValue),
            (
                "categoryName=\"state\" instance=\"4294967296\" container=\"2\" version=\"0\"",
                Rule::AttributeValue,
            ),
            ("categoryName=\"state\" instance=\"1\" container=\"32768\" version=\"0\"", Rule::AttributeValue),
            (&format!("{good} expireType=\"never\""), Rule::AttributeValue),
            (&format!("{good}/><publication {good}"), Rule::DuplicatePublication),
        ] {
            let text = format!(
                "<publish xmlns=\"{NAMESPACE}\"><publications uri=\"sip:a@b\"><publication {attributes}/></publications></publish>"
            );
            assert!(
                matches!(parse_publish(text.as_bytes()), Err(Error::Malformed { rule: found, .. }) if found == rule),
                "{attributes}: {:?}",
                parse_publish(text.as_bytes())
            );
        }
        assert!(matches!(parse_publish(b"<subscribe/>"), Err(Error::Malformed { rule: Rule::Root, .. })));
    }

    #[test]
    fn unknown_categories_are_named_and_their_content_is_not_kept() {
        let text = format!(
            "<publish xmlns=\"{NAMESPACE}\"><publications uri=\"sip:a@b\">\
             <publication categoryName=\"note\" instance=\"0\" container=\"200\" version=\"1\" expireType=\"static\">\
             <note xmlns=\"u:note\"><body>hello</body></note></publication></publications></publish>"
        );
        let publish = parse_publish(text.as_bytes()).expect("unknown categories are no error");
        let note = publish.publications.first().expect("one publication");
        assert_eq!(note.expire_type, ExpireType::Static);
        assert_eq!(note.content, Content::Other { namespace: "u:note".to_owned(), name: "note".to_owned() });
        assert_eq!(parse_publish(body(&publish).as_bytes()), Ok(publish));
    }
}
