//! Kernels for processors that have more than the portable code asks for: chosen at run time, each with a portable twin that a
//! test compares it with.
#![expect(unsafe_code, reason = "functions for certain processors and their loads of whole registers")]

use crate::authentication::TagJob;

#[cfg(target_arch = "x86_64")]
mod aes_ctr;
#[cfg(target_arch = "x86_64")]
mod clmul;
#[cfg(target_arch = "x86_64")]
mod sha1_x16;

#[cfg(target_arch = "x86_64")]
pub(crate) use aes_ctr::RoundKeys;

/// How many tags are computed together.
pub(crate) const LANES: usize = 16;

/// Fewer tags than this cost less one after the other.
#[cfg(target_arch = "x86_64")]
const WORTHWHILE: usize = 4;

/// The tags of up to [`LANES`] messages.
pub(crate) fn tags(jobs: &[TagJob<'_>], tags: &mut [[u8; 20]; LANES]) {
    #[cfg(target_arch = "x86_64")]
    if jobs.len() >= WORTHWHILE && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    {
        // SAFETY: the processor has what the function asks for.
        unsafe { sha1_x16::tags(jobs, tags) };
        return;
    }
    for (job, tag) in jobs.iter().zip(tags) {
        *tag = job.key.tag(job.message, job.suffix);
    }
}

/// The products of blocks and powers, summed: 256 bits, not yet reduced. Nothing if the processor cannot.
#[inline]
pub(crate) fn sum_of_products(blocks: &[u128], powers: &[u128]) -> Option<(u128, u128)> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("pclmulqdq") && is_x86_feature_detected!("sse2") {
        // SAFETY: the processor has what the function asks for.
        return Some(unsafe { clmul::sum_of_products(blocks, powers) });
    }
    let _ = (blocks, powers);
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::authentication::AuthenticationKey;

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
            let mut together = [[0; 20]; LANES];
            tags(&jobs, &mut together);
            for (job, tag) in jobs.iter().zip(together) {
                prop_assert_eq!(job.key.tag(job.message, job.suffix), tag);
            }
        }
    }
}
