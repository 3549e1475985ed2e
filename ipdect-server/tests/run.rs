//! The server as a whole: it starts from what `init` made, reaches a front end, serves its page and stops cleanly.

mod authority;

use std::io::{BufRead, BufReader};
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use authority::{Authority, Folder, Wanted};
use ipdect_server::config::{Configuration, Tls};
use ipdect_server::init::{Wishes, init};
use ipdect_server::net::arrival::{Arrival, Outgoing};
use ipdect_server::net::authorities::Authorities;
use ipdect_server::net::dial::{Target, connect};
use ipdect_server::net::identity::Identity;
use ipdect_server::net::listener::{Door, accept, open};
use ipdect_server::net::tls::TlsContext;
use ipdect_server::run::{Ending, Options, Server, needs_restart};
use ipdect_server::web::Access;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(20);

/// What `init` made, completed by an authority and a front end on loopback.
struct Laboratory {
    folder: Folder,
    authority: Authority,
    front_end: mpsc::Receiver<Arrival>,
}

impl Laboratory {
    async fn new() -> Self {
        let (folder, authority) = (Folder::new("run"), Authority::new("Root"));
        let made =
            init(&folder.file("server"), &Wishes { hostname: Some("localhost".to_owned()), domain: None })
                .unwrap();
        let issue = || authority.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
        std::fs::write(folder.file("server/ca.pem"), authority.pem()).unwrap();
        let host = issue();
        std::fs::write(folder.file("server/host.pem"), host.certificate).unwrap();
        std::fs::write(folder.file("server/host.key"), host.key).unwrap();
        let pair = issue();
        std::fs::write(folder.file("fe.pem"), pair.certificate + &pair.key).unwrap();
        let tls = Tls {
            ca: vec![folder.file("server/ca.pem")],
            public_roots: false,
            certificate: Some(folder.file("fe.pem")),
            key: Some(folder.file("fe.pem")),
            password_file: None,
        };
        let identity = Identity::load(&tls).unwrap().unwrap();
        let context =
            TlsContext::new(identity, Authorities::load(&tls).unwrap(), vec!["localhost".to_owned()])
                .unwrap();
        let listener = open("127.0.0.1:0".parse().unwrap(), "front end").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (arrivals, front_end) = mpsc::channel(64);
        let (_, config) = watch::channel(Some(context.from_front_ends));
        tokio::spawn(accept(Door::Sip, listener, config, arrivals));
        let text = std::fs::read_to_string(&made.configuration)
            .unwrap()
            .replace("sip:pool.example.net:5061", &format!("sip:localhost:{port}"))
            .replace("0.0.0.0:5061", "127.0.0.1:0")
            .replace("127.0.0.1:4711", "127.0.0.1:0")
            .replace("127.0.0.1:8080", "127.0.0.1:0")
            .replace("ca = []", "ca = [\"ca.pem\"]");
        std::fs::write(&made.configuration, text).unwrap();
        Self { folder, authority, front_end }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.file("server/ipdect.toml")
    }

    async fn connected(&mut self) -> (Vec<String>, Outgoing) {
        match timeout(PATIENCE, self.front_end.recv()).await.unwrap().unwrap() {
            Arrival::FlowOpened { peer_names, outgoing, .. } => (peer_names, outgoing.unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_reaches_its_front_end_and_stops_cleanly() {
    let mut laboratory = Laboratory::new().await;
    let options = Options {
        configuration: Configuration::load(&laboratory.file()).unwrap(),
        configuration_file: Some(laboratory.file()),
        access: Access::ReadOnly,
        ladder: None,
    };
    let server = Server::start(options).await.unwrap();
    let (names, _outgoing) = laboratory.connected().await;
    assert_eq!(names, ["localhost"]);
    let connected = timeout(PATIENCE, async {
        loop {
            let status = server.status().await.unwrap();
            if status.proxies[0].state == "connected" {
                return status;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(connected.await.unwrap().node, "localhost");
    let addresses = server.addresses();
    for address in [addresses.sip, addresses.radio, addresses.web] {
        assert_ne!(address.port(), 0);
        assert!(std::net::TcpStream::connect(address).is_ok());
    }
    assert_eq!(timeout(PATIENCE, server.stop()).await.unwrap(), Ending::Clean);
    let ended = timeout(PATIENCE, async {
        while !matches!(laboratory.front_end.recv().await, Some(Arrival::FlowClosed { .. })) {}
    });
    ended.await.unwrap();
    let gone = timeout(PATIENCE, async {
        for address in [addresses.sip, addresses.radio, addresses.web] {
            while std::net::TcpStream::connect(address).is_ok() {
                tokio::task::yield_now().await;
            }
        }
    });
    gone.await.expect("a port is still open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let laboratory = Laboratory::new().await;
    let configuration = Configuration::load(&laboratory.file()).unwrap();
    let tls = TlsContext::load(&configuration).unwrap().unwrap();
    let options = Options {
        configuration,
        configuration_file: Some(laboratory.file()),
        access: Access::Login,
        ladder: None,
    };
    let server = Server::start(options).await.unwrap();
    let target = Target {
        host: "localhost".to_owned(),
        port: server.addresses().radio.port(),
        tls: Some(tls.towards_proxies.clone()),
    };
    let shown = async || connect(&target).await.unwrap().peer_certificates()[0].clone();
    let first = shown().await;
    assert_eq!(first, tls.identity.chain()[0]);

    let renewed = laboratory.authority.issue(&Wanted { alternative: &["localhost"], ..Wanted::default() });
    std::fs::write(laboratory.folder.file("server/host.key"), "half a key").unwrap();
    server.reload();
    assert_eq!(shown().await, first, "a certificate that cannot be used changes nothing");
    std::fs::write(laboratory.folder.file("server/host.pem"), &renewed.certificate).unwrap();
    std::fs::write(laboratory.folder.file("server/host.key"), &renewed.key).unwrap();
    server.reload();
    let changed = timeout(PATIENCE, async {
        while shown().await == first {
            tokio::task::yield_now().await;
        }
        shown().await
    });
    let renewed = CertificateDer::from_pem_slice(renewed.certificate.as_bytes()).unwrap();
    assert_eq!(changed.await.unwrap(), renewed);
    assert_eq!(timeout(PATIENCE, server.stop()).await.unwrap(), Ending::Clean);
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let laboratory = Laboratory::new().await;
    let start = async |change: &dyn Fn(&mut Configuration)| {
        let mut configuration = Configuration::load(&laboratory.file()).unwrap();
        change(&mut configuration);
        let options =
            Options { configuration, configuration_file: None, access: Access::Login, ladder: None };
        Server::start(options).await.unwrap_err().to_string()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let error = start(&|configuration| configuration.radio.listen = address).await;
    assert!(error.contains("radio.listen") && error.contains("already in use"), "{error}");
    let error = start(&|configuration| configuration.tls.key = Some("/nonexistent.key".into())).await;
    assert!(error.contains("/nonexistent.key") && error.contains("cannot be read"), "{error}");
    let error = start(&|configuration| configuration.media.address = "192.0.2.77".parse().unwrap()).await;
    assert!(error.contains("192.0.2.77"), "{error}");
}

#[test]
fn what_a_reload_cannot_change_is_named() {
    let old = Configuration::default();
    assert!(needs_restart(&old, &old.clone()).is_empty());
    let mut new = old.clone();
    new.sip.gruu = false;
    new.media.voice_channels = 3;
    new.lync.trusted_peers.push("fe2.example.net".to_owned());
    assert_eq!(needs_restart(&old, &new), ["sip", "media"]);
    let mut started = old.clone();
    started.web.listen.set_port(40_000);
    let mut file = old;
    file.web.listen.set_port(0);
    assert!(needs_restart(&started, &file).is_empty(), "port 0 became one that the system gave");
}

/// Runs the program until it says that it is ready.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_reloads_on_sighup_and_ends_on_sigterm() {
    let mut laboratory = Laboratory::new().await;
    let file = laboratory.file();
    let mut process = Process::new(env!("CARGO_BIN_EXE_ipdect-server"))
        .args(["run", "--config"])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut until = |words: &str| {
        let mut seen = Vec::new();
        for line in lines.by_ref() {
            let line = line.unwrap();
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("{words:?} is not in {seen:#?}");
    };
    let signal = |name: &str| {
        let sent = Process::new("kill").args([name, &process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    until("ready: front ends at 127.0.0.1:");
    laboratory.connected().await;
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("voice_channels = 32", "voice_channels = 33")).unwrap();
    signal("-HUP");
    until("changes in [media] take effect at the next start");
    std::fs::write(&file, "[sip\n").unwrap();
    signal("-HUP");
    until("not reloaded, the server goes on as it was");
    signal("-TERM");
    until("stopping: calls and registrations are being ended");
    until("stopped: all calls and registrations were ended");
    let output = process.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &[][..]));
}

#[test]
fn the_program_exits_with_2_on_wrong_usage_and_with_1_on_failure() {
    let run = |arguments: &[&str]| {
        Process::new(env!("CARGO_BIN_EXE_ipdect-server")).args(arguments).output().unwrap()
    };
    assert_eq!(run(&["fly"]).status.code(), Some(2));
    assert_eq!(run(&["run"]).status.code(), Some(2));
    let output = run(&["run", "--config", "/nonexistent/ipdect.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.lines().count() == 1 && said.contains("ipdect-server init DIR"), "{said}");
    assert!(output.stdout.is_empty());
    let output = run(&["check", "--config", "/nonexistent/ipdect.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("FAIL  configuration: "));
}
