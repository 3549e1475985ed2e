//! The shells over real sockets on loopback: TLS with names, calls with speech, faults.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use ipdect_sim::frontend::{self, FrontEndConfig, FrontEndUser};
use ipdect_sim::json::UserCommand;
use ipdect_sim::net::tls::{Identity, certificates, names};
use ipdect_sim::net::{
    FrontEndCommand, FrontEndOptions, FrontEndServer, LyncUserClient, LyncUserOptions, LyncUserReport,
    Security, read_wav, write_wav,
};
use ipdect_sim::user::{Event, UserConfig};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use sip_lync::SipUri;
use telephony_audio::correlation::audio_match;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// An authority and certificates of it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "laboratory authority");
        let key = KeyPair::generate().expect("a key");
        Self { issuer: CertifiedIssuer::self_signed(params, key).expect("an authority") }
    }

    fn certificate(&self) -> rustls_pki_types::CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// A certificate with the purposes that front ends have: serverAuth alone.
    fn issue(&self, common_name: &str, alternative: &[&str], purpose: ExtendedKeyUsagePurpose) -> Identity {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages.push(purpose);
        for name in alternative {
            params.subject_alt_names.push(SanType::DnsName((*name).try_into().expect("a name")));
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity {
            chain: vec![certificate.der().clone()],
            key: rustls_pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }

    fn security(&self, identity: Option<Identity>, name: Option<&str>) -> Security {
        Security::Tls { identity, authorities: vec![self.certificate()], name: name.map(str::to_owned) }
    }
}

fn front_end_config() -> FrontEndConfig {
    let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
    for name in ["alice", "bob"] {
        config
            .users
            .push(FrontEndUser::new(SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI")));
    }
    config.trusted.push("clients.example.net".to_owned());
    config
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn front_end(authority: &Authority) -> FrontEndServer {
    let identity =
        authority.issue("fe1.example.net", &["fe1.example.net"], ExtendedKeyUsagePurpose::ServerAuth);
    let options =
        FrontEndOptions::new(front_end_config(), loopback(), authority.security(Some(identity), None));
    FrontEndServer::start(options).await.expect("a free port")
}

async fn user(name: &str, server: SocketAddr, security: Security) -> LyncUserClient {
    let mut config = UserConfig::new(SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI"));
    config.tls = matches!(security, Security::Tls { .. });
    let options = LyncUserOptions::new(config, &server.ip().to_string(), server.port(), security);
    LyncUserClient::start(options).await.expect("the front end accepts connections")
}

async fn next(user: &mut LyncUserClient) -> LyncUserReport {
    timeout(PATIENCE, user.reports.recv()).await.expect("in time").expect("the user runs")
}

/// Waits for an event; what comes before it is looked away from.
async fn wait(user: &mut LyncUserClient, wanted: impl Fn(&LyncUserReport) -> bool) -> LyncUserReport {
    loop {
        let report = next(user).await;
        if wanted(&report) {
            return report;
        }
    }
}

fn is_registered(report: &LyncUserReport) -> bool {
    matches!(report, LyncUserReport::Event(Event::Registered { .. }))
}

/// A chirp whose pitch rises or falls: two of them are not alike.
fn chirp(rising: bool) -> Vec<i16> {
    let mut phase = 0.0_f64;
    (0..16000)
        .map(|n| {
            let t = f64::from(n) / 16000.0;
            let pitch = if rising { 300.0 + 900.0 * t } else { 1500.0 - 900.0 * t };
            phase += core::f64::consts::TAU * pitch / 8000.0;
            (9000.0 * phase.sin()) as i16
        })
        .collect()
}

#[tokio::test]
async fn two_users_talk_over_tls_and_srtp() {
    let authority = Authority::new();
    let mut server = front_end(&authority).await;
    // The purpose of the clients' certificate is serverAuth, as that of a trusted server usually is.
    let client = authority.issue("other name", &["clients.example.net"], ExtendedKeyUsagePurpose::ServerAuth);
    let security = authority.security(Some(client), Some("fe1.example.net"));
    let mut alice = user("alice", server.local, security.clone()).await;
    let mut bob = user("bob", server.local, security).await;
    wait(&mut alice, is_registered).await;
    wait(&mut bob, is_registered).await;
    alice.command(UserCommand::Call("sip:bob@example.net".to_owned())).await;
    wait(&mut bob, |report| matches!(report, LyncUserReport::Event(Event::Incoming { .. }))).await;
    bob.command(UserCommand::Answer).await;
    let connected =
        |report: &LyncUserReport| matches!(report, LyncUserReport::Event(Event::Connected { .. }));
    let media = wait(&mut alice, |report| matches!(report, LyncUserReport::Event(Event::Media { .. }))).await;
    assert!(
        matches!(&media, LyncUserReport::Event(Event::Media { srtp: true, mki: Some(1), suite: Some(suite), .. }) if suite == "AES_CM_128_HMAC_SHA1_80"),
        "{media:?}"
    );
    wait(&mut alice, connected).await;
    wait(&mut bob, connected).await;
    let (one, two) = (chirp(true), chirp(false));
    alice.play(one.clone()).await;
    bob.play(two.clone()).await;
    let spoken = |report: &LyncUserReport| matches!(report, LyncUserReport::Spoken { .. });
    wait(&mut alice, spoken).await;
    wait(&mut bob, spoken).await;
    alice.command(UserCommand::HangUp).await;
    let talked = |report: &LyncUserReport| matches!(report, LyncUserReport::Talked { .. });
    let LyncUserReport::Talked { report: heard_by_alice, .. } = wait(&mut alice, talked).await else {
        panic!()
    };
    let LyncUserReport::Talked { report: heard_by_bob, .. } = wait(&mut bob, talked).await else { panic!() };
    assert!(audio_match(&one, &heard_by_bob.recorded) > 0.9);
    assert!(audio_match(&two, &heard_by_alice.recorded) > 0.9);
    assert!(audio_match(&one, &heard_by_alice.recorded) < 0.5);
    assert_eq!(heard_by_bob.counters.packets_unauthentic, 0);
    assert!(heard_by_bob.counters.packets_received > 80, "of about 100: {:?}", heard_by_bob.counters);
    alice.stop().await;
    let gone = wait(&mut alice, |report| matches!(report, LyncUserReport::Disconnected(_))).await;
    assert_eq!(gone, LyncUserReport::Disconnected("stopped".to_owned()));
    let mut names = Vec::new();
    while let Ok(event) = server.events.try_recv() {
        names.push(
            serde_json::to_value(&event).expect("JSON")["event"].as_str().unwrap_or_default().to_owned(),
        );
    }
    for wanted in ["connected", "registered", "call", "answered", "ended", "deregistered"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} in {names:?}");
    }
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_in_the_handshake() {
    let authority = Authority::new();
    let server = front_end(&authority).await;
    let stranger = Authority::new();
    let identity = stranger.issue("clients.example.net", &[], ExtendedKeyUsagePurpose::ClientAuth);
    let security = authority.security(Some(identity), Some("fe1.example.net"));
    let config = UserConfig::new(SipUri::parse("sip:alice@example.net").expect("a URI"));
    let options = LyncUserOptions::new(config, "127.0.0.1", server.local.port(), security);
    // In TLS 1.3 the client's own handshake succeeds and the refusal comes with the first read.
    if let Ok(mut alice) = LyncUserClient::start(options).await {
        let report = next(&mut alice).await;
        let report = if matches!(report, LyncUserReport::Event(_)) { next(&mut alice).await } else { report };
        assert!(matches!(report, LyncUserReport::Disconnected(_)), "{report:?}");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_connected_and_challenged() {
    let authority = Authority::new();
    let server = front_end(&authority).await;
    let mut alice = user("alice", server.local, authority.security(None, Some("fe1.example.net"))).await;
    let report = next(&mut alice).await;
    assert!(
        matches!(report, LyncUserReport::Event(Event::RegistrationFailed { status: Some(401), .. })),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_common_name_counts_where_there_is_no_alternative_name() {
    let authority = Authority::new();
    let server = front_end(&authority).await;
    let identity = authority.issue("clients.example.net", &[], ExtendedKeyUsagePurpose::ClientAuth);
    let mut alice =
        user("alice", server.local, authority.security(Some(identity), Some("fe1.example.net"))).await;
    wait(&mut alice, is_registered).await;
    let both =
        authority.issue("clients.example.net", &["mallory.example.net"], ExtendedKeyUsagePurpose::ClientAuth);
    assert_eq!(names(&both.chain[0]), ["mallory.example.net"]);
    let mut mallory =
        user("alice", server.local, authority.security(Some(both), Some("fe1.example.net"))).await;
    let report = next(&mut mallory).await;
    assert!(matches!(report, LyncUserReport::Event(Event::RegistrationFailed { .. })), "{report:?}");
}

#[tokio::test]
async fn a_front_end_of_another_name_is_not_trusted() {
    let authority = Authority::new();
    let server = front_end(&authority).await;
    let security = authority.security(None, Some("fe2.example.net"));
    let config = UserConfig::new(SipUri::parse("sip:alice@example.net").expect("a URI"));
    let options = LyncUserOptions::new(config, "127.0.0.1", server.local.port(), security);
    let error = LyncUserClient::start(options).await.expect_err("the name differs");
    assert!(error.to_string().contains("not valid for name"), "{error}");
}

#[tokio::test]
async fn over_tcp_an_address_is_trusted_and_a_restart_loses_all() {
    let mut config = front_end_config();
    config.trusted_addresses.push(loopback().ip());
    let mut server = FrontEndServer::start(FrontEndOptions::new(config, loopback(), Security::Tcp))
        .await
        .expect("a free port");
    let mut alice = user("alice", server.local, Security::Tcp).await;
    wait(&mut alice, is_registered).await;
    server.commands.send(FrontEndCommand::Restart).await.expect("it runs");
    wait(&mut alice, |report| matches!(report, LyncUserReport::Disconnected(_))).await;
    let mut again = user("alice", server.local, Security::Tcp).await;
    let report = wait(&mut again, is_registered).await;
    assert!(
        matches!(report, LyncUserReport::Event(Event::Registered { refreshed: false, .. })),
        "{report:?}"
    );
    server.commands.send(FrontEndCommand::Stop).await.expect("it runs");
    let last = async { while server.events.recv().await.is_some() {} };
    timeout(PATIENCE, last).await.expect("the front end ends");
    assert!(matches!(frontend::Dialling::default(), frontend::Dialling::WhenFlowIsGone));
}

/// A front end on TCP with these faults from the start.
async fn faulty(faults: &[&str]) -> FrontEndServer {
    let mut config = front_end_config();
    config.trusted_addresses.push(loopback().ip());
    config.faults = faults.iter().map(|fault| fault.parse().expect("a fault")).collect();
    let options = FrontEndOptions::new(config, loopback(), Security::Tcp);
    FrontEndServer::start(options).await.expect("a free port")
}

#[tokio::test]
async fn a_slow_reader_is_slow_and_answers_all_the_same() {
    let server = faulty(&["slow-reader=2000"]).await;
    let begin = std::time::Instant::now();
    let mut alice = user("alice", server.local, Security::Tcp).await;
    wait(&mut alice, is_registered).await;
    // A registration has some hundred octets more than are read at once.
    assert!(begin.elapsed() >= Duration::from_millis(100), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_restart_comes_by_itself_and_forgets_everybody() {
    let server = faulty(&["restart=1"]).await;
    let mut alice = user("alice", server.local, Security::Tcp).await;
    wait(&mut alice, |report| matches!(report, LyncUserReport::Disconnected(_))).await;
    let mut again = user("alice", server.local, Security::Tcp).await;
    let report = wait(&mut again, is_registered).await;
    assert!(
        matches!(report, LyncUserReport::Event(Event::Registered { refreshed: false, .. })),
        "{report:?}"
    );
}

#[tokio::test]
async fn a_certificate_that_has_expired_or_has_another_name_is_refused_by_the_client() {
    let authority = Authority::new();
    let folder = std::env::temp_dir().join(format!("ipdect-sim-certificates-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, year, words) in
        [("fe1.example.net", 2001, "expired"), ("other.example.net", 4000, "not valid for name")]
    {
        let mut params = CertificateParams::default();
        params.subject_alt_names.push(SanType::DnsName(name.try_into().expect("a name")));
        params.not_before = rcgen::date_time_ymd(2000, 1, 1);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &authority.issuer).expect("a certificate");
        let (pem, secret) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&pem, certificate.pem()).expect("a file");
        std::fs::write(&secret, key.serialize_pem()).expect("a file");
        let mut config = front_end_config();
        let fault = format!("certificate={},{}", pem.display(), secret.display());
        config.faults.push(fault.parse().expect("a fault"));
        let good =
            authority.issue("fe1.example.net", &["fe1.example.net"], ExtendedKeyUsagePurpose::ServerAuth);
        let options = FrontEndOptions::new(config, loopback(), authority.security(Some(good), None));
        let server = FrontEndServer::start(options).await.expect("a free port");
        let config = UserConfig::new(SipUri::parse("sip:alice@example.net").expect("a URI"));
        let security = authority.security(None, Some("fe1.example.net"));
        let options = LyncUserOptions::new(config, "127.0.0.1", server.local.port(), security);
        let error = LyncUserClient::start(options).await.expect_err("it is not the right certificate");
        assert!(error.to_string().contains(words), "{error}");
    }
    std::fs::remove_dir_all(&folder).expect("it can be removed");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = std::env::temp_dir().join(format!("ipdect-sim-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("a.wav");
    write_wav(&file, &chirp(true)).expect("it can be written");
    assert_eq!(read_wav(&file).expect("it can be read"), chirp(true));
    let missing = folder.join("missing");
    for error in [
        read_wav(&missing).expect_err("missing").to_string(),
        certificates(&missing).expect_err("missing").to_string(),
        Identity::read(&file, &file).expect_err("no PEM").to_string(),
    ] {
        assert!(error.contains(folder.to_str().expect("a name")), "{error}");
    }
    assert!(certificates(Path::new("/dev/null")).is_err());
    std::fs::remove_dir_all(&folder).expect("it can be removed");
}
