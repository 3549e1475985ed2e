//! Generated days of handsets, compared with the definition of their presence.
//!
//! The definition below is the whole rule on one page, in terms of what happened and not of a machine: who is in a call, and how
//! long ago the last call ended. `TIMELINES` days are tried (default 400).

#[path = "support/clock.rs"]
mod clock;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use presence_pidf::{
    CallKey, CountedActivity, Dnd, Event, HandsetKey, HandsetPresence, OutOfRange, Phase, PresenceConfig,
    Publication, Remote, ShowConference, UserEvent, UserPresence,
};
use proptest::prelude::*;

// ----- The definition ----------------------------------------------------------------------------------------------------------

/// What a handset can experience. Times are milliseconds.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Answered {
        call: u8,
        conference: bool,
    },
    Held(u8),
    Resumed(u8),
    Ended(u8),
    /// Ringing, early media, a missed call: nothing that the user did.
    Rang,
    /// Dialled, rejected, busy: the user did something, and there was no call.
    Tried,
    Lost,
    Back,
    Silence(bool),
    Disabled,
    Enabled,
    /// The server started anew; the last call ended so long before.
    Restarted(Option<u64>),
}

#[derive(Clone, Copy, Debug)]
struct Rules {
    t1: u64,
    t2: u64,
    lost_is_away: bool,
    publish_silence: bool,
    show_conference: bool,
    any_use: bool,
}

/// Numbers as they are published: machine, phone, user.
type Numbers = (Phase, Option<u16>, Option<u16>, Option<&'static str>, Option<u16>);

#[derive(Clone, Debug, Default)]
struct Definition {
    /// Established calls, and whether the other side is a conference.
    calls: BTreeMap<u8, bool>,
    /// When there was no call any more, on a time line that may begin before the server did.
    last_end: Option<i128>,
    silent: bool,
    removed: bool,
}

impl Definition {
    fn after(mut self, at: u64, happening: Happening, rules: Rules) -> Self {
        let at = i128::from(at);
        let were = !self.calls.is_empty();
        match happening {
            // A disabled user experiences nothing.
            _ if self.removed && !matches!(happening, Happening::Enabled | Happening::Restarted(_)) => {}
            Happening::Answered { call, conference } => {
                self.calls.insert(call, conference);
            }
            Happening::Ended(call) => {
                self.calls.remove(&call);
            }
            Happening::Lost => self.calls.clear(),
            Happening::Tried if rules.any_use && self.calls.is_empty() => self.last_end = Some(at),
            Happening::Silence(on) => self.silent = on,
            Happening::Disabled => self = Self { removed: true, ..Self::default() },
            Happening::Enabled => self.removed = false,
            Happening::Restarted(age) => {
                self.calls.clear();
                let age = age.filter(|age| *age < rules.t1 + rules.t2 && !self.removed);
                self.last_end = age.map(|age| at - i128::from(age));
            }
            Happening::Held(_)
            | Happening::Resumed(_)
            | Happening::Rang
            | Happening::Tried
            | Happening::Back => {}
        }
        let restarted = matches!(happening, Happening::Restarted(_));
        if were && self.calls.is_empty() && !self.removed && !restarted {
            self.last_end = Some(at);
        }
        if matches!(happening, Happening::Lost) && rules.lost_is_away {
            self.last_end = None;
        }
        self
    }

    fn numbers(&self, at: u64, rules: Rules) -> Numbers {
        let idle = self.last_end.map(|end| i128::from(at) - end);
        let (t1, t2) = (i128::from(rules.t1), i128::from(rules.t2));
        let conference = rules.show_conference && self.calls.values().any(|conference| *conference);
        let user = (self.silent && rules.publish_silence).then_some(9500);
        if self.removed {
            (Phase::Removed, None, None, None, None)
        } else if conference {
            (Phase::InConference, Some(3500), Some(7000), Some("in-a-conference"), user)
        } else if !self.calls.is_empty() {
            (Phase::InCall, Some(3500), Some(6500), Some("on-the-phone"), user)
        } else if idle.is_some_and(|idle| idle < t1) {
            (Phase::Available, Some(3500), None, None, user)
        } else if idle.is_some_and(|idle| idle < t1 + t2) {
            (Phase::Inactive, Some(5000), None, None, user)
        } else {
            (Phase::Away, Some(15500), None, None, user)
        }
    }

    /// Moments at which time alone may change something.
    fn moments(&self, rules: Rules) -> impl Iterator<Item = u64> + use<> {
        let ends =
            [rules.t1, rules.t1 + rules.t2].map(|wait| self.last_end.map(|end| end + i128::from(wait)));
        ends.into_iter().flatten().filter_map(|at| u64::try_from(at).ok())
    }
}

// ----- The machine beside it -----------------------------------------------------------------------------------------------------

impl Rules {
    fn config(self) -> PresenceConfig {
        let mut config = PresenceConfig::new();
        config.t1 = Duration::from_millis(self.t1);
        config.t2 = Duration::from_millis(self.t2);
        config.out_of_range = if self.lost_is_away { OutOfRange::Away } else { OutOfRange::Keep };
        config.dnd = if self.publish_silence { Dnd::Publish } else { Dnd::Local };
        config.show_conference = if self.show_conference { ShowConference::Yes } else { ShowConference::No };
        config.activity = if self.any_use { CountedActivity::AnyUse } else { CountedActivity::Calls };
        config
    }
}

fn numbers(publication: &Publication) -> Numbers {
    let Publication { phase, machine, phone, activity, user, .. } = publication;
    (*phase, *machine, *phone, activity.map(presence_pidf::Activity::token), *user)
}

fn tell(presence: &mut HandsetPresence, now: Instant, happening: Happening) {
    let key = |call: u8| CallKey(u64::from(call));
    match happening {
        Happening::Answered { call, conference } => {
            let remote = if conference { Remote::Conference } else { Remote::Party };
            presence.answered(now, key(call), remote);
        }
        Happening::Held(call) => presence.held(now, key(call)),
        Happening::Resumed(call) => presence.resumed(now, key(call)),
        Happening::Ended(call) => presence.ended(now, key(call)),
        Happening::Rang => presence.handle_timeout(now),
        Happening::Tried => presence.used(now),
        Happening::Lost => presence.handset_lost(now),
        Happening::Back => presence.handset_back(now),
        Happening::Silence(true) => presence.dnd_on(now),
        Happening::Silence(false) => presence.dnd_off(now),
        Happening::Disabled => presence.disabled(now),
        Happening::Enabled => presence.enabled(now),
        Happening::Restarted(age) => {
            presence.handle_timeout(now);
            presence.restart(now, age.map(Duration::from_millis));
        }
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let time = prop_oneof![4 => Just(300_000u64), 1 => 1_000u64..=86_400_000];
    (time.clone(), time, any::<(bool, bool, bool, bool)>()).prop_map(|(t1, t2, (a, b, c, d))| Rules {
        t1,
        t2,
        lost_is_away: a,
        publish_silence: b,
        show_conference: c,
        any_use: d,
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    let age = prop_oneof![
        Just(None),
        (0u64..1_000_000).prop_map(Some),
        prop::sample::select(vec![0u64, 299_999, 300_000, 599_999, 600_000]).prop_map(Some)
    ];
    prop_oneof![
        6 => (0..4u8, any::<bool>()).prop_map(|(call, conference)| Happening::Answered { call, conference }),
        8 => (0..4u8).prop_map(Happening::Ended),
        1 => (0..4u8).prop_map(Happening::Held),
        1 => (0..4u8).prop_map(Happening::Resumed),
        1 => Just(Happening::Rang),
        2 => Just(Happening::Tried),
        1 => Just(Happening::Lost),
        1 => Just(Happening::Back),
        1 => any::<bool>().prop_map(Happening::Silence),
        1 => Just(Happening::Disabled),
        2 => Just(Happening::Enabled),
        1 => age.prop_map(Happening::Restarted),
    ]
}

/// Pauses of all lengths that matter, the exact ones among them.
fn pause() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0u64),
        3 => 1u64..1_000_000,
        2 => prop::sample::select(vec![1u64, 299_999, 300_000, 300_001, 599_999, 600_000, 600_001]),
        1 => 1u64..200_000_000,
    ]
}

fn day() -> impl Strategy<Value = Vec<(u64, Happening)>> {
    prop::collection::vec((pause(), happening()), 1..60)
}

fn cases() -> u32 {
    std::env::var("TIMELINES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    /// With a punctual clock: exactly the changes of the definition, each at its moment, none twice.
    #[test]
    fn a_punctual_handset_publishes_every_change_at_its_moment_and_nothing_else(rules in rules(), day in day()) {
        let start = clock::origin();
        let instant = |at: u64| start + Duration::from_millis(at);
        let mut presence = HandsetPresence::new(start, rules.config());
        let mut definition = Definition::default();
        let mut found: Vec<(u64, Numbers)> = Vec::new();
        let mut wanted: Vec<(u64, Numbers)> = vec![(0, definition.numbers(0, rules))];
        let drain = |presence: &mut HandsetPresence, at: u64, found: &mut Vec<(u64, Numbers)>| {
            while let Some(Event::Changed(publication)) = presence.poll_event() {
                found.push((at, numbers(&publication)));
            }
        };
        drain(&mut presence, 0, &mut found);
        let mut at = 0u64;
        let last = (2_000_000_000u64, Happening::Rang);
        for (pause, happening) in day.into_iter().chain([last]) {
            let until = at + pause;
            let mut moments: Vec<u64> =
                definition.moments(rules).filter(|moment| *moment > at && *moment <= until).collect();
            moments.sort_unstable();
            for moment in moments {
                let now = definition.numbers(moment, rules);
                if wanted.last().is_some_and(|(_, before)| *before != now) {
                    wanted.push((moment, now));
                }
            }
            while let Some(deadline) = presence.poll_timeout().filter(|deadline| *deadline <= instant(until)) {
                presence.handle_timeout(deadline);
                let moment = u64::try_from((deadline - start).as_millis()).expect("a day");
                drain(&mut presence, moment, &mut found);
            }
            at = until;
            definition = definition.after(at, happening, rules);
            tell(&mut presence, instant(at), happening);
            drain(&mut presence, at, &mut found);
            let now = definition.numbers(at, rules);
            let restarted = matches!(happening, Happening::Restarted(_));
            if restarted || wanted.last().is_some_and(|(_, before)| *before != now) {
                wanted.push((at, now));
            }
            prop_assert_eq!(presence.state(), now.0, "{:?} at {}", happening, at);
            // What a store and a document say of the last call.
            let age = presence.last_end_age(instant(at)).map(|age| i128::try_from(age.as_millis()).unwrap_or(-1));
            prop_assert_eq!(age, definition.last_end.map(|end| i128::from(at) - end), "{:?} at {}", happening, at);
        }
        prop_assert_eq!(found, wanted);
    }

    /// With a clock that stalls: what is published when it goes on is what the definition says then, and only that.
    #[test]
    fn a_late_handset_publishes_the_last_phase_alone(rules in rules(), day in day()) {
        let start = clock::origin();
        let mut presence = HandsetPresence::new(start, rules.config());
        let mut definition = Definition::default();
        while presence.poll_event().is_some() {}
        let mut before = definition.numbers(0, rules);
        let mut at = 0u64;
        for (pause, happening) in day {
            at += pause;
            definition = definition.after(at, happening, rules);
            tell(&mut presence, start + Duration::from_millis(at), happening);
            let now = definition.numbers(at, rules);
            let mut changes = Vec::new();
            while let Some(Event::Changed(publication)) = presence.poll_event() {
                changes.push(numbers(&publication));
            }
            let restarted = matches!(happening, Happening::Restarted(_));
            prop_assert_eq!(changes, if restarted || now != before { vec![now] } else { Vec::new() });
            before = now;
        }
    }

}

proptest! {
    // Days of three handsets are three days.
    #![proptest_config(ProptestConfig { cases: cases() / 3, failure_persistence: None, ..ProptestConfig::default() })]

    /// Several handsets, each with a day of its own: what each publishes is its own definition, what the user publishes is
    /// the most active of them, every change at its moment and none twice.
    #[test]
    fn handsets_of_one_user_are_each_its_own_and_together_the_most_active(
        rules in rules(),
        day in prop::collection::vec((pause(), 0..3u32, happening(), any::<u8>()), 1..60),
    ) {
        let start = clock::origin();
        let instant = |at: u64| start + Duration::from_millis(at);
        let mut user = UserPresence::new(rules.config());
        let mut each: BTreeMap<u32, Definition> = BTreeMap::new();
        let mut found: Vec<(u64, Told)> = Vec::new();
        let mut wanted: Vec<(u64, Told)> = Vec::new();
        let mut last: BTreeMap<Option<u32>, Numbers> = BTreeMap::new();
        let drain = |user: &mut UserPresence, at: u64, found: &mut Vec<(u64, Told)>| {
            let mut told = Vec::new();
            while let Some(event) = user.poll_event() {
                match event {
                    UserEvent::Handset(key, publication) => told.push((at, (Some(key.0), numbers(&publication)))),
                    UserEvent::User(publication) => told.push((at, (None, numbers(&publication)))),
                    other => panic!("{other:?}"),
                }
            }
            told.sort_unstable();
            found.extend(told);
        };
        let mut at = 0u64;
        drain(&mut user, 0, &mut found);
        changes_of(&each, 0, rules, &[], &mut last, &mut wanted);
        let end = (2_000_000_000u64, 0, Happening::Rang, 1);
        for (pause, key, happening, dice) in day.into_iter().chain([end]) {
            let until = at + pause;
            let mut moments: Vec<u64> = each.values().flat_map(|own| own.moments(rules)).collect();
            moments.retain(|moment| *moment > at && *moment <= until);
            moments.sort_unstable();
            for moment in moments {
                changes_of(&each, moment, rules, &[], &mut last, &mut wanted);
            }
            while let Some(deadline) = user.poll_timeout().filter(|deadline| *deadline <= instant(until)) {
                user.handle_timeout(deadline);
                drain(&mut user, u64::try_from((deadline - start).as_millis()).expect("a day"), &mut found);
            }
            at = until;
            let mut again = Vec::new();
            if dice % 16 == 0 {
                user.remove(instant(at), HandsetKey(key));
                each.remove(&key);
            } else {
                user.add(instant(at), HandsetKey(key));
                let own = each.remove(&key).unwrap_or_default().after(at, happening, rules);
                each.insert(key, own);
                tell(user.handset(HandsetKey(key)).expect("it was added"), instant(at), happening);
                // Who restarts reports in any case.
                again.extend(matches!(happening, Happening::Restarted(_)).then_some(key));
            }
            drain(&mut user, at, &mut found);
            changes_of(&each, at, rules, &again, &mut last, &mut wanted);
            let of_user = numbers(&user.publication());
            prop_assert_eq!(of_user, together(&each, at, rules), "{:?} of {} at {}", happening, key, at);
        }
        prop_assert_eq!(found, wanted);
    }

    /// While only calls happen, several handsets are together what one handset with all their calls would be.
    #[test]
    fn handsets_of_one_user_are_together_what_one_handset_with_all_their_calls_would_be(
        rules in rules(),
        day in prop::collection::vec((pause(), 0..3u32, 0..4u8, any::<(bool, bool)>()), 1..60),
    ) {
        let start = clock::origin();
        let mut user = UserPresence::new(rules.config());
        let mut definition = Definition::default();
        for key in 0..3 {
            user.add(start, HandsetKey(key));
        }
        let mut at = 0u64;
        for (pause, handset, call, (answers, conference)) in day {
            at += pause;
            let now = start + Duration::from_millis(at);
            let happening =
                if answers { Happening::Answered { call, conference } } else { Happening::Ended(call) };
            // Calls of different handsets are different calls.
            let number = call + 4 * u8::try_from(handset).expect("few handsets");
            let same = match happening {
                Happening::Answered { conference, .. } => Happening::Answered { call: number, conference },
                _ => Happening::Ended(number),
            };
            definition = definition.after(at, same, rules);
            user.handle_timeout(now);
            tell(user.handset(HandsetKey(handset)).expect("it was added"), now, happening);
            prop_assert_eq!(numbers(&user.publication()), definition.numbers(at, rules));
        }
    }
}

/// Who it is about, the user for none, and what is published.
type Told = (Option<u32>, Numbers);

/// In a call if any is, away only if all are; silence of one is enough.
fn together(each: &BTreeMap<u32, Definition>, at: u64, rules: Rules) -> Numbers {
    let order =
        [Phase::InConference, Phase::InCall, Phase::Available, Phase::Inactive, Phase::Away, Phase::Removed];
    let all: Vec<Numbers> = each.values().map(|own| own.numbers(at, rules)).collect();
    let most = order.iter().find_map(|phase| all.iter().find(|numbers| numbers.0 == *phase));
    let mut most = *most.unwrap_or(&(Phase::Removed, None, None, None, None));
    most.4 = all.iter().find_map(|numbers| numbers.4);
    most
}

/// What is to be told at a moment: what differs from what was told last, and `again` in any case.
fn changes_of(
    each: &BTreeMap<u32, Definition>,
    at: u64,
    rules: Rules,
    again: &[u32],
    last: &mut BTreeMap<Option<u32>, Numbers>,
    wanted: &mut Vec<(u64, Told)>,
) {
    let mut now: BTreeMap<Option<u32>, Numbers> =
        each.iter().map(|(key, own)| (Some(*key), own.numbers(at, rules))).collect();
    now.insert(None, together(each, at, rules));
    let gone: Vec<Option<u32>> = last.keys().filter(|key| !now.contains_key(key)).copied().collect();
    let mut told: Vec<(u64, Told)> = gone
        .into_iter()
        .map(|key| (at, (key, (Phase::Removed, None, None, None, None))))
        .chain(now.iter().filter_map(|(key, numbers)| {
            let repeated = key.is_some_and(|key| again.contains(&key));
            (repeated || last.get(key) != Some(numbers)).then_some((at, (*key, *numbers)))
        }))
        .collect();
    told.sort_unstable();
    wanted.extend(told);
    *last = now;
}

#[test]
fn a_user_without_handsets_is_removed_and_the_events_name_the_handset() {
    let start = clock::origin();
    let mut user = UserPresence::new(PresenceConfig::new());
    assert_eq!(user.state(), Phase::Removed);
    assert_eq!(user.poll_event(), Some(UserEvent::User(Publication::of(Phase::Removed))));
    let (one, two) = (HandsetKey(1), HandsetKey(2));
    user.add(start, one);
    user.add(start, two);
    let events = |user: &mut UserPresence| {
        let mut events = Vec::new();
        while let Some(event) = user.poll_event() {
            events.push(match event {
                UserEvent::Handset(key, publication) => (Some(key), publication.phase),
                UserEvent::User(publication) => (None, publication.phase),
                other => panic!("{other:?}"),
            });
        }
        events
    };
    assert_eq!(events(&mut user), [(Some(one), Phase::Away), (Some(two), Phase::Away), (None, Phase::Away)]);
    user.handset(two).expect("it was added").answered(start, CallKey(7), Remote::Party);
    assert_eq!(events(&mut user), [(Some(two), Phase::InCall), (None, Phase::InCall)]);
    user.handset(one).expect("it was added").answered(start, CallKey(8), Remote::Party);
    user.handset(one).expect("it was added").ended(start, CallKey(8));
    assert_eq!(events(&mut user), [(Some(one), Phase::Available)], "the user is still in a call");
    assert_eq!(user.poll_timeout(), Some(start + Duration::from_mins(5)));
    user.remove(start, two);
    assert_eq!(events(&mut user), [(Some(two), Phase::Removed), (None, Phase::Available)]);
    user.handle_timeout(start + Duration::from_mins(20));
    assert_eq!(events(&mut user), [(Some(one), Phase::Away), (None, Phase::Away)]);
    user.remove(start, one);
    assert_eq!(events(&mut user), [(Some(one), Phase::Removed), (None, Phase::Removed)]);
    assert_eq!(user.handset(one), None);
    assert_eq!(user.poll_timeout(), None);
}
