//! Reads STUN messages and prints one JSON line for each: `stun-inspect --dialect DIALECT [--password TEXT | --key HEX] HEX… | -`.

use std::io::Read as _;
use std::process::ExitCode;

use clap::Parser;
use serde_json::{Value, json};
use sip_lync::stun::{
    Attribute, Dialect, Fingerprint, FrameKind, Framing, Integrity, IntegrityKey, Message, Method,
    StreamReader,
};
use sip_lync::turn::pseudo_tls::{Hello, read_hello};

/// Reads STUN messages and prints one JSON line for each.
#[derive(Parser)]
#[command(name = "stun-inspect")]
struct Arguments {
    /// How they are written: rfc8445, ms-ice2, draft06 or ms-turn.
    #[arg(long, value_parser = dialect)]
    dialect: Dialect,
    /// The password of short-term credentials.
    #[arg(long, value_name = "TEXT", conflicts_with = "key")]
    password: Option<String>,
    /// The key of MESSAGE-INTEGRITY: a raw password, or the MD5 of long-term credentials.
    #[arg(long, value_name = "HEX")]
    key: Option<String>,
    /// The octets are a stream with the frames of the dialect.
    #[arg(long)]
    tcp: bool,
    /// Messages in hexadecimal digits, or `-` for the standard input, one a line.
    #[arg(required = true)]
    messages: Vec<String>,
}

fn dialect(text: &str) -> Result<Dialect, &'static str> {
    match text {
        "rfc8445" => Ok(Dialect::Rfc8489),
        "ms-ice2" => Ok(Dialect::MsIce2),
        "draft06" => Ok(Dialect::Draft06),
        "ms-turn" => Ok(Dialect::MsTurn),
        _ => Err("one of rfc8445, ms-ice2, draft06, ms-turn"),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let key = if let Some(password) = &arguments.password {
        Some(IntegrityKey::short_term(password.as_bytes()))
    } else if let Some(key) = &arguments.key {
        let Ok(key) = unhex(key) else {
            eprintln!("stun-inspect: --key takes hexadecimal digits");
            return ExitCode::from(2);
        };
        Some(IntegrityKey::short_term(&key))
    } else {
        None
    };
    for message in &arguments.messages {
        let texts: Vec<String> = if message == "-" {
            let mut text = String::new();
            if let Err(error) = std::io::stdin().read_to_string(&mut text) {
                println!("{}", failure(&error.to_string(), None));
                continue;
            }
            text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
        } else {
            vec![message.clone()]
        };
        for text in texts {
            for line in lines(arguments.dialect, key.as_ref(), arguments.tcp, &text) {
                println!("{line}");
            }
        }
    }
    ExitCode::SUCCESS
}

/// What is printed for one text of hexadecimal digits.
pub(crate) fn lines(dialect: Dialect, key: Option<&IntegrityKey>, stream: bool, text: &str) -> Vec<Value> {
    let octets = match unhex(text) {
        Ok(octets) => octets,
        Err(at) => return vec![failure("not pairs of hexadecimal digits", Some(at))],
    };
    if !stream {
        return vec![inspect(dialect, key, &octets)];
    }
    let whole = octets.len();
    let mut octets = octets.as_slice();
    let framing = if dialect == Dialect::MsTurn {
        for whose in [Hello::Client, Hello::Server] {
            if let Ok(Some(length)) = read_hello(whose, octets) {
                octets = octets.get(length..).unwrap_or_default();
            }
        }
        Framing::MsTurn
    } else {
        Framing::Rfc4571
    };
    let mut reader = StreamReader::new(framing);
    reader.push(octets);
    let mut lines = Vec::new();
    loop {
        let waiting = reader.waiting();
        let at = whole.saturating_sub(waiting);
        match reader.next_frame() {
            Ok(Some((FrameKind::Message, octets))) => lines.push(inspect(dialect, key, octets)),
            Ok(Some((FrameKind::Data, octets))) => {
                let mut line = failure("", None);
                line["ok"] = json!(true);
                line["error"] = Value::Null;
                line["method"] = json!("end-to-end-data");
                line["data"] = json!(hex(octets));
                lines.push(line);
            }
            Ok(None) if waiting > 0 => {
                lines.push(failure("incomplete", Some(at)));
                return lines;
            }
            Ok(None) => return lines,
            Err(error) => {
                lines.push(failure(&error.to_string(), Some(at)));
                return lines;
            }
        }
    }
}

/// A line without a message; every member is there.
fn failure(error: &str, at: Option<usize>) -> Value {
    json!({
        "ok": false,
        "error": error,
        "at": at,
        "class": null,
        "method": null,
        "transaction": null,
        "attributes": null,
        "integrity": null,
        "fingerprint": null,
        "accept": false,
        "data": null,
    })
}

fn inspect(dialect: Dialect, key: Option<&IntegrityKey>, octets: &[u8]) -> Value {
    let message = match Message::parse(dialect, octets) {
        Ok(message) => message,
        Err(error) => return failure(error.rule.text(), Some(error.at)),
    };
    let attributes: Vec<Value> = message
        .raw_attributes()
        .map(|raw| {
            let typed = Attribute::parse(dialect, message.transaction(), raw.kind, raw.value);
            json!({
                "type": raw.kind.0,
                "name": raw.kind.name(dialect),
                "value": typed.as_ref().map_or(Value::Null, value),
                "raw": hex(raw.value),
            })
        })
        .collect();
    let integrity = match (key, has_integrity(&message)) {
        (_, false) => "absent",
        (Some(key), true) if message.integrity(key) == Integrity::Genuine => "ok",
        (_, true) => "bad",
    };
    let fingerprint = match message.fingerprint() {
        Fingerprint::Absent => "absent",
        Fingerprint::Correct => "ok",
        Fingerprint::Legacy => "legacy",
        Fingerprint::Wrong => "bad",
    };
    json!({
        "ok": true,
        "error": null,
        "at": null,
        "class": message.class().name(),
        "method": message.method().name(),
        "transaction": hex(&message.transaction().0),
        "attributes": attributes,
        "integrity": integrity,
        "fingerprint": fingerprint,
        "accept": accepts(&message, key, integrity),
        "data": null,
    })
}

fn has_integrity(message: &Message<'_>) -> bool {
    message.integrity(&IntegrityKey::short_term(b"")) != Integrity::Absent
}

/// What an agent, or in MS-TURN a client or server, of the dialect does with it.
fn accepts(message: &Message<'_>, key: Option<&IntegrityKey>, integrity: &str) -> bool {
    let formed = message.attributes().all(|attribute| attribute.is_ok());
    if !formed || message.unknown_required().next().is_some() || !message.fingerprint_holds() {
        return false;
    }
    // Without a key nothing can be said about a proof that is there.
    let proven = integrity == "ok" || (key.is_none() && integrity == "bad");
    if message.dialect() == Dialect::MsTurn {
        // The first request and its challenge have no proof; Data indications have none either.
        let needs = message.method() == Method::Send || integrity != "absent";
        return !needs || proven;
    }
    let request = message.class() == sip_lync::stun::Class::Request;
    proven && (!request || message.username().is_some())
}

/// A value as JSON: numbers, addresses and texts as themselves, everything else in words.
fn value(attribute: &Attribute<'_>) -> Value {
    use Attribute as A;
    match attribute {
        A::MappedAddress(address)
        | A::ResponseAddress(address)
        | A::SourceAddress(address)
        | A::ChangedAddress(address)
        | A::ReflectedFrom(address)
        | A::AlternateServer(address)
        | A::DestinationAddress(address)
        | A::RemoteAddress(address)
        | A::XorPeerAddress(address)
        | A::XorRelayedAddress(address)
        | A::XorMappedAddress(address)
        | A::ResponseOrigin(address)
        | A::OtherAddress(address)
        | A::RemoteSiteAddress(address)
        | A::RemoteRelaySiteAddress(address)
        | A::LocalSiteAddress(address)
        | A::LocalRelaySiteAddress(address)
        | A::AlternateMappedAddress(address) => json!(address.to_string()),
        A::Lifetime(number)
        | A::Bandwidth(number)
        | A::Priority(number)
        | A::ConnectionId(number)
        | A::CacheTimeout(number)
        | A::MsVersion(number)
        | A::ImplementationVersion(number) => json!(number),
        A::Fingerprint(number) => json!(format!("{number:08x}")),
        A::IceControlled(number) | A::IceControlling(number) => json!(format!("{number:016x}")),
        A::ChannelNumber(number) | A::ResponsePort(number) => json!(number),
        A::RequestedTransport(number) => json!(number),
        A::ErrorCode(error) => {
            json!({"code": error.code, "reason": String::from_utf8_lossy(error.reason)})
        }
        A::MessageIntegrity(octets) => json!(hex(octets)),
        A::Username(octets)
        | A::Realm(octets)
        | A::Nonce(octets)
        | A::Software(octets)
        | A::CandidateIdentifier(octets)
        | A::AlternateDomain(octets)
        | A::MsAlternateHostName(octets)
        | A::SipDialogId(octets)
        | A::SipCallId(octets) => text_or_hex(octets),
        A::Data(octets) => json!(hex(octets)),
        A::MsSequenceNumber(number) => {
            json!({"connection": hex(&number.connection), "number": number.number})
        }
        A::ReservationIdentifier(octets) => json!(hex(octets)),
        A::MagicCookie => json!("72c64bc6"),
        A::UseCandidate | A::DontFragment => json!(true),
        A::Unknown(_, octets) => json!(hex(octets)),
        other => json!(format!("{other:?}")),
    }
}

fn text_or_hex(octets: &[u8]) -> Value {
    match std::str::from_utf8(octets) {
        Ok(text) if !text.chars().any(char::is_control) => json!(text),
        _ => json!(hex(octets)),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        for digit in [octet >> 4, octet & 0x0f] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        text
    })
}

/// Octets of pairs of digits, or where the first character stands that is none.
fn unhex(text: &str) -> Result<Vec<u8>, usize> {
    let blanks = text.len() - text.trim_start().len();
    let text = text.trim();
    let mut digits = Vec::with_capacity(text.len());
    for (at, digit) in text.char_indices() {
        digits.push(digit.to_digit(16).ok_or(blanks + at)? as u8);
    }
    let (pairs, rest) = digits.as_chunks::<2>();
    if rest.is_empty() {
        Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
    } else {
        Err(blanks + text.len())
    }
}
