//! `dect-inspect` keeps its promises: one line for each input, lossless both ways, no crash on bad input.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

/// The example beside the directory of this test's own program.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(|deps| deps.parent()).unwrap();
    let program = profile.join("examples").join(format!("dect-inspect{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "build the examples first: cargo build -p examples --examples");
    program
}

fn run(arguments: &[&str], input: &str) -> (Vec<String>, Option<i32>) {
    let mut child = Command::new(program())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text.lines().map(str::to_owned).collect(), output.status.code())
}

fn lines(arguments: &[&str], input: &str) -> Vec<Value> {
    let (lines, code) = run(arguments, input);
    assert_eq!(code, Some(0));
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn one(arguments: &[&str]) -> Value {
    let mut lines = lines(arguments, "");
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

#[test]
fn messages_go_to_json_and_back() {
    let messages = [
        "0305050880b01000000003e9060680a011234567e0802c0432303032a1",
        "85550505a09400100107015fa3",
        "73097b2c0115",
        "0544050780a80138b112f30a03014800630a351508004004108182827803138b01",
        "037b7b04810031aa99e403030100",
        "64627d030081837e03000081",
    ];
    let mut decoded = lines(&["decode", "-"], &messages.join("\n"));
    assert_eq!(decoded.len(), messages.len());
    for (value, hex) in decoded.iter_mut().zip(messages) {
        assert_eq!(value.as_object_mut().unwrap().remove("again"), Some(json!(hex)));
    }
    let input = decoded.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    for (encoded, hex) in lines(&["encode"], &input).iter().zip(messages) {
        assert_eq!(encoded, &json!({"ok": true, "hex": hex}));
    }
}

#[test]
fn names_and_numbers_are_those_of_the_standard() {
    let setup = one(&["decode", "--from", "portable", "1305050880b01000000003e9060680a011234567e080a1"]);
    assert_eq!((&setup["protocol"], &setup["message"]), (&json!("CC"), &json!("CC-SETUP")));
    assert_eq!(setup["transaction"], json!({"flag": 0, "value": 1, "extended": false}));
    let elements: Vec<_> = setup["elements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|element| (element["name"].as_str().unwrap(), element["id"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        elements,
        [("portable-identity", 5), ("fixed-identity", 6), ("basic-service", 224), ("sending-complete", 160)]
    );
    assert_eq!(setup["problems"], json!([]));
    let missing = one(&["decode", "0305"]);
    assert_eq!(missing["problems"][0], json!({"element": "portable-identity", "what": "missing"}));
}

#[test]
fn bad_input_is_a_line_of_its_own() {
    let answers = lines(&["decode", "-"], "0302\nzz\n\n03\n0f05\n037f\n5\n0302\n");
    let ok: Vec<_> =
        answers.iter().map(|answer| (answer["ok"].as_bool().unwrap(), answer["at"].as_u64())).collect();
    assert_eq!(
        ok,
        [
            (true, None),
            (false, Some(0)),
            (false, Some(1)),
            (false, Some(0)),
            (false, Some(1)),
            (false, Some(1)),
            (true, None)
        ]
    );
    // A cut off element is an error where it begins, and what stands before it is shown.
    let cut = one(&["decode", "837b2c01312805aa"]);
    assert_eq!((&cut["ok"], &cut["at"], &cut["dropped"]), (&json!(false), &json!(5), &json!("2805aa")));
    assert_eq!((&cut["elements"][0]["name"], &cut["again"]), (&json!("multi-keypad"), &json!("837b2c0131")));
    for (arguments, at) in [
        (&["ipei", "05003 0070387 7"][..], 14),
        (&["ipei", "05003 00703x7 8"], 11),
        (&["ipei", "05003 0070387 88"], 15),
        (&["park", "1f1123456"], 9),
        (&["decode", "03 zz"], 3),
    ] {
        let bad = one(arguments);
        assert_eq!((&bad["ok"], &bad["at"]), (&json!(false), &json!(at)), "{arguments:?}");
        assert!(bad["error"].is_string());
    }
    assert_eq!(lines(&["encode"], "{\"protocol\":}\n")[0]["at"], 12);
    for line in lines(&["encode"], "{\n{}\n[]\n{\"protocol\":\"CC\",\"message\":\"NONE\",\"elements\":[]}\n")
    {
        assert_eq!(line["ok"], false);
        assert!(line["at"].is_u64(), "{line}");
    }
    assert_eq!(run(&["decode"], "").1, Some(2));
    assert_eq!(run(&["auth", "--algorithm", "dsaa"], "").1, Some(2));
}

#[test]
fn pages_keep_the_bits_of_the_layer_below() {
    let mut page = one(&["decode", "--short-page", "fc1001"]);
    assert_eq!(page["again"], "fc1001");
    page.as_object_mut().unwrap().remove("again");
    assert_eq!(lines(&["encode"], &page.to_string()), [json!({"ok": true, "hex": "fc1001"})]);
    assert_eq!(one(&["decode", "--full-page", "0408b112f3"])["again"], "0408b112f3");
    assert_eq!(one(&["decode", "--full-page", "0408b1"])["ok"], false);
}

#[test]
fn identities_are_explained_in_every_form() {
    let expected = json!({
        "ok": true, "emc": 5003, "psn": 70387, "check": "8", "text": "05003 0070387 8", "ipui_n": "0138b112f3",
    });
    for arguments in [
        &["ipei", "05003 0070387 8"][..],
        &["ipei", "05003", "0070387"],
        &["ipei", "138b112f3"],
        &["ipei", "0138b112f3"],
    ] {
        assert_eq!(one(arguments), expected);
    }
    assert_eq!(one(&["ipei", "05003 0070387 7"])["ok"], false);
    for text in ["1f11234567", "3110443212634", "31 10443212634 8"] {
        let park = one(&["park", text]);
        assert_eq!(
            (&park["text"], &park["fixed_identity"]),
            (&json!("1f11234567"), &json!("0606a0a011234567"))
        );
    }
}

#[test]
fn authentication_yields_what_its_inputs_allow() {
    let rs = "0000000000000000";
    let all = one(&[
        "auth",
        "--algorithm",
        "dsaa",
        "--key",
        "ffff9124",
        "--rs",
        rs,
        "--rand-f",
        "d01ff9e211680421",
        "--rand-p",
        "a03ff2c523d00842",
    ]);
    assert_eq!((&all["res1"], &all["res2"]), (&json!("f28cf911"), &json!("eeba4db9")));
    let uak = one(&["auth", "key-allocation", "--pin", "9124", "--rs", rs]);
    assert_eq!((&uak["uak"], &uak["res1"]), (&json!("93638b457afd40fa585feb6030d572a2"), &Value::Null));
    assert_eq!(one(&["auth", "--algorithm", "dsaa2", "--key", "ffff9124", "--rs", rs])["ok"], false);
}

#[test]
fn frames_are_put_together() {
    let sdu = format!("037b2c46{}", "31".repeat(70));
    let first = format!("1100ff{}", &sdu[..126]);
    let second = format!("11022d{}", &sdu[126..]);
    let answers = lines(&["lapc", "--bare", "-"], &format!("{first}\n{second}\n"));
    assert_eq!(
        (&answers[0]["sdu"], &answers[0]["length"]),
        (&Value::Null, &json!({"octets": 63, "more": true}))
    );
    assert_eq!(answers[1]["sdu"], json!(sdu));
    assert_eq!(answers[1]["message"]["message"], "CC-INFO");
    let frame = one(&["lapc", "--signature", "1001", "132009030ff0f0f02ea1"]);
    assert_eq!((&frame["from"], &frame["control"]["type"]), (&json!("fixed"), &json!("I")));
    assert_eq!(one(&["lapc", "132009030ff0f0f02ea1"])["ok"], false);
}

#[test]
fn a_ladder_shows_direction_and_faults() {
    let file = std::env::temp_dir().join(format!("dect-inspect-ladder-{}.txt", std::process::id()));
    std::fs::write(&file, "# a call\nP>F 0305\nF>P 83 0d e4 00\nF>P page 0c1001\nnothing\n").unwrap();
    let (lines, code) = run(&["ladder", file.to_str().unwrap()], "");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code, Some(0));
    assert!(lines[1].contains("CC-SETUP") && lines[1].ends_with(">|"), "{}", lines[1]);
    assert!(lines.iter().any(|line| line.contains("fault: fixed-identity is missing")));
    assert!(lines.iter().any(|line| line.contains("|<") && line.contains("CC-SETUP-ACK")));
    assert!(lines.iter().any(|line| line.ends_with("signal dial-tone")));
    assert!(lines.iter().any(|line| line.contains("LCE-REQUEST-PAGE")));
    assert!(lines.last().unwrap().starts_with("{\"at\":0"));
}

/// The vectors of the network layer, which other tools have confirmed.
fn vectors() -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../dect-nwk/tests/vectors/dect.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_vector_is_decoded_and_encoded_octet_for_octet() {
    let vectors = vectors();
    let hex: Vec<&str> =
        vectors["nwk_messages"].as_array().unwrap().iter().map(|it| it["hex"].as_str().unwrap()).collect();
    assert!(hex.len() >= 57);
    let decoded = lines(&["decode", "-"], &hex.join("\n"));
    for (line, hex) in decoded.iter().zip(&hex) {
        assert_eq!((&line["ok"], &line["again"]), (&json!(true), &json!(hex)));
    }
    let input: Vec<String> = decoded.iter().map(Value::to_string).collect();
    for (line, hex) in lines(&["encode"], &input.join("\n")).iter().zip(&hex) {
        assert_eq!(line, &json!({"ok": true, "hex": hex}));
    }
    for page in vectors["b_format"].as_array().unwrap() {
        let hex = page["hex"].as_str().unwrap();
        let form = if hex.len() == 6 { "--short-page" } else { "--full-page" };
        assert_eq!(one(&["decode", form, hex])["again"], hex);
    }
    for ipei in vectors["identities"]["ipei"].as_array().unwrap() {
        let found = one(&["ipei", ipei["text"].as_str().unwrap()]);
        assert_eq!(
            (&found["emc"], &found["psn"], &found["text"]),
            (&ipei["emc"], &ipei["psn"], &ipei["text"])
        );
    }
    for frame in vectors["lapc"]["frames"].as_array().unwrap() {
        let text = |name: &str| frame[name].as_str().unwrap();
        let found = one(&["lapc", "--signature", text("lsig"), text("frame")]);
        assert_eq!(
            (&found["information"], &found["length"]["more"]),
            (&frame["info"], &json!(frame["more"] == 1))
        );
    }
}

#[test]
fn computed_authentications_are_those_of_the_vectors() {
    for run in vectors()["dsaa"]["computed"].as_array().unwrap() {
        let text = |name: &str| run[name].as_str().unwrap();
        let found = one(&[
            "auth",
            "--algorithm",
            "dsaa",
            "--key",
            text("K"),
            "--rs",
            text("RS"),
            "--rand-f",
            text("RAND_F"),
            "--rand-p",
            text("RAND_P"),
        ]);
        assert_eq!((&found["ks"], &found["res1"], &found["res2"]), (&run["KS"], &run["RES1"], &run["RES2"]));
    }
}
