//! `a=crypto` lines, and SRTP packets against a receiver.

use fuzz::{Damage, ROUNDS, damaged};
use srtp_sdes::{
    Agreed, CryptoAttribute, NegotiationConfig, Offered, Profile, Receiver, Seed, Sender, SrtpPolicy, answer,
};

const LINE: &[u8] =
    b"2 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31|1:1 KDR=0 WSH=256";
const LINES: &[u8] = b"a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4;inline:QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP";

#[test]
fn lines_never_panic_and_what_is_written_is_read_the_same() {
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let line = damaged(&[LINE, LINES], damage);
        let line = String::from_utf8_lossy(&line);
        let Ok(attribute) = CryptoAttribute::parse(&line) else { return };
        let written = attribute.to_string();
        let again = CryptoAttribute::parse(&written).expect("what we write we read");
        assert_eq!(again.to_string(), written);
    });
}

#[test]
fn any_offer_is_answered_or_refused() {
    bolero::check!().with_type::<(Damage, Damage, bool)>().with_iterations(ROUNDS).for_each(
        |(one, two, savp)| {
            let lines = [damaged(&[LINE, LINES], one), damaged(&[LINE, LINES], two)];
            let lines = lines.each_ref().map(|line| String::from_utf8_lossy(line));
            let lines = lines.each_ref().map(AsRef::as_ref);
            let profile = if *savp { Profile::Savp } else { Profile::Avp };
            for policy in [SrtpPolicy::Off, SrtpPolicy::Enabled, SrtpPolicy::Required] {
                let config = NegotiationConfig::new(policy);
                if let Ok(answered) = answer(&config, profile, &lines, Seed([7; 32])) {
                    let clear = matches!(answered.agreed, Agreed::Clear);
                    assert_eq!(answered.attribute.is_none(), clear);
                    assert!(!(clear && policy == SrtpPolicy::Required));
                }
            }
        },
    );
}

#[test]
fn a_damaged_packet_is_never_accepted() {
    let config = NegotiationConfig::new(SrtpPolicy::Required);
    let offered = Offered::new(&config, Seed([1; 32]));
    let lines = offered.attributes();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answered = answer(&config, offered.profile(), &lines, Seed([2; 32])).expect("our own offer");
    let line = answered.attribute.expect("a protected answer");
    let ours = offered.answer(Profile::Savp, &[&line]).expect("the answer to our offer");
    let (Agreed::Protected { sender, .. }, Agreed::Protected { receiver, .. }) = (ours, answered.agreed)
    else {
        panic!("both ends protect")
    };
    let mut buffer = [0_u8; 300];
    buffer[..12].copy_from_slice(&[0x80, 8, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]);
    let length = Sender::new(sender).protect(&mut buffer, 172).expect("a good packet");
    let good = buffer[..length].to_vec();
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let mut packet = damaged(&[&good], damage);
        let expected = packet == good;
        let mut receiver = Receiver::new(receiver.clone());
        assert_eq!(receiver.unprotect(&mut packet).is_ok(), expected);
        let _ = receiver.unprotect_rtcp(&mut packet);
    });
}
