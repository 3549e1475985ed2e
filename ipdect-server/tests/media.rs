//! The data plane: streams by themselves, and workers over loopback sockets.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ipdect_server::media::plan::{
    ChannelId, Flowing, G711, MediaCommand, MediaEvent, NetworkLeg, RadioLeg, Side, StreamPlan,
};
use ipdect_server::media::stream::{Outgoing, PACKET, Stream};
use ipdect_server::media::worker::Workers;
use srtp_sdes::{Agreed, NegotiationConfig, Offered, Profile, Receiver, Seed, Sender, SrtpPolicy, answer};
use telephony_audio::correlation::audio_match;
use telephony_audio::g726::{Decoder, Encoder, Packing};
use telephony_audio::rtp::RtpHeader;
use telephony_audio::{g711, tones};

const FRAME: usize = 160;

/// What the offerer and the answerer agreed on.
fn keys(number: u8) -> (Agreed, Agreed) {
    let config = NegotiationConfig::new(SrtpPolicy::Required);
    let offered = Offered::new(&config, Seed([number; 32]));
    let lines = offered.attributes();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let answered = answer(&config, Profile::Savp, &lines, Seed([number + 100; 32])).expect("usable lines");
    let line = answered.attribute.clone().expect("a line");
    let agreed = offered.answer(Profile::Savp, &[&line]).expect("our own answer");
    (agreed, answered.agreed)
}

fn contexts(agreed: &Agreed) -> (Sender, Receiver) {
    match agreed {
        Agreed::Protected { sender, receiver, .. } => {
            (Sender::new(sender.clone()), Receiver::new(receiver.clone()))
        }
        Agreed::Clear => panic!("protected"),
    }
}

fn address(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn plan(agreed: Agreed, flowing: Flowing) -> StreamPlan {
    StreamPlan {
        channel: ChannelId(3),
        network: Some(NetworkLeg {
            remote_rtp: address(5000),
            remote_rtcp: Some(address(5001)),
            payload_type: 8,
            codec: G711::ALaw,
            telephone_event: None,
            ssrc: 0xfeed_beef,
            agreed,
            flowing,
        }),
        radio: RadioLeg { remote: address(6000), ssrc: 77, packing: Packing::Aal2, keys: None },
    }
}

/// Something that resembles speech: a glide with syllables, different for each voice.
fn voice(number: u32, seconds: usize) -> Vec<i16> {
    let mut phase = 0.0f64;
    (0..seconds * 8000)
        .map(|place| {
            let time = place as f64 / 8000.0;
            let pitch = 180.0 + f64::from(number) * 57.0 + 90.0 * (time * (1.3 + f64::from(number))).sin();
            phase += std::f64::consts::TAU * pitch / 8000.0;
            let syllable = 0.5 + 0.5 * (time * 9.0 + f64::from(number)).sin();
            ((phase.sin() + 0.5 * (phase * 3.0).sin()) * syllable * 7000.0) as i16
        })
        .collect()
}

fn radio_packets(samples: &[i16]) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Packing::Aal2);
    samples
        .chunks_exact(FRAME)
        .enumerate()
        .map(|(number, frame)| {
            let header = RtpHeader {
                marker: number == 0,
                payload_type: 96,
                sequence_number: 500 + number as u16,
                timestamp: number as u32 * 160,
                ssrc: 9,
            };
            let mut packet = header.emit().to_vec();
            packet.resize(12 + 80, 0);
            encoder.encode(frame, &mut packet[12..]);
            packet
        })
        .collect()
}

fn network_packets(samples: &[i16], frame: usize, first: u16, sender: &mut Sender) -> Vec<Vec<u8>> {
    samples
        .chunks_exact(frame)
        .enumerate()
        .map(|(number, samples)| {
            let header = RtpHeader {
                marker: number == 0,
                payload_type: 8,
                sequence_number: first.wrapping_add(number as u16),
                timestamp: (number * frame) as u32,
                ssrc: 4711,
            };
            let mut packet = header.emit().to_vec();
            packet.resize(12 + frame + 64, 0);
            g711::encode_alaw(samples, &mut packet[12..12 + frame]);
            let length = sender.protect(&mut packet, 12 + frame).expect("room");
            packet.truncate(length);
            packet
        })
        .collect()
}

fn load(packet: &[u8]) -> ([u8; PACKET], usize) {
    let mut buffer = [0; PACKET];
    buffer[..packet.len()].copy_from_slice(packet);
    (buffer, packet.len())
}

/// Feeds packets of Lync; what goes to the base station comes back decoded.
fn to_handset(stream: &mut Stream, now: Instant, packets: &[Vec<u8>]) -> (Vec<i16>, Vec<u16>) {
    let mut decoder = Decoder::new(Packing::Aal2);
    let (mut heard, mut numbers) = (Vec::new(), Vec::new());
    for packet in packets {
        let (mut buffer, length) = load(packet);
        stream.take_network(now, address(5000), &mut buffer, length, |outgoing, bytes| {
            let Outgoing::Radio { to, length } = outgoing else { panic!("{outgoing:?}") };
            assert_eq!(to, address(6000));
            let (header, payload) = RtpHeader::parse(&bytes[..length]).expect("a packet");
            let mut samples = [0; FRAME];
            decoder.decode(&bytes[payload], &mut samples);
            heard.extend(samples);
            numbers.push(header.sequence_number);
        });
    }
    (heard, numbers)
}

#[test]
fn speech_of_the_handset_reaches_lync_encrypted() {
    let now = Instant::now();
    let (ours, theirs) = keys(1);
    let mut stream = Stream::new(now, plan(ours, Flowing::BOTH));
    let (_, mut receiver) = contexts(&theirs);
    let spoken = voice(1, 2);
    let mut heard = Vec::new();
    for packet in radio_packets(&spoken) {
        let (mut buffer, length) = load(&packet);
        let outgoing = stream.take_radio(now, address(6000), &mut buffer, length);
        let Some(Outgoing::Network { to, length }) = outgoing else { panic!("{outgoing:?}") };
        assert_eq!(to, address(5000));
        assert_eq!(length, 12 + FRAME + 1 + 10, "header, speech, MKI, tag");
        let length = receiver.unprotect(&mut buffer[..length]).expect("our key");
        let (header, payload) = RtpHeader::parse(&buffer[..length]).expect("a packet");
        assert_eq!((header.payload_type, header.ssrc), (8, 0xfeed_beef));
        let mut samples = [0; FRAME];
        g711::decode_alaw(&buffer[payload], &mut samples);
        heard.extend(samples);
    }
    let quality = audio_match(&spoken, &heard);
    assert!(quality > 0.95, "{quality}");
    assert!(audio_match(&voice(2, 2), &heard) < 0.5, "another voice is told apart");
}

#[test]
fn speech_of_lync_reaches_the_handset_whatever_the_length_of_its_packets() {
    let now = Instant::now();
    for frame in [80, 160, 320, 480] {
        let (ours, theirs) = keys(2);
        let mut stream = Stream::new(now, plan(ours, Flowing::BOTH));
        let (mut sender, _) = contexts(&theirs);
        let spoken = voice(2, 2);
        let packets = network_packets(&spoken, frame, 10, &mut sender);
        let (heard, numbers) = to_handset(&mut stream, now, &packets);
        assert!(heard.len() + 480 > spoken.len(), "{frame}: {} of {}", heard.len(), spoken.len());
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)), "{frame}: numbered on");
        let quality = audio_match(&spoken, &heard);
        assert!(quality > 0.95, "{frame}: {quality}");
    }
}

#[test]
fn a_wrong_key_is_silence_and_counted() {
    let now = Instant::now();
    let (ours, _) = keys(3);
    let (_, strangers) = keys(4);
    let mut stream = Stream::new(now, plan(ours, Flowing::BOTH));
    let (mut sender, _) = contexts(&strangers);
    let packets = network_packets(&voice(1, 1), FRAME, 10, &mut sender);
    let (heard, _) = to_handset(&mut stream, now, &packets);
    assert!(heard.is_empty());
    assert_eq!(stream.counters().network_refused, 50);
    assert_eq!(stream.counters().network_received, 0);
}

#[test]
fn gaps_stay_visible_and_late_packets_are_dropped() {
    let now = Instant::now();
    let (ours, theirs) = keys(5);
    let mut stream = Stream::new(now, plan(ours, Flowing::BOTH));
    let (mut sender, _) = contexts(&theirs);
    let packets = network_packets(&voice(1, 1), FRAME, 65_530, &mut sender);
    let order = [0, 1, 4, 2, 3, 5, 5, 9];
    let packets: Vec<Vec<u8>> = order.iter().map(|place| packets[*place].clone()).collect();
    let (_, numbers) = to_handset(&mut stream, now, &packets);
    let first = numbers[0];
    let steps: Vec<u16> = numbers.iter().map(|number| number.wrapping_sub(first)).collect();
    assert_eq!(steps, [0, 1, 4, 5, 9]);
}

#[test]
fn a_protected_bearer_is_read_by_its_base_station_alone() {
    let now = Instant::now();
    let ((ours, theirs), (bearer, base)) = (keys(20), keys(21));
    let mut protected = plan(ours, Flowing::BOTH);
    if let Agreed::Protected { sender, receiver, .. } = bearer {
        protected.radio.keys = Some((sender, receiver));
    }
    let mut stream = Stream::new(now, protected);
    let (mut base_sends, mut base_receives) = contexts(&base);
    let (mut sender, mut receiver) = contexts(&theirs);
    let packet = &radio_packets(&voice(1, 1))[0];
    let (mut clear, length) = load(packet);
    assert_eq!(
        stream.take_radio(now, address(6000), &mut clear, length),
        None,
        "speech in the clear is refused"
    );
    let (mut buffer, length) = load(packet);
    let length = base_sends.protect(&mut buffer, length).expect("room");
    let Some(Outgoing::Network { length, .. }) = stream.take_radio(now, address(6000), &mut buffer, length)
    else {
        panic!("speech of the base station");
    };
    receiver.unprotect(&mut buffer[..length]).expect("our key towards Lync");
    let from_lync = network_packets(&voice(2, 1), FRAME, 10, &mut sender);
    let mut heard = 0;
    for packet in &from_lync {
        let (mut buffer, length) = load(packet);
        stream.take_network(now, address(5000), &mut buffer, length, |outgoing, bytes| {
            let Outgoing::Radio { length, .. } = outgoing else { panic!("{outgoing:?}") };
            assert_eq!(length, 12 + 80 + 1 + 10, "header, speech, MKI, tag");
            let mut bytes = bytes[..length].to_vec();
            base_receives.unprotect(&mut bytes).expect("the bearer's key");
            heard += 1;
        });
    }
    assert_eq!(heard, 50);
}

#[test]
fn a_held_call_carries_nothing_and_goes_on_with_its_keys() {
    let now = Instant::now();
    let (ours, theirs) = keys(6);
    let mut stream = Stream::new(now, plan(ours.clone(), Flowing::BOTH));
    let (mut sender, mut receiver) = contexts(&theirs);
    let spoken = voice(1, 1);
    let from_lync = network_packets(&spoken, FRAME, 10, &mut sender);
    let from_handset = radio_packets(&spoken);
    assert_eq!(to_handset(&mut stream, now, &from_lync[..10]).1.len(), 10);
    stream.change(now, plan(ours.clone(), Flowing::NONE));
    assert_eq!(to_handset(&mut stream, now, &from_lync[10..20]).1.len(), 0);
    let (mut buffer, length) = load(&from_handset[0]);
    assert_eq!(stream.take_radio(now, address(6000), &mut buffer, length), None);
    stream.change(now, plan(ours, Flowing::BOTH));
    assert_eq!(to_handset(&mut stream, now, &from_lync[20..30]).1.len(), 10);
    let (mut buffer, length) = load(&from_handset[1]);
    let Some(Outgoing::Network { length, .. }) = stream.take_radio(now, address(6000), &mut buffer, length)
    else {
        panic!("the handset speaks again");
    };
    assert!(receiver.unprotect(&mut buffer[..length]).is_ok());
    let (mut again, length) = load(&from_lync[25]);
    stream.take_network(now, address(5000), &mut again, length, |_, _| panic!("replayed"));
    assert_eq!(stream.counters().network_refused, 1, "the replay list was kept");
}

#[test]
fn strangers_and_foreign_protocols_are_not_heard() {
    let now = Instant::now();
    let (ours, _) = keys(7);
    let mut stream = Stream::new(now, plan(ours, Flowing::BOTH));
    let radio = &radio_packets(&voice(1, 1))[0];
    let (mut buffer, length) = load(radio);
    assert_eq!(stream.take_radio(now, address(6001), &mut buffer, length), None, "another address");
    assert_eq!(stream.counters().radio_received, 0);
    let stun = [0u8, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
    let (mut buffer, length) = load(&stun);
    stream.take_network(now, address(5000), &mut buffer, length, |_, _| panic!("STUN is no speech"));
    assert_eq!(stream.counters().network_refused, 0);
    for length in 0..40 {
        let mut buffer = [0x80; PACKET];
        stream.take_network(now, address(5000), &mut buffer, length, |_, _| panic!("garbage"));
        stream.take_network_rtcp(&mut buffer, length);
        assert_eq!(stream.take_radio(now, address(6000), &mut buffer, length), None);
    }
}

#[test]
fn reports_go_out_encrypted_and_silence_is_told_once() {
    let start = Instant::now();
    let (ours, theirs) = keys(8);
    let mut stream = Stream::new(start, plan(ours, Flowing::BOTH));
    let (_, mut receiver) = contexts(&theirs);
    let mut reports = 0;
    let events = std::cell::RefCell::new(Vec::new());
    let mut buffer = [0; PACKET];
    for tick in 0..600u64 {
        let now = start + Duration::from_millis(20 * tick);
        stream.tick(now, &mut buffer, |outgoing, bytes| {
            let Outgoing::NetworkControl { to, length } = outgoing else { panic!("{outgoing:?}") };
            assert_eq!(to, address(5001));
            let mut report = bytes[..length].to_vec();
            let length = receiver.unprotect_rtcp(&mut report).expect("our key");
            assert_eq!((report[1], &report[4..8], length % 4), (200, &[0xfe, 0xed, 0xbe, 0xef][..], 0));
            reports += 1;
        });
        stream.reports(ChannelId(3), &|event| events.borrow_mut().push(event));
    }
    assert_eq!(reports, 2, "one in five seconds");
    let silent = |side| MediaEvent::Silent { channel: ChannelId(3), side };
    assert_eq!(*events.borrow(), [silent(Side::Network), silent(Side::Radio)]);
}

#[test]
fn a_tone_replaces_the_networks_speech() {
    let now = Instant::now();
    let (ours, theirs) = keys(9);
    let mut stream = Stream::new(now, plan(ours, Flowing::BOTH));
    let (mut sender, _) = contexts(&theirs);
    let packets = network_packets(&voice(1, 1), FRAME, 10, &mut sender);
    stream.tone(Some(tones::Tone::Busy));
    assert!(to_handset(&mut stream, now, &packets[..5]).1.is_empty());
    let mut buffer = [0; PACKET];
    let mut loudest = 0;
    let mut decoder = Decoder::new(Packing::Aal2);
    for _ in 0..10 {
        stream.tick(now, &mut buffer, |_, bytes| {
            let mut samples = [0; FRAME];
            decoder.decode(&bytes[12..92], &mut samples);
            loudest = loudest.max(samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0));
        });
    }
    assert!(loudest > 1000, "{loudest}");
    stream.tone(None);
    assert_eq!(to_handset(&mut stream, now, &packets[5..10]).1.len(), 5);
}

#[test]
fn workers_carry_a_call_over_real_sockets() {
    let loopback = Ipv4Addr::LOCALHOST.into();
    let (report, reports) = mpsc::channel();
    let workers = Workers::start(loopback, loopback, 4, 2, move |event| {
        let _gone = report.send(event);
    })
    .expect("sockets on loopback");
    assert_eq!(workers.channels().len(), 4);
    for channel in workers.channels() {
        assert_eq!(channel.network_rtp.port() % 2, 0);
        assert_eq!(channel.network_rtcp.port(), channel.network_rtp.port() + 1);
    }
    let channel = workers.channels()[1];
    let (peer, base) =
        (UdpSocket::bind(address(0)).expect("a socket"), UdpSocket::bind(address(0)).expect("a socket"));
    for socket in [&peer, &base] {
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
    }
    let (ours, theirs) = keys(10);
    let (mut sender, mut receiver) = contexts(&theirs);
    let mut plan = plan(ours, Flowing::BOTH);
    plan.channel = channel.id;
    plan.radio.remote = base.local_addr().expect("bound");
    if let Some(network) = &mut plan.network {
        network.remote_rtp = peer.local_addr().expect("bound");
    }
    workers.command(MediaCommand::Install(Box::new(plan)));
    let spoken = voice(1, 1);
    // The first packet may come before the command: it is repeated until one is heard.
    let mut buffer = [0; PACKET];
    let mut answered = 0;
    for packet in radio_packets(&spoken) {
        base.send_to(&packet, channel.radio).expect("sent");
        if answered == 0 {
            std::thread::yield_now();
        }
    }
    peer.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
    while let Ok((length, from)) = peer.recv_from(&mut buffer) {
        assert_eq!(from, channel.network_rtp, "from the port that the offer names");
        receiver.unprotect(&mut buffer[..length]).expect("our key");
        answered += 1;
        if answered == 50 {
            break;
        }
    }
    assert!(answered >= 40, "{answered} of 50");
    for packet in network_packets(&spoken, FRAME, 10, &mut sender) {
        peer.send_to(&packet, channel.network_rtp).expect("sent");
    }
    let (length, from) = base.recv_from(&mut buffer).expect("speech for the handset");
    assert_eq!((length, from), (12 + 80, channel.radio));
    workers.command(MediaCommand::Remove { channel: channel.id });
    let counters = loop {
        if let MediaEvent::Report { counters, .. } =
            reports.recv_timeout(Duration::from_mins(1)).expect("a report")
        {
            break counters;
        }
    };
    assert_eq!(counters.network_sent, answered);
    assert!(counters.radio_received >= 40 && counters.network_refused == 0, "{counters:?}");
    drop(workers);
}
