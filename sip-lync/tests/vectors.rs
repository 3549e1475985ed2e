//! Published and recorded messages: RFC 4475, RFC 5118, pidgin-sipe, Lync shapes.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use sip_lync::{Abilities, Limits, LineEnds, Message, ParseError, Problem, StatusCode};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)
}

fn read(path: &Path) -> Bytes {
    Bytes::from(fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

fn index(name: &str) -> Vec<Value> {
    let text = fs::read_to_string(folder(name).join("index.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn files(name: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What an element does with a message.
#[derive(Debug, PartialEq)]
enum Verdict {
    Process,
    Refuse(u16),
    Drop,
    NoMessage(ParseError),
}

fn judge(bytes: Bytes, ends: LineEnds) -> Verdict {
    let message = match Message::parse_with(bytes, ends, &Limits::DEFAULT) {
        Ok(message) => message,
        Err(error) => return Verdict::NoMessage(error),
    };
    match message.problems(&Abilities::LYNC).first() {
        None => Verdict::Process,
        Some(Problem { status: Some(status), .. }) => Verdict::Refuse(status.code()),
        Some(Problem { status: None, .. }) => Verdict::Drop,
    }
}

fn torture(name: &str) -> Verdict {
    judge(read(&folder("rfc4475").join(format!("{name}.dat"))), LineEnds::Strict)
}

/// Legal, or answered by layers above the message.
const LEGAL: [&str; 7] = ["badbranch", "regaut01", "zeromf", "cparam01", "cparam02", "regescrt", "inv2543"];

const REFUSED: [(&str, u16); 23] = [
    ("badinv01", 400),
    ("clerr", 400),
    ("ncl", 400),
    ("scalar02", 400),
    ("quotbal", 400),
    ("ltgtruri", 400),
    ("lwsruri", 400),
    ("escruri", 400),
    ("regbadct", 400),
    ("badaspec", 400),
    ("baddn", 400),
    ("badvers", 505),
    ("mismatch01", 400),
    ("mismatch02", 501),
    ("insuf", 400),
    ("unkscm", 416),
    ("novelsc", 416),
    ("unksm2", 400),
    ("bext01", 420),
    ("invut", 415),
    ("multi01", 400),
    ("mcl01", 400),
    ("sdp01", 406),
];

/// Responses cannot be refused.
const DROPPED: [&str; 2] = ["scalarlg", "bcast"];

const NO_MESSAGE: [&str; 2] = ["bigcode", "test"];

/// The RFC leaves a choice.
const LIBERAL: [&str; 3] = ["lwsstart", "trws", "baddate"];

#[test]
fn valid_torture_messages_are_processed() {
    for row in index("rfc4475").iter().filter(|row| row["class"] == "valid") {
        let name = row["name"].as_str().unwrap();
        assert_eq!(torture(name), Verdict::Process, "{name}");
    }
    for name in LEGAL {
        assert_eq!(torture(name), Verdict::Process, "{name}");
    }
}

#[test]
fn invalid_torture_messages_are_refused_with_the_status_of_the_rfc() {
    for (name, status) in REFUSED {
        assert_eq!(torture(name), Verdict::Refuse(status), "{name}");
    }
    // Responses cannot be refused, they are dropped.
    for name in DROPPED {
        assert_eq!(torture(name), Verdict::Drop, "{name}");
    }
    for name in NO_MESSAGE {
        assert!(matches!(torture(name), Verdict::NoMessage(_)), "{name}");
    }
}

#[test]
fn where_the_rfc_leaves_a_choice_blanks_and_dates_are_taken() {
    for name in LIBERAL {
        assert_eq!(torture(name), Verdict::Process, "{name}");
    }
    for name in ["lwsstart", "trws"] {
        let message = Message::parse(read(&folder("rfc4475").join(format!("{name}.dat")))).unwrap();
        let text = message.to_bytes();
        let line = text.split(|&b| b == b'\r').next().unwrap();
        assert!(!line.windows(2).any(|pair| pair == b"  ") && line.ends_with(b"SIP/2.0"), "{name}");
    }
}

#[test]
fn every_torture_message_is_in_the_tables_above() {
    let rows = index("rfc4475");
    let valid = rows.iter().filter(|row| row["class"] == "valid").map(|row| row["name"].as_str().unwrap());
    let refused = REFUSED.iter().map(|(name, _)| *name);
    let mut judged: Vec<_> =
        valid.chain(LEGAL).chain(refused).chain(DROPPED).chain(NO_MESSAGE).chain(LIBERAL).collect();
    let mut all: Vec<_> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    judged.sort_unstable();
    all.sort_unstable();
    assert_eq!(judged, all);
}

#[test]
fn escapes_in_torture_messages_are_undone_once() {
    let parse = |name: &str| {
        let Ok(Message::Request(request)) =
            Message::parse(read(&folder("rfc4475").join(format!("{name}.dat"))))
        else {
            panic!("{name}")
        };
        request
    };
    let esc01 = parse("esc01");
    let uri = esc01.uri.sip().unwrap();
    assert_eq!(uri.user(), Some("sips%3Auser%40example.com"));
    assert_eq!(uri.decoded_user().as_deref(), Some("sips:user@example.com"));
    let semiuri = parse("semiuri");
    assert_eq!(semiuri.uri.sip().unwrap().user(), Some("user;par=u%40example.net"));
    assert_eq!(semiuri.uri.sip().unwrap().parameters().count(), 0);
    let escnull = parse("escnull");
    let contacts = escnull.headers.contacts().unwrap();
    assert_eq!(contacts.len(), 2);
    let users: Vec<_> =
        contacts.iter().map(|c| c.address().unwrap().sip_uri().unwrap().user().unwrap()).collect();
    assert_eq!(users, ["%00", "%00%00"]);
    assert_eq!(parse("esc02").headers.contacts().unwrap().len(), 2);
    let long = parse("longreq");
    assert_eq!(long.headers.vias().unwrap().len(), 34);
    let cparam01 = parse("cparam01");
    let contact = cparam01.headers.contact().unwrap().unwrap();
    assert!(contact.address().unwrap().parameters.contains("unknownparam"));
    assert_eq!(contact.address().unwrap().sip_uri().unwrap().parameter("unknownparam"), None);
    let cparam02 = parse("cparam02");
    let contact = cparam02.headers.contact().unwrap().unwrap();
    assert_eq!(contact.address().unwrap().sip_uri().unwrap().parameter("unknownparam"), Some(""));
    let regescrt = parse("regescrt");
    let contact = regescrt.headers.contact().unwrap().unwrap();
    let route =
        contact.address().unwrap().sip_uri().unwrap().header("Route").map(std::borrow::Cow::into_owned);
    assert_eq!(route.as_deref(), Some("<sip:sip.example.com>"));
}

#[test]
fn a_second_message_in_a_datagram_is_ignored_and_on_a_stream_is_a_message() {
    let bytes = read(&folder("rfc4475").join("dblreq.dat"));
    let Ok(Message::Request(request)) = Message::parse(bytes.clone()) else { panic!() };
    assert_eq!((request.method.as_str(), request.body.len()), ("REGISTER", 0));
    let mut decoder = sip_lync::StreamDecoder::default();
    decoder.push(&bytes);
    for method in ["REGISTER", "INVITE"] {
        let Some(Ok(sip_lync::Frame::Message(bytes))) = decoder.next() else { panic!("{method}") };
        let Ok(Message::Request(request)) = Message::parse(bytes) else { panic!("{method}") };
        assert_eq!(request.method.as_str(), method);
    }
}

#[test]
fn version_six_torture_messages_behave_as_the_rfc_says() {
    for row in index("rfc5118") {
        let name = row["name"].as_str().unwrap();
        let expected = if name == "ipv6-bad" { Verdict::Refuse(400) } else { Verdict::Process };
        assert_eq!(judge(read(&folder("rfc5118/wire").join(name)), LineEnds::Strict), expected, "{name}");
        // As printed, with bare LF: only where that is allowed.
        let printed = read(&folder("rfc5118").join(name));
        assert!(matches!(judge(printed.clone(), LineEnds::Strict), Verdict::NoMessage(_)), "{name}");
        // Two of them count their bodies with CR LF: too short as printed.
        let short =
            row["octets_after_blank_line"].as_u64() < row["content_length"][0].as_str().unwrap().parse().ok();
        if row["octets_after_blank_line"].is_null() || !short {
            assert_eq!(judge(printed, LineEnds::Lenient), expected, "{name} with bare LF");
        } else {
            assert_eq!(judge(printed, LineEnds::Lenient), Verdict::Refuse(400), "{name} with bare LF");
        }
    }
}

#[test]
fn an_ambiguous_port_is_part_of_the_address() {
    let uri = |name: &str| {
        let Ok(Message::Request(request)) = Message::parse(read(&folder("rfc5118/wire").join(name))) else {
            panic!()
        };
        request.uri.sip().map(|uri| (uri.host().to_owned(), uri.port())).unwrap()
    };
    assert_eq!(uri("port-ambiguous"), ("[2001:db8::10:5070]".to_owned(), None));
    assert_eq!(uri("port-unambiguous"), ("[2001:db8::10]".to_owned(), Some(5070)));
}

#[test]
fn recorded_messages_have_no_problems_and_come_out_byte_for_byte() {
    let mut count = 0;
    for path in files("sipe").into_iter().chain(files("lync")) {
        let bytes = read(&path);
        let message =
            Message::parse(bytes.clone()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(message.problems(&Abilities::LYNC), [], "{}", path.display());
        assert_eq!(message.to_bytes(), bytes, "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 62);
}

#[test]
fn every_typed_header_of_recorded_messages_can_be_read() {
    for path in files("sipe").into_iter().chain(files("lync")) {
        let message = Message::parse(read(&path)).unwrap();
        let headers = message.headers();
        let name = path.display();
        assert!(headers.challenges().is_ok(), "{name}");
        assert!(headers.credentials().is_ok(), "{name}");
        assert!(headers.authentication_info().is_ok(), "{name}");
        assert!(headers.keep_alive().is_ok(), "{name}");
        assert!(headers.presence_state().is_ok(), "{name}");
        assert!(headers.diagnostics().is_ok(), "{name}");
        assert!(
            headers.supported().is_ok() && headers.allow().is_ok() && headers.allow_events().is_ok(),
            "{name}"
        );
        assert!(headers.event().is_ok() && headers.subscription_state().is_ok(), "{name}");
        assert!(headers.asserted_identities().is_ok() && headers.preferred_identities().is_ok(), "{name}");
        assert!(headers.session_expires().is_ok() && headers.min_se().is_ok(), "{name}");
        assert!(headers.history_info().is_ok() && headers.reasons().is_ok(), "{name}");
        assert!(headers.rack().is_ok() && headers.rseq().is_ok(), "{name}");
    }
}

#[test]
fn a_refusal_carries_what_its_status_demands() {
    let response = |name: &str| {
        let bytes = read(&folder("rfc4475").join(format!("{name}.dat")));
        let Ok(message @ Message::Request(_)) = Message::parse(bytes) else { panic!("{name}") };
        let problem = message.problems(&Abilities::LYNC).remove(0);
        let Message::Request(request) = message else { unreachable!() };
        problem.response(&request, &Abilities::LYNC).unwrap()
    };
    let refused = response("bext01");
    assert_eq!(refused.status, StatusCode::BAD_EXTENSION);
    let tags: Vec<_> = refused.headers.unsupported().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(tags, ["nothingSupportsThis", "nothingSupportsThisEither"]);
    assert!(response("invut").headers.accept().unwrap().iter().any(|kind| kind.is("application", "sdp")));
}
