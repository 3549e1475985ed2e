//! What we write, held against the schemas of the standards by libxml2's validator.

use std::fs;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use bytes::BytesMut;
use presence_pidf::Phase;
use presence_pidf::partial::{FullPresence, PresenceDiff};
use presence_pidf::pidf::{HandsetDocument, Presence, Reading};
use presence_pidf::rlmi::{InstanceState, Resource, ResourceInstance, ResourceList};
use presence_pidf::watcherinfo::{Watcher, WatcherEvent, WatcherInfo, WatcherList, WatcherStatus};

const PHASES: [Phase; 6] =
    [Phase::Available, Phase::Inactive, Phase::Away, Phase::InCall, Phase::InConference, Phase::Removed];

/// What the validator says; nothing when the document is valid.
fn complaints(name: &str, document: &[u8]) -> Option<String> {
    let folder = std::env::temp_dir().join(format!("presence-schemas-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.xml"));
    fs::write(&file, document).expect("a file");
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/schemas/all.xsd");
    // The patterns of RFC 5261 are entities.
    let output = Command::new("xmllint")
        .args(["--noout", "--noent", "--nonet", "--schema", schema])
        .arg(&file)
        .output();
    let output = output.expect("xmllint (package libxml2-utils)");
    let valid = output.status.success();
    (!valid).then(|| {
        format!("{}\n{}", String::from_utf8_lossy(document), String::from_utf8_lossy(&output.stderr))
    })
}

fn valid(name: &str, document: &[u8]) {
    if let Some(complaints) = complaints(name, document) {
        panic!("{name}: {complaints}");
    }
}

fn handset(phase: Phase) -> HandsetDocument {
    HandsetDocument {
        entity: "sip:handset@example.net".to_owned(),
        contact: "sip:handset@example.net".to_owned(),
        phase,
        last_input: Some(UNIX_EPOCH + Duration::from_millis(1500)),
        idle_threshold: Duration::from_millis(10),
        timestamp: UNIX_EPOCH + Duration::from_mins(15),
    }
}

/// Confirms: the schemas refuse what is wrong — xmllint
#[test]
fn the_validator_refuses_what_is_against_the_schemas() {
    for (name, document) in [
        (
            "order",
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><note>n</note><tuple id='t'><status/></tuple></presence>",
        ),
        (
            "basic",
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><tuple id='t'><status><basic>Open</basic></status></tuple></presence>",
        ),
        (
            "activity",
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><dm:person xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' id='p'><r:activities xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'><r:in-a-call/></r:activities></dm:person></presence>",
        ),
    ] {
        assert!(complaints(name, document.as_bytes()).is_some(), "{name}");
    }
}

/// Confirms: presence documents of every phase are valid — xmllint
#[test]
fn documents_of_every_phase_are_valid() {
    for phase in PHASES {
        let mut body = BytesMut::new();
        handset(phase).emit(&mut body);
        valid(&format!("{phase:?}"), &body);
    }
}

/// Confirms: a presence document with everything is valid — xmllint
#[test]
fn a_document_with_everything_is_valid() {
    let text = include_str!("../../presence-pidf/tests/vectors/pidf-everything.xml");
    let read = Presence::parse(text.as_bytes(), Reading::Strict).expect("a good document");
    valid("everything-theirs", text.as_bytes());
    let mut body = BytesMut::new();
    read.emit(&mut body);
    valid("everything-ours", &body);
}

/// Confirms: partial presence documents are valid — xmllint
#[test]
fn partial_documents_are_valid() {
    let (old, new) = (handset(Phase::InCall), handset(Phase::Available));
    let (old, new) = (old.presence(), new.presence());
    let mut body = BytesMut::new();
    FullPresence { version: Some(1), presence: old.clone() }.emit(&mut body);
    valid("full", &body.split());
    PresenceDiff::between(&old, &new, 2).expect("the same presentity").emit(&mut body);
    valid("diff", &body.split());
    PresenceDiff::between(&new, &old, 3).expect("the same presentity").emit(&mut body);
    valid("diff-back", &body);
}

/// Confirms: lists of watchers and of contacts are valid — xmllint
#[test]
fn lists_of_watchers_and_of_contacts_are_valid() {
    let watcher = Watcher {
        uri: "sip:bob@example.net".to_owned(),
        id: "w1".to_owned(),
        status: WatcherStatus::Active,
        event: WatcherEvent::Approved,
        expiration: Some(600),
        duration_subscribed: Some(5),
        display_name: Some("Bob & Co".to_owned()),
    };
    let list = WatcherList {
        resource: "sip:a@b".to_owned(),
        package: "presence".to_owned(),
        watchers: vec![watcher],
    };
    let info = WatcherInfo { version: 0, full: true, lists: vec![list] };
    let mut body = BytesMut::new();
    info.emit(&mut body);
    valid("watcherinfo", &body);
    assert_eq!(WatcherInfo::parse(&body), Ok(info));
    let instance = ResourceInstance {
        id: "1".to_owned(),
        state: InstanceState::Active,
        reason: None,
        content_id: Some("c@x".to_owned()),
        pool: None,
    };
    let resource =
        Resource { uri: "sip:bob@b".to_owned(), names: vec!["Bob".to_owned()], instances: vec![instance] };
    let list =
        ResourceList { uri: "sip:a@b".to_owned(), version: 7, full_state: true, resources: vec![resource] };
    let mut body = BytesMut::new();
    list.emit(&mut body);
    valid("rlmi", &body);
    assert_eq!(ResourceList::parse(&body), Ok(list));
}
