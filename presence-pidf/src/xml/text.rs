//! Text: pieces, references, and sections of character data.

use std::borrow::Cow;

use super::reader::{Next, Reader};
use super::scan;
use crate::error::{Error, Rule};

impl<'a> Reader<'a> {
    /// Leaves the element; gives its text without that of its children.
    #[inline(always)]
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Error> {
        match self.plain_text() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.other_text(),
        }
    }

    /// The usual: one piece that needs no look, and the end.
    #[inline(never)]
    fn plain_text(&mut self) -> Option<&'a str> {
        if self.empty {
            return None;
        }
        let from = self.at;
        let to = from + scan::text(self.rest());
        if self.bytes.get(to..).and_then(<[u8]>::first_chunk) != Some(b"</") {
            return None;
        }
        if self.end_at(to).is_err() {
            // To be found again by who says what is wrong.
            self.at = from;
            return None;
        }
        Some(self.slice(from, to))
    }

    #[inline(never)]
    fn other_text(&mut self) -> Result<Cow<'a, str>, Error> {
        let from = self.at;
        if !self.empty
            && let Some(text) = self.text_with_references()
        {
            return Ok(Cow::Owned(text));
        }
        self.at = from;
        self.pieces()
    }

    /// One piece with references, and the end.
    fn text_with_references(&mut self) -> Option<String> {
        let (mut from, begin) = (self.at, self.at);
        self.at += scan::text(self.rest());
        let mut text = None;
        loop {
            match self.rest() {
                [b'&', ..] => {
                    let text = text.get_or_insert_with(|| String::with_capacity(self.at - begin + 32));
                    text.push_str(self.slice(from, self.at));
                    text.push(self.reference().ok()?);
                    from = self.at;
                    self.at += scan::text(self.rest());
                }
                [b'<', b'/', ..] => {
                    let mut text: String = text?;
                    text.push_str(self.slice(from, self.at));
                    self.end().ok()?;
                    return Some(text);
                }
                _ => return None,
            }
        }
    }

    /// Text in pieces, or with something in between.
    #[cold]
    fn pieces(&mut self) -> Result<Cow<'a, str>, Error> {
        let mut joined = Cow::Borrowed("");
        loop {
            match self.next().map_err(|rule| self.broken(rule))? {
                Next::Child => self.skip()?,
                Next::End => return Ok(joined),
                Next::Text => {
                    let piece = std::mem::take(&mut self.piece);
                    if joined.is_empty() {
                        joined = piece;
                    } else {
                        joined.to_mut().push_str(&piece);
                    }
                }
            }
        }
    }

    /// Text up to the next tag, comment or section.
    #[inline]
    pub(super) fn run(&mut self) -> Result<(), Rule> {
        let from = self.at;
        self.at += scan::text(self.rest());
        if matches!(self.rest(), [b'<', ..]) {
            self.piece = Cow::Borrowed(self.slice(from, self.at));
            return Ok(());
        }
        self.rough_run(from)
    }

    #[cold]
    fn rough_run(&mut self, from: usize) -> Result<(), Rule> {
        // References are longer than what they stand for: most texts need no more room than this.
        let mut text = String::with_capacity(self.at - from + 32);
        text.push_str(self.slice(from, self.at));
        loop {
            match self.rest() {
                [] | [b'<', ..] => {
                    self.piece = Cow::Owned(text);
                    return Ok(());
                }
                [b'&', ..] => text.push(self.reference()?),
                [b']', b']', b'>', ..] => return Err(Rule::WellFormed),
                [b']', ..] => {
                    text.push(']');
                    self.at += 1;
                }
                [b'\r', rest @ ..] => {
                    text.push('\n');
                    self.at += if rest.starts_with(b"\n") { 2 } else { 1 };
                }
                _ => text.push(self.allowed()?),
            }
            let from = self.at;
            self.at += scan::text(self.rest());
            text.push_str(self.slice(from, self.at));
        }
    }

    pub(super) fn reference(&mut self) -> Result<char, Rule> {
        let rest = self.rest();
        let (character, length) = match rest {
            [b'&', b'a', b'm', b'p', b';', ..] => ('&', 5),
            [b'&', b'l', b't', b';', ..] => ('<', 4),
            [b'&', b'g', b't', b';', ..] => ('>', 4),
            _ => return self.other_reference(),
        };
        self.at += length;
        Ok(character)
    }

    #[cold]
    fn other_reference(&mut self) -> Result<char, Rule> {
        let rest = self.rest();
        let end = rest.iter().take(REFERENCE_MAX).position(|byte| *byte == b';').ok_or(Rule::Entity)?;
        let character = resolve(self.slice(self.at + 1, self.at + end))?;
        self.at += end + 1;
        Ok(character)
    }

    /// `<![CDATA[`.
    pub(super) fn character_data(&mut self) -> Result<(), Rule> {
        const BEGIN: &[u8] = b"<![CDATA[";
        if !self.rest().starts_with(BEGIN) {
            return Err(Rule::WellFormed);
        }
        let from = self.at + BEGIN.len();
        let length = self.text.get(from..).and_then(|rest| rest.find("]]>"));
        let to = from + length.ok_or(Rule::WellFormed)?;
        let inside = self.slice(from, to);
        self.only_allowed(from, inside)?;
        self.at = to + 3;
        self.piece = if inside.contains('\r') {
            Cow::Owned(inside.replace("\r\n", "\n").replace('\r', "\n"))
        } else {
            Cow::Borrowed(inside)
        };
        Ok(())
    }
}

/// What stands between `&` and `;`.
pub(super) fn resolve(reference: &str) -> Result<char, Rule> {
    let number = match reference {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => reference.strip_prefix('#').ok_or(Rule::Entity)?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Rule::Character);
    }
    let character = u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    character.filter(|character| scan::is_allowed(*character)).ok_or(Rule::Character)
}

/// Longest reference: leading zeros are allowed, an endless row of them is not.
const REFERENCE_MAX: usize = 64;
