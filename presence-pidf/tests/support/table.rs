//! The table of a machine in the documentation: rendered from its function, and compared with what is there.

use std::fmt::{Debug, Write};

/// Compares `docs/states/NAME.md` with the function; `UPDATE_STATES=1` writes it anew. `about` begins with its heading.
pub(crate) fn is_documented<S: Copy + Debug + PartialEq, T: Copy + Debug>(
    name: &str,
    about: &str,
    states: &[S],
    triggers: &[T],
    step: impl Fn(S, T) -> S,
) {
    let mut table = format!("{about}\n\n| trigger |");
    for state in states {
        let _ = write!(table, " {state:?} |");
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(states.len()));
    for trigger in triggers {
        let _ = write!(table, "\n| {trigger:?} |");
        for state in states {
            match step(*state, *trigger) {
                next if next == *state => table.push_str(" – |"),
                next => {
                    let _ = write!(table, " {next:?} |");
                }
            }
        }
    }
    table.push('\n');
    let path = format!("{}/docs/states/{name}.md", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(&path, &table).expect("the table can be written");
    }
    let written = std::fs::read_to_string(&path).expect("the table exists");
    assert_eq!(written, table, "run with UPDATE_STATES=1 and review the difference");
}
