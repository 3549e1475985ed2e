//! Budgets of instructions, counted by callgrind where it is installed: it knows neither AVX-512 nor the SHA extensions, so that
//! this is the portable twin with AES in 128-bit registers. What the wide kernels gain is measured by the benchmarks.

use std::process::Command;

use srtp_sdes::{
    CryptoAttribute, CryptoSuite, KeyParameter, MasterKey, MasterSalt, Receiver, ReceiverKeys, Sender,
    SenderKeys, UnprotectError,
};

const TASK: &str = "SRTP_SDES_COUNTED_TASK";
const PACKETS: &str = "SRTP_SDES_COUNTED_PACKETS";
/// Octets of a packet of 20 ms of G.711.
const SIZE: usize = 172;

/// Instructions of one packet: some 5 % above what was counted.
const BUDGETS: [(&str, u64); 6] = [
    ("AES_CM_128_HMAC_SHA1_80 protect", 7_560),
    ("AES_CM_128_HMAC_SHA1_80 unprotect", 7_590),
    ("AES_CM_128_HMAC_SHA1_80 forged", 6_610),
    ("AEAD_AES_128_GCM protect", 2_335),
    ("AEAD_AES_128_GCM unprotect", 2_305),
    ("AEAD_AES_128_GCM forged", 1_400),
];

/// What callgrind counts: packets of one stream.
fn counted(task: &str, packets: u16) {
    let (suite, task) = task.split_once(' ').expect("two words");
    let suite = CryptoSuite::from_token(suite).expect("a suite");
    let key = MasterKey::new(&vec![1; suite.master_key_length()]);
    let salt = MasterSalt::new(&vec![2; suite.master_salt_length()]);
    let line = CryptoAttribute::new(1, suite, KeyParameter::new(key, salt));
    let mut sender = Sender::new(SenderKeys::from_attribute(&line).expect("keys"));
    let mut receiver = Receiver::new(ReceiverKeys::from_attribute(&line).expect("keys"));
    let mut buffer = [0_u8; SIZE + 16];
    buffer[0] = 0x80;
    let mut forged = [0x55_u8; SIZE + 10];
    forged[0] = 0x80;
    for sequence in 0..packets {
        buffer[2..4].copy_from_slice(&sequence.to_be_bytes());
        forged[2..4].copy_from_slice(&sequence.to_be_bytes());
        match task {
            "protect" => {
                sender.protect(&mut buffer, SIZE).expect("protected");
            }
            "unprotect" => {
                let length = sender.protect(&mut buffer, SIZE).expect("protected");
                assert_eq!(receiver.unprotect(&mut buffer[..length]), Ok(SIZE));
            }
            _ => {
                assert_eq!(receiver.unprotect(&mut forged), Err(UnprotectError::AuthenticationFailed));
            }
        }
    }
}

/// Runs this program again under callgrind; what it counted.
fn instructions(task: &str, packets: u16) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_packet_stays_within_its_budget_of_instructions", "--test-threads=1"])
        .env(TASK, task)
        .env(PACKETS, packets.to_string())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let collected = text.lines().find_map(|line| line.split_once("Collected : "))?.1;
    collected.trim().parse().ok()
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[test]
fn a_packet_stays_within_its_budget_of_instructions() {
    if let (Ok(task), Ok(packets)) = (std::env::var(TASK), std::env::var(PACKETS)) {
        counted(&task, packets.parse().expect("a number"));
        return;
    }
    let (mut of_protect, mut of_unprotect) = (0, 0);
    // What the program costs without packets; keys of either suite are a few instructions of each packet.
    let Some(before) = instructions("AES_CM_128_HMAC_SHA1_80 protect", 0) else {
        println!("not counted: valgrind is not installed");
        return;
    };
    for (task, budget) in BUDGETS {
        let after = instructions(task, 1000).expect("callgrind counted before");
        let mut each = (after - before) / 1000;
        if task.ends_with(" protect") {
            of_protect = each;
        } else if task.ends_with(" unprotect") {
            // Every packet was protected before.
            each -= of_protect;
            of_unprotect = each;
        } else {
            assert!(each < of_unprotect, "{task}: a forged packet costs less than an authentic one");
        }
        println!("{task}: {each} of {budget}");
        assert!(each <= budget, "{task}: {each} instructions, the budget is {budget}");
    }
}
