//! Digests of texts in parts, two of them at a time.

use core::slice;

use zeroize::Zeroize;

use super::md5::{BLOCK, Block, INITIAL, State, compress, write};

/// A digest that is still to be made: of parts, one behind the other.
pub(crate) struct Job<'a> {
    state: State,
    blocks: Blocks<'a>,
}

/// The blocks of a text, with its padding.
struct Blocks<'a> {
    parts: slice::Iter<'a, &'a [u8]>,
    /// What is left of the part that was begun.
    rest: &'a [u8],
    /// A block of more than one part, or with padding.
    block: Block,
    total: u64,
    end: End,
}

/// How far the padding is.
#[derive(Clone, Copy)]
enum End {
    /// It has not begun.
    Text,
    /// The length is missing.
    Length,
    /// It is there.
    Done,
}

impl<'a> Job<'a> {
    /// The digest of a text.
    pub(crate) fn new(parts: &'a [&'a [u8]]) -> Self {
        Self::go_on(&INITIAL, 0, parts)
    }

    /// The digest of a text of which so many octets, in whole blocks, are in the state already.
    pub(super) fn go_on(state: &State, total: u64, parts: &'a [&'a [u8]]) -> Self {
        let blocks = Blocks { parts: parts.iter(), rest: &[], block: [0; BLOCK], total, end: End::Text };
        Self { state: *state, blocks }
    }

    /// Makes the digest.
    pub(crate) fn run(&mut self) {
        while let Some(block) = self.blocks.next() {
            compress([&mut self.state], [block]);
        }
    }

    /// The digest of a job that has run, written where it stays.
    pub(crate) fn write(&self, digest: &mut [u8; 16]) {
        write(&self.state, digest);
    }
}

/// Runs all jobs, two side by side as long as there are two. The longest should stand first.
pub(crate) fn run_all(jobs: &mut [Job<'_>]) {
    let mut waiting = jobs.iter_mut();
    let (Some(mut left), Some(mut right)) = (waiting.next(), waiting.next()) else {
        jobs.iter_mut().for_each(Job::run);
        return;
    };
    loop {
        let Some(left_block) = left.blocks.next() else {
            match waiting.next() {
                Some(next) => left = next,
                None => return right.run(),
            }
            continue;
        };
        let Some(right_block) = right.blocks.next() else {
            compress([&mut left.state], [left_block]);
            match waiting.next() {
                Some(next) => right = next,
                None => return left.run(),
            }
            continue;
        };
        compress([&mut left.state, &mut right.state], [left_block, right_block]);
    }
}

impl Blocks<'_> {
    #[inline]
    fn next(&mut self) -> Option<&Block> {
        let mut filled = 0;
        loop {
            if self.rest.is_empty() {
                let Some(part) = self.parts.next() else { break };
                self.rest = part;
                continue;
            }
            if filled == 0
                && let Some((block, rest)) = self.rest.split_first_chunk()
            {
                (self.rest, self.total) = (rest, self.total.wrapping_add(BLOCK as u64));
                return Some(block);
            }
            let (now, later) = self.rest.split_at(self.rest.len().min(BLOCK - filled));
            let end = filled + now.len();
            if let Some(place) = self.block.get_mut(filled..end) {
                place.copy_from_slice(now);
            }
            (self.rest, filled) = (later, end);
            if filled == BLOCK {
                self.total = self.total.wrapping_add(BLOCK as u64);
                return Some(&self.block);
            }
        }
        self.pad(filled)
    }

    /// The block in which the text ends, or the one behind it.
    fn pad(&mut self, filled: usize) -> Option<&Block> {
        let padding = self.block.get_mut(filled..)?;
        padding.fill(0);
        match (self.end, padding) {
            (End::Done, _) => return None,
            (End::Text, [mark, ..]) => {
                *mark = 0x80;
                self.total = self.total.wrapping_add(filled as u64);
            }
            (End::Text | End::Length, _) => {}
        }
        if filled < BLOCK - 8 {
            self.end = End::Done;
            let (_, length) = self.block.split_last_chunk_mut::<8>()?;
            *length = self.total.wrapping_mul(8).to_le_bytes();
        } else {
            self.end = End::Length;
        }
        Some(&self.block)
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.state.zeroize();
        // Keys stand at the beginning of a text, and only short texts have one.
        if let Some(head) = self.blocks.block.first_chunk_mut::<16>() {
            head.zeroize();
        }
    }
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};

    use super::*;

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 7 % 251) as u8).collect()
    }

    fn plain(text: &[u8]) -> [u8; 16] {
        Md5::digest(text).into()
    }

    fn digest(job: &Job<'_>) -> [u8; 16] {
        let mut digest = [0; 16];
        job.write(&mut digest);
        digest
    }

    #[test]
    fn texts_of_all_lengths_in_all_parts_have_the_digest_of_another_implementation() {
        let text = text(260);
        for length in 0..text.len() {
            for cut in [0, length.min(1), length / 3, length.saturating_sub(1), length] {
                let (head, tail) = text[..length].split_at(cut);
                let parts = [head, &[], tail];
                let mut job = Job::new(&parts);
                job.run();
                assert_eq!(digest(&job), plain(&text[..length]), "{cut} of {length}");
            }
        }
    }

    #[test]
    fn jobs_of_all_lengths_side_by_side_have_the_digests_of_another_implementation() {
        let text = text(400);
        for number in 0..6 {
            for round in 0..60_usize {
                let lengths: Vec<usize> = (0..number).map(|job| (round * 37 + job * 91) % 400).collect();
                let parts: Vec<[&[u8]; 1]> = lengths.iter().map(|length| [&text[..*length]]).collect();
                let mut jobs: Vec<_> = parts.iter().map(|parts| Job::new(parts)).collect();
                run_all(&mut jobs);
                for (job, length) in jobs.iter().zip(lengths) {
                    assert_eq!(digest(job), plain(&text[..length]), "{length} of {number} jobs");
                }
            }
        }
    }
}
