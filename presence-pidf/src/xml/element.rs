//! A small tree for what is kept as it came: unknown categories, and documents that are patched.

use bytes::BytesMut;

use super::namespace::XML;
use super::reader::{BLANKS, Name, Reader};
use super::writer::Writer;
use crate::error::{Error, Limits};

/// A part of an element's content.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

/// An element with its namespace resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Element {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String, String)>,
    pub(crate) content: Vec<Node>,
}

impl Element {
    /// Reads the element that the reader has entered, to its end.
    pub(crate) fn read(reader: &mut Reader<'_>, name: &Name<'_>) -> Result<Self, Error> {
        let attribute = |attribute: &super::start_tag::Attribute| {
            (
                reader.attribute_uri(attribute).to_owned(),
                reader.local_of(attribute).to_owned(),
                reader.value_of(attribute).into_owned(),
            )
        };
        let mut element = Self {
            namespace: reader.uri(name).to_owned(),
            name: name.local.to_owned(),
            attributes: reader.attributes().iter().map(attribute).collect(),
            content: Vec::new(),
        };
        loop {
            let mut text = String::new();
            let child = reader.mixed(&mut text)?;
            if !text.is_empty() {
                element.content.push(Node::Text(text));
            }
            let Some(child) = child else { return Ok(element) };
            // The depth limit of the reader bounds this recursion.
            let child = Self::read(reader, &child)?;
            element.content.push(Node::Element(child));
        }
    }

    /// Reads a whole document.
    pub(crate) fn parse(body: &[u8], limits: Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(body, limits)?;
        let name = reader.root()?;
        let root = Self::read(&mut reader, &name)?;
        reader.finish()?;
        Ok(root)
    }

    pub(crate) fn children(&self) -> impl Iterator<Item = &Self> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    pub(crate) fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(of, local, _)| local == name && of == namespace);
        found.map(|(.., value)| value.as_str())
    }

    /// The text of the element without the blanks around it, and without that of its children.
    pub(crate) fn text(&self) -> String {
        let text: String = self
            .content
            .iter()
            .filter_map(|node| match node {
                Node::Text(text) => Some(text.as_str()),
                Node::Element(_) => None,
            })
            .collect();
        text.trim_matches(BLANKS).to_owned()
    }

    /// Appends the element, with a default namespace wherever it changes.
    pub(crate) fn write(&self, around: &str, out: &mut Writer<'_>) {
        out.raw("<").raw(&self.name);
        if self.namespace != around {
            out.attribute(" xmlns=\"", &self.namespace);
        }
        let mut foreign: Vec<&str> = Vec::new();
        for (namespace, name, value) in &self.attributes {
            if namespace.is_empty() {
                out.raw(" ").raw(name);
            } else if namespace == XML {
                out.raw(" xml:").raw(name);
            } else {
                let known = foreign.iter().position(|known| *known == namespace);
                let index = known.unwrap_or(foreign.len());
                if known.is_none() {
                    foreign.push(namespace);
                    out.raw(" xmlns:n").number(index as u64).attribute("=\"", namespace);
                }
                out.raw(" n").number(index as u64).raw(":").raw(name);
            }
            out.attribute("=\"", value);
        }
        if self.content.is_empty() {
            out.raw("/>");
            return;
        }
        out.raw(">");
        for node in &self.content {
            match node {
                Node::Element(element) => element.write(&self.namespace, out),
                Node::Text(text) => {
                    out.text(text);
                }
            }
        }
        out.raw("</").raw(&self.name).raw(">");
    }

    pub(crate) fn to_text(&self) -> String {
        let mut out = BytesMut::new();
        self.write("", &mut Writer::new(&mut out, 256));
        String::from_utf8_lossy(&out).into_owned()
    }
}
