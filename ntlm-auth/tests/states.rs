//! The pure machines, explored exhaustively: all states, all triggers. The tables in `docs/states` are rendered from what was
//! found; `UPDATE_STATES=1` rewrites them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::path::Path;

use ntlm_auth::{AssociationState, AssociationTrigger, TokenState, TokenTrigger};

type Table<S, T> = BTreeMap<S, Vec<(T, S)>>;

/// All states that can be reached, and what follows each trigger.
fn explore<S: Copy + Ord, T: Copy>(starts: &[S], triggers: &[T], step: fn(S, T) -> S) -> Table<S, T> {
    let mut table = BTreeMap::new();
    let mut queue = VecDeque::from(starts.to_vec());
    while let Some(state) = queue.pop_front() {
        if table.contains_key(&state) {
            continue;
        }
        let row: Vec<(T, S)> = triggers.iter().map(|trigger| (*trigger, step(state, *trigger))).collect();
        queue.extend(row.iter().map(|(_, next)| *next));
        table.insert(state, row);
    }
    table
}

fn render<S: Copy + Eq + Debug, T: Debug>(title: &str, table: &Table<S, T>) -> String {
    let mut text = format!("#### {title}\n\n| state | trigger | next state |\n|---|---|---|\n");
    for (state, row) in table {
        for (trigger, next) in row {
            let next = if next == state { "–".to_owned() } else { format!("{next:?}") };
            let _ = writeln!(text, "| {state:?} | {trigger:?} | {next} |");
        }
    }
    text
}

fn compare(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/states").join(file);
    if std::env::var_os("UPDATE_STATES").is_some() {
        fs::write(&path, text).expect("the table is written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(written, text, "{file} is not what the machine does; UPDATE_STATES=1 rewrites it");
}

#[test]
fn an_association_is_renewed_and_ends_once() {
    let starts = [AssociationState::Established];
    let table = explore(&starts, &AssociationTrigger::ALL, AssociationState::step);
    let reached: BTreeSet<_> = table.keys().copied().collect();
    assert_eq!(reached, AssociationState::ALL.into(), "every state can be reached");
    for (state, row) in &table {
        for (trigger, next) in row {
            assert!(next >= state, "{state:?} {trigger:?}: nothing leads back");
            if *trigger == AssociationTrigger::Expired || *trigger == AssociationTrigger::Replaced {
                assert_eq!(*next, AssociationState::Ended);
            }
        }
    }
    compare("association.md", &render("Security association", &table));
}

#[test]
fn a_token_login_completes_only_after_the_library_said_so_and_never_leaves_its_ends() {
    let starts = [TokenState::Making, TokenState::Waiting];
    let table = explore(&starts, &TokenTrigger::ALL, TokenState::step);
    let reached: BTreeSet<_> = table.keys().copied().collect();
    assert_eq!(reached, TokenState::ALL.into(), "every state can be reached");
    for (state, row) in &table {
        for (trigger, next) in row {
            if *next == TokenState::Complete && *state != TokenState::Complete {
                assert_eq!((*state, *trigger), (TokenState::Making, TokenTrigger::Completed));
            }
            if matches!(state, TokenState::Complete | TokenState::Failed) {
                assert_eq!(next, state);
            }
        }
    }
    compare("token_login.md", &render("Login with tokens", &table));
}
