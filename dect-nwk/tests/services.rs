//! Supplementary services, messages, lists, ringing, codecs and the finer points of mobility management, fixed part and
//! portable parts back to back.

mod world;

use dect_nwk::element::*;
use dect_nwk::fixed_part::{
    Ciphering, Event, Group, IncomingCall, Information, Notification, ServiceChange, TextMessage,
};
use dect_nwk::identity::{Ipui, Rfpi};
use dect_nwk::list_access::{Command, Entry, Field, List, ListServer, SearchMode, lists, parse_entries};
use dect_nwk::message::MessageType;
use dect_nwk::page::RingPattern;
use dect_nwk::portable_part::Event as Heard;
use dect_nwk::services::{Action, ControlCode, Leg, Slot};
use dect_nwk::{CallId, Error, Refusal};
use std::time::Duration;
use world::{World, config};

const SOON: Duration = Duration::from_millis(500);

fn codecs(list: &[Codec]) -> CodecList {
    let choice = |codec: &Codec| CodecChoice {
        codec: *codec,
        service: MacDlcService::Lu1InB,
        routing: CPlaneRouting::CsOnly,
        slot: if *codec == Codec::G722 { SlotType::Long640 } else { SlotType::Full },
    };
    CodecList { negotiation: 1, codecs: list.iter().map(choice).collect() }
}

mod hold_and_change {
    use super::*;

    #[test]
    fn either_side_may_hold_and_retrieve_and_either_may_refuse() {
        let mut world = World::with_handset(config(), true);
        let (call, own) = world.talk();
        world.fixed.hold(world.now, call).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::HoldRequested { call: own }]);
        world.handsets[0].part.answer_hold(world.now, own, true).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Held { call, accepted: true }]);
        assert_eq!(world.fixed.hold(world.now, call), Err(Error::Refused(Refusal::WrongState)));
        world.handsets[0].part.retrieve(world.now, own).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events[1], Event::RetrieveRequested { call });
        world.fixed.answer_retrieve(world.now, call, false).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0)[1], Heard::Retrieved { call: own, accepted: false });
        assert_eq!(world.ladder, ["F>P HOLD", "P>F HOLD-ACK", "P>F RETRIEVE", "F>P RETRIEVE-REJECT"]);
    }

    #[test]
    fn holds_that_cross_agree() {
        let mut world = World::with_handset(config(), true);
        let (call, own) = world.talk();
        world.fixed.hold(world.now, call).unwrap();
        world.handsets[0].part.hold(world.now, own).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Held { call, accepted: true }]);
        assert_eq!(world.heard(0), [Heard::Held { call: own, accepted: true }]);
    }

    #[test]
    fn a_codec_is_changed_when_the_other_side_agrees_and_kept_when_it_does_not_answer() {
        let mut world = World::with_handset(config(), true);
        let (call, own) = world.talk();
        let change = ServiceChange::codec(codecs(&[Codec::G722]));
        world.fixed.change_service(world.now, call, &change).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::ServiceChangeRequested { call: own, change: change.clone() }]);
        world.handsets[0].part.answer_service_change(world.now, own, true).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::ServiceChanged { call, accepted: true }]);
        world.handsets[0].part.change_service(world.now, own, &change).unwrap();
        world.pass(SOON);
        assert!(matches!(world.fixed_events[1], Event::ServiceChangeRequested { .. }));
        world.pass(Duration::from_secs(20));
        assert_eq!(world.heard(0)[1], Heard::ServiceChanged { call: own, accepted: false });
    }

    #[test]
    fn packet_mode_and_bandwidth_are_refused_at_once() {
        let mut world = World::with_handset(config(), true);
        let (_, own) = world.talk();
        for mode in [ServiceChangeMode::Suspend, ServiceChangeMode::Bandwidth] {
            let mut change = ServiceChange::codec(codecs(&[]));
            change.codecs = None;
            change.information.mode = mode;
            world.handsets[0].part.change_service(world.now, own, &change).unwrap();
            world.pass(SOON);
            assert_eq!(world.heard(0).last(), Some(&Heard::ServiceChanged { call: own, accepted: false }));
        }
        assert!(world.fixed_events.is_empty());
    }
}

mod keypad_and_features {
    use super::*;

    #[test]
    fn keys_and_local_codes_are_passed_up_as_they_are() {
        let mut world = World::with_handset(config(), true);
        world.handsets[0].part.dial(world.now, "***999*00").unwrap();
        world.pass(SOON);
        assert!(matches!(&world.fixed_events[0], Event::Setup { called, .. } if called == "***999*00"));
        let call = world.fixed_call();
        world.fixed.connect(world.now, call).unwrap();
        world.pass(SOON);
        world.clear();
        let own = CallId(1);
        for keys in ["\u{15}", "\u{15}*97#", "***999*00", "\u{1c}1"] {
            world.handsets[0].part.keypad(world.now, own, keys).unwrap();
            world.pass(SOON);
            assert_eq!(world.fixed_events.pop(), Some(Event::Keypad { call, keys: keys.into() }));
        }
    }

    #[test]
    fn a_feature_key_is_indicated_back_with_its_status() {
        let mut world = World::with_handset(config(), true);
        let (call, own) = world.talk();
        let feature = FeatureActivate { feature: Feature::NumberedKey, parameter: Some(3) };
        world.handsets[0].part.activate_feature(world.now, own, feature).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::FeatureActivated { call, feature }]);
        let indicate = FeatureIndicate {
            feature: Feature::NumberedKey,
            parameter: Some(3),
            status: FeatureStatus::Activated,
            components: dect_nwk::Octets::default(),
        };
        world.fixed.indicate_feature(world.now, call, &indicate).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::FeatureIndicated { call: own, feature: indicate }]);
    }

    #[test]
    fn remote_operations_pass_both_ways() {
        let mut world = World::with_handset(config(), true);
        let (call, own) = world.talk();
        world.handsets[0].part.facility(world.now, own, &[0xa1, 1, 2]).unwrap();
        world.fixed.facility(world.now, call, &[0xa2, 3]).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Facility { call, components: vec![0xa1, 1, 2] }]);
        assert_eq!(world.heard(0), [Heard::Facility { call: own, components: vec![0xa2, 3] }]);
    }

    #[test]
    fn every_alerting_pattern_and_its_cadence_reach_the_handset() {
        for code in (0x40..=0x48).chain([0x4f]) {
            let mut world = World::with_handset(config(), true);
            let portable = world.portable(0);
            let signal = Some(Signal::from_code(code));
            let incoming = IncomingCall { signal, ..IncomingCall::default() };
            let call = world.fixed.setup(world.now, portable, incoming).unwrap();
            world.pass(SOON);
            assert!(matches!(world.heard(0)[0], Heard::Ring { signal: found, .. } if found == signal));
            let off = Information { signal: Some(Signal::AlertingOff), ..Information::default() };
            world.fixed.information(world.now, call, &off).unwrap();
            world.pass(SOON);
            assert!(matches!(world.heard(0).last(), Some(Heard::Signal { signal: Signal::AlertingOff, .. })));
        }
    }
}

mod two_calls {
    use super::*;

    fn talking() -> (World, CallId, CallId) {
        let mut settings = config();
        settings.parallel_calls = true;
        let mut world = World::with_handset(settings, true);
        let (call, own) = world.talk();
        (world, call, own)
    }

    impl World {
        fn press(&mut self, own: CallId, code: ControlCode, number: &str) -> Vec<Event> {
            self.clear();
            self.handsets[0].part.control(self.now, own, code, None, number).unwrap();
            self.pass(SOON);
            std::mem::take(&mut self.fixed_events)
        }
    }

    fn ordered(call: CallId, actions: &[(Action, &str)]) -> Vec<Event> {
        let event = |(action, digits): &(Action, &str)| Event::Service {
            call,
            action: *action,
            digits: (*digits).to_owned(),
        };
        actions.iter().map(event).collect()
    }

    fn told(world: &World) -> Vec<(u32, u32)> {
        let about = |event| match event {
            Heard::CallInformation { information, .. } => {
                let status = information.items.iter().find(|item| item.kind == 2)?.value?;
                Some((information.call().unwrap_or(99), status))
            }
            _ => None,
        };
        world.heard(0).into_iter().filter_map(about).collect()
    }

    #[test]
    fn a_second_call_is_dialled_toggled_joined_and_transferred() {
        let (mut world, call, own) = talking();
        let began = world.press(own, ControlCode::SecondCall, "20");
        assert_eq!(
            began,
            ordered(call, &[(Action::Hold(Slot::First), ""), (Action::Begin(Slot::Second), "20")])
        );
        assert_eq!(
            told(&world),
            [(0, CallStatus::Hold.code().into()), (1, CallStatus::SetUpAcknowledged.code().into())]
        );
        world.handsets[0].part.keypad(world.now, own, "02").unwrap();
        world.pass(SOON);
        let digits = Event::SecondDigits { call, slot: Slot::Second, digits: "02".into() };
        assert_eq!(world.fixed_events, [digits]);
        world.fixed.second_answered(world.now, call).unwrap();
        world.pass(SOON);
        let toggled = world.press(own, ControlCode::Toggle, "");
        assert_eq!(
            toggled,
            ordered(call, &[(Action::Hold(Slot::Second), ""), (Action::Retrieve(Slot::First), "")])
        );
        assert_eq!(world.press(own, ControlCode::Conference, ""), ordered(call, &[(Action::Join, "")]));
        let legs = world.fixed.legs(call).unwrap();
        assert_eq!((legs.first, legs.second), (Leg::Conference, Leg::Conference));
        assert_eq!(world.press(own, ControlCode::Transfer, ""), ordered(call, &[(Action::Connect, "")]));
        world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
        world.pass(Duration::from_secs(8));
        world.assert_quiet();
    }

    #[test]
    fn a_waiting_call_is_announced_and_taken_refused_or_deflected() {
        for (code, number, action) in [
            (ControlCode::AcceptWaiting, "", Action::Answer(Slot::Second)),
            (ControlCode::RejectWaiting, "", Action::End(Slot::Second)),
            (ControlCode::Deflect, "77", Action::Divert(Slot::Second)),
        ] {
            let (mut world, call, own) = talking();
            let incoming = IncomingCall {
                calling_number: Some("2005".into()),
                calling_name: Some("Grace".into()),
                ..IncomingCall::default()
            };
            assert_eq!(world.fixed.call_waits(world.now, call, &incoming), Ok(Slot::Second));
            assert_eq!(
                world.fixed.call_waits(world.now, call, &incoming),
                Err(Error::Refused(Refusal::Busy))
            );
            world.pass(SOON);
            let heard = world.heard(0);
            assert!(heard.contains(&Heard::Signal { call: own, signal: Signal::CallWaiting }), "{heard:?}");
            assert!(heard.contains(&Heard::Caller {
                call: own,
                calling_number: Some("2005".into()),
                calling_name: Some("Grace".into())
            }));
            let events = world.press(own, code, number);
            assert!(events.contains(&ordered(call, &[(action, number)])[0]), "{events:?}");
        }
    }

    #[test]
    fn intrusion_and_codes_out_of_place_are_refused_by_name() {
        let (mut world, _, own) = talking();
        for (code, reason) in [
            (ControlCode::Intrude, CallReason::CodeNotSupported),
            (ControlCode::AcceptScreening, CallReason::CodeNotSupported),
            (ControlCode::Toggle, CallReason::CodeFailed),
            (ControlCode::AcceptWaiting, CallReason::CodeFailed),
        ] {
            assert_eq!(world.press(own, code, ""), []);
            let said = world.heard(0);
            let expected = CallInformation { items: vec![CallInformationItem::reason(reason)] };
            assert!(said.contains(&Heard::CallInformation { call: own, information: expected }), "{said:?}");
            assert!(said.contains(&Heard::Signal { call: own, signal: Signal::NegativeAcknowledge }));
        }
    }

    #[test]
    fn the_far_end_that_leaves_a_conference_leaves_a_call() {
        let (mut world, call, own) = talking();
        world.press(own, ControlCode::SecondInternalCall, "20");
        world.fixed.second_answered(world.now, call).unwrap();
        world.press(own, ControlCode::Conference, "");
        world.fixed.far_released(world.now, call, Slot::First).unwrap();
        world.pass(SOON);
        let legs = world.fixed.legs(call).unwrap();
        assert_eq!((legs.first, legs.second), (Leg::Idle, Leg::Active));
        world.handsets[0].part.control(world.now, own, ControlCode::Release, Some(Slot::Second), "").unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed.legs(call).unwrap().second, Leg::Idle);
    }
}

mod list_access {
    use super::*;

    /// Carries commands until nobody has anything to say; what the handset got back.
    fn ask(world: &mut World, server: &mut ListServer, own: CallId, command: &Command) -> Vec<Command> {
        world.clear();
        world.handsets[0].part.list_command(world.now, own, command).unwrap();
        let mut answers = Vec::new();
        for _ in 0..3 {
            world.pass(SOON);
            for event in std::mem::take(&mut world.fixed_events) {
                let Event::ListCommand { call, command } = event else { continue };
                for answer in server.handle(command) {
                    world.fixed.list_command(world.now, call, &answer).unwrap();
                }
            }
        }
        for event in world.heard(0) {
            if let Heard::ListCommand { command, .. } = event {
                answers.push(command);
            }
        }
        answers
    }

    #[test]
    fn a_handset_reads_and_changes_the_contacts_over_the_air() {
        let mut settings = config();
        settings.list_access = true;
        let mut world = World::with_handset(settings, true);
        let mut server = ListServer::default();
        let mut contacts = List::editable(vec![1, 3], 1);
        for (identifier, name) in (1..).zip(["Ada", "Grace", "Hedy", "Radia"]) {
            let fields = vec![Field::text(1, name), Field::text(3, "2001")];
            contacts.entries.push(Entry { identifier, fields });
        }
        server.set(lists::CONTACTS, contacts);
        let own = world.handsets[0].part.list_access(world.now).unwrap();
        world.pass(SOON);
        assert!(matches!(world.fixed_events[0], Event::Setup { class: CallClass::ListAccess, .. }));
        let call = world.fixed_call();
        world.fixed.connect(world.now, call).unwrap();
        world.pass(SOON);
        let start = Command::Start { list: lists::CONTACTS, sorting: vec![1] };
        let session = match ask(&mut world, &mut server, own, &start)[..] {
            [Command::Started { session, entries: 4, .. }] => session,
            ref other => panic!("{other:?}"),
        };
        let read =
            Command::Read { session, start: 1, backward: false, count: 10, mark: 0x7f, fields: vec![] };
        let answers = ask(&mut world, &mut server, own, &read);
        let octets: Vec<u8> = answers
            .iter()
            .flat_map(|answer| match answer {
                Command::Data { octets, .. } | Command::LastData { octets, .. } => octets.clone(),
                _ => Vec::new(),
            })
            .collect();
        assert_eq!(parse_entries(&octets).unwrap().len(), 4);
        let delete = Command::DeleteEntry { session, entry: 2 };
        assert_eq!(ask(&mut world, &mut server, own, &delete), [Command::EntryDeleted { session, total: 3 }]);
        // A command nobody knows is refused politely.
        world.clear();
        world.handsets[0]
            .part
            .interworking_data(world.now, own, IwuProtocol::ListAccess, &[0x40, 0x81])
            .unwrap();
        world.pass(SOON);
        assert!(matches!(world.heard(0)[..], [Heard::ListCommand { command: Command::Refused { .. }, .. }]));
        world.handsets[0].part.release(world.now, own, ReleaseReason::Normal).unwrap();
        world.pass(Duration::from_secs(8));
        world.assert_quiet();
    }

    #[test]
    fn lists_that_are_not_offered_upgrades_and_other_services_are_refused_politely() {
        let mut world = World::with_handset(config(), true);
        let own = world.handsets[0].part.list_access(world.now).unwrap();
        world.pass(SOON);
        assert_eq!(
            world.heard(0),
            [Heard::Released { call: own, reason: ReleaseReason::ServiceNotImplemented }]
        );
        world.pass(Duration::from_secs(8));
        let (_, own) = world.talk();
        world.handsets[0].part.interworking_data(world.now, own, IwuProtocol::LightData, &[1, 2]).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::DataRefused { call: own, protocol: IwuProtocol::LightData }]);
    }

    /// Every list a fixed part of NG-DECT has, with its fields: opened, asked for its fields, read, searched, changed
    /// where it may be changed, refused where not, closed.
    #[test]
    fn each_list_is_opened_queried_read_searched_changed_and_closed_over_the_air() {
        let mut settings = config();
        settings.list_access = true;
        let mut world = World::with_handset(settings, true);
        let mut server = ListServer::default();
        let of_calls = [lists::MISSED_CALLS, lists::OUTGOING_CALLS, lists::ACCEPTED_CALLS, lists::ALL_CALLS];
        let of_users = [lists::CONTACTS, lists::INTERNAL_NAMES, lists::SYSTEM_SETTINGS];
        for (list, mut contents) in of_calls
            .map(|list| (list, List::of_calls(vec![1, 2, 3])))
            .into_iter()
            .chain(of_users.map(|list| (list, List::editable(vec![1, 2], 1))))
        {
            for (identifier, name) in (1..).zip(["Ada", "Grace"]) {
                let fields = vec![Field::text(1, name), Field::text(2, "2001")];
                contents.entries.push(Entry { identifier, fields });
            }
            server.set(list, contents);
        }
        let own = world.handsets[0].part.list_access(world.now).unwrap();
        world.pass(SOON);
        let call = world.fixed_call();
        world.fixed.connect(world.now, call).unwrap();
        world.pass(SOON);
        for list in of_calls.into_iter().chain(of_users) {
            let editable = of_users.contains(&list);
            let start = Command::Start { list, sorting: vec![] };
            let session = match ask(&mut world, &mut server, own, &start)[..] {
                [Command::Started { session, entries: 2, refusal: None, .. }] => session,
                ref other => panic!("{list}: {other:?}"),
            };
            match &ask(&mut world, &mut server, own, &Command::QueryFields { session })[..] {
                [Command::Fields { editable: may, fixed, .. }] => {
                    assert_eq!((!may.is_empty(), !fixed.is_empty()), (editable, !editable), "{list}");
                }
                other => panic!("{list}: {other:?}"),
            }
            let (count, mark, fields) = (5, 0x7f, vec![]);
            let read =
                Command::Read { session, start: 1, backward: false, count, mark, fields: fields.clone() };
            let found = entries_in(&ask(&mut world, &mut server, own, &read));
            let names: Vec<_> = found.iter().map(|entry| entry.field(1).cloned()).collect();
            assert_eq!(names, [Some(Field::text(1, "Ada")), Some(Field::text(1, "Grace"))], "{list}");
            let (mode, text) = (SearchMode::Exact, b"grace".to_vec());
            let search =
                Command::Search { session, mode, case_sensitive: false, text, count: 1, mark, fields };
            let answers = ask(&mut world, &mut server, own, &search);
            if editable {
                assert_eq!(entries_in(&answers).len(), 1, "{list}: {answers:?}");
            } else {
                assert!(!answers.is_empty(), "{list}");
            }
            // A change: the commands of saving, the fields in a packet behind.
            let save = [
                Command::Save { session, entry: 0 },
                Command::LastData {
                    session,
                    octets: {
                        let new = Entry { identifier: 0, fields: vec![Field::text(1, "Hedy")] };
                        let mut octets = bytes::BytesMut::new();
                        new.emit(&[], &mut octets);
                        octets.to_vec()
                    },
                },
            ];
            let answers: Vec<_> =
                save.iter().flat_map(|command| ask(&mut world, &mut server, own, command)).collect();
            let saved = answers.iter().any(|answer| matches!(answer, Command::Saved { total: 3, .. }));
            assert_eq!(saved, editable, "{list}: {answers:?}");
            let total = if editable { 2 } else { 1 };
            let delete = Command::DeleteEntry { session, entry: 1 };
            let deleted = ask(&mut world, &mut server, own, &delete);
            assert_eq!(deleted, [Command::EntryDeleted { session, total }], "{list}");
            if editable {
                assert!(server.poll_change().is_some(), "{list}: the owner learns of it");
            }
            let end = ask(&mut world, &mut server, own, &Command::End { session });
            assert_eq!(end, [Command::Ended { session }]);
        }
        assert_eq!(server.sessions(), 0);
    }

    fn entries_in(answers: &[Command]) -> Vec<Entry> {
        let octets: Vec<u8> = answers
            .iter()
            .flat_map(|answer| match answer {
                Command::Data { octets, .. } | Command::LastData { octets, .. } => octets.clone(),
                _ => Vec::new(),
            })
            .collect();
        parse_entries(&octets).unwrap()
    }

    #[test]
    fn a_changed_list_is_told_of() {
        let mut world = World::with_handset(config(), true);
        let portable = world.portable(0);
        let told = Notification { list_change: Some((lists::MISSED_CALLS, 5)), ..Notification::default() };
        world.fixed.notify(world.now, portable, &told).unwrap();
        world.pass(SOON);
        let said = dect_nwk::Message::parse(world.said.last().unwrap()).unwrap();
        assert_eq!(said.message_type, MessageType::CissFacility);
        assert_eq!(said.find::<EventsNotification>(), Some(&EventsNotification::list_change(1, 5)));
        assert!(world.heard(0).contains(&Heard::ListChanged { list: 1, entries: 5 }), "{:?}", world.heard(0));
    }
}

mod messages_and_ringing {
    use super::*;
    use dect_nwk::clms_fixed::ClmsFixed;
    use dect_nwk::identity::Tpui;

    #[test]
    fn texts_pass_both_ways_and_leave_the_link_for_lce_02() {
        let mut world = World::with_handset(config(), true);
        let portable = world.portable(0);
        let text = TextMessage { from: Some("2001".into()), text: "Lunch?".into() };
        world.fixed.send_message(world.now, portable, &text).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::Message(text)]);
        let answer = TextMessage { from: None, text: "At one.".into() };
        world.handsets[0].part.send_message(world.now, &answer).unwrap();
        world.pass(SOON);
        assert_eq!(world.fixed_events, [Event::Message { portable, message: answer }]);
        let long = TextMessage { from: None, text: "x".repeat(161) };
        assert_eq!(
            world.handsets[0].part.send_message(world.now, &long),
            Err(Error::Refused(Refusal::TooLong))
        );
        world.pass(Duration::from_secs(8));
        world.assert_quiet();
    }

    #[test]
    fn a_broadcast_message_reaches_its_group_without_a_link() {
        let mut world = World::new(config(), 3);
        for group in [Some(0x111), Some(0x222)] {
            let index = world.add_handset_with(|config| config.group = group);
            world.bring_into_service(index);
        }
        let message = ClmsFixed::new(4, b"Fire drill at ten").unwrap();
        world.fixed.broadcast_message(Tpui::new(0xcc111).unwrap(), &message).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(0), [Heard::Broadcast(message.clone())]);
        assert_eq!(world.heard(1), []);
        world.fixed.broadcast_message(Tpui::BROADCAST, &message).unwrap();
        world.pass(SOON);
        assert_eq!(world.heard(1), [Heard::Broadcast(message)]);
        assert_eq!(world.ladder, Vec::<String>::new());
    }

    #[test]
    fn of_all_who_ring_the_first_that_answers_gets_the_call_and_the_others_are_late() {
        let mut world = World::new(config(), 3);
        for _ in 0..3 {
            let index = world.add_handset_with(|config| config.group = Some(0x005));
            world.bring_into_service(index);
        }
        world.fixed.ring(Group::Mask(0x004), RingPattern::Pattern2);
        world.pass(SOON);
        for index in 0..3 {
            assert_eq!(world.heard(index), [Heard::GroupRing { pattern: RingPattern::Pattern2 }]);
        }
        world.handsets[1].part.answer_ring(world.now).unwrap();
        world.handsets[2].part.answer_ring(world.now).unwrap();
        world.pass(SOON);
        let winner = world.portable(1);
        assert!(
            matches!(world.fixed_events[..], [Event::RingAnswered { portable, .. }] if portable == winner)
        );
        assert!(world.heard(0).contains(&Heard::GroupRing { pattern: RingPattern::AnsweredElsewhere }));
        assert!(world.ladder.contains(&"F>P LCE-PAGE-REJECT".to_owned()), "{:?}", world.ladder);
        let call = world.fixed.setup(world.now, winner, IncomingCall::default()).unwrap();
        world.pass(SOON);
        let ringing = world.ringing_call(1);
        world.handsets[1].part.answer(world.now, ringing).unwrap();
        world.pass(SOON);
        world.fixed.stop_ringing();
        world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
        world.pass(Duration::from_secs(8));
        world.assert_quiet();
        // Nobody rings any more: an answer is a false one.
        world.handsets[0].part.answer_ring(world.now).unwrap();
        world.pass(Duration::from_secs(8));
        world.assert_quiet();
    }
}

mod codecs_and_displays {
    use super::*;

    fn wideband(world_codecs: &[Codec], handset: &[Codec]) -> World {
        let mut settings = config();
        settings.codecs = Some(codecs(world_codecs));
        World::with_settings(settings, |config| config.codecs = Some(codecs(handset)))
    }

    #[test]
    fn both_sides_choose_the_codec_the_offering_side_wants_most() {
        let mut world = wideband(&[Codec::G722, Codec::G726], &[Codec::G726, Codec::G722]);
        let portable = world.portable(0);
        assert!(world.fixed.state(portable).unwrap().terminal.wideband);
        world.pass(Duration::from_secs(8));
        let incoming = IncomingCall { wideband: true, ..IncomingCall::default() };
        let call = world.fixed.setup(world.now, portable, incoming).unwrap();
        world.pass(SOON);
        let ringing = world.ringing_call(0);
        world.handsets[0].part.answer(world.now, ringing).unwrap();
        world.pass(SOON);
        assert!(world.heard(0).contains(&Heard::CodecChosen { call: ringing, codec: Codec::G722 }));
        assert!(world.fixed_events.contains(&Event::CodecChosen { call, codec: Codec::G722 }));
        world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
        world.pass(Duration::from_secs(8));
        world.clear();
        // The other way round the portable part offers.
        let own = world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(SOON);
        let call = world.fixed_call();
        assert!(world.fixed_events.contains(&Event::CodecChosen { call, codec: Codec::G726 }));
        world.fixed.connect(world.now, call).unwrap();
        world.pass(SOON);
        assert!(world.heard(0).contains(&Heard::CodecChosen { call: own, codec: Codec::G726 }));
    }

    #[test]
    fn a_wideband_call_is_paged_with_its_slot_and_a_narrow_handset_is_called_as_ever() {
        let mut world = wideband(&[Codec::G722], &[Codec::G722]);
        world.pass(Duration::from_secs(8));
        let portable = world.portable(0);
        let incoming = || IncomingCall { wideband: true, ..IncomingCall::default() };
        world.fixed.setup(world.now, portable, incoming()).unwrap();
        let mut buffer = bytes::BytesMut::new();
        world.fixed.poll_transmit(&mut buffer).unwrap();
        assert_eq!((buffer.len(), buffer[0] & 7, buffer[1] >> 4), (5, 4, SlotType::Long640.code()));
        let mut settings = config();
        settings.codecs = Some(codecs(&[Codec::G722]));
        let mut world = World::with_handset(settings, true);
        let portable = world.portable(0);
        world.fixed.setup(world.now, portable, incoming()).unwrap();
        world.pass(SOON);
        assert!(world.fixed_events.iter().all(|event| !matches!(event, Event::CodecChosen { .. })));
        world.ringing_call(0);
    }

    #[test]
    fn a_display_gets_the_characters_it_announced() {
        for (sets, shown) in
            [(Some(1), "\u{c}J\u{fc}rgen"), (None, "\u{c}Juergen"), (Some(8), "\u{c}Juergen")]
        {
            let mut world = World::with_settings(config(), |config| config.character_sets = sets);
            let portable = world.portable(0);
            let terminal = world.fixed.state(portable).unwrap().terminal;
            assert_eq!((terminal.lines, terminal.columns), (4, 16));
            let (call, own) = world.talk();
            let text = Information { display: Some("Jürgen".into()), ..Information::default() };
            world.fixed.information(world.now, call, &text).unwrap();
            world.pass(SOON);
            assert_eq!(world.heard(0), [Heard::Display { call: own, text: shown.into() }]);
        }
    }
}

mod mobility {
    use super::*;
    use dect_nwk::authentication::{AuthenticationCode, UserPersonalIdentity};
    use dect_nwk::element::Duration as Wait;

    #[test]
    fn a_refused_handset_waits_as_long_as_it_is_told() {
        for (wait, seconds) in [
            (Wait { lock: LockLimit::None, limit: TimeLimit::Limit1, units: Some(1) }, 41),
            (Wait { lock: LockLimit::None, limit: TimeLimit::Standard, units: None }, 301),
        ] {
            let mut settings = config();
            settings.refusal_wait = Some(wait);
            let mut world = World::new(settings, 1);
            world.add_handset(true);
            let wrong = || AuthenticationCode::from_pin("99").unwrap();
            world.handsets[0].part.subscribe(world.now, wrong()).unwrap();
            world.pass(Duration::from_secs(10));
            assert_eq!(
                world.handsets[0].part.subscribe(world.now, wrong()),
                Err(Error::Refused(Refusal::Waiting))
            );
            world.pass(Duration::from_secs(seconds));
            assert_eq!(world.handsets[0].part.subscribe(world.now, wrong()), Ok(()));
        }
    }

    #[test]
    fn a_system_may_assign_a_private_identity() {
        let mut world = World::new(config(), 1);
        world.code = None;
        world.add_handset(true);
        let code = || AuthenticationCode::from_pin(world::PIN).unwrap();
        world.handsets[0].part.subscribe(world.now, code()).unwrap();
        world.pass(SOON);
        let Some(Event::AccessRightsRequested { request, .. }) = world.fixed_events.first() else {
            panic!("no request")
        };
        let (request, private) = (*request, Ipui::private(42).unwrap());
        world.fixed.allow_access_as(world.now, request, code(), private).unwrap();
        world.pass(SOON);
        assert!(
            world
                .fixed_events
                .iter()
                .any(|event| matches!(event, Event::Subscribed { ipui, .. } if *ipui == private))
        );
        assert_eq!(world.handsets[0].part.subscription().unwrap().ipui, private);
        world.handsets[0].part.locate(world.now).unwrap();
        world.pass(Duration::from_secs(8));
        assert!(world.handsets[0].part.state().located);
        world.assert_quiet();
        // A second one under the same identity is refused.
        world.add_handset(true);
        world.clear();
        world.handsets[1].part.subscribe(world.now, code()).unwrap();
        world.pass(SOON);
        let Some(Event::AccessRightsRequested { request, .. }) = world.fixed_events.first() else {
            panic!("no request")
        };
        let again = world.fixed.allow_access_as(world.now, *request, code(), private);
        assert_eq!(again, Err(Error::Refused(Refusal::Busy)));
    }

    #[test]
    fn only_a_genuine_fixed_part_counts_the_zap_register_up() {
        let mut settings = config();
        settings.zap = Some(0xf);
        settings.service_class = Some(ServiceClass::National);
        let mut world = World::with_handset(settings, true);
        let known = world.handsets[0].part.subscription().unwrap();
        assert_eq!((known.zap, known.service_class), (Some(0xf), Some(ServiceClass::National)));
        let portable = world.portable(0);
        world.talk();
        world.fixed.increment_zap(world.now, portable).unwrap();
        world.pass(SOON);
        assert_eq!(world.handsets[0].part.subscription().unwrap().zap, Some(0xf));
        world.handsets[0].part.authenticate_fixed_part(world.now).unwrap();
        world.pass(SOON);
        world.clear();
        world.fixed.increment_zap(world.now, portable).unwrap();
        world.pass(SOON);
        assert_eq!(world.handsets[0].part.subscription().unwrap().zap, Some(0));
        assert_eq!(world.fixed_events, [Event::ZapChanged { portable, zap: 0 }]);
    }

    #[test]
    fn a_user_proves_the_personal_identity_or_is_not_let_in() {
        let right = || UserPersonalIdentity::from_pin("4711").unwrap();
        for (entered, expected) in [(Some("4711"), true), (Some("4712"), false), (None, false)] {
            let mut world = World::with_handset(config(), true);
            let portable = world.portable(0);
            world.fixed.authenticate_user(world.now, portable, right()).unwrap();
            world.pass(SOON);
            assert_eq!(world.heard(0), [Heard::PersonalIdentityWanted]);
            world.pass(Duration::from_secs(40));
            if let Some(pin) = entered {
                let pin = UserPersonalIdentity::from_pin(pin).unwrap();
                world.handsets[0].part.enter_personal_identity(world.now, &pin).unwrap();
            }
            world.pass(Duration::from_secs(210));
            let right = world.fixed_events.contains(&Event::UserAuthenticated { portable });
            let failed = world.fixed_events.contains(&Event::AuthenticationFailed { portable });
            assert_eq!((right, failed), (expected, !expected), "{:?}", world.fixed_events);
            world.pass(Duration::from_secs(10));
            world.assert_quiet();
        }
    }

    #[test]
    fn both_sides_prove_their_keys_at_the_same_time() {
        for dsaa2 in [false, true] {
            let mut world = World::with_handset(config(), dsaa2);
            world.talk();
            let portable = world.portable(0);
            world.fixed.authenticate(world.now, portable).unwrap();
            world.handsets[0].part.authenticate_fixed_part(world.now).unwrap();
            world.pass(SOON);
            assert_eq!(world.ladder.iter().filter(|it| it.ends_with("AUTHENTICATION-REPLY")).count(), 2);
            let heard = world.heard(0);
            assert!(heard.contains(&Heard::FixedPartAuthenticated { genuine: true }), "{heard:?}");
            assert!(heard.contains(&Heard::Authenticated), "{heard:?}");
            assert!(!world.fixed_events.contains(&Event::AuthenticationFailed { portable }));
            // Both have the key that came of it.
            world.fixed.cipher(world.now, portable, Ciphering::On).unwrap();
            world.pass(SOON);
            assert!(world.heard(0).contains(&Heard::Ciphered { on: true }));
        }
    }

    #[test]
    fn another_location_area_is_registered_in_and_another_cell_of_the_same_is_not() {
        let cell = |rpn| Rfpi::new(false, world::ari(), rpn).unwrap();
        // All cells are one area; or every sixteen of them.
        for (level, moves) in [(31, [false, false, false]), (35, [false, true, true])] {
            let mut settings = config();
            settings.location_area_level = level;
            let mut world = World::with_handset(settings, true);
            world.pass(Duration::from_secs(8));
            assert_eq!(
                world.handsets[0].part.enter_cell(world.now, cell(0x01)),
                Ok(true),
                "nothing is known"
            );
            world.pass(Duration::from_secs(8));
            world.clear();
            for (rpn, moved) in [0x0f, 0x10, 0x2f].into_iter().zip(moves) {
                assert_eq!(world.handsets[0].part.enter_cell(world.now, cell(rpn)), Ok(moved), "{rpn:x}");
                world.pass(Duration::from_secs(8));
            }
            let requests: Vec<_> = world
                .said
                .iter()
                .map(|sdu| dect_nwk::Message::parse(sdu).unwrap())
                .filter(|message| message.message_type == MessageType::LocateRequest)
                .filter_map(|message| message.find::<LocationArea>().cloned())
                .collect();
            // The area that was left is named.
            assert_eq!(requests.len(), moves.iter().filter(|it| **it).count());
            assert!(requests.iter().all(|area| area.level == Some(level)));
            world.assert_quiet();
        }
    }

    #[test]
    fn timers_of_a_portable_part_wait_when_the_fixed_part_says_so() {
        let mut settings = config();
        settings.authenticate_at_location = false;
        let mut world = World::with_handset(settings, true);
        let portable = world.portable(0);
        let own = world.handsets[0].part.off_hook(world.now).unwrap();
        world.pass(Duration::from_secs(15));
        let call = world.fixed_call();
        world.fixed.notify_call(world.now, call, TimerRestart::Restart).unwrap();
        // CC.03 is 20 s: without the message it had run out.
        world.pass(Duration::from_secs(15));
        assert!(world.handsets[0].part.call_state(own).is_some());
        world.pass(Duration::from_secs(6));
        assert!(world.handsets[0].part.call_state(own).is_none());
        world.pass(Duration::from_secs(8));
        world.clear();
        // The answer to a location registration does not come: MM_locate.1 is 20 s.
        world.talk();
        world.handsets[0].silent = true;
        world.handsets[0].part.locate(world.now).unwrap();
        world.pass(Duration::from_secs(15));
        world.handsets[0].silent = false;
        world.clear();
        world.fixed.notify_mobility(world.now, portable, TimerRestart::Restart).unwrap();
        world.pass(Duration::from_secs(15));
        assert_eq!(world.ladder, ["F>P MM-NOTIFY"], "not repeated yet");
        world.pass(Duration::from_secs(6));
        assert_eq!(world.ladder[1], "P>F LOCATE-REQUEST");
        let call = world.fixed.load().calls;
        assert_eq!(call, 1);
        let active = Err(Error::Refused(Refusal::WrongState));
        assert_eq!(world.fixed.notify_call(world.now, CallId(2), TimerRestart::Stop), active);
    }

    #[test]
    fn a_personal_identity_entered_too_late_changes_no_key() {
        let mut world = World::with_handset(config(), true);
        let (_, _) = world.talk();
        let portable = world.portable(0);
        let identity = || UserPersonalIdentity::from_pin("4711").unwrap();
        world.fixed.authenticate_user(world.now, portable, identity()).unwrap();
        world.pass(Duration::from_secs(10));
        // The portable part says that it goes: the fixed part waits for the user no more, and wants something else.
        world.handsets[0].part.detach(world.now).unwrap();
        world.pass(SOON);
        world.fixed.authenticate(world.now, portable).unwrap();
        world.pass(SOON);
        let late = world.handsets[0].part.enter_personal_identity(world.now, &identity());
        assert_eq!(late, Err(Error::Refused(Refusal::WrongState)));
        world.pass(SOON);
        // The harness compares the keys when ciphering begins.
        world.fixed.cipher(world.now, portable, Ciphering::On).unwrap();
        world.pass(SOON);
        assert!(world.heard(0).contains(&Heard::Ciphered { on: true }));
    }

    #[test]
    fn early_encryption_ciphers_the_next_link_from_the_beginning_and_re_keying_changes_the_key() {
        let mut settings = config();
        settings.early_encryption = true;
        settings.rekey = Some(Duration::from_mins(1));
        let mut world = World::with_settings(settings, |config| config.early_encryption = true);
        world.pass(Duration::from_secs(8));
        world.clear();
        world.handsets[0].part.dial(world.now, "1").unwrap();
        world.pass(SOON);
        assert!(
            matches!(world.fixed_events[1], Event::Ciphered { on: true, .. }),
            "{:?}",
            world.fixed_events
        );
        assert!(world.heard(0).contains(&Heard::Ciphered { on: true }));
        let call = world.fixed_call();
        world.fixed.connect(world.now, call).unwrap();
        world.clear();
        world.pass(Duration::from_secs(61));
        assert_eq!(
            world.ladder,
            [
                "F>P CC-CONNECT",
                "F>P AUTHENTICATION-REQUEST",
                "P>F AUTHENTICATION-REPLY",
                "F>P CIPHER-REQUEST"
            ]
        );
        assert_eq!(world.heard(0).iter().filter(|it| matches!(it, Heard::Ciphered { on: true })).count(), 1);
        world.fixed.release(world.now, call, ReleaseReason::Normal).unwrap();
        world.pass(Duration::from_secs(90));
        world.assert_quiet();
    }

    #[test]
    fn identities_and_registrations_are_renewed_when_the_system_wants_it() {
        let mut world = World::with_handset(config(), true);
        let portable = world.portable(0);
        let before = world.handsets[0].part.subscription().unwrap().tpui;
        world.fixed.assign_temporary_identity(world.now, portable).unwrap();
        world.pass(SOON);
        let after = world.handsets[0].part.subscription().unwrap().tpui;
        assert!(after.is_some() && after != before);
        assert!(matches!(world.fixed_events[..], [Event::Located { tpui, .. }] if tpui == after));
        world.pass(Duration::from_secs(8));
        world.clear();
        world.fixed.suggest_location(world.now, portable).unwrap();
        world.pass(SOON);
        assert!(world.ladder.contains(&"P>F LOCATE-REQUEST".to_owned()), "{:?}", world.ladder);
        world.fixed.suggest_access_rights(world.now, portable).unwrap();
        world.pass(SOON);
        assert!(world.heard(0).contains(&Heard::SubscriptionSuggested));
        world.pass(Duration::from_secs(8));
        world.assert_quiet();
    }
}
