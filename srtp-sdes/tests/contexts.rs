//! Sender and receiver over many packets: roll-over, replay, forgery, keys, limits. Each test names the rule; the numbers
//! refer to `docs/requirements.md`.

use proptest::prelude::*;
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyLife, KeyParameter, MasterKey, MasterKeyIdentifier, MasterSalt,
    ProtectError, Receiver, ReceiverConfig, ReceiverKeys, RolloverAfterRekey, Sender, SenderConfig,
    SenderKeys, UnprotectError,
};

const AES: CryptoSuite = CryptoSuite::AesCm128HmacSha1_80;
const GCM: CryptoSuite = CryptoSuite::AeadAes128Gcm;

fn line(suite: CryptoSuite, behind: &str) -> CryptoAttribute {
    let key = KeyParameter::new(
        MasterKey::new(&vec![0x5a; suite.master_key_length()]),
        MasterSalt::new(&vec![0xa5; suite.master_salt_length()]),
    );
    CryptoAttribute::parse(&format!("{}{behind}", CryptoAttribute::new(1, suite, key))).unwrap()
}

fn sender(line: &CryptoAttribute) -> Sender {
    Sender::new(SenderKeys::from_attribute(line).unwrap())
}

fn receiver(line: &CryptoAttribute) -> Receiver {
    Receiver::new(ReceiverKeys::from_attribute(line).unwrap())
}

fn pair(suite: CryptoSuite) -> (Sender, Receiver) {
    let line = line(suite, "");
    (sender(&line), receiver(&line))
}

fn rtp(ssrc: u32, sequence: u16, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend((u32::from(sequence) * 160).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..payload).map(|i| i as u8 ^ sequence as u8));
    packet
}

fn rtcp(ssrc: u32, words: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, words as u8 + 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend(vec![7; 4 * words]);
    packet
}

fn protect(sender: &mut Sender, packet: &[u8]) -> Result<Vec<u8>, ProtectError> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + sender.overhead(), 0);
    let length = sender.protect(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

fn protect_rtcp(sender: &mut Sender, packet: &[u8]) -> Result<Vec<u8>, ProtectError> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + sender.overhead(), 0);
    let length = sender.protect_rtcp(&mut buffer, packet.len())?;
    buffer.truncate(length);
    Ok(buffer)
}

fn unprotect(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut buffer = packet.to_vec();
    let length = receiver.unprotect(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

fn unprotect_rtcp(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, UnprotectError> {
    let mut buffer = packet.to_vec();
    let length = receiver.unprotect_rtcp(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

/// Protected packets of one source, in order.
fn stream(sender: &mut Sender, ssrc: u32, sequences: &[u16]) -> Vec<Vec<u8>> {
    sequences.iter().map(|sequence| protect(sender, &rtp(ssrc, *sequence, 20)).unwrap()).collect()
}

#[test]
fn s1_a_late_packet_from_before_the_wrap_moves_nothing() {
    for suite in CryptoSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let packets = stream(&mut sender, 1, &[65533, 65534, 65535, 0, 1, 2]);
        for at in [0, 2, 3, 4, 1, 5] {
            assert!(unprotect(&mut receiver, &packets[at]).is_ok(), "{suite} {at}");
        }
    }
}

#[test]
fn s2_the_counter_rises_once_for_a_reordered_wrap() {
    let (mut sender, mut receiver) = pair(AES);
    let packets = stream(&mut sender, 1, &[65534, 65535, 0, 1]);
    for at in [0, 2, 1, 3] {
        assert!(unprotect(&mut receiver, &packets[at]).is_ok(), "{at}");
    }
    let next = protect(&mut sender, &rtp(1, 2, 20)).unwrap();
    assert!(unprotect(&mut receiver, &next).is_ok());
}

#[test]
fn s3_a_stream_may_begin_at_the_wrap() {
    let (mut sender, mut receiver) = pair(AES);
    for packet in stream(&mut sender, 1, &[65535, 0, 1]) {
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
}

#[test]
fn s3_recovery_of_packets_lost_at_the_wrap_is_an_option() {
    let line = line(AES, "");
    let packets = stream(&mut sender(&line), 1, &[65535, 0, 1]);
    let mut strict = receiver(&line);
    assert_eq!(unprotect(&mut strict, &packets[1]), Err(UnprotectError::AuthenticationFailed));
    let mut config = ReceiverConfig::default();
    config.recover_lost_wrap = true;
    let mut lenient = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);
    assert!(unprotect(&mut lenient, &packets[1]).is_ok());
    assert!(unprotect(&mut lenient, &packets[2]).is_ok());
    assert!(unprotect(&mut lenient, &packets[0]).is_ok(), "late, from before the wrap");
}

#[test]
fn s4_the_first_packet_has_counter_0_whatever_its_number() {
    for first in [0, 32767, 32768, 65535] {
        let line = line(AES, "");
        let mut expecting_0 = receiver(&line);
        let packet = protect(&mut sender(&line), &rtp(1, first, 20)).unwrap();
        assert!(unprotect(&mut expecting_0, &packet).is_ok(), "{first}");
    }
}

#[test]
fn s5_a_signalled_counter_holds_for_the_first_packet_and_then_rolls_over() {
    for suite in CryptoSuite::ALL {
        let line = line(suite, "");
        let mut config = SenderConfig::default();
        config.initial_rollover = 70_000;
        let mut sender = Sender::with_config(SenderKeys::from_attribute(&line).unwrap(), config);
        let mut config = ReceiverConfig::default();
        config.initial_rollover = 70_000;
        let mut signalled = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);
        let packets = stream(&mut sender, 1, &[65534, 65535, 0, 1]);
        for packet in &packets {
            assert!(unprotect(&mut signalled, packet).is_ok(), "{suite}");
        }
        assert!(unprotect(&mut receiver(&line), &packets[0]).is_err(), "{suite}");
    }
}

#[test]
fn s6_s8_each_source_has_a_state_of_its_own_and_keeps_it() {
    let (mut sender, mut receiver) = pair(AES);
    for packet in stream(&mut sender, 1, &[65535, 0]) {
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
    for packet in stream(&mut sender, 2, &[0, 1, 65000]) {
        assert!(unprotect(&mut receiver, &packet).is_ok(), "another source, the same numbers");
    }
    for packet in stream(&mut sender, 1, &[1, 2]) {
        assert!(unprotect(&mut receiver, &packet).is_ok(), "the first source is still behind its wrap");
    }
    let reports: Vec<_> = [1, 2, 1].map(|ssrc| protect_rtcp(&mut sender, &rtcp(ssrc, 2)).unwrap()).into();
    let index = |report: &[u8]| u32::from_be_bytes(report[16..20].try_into().unwrap()) & 0x7fff_ffff;
    assert_eq!(reports.iter().map(|report| index(report)).collect::<Vec<_>>(), [0, 0, 1]);
    for report in &reports {
        assert!(unprotect_rtcp(&mut receiver, report).is_ok());
    }
}

#[test]
fn s7_forged_packets_leave_no_trace() {
    for suite in CryptoSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let packets = stream(&mut sender, 1, &[100, 101]);
        assert!(unprotect(&mut receiver, &packets[0]).is_ok());
        for sequence in (0..65535).step_by(911) {
            for ssrc in [1, 2, 3] {
                let mut forged = packets[1].clone();
                forged[2..4].copy_from_slice(&u16::to_be_bytes(sequence));
                forged[11] = ssrc;
                if (sequence, ssrc) != (101, 1) {
                    assert!(unprotect(&mut receiver, &forged).is_err());
                }
            }
        }
        assert!(!receiver.has_source(2), "no state for sources that were never authentic");
        assert!(unprotect(&mut receiver, &packets[1]).is_ok(), "{suite}");
    }
}

#[test]
fn s10_a_jump_clears_the_window_and_the_wrap_does_not() {
    let (mut sender, mut receiver) = pair(AES);
    let packets = stream(&mut sender, 1, &[10, 11, 12, 1000, 33000, 65500, 65535, 100, 228]);
    for (at, packet) in packets.iter().enumerate() {
        assert!(unprotect(&mut receiver, packet).is_ok(), "{at}");
    }
    for (at, packet) in packets.iter().enumerate() {
        let expected = if at == 8 { UnprotectError::Replayed } else { UnprotectError::TooOld };
        let result = unprotect(&mut receiver, packet);
        // Numbers more than half the space back are taken for the next round, and their tags do not fit.
        assert!(
            result == Err(expected) || result == Err(UnprotectError::AuthenticationFailed),
            "{at} {result:?}"
        );
    }
}

#[test]
fn a_longer_window_is_had_by_asking() {
    let line = line(AES, " WSH=1000");
    let mut sender = sender(&line);
    let packets = stream(&mut sender, 1, &(0..1100).collect::<Vec<_>>());
    let mut receiver = receiver(&line);
    assert!(unprotect(&mut receiver, &packets[1023]).is_ok());
    assert!(unprotect(&mut receiver, &packets[24]).is_ok());
    assert_eq!(unprotect(&mut receiver, &packets[24]), Err(UnprotectError::Replayed));
    assert!(unprotect(&mut receiver, &packets[1099]).is_ok());
    assert_eq!(unprotect(&mut receiver, &packets[25]), Err(UnprotectError::TooOld));
}

#[test]
fn s11_s13_every_truncation_is_an_error() {
    let mki = MasterKeyIdentifier::new(&[1; 128]).unwrap();
    for suite in CryptoSuite::ALL {
        for behind in [String::new(), format!("|{mki}")] {
            let line = line(suite, &behind);
            let packet = protect(&mut sender(&line), &rtp(1, 1, 40)).unwrap();
            let report = protect_rtcp(&mut sender(&line), &rtcp(1, 5)).unwrap();
            let mki = if behind.is_empty() { 0 } else { 128 };
            assert_eq!(packet.len(), 52 + mki + suite.rtp_tag_length(), "{suite}");
            assert_eq!(report.len(), 28 + 4 + mki + suite.rtcp_tag_length(), "{suite}");
            for length in 0..packet.len() {
                let error = unprotect(&mut receiver(&line), &packet[..length]).unwrap_err();
                if length < 12 + mki + suite.rtp_tag_length() {
                    assert_eq!(error, UnprotectError::TooShort, "{suite} {length}");
                }
            }
            for length in 0..report.len() {
                let error = unprotect_rtcp(&mut receiver(&line), &report[..length]).unwrap_err();
                if length < 12 + mki + suite.rtcp_tag_length() {
                    assert_eq!(error, UnprotectError::TooShort, "{suite} {length}");
                }
            }
            assert!(unprotect(&mut receiver(&line), &packet).is_ok());
            assert!(unprotect_rtcp(&mut receiver(&line), &report).is_ok());
        }
    }
}

#[test]
fn s12_overruns_are_malformed_on_both_sides() {
    let (mut sender, mut receiver) = pair(AES);
    let mut csrc = rtp(1, 1, 20);
    csrc[0] = 0x8f;
    let mut extension = rtp(1, 1, 20);
    extension[0] = 0x90;
    extension[14..16].copy_from_slice(&[0xff, 0xff]);
    for packet in [csrc, extension] {
        assert_eq!(protect(&mut sender, &packet), Err(ProtectError::Malformed));
        assert_eq!(unprotect(&mut receiver, &packet), Err(UnprotectError::Malformed));
    }
}

#[test]
fn s14_the_identifier_of_rtcp_stands_before_its_own_tag() {
    let line = line(CryptoSuite::AesCm128HmacSha1_32, "|2^31|258:2");
    let packet = protect(&mut sender(&line), &rtp(1, 1, 20)).unwrap();
    let report = protect_rtcp(&mut sender(&line), &rtcp(1, 1)).unwrap();
    assert_eq!(packet[packet.len() - 6..packet.len() - 4], [1, 2]);
    assert_eq!(report[report.len() - 12..report.len() - 10], [1, 2]);
    assert!(unprotect_rtcp(&mut receiver(&line), &report).is_ok());
}

#[test]
fn s19_room_is_checked_before_anything_is_touched() {
    let mki = MasterKeyIdentifier::new(&[9; 3]).unwrap();
    for suite in CryptoSuite::ALL {
        let mut sender = sender(&line(suite, &format!("|{mki}")));
        let (packet, report) = (rtp(1, 1, 20), rtcp(1, 1));
        for room in 0..3 + suite.rtp_tag_length() {
            let mut buffer = packet.clone();
            buffer.resize(packet.len() + room, 0);
            let before = buffer.clone();
            assert_eq!(sender.protect(&mut buffer, packet.len()), Err(ProtectError::NoRoom));
            assert_eq!(buffer, before);
        }
        for room in 0..7 + suite.rtcp_tag_length() {
            let mut buffer = report.clone();
            buffer.resize(report.len() + room, 0);
            assert_eq!(sender.protect_rtcp(&mut buffer, report.len()), Err(ProtectError::NoRoom));
        }
        assert_eq!(sender.protect(&mut [0x80; 20], 21), Err(ProtectError::NoRoom));
        assert!(protect(&mut sender, &packet).is_ok(), "nothing was counted");
    }
}

#[test]
fn s20_packets_without_payload_or_with_nothing_but_padding_survive() {
    for suite in CryptoSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let mut padded = rtp(1, 2, 0);
        padded[0] |= 0x20;
        padded.extend([0, 0, 0, 4]);
        let mut extended = rtp(1, 3, 0);
        extended[0] |= 0x10;
        extended.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4]);
        for plain in [rtp(1, 1, 0), padded, extended] {
            let packet = protect(&mut sender, &plain).unwrap();
            assert_eq!(unprotect(&mut receiver, &packet), Ok(plain), "{suite}");
        }
        let plain = rtcp(1, 0);
        let report = protect_rtcp(&mut sender, &plain).unwrap();
        assert_eq!(unprotect_rtcp(&mut receiver, &report), Ok(plain), "{suite}");
    }
}

#[test]
fn s22_the_e_bit_is_what_was_agreed() {
    for (theirs, ours) in [(" UNENCRYPTED_SRTCP", ""), ("", " UNENCRYPTED_SRTCP")] {
        let report = protect_rtcp(&mut sender(&line(AES, theirs)), &rtcp(1, 2)).unwrap();
        assert_eq!(report[16] & 0x80 == 0, !theirs.is_empty());
        assert!(unprotect_rtcp(&mut receiver(&line(AES, theirs)), &report).is_ok());
        let mut receiver = receiver(&line(AES, ours));
        assert_eq!(unprotect_rtcp(&mut receiver, &report), Err(UnprotectError::AuthenticationFailed));
    }
}

#[test]
fn unencrypted_and_unauthenticated_packets_are_what_they_say() {
    let plain = rtp(1, 1, 20);
    let line_clear = line(AES, " UNENCRYPTED_SRTP");
    let packet = protect(&mut sender(&line_clear), &plain).unwrap();
    assert_eq!(packet[..32], plain);
    assert_eq!(packet.len(), 42);
    assert_eq!(unprotect(&mut receiver(&line_clear), &packet), Ok(plain.clone()));
    let mut forged = packet;
    forged[20] ^= 1;
    assert!(unprotect(&mut receiver(&line_clear), &forged).is_err());

    let line_untagged = line(AES, " UNAUTHENTICATED_SRTP");
    let packet = protect(&mut sender(&line_untagged), &plain).unwrap();
    assert_eq!(packet.len(), plain.len());
    assert_ne!(packet, plain);
    assert_eq!(unprotect(&mut receiver(&line_untagged), &packet), Ok(plain));
}

#[test]
fn s23_no_index_is_protected_twice() {
    let (mut sender, _) = pair(GCM);
    assert!(protect(&mut sender, &rtp(1, 5, 20)).is_ok());
    assert_eq!(protect(&mut sender, &rtp(1, 5, 21)), Err(ProtectError::Replayed));
    assert!(protect(&mut sender, &rtp(1, 4, 20)).is_ok(), "out of order is fine");
    assert_eq!(protect(&mut sender, &rtp(1, 4, 20)), Err(ProtectError::Replayed));
    assert!(protect(&mut sender, &rtp(1, 200, 20)).is_ok());
    assert_eq!(protect(&mut sender, &rtp(1, 5, 20)), Err(ProtectError::TooOld));
    assert!(protect(&mut sender, &rtp(2, 5, 20)).is_ok(), "another source");
}

#[test]
fn s24_after_a_failure_the_packet_can_be_tried_with_another_key() {
    for suite in CryptoSuite::ALL {
        let right = line(suite, "");
        let mut wrong = right.clone();
        wrong.keys[0].key = MasterKey::new(&vec![1; suite.master_key_length()]);
        let plain = rtp(1, 1, 33);
        let mut packet = protect(&mut sender(&right), &plain).unwrap();
        assert_eq!(receiver(&wrong).unprotect(&mut packet), Err(UnprotectError::AuthenticationFailed));
        let length = receiver(&right).unprotect(&mut packet).unwrap();
        assert_eq!(packet[..length], plain, "{suite}");
    }
}

#[test]
fn s25_indexes_end() {
    let line = line(AES, "");
    let mut config = SenderConfig::default();
    config.initial_rollover = u32::MAX;
    config.initial_rtcp_index = 0x7fff_ffff;
    let mut sender = Sender::with_config(SenderKeys::from_attribute(&line).unwrap(), config);
    let mut config = ReceiverConfig::default();
    config.initial_rollover = u32::MAX;
    let mut receiver = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);
    let last = protect(&mut sender, &rtp(1, 65535, 20)).unwrap();
    assert_eq!(protect(&mut sender, &rtp(1, 0, 20)), Err(ProtectError::KeyExpired));
    assert!(unprotect(&mut receiver, &last).is_ok());
    assert_eq!(unprotect(&mut receiver, &rtp(1, 0, 30)), Err(UnprotectError::KeyExpired));
    let report = protect_rtcp(&mut sender, &rtcp(1, 1)).unwrap();
    assert!(unprotect_rtcp(&mut receiver, &report).is_ok());
    assert_eq!(protect_rtcp(&mut sender, &rtcp(1, 1)), Err(ProtectError::KeyExpired));
}

#[test]
fn s26_a_source_of_ours_in_their_packets_is_seen() {
    let (mut sender, mut receiver) = pair(AES);
    let packet = protect(&mut sender, &rtp(0xabcd, 1, 20)).unwrap();
    assert!(!receiver.has_source(0xabcd));
    assert!(unprotect(&mut receiver, &packet).is_ok());
    assert!(receiver.has_source(0xabcd));
}

#[test]
fn s27_an_unknown_identifier_is_dropped_and_not_tried_with_another_key() {
    for suite in [AES, GCM] {
        let line = line(suite, "|2^31|1:1");
        let packet = protect(&mut sender(&line), &rtp(1, 1, 20)).unwrap();
        let at = if suite == GCM { packet.len() - 1 } else { packet.len() - 11 };
        assert_eq!(packet[at], 1);
        let mut other = packet.clone();
        other[at] = 2;
        assert_eq!(unprotect(&mut receiver(&line), &other), Err(UnprotectError::UnknownMki));
    }
}

#[test]
fn s29_no_key_shows_in_debug_output() {
    let line = line(AES, "");
    let text = format!("{line:?} {:?} {:?}", sender(&line), receiver(&line));
    // 0x5a is 90.
    assert!(!text.contains("90, 90") && !text.contains("5a5a") && !text.contains("ZZZ"), "{text}");
}

#[test]
fn s30_rtp_and_rtcp_have_replay_lists_of_their_own() {
    let (mut sender, mut receiver) = pair(AES);
    for packet in stream(&mut sender, 1, &[500, 501]) {
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
    let reports: Vec<_> = (0..200).map(|_| protect_rtcp(&mut sender, &rtcp(1, 1)).unwrap()).collect();
    assert!(unprotect_rtcp(&mut receiver, &reports[0]).is_ok());
    assert_eq!(unprotect_rtcp(&mut receiver, &reports[0]), Err(UnprotectError::Replayed));
    assert!(unprotect_rtcp(&mut receiver, &reports[199]).is_ok());
    assert_eq!(unprotect_rtcp(&mut receiver, &reports[71]), Err(UnprotectError::TooOld));
    assert!(unprotect_rtcp(&mut receiver, &reports[72]).is_ok());
}

#[test]
fn a_sender_stops_at_the_lifetime_of_its_key_and_a_receiver_does_not() {
    let line = line(AES, "|32");
    let (mut sender, mut receiver) = (sender(&line), receiver(&line));
    for sequence in 0..32 {
        assert_eq!(sender.key_life(), if sequence < 30 { KeyLife::Fresh } else { KeyLife::RekeySoon });
        let packet = protect(&mut sender, &rtp(1, sequence, 20)).unwrap();
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
    assert_eq!(sender.key_life(), KeyLife::Expired);
    assert_eq!(protect(&mut sender, &rtp(1, 32, 20)), Err(ProtectError::KeyExpired));
    assert!(protect_rtcp(&mut sender, &rtcp(1, 1)).is_ok(), "RTCP is counted apart");
    // Another sender with the same key and no limit: the receiver goes on.
    let unlimited = self::line(AES, "");
    let packet = protect(&mut self::sender(&unlimited), &rtp(1, 33, 20)).unwrap();
    assert!(unprotect(&mut receiver, &packet).is_ok());
}

#[test]
fn keys_change_by_identifier_and_indexes_go_on() {
    let text = format!("{}|2^31|1:2", line(AES, ""));
    let second = "inline:Cn56V/gskzL0uai+ZJbb2QeWnumdbAYpB85AcGUE|2^31|2:2";
    let line = CryptoAttribute::parse(&format!("{text};{second}")).unwrap();
    let (mut sender, mut receiver) = (sender(&line), receiver(&line));
    for packet in stream(&mut sender, 1, &[65534, 65535, 0]) {
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
    assert!(!sender.select_key(&MasterKeyIdentifier::from_decimal("3", 2).unwrap()));
    assert!(sender.select_key(&MasterKeyIdentifier::from_decimal("2", 2).unwrap()));
    for packet in stream(&mut sender, 1, &[1, 2]) {
        assert_eq!(packet[packet.len() - 12..packet.len() - 10], [0, 2]);
        assert!(unprotect(&mut receiver, &packet).is_ok());
    }
    assert_eq!(protect(&mut sender, &rtp(1, 0, 20)), Err(ProtectError::Replayed));
}

#[test]
fn with_a_derivation_rate_keys_change_with_the_index() {
    for suite in [AES, GCM, CryptoSuite::F8_128HmacSha1_80] {
        let with = line(suite, " KDR=3");
        let without = line(suite, "");
        let (mut sender, mut receiver) = (sender(&with), receiver(&with));
        let mut plain_sender = self::sender(&without);
        for (sequence, index) in
            [(0, 0), (7, 7), (8, 8), (9, 9), (65535, 65535), (0, 65536), (15, 65551), (12, 65548)]
        {
            let plain = rtp(1, sequence, 20);
            let packet = protect(&mut sender, &plain).unwrap();
            let same = protect(&mut plain_sender, &plain).unwrap() == packet;
            assert_eq!(same, index < 8, "{suite} {index}");
            assert_eq!(unprotect(&mut receiver, &packet), Ok(plain), "{suite} {index}");
        }
        for report in 0..20 {
            let plain = rtcp(1, 2);
            let packet = protect_rtcp(&mut sender, &plain).unwrap();
            let same = protect_rtcp(&mut plain_sender, &plain).unwrap() == packet;
            assert_eq!(same, report < 8, "{suite} {report}");
            assert_eq!(unprotect_rtcp(&mut receiver, &packet), Ok(plain));
        }
    }
}

/// The same suite under other keys.
fn other_line(suite: CryptoSuite) -> CryptoAttribute {
    let mut other = line(suite, "");
    other.keys[0].key = MasterKey::new(&vec![0x77; suite.master_key_length()]);
    other
}

#[test]
fn s9_after_a_change_of_keys_both_are_accepted_for_a_while() {
    for suite in [AES, GCM] {
        let (mut sender, mut receiver) = pair(suite);
        let old = stream(&mut sender, 1, &[1, 2, 3]);
        assert!(unprotect(&mut receiver, &old[0]).is_ok());
        let other = other_line(suite);
        receiver.rekey(ReceiverKeys::from_attribute(&other).unwrap());
        sender.rekey(SenderKeys::from_attribute(&other).unwrap(), RolloverAfterRekey::Zero);
        let new = stream(&mut sender, 1, &[100, 101]);
        assert!(unprotect(&mut receiver, &new[0]).is_ok());
        assert!(unprotect(&mut receiver, &old[1]).is_ok(), "on its way when the keys changed");
        assert!(unprotect(&mut receiver, &old[1]).is_err(), "once");
        receiver.forget_previous_keys();
        assert!(unprotect(&mut receiver, &old[2]).is_err());
        assert!(unprotect(&mut receiver, &new[1]).is_ok());
    }
}

#[test]
fn s9_the_counter_may_go_on_or_begin_again_after_a_change_of_keys() {
    use RolloverAfterRekey::{Continued, Either, Zero};
    for (sends, expects, fine) in [
        (Zero, Either, true),
        (Continued, Either, true),
        (Either, Either, true),
        (Zero, Zero, true),
        (Continued, Continued, true),
        (Continued, Zero, false),
        (Zero, Continued, false),
    ] {
        let line = line(AES, "");
        let mut config = ReceiverConfig::default();
        config.rollover_after_rekey = expects;
        let mut receiver = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);
        let mut sender = sender(&line);
        for packet in stream(&mut sender, 1, &[65534, 65535, 0, 1]) {
            assert!(unprotect(&mut receiver, &packet).is_ok());
        }
        let other = other_line(AES);
        receiver.rekey(ReceiverKeys::from_attribute(&other).unwrap());
        sender.rekey(SenderKeys::from_attribute(&other).unwrap(), sends);
        for packet in stream(&mut sender, 1, &[2, 3, 4]) {
            assert_eq!(unprotect(&mut receiver, &packet).is_ok(), fine, "{sends:?} {expects:?}");
        }
    }
}

#[test]
fn a_restart_keeps_calls_and_repeats_nothing() {
    let line = line(AES, "");
    let (mut sender, mut receiver) = (sender(&line), receiver(&line));
    let packets = stream(&mut sender, 1, &[65535, 0, 1]);
    let report = protect_rtcp(&mut sender, &rtcp(1, 1)).unwrap();
    for packet in &packets {
        assert!(unprotect(&mut receiver, packet).is_ok());
    }
    assert!(unprotect_rtcp(&mut receiver, &report).is_ok());
    let (sending, receiving): (Vec<_>, Vec<_>) = (sender.sources().collect(), receiver.sources().collect());
    assert_eq!(sending, receiving);
    assert_eq!((sending[0].index, sending[0].rtcp_index), (Some(0x10001), Some(0)));

    let (mut sender, mut receiver) = (self::sender(&line), self::receiver(&line));
    for state in sending {
        sender.restore(state);
    }
    for state in receiving {
        receiver.restore(state);
    }
    assert_eq!(unprotect(&mut receiver, &packets[2]), Err(UnprotectError::Replayed));
    assert_eq!(unprotect_rtcp(&mut receiver, &report), Err(UnprotectError::Replayed));
    assert_eq!(protect(&mut sender, &rtp(1, 1, 20)), Err(ProtectError::Replayed));
    let next = protect(&mut sender, &rtp(1, 2, 20)).unwrap();
    assert_eq!(unprotect(&mut receiver, &next), Ok(rtp(1, 2, 20)));
    let report = protect_rtcp(&mut sender, &rtcp(1, 1)).unwrap();
    assert!(unprotect_rtcp(&mut receiver, &report).is_ok());
}

#[test]
fn sources_are_bounded() {
    let line = line(AES, "");
    let mut config = SenderConfig::default();
    config.max_sources = 2;
    let mut sender = Sender::with_config(SenderKeys::from_attribute(&line).unwrap(), config);
    assert!(protect(&mut sender, &rtp(1, 1, 20)).is_ok());
    assert!(protect_rtcp(&mut sender, &rtcp(2, 1)).is_ok());
    assert_eq!(protect(&mut sender, &rtp(3, 1, 20)), Err(ProtectError::TooManySources));
    let mut config = ReceiverConfig::default();
    config.max_sources = 1;
    let mut receiver = Receiver::with_config(ReceiverKeys::from_attribute(&line).unwrap(), config);
    let mut other = self::sender(&line);
    assert!(unprotect(&mut receiver, &protect(&mut other, &rtp(1, 1, 20)).unwrap()).is_ok());
    let mut packet = protect(&mut other, &rtp(2, 1, 20)).unwrap();
    let before = packet.clone();
    assert_eq!(receiver.unprotect(&mut packet), Err(UnprotectError::TooManySources));
    assert_eq!(packet, before);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Loss and reordering within the window: every packet that arrives is opened once and only once.
    #[test]
    fn what_arrives_is_opened_once(
        suite in prop::sample::select(CryptoSuite::ALL.to_vec()),
        first: u16,
        order in prop::collection::vec((0_u16..40, any::<bool>()), 1..120),
    ) {
        let (mut sender, mut receiver) = pair(suite);
        let packets: Vec<_> = (0..120_u16)
            .map(|i| protect(&mut sender, &rtp(9, first.wrapping_add(i), usize::from(i) * 3)).unwrap())
            .collect();
        let mut opened = [false; 120];
        let mut begun = false;
        for (at, (back, lost)) in order.iter().enumerate() {
            let at = at.saturating_sub(usize::from(*back));
            // The very first packet sets the counter; from then on anything may be lost.
            if *lost && begun || !begun && at != 0 {
                continue;
            }
            begun = true;
            let result = unprotect(&mut receiver, &packets[at]);
            if opened[at] {
                prop_assert_eq!(result, Err(UnprotectError::Replayed));
            } else {
                prop_assert_eq!(result, Ok(rtp(9, first.wrapping_add(at as u16), at * 3)));
                opened[at] = true;
            }
        }
    }

    /// Any octets at all: an error, no panic, nothing changed.
    #[test]
    fn rubbish_is_refused(mut octets in prop::collection::vec(any::<u8>(), 0..200), version: bool, suite in prop::sample::select(CryptoSuite::ALL.to_vec())) {
        if let (true, Some(first)) = (version, octets.first_mut()) {
            *first = *first & 0x3f | 0x80;
        }
        let (_, mut receiver) = pair(suite);
        let before = octets.clone();
        // Four octets of tag are guessed once in 2^32.
        prop_assert!(receiver.unprotect(&mut octets).is_err());
        prop_assert!(receiver.unprotect_rtcp(&mut octets).is_err());
        prop_assert_eq!(octets, before);
    }
}
