//! What the likeness of sent and received audio says about whole speech paths.

use telephony_audio::correlation::audio_match;
use telephony_audio::g711::{alaw_decode, alaw_encode, ulaw_decode, ulaw_encode};
use telephony_audio::g726::{Decoder, Encoder, Packing};

const A: &[u8] = include_bytes!("../../ipdect-sim/assets/speech-a.wav");
const B: &[u8] = include_bytes!("../../ipdect-sim/assets/speech-b.wav");

/// The samples behind the header of 44 octets.
fn speech(wav: &[u8]) -> Vec<i16> {
    assert_eq!(&wav[36..40], b"data");
    wav[44..].as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// From a desk phone to a handset: A-law, then G.726, some delay and 6 dB less.
fn through_the_path(sent: &[i16], delay: usize) -> Vec<i16> {
    let mut encoder = Encoder::new(Packing::Aal2);
    let mut decoder = Decoder::new(Packing::Aal2);
    let mut received = vec![0; delay];
    received.extend(sent.iter().map(|sample| {
        let sample = ulaw_decode(ulaw_encode(alaw_decode(alaw_encode(*sample))));
        decoder.decode_sample(encoder.encode_sample(sample)) / 2
    }));
    received
}

#[test]
fn the_same_speech_matches_through_both_codecs() {
    for wav in [A, B] {
        let sent = speech(wav);
        for delay in [0, 480, 1777, 3900] {
            let likeness = audio_match(&sent, &through_the_path(&sent, delay));
            assert!(likeness > 0.9, "{delay}: {likeness}");
        }
    }
}

#[test]
fn swapped_sentences_do_not_match() {
    let (a, b) = (speech(A), speech(B));
    for (sent, received) in [(&a, &b), (&b, &a)] {
        let likeness = audio_match(sent, &through_the_path(received, 480));
        assert!(likeness < 0.5, "{likeness}");
    }
}

#[test]
fn one_way_silence_does_not_match() {
    let a = speech(A);
    assert!(audio_match(&a, &vec![0; a.len()]) < 0.01);
    // The comfort noise of a silent line: one bit up and down.
    let idle: Vec<i16> = (0..a.len()).map(|i| if i % 3 == 0 { 8 } else { -8 }).collect();
    let likeness = audio_match(&a, &idle);
    assert!(likeness < 0.5, "{likeness}");
}

#[test]
fn noise_does_not_match() {
    let a = speech(A);
    let mut state = 7_u32;
    let noise: Vec<i16> = a
        .iter()
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as i16 / 4
        })
        .collect();
    let likeness = audio_match(&a, &noise);
    assert!(likeness < 0.5, "{likeness}");
}

#[test]
fn half_of_a_sentence_lost_is_half_a_match() {
    let a = speech(A);
    let mut received = through_the_path(&a, 0);
    let half = received.len() / 2;
    received[..half].fill(0);
    let likeness = audio_match(&a, &received);
    assert!((0.2..0.8).contains(&likeness), "{likeness}");
}
