//! `cargo xtask bench`: the benchmarks, and how we compare within each.
//!
//! A benchmark has tasks. Within one the name `ours` is this repository, `floor` is a kernel that does the arithmetic and
//! nothing else, and every other name is a peer. Benchmarks that measure side by side (`benches::turns`) hand over the
//! smallest times; those of criterion leave medians in its folder.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::step::Step;
use crate::{Outcome, root, target};

/// Which benchmarks, and for whom.
pub(crate) struct Options {
    name: Option<String>,
    json: bool,
}

impl Options {
    pub(crate) fn parse(options: &[&str]) -> Result<Self, String> {
        let mut parsed = Self { name: None, json: false };
        for option in options {
            match *option {
                "--json" => parsed.json = true,
                name if !name.starts_with('-') && parsed.name.is_none() => {
                    parsed.name = Some(name.to_owned());
                }
                other => return Err(format!("`{other}` is no option of bench")),
            }
        }
        if let Some(name) = parsed.name.as_ref().filter(|name| !programs().contains(name)) {
            return Err(format!("`{name}` is no benchmark; there are: {}", programs().join(", ")));
        }
        Ok(parsed)
    }
}

pub(crate) fn run(options: &Options) -> Outcome {
    let programs = options.name.clone().map_or_else(programs, |name| vec![name]);
    if programs.is_empty() {
        eprintln!("there are no benchmarks in benches/benches");
        return Outcome::Failed;
    }
    let results = target().join("criterion");
    let turns = target().join("turns.jsonl");
    // Results of benchmarks that are gone must not be taken for new ones.
    let _ = fs::remove_dir_all(&results);
    let _ = fs::remove_file(&turns);
    let themes = fs::read_to_string(root().join("benches/Cargo.toml")).unwrap_or_default();
    for program in programs {
        let peers = format!("{program}-peers");
        let mut arguments = vec!["bench", "-p", "benches", "--bench", &program];
        if themes.lines().any(|line| line.starts_with(&format!("{peers} = "))) {
            arguments.extend(["--features", &peers]);
        }
        let step = Step::cargo(format!("benchmark {program}"));
        if !step.arguments(arguments).variable("BENCH_RESULTS", &turns.to_string_lossy()).run().good {
            return Outcome::Failed;
        }
    }
    let mut measured = measured(&results);
    taken_in_turns(&turns, &mut measured);
    if measured.is_empty() {
        eprintln!("the benchmarks left no results in {}", results.display());
        return Outcome::Failed;
    }
    for (task, rows) in &measured {
        let ours = rows.get("ours").copied();
        if options.json {
            for (who, nanoseconds) in rows {
                let ratio = ours.map(|ours| nanoseconds / ours);
                println!(
                    "{}",
                    json!({ "task": task, "who": who, "ns": nanoseconds, "ratio_to_ours": ratio })
                );
            }
        } else {
            print!("{}", table(task, rows, ours));
        }
    }
    Outcome::Passed
}

fn table(task: &str, rows: &BTreeMap<String, f64>, ours: Option<f64>) -> String {
    let mut text = format!("\n{task}\n");
    let mut sorted: Vec<_> = rows.iter().collect();
    sorted.sort_by(|(_, left), (_, right)| left.total_cmp(right));
    for (who, nanoseconds) in sorted {
        let ratio = ours.map_or_else(String::new, |ours| format!("{:>8.2} x ours", nanoseconds / ours));
        let _ = writeln!(text, "  {who:<32} {nanoseconds:>12.1} ns {ratio}");
    }
    text
}

/// Task, who, and the median in nanoseconds.
fn measured(results: &Path) -> BTreeMap<String, BTreeMap<String, f64>> {
    let mut tasks: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    let mut open = vec![results.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            }
        }
        if !folder.ends_with("new") {
            continue;
        }
        let read = |name: &str| -> Option<Value> {
            serde_json::from_str(&fs::read_to_string(folder.join(name)).ok()?).ok()
        };
        let (Some(benchmark), Some(estimates)) = (read("benchmark.json"), read("estimates.json")) else {
            continue;
        };
        let name = |member| benchmark.get(member).and_then(Value::as_str);
        let median = estimates.pointer("/median/point_estimate").and_then(Value::as_f64);
        if let (Some(task), Some(median)) = (name("group_id"), median) {
            let who = name("function_id").or_else(|| name("value_str")).unwrap_or("ours");
            tasks.entry(task.to_owned()).or_default().insert(who.to_owned(), median);
        }
    }
    tasks
}

/// The lines that `benches::turns` wrote: the smallest times.
fn taken_in_turns(file: &Path, tasks: &mut BTreeMap<String, BTreeMap<String, f64>>) {
    for line in fs::read_to_string(file).unwrap_or_default().lines() {
        let Ok(row) = serde_json::from_str::<Value>(line) else { continue };
        let text = |member| row.get(member).and_then(Value::as_str).map(str::to_owned);
        if let (Some(task), Some(who), Some(ns)) =
            (text("task"), text("who"), row.get("ns").and_then(Value::as_f64))
        {
            tasks.entry(task).or_default().insert(who, ns);
        }
    }
}

fn programs() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(root().join("benches/benches"))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_names_the_fastest_first_and_how_others_compare() {
        let rows = BTreeMap::from([
            ("ours".to_owned(), 100.0),
            ("peer".to_owned(), 250.0),
            ("floor".to_owned(), 50.0),
        ]);
        let text = table("protect", &rows, Some(100.0));
        let lines: Vec<_> = text.lines().skip(2).collect();
        assert!(lines[0].contains("floor") && lines[0].contains("0.50 x ours"), "{text}");
        assert!(lines[2].contains("peer") && lines[2].contains("2.50 x ours"), "{text}");
    }
}
