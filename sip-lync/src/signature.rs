//! The text that is signed for a message. Who holds the key signs it; this crate does no cryptography.

use crate::error::ParseError;
use crate::grammar::{self, List};
use crate::headers::{HeaderName, Headers, NameAddrView};
use crate::message::Message;

/// The version of the authentication protocol, which decides the fields of the text.
///
/// MS-SIPAE 3.2.5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SignatureVersion {
    /// Without the URI of To and without identities.
    Two,
    /// OCS 2007.
    Three,
    /// OCS 2007 R2 and later.
    Four,
}

impl SignatureVersion {
    /// The version of a challenge; an unknown one is answered with the highest that is known.
    ///
    /// MS-SIPAE 3.2.5.2
    pub const fn of(number: u32) -> Self {
        match number {
            0..=2 => Self::Two,
            3 => Self::Three,
            _ => Self::Four,
        }
    }
}

/// What the text takes from the security association and not from the message.
///
/// MS-SIPAE 3.2.5.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignatureFields<'a> {
    /// The version.
    pub version: SignatureVersion,
    /// `NTLM`, `Kerberos` or `TLS-DSK`.
    pub scheme: &'a str,
    /// `crand` of a client, `srand` of a server.
    pub random: &'a str,
    /// `cnum` of a client, `snum` of a server.
    pub number: u32,
    /// The realm, without quotes.
    pub realm: &'a str,
    /// The target name, as it stands in the header field.
    pub target_name: &'a str,
}

/// The text that is signed for a message, received or to be sent. Values that are missing are empty.
///
/// MS-SIPAE 3.2.5.2
pub fn signature_text(message: &Message, fields: &SignatureFields<'_>) -> Result<String, ParseError> {
    let headers = message.headers();
    let mut text = String::with_capacity(512);
    let mut add = |value: &str| {
        text.push('<');
        text.push_str(value);
        text.push('>');
    };
    add(fields.scheme);
    add(fields.random);
    add(&fields.number.to_string());
    add(fields.realm);
    add(fields.target_name);
    add(grammar::trim(headers.get(&HeaderName::CallId).unwrap_or_default()));
    let cseq = grammar::trim(headers.get(&HeaderName::CSeq).unwrap_or_default());
    let (number, method) = cseq.split_once([' ', '\t']).unwrap_or((cseq, ""));
    add(number);
    add(grammar::trim(method));
    let from = address(headers, &HeaderName::From)?;
    let to = address(headers, &HeaderName::To)?;
    add(from.map_or("", |from| from.uri));
    add(from.and_then(NameAddrView::tag).unwrap_or_default());
    let full = fields.version > SignatureVersion::Two;
    if full {
        add(to.map_or("", |to| to.uri));
    }
    add(to.and_then(NameAddrView::tag).unwrap_or_default());
    if full {
        let (sip, tel) = identities(headers);
        add(sip);
        add(tel);
    }
    add(grammar::trim(headers.get(&HeaderName::Expires).unwrap_or_default()));
    if let Message::Response(response) = message {
        add(&response.status.to_string());
    }
    Ok(text)
}

fn address<'a>(headers: &'a Headers, name: &HeaderName) -> Result<Option<NameAddrView<'a>>, ParseError> {
    let value = headers.get(name).map(NameAddrView::parse).transpose();
    value.map_err(|error| error.within(name.clone()))
}

/// The first SIP URI and the first telephone number of P-Asserted-Identity, or of P-Preferred-Identity if there is no
/// asserted one; as they stand there.
fn identities(headers: &Headers) -> (&str, &str) {
    let asserted = headers.contains(&HeaderName::PAssertedIdentity);
    let name = if asserted { HeaderName::PAssertedIdentity } else { HeaderName::PPreferredIdentity };
    let (mut sip, mut tel) = ("", "");
    for header in headers.iter().filter(|header| header.is(&name)) {
        for (_, element) in List::new(header.value().unwrap_or_default()) {
            let Ok(address) = NameAddrView::parse(element) else { continue };
            let scheme = address.uri.split_once(':').map_or("", |(scheme, _)| scheme);
            let slot = match scheme.to_ascii_lowercase().as_str() {
                "sip" | "sips" => &mut sip,
                "tel" => &mut tel,
                _ => continue,
            };
            if slot.is_empty() {
                *slot = address.uri;
            }
        }
    }
    (sip, tel)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: SignatureFields<'_> = SignatureFields {
        version: SignatureVersion::Four,
        scheme: "NTLM",
        random: "0a0b0c0d",
        number: 1,
        realm: "SIP Communications Service",
        target_name: "fe1.example.net",
    };

    fn text(message: &str, version: SignatureVersion) -> String {
        let message = Message::parse(message.replace('\n', "\r\n").into()).unwrap();
        signature_text(&message, &SignatureFields { version, ..FIELDS }).unwrap()
    }

    const REGISTER: &str = "REGISTER sip:example.net SIP/2.0\nVia: SIP/2.0/TLS a\nFrom: <sip:dect1@example.net>;tag=91d0c4a2b7;epid=01010101\nTo: <sip:dect1@example.net>\nCall-ID: 7d1c3a5e9f0b2846a1c2e3f405162738\nCSeq: 2 REGISTER\n\n";

    #[test]
    fn a_request_has_no_field_for_a_status() {
        assert_eq!(
            text(REGISTER, SignatureVersion::Four),
            "<NTLM><0a0b0c0d><1><SIP Communications Service><fe1.example.net><7d1c3a5e9f0b2846a1c2e3f405162738><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><sip:dect1@example.net><><><><>"
        );
        assert_eq!(text(REGISTER, SignatureVersion::Three), text(REGISTER, SignatureVersion::Four));
        assert_eq!(
            text(REGISTER, SignatureVersion::Two),
            "<NTLM><0a0b0c0d><1><SIP Communications Service><fe1.example.net><7d1c3a5e9f0b2846a1c2e3f405162738><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><><>"
        );
    }

    #[test]
    fn a_response_ends_with_its_status_and_has_its_own_expires() {
        let response = "SIP/2.0 200 OK\nFrom: <sip:dect1@example.net>;tag=91d0c4a2b7;epid=01010101\nTo: <sip:dect1@example.net>;tag=0F9E\nCall-ID: 7d\nCSeq: 2 REGISTER\nContact: <sip:a@b>;expires=60\nExpires: 7200\n\n";
        assert!(text(response, SignatureVersion::Four).ends_with(
            "<7d><2><REGISTER><sip:dect1@example.net><91d0c4a2b7><sip:dect1@example.net><0F9E><><><7200><200>"
        ));
        assert!(text(response, SignatureVersion::Two).ends_with("<91d0c4a2b7><0F9E><7200><200>"));
    }

    #[test]
    fn uris_are_taken_letter_by_letter() {
        let invite = "INVITE sip:x SIP/2.0\nf: \"A, B\" <SIP:Bob@Example.NET;user=phone>;tag=1\nt: sip:c@d;tag=2\ni: 9\nCSeq: 3 INVITE\nP-Preferred-Identity: <sip:no@no>\nP-Asserted-Identity: \"x, <tel:y>\"<sip:bob@example.net>,<tel:+420123456;ext=88463>, <tel:+1>\n\n";
        assert!(text(invite, SignatureVersion::Four).ends_with("<9><3><INVITE><SIP:Bob@Example.NET;user=phone><1><sip:c@d><2><sip:bob@example.net><tel:+420123456;ext=88463><>"));
        let preferred = invite.replace("P-Asserted-Identity", "X-Other");
        assert!(text(&preferred, SignatureVersion::Four).ends_with("<2><sip:no@no><><>"));
    }
}
