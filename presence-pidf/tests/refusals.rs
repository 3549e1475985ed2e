//! What must be refused, by name: whatever the rest of a body says.

use presence_pidf::category::{EventCategories, Fault, RoamingData, parse_publish};
use presence_pidf::contact_list::ContactList;
use presence_pidf::pidf::{Presence, Reading};
use presence_pidf::rlmi::{ListNotification, ResourceList};
use presence_pidf::subscription::{BatchSubscription, SetContainerMembers};
use presence_pidf::watcherinfo::WatcherInfo;
use presence_pidf::{Error, Limits, Rule};

#[expect(clippy::needless_pass_by_value, reason = "what a reader gave")]
fn rule<T: std::fmt::Debug>(read: Result<T, Error>) -> Option<Rule> {
    match read {
        Err(Error::Malformed { rule, .. }) => Some(rule),
        _ => None,
    }
}

/// What every reader says of a body; none may take it.
fn all(body: &[u8]) -> Vec<Rule> {
    let of = |rule: Option<Rule>| rule.expect("a refusal");
    vec![
        of(rule(Presence::parse(body, Reading::Strict))),
        of(rule(Presence::parse(body, Reading::Lenient))),
        of(rule(RoamingData::parse(body))),
        of(rule(parse_publish(body))),
        of(rule(EventCategories::parse(body))),
        of(rule(ResourceList::parse(body))),
        of(rule(BatchSubscription::parse(body))),
        of(rule(SetContainerMembers::parse(body))),
        of(rule(ContactList::parse(body))),
        of(rule(Fault::parse(body))),
    ]
}

fn pidf(content: &str) -> Option<Rule> {
    let body = format!("<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>{content}</presence>");
    let strict = rule(Presence::parse(body.as_bytes(), Reading::Strict));
    let lenient = rule(Presence::parse(body.as_bytes(), Reading::Lenient));
    assert_eq!(strict, lenient, "well-formedness is enforced by both: {content}");
    strict
}

#[test]
fn a_document_type_is_refused_before_anything_is_expanded() {
    for body in [
        "<!DOCTYPE presence>",
        "<!DOCTYPE presence SYSTEM 'http://evil.example/a.dtd'><presence/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<?xml version='1.0'?>\n<!-- --> <!DOCTYPE a [<!ENTITY b 'b'><!ENTITY c '&b;&b;'>]><a>&c;</a>",
    ] {
        for found in all(body.as_bytes()) {
            assert_eq!(found, Rule::DocumentType, "{body}");
        }
    }
    assert_eq!(pidf("<!DOCTYPE a>"), Some(Rule::DocumentType), "inside, too");
    assert_eq!(pidf("<note>&nbsp;</note>"), Some(Rule::Entity));
}

#[test]
fn octets_that_are_no_utf8_are_refused_and_a_wrong_word_about_them_is_not() {
    for bytes in [&b"\xff\xfe<\0a\0/\0>\0"[..], b"<a>\xc3</a>", b"<a>\xed\xa0\x80</a>", b"<a>\xc0\xbc</a>"] {
        for found in all(bytes) {
            assert_eq!(found, Rule::Utf8);
        }
    }
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:\xe4@b'/>";
    assert_eq!(rule(Presence::parse(latin, Reading::Lenient)), Some(Rule::Utf8));
    let said = "<?xml version='1.0' encoding='utf-16'?><presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'/>";
    assert!(Presence::parse(said.as_bytes(), Reading::Strict).is_ok(), "it says utf-16 and is UTF-8");
}

#[test]
fn a_root_of_another_name_or_namespace_is_refused() {
    for body in [
        "<presence entity='sip:a@b'/>",
        "<presence xmlns='urn:other' entity='sip:a@b'/>",
        "<Presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'/>",
        "<list xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'/>",
    ] {
        for reading in [Reading::Strict, Reading::Lenient] {
            assert_eq!(rule(Presence::parse(body.as_bytes(), reading)), Some(Rule::Root), "{body}");
        }
    }
    for found in all(b"<other xmlns='urn:other'/>") {
        assert_eq!(found, Rule::Root);
    }
    for content_type in ["application/pidf+xml", "application/rlmi+xml", "application/watcherinfo+xml"] {
        let read =
            presence_pidf::Body::parse(Some(content_type), b"<other xmlns='urn:other'/>", Reading::Lenient);
        assert_eq!(rule(read), Some(Rule::Root), "{content_type}");
    }
}

#[test]
fn what_has_to_be_named_is_named() {
    let missing = Some(Rule::AttributeMissing);
    let ns = "urn:ietf:params:xml:ns:pidf";
    for reading in [Reading::Strict, Reading::Lenient] {
        assert_eq!(rule(Presence::parse(format!("<presence xmlns='{ns}'/>").as_bytes(), reading)), missing);
    }
    assert_eq!(pidf("<tuple><status/></tuple>"), missing);
    let categories = "http://schemas.microsoft.com/2006/09/sip/categories";
    let body = format!("<categories xmlns='{categories}'/>");
    assert_eq!(rule(EventCategories::parse(body.as_bytes())), missing);
    assert_eq!(
        rule(ResourceList::parse(
            b"<list xmlns='urn:ietf:params:xml:ns:rlmi' version='1' fullState='true'/>"
        )),
        missing
    );
    let winfo = "urn:ietf:params:xml:ns:watcherinfo";
    assert_eq!(
        rule(WatcherInfo::parse(format!("<watcherinfo xmlns='{winfo}' version='0'/>").as_bytes())),
        missing
    );
    let body = "<contactList><contact name='a'/></contactList>";
    assert_eq!(rule(ContactList::parse(body.as_bytes())), missing);
}

#[test]
fn what_is_no_xml_is_refused() {
    let formed = Some(Rule::WellFormed);
    for (body, wanted) in [
        ("<a/><b/>", Rule::OneRoot),
        ("<a/>text", Rule::OneRoot),
        ("", Rule::OneRoot),
        ("text", Rule::OneRoot),
    ] {
        assert_eq!(
            rule(presence_pidf::category::OpaqueContent::parse(body.as_bytes())),
            Some(wanted),
            "{body:?}"
        );
    }
    assert_eq!(pidf("<a xmlns='u:a'></b>"), formed);
    assert_eq!(pidf("<a xmlns='u:a'>"), formed);
    assert_eq!(pidf("<a xmlns='u:a' b='<'/>"), formed);
    assert_eq!(pidf("<note>]]></note>"), formed);
    assert_eq!(pidf("<!-- -- -->"), formed);
    let twice = Some(Rule::DuplicateAttribute);
    assert_eq!(pidf("<a xmlns='u:a' b='1' b='2'/>"), twice);
    assert_eq!(
        pidf("<a xmlns='u:a' xmlns:p='u:x' xmlns:q='u:x' p:b='1' q:b='2'/>"),
        twice,
        "by two prefixes"
    );
    assert_eq!(pidf("<p:a/>"), Some(Rule::Prefix));
    assert_eq!(pidf("<a xmlns='u:a' p:b='1'/>"), Some(Rule::Prefix));
    for text in ["\u{1}", "\u{0}", "&#0;", "&#x1f;", "&#xD800;", "&#x110000;", "\u{ffff}"] {
        assert_eq!(pidf(&format!("<note>{text}</note>")), Some(Rule::Character), "{text:?}");
    }
}

#[test]
fn presence_of_somebody_else_is_not_taken() {
    use presence_pidf::notifier::{Notifier, NotifierConfig, Refusal};
    use presence_pidf::own_presence::OwnPresence;

    // What is published, for another user.
    #[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
    let now = std::time::Instant::now();
    let mut notifier = Notifier::new(now, NotifierConfig::new("example.net"));
    let body = include_bytes!("vectors/sipe/publish-online.xml");
    assert_eq!(notifier.publish(now, "sip:bob@lab.test", "pc", body), Err(Refusal::AnotherUser));
    assert_eq!(notifier.publications("sip:alice@lab.test").count(), 0);
    // What is told of oneself, about another user.
    let mut own = OwnPresence::new("sip:bob@lab.test");
    own.take(RoamingData::parse(include_bytes!("vectors/sipe-report.xml")).expect("a good body"));
    assert_eq!(own.categories().count(), 0);
    // A part of a list that is about another contact than the list says.
    let list = "<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:l@b' version='1' fullState='true'>\
        <resource uri='sip:a@b'><instance id='0' state='active' cid='1'/></resource></list>";
    let part = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:eve@b'/>";
    let body = format!(
        "--x\r\nContent-Type: application/rlmi+xml\r\n\r\n{list}\r\n--x\r\nContent-ID: <1>\r\n\
         Content-Type: application/pidf+xml\r\n\r\n{part}\r\n--x--"
    );
    let read = ListNotification::parse("multipart/related; boundary=x", body.as_bytes()).expect("a list");
    assert_eq!(read.contacts, []);
}

#[test]
fn what_is_beyond_the_limits_is_refused_and_what_is_at_them_is_not() {
    let Limits { depth, attributes, namespaces, elements, octets, .. } = Limits::DOCUMENT;
    let nested = |number: usize| format!("{}{}", "<a xmlns='u:a'>".repeat(number), "</a>".repeat(number));
    assert_eq!(pidf(&nested(depth - 1)), None);
    assert_eq!(pidf(&nested(depth)), Some(Rule::Depth));
    let numbered = |number: usize, text: &str| -> String {
        (0..number).fold(String::new(), |all, at| all + &text.replace('#', &at.to_string()))
    };
    let many = |number: usize| numbered(number, " b#='1'");
    assert_eq!(pidf(&format!("<a xmlns='u:a'{}/>", many(attributes - 1))), None);
    assert_eq!(pidf(&format!("<a xmlns='u:a'{}/>", many(attributes))), Some(Rule::Attributes));
    let spaces = |number: usize| {
        let ends = "</n>".repeat(number);
        format!("<a xmlns='u:a'>{}{ends}</a>", numbered(number, "<n xmlns:p#='u:#'>"))
    };
    assert_eq!(pidf(&spaces(depth - 2)), None);
    let wide = numbered(namespaces, " xmlns:p#='u:#'");
    assert_eq!(pidf(&format!("<a xmlns='u:a'{wide}/>")), Some(Rule::Attributes));
    assert_eq!(pidf(&"<a xmlns='u:a'/>".repeat(elements - 1)), None);
    assert_eq!(pidf(&"<a xmlns='u:a'/>".repeat(elements)), Some(Rule::Elements));
    assert_eq!(pidf(&" ".repeat(octets)), Some(Rule::Length));
    let empty = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'></presence>".len();
    assert_eq!(pidf(&" ".repeat(octets - empty)), None);
    assert_eq!(pidf(&" ".repeat(octets - empty + 1)), Some(Rule::Length));
    // Three are in scope where the inner elements begin: none, that of `xml`, and the document's own; the outer one adds its own.
    let two = |number: usize| {
        let (outer, inner) = (numbered(30, " xmlns:p#='u:#'"), numbered(number, " xmlns:q#='v:#'"));
        format!("<a xmlns='u:a'{outer}><b{inner}/></a>")
    };
    assert_eq!(pidf(&two(namespaces - 34)), None);
    assert_eq!(pidf(&two(namespaces - 33)), Some(Rule::Attributes));
    // Unknown elements and attributes of others are no reason to refuse.
    assert_eq!(pidf("<a xmlns='u:a' xmlns:p='u:p' p:b='1'><p:c/></a>"), None);
}
