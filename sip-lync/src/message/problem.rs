//! What is wrong with a message that could be split, and what an element must answer to it.

use core::fmt;
use core::net::IpAddr;

use super::{Abilities, Essentials, Message, Rejection, Request, Response, Version};
use crate::body::multipart;
use crate::error::{ParseError, Rule};
use crate::grammar;
use crate::headers::{HeaderName, Headers, NameAddrView, ViaView, check_call_id, quality};
use crate::method::Method;
use crate::sdp::SessionDescription;
use crate::status::StatusCode;
use crate::uri::Uri;

/// The rule a message breaks.
///
/// RFC 3261 8.2, 8.1.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The header field breaks its grammar.
    Malformed(ParseError),
    /// A header field every message has is missing.
    Missing,
    /// A header field that occurs once occurs more often.
    Repeated,
    /// The version is not 2.0.
    Version(Version),
    /// The Request-URI is none.
    RequestUri,
    /// The Request-URI carries header fields.
    RequestUriHeaders,
    /// The scheme of the Request-URI is not supported.
    Scheme,
    /// CSeq names another method than the request.
    Method,
    /// These extensions are required and not supported.
    Extensions(Vec<String>),
    /// The type of the body is not supported.
    MediaType,
    /// The encoding of the body is not supported.
    Encoding,
    /// The sender does not accept session descriptions.
    NotAcceptable,
    /// The body ends before Content-Length is reached.
    BodyTooShort {
        /// The bytes that came.
        length: usize,
    },
    /// The multipart body cannot be taken apart.
    Multipart(ParseError),
    /// The session description breaks its grammar.
    SessionDescription(ParseError),
    /// The address-of-record of a REGISTER is no SIP URI.
    AddressOfRecord,
    /// `*` stands in a Contact beside others, or without `Expires: 0`.
    Wildcard,
    /// A Via names an address nobody sends from.
    ViaAddress,
    /// The Request-URI is too long.
    UriTooLong,
    /// The body is too long.
    BodyTooLong,
    /// The message is too long.
    MessageTooLong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) | Self::Multipart(error) => f.write_str(error.rule.text()),
            Self::Missing => f.write_str("missing"),
            Self::Repeated => f.write_str(Rule::Repeated.text()),
            Self::Version(version) => write!(f, "{version} is not supported"),
            Self::RequestUri => f.write_str("the Request-URI breaks the grammar"),
            Self::RequestUriHeaders => f.write_str("the Request-URI carries header fields"),
            Self::Scheme => f.write_str("the scheme of the Request-URI is not supported"),
            Self::Method => f.write_str("the method differs from that of the request line"),
            Self::Extensions(tags) => write!(f, "extensions not supported: {}", tags.join(", ")),
            Self::MediaType => f.write_str("the type of the body is not supported"),
            Self::Encoding => f.write_str("the encoding of the body is not supported"),
            Self::NotAcceptable => f.write_str("the sender does not accept session descriptions"),
            Self::BodyTooShort { length } => write!(f, "the body has only {length} bytes"),
            Self::SessionDescription(error) => write!(f, "the session description: {}", error.rule.text()),
            Self::AddressOfRecord => f.write_str("the address-of-record is no SIP URI"),
            Self::Wildcard => f.write_str("`*` stands alone and with Expires: 0"),
            Self::ViaAddress => f.write_str("an address nobody sends from"),
            Self::UriTooLong => f.write_str("the Request-URI is too long"),
            Self::BodyTooLong => f.write_str("the body is too long"),
            Self::MessageTooLong => f.write_str("the message is too long"),
        }
    }
}

/// One thing that is wrong with a message.
///
/// RFC 3261 8.2, 8.1.3
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The reason to refuse the message, were it one that is answered.
    pub rejection: Rejection,
    /// What must be answered; `None` for what is dropped: responses, ACK and BENOTIFY.
    pub status: Option<StatusCode>,
    /// The header field, if one is at fault.
    pub header: Option<HeaderName>,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.header {
            Some(header) => write!(f, "{header}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

impl Problem {
    /// The response that refuses the request; `None` when it is dropped. Header fields that the status demands are set.
    ///
    /// RFC 3261 8.2
    pub fn response(&self, request: &Request, abilities: &Abilities) -> Option<Response> {
        self.status?;
        let told = match &self.fault {
            Fault::Extensions(tags) => tags.join(", "),
            Fault::MediaType => {
                let types: Vec<_> =
                    abilities.session_types.iter().map(|(kind, sub)| format!("{kind}/{sub}")).collect();
                types.join(", ")
            }
            _ => "identity".to_owned(),
        };
        let mut response = self.rejection.response(request, &told);
        if self.rejection == Rejection::Malformed {
            response.reason = format!("Bad Request ({self})");
        }
        Some(response)
    }
}

/// Collects problems of one message.
struct Check<'a> {
    headers: &'a Headers,
    /// Whether the message is answered at all.
    answered: bool,
    problems: Vec<Problem>,
    /// What was read on the way.
    essentials: Essentials<'a>,
    /// A Via names an address nobody sends from.
    from_nobody: bool,
}

impl<'a> Check<'a> {
    fn new(headers: &'a Headers, answered: bool) -> Self {
        let essentials = Essentials::default();
        Self { headers, answered, problems: Vec::new(), essentials, from_nobody: false }
    }

    /// What is wrong, and what was read; of a message with which something is wrong as far as that is possible.
    fn finish(self) -> (Vec<Problem>, Essentials<'a>) {
        let essentials =
            if self.problems.is_empty() { self.essentials } else { Essentials::read(self.headers) };
        (self.problems, essentials)
    }

    fn add(&mut self, rejection: Rejection, header: Option<HeaderName>, fault: Fault) {
        let status = self.answered.then_some(rejection.status());
        self.problems.push(Problem { rejection, status, header, fault });
    }

    fn bad(&mut self, header: HeaderName, fault: Fault) {
        self.add(Rejection::Malformed, Some(header), fault);
    }

    /// The value of a field, its error noted.
    fn value<T: Default>(&mut self, header: &HeaderName, value: Result<T, ParseError>) -> T {
        match value {
            Ok(value) => value,
            Err(error) if error.rule == Rule::Repeated => {
                self.bad(header.clone(), Fault::Repeated);
                T::default()
            }
            Err(error) => {
                self.bad(header.clone(), Fault::Malformed(error));
                T::default()
            }
        }
    }

    /// What every message has, and what decides where it ends.
    fn common(&mut self, body: usize) {
        for name in [HeaderName::Via, HeaderName::From, HeaderName::To, HeaderName::CallId, HeaderName::CSeq]
        {
            if !self.headers.contains(&name) {
                self.bad(name, Fault::Missing);
            }
        }
        let (mut first, mut from_nobody) = (None, false);
        let vias = self.headers.check_list(&HeaderName::Via, |text| {
            let via = ViaView::parse(text)?;
            first.get_or_insert(via);
            from_nobody |= is_nobody(via.host);
            Ok(())
        });
        self.essentials.via = first;
        self.from_nobody = from_nobody && vias.is_ok();
        let vias = self.value(&HeaderName::Via, vias);
        if vias == 0 && self.headers.contains(&HeaderName::Via) && self.problems.is_empty() {
            self.bad(HeaderName::Via, Fault::Missing);
        }
        let from = self.headers.check_one(&HeaderName::From, NameAddrView::check);
        self.essentials.from = self.value(&HeaderName::From, from);
        let to = self.headers.check_one(&HeaderName::To, NameAddrView::check);
        self.essentials.to = self.value(&HeaderName::To, to);
        self.value(&HeaderName::CallId, self.headers.check_one(&HeaderName::CallId, check_call_id));
        for name in [HeaderName::Route, HeaderName::RecordRoute] {
            self.value(&name, self.headers.check_list(&name, NameAddrView::check));
        }
        self.contacts();
        let length = self.value(&HeaderName::ContentLength, self.headers.content_length());
        if length.is_some_and(|length| length as usize > body) {
            self.bad(HeaderName::ContentLength, Fault::BodyTooShort { length: body });
        }
        // Of the fields that occur once, those not read above.
        for name in self.headers.repeated() {
            let noted = self.problems.iter().any(|problem| problem.header.as_ref() == Some(name));
            if !noted && name.is_single() && *name != HeaderName::ContentLength {
                self.bad(name.clone(), Fault::Repeated);
            }
        }
    }

    fn contacts(&mut self) {
        let name = HeaderName::Contact;
        let (mut wildcard, mut qualities) = (false, Vec::new());
        let count = self.headers.check_list(&name, |text| {
            if grammar::trim(text) == "*" {
                wildcard = true;
                return Ok(());
            }
            let q = NameAddrView::check_with(text, "q")?;
            if let Some(error) = q.and_then(|q| quality(q).err()) {
                qualities.push(error);
            }
            Ok(())
        });
        // Of a field that cannot be read nothing more is said.
        let readable = count.is_ok();
        let count = self.value(&name, count);
        if !readable {
            return;
        }
        for error in qualities {
            self.value::<()>(&name, Err(error));
        }
        if wildcard {
            let removes = matches!(self.headers.expires(), Ok(Some(0)));
            if count > 1 || !removes {
                self.bad(name, Fault::Wildcard);
            }
        }
    }

    fn session(&mut self, body: &[u8]) {
        if let Err(error) = SessionDescription::check_bytes(body) {
            self.add(Rejection::SessionDescription, None, Fault::SessionDescription(error));
        }
    }

    /// The body of a message that may carry a session description.
    fn body(&mut self, message: &Message, abilities: Option<&Abilities>) {
        let body = message.body();
        if body.is_empty() {
            return;
        }
        // The type that most bodies have is not taken apart.
        let kind = if self.headers.is_sdp() {
            None
        } else {
            let kind = self.value(&HeaderName::ContentType, self.headers.content_type());
            if kind.is_none() {
                return;
            }
            kind
        };
        let optional =
            matches!(self.headers.content_disposition(), Ok(Some(disposition)) if disposition.is_optional());
        let encoded =
            self.headers.elements(&HeaderName::ContentEncoding).any(|e| !e.eq_ignore_ascii_case("identity"));
        if encoded {
            if !optional {
                self.add(Rejection::Encoding, Some(HeaderName::ContentEncoding), Fault::Encoding);
            }
            return;
        }
        let Some(kind) = kind.filter(|kind| !kind.is("application", "sdp")) else {
            return self.session(body);
        };
        if kind.is_multipart() {
            match multipart::parse(&kind, body) {
                Err(error) => self.add(Rejection::Malformed, None, Fault::Multipart(error)),
                Ok(parts) => {
                    if let Some(part) = multipart::session_description(&parts)
                        && !part.is_fallback_of_2007()
                    {
                        self.session(&part.body);
                    }
                }
            }
        } else if let Some(abilities) = abilities {
            let supported = abilities.session_types.iter().any(|(main, sub)| kind.is(main, sub));
            if !supported && !optional {
                self.add(Rejection::MediaType, Some(HeaderName::ContentType), Fault::MediaType);
            }
        }
    }
}

/// Whether nobody sends from this host.
fn is_nobody(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']);
    // Those nobody has begin in few ways.
    if !matches!(address.as_bytes(), [b'2' | b'0' | b'f' | b'F' | b':', ..]) {
        return false;
    }
    address.parse().is_ok_and(|address| match address {
        IpAddr::V4(address) => address.is_broadcast() || address.is_multicast() || address.is_unspecified(),
        IpAddr::V6(address) => address.is_multicast() || address.is_unspecified(),
    })
}

fn judge_request<'a>(
    request: &'a Request,
    message: &Message,
    abilities: &Abilities,
) -> (Vec<Problem>, Essentials<'a>) {
    let answered = !matches!(request.method, Method::Ack | Method::BeNotify);
    let mut check = Check::new(&request.headers, answered);
    if request.version != Version::SIP_2_0 {
        check.add(Rejection::Version, None, Fault::Version(request.version));
        return check.finish();
    }
    let longest = |text: &str| text.len() > abilities.longest_uri;
    match &request.uri {
        uri if longest(uri.as_str()) => check.add(Rejection::UriTooLong, None, Fault::UriTooLong),
        Uri::Malformed(_) => check.add(Rejection::Malformed, None, Fault::RequestUri),
        Uri::Other(_) => check.add(Rejection::Scheme, None, Fault::Scheme),
        Uri::Sip(uri) if uri.headers().next().is_some() => {
            check.add(Rejection::Malformed, None, Fault::RequestUriHeaders);
        }
        Uri::Sip(_) | Uri::Tel(_) => {}
    }
    if request.body.len() > abilities.longest_body {
        check.add(Rejection::BodyTooLong, None, Fault::BodyTooLong);
    } else if request.headers.octets() + request.body.len() > abilities.longest_message {
        check.add(Rejection::MessageTooLong, None, Fault::MessageTooLong);
    }
    check.common(request.body.len());
    check.value(&HeaderName::MaxForwards, request.headers.max_forwards());
    check.essentials.cseq = check.value(&HeaderName::CSeq, request.headers.cseq());
    if check.essentials.cseq.as_ref().is_some_and(|cseq| cseq.method != request.method) {
        let known = !matches!(request.method, Method::Other(_));
        let rejection = if known { Rejection::Malformed } else { Rejection::UnknownMethod };
        check.add(rejection, Some(HeaderName::CSeq), Fault::Method);
    }
    if !matches!(request.method, Method::Ack | Method::Cancel) {
        let required = check.value(&HeaderName::Require, request.headers.require());
        let unknown: Vec<_> = required
            .iter()
            .filter(|tag| !abilities.extensions.iter().any(|known| known.eq_ignore_ascii_case(tag)))
            .map(str::to_owned)
            .collect();
        if !unknown.is_empty() {
            check.add(Rejection::Extension, Some(HeaderName::Require), Fault::Extensions(unknown));
        }
    }
    if request.method == Method::Register {
        let good = check.essentials.to.map_or_else(
            || {
                let to = request.headers.get(&HeaderName::To).and_then(|to| NameAddrView::parse(to).ok());
                let once = request.headers.count(&HeaderName::To) == 1;
                !once || to.is_none_or(|to| to.sip_uri().is_ok())
            },
            |to| Uri::is_sip(to.uri),
        );
        if !good {
            check.bad(HeaderName::To, Fault::AddressOfRecord);
        }
    }
    if request.method == Method::Invite {
        let accepted = check.value(&HeaderName::Accept, request.headers.accept());
        if request.headers.contains(&HeaderName::Accept)
            && !accepted.iter().any(|a| a.covers("application", "sdp"))
        {
            check.add(Rejection::NotAcceptable, Some(HeaderName::Accept), Fault::NotAcceptable);
        }
    }
    let session = matches!(request.method, Method::Invite | Method::Update);
    check.body(message, session.then_some(abilities));
    check.finish()
}

fn judge_response<'a>(response: &'a Response, message: &Message) -> (Vec<Problem>, Essentials<'a>) {
    let mut check = Check::new(&response.headers, false);
    if response.version != Version::SIP_2_0 {
        check.add(Rejection::Version, None, Fault::Version(response.version));
        return check.finish();
    }
    check.common(response.body.len());
    check.essentials.cseq = check.value(&HeaderName::CSeq, response.headers.cseq());
    if check.from_nobody {
        check.bad(HeaderName::Via, Fault::ViaAddress);
    }
    check.body(message, None);
    check.finish()
}

impl Message {
    /// What is wrong with a received message, judged as user agent server and registrar; empty when it must be
    /// processed. Header fields that are not necessary are not judged: they are ignored when they are malformed.
    ///
    /// RFC 3261 8.2, 8.1.3
    pub fn problems(&self, abilities: &Abilities) -> Vec<Problem> {
        self.judge(abilities).0
    }

    /// The same, and the header fields that everybody wants to know of.
    pub(crate) fn judge(&self, abilities: &Abilities) -> (Vec<Problem>, Essentials<'_>) {
        match self {
            Self::Request(request) => judge_request(request, self, abilities),
            Self::Response(response) => judge_response(response, self),
        }
    }
}
