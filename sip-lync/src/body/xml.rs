//! Small XML documents as trees, with bounds: no document type, no foreign entities, no depth without end.

use core::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::error::{ParseError, Rule};

/// Longest document that is read.
const DOCUMENT_MAX: usize = 1 << 20;
/// Deepest nesting that is read.
const DEPTH_MAX: usize = 32;
/// Most elements of one document.
const ELEMENTS_MAX: usize = 20_000;
/// Most attributes of one element.
const ATTRIBUTES_MAX: usize = 64;

/// One element with what is in it; names are local ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// All text directly within, of all pieces.
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    /// Reads a document whose root has one of these names.
    pub(crate) fn parse(body: &[u8], roots: &[&str]) -> Result<Self, ParseError> {
        if body.len() > DOCUMENT_MAX {
            return Err(broken(DOCUMENT_MAX));
        }
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let text = core::str::from_utf8(body).map_err(|error| broken(error.valid_up_to()))?;
        let root = read(text.trim_start())?;
        if roots.iter().any(|name| *name == root.name) { Ok(root) } else { Err(broken(0)) }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The trimmed text, if there is any.
    pub(crate) fn value(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }

    /// The trimmed text of a child, if there is any.
    pub(crate) fn value_of(&self, name: &str) -> Option<&str> {
        self.child(name)?.value()
    }

    /// As [`Self::value_of`], owned.
    pub(crate) fn text_of(&self, name: &str) -> Option<String> {
        self.value_of(name).map(str::to_owned)
    }
}

pub(crate) const fn broken(at: usize) -> ParseError {
    ParseError::new(at, Rule::Document)
}

fn read(text: &str) -> Result<Element, ParseError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0_usize;
    loop {
        let at = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|_| broken(at))?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                elements += 1;
                if root.is_some() || open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX {
                    return Err(broken(at));
                }
                open.push(element(start).ok_or_else(|| broken(at))?);
                if matches!(event, Event::Empty(_)) {
                    close(&mut open, &mut root);
                }
            }
            Event::End(_) => close(&mut open, &mut root),
            Event::Text(text) => match open.last_mut() {
                Some(element) => element.text += text,
                None if text.trim().is_empty() => {}
                None => return Err(broken(at)),
            },
            Event::CData(text) => match open.last_mut() {
                Some(element) => element.text += text,
                None => return Err(broken(at)),
            },
            Event::GeneralRef(reference) => {
                let name: &str = reference;
                let escaped = format!("&{name};");
                let text = quick_xml::escape::unescape(&escaped).map_err(|_| broken(at))?;
                match open.last_mut() {
                    Some(element) => element.text += &text,
                    None => return Err(broken(at)),
                }
            }
            Event::Eof => return root.filter(|_| open.is_empty()).ok_or_else(|| broken(at)),
            Event::DocType(_) => return Err(broken(at)),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn element(start: &BytesStart<'_>) -> Option<Element> {
    let mut element =
        Element { name: AsRef::<str>::as_ref(&start.local_name()).to_owned(), ..Element::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        if element.attributes.len() >= ATTRIBUTES_MAX {
            return None;
        }
        let local = attribute.key.local_name();
        let raw: &str = &attribute.value;
        let value = quick_xml::escape::unescape(raw).ok()?;
        element.attributes.push((AsRef::<str>::as_ref(&local).to_owned(), value.into_owned()));
    }
    Some(element)
}

fn close(open: &mut Vec<Element>, root: &mut Option<Element>) {
    if let Some(element) = open.pop() {
        match open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => *root = Some(element),
        }
    }
}

/// Writes documents: what is between the marks is escaped.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) String);

impl Writer {
    /// Text that is XML already.
    pub(crate) fn raw(&mut self, text: &str) -> &mut Self {
        self.0.push_str(text);
        self
    }

    /// ` name="value"`.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        let _ = write!(self.0, " {name}=\"");
        self.text(value);
        self.0.push('"');
        self
    }

    /// Text between marks. Characters that no document may have are left out.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' | '\r' => self.0.push(' '),
                c if c.is_control() => {}
                c => self.0.push(c),
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_local_names_and_whole_texts() {
        let root = Element::parse(
            b"<?xml version=\"1.0\"?>\r\n<a:r xmlns:a=\"u\"><a:b x:c=\"1 &amp; 2\">t&lt;<!-- no -->u<![CDATA[<v>]]></a:b></a:r>",
            &["r"],
        )
        .unwrap();
        assert_eq!(root.child("b").unwrap().attribute("c"), Some("1 & 2"));
        assert_eq!(root.value_of("b"), Some("t<u<v>"));
    }

    #[test]
    fn what_no_peer_may_send_is_refused() {
        let deep = "<a>".repeat(33) + &"</a>".repeat(33);
        let names: Vec<String> = (0..65).map(|n| format!("b{n}=\"\"")).collect();
        let wide = format!("<a {}/>", names.join(" "));
        let many = format!("<a>{}</a>", "<b/>".repeat(20_000));
        for document in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><a/>",
            "<a/>text",
            "<b/>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<a>&x;</a>",
            "<a b=\"1\" b=\"2\"/>",
            &deep,
            &wide,
            &many,
        ] {
            assert!(Element::parse(document.as_bytes(), &["a"]).is_err(), "{document:.60}");
        }
        assert!(Element::parse(b"<a>\xff</a>", &["a"]).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut writer = Writer::default();
        writer.raw("<a").attribute("b", "<\"&\">\u{1}").raw(">").text("x & y").raw("</a>");
        let root = Element::parse(writer.0.as_bytes(), &["a"]).unwrap();
        assert_eq!((root.attribute("b"), root.value()), (Some("<\"&\">"), Some("x & y")));
    }
}
