//! Loads the simulated front end: registers many endpoints over some connections, then makes calls at a steady rate.
//!
//! `frontend-load [ENDPOINTS [CALLS_PER_SECOND [SECONDS [CONNECTIONS]]]]`, for example `frontend-load 20000 200 10 20`: the
//! front end runs on TCP in a thread of its own; a JSON line at the end says how long everything took and how busy that
//! thread was.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ipdect_sim::frontend::{FrontEndConfig, FrontEndUser};
use ipdect_sim::net::{FrontEndOptions, FrontEndServer, Security};
use serde_json::json;

const DOMAIN: &str = "load.test";

/// What all connections count together.
#[derive(Default)]
struct Tally {
    registered: AtomicUsize,
    answered: AtomicUsize,
    ended: AtomicUsize,
    refused: AtomicUsize,
    begun: Mutex<BTreeMap<String, Instant>>,
    /// From INVITE to 200.
    setup: Mutex<Vec<Duration>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut next = |usual: usize| arguments.next().unwrap_or(Ok(usual));
    let (endpoints, rate, seconds, connections) = (next(2000)?, next(50)?, next(2)?, next(4)?);
    let server = start(endpoints)?;
    let tally = Arc::new(Tally::default());
    let streams: Vec<TcpStream> =
        (0..connections).map(|_| TcpStream::connect(server)).collect::<Result<_, _>>()?;
    let writers: Vec<Arc<Mutex<TcpStream>>> = streams
        .iter()
        .map(|stream| Ok(Arc::new(Mutex::new(stream.try_clone()?))))
        .collect::<Result<_, std::io::Error>>()?;
    for (stream, writer) in streams.into_iter().zip(&writers) {
        stream.set_nodelay(true)?;
        let (writer, tally) = (Arc::clone(writer), Arc::clone(&tally));
        thread::spawn(move || serve(stream, &writer, &tally));
    }

    let begin = Instant::now();
    let busy_before = busy();
    for user in 0..endpoints {
        let request = register(user, 40_000 + user % connections);
        send(&writers[user % connections], &request)?;
    }
    wait(&tally.registered, endpoints);
    let registering = begin.elapsed();
    let busy_registering = busy().saturating_sub(busy_before);

    let begin = Instant::now();
    let busy_before = busy();
    let calls = rate * seconds;
    for call in 0..calls {
        let due = begin + Duration::from_secs_f64(call as f64 / rate as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let (from, to) = ((call * 7) % endpoints, (call * 7 + endpoints / 2 + 1) % endpoints);
        let id = format!("call-{call}");
        tally.begun.lock().expect("nobody panics").insert(id.clone(), Instant::now());
        send(&writers[from % connections], &invite(from, to, &id))?;
    }
    wait(&tally.ended, calls.saturating_sub(tally.refused.load(Ordering::Relaxed)));
    let calling = begin.elapsed();
    let busy_calling = busy().saturating_sub(busy_before);

    let mut setup = core::mem::take(&mut *tally.setup.lock().expect("nobody panics"));
    setup.sort_unstable();
    let quantile = |part: usize| {
        let time = setup.get(setup.len().saturating_sub(1) * part / 100);
        time.map(|time| time.as_secs_f64() * 1000.0)
    };
    let result = json!({
        "endpoints": tally.registered.load(Ordering::Relaxed),
        "registering_s": registering.as_secs_f64(),
        "registering_busy_s": busy_registering.as_secs_f64(),
        "calls": calls,
        "answered": tally.answered.load(Ordering::Relaxed),
        "ended": tally.ended.load(Ordering::Relaxed),
        "refused": tally.refused.load(Ordering::Relaxed),
        "calls_per_s": calls as f64 / calling.as_secs_f64(),
        "calling_busy_share": busy_calling.as_secs_f64() / calling.as_secs_f64(),
        "setup_ms": { "half": quantile(50), "most": quantile(99) },
    });
    println!("{result}");
    Ok(())
}

/// The front end in a thread of its own.
fn start(endpoints: usize) -> Result<SocketAddr, Box<dyn Error>> {
    let mut config = FrontEndConfig::new("127.0.0.1", DOMAIN);
    for user in 0..endpoints {
        config.users.push(FrontEndUser::new(format!("sip:u{user}@{DOMAIN}").parse()?));
    }
    config.trusted_addresses.push("127.0.0.1".parse()?);
    let (tell, told) = mpsc::channel();
    thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = FrontEndOptions::new(config, SocketAddr::from(([127, 0, 0, 1], 0)), Security::Tcp);
            let mut server = FrontEndServer::start(options).await.expect("a free port");
            tell.send(server.local).expect("somebody waits");
            while server.events.recv().await.is_some() {}
        });
    })?;
    Ok(told.recv()?)
}

const THREAD: &str = "front-end";

/// How long the thread of the front end has been on a processor.
fn busy() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let task = tasks
        .map(|task| task.path())
        .find(|path| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == THREAD));
    let text = task.and_then(|path| std::fs::read_to_string(path.join("schedstat")).ok()).unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn wait(count: &AtomicUsize, wanted: usize) {
    let end = Instant::now() + Duration::from_mins(2);
    while count.load(Ordering::Relaxed) < wanted && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
}

fn send(writer: &Mutex<TcpStream>, text: &str) -> std::io::Result<()> {
    writer.lock().expect("nobody panics").write_all(text.as_bytes())
}

fn register(user: usize, port: usize) -> String {
    format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:{port};branch=z9hG4bKr{user}\r\nMax-Forwards: 70\r\n\
         From: <sip:u{user}@{DOMAIN}>;tag=r{user};epid={user:010x}\r\nTo: <sip:u{user}@{DOMAIN}>\r\nCall-ID: register-{user}\r\n\
         CSeq: 1 REGISTER\r\nContact: <sip:127.0.0.1:{port};transport=tcp;ms-opaque={user:010x}>\r\n\
         Supported: gruu-10, msrtc-event-categories\r\nEvent: registration\r\nExpires: 7200\r\nContent-Length: 0\r\n\r\n"
    )
}

fn invite(from: usize, to: usize, id: &str) -> String {
    let body = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n";
    format!(
        "INVITE sip:u{to}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:40000;branch=z9hG4bKi{id}\r\nMax-Forwards: 70\r\n\
         From: <sip:u{from}@{DOMAIN}>;tag=i{from};epid={from:010x}\r\nTo: <sip:u{to}@{DOMAIN}>\r\nCall-ID: {id}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:40000;transport=tcp;ms-opaque={from:010x}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One connection: reads what comes and answers it.
fn serve(stream: TcpStream, writer: &Mutex<TcpStream>, tally: &Tally) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (Vec::new(), 0);
        loop {
            let mut line = String::new();
            if !reader.read_line(&mut line).is_ok_and(|size| size > 0) {
                return;
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            if let Some(text) = line.strip_prefix("Content-Length:") {
                length = text.trim().parse().unwrap_or(0);
            }
            head.push(line);
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        for answer in answers(&head, tally) {
            if send(writer, &answer).is_err() {
                return;
            }
        }
    }
}

fn answers(head: &[String], tally: &Tally) -> Vec<String> {
    let all = |name: &str| {
        let lines = head.iter().filter(|line| line.starts_with(name));
        lines.fold(String::new(), |text, line| text + line + "\r\n")
    };
    let value = |name: &str| head.iter().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let Some(first) = head.first() else { return Vec::new() };
    let count = |counter: &AtomicUsize| counter.fetch_add(1, Ordering::Relaxed);
    let answer = |status: &str, tag: &str, more: &str| {
        let to = value("To: ");
        let to = if to.contains(";tag=") { to.to_owned() } else { format!("{to}{tag}") };
        format!(
            "SIP/2.0 {status}\r\n{}{}To: {to}\r\n{}{}{}{more}Content-Length: 0\r\n\r\n",
            all("Via: "),
            all("From: "),
            all("Call-ID: "),
            all("CSeq: "),
            all("Record-Route: ")
        )
    };
    if first.starts_with("INVITE ") {
        let own = first.split(' ').nth(1).unwrap_or_default();
        let contact = format!("Contact: <{own}>\r\n");
        return vec![answer("180 Ringing", ";tag=a", ""), answer("200 OK", ";tag=a", &contact)];
    }
    if first.starts_with("BYE ") {
        return vec![answer("200 OK", "", "")];
    }
    if !first.starts_with("SIP/2.0 ") || first.starts_with("SIP/2.0 1") {
        return Vec::new();
    }
    let good = first.starts_with("SIP/2.0 2");
    let (sequence, id) = (value("CSeq: "), value("Call-ID: "));
    if sequence.ends_with("REGISTER") && good {
        count(&tally.registered);
    } else if sequence.ends_with("INVITE") && good {
        count(&tally.answered);
        if let Some(begun) = tally.begun.lock().expect("nobody panics").remove(id) {
            tally.setup.lock().expect("nobody panics").push(begun.elapsed());
        }
        let inside = |text: &str| text.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let (target, route) = (inside(value("Contact: ")), inside(value("Record-Route: ")));
        return [("ACK", 1), ("BYE", 2)]
            .map(|(method, number)| {
                format!(
                    "{method} {target} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:40000;branch=z9hG4bK{method}{id}\r\nMax-Forwards: 70\r\n\
                     Route: <{route}>\r\n{}{}{}CSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n",
                    all("From: "),
                    all("To: "),
                    all("Call-ID: ")
                )
            })
            .into();
    } else if sequence.ends_with("BYE") {
        count(&tally.ended);
    } else if !good {
        eprintln!("{first}");
        count(&tally.refused);
    }
    Vec::new()
}
