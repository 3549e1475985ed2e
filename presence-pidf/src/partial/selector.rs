//! Which node of a document a change is about: the small part of XPath that changes may use.

use crate::error::Rule;
use crate::xml::{Element, Node, is_name};

/// A selector with its prefixes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    /// An element with that identifier, instead of the root, is where it begins.
    identifier: Option<String>,
    steps: Vec<Step>,
    pub(super) target: Target,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// `None` for any element.
    name: Option<(String, String)>,
    predicates: Vec<Predicate>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Predicate {
    Position(usize),
    Attribute { namespace: String, name: String, value: String },
    Child { namespace: String, name: String, value: String },
    Text(String),
}

/// What of the element that the steps lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Element,
    Attribute {
        namespace: String,
        name: String,
    },
    /// A text, counted from 1.
    Text(Option<usize>),
    /// A declaration of a prefix; documents are kept without prefixes.
    Declaration,
}

/// Prefixes with their namespaces where the selector stands; the innermost last.
pub(super) type Scope = Vec<(String, String)>;

/// An element with the number of equals among its siblings before it.
type Path = Vec<usize>;

impl Selector {
    pub(super) fn parse(text: &str, scope: &Scope) -> Result<Self, Rule> {
        let mut cursor = Cursor { rest: text.trim(), scope };
        let mut selector = Self { identifier: None, steps: Vec::new(), target: Target::Element };
        cursor.eat("/");
        if cursor.eat("id(") {
            selector.identifier = Some(cursor.quoted()?.to_owned());
            cursor.expect(")")?;
            if !cursor.eat("/") {
                return cursor.end().map(|()| selector);
            }
        }
        loop {
            if cursor.eat("@") {
                let (namespace, name) = cursor.name(false)?;
                selector.target = Target::Attribute { namespace, name };
                break;
            }
            if cursor.eat("namespace::") {
                cursor.word()?;
                selector.target = Target::Declaration;
                break;
            }
            if cursor.eat("text()") {
                let position = if cursor.eat("[") { Some(cursor.position()?) } else { None };
                selector.target = Target::Text(position);
                break;
            }
            let step = cursor.step()?;
            selector.steps.push(step);
            if selector.steps.len() > STEPS_MAX {
                return Err(Rule::Selector);
            }
            if !cursor.eat("/") {
                break;
            }
        }
        cursor.end()?;
        if selector.steps.is_empty() && selector.identifier.is_none() {
            return Err(Rule::Selector);
        }
        Ok(selector)
    }

    /// The one element that the steps lead to, as places in the content of each parent; the root has no places.
    pub(super) fn locate(&self, root: &Element) -> Result<Path, Rule> {
        let mut found: Vec<Path> = Vec::new();
        if let Some(identifier) = &self.identifier {
            identified(root, identifier, &mut Vec::new(), &mut found);
        } else {
            let first = self.steps.first().ok_or(Rule::Selector)?;
            let matches = first.name.as_ref().is_none_or(|name| is_named(root, name))
                && first.predicates.iter().all(|predicate| predicate.holds(root, 1));
            found.extend(matches.then(Vec::new));
        }
        let skip = usize::from(self.identifier.is_none());
        for step in self.steps.iter().skip(skip) {
            found = found.iter().flat_map(|path| step.children(root, path)).collect();
        }
        match <[Path; 1]>::try_from(found) {
            Ok([path]) => Ok(path),
            Err(_) => Err(Rule::Unlocated),
        }
    }
}

impl Step {
    fn children(&self, root: &Element, path: &[usize]) -> Vec<Path> {
        let Some(parent) = element_at(root, path) else { return Vec::new() };
        let mut candidates: Vec<(usize, &Element)> = parent
            .content
            .iter()
            .enumerate()
            .filter_map(|(at, node)| match node {
                Node::Element(element) => Some((at, element)),
                Node::Text(_) => None,
            })
            .filter(|(_, element)| self.name.as_ref().is_none_or(|name| is_named(element, name)))
            .collect();
        for predicate in &self.predicates {
            let mut position = 0;
            candidates.retain(|(_, element)| {
                position += 1;
                predicate.holds(element, position)
            });
        }
        candidates.into_iter().map(|(at, _)| path.iter().copied().chain([at]).collect()).collect()
    }
}

impl Predicate {
    fn holds(&self, element: &Element, position: usize) -> bool {
        match self {
            Self::Position(wanted) => position == *wanted,
            Self::Attribute { namespace, name, value } => element.attribute(namespace, name) == Some(value),
            Self::Child { namespace, name, value } => element
                .children()
                .any(|child| child.name == *name && child.namespace == *namespace && child.text() == *value),
            Self::Text(value) => element.text() == *value,
        }
    }
}

fn is_named(element: &Element, (namespace, name): &(String, String)) -> bool {
    element.name == *name && element.namespace == *namespace
}

/// Elements with that `id`.
fn identified(element: &Element, identifier: &str, path: &mut Path, found: &mut Vec<Path>) {
    if element.attribute("", "id") == Some(identifier) {
        found.push(path.clone());
    }
    for (at, node) in element.content.iter().enumerate() {
        if let Node::Element(child) = node {
            path.push(at);
            identified(child, identifier, path, found);
            path.pop();
        }
    }
}

pub(super) fn element_at<'a>(root: &'a Element, path: &[usize]) -> Option<&'a Element> {
    path.iter().try_fold(root, |element, at| match element.content.get(*at) {
        Some(Node::Element(child)) => Some(child),
        _ => None,
    })
}

struct Cursor<'a> {
    rest: &'a str,
    scope: &'a Scope,
}

impl<'a> Cursor<'a> {
    fn eat(&mut self, expected: &str) -> bool {
        let after = self.rest.strip_prefix(expected);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, expected: &str) -> Result<(), Rule> {
        if self.eat(expected) { Ok(()) } else { Err(Rule::Selector) }
    }

    fn end(&self) -> Result<(), Rule> {
        if self.rest.is_empty() { Ok(()) } else { Err(Rule::Selector) }
    }

    fn word(&mut self) -> Result<&'a str, Rule> {
        let end = self.rest.find(|character: char| "/[]@='\"()*: ".contains(character));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if is_name(word) { Ok(word) } else { Err(Rule::Selector) }
    }

    fn quoted(&mut self) -> Result<&'a str, Rule> {
        let quote = if self.eat("'") {
            '\''
        } else if self.eat("\"") {
            '"'
        } else {
            return Err(Rule::Selector);
        };
        let (inside, rest) = self.rest.split_once(quote).ok_or(Rule::Selector)?;
        self.rest = rest;
        Ok(inside)
    }

    /// A name; without a prefix an element is of the default namespace, an attribute of none.
    fn name(&mut self, is_element: bool) -> Result<(String, String), Rule> {
        let first = self.word()?;
        let (prefix, name) = if self.eat(":") { (first, self.word()?) } else { ("", first) };
        if prefix.is_empty() && !is_element {
            return Ok((String::new(), name.to_owned()));
        }
        let found = self.scope.iter().rev().find(|(known, _)| known == prefix);
        let (_, namespace) = found.ok_or(Rule::Prefix)?;
        Ok((namespace.clone(), name.to_owned()))
    }

    /// What follows `[`.
    fn position(&mut self) -> Result<usize, Rule> {
        let (digits, rest) = self.rest.split_once(']').ok_or(Rule::Selector)?;
        let position = digits.trim().parse().map_err(|_| Rule::Selector)?;
        self.rest = rest;
        if position == 0 { Err(Rule::Selector) } else { Ok(position) }
    }

    fn step(&mut self) -> Result<Step, Rule> {
        let name = if self.eat("*") { None } else { Some(self.name(true)?) };
        let mut predicates = Vec::new();
        while self.eat("[") {
            if self.rest.starts_with(|first: char| first.is_ascii_digit()) {
                predicates.push(Predicate::Position(self.position()?));
                continue;
            }
            let predicate = if self.eat("@") {
                let (namespace, name) = self.name(false)?;
                self.expect("=")?;
                Predicate::Attribute { namespace, name, value: self.quoted()?.to_owned() }
            } else if self.eat(".") {
                self.expect("=")?;
                Predicate::Text(self.quoted()?.to_owned())
            } else {
                let (namespace, name) = self.name(true)?;
                self.expect("=")?;
                Predicate::Child { namespace, name, value: self.quoted()?.to_owned() }
            };
            self.expect("]")?;
            predicates.push(predicate);
            if predicates.len() > STEPS_MAX {
                return Err(Rule::Selector);
            }
        }
        Ok(Step { name, predicates })
    }
}

/// Most steps, and most predicates of a step.
const STEPS_MAX: usize = 32;
