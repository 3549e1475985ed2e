//! Everything that a real client sent in eleven recorded runs, as one stream: `tests/vectors/sipe-received.stream`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use sip_lync::body::multipart;
use sip_lync::sdp::SessionDescription;
use sip_lync::{Abilities, Frame, HeaderName, Limits, Message, MessageView, StreamDecoder};

/// Messages in the file.
const MESSAGES: usize = 278;

fn messages() -> Vec<Bytes> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sipe-received.stream");
    let octets = fs::read(path).unwrap();
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let mut messages = Vec::new();
    for piece in octets.chunks(997) {
        decoder.push(piece);
        while let Some(frame) = decoder.next() {
            match frame.unwrap() {
                Frame::Message(message) => messages.push(message),
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((messages.len(), decoder.pending()), (MESSAGES, 0));
    messages
}

/// What a message says, whatever its spelling: the names in their long form, the values.
fn meaning(message: &Message) -> (Vec<(String, String)>, Bytes) {
    let lines = message.headers().iter().map(|line| {
        let name = HeaderName::parse(line.sent_name()).unwrap().as_str().to_ascii_lowercase();
        (name, line.value().unwrap().to_owned())
    });
    // Where Content-Length stands means nothing, and the body says how long it is.
    (lines.filter(|(name, _)| name != "content-length").collect(), message.body().clone())
}

#[test]
fn everything_a_real_client_sent_has_no_problems_and_comes_out_again() {
    for wire in messages() {
        let text = String::from_utf8_lossy(&wire).into_owned();
        let message = Message::parse(wire.clone()).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(message.problems(&Abilities::LYNC), [], "{text}");
        assert_eq!(message.to_bytes(), wire, "{text}");
        let mut out = BytesMut::new();
        MessageView::parse(&wire).unwrap().pass_on(&[], &mut out);
        assert_eq!(out, wire, "{text}");
        let mut compact = BytesMut::new();
        message.emit_compact(&mut compact);
        assert!(compact.len() < wire.len());
        let again = Message::parse(compact.freeze()).unwrap();
        assert_eq!(meaning(&again), meaning(&message), "{text}");
    }
}

#[test]
fn every_typed_field_says_the_same_when_it_is_written_again() {
    for wire in messages() {
        let message = Message::parse(wire).unwrap();
        let headers = message.headers();
        let mut written = message.clone();
        let mut set = |name: HeaderName, value: String| written.headers_mut().set(name, value);
        let joined = |values: Vec<String>| values.join(", ");
        set(HeaderName::Via, joined(headers.vias().unwrap().iter().map(ToString::to_string).collect()));
        set(HeaderName::From, headers.from_().unwrap().unwrap().to_string());
        set(HeaderName::To, headers.to().unwrap().unwrap().to_string());
        set(HeaderName::CSeq, headers.cseq().unwrap().unwrap().to_string());
        let contacts = headers.contacts().unwrap();
        if !contacts.is_empty() {
            set(HeaderName::Contact, joined(contacts.iter().map(ToString::to_string).collect()));
        }
        let routes = headers.routes().unwrap();
        if !routes.is_empty() {
            set(HeaderName::Route, joined(routes.iter().map(ToString::to_string).collect()));
        }
        if let Some(kind) = headers.content_type().unwrap() {
            set(HeaderName::ContentType, kind.to_string());
        }
        if let Some(event) = headers.event().unwrap() {
            set(HeaderName::Event, event.to_string());
        }
        let again = Message::parse(written.to_bytes()).unwrap();
        let again = again.headers();
        assert_eq!(again.vias(), headers.vias());
        assert_eq!((again.from_(), again.to()), (headers.from_(), headers.to()));
        assert_eq!((again.cseq(), again.contacts()), (headers.cseq(), headers.contacts()));
        assert_eq!((again.routes(), again.content_type()), (headers.routes(), headers.content_type()));
        assert_eq!(again.event(), headers.event());
    }
}

#[test]
fn only_the_descriptions_for_servers_of_2007_are_broken_and_no_problem_of_the_message() {
    let mut seen: BTreeMap<(bool, bool), usize> = BTreeMap::new();
    for wire in messages() {
        let message = Message::parse(wire).unwrap();
        let Some(kind) = message.headers().content_type().unwrap() else { continue };
        if kind.is("application", "sdp") {
            SessionDescription::parse_bytes(message.body()).unwrap();
            continue;
        }
        if !kind.is_multipart() {
            continue;
        }
        let parts = multipart::parse(&kind, message.body()).unwrap();
        for part in &parts {
            if part.headers.content_type().unwrap().is_some_and(|kind| kind.is("application", "sdp")) {
                let broken = SessionDescription::parse_bytes(&part.body).is_err();
                *seen.entry((part.is_fallback_of_2007(), broken)).or_default() += 1;
            }
        }
    }
    assert_eq!(seen.get(&(false, true)), None, "{seen:?}");
    assert!(seen.get(&(true, true)).is_some_and(|&count| count > 0), "{seen:?}");
    assert!(seen.get(&(false, false)).is_some_and(|&count| count > 0), "{seen:?}");
}
