//! Kerberos through the open seam: tokens and texts go to a GSSAPI program (MIT Kerberos with a key distribution centre of its
//! own) and back; the association counts, keeps out replays and knows when it ends.

#[path = "support/lines.rs"]
mod lines;
#[expect(dead_code, reason = "numbers are not drawn here")]
#[path = "support/peer.rs"]
mod peer;

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lines::{Lines, hex, unhex};
use ntlm_auth::{
    AssociationName, Completeness, Error, ProtocolVersion, SecurityAssociation, SignatureText, Signing,
    TokenLogin, TokenState, Verification, kerberos_service,
};

const TEXT: &[u8] = b"<Kerberos><0a0b0c0d><1><SIP Communications Service><sip/localhost>";

/// A key distribution centre; it ends with its input, which we hold.
struct Centre {
    script: Child,
    directory: PathBuf,
}

impl Centre {
    fn start() -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("krb5-kdc.{}", std::process::id()));
        let port =
            UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut script = Command::new("sh")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/krb5-kdc.sh"))
            .arg(&directory)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        BufReader::new(script.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line.trim(), "ready", "the centre does not start; its log is in {}", directory.display());
        Self { script, directory }
    }

    fn program(&self, program: &Path, words: &[&str]) -> Lines {
        Lines::start(
            Command::new(program)
                .args(words)
                .env("KRB5_CONFIG", self.directory.join("krb5.conf"))
                .env("KRB5_CLIENT_KTNAME", self.directory.join("client.keytab"))
                .env("KRB5_KTNAME", self.directory.join("server.keytab"))
                .env("KRB5RCACHENAME", "none:"),
        )
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Gives the library what the login wants it to have.
fn turn((login, library): &mut (TokenLogin, Lines)) {
    let Some(token) = login.poll_token() else { return };
    let token = if token.is_empty() { "-".to_owned() } else { hex(&token) };
    let answer = library.ask(&format!("STEP {token}"));
    let Some((token, state)) = answer.strip_prefix("TOKEN ").and_then(|rest| rest.split_once(' ')) else {
        login.refused();
        return;
    };
    let token = if token == "-" { Vec::new() } else { unhex(token) };
    let completeness =
        if state == "complete" { Completeness::Complete } else { Completeness::ContinueNeeded };
    login.made(token, completeness).expect("a short token");
}

/// A whole login; the tokens that were sent.
fn log_in(client: &mut (TokenLogin, Lines), server: &mut (TokenLogin, Lines)) -> usize {
    let mut tokens = 0;
    loop {
        turn(client);
        let to_server = client.0.poll_transmit();
        if let Some(token) = &to_server {
            server.0.handle_input(token).expect("it waits");
            turn(server);
            tokens += 1;
        }
        let to_client = server.0.poll_transmit();
        if let Some(token) = &to_client {
            client.0.handle_input(token).expect("it waits");
            tokens += 1;
        }
        if to_server.is_none() && to_client.is_none() {
            return tokens;
        }
    }
}

fn association(login: &TokenLogin, now: Instant) -> SecurityAssociation {
    let name = AssociationName {
        realm: "SIP Communications Service".to_owned(),
        target_name: kerberos_service("localhost"),
        opaque: "1D2C3B4A".to_owned(),
        version: ProtocolVersion::V4,
    };
    // A ticket of ten hours ends after the association.
    let ticket = Some(Duration::from_hours(10));
    SecurityAssociation::new(now, name, login.mechanism().expect("it is complete"), ticket)
}

fn sign(association: &SecurityAssociation, library: &mut Lines, text: &[u8]) -> SignatureText {
    assert_eq!(association.sign(text), Ok(Signing::Token));
    let answer = library.ask(&format!("SIGN {}", hex(text)));
    SignatureText::new(&unhex(answer.strip_prefix("SIG ").expect("a signature"))).expect("it is short")
}

/// What the receiver makes of a message.
fn receive(
    association: &mut SecurityAssociation,
    library: &mut Lines,
    (now, number): (Instant, u32),
    text: &[u8],
    signature: &str,
) -> Result<(), Error> {
    match association.verify(now, number, text, signature)? {
        Verification::Genuine => panic!("the keys are in the library"),
        Verification::Token(unverified) => {
            let answer = library.ask(&format!("VERIFY {} {}", hex(text), hex(unverified.token())));
            if answer != "GOOD" {
                return Err(Error::BadSignature);
            }
            assert_eq!(association.admit(&unverified)?, Verification::Genuine);
            Ok(())
        }
    }
}

/// Confirms: a Kerberos association through the open seam signs and checks — MIT Kerberos
#[test]
fn a_gssapi_program_logs_in_and_signs_through_the_association() {
    let centre = Centre::start();
    let program = peer::compiled("ntlm_krb5", "-lgssapi_krb5");
    let mut client = (TokenLogin::initiator(), centre.program(&program, &["init", "sip@localhost"]));
    let mut server = (TokenLogin::acceptor(), centre.program(&program, &["accept"]));
    let tokens = log_in(&mut client, &mut server);
    assert_eq!((client.0.state(), server.0.state()), (TokenState::Complete, TokenState::Complete));
    assert_eq!(tokens, 1, "AP-REQ and nothing else, as SIP has it");
    let ((client, mut initiator), (server, mut acceptor)) = (client, server);

    let now = Instant::now();
    let (mut client, mut server) = (association(&client, now), association(&server, now));
    assert_eq!(client.scheme(), Some("Kerberos"));
    for number in 1..=3 {
        let stamp = client.stamp([1, 2, 3, number as u8]).expect("it lasts");
        assert_eq!(stamp.number, number);
        let signature = sign(&client, &mut initiator, TEXT);
        assert_eq!(&signature[..4], "0404", "a token of RFC 4121");
        let received = (now, stamp.number);
        let forged = receive(&mut server, &mut acceptor, received, b"<another text>", &signature);
        assert_eq!(forged, Err(Error::BadSignature));
        assert_eq!(receive(&mut server, &mut acceptor, received, TEXT, &signature), Ok(()));
        assert_eq!(receive(&mut server, &mut acceptor, received, TEXT, &signature), Err(Error::Replayed));
        let signature = sign(&server, &mut acceptor, TEXT);
        assert_eq!(receive(&mut client, &mut initiator, received, TEXT, &signature), Ok(()));
    }
    let signature = sign(&client, &mut initiator, TEXT);
    let late = server.expires();
    let expired = receive(&mut server, &mut acceptor, (late, 9), TEXT, &signature);
    assert_eq!((expired, late), (Err(Error::Expired), now + Duration::from_hours(8)));
}

/// Confirms: forged Kerberos tokens end the login — MIT Kerberos
#[test]
fn tokens_that_are_forged_end_the_login() {
    let centre = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = peer::compiled("ntlm_krb5", "-lgssapi_krb5");
    // Without keys at hand no token can be good.
    let acceptor = Lines::start(
        Command::new(program)
            .arg("accept")
            .env("KRB5_KTNAME", centre.join("no.keytab"))
            .env("KRB5_CONFIG", "/dev/null"),
    );
    let mut server = (TokenLogin::acceptor(), acceptor);
    server.0.handle_input(b"no token at all").expect("it waits");
    turn(&mut server);
    let (mut server, _) = server;
    assert_eq!(server.state(), TokenState::Failed);
    assert!(server.mechanism().is_none() && server.poll_transmit().is_none());
}
