//! One step of a task: a command whose output is kept until it is known whether anybody wants to read it.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::root;

/// A command with a name for people.
pub(crate) struct Step {
    name: String,
    command: Command,
    echo: Echo,
}

/// What of a good step's output is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// Nothing.
    Nothing,
    /// The lines that count tests.
    Tests,
}

/// How a step went.
pub(crate) struct Done {
    pub(crate) good: bool,
    /// Standard output.
    pub(crate) output: String,
    pub(crate) counts: Counts,
}

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Reads `test result: ok. 12 passed; 0 failed; …`.
    fn of(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let mut counts = counts.split("; ");
        let mut count = |word| counts.next()?.strip_suffix(word)?.trim().parse().ok();
        Some(Self { passed: count("passed")?, failed: count("failed")? })
    }
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(root()).stdin(Stdio::null());
        Self { name: name.into(), command, echo: Echo::Nothing }
    }

    /// A step that runs the cargo that runs us.
    pub(crate) fn cargo(name: impl Into<String>) -> Self {
        Self::new(name, std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Whether a program can be started.
    pub(crate) fn is_there(program: &str) -> bool {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    pub(crate) fn arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn echo(mut self, echo: Echo) -> Self {
        self.echo = echo;
        self
    }

    /// Runs the command, says how long it took, and shows everything if it failed.
    pub(crate) fn run(self) -> Done {
        let Self { name, mut command, echo } = self;
        eprintln!("==> {name}");
        let start = Instant::now();
        let done = observe(&mut command, echo);
        let seconds = start.elapsed().as_secs_f64();
        match done {
            Ok((good, output, errors)) => {
                let counts =
                    output.lines().filter_map(Counts::of).fold(Counts::default(), |mut sum, counts| {
                        sum.add(counts);
                        sum
                    });
                if good {
                    eprintln!("    good, {seconds:.1} s");
                } else {
                    eprintln!("    FAILED, {seconds:.1} s: everything it said follows");
                    // Both are shown whole; a broken pipe is the reader's wish.
                    let _ = io::stderr().write_all(errors.as_bytes());
                    let _ = io::stdout().write_all(output.as_bytes());
                    let _ = io::stdout().flush();
                }
                Done { good, output, counts }
            }
            Err(error) => {
                eprintln!("    FAILED: {} could not be run: {error}", command.get_program().display());
                Done { good: false, output: String::new(), counts: Counts::default() }
            }
        }
    }
}

/// Runs the command; standard error is collected beside standard output, so that neither can block the other.
fn observe(command: &mut Command, echo: Echo) -> io::Result<(bool, String, String)> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let errors = child.stderr.take().map(|mut errors| {
        thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        })
    });
    let mut output = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            if echo == Echo::Tests && Counts::of(&line).is_some_and(|counts| counts != Counts::default()) {
                println!("{line}");
            }
            output.push_str(&line);
            output.push('\n');
        }
    }
    let good = child.wait()?.success();
    let errors = errors.and_then(|errors| errors.join().ok()).unwrap_or_default();
    Ok((good, output, errors))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_the_lines_of_cargo() {
        let line =
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s";
        assert_eq!(Counts::of(line), Some(Counts { passed: 12, failed: 0 }));
        let line = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s";
        assert_eq!(Counts::of(line), Some(Counts { passed: 3, failed: 2 }));
        assert_eq!(Counts::of("test a ... ok"), None);
    }

    #[test]
    fn a_step_that_fails_says_so_and_keeps_its_output() {
        let done = Step::new("sh", "sh").arguments(["-c", "echo out; echo err >&2; exit 3"]).run();
        assert!(!done.good);
        assert_eq!(done.output, "out\n");
        assert!(!Step::new("none", "/does/not/exist").run().good);
    }
}
