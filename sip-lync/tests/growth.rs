//! No input makes work grow faster than its length: instructions are counted by callgrind, clocks decide nothing.
//!
//! Without valgrind the counts are left out, and the program says so. `SIP_GROWTH` names the work that a counted child does.

use std::env;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use bytes::{Bytes, BytesMut};
use sip_lync::headers::{NameAddr, Parameters};
use sip_lync::{Abilities, Frame, HeaderName, Limits, LineEnds, Message, MessageView, StreamDecoder, Uri};

/// Kinds of heads and bodies that are made of one thing only.
const KINDS: [&str; 12] = [
    "commas",
    "semicolons",
    "folds",
    "parameters",
    "comments",
    "quotes",
    "brackets",
    "colons",
    "tokens",
    "routes",
    "names",
    "lines",
];

/// A message of about so many octets.
fn message(kind: &str, octets: usize) -> Bytes {
    let filled = |piece: &str| piece.repeat(octets / piece.len());
    let head = |line: String| {
        format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c;branch=z9hG4bK1\r\nFrom: <sip:x@y>;tag=1\r\nTo: <sip:a@b>\r\n\
             Call-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{line}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let text = match kind {
        "commas" => head(format!("Contact: <sip:a@b>{0}\r\nSupported: {0}", &filled(",")[..octets / 2])),
        "semicolons" => {
            head(format!("Contact: <sip:a@b>{0}\r\nRoute: <sip:a{0}>", &filled(";")[..octets / 2]))
        }
        "folds" => head(format!("Subject: a{}", filled("\r\n b"))),
        "parameters" => head(format!("Contact: <sip:a@b{0}>{0}", &filled(";a=b")[..octets / 8 * 4])),
        "comments" => head(format!("User-Agent: {0}\r\nRetry-After: 5 {0}", &filled("(")[..octets / 2])),
        "quotes" => head(format!("P-Asserted-Identity: \"{}", filled("\\\""))),
        "brackets" => head(format!("P-Asserted-Identity: {}", filled("<"))),
        "colons" => head(format!("ms-diagnostics: {}", filled(":"))),
        "tokens" => head(format!("Supported: {}", filled("ab,"))),
        "routes" => head(format!("Record-Route: {}", filled("<sip:a;lr>,"))),
        "names" => head(format!("{}: 1", filled("N"))),
        _ => {
            let mut lines = String::new();
            for number in 0..octets / 16 {
                let _ = write!(lines, "X-{number:08}: 1\r\n");
            }
            head(format!("{lines}X-Last: 1"))
        }
    };
    text.into()
}

/// Everything that is done with a message.
fn work(wire: &Bytes) {
    let mut limits = Limits::DEFAULT;
    (limits.head, limits.line, limits.headers) = (usize::MAX, usize::MAX, usize::MAX);
    let mut decoder = StreamDecoder::new(limits);
    for piece in wire.chunks(64) {
        decoder.push(piece);
        while let Some(Ok(Frame::Message(frame))) = decoder.next() {
            black_box(frame);
        }
    }
    let mut out = BytesMut::new();
    if let Ok(view) = MessageView::parse_with(wire, LineEnds::Strict, &limits) {
        let _ = black_box((
            view.via(),
            view.contact(),
            view.route(),
            view.get(&HeaderName::Subject).map(|h| h.value()),
        ));
        view.pass_on(&[], &mut out);
    }
    let Ok(mut message) = Message::parse_with(wire.clone(), LineEnds::Strict, &limits) else { return };
    black_box(message.problems(&Abilities::LYNC));
    let headers = message.headers();
    let _ = black_box((headers.contacts(), headers.routes(), headers.record_routes(), headers.supported()));
    let _ = black_box((headers.asserted_identities(), headers.diagnostics(), headers.retry_after()));
    if let Some(contact) = headers.get(&HeaderName::Contact) {
        let _ = black_box((NameAddr::parse(contact), Uri::parse(contact), Parameters::parse(contact)));
    }
    message.emit(&mut out);
    message.emit_compact(&mut out);
    message.make_strict();
    black_box(message.to_bytes());
}

/// Every typed field, with a value of so many octets that is made of one thing only.
fn typed(octets: usize) {
    let starts = ["", "<sip:a@b>", "NTLM realm=\"a\","];
    for piece in [",", ";", "\r\n ", ";a=b", "(", "\\\"", "<", ":", "=", "%41", "a,", "<sip:a@b>,", "1"] {
        for start in starts {
            let value = format!("{start}{}", piece.repeat(octets / piece.len()));
            for name in HeaderName::known() {
                let wire = format!("OPTIONS sip:a SIP/2.0\r\n{name}: {value}\r\n\r\n");
                let Ok(message) = Message::parse(wire.into()) else { continue };
                let headers = message.headers();
                let _ = black_box((
                    headers.vias(),
                    headers.from_(),
                    headers.to(),
                    headers.cseq(),
                    headers.contacts(),
                ));
                let _ =
                    black_box((headers.routes(), headers.record_routes(), headers.paths(), headers.date()));
                let _ = black_box((headers.accept(), headers.supported(), headers.allow(), headers.event()));
                let _ = black_box((headers.content_type(), headers.content_disposition(), headers.privacy()));
                let _ = black_box((headers.subscription_state(), headers.reasons(), headers.warnings()));
                let _ = black_box((
                    headers.session_expires(),
                    headers.rack(),
                    headers.replaces(),
                    headers.join(),
                ));
                let _ =
                    black_box((headers.asserted_identities(), headers.history_info(), headers.diversions()));
                let _ = black_box((headers.refer_to(), headers.referred_by(), headers.retry_after()));
                let _ =
                    black_box((headers.challenges(), headers.credentials(), headers.authentication_info()));
                let _ = black_box((headers.diagnostics(), headers.keep_alive(), headers.presence_state()));
            }
        }
    }
}

/// Instructions of a child that does the work once.
fn instructions(kind: &str, octets: usize) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe().ok()?)
        .args(["--exact", "the_child_does_what_it_is_told"])
        .env("SIP_GROWTH", format!("{kind} {octets}"))
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = text.split("Collected :").nth(1)?.trim().lines().next()?.trim().parse().ok();
    assert!(output.status.success() && count.is_some(), "{text}");
    count
}

#[test]
fn the_child_does_what_it_is_told() {
    let Ok(order) = env::var("SIP_GROWTH") else { return };
    let (kind, octets) = order.split_once(' ').unwrap();
    let octets = octets.parse().unwrap();
    match kind {
        "nothing" => {}
        "corpus" => corpus(octets),
        "typed" => typed(octets),
        _ => work(&message(kind, octets)),
    }
}

#[test]
fn four_times_the_length_is_four_times_the_work_of_every_typed_field() {
    let Some(nothing) = instructions("nothing", 0) else {
        println!("LEFT OUT: valgrind is not installed, the growth of work was not counted");
        return;
    };
    let small = instructions("typed", 512).unwrap() - nothing;
    let large = instructions("typed", 2048).unwrap() - nothing;
    println!("typed: {small} {large}");
    assert!(large <= small * 5, "{small} instructions for 512 octets, {large} for 2048");
}

#[test]
fn four_times_the_length_is_four_times_the_work() {
    let Some(nothing) = instructions("nothing", 0) else {
        println!("LEFT OUT: valgrind is not installed, the growth of work was not counted");
        return;
    };
    for kind in KINDS {
        let small = instructions(kind, 16 * 1024).unwrap() - nothing;
        let large = instructions(kind, 64 * 1024).unwrap() - nothing;
        println!("{kind}: {small} {large}");
        // A line end beyond the 64 KiB that are looked at ahead is found twice, once slowly; work that grew with the
        // square would be sixteen times as much.
        assert!(large <= small * 7, "{kind}: {small} instructions for 16 KiB, {large} for 64 KiB");
    }
}

/// Instructions that splitting a message of the corpus and typing its seven fields may take. Callgrind knows no AVX-512: this
/// is the AVX2 kernel.
const BUDGET: u64 = if cfg!(debug_assertions) { 200_000 } else { 10_500 };

#[test]
fn a_message_of_the_corpus_stays_within_its_instructions() {
    let (Some(nothing), Some(once), Some(often)) =
        (instructions("nothing", 0), instructions("corpus", 1), instructions("corpus", 11))
    else {
        println!("LEFT OUT: valgrind is not installed, instructions were not counted");
        return;
    };
    let count = (often - once) / 10 / 40;
    println!("{count} instructions a message ({nothing} before)");
    assert!(count < BUDGET, "{count}");
}

fn corpus(times: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/lync");
    let files = fs::read_dir(folder).unwrap().flatten();
    let messages: Vec<Vec<u8>> = files.map(|file| fs::read(file.path()).unwrap()).collect();
    for wire in (0..times).flat_map(|_| &messages) {
        let view = MessageView::parse(wire).unwrap();
        let _ = black_box((view.via(), view.from(), view.to(), view.call_id(), view.cseq()));
        let _ = black_box((view.contact(), view.route()));
    }
}
