//! Programs that speak in lines, and a relay for them. All that is started is stopped, by its own number.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a line may take: a failing call decides within 20 seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program on pipes.
pub(crate) struct Program {
    name: &'static str,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    pub(crate) fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let input = child.stdin.take().expect("a pipe");
        let output = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { name, child, input, lines, seen: Vec::new() }
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}")
            .unwrap_or_else(|error| panic!("{}: {error}; {:#?}", self.name, self.seen));
    }

    pub(crate) fn next(&mut self) -> String {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|error| panic!("{}: {error}; it said {:#?}", self.name, self.seen));
        self.seen.push(line.clone());
        line
    }

    /// All lines up to the one wanted.
    pub(crate) fn until(&mut self, mut wanted: impl FnMut(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.next();
            lines.push(line);
            if lines.last().is_some_and(|line| wanted(line)) {
                return lines;
            }
        }
    }

    /// Its code when it ends by itself.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.child.wait().expect("its end").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// coturn on the loopback interface.
pub(crate) struct Coturn {
    child: Child,
    pub(crate) port: u16,
    _directory: Directory,
}

struct Directory(std::path::PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Coturn {
    /// User and password.
    pub(crate) const USER: &str = "lab:secret";

    pub(crate) fn start() -> Self {
        let port = std::net::UdpSocket::bind("127.0.0.1:0")
            .and_then(|socket| socket.local_addr())
            .expect("a port")
            .port();
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("coturn.{port}"));
        std::fs::create_dir_all(&directory).expect("a folder");
        let log = std::fs::File::create(directory.join("log")).expect("a log");
        let child = Command::new("turnserver")
            .args(["-n", "-L", "127.0.0.1", "-E", "127.0.0.1", "-p", &port.to_string()])
            .args([
                "--lt-cred-mech",
                "-u",
                Self::USER,
                "-r",
                "example.net",
                "--no-tls",
                "--no-dtls",
                "--no-cli",
            ])
            .args(["--allow-loopback-peers", "--simple-log", "--log-file", "stdout", "--pidfile"])
            .arg(directory.join("pid"))
            .arg("--userdb")
            .arg(directory.join("users"))
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver, of the package coturn");
        let coturn = Self { child, port, _directory: Directory(directory) };
        // It is there when it takes a connection.
        let end = std::time::Instant::now() + PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(std::time::Instant::now() < end, "coturn does not listen");
            std::thread::yield_now();
        }
        coturn
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}
