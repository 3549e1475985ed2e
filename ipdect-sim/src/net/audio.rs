//! WAV files: 8 kHz, one channel, 16 bits.

use std::path::Path;

/// Why a WAV file could not be read or written: one clear line.
///
/// README.md, section "Commands"
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AudioError(pub String);

/// The samples of a WAV file of 8 kHz, one channel and 16 bits.
///
/// README.md, section "Commands"
pub fn read_wav(file: &Path) -> Result<Vec<i16>, AudioError> {
    let mut reader = hound::WavReader::open(file).map_err(|error| failed(file, &error))?;
    let spec = reader.spec();
    if (spec.sample_rate, spec.channels, spec.bits_per_sample) != (8000, 1, 16) {
        return Err(AudioError(format!(
            "{}: {} Hz, {} channels, {} bits; 8000 Hz, 1 channel, 16 bits are needed",
            file.display(),
            spec.sample_rate,
            spec.channels,
            spec.bits_per_sample
        )));
    }
    reader.samples::<i16>().collect::<Result<_, _>>().map_err(|error| failed(file, &error))
}

/// Writes samples into a WAV file of 8 kHz, one channel and 16 bits.
///
/// README.md, section "Commands"
pub fn write_wav(file: &Path, samples: &[i16]) -> Result<(), AudioError> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).map_err(|error| failed(file, &error))?;
    for sample in samples {
        writer.write_sample(*sample).map_err(|error| failed(file, &error))?;
    }
    writer.finalize().map_err(|error| failed(file, &error))
}

fn failed(file: &Path, error: &hound::Error) -> AudioError {
    AudioError(format!("{}: {error}", file.display()))
}
