//! Messages as arrows of the ladder.

use super::vocabulary::{LadderStep, Lane};

/// Name and detail of a SIP message: method or status, and for whom.
pub(crate) fn sip(bytes: &[u8]) -> Option<(String, String)> {
    let text = bytes.get(..bytes.len().min(4096))?;
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let start = lines.find(|line| !line.is_empty())?;
    let mut cseq = "";
    let mut content = "";
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            match name.trim() {
                "CSeq" | "CSEQ" => cseq = value.split_whitespace().nth(1).unwrap_or_default(),
                "Content-Type" | "CONTENT-TYPE" | "c" => content = value.trim(),
                _ => {}
            }
        }
    }
    let body = match content.split(';').next().unwrap_or_default().trim() {
        "application/sdp" => sdp_detail(&text),
        other => other.to_owned(),
    };
    if let Some(status) = start.strip_prefix("SIP/2.0 ") {
        Some((format!("{status} ({cseq})"), body))
    } else {
        let method = start.split(' ').next()?;
        Some((method.to_owned(), body))
    }
}

fn sdp_detail(message: &str) -> String {
    let protocol = message.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').nth(1));
    let direction = ["inactive", "sendonly", "recvonly"]
        .into_iter()
        .find(|word| message.lines().any(|line| line.strip_prefix("a=") == Some(word)));
    let crypto = if message.contains("a=crypto:") { " SDES" } else { "" };
    match (protocol, direction) {
        (Some(protocol), Some(direction)) => format!("{protocol}{crypto} {direction}"),
        (Some(protocol), None) => format!("{protocol}{crypto}"),
        (None, _) => "application/sdp".to_owned(),
    }
}

/// Name of a DECT message.
pub(crate) fn dect(sdu: &[u8]) -> String {
    dect_nwk::Message::parse(sdu)
        .map_or_else(|_| format!("{} octets", sdu.len()), |message| message.message_type.name().to_owned())
}

/// An arrow.
pub(crate) fn arrow(at_ms: u64, from: Lane, to: Lane, label: String, detail: String) -> LadderStep {
    LadderStep { at_ms, from, to, handset: None, label, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_messages_are_named_by_method_or_status() {
        let invite = b"INVITE sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nm=audio 4 RTP/SAVP 8\r\na=crypto:1 X\r\na=inactive\r\n";
        assert_eq!(sip(invite), Some(("INVITE".into(), "RTP/SAVP SDES inactive".into())));
        let ok = b"SIP/2.0 200 OK\r\nCSEQ: 1 REGISTER\r\n\r\n";
        assert_eq!(sip(ok), Some(("200 OK (REGISTER)".into(), String::new())));
        assert_eq!(sip(b"\r\n\r\n"), None);
    }
}
