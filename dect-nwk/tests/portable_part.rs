//! The portable part with a fixed part played by the test: one that does not know the code or the key must not be
//! believed.

use bytes::BytesMut;
use dect_nwk::authentication::{AuthenticationCode, Key128};
use dect_nwk::element::{
    AllocationType, AuthenticationAlgorithm, FixedIdentity, PortableIdentity, Rand, RejectReason, Res, Rs,
};
use dect_nwk::identity::{Ari, Ipei, Ipui, Park};
use dect_nwk::message::{Message, MessageType, Transaction};
use dect_nwk::portable_part::{Event, PortablePart, PortablePartConfig, Subscription};
use dect_nwk::{Input, LinkId, Seed};
use std::time::Instant;

const LINK: LinkId = LinkId(1);

struct Victim {
    now: Instant,
    part: PortablePart,
}

fn ipei() -> Ipei {
    Ipei::new(0x138b, 1).unwrap()
}

fn park() -> Park {
    Park::of(Ari::class_b(0x1001, 0x123).unwrap())
}

impl Victim {
    fn new(subscription: Option<Subscription>) -> Self {
        #[allow(clippy::disallowed_methods, reason = "the origin of virtual time")]
        let now = Instant::now();
        let mut config = PortablePartConfig::new(ipei());
        config.subscription = subscription;
        Self { now, part: PortablePart::new(config, Seed([5; 32])) }
    }

    fn linked(&mut self) {
        self.part.handle_input(self.now, Input::Established { link: LINK, sdu: None }).unwrap();
        self.said();
    }

    fn said(&mut self) -> Vec<MessageType> {
        let mut buffer = BytesMut::new();
        let mut said = Vec::new();
        while self.part.poll_transmit(&mut buffer).is_some() {
            said.extend(Message::parse(&buffer.split()).map(|message| message.message_type));
        }
        said
    }

    fn hears(&mut self, message: &Message) -> Vec<MessageType> {
        let sdu = message.to_bytes();
        self.part.handle_input(self.now, Input::Data { link: LINK, sdu: &sdu }).unwrap();
        self.said()
    }
}

fn key_allocate(algorithm: AuthenticationAlgorithm, rs: Rs) -> Message {
    let allocation = AllocationType { algorithm, user_authentication_key: 8, authentication_code: 8 };
    Message::new(MessageType::KeyAllocate, Transaction::opened(0))
        .with(allocation)
        .with(Rand([1; 8]))
        .with(rs)
}

fn accept() -> Message {
    Message::new(MessageType::AccessRightsAccept, Transaction::answered(0))
        .with(PortableIdentity::Ipui(Ipui::N(ipei())))
        .with(FixedIdentity::park(park()))
}

#[test]
fn a_fixed_part_without_the_code_cannot_subscribe_a_portable_part() {
    for (algorithm, rs) in [
        (AuthenticationAlgorithm::Dsaa, Rs::Rs64([2; 8])),
        (AuthenticationAlgorithm::Dsaa2, Rs::Rs128([2; 16])),
    ] {
        let mut victim = Victim::new(None);
        victim.part.subscribe(victim.now, AuthenticationCode::from_pin("1234").unwrap()).unwrap();
        victim.linked();
        assert_eq!(victim.hears(&key_allocate(algorithm, rs)), [MessageType::AuthenticationRequest]);
        let reply = Message::new(MessageType::AuthenticationReply, Transaction::opened(0))
            .with(Rand([3; 8]))
            .with(Res([0; 4]))
            .with(rs);
        assert_eq!(victim.hears(&reply), []);
        let failed = Event::SubscriptionFailed { reason: RejectReason::AuthenticationFailed };
        assert_eq!(victim.part.poll_event(), Some(failed));
        victim.hears(&accept());
        assert!(victim.part.subscription().is_none());
        assert_eq!(victim.part.poll_event(), None);
    }
}

#[test]
fn access_rights_before_the_proof_are_not_taken() {
    let mut victim = Victim::new(None);
    victim.part.subscribe(victim.now, AuthenticationCode::from_pin("1234").unwrap()).unwrap();
    victim.linked();
    victim.hears(&key_allocate(AuthenticationAlgorithm::Dsaa, Rs::Rs64([2; 8])));
    victim.hears(&accept());
    assert!(victim.part.subscription().is_none());
}

#[test]
fn a_portable_part_without_a_code_rejects_key_allocations_and_unknown_algorithms() {
    let mut subscription = Subscription::new(Ipui::N(ipei()), park());
    subscription.uak = Some(Key128::new([7; 16]));
    let mut victim = Victim::new(Some(subscription));
    victim.part.locate(victim.now).unwrap();
    victim.linked();
    let allocate = key_allocate(AuthenticationAlgorithm::Dsaa, Rs::Rs64([2; 8]));
    assert_eq!(victim.hears(&allocate), [MessageType::AuthenticationReject]);
    let allocate = key_allocate(AuthenticationAlgorithm::Gsm, Rs::Rs64([2; 8]));
    assert_eq!(victim.hears(&allocate), [MessageType::AuthenticationReject]);
}

#[test]
fn a_fixed_part_without_the_key_is_recognised() {
    let mut subscription = Subscription::new(Ipui::N(ipei()), park());
    subscription.uak = Some(Key128::new([7; 16]));
    let mut victim = Victim::new(Some(subscription));
    victim.part.locate(victim.now).unwrap();
    victim.linked();
    let located = Message::new(MessageType::LocateAccept, Transaction::answered(0))
        .with(dect_nwk::InformationElement::Empty(dect_nwk::ElementIdentifier::PortableIdentity))
        .with(dect_nwk::element::LocationArea::of_level(31));
    assert_eq!(victim.hears(&located), []);
    assert_eq!(victim.part.poll_event(), Some(Event::Located { tpui: None }));
    victim.part.authenticate_fixed_part(victim.now).unwrap();
    assert_eq!(victim.said(), [MessageType::AuthenticationRequest]);
    let reply = Message::new(MessageType::AuthenticationReply, Transaction::answered(0))
        .with(Rand([3; 8]))
        .with(Res([0; 4]))
        .with(Rs::Rs128([1; 16]));
    victim.hears(&reply);
    assert_eq!(victim.part.poll_event(), Some(Event::FixedPartAuthenticated { genuine: false }));
}

#[test]
fn a_temporary_identity_from_the_fixed_part_is_acknowledged_in_its_transaction_and_used() {
    let mut victim = Victim::new(Some(Subscription::new(Ipui::N(ipei()), park())));
    victim.part.locate(victim.now).unwrap();
    victim.linked();
    let tpui = dect_nwk::identity::Tpui::new(0x01234).unwrap();
    let assign = Message::new(MessageType::TemporaryIdentityAssign, Transaction::opened(0))
        .with(PortableIdentity::Tpui(tpui));
    let sdu = assign.to_bytes();
    victim.part.handle_input(victim.now, Input::Data { link: LINK, sdu: &sdu }).unwrap();
    let mut buffer = BytesMut::new();
    victim.part.poll_transmit(&mut buffer).unwrap();
    assert_eq!(buffer[..], [0x85, 0x5d], "the flag says: yours");
    assert_eq!(victim.part.subscription().unwrap().tpui, Some(tpui));
}

fn known() -> Subscription {
    let mut subscription = Subscription::new(Ipui::N(ipei()), park());
    subscription.tpui = Some(dect_nwk::identity::Tpui::new(0x01234).unwrap());
    subscription
}

fn setup(value: u8) -> Message {
    Message::new(MessageType::CcSetup, Transaction::opened(value))
        .with(PortableIdentity::Ipui(Ipui::N(ipei())))
        .with(FixedIdentity::park(park()))
        .with(dect_nwk::element::BasicService::NORMAL_SPEECH)
}

#[test]
fn a_temporary_identity_the_fixed_part_does_not_know_is_erased() {
    let mut victim = Victim::new(Some(known()));
    // W = 1, header 100, the low 16 bits of the temporary identity; then one for somebody else.
    victim.part.handle_input(victim.now, Input::Broadcast(&[0x0c, 0x99, 0x34])).unwrap();
    assert_eq!(victim.said(), []);
    victim.part.handle_input(victim.now, Input::Broadcast(&[0x0c, 0x12, 0x34])).unwrap();
    assert_eq!(victim.said(), [MessageType::LcePageResponse]);
    victim.linked();
    for (reason, left) in [(RejectReason::FalseLceReply, true), (RejectReason::InvalidTpui, false)] {
        let reject = Message::new(MessageType::LcePageReject, Transaction::answered(0))
            .with(PortableIdentity::Ipui(Ipui::N(ipei())))
            .with(reason);
        victim.hears(&reject);
        assert_eq!(victim.part.subscription().unwrap().tpui.is_some(), left);
    }
}

#[test]
fn a_third_call_finds_the_portable_part_busy_and_a_call_for_another_is_not_taken() {
    let mut victim = Victim::new(Some(known()));
    victim.part.handle_input(victim.now, Input::Broadcast(&[0x0c, 0x12, 0x34])).unwrap();
    victim.linked();
    let mut stranger = setup(5).to_bytes().to_vec();
    stranger[8] ^= 1;
    victim.part.handle_input(victim.now, Input::Data { link: LINK, sdu: &stranger }).unwrap();
    assert_eq!(victim.said(), [MessageType::CcReleaseCom]);
    assert_eq!(victim.hears(&setup(0)), [MessageType::CcAlerting]);
    assert_eq!(victim.hears(&setup(1)), [MessageType::CcAlerting]);
    let sdu = setup(2).to_bytes();
    victim.part.handle_input(victim.now, Input::Data { link: LINK, sdu: &sdu }).unwrap();
    let mut buffer = BytesMut::new();
    victim.part.poll_transmit(&mut buffer).unwrap();
    assert_eq!(buffer[..], [0xa3, 0x5a, 0xe2, 0x14]);
}

#[test]
fn after_a_collision_the_user_waits_for_cc_06_before_calling_again() {
    let mut victim = Victim::new(Some(known()));
    victim.part.dial(victim.now, "1").unwrap();
    victim.linked();
    assert_eq!(victim.hears(&setup(0)), [MessageType::CcReleaseCom]);
    let refused = Message::new(MessageType::CcReleaseCom, Transaction::answered(0))
        .with(dect_nwk::element::ReleaseReason::InsufficientResources);
    victim.hears(&refused);
    let busy = Err(dect_nwk::Error::Refused(dect_nwk::Refusal::Busy));
    assert_eq!(victim.part.dial(victim.now, "1"), busy);
    victim.now += dect_nwk::timers::CC_06;
    victim.part.handle_timeout(victim.now);
    assert!(victim.part.dial(victim.now, "1").is_ok());
}

#[test]
fn cc_notify_restarts_or_stops_the_timer_that_runs() {
    for (restart, after) in [(0x00, 20), (0x01, 1000)] {
        let mut victim = Victim::new(Some(known()));
        let call = victim.part.dial(victim.now, "1").unwrap();
        victim.linked();
        victim.now += std::time::Duration::from_secs(19);
        victim.part.handle_timeout(victim.now);
        let notify = [0x83, 0x6e, 0xe5, restart];
        victim.part.handle_input(victim.now, Input::Data { link: LINK, sdu: &notify }).unwrap();
        victim.now += std::time::Duration::from_secs(after - 1);
        victim.part.handle_timeout(victim.now);
        assert!(victim.part.call_state(call).is_some());
        victim.now += std::time::Duration::from_secs(1);
        victim.part.handle_timeout(victim.now);
        assert_eq!(victim.part.call_state(call).is_some(), restart == 0x01);
    }
}
