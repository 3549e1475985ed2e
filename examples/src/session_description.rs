//! Session descriptions as JSON, for `sip-inspect` and `sdp-inspect`.

use serde_json::{Value, json};
use sip_lync::ParseError;
use sip_lync::sdp::ms::Encryption;
use sip_lync::sdp::{
    Attribute, Candidate, CandidateKind, Direction, IceDialect, MediaDescription, SessionDescription,
};

/// The JSON object of one body, good or bad.
pub fn to_json(bytes: &[u8]) -> Value {
    match SessionDescription::parse_bytes(bytes) {
        Ok(description) => good(&description),
        Err(error) => bad(&error),
    }
}

fn bad(error: &ParseError) -> Value {
    json!({
        "ok": false, "error": error.rule.text(), "at": error.at, "origin": null, "session_name": null,
        "connection": null, "bandwidth": null, "attributes": null, "media": null,
    })
}

fn good(description: &SessionDescription) -> Value {
    let bandwidth: Vec<_> = description.bandwidth.iter().map(ToString::to_string).collect();
    let media: Vec<_> = description.media.iter().map(|media| line(description, media)).collect();
    json!({
        "ok": true,
        "error": null,
        "at": null,
        "origin": description.origin.to_string(),
        "session_name": description.session_name,
        "connection": description.connection.as_ref().map(ToString::to_string),
        "bandwidth": bandwidth,
        "attributes": description.attributes.iter().map(raw).collect::<Vec<_>>(),
        "media": media,
    })
}

fn raw(attribute: &Attribute) -> String {
    format!("a={attribute}")
}

fn line(session: &SessionDescription, media: &MediaDescription) -> Value {
    let formats: Vec<_> = media
        .formats()
        .into_iter()
        .map(|format| {
            let map = format.map.as_ref();
            let number =
                format.name.parse::<u8>().map_or_else(|_| json!(format.name), |number| json!(number));
            json!({
                "payload_type": number,
                "encoding": map.map(|map| map.encoding.clone()),
                "clock_rate": map.map(|map| map.clock_rate),
                "channels": map.and_then(|map| map.channels),
                "fmtp": format.parameters,
            })
        })
        .collect();
    let either =
        |name: &str| media.value(name).map(str::to_owned).or_else(|| session.attribute(name)?.value.clone());
    let dialect = match media.ice_dialect() {
        IceDialect::Rfc8445 => "rfc8445",
        IceDialect::Draft06 => "draft06",
        IceDialect::None => "none",
    };
    let remote: Vec<_> = media
        .remote_candidates()
        .into_iter()
        .map(|(component, address)| json!([component, address.ip().to_string(), address.port()]))
        .collect();
    let rtcp = media.value("rtcp").and_then(|value| value.split_whitespace().next()?.parse::<u16>().ok());
    json!({
        "label": media.value("label"),
        "type": media.media,
        "port": media.port,
        "protocol": media.protocol,
        "connection": media.connection.as_ref().map(ToString::to_string),
        "formats": formats,
        "direction": media.direction(session).as_str(),
        "ptime": media.ptime(),
        "rtcp": rtcp,
        "rtcp_mux": media.rtcp_mux(),
        "crypto": media.crypto().iter().map(|value| format!("a=crypto:{value}")).collect::<Vec<_>>(),
        "encryption": media.encryption().map(Encryption::as_str),
        "ice": {
            "ufrag": either("ice-ufrag"),
            "pwd": either("ice-pwd"),
            "dialect": dialect,
            "candidates": media.candidates().iter().map(candidate).collect::<Vec<_>>(),
            "remote_candidates": remote,
        },
        "bypass_id": media.bypass_id(),
        "attributes": media.attributes.iter().filter(|a| !is_shown(a)).map(raw).collect::<Vec<_>>(),
    })
}

/// Whether an attribute is shown in a member of its own.
fn is_shown(attribute: &Attribute) -> bool {
    let value = attribute.value.as_deref().unwrap_or_default();
    match attribute.name.to_ascii_lowercase().as_str() {
        "candidate" => Candidate::parse(value).is_ok(),
        // An address behind the port is shown nowhere else.
        "rtcp" => value.split_whitespace().count() == 1,
        "label" | "rtpmap" | "fmtp" | "ptime" | "rtcp-mux" | "crypto" | "encryption" | "ice-ufrag"
        | "ice-pwd" | "remote-candidates" | "x-bypassid" => true,
        name => Direction::parse(name).is_some(),
    }
}

fn candidate(candidate: &Candidate) -> Value {
    let mut object = json!({
        "foundation": null, "component": candidate.component, "transport": candidate.transport.as_str(),
        "priority": null, "address": candidate.address.to_string(), "port": candidate.port, "type": null,
        "related": null, "username": null, "password": null,
    });
    let mut set = |name: &str, value: Value| {
        if let Some(slot) = object.get_mut(name) {
            *slot = value;
        }
    };
    match &candidate.kind {
        CandidateKind::Rfc8445 { foundation, priority, kind, related, .. } => {
            set("foundation", json!(foundation));
            set("priority", json!(priority));
            set("type", json!(kind));
            set("related", related.map_or(Value::Null, |(address, port)| json!([address.to_string(), port])));
        }
        CandidateKind::Draft06 { username, password, priority } => {
            set("priority", json!(priority.parse::<f64>().ok()));
            set("username", json!(username));
            set("password", json!(password));
        }
        _ => {}
    }
    object
}
