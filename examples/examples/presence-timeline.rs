//! Plays a handset's day and prints each change of its presence: JSON lines in, JSON lines out.
//!
//! ```text
//! $ printf '%s\n' '{"t":0,"ev":"answered","call":"a"}' '{"t":60000,"ev":"ended","call":"a"}' '{"t":9000000,"ev":"until"}' \
//!     | cargo run -q --example presence-timeline
//! {"t":0,"phase":"Away","machine":15500,"phone":null,"activity":null}
//! {"t":0,"phase":"InCall","machine":3500,"phone":6500,"activity":"on-the-phone"}
//! {"t":60000,"phase":"Available","machine":3500,"phone":null,"activity":null}
//! {"t":360000,"phase":"Inactive","machine":5000,"phone":null,"activity":null}
//! {"t":660000,"phase":"Away","machine":15500,"phone":null,"activity":null}
//! ```

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use clap::{Parser, ValueEnum};
use presence_pidf::msrtc::PresentityDocument;
use presence_pidf::pidf::HandsetDocument;
use presence_pidf::{
    Activity, CallKey, CountedActivity, Dnd, Event, HandsetPresence, OutOfRange, PresenceConfig, Publication,
    Remote, ShowConference,
};
use serde_json::{Value, json};

/// Plays a handset's day and prints each change of its presence
#[derive(Clone, Debug, Parser)]
#[command(name = "presence-timeline")]
pub(crate) struct Options {
    /// How long a user is available after a call, in milliseconds
    #[arg(long, value_name = "N", default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    t1_ms: u64,
    /// How long a user is inactive after that, in milliseconds
    #[arg(long, value_name = "N", default_value_t = 300_000, value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    t2_ms: u64,
    /// What the loss of the handset does
    #[arg(long, value_enum, default_value_t = OutOfRangeOption::Keep)]
    out_of_range: OutOfRangeOption,
    /// What the key for silence does
    #[arg(long, value_enum, default_value_t = DndOption::Local)]
    dnd: DndOption,
    /// Tell conferences from other calls
    #[arg(long)]
    show_conference: bool,
    /// What counts as use of the handset
    #[arg(long, value_enum, default_value_t = ActivityOption::Calls)]
    activity: ActivityOption,
    /// What is printed of each change
    #[arg(long, value_enum, default_value_t = Format::States)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutOfRangeOption {
    Keep,
    Away,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DndOption {
    Local,
    Publish,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ActivityOption {
    Calls,
    AnyUse,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    States,
    Pidf,
    Msrtc,
}

/// A line that cannot be played: what is wrong, and at which octet of the line.
struct Bad {
    error: String,
    at: usize,
}

struct Timeline {
    options: Options,
    presence: HandsetPresence,
    /// The moment of `t` = 0.
    start: Instant,
    /// The present, in milliseconds.
    t: u64,
    /// How far the wall clock was set forward or back, in milliseconds.
    wall_step: i64,
    calls: BTreeMap<String, CallKey>,
    calls_seen: u64,
}

impl Timeline {
    fn new(options: Options, start: Instant) -> Self {
        let mut config = PresenceConfig::new();
        config.t1 = Duration::from_millis(options.t1_ms);
        config.t2 = Duration::from_millis(options.t2_ms);
        config.out_of_range = match options.out_of_range {
            OutOfRangeOption::Keep => OutOfRange::Keep,
            OutOfRangeOption::Away => OutOfRange::Away,
        };
        config.dnd = match options.dnd {
            DndOption::Local => Dnd::Local,
            DndOption::Publish => Dnd::Publish,
        };
        config.show_conference =
            if options.show_conference { ShowConference::Yes } else { ShowConference::No };
        config.activity = match options.activity {
            ActivityOption::Calls => CountedActivity::Calls,
            ActivityOption::AnyUse => CountedActivity::AnyUse,
        };
        let presence = HandsetPresence::new(start, config);
        Self { options, presence, start, t: 0, wall_step: 0, calls: BTreeMap::new(), calls_seen: 0 }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.t)
    }

    /// Plays one line. What happens at the same moment is printed together, when time goes on.
    fn play(&mut self, line: &str, output: &mut impl Write) -> io::Result<()> {
        match self.read(line) {
            Ok((t, event)) => {
                self.pass(t, output)?;
                match self.perform(&event) {
                    // A restarted server publishes in any case.
                    Ok(()) if event.get("ev") == Some(&json!("restart")) => self.print(output),
                    Ok(()) => Ok(()),
                    Err(error) => bad(output, &Bad { at: place(line, &error), error }),
                }
            }
            Err(error) => bad(output, &error),
        }
    }

    fn read(&self, line: &str) -> Result<(u64, Value), Bad> {
        let event: Value = serde_json::from_str(line).map_err(|error| {
            let at = error.column().saturating_sub(1).min(line.len());
            Bad { error: format!("not JSON: {error}"), at }
        })?;
        let wrong = |error: &str, member: &str| Bad { error: error.to_owned(), at: place(line, member) };
        let t = event.get("t").and_then(Value::as_u64).filter(|t| *t <= T_MAX);
        let t = t.ok_or_else(|| wrong("`t` must be a whole number of milliseconds", "t"))?;
        if t < self.t {
            return Err(wrong(&format!("time goes back: {t} after {}", self.t), "t"));
        }
        if !event.get("ev").is_some_and(Value::is_string) {
            return Err(wrong("`ev` must say what happens", "ev"));
        }
        Ok((t, event))
    }

    /// Lets time pass to `t`, deadline by deadline.
    fn pass(&mut self, t: u64, output: &mut impl Write) -> io::Result<()> {
        if t == self.t {
            return Ok(());
        }
        self.print(output)?;
        let end = self.start + Duration::from_millis(t);
        while let Some(at) = self.presence.poll_timeout().filter(|at| *at < end) {
            self.t = u64::try_from((at - self.start).as_millis()).unwrap_or(t);
            self.presence.handle_timeout(at);
            self.print(output)?;
        }
        self.t = t;
        self.presence.handle_timeout(end);
        Ok(())
    }

    fn perform(&mut self, event: &Value) -> Result<(), String> {
        let now = self.now();
        match event.get("ev").and_then(Value::as_str).unwrap_or_default() {
            "answered" => {
                let conference = match event.get("conference") {
                    None | Some(Value::Null) => false,
                    Some(Value::Bool(conference)) => *conference,
                    Some(_) => return Err("conference".to_owned()),
                };
                let remote = if conference { Remote::Conference } else { Remote::Party };
                let name = call(event)?.to_owned();
                let next = CallKey(self.calls_seen);
                self.calls_seen += 1;
                let key = *self.calls.entry(name).or_insert(next);
                self.presence.answered(now, key, remote);
            }
            "ended" => {
                if let Some(key) = self.calls.remove(call(event)?) {
                    self.presence.ended(now, key);
                }
            }
            "held" => {
                if let Some(key) = self.calls.get(call(event)?) {
                    self.presence.held(now, *key);
                }
            }
            "resumed" => {
                if let Some(key) = self.calls.get(call(event)?) {
                    self.presence.resumed(now, *key);
                }
            }
            "dialling" | "failed" | "rejected" => self.presence.used(now),
            // Nobody has touched the handset.
            "ringing" | "early_media" | "missed" | "until" => {}
            "handset_lost" => {
                self.calls.clear();
                self.presence.handset_lost(now);
            }
            "handset_back" => self.presence.handset_back(now),
            "dnd_on" => self.presence.dnd_on(now),
            "dnd_off" => self.presence.dnd_off(now),
            "disabled" => {
                self.calls.clear();
                self.presence.disabled(now);
            }
            "enabled" => self.presence.enabled(now),
            "wallclock_step" => {
                let step = event.get("ms").and_then(Value::as_i64).ok_or("ms")?;
                self.wall_step = self.wall_step.saturating_add(step);
            }
            "restart" => {
                self.calls.clear();
                let age = match event.get("stored_end_age_ms") {
                    None | Some(Value::Null) => None,
                    // A stored end in the future (a clock was set back) is no end.
                    Some(age) if age.as_i64().is_some_and(|age| age < 0) => None,
                    Some(age) => Some(Duration::from_millis(age.as_u64().ok_or("stored_end_age_ms")?)),
                };
                self.presence.restart(now, age);
            }
            _ => return Err("ev".to_owned()),
        }
        Ok(())
    }

    /// Prints what has changed.
    fn print(&mut self, output: &mut impl Write) -> io::Result<()> {
        while let Some(event) = self.presence.poll_event() {
            let Event::Changed(publication) = event else { continue };
            let line = match self.options.format {
                Format::States => self.states(&publication),
                Format::Pidf => self.document(&self.pidf(&publication)),
                Format::Msrtc => self.document(&msrtc(&publication)),
            };
            writeln!(output, "{line}")?;
        }
        Ok(())
    }

    fn states(&self, publication: &Publication) -> String {
        let number =
            |number: Option<u16>| number.map_or_else(|| "null".to_owned(), |number| number.to_string());
        let activity = publication.activity.map(Activity::token);
        let user = match self.options.dnd {
            DndOption::Local => String::new(),
            DndOption::Publish => format!(",\"user\":{}", number(publication.user)),
        };
        format!(
            "{{\"t\":{},\"phase\":\"{:?}\",\"machine\":{},\"phone\":{},\"activity\":{}{user}}}",
            self.t,
            publication.phase,
            number(publication.machine),
            number(publication.phone),
            json!(activity)
        )
    }

    fn document(&self, document: &BytesMut) -> String {
        format!("{{\"t\":{},\"document\":{}}}", self.t, json!(String::from_utf8_lossy(document)))
    }

    fn pidf(&self, publication: &Publication) -> BytesMut {
        let wall = self.wall();
        let age = self.presence.last_end_age(self.now());
        let document = HandsetDocument {
            entity: ENTITY.to_owned(),
            contact: ENTITY.to_owned(),
            phase: publication.phase,
            last_input: age.map(|age| wall.checked_sub(age).unwrap_or(UNIX_EPOCH)),
            idle_threshold: Duration::from_millis(self.options.t1_ms),
            timestamp: wall,
        };
        let mut out = BytesMut::new();
        document.emit(&mut out);
        out
    }

    /// What the clock on the wall shows, never before 1970.
    fn wall(&self) -> SystemTime {
        let millis = i64::try_from(self.t).unwrap_or(i64::MAX).saturating_add(self.wall_step).max(0);
        UNIX_EPOCH + Duration::from_millis(millis.unsigned_abs().min(T_MAX))
    }
}

fn msrtc(publication: &Publication) -> BytesMut {
    let mut out = BytesMut::new();
    PresentityDocument { uri: ENTITY.to_owned(), phase: publication.phase }.emit(&mut out);
    out
}

fn call(event: &Value) -> Result<&str, String> {
    event.get("call").and_then(Value::as_str).ok_or_else(|| "call".to_owned())
}

/// Where a member stands in the line.
fn place(line: &str, member: &str) -> usize {
    line.find(&format!("\"{member}\"")).unwrap_or(0)
}

fn bad(output: &mut impl Write, bad: &Bad) -> io::Result<()> {
    let error = match bad.error.as_str() {
        "ev" => "unknown `ev`",
        "call" => "`call` must name the call",
        "conference" => "`conference` must be true or false",
        "ms" => "`ms` must be a whole number of milliseconds",
        "stored_end_age_ms" => "`stored_end_age_ms` must be a whole number of milliseconds",
        other => other,
    };
    writeln!(output, "{{\"ok\":false,\"error\":{},\"at\":{}}}", json!(error), bad.at)
}

/// Plays all lines of the input. At its end no time passes.
pub(crate) fn run(
    options: Options,
    start: Instant,
    input: impl BufRead,
    output: &mut impl Write,
) -> io::Result<()> {
    let mut timeline = Timeline::new(options, start);
    timeline.print(output)?;
    for line in input.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if !line.trim().is_empty() {
            timeline.play(line.trim_end(), output)?;
        }
    }
    timeline.print(output)?;
    output.flush()
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut output = io::BufWriter::new(io::stdout().lock());
    match run(options, Instant::now(), io::stdin().lock(), &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("presence-timeline: {error}");
            ExitCode::FAILURE
        }
    }
}

const ENTITY: &str = "sip:handset@example.net";
/// Far beyond any timeline, and far from the end of any clock.
const T_MAX: u64 = 1 << 53;
