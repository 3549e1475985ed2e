//! Every cell of the phase table, and every situation of the machine compared with the definition of its phases.

#[path = "support/clock.rs"]
mod clock;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::{Duration, Instant};

use presence_pidf::state::{Phase, Trigger, step};
use presence_pidf::{
    Activity, CallKey, Event, HandsetPresence, OutOfRange, PresenceConfig, Publication, Remote,
    ShowConference,
};

const TRIGGERS: [Trigger; 12] = [
    Trigger::Calls,
    Trigger::ConferenceCalls,
    Trigger::LastCallEnded,
    Trigger::Used,
    Trigger::FirstPeriodOver,
    Trigger::SecondPeriodOver,
    Trigger::OutOfRange,
    Trigger::Disabled,
    Trigger::Enabled,
    Trigger::Restarted,
    Trigger::RestartedInFirstPeriod,
    Trigger::RestartedInSecondPeriod,
];

/// Breadth first from the initial phase over all triggers.
fn reachable() -> BTreeSet<Phase> {
    let mut seen = BTreeSet::from([Phase::Away]);
    let mut open = vec![Phase::Away];
    while let Some(phase) = open.pop() {
        for trigger in TRIGGERS {
            let next = step(phase, trigger);
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}

fn table() -> String {
    let mut text = String::from(
        "# Phases of a handset's presence\n\nWritten by `tests/states.rs` from the code (`UPDATE_STATES=1` writes it anew). \
         A dash means that the phase stays.\n\n\
         A user is available for the first period after the last call (5 minutes), inactive for the second (5 minutes), \
         then away. Exactly at the end of a period the next phase begins. Ringing, dialling and missed calls change nothing \
         unless any use is to count. Held calls are calls. A new call begins everything anew. A call that is answered \
         and ended at once counts like any other. A disabled user is forgotten.\n\n| trigger |",
    );
    let phases = reachable();
    for phase in &phases {
        let _ = write!(text, " {phase:?} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(phases.len()));
    for trigger in TRIGGERS {
        let _ = write!(text, "\n| {trigger:?} |");
        for phase in &phases {
            let next = step(*phase, trigger);
            if next == *phase {
                text.push_str(" – |");
            } else {
                let _ = write!(text, " {next:?} |");
            }
        }
    }
    text.push_str("\n\n| phase | machine state | phone state | activity |\n|---|---|---|---|");
    let number =
        |number: Option<u16>| number.map_or_else(|| "deleted".to_owned(), |number| number.to_string());
    for phase in &phases {
        let Publication { machine, phone, activity, .. } = Publication::of(*phase);
        let activity = activity.map_or("–", Activity::token);
        let _ = write!(text, "\n| {phase:?} | {} | {} | {activity} |", number(machine), number(phone));
    }
    text.push('\n');
    text
}

#[test]
fn the_table_in_the_documentation_is_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/states/handset-presence.md");
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(path, table()).expect("the table can be written");
    }
    let written = std::fs::read_to_string(path).expect("the table exists");
    assert_eq!(written, table(), "run with UPDATE_STATES=1 and review the difference");
}

#[test]
fn all_phases_are_reached_and_disabling_removes_from_every_one() {
    assert_eq!(reachable().len(), 6);
    for phase in reachable() {
        assert_eq!(step(phase, Trigger::Disabled), Phase::Removed);
    }
}

/// The definition of the phases, written down without a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Definition {
    calls: BTreeMap<u64, bool>,
    /// How long ago the last call ended.
    age: Option<Duration>,
    removed: bool,
}

const T1: Duration = Duration::from_mins(5);
const T2: Duration = Duration::from_secs(200);

impl Definition {
    fn phase(&self, conferences: bool) -> Phase {
        if self.removed {
            Phase::Removed
        } else if !self.calls.is_empty() {
            let conference = conferences && self.calls.values().any(|conference| *conference);
            if conference { Phase::InConference } else { Phase::InCall }
        } else {
            match self.age {
                None => Phase::Away,
                Some(age) if age < T1 => Phase::Available,
                Some(age) if age < T1 + T2 => Phase::Inactive,
                Some(_) => Phase::Away,
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Doing {
    Answer(u64, bool),
    End(u64),
    Sleep(Duration),
    Lose,
    Disable,
    Enable,
    Restart(Option<Duration>),
}

const DOINGS: [Doing; 16] = [
    Doing::Answer(1, false),
    Doing::Answer(1, true),
    Doing::Answer(2, false),
    Doing::Answer(2, true),
    Doing::End(1),
    Doing::End(2),
    Doing::Sleep(Duration::from_secs(100)),
    Doing::Sleep(Duration::from_mins(5)),
    Doing::Sleep(Duration::from_secs(700)),
    Doing::Lose,
    Doing::Disable,
    Doing::Enable,
    Doing::Restart(None),
    Doing::Restart(Some(Duration::from_secs(100))),
    Doing::Restart(Some(Duration::from_mins(5))),
    Doing::Restart(Some(Duration::from_secs(500))),
];

fn apply(definition: &mut Definition, doing: Doing, away: bool) {
    match doing {
        Doing::Answer(call, conference) if !definition.removed => {
            definition.calls.insert(call, conference);
        }
        Doing::End(call) => {
            if definition.calls.remove(&call).is_some() && definition.calls.is_empty() {
                definition.age = Some(Duration::ZERO);
            }
        }
        Doing::Sleep(time) => {
            // What is older than both periods is as good as nothing.
            definition.age = definition.age.map(|age| (age + time).min(T1 + T2));
        }
        Doing::Lose => {
            if !definition.calls.is_empty() {
                definition.age = Some(Duration::ZERO);
            }
            definition.calls.clear();
            if away {
                definition.age = None;
            }
        }
        Doing::Disable => *definition = Definition { removed: true, ..Definition::default() },
        Doing::Enable => definition.removed = false,
        Doing::Restart(age) => {
            definition.calls.clear();
            definition.age = age.filter(|age| !definition.removed && *age < T1 + T2);
        }
        Doing::Answer(..) => {}
    }
}

fn perform(presence: &mut HandsetPresence, now: &mut Instant, doing: Doing) {
    match doing {
        Doing::Answer(call, conference) => {
            let remote = if conference { Remote::Conference } else { Remote::Party };
            presence.answered(*now, CallKey(call), remote);
        }
        Doing::End(call) => presence.ended(*now, CallKey(call)),
        Doing::Sleep(time) => {
            *now += time;
            presence.handle_timeout(*now);
        }
        Doing::Lose => presence.handset_lost(*now),
        Doing::Disable => presence.disabled(*now),
        Doing::Enable => presence.enabled(*now),
        Doing::Restart(age) => presence.restart(*now, age),
    }
}

#[test]
fn in_every_situation_the_machine_is_in_the_phase_that_the_definition_gives() {
    for (conferences, away) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut config = PresenceConfig::new();
        config.t1 = T1;
        config.t2 = T2;
        config.show_conference = if conferences { ShowConference::Yes } else { ShowConference::No };
        config.out_of_range = if away { OutOfRange::Away } else { OutOfRange::Keep };
        let start = clock::origin();
        let mut seen = BTreeSet::from([Definition::default()]);
        let mut open = vec![(Definition::default(), HandsetPresence::new(start, config), start)];
        while let Some((definition, presence, now)) = open.pop() {
            for doing in DOINGS {
                let (mut definition, mut presence, mut now) = (definition.clone(), presence.clone(), now);
                let before = presence.publication();
                while presence.poll_event().is_some() {}
                apply(&mut definition, doing, away);
                perform(&mut presence, &mut now, doing);
                let expected = definition.phase(conferences);
                assert_eq!(presence.state(), expected, "{doing:?} led to {definition:?}");
                let changed = match presence.poll_event() {
                    Some(Event::Changed(changed)) => changed,
                    Some(other) => panic!("{other:?}"),
                    None => before.clone(),
                };
                assert_eq!(changed.phase, expected, "{doing:?}");
                assert_eq!(presence.poll_event(), None, "{doing:?} was told twice");
                let waits = matches!(expected, Phase::Available | Phase::Inactive);
                assert_eq!(presence.poll_timeout().is_some_and(|at| at > now), waits, "{definition:?}");
                if seen.insert(definition.clone()) {
                    open.push((definition, presence, now));
                }
            }
        }
        assert!(seen.len() > 40, "only {} situations", seen.len());
    }
}
