//! What `stun-inspect` prints.

#[expect(dead_code, reason = "`main` and its arguments are not used here")]
#[path = "../examples/stun-inspect.rs"]
mod stun_inspect;

use serde_json::Value;
use sip_lync::stun::{Dialect, IntegrityKey};

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../sip-lync/tests/vectors/stun/lync.json");
    let all: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    all["cases"].as_array().unwrap().clone()
}

fn one(dialect: Dialect, key: Option<&IntegrityKey>, hex: &str) -> Value {
    let mut lines = stun_inspect::lines(dialect, key, false, hex);
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

#[test]
fn checks_of_lync_are_taken_or_dropped_as_the_vectors_say() {
    let key = IntegrityKey::short_term(b"pWd+/0123456789abcdefGHI");
    let other = IntegrityKey::short_term(b"another");
    for case in cases().iter().filter(|case| case["flavour"] == "MS-ICE2") {
        let message = case["message"].as_str().unwrap();
        let line = one(Dialect::MsIce2, Some(&key), message);
        assert_eq!(line["ok"], true);
        assert_eq!(line["method"], "binding");
        assert_eq!(line["integrity"], "ok");
        assert_eq!(line["fingerprint"], "ok");
        assert_eq!(line["accept"], true);
        assert_eq!(line["transaction"].as_str().unwrap(), &message[8..40]);
        let forged = one(Dialect::MsIce2, Some(&other), message);
        assert_eq!((&forged["integrity"], &forged["accept"]), (&Value::from("bad"), &Value::from(false)));
        let legacy = one(Dialect::MsIce2, Some(&key), case["message_legacy_fingerprint"].as_str().unwrap());
        assert_eq!(legacy["fingerprint"], "legacy");
        if let Some(must) = case["legacy_form_must_be"].as_str() {
            assert_eq!(legacy["accept"], must == "accepted", "{}", case["name"]);
        }
    }
}

#[test]
fn an_allocation_is_shown_with_names_and_numbers() {
    let cases = cases();
    let case = cases.iter().find(|case| case["name"] == "msturn-allocate-flow").unwrap();
    let error = one(Dialect::MsTurn, None, case["error401"].as_str().unwrap());
    assert_eq!((&error["class"], &error["method"]), (&Value::from("error"), &Value::from("allocate")));
    let names: Vec<&str> =
        error["attributes"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["magic-cookie", "error-code", "realm", "nonce", "alternate-server"]);
    assert_eq!(error["attributes"][1]["value"]["code"], 401);
    assert_eq!(error["integrity"], "absent");
    let digits = case["key_md5"].as_str().unwrap();
    let key: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    let key = IntegrityKey::short_term(&key);
    for name in ["allocate2", "success", "send_request"] {
        let line = one(Dialect::MsTurn, Some(&key), case[name].as_str().unwrap());
        assert_eq!((&line["integrity"], &line["accept"]), (&Value::from("ok"), &Value::from(true)), "{name}");
    }
    let hello = cases.iter().find(|case| case["name"] == "pseudo-tls").unwrap()["client"]
        .as_str()
        .unwrap()
        .to_owned();
    let message = case["allocate1"].as_str().unwrap();
    let framed = format!("{hello}0200{:04x}{message}0300000361626302", message.len() / 2);
    let lines = stun_inspect::lines(Dialect::MsTurn, None, true, &framed);
    let methods: Vec<&Value> = lines.iter().map(|line| &line["method"]).collect();
    assert_eq!(methods, [&Value::from("allocate"), &Value::from("end-to-end-data"), &Value::Null]);
    assert_eq!(lines[2]["error"], "incomplete");
}

#[test]
fn what_is_no_message_is_said_to_be_none_and_where() {
    let cases = [
        ("", 0),
        ("zz", 0),
        ("00zz", 2),
        ("0", 1),
        (" 0001", 2),
        ("400100002112a442000000000000000000000000", 0),
        ("000100002112a44200000000000000000000000000", 2),
        ("000100002112a443000000000000000000000000", 4),
        ("000100042112a442000000000000000000000000002400ff", 20),
    ];
    let members = |line: &Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let good = one(Dialect::Rfc8489, None, "000100002112a442000000000000000000000000");
    assert_eq!((&good["ok"], &good["at"]), (&Value::from(true), &Value::Null));
    for (hex, at) in cases {
        let line = one(Dialect::Rfc8489, None, hex);
        assert_eq!(
            (&line["ok"], &line["at"], &line["accept"]),
            (&false.into(), &at.into(), &false.into()),
            "{hex}"
        );
        assert_ne!(line["error"], "", "{hex}");
        assert_eq!(members(&line), members(&good), "{hex}");
    }
    let lines =
        stun_inspect::lines(Dialect::Rfc8489, None, true, "0014000100002112a4420000000000000000000000000014");
    assert_eq!(
        (&lines[0]["ok"], &lines[1]["ok"], &lines[1]["at"]),
        (&true.into(), &false.into(), &22.into())
    );
    assert_eq!(members(&lines[1]), members(&good));
}
