//! Changes to the header lines of one message: what was received is never rewritten, lines are added beside it.

use core::fmt;

use super::list::{Entry, Headers, Source};
use super::name::HeaderName;
use crate::grammar::List;
use crate::simd::spans;

impl Headers {
    fn add(&mut self, name: &HeaderName, value: impl fmt::Display) -> Entry {
        self.note(name.number());
        let start = self.added.len();
        self.added.extend_from_slice(name.as_str().as_bytes());
        self.added.extend_from_slice(b": ");
        let value_start = self.added.len();
        // Writing to a Vec does not fail.
        let _ = io_free_write(&mut self.added, format_args!("{value}"));
        self.without_line_ends(value_start);
        let value_end = self.added.len();
        self.added.extend_from_slice(b"\r\n");
        Entry {
            start: start as u32,
            end: self.added.len() as u32,
            value: value_start as u32,
            value_end: value_end as u32,
            name: name.as_str().len() as u16,
            number: name.number(),
            line_source: Source::Added,
            value_source: Source::Added,
            strict: true,
        }
    }

    /// Adds a line at the end. Line ends in the value become blanks.
    ///
    /// RFC 3261 7.3.1
    #[expect(clippy::needless_pass_by_value, reason = "reads as it is written: push(HeaderName::Via, via)")]
    pub fn push(&mut self, name: HeaderName, value: impl fmt::Display) {
        let entry = self.add(&name, value);
        self.entries.push(entry);
    }

    /// Adds a line at the end whose value is a text already.
    pub(crate) fn push_text(&mut self, name: &HeaderName, value: &str) {
        self.push_parts(name, &[value]);
    }

    /// Adds a line at the end whose value is these texts, one behind the other.
    pub(crate) fn push_parts(&mut self, name: &HeaderName, parts: &[&str]) {
        let entry = self.add_parts(name, parts);
        self.entries.push(entry);
    }

    fn add_parts(&mut self, name: &HeaderName, parts: &[&str]) -> Entry {
        self.note(name.number());
        let line = self.added.len();
        let name_text = name.as_str();
        self.added.reserve(name_text.len() + parts.iter().map(|part| part.len()).sum::<usize>() + 4);
        append(&mut self.added, name_text.as_bytes());
        self.added.extend_from_slice(b": ");
        let start = self.added.len();
        for part in parts {
            append(&mut self.added, part.as_bytes());
        }
        self.without_line_ends(start);
        let end = self.added.len();
        self.added.extend_from_slice(b"\r\n");
        Entry {
            start: line as u32,
            end: self.added.len() as u32,
            value: start as u32,
            value_end: end as u32,
            name: name_text.len() as u16,
            number: name.number(),
            line_source: Source::Added,
            value_source: Source::Added,
            strict: true,
        }
    }

    /// A value never carries a line end: that would be a second header field.
    fn without_line_ends(&mut self, start: usize) {
        if spans::line_end(&self.added, start) == self.added.len() {
            return;
        }
        for byte in self.added.iter_mut().skip(start) {
            *byte = if matches!(*byte, b'\r' | b'\n') { b' ' } else { *byte };
        }
    }

    /// Adds a line before the first one of that name, or before everything if there is none: where a Via belongs.
    ///
    /// RFC 3261 18.1.1
    #[expect(clippy::needless_pass_by_value, reason = "reads as it is written: push(HeaderName::Via, via)")]
    pub fn insert_first(&mut self, name: HeaderName, value: impl fmt::Display) {
        let entry = self.add(&name, value);
        let at = self.entries.iter().position(|e| self.matches(e, &name)).unwrap_or_default();
        self.entries.insert(at, entry);
    }

    /// Replaces the first line of that name in its place and removes the others; adds one if there is none.
    ///
    /// RFC 3261 7.3.1
    #[expect(clippy::needless_pass_by_value, reason = "reads as it is written: push(HeaderName::Via, via)")]
    pub fn set(&mut self, name: HeaderName, value: impl fmt::Display) {
        let entry = self.add(&name, value);
        self.replace(&name, entry);
    }

    /// Adds texts to the value of the first line of a name and removes the others.
    pub(crate) fn append_to(&mut self, name: &HeaderName, parts: &[&str]) {
        let Some(before) = self.entries.iter().find(|e| self.matches(e, name)).copied() else { return };
        let mut entry = self.add_parts(name, &[]);
        // Behind the colon and the blank.
        self.added.truncate(entry.value as usize);
        let range = before.value as usize..before.value_end as usize;
        match before.value_source {
            Source::Wire => self.added.extend_from_slice(self.wire.get(range).unwrap_or_default()),
            Source::Added if range.end <= self.added.len() => self.added.extend_from_within(range),
            Source::Added => {}
        }
        for part in parts {
            append(&mut self.added, part.as_bytes());
        }
        self.without_line_ends(entry.value as usize);
        entry.value_end = self.added.len() as u32;
        self.added.extend_from_slice(b"\r\n");
        entry.end = self.added.len() as u32;
        self.replace(name, entry);
    }

    fn replace(&mut self, name: &HeaderName, entry: Entry) {
        match self.entries.iter().position(|e| self.matches(e, name)) {
            None => self.entries.push(entry),
            Some(first) => {
                if let Some(slot) = self.entries.get_mut(first) {
                    *slot = entry;
                }
                if self.count(name) > 1 {
                    let mut at = 0;
                    let mut entries = core::mem::take(&mut self.entries);
                    entries.retain(|e| {
                        at += 1;
                        at == first + 1 || !self.matches(e, name)
                    });
                    self.entries = entries;
                }
            }
        }
    }

    /// Adds a line where [`Self::insert_first`] does.
    pub(crate) fn insert_first_parts(&mut self, name: &HeaderName, parts: &[&str]) {
        let entry = self.add_parts(name, parts);
        let at = self.entries.iter().position(|e| self.matches(e, name)).unwrap_or_default();
        self.entries.insert(at, entry);
    }

    /// Removes every line of that name; tells how many.
    ///
    /// RFC 3261 7.3.1
    pub fn remove_all(&mut self, name: &HeaderName) -> usize {
        let before = self.entries.len();
        let mut entries = core::mem::take(&mut self.entries);
        entries.retain(|entry| !self.matches(entry, name));
        self.entries = entries;
        before - self.entries.len()
    }

    /// Removes the first element of the first line of that name: the top Via, the first Route.
    ///
    /// RFC 3261 16.4, 16.7
    pub fn remove_first(&mut self, name: &HeaderName) -> Option<String> {
        let at = self.entries.iter().position(|entry| self.matches(entry, name))?;
        let value = self.entries.get(at).map(|entry| self.header(entry))?.value().ok()?;
        let mut list = List::new(value);
        let first = list.next().map(|(_, element)| element.to_owned()).unwrap_or_default();
        let rest = list.next().map(|(offset, _)| value.get(offset..).unwrap_or_default().to_owned());
        match rest {
            None => {
                self.entries.remove(at);
            }
            Some(rest) => {
                let entry = self.add(name, rest);
                if let Some(slot) = self.entries.get_mut(at) {
                    *slot = entry;
                }
            }
        }
        Some(first)
    }

    /// Copies every line of that name from another message, as it stood there.
    ///
    /// RFC 3261 8.2.6.2
    pub fn copy_from(&mut self, other: &Self, name: &HeaderName) {
        let wanted = |entry: &&Entry| other.matches(entry, name);
        self.copy(other, wanted);
    }

    /// Copies every line of another message but those of some names.
    pub(crate) fn copy_without(&mut self, other: &Self, unwanted: impl Fn(&HeaderName) -> bool) {
        self.copy(other, |entry| !HeaderName::from_number(entry.number).is_some_and(&unwanted));
    }

    fn copy(&mut self, other: &Self, wanted: impl FnMut(&&Entry) -> bool) {
        for entry in other.entries.iter().filter(wanted) {
            self.copy_line(other, entry);
        }
    }

    fn copy_line(&mut self, other: &Self, entry: &Entry) {
        self.note(entry.number);
        let start = self.added.len() as u32;
        // What was added before stands as it is written here, and in one piece.
        if entry.line_source == Source::Added && entry.value_source == Source::Added {
            self.added.extend_from_slice(other.slice(entry.line_source, entry.start, entry.end));
            let moved = |at: u32| at - entry.start + start;
            self.entries.push(Entry {
                start,
                end: moved(entry.end),
                value: moved(entry.value),
                value_end: moved(entry.value_end),
                ..*entry
            });
            return;
        }
        let value = other.slice(entry.value_source, entry.value, entry.value_end);
        let sent = other.slice(entry.line_source, entry.start, entry.start + u32::from(entry.name));
        self.added.extend_from_slice(sent);
        self.added.extend_from_slice(b": ");
        let value_start = self.added.len() as u32;
        self.added.extend_from_slice(value);
        let value_end = self.added.len() as u32;
        self.added.extend_from_slice(b"\r\n");
        self.entries.push(Entry {
            start,
            end: self.added.len() as u32,
            value: value_start,
            value_end,
            name: entry.name,
            number: entry.number,
            line_source: Source::Added,
            value_source: Source::Added,
            strict: true,
        });
    }

    /// The lines that a response repeats, in the order of the standard. They stay where they were received: only what was
    /// added or unfolded is copied.
    ///
    /// RFC 3261 8.2.6.2
    pub(crate) fn repeated_in_response(&self) -> Self {
        let names = [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq];
        let names = names.map(|name| name.number());
        let mut headers = self.beside(16, 384);
        let mut last = 0;
        for entry in &self.entries {
            let Some(rank) = names.iter().position(|name| *name == entry.number) else { continue };
            if rank < last {
                // Not in that order: name by name.
                headers = self.beside(16, 384);
                for name in names {
                    for entry in self.entries.iter().filter(|entry| entry.number == name) {
                        headers.repeat_line(self, entry);
                    }
                }
                return headers;
            }
            last = rank;
            headers.repeat_line(self, entry);
        }
        headers
    }

    fn repeat_line(&mut self, other: &Self, entry: &Entry) {
        if entry.line_source == Source::Wire && entry.value_source == Source::Wire {
            self.note(entry.number);
            self.entries.push(*entry);
        } else {
            self.copy_line(other, entry);
        }
    }
}

/// Adds octets; the few that most parts have without a call, as two runs of one length that overlap.
#[inline]
fn append(out: &mut Vec<u8>, part: &[u8]) {
    let end = out.len() + part.len();
    if let (Some(first), Some(last)) = (part.first_chunk::<8>(), part.last_chunk::<8>())
        && part.len() <= 16
    {
        out.extend_from_slice(first);
        out.truncate(end - 8);
        out.extend_from_slice(last);
    } else if let (Some(first), Some(last)) = (part.first_chunk::<4>(), part.last_chunk::<4>())
        && part.len() <= 8
    {
        out.extend_from_slice(first);
        out.truncate(end - 4);
        out.extend_from_slice(last);
    } else {
        out.extend_from_slice(part);
    }
}

struct Sink<'a>(&'a mut Vec<u8>);

impl fmt::Write for Sink<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn io_free_write(out: &mut Vec<u8>, arguments: fmt::Arguments<'_>) -> fmt::Result {
    fmt::Write::write_fmt(&mut Sink(out), arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn lines(headers: &Headers) -> Vec<String> {
        headers.iter().map(|h| format!("{}: {}", h.sent_name(), h.value().unwrap())).collect()
    }

    fn received() -> Headers {
        let text = "BYE sip:a SIP/2.0\r\nv: SIP/2.0/TLS a\r\nX-Y: 1\r\nVia: SIP/2.0/TLS b,\r\n SIP/2.0/TLS c\r\nRoute: <sip:r>, <sip:s>\r\n\r\n";
        Message::parse(text.into()).unwrap().headers().clone()
    }

    #[test]
    fn a_value_never_becomes_a_second_header_field() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Subject, "a\r\nContact: <sip:evil>\n\rb");
        headers.insert_first(HeaderName::Subject, "x\ry");
        headers.set(HeaderName::Organization, "p\nq");
        assert_eq!(
            lines(&headers),
            ["Subject: x y", "Subject: a  Contact: <sip:evil>  b", "Organization: p q"]
        );
    }

    #[test]
    fn lines_are_added_and_replaced_in_their_places() {
        let mut headers = received();
        headers.insert_first(HeaderName::Via, "SIP/2.0/TLS new");
        headers.insert_first(HeaderName::RecordRoute, "<sip:me;lr>");
        headers.set(HeaderName::parse("x-y").unwrap(), 2);
        headers.push(HeaderName::Server, "z");
        assert_eq!(
            lines(&headers),
            [
                "Record-Route: <sip:me;lr>",
                "Via: SIP/2.0/TLS new",
                "v: SIP/2.0/TLS a",
                "x-y: 2",
                "Via: SIP/2.0/TLS b, SIP/2.0/TLS c",
                "Route: <sip:r>, <sip:s>",
                "Server: z",
            ]
        );
    }

    #[test]
    fn elements_are_taken_off_one_by_one() {
        let mut headers = received();
        let mut taken = Vec::new();
        while let Some(via) = headers.remove_first(&HeaderName::Via) {
            taken.push(via);
        }
        assert_eq!(taken, ["SIP/2.0/TLS a", "SIP/2.0/TLS b", "SIP/2.0/TLS c"]);
        assert_eq!(headers.remove_all(&HeaderName::Route), 1);
        assert_eq!(lines(&headers), ["X-Y: 1"]);
    }

    #[test]
    fn a_response_repeats_its_lines_in_the_order_of_the_standard_whatever_that_of_the_request_is() {
        let text = "BYE sip:a SIP/2.0\r\nt: <sip:t>\r\nCSeq: 1\r\n BYE\r\nX: 1\r\nVia: a\r\nFrom: f\r\nv:b\r\ni: c\r\n\r\n";
        let Message::Request(request) = Message::parse(text.into()).unwrap() else { panic!() };
        let mut response = request.response(crate::status::StatusCode::OK);
        let expected = ["Via: a", "v: b", "From: f", "t: <sip:t>", "i: c", "CSeq: 1 BYE"];
        assert_eq!(lines(&response.headers), expected);
        // What is added and replaced stands beside it.
        response.headers.push_text(&HeaderName::Server, "s");
        response.headers.set(HeaderName::To, "<sip:t>;tag=1");
        let again = request.response(crate::status::StatusCode::OK);
        assert_eq!(lines(&again.headers), expected);
        response.headers.append_to(&HeaderName::To, &[";a=", "2"]);
        response.headers.append_to(&HeaderName::From, &[";b"]);
        response.headers.append_to(&HeaderName::Subject, &["nothing to add to"]);
        let written = Message::from(response).to_bytes();
        let expected = "SIP/2.0 200 OK\r\nVia: a\r\nv:b\r\nFrom: f;b\r\nTo: <sip:t>;tag=1;a=2\r\ni: c\r\nCSeq: 1 BYE\r\nServer: s\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(str::from_utf8(&written), Ok(expected));
    }

    #[test]
    fn parts_of_every_length_are_added_whole() {
        let text: Vec<u8> = (0..40).collect();
        for before in 0..3 {
            for length in 0..40 {
                let mut out = text[..before].to_vec();
                append(&mut out, &text[..length]);
                assert_eq!(out, [&text[..before], &text[..length]].concat());
            }
        }
    }

    #[test]
    fn copied_lines_keep_their_form() {
        let mut headers = Headers::new();
        headers.copy_from(&received(), &HeaderName::Via);
        assert_eq!(lines(&headers), ["v: SIP/2.0/TLS a", "Via: SIP/2.0/TLS b, SIP/2.0/TLS c"]);
    }
}
