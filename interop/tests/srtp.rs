//! SRTP against libsrtp2: the same packets octet by octet, and the same verdict on every packet that arrives, lost, late, twice or forged.

#[path = "support/peer.rs"]
mod peer;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use peer::{Random, compiled};
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterKeyIdentifier, MasterSalt, Receiver,
    ReceiverKeys, Sender, SenderConfig, SenderKeys, UnprotectError,
};

/// What Debian's libsrtp2 can do and does right: not AES-192, not f8.
const SUITES: [CryptoSuite; 7] = [
    CryptoSuite::AesCm128HmacSha1_80,
    CryptoSuite::AesCm128HmacSha1_32,
    CryptoSuite::AesCm256HmacSha1_80,
    CryptoSuite::AesCm256HmacSha1_32,
    CryptoSuite::AeadAes128Gcm,
    CryptoSuite::AeadAes256Gcm,
    CryptoSuite::NullHmacSha1_80,
];

const PACKETS: usize = 100_000;

#[derive(Clone, PartialEq, Eq)]
struct Packet {
    rtcp: bool,
    octets: Vec<u8>,
}

fn hex(octets: &[u8]) -> String {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .filter_map(|d| char::from_digit(d.into(), 16))
        .collect()
}

fn octets(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| (random.next() >> 32) as u8).collect()
}

/// Sends packets through libsrtp2; what came out of each, or its status.
fn libsrtp(direction: &str, line: &CryptoAttribute, packets: &[Packet]) -> Vec<Result<Vec<u8>, u8>> {
    let key = &line.keys[0];
    let keys = hex(&[key.key.as_bytes(), key.salt.as_bytes()].concat());
    let mki = key.mki.as_ref().map_or_else(|| "-".into(), |mki| hex(mki.as_bytes()));
    let mut child = Command::new(compiled("srtp_libsrtp", "-lsrtp2"))
        .args([direction, line.suite.token(), &keys, &mki])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("srtp_libsrtp runs");
    let mut input = Vec::new();
    for packet in packets {
        input.push(u8::from(packet.rtcp));
        input.extend((packet.octets.len() as u16).to_be_bytes());
        input.extend(&packet.octets);
    }
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut output).expect("its output");
    writer.join().expect("no panic").expect("it reads all");
    assert!(child.wait().expect("its end").success());

    let mut results = Vec::new();
    let mut rest = &output[..];
    while let [status, high, low, behind @ ..] = rest {
        let (octets, behind) = behind.split_at(usize::from(*high) << 8 | usize::from(*low));
        results.push(if *status == 0 { Ok(octets.to_vec()) } else { Err(*status) });
        rest = behind;
    }
    assert_eq!(results.len(), packets.len());
    results
}

fn line(suite: CryptoSuite, mki: Option<&[u8]>, random: &mut Random) -> CryptoAttribute {
    let mut key = KeyParameter::new(
        MasterKey::new(&octets(random, suite.master_key_length())),
        MasterSalt::new(&octets(random, suite.master_salt_length())),
    );
    key.mki = mki.and_then(MasterKeyIdentifier::new);
    CryptoAttribute::new(1, suite, key)
}

/// Packets of three sources that start anywhere and skip now and then, so that each wraps several times.
fn packets(count: usize, reports: bool, random: &mut Random) -> Vec<Packet> {
    let mut next: [u16; 3] = [random.below(0x8000) as u16, 0x7ff0, 0];
    (0..count)
        .map(|_| {
            let source = random.below(3);
            if reports && random.below(20) == 0 {
                let words = random.below(20);
                let mut report = vec![0x80, 200, 0, words as u8 + 1, 0, 0, 0, source as u8];
                report.extend(octets(random, 4 * words));
                return Packet { rtcp: true, octets: report };
            }
            let skip = if random.below(50) == 0 { random.below(2000) } else { 0 };
            next[source] = next[source].wrapping_add(1 + skip as u16);
            let csrc = if random.below(8) == 0 { random.below(16) } else { 0 };
            let extension = random.below(8) == 0;
            let mut packet =
                vec![0x80 | csrc as u8 | if extension { 0x10 } else { 0 }, random.below(256) as u8];
            packet.extend(next[source].to_be_bytes());
            packet.extend(octets(random, 4));
            packet.extend([0, 0, 0, source as u8]);
            packet.extend(octets(random, 4 * csrc));
            if extension {
                let words = random.below(5);
                packet.extend([0xbe, 0xde, 0, words as u8]);
                packet.extend(octets(random, 4 * words));
            }
            let payload = if random.below(100) == 0 { random.below(1400) } else { random.below(200) };
            packet.extend(octets(random, payload));
            Packet { rtcp: false, octets: packet }
        })
        .collect()
}

fn protected(line: &CryptoAttribute, packets: &[Packet]) -> Vec<Result<Vec<u8>, u8>> {
    let mut config = SenderConfig::default();
    // libsrtp's first RTCP packet has index 1.
    config.initial_rtcp_index = 1;
    let mut sender = Sender::with_config(SenderKeys::from_attribute(line).expect("keys"), config);
    packets
        .iter()
        .map(|packet| {
            let mut buffer = packet.octets.clone();
            buffer.resize(packet.octets.len() + sender.overhead(), 0);
            let length = if packet.rtcp {
                sender.protect_rtcp(&mut buffer, packet.octets.len())
            } else {
                sender.protect(&mut buffer, packet.octets.len())
            };
            buffer.truncate(length.map_err(|_| 1)?);
            Ok(buffer)
        })
        .collect()
}

/// libsrtp's number for what we say.
fn status(error: UnprotectError) -> u8 {
    match error {
        UnprotectError::AuthenticationFailed => 7,
        UnprotectError::Replayed => 9,
        UnprotectError::TooOld => 10,
        UnprotectError::UnknownMki => 25,
        _ => 2,
    }
}

/// Loses, turns round, repeats and forges.
fn disturbed(packets: &[Packet], random: &mut Random) -> Vec<Packet> {
    let mut arriving: Vec<Packet> = Vec::new();
    for packet in packets {
        match random.below(20) {
            0 => {}
            1 => arriving.extend([packet.clone(), packet.clone()]),
            2 => {
                let mut forged = packet.clone();
                let at = random.below(forged.octets.len());
                // The first octet changes the length of the header: both sides refuse that, each in its own words.
                forged.octets[at.max(1)] ^= 1 << random.below(8);
                arriving.extend([forged, packet.clone()]);
            }
            3 => {
                let back = random.below(150).min(arriving.len());
                arriving.insert(arriving.len() - back, packet.clone());
            }
            _ => arriving.push(packet.clone()),
        }
    }
    arriving
}

fn unprotected(line: &CryptoAttribute, packets: &[Packet]) -> Vec<Result<Vec<u8>, u8>> {
    let mut receiver = Receiver::new(ReceiverKeys::from_attribute(line).expect("keys"));
    packets
        .iter()
        .map(|packet| {
            let mut buffer = packet.octets.clone();
            let length = if packet.rtcp {
                receiver.unprotect_rtcp(&mut buffer)
            } else {
                receiver.unprotect(&mut buffer)
            };
            buffer.truncate(length.map_err(status)?);
            Ok(buffer)
        })
        .collect()
}

fn assert_alike(what: &str, ours: &[Result<Vec<u8>, u8>], theirs: &[Result<Vec<u8>, u8>]) {
    for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        // Two words for the same thing: which of its checks libsrtp makes first depends on the mode.
        let refused = ours.is_err() && theirs.is_err();
        assert!(ours == theirs || refused, "{what}, packet {at}: ours {ours:?}, theirs {theirs:?}");
    }
    let accepted = ours.iter().filter(|result| result.is_ok()).count();
    assert!(accepted * 10 > ours.len() * 7, "{what}: {accepted} of {}", ours.len());
    let same_words = ours.iter().zip(theirs).filter(|(a, b)| a == b).count();
    assert!(same_words * 100 > ours.len() * 98, "{what}: {same_words} of {}", ours.len());
}

fn compare(suite: CryptoSuite, mki: Option<&[u8]>, count: usize) {
    let mut random = Random::new(suite as u64 + 1);
    let line = line(suite, mki, &mut random);
    // libsrtp 2.5 looks for the MKI of RTCP before a tag of RTP's length, and so misses it with the short tag.
    let reports = mki.is_none() || suite.rtp_tag_length() == suite.rtcp_tag_length();
    let packets = packets(count, reports, &mut random);
    let ours = protected(&line, &packets);
    assert_alike(&format!("{suite} protect"), &ours, &libsrtp("protect", &line, &packets));

    let sent: Vec<Packet> = ours
        .into_iter()
        .zip(&packets)
        .filter_map(|(octets, packet)| Some(Packet { rtcp: packet.rtcp, octets: octets.ok()? }))
        .collect();
    let arriving = disturbed(&sent, &mut random);
    let theirs = libsrtp("unprotect", &line, &arriving);
    assert_alike(&format!("{suite} unprotect"), &unprotected(&line, &arriving), &theirs);
}

/// Confirms: SRTP and SRTCP of every suite, octet by octet, and the same verdict on every packet — libsrtp 2.5
#[test]
fn every_suite_agrees_with_libsrtp() {
    for suite in SUITES {
        compare(suite, None, PACKETS);
    }
}

/// Confirms: master key identifiers on the wire — libsrtp 2.5
#[test]
fn identifiers_agree_with_libsrtp() {
    for suite in SUITES {
        for mki in [&[1][..], &[0, 0, 1, 2], &[7; 128]] {
            compare(suite, Some(mki), 5_000);
        }
    }
}
