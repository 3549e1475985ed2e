//! What a message costs: allocations, counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use sip_lync::headers::{Transport, Via};
use sip_lync::{Edit, HeaderName, Message, MessageView};

/// Counts what the thread of a test allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be counted only by being one")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
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

fn corpus() -> Vec<Bytes> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/lync");
    let files = fs::read_dir(folder).unwrap().flatten();
    let messages: Vec<Bytes> = files.map(|file| fs::read(file.path()).unwrap().into()).collect();
    assert_eq!(messages.len(), 40);
    messages
}

fn read_typed(view: &MessageView<'_>) {
    let via = view.via().unwrap().unwrap();
    let (from, to) = (view.from().unwrap().unwrap(), view.to().unwrap().unwrap());
    black_box((via.host, via.branch(), from.tag(), to.tag(), from.sip_uri().unwrap().host()));
    black_box((view.call_id().unwrap().unwrap(), view.cseq().unwrap().unwrap()));
    black_box((view.contact().unwrap(), view.route().unwrap()));
}

#[test]
fn a_message_is_split_typed_and_written_again_without_an_allocation() {
    let via = Via::new(Transport::Tls, "proxy.example.net", None).with_branch("z9hG4bK1");
    let edits = [Edit::Push(&HeaderName::Via, &via), Edit::Pop(&HeaderName::Route)];
    let mut out = BytesMut::with_capacity(1 << 16);
    for wire in corpus() {
        let count = allocations(|| {
            let view = MessageView::parse(&wire).unwrap();
            read_typed(&view);
            for edits in [&[][..], &edits] {
                out.clear();
                view.pass_on(edits, &mut out);
            }
        });
        assert_eq!(count, 0, "{}", String::from_utf8_lossy(&wire));
        assert!(out.len() > wire.len() / 2);
    }
}

#[test]
fn a_view_takes_less_than_640_octets_and_nothing_on_the_heap() {
    assert!(size_of::<MessageView<'_>>() < 640, "{}", size_of::<MessageView<'_>>());
    for wire in corpus() {
        assert_eq!(allocations(|| drop(black_box(MessageView::parse(&wire)))), 0);
    }
}

#[test]
fn an_owned_message_costs_four_allocations_at_most() {
    let mut out = BytesMut::with_capacity(1 << 16);
    for wire in corpus() {
        let count = allocations(|| {
            let message = Message::parse(wire.clone()).unwrap();
            out.clear();
            message.emit(&mut out);
        });
        assert!(count <= 4, "{count}");
    }
}
