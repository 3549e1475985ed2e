//! Link control of the fixed part with a link layer played by the test.

use bytes::BytesMut;
use dect_nwk::element::{BasicService, FixedIdentity, PortableIdentity, RejectReason, ReleaseReason};
use dect_nwk::fixed_part::{Event, FixedPart, FixedPartConfig, IncomingCall, KnownPortable, PortableId};
use dect_nwk::identity::{Ari, Ipei, Ipui, Park, Tpui};
use dect_nwk::message::{Message, MessageType, Transaction};
use dect_nwk::{Error, Input, LinkId, Refusal, ReleaseMode, Rule, Seed, Transmit, lce, timers};
use std::time::{Duration, Instant};

struct Station {
    now: Instant,
    fixed: FixedPart,
    portable: PortableId,
}

#[derive(Debug, PartialEq)]
enum Said {
    Page(Vec<u8>),
    Message(LinkId, MessageType, Option<RejectReason>, Option<ReleaseReason>),
    Release(LinkId, ReleaseMode),
}

fn ipui(number: u32) -> Ipui {
    Ipui::N(Ipei::new(0x138b, number).unwrap())
}

fn ari() -> Ari {
    Ari::class_b(0x1001, 0x123).unwrap()
}

impl Station {
    fn new() -> Self {
        Self::with(FixedPartConfig::new(ari()))
    }

    fn with(config: FixedPartConfig) -> Self {
        #[allow(clippy::disallowed_methods, reason = "the origin of virtual time")]
        let now = Instant::now();
        let mut fixed = FixedPart::new(config, Seed([4; 32]));
        let mut known = KnownPortable::new(ipui(1));
        known.tpui = Some(Tpui::new(0x01234).unwrap());
        let portable = fixed.add_portable(known);
        Self { now, fixed, portable }
    }

    fn establish(&mut self, link: u32, message: Option<&Message>) -> Vec<Said> {
        let sdu = message.map(Message::to_bytes);
        let input = Input::Established { link: LinkId(link), sdu: sdu.as_deref() };
        self.fixed.handle_input(self.now, input).unwrap();
        self.said()
    }

    fn data(&mut self, link: u32, message: &Message) -> Vec<Said> {
        let sdu = message.to_bytes();
        self.fixed.handle_input(self.now, Input::Data { link: LinkId(link), sdu: &sdu }).unwrap();
        self.said()
    }

    fn released(&mut self, link: u32) -> Vec<Said> {
        let input = Input::Released { link: LinkId(link), mode: ReleaseMode::Normal };
        self.fixed.handle_input(self.now, input).unwrap();
        self.said()
    }

    fn sleep(&mut self, time: Duration) -> Vec<Said> {
        self.now += time;
        self.fixed.handle_timeout(self.now);
        self.said()
    }

    fn said(&mut self) -> Vec<Said> {
        let mut buffer = BytesMut::new();
        let mut said = Vec::new();
        while let Some(transmit) = self.fixed.poll_transmit(&mut buffer) {
            let octets = buffer.split();
            said.push(match transmit {
                Transmit::Broadcast { .. } => Said::Page(octets.to_vec()),
                Transmit::Data { link, .. } => {
                    let message = Message::parse(&octets).unwrap();
                    let reject = message.find::<RejectReason>().copied();
                    Said::Message(
                        link,
                        message.message_type,
                        reject,
                        message.find::<ReleaseReason>().copied(),
                    )
                }
                Transmit::Release { link, mode } => Said::Release(link, mode),
                other => panic!("{other:?}"),
            });
        }
        said
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.fixed.poll_event()).collect()
    }
}

fn page_response(number: u32) -> Message {
    Message::new(MessageType::LcePageResponse, Transaction::opened(0))
        .with(PortableIdentity::Ipui(ipui(number)))
}

fn setup(number: u32, value: u8) -> Message {
    Message::new(MessageType::CcSetup, Transaction::opened(value))
        .with(PortableIdentity::Ipui(ipui(number)))
        .with(FixedIdentity::park(Park::of(ari())))
        .with(BasicService::NORMAL_SPEECH)
}

fn reject(link: u32, reason: RejectReason) -> [Said; 2] {
    [
        Said::Message(LinkId(link), MessageType::LcePageReject, Some(reason), None),
        Said::Release(LinkId(link), ReleaseMode::Normal),
    ]
}

#[test]
fn a_link_on_which_nothing_is_said_is_released_after_lce_05() {
    let mut station = Station::new();
    assert_eq!(station.establish(1, None), []);
    assert_eq!(station.sleep(Duration::from_millis(4_999)), []);
    assert_eq!(station.sleep(Duration::from_millis(1)), [Said::Release(LinkId(1), ReleaseMode::Abnormal)]);
    assert_eq!(station.fixed.load().links, 0);
}

#[test]
fn a_link_nobody_uses_is_released_after_lce_02_and_every_message_gives_it_its_time_again() {
    let mut station = Station::new();
    // An answer to a request for the identity that nobody made: it means nothing, but shows that somebody is there.
    let nothing = Message::new(MessageType::IdentityReply, Transaction::answered(0));
    station.establish(1, Some(&setup(1, 0)));
    let Some(Event::Setup { call, .. }) = station.fixed.poll_event() else { panic!("no call") };
    station.fixed.connect(station.now, call).unwrap();
    station.fixed.release(station.now, call, ReleaseReason::PartialRelease).unwrap();
    station.data(
        1,
        &Message::new(MessageType::CcReleaseCom, Transaction::opened(0)).with(ReleaseReason::PartialRelease),
    );
    assert_eq!(station.sleep(Duration::from_secs(4)), []);
    assert_eq!(station.data(1, &nothing), []);
    assert_eq!(station.sleep(Duration::from_secs(4)), []);
    assert_eq!(station.sleep(Duration::from_secs(1)), [Said::Release(LinkId(1), ReleaseMode::Abnormal)]);
    assert_eq!(station.fixed.load().links, 0);
}

#[test]
fn a_release_that_is_never_confirmed_becomes_abnormal_after_lce_01() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    let released = station.data(1, &Message::new(MessageType::CcReleaseCom, Transaction::opened(0)));
    assert_eq!(released, [Said::Release(LinkId(1), ReleaseMode::Normal)]);
    assert_eq!(station.fixed.state(station.portable).unwrap().link_state, lce::State::ReleasePending);
    assert_eq!(station.sleep(timers::LCE_01), [Said::Release(LinkId(1), ReleaseMode::Abnormal)]);
    assert_eq!(station.fixed.load().links, 0);
    assert_eq!(station.released(1), [], "too late to matter");
}

#[test]
fn a_call_to_a_portable_whose_link_is_being_released_pages_when_it_is_gone() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    station.data(1, &Message::new(MessageType::CcReleaseCom, Transaction::opened(0)));
    station.fixed.setup(station.now, station.portable, IncomingCall::default()).unwrap();
    assert_eq!(station.said(), []);
    // Header 100 for voice, W = 1: the low 16 bits of the assigned temporary identity.
    assert_eq!(station.released(1), [Said::Page(vec![0x0c, 0x12, 0x34])]);
    assert_eq!(
        station.establish(2, Some(&page_response(1))),
        [Said::Message(LinkId(2), MessageType::CcSetup, None, None)]
    );
}

#[test]
fn answers_to_pages_that_were_not_sent_or_are_answered_are_rejected() {
    let mut station = Station::new();
    assert_eq!(station.establish(1, Some(&page_response(1))), reject(1, RejectReason::FalseLceReply));
    assert_eq!(station.establish(2, Some(&page_response(99))), reject(2, RejectReason::FalseLceReply)[..1]);
    station.released(1);
    station.fixed.setup(station.now, station.portable, IncomingCall::default()).unwrap();
    station.establish(3, Some(&page_response(1)));
    assert_eq!(station.establish(4, Some(&page_response(1))), reject(4, RejectReason::LateLceReply));
    let erased = Message::new(MessageType::LcePageResponse, Transaction::opened(0))
        .with(PortableIdentity::Tpui(Tpui::new(0x0777).unwrap()));
    assert_eq!(station.establish(5, Some(&erased))[0], reject(5, RejectReason::InvalidTpui)[0]);
    // What is not released by its owner goes by LCE.05.
    station.sleep(timers::LCE_05);
    assert_eq!(station.fixed.load().links, 1);
}

#[test]
fn a_portable_that_comes_back_on_a_new_link_has_lost_the_calls_of_the_old_one() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    let Some(Event::Setup { call, .. }) = station.fixed.poll_event() else { panic!("no call") };
    station.fixed.connect(station.now, call).unwrap();
    station.said();
    let said = station.establish(2, Some(&setup(1, 0)));
    assert_eq!(said, [Said::Release(LinkId(1), ReleaseMode::Abnormal)]);
    let events = station.events();
    assert_eq!(events[0], Event::Released { call, reason: ReleaseReason::Unknown });
    assert!(matches!(events[1], Event::Setup { link: LinkId(2), .. }));
    assert_eq!(station.fixed.load().links, 1);
}

#[test]
fn an_incoming_call_survives_a_link_that_breaks_before_the_portable_rings() {
    let mut station = Station::new();
    let call = station.fixed.setup(station.now, station.portable, IncomingCall::default()).unwrap();
    station.said();
    station.establish(1, Some(&page_response(1)));
    // The link goes before CC-ALERTING: the portable part is paged once more.
    assert_eq!(station.released(1), [Said::Page(vec![0x0c, 0x12, 0x34])]);
    assert_eq!(
        station.establish(2, Some(&page_response(1))),
        [Said::Message(LinkId(2), MessageType::CcSetup, None, None)]
    );
    // Not a second time.
    assert_eq!(station.released(2), []);
    assert_eq!(station.events(), [Event::Released { call, reason: ReleaseReason::Unknown }]);
    assert_eq!(station.fixed.load().timers, 0);
}

#[test]
fn a_request_of_a_procedure_that_is_over_does_not_leave_any_more() {
    let mut station = Station::new();
    station.fixed.identify(station.now, station.portable).unwrap();
    station.fixed.setup(station.now, station.portable, IncomingCall::default()).unwrap();
    assert!(matches!(station.said()[..], [Said::Page(_)]));
    let detach =
        Message::new(MessageType::Detach, Transaction::opened(0)).with(PortableIdentity::Ipui(ipui(1)));
    // The portable part comes on its own account: of what waited, the call alone is sent.
    assert_eq!(
        station.establish(1, Some(&detach)),
        [Said::Message(LinkId(1), MessageType::CcSetup, None, None)]
    );
}

#[test]
fn a_request_that_names_somebody_else_is_refused() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    let locate = Message::new(MessageType::LocateRequest, Transaction::opened(0))
        .with(PortableIdentity::Ipui(ipui(2)));
    assert_eq!(
        station.data(1, &locate),
        [Said::Message(LinkId(1), MessageType::LocateReject, Some(RejectReason::IpuiUnknown), None)]
    );
}

#[test]
fn what_comes_over_a_link_that_is_being_released_is_not_answered() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    station.data(1, &Message::new(MessageType::CcReleaseCom, Transaction::opened(0)));
    station.events();
    assert_eq!(station.data(1, &setup(1, 1)), []);
    assert_eq!((station.events(), station.fixed.load().calls), (vec![], 0));
}

#[test]
fn strangers_are_bounded() {
    let mut config = FixedPartConfig::new(ari());
    config.unidentified_links = 3;
    let mut station = Station::with(config);
    for link in 1..=3 {
        assert_eq!(station.establish(link, None), []);
    }
    let input = Input::Established { link: LinkId(4), sdu: None };
    station.fixed.handle_input(station.now, input).unwrap();
    assert_eq!(station.said(), [Said::Release(LinkId(4), ReleaseMode::Abnormal)]);
    assert_eq!(station.fixed.load().links, 3);
    // Requests for access rights make entries, of which there are no more than links.
    for link in 1..=3 {
        let request = Message::new(MessageType::AccessRightsRequest, Transaction::opened(0))
            .with(PortableIdentity::Ipui(ipui(100 + link)));
        assert_eq!(station.data(link, &request), []);
    }
    let request = Message::new(MessageType::AccessRightsRequest, Transaction::opened(0))
        .with(PortableIdentity::Ipui(ipui(200)));
    assert_eq!(
        station.establish(5, Some(&request)),
        [Said::Message(LinkId(5), MessageType::AccessRightsReject, Some(RejectReason::Overload), None)]
    );
    assert_eq!(station.fixed.load().portables, 4);
    for link in 1..=5 {
        station.released(link);
    }
    assert_eq!(station.fixed.load().portables, 1);
}

#[test]
fn wrong_octets_are_named_and_a_message_over_no_link_is_refused() {
    let mut station = Station::new();
    let input = Input::Data { link: LinkId(9), sdu: &[0x03, 0x7b] };
    assert_eq!(station.fixed.handle_input(station.now, input), Err(Error::Refused(Refusal::NoLink)));
    station.establish(1, Some(&setup(1, 0)));
    let input = Input::Data { link: LinkId(1), sdu: &[0x0f, 0x7b] };
    assert_eq!(
        station.fixed.handle_input(station.now, input),
        Err(Error::Malformed { at: 0, rule: Rule::ProtocolDiscriminator })
    );
}

#[test]
fn a_setup_without_its_elements_is_refused_by_the_reason_that_says_so() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    let refused = |station: &mut Station, octets: &[u8]| {
        station.fixed.handle_input(station.now, Input::Data { link: LinkId(1), sdu: octets }).unwrap();
        match station.said()[..] {
            [Said::Message(LinkId(1), MessageType::CcReleaseCom, None, Some(reason))] => reason,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&mut station, &[0x13, 0x05]), ReleaseReason::MandatoryElementMissing);
    let broken = [0x13, 0x05, 0x05, 0x02, 0x80, 0xa8, 0x06, 0x02, 0xa0, 0xa0, 0xe0, 0x80];
    assert_eq!(refused(&mut station, &broken), ReleaseReason::InvalidElementContents);
    assert_eq!(refused(&mut station, &setup(2, 1).to_bytes()), ReleaseReason::InvalidIdentity);
    assert_eq!(station.fixed.load().calls, 1);
    // A second call is one more than nothing, a third one too many.
    assert_eq!(station.data(1, &setup(1, 1)), []);
    assert_eq!(refused(&mut station, &setup(1, 2).to_bytes()), ReleaseReason::InsufficientResources);
    // A CC-SETUP for a known transaction and one with the flag of an answer are ignored.
    assert_eq!(station.data(1, &setup(1, 1)), []);
    let mut answered = setup(1, 3);
    answered.transaction = Transaction::answered(3);
    assert_eq!(station.data(1, &answered), []);
}

#[test]
fn digits_and_keys_are_understood_in_every_element_that_may_carry_them() {
    let mut station = Station::new();
    let number = dect_nwk::element::CalledPartyNumber::dialled("20");
    station.establish(1, Some(&setup(1, 0).with(number)));
    let Some(Event::Setup { call, called, complete, .. }) = station.fixed.poll_event() else {
        panic!("no call")
    };
    assert_eq!((called.as_str(), complete), ("20", false));
    station.fixed.setup_acknowledge(station.now, call).unwrap();
    station.said();
    let mut hear = |octets: &[u8]| {
        station.fixed.handle_input(station.now, Input::Data { link: LinkId(1), sdu: octets }).unwrap();
        station.fixed.poll_event()
    };
    let digits = |digits: &str, complete| Some(Event::Digits { call, digits: digits.into(), complete });
    // MULTI-KEYPAD, SINGLE-KEYPAD, CALLED-PARTY-NUMBER, SENDING-COMPLETE, and a CC-INFO that says nothing.
    assert_eq!(hear(&[0x03, 0x7b, 0x2c, 2, 0x30, 0x31]), digits("01", false));
    assert_eq!(hear(&[0x03, 0x7b, 0xe9, 0x35]), digits("5", false));
    assert_eq!(hear(&[0x03, 0x7b, 0x70, 2, 0x80, 0x37]), digits("7", false));
    assert_eq!(hear(&[0x03, 0x7b, 0xa1]), digits("", true));
    assert_eq!(hear(&[0x03, 0x7b]), None);
    station.fixed.connect(station.now, call).unwrap();
    station.said();
    let mut hear = |octets: &[u8]| {
        station.fixed.handle_input(station.now, Input::Data { link: LinkId(1), sdu: octets }).unwrap();
        station.fixed.poll_event()
    };
    let keypad = |keys: &str| Some(Event::Keypad { call, keys: keys.into() });
    // The R key as FEATURE-ACTIVATE and as a character; a keypad element too long to be true.
    assert_eq!(hear(&[0x03, 0x7b, 0x38, 1, 0x81]), keypad("\u{15}"));
    assert_eq!(hear(&[0x03, 0x7b, 0x2c, 2, 0x15, 0x31]), keypad("\u{15}1"));
    let long = [&[0x03, 0x7b, 0x2c, 200][..], &[0x33; 200]].concat();
    assert_eq!(hear(&long), keypad(&"3".repeat(128)));
}

#[test]
fn a_reset_of_the_link_releases_a_call_that_is_being_dialled() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    let Some(Event::Setup { call, .. }) = station.fixed.poll_event() else { panic!("no call") };
    station.fixed.setup_acknowledge(station.now, call).unwrap();
    station.said();
    let said = station.establish(1, None);
    let release = Said::Message(LinkId(1), MessageType::CcRelease, None, Some(ReleaseReason::Unknown));
    assert_eq!(said, [release]);
    assert_eq!(station.events(), [Event::Released { call, reason: ReleaseReason::Unknown }]);
    // CC.02, then the link.
    let over = station.sleep(timers::CC_02);
    assert_eq!(over[1], Said::Release(LinkId(1), ReleaseMode::Normal));
}

#[test]
fn requests_without_their_elements_are_rejected_by_reason_60_or_64() {
    let mut station = Station::new();
    station.establish(1, Some(&setup(1, 0)));
    let mut hear = |octets: &[u8]| {
        station.fixed.handle_input(station.now, Input::Data { link: LinkId(1), sdu: octets }).unwrap();
        match station.said()[..] {
            [Said::Message(_, kind, Some(reason), None)] => (kind, reason.code()),
            ref other => panic!("{other:?}"),
        }
    };
    let broken = [0x05, 0x02, 0x80, 0xa8];
    let with_broken = |kind: u8| [&[0x05, kind][..], &broken].concat();
    assert_eq!(hear(&[0x05, 0x54]), (MessageType::LocateReject, 0x60));
    assert_eq!(hear(&with_broken(0x54)), (MessageType::LocateReject, 0x64));
    assert_eq!(hear(&[0x05, 0x44]), (MessageType::AccessRightsReject, 0x60));
    assert_eq!(hear(&with_broken(0x44)), (MessageType::AccessRightsReject, 0x64));
    assert_eq!(hear(&[0x05, 0x48]), (MessageType::AccessRightsTerminateReject, 0x60));
    assert_eq!(hear(&with_broken(0x48)), (MessageType::AccessRightsTerminateReject, 0x64));
    assert_eq!(hear(&[0x05, 0x40]), (MessageType::AuthenticationReject, 0x60));
    assert_eq!(hear(&[0x05, 0x40, 0x0a, 1, 1, 0x0c, 1, 1]), (MessageType::AuthenticationReject, 0x64));
    assert_eq!(hear(&[0x05, 0x4e]), (MessageType::CipherReject, 0x60));
    assert_eq!(hear(&[0x05, 0x4e, 0x19, 1, 0x81]), (MessageType::CipherReject, 0x64));
    assert_eq!(hear(&[0x05, 0x50, 0x01, 1, 0x89]), (MessageType::MmInfoReject, 0x20));
}

mod a_second_link_with_the_same_identity {
    use super::*;
    use dect_nwk::authentication::{Key128, dsaa};
    use dect_nwk::element::{Rand, Res, Rs};

    const KEY: [u8; 16] = [0x5a; 16];

    /// A portable with a key that talks over link 1.
    fn talking() -> Station {
        let mut station = Station::new();
        let mut known = KnownPortable::new(ipui(1));
        known.uak = Some(Key128::new(KEY));
        station.fixed.add_portable(known);
        station.establish(1, Some(&setup(1, 0)));
        let Some(Event::Setup { call, .. }) = station.fixed.poll_event() else { panic!("no call") };
        station.fixed.connect(station.now, call).unwrap();
        station.said();
        station
    }

    /// The challenge that went out over a link.
    fn challenge(station: &mut Station) -> (LinkId, [u8; 8], [u8; 8]) {
        let mut buffer = BytesMut::new();
        let Some(Transmit::Data { link, .. }) = station.fixed.poll_transmit(&mut buffer) else {
            panic!("no challenge")
        };
        let request = Message::parse(&buffer).unwrap();
        assert_eq!(request.message_type, MessageType::AuthenticationRequest);
        let Some(Rs::Rs64(rs)) = request.find::<Rs>() else { panic!("no session value") };
        (link, *rs, request.find::<Rand>().unwrap().0)
    }

    fn reply(res: [u8; 4]) -> Message {
        Message::new(MessageType::AuthenticationReply, Transaction::answered(0)).with(Res(res))
    }

    fn come_over_link_2(station: &mut Station, message: &Message) -> [u8; 4] {
        let sdu = message.to_bytes();
        let input = Input::Established { link: LinkId(2), sdu: Some(&sdu) };
        station.fixed.handle_input(station.now, input).unwrap();
        let (link, rs, rand_f) = challenge(station);
        assert_eq!(link, LinkId(2));
        dsaa::a12(&dsaa::a11(&Key128::new(KEY), rs), rand_f).0
    }

    #[test]
    fn takes_nothing_from_the_first_before_the_key_is_proven() {
        for wrong in [Some(reply([0; 4])), None] {
            let mut station = talking();
            come_over_link_2(&mut station, &setup(1, 0));
            let said = match wrong {
                Some(wrong) => station.data(2, &wrong),
                None => station.sleep(timers::MM_AUTH_1),
            };
            assert_eq!(said, [Said::Release(LinkId(2), ReleaseMode::Abnormal)]);
            assert!(station.events().iter().all(|event| matches!(event, Event::AuthenticationFailed { .. })));
            let state = station.fixed.state(station.portable).unwrap();
            assert_eq!((state.link, state.calls), (Some(LinkId(1)), 1));
            assert_eq!(station.fixed.load().links, 1);
        }
    }

    #[test]
    fn takes_its_place_with_the_right_answer_and_what_was_said_before_is_heard() {
        let mut station = talking();
        let res = come_over_link_2(&mut station, &setup(1, 0));
        let digits = Message::new(MessageType::CcInfo, Transaction::opened(0));
        assert_eq!(station.data(2, &digits), []);
        let said = station.data(2, &reply(res));
        assert_eq!(said[0], Said::Release(LinkId(1), ReleaseMode::Abnormal));
        let events = station.events();
        assert!(matches!(events[0], Event::Released { reason: ReleaseReason::Unknown, .. }), "{events:?}");
        assert!(matches!(events[1], Event::Setup { link: LinkId(2), .. }), "{events:?}");
        assert_eq!(station.fixed.state(station.portable).unwrap().link, Some(LinkId(2)));
        assert_eq!(station.fixed.load().links, 1);
    }

    #[test]
    fn gets_no_access_rights_while_the_first_is_there() {
        let mut station = talking();
        let request = Message::new(MessageType::AccessRightsRequest, Transaction::opened(0))
            .with(PortableIdentity::Ipui(ipui(1)));
        assert_eq!(
            station.establish(2, Some(&request)),
            [Said::Message(LinkId(2), MessageType::AccessRightsReject, Some(RejectReason::Overload), None)]
        );
        assert_eq!(station.fixed.state(station.portable).unwrap().calls, 1);
    }

    #[test]
    fn ends_quietly_when_it_is_released_before_the_answer() {
        let mut station = talking();
        come_over_link_2(&mut station, &setup(1, 0));
        assert_eq!(station.released(2), []);
        assert_eq!(station.fixed.load().links, 1);
        assert_eq!(station.sleep(timers::MM_AUTH_1), []);
    }
}
