//! NTLM against gss-ntlmssp: our initiator at its acceptor, its initiator at our acceptor, over a connection and without.

#[path = "support/lines.rs"]
mod lines;
#[path = "support/peer.rs"]
mod peer;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

use lines::{Lines, hex, unhex};
use ntlm_auth::{
    Accepted, Acceptor, AcceptorConfig, ChannelBinding, ClientChallenge, Credentials, DatagramSession,
    Demand, Error, FileTime, Initiator, InitiatorConfig, LmPolicy, Mic, MicPolicy, Mode, NtHash,
    RandomSessionKey, Refusal, SIP_SEQUENCE, Sender, Session,
};

const TEXT: &[u8] = b"<NTLM><0011aabb><1><SIP Communications Service><fe1.cosmo.local>";
const PASSWORD: &str = "Pa$$word";

fn now() -> FileTime {
    FileTime::from(SystemTime::now())
}

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| peer::compiled("ntlm_gss", "-lgssapi_krb5"))
}

fn gss_acceptor(test: &str, domain: &str, user: &str, password: &str) -> Lines {
    let users =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ntlm_gss.{test}.{}.users", std::process::id()));
    std::fs::write(&users, format!("{domain}:{user}:{password}\n")).expect("a file");
    Lines::start(
        Command::new(program())
            .arg("accept")
            .env("NTLM_USER_FILE", users)
            .env("NETBIOS_COMPUTER_NAME", "LYNCFE")
            .env("NETBIOS_DOMAIN_NAME", "COSMO"),
    )
}

fn gss_initiator(password: &str, options: &[&str]) -> Lines {
    Lines::start(
        Command::new(program())
            .args(["init", "COSMO", "User", password, "sip@fe1.cosmo.local"])
            .args(options),
    )
}

/// The token of a step; what went wrong otherwise.
fn step(peer: &mut Lines, token: &[u8]) -> Result<Vec<u8>, String> {
    let token = if token.is_empty() { "-".to_owned() } else { hex(token) };
    let answer = peer.ask(&format!("STEP {token}"));
    match answer.strip_prefix("TOKEN ").and_then(|rest| rest.split_once(' ')) {
        Some(("-", _)) => Ok(Vec::new()),
        Some((token, _)) => Ok(unhex(token)),
        None => Err(answer),
    }
}

fn client(mode: Mode, password: &str) -> InitiatorConfig {
    let mut config = InitiatorConfig::new(mode, Credentials::new("COSMO", "User", password));
    "RFP1".clone_into(&mut config.workstation);
    config
}

/// Our login at its acceptor.
fn log_in(config: InitiatorConfig, acceptor: &mut Lines) -> Result<Session, String> {
    let initiator = Initiator::new(config);
    let challenge = step(acceptor, initiator.negotiate().unwrap_or_default())?;
    let (answer, session) = initiator
        .challenge(now(), &challenge, ClientChallenge([0x17; 8]), &RandomSessionKey::new([0x42; 16]))
        .map_err(|error| error.to_string())?;
    step(acceptor, &answer).map(|_| session)
}

/// Its login at our acceptor.
fn let_in(initiator: &mut Lines, config: AcceptorConfig, password: &str) -> Result<Accepted, Error> {
    let first = step(initiator, &[]).expect("a first token, or none");
    let negotiate = (config.mode == Mode::Stream).then_some(first.as_slice());
    let acceptor = Acceptor::new(config, negotiate, [0x77; 8], Some(now()))?;
    let answer = step(initiator, acceptor.challenge()).expect("an answer");
    acceptor.authenticate(now(), &answer)?.prove(Some(&NtHash::of_password(password)))
}

fn word<'a>(answer: &'a str, word: &str) -> &'a str {
    answer.strip_prefix(word).unwrap_or_else(|| panic!("{word} wanted, not {answer:?}")).trim()
}

/// Signs in both directions, tampers, and compares the keys.
fn talk(ours: Session, theirs: &mut Lines) {
    assert_eq!(word(&theirs.ask("KEY"), "KEY"), hex(&ours.expose().exported_session_key));
    let text = hex(TEXT);
    match ours {
        Session::Datagram(session) => {
            for number in [SIP_SEQUENCE, 0, 7] {
                assert!(theirs.ask(&format!("SEQ {number}")).starts_with("OK"));
                let signature = session.sign(number, TEXT);
                assert_eq!(theirs.ask(&format!("VERIFY {text} {}", hex(&signature))), "GOOD", "{number}");
                assert!(theirs.ask(&format!("SEQ {number}")).starts_with("OK"));
                let mut forged = signature;
                forged[6] ^= 1;
                assert_eq!(theirs.ask(&format!("VERIFY {text} {}", hex(&forged))), "BAD");
                assert!(theirs.ask(&format!("SEQ {number}")).starts_with("OK"));
                let signature = unhex(word(&theirs.ask(&format!("SIGN {text}")), "SIG"));
                assert_eq!(session.verify(number, TEXT, &signature), Ok(()), "{number}");
                assert_eq!(session.verify(number + 1, TEXT, &signature), Err(Error::BadSignature));
            }
        }
        Session::Stream(mut session) => {
            for _ in 0..3 {
                let signature = session.sign(TEXT);
                assert_eq!(theirs.ask(&format!("VERIFY {text} {}", hex(&signature))), "GOOD");
                let signature = unhex(word(&theirs.ask(&format!("SIGN {text}")), "SIG"));
                assert_eq!(session.verify(b"other", &signature), Err(Error::BadSignature));
                assert_eq!(session.verify(TEXT, &signature), Ok(()));
            }
        }
        _ => panic!("a kind of session that this test does not know"),
    }
}

/// Confirms: NTLM: our login is accepted, signatures agree — gss-ntlmssp
#[test]
fn our_initiator_logs_in_at_its_acceptor_and_both_sign() {
    for mode in [Mode::Datagram, Mode::Stream] {
        for mic in [MicPolicy::Auto, MicPolicy::Never] {
            for lm in [LmPolicy::Zeros, LmPolicy::Nothing, LmPolicy::V2] {
                let mut acceptor = gss_acceptor("ours", "COSMO", "User", PASSWORD);
                let mut config = client(mode, PASSWORD);
                (config.mic, config.lm) = (mic, lm);
                let session = log_in(config, &mut acceptor)
                    .unwrap_or_else(|refusal| panic!("{mode:?} {mic:?} {lm:?}: {refusal}"));
                assert_eq!(acceptor.ask("NAME"), "NAME COSMO\\User");
                talk(session, &mut acceptor);
            }
        }
    }
}

/// Confirms: NTLM: its login is accepted by us, signatures agree — gss-ntlmssp
#[test]
fn its_initiator_logs_in_at_our_acceptor_and_both_sign() {
    for (mode, options, mic) in [
        (Mode::Datagram, &["datagram"][..], Mic::Absent),
        (Mode::Datagram, &["datagram", "mic"], Mic::Valid),
        (Mode::Stream, &[], Mic::Absent),
        (Mode::Stream, &["mic"], Mic::Valid),
    ] {
        let mut initiator = gss_initiator(PASSWORD, options);
        let config = AcceptorConfig::new(mode, "LYNCFE", "COSMO");
        let accepted =
            let_in(&mut initiator, config, PASSWORD).unwrap_or_else(|error| panic!("{options:?}: {error}"));
        assert_eq!((&*accepted.domain, &*accepted.user, accepted.mic), ("COSMO", "User", mic), "{options:?}");
        talk(accepted.session, &mut initiator);
    }
}

/// Confirms: NTLM: sealed texts are opened by the other side — gss-ntlmssp
#[test]
fn sealed_texts_are_opened_on_both_sides() {
    let mut initiator = gss_initiator(PASSWORD, &["mic", "conf"]);
    let config = AcceptorConfig::new(Mode::Stream, "LYNCFE", "COSMO");
    let accepted = let_in(&mut initiator, config, PASSWORD).expect("a login");
    seal(accepted.session, &mut initiator);
    let mut acceptor = gss_acceptor("seal", "COSMO", "User", PASSWORD);
    let session = log_in(client(Mode::Stream, PASSWORD), &mut acceptor).expect("a login");
    seal(session, &mut acceptor);
}

/// A sealed token is the signature and the encrypted text.
fn seal(ours: Session, theirs: &mut Lines) {
    let Session::Stream(mut session) = ours else { panic!("over a connection") };
    for round in 0..3 {
        let mut text = TEXT.to_vec();
        let signature = session.seal(&mut text);
        assert_ne!(text, TEXT);
        let opened = theirs.ask(&format!("UNSEAL {}{}", hex(&signature), hex(&text)));
        assert_eq!(word(&opened, "TEXT"), hex(TEXT), "round {round}");
        let sealed = unhex(word(&theirs.ask(&format!("SEAL {}", hex(TEXT))), "SEALED"));
        let (signature, text) = sealed.split_at(16);
        let mut forged = text.to_vec();
        forged[0] ^= 1;
        assert_eq!(session.unseal(&mut forged, signature), Err(Error::BadSignature));
        let mut text = text.to_vec();
        assert_eq!(session.unseal(&mut text, signature), Ok(()));
        assert_eq!(text, TEXT, "round {round}");
    }
}

/// Confirms: NTLM without a connection: the same key stream — gss-ntlmssp
/// MS-NLMP 3.4.4 begins the key stream anew for each message, and 3.4.3 encrypts the text first and then the checksum. gss-ntlmssp
/// begins it anew only for the checksum: its text gets what the message before has left over. So it cannot open what we seal,
/// but where its text lies in the stream is known, and there each octet is ours.
#[test]
fn the_key_stream_of_sealing_without_a_connection_is_the_same_on_both_sides() {
    let mut initiator = gss_initiator(PASSWORD, &["datagram", "mic", "conf"]);
    let config = AcceptorConfig::new(Mode::Datagram, "LYNCFE", "COSMO");
    let accepted = let_in(&mut initiator, config, PASSWORD).expect("a login");
    let key = accepted.session.expose().exported_session_key;
    let Session::Datagram(server) = accepted.session else { panic!("without a connection") };
    let ours = DatagramSession::new(Sender::Client, accepted.flags, &key);
    let peers = DatagramSession::new(Sender::Server, accepted.flags, &key);
    for number in [SIP_SEQUENCE, 0, 7] {
        // Eight octets go into the checksum of a signature, and the rest into the text sealed next.
        assert!(initiator.ask(&format!("SEQ {number}")).starts_with("OK"));
        let signature = unhex(word(&initiator.ask(&format!("SIGN {}", hex(b"before"))), "SIG"));
        assert_eq!(server.verify(number, b"before", &signature), Ok(()));
        assert!(initiator.ask(&format!("SEQ {number}")).starts_with("OK"));
        let sealed = unhex(word(&initiator.ask(&format!("SEAL {}", hex(TEXT))), "SEALED"));
        let (signature, sealed) = sealed.split_at(16);
        assert_eq!(server.verify(number, TEXT, signature), Ok(()), "the checksum has the first octets");
        let mut stream = vec![0; 8 + TEXT.len()];
        let _ = ours.seal(number, &mut stream);
        let opened: Vec<u8> = sealed.iter().zip(&stream[8..]).map(|(octet, key)| octet ^ key).collect();
        assert_eq!(opened, TEXT, "number {number}");

        // The other direction: it opens a text that our stream has sealed where it looks for it.
        let signature = peers.sign(number, b"before");
        assert!(initiator.ask(&format!("SEQ {number}")).starts_with("OK"));
        let verify = format!("VERIFY {} {}", hex(b"before"), hex(&signature));
        assert_eq!(initiator.ask(&verify), "GOOD");
        let mut stream = vec![0; 8 + TEXT.len()];
        let _ = peers.seal(number, &mut stream);
        let sealed: Vec<u8> = TEXT.iter().zip(&stream[8..]).map(|(octet, key)| octet ^ key).collect();
        assert!(initiator.ask(&format!("SEQ {number}")).starts_with("OK"));
        let opened = initiator.ask(&format!("UNSEAL {}{}", hex(&peers.sign(number, TEXT)), hex(&sealed)));
        assert_eq!(word(&opened, "TEXT"), hex(TEXT), "number {number}");
    }
}

/// Confirms: NTLM: wrong passwords are refused by either side — gss-ntlmssp
#[test]
fn wrong_passwords_are_refused_on_both_sides() {
    for (mode, options) in [(Mode::Datagram, &["datagram", "mic"][..]), (Mode::Stream, &["mic"])] {
        let mut acceptor = gss_acceptor("wrong", "COSMO", "User", PASSWORD);
        assert!(log_in(client(mode, "password"), &mut acceptor).is_err(), "{mode:?}");
        let mut initiator = gss_initiator("password", options);
        let config = AcceptorConfig::new(mode, "LYNCFE", "COSMO");
        let refused = let_in(&mut initiator, config, PASSWORD).map(|_| ());
        assert_eq!(refused, Err(Error::Refused(Refusal::LoginFailed)), "{mode:?}");
    }
}

/// Confirms: NTLM: integrity code and channel binding are demanded of it — gss-ntlmssp
#[test]
fn its_initiator_is_refused_where_an_integrity_code_or_a_channel_is_demanded() {
    let mut config = AcceptorConfig::new(Mode::Datagram, "LYNCFE", "COSMO");
    config.mic = Demand::Required;
    let refused = let_in(&mut gss_initiator(PASSWORD, &["datagram"]), config.clone(), PASSWORD).map(|_| ());
    assert_eq!(refused, Err(Error::Refused(Refusal::NoMic)));
    assert!(let_in(&mut gss_initiator(PASSWORD, &["datagram", "mic"]), config.clone(), PASSWORD).is_ok());
    config.channel_binding = Some(ChannelBinding([9; 16]));
    config.binding = Demand::Required;
    let refused = let_in(&mut gss_initiator(PASSWORD, &["datagram", "mic"]), config, PASSWORD).map(|_| ());
    assert_eq!(refused, Err(Error::Refused(Refusal::ChannelBinding)));
}

/// Confirms: NTLM: names and passwords of many scripts agree — gss-ntlmssp
#[test]
fn names_and_passwords_of_many_kinds_agree() {
    let mut random = peer::Random::new(8);
    for round in 0..12 {
        let word = |random: &mut peer::Random, letters: &[char], least: usize| {
            let length = least + random.below(12);
            (0..length).map(|_| letters[random.below(letters.len())]).collect::<String>()
        };
        let plain: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
        let wide: Vec<char> =
            plain.iter().copied().chain("äöüÄÖßéñ¿€жщλ漢字😀$%&/()=?! '\"".chars()).collect();
        let domain = word(&mut random, &plain, 1).to_uppercase();
        let (user, password) = (word(&mut random, &plain, 1), word(&mut random, &wide, 1));
        let mut acceptor = gss_acceptor("many", &domain, &user, &password);
        let config = InitiatorConfig::new(Mode::Datagram, Credentials::new(&*domain, &*user, &password));
        let session = log_in(config, &mut acceptor)
            .unwrap_or_else(|refusal| panic!("round {round}: {domain}\\{user} {password:?}: {refusal}"));
        talk(session, &mut acceptor);
    }
}
