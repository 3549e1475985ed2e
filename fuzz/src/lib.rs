//! Harnesses that feed arbitrary input to every parser and machine: see `tests/` of this package.
//!
//! Under `cargo test` each runs a fixed number of rounds; `cargo xtask fuzz` lets them run for a time, and `cargo bolero test`
//! drives them with a coverage-guided engine where one is installed. This library makes the damaged inputs: arbitrary octets
//! alone hardly ever get behind the first line of a text protocol.
#![forbid(unsafe_code)]

/// One change to a good input.
#[derive(Clone, Copy, Debug)]
pub enum Edit {
    /// Another octet at a place.
    Replace(usize, u8),
    /// An octet more.
    Insert(usize, u8),
    /// So many octets less.
    Remove(usize, usize),
    /// A piece of the input once more.
    Repeat(usize, usize),
    /// The end is missing.
    Cut(usize),
}

/// Rounds of a harness under `cargo test`.
pub const ROUNDS: usize = 3000;

/// What a fuzzing engine makes: which seed, and changes to it as plain numbers.
pub type Damage = (u8, Vec<(u8, u16, u8)>);

/// The seed that `damage` names, damaged.
#[must_use]
pub fn damaged(seeds: &[&[u8]], damage: &Damage) -> Vec<u8> {
    let (which, edits) = damage;
    let seed = seeds.get(usize::from(*which) % seeds.len().max(1)).copied().unwrap_or_default();
    edits
        .iter()
        .take(EDITS_MAX)
        .fold(seed.to_vec(), |octets, edit| apply(octets, Edit::of(*edit, seed.len())))
}

impl Edit {
    /// Reads the numbers of an engine; the place lies within the input.
    fn of((kind, place, value): (u8, u16, u8), length: usize) -> Self {
        let place = usize::from(place) % (length + 1);
        match kind % 6 {
            0 => Self::Replace(place, value),
            1 => Self::Insert(place, value),
            2 => Self::Remove(place, usize::from(value) % 16 + 1),
            3 => Self::Repeat(place, usize::from(value) + 1),
            4 => Self::Cut(place),
            // What grammars are made of breaks them best.
            _ => Self::Insert(place, SYNTAX[usize::from(value) % SYNTAX.len()]),
        }
    }
}

fn apply(mut octets: Vec<u8>, edit: Edit) -> Vec<u8> {
    match edit {
        Edit::Replace(place, value) => {
            if let Some(octet) = octets.get_mut(place) {
                *octet = value;
            }
        }
        Edit::Insert(place, value) => octets.insert(place.min(octets.len()), value),
        Edit::Remove(place, count) => {
            let start = place.min(octets.len());
            let end = (start + count).min(octets.len());
            octets.drain(start..end);
        }
        Edit::Repeat(place, count) => {
            let start = place.min(octets.len());
            let end = (start + count).min(octets.len());
            octets.extend_from_within(start..end);
        }
        Edit::Cut(place) => octets.truncate(place),
    }
    octets
}

const EDITS_MAX: usize = 16;
const SYNTAX: &[u8] = b"\r\n\t \0:;,=<>\"'()[]{}@%&#+-./\\|*\xff\x80";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_edits_leave_the_seed_and_edits_change_it() {
        let seeds: [&[u8]; 2] = [b"one", b"two"];
        assert_eq!(damaged(&seeds, &(1, vec![])), b"two");
        assert_eq!(damaged(&seeds, &(0, vec![(0, 1, b'x')])), b"oxe");
        assert_eq!(damaged(&seeds, &(0, vec![(2, 0, 0), (4, 1, 0)])), b"n");
        assert_eq!(damaged(&seeds, &(2, vec![(3, 1, 9)])), b"onene");
        assert_eq!(damaged(&[], &(2, vec![(1, 1, 9)])), [9]);
    }
}
