//! SRTP against rtpengine: it takes an offer with our line, forwards what it decrypts of our packets, and protects what it
//! gets from the clear side, with MKI and without.

use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterKeyIdentifier, MasterSalt, Receiver,
    ReceiverKeys, Sender, SenderKeys,
};

const PACKETS: u16 = 50;

/// A running rtpengine in user space; its log stays where a failure can be looked up.
struct Engine {
    child: Child,
    control: UdpSocket,
    asked: u32,
    log: PathBuf,
}

impl Engine {
    fn start() -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("rtpengine-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let log = folder.join("log");
        let free =
            || UdpSocket::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
        let control = free();
        let output = std::fs::File::create(&log).expect("a log");
        let child = Command::new("rtpengine")
            .args(["--table=-1", "--interface=127.0.0.1", "--foreground", "--log-stderr", "--log-level=6"])
            .args(["--port-min=34000", "--port-max=36000", "--num-threads=1", "--timeout=60"])
            .arg(format!("--listen-ng=127.0.0.1:{control}"))
            .arg(format!("--pidfile={}", folder.join("pid").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .expect("rtpengine runs: package rtpengine-daemon");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.connect(("127.0.0.1", control)).expect("loopback");
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a time-out");
        let mut engine = Self { child, control: socket, asked: 0, log };
        let start = Instant::now();
        while !engine.ask(&[("command", "ping")]).is_some_and(|reply| reply.contains("pong")) {
            assert!(start.elapsed() < Duration::from_secs(20), "no answer; log: {}", engine.log.display());
        }
        engine
    }

    /// A request of its control protocol: a dictionary of texts in bencode, or of lists of texts where one begins with a comma.
    fn ask(&mut self, members: &[(&str, &str)]) -> Option<String> {
        let mut members = members.to_vec();
        members.sort_unstable();
        self.asked += 1;
        let mut request = format!("{}_{} d", std::process::id(), self.asked);
        let text = |text: &str| format!("{}:{text}", text.len());
        for (name, value) in members {
            request += &text(name);
            match value.strip_prefix(',') {
                Some(list) => {
                    let list: String = list.split(',').map(text).collect();
                    request += &format!("l{list}e");
                }
                None => request += &text(value),
            }
        }
        request.push('e');
        self.control.send(request.as_bytes()).ok()?;
        let mut reply = vec![0; 65_536];
        let length = self.control.recv(&mut reply).ok()?;
        Some(String::from_utf8_lossy(&reply[..length]).into_owned())
    }

    /// A request about a call, repeated until it is answered.
    fn must(&mut self, members: &[(&str, &str)]) -> String {
        for _ in 0..20 {
            if let Some(reply) = self.ask(members) {
                assert!(reply.contains("6:result2:ok"), "{reply}; log: {}", self.log.display());
                return reply;
            }
        }
        panic!("no answer; log: {}", self.log.display());
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn description(port: u16, line: Option<&str>) -> String {
    let (profile, crypto) = match line {
        Some(line) => ("RTP/SAVP", format!("a=crypto:{line}\r\n")),
        None => ("RTP/AVP", String::new()),
    };
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} {profile} 8\r\n{crypto}a=sendrecv\r\n"
    )
}

fn port(reply: &str) -> u16 {
    let rest = reply.split_once("m=audio ").expect("a media line").1;
    rest.split(' ').next().and_then(|port| port.parse().ok()).expect("a port")
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(2))).expect("a time-out");
    socket
}

fn rtp(sequence: u16, ssrc: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend([0, 0, 0, ssrc]);
    packet.extend([sequence as u8; 160]);
    packet
}

fn line(suite: CryptoSuite, mki: Option<&[u8]>) -> CryptoAttribute {
    let key: Vec<u8> = (0..suite.master_key_length()).map(|at| (at as u8).wrapping_mul(11)).collect();
    let salt: Vec<u8> = (0..suite.master_salt_length()).map(|at| (at as u8).wrapping_mul(5)).collect();
    let mut key = KeyParameter::new(MasterKey::new(&key), MasterSalt::new(&salt));
    key.mki = mki.and_then(MasterKeyIdentifier::new);
    CryptoAttribute::new(1, suite, key)
}

fn talk(engine: &mut Engine, suite: CryptoSuite, mki: Option<&[u8]>) {
    let what = format!("{suite}, MKI {mki:?}");
    let line = line(suite, mki);
    let (secured, clear) = (socket(), socket());
    let local = |socket: &UdpSocket| socket.local_addr().expect("an address").port();
    let call = format!("{suite}-{}", mki.map_or(0, <[u8]>::len));
    let offer = description(local(&secured), Some(&line.to_string()));
    let reply = engine.must(&[
        ("command", "offer"),
        ("call-id", &call),
        ("from-tag", "a"),
        ("sdp", &offer),
        ("transport-protocol", "RTP/AVP"),
        ("ICE", "remove"),
    ]);
    let to_clear = ("127.0.0.1", port(&reply));
    let answer = description(local(&clear), None);
    let reply = engine.must(&[
        ("command", "answer"),
        ("call-id", &call),
        ("from-tag", "a"),
        ("to-tag", "b"),
        ("sdp", &answer),
        ("ICE", "remove"),
    ]);
    let to_secured = ("127.0.0.1", port(&reply));
    let theirs = reply.split_once("a=crypto:").expect("a line in the answer").1;
    let theirs = theirs.split("\r\n").next().expect("one line");
    let theirs = CryptoAttribute::parse(theirs).expect("a line we can read");
    assert_eq!((theirs.tag, theirs.suite), (line.tag, line.suite), "{what}");

    let mut sender = Sender::new(SenderKeys::from_attribute(&line).expect("keys"));
    let mut receiver = Receiver::new(ReceiverKeys::from_attribute(&theirs).expect("keys"));
    let mut buffer = [0_u8; 2048];
    for sequence in 1..=PACKETS {
        let plain = rtp(sequence, 7);
        buffer[..plain.len()].copy_from_slice(&plain);
        let length = sender.protect(&mut buffer, plain.len()).expect("protected");
        secured.send_to(&buffer[..length], to_secured).expect("sent");
        let length =
            clear.recv(&mut buffer).unwrap_or_else(|error| panic!("{what}, packet {sequence}: {error}"));
        assert_eq!(buffer[12..length], plain[12..], "{what}: it decrypts our packet {sequence}");

        let plain = rtp(sequence, 9);
        clear.send_to(&plain, to_clear).expect("sent");
        let length =
            secured.recv(&mut buffer).unwrap_or_else(|error| panic!("{what}, packet {sequence}: {error}"));
        let length = receiver
            .unprotect(&mut buffer[..length])
            .unwrap_or_else(|error| panic!("{what}, its packet {sequence}: {error}"));
        assert_eq!(buffer[12..length], plain[12..], "{what}: we decrypt its packet {sequence}");
    }
    engine.must(&[("command", "delete"), ("call-id", &call), ("from-tag", "a")]);
}

/// Confirms: SDES negotiation and packets with and without MKI, both ways — rtpengine 10.5
#[test]
fn rtpengine_decrypts_our_packets_and_we_its() {
    let mut engine = Engine::start();
    for suite in [
        CryptoSuite::AesCm128HmacSha1_80,
        CryptoSuite::AesCm128HmacSha1_32,
        CryptoSuite::AesCm192HmacSha1_80,
        CryptoSuite::AesCm256HmacSha1_80,
        CryptoSuite::AesCm256HmacSha1_32,
        CryptoSuite::F8_128HmacSha1_80,
        CryptoSuite::AeadAes128Gcm,
        CryptoSuite::AeadAes256Gcm,
    ] {
        for mki in [None, Some(&[1][..]), Some(&[0, 0, 0, 7])] {
            talk(&mut engine, suite, mki);
        }
    }
}
