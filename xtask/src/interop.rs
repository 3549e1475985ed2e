//! `cargo xtask interop`: tests with real programs, one or all, and the page of what they confirm.
//!
//! Each test says above itself what it shows and who confirms it: `/// Confirms: claim — program`.

use std::fmt::Write as _;
use std::fs;

use crate::packages;
use crate::root;
use crate::step::{Echo, Step};
use crate::{Outcome, confirmation};

/// What is run or written.
pub(crate) enum Options {
    /// All tests.
    All,
    /// The tests of a file, or those whose name contains the word.
    One(String),
    /// The page is written anew.
    Table,
}

impl Options {
    pub(crate) fn parse(options: &[&str]) -> Result<Self, String> {
        match options {
            [] => Ok(Self::All),
            ["--table"] => Ok(Self::Table),
            [name] if !name.starts_with('-') => Ok(Self::One((*name).to_owned())),
            [other, ..] => Err(format!("`{other}` is no option of interop")),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<Outcome, String> {
    let all = confirmation::of_the_repository()?;
    let name = match options {
        Options::Table => {
            let page = page(&all)?;
            fs::write(root().join(PAGE), page).map_err(|error| format!("{PAGE}: {error}"))?;
            println!("{PAGE}: {} tests", all.len());
            return Ok(Outcome::Passed);
        }
        Options::All => None,
        Options::One(name) => Some(name.as_str()),
    };
    let runs = selection(&all, name)?;
    if let Err(error) = packages::install() {
        eprintln!("==> tests with real programs\n    FAILED: {error}");
        return Ok(Outcome::Failed);
    }
    let mut good = true;
    for (title, arguments) in runs {
        let step = Step::cargo(title)
            .arguments(["test", "-p", "interop", "--features", "peers", "--no-fail-fast"])
            .arguments(arguments.iter().map(String::as_str));
        good &= step.echo(Echo::Tests).run().good;
    }
    Ok(if good { Outcome::Passed } else { Outcome::Failed })
}

/// A title and the arguments of one run of cargo.
type Run = (String, Vec<String>);

fn selection(all: &[confirmation::Test], name: Option<&str>) -> Result<Vec<Run>, String> {
    let Some(name) = name else { return Ok(vec![("tests with real programs".to_owned(), Vec::new())]) };
    if all.iter().any(|test| test.file == name) {
        return Ok(vec![(name.to_owned(), vec!["--test".to_owned(), name.to_owned()])]);
    }
    let mut runs: Vec<Run> = Vec::new();
    for test in all.iter().filter(|test| test.name.contains(name)) {
        let title = format!("{}: {name}", test.file);
        if !runs.iter().any(|(before, _)| *before == title) {
            runs.push((title, vec!["--test".to_owned(), test.file.clone(), name.to_owned()]));
        }
    }
    if runs.is_empty() { Err(format!("no test with real programs is called `{name}`")) } else { Ok(runs) }
}

/// The page: what is claimed, who confirms it, and the test that asks.
fn page(all: &[confirmation::Test]) -> Result<String, String> {
    let silent: Vec<String> = all
        .iter()
        .filter(|test| test.confirms.is_empty())
        .map(|test| format!("interop/tests/{}.rs: {}", test.file, test.name))
        .collect();
    if !silent.is_empty() {
        return Err(format!(
            "these tests do not say what they confirm (`/// Confirms: claim — program`):\n{}",
            silent.join("\n")
        ));
    }
    let mut page = HEAD.to_owned();
    let mut file = "";
    for test in all {
        if file != test.file {
            file = &test.file;
            let title = test.about.trim_end_matches('.');
            let _ =
                write!(page, "\n## {file}\n\n{title}.\n\n| claim | confirmed by | test |\n|---|---|---|\n");
        }
        for (claim, program) in &test.confirms {
            let _ = writeln!(page, "| {claim} | {program} | `{}` |", test.name);
        }
    }
    Ok(page)
}

const PAGE: &str = "docs/interop.md";
const HEAD: &str = "\
# What real programs confirm

Written by `cargo xtask interop --table` from what stands above each test in `interop/tests`; `cargo xtask test` checks that it is current.

```
cargo xtask interop                    all of them; installs the Debian packages of interop/peers/packages.txt first (as root)
cargo xtask interop sipe               the tests of one file
cargo xtask interop sipe_logs_in       the tests whose name contains a word
```

Every program runs in a folder of its own and, where it needs fixed ports or a real address, in a network of its own; the folder with its logs is kept and
named when a test fails.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_what_is_confirmed_is_current() {
        let all = confirmation::of_the_repository().expect("the tests can be read");
        let wanted = page(&all).expect("every test says what it confirms");
        let there = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
        assert!(there == wanted, "{PAGE} is not current: run `cargo xtask interop --table`");
    }

    #[test]
    fn one_test_is_found_by_its_file_or_by_a_word() {
        let all = confirmation::of_the_repository().expect("the tests can be read");
        assert_eq!(selection(&all, Some("sipe")).expect("a file")[0].1, ["--test", "sipe"]);
        let runs = selection(&all, Some("wrong_password")).expect("a word");
        assert!(runs.iter().any(|(_, arguments)| arguments == &["--test", "sipe", "wrong_password"]));
        assert!(selection(&all, Some("no_such_test")).is_err());
    }
}
