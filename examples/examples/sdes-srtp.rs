//! Reads and answers `a=crypto` lines, protects and unprotects packets: lines in, lines out.
//!
//! ```text
//! $ echo 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:4fl6DT4Bi+DWT6MsBt5BOQ7Gda1Jiv7rtpYLOqvm|2^31|1:1' \
//!     | cargo run -q --example sdes-srtp -- parse
//! $ printf '%s\n' 'm=audio 5004 RTP/AVP 8' 'a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:…|2^31' \
//!     | cargo run -q --example sdes-srtp -- answer --policy enabled --seed 00ff
//! $ echo 800f1234decafbadcafebabeabababababababababababababababab \
//!     | cargo run -q --example sdes-srtp -- protect --crypto 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:…'
//! ```

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, Error, KeyParameter, MasterKeyIdentifier, NegotiationConfig, Profile,
    ProtectError, Receiver, ReceiverConfig, ReceiverKeys, Seed, Sender, SenderConfig, SenderKeys, SrtpPolicy,
    UnprotectError, answer,
};

/// Reads and answers a=crypto lines, protects and unprotects packets
#[derive(Clone, Debug, Parser)]
#[command(name = "sdes-srtp")]
struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Clone, Debug, Subcommand)]
enum Task {
    /// Reads a=crypto lines and prints each as JSON
    Parse,
    /// Protects packets given in hex, one a line
    Protect(Packets),
    /// Checks and decrypts packets given in hex, one a line
    Unprotect(Packets),
    /// Answers an offer: its m= line, then its a=crypto lines
    Answer(Answer),
}

#[derive(Clone, Debug, Args)]
struct Packets {
    /// The a=crypto line with the keys
    #[arg(long, value_name = "LINE")]
    crypto: String,
    /// The packets are RTCP
    #[arg(long)]
    rtcp: bool,
    /// Roll-over counter of the first packet of each source
    #[arg(long, value_name = "N", default_value_t = 0)]
    roc: u32,
    /// SRTCP index of the first packet of each source
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..1 << 31))]
    index: u32,
    /// Protect with the key of this MKI, decimal
    #[arg(long, value_name = "VALUE")]
    mki: Option<String>,
}

#[derive(Clone, Debug, Args)]
struct Answer {
    /// What is wanted of SRTP
    #[arg(long, value_enum)]
    policy: Policy,
    /// Prefer a line with an MKI
    #[arg(long)]
    mki: bool,
    /// The acceptable suites, with commas between them
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = suite)]
    suites: Vec<CryptoSuite>,
    /// Randomness of the answer's key
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: [u8; 32],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Policy {
    Off,
    Enabled,
    Required,
}

fn suite(text: &str) -> Result<CryptoSuite, String> {
    CryptoSuite::from_token(text).ok_or_else(|| format!("{text} is no suite of ours"))
}

/// Seeds of any length: shorter ones are filled up with zeros, longer ones folded.
fn seed(text: &str) -> Result<[u8; 32], String> {
    let octets = from_hex(text).filter(|octets| !octets.is_empty()).ok_or("not hex")?;
    let mut seed = [0; 32];
    for (at, octet) in octets.iter().enumerate() {
        seed[at % 32] ^= octet;
    }
    Ok(seed)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn main() -> ExitCode {
    let result = match Options::parse().task {
        Task::Parse => parse(),
        Task::Protect(packets) => Protecting::new(&packets).map_or_else(usage, each_packet),
        Task::Unprotect(packets) => Unprotecting::new(&packets).map_or_else(usage, each_packet),
        Task::Answer(options) => answer_offer(&options),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sdes-srtp: {error}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::unnecessary_wraps, clippy::needless_pass_by_value, reason = "takes the place of a task")]
fn usage(problem: String) -> io::Result<ExitCode> {
    eprintln!("sdes-srtp: {problem}");
    Ok(ExitCode::from(2))
}

/// Calls `work` with each line of standard input and prints what it says.
fn each_line(mut work: impl FnMut(&[u8]) -> String) -> io::Result<ExitCode> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        writeln!(output, "{}", work(text))?;
        output.flush()?;
        line.clear();
    }
    Ok(ExitCode::SUCCESS)
}

fn bad(error: &str, at: usize) -> Value {
    json!({ "ok": false, "error": error, "at": at })
}

fn parse() -> io::Result<ExitCode> {
    each_line(|line| {
        let line = match str::from_utf8(line) {
            Ok(line) => line,
            Err(error) => return bad("the line is not UTF-8", error.valid_up_to()).to_string(),
        };
        match CryptoAttribute::parse(line) {
            Ok(line) => attribute(&line).to_string(),
            Err(Error::Malformed { at, rule }) => bad(&rule.to_string(), at).to_string(),
            Err(other) => bad(&other.to_string(), 0).to_string(),
        }
    })
}

fn attribute(line: &CryptoAttribute) -> Value {
    json!({
        "ok": true,
        "tag": line.tag,
        "suite": line.suite.token(),
        "keys": line.keys.iter().map(key).collect::<Vec<_>>(),
        "session_parameters": line.session_parameters.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn key(key: &KeyParameter) -> Value {
    json!({
        "key": hex(key.key.as_bytes()),
        "salt": hex(key.salt.as_bytes()),
        "lifetime": key.lifetime.as_ref().map(srtp_sdes::Lifetime::packets),
        "mki": key.mki.as_ref().map(mki),
    })
}

/// Values that other readers of JSON would round are texts.
fn mki(mki: &MasterKeyIdentifier) -> Value {
    let value = match mki.value() {
        Some(value) if value < 1 << 53 => json!(value),
        _ => json!(mki.to_decimal()),
    };
    json!({ "value": value, "length": mki.as_bytes().len() })
}

/// Work on one packet: the result in the same buffer, or the reason why there is none.
trait Work {
    fn work(&mut self, packet: &mut Vec<u8>) -> Result<(), &'static str>;
}

fn each_packet(mut context: impl Work) -> io::Result<ExitCode> {
    each_line(|line| {
        let packet = str::from_utf8(line).ok().and_then(|text| from_hex(text.trim()));
        let Some(mut packet) = packet else { return "error: malformed".into() };
        match context.work(&mut packet) {
            Ok(()) => hex(&packet),
            Err(reason) => format!("error: {reason}"),
        }
    })
}

/// More sources than anyone writes down by hand.
const SOURCES: usize = 65536;

struct Protecting {
    sender: Sender,
    rtcp: bool,
}

impl Protecting {
    fn new(options: &Packets) -> Result<Self, String> {
        let line = CryptoAttribute::parse(&options.crypto).map_err(|error| error.to_string())?;
        let keys = SenderKeys::from_attribute(&line).map_err(|error| error.to_string())?;
        let mut config = SenderConfig::default();
        config.initial_rollover = options.roc;
        config.initial_rtcp_index = options.index;
        config.max_sources = SOURCES;
        let mut sender = Sender::with_config(keys, config);
        if let Some(value) = &options.mki {
            let length = line.mki().map_or(0, |mki| mki.as_bytes().len());
            let mki = MasterKeyIdentifier::from_decimal(value, length);
            if !mki.is_some_and(|mki| sender.select_key(&mki)) {
                return Err(format!("no key of the line has the MKI {value}"));
            }
        }
        Ok(Self { sender, rtcp: options.rtcp })
    }
}

impl Work for Protecting {
    fn work(&mut self, packet: &mut Vec<u8>) -> Result<(), &'static str> {
        let plain = packet.len();
        packet.resize(plain + self.sender.overhead(), 0);
        let protected = if self.rtcp {
            self.sender.protect_rtcp(packet, plain)
        } else {
            self.sender.protect(packet, plain)
        };
        packet.truncate(protected.map_err(|error| match error {
            ProtectError::TooShort => "too-short",
            ProtectError::Replayed => "replayed",
            ProtectError::TooOld => "too-old",
            ProtectError::KeyExpired => "key-expired",
            _ => "malformed",
        })?);
        Ok(())
    }
}

struct Unprotecting {
    receiver: Receiver,
    rtcp: bool,
}

impl Unprotecting {
    fn new(options: &Packets) -> Result<Self, String> {
        if options.mki.is_some() {
            return Err("unprotect takes the key by the packet's MKI".into());
        }
        let line = CryptoAttribute::parse(&options.crypto).map_err(|error| error.to_string())?;
        let keys = ReceiverKeys::from_attribute(&line).map_err(|error| error.to_string())?;
        let mut config = ReceiverConfig::default();
        config.initial_rollover = options.roc;
        config.max_sources = SOURCES;
        Ok(Self { receiver: Receiver::with_config(keys, config), rtcp: options.rtcp })
    }
}

impl Work for Unprotecting {
    fn work(&mut self, packet: &mut Vec<u8>) -> Result<(), &'static str> {
        let plain =
            if self.rtcp { self.receiver.unprotect_rtcp(packet) } else { self.receiver.unprotect(packet) };
        packet.truncate(plain.map_err(|error| match error {
            UnprotectError::TooShort => "too-short",
            UnprotectError::UnknownMki => "unknown-mki",
            UnprotectError::Replayed => "replayed",
            UnprotectError::TooOld => "too-old",
            UnprotectError::AuthenticationFailed => "authentication-failed",
            UnprotectError::KeyExpired => "key-expired",
            _ => "malformed",
        })?);
        Ok(())
    }
}

fn answer_offer(options: &Answer) -> io::Result<ExitCode> {
    let text = io::read_to_string(io::stdin().lock())?;
    println!("{}", answered(options, &text));
    Ok(ExitCode::SUCCESS)
}

fn answered(options: &Answer, offer: &str) -> String {
    let mut lines = offer.lines().map(str::trim).filter(|line| !line.is_empty());
    let media = lines.next().unwrap_or_default();
    let profile = media.strip_prefix("m=").and_then(|media| media.split_whitespace().nth(2));
    let Some(profile) = profile.and_then(Profile::from_token) else {
        return bad("the first line is no m= line of RTP/AVP or RTP/SAVP", 0).to_string();
    };
    let mut config = NegotiationConfig::new(match options.policy {
        Policy::Off => SrtpPolicy::Off,
        Policy::Enabled => SrtpPolicy::Enabled,
        Policy::Required => SrtpPolicy::Required,
    });
    config.include_mki = options.mki;
    config.suites = if options.suites.is_empty() {
        CryptoSuite::ALL.into_iter().filter(|suite| suite.encrypts()).collect()
    } else {
        options.suites.clone()
    };
    let lines: Vec<&str> = lines.collect();
    match answer(&config, profile, &lines, Seed(options.seed)) {
        Ok(answer) => match answer.attribute {
            Some(attribute) => format!("{} a=crypto:{attribute}", answer.profile),
            None => answer.profile.to_string(),
        },
        Err(refusal) => format!("refuse: {refusal}"),
    }
}
