//! Reads SIP messages and prints one JSON line for each: `sip-inspect [--stream] FILE… | -`.

use std::io::Read as _;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Parser;
use examples::{base64, session_description};
use serde_json::{Map, Value, json};
use sip_lync::body::{multipart, mwi::MessageSummary};
use sip_lync::headers::ms::{
    ClusterType, Diagnostics, KeepAlive, KeepAliveRole, PresenceState, RegistrationEvent,
};
use sip_lync::headers::{
    AuthenticationInfo, Challenge, Contact, MediaType, NameAddr, Parameters, Reason, Via,
};
use sip_lync::{
    Abilities, Fault, Frame, FramingError, Headers, Limits, LineEnds, Message, ParseError, Problem, Rule,
    SipUri, StatusCode, StreamDecoder, TelUri,
};

/// Reads SIP messages, one per file or many in a stream, and prints one JSON line for each.
#[derive(Parser)]
#[command(name = "sip-inspect")]
struct Arguments {
    /// Each file is a byte stream of many messages.
    #[arg(long)]
    stream: bool,
    /// Files, or `-` for the standard input.
    #[arg(required = true)]
    files: Vec<String>,
}

/// The members of a line, in order; all of them are always there.
const MEMBERS: [&str; 33] = [
    "file",
    "ok",
    "error",
    "at",
    "kind",
    "method",
    "uri",
    "status",
    "reason",
    "headers",
    "from",
    "to",
    "call_id",
    "cseq",
    "via",
    "contact",
    "body",
    "sdp",
    "problems",
    "route",
    "record_route",
    "challenges",
    "authentication_info",
    "keep_alive",
    "presence_state",
    "registration_event",
    "diagnostics",
    "reasons",
    "identity",
    "mwi",
    "again",
    "version",
    "max_forwards",
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    for file in &arguments.files {
        let read = if file == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            std::fs::read(file)
        };
        match read {
            Err(error) => print(file, &failure(&format!("{file}: {error}"), None)),
            Ok(bytes) if arguments.stream => stream(&bytes).iter().for_each(|line| print(file, line)),
            Ok(bytes) => print(file, &inspect(&Bytes::from(bytes), LineEnds::Lenient)),
        }
    }
    ExitCode::SUCCESS
}

fn print(file: &str, line: &Map<String, Value>) {
    println!("{}", complete(file, line));
}

/// The line with all its members.
pub(crate) fn complete(file: &str, line: &Map<String, Value>) -> Value {
    let mut whole = Map::new();
    for member in MEMBERS {
        whole.insert(member.to_owned(), line.get(member).cloned().unwrap_or(Value::Null));
    }
    whole.insert("file".to_owned(), json!(file));
    Value::Object(whole)
}

fn failure(error: &str, at: Option<u64>) -> Map<String, Value> {
    let mut line = Map::new();
    line.insert("ok".to_owned(), json!(false));
    line.insert("error".to_owned(), json!(error));
    line.insert("at".to_owned(), json!(at));
    line
}

/// The lines of a byte stream.
pub(crate) fn stream(bytes: &[u8]) -> Vec<Map<String, Value>> {
    let mut lines = Vec::new();
    let mut decoder = StreamDecoder::default();
    decoder.push(bytes);
    let mut offset = 0;
    while let Some(frame) = decoder.next() {
        match frame {
            Ok(Frame::Message(message)) => lines.push(inspect(&message, LineEnds::Strict)),
            Ok(_) => {}
            Err(error) => {
                let inside = if let FramingError::Head(error) = &error { error.at as u64 } else { 0 };
                lines.push(failure(&error.to_string(), Some(decoder.offset() + inside)));
                return lines;
            }
        }
        offset = decoder.offset();
    }
    let tail = bytes.get(usize::try_from(offset).unwrap_or(bytes.len())..).unwrap_or_default();
    if !tail.iter().all(|b| matches!(b, b'\r' | b'\n')) {
        lines.push(failure("incomplete", None));
    }
    lines
}

/// What cannot be split is dropped when it is a response, and refused when there is a request to refuse.
fn no_message(bytes: &Bytes, error: &ParseError) -> Map<String, Value> {
    let mut line = failure(&error.to_string(), Some(error.at as u64));
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let text = bytes.get(start..).unwrap_or_default();
    let first = text.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
    let status = match error.rule {
        Rule::HeadTooLong | Rule::TooManyHeaders | Rule::LineTooLong => 513,
        _ => 400,
    };
    let response = first.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"SIP/"));
    let request = !response && first.contains(&b' ');
    let header = error.header.as_ref().map(|name| name.as_str().to_owned());
    let what = error.rule.text();
    let problems = match (response, request) {
        (true, _) => json!([{"status": null, "header": header, "what": what}]),
        (false, true) => json!([{"status": status, "header": header, "what": what}]),
        (false, false) => json!([]),
    };
    line.insert("problems".to_owned(), problems);
    if response || request {
        line.insert("kind".to_owned(), json!(if response { "response" } else { "request" }));
    }
    line
}

/// The line of one message.
pub(crate) fn inspect(bytes: &Bytes, ends: LineEnds) -> Map<String, Value> {
    let message = match Message::parse_with(bytes.clone(), ends, &Limits::DEFAULT) {
        Ok(message) => message,
        Err(error) => return no_message(bytes, &error),
    };
    let mut problems = message.problems(&Abilities::LYNC);
    if has_bare_line_feeds(bytes) {
        // A file written by hand: its Content-Length counts line ends the file does not have.
        problems.retain(|problem| !matches!(problem.fault, Fault::BodyTooShort { .. }));
    }
    let headers = message.headers();
    let mut line = Map::new();
    let mut set = |name: &str, value: Value| line.insert(name.to_owned(), value);
    set("ok", json!(problems.is_empty()));
    match &message {
        Message::Request(request) => {
            set("kind", json!("request"));
            set("method", json!(request.method.as_str()));
            set("uri", json!(request.uri.as_str()));
        }
        Message::Response(response) => {
            set("kind", json!("response"));
            set("status", json!(response.status.code()));
            set("reason", json!(response.reason));
        }
    }
    set("version", json!(message.version().to_string()));
    set(
        "headers",
        headers.iter().map(|h| json!([h.long_name(), String::from_utf8_lossy(h.bytes())])).collect(),
    );
    set("from", typed(headers.from_(), |value| party(&value)));
    set("to", typed(headers.to(), |value| party(&value)));
    set("call_id", typed(headers.call_id(), |value| json!(value)));
    set(
        "cseq",
        typed(headers.cseq(), |value| json!({"number": value.number, "method": value.method.as_str()})),
    );
    set("max_forwards", typed(headers.max_forwards(), |value| json!(value)));
    set("via", list(headers.vias(), via));
    set("contact", list(headers.contacts(), contact));
    set("route", present(headers.routes(), route));
    set("record_route", present(headers.record_routes(), route));
    set("challenges", present(headers.challenges(), challenge));
    set("authentication_info", typed(headers.authentication_info(), |value| information(&value)));
    set("keep_alive", typed(headers.keep_alive(), |value| keep_alive(&value)));
    set("presence_state", typed(headers.presence_state(), |value| presence_state(&value)));
    set("diagnostics", typed(headers.diagnostics(), |value| diagnostics(&value)));
    set("reasons", present(headers.reasons(), reason));
    set("identity", identity(headers));
    let kind = headers.content_type().ok().flatten();
    let body = message.body();
    if let Some(kind) = kind.filter(|_| !body.is_empty()) {
        let text = String::from_utf8_lossy(body);
        if kind.is("text", "registration-event") {
            set(
                "registration_event",
                typed(RegistrationEvent::parse(&text).map(Some), |e| registration_event(&e)),
            );
        }
        if kind.is("application", "simple-message-summary") {
            set("mwi", typed(MessageSummary::parse(&text).map(Some), |summary| mwi(&summary)));
        }
        let (shown, sdp) = content(&kind, body);
        set("body", shown);
        set("sdp", sdp);
    } else if !body.is_empty() {
        set("body", json!({"type": null, "len": body.len(), "parts": null}));
    }
    set("problems", problems.iter().map(problem).collect());
    let mut again = message.clone();
    if problems.is_empty() {
        // What is passed on is strict, even where reading was liberal.
        again.make_strict();
    }
    set("again", json!(base64::encode(&again.to_bytes())));
    line
}

/// Whether a line of the head ends with a bare LF.
fn has_bare_line_feeds(bytes: &[u8]) -> bool {
    let find = |mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark);
    let end = find(b"\r\n\r\n").unwrap_or(bytes.len()).min(find(b"\n\n").unwrap_or(bytes.len()));
    let head = bytes.get(..end).unwrap_or_default();
    head.iter()
        .enumerate()
        .any(|(at, &b)| b == b'\n' && at.checked_sub(1).and_then(|at| head.get(at)) != Some(&b'\r'))
}

fn typed<T>(value: Result<Option<T>, ParseError>, show: impl Fn(T) -> Value) -> Value {
    value.ok().flatten().map_or(Value::Null, show)
}

fn list<T>(values: Result<Vec<T>, ParseError>, show: impl Fn(&T) -> Value) -> Value {
    values.map_or(Value::Null, |values| values.iter().map(show).collect())
}

/// Null instead of an empty list.
fn present<T>(values: Result<Vec<T>, ParseError>, show: impl Fn(&T) -> Value) -> Value {
    values
        .ok()
        .filter(|values| !values.is_empty())
        .map_or(Value::Null, |values| values.iter().map(show).collect())
}

fn params(parameters: &Parameters) -> Value {
    parameters.iter().map(|(name, value)| json!([name, value.map(unquote)])).collect()
}

/// Reading `x=value` as a parameter again undoes its quotes.
fn unquote(value: &str) -> String {
    let text = format!(";x={value}");
    Parameters::parse(&text)
        .ok()
        .and_then(|p| p.unquoted("x").map(std::borrow::Cow::into_owned))
        .unwrap_or_default()
}

fn party(value: &NameAddr) -> Value {
    let display = (!value.display.is_empty()).then_some(&value.display);
    json!({
        "display": display, "uri": value.uri.as_str(), "tag": value.tag(), "epid": value.epid(),
        "params": params(&value.parameters),
    })
}

fn via(value: &Via) -> Value {
    json!({
        "transport": value.transport.as_str(), "host": value.host, "port": value.port, "branch": value.branch(),
        "params": params(&value.parameters),
    })
}

fn contact(value: &Contact) -> Value {
    let Some(address) = value.address() else {
        return json!({"display": null, "uri": "*", "gruu": null, "instance": null, "expires": null, "q": null, "params": []});
    };
    let display = (!address.display.is_empty()).then_some(&address.display);
    let q = value.q().ok().flatten().map(|thousandths| f64::from(thousandths) / 1000.0);
    json!({
        "display": display, "uri": address.uri.as_str(), "gruu": value.gruu().map(|gruu| gruu.to_string()),
        "instance": value.instance(), "expires": value.expires(), "q": q, "params": params(&address.parameters),
    })
}

fn route(value: &NameAddr) -> Value {
    json!({"uri": value.uri.as_str(), "params": params(&value.parameters)})
}

fn challenge(value: &Challenge) -> Value {
    json!({
        "scheme": value.scheme, "realm": value.realm(), "targetname": value.target_name(), "version": value.version(),
        "opaque": value.opaque(), "gssapi_data": value.gssapi_data(), "sts_uri": value.get("sts-uri"),
    })
}

fn information(value: &AuthenticationInfo) -> Value {
    json!({
        "scheme": value.scheme, "srand": value.get("srand"), "snum": value.get("snum"), "rspauth": value.get("rspauth"),
        "targetname": value.get("targetname"), "realm": value.get("realm"), "opaque": value.get("opaque"),
        "version": value.get("version").and_then(|version| version.parse::<u32>().ok()),
    })
}

fn keep_alive(value: &KeepAlive) -> Value {
    let role = match value.role {
        KeepAliveRole::Uac => "UAC",
        KeepAliveRole::Uas => "UAS",
    };
    json!({
        "role": role, "hop_hop": value.hop_hop(), "end_end": value.end_end(), "tcp": value.tcp(),
        "timeout": value.timeout(),
    })
}

fn presence_state(value: &PresenceState) -> Value {
    json!({
        "register_action": value.register_action.as_str(),
        "primary_cluster_type": value.primary_cluster_type().map(ClusterType::as_str),
        "connected_to_primary": value.is_connected_to_primary(),
        "user_services_available": value.has_user_services(),
    })
}

fn registration_event(value: &RegistrationEvent) -> Value {
    let state = if value.registered { "registered" } else { "deregistered" };
    json!({"state": state, "event": value.event, "action": value.advice().as_str()})
}

fn diagnostics(value: &Diagnostics) -> Value {
    json!({"id": value.id, "reason": value.reason(), "source": value.source(), "params": params(&value.parameters)})
}

fn reason(value: &Reason) -> Value {
    json!({
        "protocol": value.protocol, "cause": value.cause(), "text": value.text(), "accepted_by": value.accepted_by(),
    })
}

/// The first SIP URI and the first telephone number of P-Asserted-Identity, else of P-Preferred-Identity.
fn identity(headers: &Headers) -> Value {
    let asserted = headers.asserted_identities().unwrap_or_default();
    let values =
        if asserted.is_empty() { headers.preferred_identities().unwrap_or_default() } else { asserted };
    if values.is_empty() {
        return Value::Null;
    }
    let sip = values.iter().find_map(|value| value.uri.sip()).map(SipUri::as_str);
    let tel = values.iter().find_map(|value| value.uri.tel()).map(TelUri::as_str);
    json!({"sip": sip, "tel": tel})
}

fn mwi(summary: &MessageSummary) -> Value {
    let (new, old) = summary.voice.unzip();
    json!({"waiting": summary.waiting, "new": new, "old": old})
}

fn problem(problem: &Problem) -> Value {
    json!({
        "status": problem.status.map(StatusCode::code),
        "header": problem.header.as_ref().map(|header| header.as_str().to_owned()),
        "what": problem.fault.to_string(),
    })
}

fn name(kind: &MediaType) -> String {
    format!("{}/{}", kind.kind, kind.subtype)
}

/// The members `body` and `sdp`.
fn content(kind: &MediaType, body: &Bytes) -> (Value, Value) {
    if kind.is("application", "sdp") {
        let shown = json!({"type": name(kind), "len": body.len(), "parts": null});
        return (shown, session_description::to_json(body));
    }
    if !kind.is_multipart() {
        return (json!({"type": name(kind), "len": body.len(), "parts": null}), Value::Null);
    }
    let parts = multipart::parse(kind, body).unwrap_or_default();
    let mut shown = Vec::new();
    let mut descriptions = Vec::new();
    for part in &parts {
        let part_kind = part.content_type().ok();
        let disposition = part.headers.content_disposition().ok().flatten();
        shown.push(json!({
            "type": part_kind.as_ref().map(name),
            "len": part.body.len(),
            "disposition": disposition.map(|disposition| disposition.to_string()),
        }));
        if part_kind.is_some_and(|kind| kind.is("application", "sdp")) {
            descriptions.push(session_description::to_json(&part.body));
        }
    }
    let sdp = if kind.is("multipart", "alternative") {
        Value::Array(descriptions)
    } else {
        descriptions.into_iter().next().unwrap_or_default()
    };
    (json!({"type": name(kind), "len": body.len(), "parts": shown}), sdp)
}
