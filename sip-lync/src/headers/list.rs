//! The ordered list of header lines of one message.

use core::fmt;
use core::hash::{Hash, Hasher};

use bytes::Bytes;

use super::name::{HeaderName, UNKNOWN};
use crate::error::{ParseError, Rule};
use crate::grammar::{self, List};
use crate::scan;
use crate::simd::spans;

/// Which buffer a range points into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// What was received.
    Wire,
    /// What was added.
    Added,
}

/// One line: 24 bytes, no allocation of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The whole line with its end, in `line_source`.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The value, unfolded, in `value_source`.
    pub(super) value: u32,
    pub(super) value_end: u32,
    pub(super) name: u16,
    pub(super) number: u8,
    pub(super) line_source: Source,
    pub(super) value_source: Source,
    /// The line ends with CR LF, and so do the lines it is folded over.
    pub(super) strict: bool,
}

/// The header fields of a message, in order; what was received is kept byte for byte until it is replaced.
///
/// The list owns one reference to the received bytes and one buffer for everything added; a line is two ranges.
///
/// RFC 3261 7.3
#[derive(Clone, Default)]
pub struct Headers {
    pub(super) wire: Bytes,
    pub(super) added: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    /// One bit for each name that ever stood in the list: most are looked for in vain.
    seen: [u64; 2],
}

/// One header line.
///
/// RFC 3261 7.3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub(super) number: u8,
    pub(super) raw_name: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Header<'a> {
    /// The name.
    ///
    /// RFC 3261 7.3.3
    pub fn name(&self) -> HeaderName {
        HeaderName::from_number(self.number)
            .cloned()
            .unwrap_or_else(|| HeaderName::other(Bytes::copy_from_slice(self.raw_name)))
    }

    /// Whether the line has this name.
    ///
    /// RFC 3261 7.3.1
    pub fn is(&self, name: &HeaderName) -> bool {
        match name {
            HeaderName::Other(other) => {
                self.number == UNKNOWN && self.raw_name.eq_ignore_ascii_case(other.as_str().as_bytes())
            }
            known => self.number == known.number(),
        }
    }

    /// The name as it was sent, perhaps in its compact form.
    ///
    /// RFC 3261 7.3.3
    pub fn sent_name(&self) -> &'a str {
        core::str::from_utf8(self.raw_name).unwrap_or_default()
    }

    /// The name in its long form; unknown names as they were sent.
    ///
    /// RFC 3261 7.3.3
    pub fn long_name(&self) -> &'a str {
        HeaderName::from_number(self.number).map_or_else(|| self.sent_name(), HeaderName::as_str)
    }

    /// The unfolded value; an error if it is not UTF-8.
    ///
    /// RFC 3261 25.1
    pub fn value(&self) -> Result<&'a str, ParseError> {
        spans::text(self.value)
            .map_err(|error| ParseError::new(error.valid_up_to(), Rule::Utf8).within(self.name()))
    }

    /// The unfolded value as bytes.
    ///
    /// RFC 3261 25.1
    pub const fn bytes(&self) -> &'a [u8] {
        self.value
    }
}

impl Headers {
    /// No header fields.
    ///
    /// RFC 3261 7.3
    pub const fn new() -> Self {
        Self { wire: Bytes::new(), added: Vec::new(), entries: Vec::new(), seen: [0; 2] }
    }

    /// No header fields, and room for so many lines and octets.
    pub(crate) fn with_capacity(lines: usize, octets: usize) -> Self {
        Self { added: Vec::with_capacity(octets), entries: Vec::with_capacity(lines), ..Self::new() }
    }

    /// No header fields, room for so many lines and octets, and what these were received in.
    pub(super) fn beside(&self, lines: usize, octets: usize) -> Self {
        Self { wire: self.wire.clone(), ..Self::with_capacity(lines, octets) }
    }

    /// Splits the lines that start at `at` in `wire`; returns also what stands behind the empty line.
    pub(crate) fn parse(
        wire: Bytes,
        head: &mut scan::Head,
        limits: &crate::message::Limits,
    ) -> Result<(Self, Bytes), ParseError> {
        let (headers, at) = Self::split(&wire, head, limits)?;
        Ok(headers.with_wire(wire, at))
    }

    /// The same of octets that are not owned yet: the lines, and where the body starts; `with_wire` follows.
    pub(crate) fn split(
        wire: &[u8],
        head: &mut scan::Head,
        limits: &crate::message::Limits,
    ) -> Result<(Self, usize), ParseError> {
        let mut headers = Self::with_capacity(32, 0);
        let strict = head.is_strict();
        let at = head.lines(wire, limits, |line| headers.take(wire, line, strict))?;
        Ok((headers, at))
    }

    /// Gives split lines the octets they are ranges of; what stands behind them is the body.
    pub(crate) fn with_wire(mut self, wire: Bytes, at: usize) -> (Self, Bytes) {
        let body = wire.slice(at.min(wire.len())..);
        self.wire = wire;
        (self, body)
    }

    /// What Content-Length says in lines that are split from these octets; `None` unless it stands there once, in one line.
    pub(crate) fn split_length(&self, wire: &[u8]) -> Option<u32> {
        let number = HeaderName::ContentLength.number();
        let mut lengths = self.entries.iter().filter(|entry| entry.number == number);
        let entry = lengths.next().filter(|entry| entry.value_source == Source::Wire)?;
        let value = wire.get(entry.value as usize..entry.value_end as usize)?;
        grammar::digits(value).ok().filter(|_| lengths.next().is_none())
    }

    fn take(&mut self, wire: &[u8], line: scan::Line, strict: bool) {
        let mut entry = Entry {
            start: line.start,
            end: line.end,
            value: line.value,
            value_end: line.value_end,
            name: line.name,
            number: line.number,
            line_source: Source::Wire,
            value_source: Source::Wire,
            // The last one may have no end at all.
            strict: strict && line.end as usize != wire.len(),
        };
        if line.folded {
            let value = wire.get(line.value as usize..line.value_end as usize).unwrap_or_default();
            entry.value_source = Source::Added;
            entry.value = self.added.len() as u32;
            unfold(value, &mut self.added);
            entry.value_end = self.added.len() as u32;
        }
        self.note(line.number);
        self.entries.push(entry);
    }

    /// Notes that a name stands in the list.
    #[inline]
    pub(super) fn note(&mut self, number: u8) {
        let [low, high] = &mut self.seen;
        *(if number & 64 == 0 { low } else { high }) |= 1 << (number & 63);
    }

    /// The lines among which those of a name are: none if it never stood in the list.
    #[inline]
    fn candidates(&self, number: u8) -> &[Entry] {
        let [low, high] = self.seen;
        let word = if number & 64 == 0 { low } else { high };
        if word >> (number & 63) & 1 == 0 { &[] } else { &self.entries }
    }

    pub(super) fn slice(&self, source: Source, start: u32, end: u32) -> &[u8] {
        let buffer = match source {
            Source::Wire => &self.wire[..],
            Source::Added => &self.added[..],
        };
        buffer.get(start as usize..end as usize).unwrap_or_default()
    }

    pub(super) fn header(&self, entry: &Entry) -> Header<'_> {
        Header {
            number: entry.number,
            raw_name: self.slice(entry.line_source, entry.start, entry.start + u32::from(entry.name)),
            value: self.slice(entry.value_source, entry.value, entry.value_end),
        }
    }

    pub(super) fn matches(&self, entry: &Entry, name: &HeaderName) -> bool {
        self.matches_number(entry, name.number(), name)
    }

    /// The same, the number of the name found before.
    #[inline]
    fn matches_number(&self, entry: &Entry, number: u8, name: &HeaderName) -> bool {
        entry.number == number && (number != UNKNOWN || self.header(entry).is(name))
    }

    /// Known header fields that stand on more than one line.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = &'static HeaderName> {
        let bits = self.repeated_bits();
        let numbers = (0..4_u8).zip(bits).flat_map(|(word, bits)| {
            let rest = core::iter::successors(Some(bits), |bits| Some(bits & bits.wrapping_sub(1)));
            rest.take_while(|bits| *bits != 0).map(move |bits| word * 64 + bits.trailing_zeros() as u8)
        });
        numbers.filter_map(HeaderName::from_number)
    }

    fn repeated_bits(&self) -> [u64; 4] {
        let (mut seen, mut repeated) = ([0_u64; 4], [0_u64; 4]);
        for entry in self.entries.iter().filter(|entry| entry.number != UNKNOWN) {
            let (word, bit) = (usize::from(entry.number / 64), 1_u64 << (entry.number % 64));
            if let (Some(seen), Some(repeated)) = (seen.get_mut(word), repeated.get_mut(word)) {
                *repeated |= *seen & bit;
                *seen |= bit;
            }
        }
        repeated
    }

    /// Octets of all lines as they stand.
    pub(crate) fn octets(&self) -> usize {
        self.entries.iter().map(|entry| (entry.end - entry.start) as usize).sum()
    }

    /// Number of header lines.
    ///
    /// RFC 3261 7.3
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    ///
    /// RFC 3261 7.3
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The lines in order.
    ///
    /// RFC 3261 7.3.1
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Header<'_>> + ExactSizeIterator {
        self.entries.iter().map(|entry| self.header(entry))
    }

    /// The lines of one name, in order.
    ///
    /// RFC 3261 7.3.1
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl DoubleEndedIterator<Item = Header<'a>> {
        let number = name.number();
        let lines = self.candidates(number).iter();
        let lines = lines.filter(move |entry| self.matches_number(entry, number, name));
        lines.map(|entry| self.header(entry))
    }

    /// The value of the first line of that name; `None` also if it is not UTF-8.
    ///
    /// RFC 3261 7.3.1
    pub fn get(&self, name: &HeaderName) -> Option<&str> {
        let number = name.number();
        let entry = self.candidates(number).iter().find(|entry| self.matches_number(entry, number, name))?;
        self.header(entry).value().ok()
    }

    /// The values of all lines of that name.
    ///
    /// RFC 3261 7.3.1
    pub fn get_all<'a>(&'a self, name: &'a HeaderName) -> impl DoubleEndedIterator<Item = &'a str> {
        self.all(name).filter_map(|header| header.value().ok())
    }

    /// The elements of the comma lists of all lines of that name.
    ///
    /// RFC 3261 7.3.1
    pub fn elements<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.get_all(name).flat_map(List::new).map(|(_, element)| element)
    }

    /// Whether there is a line of that name.
    ///
    /// RFC 3261 7.3.1
    pub fn contains(&self, name: &HeaderName) -> bool {
        let number = name.number();
        self.candidates(number).iter().any(|entry| self.matches_number(entry, number, name))
    }

    /// Number of lines of that name.
    ///
    /// RFC 3261 7.3.1
    pub fn count(&self, name: &HeaderName) -> usize {
        let number = name.number();
        self.candidates(number).iter().filter(|entry| self.matches_number(entry, number, name)).count()
    }
}

/// Line ends with the blanks around them become one blank.
fn unfold(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while let Some(at) = rest.iter().position(|&b| b == b'\r' || b == b'\n') {
        let (text, tail) = rest.split_at(at);
        let text_end = text.iter().rposition(|&b| !grammar::is_blank(b)).map_or(0, |p| p + 1);
        out.extend_from_slice(text.get(..text_end).unwrap_or_default());
        out.push(b' ');
        let blanks = tail.iter().position(|&b| !(grammar::is_blank(b) || b == b'\r' || b == b'\n'));
        rest = tail.get(blanks.unwrap_or(tail.len())..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// A value without its folds.
pub(crate) fn unfolded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    unfold(value, &mut out);
    out
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(a, b)| {
                a.number == b.number
                    && a.value == b.value
                    && (a.number != UNKNOWN || a.raw_name.eq_ignore_ascii_case(b.raw_name))
            })
    }
}

impl Eq for Headers {}

impl Hash for Headers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for header in self.iter() {
            header.name().hash(state);
            header.value.hash(state);
        }
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|h| (h.sent_name(), String::from_utf8_lossy(h.value)))).finish()
    }
}

impl<V: fmt::Display> Extend<(HeaderName, V)> for Headers {
    fn extend<T: IntoIterator<Item = (HeaderName, V)>>(&mut self, lines: T) {
        for (name, value) in lines {
            self.push(name, value);
        }
    }
}

impl<V: fmt::Display> FromIterator<(HeaderName, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (HeaderName, V)>>(lines: T) -> Self {
        let mut headers = Self::new();
        headers.extend(lines);
        headers
    }
}

impl HeaderName {
    /// Whether a message may carry one line of this field only, and that line one value.
    ///
    /// RFC 3261 7.3.1
    pub const fn is_single(&self) -> bool {
        matches!(
            self,
            Self::CallId
                | Self::ContentDisposition
                | Self::ContentLength
                | Self::ContentType
                | Self::CSeq
                | Self::Date
                | Self::Event
                | Self::Expires
                | Self::From
                | Self::MaxForwards
                | Self::MinExpires
                | Self::MinSe
                | Self::MsKeepAlive
                | Self::PresenceState
                | Self::RAck
                | Self::ReferTo
                | Self::ReferredBy
                | Self::Replaces
                | Self::RSeq
                | Self::SessionExpires
                | Self::SubscriptionState
                | Self::To
        )
    }
}
