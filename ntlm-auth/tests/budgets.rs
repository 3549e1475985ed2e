//! What signing, checking and logging in may cost: allocations and memory, counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Instant;

use ntlm_auth::{
    Acceptor, AcceptorConfig, AssociationName, Authenticate, Challenge, ClientChallenge, Credentials,
    DatagramSession, Error, FileTime, Initiator, InitiatorConfig, Mode, NegotiateFlags, NtHash,
    ProtocolVersion, RandomSessionKey, SIP_SEQUENCE, SecurityAssociation, Sender, StreamSession,
    TLS_DSK_EXPORTED, TlsDskHash, TlsDskSession, Verification,
};

/// Counts what the thread of a test allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be counted only by being one")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        LARGEST.with(|largest| largest.set(largest.get().max(layout.size())));
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

/// How often `task` allocates, and its result.
fn allocations<T>(task: impl FnOnce() -> T) -> (u64, T) {
    let before = ALLOCATIONS.with(Cell::get);
    let result = task();
    (ALLOCATIONS.with(Cell::get) - before, result)
}

const FLAGS: NegotiateFlags = NegotiateFlags(0x6298_8255);
const KEY: [u8; 16] = [0x55; 16];
const NOW: FileTime = FileTime(133_000_000_000_000_000);

#[test]
fn signing_and_checking_cost_no_allocation() {
    let text = [b'a'; 300];
    let (client, server) = (
        DatagramSession::new(Sender::Client, FLAGS, &KEY),
        DatagramSession::new(Sender::Server, FLAGS, &KEY),
    );
    for sequence in [SIP_SEQUENCE, 7] {
        let (count, ()) = allocations(|| {
            for _ in 0..100 {
                let mut signature = client.sign(sequence, &text);
                assert_eq!(server.verify(sequence, &text, &signature), Ok(()));
                signature[5] ^= 1;
                assert_eq!(server.verify(sequence, &text, &signature), Err(Error::BadSignature));
            }
        });
        assert_eq!(count, 0, "without a connection, number {sequence}");
    }

    let old = NegotiateFlags::DATAGRAM.with(NegotiateFlags::KEY_EXCHANGE).with(NegotiateFlags::SIGN);
    let session = DatagramSession::new(Sender::Client, old, &KEY);
    let (count, _) = allocations(|| session.sign(SIP_SEQUENCE, &text));
    assert_eq!(count, 0, "without extended session security");

    let (mut client, mut server) =
        (StreamSession::new(Sender::Client, FLAGS, &KEY), StreamSession::new(Sender::Server, FLAGS, &KEY));
    // The first message of a direction makes its key stream.
    assert_eq!(server.verify(&text, &client.sign(&text)), Ok(()));
    let (count, ()) = allocations(|| {
        for _ in 0..100 {
            let signature = client.sign(&text);
            assert_eq!(server.verify(b"other", &signature), Err(Error::BadSignature));
            assert_eq!(server.verify(&text, &signature), Ok(()));
        }
    });
    assert_eq!(count, 0, "over a connection");
}

#[test]
fn an_association_signs_and_checks_without_an_allocation() {
    #[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
    let now = Instant::now();
    let name = AssociationName {
        realm: "SIP Communications Service".to_owned(),
        target_name: "fe1.example.net".to_owned(),
        opaque: "1D2C3B4A".to_owned(),
        version: ProtocolVersion::V4,
    };
    let exported = [7; TLS_DSK_EXPORTED];
    let dsk = |end| TlsDskSession::new(end, TlsDskHash::Sha1, &exported);
    let ntlm = |end| DatagramSession::new(end, FLAGS, &KEY);
    for mut pair in [
        [Sender::Client, Sender::Server]
            .map(|end| SecurityAssociation::new(now, name.clone(), ntlm(end), None)),
        [Sender::Client, Sender::Server]
            .map(|end| SecurityAssociation::new(now, name.clone(), dsk(end), None)),
    ] {
        let [client, server] = &mut pair;
        let (count, ()) = allocations(|| {
            for _ in 0..100 {
                let stamp = client.stamp([1, 2, 3, 4]).expect("it lasts");
                let signature = client.sign(b"text").expect("it lasts").signed().expect("the keys are here");
                let verdict = server.verify(now, stamp.number, b"text", &signature);
                assert_eq!(verdict, Ok(Verification::Genuine));
            }
        });
        assert_eq!(count, 0, "{:?}", pair[0].scheme());
    }
}

#[test]
fn a_login_of_both_sides_stays_within_its_allocations() {
    for mode in [Mode::Datagram, Mode::Stream] {
        let (count, ()) = allocations(|| {
            let initiator =
                Initiator::new(InitiatorConfig::new(mode, Credentials::new("CONTOSO", "jim", "a password")));
            let config = AcceptorConfig::new(mode, "FE1", "CONTOSO");
            let acceptor =
                Acceptor::new(config, initiator.negotiate(), [1; 8], Some(NOW)).expect("a challenge");
            let key = RandomSessionKey::new([2; 16]);
            let (answer, _) = initiator
                .challenge(NOW, acceptor.challenge(), ClientChallenge([3; 8]), &key)
                .expect("a good challenge");
            let claim = acceptor.authenticate(NOW, &answer).expect("a good answer");
            claim.prove(Some(&NtHash::of_password("a password"))).expect("the right password");
        });
        assert!((1..=LOGIN_ALLOCATIONS).contains(&count), "{mode:?}: {count}");
    }
}

#[test]
fn lengths_of_a_gibibyte_cost_no_memory() {
    let initiator = Initiator::new(InitiatorConfig::new(
        Mode::Datagram,
        Credentials::new("CONTOSO", "jim", "a password"),
    ));
    let config = AcceptorConfig::new(Mode::Datagram, "FE1", "CONTOSO");
    let acceptor = Acceptor::new(config, None, [1; 8], Some(NOW)).expect("a challenge");
    let key = RandomSessionKey::new([2; 16]);
    let (answer, _) =
        initiator.challenge(NOW, acceptor.challenge(), ClientChallenge([3; 8]), &key).expect("a challenge");
    LARGEST.with(|largest| largest.set(0));
    for field in [12, 20, 28, 36, 44, 52] {
        for length in [1_u16, 16, 0x4000, 0xffff] {
            for offset in [0x4000_0000_u32, 0x3fff_ffff, 0xffff_ffff, 0x7fff_fff0] {
                for message in [&answer[..], acceptor.challenge()] {
                    let mut message = message.to_vec();
                    message[field..field + 2].copy_from_slice(&length.to_le_bytes());
                    message[field + 4..field + 8].copy_from_slice(&offset.to_le_bytes());
                    let _ = (Authenticate::parse(&message), Challenge::parse(&message));
                }
            }
        }
    }
    let largest = LARGEST.with(Cell::get);
    assert!(largest < 4096, "{largest}");
}

/// Both sides together; sspi 0.23 takes 146.
const LOGIN_ALLOCATIONS: u64 = 30;
