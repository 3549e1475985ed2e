//! What a message, a call and an idle portable part may cost: allocations and octets, counted by the allocator of this
//! program. It also looks into every block that is given back for secrets that should have been wiped.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use dect_nwk::authentication::{AuthenticationCode, Key128};
use dect_nwk::element::{
    BasicService, CallingPartyName, CallingPartyNumber, FixedIdentity, MultiDisplay, MultiKeypad,
    PortableIdentity, RejectReason, ReleaseReason, Signal,
};
use dect_nwk::fixed_part::{Event, FixedPart, FixedPartConfig, KnownPortable};
use dect_nwk::identity::{Ari, Ipei, Ipui, Park};
use dect_nwk::message::{Message, MessageType, Transaction, View, Writer};
use dect_nwk::{ElementIdentifier, Input, LinkId, ReleaseMode, Seed, Transmit};

/// Counts what the thread of a test allocates, and looks for a secret in what it gives back.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static SECRET: Cell<Option<[u8; 4]>> = const { Cell::new(None) };
    static LEAKS: Cell<u64> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be counted only by being one")]
// SAFETY: every call goes to the system's allocator unchanged; a block is read before it is given back.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        HELD.with(|held| held.set(held.get() + layout.size() as isize));
        // SAFETY: as the caller promises. Zeroed, so that every octet of a block may be read.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|held| held.set(held.get() - layout.size() as isize));
        if let Some(secret) = SECRET.with(Cell::get) {
            // SAFETY: the block is this large and was zeroed when it was made.
            let block = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            if block.windows(4).any(|window| window == secret) {
                LEAKS.with(|leaks| leaks.set(leaks.get() + 1));
            }
        }
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

fn now() -> Instant {
    #[allow(clippy::disallowed_methods, reason = "the origin of virtual time")]
    Instant::now()
}

fn ari() -> Ari {
    Ari::class_b(0x1001, 0x123).unwrap()
}

fn ipui(number: u32) -> Ipui {
    Ipui::N(Ipei::new(0x138b, number).unwrap())
}

fn setup(number: u32) -> Message {
    Message::new(MessageType::CcSetup, Transaction::opened(0))
        .with(PortableIdentity::Ipui(ipui(number)))
        .with(FixedIdentity::park(Park::of(ari())))
        .with(BasicService::NORMAL_SPEECH)
}

#[test]
fn a_usual_message_is_read_and_written_without_an_allocation() {
    let octets = setup(70_387)
        .with(MultiDisplay::new("\u{c}Ada Lovelace"))
        .with(Signal::Alerting0)
        .with(CallingPartyNumber::private("2001"))
        .with(CallingPartyName::contact("Ada Lovelace"))
        .to_bytes();
    let mut elements = 0;
    let reading = allocations(|| {
        let view = View::parse(&octets).unwrap();
        assert_eq!(view.verify(dect_nwk::message::Side::Fixed), Ok(()));
        for element in view.elements() {
            black_box(element.element());
            elements += 1;
        }
        black_box((view.find::<PortableIdentity>(), view.find::<CallingPartyName>()));
    });
    assert_eq!((reading, elements), (0, 7));
    let mut buffer = BytesMut::with_capacity(256);
    let (identity, park) = (PortableIdentity::Ipui(ipui(1)), FixedIdentity::park(Park::of(ari())));
    let keypad = MultiKeypad::new("2002");
    let writing = allocations(|| {
        let mut writer = Writer::begin(&mut buffer, MessageType::CcSetup, Transaction::opened(0));
        writer.push(&identity);
        writer.push(&park);
        writer.push(&BasicService::NORMAL_SPEECH);
        writer.push(&keypad);
        writer.mark(ElementIdentifier::SendingComplete);
    });
    assert_eq!(writing, 0);
    assert!(buffer.len() > 20);
}

/// Octets an idle portable part may cost, everything that grows with their number included.
const PER_PORTABLE: isize = 1024;

#[test]
fn an_idle_portable_part_costs_less_than_a_kibibyte() {
    const PORTABLES: u32 = 20_000;
    let before = HELD.with(Cell::get);
    let mut fixed = FixedPart::new(FixedPartConfig::new(ari()), Seed([1; 32]));
    for number in 0..PORTABLES {
        let mut known = KnownPortable::new(ipui(number));
        known.uak = Some(Key128::new([7; 16]));
        known.tpui = Some(dect_nwk::identity::Tpui::new(number % 0xb000 + 1).unwrap());
        fixed.add_portable(known);
    }
    let each = (HELD.with(Cell::get) - before) / PORTABLES as isize;
    println!("{each} octets for each of {PORTABLES} idle portable parts");
    assert!((100..=PER_PORTABLE).contains(&each), "{each}");
}

/// Allocations of one call at the fixed part: the link, five messages out, the events.
const PER_CALL: u64 = 40;

/// The allocations of a hundred calls at a fixed part with so many portable parts.
fn hundred_calls(portables: u32) -> u64 {
    let mut now = now();
    let mut fixed = FixedPart::new(FixedPartConfig::new(ari()), Seed([1; 32]));
    for number in 0..portables {
        fixed.add_portable(KnownPortable::new(ipui(number)));
    }
    let (setup, release) = (
        setup(1).to_bytes(),
        Message::new(MessageType::CcRelease, Transaction::opened(0)).with(ReleaseReason::Normal).to_bytes(),
    );
    let mut buffer = BytesMut::with_capacity(4096);
    let mut one = |link: u32| {
        now += Duration::from_secs(1);
        let link = LinkId(link);
        fixed.handle_input(now, Input::Established { link, sdu: Some(&setup) }).unwrap();
        let Some(Event::Setup { call, .. }) = fixed.poll_event() else { panic!("no call") };
        fixed.call_proceeding(now, call).unwrap();
        fixed.alerting(now, call).unwrap();
        fixed.connect(now, call).unwrap();
        fixed.handle_input(now, Input::Data { link, sdu: &release }).unwrap();
        fixed.handle_input(now, Input::Released { link, mode: ReleaseMode::Normal }).unwrap();
        buffer.clear();
        while fixed.poll_transmit(&mut buffer).is_some() {}
        while fixed.poll_event().is_some() {}
    };
    (1..=3).for_each(&mut one);
    let held = HELD.with(Cell::get);
    let count = allocations(|| (4..=103).for_each(&mut one));
    assert_eq!(HELD.with(Cell::get), held, "a call leaves nothing");
    count
}

#[test]
fn a_call_costs_a_bounded_number_of_allocations_however_many_portable_parts_there_are() {
    let (few, many) = (hundred_calls(2), hundred_calls(20_000));
    println!("{few} allocations for a hundred calls of two portable parts, {many} of 20,000");
    assert!((100..=100 * PER_CALL).contains(&few), "{few}");
    assert_eq!(few, many);
}

#[test]
fn the_secrets_of_a_finished_procedure_are_wiped_before_its_memory_is_given_back() {
    let code = || AuthenticationCode::from_pin("87654321").unwrap();
    let now = now();
    let mut fixed = FixedPart::new(FixedPartConfig::new(ari()), Seed([1; 32]));
    let request = Message::new(MessageType::AccessRightsRequest, Transaction::opened(0))
        .with(PortableIdentity::Ipui(ipui(1)))
        .to_bytes();
    SECRET.with(|secret| secret.set(Some(*code().octets())));
    // The search finds what is not wiped.
    drop(black_box(Box::new(*code().octets())));
    assert_eq!(LEAKS.with(|leaks| leaks.replace(0)), 1);
    let link = LinkId(1);
    fixed.handle_input(now, Input::Established { link, sdu: Some(&request) }).unwrap();
    let Some(Event::AccessRightsRequested { request, .. }) = fixed.poll_event() else { panic!("no request") };
    fixed.allow_access(now, request, code()).unwrap();
    // KEY-ALLOCATE is out; the portable part is lost, and the procedure with it.
    let mut buffer = BytesMut::new();
    assert!(matches!(fixed.poll_transmit(&mut buffer), Some(Transmit::Data { .. })));
    fixed.handle_input(now, Input::Released { link, mode: ReleaseMode::Abnormal }).unwrap();
    assert!(matches!(
        fixed.poll_event(),
        Some(Event::SubscriptionFailed {
            reason: RejectReason::AuthenticationFailed | RejectReason::TimerExpiry,
            ..
        })
    ));
    drop(fixed);
    assert_eq!(LEAKS.with(Cell::get), 0, "blocks with the code in them");
}
