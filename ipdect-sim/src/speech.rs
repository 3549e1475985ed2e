//! Two sentences to speak in calls, synthesised; `assets/README.md` has the commands that made them.

use std::io::Cursor;

const SENTENCES: [&[u8]; 2] =
    [include_bytes!("../assets/speech-a.wav"), include_bytes!("../assets/speech-b.wav")];

/// The samples of both sentences, 8 kHz; they differ, so that crossed lines are noticed.
///
/// ITU-T G.711 (its sampling rate)
#[must_use]
pub fn sentences() -> [Vec<i16>; 2] {
    SENTENCES.map(|file| {
        let samples = hound::WavReader::new(Cursor::new(file)).map(hound::WavReader::into_samples);
        samples.map(|samples| samples.filter_map(Result::ok).collect()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use telephony_audio::correlation::audio_match;

    #[test]
    fn the_sentences_are_three_seconds_each_and_different() {
        let [first, second] = sentences();
        for sentence in [&first, &second] {
            assert!((16_000..40_000).contains(&sentence.len()), "{}", sentence.len());
        }
        assert!(audio_match(&first, &first) > 0.99);
        assert!(audio_match(&first, &second) < 0.5, "swapped sentences are noticed");
    }
}
