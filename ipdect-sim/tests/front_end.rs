//! The front end against hand-written messages: what a stranger sends and expects.

mod stranger;

use std::time::Duration;

use ipdect_sim::frontend::{Dialling, Event, FlowId, Input};
use stranger::{CLIENT_CONTACT, SERVER_CONTACT, Site, invite, register};

#[test]
fn a_trusted_server_registers_and_reads_its_gruu_and_keep_alive() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    let answer =
        site.one(1, &register("dect1", "01010101", SERVER_CONTACT, "ms-keep-alive: UAC;hop-hop=yes\n"));
    for line in [
        "SIP/2.0 200 OK\r\n",
        "gruu=\"sip:dect1@example.net;opaque=user:epid:qIIWS2j5AVeD_HxnQdxmlwAA;gruu\"",
        "+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\"",
        "presence-state: register-action=\"added\"",
        "ms-keep-alive: UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300",
        "Expires: 600",
        "Server: RTC/5.0",
        "ms-received-port=40000;ms-received-cid=",
        "<sip:dect.example.net:5061;transport=tls;ms-opaque=5c0ffee123;ms-received-cid=",
    ] {
        assert!(answer.contains(line), "{line} in {answer}");
    }
    assert_eq!(answer.matches("Supported: ").count(), 2);
    let again = register("dect1", "01010101", SERVER_CONTACT, "")
        .replace("CSeq: 1", "CSeq: 2")
        .replace("4bK0", "4bKx");
    assert!(site.one(1, &again).contains("register-action=\"refreshed\""));
    let other = again.replace("Call-ID: reg", "Call-ID: new").replace("4bKx", "4bKy");
    assert!(site.one(1, &other).contains("register-action=\"fixed\""));
}

#[test]
fn a_client_contact_gets_the_observed_address() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    let answer = site.one(1, &register("alice", "01010101", CLIENT_CONTACT, "Expires: 300\n"));
    assert!(answer.contains("<sip:192.0.2.30:40000;transport=tls;ms-opaque=aa;ms-received-cid="), "{answer}");
    assert!(!answer.contains("proxy=replace"), "{answer}");
    assert!(answer.contains("Expires: 300"), "{answer}");
    let wrong = CLIENT_CONTACT.replace("transport=tls", "transport=tcp");
    assert!(site.one(1, &register("bob", "02", &wrong, "")).starts_with("SIP/2.0 400 "));
    let wrong = CLIENT_CONTACT.replace("proxy=replace", "proxy=keep");
    assert!(site.one(1, &register("bob", "03", &wrong, "")).starts_with("SIP/2.0 400 "));
}

#[test]
fn a_registration_without_what_it_needs_is_refused_with_its_error_id() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    let good = register("dect1", "01010101", SERVER_CONTACT, "");
    for (text, status, error) in [
        (good.replace(";epid=01010101", ""), "400", "4010"),
        (good.replace("epid=01010101", "epid=01010101010101010"), "400", "4012"),
        (good.replace("gruu-10, ", ""), "421", "2057"),
        (good.replace("Event: registration", "Event: presence"), "489", "4055"),
        (good.replace("dect1@", "nobody@"), "404", "4005"),
    ] {
        let answer = site.one(1, &text);
        assert!(answer.starts_with(&format!("SIP/2.0 {status} ")), "{answer}");
        assert!(answer.contains(&format!("ms-diagnostics: {error};reason=")), "{answer}");
    }
    assert_eq!(site.front_end.registered(), 0);
}

#[test]
fn options_are_answered_to_anybody_and_unknown_peers_get_nothing_else() {
    let mut site = Site::new(|_| {});
    site.open(1, "");
    let options = "OPTIONS sip:fe1.example.net SIP/2.0\nVia: SIP/2.0/TLS x:1;branch=z9hG4bK1\nMax-Forwards: 70\n\
                   From: <sip:x@example.net>;tag=1\nTo: <sip:fe1.example.net>\nCall-ID: o\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n";
    assert!(site.one(1, options).starts_with("SIP/2.0 200 OK"));
    let answer = site.one(1, &invite("alice", "sip:bob@example.net", ";branch=z9hG4bK2"));
    assert!(answer.starts_with("SIP/2.0 407 "), "{answer}");
    assert!(answer.contains("Proxy-Authenticate: NTLM realm=\"SIP Communications Service\""), "{answer}");
    let answer = site.one(1, &register("alice", "01", CLIENT_CONTACT, "Authorization: NTLM qop=\"auth\"\n"));
    assert!(answer.starts_with("SIP/2.0 401 ") && !answer.contains("gssapi-data"), "{answer}");
    let begins = "Authorization: NTLM qop=\"auth\", gssapi-data=\"\", version=4\n";
    let answer = site.one(1, &register("alice", "01", CLIENT_CONTACT, begins));
    assert!(answer.starts_with("SIP/2.0 401 ") && answer.contains("gssapi-data=\"TlRMTVNTU"), "{answer}");
    assert_eq!(site.front_end.registered(), 0);
}

#[test]
fn a_via_without_branch_is_answered_and_cancelled() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    site.open(2, "dect.example.net");
    site.one(2, &register("bob", "02020202", CLIENT_CONTACT, ""));
    let text = invite("alice", "sip:bob@example.net", "");
    let sent = site.send(1, &text);
    assert_eq!(
        sent.iter().map(|(flow, text)| (*flow, &text[..11])).collect::<Vec<_>>(),
        [(1, "SIP/2.0 100"), (2, "INVITE sip:")]
    );
    let forwarded = &sent[1].1;
    assert!(
        forwarded.starts_with("INVITE sip:192.0.2.30:40000;transport=tls;ms-opaque=aa;ms-received-cid="),
        "{forwarded}"
    );
    assert!(forwarded.contains("To: <sip:bob@example.net>;epid=02020202\r\n"), "{forwarded}");
    assert!(forwarded.contains("Max-Forwards: 69"), "{forwarded}");
    // The ringing endpoint's answer leads back along the Via headers.
    let via: Vec<&str> = forwarded.lines().filter(|line| line.starts_with("Via:")).collect();
    let ringing = format!(
        "SIP/2.0 180 Ringing\n{}\nFrom: <sip:alice@example.net>;tag=77;epid=0101010101\n\
         To: <sip:bob@example.net>;epid=02020202;tag=9\nCall-ID: call-1\nCSeq: 1 INVITE\nContent-Length: 0\n\n",
        via.join("\n")
    );
    let answer = site.send(2, &ringing);
    assert_eq!(answer[0].0, 1);
    assert!(
        answer[0].1.starts_with("SIP/2.0 180 ") && !answer[0].1.contains("fe1.example.net:5061"),
        "{}",
        answer[0].1
    );
    let cancel = text.replace("INVITE sip", "CANCEL sip").replace("1 INVITE", "1 CANCEL");
    let sent = site.send(1, &cancel);
    assert!(sent[0].0 == 1 && sent[0].1.starts_with("SIP/2.0 200 ") && sent[0].1.contains("1 CANCEL"));
    assert!(sent[1].0 == 2 && sent[1].1.starts_with("CANCEL sip:192.0.2.30:40000;"), "{}", sent[1].1);
    // The refusal is acknowledged here and goes on to the caller.
    let refused = ringing.replace("180 Ringing", "487 Request Terminated");
    let sent = site.send(2, &refused);
    assert!(sent[0].0 == 2 && sent[0].1.starts_with("ACK sip:") && sent[0].1.contains("tag=9"));
    assert!(sent[1].0 == 1 && sent[1].1.starts_with("SIP/2.0 487 "));
    let ack = text.replace("INVITE sip", "ACK sip").replace("1 INVITE", "1 ACK");
    assert!(site.send(1, &ack).is_empty(), "an ACK of a refusal ends at the proxy");
    assert!(site.pass(Duration::from_mins(2)).is_empty());
}

#[test]
fn an_endpoint_of_a_trusted_server_is_dialled_when_its_connection_is_gone() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    site.open(2, "dect.example.net");
    site.one(2, &register("dect1", "01010101", SERVER_CONTACT, ""));
    site.front_end.handle_input(site.now, Input::FlowClosed { flow: FlowId(2) });
    assert_eq!(site.front_end.registered(), 1, "a server's registration outlives its connection");
    site.events.clear();
    let sent = site.send(1, &invite("alice", "sip:dect1@example.net", ";branch=z9hG4bKq"));
    assert_eq!(sent.len(), 1, "only 100: {sent:?}");
    let dial = site.events.iter().find_map(|event| match event {
        Event::Dial { flow, host, port } => Some((*flow, host.clone(), *port)),
        _ => None,
    });
    let (flow, host, port) = dial.expect("the front end dials");
    assert_eq!((host.as_str(), port), ("dect.example.net", 5061));
    site.open(flow.0, "dect.example.net");
    let sent = site.sent();
    assert!(sent.len() == 1 && sent[0].0 == flow.0 && sent[0].1.starts_with("INVITE "), "{sent:?}");
    site.front_end.handle_input(site.now, Input::FlowClosed { flow });
    let sent = site.sent();
    assert!(sent.len() == 1 && sent[0].0 == 1 && sent[0].1.starts_with("SIP/2.0 480 "), "{sent:?}");
}

#[test]
fn a_front_end_that_never_dials_finds_such_an_endpoint_unavailable() {
    let mut site = Site::new(|config| config.dialling = Dialling::Never);
    site.open(1, "dect.example.net");
    site.open(2, "dect.example.net");
    site.one(2, &register("dect1", "01010101", SERVER_CONTACT, ""));
    site.front_end.handle_input(site.now, Input::FlowClosed { flow: FlowId(2) });
    let answer = site.one(1, &invite("alice", "sip:dect1@example.net", ";branch=z9hG4bKq"));
    assert!(answer.starts_with("SIP/2.0 480 "), "{answer}");
}

#[test]
fn one_that_always_dials_has_one_connection_for_all_users_of_a_server() {
    let mut site = Site::new(|config| config.dialling = Dialling::Always);
    site.open(1, "dect.example.net");
    for user in ["dect1", "bob"] {
        site.one(1, &register(user, "01010101", SERVER_CONTACT, ""));
        site.send(
            1,
            &invite("alice", &format!("sip:{user}@example.net"), &format!(";branch=z9hG4bK{user}"))
                .replace("call-1", user),
        );
    }
    assert_eq!(site.events.iter().filter(|event| matches!(event, Event::Dial { .. })).count(), 1);
}

#[test]
fn a_silent_connection_is_given_up_after_the_keep_alive_time() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    site.one(1, &register("dect1", "01010101", SERVER_CONTACT, "ms-keep-alive: UAC;hop-hop=yes\n"));
    site.pass(Duration::from_secs(331));
    assert!(!site.events.iter().any(|event| matches!(event, Event::Close { .. })));
    assert!(site.send(1, "\n\n").is_empty(), "a keep-alive is not answered");
    site.pass(Duration::from_secs(331));
    assert!(!site.events.iter().any(|event| matches!(event, Event::Close { .. })));
    site.pass(Duration::from_secs(2));
    assert!(site.events.iter().any(|event| matches!(event, Event::Close { flow: FlowId(1), .. })));
}

#[test]
fn a_registration_that_is_not_refreshed_expires() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    site.one(1, &register("dect1", "01010101", SERVER_CONTACT, "Expires: 60\n"));
    site.pass(Duration::from_secs(59));
    assert_eq!(site.front_end.registered(), 1);
    site.pass(Duration::from_secs(1));
    assert_eq!(site.front_end.registered(), 0);
    assert!(site.events.iter().any(|event| matches!(event, Event::Deregistered { reason: "expired", .. })));
}

fn service(version: u32, expires: &str, cseq: u32) -> String {
    let body = format!(
        "<publish xmlns=\"http://schemas.microsoft.com/2006/09/sip/rich-presence\"><publications uri=\"sip:dect1@example.net\">\
         <publication categoryName=\"state\" instance=\"805372160\" container=\"2\" version=\"{version}\" expireType=\"endpoint\"{expires}>\
         <state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" manual=\"false\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"machineState\"><availability>3500</availability></state>\
         </publication></publications></publish>"
    );
    format!(
        "SERVICE sip:dect1@example.net SIP/2.0\nVia: SIP/2.0/TLS x:1;branch=z9hG4bKs{cseq}\nMax-Forwards: 70\n\
         From: <sip:dect1@example.net>;tag=5;epid=01010101\nTo: <sip:dect1@example.net>\nCall-ID: s\nCSeq: {cseq} SERVICE\n\
         Content-Type: application/msrtc-category-publish+xml\nContent-Length: {}\n\n{body}",
        body.len()
    )
}

#[test]
fn a_publication_is_stored_with_its_version_and_an_old_version_conflicts() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    let answer = site.one(1, &service(0, "", 1));
    assert!(answer.starts_with("SIP/2.0 403 "), "who is not registered does not publish: {answer}");
    site.one(1, &register("dect1", "01010101", SERVER_CONTACT, ""));
    let answer = site.one(1, &service(0, "", 2));
    assert!(answer.starts_with("SIP/2.0 200 ") && answer.contains("version=\"1\""), "{answer}");
    assert!(answer.contains("Content-Type: application/vnd-microsoft-roaming-self+xml"), "{answer}");
    let published = site.events.iter().find_map(|event| match event {
        Event::Presence { user, category, version, availability, container, .. } => {
            Some((user.clone(), category.clone(), *version, *availability, *container))
        }
        _ => None,
    });
    assert_eq!(
        published,
        Some(("dect1@example.net".to_owned(), "machineState".to_owned(), 1, Some(3500), 2))
    );
    let answer = site.one(1, &service(0, "", 3));
    assert!(answer.starts_with("SIP/2.0 409 ") && answer.contains("curVersion=\"1\""), "{answer}");
    assert!(site.one(1, &service(1, "", 4)).contains("version=\"2\""));
    assert!(site.one(1, &service(2, " expires=\"0\"", 5)).starts_with("SIP/2.0 200 "));
    assert!(site.one(1, &service(0, "", 6)).contains("version=\"1\""), "a removed publication begins again");
    // What is bound to the endpoint ends with its registration.
    let gone = register("dect1", "01010101", SERVER_CONTACT, "Expires: 0\n")
        .replace("4bK0", "4bKz")
        .replace("CSeq: 1", "CSeq: 9");
    site.one(1, &gone);
    site.one(1, &register("dect1", "01010101", SERVER_CONTACT, "").replace("4bK0", "4bKw"));
    assert!(site.one(1, &service(0, "", 7)).contains("version=\"1\""));
}

#[test]
fn a_request_that_went_too_far_or_is_broken_is_refused() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    let text = invite("alice", "sip:bob@example.net", ";branch=z9hG4bK5");
    assert!(site.one(1, &text.replace("Max-Forwards: 70", "Max-Forwards: 0")).starts_with("SIP/2.0 483 "));
    assert!(site.one(1, &text.replace(";tag=77", "")).starts_with("SIP/2.0 400 "));
    assert!(site.one(1, &text.replace("1 INVITE", "1 BYE")).starts_with("SIP/2.0 400 "));
    let bye = text.replace("INVITE sip", "BYE sip").replace("1 INVITE", "1 BYE");
    assert!(site.one(1, &bye).starts_with("SIP/2.0 481 "));
    let bye = bye.replace("To: <sip:bob@example.net>", "To: <sip:bob@example.net>;tag=3\nRoute: <sip:fe1.example.net:5061;lr;opaque=state:F:Ci.R1.2;ms-route-sig=00>");
    let answer = site.one(1, &bye);
    assert!(answer.starts_with("SIP/2.0 430 ") && answer.contains("ms-diagnostics: 1004;"), "{answer}");
    assert!(site.send(1, "no SIP at all\n\n").is_empty());
    assert!(site.events.iter().any(|event| matches!(event, Event::Malformed { .. })));
}
