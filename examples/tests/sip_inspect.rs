//! What `sip-inspect` and `sdp-inspect` print.

#[expect(dead_code, reason = "`main` and its arguments are not used here")]
#[path = "../examples/sip-inspect.rs"]
mod sip_inspect;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use examples::session_description;
use serde_json::{Value, json};
use sip_lync::LineEnds;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sip-lync/tests/vectors")
}

fn file(path: &str) -> Value {
    let bytes = fs::read(vectors().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    sip_inspect::complete(path, &sip_inspect::inspect(&Bytes::from(bytes), LineEnds::Lenient))
}

fn text(text: &str) -> Value {
    sip_inspect::complete("-", &sip_inspect::inspect(&Bytes::from(text.to_owned()), LineEnds::Lenient))
}

const LEGAL: [&str; 7] = ["badbranch", "regaut01", "zeromf", "cparam01", "cparam02", "regescrt", "inv2543"];
const WRONG: [&str; 10] =
    ["multi01", "mcl01", "insuf", "bext01", "unkscm", "novelsc", "invut", "sdp01", "unksm2", "bcast"];

#[test]
fn every_torture_message_has_the_verdict_of_its_rfc() {
    for folder in ["rfc4475", "rfc5118"] {
        let index = fs::read_to_string(vectors().join(folder).join("index.json")).unwrap();
        let rows: Vec<Value> = serde_json::from_str(&index).unwrap();
        for row in rows {
            let name = row["name"].as_str().unwrap();
            let expected = match (row["class"].as_str().unwrap(), row["parser"].as_str().unwrap()) {
                ("valid", _) => true,
                ("invalid", "reject") => false,
                _ if LEGAL.contains(&name) => true,
                _ if WRONG.contains(&name) => false,
                _ => continue,
            };
            for path in ["file", "wire_file"].into_iter().filter_map(|member| row[member].as_str()) {
                let line = file(path);
                assert_eq!(line["ok"], json!(expected), "{path}");
                if !expected {
                    assert_ne!(line["problems"], json!([]), "{path}");
                }
            }
        }
    }
    for name in ["bigcode", "scalarlg", "bcast"] {
        let line = file(&format!("rfc4475/{name}.dat"));
        assert_eq!((&line["ok"], &line["problems"][0]["status"]), (&json!(false), &Value::Null), "{name}");
    }
}

#[test]
fn a_200_to_register_shows_its_gruu_and_its_security_association() {
    let line = file("sipe/012-tx-alice-200REGISTER.txt");
    assert_eq!(line["ok"], json!(true));
    assert_eq!(
        (&line["kind"], &line["status"], &line["method"]),
        (&json!("response"), &json!(200), &Value::Null)
    );
    let contact = &line["contact"][0];
    assert_eq!(contact["gruu"], "sip:alice@lab.test;opaque=user:epid:q4BXoV-XKVutoIuVrbSChwAA;gruu");
    assert_eq!(contact["instance"], "urn:uuid:a15780ab-975f-5b29-ada0-8b95adb48287");
    assert_eq!((&contact["expires"], &contact["q"]), (&json!(7200), &Value::Null));
    assert_eq!(
        line["keep_alive"],
        json!({"role": "UAS", "hop_hop": true, "end_end": false, "tcp": false, "timeout": 300})
    );
    assert_eq!(line["presence_state"]["register_action"], "added");
    let information = &line["authentication_info"];
    assert_eq!((&information["scheme"], &information["snum"]), (&json!("NTLM"), &json!("1")));
    assert_eq!(information["version"], Value::Null);
    assert_eq!(line["to"]["tag"], "62CCA8B7D754AF9C");
    assert_eq!((&line["from"]["epid"], &line["from"]["display"]), (&json!("356bcace1925"), &Value::Null));
    assert_eq!(line["via"][0]["transport"], "TLS");
    assert_eq!(line["via"][0]["params"][1], json!(["ms-received-port", "36846"]));
}

#[test]
fn a_broken_fallback_description_is_shown_and_is_no_problem() {
    let line = file("sipe/055-rx-alice-INVITE.txt");
    assert_eq!((&line["ok"], &line["problems"]), (&json!(true), &json!([])));
    assert_eq!(line["body"]["type"], "multipart/alternative");
    assert_eq!(line["body"]["parts"].as_array().map(Vec::len), Some(2));
    assert_eq!((&line["sdp"][0]["ok"], &line["sdp"][1]["ok"]), (&json!(false), &json!(true)));
    let audio = &line["sdp"][1]["media"][0];
    assert_eq!((&audio["rtcp"], &audio["ice"]["dialect"]), (&json!(59178), &json!("rfc8445")));
    assert_eq!(audio["ice"]["candidates"][2]["transport"], "TCP-ACT");
    let again = line["again"].as_str().unwrap();
    let sent = fs::read(vectors().join("sipe/055-rx-alice-INVITE.txt")).unwrap();
    assert_eq!(again, examples::base64::encode(&sent));
}

#[test]
fn notifications_and_reasons_are_shown_typed() {
    let head = "NOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nf: <sip:x@y>;tag=1\r\nt: <sip:a@b>;tag=2\r\ni: 1\r\nCSeq: 2 NOTIFY\r\n";
    let line = text(&format!("{head}c: text/registration-event\r\n\r\nderegistered;event=rejected\r\n"));
    assert_eq!(
        line["registration_event"],
        json!({"state": "deregistered", "event": "rejected", "action": "stop"})
    );
    let line = text(&format!(
        "{head}c: application/simple-message-summary\r\n\r\nMessages-Waiting: yes\r\nVoice-Message: 2/8\r\n"
    ));
    assert_eq!(line["mwi"], json!({"waiting": true, "new": 2, "old": 8}));
    let line = text(&format!(
        "{head}Reason: SIP;cause=200;text=\"Call completed elsewhere\";ms-acceptedby=\"sip:q@r\"\r\n\
         ms-diagnostics: 4005;reason=\"a;b\";source=\"fe1\"\r\n\
         P-Asserted-Identity: \"A\"<sip:a@b>,<tel:+1>\r\n\r\n"
    ));
    assert_eq!(line["reasons"][0]["accepted_by"], "sip:q@r");
    assert_eq!((&line["diagnostics"]["id"], &line["diagnostics"]["reason"]), (&json!(4005), &json!("a;b")));
    assert_eq!(line["identity"], json!({"sip": "sip:a@b", "tel": "tel:+1"}));
    assert_eq!(line["headers"][1], json!(["From", "<sip:x@y>;tag=1"]));
}

#[test]
fn a_stream_ends_at_its_first_framing_error_or_tail() {
    let request = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TLS c\r\nf: <sip:x@y>;tag=1\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 2 OPTIONS\r\nl: 0\r\n\r\n";
    let verdicts = |stream: String| -> Vec<_> {
        let lines = sip_inspect::stream(stream.as_bytes());
        lines
            .iter()
            .map(|line| (line["ok"].clone(), line.get("error").cloned().unwrap_or_default()))
            .collect()
    };
    let good = (json!(true), Value::Null);
    assert_eq!(verdicts(format!("\r\n\r\n{request}{request}\r\n")), [good.clone(), good.clone()]);
    let cut = verdicts(format!("{request}{}", &request[..40]));
    assert_eq!(cut, [good.clone(), (json!(false), json!("incomplete"))]);
    let broken = verdicts(format!("{request}{}{request}", request.replace("l: 0", "l: -1")));
    assert_eq!(broken, [good, (json!(false), json!("Content-Length is not one number"))]);
}

#[test]
fn both_forms_of_candidates_are_shown() {
    let shown = session_description::to_json(
        b"v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nm=audio 5 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n\
          a=fmtp:101 0-16\r\na=candidate:kFz3 1 w2Qp UDP 0.830 192.0.2.20 27684\r\na=x-bypassid:{AB}\r\na=x-other:1\r\n\
          a=encryption:optional\r\na=remote-candidates:1 192.0.2.3 7 2 192.0.2.3 8\r\n",
    );
    let audio = &shown["media"][0];
    assert_eq!(audio["ice"]["dialect"], "draft06");
    assert_eq!(audio["ice"]["candidates"][0]["username"], "kFz3");
    assert_eq!(audio["ice"]["candidates"][0]["priority"], json!(0.83));
    assert_eq!(audio["ice"]["remote_candidates"], json!([[1, "192.0.2.3", 7], [2, "192.0.2.3", 8]]));
    assert_eq!((&audio["bypass_id"], &audio["encryption"]), (&json!("AB"), &json!("optional")));
    assert_eq!(audio["attributes"], json!(["a=x-other:1"]));
    assert_eq!(
        audio["formats"][1],
        json!({"payload_type": 101, "encoding": "telephone-event", "clock_rate": 8000, "channels": null, "fmtp": "0-16"})
    );
}
