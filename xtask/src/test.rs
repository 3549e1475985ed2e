//! `cargo xtask test`: format, lints, documentation, the demonstration, all tests, and the tests with real programs.

use serde_json::Value;

use crate::Outcome;
use crate::packages;
use crate::step::{Counts, Echo, Step};

/// What is left out.
pub(crate) struct Options {
    peers: Peers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Peers {
    With,
    Without,
}

impl Options {
    pub(crate) fn parse(options: &[&str]) -> Result<Self, String> {
        match options {
            [] => Ok(Self { peers: Peers::With }),
            ["--no-peers"] => Ok(Self { peers: Peers::Without }),
            [other, ..] => Err(format!("`{other}` is no option of test")),
        }
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    let mut tally = Tally::default();
    let features = peers(options, &mut tally);
    let checks = [
        Step::cargo("format").arguments(["fmt", "--all", "--check"]),
        Step::cargo("lints")
            .arguments(["clippy", "--quiet", "--workspace", "--all-targets"])
            .arguments(features.iter().copied())
            .arguments(["--", "-D", "warnings"]),
        Step::cargo("documentation")
            .arguments(["doc", "--quiet", "--workspace", "--no-deps"])
            .variable("RUSTDOCFLAGS", "-D warnings"),
    ];
    for check in checks {
        tally.step(check.run().good);
    }
    licences(&mut tally);
    tally.step(demonstration());
    let title = if features.is_empty() {
        "tests: unit, scenario and system"
    } else {
        "tests: unit, scenario and system, and with real programs"
    };
    tally.tests(
        Step::cargo(title)
            .arguments(["test", "--workspace", "--no-fail-fast"])
            .arguments(features.iter().copied())
            // The same inputs each time, so that a run that passed passes again; `cargo xtask fuzz` looks for new ones.
            .variable("BOLERO_RANDOM_SEED", "1")
            .variable("PROPTEST_RNG_SEED", "1"),
    );
    tally.close()
}

/// Installs the real programs and gives what cargo is told for the tests with them. These are linted, built and run with all
/// others in one go: alone they would have other features of what they depend on, and half of the workspace would be built again.
fn peers(options: &Options, tally: &mut Tally) -> &'static [&'static str] {
    match options.peers {
        Peers::Without => {
            eprintln!("==> tests with real programs: LEFT OUT (--no-peers)");
            &[]
        }
        Peers::With => match packages::install() {
            Ok(()) => &["--features", "interop/peers"],
            Err(error) => {
                eprintln!("==> tests with real programs\n    FAILED: {error}");
                tally.step(false);
                &[]
            }
        },
    }
}

/// Licences, sources and advisories of what we build on; needs a tool that is not part of Rust.
fn licences(tally: &mut Tally) {
    if Step::is_there("cargo-deny") {
        tally.step(
            Step::cargo("licences and sources")
                .arguments(["deny", "check", "licenses", "bans", "sources"])
                .run()
                .good,
        );
    } else {
        eprintln!("==> licences and sources: NOT CHECKED, cargo-deny is not installed");
    }
}

/// The demonstration, as a stranger starts it: it must end well and say so.
fn demonstration() -> bool {
    let done = Step::cargo("demonstration (release)")
        .arguments(["run", "--quiet", "--release", "-p", "ipdect-server", "--", "demo", "--once", "--json"])
        .run();
    if !done.good {
        return false;
    }
    let last = done.output.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    match serde_json::from_str::<Value>(last) {
        Ok(story) if story.get("ok") == Some(&Value::Bool(true)) => true,
        _ => {
            eprintln!("    FAILED: the last line is no story that ended well: {last}");
            false
        }
    }
}

/// What went well and what did not.
#[derive(Default)]
struct Tally {
    steps: Counts,
    tests: Counts,
    /// Failed steps whose failures are among `tests`.
    counted: u64,
}

impl Tally {
    fn step(&mut self, good: bool) {
        self.steps.add(Counts { passed: u64::from(good), failed: u64::from(!good) });
    }

    fn tests(&mut self, step: Step) {
        let done = step.echo(Echo::Tests).run();
        self.tests.add(done.counts);
        self.step(done.good);
        // A test that does not compile, or ends its process, is not counted by cargo; others are not counted twice.
        self.counted += u64::from(!done.good && done.counts.failed > 0);
    }

    fn close(self) -> Outcome {
        let Counts { passed, failed } = self.tests;
        eprintln!("==> {} steps good, {} failed", self.steps.passed, self.steps.failed);
        let failed = failed + self.steps.failed - self.counted;
        println!("{passed} passed, {failed} failed");
        if failed == 0 { Outcome::Passed } else { Outcome::Failed }
    }
}
