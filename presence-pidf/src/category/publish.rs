//! The body of a SERVICE request that publishes categories.

use std::borrow::Cow;
use std::collections::BTreeSet;

use bytes::BytesMut;

use crate::category::{CategoryInstance, Content, is_of};
use crate::error::{Error, Limits, Rule};
use crate::pidf::owned;
use crate::pidf::read::trimmed;
use crate::xml::{Namespace, Reader, Writer};

/// Publications of one user in one request. The server takes all of them or none.
///
/// MS-PRES 2.2.2.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CategoryPublish<'a> {
    /// The user, for example `sip:jim@example.net`.
    pub uri: Cow<'a, str>,
    /// The publications; their keys differ.
    pub publications: Vec<CategoryInstance<'a>>,
}

impl CategoryPublish<'_> {
    /// The same, independent of the octets it was read from.
    ///
    /// MS-PRES 2.2.2.1
    #[must_use]
    pub fn into_owned(self) -> CategoryPublish<'static> {
        CategoryPublish {
            uri: owned(self.uri),
            publications: self.publications.into_iter().map(CategoryInstance::into_owned).collect(),
        }
    }

    /// Appends the body.
    ///
    /// MS-PRES 2.2.2.1
    pub fn emit(&self, out: &mut BytesMut) {
        let expected: usize = self.publications.iter().map(CategoryInstance::expected).sum();
        let mut out = Writer::new(out, 200 + expected);
        out.raw("<publish xmlns=\"http://schemas.microsoft.com/2006/09/sip/rich-presence\">");
        out.attribute("<publications uri=\"", &self.uri).raw(">");
        for publication in &self.publications {
            publication.write_attributes("<publication categoryName=\"", &mut out);
            if publication.content == Content::Nothing {
                out.raw("/>");
            } else {
                out.raw(">");
                publication.content.write(&mut out);
                out.raw("</publication>");
            }
        }
        out.raw("</publications></publish>");
    }
}

/// Reads the body of a request that publishes categories.
///
/// MS-PRES 2.2.2.1
pub fn parse_publish(body: &[u8]) -> Result<CategoryPublish<'_>, Error> {
    let mut reader = Reader::new(body, Limits::DOCUMENT)?;
    let root = reader.root()?;
    if !is_of(&root, Namespace::RichPresence, "publish") {
        return Err(reader.broken(Rule::Root));
    }
    let mut publish = None;
    while let Some(child) = reader.child()? {
        if publish.is_none() && is_of(&child, Namespace::RichPresence, "publications") {
            publish = Some(read_publications(&mut reader)?);
        } else {
            reader.skip()?;
        }
    }
    let publish = publish.ok_or_else(|| reader.broken(Rule::ElementMissing))?;
    reader.finish()?;
    Ok(publish)
}

fn read_publications<'a>(reader: &mut Reader<'a>) -> Result<CategoryPublish<'a>, Error> {
    let uri = trimmed(reader.required("uri")?);
    if uri.is_empty() {
        return Err(reader.broken(Rule::AttributeValue));
    }
    let mut publications: Vec<CategoryInstance<'a>> = Vec::new();
    let mut keys = BTreeSet::new();
    while let Some(child) = reader.child()? {
        if !is_of(&child, Namespace::RichPresence, "publication") {
            reader.skip()?;
            continue;
        }
        let publication = CategoryInstance::read(reader, "categoryName")?;
        let (_, instance, container) = publication.key();
        if !keys.insert((publication.name.clone(), instance, container)) {
            return Err(reader.broken(Rule::DuplicatePublication));
        }
        publications.push(publication);
    }
    Ok(CategoryPublish { uri, publications })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::category::{ExpireType, NoteBody, NoteCategory, OpaqueContent, StateCategory};
    use crate::publication::Activity;

    const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/rich-presence";

    fn body(publish: &CategoryPublish<'_>) -> String {
        let mut out = BytesMut::new();
        publish.emit(&mut out);
        String::from_utf8(out.to_vec()).expect("UTF-8")
    }

    #[test]
    fn a_call_is_published_as_clients_publish_it() {
        let phone = CategoryInstance::state(0x8010_2030, 2, StateCategory::phone(6500, Activity::OnThePhone));
        let publish = CategoryPublish { uri: "sip:jim@example.net".into(), publications: vec![phone] };
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
        let publish = CategoryPublish { uri: "sip:a@b".into(), publications: vec![state.deleted()] };
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
    fn unknown_categories_are_kept_as_they_came() {
        let text = format!(
            "<publish xmlns=\"{NAMESPACE}\"><publications uri=\"sip:a@b\">\
             <publication categoryName=\"note\" instance=\"0\" container=\"200\" version=\"1\" expireType=\"static\">\
             <note xmlns=\"http://schemas.microsoft.com/2006/09/sip/note\"><body type=\"personal\">hello</body></note></publication>\
             <publication categoryName=\"jukebox\" instance=\"7\" container=\"200\" version=\"1\">\
             <j:song xmlns:j=\"u:j\" j:title=\"a &amp; b\" xml:lang=\"de\">la <j:la/> la</j:song></publication>\
             </publications></publish>"
        );
        let publish = parse_publish(text.as_bytes()).expect("unknown categories are no error");
        let [note, other] = &publish.publications[..] else { panic!("{publish:?}") };
        assert_eq!(note.expire_type, ExpireType::Static);
        let body = NoteBody { kind: "personal".into(), text: "hello".into(), ..NoteBody::default() };
        assert_eq!(note.content, Content::Note(NoteCategory { bodies: vec![body] }));
        let Content::Other(song) = &other.content else { panic!("{other:?}") };
        assert_eq!((song.namespace(), song.name()), ("u:j", "song"));
        assert_eq!(OpaqueContent::parse(song.text().as_bytes()).as_ref(), Ok(song));
        assert!(song.text().contains("la <la/> la"), "{}", song.text());
        assert_eq!(parse_publish(self::body(&publish).as_bytes()), Ok(publish));
    }
}
