//! The response context of the forking proxy, explored exhaustively; its table is documentation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ipdect_sim::frontend::forking::{Action, Branch, Forking, Trigger};

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
fn explored(invite: bool, branches: usize) -> Vec<(Forking, Trigger, Forking, Vec<Action>)> {
    let mut seen = BTreeSet::new();
    let mut waiting = vec![Forking::new(invite, branches)];
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
    let mut waiting = vec![(Forking::new(true, 1).with_next(), 0)];
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

/// One branch's part of the table, with a second branch that still rings.
fn table() -> String {
    let mut cells: BTreeMap<(u8, String), BTreeMap<String, String>> = BTreeMap::new();
    let mut columns = Vec::new();
    for (before, trigger, after, actions) in explored(true, 2) {
        let (own, other) = (before.branches()[0], before.branches()[1]);
        // A branch waits with its CANCEL only after the other has been cancelled.
        let expected = if own == Branch::CancelWanted { Branch::Cancelling } else { Branch::Proceeding };
        if other != expected || before.answered().is_some() || matches!(own, Branch::Completed(s) if s != 486)
        {
            continue;
        }
        // The first branch's triggers and the caller's.
        let column = match trigger {
            Trigger::CallerCancels => "caller cancels".to_owned(),
            Trigger::Trying(0) => "100".to_owned(),
            Trigger::Provisional(0) => "101-199".to_owned(),
            Trigger::Final(0, 200) => "2xx".to_owned(),
            Trigger::Final(0, 486) => "3xx-5xx".to_owned(),
            Trigger::Final(0, 603) => "6xx".to_owned(),
            Trigger::Timeout(0) => "time-out".to_owned(),
            Trigger::FlowLost(0) => "connection lost".to_owned(),
            _ => continue,
        };
        if !columns.contains(&column) {
            columns.push(column.clone());
        }
        let done: Vec<String> = actions
            .iter()
            .map(|action| match action {
                Action::Forward(0) => "forward".to_owned(),
                Action::Forward(_) => "forward of the other".to_owned(),
                Action::ForwardStored(_, status) => format!("send {status}"),
                Action::Cancel(0, _) => "CANCEL".to_owned(),
                Action::Cancel(..) => "CANCEL the other".to_owned(),
                Action::Next => "ask whoever is next".to_owned(),
            })
            .collect();
        let cell = format!(
            "{:?}{}{}",
            after.branches()[0],
            if done.is_empty() { "" } else { ": " },
            done.join(", ")
        );
        let rank = match own {
            Branch::Calling => 0,
            Branch::Proceeding => 1,
            Branch::CancelWanted => 2,
            Branch::Cancelling => 3,
            Branch::Completed(_) => 4,
        };
        cells.entry((rank, format!("{own:?}"))).or_default().entry(column).or_insert(cell);
    }
    let mut text = String::from(
        "One branch of a forked INVITE while another rings (RFC 3261 16.7, 16.8, 16.10): next state of the branch and what the proxy does.\n\n| branch |",
    );
    columns.sort();
    for column in &columns {
        let _ = write!(text, " {column} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    for ((_, state), row) in &cells {
        let _ = write!(text, "| {state} |");
        for column in &columns {
            let _ = write!(text, " {} |", row.get(column).map_or("", String::as_str));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_table_in_the_documentation_is_the_tested_one() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/states/forking.md");
    let table = table();
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(file, &table).expect("the table can be written");
    }
    assert_eq!(std::fs::read_to_string(file).expect("the table is there"), table, "run with UPDATE_STATES=1");
}
