//! Scenarios drawn from seeds: users and owner do anything at any time, links are lost, handsets go out of range or
//! fall silent.
//! However it goes, in the end no call, link, timer or transaction is left over and both sides told the same story.

mod world;

use dect_nwk::authentication::{AuthenticationCode, UserPersonalIdentity};
use dect_nwk::ciss::{Notice, Request};
use dect_nwk::element::{CodecList, ReleaseReason};
use dect_nwk::fixed_part::{
    Ciphering, Event, Group, HandoverParameters, IncomingCall, Information, Notification, ServiceChange,
    TextMessage,
};
use dect_nwk::page::RingPattern;
use dect_nwk::portable_part::Event as Heard;
use dect_nwk::services::{ControlCode, Slot};
use dect_nwk::{CallId, ServiceId, lce};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use world::{World, config};

/// A small generator: the walks must not depend on anything outside.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.roll(from.len() as u64) as usize]) }
    }
}

/// The calls that are not over, as either side sees them.
#[derive(Default)]
struct Calls {
    fixed: BTreeSet<CallId>,
    portable: BTreeSet<(usize, CallId)>,
    fixed_services: BTreeSet<ServiceId>,
    portable_services: BTreeSet<(usize, ServiceId)>,
    fixed_over: BTreeMap<CallId, usize>,
    portable_over: BTreeMap<(usize, CallId), usize>,
}

impl Calls {
    fn learn(&mut self, world: &mut World) {
        for event in std::mem::take(&mut world.fixed_events) {
            match event {
                Event::Setup { call, .. } => drop(self.fixed.insert(call)),
                Event::Released { call, .. } => {
                    assert!(self.fixed.remove(&call), "{call:?} is over twice: {:#?}", world.ladder);
                    *self.fixed_over.entry(call).or_default() += 1;
                }
                Event::ServiceOpened { service, .. } => drop(self.fixed_services.insert(service)),
                Event::ServiceClosed { service, .. } => {
                    assert!(self.fixed_services.remove(&service), "{service:?} is over twice");
                }
                _ => {}
            }
        }
        for (index, event) in std::mem::take(&mut world.portable_events) {
            match event {
                Heard::Ring { call, .. } => drop(self.portable.insert((index, call))),
                Heard::Released { call, .. } => {
                    assert!(self.portable.remove(&(index, call)), "{call:?} is over twice");
                    *self.portable_over.entry((index, call)).or_default() += 1;
                }
                Heard::ServiceOpened { service, .. } => drop(self.portable_services.insert((index, service))),
                Heard::ServiceClosed { service, .. } => {
                    assert!(self.portable_services.remove(&(index, service)), "{service:?} is over twice");
                }
                _ => {}
            }
        }
    }
}

fn act(world: &mut World, dice: &mut Dice, calls: &mut Calls) {
    let now = world.now;
    let index = dice.roll(world.handsets.len() as u64) as usize;
    let fixed: Vec<_> = calls.fixed.iter().copied().collect();
    let mine: Vec<_> = calls.portable.iter().filter(|(at, _)| *at == index).map(|(_, call)| *call).collect();
    let portable = world.handsets[index].part.subscription().and_then(|it| world.fixed.find(&it.ipui));
    // Commands that mean nothing now are refused; that is part of the walk.
    match dice.roll(42) {
        0 => {
            let code = if dice.roll(3) == 0 { "9" } else { world::PIN };
            let _ = world.handsets[index].part.subscribe(now, AuthenticationCode::from_pin(code).unwrap());
        }
        1 | 2 => drop(world.handsets[index].part.locate(now)),
        3 => drop(world.handsets[index].part.detach(now)),
        4 => drop(world.handsets[index].part.authenticate_fixed_part(now)),
        5..=7 => {
            if let Ok(call) = world.handsets[index].part.dial(now, "2002") {
                calls.portable.insert((index, call));
            }
        }
        8 => {
            if let Ok(call) = world.handsets[index].part.off_hook(now) {
                calls.portable.insert((index, call));
            }
        }
        9 => {
            if let Some(call) = dice.pick(&mine) {
                let _ = world.handsets[index].part.digits(now, call, "5", dice.roll(2) == 0);
            }
        }
        10 | 11 => {
            if let Some(call) = dice.pick(&mine) {
                let _ = world.handsets[index].part.answer(now, call);
            }
        }
        12 | 13 => {
            if let Some(call) = dice.pick(&mine) {
                let reason = dice.pick(&[ReleaseReason::Normal, ReleaseReason::PartialRelease]).unwrap();
                let _ = world.handsets[index].part.release(now, call, reason);
            }
        }
        14..=16 => {
            if let Some(Ok(call)) = portable.map(|it| world.fixed.setup(now, it, IncomingCall::default())) {
                calls.fixed.insert(call);
            }
        }
        17..=19 => {
            if let Some(call) = dice.pick(&fixed) {
                let _ = match dice.roll(6) {
                    0 => world.fixed.setup_acknowledge(now, call),
                    1 => world.fixed.call_proceeding(now, call),
                    2 => world.fixed.alerting(now, call),
                    3 => world.fixed.connect(now, call),
                    4 => world.fixed.answer_hold(now, call, true),
                    _ => world.fixed.information(now, call, &Information::default()),
                };
            }
        }
        20 => {
            if let Some(call) = dice.pick(&fixed) {
                let reason = dice.pick(&[ReleaseReason::Normal, ReleaseReason::PartialRelease]).unwrap();
                let _ = world.fixed.release(now, call, reason);
            }
        }
        21 => {
            if let Some(portable) = portable {
                let _ = match dice.roll(6) {
                    0 => world.fixed.terminate_access(now, portable),
                    1 => world.fixed.authenticate(now, portable),
                    2 => world.fixed.identify(now, portable),
                    _ => {
                        let ciphering = dice.pick(&[Ciphering::On, Ciphering::Off]).unwrap();
                        world.fixed.cipher(now, portable, ciphering)
                    }
                };
            }
        }
        22 => world.lose_links(index),
        25 => world.handsets[index].silent = dice.roll(3) == 0,
        26 => {
            let told = Notification { missed_calls: Some(1), ..Notification::default() };
            if let Some(portable) = portable {
                let _ = world.fixed.notify(now, portable, &told);
            }
        }
        23 => world.handsets[index].in_range = !world.handsets[index].in_range,
        24 => {
            if dice.roll(4) == 0 {
                let _ = world.handsets[index].part.terminate_access(now);
            }
        }
        28 => {
            if let Some(call) = dice.pick(&mine) {
                let codes: Vec<_> = ControlCode::all().collect();
                let part = &mut world.handsets[index].part;
                let _ = match dice.roll(6) {
                    0 => part.hold(now, call),
                    1 => part.retrieve(now, call),
                    2 => part.answer_hold(now, call, dice.roll(2) == 0),
                    3 => part.change_service(now, call, &change()),
                    4 => part.answer_service_change(now, call, dice.roll(2) == 0),
                    _ => part.control(now, call, dice.pick(&codes).unwrap(), None, "2"),
                };
            }
        }
        29 => {
            if let Some(call) = dice.pick(&fixed) {
                let _ = match dice.roll(8) {
                    0 => world.fixed.hold(now, call),
                    1 => world.fixed.retrieve(now, call),
                    2 => world.fixed.answer_retrieve(now, call, dice.roll(2) == 0),
                    3 => world.fixed.change_service(now, call, &change()),
                    4 => world.fixed.answer_service_change(now, call, dice.roll(2) == 0),
                    5 => world.fixed.second_answered(now, call),
                    6 => world.fixed.far_released(now, call, Slot::Second),
                    _ => world.fixed.call_waits(now, call, &IncomingCall::default()).map(drop),
                };
            }
        }
        30 => {
            if let Some(portable) = portable {
                let identity = UserPersonalIdentity::from_pin("1").unwrap();
                let _ = match dice.roll(6) {
                    0 => world.fixed.assign_temporary_identity(now, portable),
                    1 => world.fixed.suggest_location(now, portable),
                    2 => world.fixed.authenticate_user(now, portable, identity),
                    3 => world.fixed.increment_zap(now, portable),
                    4 => world.fixed.rekey(now, portable),
                    _ => world.fixed.send_message(now, portable, &TextMessage::default()),
                };
            }
        }
        31 => {
            let identity = UserPersonalIdentity::from_pin("1").unwrap();
            let _ = world.handsets[index].part.enter_personal_identity(now, &identity);
        }
        32 => drop(world.handsets[index].part.send_message(now, &TextMessage::default())),
        33 => {
            if dice.roll(2) == 0 {
                world.fixed.ring(Group::Everyone, RingPattern::Continuous);
            } else {
                world.fixed.stop_ringing();
            }
        }
        34 => drop(world.handsets[index].part.answer_ring(now)),
        35 | 36 => {
            let mine = calls.portable_services.iter().find(|(at, _)| *at == index).copied();
            let part = &mut world.handsets[index].part;
            match (dice.roll(3), mine) {
                (0, Some((_, service))) => {
                    let request = Request { components: vec![0xa1; 300], ..Request::default() };
                    let _ = part.service_request(now, service, &request);
                }
                (1, Some((_, service))) => {
                    if part.close_service(now, service, ReleaseReason::Normal).is_ok() {
                        calls.portable_services.remove(&(index, service));
                    }
                }
                _ => {
                    let request = Request { keys: "*#21#".to_owned(), ..Request::default() };
                    if let Ok(service) = part.open_service(now, &request) {
                        calls.portable_services.insert((index, service));
                    }
                }
            }
        }
        37 => {
            let ours = calls.fixed_services.iter().next().copied();
            let notice = Notice { components: vec![0xa2; 60], ..Notice::default() };
            match (dice.roll(3), ours, portable) {
                (0, Some(service), _) => drop(world.fixed.service_notice(now, service, &notice)),
                (1, Some(service), _) => {
                    let closed = world.fixed.close_service(now, service, ReleaseReason::Normal, &notice);
                    closed.map(|()| calls.fixed_services.remove(&service)).expect("it is open");
                }
                (_, _, Some(portable)) => {
                    if let Ok(service) = world.fixed.open_service(now, portable, &notice) {
                        calls.fixed_services.insert(service);
                    }
                }
                _ => {}
            }
        }
        38 => {
            // The link layer of a handset that has gone lets nothing sleep.
            let _ = match (dice.roll(3), portable) {
                (0, _) => world.handsets[index].part.suspend(now),
                (1, Some(portable)) => world.fixed.suspend(now, portable),
                _ => {
                    world.fall_asleep(index);
                    Ok(())
                }
            };
        }
        39 => world.move_link(index),
        40 => {
            let _ = world.handsets[index].part.retrieve_handover_parameters(now);
            if let Some(portable) = portable
                && dice.roll(2) == 0
            {
                let _ = world.fixed.answer_parameters(now, portable, None);
                let _ = world.fixed.suggest_handover(now, portable, &HandoverParameters::default());
            }
        }
        _ => {
            let _ = world.handsets[index]
                .part
                .suggest_cipher(now, if dice.roll(2) == 0 { Ciphering::On } else { Ciphering::Off });
        }
    }
}

fn change() -> ServiceChange {
    ServiceChange::codec(CodecList { negotiation: 1, codecs: Vec::new() })
}

fn walk(seed: u64, steps: usize) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut settings = config();
    settings.cipher_calls = dice.roll(2) == 0;
    settings.authenticate_calls = dice.roll(3) == 0;
    settings.assign_tpui = dice.roll(4) != 0;
    settings.call_independent_services = dice.roll(4) != 0;
    settings.handover_parameters = dice.roll(2) == 0;
    settings.parallel_calls = dice.roll(2) == 0;
    settings.early_encryption = dice.roll(2) == 0;
    settings.zap = dice.pick(&[None, Some(3)]).unwrap();
    settings.rekey = dice.pick(&[None, Some(Duration::from_secs(9))]).unwrap();
    let mut world = World::new(settings, seed);
    world.spread = dice.roll(2) == 0;
    for _ in 0..3 {
        let (dsaa2, early) = (dice.roll(2) == 0, dice.roll(2) == 0);
        world.add_handset_with(|config| {
            config.dsaa2 = dsaa2;
            config.early_encryption = early;
        });
    }
    if dice.roll(8) == 0 {
        world.code = None;
    } else {
        world.bring_into_service(0);
        world.bring_into_service(1);
    }
    let mut calls = Calls::default();
    for _ in 0..steps {
        act(&mut world, &mut dice, &mut calls);
        let pause = [0, 1, 7, 15, 31, 60, 1_000, 6_000, 21_000][dice.roll(9) as usize];
        world.pass(Duration::from_millis(pause));
        calls.learn(&mut world);
    }
    // Everybody hangs up; what nobody can hang up ends by its timer.
    for handset in &mut world.handsets {
        handset.in_range = true;
        handset.silent = false;
    }
    for _ in 0..2 {
        for call in calls.fixed.clone() {
            let _ = world.fixed.release(world.now, call, ReleaseReason::Normal);
        }
        for (index, call) in calls.portable.clone() {
            let _ = world.handsets[index].part.release(world.now, call, ReleaseReason::Normal);
        }
        // A link that sleeps is none that is left over: the link layer lets go of it.
        for index in 0..world.handsets.len() {
            if world.handsets[index].part.state().link_state == lce::State::Suspended {
                world.lose_links(index);
            }
        }
        world.pass(Duration::from_mins(3));
        calls.learn(&mut world);
    }
    world.assert_quiet();
    assert!(calls.fixed.is_empty() && calls.portable.is_empty());
    assert!(calls.fixed_services.is_empty() && calls.portable_services.is_empty());
    assert!(calls.fixed_over.values().chain(calls.portable_over.values()).all(|times| *times == 1));
    // Whoever has a temporary identity is found under it.
    for handset in &world.handsets {
        let Some(known) = handset.part.subscription() else { continue };
        let Some(portable) = world.fixed.find(&known.ipui) else { continue };
        let state = world.fixed.state(portable).expect("found");
        assert!(state.calls == 0 && state.link.is_none());
    }
}

/// Seeds 0 to 9,999 in four parts, so that two cores share them; `DECT_WALKS` makes it more.
fn walks(part: u64) {
    let seeds = std::env::var("DECT_WALKS").ok().and_then(|count| count.parse().ok()).unwrap_or(10_000);
    for seed in (part..seeds).step_by(4) {
        let result = std::panic::catch_unwind(|| walk(seed, 40));
        assert!(result.is_ok(), "seed {seed}");
    }
}

#[test]
fn no_call_link_or_timer_is_left_over_first_part() {
    walks(0);
}

#[test]
fn no_call_link_or_timer_is_left_over_second_part() {
    walks(1);
}

#[test]
fn no_call_link_or_timer_is_left_over_third_part() {
    walks(2);
}

#[test]
fn no_call_link_or_timer_is_left_over_fourth_part() {
    walks(3);
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let story = || {
        let mut dice = Dice(42);
        let mut world = World::with_handset(config(), true);
        let mut calls = Calls::default();
        for _ in 0..80 {
            act(&mut world, &mut dice, &mut calls);
            world.pass(Duration::from_millis(500));
            calls.learn(&mut world);
        }
        world.ladder
    };
    let first = story();
    assert!(first.len() > 50);
    assert_eq!(first, story());
}
