//! Passwords and keys are gone when their owner is: a child process looks for them in its own memory.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Command;

use ntlm_auth::{
    Acceptor, AcceptorConfig, ClientChallenge, Credentials, FileTime, Initiator, InitiatorConfig, Mode,
    NtHash, RandomSessionKey, SIP_SEQUENCE, Session,
};
use zeroize::Zeroize as _;

const CHILD: &str = "NTLM_AUTH_ZEROIZE_CHILD";
const NOW: FileTime = FileTime(133_000_000_000_000_000);

/// How often each pattern stands in the writable memory of this process. The patterns are inverted in our own hands.
fn occurrences(patterns: &[(&'static str, Vec<u8>)]) -> Vec<(&'static str, usize)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut counts: Vec<_> = patterns.iter().map(|(name, _)| (*name, 0)).collect();
    let mut begins = [false; 256];
    for (_, pattern) in patterns {
        begins[usize::from(!pattern[0])] = true;
    }
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut octets = vec![0; (end - start) as usize];
        if memory.seek(SeekFrom::Start(start)).is_err() || memory.read_exact(&mut octets).is_err() {
            continue;
        }
        for at in 0..octets.len() {
            if !begins[usize::from(octets[at])] {
                continue;
            }
            for ((_, pattern), (_, count)) in patterns.iter().zip(&mut counts) {
                let here = &octets[at..];
                let alike =
                    here.len() >= pattern.len() && pattern.iter().zip(here).all(|(p, octet)| *octet == !p);
                *count += usize::from(alike);
            }
        }
        octets.fill(0);
    }
    counts
}

/// Octets inverted, so that looking for them does not find the pattern itself.
fn inverted(octets: &[u8]) -> Vec<u8> {
    octets.iter().map(|octet| !octet).collect()
}

/// What to look for, by name.
type Patterns = Vec<(&'static str, Vec<u8>)>;

/// A password that nobody else has in memory, made where it is used.
fn password() -> String {
    let letters = [0x6e, 0x7f, 0x61, 0x77, 0x60, 0x78, 0x63, 0x7b, 0x67, 0x75, 0x7a, 0x66];
    letters.iter().map(|letter| char::from(letter ^ 0x13_u8)).collect()
}

/// A login of both sides and some signatures; everything is dropped in the end but what to look for.
#[inline(never)]
fn log_in(mode: Mode) -> Patterns {
    let mut password = password();
    let mut patterns = Patterns::new();
    let mut wide: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    patterns.push(("password", inverted(&wide)));
    wide.zeroize();
    {
        let credentials = Credentials::new("CONTOSO", "jim", &password);
        patterns.push(("NT hash", inverted(credentials.hash.expose())));
        let response_key = credentials.hash.response_key("jim", "CONTOSO");
        patterns.push(("response key", inverted(response_key.expose())));
        drop(response_key);
        assert!(occurrences(&patterns)[1].1 > 0, "the hash is there while it is held");

        let initiator = Initiator::new(InitiatorConfig::new(mode, credentials));
        let config = AcceptorConfig::new(mode, "FE1", "CONTOSO");
        let acceptor =
            Acceptor::new(config, initiator.negotiate().as_deref(), [1; 8], Some(NOW)).expect("a challenge");
        let mut random = [0; 16];
        random.iter_mut().enumerate().for_each(|(at, octet)| *octet = (at as u8).wrapping_mul(37) ^ 0xa9);
        let key = RandomSessionKey::new(random);
        random.zeroize();
        let (answer, client) = initiator
            .challenge(NOW, acceptor.challenge(), ClientChallenge([3; 8]), &key)
            .expect("a good challenge");
        let claim = acceptor.authenticate(NOW, &answer).expect("a good answer");
        let accepted = claim.prove(Some(&NtHash::of_password(&password))).expect("the right password");
        {
            let keys = client.expose();
            for (name, key) in [
                ("session key", &keys.exported_session_key),
                ("client's signing key", &keys.client_sign_key),
                ("client's sealing key", &keys.client_seal_key),
                ("server's signing key", &keys.server_sign_key),
                ("server's sealing key", &keys.server_seal_key),
            ] {
                patterns.push((name, inverted(key)));
            }
        }
        assert!(
            occurrences(&patterns[3..]).iter().all(|(_, count)| *count > 0),
            "the keys are there while they are held"
        );
        match (client, accepted.session) {
            (Session::Datagram(client), Session::Datagram(server)) => {
                let signature = client.sign(SIP_SEQUENCE, b"text");
                server.verify(SIP_SEQUENCE, b"text", &signature).expect("it is right");
            }
            (Session::Stream(mut client), Session::Stream(mut server)) => {
                let signature = client.sign(b"text");
                server.verify(b"text", &signature).expect("it is right");
            }
            other => panic!("{other:?}"),
        }
    }
    password.zeroize();
    patterns
}

fn child() {
    for mode in [Mode::Datagram, Mode::Stream] {
        let patterns = log_in(mode);
        let left: Vec<_> = occurrences(&patterns).into_iter().filter(|(_, count)| *count > 0).collect();
        assert!(left.is_empty(), "{mode:?}: {left:?} stayed behind");
    }
    println!("clean");
}

#[test]
fn no_password_and_no_key_stays_behind() {
    if std::env::var_os(CHILD).is_some() {
        child();
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "no_password_and_no_key_stays_behind", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && text.contains("clean"),
        "{text} {}",
        String::from_utf8_lossy(&child.stderr)
    );
}
