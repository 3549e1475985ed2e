//! Generated frames: what is written is read again, and arbitrary octets never do harm.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use rfp_link::{
    BearerCodec, BearerId, BearerKey, BearerKeys, BearerRefusal, CipherKey, Config, ConnectionId, Error,
    Event, Extensions, Frame, FrameDecoder, Hello, Input, Link, Message, Neighbour, Reason, Refusal,
    ReleaseMode, Role, State, SyncState, VersionRange,
};

#[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
fn origin() -> Instant {
    Instant::now()
}

fn sdu() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

fn connection() -> impl Strategy<Value = ConnectionId> {
    any::<u32>().prop_map(ConnectionId)
}

fn bearer() -> impl Strategy<Value = BearerId> {
    any::<u32>().prop_map(BearerId)
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn bearer_key() -> impl Strategy<Value = BearerKey> {
    prop::collection::vec(any::<u8>(), 30).prop_map(|octets| {
        let mut key = [0; 30];
        key.copy_from_slice(&octets);
        BearerKey(key)
    })
}

fn bearer_keys() -> impl Strategy<Value = BearerKeys> {
    (bearer_key(), bearer_key()).prop_map(|(server, base_station)| BearerKeys { server, base_station })
}

fn neighbour() -> impl Strategy<Value = Neighbour> {
    (any::<u8>(), any::<i8>(), any::<i16>()).prop_map(|(rpn, strength, offset)| Neighbour {
        rpn,
        strength,
        offset,
    })
}

fn message() -> impl Strategy<Value = Message> {
    let page = prop_oneof![prop::collection::vec(any::<u8>(), 3), prop::collection::vec(any::<u8>(), 5)];
    let mode = prop_oneof![Just(ReleaseMode::Normal), Just(ReleaseMode::Abnormal)];
    let codec = prop_oneof![Just(BearerCodec::G726), Just(BearerCodec::G722)];
    let refusal = prop_oneof![
        Just(BearerRefusal::NoChannel),
        Just(BearerRefusal::UnknownConnection),
        Just(BearerRefusal::Codec),
        Just(BearerRefusal::Keys),
        Just(BearerRefusal::InUse),
        Just(BearerRefusal::Radio),
        (100..=u8::MAX).prop_map(BearerRefusal::Other),
    ];
    let sync = prop_oneof![
        Just(SyncState::Unsynchronised),
        Just(SyncState::Searching),
        Just(SyncState::Synchronised)
    ];
    let signalling = prop_oneof![
        page.prop_map(|octets| Message::Page { bytes: octets.into() }),
        any::<u16>().prop_map(|higher_layer| Message::Broadcast { higher_layer }),
        (connection(), 0..=0xf_ffff_u32, prop::option::of(sdu()))
            .prop_map(|(connection, pmid, sdu)| Message::Establish { connection, pmid, sdu }),
        (connection(), sdu()).prop_map(|(connection, sdu)| Message::Data { connection, sdu }),
        (connection(), sdu()).prop_map(|(connection, sdu)| Message::UnitData { connection, sdu }),
        (connection(), mode).prop_map(|(connection, mode)| Message::Release { connection, mode }),
        (connection(), any::<[u8; 8]>())
            .prop_map(|(connection, key)| Message::EncryptionKey { connection, key: CipherKey(key) }),
        (connection(), any::<bool>()).prop_map(|(connection, on)| Message::Encrypted { connection, on }),
        Just(Message::Heartbeat),
        Just(Message::HeartbeatAnswer),
    ];
    let media = prop_oneof![
        (connection(), bearer(), codec, address(), any::<u32>(), prop::option::of(bearer_keys())).prop_map(
            |(connection, bearer, codec, peer, ssrc, keys)| Message::OpenBearer {
                connection,
                bearer,
                codec,
                peer,
                ssrc,
                keys
            }
        ),
        (bearer(), address()).prop_map(|(bearer, local)| Message::BearerOpened { bearer, local }),
        (bearer(), refusal).prop_map(|(bearer, reason)| Message::BearerRefused { bearer, reason }),
        bearer().prop_map(|bearer| Message::CloseBearer { bearer }),
        bearer().prop_map(|bearer| Message::BearerClosed { bearer }),
        (any::<u8>(), any::<u8>()).prop_map(|(channels, free)| Message::Capacity { channels, free }),
        (sync, prop::collection::vec(neighbour(), 0..=16))
            .prop_map(|(state, neighbours)| Message::Sync { state, neighbours }),
        (connection(), any::<u8>()).prop_map(|(connection, rpn)| Message::Handover { connection, rpn }),
    ];
    prop_oneof![signalling, media]
}

fn hello() -> impl Strategy<Value = Hello> {
    (1..9_u16, 0..9_u16, any::<u16>(), "\\PC{0,80}", "\\PC{0,80}", any::<(u8, [u8; 5], u8, u32)>()).prop_map(
        |(lowest, more, edition, software, name, (rpn, rfpi, channels, capabilities))| Hello {
            protocol: VersionRange { lowest, highest: lowest + more },
            edition,
            software,
            name,
            rpn,
            rfpi,
            channels,
            capabilities,
        },
    )
}

fn frame() -> impl Strategy<Value = Frame> {
    let role = prop_oneof![Just(Role::Server), Just(Role::BaseStation)];
    prop_oneof![
        1 => (role, hello()).prop_map(|(role, hello)| Frame::Hello(role, hello.fitted())),
        1 => "\\PC{0,40}".prop_map(|text| Frame::Refuse(Refusal::Full, text)),
        1 => Just(Frame::Close(Reason::Replaced)),
        10 => message().prop_map(Frame::Message),
    ]
}

fn up(role: Role) -> Link {
    let now = origin();
    let mut link = Link::new(now, Config::new(role, Hello::server("a", "b", [0; 5])));
    let peer = Frame::Hello(role.peer(), Hello::base_station("c", "d", 1, 8));
    let mut octets = Vec::new();
    peer.emit(&mut octets).expect("a hello fits");
    link.handle_input(now, Input::Bytes(&octets)).expect("the hello suits");
    assert_eq!(link.state(), State::Up);
    link
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_again(frame in frame()) {
        let mut octets = Vec::new();
        frame.emit(&mut octets).expect("generated frames fit");
        let mut decoder = FrameDecoder::new();
        decoder.push(&octets);
        let body = decoder.next_body().expect("a whole frame").expect("a good length").to_vec();
        prop_assert_eq!(decoder.pending(), 0);
        prop_assert_eq!(Frame::parse(&body, Extensions::Refused), Ok(frame));
    }

    #[test]
    fn a_message_that_is_read_is_written_the_same(kind in 0x10..0x43_u8, rest in prop::collection::vec(0..4_u8, 0..40)) {
        let body = [&[kind][..], &rest].concat();
        if let Ok(frame) = Frame::parse(&body, Extensions::Refused) {
            let mut octets = Vec::new();
            frame.emit(&mut octets).expect("what was read can be written");
            prop_assert_eq!(&octets[2..], &body[..]);
        }
    }

    #[test]
    fn every_shortened_message_is_refused_and_the_octet_lies_inside(message in message()) {
        let mut octets = Vec::new();
        Frame::Message(message).emit(&mut octets).expect("generated messages fit");
        let body = &octets[2..];
        for length in 0..body.len() {
            match Frame::parse(&body[..length], Extensions::Refused) {
                Err(Error::Malformed { at, .. }) => prop_assert!(at <= length),
                other => prop_assert!(false, "{} octets gave {:?}", length, other),
            }
        }
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..600), role in any::<bool>()) {
        let now = origin();
        let role = if role { Role::Server } else { Role::BaseStation };
        let _ = Frame::parse(&octets, Extensions::Skipped);
        let mut link = Link::new(now, Config::new(role, Hello::server("a", "b", [0; 5])));
        let _ = link.handle_input(now, Input::Bytes(&octets));
        let _ = up(role).handle_input(now, Input::Bytes(&octets));
    }

    #[test]
    fn however_the_stream_is_cut_the_owner_sees_the_same(
        messages in prop::collection::vec(message(), 1..12),
        cuts in prop::collection::vec(1..64_usize, 1..50),
    ) {
        let now = origin();
        let mut octets = Vec::new();
        let mut expected = Vec::new();
        for message in messages {
            let known = message.sender() != Some(Role::Server);
            if known && !matches!(message, Message::Heartbeat | Message::HeartbeatAnswer) {
                expected.push(Event::Message(message.clone()));
            }
            if known {
                Frame::Message(message).emit(&mut octets).expect("generated messages fit");
            }
        }
        let mut link = up(Role::Server);
        prop_assert!(matches!(link.poll_event(), Some(Event::Up(_))));
        let mut rest = &octets[..];
        for cut in cuts.into_iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, left) = rest.split_at(cut.min(rest.len()));
            prop_assert_eq!(link.handle_input(now, Input::Bytes(piece)), Ok(()));
            rest = left;
        }
        let seen: Vec<_> = std::iter::from_fn(|| link.poll_event()).collect();
        prop_assert_eq!(seen, expected);
        let mut buffer = BytesMut::new();
        let _ = link.poll_transmit(&mut buffer);
    }
}
