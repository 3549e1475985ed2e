//! No STUN message and no relayed packet costs an allocation: counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use sip_lync::stun::{
    Attribute, Builder, Class, Dialect, Integrity, IntegrityKey, Message, Method, PacketKind, Table,
    TransactionId, demultiplex, with_legacy_fingerprint,
};

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

#[test]
fn messages_are_written_read_and_verified_without_an_allocation() {
    let key = IntegrityKey::short_term(b"pWd+/0123456789abcdefGHI");
    for dialect in [Dialect::Rfc8489, Dialect::MsIce2, Dialect::Draft06, Dialect::MsTurn, Dialect::Rfc3489] {
        let mut buffer = [0; 300];
        let before = ALLOCATIONS.with(Cell::get);
        for round in 0..100 {
            let transaction = TransactionId::new(dialect, [round; 16]);
            let mut builder =
                Builder::new(&mut buffer, dialect, Class::Request, Method::Binding, transaction);
            builder.push(&Attribute::Username(b"rEm1:LoC2"));
            let table = dialect.has_cookie().then_some(Table::Correct);
            let octets = builder.finish(Some(&key), table).unwrap();
            assert_eq!(demultiplex(octets), PacketKind::Stun);
            let message = Message::parse(dialect, octets).unwrap();
            assert!(message.fingerprint_holds());
            assert_eq!(message.integrity(&key), Integrity::Genuine);
            assert_eq!(message.username(), Some(&b"rEm1:LoC2"[..]));
            assert_eq!(message.unknown_required().count(), 0);
            if dialect == Dialect::MsIce2 {
                with_legacy_fingerprint(octets).unwrap();
            }
        }
        assert_eq!(ALLOCATIONS.with(Cell::get), before, "{dialect:?}");
    }
}
