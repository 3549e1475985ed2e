//! `ice-peer` with libnice: both dialects libnice has, both roles, UDP and TCP, one and two components, with and without
//! coturn as STUN server and relay; draft 6 between two of ours.

#[path = "support/programs.rs"]
mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use programs::Program;

/// `ice-peer`, built once for all tests.
fn ice_peer() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo)
                .args(["build", "--quiet", "--package", "examples", "--example", "ice-peer"])
                .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
                .status()
                .expect("cargo runs");
            assert!(built.success());
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
            target.join("debug/examples/ice-peer")
        })
        .clone()
}

/// The peer over libnice, compiled once.
fn libnice() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let flags = Command::new("pkg-config").args(["--cflags", "--libs", "nice", "gio-2.0"]).output();
            let flags = String::from_utf8(flags.expect("pkg-config runs").stdout).expect("flags");
            let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
            let fresh = directory.join(format!("ice_libnice.{}", std::process::id()));
            let compiler = Command::new("cc")
                .arg("-O1")
                .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/ice_libnice.c"))
                .arg("-o")
                .arg(&fresh)
                .args(flags.split_whitespace())
                .output()
                .expect("a C compiler");
            assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
            let program = directory.join("ice_libnice");
            std::fs::rename(&fresh, &program).expect("one directory");
            program
        })
        .clone()
}

/// What a call is made of.
#[derive(Clone, Debug)]
struct Call<'a> {
    dialect: &'a str,
    we_control: bool,
    components: usize,
    ours: Vec<String>,
    theirs: Vec<String>,
    /// Only their candidates with this word are told.
    only: &'a str,
}

impl<'a> Call<'a> {
    fn new(dialect: &'a str, we_control: bool) -> Self {
        Self { dialect, we_control, components: 1, ours: Vec::new(), theirs: Vec::new(), only: "" }
    }

    fn ours(mut self, words: &[&str]) -> Self {
        self.ours.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    fn theirs(mut self, words: &[&str]) -> Self {
        self.theirs.extend(words.iter().map(|word| (*word).to_owned()));
        self
    }

    /// Connects, passes a line each way, and gives our description and what we said when connected.
    fn connects(&self) -> (Vec<String>, Vec<String>) {
        let components = self.components.to_string();
        let role = if self.we_control { "controlling" } else { "controlled" };
        let mut us = Command::new(ice_peer());
        us.args([
            "--dialect",
            self.dialect,
            "--role",
            role,
            "--components",
            &components,
            "--bind",
            "127.0.0.1",
        ]);
        us.args(&self.ours);
        let mode = if self.dialect == "rfc8445" { "rfc5245" } else { "oc2007r2" };
        let mut them = Command::new(libnice());
        them.args(["-m", mode, "-n", &components, "-b", "127.0.0.1"]);
        them.args(["-c", if self.we_control { "0" } else { "1" }]).args(&self.theirs);
        let (mut us, mut them) = (Program::start("ours", &mut us), Program::start("libnice", &mut them));

        let our_lines = us.until(str::is_empty);
        let their_lines = them.until(|line| line == "GATHERED");
        for line in &our_lines {
            for (name, verb) in [("a=ice-ufrag:", "ufrag"), ("a=ice-pwd:", "pwd"), ("a=candidate:", "cand")] {
                if let Some(value) = line.strip_prefix(name) {
                    them.say(&format!("{verb} {value}"));
                }
            }
        }
        for line in &their_lines {
            match line.split_once(' ') {
                Some(("UFRAG", value)) => us.say(&format!("a=ice-ufrag:{value}")),
                Some(("PWD", value)) => us.say(&format!("a=ice-pwd:{value}")),
                Some(("CAND", value)) if value.contains(self.only) => us.say(&format!("a=candidate:{value}")),
                _ => {}
            }
        }
        us.say("");
        them.say("go");
        let mut connected = Vec::new();
        while connected.len() < self.components {
            let line = us.next();
            assert!(line.starts_with("connected "), "{self:?}: {line}");
            connected.push(line);
        }
        let mut ready = 0;
        them.until(|line| {
            assert!(!line.ends_with("FAILED"), "{self:?}: {line}");
            ready += usize::from(line.ends_with("READY"));
            ready == self.components
        });
        us.say("from us");
        them.until(|line| line == "RECV 1 from us");
        them.say("send 1 from libnice");
        us.until(|line| line == "from libnice");
        (our_lines, connected)
    }
}

#[test]
fn libnice_connects_over_udp_in_both_dialects_and_both_roles() {
    for dialect in ["rfc8445", "ms-ice2"] {
        for we_control in [true, false] {
            for components in [1, 2] {
                Call { components, ..Call::new(dialect, we_control) }.connects();
            }
        }
    }
}

#[test]
fn every_nomination_meets_every_nomination() {
    for nomination in ["regular", "aggressive"] {
        for flags in [&[][..], &["-R"][..]] {
            for we_control in [true, false] {
                Call::new("rfc8445", we_control).ours(&["--nomination", nomination]).theirs(flags).connects();
            }
        }
    }
}

#[test]
fn libnice_connects_over_tcp_in_both_dialects_and_both_roles() {
    for dialect in ["rfc8445", "ms-ice2"] {
        for we_control in [true, false] {
            let call = Call { only: "TCP", ..Call::new(dialect, we_control) };
            let (lines, _) = call.ours(&["--tcp", "--no-udp"]).theirs(&["-t"]).connects();
            assert!(
                lines.iter().any(|line| line.contains("TCP"))
                    && !lines.iter().any(|line| line.contains("UDP"))
            );
        }
    }
}

#[test]
fn coturn_is_a_server_and_a_relay_for_either_side() {
    let coturn = programs::Coturn::start();
    let server = format!("127.0.0.1:{}", coturn.port);
    let relay = |transport: &str| format!("{server}:{}:{transport}", programs::Coturn::USER);
    for we_control in [true, false] {
        Call::new("rfc8445", we_control).ours(&["--stun", &server]).theirs(&["-S", &server]).connects();
        for transport in ["udp", "tcp"] {
            let call = Call::new("rfc8445", we_control).ours(&["--relay-only", "--turn", &relay(transport)]);
            let (lines, connected) = call.connects();
            let relayed = lines.iter().find(|line| line.contains("typ relay")).expect("a relayed candidate");
            let port = relayed.split(' ').nth(5).expect("its port");
            assert!(connected[0].contains(&format!("127.0.0.1:{port} ")), "{connected:?}, not {relayed}");
        }
        let both = Call { only: "relay", ..Call::new("rfc8445", we_control) };
        both.ours(&["--relay-only", "--turn", &relay("udp")]).theirs(&["-T", &relay("udp")]).connects();
    }
}

#[test]
fn draft_6_connects_two_of_ours() {
    for components in ["1", "2"] {
        for extra in [&[][..], &["--tcp", "--no-udp"][..]] {
            let peer = |role| {
                let mut command = Command::new(ice_peer());
                command.args(["--dialect", "draft06", "--role", role, "--components", components]);
                command.args(["--bind", "127.0.0.1"]).args(extra);
                Program::start(role, &mut command)
            };
            let (mut caller, mut callee) = (peer("controlling"), peer("controlled"));
            let (offer, answer) = (caller.until(str::is_empty), callee.until(str::is_empty));
            assert!(
                !offer.iter().any(|line| line.contains("ice-ufrag")) && offer[0].contains(" 0."),
                "{offer:?}"
            );
            for line in &offer {
                callee.say(line);
            }
            for line in &answer {
                caller.say(line);
            }
            let at = |line: String| {
                let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
                assert_eq!(words[0], "connected", "{line}");
                (words[1].clone(), words[2].clone())
            };
            for _ in 0..components.parse::<u8>().expect("a number") {
                let ((ours, theirs), (local, remote)) = (at(caller.next()), at(callee.next()));
                // Of two connections that stand, each end may name its own until the last offer.
                let one = (ours, theirs) == (remote, local);
                assert!(one || !extra.is_empty(), "both see one pair");
            }
            caller.say("over");
            callee.until(|line| line == "over");
            callee.say("and back");
            caller.until(|line| line == "and back");
        }
    }
}

#[test]
fn a_peer_that_never_answers_is_a_failure_and_no_hang() {
    let mut command = Command::new(ice_peer());
    command.args(["--dialect", "ms-ice2", "--role", "controlling", "--bind", "127.0.0.1"]);
    let mut peer = Program::start("ours", &mut command);
    peer.until(str::is_empty);
    for line in [
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789abcdefghijklmn",
        // Names of hosts are not looked up: no candidate is left here.
        "a=candidate:1 1 UDP 1 4b1f6d3c.local 9 typ host",
        "a=candidate:1 1 UDP 1 127.0.0.1 9 typ host",
        "",
    ] {
        peer.say(line);
    }
    assert_eq!(peer.next(), "failed no pair of candidates works");
    assert_eq!(peer.end(), Some(1));
}
