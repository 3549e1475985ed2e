//! How much of what was said was heard: for tests and demonstrations of whole calls.

use core::f64::consts::TAU;

/// Samples of a window: 200 ms at 8 kHz.
const WINDOW: usize = 1600;
/// The longest delay: 500 ms.
const LONGEST_LAG: usize = 4000;
/// Length of the transforms; more than a window and its lags.
const LENGTH: usize = 8192;
/// A window is speech if its level is at least this part of the loudest one's.
const ACTIVE: f64 = 0.1;
/// And at least this, root of mean square.
const AUDIBLE: f64 = 50.0;

/// The likeness of what was received to what was sent, from 0 to 1: the mean over active windows of 200 ms of the largest
/// normalised cross-correlation for delays of 0 to 500 ms. Both at 8 kHz.
///
/// docs/audio-match.md
pub fn audio_match(sent: &[i16], received: &[i16]) -> f64 {
    let (windows, _) = sent.as_chunks::<WINDOW>();
    let levels = windows.iter().map(|window| (energy(window) / WINDOW as f64).sqrt());
    let loudest = levels.clone().fold(0.0, f64::max);
    let threshold = (ACTIVE * loudest).max(AUDIBLE);
    let mut total = 0.0;
    let mut active = 0_u32;
    for (number, (window, level)) in windows.iter().zip(levels).enumerate() {
        if level < threshold {
            continue;
        }
        active += 1;
        let received = received.get(number * WINDOW..).unwrap_or_default();
        total += best_correlation(window, received.get(..WINDOW + LONGEST_LAG).unwrap_or(received));
    }
    if active == 0 { 0.0 } else { total / f64::from(active) }
}

fn energy(samples: &[i16]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// The largest normalised cross-correlation of a window with a part of `received`.
fn best_correlation(window: &[i16], received: &[i16]) -> f64 {
    let window_energy = energy(window);
    let products = cross_correlation(window, received);
    let squares: Vec<f64> = received.iter().map(|sample| f64::from(*sample).powi(2)).collect();
    let mut received_energy: f64 = squares.iter().take(WINDOW).sum();
    let mut best = 0.0_f64;
    for (lag, product) in products.iter().take(LONGEST_LAG + 1).enumerate() {
        // A part without sound is like nothing; below one unit of energy a sample it is rounding.
        if received_energy > WINDOW as f64 {
            best = best.max(product / (window_energy * received_energy).sqrt());
        }
        let leaves = squares.get(lag).copied().unwrap_or_default();
        received_energy += squares.get(lag + WINDOW).copied().unwrap_or_default() - leaves;
    }
    best.clamp(0.0, 1.0)
}

/// The sum of products for each lag, by way of the spectra.
fn cross_correlation(window: &[i16], received: &[i16]) -> Vec<f64> {
    let spectrum = |samples: &[i16]| {
        let mut values = vec![Complex::default(); LENGTH];
        for (value, sample) in values.iter_mut().zip(samples) {
            value.re = f64::from(*sample);
        }
        transform(&mut values);
        values
    };
    let mut product: Vec<Complex> = spectrum(window)
        .iter()
        .zip(spectrum(received))
        // The conjugate of window* × received, so that a forward transform goes back.
        .map(|(w, r)| Complex { re: w.re * r.re + w.im * r.im, im: w.im * r.re - w.re * r.im })
        .collect();
    transform(&mut product);
    product.iter().map(|value| value.re / LENGTH as f64).collect()
}

#[derive(Clone, Copy, Debug, Default)]
struct Complex {
    re: f64,
    im: f64,
}

/// The discrete Fourier transform, radix two, in place; the length is a power of two.
fn transform(values: &mut [Complex]) {
    let length = values.len();
    let bits = length.trailing_zeros();
    for i in 0..length {
        let j = i.reverse_bits() >> (usize::BITS - bits);
        if i < j {
            values.swap(i, j);
        }
    }
    let mut half = 1;
    while half < length {
        for group in values.chunks_exact_mut(2 * half) {
            let (low, high) = group.split_at_mut(half);
            let step = -TAU / (2 * half) as f64;
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (sin, cos) = (step * k as f64).sin_cos();
                let turned = Complex { re: b.re * cos - b.im * sin, im: b.re * sin + b.im * cos };
                *b = Complex { re: a.re - turned.re, im: a.im - turned.im };
                *a = Complex { re: a.re + turned.re, im: a.im + turned.im };
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signal without period: every lag but the right one is unlike.
    fn noise(length: usize, mut state: u32) -> Vec<i16> {
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as i16 / 4
            })
            .collect()
    }

    #[test]
    fn the_spectra_give_what_the_definition_gives() {
        let window = noise(WINDOW, 1);
        let received = noise(WINDOW + 50, 2);
        let fast = cross_correlation(&window, &received);
        for lag in [0, 1, 17, 50] {
            let plain: f64 =
                window.iter().zip(&received[lag..]).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            assert!((fast[lag] - plain).abs() < 1.0, "{lag}: {} {plain}", fast[lag]);
        }
    }

    #[test]
    fn a_delayed_copy_matches_up_to_half_a_second() {
        let sent = noise(16000, 3);
        for delay in [0, 1, 333, 4000] {
            let mut received = vec![0; delay];
            received.extend(&sent);
            assert!(audio_match(&sent, &received) > 0.999, "{delay}");
        }
        let mut received = vec![0; 4400];
        received.extend(&sent);
        assert!(audio_match(&sent, &received) < 0.2);
    }

    #[test]
    fn silence_on_either_side_matches_nothing() {
        let sent = noise(16000, 4);
        let silence = vec![0; 16000];
        for (sent, received) in [(&sent[..], &[][..]), (&sent, &silence), (&silence, &sent)] {
            assert!(audio_match(sent, received) < 1e-9);
        }
    }
}
