//! `check`: the self test. One line a check; what fails says what to do.

mod certificate;
mod network;

use std::fmt;
use std::path::Path;
use std::time::SystemTime;

use crate::config::{Configuration, StoreUrl};
use crate::net::tls::TlsContext;
use crate::store::Store;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, but somebody should know.
    Note,
    /// It will not work.
    Fail,
}

/// One line of the self test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it came out.
    pub outcome: Outcome,
    /// What was checked.
    pub subject: String,
    /// What was found and, unless all is well, what to do.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::Ok => "ok  ",
            Outcome::Note => "note",
            Outcome::Fail => "FAIL",
        };
        write!(f, "{outcome}  {}: {}", self.subject, self.text)
    }
}

/// Where findings go, one by one as they are made.
pub(crate) struct Report<'a> {
    tell: &'a mut (dyn FnMut(&Finding) + Send),
    worst: Outcome,
}

impl Report<'_> {
    pub(crate) fn add(&mut self, outcome: Outcome, subject: impl Into<String>, text: impl Into<String>) {
        self.worst = self.worst.max(outcome);
        (self.tell)(&Finding { outcome, subject: subject.into(), text: text.into() });
    }
}

/// Checks a configuration and the world around it; gives the worst outcome.
pub async fn check(file: &Path, tell: &mut (dyn FnMut(&Finding) + Send)) -> Outcome {
    let mut report = Report { tell, worst: Outcome::Ok };
    let configuration = match Configuration::load(file) {
        Ok(configuration) => configuration,
        Err(problems) => {
            for problem in problems.0 {
                report.add(Outcome::Fail, "configuration", problem.to_string());
            }
            return report.worst;
        }
    };
    let users = configuration.users.iter().filter(|user| !user.disabled).count();
    report.add(Outcome::Ok, "configuration", format!("{} is in order, {users} users", file.display()));
    clock(&mut report, SystemTime::now());
    let tls = match TlsContext::load(&configuration) {
        Ok(tls) => tls,
        Err(error) => {
            report.add(Outcome::Fail, "certificate", error.to_string());
            None
        }
    };
    if let Some(tls) = &tls {
        certificate::check(&mut report, &configuration, tls, SystemTime::now());
    }
    network::own_name(&mut report, &configuration).await;
    network::doors(&mut report, &configuration).await;
    network::voice(&mut report, &configuration);
    store(&mut report, &configuration);
    network::proxies(&mut report, &configuration, tls.as_ref()).await;
    report.worst
}

/// The clock is at least not before this program was written.
fn clock(report: &mut Report<'_>, now: SystemTime) {
    let earliest = time::macros::datetime!(2026-11-01 0:00 UTC);
    let now = time::OffsetDateTime::from(now);
    let text = now.format(&time::format_description::well_known::Rfc3339).unwrap_or_else(|_| now.to_string());
    let text = text.split('.').next().unwrap_or_default().trim_end_matches('Z');
    if now < earliest || now.year() > 2100 {
        report.add(
            Outcome::Fail,
            "clock",
            format!("it says {text} UTC, which cannot be: set it, best by NTP; certificates depend on it"),
        );
    } else {
        report.add(Outcome::Ok, "clock", format!("{text} UTC"));
    }
}

fn store(report: &mut Report<'_>, configuration: &Configuration) {
    let StoreUrl::Sqlite(file) = &configuration.store.url;
    let opened = if file.exists() {
        Store::open(&configuration.store.url)
            .and_then(|store| store.has_administrator())
            .map_err(|e| e.to_string())
    } else {
        writable(file).map(|()| false)
    };
    match opened {
        Ok(true) => report.add(Outcome::Ok, "store", format!("{} can be written", file.display())),
        Ok(false) => report.add(
            Outcome::Note,
            "store",
            format!(
                "{} can be written, but has no administrator: nobody can log in to the web page; `ipdect-server init DIR` \
                 makes one",
                file.display()
            ),
        ),
        Err(error) => report.add(Outcome::Fail, "store", error),
    }
}

/// Whether a file could be made where there is none yet; leaves nothing behind.
fn writable(file: &Path) -> Result<(), String> {
    let mut folder = file.parent().unwrap_or_else(|| Path::new("."));
    while !folder.exists() {
        let Some(parent) = folder.parent() else { break };
        folder = parent;
    }
    let probe = folder.join(format!(".ipdect-check-{}", std::process::id()));
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(|error| {
        format!(
            "the data folder {} cannot be written ({error}): make it writable for the user that runs the server",
            folder.display()
        )
    })
}
