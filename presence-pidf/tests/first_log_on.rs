//! Making up for a first log-on: every cell of the table, and what is sent to servers that know the user, or not.

#[path = "support/clock.rs"]
mod clock;
#[path = "support/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::BytesMut;
use presence_pidf::category::{
    CategoryInstance, CategoryReport, Container, Content, Member, MemberKind, NoteCategory, RoamingData,
    parse_publish,
};
use presence_pidf::first_log_on::{FirstLogOn, LogOnState, LogOnTrigger, step};
use presence_pidf::provisioning::{ProvisionGroup, ProvisionGroups};
use presence_pidf::subscription::SetContainerMembers;

const STATES: [LogOnState; 8] = [
    LogOnState::Learning,
    LogOnState::Ready,
    LogOnState::SettingMembers,
    LogOnState::PublishingDefaults,
    LogOnState::Outdated,
    LogOnState::Waiting,
    LogOnState::Done,
    LogOnState::Refused,
];

const TRIGGERS: [LogOnTrigger; 9] = [
    LogOnTrigger::Known,
    LogOnTrigger::MembersSent,
    LogOnTrigger::DefaultsSent,
    LogOnTrigger::NothingMissing,
    LogOnTrigger::Taken,
    LogOnTrigger::Conflict,
    LogOnTrigger::Failed,
    LogOnTrigger::WaitOver,
    LogOnTrigger::Refused,
];

#[test]
fn the_table_in_the_documentation_is_the_code() {
    let about = "# The first log-on of a user\n\nWritten by `tests/first_log_on.rs` from the code (`UPDATE_STATES=1` writes it anew). A dash \
         means that the state stays.\n\nWithout members of its containers nobody may see a user, and a client adds them when the \
         user logs on for the first time. Here that is made up for: the members that are missing are added, then the defaults \
         that are missing are published; what a user has is never changed. Where presence is for contacts alone, colleagues \
         are not let in. After a conflict the server's next report is awaited, three times at most; after a failure of the moment it is tried again, after 5 seconds and up to 5 minutes.";
    table::is_documented("first-log-on", about, &STATES, &TRIGGERS, step);
}

#[test]
fn every_state_is_reached_and_its_ends_are_two() {
    let mut seen = BTreeSet::from([LogOnState::Learning]);
    let mut open = vec![LogOnState::Learning];
    while let Some(state) = open.pop() {
        let next: BTreeSet<_> = TRIGGERS.iter().map(|trigger| step(state, *trigger)).collect();
        let ends = matches!(state, LogOnState::Done | LogOnState::Refused);
        assert_eq!(next.iter().all(|next| *next == state), ends, "{state:?}");
        open.extend(next.into_iter().filter(|next| seen.insert(*next)));
    }
    assert_eq!(seen, BTreeSet::from(STATES));
}

const JIM: &str = "sip:jim@example.net";

/// What a server reports of a user: members by container, and publications.
fn report(
    version: u32,
    members: &[(u16, MemberKind)],
    categories: Vec<CategoryInstance<'static>>,
) -> RoamingData<'static> {
    let container = |id: u16| Container {
        id,
        version,
        members: members
            .iter()
            .filter(|(of, _)| *of == id)
            .map(|(_, kind)| Member { kind: kind.clone(), value: None })
            .collect(),
    };
    RoamingData {
        categories: Some(CategoryReport { uri: JIM.into(), categories, gone: Vec::new() }),
        containers: Some([100, 200, 300, 400, 32000].map(container).into()),
        subscribers: None,
    }
}

fn policy(private: bool) -> Vec<u8> {
    let text = if private { "true" } else { "false" };
    let group = ProvisionGroup {
        name: "presencePolicyV2".to_owned(),
        elements: vec![("EnablePrivacyMode".to_owned(), text.to_owned())],
        properties: Vec::new(),
    };
    let mut out = BytesMut::new();
    ProvisionGroups { groups: vec![group] }.emit(&mut out);
    out.to_vec()
}

enum Sent {
    Members(Vec<(u16, u32, MemberKind)>),
    Defaults(usize),
}

fn sends(log_on: &mut FirstLogOn) -> Option<Sent> {
    let mut out = BytesMut::new();
    let transmit = log_on.poll_transmit(&mut out)?;
    assert_eq!(transmit.size, out.len());
    assert_eq!(log_on.poll_transmit(&mut BytesMut::new()), None, "one request at a time");
    Some(match transmit.content_type {
        "application/msrtc-setcontainermembers+xml" => {
            let set = SetContainerMembers::parse(&out).expect("our own body");
            let all = set.containers.into_iter();
            Sent::Members(
                all.flat_map(|(id, version, changes)| {
                    changes.into_iter().map(move |change| {
                        assert!(change.joins, "nobody is ever removed");
                        (id, version, change.member.kind)
                    })
                })
                .collect(),
            )
        }
        "application/msrtc-category-publish+xml" => {
            let publish = parse_publish(&out).expect("our own body");
            assert_eq!(publish.uri, JIM);
            Sent::Defaults(publish.publications.len())
        }
        other => panic!("{other}"),
    })
}

fn members(log_on: &mut FirstLogOn) -> Vec<(u16, u32, MemberKind)> {
    match sends(log_on) {
        Some(Sent::Members(members)) => members,
        Some(Sent::Defaults(_)) => panic!("defaults"),
        None => panic!("nothing"),
    }
}

fn defaults(log_on: &mut FirstLogOn) -> usize {
    match sends(log_on) {
        Some(Sent::Defaults(number)) => number,
        Some(Sent::Members(members)) => panic!("{members:?}"),
        None => panic!("nothing"),
    }
}

#[test]
fn a_new_user_gets_members_and_defaults_once() {
    let mut log_on = FirstLogOn::new(JIM);
    assert!(sends(&mut log_on).is_none());
    log_on.report(report(3, &[], Vec::new()));
    assert!(sends(&mut log_on).is_none(), "the settings are not known");
    log_on.settings(Some(&policy(false)));
    assert_eq!(members(&mut log_on), [(200, 3, MemberKind::SameEnterprise), (100, 3, MemberKind::Federated)]);
    log_on.answered(clock::origin(), 100);
    log_on.answered(clock::origin(), 200);
    assert_eq!(defaults(&mut log_on), 13);
    log_on.answered(clock::origin(), 200);
    assert!(sends(&mut log_on).is_none());
    assert_eq!((log_on.state(), log_on.is_over()), (LogOnState::Done, true));
    log_on.report(report(9, &[], Vec::new()));
    assert!(sends(&mut log_on).is_none(), "once is enough");
}

#[test]
fn a_user_who_has_logged_on_before_is_left_alone() {
    let both = [(200, MemberKind::SameEnterprise), (100, MemberKind::Federated)];
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(None);
    log_on.report(report(1, &both, Vec::new()));
    let note =
        |container| CategoryInstance::new("note", 0, container, Content::Note(NoteCategory::default()));
    assert_eq!(defaults(&mut log_on), 13, "members are there, defaults are not");
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(None);
    log_on.report(report(1, &both, vec![note(100), note(32000)]));
    assert_eq!(defaults(&mut log_on), 11, "what the user has is the user's own");
    // Whoever moved the colleagues elsewhere wants them there.
    let moved = [(300, MemberKind::SameEnterprise), (100, MemberKind::Federated)];
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(None);
    log_on.report(report(1, &moved, Vec::new()));
    assert!(matches!(sends(&mut log_on), Some(Sent::Defaults(_))));
}

#[test]
fn where_presence_is_for_contacts_alone_colleagues_are_not_let_in() {
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(Some(&policy(true)));
    log_on.report(report(0, &[], Vec::new()));
    assert_eq!(members(&mut log_on), [(100, 0, MemberKind::Federated)]);
}

#[test]
fn unreadable_settings_leave_presence_open_and_a_report_without_containers_says_nothing() {
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(Some(b"<a/>"));
    log_on.report(RoamingData { containers: None, ..report(0, &[], Vec::new()) });
    assert!(sends(&mut log_on).is_none());
    log_on.report(report(0, &[], Vec::new()));
    assert_eq!(members(&mut log_on).len(), 2);
}

#[test]
fn after_a_conflict_the_next_report_is_awaited_and_not_for_ever() {
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(None);
    log_on.report(report(0, &[], Vec::new()));
    for version in 1..=3 {
        assert_eq!(members(&mut log_on).len(), 2);
        log_on.answered(clock::origin(), 409);
        assert!(sends(&mut log_on).is_none());
        log_on.report(report(version, &[], Vec::new()));
    }
    assert_eq!(members(&mut log_on)[0].1, 3, "with the server's version");
    log_on.answered(clock::origin(), 409);
    assert_eq!(log_on.state(), LogOnState::Refused);
    assert!(sends(&mut log_on).is_none());
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(None);
    log_on.report(report(0, &[], Vec::new()));
    assert_eq!(members(&mut log_on).len(), 2);
    log_on.answered(clock::origin(), 403);
    assert!(log_on.is_over());
}

#[test]
fn answers_that_nobody_waits_for_are_nothing() {
    let mut log_on = FirstLogOn::new(JIM);
    for status in [200, 409, 503, 403] {
        log_on.answered(clock::origin(), status);
        assert_eq!((log_on.state(), log_on.poll_timeout()), (LogOnState::Learning, None), "{status}");
    }
    log_on.settings(None);
    log_on.report(report(0, &[], Vec::new()));
    for status in [200, 409, 409, 409, 503, 403] {
        log_on.answered(clock::origin(), status);
        assert_eq!(log_on.state(), LogOnState::Ready, "{status}");
    }
    assert_eq!(members(&mut log_on).len(), 2);
    log_on.answered(clock::origin(), 409);
    assert_eq!(log_on.state(), LogOnState::Outdated, "the first conflict");
    log_on.report(report(1, &[], Vec::new()));
    assert_eq!(members(&mut log_on).len(), 2);
    log_on.answered(clock::origin(), 200);
    log_on.answered(clock::origin(), 200);
    assert_eq!(defaults(&mut log_on), 13, "one answer, one request");
}

#[test]
fn what_fails_for_a_while_is_tried_again_after_a_wait_that_grows() {
    let mut now = clock::origin();
    let mut log_on = FirstLogOn::new(JIM);
    log_on.settings(None);
    log_on.report(report(0, &[], Vec::new()));
    let mut waits = Vec::new();
    for status in [503, 408, 500, 480, 504, 503, 503, 503] {
        assert_eq!(members(&mut log_on).len(), 2);
        log_on.answered(now, status);
        assert!(sends(&mut log_on).is_none() && log_on.state() == LogOnState::Waiting, "{status}");
        // What is reported meanwhile does not end the wait.
        log_on.report(report(1, &[], Vec::new()));
        let retry = log_on.poll_timeout().expect("a wait has an end");
        waits.push((retry - now).as_secs());
        log_on.handle_timeout(retry.checked_sub(Duration::from_millis(1)).expect("later than now"));
        assert!(sends(&mut log_on).is_none());
        now = retry;
        log_on.handle_timeout(now);
        assert_eq!(log_on.poll_timeout(), None);
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
    assert_eq!(members(&mut log_on)[0].1, 1, "with the server's version");
    log_on.answered(now, 200);
    assert_eq!(defaults(&mut log_on), 13);
    log_on.answered(now, 503);
    assert_eq!(log_on.poll_timeout(), Some(now + Duration::from_secs(5)), "the next failure is a first one");
    log_on.handle_timeout(now + Duration::from_secs(5));
    assert_eq!(defaults(&mut log_on), 13, "members were taken and are not sent again");
    log_on.answered(now, 200);
    assert!(sends(&mut log_on).is_none() && log_on.is_over());
}
