//! A recorded login of pidgin-sipe, message by message: our acceptor takes its proof with the known password, every signature
//! of the client verifies in a security association, and every one of the test server is what ours would have been.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use ntlm_auth::{
    Acceptor, AcceptorConfig, AssociationName, Challenge, DatagramSession, Error, FileTime, Mic, Mode,
    NtHash, ProtocolVersion, SecurityAssociation, Sender, Session, Verification,
};
use sip_lync::headers::{AuthenticationInfo, Credentials};
use sip_lync::{HeaderName, Limits, LineEnds, Message, SignatureFields, SignatureVersion, signature_text};

/// Of `traces/sipe-login/README.md`.
const PASSWORD: &str = "Passw0rd";
const REALM: &str = "SIP Communications Service";
const SERVER: &str = "fe.lab.test";

/// Who sent a message, and the message.
fn recorded() -> Vec<(String, Sender, Message)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces/sipe-login");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the traces")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "txt"))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let bytes = Bytes::from(fs::read(folder.join(&name)).expect("a trace"));
            let message = Message::parse_with(bytes, LineEnds::Lenient, &Limits::DEFAULT).expect("a message");
            let sender = if name.contains("-rx-") { Sender::Client } else { Sender::Server };
            (name, sender, message)
        })
        .collect()
}

fn base64(text: &str) -> Vec<u8> {
    let value = |octet| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".iter().position(|d| *d == octet)
    };
    let digits: Vec<usize> = text.bytes().filter_map(value).collect();
    let octets = digits.chunks(4).flat_map(|group| {
        let word = (0..4).fold(0, |word, at| word << 6 | group.get(at).copied().unwrap_or(0));
        [(word >> 16) as u8, (word >> 8) as u8, word as u8].into_iter().take(group.len() * 6 / 8)
    });
    octets.collect()
}

/// The random value, the number and the signature of a message.
struct Signed {
    random: String,
    number: u32,
    signature: String,
}

fn signed(sender: Sender, message: &Message) -> Option<Signed> {
    let headers = message.headers();
    let parameters = match sender {
        Sender::Client => {
            let header =
                headers.get(&HeaderName::Authorization).or(headers.get(&HeaderName::ProxyAuthorization))?;
            Credentials::parse(header).expect("credentials").parameters
        }
        Sender::Server => {
            let header = headers.get(&HeaderName::AuthenticationInfo)?;
            AuthenticationInfo::parse(header).expect("information").parameters
        }
    };
    let names = match sender {
        Sender::Client => ["crand", "cnum", "response"],
        Sender::Server => ["srand", "snum", "rspauth"],
    };
    let [random, number, signature] = names.map(|name| parameters.get(name).map(Cow::into_owned));
    Some(Signed { random: random?, number: number?.parse().ok()?, signature: signature? })
}

fn gssapi_data(message: &Message, header: &HeaderName) -> Option<Vec<u8>> {
    let text = message.headers().get(header)?;
    let data = Credentials::parse(text).ok()?.gssapi_data()?.into_owned();
    (!data.is_empty()).then(|| base64(&data))
}

/// Confirms: every signature of a recorded Lync login verifies, and ours would have been the same — SIPE 1.25 (recorded)
#[test]
fn a_recorded_login_of_sipe_is_verified_message_by_message() {
    let messages = recorded();
    assert_eq!(messages.len(), 36, "the whole recording");
    let challenge = messages
        .iter()
        .find_map(|(_, _, message)| gssapi_data(message, &HeaderName::WwwAuthenticate))
        .expect("a challenge");
    let authenticate = messages
        .iter()
        .find_map(|(_, _, message)| gssapi_data(message, &HeaderName::Authorization))
        .expect("an answer");
    // The clock of the recording is in the challenge.
    let info = Challenge::parse(&challenge).expect("a challenge").target_info.expect("attributes");
    let then = FileTime(info.timestamp().expect("a time"));
    let acceptor = Acceptor::with_challenge(AcceptorConfig::new(Mode::Datagram, "", ""), &[], &challenge)
        .expect("a challenge");
    let claim = acceptor.authenticate(then, &authenticate).expect("a good answer");
    assert_eq!((claim.domain(), claim.user()), ("LAB", "alice"));
    let wrong = claim.clone().prove(Some(&NtHash::of_password("passw0rd")));
    assert!(matches!(wrong, Err(Error::Refused(ntlm_auth::Refusal::LoginFailed))));
    let accepted = claim.prove(Some(&NtHash::of_password(PASSWORD))).expect("the known password");
    assert_eq!((accepted.mic, accepted.flags.0), (Mic::Absent, 0x6298_8255));
    let keys = accepted.session.expose();
    let Session::Datagram(session) = accepted.session else { panic!("without a connection") };

    let name = AssociationName {
        realm: REALM.to_owned(),
        target_name: SERVER.to_owned(),
        opaque: "870D26B8".to_owned(),
        version: ProtocolVersion::V4,
    };
    let now = Instant::now();
    // One association for what the client sent, one for what it received.
    let client = DatagramSession::new(Sender::Client, accepted.flags, &keys.exported_session_key);
    let mut at_server = SecurityAssociation::new(now, name.clone(), session, None);
    let mut at_client = SecurityAssociation::new(now, name, client, None);
    let mut counts = [0, 0];
    for (file, sender, message) in &messages {
        let Some(Signed { random, number, signature }) = signed(*sender, message) else { continue };
        let fields = SignatureFields {
            version: SignatureVersion::Four,
            scheme: "NTLM",
            random: &random,
            number,
            realm: REALM,
            target_name: SERVER,
        };
        let text = signature_text(message, &fields).expect("a text to sign");
        let (receiver, signer, count) = match sender {
            Sender::Client => (&mut at_server, &at_client, &mut counts[0]),
            Sender::Server => (&mut at_client, &at_server, &mut counts[1]),
        };
        let made = signer.sign(text.as_bytes()).expect("it lasts").signed().expect("the keys are here");
        assert_eq!(made.as_str(), signature.to_lowercase(), "{file}");
        let forged = text.replacen("lab.test", "lab.tesu", 1);
        let verdict = receiver.verify(now, number, forged.as_bytes(), &signature);
        assert_eq!(verdict, Err(Error::BadSignature), "{file}: another text");
        let verdict = receiver.verify(now, number, text.as_bytes(), &signature);
        assert_eq!(verdict, Ok(Verification::Genuine), "{file}");
        let verdict = receiver.verify(now, number, text.as_bytes(), &signature);
        assert_eq!(verdict, Err(Error::Replayed), "{file}: once more");
        *count += 1;
        assert_eq!(number, *count, "{file}: numbers count from one");
    }
    assert_eq!(
        counts,
        [14, 16],
        "the client signs every message after its proof, the server every one as of its 200"
    );
}
