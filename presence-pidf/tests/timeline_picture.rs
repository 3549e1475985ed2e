//! The picture of a handset's presence after a call, drawn from the machine.

#[path = "support/clock.rs"]
mod clock;

use std::fmt::Write;
use std::time::{Duration, Instant};

use presence_pidf::{CallKey, Event, HandsetPresence, Phase, PresenceConfig, Remote};

/// Minutes and phases, from two minutes before a call of three minutes to five after all is over.
fn timeline() -> Vec<(u64, Phase)> {
    let start = clock::origin();
    let minute = |minute: u64| start + Duration::from_mins(minute);
    let mut presence = HandsetPresence::new(start, PresenceConfig::new());
    let mut phases = Vec::new();
    let mut drain = |presence: &mut HandsetPresence, at: Instant| {
        while let Some(event) = presence.poll_event() {
            if let Event::Changed(publication) = event {
                phases.push(((at - start).as_secs() / 60, publication.phase));
            }
        }
    };
    drain(&mut presence, start);
    presence.answered(minute(2), CallKey(1), Remote::Party);
    drain(&mut presence, minute(2));
    presence.ended(minute(5), CallKey(1));
    drain(&mut presence, minute(5));
    while let Some(at) = presence.poll_timeout() {
        presence.handle_timeout(at);
        drain(&mut presence, at);
    }
    phases
}

fn picture() -> String {
    let phases = timeline();
    let end = 20;
    let mut text = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 130\" font-family=\"sans-serif\" font-size=\"14\">\n\
         <title>The presence of a handset: in a call, available for five minutes after it, inactive for five more, then away</title>\n",
    );
    for (index, (from, phase)) in phases.iter().enumerate() {
        let to = phases.get(index + 1).map_or(end, |(to, _)| *to);
        let (colour, label, number) = match phase {
            Phase::InCall => ("#c4314b", "In a call", "3500 and 6500"),
            Phase::InConference => ("#c4314b", "In a conference", "3500 and 7000"),
            Phase::Available => ("#6bb700", "Available", "3500"),
            Phase::Inactive => ("#c8d95a", "Inactive", "5000"),
            Phase::Away => ("#ffaa44", "Away", "15500"),
            Phase::Removed => ("#888888", "Removed", "none"),
        };
        let (x, width) = (30 + from * 40, (to - from) * 40);
        let middle = x + width / 2;
        let _ =
            writeln!(text, "<rect x=\"{x}\" y=\"30\" width=\"{width}\" height=\"50\" fill=\"{colour}\"/>");
        let _ = writeln!(text, "<text x=\"{middle}\" y=\"52\" text-anchor=\"middle\">{label}</text>");
        let _ = writeln!(
            text,
            "<text x=\"{middle}\" y=\"71\" text-anchor=\"middle\" font-size=\"11\">{number}</text>"
        );
        let _ = writeln!(text, "<text x=\"{x}\" y=\"100\" text-anchor=\"middle\">{from} min</text>");
    }
    text.push_str(
        "<text x=\"110\" y=\"20\" text-anchor=\"middle\">answered</text>\n<text x=\"230\" y=\"20\" text-anchor=\"middle\">ended</text>\n\
         <text x=\"430\" y=\"122\" text-anchor=\"middle\" font-size=\"11\">drawn from the machine by tests/timeline_picture.rs</text>\n</svg>\n",
    );
    text
}

#[test]
fn the_picture_in_the_documentation_is_the_machine() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pictures/timeline.svg");
    if std::env::var_os("UPDATE_STATES").is_some() {
        std::fs::write(path, picture()).expect("the picture can be written");
    }
    let written = std::fs::read_to_string(path).expect("the picture exists");
    assert_eq!(written, picture(), "run with UPDATE_STATES=1 and look at it");
}
