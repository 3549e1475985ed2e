//! The message ladder as text: who sent what to whom, after how long.

use crate::core::vocabulary::{LadderStep, Lane};

/// Whether the terminal shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// ANSI colours, one per kind of arrow.
    On,
    /// Plain text.
    Off,
}

const LANES: [(Lane, &str); 4] =
    [(Lane::Handset, "handset"), (Lane::Base, "base"), (Lane::Server, "server"), (Lane::Lync, "Lync")];
const MARGIN: usize = 12;
const WIDTH: usize = 26;

fn column(lane: Lane) -> usize {
    MARGIN + WIDTH * LANES.iter().position(|(candidate, _)| *candidate == lane).unwrap_or(0)
}

fn line_width() -> usize {
    column(Lane::Lync) + 1
}

/// The heading: the names of the lanes.
pub fn heading() -> String {
    let mut line = vec![b' '; line_width() + 4];
    for (lane, name) in LANES {
        let start = column(lane).saturating_sub(name.len() / 2);
        line[start..start + name.len()].copy_from_slice(name.as_bytes());
    }
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

/// One arrow.
pub fn line(step: &LadderStep, colour: Colour) -> String {
    let (from, to) = (column(step.from), column(step.to));
    let mut cells: Vec<char> = vec![' '; line_width()];
    for (lane, _) in LANES {
        cells[column(lane)] = '│';
    }
    let stamp = format!("{:>4}.{:03}", step.at_ms / 1000, step.at_ms % 1000);
    for (place, character) in stamp.chars().enumerate() {
        cells[place] = character;
    }
    let (left, right) = (from.min(to) + 1, from.max(to));
    if left < right {
        for cell in &mut cells[left..right] {
            *cell = '─';
        }
        if from < to {
            cells[right - 1] = '▶';
        } else {
            cells[left] = '◀';
        }
        let room = right - left - 4;
        let label: Vec<char> = step.label.chars().take(room).collect();
        let start = left + (right - left - label.len()) / 2;
        cells[start..start + label.len()].copy_from_slice(&label);
    }
    let text: String = cells.into_iter().collect();
    let who = step.handset.as_deref().map(|handset| format!(" [{handset}]")).unwrap_or_default();
    let detail = if step.detail.is_empty() { String::new() } else { format!(" {}", step.detail) };
    match colour {
        Colour::Off => format!("{text} {who}{detail}").trim_end().to_owned(),
        Colour::On => {
            let paint = match (step.from, step.to) {
                (Lane::Lync, _) | (_, Lane::Lync) => "32",
                (Lane::Handset, _) | (_, Lane::Handset) => "36",
                (Lane::Base | Lane::Server, Lane::Base | Lane::Server) => "33",
            };
            let mut painted = String::with_capacity(text.len() + 24);
            painted.push_str("\u{1b}[2m");
            painted.push_str(&stamp);
            painted.push_str("\u{1b}[0m");
            let rest: String = text.chars().skip(stamp.len()).collect();
            painted.push_str(&format!("\u{1b}[{paint}m{rest}\u{1b}[0m"));
            format!("{painted}\u{1b}[2m {who}{detail}\u{1b}[0m")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(from: Lane, to: Lane, label: &str) -> LadderStep {
        LadderStep {
            at_ms: 1_042,
            from,
            to,
            handset: Some("jim".into()),
            label: label.into(),
            detail: "more".into(),
        }
    }

    #[test]
    fn arrows_point_from_sender_to_receiver() {
        let there = line(&step(Lane::Handset, Lane::Server, "CC-SETUP"), Colour::Off);
        let back = line(&step(Lane::Lync, Lane::Server, "200 OK"), Colour::Off);
        assert!(there.starts_with("   1.042"), "{there}");
        assert!(there.contains("CC-SETUP") && there.contains('▶') && !there.contains('◀'), "{there}");
        assert!(back.contains("200 OK") && back.contains('◀') && !back.contains('▶'), "{back}");
        assert!(there.ends_with("[jim] more"));
    }

    #[test]
    fn a_long_label_stays_between_its_lanes() {
        let long = "X".repeat(200);
        let plain = line(&step(Lane::Base, Lane::Server, &long), Colour::Off);
        let lanes: Vec<char> = plain.chars().collect();
        assert_eq!(
            (lanes[column(Lane::Base)], lanes[column(Lane::Server)], lanes[column(Lane::Lync)]),
            ('│', '│', '│')
        );
    }
}
