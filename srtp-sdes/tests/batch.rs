//! A batch does to its packets what is done to each of them alone.

use proptest::prelude::*;
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, Incoming, KeyParameter, Lifetime, MasterKey, MasterKeyIdentifier,
    MasterSalt, Outgoing, Receiver, ReceiverKeys, Sender, SenderKeys, SessionParameter, UnprotectError,
    protect_batch, unprotect_batch,
};

fn line(stream: usize, suite: CryptoSuite) -> CryptoAttribute {
    let mut key = KeyParameter::new(
        MasterKey::new(&vec![stream as u8; suite.master_key_length()]),
        MasterSalt::new(&vec![!stream as u8; suite.master_salt_length()]),
    );
    // Streams with and without an identifier side by side.
    key.mki = (stream % 3 == 1).then(|| MasterKeyIdentifier::new(&[stream as u8]).unwrap());
    CryptoAttribute::new(1, suite, key)
}

fn packet(stream: usize, sequence: u16, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0, 0, 0, stream as u8]);
    packet.extend((0..payload).map(|i| (i + stream) as u8));
    packet
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_batch_is_its_packets_one_by_one(
        streams in prop::collection::vec(
            (prop::sample::select(CryptoSuite::ALL.to_vec()), prop::collection::vec(0_usize..400, 4), any::<[u8; 4]>()),
            1..40),
    ) {
        let lines: Vec<_> = streams.iter().enumerate().map(|(stream, (suite, ..))| line(stream, *suite)).collect();
        let senders = || lines.iter().map(|line| Sender::new(SenderKeys::from_attribute(line).unwrap())).collect::<Vec<_>>();
        let receivers = || lines.iter().map(|line| Receiver::new(ReceiverKeys::from_attribute(line).unwrap())).collect::<Vec<_>>();
        let (mut together, mut alone) = (senders(), senders());
        let (mut receivers_together, mut receivers_alone) = (receivers(), receivers());

        // The last round repeats the one before: everything is refused.
        for (round, sequence) in [65534_u16, 65535, 0, 0].into_iter().enumerate() {
            let plain: Vec<_> = streams
                .iter()
                .enumerate()
                .map(|(stream, (_, payloads, _))| packet(stream, sequence, payloads[round]))
                .collect();
            // Some have no room, some are malformed.
            let mut buffers: Vec<_> = plain
                .iter()
                .enumerate()
                .map(|(stream, plain)| {
                    let mut buffer = plain.clone();
                    buffer.resize(plain.len() + if streams[stream].2[round] % 16 == 0 { 2 } else { 20 }, 0);
                    if streams[stream].2[round] % 16 == 1 { buffer[0] = 0; }
                    buffer
                })
                .collect();
            let mut expected = buffers.clone();
            let expected_results: Vec<_> =
                alone.iter_mut().zip(&mut expected).zip(&plain).map(|((sender, buffer), plain)| sender.protect(buffer, plain.len())).collect();
            let mut batch: Vec<_> = together
                .iter_mut()
                .zip(&mut buffers)
                .zip(&plain)
                .map(|((sender, buffer), plain)| Outgoing::new(sender, buffer, plain.len()))
                .collect();
            protect_batch(&mut batch);
            let results: Vec<_> = batch.iter().map(|packet| packet.result().unwrap()).collect();
            prop_assert_eq!(&results, &expected_results);
            prop_assert_eq!(&buffers, &expected);

            // Some are forged on their way.
            let mut arriving: Vec<Vec<u8>> = buffers
                .iter()
                .zip(&results)
                .enumerate()
                .map(|(stream, (buffer, result))| {
                    let mut packet = buffer[..result.unwrap_or(buffer.len())].to_vec();
                    if streams[stream].2[round] % 5 == 2 {
                        let last = packet.len() - 1;
                        packet[last] ^= 1;
                    }
                    packet
                })
                .collect();
            let mut expected = arriving.clone();
            let expected_results: Vec<_> =
                receivers_alone.iter_mut().zip(&mut expected).map(|(receiver, packet)| receiver.unprotect(packet)).collect();
            let mut batch: Vec<_> =
                receivers_together.iter_mut().zip(&mut arriving).map(|(receiver, packet)| Incoming::new(receiver, packet)).collect();
            unprotect_batch(&mut batch);
            let results: Vec<_> = batch.iter().map(|packet| packet.result().unwrap()).collect();
            prop_assert_eq!(&results, &expected_results);
            prop_assert_eq!(&arriving, &expected);
        }
    }
}

/// What is done to a packet of a usual stream.
#[derive(Clone, Debug)]
struct Step {
    /// From the sequence number before.
    advance: i16,
    payload: usize,
    /// Octets of a CSRC list.
    sources: u8,
    trick: u8,
}

fn step() -> impl Strategy<Value = Step> {
    let advance =
        prop_oneof![8 => Just(1_i16), 2 => -3_i16..5, 1 => prop::sample::select(vec![-200, 130, 20_000])];
    (advance, 0_usize..300, prop_oneof![6 => Just(0_u8), 1 => 0_u8..16], any::<u8>())
        .prop_map(|(advance, payload, sources, trick)| Step { advance, payload, sources, trick })
}

/// A stream without anything unusual, but for a lifetime that may end.
fn usual_line(stream: usize, suite: CryptoSuite, lifetime: Option<&str>) -> CryptoAttribute {
    let mut key = KeyParameter::new(
        MasterKey::new(&vec![stream as u8 * 3 + 1; suite.master_key_length()]),
        MasterSalt::new(&vec![!stream as u8; suite.master_salt_length()]),
    );
    key.lifetime = lifetime.and_then(Lifetime::parse);
    key.mki = match stream % 6 {
        1 => Some(MasterKeyIdentifier::new(&[1]).unwrap()),
        3 => Some(MasterKeyIdentifier::new(&[9, 8, stream as u8, 7]).unwrap()),
        // Longer than the record has room for.
        5 => Some(MasterKeyIdentifier::new(&[1, 2, 3, 4, 5, 6, stream as u8]).unwrap()),
        _ => None,
    };
    CryptoAttribute::new(1, suite, key)
}

/// The suites of four streams in turn: mostly those whose batches have a kernel.
fn suites() -> impl Strategy<Value = [CryptoSuite; 4]> {
    let (long, short) = (CryptoSuite::AesCm128HmacSha1_80, CryptoSuite::AesCm128HmacSha1_32);
    prop_oneof![
        3 => Just([long, long, long, short]),
        1 => Just([CryptoSuite::AeadAes128Gcm; 4]),
        1 => prop::array::uniform4(prop::sample::select(CryptoSuite::ALL.to_vec())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Usual streams have a kernel of their own: late, lost, repeated, foreign, forged, cut and malformed packets, wraps, ends of
    /// lifetimes, headers of every length; payloads of one length and of several.
    #[test]
    fn a_batch_of_usual_streams_is_its_packets_one_by_one(
        streams in 4_usize..20,
        suites in suites(),
        start in prop_oneof![Just(0_u16), Just(65530), any::<u16>()],
        rounds in prop::collection::vec((prop::collection::vec(step(), 20), any::<bool>()), 1..12),
    ) {
        let lines: Vec<_> =
            (0..streams).map(|stream| usual_line(stream, suites[stream % 4], (stream % 5 == 4).then_some("7"))).collect();
        let senders = |lines: &[CryptoAttribute]| lines.iter().map(|line| Sender::new(SenderKeys::from_attribute(line).unwrap())).collect::<Vec<_>>();
        let receivers = |lines: &[CryptoAttribute]| lines.iter().map(|line| Receiver::new(ReceiverKeys::from_attribute(line).unwrap())).collect::<Vec<_>>();
        // Keys that are derived anew every 2^24 packets stay the same here, but their streams are no longer usual.
        let unusual: Vec<_> = lines
            .iter()
            .cloned()
            .map(|mut line| {
                line.session_parameters.push(SessionParameter::Kdr(24));
                line
            })
            .collect();
        let (mut together, mut alone) = (senders(&lines), senders(&unusual));
        let (mut receivers_together, mut receivers_alone) = (receivers(&lines), receivers(&unusual));
        // As usual as those of the batch, but one by one.
        let (mut senders_apart, mut receivers_apart) = (senders(&lines), receivers(&lines));
        let mut sequences = vec![start; streams];
        for (steps, one_length) in &rounds {
            let mut plain = Vec::new();
            for (stream, sequence) in sequences.iter_mut().enumerate() {
                let step = &steps[stream];
                *sequence = sequence.wrapping_add_signed(step.advance);
                let payload = if *one_length { steps[0].payload } else { step.payload };
                let mut made = packet(stream, *sequence, payload + 4 * usize::from(step.sources));
                made[0] |= step.sources;
                match step.trick {
                    0 => made[0] = 0x40,
                    1 => made[0] |= 0x10,
                    2 => made[11] ^= 0x55,
                    _ => {}
                }
                plain.push(made);
            }
            let mut buffers: Vec<_> = plain
                .iter()
                .zip(steps)
                .map(|(plain, step)| {
                    let mut buffer = plain.clone();
                    buffer.resize(plain.len() + if step.trick == 3 { 11 } else { 24 }, 0xee);
                    buffer
                })
                .collect();
            let mut expected = buffers.clone();
            let expected_results: Vec<_> =
                alone.iter_mut().zip(&mut expected).zip(&plain).map(|((sender, buffer), plain)| sender.protect(buffer, plain.len())).collect();
            let mut batch: Vec<_> = together
                .iter_mut()
                .zip(&mut buffers)
                .zip(&plain)
                .map(|((sender, buffer), plain)| Outgoing::new(sender, buffer, plain.len()))
                .collect();
            protect_batch(&mut batch);
            let results: Vec<_> = batch.iter().map(|packet| packet.result().unwrap()).collect();
            prop_assert_eq!(&results, &expected_results);
            prop_assert_eq!(&buffers, &expected);
            for (stream, sender) in senders_apart.iter_mut().enumerate() {
                let mut buffer = plain[stream].clone();
                buffer.resize(buffers[stream].len(), 0xee);
                prop_assert_eq!(sender.protect(&mut buffer, plain[stream].len()), results[stream]);
                prop_assert_eq!(&buffer, &buffers[stream]);
            }

            let mut arriving: Vec<Vec<u8>> = Vec::new();
            for ((buffer, result), step) in buffers.iter().zip(&results).zip(steps) {
                let mut packet = buffer[..result.unwrap_or(buffer.len())].to_vec();
                let length = packet.len();
                match step.trick {
                    4..8 => packet[length - 1 - usize::from(step.trick % 4)] ^= 0x80,
                    8..12 => packet[length / usize::from(step.trick - 6)] ^= 1,
                    12..16 => packet.truncate(usize::from(step.trick)),
                    // The MKI, where there is one.
                    20..24 => packet[length - 11] ^= 4,
                    // The same of Galois/counter mode.
                    24..28 => packet[length - 1] ^= 4,
                    16..20 => packet.truncate(length - usize::from(step.trick - 15)),
                    _ => {}
                }
                arriving.push(packet);
            }
            // Everything comes twice: the second time it is replayed, or refused again.
            for _ in 0..2 {
                let mut expected = arriving.clone();
                let mut opened = arriving.clone();
                let expected_results: Vec<_> =
                    receivers_alone.iter_mut().zip(&mut expected).map(|(receiver, packet)| receiver.unprotect(packet)).collect();
                let mut batch: Vec<_> =
                    receivers_together.iter_mut().zip(&mut opened).map(|(receiver, packet)| Incoming::new(receiver, packet)).collect();
                unprotect_batch(&mut batch);
                let results: Vec<_> = batch.iter().map(|packet| packet.result().unwrap()).collect();
                prop_assert_eq!(&results, &expected_results);
                prop_assert_eq!(&opened, &expected);
                for (stream, receiver) in receivers_apart.iter_mut().enumerate() {
                    let mut packet = arriving[stream].clone();
                    prop_assert_eq!(receiver.unprotect(&mut packet), results[stream]);
                    prop_assert_eq!(&packet, &opened[stream]);
                }
            }
            for (one, other) in together.iter().zip(&alone) {
                prop_assert_eq!(one.key_life(), other.key_life());
                prop_assert!(one.sources().eq(other.sources()));
            }
            for (one, other) in receivers_together.iter().zip(&receivers_alone) {
                prop_assert!(one.sources().eq(other.sources()));
            }
        }
    }
}

#[test]
fn a_forged_packet_among_good_ones_is_the_only_one_refused() {
    let lines: Vec<_> = (0..16).map(|stream| line(stream, CryptoSuite::AesCm128HmacSha1_80)).collect();
    let mut packets: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(stream, line)| {
            let mut sender = Sender::new(SenderKeys::from_attribute(line).unwrap());
            let mut buffer = packet(stream, 1, 160);
            buffer.resize(200, 0);
            let length = sender.protect(&mut buffer, 172).unwrap();
            buffer.truncate(length);
            buffer
        })
        .collect();
    packets[7][100] ^= 0x10;
    let mut receivers: Vec<_> =
        lines.iter().map(|line| Receiver::new(ReceiverKeys::from_attribute(line).unwrap())).collect();
    let mut batch: Vec<_> = receivers
        .iter_mut()
        .zip(&mut packets)
        .map(|(receiver, packet)| Incoming::new(receiver, packet))
        .collect();
    unprotect_batch(&mut batch);
    for (stream, packet) in batch.iter().enumerate() {
        let expected = if stream == 7 { Err(UnprotectError::AuthenticationFailed) } else { Ok(172) };
        assert_eq!(packet.result(), Some(expected), "{stream}");
    }
}
