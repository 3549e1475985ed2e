//! Presence documents of others: what the strict and the lenient reader make of them.

use bytes::BytesMut;
use presence_pidf::capabilities::Capability;
use presence_pidf::pidf::{Basic, Presence, Reading};
use presence_pidf::rpid::{Activity, InputState};
use presence_pidf::{Error, Rule};

const HEAD: &str = "xmlns='urn:ietf:params:xml:ns:pidf' xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' \
    xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' xmlns:ci='urn:ietf:params:xml:ns:pidf:cipid' \
    xmlns:c='urn:ietf:params:xml:ns:pidf:caps' xmlns:x='u:x' entity='sip:a@b'";

fn document(content: &str) -> String {
    format!("<presence {HEAD}>{content}</presence>")
}

fn strict(content: &str) -> Option<Rule> {
    match Presence::parse(document(content).as_bytes(), Reading::Strict) {
        Ok(_) => None,
        Err(Error::Malformed { rule, .. }) => Some(rule),
        Err(error) => panic!("{error}"),
    }
}

fn lenient(content: &str) -> Presence<'static> {
    let text = document(content);
    let read = Presence::parse(text.as_bytes(), Reading::Lenient);
    read.unwrap_or_else(|error| panic!("{content}: {error}")).into_owned()
}

const OPEN: &str = "<status><basic>open</basic></status>";

#[test]
fn the_strict_reader_holds_every_sequence_and_value_of_the_schemas() {
    let tuple = |content: &str| format!("<tuple id='t'>{content}</tuple>");
    let person = |content: &str| format!("<dm:person id='p'>{content}</dm:person>");
    let activities = |content: &str| person(&format!("<r:activities>{content}</r:activities>"));
    let input = |input: &str| tuple(&format!("{OPEN}<r:user-input{input}</r:user-input>"));
    for (content, rule) in [
        (String::new(), None),
        ("<note>n</note><x:e/><dm:person id='p'/>".to_owned(), None),
        ("<dm:person id='p'/><note>n</note>".to_owned(), Some(Rule::Order)),
        (format!("<note/>{}", tuple(OPEN)), Some(Rule::Order)),
        ("<tuples/>".to_owned(), Some(Rule::Order)),
        ("<e xmlns=''/>".to_owned(), Some(Rule::Order)),
        ("<dm:deviceID>u</dm:deviceID>".to_owned(), None),
        (tuple(OPEN), None),
        (tuple("<status/>"), None),
        (tuple(""), Some(Rule::ElementMissing)),
        (tuple("<note/>"), Some(Rule::Order)),
        (format!("<tuple>{OPEN}</tuple>"), Some(Rule::AttributeMissing)),
        (format!("<tuple id='1'>{OPEN}</tuple>"), Some(Rule::Identifier)),
        (tuple(OPEN).repeat(2), Some(Rule::Identifier)),
        (format!("{}<dm:person id='t'/>", tuple(OPEN)), Some(Rule::Identifier)),
        (format!("{}<dm:person id='p'><r:activities id='t'/></dm:person>", tuple(OPEN)), Some(Rule::Identifier)),
        (tuple("<status><basic>Open</basic></status>"), Some(Rule::ElementValue)),
        (tuple("<status><basic> open</basic></status>"), Some(Rule::ElementValue)),
        (tuple("<status><basic/></status>"), Some(Rule::ElementValue)),
        (tuple("<status><basic>op<!-- -->en</basic></status>"), None),
        (tuple("<status><basic>open</basic><basic>open</basic></status>"), Some(Rule::Order)),
        (tuple("<status><x:e/><basic>open</basic></status>"), Some(Rule::Order)),
        (tuple(&format!("{OPEN}{OPEN}")), Some(Rule::Order)),
        (tuple(&format!("{OPEN}<contact>u</contact><x:e/>")), Some(Rule::Order)),
        (tuple(&format!("{OPEN}<x:e/><contact>u</contact><note/><note/><timestamp>2026-01-01T00:00:00</timestamp>")), None),
        (tuple(&format!("{OPEN}<contact>u</contact><contact>u</contact>")), Some(Rule::Order)),
        (tuple(&format!("{OPEN}<contact priority='1.001'>u</contact>")), Some(Rule::AttributeValue)),
        (tuple(&format!("{OPEN}<contact priority='.5'>u</contact>")), Some(Rule::AttributeValue)),
        (tuple(&format!("{OPEN}<contact priority='1.'>u</contact>")), None),
        (tuple(&format!("{OPEN}<timestamp>2026-01-01T00:00:60Z</timestamp>")), Some(Rule::ElementValue)),
        (tuple(&format!("{OPEN}<timestamp>2026-01-01T00:00:00Z</timestamp><note/>")), Some(Rule::Order)),
        (input(">active"), None),
        (input("> active"), Some(Rule::ElementValue)),
        (input(">away"), Some(Rule::ElementValue)),
        (input(" idle-threshold='0'>idle"), Some(Rule::AttributeValue)),
        (input(" idle-threshold='-1'>idle"), Some(Rule::AttributeValue)),
        (input(" idle-threshold='300' last-input='2026-01-01T00:00:00Z'>idle"), None),
        (input(" last-input='yesterday'>idle"), Some(Rule::AttributeValue)),
        (activities(""), None),
        (activities("<r:note>n</r:note><r:away/><r:busy/><x:e/><r:other>o</r:other>"), None),
        (activities("<r:away/><r:note>n</r:note>"), Some(Rule::Order)),
        (activities("<r:unknown/>"), None),
        (activities("<r:unknown/><r:away/>"), Some(Rule::Order)),
        (activities("<r:away/><r:unknown/>"), Some(Rule::Order)),
        (activities("<r:in-a-call/>"), Some(Rule::Order)),
        (activities("<r:away>x</r:away>"), Some(Rule::ElementValue)),
        (activities("<r:away><r:busy/></r:away>"), Some(Rule::Order)),
        (person("<r:mood><r:happy/></r:mood><r:class>c</r:class>"), None),
        (person("<r:temper/>"), Some(Rule::Order)),
        (person("<dm:note/><r:activities/>"), Some(Rule::Order)),
        (person("<dm:timestamp>2026-01-01T00:00:00Z</dm:timestamp>"), None),
        ("<dm:person/>".to_owned(), Some(Rule::AttributeMissing)),
        ("<dm:device id='d'><r:user-input>idle</r:user-input><dm:deviceID>u</dm:deviceID><dm:note/></dm:device>".to_owned(), None),
        ("<dm:device id='d'><dm:deviceID>u</dm:deviceID><x:e/></dm:device>".to_owned(), Some(Rule::Order)),
        ("<dm:device id='d'/>".to_owned(), Some(Rule::ElementMissing)),
        (tuple(&format!("{OPEN}<c:servcaps><c:audio>true</c:audio><c:video>0</c:video></c:servcaps>")), None),
        (tuple(&format!("{OPEN}<c:servcaps><c:video>0</c:video><c:audio>true</c:audio></c:servcaps>")), Some(Rule::Order)),
        (tuple(&format!("{OPEN}<c:servcaps><c:audio>yes</c:audio></c:servcaps>")), Some(Rule::ElementValue)),
        (tuple(&format!("{OPEN}<c:servcaps><c:audio>1</c:audio><c:audio>1</c:audio></c:servcaps>")), Some(Rule::Order)),
    ] {
        assert_eq!(strict(&content), rule, "{content}");
    }
}

#[test]
fn the_lenient_reader_takes_what_it_can_and_never_takes_the_unreadable_for_open() {
    let basic = |status: &str| lenient(&format!("<tuple id='1'>{status}</tuple>")).basic();
    for (status, expected) in [
        ("<status><basic> open\n</basic></status>", Some(Basic::Open)),
        ("<status><basic>OPEN</basic></status>", None),
        ("<status><basic xmlns=''>open</basic></status>", None),
        ("<status><x:e/><basic>closed</basic></status>", Some(Basic::Closed)),
        ("", None),
    ] {
        assert_eq!(basic(status), expected, "{status}");
    }
    assert_eq!(lenient("").basic(), None, "no tuple is no information");
    let read = lenient(
        "<dm:person id='p'><dm:note>n</dm:note><r:activities from='x'><r:in-a-call/><r:away>x</r:away></r:activities></dm:person>\
         <e xmlns=''/><tuple id='1'><timestamp>never</timestamp><contact priority='9'>u</contact><status/></tuple>\
         <tuple id='1'><status><basic>open</basic></status></tuple><note>last</note>",
    );
    assert_eq!((read.tuples.len(), read.notes.len(), read.basic()), (2, 1, Some(Basic::Open)));
    let contact = read.tuples[0].contact.as_ref().expect("a contact");
    assert_eq!((&*contact.uri, contact.priority, read.tuples[0].timestamp), ("u", None, None));
    let activities = &read.persons[0].activities[0];
    assert_eq!(activities.activities.iter().map(Activity::token).collect::<Vec<_>>(), ["away"]);
}

#[test]
fn both_readers_refuse_a_root_that_is_none_and_one_without_entity() {
    for reading in [Reading::Strict, Reading::Lenient] {
        for (body, rule) in [
            ("<presence xmlns='urn:ietf:params:xml:ns:pidf'/>", Rule::AttributeMissing),
            ("<presence xmlns='urn:ietf:params:xml:ns:pidf' entity=' '/>", Rule::AttributeValue),
            ("<presence xmlns='urn:ietf:params:xml:ns:cpim-pidf' entity='sip:a@b'/>", Rule::Root),
            ("<presence entity='sip:a@b'/>", Rule::Root),
            ("<tuple xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'/>", Rule::Root),
            (
                "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:a@b'><tuple/></presence>",
                Rule::AttributeMissing,
            ),
        ] {
            let read = Presence::parse(body.as_bytes(), reading);
            assert!(
                matches!(read, Err(Error::Malformed { rule: found, .. }) if found == rule),
                "{body}: {read:?}"
            );
        }
    }
}

#[test]
fn an_extension_with_something_that_must_be_understood_is_forgotten_as_a_whole() {
    let must = "xmlns:p='urn:ietf:params:xml:ns:pidf' p:mustUnderstand='1'";
    let read = lenient(&format!(
        "<tuple id='t'><status><basic>open</basic><x:e {must}/></status><x:e><x:f {must}/></x:e></tuple>\
         <dm:person id='p'><r:activities><r:away/><x:e {must}/></r:activities></dm:person>\
         <dm:person id='q'><x:e {must}/></dm:person><x:e {must}/>"
    ));
    assert_eq!(read.basic(), Some(Basic::Open), "the tuple is no extension");
    assert_eq!(read.persons.len(), 1);
    assert!(read.persons[0].activities.is_empty());
}

#[test]
fn of_several_persons_the_newest_counts_and_activities_that_are_over_do_not() {
    let person = |id: char, stamp: &str| {
        format!("<dm:person id='{id}'><dm:timestamp>{stamp}</dm:timestamp></dm:person>")
    };
    let read = lenient(&format!(
        "<dm:person id='a'/>{}{}{}",
        person('b', "2026-01-01T12:00:00+01:00"),
        person('c', "2026-01-01T11:30:00Z"),
        person('d', "2026-01-01T11:29:59Z")
    ));
    assert_eq!(read.person().map(|person| &*person.id), Some("c"));
    let read = lenient(
        "<dm:person id='a'><r:activities from='2026-01-01T10:00:00Z' until='2026-01-01T11:00:00Z'><r:meal/></r:activities></dm:person>",
    );
    let activities = &read.persons[0].activities[0];
    let at = |text: &str| presence_pidf::DateTime::parse(text).expect("a date");
    let counts = ["09:59:59", "10:00:00", "10:59:59", "11:00:00"]
        .map(|time| activities.count_at(&at(&format!("2026-01-01T{time}Z"))));
    assert_eq!(counts, [false, true, true, false]);
}

#[test]
fn the_old_activities_of_a_server_of_microsoft_are_read() {
    let read = lenient(
        "<tuple id='0'><status><basic>open</basic><es:activities xmlns:es='urn:ietf:params:xml:ns:pidf:status:rpid-status'>\
         <es:activity>busy</es:activity></es:activities></status></tuple><ci:display-name>Alice</ci:display-name>",
    );
    assert_eq!(read.tuples[0].status.old_activities, ["busy"]);
    assert_eq!(read.caller.and_then(|caller| caller.display_name).as_deref(), Some("Alice"));
}

#[test]
fn what_is_written_is_strictly_good_and_says_the_same() {
    let text = include_str!("vectors/pidf-everything.xml");
    let read = Presence::parse(text.as_bytes(), Reading::Strict).expect("everything in its place");
    let mut out = BytesMut::new();
    read.emit(&mut out);
    let again = Presence::parse(&out, Reading::Strict).expect("what we write is strictly good");
    assert_eq!(again, read);
    let mut twice = BytesMut::new();
    again.emit(&mut twice);
    assert_eq!(twice, out, "canonical");
    assert_eq!(read.clone().into_owned(), read);
    let tuple = &read.tuples[0];
    let capabilities = tuple.capabilities.as_ref().expect("capabilities");
    assert_eq!(
        capabilities.flags,
        [(Capability::Audio, true), (Capability::Text, false), (Capability::Video, false)]
    );
    assert_eq!(capabilities.sets.len(), 5);
    assert_eq!(
        tuple.user_input.as_ref().map(|input| (input.state, input.idle_threshold)),
        Some((InputState::Idle, Some(600)))
    );
    assert_eq!(tuple.notes[0].text, "Büro <1>");
}

#[test]
fn the_recorded_document_is_strictly_good() {
    let body = include_bytes!("vectors/pidf-rpid.xml");
    let read = Presence::parse(body, Reading::Strict).expect("a good document");
    let basics: Vec<_> = read.tuples.iter().map(|tuple| tuple.status.basic).collect();
    assert_eq!(basics, [Some(Basic::Closed), Some(Basic::Open), Some(Basic::Closed)]);
    let person = read.person().expect("a person");
    let activities: Vec<_> =
        person.activities.iter().flat_map(|list| &list.activities).map(Activity::token).collect();
    assert_eq!(activities, ["on-the-phone", "busy"]);
    assert_eq!(person.user_input.as_ref().and_then(|input| input.idle_threshold), Some(600));
    assert_eq!(person.notes[0].text, "In a call");
}
