//! Finds line ends sixty-four octets at a time, and colons of names, sums up checks and hashes, with whatever the processor has.
//!
//! Each kernel has the same twin in plain Rust; a test compares them all.
#![expect(unsafe_code, reason = "functions for certain processors and their loads of whole registers")]

#[cfg(target_arch = "x86_64")]
mod crc;
mod lane;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sha;
pub(crate) mod spans;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use lane::{LANE, Lane};

/// Octets that one mask covers.
pub(crate) const WIDTH: usize = 64;

/// Line ends that are kept in one go.
const KEPT: usize = 128;

/// Octets that are looked at in one go: their offsets fit sixteen bits.
const SPAN: usize = 1023 * WIDTH;

/// What stands in sixty-four octets, the first in the lowest bit. What lies behind the end of the input is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Block {
    /// CR.
    returns: u64,
    /// LF.
    feeds: u64,
}

/// Where the first lines of a text end, as long as each ends with CR LF.
#[derive(Clone, Debug)]
pub(crate) struct LineEndings {
    /// Offsets of the line feeds.
    feeds: [u16; KEPT],
    count: usize,
}

impl LineEndings {
    pub(crate) const fn new() -> Self {
        Self { feeds: [0; KEPT], count: 0 }
    }

    /// The offsets of the line feeds, each behind a CR.
    #[inline]
    pub(crate) fn get(&self) -> &[u16] {
        self.feeds.get(..self.count).unwrap_or_default()
    }

    /// Finds the line ends of the start of a text: up to the block in which an empty line ends, up to the first block with
    /// a CR or LF alone, and as many as can be kept.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
    pub(crate) fn fill(&mut self, text: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        {
            if x86::has_avx512() {
                // SAFETY: the processor has what the function asks for.
                unsafe { x86::avx512(text, self) };
                return;
            }
            if x86::has_avx2() {
                // SAFETY: the processor has what the function asks for.
                unsafe { x86::avx2(text, self) };
                return;
            }
            x86::sse2(text, self);
        }
        #[cfg(not(target_arch = "x86_64"))]
        portable::fill(text, self);
    }

    /// Sixty-four octets at a time through a kernel.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "takes on the processor's features only within the function that has them"
    )]
    fn each(&mut self, text: &[u8], kernel: impl Fn(&[u8; WIDTH]) -> Block) {
        let text = text.get(..SPAN).unwrap_or(text);
        // CR and LF in the last octets of the block before: bits 62 and 63 of its line feeds, bit 63 of its returns.
        let mut run = Run::default();
        self.count = 0;
        let (chunks, rest) = text.as_chunks::<WIDTH>();
        let mut at = 0;
        for chunk in chunks {
            if !self.take(kernel(chunk), at, &mut run) {
                return;
            }
            at += WIDTH;
        }
        if rest.is_empty() {
            return;
        }
        let block = if let Some(chunk) = text.last_chunk::<WIDTH>() {
            // The last sixty-four octets, of which those seen before are shifted out.
            let block = kernel(chunk);
            let seen = WIDTH - rest.len();
            Block { returns: block.returns >> seen, feeds: block.feeds >> seen }
        } else {
            let mut last = [0; WIDTH];
            for (to, from) in last.iter_mut().zip(rest) {
                *to = *from;
            }
            kernel(&last)
        };
        self.take(block, at, &mut run);
    }

    /// Keeps the line ends of one block; `false` if the next block is of no interest.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop")]
    fn take(&mut self, block: Block, at: usize, run: &mut Run) -> bool {
        let Block { returns, mut feeds } = block;
        if feeds != returns << 1 | run.returns {
            return false;
        }
        // A line feed two octets behind another: the empty line.
        let empty = feeds & (feeds << 2 | run.feeds);
        *run = Run { feeds: feeds >> (WIDTH - 2), returns: returns >> (WIDTH - 1) };
        let at = at as u16;
        let count = self.count;
        let total = count + feeds.count_ones() as usize;
        // Two are kept without asking whether they are there: no more than two lines end in most blocks.
        for i in 0..2 {
            self.feeds[(count + i) % KEPT] = at + feeds.trailing_zeros() as u16;
            feeds &= feeds.wrapping_sub(1);
        }
        let mut next = count + 2;
        while feeds != 0 {
            self.feeds[next % KEPT] = at + feeds.trailing_zeros() as u16;
            feeds &= feeds - 1;
            next += 1;
        }
        self.count = total;
        // In one block thirty-two lines can end.
        empty == 0 && total + WIDTH / 2 <= KEPT - 2
    }
}

/// What the end of a block leaves for the next.
#[derive(Clone, Copy, Default)]
struct Run {
    /// The last two bits of its line feeds.
    feeds: u64,
    /// The last bit of its returns.
    returns: u64,
}

/// Work that is compiled once for each kind of processor. What it calls has to be inlined to be so, too.
pub(crate) trait Work {
    type Output;

    fn run(self) -> Self::Output;
}

/// Does work with whatever the processor has.
#[inline]
pub(crate) fn widest<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if x86::has_avx512() {
            // SAFETY: the processor has what the function asks for.
            return unsafe { x86::compiled_for_avx512(work) };
        }
        if x86::has_avx2() {
            // SAFETY: the processor has what the function asks for.
            return unsafe { x86::compiled_for_avx2(work) };
        }
    }
    work.run()
}

/// The CRC of ITU-T V.42 over a text, all ones before it, as far as it does not depend on what comes behind.
#[derive(Clone, Copy)]
pub(crate) struct Sum(#[cfg(target_arch = "x86_64")] crc::Sum);

impl Sum {
    /// `None` where the processor cannot multiply without carries, and for a text that does not start with whole words.
    #[inline]
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if crc::suits(text.len()) && crc::has_carryless() {
            // SAFETY: the processor has what the function asks for.
            return Some(Self(unsafe { crc::sum(text) }));
        }
        None
    }

    /// The register behind the text.
    #[inline]
    pub(crate) fn register(self) -> u32 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: that there is a sum shows that the processor has what the function asks for.
        return unsafe { crc::register(self.0) };
        #[cfg(not(target_arch = "x86_64"))]
        0
    }

    /// The register behind the text and twenty-four octets, the first in the lowest bits.
    #[inline]
    pub(crate) fn behind(self, words: [u64; 3]) -> u32 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: that there is a sum shows that the processor has what the function asks for.
        return unsafe { crc::register(crc::behind(self.0, words)) };
        #[cfg(not(target_arch = "x86_64"))]
        {
            let [first, _, _] = words;
            first as u32
        }
    }
}

/// HMAC-SHA1 from the states behind both pads of a key: over blocks in three runs, filled up, and over their hash.
#[inline]
pub(crate) fn hmac_sha1(
    inner: &[u32; 5],
    outer: &[u32; 5],
    start: &[[u8; 64]],
    middle: &[[u8; 64]],
    end: &[[u8; 64]],
) -> [u32; 5] {
    #[cfg(target_arch = "x86_64")]
    if sha::has_sha() {
        // SAFETY: the processor has what the function asks for.
        return unsafe { sha::hmac_sha1(inner, outer, start, middle, end) };
    }
    portable::hmac_sha1(inner, outer, start, middle, end)
}

/// Offset of the first colon; thirty-two if there is none.
#[inline(always)]
#[expect(clippy::inline_always, reason = "compiled for the processor where it is inlined")]
pub(crate) fn colon(chunk: &[u8; 32]) -> usize {
    #[cfg(target_arch = "x86_64")]
    return x86::colon(chunk);
    #[cfg(not(target_arch = "x86_64"))]
    portable::colon(chunk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            8 => Just(b"\r\n".to_vec()),
            4 => prop::collection::vec(prop::sample::select(&b":a \t"[..]), 0..90),
            1 => prop::collection::vec(any::<u8>(), 0..20),
            1 => prop::sample::select(&b"\r\n"[..]).prop_map(|octet| vec![octet]),
        ];
        prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat())
    }

    /// All kernels this processor has.
    fn all(text: &[u8]) -> Vec<LineEndings> {
        let mut results = Vec::new();
        let mut run = |kernel: &dyn Fn(&[u8], &mut LineEndings)| {
            let mut ends = LineEndings::new();
            kernel(text, &mut ends);
            results.push(ends);
        };
        run(&portable::fill);
        #[cfg(target_arch = "x86_64")]
        {
            run(&x86::sse2);
            if x86::has_avx2() {
                // SAFETY: the processor has what the function asks for.
                run(&|text, ends| unsafe { x86::avx2(text, ends) });
            }
            if x86::has_avx512() {
                // SAFETY: the processor has what the function asks for.
                run(&|text, ends| unsafe { x86::avx512(text, ends) });
            }
        }
        results
    }

    /// One octet after the other: the blocks up to the last one of interest.
    fn plain(text: &[u8]) -> Vec<u16> {
        let mut feeds = Vec::new();
        let mut start = 0;
        let is = |at: usize, octet: u8| text.get(at) == Some(&octet);
        while start < text.len() && feeds.len() + WIDTH / 2 <= KEPT - 2 {
            let block = start..(start + WIDTH);
            let whole = |at: usize| is(at, b'\n') == (at > 0 && is(at - 1, b'\r'));
            if !block.clone().all(whole) {
                break;
            }
            let ends: Vec<usize> = block.clone().filter(|&at| is(at, b'\n')).collect();
            feeds.extend(ends.iter().map(|&at| at as u16));
            if ends.iter().any(|&at| at >= 2 && is(at - 2, b'\n')) {
                break;
            }
            start = block.end;
        }
        feeds
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn every_kernel_sees_the_same(text in octets()) {
            let expected = plain(&text);
            for ends in all(&text) {
                prop_assert_eq!(ends.get(), &expected[..]);
            }
        }

        #[test]
        fn every_kernel_gives_the_same_hash(
            inner: [u32; 5], outer: [u32; 5], octets in prop::collection::vec(any::<u8>(), 0..400), cut in any::<[u8; 2]>(),
        ) {
            let (blocks, _) = octets.as_chunks::<64>();
            let (start, rest) = blocks.split_at(usize::from(cut[0]) % (blocks.len() + 1));
            let (middle, end) = rest.split_at(usize::from(cut[1]) % (rest.len() + 1));
            prop_assert_eq!(
                hmac_sha1(&inner, &outer, start, middle, end),
                portable::hmac_sha1(&inner, &outer, start, middle, end)
            );
        }

        #[test]
        fn every_kernel_finds_the_same_colon(mut octets in any::<[u8; 32]>(), at in 0usize..64) {
            if let Some(octet) = octets.get_mut(at) {
                *octet = b':';
            }
            let expected = octets.iter().position(|&b| b == b':').unwrap_or(32);
            prop_assert_eq!(portable::colon(&octets), expected);
            prop_assert_eq!(colon(&octets), expected);
        }
    }

    #[test]
    fn line_ends_are_found_up_to_the_empty_line_wherever_it_is() {
        for at in 0..200 {
            let text = [vec![b'a'; at], b"\r\n\r\n".to_vec(), vec![b'a'; 70], b"\r\n".to_vec()].concat();
            for ends in all(&text) {
                assert_eq!(ends.get().get(..2), Some(&[at as u16 + 1, at as u16 + 3][..]), "{at}");
                assert!(ends.get().len() <= 3, "{at}");
            }
        }
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let lines = "a\r\n".repeat(5000);
        for ends in all(lines.as_bytes()) {
            assert!((KEPT - 2 - WIDTH..KEPT).contains(&ends.get().len()));
        }
        let long = [vec![b'a'; 70_000], b"\r\n".to_vec()].concat();
        for ends in all(&long) {
            assert_eq!(ends.get(), []);
        }
    }
}
