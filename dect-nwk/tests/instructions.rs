//! Budgets of instructions, counted by callgrind where it is installed: a message read and written, and a whole call at a
//! fixed part that knows thousands of portable parts. Counts do not depend on what else the machine does.

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use dect_nwk::element::{
    BasicService, CallingPartyName, CallingPartyNumber, FixedIdentity, MultiDisplay, MultiKeypad,
    PortableIdentity, ReleaseReason, Signal,
};
use dect_nwk::fixed_part::{Event, FixedPart, FixedPartConfig, KnownPortable};
use dect_nwk::identity::{Ari, Ipei, Ipui, Park};
use dect_nwk::message::{Message, MessageType, Transaction, View, Writer};
use dect_nwk::{ElementIdentifier, Input, LinkId, ReleaseMode, Seed};

const TASK: &str = "DECT_NWK_COUNTED_TASK";
const TIMES: &str = "DECT_NWK_COUNTED_TIMES";

/// Instructions of one task, some 10 % above what was counted: in the tests' own profile, and in that of programs.
const BUDGETS: [(&str, [u64; 2]); 4] = [
    ("read", [5_300, 1_220]),
    ("read with name and display", [9_200, 2_000]),
    ("write", [8_600, 1_490]),
    ("call of 2,000 portable parts", [84_000, 30_300]),
];

fn ari() -> Ari {
    Ari::class_b(0x1001, 0x123).expect("an identity")
}

fn ipui(number: u32) -> Ipui {
    Ipui::N(Ipei::new(0x138b, number).expect("an identity"))
}

fn setup(number: u32) -> Message {
    Message::new(MessageType::CcSetup, Transaction::opened(0))
        .with(PortableIdentity::Ipui(ipui(number)))
        .with(FixedIdentity::park(Park::of(ari())))
        .with(BasicService::NORMAL_SPEECH)
}

fn read(octets: &[u8], times: u32) {
    for _ in 0..times {
        let view = View::parse(black_box(octets)).expect("a message");
        for element in view.elements() {
            black_box(element.element());
        }
    }
}

fn write(times: u32) {
    let mut buffer = BytesMut::with_capacity(256);
    let (identity, park) = (PortableIdentity::Ipui(ipui(1)), FixedIdentity::park(Park::of(ari())));
    let keypad = MultiKeypad::new("2002");
    for _ in 0..times {
        buffer.clear();
        let mut writer = Writer::begin(&mut buffer, MessageType::CcSetup, Transaction::opened(0));
        writer.push(black_box(&identity));
        writer.push(black_box(&park));
        writer.push(black_box(&BasicService::NORMAL_SPEECH));
        writer.push(black_box(&keypad));
        writer.mark(ElementIdentifier::SendingComplete);
        black_box(&buffer);
    }
}

/// Link, CC-SETUP, CC-CALL-PROC, CC-ALERTING, CC-CONNECT, CC-RELEASE, CC-RELEASE-COM, the link's end.
fn call(times: u32) {
    #[allow(clippy::disallowed_methods, reason = "the origin of virtual time")]
    let mut now = Instant::now();
    let mut fixed = FixedPart::new(FixedPartConfig::new(ari()), Seed([1; 32]));
    for number in 0..2000 {
        fixed.add_portable(KnownPortable::new(ipui(number)));
    }
    let release =
        Message::new(MessageType::CcRelease, Transaction::opened(0)).with(ReleaseReason::Normal).to_bytes();
    let setups: Vec<_> = (0..16).map(|number| setup(number * 97).to_bytes()).collect();
    let mut buffer = BytesMut::with_capacity(4096);
    for number in 0..times {
        now += Duration::from_secs(1);
        let link = LinkId(number + 1);
        let setup = &setups[number as usize % setups.len()];
        fixed.handle_input(now, Input::Established { link, sdu: Some(setup) }).expect("taken");
        let Some(Event::Setup { call, .. }) = fixed.poll_event() else { panic!("no call") };
        fixed.call_proceeding(now, call).expect("possible");
        fixed.alerting(now, call).expect("possible");
        fixed.connect(now, call).expect("possible");
        fixed.handle_input(now, Input::Data { link, sdu: &release }).expect("taken");
        fixed.handle_input(now, Input::Released { link, mode: ReleaseMode::Normal }).expect("taken");
        buffer.clear();
        while fixed.poll_transmit(&mut buffer).is_some() {}
        while fixed.poll_event().is_some() {}
    }
    assert_eq!(fixed.load().calls, 0);
}

/// What callgrind counts.
fn counted(task: &str, times: u32) {
    match task {
        "read" => read(&setup(70_387).with(MultiKeypad::new("2002")).to_bytes(), times),
        "read with name and display" => {
            let message = setup(70_387)
                .with(MultiDisplay::new("\u{c}Ada Lovelace"))
                .with(Signal::Alerting0)
                .with(CallingPartyNumber::private("2001"))
                .with(CallingPartyName::contact("Ada Lovelace"));
            read(&message.to_bytes(), times);
        }
        "write" => write(times),
        _ => call(times),
    }
}

/// Runs this program again under callgrind; what it counted.
fn instructions(task: &str, times: u32) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "messages_and_calls_stay_within_their_budgets_of_instructions", "--test-threads=1"])
        .env(TASK, task)
        .env(TIMES, times.to_string())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected : "))?.1;
    collected.trim().parse().ok()
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn messages_and_calls_stay_within_their_budgets_of_instructions() {
    const COUNT: u32 = 400;
    if let (Ok(task), Ok(times)) = (std::env::var(TASK), std::env::var(TIMES)) {
        counted(&task, times.parse().expect("a number"));
        return;
    }
    for (task, [with_checks, without]) in BUDGETS {
        let budget = if cfg!(debug_assertions) { with_checks } else { without };
        // What the program costs without the task.
        let Some(before) = instructions(task, 0) else {
            println!("not counted: valgrind is not installed");
            return;
        };
        let after = instructions(task, COUNT).expect("callgrind counted before");
        let each = after.saturating_sub(before) / u64::from(COUNT);
        println!("{task}: {each} of {budget}");
        assert!(each <= budget, "{task}: {each} instructions, the budget is {budget}");
        assert!(each * 3 > budget, "{task}: only {each} instructions: is the task still done?");
    }
}
