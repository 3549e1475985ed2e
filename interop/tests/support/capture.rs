//! A capture of all that goes over the network of a test, and what tshark makes of it.

#![allow(dead_code, reason = "each test uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
    /// The methods and statuses of SIP.
    pub(crate) sip: BTreeMap<String, usize>,
}

impl Read {
    pub(crate) fn of(&self, protocol: &str) -> usize {
        self.frames.get(protocol).copied().unwrap_or(0)
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
            .args(["-i", "any", "-s0", "-U", "-Z", "root", "-B", "20000", "-w"])
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

    /// Ends the capture and has tshark read it; these TCP ports carry SIP.
    pub(crate) fn read(mut self, sip: &[u16]) -> Read {
        let _asked = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ended = self.child.wait();
        let mut tshark = Command::new(programs().join("tshark"));
        tshark.arg("-r").arg(&self.file).args(["-2", "-o", "rtp.heuristic_rtp:TRUE"]);
        for port in sip {
            tshark.args(["-d", &format!("tcp.port=={port},sip")]);
        }
        let fields = [
            "frame.number",
            "frame.protocols",
            "_ws.malformed",
            "sip.Method",
            "sip.Status-Code",
            "udp.port",
            "data.data",
        ];
        tshark.args(["-T", "fields"]);
        for field in fields {
            tshark.args(["-e", field]);
        }
        let output = tshark.output().expect("tshark");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut read = Read::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let mut values = line.split('\t');
            let mut next = || values.next().unwrap_or_default();
            let (number, protocols, malformed) = (next(), next(), next());
            let (methods, statuses, ports, data) = (next(), next(), next(), next());
            let mut of_frame: Vec<&str> = protocols.split(':').collect();
            of_frame.sort_unstable();
            of_frame.dedup();
            for protocol in &of_frame {
                *read.frames.entry((*protocol).to_owned()).or_default() += 1;
            }
            if !malformed.is_empty() || protocols.contains("malformed") {
                read.malformed.push(format!("{number} {protocols} {ports} {malformed}"));
            }
            let nobodys =
                of_frame.contains(&"udp") && of_frame.contains(&"data") && !of_frame.contains(&"icmp");
            if nobodys && is_secure_report(data) {
                *read.frames.entry("srtcp".to_owned()).or_default() += 1;
            } else if nobodys {
                read.unknown.push(format!("{number} {protocols} {ports}"));
            }
            for word in methods.split(',').chain(statuses.split(',')).filter(|word| !word.is_empty()) {
                *read.sip.entry(word.to_owned()).or_default() += 1;
            }
        }
        if read.malformed.is_empty() && read.unknown.is_empty() {
            let _gone = fs::remove_file(&self.file);
        } else {
            eprintln!("{} is kept", self.file.display());
        }
        read
    }
}

/// Whether octets (in hexadecimal) are SRTCP: version 2, a type of RTCP, the rest is encrypted and so not for tshark.
fn is_secure_report(octets: &str) -> bool {
    let octet = |at: usize| octets.get(2 * at..2 * at + 2).and_then(|text| u8::from_str_radix(text, 16).ok());
    octet(0).is_some_and(|first| first >> 6 == 2) && octet(1).is_some_and(|kind| (200..=207).contains(&kind))
}

/// The directory of tshark.
fn programs() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/tshark.sh");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tshark");
    let output = Command::new(script).arg(directory).output().expect("a shell");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a path").trim().into()
}
