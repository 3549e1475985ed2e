//! G.726-32 is the same, bit for bit, as another implementation of the standard.

use telephony_audio::g726::{Decoder, Encoder, Packing};

const INPUT: &[u8] = include_bytes!("vectors/g726-input.s16");
const OUTPUT: &[u8] = include_bytes!("vectors/g726-output.s16");
const AAL2: &[u8] = include_bytes!("vectors/g726-32-aal2.bin");
const RFC3551: &[u8] = include_bytes!("vectors/g726-32-rfc3551.bin");
const RANDOM: &[u8] = include_bytes!("vectors/g726-random.bin");
const RANDOM_OUTPUT: &[u8] = include_bytes!("vectors/g726-random-output.s16");

fn samples(octets: &[u8]) -> Vec<i16> {
    octets.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// Where two signals part.
fn first_difference<T: PartialEq>(a: &[T], b: &[T]) -> Option<usize> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).position(|(a, b)| a != b)
}

/// The other implementation wraps where the reconstructed signal leaves 16 bits, this one stops at the rails; inside they agree.
fn assert_agrees(ours: &[i16], theirs: &[i16]) {
    assert_eq!(ours.len(), theirs.len());
    for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let at_a_rail = *ours == i16::MAX || *ours == i16::MIN;
        assert!(ours == theirs || at_a_rail, "sample {at}: {ours} {theirs}");
    }
    let same = ours.iter().zip(theirs).filter(|(a, b)| a == b).count();
    assert!(same * 10 > ours.len() * 9, "{same}");
}

#[test]
fn the_encoder_is_bit_exact_in_both_packings() {
    for (packing, expected) in [(Packing::Aal2, AAL2), (Packing::Rfc3551, RFC3551)] {
        let mut encoder = Encoder::new(packing);
        let mut octets = vec![0; expected.len()];
        for (frame, out) in samples(INPUT).chunks(160).zip(octets.chunks_mut(80)) {
            assert_eq!(encoder.encode(frame, out), 80);
        }
        assert_eq!(first_difference(&octets, expected), None, "{packing:?}");
    }
}

#[test]
fn the_decoder_is_bit_exact_in_both_packings() {
    for (packing, octets) in [(Packing::Aal2, AAL2), (Packing::Rfc3551, RFC3551)] {
        let mut decoder = Decoder::new(packing);
        let mut decoded = vec![0; 2 * octets.len()];
        for (frame, out) in octets.chunks(80).zip(decoded.chunks_mut(160)) {
            assert_eq!(decoder.decode(frame, out), 160);
        }
        assert_agrees(&decoded, &samples(OUTPUT));
    }
}

#[test]
fn any_octets_are_decoded_alike() {
    let mut decoder = Decoder::new(Packing::Aal2);
    let mut decoded = vec![0; 2 * RANDOM.len()];
    decoder.decode(RANDOM, &mut decoded);
    assert_agrees(&decoded, &samples(RANDOM_OUTPUT));
}

#[test]
fn encoder_and_decoder_stay_in_step() {
    let input = samples(INPUT);
    let mut octets = vec![0; input.len() / 2];
    let mut output = vec![0; input.len()];
    Encoder::new(Packing::Aal2).encode(&input, &mut octets);
    Decoder::new(Packing::Aal2).decode(&octets, &mut output);
    let speech = 400..3900;
    let signal: f64 = input[speech.clone()].iter().map(|s| f64::from(*s).powi(2)).sum();
    let noise: f64 = input[speech.clone()]
        .iter()
        .zip(&output[speech])
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    assert!(10.0 * (signal / noise).log10() > 20.0, "{}", 10.0 * (signal / noise).log10());
}

#[test]
fn code_zero_is_never_sent() {
    assert!(AAL2.iter().all(|octet| octet >> 4 != 0 && octet & 15 != 0));
    let mut encoder = Encoder::new(Packing::Aal2);
    assert!((0..10_000).all(|_| encoder.encode_sample(0) != 0));
}

#[test]
fn a_short_buffer_bounds_the_work() {
    let mut encoder = Encoder::new(Packing::Aal2);
    assert_eq!(encoder.encode(&[0; 7], &mut [0; 80]), 3);
    assert_eq!(encoder.encode(&[0; 160], &mut [0; 10]), 10);
    let mut decoder = Decoder::new(Packing::Aal2);
    assert_eq!(decoder.decode(&[0; 80], &mut [0; 7]), 6);
    assert_eq!(decoder.decode(&[0; 3], &mut [0; 160]), 6);
}
