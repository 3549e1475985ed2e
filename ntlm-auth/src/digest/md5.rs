//! MD5 of one block, or of blocks of several texts at once.
//!
//! A step of MD5 waits for the one before and leaves most of the processor idle. A second text goes along for a tenth of
//! its price. RustCrypto's `md-5` takes one at a time; a test compares both.

use core::hint::black_box;

/// Octets of a block.
pub(crate) const BLOCK: usize = 64;
/// A block of a text.
pub(crate) type Block = [u8; BLOCK];
/// What the blocks so far have made of it.
pub(crate) type State = [u32; 4];

/// RFC 1321 3.3
pub(crate) const INITIAL: State = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// One block of each of several texts that have nothing to do with each other.
///
/// RFC 1321 3.4
pub(crate) fn compress<const N: usize>(states: [&mut State; N], blocks: [&Block; N]) {
    // Constants that the compiler knows are added last of all, when everything waits; these come from memory, early.
    let sines: &[u32; 64] = black_box(&SINES);
    // Read where they stand, so that no copy of a key is left on the stack.
    let word = |lane: usize, at: usize| {
        let block: &Block = blocks[lane];
        let octets = block.as_chunks::<4>().0.get(at);
        octets.map_or(0, |octets| u32::from_le_bytes(*octets))
    };
    let mut a: [u32; N] = core::array::from_fn(|lane| states[lane][0]);
    let mut b: [u32; N] = core::array::from_fn(|lane| states[lane][1]);
    let mut c: [u32; N] = core::array::from_fn(|lane| states[lane][2]);
    let mut d: [u32; N] = core::array::from_fn(|lane| states[lane][3]);

    macro_rules! step {
        ($mix:ident, $w:ident, $x:ident, $y:ident, $z:ident, $word:expr, $sine:expr, $turn:expr) => {
            for lane in 0..N {
                let early = $w[lane].wrapping_add(word(lane, $word)).wrapping_add(sines[$sine]);
                let mixed = $mix(early, $x[lane], $y[lane], $z[lane]);
                $w[lane] = mixed.rotate_left($turn).wrapping_add($x[lane]);
            }
        };
    }
    macro_rules! four {
        ($mix:ident, $from:expr, [$w0:expr, $w1:expr, $w2:expr, $w3:expr], [$t0:expr, $t1:expr, $t2:expr, $t3:expr]) => {
            step!($mix, a, b, c, d, $w0, $from, $t0);
            step!($mix, d, a, b, c, $w1, $from + 1, $t1);
            step!($mix, c, d, a, b, $w2, $from + 2, $t2);
            step!($mix, b, c, d, a, $w3, $from + 3, $t3);
            if N > 1 {
                a = black_box(a);
            }
        };
    }
    four!(f, 0, [0, 1, 2, 3], [7, 12, 17, 22]);
    four!(f, 4, [4, 5, 6, 7], [7, 12, 17, 22]);
    four!(f, 8, [8, 9, 10, 11], [7, 12, 17, 22]);
    four!(f, 12, [12, 13, 14, 15], [7, 12, 17, 22]);
    four!(g, 16, [1, 6, 11, 0], [5, 9, 14, 20]);
    four!(g, 20, [5, 10, 15, 4], [5, 9, 14, 20]);
    four!(g, 24, [9, 14, 3, 8], [5, 9, 14, 20]);
    four!(g, 28, [13, 2, 7, 12], [5, 9, 14, 20]);
    four!(h, 32, [5, 8, 11, 14], [4, 11, 16, 23]);
    four!(h, 36, [1, 4, 7, 10], [4, 11, 16, 23]);
    four!(h, 40, [13, 0, 3, 6], [4, 11, 16, 23]);
    four!(h, 44, [9, 12, 15, 2], [4, 11, 16, 23]);
    four!(i, 48, [0, 7, 14, 5], [6, 10, 15, 21]);
    four!(i, 52, [12, 3, 10, 1], [6, 10, 15, 21]);
    four!(i, 56, [8, 15, 6, 13], [6, 10, 15, 21]);
    four!(i, 60, [4, 11, 2, 9], [6, 10, 15, 21]);

    for (lane, state) in states.into_iter().enumerate() {
        for (word, more) in state.iter_mut().zip([a[lane], b[lane], c[lane], d[lane]]) {
            *word = word.wrapping_add(more);
        }
    }
}

// `x` is what the step waits for: each function needs it as late as it can.

fn f(early: u32, x: u32, y: u32, z: u32) -> u32 {
    early.wrapping_add(z ^ (x & (y ^ z)))
}

fn g(early: u32, x: u32, y: u32, z: u32) -> u32 {
    early.wrapping_add(y & !z).wrapping_add(x & z)
}

fn h(early: u32, x: u32, y: u32, z: u32) -> u32 {
    early.wrapping_add((y ^ z) ^ x)
}

fn i(early: u32, x: u32, y: u32, z: u32) -> u32 {
    early.wrapping_add(y ^ (x | !z))
}

/// The octets of a digest, written where they stay.
pub(crate) fn write(state: &State, digest: &mut [u8; 16]) {
    for (place, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_le_bytes();
    }
}

/// RFC 1321 3.4 (table T)
static SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_side_by_side_are_what_another_implementation_makes_of_each() {
        let mut random = 0x9e37_79b9_u32;
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            random
        };
        for _ in 0..500 {
            let start: [State; 3] = core::array::from_fn(|_| core::array::from_fn(|_| next()));
            let blocks: [Block; 3] = core::array::from_fn(|_| core::array::from_fn(|_| next() as u8));
            let mut expected = start;
            for (state, block) in expected.iter_mut().zip(&blocks) {
                md5::block_api::compress(state, core::slice::from_ref(block));
            }
            let [one, two, three] = &blocks;
            let mut states = start;
            compress(states.each_mut(), [one, two, three]);
            assert_eq!(states, expected, "three at once");
            let mut states = start;
            let [first, second, third] = &mut states;
            compress([first, second], [one, two]);
            compress([third], [three]);
            assert_eq!(states, expected, "two at once and one alone");
        }
    }
}
