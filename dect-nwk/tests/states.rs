//! Every pure machine, explored exhaustively: all states, all triggers, timers only while they run. The tables in
//! `docs/states` are rendered from what was found; `UPDATE_STATES=1` rewrites them.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Debug;
use std::fmt::Write as _;
use std::path::Path;

use dect_nwk::{cc_fixed, cc_portable, ciss, hold, lce, mm_fixed, mm_portable, service_change, services};

/// What exploration needs to know about a machine.
struct Machine<S, T, A> {
    start: S,
    triggers: Vec<T>,
    step: fn(S, T) -> (S, Vec<A>),
    /// The timers that run after an action; the machine's other timers stay as they are.
    timers: fn(&mut BTreeSet<&'static str>, A),
    /// The timer whose end a trigger is.
    timer_of: fn(T) -> Option<&'static str>,
}

type Seen<S> = BTreeSet<(S, BTreeSet<&'static str>)>;

impl<S: Copy + Ord + Debug, T: Copy + Ord + Debug, A: Copy + Debug> Machine<S, T, A> {
    /// All combinations of state and running timers that can be reached; `check` sees every step.
    fn explore(&self, mut check: impl FnMut(S, T, S, &[A], &BTreeSet<&'static str>)) -> Seen<S> {
        let mut seen = BTreeSet::new();
        let mut queue = VecDeque::from([(self.start, BTreeSet::new())]);
        while let Some((state, running)) = queue.pop_front() {
            if !seen.insert((state, running.clone())) {
                continue;
            }
            for trigger in self.triggers.iter().copied() {
                let mut timers = running.clone();
                if let Some(timer) = (self.timer_of)(trigger)
                    && !timers.remove(timer)
                {
                    continue;
                }
                let (next, actions) = (self.step)(state, trigger);
                for action in &actions {
                    (self.timers)(&mut timers, *action);
                }
                check(state, trigger, next, &actions, &timers);
                queue.push_back((next, timers));
            }
        }
        seen
    }

    fn states(&self) -> BTreeSet<S> {
        self.explore(|_, _, _, _, _| {}).into_iter().map(|(state, _)| state).collect()
    }

    /// One section per state, one row per trigger that is not ignored there.
    fn render(&self, name: impl Fn(S) -> String) -> String {
        let mut text = String::new();
        for state in self.states() {
            let mut ignored = Vec::new();
            let _ =
                writeln!(text, "\n#### {}\n\n| trigger | next state | actions |\n|---|---|---|", name(state));
            for trigger in self.triggers.iter().copied() {
                let (next, actions) = (self.step)(state, trigger);
                if actions.is_empty() && next == state {
                    ignored.push(format!("{trigger:?}"));
                    continue;
                }
                let actions: Vec<_> = actions.iter().map(|action| format!("{action:?}")).collect();
                let next = if next == state { "–".to_owned() } else { name(next) };
                let _ = writeln!(text, "| {trigger:?} | {next} | {} |", actions.join(", "));
            }
            if !ignored.is_empty() {
                let _ = writeln!(text, "\nIgnored: {}.", ignored.join(", "));
            }
        }
        text
    }
}

fn compare(file: &str, title: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/states").join(file);
    let text = format!("### {title}\n{text}");
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{file} is out of date: run this test with UPDATE_STATES=1");
}

fn fixed_call() -> Machine<cc_fixed::State, cc_fixed::Trigger, cc_fixed::Action> {
    use cc_fixed::{Action as A, Trigger as T};
    Machine {
        start: cc_fixed::State::Null,
        triggers: T::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = cc_fixed::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |timers, action| match action {
            A::StartOverlap => drop(timers.insert("CC.01")),
            A::StartRelease => drop(timers.insert("CC.02")),
            A::StartSetup => drop(timers.insert("CC.03")),
            A::StartCompletion => drop(timers.insert("CC.04")),
            A::StopTimers => timers.clear(),
            _ => {}
        },
        timer_of: |trigger| match trigger {
            T::OverlapTimeout => Some("CC.01"),
            T::ReleaseTimeout => Some("CC.02"),
            T::SetupTimeout => Some("CC.03"),
            T::CompletionTimeout => Some("CC.04"),
            _ => None,
        },
    }
}

fn portable_call() -> Machine<cc_portable::State, cc_portable::Trigger, cc_portable::Action> {
    use cc_portable::{Action as A, Trigger as T};
    Machine {
        start: cc_portable::State::Null,
        triggers: T::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = cc_portable::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |timers, action| match action {
            A::StartRelease => drop(timers.insert("CC.02")),
            A::StartSetup => drop(timers.insert("CC.03")),
            A::StartCompletion => drop(timers.insert("CC.04")),
            A::StartConnect => drop(timers.insert("CC.05")),
            A::StopTimers => timers.clear(),
            _ => {}
        },
        timer_of: |trigger| match trigger {
            T::ReleaseTimeout => Some("CC.02"),
            T::SetupTimeout => Some("CC.03"),
            T::CompletionTimeout => Some("CC.04"),
            T::ConnectTimeout => Some("CC.05"),
            _ => None,
        },
    }
}

fn fixed_link() -> Machine<lce::State, lce::fixed::Trigger, lce::fixed::Action> {
    use lce::fixed::{Action as A, Trigger as T};
    Machine {
        start: lce::State::Released,
        triggers: T::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = lce::fixed::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |timers, action| match action {
            A::StartRelease => drop(timers.insert("LCE.01")),
            A::StartMaintain => drop(timers.insert("LCE.02")),
            A::StartPage => drop(timers.insert("LCE.03")),
            A::StopPage => drop(timers.remove("LCE.03")),
            A::StopMaintain => drop(timers.remove("LCE.02")),
            A::StartSuspend => drop(timers.insert("LCE.04")),
            A::StopTimers => {
                timers.remove("LCE.01");
                timers.remove("LCE.02");
                timers.remove("LCE.04");
            }
            _ => {}
        },
        timer_of: |trigger| match trigger {
            T::SuspendTimeout => Some("LCE.04"),
            T::ReleaseTimeout => Some("LCE.01"),
            T::MaintainTimeout => Some("LCE.02"),
            T::PageTimeout | T::PagesExhausted => Some("LCE.03"),
            _ => None,
        },
    }
}

fn portable_link() -> Machine<lce::State, lce::portable::Trigger, lce::portable::Action> {
    use lce::portable::{Action as A, Trigger as T};
    Machine {
        start: lce::State::Released,
        triggers: T::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = lce::portable::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |timers, action| match action {
            A::StartRelease => drop(timers.insert("LCE.01")),
            A::StartMaintain => drop(timers.insert("LCE.02")),
            A::StopMaintain => drop(timers.remove("LCE.02")),
            A::StartSuspend => drop(timers.insert("LCE.04")),
            A::StopTimers => timers.clear(),
            _ => {}
        },
        timer_of: |trigger| match trigger {
            T::SuspendTimeout => Some("LCE.04"),
            T::ReleaseTimeout => Some("LCE.01"),
            T::MaintainTimeout => Some("LCE.02"),
            _ => None,
        },
    }
}

fn fixed_mobility() -> Machine<mm_fixed::State, mm_fixed::Trigger, mm_fixed::Action> {
    use mm_fixed::{Action as A, Trigger as T};
    Machine {
        start: mm_fixed::State::default(),
        triggers: T::ALL.to_vec(),
        step: mm_fixed::step,
        timers: |timers, action| match action {
            A::StartTimer => drop(timers.insert("MM")),
            A::StopTimer => timers.clear(),
            _ => {}
        },
        timer_of: |trigger| if trigger == T::Timeout { Some("MM") } else { None },
    }
}

fn portable_mobility() -> Machine<mm_portable::State, mm_portable::Trigger, mm_portable::Action> {
    use mm_portable::{Action as A, Trigger as T};
    Machine {
        start: mm_portable::State::default(),
        triggers: T::ALL.to_vec(),
        step: mm_portable::step,
        timers: |timers, action| match action {
            A::StartTimer => drop(timers.insert("own")),
            A::StopTimer => drop(timers.remove("own")),
            A::StartKeyTimer => drop(timers.insert("key")),
            A::StopKeyTimer => drop(timers.remove("key")),
            _ => {}
        },
        timer_of: |trigger| match trigger {
            T::Timeout => Some("own"),
            T::KeyTimeout => Some("key"),
            _ => None,
        },
    }
}

#[test]
fn every_state_of_a_call_at_the_fixed_part_is_reached_and_has_the_timer_that_leaves_it() {
    use cc_fixed::State as S;
    let seen = fixed_call().explore(|_, _, _, _, _| {});
    let states: BTreeSet<_> = seen.iter().map(|(state, _)| *state).collect();
    assert_eq!(states, S::ALL.into_iter().collect());
    for (state, running) in &seen {
        let expected: &[&str] = match state {
            // Nothing runs without a call, while the owner decides, and while the parties talk.
            S::Null | S::CallInitiated | S::Active => &[],
            S::OverlapSending => &["CC.01"],
            S::CallProceeding | S::CallDelivered | S::CallReceived => &["CC.04"],
            S::CallPresent => &["CC.03"],
            S::ReleasePending => &["CC.02"],
        };
        assert_eq!(running.iter().copied().collect::<Vec<_>>(), expected, "{state:?}");
    }
}

#[test]
fn every_state_of_a_call_at_the_portable_part_is_reached_and_has_the_timer_that_leaves_it() {
    use cc_portable::State as S;
    let seen = portable_call().explore(|_, _, _, _, _| {});
    let states: BTreeSet<_> = seen.iter().map(|(state, _)| *state).collect();
    assert_eq!(states, S::ALL.into_iter().collect());
    for (state, running) in &seen {
        let expected: &[&str] = match state {
            // A call that comes in ends with the user or with the fixed part.
            S::Null | S::CallPresent | S::CallReceived | S::Active => &[],
            S::CallInitiated => &["CC.03"],
            S::OverlapSending | S::CallProceeding | S::CallDelivered => &["CC.04"],
            S::ConnectPending => &["CC.05"],
            S::ReleasePending => &["CC.02"],
        };
        assert_eq!(running.iter().copied().collect::<Vec<_>>(), expected, "{state:?}");
    }
}

#[test]
fn the_end_of_a_call_is_told_exactly_once_and_frees_the_link_exactly_once() {
    use cc_fixed::State as F;
    use cc_portable::State as P;
    fixed_call().explore(|state, trigger, next, actions, _| {
        let told = actions.iter().filter(|action| **action == cc_fixed::Action::IndicateReleased).count();
        let freed = actions.iter().filter(|action| **action == cc_fixed::Action::FreeLink).count();
        let over = |state| matches!(state, F::Null | F::ReleasePending);
        assert_eq!(told, usize::from(!over(state) && over(next)), "{state:?} {trigger:?}");
        assert_eq!(freed, usize::from(state != F::Null && next == F::Null), "{state:?} {trigger:?}");
    });
    portable_call().explore(|state, trigger, next, actions, _| {
        let told = actions.iter().filter(|action| **action == cc_portable::Action::IndicateReleased).count();
        let freed = actions.iter().filter(|action| **action == cc_portable::Action::FreeLink).count();
        let over = |state| matches!(state, P::Null | P::ReleasePending);
        assert_eq!(told, usize::from(!over(state) && over(next)), "{state:?} {trigger:?}");
        assert_eq!(freed, usize::from(state != P::Null && next == P::Null), "{state:?} {trigger:?}");
    });
}

#[test]
fn release_and_release_com_always_take_effect() {
    for state in cc_fixed::State::ALL {
        for trigger in [
            cc_fixed::Trigger::ReleaseReceived,
            cc_fixed::Trigger::ReleaseComReceived,
            cc_fixed::Trigger::LinkLost,
        ] {
            assert_eq!(cc_fixed::step(state, trigger).0, cc_fixed::State::Null, "{state:?} {trigger:?}");
        }
    }
    for state in cc_portable::State::ALL {
        for trigger in [
            cc_portable::Trigger::ReleaseReceived,
            cc_portable::Trigger::ReleaseComReceived,
            cc_portable::Trigger::LinkLost,
        ] {
            assert_eq!(
                cc_portable::step(state, trigger).0,
                cc_portable::State::Null,
                "{state:?} {trigger:?}"
            );
        }
    }
}

#[test]
fn a_collision_of_releases_sends_nothing() {
    use cc_fixed::{Action as A, State as S, Trigger as T};
    let (_, actions) = cc_fixed::step(S::ReleasePending, T::ReleaseReceived);
    assert_eq!(actions, [A::StopTimers, A::FreeLink]);
    let (_, actions) =
        cc_portable::step(cc_portable::State::ReleasePending, cc_portable::Trigger::ReleaseReceived);
    assert_eq!(actions, [cc_portable::Action::StopTimers, cc_portable::Action::FreeLink]);
}

#[test]
fn both_halves_of_a_call_always_end_together() {
    // Whatever one half does to end the call makes the other half end: send what the action sends, and look.
    use cc_fixed::Action as A;
    for state in cc_fixed::State::ALL {
        for trigger in cc_fixed::Trigger::ALL {
            let (next, actions) = cc_fixed::step(state, trigger);
            if state == cc_fixed::State::Null || next != cc_fixed::State::Null {
                continue;
            }
            let heard_of_it = matches!(
                trigger,
                cc_fixed::Trigger::ReleaseReceived
                    | cc_fixed::Trigger::ReleaseComReceived
                    | cc_fixed::Trigger::LinkLost
                    | cc_fixed::Trigger::Withdraw
            );
            assert!(
                heard_of_it || actions.contains(&A::SendReleaseCom),
                "{state:?} {trigger:?}: the portable part is left behind"
            );
        }
    }
}

#[test]
fn a_link_has_a_timer_in_every_state_that_waits_and_none_when_released() {
    use lce::State as S;
    for (state, running) in &fixed_link().explore(|_, _, _, _, _| {}) {
        match state {
            S::Released => assert!(running.is_empty(), "{running:?}"),
            S::EstablishPending => assert!(running.iter().eq(&["LCE.03"])),
            S::Established => {
                assert!(["LCE.01", "LCE.03", "LCE.04"].iter().all(|timer| !running.contains(timer)));
            }
            S::ReleasePending => assert!(running.iter().eq(&["LCE.01"])),
            S::SuspendPending | S::ResumePending => assert!(running.iter().eq(&["LCE.04"])),
            // It sleeps until somebody has a message, or the link layer gives it up.
            S::Suspended => assert!(running.is_empty(), "{running:?}"),
        }
    }
    for (state, running) in &portable_link().explore(|_, _, _, _, _| {}) {
        match state {
            // The data link control layer guards the establishment.
            S::Released | S::EstablishPending => assert!(running.is_empty(), "{state:?} {running:?}"),
            S::Established => assert!(!running.contains("LCE.01") && !running.contains("LCE.04")),
            S::ReleasePending => assert!(running.iter().eq(&["LCE.01"])),
            S::SuspendPending | S::ResumePending => assert!(running.iter().eq(&["LCE.04"])),
            S::Suspended => assert!(running.is_empty(), "{running:?}"),
        }
    }
    assert_eq!(fixed_link().states().len(), S::ALL.len());
    assert_eq!(portable_link().states().len(), S::ALL.len());
}

#[test]
fn a_procedure_of_the_fixed_part_has_its_timer_and_without_one_nothing_runs() {
    let seen = fixed_mobility().explore(|_, _, _, _, _| {});
    for (state, running) in &seen {
        assert_eq!(running.is_empty(), state.fixed == mm_fixed::FixedProcedure::None, "{state:?}");
    }
    let seen = portable_mobility().explore(|_, _, _, _, _| {});
    for (state, running) in &seen {
        assert_eq!(running.contains("own"), state.own != mm_portable::Own::None, "{state:?}");
        assert_eq!(running.contains("key"), state.asked != mm_portable::Asked::None, "{state:?}");
    }
}

#[test]
fn every_request_of_mobility_management_gets_exactly_one_outcome() {
    use mm_fixed::{Action as A, PortableProcedure as P};
    fixed_mobility().explore(|state, trigger, next, actions, _| {
        let outcomes = actions
            .iter()
            .filter(|action| matches!(action, A::IndicateSubscribed | A::IndicateSubscriptionFailed))
            .count();
        let asked = |procedure| matches!(procedure, P::AccessRights | P::AccessRightsAllowed);
        let ended = asked(state.portable) && !asked(next.portable);
        assert_eq!(outcomes, usize::from(ended), "{state:?} {trigger:?}");
        let freed = actions.iter().filter(|action| **action == A::FreeLink).count();
        assert!(freed <= 1, "{state:?} {trigger:?}");
    });
    use mm_portable::{Action as B, Own};
    portable_mobility().explore(|state, trigger, next, actions, _| {
        let count = |wanted: &[B]| actions.iter().filter(|action| wanted.contains(action)).count();
        let ended = |was: fn(Own) -> bool| usize::from(was(state.own) && !was(next.own));
        assert_eq!(
            count(&[B::IndicateSubscribed, B::IndicateSubscriptionFailed]),
            ended(|own| matches!(own, Own::AccessRights(_))),
            "{state:?} {trigger:?}"
        );
        assert_eq!(
            count(&[B::IndicateLocated, B::IndicateLocationFailed]),
            ended(|own| matches!(own, Own::LocationRegistration(_))),
            "{state:?} {trigger:?}"
        );
    });
}

fn holding() -> Machine<hold::State, hold::Trigger, hold::Action> {
    Machine {
        start: hold::State::default(),
        triggers: hold::Trigger::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = hold::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |_, _| {},
        timer_of: |_| None,
    }
}

fn independent() -> Machine<ciss::State, ciss::Trigger, ciss::Action> {
    use ciss::{Action as A, Trigger as T};
    Machine {
        start: ciss::State::default(),
        triggers: T::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = ciss::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |timers, action| match action {
            A::StartTimer => drop(timers.insert("idle")),
            A::StopTimer => timers.clear(),
            _ => {}
        },
        timer_of: |trigger| (trigger == T::Timeout).then_some("idle"),
    }
}

fn changing() -> Machine<service_change::State, service_change::Trigger, service_change::Action> {
    use service_change::{Action as A, Trigger as T};
    Machine {
        start: service_change::State::default(),
        triggers: T::ALL.to_vec(),
        step: |state, trigger| {
            let (next, actions) = service_change::step(state, trigger);
            (next, actions.to_vec())
        },
        timers: |timers, action| match action {
            A::StartTimer => drop(timers.insert("CC_service")),
            A::StopTimer => drop(timers.remove("CC_service")),
            _ => {}
        },
        timer_of: |trigger| if trigger == T::Timeout { Some("CC_service") } else { None },
    }
}

fn two_calls() -> Machine<services::State, services::Trigger, services::Action> {
    Machine {
        start: services::State::default(),
        triggers: services::Trigger::ALL.to_vec(),
        step: services::step,
        timers: |_, _| {},
        timer_of: |_| None,
    }
}

#[test]
fn a_service_change_waits_only_while_its_timer_runs_and_every_request_gets_one_outcome() {
    use service_change::{Action as A, State as S};
    for (state, running) in &changing().explore(|state, trigger, next, actions, _| {
        let outcomes = actions.iter().filter(|action| matches!(action, A::IndicateChanged(_))).count();
        let ended = state == S::Requested && next != S::Requested;
        assert_eq!(outcomes, usize::from(ended), "{state:?} {trigger:?}");
    }) {
        assert_eq!(!running.is_empty(), *state == S::Requested, "{state:?}");
    }
    // Hold: what was asked is answered once, and the state says so.
    use hold::{Action as H, State};
    holding().explore(|state, trigger, next, actions, _| {
        let outcomes =
            actions.iter().filter(|it| matches!(it, H::IndicateHeld(_) | H::IndicateRetrieved(_))).count();
        let asked = |state| matches!(state, State::HoldRequested | State::RetrieveRequested);
        assert_eq!(outcomes, usize::from(asked(state) && !asked(next)), "{state:?} {trigger:?}");
    });
    assert_eq!(holding().states().len(), 6);
}

#[test]
fn of_two_calls_one_talks_and_a_conference_has_both() {
    use services::{Action as A, Leg, Slot};
    let seen = two_calls().explore(|state, trigger, next, actions, _| {
        // Whoever is asked is answered: with a change or with a reason.
        if matches!(
            trigger,
            services::Trigger::SecondCall
                | services::Trigger::Toggle
                | services::Trigger::Conference
                | services::Trigger::Transfer
                | services::Trigger::Intrude
                | services::Trigger::Screen
        ) {
            assert!(!actions.is_empty(), "{state:?} {trigger:?}");
        }
        assert!(!(actions.contains(&A::Failed) && next != state));
        // The portable part hears of every call whose state is another one, but of a waiting call by its tone.
        for slot in [Slot::First, Slot::Second] {
            if state.leg(slot) != next.leg(slot) {
                let told = actions.contains(&A::Status(slot)) || actions.contains(&A::Announce(slot));
                assert!(told, "{state:?} {trigger:?} {actions:?}");
            }
        }
    });
    for (state, _) in &seen {
        let legs = [state.first, state.second];
        let count = |leg| legs.iter().filter(|it| **it == leg).count();
        assert!(count(Leg::Active) <= 1, "{state:?}");
        assert!(count(Leg::Conference) != 1, "{state:?}");
        assert!(count(Leg::Waiting) <= 1 && count(Leg::SetUp) <= 1, "{state:?}");
    }
}

#[test]
fn a_service_outside_of_calls_never_lives_without_its_timer_and_its_end_is_told_once() {
    let seen = independent().explore(|state, trigger, next, actions, _| {
        let told = actions.iter().filter(|it| **it == ciss::Action::IndicateClosed).count();
        let ends = state == ciss::State::Active && next == ciss::State::Null;
        assert_eq!(told, usize::from(ends && trigger != ciss::Trigger::Close), "{trigger:?}");
        let freed = actions.contains(&ciss::Action::FreeLink);
        assert_eq!(freed, ends && trigger != ciss::Trigger::LinkLost, "{trigger:?}");
    });
    for (state, running) in &seen {
        assert_eq!(*state == ciss::State::Active, !running.is_empty());
    }
    assert_eq!(independent().states().len(), ciss::State::ALL.len());
}

#[test]
fn the_tables_in_the_documentation_are_those_of_the_code() {
    let call = fixed_call();
    compare(
        "cc_fixed.md",
        "Call control of the fixed part",
        &call.render(|state| format!("{} {state:?}", state.label())),
    );
    let call = portable_call();
    compare(
        "cc_portable.md",
        "Call control of the portable part",
        &call.render(|state| format!("{} {state:?}", state.label())),
    );
    let fixed = fixed_link().render(|state| format!("Fixed part: {state:?}"));
    let portable = portable_link().render(|state| format!("Portable part: {state:?}"));
    compare("lce.md", "Link control", &format!("{fixed}{portable}"));
    let name = |state: mm_fixed::State| format!("{:?} / {:?}", state.portable, state.fixed);
    compare("mm_fixed.md", "Mobility management of the fixed part", &fixed_mobility().render(name));
    let name = |state: mm_portable::State| format!("{:?} / {:?}", state.own, state.asked);
    compare("mm_portable.md", "Mobility management of the portable part", &portable_mobility().render(name));
    compare("hold.md", "Hold and retrieve", &holding().render(|state| format!("{state:?}")));
    let name = |state| format!("{state:?}");
    compare("ciss.md", "Services outside of calls", &independent().render(name));
    compare("service_change.md", "Service change", &changing().render(|state| format!("{state:?}")));
    let name = |state: services::State| format!("{:?} / {:?}", state.first, state.second);
    compare("services.md", "Two calls in one transaction", &two_calls().render(name));
}
