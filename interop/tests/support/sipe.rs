//! SIPE without a window: one Lync client, its commands on standard input, its events on standard output.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A running SIPE.
pub(crate) struct Sipe {
    child: Child,
    events: Receiver<String>,
    /// What was read of the events so far.
    seen: Vec<String>,
    folder: PathBuf,
    name: String,
}

/// How a client logs in.
pub(crate) struct Login<'a> {
    pub(crate) user: &'a str,
    pub(crate) account: &'a str,
    pub(crate) password: &'a str,
    pub(crate) server: std::net::SocketAddr,
    /// `tls` or `tcp`.
    pub(crate) transport: &'a str,
    /// `required` or `optional`.
    pub(crate) encryption: &'a str,
}

impl Sipe {
    /// Starts a client in a folder of its own; calls are accepted and recorded.
    pub(crate) fn start(login: &Login<'_>) -> Self {
        Self::run(Command::new(program()), login, "ntlm")
    }

    /// The same by a scheme of authentication: `ntlm`, `tls-dsk`.
    pub(crate) fn start_by(scheme: &str, login: &Login<'_>) -> Self {
        Self::run(Command::new(program()), login, scheme)
    }

    /// The same on a machine of this name: clients of one user are told apart by it.
    pub(crate) fn start_on(machine: &str, login: &Login<'_>) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--uts", "sh", "-ec", "hostname \"$0\"; exec \"$@\"", machine]).arg(program());
        Self::run(command, login, "ntlm")
    }

    fn run(mut command: Command, login: &Login<'_>, scheme: &str) -> Self {
        let name = login.user.split('@').next().unwrap_or_default().to_owned();
        // One user may have several clients.
        static CLIENTS: AtomicU32 = AtomicU32::new(0);
        let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("sipe-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let log = fs::File::create(folder.join("log")).expect("a log");
        let mut child = command
            .arg("-d")
            .arg(folder.join("state"))
            .args(["-u", login.user, "-l", login.account, "-p", login.password])
            .args(["-s", &login.server.to_string(), "-t", login.transport, "-a", scheme])
            .args(["-e", login.encryption, "-w"])
            .arg(folder.join("heard.raw"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program was built");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, events, seen: Vec::new(), folder, name }
    }

    /// Gives a command.
    pub(crate) fn tell(&mut self, command: &str) {
        let input = self.child.stdin.as_mut().expect("piped");
        writeln!(input, "{command}").expect("it reads");
        input.flush().expect("it reads");
    }

    /// Waits for an event that contains all the words; it may have come before.
    ///
    /// # Panics
    /// When it does not come in time; shows the events and the end of the log.
    pub(crate) fn waits_for(&mut self, words: &[&str]) -> String {
        let is_it = |line: &String| words.iter().all(|word| line.contains(word));
        if let Some(at) = self.seen.iter().position(is_it) {
            return self.seen.remove(at);
        }
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(line) if is_it(&line) => return line,
                Ok(line) => self.seen.push(line),
                Err(_) => {
                    let log = fs::read(self.folder.join("log")).unwrap_or_default();
                    let log = String::from_utf8_lossy(&log);
                    let tail = log.len().saturating_sub(6000);
                    let tail = log.char_indices().map(|(at, _)| at).find(|at| *at >= tail).unwrap_or(0);
                    panic!(
                        "{}: {words:?} did not happen\nevents: {:#?}\nlog:\n{}",
                        self.name,
                        self.seen,
                        log.get(tail..).unwrap_or_default()
                    );
                }
            }
        }
    }

    /// Waits until it has heard so many seconds.
    ///
    /// # Panics
    /// When it does not hear them in time.
    pub(crate) fn hears(&mut self, seconds: u64) {
        let end = Instant::now() + PATIENCE;
        let file = self.folder.join("heard.raw");
        while fs::metadata(&file).map_or(0, |data| data.len()) < seconds * 16_000 {
            assert!(Instant::now() < end, "{} does not hear the other side", self.name);
            if let Ok(line) = self.events.recv_timeout(Duration::from_millis(100)) {
                self.seen.push(line);
            }
        }
    }

    /// Its log: every SIP message, too.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("log")).unwrap_or_default()).into_owned()
    }

    /// Waits until it has heard so many seconds more; the samples of these.
    pub(crate) fn hears_more(&mut self, seconds: u64) -> Vec<i16> {
        let file = self.folder.join("heard.raw");
        let length = || fs::metadata(&file).map_or(0, |data| data.len());
        let mut before = length();
        let end = Instant::now() + PATIENCE;
        loop {
            let now = length();
            // A new call begins a new file.
            before = before.min(now);
            if now >= before + seconds * 16_000 {
                break;
            }
            assert!(Instant::now() < end, "{} does not hear the other side any more", self.name);
            if let Ok(line) = self.events.recv_timeout(Duration::from_millis(100)) {
                self.seen.push(line);
            }
        }
        let heard = fs::read(&file).unwrap_or_default();
        samples(heard.get(usize::try_from(before).unwrap_or_default() & !1..).unwrap_or_default())
    }

    /// How many messages of this method it has sent or received.
    pub(crate) fn messages(&self, method: &str) -> usize {
        let start = format!("{method} sip:");
        self.log().lines().filter(|line| line.starts_with(&start)).count()
    }

    /// Waits until it has sent or received so many messages of this method.
    pub(crate) fn has_messages(&mut self, method: &str, count: usize) {
        let end = Instant::now() + PATIENCE;
        while self.messages(method) < count {
            assert!(Instant::now() < end, "{}: no further {method}", self.name);
            if let Ok(line) = self.events.recv_timeout(Duration::from_millis(100)) {
                self.seen.push(line);
            }
        }
    }

    /// Forgets the events that were not waited for.
    pub(crate) fn forgets(&mut self) {
        while self.events.try_recv().is_ok() {}
        self.seen.clear();
    }

    /// Logs out; the samples that it heard.
    pub(crate) fn quits(mut self) -> Vec<i16> {
        self.tell("quit");
        let end = Instant::now() + PATIENCE;
        // Its output ends with it; its last word may come late.
        while let Ok(line) = self.events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.seen.push(line);
        }
        assert!(Instant::now() < end, "{} does not end: {:#?}", self.name, self.seen);
        let _ = self.child.wait();
        let heard = fs::read(self.folder.join("heard.raw")).unwrap_or_default();
        let _ = fs::remove_dir_all(&self.folder);
        samples(&heard)
    }
}

fn samples(octets: &[u8]) -> Vec<i16> {
    octets.chunks_exact(2).map(|octets| i16::from_le_bytes([octets[0], octets[1]])).collect()
}

impl Drop for Sipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program of `peers/sipeclient.c`, built once.
fn program() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/sipeclient.c");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join("sipeclient");
    let age = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    if age(&program).is_some_and(|built| age(&source).is_some_and(|written| written < built)) {
        return program;
    }
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs", "purple", "gstreamer-1.0", "glib-2.0", "libxml-2.0"])
        .output()
        .expect("pkg-config");
    assert!(flags.status.success(), "{}", String::from_utf8_lossy(&flags.stderr));
    let flags = String::from_utf8(flags.stdout).expect("flags");
    // Tests run side by side: each builds its own file and renames it over the last.
    let fresh = folder.join(format!("sipeclient.{}.{:?}", std::process::id(), std::thread::current().id()));
    let compiler = Command::new("cc")
        .args(["-w", "-O1", "-rdynamic"])
        .arg(&source)
        .arg("-o")
        .arg(&fresh)
        .args(flags.split_whitespace())
        .arg("-ldl")
        .output()
        .expect("a C compiler");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    fs::rename(&fresh, &program).expect("one folder");
    program
}

/// How much of a tone is in samples of 8 kHz: 1 for the tone alone, 0 for none of it.
pub(crate) fn share_of_tone(samples: &[i16], hertz: f64) -> f64 {
    let mut best: f64 = 0.0;
    // Short pieces: two clocks drift apart.
    for piece in samples.chunks_exact(800) {
        let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
        for (n, sample) in piece.iter().enumerate() {
            let (sample, angle) = (f64::from(*sample), core::f64::consts::TAU * hertz * n as f64 / 8000.0);
            re += sample * angle.cos();
            im += sample * angle.sin();
            power += sample * sample;
        }
        if power > 0.0 {
            best = best.max(2.0 * (re * re + im * im) / (power * piece.len() as f64));
        }
    }
    best
}

const PATIENCE: Duration = Duration::from_secs(20);
