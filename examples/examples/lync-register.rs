//! Registers at a Lync front end, with NTLM or with a certificate, and perhaps calls somebody.
//!
//! One JSON line per event on stdout: `connected`, `challenged`, `registered`, `call`, `progress`, `answered`,
//! `released`, `deregistered`, `failed`. It ends with exit code 0 when it was registered and the call, if one was asked
//! for, was answered; otherwise with 1.

use std::fs;
use std::io::{self, Write};
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use clap::Parser;
use examples::base64;
use examples::connection::{Connection, Security};
use examples::login::Login;
use serde_json::{Value, json};
use sip_lync::gruu::InstanceId;
use sip_lync::{
    CallFailure, Config, EndReason, Endpoint, Event, FlowId, FlowRole, Input, Invite, RegistrationFailure,
    Retry, Seed, SessionId, SipUri, StatusCode, Transport, Uri, User, UserId,
};

/// Registers at a Lync front end and perhaps calls somebody
#[derive(Debug, Parser)]
#[command(name = "lync-register")]
pub(crate) struct Options {
    /// The front end, HOST:PORT
    #[arg(long)]
    server: String,
    /// The user, sip:U@D
    #[arg(long)]
    user: String,
    /// The Windows account DOMAIN\user (NTLM)
    #[arg(long, requires = "password_file", conflicts_with = "cert")]
    auth_user: Option<String>,
    /// A file with the account's password in its first line
    #[arg(long, requires = "auth_user")]
    password_file: Option<PathBuf>,
    /// Our certificate (PEM): mutual TLS
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// The key of our certificate (PEM)
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// The authorities of the front end (PEM); without them the public ones
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The name the front end's certificate must have; otherwise the host of --server
    #[arg(long)]
    server_name: Option<String>,
    /// Whom to call, sip:V@D
    #[arg(long)]
    call: Option<String>,
    /// How long the call, or without one the registration, stays
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How long the answer of the called one is waited for
    #[arg(long, default_value_t = 60.0)]
    patience: f64,
    /// TCP in place of TLS, for laboratories
    #[arg(long)]
    tcp: bool,
    /// Ask for a GRUU as RFC 5627 has it, too, for registrars that are none of Lync's
    #[arg(long)]
    public_gruu: bool,
    /// Offer RTP without protection
    #[arg(long)]
    clear: bool,
}

const FLOW: FlowId = FlowId(1);

/// What the program is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Registering,
    Registered,
    Calling(SessionId),
    Talking(SessionId),
    Leaving,
    Over,
}

struct Phone<W: Write> {
    endpoint: Endpoint,
    user: UserId,
    login: Option<Login>,
    trusted: bool,
    connection: Connection,
    call: Option<Uri>,
    offer: String,
    seconds: Duration,
    patience: Duration,
    stage: Stage,
    /// When the stage ends by itself.
    until: Instant,
    reached: bool,
    out: W,
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|error| error.to_string())?;
    Ok(octets)
}

fn seconds(number: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

/// Carries the options out; whether the goal was reached.
pub(crate) fn run<W: Write>(options: &Options, out: W) -> Result<bool, String> {
    let uri = SipUri::parse(&options.user).map_err(|error| format!("{}: {error}", options.user))?;
    let call = options.call.as_deref().map(Uri::parse).transpose().map_err(|error| error.to_string())?;
    let login = match (&options.auth_user, &options.password_file) {
        (Some(account), Some(file)) => {
            let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Some(Login::new(account, text.lines().next().unwrap_or_default())?)
        }
        _ => None,
    };
    let identity = options.cert.as_deref().zip(options.key.as_deref());
    let security = Security { ca: options.ca.as_deref(), identity, name: options.server_name.as_deref() };
    let connection = Connection::open(&options.server, (!options.tcp).then_some(&security))?;
    let (local, remote) = connection.addresses().map_err(|error| error.to_string())?;
    let mut config = Config::client(uri.host());
    config.transport = if options.tcp { Transport::Tcp } else { Transport::Tls };
    config.credentials = login.is_some();
    config.public_gruu = options.public_gruu;
    let mut endpoint = Endpoint::new(config, Seed(random()?));
    // The same endpoint every time: its GRUU follows from it.
    let instance = InstanceId::from_epid(&format!("{} {}", options.user, options.server)).to_string();
    let epid: String = instance.chars().filter(char::is_ascii_hexdigit).take(10).collect();
    let user = endpoint.add_user(User::new(uri, epid));
    let media = UdpSocket::bind((local.ip(), 0)).and_then(|socket| socket.local_addr());
    let media = media.map_err(|error| error.to_string())?;
    let now = Instant::now();
    let opened = Input::FlowOpened { flow: FLOW, local, remote, role: FlowRole::Dialled };
    endpoint.handle_input(now, opened).map_err(|error| error.to_string())?;
    endpoint.register(now, user, FLOW, None).map_err(|error| error.to_string())?;
    let mut phone = Phone {
        endpoint,
        user,
        login,
        trusted: identity.is_some(),
        connection,
        call,
        offer: offer(media.ip(), media.port(), options.clear)?,
        seconds: seconds(options.seconds)?,
        patience: seconds(options.patience)?,
        stage: Stage::Registering,
        until: now + Duration::from_secs(40),
        reached: false,
        out,
    };
    phone.tell(&json!({ "event": "connected", "local": local.to_string(), "remote": remote.to_string() }))?;
    phone.run()?;
    Ok(phone.reached)
}

impl<W: Write> Phone<W> {
    fn run(&mut self) -> Result<(), String> {
        let mut buffer = vec![0; 65536];
        while self.stage != Stage::Over {
            self.flush()?;
            let until = self.endpoint.poll_timeout().map_or(self.until, |at| at.min(self.until));
            let read = self.connection.read(&mut buffer, until);
            let now = Instant::now();
            match read {
                Ok(Some([])) => {
                    self.failed("connection", "the front end closed the connection", None, None)?;
                    self.stage = Stage::Over;
                }
                Ok(Some(bytes)) => {
                    // An error is an event, too.
                    let _ = self.endpoint.handle_input(now, Input::Bytes { flow: FLOW, bytes });
                }
                Ok(None) => {}
                Err(error) => {
                    self.failed("connection", &error.to_string(), None, None)?;
                    self.stage = Stage::Over;
                }
            }
            self.endpoint.handle_timeout(now);
            while let Some(event) = self.endpoint.poll_event() {
                self.event(now, event)?;
            }
            if now >= self.until {
                self.stage_over(now)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), String> {
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.endpoint.poll_transmit(&mut buffer) {
            let mut message = buffer.split_to(transmit.len);
            if let (Some(slot), Some(login)) = (self.endpoint.poll_signature(), &self.login) {
                login.sign(&slot, &mut message);
            }
            self.connection.write(&message).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn event(&mut self, now: Instant, event: Event) -> Result<(), String> {
        match event {
            Event::Challenged { user, challenges } => {
                let schemes: Vec<&str> = challenges.iter().map(|challenge| &*challenge.scheme).collect();
                let line = json!({ "event": "challenged", "schemes": schemes });
                self.tell(&line)?;
                let random = random()?;
                match self.login.as_mut().map(|login| login.leg(&challenges, random)) {
                    Some(Ok(leg)) => self.endpoint.authenticate(now, user, leg),
                    Some(Err(reason)) => {
                        self.failed("login", &reason, None, None)?;
                        self.endpoint.refuse_challenge(now, user);
                    }
                    None => self.endpoint.refuse_challenge(now, user),
                }
            }
            Event::SignatureReceived { id, text, signature, .. } => {
                let verdict = self.login.as_mut().map(|login| login.judge(&text, &signature));
                self.endpoint.verified(now, id, verdict.unwrap_or(sip_lync::Verdict::Forged));
            }
            Event::Registered { gruu, expires, refreshed, services, server, .. } => {
                self.tell(&json!({
                    "event": "registered",
                    "gruu": gruu.map(|gruu| gruu.to_string()),
                    "expires": expires.as_secs(),
                    "refreshed": refreshed,
                    "services": services,
                    "server": server,
                }))?;
                if self.stage == Stage::Registering {
                    self.registered(now)?;
                }
            }
            Event::RegistrationFailed { failure, status, retry, .. } => {
                let not_trusted = failure == RegistrationFailure::Challenged && self.trusted;
                let failure = if not_trusted { RegistrationFailure::NotTrusted } else { failure };
                let after = match retry {
                    Retry::After(pause) => Some(pause),
                    Retry::Never => None,
                };
                self.failed("registration", failure.text(), status, after)?;
                self.reached = false;
                self.stage = Stage::Over;
            }
            Event::Redirected { contacts, .. } => {
                let contacts: Vec<String> = contacts.iter().map(ToString::to_string).collect();
                self.tell(&json!({ "event": "redirected", "contacts": contacts }))?;
                self.stage = Stage::Over;
            }
            Event::Deregistered { .. } => {
                self.tell(&json!({ "event": "deregistered" }))?;
                self.stage = Stage::Over;
            }
            Event::FlowFailed { error, .. } => {
                self.failed("connection", &error.to_string(), None, None)?;
                self.stage = Stage::Over;
            }
            Event::Incoming { session, .. } => {
                self.endpoint.reject(now, session, StatusCode::TEMPORARILY_UNAVAILABLE);
            }
            Event::Request { id, .. } => {
                let nothing = sip_lync::Headers::new();
                self.endpoint.respond(now, id, StatusCode::NOT_IMPLEMENTED, &nothing, bytes::Bytes::new());
            }
            Event::Progress { status, .. } => {
                self.tell(&json!({ "event": "progress", "status": status.code() }))?;
            }
            Event::Answered { session, connected, .. } => {
                let connected = connected.map(|party| party.uri.to_string());
                self.tell(&json!({ "event": "answered", "connected": connected }))?;
                self.reached = true;
                self.stage = Stage::Talking(session);
                self.until = now + self.seconds;
            }
            Event::Reoffered { session, .. } => {
                let offer = self.offer.clone();
                self.endpoint.answer_reoffer(now, session, offer);
            }
            Event::Failed { failure: CallFailure { status, reason, .. }, .. } => {
                self.failed("call", &reason, status, None)?;
                self.leave(now);
            }
            Event::Ended { reason, .. } => {
                self.tell(&json!({ "event": "released", "reason": end_reason(reason) }))?;
                self.leave(now);
            }
            _ => {}
        }
        Ok(())
    }

    fn registered(&mut self, now: Instant) -> Result<(), String> {
        let Some(target) = self.call.take() else {
            self.reached = true;
            self.stage = Stage::Registered;
            self.until = now + self.seconds;
            return Ok(());
        };
        self.tell(&json!({ "event": "call", "to": target.to_string() }))?;
        match self.endpoint.invite(now, self.user, Invite::new(target, self.offer.clone())) {
            Ok(session) => {
                self.stage = Stage::Calling(session);
                self.until = now + self.patience;
            }
            Err(error) => {
                self.failed("call", &error.to_string(), None, None)?;
                self.leave(now);
            }
        }
        Ok(())
    }

    fn stage_over(&mut self, now: Instant) -> Result<(), String> {
        match self.stage {
            Stage::Registering => {
                self.failed("registration", "the front end did not answer", None, None)?;
                self.stage = Stage::Over;
            }
            Stage::Registered => self.leave(now),
            Stage::Calling(session) | Stage::Talking(session) => {
                self.until = now + Duration::from_secs(35);
                self.endpoint.hang_up(now, session);
            }
            Stage::Leaving | Stage::Over => self.stage = Stage::Over,
        }
        Ok(())
    }

    fn leave(&mut self, now: Instant) {
        if !matches!(self.stage, Stage::Leaving | Stage::Over) {
            self.stage = Stage::Leaving;
            self.until = now + Duration::from_secs(5);
            self.endpoint.deregister(now, self.user);
        }
    }

    fn failed(
        &mut self,
        what: &str,
        reason: &str,
        status: Option<StatusCode>,
        retry: Option<Duration>,
    ) -> Result<(), String> {
        self.tell(&json!({
            "event": "failed",
            "what": what,
            "reason": reason,
            "status": status.map(StatusCode::code),
            "retry_after": retry.map(|pause| pause.as_secs()),
        }))
    }

    fn tell(&mut self, line: &Value) -> Result<(), String> {
        writeln!(self.out, "{line}").and_then(|()| self.out.flush()).map_err(|error| error.to_string())
    }
}

fn end_reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::PeerBye => "peer-bye",
        EndReason::Cancelled { .. } => "cancelled",
        EndReason::Local => "local",
        EndReason::RingLimit => "ring-limit",
        EndReason::AckMissing => "ack-missing",
        EndReason::DialogGone => "dialog-gone",
        EndReason::FlowLost => "flow-lost",
        EndReason::SessionExpired => "session-expired",
        _ => "other",
    }
}

/// One audio line, with a key unless `clear`.
fn offer(address: std::net::IpAddr, port: u16, clear: bool) -> Result<String, String> {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    let (profile, key) = if clear {
        ("RTP/AVP", String::new())
    } else {
        let key = base64::encode(&random::<30>()?);
        (
            "RTP/SAVP",
            format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31\r\na=encryption:required\r\n"),
        )
    };
    Ok(format!(
        "v=0\r\no=- 0 0 IN {family} {address}\r\ns=session\r\nc=IN {family} {address}\r\nt=0 0\r\n\
         m=audio {port} {profile} 8 0 101\r\n{key}a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
    ))
}

fn main() -> ExitCode {
    match run(&Options::parse(), io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(reason) => {
            println!(
                "{}",
                json!({ "event": "failed", "what": "program", "reason": reason, "status": null, "retry_after": null })
            );
            eprintln!("lync-register: {reason}");
            ExitCode::FAILURE
        }
    }
}
