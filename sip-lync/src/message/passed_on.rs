//! A received message written out again with a few changes: untouched lines are copied in runs, nothing is parsed twice and
//! nothing is allocated.

use core::fmt::{self, Display};

use bytes::{BufMut, BytesMut};

use super::view::{MessageView, Place};
use super::{StartLine, Version};
use crate::grammar::{self, List};
use crate::headers::HeaderName;

/// One change to a message that is passed on.
///
/// RFC 3261 16.6
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Edit<'a> {
    /// A line more, before the first one of its name, or before all lines: Via, Record-Route.
    Push(&'a HeaderName, &'a dyn Display),
    /// The first element of the first line of a name is taken off: the Route that led here, the Via that is ours.
    Pop(&'a HeaderName),
    /// All lines of a name are replaced by one, in the place of the first, or at the end: Max-Forwards.
    Set(&'a HeaderName, &'a dyn Display),
    /// All lines of a name are left out.
    Remove(&'a HeaderName),
    /// Another Request-URI.
    Target(&'a str),
}

impl fmt::Debug for Edit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Push(name, value) => write!(f, "Push({name}: {value})"),
            Self::Pop(name) => write!(f, "Pop({name})"),
            Self::Set(name, value) => write!(f, "Set({name}: {value})"),
            Self::Remove(name) => write!(f, "Remove({name})"),
            Self::Target(uri) => write!(f, "Target({uri})"),
        }
    }
}

/// A value never carries a line end: that would be a second header field.
struct OneLine<'a>(&'a mut BytesMut);

impl fmt::Write for OneLine<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(['\r', '\n']) {
            match piece.strip_suffix(['\r', '\n']) {
                Some(piece) => {
                    self.0.put_slice(piece.as_bytes());
                    self.0.put_u8(b' ');
                }
                None => self.0.put_slice(piece.as_bytes()),
            }
        }
        Ok(())
    }
}

fn line(out: &mut BytesMut, name: &HeaderName, value: &dyn Display) {
    out.put_slice(name.as_str().as_bytes());
    out.put_slice(b": ");
    // Writing to a buffer does not fail.
    let _ = fmt::Write::write_fmt(&mut OneLine(out), format_args!("{value}"));
    out.put_slice(b"\r\n");
}

/// What becomes of one line.
enum Fate<'a> {
    Kept,
    Gone,
    /// Only the rest of its list is left.
    Rest(&'a str),
}

impl MessageView<'_> {
    /// Appends the message with changes to the buffer; Content-Length is made to fit. There is at most one edit of each
    /// kind for each name.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use sip_lync::headers::{Transport, Via};
    /// use sip_lync::{Edit, HeaderName, MessageView};
    ///
    /// let wire = b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nRoute: <sip:me;lr>, <sip:next;lr>\r\nl: 0\r\n\r\n";
    /// let view = MessageView::parse(wire)?;
    /// let ours = Via::new(Transport::Tls, "me", None).with_branch("z9hG4bK2");
    /// let mut out = BytesMut::new();
    /// view.pass_on(&[Edit::Push(&HeaderName::Via, &ours), Edit::Pop(&HeaderName::Route)], &mut out);
    /// assert_eq!(out, "BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS me;branch=z9hG4bK2\r\nVia: SIP/2.0/TLS c\r\nRoute: <sip:next;lr>\r\nl: 0\r\n\r\n");
    /// # Ok::<(), sip_lync::ParseError>(())
    /// ```
    ///
    /// RFC 3261 16.6
    pub fn pass_on(&self, edits: &[Edit<'_>], out: &mut BytesMut) {
        out.reserve(self.wire.len() + 256);
        self.emit_start(edits, out);
        // What has no place of its own stands first.
        for edit in edits {
            if let Edit::Push(name, value) = edit
                && self.get(name).is_none()
            {
                line(out, name, value);
            }
        }
        let mut run = 0..0;
        let mut has_length = false;
        for (place, end) in self.places() {
            let start = place.start as usize;
            let header = self.header(place);
            let mut fate = Fate::Kept;
            let flush = |out: &mut BytesMut, run: &mut core::ops::Range<usize>| {
                out.put_slice(self.wire.get(run.clone()).unwrap_or_default());
                *run = end..end;
            };
            for edit in edits {
                match edit {
                    Edit::Push(name, value) if self.is_first(place, name) => {
                        flush(out, &mut run);
                        run = start..start;
                        line(out, name, value);
                    }
                    Edit::Pop(name) if self.is_first(place, name) => {
                        fate = Fate::Gone;
                        if let Ok(text) = header.raw()
                            && let Some((rest, _)) = List::new(text).nth(1)
                        {
                            fate = Fate::Rest(text.get(rest..).unwrap_or_default());
                        }
                    }
                    Edit::Set(name, value) if header.is(name) => {
                        fate = Fate::Gone;
                        if self.is_first(place, name) {
                            flush(out, &mut run);
                            line(out, name, value);
                        }
                    }
                    Edit::Remove(name) if header.is(name) => fate = Fate::Gone,
                    _ => {}
                }
            }
            if header.is(&HeaderName::ContentLength) && matches!(fate, Fate::Kept) {
                let length = header.raw().ok().and_then(|text| grammar::number(text).ok());
                if has_length || length != u32::try_from(self.body.len()).ok() {
                    fate = Fate::Gone;
                }
                has_length |= matches!(fate, Fate::Kept);
            }
            match fate {
                Fate::Kept if self.strict => {
                    if run.end != start {
                        flush(out, &mut run);
                        run.start = start;
                    }
                    run.end = end;
                }
                Fate::Kept => {
                    out.put_slice(header.sent_name().as_bytes());
                    out.put_slice(b": ");
                    one_line(out, header.value_bytes());
                    out.put_slice(b"\r\n");
                }
                Fate::Gone => flush(out, &mut run),
                Fate::Rest(rest) => {
                    flush(out, &mut run);
                    out.put_slice(header.sent_name().as_bytes());
                    out.put_slice(b": ");
                    one_line(out, rest.as_bytes());
                    out.put_slice(b"\r\n");
                }
            }
        }
        out.put_slice(self.wire.get(run).unwrap_or_default());
        for edit in edits {
            if let Edit::Set(name, value) = edit
                && self.get(name).is_none()
            {
                line(out, name, value);
            }
        }
        if !has_length {
            let _ = fmt::Write::write_fmt(out, format_args!("Content-Length: {}\r\n", self.body.len()));
        }
        out.put_slice(b"\r\n");
        out.put_slice(self.body);
    }

    fn emit_start(&self, edits: &[Edit<'_>], out: &mut BytesMut) {
        let version = |version: Version, out: &mut BytesMut| version.emit(out);
        match self.start {
            StartLine::Request { method, uri, version: sent } => {
                out.put_slice(method.as_bytes());
                out.put_slice(b" ");
                let mut target = uri;
                for edit in edits {
                    if let Edit::Target(uri) = edit {
                        target = uri;
                    }
                }
                let _ = fmt::Write::write_str(&mut OneLine(out), target);
                out.put_slice(b" ");
                version(sent, out);
            }
            StartLine::Response { version: sent, status, reason } => {
                version(sent, out);
                out.put_slice(b" ");
                let code = status.code();
                out.put_slice(&[code / 100, code / 10 % 10, code % 10].map(|digit| b'0' + digit as u8));
                out.put_slice(b" ");
                let _ = fmt::Write::write_str(&mut OneLine(out), reason);
            }
        }
        out.put_slice(b"\r\n");
    }

    /// Whether the line is the first one of a name.
    fn is_first(&self, place: Place, name: &HeaderName) -> bool {
        self.header(place).is(name) && self.place(name).is_some_and(|first| first.start == place.start)
    }
}

/// A value without its folds.
fn one_line(out: &mut BytesMut, value: &[u8]) {
    if !value.contains(&b'\r') && !value.contains(&b'\n') {
        out.put_slice(value);
        return;
    }
    let mut lines =
        value.split(|&b| b == b'\r' || b == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    if let Some(first) = lines.next() {
        out.put_slice(first);
    }
    for line in lines {
        out.put_u8(b' ');
        out.put_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Limits, Message};
    use crate::scan::LineEnds;

    const WIRE: &str = concat!(
        "BYE sip:a SIP/2.0\r\nv: SIP/2.0/TLS a\r\nX-Y: 1\r\nVia: SIP/2.0/TLS b,\r\n SIP/2.0/TLS c\r\n",
        "Max-Forwards: 9\r\nRoute: <sip:r>,\r\n <sip:s>\r\nRoute: <sip:t>\r\nContent-Length: 2\r\nX-Z: 3\r\n\r\nhi!"
    );

    fn passed_on(wire: &str, edits: &[Edit<'_>]) -> String {
        let mut out = BytesMut::new();
        MessageView::parse_with(wire.as_bytes(), LineEnds::Lenient, &Limits::DEFAULT)
            .unwrap()
            .pass_on(edits, &mut out);
        let mut strict = BytesMut::new();
        if let Ok(view) = MessageView::parse(wire.as_bytes()) {
            view.pass_on(edits, &mut strict);
            let value = |text: &BytesMut| Message::parse(text.clone().freeze()).unwrap();
            assert_eq!(value(&out), value(&strict));
            out = strict;
        }
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn without_changes_the_lines_are_those_that_came() {
        assert_eq!(passed_on(WIRE, &[]), WIRE.trim_end_matches('!'));
        let bare = "SIP/2.0 486 Busy\nTo: <sip:a>\n ;tag=1\nCSeq: 1 BYE\n\nx";
        assert_eq!(
            passed_on(bare, &[]),
            "SIP/2.0 486 Busy\r\nTo: <sip:a> ;tag=1\r\nCSeq: 1 BYE\r\nContent-Length: 1\r\n\r\nx"
        );
    }

    #[test]
    fn a_proxy_changes_what_it_must_and_nothing_else() {
        let fewer = 8;
        let edits = [
            Edit::Push(&HeaderName::Via, &"SIP/2.0/TLS p\r\nEvil: 1"),
            Edit::Push(&HeaderName::RecordRoute, &"<sip:p;lr>"),
            Edit::Pop(&HeaderName::Route),
            Edit::Set(&HeaderName::MaxForwards, &fewer),
            Edit::Set(&HeaderName::Priority, &"normal"),
            Edit::Target("sip:next"),
        ];
        assert_eq!(
            passed_on(WIRE, &edits),
            concat!(
                "BYE sip:next SIP/2.0\r\nRecord-Route: <sip:p;lr>\r\nVia: SIP/2.0/TLS p  Evil: 1\r\n",
                "v: SIP/2.0/TLS a\r\nX-Y: 1\r\nVia: SIP/2.0/TLS b,\r\n SIP/2.0/TLS c\r\nMax-Forwards: 8\r\n",
                "Route: <sip:s>\r\nRoute: <sip:t>\r\nContent-Length: 2\r\nX-Z: 3\r\nPriority: normal\r\n\r\nhi"
            )
        );
        let other = HeaderName::parse("x-z").unwrap();
        let edits = [Edit::Pop(&HeaderName::Via), Edit::Remove(&HeaderName::Route), Edit::Remove(&other)];
        assert_eq!(
            passed_on(WIRE, &edits),
            concat!(
                "BYE sip:a SIP/2.0\r\nX-Y: 1\r\nVia: SIP/2.0/TLS b,\r\n SIP/2.0/TLS c\r\nMax-Forwards: 9\r\n",
                "Content-Length: 2\r\n\r\nhi"
            )
        );
    }

    #[test]
    fn a_wrong_length_is_mended_and_two_become_one() {
        let wire = "BYE sip:a SIP/2.0\r\nl: 9\r\nTo: <sip:a>\r\nContent-Length: 9\r\n\r\nhi";
        assert_eq!(passed_on(wire, &[]), "BYE sip:a SIP/2.0\r\nTo: <sip:a>\r\nContent-Length: 2\r\n\r\nhi");
    }
}
