//! `sip-torture [--server HOST:PORT [--ca F --cert F --key F --server-name NAME]] DIRECTORY`: every file of a folder as a
//! SIP message through the parser, the stream decoder and, over TCP or TLS, a running server.
//!
//! Made for collections of hostile messages such as PROTOS c07-sip (4,527 cases), which are not part of this repository.
//! What a server must do with each file follows from the library: the file and a probe behind it are cut into messages as
//! on a stream, and each of them belongs to one class of the table below, which says what is answered and which clause
//! says so. One line for each file that a server answered otherwise, then one line for each class with its count, then one
//! JSON object with the figures. Exit 1 if the server died or answered wrongly.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Parser;
use examples::connection::{Connection, Security};
use serde_json::json;
use sip_lync::{
    Abilities, Frame, FramingError, HeaderName, Limits, Message, MessageView, Method, Request, Rule,
    StreamDecoder,
};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connections at a time.
const WORKERS: usize = 6;

/// Behind every message: answered when the message has been dealt with and the boundary was not lost.
const PROBE: &str = "OPTIONS sip:probe@example.net SIP/2.0\r\nVia: SIP/2.0/TCP probe;branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\nFrom: <sip:probe@example.net>;tag=1\r\nTo: <sip:probe@example.net>\r\nCall-ID: probe\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";

/// Tries hostile SIP messages
#[derive(Debug, Parser)]
#[command(name = "sip-torture")]
struct Options {
    /// A running server, HOST:PORT; without it only the library is tried
    #[arg(long)]
    server: Option<String>,
    /// The authorities of the server (PEM): TLS
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Our certificate (PEM)
    #[arg(long, requires = "key", requires = "ca")]
    cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// The name of the server's certificate; otherwise the host of --server
    #[arg(long, requires = "ca")]
    server_name: Option<String>,
    /// One message per file
    directory: PathBuf,
}

/// What a message on a stream is, as far as it decides what a user agent server does with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Messages, and behind them what is none and closes the connection.
    RubbishBehind,
    LineTooLong,
    /// The head breaks the grammar of lines.
    HeadBroken,
    NoLength,
    BadLength,
    BodyTooLong,
    Incomplete,
    NoMessage,
    Response,
    Acknowledgement,
    NoTransaction,
    Refused(u16),
    ConferenceInvitation,
    Cancel,
    StrayInDialog,
    UnknownMethod,
    Invite,
    Options,
    Other,
    Probe,
}

/// What is right for a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// Nothing is answered and the stream goes on.
    Silence,
    /// Nothing is answered and the connection is closed.
    Close,
    /// Nothing is answered yet: the rest is waited for.
    Wait,
    /// This status.
    Status(u16),
    /// Any of these, by the state of the server.
    OneOf(&'static [u16]),
}

impl Class {
    /// What is right, and why.
    const fn row(self) -> (Expected, &'static str) {
        use Expected::{Close, OneOf, Silence, Status, Wait};
        match self {
            Self::RubbishBehind => (
                Close,
                "RFC 3261 18.3: behind the end that Content-Length says there is no message; the connection closes at once, with answers not yet sent",
            ),
            Self::LineTooLong => (
                Close,
                "RFC 3261 21.4.11, 21.4.12: a line of more than 16 KiB, or more lines than any message has; the server may close the connection",
            ),
            Self::HeadBroken => {
                (Close, "RFC 3261 7.3, 18.3: no header lines, so that no end of the message can be found")
            }
            Self::NoLength => (Close, "RFC 3261 18.3: Content-Length must be there on a stream"),
            Self::BadLength => {
                (Close, "RFC 3261 20.14: Content-Length is no number, or two differ: the boundary is lost")
            }
            Self::BodyTooLong => {
                (Close, "RFC 3261 21.4.11: longer than any message; the server may close the connection")
            }
            Self::Incomplete => (Wait, "RFC 3261 18.3: Content-Length says that more is to come"),
            Self::NoMessage => {
                (Silence, "RFC 3261 7.1, 25.1: no Request-Line and no Status-Line, so that nobody is asked")
            }
            Self::Response => (Silence, "RFC 3261 8.1.3, 17.1.3: responses are never answered"),
            Self::Acknowledgement => (Silence, "RFC 3261 17.1.1.3, 8.2.7: ACK is never answered"),
            Self::NoTransaction => (
                Silence,
                "RFC 3261 8.2.6.2, 18.2.2: without a readable Via or CSeq no response can be made or sent",
            ),
            Self::Refused(status) => (Status(status), "RFC 3261 8.2: what `Message::problems` says"),
            Self::ConferenceInvitation => {
                (Status(488), "docs/dialect.md: other endpoints of the user go on ringing")
            }
            Self::Cancel => (Status(481), "RFC 3261 9.2: no INVITE to end"),
            Self::StrayInDialog => (Status(481), "RFC 3261 12.2.2: a To tag of no dialog here"),
            Self::UnknownMethod => (Status(501), "RFC 3261 21.5.2: a method nobody knows"),
            Self::Invite => (
                OneOf(&[200, 404, 480, 482, 486, 487, 488, 422]),
                "RFC 3261 13.3.1: an INVITE without fault; 404 when nobody has the address",
            ),
            Self::Options | Self::Probe => (Status(200), "RFC 3261 11.2"),
            Self::Other => {
                (OneOf(&[200, 403, 404, 405, 481, 489]), "RFC 3261 8.2.1: a request without fault")
            }
        }
    }

    fn of_request(request: &Request, message: &Message) -> Self {
        if request.method == Method::Ack || request.method == Method::BeNotify {
            return Self::Acknowledgement;
        }
        let via = request.headers.via().ok().flatten();
        let cseq = request.headers.cseq().ok().flatten();
        let from = request.headers.from_().ok().flatten();
        let call_id = request.headers.get(&HeaderName::CallId);
        if request.headers.get(&HeaderName::CallId) == Some("probe") {
            return Self::Probe;
        }
        // Without the cookie a transaction is known by Call-ID, CSeq and the From tag: RFC 3261 17.2.3.
        let cookie = via
            .as_ref()
            .and_then(|via| via.branch())
            .is_some_and(|branch| branch.len() > 7 && branch.starts_with("z9hG4bK"));
        if via.is_none() || !cookie && (cseq.is_none() || from.is_none() || call_id.is_none()) {
            return Self::NoTransaction;
        }
        let problem = message.problems(&Abilities::LYNC).into_iter().next();
        if let Some(status) = problem.and_then(|problem| problem.status) {
            let kind = request.headers.content_type().ok().flatten();
            if status.code() == 415 && kind.is_some_and(|kind| kind.is("application", "ms-conf-invite+xml")) {
                return Self::ConferenceInvitation;
            }
            return Self::Refused(status.code());
        }
        let in_dialog = request.headers.to().ok().flatten().is_some_and(|to| to.tag().is_some());
        match &request.method {
            Method::Cancel => Self::Cancel,
            Method::Other(_) => Self::UnknownMethod,
            Method::Invite if in_dialog => Self::StrayInDialog,
            Method::Invite => Self::Invite,
            Method::Options => Self::Options,
            _ => Self::Other,
        }
    }
}

/// The messages of a file with the probe behind it, as a stream shows them; the last may be broken or incomplete.
fn classes(wire: &[u8]) -> Vec<Class> {
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let mut classes = Vec::new();
    // In small pieces, so that every cut is tried.
    for piece in wire.chunks(13) {
        decoder.push(piece);
    }
    decoder.push(PROBE.as_bytes());
    while let Some(frame) = decoder.next() {
        classes.push(match frame {
            Ok(Frame::Message(octets)) => match Message::parse(octets) {
                Ok(Message::Request(request)) => {
                    Class::of_request(&request, &Message::Request(request.clone()))
                }
                Ok(Message::Response(_)) => Class::Response,
                Err(_) => Class::NoMessage,
            },
            Ok(_) => continue,
            Err(FramingError::ContentLengthMissing) => Class::NoLength,
            Err(FramingError::ContentLength) => Class::BadLength,
            Err(FramingError::BodyTooLong { .. }) => Class::BodyTooLong,
            Err(FramingError::Head(error))
                if matches!(error.rule, Rule::LineTooLong | Rule::HeadTooLong | Rule::TooManyHeaders) =>
            {
                Class::LineTooLong
            }
            Err(_) => Class::HeadBroken,
        });
    }
    if decoder.pending() > 0 {
        classes.push(Class::Incomplete);
    }
    if classes.len() > 1 && classes.last().is_some_and(|class| class.row().0 == Expected::Close) {
        return vec![Class::RubbishBehind];
    }
    classes
}

/// What the server did: the final answers in order, and whether it closed.
#[derive(Debug, Default)]
struct Seen {
    statuses: Vec<u16>,
    probe: bool,
    closed: bool,
}

fn exchange(options: &Options, server: &str, wire: &[u8], wait: bool) -> Result<Seen, String> {
    let identity = options.cert.as_deref().zip(options.key.as_deref());
    let name = options.server_name.as_deref();
    let security = options.ca.as_deref().map(|ca| Security { ca: Some(ca), identity, name });
    let mut connection = Connection::open(server, security.as_ref())?;
    // A server that closes early makes writing fail.
    let _ = connection.write(wire).and_then(|()| connection.write(PROBE.as_bytes()));
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let mut seen = Seen::default();
    let mut buffer = vec![0; 65_536];
    // What is waited for on the other side does not come here either.
    let until = Instant::now() + if wait { Duration::from_millis(300) } else { PATIENCE };
    loop {
        match connection.read(&mut buffer, until) {
            Ok(Some([])) | Err(_) => {
                seen.closed = true;
                return Ok(seen);
            }
            Ok(Some(octets)) => decoder.push(octets),
            Ok(None) => return Ok(seen),
        }
        while let Some(Ok(frame)) = decoder.next() {
            let Frame::Message(frame) = frame else { continue };
            let Ok(Message::Response(response)) = Message::parse(frame) else { continue };
            if response.headers.get(&HeaderName::CallId) == Some("probe") {
                seen.probe = true;
                return Ok(seen);
            }
            if response.status.is_final() {
                seen.statuses.push(response.status.code());
            }
        }
    }
}

/// Whether the server did what the classes say.
fn is_right(classes: &[Class], seen: &Seen) -> bool {
    let mut answers = seen.statuses.iter().copied();
    for class in classes {
        let right = match class.row().0 {
            Expected::Silence => true,
            Expected::Close if *class == Class::RubbishBehind => return seen.closed,
            Expected::Close => seen.closed,
            Expected::Wait => !seen.closed && !seen.probe,
            _ if *class == Class::Probe => seen.probe,
            Expected::Status(status) => answers.next() == Some(status),
            // A call may ring longer than the probe takes.
            Expected::OneOf(statuses) => {
                answers.next().is_some_and(|status| statuses.contains(&status))
                    || *class == Class::Invite && seen.probe && seen.statuses.is_empty()
            }
        };
        if !right {
            return false;
        }
    }
    answers.next().is_none()
}

#[derive(Default)]
struct Figures {
    octets: usize,
    largest: usize,
    slowest: (u128, String),
    classes: BTreeMap<Class, BTreeMap<String, usize>>,
    wrong: usize,
    dead: usize,
}

/// One file through everything.
fn attempt(options: &Options, path: &Path, figures: &Mutex<Figures>) {
    let Ok(octets) = fs::read(path) else { return };
    let wire = Bytes::from(octets);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let start = Instant::now();
    let _ = MessageView::parse(&wire);
    if let Ok(message) = Message::parse(wire.clone()) {
        let _ = (message.problems(&Abilities::LYNC), message.to_bytes());
    }
    let classes = classes(&wire);
    let took = start.elapsed().as_micros();
    let first = classes.first().copied().unwrap_or(Class::Probe);
    let waits = classes.contains(&Class::Incomplete);
    let outcome = options.server.as_deref().map(|server| exchange(options, server, &wire, waits));
    let answer = match &outcome {
        None => "not asked".to_owned(),
        Some(Err(error)) => error.clone(),
        Some(Ok(seen)) => match (seen.statuses.first(), seen.closed) {
            (Some(status), _) => status.to_string(),
            (None, true) => "closed".to_owned(),
            (None, false) => "silence".to_owned(),
        },
    };
    let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
    figures.octets += wire.len();
    figures.largest = figures.largest.max(wire.len());
    if took > figures.slowest.0 {
        figures.slowest = (took, name.clone());
    }
    *figures.classes.entry(first).or_default().entry(answer.clone()).or_default() += 1;
    match outcome {
        None => {}
        Some(Err(_)) => figures.dead += 1,
        Some(Ok(seen)) if is_right(&classes, &seen) => {}
        Some(Ok(seen)) => {
            figures.wrong += 1;
            let expected: Vec<_> = classes.iter().map(|class| format!("{class:?}")).collect();
            println!(
                "{}",
                json!({ "file": name, "expected": expected, "answers": seen.statuses, "closed": seen.closed, "probe": seen.probe })
            );
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let Ok(entries) = fs::read_dir(&options.directory) else {
        eprintln!("sip-torture: there is no folder {}: nothing was tried", options.directory.display());
        return ExitCode::from(1);
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let figures = Mutex::new(Figures::default());
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    attempt(&options, file, &figures);
                }
            });
        }
    });
    let figures = figures.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (class, answers) in &figures.classes {
        let (expected, why) = class.row();
        let answers: Vec<_> = answers.iter().map(|(answer, count)| format!("{answer}: {count}")).collect();
        println!("{class:?} | {expected:?} | {} | {why}", answers.join(", "));
    }
    let ok = figures.wrong == 0 && figures.dead == 0;
    println!(
        "{}",
        json!({
            "ok": ok, "messages": files.len(), "octets": figures.octets, "largest": figures.largest,
            "slowest_us": figures.slowest.0 as u64, "slowest": figures.slowest.1,
            "answered_wrongly": figures.wrong, "refused_connections": figures.dead,
        })
    );
    if ok { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
