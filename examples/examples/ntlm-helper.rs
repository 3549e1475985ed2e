//! Speaks the helper protocol of Samba's `ntlm_auth`, so that any program that drives that one can drive ours.
//!
//! The one who logs in (`ntlmssp-client-1`): `YR` begins and is answered with the first message; `TT CHALLENGE` is answered with
//! `AF MESSAGE`. The one who lets in (`squid-2.5-ntlmssp`): `YR MESSAGE` is answered with `TT CHALLENGE`; `KK MESSAGE` with
//! `AF DOMAIN\user` or `NA STATUS REASON`; `YR` alone begins a login without a connection. `BH REASON` answers what cannot be understood. After success both take `GK` (session key), `GF` (flags),
//! `SIGN TEXT` and `VERIFY TEXT SIGNATURE`. Messages and texts are base64, signatures hexadecimal. With `--datagram` there is no
//! first message, and signatures carry the number 100, as in SIP.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Parser, ValueEnum};
use examples::base64;
use ntlm_auth::{
    Acceptor, AcceptorConfig, ClientChallenge, Credentials, Error, FileTime, Initiator, InitiatorConfig,
    Mode, NegotiateFlags, NtHash, RandomSessionKey, Refusal, SIP_SEQUENCE, Session,
};

/// Speaks the helper protocol of ntlm_auth
#[derive(Debug, Parser)]
#[command(name = "ntlm-helper")]
pub(crate) struct Options {
    /// Which side we are
    #[arg(long, value_enum)]
    helper_protocol: Protocol,
    /// Who logs in
    #[arg(long, default_value = "")]
    username: String,
    /// The domain of the user; for the acceptor its own
    #[arg(long, default_value = "")]
    domain: String,
    /// A file with the password in its first line
    #[arg(long, required_if_eq("helper_protocol", "ntlmssp-client-1"))]
    password_file: Option<PathBuf>,
    /// Name of this computer
    #[arg(long, default_value = "WORKSTATION")]
    workstation: String,
    /// A file with lines DOMAIN:user:password, for the acceptor
    #[arg(long, required_if_eq("helper_protocol", "squid-2.5-ntlmssp"))]
    users: Option<PathBuf>,
    /// Without a connection, as in SIP
    #[arg(long)]
    datagram: bool,
    /// Hexadecimal digits in place of random numbers, for repeatable runs only
    #[arg(long, value_parser = seed)]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Protocol {
    #[value(name = "ntlmssp-client-1")]
    Client,
    #[value(name = "squid-2.5-ntlmssp")]
    Server,
}

pub(crate) struct Helper {
    side: Side,
    mode: Mode,
    random: Random,
    session: Option<(NegotiateFlags, Session)>,
}

enum Side {
    Client { config: Box<InitiatorConfig>, pending: Option<Initiator> },
    Server { accounts: Vec<Credentials>, config: Box<AcceptorConfig>, pending: Option<Acceptor> },
}

impl Helper {
    pub(crate) fn new(options: &Options) -> Result<Self, String> {
        let mode = if options.datagram { Mode::Datagram } else { Mode::Stream };
        let side = match options.helper_protocol {
            Protocol::Client => {
                let file = options.password_file.as_deref().ok_or("--password-file is needed")?;
                let text = read(file)?;
                let password = text.lines().next().unwrap_or_default();
                let credentials = Credentials::new(&*options.domain, &*options.username, password);
                let mut config = InitiatorConfig::new(mode, credentials);
                options.workstation.clone_into(&mut config.workstation);
                config.version = ntlm_auth::USUAL_VERSION;
                Side::Client { config: Box::new(config), pending: None }
            }
            Protocol::Server => {
                let file = options.users.as_deref().ok_or("--users is needed")?;
                let accounts = accounts(&read(file)?)?;
                let own = accounts.first().map_or("WORKGROUP", |account| &account.domain);
                let domain = if options.domain.is_empty() { own } else { &options.domain };
                let config = AcceptorConfig::new(mode, &options.workstation, domain);
                Side::Server { accounts, config: Box::new(config), pending: None }
            }
        };
        Ok(Self { side, mode, random: Random { seed: options.seed }, session: None })
    }

    pub(crate) fn line(&mut self, line: &str, now: FileTime) -> String {
        let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match command {
            "YR" => self.begin(argument.trim(), now),
            "TT" | "KK" => self.go_on(command, argument.trim(), now),
            "GK" => self
                .finished()
                .map(|(_, session)| format!("GK {}", base64::encode(&session.expose().exported_session_key))),
            "GF" => self.finished().map(|(flags, _)| format!("GF 0x{:08x}", flags.0)),
            // Features are ours to choose; a driver that asks for some goes on.
            "SF" => Ok("OK".to_owned()),
            "PW" => self.password(argument.trim()),
            "SIGN" => self.sign(argument.trim()),
            "VERIFY" => self.verify(argument.trim()),
            _ => Err("unknown command".to_owned()),
        };
        answer.unwrap_or_else(|reason| format!("BH {reason}"))
    }

    fn begin(&mut self, argument: &str, now: FileTime) -> Result<String, String> {
        self.session = None;
        match &mut self.side {
            Side::Client { config, pending } => {
                let initiator = Initiator::new((**config).clone());
                let first = base64::encode(initiator.negotiate().unwrap_or_default());
                *pending = Some(initiator);
                Ok(format!("YR {first}").trim_end().to_owned())
            }
            Side::Server { config, pending, .. } => {
                let message = decode(argument)?;
                // Without a first message there is no connection.
                let datagram = self.mode == Mode::Datagram || message.is_empty();
                let negotiate = (!datagram).then_some(message.as_slice());
                let mut config = (**config).clone();
                if datagram && config.mode != Mode::Datagram {
                    let whole = AcceptorConfig::new(Mode::Datagram, "", "");
                    (config.mode, config.flags) = (whole.mode, whole.flags);
                }
                let challenge = self.random.array()?;
                let acceptor = Acceptor::new(config, negotiate, challenge, Some(now))
                    .map_err(|error| error.to_string())?;
                let answer = format!("TT {}", base64::encode(acceptor.challenge()));
                *pending = Some(acceptor);
                Ok(answer)
            }
        }
    }

    fn go_on(&mut self, command: &str, argument: &str, now: FileTime) -> Result<String, String> {
        let message = decode(argument)?;
        match (&mut self.side, command) {
            (Side::Client { pending, .. }, "TT") => {
                let initiator = pending.take().ok_or("YR comes first")?;
                let client_challenge = ClientChallenge(self.random.array()?);
                let key = RandomSessionKey::new(self.random.array()?);
                let (answer, session) = initiator
                    .challenge(now, &message, client_challenge, &key)
                    .map_err(|error| error.to_string())?;
                let flags = ntlm_auth::Authenticate::parse(&answer).map_err(|error| error.to_string())?.flags;
                self.session = Some((flags, session));
                Ok(format!("AF {}", base64::encode(&answer)))
            }
            (Side::Server { accounts, pending, .. }, "KK") => {
                let acceptor = pending.take().ok_or("YR comes first")?;
                let accepted = acceptor.authenticate(now, &message).and_then(|claim| {
                    let account =
                        accounts.iter().find(|account| is_meant(account, claim.domain(), claim.user()));
                    let domain = account.map(|account| account.domain.clone()).unwrap_or_default();
                    claim.prove(account.map(|account| &account.hash)).map(|accepted| (domain, accepted))
                });
                match accepted {
                    Ok((domain, accepted)) => {
                        self.session = Some((accepted.flags, accepted.session));
                        Ok(format!("AF {domain}\\{}", accepted.user))
                    }
                    Err(error) => Ok(format!("NA {} {error}", status(error))),
                }
            }
            _ => Err("not for this side".to_owned()),
        }
    }

    /// A driver that knows the password hands it over.
    fn password(&mut self, argument: &str) -> Result<String, String> {
        let password = decode(argument)?;
        let password = std::str::from_utf8(&password).map_err(|_| "the password is not UTF-8")?;
        match &mut self.side {
            Side::Client { config, .. } => {
                config.credentials.hash = NtHash::of_password(password);
                Ok("OK".to_owned())
            }
            Side::Server { .. } => Err("not for this side".to_owned()),
        }
    }

    fn finished(&mut self) -> Result<&mut (NegotiateFlags, Session), String> {
        self.session.as_mut().ok_or_else(|| "nobody is logged in".to_owned())
    }

    fn sign(&mut self, argument: &str) -> Result<String, String> {
        let text = decode(argument)?;
        let signature = match &mut self.finished()?.1 {
            Session::Datagram(session) => session.sign(SIP_SEQUENCE, &text),
            Session::Stream(session) => session.sign(&text),
            _ => return Err("no signatures".to_owned()),
        };
        Ok(signature.iter().fold("SIG ".to_owned(), |line, octet| format!("{line}{octet:02x}")))
    }

    fn verify(&mut self, argument: &str) -> Result<String, String> {
        // The text may be empty: then only the signature is there.
        let (text, signature) = argument.split_once(' ').unwrap_or(("", argument));
        let (text, signature) = (decode(text)?, from_hex(signature.trim())?);
        let result = match &mut self.finished()?.1 {
            Session::Datagram(session) => session.verify(SIP_SEQUENCE, &text, &signature),
            Session::Stream(session) => session.verify(&text, &signature),
            _ => return Err("no signatures".to_owned()),
        };
        Ok(if result.is_ok() { "OK" } else { "BAD" }.to_owned())
    }
}

/// What Samba's `ntlm_auth` calls a refusal.
fn status(error: Error) -> &'static str {
    match error {
        Error::Malformed { .. } | Error::TooLong => "NT_STATUS_INVALID_PARAMETER",
        Error::Refused(Refusal::WrongMic | Refusal::NoMic | Refusal::NoSessionKey | Refusal::TargetInfo) => {
            "NT_STATUS_INVALID_PARAMETER"
        }
        Error::Refused(Refusal::Flags | Refusal::FlagsNotOffered) => "NT_STATUS_INVALID_PARAMETER",
        Error::Refused(Refusal::ClockSkew) => "NT_STATUS_TIME_DIFFERENCE_AT_DC",
        Error::Refused(Refusal::ChannelBinding) => "NT_STATUS_BAD_BINDINGS",
        _ => "NT_STATUS_LOGON_FAILURE",
    }
}

/// An account is meant by its domain or by none, and by an address in place of the user.
fn is_meant(account: &Credentials, domain: &str, user: &str) -> bool {
    let same = |left: &str, right: &str| left.to_lowercase() == right.to_lowercase();
    let short = user.split_once('@').map_or(user, |(short, _)| short);
    same(&account.user, if domain.is_empty() { short } else { user })
        && (domain.is_empty() || same(&account.domain, domain))
}

fn accounts(text: &str) -> Result<Vec<Credentials>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ':');
            match (parts.next(), parts.next(), parts.next()) {
                (Some(domain), Some(user), Some(password)) => Ok(Credentials::new(domain, user, password)),
                _ => Err("the users file has lines DOMAIN:user:password".to_owned()),
            }
        })
        .collect()
}

/// Octets that nobody foresees, or with a seed the same ones each time.
struct Random {
    seed: Option<u64>,
}

impl Random {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut octets = [0; N];
        match &mut self.seed {
            None => {
                let mut source = fs::File::open("/dev/urandom").map_err(|error| error.to_string())?;
                source.read_exact(&mut octets).map_err(|error| error.to_string())?;
            }
            Some(state) => {
                for octet in &mut octets {
                    *state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    *octet = (*state >> 56) as u8;
                }
            }
        }
        Ok(octets)
    }
}

/// A number out of hexadecimal digits, as many as there are.
fn seed(digits: &str) -> Result<u64, String> {
    let octets = from_hex(digits)?;
    Ok(octets.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, octet| {
        (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    }))
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let value = |octet: u8| match octet {
        b'A'..=b'Z' => Some(octet - b'A'),
        b'a'..=b'z' => Some(octet - b'a' + 26),
        b'0'..=b'9' => Some(octet - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let digits = text.trim_end_matches('=');
    let mut octets = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut word, mut bits) = (0_u32, 0);
    for octet in digits.bytes() {
        let value = value(octet).ok_or("not base64")?;
        word = (word << 6 | u32::from(value)) & 0x0fff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push((word >> bits) as u8);
        }
    }
    Ok(octets)
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let octets: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    octets.filter(|_| odd.is_empty()).ok_or_else(|| "not hexadecimal".to_owned())
}

fn main() -> ExitCode {
    let mut helper = match Helper::new(&Options::parse()) {
        Ok(helper) => helper,
        Err(reason) => {
            eprintln!("{reason}");
            return ExitCode::FAILURE;
        }
    };
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let Ok(line) = line else { return ExitCode::FAILURE };
        // What is not text is no command, and is answered so.
        let line = String::from_utf8_lossy(&line);
        let answer = helper.line(line.trim_end(), FileTime::from(SystemTime::now()));
        if writeln!(output, "{answer}").and_then(|()| output.flush()).is_err() {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
