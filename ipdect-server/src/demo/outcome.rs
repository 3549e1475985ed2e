//! What the demonstration saw: a table for people, one object for machines.

use std::fmt::Write;

use serde::Serialize;

/// The final object of `demo --json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Whether every step held.
    pub ok: bool,
    /// Why not, if not.
    pub error: Option<String>,
    /// Handsets that took part.
    pub handsets: usize,
    /// Handsets that were registered at the front end.
    pub registered: usize,
    /// The calls, in order.
    pub calls: Vec<CallOutcome>,
    /// Presence of the first handset from its call on, in order, as the front end was told.
    pub presence: Vec<String>,
    /// Whether a handset was sent on to another one; nothing where there is only one.
    pub transferred: Option<bool>,
    /// Address of the web page.
    pub web: String,
    /// How long the story took.
    pub seconds: f64,
    /// Largest resident memory of the whole process, simulators included.
    pub memory_mib: Option<f64>,
}

/// One call.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CallOutcome {
    /// `handset-to-lync` or `lync-to-handset`.
    pub direction: &'static str,
    /// Whether it was answered.
    pub answered: bool,
    /// Whether speech was encrypted between server and Lync user.
    pub srtp: bool,
    /// With which suite.
    pub suite: Option<String>,
    /// Master key identifier that the Lync user agreed on.
    pub mki: Option<u64>,
    /// Lifetime of the offered key, as it was written.
    pub lifetime: Option<String>,
    /// Whether it was held and retrieved.
    pub held_and_retrieved: bool,
    /// Packets that the Lync user sent.
    pub packets_sent: u64,
    /// Packets that the Lync user received.
    pub packets_received: u64,
    /// The smaller of both ways: how well what was heard is what was spoken.
    pub audio_match: f64,
    /// From the caller's key to the ringing at the other end.
    pub setup_ms: u64,
}

/// The summary for people.
pub(super) fn table(outcome: &Outcome) -> String {
    let mut text = String::new();
    let yes = |so: bool| if so { "yes" } else { "no" };
    let _ = writeln!(
        text,
        "  {:<18}{:>10}{:>8}{:>6}{:>10}{:>10}{:>9}{:>9}",
        "call", "answered", "SRTP", "MKI", "sent", "received", "match", "set-up"
    );
    for call in &outcome.calls {
        let mki = call.mki.map_or_else(|| "-".to_owned(), |mki| mki.to_string());
        let _ = writeln!(
            text,
            "  {:<18}{:>10}{:>8}{:>6}{:>10}{:>10}{:>9.3}{:>6} ms",
            call.direction,
            yes(call.answered),
            yes(call.srtp),
            mki,
            call.packets_sent,
            call.packets_received,
            call.audio_match,
            call.setup_ms
        );
    }
    let _ = writeln!(text, "\n  handsets registered  {} of {}", outcome.registered, outcome.handsets);
    let _ = writeln!(text, "  presence             {}", outcome.presence.join(" → "));
    if outcome.transferred == Some(true) {
        let _ = writeln!(text, "  transfer             from one handset to another");
    }
    let memory = outcome.memory_mib.map_or_else(|| "unknown".to_owned(), |mib| format!("{mib:.0} MiB"));
    let _ = writeln!(
        text,
        "  the whole story      {:.1} s, {memory} resident, simulators included",
        outcome.seconds
    );
    text
}

/// Largest resident memory of this process so far, where the system tells.
pub(super) fn resident_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_what_the_contract_names() {
        let outcome = Outcome { calls: vec![CallOutcome::default()], ..Outcome::default() };
        let json = serde_json::to_value(&outcome).expect("plain data");
        for name in ["ok", "handsets", "registered", "calls", "presence", "web"] {
            assert!(json.get(name).is_some(), "{name}");
        }
        for name in [
            "direction",
            "answered",
            "srtp",
            "suite",
            "mki",
            "packets_sent",
            "packets_received",
            "audio_match",
            "setup_ms",
        ] {
            assert!(json["calls"][0].get(name).is_some(), "{name}");
        }
    }
}
