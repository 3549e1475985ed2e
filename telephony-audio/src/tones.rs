//! Tones a telephone plays by itself, and the digits of its keys.

/// A tone.
///
/// ITU-T E.180 2, ITU-T Q.23 6
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tone {
    /// 425 Hz without end: dial.
    Dial,
    /// 425 Hz, one second of five: it rings there.
    RingBack,
    /// 425 Hz, half of every second: the other side is busy.
    Busy,
    /// 425 Hz, a quarter of a second twice a second: no way through.
    Congestion,
    /// A key: `0` to `9`, `*`, `#`, `A` to `D`; others are silence.
    Dtmf(char),
}

/// Frequencies in hertz and, in samples, how long the tone sounds and rests; 0 and 0 for without end.
struct Cadence {
    frequencies: [f64; 2],
    on: u64,
    off: u64,
}

/// Samples of a millisecond.
const MILLISECOND: u64 = 8;
/// One amplitude of two, about -10 dBm0 together for DTMF and -13 for the rest.
const AMPLITUDE: f64 = 5000.0;
/// Rows and columns of the keys.
const KEYS: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];

impl Tone {
    fn cadence(self) -> Cadence {
        let european = |on: u64, off: u64| Cadence {
            frequencies: [425.0, 0.0],
            on: on * MILLISECOND,
            off: off * MILLISECOND,
        };
        match self {
            Self::Dial => european(0, 0),
            Self::RingBack => european(1000, 4000),
            Self::Busy => european(500, 500),
            Self::Congestion => european(250, 250),
            Self::Dtmf(key) => {
                let frequencies = KEYS.iter().zip(ROWS).find_map(|(row, low)| {
                    let column = row.chars().position(|candidate| candidate == key.to_ascii_uppercase())?;
                    COLUMNS.get(column).map(|high| [low, *high])
                });
                Cadence { frequencies: frequencies.unwrap_or_default(), on: 0, off: 0 }
            }
        }
    }
}

/// Plays a tone at 8 kHz without a click at frame borders.
///
/// ITU-T E.180 2
#[derive(Clone, Debug, PartialEq)]
pub struct ToneGenerator {
    tone: Tone,
    at: u64,
}

impl ToneGenerator {
    /// Begins a tone.
    ///
    /// ITU-T E.180 2
    pub const fn new(tone: Tone) -> Self {
        Self { tone, at: 0 }
    }

    /// The tone that is played.
    ///
    /// ITU-T E.180 2
    pub const fn tone(&self) -> Tone {
        self.tone
    }

    /// Writes the next samples.
    ///
    /// ITU-T E.180 2
    pub fn fill(&mut self, samples: &mut [i16]) {
        let cadence = self.tone.cadence();
        let period = cadence.on + cadence.off;
        for sample in samples {
            let sounds = period == 0 || self.at % period < cadence.on;
            // All frequencies are whole numbers of hertz: the phase repeats every second.
            let second = (self.at % 8000) as f64 / 8000.0;
            let value: f64 = cadence
                .frequencies
                .iter()
                .map(|frequency| (core::f64::consts::TAU * frequency * second).sin())
                .sum();
            *sample = if sounds { (AMPLITUDE * value) as i16 } else { 0 };
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Share of the energy at one frequency: Goertzel over a second.
    fn level(samples: &[i16], frequency: f64) -> f64 {
        let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
        for (i, sample) in samples.iter().enumerate() {
            let phase = core::f64::consts::TAU * frequency * i as f64 / 8000.0;
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
            energy += f64::from(*sample).powi(2);
        }
        2.0 * (re * re + im * im) / (energy * samples.len() as f64)
    }

    fn second(tone: Tone) -> Vec<i16> {
        let mut samples = vec![0; 8000];
        let mut generator = ToneGenerator::new(tone);
        for frame in samples.chunks_mut(160) {
            generator.fill(frame);
        }
        samples
    }

    #[test]
    fn dial_tone_is_425_hertz() {
        assert!(level(&second(Tone::Dial), 425.0) > 0.99);
    }

    #[test]
    fn each_key_has_its_two_frequencies() {
        for (row, low) in KEYS.iter().zip(ROWS) {
            for (key, high) in row.chars().zip(COLUMNS) {
                let samples = second(Tone::Dtmf(key));
                assert!(level(&samples, low) > 0.49, "{key}");
                assert!(level(&samples, high) > 0.49, "{key}");
            }
        }
        assert!(second(Tone::Dtmf('x')).iter().all(|sample| *sample == 0));
    }

    #[test]
    fn busy_sounds_half_of_every_second_and_ring_back_one_of_five() {
        let busy = second(Tone::Busy);
        assert!(busy[..4000].iter().any(|sample| *sample > 4000));
        assert!(busy[4000..].iter().all(|sample| *sample == 0));
        let mut generator = ToneGenerator::new(Tone::RingBack);
        let mut samples = vec![0; 48000];
        generator.fill(&mut samples);
        assert!(samples[8000..40000].iter().all(|sample| *sample == 0));
        assert!(samples[..8000].iter().any(|sample| *sample != 0));
        assert!(samples[40000..].iter().any(|sample| *sample != 0));
    }
}
