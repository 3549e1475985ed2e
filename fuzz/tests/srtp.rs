//! SRTP: whatever arrives, alone or in a batch, is refused or is what was sent; and a batch does what is done to each packet.

use fuzz::{Damage, ROUNDS, damaged};
use srtp_sdes::{
    CryptoAttribute, CryptoSuite, Incoming, KeyParameter, MasterKey, MasterKeyIdentifier, MasterSalt,
    Outgoing, Receiver, ReceiverKeys, Sender, SenderKeys, protect_batch, unprotect_batch,
};

fn line(suite: CryptoSuite, identified: bool) -> CryptoAttribute {
    let mut key = KeyParameter::new(
        MasterKey::new(&vec![3; suite.master_key_length()]),
        MasterSalt::new(&vec![5; suite.master_salt_length()]),
    );
    key.mki = identified.then(|| MasterKeyIdentifier::new(&[0, 7]).expect("two octets"));
    CryptoAttribute::new(1, suite, key)
}

fn suite(number: u8) -> CryptoSuite {
    CryptoSuite::ALL[usize::from(number) % CryptoSuite::ALL.len()]
}

fn sender(line: &CryptoAttribute) -> Sender {
    Sender::new(SenderKeys::from_attribute(line).expect("keys"))
}

fn receiver(line: &CryptoAttribute) -> Receiver {
    Receiver::new(ReceiverKeys::from_attribute(line).expect("keys"))
}

/// Good packets: a plain one, one with CSRC list and extension, one that is all padding, two reports.
const PLAIN: [&[u8]; 5] = [
    b"\x80\x08\x00\x01\x00\x00\x00\xa0\x01\x02\x03\x04sixteen octets..and some more of them behind",
    b"\x92\x08\xff\xff\x00\x00\x01\x40\x01\x02\x03\x04\x00\x00\x00\x01\x00\x00\x00\x02\xbe\xde\x00\x01\x10\xff\x00\x00payload",
    b"\xa0\x08\x00\x02\x00\x00\x01\xe0\x01\x02\x03\x04\x00\x00\x00\x04",
    b"\x80\xc8\x00\x06\x01\x02\x03\x04\x00\x00\x00\x01\x80\x00\x00\x00\x00\x00\x00\xa0\x00\x00\x00\x02\x00\x00\x01\x40",
    b"\x80\xc9\x00\x01\x01\x02\x03\x04",
];

fn protected(line: &CryptoAttribute, plain: &[u8], report: bool) -> Option<Vec<u8>> {
    let mut sender = sender(line);
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + sender.overhead(), 0xee);
    let length = if report {
        sender.protect_rtcp(&mut buffer, plain.len())
    } else {
        sender.protect(&mut buffer, plain.len())
    };
    buffer.truncate(length.ok()?);
    Some(buffer)
}

#[test]
fn a_packet_is_refused_unchanged_or_is_what_was_sent() {
    bolero::check!().with_type::<(u8, bool, bool, Damage, Damage)>().with_iterations(ROUNDS).for_each(
        |(number, identified, report, plain, damage)| {
            let line = line(suite(*number), *identified);
            let plain = damaged(&PLAIN, plain);
            let Some(sent) = protected(&line, &plain, *report) else { return };
            let mut arrived = damaged(&[&sent], damage);
            let before = arrived.clone();
            let mut receiver = receiver(&line);
            let result = if *report {
                receiver.unprotect_rtcp(&mut arrived)
            } else {
                receiver.unprotect(&mut arrived)
            };
            if let Ok(length) = result {
                assert_eq!(before, sent, "only what was sent is authentic");
                assert_eq!(arrived[..length], plain);
            } else {
                assert_ne!(before, sent, "what was sent is authentic");
                assert_eq!(arrived, before);
                assert_eq!(receiver.sources().count(), 0);
            }
        },
    );
}

#[test]
fn a_batch_of_anything_is_its_packets_one_by_one() {
    bolero::check!().with_type::<Vec<(u8, bool, Damage, Damage)>>().with_iterations(ROUNDS / 10).for_each(
        |packets| {
            let lines: Vec<_> =
                packets.iter().map(|(number, identified, ..)| line(suite(*number), *identified)).collect();
            let plain: Vec<_> = packets.iter().map(|(_, _, plain, _)| damaged(&PLAIN, plain)).collect();
            let mut alone: Vec<_> = lines.iter().map(sender).collect();
            let mut together: Vec<_> = lines.iter().map(sender).collect();
            let mut buffers: Vec<_> = plain
                .iter()
                .map(|plain| {
                    let mut buffer = plain.clone();
                    buffer.resize(plain.len() + 20, 0);
                    buffer
                })
                .collect();
            let mut expected = buffers.clone();
            let results: Vec<_> = alone
                .iter_mut()
                .zip(&mut expected)
                .zip(&plain)
                .map(|((sender, buffer), plain)| sender.protect(buffer, plain.len()))
                .collect();
            let mut batch: Vec<_> = together
                .iter_mut()
                .zip(&mut buffers)
                .zip(&plain)
                .map(|((sender, buffer), plain)| Outgoing::new(sender, buffer, plain.len()))
                .collect();
            protect_batch(&mut batch);
            assert!(batch.iter().map(Outgoing::result).eq(results.iter().copied().map(Some)));
            drop(batch);
            assert_eq!(buffers, expected);

            let mut arriving: Vec<_> = packets
                .iter()
                .zip(buffers.iter().zip(&results))
                .map(|((.., damage), (buffer, result))| {
                    damaged(&[&buffer[..result.unwrap_or(buffer.len())]], damage)
                })
                .collect();
            let mut expected = arriving.clone();
            let mut alone: Vec<_> = lines.iter().map(receiver).collect();
            let mut together: Vec<_> = lines.iter().map(receiver).collect();
            let results: Vec<_> = alone
                .iter_mut()
                .zip(&mut expected)
                .map(|(receiver, packet)| receiver.unprotect(packet))
                .collect();
            let mut batch: Vec<_> = together
                .iter_mut()
                .zip(&mut arriving)
                .map(|(receiver, packet)| Incoming::new(receiver, packet))
                .collect();
            unprotect_batch(&mut batch);
            assert!(batch.iter().map(Incoming::result).eq(results.iter().copied().map(Some)));
            drop(batch);
            assert_eq!(arriving, expected);
        },
    );
}
