//! What strangers send: forged, damaged and repeated packets.

use srtp_sdes::{
    CryptoAttribute, CryptoSuite, Incoming, KeyParameter, MasterKey, MasterSalt, Receiver, ReceiverKeys,
    Sender, SenderKeys, UnprotectError, unprotect_batch,
};

fn pair(suite: CryptoSuite) -> (Sender, Receiver) {
    let key = MasterKey::new(&vec![7; suite.master_key_length()]);
    let salt = MasterSalt::new(&vec![9; suite.master_salt_length()]);
    let line = CryptoAttribute::new(1, suite, KeyParameter::new(key, salt));
    (
        Sender::new(SenderKeys::from_attribute(&line).unwrap()),
        Receiver::new(ReceiverKeys::from_attribute(&line).unwrap()),
    )
}

fn rtp(sender: &mut Sender, ssrc: u32, sequence: u16, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..payload).map(|at| at as u8));
    let length = packet.len();
    packet.resize(length + sender.overhead(), 0);
    let length = sender.protect(&mut packet, length).unwrap();
    packet.truncate(length);
    packet
}

fn rtcp(sender: &mut Sender, ssrc: u32, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x80, 200, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..payload).map(|at| at as u8));
    let length = packet.len();
    packet.resize(length + sender.overhead(), 0);
    let length = sender.protect_rtcp(&mut packet, length).unwrap();
    packet.truncate(length);
    packet
}

#[test]
fn s16_every_bit_of_every_tag_counts() {
    for suite in CryptoSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        let packet = rtp(&mut sender, 1, 5, 20);
        for bit in 0..8 * suite.rtp_tag_length() {
            let mut forged = packet.clone();
            let at = forged.len() - 1 - bit / 8;
            forged[at] ^= 1 << (bit % 8);
            let refused = Err(UnprotectError::AuthenticationFailed);
            assert_eq!(receiver.unprotect(&mut forged), refused, "{suite} {bit}");
        }
        assert_eq!(receiver.unprotect(&mut packet.clone()), Ok(32), "{suite}");

        let report = rtcp(&mut sender, 1, 24);
        // In Galois/counter mode the tag stands before the index.
        let behind = if suite.rtcp_tag_length() == 16 { 4 } else { 0 };
        for bit in 0..8 * suite.rtcp_tag_length() {
            let mut forged = report.clone();
            let at = forged.len() - 1 - behind - bit / 8;
            forged[at] ^= 1 << (bit % 8);
            let refused = Err(UnprotectError::AuthenticationFailed);
            assert_eq!(receiver.unprotect_rtcp(&mut forged), refused, "{suite} {bit}");
        }
        assert_eq!(receiver.unprotect_rtcp(&mut report.clone()), Ok(32), "{suite}");
    }
}

#[test]
fn a_failed_check_leaves_the_packet_as_it_came() {
    for suite in CryptoSuite::ALL {
        let (mut sender, mut receiver) = pair(suite);
        for payload in [0, 1, 15, 16, 47, 48, 160, 161, 176, 320, 1200] {
            let mut forged = rtp(&mut sender, 1, payload as u16, payload);
            let at = forged.len() / 2;
            forged[at.max(12)] ^= 0x40;
            let before = forged.clone();
            assert!(receiver.unprotect(&mut forged).is_err(), "{suite} {payload}");
            assert_eq!(forged, before, "{suite} {payload}");

            let mut forged = rtcp(&mut sender, 1, payload);
            let at = forged.len() - 6;
            forged[at] ^= 0x40;
            let before = forged.clone();
            assert!(receiver.unprotect_rtcp(&mut forged).is_err(), "{suite} {payload}");
            assert_eq!(forged, before, "{suite} {payload}");
        }

        let mut receivers: Vec<_> = (0..16).map(|_| pair(suite).1).collect();
        let mut forged: Vec<_> = (0..16).map(|at| rtp(&mut sender, 100 + at, 9, 160)).collect();
        for packet in &mut forged {
            packet[50] ^= 1;
        }
        let before = forged.clone();
        let mut batch: Vec<_> = receivers
            .iter_mut()
            .zip(&mut forged)
            .map(|(receiver, packet)| Incoming::new(receiver, packet))
            .collect();
        unprotect_batch(&mut batch);
        assert!(
            batch.iter().all(|packet| packet.result() == Some(Err(UnprotectError::AuthenticationFailed)))
        );
        drop(batch);
        assert_eq!(forged, before, "{suite}");
    }
}

/// How many packets strangers send: 20,000, or as many as the environment says.
fn flood() -> u32 {
    std::env::var("SRTP_SDES_FORGED").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000)
}

#[test]
fn floods_of_forged_packets_leave_no_trace_and_no_memory() {
    for suite in [CryptoSuite::AesCm128HmacSha1_80, CryptoSuite::AeadAes128Gcm] {
        let (mut sender, mut receiver) = pair(suite);
        let first = rtp(&mut sender, 1, 65535, 160);
        assert_eq!(receiver.unprotect(&mut first.clone()), Ok(172));
        let mut random = 0x1234_5678_u64;
        let mut forged = vec![0_u8; first.len()];
        for count in 0..flood() {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            for octets in forged.chunks_mut(8) {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                octets.copy_from_slice(&random.to_be_bytes()[..octets.len()]);
            }
            forged[0] = 0x80;
            // Half of them of the known source, close to its index.
            if count % 2 == 0 {
                forged[2..4].copy_from_slice(&(count as u16).to_be_bytes());
                forged[8..12].copy_from_slice(&1_u32.to_be_bytes());
            }
            let refused = receiver.unprotect(&mut forged);
            assert!(
                matches!(
                    refused,
                    Err(UnprotectError::AuthenticationFailed
                        | UnprotectError::Replayed
                        | UnprotectError::TooOld)
                ),
                "{refused:?}"
            );
        }
        assert_eq!(receiver.sources().count(), 1, "{suite}");
        let after = rtp(&mut sender, 1, 0, 160);
        assert_eq!(receiver.unprotect(&mut after.clone()), Ok(172), "{suite}: still behind the wrap");
        assert_eq!(receiver.unprotect(&mut first.clone()), Err(UnprotectError::Replayed), "{suite}");
    }
}
