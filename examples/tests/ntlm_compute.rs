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

/// The vectors of `ntlm-auth`, asked for line by line.
#[test]
fn the_recorded_login_of_oc_2007_r2_is_computed_accepted_and_signed() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../ntlm-auth/tests/vectors/ntlm.json")).expect("JSON");
    let row = &vectors["sip_oc2007r2_ntlmv2_datagram"];
    let authenticate = row["authenticate_message"].as_str().expect("hexadecimal");
    // Time and random number of the client stand in its response, which begins at octet 138.
    let nt = &authenticate[2 * 138..];
    let (time, client_challenge) = (&nt[2 * 24..2 * 32], &nt[2 * 32..2 * 40]);
    let initiate = json!({ "do": "initiate", "mode": "datagram",
        "credentials": [{ "domain": row["domain"], "user": row["user"], "password": row["password"] }],
        "now": time, "challenge": row["challenge_message"], "client_challenge": client_challenge,
        "random_session_key": row["exported_session_key"],
        "options": { "workstation": row["workstation"], "version": "0502ce0e0000000f", "mic": "never", "lm": "v2" } });
    let accept = json!({ "do": "accept", "mode": "datagram",
        "credentials": [{ "domain": row["domain"], "user": row["user"], "password": row["password"] }],
        "now": time, "negotiate": null, "challenge": row["challenge_message"], "authenticate": authenticate,
        "options": { "mic_required": false, "channel_binding": null, "channel_binding_required": false, "accepted_target_names": [] } });
    let text = |name: &str| {
        let octets = row[name].as_str().expect("text").as_bytes();
        octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"))
    };
    let sign = |direction: &str, buffer: &str| {
        json!({ "do": "sign", "mode": "datagram", "flags": row["authenticate_flags"],
            "exported_session_key": row["exported_session_key"], "direction": direction, "seq": 100, "message": text(buffer) })
    };
    let mut verify = sign("s2c", "response_buffer");
    verify["do"] = json!("verify");
    verify["signature"] = row["response_signature"].clone();
    let mut forged = verify.clone();
    forged["message"] = json!("00");
    let answers = answers(&[
        initiate,
        accept,
        sign("c2s", "request_buffer"),
        sign("s2c", "response_buffer"),
        verify,
        forged,
    ]);
    assert_eq!(answers[0]["authenticate"], authenticate, "octet by octet");
    for answer in &answers[..2] {
        for key in [
            "exported_session_key",
            "client_sign_key",
            "client_seal_key",
            "server_sign_key",
            "server_seal_key",
        ] {
            assert_eq!(answer[key], row[key], "{key}");
        }
    }
    assert_eq!((&answers[1]["flags"], &answers[1]["mic"]), (&row["authenticate_flags"], &json!("absent")));
    assert_eq!(answers[2]["signature"], row["request_signature"]);
    assert_eq!(answers[3]["signature"], row["response_signature"]);
    assert_eq!((&answers[4]["valid"], &answers[5]["valid"]), (&json!(true), &json!(false)));
}

#[test]
fn an_integrity_code_over_a_connection_covers_the_messages_that_are_given() {
    // A challenge with a time: NegotiateFlags of a server over a connection.
    let challenge = "4e544c4d53535000020000000000000038000000358288620102030405060708000000000000000024002400380000000000000000000000\
02000400440000000100040043000000070008000000000000000001000000000000";
    let challenge = challenge.replace("24002400", "20002000");
    let challenge = &challenge[..2 * (56 + 32)];
    let line = |negotiate: Value| {
        let mut line = initiate();
        line["mode"] = json!("stream");
        line["challenge"] = json!(challenge);
        line["now"] = json!("0000000000000001");
        line["negotiate"] = negotiate;
        line
    };
    let negotiate = "4e544c4d53535000010000003582086200000000280000000000000028000000060170170000000f";
    let made = answers(&[line(Value::Null), line(json!("")), line(json!(negotiate))]);
    assert!(made.iter().all(|answer| answer["ok"] == true), "{made:?}");
    assert_eq!(made[0]["authenticate"], made[1]["authenticate"]);
    assert_ne!(made[0]["authenticate"], made[2]["authenticate"]);
    let accept = |negotiate: Value, authenticate: &Value| {
        json!({ "do": "accept", "mode": "stream", "credentials": [{ "domain": "Domain", "user": "User", "password": "Password" }],
            "now": "0000000000000001", "negotiate": negotiate, "challenge": challenge, "authenticate": authenticate,
            "options": { "mic_required": true } })
    };
    let taken = answers(&[
        accept(Value::Null, &made[0]["authenticate"]),
        accept(json!(negotiate), &made[2]["authenticate"]),
        accept(json!(negotiate), &made[0]["authenticate"]),
        accept(Value::Null, &made[2]["authenticate"]),
    ]);
    assert_eq!((&taken[0]["mic"], &taken[1]["mic"]), (&json!("valid"), &json!("valid")), "{taken:?}");
    assert_eq!((&taken[2]["error"], &taken[3]["error"]), (&json!("wrong-mic"), &json!("wrong-mic")));
}
