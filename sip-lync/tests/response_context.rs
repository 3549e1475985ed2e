//! The response context of the forking proxy, explored exhaustively; its table is in `tests/states.rs`.

use std::collections::BTreeSet;

use sip_lync::proxy::{Action, Branch, ResponseContext, Trigger};

/// The statuses that stand for their classes.
const STATUSES: [u16; 4] = [200, 302, 486, 603];

fn triggers(branches: usize) -> Vec<Trigger> {
    let mut all = vec![Trigger::CallerCancels];
    for at in 0..branches {
        all.extend([
            Trigger::Trying(at),
            Trigger::Provisional(at),
            Trigger::Timeout(at),
            Trigger::FlowLost(at),
        ]);
        all.extend(STATUSES.map(|status| Trigger::Final(at, status)));
    }
    all
}

/// All contexts that can be reached, each with all that can happen to it.
fn explored(invite: bool, branches: usize) -> Vec<(ResponseContext, Trigger, ResponseContext, Vec<Action>)> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![ResponseContext::new(invite, branches)];
    let mut steps = Vec::new();
    while let Some(state) = waiting.pop() {
        if !seen.insert(format!("{state:?}")) {
            continue;
        }
        for trigger in triggers(branches) {
            let mut actions = Vec::new();
            let next = state.clone().step(trigger, &mut actions);
            waiting.push(next.clone());
            steps.push((state.clone(), trigger, next, actions));
        }
    }
    steps
}

fn is_completed(branch: Branch) -> bool {
    matches!(branch, Branch::Completed(_))
}

#[test]
fn every_context_ends_and_exactly_one_refusal_goes_upstream() {
    for invite in [true, false] {
        for branches in 1..=3 {
            let steps = explored(invite, branches);
            assert!(steps.len() > 20, "{} steps", steps.len());
            for (before, trigger, after, actions) in &steps {
                let told = || format!("{before:?} {trigger:?} {after:?} {actions:?}");
                // A completed branch stays what it is.
                for (old, new) in before.branches().iter().zip(after.branches()) {
                    assert!(!is_completed(*old) || old == new, "{}", told());
                }
                // A context whose branches have all ended has answered.
                assert!(!after.finished() || after.answered().is_some(), "{}", told());
                // What was answered stays answered.
                assert!(before.answered().is_none() || before.answered() == after.answered(), "{}", told());
                // A refusal goes upstream once, and never after an answer.
                let stored =
                    actions.iter().filter(|action| matches!(action, Action::ForwardStored(..))).count();
                assert!(stored <= 1 && (stored == 0 || before.answered().is_none()), "{}", told());
                // Only an INVITE is cancelled, only a branch that rings, and none twice.
                let cancelled: Vec<usize> = actions
                    .iter()
                    .filter_map(|action| match action {
                        Action::Cancel(at, _) => Some(*at),
                        Action::Forward(_) | Action::ForwardStored(..) | Action::Next => None,
                    })
                    .collect();
                assert!(invite || cancelled.is_empty(), "{}", told());
                for at in cancelled {
                    assert_eq!(after.branches()[at], Branch::Cancelling, "{}", told());
                    assert_ne!(before.branches()[at], Branch::Cancelling, "{}", told());
                }
                // After a 2xx or a 6xx no branch is left to ring on.
                if let Trigger::Final(at, 200 | 603) = trigger
                    && invite
                    && !is_completed(before.branches()[*at])
                {
                    assert!(
                        after
                            .branches()
                            .iter()
                            .all(|branch| !matches!(branch, Branch::Calling | Branch::Proceeding)),
                        "{}",
                        told()
                    );
                }
            }
        }
    }
}

#[test]
fn time_alone_ends_every_context() {
    for invite in [true, false] {
        for (state, ..) in explored(invite, 3) {
            let mut state = state;
            for _ in 0..2 {
                for at in 0..3 {
                    state = state.step(Trigger::Timeout(at), &mut Vec::new());
                }
            }
            assert!(state.finished() && state.answered().is_some(), "{state:?}");
        }
    }
}

/// All contexts with one branch and somebody to ask after it, where the next one is asked as soon as that is due.
#[test]
fn a_context_with_somebody_to_ask_next_ends_too_and_asks_once() {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![(ResponseContext::new(true, 1).with_next(), 0)];
    let mut asked_in_all = 0;
    while let Some((state, asked)) = waiting.pop() {
        if !seen.insert(format!("{state:?} {asked}")) {
            continue;
        }
        let mut all = triggers(state.branches().len());
        all.push(Trigger::NoAnswer);
        for trigger in all {
            let mut actions = Vec::new();
            let mut next = state.clone().step(trigger, &mut actions);
            let mut asks = asked;
            if actions.contains(&Action::Next) {
                asks += 1;
                next.fork(1, false, &mut actions);
            }
            let told = || format!("{state:?} {trigger:?} {next:?} {actions:?}");
            assert!(asks <= 1, "{}", told());
            assert!(!next.finished() || next.answered().is_some(), "{}", told());
            // Who gave up, answered or declined for everybody is not asked anybody else.
            let final_word = matches!(trigger, Trigger::CallerCancels | Trigger::Final(_, 200 | 603));
            assert!(!final_word || asks == asked, "{}", told());
            asked_in_all += asks;
            waiting.push((next, asks));
        }
    }
    assert!(asked_in_all > 0);
}
