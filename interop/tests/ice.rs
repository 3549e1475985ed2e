//! `ice-peer` with libnice: both dialects libnice has, both roles, UDP and TCP, one and two components, with and without
//! coturn as STUN server and relay; our own relay of MS-TURN for us and for libnice; draft 6 between two of ours.

#[path = "support/programs.rs"]
mod programs;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use ipdect_sim::net::{Edge, EdgeOptions};
use programs::Program;
use sip_lync::turn::Credentials;

/// `ice-peer`, built once for all tests; as `cargo test --workspace` builds it, which has done so already.
fn ice_peer() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo)
                .args(["build", "--quiet", "--workspace", "--example", "ice-peer"])
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

/// Confirms: ICE over UDP, RFC 5245 and the dialect of Lync, both roles, one and two components — libnice 0.1.21
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

/// Confirms: aggressive and regular nomination, each with each — libnice 0.1.21
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

/// Confirms: ICE over TCP, both dialects, both roles — libnice 0.1.21
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

/// Confirms: server-reflexive and relayed candidates of ours and of libnice — coturn 4.6.1, libnice 0.1.21
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

/// Confirms: draft 6 (OCS 2007) connects two of ours — nobody else: no program of another hand speaks it
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

/// An A/V Edge with one user, and what `--turn` wants of it.
struct Relay {
    edge: Edge,
    runtime: tokio::runtime::Runtime,
}

impl Relay {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let mut options = EdgeOptions::new(any, any);
        let first = 10_000 + (std::process::id() % 90) as u16 * 100;
        options.config.ports = first..=first + 99;
        options.config.allocations_per_user = 100;
        options.users.push(Credentials::new(b"relay user", b"relay password"));
        let edge = runtime.block_on(Edge::start(options)).expect("it starts");
        Self { edge, runtime }
    }

    fn at(&self, transport: &str) -> String {
        let server = if transport == "tcp" { self.edge.tcp } else { self.edge.udp };
        format!("{server}:cmVsYXkgdXNlcg==:cmVsYXkgcGFzc3dvcmQ=:{transport}")
    }

    /// What it has told so far.
    fn told(&mut self) -> String {
        let mut told = String::new();
        while let Ok(event) = self.edge.events.try_recv() {
            told += &format!("{event:?}\n");
        }
        told
    }
}

/// Address and port of a relayed candidate, in either form.
fn relayed(lines: &[String], component: usize) -> String {
    let of_component = |line: &&String| {
        let words: Vec<&str> = line.split(' ').collect();
        words.get(1) == Some(&component.to_string().as_str()) && line.starts_with("a=candidate:")
    };
    let line = lines.iter().find(of_component).unwrap_or_else(|| panic!("{lines:#?}"));
    let words: Vec<&str> = line.split(' ').collect();
    let at = if words.get(6) == Some(&"typ") { 4 } else { 5 };
    format!("{}:{}", words[at], words[at + 1])
}

/// Two of ours tell each other only what the relay lent them.
fn two_of_ours_meet_at(relay: &Relay, dialect: &str, transports: [&str; 2], components: usize) {
    let why = format!("{dialect} {transports:?} {components}");
    let peer = |role: &'static str, transport: &str| {
        let mut command = Command::new(ice_peer());
        command.args(["--dialect", dialect, "--role", role, "--components", &components.to_string()]);
        command.args(["--bind", "127.0.0.1", "--relay-only", "--turn", &relay.at(transport)]);
        Program::start(role, &mut command)
    };
    let (mut caller, mut callee) = (peer("controlling", transports[0]), peer("controlled", transports[1]));
    let (offer, answer) = (caller.until(str::is_empty), callee.until(str::is_empty));
    for line in &offer {
        callee.say(line);
    }
    for line in &answer {
        caller.say(line);
    }
    for component in 1..=components {
        let (ours, theirs) = (relayed(&offer, component), relayed(&answer, component));
        assert_eq!(caller.next(), format!("connected {ours} {theirs}"), "{why}");
        assert_eq!(callee.next(), format!("connected {theirs} {ours}"), "{why}");
    }
    for turn in 0..5 {
        caller.say(&format!("there {turn}"));
        callee.until(|line| line == format!("there {turn}"));
        callee.say(&format!("back {turn}"));
        caller.until(|line| line == format!("back {turn}"));
    }
}

/// Confirms: our relay of MS-TURN carries calls of a client of another hand — libnice 0.1.21
#[test]
fn our_relay_of_ms_turn_carries_calls_of_ours_and_of_libnice() {
    let mut relay = Relay::start();
    for dialect in ["ms-ice2", "draft06"] {
        for (transports, components) in [(["udp", "udp"], 2), (["tcp", "udp"], 1), (["tcp", "tcp"], 1)] {
            two_of_ours_meet_at(&relay, dialect, transports, components);
            let told = relay.told();
            assert!(told.matches("Allocated").count() >= 2 * components, "{told}");
            assert!(told.contains("Activated"), "the chosen pair takes the short way: {told}");
        }
    }
    for we_control in [true, false] {
        for transport in ["udp", "tcp"] {
            let call = Call { components: 2, ..Call::new("ms-ice2", we_control) };
            let (lines, connected) = call.ours(&["--relay-only", "--turn", &relay.at(transport)]).connects();
            for component in [1, 2] {
                let local = format!("connected {} ", relayed(&lines, component));
                assert!(connected[component - 1].starts_with(&local), "{connected:?}, not {local}");
            }
        }
        // libnice pays for the relay, and tells nothing else.
        let call = Call { only: "relay", ..Call::new("ms-ice2", we_control) };
        let (_, connected) = call.theirs(&["-T", &relay.at("udp")]).connects();
        let told = relay.told();
        let remote = connected[0].rsplit(' ').next().expect("an address");
        assert!(told.contains(remote), "{connected:?}: {told}");
    }
    drop(relay.edge);
    relay.runtime.shutdown_background();
}

/// Confirms: a peer that never answers is a failure in time — nobody else: there is no other side
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
