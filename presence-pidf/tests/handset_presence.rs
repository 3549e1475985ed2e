//! The corner cases of a handset's presence, one sentence each.

#[path = "support/clock.rs"]
mod clock;

use std::time::{Duration, Instant};

use presence_pidf::{
    CallKey, CountedActivity, Dnd, Event, HandsetPresence, OutOfRange, Phase, PresenceConfig, Publication,
    Remote, ShowConference,
};

const ONE: CallKey = CallKey(1);
const TWO: CallKey = CallKey(2);

struct Handset {
    presence: HandsetPresence,
    start: Instant,
}

impl Handset {
    fn new(configure: impl FnOnce(&mut PresenceConfig)) -> Self {
        let start = clock::origin();
        let mut config = PresenceConfig::new();
        configure(&mut config);
        let mut presence = HandsetPresence::new(start, config);
        assert_eq!(
            changes(&mut presence).iter().map(|change| change.phase).collect::<Vec<_>>(),
            [Phase::Away]
        );
        Self { presence, start }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    /// The phases that were published since the last call.
    fn phases(&mut self) -> Vec<Phase> {
        changes(&mut self.presence).iter().map(|change| change.phase).collect()
    }

    /// Lets time pass deadline by deadline and returns when what was published.
    fn until(&mut self, seconds: u64) -> Vec<(u64, Phase)> {
        let mut seen = Vec::new();
        while let Some(at) = self.presence.poll_timeout().filter(|at| *at <= self.at(seconds)) {
            self.presence.handle_timeout(at);
            for phase in self.phases() {
                seen.push(((at - self.start).as_secs(), phase));
            }
        }
        seen
    }
}

fn changes(presence: &mut HandsetPresence) -> Vec<Publication> {
    let mut seen = Vec::new();
    while let Some(event) = presence.poll_event() {
        match event {
            Event::Changed(publication) => seen.push(publication),
            other => panic!("{other:?}"),
        }
    }
    seen
}

#[test]
fn after_a_call_come_five_minutes_available_five_inactive_then_away() {
    let mut handset = Handset::new(|_| {});
    handset.presence.answered(handset.at(10), ONE, Remote::Party);
    assert_eq!(handset.phases(), [Phase::InCall]);
    assert_eq!(handset.until(5000), []);
    handset.presence.ended(handset.at(100), ONE);
    assert_eq!(handset.phases(), [Phase::Available]);
    assert_eq!(handset.until(5000), [(400, Phase::Inactive), (700, Phase::Away)]);
}

#[test]
fn the_next_phase_begins_exactly_at_the_border_and_not_before() {
    let mut handset = Handset::new(|_| {});
    handset.presence.answered(handset.at(0), ONE, Remote::Party);
    handset.presence.ended(handset.at(0), ONE);
    for (millis, phase) in [
        (299_999, Phase::Available),
        (300_000, Phase::Inactive),
        (599_999, Phase::Inactive),
        (600_000, Phase::Away),
    ] {
        handset.presence.handle_timeout(handset.start + Duration::from_millis(millis));
        assert_eq!(handset.presence.state(), phase, "after {millis} ms");
    }
}

#[test]
fn the_end_of_one_of_two_calls_changes_nothing() {
    let mut handset = Handset::new(|_| {});
    handset.presence.answered(handset.at(0), ONE, Remote::Party);
    handset.presence.held(handset.at(5), ONE);
    handset.presence.answered(handset.at(10), TWO, Remote::Party);
    handset.presence.ended(handset.at(20), ONE);
    assert_eq!(handset.phases(), [Phase::InCall]);
    assert_eq!(handset.presence.last_end_age(handset.at(20)), None);
    handset.presence.ended(handset.at(30), TWO);
    assert_eq!(handset.until(5000), [(330, Phase::Inactive), (630, Phase::Away)]);
}

#[test]
fn a_call_that_ends_in_the_moment_it_is_answered_counts_and_is_not_shown() {
    let mut handset = Handset::new(|_| {});
    handset.presence.answered(handset.at(10), ONE, Remote::Party);
    handset.presence.ended(handset.at(10), ONE);
    assert_eq!(handset.phases(), [Phase::Available]);
}

#[test]
fn a_timer_that_comes_late_publishes_only_where_it_ends() {
    let mut handset = Handset::new(|_| {});
    handset.presence.answered(handset.at(0), ONE, Remote::Party);
    handset.presence.ended(handset.at(1), ONE);
    assert_eq!(handset.phases(), [Phase::Available]);
    handset.presence.handle_timeout(handset.at(100_000));
    assert_eq!(handset.phases(), [Phase::Away]);
    assert_eq!(handset.presence.poll_timeout(), None);
}

#[test]
fn repeated_and_unknown_ends_are_nothing() {
    let mut handset = Handset::new(|_| {});
    handset.presence.ended(handset.at(1), ONE);
    assert_eq!(handset.phases(), []);
    handset.presence.answered(handset.at(2), ONE, Remote::Party);
    handset.presence.answered(handset.at(3), ONE, Remote::Party);
    handset.presence.ended(handset.at(4), ONE);
    handset.presence.ended(handset.at(200), ONE);
    assert_eq!(handset.until(5000), [(304, Phase::Inactive), (604, Phase::Away)]);
}

#[test]
fn a_new_call_begins_everything_anew() {
    let mut handset = Handset::new(|_| {});
    handset.presence.answered(handset.at(0), ONE, Remote::Party);
    handset.presence.ended(handset.at(0), ONE);
    handset.until(299);
    handset.presence.answered(handset.at(299), TWO, Remote::Party);
    assert_eq!(handset.until(5000), []);
    handset.presence.ended(handset.at(1000), TWO);
    assert_eq!(handset.until(5000), [(1300, Phase::Inactive), (1600, Phase::Away)]);
}

#[test]
fn a_lost_handset_ends_its_calls_and_keeps_its_presence() {
    let mut handset = Handset::new(|_| {});
    handset.presence.handset_lost(handset.at(1));
    assert_eq!(handset.phases(), []);
    handset.presence.answered(handset.at(2), ONE, Remote::Party);
    handset.presence.handset_lost(handset.at(3));
    handset.presence.ended(handset.at(4), ONE);
    assert_eq!(handset.phases(), [Phase::Available]);
    handset.presence.handset_back(handset.at(5));
    assert_eq!(handset.until(5000), [(303, Phase::Inactive), (603, Phase::Away)]);
}

#[test]
fn a_lost_handset_is_away_at_once_when_so_configured() {
    let mut handset = Handset::new(|config| config.out_of_range = OutOfRange::Away);
    handset.presence.answered(handset.at(2), ONE, Remote::Party);
    assert_eq!(handset.phases(), [Phase::InCall]);
    handset.presence.handset_lost(handset.at(3));
    assert_eq!(handset.phases(), [Phase::Away]);
    assert_eq!(handset.presence.last_end_age(handset.at(3)), None, "forgotten");
    handset.presence.handset_back(handset.at(4));
    assert_eq!(handset.until(5000), []);
    assert_eq!(handset.phases(), []);
}

#[test]
fn a_conference_is_a_call_unless_it_is_to_be_shown() {
    let mut plain = Handset::new(|_| {});
    plain.presence.answered(plain.at(0), ONE, Remote::Conference);
    assert_eq!(plain.phases(), [Phase::InCall]);
    let mut shown = Handset::new(|config| config.show_conference = ShowConference::Yes);
    shown.presence.answered(shown.at(0), ONE, Remote::Party);
    assert_eq!(shown.phases(), [Phase::InCall]);
    shown.presence.answered(shown.at(1), TWO, Remote::Conference);
    let changed = changes(&mut shown.presence);
    assert_eq!(
        changed.iter().map(|change| (change.phase, change.phone)).collect::<Vec<_>>(),
        [(Phase::InConference, Some(7000))]
    );
    shown.presence.ended(shown.at(2), TWO);
    assert_eq!(shown.phases(), [Phase::InCall]);
}

#[test]
fn silence_of_the_handset_is_published_only_when_so_configured() {
    let mut local = Handset::new(|_| {});
    local.presence.dnd_on(local.at(0));
    assert_eq!(local.phases(), []);
    let mut published = Handset::new(|config| config.dnd = Dnd::Publish);
    published.presence.dnd_on(published.at(0));
    assert_eq!(
        changes(&mut published.presence).iter().map(|change| change.user).collect::<Vec<_>>(),
        [Some(9500)]
    );
    published.presence.dnd_on(published.at(1));
    assert_eq!(published.phases(), []);
    published.presence.dnd_off(published.at(2));
    assert_eq!(changes(&mut published.presence).iter().map(|change| change.user).collect::<Vec<_>>(), [None]);
}

#[test]
fn a_disabled_user_is_removed_at_once_and_comes_back_away_without_memory() {
    let mut handset = Handset::new(|config| config.dnd = Dnd::Publish);
    handset.presence.dnd_on(handset.at(0));
    handset.presence.answered(handset.at(0), ONE, Remote::Party);
    changes(&mut handset.presence);
    handset.presence.disabled(handset.at(1));
    let changed = changes(&mut handset.presence);
    assert!(matches!(
        changed[..],
        [Publication { phase: Phase::Removed, machine: None, phone: None, activity: None, user: None, .. }]
    ));
    handset.presence.answered(handset.at(2), TWO, Remote::Party);
    handset.presence.used(handset.at(2));
    assert_eq!(handset.phases(), []);
    handset.presence.enabled(handset.at(3));
    assert_eq!(handset.phases(), [Phase::Away]);
    handset.presence.ended(handset.at(4), ONE);
    handset.presence.ended(handset.at(4), TWO);
    assert_eq!(handset.until(5000), []);
}

#[test]
fn a_restart_resumes_the_phase_of_a_stored_end_and_always_reports() {
    for (age, phase, then) in [
        (None, Phase::Away, vec![]),
        (Some(0), Phase::Available, vec![(310, Phase::Inactive), (610, Phase::Away)]),
        (Some(299), Phase::Available, vec![(11, Phase::Inactive), (311, Phase::Away)]),
        (Some(300), Phase::Inactive, vec![(310, Phase::Away)]),
        (Some(599), Phase::Inactive, vec![(11, Phase::Away)]),
        (Some(600), Phase::Away, vec![]),
    ] {
        let mut handset = Handset::new(|_| {});
        handset.presence.answered(handset.at(5), ONE, Remote::Party);
        changes(&mut handset.presence);
        handset.presence.restart(handset.at(10), age.map(Duration::from_secs));
        assert_eq!(handset.phases(), [phase], "{age:?}");
        assert_eq!(
            handset.presence.last_end_age(handset.at(10)).map(|age| age.as_secs()),
            age.filter(|age| *age < 600)
        );
        assert_eq!(handset.until(5000), then, "{age:?}");
    }
}

#[test]
fn tried_and_rejected_calls_count_only_when_any_use_counts() {
    let mut calls = Handset::new(|_| {});
    calls.presence.used(calls.at(5));
    assert_eq!(calls.phases(), []);
    let mut any = Handset::new(|config| config.activity = CountedActivity::AnyUse);
    any.presence.used(any.at(5));
    assert_eq!(any.phases(), [Phase::Available]);
    any.presence.used(any.at(100));
    assert_eq!(any.until(5000), [(400, Phase::Inactive), (700, Phase::Away)]);
    any.presence.answered(any.at(800), ONE, Remote::Party);
    any.presence.used(any.at(801));
    assert_eq!(any.phases(), [Phase::InCall]);
}

#[test]
fn after_years_of_uptime_the_borders_are_as_exact() {
    let mut handset = Handset::new(|_| {});
    for years in [1u64, 20, 100] {
        let begin = years * 366 * 86_400 + 86_399;
        handset.presence.answered(handset.at(begin), ONE, Remote::Party);
        handset.presence.ended(handset.at(begin + 90_000), ONE);
        assert_eq!(handset.phases(), [Phase::Available], "{years} years");
        let end = begin + 90_000;
        assert_eq!(handset.until(end + 5000), [(end + 300, Phase::Inactive), (end + 600, Phase::Away)]);
    }
}

#[test]
fn more_calls_than_a_handset_can_have_use_no_more_memory() {
    let mut handset = Handset::new(|_| {});
    for call in 0..10_000 {
        handset.presence.answered(handset.at(0), CallKey(call), Remote::Party);
    }
    for call in 0..10_000 {
        handset.presence.ended(handset.at(1), CallKey(call));
    }
    assert_eq!(handset.phases(), [Phase::Available]);
}

#[test]
fn a_million_users_take_64_megabytes_at_most() {
    let size = size_of::<HandsetPresence>();
    assert!(size <= 64, "{size} octets for one user");
}
