//! Codecs: 20 ms at 8 kHz, one channel.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use telephony_audio::g711;
use telephony_audio::g726::{Decoder, Encoder, Packing};

/// Samples of 20 ms.
const FRAME: usize = 160;

/// Something like speech: two tones whose level rises and falls.
fn frames() -> Vec<[i16; FRAME]> {
    (0..50)
        .map(|frame| {
            std::array::from_fn(|i| {
                let t = (frame * FRAME + i) as f64 / 8000.0;
                let level = 4000.0 * (1.0 + (t * 20.0).sin());
                (level * ((t * 1300.0).sin() + (t * 4400.0).sin())) as i16
            })
        })
        .collect()
}

fn audio(criterion: &mut Criterion) {
    let frames = frames();
    let alaw: Vec<[u8; FRAME]> = frames.iter().map(|frame| frame.map(g711::alaw_encode)).collect();
    let mut encoder = Encoder::new(Packing::Aal2);
    let adpcm: Vec<[u8; FRAME / 2]> = frames
        .iter()
        .map(|frame| {
            let mut octets = [0; FRAME / 2];
            encoder.encode(frame, &mut octets);
            octets
        })
        .collect();
    let mut samples = [0_i16; FRAME];
    let mut octets = [0_u8; FRAME];

    criterion.benchmark_group("G.711 A-law encode 20 ms").bench_function("ours", |bencher| {
        let mut frames = frames.iter().cycle();
        bencher.iter(|| {
            g711::encode_alaw(frames.next().expect("endless"), &mut octets);
            black_box(&octets);
        });
    });
    criterion.benchmark_group("G.711 A-law decode 20 ms").bench_function("ours", |bencher| {
        let mut frames = alaw.iter().cycle();
        bencher.iter(|| {
            g711::decode_alaw(frames.next().expect("endless"), &mut samples);
            black_box(&samples);
        });
    });
    criterion.benchmark_group("G.726-32 encode 20 ms").bench_function("ours", |bencher| {
        let mut encoder = Encoder::new(Packing::Aal2);
        let mut frames = frames.iter().cycle();
        bencher.iter(|| black_box(encoder.encode(frames.next().expect("endless"), &mut octets)));
    });
    criterion.benchmark_group("G.726-32 decode 20 ms").bench_function("ours", |bencher| {
        let mut decoder = Decoder::new(Packing::Aal2);
        let mut frames = adpcm.iter().cycle();
        bencher.iter(|| black_box(decoder.decode(frames.next().expect("endless"), &mut samples)));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots();
    targets = audio
}
criterion_main!(benches);
