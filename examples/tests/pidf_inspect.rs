//! What `pidf-inspect` prints.

#[expect(dead_code, reason = "`main` is not called here")]
#[path = "../examples/pidf-inspect.rs"]
mod pidf_inspect;

use pidf_inspect::inspect;
use presence_pidf::pidf::Reading;
use serde_json::{Value, json};

const PIDF: &[u8] = include_bytes!("../../presence-pidf/tests/vectors/pidf-rpid.xml");

fn strict(body: &[u8]) -> Value {
    inspect(None, Reading::Strict, body)
}

#[test]
fn every_member_of_the_contract_is_there_whatever_the_body() {
    let members = [
        "ok",
        "kind",
        "entity",
        "tuples",
        "basic",
        "activities",
        "other",
        "notes",
        "priorities",
        "user_input",
        "idle_threshold",
        "timestamp",
        "person",
        "devices",
        "categories",
    ];
    for body in [PIDF, b"<a/>", b"", b"\xff"] {
        let line = strict(body);
        for member in members {
            assert!(line.get(member).is_some(), "{member} is missing: {line}");
        }
    }
}

#[test]
fn a_document_is_told() {
    let line = strict(PIDF);
    assert_eq!(line["ok"], json!(true), "{line}");
    assert_eq!(line["kind"], "pidf");
    assert_eq!(line["entity"], "sip:alice.archer@example.com");
    assert_eq!((&line["tuples"], &line["basic"]), (&json!(3), &json!("open")));
    assert_eq!(line["activities"], json!(["on-the-phone", "busy"]));
    assert_eq!(line["priorities"], json!([0.1, 0.2, 0.3]));
    assert_eq!((&line["user_input"], &line["idle_threshold"]), (&json!("active"), &json!(600)));
    assert!(line["notes"].as_array().expect("a list").contains(&json!("DECT handset 1 & base")), "{line}");
}

#[test]
fn the_strict_reader_refuses_what_the_lenient_one_mends() {
    let body = b"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>\
        <tuple id='1t'><contact>sip:a@b</contact><status><basic> open </basic></status></tuple></presence>";
    let line = strict(body);
    assert_eq!(line["ok"], json!(false));
    assert!(line["error"].is_string() && line["at"].is_u64(), "{line}");
    let line = inspect(None, Reading::Lenient, body);
    assert_eq!((&line["ok"], &line["basic"]), (&json!(true), &json!("open")), "{line}");
    let body = b"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'>\
        <tuple id='t'><status><basic>perhaps</basic></status></tuple></presence>";
    assert_eq!(inspect(None, Reading::Lenient, body)["basic"], Value::Null, "never open by mistake");
}

#[test]
fn categories_are_told_one_by_one() {
    let line = strict(include_bytes!("../../presence-pidf/tests/vectors/sipe/publish-call.xml"));
    assert_eq!((&line["ok"], &line["entity"]), (&json!(true), &json!("sip:alice@lab.test")), "{line}");
    let categories = line["categories"].as_array().expect("a list");
    assert_eq!(categories.len(), 2);
    let first = &categories[0];
    for (member, value) in [
        ("name", json!("state")),
        ("instance", json!(2_203_499_692_u32)),
        ("container", json!(2)),
        ("version", json!(0)),
        ("expire_type", json!("endpoint")),
        ("availability", json!(6500)),
        ("activity", json!("on-the-phone")),
        ("mwi", Value::Null),
    ] {
        assert_eq!(first[member], value, "{member}: {first}");
    }
    let fault = b"<Fault><Faultcode>Client.BadCall.WrongDelta</Faultcode><details>\
        <operation index='1' version='1' curVersion='2'/></details></Fault>";
    let line = strict(fault);
    assert_eq!(line["conflicts"], json!([{"index": 1, "version": 1, "current": 2}]), "{line}");
}

#[test]
fn a_list_of_contacts_is_read_by_its_content_type() {
    let body = b"--x\r\nContent-Type: application/rlmi+xml\r\n\r\n\
        <list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:l@b' version='7' fullState='true'>\
        <resource uri='sip:c@d'><instance id='1' state='active' cid='p@x'/></resource></list>\r\n\
        --x\r\nContent-ID: <p@x>\r\nContent-Type: application/pidf+xml\r\n\r\n\
        <presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:c@d'/>\r\n--x--\r\n";
    let line =
        inspect(Some("multipart/related; type=\"application/rlmi+xml\"; boundary=x"), Reading::Lenient, body);
    assert_eq!((&line["ok"], &line["kind"]), (&json!(true), &json!("rlmi")), "{line}");
    assert_eq!(line["version"], json!(7));
    assert_eq!(line["resources"][0]["uri"], "sip:c@d");
}

#[test]
fn hostile_bodies_are_refused_with_the_place() {
    for body in [
        &b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"[..],
        b"<presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
        b"\xff\xfe",
        b"",
        &[b'<'; 10_000],
        &vec![b' '; 2_000_000],
    ] {
        let line = inspect(None, Reading::Lenient, body);
        assert_eq!(line["ok"], json!(false));
        assert!(line["error"].is_string() && line["at"].is_u64(), "{line}");
    }
    let deep = "<a xmlns='u:a'>".repeat(100_000);
    assert_eq!(strict(deep.as_bytes())["ok"], json!(false));
}
