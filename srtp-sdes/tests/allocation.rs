//! No packet costs an allocation: counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyParameter, Lifetime, MasterKey, MasterKeyIdentifier, MasterSalt,
    Receiver, ReceiverKeys, Sender, SenderKeys,
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

/// Octets of a direction of a stream, RTP and RTCP together: AES_CM_128, one source, an MKI of up to four octets, a lifetime, a
/// replay list of 128.
const USUAL: isize = 320;
/// AES-192 and AES-256: the longer schedule and master key.
const LONGER_KEY: isize = 960;
/// Galois/counter mode: the powers of the hash key; with AES-256 also the longer schedule.
const GALOIS: isize = 1120;
/// f8 mode: the schedule of its second key.
const F8: isize = 960;

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

/// Set-up and first packets of a direction, RTCP too: what they hold, the handle included.
fn held(line: &CryptoAttribute) -> [isize; 2] {
    let (sending, receiving) =
        (SenderKeys::from_attribute(line).unwrap(), ReceiverKeys::from_attribute(line).unwrap());
    let (sending_again, receiving_again) = (sending.clone(), receiving.clone());
    let held = || HELD.with(Cell::get);
    let mut packet = [0_u8; 300];
    packet[..12].copy_from_slice(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7]);
    let mut report = [0_u8; 300];
    report[..8].copy_from_slice(&[0x80, 200, 0, 1, 0, 0, 0, 7]);

    // The keys are consumed: what they held counts against the contexts.
    let start = held();
    let mut sender = Sender::new(sending);
    let length = sender.protect(&mut packet, 172).unwrap();
    let report_length = sender.protect_rtcp(&mut report, 64).unwrap();
    let keys = size_of_keys(|| drop(sending_again));
    let sending = held() - start + 2 * keys + size_of::<Sender>() as isize;

    let start = held();
    let mut receiver = Receiver::new(receiving);
    receiver.unprotect(&mut packet[..length]).unwrap();
    receiver.unprotect_rtcp(&mut report[..report_length]).unwrap();
    let keys = size_of_keys(|| drop(receiving_again));
    let receiving = held() - start + 2 * keys + size_of::<Receiver>() as isize;
    [sending, receiving]
}

fn size_of_keys(drop: impl FnOnce()) -> isize {
    let before = HELD.with(Cell::get);
    drop();
    before - HELD.with(Cell::get)
}

/// Processors without AES keep the larger schedules of the portable code.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_direction_of_a_stream_is_small() {
    if !is_x86_feature_detected!("aes") || !is_x86_feature_detected!("pclmulqdq") {
        println!("not measured: this processor has no instructions for AES");
        return;
    }
    for suite in CryptoSuite::ALL {
        let limit = match suite {
            CryptoSuite::AesCm128HmacSha1_80
            | CryptoSuite::AesCm128HmacSha1_32
            | CryptoSuite::NullHmacSha1_80
            | CryptoSuite::NullHmacSha1_32 => USUAL,
            CryptoSuite::AeadAes128Gcm | CryptoSuite::AeadAes256Gcm => GALOIS,
            CryptoSuite::F8_128HmacSha1_80 => F8,
            _ => LONGER_KEY,
        };
        let mut key = KeyParameter::new(
            MasterKey::new(&vec![1; suite.master_key_length()]),
            MasterSalt::new(&vec![2; suite.master_salt_length()]),
        );
        key.mki = MasterKeyIdentifier::new(&[0, 0, 0, 1]);
        key.lifetime = Lifetime::parse("2^31");
        for held in held(&CryptoAttribute::new(1, suite, key.clone())) {
            println!("{suite}: {held}");
            assert!(held <= limit, "{suite}: {held} of {limit}");
        }
    }
}
