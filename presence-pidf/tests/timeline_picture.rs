//! The picture of a handset's presence after a call, drawn from the machine.

#[path = "support/clock.rs"]
mod clock;

use std::fmt::Write;
use std::time::{Duration, Instant};

use presence_pidf::{CallKey, Event, HandsetPresence, Phase, PresenceConfig, Publication, Remote};

const ANSWERED: u64 = 2;
const ENDED: u64 = 5;
/// What is shown ends here.
const END: u64 = 20;

/// Minutes and what is published, from two minutes before a call of three minutes to five after all is over.
fn timeline() -> Vec<(u64, Publication)> {
    let start = clock::origin();
    let minute = |minute: u64| start + Duration::from_mins(minute);
    let mut presence = HandsetPresence::new(start, PresenceConfig::new());
    let mut changes = Vec::new();
    let mut drain = |presence: &mut HandsetPresence, at: Instant| {
        while let Some(event) = presence.poll_event() {
            if let Event::Changed(publication) = event {
                changes.push(((at - start).as_secs() / 60, publication));
            }
        }
    };
    drain(&mut presence, start);
    presence.answered(minute(ANSWERED), CallKey(1), Remote::Party);
    drain(&mut presence, minute(ANSWERED));
    presence.ended(minute(ENDED), CallKey(1));
    drain(&mut presence, minute(ENDED));
    while let Some(at) = presence.poll_timeout() {
        presence.handle_timeout(at);
        drain(&mut presence, at);
    }
    changes
}

/// Colour, colour of the words on it, name, and what a contact reads where the user has no other endpoint.
fn look(phase: Phase) -> [&'static str; 4] {
    match phase {
        Phase::InCall => ["#c4314b", "#ffffff", "In a call", "In a call · No IM"],
        Phase::InConference => ["#c4314b", "#ffffff", "In a conference", "In a conference call"],
        Phase::Available => ["#6bb700", "#10240a", "Available", "Available · Voice Only"],
        Phase::Inactive => ["#d7e57d", "#24290a", "Inactive", "Inactive 5 mins · Voice Only"],
        Phase::Away => ["#ffb84d", "#2e1c00", "Away", "Away · No IM"],
        Phase::Removed => ["#888888", "#ffffff", "Removed", ""],
    }
}

fn x(minute: u64) -> u64 {
    118 + minute * 36
}

fn words(picture: &mut String, [x, y]: [u64; 2], class: &str, text: &str) {
    let _ = writeln!(picture, "<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{text}</text>");
}

fn picture() -> String {
    let changes = timeline();
    let mut picture = String::from(concat!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 222\" font-family=\"sans-serif\" font-size=\"12\">\n",
        "<title>The presence of a handset: in a call, available for five minutes after it, inactive for five more, then away</title>\n",
        "<style>text{fill:#333}.m{text-anchor:middle}.l{text-anchor:end;fill:#666}.s{text-anchor:middle;font-size:11px}",
        ".b{text-anchor:middle;font-size:15px;font-weight:600}</style>\n",
        "<rect width=\"860\" height=\"222\" rx=\"8\" fill=\"#ffffff\"/>\n",
    ));
    for (y, name) in
        [(45, "Handset"), (92, "Phase"), (131, "machineState"), (151, "phoneState"), (171, "Contacts read")]
    {
        words(&mut picture, [x(0) - 12, y], "l", name);
    }
    // What happens at the handset.
    let line = |picture: &mut String, from: u64, to: u64, y: u64, colour: &str, wide: u64| {
        let _ = writeln!(
            picture,
            "<line x1=\"{}\" y1=\"{y}\" x2=\"{}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"{wide}\"/>",
            x(from),
            x(to)
        );
    };
    line(&mut picture, 0, END, 41, "#cccccc", 2);
    line(&mut picture, ANSWERED, ENDED, 41, "#c4314b", 8);
    for (minute, name) in [(ANSWERED, "answered"), (ENDED, "ended")] {
        words(&mut picture, [x(minute), 27], "m", name);
    }
    for (index, (from, publication)) in changes.iter().enumerate() {
        let to = changes.get(index + 1).map_or(END, |(to, _)| *to);
        let [colour, ink, name, seen] = look(publication.phase);
        let (left, width, middle) = (x(*from), x(to) - x(*from), u64::midpoint(x(*from), x(to)));
        let _ = writeln!(
            picture,
            "<rect x=\"{left}\" y=\"62\" width=\"{width}\" height=\"48\" fill=\"{colour}\" stroke=\"#ffffff\"/>"
        );
        let _ =
            writeln!(picture, "<text x=\"{middle}\" y=\"91\" class=\"b\" style=\"fill:{ink}\">{name}</text>");
        let number = |number: Option<u16>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
        words(&mut picture, [middle, 131], "m", &number(publication.machine));
        words(&mut picture, [middle, 151], "m", &number(publication.phone));
        words(&mut picture, [middle, 171], "s", seen);
        let _ =
            writeln!(picture, "<line x1=\"{left}\" y1=\"180\" x2=\"{left}\" y2=\"187\" stroke=\"#999999\"/>");
        let since = match from.checked_sub(ENDED) {
            None => format!("{from} min"),
            Some(0) => format!("{from} min: the end"),
            Some(since) => format!("{since} min after the end"),
        };
        words(&mut picture, [left, 200], "m", &since);
    }
    line(&mut picture, 0, END, 180, "#999999", 1);
    words(&mut picture, [x(END / 2), 216], "s", "drawn from the machine by tests/timeline_picture.rs");
    picture.push_str("</svg>\n");
    picture
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
