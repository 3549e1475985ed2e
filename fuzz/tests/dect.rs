//! Network layer messages and pages against arbitrary octets.

use bytes::BytesMut;
use dect_nwk::authentication::Key128;
use dect_nwk::clms_fixed::ClmsFixed;
use dect_nwk::element::{ElementIdentifier, InformationElement, SegmentedInfo};
use dect_nwk::fixed_part::{Event, FixedPart, FixedPartConfig, KnownPortable};
use dect_nwk::identity::{Ari, Ipei, Ipui, Park};
use dect_nwk::lapc::{Frame, Reassembly};
use dect_nwk::list_access::{Command, Entry, Field, List, ListServer, lists, parse_entries};
use dect_nwk::message::Side;
use dect_nwk::page::Page;
use dect_nwk::portable_part::{PortablePart, PortablePartConfig, Subscription};
use dect_nwk::segmentation::{Assembly, LONGEST, cut};
use dect_nwk::{Input, LinkId, Message, Seed, Transmit, View};
use fuzz::{Damage, ROUNDS, damaged};
use std::time::{Duration, Instant};

/// Good messages in hexadecimal, one a line.
const CORPUS: &str = include_str!("../corpus/dect.txt");

fn corpus() -> Vec<Vec<u8>> {
    let octet =
        |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let lines = CORPUS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.as_bytes().chunks(2).filter_map(octet).collect()).collect()
}

fn seeds(corpus: &[Vec<u8>]) -> Vec<&[u8]> {
    corpus.iter().map(Vec::as_slice).collect()
}

#[test]
fn messages_never_panic_and_what_is_read_is_written_back_octet_for_octet() {
    let corpus = corpus();
    assert!(corpus.len() > 50);
    bolero::check!().with_type::<Damage>().with_iterations(ROUNDS).for_each(|damage| {
        let octets = damaged(&seeds(&corpus), damage);
        let Ok(message) = Message::parse(&octets) else { return };
        let mut written = BytesMut::new();
        message.emit(&mut written);
        // An element that goes beyond the end is dropped with what follows it.
        assert!(octets.starts_with(&written), "{octets:02x?} became {:02x?}", &written[..]);
        let mut again = BytesMut::new();
        Message::parse(&written).expect("what we write we read").emit(&mut again);
        assert_eq!(again, written);
        // Read in place it says the same.
        let view = View::parse(&octets).expect("the message was read");
        assert!(message.elements().cloned().eq(view.elements().map(|element| element.element())));
        for side in [Side::Fixed, Side::Portable] {
            assert_eq!(view.verify(side), message.verify(side));
        }
    });
}

#[test]
fn a_fixed_part_takes_every_message_without_a_panic_and_with_bounded_timers() {
    let corpus = corpus();
    bolero::check!().with_type::<Vec<(u8, Damage)>>().with_iterations(ROUNDS / 4).for_each(|story| {
        let ari = Ari::class_b(0x1001, 0x123).expect("an identity");
        let mut config = FixedPartConfig::new(ari);
        (config.parallel_calls, config.list_access) = (true, true);
        (config.call_independent_services, config.handover_parameters) = (true, true);
        let mut fixed = FixedPart::new(config, Seed([1; 32]));
        fixed.add_portable(KnownPortable::new(Ipui::N(Ipei::new(0x138b, 70_387).expect("an identity"))));
        let mut now = Instant::now();
        for (step, damage) in story.iter().take(24) {
            now += Duration::from_millis(u64::from(*step) * 40);
            let octets = damaged(&seeds(&corpus), damage);
            let link = LinkId(u32::from(step % 3));
            let input = match step % 11 {
                0..=2 => Input::Established { link, sdu: Some(&octets) },
                3..=6 => Input::Data { link, sdu: &octets },
                7 => Input::Suspended { link },
                8 => Input::Resumed { link },
                9 => Input::Moved { from: link, to: LinkId(u32::from(step % 2)) },
                _ => Input::Released { link, mode: dect_nwk::ReleaseMode::Abnormal },
            };
            let _ = fixed.handle_input(now, input);
            fixed.handle_timeout(now);
            while let Some(event) = fixed.poll_event() {
                if let Event::Setup { call, .. } = event {
                    let _ = fixed.connect(now, call);
                }
            }
            let mut buffer = BytesMut::new();
            while fixed.poll_transmit(&mut buffer).is_some() {}
        }
        let load = fixed.load();
        assert!(load.timers < 64 && load.calls < 16 && load.links <= 3 && load.services <= 6, "{load:?}");
        // Silence ends everything but links that sleep and those the link layer has not given up.
        for _ in 0..64 {
            let Some(at) = fixed.poll_timeout() else { break };
            fixed.handle_timeout(at);
        }
        let left = fixed.load();
        assert_eq!((left.services, left.timers), (0, 0), "{left:?}");
    });
}

#[test]
fn a_portable_part_takes_every_message_without_a_panic_and_with_bounded_timers() {
    let corpus = corpus();
    bolero::check!().with_type::<Vec<(u8, Damage)>>().with_iterations(ROUNDS / 4).for_each(|story| {
        let ipei = Ipei::new(0x138b, 70_387).expect("an identity");
        let park = Park::of(Ari::class_b(0x1001, 0x123).expect("an identity"));
        let mut known = Subscription::new(Ipui::N(ipei), park);
        known.uak = Some(Key128::new([7; 16]));
        let mut config = PortablePartConfig::new(ipei);
        config.subscription = Some(known);
        let mut portable = PortablePart::new(config, Seed([2; 32]));
        let mut now = Instant::now();
        let mut link = LinkId(1);
        let _ = portable.dial(now, "2002");
        for (step, damage) in story.iter().take(24) {
            now += Duration::from_millis(u64::from(*step) * 40);
            let octets = damaged(&seeds(&corpus), damage);
            let input = match step % 12 {
                0 => Input::Broadcast(&octets),
                1 => Input::Established { link, sdu: None },
                2 => Input::Released { link, mode: dect_nwk::ReleaseMode::Abnormal },
                3 => Input::Suspended { link },
                4 => Input::Resumed { link },
                5 => Input::Encrypted { link, on: true },
                _ => Input::Data { link, sdu: &octets },
            };
            let _ = portable.handle_input(now, input);
            portable.handle_timeout(now);
            while portable.poll_event().is_some() {}
            let mut buffer = BytesMut::new();
            while let Some(transmit) = portable.poll_transmit(&mut buffer) {
                if let Transmit::Establish { link: new, .. } = transmit {
                    link = new;
                    let _ = portable.handle_input(now, Input::Established { link, sdu: None });
                }
            }
        }
        let state = portable.state();
        assert!(state.timers < 64 && state.calls <= 3 && state.services <= 6, "{state:?}");
        for _ in 0..64 {
            let Some(at) = portable.poll_timeout() else { break };
            portable.handle_timeout(at);
        }
        assert_eq!((portable.state().services, portable.state().timers), (0, 0));
    });
}

#[test]
fn segments_in_any_order_are_put_together_within_their_bound() {
    bolero::check!().with_type::<Vec<(bool, u8, u8, Vec<u8>)>>().with_iterations(ROUNDS).for_each(
        |segments| {
            let mut assembly = Assembly::default();
            for (first, remaining, element, piece) in segments {
                let element = ElementIdentifier::from_octet(element & 0x7f);
                let info = SegmentedInfo { first: *first, remaining: remaining & 0x7f, element };
                if let Ok(Some(whole)) = assembly.push(info, piece) {
                    assert!(whole.len() <= LONGEST && !assembly.is_waiting());
                    if whole.is_empty() {
                        continue;
                    }
                    let mut again = Assembly::default();
                    let mut last = None;
                    for [info, piece] in cut(element, &whole).expect("not too long") {
                        let (InformationElement::SegmentedInfo(info), InformationElement::Opaque(piece)) =
                            (info, piece)
                        else {
                            panic!("two elements")
                        };
                        last = again.push(info, &piece.contents).expect("in order");
                    }
                    assert_eq!(last, Some(whole));
                }
            }
        },
    );
}

#[test]
fn commands_of_list_access_are_read_as_written_and_the_server_stays_within_its_bounds() {
    bolero::check!().with_type::<Vec<Vec<u8>>>().with_iterations(ROUNDS).for_each(|commands| {
        let mut server = ListServer::default();
        let mut list = List::editable(vec![1], 1);
        list.entries.push(Entry { identifier: 1, fields: vec![Field::text(1, "Ada")] });
        server.set(lists::CONTACTS, list);
        server.handle(Command::Start { list: lists::CONTACTS, sorting: Vec::new() });
        for octets in commands.iter().take(16) {
            let _ = parse_entries(octets);
            let Ok(command) = Command::parse(octets) else { continue };
            let mut written = BytesMut::new();
            command.emit(&mut written);
            assert_eq!(Command::parse(&written).as_ref(), Ok(&command));
            assert!(server.handle(command).len() < 64);
            assert!(server.sessions() <= 4);
        }
    });
}

#[test]
fn frames_and_broadcast_messages_never_panic() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(ROUNDS).for_each(|octets| {
        if let Ok(frame) = Frame::parse_bare(octets) {
            let mut written = BytesMut::new();
            frame.emit_bare(&mut written);
            assert_eq!(written.len(), octets.len());
            let _ = Reassembly::default().push(&frame);
        }
        let _ = Frame::parse(octets, 0x1001);
        if let Ok((_, message)) = ClmsFixed::parse(octets) {
            assert!(message.data.len() <= 20);
        }
    });
}

#[test]
fn pages_of_three_and_five_octets_are_written_as_they_were_read_twice() {
    bolero::check!().with_type::<Vec<u8>>().with_iterations(ROUNDS).for_each(|octets| {
        for length in [3, 5, octets.len()] {
            let Ok(page) = Page::parse(&octets[..length.min(octets.len())]) else { continue };
            let mut once = BytesMut::new();
            page.emit(&mut once);
            assert_eq!(Page::parse(&once), Ok(page));
        }
    });
}
