//! Fixed part and portable parts back to back in virtual time.

mod world;

use dect_nwk::element::{RejectReason, ReleaseReason, Signal};
use dect_nwk::fixed_part::{Event, IncomingCall, Information, Tones};
use dect_nwk::portable_part::{DialElement, Event as Heard, PortablePartConfig};
use dect_nwk::{CallId, Error, Refusal};
use std::time::Duration;
use world::{World, config};

const SOON: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(8);

fn incoming() -> IncomingCall {
    IncomingCall {
        calling_number: Some("2001".into()),
        calling_name: Some("Ada".into()),
        display: Some("Ada 2001".into()),
        ..IncomingCall::default()
    }
}

mod subscription {
    use super::*;
    use dect_nwk::authentication::AuthenticationCode;

    fn subscribe(pin: &str, dsaa2: bool) -> World {
        let mut world = World::new(config(), 1);
        world.add_handset(dsaa2);
        let now = world.now;
        world.handsets[0].part.subscribe(now, AuthenticationCode::from_pin(pin).unwrap()).unwrap();
        world.pass(SOON);
        world
    }

    #[test]
    fn a_handset_with_the_code_gets_the_same_key_as_the_fixed_part_stores() {
        for dsaa2 in [false, true] {
            let mut world = subscribe(world::PIN, dsaa2);
            assert_eq!(
                world.ladder,
                [
                    "P>F ACCESS-RIGHTS-REQUEST",
                    "F>P KEY-ALLOCATE",
                    "P>F AUTHENTICATION-REQUEST",
                    "F>P AUTHENTICATION-REPLY",
                    "F>P ACCESS-RIGHTS-ACCEPT"
                ]
            );
            let stored = world
                .fixed_events
                .iter()
                .find_map(|event| match event {
                    Event::Subscribed { uak, dsaa2: capable, .. } => Some((uak.clone(), *capable)),
                    _ => None,
                })
                .expect("subscribed");
            let known = world.handsets[0].part.subscription().expect("subscribed");
            assert_eq!(known.uak.as_ref(), Some(&stored.0));
            assert_eq!(stored.1, dsaa2);
            world.pass(LONG);
            world.assert_quiet();
        }
    }

    #[test]
    fn a_wrong_code_is_answered_with_two_rejects_of_reason_10_and_leaves_nothing() {
        for dsaa2 in [false, true] {
            let mut world = subscribe("4321", dsaa2);
            assert_eq!(
                world.ladder[3..],
                ["F>P AUTHENTICATION-REJECT".to_owned(), "F>P ACCESS-RIGHTS-REJECT".to_owned()]
            );
            assert!(matches!(
                world.fixed_events.last(),
                Some(Event::SubscriptionFailed { reason: RejectReason::AuthenticationFailed, .. })
            ));
            assert_eq!(
                world.heard(0),
                [Heard::SubscriptionFailed { reason: RejectReason::AuthenticationFailed }]
            );
            assert!(world.handsets[0].part.subscription().is_none());
            world.pass(LONG);
            world.assert_quiet();
            assert_eq!(world.fixed.load().portables, 0);
        }
    }

    #[test]
    fn the_owner_may_refuse() {
        let mut world = World::new(config(), 1);
        world.code = None;
        world.add_handset(true);
        let now = world.now;
        world.handsets[0].part.subscribe(now, AuthenticationCode::from_pin("1").unwrap()).unwrap();
        world.pass(SOON);
        let Some(Event::AccessRightsRequested { request, ipei, portable, .. }) = world.fixed_events.last()
        else {
            panic!("{:?}", world.fixed_events)
        };
        assert_eq!((*ipei, *portable), (Some(world::ipei(0x1000)), None));
        let (request, now) = (*request, world.now);
        world.fixed.refuse_access(now, request, RejectReason::IpeiNotAccepted).unwrap();
        assert_eq!(
            world.fixed.refuse_access(now, request, RejectReason::IpeiNotAccepted),
            Err(Error::Refused(Refusal::UnknownRequest))
        );
        world.pass(LONG);
        assert_eq!(world.heard(0), [Heard::SubscriptionFailed { reason: RejectReason::IpeiNotAccepted }]);
        world.assert_quiet();
        assert_eq!(world.fixed.load().portables, 0);
    }

    #[test]
    fn an_owner_who_never_answers_costs_the_handset_two_timers() {
        let mut world = World::new(config(), 1);
        world.code = None;
        world.add_handset(true);
        let now = world.now;
        world.handsets[0].part.subscribe(now, AuthenticationCode::from_pin("1").unwrap()).unwrap();
        world.pass(Duration::from_secs(119));
        assert!(world.heard(0).is_empty());
        world.pass(Duration::from_secs(20));
        assert_eq!(world.heard(0), [Heard::SubscriptionFailed { reason: RejectReason::TimerExpiry }]);
        world.assert_quiet();
    }

    #[test]
    fn a_handset_that_is_lost_in_the_middle_leaves_nothing() {
        let mut world = World::new(config(), 1);
        world.add_handset(true);
        let now = world.now;
        world.handsets[0].part.subscribe(now, AuthenticationCode::from_pin("1234").unwrap()).unwrap();
        world.pass(world::LATENCY * 2);
        world.lose_links(0);
        world.pass(LONG);
        assert!(matches!(world.heard(0)[0], Heard::SubscriptionFailed { .. }));
        assert!(matches!(world.fixed_events.last(), Some(Event::SubscriptionFailed { .. })));
        world.assert_quiet();
        assert_eq!(world.fixed.load().portables, 0);
    }

    #[test]
    fn a_second_subscription_keeps_the_portable_and_changes_the_key() {
        let mut world = World::with_handset(config(), true);
        let portable = world.portable(0);
        let former = world.handsets[0].part.subscription().unwrap().clone();
        let before = former.uak.clone();
        let now = world.now;
        world.handsets[0].part.subscribe(now, AuthenticationCode::from_pin("1234").unwrap()).unwrap();
        world.pass(LONG);
        assert_eq!(world.portable(0), portable);
        assert_ne!(world.handsets[0].part.subscription().unwrap().uak, before);
        let now = world.now;
        world.handsets[0].part.locate(now).unwrap();
        world.pass(LONG);
        assert!(world.handsets[0].part.state().located);
        // Once the new key has served, the former one is worth nothing.
        let mut settings = PortablePartConfig::new(world::ipei(0x1000));
        settings.subscription = Some(former);
        world.handsets[0].part = dect_nwk::PortablePart::new(settings, dect_nwk::Seed([1; 32]));
        let now = world.now;
        world.handsets[0].part.locate(now).unwrap();
        world.pass(LONG);
        assert!(!world.handsets[0].part.state().located);
    }

    #[test]
    fn a_handset_lost_in_the_middle_of_a_second_subscription_is_still_served_with_its_first_key() {
        let mut world = World::with_handset(config(), true);
        let first = world.handsets[0].part.subscription().unwrap().uak.clone();
        let code = AuthenticationCode::from_pin(world::PIN).unwrap();
        world.handsets[0].part.subscribe(world.now, code).unwrap();
        // The fixed part has sent its proof and the access rights; neither arrives.
        world.pass(world::LATENCY * 3);
        world.lose_links(0);
        world.pass(LONG);
        assert!(matches!(world.heard(0)[0], Heard::SubscriptionFailed { .. }));
        let keys = |world: &World| -> Vec<_> {
            world
                .fixed_events
                .iter()
                .filter_map(|event| match event {
                    Event::Subscribed { uak, .. } => Some(Some(uak.clone())),
                    _ => None,
                })
                .collect()
        };
        assert_eq!(keys(&world).len(), 1);
        assert_ne!(keys(&world)[0], first);
        world.handsets[0].part.locate(world.now).unwrap();
        world.pass(LONG);
        assert!(world.handsets[0].part.state().located);
        assert_eq!(keys(&world)[1..], [first]);
        world.assert_quiet();
    }

    #[test]
    fn access_rights_are_terminated_by_either_side() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.terminate_access(now, portable).unwrap();
        world.pass(LONG);
        assert_eq!(world.heard(0), [Heard::Terminated]);
        assert!(world.handsets[0].part.subscription().is_none());
        assert_eq!(world.fixed.load().portables, 0);
        world.assert_quiet();

        let mut world = World::with_handset(config(), false);
        let now = world.now;
        world.handsets[0].part.terminate_access(now).unwrap();
        world.pass(LONG);
        assert_eq!(
            world.ladder,
            [
                "P>F ACCESS-RIGHTS-TERMINATE-REQUEST",
                "F>P AUTHENTICATION-REQUEST",
                "P>F AUTHENTICATION-REPLY",
                "F>P ACCESS-RIGHTS-TERMINATE-ACCEPT"
            ]
        );
        assert_eq!(world.heard(0), [Heard::Authenticated, Heard::Terminated]);
        assert_eq!(world.fixed.load().portables, 0);
        world.assert_quiet();
    }

    #[test]
    fn a_handset_out_of_range_keeps_its_access_rights() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].in_range = false;
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.terminate_access(now, portable).unwrap();
        world.pass(Duration::from_mins(1));
        assert!(world.fixed_events.contains(&Event::TerminationFailed { portable }));
        assert!(world.fixed_events.contains(&Event::Unreachable { portable }));
        assert!(world.fixed.state(portable).unwrap().subscribed);
        world.assert_quiet();
    }
}

mod location {
    use super::*;

    #[test]
    fn a_located_handset_has_the_temporary_identity_the_fixed_part_knows() {
        for dsaa2 in [false, true] {
            let mut world = World::with_handset(config(), dsaa2);
            let now = world.now;
            world.handsets[0].part.locate(now).unwrap();
            world.pass(SOON);
            assert_eq!(
                world.ladder,
                [
                    "P>F LOCATE-REQUEST",
                    "F>P AUTHENTICATION-REQUEST",
                    "P>F AUTHENTICATION-REPLY",
                    "F>P LOCATE-ACCEPT",
                    "P>F TEMPORARY-IDENTITY-ASSIGN-ACK"
                ]
            );
            let tpui = world.handsets[0].part.subscription().unwrap().tpui;
            assert!(tpui.is_some());
            assert_eq!(world.heard(0), [Heard::Authenticated, Heard::Located { tpui }]);
            assert!(
                matches!(world.fixed_events.last(), Some(Event::Located { tpui: theirs, .. }) if *theirs == tpui)
            );
            world.pass(LONG);
            world.assert_quiet();
        }
    }

    #[test]
    fn without_assignment_nothing_is_acknowledged() {
        let mut settings = config();
        settings.assign_tpui = false;
        let mut world = World::with_handset(settings, true);
        let now = world.now;
        world.handsets[0].part.locate(now).unwrap();
        world.pass(LONG);
        assert_eq!(world.ladder.last().unwrap(), "F>P LOCATE-ACCEPT");
        assert_eq!(world.heard(0).last(), Some(&Heard::Located { tpui: None }));
        // The default temporary identity does for pages.
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.setup(now, portable, incoming()).unwrap();
        world.pass(SOON);
        assert!(world.heard(0).iter().any(|heard| matches!(heard, Heard::Ring { .. })));
    }

    #[test]
    fn a_handset_with_another_key_is_refused() {
        let mut world = World::with_handset(config(), true);
        let mut stolen = world.handsets[0].part.subscription().unwrap().clone();
        stolen.uak = Some(dect_nwk::authentication::Key128::new([0x55; 16]));
        let mut settings = PortablePartConfig::new(world::ipei(0x1000));
        settings.subscription = Some(stolen);
        world.handsets[0].part = dect_nwk::PortablePart::new(settings, dect_nwk::Seed([1; 32]));
        let now = world.now;
        world.handsets[0].part.locate(now).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.ladder[3..],
            ["F>P AUTHENTICATION-REJECT".to_owned(), "F>P LOCATE-REJECT".to_owned()]
        );
        assert!(matches!(
            world.fixed_events[..],
            [Event::AuthenticationFailed { .. }, Event::LocationRefused { .. }]
        ));
        world.pass(LONG);
        world.assert_quiet();
    }

    #[test]
    fn an_unknown_handset_is_refused_and_forgotten() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.remove_portable(now, portable).unwrap();
        world.handsets[0].part.locate(now).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::LocationFailed { reason: RejectReason::IpuiUnknown }]);
        world.pass(LONG);
        world.assert_quiet();
        assert_eq!(world.fixed.load().portables, 0);
    }

    #[test]
    fn a_handset_says_goodbye_and_tells_its_equipment_identity() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.identify(now, portable).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Identified { portable, ipei: Some(world::ipei(0x1000)) }]);
        world.pass(LONG);
        world.clear();
        let now = world.now;
        world.handsets[0].part.detach(now).unwrap();
        world.pass(LONG);
        assert_eq!(world.fixed_events, [Event::Detached { portable }]);
        world.assert_quiet();
    }

    #[test]
    fn both_sides_authenticate_each_other() {
        for dsaa2 in [false, true] {
            let mut world = World::with_handset(config(), dsaa2);
            let now = world.now;
            assert_eq!(
                world.handsets[0].part.authenticate_fixed_part(now),
                Err(Error::Refused(Refusal::NoLink))
            );
            world.handsets[0].part.locate(now).unwrap();
            world.pass(SOON);
            world.clear();
            let now = world.now;
            world.handsets[0].part.authenticate_fixed_part(now).unwrap();
            world.pass(LONG);
            assert_eq!(world.heard(0), [Heard::FixedPartAuthenticated { genuine: true }]);
            let (now, portable) = (world.now, world.portable(0));
            world.fixed.authenticate(now, portable).unwrap();
            world.pass(LONG);
            assert_eq!(world.heard(0)[1], Heard::Authenticated);
            assert_eq!(world.fixed_events, []);
            world.assert_quiet();
        }
    }
}

mod outgoing {
    use super::*;

    fn dialled(keypad: DialElement) -> World {
        let mut world = World::new(config(), 3);
        let mut settings = PortablePartConfig::new(world::ipei(0x1000));
        settings.dial_element = keypad;
        world.add_handset(true);
        world.handsets[0].part = dect_nwk::PortablePart::new(settings, dect_nwk::Seed([9; 32]));
        world.bring_into_service(0);
        let now = world.now;
        world.handsets[0].part.dial(now, "2002").unwrap();
        world.pass(SOON);
        world
    }

    #[test]
    fn all_digits_at_once_in_either_element() {
        for element in [DialElement::CalledPartyNumber, DialElement::Keypad] {
            let mut world = dialled(element);
            let Some(Event::Setup { call, called, complete, link, .. }) = world.fixed_events.last().cloned()
            else {
                panic!("{:?}", world.fixed_events)
            };
            assert_eq!((called.as_str(), complete), ("2002", true));
            assert_eq!(world.fixed.state(world.portable(0)).unwrap().link, Some(link));
            let now = world.now;
            world.fixed.call_proceeding(now, call).unwrap();
            world.fixed.alerting(now, call).unwrap();
            world.fixed.connect(now, call).unwrap();
            world.pass(SOON);
            let own = CallId(1);
            assert_eq!(
                world.heard(0),
                [
                    Heard::Proceeding { call: own },
                    Heard::RemoteAlerting { call: own },
                    Heard::Signal { call: own, signal: Signal::RingBack },
                    Heard::Connected { call: own },
                ]
            );
            let now = world.now;
            world.handsets[0].part.release(now, own, ReleaseReason::Normal).unwrap();
            world.pass(SOON);
            assert_eq!(
                world.fixed_events.last(),
                Some(&Event::Released { call, reason: ReleaseReason::Normal })
            );
            world.assert_quiet();
        }
    }

    #[test]
    fn digits_one_by_one_even_before_they_are_wanted() {
        let mut world = World::with_handset(config(), true);
        let now = world.now;
        let own = world.handsets[0].part.off_hook(now).unwrap();
        world.handsets[0].part.digits(now, own, "2", false).unwrap();
        world.pass(SOON);
        let call = world.fixed_call();
        assert!(
            matches!(&world.fixed_events[0], Event::Setup { called, complete: false, .. } if called.is_empty())
        );
        let now = world.now;
        world.fixed.setup_acknowledge(now, call).unwrap();
        world.pass(SOON);
        for digits in ["0", "0", "2"] {
            let now = world.now;
            world.handsets[0].part.digits(now, own, digits, false).unwrap();
            world.pass(Duration::from_secs(15));
        }
        let now = world.now;
        world.handsets[0].part.digits(now, own, "", true).unwrap();
        world.pass(SOON);
        let digits: Vec<_> = world
            .fixed_events
            .iter()
            .filter_map(|event| match event {
                Event::Digits { digits, complete, .. } => Some((digits.as_str(), *complete)),
                _ => None,
            })
            .collect();
        assert_eq!(digits, [("2", false), ("0", false), ("0", false), ("2", false), ("", true)]);
        assert!(world.heard(0).contains(&Heard::Signal { call: own, signal: Signal::DialTone }));
        let now = world.now;
        world.fixed.release(now, call, ReleaseReason::UserUnknown).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.heard(0).last(),
            Some(&Heard::Released { call: own, reason: ReleaseReason::UserUnknown })
        );
        world.assert_quiet();
    }

    #[test]
    fn a_user_who_types_nothing_is_released_after_cc_01() {
        let mut world = World::with_handset(config(), true);
        let now = world.now;
        let own = world.handsets[0].part.off_hook(now).unwrap();
        world.pass(SOON);
        let (now, call) = (world.now, world.fixed_call());
        world.fixed.setup_acknowledge(now, call).unwrap();
        world.pass(Duration::from_secs(19));
        assert!(!world.heard(0).iter().any(|heard| matches!(heard, Heard::Released { .. })));
        world.pass(Duration::from_secs(2));
        assert_eq!(
            world.heard(0).last(),
            Some(&Heard::Released { call: own, reason: ReleaseReason::TimerExpiry })
        );
        assert_eq!(
            world.fixed_events.last(),
            Some(&Event::Released { call, reason: ReleaseReason::TimerExpiry })
        );
        world.assert_quiet();
    }

    #[test]
    fn an_owner_who_never_answers_costs_the_caller_cc_03() {
        let mut world = World::with_handset(config(), true);
        let now = world.now;
        let own = world.handsets[0].part.dial(now, "1").unwrap();
        world.pass(Duration::from_secs(21));
        assert_eq!(world.heard(0), [Heard::Released { call: own, reason: ReleaseReason::TimerExpiry }]);
        let call = world.fixed_call();
        assert_eq!(
            world.fixed_events.last(),
            Some(&Event::Released { call, reason: ReleaseReason::TimerExpiry })
        );
        world.assert_quiet();
    }

    #[test]
    fn tones_may_come_in_the_speech_band() {
        let mut settings = config();
        settings.tones = Tones::InBand;
        let mut world = World::with_handset(settings, true);
        let now = world.now;
        let own = world.handsets[0].part.off_hook(now).unwrap();
        world.pass(SOON);
        let (now, call) = (world.now, world.fixed_call());
        world.fixed.setup_acknowledge(now, call).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::SetupAcknowledged { call: own }, Heard::InBand { call: own }]);
    }

    #[test]
    fn messages_for_a_link_that_never_came_are_not_sent_later() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].in_range = false;
        let now = world.now;
        world.handsets[0].part.dial(now, "1").unwrap();
        world.handsets[0].part.dial(now, "2").unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0).len(), 3, "two calls are over, the link is lost");
        world.handsets[0].in_range = true;
        let now = world.now;
        world.handsets[0].part.dial(now, "3").unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events.len(), 1);
        assert!(matches!(&world.fixed_events[0], Event::Setup { called, .. } if called == "3"));
    }

    #[test]
    fn a_handset_without_access_rights_cannot_call() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.remove_portable(now, portable).unwrap();
        let own = world.handsets[0].part.dial(now, "1").unwrap();
        world.pass(LONG);
        assert_eq!(world.heard(0), [Heard::Released { call: own, reason: ReleaseReason::UnknownIdentity }]);
        world.assert_quiet();
    }
}

mod incoming_calls {
    use super::*;

    fn ringing() -> (World, CallId) {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        let call = world.fixed.setup(now, portable, incoming()).unwrap();
        world.pass(SOON);
        (world, call)
    }

    #[test]
    fn a_handset_is_paged_rings_answers_and_is_released() {
        let (mut world, call) = ringing();
        assert_eq!(world.pages, 1);
        assert_eq!(world.ladder, ["P>F LCE-PAGE-RESPONSE", "F>P CC-SETUP", "P>F CC-ALERTING"]);
        assert_eq!(world.fixed_events, [Event::Alerting { call }]);
        let own = world.ringing_call(0);
        assert_eq!(
            world.heard(0),
            [
                Heard::Ring {
                    call: own,
                    calling_number: Some("2001".into()),
                    calling_name: Some("Ada".into()),
                    signal: Some(Signal::Alerting0),
                },
                Heard::Display { call: own, text: "\u{c}Ada 2001".into() },
            ]
        );
        let now = world.now;
        world.handsets[0].part.answer(now, own).unwrap();
        world.pass(SOON);
        assert!(
            matches!(world.fixed_events.last(), Some(Event::Answered { call: answered, .. }) if *answered == call)
        );
        assert_eq!(world.heard(0).last(), Some(&Heard::Connected { call: own }));
        let now = world.now;
        world.fixed.release(now, call, ReleaseReason::Normal).unwrap();
        assert_eq!(
            world.fixed.release(now, call, ReleaseReason::Normal),
            Err(Error::Refused(Refusal::WrongState))
        );
        world.pass(SOON);
        assert_eq!(
            world.heard(0).last(),
            Some(&Heard::Released { call: own, reason: ReleaseReason::Normal })
        );
        world.assert_quiet();
    }

    #[test]
    fn a_user_may_refuse() {
        let (mut world, call) = ringing();
        let (now, own) = (world.now, world.ringing_call(0));
        world.handsets[0].part.release(now, own, ReleaseReason::UserRejection).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.fixed_events.last(),
            Some(&Event::Released { call, reason: ReleaseReason::UserRejection })
        );
        world.assert_quiet();
    }

    #[test]
    fn an_unanswered_page_is_repeated_three_times_and_then_the_call_is_given_up() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].in_range = false;
        let (now, portable) = (world.now, world.portable(0));
        let call = world.fixed.setup(now, portable, incoming()).unwrap();
        world.pass(Duration::from_secs(11));
        assert_eq!((world.pages, world.fixed_events.len()), (4, 0));
        world.pass(Duration::from_secs(2));
        assert_eq!(
            world.fixed_events,
            [
                Event::Released { call, reason: ReleaseReason::UserNotInRange },
                Event::Unreachable { portable }
            ]
        );
        assert_eq!(world.pages, 4);
        world.assert_quiet();
    }

    #[test]
    fn a_second_page_finds_a_handset_that_missed_the_first() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].in_range = false;
        let (now, portable) = (world.now, world.portable(0));
        world.fixed.setup(now, portable, incoming()).unwrap();
        world.pass(Duration::from_secs(2));
        world.handsets[0].in_range = true;
        world.pass(Duration::from_secs(2));
        assert_eq!(world.pages, 2);
        world.ringing_call(0);
    }

    #[test]
    fn a_call_that_is_withdrawn_while_paging_is_never_shown_and_the_late_answer_is_rejected() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        let call = world.fixed.setup(now, portable, incoming()).unwrap();
        world.pass(world::LATENCY / 2);
        let now = world.now;
        world.fixed.release(now, call, ReleaseReason::Normal).unwrap();
        world.pass(LONG);
        assert_eq!(world.fixed_events, [Event::Released { call, reason: ReleaseReason::Normal }]);
        assert_eq!(world.ladder, ["P>F LCE-PAGE-RESPONSE", "F>P LCE-PAGE-REJECT"]);
        assert_eq!(world.heard(0), []);
        world.assert_quiet();
    }

    #[test]
    fn a_handset_that_never_answers_is_released_after_cc_04() {
        let (mut world, call) = ringing();
        world.pass(Duration::from_secs(101));
        assert_eq!(
            world.fixed_events.last(),
            Some(&Event::Released { call, reason: ReleaseReason::TimerExpiry })
        );
        world.pass(LONG);
        world.assert_quiet();
    }

    #[test]
    fn two_calls_of_one_handset_have_transactions_of_their_own() {
        let (mut world, first) = ringing();
        let (now, own) = (world.now, world.ringing_call(0));
        world.handsets[0].part.answer(now, own).unwrap();
        world.pass(SOON);
        let (now, portable) = (world.now, world.portable(0));
        let second = world.fixed.setup(now, portable, IncomingCall::default()).unwrap();
        assert_eq!(
            world.fixed.setup(now, portable, IncomingCall::default()),
            Err(Error::Refused(Refusal::Busy))
        );
        world.pass(SOON);
        assert_eq!(world.pages, 1, "the link is there");
        let waiting = world.ringing_call(0);
        assert_ne!(waiting, own);
        let now = world.now;
        world.fixed.release(now, first, ReleaseReason::Normal).unwrap();
        world.pass(SOON);
        assert!(world.fixed.call_state(second).is_some());
        let now = world.now;
        world.handsets[0].part.answer(now, waiting).unwrap();
        world.pass(SOON);
        world.handsets[0].part.release(world.now, waiting, ReleaseReason::Normal).unwrap();
        world.pass(SOON);
        world.assert_quiet();
    }
}

mod during_a_call {
    use super::*;

    fn talking() -> (World, CallId, CallId) {
        let mut world = World::with_handset(config(), true);
        let now = world.now;
        let own = world.handsets[0].part.dial(now, "2002").unwrap();
        world.pass(SOON);
        let (now, call) = (world.now, world.fixed_call());
        world.fixed.connect(now, call).unwrap();
        world.pass(SOON);
        world.clear();
        (world, call, own)
    }

    #[test]
    fn the_r_key_and_hold_reach_the_owner() {
        let (mut world, call, own) = talking();
        let now = world.now;
        world.handsets[0].part.keypad(now, own, "\u{15}").unwrap();
        world.handsets[0].part.hold(now, own).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.fixed_events,
            [Event::Keypad { call, keys: "\u{15}".into() }, Event::HoldRequested { call }]
        );
        let now = world.now;
        world.fixed.answer_hold(now, call, true).unwrap();
        world.pass(SOON);
        world.handsets[0].part.retrieve(world.now, own).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events.last(), Some(&Event::RetrieveRequested { call }));
        world.fixed.answer_retrieve(world.now, call, false).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.heard(0),
            [Heard::Held { call: own, accepted: true }, Heard::Retrieved { call: own, accepted: false }]
        );
    }

    #[test]
    fn display_and_tones_reach_the_user() {
        let (mut world, call, own) = talking();
        let information = Information {
            display: Some("Hold".into()),
            signal: Some(Signal::CallWaiting),
            in_band: true,
            ..Information::default()
        };
        world.fixed.information(world.now, call, &information).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.heard(0),
            [
                Heard::Display { call: own, text: "\u{c}Hold".into() },
                Heard::Signal { call: own, signal: Signal::CallWaiting },
                Heard::InBand { call: own },
            ]
        );
    }

    #[test]
    fn a_lost_link_clears_the_call_on_both_sides() {
        let (mut world, call, own) = talking();
        world.lose_links(0);
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Released { call, reason: ReleaseReason::Unknown }]);
        assert_eq!(
            world.heard(0),
            [Heard::Released { call: own, reason: ReleaseReason::Unknown }, Heard::LinkLost]
        );
        world.assert_quiet();
    }

    #[test]
    fn both_sides_may_release_at_the_same_time() {
        let (mut world, call, own) = talking();
        let now = world.now;
        world.fixed.release(now, call, ReleaseReason::Normal).unwrap();
        world.handsets[0].part.release(now, own, ReleaseReason::Normal).unwrap();
        world.pass(SOON);
        assert_eq!(world.ladder, ["F>P CC-RELEASE", "P>F CC-RELEASE"]);
        world.assert_quiet();
    }

    #[test]
    fn a_partial_release_leaves_the_link_for_lce_02() {
        let (mut world, call, _) = talking();
        world.fixed.release(world.now, call, ReleaseReason::PartialRelease).unwrap();
        world.pass(Duration::from_secs(4));
        assert_eq!(world.fixed.load().links, 1);
        world.pass(Duration::from_secs(2));
        world.assert_quiet();
    }

    #[test]
    fn a_service_change_is_rejected_and_an_unknown_transaction_released() {
        let (mut world, _, _) = talking();
        // CC-SERVICE-CHANGE of the call, then CC-INFO of transaction 5, then CC-RELEASE of transaction 5.
        world.inject(0, &[0x03, 0x20]);
        world.inject(0, &[0x53, 0x7b]);
        world.inject(0, &[0x53, 0x4d]);
        world.pass(SOON);
        assert_eq!(world.ladder, ["F>P CC-SERVICE-REJECT", "F>P CC-RELEASE-COM"]);
        assert_eq!(world.fixed.load().calls, 1);
    }

    #[test]
    fn a_ciphered_call_has_the_same_key_on_both_sides() {
        for dsaa2 in [false, true] {
            let mut settings = config();
            settings.cipher_calls = true;
            let mut world = World::with_handset(settings, dsaa2);
            world.handsets[0].part.dial(world.now, "1").unwrap();
            world.pass(SOON);
            assert!(world.handsets[0].part.state().ciphered);
            let portable = world.portable(0);
            assert!(world.fixed.state(portable).unwrap().ciphered);
            let call = world.fixed_call();
            world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
            world.pass(LONG);
            world.assert_quiet();
            assert!(!world.handsets[0].part.state().ciphered);
            assert!(!world.fixed.state(portable).unwrap().ciphered);
            world.fixed.setup(world.now, portable, incoming()).unwrap();
            world.pass(SOON);
            assert!(world.handsets[0].part.state().ciphered);
        }
    }
}

mod security_of_calls {
    use super::*;
    use dect_nwk::authentication::Key128;
    use dect_nwk::fixed_part::{Ciphering, KnownPortable};

    /// The fixed part starts anew from what its owner stored.
    fn restarted(mut settings: dect_nwk::FixedPartConfig, key: Option<Key128>) -> World {
        settings.cipher_calls = true;
        let mut world = World::with_handset(settings.clone(), true);
        let stored = world.handsets[0].part.subscription().unwrap().clone();
        world.fixed = dect_nwk::FixedPart::new(settings, dect_nwk::Seed([8; 32]));
        let mut known = KnownPortable::new(stored.ipui);
        known.uak = key.or(stored.uak);
        known.tpui = stored.tpui;
        known.dsaa2 = true;
        world.fixed.add_portable(known);
        world
    }

    #[test]
    fn a_restarted_fixed_part_authenticates_before_it_ciphers() {
        let mut world = restarted(config(), None);
        world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(SOON);
        assert_eq!(
            world.ladder,
            ["P>F CC-SETUP", "F>P AUTHENTICATION-REQUEST", "P>F AUTHENTICATION-REPLY", "F>P CIPHER-REQUEST"]
        );
        assert!(world.handsets[0].part.state().ciphered);
        world.fixed.release(world.now, world.fixed_call(), ReleaseReason::Normal).unwrap();
        world.pass(LONG);
        world.assert_quiet();
        // From now on the key is known.
        world.clear();
        let portable = world.portable(0);
        world.fixed.setup(world.now, portable, incoming()).unwrap();
        world.pass(SOON);
        assert!(world.handsets[0].part.state().ciphered);
        assert!(!world.ladder.contains(&"F>P AUTHENTICATION-REQUEST".to_owned()));
    }

    #[test]
    fn a_link_is_made_clear_and_ciphered_again_by_either_side() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(SOON);
        let portable = world.portable(0);
        let state = |world: &World| {
            let ours = world.handsets[0].part.state().ciphered;
            assert_eq!(world.fixed.state(portable).unwrap().ciphered, ours);
            ours
        };
        world.fixed.cipher(world.now, portable, Ciphering::On).unwrap();
        world.pass(SOON);
        assert!(state(&world));
        world.fixed.cipher(world.now, portable, Ciphering::Off).unwrap();
        world.pass(SOON);
        assert!(!state(&world));
        world.handsets[0].part.suggest_cipher(world.now, Ciphering::On).unwrap();
        world.pass(SOON);
        assert!(state(&world));
        world.handsets[0].part.suggest_cipher(world.now, Ciphering::Off).unwrap();
        world.pass(SOON);
        assert!(!state(&world));
    }

    #[test]
    fn a_fixed_part_that_ciphers_calls_keeps_them_ciphered() {
        let mut settings = config();
        settings.cipher_calls = true;
        let mut world = World::with_handset(settings, true);
        world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(SOON);
        world.clear();
        world.handsets[0].part.suggest_cipher(world.now, Ciphering::Off).unwrap();
        world.pass(SOON);
        assert_eq!(world.ladder, ["P>F CIPHER-SUGGEST", "F>P CIPHER-REJECT"]);
        assert!(world.handsets[0].part.state().ciphered);
        // DSC2, which nobody here has.
        world.inject(0, &[0x05, 0x4e, 0x19, 0x02, 0x82, 0x98]);
        world.pass(SOON);
        assert_eq!(world.said.last().unwrap()[..], [0x85, 0x4f, 0x60, 0x01, 0x18]);
    }

    #[test]
    fn a_handset_that_fails_loses_its_call() {
        let mut settings = config();
        settings.authenticate_calls = true;
        let mut world = restarted(settings, Some(Key128::new([0x77; 16])));
        let own = world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(LONG);
        let call = world.fixed_call();
        let failed = ReleaseReason::AuthenticationFailed;
        assert!(world.fixed_events.contains(&Event::Released { call, reason: failed }));
        assert!(world.heard(0).contains(&Heard::Released { call: own, reason: failed }));
        assert!(!world.handsets[0].part.state().ciphered);
        world.assert_quiet();
    }
}

mod notifications {
    use super::*;
    use dect_nwk::element::{Calendar, Clock, TimeDate};
    use dect_nwk::fixed_part::Notification;

    #[test]
    fn a_handset_is_paged_and_told_of_messages_missed_calls_and_the_time() {
        let mut world = World::with_handset(config(), true);
        let time = TimeDate::current(
            Calendar { year: 26, month: 2, day: 28 },
            Clock { hour: 23, minute: 59, second: 58, zone: 4 },
        );
        let told = Notification {
            voice_messages: Some(3),
            missed_calls: Some(0),
            time: Some(time),
            ..Notification::default()
        };
        let portable = world.portable(0);
        world.fixed.notify(world.now, portable, &told).unwrap();
        world.pass(LONG);
        assert_eq!(world.ladder, ["P>F LCE-PAGE-RESPONSE", "F>P FACILITY"]);
        assert_eq!(
            world.heard(0),
            [Heard::TimeAndDate(time), Heard::Notified { voice_messages: Some(3), missed_calls: Some(0) }]
        );
        world.assert_quiet();
    }

    #[test]
    fn a_handset_out_of_range_does_not_make_the_queue_grow() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].in_range = false;
        let portable = world.portable(0);
        let told = Notification { voice_messages: Some(1), ..Notification::default() };
        for _ in 0..8 {
            world.fixed.notify(world.now, portable, &told).unwrap();
        }
        assert_eq!(world.fixed.notify(world.now, portable, &told), Err(Error::Refused(Refusal::Busy)));
        assert_eq!(
            world.fixed.notify(world.now, portable, &Notification::default()),
            Err(Error::Refused(Refusal::Busy))
        );
        world.pass(Duration::from_secs(20));
        assert_eq!(world.fixed_events, [Event::Unreachable { portable }]);
        world.assert_quiet();
    }
}

mod collisions {
    use super::*;

    #[test]
    fn calls_that_cross_on_a_standing_link_end_in_the_one_of_the_fixed_part() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        // A standing link: partially released.
        world.handsets[0].part.locate(now).unwrap();
        world.pass(Duration::from_secs(1));
        world.clear();
        let now = world.now;
        let call = world.fixed.setup(now, portable, incoming()).unwrap();
        let own = world.handsets[0].part.dial(now, "1").unwrap();
        world.pass(SOON);
        assert_eq!(
            world.ladder,
            [
                "F>P CC-SETUP",
                "P>F CC-SETUP",
                "P>F CC-RELEASE-COM",
                "F>P CC-RELEASE-COM",
                "F>P CC-SETUP",
                "P>F CC-ALERTING"
            ]
        );
        assert_eq!(world.fixed_events, [Event::Alerting { call }]);
        assert_eq!(
            world.heard(0)[0],
            Heard::Released { call: own, reason: ReleaseReason::InsufficientResources }
        );
        let ringing = world.ringing_call(0);
        world.handsets[0].part.answer(world.now, ringing).unwrap();
        world.pass(SOON);
        world.handsets[0].part.release(world.now, ringing, ReleaseReason::Normal).unwrap();
        world.pass(SOON);
        world.assert_quiet();
    }

    #[test]
    fn a_handset_that_calls_while_it_is_paged_gets_the_call_of_the_fixed_part() {
        let mut world = World::with_handset(config(), true);
        let (now, portable) = (world.now, world.portable(0));
        let own = world.handsets[0].part.dial(now, "1").unwrap();
        let call = world.fixed.setup(now, portable, incoming()).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Alerting { call }]);
        assert_eq!(
            world.heard(0)[0],
            Heard::Released { call: own, reason: ReleaseReason::InsufficientResources }
        );
        let ringing = world.ringing_call(0);
        world.handsets[0].part.release(world.now, ringing, ReleaseReason::UserBusy).unwrap();
        world.pass(LONG);
        world.assert_quiet();
    }

    #[test]
    fn a_handset_with_a_call_in_its_first_state_is_busy() {
        let mut world = World::with_handset(config(), true);
        let portable = world.portable(0);
        world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed.setup(world.now, portable, incoming()), Err(Error::Refused(Refusal::Busy)));
    }
}
