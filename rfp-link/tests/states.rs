//! Every cell of the link's state table, drawn into `docs/states/link.md`.

use std::collections::BTreeSet;
use std::fmt::Write;

use rfp_link::machine::{Action, State, Trigger, step};

const TRIGGERS: [Trigger; 15] = [
    Trigger::HelloSuits,
    Trigger::HelloDoesNotSuit,
    Trigger::PeerRefuses,
    Trigger::PeerCloses,
    Trigger::Message,
    Trigger::Heartbeat,
    Trigger::HeartbeatAnswer,
    Trigger::Unknown,
    Trigger::Breach,
    Trigger::Silence,
    Trigger::TimeOut,
    Trigger::Congestion,
    Trigger::ConnectionLost,
    Trigger::Refuse,
    Trigger::Close,
];

/// Breadth first from the initial state over all triggers.
fn reachable() -> BTreeSet<State> {
    let mut seen = BTreeSet::from([State::HelloSent]);
    let mut open = vec![State::HelloSent];
    while let Some(state) = open.pop() {
        for trigger in TRIGGERS {
            let (next, _) = step(state, trigger);
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}

fn table() -> String {
    let mut text = String::from(
        "# States of a radio link\n\nWritten by `tests/states.rs` from the code (`UPDATE_STATES=1` writes it anew). \
         Actions stand behind the new state, in order.\n\n| trigger |",
    );
    let states = reachable();
    for state in &states {
        let _ = write!(text, " {state:?} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(states.len()));
    for trigger in TRIGGERS {
        let _ = write!(text, "\n| {trigger:?} |");
        for state in &states {
            let (next, actions) = step(*state, trigger);
            let mut cell = if next == *state { "–".to_owned() } else { format!("→ {next:?}") };
            for action in actions {
                let _ = write!(cell, "; {action:?}");
            }
            let _ = write!(text, " {cell} |");
        }
    }
    text.push('\n');
    text
}

#[test]
fn the_table_in_the_documentation_is_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/states/link.md");
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(path, table()).expect("the table can be written");
    }
    let written = std::fs::read_to_string(path).expect("the table exists");
    assert_eq!(written, table(), "run with UPDATE_STATES=1 and review the difference");
}

#[test]
fn all_states_are_reached_and_every_one_can_be_left_for_the_end() {
    assert_eq!(reachable().len(), 4);
    for state in reachable() {
        let (next, _) = step(state, Trigger::ConnectionLost);
        assert_eq!(next, State::Closed, "{state:?}");
    }
}

#[test]
fn a_link_that_is_over_does_nothing_any_more() {
    for state in [State::Refused, State::Closed] {
        for trigger in TRIGGERS {
            let (next, actions) = step(state, trigger);
            assert_eq!(actions, [], "{state:?} {trigger:?}");
            assert!(next == state || next == State::Closed, "{state:?} {trigger:?}");
        }
    }
}

#[test]
fn every_way_out_is_told_to_the_owner_exactly_once() {
    for state in [State::HelloSent, State::Up] {
        for trigger in TRIGGERS {
            let (next, actions) = step(state, trigger);
            let told = actions
                .iter()
                .filter(|action| {
                    matches!(action, Action::ReportDown | Action::ReportRefused | Action::Break(_))
                })
                .count();
            let left = matches!(next, State::Refused | State::Closed);
            assert_eq!(told, usize::from(left), "{state:?} {trigger:?}");
        }
    }
}

#[test]
fn messages_reach_the_owner_only_while_the_link_is_up() {
    for state in reachable() {
        let (_, actions) = step(state, Trigger::Message);
        assert_eq!(actions.contains(&Action::ReportMessage), state == State::Up, "{state:?}");
    }
}
