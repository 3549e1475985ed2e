//! The pure step functions of ICE, explored exhaustively and rendered into `docs/states`.
//!
//! `UPDATE_STATES=1 cargo test -p sip-lync --test ice_states` writes the tables again.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::Path;

use sip_lync::ice::{consent, pair, phase, reservation};

/// Renders one machine: the cells that do something.
fn render<S: Copy + Debug + PartialEq, T: Copy + Debug, E: Debug + 'static>(
    states: &[S],
    triggers: &[T],
    step: impl Fn(S, T) -> (S, &'static [E]),
) -> String {
    let mut table = String::from("\n| State | Trigger | Next state | Effects |\n|---|---|---|---|\n");
    let mut ignored = 0_usize;
    for state in states {
        for trigger in triggers {
            let (next, effects) = step(*state, *trigger);
            if next == *state && effects.is_empty() {
                ignored += 1;
                continue;
            }
            let effects: Vec<String> = effects.iter().map(|effect| format!("{effect:?}")).collect();
            writeln!(table, "| {state:?} | {trigger:?} | {next:?} | {} |", effects.join(", ")).unwrap();
        }
    }
    let cells = states.len() * triggers.len();
    writeln!(
        table,
        "\n{} states, {} triggers, {cells} cells; in {ignored} of them nothing happens and they are left out.",
        states.len(),
        triggers.len()
    )
    .unwrap();
    table
}

fn compare(name: &str, rendered: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/states").join(format!("{name}.md"));
    if std::env::var_os("UPDATE_STATES").is_some() {
        fs::write(&path, rendered).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, rendered, "{} is not what the code does", path.display());
}

/// Every value that can be reached.
fn explore<N: Clone + Ord>(first: N, next: impl Fn(&N) -> Vec<N>) -> BTreeSet<N> {
    let mut seen = BTreeSet::from([first.clone()]);
    let mut open = VecDeque::from([first]);
    while let Some(node) = open.pop_front() {
        for following in next(&node) {
            if seen.insert(following.clone()) {
                open.push_back(following);
            }
        }
    }
    seen
}

#[test]
fn a_pair_has_one_check_under_way_and_is_never_forgotten() {
    use pair::{Effect, STATES, State, TRIGGERS, Trigger, step};
    // State, a check is under way that will be sent again, the pair waits in the queue, it is valid.
    type Node = (State, bool, bool, bool);
    let next = |(state, checking, queued, valid): &Node| -> Vec<Node> {
        let mut following = Vec::new();
        for trigger in TRIGGERS {
            // Nothing is unanswered while nothing was asked; pairs are taken for a check one by one.
            if trigger == Trigger::Unanswered && !checking {
                continue;
            }
            let (after, effects) = step(*state, trigger);
            let (mut checking, mut queued, mut valid) = (*checking, *queued, *valid);
            if trigger == Trigger::Check {
                queued = false;
            }
            if matches!(trigger, Trigger::Answered | Trigger::Unanswered | Trigger::RoleConflict) {
                // The transaction itself is over.
                checking = false;
            }
            for effect in effects {
                match effect {
                    Effect::SendCheck => checking = true,
                    Effect::CancelCheck => checking = false,
                    Effect::Enqueue => queued = true,
                    Effect::BecomeValid => {
                        assert!(!valid, "valid twice");
                        valid = true;
                    }
                    Effect::UnfreezeFoundation => {}
                }
            }
            following.push((after, checking, queued, valid));
        }
        following
    };
    let reachable = explore((State::Frozen, false, false, false), next);
    for (state, checking, _, valid) in &reachable {
        assert_eq!(*valid, *state == State::Succeeded, "valid is the same as succeeded");
        match state {
            State::InProgress => assert!(*checking, "in progress without a check"),
            State::Frozen | State::Waiting | State::Failed => assert!(!*checking, "{state:?} with a check"),
            // Nominating checks.
            State::Succeeded => {}
        }
        // Whatever happened, the peer's check or the own turn lead on.
        let leads_on = step(*state, Trigger::Check) != (*state, &[][..]) || *state == State::InProgress;
        assert!(leads_on, "{state:?}");
    }
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("ice_pair", &render(&STATES, &TRIGGERS, step));
}

#[test]
fn an_agent_tells_one_outcome_for_each_start() {
    use phase::{Effect, STATES, State, TRIGGERS, step};
    // State, checks run, outcomes told since the last restart.
    type Node = (State, bool, u8);
    let next = |(state, checking, told): &Node| -> Vec<Node> {
        TRIGGERS
            .iter()
            .map(|trigger| {
                let (after, effects) = step(*state, *trigger);
                let (mut checking, mut told) = (*checking, *told);
                for effect in effects {
                    match effect {
                        Effect::StartChecks => {
                            assert!(!checking, "started twice");
                            checking = true;
                        }
                        Effect::ReportConnected | Effect::ReportPlain => {
                            told += 1;
                            assert_eq!(told, 1, "{state:?} {trigger:?}");
                        }
                        Effect::ReportFailed => {
                            // After a connection the loss of consent is told, too; nothing follows.
                            assert!(told <= 1);
                            told = 2;
                            checking = false;
                        }
                        Effect::RenewCredentials => (checking, told) = (false, 0),
                        Effect::ReportGathered => {}
                    }
                }
                (after, checking, told)
            })
            .collect()
    };
    let reachable = explore((State::Gathering, false, 0), next);
    for (state, checking, told) in &reachable {
        match state {
            State::Gathering | State::Gathered => assert_eq!((*checking, *told), (false, 0)),
            State::Checking => assert_eq!((*checking, *told), (true, 0)),
            State::Connected | State::Completed => assert_eq!((*checking, *told), (true, 1)),
            State::Plain => assert_eq!((*checking, *told), (false, 1)),
            State::Failed => assert_eq!((*checking, *told), (false, 2)),
        }
    }
    let states: BTreeSet<State> = reachable.iter().map(|node| node.0).collect();
    assert_eq!(states, BTreeSet::from(STATES));
    compare("ice_phase", &render(&STATES, &TRIGGERS, step));
}

#[test]
fn bandwidth_is_asked_for_one_question_at_a_time_and_a_refused_call_asks_no_more() {
    use reservation::{Effect, STATES, State, TRIGGERS, Trigger, step};
    let waits = |state| matches!(state, State::Checking | State::Committing | State::Updating);
    for state in STATES {
        for trigger in TRIGGERS {
            let (after, effects) = step(state, trigger);
            let asks = effects.contains(&Effect::Ask);
            assert_eq!(asks, !waits(state) && waits(after), "{state:?} {trigger:?}");
            let is_answer = matches!(trigger, Trigger::Admitted | Trigger::Refused | Trigger::Unmanaged);
            assert_eq!(waits(state) && is_answer, waits(state) && !waits(after), "an answer ends the wait");
            assert_eq!(
                effects.contains(&Effect::Keep),
                after == State::Reserved && is_answer && waits(state)
            );
            if matches!(state, State::Refused | State::Unmanaged) {
                assert_eq!((after, effects), (state, &[][..]));
            }
        }
    }
    let reachable = explore(State::Unasked, |state| TRIGGERS.iter().map(|t| step(*state, *t).0).collect());
    assert_eq!(reachable, BTreeSet::from(STATES));
    compare("ice_reservation", &render(&STATES, &TRIGGERS, step));
}

#[test]
fn lost_consent_comes_back_by_a_new_pair_alone() {
    use consent::{Effect, STATES, State, TRIGGERS, Trigger, step};
    for state in STATES {
        for trigger in TRIGGERS {
            let (after, effects) = step(state, trigger);
            if state == State::Lost {
                assert_eq!(after != State::Lost, trigger == Trigger::Selected);
                assert!(!effects.contains(&Effect::Ask), "nothing is sent");
            }
            assert_eq!(effects.contains(&Effect::Stop), state != State::Lost && trigger == Trigger::Expired);
            assert_eq!(effects.contains(&Effect::Renew), after == State::Fresh);
        }
    }
    let reachable = explore(State::Fresh, |state| TRIGGERS.iter().map(|t| step(*state, *t).0).collect());
    assert_eq!(reachable, BTreeSet::from(STATES));
    compare("ice_consent", &render(&STATES, &TRIGGERS, step));
}
