//! The user agent against kamailio over TLS: registrations with and without certificates, GRUUs, challenges, presence and
//! waiting messages; and `lync-register` with it.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../../examples/examples/lync-register.rs"]
mod lync_register;
#[path = "support/network.rs"]
mod network;
#[path = "support/telephone.rs"]
mod telephone;
#[path = "support/telephony.rs"]
mod telephony;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use examples::connection::Security;
use lync_register::Options;
use serde_json::Value;
use sip_lync::{
    Config, Event, HeaderName, Method, Mode, OutgoingRequest, RegistrationFailure, Retry, SipUri, StatusCode,
    Subscription, Transport, UserId,
};
use telephone::{FLOW, Telephone, configuration};
use telephony::{Folder, Kamailio};

/// Kamailio wants RFC 5627 to be asked for.
fn config() -> Config {
    let mut config = configuration(Transport::Tls);
    config.public_gruu = true;
    config
}

fn dial(kamailio: &Kamailio, config: Config) -> Telephone {
    let ca = kamailio.folder.file("ca.pem");
    let security = Security { ca: Some(&ca), identity: None, name: None };
    Telephone::dial(Kamailio::TLS, Some(&security), config).expect("kamailio listens")
}

fn dial_mutual(folder: &Folder, identity: Option<&str>, config: Config) -> Result<Telephone, String> {
    let (ca, name) = (folder.file("ca.pem"), identity.unwrap_or_default());
    let (certificate, key) = (folder.file(&format!("{name}.pem")), folder.file(&format!("{name}.key")));
    let identity = identity.map(|_| (&*certificate, &*key));
    Telephone::dial(Kamailio::MUTUAL_TLS, Some(&Security { ca: Some(&ca), identity, name: None }), config)
}

/// Registers a user and returns its GRUU.
fn registered(telephone: &mut Telephone, name: &str) -> (UserId, SipUri) {
    let wanted = telephone.user(name);
    telephone.endpoint.register(telephone.now(), wanted, FLOW, None).expect("a flow");
    let gruu = telephone.wait("the registration", |event| match event {
        Event::Registered { user, gruu, .. } if *user == wanted => Some(gruu.clone().expect("a GRUU")),
        _ => None,
    });
    (wanted, gruu)
}

/// Confirms: registration over TLS and mutual TLS, a GRUU leads to its endpoint — kamailio 5.6
#[test]
fn a_gruu_of_kamailio_leads_to_its_endpoint_over_tls_and_mutual_tls() {
    if !network::of_its_own("a_gruu_of_kamailio_leads_to_its_endpoint_over_tls_and_mutual_tls") {
        return;
    }
    let kamailio = Kamailio::start();
    let mut ann = dial(&kamailio, config());
    let (caller, _) = registered(&mut ann, "ann");
    // A trusted server with its certificate; nobody is challenged.
    let mut trusted = config();
    trusted.mode = Mode::TrustedServer;
    trusted.node_name = "127.0.0.1".to_owned();
    let folder = &kamailio.folder;
    let mut server = dial_mutual(folder, Some("client"), trusted.clone()).expect("it is trusted");
    let (jim, gruu) = registered(&mut server, "jim");
    let (tim, other) = registered(&mut server, "tim");
    assert!(gruu.as_str().starts_with("sip:jim@lab.test;gr=urn:uuid:"), "{gruu}");
    assert_ne!(gruu, other);

    for (called, gruu) in [(jim, gruu), (tim, other)] {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let call = ann.call_answered(caller, gruu.as_str());
                // Both are heard within the dialog: its target is the GRUU.
                ann.hang_up(call);
            });
            let session = server.answers(called);
            server.ended(session);
            server.turn(Duration::from_millis(1));
        });
    }
    // An endpoint that is gone is reached no more.
    server.endpoint.deregister(server.now(), jim);
    server.wait("the end of the registration", |event| {
        matches!(event, Event::Deregistered { user } if *user == jim).then_some(())
    });
    let call = ann.call(caller, "sip:jim@lab.test");
    let status = ann.wait("the failure", |event| match event {
        Event::Failed { session, failure } if *session == call => failure.status,
        _ => None,
    });
    assert_eq!(status.code(), 404);

    for identity in [None, Some("stranger")] {
        // With TLS 1.3 the handshake is over for us before the server has seen the certificate.
        let refused = match dial_mutual(folder, identity, trusted.clone()) {
            Err(_) => true,
            Ok(mut telephone) => {
                let user = telephone.user("eve");
                telephone.endpoint.register(telephone.now(), user, FLOW, None).expect("a flow");
                telephone.until_closed();
                let lost = |event: &Event| {
                    let lost = RegistrationFailure::FlowLost;
                    matches!(event, Event::RegistrationFailed { failure, .. } if *failure == lost)
                };
                telephone.told.iter().any(lost)
            }
        };
        assert!(refused, "{identity:?}");
    }
}

/// Confirms: a challenge is told, in trusted mode as an error of configuration — kamailio 5.6
#[test]
fn a_challenge_is_told_and_in_trusted_mode_it_is_an_error_of_configuration() {
    if !network::of_its_own("a_challenge_is_told_and_in_trusted_mode_it_is_an_error_of_configuration") {
        return;
    }
    let kamailio = Kamailio::start();
    let mut trusted = config();
    trusted.mode = Mode::TrustedServer;
    trusted.node_name = "127.0.0.1".to_owned();
    let mut with_credentials = config();
    with_credentials.credentials = true;
    let cases = [
        (trusted, Some(RegistrationFailure::NotTrusted)),
        (config(), Some(RegistrationFailure::Challenged)),
        (with_credentials, None),
    ];
    for (config, wanted) in cases {
        let mut telephone = dial(&kamailio, config);
        let user = telephone.user("locked");
        telephone.endpoint.register(telephone.now(), user, FLOW, None).expect("a flow");
        let Some(wanted) = wanted else {
            // Whoever has credentials is asked for them; none is for this scheme.
            let challenges = telephone.wait("a challenge", |event| match event {
                Event::Challenged { challenges, .. } => Some(challenges.clone()),
                _ => None,
            });
            assert!(challenges.iter().any(|challenge| challenge.is("Digest")), "{challenges:?}");
            assert_eq!(challenges[0].realm().as_deref(), Some("lab.test"));
            telephone.endpoint.refuse_challenge(telephone.now(), user);
            telephone
                .wait("the failure", |event| matches!(event, Event::RegistrationFailed { .. }).then_some(()));
            continue;
        };
        telephone.wait("the failure", |event| match event {
            Event::RegistrationFailed { failure, status, retry, .. } => {
                assert_eq!((*failure, status.map(StatusCode::code)), (wanted, Some(401)));
                assert_eq!(*retry, Retry::Never);
                Some(())
            }
            _ => None,
        });
    }
}

/// Confirms: subscriptions to presence and waiting messages — kamailio 5.6
#[test]
fn presence_and_waiting_messages_come_as_notifications() {
    if !network::of_its_own("presence_and_waiting_messages_come_as_notifications") {
        return;
    }
    let kamailio = Kamailio::start();
    // Kamailio's notifier looks for the host of the Contact: an address, no GRUU.
    let mut config = configuration(Transport::Tls);
    config.gruu = false;
    let mut telephone = dial(&kamailio, config);
    let jim = telephone.registered("jim");
    let document = "<?xml version=\"1.0\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
         entity=\"sip:ann@lab.test\"><tuple id=\"a\"><status><basic>open</basic></status></tuple></presence>\n";
    let summary =
        "Messages-Waiting: yes\r\nMessage-Account: sip:jim@lab.test\r\nVoice-Message: 3/1 (0/0)\r\n";
    for (package, of, kind, body, wanted) in [
        ("presence", "sip:ann@lab.test", "application/pidf+xml", document, "<basic>open</basic>"),
        (
            "message-summary",
            "sip:jim@lab.test",
            "application/simple-message-summary",
            summary,
            "Voice-Message: 3/1",
        ),
    ] {
        let mut subscription = Subscription::new(package, of.parse().expect("an address"), kind);
        subscription.dialect = false;
        subscription.expires = Some(Duration::from_mins(10));
        let id = telephone.endpoint.subscribe(telephone.now(), jim, subscription).expect("a flow");
        telephone.wait("the subscription", |event| match event {
            Event::Subscribed { subscription, expires, .. } if *subscription == id => {
                assert!(expires.as_secs() > 500, "{expires:?}");
                Some(())
            }
            Event::SubscriptionEnded { reason, .. } => panic!("{reason:?}"),
            _ => None,
        });
        let mut publish = OutgoingRequest::new(Method::Publish, of.parse().expect("an address"));
        publish.headers.push(HeaderName::Event, package);
        publish.headers.push(HeaderName::Expires, 600);
        publish.headers.push(HeaderName::ContentType, kind);
        publish.body = body.into();
        telephone.endpoint.request(telephone.now(), jim, publish).expect("a flow");
        telephone.wait("a notification", |event| match event {
            Event::SubscriptionNotified { subscription, content_type, body, .. } => {
                let text = String::from_utf8_lossy(body);
                let told = *subscription == id && text.contains(wanted);
                told.then(|| assert_eq!(content_type.as_deref().map(str::trim), Some(kind)))
            }
            _ => None,
        });
        // Every NOTIFY was answered.
        telephone.until("the answers", |telephone| {
            telephone.traced("< NOTIFY", "") == telephone.traced("> SIP/2.0 200", "NOTIFY")
        });
        telephone.endpoint.unsubscribe(telephone.now(), id);
        telephone.wait("the end", |event| match event {
            Event::SubscriptionEnded { subscription, .. } if *subscription == id => Some(()),
            _ => None,
        });
    }
    telephone.nothing_is_left();
}

fn lines(arguments: &[&str]) -> (bool, Vec<Value>) {
    let options =
        Options::parse_from(["lync-register", "--seconds", "0.1", "--public-gruu"].iter().chain(arguments));
    let mut out = Vec::new();
    let reached = lync_register::run(&options, &mut out).expect("kamailio runs");
    let lines = String::from_utf8(out).expect("text");
    (reached, lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().expect("an event")).collect()
}

/// Confirms: the example `lync-register` registers and calls — kamailio 5.6
#[test]
fn lync_register_registers_and_calls_through_kamailio() {
    if !network::of_its_own("lync_register_registers_and_calls_through_kamailio") {
        return;
    }
    let kamailio = Kamailio::start();
    let place = |name: &str| kamailio.folder.file(name).display().to_string();
    let (ca, certificate, key) = (place("ca.pem"), place("client.pem"), place("client.key"));
    let mut bob = dial(&kamailio, config());
    let user = bob.registered("bob");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                bob.turn(Duration::from_millis(20));
                let call = bob.told.iter().position(|event| matches!(event, Event::Incoming { .. }));
                if call.is_some() {
                    let call = bob.answers(user);
                    bob.ended(call);
                }
            }
        });
        let common = ["--user", "sip:jim@lab.test", "--ca", &ca, "--call", "sip:bob@lab.test", "--clear"];
        let tls = lines(&[&["--server", Kamailio::TLS][..], &common].concat());
        let mutual = ["--server", Kamailio::MUTUAL_TLS, "--cert", &certificate, "--key", &key];
        let mutual = lines(&[&mutual[..], &common].concat());
        let locked = lines(&["--server", Kamailio::TLS, "--user", "sip:locked@lab.test", "--ca", &ca]);
        over.store(true, Ordering::Relaxed);
        for (reached, lines) in [tls, mutual] {
            assert!(reached, "{lines:?}");
            assert_eq!(
                events(&lines),
                ["connected", "registered", "call", "progress", "answered", "released", "deregistered"]
            );
            let gruu = lines[1]["gruu"].as_str().expect("a GRUU");
            assert!(gruu.starts_with("sip:jim@lab.test;gr=urn:uuid:"), "{gruu}");
        }
        let (reached, lines) = locked;
        assert!(!reached);
        assert_eq!(
            (events(&lines).as_slice(), &lines[1]["status"]),
            (&["connected", "failed"][..], &401.into())
        );
        assert_eq!(lines[1]["reason"], "the server asks for credentials");
    });
}
