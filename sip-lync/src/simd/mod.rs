//! Finds line ends and colons sixty-four octets at a time, with whatever the processor has.
//!
//! Each kernel has the same twin in plain Rust; a test compares them all.
#![expect(unsafe_code, reason = "functions for certain processors and their loads of whole registers")]

mod portable;
pub(crate) mod spans;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Octets that one mask covers.
pub(crate) const WIDTH: usize = 64;

/// Masks that are made in one go.
pub(crate) const BLOCKS: usize = 32;

/// What stands in sixty-four octets, the first in the lowest bit. What lies behind the end of the input is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// CR.
    pub(crate) returns: u64,
    /// LF.
    pub(crate) feeds: u64,
    /// `:`
    pub(crate) colons: u64,
}

/// The masks of the start of a text.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    blocks: [Block; BLOCKS],
    length: usize,
}

impl Blocks {
    pub(crate) const fn new() -> Self {
        Self { blocks: [Block { returns: 0, feeds: 0, colons: 0 }; BLOCKS], length: 0 }
    }

    /// The masks.
    pub(crate) fn get(&self) -> &[Block] {
        self.blocks.get(..self.length).unwrap_or_default()
    }

    /// Makes the masks of the start of a text, as many as fit, up to the block in which an empty line ends.
    #[inline]
    pub(crate) fn fill(&mut self, text: &[u8]) {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512bw") {
                // SAFETY: the processor has what the function asks for.
                self.length = unsafe { x86::avx512(text, &mut self.blocks) };
                return;
            }
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has what the function asks for.
                self.length = unsafe { x86::avx2(text, &mut self.blocks) };
                return;
            }
            self.length = x86::sse2(text, &mut self.blocks);
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self.length = portable::fill(text, &mut self.blocks);
        }
    }
}

/// Sixty-four octets at a time through a kernel; what is left over is filled up with zeros.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "takes on the processor's features only within the function that has them"
)]
fn each(text: &[u8], blocks: &mut [Block; BLOCKS], kernel: impl Fn(&[u8; WIDTH]) -> Block) -> usize {
    let mut feeds_before = 0;
    let mut length = 0;
    let (chunks, rest) = text.as_chunks::<WIDTH>();
    for (slot, chunk) in blocks.iter_mut().zip(chunks) {
        let block = kernel(chunk);
        *slot = block;
        length += 1;
        // A line feed two octets behind another: the empty line.
        if block.feeds & (block.feeds << 2 | feeds_before) != 0 {
            return length;
        }
        feeds_before = block.feeds >> (WIDTH - 2);
    }
    if let Some(slot) = blocks.get_mut(length)
        && !rest.is_empty()
        && length == chunks.len()
    {
        let mut last = [0; WIDTH];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        *slot = kernel(&last);
        length += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn octets() -> impl Strategy<Value = Vec<u8>> {
        let octet = prop_oneof![
            4 => prop::sample::select(&b"\r\n:a \t"[..]),
            1 => any::<u8>(),
        ];
        prop::collection::vec(octet, 0..3000)
    }

    /// All kernels this processor has.
    fn all(text: &[u8]) -> Vec<Blocks> {
        let mut results = Vec::new();
        let mut run = |kernel: &dyn Fn(&[u8], &mut [Block; BLOCKS]) -> usize| {
            let mut blocks = Blocks::new();
            blocks.length = kernel(text, &mut blocks.blocks);
            results.push(blocks);
        };
        run(&portable::fill);
        #[cfg(target_arch = "x86_64")]
        {
            run(&x86::sse2);
            if is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has what the function asks for.
                run(&|text, blocks| unsafe { x86::avx2(text, blocks) });
            }
            if is_x86_feature_detected!("avx512bw") {
                // SAFETY: the processor has what the function asks for.
                run(&|text, blocks| unsafe { x86::avx512(text, blocks) });
            }
        }
        results
    }

    /// One octet after the other.
    fn plain(text: &[u8], count: usize) -> Vec<Block> {
        let mask = |chunk: &[u8], octet: u8| {
            chunk.iter().enumerate().fold(0, |mask, (i, &b)| mask | u64::from(b == octet) << i)
        };
        text.chunks(WIDTH)
            .take(count)
            .map(|chunk| Block {
                returns: mask(chunk, b'\r'),
                feeds: mask(chunk, b'\n'),
                colons: mask(chunk, b':'),
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn every_kernel_sees_the_same(text in octets()) {
            let results = all(&text);
            for blocks in &results {
                prop_assert_eq!(blocks.get(), &plain(&text, blocks.length)[..]);
                prop_assert_eq!(blocks.length, results[0].length);
            }
        }
    }

    #[test]
    fn masks_end_with_the_empty_line_wherever_it_is() {
        for at in 0..200 {
            let text = [vec![b'a'; at], b"\r\n\r\n".to_vec(), vec![b'a'; 500]].concat();
            for blocks in all(&text) {
                assert_eq!(blocks.length, (at + 3) / WIDTH + 1, "{at}");
            }
        }
        for blocks in all(&[b'a'; 5000]) {
            assert_eq!(blocks.length, BLOCKS);
        }
    }
}
