//! The network layer of DECT: one message read and written, one call at a fixed part that knows 20,000 portable parts.
//!
//! No peer of another hand can be linked: libdect needs the DECT sockets of a Linux kernel of its own, and Wireshark's
//! dissectors are no library. tshark is timed as a program, where one with these dissectors is found (`TSHARK` names it;
//! `interop/peers/tshark.sh` provides one): the processor time of a large capture less that of a capture with one frame.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use benches::turns::Turns;
use bytes::BytesMut;
use dect_nwk::authentication::Key128;
use dect_nwk::element::{
    BasicService, CallingPartyName, CallingPartyNumber, FixedIdentity, InformationElement, MultiDisplay,
    MultiKeypad, PortableIdentity, ReleaseReason, Signal,
};
use dect_nwk::fixed_part::{Event, FixedPart, FixedPartConfig, KnownPortable};
use dect_nwk::identity::{Ari, Ipei, Ipui, Park};
use dect_nwk::message::{Message, MessageType, Transaction, View, Writer};
use dect_nwk::{CallId, Input, LinkId, PortablePart, PortablePartConfig, ReleaseMode, Seed, Transmit};

const PORTABLES: u32 = 20_000;

fn ari() -> Ari {
    Ari::class_b(0x1001, 0x123).expect("an identity")
}

fn ipui(number: u32) -> Ipui {
    Ipui::N(Ipei::new(0x138b, number).expect("an identity"))
}

/// CC-SETUP as a handset sends it with all digits, and as a fixed part sends it with number, name and display.
fn setups() -> [(&'static str, Vec<u8>); 2] {
    let begin = || {
        Message::new(MessageType::CcSetup, Transaction::opened(0))
            .with(PortableIdentity::Ipui(ipui(70_387)))
            .with(FixedIdentity::park(Park::of(ari())))
            .with(BasicService::NORMAL_SPEECH)
    };
    let outgoing = begin().with(MultiKeypad::new("2002")).with(InformationElement::SendingComplete);
    let incoming = begin()
        .with(MultiDisplay::new("\u{c}Ada Lovelace"))
        .with(Signal::Alerting0)
        .with(CallingPartyNumber::private("2001"))
        .with(CallingPartyName::contact("Ada Lovelace"));
    [("of a handset", outgoing.to_bytes().to_vec()), ("with name and display", incoming.to_bytes().to_vec())]
}

fn codec() {
    for (name, octets) in setups() {
        Turns::new(format!("DECT decode CC-SETUP {name}, every element"))
            .each("ours", || read(&octets))
            .each("floor walk over the lengths", || {
                let view = View::parse(black_box(&octets)).expect("a message");
                for element in view.elements() {
                    black_box(element.octets());
                }
            })
            .each("own message that can be kept", || {
                black_box(Message::parse(black_box(&octets)).expect("a message"));
            })
            .finish();
    }
    let (mut buffer, mut copied) = (BytesMut::with_capacity(4096), BytesMut::with_capacity(4096));
    let [(_, octets), _] = setups();
    let (identity, park) = (PortableIdentity::Ipui(ipui(70_387)), FixedIdentity::park(Park::of(ari())));
    let digits = MultiKeypad::new("2002");
    Turns::new("DECT encode CC-SETUP of a handset")
        .each("ours", || {
            buffer.clear();
            let mut writer = Writer::begin(&mut buffer, MessageType::CcSetup, Transaction::opened(0));
            writer.push(black_box(&identity));
            writer.push(black_box(&park));
            writer.push(black_box(&BasicService::NORMAL_SPEECH));
            writer.push(black_box(&digits));
            writer.mark(dect_nwk::ElementIdentifier::SendingComplete);
            black_box(&buffer);
        })
        .each("floor copy of the octets", || {
            copied.clear();
            copied.extend_from_slice(black_box(&octets));
            black_box(&copied);
        })
        .finish();
    assert_eq!(buffer, octets[..], "both rows write the same");
}

/// A fixed part with its portable parts, and the link layer below it.
struct Station {
    now: Instant,
    fixed: FixedPart,
    buffer: BytesMut,
    setups: Vec<Vec<u8>>,
    release: Vec<u8>,
    next: u32,
    calls: usize,
}

impl Station {
    fn new() -> Self {
        let mut fixed = FixedPart::new(FixedPartConfig::new(ari()), Seed([1; 32]));
        let setup = |number| {
            let mut octets = BytesMut::new();
            Writer::begin(&mut octets, MessageType::CcSetup, Transaction::opened(0))
                .with(&PortableIdentity::Ipui(ipui(number)))
                .with(&FixedIdentity::park(Park::of(ari())))
                .with(&BasicService::NORMAL_SPEECH)
                .with(&MultiKeypad::new("2002"))
                .mark(dect_nwk::ElementIdentifier::SendingComplete);
            octets.to_vec()
        };
        for number in 0..PORTABLES {
            let mut known = KnownPortable::new(ipui(number));
            known.uak = Some(Key128::new([7; 16]));
            fixed.add_portable(known);
        }
        let release =
            Message::new(MessageType::CcRelease, Transaction::opened(0)).with(ReleaseReason::Normal);
        Self {
            now: Instant::now(),
            fixed,
            buffer: BytesMut::with_capacity(4096),
            setups: (0..PORTABLES).map(setup).collect(),
            release: release.to_bytes().to_vec(),
            next: 0,
            calls: 0,
        }
    }

    fn drain(&mut self) {
        self.buffer.clear();
        while let Some(transmit) = self.fixed.poll_transmit(&mut self.buffer) {
            if let Transmit::Release { link, mode } = transmit {
                self.fixed.handle_input(self.now, Input::Released { link, mode }).expect("taken");
            }
        }
    }

    fn call(&mut self) -> Option<CallId> {
        match self.fixed.poll_event()? {
            Event::Setup { call, .. } => Some(call),
            _ => None,
        }
    }

    /// CC-SETUP over a new link, CC-CALL-PROC, CC-ALERTING, CC-CONNECT, CC-RELEASE, CC-RELEASE-COM, the link's end.
    fn one_call(&mut self) {
        self.now += Duration::from_micros(10);
        self.next += 1;
        let link = LinkId(self.next);
        let which = self.next.wrapping_mul(7919) % PORTABLES;
        let setup = std::mem::take(&mut self.setups[which as usize]);
        self.fixed.handle_input(self.now, Input::Established { link, sdu: Some(&setup) }).expect("taken");
        self.setups[which as usize] = setup;
        let call = self.call().expect("a call");
        self.fixed.call_proceeding(self.now, call).expect("possible");
        self.fixed.alerting(self.now, call).expect("possible");
        self.fixed.connect(self.now, call).expect("possible");
        self.drain();
        self.fixed.handle_input(self.now, Input::Data { link, sdu: &self.release }).expect("taken");
        while self.fixed.poll_event().is_some() {}
        self.drain();
        self.fixed
            .handle_input(self.now, Input::Released { link, mode: ReleaseMode::Normal })
            .expect("taken");
        self.calls += 1;
    }
}

/// Both sides in one thread: a handset calls, is answered and hangs up.
struct Pair {
    station: Station,
    portable: PortablePart,
}

impl Pair {
    fn new() -> Self {
        let mut config = PortablePartConfig::new(Ipei::new(0x138b, 1).expect("an identity"));
        config.subscription = Some(dect_nwk::portable_part::Subscription::new(ipui(1), Park::of(ari())));
        Self { station: Station::new(), portable: PortablePart::new(config, Seed([2; 32])) }
    }

    fn carry(&mut self) {
        let mut octets = BytesMut::with_capacity(256);
        let now = self.station.now;
        loop {
            octets.clear();
            if let Some(transmit) = self.portable.poll_transmit(&mut octets) {
                let link = match transmit {
                    Transmit::Establish { link, .. } => {
                        let input = Input::Established { link, sdu: Some(&octets) };
                        self.station.fixed.handle_input(now, input).expect("taken");
                        self.portable
                            .handle_input(now, Input::Established { link, sdu: None })
                            .expect("taken");
                        continue;
                    }
                    Transmit::Data { link, .. } => link,
                    Transmit::Release { link, mode } => {
                        self.station.fixed.handle_input(now, Input::Released { link, mode }).expect("taken");
                        self.portable.handle_input(now, Input::Released { link, mode }).expect("taken");
                        continue;
                    }
                    other => panic!("{other:?}"),
                };
                self.station.fixed.handle_input(now, Input::Data { link, sdu: &octets }).expect("taken");
            } else if let Some(transmit) = self.station.fixed.poll_transmit(&mut octets) {
                match transmit {
                    Transmit::Data { link, .. } => {
                        self.portable.handle_input(now, Input::Data { link, sdu: &octets }).expect("taken");
                    }
                    Transmit::Release { link, mode } => {
                        self.station.fixed.handle_input(now, Input::Released { link, mode }).expect("taken");
                        let _ = self.portable.handle_input(now, Input::Released { link, mode });
                    }
                    other => panic!("{other:?}"),
                }
            } else {
                return;
            }
        }
    }

    fn one_call(&mut self) {
        self.station.now += Duration::from_secs(1);
        let now = self.station.now;
        let own = self.portable.dial(now, "2002").expect("possible");
        self.carry();
        let call = self.station.call().expect("a call");
        self.station.fixed.alerting(now, call).expect("possible");
        self.station.fixed.connect(now, call).expect("possible");
        self.carry();
        self.portable.release(now, own, ReleaseReason::Normal).expect("possible");
        self.carry();
        while self.station.fixed.poll_event().is_some() {}
        while self.portable.poll_event().is_some() {}
    }
}

/// Frames of the large capture.
const FRAMES: usize = 100_000;

/// The octets of every procedure, from the ladders of the documentation.
fn ladders() -> Vec<Vec<u8>> {
    let octet = |digits: &str| u8::from_str_radix(digits, 16).ok();
    include_str!("../../dect-nwk/docs/ladders.md")
        .lines()
        .filter_map(|line| line.strip_suffix("` |")?.rsplit_once('`'))
        .map(|(_, octets)| octets.split(' ').filter_map(octet).collect())
        .collect()
}

/// A capture of so many of these messages, over and over.
fn capture(path: &Path, messages: &[Vec<u8>], frames: usize) -> std::io::Result<()> {
    let mut file = Vec::new();
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    file.extend(words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 147]));
    for message in messages.iter().cycle().take(frames) {
        let length = message.len() as u32;
        file.extend(words(&[0, 0, length, length]));
        file.extend_from_slice(message);
    }
    std::fs::write(path, file)
}

/// Processor time of the children that have ended, in hundredths of a second.
fn children() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?)
}

/// Everything the elements of a message say, as the decoder of `dect-inspect` reads them.
fn read(octets: &[u8]) {
    let view = View::parse(black_box(octets)).expect("a message");
    for element in view.elements() {
        black_box(element.element());
    }
}

fn tshark() -> Option<()> {
    let program = std::env::var("TSHARK").unwrap_or_else(|_| "tshark".to_owned());
    let known = Command::new(&program).args(["-G", "protocols"]).output().ok()?;
    if !String::from_utf8_lossy(&known.stdout).contains("dect_nwk") {
        return None;
    }
    let messages = ladders();
    let directory = std::env::temp_dir();
    let (one, all) = (directory.join("dect-bench-one.pcap"), directory.join("dect-bench-all.pcap"));
    capture(&one, &messages, 1).ok()?;
    capture(&all, &messages, FRAMES).ok()?;
    let run = |path: &Path, arguments: &[&str]| {
        let before = children()?;
        let done = Command::new(&program)
            .args(["-o", "uat:user_dlts:\"User 0 (DLT=147)\",\"dect_nwk\",\"0\",\"\",\"0\",\"\"", "-n"])
            .args(arguments)
            .arg("-r")
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .ok()?;
        done.success().then_some(children()? - before)
    };
    println!("DECT {FRAMES} messages of every procedure, read with all their elements");
    let (mut best, mut ours) = ([u64::MAX; 2], Duration::MAX);
    let modes = [&["-q", "-z", "io,phs"][..], &["-V"]];
    for _ in 0..3 {
        let start = Instant::now();
        messages.iter().cycle().take(FRAMES).for_each(|octets| read(octets));
        ours = ours.min(start.elapsed());
        for (mode, best) in modes.iter().zip(&mut best) {
            let time = run(&all, mode)?.saturating_sub(run(&one, mode)?);
            *best = (*best).min(time);
        }
    }
    let each = ours.as_secs_f64() * 1e9 / FRAMES as f64;
    println!("  ours {each:.1} ns");
    for (name, best) in ["counted by protocol", "every field as text"].iter().zip(best) {
        let theirs = best as f64 * 1e7 / FRAMES as f64;
        println!("  tshark, {name}: {theirs:.0} ns, {:.0} times ours", theirs / each);
    }
    let _ = (std::fs::remove_file(one), std::fs::remove_file(all));
    Some(())
}

fn main() {
    codec();
    if tshark().is_none() {
        println!(
            "tshark is not timed: none with the dissectors of DECT (interop/peers/tshark.sh provides one)"
        );
    }
    let mut station = Station::new();
    let mut pair = Pair::new();
    Turns::new("DECT one call of 20,000 portable parts at the fixed part, link included")
        .each("ours", || station.one_call())
        .each("both sides", || pair.one_call())
        .finish();
    assert_eq!(station.fixed.load().calls, 0);
}
