//! The simulated front end against SIPp: an independent program registers, calls, holds, hangs up and gives up.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ipdect_sim::frontend::{Event, FrontEndConfig, FrontEndUser};
use ipdect_sim::net::{FrontEndOptions, FrontEndServer, Security};
use sip_lync::SipUri;
use tokio::time::timeout;

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn free_port() -> u16 {
    TcpListener::bind(loopback(0)).and_then(|listener| listener.local_addr()).expect("a free port").port()
}

async fn front_end() -> FrontEndServer {
    let mut config = FrontEndConfig::new("127.0.0.1", "example.net");
    for (name, tel) in [("alice", "+14255550100"), ("bob", "+14255550101")] {
        let mut user = FrontEndUser::new(SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI"));
        user.tel = Some(tel.to_owned());
        config.users.push(user);
    }
    config.trusted_addresses.push(loopback(0).ip());
    FrontEndServer::start(FrontEndOptions::new(config, loopback(0), Security::Tcp))
        .await
        .expect("a free port")
}

/// One run of SIPp in a folder of its own, where it leaves its traces.
struct Sipp {
    child: Child,
    folder: PathBuf,
}

impl Sipp {
    fn start(name: &str, scenario: &str, server: SocketAddr, local: u16, calls: u32, more: &[&str]) -> Self {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("frontend-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(scenario);
        let child = Command::new("sipp")
            .current_dir(&folder)
            .arg(server.to_string())
            .args([
                "-t",
                "t1",
                "-i",
                "127.0.0.1",
                "-nostdin",
                "-trace_err",
                "-timeout",
                "30s",
                "-timeout_error",
            ])
            .args(["-m", &calls.to_string(), "-r", "20", "-p", &local.to_string()])
            .arg("-sf")
            .arg(scenario)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sipp (Debian package sip-tester) is installed");
        Self { child, folder }
    }

    /// Waits for its end, which must be a good one.
    fn succeeded(self) {
        let Output { status, stderr, .. } = self.child.wait_with_output().expect("its output");
        let mut said = String::from_utf8_lossy(&stderr).into_owned();
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            said.push_str(&fs::read_to_string(file.path()).unwrap_or_default());
        }
        assert!(status.success(), "{}: {status}\n{said}", self.folder.display());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn register(server: SocketAddr, user: &str, epid: &str, listener: u16) {
    let listener = listener.to_string();
    let keys = ["-key", "user", user, "-key", "epid", epid, "-key", "listener", listener.as_str()];
    Sipp::start(&format!("register-{user}-{listener}"), "register.xml", server, free_port(), 1, &keys)
        .succeeded();
}

/// Runs a caller and a called SIPp against each other; the front end dials the called one's listener.
fn pair(name: &str, server: SocketAddr, caller: &str, called: &str, listener: u16, calls: u32) {
    let answering = Sipp::start(&format!("{name}-called"), called, server, listener, calls, &[]);
    // The listener must be there before the front end dials it.
    while std::net::TcpStream::connect(loopback(listener)).is_err() {
        std::thread::yield_now();
    }
    let calling = Sipp::start(&format!("{name}-caller"), caller, server, free_port(), calls, &[]);
    calling.succeeded();
    answering.succeeded();
}

async fn events(mut server: FrontEndServer) -> Vec<Event> {
    let mut all = Vec::new();
    while let Ok(Some(event)) = timeout(Duration::from_millis(200), server.events.recv()).await {
        all.push(event);
    }
    all
}

/// Confirms: registration, calls, hold, hang-up through the simulated front end — SIPp 3.6.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_registers_calls_holds_and_hangs_up() {
    let server = front_end().await;
    let (address, listener) = (server.local, free_port());
    tokio::task::spawn_blocking(move || {
        register(address, "bob", "0b0b0b0b0b", listener);
        pair("call", address, "call.xml", "answer.xml", listener, 20);
    })
    .await
    .expect("no panic");
    let events = events(server).await;
    let count = |wanted: fn(&Event) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Registered { refreshed: false, .. })), 1);
    assert_eq!(count(|event| matches!(event, Event::Call { endpoints: 1, .. })), 20);
    assert_eq!(
        count(|event| matches!(event, Event::Answered { by: Some(by), .. } if by == "bob@example.net")),
        20
    );
    assert_eq!(count(|event| matches!(event, Event::Ended { by, .. } if by == "alice@example.net")), 20);
    assert_eq!(count(|event| matches!(event, Event::Refused { .. } | Event::Malformed { .. })), 0);
}

/// Confirms: CANCEL while it rings ends with 487 on both sides — SIPp 3.6.1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_gives_up_while_it_rings() {
    let server = front_end().await;
    let (address, listener) = (server.local, free_port());
    tokio::task::spawn_blocking(move || {
        register(address, "bob", "0b0b0b0b0b", listener);
        pair("cancel", address, "cancel.xml", "ring.xml", listener, 5);
    })
    .await
    .expect("no panic");
    let events = events(server).await;
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Failed { status: 487, .. })).count(), 5);
}
