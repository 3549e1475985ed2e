//! The server, the simulated front end, a base station and a Lync user as processes of their own; one of them is killed.

mod authority;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use authority::{Authority, Folder, Wanted};
use ipdect_server::config::Fingerprint;
use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(1);
const JIM: &str = "05003 0070387";

/// A process whose lines are read by a thread; it is killed at the end of the test.
struct Process {
    name: &'static str,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    fn start(name: &'static str, program: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
        let (tell, lines) = channel();
        let (out, err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        let also = tell.clone();
        std::thread::spawn(move || {
            BufReader::new(out).lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
        });
        std::thread::spawn(move || {
            BufReader::new(err).lines().map_while(Result::ok).for_each(|line| drop(also.send(line)));
        });
        Self { name, stdin: child.stdin.take(), child, lines, seen: Vec::new() }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("a pipe"), "{line}").expect("the process reads");
    }

    /// Waits for a line that satisfies the condition.
    fn line(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{} never said {what}; it said {:#?}", self.name, self.seen)
            };
            self.seen.push(line.clone());
            if wanted(&line) {
                return line;
            }
        }
    }

    /// Waits for a line like [`Self::line`], unless an earlier wait has already gone over it.
    fn said(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        if !self.seen.iter().any(|line| wanted(line)) {
            self.line(what, wanted);
        }
    }

    /// Waits for an event of a simulator, with a member that contains a text.
    fn event(&mut self, name: &str, member: &str, text: &str) {
        self.line(&format!("{name} {text}"), |line| {
            serde_json::from_str::<Value>(line).is_ok_and(|event| {
                event["event"] == name && (member.is_empty() || event[member].to_string().contains(text))
            })
        });
    }

    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("its end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The simulators' program, built beside this test. A test of theirs is named with it, so that cargo takes what it has already
/// built for `cargo test --workspace`: without one it leaves out what tests alone depend on, and builds half of the workspace anew.
fn simulator() -> PathBuf {
    let test = std::env::current_exe().expect("a path");
    let folder = test.parent().and_then(Path::parent).expect("the target folder");
    let profile = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let target = folder.parent().expect("the target folder");
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--quiet", "--workspace", "--bin", "ipdect-sim", "--test", "base", "--target-dir"])
        .arg(target);
    if profile == "release" {
        build.arg("--release");
    }
    let built = build.current_dir(env!("CARGO_MANIFEST_DIR")).status().expect("cargo runs");
    assert!(built.success(), "the simulators do not build");
    folder.join(format!("ipdect-sim{}", std::env::consts::EXE_SUFFIX))
}

/// A port that was free a moment ago. It lies below those that a connection gets for itself: somebody who dials such a port
/// before anybody listens there may be connected to himself, and keep it.
fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset =
            (std::process::id() as u16).wrapping_mul(8).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from(([127, 0, 0, 1], 12_000 + offset % 18_000));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

struct Laboratory {
    folder: Folder,
    simulator: PathBuf,
    front_end: SocketAddr,
    radio: SocketAddr,
}

impl Laboratory {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        let authority = Authority::new("Laboratory authority");
        std::fs::write(folder.file("ca.pem"), authority.pem()).expect("written");
        let mut pinned = String::new();
        for (file, names) in [
            ("pool", &["pool.example.net", "localhost"][..]),
            ("host", &["dect.example.net"]),
            ("client", &["client.example.net"]),
            ("radio", &["base-station.example.net"]),
        ] {
            let pair =
                authority.issue(&Wanted { alternative: names, purposes: &[ServerAuth], ..Wanted::default() });
            if file == "radio" {
                let certificate =
                    CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("a certificate");
                pinned = Fingerprint::of(&certificate).to_string();
            }
            std::fs::write(folder.file(&format!("{file}.pem")), pair.certificate).expect("written");
            std::fs::write(folder.file(&format!("{file}.key")), pair.key).expect("written");
        }
        std::fs::write(
            folder.file("users"),
            "sip:alice@example.net EXAMPLE\\alice none +14255550100\nsip:jim@example.net EXAMPLE\\jim none\n",
        )
        .expect("written");
        let (front_end, radio) = (free(), free());
        let configuration = format!(
            r#"
[sip]
default_domain = "example.net"
proxies = [{{ uri = "sip:localhost:{}" }}]
listen = "127.0.0.1:0"
[tls]
ca = ["ca.pem"]
public_roots = false
certificate = "host.pem"
key = "host.key"
[network]
hostname = "dect.example.net"
[radio]
listen = "{radio}"
base_stations = ["{pinned}"]
ari = "1f102f0e86"
system_access_code = "7391"
[store]
url = "sqlite:data/ipdect.db"
[web]
listen = "127.0.0.1:0"
[[user]]
ipei = "{JIM}"
username = "jim"
"#,
            front_end.port()
        );
        std::fs::write(folder.file("ipdect.toml"), configuration).expect("written");
        Self { folder, simulator: simulator(), front_end, radio }
    }

    fn path(&self, name: &str) -> String {
        self.folder.file(name).display().to_string()
    }

    fn server(&self) -> Process {
        let program = Path::new(env!("CARGO_BIN_EXE_ipdect-server"));
        let mut server =
            Process::start("the server", program, &["run", "--config", &self.path("ipdect.toml")]);
        server.line("that it is ready", |line| line.contains("ready:"));
        server
    }

    fn front_end(&self) -> Process {
        let (listen, users) = (self.front_end.to_string(), self.path("users"));
        let (certificate, key, authorities) =
            (self.path("pool.pem"), self.path("pool.key"), self.path("ca.pem"));
        let arguments = [
            "frontend",
            "--listen",
            &listen,
            "--domain",
            "example.net",
            "--users",
            &users,
            "--cert",
            &certificate,
            "--key",
            &key,
            "--ca",
            &authorities,
            "--trusted",
            "dect.example.net",
            "--trusted",
            "client.example.net",
        ];
        let mut front_end = Process::start("the front end", &self.simulator, &arguments);
        front_end.event("listening", "", "");
        front_end
    }

    fn base(&self) -> Process {
        self.base_with("radio")
    }

    fn base_with(&self, certificate: &str) -> Process {
        let (server, authorities, handset) =
            (self.radio.to_string(), self.path("ca.pem"), format!("{JIM}=7391"));
        let (own, key) = (self.path(&format!("{certificate}.pem")), self.path(&format!("{certificate}.key")));
        let arguments = [
            "base",
            "--server",
            &server,
            "--ca",
            &authorities,
            "--server-name",
            "dect.example.net",
            "--cert",
            &own,
            "--key",
            &key,
            "--handset",
            &handset,
        ];
        Process::start("the base station", &self.simulator, &arguments)
    }

    fn alice(&self) -> Process {
        let server = format!("localhost:{}", self.front_end.port());
        let (certificate, key, authorities) =
            (self.path("client.pem"), self.path("client.key"), self.path("ca.pem"));
        let arguments = [
            "user",
            "--server",
            &server,
            "--user",
            "sip:alice@example.net",
            "--cert",
            &certificate,
            "--key",
            &key,
            "--ca",
            &authorities,
        ];
        let mut alice = Process::start("the Lync user", &self.simulator, &arguments);
        alice.event("registered", "", "");
        alice
    }
}

fn command(action: &str) -> String {
    format!(r#"{{"handset":"{JIM}","do":"{action}"}}"#)
}

fn call(base: &mut Process, alice: &mut Process) {
    base.say(&format!(r#"{{"handset":"{JIM}","do":"dial","number":"+14255550100"}}"#));
    alice.event("incoming", "", "");
    alice.say(r#"{"do":"answer"}"#);
    base.event("connected", "", "");
}

#[test]
fn a_front_end_killed_in_a_call_and_started_again_finds_all_registered_and_nothing_left() {
    let laboratory = Laboratory::new("processes");
    let mut front_end = laboratory.front_end();
    let mut server = laboratory.server();
    let mut base = laboratory.base();
    base.event("server-up", "", "");
    base.say(&command("subscribe"));
    base.event("located", "", "");
    front_end.event("registered", "user", "jim");
    let mut alice = laboratory.alice();
    call(&mut base, &mut alice);

    front_end.kill();
    base.event("released", "", "");
    server.line("that the front end is gone", |line| line.contains("ERROR") && line.contains("localhost"));
    drop(alice);
    let mut front_end = laboratory.front_end();
    front_end.event("registered", "user", "jim");
    let mut alice = laboratory.alice();
    // A second call proves that no call and no channel is in the way of it.
    call(&mut base, &mut alice);
    base.say(&command("hang-up"));
    alice.event("released", "", "");
    base.event("released", "", "");

    let stopped = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status();
    assert!(stopped.is_ok_and(|status| status.success()));
    server.line("that it stopped", |line| line.contains("all calls and registrations were ended"));
    assert_eq!(server.child.wait().ok().and_then(|status| status.code()), Some(0));
    front_end.event("deregistered", "user", "jim");
}

#[test]
fn a_wrong_access_code_and_a_front_end_that_is_down_leave_the_server_up() {
    let laboratory = Laboratory::new("processes-down");
    let mut server = laboratory.server();
    // It may say so before it says that it is ready.
    server.said("that the front end is down", |line| line.contains("ERROR") && line.contains("localhost"));
    let stranger = laboratory.base_with("client");
    server.line("that a stranger was turned away", |line| {
        line.contains("not pinned") && line.contains("sha256:")
    });
    drop(stranger);
    let mut base = laboratory.base();
    base.event("server-up", "", "");
    base.say(&format!(r#"{{"handset":"{JIM}","do":"subscribe","code":"9999"}}"#));
    base.event("subscription-failed", "", "");
    server.line("what to check", |line| line.contains("check the access code"));
    base.say(&command("subscribe"));
    base.event("located", "", "");
    let mut front_end = laboratory.front_end();
    front_end.event("registered", "user", "jim");
}
