//! Measuring side by side: all rows of a task run in one process and take turns in short slices, in an order that rotates
//! from round to round; the smallest time of each row counts.
//!
//! A shared machine has fast and slow phases, and a neighbour who comes and goes. Whoever is measured first and for long
//! meets another machine than whoever is measured last. Taking turns gives every row the same phases, and the minimum is
//! the time without the neighbour: what is left to compare is the code.

use std::env;
use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::json;

/// How long one turn of one row lasts.
const SLICE: Duration = Duration::from_millis(1);

/// One task, and who does it.
pub struct Turns<'a> {
    task: String,
    rows: Vec<Row<'a>>,
    rounds: usize,
}

struct Row<'a> {
    who: String,
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    slice: u64,
    best: f64,
}

impl<'a> Turns<'a> {
    /// A task that nobody does yet. The environment variable `BENCH_ROUNDS` says how many turns each row gets (60).
    pub fn new(task: impl Into<String>) -> Self {
        let rounds = env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(60);
        Self { task: task.into(), rows: Vec::new(), rounds }
    }

    /// A row whose closure does the task once. `ours` is this repository, a name that begins with `floor` a kernel that
    /// does the arithmetic and nothing else, every other name a peer.
    #[must_use]
    pub fn each(self, who: impl Into<String>, mut once: impl FnMut() + 'a) -> Self {
        self.timed(who, move |count| {
            let start = Instant::now();
            for _ in 0..count {
                once();
            }
            start.elapsed()
        })
    }

    /// A row whose closure does the task so many times and says how long that took; for what has to be made ready
    /// between the times and shall not count.
    #[must_use]
    pub fn timed(mut self, who: impl Into<String>, run: impl FnMut(u64) -> Duration + 'a) -> Self {
        self.rows.push(Row { who: who.into(), run: Box::new(run), slice: 1, best: f64::INFINITY });
        self
    }

    /// Measures, prints the table, and adds the rows to the file named by the environment variable `BENCH_RESULTS`.
    /// Does nothing when the program's first argument is a text that the task's name does not contain.
    ///
    /// # Panics
    /// When that file cannot be written.
    pub fn finish(mut self) {
        let wanted = env::args().skip(1).find(|argument| !argument.starts_with('-'));
        if wanted.is_some_and(|wanted| !self.task.contains(&wanted)) {
            return;
        }
        for row in &mut self.rows {
            row.warm_up();
        }
        let number = self.rows.len();
        for round in 0..self.rounds {
            for turn in 0..number {
                self.rows[(round + turn) % number].turn();
            }
        }
        self.rows.sort_by(|left, right| left.best.total_cmp(&right.best));
        let ours = self.rows.iter().find(|row| row.who == "ours").map(|row| row.best);
        println!("\n{}", self.task);
        for row in &self.rows {
            let ratio = ours.map_or_else(String::new, |ours| format!("{:>8.2} x ours", row.best / ours));
            println!("  {:<44} {:>12.1} ns {ratio}", row.who, row.best);
        }
        if let Some(file) = env::var_os("BENCH_RESULTS") {
            let mut file =
                OpenOptions::new().create(true).append(true).open(file).expect("the file for results");
            for row in &self.rows {
                writeln!(file, "{}", json!({ "task": self.task, "who": row.who, "ns": row.best }))
                    .expect("a line of results");
            }
        }
    }
}

impl fmt::Debug for Turns<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<&str> = self.rows.iter().map(|row| row.who.as_str()).collect();
        f.debug_struct("Turns").field("task", &self.task).field("rows", &rows).finish_non_exhaustive()
    }
}

impl Row<'_> {
    /// Finds how many times fit into a slice.
    fn warm_up(&mut self) {
        loop {
            let elapsed = (self.run)(self.slice);
            if elapsed >= SLICE / 2 || self.slice >= 1 << 30 {
                let scale = SLICE.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
                self.slice = ((self.slice as f64 * scale) as u64).max(1);
                return;
            }
            self.slice *= 2;
        }
    }

    fn turn(&mut self) {
        let elapsed = (self.run)(self.slice);
        self.best = self.best.min(elapsed.as_nanos() as f64 / self.slice as f64);
    }
}
