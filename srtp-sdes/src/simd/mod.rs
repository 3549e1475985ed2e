//! Kernels for processors that have more than the portable code asks for: chosen at run time, each with a portable twin that a
//! test compares it with.
#![expect(unsafe_code, reason = "functions for certain processors and their loads of whole registers")]

use crate::authentication::{AuthenticationKey, TagJob};
use crate::batch::{Incoming, Outgoing};
use crate::cipher::RoundKey;
#[cfg(target_arch = "x86_64")]
use crate::galois::Powers;

#[cfg(target_arch = "x86_64")]
mod aes;
#[cfg(target_arch = "x86_64")]
mod aes_wide;
#[cfg(target_arch = "x86_64")]
mod batch_wide;
#[cfg(target_arch = "x86_64")]
mod clmul;
#[cfg(target_arch = "x86_64")]
mod clmul_wide;
#[cfg(target_arch = "x86_64")]
mod sha1_one;
#[cfg(target_arch = "x86_64")]
mod sha1_x16;
#[cfg(target_arch = "x86_64")]
mod sha1_x8;

/// Proof that the processor was asked: only this module makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked(());

/// Which kernels of AES and GHASH may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Processor {
    /// None: the portable code does it.
    Portable,
    /// One block in a register: AES and carry-less multiplication.
    #[cfg(target_arch = "x86_64")]
    Narrow(Asked),
    /// Four blocks in a register: VAES and VPCLMULQDQ with AVX-512.
    #[cfg(target_arch = "x86_64")]
    Wide(Asked),
}

impl Processor {
    /// The best this processor can do.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("aes")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("ssse3")
        {
            let wide = is_x86_feature_detected!("vaes")
                && is_x86_feature_detected!("vpclmulqdq")
                && is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw");
            return if wide { Self::Wide(Asked(())) } else { Self::Narrow(Asked(())) };
        }
        Self::Portable
    }

    /// Everything this processor can do, the portable code first.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        match Self::detect() {
            Self::Portable => vec![Self::Portable],
            #[cfg(target_arch = "x86_64")]
            Self::Narrow(asked) => vec![Self::Portable, Self::Narrow(asked)],
            #[cfg(target_arch = "x86_64")]
            Self::Wide(asked) => vec![Self::Portable, Self::Narrow(asked), Self::Wide(asked)],
        }
    }

    /// Writes the schedule of a key of 16, 24 or 32 octets, if a kernel will use it.
    pub(crate) fn expand(self, key: &[u8], schedule: &mut [RoundKey]) -> bool {
        match self {
            Self::Portable => false,
            #[cfg(target_arch = "x86_64")]
            Self::Narrow(Asked(())) | Self::Wide(Asked(())) => {
                // SAFETY: the processor has what the function asks for.
                unsafe { aes::expand(key, schedule) };
                true
            }
        }
    }

    /// One block under the keys behind the first; the block comes with the first added.
    pub(crate) fn encrypt_block(self, keys: &[RoundKey], whitened: u128) -> u128 {
        match self {
            Self::Portable => whitened,
            #[cfg(target_arch = "x86_64")]
            Self::Narrow(Asked(())) | Self::Wide(Asked(())) => {
                // SAFETY: the processor has what the function asks for.
                unsafe { aes::encrypt_block(keys, whitened) }
            }
        }
    }

    /// XORs `data` with the key stream of the blocks from `first`; the low 16 bits of the counter are zero before the first
    /// round key is added to it.
    #[inline]
    pub(crate) fn counter_mode(self, keys: &[RoundKey], whitened: u128, first: u16, data: &mut [u8]) {
        match self {
            Self::Portable => {}
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what the function asks for.
            Self::Narrow(Asked(())) => unsafe { aes::counter_mode(keys, whitened, first, data) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor has what the function asks for.
            Self::Wide(Asked(())) => unsafe { aes_wide::counter_mode(keys, whitened, first, data) },
        }
    }

    /// The products of blocks and powers, summed: 256 bits in three parts, not yet reduced. Nothing if the processor cannot.
    #[inline]
    pub(crate) fn sum_of_products(self, blocks: &[u128], powers: &[u128]) -> Option<[u128; 3]> {
        match self {
            Self::Portable => None,
            #[cfg(target_arch = "x86_64")]
            Self::Narrow(Asked(())) | Self::Wide(Asked(())) => {
                // SAFETY: the processor has what the function asks for.
                Some(unsafe { clmul::sum_of_products(blocks, powers) })
            }
        }
    }

    /// Encrypts in Galois/counter mode and returns the tag. Nothing if there is no kernel for the whole of it.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn seal(
        self,
        keys: &[RoundKey],
        powers: &Powers,
        whitened: u128,
        head: &[u8],
        data: &mut [u8],
    ) -> Option<Tag> {
        match self {
            // SAFETY: the processor has what the function asks for.
            Self::Wide(Asked(())) => Some(unsafe { clmul_wide::seal(keys, powers, whitened, head, data) }),
            Self::Portable | Self::Narrow(_) => None,
        }
    }

    /// Checks a tag of Galois/counter mode and decrypts if it is right. Nothing if there is no kernel for the whole of it.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub(crate) fn open(
        self,
        keys: &[RoundKey],
        powers: &Powers,
        whitened: u128,
        head: &[u8],
        data: &mut [u8],
        tag: &Tag,
    ) -> Option<bool> {
        match self {
            // SAFETY: the processor has what the function asks for.
            Self::Wide(Asked(())) => {
                Some(unsafe { clmul_wide::open(keys, powers, whitened, head, data, tag) })
            }
            Self::Portable | Self::Narrow(_) => None,
        }
    }
}

/// How many tags are computed together.
pub(crate) const LANES: usize = 16;

/// As much of a tag as any suite sends.
pub(crate) type Tag = [u8; 16];

/// The tag of one message, if this processor has an instruction for SHA-1.
#[inline]
pub(crate) fn tag(key: &AuthenticationKey, message: &[u8], suffix: [u8; 4]) -> Option<Tag> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("sha") && is_x86_feature_detected!("ssse3") {
        // SAFETY: the processor has what the function asks for.
        return Some(unsafe { sha1_one::tag(key, message, suffix) });
    }
    None
}

/// How tags are computed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hasher {
    /// One after the other.
    OneByOne,
    /// Eight lanes of AVX2.
    #[cfg(target_arch = "x86_64")]
    Eight(Asked),
    /// Sixteen lanes of AVX-512.
    #[cfg(target_arch = "x86_64")]
    Sixteen(Asked),
}

impl Hasher {
    /// The best this processor can do.
    #[inline]
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
                return Self::Sixteen(Asked(()));
            }
            if is_x86_feature_detected!("avx2") {
                return Self::Eight(Asked(()));
            }
        }
        Self::OneByOne
    }

    /// Everything this processor can do.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        match Self::detect() {
            Self::OneByOne => vec![Self::OneByOne],
            #[cfg(target_arch = "x86_64")]
            Self::Eight(asked) => vec![Self::OneByOne, Self::Eight(asked)],
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen(asked) if is_x86_feature_detected!("avx2") => {
                vec![Self::OneByOne, Self::Eight(asked), Self::Sixteen(asked)]
            }
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen(asked) => vec![Self::OneByOne, Self::Sixteen(asked)],
        }
    }

    /// Fewer tags than this cost less one after the other.
    const fn worthwhile(self) -> usize {
        match self {
            Self::OneByOne => usize::MAX,
            #[cfg(target_arch = "x86_64")]
            Self::Eight(_) => 5,
            #[cfg(target_arch = "x86_64")]
            Self::Sixteen(_) => 5,
        }
    }

    /// Protects the packets if all their streams are usual, and there is a kernel for the whole of it.
    #[inline]
    pub(crate) fn protect_usual(self, packets: &mut [Outgoing<'_>]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if let Self::Sixteen(_) = self
            && packets.len() >= self.worthwhile()
            && packets.iter().all(|packet| packet.sender.0.is_usual_alone())
            && let Some(Processor::Wide(Asked(()))) =
                packets.first().map(|packet| packet.sender.0.processor())
        {
            // SAFETY: the processor has what the function asks for.
            unsafe { batch_wide::protect(packets) };
            return true;
        }
        false
    }

    /// Opens the packets if all their streams are usual, and there is a kernel for the whole of it.
    #[inline]
    pub(crate) fn unprotect_usual(self, packets: &mut [Incoming<'_>]) -> bool {
        #[cfg(target_arch = "x86_64")]
        if let Self::Sixteen(_) = self
            && packets.len() >= self.worthwhile()
            && packets.iter().all(|packet| packet.receiver.0.is_usual_alone())
            && let Some(Processor::Wide(Asked(()))) =
                packets.first().map(|packet| packet.receiver.0.processor())
        {
            // SAFETY: the processor has what the function asks for.
            unsafe { batch_wide::unprotect(packets) };
            return true;
        }
        false
    }

    /// The tags of up to [`LANES`] messages.
    #[inline]
    pub(crate) fn tags(self, jobs: &[TagJob<'_>], tags: &mut [Tag; LANES]) {
        if jobs.len() >= self.worthwhile() {
            match self {
                Self::OneByOne => {}
                #[cfg(target_arch = "x86_64")]
                Self::Eight(Asked(())) => {
                    let (low, high) = tags.split_at_mut(sha1_x8::LANES);
                    for (jobs, tags) in jobs.chunks(sha1_x8::LANES).zip([low, high]) {
                        // SAFETY: the processor has what the function asks for.
                        unsafe { sha1_x8::tags(jobs, tags) };
                    }
                    return;
                }
                #[cfg(target_arch = "x86_64")]
                Self::Sixteen(Asked(())) => {
                    // SAFETY: the processor has what the function asks for.
                    unsafe { sha1_x16::tags(jobs, tags) };
                    return;
                }
            }
        }
        for (job, tag) in jobs.iter().zip(tags) {
            *tag = job.key.tag(job.message, job.suffix);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What stands behind messages of one length has the same place in every lane, which the kernels make use of.
    #[test]
    fn tags_of_messages_of_one_length_are_the_tags_one_by_one() {
        let octets: Vec<u8> = (0..400_usize).map(|at| (at * 31 + at / 7) as u8).collect();
        let keys: Vec<_> =
            (0..LANES).map(|lane| AuthenticationKey::new(&[lane as u8 * 11 + 1; 20])).collect();
        for length in 0..330 {
            for count in [4, 5, 9, LANES] {
                let jobs: Vec<_> = keys[..count]
                    .iter()
                    .enumerate()
                    .map(|(lane, key)| {
                        let suffix = [0x80 | lane as u8, 2, 3, length as u8];
                        TagJob { key, message: &octets[lane..lane + length], suffix }
                    })
                    .collect();
                for hasher in Hasher::all() {
                    let mut together = [[0; 16]; LANES];
                    hasher.tags(&jobs, &mut together);
                    for (job, tag) in jobs.iter().zip(together) {
                        assert_eq!(job.key.tag(job.message, job.suffix), tag, "{hasher:?} {length} {count}");
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Where the processor has no kernel this compares the twin with itself.
        #[test]
        fn tags_together_are_the_tags_one_by_one(
            lengths in prop::collection::vec(0_usize..400, 0..=LANES),
            key: [u8; 20],
            suffix: [u8; 4],
        ) {
            let keys: Vec<_> = (0..lengths.len())
                .map(|lane| AuthenticationKey::new(&key.map(|octet| octet.wrapping_add(lane as u8))))
                .collect();
            let messages: Vec<Vec<u8>> =
                lengths.iter().map(|length| (0..*length).map(|i| (i * 7 + length) as u8).collect()).collect();
            let jobs: Vec<_> = keys
                .iter()
                .zip(&messages)
                .enumerate()
                .map(|(lane, (key, message))| TagJob { key, message, suffix: suffix.map(|octet| octet ^ lane as u8) })
                .collect();
            for hasher in Hasher::all() {
                let mut together = [[0; 16]; LANES];
                hasher.tags(&jobs, &mut together);
                for (job, tag) in jobs.iter().zip(together) {
                    prop_assert_eq!(job.key.tag(job.message, job.suffix), tag, "{:?}", hasher);
                }
            }
        }
    }
}
