//! Keys are gone when their owner is: a child process looks for them in its own memory.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::process::Command;

use srtp_sdes::{
    Agreed, CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterSalt, NegotiationConfig, Offered,
    Profile, Receiver, ReceiverKeys, RolloverAfterRekey, Seed, Sender, SenderKeys, SrtpPolicy,
    UnprotectError, answer,
};

const CHILD: &str = "SRTP_SDES_ZEROIZE_CHILD";

/// How often a pattern stands in the writable memory of this process. The pattern is inverted in our own hands.
fn occurrences(inverted: &[u8]) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let (start, end) = (u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap());
        let mut octets = vec![0; (end - start) as usize];
        if memory.seek(SeekFrom::Start(start)).is_err() || memory.read_exact(&mut octets).is_err() {
            continue;
        }
        found += octets
            .windows(inverted.len())
            .filter(|window| window.iter().zip(inverted).all(|(octet, inverted)| *octet == !inverted))
            .count();
        octets.fill(0);
    }
    found
}

/// Octets of a key, inverted so that looking for it does not find the pattern itself.
fn inverted(key: &[u8]) -> Vec<u8> {
    key.iter().map(|octet| !octet).collect()
}

/// The text of packets that are refused is nowhere.
fn refused_text() {
    for suite in CryptoSuite::ALL.into_iter().filter(|suite| suite.encrypts()) {
        let text: Vec<u8> = (0..160_u8).map(|at| at.wrapping_mul(73) ^ 0x5a).collect();
        let pattern = inverted(&text[40..72]);
        let key = MasterKey::new(&vec![0x11; suite.master_key_length()]);
        let salt = MasterSalt::new(&vec![0x22; suite.master_salt_length()]);
        let line = CryptoAttribute::new(1, suite, KeyParameter::new(key, salt));
        let mut sender = Sender::new(SenderKeys::from_attribute(&line).unwrap());
        let mut receiver = Receiver::new(ReceiverKeys::from_attribute(&line).unwrap());
        // Room enough at once: a vector that grows leaves its octets behind.
        let mut packet = Vec::with_capacity(200);
        packet.extend([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend(&text);
        packet.resize(200, 0);
        zeroize::Zeroize::zeroize(&mut { text });
        assert!(occurrences(&pattern) > 0, "the text is there before it is encrypted");
        let length = sender.protect(&mut packet, 172).unwrap();
        packet[length - 1] ^= 1;
        assert_eq!(receiver.unprotect(&mut packet[..length]), Err(UnprotectError::AuthenticationFailed));
        assert_eq!(occurrences(&pattern), 0, "{suite}: the text of a forged packet was made");
    }
}

fn child() {
    let config = NegotiationConfig::new(SrtpPolicy::Required);
    let offered = Offered::new(&config, Seed([0x37; 32]));
    let mut lines = offered.attributes();
    let answer = {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        answer(&config, Profile::Savp, &lines, Seed([0x73; 32])).unwrap()
    };
    let mut attribute = answer.attribute.unwrap();
    let agreed = offered.answer(Profile::Savp, &[&attribute]).unwrap();
    let Agreed::Protected { sender, receiver, local, remote, .. } = agreed else { panic!("clear") };
    let patterns = [inverted(local.keys[0].key.as_bytes()), inverted(remote.keys[0].key.as_bytes())];
    assert!(
        patterns.iter().all(|pattern| occurrences(pattern) > 0),
        "the keys are there while they are held"
    );

    let mut packet = [0_u8; 200];
    packet[0] = 0x80;
    let mut sender = Sender::new(sender);
    let mut receiver = Receiver::new(receiver);
    sender.protect(&mut packet, 172).unwrap();
    assert!(receiver.unprotect(&mut packet).is_err());
    packet[..8].copy_from_slice(&[0x80, 200, 0, 1, 0, 0, 0, 0]);
    sender.protect_rtcp(&mut packet, 64).unwrap();
    assert!(receiver.unprotect_rtcp(&mut packet).is_err());
    // New keys, a clone, the old keys forgotten.
    let Agreed::Protected { sender: sending, receiver: receiving, .. } = answer.agreed.clone() else {
        panic!("clear")
    };
    receiver.rekey(receiving);
    sender.rekey(sending, RolloverAfterRekey::Either);
    let moved = (sender.clone(), receiver.clone());
    receiver.forget_previous_keys();
    drop((moved, sender, receiver, local, remote, answer.agreed));
    refused_text();
    // Texts of the lines are the caller's.
    for text in lines.iter_mut().chain([&mut attribute]) {
        zeroize::Zeroize::zeroize(text);
    }
    for pattern in &patterns {
        assert_eq!(occurrences(pattern), 0, "a key stayed behind");
    }
    println!("clean");
}

#[test]
fn no_key_and_no_refused_text_stays_behind() {
    if std::env::var_os(CHILD).is_some() {
        child();
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "no_key_and_no_refused_text_stays_behind", "--nocapture", "--test-threads=1"])
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
