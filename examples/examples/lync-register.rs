//! Registers at a Lync front end, with NTLM or with a certificate, and perhaps calls somebody.
//!
//! One JSON line per event on stdout: `connected`, `challenged`, `redirected`, `registered`, `call`, `progress`,
//! `answered`, `released`, `deregistered`, `failed`. Where a front end redirects to, the best home server first, it goes.
//! It ends with exit code 0 when it was registered and the call, if one was asked for, was answered, with 2 when it is
//! called wrongly, otherwise with 1.

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
use sip_lync::homes::{Advice, Homes, HomesConfig, Proxy};
use sip_lync::{
    CallFailure, Config, EndReason, Endpoint, Event, FlowId, FlowRole, Input, Invite, RegistrationFailure,
    Retry, Seed, SessionId, SipUri, StatusCode, Transport, Uri, User, UserId,
};

/// Registers at a Lync front end and perhaps calls somebody
#[derive(Debug, Parser)]
#[command(name = "lync-register")]
pub(crate) struct Options {
    /// The front end, HOST:PORT
    #[arg(long, value_parser = host_and_port)]
    server: String,
    /// The user, sip:U@D
    #[arg(long, value_parser = SipUri::parse)]
    user: SipUri,
    /// The Windows account DOMAIN\user (NTLM)
    #[arg(long, value_parser = account, requires = "password_file", conflicts_with = "cert")]
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
    #[arg(long, value_parser = Uri::parse)]
    call: Option<Uri>,
    /// How long the call, or without one the registration, stays
    #[arg(long, default_value = "2", value_parser = seconds)]
    seconds: Duration,
    /// How long the answer of the called one is waited for
    #[arg(long, default_value = "60", value_parser = seconds)]
    patience: Duration,
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
    /// Where the front end sends us.
    elsewhere: Option<Vec<SipUri>>,
    out: W,
}

fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).map_err(|error| error.to_string())?;
    Ok(octets)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(number).map_err(|error| error.to_string())
}

fn host_and_port(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    parts.map(|_| text.to_owned()).ok_or_else(|| "not of the form HOST:PORT".to_owned())
}

fn account(text: &str) -> Result<String, String> {
    text.contains('\\').then(|| text.to_owned()).ok_or_else(|| "not of the form DOMAIN\\user".to_owned())
}

/// Carries the options out; whether the goal was reached. A redirection leads to the home servers that it names.
pub(crate) fn run<W: Write>(options: &Options, mut out: W) -> Result<bool, String> {
    let uri = |server: &str| SipUri::parse(&format!("sip:{server}")).map_err(|error| error.to_string());
    let mut homes = Homes::new(HomesConfig::default(), Seed(random()?));
    homes.set_proxies(vec![Proxy::new(uri(&options.server)?, 1, 1)]);
    let mut tried = Vec::new();
    let mut failure = "the front end redirects in a circle".to_owned();
    loop {
        let Advice::Connect(id) = homes.advice(Instant::now()) else { return Err(failure) };
        if tried.contains(&id) {
            return Err(failure);
        }
        tried.push(id);
        let usual = if options.tcp { 5060 } else { 5061 };
        let place = homes
            .proxy(id)
            .map(|proxy| format!("{}:{}", proxy.uri.host(), proxy.uri.port().unwrap_or(usual)));
        match attempt(options, &place.unwrap_or_default(), tried.len() == 1, &mut out) {
            Ok(Outcome::Over { reached }) => return Ok(reached),
            Ok(Outcome::Redirected(to)) => _ = homes.redirected(Instant::now(), id, to),
            Err(reason) if tried.len() == 1 => return Err(reason),
            Err(reason) => {
                failure = reason;
                homes.failed(Instant::now(), id);
            }
        }
    }
}

/// How it went with one front end.
enum Outcome {
    Over { reached: bool },
    Redirected(Vec<SipUri>),
}

fn attempt<W: Write>(options: &Options, server: &str, first: bool, out: W) -> Result<Outcome, String> {
    let uri = options.user.clone();
    let login = match (&options.auth_user, &options.password_file) {
        (Some(account), Some(file)) => {
            let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            Some(Login::new(account, text.lines().next().unwrap_or_default())?)
        }
        _ => None,
    };
    let identity = options.cert.as_deref().zip(options.key.as_deref());
    // The name that was given is that of the first front end.
    let name = options.server_name.as_deref().filter(|_| first);
    let security = Security { ca: options.ca.as_deref(), identity, name };
    let connection = Connection::open(server, (!options.tcp).then_some(&security))?;
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
        call: options.call.clone(),
        offer: offer(media.ip(), media.port(), options.clear)?,
        seconds: options.seconds,
        patience: options.patience,
        stage: Stage::Registering,
        until: now + Duration::from_secs(40),
        reached: false,
        elsewhere: None,
        out,
    };
    phone.tell(&json!({ "event": "connected", "local": local.to_string(), "remote": remote.to_string() }))?;
    phone.run()?;
    Ok(phone.elsewhere.map_or(Outcome::Over { reached: phone.reached }, Outcome::Redirected))
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
            Event::RegistrationFailed { failure, status, retry, diagnostics, .. } => {
                let not_trusted = failure == RegistrationFailure::Challenged && self.trusted;
                let failure = if not_trusted { RegistrationFailure::NotTrusted } else { failure };
                let after = match retry {
                    Retry::After(pause) => Some(pause),
                    Retry::Never => None,
                };
                let because = diagnostics.map(|diagnostics| format!(" ({diagnostics})")).unwrap_or_default();
                self.failed("registration", &format!("{}{because}", failure.text()), status, after)?;
                self.reached = false;
                self.stage = Stage::Over;
            }
            Event::Redirected { contacts, .. } => {
                let named: Vec<String> = contacts.iter().map(ToString::to_string).collect();
                self.tell(&json!({ "event": "redirected", "contacts": named }))?;
                self.elsewhere = Some(contacts);
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
            Event::Failed { failure: CallFailure { status, reason, diagnostics, .. }, .. } => {
                let because = diagnostics.map(|diagnostics| format!(" ({diagnostics})")).unwrap_or_default();
                self.failed("call", &format!("{reason}{because}"), status, None)?;
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
