//! The adaptive predictor: six zeros and two poles.

use super::quantizer::{Difference, bit_length};

/// Floating point of the standard: sign, exponent of four bits, mantissa of six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Float {
    negative: bool,
    exponent: i32,
    mantissa: i32,
}

impl Float {
    const ZERO: Self = Self { negative: false, exponent: 0, mantissa: 32 };

    /// Blocks FLOATA and FLOATB.
    #[inline]
    const fn new(negative: bool, magnitude: i32) -> Self {
        if magnitude == 0 {
            return Self { negative, ..Self::ZERO };
        }
        let exponent = bit_length(magnitude);
        Self { negative, exponent, mantissa: (magnitude << 6) >> exponent }
    }

    /// Block FMULT: the product with a coefficient of 16 bits.
    #[inline]
    const fn multiply(self, coefficient: i32) -> i32 {
        let coefficient = coefficient >> 2;
        // 13 bits, as two's complement has them.
        let magnitude = if coefficient > 0 { coefficient } else { -coefficient & 0x1fff };
        let exponent = bit_length(magnitude);
        let mantissa = if magnitude == 0 { 32 } else { (magnitude << 6) >> exponent };
        let exponent = exponent + self.exponent - 19;
        let mantissa = (mantissa * self.mantissa + 0x30) >> 4;
        let product = if exponent >= 0 { (mantissa << exponent) & 0x7fff } else { mantissa >> -exponent };
        if (coefficient < 0) == self.negative { product } else { -product }
    }
}

/// The signal estimate and the part of it that comes from the zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Estimate {
    /// SE.
    pub(super) signal: i32,
    /// SEZ.
    pub(super) zeros: i32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Predictor {
    /// B1 to B6.
    zeros: [i32; 6],
    /// A1 and A2.
    poles: [i32; 2],
    /// DQ1 to DQ6.
    differences: [Float; 6],
    /// SR1 and SR2.
    signals: [Float; 2],
    /// PK1 and PK2: signs of the partly reconstructed signal.
    signs: [bool; 2],
}

impl Predictor {
    pub(super) const fn new() -> Self {
        Self {
            zeros: [0; 6],
            poles: [0; 2],
            differences: [Float::ZERO; 6],
            signals: [Float::ZERO; 2],
            signs: [false; 2],
        }
    }

    /// Block ACCUM.
    #[inline]
    pub(super) fn estimate(&self) -> Estimate {
        let product = |(coefficient, value): (&i32, &Float)| value.multiply(*coefficient);
        let zeros: i32 = self.zeros.iter().zip(&self.differences).map(product).sum();
        let poles: i32 = self.poles.iter().zip(&self.signals).map(product).sum();
        Estimate { signal: (zeros + poles) >> 1, zeros: zeros >> 1 }
    }

    /// Blocks ADDC, UPA1, UPA2, LIMC, LIMD, UPB, XOR and TRIGB; returns whether a tone is there (TONE).
    #[inline]
    pub(super) fn update(&mut self, difference: Difference, signal: i32, p: i32, transition: bool) -> bool {
        let negative = p < 0;
        if transition {
            self.zeros = [0; 6];
            self.poles = [0; 2];
        } else {
            self.update_poles(negative, p == 0);
            self.update_zeros(difference);
        }
        let [d1, d2, d3, d4, d5, _] = self.differences;
        self.differences = [Float::new(difference.negative, difference.magnitude), d1, d2, d3, d4, d5];
        let [s1, _] = self.signals;
        self.signals = [Float::new(signal < 0, signal.abs() & 0x7fff), s1];
        let [last, _] = self.signs;
        self.signs = [negative, last];
        let [_, a2] = self.poles;
        !transition && a2 < -11776
    }

    #[inline]
    fn update_poles(&mut self, negative: bool, zero: bool) {
        let [a1, a2] = self.poles;
        let [last, before_last] = self.signs;
        let mut a1_next = a1 - (a1 >> 8);
        let mut a2_next = a2 - (a2 >> 7);
        if !zero {
            let f = if negative == last { -a1 } else { a1 };
            a2_next += match f {
                ..=-8192 => -0x100,
                8192.. => 0xff,
                _ => f >> 5,
            };
            a2_next += if negative == before_last { 0x80 } else { -0x80 };
            a1_next += if negative == last { 192 } else { -192 };
        }
        let a2_next = a2_next.clamp(-12288, 12288);
        let limit = 15360 - a2_next;
        self.poles = [a1_next.clamp(-limit, limit), a2_next];
    }

    #[inline]
    fn update_zeros(&mut self, difference: Difference) {
        for (b, past) in self.zeros.iter_mut().zip(&self.differences) {
            *b -= *b >> 8;
            if difference.magnitude != 0 {
                *b += if difference.negative == past.negative { 128 } else { -128 };
            }
        }
    }
}
