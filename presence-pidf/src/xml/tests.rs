//! What the reader accepts and refuses.

use bytes::BytesMut;

use super::*;
use crate::error::{Error, Limits, Rule};

fn parse(body: &[u8]) -> Result<Element, Error> {
    Element::parse(body, Limits::DOCUMENT)
}

fn rule(body: &str) -> Rule {
    match parse(body.as_bytes()) {
        Ok(element) => panic!("{body:?} was accepted: {element:?}"),
        Err(Error::Malformed { at, rule }) => {
            assert!(at <= body.len(), "{at} lies outside");
            rule
        }
    }
}

/// So many attributes.
fn numbered(count: usize, name: &str, value: &str) -> String {
    (0..count).fold(String::new(), |text, number| format!("{text} {name}{number}='{value}'"))
}

#[test]
fn a_namespace_is_read_as_the_value_of_an_attribute() {
    for (written, read) in
        [("u:1&#9;", "u:1\t"), ("u:1\t", "u:1 "), ("u:&amp;1", "u:&1"), ("u:1\r\n", "u:1 ")]
    {
        let body = format!("<a xmlns='{written}'/>");
        assert_eq!(parse(body.as_bytes()).expect("a good document").namespace, read, "{written:?}");
    }
    assert_eq!(rule("<a xmlns='u:&b;'/>"), Rule::Entity);
    assert_eq!(rule("<a xmlns='u:&#1;'/>"), Rule::Character);
}

#[test]
fn names_are_resolved_and_texts_joined() {
    let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n<!-- c --><?p i?><p:a xmlns:p='u:1' xmlns='u:2' x='1 &amp; 2\n3' p:x='3'>\
                op<!-- x -->e<![CDATA[n<]]>&#x21;\r\n<b/>]]</p:a >\n<!-- e -->";
    let root = parse(body.as_bytes()).expect("a good document");
    assert_eq!((root.namespace.as_str(), root.name.as_str()), ("u:1", "a"));
    assert_eq!((root.attribute("", "x"), root.attribute("u:1", "x")), (Some("1 & 2 3"), Some("3")));
    assert_eq!(root.text(), "open<!\n]]");
    assert!(root.children().any(|child| child.namespace == "u:2" && child.name == "b"));
    assert_eq!(root.content.len(), 3, "text, element, text");
    assert!(matches!(root.content.first(), Some(Node::Text(text)) if text == "open<!\n"));
}

#[test]
fn broken_documents_are_refused_by_the_rule_they_break() {
    let deep = "<a>".repeat(40) + &"</a>".repeat(40);
    let many = format!("<a>{}</a>", "<b/>".repeat(6000));
    let wide = format!("<a {}/>", numbered(70, "a", ""));
    let spaces = format!("<a {}/>", numbered(90, "xmlns:a", "u"));
    let nested = (0..30).fold(String::new(), |text, at| {
        format!("{text}<a{}>", (0..5).fold(String::new(), |text, n| format!("{text} xmlns:p{at}q{n}='u'")))
    });
    let long = format!("<a>&#{}65;</a>", "0".repeat(100));
    for (body, expected) in [
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", Rule::DocumentType),
        ("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", Rule::DocumentType),
        ("<a><!DOCTYPE a></a>", Rule::DocumentType),
        ("<a/><!DOCTYPE a>", Rule::DocumentType),
        ("<a>&b;</a>", Rule::Entity),
        ("<a>&amp</a>", Rule::Entity),
        ("<a>& </a>", Rule::Entity),
        ("<a b='&c;'/>", Rule::Entity),
        (&long, Rule::Entity),
        ("<a>&#0;</a>", Rule::Character),
        ("<a>&#xd800;</a>", Rule::Character),
        ("<a>&#x110000;</a>", Rule::Character),
        ("<a>&#xFFFE;</a>", Rule::Character),
        ("<a>&#+65;</a>", Rule::Character),
        ("<a>&#x;</a>", Rule::Character),
        ("<a b='&#1;'/>", Rule::Character),
        ("<a>\u{1}</a>", Rule::Character),
        ("<a>\u{ffff}</a>", Rule::Character),
        ("<a b='\u{b}'/>", Rule::Character),
        ("<a><![CDATA[\u{1}]]></a>", Rule::Character),
        ("<!--\u{1}--><a/>", Rule::Character),
        ("\u{1}<a/>", Rule::Character),
        ("<a/><b/>", Rule::OneRoot),
        ("<a/>text", Rule::OneRoot),
        ("text<a/>", Rule::OneRoot),
        ("<a/>&amp;", Rule::OneRoot),
        ("", Rule::OneRoot),
        ("<!-- only -->", Rule::OneRoot),
        ("<a><b></a></b>", Rule::WellFormed),
        ("<a></ab>", Rule::WellFormed),
        ("<ab></a>", Rule::WellFormed),
        ("<a>", Rule::WellFormed),
        ("<a", Rule::WellFormed),
        ("<a b='", Rule::WellFormed),
        ("<a b", Rule::WellFormed),
        ("<a b=1/>", Rule::WellFormed),
        ("<a b='1'c='2'/>", Rule::WellFormed),
        ("<a b='<'/>", Rule::WellFormed),
        ("<a / >", Rule::WellFormed),
        ("< a/>", Rule::WellFormed),
        ("<1/>", Rule::WellFormed),
        ("<a:/>", Rule::WellFormed),
        ("<:a/>", Rule::WellFormed),
        ("<a:b:c/>", Rule::WellFormed),
        ("<a>]]></a>", Rule::WellFormed),
        ("<a><![CDATA[</a>", Rule::WellFormed),
        ("<a><![cdata[]]></a>", Rule::WellFormed),
        ("<!-- a -- b --><a/>", Rule::WellFormed),
        ("<!-- a", Rule::WellFormed),
        ("<!-- a --->", Rule::WellFormed),
        ("<?xml version='1.0'?><?xml version='1.0'?><a/>", Rule::WellFormed),
        ("\n<?xml version='1.0'?><a/>", Rule::WellFormed),
        ("<?xml encoding='UTF-8'?><a/>", Rule::WellFormed),
        ("<?xml version='1.0' standalone='maybe'?><a/>", Rule::WellFormed),
        ("<?xml version='1.0'encoding='UTF-8'?><a/>", Rule::WellFormed),
        ("<?xml version='2.0'?><a/>", Rule::WellFormed),
        ("<?xml ?><a/>", Rule::WellFormed),
        ("<??><a/>", Rule::WellFormed),
        ("<a b='1' b='2'/>", Rule::DuplicateAttribute),
        ("<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", Rule::DuplicateAttribute),
        ("<a xmlns='u' xmlns='v'/>", Rule::DuplicateAttribute),
        ("<p:a/>", Rule::Prefix),
        ("<a p:b=''/>", Rule::Prefix),
        ("<a><b xmlns:p='u'/><p:c/></a>", Rule::Prefix),
        ("<a xmlns:p=''/>", Rule::Prefix),
        ("<a xmlns:xmlns='u'/>", Rule::Prefix),
        ("<a xmlns:xml='u'/>", Rule::Prefix),
        (&deep, Rule::Depth),
        (&many, Rule::Elements),
        (&wide, Rule::Attributes),
        (&spaces, Rule::Attributes),
        (&nested, Rule::Attributes),
    ] {
        assert_eq!(rule(body), expected, "{}", &body[..body.len().min(60)]);
    }
    let long = vec![b' '; Limits::DOCUMENT.octets + 1];
    assert!(matches!(parse(&long), Err(Error::Malformed { rule: Rule::Length, .. })));
    assert!(matches!(parse(b"<a>\xff</a>"), Err(Error::Malformed { at: 3, rule: Rule::Utf8 })));
}

#[test]
fn namespaces_that_are_out_of_scope_take_no_room() {
    let body = format!("<a>{}</a>", "<b xmlns='u:1' xmlns:p='u:2' p:c=''/>".repeat(500));
    assert!(parse(body.as_bytes()).is_ok(), "a thousand declarations, two at a time");
}

#[test]
fn a_declared_prefix_ends_with_its_element_and_an_inner_one_hides_the_outer() {
    let root = parse(b"<p:a xmlns:p='u:1'><p:b xmlns:p='u:2'/><p:c/><d xmlns=''/></p:a>").expect("good");
    let found: Vec<_> = root.children().map(|child| child.namespace.as_str()).collect();
    assert_eq!(found, ["u:2", "u:1", ""]);
}

#[test]
fn prefixes_that_begin_alike_are_told_apart() {
    let spaces = "xmlns:abcdefg='u:7' xmlns:abcdefgh='u:8' xmlns:abcdefghi='u:9' xmlns:abcdefghj='u:10'";
    let names = ["abcdefghj:a", "abcdefghi:a", "abcdefgh:a", "abcdefg:a"];
    let body = names.iter().fold(format!("<b {spaces}>"), |body, name| body + &format!("<{name}/>")) + "</b>";
    let root = parse(body.as_bytes()).expect("good");
    let found: Vec<_> = root.children().map(|child| child.namespace.as_str()).collect();
    assert_eq!(found, ["u:10", "u:9", "u:8", "u:7"]);
    let attributes: Vec<String> = names.iter().map(|name| format!("{name}='1'")).collect();
    assert!(parse(format!("<b {spaces} {}/>", attributes.join(" ")).as_bytes()).is_ok(), "four namespaces");
    for unbound in ["abcdefghk", "abcdef", "abcdefghij", "abcdefgg"] {
        assert_eq!(rule(&format!("<b {spaces}><{unbound}:a/></b>")), Rule::Prefix, "{unbound}");
        assert_eq!(rule(&format!("<b {spaces} {unbound}:a='1'/>")), Rule::Prefix, "{unbound}");
    }
    // Short bodies: the octets behind a name are fewer than are looked at together.
    assert_eq!(rule("<b xmlns:abcdefghi='u'><abcdefgh:a/></b>"), Rule::Prefix);
    assert_eq!(rule("<b xmlns:abcdefghi='u' abcdefgh:a=''/>"), Rule::Prefix);
}

#[test]
fn names_of_every_length_end_with_themselves_alone() {
    for length in 1..50 {
        for prefix in ["", "p:", "prefixes:", "a-prefix-of-some-length:"] {
            let name = format!("{prefix}{}", "abcdefghij".repeat(5).split_at(length).0);
            let space = prefix.trim_end_matches(':');
            let space = if space.is_empty() { "xmlns".to_owned() } else { format!("xmlns:{space}") };
            for room in ["", "<!-- so that there is room behind the end -->"] {
                let body = |end: &str| format!("<{name} {space}='u'>x</{end}>{room}");
                let root = parse(body(&name).as_bytes()).expect("a good document");
                assert_eq!((root.namespace.as_str(), root.name.len()), ("u", length), "{name}");
                for place in 0..name.len() {
                    let mut end = name.clone();
                    end.replace_range(place..=place, "Z");
                    assert_eq!(rule(&body(&end)), Rule::WellFormed, "{name} and {end}");
                }
                assert_eq!(rule(&body(&format!("{name}a"))), Rule::WellFormed);
                assert_eq!(rule(&body(&name[..name.len() - 1])), Rule::WellFormed);
            }
        }
    }
}

#[test]
fn a_name_has_one_colon_at_most_however_much_stands_behind_it() {
    let room = "<!-- so that there is room behind the end -->";
    for name in ["a:b:c", "a::b", ":a", "a:", "a:1", "a:-b"] {
        assert_eq!(rule(&format!("<{name} xmlns:a='u' xmlns:b='u'/>{room}")), Rule::WellFormed, "{name}");
        assert_eq!(
            rule(&format!("<a xmlns:a='u' xmlns:b='u' {name}='1'/>{room}")),
            Rule::WellFormed,
            "{name}"
        );
    }
}

#[test]
fn references_and_what_they_stand_for_need_no_end_in_sight() {
    let of = |text: &str| parse(format!("<a>{text}</a>").as_bytes()).map(|root| root.text());
    assert_eq!(of("&lt;b&gt; &amp;amp; &quot;&apos;&#65;&#x42;"), Ok("<b> &amp; \"'AB".to_owned()));
    assert_eq!(of("a&amp;<!-- -->b&amp;<c/>d]]<![CDATA[&amp;]]>\r\n&amp;"), Ok("a&b&d]]&amp;\n&".to_owned()));
    for broken in ["&amp", "&;", "&a;", "&amp;&", "x&amp;]]>", "&#xd800;"] {
        assert!(of(broken).is_err(), "{broken}");
    }
}

#[test]
fn what_was_escaped_is_read_as_it_was() {
    let text = "a<b>&\"c'\u{e4}\t\n\r\u{ff00}\u{1f600}";
    let mut body = BytesMut::new();
    Writer::new(&mut body, 0).raw("<a").attribute(" b=\"", text).raw(">").text(text).raw("</a>");
    let root = parse(&body).expect("escaped text is good");
    assert_eq!(root.attribute("", "b"), Some(text));
    assert_eq!(root.content, [Node::Text(text.to_owned())]);
    let mut out = BytesMut::new();
    Writer::new(&mut out, 0).text("\u{0}\u{fffe}").number(0u64).number(u64::MAX);
    assert_eq!(&out[..], b"  018446744073709551615");
}

#[test]
fn a_tree_is_written_so_that_it_reads_the_same() {
    let body =
        b"<a xmlns='u:1' xmlns:q='u:2' q:b='1' q:c='2' xml:lang='de'>x<q:d><e/></q:d><f xmlns=''>y</f></a>";
    let root = parse(body).expect("good");
    let text = root.to_text();
    assert_eq!(parse(text.as_bytes()).as_ref(), Ok(&root), "{text}");
}
