//! The notifier of simulators: containers, members, versions, one state of many, and who is told what.

#[path = "support/clock.rs"]
mod clock;

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use bytes::BytesMut;
use presence_pidf::category::{
    CategoryInstance, CategoryPublish, Container, Content, DeviceCategory, EventCategories, ExpireType,
    Fault, Member, MemberKind, NoteBody, NoteCategory, PublishedActivity, RoamingData, StateCategory,
    StateKind, Subscriber,
};
use presence_pidf::contacts::Contacts;
use presence_pidf::msrtc::Presentity;
use presence_pidf::notifier::{
    Accepted, Format, NewUsers, Notifier, NotifierConfig, Refusal, SubscriptionId, level, services,
};
use presence_pidf::own_presence::OwnPresence;
use presence_pidf::pidf::{Basic, Presence, Reading};
use presence_pidf::rlmi::{ContactPresence, ListNotification};
use presence_pidf::rpid::Activity as RpidActivity;
use presence_pidf::subscription::{BatchSubscription, MemberChange, SetContainerMembers, emit_acknowledged};
use presence_pidf::{Activity, bootstrap};

const JIM: &str = "sip:jim@example.net";
const ANN: &str = "sip:ann@example.net";
const EVE: &str = "sip:eve@elsewhere.example";

/// A user, and the categories that are told of it with their numbers.
type Seen = (String, Vec<(String, Option<u32>)>);

struct Server {
    start: Instant,
    notifier: Notifier,
}

impl Server {
    fn new(new_users: NewUsers) -> Self {
        let start = clock::origin();
        let mut config = NotifierConfig::new("Example.NET");
        config.new_users = new_users;
        config.wall_clock = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        Self { start, notifier: Notifier::new(start, config) }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn publish(
        &mut self,
        at: u64,
        user: &str,
        publications: Vec<CategoryInstance<'_>>,
    ) -> Result<Accepted, Refusal> {
        let mut body = BytesMut::new();
        CategoryPublish { uri: user.into(), publications }.emit(&mut body);
        let now = self.at(at);
        self.notifier.publish(now, user, "endpoint", &body)
    }

    fn machine(&mut self, at: u64, user: &str, availability: u16) {
        let version = |notifier: &Notifier, container| {
            let mut held = notifier.publications(user);
            held.find(|held| held.instance == 7 && held.container == container).map_or(0, |held| held.version)
        };
        let publications = [2, 3].map(|container| CategoryInstance {
            version: version(&self.notifier, container),
            ..CategoryInstance::state(7, container, StateCategory::machine(availability))
        });
        self.publish(at, user, publications.into()).expect("the current versions");
    }

    /// All notifications that wait.
    fn told(&mut self) -> Vec<(SubscriptionId, String, Vec<u8>)> {
        let mut told = Vec::new();
        let mut out = BytesMut::new();
        while let Some(transmit) = self.notifier.poll_transmit(&mut out) {
            let body = out.split().to_vec();
            assert_eq!(transmit.size, body.len());
            told.push((transmit.subscription, transmit.content_type, body));
        }
        told
    }

    /// The notifications as categories.
    fn seen(&mut self) -> Vec<Seen> {
        self.told()
            .into_iter()
            .map(|(_, content_type, body)| {
                assert_eq!(content_type, "application/msrtc-event-categories+xml");
                let seen = EventCategories::parse(&body).expect("our own body").into_owned();
                let category = |category: presence_pidf::category::WatchedCategory<'_>| match category.content
                {
                    Content::State(state) => (category.name.into_owned(), state.availability),
                    _ => (category.name.into_owned(), None),
                };
                (seen.uri.into_owned(), seen.categories.into_iter().map(category).collect())
            })
            .collect()
    }

    fn members(
        &mut self,
        user: &str,
        id: u16,
        version: u32,
        member: Member,
        joins: bool,
    ) -> Result<(), Refusal> {
        let mut body = BytesMut::new();
        SetContainerMembers { containers: vec![(id, version, vec![MemberChange { joins, member }])] }
            .emit(&mut body);
        let now = self.at(0);
        self.notifier.set_members(now, user, &body)
    }
}

fn availability(seen: &EventCategories<'_>) -> Option<u32> {
    seen.state().and_then(|state| state.availability)
}

fn phone(version: u32, container: u16) -> CategoryInstance<'static> {
    let state = StateCategory::phone(6500, Activity::OnThePhone);
    CategoryInstance { version, ..CategoryInstance::state(8, container, state) }
}

#[test]
fn a_publication_names_the_version_that_it_replaces_or_nothing_of_the_request_is_taken() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    let machine = |version, container, number| CategoryInstance {
        version,
        ..CategoryInstance::state(7, container, StateCategory::machine(number))
    };
    let first = server.publish(0, JIM, vec![machine(0, 2, 3500), machine(0, 3, 3500)]).expect("new ones");
    assert_eq!(first.changed.iter().map(|held| held.version).collect::<Vec<_>>(), [1, 1]);
    let refusal =
        server.publish(1, JIM, vec![machine(1, 2, 5000), machine(7, 3, 5000)]).expect_err("one is wrong");
    assert_eq!(refusal.status(), 409);
    let mut body = BytesMut::new();
    assert_eq!(refusal.emit(&mut body), Some("application/msrtc-fault+xml"));
    let fault = Fault::parse(&body).expect("a fault");
    let [conflict] = &fault.conflicts[..] else { panic!("{fault:?}") };
    assert_eq!((conflict.index, conflict.version, conflict.current), (2, 7, 1));
    let kept: Vec<_> = server.notifier.publications(JIM).map(|held| held.version).collect();
    assert_eq!(kept, [1, 1], "nothing of it was taken");
    // A deletion names the version as well, and leaves nothing.
    let gone =
        server.publish(2, JIM, vec![machine(1, 2, 0).deleted(), machine(1, 3, 0).deleted()]).expect("known");
    assert_eq!(gone.report.gone, [("state".into(), None)]);
    assert_eq!(server.notifier.publications(JIM).count(), 0);
    server.publish(3, JIM, vec![machine(0, 2, 3500)]).expect("from the beginning");
}

#[test]
fn the_answer_tells_everything_of_the_names_that_were_published() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    let accepted = server.publish(1, JIM, vec![phone(0, 2)]).expect("a new one");
    assert_eq!(accepted.changed.len(), 1);
    // Whoever reads it drops what is known of a name first: the other state must be in it.
    let mut own = OwnPresence::new(JIM);
    own.take(server.notifier.roaming_data(JIM));
    own.take(RoamingData { categories: Some(accepted.report), ..RoamingData::default() });
    assert_eq!(own.categories().count(), 3);
}

#[test]
fn bodies_of_others_and_broken_ones_are_refused() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    let now = server.at(0);
    let mut body = BytesMut::new();
    CategoryPublish { uri: ANN.into(), publications: vec![phone(0, 2)] }.emit(&mut body);
    assert_eq!(server.notifier.publish(now, JIM, "e", &body), Err(Refusal::AnotherUser));
    let refusal =
        server.notifier.publish(now, JIM, "e", b"<!DOCTYPE publish><publish/>").expect_err("hostile");
    assert_eq!((refusal.status(), refusal.reason()), (400, "the body cannot be read"));
    assert_eq!(server.notifier.set_members(now, JIM, b"<a/>").map_err(|refusal| refusal.status()), Err(400));
    assert_eq!(server.notifier.acknowledge(now, JIM, b"<a/>").map_err(|refusal| refusal.status()), Err(400));
    let everyone = Member { kind: MemberKind::Everyone, value: None };
    assert_eq!(server.members(JIM, 2, 0, everyone.clone(), true), Err(Refusal::NoContainer));
    assert_eq!(server.members(JIM, 200, 0, everyone.clone(), true), Err(Refusal::ContainerVersion));
    assert_eq!(server.members(JIM, 200, 1, everyone, true), Ok(()));
    let list =
        b"<batchSub xmlns='http://schemas.microsoft.com/2006/01/sip/batch-subscribe' uri='sip:a@b' name=''>\
        <action name='subscribe' id='1'><adhocList><resource uri='nobody'/></adhocList></action></batchSub>";
    let refusal = server.notifier.subscribe(JIM, JIM, Format::Categories, list).expect_err("no address");
    assert_eq!(refusal.status(), 400);
    assert_eq!(server.told(), [], "a refused subscription is none");
}

#[test]
fn a_user_publishes_no_more_than_may_be_held() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    let many = |from: u32, to: u32| -> Vec<CategoryInstance<'_>> {
        (from..to)
            .map(|instance| {
                CategoryInstance::new("note", instance, 2, Content::Note(NoteCategory::default()))
            })
            .collect()
    };
    server.publish(0, JIM, many(0, 1000)).expect("new ones");
    server.publish(0, JIM, many(1000, 2000)).expect("as many as may be");
    let refusal = server.publish(1, JIM, many(2000, 2001)).expect_err("one more");
    assert_eq!((refusal.status(), server.notifier.publications(JIM).count()), (413, 2000));
    server.publish(1, ANN, many(0, 1)).expect("everybody for oneself");
}

#[test]
fn publications_end_with_what_they_are_bound_to() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    let of = |instance, expire_type, expires| CategoryInstance {
        expire_type,
        expires,
        ..CategoryInstance::state(instance, 2, StateCategory::machine(3500))
    };
    let all = vec![
        of(1, ExpireType::Endpoint, None),
        of(2, ExpireType::User, None),
        of(3, ExpireType::Static, None),
        of(4, ExpireType::Time, Some(60)),
    ];
    server.publish(0, JIM, all).expect("new ones");
    let left = |server: &Server| -> Vec<u32> {
        server.notifier.publications(JIM).map(|held| held.instance).collect()
    };
    assert_eq!(server.notifier.poll_timeout(), Some(server.at(60)));
    let now = server.at(59);
    server.notifier.handle_timeout(now);
    assert_eq!(left(&server), [1, 2, 3, 4]);
    let now = server.at(60);
    server.notifier.handle_timeout(now);
    assert_eq!(left(&server), [1, 2, 3]);
    server.notifier.endpoint_gone(now, JIM, "another endpoint", false);
    assert_eq!(left(&server), [1, 2, 3]);
    server.notifier.endpoint_gone(now, JIM, "endpoint", false);
    assert_eq!(left(&server), [2, 3]);
    server.notifier.endpoint_gone(now, JIM, "another endpoint", true);
    assert_eq!(left(&server), [3]);
    assert_eq!(server.notifier.poll_timeout(), None);
}

#[test]
fn a_watcher_sees_a_user_from_its_container() {
    let containers = |of: &[(u16, MemberKind, &str)]| -> Vec<Container> {
        [0, 100, 200, 300, 400, 32000]
            .map(|id| Container {
                id,
                version: 1,
                members: of
                    .iter()
                    .filter(|(member, ..)| *member == id)
                    .map(|(_, kind, value)| Member {
                        kind: kind.clone(),
                        value: (!value.is_empty()).then(|| (*value).to_owned()),
                    })
                    .collect(),
            })
            .into()
    };
    let of = |all: &[(u16, MemberKind, &str)], watcher: &str| {
        let containers = containers(all);
        level(|id| containers.iter().find(|container| container.id == id), watcher, "example.net")
    };
    let usual = [(200, MemberKind::SameEnterprise, ""), (100, MemberKind::Federated, "")];
    assert_eq!(of(&[], "ann@example.net"), None);
    assert_eq!(of(&usual, "ann@example.net"), Some(200));
    assert_eq!(of(&usual, "eve@elsewhere.example"), Some(100));
    // An address counts before a domain, a domain before the company, and being blocked before everything.
    let mut all = usual.to_vec();
    all.push((300, MemberKind::Domain, "example.net"));
    assert_eq!(of(&all, "ann@example.net"), Some(300));
    all.push((100, MemberKind::User, "ann@example.net"));
    assert_eq!(of(&all, "ann@example.net"), Some(100));
    all.push((400, MemberKind::User, "Ann@Example.NET"));
    assert_eq!(of(&all, "ann@example.net"), Some(400));
    all.push((32000, MemberKind::User, "sip:ann@example.net"));
    assert_eq!(of(&all, "ann@example.net"), Some(32000));
    assert_eq!(of(&[(200, MemberKind::Everyone, "")], "eve@elsewhere.example"), Some(200));
    assert_eq!(of(&[(100, MemberKind::PublicCloud, "")], "eve@elsewhere.example"), Some(100));
    assert_eq!(of(&[(100, MemberKind::PublicCloud, "")], "ann@example.net"), None);
}

#[test]
fn what_is_seen_depends_on_the_container() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    server.publish(1, JIM, vec![phone(0, 2)]).expect("a call in the first container alone");
    let seen = |server: &Server, watcher: &str| {
        let seen = server.notifier.seen(watcher, JIM);
        let activity = seen.state().and_then(StateCategory::activity);
        (availability(&seen), activity.and_then(|activity| activity.token.clone().map(Cow::into_owned)))
    };
    let phone = Some("on-the-phone".to_owned());
    assert_eq!(seen(&server, ANN), (Some(6500), phone.clone()), "a colleague");
    assert_eq!(seen(&server, EVE), (Some(6500), None), "who is federated sees the number alone");
    assert_eq!(seen(&server, JIM), (Some(6500), phone), "the user itself");
    let ann = || Member { kind: MemberKind::User, value: Some("ann@example.net".to_owned()) };
    server.members(JIM, 300, 0, ann(), true).expect("the current version");
    assert_eq!(seen(&server, ANN), (Some(3500), None), "the second container has no call");
    server.members(JIM, 32000, 0, ann(), true).expect("the current version");
    assert_eq!(seen(&server, ANN), (Some(18500), None), "who is blocked sees nobody");
    server.members(JIM, 32000, 1, ann(), false).expect("the current version");
    assert_eq!(seen(&server, ANN), (Some(3500), None));
}

#[test]
fn devices_make_one_service_and_remarks_are_shown_where_they_were_published() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    let device = DeviceCategory::telephone("7e2d4b57-ec36-55d1-a6a3-1b36c86ec1b8");
    let body = NoteBody { kind: "personal".into(), text: "back at two".into(), ..NoteBody::default() };
    let note = NoteCategory { bodies: vec![body] };
    let publications = vec![
        CategoryInstance::new("device", 9, 2, Content::Device(device)),
        CategoryInstance::new("note", 0, 200, Content::Note(note)),
    ];
    server.publish(0, JIM, publications).expect("new ones");
    server.machine(0, JIM, 3500);
    let mut contacts = Contacts::default();
    contacts.take(server.notifier.seen(ANN, JIM));
    let state = contacts.state(JIM).expect("something was told");
    assert!(state.voice_only, "a telephone");
    assert_eq!(state.note.as_deref(), Some("back at two"));
    let federated = server.notifier.seen(EVE, JIM);
    let names: Vec<_> = federated.categories.iter().map(|category| &*category.name).collect();
    assert_eq!(names, ["state"], "strangers see a number");
}

#[test]
fn of_several_devices_the_one_that_is_used_most_is_preferred() {
    let device = |instance: u32, endpoint: &'static str, preferred: bool| {
        let device = DeviceCategory { preferred, ..DeviceCategory::telephone(endpoint) };
        CategoryInstance::new("device", instance, 2, Content::Device(device))
    };
    // A machine belongs to the device from whose number its own follows.
    let machine = |device: u32, container: u16, availability: u16| {
        CategoryInstance::state((device >> 4) | 0x3000_0000, container, StateCategory::machine(availability))
    };
    let preferred = |publications: &[CategoryInstance<'static>]| {
        let all = services("jim@example.net", publications.iter());
        let voice = all.services[0].capabilities.iter().find(|found| found.capability.name == "voice");
        voice.map(|voice| (voice.preferred_endpoint.clone().unwrap_or_default(), voice.device_availability))
    };
    let (one, two) = (0x0102_0304, 0x1122_3344);
    let mut all = vec![device(one, "one", false), device(two, "two", false)];
    assert_eq!(preferred(&all), Some(("one".into(), None)), "nothing is known of their machines");
    all.push(machine(two, 3, 3500));
    assert_eq!(preferred(&all), Some(("one".into(), None)), "another container");
    all.push(machine(two, 2, 15500));
    assert_eq!(preferred(&all), Some(("two".into(), Some(15500))));
    all.push(machine(one, 2, 5000));
    assert_eq!(preferred(&all), Some(("one".into(), Some(5000))));
    all[1] = device(two, "two", true);
    assert_eq!(preferred(&all), Some(("two".into(), Some(15500))), "its user wants it");
    let text = services("jim@example.net", all.iter());
    let text = text.services[0].capabilities.iter().find(|found| found.capability.name == "text");
    assert_eq!(
        text.map(|text| (text.capability.render, text.preferred_endpoint.clone())),
        Some((false, None))
    );
}

#[test]
fn a_user_who_never_logged_on_is_seen_by_nobody_until_the_first_log_on_is_made_up_for() {
    let mut server = Server::new(NewUsers::NeverLoggedOn);
    server.machine(0, JIM, 3500);
    for watcher in [ANN, EVE] {
        assert_eq!(server.notifier.seen(watcher, JIM).categories, []);
    }
    let mut own = OwnPresence::new(JIM);
    own.take(server.notifier.roaming_data(JIM));
    let mut body = BytesMut::new();
    bootstrap::missing_members(&own, bootstrap::Privacy::Open).expect("two are missing").emit(&mut body);
    let now = server.at(1);
    server.notifier.set_members(now, JIM, &body).expect("the versions are current");
    let defaults = bootstrap::missing_defaults(&own);
    assert_eq!(defaults.len(), 13);
    server.publish(1, JIM, defaults).expect("nothing is there");
    assert_eq!(availability(&server.notifier.seen(ANN, JIM)), Some(3500));
    assert_eq!(availability(&server.notifier.seen(EVE, JIM)), Some(3500));
    // Once is enough.
    own.take(server.notifier.roaming_data(JIM));
    assert_eq!(bootstrap::missing_members(&own, bootstrap::Privacy::Open), None);
    assert_eq!(bootstrap::missing_defaults(&own), []);
}

#[test]
fn a_batched_subscription_is_told_all_at_once_and_then_what_changes() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    let mut body = BytesMut::new();
    BatchSubscription::of(ANN, 1, &[JIM, EVE]).emit(&mut body);
    let id = server.notifier.subscribe(ANN, ANN, Format::Categories, &body).expect("a list");
    assert_eq!(server.notifier.contacts(id).len(), 2);
    let told = server.told();
    let [(to, content_type, body)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*to, id);
    let list = ListNotification::parse(content_type, body).expect("a list of contacts");
    assert!(list.list.full_state);
    assert_eq!(list.list.resources.len(), 2);
    let states: Vec<_> = list
        .contacts
        .iter()
        .map(|contact| match contact {
            ContactPresence::Categories(seen) => (&*seen.uri, availability(seen)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(states, [("sip:eve@elsewhere.example", Some(18500)), (JIM, Some(3500))]);
    // The same again is no news; a change is told of the one contact alone.
    server.machine(5, JIM, 3500);
    assert_eq!(server.seen(), []);
    server.machine(6, JIM, 15500);
    assert_eq!(server.seen(), [(JIM.to_owned(), vec![("state".to_owned(), Some(15500))])]);
    let away = server.notifier.seen(ANN, JIM);
    let last_active = away.state().and_then(|state| state.last_active).map(|time| time.to_string());
    assert_eq!(last_active.as_deref(), Some("1970-01-02T00:00:06Z"), "the base of how long somebody is away");
    server.machine(8, JIM, 18500);
    let gone = server.notifier.seen(ANN, JIM);
    let still = gone.state().and_then(|state| state.last_active).map(|time| time.to_string());
    assert_eq!(still, last_active, "away is not active");
    server.machine(9, JIM, 3500);
    server.machine(20, JIM, 15500);
    let away = server.notifier.seen(ANN, JIM);
    let last_active = away.state().and_then(|state| state.last_active).map(|time| time.to_string());
    assert_eq!(last_active.as_deref(), Some("1970-01-02T00:00:20Z"), "and begins anew");
    server.told();
    // Contacts leave the list.
    let mut body = BytesMut::new();
    let leave =
        BatchSubscription { action: "unsubscribe".to_owned(), ..BatchSubscription::of(ANN, 1, &[JIM]) };
    leave.emit(&mut body);
    server.notifier.subscribe_again(id, ANN, &body).expect("a list");
    server.told();
    server.machine(21, JIM, 3500);
    assert_eq!(server.seen(), []);
    server.notifier.unsubscribe(id);
    assert!(server.notifier.contacts(id).is_empty());
    let mut gone = BytesMut::new();
    assert_eq!(server.notifier.poll_transmit(&mut gone), None);
}

#[test]
fn only_what_is_wanted_is_told_and_what_has_gone_as_well() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    let note = |version| {
        let body = NoteBody { text: "back at two".into(), ..NoteBody::default() };
        let content = Content::Note(NoteCategory { bodies: vec![body] });
        CategoryInstance { version, ..CategoryInstance::new("note", 0, 200, content) }
    };
    let device = DeviceCategory::telephone("7e2d4b57-ec36-55d1-a6a3-1b36c86ec1b8");
    let device = CategoryInstance::new("device", 9, 2, Content::Device(device));
    server.publish(0, JIM, vec![note(0), device]).expect("new ones");
    let mut body = BytesMut::new();
    let wanted = BatchSubscription {
        categories: vec!["note".to_owned(), "state".to_owned()],
        ..BatchSubscription::of(ANN, 1, &[JIM])
    };
    wanted.emit(&mut body);
    server.notifier.subscribe(ANN, ANN, Format::Categories, &body).expect("a list");
    let told = server.told();
    let list = ListNotification::parse(&told[0].1, &told[0].2).expect("a list of contacts");
    let ContactPresence::Categories(first) = &list.contacts[0] else { panic!("{list:?}") };
    let names: Vec<_> = first.categories.iter().map(|category| &*category.name).collect();
    assert_eq!(names, ["note", "state"], "no services");
    let mut contacts = Contacts::default();
    contacts.take_list(list);
    assert_eq!(contacts.state(JIM).and_then(|shown| shown.note).as_deref(), Some("back at two"));
    server.publish(1, JIM, vec![note(1).deleted()]).expect("the current version");
    for (.., body) in server.told() {
        contacts.take(EventCategories::parse(&body).expect("our own body"));
    }
    let shown = contacts.state(JIM).expect("a state");
    assert_eq!(
        (shown.note, shown.availability),
        (None, Some(3500)),
        "a remark that is gone is told to be gone"
    );
}

#[test]
fn every_state_has_its_numbers_and_its_plain_document() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    let numbers = server.notifier.subscribe(ANN, JIM, Format::Presentity, b"").expect("one contact");
    server.notifier.subscribe(ANN, JIM, Format::Pidf, b"").expect("one contact");
    let user = |version, availability, token: Option<&'static str>| {
        let mut state = StateCategory::user(availability);
        state.activities.extend(token.map(|token| PublishedActivity {
            token: Some(token.into()),
            ..StateCategory::phone(availability, Activity::OnThePhone).activities.remove(0)
        }));
        state.kind = if token.is_some() { StateKind::Calendar } else { StateKind::User };
        CategoryInstance { version, ..CategoryInstance::state(20, 2, state) }
    };
    let mut seen = Vec::new();
    let states = [
        (5000, None),
        (6500, None),
        (6500, Some("in-a-conference")),
        (6500, Some("in-a-meeting")),
        (9500, None),
        (12500, None),
        (15500, None),
    ];
    for (version, (availability, token)) in (0..).zip(states) {
        server.publish(1, JIM, vec![user(version, availability, token)]).expect("the current version");
        for (id, _, body) in server.told() {
            if id == numbers {
                let read = Presentity::parse(&body).expect("our own body");
                seen.push((availability, format!("{:?} {:?}", read.availability, read.activity)));
            } else {
                let read = Presence::parse(&body, Reading::Strict).expect("our own body");
                let said = read.person().into_iter().flat_map(|person| &person.activities);
                let said: Vec<_> = said.flat_map(|list| &list.activities).map(RpidActivity::token).collect();
                seen.push((availability, format!("{:?} {}", read.basic().map(Basic::token), said.join(" "))));
            }
        }
    }
    server.notifier.endpoint_gone(server.start, JIM, "endpoint", true);
    for (id, _, body) in server.told() {
        let text = if id == numbers {
            format!("{:?}", Presentity::parse(&body).expect("our own body").activity)
        } else {
            format!("{:?}", Presence::parse(&body, Reading::Strict).expect("our own body").basic())
        };
        seen.push((18500, text));
    }
    let seen: Vec<_> = seen.iter().map(|(availability, text)| (*availability, text.as_str())).collect();
    assert_eq!(
        seen,
        [
            (5000, "Some(300) Some(200)"),
            (5000, "Some(\"open\") "),
            (6500, "Some(300) Some(600)"),
            (6500, "Some(\"open\") busy"),
            (6500, "Some(300) Some(500)"),
            (6500, "Some(\"open\") on-the-phone meeting"),
            (6500, "Some(300) Some(600)"),
            (6500, "Some(\"open\") meeting"),
            (9500, "Some(300) Some(600)"),
            (9500, "Some(\"open\") busy"),
            (12500, "Some(300) Some(300)"),
            (12500, "Some(\"open\") away"),
            (15500, "Some(300) Some(100)"),
            (15500, "Some(\"open\") away"),
            (18500, "Some(0)"),
            (18500, "Some(Closed)")
        ]
    );
}

#[test]
fn many_changes_before_they_are_fetched_are_one_notification() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    server.notifier.subscribe(ANN, JIM, Format::Categories, b"").expect("one contact");
    assert_eq!(server.seen().len(), 1);
    for availability in [5000, 15500, 3500, 5000] {
        server.machine(1, JIM, availability);
    }
    assert_eq!(server.seen(), [(JIM.to_owned(), vec![("state".to_owned(), Some(5000))])]);
}

#[test]
fn a_change_of_members_is_told_to_those_it_concerns() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.machine(0, JIM, 3500);
    server.notifier.subscribe(ANN, JIM, Format::Categories, b"").expect("one contact");
    server.notifier.subscribe(EVE, JIM, Format::Categories, b"").expect("one contact");
    assert_eq!(server.seen().len(), 2);
    let ann = Member { kind: MemberKind::User, value: Some("ann@example.net".to_owned()) };
    server.members(JIM, 32000, 0, ann, true).expect("the current version");
    assert_eq!(server.seen(), [(JIM.to_owned(), vec![("state".to_owned(), Some(18500))])]);
}

#[test]
fn older_watchers_are_told_in_their_formats() {
    let format = |accepted: &[&str]| Format::of(accepted.iter().copied());
    let all = ["application/pidf+xml", "Text/XML+msrtc.pidf;q=0.1", "application/msrtc-event-categories+xml"];
    assert_eq!(format(&all), Some(Format::Categories), "the richest, whatever the order");
    assert_eq!(format(&all[..2]), Some(Format::Presentity));
    assert_eq!(format(&all[..1]), Some(Format::Pidf));
    assert_eq!(format(&[]), Some(Format::Pidf));
    assert_eq!(format(&["text/plain"]), None);
    assert_eq!(Refusal::Format.status(), 406);

    let mut server = Server::new(NewUsers::LoggedOnBefore);
    let numbers = server.notifier.subscribe(ANN, JIM, Format::Presentity, b"").expect("one contact");
    let plain = server.notifier.subscribe(ANN, JIM, Format::Pidf, b"").expect("one contact");
    server.told();
    let mut seen = Vec::new();
    let mut call = |server: &mut Server, at: u64, machine: u16, publications: Vec<CategoryInstance<'_>>| {
        if machine != 0 {
            server.machine(at, JIM, machine);
        }
        server.publish(at, JIM, publications).expect("the current versions");
        for (id, content_type, body) in server.told() {
            if id == numbers {
                assert_eq!(content_type, "text/xml+msrtc.pidf");
                let read = Presentity::parse(&body).expect("our own body");
                seen.push(format!("{:?} {:?}", read.availability, read.activity_word()));
            } else {
                assert_eq!((id, content_type.as_str()), (plain, "application/pidf+xml"));
                let read = Presence::parse(&body, Reading::Strict).expect("our own body");
                let activities = read.person().map(|person| person.activities[0].activities.clone());
                let activities = activities.unwrap_or_default();
                let activities: Vec<_> =
                    activities.iter().map(|activity| activity.token().to_owned()).collect();
                seen.push(format!("{:?} {activities:?}", read.basic().map(Basic::token)));
            }
        }
    };
    call(&mut server, 0, 3500, vec![phone(0, 2)]);
    call(&mut server, 1, 15500, vec![phone(1, 2).deleted()]);
    assert_eq!(
        seen,
        [
            "Some(300) Some(\"on-the-phone\")",
            "Some(\"open\") [\"on-the-phone\"]",
            "Some(300) Some(\"away\")",
            "Some(\"open\") [\"away\"]"
        ]
    );
}

#[test]
fn a_user_is_told_of_its_own_publications_and_of_new_watchers() {
    let mut server = Server::new(NewUsers::LoggedOnBefore);
    server.notifier.subscribe_own(JIM, b"").expect("everything");
    let mut own = OwnPresence::new(JIM);
    let mut take = |server: &mut Server| {
        let mut parts = Vec::new();
        for (_, content_type, body) in server.told() {
            assert_eq!(content_type, "application/vnd-microsoft-roaming-self+xml");
            let data = RoamingData::parse(&body).expect("our own body");
            parts.push((data.categories.is_some(), data.containers.is_some(), data.subscribers.is_some()));
            own.take(data);
        }
        (parts, own.clone())
    };
    let (parts, own) = take(&mut server);
    assert_eq!(parts, [(true, true, true)]);
    assert!(own.has_member(&MemberKind::SameEnterprise) && own.has_member(&MemberKind::Federated));
    server.machine(1, JIM, 3500);
    let (parts, own) = take(&mut server);
    assert_eq!(parts, [(true, false, false)]);
    assert_eq!(own.category("state", 2, 7).map(|held| held.version), Some(1));
    server.notifier.subscribe(JIM, JIM, Format::Categories, b"").expect("oneself");
    server.notifier.subscribe(ANN, JIM, Format::Categories, b"").expect("one contact");
    let (_, own) = take_all(&mut server, own);
    let ann = Subscriber { user: "ann@example.net".to_owned(), display_name: None, acknowledged: false };
    assert_eq!(own.subscribers(), std::slice::from_ref(&ann));
    let mut body = BytesMut::new();
    emit_acknowledged(&[ANN], &mut body);
    let now = server.at(2);
    server.notifier.acknowledge(now, JIM, &body).expect("a good body");
    let subscribers = server.notifier.roaming_data(JIM).subscribers;
    assert_eq!(subscribers, Some(vec![Subscriber { acknowledged: true, ..ann }]));
}

/// Takes what is for the user itself, and passes over what is for watchers.
fn take_all(server: &mut Server, mut own: OwnPresence) -> (usize, OwnPresence) {
    let told = server.told();
    for (_, content_type, body) in &told {
        if content_type == "application/vnd-microsoft-roaming-self+xml" {
            own.take(RoamingData::parse(body).expect("our own body"));
        }
    }
    (told.len(), own)
}
