//! STUN: the binding request of a connectivity check with integrity and fingerprint, written, and read and verified; and whose
//! packet a packet is. `floor` is the hash's blocks of the message with the key's halves kept.
//!
//! `is` finds the FINGERPRINT but does not check it; everyone else checks both proofs.

use std::hint::black_box;

use benches::turns::Turns;
use sip_lync::stun::{
    Attribute, Builder, Class, Dialect, Integrity, IntegrityKey, Message, Method, PacketKind, Table,
    TransactionId, demultiplex,
};

const PASSWORD: &str = "pWd+/0123456789abcdefGHI";
const USERNAME: &str = "rEm1:LoC2";
const PRIORITY: u32 = 0x6e7f_feff;
const TIE_BREAKER: u64 = 0x1122_3344_5566_7788;

fn write<'b>(buffer: &'b mut [u8], dialect: Dialect, key: &IntegrityKey) -> &'b mut [u8] {
    let transaction = TransactionId::new(dialect, black_box([7; 16]));
    let mut builder = Builder::new(buffer, dialect, Class::Request, Method::Binding, transaction);
    builder
        .push(&Attribute::UseCandidate)
        .push(&Attribute::Priority(PRIORITY))
        .push(&Attribute::IceControlling(TIE_BREAKER))
        .push(&Attribute::Username(black_box(USERNAME.as_bytes())));
    builder.finish(Some(key), Some(Table::Correct)).expect("it fits")
}

fn read(octets: &[u8], dialect: Dialect, key: &IntegrityKey) -> bool {
    let Ok(message) = Message::parse(dialect, octets) else { return false };
    message.fingerprint_holds()
        && message.integrity(key) == Integrity::Genuine
        && message.username() == Some(USERNAME.as_bytes())
        && message.priority() == Some(PRIORITY)
        && message.use_candidate()
}

/// Three blocks: two of the text, one of the outer hash.
fn floor() {
    let mut state = [1_u32; 5];
    sha1::block_api::compress(&mut state, black_box(&[[0x55_u8; 64]; 2]));
    sha1::block_api::compress(&mut state, black_box(&[[0x55_u8; 64]]));
    black_box(state);
}

fn encode() {
    let key = IntegrityKey::short_term(PASSWORD.as_bytes());
    let mut buffer = [0; 200];
    let mut other = [0; 200];
    let turns = Turns::new("STUN binding request written")
        .each("ours", || assert!(black_box(write(&mut buffer, Dialect::Rfc8489, &key).len()) > 60))
        .each("ours, MS-ICE2", || assert!(black_box(write(&mut other, Dialect::MsIce2, &key).len()) > 60))
        .each("floor, three blocks of SHA-1", floor);
    peers::encode(turns).finish();
}

fn decode() {
    let key = IntegrityKey::short_term(PASSWORD.as_bytes());
    let mut buffer = [0; 200];
    let octets = write(&mut buffer, Dialect::Rfc8489, &key).to_vec();
    let mut buffer = [0; 200];
    let lync = write(&mut buffer, Dialect::MsIce2, &key).to_vec();
    assert!(read(&octets, Dialect::Rfc8489, &key) && read(&lync, Dialect::MsIce2, &key));
    let turns = Turns::new("STUN binding request read and verified")
        .each("ours", || assert!(read(black_box(&octets), Dialect::Rfc8489, &key)))
        .each("ours, MS-ICE2", || assert!(read(black_box(&lync), Dialect::MsIce2, &key)))
        .each("floor, three blocks of SHA-1", floor);
    peers::decode(turns, &octets).finish();
}

fn packets() {
    let key = IntegrityKey::short_term(PASSWORD.as_bytes());
    let mut buffer = [0; 200];
    let stun = write(&mut buffer, Dialect::Rfc8489, &key).to_vec();
    let mut rtp = vec![0x55; 182];
    rtp[..2].copy_from_slice(&[0x80, 8]);
    let mut rtcp = vec![0x55; 60];
    rtcp[..2].copy_from_slice(&[0x80, 200]);
    let kinds = [(&stun, PacketKind::Stun), (&rtp, PacketKind::Rtp), (&rtcp, PacketKind::Rtcp)];
    for (packet, kind) in kinds {
        assert_eq!(demultiplex(packet), kind);
    }
    // A call's mix, 64 packets: the time of one is the row's divided by that.
    let mix: Vec<&[u8]> = (0..64_u32)
        .map(|n| match n.wrapping_mul(2_654_435_761) >> 28 {
            0 => stun.as_slice(),
            1 => rtcp.as_slice(),
            _ => rtp.as_slice(),
        })
        .collect();
    Turns::new("64 packets of STUN, RTP and RTCP told apart")
        .each("ours", || {
            for packet in &mix {
                black_box(demultiplex(black_box(packet)));
            }
        })
        .each("floor, one octet looked at", || {
            for packet in &mix {
                black_box(black_box(packet)[0]);
            }
        })
        .finish();
}

fn main() {
    encode();
    decode();
    packets();
}

#[cfg(not(feature = "stun-peers"))]
mod peers {
    use super::Turns;

    pub(crate) fn encode(turns: Turns<'_>) -> Turns<'_> {
        turns
    }

    pub(crate) fn decode<'a>(turns: Turns<'a>, _: &'a [u8]) -> Turns<'a> {
        turns
    }
}

#[cfg(feature = "stun-peers")]
mod peers {
    #![expect(unsafe_code, reason = "libraries written in C are called")]

    use std::hint::black_box;

    use is::{DefaultSha1HmacProvider, Sha1HmacProvider};
    use stun_types::attribute::{AttributeType, RawAttribute, Username};
    use stun_types::message::{
        BINDING, IntegrityAlgorithm, IntegrityKey, Message, MessageClass, MessageType, MessageWrite,
        MessageWriteExt, MessageWriteMutSlice, ShortTermCredentials,
    };

    use super::{PASSWORD, PRIORITY, TIE_BREAKER, Turns, USERNAME};

    unsafe extern "C" {
        fn nice_encode(buffer: *mut u8, room: usize) -> usize;
        fn nice_decode(octets: *const u8, length: usize) -> i32;
    }

    fn stun_types(buffer: &mut [u8], key: &IntegrityKey) -> usize {
        let kind = MessageType::from_class_method(MessageClass::Request, BINDING);
        let mut message = Message::builder(kind, 7_u128.into(), MessageWriteMutSlice::new(buffer));
        let add = "an attribute that fits";
        message.add_attribute(&RawAttribute::new(AttributeType::new(0x25), &[])).expect(add);
        message
            .add_attribute(&RawAttribute::new(AttributeType::new(0x24), &PRIORITY.to_be_bytes()))
            .expect(add);
        message
            .add_attribute(&RawAttribute::new(AttributeType::new(0x802a), &TIE_BREAKER.to_be_bytes()))
            .expect(add);
        message.add_attribute(&Username::new(black_box(USERNAME)).expect("a name")).expect(add);
        message.add_message_integrity_with_key(key, IntegrityAlgorithm::Sha1).expect(add);
        message.add_fingerprint().expect(add);
        message.finish()
    }

    fn key() -> IntegrityKey {
        ShortTermCredentials::new(PASSWORD.to_owned()).make_key()
    }

    /// The crate's own message, used again and again, with the proofs of its usual provider.
    struct RtcStun {
        message: rtc_stun::message::Message,
        crypto: &'static dyn rtc_crypto::RTCCrypto,
        integrity: rtc_stun::integrity::MessageIntegrity<'static>,
    }

    impl RtcStun {
        fn new() -> Self {
            let provider = Box::leak(Box::new(rtc_crypto::default_provider().expect("ring")));
            let crypto = provider.crypto();
            let integrity = rtc_stun::integrity::MessageIntegrity::new_short_term_integrity_with_provider(
                PASSWORD.to_owned(),
                crypto,
            );
            Self { message: rtc_stun::message::Message::new(), crypto, integrity }
        }

        fn encode(&mut self) -> usize {
            use rtc_stun::message::{CLASS_REQUEST, METHOD_BINDING, MessageType, Setter as _};
            let message = &mut self.message;
            message.reset();
            message.set_type(MessageType::new(METHOD_BINDING, CLASS_REQUEST));
            message.transaction_id = rtc_stun::message::TransactionId(black_box([7; 12]));
            message.write_header();
            message.add(rtc_stun::attributes::AttrType(0x25), &[]);
            message.add(rtc_stun::attributes::AttrType(0x24), &PRIORITY.to_be_bytes());
            message.add(rtc_stun::attributes::AttrType(0x802a), &TIE_BREAKER.to_be_bytes());
            message.add(rtc_stun::attributes::ATTR_USERNAME, black_box(USERNAME).as_bytes());
            self.integrity.add_to(message).expect("a proof");
            rtc_stun::fingerprint::FINGERPRINT.add_to(message).expect("a proof");
            message.raw.len()
        }

        fn decode(&mut self, octets: &[u8]) {
            let message = &mut self.message;
            message.raw.clear();
            message.raw.extend_from_slice(octets);
            message.decode().expect("a message");
            assert!(rtc_stun::fingerprint::FINGERPRINT.check(message).is_ok());
            let key = PASSWORD.as_bytes();
            assert!(rtc_stun::integrity::MessageIntegrity::check(message, key, self.crypto).is_ok());
            assert!(message.get(rtc_stun::attributes::AttrType(0x24)).is_ok());
            assert!(message.get(rtc_stun::attributes::ATTR_USERNAME).is_ok());
        }
    }

    fn hmac(key: &[u8], texts: &[&[u8]]) -> [u8; 20] {
        DefaultSha1HmacProvider.sha1_hmac(key, texts)
    }

    pub(crate) fn encode(turns: Turns<'_>) -> Turns<'_> {
        let key = key();
        let mut one = [0; 200];
        let mut two = [0; 200];
        let mut three = [0; 1300];
        let mut rtc = RtcStun::new();
        turns
            .each("rtc-stun 0.21", move || assert!(black_box(rtc.encode()) > 60))
            .each("stun-types 2.0", move || {
                black_box(stun_types(&mut one, &key));
            })
            .each("is 0.12 (str0m)", move || {
                let message = is::stun::StunMessage::binding_request(
                    black_box(USERNAME),
                    is::stun::TransId::new(),
                    true,
                    TIE_BREAKER,
                    PRIORITY,
                    true,
                );
                let length = message.to_bytes(Some(PASSWORD.as_bytes()), &mut two, hmac).expect("it fits");
                black_box(length);
            })
            .each("libnice", move || {
                // SAFETY: the buffer is as long as it is said to be, and the shim is called by one thread only.
                let length = unsafe { nice_encode(three.as_mut_ptr(), three.len()) };
                assert!(black_box(length) > 60);
            })
    }

    pub(crate) fn decode<'a>(turns: Turns<'a>, octets: &'a [u8]) -> Turns<'a> {
        let key = key();
        let mut rtc = RtcStun::new();
        turns
            .each("rtc-stun 0.21", move || rtc.decode(black_box(octets)))
            .each("stun-types 2.0", move || {
                let message = Message::from_bytes(black_box(octets)).expect("a message");
                assert!(message.validate_integrity_with_key(&key).is_ok());
                assert!(message.raw_attribute(AttributeType::new(0x24)).is_some());
                assert!(message.attribute::<Username>().is_ok());
            })
            .each("is 0.12 (str0m), no fingerprint check", move || {
                let message = is::stun::StunMessage::parse(black_box(octets)).expect("a message");
                assert!(message.verify(PASSWORD.as_bytes(), hmac));
                assert!(message.prio() == Some(PRIORITY) && message.use_candidate());
            })
            .each("libnice", move || {
                // SAFETY: the octets are as many as they are said to be, and the shim is called by one thread only.
                let valid = unsafe { nice_decode(black_box(octets).as_ptr(), octets.len()) };
                assert_eq!(valid, 1);
            })
    }
}
