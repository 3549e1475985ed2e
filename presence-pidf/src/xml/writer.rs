//! Writing XML straight into the caller's buffer.

use std::borrow::Cow;

use bytes::BytesMut;

use super::scan;

/// Appends to the caller's buffer. The room that is expected is taken at once, and what was not needed given back at the end.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut BytesMut,
    /// How far it is written.
    at: usize,
}

/// So much is cleared at once.
const PIECE: usize = 1536;

impl Drop for Writer<'_> {
    #[inline]
    fn drop(&mut self) {
        self.out.truncate(self.at);
    }
}

impl<'a> Writer<'a> {
    /// `expected`: about how many octets will be written.
    #[inline]
    pub(crate) fn new(out: &'a mut BytesMut, expected: usize) -> Self {
        let at = out.len();
        out.reserve(expected);
        // In pieces below the size from which the C library clears with an instruction that takes long to begin.
        while out.len() < at + expected {
            out.resize((at + expected).min(out.len() + PIECE), 0);
        }
        Self { out, at }
    }

    /// Markup, or text that needs no escape.
    #[inline]
    pub(crate) fn raw(&mut self, markup: &str) -> &mut Self {
        self.ascii(markup.as_bytes())
    }

    #[cold]
    fn grow(&mut self, end: usize) {
        self.out.resize(end + self.out.len().max(64), 0);
    }

    /// Text as it stands in an attribute or between tags. Characters that XML cannot carry become blanks.
    #[inline]
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        if scan::all_plain(text.as_bytes()) { self.raw(text) } else { self.rough(text) }
    }

    #[cold]
    fn rough(&mut self, text: &str) -> &mut Self {
        let mut rest = text;
        loop {
            let (plain, strange) = rest.split_at_checked(scan::plain(rest.as_bytes())).unwrap_or((rest, ""));
            self.raw(plain);
            let mut characters = strange.chars();
            let Some(character) = characters.next() else { break };
            match character {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&apos;"),
                '\t' => self.raw("&#9;"),
                '\n' => self.raw("&#10;"),
                '\r' => self.raw("&#13;"),
                other if scan::is_allowed(other) => self.raw(other.encode_utf8(&mut [0; 4])),
                _ => self.raw(" "),
            };
            rest = characters.as_str();
        }
        self
    }

    /// ` name="value"`; `name` begins with its blank and ends with `="`.
    #[inline]
    pub(crate) fn attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(name).text(value).raw("\"")
    }

    #[inline]
    pub(crate) fn optional(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    pub(crate) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        let mut digits = [0u8; 20];
        let mut number = number.into();
        let mut at = digits.len();
        for place in digits.iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
            at -= 1;
            if number == 0 {
                break;
            }
        }
        self.ascii(digits.get(at..).unwrap_or_default())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { "true" } else { "false" })
    }

    /// An element that holds text alone; `open` and `close` are its tags.
    #[inline]
    pub(crate) fn element(&mut self, open: &str, text: &str, close: &str) -> &mut Self {
        self.raw(open).text(text).raw(close)
    }

    /// Octets that need no escape.
    #[inline]
    pub(crate) fn ascii(&mut self, octets: &[u8]) -> &mut Self {
        let end = self.at + octets.len();
        if end > self.out.len() {
            self.grow(end);
        }
        if let Some(place) = self.out.get_mut(self.at..end) {
            place.copy_from_slice(octets);
        }
        self.at = end;
        self
    }
}

/// A name that cannot end its tag.
pub(crate) fn name_only(name: &str) -> Cow<'_, str> {
    if scan::is_name(name) {
        return Cow::Borrowed(name);
    }
    let kept: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    Cow::Owned(if scan::is_name(&kept) { kept } else { format!("_{kept}") })
}
