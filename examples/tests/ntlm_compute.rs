//! What `ntlm-compute` answers.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/ntlm-compute.rs"]
mod ntlm_compute;

use serde_json::{Value, json};

fn answers(lines: &[Value]) -> Vec<Value> {
    let input = lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
    let mut output = Vec::new();
    ntlm_compute::run(input.as_bytes(), &mut output).expect("memory can be written");
    let output = String::from_utf8(output).expect("UTF-8");
    output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

const CHALLENGE: &str = "4e544c4d53535000020000000000000038000000f38298e2dd1baaf4e7e218d10000000000000000240024003800000006017017000000\
0f02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000";

fn initiate() -> Value {
    json!({ "do": "initiate", "mode": "datagram",
        "credentials": [{ "domain": "Domain", "user": "User", "password": "Password" }],
        "now": "00a0724e1809d901", "challenge": CHALLENGE, "client_challenge": "aaaaaaaaaaaaaaaa",
        "random_session_key": "55555555555555555555555555555555", "options": { "workstation": "COMPUTER", "mic": "auto", "lm": "zero" } })
}

#[test]
fn what_one_line_initiates_the_next_accepts() {
    let first = &answers(&[initiate()])[0];
    assert_eq!(first["ok"], true, "{first}");
    assert_eq!(first["client_sign_key"], "4788dc861b4782f35d43fd98fe1a2d39");
    let accept = |password: &str| {
        json!({ "do": "accept", "mode": "datagram", "credentials": [{ "domain": "DOMAIN", "user": "user", "password": password }],
            "now": "00a0724e1809d901", "negotiate": null, "challenge": CHALLENGE, "authenticate": first["authenticate"],
            "options": { "mic_required": false } })
    };
    let answers = answers(&[accept("Password"), accept("password")]);
    assert_eq!(answers[0]["ok"], true, "{}", answers[0]);
    assert_eq!(answers[0]["user"], "User");
    assert_eq!(answers[0]["flags"], "62988255");
    assert_eq!(answers[0]["server_seal_key"], first["server_seal_key"]);
    assert_eq!(answers[1], json!({ "ok": false, "error": "login-failed", "at": 0 }));
}

#[test]
fn the_worked_example_is_computed() {
    let line = json!({ "do": "v2", "user": "User", "domain": "Domain", "password": "Password", "server_challenge": "0123456789abcdef",
        "client_challenge": "aaaaaaaaaaaaaaaa", "time": "0000000000000000",
        "target_info": "02000c0044006f006d00610069006e0001000c0053006500720076006500720000000000",
        "random_session_key": "55555555555555555555555555555555" });
    let answer = &answers(&[line])[0];
    assert_eq!(answer["ntowfv2"], "0c868a403bfd7a93a3001ef22ef02e3f");
    assert_eq!(answer["nt_proof_str"], "68cd0ab851e51c96aabc927bebef6a1c");
    assert_eq!(answer["encrypted_random_session_key"], "c5dad2544fc9799094ce1ce90bc9d03e");
}

#[test]
fn signatures_over_a_connection_are_counted_by_session() {
    let line = |what: &str, session: &str, message: &str, signature: &Value| {
        json!({ "do": what, "mode": "stream", "flags": "62088235", "exported_session_key": "55555555555555555555555555555555",
            "direction": "c2s", "session": session, "message": message, "signature": signature })
    };
    let none = Value::Null;
    let signed = answers(&[
        line("sign", "a", "00", &none),
        line("sign", "a", "00", &none),
        line("sign", "b", "00", &none),
    ]);
    assert_ne!(signed[0]["signature"], signed[1]["signature"]);
    assert_eq!(signed[0]["signature"], signed[2]["signature"]);
    let verified = answers(&[
        line("verify", "a", "00", &signed[1]["signature"]),
        line("verify", "a", "00", &signed[0]["signature"]),
        line("verify", "a", "00", &signed[1]["signature"]),
    ]);
    assert_eq!(verified.iter().map(|row| row["valid"] == true).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn bad_lines_are_answered_and_the_next_is_read() {
    let mut short = initiate();
    short["challenge"] = json!(&CHALLENGE[..40]);
    let answers = answers(&[json!("x"), json!({ "do": "sign" }), short, initiate()]);
    assert!(answers[..3].iter().all(|answer| answer["ok"] == false && answer["at"].is_u64()), "{answers:?}");
    assert_eq!(answers[2]["at"], 20);
    assert_eq!(answers[3]["ok"], true);
}
