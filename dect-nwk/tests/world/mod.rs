//! A fixed part and portable parts in virtual time, with a link layer between them that keeps order, takes time, and
//! loses links on demand.
#![allow(dead_code, reason = "each test file uses its part")]

use bytes::BytesMut;
use dect_nwk::authentication::{AuthenticationCode, CipherKey};
use dect_nwk::fixed_part::{Event, FixedPart, FixedPartConfig, PortableId};
use dect_nwk::identity::{Ari, Ipei};
use dect_nwk::message::Message;
use dect_nwk::portable_part::{self, PortablePart, PortablePartConfig};
use dect_nwk::{CallId, Input, LinkId, ReleaseMode, Seed, Transmit};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub(crate) const LATENCY: Duration = Duration::from_millis(15);
pub(crate) const PIN: &str = "1234";

#[derive(Clone, Debug)]
enum Carried {
    Broadcast(Vec<u8>),
    Established(LinkId, Option<Vec<u8>>),
    Data(LinkId, Vec<u8>),
    Released(LinkId, ReleaseMode),
    Encrypted(LinkId, bool),
    Suspended(LinkId),
    Resumed(LinkId),
}

impl Carried {
    fn input(&self) -> Input<'_> {
        match self {
            Self::Broadcast(octets) => Input::Broadcast(octets),
            Self::Established(link, sdu) => Input::Established { link: *link, sdu: sdu.as_deref() },
            Self::Data(link, sdu) => Input::Data { link: *link, sdu },
            Self::Released(link, mode) => Input::Released { link: *link, mode: *mode },
            Self::Suspended(link) => Input::Suspended { link: *link },
            Self::Resumed(link) => Input::Resumed { link: *link },
            Self::Encrypted(link, on) => Input::Encrypted { link: *link, on: *on },
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Fixed,
    Portable(usize),
}

#[derive(Debug, Default)]
struct Wire {
    fixed_key: Option<CipherKey>,
    portable_key: Option<CipherKey>,
    fixed_default: Option<(u16, CipherKey)>,
    portable_default: Option<(u16, CipherKey)>,
}

pub(crate) struct Handset {
    pub(crate) part: PortablePart,
    pub(crate) in_range: bool,
    /// Its links stand, but no message gets through in either direction.
    pub(crate) silent: bool,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) fixed: FixedPart,
    pub(crate) handsets: Vec<Handset>,
    pub(crate) fixed_events: Vec<Event>,
    pub(crate) portable_events: Vec<(usize, portable_part::Event)>,
    /// The messages themselves.
    pub(crate) said: Vec<Vec<u8>>,
    /// Names of the messages sent, with the direction.
    pub(crate) ladder: Vec<String>,
    pub(crate) pages: usize,
    /// Links are of different speed, so that what is said over one may overtake what was said over another.
    pub(crate) spread: bool,
    /// Links that went to sleep (true) or were woken up.
    pub(crate) slept: Vec<bool>,
    /// Access requests are answered with this code; without one they wait for the test.
    pub(crate) code: Option<AuthenticationCode>,
    /// Links of the fixed part and where they lead.
    wires: BTreeMap<LinkId, (usize, LinkId, Wire)>,
    flights: BTreeMap<(Instant, u64), (End, Carried)>,
    sequence: u64,
    last_link: u32,
}

pub(crate) fn ari() -> Ari {
    Ari::class_b(0x1001, 0x123).unwrap()
}

pub(crate) fn ipei(number: u32) -> Ipei {
    Ipei::new(0x138b, number).unwrap()
}

fn seed(number: u64) -> Seed {
    let mut octets = [0; 32];
    octets[..8].copy_from_slice(&number.to_be_bytes());
    Seed(octets)
}

impl World {
    pub(crate) fn new(config: FixedPartConfig, number: u64) -> Self {
        #[allow(clippy::disallowed_methods, reason = "the origin of virtual time")]
        let now = Instant::now();
        Self {
            now,
            fixed: FixedPart::new(config, seed(number)),
            handsets: Vec::new(),
            fixed_events: Vec::new(),
            portable_events: Vec::new(),
            said: Vec::new(),
            ladder: Vec::new(),
            pages: 0,
            spread: false,
            slept: Vec::new(),
            code: Some(AuthenticationCode::from_pin(PIN).unwrap()),
            wires: BTreeMap::new(),
            flights: BTreeMap::new(),
            sequence: 0,
            last_link: 100,
        }
    }

    /// A system with one handset that is subscribed and located.
    pub(crate) fn with_handset(config: FixedPartConfig, dsaa2: bool) -> Self {
        let mut world = Self::new(config, 7);
        world.add_handset(dsaa2);
        world.bring_into_service(0);
        world
    }

    pub(crate) fn add_handset(&mut self, dsaa2: bool) -> usize {
        self.add_handset_with(|config| config.dsaa2 = dsaa2)
    }

    pub(crate) fn add_handset_with(&mut self, settings: impl FnOnce(&mut PortablePartConfig)) -> usize {
        let index = self.handsets.len();
        let mut config = PortablePartConfig::new(ipei(0x1000 + index as u32));
        settings(&mut config);
        let part = PortablePart::new(config, seed(1_000_000 + index as u64));
        self.handsets.push(Handset { part, in_range: true, silent: false });
        index
    }

    /// A system with one handset of these settings that is subscribed and located.
    pub(crate) fn with_settings(
        config: FixedPartConfig,
        settings: impl FnOnce(&mut PortablePartConfig),
    ) -> Self {
        let mut world = Self::new(config, 7);
        world.add_handset_with(settings);
        world.bring_into_service(0);
        world
    }

    /// A call of the handset that is answered: the call's number on both sides.
    pub(crate) fn talk(&mut self) -> (CallId, CallId) {
        let own = self.handsets[0].part.dial(self.now, "2001").unwrap();
        self.pass(Duration::from_millis(200));
        let call = self.fixed_call();
        self.fixed.connect(self.now, call).unwrap();
        self.pass(Duration::from_millis(200));
        self.clear();
        (call, own)
    }

    /// Subscribes and locates a handset and forgets what was said.
    pub(crate) fn bring_into_service(&mut self, index: usize) {
        let code = AuthenticationCode::from_pin(PIN).unwrap();
        let now = self.now;
        self.handsets[index].part.subscribe(now, code).unwrap();
        self.pass(Duration::from_secs(8));
        let now = self.now;
        self.handsets[index].part.locate(now).unwrap();
        self.pass(Duration::from_secs(8));
        assert!(self.handsets[index].part.state().located, "{:#?}", self.ladder);
        self.clear();
    }

    pub(crate) fn clear(&mut self) {
        self.fixed_events.clear();
        self.portable_events.clear();
        self.ladder.clear();
        self.pages = 0;
    }

    pub(crate) fn portable(&self, index: usize) -> PortableId {
        let ipui = self.handsets[index].part.subscription().expect("subscribed").ipui;
        self.fixed.find(&ipui).expect("known")
    }

    /// Lets virtual time go on, from deadline to deadline.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.drain();
            let next = self.next().filter(|next| *next <= until);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            while let Some(entry) = self.flights.first_entry() {
                if entry.key().0 > self.now {
                    break;
                }
                let (end, carried) = entry.remove();
                self.deliver(end, &carried);
                self.drain();
            }
            let now = self.now;
            if self.fixed.poll_timeout().is_some_and(|at| at <= now) {
                self.fixed.handle_timeout(now);
                self.drain();
            }
            for index in 0..self.handsets.len() {
                if self.handsets[index].part.poll_timeout().is_some_and(|at| at <= now) {
                    self.handsets[index].part.handle_timeout(now);
                    self.drain();
                }
            }
        }
        self.now = until;
    }

    fn next(&self) -> Option<Instant> {
        let flights = self.flights.keys().next().map(|(at, _)| *at);
        let handsets = self.handsets.iter().filter_map(|handset| handset.part.poll_timeout());
        handsets.chain(flights).chain(self.fixed.poll_timeout()).min()
    }

    fn deliver(&mut self, end: End, carried: &Carried) {
        // An error only names what the peer did; the random walks provoke them.
        let _ = match end {
            End::Fixed => self.fixed.handle_input(self.now, carried.input()),
            End::Portable(index) => self.handsets[index].part.handle_input(self.now, carried.input()),
        };
    }

    fn fly(&mut self, end: End, carried: Carried) {
        self.sequence += 1;
        // Each link keeps its order; one may be faster than another.
        let extra = match &carried {
            Carried::Broadcast(_) => 0,
            Carried::Established(link, _)
            | Carried::Data(link, _)
            | Carried::Released(link, _)
            | Carried::Encrypted(link, _)
            | Carried::Suspended(link)
            | Carried::Resumed(link) => link.0 % 4,
        };
        let extra = if self.spread { LATENCY * extra } else { Duration::ZERO };
        self.flights.insert((self.now + LATENCY + extra, self.sequence), (end, carried));
    }

    /// Carries out everything both sides have to say.
    pub(crate) fn drain(&mut self) {
        loop {
            let mut idle = true;
            let mut buffer = BytesMut::new();
            while let Some(transmit) = self.fixed.poll_transmit(&mut buffer) {
                idle = false;
                self.carry_for_fixed(transmit, &buffer.split());
            }
            while let Some(event) = self.fixed.poll_event() {
                idle = false;
                self.fixed_event(event);
            }
            for index in 0..self.handsets.len() {
                while let Some(transmit) = self.handsets[index].part.poll_transmit(&mut buffer) {
                    idle = false;
                    self.carry_for_portable(index, transmit, &buffer.split());
                }
                while let Some(event) = self.handsets[index].part.poll_event() {
                    idle = false;
                    self.portable_events.push((index, event));
                }
            }
            if idle {
                return;
            }
        }
    }

    fn fixed_event(&mut self, event: Event) {
        if let (Event::AccessRightsRequested { request, .. }, Some(code)) = (&event, self.code.clone()) {
            self.fixed.allow_access(self.now, *request, code).unwrap();
        }
        self.fixed_events.push(event);
    }

    fn note(&mut self, direction: &str, sdu: &[u8]) {
        self.said.push(sdu.to_vec());
        let message = Message::parse(sdu).expect("our own messages are well formed");
        let mut again = BytesMut::new();
        message.emit(&mut again);
        assert_eq!(again, sdu, "what we send is canonical");
        let side = if direction == "F>P" {
            dect_nwk::message::Side::Fixed
        } else {
            dect_nwk::message::Side::Portable
        };
        assert_eq!(message.verify(side), Ok(()), "{direction} {message:?}");
        assert!(message.message_type.may_come_from(side), "{direction} {message:?}");
        self.ladder.push(format!("{direction} {}", message.message_type.name()));
    }

    fn carry_for_fixed(&mut self, transmit: Transmit, octets: &[u8]) {
        match transmit {
            Transmit::Broadcast { len } => {
                assert_eq!(len, octets.len());
                self.pages += 1;
                for index in 0..self.handsets.len() {
                    if self.handsets[index].in_range {
                        self.fly(End::Portable(index), Carried::Broadcast(octets.to_vec()));
                    }
                }
            }
            Transmit::Data { link, len } => {
                assert_eq!(len, octets.len());
                self.note("F>P", octets);
                if let Some((index, theirs, _)) = self.wires.get(&link) {
                    let (index, theirs) = (*index, *theirs);
                    if self.handsets[index].silent {
                        return;
                    }
                    self.fly(End::Portable(index), Carried::Data(theirs, octets.to_vec()));
                }
            }
            Transmit::Release { link, mode } => {
                if let Some((index, theirs, _)) = self.wires.remove(&link) {
                    self.fly(End::Portable(index), Carried::Released(theirs, mode));
                    self.fly(End::Fixed, Carried::Released(link, mode));
                }
            }
            Transmit::DefaultKey { link, index, key } => {
                if let Some((_, _, wire)) = self.wires.get_mut(&link) {
                    wire.fixed_default = Some((index, key));
                }
                self.early_encryption(link);
            }
            Transmit::EncryptionKey { link, key } => {
                if let Some((_, _, wire)) = self.wires.get_mut(&link) {
                    wire.fixed_key = Some(key);
                }
            }
            Transmit::Suspend { link } => self.sleep(link, true),
            Transmit::Resume { link } => self.sleep(link, false),
            other => panic!("not of a fixed part: {other:?}"),
        }
    }

    /// A link is ciphered from the beginning when both sides have the same default key.
    fn early_encryption(&mut self, ours: LinkId) {
        let Some((index, theirs, wire)) = self.wires.get(&ours) else { return };
        let (index, theirs) = (*index, *theirs);
        let (Some(fixed), Some(portable)) = (&wire.fixed_default, &wire.portable_default) else { return };
        if fixed.0 == portable.0 {
            assert_eq!(fixed.1, portable.1, "two keys under one index: {:#?}", self.ladder);
            self.fly(End::Fixed, Carried::Encrypted(ours, true));
            self.fly(End::Portable(index), Carried::Encrypted(theirs, true));
        }
    }

    fn carry_for_portable(&mut self, index: usize, transmit: Transmit, octets: &[u8]) {
        let index_of_handset = index;
        match transmit {
            Transmit::Establish { link, len } => {
                assert_eq!(len, octets.len());
                self.note("P>F", octets);
                if self.handsets[index].in_range {
                    self.last_link += 1;
                    let ours = LinkId(self.last_link);
                    self.wires.insert(ours, (index, link, Wire::default()));
                    self.fly(End::Fixed, Carried::Established(ours, Some(octets.to_vec())));
                    self.fly(End::Portable(index), Carried::Established(link, None));
                } else {
                    self.fly(End::Portable(index), Carried::Released(link, ReleaseMode::Abnormal));
                }
            }
            Transmit::Data { link, len } => {
                assert_eq!(len, octets.len());
                self.note("P>F", octets);
                if let Some(ours) = self.wire_of(index, link)
                    && !self.handsets[index].silent
                {
                    self.fly(End::Fixed, Carried::Data(ours, octets.to_vec()));
                }
            }
            Transmit::Release { link, mode } => {
                if let Some(ours) = self.wire_of(index, link) {
                    self.wires.remove(&ours);
                    self.fly(End::Fixed, Carried::Released(ours, mode));
                    self.fly(End::Portable(index), Carried::Released(link, mode));
                }
            }
            Transmit::DefaultKey { link, index, key } => {
                if let Some(ours) = self.wire_of(index_of_handset, link) {
                    self.wires.get_mut(&ours).unwrap().2.portable_default = Some((index, key));
                    self.early_encryption(ours);
                }
            }
            Transmit::EncryptionKey { link, key } => {
                if let Some(ours) = self.wire_of(index, link) {
                    self.wires.get_mut(&ours).unwrap().2.portable_key = Some(key);
                }
            }
            Transmit::Encrypt { link, on } => {
                if let Some(ours) = self.wire_of(index, link) {
                    let wire = &self.wires[&ours].2;
                    let equal = wire.fixed_key.is_some() && wire.fixed_key == wire.portable_key;
                    assert!(!on || equal, "handset {index}: the cipher keys differ: {:#?}", self.ladder);
                    self.fly(End::Fixed, Carried::Encrypted(ours, on));
                    self.fly(End::Portable(index), Carried::Encrypted(link, on));
                }
            }
            Transmit::Suspend { link } | Transmit::Resume { link } => {
                if let Some(ours) = self.wire_of(index, link) {
                    self.sleep(ours, matches!(transmit, Transmit::Suspend { .. }));
                }
            }
            other => panic!("not of a portable part: {other:?}"),
        }
    }

    /// A link of class B goes to sleep or wakes up; both ends are told.
    fn sleep(&mut self, ours: LinkId, sleeps: bool) {
        let Some((index, theirs, _)) = self.wires.get(&ours) else { return };
        let (index, theirs) = (*index, *theirs);
        self.slept.push(sleeps);
        if self.handsets[index].silent {
            return;
        }
        let carried = |link| if sleeps { Carried::Suspended(link) } else { Carried::Resumed(link) };
        self.fly(End::Fixed, carried(ours));
        self.fly(End::Portable(index), carried(theirs));
    }

    /// The link layer lets the link of a handset sleep on its own account.
    pub(crate) fn fall_asleep(&mut self, index: usize) {
        self.drain();
        let found = self.wires.iter().find(|(_, wire)| wire.0 == index);
        let Some((ours, theirs)) = found.map(|(ours, wire)| (*ours, wire.1)) else { return };
        self.fly(End::Fixed, Carried::Suspended(ours));
        self.fly(End::Portable(index), Carried::Suspended(theirs));
    }

    /// The fixed part's end of a handset's link gets another number: the handset went to another base station.
    pub(crate) fn move_link(&mut self, index: usize) {
        self.drain();
        let Some(from) = self.wires.iter().find(|(_, wire)| wire.0 == index).map(|(ours, _)| *ours) else {
            return;
        };
        self.last_link += 1;
        let to = LinkId(self.last_link);
        let wire = self.wires.remove(&from).expect("a link");
        self.wires.insert(to, wire);
        // What is on its way arrives over the link as it is called now.
        for (end, carried) in self.flights.values_mut() {
            match (*end, carried) {
                (
                    End::Fixed,
                    Carried::Established(link, _)
                    | Carried::Data(link, _)
                    | Carried::Encrypted(link, _)
                    | Carried::Suspended(link)
                    | Carried::Resumed(link)
                    | Carried::Released(link, _),
                ) if *link == from => *link = to,
                _ => {}
            }
        }
        self.fixed.handle_input(self.now, Input::Moved { from, to }).unwrap();
    }

    /// The handset's end of its link gets another number.
    pub(crate) fn move_link_of_handset(&mut self, index: usize, to: u32) {
        self.drain();
        let wire = self.wires.values_mut().find(|wire| wire.0 == index).expect("a link");
        let from = std::mem::replace(&mut wire.1, LinkId(to));
        let input = Input::Moved { from, to: LinkId(to) };
        self.handsets[index].part.handle_input(self.now, input).unwrap();
    }

    fn wire_of(&self, index: usize, link: LinkId) -> Option<LinkId> {
        self.wires.iter().find(|(_, (i, theirs, _))| *i == index && *theirs == link).map(|(ours, _)| *ours)
    }

    /// The radio loses every link of a handset.
    pub(crate) fn lose_links(&mut self, index: usize) {
        self.drain();
        let lost: Vec<_> = self
            .wires
            .iter()
            .filter(|(_, wire)| wire.0 == index)
            .map(|(ours, wire)| (*ours, wire.1))
            .collect();
        for (ours, theirs) in lost {
            self.wires.remove(&ours);
            // What is on its way is lost with the link.
            self.flights.retain(|_, (end, carried)| match carried {
                Carried::Data(link, _)
                | Carried::Encrypted(link, _)
                | Carried::Suspended(link)
                | Carried::Resumed(link) => *link != if *end == End::Fixed { ours } else { theirs },
                Carried::Broadcast(_) | Carried::Established(..) | Carried::Released(..) => true,
            });
            self.fly(End::Fixed, Carried::Released(ours, ReleaseMode::Abnormal));
            self.fly(End::Portable(index), Carried::Released(theirs, ReleaseMode::Abnormal));
        }
    }

    /// A handset loses its link; the fixed part does not notice.
    pub(crate) fn lose_link_of_handset_unnoticed(&mut self, index: usize) {
        self.drain();
        let link = self.wires.values().find(|wire| wire.0 == index).expect("a link").1;
        let lost = Input::Released { link, mode: ReleaseMode::Abnormal };
        self.handsets[index].part.handle_input(self.now, lost).unwrap();
    }

    /// A message of a handset that its machine would not send.
    pub(crate) fn inject(&mut self, index: usize, sdu: &[u8]) {
        let ours = self.wires.iter().find(|(_, wire)| wire.0 == index).map(|(ours, _)| *ours);
        self.fly(End::Fixed, Carried::Data(ours.expect("a link"), sdu.to_vec()));
    }

    /// Nothing of a call, a link or a procedure is left on either side.
    pub(crate) fn assert_quiet(&self) {
        let load = self.fixed.load();
        let left = (load.links, load.calls, load.services, load.timers);
        assert_eq!(left, (0, 0, 0, 0), "{:#?}", self.ladder);
        for handset in &self.handsets {
            let state = handset.part.state();
            assert_eq!(
                (state.calls, state.services, state.timers, state.link_state, state.mobility),
                (0, 0, 0, dect_nwk::lce::State::Released, dect_nwk::mm_portable::State::default()),
                "{:#?}",
                self.ladder
            );
        }
    }

    pub(crate) fn fixed_call(&self) -> CallId {
        self.fixed_events
            .iter()
            .rev()
            .find_map(|event| if let Event::Setup { call, .. } = event { Some(*call) } else { None })
            .expect("a call from a handset")
    }

    pub(crate) fn ringing_call(&self, index: usize) -> CallId {
        self.portable_events
            .iter()
            .rev()
            .find_map(|event| match event {
                (at, portable_part::Event::Ring { call, .. }) if *at == index => Some(*call),
                _ => None,
            })
            .expect("a ringing call")
    }

    pub(crate) fn heard(&self, index: usize) -> Vec<portable_part::Event> {
        self.portable_events.iter().filter(|(at, _)| *at == index).map(|(_, event)| event.clone()).collect()
    }
}

pub(crate) fn config() -> FixedPartConfig {
    FixedPartConfig::new(ari())
}
