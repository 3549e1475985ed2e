//! Header lines as they are written.

use core::fmt;

use bytes::{BufMut, BytesMut};

use super::list::{Entry, Header, Headers, Source};
use super::name::HeaderName;
use crate::grammar::{self, Decimal};

impl Header<'_> {
    /// Writes the line on one line.
    fn emit(&self, out: &mut BytesMut) {
        out.put_slice(self.raw_name);
        out.put_slice(b": ");
        out.put_slice(self.value);
        out.put_slice(b"\r\n");
    }
}

impl Headers {
    /// Writes every line as it stands, Content-Length corrected; adds one if there is none. Lines that were received one
    /// after the other are copied together.
    pub(crate) fn emit(&self, out: &mut BytesMut, body: usize) {
        let mut written = false;
        // What was looked at and is still to be copied.
        let (mut source, mut start, mut end) = (Source::Wire, 0, 0);
        for entry in &self.entries {
            let mut right = true;
            if entry.number == HeaderName::ContentLength.number() {
                right = !written
                    && self.header(entry).value().ok().and_then(|v| grammar::number(v).ok())
                        == Some(body as u32);
            }
            if right && self.is_strict(entry) {
                written |= entry.number == HeaderName::ContentLength.number();
                if entry.line_source != source || entry.start != end {
                    out.put_slice(self.slice(source, start, end));
                    (source, start) = (entry.line_source, entry.start);
                }
                end = entry.end;
                continue;
            }
            out.put_slice(self.slice(source, start, end));
            (start, end) = (0, 0);
            if right {
                written |= entry.number == HeaderName::ContentLength.number();
                self.header(entry).emit(out);
            } else if !written {
                written = true;
                content_length(out, body);
            }
        }
        out.put_slice(self.slice(source, start, end));
        if !written {
            content_length(out, body);
        }
    }

    /// Whether the line can be written as it stands: bare LF is read where it is allowed and never written.
    fn is_strict(&self, entry: &Entry) -> bool {
        if entry.strict {
            return true;
        }
        let line = self.slice(entry.line_source, entry.start, entry.end);
        let folded = entry.value_source != entry.line_source;
        line.ends_with(b"\r\n") && !(folded && has_bare_line_feed(line))
    }

    /// Writes every line with its shortest name and without folds: Content-Length is corrected or added.
    pub(crate) fn emit_compact(&self, out: &mut BytesMut, body: usize) {
        for header in self.iter().filter(|header| !header.is(&HeaderName::ContentLength)) {
            let known = HeaderName::from_number(header.number);
            let name =
                known.map_or_else(|| header.sent_name(), |known| known.compact().unwrap_or(known.as_str()));
            out.put_slice(name.as_bytes());
            out.put_slice(b":");
            out.put_slice(header.value);
            out.put_slice(b"\r\n");
        }
        let _ = fmt::Write::write_fmt(out, format_args!("l:{body}\r\n"));
    }

    /// Writes every line without touching Content-Length: header fields of a body part.
    pub(crate) fn emit_part(&self, out: &mut BytesMut) {
        for header in self.iter() {
            header.emit(out);
        }
    }
}

fn content_length(out: &mut BytesMut, body: usize) {
    if body == 0 {
        return out.put_slice(b"Content-Length: 0\r\n");
    }
    for part in ["Content-Length: ", Decimal::of(body as u64).as_str(), "\r\n"] {
        out.put_slice(part.as_bytes());
    }
}

fn has_bare_line_feed(line: &[u8]) -> bool {
    let crlf = line.windows(2).filter(|pair| pair == b"\r\n").count();
    let line_feeds = line.iter().fold(0, |count, &b| count + usize::from(b == b'\n'));
    line_feeds > crlf
}
