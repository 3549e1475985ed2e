//! The programs as a stranger runs them: JSON Lines in and out, exit codes.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use ipdect_sim::net::{read_wav, write_wav};
use ipdect_sim::speech::sentences;
use serde_json::{Value, json};
use telephony_audio::correlation::audio_match;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running program whose lines are read by a thread.
struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ipdect-sim"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program is built");
        let out = child.stdout.take().expect("a pipe");
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if tell.send(value).is_err() {
                    return;
                }
            }
        });
        Self { stdin: child.stdin.take(), child, lines }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().expect("a pipe"), "{line}").expect("the program reads");
    }

    /// The next line for which this member has this value; earlier ones are looked away from.
    fn wait(&self, member: &str, wanted: &Value) -> Value {
        let mut before = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line[member] == *wanted => return line,
                Ok(line) => before.push(line),
                Err(error) => panic!("{member}={wanted}: {error}, after {before:?}"),
            }
        }
    }

    fn event(&self, name: &str) -> Value {
        self.wait("event", &json!(name))
    }

    /// Closes its input and waits for its end.
    fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.child.wait().expect("its end").code()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn front_end(folder: &Folder) -> (Program, String) {
    let users = folder.file("users");
    std::fs::write(
        &users,
        "# two users\nsip:alice@example.net EXAMPLE\\alice pw +14255550100\nsip:bob@example.net EXAMPLE\\bob pw\n",
    )
    .expect("a file");
    let arguments =
        ["frontend", "--listen", "127.0.0.1:0", "--tcp", "--domain", "example.net", "--users", &users];
    let program = Program::start(&[&arguments[..], &["--trusted", "127.0.0.1"]].concat());
    let address = program.event("listening")["address"].as_str().expect("an address").to_owned();
    (program, address)
}

#[test]
fn two_user_programs_call_each_other_and_leave_recordings() {
    let folder = Folder::new("programs");
    let (front_end, address) = front_end(&folder);
    let [one, two] = sentences();
    write_wav(Path::new(&folder.file("one.wav")), &one).expect("a file");
    write_wav(Path::new(&folder.file("two.wav")), &two).expect("a file");
    let user = |name: &str| {
        Program::start(&["user", "--server", &address, "--tcp", "--user", &format!("sip:{name}@example.net")])
    };
    let (mut alice, mut bob) = (user("alice"), user("bob"));
    assert_eq!(alice.event("registered")["expires"], 600);
    bob.event("registered");
    assert_eq!(front_end.event("registered")["refreshed"], false);
    bob.say("this is no JSON");
    let answer = bob.wait("ok", &json!(false));
    assert!(answer["error"].is_string() && answer["at"] == 1, "{answer}");
    bob.say(r#"{"do":"answer"}"#);
    assert_eq!(bob.wait("ok", &json!(false))["error"], "there is no call");
    alice.say(r#"{"do":"call","to":"bob"}"#);
    assert_eq!(bob.event("incoming")["from"], "sip:alice@example.net");
    assert_eq!(alice.event("ringing")["status"], 180);
    bob.say(&format!(r#"{{"do":"record","file":"{}"}}"#, folder.file("heard.wav")));
    bob.say(r#"{"do":"answer"}"#);
    let media = bob.event("media");
    assert_eq!(
        (&media["srtp"], &media["mki"], &media["lifetime"]),
        (&json!(true), &json!(1), &json!("2^31"))
    );
    alice.event("connected");
    bob.event("connected");
    alice.say(&format!(r#"{{"do":"play","file":"{}"}}"#, folder.file("one.wav")));
    bob.say(&format!(r#"{{"do":"play","file":"{}"}}"#, folder.file("two.wav")));
    alice.event("spoken");
    bob.event("spoken");
    alice.say(r#"{"do":"hold"}"#);
    assert_eq!(bob.event("held")["by"], "them");
    alice.event("held");
    alice.say(r#"{"do":"retrieve"}"#);
    assert_eq!(bob.event("retrieved")["by"], "them");
    alice.event("retrieved");
    bob.say(r#"{"do":"hang-up"}"#);
    assert_eq!(alice.event("released")["reason"], "the other side hung up");
    let talked = bob.event("talked");
    assert_eq!(talked["file"], json!(folder.file("heard.wav")));
    assert!(talked["packets_received"].as_u64() > Some(100), "{talked}");
    let heard = read_wav(Path::new(&folder.file("heard.wav"))).expect("a recording");
    assert!(audio_match(&one, &heard) > 0.9);
    assert!(audio_match(&two, &heard) < 0.5);
    front_end.event("ended");
    assert_eq!(alice.end(), Some(0));
    assert_eq!(front_end.event("deregistered")["user"], "alice@example.net");
    assert_eq!(bob.end(), Some(0));
}

fn code(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ipdect-sim")).args(arguments).stdin(Stdio::null()).output();
    let output = output.expect("the program is built");
    assert!(output.stdout.is_empty(), "stdout carries the result and nothing else");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn wrong_usage_is_exit_code_2_with_a_clear_line() {
    for (arguments, word) in [
        (vec!["fly"], "fly"),
        (vec!["user", "--server", "127.0.0.1:1"], "--user"),
        (vec!["user", "--server", "127.0.0.1", "--tcp", "--user", "sip:a@b"], "HOST:PORT"),
        (vec!["user", "--server", "127.0.0.1:1", "--tcp", "--user", "a@b"], "sip:U@D"),
        (vec!["user", "--server", "127.0.0.1:1", "--user", "sip:a@b"], "--ca"),
        (
            vec!["user", "--server", "127.0.0.1:1", "--tcp", "--user", "sip:a@b", "--auth-user", "D\\a"],
            "--password-file",
        ),
        (vec!["base", "--server", "127.0.0.1:1", "--tcp", "--handset", "4711"], "4711"),
        (vec!["base", "--server", "127.0.0.1:1", "--tcp"], "--handset"),
    ] {
        let (status, said) = code(&arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

#[test]
fn what_cannot_be_done_is_exit_code_1_with_the_reason() {
    let folder = Folder::new("failing");
    let missing = folder.file("missing");
    let listen = ["--listen", "127.0.0.1:0", "--tcp", "--domain", "example.net"];
    let (status, said) = code(&[&["frontend"], &listen[..], &["--users", &missing]].concat());
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("missing"), "{said}");
    let users = folder.file("users");
    std::fs::write(&users, "sip:alice@example.net\n").expect("a file");
    let (status, said) = code(&[&["frontend"], &listen[..], &["--users", &users]].concat());
    assert_eq!(status, Some(1));
    assert!(said.contains("line 1 of the users file"), "{said}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    drop(taken);
    let (status, said) = code(&["user", "--server", &address, "--tcp", "--user", "sip:alice@example.net"]);
    assert_eq!(status, Some(1));
    assert!(said.contains(&address), "{said}");
}

#[test]
fn a_base_program_keeps_trying_and_refuses_bad_lines() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    drop(taken);
    let mut base =
        Program::start(&["base", "--server", &address, "--tcp", "--handset", "05003 0070387=1234"]);
    let down = base.event("server-down");
    assert_eq!(down["handset"], Value::Null);
    base.say(r#"{"handset":"nobody","do":"answer"}"#);
    let answer = base.wait("ok", &json!(false));
    assert_eq!(answer["at"], 12, "{answer}");
    base.say(r#"{"handset":"05003 0070387","do":"fly"}"#);
    assert!(
        base.wait("ok", &json!(false))["error"]
            .as_str()
            .is_some_and(|error| error.contains("unknown command"))
    );
    assert_eq!(base.end(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_that_comes_among_events_is_not_lost() {
    let folder = Folder::new("signals");
    for round in 0..6 {
        let (mut front_end, address) = front_end(&folder);
        let user = |name: &str| {
            let uri = format!("sip:{name}@example.net");
            Program::start(&["user", "--server", &address, "--tcp", "--user", &uri])
        };
        let (alice, bob) = (user("alice"), user("bob"));
        alice.event("registered");
        bob.event("registered");
        // Their leaving makes events while the signal comes.
        drop((alice, bob));
        let id = front_end.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        let end = std::time::Instant::now() + PATIENCE;
        while front_end.child.try_wait().expect("its state").is_none() {
            assert!(std::time::Instant::now() < end, "round {round}: the signal was lost");
            std::thread::yield_now();
        }
    }
}
