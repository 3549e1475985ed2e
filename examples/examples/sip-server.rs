//! A registrar whose one telephone answers every call: the server side of `sip-lync` on one thread.
//!
//! Everybody may register; calls to `--user` are answered at once. Over TCP, or over TLS with `--cert` and `--key`. Each turn of
//! the loop reads what the connections have, lets the endpoint work, and writes each connection once. A wake-up, a read and a
//! write cost more than a message does: a server that has just worked on little waits a few milliseconds and takes what has
//! come by then together. One JSON line on stdout says where it listens.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use clap::Parser;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use rustls::{ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sip_lync::registrar::{Registrar, RegistrarConfig};
use sip_lync::{
    Config, Endpoint, Event, FlowId, FlowRole, Headers, Input, Method, Seed, SipUri, StatusCode, Transport,
    User,
};

/// A registrar whose one telephone answers every call
#[derive(Debug, Parser)]
#[command(name = "sip-server")]
pub(crate) struct Options {
    /// Where to listen, ADDRESS:PORT
    #[arg(long, default_value = "127.0.0.1:5060")]
    listen: SocketAddr,
    /// Whose calls are answered
    #[arg(long, default_value = "sip:echo@lab.test")]
    user: String,
    /// How long a busy server gathers what arrives before it works again, in milliseconds; an idle one answers at once
    #[arg(long, default_value_t = PAUSE_MS)]
    gather_ms: u64,
    /// The certificate (PEM): TLS in place of TCP
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
}

/// So long a server that found little waits for company, in milliseconds.
pub(crate) const PAUSE_MS: u64 = 8;

const LISTENER: Token = Token(0);

/// What one connection is read at once.
const PIECE: usize = 64 * 1024;

/// What the endpoint is given at once: what it tells of that, and sends, still lies in the processor's cache.
const BITE: usize = 4 * 1024;

/// What a connection that does not read may leave unsent before it is closed.
const UNSENT: usize = 8 * 1024 * 1024;

/// One connection.
struct Peer {
    socket: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// What is to be sent and the socket did not take yet, encrypted or plain.
    out: BytesMut,
    /// The poll wakes us when it may be written.
    waits: bool,
}

impl Peer {
    /// Reads once: how many octets came, and how many of plain text stand in the buffer. `None`: nothing more will come.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<Option<(usize, usize)>> {
        let Some(tls) = &mut self.tls else {
            let count = self.socket.read(buffer)?;
            return Ok((count > 0).then_some((count, count)));
        };
        let count = tls.read_tls(&mut self.socket)?;
        if count == 0 {
            return Ok(None);
        }
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let plain = state.plaintext_bytes_to_read().min(buffer.len());
        tls.reader().read_exact(buffer.get_mut(..plain).unwrap_or_default())?;
        Ok(Some((count, plain)))
    }

    /// Writes what the socket takes.
    fn write(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            if !self.out.is_empty() {
                tls.writer().write_all(&self.out)?;
                self.out.clear();
            }
            while tls.wants_write() {
                match tls.write_tls(&mut self.socket) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
            return Ok(());
        }
        while !self.out.is_empty() {
            match self.socket.write(&self.out) {
                Ok(count) => self.out.advance(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn has_more(&self) -> bool {
        !self.out.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }
}

/// When to wait for company: a wake-up, a read and a write cost more than a message does.
///
/// A turn that found little waits before the next one, so that the messages which come one by one are worked on together.
/// Where they come in crowds by themselves, because the peers wait for the answers, waiting would only cost time: now and
/// then a turn that does not wait finds that out.
pub(crate) struct Gather {
    pause: Duration,
    waits: bool,
    /// Turns since the last one that did not wait.
    turns: u32,
}

impl Gather {
    /// So many octets in one turn are a crowd.
    const CROWD: usize = 6 * 1024;

    pub(crate) const fn new(pause: Duration) -> Self {
        Self { pause, waits: false, turns: 0 }
    }

    /// A turn is over that brought so many octets: whether to wait before the next one.
    pub(crate) fn waits_after(&mut self, octets: usize) -> bool {
        self.turns = if self.waits { self.turns + 1 } else { 0 };
        self.waits = octets > 0 && if self.waits { self.turns < 64 } else { octets < Self::CROWD };
        self.waits
    }

    /// Waits, if that is to be done, until the pause is over since the turn began.
    pub(crate) fn turn(&mut self, began: Instant, octets: usize) {
        if self.waits_after(octets) {
            std::thread::sleep(self.pause.saturating_sub(began.elapsed()));
        }
    }
}

struct Server {
    endpoint: Endpoint,
    registrar: Registrar,
    description: Bytes,
    peers: BTreeMap<FlowId, Peer>,
    next: u32,
    /// Flows with something to write.
    touched: Vec<FlowId>,
    buffer: BytesMut,
}

impl Server {
    fn new(options: &Options) -> Result<Self, String> {
        let user = SipUri::parse(&options.user).map_err(|error| format!("{}: {error}", options.user))?;
        let mut config = Config::new(options.listen.ip().to_string());
        config.listen_port = options.listen.port();
        config.transport = if options.cert.is_some() { Transport::Tls } else { Transport::Tcp };
        config.server = true;
        config.limits.sessions_per_user = config.limits.sessions;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
        let mut endpoint = Endpoint::new(config, Seed(seed));
        endpoint.add_user(User::new(user, "ec40"));
        let address = options.listen.ip();
        let description = format!(
            "v=0\r\no=- 0 0 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"
        );
        Ok(Self {
            endpoint,
            registrar: Registrar::new(RegistrarConfig::default()),
            description: description.into(),
            peers: BTreeMap::new(),
            next: 1,
            touched: Vec::new(),
            buffer: BytesMut::with_capacity(PIECE),
        })
    }

    /// Answers what the endpoint tells.
    fn events(&mut self, now: Instant) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::Request { id, flow, request, .. } if request.method == Method::Register => {
                    let (status, headers) = self.registrar.register(now, flow, &request);
                    self.endpoint.respond(now, id, status, &headers, Bytes::new());
                }
                Event::Request { id, .. } => {
                    self.endpoint.respond(
                        now,
                        id,
                        StatusCode::NOT_IMPLEMENTED,
                        &Headers::new(),
                        Bytes::new(),
                    );
                }
                Event::Incoming { session, .. } => {
                    self.endpoint.ring(now, session, None);
                    self.endpoint.answer(now, session, self.description.clone());
                }
                Event::Reoffered { session, .. } => {
                    self.endpoint.answer_reoffer(now, session, self.description.clone());
                }
                Event::FlowFailed { flow, .. } => {
                    self.peers.remove(&flow);
                    self.registrar.handle_flow_closed(flow);
                }
                _ => {}
            }
        }
        while let Some(transmit) = self.endpoint.poll_transmit(&mut self.buffer) {
            if let Some(peer) = self.peers.get_mut(&transmit.flow) {
                if peer.out.is_empty() {
                    self.touched.push(transmit.flow);
                }
                peer.out.extend_from_slice(&self.buffer);
            }
            self.buffer.clear();
        }
    }

    fn closed(&mut self, now: Instant, flow: FlowId) {
        if self.peers.remove(&flow).is_some() {
            // The endpoint knew it.
            let _ = self.endpoint.handle_input(now, Input::FlowClosed { flow });
            self.registrar.handle_flow_closed(flow);
        }
    }

    /// Writes what was touched in this turn, each connection once.
    fn flush(&mut self, now: Instant, poll: &Poll) -> io::Result<()> {
        for flow in std::mem::take(&mut self.touched) {
            let Some(peer) = self.peers.get_mut(&flow) else { continue };
            if peer.write().is_err() || peer.out.len() > UNSENT {
                self.closed(now, flow);
                continue;
            }
            let waits = peer.has_more();
            if waits != peer.waits {
                peer.waits = waits;
                let interest =
                    if waits { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
                poll.registry().reregister(&mut peer.socket, Token(flow.0 as usize), interest)?;
            }
        }
        Ok(())
    }
}

/// Serves until the poll fails; `listening` is told the address.
pub(crate) fn run(options: &Options, listening: impl FnOnce(SocketAddr)) -> Result<(), String> {
    let mut server = Server::new(options)?;
    let tls = options.cert.as_ref().zip(options.key.as_ref());
    let tls = tls.map(|(cert, key)| configuration(cert, key)).transpose()?.map(Arc::new);
    serve(&mut server, options, tls.as_ref(), listening).map_err(|error| error.to_string())
}

fn serve(
    server: &mut Server,
    options: &Options,
    tls: Option<&Arc<ServerConfig>>,
    listening: impl FnOnce(SocketAddr),
) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(options.listen)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    listening(listener.local_addr()?);
    let mut ready = Events::with_capacity(256);
    let mut piece = vec![0; PIECE];
    let mut gather = Gather::new(Duration::from_millis(options.gather_ms));
    loop {
        let due = [server.endpoint.poll_timeout(), server.registrar.poll_timeout()];
        let wait = due.into_iter().flatten().min();
        // Timers of a second's resolution: waking for each of thousands would cost more than they do.
        let wait = wait.map(|at| {
            at.saturating_duration_since(Instant::now())
                .clamp(Duration::from_millis(20), Duration::from_secs(1))
        });
        match poll.poll(&mut ready, wait) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other?,
        }
        let now = Instant::now();
        let mut octets = 0;
        server.endpoint.handle_timeout(now);
        server.registrar.handle_timeout(now);
        server.events(now);
        for event in &ready {
            if event.token() == LISTENER {
                accept(server, &listener, &poll, now, tls)?;
                continue;
            }
            let flow = FlowId(event.token().0 as u32);
            if event.is_writable() {
                server.touched.push(flow);
            }
            while let Some(peer) = server.peers.get_mut(&flow) {
                match peer.read(&mut piece) {
                    Ok(Some((count, plain))) => {
                        octets += count;
                        if peer.tls.as_ref().is_some_and(|tls| tls.wants_write()) {
                            server.touched.push(flow);
                        }
                        for bytes in piece.get(..plain).unwrap_or_default().chunks(BITE) {
                            // An error is an event, too.
                            let _ = server.endpoint.handle_input(now, Input::Bytes { flow, bytes });
                            server.events(now);
                        }
                        if count < PIECE && server.peers.get(&flow).is_none_or(|peer| peer.tls.is_none()) {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Ok(None) | Err(_) => {
                        server.closed(now, flow);
                        server.events(now);
                        break;
                    }
                }
            }
        }
        server.flush(now, &poll)?;
        gather.turn(now, octets);
    }
}

fn accept(
    server: &mut Server,
    listener: &TcpListener,
    poll: &Poll,
    now: Instant,
    tls: Option<&Arc<ServerConfig>>,
) -> io::Result<()> {
    loop {
        let (mut socket, remote) = match listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            other => other?,
        };
        socket.set_nodelay(true)?;
        let (flow, local) = (FlowId(server.next), socket.local_addr()?);
        server.next += 1;
        poll.registry().register(&mut socket, Token(flow.0 as usize), Interest::READABLE)?;
        let tls = tls.map(|tls| ServerConnection::new(tls.clone()).map(Box::new));
        let tls = tls.transpose().map_err(io::Error::other)?;
        server.peers.insert(flow, Peer { socket, tls, out: BytesMut::new(), waits: false });
        let opened = Input::FlowOpened { flow, local, remote, role: FlowRole::Accepted };
        server.endpoint.handle_input(now, opened).map_err(io::Error::other)?;
    }
}

fn configuration(cert: &PathBuf, key: &PathBuf) -> Result<ServerConfig, String> {
    let told = |file: &PathBuf, error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|error| told(cert, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| told(key, &error))?;
    let builder = ServerConfig::builder().with_no_client_auth();
    builder.with_single_cert(chain, secret).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    let told =
        run(&Options::parse(), |address| println!("{{\"event\":\"listening\",\"address\":\"{address}\"}}"));
    match told {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sip-server: {reason}");
            ExitCode::FAILURE
        }
    }
}
