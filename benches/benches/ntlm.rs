//! NTLM: a login of both sides, and the signature of a text of 300 octets. `floor` of a signature is the hash's blocks with the
//! key's halves kept, and the octets of a kept key stream.
//!
//! Every row of a login begins with the password on both sides and ends with both sides ready to sign: all messages written
//! and read, the proof checked, the keys of both directions derived. Ours carries an integrity code over all messages as
//! sspi's does; gss-ntlmssp sends none unless it is asked to. sspi sets its key streams up at the login, ours does with the
//! first message of a direction: the rows with a signature each way have that in them for all. What cannot accept
//! (ntlmclient) has a row of its own: the client's response alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::turns::Turns;
use ntlm_auth::{
    Acceptor, AcceptorConfig, ClientChallenge, Credentials, DatagramSession, FileTime, Initiator,
    InitiatorConfig, Mode, NegotiateFlags, NtHash, RandomSessionKey, Response, ResponseInput, SIP_SEQUENCE,
    Sender, Session, StreamSession,
};

const NOW: FileTime = FileTime(133_000_000_000_000_000);
const PASSWORD: &str = "a password";
const KEY: [u8; 16] = [0x55; 16];
const FLAGS: NegotiateFlags = NegotiateFlags(0x6208_8235);

/// The text that is signed.
fn text() -> Vec<u8> {
    (0..300_u32).map(|at| b' ' + (at % 64) as u8).collect()
}

fn login(mode: Mode) -> (Session, Session) {
    let credentials = Credentials::new("CONTOSO", "jim", PASSWORD);
    let initiator = Initiator::new(InitiatorConfig::new(mode, credentials));
    let config = AcceptorConfig::new(mode, "FE1", "CONTOSO");
    let acceptor = Acceptor::new(config, initiator.negotiate(), [1; 8], Some(NOW)).expect("a challenge");
    let key = RandomSessionKey::new([2; 16]);
    let (answer, client) = initiator
        .challenge(NOW, acceptor.challenge(), ClientChallenge([3; 8]), &key)
        .expect("a good challenge");
    let claim = acceptor.authenticate(NOW, &answer).expect("a good answer");
    let accepted = claim.prove(Some(&NtHash::of_password(PASSWORD))).expect("the right password");
    (client, accepted.session)
}

fn logins() {
    let turns = Turns::new("NTLMv2 login, both sides")
        .each("ours", || drop(black_box(login(Mode::Stream))))
        .each("ours, without a connection", || drop(black_box(login(Mode::Datagram))));
    peers::logins(turns).finish();
}

/// A login, and a text signed and checked in each direction.
fn login_and_sign(mode: Mode, text: &[u8]) {
    match login(mode) {
        (Session::Datagram(client), Session::Datagram(server)) => {
            let signature = client.sign(SIP_SEQUENCE, text);
            server.verify(SIP_SEQUENCE, text, &signature).expect("it is right");
            let signature = server.sign(SIP_SEQUENCE, text);
            client.verify(SIP_SEQUENCE, text, &signature).expect("it is right");
        }
        (Session::Stream(mut client), Session::Stream(mut server)) => {
            let signature = client.sign(text);
            server.verify(text, &signature).expect("it is right");
            let signature = server.sign(text);
            client.verify(text, &signature).expect("it is right");
        }
        _ => unreachable!("both sides have one mode"),
    }
}

fn first_signatures() {
    let text = text();
    let turns = Turns::new("NTLMv2 login and a signature of 300 B each way, both sides")
        .each("ours", || login_and_sign(Mode::Stream, black_box(&text)))
        .each("ours, without a connection", || login_and_sign(Mode::Datagram, black_box(&text)));
    peers::first_signatures(turns, &text).finish();
}

fn responses() {
    let list = [2, 0, 2, 0, b'D', 0, 1, 0, 2, 0, b'C', 0, 0, 0, 0, 0];
    let turns = Turns::new("NTLMv2 response, client").each("ours", || {
        let key = NtHash::of_password(PASSWORD).response_key("jim", "CONTOSO");
        let input = ResponseInput {
            server_challenge: [1; 8],
            client_challenge: [3; 8],
            time: NOW,
            target_info: black_box(&list),
        };
        drop(black_box(Response::new(&key, &input)));
    });
    peers::responses(turns, &list).finish();
}

fn signatures() {
    let text = text();
    let datagram = DatagramSession::new(Sender::Client, FLAGS.with(NegotiateFlags::DATAGRAM), &KEY);
    let peer = DatagramSession::new(Sender::Server, FLAGS.with(NegotiateFlags::DATAGRAM), &KEY);
    let signature = datagram.sign(SIP_SEQUENCE, &text);
    let mut stream = StreamSession::new(Sender::Client, FLAGS, &KEY);
    let turns = Turns::new("NTLM signature of 300 B, made")
        .each("ours", || {
            black_box(datagram.sign(SIP_SEQUENCE, black_box(&text)));
        })
        .each("ours, over a connection", || {
            black_box(stream.sign(black_box(&text)));
        })
        .timed("floor: kept halves of the key, RC4", |count| floor(count, &text));
    peers::made(turns, &text).finish();
    let turns = Turns::new("NTLM signature of 300 B, checked")
        .each("ours", || {
            black_box(peer.verify(SIP_SEQUENCE, black_box(&text), &signature)).expect("it is right");
        })
        .timed("ours, over a connection", |count| checked(count, &text))
        .timed("floor: kept halves of the key, RC4", |count| floor(count, &text));
    peers::checked(turns, &text).finish();
}

/// Signatures made beforehand, checked in their order.
fn checked(count: u64, text: &[u8]) -> Duration {
    let mut sender = StreamSession::new(Sender::Client, FLAGS, &KEY);
    let mut receiver = StreamSession::new(Sender::Server, FLAGS, &KEY);
    let signatures: Vec<_> = (0..count).map(|_| sender.sign(text)).collect();
    let start = Instant::now();
    for signature in &signatures {
        receiver.verify(black_box(text), signature).expect("it is right");
    }
    start.elapsed()
}

fn floor(count: u64, text: &[u8]) -> Duration {
    use hmac::Mac;
    use rc4::{KeyInit, StreamCipher};
    let kept = hmac::Hmac::<md5::Md5>::new_from_slice(&KEY).expect("any length");
    let mut stream = rc4::Rc4::new_from_slice(&KEY).expect("a short key");
    let start = Instant::now();
    for number in 0..count {
        let mut mac = kept.clone();
        mac.update(&(number as u32).to_le_bytes());
        mac.update(black_box(text));
        let code = mac.finalize().into_bytes();
        let mut checksum = [0; 8];
        checksum.copy_from_slice(&code[..8]);
        stream.apply_keystream(&mut checksum);
        black_box(checksum);
    }
    start.elapsed()
}

#[cfg(not(feature = "ntlm-peers"))]
mod peers {
    use super::Turns;

    pub(super) fn logins(turns: Turns<'_>) -> Turns<'_> {
        turns
    }

    pub(super) fn first_signatures<'a>(turns: Turns<'a>, _: &'a [u8]) -> Turns<'a> {
        turns
    }

    pub(super) fn responses<'a>(turns: Turns<'a>, _: &'a [u8]) -> Turns<'a> {
        turns
    }

    pub(super) fn made<'a>(turns: Turns<'a>, _: &'a [u8]) -> Turns<'a> {
        turns
    }

    pub(super) fn checked<'a>(turns: Turns<'a>, _: &'a [u8]) -> Turns<'a> {
        turns
    }
}

#[cfg(feature = "ntlm-peers")]
#[path = "../peers/ntlm.rs"]
mod peers;

fn main() {
    logins();
    first_signatures();
    responses();
    signatures();
}
