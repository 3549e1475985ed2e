//! One change to a document.

use crate::error::{Error, Rule};
use crate::partial::selector::{Scope, Selector, Target, element_at};
use crate::xml::{BLANKS, Element, Namespace, Node, Reader, is_name};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    /// Where it stands in the body.
    at: usize,
    selector: Selector,
    kind: Kind,
    content: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Add(Place),
    Replace,
    Remove { before: bool, after: bool },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Append,
    Prepend,
    Before,
    After,
    Attribute {
        namespace: String,
        name: String,
    },
    /// A prefix for a namespace: documents are kept without prefixes, so there is nothing to do.
    Declaration,
}

impl Operation {
    /// All changes of the root that the reader has entered.
    pub(super) fn read_all(reader: &mut Reader<'_>) -> Result<Vec<Self>, Error> {
        let mut operations = Vec::new();
        while let Some(child) = reader.child()? {
            if child.namespace != Namespace::PidfDiff {
                reader.skip()?;
                continue;
            }
            let scope: Scope =
                reader.scope().map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned())).collect();
            let kind = match child.local {
                "add" => Kind::Add(place(reader, &scope)?),
                "replace" => Kind::Replace,
                "remove" => {
                    let spaces = reader.attribute("ws");
                    let (before, after) = match spaces.as_deref() {
                        None => (false, false),
                        Some("before") => (true, false),
                        Some("after") => (false, true),
                        Some("both") => (true, true),
                        Some(_) => return Err(reader.broken(Rule::AttributeValue)),
                    };
                    Kind::Remove { before, after }
                }
                _ => return Err(reader.broken(Rule::Order)),
            };
            let selector =
                Selector::parse(&reader.required("sel")?, &scope).map_err(|rule| reader.broken(rule))?;
            let Error::Malformed { at, .. } = reader.broken(Rule::Selector);
            let content = Element::read(reader, &child)?.content;
            operations.push(Self { at, selector, kind, content });
            if operations.len() > OPERATIONS_MAX {
                return Err(reader.broken(Rule::Elements));
            }
        }
        Ok(operations)
    }

    pub(super) fn apply(&self, root: &mut Element) -> Result<(), Error> {
        self.try_apply(root).map_err(|rule| Error::Malformed { at: self.at, rule })
    }

    fn try_apply(&self, root: &mut Element) -> Result<(), Rule> {
        let path = self.selector.locate(root)?;
        match (&self.selector.target, &self.kind) {
            (Target::Element, kind) => self.change_element(root, &path, kind),
            (Target::Attribute { namespace, name }, Kind::Replace | Kind::Remove { .. }) => {
                let element = element_mut(root, &path)?;
                let is_it = |(of, local, _): &(String, String, String)| of == namespace && local == name;
                let place = element.attributes.iter().position(is_it).ok_or(Rule::Unlocated)?;
                if self.kind == Kind::Replace {
                    if let Some((.., value)) = element.attributes.get_mut(place) {
                        *value = text_only(&self.content)?;
                    }
                } else {
                    element.attributes.remove(place);
                }
                Ok(())
            }
            (Target::Text(position), kind) => self.change_text(root, &path, *position, kind),
            // A prefix that changes its meaning, or is taken away while it is used, cannot be told from one that is not used.
            (Target::Declaration, Kind::Remove { .. }) => Ok(()),
            (Target::Declaration | Target::Attribute { .. }, _) => Err(Rule::Patch),
        }
    }

    fn change_element(&self, root: &mut Element, path: &[usize], kind: &Kind) -> Result<(), Rule> {
        match kind {
            Kind::Add(Place::Declaration) => Ok(()),
            Kind::Add(Place::Attribute { namespace, name }) => {
                let element = element_mut(root, path)?;
                if element.attribute(namespace, name).is_some() {
                    return Err(Rule::Patch);
                }
                element.attributes.push((namespace.clone(), name.clone(), text_only(&self.content)?));
                Ok(())
            }
            Kind::Add(Place::Append) => {
                let element = element_mut(root, path)?;
                let end = element.content.len();
                insert(element, end, &self.content);
                Ok(())
            }
            Kind::Add(Place::Prepend) => {
                insert(element_mut(root, path)?, 0, &self.content);
                Ok(())
            }
            Kind::Add(Place::Before | Place::After) => {
                let (at, parent) = path.split_last().ok_or(Rule::Patch)?;
                let at = if *kind == Kind::Add(Place::After) { at + 1 } else { *at };
                insert(element_mut(root, parent)?, at, &self.content);
                Ok(())
            }
            Kind::Replace => {
                let mut elements = self.content.iter().filter_map(|node| match node {
                    Node::Element(element) => Some(element),
                    Node::Text(_) => None,
                });
                let (Some(element), None) = (elements.next(), elements.next()) else {
                    return Err(Rule::Patch);
                };
                *element_mut(root, path)? = element.clone();
                Ok(())
            }
            Kind::Remove { before, after } => {
                let (at, parent) = path.split_last().ok_or(Rule::Patch)?;
                let parent = element_mut(root, parent)?;
                let mut at = *at;
                parent.content.remove(at);
                if *after {
                    remove_blank(parent, at)?;
                }
                if *before {
                    at = at.checked_sub(1).ok_or(Rule::Patch)?;
                    remove_blank(parent, at)?;
                }
                join(parent);
                Ok(())
            }
        }
    }

    fn change_text(
        &self,
        root: &mut Element,
        path: &[usize],
        position: Option<usize>,
        kind: &Kind,
    ) -> Result<(), Rule> {
        let element = element_mut(root, path)?;
        let is_text = |(at, node): (usize, &Node)| matches!(node, Node::Text(_)).then_some(at);
        let places: Vec<usize> = element.content.iter().enumerate().filter_map(is_text).collect();
        let at = match (position, &places[..]) {
            (Some(position), places) => places.get(position - 1).copied(),
            (None, [only]) => Some(*only),
            (None, _) => None,
        };
        let at = at.ok_or(Rule::Unlocated)?;
        match kind {
            Kind::Add(Place::Before) => insert(element, at, &self.content),
            Kind::Add(Place::After) => insert(element, at + 1, &self.content),
            Kind::Add(_) => return Err(Rule::Patch),
            Kind::Replace => {
                let text = text_only(&self.content)?;
                element.content.remove(at);
                if !text.is_empty() {
                    element.content.insert(at, Node::Text(text));
                }
            }
            Kind::Remove { before: false, after: false } => {
                element.content.remove(at);
            }
            Kind::Remove { .. } => return Err(Rule::Patch),
        }
        join(element);
        Ok(())
    }
}

/// Where something is added.
fn place(reader: &Reader<'_>, scope: &Scope) -> Result<Place, Error> {
    if let Some(kind) = reader.attribute("type") {
        let kind = kind.trim_matches(BLANKS);
        if let Some(prefix) = kind.strip_prefix("namespace::").filter(|prefix| is_name(prefix)) {
            let _ = prefix;
            return Ok(Place::Declaration);
        }
        let name = kind.strip_prefix('@').ok_or_else(|| reader.broken(Rule::Selector))?;
        let (prefix, name) = name.split_once(':').unwrap_or(("", name));
        if !is_name(name) {
            return Err(reader.broken(Rule::Selector));
        }
        let namespace = match prefix {
            "" => String::new(),
            prefix => {
                let found = scope.iter().rev().find(|(known, _)| known == prefix);
                found.map(|(_, uri)| uri.clone()).ok_or_else(|| reader.broken(Rule::Prefix))?
            }
        };
        return Ok(Place::Attribute { namespace, name: name.to_owned() });
    }
    match reader.attribute("pos").as_deref() {
        None => Ok(Place::Append),
        Some("prepend") => Ok(Place::Prepend),
        Some("before") => Ok(Place::Before),
        Some("after") => Ok(Place::After),
        Some(_) => Err(reader.broken(Rule::AttributeValue)),
    }
}

fn element_mut<'a>(root: &'a mut Element, path: &[usize]) -> Result<&'a mut Element, Rule> {
    // Looked at first: the path was found in this tree.
    element_at(root, path).ok_or(Rule::Unlocated)?;
    let mut element = root;
    for at in path {
        element = match element.content.get_mut(*at) {
            Some(Node::Element(child)) => child,
            _ => return Err(Rule::Unlocated),
        };
    }
    Ok(element)
}

fn insert(element: &mut Element, at: usize, content: &[Node]) {
    element.content.splice(at..at, content.iter().cloned());
    join(element);
}

/// Two texts never stand side by side.
fn join(element: &mut Element) {
    let mut joined: Vec<Node> = Vec::with_capacity(element.content.len());
    for node in element.content.drain(..) {
        match (joined.last_mut(), node) {
            (Some(Node::Text(text)), Node::Text(more)) => text.push_str(&more),
            (_, node) => joined.push(node),
        }
    }
    element.content = joined;
}

fn remove_blank(parent: &mut Element, at: usize) -> Result<(), Rule> {
    match parent.content.get(at) {
        Some(Node::Text(text)) if text.trim_matches(BLANKS).is_empty() => {
            parent.content.remove(at);
            Ok(())
        }
        _ => Err(Rule::Patch),
    }
}

/// The content of a change that is text alone.
fn text_only(content: &[Node]) -> Result<String, Rule> {
    match content {
        [] => Ok(String::new()),
        [Node::Text(text)] => Ok(text.clone()),
        _ => Err(Rule::Patch),
    }
}

/// Most changes at once.
const OPERATIONS_MAX: usize = 256;
