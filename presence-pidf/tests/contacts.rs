//! What is kept of a user, of contacts, and what a first log-on adds.

use presence_pidf::aggregate::{aggregate, for_federated};
use presence_pidf::bootstrap::{Privacy, missing_defaults, missing_members};
use presence_pidf::category::{
    EventCategories, Member, MemberKind, MessageWaiting, RoamingData, StateCategory,
};
use presence_pidf::contacts::Contacts;
use presence_pidf::own_presence::{OwnEvent, OwnPresence, privacy_mode};
use presence_pidf::pidf::{Presence, Reading};
use presence_pidf::rlmi::{ContactPresence, ListNotification};
use presence_pidf::subscription::{
    BatchSubscription, MemberChange, ROAMING_LIST, SetContainerMembers, emit_acknowledged,
    parse_acknowledged, parse_roaming_list,
};
use presence_pidf::{Activity, Class, Error, Rule};

fn roaming(content: &str) -> RoamingData<'static> {
    let body = format!(
        "<roamingData xmlns='http://schemas.microsoft.com/2006/09/sip/roaming-self'>{content}</roamingData>"
    );
    let data = RoamingData::parse(body.as_bytes()).unwrap_or_else(|error| panic!("{content}: {error}"));
    data.into_owned().into_owned()
}

fn categories(uri: &str, rows: &str) -> RoamingData<'static> {
    roaming(&format!(
        "<categories xmlns='http://schemas.microsoft.com/2006/09/sip/categories' uri='{uri}'>{rows}</categories>"
    ))
}

fn row(name: &str, instance: u32, container: u16) -> String {
    format!(
        "<category name='{name}' instance='{instance}' container='{container}' version='1' expireType='user'/>"
    )
}

fn held(own: &OwnPresence) -> Vec<(String, u16, u32)> {
    own.categories().map(|row| (row.name.to_string(), row.container, row.instance)).collect()
}

#[test]
fn a_report_replaces_every_category_that_it_names_and_no_other() {
    let uri = "sip:a@b";
    let mut own = OwnPresence::new(uri);
    own.take(categories(
        uri,
        &[row("state", 1, 2), row("state", 2, 3), row("note", 0, 200), row("note", 0, 300)].concat(),
    ));
    assert_eq!(held(&own).len(), 4);
    own.take(categories("SIP:A@b", &row("state", 9, 2)));
    assert_eq!(held(&own), [("note".into(), 200, 0), ("note".into(), 300, 0), ("state".into(), 2, 9)]);
    own.take(categories("sip:else@b", &row("state", 7, 7)));
    assert_eq!(held(&own).len(), 3, "somebody else's");
    own.take(categories(uri, "<category name='note' container='300'/>"));
    assert_eq!(held(&own), [("note".into(), 200, 0), ("state".into(), 2, 9)]);
    own.take(categories(uri, "<category name='note'/>"));
    assert_eq!(held(&own), [("state".into(), 2, 9)]);
    let gone = row("state", 5, 2).replace("version", "expires='0' version");
    own.take(categories(uri, &[row("state", 9, 2), gone].concat()));
    assert_eq!(held(&own), [("state".into(), 2, 9)], "what expires at once is not held");
    own.take(roaming("<containers/>"));
    assert_eq!(held(&own).len(), 1, "a part that is missing says nothing");
}

#[test]
fn no_number_of_reports_fills_the_memory() {
    let uri = "sip:a@b";
    let mut own = OwnPresence::new(uri);
    for round in 0..3u16 {
        let all = |text: &dyn Fn(u16) -> String| (0..1000).map(text).collect::<String>();
        own.take(categories(uri, &all(&|at| row(&format!("n{round}"), at.into(), 2))));
        let containers = all(&|at| format!("<container id='{}' version='1'/>", round * 1000 + at));
        own.take(roaming(&format!("<containers>{containers}</containers>")));
        let watchers = all(&|at| format!("<subscriber user='{round}.{at}@b'/>"));
        own.take(roaming(&format!("<subscribers>{watchers}</subscribers>")));
    }
    assert_eq!((own.categories().count(), own.subscribers().len()), (2000, 2000));
    assert!(own.container(1999).is_some() && own.container(2000).is_none());
    own.take(roaming("<containers><container id='7' version='9'/></containers>"));
    assert_eq!(own.container(7).map(|held| held.version), Some(9), "what is known is kept current");
    assert_eq!(std::iter::from_fn(|| own.poll_event()).count(), 2000);
}

#[test]
fn messages_and_new_watchers_are_told_once() {
    let uri = "sip:a@b";
    let mut own = OwnPresence::new(uri);
    let mwi = "<category name='mwi' instance='0' container='1' version='3' expireType='static'>\
        <mwi xmlns='http://schemas.microsoft.com/2006/09/sip/mwi' messageWaiting='true' unreadVoiceMailCount='8' readVoiceMailCount='3'/></category>";
    own.take(categories(uri, mwi));
    let messages = MessageWaiting { waiting: true, unread: 8, read: 3 };
    assert_eq!(own.poll_event(), Some(OwnEvent::Messages(messages)));
    own.take(categories(uri, mwi));
    assert_eq!(own.poll_event(), None);
    own.take(categories(uri, "<category name='mwi'/>"));
    assert_eq!(own.poll_event(), Some(OwnEvent::Messages(MessageWaiting::default())));
    let watchers = "<subscribers xmlns='http://schemas.microsoft.com/2006/09/sip/presence-subscribers'>\
        <subscriber user='bob@b' displayName='Bob' acknowledged='false'/><subscriber user='carol@b' acknowledged='true'/></subscribers>";
    own.take(roaming(watchers));
    assert!(matches!(own.poll_event(), Some(OwnEvent::Watcher(watcher)) if watcher.user == "bob@b"));
    own.take(roaming(watchers));
    assert_eq!((own.poll_event(), own.subscribers().len()), (None, 2));
}

#[test]
fn a_first_log_on_adds_what_is_missing_and_nothing_that_the_user_has() {
    let containers = |members: &str| {
        format!(
            "<containers xmlns='http://schemas.microsoft.com/2006/09/sip/containers'><container id='200' version='4'>{members}</container></containers>"
        )
    };
    let mut own = OwnPresence::new("sip:a@b");
    let both = missing_members(&own, Privacy::Open).expect("a new user");
    assert_eq!(
        both.containers.iter().map(|(id, version, _)| (*id, *version)).collect::<Vec<_>>(),
        [(200, 0), (100, 0)]
    );
    own.take(roaming(&containers("")));
    let both = missing_members(&own, Privacy::Open).expect("still without members");
    assert_eq!(both.containers[0].1, 4, "the version that is held");
    let mut body = bytes::BytesMut::new();
    missing_members(&OwnPresence::new("sip:a@b"), Privacy::Open).expect("a new user").emit(&mut body);
    assert_eq!(
        body,
        "<setContainerMembers xmlns=\"http://schemas.microsoft.com/2006/09/sip/container-management\"><container id=\"200\" version=\"0\">\
         <member action=\"add\" type=\"sameEnterprise\"/></container><container id=\"100\" version=\"0\"><member action=\"add\" type=\"federated\"/>\
         </container></setContainerMembers>",
        "as another client sends it"
    );
    let private = missing_members(&own, Privacy::ContactsOnly).expect("federated contacts");
    assert_eq!(private.containers.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [100]);
    own.take(roaming(&containers("<member type='sameEnterprise'/><member type='federated'/>")));
    assert_eq!(missing_members(&own, Privacy::Open), None);
    let all = missing_defaults(&own);
    assert_eq!(all.len(), 13);
    assert!(all.iter().all(|row| row.version == 0));
    own.take(categories("sip:a@b", &[row("note", 3, 100), row("state", 1, 32000)].concat()));
    let rest = missing_defaults(&own);
    assert_eq!(rest.len(), 11, "the user's own note and state stay");
    assert!(!rest.iter().any(|row| (&*row.name, row.container) == ("note", 100)));
}

#[test]
fn privacy_is_found_in_either_shape_of_the_policy() {
    let policy = |content: &str| {
        format!(
            "<provisionGroupList xmlns='http://schemas.microsoft.com/2006/09/sip/provisiongrouplist'><provisionGroup name='ucPolicy'><EnablePrivacyMode>true\
             </EnablePrivacyMode></provisionGroup><provisionGroup name='presencePolicyV2'>{content}</provisionGroup></provisionGroupList>"
        )
    };
    for (content, expected) in [
        ("<EnablePrivacyMode>true</EnablePrivacyMode>", Some(true)),
        ("<instance><property name='EnablePrivacyMode'><![CDATA[True]]></property></instance>", Some(true)),
        ("<EnablePrivacyMode>false</EnablePrivacyMode>", Some(false)),
        ("<Other/>", None),
    ] {
        assert_eq!(privacy_mode(policy(content).as_bytes()), Ok(expected), "{content}");
    }
    assert!(matches!(privacy_mode(b"<a/>"), Err(Error::Malformed { rule: Rule::Root, .. })));
}

/// As in the documentation of the protocol, with invented people.
const LIST: &str = "--b\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <start@x>\r\nContent-Type: application/rlmi+xml;charset=\"UTF-8\"\r\n\r\n\
    <list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:a@b\" version=\"3\" fullState=\"false\">\
    <resource uri=\"sip:bob@b\"><instance id=\"1\" state=\"active\" cid=\"one@x\"/></resource>\
    <resource uri=\"sip:carol@b\"><instance id=\"2\" state=\"resubscribe\" poolFqdn=\"pool.b\"/></resource>\
    <resource uri=\"sip:dave@b\"><instance id=\"3\" state=\"active\" cid=\"missing@x\"/></resource>\
    <resource uri=\"sip:erin@b\"><instance id=\"4\" state=\"active\" cid=\"&lt;two@x>\"/></resource></list>\r\n\
    --b\r\nContent-ID: <one@x>\r\nContent-Type: application/msrtc-event-categories+xml\r\n\r\n\
    <categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\" uri=\"sip:BOB@b\"><category name=\"state\" instance=\"1\" \
    publishTime=\"2026-01-01T10:00:00.317\"><state xsi:type=\"aggregateState\" lastActive=\"2026-01-01T10:00:00\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\"><availability>6500</availability>\
    <activity token=\"on-the-phone\" minAvailability=\"6500\" maxAvailability=\"8999\"/></state></category></categories>\r\n\
    --b\r\nContent-ID: two@x\r\nContent-Type: application/pidf+xml\r\n\r\n\
    <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:erin@b\"><tuple id=\"0\"><status><basic>open</basic></status></tuple></presence>\r\n\
    --b\r\nContent-ID: <stranger@x>\r\nContent-Type: application/pidf+xml\r\n\r\n\
    <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:mallory@b\"/>\r\n--b--\r\n";

#[test]
fn a_notification_changes_those_contacts_whose_part_is_there() {
    let content_type = "multipart/related; type=\"application/rlmi+xml\"; start=start@x; boundary=b";
    let notification = ListNotification::parse(content_type, LIST.as_bytes()).expect("a notification");
    assert_eq!(
        notification.contacts.iter().map(ContactPresence::uri).collect::<Vec<_>>(),
        ["sip:BOB@b", "sip:erin@b"]
    );
    let mut contacts = Contacts::default();
    contacts.take_list(notification.clone());
    let bob = contacts.state("sip:bob@b").expect("a state");
    assert_eq!((bob.class(), bob.activity.as_deref()), (Some(Class::Busy), Some("on-the-phone")));
    assert_eq!(contacts.state("sip:erin@b").and_then(|erin| erin.availability), Some(3500));
    assert_eq!((contacts.state("sip:dave@b"), contacts.state("sip:mallory@b")), (None, None));
    assert_eq!(contacts.poll_elsewhere(), Some(("sip:carol@b".into(), Some("pool.b".into()))));
    let unknown = "<categories xmlns='http://schemas.microsoft.com/2006/09/sip/categories' uri='sip:bob@b'><category name='state' instance='1'>\
        <state xmlns='http://schemas.microsoft.com/2006/09/sip/state'><availability>?</availability></state></category></categories>";
    contacts.take(EventCategories::parse(unknown.as_bytes()).expect("categories"));
    assert_eq!(
        contacts.state("sip:bob@b").and_then(|bob| bob.availability),
        Some(6500),
        "the former one stays"
    );
    let mut out = bytes::BytesMut::new();
    let content_type = notification.emit("q", &mut out);
    let again = ListNotification::parse(&content_type, &out).expect("our own");
    assert_eq!(again.contacts, notification.contacts);
}

#[test]
fn a_contact_whose_subscription_has_ended_is_forgotten() {
    let mut contacts = Contacts::default();
    let one = "<categories xmlns='http://schemas.microsoft.com/2006/09/sip/categories' uri='sip:Bob@b'><category name='state' instance='1'>\
        <state xmlns='http://schemas.microsoft.com/2006/09/sip/state'><availability>3500</availability></state></category></categories>";
    let plain = "<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='sip:Erin@b'/>";
    contacts.take(EventCategories::parse(one.as_bytes()).expect("categories"));
    contacts.take_pidf(&Presence::parse(plain.as_bytes(), Reading::Strict).expect("a document"));
    let list = |state: &str| {
        let body = format!(
            "--b\r\nContent-Type: application/rlmi+xml\r\n\r\n<list xmlns='urn:ietf:params:xml:ns:rlmi' uri='sip:a@b' version='4'>\
             <resource uri='sip:bob@b'><instance id='1' state='{state}'/></resource>\
             <resource uri='sip:erin@b'><instance id='1' state='{state}'/></resource></list>\r\n--b--\r\n"
        );
        ListNotification::parse("multipart/related; boundary=b", body.as_bytes()).expect("a list")
    };
    for state in ["active", "pending"] {
        contacts.take_list(list(state));
        assert!(contacts.state("sip:bob@b").is_some() && contacts.state("sip:erin@b").is_some(), "{state}");
    }
    contacts.take_list(list("terminated"));
    assert_eq!((contacts.state("sip:bob@b"), contacts.state("sip:erin@b")), (None, None));
    assert_eq!(contacts.poll_elsewhere(), None);
    contacts.take_list(list("resubscribe"));
    assert_eq!(contacts.poll_elsewhere(), Some(("sip:bob@b".to_owned(), None)));
}

#[test]
fn what_is_shown_of_a_contact_comes_from_its_categories() {
    let mut contacts = Contacts::default();
    let mut tell = |category: &str, instance: u32, content: &str| {
        let body = format!(
            "<categories xmlns='http://schemas.microsoft.com/2006/09/sip/categories' uri='sip:bob@b'><category name='{category}' \
             instance='{instance}'>{content}</category></categories>"
        );
        contacts.take(EventCategories::parse(body.as_bytes()).expect("categories"));
        contacts.state("SIP:bob@b").expect("something was told")
    };
    let state = |availability: u32, inside: &str| {
        format!(
            "<state xmlns='http://schemas.microsoft.com/2006/09/sip/state' lastActive='2026-01-01T10:00:00Z'>\
             <availability>{availability}</availability>{inside}</state>"
        )
    };
    let call = "<activity token='on-the-phone' minAvailability='6500' maxAvailability='8999'/>";
    let shown = tell("state", 1, &state(15500, call));
    assert_eq!((shown.class(), shown.activity), (Some(Class::Away), None), "an activity has its range");
    assert_eq!(shown.last_active.map(|time| time.to_string()).as_deref(), Some("2026-01-01T10:00:00Z"));
    assert_eq!(tell("state", 1, &state(7500, call)).activity.as_deref(), Some("on-the-phone"));
    let card = |inside: &str| {
        format!(
            "<contactCard xmlns='http://schemas.microsoft.com/2006/09/sip/contactcard'>{inside}</contactCard>"
        )
    };
    let shown =
        tell("contactCard", 0, &card("<identity><name><displayName>Bob</displayName></name></identity>"));
    assert_eq!((shown.display_name.as_deref(), shown.automaton), (Some("Bob"), false));
    let shown = tell("contactCard", 2, &card("<automaton>true</automaton>"));
    assert_eq!((shown.display_name.as_deref(), shown.automaton), (Some("Bob"), true));
    let note = "<note xmlns='http://schemas.microsoft.com/2006/09/sip/note'><body type='personal'>back at two</body></note>";
    assert_eq!(tell("note", 0, note).note.as_deref(), Some("back at two"));
    let services = |text: bool| {
        format!(
            "<services xmlns='http://schemas.microsoft.com/2006/09/sip/service'><service uri='sip:bob@b'><capabilities>\
             <text render='{text}'/><voice render='true'/></capabilities></service></services>"
        )
    };
    assert!(tell("services", 0, &services(false)).voice_only);
    assert!(!tell("services", 0, &services(true)).voice_only);
    let shown = tell("note", 0, "");
    assert_eq!((shown.note, shown.availability), (None, Some(7500)), "a category without content is gone");
}

#[test]
fn what_is_shown_of_a_plain_document_is_the_nearest_number() {
    let shown = |basic: &str, activity: &str| {
        let person = match activity {
            "" => String::new(),
            _ => format!("<d:person id='p'><r:activities><r:{activity}/></r:activities></d:person>"),
        };
        let body = format!(
            "<presence xmlns='urn:ietf:params:xml:ns:pidf' xmlns:d='urn:ietf:params:xml:ns:pidf:data-model' \
             xmlns:r='urn:ietf:params:xml:ns:pidf:rpid' entity='sip:bob@b'><tuple id='t'><status>{basic}</status><note>hi</note></tuple>{person}</presence>"
        );
        let mut contacts = Contacts::default();
        contacts.take_pidf(&Presence::parse(body.as_bytes(), Reading::Strict).expect("a document"));
        let state = contacts.state("sip:BOB@b").expect("it was told");
        assert_eq!(state.note.as_deref(), Some("hi"));
        (state.availability, state.activity)
    };
    let (open, closed) = ("<basic>open</basic>", "<basic>closed</basic>");
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(shown(open, ""), (Some(3500), None));
    assert_eq!(shown(open, "on-the-phone"), (Some(6500), word("on-the-phone")));
    assert_eq!(shown(open, "meeting"), (Some(6500), word("in-a-meeting")));
    assert_eq!(shown(open, "busy"), (Some(6500), None));
    assert_eq!(shown(open, "away"), (Some(15500), None));
    assert_eq!(shown(open, "travel"), (Some(3500), None), "what has no number of its own");
    assert_eq!(shown(closed, "on-the-phone"), (Some(18500), None));
    assert_eq!(shown("", ""), (None, None), "nothing is known, which is not closed");
}

#[test]
fn what_asks_is_read_as_it_was_written() {
    let mut batch = BatchSubscription::of("sip:a@b", 7, &["sip:bob@b", "sip:carol@b"]);
    batch.contacts[1].added = true;
    let mut out = bytes::BytesMut::new();
    batch.emit(&mut out);
    assert_eq!(BatchSubscription::parse(&out), Ok(batch));
    let kinds = parse_roaming_list(ROAMING_LIST.as_bytes());
    assert_eq!(kinds.as_deref(), Ok(&["categories", "containers", "subscribers"].map(str::to_owned)[..]));
    let change = |joins, kind, value: Option<&str>| MemberChange {
        joins,
        member: Member { kind, value: value.map(str::to_owned) },
    };
    let changes = vec![
        change(true, MemberKind::User, Some("bob@b")),
        change(false, MemberKind::Domain, Some("b")),
        change(true, MemberKind::Everyone, None),
    ];
    let set = SetContainerMembers { containers: vec![(300, 4, changes), (32000, 0, Vec::new())] };
    out.clear();
    set.emit(&mut out);
    assert_eq!(SetContainerMembers::parse(&out), Ok(set));
    let notice = "<setSubscribers xmlns='http://schemas.microsoft.com/2006/09/sip/presence-subscribers'>\
        <subscriber user='bob@b' acknowledged='true'/><subscriber user='carol@b' acknowledged='false'/><subscriber user='dave@b'/></setSubscribers>";
    assert_eq!(parse_acknowledged(notice.as_bytes()).as_deref(), Ok(&["bob@b".to_owned()][..]));
    out.clear();
    emit_acknowledged(&["bob@b", "carol@b"], &mut out);
    assert_eq!(parse_acknowledged(&out).map(|all| all.len()), Ok(2));
}

#[test]
fn notifications_that_cannot_be_told_apart_are_refused() {
    for (content_type, body, rule) in [
        ("multipart/related", LIST, Rule::Multipart),
        ("multipart/related; boundary=c", LIST, Rule::Multipart),
        (
            "multipart/related; boundary=b",
            "--b\r\nContent-Type: application/pidf+xml\r\n\r\n<a/>\r\n--b--",
            Rule::List,
        ),
    ] {
        let read = ListNotification::parse(content_type, body.as_bytes());
        assert!(matches!(read, Err(Error::Malformed { rule: found, .. }) if found == rule), "{content_type}");
    }
}

#[test]
fn others_see_the_machine_that_is_used_most_and_what_its_user_does() {
    let machine = StateCategory::machine;
    let phone = || StateCategory::phone(6500, Activity::OnThePhone);
    let seen = |states: &[StateCategory<'_>]| aggregate(states).and_then(|state| state.availability);
    assert_eq!(seen(&[]), None);
    assert_eq!(seen(&[phone()]), None, "nobody is there without a machine");
    assert_eq!(seen(&[machine(15500), machine(3500)]), Some(3500));
    assert_eq!(seen(&[machine(3500), phone()]), Some(6500));
    assert_eq!(seen(&[machine(5000), phone()]), Some(7500), "busy, and nobody at the machine");
    assert_eq!(seen(&[machine(3500), StateCategory::user(9500), phone()]), Some(9500));
    assert_eq!(seen(&[machine(3500), StateCategory::user(6500)]), Some(6500));
    let not_chosen = StateCategory { manual: false, ..StateCategory::user(9500) };
    assert_eq!(seen(&[machine(3500), not_chosen]), Some(3500), "only what was chosen by hand counts");
    let conference = || StateCategory::phone(7000, Activity::InAConference);
    for calls in [[phone(), conference()], [conference(), phone()]] {
        let both = aggregate(&[&[machine(3500)][..], &calls].concat()).expect("a state");
        let token = both.activity().and_then(|activity| activity.token.clone());
        assert_eq!(
            (both.availability, token.as_deref()),
            (Some(7000), Some("in-a-conference")),
            "the busier one"
        );
    }
    let call = aggregate(&[machine(3500), phone()]).expect("a state");
    assert_eq!(call.activity().and_then(|activity| activity.token.as_deref()), Some("on-the-phone"));
    assert!(for_federated(&call).activities.is_empty() && for_federated(&call).availability == Some(6500));
}
