//! ICE: how long it takes from the answer until the offerer is connected, in round trips, ours and libnice in one run.
//!
//! Two programs on the loopback interface behind a proxy that holds every datagram for a tenth of a second: the time of the
//! network is all there is. The callee has the offer one way before the offerer has the answer. Without libnice
//! (Debian's `libnice-dev`) only ours is timed, and that is said.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// One way.
const DELAY: Duration = Duration::from_millis(100);
/// Calls of each kind; the fastest counts.
const CALLS: usize = 3;
/// A call that is not connected by then never is.
const PATIENCE: Duration = Duration::from_mins(1);

/// A datagram on its way: when it arrives, from which socket, to whom.
type Held = (Instant, Arc<UdpSocket>, SocketAddr, Vec<u8>);

/// Stands for every address of both ends and holds what is sent to it.
struct Proxy {
    /// The socket that stands for a real address.
    stands: Arc<Mutex<BTreeMap<SocketAddr, Arc<UdpSocket>>>>,
    held: Sender<Held>,
    over: Arc<AtomicBool>,
}

impl Proxy {
    fn new() -> Self {
        let (held, arrivals) = channel::<Held>();
        std::thread::spawn(move || deliver(&arrivals));
        Self { stands: Arc::default(), held, over: Arc::default() }
    }

    /// The address to be told in place of a real one.
    fn stand_for(&self, real: SocketAddr) -> SocketAddr {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a socket"));
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("an option");
        let address = socket.local_addr().expect("an address");
        self.stands.lock().expect("nobody panicked").insert(real, Arc::clone(&socket));
        let (stands, held, over) = (Arc::clone(&self.stands), self.held.clone(), Arc::clone(&self.over));
        std::thread::spawn(move || {
            let mut buffer = [0; 2048];
            while !over.load(Ordering::Relaxed) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                let sender = stands.lock().expect("nobody panicked").get(&from).cloned();
                if let Some(sender) = sender {
                    let octets = buffer.get(..length).unwrap_or_default().to_vec();
                    let _over = held.send((Instant::now() + DELAY, sender, real, octets));
                }
            }
        });
        address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Sends what is held when it is due: all is held equally long, so that what came first goes first.
fn deliver(arrivals: &Receiver<Held>) {
    let mut waiting: VecDeque<Held> = VecDeque::new();
    loop {
        let wait =
            waiting.front().map_or(PATIENCE, |(due, ..)| due.saturating_duration_since(Instant::now()));
        match arrivals.recv_timeout(wait) {
            Ok(held) => waiting.push_back(held),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while waiting.front().is_some_and(|(due, ..)| *due <= Instant::now()) {
            if let Some((_, socket, to, octets)) = waiting.pop_front() {
                let _lost = socket.send_to(&octets, to);
            }
        }
    }
}

/// Which program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    Ours,
    Libnice,
}

/// What a call is made of.
#[derive(Clone, Copy)]
struct Call {
    dialect: &'static str,
    aggressive: bool,
    components: usize,
}

struct Programs {
    ours: PathBuf,
    libnice: Option<PathBuf>,
}

/// One end of a call.
struct End {
    who: Who,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl End {
    fn start(programs: &Programs, who: Who, call: Call, controls: bool) -> Self {
        let components = call.components.to_string();
        let mut command = match who {
            Who::Ours => {
                let mut command = Command::new(&programs.ours);
                command.args(["--dialect", call.dialect, "--components", &components, "--bind", "127.0.0.1"]);
                command.args(["--role", if controls { "controlling" } else { "controlled" }]);
                command.args(["--nomination", if call.aggressive { "aggressive" } else { "regular" }]);
                command
            }
            Who::Libnice => {
                let mut command = Command::new(programs.libnice.as_ref().expect("it was asked for"));
                let mode = if call.dialect == "rfc8445" { "rfc5245" } else { "oc2007r2" };
                command.args(["-m", mode, "-n", &components, "-b", "127.0.0.1"]);
                command.args(["-c", if controls { "1" } else { "0" }]);
                command.args((!call.aggressive).then_some("-R"));
                command
            }
        };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
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
        Self { who, child, input, lines }
    }

    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    fn say(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).expect("it listens");
        self.input.flush().expect("it listens");
    }

    /// Its description: names and values, with the proxy's addresses in place of its own.
    fn described(&self, proxy: &Proxy) -> Vec<(&'static str, String)> {
        let mut told = Vec::new();
        loop {
            let line = self.next();
            if line.is_empty() || line == "GATHERED" {
                return told;
            }
            for (ours, theirs, name) in [
                ("a=ice-ufrag:", "UFRAG ", "ufrag"),
                ("a=ice-pwd:", "PWD ", "pwd"),
                ("a=candidate:", "CAND ", "cand"),
            ] {
                let Some(value) = line.strip_prefix(ours).or_else(|| line.strip_prefix(theirs)) else {
                    continue;
                };
                let mut words: Vec<String> = value.split(' ').map(str::to_owned).collect();
                if name == "cand" {
                    if !words[2].eq_ignore_ascii_case("udp") {
                        continue;
                    }
                    let real = format!("{}:{}", words[4], words[5]).parse().expect("an address");
                    words[5] = proxy.stand_for(real).port().to_string();
                }
                told.push((name, words.join(" ")));
            }
        }
    }

    /// Hears the other one's description.
    fn hear(&mut self, told: &[(&'static str, String)]) {
        let mut text = String::new();
        for (name, value) in told {
            text += &match (self.who, *name) {
                (Who::Libnice, name) => format!("{name} {value}\n"),
                (Who::Ours, "ufrag") => format!("a=ice-ufrag:{value}\n"),
                (Who::Ours, "pwd") => format!("a=ice-pwd:{value}\n"),
                (Who::Ours, _) => format!("a=candidate:{value}\n"),
            };
        }
        text += if self.who == Who::Libnice { "go\n" } else { "\n" };
        self.say(&text);
    }

    /// Waits until all its components are connected.
    fn connected(&self, components: usize) {
        let mut ready = 0;
        while ready < components {
            let line = self.next();
            assert!(!line.contains("failed") && !line.ends_with("FAILED"), "{line}");
            ready += usize::from(line.starts_with("connected ") || line.ends_with(" READY"));
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// From the answer until the offerer is connected.
fn took(programs: &Programs, call: Call, offerer: Who, answerer: Who) -> Duration {
    let proxy = Proxy::new();
    let mut offerer = End::start(programs, offerer, call, true);
    let mut answerer = End::start(programs, answerer, call, false);
    let (offer, answer) = (offerer.described(&proxy), answerer.described(&proxy));
    answerer.hear(&offer);
    // The answer travels as long as a check.
    std::thread::sleep(DELAY);
    let start = Instant::now();
    offerer.hear(&answer);
    offerer.connected(call.components);
    let took = start.elapsed();
    answerer.connected(call.components);
    took
}

fn programs() -> Programs {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "examples", "--example", "ice-peer"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(&root)
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    let ours = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|line| line["executable"].as_str().map(PathBuf::from))
        .expect("ice-peer is built");
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", "nice", "gio-2.0"]).output();
    let libnice = flags.ok().filter(|flags| flags.status.success()).and_then(|flags| {
        let program = std::env::temp_dir().join(format!("ice_libnice.{}", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-O2", "-o"])
            .arg(&program)
            .arg(root.join("interop/peers/ice_libnice.c"))
            .args(String::from_utf8_lossy(&flags.stdout).split_whitespace())
            .status();
        compiled.is_ok_and(|status| status.success()).then_some(program)
    });
    Programs { ours, libnice }
}

fn main() {
    let programs = programs();
    let mut kinds = vec![(Who::Ours, Who::Ours, "ours to ours")];
    if programs.libnice.is_some() {
        kinds.extend([
            (Who::Ours, Who::Libnice, "ours to libnice"),
            (Who::Libnice, Who::Ours, "libnice to ours"),
            (Who::Libnice, Who::Libnice, "libnice to libnice"),
        ]);
    } else {
        println!("libnice (libnice-dev) is not here: only ours is timed");
    }
    println!("round trips of {} ms from the answer until the offerer is connected", DELAY.as_millis() * 2);
    for dialect in ["rfc8445", "ms-ice2"] {
        for aggressive in [true, false] {
            for components in [1, 2] {
                let call = Call { dialect, aggressive, components };
                let mut best = vec![Duration::MAX; kinds.len()];
                // All kinds take turns: a slow moment of the machine meets each of them.
                for _ in 0..CALLS {
                    for ((offerer, answerer, _), best) in kinds.iter().zip(&mut best) {
                        *best = took(&programs, call, *offerer, *answerer).min(*best);
                    }
                }
                let nomination = if aggressive { "aggressive" } else { "regular" };
                print!("{dialect}, {nomination}, {components} component(s):");
                for ((.., name), best) in kinds.iter().zip(&best) {
                    print!("  {name} {:.2}", best.as_secs_f64() / (DELAY * 2).as_secs_f64());
                }
                println!();
            }
        }
    }
    if let Some(program) = programs.libnice {
        let _left_behind = std::fs::remove_file(program);
    }
}
