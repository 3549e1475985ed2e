//! Credentials for relays: what a SERVICE request to the media relay authentication service carries.

use quick_xml::Reader;
use quick_xml::events::Event;

use base64ct::{Base64, Encoding as _};

use super::Credentials;
use crate::error::{ParseError, Rule};

/// The media type of requests and answers.
///
/// MS-AVEDGEA 2.2
pub const MEDIA_TYPE: &str = "application/msrtc-media-relay-auth+xml";

/// The namespace of requests and answers.
///
/// MS-AVEDGEA 2.2
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/mrasp";

/// Longest document that is read.
const DOCUMENT_MAX: usize = 65_536;
/// Deepest nesting that is read.
const DEPTH_MAX: usize = 16;
/// Most relays of one answer.
const RELAYS_MAX: usize = 64;

/// On which side of the edge a client is.
///
/// MS-AVEDGEA 2.2
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Location {
    /// Outside.
    Internet,
    /// Inside.
    Intranet,
}

impl Location {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Intranet => "intranet",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Internet, Self::Intranet]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

/// A request for credentials.
///
/// MS-AVEDGEA 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialsRequest {
    /// Counts requests.
    pub request_id: u32,
    /// Who asks.
    pub from: String,
    /// The service.
    pub to: String,
    /// For whom.
    pub identity: String,
    /// Where that one is.
    pub location: Location,
    /// How many minutes they are to be good.
    pub minutes: u32,
}

impl CredentialsRequest {
    /// The body of the SERVICE request.
    ///
    /// MS-AVEDGEA 2.2
    pub fn to_body(&self) -> String {
        let Self { request_id, from, to, identity, location, minutes } = self;
        let (from, to, identity) = (escaped(from), escaped(to), escaped(identity));
        let location = location.as_str();
        format!(
            "<request requestID=\"{request_id}\" version=\"1.0\" from=\"{from}\" to=\"{to}\" xmlns=\"{NAMESPACE}\">\
             <credentialsRequest credentialsRequestID=\"{request_id}\"><identity>{identity}</identity>\
             <location>{location}</location><duration>{minutes}</duration></credentialsRequest></request>"
        )
    }

    /// Reads the body of a SERVICE request; attributes in any order, unknown elements left out.
    ///
    /// MS-AVEDGEA 2.2
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut request = Self {
            request_id: 0,
            from: String::new(),
            to: String::new(),
            identity: String::new(),
            location: Location::Intranet,
            minutes: 480,
        };
        let mut seen = false;
        walk(body, |path, piece| {
            match (path, piece) {
                ([.., "request"], Piece::Attribute("requestID", text)) => {
                    seen = true;
                    request.request_id = text.parse().ok()?;
                }
                (["request"], Piece::Attribute("from", text)) => text.clone_into(&mut request.from),
                (["request"], Piece::Attribute("to", text)) => text.clone_into(&mut request.to),
                ([.., "identity"], Piece::Text(text)) => text.clone_into(&mut request.identity),
                ([.., "location"], Piece::Text(text)) => request.location = Location::parse(text)?,
                ([.., "duration"], Piece::Text(text)) => request.minutes = text.trim().parse().ok()?,
                _ => {}
            }
            Some(())
        })?;
        if seen && !request.identity.is_empty() { Ok(request) } else { Err(broken(0)) }
    }
}

/// A relay that takes the credentials.
///
/// MS-AVEDGEA 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaRelay {
    /// On which side it is reached there.
    pub location: Location,
    /// Its name or address.
    pub host: String,
    /// Its port for datagrams.
    pub udp_port: u16,
    /// Its port for connections.
    pub tcp_port: u16,
}

/// An answer with credentials.
///
/// MS-AVEDGEA 2.2
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CredentialsResponse {
    /// The number of the request.
    pub request_id: u32,
    /// `OK`, or why there are none.
    pub reason: String,
    /// User name and password, decoded, if there are any.
    pub credentials: Option<Credentials>,
    /// How many minutes they are good.
    pub minutes: u32,
    /// The relays.
    pub relays: Vec<MediaRelay>,
}

impl CredentialsResponse {
    /// The body of the answer; the password is that of `credentials` and is given apart.
    ///
    /// MS-AVEDGEA 2.2
    pub fn to_body(&self, password: &[u8]) -> String {
        let Self { request_id, reason, credentials, minutes, relays } = self;
        let mut body = format!(
            "<response requestID=\"{request_id}\" version=\"1.0\" reasonPhrase=\"{}\" xmlns=\"{NAMESPACE}\">\
             <credentialsResponse credentialsRequestID=\"{request_id}\">",
            escaped(reason)
        );
        if let Some(credentials) = credentials {
            let username = Base64::encode_string(credentials.username());
            let password = Base64::encode_string(password);
            body += &format!(
                "<credentials><username>{username}</username><password>{password}</password>\
                 <duration>{minutes}</duration></credentials>"
            );
        }
        body += "<mediaRelayList>";
        for MediaRelay { location, host, udp_port, tcp_port } in relays {
            body += &format!(
                "<mediaRelay><location>{}</location><hostName>{}</hostName><udpPort>{udp_port}</udpPort>\
                 <tcpPort>{tcp_port}</tcpPort></mediaRelay>",
                location.as_str(),
                escaped(host)
            );
        }
        body + "</mediaRelayList></credentialsResponse></response>"
    }

    /// Reads the body of an answer; attributes in any order, unknown elements left out.
    ///
    /// MS-AVEDGEA 2.2
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut response =
            Self { request_id: 0, reason: String::new(), credentials: None, minutes: 0, relays: Vec::new() };
        let (mut username, mut password) = (None, None);
        let mut seen = false;
        walk(body, |path, piece| {
            match (path, piece) {
                (["response"], Piece::Attribute("requestID", text)) => {
                    response.request_id = text.parse().ok()?;
                }
                (["response"], Piece::Attribute("reasonPhrase", text)) => {
                    seen = true;
                    text.clone_into(&mut response.reason);
                }
                ([.., "credentials", "username"], Piece::Text(text)) => username = Some(decoded(text)?),
                ([.., "credentials", "password"], Piece::Text(text)) => password = Some(decoded(text)?),
                ([.., "credentials", "duration"], Piece::Text(text)) => {
                    response.minutes = text.trim().parse().ok()?;
                }
                ([.., "mediaRelay"], Piece::Start) => {
                    if response.relays.len() >= RELAYS_MAX {
                        return None;
                    }
                    response.relays.push(MediaRelay {
                        location: Location::Internet,
                        host: String::new(),
                        udp_port: 3478,
                        tcp_port: 443,
                    });
                }
                ([.., "mediaRelay", element], Piece::Text(text)) => {
                    let relay = response.relays.last_mut()?;
                    match *element {
                        "location" => relay.location = Location::parse(text)?,
                        "hostName" | "directIPAddress" => text.trim().clone_into(&mut relay.host),
                        "udpPort" => relay.udp_port = text.trim().parse().ok()?,
                        "tcpPort" => relay.tcp_port = text.trim().parse().ok()?,
                        _ => {}
                    }
                }
                _ => {}
            }
            Some(())
        })?;
        if let (Some(username), Some(password)) = (username, password) {
            response.credentials = Some(Credentials::new(&username, &password));
        }
        if seen { Ok(response) } else { Err(broken(0)) }
    }
}

/// A piece of a document, told with the names of the elements around it.
enum Piece<'p> {
    Start,
    Attribute(&'p str, &'p str),
    Text(&'p str),
}

const fn broken(at: usize) -> ParseError {
    ParseError::new(at, Rule::MediaRelayAuthentication)
}

/// Walks over a document; no document type, bounded depth, local names.
fn walk(body: &[u8], mut each: impl FnMut(&[&str], Piece<'_>) -> Option<()>) -> Result<(), ParseError> {
    if body.len() > DOCUMENT_MAX {
        return Err(broken(DOCUMENT_MAX));
    }
    let text = core::str::from_utf8(body).map_err(|error| broken(error.valid_up_to()))?;
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut content = String::new();
    loop {
        let at = reader.buffer_position() as usize;
        let event = reader.read_event().map_err(|_| broken(at))?;
        match &event {
            Event::Start(start) | Event::Empty(start) => {
                if path.len() >= DEPTH_MAX {
                    return Err(broken(at));
                }
                content.clear();
                let name = start.local_name();
                path.push(AsRef::<str>::as_ref(&name).to_owned());
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                each(&names, Piece::Start).ok_or_else(|| broken(at))?;
                for attribute in start.attributes() {
                    let attribute = attribute.map_err(|_| broken(at))?;
                    let local = attribute.key.local_name();
                    let key: &str = local.as_ref();
                    let raw: &str = &attribute.value;
                    let value = quick_xml::escape::unescape(raw).map_err(|_| broken(at))?;
                    each(&names, Piece::Attribute(key, &value)).ok_or_else(|| broken(at))?;
                }
                if matches!(event, Event::Empty(_)) {
                    path.pop();
                }
            }
            Event::Text(text) => {
                content += text;
            }
            Event::GeneralRef(reference) => {
                let name: &str = reference;
                let escaped = format!("&{name};");
                content += &quick_xml::escape::unescape(&escaped).map_err(|_| broken(at))?;
            }
            Event::End(_) => {
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                each(&names, Piece::Text(&content)).ok_or_else(|| broken(at))?;
                content.clear();
                path.pop();
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof | Event::DocType(_) | Event::CData(_) => return Err(broken(at)),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    Base64::decode_vec(text.trim()).ok()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> CredentialsRequest {
        CredentialsRequest {
            request_id: 7,
            from: "sip:u@example.com".to_owned(),
            to: "sip:mras@example.com;gruu;opaque=srvr:MRAS:a&b".to_owned(),
            identity: "sip:u@example.com".to_owned(),
            location: Location::Intranet,
            minutes: 480,
        }
    }

    #[test]
    fn requests_and_answers_come_back() {
        assert_eq!(CredentialsRequest::parse(request().to_body().as_bytes()).unwrap(), request());
        let response = CredentialsResponse {
            request_id: 7,
            reason: "OK".to_owned(),
            credentials: Some(Credentials::new(b"\x00raw\xff", b"\x01secret")),
            minutes: 480,
            relays: vec![
                MediaRelay {
                    location: Location::Intranet,
                    host: "edge.example.com".to_owned(),
                    udp_port: 3478,
                    tcp_port: 443,
                },
                MediaRelay {
                    location: Location::Internet,
                    host: "192.0.2.1".to_owned(),
                    udp_port: 1,
                    tcp_port: 2,
                },
            ],
        };
        assert_eq!(CredentialsResponse::parse(response.to_body(b"\x01secret").as_bytes()).unwrap(), response);
    }

    #[test]
    fn attributes_in_any_order_and_unknown_elements_do_not_disturb() {
        let body = "<?xml version=\"1.0\"?>\r\n<m:response xmlns:m=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" \
            reasonPhrase='OK' version='2.0' serverVersion='2.0' requestID='12'><m:unknown><m:x/></m:unknown>\
            <m:credentialsResponse><m:credentials><m:username> QUI= </m:username><m:password>Qw==</m:password>\
            <m:duration>600</m:duration><m:realm>rtcmedia</m:realm></m:credentials><m:mediaRelayList><m:mediaRelay>\
            <m:location>Internet</m:location><m:hostName>edge</m:hostName><m:udpPort>3478</m:udpPort>\
            <m:tcpPort>443</m:tcpPort></m:mediaRelay></m:mediaRelayList></m:credentialsResponse></m:response>";
        let response = CredentialsResponse::parse(body.as_bytes()).unwrap();
        assert_eq!(response.credentials, Some(Credentials::new(b"AB", b"C")));
        assert_eq!((response.request_id, response.minutes, response.relays.len()), (12, 600, 1));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(100_000);
        let entity = "<!DOCTYPE x [<!ENTITY a \"b\">]><response reasonPhrase=\"&a;\"/>";
        let relays = format!("<response reasonPhrase=\"OK\">{}</response>", "<mediaRelay/>".repeat(1000));
        for body in
            ["", "<", "<response", "<x/>", &deep, entity, &relays, "<response requestID=\"9999999999\"/>"]
        {
            assert!(CredentialsResponse::parse(body.as_bytes()).is_err(), "{}", &body[..body.len().min(40)]);
        }
        assert!(CredentialsRequest::parse(b"\xff").is_err());
    }
}
