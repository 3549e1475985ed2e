//! Fills in for lost frames: the last pitch period again and again, fading out.

/// Samples of history that are kept: three of the longest pitch periods.
const HISTORY: usize = 480;
/// Pitch from 200 Hz down to 66 Hz.
const SHORTEST: usize = 40;
const LONGEST: usize = 120;
/// Samples over which the first good frame after a loss is faded in.
const OVERLAP: usize = 32;
/// The filling is at full level this long, and then fades out over [`FADE`].
const STEADY: usize = 80;
/// From full level to nothing: 50 ms.
const FADE: usize = 400;

/// Conceals losses of one audio stream at 8 kHz; nothing is allocated.
///
/// ITU-T G.711 appendix I
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Concealment {
    history: [i16; HISTORY],
    /// Pitch period of the loss that goes on; 0 if there is none.
    period: usize,
    /// Samples filled in since the loss began.
    filled: usize,
}

impl Default for Concealment {
    fn default() -> Self {
        Self::new()
    }
}

impl Concealment {
    /// Nothing was heard yet.
    ///
    /// ITU-T G.711 appendix I
    pub const fn new() -> Self {
        Self { history: [0; HISTORY], period: 0, filled: 0 }
    }

    /// A frame arrived: remembers it, and after a loss blends its beginning with what was filled in.
    ///
    /// ITU-T G.711 appendix I
    pub fn good(&mut self, frame: &mut [i16]) {
        if self.period != 0 {
            let overlap = OVERLAP.min(frame.len());
            for (at, sample) in frame.iter_mut().take(overlap).enumerate() {
                let filling = i32::from(self.next_filling());
                let (new, old) = (at as i32 + 1, (overlap - at) as i32 - 1);
                *sample = ((i32::from(*sample) * new + filling * old) / overlap as i32) as i16;
            }
            self.period = 0;
            self.filled = 0;
        }
        self.remember(frame);
    }

    /// A frame is missing: fills it.
    ///
    /// ITU-T G.711 appendix I
    pub fn conceal(&mut self, frame: &mut [i16]) {
        if self.period == 0 {
            self.period = self.pitch();
            self.filled = 0;
        }
        for sample in frame.iter_mut() {
            *sample = self.next_filling();
        }
    }

    /// The next sample of the repeated period, faded.
    fn next_filling(&mut self) -> i16 {
        let period = self.period.max(1);
        let at = HISTORY - period + self.filled % period;
        let sample = i32::from(self.history.get(at).copied().unwrap_or_default());
        let level = (FADE + STEADY).saturating_sub(self.filled).min(FADE) as i32;
        self.filled = self.filled.saturating_add(1);
        (sample * level / FADE as i32) as i16
    }

    fn remember(&mut self, frame: &[i16]) {
        let new = frame.len().min(HISTORY);
        self.history.copy_within(new.., 0);
        for (to, from) in self.history.iter_mut().rev().zip(frame.iter().rev()).take(new) {
            *to = *from;
        }
    }

    /// The lag at which the end of the history is most like what came before it.
    fn pitch(&self) -> usize {
        let recent = self.history.get(HISTORY - LONGEST..).unwrap_or_default();
        let score = |lag: usize| {
            let earlier = self.history.get(HISTORY - LONGEST - lag..HISTORY - lag).unwrap_or_default();
            let products =
                recent.iter().zip(earlier).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum::<i64>();
            let energy = earlier.iter().map(|b| i64::from(*b).pow(2)).sum::<i64>().max(1);
            products as f64 / (energy as f64).sqrt()
        };
        let mut best = (LONGEST, f64::MIN);
        for lag in SHORTEST..=LONGEST {
            let score = score(lag);
            if score > best.1 {
                best = (lag, score);
            }
        }
        best.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(length: usize) -> Vec<i16> {
        (0..length).map(|i| ((i as f64 * core::f64::consts::TAU / 80.0).sin() * 8000.0) as i16).collect()
    }

    fn energy(samples: &[i16]) -> f64 {
        samples.iter().map(|s| f64::from(*s).powi(2)).sum()
    }

    #[test]
    fn a_lost_frame_of_a_periodic_signal_goes_on_as_it_was() {
        let mut signal = sine(800);
        let mut concealment = Concealment::new();
        for frame in signal[..640].chunks_mut(160) {
            concealment.good(frame);
        }
        let mut filled = vec![0; 160];
        concealment.conceal(&mut filled);
        let error: f64 = filled[..80].iter().zip(&signal[640..]).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        assert!(error < 0.001 * energy(&signal[640..720]), "{error}");
    }

    #[test]
    fn a_long_loss_fades_to_silence() {
        let mut signal = sine(640);
        let mut concealment = Concealment::new();
        concealment.good(&mut signal);
        let mut levels = Vec::new();
        for _ in 0..4 {
            let mut filled = vec![0; 160];
            concealment.conceal(&mut filled);
            levels.push(energy(&filled));
        }
        assert!(levels.is_sorted_by(|a, b| a > b || *b == 0.0), "{levels:?}");
        assert!(levels[3] < 1.0);
    }

    #[test]
    fn the_frame_after_a_loss_begins_without_a_click() {
        let mut signal = sine(640);
        let mut concealment = Concealment::new();
        concealment.good(&mut signal);
        let mut filled = vec![0; 160];
        concealment.conceal(&mut filled);
        let mut loud = vec![8000_i16; 160];
        concealment.good(&mut loud);
        let step = (i32::from(loud[0]) - i32::from(filled[159])).abs();
        assert!(step < 1500, "{step}");
        assert_eq!(loud[100], 8000);
    }

    #[test]
    fn before_the_first_frame_there_is_silence() {
        let mut filled = vec![1; 160];
        Concealment::new().conceal(&mut filled);
        assert!(filled.iter().all(|sample| *sample == 0));
    }
}
