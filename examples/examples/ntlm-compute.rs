//! NTLM as arithmetic, for test benches: JSON lines in, JSON lines out, everything binary in hexadecimal. Nothing is drawn at
//! random and no clock is read.
//!
//! ```text
//! $ echo '{"do":"sign","mode":"datagram","flags":"62988255","exported_session_key":"55555555555555555555555555555555",
//!     "direction":"c2s","seq":100,"message":"74657874"}' | tr -d '\n' | cargo run -q --example ntlm-compute
//! {"ok":true,"signature":"010000007e9848d68ab624fe64000000"}
//! ```

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use ntlm_auth::{
    Acceptor, AcceptorConfig, ChannelBinding, ClientChallenge, Credentials, DatagramSession, Demand, Error,
    FileTime, Initiator, InitiatorConfig, LmPolicy, Mic, MicPolicy, Mode, NegotiateFlags, RandomSessionKey,
    Response, ResponseInput, ResponsePolicy, Sender, Session, StreamSession, exchange_key, lm_v2_response,
};
use serde_json::{Map, Value, json};

/// Why a line has no result, and at which octet of an NTLM message it was noticed.
struct Bad {
    error: String,
    at: usize,
}

impl From<Error> for Bad {
    fn from(error: Error) -> Self {
        match error {
            Error::Malformed { at, rule } => Self { error: format!("malformed: {rule}"), at },
            Error::Refused(refusal) => Self { error: named(&format!("{refusal:?}")), at: 0 },
            other => Self { error: other.to_string(), at: 0 },
        }
    }
}

impl From<String> for Bad {
    fn from(error: String) -> Self {
        Self { error, at: 0 }
    }
}

/// `LoginFailed` as `login-failed`.
fn named(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.extend(character.to_lowercase());
    }
    text
}

/// Both ends of a session over a connection, and how many messages went in each direction.
struct Streams {
    client: StreamSession,
    server: StreamSession,
    signed: [u64; 2],
    verified: [u64; 2],
}

#[derive(Default)]
struct Bench {
    streams: BTreeMap<String, Streams>,
}

impl Bench {
    fn line(&mut self, line: &str) -> Value {
        let request: Value = match serde_json::from_str(line) {
            Ok(request) => request,
            Err(error) => {
                let at = error.column().saturating_sub(1).min(line.len());
                return json!({ "ok": false, "error": format!("not JSON: {error}"), "at": at });
            }
        };
        let result = match request.get("do").and_then(Value::as_str) {
            Some("initiate") => initiate(&request),
            Some("accept") => accept(&request),
            Some("v2") => version_2(&request),
            Some("sign") => self.sign(&request),
            Some("verify") => self.verify(&request),
            _ => Err(Bad::from("`do` is initiate, accept, v2, sign or verify".to_owned())),
        };
        match result {
            Ok(mut members) => {
                members.insert("ok".to_owned(), json!(true));
                Value::Object(members)
            }
            Err(Bad { error, at }) => json!({ "ok": false, "error": error, "at": at }),
        }
    }

    fn sign(&mut self, request: &Value) -> Result<Map<String, Value>, Bad> {
        let (sender, message) = (direction(request)?, octets(request, "message")?);
        let signature = match mode(request)? {
            Mode::Datagram => session(request, sender)?.sign(sequence(request)?, &message),
            Mode::Stream => {
                let streams = self.streams(request)?;
                expect_number(request, &mut streams.signed[index(sender)])?;
                match sender {
                    Sender::Client => streams.client.sign(&message),
                    Sender::Server => streams.server.sign(&message),
                }
            }
        };
        Ok(members([("signature", json!(hex(&signature)))]))
    }

    fn verify(&mut self, request: &Value) -> Result<Map<String, Value>, Bad> {
        let (sender, message) = (direction(request)?, octets(request, "message")?);
        let signature = octets(request, "signature")?;
        let valid = match mode(request)? {
            Mode::Datagram => {
                let verifier = session(request, other(sender))?;
                verifier.verify(sequence(request)?, &message, &signature).is_ok()
            }
            Mode::Stream => {
                let streams = self.streams(request)?;
                let mut count = streams.verified[index(sender)];
                let in_order = expect_number(request, &mut count).is_ok();
                let verifier = match sender {
                    Sender::Client => &mut streams.server,
                    Sender::Server => &mut streams.client,
                };
                let valid = in_order && verifier.verify(&message, &signature).is_ok();
                if valid {
                    streams.verified[index(sender)] = count;
                }
                valid
            }
        };
        Ok(members([("valid", json!(valid))]))
    }

    /// The state that lines with the same `session` share; a line without one is alone.
    fn streams(&mut self, request: &Value) -> Result<&mut Streams, Bad> {
        let name = request.get("session").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (flags, key) = (flags(request)?, array(request, "exported_session_key")?);
        if name.is_empty() {
            self.streams.remove("");
        }
        Ok(self.streams.entry(name).or_insert_with(|| Streams {
            client: StreamSession::new(Sender::Client, flags, &key),
            server: StreamSession::new(Sender::Server, flags, &key),
            signed: [0; 2],
            verified: [0; 2],
        }))
    }
}

/// A number that is given must be the next one.
fn expect_number(request: &Value, count: &mut u64) -> Result<(), Bad> {
    match request.get("seq").and_then(Value::as_u64) {
        Some(number) if number != *count => Err(Bad::from(format!(
            "over a connection messages are counted: {count} comes next, not {number}"
        ))),
        _ => {
            *count += 1;
            Ok(())
        }
    }
}

fn initiate(request: &Value) -> Result<Map<String, Value>, Bad> {
    let credentials = credentials(request)?;
    let credentials =
        credentials.into_iter().next().ok_or_else(|| Bad::from("`credentials` is empty".to_owned()))?;
    let mut config = InitiatorConfig::new(mode(request)?, credentials);
    let option =
        |name: &str| request.get("options").and_then(|options| options.get(name)).filter(|o| !o.is_null());
    if let Some(workstation) = option("workstation") {
        text(workstation, "workstation")?.clone_into(&mut config.workstation);
    }
    if let Some(version) = option("version") {
        config.version = exactly(&from_hex(text(version, "version")?)?, "version")?;
    }
    if let Some(name) = option("target_name") {
        config.target_name = Some(text(name, "target_name")?.to_owned());
    }
    if let Some(binding) = option("channel_binding") {
        config.channel_binding = Some(binding_of(&from_hex(text(binding, "channel_binding")?)?));
    }
    config.mic = match option("mic").and_then(Value::as_str) {
        None | Some("auto") => MicPolicy::Auto,
        Some("never") => MicPolicy::Never,
        Some(_) => return Err(Bad::from("`mic` is auto or never".to_owned())),
    };
    config.lm = match option("lm").and_then(Value::as_str) {
        None | Some("zero") => LmPolicy::Zeros,
        Some("v2") => LmPolicy::V2,
        Some("none") => LmPolicy::Nothing,
        Some(_) => return Err(Bad::from("`lm` is zero, v2 or none".to_owned())),
    };
    config.responses = responses(option("responses"))?;
    // The integrity code covers the messages that are given: without a first message, the two others.
    let initiator = Initiator::resume(config, &negotiate(request)?);
    let (message, session) = initiator.challenge(
        time(request, "now")?,
        &octets(request, "challenge")?,
        ClientChallenge(array(request, "client_challenge")?),
        &RandomSessionKey::new(array(request, "random_session_key")?),
    )?;
    let mut members = members([("authenticate", json!(hex(&message)))]);
    members.extend(keys(&session));
    Ok(members)
}

fn accept(request: &Value) -> Result<Map<String, Value>, Bad> {
    let mut config = AcceptorConfig::new(mode(request)?, "", "");
    let option =
        |name: &str| request.get("options").and_then(|options| options.get(name)).filter(|o| !o.is_null());
    let demand = |name| if option(name) == Some(&json!(true)) { Demand::Required } else { Demand::Optional };
    config.mic = demand("mic_required");
    config.binding = demand("channel_binding_required");
    if let Some(binding) = option("channel_binding") {
        config.channel_binding = Some(binding_of(&from_hex(text(binding, "channel_binding")?)?));
    }
    if let Some(names) = option("accepted_target_names").and_then(Value::as_array) {
        config.accepted_target_names = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    config.responses = responses(option("responses"))?;
    let acceptor = Acceptor::with_challenge(config, &negotiate(request)?, &octets(request, "challenge")?)?;
    let claim = acceptor.authenticate(time(request, "now")?, &octets(request, "authenticate")?)?;
    let accounts = credentials(request)?;
    let same = |left: &str, right: &str| left.to_lowercase() == right.to_lowercase();
    let account = accounts.iter().find(|account| {
        let domain = claim.domain().is_empty() || same(&account.domain, claim.domain());
        same(&account.user, claim.user()) && domain
    });
    let accepted = claim.prove(account.map(|account| &account.hash))?;
    let mut members = members([
        ("user", json!(accepted.user)),
        ("domain", json!(accepted.domain)),
        ("flags", json!(format!("{:08x}", accepted.flags.0))),
        ("mic", json!(if accepted.mic == Mic::Valid { "valid" } else { "absent" })),
    ]);
    members.extend(keys(&accepted.session));
    Ok(members)
}

/// The first message; none and an empty one are the same.
fn negotiate(request: &Value) -> Result<Vec<u8>, Bad> {
    match request.get("negotiate") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => octets(request, "negotiate"),
    }
}

/// What is weaker than NTLMv2 must be allowed by its name.
fn responses(option: Option<&Value>) -> Result<ResponsePolicy, Bad> {
    match option.map(Value::as_str) {
        None | Some(Some("v2")) => Ok(ResponsePolicy::NtlmV2Only),
        Some(Some("ntlm2-session")) => Ok(ResponsePolicy::AllowNtlm2Session),
        Some(Some("v1")) => Ok(ResponsePolicy::AllowNtlmV1),
        Some(_) => Err(Bad::from("`responses` is v2, ntlm2-session or v1".to_owned())),
    }
}

fn version_2(request: &Value) -> Result<Map<String, Value>, Bad> {
    let member = |name: &str| text(request.get(name).unwrap_or(&Value::Null), name).map(str::to_owned);
    let account = Credentials::new(member("domain")?, member("user")?, &member("password")?);
    let key = account.hash.response_key(&account.user, &account.domain);
    let (server_challenge, client_challenge) =
        (array(request, "server_challenge")?, array(request, "client_challenge")?);
    let target_info = octets(request, "target_info")?;
    let time = time(request, "time")?;
    let response = Response::new(
        &key,
        &ResponseInput { server_challenge, client_challenge, time, target_info: &target_info },
    );
    let encrypted = match request.get("random_session_key") {
        None | Some(Value::Null) => Value::Null,
        Some(_) => {
            json!(hex(&exchange_key(response.session_base_key(), &array(request, "random_session_key")?)))
        }
    };
    Ok(members([
        ("ntowfv1", json!(hex(account.hash.expose()))),
        ("ntowfv2", json!(hex(key.expose()))),
        ("nt_proof_str", json!(hex(&response.proof))),
        ("nt_challenge_response", json!(hex(&response.nt_response))),
        ("lmv2", json!(hex(&lm_v2_response(&key, server_challenge, client_challenge)))),
        ("session_base_key", json!(hex(response.session_base_key()))),
        ("encrypted_random_session_key", encrypted),
    ]))
}

fn keys(session: &Session) -> Map<String, Value> {
    let keys = session.expose();
    members([
        ("exported_session_key", json!(hex(&keys.exported_session_key))),
        ("client_sign_key", json!(hex(&keys.client_sign_key))),
        ("client_seal_key", json!(hex(&keys.client_seal_key))),
        ("server_sign_key", json!(hex(&keys.server_sign_key))),
        ("server_seal_key", json!(hex(&keys.server_seal_key))),
    ])
}

fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn credentials(request: &Value) -> Result<Vec<Credentials>, Bad> {
    let rows = request.get("credentials").and_then(Value::as_array);
    let rows = rows.ok_or_else(|| Bad::from("`credentials` must be a list".to_owned()))?;
    let member =
        |row: &Value, name: &str| text(row.get(name).unwrap_or(&Value::Null), name).map(str::to_owned);
    rows.iter()
        .map(|row| {
            let domain = row.get("domain").and_then(Value::as_str).unwrap_or_default();
            Ok(Credentials::new(domain, member(row, "user")?, &member(row, "password")?))
        })
        .collect()
}

/// Sixteen octets are the digest itself, anything else is the hash of a certificate.
fn binding_of(octets: &[u8]) -> ChannelBinding {
    octets.try_into().map_or_else(|_| ChannelBinding::tls_server_end_point(octets), ChannelBinding)
}

fn session(request: &Value, end: Sender) -> Result<DatagramSession, Bad> {
    Ok(DatagramSession::new(end, flags(request)?, &array(request, "exported_session_key")?))
}

fn mode(request: &Value) -> Result<Mode, Bad> {
    match request.get("mode").and_then(Value::as_str) {
        Some("datagram") => Ok(Mode::Datagram),
        Some("stream") => Ok(Mode::Stream),
        _ => Err(Bad::from("`mode` is datagram or stream".to_owned())),
    }
}

fn direction(request: &Value) -> Result<Sender, Bad> {
    match request.get("direction").and_then(Value::as_str) {
        Some("c2s") => Ok(Sender::Client),
        Some("s2c") => Ok(Sender::Server),
        _ => Err(Bad::from("`direction` is c2s or s2c".to_owned())),
    }
}

fn other(sender: Sender) -> Sender {
    match sender {
        Sender::Client => Sender::Server,
        Sender::Server => Sender::Client,
    }
}

fn index(sender: Sender) -> usize {
    usize::from(sender == Sender::Server)
}

fn sequence(request: &Value) -> Result<u32, Bad> {
    let number = request.get("seq").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| Bad::from("`seq` must be a number of 32 bits".to_owned()))
}

fn flags(request: &Value) -> Result<NegotiateFlags, Bad> {
    let number =
        request.get("flags").and_then(Value::as_str).and_then(|text| u32::from_str_radix(text, 16).ok());
    number.map(NegotiateFlags).ok_or_else(|| Bad::from("`flags` must be eight hexadecimal digits".to_owned()))
}

fn time(request: &Value, name: &str) -> Result<FileTime, Bad> {
    array(request, name).map(|octets| FileTime(u64::from_le_bytes(octets)))
}

fn array<const N: usize>(request: &Value, name: &str) -> Result<[u8; N], Bad> {
    exactly(&octets(request, name)?, name)
}

fn exactly<const N: usize>(octets: &[u8], name: &str) -> Result<[u8; N], Bad> {
    octets.try_into().map_err(|_| Bad::from(format!("`{name}` must have {N} octets, not {}", octets.len())))
}

fn octets(request: &Value, name: &str) -> Result<Vec<u8>, Bad> {
    from_hex(text(request.get(name).unwrap_or(&Value::Null), name)?)
        .map_err(|bad| Bad::from(format!("`{name}`: {}", bad.error)))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Bad> {
    value.as_str().ok_or_else(|| Bad::from(format!("`{name}` must be a text")))
}

fn from_hex(text: &str) -> Result<Vec<u8>, Bad> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let octets: Option<Vec<u8>> =
        pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    octets.filter(|_| odd.is_empty()).ok_or_else(|| Bad::from("not hexadecimal".to_owned()))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
}

/// Answers each line of the input.
pub(crate) fn run(input: impl BufRead, output: &mut impl Write) -> io::Result<()> {
    let mut bench = Bench::default();
    for line in input.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            writeln!(output, "{}", bench.line(line.trim_end()))?;
            output.flush()?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    run(io::stdin().lock(), &mut io::stdout().lock())
}
