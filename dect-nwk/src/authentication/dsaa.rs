//! The DECT standard authentication algorithm.

use super::{CipherKey, Key128};

/// Process A11: the session key KS from the authentication key and the random session value RS.
///
/// EN 300 175-7 5.1.2
pub fn a11(key: &Key128, rs: [u8; 8]) -> Key128 {
    Key128::new(dsaa(key.octets(), rs))
}

/// Process A12: the response RES1 and the derived cipher key from KS and the challenge of the fixed part.
///
/// EN 300 175-7 5.1.2
pub fn a12(ks: &Key128, rand_f: [u8; 8]) -> ([u8; 4], CipherKey) {
    let e = dsaa(ks.octets(), rand_f);
    let [_, _, _, _, dck @ .., r3, r2, r1, r0] = e;
    (([r3, r2, r1, r0]), CipherKey::new(dck))
}

/// Process A21: the reverse session key KS'; in key allocation it becomes the user authentication key.
///
/// EN 300 175-7 5.1.3
pub fn a21(key: &Key128, rs: [u8; 8]) -> Key128 {
    Key128::new(dsaa(key.octets(), rs).map(|octet| octet ^ 0xaa))
}

/// Process A22: the response RES2 from KS' and the challenge of the portable part.
///
/// EN 300 175-7 5.1.3
pub fn a22(ks_reverse: &Key128, rand_p: [u8; 8]) -> [u8; 4] {
    a12(ks_reverse, rand_p).0
}

/// The function itself, octets most significant first: D1 of 128 bits, D2 of 64 bits to E of 128 bits.
fn dsaa(d1: &[u8; 16], d2: [u8; 8]) -> [u8; 16] {
    let mut key = *d1;
    key.reverse();
    let mut random = d2;
    random.reverse();
    let [k0, k1, k2, k3, middle @ .., k12, k13, k14, k15] = key;
    let outer = [k0, k1, k2, k3, k12, k13, k14, k15];

    let a = C1.run(random, middle);
    let s1 = C2.run(a, random);
    let b = C3.run(s1, outer);
    let s2 = C4.run(b, s1);

    let mut e = [0; 16];
    for (octet, value) in e.iter_mut().zip(s2[..4].iter().chain(&s1).chain(&s2[4..])) {
        *octet = *value;
    }
    e.reverse();
    e
}

/// One of the four keyed permutations of 64 bits.
struct Cassable {
    start: usize,
    step: usize,
}

const C1: Cassable = Cassable { start: 46, step: 35 };
const C2: Cassable = Cassable { start: 25, step: 47 };
const C3: Cassable = Cassable { start: 60, step: 27 };
const C4: Cassable = Cassable { start: 55, step: 39 };

impl Cassable {
    /// Six rounds of key permutation, substitution and mixing; octet 0 is the least significant.
    fn run(&self, mut key: [u8; 8], mut state: [u8; 8]) -> [u8; 8] {
        for distance in [4, 2, 1, 4, 2, 1] {
            key = self.permute(key);
            for (octet, key) in state.iter_mut().zip(key) {
                *octet = S[usize::from(*octet ^ key)];
            }
            state = mix(state, distance);
        }
        state
    }

    fn permute(&self, key: [u8; 8]) -> [u8; 8] {
        let key = u64::from_le_bytes(key);
        (0..64)
            .fold(0_u64, |permuted, bit| permuted | (key >> bit & 1) << ((self.start + bit * self.step) % 64))
            .to_le_bytes()
    }
}

fn mix(state: [u8; 8], distance: usize) -> [u8; 8] {
    std::array::from_fn(|index| {
        let factor = if index & distance == 0 { 2 } else { 3 };
        state[index ^ distance].wrapping_add(state[index].wrapping_mul(factor))
    })
}

/// The substitution, row by row.
#[rustfmt::skip]
const S: [u8; 256] = [
    0xb0, 0x68, 0x6f, 0xf6, 0x7d, 0xe8, 0x16, 0x85, 0x39, 0x7c, 0x7f, 0xde, 0x43, 0xf0, 0x59, 0xa9,
    0xfb, 0x80, 0x32, 0xae, 0x5f, 0x25, 0x8c, 0xf5, 0x94, 0x6b, 0xd8, 0xea, 0x88, 0x98, 0xc2, 0x29,
    0xcf, 0x3a, 0x50, 0x96, 0x1c, 0x08, 0x95, 0xf4, 0x82, 0x37, 0x0a, 0x56, 0x2c, 0xff, 0x4f, 0xc4,
    0x60, 0xa5, 0x83, 0x21, 0x30, 0xf8, 0xf3, 0x28, 0xfa, 0x93, 0x49, 0x34, 0x42, 0x78, 0xbf, 0xfc,
    0x61, 0xc6, 0xf1, 0xa7, 0x1a, 0x53, 0x03, 0x4d, 0x86, 0xd3, 0x04, 0x87, 0x7e, 0x8f, 0xa0, 0xb7,
    0x31, 0xb3, 0xe7, 0x0e, 0x2f, 0xcc, 0x69, 0xc3, 0xc0, 0xd9, 0xc8, 0x13, 0xdc, 0x8b, 0x01, 0x52,
    0xc1, 0x48, 0xef, 0xaf, 0x73, 0xdd, 0x5c, 0x2e, 0x19, 0x91, 0xdf, 0x22, 0xd5, 0x3d, 0x0d, 0xa3,
    0x58, 0x81, 0x3e, 0xfd, 0x62, 0x44, 0x24, 0x2d, 0xb6, 0x8d, 0x5a, 0x05, 0x17, 0xbe, 0x27, 0x54,
    0x5d, 0x9d, 0xd6, 0xad, 0x6c, 0xed, 0x64, 0xce, 0xf2, 0x72, 0x3f, 0xd4, 0x46, 0xa4, 0x10, 0xa2,
    0x3b, 0x89, 0x97, 0x4c, 0x6e, 0x74, 0x99, 0xe4, 0xe3, 0xbb, 0xee, 0x70, 0x00, 0xbd, 0x65, 0x20,
    0x0f, 0x7a, 0xe9, 0x9e, 0x9b, 0xc7, 0xb5, 0x63, 0xe6, 0xaa, 0xe1, 0x8a, 0xc5, 0x07, 0x06, 0x1e,
    0x5e, 0x1d, 0x35, 0x38, 0x77, 0x14, 0x11, 0xe2, 0xb9, 0x84, 0x18, 0x9f, 0x2a, 0xcb, 0xda, 0xf7,
    0xa6, 0xb2, 0x66, 0x7b, 0xb1, 0x9c, 0x6d, 0x6a, 0xf9, 0xfe, 0xca, 0xc9, 0xa8, 0x41, 0xbc, 0x79,
    0xdb, 0xb8, 0x67, 0xba, 0xac, 0x36, 0xab, 0x92, 0x4b, 0xd7, 0xe5, 0x9a, 0x76, 0xcd, 0x15, 0x1f,
    0x4e, 0x4a, 0x57, 0x71, 0x1b, 0x55, 0x09, 0x51, 0x33, 0x0c, 0xb4, 0x8e, 0x2b, 0xe0, 0xd0, 0x5b,
    0x47, 0x75, 0x45, 0x40, 0x02, 0xd1, 0x3c, 0xec, 0x23, 0xeb, 0x0b, 0xd2, 0xa1, 0x90, 0x26, 0x12,
];

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
    const STATE: [u8; 8] = [0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];

    #[test]
    fn the_substitution_is_a_permutation() {
        let mut seen = [false; 256];
        for octet in S {
            seen[usize::from(octet)] = true;
        }
        assert!(seen.iter().all(|seen| *seen));
    }

    #[test]
    fn the_four_functions_permute_and_run_as_published_implementations_do() {
        for (function, permuted, output) in [
            (C1, 0x5200_5012_4210_4002_u64, 0x8567_b7c3_b774_f0af_u64),
            (C2, 0x8280_8301_0200_0381, 0x5d4f_4638_c353_7794),
            (C3, 0x9400_1484_9004_1080, 0xfc96_a236_20e0_5b9d),
            (C4, 0x40e0_20a0_60c0_0080, 0x5f3b_529c_e2da_f781),
        ] {
            assert_eq!(function.permute(KEY), permuted.to_be_bytes());
            assert_eq!(function.run(KEY, STATE), output.to_be_bytes());
        }
    }
}
