//! Index of a packet from its sequence number.

/// The index space of one key ends here.
pub(crate) const INDEX_LIMIT: u64 = 1 << 48;

/// What the index of a packet is taken to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Estimate {
    /// The 48-bit index: 65536 times the roll-over counter plus the sequence number.
    Index(u64),
    /// The roll-over counter would pass 2^32.
    Exhausted,
}

/// RFC 3711 3.3.1 and appendix A: the index nearest to the highest one seen. The roll-over counter never becomes negative.
#[inline]
pub(crate) const fn estimate(highest: u64, sequence_number: u16) -> Estimate {
    let roc = highest >> 16;
    let last = (highest & 0xffff) as u32;
    let sequence = sequence_number as u32;
    let roc = if last < 0x8000 {
        if sequence > last + 0x8000 { roc.saturating_sub(1) } else { roc }
    } else if last - 0x8000 > sequence {
        roc + 1
    } else {
        roc
    };
    let index = (roc << 16) | sequence as u64;
    if index >= INDEX_LIMIT { Estimate::Exhausted } else { Estimate::Index(index) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(roc: u64, sequence: u64) -> Estimate {
        Estimate::Index((roc << 16) | sequence)
    }

    #[test]
    fn the_edges_of_the_table() {
        let rows = [
            (0, 65535, 0, index(1, 0)),
            (1, 0, 65535, index(0, 65535)),
            (0, 10, 65000, index(0, 65000)),
            (5, 32767, 65535, index(5, 65535)),
            (5, 32768, 0, index(5, 0)),
            (5, 32769, 0, index(6, 0)),
            (5, 0, 32768, index(5, 32768)),
            (5, 0, 32769, index(4, 32769)),
            (0xffff_ffff, 65535, 0, Estimate::Exhausted),
            (0xffff_ffff, 65534, 65535, index(0xffff_ffff, 65535)),
        ];
        for (roc, last, sequence, expected) in rows {
            assert_eq!(estimate((roc << 16) | last, sequence), expected, "{roc} {last} {sequence}");
        }
    }

    proptest! {
        /// The definition: of the indexes with this sequence number the one nearest to the highest index.
        #[test]
        fn the_estimate_is_the_nearest_index(highest in 0x1_0000_u64..INDEX_LIMIT - 0x1_0000, sequence: u16) {
            let Estimate::Index(estimated) = estimate(highest, sequence) else { panic!("exhausted") };
            let roc = highest >> 16;
            let nearest = (roc - 1..=roc + 1)
                .map(|roc| (roc << 16) | u64::from(sequence))
                .map(|index| index.abs_diff(highest))
                .min();
            prop_assert_eq!(estimated & 0xffff, u64::from(sequence));
            prop_assert_eq!(Some(estimated.abs_diff(highest)), nearest);
        }
    }
}
