//! Peers that send anything: no panic, bounded memory, and nothing left over when their links are gone.

mod world;

use bytes::BytesMut;
use dect_nwk::fixed_part::{FixedPart, IncomingCall, KnownPortable};
use dect_nwk::identity::Ipui;
use dect_nwk::portable_part::{PortablePart, PortablePartConfig};
use dect_nwk::{Input, LinkId, ReleaseMode, Seed, Transmit};
use proptest::prelude::*;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use world::{World, config, ipei};

/// Every message both sides say in a life with subscription, location, calls, hold and ciphering.
fn corpus() -> &'static [Vec<u8>] {
    static CORPUS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let mut said = Vec::new();
        for dsaa2 in [false, true] {
            let mut settings = config();
            settings.cipher_calls = true;
            let mut world = World::with_handset(settings, dsaa2);
            let soon = Duration::from_millis(300);
            let own = world.handsets[0].part.off_hook(world.now).unwrap();
            world.pass(soon);
            let call = world.fixed_call();
            world.fixed.setup_acknowledge(world.now, call).unwrap();
            world.pass(soon);
            world.handsets[0].part.digits(world.now, own, "123", true).unwrap();
            world.fixed.call_proceeding(world.now, call).unwrap();
            world.fixed.alerting(world.now, call).unwrap();
            world.fixed.connect(world.now, call).unwrap();
            world.pass(soon);
            world.handsets[0].part.hold(world.now, own).unwrap();
            world.pass(soon);
            world.fixed.answer_hold(world.now, call, true).unwrap();
            world.handsets[0].part.authenticate_fixed_part(world.now).unwrap();
            let portable = world.portable(0);
            world.fixed.identify(world.now, portable).unwrap();
            world.pass(soon);
            world.handsets[0].part.release(world.now, own, dect_nwk::element::ReleaseReason::Normal).unwrap();
            world.pass(Duration::from_secs(9));
            let incoming = IncomingCall { calling_number: Some("1".into()), ..IncomingCall::default() };
            world.fixed.setup(world.now, portable, incoming).unwrap();
            world.pass(soon);
            let ringing = world.ringing_call(0);
            world.handsets[0].part.answer(world.now, ringing).unwrap();
            world.pass(soon);
            world.handsets[0].part.detach(world.now).unwrap();
            world.fixed.terminate_access(world.now, portable).unwrap();
            world.pass(Duration::from_secs(30));
            said.append(&mut world.said);
        }
        said
    })
}

#[derive(Clone, Debug)]
enum Stroke {
    Establish(u32, Vec<u8>),
    Data(u32, Vec<u8>),
    Broadcast(Vec<u8>),
    Released(u32),
    Encrypted(u32, bool),
    Sleep(u16),
    Setup,
}

fn octets() -> impl Strategy<Value = Vec<u8>> {
    let pure = proptest::collection::vec(any::<u8>(), 0..80);
    let known = (0..corpus().len(), any::<[(u8, u8); 3]>(), 0_usize..4, any::<u8>()).prop_map(
        |(index, changes, count, cut)| {
            let mut octets = corpus()[index].clone();
            for (at, value) in changes.iter().take(count) {
                let at = usize::from(*at) % octets.len();
                octets[at] = *value;
            }
            if cut > 230 {
                octets.truncate(usize::from(cut) % octets.len());
            }
            octets
        },
    );
    prop_oneof![1 => pure, 6 => known]
}

fn stroke() -> impl Strategy<Value = Stroke> {
    prop_oneof![
        4 => (0_u32..4, octets()).prop_map(|(link, sdu)| Stroke::Establish(link, sdu)),
        12 => (0_u32..4, octets()).prop_map(|(link, sdu)| Stroke::Data(link, sdu)),
        1 => proptest::collection::vec(any::<u8>(), 0..7).prop_map(Stroke::Broadcast),
        1 => (0_u32..4).prop_map(Stroke::Released),
        1 => (0_u32..4, any::<bool>()).prop_map(|(link, on)| Stroke::Encrypted(link, on)),
        2 => any::<u16>().prop_map(Stroke::Sleep),
        1 => Just(Stroke::Setup),
    ]
}

fn origin() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "the origin of virtual time")]
    Instant::now()
}

fn sleep(fixed: &mut FixedPart, mut now: Instant, time: Duration) -> Instant {
    let until = now + time;
    while let Some(next) = fixed.poll_timeout().filter(|next| *next <= until) {
        now = now.max(next);
        fixed.handle_timeout(now);
        drain(fixed);
    }
    until
}

fn drain(fixed: &mut FixedPart) -> Vec<LinkId> {
    let mut buffer = BytesMut::new();
    let mut released = Vec::new();
    let mut count = 0;
    while let Some(transmit) = fixed.poll_transmit(&mut buffer) {
        count += 1;
        if let Transmit::Release { link, .. } = transmit {
            released.push(link);
        }
    }
    while fixed.poll_event().is_some() {
        count += 1;
    }
    assert!(count < 64, "one input had {count} consequences");
    released
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_fixed_part_survives_every_peer(strokes in proptest::collection::vec(stroke(), 1..60)) {
        let mut now = origin();
        let mut settings = config();
        settings.cipher_calls = true;
        let mut fixed = FixedPart::new(settings, Seed([3; 32]));
        let mut known = KnownPortable::new(Ipui::N(ipei(0x1000)));
        known.uak = Some(dect_nwk::authentication::Key128::new([1; 16]));
        let portable = fixed.add_portable(known);
        let codes = dect_nwk::authentication::AuthenticationCode::from_pin("1234").unwrap();
        for stroke in &strokes {
            match stroke {
                Stroke::Establish(link, sdu) => {
                    let _ = fixed.handle_input(now, Input::Established { link: LinkId(*link), sdu: Some(sdu) });
                }
                Stroke::Data(link, sdu) => {
                    let _ = fixed.handle_input(now, Input::Data { link: LinkId(*link), sdu });
                }
                Stroke::Broadcast(octets) => {
                    let _ = fixed.handle_input(now, Input::Broadcast(octets));
                }
                Stroke::Released(link) => {
                    let mode = ReleaseMode::Abnormal;
                    let _ = fixed.handle_input(now, Input::Released { link: LinkId(*link), mode });
                }
                Stroke::Encrypted(link, on) => {
                    let _ = fixed.handle_input(now, Input::Encrypted { link: LinkId(*link), on: *on });
                }
                Stroke::Sleep(time) => now = sleep(&mut fixed, now, Duration::from_millis(u64::from(*time))),
                Stroke::Setup => {
                    let _ = fixed.setup(now, portable, IncomingCall::default());
                    if let Some(dect_nwk::fixed_part::Event::AccessRightsRequested { request, .. }) = fixed.poll_event() {
                        let _ = fixed.allow_access(now, request, codes.clone());
                    }
                }
            }
            drain(&mut fixed);
            let load = fixed.load();
            prop_assert!(load.links <= 4 && load.portables <= 1 + 4 && load.calls <= 2 * 5, "{load:?}");
            prop_assert!(load.timers <= 8 * (load.portables + load.calls + load.links), "{load:?}");
        }
        for link in 0..4 {
            let _ = fixed.handle_input(now, Input::Released { link: LinkId(link), mode: ReleaseMode::Abnormal });
        }
        sleep(&mut fixed, now, Duration::from_mins(5));
        let load = fixed.load();
        prop_assert!(load.links == 0 && load.calls == 0 && load.timers == 0 && load.portables <= 1, "{load:?}");
    }

    #[test]
    fn a_portable_part_survives_every_peer(strokes in proptest::collection::vec(stroke(), 1..60)) {
        let mut now = origin();
        let mut portable = PortablePart::new(PortablePartConfig::new(ipei(0x1000)), Seed([3; 32]));
        let mut world = World::with_handset(config(), true);
        std::mem::swap(&mut portable, &mut world.handsets[0].part);
        for stroke in &strokes {
            match stroke {
                Stroke::Establish(link, _) => {
                    let _ = portable.off_hook(now);
                    let _ = portable.handle_input(now, Input::Established { link: LinkId(*link), sdu: None });
                }
                Stroke::Data(_, sdu) => {
                    // Whatever the number of its link is now.
                    for link in 0..40 {
                        let _ = portable.handle_input(now, Input::Data { link: LinkId(link), sdu });
                    }
                }
                Stroke::Broadcast(octets) => {
                    let _ = portable.handle_input(now, Input::Broadcast(octets));
                }
                Stroke::Released(link) => {
                    let mode = ReleaseMode::Abnormal;
                    let _ = portable.handle_input(now, Input::Released { link: LinkId(*link), mode });
                }
                Stroke::Encrypted(link, on) => {
                    let _ = portable.handle_input(now, Input::Encrypted { link: LinkId(*link), on: *on });
                }
                Stroke::Sleep(time) => {
                    now += Duration::from_millis(u64::from(*time));
                    portable.handle_timeout(now);
                }
                Stroke::Setup => {
                    let _ = portable.locate(now);
                }
            }
            let mut buffer = BytesMut::new();
            let mut count = 0;
            while portable.poll_transmit(&mut buffer).is_some() {
                count += 1;
            }
            while portable.poll_event().is_some() {
                count += 1;
            }
            prop_assert!(count < 200, "one input had {count} consequences");
            let state = portable.state();
            prop_assert!(state.calls <= 4 && state.timers <= 16, "{state:?}");
        }
    }
}
