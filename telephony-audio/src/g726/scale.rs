//! Scale factor of the quantizer and the speed at which it adapts.

use super::quantizer::level;

/// Multipliers W(I): ITU-T G.726 table 6, times 16.
const MULTIPLIERS: [i32; 8] = [-12, 18, 41, 64, 112, 198, 355, 1122];

/// F(I), the weights of the speed control: ITU-T G.726 table 7, times 512.
const WEIGHTS: [i32; 8] = [0, 0, 0, 0x200, 0x200, 0x200, 0x600, 0xe00];

/// Locked and unlocked scale factor and the speed control that mixes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// YL, 19 bits.
    slow: i32,
    /// YU, 13 bits.
    fast: i32,
    /// DMS: short-term average of F(I).
    short_average: i32,
    /// DML: long-term average of F(I).
    long_average: i32,
    /// AP: speed control.
    speed: i32,
    /// TD: a tone, found with the previous sample.
    tone: bool,
}

impl Scale {
    pub(super) const fn new() -> Self {
        Self { slow: 34816, fast: 544, short_average: 0, long_average: 0, speed: 0, tone: false }
    }

    /// Blocks LIMA and MIX: the scale factor Y.
    #[inline]
    pub(super) const fn step(&self) -> i32 {
        if self.speed >= 256 {
            return self.fast;
        }
        let locked = self.slow >> 6;
        let difference = self.fast - locked;
        let product = difference * (self.speed >> 2);
        // The product is cut towards zero.
        locked + if difference < 0 { (product + 63) >> 6 } else { product >> 6 }
    }

    /// Block TRANS: whether a tone gave way to something else.
    #[inline]
    pub(super) const fn transition(&self, magnitude: i32) -> bool {
        let integer = self.slow >> 15;
        let fraction = (self.slow >> 10) & 0x1f;
        let threshold = if integer > 9 { 31 << 10 } else { (32 + fraction) << integer };
        self.tone && magnitude > (threshold + (threshold >> 1)) >> 1
    }

    /// Blocks FUNCTW, FILTD, LIMB and FILTE; FUNCTF, FILTA, FILTB, SUBTC, FILTC and TRIGA.
    #[inline]
    pub(super) fn update(&mut self, code: u8, y: i32, transition: bool, tone: bool) {
        let multiplier = MULTIPLIERS.get(level(code)).copied().unwrap_or_default() << 5;
        self.fast = (y + ((multiplier - y) >> 5)).clamp(544, 5120);
        self.slow += self.fast + ((-self.slow) >> 6);

        let weight = WEIGHTS.get(level(code)).copied().unwrap_or_default();
        self.short_average += (weight - self.short_average) >> 5;
        self.long_average += ((weight << 2) - self.long_average) >> 7;
        let uneven = ((self.short_average << 2) - self.long_average).abs() >= self.long_average >> 3;
        let target = if y < 1536 || tone || uneven { 0x200 } else { 0 };
        self.speed = if transition { 256 } else { self.speed + ((target - self.speed) >> 4) };
        self.tone = tone;
    }
}
