//! The tasks of this repository: `cargo xtask test`, `cargo xtask interop`, `cargo xtask bench`, `cargo xtask fuzz`.
#![forbid(unsafe_code)]

mod bench;
mod confirmation;
mod fuzz;
mod interop;
mod packages;
mod step;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--no-peers]          everything that is checked before a change is taken
cargo xtask interop [NAME | --table]    tests with real programs: all, a file, a name; or the page of what they confirm
cargo xtask bench [NAME] [--json]      the benchmarks side by side, and how many times faster or slower we are
cargo xtask fuzz [TARGET] [SECONDS]    arbitrary input for every parser, or for one; 10 seconds each unless told";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["test", options @ ..] => test::Options::parse(options).map(|options| test::run(&options)),
        ["interop", options @ ..] => {
            interop::Options::parse(options).and_then(|options| interop::run(&options))
        }
        ["bench", options @ ..] => bench::Options::parse(options).map(|options| bench::run(&options)),
        ["fuzz", options @ ..] => fuzz::Options::parse(options).map(|options| fuzz::run(&options)),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        [] => Err("say what to do".to_owned()),
        [other, ..] => Err(format!("`{other}` is no task")),
    };
    match result {
        Ok(Outcome::Passed) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// How a task ended; what was wrong has been printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
}

/// The root of the repository.
fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Where cargo puts what it builds.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
