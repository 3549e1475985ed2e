//! `sip-torture [--server HOST:PORT] DIRECTORY`: every file of a folder as a SIP message through the parser, the stream decoder
//! and, over TCP, a running server.
//!
//! Made for collections of hostile messages such as PROTOS c07-sip (4,527 cases), which are not part of this repository. One
//! line for each message that a server answered otherwise than the library's verdict, then one JSON object with the figures.
//! Exit 1 if the server died or answered wrongly.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use bytes::Bytes;
use serde_json::json;
use sip_lync::{Abilities, Frame, Limits, Message, MessageView, StreamDecoder};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);

#[derive(Default)]
struct Figures {
    messages: usize,
    octets: usize,
    largest: usize,
    verdicts: BTreeMap<String, usize>,
    frames: BTreeMap<String, usize>,
    slowest_us: u128,
    slowest: String,
    answers: BTreeMap<String, usize>,
    wrong: usize,
    dead: usize,
}

/// What the library says an element must do with a datagram.
fn verdict(wire: &Bytes) -> String {
    let Ok(message) = Message::parse(wire.clone()) else { return "no message".to_owned() };
    match message.problems(&Abilities::LYNC).first() {
        None => "processed".to_owned(),
        Some(problem) => {
            problem.status.map_or_else(|| "dropped".to_owned(), |status| status.code().to_string())
        }
    }
}

/// What comes out of a stream that carries the message, octet by octet so that every cut is tried.
fn framed(wire: &[u8], figures: &mut Figures) {
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let mut kinds = Vec::new();
    for piece in wire.chunks(13) {
        decoder.push(piece);
        while let Some(frame) = decoder.next() {
            kinds.push(match frame {
                Ok(Frame::Message(_)) => "message",
                Ok(_) => "keep-alive",
                Err(_) => "framing error",
            });
        }
    }
    if decoder.pending() > 0 {
        kinds.push("incomplete");
    }
    for kind in kinds {
        *figures.frames.entry(kind.to_owned()).or_default() += 1;
    }
}

/// Sends the message on a connection of its own; the status of each final answer, and whether the server closed.
fn exchange(server: &str, wire: &[u8]) -> std::io::Result<(Vec<u16>, bool)> {
    let mut socket = TcpStream::connect(server)?;
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    socket.set_nodelay(true)?;
    // A probe behind it: answered when the message has been dealt with and the boundary was not lost.
    let probe = "OPTIONS sip:probe@example.net SIP/2.0\r\nVia: SIP/2.0/TCP probe;branch=z9hG4bKprobe\r\nMax-Forwards: 70\r\nFrom: <sip:probe@example.net>;tag=1\r\nTo: <sip:probe@example.net>\r\nCall-ID: probe\r\nCSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    // A server that closes early makes writing fail.
    let _ = socket.write_all(wire).and_then(|()| socket.write_all(probe.as_bytes()));
    let mut decoder = StreamDecoder::new(Limits::DEFAULT);
    let mut statuses = Vec::new();
    let mut buffer = vec![0; 65_536];
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok((statuses, true)),
            Ok(length) => decoder.push(buffer.get(..length).unwrap_or_default()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(_) => return Ok((statuses, true)),
        }
        while let Some(Ok(frame)) = decoder.next() {
            let Frame::Message(frame) = frame else { continue };
            if let Ok(Message::Response(response)) = Message::parse(frame) {
                if response.headers.get(&sip_lync::HeaderName::CallId) == Some("probe") {
                    return Ok((statuses, false));
                }
                if response.status.is_final() {
                    statuses.push(response.status.code());
                }
            }
        }
    }
    Ok((statuses, false))
}

fn main() -> ExitCode {
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let mut server = None;
    if arguments.first().is_some_and(|first| first == "--server") && arguments.len() > 1 {
        server = Some(arguments.remove(1));
        arguments.remove(0);
    }
    let [folder] = arguments.as_slice() else {
        eprintln!("usage: sip-torture [--server HOST:PORT] DIRECTORY");
        return ExitCode::from(2);
    };
    let Ok(entries) = fs::read_dir(folder) else {
        eprintln!("sip-torture: there is no folder {folder}: nothing was tried");
        return ExitCode::from(1);
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let mut figures = Figures::default();
    for file in &files {
        let Ok(octets) = fs::read(file) else { continue };
        let wire = Bytes::from(octets);
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        figures.messages += 1;
        figures.octets += wire.len();
        figures.largest = figures.largest.max(wire.len());
        let start = Instant::now();
        let verdict = verdict(&wire);
        let _ = MessageView::parse(&wire);
        framed(&wire, &mut figures);
        let took = start.elapsed().as_micros();
        if took > figures.slowest_us {
            (figures.slowest_us, figures.slowest) = (took, name.clone());
        }
        *figures.verdicts.entry(verdict.clone()).or_default() += 1;
        if let Some(server) = &server {
            ask(server, &wire, &name, &verdict, &mut figures);
        }
    }
    println!(
        "{}",
        json!({
            "ok": figures.wrong == 0 && figures.dead == 0, "messages": figures.messages, "octets": figures.octets,
            "largest": figures.largest, "verdicts": figures.verdicts, "stream": figures.frames,
            "slowest_us": figures.slowest_us as u64, "slowest": figures.slowest,
            "answers": figures.answers, "answered_wrongly": figures.wrong, "refused_connections": figures.dead,
        })
    );
    if figures.wrong == 0 && figures.dead == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn ask(server: &str, wire: &[u8], name: &str, verdict: &str, figures: &mut Figures) {
    let Ok((statuses, closed)) = exchange(server, wire) else {
        figures.dead += 1;
        return;
    };
    let answer = match (statuses.first(), closed) {
        (Some(status), _) => status.to_string(),
        (None, true) => "closed".to_owned(),
        (None, false) => "none".to_owned(),
    };
    *figures.answers.entry(format!("{verdict} -> {answer}")).or_default() += 1;
    // What is no message is not answered, what has no end closes the connection; what a status is due to gets that status.
    let right = match verdict {
        "no message" => statuses.is_empty(),
        "processed" | "dropped" => true,
        status => answer == status || answer == "closed" || wire.starts_with(b"ACK"),
    };
    if !right {
        figures.wrong += 1;
        println!("{}", json!({ "file": name, "verdict": verdict, "answer": answer }));
    }
}
