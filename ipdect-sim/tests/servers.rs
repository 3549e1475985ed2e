//! Front ends among themselves and services beside them: home servers, branch appliances, notices about registrations,
//! relays, the telephone network, transfers; hand-written messages.

mod stranger;

use std::time::Duration;

use ipdect_sim::frontend::{
    Deregistration, Event, FlowId, Homes, Password, RelayAuthentication, Role, ServerAddress, Trunk,
};
use sip_lync::turn::Credentials;
use sip_lync::turn::mras::{CredentialsResponse, Location, MediaRelay};
use stranger::{CLIENT_CONTACT, SERVER_CONTACT, Site, invite, register, response};

fn homes(primary: &str, backup: &str) -> Homes {
    Homes { primary: ServerAddress::new(primary, 5061), backup: Some(ServerAddress::new(backup, 5061)) }
}

#[test]
fn a_user_of_another_front_end_is_sent_home_with_the_backup_second() {
    let mut site = Site::new(|config| {
        config.users[0].homes = Some(homes("fe2.example.net", "sba.example.net"));
        config.users[1].homes = Some(homes("fe1.example.net", "sba.example.net"));
    });
    site.open(1, "dect.example.net");
    let answer = site.one(1, &register("alice", "01010101", CLIENT_CONTACT, ""));
    assert!(answer.starts_with("SIP/2.0 301 Redirect request to Home Server\r\n"), "{answer}");
    let contacts: Vec<&str> = answer.lines().filter(|line| line.starts_with("Contact: ")).collect();
    assert_eq!(
        contacts,
        [
            "Contact: <sip:fe2.example.net:5061;transport=TLS>;q=0.7",
            "Contact: <sip:sba.example.net:5061;transport=TLS>;q=0.3"
        ]
    );
    assert!(site.one(1, &register("bob", "01010101", CLIENT_CONTACT, "")).starts_with("SIP/2.0 200 "));
    // A call for her goes to her home server.
    site.send(1, &invite("bob", "sip:alice@example.net", ";branch=z9hG4bKx"));
    assert!(
        site.events
            .iter()
            .any(|event| matches!(event, Event::Dial { host, .. } if host == "fe2.example.net")),
        "{:?}",
        site.events
    );
}

#[test]
fn a_branch_appliance_registers_its_users_and_tells_whether_the_pool_is_there() {
    let mut site = Site::new(|config| {
        config.host_name = "sba.example.net".to_owned();
        config.role = Role::Branch;
        config.users[2].homes = Some(homes("sba.example.net", "fe1.example.net"));
    });
    site.open(1, "dect.example.net");
    let answer = site.one(1, &register("dect1", "01010101", SERVER_CONTACT, ""));
    let state = "presence-state: register-action=\"added\";primary-cluster-type=\"remote\";is-connected-to-primary=\"yes\"\r\n";
    assert!(answer.contains(state), "{answer}");
    site.front_end.set_survivable(site.now, true);
    let told = site.sent();
    assert!(
        told.len() == 1
            && told[0].1.starts_with("BENOTIFY sip:dect.example.net")
            && told[0].1.contains("Event: registration-notify\r\n")
            && told[0].1.ends_with("\r\n\r\nregistered;event=userservices-unavailable"),
        "{told:?}"
    );
    let again = register("dect1", "01010101", SERVER_CONTACT, "")
        .replace("CSeq: 1", "CSeq: 2")
        .replace("4bK0", "4bKx");
    let answer = site.one(1, &again);
    assert!(
        answer.contains("register-action=\"refreshed\";primary-cluster-type=\"remote\";is-connected-to-primary=\"no\";user-services-state=unavailable"),
        "{answer}"
    );
    // Presence is at the pool, calls are here.
    let subscribe = invite("dect1", "sip:dect1@example.net", ";branch=z9hG4bKs")
        .replace("INVITE", "SUBSCRIBE")
        .replace("Contact", "Event: presence\nContact");
    assert!(site.one(1, &subscribe).starts_with("SIP/2.0 503 "));
    site.front_end.set_survivable(site.now, false);
    assert!(site.sent()[0].1.ends_with("registered;event=userservices-available"));
}

#[test]
fn the_backup_takes_users_only_while_their_home_is_away() {
    let mut site = Site::new(|config| {
        config.host_name = "fe2.example.net".to_owned();
        config.users[0].homes = Some(homes("fe1.example.net", "fe2.example.net"));
    });
    site.open(1, "dect.example.net");
    assert!(site.one(1, &register("alice", "01", CLIENT_CONTACT, "")).starts_with("SIP/2.0 301 "));
    site.front_end.set_survivable(site.now, true);
    let answer = site.one(1, &register("alice", "02", CLIENT_CONTACT, ""));
    assert!(
        answer.starts_with("SIP/2.0 200 ") && answer.contains("is-connected-to-primary=\"no\""),
        "{answer}"
    );
}

#[test]
fn the_oldest_endpoint_of_too_many_is_told_that_it_is_out() {
    let mut site = Site::new(|config| config.maximum_endpoints = 2);
    for (flow, epid) in [(1, "01"), (2, "02"), (3, "03")] {
        site.open(flow, "dect.example.net");
        let contact = CLIENT_CONTACT.replace("1234", &format!("{flow}"));
        let sent = site.send(flow, &register("alice", epid, &contact, ""));
        if flow == 3 {
            let (to, notice) = &sent[0];
            assert!(*to == 1 && notice.starts_with("BENOTIFY ") && notice.contains("epid=01"), "{notice}");
            for line in [
                "Event: registration-notify",
                "subscription-state: terminated;expires=0",
                "ms-diagnostics-public: 4140;reason=",
                "Content-Type: text/registration-event",
                "Call-ID: reg-alice-01",
            ] {
                assert!(notice.to_lowercase().contains(&line.to_lowercase()), "{line}: {notice}");
            }
            assert!(notice.ends_with("deregistered;event=unregistered"), "{notice}");
        }
        site.pass(Duration::from_secs(1));
    }
    assert_eq!(site.front_end.registered(), 2);
    assert!(site.events.iter().any(|event| matches!(event, Event::Deregistered { reason: "removed", .. })));
}

#[test]
fn every_reason_for_the_end_of_a_registration_has_its_words_and_number() {
    let elsewhere = Deregistration::RegistrarChange(ServerAddress::new("fe2.example.net", 5061));
    for (why, body, error) in [
        (Deregistration::Unregistered, "deregistered;event=unregistered", "4140"),
        (Deregistration::Rejected, "deregistered;event=rejected", "4141"),
        (Deregistration::Deactivated, "deregistered;event=deactivated", "4142"),
        (Deregistration::ServicesAway, "deregistered;event=userservices-unavailable", "4165"),
        (elsewhere, "deregistered;event=preferred-registrar-change", "4166"),
    ] {
        let mut site = Site::new(|_| {});
        site.open(1, "dect.example.net");
        site.one(1, &register("alice", "01", CLIENT_CONTACT, ""));
        let alice = "sip:Alice@example.net".parse().expect("a URI");
        assert_eq!(site.front_end.deregister(site.now, &alice, &why), 1);
        let notice = site.sent().remove(0).1;
        assert!(
            notice.ends_with(body) && notice.contains(&format!("ms-diagnostics-public: {error};")),
            "{notice}"
        );
        let registrar = notice.contains("P-Preferred-Registrar: <sip:fe2.example.net:5061;transport=tls>");
        assert_eq!(registrar, error == "4166", "{notice}");
        assert_eq!(site.front_end.registered(), 0);
    }
}

#[test]
fn credentials_for_relays_are_handed_out_with_the_relays_of_the_asked_side() {
    let uri = "sip:fe1.example.net@example.net;gruu;opaque=srvr:MRAS:AAAA";
    let relay =
        |location, host: &str| MediaRelay { location, host: host.to_owned(), udp_port: 3478, tcp_port: 443 };
    let mut site = Site::new(|config| {
        config.relay_authentication = Some(RelayAuthentication {
            uri: uri.parse().expect("a URI"),
            relays: vec![
                relay(Location::Internet, "edge.example.net"),
                relay(Location::Intranet, "192.0.2.5"),
            ],
            credentials: Credentials::new(b"user", b"secret"),
            password: Password("secret".to_owned()),
            lifetime: Duration::from_hours(8),
        });
    });
    site.open(1, "dect.example.net");
    let body = "<request requestID=\"7\" from=\"sip:dect1@example.net\" version=\"1.0\" to=\"x\" \
                xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\"><credentialsRequest credentialsRequestID=\"7\">\
                <identity>sip:dect1@example.net</identity><location>intranet</location><duration>9999</duration>\
                </credentialsRequest></request>";
    let request = |body: &str, branch: &str| {
        invite("dect1", uri, branch).replace("INVITE", "SERVICE").replace(
            "Content-Length: 0\n\n",
            &format!(
                "Content-Type: application/msrtc-media-relay-auth+xml\nContent-Length: {}\n\n{body}",
                body.len()
            ),
        )
    };
    let answer = site.one(1, &request(body, ";branch=z9hG4bK1"));
    let (head, body) = answer.split_once("\r\n\r\n").expect("a body");
    assert!(
        head.starts_with("SIP/2.0 200 ") && head.contains("application/msrtc-media-relay-auth+xml"),
        "{head}"
    );
    let told = CredentialsResponse::parse(body.as_bytes()).expect("an answer that can be read");
    assert_eq!((told.request_id, told.reason.as_str(), told.minutes), (7, "OK", 480));
    assert_eq!(told.credentials, Some(Credentials::new(b"user", b"secret")));
    assert_eq!(told.relays.iter().map(|relay| relay.host.as_str()).collect::<Vec<_>>(), ["192.0.2.5"]);
    assert!(site.one(1, &request("<nonsense/>", ";branch=z9hG4bK2")).starts_with("SIP/2.0 400 "));
}

/// What the front end asks its shell to dial, come up.
fn dialled(site: &mut Site) -> u32 {
    let flow = site.events.iter().find_map(|event| match event {
        Event::Dial { flow: FlowId(flow), .. } => Some(*flow),
        _ => None,
    });
    let flow = flow.expect("the front end dials");
    site.open(flow, "");
    flow
}

const OFFER: &str = "v=0\r\no=- 0 0 IN IP4 192.0.2.30\r\ns=session\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n\
                     a=x-bypassid:4D8A1F5E-1111-4222-8333-444455556666\r\n";

#[test]
fn numbers_that_nobody_has_go_to_the_gateway_and_bypass_is_answered_as_such() {
    let mut site = Site::new(|config| {
        config.trunk = Some(Trunk { gateway: ServerAddress::new("gw.example.net", 5060), bypass: true });
        config.provisioning.bypass_id = Some("4d8a1f5e-1111-4222-8333-444455556666".to_owned());
    });
    site.open(1, "dect.example.net");
    let call = invite("alice", "sip:+15550001111@example.net;user=phone", ";branch=z9hG4bKp").replace(
        "Content-Length: 0\n\n",
        &format!("Content-Type: application/sdp\nContent-Length: {}\n\n", OFFER.len()),
    );
    let mut octets = call.replace('\n', "\r\n");
    octets.push_str(OFFER);
    site.front_end.handle_input(
        site.now,
        ipdect_sim::frontend::Input::Bytes { flow: FlowId(1), bytes: octets.as_bytes() },
    );
    site.sent();
    let gateway = dialled(&mut site);
    let sent = site.sent();
    let (to, out) = &sent[0];
    assert_eq!(*to, gateway);
    assert!(
        out.starts_with("INVITE sip:+15550001111@gw.example.net:5060;transport=tls;user=phone SIP/2.0\r\n"),
        "{out}"
    );
    assert!(out.contains("P-Asserted-Identity: "), "{out}");
    let answer = site.send(gateway, &response(out, "200 OK", "g1", "v=0"));
    assert!(
        answer[0].0 == 1
            && answer[0].1.contains("Content-Type: application/gw-sdp\r\n")
            && answer[0].1.contains("Supported: ms-bypass\r\n"),
        "{answer:?}"
    );
    // What the gateway refuses says who it was.
    let call = invite("alice", "sip:+15550002222@example.net;user=phone", ";branch=z9hG4bKq");
    let sent = site.send(1, &call);
    let (to, out) = sent.last().expect("it goes to the gateway");
    let refused = site.send(*to, &response(out, "503 Service \"Unavailable\"", "g2", ""));
    let answer = &refused.last().expect("an answer").1;
    assert!(
        answer.starts_with("SIP/2.0 503 ")
            && answer.contains(
                "ms-diagnostics: 10503;reason=\"Gateway responded with 503 Service 'Unavailable'\";source="
            ),
        "{refused:?}"
    );
    // A call from there, to somebody's line.
    site.one(1, &register("dect1", "01010101", SERVER_CONTACT, ""));
    let inbound = invite("dect1", "sip:unknown@example.net", ";branch=z9hG4bKin");
    let sent = site.send(gateway, &inbound);
    assert!(sent[0].1.starts_with("SIP/2.0 404 "), "{sent:?}");
}

#[test]
fn a_number_that_nobody_has_is_unknown_without_a_gateway() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    let answer = site.one(1, &invite("alice", "sip:+15550001111@example.net;user=phone", ";branch=z9hG4bKp"));
    assert!(answer.starts_with("SIP/2.0 404 ") && answer.contains("ms-diagnostics: 1003;"), "{answer}");
}

#[test]
fn early_media_of_every_fork_reaches_the_caller_each_in_its_own_dialog() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    for (flow, epid) in [(2, "02"), (3, "03")] {
        site.open(flow, "dect.example.net");
        site.one(flow, &register("bob", epid, &CLIENT_CONTACT.replace("1234", epid), ""));
    }
    let sent = site.send(1, &invite("alice", "sip:bob@example.net", ";branch=z9hG4bKf"));
    assert_eq!(sent.iter().map(|(flow, _)| *flow).collect::<Vec<_>>(), [1, 2, 3]);
    for (at, flow) in [(1, 2), (2, 3)] {
        let early = response(&sent[at].1, "183 Session Progress", &format!("fork{flow}"), "v=0");
        let forwarded = site.send(flow, &early);
        assert!(
            forwarded[0].0 == 1
                && forwarded[0].1.starts_with("SIP/2.0 183 ")
                && forwarded[0].1.contains(&format!("tag=fork{flow}"))
                && forwarded[0].1.ends_with("v=0"),
            "{forwarded:?}"
        );
    }
    let answered = site.send(3, &response(&sent[2].1, "200 OK", "fork3", "v=0"));
    assert!(answered[0].0 == 1 && answered[0].1.contains("tag=fork3"), "{answered:?}");
    let cancel = &answered[1];
    assert!(
        cancel.0 == 2
            && cancel.1.starts_with("CANCEL ")
            && cancel.1.contains("Reason: SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:bob@example.net\""),
        "{cancel:?}"
    );
}

#[test]
fn refer_and_replaces_pass_with_all_that_they_carry() {
    let mut site = Site::new(|_| {});
    site.open(1, "dect.example.net");
    site.open(2, "dect.example.net");
    let registered = site.one(2, &register("bob", "02", CLIENT_CONTACT, ""));
    let gruu = registered
        .split("gruu=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a GRUU")
        .to_owned();
    let sent = site.send(1, &invite("alice", "sip:bob@example.net", ";branch=z9hG4bKr"));
    let out = sent[1].1.clone();
    site.send(2, &response(&out, "200 OK", "b1", "v=0"));
    let route = out.lines().find_map(|line| line.strip_prefix("Record-Route: ")).expect("a recorded route");
    let route = &route[..=route.find('>').expect("closed")];
    let refer = format!(
        "REFER sip:bob@192.0.2.30:40000;transport=tls SIP/2.0\nVia: SIP/2.0/tls 192.0.2.30:40000\nMax-Forwards: 70\n\
         Route: {route}\nFrom: <sip:alice@example.net>;tag=77;epid=0101010101\nTo: <sip:bob@example.net>;epid=02;tag=b1\n\
         Call-ID: call-1\nCSeq: 2 REFER\nContact: <sip:alice@example.net;opaque=user:epid:AAAA;gruu>\n\
         Refer-To: <sip:carol@example.net;opaque=user:epid:BBBB;gruu?Replaces=x%3Bto-tag%3Dy%3Bfrom-tag%3Dz>\n\
         Referred-By: <sip:alice@example.net>;ms-referee-uri=\"sip:bob@example.net\"\nContent-Length: 0\n\n"
    );
    let passed = site.send(1, &refer);
    let (to, text) = &passed[0];
    assert!(
        *to == 2 && text.starts_with("REFER sip:bob@192.0.2.30:40000;transport=tls SIP/2.0\r\n"),
        "{text}"
    );
    for line in [
        "Refer-To: <sip:carol@example.net;opaque=user:epid:BBBB;gruu?Replaces=x%3Bto-tag%3Dy%3Bfrom-tag%3Dz>\r\n",
        "Referred-By: <sip:alice@example.net>;ms-referee-uri=\"sip:bob@example.net\"\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let replacing = invite("alice", &gruu, ";branch=z9hG4bKrep")
        .replace("call-1", "call-2")
        .replace("Contact", "Replaces: call-1;to-tag=b1;from-tag=77\nRequire: replaces\nContact");
    let sent = site.send(1, &replacing);
    assert!(
        sent[1].0 == 2
            && sent[1].1.contains("Replaces: call-1;to-tag=b1;from-tag=77\r\nRequire: replaces\r\n"),
        "{sent:?}"
    );
}
