//! The publisher: every cell of its table, and what it sends when the server does what servers do.

#[path = "support/clock.rs"]
mod clock;
#[path = "support/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use presence_pidf::category::{
    CategoryInstance, CategoryPublish, CategoryReport, Content, DeviceCategory, ExpireType, Fault,
    StateCategory, VersionConflict, WRONG_DELTA, parse_publish,
};
use presence_pidf::publisher::{
    Event, Input, Pace, Publisher, PublisherConfig, PublisherState, PublisherTrigger, step,
};
use presence_pidf::{Activity, Instances, Phase, Publication};

const STATES: [PublisherState; 7] = [
    PublisherState::Unregistered,
    PublisherState::Starting,
    PublisherState::Ready,
    PublisherState::InFlight,
    PublisherState::Waiting,
    PublisherState::Blocked,
    PublisherState::Stopped,
];

const TRIGGERS: [PublisherTrigger; 11] = [
    PublisherTrigger::Registered,
    PublisherTrigger::RegistrationLost,
    PublisherTrigger::Changed,
    PublisherTrigger::Learned,
    PublisherTrigger::Deadline,
    PublisherTrigger::Sent,
    PublisherTrigger::Accepted,
    PublisherTrigger::Conflict,
    PublisherTrigger::ConflictsExhausted,
    PublisherTrigger::Refused,
    PublisherTrigger::Failed,
];

#[test]
fn the_table_in_the_documentation_is_the_code() {
    let about = "# States of a publisher\n\nWritten by `tests/publisher.rs` from the code (`UPDATE_STATES=1` writes it anew). A dash means \
         that the state stays.\n\nAll publications of a change go in one request, and there is one request at a time; what \
         changes meanwhile waits, and only the newest is sent. A new registration forgets what was bound to the old one: versions \
         begin at 0. After a conflict the server's versions are used; the fourth in a row waits for the server's next report. \
         Without an answer the newest state is tried again after 5, 10, 20 … 300 seconds. Endpoints of one server begin 20 a \
         second. What a report shows to be gone at the server is published anew, once in 5, 10, 20 … 300 seconds if it goes again and \
         again.";
    table::is_documented("publisher", about, &STATES, &TRIGGERS, step);
}

#[test]
fn every_state_is_reached_and_none_is_without_a_way_out() {
    let mut seen = BTreeSet::from([PublisherState::Unregistered]);
    let mut open = vec![PublisherState::Unregistered];
    while let Some(state) = open.pop() {
        let left = TRIGGERS.iter().any(|trigger| step(state, *trigger) != state);
        assert!(left, "{state:?} is never left");
        for trigger in TRIGGERS {
            let next = step(state, trigger);
            assert!(step(next, PublisherTrigger::RegistrationLost) == PublisherState::Unregistered);
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    assert_eq!(seen.len(), STATES.len());
}

const URI: &str = "sip:jim@example.net";
const EPID: &str = "0102030405";

/// A registered publisher with something to say.
fn ready(now: Instant, phase: Phase) -> Publisher {
    let mut publisher = Publisher::new(PublisherConfig::new(URI, EPID));
    publisher.publish(Publication::of(phase));
    publisher.registered(now);
    publisher.handle_timeout(now);
    publisher
}

fn request(publisher: &mut Publisher) -> Option<CategoryPublish<'static>> {
    let mut body = BytesMut::new();
    let transmit = publisher.poll_transmit(&mut body)?;
    assert_eq!(transmit.size, body.len());
    Some(parse_publish(&body).expect("our own body").into_owned())
}

fn accept(publisher: &mut Publisher, now: Instant, request: CategoryPublish<'static>) {
    let raised = |row: CategoryInstance<'static>| CategoryInstance { version: row.version + 1, ..row };
    let categories = request.publications.into_iter().map(raised).collect();
    let mut body = BytesMut::new();
    CategoryReport { uri: URI.into(), categories, gone: Vec::new() }.emit(&mut body);
    publisher.handle_input(now, Input::Answer { status: 200, body: &body });
}

fn conflict(publisher: &mut Publisher, now: Instant, rows: &[(usize, u32)]) {
    let conflicts =
        rows.iter().map(|(index, current)| VersionConflict { index: *index, version: 0, current: *current });
    let mut body = BytesMut::new();
    Fault { code: WRONG_DELTA.into(), conflicts: conflicts.collect() }.emit(&mut body);
    publisher.handle_input(now, Input::Answer { status: 409, body: &body });
}

fn rows(request: &CategoryPublish<'_>) -> Vec<(u32, u16, u32, bool)> {
    let row =
        |row: &CategoryInstance<'_>| (row.instance >> 28, row.container, row.version, row.expires == Some(0));
    request.publications.iter().map(row).collect()
}

#[test]
fn one_request_at_a_time_and_only_what_changed() {
    let now = clock::origin();
    let mut publisher = Publisher::new(PublisherConfig::new(URI, EPID));
    publisher.publish(Publication::of(Phase::Away));
    assert_eq!(request(&mut publisher), None, "not before it is registered");
    publisher.registered(now);
    publisher.handle_timeout(now);
    let first = request(&mut publisher).expect("the first publication");
    assert_eq!(rows(&first), [(3, 2, 0, false), (3, 3, 0, false)]);
    publisher.publish(Publication::of(Phase::InCall));
    publisher.publish(Publication::of(Phase::InConference));
    publisher.publish(Publication::of(Phase::InCall));
    assert_eq!(request(&mut publisher), None, "one request at a time");
    accept(&mut publisher, now, first);
    assert_eq!(publisher.poll_event(), None, "something else is to be published by now");
    let second = request(&mut publisher).expect("the call");
    assert_eq!(rows(&second), [(3, 2, 1, false), (3, 3, 1, false), (8, 2, 0, false), (8, 3, 0, false)]);
    accept(&mut publisher, now, second);
    assert_eq!(publisher.poll_event(), Some(Event::Published));
    publisher.publish(Publication::of(Phase::Available));
    let third = request(&mut publisher).expect("the end");
    assert_eq!(rows(&third), [(8, 2, 1, true), (8, 3, 1, true)], "the machine is as active as before");
    accept(&mut publisher, now, third);
    assert_eq!((request(&mut publisher), publisher.poll_timeout()), (None, None));
}

#[test]
fn a_server_that_reports_nothing_counts_as_we_do() {
    let now = clock::origin();
    let mut publisher = ready(now, Phase::Away);
    for (version, phase) in [(0, Phase::InCall), (1, Phase::Inactive), (2, Phase::Away)] {
        let request = request(&mut publisher).expect("another phase");
        let machine = request.publications.iter().filter(|row| row.instance >> 28 == 3);
        assert_eq!(machine.map(|row| row.version).collect::<Vec<_>>(), [version; 2]);
        publisher.handle_input(now, Input::Answer { status: 200, body: b"" });
        publisher.publish(Publication::of(phase));
    }
}

#[test]
fn a_report_about_somebody_else_teaches_nothing() {
    let now = clock::origin();
    let mut publisher = ready(now, Phase::Away);
    let machine = Instances::of(EPID).machine_state();
    let tell = |publisher: &mut Publisher, uri: &str| {
        let state = StateCategory::machine(3500);
        let held = CategoryInstance { version: 30, ..CategoryInstance::state(machine, 2, state) };
        let mut report = BytesMut::new();
        CategoryReport { uri: uri.into(), categories: vec![held], gone: Vec::new() }.emit(&mut report);
        publisher.handle_input(now, Input::Report(&report));
    };
    tell(&mut publisher, "sip:ann@example.net");
    let first = request(&mut publisher).expect("a publication");
    assert_eq!(rows(&first), [(3, 2, 0, false), (3, 3, 0, false)]);
    accept(&mut publisher, now, first);
    tell(&mut publisher, "sip:ann@example.net");
    assert_eq!(request(&mut publisher), None);
    tell(&mut publisher, "SIP:Jim@Example.NET");
    let again = request(&mut publisher).expect("somebody has written there, and one is gone");
    assert_eq!(rows(&again), [(3, 2, 30, false), (3, 3, 0, false)]);
}

#[test]
fn a_state_that_the_user_changes_elsewhere_stays_as_the_user_wants_it() {
    let now = clock::origin();
    let mut publisher = Publisher::new(PublisherConfig::new(URI, EPID));
    let mut silent = Publication::of(Phase::Away);
    silent.user = Some(9500);
    publisher.publish(silent);
    publisher.registered(now);
    publisher.handle_timeout(now);
    let first = request(&mut publisher).expect("everything");
    accept(&mut publisher, now, first.clone());
    let mut report = BytesMut::new();
    let changed = first.publications.into_iter().map(|row| match row.instance {
        0x2000_0000 => {
            CategoryInstance { version: 8, content: Content::State(StateCategory::user(3500)), ..row }
        }
        _ => CategoryInstance { version: 1, ..row },
    });
    CategoryReport { uri: URI.into(), categories: changed.collect(), gone: Vec::new() }.emit(&mut report);
    publisher.handle_input(now, Input::Report(&report));
    assert_eq!(request(&mut publisher), None, "the user has chosen");
    publisher.publish(Publication::of(Phase::Away));
    let end = request(&mut publisher).expect("the key for silence is off");
    assert_eq!(rows(&end), [(2, 2, 8, true), (2, 3, 8, true)], "with the version that is held");
}

#[test]
fn a_conflict_is_answered_with_the_servers_versions_three_times_and_then_waits_for_a_report() {
    let now = clock::origin();
    let mut publisher = ready(now, Phase::Away);
    for round in 1..=4 {
        let request = request(&mut publisher).expect("a try");
        assert_eq!(request.publications[0].version, 7 * (round - 1));
        assert_eq!(request.publications[1].version, 0, "only what was named conflicts");
        conflict(&mut publisher, now, &[(1, 7 * round), (0, 99), (3, 99)]);
    }
    assert_eq!((request(&mut publisher), publisher.state()), (None, PublisherState::Blocked));
    let mut report = BytesMut::new();
    let machine = Instances::of(EPID).machine_state();
    let held =
        CategoryInstance { version: 30, ..CategoryInstance::state(machine, 2, StateCategory::machine(3500)) };
    CategoryReport { uri: URI.into(), categories: vec![held], gone: Vec::new() }.emit(&mut report);
    publisher.handle_input(now, Input::Report(&report));
    let once = request(&mut publisher).expect("one more try");
    assert_eq!(once.publications[0].version, 30);
    conflict(&mut publisher, now, &[(1, 31)]);
    assert_eq!(publisher.state(), PublisherState::Blocked, "one and no more");
}

#[test]
fn after_a_conflict_nothing_is_taken_for_granted() {
    let now = clock::origin();
    let mut publisher = ready(now, Phase::Away);
    let first = request(&mut publisher).expect("a publication");
    accept(&mut publisher, now, first);
    publisher.publish(Publication::of(Phase::Available));
    request(&mut publisher).expect("another phase");
    // Somebody else has written into one of the two; what that was is not known.
    publisher.publish(Publication::of(Phase::Away));
    conflict(&mut publisher, now, &[(1, 9)]);
    let again = request(&mut publisher).expect("the server may hold anything");
    assert_eq!(rows(&again), [(3, 2, 9, false)], "the other one is as it was");
    accept(&mut publisher, now, again);
    assert_eq!((publisher.poll_event(), request(&mut publisher)), (Some(Event::Published), None));
    // What is to be deleted and is not there needs no deletion.
    publisher.publish(Publication::of(Phase::Removed));
    assert_eq!(rows(&request(&mut publisher).expect("the end")), [(3, 2, 10, true), (3, 3, 1, true)]);
    conflict(&mut publisher, now, &[(1, 0), (2, 0)]);
    assert_eq!((publisher.poll_event(), request(&mut publisher)), (Some(Event::Published), None));
}

#[test]
fn what_the_server_has_lost_is_published_anew_and_not_again_and_again() {
    let start = clock::origin();
    let mut config = PublisherConfig::new(URI, EPID);
    config.device = Some(DeviceCategory::telephone("a15780ab-975f-5b29-ada0-8b95adb48287"));
    let mut publisher = Publisher::new(config);
    let mut silent = Publication::of(Phase::InCall);
    silent.user = Some(9500);
    publisher.publish(silent);
    publisher.registered(start);
    publisher.handle_timeout(start);
    let first = request(&mut publisher).expect("everything");
    accept(&mut publisher, start, first);
    let of_another = |gone: &[(&str, Option<u16>)]| {
        let machine = CategoryInstance::state(0x3fff_ffff, 2, StateCategory::machine(3500));
        let gone = gone.iter().map(|(name, container)| ((*name).into(), *container)).collect();
        let mut report = BytesMut::new();
        CategoryReport { uri: URI.into(), categories: vec![machine], gone }.emit(&mut report);
        report
    };
    publisher.handle_input(start, Input::Report(&of_another(&[])));
    let again = request(&mut publisher).expect("a report that names states names all of them");
    assert_eq!(
        rows(&again),
        [(3, 2, 0, false), (3, 3, 0, false), (8, 2, 0, false), (8, 3, 0, false)],
        "not the device, of which nothing was said, and not what outlives the endpoint"
    );
    accept(&mut publisher, start, again);
    // A server that tells it again is believed ever more seldom.
    let mut believed = Vec::new();
    for second in 0..1000 {
        let now = start + Duration::from_secs(second);
        publisher.handle_input(now, Input::Report(&of_another(&[])));
        if let Some(again) = request(&mut publisher) {
            believed.push(second);
            accept(&mut publisher, now, again);
        }
    }
    assert_eq!(believed, [5, 15, 35, 75, 155, 315, 615, 915]);
    let now = start + Duration::from_secs(1300);
    let report = of_another(&[("device", Some(3)), ("device", None)]);
    publisher.handle_input(now, Input::Report(&report));
    let again = request(&mut publisher).expect("all of a name are gone");
    assert_eq!((again.publications.len(), again.publications[0].name.as_ref()), (5, "device"));
    accept(&mut publisher, now, again);
    // A new registration is believed at once, and a container is not the other one.
    publisher.registered(now);
    publisher.handle_timeout(now);
    let all = request(&mut publisher).expect("everything that was bound to the registration");
    assert_eq!(all.publications.len(), 5);
    accept(&mut publisher, now, all);
    let mut report = BytesMut::new();
    let gone = vec![("state".into(), Some(3)), ("device".into(), Some(3))];
    CategoryReport { uri: URI.into(), categories: Vec::new(), gone }.emit(&mut report);
    publisher.handle_input(now, Input::Report(&report));
    assert_eq!(rows(&request(&mut publisher).expect("a container")), [(3, 3, 0, false), (8, 3, 0, false)]);
}

#[test]
fn an_answer_that_cannot_be_understood_is_not_repeated_at_once() {
    let now = clock::origin();
    for body in [
        &b""[..],
        b"<Fault><Faultcode>Client.BadCall.Else</Faultcode></Fault>",
        b"<Fault",
        b"<Fault><details/></Fault>",
    ] {
        let mut publisher = ready(now, Phase::Away);
        request(&mut publisher).expect("a try");
        publisher.handle_input(now, Input::Answer { status: 409, body });
        assert_eq!(publisher.poll_event(), Some(Event::Refused(409)));
        assert_eq!((request(&mut publisher), publisher.poll_timeout()), (None, None));
        publisher.publish(Publication::of(Phase::Away));
        assert_eq!(request(&mut publisher), None, "the same would be refused again");
        publisher.publish(Publication::of(Phase::InCall));
        assert!(request(&mut publisher).is_some(), "something else may be taken");
    }
}

#[test]
fn failures_wait_ever_longer_and_then_send_what_is_current() {
    let now = clock::origin();
    let mut publisher = ready(now, Phase::Away);
    let mut at = now;
    let mut waits = Vec::new();
    for round in 0..9 {
        request(&mut publisher).expect("a try");
        let input = if round % 2 == 0 { Input::NoAnswer } else { Input::Answer { status: 503, body: b"" } };
        publisher.handle_input(at, input);
        publisher.publish(Publication::of(if round % 2 == 0 { Phase::InCall } else { Phase::Away }));
        assert_eq!(request(&mut publisher), None, "news do not shorten the wait");
        let deadline = publisher.poll_timeout().expect("a wait");
        waits.push((deadline - at).as_secs());
        publisher.handle_timeout(deadline.checked_sub(Duration::from_millis(1)).expect("a time"));
        assert_eq!(request(&mut publisher), None, "not early");
        at = deadline;
        publisher.handle_timeout(at);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    let current = request(&mut publisher).expect("a try");
    assert_eq!(rows(&current).len(), 4, "the call, not what was to be said before");
}

#[test]
fn a_new_registration_begins_at_version_0_and_an_unknown_endpoint_registers_again() {
    let now = clock::origin();
    let mut publisher = ready(now, Phase::InCall);
    let first = request(&mut publisher).expect("a publication");
    accept(&mut publisher, now, first);
    publisher.publish(Publication::of(Phase::Available));
    request(&mut publisher).expect("the end");
    publisher.handle_input(now, Input::Answer { status: 481, body: b"" });
    publisher.poll_event();
    assert_eq!(publisher.state(), PublisherState::Unregistered);
    publisher.registered(now + Duration::from_secs(1));
    publisher.handle_timeout(now);
    assert_eq!(request(&mut publisher), None, "its turn has not come");
    publisher.handle_timeout(now + Duration::from_secs(1));
    let again = request(&mut publisher).expect("everything anew");
    assert_eq!(rows(&again), [(3, 2, 0, false), (3, 3, 0, false)], "the call is gone with the registration");
}

#[test]
fn what_an_earlier_run_left_is_found_and_deleted_before_anything_is_said() {
    let now = clock::origin();
    let mut config = PublisherConfig::new(URI, EPID);
    config.learn_first = true;
    config.device = Some(DeviceCategory::telephone("a15780ab-975f-5b29-ada0-8b95adb48287"));
    let mut publisher = Publisher::new(config);
    publisher.publish(Publication::of(Phase::Away));
    publisher.registered(now);
    publisher.handle_timeout(now);
    assert_eq!(request(&mut publisher), None, "the server has not told yet");
    let instances = Instances::of(EPID);
    let row = |instance, container, version, content| CategoryInstance {
        version,
        ..CategoryInstance::new("state", instance, container, Content::State(content))
    };
    let categories = vec![
        row(instances.phone_state(), 2, 4, StateCategory::phone(6500, Activity::OnThePhone)),
        row(instances.machine_state(), 2, 9, StateCategory::machine(15500)),
        row(instances.machine_state(), 3, 8, StateCategory::machine(3500)),
        row(0x8fff_ffff, 2, 3, StateCategory::phone(6500, Activity::OnThePhone)),
        CategoryInstance {
            expire_type: ExpireType::Static,
            ..row(0x2000_0000, 2, 5, StateCategory::user(9500))
        },
    ];
    let mut report = BytesMut::new();
    CategoryReport { uri: URI.into(), categories, gone: Vec::new() }.emit(&mut report);
    publisher.handle_input(now, Input::Report(&report));
    let request = request(&mut publisher).expect("what differs");
    assert_eq!(request.publications[0].name, "device");
    assert_eq!(
        rows(&request)[1..],
        [(3, 3, 8, false), (8, 2, 4, true)],
        "neither another endpoint's nor the user's own state"
    );
}

#[test]
fn a_report_that_comes_before_its_turn_does_not_bring_the_turn_nearer() {
    let now = clock::origin();
    let mut config = PublisherConfig::new(URI, EPID);
    config.learn_first = true;
    let mut publisher = Publisher::new(config);
    publisher.publish(Publication::of(Phase::Away));
    let turn = now + Duration::from_secs(7);
    publisher.registered(turn);
    let mut report = BytesMut::new();
    CategoryReport { uri: URI.into(), categories: Vec::new(), gone: Vec::new() }.emit(&mut report);
    publisher.handle_input(now, Input::Report(&report));
    assert_eq!(request(&mut publisher), None, "others are before it");
    assert_eq!(publisher.poll_timeout(), Some(turn), "the report is not waited for any longer");
    publisher.handle_timeout(turn);
    assert!(request(&mut publisher).is_some());
}

#[test]
fn a_server_that_never_knows_the_endpoint_is_asked_less_and_less_often() {
    let mut now = clock::origin();
    let mut publisher = Publisher::new(PublisherConfig::new(URI, EPID));
    publisher.publish(Publication::of(Phase::Away));
    let mut waits = Vec::new();
    for status in [403, 404, 481, 403, 403, 403, 403, 403, 403, 403] {
        publisher.registered(now);
        let turn = publisher.poll_timeout().expect("a turn");
        waits.push((turn - now).as_secs());
        now = turn;
        publisher.handle_timeout(now);
        request(&mut publisher).expect("its turn has come");
        publisher.handle_input(now, Input::Answer { status, body: b"" });
        assert_eq!(publisher.poll_event(), Some(Event::RegisterAgain(status)));
    }
    assert_eq!(waits, [0, 0, 5, 10, 20, 40, 80, 160, 300, 300]);
    publisher.registered(now);
    now = publisher.poll_timeout().expect("a turn");
    publisher.handle_timeout(now);
    let known = request(&mut publisher).expect("its turn has come");
    accept(&mut publisher, now, known);
    publisher.registered(now);
    assert_eq!(publisher.poll_timeout(), Some(now), "one that was known begins at once");
}

#[test]
fn without_a_report_the_wait_for_it_ends() {
    let now = clock::origin();
    let mut config = PublisherConfig::new(URI, EPID);
    config.learn_first = true;
    let mut publisher = Publisher::new(config);
    publisher.publish(Publication::of(Phase::Away));
    publisher.registered(now);
    let at = publisher.poll_timeout().expect("an end");
    publisher.handle_timeout(at);
    assert!(request(&mut publisher).is_some());
}

#[test]
fn a_removed_user_leaves_nothing_behind() {
    let now = clock::origin();
    let mut publisher = Publisher::new({
        let mut config = PublisherConfig::new(URI, EPID);
        config.device = Some(DeviceCategory::telephone("a15780ab-975f-5b29-ada0-8b95adb48287"));
        config
    });
    let mut silent = Publication::of(Phase::InCall);
    silent.user = Some(9500);
    publisher.publish(silent);
    publisher.registered(now);
    publisher.handle_timeout(now);
    let first = request(&mut publisher).expect("everything");
    assert_eq!(first.publications.len(), 7);
    let user = first.publications.iter().find(|row| row.instance == 0x2000_0000).expect("a user state");
    assert_eq!(user.expire_type, ExpireType::Static);
    accept(&mut publisher, now, first);
    publisher.publish(Publication::of(Phase::Removed));
    let last = request(&mut publisher).expect("the end");
    assert_eq!(last.publications.len(), 7);
    assert!(
        last.publications
            .iter()
            .all(|row| row.expires == Some(0) && row.version == 1 && row.content == Content::Nothing)
    );
    assert!(last.publications.iter().any(|row| row.expire_type == ExpireType::Static));
}

#[test]
fn a_thousand_endpoints_begin_twenty_a_second() {
    let now = clock::origin();
    let mut pace = Pace::new(Pace::PER_SECOND, 7);
    let turns: Vec<Duration> = (0..1000).map(|_| pace.turn(now) - now).collect();
    assert!(turns.windows(2).all(|pair| pair[0] < pair[1]));
    for second in 0..50 {
        let within = |turn: &&Duration| turn.as_secs() == second;
        assert_eq!(turns.iter().filter(within).count(), 20, "second {second}");
    }
    let beats = (0..1000).filter(|at| turns[*at as usize] == Duration::from_millis(50) * *at).count();
    assert!(beats < 10, "they are off the beat: {beats}");
    let off = (0..1000).map(|at| turns[at as usize].saturating_sub(Duration::from_millis(50) * at)).max();
    assert!(off > Some(Duration::from_millis(45)), "anywhere between two beats: {off:?}");
    let later = now + Duration::from_hours(1);
    assert!(pace.turn(later) - later < Duration::from_millis(50), "nobody waits for those of long ago");
}
