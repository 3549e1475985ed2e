//! Every kind of category with everything that it may say is read as it was written, and stands by itself when it is to be kept.

use bytes::BytesMut;
use presence_pidf::DateTime;
use presence_pidf::category::{
    AggregatedCapability, CategoryInstance, CategoryPublish, Content, DeviceCapability, DeviceCategory,
    ExpireType, MessageWaiting, NoteBody, NoteCategory, OpaqueContent, Phone, PublishedActivity,
    RoutingCategory, Service, ServicesCategory, StateCategory, StateKind, parse_publish,
};
use presence_pidf::category::{ContactCard, EventCategories, WatchedCategory};
use presence_pidf::watcherinfo::{Watcher, WatcherEvent, WatcherInfo, WatcherList, WatcherStatus};

/// Texts that have to be escaped, with blanks at their ends.
const TEXT: &str = " a <b> & \"c\" 'd' \u{e4} ";

fn date() -> Option<DateTime> {
    DateTime::parse("2026-11-23T08:09:10.125Z")
}

fn state() -> StateCategory<'static> {
    StateCategory {
        kind: StateKind::Other("laboratoryState".into()),
        manual: true,
        start_time: date(),
        last_active: date(),
        endpoint_id: Some(TEXT.into()),
        uri: Some(TEXT.into()),
        availability: Some(6500),
        activities: vec![PublishedActivity {
            token: Some("on-the-phone".into()),
            least: 6500,
            greatest: Some(8999),
            custom: vec![(1033, TEXT.into()), (1031, "Besprechung".into())],
        }],
        endpoint_location: Some(TEXT.into()),
        meeting_subject: Some(TEXT.into()),
        meeting_location: Some(TEXT.into()),
        time_zone_bias: Some(-60),
        time_zone_name: Some(TEXT.into()),
        time_zone_abbreviation: Some("CET".into()),
        device: Some("deskphone".into()),
    }
}

fn capability() -> DeviceCapability<'static> {
    DeviceCapability { name: "voice".into(), capture: true, render: true, publish: false }
}

fn contents() -> Vec<(&'static str, Content<'static>)> {
    let device = DeviceCategory {
        endpoint_id: "a15780ab-975f-5b29-ada0-8b95adb48287".into(),
        gruu: Some("sip:a@b;opaque=user:epid:x;gruu".into()),
        preferred: true,
        uri: Some("sip:a@b".into()),
        capabilities: vec![capability()],
        time_zone: Some("00:00:00+01:00".into()),
        machine_name: Some(TEXT.into()),
    };
    let aggregated = AggregatedCapability {
        capability: capability(),
        preferred_endpoint: Some("a15780ab".into()),
        device_availability: Some(5000),
    };
    let service = Service { uri: TEXT.into(), capabilities: vec![aggregated] };
    let card = ContactCard {
        display_name: Some(TEXT.into()),
        email: Some("a@b".into()),
        title: Some(TEXT.into()),
        company: Some(TEXT.into()),
        office: Some(TEXT.into()),
        phones: vec![Phone {
            kind: "work".into(),
            uri: Some("tel:+492841".into()),
            display: Some(TEXT.into()),
        }],
        automaton: Some(true),
    };
    let body = NoteBody {
        kind: "OOF".into(),
        uri: Some(TEXT.into()),
        start_time: date(),
        end_time: date(),
        text: TEXT.into(),
    };
    let routing = RoutingCategory {
        name: Some("rtcdefault".into()),
        version: Some("1".into()),
        flags: vec![("clientflags".into(), "block enablecf".into())],
        waits: vec![("user".into(), "20".into())],
        lists: vec![
            ("forwardto".into(), vec!["sip:b@c".into(), "tel:+1".into()]),
            ("team".into(), Vec::new()),
        ],
    };
    let opaque = OpaqueContent::parse(b"<x xmlns='u:x' a='1'>t<y/></x>").expect("an element");
    vec![
        ("state", Content::State(state())),
        ("device", Content::Device(device)),
        ("services", Content::Services(ServicesCategory { services: vec![service] })),
        ("contactCard", Content::ContactCard(card)),
        ("note", Content::Note(NoteCategory { bodies: vec![body] })),
        ("routing", Content::Routing(routing)),
        ("mwi", Content::MessageWaiting(MessageWaiting { waiting: true, unread: 3, read: 4 })),
        ("x", Content::Other(opaque)),
        ("gone", Content::Nothing),
    ]
}

#[test]
fn every_kind_of_category_is_read_as_it_was_written() {
    let rows = (1..).zip(contents()).map(|(instance, (name, content))| CategoryInstance {
        expire_type: ExpireType::Time,
        expires: Some(600),
        version: 7,
        ..CategoryInstance::new(name, instance, 400, content)
    });
    let publish = CategoryPublish { uri: "sip:a@b".into(), publications: rows.collect() };
    let mut body = BytesMut::new();
    publish.emit(&mut body);
    let read = parse_publish(&body).expect("our own body");
    assert_eq!(read, publish);
    let kept = read.into_owned();
    drop(body);
    assert_eq!(kept, publish, "what is kept needs its body no more");
}

#[test]
fn a_watcher_reads_every_kind_of_category_as_it_was_written() {
    let rows = (1..).zip(contents()).map(|(instance, (name, content))| WatchedCategory {
        name: name.into(),
        instance,
        publish_time: date(),
        content,
    });
    let seen = EventCategories { uri: "sip:a@b".into(), categories: rows.collect() };
    let mut body = BytesMut::new();
    seen.emit(&mut body);
    let read = EventCategories::parse(&body).expect("our own body");
    assert_eq!(read, seen);
    assert_eq!(read.state(), Some(&state()));
    let kept = read.into_owned();
    drop(body);
    assert_eq!(kept, seen, "what is kept needs its body no more");
}

#[test]
fn a_list_of_watchers_is_read_as_it_was_written() {
    let watcher = |id: &str, status, event| Watcher {
        uri: "sip:bob@example.net".to_owned(),
        id: id.to_owned(),
        status,
        event,
        expiration: Some(600),
        duration_subscribed: Some(5),
        display_name: Some(TEXT.trim().to_owned()),
    };
    let list =
        |watchers| WatcherList { resource: "sip:a@b".to_owned(), package: "presence".to_owned(), watchers };
    let lists = vec![
        list(vec![
            watcher("one", WatcherStatus::Active, WatcherEvent::Approved),
            watcher("two", WatcherStatus::Pending, WatcherEvent::Subscribe),
        ]),
        list(Vec::new()),
    ];
    for full in [true, false] {
        let info = WatcherInfo { version: 4, full, lists: lists.clone() };
        let mut body = BytesMut::new();
        info.emit(&mut body);
        assert_eq!(WatcherInfo::parse(&body), Ok(info));
    }
}

#[test]
fn of_several_availabilities_the_first_counts_even_if_nobody_understands_it() {
    let availability = |inside: &str| {
        let body = format!(
            "<categories xmlns='http://schemas.microsoft.com/2006/09/sip/categories' uri='sip:a@b'><category name='state' instance='1'>\
             <state xmlns='http://schemas.microsoft.com/2006/09/sip/state' xmlns:x='http://www.w3.org/2001/XMLSchema-instance' \
             x:type='userState'>{inside}</state></category></categories>"
        );
        let seen = EventCategories::parse(body.as_bytes()).expect("categories");
        seen.state().expect("a state").availability
    };
    let one = |text: &str| format!("<availability>{text}</availability>");
    assert_eq!(availability(&[one("5000"), one("9000")].concat()), Some(5000));
    assert_eq!(availability(&[one("soon"), one("9000")].concat()), None);
    assert_eq!(availability(&one("9000")), Some(9000));
}
