//! Finds the line of a key, so that a finding about its value can name it.

use toml::de::{DeTable, DeValue};

use super::problem::line_at;

/// One step on the way to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The key of a table.
    Key(&'a str),
    /// The place in a list.
    Index(usize),
}

/// The line of the key at the end of `path`, or of the nearest table above it that exists.
pub(super) fn line_of(text: &str, path: &[Step<'_>]) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(root.get_ref());
    let mut value: Option<&DeValue<'_>> = None;
    for step in path {
        let next = match (*step, table, value) {
            (Step::Key(name), Some(table), _) => {
                let Some((key, next)) = table.iter().find(|(key, _)| key.get_ref() == name) else { break };
                found = Some(key.span().start);
                next
            }
            (Step::Index(index), _, Some(value)) => {
                let Some(next) = value.as_array().and_then(|list| list.get(index)) else { break };
                found = Some(next.span().start);
                next
            }
            _ => break,
        };
        value = Some(next.get_ref());
        table = next.get_ref().as_table();
    }
    found.map(|offset| line_at(text, offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_tables_and_lists() {
        let text = "[sip]\ngruu = true\nproxies = [\n  { uri = \"a\" },\n  { uri = \"b\" },\n]\n[[user]]\nipei = \"1\"\n[[user]]\n\nipei = \"2\"\n";
        let cases: &[(&[Step<'_>], Option<usize>)] = &[
            (&[Step::Key("sip"), Step::Key("gruu")], Some(2)),
            (&[Step::Key("sip"), Step::Key("proxies"), Step::Index(1), Step::Key("uri")], Some(5)),
            (&[Step::Key("user"), Step::Index(1), Step::Key("ipei")], Some(11)),
            (&[Step::Key("sip"), Step::Key("absent")], Some(1)),
            (&[Step::Key("absent")], None),
        ];
        for (path, line) in cases {
            assert_eq!(line_of(text, path), *line, "{path:?}");
        }
    }
}
