//! `docs/torture.md` says what becomes of every message of RFC 4475 and RFC 5118. The verdicts in it are what the library
//! says here (`UPDATE_DOCS=1` writes it anew); that they are the right ones is checked by `tests/vectors.rs`.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sip_lync::{Abilities, Frame, Limits, Message, StreamDecoder};

/// Why: for those whose verdict does not say it all.
const WHY: &[(&str, &str)] = &[
    ("wsinv", "folds and blanks wherever the grammar allows them, short names, an empty Subject"),
    ("intmeth", "a method and values of unusual characters"),
    ("esc01", "`%6C` and the like mean the letters"),
    ("escnull", "`%00` stays escaped"),
    ("esc02", "`%` in a method is no escape"),
    ("lwsdisp", "no blank between a display name and `<`"),
    ("longreq", "long values are no fault"),
    ("dblreq", "the first message counts; what is behind it is ignored in a datagram"),
    ("semiuri", "a semicolon in the user part"),
    ("transports", "transports nobody knows"),
    ("mpart01", "a multipart body with octets of all kinds"),
    ("unreason", "a reason phrase beyond ASCII"),
    ("noreason", "an empty reason phrase"),
    ("badinv01", "empty parameters in Via and Contact"),
    ("clerr", "the body ends before Content-Length; on a stream the rest is waited for"),
    ("ncl", "Content-Length is no number; on a stream the boundary is lost"),
    ("scalar02", "CSeq exceeds 32 bits; the overlarge Expires alone would count as the largest value"),
    ("scalarlg", "CSeq of a response exceeds 32 bits"),
    ("quotbal", "a quoted string never ends"),
    ("ltgtruri", "the Request-URI stands in brackets"),
    ("lwsruri", "the Request-URI has a blank"),
    ("lwsstart", "more than one blank in the start line: taken, not sent on"),
    ("trws", "a blank at the end of the start line: taken, not sent on"),
    ("escruri", "the Request-URI carries header fields"),
    ("baddate", "Date is not needed to process the request: not judged, not sent on"),
    ("regbadct", "a URI with a question mark outside of brackets"),
    ("badaspec", "blanks inside of the brackets"),
    ("baddn", "a comma in a display name without quotes"),
    ("badvers", "SIP/7.0"),
    ("mismatch01", "CSeq names another method"),
    ("mismatch02", "the same, and the method of the request line is unknown"),
    ("bigcode", "a status code of ten digits"),
    ("badbranch", "a branch that is only the cookie: the transaction falls back to the rule of RFC 2543"),
    ("insuf", "Call-ID, From and To are missing"),
    ("unkscm", "a scheme nobody knows"),
    ("novelsc", "a scheme that is known elsewhere"),
    ("unksm2", "the address-of-record of a REGISTER is no SIP URI"),
    ("bext01", "with the tags of Require in Unsupported; those of Proxy-Require are for proxies"),
    ("invut", "with Accept"),
    ("regaut01", "an unknown scheme of credentials: the registrar challenges again"),
    ("multi01", "fields repeated that occur once"),
    ("mcl01", "two lengths; on a stream the boundary is lost"),
    ("bcast", "a response with a broadcast address in Via"),
    ("zeromf", "an endpoint processes Max-Forwards 0; who passes requests on answers 483"),
    ("cparam01", "an unknown parameter of Contact is kept"),
    ("cparam02", "an unknown parameter of its URI is kept"),
    ("regescrt", "header fields in a Contact are kept"),
    ("sdp01", "the sender does not accept session descriptions"),
    ("inv2543", "no branch, no tag, no Content-Length"),
    ("test", "in the archive but in no section of the RFC: no version in the request line"),
    ("ipv6-good", "an address in brackets"),
    ("ipv6-bad", "an address without brackets"),
    ("port-ambiguous", "5070 belongs to the address"),
    ("port-unambiguous", "5070 is the port"),
    ("via-received-param-with-delim", "`received` in brackets is taken"),
    ("via-received-param-no-delim", "`received` without brackets is what is sent"),
    ("ipv6-in-sdp", "IP6 in the description"),
    ("mult-ip-in-header", "addresses of both kinds in Via"),
    ("mult-ip-in-sdp", "addresses of both kinds in the description, an empty session name"),
    ("ipv4-mapped-ipv6", "an IPv4 address inside of one of IPv6"),
    ("ipv6-bug-abnf-3-colons", "three colons are tolerated, and sent on as two"),
    ("ipv6-correct-abnf-2-colons", "two colons"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn verdict(wire: &[u8]) -> String {
    let Ok(message) = Message::parse(wire.to_vec().into()) else { return "no message: dropped".to_owned() };
    match message.problems(&Abilities::LYNC).first() {
        None => "processed".to_owned(),
        Some(problem) => match problem.status {
            Some(status) => format!("{} {}", status.code(), status.reason()),
            None => "dropped".to_owned(),
        },
    }
}

/// What the same octets are on a stream, if nothing follows.
fn on_a_stream(wire: &[u8]) -> String {
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    decoder.push(wire);
    let (mut messages, mut closed) = (0, false);
    while let Some(frame) = decoder.next() {
        match frame {
            Ok(Frame::Message(_)) => messages += 1,
            Ok(_) => {}
            Err(_) => closed = true,
        }
    }
    let seen = match messages {
        0 => "",
        1 => "one message",
        _ => "two messages",
    };
    match (seen, closed, decoder.pending() > 0) {
        (_, false, false) => seen.to_owned(),
        ("", true, _) => "closed".to_owned(),
        ("", false, true) => "waits for the rest".to_owned(),
        (_, true, _) => format!("{seen}, then closed"),
        (_, false, true) => format!("{seen}, then waits for the rest"),
    }
}

#[test]
fn the_table_in_the_documentation_has_a_true_row_for_every_torture_message() {
    let mut text = String::from(
        "# Torture messages\n\nWhat a user agent server and registrar does with each message of RFC 4475 and RFC 5118. \"Processed\" means that the\n\
         message layer finds nothing wrong; what the layers above answer then is theirs. `tests/torture_table.rs` writes this\n\
         table from what the library says, `tests/vectors.rs` checks that it is what the RFC demands.\n\n\
         The archive of RFC 5118 has bare LF; as datagrams from a network these messages are none, so that they are tried with\n\
         CR LF here. Where bare LF is allowed, two of them are too short for their Content-Length, which counts CR LF.\n\n\
         | Message | Section | As a datagram | On a stream | Why |\n|---|---|---|---|---|\n",
    );
    let mut count = 0;
    for (rfc, files, end) in [("RFC 4475", "rfc4475", ".dat"), ("RFC 5118", "rfc5118/wire", "")] {
        let index = fs::read_to_string(folder().join(&files[..7]).join("index.json")).unwrap();
        let mut index: Vec<Value> = serde_json::from_str(&index).unwrap();
        let numbers = |row: &Value| -> Vec<u32> {
            row["section"]
                .as_str()
                .map_or_else(|| vec![99], |section| section.split('.').flat_map(str::parse).collect())
        };
        index.sort_by_key(numbers);
        for row in &index {
            let name = row["name"].as_str().unwrap();
            let wire = fs::read(folder().join(files).join(format!("{name}{end}"))).unwrap();
            let why = WHY.iter().find(|(of, _)| *of == name).unwrap_or_else(|| panic!("{name}: why?")).1;
            let section =
                row["section"].as_str().map_or_else(|| format!("{rfc}, archive"), |s| format!("{rfc} {s}"));
            let _ = writeln!(
                text,
                "| {name} | {section} | {} | {} | {why} |",
                verdict(&wire),
                on_a_stream(&wire)
            );
            count += 1;
        }
    }
    assert_eq!((count, WHY.len()), (62, 62));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/torture.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "UPDATE_DOCS=1 rewrites docs/torture.md");
}
