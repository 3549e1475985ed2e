//! `cargo xtask fuzz`: the harnesses of `fuzz/` for a while.

use std::fs;

use crate::step::{Echo, Step};
use crate::{Outcome, root};

/// Which harness, and how long.
pub(crate) struct Options {
    target: Option<String>,
    seconds: u64,
}

impl Options {
    pub(crate) fn parse(options: &[&str]) -> Result<Self, String> {
        let seconds = |text: &str| text.parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
        let (target, seconds) = match options {
            [] => (None, Some(SECONDS)),
            [one] if seconds(one).is_some() => (None, seconds(one)),
            [target] => (Some(*target), Some(SECONDS)),
            [target, time] => (Some(*target), seconds(time)),
            [_, _, other, ..] => return Err(format!("`{other}` is too much")),
        };
        let seconds = seconds.ok_or("the time is 1 to 86400 seconds")?;
        if let Some(target) = target.filter(|target| !targets().iter().any(|known| known == target)) {
            return Err(format!("`{target}` is no target; there are {}", targets().join(", ")));
        }
        Ok(Self { target: target.map(str::to_owned), seconds })
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    let targets = options.target.clone().map_or_else(targets, |target| vec![target]);
    let mut good = true;
    for target in targets {
        let step = Step::cargo(format!("fuzz {target}, {} s a harness", options.seconds))
            .arguments(["test", "--release", "-p", "fuzz", "--test", &target, "--", "--test-threads", "1"])
            .variable("BOLERO_RANDOM_TEST_TIME_MS", &(options.seconds * 1000).to_string())
            .variable("BOLERO_RANDOM_ITERATIONS", &u32::MAX.to_string())
            .echo(Echo::Tests);
        good &= step.run().good;
    }
    if good { Outcome::Passed } else { Outcome::Failed }
}

/// The harnesses are the test programs of the package.
fn targets() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("fuzz/tests"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// How long each harness runs unless told.
const SECONDS: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_is_the_time_and_a_name_must_be_known() {
        let options = Options::parse(&["7"]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((options.target, options.seconds), (None, 7));
        let options = Options::parse(&["radio_link", "3"]).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((options.target.as_deref(), options.seconds), (Some("radio_link"), 3));
        assert!(Options::parse(&["nothing"]).is_err());
        assert!(Options::parse(&["radio_link", "0"]).is_err());
        assert!(Options::parse(&["radio_link", "1", "2"]).is_err());
    }
}
