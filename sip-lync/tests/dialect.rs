//! `docs/dialect.md` lists Lync's habits. Each row has a sample that is tried here; the table is written from the rows
//! of `sip_lync::dialect` (`UPDATE_DOCS=1` rewrites it).

use std::fmt::Write;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use sip_lync::dialect::{HABITS, Habit};
use sip_lync::headers::{Contact, Credentials, NameAddr, Transport, Via, ms};
use sip_lync::sdp::{Candidate, Direction, SessionDescription};
use sip_lync::{Abilities, Message, Method, Rejection, SipUri};

struct Row {
    habit: &'static str,
    check: fn() -> bool,
}

fn message(head: &str) -> Message {
    Message::parse(Bytes::from(format!("{head}\r\n\r\n"))).expect("a message")
}

fn request(lines: &str) -> Message {
    message(&format!(
        "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nf: <sip:x@y>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 INVITE\r\n\
         Max-Forwards: 70\r\n{lines}"
    ))
}

fn sdp(lines: &str) -> SessionDescription {
    let text = format!(
        "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 8\r\n{lines}"
    );
    SessionDescription::parse(&text).expect("a description")
}

const ROWS: &[Row] = &[
    Row {
        habit: "Header names in capitals",
        check: || {
            let message = message("BYE sip:a SIP/2.0\r\nCALL-ID: 7\r\nFROM: <sip:a@b>;TAG=3");
            message.headers().call_id() == Ok(Some("7".into()))
                && message.headers().from_().unwrap().unwrap().tag() == Some("3")
                && message.to_bytes().windows(8).any(|at| at == b"CALL-ID:")
        },
    },
    Row {
        habit: "`SIP/2.0/tls` in lower case",
        check: || Via::parse("SIP/2.0/tls 127.0.0.1:36846").unwrap().transport == Transport::Tls,
    },
    Row {
        habit: "Via without branch",
        check: || {
            Via::parse("SIP/2.0/TLS 192.0.2.20:1590;ms-received-cid=C6B200").unwrap().branch().is_none()
        },
    },
    Row {
        habit: "Content-Length in the middle of the head",
        check: || {
            let message = message("SIP/2.0 200 OK\r\nContent-Length: 0\r\nTo: <sip:a@b>");
            message.headers().content_length() == Ok(Some(0))
                && message.to_bytes().starts_with(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\nTo")
        },
    },
    Row {
        habit: "Via, Record-Route and other fields interleaved",
        check: || {
            let message = message(
                "BYE sip:a SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nRecord-Route: <sip:p;lr>\r\nVia: SIP/2.0/TLS d\r\nRecord-Route: <sip:q;lr>",
            );
            message.headers().vias().unwrap().len() == 2
                && message.headers().record_routes().unwrap().len() == 2
        },
    },
    Row {
        habit: "`;tag=` and `;ms-rrsig=` outside of the brackets of Record-Route",
        check: || {
            let route = NameAddr::parse("<sip:fe1:5061;transport=tls;lr;ms-route-sig=aB>;tag=7AB").unwrap();
            route.tag() == Some("7AB")
                && route.uri.as_str() == "sip:fe1:5061;transport=tls;lr;ms-route-sig=aB"
        },
    },
    Row {
        habit: "Blanks behind `;` in ms- fields",
        check: || ms::KeepAlive::parse("UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300").is_ok(),
    },
    Row {
        habit: "No blank between a quoted name and `<`, none behind a comma",
        check: || {
            let message = request("P-Asserted-Identity: \"A, B\"<sip:a@b>,<tel:+1425;ext=7>");
            message.headers().asserted_identities().unwrap().len() == 2
        },
    },
    Row {
        habit: "Quoted commas, semicolons and equals signs in parameters",
        check: || {
            let message = request("Contact: <sip:a@b>;methods=\"INVITE, MESSAGE\";proxy=replace");
            message.headers().contacts().unwrap().len() == 1
        },
    },
    Row {
        habit: "ms-diagnostics with any quoted parameters",
        check: || {
            let value = ms::Diagnostics::parse(
                "4005;reason=\"not enabled; check, a=b\";source=\"fe1\";AppName=\"X\"",
            )
            .unwrap();
            value.to_string().contains("AppName")
        },
    },
    Row {
        habit: "Several Contact lines in a 200 to REGISTER, the UUID in other letters than it was sent",
        check: || {
            let contact = Contact::parse("<sip:a@b>;+sip.instance=\"<urn:uuid:4B16-AF>\"").unwrap();
            contact.instance_uuid().as_deref() == Some("4b16-af")
        },
    },
    Row {
        habit: "GRUU as `;opaque=user:epid:…;gruu`, order of the two varies",
        check: || {
            let one = SipUri::parse("sip:a@b;opaque=user:epid:qII_-AA;gruu").unwrap();
            let other = SipUri::parse("sip:a@b;gruu;opaque=user:epid:qII_-AA").unwrap();
            one.is_gruu() && one.opaque() == Some("user:epid:qII_-AA") && one.equivalent(&other)
        },
    },
    Row {
        habit: "Colons, `=` and `@` in URI parameters",
        check: || SipUri::parse("sip:fe1;opaque=state:F:Ci.R2ab00;ms-identity=aGk=;x=a@b").is_ok(),
    },
    Row {
        habit: "`epid` in From and To",
        check: || NameAddr::parse("<sip:a@b>;tag=1;epid=01010101").unwrap().epid() == Some("01010101"),
    },
    Row {
        habit: "Supported on many lines",
        check: || {
            let message = request("Supported: gruu-10\r\nSupported: Replaces");
            let tags = message.headers().supported().unwrap();
            tags.contains("gruu-10") && tags.contains("replaces")
        },
    },
    Row {
        habit: "Authentication-Info with a scheme, also in requests",
        check: || {
            let message = request(
                "Proxy-Authentication-Info: NTLM qop=\"auth\", opaque=\"1\", srand=\"1\", snum=\"1\", rspauth=\"01\", targetname=\"t\", realm=\"r\"",
            );
            message.headers().authentication_info().unwrap().is_some()
        },
    },
    Row {
        habit: "Proxy-Authorization where Authorization belongs",
        check: || {
            let message = request("Proxy-Authorization: NTLM qop=\"auth\", realm=\"r\", targetname=\"t\"");
            message.headers().credentials().unwrap().len() == 1
                && Credentials::parse("TLS-DSK qop=\"auth\", realm=\"r\", targetname=\"t\"").is_ok()
        },
    },
    Row {
        habit: "BENOTIFY: never answered, not even a wrong one",
        check: || {
            let broken = message("BENOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nCSeq: 1 BENOTIFY");
            let problems = broken.problems(&Abilities::LYNC);
            !problems.is_empty() && problems.iter().all(|problem| problem.status.is_none())
        },
    },
    Row {
        habit: "SERVICE and NEGOTIATE",
        check: || {
            let negotiate = message(
                "NEGOTIATE sip:a SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nf: <sip:x@y>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 NEGOTIATE\r\nMax-Forwards: 70\r\nCompression: LZ77-8K",
            );
            Method::parse("SERVICE") == Ok(Method::Service)
                && matches!(&negotiate, Message::Request(r) if r.method.as_str() == "NEGOTIATE")
        },
    },
    Row {
        habit: "Presence-State, P-Preferred-Registrar, ms-piggyback-cseq",
        check: || {
            let message = request(
                "presence-state: register-action=\"fixed\";is-connected-to-primary=\"no\"\r\nP-Preferred-Registrar: <sip:fe2:5061;transport=tls>\r\nms-piggyback-cseq: 1",
            );
            message.headers().presence_state().unwrap().is_some()
                && message.headers().preferred_registrar().unwrap().is_some()
                && message.headers().piggyback_cseq() == Ok(Some(1))
        },
    },
    Row {
        habit: "Reason lists, `ms-acceptedby`",
        check: || {
            let message = request(
                "Reason: SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:q@r\", Q.850;cause=16",
            );
            message.headers().reasons().unwrap().len() == 2
        },
    },
    Row {
        habit: "`404` with a blank reason, `101 Progress Report`",
        check: || {
            matches!(message("SIP/2.0 404 \r\nTo: <sip:a>"), Message::Response(r) if r.reason.is_empty())
                && matches!(message("SIP/2.0 101 Progress Report\r\nTo: <sip:a>"), Message::Response(r) if r.status.is_provisional())
        },
    },
    Row {
        habit: "Blanks at the end of candidate lines, behind colons",
        check: || sdp("a=ice-ufrag: 6nxO \r\n").media[0].attributes[0].value.as_deref() == Some("6nxO"),
    },
    Row {
        habit: "`a=rtcp:` whose port is not RTP + 1",
        check: || {
            let description = sdp("a=rtcp:59178\r\n");
            description.media[0].rtcp(&description).is_some_and(|address| address.port() == 59178)
        },
    },
    Row {
        habit: "`TCP-ACT`, `TCP-PASS`; candidates with their own user names",
        check: || {
            [
                "1 1 TCP-ACT 174456319 192.0.2.1 5 typ relay raddr 192.0.2.2 rport 7",
                "kFz3 1 w2Qp UDP 0.830 192.0.2.20 27684",
            ]
            .iter()
            .all(|line| Candidate::parse(line).is_ok_and(|candidate| candidate.to_string() == *line))
        },
    },
    Row {
        habit: "Hold as `a=inactive` and `+sip.rendering=\"no\"` in Contact",
        check: || {
            let description = sdp("a=inactive\r\n");
            description.media[0].direction(&description) == Direction::Inactive
                && Contact::parse("<sip:a@b>;+sip.rendering=\"no\"").unwrap().renders() == Some(false)
        },
    },
    Row {
        habit: "Two session descriptions in multipart/alternative, the first marked `ms-proxy-2007fallback` and sometimes broken",
        check: || {
            let file =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sipe/055-rx-alice-INVITE.txt");
            let invite = Message::parse(fs::read(file).unwrap().into()).unwrap();
            invite.problems(&Abilities::LYNC).is_empty()
        },
    },
    Row {
        habit: "Invitations to a conference as `application/ms-conf-invite+xml` instead of a session description",
        check: || {
            let invite = Message::parse(Bytes::from(
                "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nf: <sip:x@y>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 INVITE\r\n\
                 Content-Type: application/ms-conf-invite+xml\r\nl: 12\r\n\r\n<Conferencing",
            ))
            .expect("a message");
            matches!(&invite.problems(&Abilities::LYNC)[..], [problem] if problem.rejection == Rejection::MediaType)
        },
    },
];

/// What the agent does about candidates and checks; its own tests show it.
const ICE: &str = r"
## Candidates and checks

| Habit | Who, where | What is done | Test |
|---|---|---|---|
| Checks without alignment, texts filled with zeros, USERNAME in answers, CANDIDATE-IDENTIFIER and IMPLEMENTATION-VERSION | MS-ICE2 | written in that order, read either way | `ice/agent/checks.rs` |
| Every check and answer twice until the version of the peer is seen, the second copy with the fingerprint of a wrong table | MS-ICE2 3.1.4.8.2 | as written there | `ice/agent/checks.rs` |
| The caller's last offer names the chosen pairs: `a=remote-candidates`, in OCS 2007 `a=remote-candidate` with a user name | MS-ICE2, MS-ICE | written, and taken as the last word | `ice/agent/begin.rs` |
| No consent: silence does not end a call; no documented pacing, keep-alive or patience | MS-ICE2 | 20 ms, 15 s, 20 s: inferred, fields of `ice::Times` | `ice/dialect.rs` |
| IPv6 candidates in `a=x-candidate-ipv6` | Lync | written there in MS-ICE2, read everywhere | `ice/agent/describe.rs` |
";

#[test]
fn every_habit_is_understood() {
    for row in ROWS {
        assert!((row.check)(), "{}", row.habit);
    }
}

#[test]
fn every_habit_of_the_table_has_a_sample() {
    let samples: Vec<_> = ROWS.iter().map(|row| row.habit).collect();
    let habits: Vec<_> = HABITS.iter().map(|habit| habit.what).collect();
    assert_eq!(samples, habits);
}

#[test]
fn the_habits_in_the_documentation_are_these() {
    let mut text = String::from(
        "# Habits of Lync\n\nOne row for each habit that differs from the standards or that breaks simple parsers: what, who does it and where it was\n\
         seen, what this crate does. `tests/dialect.rs` tries a sample of every row. Names like lync/08 and sipe/055 are files in\n\
         `tests/vectors`.\n\n| Habit | Who, where | What is done |\n|---|---|---|\n",
    );
    for Habit { what, who, done, .. } in HABITS {
        let _ = writeln!(text, "| {what} | {who} | {done} |");
    }
    text.push_str(ICE);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dialect.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), text, "UPDATE_DOCS=1 rewrites docs/dialect.md");
}
