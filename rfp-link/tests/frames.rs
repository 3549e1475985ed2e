//! The layout of every message, octet by octet, as docs/radio-link.md 4 writes it.

use bytes::Bytes;
use rfp_link::{
    BearerCodec, BearerId, BearerKey, BearerKeys, BearerRefusal, CipherKey, ConnectionId, Error, Extensions,
    Frame, Message, Neighbour, Reason, Refusal, ReleaseMode, Rule, SyncState,
};

fn octets(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hexadecimal"))
        .collect()
}

fn sdu() -> Bytes {
    Bytes::from_static(&[0x05, 0x54])
}

#[test]
fn every_message_has_the_documented_layout() {
    let connection = ConnectionId(0x0102_0304);
    let bearer = BearerId(9);
    let rows = [
        ("0001 04", Frame::Message(Message::Heartbeat)),
        ("0001 05", Frame::Message(Message::HeartbeatAnswer)),
        ("0005 02 05 02 6e6f", Frame::Refuse(Refusal::Full, "no".to_owned())),
        ("0002 03 01", Frame::Close(Reason::ShutDown)),
        (
            "0006 10 0003 aabbcc",
            Frame::Message(Message::Page { bytes: Bytes::from_static(&[0xaa, 0xbb, 0xcc]) }),
        ),
        ("0003 11 4028", Frame::Message(Message::Broadcast { higher_layer: 0x4028 })),
        (
            "000a 20 01020304 000abcde 00",
            Frame::Message(Message::Establish { connection, pmid: 0xabcde, sdu: None }),
        ),
        (
            "000e 20 01020304 000abcde 01 0002 0554",
            Frame::Message(Message::Establish { connection, pmid: 0xabcde, sdu: Some(sdu()) }),
        ),
        ("0009 21 01020304 0002 0554", Frame::Message(Message::Data { connection, sdu: sdu() })),
        ("0009 22 01020304 0002 0554", Frame::Message(Message::UnitData { connection, sdu: sdu() })),
        ("0006 23 01020304 01", Frame::Message(Message::Release { connection, mode: ReleaseMode::Abnormal })),
        (
            "000d 24 01020304 1111111111111111",
            Frame::Message(Message::EncryptionKey { connection, key: CipherKey([0x11; 8]) }),
        ),
        ("0006 25 01020304 01", Frame::Message(Message::Encrypted { connection, on: true })),
        (
            "0016 30 01020304 00000009 00 04 7f000001 1388 deadbeef 00",
            Frame::Message(Message::OpenBearer {
                connection,
                bearer,
                codec: BearerCodec::G726,
                peer: "127.0.0.1:5000".parse().expect("an address"),
                ssrc: 0xdead_beef,
                keys: None,
            }),
        ),
        (
            "0018 31 00000009 06 20010db8000000000000000000000001 1388",
            Frame::Message(Message::BearerOpened {
                bearer,
                local: "[2001:db8::1]:5000".parse().expect("an address"),
            }),
        ),
        (
            "0006 32 00000009 03",
            Frame::Message(Message::BearerRefused { bearer, reason: BearerRefusal::Codec }),
        ),
        ("0005 33 00000009", Frame::Message(Message::CloseBearer { bearer })),
        ("0005 34 00000009", Frame::Message(Message::BearerClosed { bearer })),
        ("0003 40 08 05", Frame::Message(Message::Capacity { channels: 8, free: 5 })),
        (
            "0007 41 02 01 07 c4 ffff",
            Frame::Message(Message::Sync {
                state: SyncState::Synchronised,
                neighbours: vec![Neighbour { rpn: 7, strength: -60, offset: -1 }],
            }),
        ),
        ("0006 42 01020304 02", Frame::Message(Message::Handover { connection, rpn: 2 })),
    ];
    for (hex, frame) in rows {
        let expected = octets(hex);
        let mut written = Vec::new();
        assert_eq!(frame.emit(&mut written), Ok(()), "{frame:?}");
        assert_eq!(written, expected, "{frame:?}");
        assert_eq!(Frame::parse(&expected[2..], Extensions::Refused), Ok(frame));
    }
}

#[test]
fn keys_of_a_bearer_stand_in_the_order_server_then_base_station() {
    let keys = BearerKeys { server: BearerKey([0x51; 30]), base_station: BearerKey([0xb5; 30]) };
    let frame = Frame::Message(Message::OpenBearer {
        connection: ConnectionId(1),
        bearer: BearerId(2),
        codec: BearerCodec::G722,
        peer: "10.0.0.1:4000".parse().expect("an address"),
        ssrc: 3,
        keys: Some(keys),
    });
    let mut written = Vec::new();
    assert_eq!(frame.emit(&mut written), Ok(()));
    assert_eq!(written.len(), 2 + 0x16 + 60);
    assert_eq!(written[24..54], [0x51; 30]);
    assert_eq!(written[54..], [0xb5; 30]);
    assert_eq!(Frame::parse(&written[2..], Extensions::Refused), Ok(frame));
}

#[test]
fn octets_that_nobody_may_send_are_refused_with_their_place() {
    let rows = [
        ("", 0, Rule::FieldMissing),
        ("7e", 0, Rule::UnknownType),
        ("04 00", 1, Rule::OctetsLeft),
        ("10 0004 01020304", 1, Rule::FieldLength),
        ("10 0000", 1, Rule::FieldLength),
        ("20 00000001 00100000 00", 5, Rule::UnknownValue),
        ("20 00000001 00000001 02", 9, Rule::UnknownValue),
        ("21 00000001 0801", 5, Rule::FieldLength),
        ("21 00000001 0003 0102", 9, Rule::FieldMissing),
        ("23 00000001 02", 5, Rule::UnknownValue),
        ("25 00000001 ff", 5, Rule::UnknownValue),
        ("30 00000001 00000002 07", 9, Rule::UnknownValue),
        ("31 00000001 05", 5, Rule::UnknownValue),
        ("41 03 00", 1, Rule::UnknownValue),
        ("41 00 11", 2, Rule::FieldLength),
        ("02 01 c9", 2, Rule::FieldLength),
        ("02 01 01 07", 2, Rule::Text),
        ("01 52465058", 1, Rule::Magic),
        ("01 5246504c 02", 5, Rule::UnknownValue),
    ];
    for (hex, at, rule) in rows {
        let result = Frame::parse(&octets(hex), Extensions::Refused);
        assert_eq!(result, Err(Error::Malformed { at, rule }), "{hex}");
    }
}
