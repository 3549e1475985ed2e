//! What SIPE sends is read and understood: its publications, its subscriptions, and whom it lets see its user.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use presence_pidf::category::{Content, ExpireType, MemberKind, StateKind, parse_publish};
use presence_pidf::notifier::{Format, NewUsers, Notifier, NotifierConfig};
use presence_pidf::pidf::Reading;
use presence_pidf::provisioning::parse_request;
use presence_pidf::subscription::{
    BATCH_CONTENT_TYPE, BatchSubscription, CONTAINERS_CONTENT_TYPE, SetContainerMembers, parse_roaming_list,
};
use presence_pidf::{Body, Class};

const ONLINE: &[u8] = include_bytes!("vectors/sipe/publish-online.xml");
const CALL: &[u8] = include_bytes!("vectors/sipe/publish-call.xml");
const CALL_ENDED: &[u8] = include_bytes!("vectors/sipe/publish-call-ended.xml");
const USER_STATE: &[u8] = include_bytes!("vectors/sipe/publish-user-state.xml");
const CONTACTS: &[u8] = include_bytes!("vectors/sipe/subscribe-contacts.xml");
const OWN: &[u8] = include_bytes!("vectors/sipe/subscribe-own.xml");
const MEMBERS: &[u8] = include_bytes!("vectors/sipe/set-members.xml");
const PROVISIONING: &[u8] = include_bytes!("vectors/sipe/subscribe-provisioning.xml");

const ALICE: &str = "sip:alice@lab.test";
const BOB: &str = "sip:bob@lab.test";

#[test]
fn its_publications_are_typed() {
    let states = |body: &'static [u8]| -> Vec<(u16, StateKind<'static>, Option<u32>, ExpireType)> {
        let publish = parse_publish(body).expect("a publication of SIPE");
        assert_eq!(publish.uri, ALICE);
        let states = publish.publications.into_iter().filter_map(|publication| match publication.content {
            Content::State(state) => {
                Some((publication.container, state.kind, state.availability, publication.expire_type))
            }
            _ => None,
        });
        states.collect()
    };
    let (endpoint, fixed) = (ExpireType::Endpoint, ExpireType::Static);
    assert_eq!(
        states(ONLINE),
        [
            (2, StateKind::Machine, Some(3500), endpoint),
            (3, StateKind::Machine, Some(3500), endpoint),
            (2, StateKind::User, Some(3500), fixed),
            (3, StateKind::User, Some(3500), fixed)
        ]
    );
    assert_eq!(
        states(CALL),
        [(2, StateKind::Phone, Some(6500), endpoint), (3, StateKind::Phone, Some(6500), endpoint)]
    );
    assert_eq!(states(CALL_ENDED), []);
    let ended = parse_publish(CALL_ENDED).expect("a publication of SIPE");
    assert!(ended.publications.iter().all(|gone| gone.expires == Some(0) && gone.version == 1));
    let online = parse_publish(ONLINE).expect("a publication of SIPE");
    let Content::Device(device) = &online.publications[0].content else { panic!("{online:?}") };
    assert_eq!(device.endpoint_id, "a15780ab-975f-5b29-ada0-8b95adb48287");
    assert_eq!(
        device.capabilities.iter().map(|it| &*it.name).collect::<Vec<_>>(),
        ["text", "gifInk", "isfInk", "voice", "video"]
    );
    let chosen = parse_publish(USER_STATE).expect("a publication of SIPE");
    let notes = chosen.publications.iter().filter_map(|publication| match &publication.content {
        Content::Note(note) => Some((publication.container, note.bodies[0].text.as_ref())),
        _ => None,
    });
    let note = "In a lab meeting";
    assert_eq!(notes.collect::<Vec<_>>(), [(200, note), (300, note), (400, note)]);
}

#[test]
fn its_subscriptions_are_typed() {
    let batch = BatchSubscription::parse(CONTACTS).expect("a subscription of SIPE");
    assert_eq!((batch.uri.as_str(), batch.action.as_str(), batch.id), (ALICE, "subscribe", 63_792_024));
    assert_eq!(batch.contacts.iter().map(|contact| contact.uri.as_str()).collect::<Vec<_>>(), [BOB]);
    assert_eq!(batch.categories, ["calendarData", "contactCard", "note", "state"]);
    assert_eq!(
        parse_roaming_list(OWN).expect("a subscription of SIPE"),
        ["categories", "containers", "subscribers"]
    );
    let groups = parse_request(PROVISIONING).expect("a subscription of SIPE");
    assert_eq!(groups, ["ServerConfiguration", "meetingPolicy", "persistentChatConfiguration", "ucPolicy"]);
    let set = SetContainerMembers::parse(MEMBERS).expect("containers of SIPE");
    let kinds: Vec<_> = set
        .containers
        .iter()
        .map(|(id, version, changes)| (*id, *version, changes[0].member.kind.clone()))
        .collect();
    assert_eq!(kinds, [(200, 0, MemberKind::SameEnterprise), (100, 0, MemberKind::Federated)]);
}

#[test]
fn its_bodies_are_told_apart_by_their_content_types() {
    for (content_type, body) in [
        ("application/msrtc-category-publish+xml", ONLINE),
        ("application/msrtc-category-publish+xml", CALL_ENDED),
        (BATCH_CONTENT_TYPE, CONTACTS),
        (CONTAINERS_CONTENT_TYPE, MEMBERS),
    ] {
        for content_type in [Some(content_type), None] {
            let read = Body::parse(content_type, body, Reading::Strict);
            assert!(read.is_ok(), "{content_type:?}: {read:?}");
        }
    }
}

/// Alice's day as SIPE told it to a server, told to ours: what Bob sees of it.
#[test]
#[expect(clippy::disallowed_methods, reason = "tests read the clock as their origin")]
fn its_day_is_understood_by_the_notifier() {
    let now = Instant::now();
    let mut config = NotifierConfig::new("lab.test");
    config.new_users = NewUsers::NeverLoggedOn;
    let mut server = Notifier::new(now, config);
    let sees = |server: &Notifier| {
        let seen = server.seen(BOB, ALICE);
        let state = seen.state().cloned();
        let activity = state.as_ref().and_then(|state| state.activity()?.token.clone());
        state.map(|state| (state.availability.map(Class::of), activity))
    };
    server.subscribe_own(ALICE, OWN).expect("a subscription of SIPE");
    server.subscribe(ALICE, ALICE, Format::Categories, CONTACTS).expect("a subscription of SIPE");
    let mut out = BytesMut::new();
    let told = std::iter::from_fn(|| server.poll_transmit(&mut out)).map(|transmit| transmit.content_type);
    assert_eq!(told.collect::<Vec<_>>().len(), 2);
    server.publish(now, ALICE, "pc", ONLINE).expect("a publication of SIPE");
    assert_eq!(sees(&server), None, "before the first log-on is made up for");
    server.set_members(now, ALICE, MEMBERS).expect("containers of SIPE");
    assert_eq!(sees(&server), Some((Some(Class::Available), None)));
    server.publish(now, ALICE, "pc", CALL).expect("a publication of SIPE");
    assert_eq!(sees(&server), Some((Some(Class::Busy), Some("on-the-phone".into()))));
    server.publish(now, ALICE, "pc", CALL_ENDED).expect("a publication of SIPE");
    assert_eq!(sees(&server), Some((Some(Class::Available), None)));
    let refusal = server.publish(now, ALICE, "pc", ONLINE).expect_err("the versions are old");
    assert_eq!(refusal.status(), 409);
    server.endpoint_gone(now + Duration::from_secs(1), ALICE, "pc", true);
    assert_eq!(sees(&server), Some((Some(Class::Offline), None)), "though what the user chose stays");
}
