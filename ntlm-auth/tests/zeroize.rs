//! Passwords and keys are gone when their owner is: a child process looks for them in its own memory.
//!
//! An allocator that is given memory back writes into it, and hides what stood there. Here it keeps all memory as its owner
//! left it: whatever was dropped or outgrown without being wiped is found.
#![cfg(target_os = "linux")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::process::Command;

use ntlm_auth::{
    Acceptor, AcceptorConfig, Authenticate, ClientChallenge, Credentials, FileTime, Initiator,
    InitiatorConfig, Mode, NtHash, RandomSessionKey, Response, ResponseInput, SIP_SEQUENCE, Session,
};
use zeroize::Zeroize as _;

/// Gives nothing back.
struct Keeping;

#[expect(unsafe_code, reason = "what an allocator does can be changed only by being one")]
// SAFETY: memory comes from the system's allocator and is never used twice.
unsafe impl GlobalAlloc for Keeping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Keeping = Keeping;

const CHILD: &str = "NTLM_AUTH_ZEROIZE_CHILD";
const NOW: FileTime = FileTime(133_000_000_000_000_000);

/// Secrets to look for, by name. They are kept inverted, so that looking for them does not find the list.
#[derive(Default)]
struct Secrets(Vec<(&'static str, Vec<u8>)>);

impl Secrets {
    fn add(&mut self, name: &'static str, octets: &[u8]) {
        self.0.push((name, octets.iter().map(|octet| !octet).collect()));
    }

    /// The names of those that stand somewhere in the writable memory of this process.
    fn found(&self) -> Vec<&'static str> {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
        let memory = File::open("/proc/self/mem").expect("Linux");
        let mut found = Vec::new();
        let mut octets = vec![0; PIECE + OVERLAP];
        for line in maps.lines().filter(|line| line.contains(" rw") && !line.contains("[v")) {
            let (range, _) = line.split_once(' ').expect("a range");
            let (start, end) = range.split_once('-').expect("a range");
            let [start, end] = [start, end].map(|place| u64::from_str_radix(place, 16).expect("a place"));
            for at in (start..end).step_by(PIECE) {
                let length = octets.len().min((end - at) as usize);
                let piece = &mut octets[..length];
                if memory.read_exact_at(piece, at).is_err() {
                    continue;
                }
                for (name, inverted) in &self.0 {
                    if !found.contains(name) && holds(piece, inverted) {
                        found.push(*name);
                    }
                }
                piece.zeroize();
            }
        }
        found
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }
}

/// Whether a text stands in the memory whose inversion is given.
fn holds(memory: &[u8], inverted: &[u8]) -> bool {
    let first = !inverted[0];
    let mut rest = memory;
    while let Some(at) = rest.iter().position(|octet| *octet == first) {
        rest = &rest[at..];
        if rest.len() >= inverted.len() && inverted.iter().zip(rest).all(|(octet, there)| *there == !octet) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

/// How much memory is looked at at once, and how far into the next piece a secret may reach.
const PIECE: usize = 1 << 16;
const OVERLAP: usize = 64;

/// A password that nobody else has in memory, made where it is used.
fn password() -> String {
    let letters = [0x6e, 0x7f, 0x61, 0x77, 0x60, 0x78, 0x63, 0x7b, 0x67, 0x75, 0x7a, 0x66];
    let mut password = String::with_capacity(letters.len());
    password.extend(letters.iter().map(|letter| char::from(letter ^ 0x13_u8)));
    password
}

/// What an implementation that keeps the halves of an HMAC's key has in memory: as good as the key.
fn add_halves(secrets: &mut Secrets, name: &'static str, key: &[u8; 16]) {
    for filling in [0x36, 0x5c] {
        let mut block = [filling; 64];
        block.iter_mut().zip(key).for_each(|(place, octet)| *place ^= octet);
        let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
        md5::block_api::compress(&mut state, &[block]);
        block.zeroize();
        let mut octets = [0; 16];
        octets.as_chunks_mut().0.iter_mut().zip(&state).for_each(|(place, word)| *place = word.to_le_bytes());
        secrets.add(name, &octets);
        octets.zeroize();
        state.zeroize();
    }
}

/// The key between the response and the session key.
fn add_session_base_key(secrets: &mut Secrets, hash: &NtHash, answer: &[u8]) {
    let answer = Authenticate::parse(answer).expect("our own message");
    let (list, _) = answer.nt_response[44..].split_last_chunk::<4>().expect("the end of a response");
    let key = hash.response_key("jim", "CONTOSO");
    let input =
        ResponseInput { server_challenge: [1; 8], client_challenge: [3; 8], time: NOW, target_info: list };
    let response = Response::new(&key, &input);
    assert_eq!(response.nt_response, answer.nt_response, "the same response");
    secrets.add("session base key", response.session_base_key());
}

/// A login of both sides and some signatures; everything is dropped in the end but what to look for.
#[inline(never)]
fn log_in(mode: Mode) -> Secrets {
    let mut secrets = Secrets::default();
    let mut password = password();
    let mut wide: Vec<u8> = Vec::with_capacity(2 * password.len());
    wide.extend(password.encode_utf16().flat_map(u16::to_le_bytes));
    // Memory that was outgrown may hold the first letters alone.
    wide.chunks(8).for_each(|letters| secrets.add("password", letters));
    secrets.add("password", password.as_bytes());
    assert_eq!(secrets.found(), ["password"], "what is there is found");
    wide.zeroize();

    let credentials = Credentials::new("CONTOSO", "jim", &password);
    let hash = credentials.hash.clone();
    secrets.add("NT hash", hash.expose());
    let response_key = hash.response_key("jim", "CONTOSO");
    secrets.add("response key", response_key.expose());
    add_halves(&mut secrets, "response key, made ready", response_key.expose());
    let initiator = Initiator::new(InitiatorConfig::new(mode, credentials));
    let config = AcceptorConfig::new(mode, "FE1", "CONTOSO");
    let acceptor = Acceptor::new(config, initiator.negotiate(), [1; 8], Some(NOW)).expect("a challenge");
    let mut random = [0; 16];
    random.iter_mut().enumerate().for_each(|(at, octet)| *octet = (at as u8).wrapping_mul(37) ^ 0xa9);
    let key = RandomSessionKey::new(random);
    random.zeroize();
    let (answer, client) = initiator
        .challenge(NOW, acceptor.challenge(), ClientChallenge([3; 8]), &key)
        .expect("a good challenge");
    let claim = acceptor.authenticate(NOW, &answer).expect("a good answer");
    let accepted = claim.prove(Some(&NtHash::of_password(&password))).expect("the right password");

    let keys = client.expose();
    secrets.add("session key", &keys.exported_session_key);
    secrets.add("client's signing key", &keys.client_sign_key);
    secrets.add("client's sealing key", &keys.client_seal_key);
    secrets.add("server's signing key", &keys.server_sign_key);
    secrets.add("server's sealing key", &keys.server_seal_key);
    add_halves(&mut secrets, "client's signing key, made ready", &keys.client_sign_key);
    add_halves(&mut secrets, "server's signing key, made ready", &keys.server_sign_key);
    drop(keys);
    match (&client, accepted.session) {
        (Session::Datagram(client), Session::Datagram(server)) => {
            let signature = client.sign(SIP_SEQUENCE, b"text");
            server.verify(SIP_SEQUENCE, b"text", &signature).expect("it is right");
            let signature = server.sign(SIP_SEQUENCE, b"text");
            client.verify(SIP_SEQUENCE, b"text", &signature).expect("it is right");
        }
        (Session::Stream(_), Session::Stream(mut server)) => {
            let _ = server.sign(b"text");
            let _ = server.verify(b"text", &[0; 16]);
        }
        other => panic!("{other:?}"),
    }
    let found = secrets.found();
    let held: Vec<_> = secrets.names().into_iter().filter(|name| *name != "password").collect();
    // Made ready or not, a key that is held is found.
    assert!(held.iter().all(|name| found.contains(name) || name.contains("ready")), "{found:?}");
    assert!(found.contains(&"response key, made ready"), "{found:?}");
    add_session_base_key(&mut secrets, &hash, &answer);
    password.zeroize();
    secrets
}

fn child() {
    for mode in [Mode::Datagram, Mode::Stream] {
        let secrets = log_in(mode);
        let left = secrets.found();
        assert!(left.is_empty(), "{mode:?}: {left:?} stayed behind");
    }
    println!("clean");
}

#[test]
fn no_password_and_no_key_stays_behind() {
    if std::env::var_os(CHILD).is_some() {
        child();
        return;
    }
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "no_password_and_no_key_stays_behind", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("a child");
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && text.contains("clean"),
        "{text} {}",
        String::from_utf8_lossy(&child.stderr)
    );
}
