//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// One finding in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; none when the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        write!(f, ": {}: {}", self.what, self.remedy)
    }
}

/// All findings in a configuration file, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// A single finding about the file as a whole.
    pub fn about(file: &Path, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self(vec![Problem { file: file.to_owned(), line: None, what: what.into(), remedy: remedy.into() }])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The problem that the TOML reader reports, with the nearest known key as the remedy.
pub(super) fn from_toml(file: &Path, text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message().trim().replace('\n', ", ");
    let remedy = if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let mut names = message.split('`').skip(1).step_by(2);
        let written = names.next().unwrap_or_default();
        match names.min_by_key(|known| edit_distance(written, known)) {
            Some(known) if edit_distance(written, known) <= 1 + written.len() / 3 => {
                format!("did you mean `{known}`? Otherwise remove it")
            }
            _ => "remove it or use one of the names listed".to_owned(),
        }
    } else if message.starts_with("missing field") {
        "add this key".to_owned()
    } else if message.starts_with("invalid type") || message.starts_with("invalid value") {
        "write a value of the expected kind".to_owned()
    } else {
        "correct this line".to_owned()
    };
    Problem {
        file: file.to_owned(),
        line: error.span().map(|span| line_at(text, span.start)),
        what: message,
        remedy,
    }
}

/// The line, counted from 1, in which the octet at `offset` stands.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// Levenshtein distance; keys are short.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = Vec::with_capacity(row.len());
        next.push(left);
        for (above, cb) in row.iter().skip(1).zip(&b) {
            let cell = (above + 1).min(left + 1).min(diagonal + usize::from(ca != *cb));
            diagonal = *above;
            left = cell;
            next.push(cell);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distance_counts_insertions_deletions_and_changes() {
        for (a, b, expected) in
            [("gruu", "gruu", 0), ("gruuu", "gruu", 1), ("", "abc", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(edit_distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(line_at("a\nb\nc", 0), 1);
        assert_eq!(line_at("a\nb\nc", 2), 2);
        assert_eq!(line_at("a\nb\nc", 4), 3);
    }
}
