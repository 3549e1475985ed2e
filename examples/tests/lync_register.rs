//! `lync-register` against the simulated front end, over TLS on loopback: with NTLM, and with a certificate.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/lync-register.rs"]
mod lync_register;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Parser;
use ipdect_sim::frontend::{FrontEndConfig, FrontEndUser, Homes, Password, ServerAddress};
use ipdect_sim::json::UserCommand;
use ipdect_sim::net::tls::{Identity, certificates};
use ipdect_sim::net::{
    FrontEndOptions, FrontEndServer, LyncUserClient, LyncUserOptions, LyncUserReport, Security,
};
use ipdect_sim::user::{Event, UserConfig};
use lync_register::Options;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::Value;
use sip_lync::SipUri;

/// A front end with certificates in files, and Bob, who answers every call.
struct Site {
    folder: PathBuf,
    server: SocketAddr,
    _runtime: tokio::runtime::Runtime,
    _front_ends: [FrontEndServer; 2],
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("the file can be written");
}

fn issue(folder: &Path, issuer: &CertifiedIssuer<'static, KeyPair>, name: &str) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names.push(SanType::DnsName(name.try_into().expect("a name")));
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    write(folder, &format!("{name}.pem"), &certificate.pem());
    write(folder, &format!("{name}.key"), &key.serialize_pem());
}

impl Site {
    fn new(test: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("lync-register-{test}"));
        fs::create_dir_all(&folder).expect("a folder");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "laboratory authority");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("it");
        write(&folder, "ca.pem", &issuer.pem());
        for name in ["fe1.example.net", "localhost", "clients.example.net", "mallory.example.net"] {
            issue(&folder, &issuer, name);
        }
        write(&folder, "password", "alice secret\n");
        write(&folder, "wrong", "no secret\n");

        let identity = |name: &str| {
            Identity::read(&folder.join(format!("{name}.pem")), &folder.join(format!("{name}.key")))
                .expect("a certificate")
        };
        let authorities = certificates(&folder.join("ca.pem")).expect("an authority");
        let security = |identity| Security::Tls { identity, authorities: authorities.clone(), name: None };
        let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
        for name in ["alice", "bob"] {
            let mut user =
                FrontEndUser::new(SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI"));
            "EXAMPLE".clone_into(&mut user.domain);
            name.clone_into(&mut user.account);
            user.password = Password(format!("{name} secret"));
            config.users.push(user);
        }
        config.trusted.push("clients.example.net".to_owned());
        config.wall_clock = SystemTime::now();
        let mut backup = FrontEndConfig::new("localhost", "example.net");
        backup.trusted.clone_from(&config.trusted);
        backup.wall_clock = config.wall_clock;
        let mut carol = FrontEndUser::new(SipUri::parse("sip:carol@example.net").expect("a URI"));
        backup.users.push(carol.clone());
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let server_security = security(Some(identity("fe1.example.net")));
        let backup_security = security(Some(identity("localhost")));
        let client_security = security(Some(identity("clients.example.net")));
        let (front_ends, server) = runtime.block_on(async {
            let listen = SocketAddr::from(([127, 0, 0, 1], 0));
            let options = FrontEndOptions::new(backup, listen, backup_security);
            let backup = FrontEndServer::start(options).await.expect("a free port");
            // Carol is at home where nobody is, else there.
            let primary = ServerAddress::new("localhost", 1);
            let second = Some(ServerAddress::new("localhost", backup.local.port()));
            carol.homes = Some(Homes { primary, backup: second });
            config.users.push(carol);
            let options = FrontEndOptions::new(config, listen, server_security);
            let front_end = FrontEndServer::start(options).await.expect("a free port");
            let server = front_end.local;
            let bob = UserConfig::new(SipUri::parse("sip:bob@example.net").expect("a URI"));
            let options = LyncUserOptions::new(bob, "127.0.0.1", server.port(), client_security);
            let mut bob = LyncUserClient::start(options).await.expect("the front end runs");
            // Bob is there before anybody calls him.
            while let Some(report) = bob.reports.recv().await {
                if matches!(report, LyncUserReport::Event(Event::Registered { .. })) {
                    break;
                }
            }
            tokio::spawn(async move {
                while let Some(report) = bob.reports.recv().await {
                    if matches!(report, LyncUserReport::Event(Event::Incoming { .. })) {
                        bob.command(UserCommand::Answer).await;
                    }
                }
            });
            ([front_end, backup], server)
        });
        Self { folder, server, _runtime: runtime, _front_ends: front_ends }
    }

    /// Runs the program and returns whether it reached its goal, and its lines.
    fn run(&self, arguments: &[&str]) -> (bool, Vec<Value>) {
        self.run_as("sip:alice@example.net", arguments)
    }

    fn run_as(&self, user: &str, arguments: &[&str]) -> (bool, Vec<Value>) {
        let server = self.server.to_string();
        let ca = self.folder.join("ca.pem").display().to_string();
        let common = [
            "lync-register",
            "--server",
            &server,
            "--server-name",
            "fe1.example.net",
            "--ca",
            &ca,
            "--user",
            user,
            "--seconds",
            "0.1",
        ];
        let options = Options::parse_from(common.iter().chain(arguments));
        let mut out = Vec::new();
        let reached = lync_register::run(&options, &mut out).expect("the front end runs");
        let lines = String::from_utf8(out).expect("text");
        (reached, lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().expect("an event")).collect()
}

#[test]
fn it_registers_with_a_password_and_calls_with_every_message_signed() {
    let site = Site::new("ntlm");
    let password = site.file("password");
    let (reached, lines) = site.run(&[
        "--auth-user",
        "EXAMPLE\\alice",
        "--password-file",
        &password,
        "--call",
        "sip:bob@example.net",
    ]);
    assert!(reached, "{lines:?}");
    assert_eq!(
        events(&lines),
        [
            "connected",
            "challenged",
            "challenged",
            "registered",
            "call",
            "progress",
            "answered",
            "released",
            "deregistered"
        ]
    );
    let gruu = lines[3]["gruu"].as_str().expect("a GRUU");
    assert!(gruu.starts_with("sip:alice@example.net;opaque=user:epid:") && gruu.ends_with(";gruu"), "{gruu}");
    assert_eq!(lines[3]["expires"], 600);
    assert_eq!(lines[7]["reason"], "local");
}

#[test]
fn it_registers_with_a_certificate_without_being_challenged() {
    let site = Site::new("certificate");
    let (certificate, key) = (site.file("clients.example.net.pem"), site.file("clients.example.net.key"));
    let (reached, lines) =
        site.run(&["--cert", &certificate, "--key", &key, "--call", "sip:bob@example.net"]);
    assert!(reached, "{lines:?}");
    assert_eq!(
        events(&lines),
        ["connected", "registered", "call", "progress", "answered", "released", "deregistered"]
    );
}

#[test]
fn a_wrong_password_and_a_certificate_nobody_trusts_are_named_failures() {
    let site = Site::new("failures");
    let wrong = site.file("wrong");
    let (reached, lines) = site.run(&["--auth-user", "EXAMPLE\\alice", "--password-file", &wrong]);
    assert!(!reached);
    // Two legs, and no third one that could lock the account.
    assert!(events(&lines).ends_with(&["challenged", "challenged", "failed"]), "{lines:?}");
    let reason = lines[lines.len() - 1]["reason"].as_str().expect("a reason");
    assert_eq!(reason, "the server refuses the account or its password");
    let (certificate, key) = (site.file("mallory.example.net.pem"), site.file("mallory.example.net.key"));
    let (reached, lines) = site.run(&["--cert", &certificate, "--key", &key]);
    assert!(!reached);
    let reason = lines.last().expect("a line")["reason"].as_str().expect("a reason");
    assert!(reason.contains("check the name in the certificate"), "{reason}");
    let (reached, lines) = site.run(&["--call", "sip:bob@example.net"]);
    assert!(!reached, "without any proof: {lines:?}");
}

#[test]
fn it_goes_where_it_is_redirected_to_the_best_home_server_first() {
    let site = Site::new("redirected");
    let (certificate, key) = (site.file("clients.example.net.pem"), site.file("clients.example.net.key"));
    let (reached, lines) = site.run_as("sip:carol@example.net", &["--cert", &certificate, "--key", &key]);
    assert!(reached, "{lines:?}");
    assert_eq!(events(&lines), ["connected", "redirected", "connected", "registered", "deregistered"]);
    let named = lines[1]["contacts"].as_array().expect("a list");
    assert!(named[0].as_str().is_some_and(|uri| uri.contains("localhost:1;")), "{named:?}");
    assert_ne!(lines[0]["remote"], lines[2]["remote"]);
}

#[test]
fn a_value_that_is_none_is_wrong_usage() {
    let good = ["lync-register", "--server", "fe1:5061", "--user", "sip:alice@example.net"];
    assert!(Options::try_parse_from(good).is_ok());
    for (place, wrong) in [(2, "fe1"), (2, "fe1:70000"), (2, ":5061"), (4, "alice"), (4, "tel:+4930")] {
        let mut called = good;
        called[place] = wrong;
        assert_eq!(Options::try_parse_from(called).expect_err(wrong).exit_code(), 2);
    }
    for wrong in [["--seconds", "nan"], ["--call", "bob"], ["--auth-user", "alice"], ["--patience", "1e30"]] {
        let called = good.iter().chain(&wrong);
        assert_eq!(Options::try_parse_from(called).expect_err(wrong[1]).exit_code(), 2);
    }
}
