//! The adaptive quantizer and its inverse.

/// A quantized difference: sign and magnitude, because zero has a sign here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) negative: bool,
    /// At most 14 bits: the scale factor has an upper limit.
    pub(super) magnitude: i32,
}

impl Difference {
    #[inline]
    pub(super) const fn value(self) -> i32 {
        if self.negative { -self.magnitude } else { self.magnitude }
    }
}

/// Decision levels of the normalized logarithm: ITU-T G.726 table 2, times 128.
const DECISIONS: [i32; 7] = [-124, 80, 178, 246, 300, 349, 400];

/// Outputs of the inverse quantizer by the magnitude of the code: ITU-T G.726 table 2, times 128.
const OUTPUTS: [i32; 8] = [-2048, 4, 135, 213, 273, 323, 373, 425];

/// Position of the highest bit, counted from 1; 0 for zero.
#[inline]
pub(super) const fn bit_length(magnitude: i32) -> i32 {
    32 - magnitude.leading_zeros() as i32
}

/// Blocks LOG, SUBTB and QUAN: the code of a difference under the scale factor `y`.
#[inline]
pub(super) fn quantize(difference: i32, y: i32) -> u8 {
    let magnitude = difference.abs() & 0x7fff;
    let exponent = bit_length(magnitude >> 1);
    let mantissa = ((magnitude << 7) >> exponent) & 0x7f;
    let normalized = (exponent << 7) + mantissa - (y >> 2);
    let level = DECISIONS.iter().filter(|decision| normalized >= **decision).count() as u8;
    match (difference < 0, level) {
        (true, level) => 15 - level,
        // Code 0 is never sent, so that the line always has ones.
        (false, 0) => 15,
        (false, level) => level,
    }
}

/// Magnitude part of a code, from 0 to 7.
#[inline]
pub(super) const fn level(code: u8) -> usize {
    (if code & 8 == 0 { code } else { !code } & 7) as usize
}

/// Blocks RECONST, ADDA and ANTILOG: the difference of a code.
#[inline]
pub(super) fn dequantize(code: u8, y: i32) -> Difference {
    let output = OUTPUTS.get(level(code)).copied().unwrap_or_default();
    let logarithm = output + (y >> 2);
    let magnitude = if logarithm < 0 {
        0
    } else {
        let exponent = (logarithm >> 7) & 15;
        ((128 + (logarithm & 127)) << 7) >> (14 - exponent).max(0)
    };
    Difference { negative: code & 8 != 0, magnitude }
}
