//! The simulated front end against SIPE, a Lync client of another hand: what SIPE believes is a front end to it.

#[path = "support/capture.rs"]
mod capture;
#[path = "support/network.rs"]
mod network;
#[path = "support/sipe.rs"]
mod sipe;

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, SystemTime};

use capture::Capture;
use ipdect_sim::frontend::{
    CallEncryption, Event, Fault, FrontEndConfig, FrontEndUser, Password, RelayAuthentication,
};
use ipdect_sim::net::{Edge, EdgeOptions, FrontEndOptions, FrontEndServer, Security, TlsDskOptions};
use presence_pidf::notifier::NewUsers;
use sip_lync::SipUri;
use sip_lync::turn::Credentials;
use sip_lync::turn::mras::{Location, MediaRelay};
use sip_lync::turn::server::Event as Relay;
use sipe::{Login, Sipe, share_of_tone};
use tokio::runtime::Runtime;

/// A front end on loopback, and its events from the beginning.
struct Lab {
    runtime: Runtime,
    address: SocketAddr,
    server: FrontEndServer,
}

impl Lab {
    fn start(encryption: CallEncryption) -> Self {
        Self::with(encryption, |_| ())
    }

    fn with(encryption: CallEncryption, change: impl FnOnce(&mut FrontEndOptions)) -> Self {
        let mut config = FrontEndConfig::new("fe1.lab.test", "lab.test");
        config.wall_clock = SystemTime::now();
        config.provisioning.encryption = encryption;
        // Nobody may see them until their clients let others in, as SIPE does at the first log-on.
        config.new_users = NewUsers::NeverLoggedOn;
        for name in ["alice", "bob"] {
            let mut user = FrontEndUser::new(SipUri::parse(&format!("sip:{name}@lab.test")).expect("a URI"));
            (user.domain, user.account) = ("LAB".to_owned(), name.to_owned());
            user.password = Password("Passw0rd".to_owned());
            config.users.push(user);
        }
        let runtime = Runtime::new().expect("threads");
        let mut options = FrontEndOptions::new(config, SocketAddr::from(([127, 0, 0, 1], 0)), Security::Tcp);
        change(&mut options);
        let server = runtime.block_on(FrontEndServer::start(options)).expect("a free port");
        Self { runtime, address: server.local, server }
    }

    fn client(&self, name: &str, password: &str, encryption: &str) -> Sipe {
        self.client_by("ntlm", name, password, encryption)
    }

    fn client_by(&self, scheme: &str, name: &str, password: &str, encryption: &str) -> Sipe {
        let login = Login {
            user: &format!("{name}@lab.test"),
            account: &format!("LAB\\{name}"),
            password,
            server: self.address,
            transport: "tcp",
            encryption,
        };
        Sipe::start_by(scheme, &login)
    }

    /// All that the front end reported.
    fn events(mut self) -> Vec<Event> {
        let mut all = Vec::new();
        self.runtime.block_on(async {
            while let Ok(Some(event)) =
                tokio::time::timeout(Duration::from_millis(200), self.server.events.recv()).await
            {
                all.push(event);
            }
        });
        all
    }
}

/// Confirms: logs in with NTLM version 4, signs, and believes every signature of ours — SIPE 1.25
/// Confirms: two clients see each other's presence change — SIPE 1.25
/// Confirms: an instant message arrives — SIPE 1.25
/// Confirms: two clients call each other with SRTP required and hear each other — SIPE 1.25
/// Confirms: in all of that no packet is malformed, and SIP, SDP, STUN and RTP are understood — tshark 4.4
#[test]
fn sipe_logs_in_watches_writes_and_calls() {
    capture::prepare();
    if !network::of_its_own("sipe_logs_in_watches_writes_and_calls") {
        return;
    }
    let capture = Capture::start("sipe");
    let lab = Lab::start(CallEncryption::Require);
    let mut alice = lab.client("alice", "Passw0rd", "required");
    let mut bob = lab.client("bob", "Passw0rd", "required");
    for client in [&mut alice, &mut bob] {
        client.waits_for(&["SIGNED-ON"]);
    }
    // Each sees the other come.
    alice.waits_for(&["BUDDY-ON", "bob@lab.test"]);
    bob.waits_for(&["BUDDY-ON", "alice@lab.test"]);
    alice.tell("im sip:bob@lab.test Hello");
    bob.waits_for(&["IM", "alice@lab.test", "Hello"]);
    alice.tell("status busy");
    bob.waits_for(&["BUDDY-STATUS", "alice@lab.test", "-> busy"]);
    alice.tell("status available");
    bob.waits_for(&["BUDDY-STATUS", "alice@lab.test", "-> available"]);

    alice.tell("call sip:bob@lab.test");
    // Both are in a call, and both see that of the other.
    alice.waits_for(&["BUDDY-STATUS", "bob@lab.test", "-> busy"]);
    bob.waits_for(&["BUDDY-STATUS", "alice@lab.test", "-> busy"]);
    alice.hears(2);
    bob.hears(2);
    alice.forgets();
    bob.forgets();
    bob.tell("hangup");
    alice.waits_for(&["BUDDY-STATUS", "bob@lab.test", "-> available"]);
    for (client, who) in [(alice, "alice"), (bob, "bob")] {
        let heard = client.quits();
        let share = share_of_tone(&heard, 440.0);
        assert!(share > 0.9, "{who} heard {} samples, {share:.2} tone", heard.len());
    }
    let events = lab.events();
    let read = capture.understood(&[]);
    for protocol in ["sip", "sdp", "stun", "rtp"] {
        assert!(read.of(protocol) > 4, "{protocol}: {:?}", read.frames);
    }
    for word in
        ["REGISTER", "SUBSCRIBE", "BENOTIFY", "SERVICE", "INVITE", "MESSAGE", "BYE", "401", "180", "200"]
    {
        assert!(read.sip.contains_key(word), "{word}: {:?}", read.sip);
    }
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::LoggedIn { version: 4, .. })), 2);
    assert_eq!(count(|event| matches!(event, Event::Answered { .. })), 2, "a conversation and a call");
    assert_eq!(count(|event| matches!(event, Event::Unsigned { .. } | Event::Malformed { .. })), 0);
}

/// Confirms: a wrong password is turned away — SIPE 1.25
#[test]
fn sipe_with_a_wrong_password_is_turned_away() {
    if !network::of_its_own("sipe_with_a_wrong_password_is_turned_away") {
        return;
    }
    let lab = Lab::start(CallEncryption::Support);
    let mut alice = lab.client("alice", "password", "optional");
    alice.waits_for(&["CONN-ERROR", "Authentication failed"]);
    drop(alice);
    let events = lab.events();
    assert!(events.iter().any(|event| matches!(event, Event::LoginFailed { .. })), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Registered { .. })), "{events:?}");
}

/// Where the A/V Edge of a test listens, and its relayed ports: no client takes one of those for itself.
const EDGE: &str = "192.0.2.10:3478";
const RELAYED: std::ops::RangeInclusive<u16> = 20_000..=20_099;

/// An edge that takes `edge-user` with `edge-password`, and a front end that hands these out.
fn edge(runtime: &Runtime, options: &mut FrontEndOptions) -> Edge {
    let address: SocketAddr = EDGE.parse().expect("an address");
    let credentials = Credentials::new(b"edge-user", b"edge-password");
    let mut wanted = EdgeOptions::new(address, SocketAddr::new(address.ip(), 443));
    wanted.config.ports = RELAYED;
    wanted.users.push(credentials.clone());
    let edge = runtime.block_on(Edge::start(wanted)).expect("free ports");
    let service = "sip:fe1.lab.test@lab.test;gruu;opaque=srvr:MRAS:lab";
    let relay = |location| MediaRelay {
        location,
        host: edge.udp.ip().to_string(),
        udp_port: edge.udp.port(),
        tcp_port: edge.tcp.port(),
    };
    options.config.relay_authentication = Some(RelayAuthentication {
        uri: SipUri::parse(service).expect("a URI"),
        relays: vec![relay(Location::Intranet), relay(Location::Internet)],
        credentials,
        password: Password("edge-password".to_owned()),
        lifetime: Duration::from_hours(8),
    });
    options.config.provisioning.mras_uri = Some(service.to_owned());
    edge
}

/// Lets packets pass to the edge, from it, and between its relayed ports; others stay where they are.
fn only_over_the_edge() {
    let relayed = format!("{}:{}", RELAYED.start(), RELAYED.end());
    for rule in [
        "-d 127.0.0.0/8 -j ACCEPT".to_owned(),
        "-p udp --dport 3478 -j ACCEPT".to_owned(),
        "-p udp --sport 3478 -j ACCEPT".to_owned(),
        format!("-p udp --sport {relayed} --dport {relayed} -j ACCEPT"),
        "-p tcp --dport 443 -j ACCEPT".to_owned(),
        "-p tcp --sport 443 -j ACCEPT".to_owned(),
        "-j DROP".to_owned(),
    ] {
        let status = Command::new("iptables").args(["-A", "OUTPUT"]).args(rule.split(' ')).status();
        assert!(status.expect("iptables (Debian package of that name)").success(), "{rule}");
    }
}

/// Confirms: asks for credentials of the relay that the settings name, and allocates with them at our A/V Edge — SIPE 1.25
/// Confirms: two clients that cannot reach each other speak over our A/V Edge, with SRTP, and hear each other — SIPE 1.25
#[test]
fn two_of_sipe_speak_over_our_relay() {
    if !network::of_its_own("two_of_sipe_speak_over_our_relay") {
        return;
    }
    let runtime = Runtime::new().expect("threads");
    let mut started = None;
    let lab = Lab::with(CallEncryption::Require, |options| started = Some(edge(&runtime, options)));
    let mut edge = started.expect("it was started");
    only_over_the_edge();
    let mut alice = lab.client("alice", "Passw0rd", "required");
    let mut bob = lab.client("bob", "Passw0rd", "required");
    for client in [&mut alice, &mut bob] {
        client.waits_for(&["SIGNED-ON"]);
    }
    alice.waits_for(&["BUDDY-ON", "bob@lab.test"]);
    bob.waits_for(&["BUDDY-ON", "alice@lab.test"]);
    alice.tell("call sip:bob@lab.test");
    alice.hears(2);
    bob.hears(2);
    bob.tell("hangup");
    alice.waits_for(&["BUDDY-STATUS", "bob@lab.test", "-> available"]);
    for (client, who) in [(alice, "alice"), (bob, "bob")] {
        let heard = client.quits();
        let share = share_of_tone(&heard, 440.0);
        assert!(share > 0.9, "{who} heard {} samples, {share:.2} tone", heard.len());
    }
    let events: Vec<_> = std::iter::from_fn(|| edge.events.try_recv().ok()).collect();
    let allocated = events.iter().filter(|event| matches!(event, Relay::Allocated { .. })).count();
    assert!(allocated >= 2, "{events:?}");
}

/// TLS-DSK beside NTLM, certificates over HTTPS on loopback.
fn offers_tls_dsk(options: &mut FrontEndOptions) {
    let mut wanted = TlsDskOptions::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    wanted.host = Some("127.0.0.1".to_owned());
    options.tls_dsk = Some(wanted);
}

/// Confirms: gets a web ticket with NTLM over HTTPS, a certificate for it, and logs in with TLS-DSK — SIPE 1.25
/// Confirms: with the keys of that handshake it signs, and believes every signature of ours — SIPE 1.25
/// Confirms: logged in with TLS-DSK it is seen and sends an instant message to one logged in with NTLM — SIPE 1.25
#[test]
fn sipe_logs_in_with_a_certificate() {
    if !network::of_its_own("sipe_logs_in_with_a_certificate") {
        return;
    }
    let lab = Lab::with(CallEncryption::Support, offers_tls_dsk);
    let mut bob = lab.client("bob", "Passw0rd", "optional");
    bob.waits_for(&["SIGNED-ON"]);
    let mut alice = lab.client_by("tls-dsk", "alice", "Passw0rd", "optional");
    alice.waits_for(&["SIGNED-ON"]);
    bob.waits_for(&["BUDDY-ON", "alice@lab.test"]);
    alice.waits_for(&["BUDDY-ON", "bob@lab.test"]);
    alice.tell("status busy");
    bob.waits_for(&["BUDDY-STATUS", "alice@lab.test", "-> busy"]);
    alice.tell("im sip:bob@lab.test Hello");
    bob.waits_for(&["IM", "alice@lab.test", "Hello"]);
    bob.tell("im sip:alice@lab.test Welcome");
    alice.waits_for(&["IM", "bob@lab.test", "Welcome"]);
    let log = alice.log();
    for word in [
        "get_and_publish_cert: found certificate",
        "sip_sec_init_sec_context__tls_dsk: handshake completed",
        "Authorization: TLS-DSK qop=\"auth\", opaque=",
        "Authentication-Info: TLS-DSK",
    ] {
        assert!(log.contains(word), "{word}");
    }
    assert!(!log.contains("Authentication-Info: NTLM"));
    alice.quits();
    bob.quits();
    let events = lab.events();
    let by = |wanted: &str| {
        let wanted =
            |event: &&Event| matches!(event, Event::LoggedIn { scheme, version: 4, .. } if *scheme == wanted);
        events.iter().filter(wanted).count()
    };
    assert_eq!((by("TLS-DSK"), by("NTLM")), (1, 1), "{events:?}");
    let bad = |event: &Event| {
        matches!(event, Event::Unsigned { .. } | Event::Malformed { .. } | Event::LoginFailed { .. })
    };
    assert!(!events.iter().any(bad), "{events:?}");
}

/// Confirms: with a certificate of an authority that the front end does not believe it is turned away — SIPE 1.25
#[test]
fn sipe_with_a_foreign_certificate_is_turned_away() {
    if !network::of_its_own("sipe_with_a_foreign_certificate_is_turned_away") {
        return;
    }
    let lab = Lab::with(CallEncryption::Support, |options| {
        offers_tls_dsk(options);
        options.config.faults.push(Fault::ForeignCertificate);
    });
    let mut alice = lab.client_by("tls-dsk", "alice", "Passw0rd", "optional");
    alice.waits_for(&["CONN-ERROR"]);
    drop(alice);
    let events = lab.events();
    let refused = |event: &Event| matches!(event, Event::LoginFailed { why, .. } if why.starts_with("the certificate: "));
    assert!(events.iter().any(refused), "{events:?}");
    assert!(!events.iter().any(|event| matches!(event, Event::Registered { .. })), "{events:?}");
}

/// Confirms: with a wrong password it gets no web ticket and no certificate — SIPE 1.25
#[test]
fn sipe_with_a_wrong_password_gets_no_certificate() {
    if !network::of_its_own("sipe_with_a_wrong_password_gets_no_certificate") {
        return;
    }
    let lab = Lab::with(CallEncryption::Support, offers_tls_dsk);
    let mut alice = lab.client_by("tls-dsk", "alice", "password", "optional");
    alice.waits_for(&["CONN-ERROR", "Web ticket request"]);
    assert!(!alice.log().contains("found certificate"));
}
