//! What happens outside of calls and below them: call independent services, links that sleep, links that move, long
//! elements in segments, and the parameters of an external handover.

mod world;

use dect_nwk::ciss::{Notice, Request};
use dect_nwk::element::*;
use dect_nwk::fixed_part::{Event, FixedPartConfig, HandoverParameters, IncomingCall, Notification};
use dect_nwk::identity::{Ari, Park};
use dect_nwk::lce::State;
use dect_nwk::message::{Message, MessageType, Transaction};
use dect_nwk::portable_part::Event as Heard;
use dect_nwk::{CallId, Error, Octets, Refusal, ServiceId};
use std::time::Duration;
use world::{World, config};

const SOON: Duration = Duration::from_millis(500);
const LATER: Duration = Duration::from_secs(8);

fn services() -> FixedPartConfig {
    let mut settings = config();
    settings.call_independent_services = true;
    settings
}

fn keys(keys: &str) -> Request {
    Request { keys: keys.to_owned(), ..Request::default() }
}

fn text(text: &str) -> Notice {
    Notice { display: Some(text.to_owned()), ..Notice::default() }
}

/// A located handset whose link is gone again.
fn idle(settings: FixedPartConfig) -> World {
    let mut world = World::with_handset(settings, true);
    world.pass(LATER);
    world.clear();
    world.assert_quiet();
    world
}

mod services_outside_of_calls {
    use super::*;

    /// Codes of the keypad protocol are the system's own: those of ISDN telephones, for forwarding all calls.
    #[test]
    fn forwarding_is_switched_on_asked_for_and_switched_off_with_codes() {
        let mut world = idle(services());
        let portable = world.portable(0);
        for (code, answer) in [
            ("*21*2005#", "Forwarded to 2005"),
            ("*#21#", "All calls to 2005"),
            ("#21#", "Forwarding is off"),
        ] {
            let own = world.handsets[0].part.open_service(world.now, &keys(code)).unwrap();
            world.pass(SOON);
            let [Event::ServiceOpened { service, portable: who, request }] = &world.fixed_events[..] else {
                panic!("{:?}", world.fixed_events)
            };
            assert_eq!((*who, request), (portable, &keys(code)));
            let service = *service;
            world.fixed.service_notice(world.now, service, &text(answer)).unwrap();
            world.fixed.close_service(world.now, service, ReleaseReason::Normal, &Notice::default()).unwrap();
            world.pass(SOON);
            let shown = text(&format!("\u{c}{answer}"));
            assert_eq!(
                world.heard(0),
                [
                    Heard::ServiceNoticed { service: own, notice: shown },
                    Heard::ServiceClosed {
                        service: own,
                        reason: ReleaseReason::Normal,
                        notice: Notice::default()
                    },
                ]
            );
            assert_eq!(world.ladder, ["P>F CISS-REGISTER", "F>P FACILITY", "F>P CISS-RELEASE-COM"]);
            world.clear();
        }
        // Partial release: the link stayed for the next one, and goes after LCE.02.
        assert_eq!(world.fixed.state(portable).unwrap().link_state, State::Established);
        world.pass(LATER);
        world.assert_quiet();
    }

    #[test]
    fn forwarding_is_switched_with_a_feature_key_and_its_lamp_is_told() {
        let mut world = idle(services());
        let feature = FeatureActivate { feature: Feature::NumberedKey, parameter: Some(9) };
        let request = Request { feature: Some(feature), ..Request::default() };
        let own = world.handsets[0].part.open_service(world.now, &request).unwrap();
        world.pass(SOON);
        let [Event::ServiceOpened { service, request: found, .. }] = &world.fixed_events[..] else {
            panic!("{:?}", world.fixed_events)
        };
        assert_eq!(found, &request);
        let lamp = FeatureIndicate {
            feature: Feature::NumberedKey,
            parameter: Some(9),
            status: FeatureStatus::Activated,
            components: Octets::default(),
        };
        let notice = Notice { feature: Some(lamp), ..Notice::default() };
        let service = *service;
        world.fixed.close_service(world.now, service, ReleaseReason::Normal, &notice).unwrap();
        world.pass(SOON);
        let reason = ReleaseReason::Normal;
        assert_eq!(world.heard(0), [Heard::ServiceClosed { service: own, reason, notice }]);
    }

    #[test]
    fn forwarding_is_switched_with_remote_operations_short_and_long() {
        let mut world = idle(services());
        // An invocation with its operation as a stranger to it sees them: octets.
        let invoke = [0xa1, 0x0a, 0x02, 0x01, 0x01, 0x02, 0x01, 0x09, 0x30, 0x02, 0x80, 0x00];
        let request = Request { components: invoke.to_vec(), ..Request::default() };
        let own = world.handsets[0].part.open_service(world.now, &request).unwrap();
        world.pass(SOON);
        let [Event::ServiceOpened { service, .. }] = world.fixed_events[..] else { panic!() };
        world.clear();
        let long = Notice { components: vec![0xa2; 900], ..Notice::default() };
        world.fixed.service_notice(world.now, service, &long).unwrap();
        let long_request = Request { components: vec![0xa1; 400], ..keys("1") };
        world.handsets[0].part.service_request(world.now, own, &long_request).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::ServiceNoticed { service: own, notice: long }]);
        assert_eq!(world.fixed_events, [Event::ServiceRequested { service, request: long_request }]);
        assert_eq!(world.ladder.iter().filter(|it| *it == "F>P FACILITY").count(), 901_usize.div_ceil(50));
        assert!(world.said.iter().all(|sdu| sdu.len() <= 66), "segments keep messages short");
        let too_long = Notice { components: vec![0; 5000], ..Notice::default() };
        assert!(world.fixed.service_notice(world.now, service, &too_long).is_err());
        world.handsets[0].part.close_service(world.now, own, ReleaseReason::Normal).unwrap();
        world.pass(LATER);
        world.assert_quiet();
    }

    #[test]
    fn waiting_messages_and_missed_calls_are_told_in_a_transaction_too() {
        let mut world = idle(services());
        let portable = world.portable(0);
        let service = world.fixed.open_service(world.now, portable, &Notice::default()).unwrap();
        let notification =
            Notification { voice_messages: Some(3), missed_calls: Some(1), ..Notification::default() };
        world.fixed.service_notification(world.now, service, &notification).unwrap();
        world.fixed.close_service(world.now, service, ReleaseReason::Normal, &Notice::default()).unwrap();
        world.pass(SOON);
        assert_eq!(world.pages, 1);
        let own = ServiceId(1);
        let (reason, notice) = (ReleaseReason::Normal, Notice::default());
        assert_eq!(
            world.heard(0),
            [
                Heard::ServiceOpened { service: own, notice: notice.clone() },
                Heard::Notified { voice_messages: Some(3), missed_calls: Some(1) },
                Heard::ServiceClosed { service: own, reason, notice },
            ]
        );
        world.pass(LATER);
        world.assert_quiet();
    }

    #[test]
    fn both_sides_may_use_the_same_number_and_the_seventh_has_to_wait() {
        let mut world = idle(services());
        let portable = world.portable(0);
        for _ in 0..6 {
            world.handsets[0].part.open_service(world.now, &keys("1")).unwrap();
            world.fixed.open_service(world.now, portable, &Notice::default()).unwrap();
        }
        let busy = Error::Refused(Refusal::Busy);
        assert_eq!(world.handsets[0].part.open_service(world.now, &keys("1")), Err(busy));
        assert_eq!(world.fixed.open_service(world.now, portable, &Notice::default()), Err(busy));
        world.pass(SOON);
        assert_eq!((world.fixed.load().services, world.handsets[0].part.state().services), (12, 12));
        // Nobody says anything: both sides give up.
        world.pass(Duration::from_secs(40));
        assert_eq!((world.fixed.load().services, world.handsets[0].part.state().services), (0, 0));
        world.assert_quiet();
    }

    #[test]
    fn a_service_is_refused_by_name_where_it_is_not_offered_or_not_known() {
        let mut world = idle(config());
        let own = world.handsets[0].part.open_service(world.now, &keys("*#21#")).unwrap();
        world.pass(SOON);
        let (reason, notice) = (ReleaseReason::ServiceNotImplemented, Notice::default());
        assert_eq!(world.heard(0), [Heard::ServiceClosed { service: own, reason, notice }]);
        assert!(world.fixed_events.is_empty());
        world.clear();
        let unknown = Message::new(MessageType::CissFacility, Transaction::opened(3)).to_bytes();
        world.inject(0, &unknown);
        world.pass(SOON);
        assert_eq!(world.ladder, ["F>P CISS-RELEASE-COM"]);
        let refused = Message::parse(world.said.last().unwrap()).unwrap();
        assert_eq!(refused.find(), Some(&ReleaseReason::UnknownTransactionIdentifier));
        assert_eq!(
            world.fixed.service_notice(world.now, ServiceId(9), &Notice::default()),
            Err(Error::Refused(Refusal::UnknownService))
        );
    }

    #[test]
    fn a_register_with_somebody_elses_identity_is_refused() {
        let mut world = idle(services());
        world.add_handset(true);
        world.bring_into_service(1);
        let theirs = world.handsets[1].part.subscription().unwrap().ipui;
        world.handsets[0].part.open_service(world.now, &keys("1")).unwrap();
        world.pass(SOON);
        world.clear();
        let foreign = Message::new(MessageType::CissRegister, Transaction::opened(1))
            .with(PortableIdentity::Ipui(theirs))
            .to_bytes();
        world.inject(0, &foreign);
        world.pass(SOON);
        assert_eq!(world.ladder, ["F>P CISS-RELEASE-COM"]);
        assert!(world.fixed_events.is_empty());
    }

    #[test]
    fn a_lost_link_and_a_handset_out_of_range_end_the_service_on_both_sides() {
        let mut world = idle(services());
        let portable = world.portable(0);
        world.handsets[0].part.open_service(world.now, &keys("1")).unwrap();
        world.pass(SOON);
        world.clear();
        world.lose_links(0);
        world.pass(SOON);
        assert!(matches!(
            world.fixed_events[..],
            [Event::ServiceClosed { reason: ReleaseReason::Unknown, .. }]
        ));
        assert!(matches!(world.heard(0)[..], [Heard::ServiceClosed { .. }, Heard::LinkLost]));
        world.assert_quiet();
        world.clear();
        world.handsets[0].in_range = false;
        world.fixed.open_service(world.now, portable, &text("Hello")).unwrap();
        world.pass(Duration::from_secs(20));
        assert!(matches!(
            world.fixed_events[..],
            [Event::ServiceClosed { reason: ReleaseReason::UserNotInRange, .. }, Event::Unreachable { .. }]
        ));
        world.assert_quiet();
    }

    #[test]
    fn the_fixed_part_frees_the_link_itself_and_waits_for_nobody() {
        // A handset that hears nothing any more keeps its end open longer than this.
        let mut settings = services();
        settings.service_idle = Duration::from_secs(5);
        for closes in [true, false] {
            let mut world = idle(settings.clone());
            world.handsets[0].part.open_service(world.now, &keys("1")).unwrap();
            world.pass(SOON);
            let [Event::ServiceOpened { service, .. }] = world.fixed_events[..] else { panic!() };
            world.handsets[0].silent = true;
            world.clear();
            if closes {
                let notice = Notice::default();
                world.fixed.close_service(world.now, service, ReleaseReason::Normal, &notice).unwrap();
            } else {
                world.pass(LATER);
                let (reason, request) = (ReleaseReason::TimerExpiry, Request::default());
                assert_eq!(world.fixed_events, [Event::ServiceClosed { service, reason, request }]);
            }
            world.pass(LATER);
            let load = world.fixed.load();
            assert_eq!((load.services, load.links, load.timers), (0, 0, 0));
        }
    }

    #[test]
    fn a_service_goes_on_beside_a_call() {
        let mut world = World::with_handset(services(), true);
        let (call, _) = world.talk();
        world.handsets[0].part.open_service(world.now, &keys("*#21#")).unwrap();
        world.pass(SOON);
        let [Event::ServiceOpened { service, .. }] = world.fixed_events[..] else { panic!() };
        world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
        world.pass(LATER);
        // The link outlives the call as long as the service needs it.
        assert_eq!((world.fixed.load().calls, world.fixed.load().links), (0, 1));
        world.fixed.close_service(world.now, service, ReleaseReason::Normal, &Notice::default()).unwrap();
        world.pass(LATER);
        world.assert_quiet();
    }
}

mod links_that_sleep {
    use super::*;

    fn asleep() -> World {
        let mut world = World::with_handset(config(), true);
        world.pass(LATER);
        let portable = world.portable(0);
        world.fixed.suggest_access_rights(world.now, portable).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed.suspend(world.now, portable), Ok(()));
        world.pass(LATER);
        assert_eq!(world.fixed.state(portable).unwrap().link_state, State::Suspended);
        assert_eq!(world.handsets[0].part.state().link_state, State::Suspended);
        assert_eq!((world.fixed.load().timers, world.fixed.load().links), (0, 1));
        world.clear();
        world.slept.clear();
        world
    }

    #[test]
    fn a_call_from_either_side_wakes_the_link_without_a_page() {
        for from_fixed in [true, false] {
            let mut world = asleep();
            let portable = world.portable(0);
            if from_fixed {
                world.fixed.setup(world.now, portable, IncomingCall::default()).unwrap();
            } else {
                world.handsets[0].part.dial(world.now, "1").unwrap();
            }
            world.pass(SOON);
            assert_eq!((world.pages, &world.slept[..]), (0, &[false][..]));
            assert_eq!(world.fixed.state(portable).unwrap().link_state, State::Established);
            assert_eq!((world.fixed.load().calls, world.handsets[0].part.state().calls), (1, 1));
            let call = CallId(1);
            world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
            world.pass(LATER);
            world.assert_quiet();
        }
    }

    #[test]
    fn a_link_in_use_is_not_put_to_sleep_and_one_that_falls_asleep_in_use_is_woken() {
        let mut world = World::with_handset(config(), true);
        world.talk();
        let portable = world.portable(0);
        let busy = Err(Error::Refused(Refusal::Busy));
        assert_eq!(world.fixed.suspend(world.now, portable), busy);
        assert_eq!(world.handsets[0].part.suspend(world.now), busy);
        // The link layer lets it sleep all the same.
        world.fall_asleep(0);
        world.pass(SOON);
        assert_eq!(world.slept, [false, false], "both sides want it back");
        assert_eq!(world.fixed.load().calls, 1);
        assert_eq!(world.fixed.state(portable).unwrap().link_state, State::Established);
    }

    #[test]
    fn a_link_that_does_not_wake_up_is_given_up_after_lce_04_and_the_handset_is_paged() {
        let mut world = asleep();
        let portable = world.portable(0);
        world.handsets[0].silent = true;
        let call = world.fixed.setup(world.now, portable, IncomingCall::default()).unwrap();
        world.pass(Duration::from_millis(4900));
        assert_eq!((world.pages, world.fixed.state(portable).unwrap().link_state), (0, State::ResumePending));
        world.handsets[0].silent = false;
        world.pass(SOON);
        assert_eq!(world.pages, 1);
        assert_eq!(world.fixed.call_state(call), Some(dect_nwk::cc_fixed::State::CallReceived));
        world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
        world.pass(LATER);
        world.assert_quiet();
    }

    #[test]
    fn a_sleeping_link_that_is_lost_leaves_nothing() {
        let mut world = asleep();
        world.lose_links(0);
        world.pass(SOON);
        world.assert_quiet();
        let portable = world.portable(0);
        assert_eq!(world.fixed.suspend(world.now, portable), Err(Error::Refused(Refusal::NoLink)));
    }

    #[test]
    fn a_stranger_takes_nothing_from_a_sleeping_handset_before_the_key_is_proven() {
        let mut world = asleep();
        let portable = world.portable(0);
        let link = world.fixed.state(portable).unwrap().link;
        let ipui = world.handsets[0].part.subscription().unwrap().ipui;
        let setup = Message::new(MessageType::CcSetup, Transaction::opened(0))
            .with(PortableIdentity::Ipui(ipui))
            .with(FixedIdentity::park(Park::of(world::ari())))
            .with(BasicService::NORMAL_SPEECH)
            .to_bytes();
        let stranger = dect_nwk::LinkId(9999);
        let input = dect_nwk::Input::Established { link: stranger, sdu: Some(&setup) };
        world.fixed.handle_input(world.now, input).unwrap();
        world.pass(SOON);
        assert_eq!(world.ladder, ["F>P AUTHENTICATION-REQUEST"]);
        assert_eq!(world.fixed.state(portable).unwrap().link, link);
        assert!(world.fixed_events.is_empty());
    }
}

mod links_that_move {
    use super::*;

    #[test]
    fn a_call_goes_on_under_another_number_on_either_side() {
        let mut world = World::with_handset(config(), true);
        let (call, own) = world.talk();
        let portable = world.portable(0);
        let before = world.fixed.state(portable).unwrap().link;
        world.move_link(0);
        let after = world.fixed.state(portable).unwrap().link;
        assert!(after.is_some() && before != after);
        world.handsets[0].part.keypad(world.now, own, "5").unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Keypad { call, keys: "5".into() }]);
        world.move_link_of_handset(0, 4711);
        world.clear();
        let signal = Some(Signal::Busy);
        let information = dect_nwk::fixed_part::Information { signal, ..Default::default() };
        world.fixed.information(world.now, call, &information).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::Signal { call: own, signal: Signal::Busy }]);
        world.handsets[0].part.release(world.now, own, ReleaseReason::Normal).unwrap();
        world.pass(LATER);
        world.assert_quiet();
    }

    #[test]
    fn a_link_moves_neither_onto_another_one_nor_from_nowhere() {
        let mut world = World::with_handset(config(), true);
        world.talk();
        world.add_handset(true);
        let portable = world.portable(0);
        let link = world.fixed.state(portable).unwrap().link.unwrap();
        let nowhere = dect_nwk::LinkId(31337);
        for (from, to) in [(nowhere, dect_nwk::LinkId(1)), (link, link)] {
            let moved = dect_nwk::Input::Moved { from, to };
            world.fixed.handle_input(world.now, moved).unwrap();
            assert_eq!(world.fixed.state(portable).unwrap().link, Some(link));
        }
        assert_eq!(world.fixed.load().links, 1);
    }

    #[test]
    fn an_interrupted_procedure_ends_over_the_moved_link() {
        let mut world = World::with_handset(config(), true);
        world.talk();
        let portable = world.portable(0);
        world.fixed.identify(world.now, portable).unwrap();
        world.pass(Duration::from_millis(16));
        world.move_link(0);
        world.pass(SOON);
        assert!(matches!(world.fixed_events[..], [Event::Identified { .. }]), "{:?}", world.fixed_events);
    }
}

mod external_handover {
    use super::*;

    fn parameters() -> HandoverParameters {
        let park = |number| FixedIdentity::park(Park::of(Ari::class_b(0x1001, number).unwrap()));
        HandoverParameters {
            candidates: vec![park(0x200), park(0x300)],
            reference: Some(NetworkParameter {
                kind: NetworkParameterType::HandoverReferencePrivate,
                data: Octets::new(&[1, 2, 3, 4]).unwrap(),
            }),
        }
    }

    #[test]
    fn its_parameters_are_asked_for_given_refused_and_suggested() {
        let mut settings = config();
        settings.handover_parameters = true;
        let mut world = World::with_handset(settings, true);
        let portable = world.portable(0);
        world.talk();
        for answer in [Some(parameters()), None] {
            world.handsets[0].part.retrieve_handover_parameters(world.now).unwrap();
            world.pass(SOON);
            let asked = vec![Parameter::ExternalHandoverParameters];
            assert_eq!(world.fixed_events, [Event::ParametersRequested { portable, parameters: asked }]);
            world.fixed.answer_parameters(world.now, portable, answer.as_ref()).unwrap();
            world.pass(SOON);
            let heard = answer.map_or(
                Heard::ParametersRefused { reason: RejectReason::IncompatibleService },
                Heard::HandoverParameters,
            );
            assert_eq!(world.heard(0), [heard]);
            assert_eq!(
                world.fixed.answer_parameters(world.now, portable, None),
                Err(Error::Refused(Refusal::UnknownRequest))
            );
            world.clear();
        }
        world.fixed.suggest_handover(world.now, portable, &parameters()).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::HandoverParameters(parameters())]);
    }

    #[test]
    fn a_request_that_is_not_answered_is_repeated_once_after_mm_info_1() {
        let mut settings = config();
        settings.handover_parameters = true;
        let mut world = World::with_handset(settings, true);
        world.talk();
        world.handsets[0].part.retrieve_handover_parameters(world.now).unwrap();
        world.pass(Duration::from_millis(5100));
        assert_eq!(world.ladder, ["P>F MM-INFO-REQUEST", "P>F MM-INFO-REQUEST"]);
        world.pass(Duration::from_secs(5));
        assert_eq!(world.heard(0), [Heard::ParametersRefused { reason: RejectReason::TimerExpiry }]);
    }

    #[test]
    fn a_system_without_neighbours_says_so_and_takes_no_call_from_another_system() {
        let mut world = World::with_handset(config(), true);
        world.talk();
        world.handsets[0].part.retrieve_handover_parameters(world.now).unwrap();
        world.pass(SOON);
        let reason = RejectReason::IncompatibleService;
        assert_eq!(world.heard(0), [Heard::ParametersRefused { reason }]);
        world.clear();
        let ipui = world.handsets[0].part.subscription().unwrap().ipui;
        let service = BasicService { class: CallClass::ExternalHandover, service: Service::BasicSpeech };
        let setup = Message::new(MessageType::CcSetup, Transaction::opened(4))
            .with(PortableIdentity::Ipui(ipui))
            .with(FixedIdentity::park(Park::of(world::ari())))
            .with(service)
            .to_bytes();
        world.inject(0, &setup);
        world.pass(SOON);
        let refused = Message::parse(world.said.last().unwrap()).unwrap();
        assert_eq!(refused.message_type, MessageType::CcReleaseCom);
        assert_eq!(refused.find(), Some(&ReleaseReason::ExternalHandoverNotSupported));
    }
}

mod long_elements {
    use super::*;
    use dect_nwk::list_access::{Command, Entry, Field};

    #[test]
    fn remote_operations_of_every_length_arrive_whole_from_either_side() {
        for length in [0, 1, 250, 251, 300, 2000, 4095] {
            let mut world = World::with_handset(config(), true);
            let (call, own) = world.talk();
            let components: Vec<u8> = (0..length).map(|octet| octet as u8).collect();
            world.fixed.facility(world.now, call, &components).unwrap();
            world.handsets[0].part.facility(world.now, own, &components).unwrap();
            world.pass(SOON);
            assert_eq!(world.heard(0), [Heard::Facility { call: own, components: components.clone() }]);
            assert_eq!(world.fixed_events, [Event::Facility { call, components }]);
            assert!(world.fixed.facility(world.now, call, &[0; 4096]).is_err());
        }
    }

    #[test]
    fn a_long_command_of_list_access_arrives_whole() {
        let mut settings = config();
        settings.list_access = true;
        let mut world = World::with_handset(settings, true);
        let own = world.handsets[0].part.list_access(world.now).unwrap();
        world.pass(SOON);
        let call = world.fixed_call();
        world.fixed.connect(world.now, call).unwrap();
        world.pass(SOON);
        world.clear();
        let entry = Entry { identifier: 1, fields: vec![Field::text(1, &"Ada ".repeat(100))] };
        let mut octets = bytes::BytesMut::new();
        entry.emit(&[], &mut octets);
        let command = Command::LastData { session: 1, octets: octets.to_vec() };
        world.fixed.list_command(world.now, call, &command).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::ListCommand { call: own, command: command.clone() }]);
        world.handsets[0].part.list_command(world.now, own, &command).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::ListCommand { call, command }]);
    }

    #[test]
    fn segments_that_do_not_come_in_time_or_in_order_are_dropped_and_leave_no_timer() {
        let mut world = World::with_handset(config(), true);
        let (call, _) = world.talk();
        let segments: Vec<_> = dect_nwk::segmentation::cut(ElementIdentifier::Facility, &[0x91; 120])
            .unwrap()
            .map(|[info, piece]| {
                Message::new(MessageType::CrssFacility, Transaction::opened(0))
                    .with(info)
                    .with(piece)
                    .to_bytes()
            })
            .collect();
        let timers = world.fixed.load().timers;
        world.inject(0, &segments[0]);
        world.pass(SOON);
        assert_eq!(world.fixed.load().timers, timers + 1, "CC_segment.1 runs");
        // Out of order.
        world.inject(0, &segments[2]);
        world.pass(SOON);
        assert_eq!((world.fixed.load().timers, world.fixed_events.len()), (timers, 0));
        // Too late.
        world.inject(0, &segments[0]);
        world.pass(Duration::from_millis(5100));
        assert_eq!(world.fixed.load().timers, timers);
        world.inject(0, &segments[1]);
        world.inject(0, &segments[2]);
        world.pass(SOON);
        assert!(world.fixed_events.is_empty());
        // In time and in order.
        for segment in &segments {
            world.inject(0, segment);
        }
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Facility { call, components: vec![0x91; 119] }]);
        assert_eq!(world.fixed.load().timers, timers);
    }
}

/// A handset loses its link, the fixed part does not notice, and the handset comes back over another one: what is
/// ciphered from then on uses the key of the proof, not the one before.
#[test]
fn the_key_proven_over_a_second_link_is_the_one_that_ciphers_it() {
    let mut settings = config();
    settings.cipher_calls = true;
    let mut world = World::with_handset(settings, true);
    world.pass(LATER);
    let portable = world.portable(0);
    world.fixed.setup(world.now, portable, IncomingCall::default()).unwrap();
    world.handsets[0].silent = true;
    world.pass(SOON);
    assert_eq!(world.fixed.state(portable).unwrap().link_state, State::Established);
    world.lose_link_of_handset_unnoticed(0);
    world.handsets[0].silent = false;
    world.clear();
    world.handsets[0].part.dial(world.now, "2002").unwrap();
    // The harness compares the keys of both sides whenever ciphering begins.
    world.pass(Duration::from_secs(2));
    assert!(world.ladder.contains(&"F>P CIPHER-REQUEST".to_owned()), "{:#?}", world.ladder);
    assert!(world.heard(0).contains(&Heard::Ciphered { on: true }));
}

/// Forwarding inside a call: keys, feature key, remote operations, each passed up with the call they belong to.
#[test]
fn forwarding_is_asked_for_inside_a_call_in_all_three_ways() {
    let mut world = World::with_handset(config(), true);
    let (call, own) = world.talk();
    for code in ["*21*2005#", "*#21#", "#21#", "\u{15}*61*2005#"] {
        world.handsets[0].part.keypad(world.now, own, code).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events.pop(), Some(Event::Keypad { call, keys: code.into() }));
        let information = dect_nwk::fixed_part::Information {
            display: Some("Forwarded".into()),
            signal: Some(Signal::Confirm),
            ..Default::default()
        };
        world.fixed.information(world.now, call, &information).unwrap();
        world.pass(SOON);
        assert!(world.heard(0).contains(&Heard::Signal { call: own, signal: Signal::Confirm }));
        world.clear();
    }
    let feature = FeatureActivate { feature: Feature::NumberedKey, parameter: Some(9) };
    world.handsets[0].part.activate_feature(world.now, own, feature).unwrap();
    world.handsets[0].part.facility(world.now, own, &[0xa1, 3, 2, 1, 9]).unwrap();
    world.pass(SOON);
    assert_eq!(
        world.fixed_events,
        [
            Event::FeatureActivated { call, feature },
            Event::Facility { call, components: vec![0xa1, 3, 2, 1, 9] }
        ]
    );
    // And in CC-SETUP, as a call of its own that ends with a text and a tone.
    world.handsets[0].part.release(world.now, own, ReleaseReason::PartialRelease).unwrap();
    world.pass(SOON);
    world.clear();
    let own = world.handsets[0].part.dial(world.now, "*21*2005#").unwrap();
    world.pass(SOON);
    assert!(matches!(&world.fixed_events[0], Event::Setup { called, .. } if called == "*21*2005#"));
    let call = world.fixed_call();
    world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
    world.pass(SOON);
    assert!(world.heard(0).contains(&Heard::Released { call: own, reason: ReleaseReason::Normal }));
}

#[test]
fn internal_service_and_emergency_calls_are_named_and_need_access_rights_all_the_same() {
    let mut world = World::with_handset(config(), true);
    for class in [CallClass::Internal, CallClass::Service, CallClass::Emergency] {
        let own = world.handsets[0].part.dial_as(world.now, "17", class).unwrap();
        world.pass(SOON);
        let call = world.fixed_call();
        assert!(
            matches!(&world.fixed_events[..], [Event::Setup { class: found, called, .. }] if *found == class && called == "17")
        );
        world.fixed.connect(world.now, call).unwrap();
        world.handsets[0].part.release(world.now, own, ReleaseReason::PartialRelease).unwrap();
        world.pass(LATER);
        world.clear();
    }
    for class in [CallClass::Message, CallClass::UltraLowEnergy] {
        let own = world.handsets[0].part.dial_as(world.now, "17", class).unwrap();
        world.pass(SOON);
        let reason = ReleaseReason::ServiceNotImplemented;
        assert!(world.heard(0).contains(&Heard::Released { call: own, reason }));
        assert!(world.fixed_events.is_empty());
        world.clear();
    }
}
