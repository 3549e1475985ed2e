//! TLS handshakes whose records travel in SIP, and the keys they leave behind.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ntlm_auth::{Sender, TLS_DSK_EXPORTED, TLS_DSK_LABEL, TlsDskHash, TlsDskSession};
use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::ssl::{
    HandshakeError, MidHandshakeSslStream, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509Ref;
use openssl::x509::store::X509StoreBuilder;

use super::authority::Authority;
use crate::frontend::{HandshakeTurn, ShakenHands};

/// The handshakes under way, by their opaque.
pub(crate) struct Handshakes {
    context: SslContext,
    running: BTreeMap<String, (Instant, MidHandshakeSslStream<Records>)>,
}

impl Handshakes {
    /// Clients show certificates of this authority; the front end has one of it, too.
    pub(crate) fn new(authority: &Authority, host: &str) -> Result<Self, ErrorStack> {
        let (certificate, key) = authority.server(host)?;
        let mut store = X509StoreBuilder::new()?;
        store.add_cert(authority.certificate.clone())?;
        let mut context = SslContextBuilder::new(SslMethod::tls_server())?;
        // TLS 1.0 signs with MD5 and SHA-1 together, which no higher level lets pass.
        context.set_security_level(0);
        // Of later versions no client that does TLS-DSK was ever at hand.
        context.set_min_proto_version(Some(SslVersion::TLS1))?;
        context.set_max_proto_version(Some(SslVersion::TLS1))?;
        context.set_cipher_list(SUITES)?;
        context.set_options(SslOptions::NO_TICKET | SslOptions::CIPHER_SERVER_PREFERENCE);
        context.set_session_cache_mode(SslSessionCacheMode::OFF);
        context.set_certificate(&certificate)?;
        context.set_private_key(&key)?;
        context.set_cert_store(store.build());
        context.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        Ok(Self { context: context.build(), running: BTreeMap::new() })
    }

    /// Takes the records of a client.
    pub(crate) fn turn(&mut self, now: Instant, opaque: &str, begins: bool, records: &[u8]) -> HandshakeTurn {
        self.running.retain(|_, (until, _)| *until > now);
        let outcome = if begins {
            let incoming = Records { incoming: records.to_vec(), at: 0, outgoing: Vec::new() };
            match Ssl::new(&self.context) {
                Ok(ssl) => ssl.accept(incoming),
                Err(error) => return HandshakeTurn::Failed(error.to_string()),
            }
        } else {
            match self.running.remove(opaque) {
                Some((_, mut running)) => {
                    running.get_mut().incoming.extend_from_slice(records);
                    running.handshake()
                }
                None => return HandshakeTurn::Failed("the handshake took too long".to_owned()),
            }
        };
        match outcome {
            Ok(mut stream) => {
                let records = std::mem::take(&mut stream.get_mut().outgoing);
                finished(&stream, records).unwrap_or_else(HandshakeTurn::Failed)
            }
            Err(HandshakeError::WouldBlock(mut running)) => {
                let records = std::mem::take(&mut running.get_mut().outgoing);
                if records.is_empty() {
                    return HandshakeTurn::Failed("the records end within a message".to_owned());
                }
                self.running.insert(opaque.to_owned(), (now + PATIENCE, running));
                HandshakeTurn::Continues(in_one_record(&records))
            }
            Err(HandshakeError::Failure(failed)) => HandshakeTurn::Failed(why(&failed)),
            Err(HandshakeError::SetupFailure(error)) => HandshakeTurn::Failed(error.to_string()),
        }
    }
}

/// The messages of a flight in one record, as Lync sends them: SIPE does not read a record that begins with
/// `ServerHelloDone`. Nothing of such a flight is encrypted (RFC 2246 6.2.1).
fn in_one_record(records: &[u8]) -> Vec<u8> {
    let (mut head, mut messages, mut rest) = (None, Vec::new(), records);
    while let Some((start @ &[HANDSHAKE, _, _, high, low], behind)) = rest.split_first_chunk::<5>() {
        let Some((message, behind)) = behind.split_at_checked(usize::from(u16::from_be_bytes([high, low])))
        else {
            break;
        };
        head.get_or_insert(*start);
        messages.extend_from_slice(message);
        rest = behind;
    }
    match (head, u16::try_from(messages.len())) {
        (Some([kind, major, minor, ..]), Ok(length)) if rest.is_empty() && length <= RECORD => {
            let [high, low] = length.to_be_bytes();
            [&[kind, major, minor, high, low], messages.as_slice()].concat()
        }
        _ => records.to_vec(),
    }
}

fn why(failed: &MidHandshakeSslStream<Records>) -> String {
    let verified = failed.ssl().verify_result();
    if verified == openssl::x509::X509VerifyResult::OK {
        failed.error().to_string()
    } else {
        format!("the certificate: {}", verified.error_string())
    }
}

fn finished(stream: &SslStream<Records>, records: Vec<u8>) -> Result<HandshakeTurn, String> {
    let ssl = stream.ssl();
    let certificate = ssl.peer_certificate().ok_or("the client has no certificate")?;
    let suite = ssl.current_cipher().ok_or("there is no cipher suite")?.protocol_id();
    let hash = TlsDskHash::of_cipher_suite(u16::from_be_bytes(suite)).map_err(|error| error.to_string())?;
    let mut exported = [0; TLS_DSK_EXPORTED];
    ssl.export_keying_material(&mut exported, TLS_DSK_LABEL, None).map_err(|error| error.to_string())?;
    let session = TlsDskSession::new(Sender::Server, hash, &exported);
    let user = name(&certificate).ok_or("the certificate has no name")?;
    let lifetime = left(&certificate).ok_or("the certificate has no end")?;
    Ok(HandshakeTurn::Finished(ShakenHands { records, user, lifetime, session }))
}

/// The common name, `user@domain`.
fn name(certificate: &X509Ref) -> Option<String> {
    let entry = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next()?;
    entry.data().to_string().ok()
}

fn left(certificate: &X509Ref) -> Option<Duration> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let now = Asn1Time::from_unix(now.try_into().ok()?).ok()?;
    let left = now.diff(certificate.not_after()).ok()?;
    let seconds = i64::from(left.days) * 86_400 + i64::from(left.secs);
    Some(Duration::from_secs(seconds.try_into().unwrap_or(0)))
}

/// What came in SIP, and what is to go.
#[derive(Debug)]
struct Records {
    incoming: Vec<u8>,
    at: usize,
    outgoing: Vec<u8>,
}

impl Read for Records {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut left = self.incoming.get(self.at..).unwrap_or_default();
        if left.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let read = left.read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

impl Write for Records {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.outgoing.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Those of which it is known how TLS-DSK signs with them, and that OpenSSL of today has with TLS 1.0 and RSA.
const SUITES: &str = "AES128-SHA:AES256-SHA:@SECLEVEL=0";
/// RFC 2246 6.2.1
const HANDSHAKE: u8 = 22;
const RECORD: u16 = 16_384;
/// A handshake not complete in this time is forgotten.
const PATIENCE: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use base64ct::{Base64, Encoding};
    use bytes::BytesMut;
    use ntlm_auth::{AssociationName, ProtocolVersion, SecurityAssociation, Verification};
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::ssl::{ConnectConfiguration, SslConnector};
    use openssl::x509::X509ReqBuilder;
    use sip_lync::SipUri;

    use super::*;
    use crate::Seed;
    use crate::frontend::{Event, FlowId, FrontEnd, FrontEndConfig, FrontEndUser, Input};

    /// Keys of RSA take long to make.
    static USERS: LazyLock<Authority> = LazyLock::new(|| Authority::new("Users").expect("OpenSSL"));
    static KEY: LazyLock<PKey<Private>> =
        LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).expect("OpenSSL")).expect("OpenSSL"));
    const DAY: Duration = Duration::from_hours(24);

    /// A front end whose handshakes are here.
    struct Site {
        now: Instant,
        front_end: FrontEnd,
        handshakes: Handshakes,
        authority: Authority,
        events: Vec<Event>,
        number: u32,
    }

    impl Site {
        fn new() -> Self {
            let mut config = FrontEndConfig::new("fe1.example.net", "example.net");
            for name in ["alice", "bob"] {
                let uri = SipUri::parse(&format!("sip:{name}@example.net")).expect("a URI");
                config.users.push(FrontEndUser::new(uri));
            }
            config.tls_dsk = Some("https://fe1.example.net/CertProv".to_owned());
            let authority = USERS.clone();
            let handshakes = Handshakes::new(&authority, "fe1.example.net").expect("OpenSSL");
            let mut front_end = FrontEnd::new(config, Seed::from_number(3));
            let now = Instant::now();
            let (local, remote) = (([192, 0, 2, 1], 5061).into(), ([192, 0, 2, 30], 40000).into());
            let opened = Input::FlowOpened { flow: FlowId(1), local, remote, peer_names: Vec::new() };
            front_end.handle_input(now, opened);
            Self { now, front_end, handshakes, authority, events: Vec::new(), number: 0 }
        }

        /// A REGISTER of alice with these credentials; the answer.
        fn register(&mut self, credentials: &str) -> String {
            self.number += 1;
            let number = self.number;
            let text = format!(
                "REGISTER sip:example.net SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.30:40000;branch=z9hG4bK{number}\r\n\
                 From: <sip:alice@example.net>;tag=1;epid=aa\r\nTo: <sip:alice@example.net>\r\n\
                 Call-ID: c1\r\nCSeq: {number} REGISTER\r\nMax-Forwards: 70\r\n\
                 Contact: <sip:192.0.2.30:40000;transport=tls>;proxy=replace\r\n{credentials}\
                 Supported: gruu-10, msrtc-event-categories\r\nContent-Length: 0\r\n\r\n"
            );
            self.front_end.handle_input(self.now, Input::Bytes { flow: FlowId(1), bytes: text.as_bytes() });
            while let Some(event) = self.front_end.poll_event() {
                if let Event::Handshake { opaque, begins, records } = &event {
                    let turn = self.handshakes.turn(self.now, opaque, *begins, records);
                    self.front_end.handshake_turn(self.now, opaque, turn);
                }
                self.events.push(event);
            }
            let mut buffer = BytesMut::new();
            while self.front_end.poll_transmit(&mut buffer).is_some() {}
            String::from_utf8_lossy(&buffer).into_owned()
        }

        fn failure(&self) -> String {
            let why = self.events.iter().find_map(|event| match event {
                Event::LoginFailed { why, .. } => Some(why.clone()),
                _ => None,
            });
            why.unwrap_or_default()
        }

        /// The whole handshake of a client; the last answer, and the client's keys if it came so far.
        fn shakes_hands(&mut self, client: ConnectConfiguration) -> (String, Option<TlsDskSession>) {
            let records = Records { incoming: Vec::new(), at: 0, outgoing: Vec::new() };
            let Err(HandshakeError::WouldBlock(mut running)) = client.connect("fe1.example.net", records)
            else {
                panic!("it waits for the front end");
            };
            let mut opaque = String::new();
            loop {
                let sent = Base64::encode_string(&std::mem::take(&mut running.get_mut().outgoing));
                let answer = self.register(&format!(
                    "Authorization: TLS-DSK qop=\"auth\", realm=\"SIP Communications Service\", {opaque}\
                     targetname=\"fe1.example.net\", gssapi-data=\"{sent}\", version=4\r\n"
                ));
                let Some(token) = parameter(&answer, "gssapi-data") else { return (answer, None) };
                opaque = format!("opaque=\"{}\", ", parameter(&answer, "opaque").expect("an opaque"));
                let token = Base64::decode_vec(&token).expect("base64");
                running.get_mut().incoming.extend_from_slice(&token);
                running = match running.handshake() {
                    Ok(stream) => {
                        let mut keys = [0; TLS_DSK_EXPORTED];
                        stream
                            .ssl()
                            .export_keying_material(&mut keys, TLS_DSK_LABEL, None)
                            .expect("complete");
                        let session = TlsDskSession::new(Sender::Client, TlsDskHash::Sha1, &keys);
                        return (answer, Some(session));
                    }
                    Err(HandshakeError::WouldBlock(running)) => running,
                    Err(error) => panic!("{error}"),
                };
            }
        }
    }

    /// A client with a certificate of this authority.
    fn client(of: Option<(&Authority, &str, Duration)>) -> ConnectConfiguration {
        let mut context = SslConnector::builder(SslMethod::tls_client()).expect("OpenSSL");
        context.set_security_level(0);
        context.set_min_proto_version(Some(SslVersion::TLS1)).expect("TLS 1.0");
        context.set_max_proto_version(Some(SslVersion::TLS1)).expect("TLS 1.0");
        context.set_cipher_list("AES128-SHA:@SECLEVEL=0").expect("a suite");
        context.set_verify(SslVerifyMode::NONE);
        if let Some((authority, user, lifetime)) = of {
            let mut request = X509ReqBuilder::new().expect("OpenSSL");
            request.set_pubkey(&KEY).expect("OpenSSL");
            request.sign(&KEY, openssl::hash::MessageDigest::sha1()).expect("OpenSSL");
            let request = request.build().to_der().expect("OpenSSL");
            let certificate = authority.grant(&request, user, lifetime).expect("granted");
            context.set_certificate(&certificate).expect("OpenSSL");
            context.set_private_key(&KEY).expect("OpenSSL");
        }
        context.build().configure().expect("OpenSSL")
    }

    fn parameter(message: &str, name: &str) -> Option<String> {
        let line = message.lines().find(|line| line.contains("TLS-DSK"))?;
        Some(line.split_once(&format!("{name}=\""))?.1.split_once('"')?.0.to_owned())
    }

    #[test]
    fn a_user_with_a_certificate_logs_in_signs_and_logs_in_anew_when_it_is_over() {
        let mut site = Site::new();
        let offered = site.register("");
        assert!(offered.contains("sts-uri=\"https://fe1.example.net/CertProv\""), "{offered}");
        let lifetime = Duration::from_hours(2);
        let (answer, session) =
            site.shakes_hands(client(Some((&site.authority, "alice@example.net", lifetime))));
        assert!(answer.starts_with("SIP/2.0 401"), "{answer}");
        let opaque = parameter(&answer, "opaque").expect("an opaque");
        let name = AssociationName {
            realm: "SIP Communications Service".to_owned(),
            target_name: "fe1.example.net".to_owned(),
            opaque: opaque.clone(),
            version: ProtocolVersion::V4,
        };
        let ours = SecurityAssociation::new(site.now, name, session.expect("keys"), None);
        let signed = |site: &mut Site, number: u32| {
            let (cseq, user) = (site.number + 1, "sip:alice@example.net");
            let text = format!(
                "<TLS-DSK><0a0b0c0d><{number}><SIP Communications Service><fe1.example.net><c1><{cseq}>\
                 <REGISTER><{user}><1><{user}><><><><>"
            );
            let signature = ours.sign(text.as_bytes()).expect("keys").signed().expect("a signature");
            site.register(&format!(
                "Authorization: TLS-DSK qop=\"auth\", opaque=\"{opaque}\", realm=\"SIP Communications Service\", \
                 targetname=\"fe1.example.net\", crand=\"0a0b0c0d\", cnum=\"{number}\", response=\"{signature}\"\r\n"
            ))
        };
        let answer = signed(&mut site, 1);
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        assert!(answer.contains("Authentication-Info: TLS-DSK"), "{answer}");
        assert!(signed(&mut site, 1).contains("was there before"));
        // The certificate is over, and with it the login.
        site.now += lifetime;
        site.front_end.handle_timeout(site.now);
        let again = signed(&mut site, 2);
        assert!(again.starts_with("SIP/2.0 401") && again.contains("sts-uri="), "{again}");
        let (_, session) = site.shakes_hands(client(Some((&site.authority, "alice@example.net", lifetime))));
        assert!(session.is_some(), "{:?}", site.events);
        let logins = |event: &&Event| matches!(event, Event::LoggedIn { scheme: "TLS-DSK", .. });
        assert_eq!(site.events.iter().filter(logins).count(), 2);
    }

    #[test]
    fn the_answer_to_a_signed_request_is_signed_with_the_keys_of_the_handshake() {
        let mut site = Site::new();
        let (answer, session) = site.shakes_hands(client(Some((&site.authority, "alice@example.net", DAY))));
        let opaque = parameter(&answer, "opaque").expect("an opaque");
        let name = AssociationName {
            realm: "SIP Communications Service".to_owned(),
            target_name: "fe1.example.net".to_owned(),
            opaque: opaque.clone(),
            version: ProtocolVersion::V4,
        };
        let mut ours = SecurityAssociation::new(site.now, name, session.expect("keys"), None);
        // Wrongly signed: refused, and the refusal is signed.
        let answer = site.register(&format!(
            "Authorization: TLS-DSK qop=\"auth\", opaque=\"{opaque}\", realm=\"SIP Communications Service\", \
             targetname=\"fe1.example.net\", crand=\"0a0b0c0d\", cnum=\"1\", response=\"{}\"\r\n",
            "00".repeat(20)
        ));
        assert!(answer.starts_with("SIP/2.0 403"), "{answer}");
        let get = |name| parameter(&answer, name).expect(name);
        let tag = answer.lines().find(|line| line.starts_with("To:")).and_then(|to| to.split_once("tag="));
        let tag = tag.map(|(_, tag)| tag.split(';').next().unwrap_or_default()).expect("a tag");
        let text = format!(
            "<TLS-DSK><{}><{}><SIP Communications Service><fe1.example.net><c1><{}><REGISTER>\
             <sip:alice@example.net><1><sip:alice@example.net><{tag}><><><><403>",
            get("srand"),
            get("snum"),
            site.number
        );
        let number = get("snum").parse().expect("a number");
        let verified = ours.verify(site.now, number, text.as_bytes(), &get("rspauth"));
        assert!(matches!(verified, Ok(Verification::Genuine)), "{verified:?} {answer}");
    }

    #[test]
    fn certificates_that_prove_nothing_are_refused() {
        let mut site = Site::new();
        let other = Authority::new("Others").expect("OpenSSL");
        let own = site.authority.clone();
        for (certificate, word) in [
            (Some((&other, "alice@example.net", DAY)), "certificate: "),
            (Some((&own, "alice@example.net", Duration::ZERO)), "certificate has expired"),
            (Some((&own, "bob@example.net", DAY)), "the certificate is bob@example.net's"),
            (None, "peer did not return a certificate"),
        ] {
            site.events.clear();
            let (answer, session) = site.shakes_hands(client(certificate));
            assert!(answer.starts_with("SIP/2.0 403") && session.is_none(), "{word}: {answer}");
            assert!(site.failure().contains(word), "{word}: {:?}", site.events);
        }
        assert!(!site.events.iter().any(|event| matches!(event, Event::LoggedIn { .. })));
    }

    #[test]
    fn records_out_of_order_or_of_nothing_end_the_login() {
        let mut site = Site::new();
        for records in ["AAAA", "FgMBAAA="] {
            let answer = site.register(&format!(
                "Authorization: TLS-DSK qop=\"auth\", realm=\"SIP Communications Service\", \
                 targetname=\"fe1.example.net\", gssapi-data=\"{records}\", version=4\r\n"
            ));
            assert!(answer.starts_with("SIP/2.0 403"), "{records}: {answer}");
        }
    }

    #[test]
    fn a_flight_goes_in_one_record() {
        let two = [22, 3, 1, 0, 2, 7, 8, 22, 3, 1, 0, 1, 9];
        assert_eq!(in_one_record(&two), [22, 3, 1, 0, 3, 7, 8, 9]);
        // What is encrypted stays as it is.
        let mixed = [20, 3, 1, 0, 1, 1, 22, 3, 1, 0, 1, 9];
        assert_eq!(in_one_record(&mixed), mixed);
    }
}
