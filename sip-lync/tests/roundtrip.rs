//! What is written is read again, and no input makes a parser panic or slow.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use sip_lync::body::multipart::{self, Part};
use sip_lync::headers::{
    AuthenticationInfo, CSeq, Challenge, Contact, ContentDisposition, Credentials, Event, HistoryEntry,
    MediaType, NameAddr, Parameters, RAck, Reason, Replaces, SessionExpires, SubscriptionState, Tokens, Via,
    Warning, ms,
};
use sip_lync::sdp::{Candidate, SessionDescription};
use sip_lync::{
    Abilities, Frame, HeaderName, Headers, Limits, LineEnds, Message, Method, Request, Response, SipUri,
    StatusCode, StreamDecoder, TelUri, Uri,
};

fn token() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.!%*_+`'~-]{1,12}"
}

/// Any text a quoted string can carry.
fn text() -> impl Strategy<Value = String> {
    "[^\r\n\u{0}-\u{8}\u{b}-\u{1f}]{0,20}"
}

fn uri() -> impl Strategy<Value = SipUri> {
    let user = proptest::option::of("[a-zA-Z0-9+;=&$,?/_.!~*'()-]{1,10}");
    let host = prop_oneof![
        "[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5}){0,2}",
        Just("192.0.2.1".to_owned()),
        Just("[2001:db8::9:1]".to_owned()),
    ];
    let parameters = "(;[a-z]{1,6}(=[a-zA-Z0-9:+/_-]{1,8})?){0,4}";
    (user, host, proptest::option::of(any::<u16>()), parameters).prop_map(|(user, host, port, parameters)| {
        let user = user.map_or(String::new(), |user| format!("{user}@"));
        let port = port.map_or(String::new(), |port| format!(":{port}"));
        SipUri::parse(&format!("sip:{user}{host}{port}{parameters}")).unwrap()
    })
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let one = (token(), proptest::option::of(text()));
    proptest::collection::vec(one, 0..4).prop_map(|list| {
        let mut parameters = Parameters::new();
        for (name, value) in list {
            parameters.push(&name, value.as_deref());
        }
        parameters
    })
}

prop_compose! {
    fn name_addr()(display in text(), uri in uri(), parameters in parameters()) -> NameAddr {
        let mut value = NameAddr::new(uri).with_display(&display);
        value.parameters = parameters;
        value
    }
}

/// Values a header line keeps: no line ends, no blanks at the edges.
fn line() -> impl Strategy<Value = String> {
    text().prop_map(|text| text.trim_matches([' ', '\t']).to_owned())
}

prop_compose! {
    fn headers()(list in proptest::collection::vec((token(), line()), 0..8), number in any::<u32>()) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in list {
            let name = HeaderName::parse(&format!("X-{name}")).unwrap();
            headers.push(name, value);
        }
        headers.push(HeaderName::CSeq, CSeq::new(number, Method::Invite));
        headers
    }
}

prop_compose! {
    fn request()(uri in uri(), headers in headers(), body in proptest::collection::vec(any::<u8>(), 0..60)) -> Request {
        let mut request = Request::new(Method::Invite, uri.into());
        request.headers = headers;
        request.headers.push(HeaderName::ContentLength, body.len());
        request.body = Bytes::from(body);
        request
    }
}

fn parse_everything(text: &str) {
    let _ = (
        Uri::parse(text),
        SipUri::parse(text),
        TelUri::parse(text),
        NameAddr::parse(text),
        Contact::parse(text),
    );
    let _ = (Via::parse(text), CSeq::parse(text), RAck::parse(text), Event::parse(text), Reason::parse(text));
    let _ = (
        Warning::parse(text),
        Replaces::parse(text),
        SessionExpires::parse(text),
        SubscriptionState::parse(text),
    );
    let _ = (
        Challenge::parse(text),
        Credentials::parse(text),
        AuthenticationInfo::parse(text),
        Tokens::parse(text),
    );
    let _ = (
        MediaType::parse(text),
        ContentDisposition::parse(text),
        HistoryEntry::parse(text),
        Parameters::parse(text),
    );
    let _ = (ms::Diagnostics::parse(text), ms::KeepAlive::parse(text), ms::PresenceState::parse(text));
    let _ = (
        ms::RegistrationEvent::parse(text),
        Candidate::parse(text),
        HeaderName::parse(text),
        Method::parse(text),
    );
    let _ = (
        StatusCode::parse(text),
        SessionDescription::parse(text).map(|sdp| {
            for media in &sdp.media {
                let _ = (
                    media.rtp(&sdp),
                    media.rtcp(&sdp),
                    media.formats(),
                    media.candidates(),
                    media.direction(&sdp),
                );
            }
        }),
    );
}

fn judge_everything(bytes: &Bytes) {
    for ends in [LineEnds::Strict, LineEnds::Lenient] {
        if let Ok(message) = Message::parse_with(bytes.clone(), ends, &Limits::DEFAULT) {
            for problem in message.problems(&Abilities::LYNC) {
                let _ = problem.to_string();
            }
            let again = Message::parse(message.to_bytes()).expect("what was written is a message");
            assert_eq!(
                again.headers().len() - message.headers().len(),
                usize::from(!message.headers().contains(&HeaderName::ContentLength))
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_read_as_they_were_written(request in request()) {
        let message = Message::Request(request);
        prop_assert_eq!(Message::parse(message.to_bytes()), Ok(message));
    }

    #[test]
    fn responses_are_read_as_they_were_written(code in 100u16..700, reason in line(), headers in headers()) {
        let mut response = Response::new(StatusCode::new(code).unwrap());
        response.reason = reason;
        response.headers = headers;
        response.headers.push(HeaderName::ContentLength, 0);
        let message = Message::Response(response);
        prop_assert_eq!(Message::parse(message.to_bytes()), Ok(message));
    }

    #[test]
    fn addresses_are_read_as_they_were_written(value in name_addr()) {
        let text = value.to_string();
        prop_assert_eq!(NameAddr::parse(&text), Ok(value.clone()));
        prop_assert_eq!(Contact::parse(&text), Ok(Contact::Address(value)));
    }

    #[test]
    fn lists_are_split_where_they_were_joined(values in proptest::collection::vec(name_addr(), 1..5)) {
        let mut headers = Headers::new();
        let list: Vec<_> = values.iter().map(NameAddr::to_string).collect();
        headers.push(HeaderName::PAssertedIdentity, list.join(","));
        prop_assert_eq!(headers.asserted_identities(), Ok(values.clone()));
        let mut popped = Vec::new();
        while let Some(first) = headers.remove_first(&HeaderName::PAssertedIdentity) {
            popped.push(NameAddr::parse(&first).unwrap());
        }
        prop_assert_eq!(popped, values);
    }

    #[test]
    fn a_message_is_the_same_however_it_is_folded(request in request(), blank in "[ \t]{1,3}") {
        let plain = Message::Request(request).to_bytes();
        // Fold every header value once, right behind its colon.
        let at = plain.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(plain[..at].to_vec()).unwrap();
        let folded: Vec<_> = head.split("\r\n").enumerate()
            .map(|(i, line)| if i == 0 { line.to_owned() } else { line.replacen(": ", &format!(":\r\n{blank}"), 1) })
            .collect();
        let mut bytes = folded.join("\r\n").into_bytes();
        bytes.extend_from_slice(&plain[at..]);
        prop_assert_eq!(Message::parse(Bytes::from(bytes)), Message::parse(plain));
    }

    #[test]
    fn multipart_bodies_are_read_as_they_were_written(
        parts in proptest::collection::vec((headers(), proptest::collection::vec(any::<u8>(), 0..40)), 1..5),
    ) {
        let parts: Vec<_> = parts.into_iter().map(|(headers, body)| Part { headers, body: Bytes::from(body) }).collect();
        let mut out = BytesMut::new();
        multipart::emit(&parts, "boundary-not-in-parts", &mut out);
        let kind = MediaType::parse("multipart/mixed;boundary=boundary-not-in-parts").unwrap();
        prop_assert_eq!(multipart::parse(&kind, &out.freeze()), Ok(parts));
    }

    #[test]
    fn a_stream_is_cut_where_it_was_joined(requests in proptest::collection::vec(request(), 1..5), size in 1usize..200) {
        let mut stream = BytesMut::new();
        for request in &requests {
            request.emit(&mut stream);
        }
        let mut decoder = StreamDecoder::default();
        let mut seen = Vec::new();
        for chunk in stream.chunks(size) {
            decoder.push(chunk);
            while let Some(frame) = decoder.next() {
                let Ok(Frame::Message(bytes)) = frame else { panic!("{frame:?}") };
                seen.push(Message::parse(bytes).unwrap());
            }
        }
        let sent: Vec<_> = requests.into_iter().map(Message::Request).collect();
        prop_assert_eq!(seen, sent);
    }

    #[test]
    fn no_text_makes_a_value_parser_panic(text in any::<String>()) {
        parse_everything(&text);
    }

    #[test]
    fn no_text_of_separators_makes_a_value_parser_panic(text in "[a1 \t;,=\"\\\\<>@:/?%\\[\\]*.&+-]{0,40}") {
        parse_everything(&text);
    }

    #[test]
    fn no_bytes_make_the_message_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        judge_everything(&Bytes::from(bytes.clone()));
        let mut decoder = StreamDecoder::default();
        decoder.push(&bytes);
        while let Some(Ok(_)) = decoder.next() {}
    }

    #[test]
    fn no_damage_to_a_real_message_makes_the_parser_panic(
        which in 0usize..3, at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = [
            &include_bytes!("vectors/sipe/055-rx-alice-INVITE.txt")[..],
            include_bytes!("vectors/rfc4475/wsinv.dat"),
            include_bytes!("vectors/sipe/012-tx-alice-200REGISTER.txt"),
        ][which].to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        judge_everything(&Bytes::from(bytes.clone()));
        bytes.truncate(cut.index(bytes.len()));
        judge_everything(&Bytes::from(bytes));
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test reads the clock once as its origin")]
fn long_runs_of_separators_stay_cheap() {
    // Quadratic work on 64 KiB would take hours in a debug build.
    let start_of_test = std::time::Instant::now();
    let start = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";
    let mut limits = Limits::DEFAULT;
    (limits.head, limits.line, limits.headers) = (1 << 20, 1 << 20, 1 << 17);
    for unit in [
        ",",
        ";",
        ";a",
        ";a=b",
        "<",
        "\"",
        "\\",
        "\r\n ",
        "a,",
        "<sip:a@b>,",
        "a;",
        "\"\",",
        "(",
        "[",
        "%",
        " ",
        "\t",
        "=",
        "@",
        ":",
    ] {
        for name in [
            "Contact",
            "Route",
            "Via",
            "Supported",
            "X",
            "Accept",
            "To",
            "Content-Type",
            "Authorization",
            "Call-ID",
        ] {
            let message = format!("{start}{name}: {}\r\n\r\n", unit.repeat(65_536 / unit.len()));
            if let Ok(message) = Message::parse_with(Bytes::from(message), LineEnds::Strict, &limits) {
                let _ = message.problems(&Abilities::LYNC);
                let _ = (
                    message.headers().credentials(),
                    message.headers().accept(),
                    message.headers().supported(),
                );
            }
        }
        parse_everything(&unit.repeat(65_536 / unit.len()));
    }
    assert!(start_of_test.elapsed().as_secs() < 60, "{:?}", start_of_test.elapsed());
}
