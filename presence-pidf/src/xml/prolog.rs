//! What stands between tags and says nothing: the declaration, comments and instructions.

use super::reader::{BLANKS, Reader};
use super::scan;
use crate::error::Rule;

impl Reader<'_> {
    /// `<!--`, or what is refused in its place.
    pub(super) fn comment(&mut self) -> Result<(), Rule> {
        const DOCUMENT_TYPE: &[u8] = b"<!DOCTYPE";
        if self.rest().starts_with(DOCUMENT_TYPE) {
            return Err(Rule::DocumentType);
        }
        if !self.rest().starts_with(b"<!--") {
            return Err(Rule::WellFormed);
        }
        let from = self.at + 4;
        let length = self.text.get(from..).and_then(|rest| rest.find("--"));
        let to = from + length.ok_or(Rule::WellFormed)?;
        self.only_allowed(from, self.slice(from, to))?;
        self.at = to + 2;
        if self.bytes.get(self.at) != Some(&b'>') {
            return Err(Rule::WellFormed);
        }
        self.at += 1;
        Ok(())
    }

    /// `<?target … ?>`.
    pub(super) fn instruction(&mut self) -> Result<(), Rule> {
        let from = self.at + 2;
        let length = self.text.get(from..).and_then(|rest| rest.find("?>"));
        let to = from + length.ok_or(Rule::WellFormed)?;
        let inside = self.slice(from, to);
        let target = inside.split([' ', '\t', '\r', '\n']).next().unwrap_or_default();
        if !scan::is_name(target) || target.eq_ignore_ascii_case("xml") {
            return Err(Rule::WellFormed);
        }
        self.only_allowed(from, inside)?;
        self.at = to + 2;
        Ok(())
    }

    /// `<?xml …?>` at the beginning. Whatever encoding it names, the octets are UTF-8.
    pub(super) fn declaration(&mut self) -> Result<(), Rule> {
        const USUAL: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        if self.rest().starts_with(USUAL) {
            self.at = USUAL.len();
            return Ok(());
        }
        let length = self.text.find("?>").ok_or(Rule::WellFormed)?;
        let mut inside = self.slice(5, length);
        let mut allowed = &["version", "encoding", "standalone"][..];
        let mut first = true;
        loop {
            let trimmed = inside.trim_start_matches(BLANKS);
            if trimmed.is_empty() && !first {
                break;
            }
            let good = pseudo_attribute(trimmed).filter(|_| trimmed.len() < inside.len());
            let (name, value, rest) = good.ok_or(Rule::WellFormed)?;
            let place = allowed.iter().position(|known| *known == name);
            let place = place.filter(|place| !first || *place == 0);
            let place = place.ok_or(Rule::WellFormed)?;
            allowed = allowed.get(place + 1..).unwrap_or_default();
            if !declared(name, value) {
                return Err(Rule::WellFormed);
            }
            first = false;
            inside = rest;
        }
        self.at = length + 2;
        Ok(())
    }
}

fn pseudo_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start_matches(BLANKS);
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let (value, rest) = rest.get(1..)?.split_once(quote)?;
    Some((name.trim_end_matches(BLANKS), value, rest))
}

/// Whether the declaration may say so.
fn declared(name: &str, value: &str) -> bool {
    match name {
        "version" => value
            .strip_prefix("1.")
            .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|digit| digit.is_ascii_digit())),
        "encoding" => {
            value.starts_with(|first: char| first.is_ascii_alphabetic())
                && value
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        }
        _ => matches!(value, "yes" | "no"),
    }
}
