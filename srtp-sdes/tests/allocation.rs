//! No packet costs an allocation: counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterSalt, Receiver, ReceiverKeys, Sender,
    SenderKeys,
};

/// Counts what the thread of a test allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be counted only by being one")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        HELD.with(|held| held.set(held.get() + layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|held| held.set(held.get() - layout.size() as isize));
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Octets of a direction of a stream, RTP and RTCP together.
#[cfg(target_arch = "x86_64")]
const SENDER_LIMIT: isize = 768;
#[cfg(target_arch = "x86_64")]
const RECEIVER_LIMIT: isize = 896;

fn allocations() -> u64 {
    ALLOCATIONS.with(Cell::get)
}

#[test]
fn packets_cost_no_allocation_once_their_source_is_known() {
    for suite in CryptoSuite::ALL {
        let key = KeyParameter::new(
            MasterKey::new(&vec![1; suite.master_key_length()]),
            MasterSalt::new(&vec![2; suite.master_salt_length()]),
        );
        let line = CryptoAttribute::new(1, suite, key);
        let mut sender = Sender::new(SenderKeys::from_attribute(&line).unwrap());
        let mut receiver = Receiver::new(ReceiverKeys::from_attribute(&line).unwrap());
        let mut buffer = [0_u8; 256];
        let mut round = |sequence: u16| {
            buffer.fill(0);
            buffer[0] = 0x80;
            buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
            let length = sender.protect(&mut buffer, 172).unwrap();
            assert_eq!(receiver.unprotect(&mut buffer[..length]), Ok(172));
            assert!(receiver.unprotect(&mut buffer[..length]).is_err());
            buffer[..8].copy_from_slice(&[0x80, 200, 0, 1, 0, 0, 0, 0]);
            let length = sender.protect_rtcp(&mut buffer, 64).unwrap();
            assert_eq!(receiver.unprotect_rtcp(&mut buffer[..length]), Ok(64));
        };
        round(0);
        let before = allocations();
        for sequence in 1..1000 {
            round(sequence);
        }
        assert_eq!(allocations() - before, 0, "{suite}");
    }
    assert!(allocations() > 0, "the counter counts");
}

/// Processors without the kernels keep the larger schedules of the portable code.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_stream_is_small() {
    if !is_x86_feature_detected!("vaes") || !is_x86_feature_detected!("avx512bw") {
        return;
    }
    let key = KeyParameter::new(MasterKey::new(&[1; 16]), MasterSalt::new(&[2; 14]));
    let line = CryptoAttribute::new(1, CryptoSuite::AesCm128HmacSha1_80, key);
    let (sending, receiving) =
        (SenderKeys::from_attribute(&line).unwrap(), ReceiverKeys::from_attribute(&line).unwrap());
    let held = || HELD.with(Cell::get);
    let start = held();
    let mut sender = Sender::new(sending.clone());
    let mut packet = [0x80; 200];
    sender.protect(&mut packet, 172).unwrap();
    let size = held() - start + size_of::<Sender>() as isize;
    assert!(size <= SENDER_LIMIT, "{size}");
    let start = held();
    let mut receiver = Receiver::new(receiving);
    receiver.unprotect(&mut packet[..182]).unwrap();
    let size = held() - start + size_of::<Receiver>() as isize;
    assert!(size <= RECEIVER_LIMIT, "{size}");
    drop(sending);
}
