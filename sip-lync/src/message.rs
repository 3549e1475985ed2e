//! Requests and responses: start line, header fields, body.

mod abilities;
mod essentials;
mod passed_on;
mod problem;
mod rejection;
mod start_line;
mod strict;

mod view;

use core::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{ParseError, Rule};
use crate::grammar::{self, Decimal};
use crate::headers::{HeaderName, Headers};
use crate::method::Method;
use crate::scan::{Head, LineEnds};
use crate::simd::spans;
use crate::status::StatusCode;
use crate::uri::Uri;

pub use abilities::Abilities;
pub(crate) use essentials::Essentials;
pub use passed_on::Edit;
pub use problem::{Fault, Problem};
pub use rejection::{Rejection, RejectionRow};

pub use start_line::StartLine;
pub use view::{HeaderView, MessageView};

/// How long the parts of a message may be.
///
/// RFC 3261 21.5.7
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of start line and header fields together.
    pub head: usize,
    /// Bytes of one line with its folds.
    pub line: usize,
    /// Number of header lines.
    pub headers: usize,
    /// Bytes of the body.
    pub body: usize,
}

impl Limits {
    /// 64 KiB head, 16 KiB line, 256 lines, 1 MiB body.
    ///
    /// RFC 3261 18.1.1
    pub const DEFAULT: Self = Self { head: 64 * 1024, line: 16 * 1024, headers: 256, body: 1024 * 1024 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The version in a start line.
///
/// RFC 3261 7.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version {
    /// Before the point.
    pub major: u16,
    /// Behind the point.
    pub minor: u16,
}

impl Version {
    /// The only version in use.
    ///
    /// RFC 3261 7.1
    pub const SIP_2_0: Self = Self { major: 2, minor: 0 };

    /// Reads `SIP/2.0` without regard to case.
    ///
    /// RFC 3261 7.1
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text == "SIP/2.0" {
            return Ok(Self::SIP_2_0);
        }
        let error = ParseError::new(0, Rule::Version);
        let Some((name, numbers)) = text.split_once('/') else { return Err(error) };
        let Some((major, minor)) = numbers.split_once('.') else { return Err(error) };
        let number = |text: &str| grammar::number(text).ok().and_then(|n| u16::try_from(n).ok());
        match (number(major), number(minor)) {
            (Some(major), Some(minor)) if name.eq_ignore_ascii_case("SIP") => Ok(Self { major, minor }),
            _ => Err(error),
        }
    }
}

impl Version {
    fn emit(self, out: &mut BytesMut) {
        if self == Self::SIP_2_0 {
            out.put_slice(b"SIP/2.0");
        } else {
            let _ = fmt::Write::write_fmt(out, format_args!("{self}"));
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/{}.{}", self.major, self.minor)
    }
}

/// A request.
///
/// ```
/// use sip_lync::headers::{CSeq, NameAddr, Transport, Via};
/// use sip_lync::{HeaderName, Message, Method, Request, SipUri};
///
/// let alice = SipUri::new(Some("alice"), "example.net")?;
/// let number = SipUri::new(Some("+14255550100"), "example.net")?.with_parameter("user", Some("phone"));
/// let mut invite = Request::new(Method::Invite, number.clone().into());
/// let headers = &mut invite.headers;
/// headers.push(HeaderName::Via, Via::new(Transport::Tls, "192.0.2.10", Some(40001)).with_branch("z9hG4bK77aa"));
/// headers.push(HeaderName::MaxForwards, 70);
/// headers.push(HeaderName::From, NameAddr::new(alice).with_display("Ward 3").with_parameter("tag", Some("5bd1")));
/// headers.push(HeaderName::To, NameAddr::new(number));
/// headers.push(HeaderName::CallId, "0f1e2d3c4b5a");
/// headers.push(HeaderName::CSeq, CSeq::new(1, Method::Invite));
/// let bytes = Message::from(invite).to_bytes();
/// assert!(bytes.starts_with(b"INVITE sip:+14255550100@example.net;user=phone SIP/2.0\r\nVia: "));
/// # Ok::<(), sip_lync::ParseError>(())
/// ```
///
/// RFC 3261 7.1
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// What is asked for.
    pub method: Method,
    /// Whom it is asked of.
    pub uri: Uri,
    /// The version, 2.0 unless the sender is from another world.
    pub version: Version,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A request without header fields and body.
    ///
    /// RFC 3261 7.1
    pub const fn new(method: Method, uri: Uri) -> Self {
        Self { method, uri, version: Version::SIP_2_0, headers: Headers::new(), body: Bytes::new() }
    }

    /// A response to this request: Via, From, To, Call-ID and CSeq are copied, everything else is the caller's.
    ///
    /// RFC 3261 8.2.6.2
    pub fn response(&self, status: StatusCode) -> Response {
        let mut response = Response::new(status);
        response.headers = self.headers.repeated_in_response();
        if status == StatusCode::TRYING {
            response.headers.copy_from(&self.headers, &HeaderName::Timestamp);
        }
        response
    }

    /// What its responses repeat, if that is no more than what all responses do.
    pub(crate) fn repeated(&self) -> Option<Headers> {
        let more = [HeaderName::RecordRoute, HeaderName::Timestamp];
        (!more.iter().any(|name| self.headers.contains(name))).then(|| self.headers.repeated_in_response())
    }

    /// A copy that leaves the body away.
    pub(crate) fn without_body(&self) -> Self {
        Self {
            method: self.method.clone(),
            uri: self.uri.clone(),
            version: self.version,
            headers: self.headers.clone(),
            body: Bytes::new(),
        }
    }

    /// Appends the request to the buffer; Content-Length is made to fit.
    ///
    /// RFC 3261 7
    pub fn emit(&self, out: &mut BytesMut) {
        self.start(out);
        self.headers.emit(out, self.body.len());
        out.put_slice(b"\r\n");
        out.put_slice(&self.body);
    }

    fn start(&self, out: &mut BytesMut) {
        out.reserve(1024 + self.body.len());
        for part in [self.method.as_str(), " ", self.uri.as_str()] {
            out.put_slice(part.as_bytes());
        }
        if self.version == Version::SIP_2_0 {
            return out.put_slice(b" SIP/2.0\r\n");
        }
        out.put_slice(b" ");
        self.version.emit(out);
        out.put_slice(b"\r\n");
    }
}

/// A response.
///
/// RFC 3261 7.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Response {
    /// The version.
    pub version: Version,
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase, for humans.
    pub reason: String,
    /// The header fields.
    pub headers: Headers,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// A response with the customary reason phrase, without header fields and body.
    ///
    /// RFC 3261 7.2
    pub fn new(status: StatusCode) -> Self {
        Self {
            version: Version::SIP_2_0,
            status,
            reason: status.reason().to_owned(),
            headers: Headers::new(),
            body: Bytes::new(),
        }
    }

    /// Appends the response to the buffer; Content-Length is made to fit.
    ///
    /// RFC 3261 7
    pub fn emit(&self, out: &mut BytesMut) {
        self.start(out);
        self.headers.emit(out, self.body.len());
        out.put_slice(b"\r\n");
        out.put_slice(&self.body);
    }

    fn start(&self, out: &mut BytesMut) {
        out.reserve(1024 + self.body.len());
        if self.version == Version::SIP_2_0 && self.status == StatusCode::OK && self.reason == "OK" {
            return out.put_slice(b"SIP/2.0 200 OK\r\n");
        }
        self.version.emit(out);
        let code = Decimal::of(self.status.code().into());
        for part in [" ", code.as_str(), " "] {
            out.put_slice(part.as_bytes());
        }
        let reason = self.reason.as_bytes();
        if spans::line_end(reason, 0) == reason.len() {
            out.put_slice(reason);
        } else {
            out.extend(reason.iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }));
        }
        out.put_slice(b"\r\n");
    }
}

/// A request or a response.
///
/// RFC 3261 7
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// Reads one message: the whole of a datagram, or a frame of a stream. Bytes behind Content-Length are ignored.
    ///
    /// What can be answered is accepted here, even if it is not valid: `problems` says what is wrong with it.
    ///
    /// RFC 3261 7, 18.3
    pub fn parse(wire: Bytes) -> Result<Self, ParseError> {
        Self::parse_with(wire, LineEnds::Strict, &Limits::DEFAULT)
    }

    /// Reads one message under given limits.
    ///
    /// RFC 3261 7, 18.3
    pub fn parse_with(wire: Bytes, ends: LineEnds, limits: &Limits) -> Result<Self, ParseError> {
        let mut head = Head::new(0, ends);
        let start = Start::from(start_line::read(&wire, &mut head, limits)?);
        let (headers, mut body) = Headers::parse(wire, &mut head, limits)?;
        if let Some(length) = headers.get(&HeaderName::ContentLength).and_then(|v| grammar::number(v).ok()) {
            body.truncate(length as usize);
        }
        Ok(start.with(headers, body))
    }

    /// Takes the message at the start of a stream, if all of it is there and nothing about its length is unusual.
    pub(crate) fn take_whole(stream: &mut BytesMut, limits: &Limits) -> Option<Self> {
        let mut head = Head::new(0, LineEnds::Strict);
        let start = start_line::read(stream, &mut head, limits).ok()?;
        let (headers, at) = Headers::split(stream, &mut head, limits).ok()?;
        // Without its empty line the head is not complete.
        let complete = at <= limits.head && stream.get(..at)?.ends_with(b"\r\n\r\n");
        let length = headers.split_length(stream)? as usize;
        if !complete || length > limits.body || stream.len() - at < length {
            return None;
        }
        let start = Start::from(start);
        let (headers, body) = headers.with_wire(stream.split_to(at + length).freeze(), at);
        Some(start.with(headers, body))
    }

    /// The header fields.
    ///
    /// RFC 3261 7.3
    pub const fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => &request.headers,
            Self::Response(response) => &response.headers,
        }
    }

    /// The header fields, to edit.
    ///
    /// RFC 3261 7.3
    pub const fn headers_mut(&mut self) -> &mut Headers {
        match self {
            Self::Request(request) => &mut request.headers,
            Self::Response(response) => &mut response.headers,
        }
    }

    /// The body.
    ///
    /// RFC 3261 7.4
    pub const fn body(&self) -> &Bytes {
        match self {
            Self::Request(request) => &request.body,
            Self::Response(response) => &response.body,
        }
    }

    /// The version.
    ///
    /// RFC 3261 7.1
    pub const fn version(&self) -> Version {
        match self {
            Self::Request(request) => request.version,
            Self::Response(response) => response.version,
        }
    }

    /// Appends the message to the buffer; Content-Length is made to fit.
    ///
    /// RFC 3261 7
    pub fn emit(&self, out: &mut BytesMut) {
        match self {
            Self::Request(request) => request.emit(out),
            Self::Response(response) => response.emit(out),
        }
    }

    /// Appends the message in as few bytes as its values allow: compact names, no folds, no blanks behind colons.
    ///
    /// RFC 3261 7.3.3
    pub fn emit_compact(&self, out: &mut BytesMut) {
        match self {
            Self::Request(request) => request.start(out),
            Self::Response(response) => response.start(out),
        }
        self.headers().emit_compact(out, self.body().len());
        out.put_slice(b"\r\n");
        out.put_slice(self.body());
    }

    /// The message as bytes.
    ///
    /// RFC 3261 7
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.emit(&mut out);
        out.freeze()
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

/// A start line that owns its parts.
enum Start {
    Request(Method, Uri, Version),
    Response(Version, StatusCode, String),
}

impl Start {
    fn with(self, headers: Headers, body: Bytes) -> Message {
        match self {
            Self::Request(method, uri, version) => {
                Message::Request(Request { method, uri, version, headers, body })
            }
            Self::Response(version, status, reason) => {
                Message::Response(Response { version, status, reason, headers, body })
            }
        }
    }
}

impl From<StartLine<'_>> for Start {
    fn from(line: StartLine<'_>) -> Self {
        match line {
            StartLine::Request { method, uri, version } => {
                let method = Method::parse(method).unwrap_or_else(|_| Method::Other(method.into()));
                Self::Request(method, Uri::received(uri), version)
            }
            StartLine::Response { version, status, reason } => {
                Self::Response(version, status, reason.to_owned())
            }
        }
    }
}
