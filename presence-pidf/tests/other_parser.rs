//! The reader of this crate against roxmltree: the same documents are accepted, and they say the same. `DOCUMENTS` of each kind are
//! made up (default 600).

use presence_pidf::category::OpaqueContent;
use proptest::prelude::*;
use proptest::sample::Index;

/// What another hand makes of it: a document as we would write it.
fn theirs(body: &str) -> Result<String, roxmltree::Error> {
    let document = roxmltree::Document::parse(body)?;
    let mut out = String::new();
    write(document.root_element(), &mut out);
    Ok(out)
}

/// A form that does not depend on prefixes: names with namespaces, attributes in order, texts joined.
fn write(node: roxmltree::Node<'_, '_>, out: &mut String) {
    let name = node.tag_name();
    out.push_str(&format!("({:?} {:?}", name.namespace().unwrap_or(""), name.name()));
    for attribute in node.attributes() {
        let namespace = attribute.namespace().unwrap_or("");
        out.push_str(&format!(" {namespace:?} {:?}={:?}", attribute.name(), attribute.value()));
    }
    let mut text = String::new();
    for child in node.children() {
        if child.is_text() {
            text.push_str(child.text().unwrap_or_default());
        } else if child.is_element() {
            flush(&mut text, out);
            write(child, out);
        }
    }
    flush(&mut text, out);
    out.push(')');
}

fn flush(text: &mut String, out: &mut String) {
    if !text.is_empty() {
        out.push_str(&format!(" {text:?}"));
        text.clear();
    }
}

/// The same form of what this crate read: written by it, read by the other.
fn ours(body: &str) -> Result<String, presence_pidf::Error> {
    let read = OpaqueContent::parse(body.as_bytes())?.text();
    Ok(theirs(&read).unwrap_or_else(|error| panic!("we wrote {read:?}: {error}")))
}

/// Where the two differ on purpose: they are laxer there than the standard, or have no limits.
fn differ_on_purpose(body: &str, theirs: &str) -> bool {
    let reference = |digits: &str| {
        let (digits, radix) = digits.strip_prefix('x').map_or((digits, 10), |digits| (digits, 16));
        let digits = digits.split(';').next().unwrap_or_default();
        u32::from_str_radix(digits, radix).map_or(true, |number| {
            char::from_u32(number).is_none_or(|character| matches!(character, '\u{fffe}' | '\u{ffff}' | '\0'))
        })
    };
    // The target of an instruction is a name, and a blank follows it (Namespaces in XML 1.0 7: without colon).
    let target = |text: &str| {
        let inside = text.split("?>").next().unwrap_or_default();
        let target = inside.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        !target.chars().all(|character| character.is_ascii_alphanumeric())
            || target.eq_ignore_ascii_case("xml")
    };
    body.split("&#").skip(1).any(reference)
        || body.split("<?").skip(1).any(target)
        // A name that begins with a colon.
        || body.as_bytes().windows(2).any(|pair| matches!(pair, [before, b':'] if b" \t\r\n</\"'".contains(before)))
        || theirs.contains("xmlns")
        || body.contains(":xmlns")
        || body.contains("=''")
        || body.contains("=\"\"")
        || body.matches('<').count() > 5000
}

fn agree(body: &str) {
    match (ours(body), theirs(body)) {
        // They leave a carriage return that stands alone before a reference.
        (Ok(ours), Ok(theirs)) if body.contains("\r&") => {
            assert_eq!(ours.replace("\\r", "\\n"), theirs.replace("\\r", "\\n"), "{body}");
        }
        // They take `p:xmlns` for a declaration.
        (Ok(_), Ok(_)) if body.contains(":xmlns") => {}
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{body}"),
        (Err(_), Err(_)) => {}
        (Ok(_), Err(error)) => panic!("they refuse what we take: {error}\n{body}"),
        (Err(error), Ok(theirs)) => {
            // They do not see that a namespace is declared twice.
            let twice = body.matches("xmlns").count() > 1
                && error.to_string().contains(&presence_pidf::Rule::DuplicateAttribute.to_string());
            assert!(twice || differ_on_purpose(body, &theirs), "we refuse what they take: {error}\n{body}");
        }
    }
}

const DOCUMENTS: [&str; 6] = [
    include_str!("vectors/pidf-rpid.xml"),
    include_str!("vectors/lync-categories.xml"),
    include_str!("vectors/lync-publish.xml"),
    include_str!("vectors/sipe-publish.xml"),
    include_str!("vectors/sipe-report.xml"),
    "<?xml version='1.0' encoding=\"utf-8\" standalone='no' ?><!-- c --><p:a xmlns:p='u:1' p:b='&lt;\t&#9;'>t<![CDATA[<&]]>\r\n<?i ?><c xmlns='u:2' d='e'/></p:a >\n",
];

#[test]
fn recorded_documents_say_the_same() {
    for document in DOCUMENTS {
        assert_eq!(ours(document).expect("good"), theirs(document).expect("good"));
    }
}

fn cases() -> u32 {
    std::env::var("DOCUMENTS").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600)
}

/// Pieces that grammars are made of.
fn piece() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<",
        ">",
        "/",
        "=",
        "'",
        "\"",
        "&",
        ";",
        "<a>",
        "</a>",
        "<b/>",
        "&amp;",
        "&#65;",
        "&#x41;",
        "&lt",
        "<!--",
        "-->",
        "--",
        "<![CDATA[",
        "]]>",
        "]",
        "<?p ?>",
        "?>",
        " xmlns='u:1'",
        " xmlns:p='u:2'",
        "p:",
        " xmlns:abcdefgh='u:3'",
        " xmlns:abcdefghi='u:4'",
        "abcdefgh:",
        "abcdefghi:",
        ":",
        " c='d'",
        " xml:lang='e'",
        "\r\n",
        "\t",
        " ",
        "ä",
        "\u{fffd}",
        "\u{1}",
        "\u{ffff}",
        "<!DOCTYPE a>",
        "<?xml version='1.0'?>",
        "x",
        "1",
        "-",
    ]);
    pieces.prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn documents_with_something_more_or_less_are_judged_alike(
        which in 0..DOCUMENTS.len(),
        edits in prop::collection::vec((any::<Index>(), piece(), 0..4_usize), 1..4),
    ) {
        let mut text: Vec<char> = DOCUMENTS[which].chars().collect();
        for (place, piece, remove) in edits {
            let at = place.index(text.len() + 1);
            text.splice(at..(at + remove).min(text.len()), piece.chars());
        }
        agree(&text.into_iter().collect::<String>());
    }

    #[test]
    fn documents_made_of_pieces_are_judged_alike(pieces in prop::collection::vec(piece(), 0..14)) {
        agree(&pieces.concat());
        agree(&format!("<a>{}</a>", pieces.concat()));
        agree(&format!("<a {}>x</a>", pieces.concat()));
    }
}
