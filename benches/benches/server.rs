//! A server under load over sockets: `sip-server` of the examples beside kamailio, processor time of the server for each
//! transaction.
//!
//! Over TCP SIPp is the load, over TLS (which Debian's SIPp has not) a generator of ours that sends the same messages. Both
//! servers take turns, and with them a floor: a server that reads, splits, parses and copies the header fields of a response
//! but knows nobody. The smallest of three counts. Needs the programs `kamailio` (with its TLS module) and `sipp`.

#![expect(clippy::format_collect, reason = "messages of the load, put together before they are sent")]

#[expect(dead_code, reason = "its `main` is not called here")]
#[path = "../../examples/examples/sip-server.rs"]
mod sip_server;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use clap::Parser;
use examples::connection::{Connection, Security};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType};
use serde_json::json;
use sip_lync::{Frame, HeaderName, Limits, Message, Response, StatusCode, StreamDecoder};

/// The program starts itself again as the server, with these options.
const SERVER: &str = "SIP_SERVER_OPTIONS";

/// The program starts itself again as the floor, at this address.
const FLOOR: &str = "SIP_FLOOR_ADDRESS";

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _asked = Command::new("kill").arg(self.0.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.0.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// One server with its ports.
struct Server {
    name: &'static str,
    processes: Vec<Running>,
    tcp: SocketAddr,
    tls: SocketAddr,
}

impl Server {
    /// Processor time that all its processes have taken, in nanoseconds.
    fn spent(&self) -> u64 {
        let mut pids: Vec<u32> = self.processes.iter().map(|process| process.0.id()).collect();
        let mut at = 0;
        // Children of children, as kamailio has them.
        while let Some(pid) = pids.get(at).copied() {
            let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
            pids.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            at += 1;
        }
        let of = |pid: &u32| {
            let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
            let times = tasks.filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok());
            times.filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok()).sum::<u64>()
        };
        pids.iter().map(of).sum()
    }
}

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

fn wait_for(address: SocketAddr) {
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_err() {
        assert!(Instant::now() < end, "{address} does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn certificates(folder: &Path) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "laboratory authority");
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("it");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "server");
    params.subject_alt_names = vec![SanType::IpAddress([127, 0, 0, 1].into())];
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    fs::write(folder.join("ca.pem"), issuer.pem()).expect("a file");
    fs::write(folder.join("server.pem"), certificate.pem()).expect("a file");
    fs::write(folder.join("server.key"), key.serialize_pem()).expect("a file");
}

fn ours(folder: &Path) -> Server {
    let (tcp, tls) = (free_port(), free_port());
    let start = |options: String| {
        let program = env::current_exe().expect("this program");
        let mut command = Command::new(program);
        Running(command.env(SERVER, options).stdout(Stdio::null()).spawn().expect("this program"))
    };
    let (cert, key) = (folder.join("server.pem"), folder.join("server.key"));
    let plain = start(format!("--listen {tcp}"));
    let secure = start(format!("--listen {tls} --cert {} --key {}", cert.display(), key.display()));
    let server = Server { name: "ours", processes: vec![plain, secure], tcp, tls };
    wait_for(tcp);
    wait_for(tls);
    server
}

/// A server that answers every request with what the request says, and does nothing else.
fn floor() -> Server {
    let tcp = free_port();
    let mut command = Command::new(env::current_exe().expect("this program"));
    let child = command.env(FLOOR, tcp.to_string()).stdout(Stdio::null()).spawn().expect("this program");
    wait_for(tcp);
    Server { name: "floor: read, split, parse, reply, write", processes: vec![Running(child)], tcp, tls: tcp }
}

fn answer_everything(address: &str) {
    let listener = TcpListener::bind(address).expect("a free port");
    // One after the other: what an ended thread has spent is counted no more.
    for connection in listener.incoming().flatten() {
        answer_connection(connection);
    }
}

fn answer_connection(mut connection: TcpStream) {
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let (mut piece, mut out) = (vec![0; 65_536], BytesMut::new());
    let mut gather = sip_server::Gather::new(Duration::from_millis(sip_server::PAUSE_MS));
    while let Ok(count) = connection.read(&mut piece)
        && count > 0
    {
        let began = Instant::now();
        decoder.push(&piece[..count]);
        while let Some(frame) = decoder.next() {
            let Ok(Frame::Message(message)) = frame else { continue };
            let Ok(Message::Request(request)) = Message::parse(message) else { continue };
            let mut response = request.response(StatusCode::OK);
            response.headers.copy_from(&request.headers, &HeaderName::Contact);
            response.emit(&mut out);
        }
        if connection.write_all(&out).is_err() {
            return;
        }
        out.clear();
        // It gathers as `sip-server` does.
        gather.turn(began, count);
    }
}

fn kamailio(folder: &Path) -> Server {
    let (tcp, tls) = (free_port(), free_port());
    let place = folder.display().to_string();
    let text = format!(
        "[server:default]\nmethod = TLSv1.2+\ncertificate = {place}/server.pem\nprivate_key = {place}/server.key\n"
    );
    fs::write(folder.join("tls.cfg"), text).expect("a file");
    let text = include_str!("../peers/load/kamailio.cfg")
        .replace("TLSPORT", &tls.port().to_string())
        .replace("PORT", &tcp.port().to_string())
        .replace("FOLDER", &place);
    fs::write(folder.join("kamailio.cfg"), text).expect("a file");
    let log = fs::File::create(folder.join("kamailio.log")).expect("a log");
    let child = Command::new("kamailio")
        .args(["-DD", "-E", "-m", "512", "-M", "16", "-f"])
        .arg(folder.join("kamailio.cfg"))
        .args(["-w", &place, "-Y", &place])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("kamailio (Debian packages kamailio, kamailio-tls-modules)");
    let server = Server { name: "kamailio", processes: vec![Running(child)], tcp, tls };
    wait_for(tcp);
    wait_for(tls);
    server
}

fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/load").join(name)
}

/// Runs SIPp against a server; how long the server's processes worked for each of so many transactions.
fn sipp(folder: &Path, server: &Server, name: &str, count: u64, rate: u64) -> f64 {
    let before = server.spent();
    let status = Command::new("sipp")
        .current_dir(folder)
        .arg(server.tcp.to_string())
        .args(["-t", "t1", "-i", "127.0.0.1", "-nostdin", "-trace_err", "-timeout", "60s", "-timeout_error"])
        .args(["-m", &count.to_string(), "-r", &rate.to_string(), "-l", "100000", "-sf"])
        .arg(scenario(name))
        .args(["-p", &free_port().port().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("sipp (Debian package sip-tester)");
    assert!(status.success(), "sipp {name} against {}: {status}; see {}", server.name, folder.display());
    (server.spent() - before) as f64 / count as f64
}

/// The called side of kamailio's calls, registered there.
fn callee(folder: &Path, kamailio: &Server) -> Running {
    let address = free_port();
    let child = Command::new("sipp")
        .current_dir(folder)
        .args(["-t", "t1", "-i", "127.0.0.1", "-nostdin", "-sf"])
        .arg(scenario("answer.xml"))
        .args(["-p", &address.port().to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sipp");
    let running = Running(child);
    wait_for(address);
    let text = format!(
        "REGISTER sip:lab.test SIP/2.0\r\nVia: SIP/2.0/TCP {address};branch=z9hG4bKecho\r\nMax-Forwards: 70\r\n\
         From: <sip:echo@lab.test>;tag=1\r\nTo: <sip:echo@lab.test>\r\nCall-ID: echo\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:echo@{address};transport=tcp>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
    );
    let mut connection = Connection::open(&kamailio.tcp.to_string(), None).expect("kamailio listens");
    exchange(&mut connection, &text, 1);
    running
}

/// Writes requests and reads as many final responses, each of them 2xx.
fn exchange(connection: &mut Connection, requests: &str, responses: usize) -> Vec<Bytes> {
    connection.write(requests.as_bytes()).expect("the server reads");
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let (mut buffer, mut finals) = (vec![0; 65_536], Vec::new());
    let end = Instant::now() + Duration::from_mins(1);
    while finals.len() < responses {
        let bytes = connection.read(&mut buffer, end).expect("the server writes").expect("in time");
        assert!(!bytes.is_empty(), "the server closed the connection");
        decoder.push(bytes);
        while let Some(frame) = decoder.next() {
            let Ok(Frame::Message(message)) = frame else { continue };
            if message.starts_with(b"SIP/2.0 1") {
                continue;
            }
            assert!(message.starts_with(b"SIP/2.0 2"), "{}", String::from_utf8_lossy(&message));
            finals.push(message);
        }
    }
    finals
}

/// Calls the callee over one connection of TLS, 20 calls under way at a time: INVITE 180 200, then ACK BYE 200.
fn calls_over_tls(folder: &Path, server: &Server, round: usize, count: u64) -> f64 {
    let ca = folder.join("ca.pem");
    let security = Security { ca: Some(&ca), identity: None, name: None };
    let mut connection = Connection::open(&server.tls.to_string(), Some(&security)).expect("it listens");
    let (local, _) = connection.addresses().expect("it stands");
    let before = server.spent();
    let window = 20;
    for first in (0..count).step_by(window) {
        let last = count.min(first + window as u64);
        let invites: String = (first..last)
            .map(|number| {
                let body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                            m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
                format!(
                    "INVITE sip:echo@lab.test SIP/2.0\r\nVia: SIP/2.0/TLS {local};branch=z9hG4bKi{round}x{number}\r\n\
                     Max-Forwards: 70\r\nFrom: <sip:ann@lab.test>;tag=t{number}\r\nTo: <sip:echo@lab.test>\r\n\
                     Call-ID: {round}x{number}@127.0.0.1\r\nCSeq: 1 INVITE\r\n\
                     Contact: <sip:ann@{local};transport=tls>\r\nContent-Type: application/sdp\r\n\
                     Content-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            })
            .collect();
        let under_way = (last - first) as usize;
        let answers = exchange(&mut connection, &invites, under_way);
        let calls: BTreeMap<String, String> =
            answers.into_iter().map(|answer| goodbye(local, answer)).collect();
        assert_eq!(calls.len(), under_way, "each call is answered once");
        let goodbyes: String = calls.into_values().collect();
        exchange(&mut connection, &goodbyes, under_way);
    }
    (server.spent() - before) as f64 / count as f64
}

/// The Call-ID of a 200 to INVITE, and ACK and BYE for it.
fn goodbye(local: SocketAddr, answer: Bytes) -> (String, String) {
    let Ok(Message::Response(Response { headers, .. })) = Message::parse(answer) else { panic!("a 200") };
    let of = |name: &HeaderName| headers.get(name).expect("a header field of every response").to_owned();
    let (from, to, call_id) = (of(&HeaderName::From), of(&HeaderName::To), of(&HeaderName::CallId));
    let contact = headers.contact().expect("it is well formed").expect("the 200 has one");
    let target = contact.address().expect("no wildcard").uri.to_string();
    let mut routes: Vec<_> = headers.elements(&HeaderName::RecordRoute).collect();
    routes.reverse();
    let routes: String = routes.iter().map(|route| format!("Route: {route}\r\n")).collect();
    let request = |method: &str, number: u32| {
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/TLS {local};branch=z9hG4bK{method}{call_id}\r\n{routes}\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\
             Content-Length: 0\r\n\r\n"
        )
    };
    (call_id.clone(), request("ACK", 1) + &request("BYE", 2))
}

/// Registers so many users over one connection of TLS or TCP, 20 under way at a time.
fn registers(folder: &Path, server: &Server, tls: bool, round: usize, count: u64) -> f64 {
    let ca = folder.join("ca.pem");
    let security = tls.then_some(Security { ca: Some(&ca), identity: None, name: None });
    let address = if tls { server.tls } else { server.tcp };
    let mut connection = Connection::open(&address.to_string(), security.as_ref()).expect("it listens");
    let (transport, parameter) = if tls { ("TLS", "tls") } else { ("TCP", "tcp") };
    let (local, _) = connection.addresses().expect("it stands");
    let before = server.spent();
    let (window, mut requests) = (20, BytesMut::new());
    for first in (0..count).step_by(window) {
        requests.clear();
        for number in first..first + window as u64 {
            let user = format!("{parameter}{round}x{number}");
            requests.extend_from_slice(
                format!(
                    "REGISTER sip:lab.test SIP/2.0\r\nVia: SIP/2.0/{transport} {local};branch=z9hG4bK{user}\r\n\
                     Max-Forwards: 70\r\nFrom: <sip:{user}@lab.test>;tag=t{number};epid=e{number}\r\n\
                     To: <sip:{user}@lab.test>\r\nCall-ID: {user}@127.0.0.1\r\nCSeq: 1 REGISTER\r\n\
                     Contact: <sip:{user}@{local};transport={parameter}>\r\nSupported: gruu-10\r\nExpires: 600\r\n\
                     Content-Length: 0\r\n\r\n"
                )
                .as_bytes(),
            );
        }
        exchange(&mut connection, std::str::from_utf8(&requests).expect("text"), window);
    }
    (server.spent() - before) as f64 / count as f64
}

/// The smallest of each row, as `benches::turns` prints them.
fn tell(task: &str, rows: &[(&str, f64)]) {
    println!("\n{task}");
    let ours = rows.iter().find(|(who, _)| *who == "ours").map_or(1.0, |(_, best)| *best);
    for (who, best) in rows {
        println!("  {who:<44} {best:>12.1} ns {:>8.2} x ours", best / ours);
    }
    if let Some(file) = env::var_os("BENCH_RESULTS") {
        let lines: String = rows
            .iter()
            .map(|(who, best)| format!("{}\n", json!({ "task": task, "who": who, "ns": best })))
            .collect();
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(file, before + &lines).expect("the file for results");
    }
}

fn main() {
    if let Ok(options) = env::var(SERVER) {
        let options = sip_server::Options::parse_from(["sip-server"].into_iter().chain(options.split(' ')));
        sip_server::run(&options, |_| {}).expect("it serves");
        return;
    }
    if let Ok(address) = env::var(FLOOR) {
        return answer_everything(&address);
    }
    let number = |name: &str, usual: u64| {
        env::var(name).ok().and_then(|number| number.parse::<u64>().ok()).unwrap_or(usual)
    };
    let (count, calls, rounds) =
        (number("REGISTERS", 12_000), number("CALLS", 4_500), number("ROUNDS", 3) as usize);
    let folder = env::temp_dir().join(format!("sip-server-load-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    certificates(&folder);
    let servers = [ours(&folder), kamailio(&folder), floor()];
    let _callee = callee(&folder, &servers[1]);
    let mut best = [[f64::INFINITY; 3]; 5];
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let who = (round + turn) % servers.len();
            let server = &servers[who];
            let mut times = vec![
                sipp(&folder, server, "register.xml", count, 12_000),
                registers(&folder, server, false, round, count),
            ];
            // The floor knows neither TLS nor dialogs.
            if who < 2 {
                times.push(registers(&folder, server, true, round, count));
                times.push(sipp(&folder, server, "call.xml", calls, 1_500));
                times.push(calls_over_tls(&folder, server, round, calls));
            }
            for (best, time) in best.iter_mut().zip(times) {
                best[who] = best[who].min(time);
            }
        }
    }
    let rows = |times: [f64; 3], names: [&'static str; 3]| -> Vec<(&str, f64)> {
        names.into_iter().zip(times).filter(|(_, time)| time.is_finite()).collect()
    };
    let names = [servers[0].name, servers[1].name, servers[2].name];
    tell("one REGISTER over TCP by SIPp, processor time of the server", &rows(best[0], names));
    tell("one REGISTER over TCP by the generator, processor time of the server", &rows(best[1], names));
    tell("one REGISTER over TLS by the generator, processor time of the server", &rows(best[2], names));
    let names = ["ours", "kamailio, which relays the call", ""];
    tell("INVITE 180 200 ACK BYE 200 over TCP, processor time of the server", &rows(best[3], names));
    tell("INVITE 180 200 ACK BYE 200 over TLS, processor time of the server", &rows(best[4], names));
    let _gone = fs::remove_dir_all(folder);
}
