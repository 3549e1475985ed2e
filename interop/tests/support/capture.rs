//! A capture of all that goes over the network of a test, and what tshark makes of it. Secrets of TLS come from our side
//! (`SSLKEYLOGFILE`) or from kamailio, so that what is inside is read, too.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::network;

/// A running tcpdump.
#[derive(Debug)]
pub(crate) struct Capture {
    child: Child,
    file: PathBuf,
}

/// What a dissector of another hand read.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// How many frames have a protocol.
    pub(crate) frames: BTreeMap<String, usize>,
    /// Frames with something malformed, by number and protocols.
    pub(crate) malformed: Vec<String>,
    /// Datagrams that nobody understood.
    pub(crate) unknown: Vec<String>,
    /// What the dissectors call an error.
    pub(crate) errors: Vec<String>,
    /// The methods and statuses of SIP.
    pub(crate) sip: BTreeMap<String, usize>,
    /// Lines of SDES: suite, lifetime and length of the MKI, as far as they are there.
    pub(crate) crypto: BTreeMap<String, usize>,
    /// Packets of SRTP whose keys SDP has announced.
    pub(crate) srtp: usize,
}

impl Read {
    pub(crate) fn of(&self, protocol: &str) -> usize {
        self.frames.get(protocol).copied().unwrap_or(0)
    }

    /// Each of these protocols was seen, and each of these methods and statuses of SIP.
    pub(crate) fn shows(&self, protocols: &[&str], sip: &[&str]) {
        for protocol in protocols {
            assert!(self.of(protocol) > 0, "{protocol}: {:?}", self.frames);
        }
        for word in sip {
            assert!(self.sip.contains_key(*word), "{word}: {:?}", self.sip);
        }
    }
}

/// Sees to tshark, for which the world must be reached: to be called before the test enters its own network.
pub(crate) fn prepare() {
    let _there = programs();
}

impl Capture {
    /// Captures everything in the network of this process.
    pub(crate) fn start(name: &str) -> Self {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.pcap", std::process::id()));
        let _not_there = fs::remove_file(&file);
        let child = Command::new("tcpdump")
            .args(["-i", "any", "-s0", "-U", "--immediate-mode", "-Z", "root", "-B", "20000", "-w"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tcpdump, of the package of that name");
        let end = Instant::now() + Duration::from_mins(1);
        // The header of the file comes when the capture has begun.
        while fs::metadata(&file).map_or(0, |data| data.len()) < 24 {
            assert!(Instant::now() < end, "tcpdump does not begin");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, file }
    }

    /// Waits until what has been sent so far is in the file.
    fn is_complete(&self) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            // Nobody listens: every other datagram only learns that.
            let _sent = socket.send_to(LAST, DISCARD);
            std::thread::sleep(Duration::from_millis(20));
            let octets = fs::read(&self.file).unwrap_or_default();
            let tail = octets.get(octets.len().saturating_sub(8_192)..).unwrap_or_default();
            if tail.windows(LAST.len()).any(|window| window == LAST) {
                return;
            }
            assert!(Instant::now() < end, "tcpdump does not follow");
        }
    }

    /// Ends the capture and has tshark read it; these TCP ports carry SIP, bare or in TLS.
    ///
    /// # Panics
    /// When anything is malformed, an error, or understood by nobody.
    pub(crate) fn understood(mut self, sip: &[u16]) -> Read {
        self.is_complete();
        let _asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ended = self.child.wait();
        let program = programs().join("tshark");
        let settings = self.file.with_extension("settings");
        fs::create_dir_all(&settings).expect("a folder");
        fs::write(settings.join("disabled_protos"), strangers(&program)).expect("a file");
        let mut tshark = Command::new(program);
        tshark.env("WIRESHARK_CONFIG_DIR", &settings);
        tshark.arg("-r").arg(&self.file).args(["-2", "-o", "rtp.heuristic_rtp:TRUE"]);
        if let Some(keys) = network::keys() {
            tshark.arg("-o").arg(format!("tls.keylog_file:{}", keys.display()));
        }
        for port in sip.iter().copied().chain([5062]) {
            tshark.args(["-d", &format!("tls.port=={port},sip")]);
        }
        tshark.args(["-T", "fields", "-E", "occurrence=a"]);
        for field in FIELDS {
            tshark.args(["-e", field]);
        }
        let output = tshark.output().expect("tshark");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut read = Read::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let values: Vec<&str> = line.split('\t').collect();
            read.frame(|field| {
                FIELDS
                    .iter()
                    .position(|name| *name == field)
                    .and_then(|at| values.get(at))
                    .copied()
                    .unwrap_or_default()
            });
        }
        let good = read.malformed.is_empty() && read.unknown.is_empty() && read.errors.is_empty();
        assert!(good, "{} is kept: {read:#?}", self.file.display());
        let _gone = fs::remove_file(&self.file).and_then(|()| fs::remove_dir_all(&settings));
        read
    }
}

/// The last datagram of a capture, to the port where everything is thrown away (RFC 863).
const LAST: &[u8] = b"the last datagram of this capture";
const DISCARD: &str = "127.0.0.1:9";

const FIELDS: [&str; 14] = [
    "frame.number",
    "frame.protocols",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
    "sip.Method",
    "sip.Status-Code",
    "udp.port",
    "data.data",
    "srtp.auth_tag",
    "sdp.crypto.crypto_suite",
    "sdp.crypto.lifetime",
    "sdp.crypto.mki_length",
    "tcp.port",
];

impl Read {
    /// Counts one frame.
    fn frame<'a>(&mut self, value: impl Fn(&str) -> &'a str) {
        let mut of_frame: Vec<&str> = value("frame.protocols").split(':').collect();
        of_frame.sort_unstable();
        of_frame.dedup();
        for protocol in &of_frame {
            *self.frames.entry((*protocol).to_owned()).or_default() += 1;
        }
        let place = || ["frame.number", "frame.protocols", "udp.port", "tcp.port"].map(&value).join(" ");
        if !value("_ws.malformed").is_empty() || of_frame.contains(&"_ws.malformed") {
            self.malformed.push(format!("{} {}", place(), value("_ws.malformed")));
        }
        let worst = value("_ws.expert.severity").split(',').filter_map(|text| text.parse::<u32>().ok()).max();
        // What baresip sends to its own kind before the answer with its keys: tshark reads the name, which is encrypted.
        let early = of_frame.contains(&"rtcp") && value("_ws.expert.message") == ENCRYPTED_NAME;
        if worst.is_some_and(|worst| worst >= ERROR) && !early {
            self.errors.push(format!("{} {}", place(), value("_ws.expert.message")));
        }
        let nobodys = of_frame.contains(&"udp") && of_frame.contains(&"data") && !of_frame.contains(&"icmp");
        let nobodys = nobodys && !value("udp.port").split(',').any(|port| port == "9");
        if nobodys && is_secure_report(value("data.data")) {
            *self.frames.entry("srtcp".to_owned()).or_default() += 1;
        } else if nobodys {
            self.unknown.push(place());
        }
        self.srtp += usize::from(!value("srtp.auth_tag").is_empty());
        let words = value("sip.Method").split(',').chain(value("sip.Status-Code").split(','));
        for word in words.filter(|word| !word.is_empty()) {
            *self.sip.entry(word.to_owned()).or_default() += 1;
        }
        if !value("sdp.crypto.crypto_suite").is_empty() {
            let line = ["sdp.crypto.crypto_suite", "sdp.crypto.lifetime", "sdp.crypto.mki_length"];
            *self.crypto.entry(line.map(&value).join(" ")).or_default() += 1;
        }
    }
}

const ENCRYPTED_NAME: &str = "Application name is not a string";

/// The severity of an error (`PI_ERROR`).
const ERROR: u32 = 0x0080_0000;

/// Whether octets (in hexadecimal) are SRTCP: version 2, a type of RTCP, the rest is encrypted and so not for tshark.
fn is_secure_report(octets: &str) -> bool {
    let octet = |at: usize| octets.get(2 * at..2 * at + 2).and_then(|text| u8::from_str_radix(text, 16).ok());
    octet(0).is_some_and(|first| first >> 6 == 2) && octet(1).is_some_and(|kind| (200..=207).contains(&kind))
}

/// What tshark takes datagrams for because of a port that anybody may draw, a name on each line: media that happen to use it
/// would be malformed.
fn strangers(tshark: &Path) -> String {
    let output = Command::new(tshark).args(["-G", "decodes"]).output().expect("tshark");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let by_port = String::from_utf8_lossy(&output.stdout).into_owned();
    let strangers = by_port.lines().filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        ["udp.port", port, name] if port.parse().is_ok_and(|port: u16| port >= 10_000) => Some(name),
        _ => None,
    });
    let strangers: BTreeSet<&str> = strangers.collect();
    assert!(!strangers.is_empty(), "tshark names its protocols in another form");
    strangers.into_iter().flat_map(|name| [name, "\n"]).collect()
}

/// The directory of tshark.
fn programs() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/tshark.sh");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tshark");
    let output = Command::new(script).arg(directory).output().expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a path").trim().into()
}
