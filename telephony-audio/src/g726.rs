//! Adaptive differential PCM at 32 kbit/s: four bits a sample.

mod predictor;
mod quantizer;
mod scale;

use predictor::Predictor;
use quantizer::{dequantize, quantize};
use scale::Scale;

/// Which half of an octet has the earlier sample.
///
/// RFC 3551 4.5.4
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packing {
    /// The earlier sample in the most significant bits, as `AAL2-G726-32`; ITU-T I.366.2 annex E.
    Aal2,
    /// The earlier sample in the least significant bits, as `G726-32`.
    Rfc3551,
}

impl Packing {
    const fn pack(self, first: u8, second: u8) -> u8 {
        match self {
            Self::Aal2 => first << 4 | second,
            Self::Rfc3551 => second << 4 | first,
        }
    }

    const fn unpack(self, octet: u8) -> [u8; 2] {
        match self {
            Self::Aal2 => [octet >> 4, octet & 0x0f],
            Self::Rfc3551 => [octet & 0x0f, octet >> 4],
        }
    }
}

/// What encoder and decoder both keep and change in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Adaptation {
    predictor: Predictor,
    scale: Scale,
}

impl Adaptation {
    const fn new() -> Self {
        Self { predictor: Predictor::new(), scale: Scale::new() }
    }

    /// Takes a code in; returns the reconstructed signal.
    #[inline]
    fn update(&mut self, code: u8, estimate: predictor::Estimate) -> i32 {
        let y = self.scale.step();
        let difference = dequantize(code, y);
        // The standard keeps 16 bits of it.
        let signal = i32::from((estimate.signal + difference.value()) as i16);
        let transition = self.scale.transition(difference.magnitude);
        let p = signal + estimate.zeros - estimate.signal;
        let tone = self.predictor.update(difference, signal, p, transition);
        self.scale.update(code, y, transition, tone);
        signal
    }
}

/// Encodes 16-bit samples.
///
/// ITU-T G.726 4.1
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    adaptation: Adaptation,
    packing: Packing,
}

impl Encoder {
    /// An encoder in the initial state of the standard.
    ///
    /// ITU-T G.726 4.1
    pub const fn new(packing: Packing) -> Self {
        Self { adaptation: Adaptation::new(), packing }
    }

    /// The code of the next sample, four bits.
    ///
    /// ITU-T G.726 4.1
    #[inline]
    pub fn encode_sample(&mut self, sample: i16) -> u8 {
        let estimate = self.adaptation.predictor.estimate();
        // The standard counts in 14 bits.
        let difference = i32::from(sample >> 2) - estimate.signal;
        let code = quantize(difference, self.adaptation.scale.step());
        self.adaptation.update(code, estimate);
        code
    }

    /// Encodes samples two by two; returns the octets written, as many as both sides allow.
    ///
    /// RFC 3551 4.5.4
    pub fn encode(&mut self, samples: &[i16], octets: &mut [u8]) -> usize {
        let (pairs, _) = samples.as_chunks::<2>();
        for (octet, [first, second]) in octets.iter_mut().zip(pairs) {
            let first = self.encode_sample(*first);
            *octet = self.packing.pack(first, self.encode_sample(*second));
        }
        octets.len().min(pairs.len())
    }
}

/// Decodes to 16-bit samples.
///
/// ITU-T G.726 4.2
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoder {
    adaptation: Adaptation,
    packing: Packing,
}

impl Decoder {
    /// A decoder in the initial state of the standard.
    ///
    /// ITU-T G.726 4.2
    pub const fn new(packing: Packing) -> Self {
        Self { adaptation: Adaptation::new(), packing }
    }

    /// The sample of a code; only its lower four bits count.
    ///
    /// ITU-T G.726 4.2
    #[inline]
    pub fn decode_sample(&mut self, code: u8) -> i16 {
        let estimate = self.adaptation.predictor.estimate();
        let signal = self.adaptation.update(code & 0x0f, estimate);
        (signal << 2).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }

    /// Decodes two samples an octet; returns the samples written, as many as both sides allow.
    ///
    /// RFC 3551 4.5.4
    pub fn decode(&mut self, octets: &[u8], samples: &mut [i16]) -> usize {
        let (pairs, _) = samples.as_chunks_mut::<2>();
        let written = octets.len().min(pairs.len());
        for (pair, octet) in pairs.iter_mut().zip(octets) {
            *pair = self.packing.unpack(*octet).map(|code| self.decode_sample(code));
        }
        2 * written
    }
}
