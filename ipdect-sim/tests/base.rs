//! A base station with handsets against a fixed part behind the radio link, in virtual time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use dect_nwk::authentication::AuthenticationCode;
use dect_nwk::element::{ReleaseReason, Signal};
use dect_nwk::fixed_part::{self, FixedPart, FixedPartConfig, IncomingCall, Information, PortableId};
use dect_nwk::identity::{Ari, Ipei};
use dect_nwk::{CallId, LinkId, Transmit};
use ipdect_sim::Seed;
use ipdect_sim::base::{BaseConfig, BaseStation, Event, Input};
use ipdect_sim::handset::{Handset, HandsetConfig, HandsetEvent, HoldKey};
use ipdect_sim::json::HandsetCommand as Do;
use ipdect_sim::talk::Talk;
use rfp_link::{
    BearerCodec, BearerId, BearerKey, BearerKeys, Config, ConnectionId, Hello, Link, Message, Role,
};
use srtp_sdes::{CryptoAttribute, Receiver, ReceiverKeys, Sender, SenderKeys};

/// The server's half: a radio link and a fixed part, joined as the radio link's document says.
struct Server {
    link: Link,
    fixed: FixedPart,
    up: bool,
    events: Vec<fixed_part::Event>,
    bearers: Vec<Message>,
    released: Vec<ConnectionId>,
}

struct Radio {
    now: Instant,
    base: BaseStation,
    server: Server,
    seen: Vec<(Ipei, HandsetEvent)>,
    talks: BTreeMap<usize, (Talk, SocketAddr)>,
    refused: Option<String>,
    down: usize,
}

fn ipei(number: u32) -> Ipei {
    Ipei::new(5003, number).expect("an IPEI")
}

fn media(channel: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 20000 + channel))
}

impl Radio {
    fn new(handsets: Vec<HandsetConfig>) -> Self {
        let mut config = BaseConfig::new(1, "ward 3");
        config.media = vec![media(0), media(1)];
        config.handsets = handsets;
        Self::with(config)
    }

    fn with(config: BaseConfig) -> Self {
        let now = Instant::now();
        let ari = Ari::class_b(0x1234, 0x567).expect("an ARI");
        let hello = Hello::server("server", "test", [0x1f, 0x10, 0x2f, 0x0e, 0x86]);
        let mut radio = Self {
            now,
            base: BaseStation::new(now, config, Seed::from_number(5)),
            server: Server {
                link: Link::new(now, Config::new(Role::Server, hello)),
                fixed: FixedPart::new(FixedPartConfig::new(ari), dect_nwk::Seed([9; 32])),
                up: false,
                events: Vec::new(),
                bearers: Vec::new(),
                released: Vec::new(),
            },
            seen: Vec::new(),
            talks: BTreeMap::new(),
            refused: None,
            down: 0,
        };
        radio.base.handle_input(now, Input::Opened);
        radio.settle();
        radio
    }

    fn settle(&mut self) {
        for _ in 0..1000 {
            let mut quiet = true;
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.base.poll_transmit(&mut buffer) {
                quiet = false;
                let octets = buffer.split_to(transmit.len);
                let _ = self.server.link.handle_input(self.now, rfp_link::Input::Bytes(&octets));
            }
            quiet &= !self.server.step(self.now);
            while let Some(transmit) = self.server.link.poll_transmit(&mut buffer) {
                quiet = false;
                let octets = buffer.split_to(transmit.len);
                self.base.handle_input(self.now, Input::Bytes(&octets));
            }
            while let Some(event) = self.base.poll_event() {
                match event {
                    Event::Handset { ipei, event } => self.seen.push((ipei, event)),
                    Event::BearerStarted { channel, plan, peer, .. } => {
                        self.talks.insert(channel, (Talk::new(self.now, *plan), peer));
                    }
                    Event::BearerStopped { channel, .. } => {
                        self.talks.remove(&channel);
                    }
                    Event::Refused { text } => self.refused = Some(text),
                    Event::ServerDown { .. } => self.down += 1,
                    _ => {}
                }
            }
            if quiet {
                return;
            }
        }
        panic!("the machines never come to rest");
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let deadlines =
                [self.base.poll_timeout(), self.server.link.poll_timeout(), self.server.fixed.poll_timeout()];
            let next = deadlines.into_iter().flatten().min().filter(|next| *next <= end);
            self.now = next.unwrap_or(end).max(self.now);
            self.base.handle_timeout(self.now);
            self.server.link.handle_timeout(self.now);
            self.server.fixed.handle_timeout(self.now);
            self.settle();
            if next.is_none() {
                return;
            }
        }
    }

    fn press(&mut self, number: u32, command: &Do) {
        assert!(self.base.command(self.now, ipei(number), command));
        self.settle();
    }

    fn fixed<R>(&mut self, act: impl FnOnce(&mut FixedPart, Instant) -> R) -> R {
        let result = act(&mut self.server.fixed, self.now);
        self.settle();
        result
    }

    fn send(&mut self, message: Message) {
        self.server.link.send(self.now, message).expect("it fits");
        self.settle();
    }

    fn seen(&mut self) -> Vec<HandsetEvent> {
        self.seen.drain(..).map(|(_, event)| event).collect()
    }

    fn events(&mut self) -> Vec<fixed_part::Event> {
        self.server.events.drain(..).collect()
    }

    /// A subscribed and located handset.
    fn subscribed(&mut self, number: u32) -> PortableId {
        self.press(number, &Do::Subscribe(None));
        self.pass(Duration::from_secs(20));
        let seen = self.seen();
        assert!(seen.iter().any(|event| matches!(event, HandsetEvent::Subscribed { .. })), "{seen:?}");
        assert!(seen.contains(&HandsetEvent::Located), "{seen:?}");
        let located = self.events().into_iter().find_map(|event| match event {
            fixed_part::Event::Located { portable, .. } => Some(portable),
            _ => None,
        });
        located.expect("the fixed part knows where it is")
    }
}

impl Server {
    /// Joins link and fixed part; false: nothing happened.
    fn step(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.link.poll_event() {
            any = true;
            match event {
                rfp_link::Event::Up(_) => self.up = true,
                rfp_link::Event::Message(message) => self.message(now, message),
                _ => self.up = false,
            }
        }
        let mut buffer = BytesMut::new();
        while let Some(transmit) = self.fixed.poll_transmit(&mut buffer) {
            any = true;
            let bytes = buffer.split().freeze();
            let message = match transmit {
                Transmit::Broadcast { .. } => Message::Page { bytes },
                Transmit::Data { link, .. } => Message::Data { connection: ConnectionId(link.0), sdu: bytes },
                Transmit::Release { link, mode } => Message::Release {
                    connection: ConnectionId(link.0),
                    mode: match mode {
                        dect_nwk::ReleaseMode::Normal => rfp_link::ReleaseMode::Normal,
                        dect_nwk::ReleaseMode::Abnormal => rfp_link::ReleaseMode::Abnormal,
                    },
                },
                Transmit::EncryptionKey { link, key } => Message::EncryptionKey {
                    connection: ConnectionId(link.0),
                    key: rfp_link::CipherKey(*key.octets()),
                },
                other => panic!("a fixed part does not send {other:?}"),
            };
            if self.up {
                self.link.send(now, message).expect("it fits");
            }
        }
        while let Some(event) = self.fixed.poll_event() {
            any = true;
            if let fixed_part::Event::AccessRightsRequested { request, .. } = event {
                let code = AuthenticationCode::from_pin("1234").expect("a PIN");
                self.fixed.allow_access(now, request, code).expect("it was asked for");
            }
            self.events.push(event);
        }
        any
    }

    fn message(&mut self, now: Instant, message: Message) {
        if let Message::Release { connection, .. } = &message {
            self.released.push(*connection);
        }
        let input = match &message {
            Message::Establish { connection, sdu, .. } => {
                dect_nwk::Input::Established { link: LinkId(connection.0), sdu: sdu.as_deref() }
            }
            Message::Data { connection, sdu } => dect_nwk::Input::Data { link: LinkId(connection.0), sdu },
            Message::Release { connection, mode } => dect_nwk::Input::Released {
                link: LinkId(connection.0),
                mode: match mode {
                    rfp_link::ReleaseMode::Normal => dect_nwk::ReleaseMode::Normal,
                    rfp_link::ReleaseMode::Abnormal => dect_nwk::ReleaseMode::Abnormal,
                },
            },
            Message::Encrypted { connection, on } => {
                dect_nwk::Input::Encrypted { link: LinkId(connection.0), on: *on }
            }
            _ => {
                self.bearers.push(message);
                return;
            }
        };
        self.fixed.handle_input(now, input).expect("the handset keeps the rules");
    }
}

fn one_handset() -> Radio {
    Radio::new(vec![HandsetConfig::new(ipei(70387), Some("1234"))])
}

/// Who is called, and which link the call has.
fn setup_of(events: &[fixed_part::Event]) -> Option<(CallId, LinkId, String)> {
    events.iter().find_map(|event| match event {
        fixed_part::Event::Setup { call, link, called, .. } => Some((*call, *link, called.clone())),
        _ => None,
    })
}

/// A call dialled by the handset and answered at the other end.
fn dialled(radio: &mut Radio) -> (CallId, LinkId) {
    radio.press(70387, &Do::Dial("200".to_owned()));
    let events = radio.events();
    let (call, link, called) = setup_of(&events).expect("a set-up");
    assert_eq!(called, "200");
    radio.fixed(|fixed, now| fixed.call_proceeding(now, call)).expect("it was set up");
    radio.fixed(|fixed, now| fixed.alerting(now, call)).expect("it was set up");
    radio.fixed(|fixed, now| fixed.connect(now, call)).expect("it was set up");
    let seen = radio.seen();
    for event in [HandsetEvent::Proceeding, HandsetEvent::Alerting, HandsetEvent::Connected] {
        assert!(seen.contains(&event), "{event:?} in {seen:?}");
    }
    (call, link)
}

#[test]
fn a_handset_subscribes_with_the_right_code_and_registers_its_location() {
    let mut radio = one_handset();
    assert!(radio.base.is_up());
    radio.subscribed(70387);
    assert!(radio.base.handset(ipei(70387)).is_some_and(Handset::is_located));
}

#[test]
fn switching_on_a_located_handset_registers_its_location_again() {
    let mut radio = one_handset();
    radio.subscribed(70387);
    radio.press(70387, &Do::SwitchOn);
    radio.press(70387, &Do::SwitchOn);
    radio.pass(Duration::from_secs(20));
    let seen = radio.seen();
    assert!(seen.contains(&HandsetEvent::Located), "{seen:?}");
    assert!(!seen.iter().any(|event| matches!(event, HandsetEvent::Failed { .. })), "{seen:?}");
}

#[test]
fn a_wrong_code_yields_no_subscription() {
    let mut radio = one_handset();
    radio.press(70387, &Do::Subscribe(Some("4321".to_owned())));
    radio.pass(Duration::from_mins(1));
    let seen = radio.seen();
    assert!(seen.iter().any(|event| matches!(event, HandsetEvent::SubscriptionFailed { .. })), "{seen:?}");
    assert!(!seen.iter().any(|event| matches!(event, HandsetEvent::Subscribed { .. })), "{seen:?}");
    radio.press(70387, &Do::SwitchOn);
    radio.press(70387, &Do::Dial("200".to_owned()));
    assert!(matches!(radio.seen().last(), Some(HandsetEvent::Failed { .. })));
}

#[test]
fn a_handset_dials_talks_and_hangs_up() {
    let mut radio = one_handset();
    radio.subscribed(70387);
    let (call, _) = dialled(&mut radio);
    let display = Information { display: Some("Bob".to_owned()), ..Information::default() };
    radio.fixed(|fixed, now| fixed.information(now, call, &display)).expect("an active call");
    assert_eq!(radio.seen(), [HandsetEvent::Display { text: "Bob".to_owned() }]);
    assert_eq!(
        radio.base.handset(ipei(70387)).map(|handset| handset.display().to_owned()).as_deref(),
        Some("Bob")
    );
    radio.press(70387, &Do::HangUp);
    let events = radio.events();
    assert!(
        events
            .iter()
            .any(|event| *event == fixed_part::Event::Released { call, reason: ReleaseReason::Normal }),
        "{events:?}"
    );
    let seen = radio.seen();
    assert!(seen.contains(&HandsetEvent::Released { reason: "Normal".to_owned() }), "{seen:?}");
}

#[test]
fn off_hook_without_digits_yields_dial_tone_and_takes_digits() {
    let mut radio = one_handset();
    radio.subscribed(70387);
    radio.press(70387, &Do::OffHook);
    let (call, _, called) = setup_of(&radio.events()).expect("a set-up");
    assert_eq!(called, "");
    radio.fixed(|fixed, now| fixed.setup_acknowledge(now, call)).expect("it was set up");
    assert!(radio.seen().contains(&HandsetEvent::DialTone));
    radio.press(70387, &Do::Dial("4711".to_owned()));
    let events = radio.events();
    let digits: String = events
        .iter()
        .filter_map(|event| match event {
            fixed_part::Event::Digits { digits, .. } => Some(digits.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(digits, "4711", "{events:?}");
}

#[test]
fn a_paged_handset_rings_and_answers() {
    let mut radio = one_handset();
    let portable = radio.subscribed(70387);
    let incoming = IncomingCall {
        calling_number: Some("+14255550100".to_owned()),
        calling_name: Some("Alice".to_owned()),
        display: None,
        signal: Some(Signal::Alerting1),
        internal: false,
        wideband: false,
    };
    let call = radio.fixed(|fixed, now| fixed.setup(now, portable, incoming)).expect("it can be called");
    radio.pass(Duration::from_secs(1));
    let seen = radio.seen();
    let ring = HandsetEvent::Ring { number: Some("+14255550100".to_owned()), name: Some("Alice".to_owned()) };
    assert!(seen.contains(&ring), "{seen:?}");
    assert!(radio.events().contains(&fixed_part::Event::Alerting { call }));
    radio.press(70387, &Do::Answer);
    let events = radio.events();
    assert!(
        events.iter().any(|event| matches!(event, fixed_part::Event::Answered { call: c, .. } if *c == call)),
        "{events:?}"
    );
    assert!(radio.seen().contains(&HandsetEvent::Connected));
    radio.fixed(|fixed, now| fixed.release(now, call, ReleaseReason::Normal)).expect("an active call");
    assert!(radio.seen().contains(&HandsetEvent::Released { reason: "Normal".to_owned() }));
}

#[test]
fn a_call_that_rings_is_refused_by_hanging_up() {
    let mut radio = one_handset();
    let portable = radio.subscribed(70387);
    let call = radio
        .fixed(|fixed, now| fixed.setup(now, portable, IncomingCall::default()))
        .expect("it can be called");
    radio.pass(Duration::from_secs(1));
    radio.events();
    radio.press(70387, &Do::HangUp);
    let events = radio.events();
    let released = fixed_part::Event::Released { call, reason: ReleaseReason::UserRejection };
    assert!(events.contains(&released), "{events:?}");
}

#[test]
fn the_hold_key_sends_what_the_handset_is_built_for() {
    for key in [HoldKey::Recall, HoldKey::Message] {
        let mut handset = HandsetConfig::new(ipei(70387), Some("1234"));
        handset.hold_key = key;
        let mut radio = Radio::new(vec![handset]);
        radio.subscribed(70387);
        let (call, _) = dialled(&mut radio);
        radio.press(70387, &Do::Hold);
        let events = radio.events();
        match key {
            HoldKey::Recall => assert!(
                events.contains(&fixed_part::Event::Keypad { call, keys: "\u{15}".to_owned() }),
                "{events:?}"
            ),
            HoldKey::Message => {
                assert!(events.contains(&fixed_part::Event::HoldRequested { call }), "{events:?}");
                radio.fixed(|fixed, now| fixed.answer_hold(now, call, true)).expect("it was asked for");
                assert!(radio.seen().contains(&HandsetEvent::Held { accepted: true }));
            }
        }
        radio.press(70387, &Do::Keys("12#".to_owned()));
        assert!(radio.events().contains(&fixed_part::Event::Keypad { call, keys: "12#".to_owned() }));
    }
}

#[test]
fn a_handset_out_of_range_hears_no_page_and_loses_its_call() {
    let mut radio = one_handset();
    let portable = radio.subscribed(70387);
    let (call, _) = dialled(&mut radio);
    radio.press(70387, &Do::WalkOut);
    radio.pass(Duration::from_secs(1));
    let events = radio.events();
    assert!(
        events.iter().any(|event| matches!(event, fixed_part::Event::Released { call: c, .. } if *c == call)),
        "{events:?}"
    );
    assert!(radio.seen().iter().any(|event| matches!(event, HandsetEvent::Released { .. })));
    let _ = radio.fixed(|fixed, now| fixed.setup(now, portable, IncomingCall::default()));
    radio.pass(Duration::from_mins(2));
    assert!(!radio.seen().iter().any(|event| matches!(event, HandsetEvent::Ring { .. })));
    radio.events();
    radio.press(70387, &Do::WalkIn);
    radio.pass(Duration::from_secs(5));
    assert!(radio.seen().contains(&HandsetEvent::Located));
}

#[test]
fn a_bearer_carries_speech_both_ways_and_is_closed() {
    for protected in [false, true] {
        let mut radio = one_handset();
        radio.subscribed(70387);
        let (_, link) = dialled(&mut radio);
        let keys =
            protected.then(|| BearerKeys { server: BearerKey([1; 30]), base_station: BearerKey([2; 30]) });
        let peer = SocketAddr::from(([127, 0, 0, 1], 31000));
        radio.send(Message::OpenBearer {
            connection: ConnectionId(link.0),
            bearer: BearerId(7),
            codec: BearerCodec::G726,
            peer,
            ssrc: 0x1234_5678,
            keys,
        });
        assert!(
            radio.server.bearers.contains(&Message::BearerOpened { bearer: BearerId(7), local: media(0) })
        );
        assert!(radio.server.bearers.contains(&Message::Capacity { channels: 2, free: 1 }));
        let (talk, to) = radio.talks.get_mut(&0).expect("a stream on the first channel");
        assert_eq!(*to, peer);
        let mut buffer = BytesMut::new();
        let len = talk.poll_packet(radio.now, &mut buffer).expect("a packet");
        assert_eq!(len, 12 + 80 + if protected { 10 } else { 0 });
        assert_eq!(&buffer[8..12], [0x12, 0x34, 0x56, 0x78]);
        assert_eq!(buffer[1] & 0x7f, 96);
        if protected {
            // The base station sends with its own key and hears the server's (docs/radio-link.md 5.2).
            let mut receiver = Receiver::new(ReceiverKeys::from_attribute(&crypto("AgIC")).expect("keys"));
            assert_eq!(receiver.unprotect(&mut buffer.to_vec()), Ok(92));
            let mut sender = Sender::new(SenderKeys::from_attribute(&crypto("AQEB")).expect("keys"));
            let mut packet = vec![0; 200];
            packet[..4].copy_from_slice(&[0x80, 96, 0, 1]);
            let len = sender.protect(&mut packet, 92).expect("it fits");
            assert_eq!(talk.handle_packet(radio.now, &mut packet[..len]), Ok(()));
        }
        radio.send(Message::CloseBearer { bearer: BearerId(7) });
        assert!(radio.server.bearers.contains(&Message::BearerClosed { bearer: BearerId(7) }));
        assert!(radio.talks.is_empty());
    }
}

#[test]
fn a_bearer_ends_with_its_connection_and_is_refused_without_one() {
    let mut radio = one_handset();
    radio.subscribed(70387);
    let (_, link) = dialled(&mut radio);
    let open = |connection: u32, bearer: u32| Message::OpenBearer {
        connection: ConnectionId(connection),
        bearer: BearerId(bearer),
        codec: BearerCodec::G726,
        peer: media(99),
        ssrc: 1,
        keys: None,
    };
    radio.send(open(link.0, 1));
    radio.send(open(link.0, 2));
    radio.send(open(999, 3));
    let refused: Vec<_> = radio
        .server
        .bearers
        .iter()
        .filter_map(|message| match message {
            Message::BearerRefused { bearer, reason } => Some((bearer.0, *reason)),
            _ => None,
        })
        .collect();
    assert_eq!(
        refused,
        [(2, rfp_link::BearerRefusal::InUse), (3, rfp_link::BearerRefusal::UnknownConnection)]
    );
    radio.press(70387, &Do::WalkOut);
    assert!(radio.talks.is_empty());
    assert!(radio.server.bearers.contains(&Message::BearerClosed { bearer: BearerId(1) }));
}

/// A crypto line whose key and salt repeat one group of base64.
fn crypto(group: &str) -> CryptoAttribute {
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{}", group.repeat(10));
    CryptoAttribute::parse(&line).expect("a crypto line")
}

#[test]
fn a_release_of_the_server_is_confirmed_and_one_of_an_unknown_connection_is_not() {
    let mut radio = one_handset();
    radio.subscribed(70387);
    let (_, link) = dialled(&mut radio);
    radio.server.released.clear();
    let connection = ConnectionId(link.0);
    radio.send(Message::Release { connection, mode: rfp_link::ReleaseMode::Abnormal });
    assert_eq!(radio.server.released, [connection]);
    radio.send(Message::Release { connection, mode: rfp_link::ReleaseMode::Abnormal });
    assert_eq!(radio.server.released, [connection]);
    assert!(radio.seen().iter().any(|event| matches!(event, HandsetEvent::Released { .. })));
}

#[test]
fn a_base_station_of_another_version_is_refused_in_clear_words() {
    let mut config = BaseConfig::new(1, "ward 3");
    config.protocol = rfp_link::VersionRange { lowest: 3, highest: 4 };
    let radio = Radio::with(config);
    let text = radio.refused.expect("it is refused");
    assert!(text.contains("3 to 4"), "{text}");
    assert!(!radio.base.is_up());
}

#[test]
fn a_lost_server_ends_calls_and_a_new_connection_begins_anew() {
    let mut radio = one_handset();
    radio.subscribed(70387);
    dialled(&mut radio);
    radio.base.handle_input(radio.now, Input::Closed);
    radio.settle();
    assert_eq!(radio.down, 1);
    assert!(!radio.base.is_up());
    assert!(radio.seen().iter().any(|event| matches!(event, HandsetEvent::Released { .. })));
}
