//! Both sides of `ntlm-helper` driven against each other.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/ntlm-helper.rs"]
mod ntlm_helper;

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use ntlm_auth::FileTime;
use ntlm_helper::{Helper, Options};

const NOW: FileTime = FileTime(133_000_000_000_000_000);

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).expect("the file can be written");
    path
}

fn helper(arguments: &[&str]) -> Helper {
    Helper::new(&Options::parse_from(["ntlm-helper"].iter().chain(arguments))).expect("good options")
}

fn pair(test: &str, password: &str, datagram: bool) -> (Helper, Helper) {
    let password = file(&format!("{test}.password"), &format!("{password}\n"));
    let users = file(&format!("{test}.users"), "# accounts\nCONTOSO:jim:Pa:ss\nCONTOSO:ann:other\n");
    let (password, users) = (password.display().to_string(), users.display().to_string());
    let client = [
        "--helper-protocol",
        "ntlmssp-client-1",
        "--username",
        "jim",
        "--domain",
        "CONTOSO",
        "--password-file",
        &password,
        "--seed",
        "0123",
    ];
    let server = ["--helper-protocol", "squid-2.5-ntlmssp", "--users", &users, "--seed", "4567"];
    let extra: &[&str] = if datagram { &["--datagram"] } else { &[] };
    (helper(&[&client, extra].concat()), helper(&[&server, extra].concat()))
}

fn log_in(client: &mut Helper, server: &mut Helper) -> String {
    let first = client.line("YR", NOW);
    let challenge = server.line(&first, NOW);
    let answer = client.line(&challenge, NOW);
    assert!(answer.starts_with("AF "), "{answer}");
    server.line(&answer.replacen("AF", "KK", 1), NOW)
}

#[test]
fn both_sides_log_in_and_sign_with_a_connection_and_without() {
    for datagram in [false, true] {
        let (mut client, mut server) = pair(&format!("sign-{datagram}"), "Pa:ss", datagram);
        assert_eq!(log_in(&mut client, &mut server), "AF CONTOSO\\jim");
        assert_eq!(client.line("GK", NOW), server.line("GK", NOW));
        assert_eq!(client.line("GF", NOW), server.line("GF", NOW));
        let signature = client.line("SIGN PE5UTE0+", NOW);
        let digits = signature.strip_prefix("SIG ").expect("a signature").to_owned();
        assert_eq!(server.line(&format!("VERIFY PE5UTE0+ {}", digits.to_uppercase()), NOW), "OK");
        assert_eq!(server.line(&format!("VERIFY AAAA {digits}"), NOW), "BAD");
        assert!(client.line("YR", NOW).starts_with("YR"));
        assert_eq!(client.line("SIGN AAAA", NOW), "BH nobody is logged in");
    }
}

#[test]
fn a_wrong_password_is_not_accepted_and_nonsense_is_answered() {
    let (mut client, mut server) = pair("wrong", "Pa:sS", false);
    assert_eq!(log_in(&mut client, &mut server), "NA NT_STATUS_LOGON_FAILURE refused: the login failed");
    for line in ["", "KK", "KK AAAA", "TT AAAA", "YR !", "YR AAAA", "SIGN !", "PW AAAA", "XX"] {
        assert!(server.line(line, NOW).starts_with("BH "), "{line}");
    }
}
