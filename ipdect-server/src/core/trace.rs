//! Messages as arrows of the ladder.

use dect_nwk::element::PortableIdentity;
use dect_nwk::identity::Ipei;

/// A SIP message as an arrow: method or status, what its body is, and the users of From and To.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SipArrow {
    pub(crate) label: String,
    pub(crate) detail: String,
    pub(crate) users: [String; 2],
}

/// The messages in what one read of a connection brought; what is cut off is named by its beginning.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let begin = bytes.iter().position(|octet| !octet.is_ascii_whitespace())?;
        bytes = bytes.get(begin..)?;
        let head =
            bytes.windows(4).position(|window| window == b"\r\n\r\n").map_or(bytes.len(), |end| end + 4);
        let text = String::from_utf8_lossy(bytes.get(..head)?);
        let length = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("content-length") || name.trim() == "l")
            .and_then(|(_, value)| value.trim().parse::<usize>().ok())
            .unwrap_or(0);
        let (message, rest) = bytes.split_at(head.saturating_add(length).min(bytes.len()));
        bytes = rest;
        Some(message)
    })
}

/// Names a SIP message.
pub(crate) fn sip(bytes: &[u8]) -> Option<SipArrow> {
    let text = bytes.get(..bytes.len().min(4096))?;
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let start = lines.find(|line| !line.is_empty())?;
    let mut cseq = "";
    let mut content = "";
    let mut users = [String::new(), String::new()];
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(':') {
            match name.trim() {
                "CSeq" | "CSEQ" => cseq = value.split_whitespace().nth(1).unwrap_or_default(),
                "Content-Type" | "CONTENT-TYPE" | "c" => content = value.trim(),
                "From" | "FROM" | "f" => users[0] = user_of(value),
                "To" | "TO" | "t" => users[1] = user_of(value),
                _ => {}
            }
        }
    }
    let body = match content.split(';').next().unwrap_or_default().trim() {
        "application/sdp" => sdp_detail(&text),
        other => other.to_owned(),
    };
    if let Some(status) = start.strip_prefix("SIP/2.0 ") {
        Some(SipArrow { label: format!("{status} ({cseq})"), detail: body, users })
    } else {
        let method = start.split(' ').next()?;
        Some(SipArrow { label: method.to_owned(), detail: body, users })
    }
}

/// The user part of the address in a header field's value.
fn user_of(value: &str) -> String {
    let address =
        value.split_once("sip:").or_else(|| value.split_once("sips:")).map_or("", |(_, address)| address);
    address.split_once('@').map(|(user, _)| user.to_owned()).unwrap_or_default()
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

/// Name of a DECT message, and the equipment it names.
pub(crate) fn dect(sdu: &[u8]) -> (String, Option<Ipei>) {
    let Ok(message) = dect_nwk::Message::parse(sdu) else { return (format!("{} octets", sdu.len()), None) };
    let ipei = match message.find::<PortableIdentity>() {
        Some(PortableIdentity::Ipui(ipui)) => ipui.ipei(),
        Some(PortableIdentity::Ipei(ipei)) => Some(*ipei),
        _ => None,
    };
    (message.message_type.name().to_owned(), ipei)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_messages_are_named_by_method_or_status() {
        let invite = b"INVITE sip:a@b SIP/2.0\r\nFrom: <sip:jim@b>\r\nTo: <sip:a@b>\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\nv=0\r\nm=audio 4 RTP/SAVP 8\r\na=crypto:1 X\r\na=inactive\r\n";
        let arrow = sip(invite).expect("a request");
        assert_eq!((arrow.label.as_str(), arrow.detail.as_str()), ("INVITE", "RTP/SAVP SDES inactive"));
        assert_eq!(arrow.users, ["jim", "a"]);
        let ok = b"SIP/2.0 200 OK\r\nCSEQ: 1 REGISTER\r\n\r\n";
        assert_eq!(sip(ok).map(|arrow| arrow.label).as_deref(), Some("200 OK (REGISTER)"));
        assert_eq!(sip(b"\r\n\r\n"), None);
    }

    #[test]
    fn every_message_of_a_read_is_found() {
        let read = b"\r\n\r\nSIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\nSIP/2.0 200 OK\r\nContent-Length: 4\r\nCSeq: 1 INVITE\r\n\r\nv=0\nBYE sip:a@b SIP/2.0\r\nl: 99999999999999999999\r\n\r\n";
        let labels: Vec<String> = messages(read).filter_map(sip).map(|arrow| arrow.label).collect();
        assert_eq!(labels, ["180 Ringing (INVITE)", "200 OK (INVITE)", "BYE"]);
        assert_eq!(messages(b"\r\n\r\n").count(), 0);
        assert_eq!(messages(b"INVITE sip:a@b SIP/2.0\r\nContent-Length: 500\r\n\r\nshort").count(), 1);
    }
}
