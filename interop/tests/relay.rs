//! Relays: our client at coturn over UDP, TCP and TLS; coturn as STUN server; libnice, as OCS 2007 R2 clients are, at our relay
//! of MS-TURN.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipdect_sim::net::{Edge, EdgeOptions};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConnection, StreamOwned};
use sip_lync::Seed;
use sip_lync::stun::{Builder, Class, Dialect, Message, Method, TransactionId};
use sip_lync::turn::{Client, ClientConfig, Credentials, Event, Input, Service, State, Transport};

/// How long a step may take; it is over in a moment unless something is wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// coturn, on a port of its own.
struct Coturn {
    child: Child,
    plain: SocketAddr,
    tls: SocketAddr,
    certificate: CertificateDer<'static>,
    folder: PathBuf,
}

/// A port that nobody has, neither for datagrams nor for connections. It lies below those that a connection gets for itself:
/// somebody who dials such a port before anybody listens there may be connected to himself, and keep it.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset =
            (std::process::id() as u16).wrapping_mul(8).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let address = SocketAddr::from(([127, 0, 0, 1], 12_000 + offset % 18_000));
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address.port();
        }
    }
}

impl Coturn {
    fn start(name: &str) -> Self {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("coturn-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let identity =
            rcgen::generate_simple_self_signed(vec!["coturn.test".to_owned()]).expect("a certificate");
        std::fs::write(folder.join("cert.pem"), identity.cert.pem()).expect("a file");
        std::fs::write(folder.join("key.pem"), identity.signing_key.serialize_pem()).expect("a file");
        let (plain, tls) = (free_port(), free_port());
        let log = std::fs::File::create(folder.join("log")).expect("a file");
        let child = Command::new("turnserver")
            .args([
                "-n",
                "-L",
                "127.0.0.1",
                "-E",
                "127.0.0.1",
                "--lt-cred-mech",
                "-u",
                "lab:labpw",
                "-r",
                "lab.test",
            ])
            .args([
                "--no-dtls",
                "--no-cli",
                "--allow-loopback-peers",
                "--log-file",
                "stdout",
                "--simple-log",
                "-v",
            ])
            .args(["-p", &plain.to_string(), "--tls-listening-port", &tls.to_string()])
            .arg("--cert")
            .arg(folder.join("cert.pem"))
            .arg("--pkey")
            .arg(folder.join("key.pem"))
            .arg("--userdb")
            .arg(folder.join("users"))
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver (Debian package coturn)");
        let end = Instant::now() + PATIENCE;
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        while TcpStream::connect(address(plain)).is_err() || TcpStream::connect(address(tls)).is_err() {
            assert!(Instant::now() < end, "coturn does not listen: {}", folder.display());
            std::thread::park_timeout(Duration::from_millis(20));
        }
        let certificate = identity.cert.der().clone();
        Self { child, plain: address(plain), tls: address(tls), certificate, folder }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

/// A way to the server.
enum Link {
    Datagrams(UdpSocket, SocketAddr),
    Stream(Box<dyn Stream>),
}

impl Link {
    fn open(transport: Transport, server: SocketAddr, certificate: &CertificateDer<'static>) -> Self {
        let wait = Some(Duration::from_millis(20));
        if transport == Transport::Udp {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
            socket.set_read_timeout(wait).expect("a timeout");
            return Self::Datagrams(socket, server);
        }
        let stream = TcpStream::connect(server).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        if transport != Transport::Tls {
            stream.set_read_timeout(wait).expect("a timeout");
            return Self::Stream(Box::new(stream));
        }
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate.clone()).expect("a root");
        let config =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_root_certificates(roots)
                .with_no_client_auth();
        let name = ServerName::try_from("coturn.test").expect("a name");
        let mut connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
        let mut stream = stream;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).expect("a handshake");
        }
        stream.set_read_timeout(wait).expect("a timeout");
        Self::Stream(Box::new(StreamOwned::new(connection, stream)))
    }

    fn send(&mut self, octets: &[u8]) {
        match self {
            Self::Datagrams(socket, server) => drop(socket.send_to(octets, *server).expect("it is sent")),
            Self::Stream(stream) => {
                stream.write_all(octets).expect("it is sent");
                stream.flush().expect("it is sent");
            }
        }
    }

    /// What came within a moment.
    fn receive(&mut self, client: &mut Client) {
        let mut buffer = [0; 4096];
        match self {
            Self::Datagrams(socket, _) => {
                if let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    client
                        .handle_input(Instant::now(), Input::Datagram { from, octets: &buffer[..length] })
                        .expect("coturn keeps the rules");
                }
            }
            Self::Stream(stream) => {
                if let Ok(length) = stream.read(&mut buffer) {
                    client
                        .handle_input(Instant::now(), Input::Bytes(&buffer[..length]))
                        .expect("coturn keeps the rules");
                }
            }
        }
    }
}

/// Carries octets until an event comes that is wanted.
fn until(client: &mut Client, link: &mut Link, mut wanted: impl FnMut(&Event) -> bool) -> Event {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut buffer = BytesMut::new();
        while let Some(transmit) = client.poll_transmit(&mut buffer) {
            link.send(&buffer.split_to(transmit.len));
        }
        while let Some(event) = client.poll_event() {
            match event {
                Event::Connect { .. } => {
                    client.handle_input(Instant::now(), Input::Opened).expect("it was asked for");
                }
                event if wanted(&event) => return event,
                other => println!("{other:?}"),
            }
        }
        assert!(Instant::now() < end, "nothing came: {:?}", client.state());
        link.receive(client);
        client.handle_timeout(Instant::now());
    }
}

fn relays(coturn: &Coturn) {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        let server = if transport == Transport::Tls { coturn.tls } else { coturn.plain };
        let config =
            ClientConfig::new(server, Service::Rfc8656, transport, Credentials::new(b"lab", b"labpw"));
        let mut client = Client::new(config, Seed([7; 32]));
        let mut link = Link::open(transport, server, &coturn.certificate);
        client.allocate(Instant::now()).expect("it is idle");
        let event = until(&mut client, &mut link, |event| matches!(event, Event::Allocated { .. }));
        let Event::Allocated { relayed, reflexive, .. } = event else { panic!() };
        if let Link::Datagrams(socket, _) = &link {
            assert_eq!(reflexive, Some(socket.local_addr().expect("an address")));
        }

        let peer = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        peer.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let address = peer.local_addr().expect("an address");
        client.permit(Instant::now(), address).expect("it stands");
        until(&mut client, &mut link, |event| matches!(event, Event::Permitted { .. }));
        // The long path with every length of padding, then the short one.
        for path in ["long", "short"] {
            if path == "short" {
                client.bind(Instant::now(), address).expect("it stands");
                until(&mut client, &mut link, |event| matches!(event, Event::Bound { .. }));
            }
            for length in [1, 2, 3, 4, 172, 1200] {
                let sent = vec![0x5a; length];
                client.send(Instant::now(), address, &sent).expect("it stands");
                let mut buffer = BytesMut::new();
                while let Some(transmit) = client.poll_transmit(&mut buffer) {
                    link.send(&buffer.split_to(transmit.len));
                }
                let mut received = [0; 2000];
                let (count, from) = peer.recv_from(&mut received).expect("a packet");
                assert_eq!((&received[..count], from), (&sent[..], relayed), "{transport:?} {path}");
                peer.send_to(&sent, relayed).expect("it is sent");
                let event = until(&mut client, &mut link, |event| matches!(event, Event::Data { .. }));
                assert_eq!(event, Event::Data { peer: address, data: sent.into() }, "{transport:?} {path}");
            }
        }
        client.release(Instant::now());
        until(&mut client, &mut link, |event| matches!(event, Event::Released));
        assert_eq!(client.state(), State::Ended);
    }
}

fn refuses(coturn: &Coturn) {
    let wrong = Credentials::new(b"lab", b"wrong");
    let config = ClientConfig::new(coturn.plain, Service::Rfc8656, Transport::Udp, wrong);
    let mut client = Client::new(config, Seed([7; 32]));
    let mut link = Link::open(Transport::Udp, coturn.plain, &coturn.certificate);
    client.allocate(Instant::now()).expect("it is idle");
    let event = until(&mut client, &mut link, |event| matches!(event, Event::Failed(_)));
    assert!(format!("{event:?}").contains("Credentials(401)"), "{event:?}");
}

fn tells_where_we_are(coturn: &Coturn) {
    for dialect in [Dialect::Rfc8489, Dialect::Rfc3489] {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
        let transaction = TransactionId::new(dialect, [0x33; 16]);
        let mut buffer = [0; 100];
        let builder = Builder::new(&mut buffer, dialect, Class::Request, Method::Binding, transaction);
        let request = builder.finish(None, None).expect("it fits");
        let mut received = [0; 1000];
        let end = Instant::now() + PATIENCE;
        let length = loop {
            socket.send_to(request, coturn.plain).expect("it is sent");
            match socket.recv_from(&mut received) {
                Ok((length, _)) => break length,
                Err(error) => assert!(Instant::now() < end, "{dialect:?}: {error}"),
            }
        };
        let answer = Message::parse(dialect, &received[..length]).expect("a message");
        assert_eq!((answer.class(), answer.transaction()), (Class::Success, transaction));
        assert_eq!(answer.reflexive_address(), Some(socket.local_addr().expect("an address")), "{dialect:?}");
    }
}

/// Confirms: our TURN client over UDP, TCP and TLS; STUN in both dialects — coturn 4.6.1
/// One server for all three: it takes ports of its own choice beside those it is told.
#[test]
fn coturn_relays_over_udp_tcp_and_tls_refuses_wrong_passwords_and_tells_where_we_are_in_both_dialects() {
    let coturn = Coturn::start("coturn");
    relays(&coturn);
    refuses(&coturn);
    tells_where_we_are(&coturn);
}

/// libnice on its standard input and output.
struct Nice {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// The peer over libnice, compiled.
fn libnice() -> PathBuf {
    let flags = Command::new("pkg-config").args(["--cflags", "--libs", "nice", "gio-2.0"]).output();
    let flags = String::from_utf8(flags.expect("pkg-config runs").stdout).expect("flags");
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let fresh = directory.join(format!("relay_libnice.{}", std::process::id()));
    let compiler = Command::new("cc")
        .arg("-O1")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/ice_libnice.c"))
        .arg("-o")
        .arg(&fresh)
        .args(flags.split_whitespace())
        .output()
        .expect("a C compiler");
    assert!(compiler.status.success(), "{}", String::from_utf8_lossy(&compiler.stderr));
    let program = directory.join("relay_libnice");
    std::fs::rename(&fresh, &program).expect("one directory");
    program
}

impl Nice {
    fn start(program: &Path, controls: bool, relay: &str) -> Self {
        let mut child = Command::new(program)
            .args([
                "-m",
                "oc2007r2",
                "-c",
                if controls { "1" } else { "0" },
                "-n",
                "2",
                "-b",
                "127.0.0.1",
                "-T",
                relay,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("only {:#?}", self.seen));
            self.seen.push(line.clone());
            assert!(!line.contains("FAILED"), "{:#?}", self.seen);
            if wanted(&line) {
                return line;
            }
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("a pipe"), "{line}").expect("it listens");
    }
}

impl Drop for Nice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Confirms: allocation at our MS-TURN relay and a connection through it — libnice 0.1.21
/// Two agents of libnice, each with allocations at our relay, tell each other only their relayed addresses: every packet
/// crosses the relay twice.
#[test]
fn libnice_allocates_at_our_relay_and_connects_through_it() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let mut options = EdgeOptions::new(any, any);
    let first = 20_000 + (std::process::id() % 400) as u16 * 100;
    options.config.ports = first..=first + 99;
    options.config.allocations_per_user = 100;
    // What libnice decodes from base64: "relay user" and "relay password".
    options.users.push(Credentials::new(b"relay user", b"relay password"));
    let mut edge = runtime.block_on(Edge::start(options)).expect("it starts");
    let program = libnice();
    let relay = format!("127.0.0.1:{}:cmVsYXkgdXNlcg==:cmVsYXkgcGFzc3dvcmQ=:udp", edge.udp.port());
    let mut agents = [Nice::start(&program, true, &relay), Nice::start(&program, false, &relay)];
    for agent in &mut agents {
        agent.until(|line| line == "GATHERED");
    }
    let told: [Vec<String>; 2] = agents.each_ref().map(|agent| {
        let relayed = |line: &&String| !line.starts_with("CAND ") || line.contains(" typ relay ");
        let told: Vec<String> = agent.seen.iter().filter(relayed).cloned().collect();
        assert!(told.iter().filter(|line| line.starts_with("CAND ")).count() >= 2, "{:#?}", agent.seen);
        told
    });
    for (agent, told) in agents.iter_mut().zip(told.iter().rev()) {
        for line in told {
            if let Some((word, value)) = line.split_once(' ')
                && ["UFRAG", "PWD", "CAND"].contains(&word)
            {
                agent.say(&format!("{} {value}", word.to_lowercase()));
            }
        }
        agent.say("go");
    }
    for agent in &mut agents {
        for component in [1, 2] {
            let ready = format!("STATE {component} READY");
            if !agent.seen.contains(&ready) {
                agent.until(|line| line == ready);
            }
        }
    }
    let [one, other] = &mut agents;
    for turn in 0..20 {
        one.say(&format!("send 1 there-{turn}"));
        other.until(|line| line.starts_with("RECV 1") && line.ends_with(&format!("there-{turn}")));
        other.say(&format!("send 2 back-{turn}"));
        one.until(|line| line.starts_with("RECV 2") && line.ends_with(&format!("back-{turn}")));
    }
    let mut told = String::new();
    while let Ok(event) = edge.events.try_recv() {
        told += &format!("{event:?}\n");
    }
    assert!(told.matches("Allocated").count() >= 4, "{told}");
    // Each agent has told the relay its one peer, component by component.
    assert!(told.contains("Activated"), "{told}");
}
