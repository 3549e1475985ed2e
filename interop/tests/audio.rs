//! G.726-32 against spandsp, live: speech and noise through both encoders and decoders.

#[path = "support/peer.rs"]
mod peer;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use peer::{Random, compiled};
use telephony_audio::g726::{Decoder, Encoder, Packing};

fn spandsp(direction: &str, packing: Packing, input: Vec<u8>) -> Vec<u8> {
    let packing = match packing {
        Packing::Aal2 => "aal2",
        Packing::Rfc3551 => "rfc3551",
    };
    let mut child = Command::new(compiled("g726_spandsp", "-lspandsp"))
        .args([direction, packing])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("g726_spandsp runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child.stdout.take().expect("a pipe").read_to_end(&mut output).expect("its output");
    writer.join().expect("no panic").expect("it reads all");
    assert!(child.wait().expect("its end").success());
    output
}

/// Both sentences, then noise whose level wanders between near silence and half of full scale.
fn signal() -> Vec<i16> {
    let mut samples = Vec::new();
    for wav in [
        &include_bytes!("../../ipdect-sim/assets/speech-a.wav")[44..],
        &include_bytes!("../../ipdect-sim/assets/speech-b.wav")[44..],
    ] {
        samples.extend(wav.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)));
    }
    let mut random = Random::new(726);
    for _ in 0..500 {
        let level = 1 << random.below(14);
        samples.extend((0..160).map(|_| (random.next() >> 40) as i16 % level));
    }
    samples
}

/// Confirms: G.726-32 speech and noise, encoder and decoder bit for bit — spandsp
#[test]
fn encoder_and_decoder_agree_with_spandsp() {
    let samples = signal();
    for packing in [Packing::Aal2, Packing::Rfc3551] {
        let mut octets = vec![0; samples.len() / 2];
        Encoder::new(packing).encode(&samples, &mut octets);
        let theirs = spandsp("encode", packing, samples.iter().flat_map(|s| s.to_le_bytes()).collect());
        assert_eq!(octets.iter().zip(&theirs).position(|(a, b)| a != b), None, "{packing:?}");
        assert_eq!(octets.len(), theirs.len());

        let mut decoded = vec![0; 2 * octets.len()];
        Decoder::new(packing).decode(&octets, &mut decoded);
        let theirs = spandsp("decode", packing, octets);
        let theirs: Vec<i16> =
            theirs.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
        assert_eq!(decoded.iter().zip(&theirs).position(|(a, b)| a != b), None, "{packing:?}");
        assert_eq!(decoded.len(), theirs.len());
    }
}
