//! A message where it was received: nothing is copied, nothing is allocated.

use std::borrow::Cow;

use bytes::Bytes;

use super::start_line::{self, StartLine};
use super::{Limits, Message, Version};
use crate::error::{ParseError, Rule};
use crate::grammar::{self, Cursor};
use crate::headers::name::{self, KNOWN_COUNT};
use crate::headers::{HeaderName, NameAddrView, ViaView, unfolded};
use crate::scan::{Head, Line, LineEnds};
use crate::simd::{self, spans};

/// Lines that are held without allocation.
const INLINE: usize = 40;

/// A line too far back to be numbered.
const MANY: u8 = u8::MAX;

/// Slots for the first line of each known name, and one for all others.
const FIRST: usize = 128;

const _: () = assert!(KNOWN_COUNT < FIRST, "each known name has a slot, and the last one is for all others");

/// A message over borrowed bytes: its lines are split and named, values are read when they are asked for. Up to forty
/// lines need no allocation.
///
/// RFC 3261 7
#[derive(Clone, Debug)]
pub struct MessageView<'a> {
    pub(super) wire: &'a [u8],
    pub(super) start: StartLine<'a>,
    near: [Near; INLINE],
    /// How many of them are used.
    inlined: u8,
    /// The lines behind them.
    more: Vec<Place>,
    /// The first line of each known name, counted from one; zero is none.
    first: [u8; FIRST],
    /// Whether every line ends with CR LF.
    pub(super) strict: bool,
    /// Where the empty line is.
    end: u32,
    pub(super) body: &'a [u8],
}

/// Where a header line is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) start: u32,
    value: u32,
    value_end: u32,
    name: u16,
    number: u8,
    folded: bool,
}

impl From<Line> for Place {
    #[inline]
    fn from(line: Line) -> Self {
        let Line { start, value, value_end, name, number, folded, .. } = line;
        Self { start, value, value_end, name, number, folded }
    }
}

/// The same of a line with a short name in the first 64 KiB.
#[derive(Clone, Copy, Debug, Default)]
struct Near {
    start: u16,
    value: u16,
    value_end: u16,
    name: u8,
    /// The number of the name; the top bit says that the line is folded.
    number: u8,
}

/// The bit of a folded line.
const FOLDED: u8 = 1 << 7;

impl Near {
    /// Whether the line can be kept so.
    #[inline]
    const fn holds(line: &Line) -> bool {
        line.end >> 16 == 0 && line.name >> 8 == 0
    }

    #[inline]
    fn new(line: &Line) -> Self {
        Self {
            start: line.start as u16,
            value: line.value as u16,
            value_end: line.value_end as u16,
            name: line.name as u8,
            number: (line.number % FOLDED) | if line.folded { FOLDED } else { 0 },
        }
    }
}

impl From<Near> for Place {
    #[inline]
    fn from(near: Near) -> Self {
        let number = near.number % FOLDED;
        Self {
            start: near.start.into(),
            value: near.value.into(),
            value_end: near.value_end.into(),
            name: near.name.into(),
            number: if number == name::UNKNOWN % FOLDED { name::UNKNOWN } else { number },
            folded: near.number & FOLDED != 0,
        }
    }
}

/// Keeps a line that cannot be kept near.
#[cold]
fn far(more: &mut Vec<Place>, line: Line) -> u8 {
    more.push(line.into());
    MANY
}

/// One header line of a view.
///
/// RFC 3261 7.3.1
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderView<'a> {
    number: u8,
    folded: bool,
    name: &'a [u8],
    value: &'a [u8],
}

impl<'a> HeaderView<'a> {
    /// Whether the line has this name.
    ///
    /// RFC 3261 7.3.1
    pub fn is(&self, name: &HeaderName) -> bool {
        match name {
            HeaderName::Other(other) => self.name.eq_ignore_ascii_case(other.as_str().as_bytes()),
            known => self.number == known.number(),
        }
    }

    /// The known name, if it is one.
    ///
    /// RFC 3261 7.3.1
    pub fn known(&self) -> Option<&'static HeaderName> {
        HeaderName::from_number(self.number)
    }

    /// The name as it was sent.
    ///
    /// RFC 3261 7.3.3
    pub fn sent_name(&self) -> &'a str {
        core::str::from_utf8(self.name).unwrap_or_default()
    }

    /// The value; only a folded one is copied.
    ///
    /// RFC 3261 7.3.1
    pub fn value(&self) -> Result<Cow<'a, str>, ParseError> {
        let raw = self.raw()?;
        if !self.folded {
            return Ok(Cow::Borrowed(raw));
        }
        let value = unfolded(raw.as_bytes());
        Ok(Cow::Owned(String::from_utf8(value).unwrap_or_default()))
    }

    /// The value with its folds.
    pub(super) const fn value_bytes(&self) -> &'a [u8] {
        self.value
    }

    /// The value with its folds, which count as blanks to every reader here.
    pub(super) fn raw(&self) -> Result<&'a str, ParseError> {
        spans::text(self.value).map_err(|error| ParseError::new(error.valid_up_to(), Rule::Utf8))
    }
}

/// The work of splitting a message.
struct Split<'v, 'a> {
    view: &'v mut MessageView<'a>,
    ends: LineEnds,
    limits: &'v Limits,
}

impl simd::Work for Split<'_, '_> {
    type Output = Result<(), ParseError>;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
    fn run(self) -> Self::Output {
        let Self { view, ends, limits } = self;
        let wire = view.wire;
        let mut head = Head::new(0, ends);
        view.start = start_line::read(wire, &mut head, limits)?;
        let MessageView { near, inlined, more, first, end, .. } = &mut *view;
        let mut count = 0_usize;
        let mut last = 0;
        let body = head.lines(wire, limits, |line| {
            let this = match near.get_mut(count) {
                Some(slot) if more.is_empty() && Near::holds(&line) => {
                    *slot = Near::new(&line);
                    count += 1;
                    count as u8
                }
                // What is beyond the last number is found by a search.
                _ => far(more, line),
            };
            // Names nobody knows share the last slot.
            if let Some(first) = first.get_mut(line.number as usize % FIRST) {
                *first = if *first == 0 { this } else { *first };
            }
            last = line.end;
        })?;
        *end = last;
        *inlined = count as u8;
        view.body = wire.get(body..).unwrap_or_default();
        let length =
            view.get(&HeaderName::ContentLength).and_then(|header| grammar::digits(header.value).ok());
        if let Some(body) = length.and_then(|length| view.body.get(..length as usize)) {
            view.body = body;
        }
        Ok(())
    }
}

impl<'a> MessageView<'a> {
    /// Splits a message: the whole of a datagram, or a frame of a stream.
    ///
    /// RFC 3261 7, 18.3
    #[inline]
    pub fn parse(wire: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_with(wire, LineEnds::Strict, &Limits::DEFAULT)
    }

    /// Splits a message under given limits.
    ///
    /// RFC 3261 7, 18.3
    #[inline]
    pub fn parse_with(wire: &'a [u8], ends: LineEnds, limits: &Limits) -> Result<Self, ParseError> {
        let mut view = Self {
            wire,
            start: StartLine::Request { method: "", uri: "", version: Version::SIP_2_0 },
            near: [Near::default(); INLINE],
            inlined: 0,
            more: Vec::new(),
            first: [0; FIRST],
            strict: ends == LineEnds::Strict,
            end: 0,
            body: &[],
        };
        view.split(ends, limits)?;
        Ok(view)
    }

    fn split(&mut self, ends: LineEnds, limits: &Limits) -> Result<(), ParseError> {
        simd::widest(Split { view: self, ends, limits })
    }
    /// The lines, and where each ends.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, usize)> {
        let ends = self.lines().skip(1).map(|place| place.start).chain([self.end]);
        self.lines().zip(ends.map(|end| end as usize))
    }

    pub(super) fn header(&self, place: Place) -> HeaderView<'a> {
        let slice = |start: u32, end: u32| self.wire.get(start as usize..end as usize).unwrap_or_default();
        HeaderView {
            number: place.number,
            folded: place.folded,
            name: slice(place.start, place.start + u32::from(place.name)),
            value: slice(place.value, place.value_end),
        }
    }

    /// The start line.
    ///
    /// RFC 3261 7.1, 7.2
    pub const fn start(&self) -> StartLine<'a> {
        self.start
    }

    /// The body.
    ///
    /// RFC 3261 7.4
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    fn lines(&self) -> impl DoubleEndedIterator<Item = Place> {
        let near = self.near.get(..self.inlined as usize).unwrap_or_default();
        near.iter().map(|near| Place::from(*near)).chain(self.more.iter().copied())
    }

    /// The header lines in order.
    ///
    /// RFC 3261 7.3.1
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = HeaderView<'a>> {
        self.lines().map(|line| self.header(line))
    }

    /// Number of header lines.
    ///
    /// RFC 3261 7.3
    pub fn len(&self) -> usize {
        self.inlined as usize + self.more.len()
    }

    /// Whether there are none.
    ///
    /// RFC 3261 7.3
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first line of that name.
    ///
    /// RFC 3261 7.3.1
    pub fn get(&self, name: &HeaderName) -> Option<HeaderView<'a>> {
        self.place(name).map(|place| self.header(place))
    }

    #[inline]
    pub(super) fn place(&self, name: &HeaderName) -> Option<Place> {
        let number = name.number();
        match self.first.get(number as usize).map(|&first| first as usize) {
            None => self.lines().find(|place| self.header(*place).is(name)),
            Some(0) => None,
            Some(first @ 1..=INLINE) => self.near.get(first - 1).map(|near| Place::from(*near)),
            Some(_) => self.more.iter().copied().find(|place| place.number == number),
        }
    }

    fn first<T>(
        &self,
        name: &HeaderName,
        parse: impl Fn(&'a str) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        let Some(header) = self.get(name) else { return Ok(None) };
        header.raw().and_then(parse).map(Some).map_err(|error| error.within(name.clone()))
    }

    /// The first element of the comma list of the first line of that name.
    fn element<T>(
        &self,
        name: &HeaderName,
        read: impl Fn(&mut Cursor<'a>) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        self.first(name, |text| {
            let mut cursor = Cursor::new(text);
            // Elements may be empty.
            while cursor.eat(b',') {}
            let value = read(&mut cursor)?;
            if cursor.eat(b',') {
                return Ok(value);
            }
            cursor.finish().map_err(|error| ParseError::new(error.at, Rule::Comma))?;
            Ok(value)
        })
    }

    /// The topmost Via.
    ///
    /// RFC 3261 20.42
    pub fn via(&self) -> Result<Option<ViaView<'a>>, ParseError> {
        self.element(&HeaderName::Via, ViaView::read)
    }

    /// From.
    ///
    /// RFC 3261 20.20
    pub fn from(&self) -> Result<Option<NameAddrView<'a>>, ParseError> {
        self.first(&HeaderName::From, NameAddrView::parse)
    }

    /// To.
    ///
    /// RFC 3261 20.39
    pub fn to(&self) -> Result<Option<NameAddrView<'a>>, ParseError> {
        self.first(&HeaderName::To, NameAddrView::parse)
    }

    /// Call-ID.
    ///
    /// RFC 3261 20.8
    pub fn call_id(&self) -> Result<Option<&'a str>, ParseError> {
        self.first(&HeaderName::CallId, |text| Ok(grammar::trim(text)))
    }

    /// Number and method of CSeq.
    ///
    /// RFC 3261 20.16
    pub fn cseq(&self) -> Result<Option<(u32, &'a str)>, ParseError> {
        self.first(&HeaderName::CSeq, |text| {
            let mut cursor = Cursor::new(text);
            let number = cursor.number()?;
            cursor.skip_blanks();
            let method = cursor.token()?;
            cursor.finish()?;
            Ok((number, method))
        })
    }

    /// The first Contact that is an address.
    ///
    /// RFC 3261 20.10
    pub fn contact(&self) -> Result<Option<NameAddrView<'a>>, ParseError> {
        if self.get(&HeaderName::Contact).is_some_and(|header| header.value == b"*") {
            return Ok(None);
        }
        self.element(&HeaderName::Contact, NameAddrView::read)
    }

    /// The first Route.
    ///
    /// RFC 3261 20.34
    pub fn route(&self) -> Result<Option<NameAddrView<'a>>, ParseError> {
        self.element(&HeaderName::Route, NameAddrView::read)
    }

    /// The message as a value that owns its bytes.
    ///
    /// RFC 3261 7
    pub fn to_value(&self) -> Result<Message, ParseError> {
        Message::parse(Bytes::copy_from_slice(self.wire))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDED: &str = concat!(
        "INVITE sip:a@b SIP/2.0\r\nv: SIP / 2.0\r\n /TLS\r\n  c:5061 ;branch\r\n =x , SIP/2.0/TCP d\r\nFROM:\r\n \"A\r\n B\" \r\n <sip:e@f>\r\n ;tag = 1\r\n",
        "t: <sip:a@b>\r\ni: 7@x\r\nCSeq: 9\r\n INVITE\r\nm: *\r\nRoute: <sip:r;lr>, <sip:s;lr>\r\nX-Other: y\r\nl: 2\r\n\r\nbody",
    );

    #[test]
    fn values_are_read_where_they_stand() {
        let view = MessageView::parse(FOLDED.as_bytes()).unwrap();
        assert_eq!(
            view.start(),
            StartLine::Request { method: "INVITE", uri: "sip:a@b", version: Version::SIP_2_0 }
        );
        let via = view.via().unwrap().unwrap();
        assert_eq!((via.transport, via.host, via.port, via.branch()), ("TLS", "c", Some(5061), Some("x")));
        let from = view.from().unwrap().unwrap();
        assert_eq!((from.uri, from.tag(), from.sip_uri().unwrap().user()), ("sip:e@f", Some("1"), Some("e")));
        assert_eq!(view.cseq(), Ok(Some((9, "INVITE"))));
        assert_eq!((view.call_id(), view.contact()), (Ok(Some("7@x")), Ok(None)));
        assert_eq!(view.route().unwrap().unwrap().uri, "sip:r;lr");
        assert_eq!(view.body(), b"bo");
        let other = HeaderName::parse("x-oTHER").unwrap();
        assert_eq!(view.get(&other).unwrap().value().unwrap(), "y");
        assert_eq!(view.get(&HeaderName::From).unwrap().value().unwrap(), "\"A B\" <sip:e@f> ;tag = 1");
        assert_eq!(view.get(&HeaderName::To).unwrap().sent_name(), "t");
    }

    #[test]
    fn a_view_and_a_value_hold_the_same_lines() {
        let many = "X-Many: 1\r\n".repeat(100);
        for text in [FOLDED.to_owned(), format!("OPTIONS sip:a SIP/2.0\r\n{many}\r\n")] {
            let view = MessageView::parse(text.as_bytes()).unwrap();
            let message = view.to_value().unwrap();
            let ours: Vec<_> = view.headers().map(|h| (h.sent_name(), h.value().unwrap())).collect();
            let theirs: Vec<_> = message
                .headers()
                .iter()
                .map(|h| (h.sent_name(), Cow::Borrowed(h.value().unwrap())))
                .collect();
            assert_eq!(ours, theirs);
            assert_eq!((view.len(), view.body()), (message.headers().len(), &message.body()[..]));
        }
    }

    #[test]
    fn a_view_stays_small() {
        assert!(size_of::<MessageView<'_>>() <= 1024, "{}", size_of::<MessageView<'_>>());
    }
}
