//! Message boundaries on a stream: Content-Length, and CR LF that keeps the connection alive.

use core::fmt;

use bytes::{Buf, Bytes, BytesMut};

use crate::error::{ParseError, Rule};
use crate::grammar;
use crate::headers::HeaderName;
use crate::message::{Limits, Message};
use crate::scan::{self, LineEnds, Step};

/// What came out of the stream.
///
/// RFC 3261 18.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame {
    /// One message, for [`crate::Message::parse`].
    Message(Bytes),
    /// CR LF CR LF between messages.
    KeepAlive,
}

/// The same with the message read, or why it cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Message(Message),
    Unreadable(ParseError),
    KeepAlive,
}

/// Why the stream is broken for good.
///
/// RFC 3261 18.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FramingError {
    /// The head breaks the grammar or a limit.
    Head(ParseError),
    /// A message without Content-Length: its end is unknown.
    ContentLengthMissing,
    /// Content-Length is no number, or two of them differ.
    ContentLength,
    /// The body is longer than the limit.
    BodyTooLong {
        /// What Content-Length says.
        length: u32,
    },
}

impl fmt::Display for FramingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head(error) => write!(f, "{error}"),
            Self::ContentLengthMissing => f.write_str("a message without Content-Length on a stream"),
            Self::ContentLength => f.write_str("Content-Length is not one number"),
            Self::BodyTooLong { length } => write!(f, "a body of {length} bytes is too long"),
        }
    }
}

impl std::error::Error for FramingError {}

/// Cuts a stream into messages. After an error it yields nothing more: the boundary is lost.
///
/// RFC 3261 18.3
#[derive(Clone, Debug, Default)]
pub struct StreamDecoder {
    buffer: BytesMut,
    limits: Limits,
    /// Bytes that were delivered or dropped.
    consumed: u64,
    /// Everything before this offset holds no empty line.
    searched: usize,
    /// Head and body of the next message, once its head is complete.
    wanted: Option<(usize, usize)>,
    failed: bool,
}

impl StreamDecoder {
    /// A decoder under limits.
    ///
    /// RFC 3261 18.3
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes received bytes.
    ///
    /// RFC 3261 18.3
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.failed {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Number of bytes that belong to a message not yet complete.
    ///
    /// RFC 3261 18.3
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// Offset in the stream of the first byte that is pending.
    ///
    /// RFC 3261 18.3
    pub const fn offset(&self) -> u64 {
        self.consumed
    }

    /// The next frame; `None` until more bytes come.
    ///
    /// RFC 3261 18.3
    #[expect(clippy::should_implement_trait, reason = "more frames may come after None")]
    pub fn next(&mut self) -> Option<Result<Frame, FramingError>> {
        if self.failed {
            return None;
        }
        let result = self.step().transpose();
        if matches!(result, Some(Err(_))) {
            self.failed = true;
            self.buffer = BytesMut::new();
        }
        result
    }

    /// The next frame, a message of it read. Most messages come whole, and their lines are split once only: to find where
    /// they end and to read them.
    pub(crate) fn next_message(&mut self) -> Option<Result<Arrived, FramingError>> {
        let between = self.wanted.is_none() && self.searched == 0;
        if between && self.buffer.first().is_some_and(|&b| !matches!(b, b'\r' | b'\n')) {
            let before = self.buffer.len();
            if let Some(message) = Message::take_whole(&mut self.buffer, &self.limits) {
                self.consumed += (before - self.buffer.len()) as u64;
                return Some(Ok(Arrived::Message(message)));
            }
        }
        Some(self.next()?.map(|frame| match frame {
            Frame::KeepAlive => Arrived::KeepAlive,
            Frame::Message(bytes) => match Message::parse_with(bytes, LineEnds::Strict, &self.limits) {
                Ok(message) => Arrived::Message(message),
                Err(error) => Arrived::Unreadable(error),
            },
        }))
    }

    fn step(&mut self) -> Result<Option<Frame>, FramingError> {
        if self.wanted.is_none() {
            if self.searched == 0 && self.take_line_ends() {
                return Ok(Some(Frame::KeepAlive));
            }
            let Some(head) = self.head_end()? else { return Ok(None) };
            let body = content_length(self.buffer.get(..head).unwrap_or_default(), &self.limits)?;
            if body as usize > self.limits.body {
                return Err(FramingError::BodyTooLong { length: body });
            }
            self.wanted = Some((head, body as usize));
        }
        let Some((head, body)) = self.wanted else { return Ok(None) };
        if self.buffer.len() < head + body {
            self.buffer.reserve(head + body - self.buffer.len());
            return Ok(None);
        }
        self.wanted = None;
        self.searched = 0;
        self.consumed += (head + body) as u64;
        Ok(Some(Frame::Message(self.buffer.split_to(head + body).freeze())))
    }

    /// Drops line ends before a message; tells whether four bytes of them were a keep-alive.
    fn take_line_ends(&mut self) -> bool {
        loop {
            match self.buffer.get(..4) {
                Some(b"\r\n\r\n") => {
                    self.drop_front(4);
                    return true;
                }
                // One line end alone may be the first half of a keep-alive.
                _ => match (self.buffer.first(), self.buffer.get(..2), self.buffer.get(2)) {
                    (_, Some(b"\r\n"), None | Some(b'\r')) if self.buffer.len() < 4 => return false,
                    (_, Some(b"\r\n"), _) => self.drop_front(2),
                    (Some(b'\n'), ..) => self.drop_front(1),
                    (Some(b'\r'), Some(_), _) => self.drop_front(1),
                    _ => return false,
                },
            }
        }
    }

    fn drop_front(&mut self, length: usize) {
        self.buffer.advance(length);
        self.consumed += length as u64;
    }

    /// Offset behind the empty line.
    fn head_end(&mut self) -> Result<Option<usize>, FramingError> {
        let mut at = self.searched;
        loop {
            let end = scan::line_end(&self.buffer, at);
            match self.buffer.get(end..end + 4) {
                Some(b"\r\n\r\n") => return Ok(Some(end + 4)),
                Some(_) => at = end + 1,
                // The end may still be incomplete: search again from here.
                None => break,
            }
        }
        // Too much without an end: say which limit, as far as it can be told.
        let end = scan::line_end(&self.buffer, at).min(self.buffer.len());
        self.searched = end.saturating_sub(3);
        if self.buffer.len() > self.limits.head {
            return Err(FramingError::Head(ParseError::new(self.limits.head, Rule::HeadTooLong)));
        }
        // What can be seen of the head must not be rubbish, so that a peer of another protocol is cut off early.
        let only_ends = self.buffer.iter().all(|&b| b == b'\r' || b == b'\n');
        if !only_ends
            && self.buffer.len() > self.limits.line
            && scan::line_end(&self.buffer, 0) > self.limits.line
        {
            return Err(FramingError::Head(ParseError::new(self.limits.line, Rule::LineTooLong)));
        }
        Ok(None)
    }
}

/// Content-Length of a complete head.
fn content_length(head: &[u8], limits: &Limits) -> Result<u32, FramingError> {
    if head.len() > limits.head {
        return Err(FramingError::Head(ParseError::new(limits.head, Rule::HeadTooLong)));
    }
    let (line, mut at) = scan::start_line(head, 0, LineEnds::Strict).map_err(FramingError::Head)?;
    if line.len() > limits.line {
        return Err(FramingError::Head(ParseError::new(0, Rule::LineTooLong)));
    }
    let mut length = None;
    let mut lines = 0;
    while let Step::Line(line) = scan::header_line(head, at, LineEnds::Strict).map_err(FramingError::Head)? {
        lines += 1;
        if lines > limits.headers {
            return Err(FramingError::Head(ParseError::new(at, Rule::TooManyHeaders)));
        }
        if line.end as usize - at > limits.line {
            return Err(FramingError::Head(ParseError::new(at, Rule::LineTooLong)));
        }
        if line.number == HeaderName::ContentLength.number() {
            let value = head.get(line.value as usize..line.value_end as usize).unwrap_or_default();
            let value = core::str::from_utf8(value).ok().and_then(|text| grammar::number(text).ok());
            match (value, length) {
                (None, _) => return Err(FramingError::ContentLength),
                (Some(new), Some(old)) if new != old => return Err(FramingError::ContentLength),
                (Some(new), _) => length = Some(new),
            }
        }
        at = line.end as usize;
    }
    length.ok_or(FramingError::ContentLengthMissing)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nCONTENT-LENGTH: 3\r\nFrom: <sip:x@y>;tag=1\r\n\r\n";

    fn frames(decoder: &mut StreamDecoder) -> Vec<Result<Frame, FramingError>> {
        core::iter::from_fn(|| decoder.next()).collect()
    }

    #[test]
    fn messages_and_keep_alives_come_out_in_order_however_the_bytes_arrive() {
        let message = format!("{HEAD}abc");
        let stream = format!("\r\n\r\n{message}\r\n{message}{message}\r\n\r\n\r\n\r\n");
        let one = Ok(Frame::Message(Bytes::from(message)));
        let expected = vec![
            Ok(Frame::KeepAlive),
            one.clone(),
            one.clone(),
            one,
            Ok(Frame::KeepAlive),
            Ok(Frame::KeepAlive),
        ];
        for size in 1..=stream.len() {
            let mut decoder = StreamDecoder::default();
            let mut seen = Vec::new();
            for chunk in stream.as_bytes().chunks(size) {
                decoder.push(chunk);
                seen.extend(frames(&mut decoder));
            }
            assert_eq!(seen, expected, "in pieces of {size}");
            assert_eq!(decoder.pending(), 0);
        }
    }

    #[test]
    fn messages_that_are_read_at_once_are_those_that_are_cut_first_and_read_then() {
        let pieces = [
            "\r\n\r\n",
            &format!("{HEAD}abc"),
            // Folds, a length in two lines, a start line and a body that nobody can read.
            "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\n ;branch=1\r\nl:\r\n 3\r\nX: y\r\n\r\nabc",
            "OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\nx",
            "nonsense\r\nl: 2\r\n\r\nxy",
            "\r\nSIP/2.0 200 OK\r\nl: 00\r\nX-Unknown: 1\r\n\r\n",
            "SIP/2.0 200 OK\r\nTo: \u{fffd}\r\nl: 4\r\n\r\n\r\n\r\n",
            // Behind its length more is to come.
            "SIP/2.0 200 OK\r\nl: 0\r\nX: 1\r\n\r\n",
        ];
        let ends =
            ["l: 1,\r\n\r\n", "a: b\r\n\r\n", "l: 99\r\n\r\n", "l: 1\r\nb\r\n\r\n", "l: 1\r\n\nb\r\n\r\n"];
        let limits = Limits { head: 150, line: 60, headers: 5, body: 50 };
        let long = format!("OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\nX: {}\r\n\r\nx", "y".repeat(120));
        let many = format!("OPTIONS sip:a@b SIP/2.0\r\nl: 1\r\n{}\r\nx", "a: b\r\n".repeat(5));
        let ends = ends.map(|end| format!("OPTIONS sip:a@b SIP/2.0\r\n{end}"));
        for end in ends.iter().chain([&long, &many]) {
            let stream = pieces.concat() + end;
            for size in 1..=stream.len() {
                let (mut cut, mut read) = (StreamDecoder::new(limits), StreamDecoder::new(limits));
                for chunk in stream.as_bytes().chunks(size) {
                    cut.push(chunk);
                    read.push(chunk);
                    loop {
                        let expected = cut.next().map(|frame| {
                            frame.map(|frame| match frame {
                                Frame::KeepAlive => Arrived::KeepAlive,
                                Frame::Message(octets) => {
                                    Message::parse_with(octets, LineEnds::Strict, &limits)
                                        .map_or_else(Arrived::Unreadable, Arrived::Message)
                                }
                            })
                        });
                        let got = read.next_message();
                        assert_eq!(got, expected, "{end} in pieces of {size}");
                        assert_eq!((read.offset(), read.pending()), (cut.offset(), cut.pending()));
                        if got.is_none() {
                            break;
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_stream_whose_boundary_is_lost_is_ended_by_name() {
        let error = |text: &str| {
            let mut decoder = StreamDecoder::default();
            decoder.push(text.as_bytes());
            let error = frames(&mut decoder).pop().and_then(Result::err);
            decoder.push(HEAD.as_bytes());
            assert_eq!(decoder.next(), None, "nothing comes after an error");
            error
        };
        let request = "OPTIONS sip:a@b SIP/2.0\r\n";
        assert_eq!(error(&format!("{request}To: x\r\n\r\n")), Some(FramingError::ContentLengthMissing));
        assert_eq!(error(&format!("{request}l: -999\r\n\r\n")), Some(FramingError::ContentLength));
        assert_eq!(error(&format!("{request}l: 13\r\nl: 5\r\n\r\n")), Some(FramingError::ContentLength));
        assert_eq!(
            error(&format!("{request}l: 99999999\r\n\r\n")),
            Some(FramingError::BodyTooLong { length: 99_999_999 })
        );
        assert_eq!(
            error(&format!("{request}rubbish\r\n\r\n")),
            Some(FramingError::Head(ParseError::new(32, Rule::Colon)))
        );
    }

    #[test]
    fn a_peer_that_never_ends_a_head_is_cut_off() {
        let limits = Limits { head: 200, line: 100, headers: 3, body: 10 };
        let run = |piece: &str| {
            let mut decoder = StreamDecoder::new(limits);
            for _ in 0..1000 {
                decoder.push(piece.as_bytes());
                if let Some(result) = decoder.next() {
                    return result.map_err(|error| match error {
                        FramingError::Head(error) => error.rule,
                        other => panic!("{other}"),
                    });
                }
            }
            panic!("never cut off")
        };
        assert_eq!(run("x"), Err(Rule::LineTooLong));
        assert_eq!(run("a: b\r\n"), Err(Rule::HeadTooLong));
        let mut decoder = StreamDecoder::new(limits);
        decoder.push(b"A sip:b SIP/2.0\r\na: b\r\nc: d\r\ne: f\r\ng: h\r\n\r\n");
        assert!(
            matches!(decoder.next(), Some(Err(FramingError::Head(error))) if error.rule == Rule::TooManyHeaders)
        );
    }
}
