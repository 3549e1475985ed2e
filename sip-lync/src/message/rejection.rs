//! What an element answers to a request it does not process: one table, so that nobody else decides it.

use core::fmt::{self, Display};

use super::{Request, Response};
use crate::headers::HeaderName;
use crate::status::StatusCode;

/// A reason to refuse a request.
///
/// RFC 3261 8.2, 16.3
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rejection {
    /// The request breaks the grammar, or lacks what every request has.
    Malformed,
    /// The method is known and not taken here.
    MethodNotAllowed,
    /// Nothing we could answer is accepted by the sender.
    NotAcceptable,
    /// The body is longer than we take.
    BodyTooLong,
    /// The Request-URI is longer than we take.
    UriTooLong,
    /// The body has a type we do not take.
    MediaType,
    /// The body is encoded in a way we do not take.
    Encoding,
    /// The scheme of the Request-URI is not supported.
    Scheme,
    /// An extension is required that is not supported.
    Extension,
    /// There is no such dialog, or no such transaction to cancel.
    NoDialog,
    /// The same request came before by another way.
    Loop,
    /// The request was passed on too often.
    TooManyHops,
    /// The Request-URI means several users.
    Ambiguous,
    /// The session that is described is not possible here.
    SessionDescription,
    /// The method is not known at all.
    UnknownMethod,
    /// The version is not 2.0.
    Version,
    /// The message is longer than we take.
    MessageTooLong,
    /// The session that is described is not possible anywhere.
    NotAcceptableAnywhere,
}

/// One row of the table.
///
/// RFC 3261 8.2, 21
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RejectionRow {
    /// Why.
    pub rejection: Rejection,
    /// What is answered.
    pub status: StatusCode,
    /// The header field that tells the sender what would do.
    pub adds: Option<&'static HeaderName>,
    /// Who finds it, from what.
    pub found: &'static str,
    /// Where it is written.
    pub source: &'static str,
}

static ALLOW: HeaderName = HeaderName::Allow;
static ACCEPT: HeaderName = HeaderName::Accept;
static ACCEPT_ENCODING: HeaderName = HeaderName::AcceptEncoding;
static UNSUPPORTED: HeaderName = HeaderName::Unsupported;
static CONTACT: HeaderName = HeaderName::Contact;

const fn row(
    rejection: Rejection,
    status: StatusCode,
    adds: Option<&'static HeaderName>,
    found: &'static str,
    source: &'static str,
) -> RejectionRow {
    RejectionRow { rejection, status, adds, found, source }
}

impl Rejection {
    /// Every reason with its answer, in the order of the status codes.
    ///
    /// RFC 3261 21.4 to 21.6
    pub const TABLE: [RejectionRow; 18] = [
        row(
            Self::Malformed,
            StatusCode::BAD_REQUEST,
            None,
            "the message layer: a necessary field breaks its grammar, is missing or repeated, or the body is cut off",
            "RFC 3261 21.4.1",
        ),
        row(
            Self::MethodNotAllowed,
            StatusCode::METHOD_NOT_ALLOWED,
            Some(&ALLOW),
            "the endpoint: no handler for a known method",
            "RFC 3261 8.2.1, 21.4.6",
        ),
        row(
            Self::NotAcceptable,
            StatusCode::NOT_ACCEPTABLE,
            None,
            "the message layer: Accept of an INVITE without application/sdp",
            "RFC 3261 8.2.4, 21.4.7",
        ),
        row(
            Self::BodyTooLong,
            StatusCode::REQUEST_ENTITY_TOO_LARGE,
            None,
            "the message layer: more than `Abilities::longest_body`",
            "RFC 3261 21.4.11",
        ),
        row(
            Self::UriTooLong,
            StatusCode::REQUEST_URI_TOO_LONG,
            None,
            "the message layer: more than `Abilities::longest_uri`",
            "RFC 3261 21.4.12",
        ),
        row(
            Self::MediaType,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Some(&ACCEPT),
            "the message layer: Content-Type of INVITE and UPDATE",
            "RFC 3261 8.2.3, 21.4.13",
        ),
        row(
            Self::Encoding,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Some(&ACCEPT_ENCODING),
            "the message layer: Content-Encoding",
            "RFC 3261 8.2.3, 21.4.13",
        ),
        row(
            Self::Scheme,
            StatusCode::UNSUPPORTED_URI_SCHEME,
            None,
            "the message layer: neither sip, sips nor tel",
            "RFC 3261 8.2.2.1, 21.4.14",
        ),
        row(
            Self::Extension,
            StatusCode::BAD_EXTENSION,
            Some(&UNSUPPORTED),
            "the message layer: Require names what `Abilities::extensions` does not",
            "RFC 3261 8.2.2.3, 21.4.15",
        ),
        row(
            Self::NoDialog,
            StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
            None,
            "the endpoint: a To tag of no dialog; CANCEL of no INVITE",
            "RFC 3261 9.2, 12.2.2, 21.4.19",
        ),
        row(
            Self::Loop,
            StatusCode::LOOP_DETECTED,
            None,
            "the transaction layer: the same From tag, Call-ID and CSeq in another transaction",
            "RFC 3261 8.2.2.2, 21.4.20",
        ),
        row(
            Self::TooManyHops,
            StatusCode::TOO_MANY_HOPS,
            None,
            "who passes requests on: `Request::next_hops`",
            "RFC 3261 16.3, 21.4.21",
        ),
        row(
            Self::Ambiguous,
            StatusCode::AMBIGUOUS,
            Some(&CONTACT),
            "a registrar's user: several users are meant",
            "RFC 3261 21.4.23",
        ),
        row(
            Self::SessionDescription,
            StatusCode::NOT_ACCEPTABLE_HERE,
            None,
            "the message layer: a description that breaks its grammar; the user: one that cannot be met",
            "RFC 3261 13.3.1.3, 21.4.26",
        ),
        row(
            Self::UnknownMethod,
            StatusCode::NOT_IMPLEMENTED,
            None,
            "the endpoint: a method without a name here",
            "RFC 3261 21.5.2",
        ),
        row(
            Self::Version,
            StatusCode::VERSION_NOT_SUPPORTED,
            None,
            "the message layer: a version that is not 2.0",
            "RFC 3261 21.5.6",
        ),
        row(
            Self::MessageTooLong,
            StatusCode::MESSAGE_TOO_LARGE,
            None,
            "the message layer: more than `Abilities::longest_message`",
            "RFC 3261 21.5.7",
        ),
        row(
            Self::NotAcceptableAnywhere,
            StatusCode::NOT_ACCEPTABLE_ANYWHERE,
            None,
            "the user: nobody else could meet the description either",
            "RFC 3261 21.6.4",
        ),
    ];

    /// The row of this reason.
    ///
    /// RFC 3261 21
    pub const fn row(self) -> &'static RejectionRow {
        // The table has the order of the variants; a test checks it.
        &Self::ROWS[self as usize]
    }

    const ROWS: &'static [RejectionRow; 18] = &Self::TABLE;

    /// What is answered.
    ///
    /// RFC 3261 21
    pub const fn status(self) -> StatusCode {
        self.row().status
    }

    /// The response, with what the sender is told in the field of the row.
    ///
    /// RFC 3261 8.2
    pub fn response(self, request: &Request, told: &dyn Display) -> Response {
        let row = self.row();
        let mut response = request.response(row.status);
        if let Some(name) = row.adds {
            response.headers.push(name.clone(), told);
        }
        response
    }
}

impl Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.row();
        write!(f, "{} {} ({})", row.status.code(), row.status.reason(), row.source)
    }
}

impl Request {
    /// Max-Forwards of the request when it is passed on; 70 if it has none.
    ///
    /// RFC 3261 16.3, 16.6
    pub fn next_hops(&self) -> Result<u32, Rejection> {
        match self.headers.max_forwards() {
            Ok(None) => Ok(70),
            Ok(Some(hops)) => hops.checked_sub(1).ok_or(Rejection::TooManyHops),
            Err(_) => Err(Rejection::Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Abilities, Limits, Message};
    use crate::scan::LineEnds;

    fn request(start: &str, lines: &str, body: &str) -> (Request, Message) {
        let method = start.split(' ').next().unwrap();
        let text = format!(
            "{start}\r\nVia: SIP/2.0/TLS c;branch=z9hG4bK1\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\n\
             CSeq: 1 {method}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut limits = Limits::DEFAULT;
        (limits.head, limits.body) = (4 << 20, 4 << 20);
        let message = Message::parse_with(text.into(), LineEnds::Strict, &limits).unwrap();
        let Message::Request(request) = message.clone() else { panic!() };
        (request, message)
    }

    /// What the message layer finds first.
    fn first(start: &str, lines: &str, body: &str) -> (Rejection, Response) {
        let (request, message) = request(start, lines, body);
        let problem = message.problems(&Abilities::LYNC).into_iter().next().expect("a problem");
        (problem.rejection, problem.response(&request, &Abilities::LYNC).expect("an answer"))
    }

    #[test]
    fn every_reason_has_its_row_and_the_rows_are_in_order() {
        let codes: Vec<u16> = Rejection::TABLE.iter().map(|row| row.status.code()).collect();
        assert_eq!(
            codes,
            [400, 405, 406, 413, 414, 415, 415, 416, 420, 481, 482, 483, 485, 488, 501, 505, 513, 606]
        );
        for (number, row) in Rejection::TABLE.iter().enumerate() {
            assert_eq!(row.rejection as usize, number);
            assert_eq!((row.rejection.row(), row.rejection.status()), (row, row.status));
            assert!(row.source.contains(match row.status.code() {
                400..500 => "21.4",
                500..600 => "21.5",
                _ => "21.6",
            }));
        }
    }

    #[test]
    fn what_the_message_layer_decides_is_found_in_the_message() {
        let invite = "INVITE sip:a@b SIP/2.0";
        let long_uri = format!("INVITE sip:{}@b SIP/2.0", "a".repeat(9000));
        let sdp = "Content-Type: application/sdp\r\n";
        let long = "a".repeat((1 << 20) + 1);
        let most = "a".repeat(1 << 20);
        let subject = format!("Subject: {}\r\n", "s".repeat(12_000)).repeat(6);
        for (start, lines, body, expected) in [
            (invite, "Max-Forwards: many\r\n", "", Rejection::Malformed),
            (invite, "Accept: text/plain\r\n", "", Rejection::NotAcceptable),
            (invite, sdp, &*long, Rejection::BodyTooLong),
            (&*long_uri, "", "", Rejection::UriTooLong),
            (invite, "Content-Type: text/plain\r\n", "hello", Rejection::MediaType),
            (invite, "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "x", Rejection::Encoding),
            ("INVITE nobody:a SIP/2.0", "", "", Rejection::Scheme),
            (invite, "Require: teleport\r\n", "", Rejection::Extension),
            (invite, sdp, "rubbish", Rejection::SessionDescription),
            ("INVITE sip:a@b SIP/3.0", "", "", Rejection::Version),
            (invite, &*subject, &*most, Rejection::MessageTooLong),
        ] {
            let (found, response) = first(start, lines, body);
            assert_eq!(found, expected, "{lines:.60}");
            assert_eq!(response.status, expected.status());
            if let Some(name) = expected.row().adds {
                assert!(response.headers.contains(name), "{expected}");
            }
        }
    }

    #[test]
    fn what_other_layers_decide_is_answered_by_the_table_too() {
        let (request, _) = request("OPTIONS sip:a@b SIP/2.0", "Max-Forwards: 0\r\n", "");
        assert_eq!(request.next_hops(), Err(Rejection::TooManyHops));
        let response = Rejection::Ambiguous.response(&request, &"<sip:a1@b>, <sip:a2@b>");
        assert_eq!(response.status, StatusCode::AMBIGUOUS);
        assert_eq!(response.headers.contacts().unwrap().len(), 2);
        let response = Rejection::MethodNotAllowed.response(&request, &"INVITE, ACK");
        assert_eq!(response.headers.get(&HeaderName::Allow), Some("INVITE, ACK"));
        for alone in [Rejection::NoDialog, Rejection::Loop, Rejection::NotAcceptableAnywhere] {
            assert_eq!(
                alone.response(&request, &"").headers.len(),
                request.response(alone.status()).headers.len()
            );
        }
        assert_eq!(Rejection::TooManyHops.to_string(), "483 Too Many Hops (RFC 3261 16.3, 21.4.21)");
    }

    #[test]
    fn a_request_is_passed_on_with_one_hop_less() {
        let hops = |lines: &str| request("OPTIONS sip:a@b SIP/2.0", lines, "").0.next_hops();
        assert_eq!(hops(""), Ok(70));
        assert_eq!(hops("Max-Forwards: 1\r\n"), Ok(0));
        assert_eq!(hops("Max-Forwards: x\r\n"), Err(Rejection::Malformed));
    }
}
