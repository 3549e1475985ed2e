//! SIPp, which does as its scenario says: one run in a folder of its own, on a free port, stopped with its test.

#![allow(dead_code, reason = "each test uses its part")]

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// What it does: a file of `tests/sipp`, words that are filled in there, and how often.
#[derive(Clone, Copy)]
pub(crate) struct Scenario<'a> {
    pub(crate) name: &'a str,
    pub(crate) words: &'a [(&'a str, &'a str)],
    pub(crate) calls: u32,
}

impl<'a> Scenario<'a> {
    /// A scenario once, as it stands in its file.
    pub(crate) fn once(name: &'a str) -> Self {
        Self { name, words: &[], calls: 1 }
    }
}

/// One run of it.
pub(crate) struct Sipp {
    child: Option<Child>,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Sipp {
    /// It is called, and listens already.
    pub(crate) fn called(scenario: Scenario<'_>) -> Self {
        Self::on_a_free_port(|address| Self::start(scenario, address, None))
    }

    /// It calls.
    pub(crate) fn calls(scenario: Scenario<'_>, whom: SocketAddr) -> Self {
        Self::start(scenario, free(), Some(whom))
    }

    /// Two programs may be given the same port; the second one ends at once and another is looked for.
    fn on_a_free_port(start: impl Fn(SocketAddr) -> Self) -> Self {
        for _ in 0..20 {
            let mut sipp = start(free());
            loop {
                if TcpStream::connect(sipp.address).is_ok() {
                    return sipp;
                }
                let child = sipp.child.as_mut().expect("it was started");
                if child.try_wait().expect("a child").is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        panic!("no free port for sipp");
    }

    fn start(scenario: Scenario<'_>, address: SocketAddr, whom: Option<SocketAddr>) -> Self {
        let name = format!("sipp-{}-{}-{}", scenario.name, std::process::id(), address.port());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _not_there = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(scenario.name);
        let mut text = fs::read_to_string(file.with_extension("xml")).expect("a scenario");
        for (word, value) in scenario.words {
            text = text.replace(word, value);
        }
        fs::write(folder.join("scenario.xml"), text).expect("a file");
        let child = Command::new("sipp")
            .args(whom.map(|whom| whom.to_string()))
            .current_dir(&folder)
            .args(["-t", "t1", "-i", "127.0.0.1", "-nostdin", "-trace_err", "-r", "20"])
            .args(media())
            .args(["-timeout", "100s", "-timeout_error", "-sf", "scenario.xml"])
            .args(["-m", &scenario.calls.to_string(), "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sipp, of the package sip-tester");
        Self { child: Some(child), folder, address }
    }

    /// Waits for its end, which must be a good one; its folder is kept otherwise.
    pub(crate) fn succeeded(mut self) {
        let child = self.child.take().expect("it runs");
        let Output { status, stderr, .. } = child.wait_with_output().expect("its output");
        let mut said = String::from_utf8_lossy(&stderr).into_owned();
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            said.push_str(&fs::read_to_string(file.path()).unwrap_or_default());
        }
        assert!(status.success(), "{}: {status}\n{said}", self.folder.display());
        let _gone = fs::remove_dir_all(&self.folder);
    }
}

/// In a network of its own it sends the sound it gets back to where it came from.
fn media() -> &'static [&'static str] {
    if std::env::var_os(NETWORK).is_some() { &["-mi", "192.0.2.10", "-rtp_echo"] } else { &[] }
}

/// What `network` sets.
const NETWORK: &str = "INTEROP_NETWORK";

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

impl Drop for Sipp {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended_already = child.kill();
            let _reaped = child.wait();
        }
    }
}
