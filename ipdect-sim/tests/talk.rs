//! Media of two ends, back to back in virtual time.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use ipdect_sim::talk::{Encoding, Flow, Talk, TalkPlan, Unusable};
use srtp_sdes::{Agreed, NegotiationConfig, Offered, ReceiverKeys, Seed, SenderKeys, SrtpPolicy};
use telephony_audio::correlation::audio_match;
use telephony_audio::g726::Packing;

type Keys = Option<(SenderKeys, ReceiverKeys)>;

/// The keys of offerer and answerer of one negotiation.
fn negotiated(number: u8) -> (Keys, Keys) {
    let config = NegotiationConfig::new(SrtpPolicy::Required);
    let offered = Offered::new(&config, Seed([number; 32]));
    let lines = offered.attributes();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answered =
        srtp_sdes::answer(&config, offered.profile(), &lines, Seed([number ^ 0x55; 32])).expect("an answer");
    let line = answered.attribute.expect("a crypto line");
    let agreed = offered.answer(answered.profile, &[line.as_str()]).expect("agreed");
    (keys(agreed), keys(answered.agreed))
}

fn keys(agreed: Agreed) -> Keys {
    match agreed {
        Agreed::Clear => None,
        Agreed::Protected { sender, receiver, .. } => Some((sender, receiver)),
    }
}

fn plan(encoding: Encoding, ssrc: u32, keys: Keys) -> TalkPlan {
    let payload_type = match encoding {
        Encoding::Pcma => 8,
        Encoding::Pcmu => 0,
        Encoding::G726(_) => 96,
    };
    TalkPlan {
        encoding,
        payload_type,
        ssrc,
        keys,
        flow: Flow::Both,
        first_sequence: 0x7ff0,
        first_timestamp: 0xffff_0000,
    }
}

/// Something like speech: syllables of changing pitch and pauses between them.
fn speech(pitch: f64, seconds: usize) -> Vec<i16> {
    let mut phase = 0.0_f64;
    let mut noise = 12345_u32;
    (0..seconds * 8000)
        .map(|n| {
            let t = f64::from(n as u32) / 8000.0;
            let syllable = (t * 3.1).sin().max(0.0);
            let glide = pitch * (1.0 + 0.3 * (t * 1.7).sin());
            phase += core::f64::consts::TAU * glide / 8000.0;
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let breath = f64::from((noise >> 16) as i16) / 32768.0;
            (8000.0 * syllable * (phase.sin() + 0.5 * (2.3 * phase).sin() + 0.2 * breath)) as i16
        })
        .collect()
}

/// Runs both ends for a while; what the wire does to a packet is `wire`.
fn run(
    start: Instant,
    left: &mut Talk,
    right: &mut Talk,
    seconds: u64,
    mut wire: impl FnMut(usize, &mut Vec<Vec<u8>>),
) {
    let mut sent = 0;
    for step in 0..seconds * 50 {
        let now = start + Duration::from_millis(20 * step);
        for (from, to) in [(true, false), (false, true)] {
            let (sender, receiver) = if from { (&mut *left, &mut *right) } else { (&mut *right, &mut *left) };
            assert_ne!(from, to);
            let mut buffer = BytesMut::new();
            let mut packets = Vec::new();
            while let Some(len) = sender.poll_packet(now, &mut buffer) {
                packets.push(buffer.split_to(len).to_vec());
            }
            wire(sent, &mut packets);
            sent += 1;
            for mut packet in packets {
                let _ = receiver.handle_packet(now, &mut packet);
            }
        }
    }
}

#[test]
fn speech_arrives_over_srtp_in_each_encoding() {
    for encoding in
        [Encoding::Pcma, Encoding::Pcmu, Encoding::G726(Packing::Aal2), Encoding::G726(Packing::Rfc3551)]
    {
        let (a, b) = negotiated(1);
        let now = Instant::now();
        let mut left = Talk::new(now, plan(encoding, 1, a));
        let mut right = Talk::new(now, plan(encoding, 2, b));
        let (one, two) = (speech(140.0, 3), speech(230.0, 3));
        left.play(&one);
        right.play(&two);
        run(now, &mut left, &mut right, 4, |_, _| {});
        assert!(
            audio_match(&one, right.recorded()) > 0.9,
            "{encoding:?}: {}",
            audio_match(&one, right.recorded())
        );
        assert!(audio_match(&two, left.recorded()) > 0.9, "{encoding:?}");
        assert!(audio_match(&one, left.recorded()) < 0.5, "one's own voice does not come back");
        assert_eq!(left.counters().packets_sent, 200);
        assert_eq!(right.counters().packets_received, 200);
    }
}

#[test]
fn with_the_wrong_key_nothing_is_heard() {
    let (a, _) = negotiated(1);
    let (_, b) = negotiated(2);
    let now = Instant::now();
    let mut left = Talk::new(now, plan(Encoding::Pcma, 1, a));
    let mut right = Talk::new(now, plan(Encoding::Pcma, 2, b));
    let one = speech(140.0, 3);
    left.play(&one);
    run(now, &mut left, &mut right, 4, |_, _| {});
    assert!(audio_match(&one, right.recorded()) < 0.5);
    assert_eq!(right.counters().packets_received, 0);
    assert_eq!(right.counters().packets_unauthentic, 200);
}

#[test]
fn lost_packets_leave_silence_and_the_rest_in_its_place() {
    let now = Instant::now();
    let mut left = Talk::new(now, plan(Encoding::Pcma, 1, None));
    let mut right = Talk::new(now, plan(Encoding::Pcma, 2, None));
    let one = speech(140.0, 3);
    left.play(&one);
    run(now, &mut left, &mut right, 3, |sent, packets| {
        if sent % 20 == 10 {
            packets.clear();
        }
    });
    assert_eq!(right.recorded().len(), 3 * 8000);
    let found = audio_match(&one, right.recorded());
    assert!(found > 0.8, "{found}");
}

#[test]
fn a_packet_counts_once_and_not_late() {
    let now = Instant::now();
    let mut left = Talk::new(now, plan(Encoding::Pcma, 1, None));
    let mut right = Talk::new(now, plan(Encoding::Pcma, 2, None));
    let mut buffer = BytesMut::new();
    let first =
        left.poll_packet(now, &mut buffer).map(|len| buffer.split_to(len).to_vec()).expect("a packet");
    let second = left
        .poll_packet(now + Duration::from_millis(20), &mut buffer)
        .map(|len| buffer.split_to(len).to_vec())
        .expect("a packet");
    assert_eq!(first.len(), 172);
    assert_eq!(first[1], 0x88, "the first packet is marked");
    assert_eq!(second[1], 8);
    assert_eq!(right.handle_packet(now, &mut second.clone()), Ok(()));
    assert_eq!(right.handle_packet(now, &mut second.clone()), Err(Unusable::TwiceOrLate));
    assert_eq!(right.handle_packet(now, &mut first.clone()), Err(Unusable::TwiceOrLate));
    assert_eq!(right.handle_packet(now, &mut [0x80, 8, 0]), Err(Unusable::NotOfThisStream));
    assert_eq!(right.recorded().len(), 160);
}

#[test]
fn a_held_stream_is_silent_and_goes_on_in_time() {
    let now = Instant::now();
    let mut left = Talk::new(now, plan(Encoding::Pcma, 1, None));
    let mut buffer = BytesMut::new();
    assert!(left.poll_packet(now, &mut buffer).is_some());
    left.redirect(now, Flow::None);
    assert_eq!(left.poll_timeout(), None);
    let later = now + Duration::from_millis(520);
    assert!(left.poll_packet(later, &mut buffer).is_none());
    assert_eq!(left.handle_packet(later, &mut [0x80; 172]), Err(Unusable::NotListening));
    left.redirect(later, Flow::Both);
    buffer.clear();
    assert_eq!(left.poll_packet(later, &mut buffer), Some(172));
    let timestamp = u32::from_be_bytes([buffer[4], buffer[5], buffer[6], buffer[7]]);
    assert_eq!(timestamp, 0xffff_0000_u32.wrapping_add(160 + 500 * 8));
    assert_eq!(buffer[1], 0x88, "a new burst is marked");
}
