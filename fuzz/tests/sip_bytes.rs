//! Everything of SIP and SDP that reads text, against arbitrary octets: made for an engine that looks at coverage, seeded by
//! the messages in `__fuzz__/*/corpus`, bounded under `cargo test`.

use std::fmt::Debug;
use std::fmt::Display;

use bytes::{Bytes, BytesMut};
use sip_lync::body::{multipart, mwi, sipfrag};
use sip_lync::headers::{
    AuthenticationInfo, CSeq, Challenge, Contact, ContentDisposition, Credentials, Date, Event, HistoryEntry,
    MediaType, NameAddr, Parameters, Privacy, RAck, Reason, Replaces, RetryAfter, SessionExpires,
    SubscriptionState, Tokens, Via, Warning, ms,
};
use sip_lync::sdp::{Candidate, Connection, Origin, RtpMap, SessionDescription};
use sip_lync::{
    Abilities, HeaderName, Limits, LineEnds, Message, MessageView, SignatureFields, SignatureVersion,
    StreamDecoder, Uri, signature_text,
};

/// Rounds under `cargo test`.
const ROUNDS: usize = 1000;

/// Reads every typed field; nothing may panic.
fn read_all(message: &Message) {
    let headers = message.headers();
    let _ = (headers.via(), headers.vias(), headers.from_(), headers.to(), headers.call_id(), headers.cseq());
    let _ = (headers.contacts(), headers.routes(), headers.record_routes(), headers.paths());
    let _ = (headers.service_routes(), headers.max_forwards(), headers.expires(), headers.min_expires());
    let _ = (headers.date(), headers.content_length(), headers.content_type(), headers.content_disposition());
    let _ = (headers.accept(), headers.supported(), headers.require(), headers.proxy_require());
    let _ = (headers.unsupported(), headers.allow(), headers.allow_events(), headers.event());
    let _ = (headers.subscription_state(), headers.reasons(), headers.warnings(), headers.session_expires());
    let _ = (headers.min_se(), headers.rseq(), headers.rack(), headers.replaces(), headers.refer_to());
    let _ = (headers.referred_by(), headers.asserted_identities(), headers.preferred_identities());
    let _ = (headers.history_info(), headers.diversions(), headers.join(), headers.privacy());
    let _ = (headers.retry_after(), headers.refer_sub(), headers.challenges(), headers.credentials());
    let _ = (headers.authentication_info(), headers.diagnostics(), headers.keep_alive());
    let _ = (headers.presence_state(), headers.piggyback_cseq(), headers.dialog_recovery_actions());
}

#[test]
fn message() {
    bolero::check!().with_iterations(ROUNDS).for_each(|input: &[u8]| {
        let wire = Bytes::copy_from_slice(input);
        if let Ok(mut lenient) = Message::parse_with(wire.clone(), LineEnds::Lenient, &Limits::DEFAULT) {
            lenient.make_strict();
            Message::parse(lenient.to_bytes()).expect("what was mended is strict");
        }
        let view = MessageView::parse(input);
        let Ok(mut message) = Message::parse(wire) else {
            assert!(view.is_err());
            return;
        };
        let view = view.expect("a view where there is a message");
        let seen: Vec<_> = view
            .headers()
            .map(|h| (h.sent_name(), h.value().map(std::borrow::Cow::into_owned).ok()))
            .collect();
        let owned: Vec<_> =
            message.headers().iter().map(|h| (h.sent_name(), h.value().map(str::to_owned).ok())).collect();
        assert_eq!(seen, owned);
        assert_eq!(view.body(), &message.body()[..]);
        if let Ok(Some(via)) = message.headers().via() {
            let seen = view.via().expect("a Via").expect("a Via");
            assert_eq!(seen.branch(), via.branch());
        }
        for name in [HeaderName::From, HeaderName::To] {
            let both = if name == HeaderName::From {
                (message.headers().from_(), view.from())
            } else {
                (message.headers().to(), view.to())
            };
            if let (Ok(Some(owned)), seen) = both {
                assert_eq!(
                    seen.expect("an address").and_then(sip_lync::headers::NameAddrView::tag),
                    owned.tag()
                );
            }
        }
        read_all(&message);
        let _ = message.problems(&Abilities::LYNC);
        for version in [SignatureVersion::Two, SignatureVersion::Three, SignatureVersion::Four] {
            let fields = SignatureFields {
                version,
                scheme: "NTLM",
                random: "1",
                number: 1,
                realm: "r",
                target_name: "t",
            };
            let _ = signature_text(&message, &fields);
        }
        let once = message.to_bytes();
        let again = Message::parse(once.clone()).expect("what we write we read");
        assert_eq!(again.to_bytes(), once);
        let mut compact = BytesMut::new();
        message.emit_compact(&mut compact);
        let again = Message::parse(compact.freeze()).expect("what we write short we read");
        assert_eq!(again.body(), message.body());
        while message.headers_mut().remove_first(&HeaderName::Via).is_some() {}
        message.headers_mut().insert_first(HeaderName::Via, "SIP/2.0/TLS us;branch=z9hG4bK1");
        let edited = Message::parse(message.to_bytes()).expect("what we changed we read");
        assert!(edited.headers().via().is_ok());
    });
}

#[test]
fn stream() {
    bolero::check!().with_iterations(ROUNDS).for_each(|input: &[u8]| {
        let mut limits = Limits::DEFAULT;
        (limits.head, limits.line, limits.headers, limits.body) = (2000, 1000, 30, 3000);
        let frames = |size: usize| {
            let mut decoder = StreamDecoder::new(limits);
            let mut found = Vec::new();
            for piece in input.chunks(size) {
                decoder.push(piece);
                while let Some(frame) = decoder.next() {
                    // Which limit is named first depends on how much was seen.
                    found.push(frame.map_err(|_| ()));
                }
                assert!(decoder.pending() <= limits.head + limits.body + size);
            }
            (found, decoder.pending())
        };
        let whole = frames(input.len().max(1));
        for size in [1, 7, 100] {
            assert_eq!(frames(size), whole);
        }
    });
}

/// What is read, written and read again is the same.
fn again<T: Display + PartialEq + Debug, E: Debug>(text: &str, parse: impl Fn(&str) -> Result<T, E>) {
    let Ok(value) = parse(text) else { return };
    let written = value.to_string();
    assert_eq!(parse(&written).as_ref().ok(), Some(&value), "{written:?}");
}

#[test]
fn header() {
    bolero::check!().with_iterations(4 * ROUNDS).for_each(|input: &[u8]| {
        let Some((which, rest)) = input.split_first() else { return };
        let Ok(text) = core::str::from_utf8(rest) else { return };
        match which % 36 {
            0 => again(text, Via::parse),
            1 => again(text, NameAddr::parse),
            2 => again(text, Contact::parse),
            3 => again(text, CSeq::parse),
            4 => again(text, Parameters::parse),
            5 => again(text, MediaType::parse),
            6 => again(text, ContentDisposition::parse),
            7 => again(text, Date::parse),
            8 => again(text, Event::parse),
            9 => again(text, SubscriptionState::parse),
            10 => again(text, Reason::parse),
            11 => again(text, Warning::parse),
            12 => again(text, SessionExpires::parse),
            13 => again(text, RAck::parse),
            14 => again(text, Replaces::parse),
            15 => again(text, RetryAfter::parse),
            16 => again(text, Privacy::parse),
            17 => again(text, HistoryEntry::parse),
            18 => again(text, Tokens::parse),
            19 => again(text, Challenge::parse),
            20 => again(text, Credentials::parse),
            21 => again(text, AuthenticationInfo::parse),
            22 => again(text, ms::Diagnostics::parse),
            23 => again(text, ms::KeepAlive::parse),
            24 => again(text, ms::PresenceState::parse),
            25 => again(text, Uri::parse),
            26 => again(text, Candidate::parse),
            27 => again(text, Origin::parse),
            28 => again(text, Connection::parse),
            29 => again(text, RtpMap::parse),
            30 => drop(ms::RegistrationEvent::parse(text)),
            31 => drop(mwi::MessageSummary::parse(text)),
            32 => drop(sipfrag::parse(Bytes::copy_from_slice(rest))),
            33 => again(text, HeaderName::parse),
            34 => drop(sip_lync::Method::parse(text)),
            _ => drop(sip_lync::gruu::InstanceId::parse(text)),
        }
    });
}

#[test]
fn session() {
    bolero::check!().with_iterations(ROUNDS).for_each(|input: &[u8]| {
        let Ok(description) = SessionDescription::parse_bytes(input) else { return };
        for media in &description.media {
            let _ = (media.rtp(&description), media.rtcp(&description), media.direction(&description));
            let _ = (media.crypto(), media.formats(), media.ptime());
        }
        let once = description.to_string();
        let again = SessionDescription::parse(&once).expect("what we write we read");
        assert_eq!(again.to_string(), once);
    });
}

#[test]
fn parts() {
    bolero::check!().with_iterations(ROUNDS).for_each(|input: &[u8]| {
        let content_type = MediaType::parse("multipart/alternative;boundary=b").expect("a media type");
        let Ok(parts) = multipart::parse(&content_type, &Bytes::copy_from_slice(input)) else { return };
        let _ = multipart::session_description(&parts);
        let boundary = (0..=input.len())
            .map(|n| format!("n{n}"))
            .find(|b| !input.windows(b.len()).any(|w| w == b.as_bytes()));
        let boundary = boundary.expect("a boundary that is not in the input");
        let mut once = BytesMut::new();
        multipart::emit(&parts, &boundary, &mut once);
        let written = format!("multipart/alternative;boundary={boundary}");
        let written = MediaType::parse(&written).expect("a media type");
        let again = multipart::parse(&written, &once.freeze()).expect("what we write we read");
        assert_eq!(again.len(), parts.len());
        for (left, right) in again.iter().zip(&parts) {
            assert_eq!(left.body, right.body);
        }
    });
}
