//! Partial documents: what changes, and what makes the reader start anew.

use bytes::BytesMut;
use presence_pidf::partial::{FullPresence, PartialPresence, PresenceDiff, Taken};
use presence_pidf::pidf::{Basic, Contact, Note, Presence, Reading, Status, Tuple};
use presence_pidf::rpid::{Activities, Activity, ActivityName};
use presence_pidf::{Error, Rule, data_model::Person};
use proptest::prelude::*;

const FULL: &str = "<?xml version='1.0' encoding='UTF-8'?><p:pidf-full xmlns='urn:ietf:params:xml:ns:pidf' \
    xmlns:p='urn:ietf:params:xml:ns:pidf-diff' xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' \
    xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' entity='pres:someone@example.com' version='567'>\n \
    <tuple id='sg89ae'><status><basic>open</basic></status><contact priority='0.8'>tel:09012345678</contact></tuple>\n \
    <tuple id='cg231jcr'><status><basic>open</basic></status><contact priority='1.0'>im:pep@example.com</contact></tuple>\n \
    <tuple id='r1230d'><status><basic>closed</basic></status><contact priority='0.9'>sip:pep@example.com</contact></tuple>\n \
    <note xml:lang='en'>Full state presence document</note>\n \
    <dm:person id='p123'><r:activities><r:on-the-phone/><r:busy/></r:activities></dm:person></p:pidf-full>";

fn diff(version: u32, operations: &str) -> String {
    format!(
        "<d:pidf-diff xmlns='urn:ietf:params:xml:ns:pidf' xmlns:d='urn:ietf:params:xml:ns:pidf-diff' \
         xmlns:rpid='urn:ietf:params:xml:ns:pidf:rpid' xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model' \
         entity='pres:someone@example.com' version='{version}'>{operations}</d:pidf-diff>"
    )
}

fn full() -> PartialPresence {
    let mut partial = PartialPresence::default();
    assert_eq!(partial.take(FULL.as_bytes()), Ok(Taken::Current));
    partial
}

fn patched(operations: &str) -> Result<Presence<'static>, Rule> {
    let mut partial = full();
    match partial.take(diff(568, operations).as_bytes()) {
        Ok(Taken::Current) => Ok(partial.presence().expect("a document")),
        Ok(other) => panic!("{other:?}"),
        Err(Error::Malformed { rule, .. }) => {
            assert_eq!(partial, PartialPresence::default(), "a failed change leaves nothing");
            Err(rule)
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn so_many_changes_and_steps_are_taken_and_no_more() {
    let changes = |number: usize| patched(&"<d:replace sel='*/note/text()'>x</d:replace>".repeat(number));
    assert_eq!(changes(256).expect("as many as may be").notes[0].text, "x");
    assert_eq!(changes(257), Err(Rule::Elements));
    let steps = |number: usize| patched(&format!("<d:remove sel='{}a'/>", "*/".repeat(number - 1)));
    assert_eq!(steps(32), Err(Rule::Unlocated), "a selector that finds nothing");
    assert_eq!(steps(33), Err(Rule::Selector));
}

#[test]
fn the_example_of_the_standard_is_applied() {
    let presence = patched(
        "<d:add sel='*/note' pos='before'><tuple id='ert4773'><status><basic>open</basic></status>\
         <contact priority='0.4'>mailto:pep@example.com</contact><note xml:lang='en'>new tuple</note></tuple></d:add>\
         <d:add sel=\"*/tuple[@id='r1230d']/contact\" pos='after'><note>after the contact</note></d:add>\
         <d:replace sel=\"*/tuple[@id='r1230d']/status/basic/text()\">open</d:replace>\
         <d:remove sel='*/dm:person/rpid:activities/rpid:busy'/>\
         <d:replace sel=\"*/tuple[@id='cg231jcr']/contact/@priority\">0.7</d:replace>",
    )
    .expect("good changes");
    let ids: Vec<_> = presence.tuples.iter().map(|tuple| &*tuple.id).collect();
    assert_eq!(ids, ["sg89ae", "cg231jcr", "r1230d", "ert4773"]);
    assert_eq!(presence.tuples[2].status.basic, Some(Basic::Open));
    assert_eq!(presence.tuples[2].notes[0].text, "after the contact");
    let priority = presence.tuples[1].contact.as_ref().and_then(|contact| contact.priority);
    assert_eq!(priority.map(presence_pidf::pidf::Priority::thousandths), Some(700));
    let activities: Vec<_> =
        presence.persons[0].activities[0].activities.iter().map(Activity::token).collect();
    assert_eq!(activities, ["on-the-phone"]);
}

#[test]
fn every_way_to_select_finds_its_node() {
    for selector in [
        "*/tuple[1]",
        "*/tuple[@id='sg89ae']",
        "/*/tuple[1]",
        "d:pidf-full/tuple[1]",
        "id('sg89ae')",
        "*/tuple[contact='tel:09012345678']",
        "*/*[1]",
        "*/tuple[@id=\"sg89ae\"][1]",
    ] {
        let operation = format!("<d:remove sel='{}'/>", selector.replace('\'', "&apos;"));
        let presence = patched(&operation).unwrap_or_else(|rule| panic!("{selector}: {rule}"));
        assert_eq!(presence.tuples.len(), 2, "{selector}");
        assert_eq!(presence.tuples[0].id, "cg231jcr", "{selector}");
    }
}

#[test]
fn changes_are_applied_where_they_belong() {
    let notes = |operations: &str| -> Vec<String> {
        let presence = patched(operations).unwrap_or_else(|rule| panic!("{operations}: {rule}"));
        presence.notes.iter().map(|note| note.text.to_string()).collect()
    };
    assert_eq!(notes("<d:add sel='*/note' pos='before'><note>a</note></d:add>")[0], "a");
    assert_eq!(notes("<d:add sel='*/note' pos='after'><note>a</note></d:add>")[1], "a");
    assert_eq!(notes("<d:add sel='*' pos='prepend'><note>a</note></d:add>")[0], "a");
    assert_eq!(notes("<d:add sel='*'><note>a</note></d:add>")[1], "a");
    assert_eq!(
        notes("<d:add sel='*/note/text()' pos='before'>a</d:add>")[0],
        "aFull state presence document"
    );
    assert_eq!(notes("<d:replace sel='*/note'><note>a</note></d:replace>"), ["a"]);
    assert_eq!(notes("<d:replace sel='*/note/text()'/>"), [""]);
    assert_eq!(notes("<d:remove sel='*/note' ws='before'/>").len(), 0);
    assert_eq!(notes("<d:remove sel='*/note' ws='both'/>").len(), 0);
    let added =
        patched("<d:add sel='*/tuple[3]/status/basic' type='@until'>x</d:add>").expect("an attribute");
    assert_eq!(added.tuples.len(), 3);
}

#[test]
fn changes_that_cannot_be_made_are_refused_and_leave_nothing() {
    for (operations, rule) in [
        ("<d:remove sel='*/tuple'/>", Rule::Unlocated),
        ("<d:remove sel='*/tuple[4]'/>", Rule::Unlocated),
        ("<d:remove sel='presence/note'/>", Rule::Unlocated),
        ("<d:remove sel='*/e:note'/>", Rule::Prefix),
        ("<d:remove sel='*/tuple[0]'/>", Rule::Selector),
        ("<d:remove sel='//note'/>", Rule::Selector),
        ("<d:remove sel=''/>", Rule::Selector),
        ("<d:remove sel='*/note[position()=1]'/>", Rule::Selector),
        ("<d:remove/>", Rule::AttributeMissing),
        ("<d:remove sel='*'/>", Rule::Patch),
        ("<d:remove sel='*/dm:person' ws='after'/>", Rule::Patch),
        ("<d:remove sel='*/@entity'/>", Rule::AttributeMissing),
        ("<d:add sel='*' type='@entity'>sip:b@c</d:add>", Rule::Patch),
        ("<d:add sel='*' pos='between'><note/></d:add>", Rule::AttributeValue),
        ("<d:replace sel='*/note'>text</d:replace>", Rule::Patch),
        ("<d:replace sel='*/note/@lang'>de</d:replace>", Rule::Unlocated),
        ("<d:move sel='*/note'/>", Rule::Order),
    ] {
        assert_eq!(patched(operations).map(|_| ()), Err(rule), "{operations}");
    }
    let many = "<d:add sel='*'><note/></d:add>".repeat(300);
    assert_eq!(patched(&many).map(|_| ()), Err(Rule::Elements));
    let bomb = format!("<d:add sel='*'>{}</d:add>", "<note/>".repeat(4000)).repeat(2);
    assert!(patched(&bomb).is_err(), "a document never grows beyond its limits");
}

#[test]
fn a_gap_makes_the_reader_start_anew_and_what_is_old_changes_nothing() {
    let note = "<d:add sel='*'><note>n</note></d:add>";
    let mut partial = full();
    assert_eq!(partial.take(diff(567, note).as_bytes()), Ok(Taken::Old));
    assert_eq!(partial.take(diff(568, note).as_bytes()), Ok(Taken::Current));
    assert_eq!(partial.version(), Some(568));
    assert_eq!(partial.take(diff(570, note).as_bytes()), Ok(Taken::Gap));
    assert_eq!((partial.version(), partial.presence()), (None, None));
    assert_eq!(
        partial.take(diff(571, note).as_bytes()),
        Ok(Taken::Gap),
        "a change is nothing without a document"
    );
    assert_eq!(partial.take(FULL.as_bytes()), Ok(Taken::Current));
}

fn presence() -> impl Strategy<Value = Presence<'static>> {
    let tuple =
        (0..6_u8, any::<bool>(), prop::option::of("[a-z&<]{0,8}")).prop_map(|(id, open, contact)| Tuple {
            id: format!("t{id}").into(),
            status: Status {
                basic: Some(if open { Basic::Open } else { Basic::Closed }),
                ..Status::default()
            },
            contact: contact.map(|uri| Contact { uri: uri.into(), priority: None }),
            ..Tuple::default()
        });
    let person = (
        0..3_u8,
        prop::sample::subsequence(ActivityName::ALL.to_vec(), 0..3),
        prop::option::of("[a-z ]{1,5}"),
    )
        .prop_map(|(id, names, note)| Person {
            id: format!("p{id}").into(),
            activities: vec![Activities::of(&names)],
            notes: note.map(|text| Note { language: None, text: text.into() }).into_iter().collect(),
            ..Person::default()
        });
    (prop::collection::vec(tuple, 0..6), prop::collection::vec(person, 0..3)).prop_map(
        |(mut tuples, mut persons)| {
            tuples.sort_by(|a, b| a.id.cmp(&b.id));
            tuples.dedup_by(|a, b| a.id == b.id);
            persons.sort_by(|a, b| a.id.cmp(&b.id));
            persons.dedup_by(|a, b| a.id == b.id);
            Presence { entity: "sip:a@b".into(), tuples, persons, ..Presence::default() }
        },
    )
}

fn sorted(mut presence: Presence<'static>) -> Presence<'static> {
    presence.tuples.sort_by(|a, b| a.id.cmp(&b.id));
    presence.persons.sort_by(|a, b| a.id.cmp(&b.id));
    presence
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_changed_between_two_documents_leads_from_one_to_the_other(old in presence(), new in presence()) {
        let mut partial = PartialPresence::default();
        let mut body = BytesMut::new();
        FullPresence { version: Some(1), presence: old.clone() }.emit(&mut body);
        prop_assert!(FullPresence::parse(&body, Reading::Strict).is_ok());
        prop_assert_eq!(partial.take(&body.split()), Ok(Taken::Current));
        PresenceDiff::between(&old, &new, 2).expect("the same presentity").emit(&mut body);
        prop_assert_eq!(partial.take(&body), Ok(Taken::Current));
        prop_assert_eq!(partial.presence().map(sorted), Some(new));
    }

    #[test]
    fn arbitrary_selectors_never_panic(selector in "[*/@a-z\\[\\]()'.=0-9:]{0,24}") {
        let operation = format!("<d:remove sel=\"{selector}\"/>");
        let _ = full().take(diff(568, &operation).as_bytes());
    }
}
